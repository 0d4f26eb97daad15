//! `[[issuers]]`.

use std::collections::BTreeSet;

use super::super::document::{IssuerDocument, PolicyDocument, RevokedDocument};
use super::super::problem::{Place, Problems};
use super::keys;
use crate::claim_name;
use crate::scalar::Scalar;
use crate::time::UnixTime;
use crate::token::{Issuer, MAX_LEEWAY_SECONDS, Revocation, SCOPE_CLAIMS, TEXT_CLAIMS};

/// What reports call viewers without a token.
const ANONYMOUS: &str = "anonymous";

/// The claims that say for which application a token is, where providers put it: OpenID Connect Core 1.0 section 2
/// (`azp`), Okta (`cid`), Entra ID (`appid`).
const APPLICATION_CLAIMS: [&str; 3] = ["azp", "cid", "appid"];

/// The claims of RFC 7519 section 4.1, and those that have a field of their own. None of them says for which
/// application a token is, or not as a required value.
const OTHER_CLAIMS: [&str; 9] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "cnf"];

pub(super) fn compile_issuers(policy: &PolicyDocument, problems: &mut Problems) -> Vec<Issuer> {
    let revocations = compile_revocations(policy, problems);
    let mut names = BTreeSet::new();
    let mut issuers = BTreeSet::new();
    let mut compiled = Vec::new();
    for (index, document) in policy.issuers.iter().enumerate() {
        let place = Place::member("issuers").at(index);
        problems.check_name(|| place.then("name"), &document.name, &mut names);
        if document.name == ANONYMOUS {
            problems.add(
                place.then("name"),
                format!("`{ANONYMOUS}` is the name of viewers without a token"),
                "give the issuer another name",
            );
        }
        if document.issuer.is_empty() {
            problems.add(
                place.then("issuer"),
                "the issuer is empty",
                "write the value of `iss` in its tokens",
            );
        } else if !issuers.insert(document.issuer.as_str()) {
            problems.add(
                place.then("issuer"),
                format!("`{}` is the issuer of two blocks", document.issuer),
                "a token's `iss` must pick one issuer: join the two blocks",
            );
        }
        check_binding(document, &place, problems);
        check_required(document, &place, problems);
        problems.check_strings(&place.then("audience"), &document.audience);
        problems.check_strings(&place.then("client_id"), &document.client_id);
        if document.algorithms.is_empty() {
            problems.add(
                place.then("algorithms"),
                "no algorithm is allowed, so no token can verify",
                "name the algorithms that the issuer signs with, such as `[\"RS256\"]`",
            );
        }
        if document.token_type.as_deref() == Some("") {
            problems.add(place.then("token_type"), "the token type is empty", "write `at+jwt`, or remove it");
        }
        if document.leeway_seconds > MAX_LEEWAY_SECONDS {
            problems.add(
                place.then("leeway_seconds"),
                format!("a leeway of {} seconds is too long", document.leeway_seconds),
                format!("use at most {MAX_LEEWAY_SECONDS}"),
            );
        }
        if document.max_lifetime_seconds == Some(0) {
            problems.add(
                place.then("max_lifetime_seconds"),
                "a lifetime of 0 seconds refuses every token",
                "write the longest time from `iat` to `exp` in seconds, such as 3600, or remove it",
            );
        }
        if let Some(keys) = keys::compile_keys(document, &place, problems) {
            compiled.push(Issuer {
                name: document.name.clone(),
                issuer: document.issuer.clone(),
                audience: document.audience.clone(),
                client_ids: document.client_id.clone(),
                keys,
                token_type: document.token_type.clone(),
                required: document.required.clone(),
                leeway_seconds: document.leeway_seconds,
                max_lifetime_seconds: document.max_lifetime_seconds,
                accepts_bound_tokens: document.accept_bound_tokens,
                revoked: revocations
                    .iter()
                    .filter(|(issuer, _)| *issuer == document.name)
                    .map(|(_, revocation)| revocation.clone())
                    .collect(),
            });
        }
    }
    compiled
}

/// Something must say that a token is for this service, and not for another one of the same issuer.
fn check_binding(document: &IssuerDocument, place: &Place, problems: &mut Problems) {
    if let Some(claim) = &document.bound_by {
        let place = || place.then("bound_by");
        if OTHER_CLAIMS.contains(&claim_name::root(claim).as_ref()) {
            problems.add(
                place(),
                format!("`{claim}` does not say for which application a token is"),
                "name the claim that does, such as `azp`; `aud` has the field `audience`, and `client_id` its own",
            );
        } else if !is_bound_by(document, claim) {
            problems.add(
                place(),
                format!("`required` has no value of `{}` that binds a token", claim.escape_debug()),
                "add the value that the tokens for this application have, a text or a number, to `required`",
            );
        }
        return;
    }
    let is_bound = !document.audience.is_empty()
        || !document.client_id.is_empty()
        || APPLICATION_CLAIMS.iter().any(|claim| is_bound_by(document, claim));
    if !is_bound {
        problems.add(
            place.clone(),
            format!("issuer `{}` has no audience, so it accepts tokens for other services", document.name),
            "add `audience = [\"...\"]` with the `aud` of its tokens, or `client_id` where they have no `aud`; \
             where they have neither, add the value of `azp`, `cid` or `appid` to `required`, or the value of \
             another claim, and name that claim in `bound_by`",
        );
    }
}

/// Whether only tokens with one value of the claim verify. A truth value has too few values for this.
fn is_bound_by(document: &IssuerDocument, claim: &str) -> bool {
    match document.required.get(claim) {
        Some(Scalar::String(value)) => !value.is_empty(),
        Some(Scalar::Integer(_)) => true,
        Some(Scalar::Boolean(_)) | None => false,
    }
}

/// A required value of a claim that cannot have it: no token would verify.
fn check_required(document: &IssuerDocument, place: &Place, problems: &mut Problems) {
    for (claim, value) in &document.required {
        problems.check_claim(|| place.then("required").then(claim), claim);
        let is_text = TEXT_CLAIMS.contains(&claim.as_str()) || SCOPE_CLAIMS.contains(&claim.as_str());
        if is_text && !matches!(value, Scalar::String(_)) {
            problems.add(
                place.then("required").then(claim),
                format!("`{claim}` is never {value} in a token"),
                format!("write a text, such as `\"{value}\"`"),
            );
        }
    }
}

/// The deny list, each entry with the name of its issuer.
fn compile_revocations<'p>(
    policy: &'p PolicyDocument,
    problems: &mut Problems,
) -> Vec<(&'p str, Revocation)> {
    let mut revocations = Vec::with_capacity(policy.revoked.len());
    for (index, document) in policy.revoked.iter().enumerate() {
        let place = Place::member("revoked").at(index);
        if !policy.issuers.iter().any(|issuer| issuer.name == document.issuer) {
            problems.add(
                place.then("issuer"),
                format!("the policy does not have an issuer `{}`", document.issuer.escape_debug()),
                "use the `name` of an `[[issuers]]` block",
            );
        }
        let RevokedDocument { jti, sub, issued_before, .. } = document;
        if jti.is_none() && sub.is_none() && issued_before.is_none() {
            problems.add(
                place.clone(),
                "this refuses every token of the issuer",
                "add `jti`, `sub` or `issued_before`; to refuse all tokens, remove the issuer",
            );
        }
        for (name, value) in [("jti", jti), ("sub", sub)] {
            if value.as_deref() == Some("") {
                problems.add(place.then(name), "an empty string matches no token", "write the claim's value");
            }
        }
        let instant = issued_before.as_deref().map(UnixTime::parse_rfc3339);
        if instant == Some(None) {
            problems.add(
                place.then("issued_before"),
                "this is not a time in UTC",
                "write it as `\"2026-12-31T23:59:59Z\"`",
            );
        }
        let issued_before = instant.flatten();
        let revocation = Revocation { token_id: jti.clone(), subject: sub.clone(), issued_before };
        revocations.push((document.issuer.as_str(), revocation));
    }
    revocations
}
