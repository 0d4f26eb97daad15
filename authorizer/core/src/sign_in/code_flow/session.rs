//! A session: how it is kept, renewed and told of.

use serde_json::{Value, json};

use super::cookies;
use super::kept::Session;
use super::reply::{Reply, Said};
use super::sealed::Kind;
use super::settings::SessionToken;
use super::start::Back;
use super::step::{Answered, Step};
use super::token_request::Grant;
use super::tokens::Tokens;
use super::word::SignInWord;
use crate::refusal::{Refusal, SignInError};
use crate::token::{IdTokenChecks, KeysUnavailable, VerifiedClaims, VerifyError};

/// The most bytes that the two cookies of a session have together. All headers of a request have at most 20,480.
const MAX_SESSION_BYTES: usize = 12_288;

/// The new cookies of a session.
pub(super) struct Renewal<'p> {
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
    /// It is of the sign-in with this `nonce`.
    Of(&'s str),
    /// It came with a renewal.
    Renewal,
}

/// Why a session is not renewed.
struct NotRenewed {
    refusal: Refusal,
    /// Whether it cannot be tried again.
    is_over: bool,
    /// What must be asked first.
    asked: Option<super::reply::AskedTokens>,
}

impl<'p> Step<'_, 'p> {
    /// The subject of an ID token of the answer, verified (OpenID Connect Core 1.0 section 3.1.3.7).
    pub(super) fn identify(
        &self,
        id_token: &str,
        tokens: &Tokens,
        proof: Proof<'_>,
    ) -> Result<String, Refusal> {
        let (nonce, max_age) = match proof {
            Proof::Of(nonce) => (Some(nonce), self.flow.max_age()),
            // Section 12.2: `auth_time` stays that of the sign-in, and `session_seconds` limits a session.
            Proof::Renewal => (None, None),
        };
        let checks = IdTokenChecks {
            client_id: self.flow.client_id(),
            nonce,
            max_age,
            access_token: &tokens.access_token,
        };
        self.trust
            .verify_id_token(id_token, self.flow.issuer, self.issuers, &checks, self.now)
            .map_err(|error| refusal_of(error, SignInError::IdTokenRefused))
    }

    /// The cookies of a session with these tokens, of which the ID token is verified. The token that the rules read is
    /// verified as a request's is.
    pub(super) fn keep(
        &self,
        mut session: Session,
        tokens: Tokens,
        whose: Whose,
    ) -> Result<Renewal<'p>, Refusal> {
        let Tokens { access_token, id_token, refresh_token } = tokens;
        let (token, hint) = match self.flow.session_token() {
            SessionToken::AccessToken => (access_token, id_token),
            SessionToken::IdToken => (id_token.ok_or(SignInError::AnswerMalformed)?, None),
        };
        if !crate::credential::is_b64token(&token) {
            return Err(SignInError::TokenRefused.into());
        }
        let claims = self
            .trust
            .verify(&token, self.issuers, self.now)
            .map_err(|error| refusal_of(error, SignInError::TokenRefused))?;
        let is_own = claims.issuer().issuer() == self.issuer();
        let is_same = match whose {
            Whose::New => true,
            Whose::Same => claims.subject() == session.token_subject.as_deref(),
        };
        if !is_own || !is_same {
            return Err(SignInError::TokenRefused.into());
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
            return Err(SignInError::TokenRefused.into());
        }
        let left = session.ends_at(self.flow.session_seconds()).saturating_sub(self.now.as_seconds());
        // A token that has expired would shut the person out of what is for everybody. The sealed cookie stays.
        let of_token = expires_at(&claims).saturating_sub(self.now.as_seconds()).min(left);
        let (name, headers) = (&self.flow.cookie, &self.request.headers);
        let mut lines = cookies::set(name, &token, of_token.max(1), headers);
        lines.extend(cookies::set(&cookies::sealed_name(name), &sealed, left.max(1), headers));
        Ok(Renewal { lines, claims, session })
    }

    fn seal(&self, session: &Session) -> Result<String, Refusal> {
        let sealed = self.sealer().seal(Kind::Session, session, &self.random);
        sealed.ok_or_else(|| SignInError::ProviderUnavailable.into())
    }

    /// A session that can be renewed.
    fn renewable(&self) -> Option<Session> {
        let is_usable = |session: &Session| {
            self.flow.refresh() && session.refresh_token.is_some() && !self.is_over(session)
        };
        self.session().filter(is_usable)
    }

    /// Renews a session with its refresh token (RFC 6749 section 6, OpenID Connect Core 1.0 section 12).
    fn renew(&self, session: Session) -> Result<Renewal<'p>, NotRenewed> {
        let refresh_token = session.refresh_token.clone().unwrap_or_default();
        let parameters = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str())];
        let tokens = self.exchange(Grant::RefreshToken, &parameters).map_err(|(missing, asked)| {
            NotRenewed { refusal: missing.error.into(), is_over: missing.is_used_up, asked }
        })?;
        let refused = |refusal: Refusal| {
            // With other keys it may verify, but the refresh token may be used up.
            let is_over = !matches!(refusal, Refusal::KeysUnavailable(_));
            NotRenewed { refusal, is_over, asked: None }
        };
        if let Some(id_token) = tokens.id_token.as_deref() {
            // Section 12.2: it need not have a nonce; one that it has is the first one's.
            let subject = self.identify(id_token, &tokens, Proof::Renewal).map_err(refused)?;
            let nonce = crate::token::nonce_of(id_token);
            if subject != session.subject || nonce.is_some_and(|nonce| nonce != session.nonce) {
                return Err(refused(SignInError::IdTokenRefused.into()));
            }
        } else if self.flow.session_token() == SessionToken::IdToken {
            return Err(refused(SignInError::RefreshRefused.into()));
        }
        self.keep(session, tokens, Whose::Same).map_err(refused)
    }

    /// Renews the session of a person who opens a page, and sends them to the same page again. `None` if there is
    /// nothing to renew. It depends on the sealed cookie alone: that of the token is gone when the token has expired.
    pub(super) fn renew_page(
        &self,
        back: &str,
        refusal: &Refusal,
        came_back: Option<Back>,
    ) -> Option<Answered<'p>> {
        let session = self.renewable()?;
        Some(match self.renew(session) {
            Ok(Renewal { mut lines, claims, .. }) => {
                lines.push(self.mark_back(back, Back::Renewed));
                let said = Said::Done(SignInWord::Renewed);
                let location = self.address(back);
                (Reply::redirect(said, crate::outcome::SIGN_IN_STATUS, location, lines), Some(claims))
            }
            // The browser has the session of before its last sign-in, so that one more would be for nothing.
            Err(NotRenewed { refusal: Refusal::SignIn(SignInError::RefreshRefused), .. })
                if came_back.is_some() =>
            {
                (self.refuse_not_kept(back), None)
            }
            // The provider does not know the session any more: the person signs in anew, and gets new cookies then.
            Err(NotRenewed { refusal: Refusal::SignIn(SignInError::RefreshRefused), .. }) => {
                (self.begin(back, refusal, Vec::new())?, None)
            }
            Err(NotRenewed { refusal, is_over, asked }) => {
                let lines = if is_over { self.clear_session() } else { Vec::new() };
                let reply = self.refuse_with_way_back(refusal, lines, back);
                (
                    match asked {
                        Some(asked) => reply.asking(asked),
                        None => reply,
                    },
                    None,
                )
            }
        })
    }

    /// The answer to a page that asks for a new token.
    pub(super) fn refresh_by_post(&self) -> Answered<'p> {
        if !self.is_own_page() {
            return (self.refuse(SignInError::CrossSite, Vec::new()), None);
        }
        let Some(session) = self.session() else {
            // The token that it has may still be good.
            return (self.refuse(SignInError::SessionMissing, Vec::new()), None);
        };
        if self.is_over(&session) {
            return (self.refuse(SignInError::SessionEnded, self.clear_session()), None);
        }
        if !self.flow.refresh() || session.refresh_token.is_none() {
            // The token that it has may still be good.
            return (self.refuse(SignInError::RefreshRefused, Vec::new()), None);
        }
        match self.renew(session) {
            Ok(Renewal { lines, claims, session }) => {
                let told = self.told(Some(&claims), Some(&session));
                (Reply::json(SignInWord::Renewed, &told, lines), Some(claims))
            }
            Err(NotRenewed { refusal, is_over, asked }) => {
                let lines = if is_over { self.clear_session() } else { Vec::new() };
                let reply = self.refuse(refusal, lines);
                (
                    match asked {
                        Some(asked) => reply.asking(asked),
                        None => reply,
                    },
                    None,
                )
            }
        }
    }

    /// The answer to a page that asks who is signed in. It never has a token.
    pub(super) fn tell(&self) -> Answered<'p> {
        let claims = match self.session_token() {
            None => None,
            Some(token) => match self.trust.verify(&token, self.issuers, self.now) {
                Ok(claims) => Some(claims),
                Err(VerifyError::Token(_)) => None,
                Err(VerifyError::KeysUnavailable(why)) => {
                    return (self.refuse(Refusal::KeysUnavailable(why), Vec::new()), None);
                }
            },
        };
        let told = self.told(claims.as_ref(), self.session().as_ref());
        (Reply::json(SignInWord::Told, &told, Vec::new()), claims)
    }

    fn told(&self, claims: Option<&VerifiedClaims<'_>>, session: Option<&Session>) -> Value {
        let seconds = self.flow.session_seconds();
        let session = session.filter(|session| !self.is_over(session));
        let mut told = json!({
            "signed_in": claims.is_some(),
            "renewable": self.flow.refresh() && session.is_some_and(|session| session.refresh_token.is_some()),
        });
        let mut add = |name: &str, value: Value| {
            if let Some(told) = told.as_object_mut() {
                told.insert(name.to_owned(), value);
            }
        };
        if let Some(session) = session {
            add("session_ends_at", session.ends_at(seconds).into());
        }
        if let Some(claims) = claims {
            add("subject", claims.subject().into());
            add("issuer", claims.issuer().name().into());
            add("expires_at", expires_at(claims).into());
        }
        told
    }
}

/// A refusal of a token of the token endpoint: `error`, unless its keys are not there.
fn refusal_of(verify: VerifyError, error: SignInError) -> Refusal {
    match verify {
        VerifyError::Token(_) => error.into(),
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
fn expires_at(claims: &VerifiedClaims<'_>) -> u64 {
    claims.claims().get("exp").and_then(Value::as_f64).unwrap_or_default() as u64
}
