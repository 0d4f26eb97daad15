//! The exchange of a code or of a refresh token for tokens (RFC 6749 sections 4.1.3 and 6).

use super::client;
use super::reply::AskedTokens;
use super::step::Step;
use super::token_request::Grant;
use super::tokens::{NoTokens, Tokens};
use crate::refusal::SignInError;

impl Step<'_, '_> {
    /// What the token endpoint gives for this; otherwise the refusal, and what it must be asked, if it was not.
    pub(super) fn exchange(
        &self,
        grant: Grant,
        parameters: &[(&str, &str)],
    ) -> Result<Tokens, (ExchangeFailure, Option<AskedTokens>)> {
        let failure = |error| (ExchangeFailure::of(grant, error), None);
        match self.answer {
            Some((of, answer)) if of == grant => Tokens::read(answer).map_err(failure),
            Some(_) => Err(failure(NoTokens::Malformed)),
            None => {
                let form = client::form(self.flow, self.issuer(), parameters, &self.random, self.now)
                    .ok_or_else(|| failure(NoTokens::Unavailable))?;
                let asked = AskedTokens { grant, authorization: form.authorization, body: form.body };
                Err((ExchangeFailure::of(grant, NoTokens::Unavailable), Some(asked)))
            }
        }
    }
}

/// Why there are no tokens.
pub(super) struct ExchangeFailure {
    pub(super) error: SignInError,
    /// Whether what was exchanged is of no use any more.
    pub(super) is_used_up: bool,
}

impl ExchangeFailure {
    fn of(grant: Grant, error: NoTokens) -> Self {
        let (error, is_used_up) = match (error, grant) {
            (NoTokens::Refused, Grant::AuthorizationCode) => (SignInError::CodeRefused, true),
            (NoTokens::ClientRefused, Grant::AuthorizationCode) => (SignInError::ProviderError, true),
            // Another tab may have used it a moment ago, and has a newer session. It is not taken from the browser.
            (NoTokens::Refused, Grant::RefreshToken) => (SignInError::RefreshRefused, false),
            // The settings of the client are wrong: the session is as good as before.
            (NoTokens::ClientRefused, Grant::RefreshToken) => (SignInError::ProviderError, false),
            (NoTokens::Malformed, _) => (SignInError::AnswerMalformed, true),
            (NoTokens::Unavailable, Grant::AuthorizationCode) => (SignInError::ProviderUnavailable, true),
            (NoTokens::Unavailable, Grant::RefreshToken) => (SignInError::ProviderUnavailable, false),
        };
        Self { error, is_used_up }
    }
}
