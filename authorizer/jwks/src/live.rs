//! An authorizer that fetches keys when a decision needs them.

use std::time::{Duration, Instant};

use authorizer_core::token::PublishedKeysError;
use authorizer_core::{Authorized, Authorizer, KeysNeeded, Needed, UnixTime};
use thiserror::Error;
use tokio::sync::Mutex;

use crate::fetch::{FetchError, Fetcher};

/// The longest time that an issuer may take to answer. A viewer-request function has 5 seconds in all.
const DEADLINE: Duration = Duration::from_secs(2);

/// Less time than any answer takes.
const SHORTEST: Duration = Duration::from_millis(50);

/// An authorizer that decides with the keys that it has, and fetches others if it must.
#[derive(Debug)]
pub struct LiveAuthorizer {
    authorizer: Authorizer,
    fetcher: Fetcher,
    /// Held during a fetch: of many requests that need the same keys, one fetches and the others wait.
    flight: Mutex<()>,
}

/// The report of one fetch of an issuer's keys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asked {
    /// The policy's name for the issuer.
    pub issuer: String,
    /// The duration.
    pub took: Duration,
    /// Whether usable keys came back.
    pub result: Result<(), AskError>,
}

/// Tells the authorizer that the fetch failed, if it is dropped before it ends.
struct GivenUp<'a, C: Fn() -> UnixTime> {
    authorizer: Option<&'a Authorizer>,
    needed: &'a KeysNeeded<'a>,
    clock: &'a C,
}

impl<C: Fn() -> UnixTime> Drop for GivenUp<'_, C> {
    fn drop(&mut self) {
        if let Some(authorizer) = self.authorizer {
            // Recording a failed fetch never fails.
            let _ = authorizer.take_keys(self.needed, None, (self.clock)());
        }
    }
}

/// Why an issuer's keys could not be fetched.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum AskError {
    /// There was no answer.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// There was an answer, but it was not usable.
    #[error(transparent)]
    Keys(#[from] PublishedKeysError),
}

impl AskError {
    /// A stable word for the log.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Fetch(error) => error.reason(),
            Self::Keys(PublishedKeysError::NoJson) => "answer_not_json",
            Self::Keys(PublishedKeysError::NoKeys) => "answer_not_a_key_set",
            Self::Keys(PublishedKeysError::Unusable(_)) => "no_usable_key",
        }
    }
}

impl LiveAuthorizer {
    /// Wraps an authorizer.
    pub fn new(authorizer: Authorizer, fetcher: Fetcher) -> Self {
        Self { authorizer, fetcher, flight: Mutex::new(()) }
    }

    /// The wrapped authorizer.
    pub fn authorizer(&self) -> &Authorizer {
        &self.authorizer
    }

    /// Decides on the bytes of one event. Keys are fetched within this call, in at most half of the remaining time and
    /// at most two seconds.
    pub async fn authorize<'r>(
        &'r self,
        event: &'r [u8],
        clock: impl Fn() -> UnixTime,
        time_left: Duration,
    ) -> (Authorized<'r>, Option<Asked>) {
        let started = Instant::now();
        if let Ok(authorized) = self.authorizer.authorize_or_ask(event, clock()) {
            return (authorized, None);
        }
        let _flight = self.flight.lock().await;
        // Another request may have fetched the keys while this one waited.
        let needed = match self.authorizer.authorize_or_ask(event, clock()) {
            Ok(authorized) => return (authorized, None),
            Err(Needed::Keys(needed)) => needed,
            Err(Needed::Tokens(_)) => return (self.authorizer.authorize(event, clock()), None),
        };
        let time_left = time_left.saturating_sub(started.elapsed());
        let within = DEADLINE.min(time_left.checked_div(2).unwrap_or_default());
        if within < SHORTEST {
            // Too little time for any issuer, so this does not count as a failed fetch.
            return (self.authorizer.authorize(event, clock()), None);
        }
        let asking = Instant::now();
        let mut given_up = GivenUp { authorizer: Some(&self.authorizer), needed: &needed, clock: &clock };
        let fetched = self.fetcher.get(needed.url(), within).await;
        given_up.authorizer = None;
        let taken = self.authorizer.take_keys(&needed, fetched.as_deref().ok(), clock());
        let result = fetched.map(|_| ()).map_err(AskError::from).and(taken.map_err(AskError::from));
        let asked = Asked { issuer: needed.issuer().to_owned(), took: asking.elapsed(), result };
        // Decided with the keys that are there now: one request never fetches twice.
        (self.authorizer.authorize(event, clock()), Some(asked))
    }
}
