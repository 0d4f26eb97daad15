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
    ) -> Result<Tokens, (SignInError, Option<AskedTokens>)> {
        let failure = |why| (error_of(grant, why), None);
        match self.answer {
            Some((of, answer)) if of == grant => Tokens::read(answer).map_err(failure),
            Some(_) => Err(failure(NoTokens::Malformed)),
            None => {
                let form = client::form(self.flow, self.issuer(), parameters, &self.random, self.now)
                    .ok_or_else(|| failure(NoTokens::Unavailable))?;
                let asked = AskedTokens { grant, authorization: form.authorization, body: form.body };
                Err((error_of(grant, NoTokens::Unavailable), Some(asked)))
            }
        }
    }
}

/// What a person is told of it.
fn error_of(grant: Grant, why: NoTokens) -> SignInError {
    match (why, grant) {
        (NoTokens::Refused, Grant::AuthorizationCode) => SignInError::CodeRefused,
        (NoTokens::Refused, Grant::RefreshToken) => SignInError::RefreshRefused,
        (NoTokens::ClientRefused, _) => SignInError::ProviderError,
        (NoTokens::Malformed, _) => SignInError::AnswerMalformed,
        (NoTokens::Unavailable, _) => SignInError::ProviderUnavailable,
    }
}
