//! What the two sealed cookies contain.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::time::UnixTime;
use crate::token::Issuer;

/// How long a person may take to sign in, in seconds.
pub(super) const FLOW_SECONDS: u64 = 600;

/// How far ahead the clock of another Region may be, in seconds.
const AHEAD_SECONDS: u64 = 60;

/// A sign-in between the authorization request and its response (RFC 6749 section 4.1).
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PendingSignIn {
    #[serde(rename = "s")]
    pub(super) state: String,
    #[serde(rename = "n")]
    pub(super) nonce: String,
    /// The PKCE verifier.
    #[serde(rename = "v")]
    pub(super) verifier: String,
    /// The path to return to, with its query.
    #[serde(rename = "b")]
    pub(super) back: String,
    #[serde(rename = "t")]
    pub(super) at: u64,
}

impl PendingSignIn {
    /// Whether it can still be finished. One from the future is not of this clock.
    pub(super) fn is_fresh(&self, now: UnixTime) -> bool {
        let now = now.as_seconds();
        self.at <= now.saturating_add(AHEAD_SECONDS) && now.saturating_sub(self.at) <= FLOW_SECONDS
    }
}

/// It contains secrets, which must not appear in a log.
impl fmt::Debug for PendingSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingSignIn").field("at", &self.at).finish_non_exhaustive()
    }
}

/// One session.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Session {
    /// When the person signed in.
    #[serde(rename = "t")]
    pub(super) at: u64,
    /// `sub` of the ID token.
    #[serde(rename = "s")]
    pub(super) subject: String,
    /// `sub` of the token that the rules read. A provider may have another for each audience (OpenID Connect Core 1.0
    /// section 8.1).
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub(super) token_subject: Option<String>,
    /// `jti` of that token.
    #[serde(rename = "j", default, skip_serializing_if = "Option::is_none")]
    pub(super) token_id: Option<String>,
    #[serde(rename = "n")]
    pub(super) nonce: String,
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub(super) refresh_token: Option<String>,
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub(super) id_token: Option<String>,
}

impl Session {
    /// When it ends.
    pub(super) fn ends_at(&self, session_seconds: u32) -> u64 {
        self.at.saturating_add(session_seconds.into())
    }

    /// Whether it has ended. One from the future is not of this clock, and has.
    pub(super) fn has_ended(&self, session_seconds: u32, now: UnixTime) -> bool {
        let now = now.as_seconds();
        now >= self.ends_at(session_seconds) || self.at > now.saturating_add(AHEAD_SECONDS)
    }

    /// Whether the policy revokes it: as a token that was issued when the person signed in, and is never issued anew.
    pub(super) fn is_revoked(&self, issuer: &Issuer) -> bool {
        let covers = |subject: Option<&str>| {
            let mut claims = Map::new();
            claims.insert("iat".to_owned(), self.at.into());
            let texts = [("sub", subject), ("jti", self.token_id.as_deref())];
            claims.extend(
                texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::from(text?)))),
            );
            issuer.revokes(&claims)
        };
        covers(self.token_subject.as_deref()) || covers(Some(&self.subject))
    }
}

#[cfg(test)]
mod tests {
    use super::super::reply::{Logged, Reply};
    use super::super::token_request::TokenAnswer;
    use super::super::word::SignInWord;
    use super::*;

    #[test]
    fn nothing_that_is_printed_for_debugging_has_a_secret() {
        let secret = || "secret".to_owned();
        let pending =
            PendingSignIn { state: secret(), nonce: secret(), verifier: secret(), back: secret(), at: 7 };
        let reply = Reply::redirect(Logged::Done(SignInWord::Started), 302, secret(), vec![secret()]);
        let answer = TokenAnswer::Answered { status: 200, body: b"secret" };
        for shown in [format!("{pending:?}"), format!("{reply:?}"), format!("{answer:?}")] {
            // Bytes are printed as numbers.
            assert!(!shown.contains("secret") && !shown.contains("115, 101"), "{shown}");
        }
    }
}
