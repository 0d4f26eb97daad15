//! Who is signed in, for a page that asks.

use serde_json::{Value, json};

use super::kept::Session;
use super::reply::Reply;
use super::session::expires_at;
use super::step::{Answered, Step};
use super::word::SignInWord;
use crate::refusal::Refusal;
use crate::token::{VerifiedClaims, VerifyError};

impl<'p> Step<'_, 'p> {
    /// The answer to a page that asks who is signed in. It never has a token.
    pub(super) fn answer_session(&self) -> Answered<'p> {
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
        let status = self.session_status(claims.as_ref(), self.session().as_ref());
        (Reply::json(SignInWord::StatusShown, &status, Vec::new()), claims)
    }

    /// What a page learns of a session, as JSON. A session that is over is as none.
    pub(super) fn session_status(
        &self,
        claims: Option<&VerifiedClaims<'_>>,
        session: Option<&Session>,
    ) -> Value {
        let seconds = self.flow.session_seconds();
        let session = session.filter(|session| !self.is_over(session));
        let mut status = json!({
            "signed_in": claims.is_some(),
            "renewable": self.flow.refresh() && session.is_some_and(|session| session.refresh_token.is_some()),
        });
        let mut add = |name: &str, value: Value| {
            if let Some(status) = status.as_object_mut() {
                status.insert(name.to_owned(), value);
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
        status
    }
}
