//! An issuer that the policy trusts, and what its tokens must hold.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::algorithm::SignatureAlgorithm;
use super::jwks::KeySet;
use super::jws::Jws;
use super::revocation::Revocation;
use crate::refusal::TokenError;
use crate::scalar::Scalar;
use crate::time::UnixTime;

/// The greatest clock difference that a policy can allow for, in seconds.
pub const MAX_LEEWAY_SECONDS: u32 = 300;

/// An issuer, ready to verify. Built when the policy is loaded.
#[derive(Clone, Debug)]
pub struct Issuer {
    pub(crate) name: String,
    pub(crate) issuer: String,
    pub(crate) audience: Vec<String>,
    pub(crate) client_ids: Vec<String>,
    pub(crate) algorithms: Vec<SignatureAlgorithm>,
    pub(crate) keys: KeySet,
    pub(crate) token_type: Option<String>,
    pub(crate) required: BTreeMap<String, Scalar>,
    pub(crate) leeway_seconds: u32,
    pub(crate) max_lifetime_seconds: Option<u32>,
    pub(crate) revoked: Vec<Revocation>,
}

impl Issuer {
    /// The name that the policy gives it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value of `iss`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The values of `aud` that are meant for this distribution.
    pub fn audience(&self) -> &[String] {
        &self.audience
    }

    /// The values of `client_id` that are let in; any, or none, when empty.
    pub fn client_ids(&self) -> &[String] {
        &self.client_ids
    }

    /// The algorithms that it signs with.
    pub fn algorithms(&self) -> &[SignatureAlgorithm] {
        &self.algorithms
    }

    /// The keys that it signs with.
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// The `typ` that its tokens must have.
    pub fn token_type(&self) -> Option<&str> {
        self.token_type.as_deref()
    }

    /// Claims that must have exactly these values.
    pub fn required(&self) -> &BTreeMap<String, Scalar> {
        &self.required
    }

    /// How far its clock may be off, in seconds.
    pub fn leeway_seconds(&self) -> u32 {
        self.leeway_seconds
    }

    /// How long its tokens may live, in seconds.
    pub fn max_lifetime_seconds(&self) -> Option<u32> {
        self.max_lifetime_seconds
    }

    /// Its tokens that are refused before they expire.
    pub fn revoked(&self) -> &[Revocation] {
        &self.revoked
    }

    /// Holds the type and the claims of a token, whose signature is this issuer's, against the policy and the
    /// clock.
    pub(super) fn verify_claims(
        &self,
        token_type: Option<&str>,
        claims: &Map<String, Value>,
        now: UnixTime,
    ) -> Result<(), TokenError> {
        if !self.takes_type(token_type) {
            return Err(TokenError::TypeMismatch);
        }
        // RFC 7519 section 4.1.2: a string. A list would be several subjects at once, to `{sub}` and the log.
        if claims.get("sub").is_some_and(|subject| !subject.is_string()) {
            return Err(TokenError::Malformed);
        }
        self.verify_times(claims, now)?;
        // RFC 7519 section 4.1.3: a token that names audiences is for them alone. So one that names any is
        // refused, too, where the policy has none to find in it.
        if (!self.audience.is_empty() || claims.contains_key("aud"))
            && !holds_any(claims.get("aud"), &self.audience)
        {
            return Err(TokenError::AudienceMismatch);
        }
        if !self.client_ids.is_empty()
            && !matches!(claims.get("client_id"), Some(Value::String(id)) if self.client_ids.contains(id))
        {
            return Err(TokenError::ClientMismatch);
        }
        if self.required.iter().any(|(name, value)| claims.get(name).is_none_or(|claim| value != claim)) {
            return Err(TokenError::RequiredClaimMismatch);
        }
        if self.revoked.iter().any(|revocation| revocation.is_of(claims)) {
            return Err(TokenError::Revoked);
        }
        Ok(())
    }

    /// Whether a token of this `typ` will do. Without a type in the policy it is the type of an access token
    /// or of no kind in particular: never that of a logout or event token (RFC 8725 section 3.11).
    pub fn takes_type(&self, token_type: Option<&str>) -> bool {
        match (&self.token_type, token_type) {
            (Some(expected), Some(actual)) => same_media_type(actual, expected),
            (Some(_), None) => false,
            (None, Some(actual)) => same_media_type(actual, "JWT") || same_media_type(actual, "at+jwt"),
            (None, None) => true,
        }
    }

    /// Whether this issuer signed what the JWS carries, whatever that is: with an algorithm that it signs with,
    /// and a key of its own that fits.
    ///
    /// # Errors
    /// [`TokenError::AlgorithmNotAllowed`], [`TokenError::SigningKeyUnknown`] or
    /// [`TokenError::SignatureInvalid`].
    pub fn verify_signature(&self, jws: &Jws<'_>) -> Result<(), TokenError> {
        let algorithm = jws
            .algorithm
            .filter(|algorithm| self.algorithms.contains(algorithm))
            .ok_or(TokenError::AlgorithmNotAllowed)?;
        let candidates = self.keys.candidates(jws.key_id.as_deref(), algorithm);
        if candidates.is_empty() {
            return Err(TokenError::SigningKeyUnknown);
        }
        let verified = candidates.into_iter().any(|key| {
            // An error here is a signature of the wrong form or length: no signature of this key's.
            jsonwebtoken::crypto::verify(
                jws.signature,
                jws.signing_input.as_bytes(),
                key,
                algorithm.jsonwebtoken(),
            )
            .unwrap_or(false)
        });
        if verified { Ok(()) } else { Err(TokenError::SignatureInvalid) }
    }

    /// RFC 7519 sections 4.1.4 to 4.1.6. `exp` is required: a token that never ends cannot be withdrawn.
    fn verify_times(&self, claims: &Map<String, Value>, now: UnixTime) -> Result<(), TokenError> {
        let now = now.as_seconds_f64();
        let leeway = f64::from(self.leeway_seconds);
        let expires = numeric_date(claims.get("exp"))?.ok_or(TokenError::TimeMalformed)?;
        let not_before = numeric_date(claims.get("nbf"))?;
        let issued_at = numeric_date(claims.get("iat"))?;
        if now - leeway >= expires {
            return Err(TokenError::Expired);
        }
        if not_before.is_some_and(|not_before| now + leeway < not_before) {
            return Err(TokenError::NotYetValid);
        }
        if issued_at.is_some_and(|issued_at| now + leeway < issued_at) {
            return Err(TokenError::IssuedInFuture);
        }
        if let Some(most) = self.max_lifetime_seconds {
            let issued_at = issued_at.ok_or(TokenError::TimeMalformed)?;
            if expires - issued_at > f64::from(most) {
                return Err(TokenError::LifetimeTooLong);
            }
        }
        Ok(())
    }
}

/// RFC 7519 section 2: a NumericDate is a JSON number of seconds, whole or not.
fn numeric_date(claim: Option<&Value>) -> Result<Option<f64>, TokenError> {
    match claim {
        None => Ok(None),
        Some(value) => {
            value.as_f64().filter(|date| date.is_finite()).map(Some).ok_or(TokenError::TimeMalformed)
        }
    }
}

/// RFC 7519 section 4.1.3: `aud` is a string or an array of strings. An array that holds anything else is
/// no audience.
fn holds_any(audience: Option<&Value>, expected: &[String]) -> bool {
    match audience {
        Some(Value::String(one)) => expected.contains(one),
        Some(Value::Array(many)) => {
            many.iter().all(Value::is_string)
                && many.iter().filter_map(Value::as_str).any(|one| expected.iter().any(|e| e == one))
        }
        _ => false,
    }
}

/// RFC 7515 section 4.1.9: `typ` is a media type whose `application/` may be left out; media types are
/// compared without regard to case.
fn same_media_type(a: &str, b: &str) -> bool {
    fn short(media_type: &str) -> &str {
        match media_type.split_once('/') {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application") && !rest.contains('/') => rest,
            _ => media_type,
        }
    }
    short(a).eq_ignore_ascii_case(short(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_short_and_the_long_form_of_a_type_are_the_same() {
        assert!(same_media_type("at+jwt", "at+jwt"));
        assert!(same_media_type("AT+JWT", "application/at+jwt"));
        assert!(!same_media_type("jwt", "at+jwt"));
        assert!(!same_media_type("text/at+jwt", "at+jwt"));
    }

    #[test]
    fn an_audience_is_a_string_or_an_array_of_strings() {
        let expected = ["a".to_owned(), "b".to_owned()];
        for (audience, holds) in [
            (json!("a"), true),
            (json!("A"), false),
            (json!("a b"), false),
            (json!(["x", "b"]), true),
            (json!([]), false),
            (json!([["a"]]), false),
            (json!(["a", 1]), false),
            (json!({"a": 1}), false),
            (json!(null), false),
        ] {
            assert_eq!(holds_any(Some(&audience), &expected), holds, "{audience}");
        }
        assert!(!holds_any(None, &expected));
    }
}
