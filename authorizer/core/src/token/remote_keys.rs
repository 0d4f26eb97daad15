//! Keys that must be fetched.

use crate::fetch_url::FetchUrl;

/// Where the keys of an issuer are published, and how long they are used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RemoteKeys {
    /// The address.
    pub url: FetchUrl,
    /// The age at which keys are fetched again, in seconds.
    pub max_age_seconds: u32,
    /// The age up to which the last good keys are used if new ones cannot be fetched, in seconds.
    pub max_stale_seconds: u32,
}
