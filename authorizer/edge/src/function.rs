//! One invocation: an event in, an outcome out, and its lines of the log.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use authorizer_core::outcome::Outcome;
use authorizer_core::{Authorized, Authorizer, Bundle, UnixTime};

use crate::error::StartError;
use crate::log;

/// The function, for the life of the process.
#[derive(Debug)]
pub struct Function {
    #[cfg(feature = "remote-keys")]
    authorizer: authorizer_jwks::LiveAuthorizer,
    #[cfg(not(feature = "remote-keys"))]
    authorizer: Authorizer,
}

impl Function {
    /// A function that decides by the bundle of this file.
    ///
    /// # Errors
    /// [`StartError`] if these bytes are not a bundle, or this build cannot do what it needs.
    pub fn new(path: PathBuf, bundle: &[u8]) -> Result<Self, StartError> {
        let bundle = Bundle::read(bundle).map_err(|source| StartError::Bundle { path, source })?;
        Self::of(Authorizer::new(bundle))
    }

    #[cfg(feature = "remote-keys")]
    fn of(authorizer: Authorizer) -> Result<Self, StartError> {
        let fetcher = authorizer_jwks::Fetcher::new().map_err(|error| StartError::Tls(error.to_string()))?;
        Ok(Self { authorizer: authorizer_jwks::LiveAuthorizer::new(authorizer, fetcher) })
    }

    /// The bundle must contain all keys.
    #[cfg(not(feature = "remote-keys"))]
    fn of(authorizer: Authorizer) -> Result<Self, StartError> {
        let issuers = authorizer.bundle().policy().issuers();
        match issuers.iter().find(|issuer| issuer.remote_keys().is_some()) {
            Some(issuer) => Err(StartError::RemoteKeys(issuer.name().to_owned())),
            None => Ok(Self { authorizer }),
        }
    }

    /// The SHA-256 of its `bundle.json`.
    pub(crate) fn bundle_sha256(&self) -> &str {
        #[cfg(feature = "remote-keys")]
        let authorizer = self.authorizer.authorizer();
        #[cfg(not(feature = "remote-keys"))]
        let authorizer = &self.authorizer;
        authorizer.bundle().sha256()
    }

    /// Decides on one event, and adds its lines of the log to `lines`. The event stays raw bytes, so that the core
    /// refuses a malformed one, with a line in the log.
    pub async fn decide<'r>(
        &'r self,
        event: &'r [u8],
        time_left: Duration,
        lines: &mut Vec<u8>,
    ) -> Outcome<'r> {
        let started = Instant::now();
        let authorized = self.authorize(event, time_left, lines).await;
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        log::decision(&authorized.record, micros, lines);
        authorized.outcome
    }

    /// Keys and tokens are fetched within the invocation, because the process is frozen between invocations.
    #[cfg(feature = "remote-keys")]
    async fn authorize<'r>(
        &'r self,
        event: &'r [u8],
        time_left: Duration,
        lines: &mut Vec<u8>,
    ) -> Authorized<'r> {
        let (authorized, reports) = self.authorizer.authorize(event, now, time_left).await;
        for asked in &reports {
            log::asked(asked, lines);
        }
        authorized
    }

    #[cfg(not(feature = "remote-keys"))]
    #[allow(clippy::unused_async, reason = "same signature as the variant that fetches")]
    async fn authorize<'r>(&'r self, event: &'r [u8], _: Duration, _: &mut Vec<u8>) -> Authorized<'r> {
        self.authorizer.authorize(event, now())
    }
}

fn now() -> UnixTime {
    UnixTime::from_system(SystemTime::now())
}
