//! A session: what a request has of it, and how it is kept.

use std::borrow::Cow;

use serde_json::Value;

use super::cookies;
use super::kept::Session;
use super::sealed::Kind;
use super::settings::SessionToken;
use super::step::Step;
use super::tokens::Tokens;
use crate::credential::value_in_pieces;
use crate::refusal::{Refusal, SignInError, TokenFault};
use crate::token::{IdTokenChecks, IdTokenError, KeysUnavailable, TokenError, VerifiedClaims, VerifyError};

/// The most bytes that the two cookies of a session have together. All headers of a request have at most 20,480.
const MAX_SESSION_BYTES: usize = 12_288;

/// A session with new tokens, and its cookies.
pub(super) struct NewSession<'p> {
    pub(super) lines: Vec<String>,
    pub(super) claims: VerifiedClaims<'p>,
    pub(super) session: Session,
}

/// Whose tokens are kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Whose {
    /// Of the person who signs in.
    New,
    /// Of the person who has the session: `sub` must be the same, or be missing as before.
    Same,
}

/// What ties an ID token to this browser.
#[derive(Clone, Copy)]
pub(super) enum Proof<'s> {
    /// It answers the authorization request with this `nonce`.
    Nonce(&'s str),
    /// It came with a renewal.
    Renewal,
}

impl<'p> Step<'_, 'p> {
    /// The session that the request has beside its token, if this function sealed it.
    pub(super) fn session(&self) -> Option<Session> {
        let name = cookies::sealed_name(&self.flow.cookie);
        let text = value_in_pieces(&self.request.headers, &name)?;
        self.sealer().open(Kind::Session, &text)
    }

    /// Whether a session has ended, or is revoked.
    pub(super) fn is_over(&self, session: &Session) -> bool {
        let issuer = self.issuers.get(self.flow.issuer);
        session.has_ended(self.flow.session_seconds(), self.now)
            || issuer.is_none_or(|issuer| session.is_revoked(issuer))
    }

    /// The token of the session, not verified. A token in `Authorization` is another one.
    pub(super) fn session_token(&self) -> Option<String> {
        value_in_pieces(&self.request.headers, &self.flow.cookie).map(Cow::into_owned)
    }

    /// The lines that clear both cookies of a session.
    pub(super) fn clear_session(&self) -> Vec<String> {
        let name = &self.flow.cookie;
        let mut lines = cookies::clear(name, &self.request.headers);
        lines.extend(cookies::clear(&cookies::sealed_name(name), &self.request.headers));
        lines
    }

    /// The subject of an ID token of the answer, verified (OpenID Connect Core 1.0 section 3.1.3.7).
    pub(super) fn identify(
        &self,
        id_token: &str,
        tokens: &Tokens,
        proof: Proof<'_>,
    ) -> Result<String, Refusal> {
        let (nonce, max_age) = match proof {
            Proof::Nonce(nonce) => (Some(nonce), self.flow.max_age()),
            // Section 12.2: `auth_time` stays that of the sign-in, and `session_seconds` limits a session.
            Proof::Renewal => (None, None),
        };
        let checks = IdTokenChecks {
            client_id: self.flow.client_id(),
            nonce,
            max_age,
            access_token: &tokens.access_token,
        };
        self.trust.verify_id_token(id_token, self.flow.issuer, self.issuers, &checks, self.now).map_err(
            |error| match error {
                IdTokenError::Verify(error) => refusal_of(error, SignInError::IdTokenRefused),
                IdTokenError::OtherIssuer => SignInError::IdTokenRefused(TokenFault::OtherIssuer).into(),
            },
        )
    }

    /// The cookies of a session with these tokens, of which the ID token is verified. The token that the rules read is
    /// verified as a request's is.
    pub(super) fn keep(
        &self,
        mut session: Session,
        tokens: Tokens,
        whose: Whose,
    ) -> Result<NewSession<'p>, Refusal> {
        let refused = |fault| Refusal::from(SignInError::TokenRefused(fault));
        let Tokens { access_token, id_token, refresh_token } = tokens;
        let (token, hint) = match self.flow.session_token() {
            SessionToken::AccessToken => (access_token, id_token),
            SessionToken::IdToken => (id_token.ok_or(SignInError::AnswerMalformed)?, None),
        };
        if !crate::credential::is_b64token(&token) {
            return Err(refused(TokenError::Malformed.into()));
        }
        let claims = self
            .trust
            .verify(&token, self.issuers, self.now)
            .map_err(|error| refusal_of(error, SignInError::TokenRefused))?;
        if claims.issuer().issuer() != self.issuer() {
            return Err(refused(TokenFault::OtherIssuer));
        }
        let is_same = match whose {
            Whose::New => true,
            Whose::Same => claims.subject() == session.token_subject.as_deref(),
        };
        if !is_same {
            return Err(refused(TokenFault::OtherSubject));
        }
        session.token_subject = claims.subject().map(str::to_owned);
        session.token_id = claims.claims().get("jti").and_then(Value::as_str).map(str::to_owned);
        if self.flow.refresh() {
            session.refresh_token = refresh_token.or(session.refresh_token);
        }
        if self.flow.id_token_hint() {
            session.id_token = hint.or(session.id_token);
        }
        let mut sealed = self.seal(&session)?;
        if is_too_long(&token, &sealed) && session.id_token.take().is_some() {
            sealed = self.seal(&session)?;
        }
        if is_too_long(&token, &sealed) {
            return Err(refused(TokenFault::TooLongForCookies));
        }
        let left = session.ends_at(self.flow.session_seconds()).saturating_sub(self.now.as_seconds());
        // A token that has expired would shut the person out of what is for everybody. The sealed cookie stays.
        let of_token = expires_at(&claims).saturating_sub(self.now.as_seconds()).min(left);
        let (name, headers) = (&self.flow.cookie, &self.request.headers);
        let mut lines = cookies::set(name, &token, of_token.max(1), headers);
        lines.extend(cookies::set(&cookies::sealed_name(name), &sealed, left.max(1), headers));
        Ok(NewSession { lines, claims, session })
    }

    fn seal(&self, session: &Session) -> Result<String, Refusal> {
        let sealed = self.sealer().seal(Kind::Session, session, &self.random);
        sealed.ok_or_else(|| SignInError::ProviderUnavailable.into())
    }
}

/// A refusal of a token of the token endpoint: `refused`, unless its keys are not there.
fn refusal_of(verify: VerifyError, refused: fn(TokenFault) -> SignInError) -> Refusal {
    match verify {
        VerifyError::Token(error) => refused(error.into()).into(),
        VerifyError::KeysUnavailable(why @ (KeysUnavailable::NotAsked(_) | KeysUnavailable::NoAnswer)) => {
            Refusal::KeysUnavailable(why)
        }
    }
}

fn is_too_long(token: &str, sealed: &str) -> bool {
    token.len().saturating_add(sealed.len()) > MAX_SESSION_BYTES
}

/// `exp`, in whole seconds.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a time outside of the range is its end"
)]
pub(super) fn expires_at(claims: &VerifiedClaims<'_>) -> u64 {
    claims.claims().get("exp").and_then(Value::as_f64).unwrap_or_default() as u64
}
