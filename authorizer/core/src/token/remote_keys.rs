//! Keys that have to be asked for.

use super::keys_url::KeysUrl;

/// Where the keys of an issuer are published, and how long they are believed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RemoteKeys {
    /// What to ask.
    pub url: KeysUrl,
    /// The age at which it is asked again, in seconds.
    pub max_age_seconds: u32,
    /// The age up to which the last good keys serve when it gives none, in seconds.
    pub max_stale_seconds: u32,
}
