//! `[[issuers]]`.

use std::collections::BTreeSet;

use super::Place;
use super::compile::Problems;
use super::document::IssuerDocument;
use crate::token::{Issuer, KeySet, MAX_LEEWAY_SECONDS};

pub(super) fn compile_issuers(documents: &[IssuerDocument], problems: &mut Problems) -> Vec<Issuer> {
    let mut names = BTreeSet::new();
    let mut issuers = BTreeSet::new();
    let mut compiled = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let place = Place::member("issuers").at(index);
        problems.check_name(place.then("name"), &document.name, &mut names);
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
        if document.audience.is_empty() && document.client_id.is_empty() {
            problems.add(
                place.clone(),
                format!("issuer `{}` has no audience, so a token for any other service would do here", document.name),
                "add `audience = [\"...\"]` with the `aud` of its tokens, or `client_id` where they have no `aud`",
            );
        }
        problems.check_strings(&place.then("audience"), &document.audience);
        problems.check_strings(&place.then("client_id"), &document.client_id);
        if document.algorithms.is_empty() {
            problems.add(
                place.then("algorithms"),
                "no algorithm is allowed, so no token can verify",
                "name those that it signs with, such as `[\"RS256\"]`",
            );
        }
        if document.token_type.as_deref() == Some("") {
            problems.add(
                place.then("token_type"),
                "the token type is empty",
                "write `at+jwt`, or leave it out",
            );
        }
        if document.leeway_seconds > MAX_LEEWAY_SECONDS {
            problems.add(
                place.then("leeway_seconds"),
                format!("a leeway of {} seconds is too long", document.leeway_seconds),
                format!("use at most {MAX_LEEWAY_SECONDS}"),
            );
        }
        if let Some(keys) = compile_keys(document, &place, problems) {
            compiled.push(Issuer {
                name: document.name.clone(),
                issuer: document.issuer.clone(),
                audience: document.audience.clone(),
                client_ids: document.client_id.clone(),
                algorithms: document.algorithms.clone(),
                keys,
                token_type: document.token_type.clone(),
                required: document.required.clone(),
                leeway_seconds: document.leeway_seconds,
            });
        }
    }
    compiled
}

fn compile_keys(document: &IssuerDocument, place: &Place, problems: &mut Problems) -> Option<KeySet> {
    let place = place.then("jwks");
    match (&document.jwks.file, &document.jwks.keys) {
        (None, Some(keys)) => match KeySet::from_jwks(keys, &document.algorithms) {
            Ok(keys) => return Some(keys),
            // With no algorithm there is no usable key either; the cause has been named.
            Err(_) if document.algorithms.is_empty() => {}
            Err(error) => problems.add(
                place,
                error.to_string(),
                "use the public keys that the issuer publishes at its `jwks_uri`, as they are",
            ),
        },
        (Some(_), None) => {
            problems.add(
                place,
                "the key file has not been read",
                "package the policy with `authorizer package`",
            );
        }
        (Some(_), Some(_)) | (None, None) => problems.add(
            place,
            "an issuer has exactly one source of keys",
            "write `jwks = { file = \"keys/NAME.jwks.json\" }`",
        ),
    }
    None
}
