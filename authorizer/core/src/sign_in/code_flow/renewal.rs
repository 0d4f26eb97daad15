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
use crate::refusal::{Refusal, SignInError, TokenFault};

/// Why a session is not renewed.
struct NotRenewed {
    refusal: Refusal,
    session: Rest,
    /// What must be asked first.
    asked: Option<AskedTokens>,
}

/// What is left of a session that is not renewed.
///
/// The access token does not depend on the renewal (RFC 6749 section 6): it is valid until it expires or is revoked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Rest {
    /// It is as good as before, and can be tried again.
    Whole,
    /// The token is as good as before. The refresh token may be used up: the provider may have replaced it in an answer that
    /// cannot be read.
    Token,
    /// Nothing: the provider gives new tokens for it, and they are not accepted.
    Nothing,
}

impl Rest {
    fn of(error: SignInError) -> Self {
        match error {
            SignInError::AnswerMalformed => Self::Token,
            SignInError::IdTokenRefused(_) | SignInError::TokenRefused(_) => Self::Nothing,
            // Another tab may have used the refresh token a moment ago, and has a newer session. It is not taken from the
            // browser. Where the client's settings are wrong or the provider does not answer, nothing is said of it.
            SignInError::RefreshRefused | SignInError::ProviderError | SignInError::ProviderUnavailable => {
                Self::Whole
            }
            // These are not about a renewal.
            SignInError::Malformed
            | SignInError::StateUnknown
            | SignInError::IssuerMismatch
            | SignInError::Denied
            | SignInError::CodeRefused
            | SignInError::NotKept
            | SignInError::SessionMissing
            | SignInError::SessionEnded
            | SignInError::CrossSite => Self::Whole,
        }
    }
}

impl From<Refusal> for NotRenewed {
    /// With other keys the new tokens may verify, but the refresh token may be used up.
    fn from(refusal: Refusal) -> Self {
        let session = if let Refusal::SignIn(error) = &refusal { Rest::of(*error) } else { Rest::Whole };
        Self { refusal, session, asked: None }
    }
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
        let refused = |fault| NotRenewed::from(Refusal::from(SignInError::IdTokenRefused(fault)));
        let refresh_token = session.refresh_token.clone().unwrap_or_default();
        let parameters = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str())];
        let tokens = self
            .exchange(Grant::RefreshToken, &parameters)
            .map_err(|(error, asked)| NotRenewed { asked, ..NotRenewed::from(Refusal::from(error)) })?;
        if let Some(id_token) = tokens.id_token.as_deref() {
            // Section 12.2: it need not have a nonce; one that it has is the first one's.
            let subject = self.identify(id_token, &tokens, Proof::Renewal)?;
            if subject != session.subject {
                return Err(refused(TokenFault::OtherSubject));
            }
            if crate::token::nonce_of(id_token).is_some_and(|nonce| nonce != session.nonce) {
                return Err(refused(TokenFault::OtherNonce));
            }
        } else if self.flow.session_token() == SessionToken::IdToken {
            return Err(Refusal::from(SignInError::RefreshRefused).into());
        }
        Ok(self.keep(session, tokens, Whose::Same)?)
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
                if came_back == Some(Back::SignedIn) =>
            {
                (self.refuse_not_kept(back), None)
            }
            // The provider does not know the session any more: the person signs in anew, and gets new cookies then.
            Err(NotRenewed { refusal: Refusal::SignIn(SignInError::RefreshRefused), .. }) => {
                (self.begin(back, refusal, Vec::new())?, None)
            }
            Err(NotRenewed { refusal, session, asked }) => {
                // Without a token that is accepted, one that may be renewed or not only stands in the way of a sign-in.
                let lines = match session {
                    Rest::Whole => Vec::new(),
                    Rest::Token | Rest::Nothing => self.clear_session(),
                };
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
            Err(NotRenewed { refusal, session, asked }) => {
                let lines = match session {
                    Rest::Whole | Rest::Token => Vec::new(),
                    Rest::Nothing => self.clear_session(),
                };
                (self.refuse(refusal, lines).asking(asked), None)
            }
        }
    }
}
