//! Tokens that are refused before they expire: the deny list of the policy.

use serde_json::{Map, Value};

use crate::time::UnixTime;

/// Tokens of one issuer that match all fields.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Revocation {
    /// The token with this `jti` (RFC 7519 section 4.1.7).
    pub token_id: Option<String>,
    /// The tokens with this `sub`.
    pub subject: Option<String>,
    /// Tokens whose `iat` is before this instant, and tokens without an `iat`.
    pub issued_before: Option<UnixTime>,
}

impl Revocation {
    /// Whether it covers the token with these claims, whose times are already checked to be well-formed.
    pub(super) fn is_of(&self, claims: &Map<String, Value>) -> bool {
        let is = |name: &str, expected: &Option<String>| {
            expected
                .as_ref()
                .is_none_or(|expected| claims.get(name).and_then(Value::as_str) == Some(expected))
        };
        let issued_at = claims.get("iat").and_then(Value::as_f64);
        let is_old = self
            .issued_before
            .is_none_or(|instant| issued_at.is_none_or(|issued_at| issued_at < instant.as_seconds_f64()));
        is("jti", &self.token_id) && is("sub", &self.subject) && is_old
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_revocation_is_of_the_tokens_that_hold_to_all_of_it() {
        let revocation = |id: Option<&str>, subject: Option<&str>, before: Option<u64>| Revocation {
            token_id: id.map(str::to_owned),
            subject: subject.map(str::to_owned),
            issued_before: before.map(UnixTime::from_seconds),
        };
        for (revocation, yes, no) in [
            (
                revocation(Some("t1"), None, None),
                vec![json!({"jti": "t1"})],
                vec![json!({"jti": "t2"}), json!({})],
            ),
            (
                revocation(None, Some("alice"), None),
                vec![json!({"sub": "alice"})],
                vec![json!({"sub": "bob"}), json!({})],
            ),
            (
                revocation(None, None, Some(100)),
                vec![json!({"iat": 99}), json!({"iat": 99.9}), json!({})],
                vec![json!({"iat": 100}), json!({"iat": 101})],
            ),
            (
                revocation(None, Some("alice"), Some(100)),
                vec![json!({"sub": "alice", "iat": 1})],
                vec![json!({"sub": "alice", "iat": 100}), json!({"sub": "bob", "iat": 1})],
            ),
        ] {
            for claims in yes {
                assert!(revocation.is_of(claims.as_object().unwrap()), "{revocation:?} {claims}");
            }
            for claims in no {
                assert!(!revocation.is_of(claims.as_object().unwrap()), "{revocation:?} {claims}");
            }
        }
    }
}
