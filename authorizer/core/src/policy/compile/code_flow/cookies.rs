//! The cookie of the session, and the keys that seal cookies.

use super::super::super::document::{CodeFlowDocument, PolicyDocument, SecretDocument};
use super::super::super::problem::{Place, Problems};
use super::secret::read_secret;

/// Cookies with this prefix come from this host alone, over TLS, for all its paths (RFC 6265bis section 4.1.3.2).
const HOST_PREFIX: &str = "__Host-";

/// The cookies that the function names itself.
const OWN_PREFIX: &str = "__Host-authorizer-";

/// The longest name of that cookie, in bytes. Each piece of a session has the name, and a browser counts it.
const MAX_COOKIE_NAME: usize = 128;

/// The cookie of the session. Its absence is a problem of `[sign_in]` as such.
pub(super) fn check_cookie(policy: &PolicyDocument, problems: &mut Problems) {
    let Some(name) = &policy.credentials.cookie else { return };
    let message = match name {
        name if !name.starts_with(HOST_PREFIX) || name == HOST_PREFIX => format!(
            "another host of the domain could set the cookie `{}`, and so sign people in as somebody else",
            name.escape_debug()
        ),
        name if name.contains('*') => {
            format!("`{}` is a pattern, and the sign-in sets one cookie", name.escape_debug())
        }
        name if name.starts_with(OWN_PREFIX) => {
            format!("the sign-in has cookies of its own that begin with `{OWN_PREFIX}`")
        }
        name if name.len() > MAX_COOKIE_NAME => {
            format!("the name of the cookie has {} characters, more than {MAX_COOKIE_NAME}", name.len())
        }
        _ => return,
    };
    problems.add(
        Place::member("credentials").then("cookie"),
        message,
        "write `cookie = \"__Host-session\"`: a name that begins with `__Host-`, without `*`",
    );
}

pub(super) fn compile_cookie_keys(
    document: &CodeFlowDocument,
    place: &Place,
    problems: &mut Problems,
) -> Option<Vec<[u8; 32]>> {
    let key = compile_cookie_key(&document.cookie_key, &place.then("cookie_key"), problems);
    let Some(previous) = &document.previous_cookie_key else { return Some(vec![key?]) };
    let place = place.then("previous_cookie_key");
    let previous = compile_cookie_key(previous, &place, problems);
    if key.is_some() && key == previous {
        problems.add(
            place,
            "`previous_cookie_key` is the same key as `cookie_key`",
            "make a new key with `authorizer keys cookie-key --out NAME.key`, or remove this",
        );
    }
    Some(vec![key?, previous?])
}

fn compile_cookie_key(secret: &SecretDocument, place: &Place, problems: &mut Problems) -> Option<[u8; 32]> {
    let bytes = read_secret(secret, place, problems)?;
    let found = bytes.len();
    let key = <[u8; 32]>::try_from(bytes).ok();
    if key.is_none() {
        problems.add(
            place.clone(),
            format!("a key for cookies is 32 bytes in base64url, and this is {found}"),
            "name the whole file that `authorizer keys cookie-key --out NAME.key` wrote: a new key ends everybody's session",
        );
    }
    key
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{assert_problems, key, problems, text};

    #[test]
    fn every_problem_of_a_key_is_found_at_its_place() {
        assert_problems(&[
            ("cookie_key", json!({"file": "a"}), Some("sign_in.cookie_key")),
            ("cookie_key", text("too short"), Some("sign_in.cookie_key")),
            ("cookie_key", json!({"value": "no base64url!"}), Some("sign_in.cookie_key")),
            ("previous_cookie_key", key(8), None),
            ("previous_cookie_key", key(7), Some("sign_in.previous_cookie_key")),
        ]);
    }

    #[test]
    fn every_problem_of_the_cookie_is_found_at_its_place() {
        for (cookie, place) in [
            (json!("session"), Some("credentials.cookie")),
            (json!("__Secure-session"), Some("credentials.cookie")),
            (json!("__host-session"), Some("credentials.cookie")),
            (json!("__Host-"), Some("credentials.cookie")),
            (json!("__Host-a.*.b"), Some("credentials.cookie")),
            (json!("__Host-authorizer-back"), Some("credentials.cookie")),
            (json!(format!("__Host-{}", "a".repeat(122))), Some("credentials.cookie")),
            (json!("__Host-a"), None),
            (Value::Null, Some("sign_in")),
        ] {
            let found = problems(&[("/credentials/cookie", cookie.clone())]);
            assert_eq!(found, place.into_iter().collect::<Vec<_>>(), "{cookie}");
        }
    }
}
