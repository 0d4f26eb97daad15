//! What the two sealed cookies contain.

use serde::{Deserialize, Serialize};

use crate::time::UnixTime;

/// How long a person may take to sign in, in seconds.
pub(super) const FLOW_SECONDS: u64 = 600;

/// One sign-in that has begun.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Begun {
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

impl Begun {
    /// Whether it can still be finished. One from the future is not of this clock.
    pub(super) fn is_fresh(&self, now: UnixTime) -> bool {
        now.as_seconds().checked_sub(self.at).is_some_and(|age| age <= FLOW_SECONDS)
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
        // Clocks of two Regions are not equal.
        const AHEAD: u64 = 60;
        let now = now.as_seconds();
        now >= self.ends_at(session_seconds) || self.at > now.saturating_add(AHEAD)
    }
}
