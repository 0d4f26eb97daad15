//! How an issuer's keys are distinguished, and what they are for.

use std::collections::BTreeMap;

use authorizer_core::token::SignatureAlgorithm;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use num_bigint::BigUint;
use serde_json::Value;

use super::claims::host_of;
use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::finding::Observation;
use crate::policy::subject::{IssuerView, KeyView, PolicySubject};

pub(super) static FAMILY: Family = Family::Policy(&[
    (
        Check {
            id: "EA105",
            name: "key-of-two-issuers",
            severity: Severity::High,
            title: "two issuers have the same key",
            why: "A signature says only which key made it. So anyone who signs for one issuer can sign in the \
              name of the other.",
            remedy: "fetch each issuer's own keys (`authorizer keys fetch`)",
        },
        of_two_issuers,
    ),
    (
        Check {
            id: "EA106",
            name: "key-twice",
            severity: Severity::Low,
            title: "an issuer has the same key twice",
            why: "If the key leaks and somebody removes one of the two, the other still verifies.",
            remedy: "fetch the keys again, or remove one of the two",
        },
        twice,
    ),
    (
        Check {
            id: "EA107",
            name: "kid-twice",
            severity: Severity::Low,
            title: "two keys of an issuer have the same `kid`",
            why: "The `kid` of a token does not say which of the two signed it, so both are tried. If a new key \
              should replace an old one of the same name, the old key still verifies.",
            remedy: "remove the key that the provider does not sign with any more",
        },
        kid_twice,
    ),
    (
        Check {
            id: "EA108",
            name: "kid-absent",
            severity: Severity::Low,
            title: "a key has no `kid`, and there are others of its kind",
            why: "Only a token without `kid` can be of that key. Such a token is refused if more than one key \
              fits its algorithm. So the key verifies nothing, and its tokens are refused.",
            remedy: "make the provider publish its keys with `kid`",
        },
        kid_absent,
    ),
    (
        Check {
            id: "EA109",
            name: "key-without-alg",
            severity: Severity::Low,
            title: "a key has no `alg`, and several algorithms of the policy fit it",
            why: "One key should be used with one algorithm (RFC 8725 section 3.1, NIST SP 800-57 part 1 section \
              5.2). A token that is signed with another algorithm is trusted too.",
            remedy: "allow only the algorithm that the issuer signs with",
        },
        without_alg,
    ),
    (
        Check {
            id: "EA110",
            name: "key-without-use",
            severity: Severity::Informational,
            title: "a key has neither `use` nor `key_ops`",
            why: "A key that was published for encryption is accepted as a key for signatures.",
            remedy: "make the provider publish its keys with `use`",
        },
        without_use,
    ),
    (
        Check {
            id: "EA111",
            name: "key-unused",
            severity: Severity::Informational,
            title: "a key for signatures fits none of the issuer's algorithms",
            why: "Tokens that the provider signs with it are refused. If somebody adds the algorithm later, a \
              key that nobody reviewed is trusted.",
            remedy: "add its algorithm to `algorithms`, or remove the key from the file",
        },
        unused,
    ),
    (
        Check {
            id: "EA112",
            name: "certificate-expired",
            severity: Severity::Low,
            title: "a key's certificate has expired",
            why: "Certificates are not read when a token is verified, so the key is still trusted. The provider \
              said how long it wants to use the key, and that time is over. The key may be forgotten, and \
              its private half may be unprotected.",
            remedy: "fetch the keys again (`authorizer keys fetch`)",
        },
        certificate_expired,
    ),
]);

/// RFC 7638: the same for the same key, whatever else is said of it.
pub(super) fn thumbprint(jwk: &Value) -> Option<String> {
    let members: &[&str] = match jwk.get("kty")?.as_str()? {
        "RSA" => &["e", "kty", "n"],
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        _ => return None,
    };
    let members: Option<BTreeMap<_, _>> =
        members.iter().map(|member| Some((*member, jwk.get(member)?.as_str()?))).collect();
    let text = serde_json::to_string(&members?).ok()?;
    Some(URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes())))
}

/// The modulus of an RSA key.
pub(super) fn modulus(jwk: &Value) -> Option<BigUint> {
    number(jwk, "n")
}

/// The public exponent of an RSA key.
pub(super) fn exponent(jwk: &Value) -> Option<BigUint> {
    number(jwk, "e")
}

fn number(jwk: &Value, member: &str) -> Option<BigUint> {
    let text = jwk.get("kty").filter(|kty| *kty == "RSA").and(jwk.get(member))?.as_str()?;
    Some(BigUint::from_bytes_be(&URL_SAFE_NO_PAD.decode(text).ok()?))
}

/// The keys that tokens are verified with.
fn used<'p>(issuer: IssuerView<'p>) -> impl Iterator<Item = KeyView<'p>> {
    issuer.keys().filter(|key| key.is_used())
}

/// The keys of an issuer for which an earlier one is the same, by what `same` says.
fn after_the_like<'p>(
    issuer: IssuerView<'p>,
    same: impl Fn(KeyView<'p>, KeyView<'p>) -> bool,
) -> Vec<KeyView<'p>> {
    let keys: Vec<_> = used(issuer).collect();
    let is_second = |index: usize, key: KeyView<'p>| keys.iter().take(index).any(|before| same(*before, key));
    keys.iter().enumerate().filter(|(index, key)| is_second(*index, **key)).map(|(_, key)| *key).collect()
}

fn of_two_issuers(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let issuers: Vec<_> = subject.issuers().collect();
    let mut found = Vec::new();
    for (index, issuer) in issuers.iter().enumerate() {
        for key in used(*issuer) {
            let print = thumbprint(key.jwk);
            let is_same = |before: &&IssuerView<'_>| used(**before).any(|one| thumbprint(one.jwk) == print);
            if let Some(before) = issuers.iter().take(index).find(is_same) {
                let severity = if are_one_provider(before, issuer) { Severity::Low } else { Severity::High };
                let message = format!(
                    "{} of issuer `{}` is also a key of issuer `{}`",
                    key.name(),
                    issuer.name(),
                    before.name()
                );
                found.push(key.found(message).severity(severity));
            }
        }
    }
    found
}

/// Whether two issuers are of one provider, as far as their hosts say.
fn are_one_provider(one: &IssuerView<'_>, other: &IssuerView<'_>) -> bool {
    fn host<'p>(issuer: &IssuerView<'p>) -> &'p str {
        host_of(&issuer.document.issuer).unwrap_or(&issuer.document.issuer)
    }
    are_one_site(host(one), host(other))
}

/// Whether two hosts are of one site, or are two names of a provider that has two.
pub(super) fn are_one_site(one: &str, other: &str) -> bool {
    let site = |host: &str| match host {
        "sts.windows.net" | "login.microsoftonline.com" => Some(b"microsoftonline.com".to_vec()),
        "accounts.google.com" | "www.googleapis.com" => Some(b"google.com".to_vec()),
        _ => psl::domain(host.as_bytes()).map(|domain| domain.as_bytes().to_vec()),
    };
    one == other || (site(one).is_some() && site(one) == site(other))
}

fn twice(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for issuer in subject.issuers() {
        for key in after_the_like(issuer, |one, other| thumbprint(one.jwk) == thumbprint(other.jwk)) {
            found.push(key.found(format!(
                "{} of issuer `{}` is in the file twice",
                key.name(),
                issuer.name()
            )));
        }
    }
    found
}

fn kid_twice(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for issuer in subject.issuers() {
        let same = |one: KeyView<'_>, other: KeyView<'_>| {
            one.kid().is_some() && one.kid() == other.kid() && thumbprint(one.jwk) != thumbprint(other.jwk)
        };
        for key in after_the_like(issuer, same) {
            let kid = key.kid().unwrap_or_default().escape_debug();
            found.push(key.found(format!("issuer `{}` has two keys with the `kid` `{kid}`", issuer.name())));
        }
    }
    found
}

fn kid_absent(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for issuer in subject.issuers() {
        for key in used(issuer).filter(|key| key.kid().is_none()) {
            let fits_alone = |(_, algorithm): (usize, SignatureAlgorithm)| {
                key.verifies(&[algorithm])
                    && used(issuer).filter(|one| one.verifies(&[algorithm])).count() == 1
            };
            if !issuer.signature_algorithms().any(fits_alone) {
                found.push(key.found(format!(
                    "{} of issuer `{}` verifies nothing",
                    key.name(),
                    issuer.name()
                )));
            }
        }
    }
    found
}

fn without_alg(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for issuer in subject.issuers() {
        for key in used(issuer).filter(|key| key.text("alg").is_none()) {
            let fitting: Vec<_> =
                issuer.signature_algorithms().filter(|(_, one)| key.verifies(&[*one])).collect();
            if fitting.len() > 1 {
                let names: Vec<_> = fitting.iter().map(|(_, algorithm)| algorithm.name()).collect();
                let message = format!(
                    "{} of issuer `{}` may verify {}",
                    key.name(),
                    issuer.name(),
                    names.join(" and ")
                );
                found.push(key.found(message));
            }
        }
    }
    found
}

fn without_use(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for issuer in subject.issuers() {
        let is_silent = |key: &KeyView<'_>| key.jwk.get("use").is_none() && key.jwk.get("key_ops").is_none();
        for key in used(issuer).filter(is_silent) {
            found.push(key.found(format!(
                "{} of issuer `{}` does not say its use",
                key.name(),
                issuer.name()
            )));
        }
    }
    found
}

fn unused(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for issuer in subject.issuers() {
        for key in issuer.keys().filter(|key| !key.is_used() && key.verifies(&SignatureAlgorithm::ALL)) {
            let what = key.text("alg").or(key.text("crv")).or(key.text("kty")).unwrap_or_default();
            let message = format!("{} of issuer `{}` ({what}) verifies nothing", key.name(), issuer.name());
            found.push(key.found(message));
        }
    }
    found
}

fn certificate_expired(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for issuer in subject.issuers() {
        for key in used(issuer) {
            let now = i64::try_from(subject.now().as_seconds()).unwrap_or(i64::MAX);
            if let Some((end, words)) = end_of_certificate(key.jwk)
                && end < now
            {
                let message = format!(
                    "the certificate of {} of issuer `{}` expired on {words}",
                    key.name(),
                    issuer.name()
                );
                found.push(key.found(message));
            }
        }
    }
    found
}

/// When the certificate of a key ends (RFC 7517 section 4.7: the first one has the key).
fn end_of_certificate(jwk: &Value) -> Option<(i64, String)> {
    let der = STANDARD.decode(jwk.get("x5c")?.get(0)?.as_str()?).ok()?;
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).ok()?;
    let end = certificate.validity().not_after;
    Some((end.timestamp(), end.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_thumbprint_is_that_of_rfc_7638() {
        // Section 3.1.
        let jwk = json!({"kty": "RSA", "alg": "RS256", "kid": "2011-04-29", "e": "AQAB",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"});
        assert_eq!(thumbprint(&jwk).as_deref(), Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
    }
}
