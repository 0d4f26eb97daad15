//! One invocation: an event in, a result out, a line in the decision log.

use std::time::{Instant, SystemTime};

use authorizer_core::{Authorized, Authorizer, UnixTime};
use lambda_runtime::{Context, Error, LambdaEvent};
use serde_json::value::{RawValue, to_raw_value};

use crate::error::StartError;
use crate::log;

/// The function, for the life of the process.
#[derive(Debug)]
pub(crate) struct Function {
    #[cfg(feature = "remote-keys")]
    authorizer: authorizer_jwks::LiveAuthorizer,
    #[cfg(not(feature = "remote-keys"))]
    authorizer: Authorizer,
}

impl Function {
    /// A function that decides with this authorizer.
    #[cfg(feature = "remote-keys")]
    pub(crate) fn new(authorizer: Authorizer) -> Result<Self, StartError> {
        let fetcher = authorizer_jwks::Fetcher::new().map_err(|error| StartError::Tls(error.to_string()))?;
        Ok(Self { authorizer: authorizer_jwks::LiveAuthorizer::new(authorizer, fetcher) })
    }

    /// A function that decides with this authorizer, whose bundle contains all keys.
    #[cfg(not(feature = "remote-keys"))]
    pub(crate) fn new(authorizer: Authorizer) -> Result<Self, StartError> {
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

    /// Decides on one event. The payload stays raw bytes, so that the core refuses a malformed event, with a line
    /// in the log, before the runtime can fail on it.
    pub(crate) async fn handle(&self, event: LambdaEvent<Box<RawValue>>) -> Result<Box<RawValue>, Error> {
        let started = Instant::now();
        let authorized = self.decide(event.payload.get().as_bytes(), &event.context).await;
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        log::decision(&authorized.record, micros);
        // Written here because the record borrows from the event.
        Ok(to_raw_value(&authorized.outcome)?)
    }

    /// Keys are fetched within the invocation, because the process is frozen between invocations.
    #[cfg(feature = "remote-keys")]
    async fn decide<'r>(&'r self, event: &'r [u8], context: &Context) -> Authorized<'r> {
        let time_left = context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        let (authorized, asked) = self.authorizer.authorize(event, now, time_left).await;
        if let Some(asked) = asked {
            log::asked(&asked);
        }
        authorized
    }

    #[cfg(not(feature = "remote-keys"))]
    #[allow(clippy::unused_async, reason = "same signature as the variant that fetches keys")]
    async fn decide<'r>(&'r self, event: &'r [u8], _: &Context) -> Authorized<'r> {
        self.authorizer.authorize(event, now())
    }
}

fn now() -> UnixTime {
    UnixTime::from_system(SystemTime::now())
}
