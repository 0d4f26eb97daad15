//! A token that a caller describes, completed with what every token of its issuer contains.

use authorizer_core::claim_name;
use authorizer_core::token::Issuer;
use authorizer_core::{Scalar, Supposed, UnixTime};
use serde_json::{Map, Value};
use thiserror::Error;

/// The lifetime of a token without an `exp`, in seconds.
const LIFETIME: u64 = 3600;

/// A token, and its parts that the caller did not give.
#[derive(Clone, Debug, PartialEq)]
pub struct FilledToken {
    /// The token.
    pub supposed: Supposed,
    /// The names of the claims that were added, and `typ`.
    pub filled: Vec<String>,
}

/// The claims name another issuer than the caller.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("the claim `iss` must be `{issuer}`, the address of issuer `{name}`")]
pub struct OtherIssuerError {
    name: String,
    issuer: String,
}

/// A token of an issuer with these claims, and with what a token of that issuer must have beside them: `iss`, an
/// `exp` within the hour, the first `aud` and `client_id` of the policy, the required claims, `typ`, and `iat` where
/// the policy limits lifetimes. What is stated stays, whether or not it will do.
///
/// # Errors
/// [`OtherIssuerError`] if `iss` is given and names another issuer.
pub fn fill_in(
    issuer: &Issuer,
    token_type: Option<String>,
    claims: Map<String, Value>,
    now: UnixTime,
) -> Result<FilledToken, OtherIssuerError> {
    if claims.get("iss").is_some_and(|stated| stated.as_str() != Some(issuer.issuer())) {
        return Err(OtherIssuerError { name: issuer.name().into(), issuer: issuer.issuer().into() });
    }
    let mut supposed = Supposed { token_type, claims };
    let issued = supposed.claims.get("iat").and_then(Value::as_u64).unwrap_or(now.as_seconds());
    let mut filled = Vec::new();
    let mut fill = |name: &str, value: Value| {
        if claim_name::is_free(&supposed.claims, name) {
            claim_name::put(&mut supposed.claims, name, value);
            filled.push(name.to_owned());
        }
    };
    fill("iss", issuer.issuer().into());
    let in_an_hour = now.as_seconds().saturating_add(LIFETIME);
    if let Some(most) = issuer.max_lifetime_seconds() {
        fill("iat", now.as_seconds().into());
        fill("exp", in_an_hour.min(issued.saturating_add(most.into())).into());
    }
    fill("exp", in_an_hour.into());
    for (name, values) in [("aud", issuer.audience()), ("client_id", issuer.client_ids())] {
        if let Some(first) = values.first() {
            fill(name, first.as_str().into());
        }
    }
    for (name, value) in issuer.required() {
        fill(name, value_of(value));
    }
    if let (None, Some(token_type)) = (&supposed.token_type, issuer.token_type()) {
        supposed.token_type = Some(token_type.to_owned());
        filled.push("typ".to_owned());
    }
    Ok(FilledToken { supposed, filled })
}

/// A value of a policy as a claim has it.
pub fn value_of(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::String(text) => text.as_str().into(),
        Scalar::Integer(number) => (*number).into(),
        Scalar::Boolean(truth) => (*truth).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::authorizer_of;
    use authorizer_core::Authorizer;
    use serde_json::json;

    fn authorizer() -> Authorizer {
        authorizer_of(json!({
            "version": 1,
            "issuers": [{"name": "staff", "issuer": "i", "audience": ["a", "b"], "client_id": ["c"],
                "algorithms": ["EdDSA"], "token_type": "at+jwt", "required": {"token_use": "access", "n": 1, "/app/org": "o"},
                "max_lifetime_seconds": 60}],
            "rules": [{"id": "all", "effect": "allow", "methods": ["GET"], "keys": ["**"]}]
        }))
    }

    fn filled(token_type: Option<&str>, claims: Value) -> Result<FilledToken, OtherIssuerError> {
        let authorizer = authorizer();
        let issuer = &authorizer.bundle().policy().issuers()[0];
        let claims = claims.as_object().unwrap().clone();
        fill_in(issuer, token_type.map(str::to_owned), claims, UnixTime::from_seconds(1000))
    }

    #[test]
    fn a_token_that_is_filled_in_is_one_that_its_issuer_could_have_signed() {
        let token = filled(None, json!({"sub": "alice"})).unwrap();
        let expected = json!({"sub": "alice", "iss": "i", "iat": 1000, "exp": 1060, "aud": "a", "client_id": "c",
            "n": 1, "token_use": "access", "app": {"org": "o"}});
        assert_eq!(Value::from(token.supposed.claims.clone()), expected);
        assert_eq!(
            token.filled,
            ["iss", "iat", "exp", "aud", "client_id", "/app/org", "n", "token_use", "typ"]
        );
        let event = crate::posed::PosedRequest::new(
            &crate::posed::Deed::Method("GET".into()),
            &crate::posed::Aim::Key("k".into()),
            "",
        );
        let event = event.unwrap().event();
        let authorizer = authorizer();
        let decided = authorizer.authorize_supposing(&event, &token.supposed, UnixTime::from_seconds(1000));
        assert_eq!(decided.record.reason, "allowed_by_rule");
    }

    #[test]
    fn what_is_stated_stays_even_where_it_will_not_do() {
        let stated = json!({"iss": "i", "iat": 1, "exp": 2, "aud": null, "client_id": 7, "token_use": "id", "n": 2,
            "app": "no object"});
        let token = filled(Some("JWT"), stated.clone()).unwrap();
        assert_eq!((Value::from(token.supposed.claims), token.filled), (stated, vec![]));
        assert_eq!(token.supposed.token_type.as_deref(), Some("JWT"));
        assert!(filled(None, json!({"iss": "another"})).is_err());
        assert!(filled(None, json!({"iss": null})).is_err());
    }
}
