//! The renewal of a session with its refresh token, when a person opens a page, and when a page asks for it.

use super::kept::Session;
use super::reply::{AskedTokens, Logged, Reply};
use super::session::{NewSession, Proof, Whose};
use super::settings::SessionToken;
use super::start::Back;
use super::step::{Answered, Step};
use super::token_request::Grant;
use super::word::SignInWord;
use crate::outcome::SIGN_IN_STATUS;
use crate::refusal::{Refusal, SignInError};

/// Why a session is not renewed.
struct NotRenewed {
    refusal: Refusal,
    /// Whether it cannot be tried again.
    is_over: bool,
    /// What must be asked first.
    asked: Option<AskedTokens>,
}

impl<'p> Step<'_, 'p> {
    /// A session that can be renewed.
    fn renewable(&self) -> Option<Session> {
        let is_usable = |session: &Session| {
            self.flow.refresh() && session.refresh_token.is_some() && !self.is_over(session)
        };
        self.session().filter(is_usable)
    }

    /// Renews a session with its refresh token (RFC 6749 section 6, OpenID Connect Core 1.0 section 12).
    fn renew(&self, session: Session) -> Result<NewSession<'p>, NotRenewed> {
        let refresh_token = session.refresh_token.clone().unwrap_or_default();
        let parameters = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str())];
        let tokens = self.exchange(Grant::RefreshToken, &parameters).map_err(|(failure, asked)| {
            NotRenewed { refusal: failure.error.into(), is_over: failure.is_used_up, asked }
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
            Ok(NewSession { mut lines, claims, .. }) => {
                lines.push(self.mark_back(back, Back::Renewed));
                let logged = Logged::Done(SignInWord::Renewed);
                let location = self.address(back);
                (Reply::redirect(logged, SIGN_IN_STATUS, location, lines), Some(claims))
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
                (self.refuse_with_way_back(refusal, lines, back).asking(asked), None)
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
            Ok(NewSession { lines, claims, session }) => {
                let status = self.session_status(Some(&claims), Some(&session));
                (Reply::json(SignInWord::Renewed, &status, lines), Some(claims))
            }
            Err(NotRenewed { refusal, is_over, asked }) => {
                let lines = if is_over { self.clear_session() } else { Vec::new() };
                (self.refuse(refusal, lines).asking(asked), None)
            }
        }
    }
}
