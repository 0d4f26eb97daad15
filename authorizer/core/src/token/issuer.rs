//! An issuer that the policy trusts, and what its tokens must contain.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::algorithm::{JwsAlgorithm, SignatureAlgorithm};
use super::claims::{SCOPE_CLAIMS, TEXT_CLAIMS, is_scope};
use super::error::TokenError;
use super::judged::{Judged, Times};
use super::jwks::KeySet;
use super::jws::Jws;
use super::media_type::same_media_type;
use super::remote_keys::RemoteKeys;
use super::revocation::Revocation;
use super::secret::SharedSecret;
use crate::claim_name;
use crate::scalar::Scalar;
use crate::time::UnixTime;

/// The largest clock difference that a policy can allow, in seconds.
pub const MAX_LEEWAY_SECONDS: u32 = 300;

/// An issuer, ready to verify tokens. It is built when the policy is loaded.
#[derive(Clone, Debug)]
pub struct Issuer {
    pub(crate) name: String,
    pub(crate) issuer: String,
    pub(crate) audience: Vec<String>,
    pub(crate) client_ids: Vec<String>,
    pub(crate) keys: KeySource,
    pub(crate) token_type: Option<String>,
    pub(crate) required: BTreeMap<String, Scalar>,
    pub(crate) leeway_seconds: u32,
    pub(crate) max_lifetime_seconds: Option<u32>,
    pub(crate) accepts_bound_tokens: bool,
    pub(crate) revoked: Vec<Revocation>,
}

/// What verifies the tokens of an issuer. Published keys and a shared secret are never mixed.
#[derive(Clone, Debug)]
pub(crate) enum KeySource {
    /// A JWK set, from the bundle, from a URL, or from both.
    Published {
        /// The algorithms that it signs with.
        algorithms: Vec<SignatureAlgorithm>,
        /// The keys in the bundle.
        bundled: Option<Arc<KeySet>>,
        /// Where to fetch keys.
        remote: Option<RemoteKeys>,
    },
    /// For HS256.
    Secret(SharedSecret),
}

impl Issuer {
    /// Its name in the policy.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value of `iss`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The values of `aud` for this service.
    pub fn audience(&self) -> &[String] {
        &self.audience
    }

    /// The values of `client_id` that are allowed; when empty, every value is allowed, and it may be absent.
    pub fn client_ids(&self) -> &[String] {
        &self.client_ids
    }

    /// The algorithms that its tokens may have.
    pub fn algorithms(&self) -> Vec<JwsAlgorithm> {
        match &self.keys {
            KeySource::Published { algorithms, .. } => {
                algorithms.iter().copied().map(JwsAlgorithm::Signature).collect()
            }
            KeySource::Secret(_) => vec![JwsAlgorithm::Hs256],
        }
    }

    /// The keys in the bundle.
    pub fn bundled_keys(&self) -> Option<&KeySet> {
        match &self.keys {
            KeySource::Published { bundled, .. } => bundled.as_deref(),
            KeySource::Secret(_) => None,
        }
    }

    /// The `typ` that its tokens must have.
    pub fn token_type(&self) -> Option<&str> {
        self.token_type.as_deref()
    }

    /// The claims that must have exactly these values.
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

    /// Whether a token that is bound to a key (`cnf`) is accepted from whoever bears it.
    pub fn accepts_bound_tokens(&self) -> bool {
        self.accepts_bound_tokens
    }

    /// Its tokens that are refused before they expire.
    pub fn revoked(&self) -> &[Revocation] {
        &self.revoked
    }

    /// Whether the policy revokes the token with these claims, whose times are well-formed.
    pub(crate) fn revokes(&self, claims: &Map<String, Value>) -> bool {
        self.revoked.iter().any(|revocation| revocation.is_of(claims))
    }

    /// Checks the type and the claims of a token against the policy and the clock.
    pub(super) fn verify_claims(
        &self,
        token_type: Option<&str>,
        claims: &Map<String, Value>,
        now: UnixTime,
    ) -> Result<(), TokenError> {
        self.judge(token_type, claims).at(now)
    }

    /// Checks the type and the claims of a token against the policy.
    pub(super) fn judge(&self, token_type: Option<&str>, claims: &Map<String, Value>) -> Judged {
        let times = self.times(token_type, claims);
        let after = match &times {
            Ok(times) => self.verify_after_times(claims, times),
            Err(_) => Ok(()),
        };
        Judged::new(times, self.leeway_seconds, after)
    }

    /// The checks before the times, and the times. `exp` is required: a token that never expires cannot be withdrawn.
    fn times(&self, token_type: Option<&str>, claims: &Map<String, Value>) -> Result<Times, TokenError> {
        if !self.takes_type(token_type) {
            return Err(TokenError::TypeMismatch);
        }
        times_of_claims(claims)
    }

    /// The checks after those of the clock.
    fn verify_after_times(&self, claims: &Map<String, Value>, times: &Times) -> Result<(), TokenError> {
        if let Some(most) = self.max_lifetime_seconds {
            let issued_at = times.issued_at.ok_or(TokenError::TimeMalformed)?;
            if times.expires - issued_at > f64::from(most) {
                return Err(TokenError::LifetimeTooLong);
            }
        }
        // RFC 7519 section 4.1.3: a token that names audiences is only for them. So a token that names any is also
        // refused if the policy does not have an audience to compare.
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
        let is_other = |(name, value): (&String, &Scalar)| {
            claim_name::find(claims, name).is_none_or(|claim| value != claim)
        };
        if self.required.iter().any(is_other) {
            return Err(TokenError::RequiredClaimMismatch);
        }
        // RFC 7800 section 3.1: it is bound to a key. That who sends it has the key is shown by a proof (RFC 9449) or by
        // the connection (RFC 8705), and neither is looked at here.
        if claims.contains_key("cnf") && !self.accepts_bound_tokens {
            return Err(TokenError::Bound);
        }
        if self.revokes(claims) {
            return Err(TokenError::Revoked);
        }
        Ok(())
    }

    /// Whether a token may have this `typ`. If the policy does not set a type, `typ` must be the type of an access
    /// token or of no special kind: never of a logout or event token (RFC 8725 section 3.11).
    pub fn takes_type(&self, token_type: Option<&str>) -> bool {
        match (&self.token_type, token_type) {
            (Some(expected), Some(actual)) => same_media_type(actual, expected),
            (Some(_), None) => false,
            (None, Some(actual)) => same_media_type(actual, "JWT") || same_media_type(actual, "at+jwt"),
            (None, None) => true,
        }
    }

    /// The algorithms that it signs with, if it signs.
    pub(super) fn signature_algorithms(&self) -> &[SignatureAlgorithm] {
        match &self.keys {
            KeySource::Published { algorithms, .. } => algorithms,
            KeySource::Secret(_) => &[],
        }
    }

    /// Where its keys are published, if they must be fetched.
    pub fn remote_keys(&self) -> Option<&RemoteKeys> {
        match &self.keys {
            KeySource::Published { remote, .. } => remote.as_ref(),
            KeySource::Secret(_) => None,
        }
    }

    /// Whether it shares a secret with this service.
    pub fn has_secret(&self) -> bool {
        matches!(self.keys, KeySource::Secret(_))
    }

    /// Whether both issuers share the same secret.
    pub fn has_secret_of(&self, other: &Self) -> bool {
        matches!((&self.keys, &other.keys), (KeySource::Secret(one), KeySource::Secret(two)) if one.is(two))
    }

    /// Whether this is a review, and the file of its secret is not there.
    #[cfg(feature = "code-flow")]
    pub fn has_stand_in_secret(&self) -> bool {
        let stand_in = SharedSecret::new(&crate::policy::stand_in::secret_of(&self.issuer));
        matches!((&self.keys, stand_in), (KeySource::Secret(one), Ok(two)) if one.is(&two))
    }

    /// What could verify the JWS: a key for an algorithm of this issuer, or its secret.
    pub(super) fn verifier(&self, jws: &Jws<'_>) -> Result<Verifier<'_>, TokenError> {
        match (&self.keys, jws.algorithm) {
            (KeySource::Published { algorithms, remote, .. }, Some(JwsAlgorithm::Signature(algorithm)))
                if algorithms.contains(&algorithm) =>
            {
                Ok(Verifier::Keys { algorithm, remote: remote.as_ref() })
            }
            (KeySource::Secret(secret), Some(JwsAlgorithm::Hs256)) => Ok(Verifier::Secret(secret)),
            (KeySource::Published { .. } | KeySource::Secret(_), _) => Err(TokenError::AlgorithmNotAllowed),
        }
    }

    /// Whether this issuer signed the payload of the JWS, which may be anything. The algorithm must be one of the
    /// issuer's. The key must be in the bundle and fit, or the issuer's secret is used.
    ///
    /// # Errors
    /// [`TokenError::AlgorithmNotAllowed`], [`TokenError::SigningKeyUnknown`] or
    /// [`TokenError::SignatureInvalid`].
    pub fn verify_signature(&self, jws: &Jws<'_>) -> Result<(), TokenError> {
        match (self.verifier(jws)?, &self.keys) {
            (Verifier::Secret(secret), _) => jws.verify_by_secret(secret),
            (Verifier::Keys { algorithm, .. }, KeySource::Published { bundled: Some(keys), .. }) => {
                jws.verify_by_keys(algorithm, keys)
            }
            (Verifier::Keys { .. }, _) => Err(TokenError::SigningKeyUnknown),
        }
    }
}

/// The times, if the claims have the right types.
pub(super) fn times_of_claims(claims: &Map<String, Value>) -> Result<Times, TokenError> {
    if !has_types_of_claims(claims) {
        return Err(TokenError::Malformed);
    }
    let expires = numeric_date(claims.get("exp"))?.ok_or(TokenError::TimeMalformed)?;
    let not_before = numeric_date(claims.get("nbf"))?;
    let issued_at = numeric_date(claims.get("iat"))?;
    Ok(Times { expires, not_before, issued_at })
}

/// Whether the claims that are compared with strings are strings, and scopes are scopes. A list in the place of `sub`
/// would mean several subjects at once, for `{sub}` and the log.
fn has_types_of_claims(claims: &Map<String, Value>) -> bool {
    // Each claim is looked at once, instead of once per name.
    claims.iter().all(|(name, value)| {
        (value.is_string() || !TEXT_CLAIMS.contains(&name.as_str()))
            && (is_scope(value) || !SCOPE_CLAIMS.contains(&name.as_str()))
    })
}

/// The issuer that the claims name, and its index in the policy.
pub(super) fn issuer_of<'p>(
    claims: &Map<String, Value>,
    issuers: &'p [Issuer],
) -> Result<(usize, &'p Issuer), TokenError> {
    let named = claims.get("iss").and_then(Value::as_str);
    issuers
        .iter()
        .enumerate()
        .find(|(_, issuer)| named == Some(issuer.issuer()))
        .ok_or(TokenError::IssuerUnknown)
}

/// What could verify a JWS.
#[derive(Clone, Copy, Debug)]
pub(super) enum Verifier<'p> {
    /// A key of the issuer's, for this algorithm.
    Keys { algorithm: SignatureAlgorithm, remote: Option<&'p RemoteKeys> },
    /// Its secret.
    Secret(&'p SharedSecret),
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

/// RFC 7519 section 4.1.3: `aud` is a string or an array of strings. An array that contains anything else is not
/// an audience.
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn claims_that_are_compared_with_strings_are_strings() {
        let of = |name: &str, value: Value| has_types_of_claims(&Map::from_iter([(name.to_owned(), value)]));
        let others =
            [json!(5), json!(5.5), json!(true), json!(["a"]), json!([]), json!({"a": "a"}), json!(null)];
        for name in TEXT_CLAIMS {
            assert!(of(name, json!("a")) && of(name, json!("")));
            for other in &others {
                assert!(!of(name, other.clone()), "{name} {other}");
            }
        }
        for name in SCOPE_CLAIMS {
            for scope in [json!("a b"), json!(""), json!([]), json!(["a", "b c"])] {
                assert!(of(name, scope.clone()), "{name} {scope}");
            }
            for other in [
                json!(5),
                json!(true),
                json!({}),
                json!(null),
                json!(["a", 1]),
                json!([["a"]]),
                json!([null]),
            ] {
                assert!(!of(name, other.clone()), "{name} {other}");
            }
        }
        for other in others {
            assert!(of("groups", other.clone()) && of("cid", other), "other claims may be anything");
        }
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
