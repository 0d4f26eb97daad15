//! Why a sign-in does not go on.

use super::Refusal;
use super::reason::{Reason, SignInReason};
use crate::token::TokenError;

/// Why a step of a sign-in is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignInError {
    /// The answer of the provider cannot be read.
    Malformed,
    /// This browser did not begin the sign-in, or too long ago, or it is finished.
    StateUnknown,
    /// The answer is another issuer's, or does not say whose it is (RFC 9207).
    IssuerMismatch,
    /// The provider did not let the person sign in.
    Denied,
    /// The provider reports another error.
    ProviderError,
    /// The code is not accepted.
    CodeRefused,
    /// The provider does not answer.
    ProviderUnavailable,
    /// The answer of the token endpoint cannot be read.
    AnswerMalformed,
    /// The ID token is not for this sign-in.
    IdTokenRefused(TokenFault),
    /// The token that the rules read does not verify, or does not fit into cookies.
    TokenRefused(TokenFault),
    /// The browser did not keep the session that it was just given.
    NotKept,
    /// There is no session.
    SessionMissing,
    /// The session is over.
    SessionEnded,
    /// The session cannot be renewed.
    RefreshRefused,
    /// The request may come from another site.
    CrossSite,
}

/// What is wrong with a token that the provider issued.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenFault {
    /// It does not verify.
    Token(TokenError),
    /// It is of another issuer of the policy than that of the sign-in.
    OtherIssuer,
    /// It came with a renewal, and is another person's than the session.
    OtherSubject,
    /// It came with a renewal, and is of another sign-in than the session.
    OtherNonce,
    /// It does not fit into cookies.
    TooLongForCookies,
}

impl TokenFault {
    /// Its word in the decision log: that of a request with such a token, or one of its own.
    pub fn word(self) -> &'static str {
        match self {
            Self::Token(error) => Refusal::Token(error).reason(),
            Self::OtherIssuer => "other_issuer",
            Self::OtherSubject => "other_subject",
            Self::OtherNonce => "other_nonce",
            Self::TooLongForCookies => "too_long_for_cookies",
        }
    }
}

impl From<TokenError> for TokenFault {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl SignInError {
    /// Its name in the decision log.
    pub fn kind(self) -> Reason {
        Reason::SignIn(match self {
            Self::Malformed => SignInReason::Malformed,
            Self::StateUnknown => SignInReason::StateUnknown,
            Self::IssuerMismatch => SignInReason::IssuerMismatch,
            Self::Denied => SignInReason::Denied,
            Self::ProviderError => SignInReason::ProviderError,
            Self::CodeRefused => SignInReason::CodeRefused,
            Self::ProviderUnavailable => SignInReason::ProviderUnavailable,
            Self::AnswerMalformed => SignInReason::AnswerMalformed,
            Self::IdTokenRefused(_) => SignInReason::IdTokenRefused,
            Self::TokenRefused(_) => SignInReason::TokenRefused,
            Self::NotKept => SignInReason::NotKept,
            Self::SessionMissing => SignInReason::SessionMissing,
            Self::SessionEnded => SignInReason::SessionEnded,
            Self::RefreshRefused => SignInReason::RefreshRefused,
            Self::CrossSite => SignInReason::CrossSite,
        })
    }

    /// What is wrong with the token, if it is about one.
    pub fn fault(self) -> Option<TokenFault> {
        match self {
            Self::IdTokenRefused(fault) | Self::TokenRefused(fault) => Some(fault),
            Self::Malformed
            | Self::StateUnknown
            | Self::IssuerMismatch
            | Self::Denied
            | Self::ProviderError
            | Self::CodeRefused
            | Self::ProviderUnavailable
            | Self::AnswerMalformed
            | Self::NotKept
            | Self::SessionMissing
            | Self::SessionEnded
            | Self::RefreshRefused
            | Self::CrossSite => None,
        }
    }

    /// The sentences for the viewer.
    pub(super) fn detail(self) -> &'static str {
        match self {
            Self::Malformed => "The sign-in page did not send a complete answer. Sign in again.",
            Self::StateUnknown => {
                "This sign-in is already finished, took too long, or began in another browser. Sign in again."
            }
            Self::IssuerMismatch => {
                "The answer did not come from the sign-in page of this site. Sign in again."
            }
            Self::Denied => {
                "The sign-in page did not let you sign in. If you should have access, ask who runs this site."
            }
            Self::ProviderError => {
                "The sign-in page reports an error. Try again later. If it stays, tell who runs this site."
            }
            Self::CodeRefused => "The sign-in was not accepted. It may have taken too long. Sign in again.",
            Self::ProviderUnavailable => {
                "The sign-in service does not answer at the moment. Try again later."
            }
            Self::AnswerMalformed => {
                "The sign-in service sent an answer that cannot be read. If it stays, tell who runs this site."
            }
            Self::IdTokenRefused(_) => {
                "The identity that the sign-in service sent is not valid here. Sign in again."
            }
            Self::TokenRefused(_) => {
                "You signed in, but your account is not accepted here. If you should have access, ask who runs this site."
            }
            Self::NotKept => {
                "Your browser did not keep the sign-in. Allow cookies for this site, check the clock of your device, and \
                 try again."
            }
            Self::SessionMissing => "There is no session. Sign in.",
            Self::SessionEnded => "The session has ended. Sign in again.",
            Self::RefreshRefused => "The session cannot be renewed. Sign in again.",
            Self::CrossSite => "This request must come from a page of this site.",
        }
    }
}
