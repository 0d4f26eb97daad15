//! The issuer, and whether it accepts the tokens of this sign-in.

use super::super::super::document::{CodeFlowDocument, IssuerDocument, PolicyDocument};
use super::super::super::problem::{Place, Problems};
use crate::scalar::Scalar;
use crate::sign_in::code_flow::SessionToken;

/// The issuer that people sign in at. Its ID tokens are verified with its published keys.
pub(super) fn find_issuer(
    document: &CodeFlowDocument,
    policy: &PolicyDocument,
    place: &Place,
    problems: &mut Problems,
) -> Option<usize> {
    let index = policy.issuers.iter().position(|issuer| issuer.name == document.issuer);
    let place = place.then("issuer");
    match index.and_then(|index| policy.issuers.get(index)) {
        None => problems.add(
            place,
            format!("the policy does not have an issuer `{}`", document.issuer.escape_debug()),
            "use the `name` of an `[[issuers]]` block",
        ),
        Some(issuer) if issuer.jwks.is_none() && issuer.secret.is_some() => problems.add(
            place,
            format!(
                "the tokens of `{}` are signed with a secret (HS256), and people sign in at an issuer with published keys",
                issuer.name.escape_debug()
            ),
            "name an issuer with `jwks`",
        ),
        Some(_) => {}
    }
    index
}

/// What the policy asks of a request's token, and the token of this client's sign-in never has: each session would be
/// refused.
pub(super) fn check_session_token(
    document: &CodeFlowDocument,
    issuer: &IssuerDocument,
    index: usize,
    place: &Place,
    problems: &mut Problems,
) {
    let client = &document.client_id;
    let of_issuer = Place::member("issuers").at(index);
    let required_use = match issuer.required.get("token_use") {
        Some(Scalar::String(word)) => Some(word.as_str()),
        Some(Scalar::Integer(_) | Scalar::Boolean(_)) | None => None,
    };
    match document.session_token {
        SessionToken::IdToken => {
            if !issuer.audience.contains(client) {
                problems.add(
                    place.then("session_token"),
                    format!(
                        "the `aud` of an ID token is the client id, and `audience` of `{}` does not have it: each \
                         session would be refused",
                        issuer.name.escape_debug()
                    ),
                    format!(
                        "add `\"{}\"` to `audience` of the issuer, or remove `session_token` if its access tokens are JWTs",
                        client.escape_debug()
                    ),
                );
            }
            if !issuer.client_id.is_empty() {
                problems.add(
                    of_issuer.then("client_id"),
                    "an ID token does not have the claim `client_id`, so each session would be refused",
                    "remove `client_id`, and write the client id in `audience`",
                );
            }
            if let Some(typ) = issuer.token_type.as_deref().filter(|typ| is_access_type(typ)) {
                problems.add(
                    of_issuer.then("token_type"),
                    format!(
                        "an ID token does not have the `typ` `{}`, so each session would be refused",
                        typ.escape_debug()
                    ),
                    "remove `token_type`, or remove `session_token` so that the session is the access token",
                );
            }
        }
        SessionToken::AccessToken => {
            if !issuer.client_id.is_empty() && !issuer.client_id.contains(client) {
                problems.add(
                    of_issuer.then("client_id"),
                    format!(
                        "`client_id` does not have `{}`, whose tokens the sign-in gets: each session would be refused",
                        client.escape_debug()
                    ),
                    "add it here, or sign in as one of these clients",
                );
            }
        }
    }
    let other = match document.session_token {
        SessionToken::IdToken => ("access", "the session is an ID token"),
        SessionToken::AccessToken => ("id", "the session is an access token"),
    };
    if required_use == Some(other.0) {
        problems.add(
            of_issuer.then("required").then("token_use"),
            format!("{}, so with this each session would be refused", other.1),
            "change it, or `session_token` of `[sign_in]`",
        );
    }
}

/// RFC 9068 section 2.1, with the prefix that RFC 7515 section 4.1.9 lets out.
fn is_access_type(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    matches!(typ.strip_prefix("application/").unwrap_or(&typ), "at+jwt")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{assert_problems, compile, document, key, problems};

    #[test]
    fn every_problem_of_the_issuer_is_found_at_its_place() {
        assert_problems(&[
            ("issuer", json!("nobody"), Some("sign_in.issuer")),
            ("session_token", json!("id_token"), Some("sign_in.session_token")),
        ]);
    }

    #[test]
    fn a_session_that_the_issuer_would_always_refuse_is_a_problem() {
        let id_token = ("/sign_in/session_token", json!("id_token"));
        let audience = ("/issuers/0/audience", json!(["files-api", "files-web"]));
        for (changes, places) in [
            (vec![id_token.clone(), audience.clone()], vec![]),
            (vec![id_token.clone()], vec!["sign_in.session_token"]),
            (
                vec![id_token.clone(), audience.clone(), ("/issuers/0/client_id", json!(["files-web"]))],
                vec!["issuers[0].client_id"],
            ),
            (
                vec![id_token.clone(), audience.clone(), ("/issuers/0/token_type", json!("AT+jwt"))],
                vec!["issuers[0].token_type"],
            ),
            (vec![id_token.clone(), audience.clone(), ("/issuers/0/token_type", json!("JWT"))], vec![]),
            (
                vec![id_token, audience, ("/issuers/0/required", json!({"token_use": "access"}))],
                vec!["issuers[0].required.token_use"],
            ),
            (vec![("/issuers/0/required", json!({"token_use": "access"}))], vec![]),
            (
                vec![("/issuers/0/required", json!({"token_use": "id"}))],
                vec!["issuers[0].required.token_use"],
            ),
            (vec![("/issuers/0/client_id", json!(["files-web"]))], vec![]),
            (vec![("/issuers/0/client_id", json!(["another"]))], vec!["issuers[0].client_id"]),
        ] {
            assert_eq!(problems(&changes), places, "{changes:?}");
        }
    }

    #[test]
    fn people_sign_in_at_an_issuer_with_published_keys() {
        let mut document = document();
        let issuer = document["issuers"][0].as_object_mut().unwrap();
        issuer.remove("jwks");
        issuer.insert("secret".to_owned(), key(1));
        issuer.insert("algorithms".to_owned(), json!(["HS256"]));
        assert_eq!(compile(&document).unwrap_err(), ["sign_in.issuer"]);
    }
}
