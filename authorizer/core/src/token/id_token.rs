//! ID tokens: signed by the same keys as the other tokens of an issuer, and meant for the client and not for this service
//! (OpenID Connect Core 1.0 sections 2 and 3.1.3.7).

use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::algorithm::{JwsAlgorithm, SignatureAlgorithm};
use super::error::TokenError;
use super::issuer::{Issuer, times_of_claims};
use super::judged::Judged;
use super::jws::Jws;
use super::media_type::same_media_type;
use super::trust::{Trust, VerifyError};
use crate::time::UnixTime;

/// The longest `sub`, in bytes (OpenID Connect Core 1.0 section 2).
const MAX_SUBJECT_BYTES: usize = 255;

/// What an ID token must contain beside what every token of its issuer must.
pub(crate) struct IdTokenChecks<'c> {
    /// Who it is for.
    pub(crate) client_id: &'c str,
    /// The `nonce` that it must have; `None` if it need not have one.
    pub(crate) nonce: Option<&'c str>,
    /// How long ago the person may have signed in at the provider, in seconds; `None` if that is not asked for.
    pub(crate) max_age: Option<u64>,
    /// The access token that came with it.
    pub(crate) access_token: &'c str,
}

/// Why an ID token is not accepted.
#[derive(Debug)]
pub(crate) enum IdTokenError {
    /// It does not verify.
    Verify(VerifyError),
    /// It is of another issuer of the policy.
    OtherIssuer,
}

impl<E: Into<VerifyError>> From<E> for IdTokenError {
    fn from(error: E) -> Self {
        Self::Verify(error.into())
    }
}

impl Trust {
    /// Verifies an ID token of the issuer with this index, and returns its subject. It does not get into the cache: it is
    /// not a token for this service.
    ///
    /// # Errors
    /// [`IdTokenError`].
    pub(crate) fn verify_id_token(
        &self,
        token: &str,
        place: usize,
        issuers: &[Issuer],
        checks: &IdTokenChecks<'_>,
        now: UnixTime,
    ) -> Result<String, IdTokenError> {
        let judge =
            |issuer: &Issuer, jws: &Jws<'_>, claims: &Map<String, Value>| checks.judge(issuer, jws, claims);
        let signed = self.verify_signature(token, issuers, now, &judge)?;
        if signed.issuer != place {
            return Err(IdTokenError::OtherIssuer);
        }
        signed.judged.at(now)?;
        let leeway = issuers.get(place).map(Issuer::leeway_seconds).unwrap_or_default();
        checks.check_age(signed.claims.claims(), leeway, now)?;
        let subject = signed.claims.claims().get("sub").and_then(Value::as_str);
        Ok(subject.ok_or(TokenError::Malformed)?.to_owned())
    }
}

impl IdTokenChecks<'_> {
    fn judge(&self, issuer: &Issuer, jws: &Jws<'_>, claims: &Map<String, Value>) -> Judged {
        // RFC 9068 section 2.1: an access token says that it is one, so that it is never taken for this.
        let takes_type =
            jws.token_type.as_deref().is_none_or(|token_type| same_media_type(token_type, "JWT"));
        let times = match takes_type {
            true => times_of_claims(claims),
            false => Err(TokenError::TypeMismatch),
        };
        Judged::new(times, issuer.leeway_seconds, self.after_times(issuer, jws, claims))
    }

    /// Section 3.1.3.7, points 12 and 13. The parameter goes through the browser, so that a person can leave it out.
    fn check_age(&self, claims: &Map<String, Value>, leeway: u32, now: UnixTime) -> Result<(), TokenError> {
        let Some(max_age) = self.max_age else { return Ok(()) };
        let signed_in_at =
            claims.get("auth_time").and_then(Value::as_f64).ok_or(TokenError::TimeMalformed)?;
        let oldest = now.as_seconds().saturating_sub(max_age.saturating_add(leeway.into()));
        match signed_in_at >= UnixTime::from_seconds(oldest).as_seconds_f64() {
            true => Ok(()),
            false => Err(TokenError::Expired),
        }
    }

    fn after_times(
        &self,
        issuer: &Issuer,
        jws: &Jws<'_>,
        claims: &Map<String, Value>,
    ) -> Result<(), TokenError> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if !text("sub").is_some_and(|subject| (1..=MAX_SUBJECT_BYTES).contains(&subject.len())) {
            return Err(TokenError::Malformed);
        }
        // Section 2: `iat` is required.
        if !claims.contains_key("iat") {
            return Err(TokenError::TimeMalformed);
        }
        let (is_for_client, is_for_others) = match claims.get("aud") {
            Some(Value::String(one)) => (one == self.client_id, false),
            Some(Value::Array(many)) => (
                many.iter().all(Value::is_string) && many.iter().any(|one| one == self.client_id),
                many.len() > 1,
            ),
            _ => (false, false),
        };
        if !is_for_client {
            return Err(TokenError::AudienceMismatch);
        }
        // Section 3.1.3.7, points 4 and 5.
        match claims.get("azp") {
            None if is_for_others => return Err(TokenError::ClientMismatch),
            Some(party) if party != self.client_id => return Err(TokenError::ClientMismatch),
            None | Some(_) => {}
        }
        if self.nonce.is_some_and(|nonce| text("nonce") != Some(nonce)) {
            return Err(TokenError::RequiredClaimMismatch);
        }
        if let Some(hash) = claims.get("at_hash")
            && Some(hash.as_str().unwrap_or_default())
                != access_token_hash(jws.algorithm, self.access_token).as_deref()
        {
            return Err(TokenError::RequiredClaimMismatch);
        }
        if issuer.revokes(claims) {
            return Err(TokenError::Revoked);
        }
        Ok(())
    }
}

/// `at_hash` (section 3.1.3.6): the left half of the hash that the signature is made with. That of Ed25519 is SHA-512.
fn access_token_hash(algorithm: Option<JwsAlgorithm>, access_token: &str) -> Option<String> {
    let hash = match algorithm? {
        JwsAlgorithm::Signature(algorithm) => match algorithm {
            SignatureAlgorithm::Rs256 | SignatureAlgorithm::Ps256 | SignatureAlgorithm::Es256 => &SHA256,
            SignatureAlgorithm::Rs384 | SignatureAlgorithm::Ps384 | SignatureAlgorithm::Es384 => &SHA384,
            SignatureAlgorithm::Rs512 | SignatureAlgorithm::Ps512 | SignatureAlgorithm::EdDsa => &SHA512,
        },
        JwsAlgorithm::Hs256 => &SHA256,
    };
    let sum = digest(hash, access_token.as_bytes());
    let (left, _) = sum.as_ref().split_at(sum.as_ref().len() / 2);
    Some(URL_SAFE_NO_PAD.encode(left))
}

/// The `nonce` of a token, which must be verified.
pub(crate) fn nonce_of(token: &str) -> Option<String> {
    let claims = Jws::parse(token).and_then(|jws| jws.claims()).ok()?;
    claims.get("nonce").map(|nonce| nonce.as_str().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_an_access_token_is_that_of_the_published_example() {
        // OpenID Connect Core 1.0 appendix A.3 and A.4.
        let algorithm = JwsAlgorithm::from_name("RS256");
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(access_token_hash(algorithm, token).as_deref(), Some("77QmUPtjPfzWtF2AnpK9RQ"));
    }
}
