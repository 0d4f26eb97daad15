//! The client: its id, and how it authenticates.

use std::sync::Arc;

use super::super::super::document::{ClientSecretMethod, CodeFlowDocument};
use super::super::super::problem::{Place, Problems};
use super::secret::read_secret;
use crate::sign_in::code_flow::{ClientAuthentication, ClientKey, is_client_id};

pub(super) fn check_client_id(document: &CodeFlowDocument, place: &Place, problems: &mut Problems) {
    let id = &document.client_id;
    if !is_client_id(id) {
        problems.add(
            place.then("client_id"),
            format!("`{}` is not the id of a client", id.escape_debug()),
            "write the client id that the provider shows for this application, without spaces",
        );
    }
}

/// How the function proves that it is the client. A public client has PKCE alone.
pub(super) fn compile_client(
    document: &CodeFlowDocument,
    place: &Place,
    problems: &mut Problems,
) -> Option<ClientAuthentication> {
    if document.client_secret.is_none() && document.client_authentication.is_some() {
        problems.add(
            place.then("client_authentication"),
            "`client_authentication` says how a `client_secret` is sent, and there is none",
            "add `client_secret = { file = \"client.secret\" }`, or remove this",
        );
    }
    match (&document.client_secret, &document.client_key) {
        (None, None) => Some(ClientAuthentication::None),
        (Some(_), Some(_)) => {
            problems.add(
                place.then("client_key"),
                "a client has either a secret or a key",
                "remove `client_secret` or `client_key`, as the provider knows the client",
            );
            None
        }
        (Some(secret), None) => {
            let place = place.then("client_secret");
            let bytes = read_secret(secret, &place, problems)?;
            // RFC 6749 appendix A.2.
            let is_plain =
                |bytes: &[u8]| !bytes.is_empty() && bytes.iter().all(|byte| matches!(byte, 0x20..=0x7e));
            let Some(text) = String::from_utf8(bytes).ok().filter(|text| is_plain(text.as_bytes())) else {
                problems.add(
                    place,
                    "the client secret is empty, or has characters that no client secret has",
                    "put the secret that the provider shows into the file, on one line",
                );
                return None;
            };
            Some(match document.client_authentication {
                None | Some(ClientSecretMethod::ClientSecretBasic) => ClientAuthentication::SecretBasic(text),
                Some(ClientSecretMethod::ClientSecretPost) => ClientAuthentication::SecretPost(text),
            })
        }
        (None, Some(key)) => {
            let place = place.then("client_key");
            let bytes = read_secret(key, &place, problems)?;
            let text = String::from_utf8(bytes).unwrap_or_default();
            match ClientKey::parse(&text) {
                Ok(key) => Some(ClientAuthentication::PrivateKeyJwt(Arc::new(key))),
                Err(error) => {
                    problems.add(
                        place,
                        format!("the client's key cannot be used: {error}"),
                        "put one private key into the file, as a JWK in JSON: EC on P-256 (ES256), or RSA (RS256)",
                    );
                    None
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{assert_problems, compile, document, text};

    #[test]
    fn every_problem_of_a_client_is_found_at_its_place() {
        assert_problems(&[
            ("client_id", json!(""), Some("sign_in.client_id")),
            ("client_id", json!("files web"), Some("sign_in.client_id")),
            ("client_id", json!("1234-a.apps.googleusercontent.com"), None),
            ("client_authentication", json!("client_secret_post"), Some("sign_in.client_authentication")),
            ("client_secret", text("a secret"), None),
            ("client_secret", text(""), Some("sign_in.client_secret")),
            ("client_secret", text("two\nlines"), Some("sign_in.client_secret")),
            ("client_key", text("{}"), Some("sign_in.client_key")),
        ]);
    }

    #[test]
    fn a_client_has_one_way_to_prove_itself() {
        // RFC 7517 appendix A.2.
        let jwk = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}"#;
        let secret = ("/sign_in/client_secret", text("a secret"));
        let method = |word: &str| ("/sign_in/client_authentication", json!(word));
        let by_key = ("/sign_in/client_key", text(jwk));
        for (changes, expected) in [
            (vec![secret.clone()], Ok("client_secret_basic")),
            (vec![secret.clone(), method("client_secret_basic")], Ok("client_secret_basic")),
            (vec![secret.clone(), method("client_secret_post")], Ok("client_secret_post")),
            (vec![by_key.clone()], Ok("private_key_jwt")),
            (vec![by_key.clone(), method("client_secret_post")], Err("sign_in.client_authentication")),
            (vec![by_key, secret], Err("sign_in.client_key")),
        ] {
            let mut document = document();
            for (pointer, value) in &changes {
                let (parent, name) = pointer.rsplit_once('/').unwrap();
                document.pointer_mut(parent).unwrap()[name] = value.clone();
            }
            let compiled = compile(&document);
            let name = compiled
                .as_ref()
                .map(|policy| policy.sign_in().unwrap().code_flow().unwrap().client_authentication().name());
            let places = name.map_err(|places| places.join(" "));
            assert_eq!(places, expected.map_err(str::to_owned), "{changes:?}");
        }
    }
}
