//! Whose tokens are trusted, and by which keys.

use authorizer_core::policy::document::{IssuerDocument, JwksDocument, PolicyDocument};
use authorizer_core::token::{Issuer, RemoteKeys};
use authorizer_policy::PolicyFile;

use super::fact::Fact;
use crate::jwk::{Key, Standing};

/// An issuer.
#[derive(Debug)]
pub(super) struct IssuerFacts {
    /// The policy's name for it.
    pub(super) name: String,
    /// What the policy asks of its tokens.
    pub(super) facts: Vec<Fact>,
    /// The keys that are in the bundle.
    pub(super) keys: Vec<KeyFacts>,
}

/// A key of a JWK set.
#[derive(Debug)]
pub(super) struct KeyFacts {
    pub(super) id: Option<String>,
    /// Its `kty`, and its curve or its length.
    pub(super) kind: String,
    /// Its own `alg`.
    pub(super) algorithm: Option<String>,
    /// RFC 7638, with SHA-256.
    pub(super) thumbprint: Option<String>,
    /// What it verifies here, or why it verifies nothing.
    pub(super) verifies: Result<Vec<&'static str>, String>,
}

/// The issuers, in the order of the policy.
pub(super) fn of(file: &PolicyFile) -> Vec<IssuerFacts> {
    // The document that decides has the keys in the place of their files' names.
    let written: Option<PolicyDocument> = toml::from_str(file.text()).ok();
    let written = written.map(|document| document.issuers).unwrap_or_default();
    let issuers = file.document().issuers.iter().zip(file.bundle().policy().issuers());
    let issuers = issuers.enumerate();
    issuers.map(|(index, (issuer, compiled))| one(issuer, written.get(index), compiled)).collect()
}

fn one(issuer: &IssuerDocument, written: Option<&IssuerDocument>, compiled: &Issuer) -> IssuerFacts {
    let written = written.unwrap_or(issuer);
    let required =
        issuer.required.iter().map(|(claim, value)| format!("{claim} = {}", serde_json::json!(value)));
    let bound = if issuer.accept_bound_tokens { "accepted as bearer tokens" } else { "refused" };
    let mut facts = vec![
        Fact::text("Issuer (iss)", [&issuer.issuer], ""),
        Fact::text("Audience (aud)", &issuer.audience, "none: a token that names any is refused"),
        Fact::text("Client (client_id)", &issuer.client_id, "not required"),
        Fact::text("Claim that binds a token (bound_by)", &issuer.bound_by, "none named"),
        Fact::words("Tokens bound to a key (cnf)", bound.to_owned()),
        Fact::words("Algorithms", words(issuer.algorithms.iter().map(|algorithm| algorithm.name()))),
        Fact::text("Token type (typ)", issuer.token_type.as_ref(), "`JWT`, `at+jwt` or none"),
        Fact::text("Required claims", required, "none"),
        Fact::words("Leeway", format!("{} s", issuer.leeway_seconds)),
        Fact::words(
            "Longest lifetime",
            issuer.max_lifetime_seconds.map_or_else(|| "not limited".into(), |most| format!("{most} s")),
        ),
    ];
    if let Some(secret) = &written.secret {
        facts.push(Fact::text("Secret, not shown, from the file", secret.file.as_ref(), "none"));
    }
    if let Some(jwks) = &written.jwks {
        facts.extend(source(jwks, compiled.remote_keys()));
    }
    let keys = issuer.jwks.as_ref().and_then(|jwks| jwks.keys.as_deref()).unwrap_or_default();
    let allowed: Vec<_> = issuer.algorithms.iter().map(|algorithm| algorithm.name()).collect();
    let keys = keys.iter().map(|jwk| key(Key::of(jwk), &allowed)).collect();
    IssuerFacts { name: issuer.name.clone(), facts, keys }
}

fn source(jwks: &JwksDocument, remote: Option<&RemoteKeys>) -> Vec<Fact> {
    let mut facts = vec![match (&jwks.file, &jwks.keys) {
        (Some(file), _) => Fact::text("Keys from the file", [file], ""),
        (None, Some(_)) => Fact::words("Keys from the file", "none: they stand in the policy"),
        (None, None) => Fact::words("Keys from the file", "none: the first request waits for the URL"),
    }];
    facts.push(Fact::text("Keys from the URL", &jwks.url, "none: only a new package changes the keys"));
    if let Some(remote) = remote {
        let age = |name, seconds| Fact::words(name, format!("{seconds} s"));
        facts.push(age("Asked for again at the age of", remote.max_age_seconds));
        facts.push(age("Used up to the age of", remote.max_stale_seconds));
    }
    facts
}

fn key(key: Key, allowed: &[&str]) -> KeyFacts {
    let mut kind = key.kind.clone().unwrap_or_else(|| "none".into());
    if let Some(curve) = &key.curve {
        kind = format!("{kind} {curve}");
    }
    if let Some(bits) = key.bits.filter(|_| key.kind.as_deref() == Some("RSA")) {
        kind = format!("{kind} {bits} bits");
    }
    let verifies = match &key.standing {
        Standing::Usable(algorithms) => {
            let names = algorithms.iter().map(|algorithm| algorithm.name());
            let names: Vec<_> = names.filter(|name| allowed.contains(name)).collect();
            if names.is_empty() {
                Err("the issuer's algorithms are for other keys".to_owned())
            } else {
                Ok(names)
            }
        }
        Standing::PassedOver(why) | Standing::Refused(why) => Err(why.clone()),
    };
    KeyFacts { id: key.id, kind, algorithm: key.algorithm, thumbprint: key.thumbprint, verifies }
}

fn words<'w>(names: impl Iterator<Item = &'w str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// RFC 7515 appendix A.3.1, without the private part.
    fn p256() -> Value {
        json!({"kty": "EC", "crv": "P-256", "kid": "ec",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})
    }

    #[test]
    fn a_key_says_what_it_verifies_here_or_why_nothing() {
        let of = |jwk: &Value, allowed: &[&str]| key(Key::of(jwk), allowed);
        let used = of(&p256(), &["RS256", "ES256"]);
        assert_eq!((used.kind.as_str(), used.verifies), ("EC P-256", Ok(vec!["ES256"])));
        assert!(used.thumbprint.is_some());
        let other = of(&p256(), &["RS256"]);
        assert_eq!(other.verifies, Err("the issuer's algorithms are for other keys".to_owned()));
        let p521 = of(&json!({"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}), &["ES256"]);
        assert_eq!(p521.kind, "EC P-521");
        assert_eq!(p521.verifies, Err("keys on the curve `P-521` are not used here".to_owned()));
    }
}
