//! An authorizer that asks for keys where a decision needs them.

use std::time::{Duration, Instant};

use authorizer_core::token::PublishedKeysError;
use authorizer_core::{Authorized, Authorizer, KeysNeeded, UnixTime};
use thiserror::Error;
use tokio::sync::Mutex;

use crate::fetch::{FetchError, Fetcher};

/// How long an issuer may take to answer. A viewer-request function has 5 seconds in all.
const DEADLINE: Duration = Duration::from_secs(2);

/// Too little for any answer to come.
const SHORTEST: Duration = Duration::from_millis(50);

/// Decides by the keys at hand, and asks for others where it must.
#[derive(Debug)]
pub struct LiveAuthorizer {
    authorizer: Authorizer,
    fetcher: Fetcher,
    /// Held while somebody is asked: of many requests that need the same keys one asks, and the others wait.
    flight: Mutex<()>,
}

/// That an issuer was asked for its keys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asked {
    /// The policy's name for it.
    pub issuer: String,
    /// How long it took.
    pub took: Duration,
    /// Whether its keys were had.
    pub result: Result<(), AskError>,
}

/// Tells the authorizer that there was no answer, should nobody wait for one to the end.
struct GivenUp<'a, C: Fn() -> UnixTime> {
    authorizer: Option<&'a Authorizer>,
    needed: &'a KeysNeeded<'a>,
    clock: &'a C,
}

impl<C: Fn() -> UnixTime> Drop for GivenUp<'_, C> {
    fn drop(&mut self) {
        if let Some(authorizer) = self.authorizer {
            // That there was none is never an error.
            let _ = authorizer.take_keys(self.needed, None, (self.clock)());
        }
    }
}

/// Why an issuer's keys were not had.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum AskError {
    /// There was no answer.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// There was one, and it was of no use.
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
    /// For an authorizer.
    pub fn new(authorizer: Authorizer, fetcher: Fetcher) -> Self {
        Self { authorizer, fetcher, flight: Mutex::new(()) }
    }

    /// The authorizer that decides.
    pub fn authorizer(&self) -> &Authorizer {
        &self.authorizer
    }

    /// Decides on the bytes of one event. An issuer that has to be asked is asked within this call, and given at
    /// most half of the time that is left for it, and never more than two seconds.
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
        // Whoever asked before may have had the answer.
        let needed = match self.authorizer.authorize_or_ask(event, clock()) {
            Ok(authorized) => return (authorized, None),
            Err(needed) => needed,
        };
        let time_left = time_left.saturating_sub(started.elapsed());
        let within = DEADLINE.min(time_left.checked_div(2).unwrap_or_default());
        if within < SHORTEST {
            // Nobody could answer, and nobody is to blame.
            return (self.authorizer.authorize(event, clock()), None);
        }
        let asking = Instant::now();
        let mut given_up = GivenUp { authorizer: Some(&self.authorizer), needed: &needed, clock: &clock };
        let fetched = self.fetcher.get(needed.url(), within).await;
        given_up.authorizer = None;
        let taken = self.authorizer.take_keys(&needed, fetched.as_deref().ok(), clock());
        let result = fetched.map(|_| ()).map_err(AskError::from).and(taken.map_err(AskError::from));
        let asked = Asked { issuer: needed.issuer().to_owned(), took: asking.elapsed(), result };
        // Decided by what is at hand now: nobody is asked twice for one request.
        (self.authorizer.authorize(event, clock()), Some(asked))
    }
}
