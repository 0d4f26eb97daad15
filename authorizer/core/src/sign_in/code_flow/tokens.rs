//! The answer of the token endpoint, read strictly (RFC 6749 sections 5.1 and 5.2, OpenID Connect Core 1.0
//! sections 3.1.3.3 and 12.2).

use serde_json::{Map, Value};

use super::token_request::TokenAnswer;
use crate::credential::is_b64token;
use crate::token::{MAX_TOKEN_BYTES, parse_claims};

/// The tokens of an answer. None is verified.
pub(super) struct Tokens {
    pub(super) access_token: String,
    pub(super) id_token: Option<String>,
    pub(super) refresh_token: Option<String>,
}

/// Why there are no tokens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NoTokens {
    /// The code or the refresh token is not accepted.
    Refused,
    /// The provider does not accept the client, or its request: the settings are wrong.
    ClientRefused,
    /// There was no answer, the provider cannot answer at the moment, or there are no random bytes to ask it with.
    Unavailable,
    /// The answer is not a token response (RFC 6749 section 5.1, OpenID Connect Core 1.0 section 3.1.3.3).
    Malformed,
}

impl Tokens {
    /// Reads an answer.
    pub(super) fn read(answer: TokenAnswer<'_>) -> Result<Self, NoTokens> {
        let (status, body) = match answer {
            TokenAnswer::Answered { status, body } => (status, body),
            TokenAnswer::Nothing => return Err(NoTokens::Unavailable),
        };
        match status {
            200 => parse_claims(body).ok().and_then(Self::of).ok_or(NoTokens::Malformed),
            408 | 425 | 429 | 500..=599 => Err(NoTokens::Unavailable),
            400..=499 => Err(match parse_claims(body) {
                Ok(error) if error.get("error").and_then(Value::as_str) == Some("invalid_grant") => {
                    NoTokens::Refused
                }
                _ => NoTokens::ClientRefused,
            }),
            _ => Err(NoTokens::Malformed),
        }
    }

    fn of(answer: Map<String, Value>) -> Option<Self> {
        let text = |name: &str| match answer.get(name) {
            None | Some(Value::Null) => Some(None),
            Some(Value::String(text)) if !text.is_empty() && text.len() <= MAX_TOKEN_BYTES => {
                // RFC 6749 appendix A: tokens have visible characters only.
                let is_visible = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
                is_visible.then(|| Some(text.clone()))
            }
            Some(_) => None,
        };
        // RFC 6750: whoever has the token may use it. A token of another type needs a proof that no browser sends.
        let token_type = text("token_type")??;
        if !token_type.eq_ignore_ascii_case("bearer") || answer.contains_key("error") {
            return None;
        }
        let id_token = text("id_token")?;
        if id_token.as_deref().is_some_and(|token| !is_b64token(token)) {
            return None;
        }
        Some(Self { access_token: text("access_token")??, id_token, refresh_token: text("refresh_token")? })
    }
}
