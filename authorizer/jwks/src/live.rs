//! An authorizer that fetches keys and tokens when a decision needs them.

use std::time::{Duration, Instant};

use authorizer_core::code_flow::{Grant, TokenAnswer, TokenRequest};
use authorizer_core::token::PublishedKeysError;
use authorizer_core::{Authorized, Authorizer, KeysNeeded, Needed, UnixTime};
use serde_json::Value;
use thiserror::Error;
use tokio::sync::Mutex;

use crate::fetch::{Answered, FetchError, Fetcher, Form};

/// The longest time that an issuer may take to give its keys. A viewer-request function has 5 seconds in all.
const KEYS_DEADLINE: Duration = Duration::from_secs(2);

/// The longest time that a token endpoint may take.
const TOKENS_DEADLINE: Duration = Duration::from_secs(3);

/// Less time than any answer takes.
const SHORTEST: Duration = Duration::from_millis(50);

/// The words that a token endpoint has for what it refuses (RFC 6749 section 5.2).
const REFUSALS: [&str; 6] = [
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
];

/// The longest refusal that is read for its word, in bytes.
const LONGEST_REFUSAL: usize = 16 * 1024;

/// An authorizer that decides with what it has, and fetches keys and tokens if it must.
#[derive(Debug)]
pub struct LiveAuthorizer {
    authorizer: Authorizer,
    fetcher: Fetcher,
    /// Held during a fetch of keys: of many requests that need the same keys, one fetches and the others wait. Tokens are
    /// each person's own, so nobody waits for those of another.
    flight: Mutex<()>,
}

/// The report of one fetch, for the log. It contains nothing that was sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asked {
    /// The policy's name for the issuer.
    pub issuer: String,
    /// What was asked for.
    pub what: What,
    /// The duration.
    pub took: Duration,
    /// Whether usable keys, or an answer of 200, came back.
    pub result: Result<(), AskError>,
}

/// What a provider is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum What {
    /// The keys that an issuer publishes.
    Keys,
    /// Tokens, in exchange for this.
    Tokens(Grant),
}

impl What {
    /// What tokens are exchanged for, in the words of OAuth (RFC 6749 sections 4.1.3 and 6).
    pub fn grant(self) -> Option<&'static str> {
        match self {
            Self::Keys => None,
            Self::Tokens(Grant::AuthorizationCode) => Some("authorization_code"),
            Self::Tokens(Grant::RefreshToken) => Some("refresh_token"),
        }
    }
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

/// Why keys or tokens could not be fetched.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum AskError {
    /// There was no answer.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// There was an answer, but it was not usable.
    #[error(transparent)]
    Keys(#[from] PublishedKeysError),
    /// The token endpoint answered, but not with 200.
    #[error("answers {status}{}", .word.map(|word| format!(", `{word}`")).unwrap_or_default())]
    Refused {
        /// The status.
        status: u16,
        /// Its word for the reason, if it is one of those that OAuth has.
        word: Option<&'static str>,
    },
}

impl AskError {
    /// A stable word for the log.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Fetch(error) => error.reason(),
            Self::Keys(PublishedKeysError::NoJson) => "answer_not_json",
            Self::Keys(PublishedKeysError::NoKeys) => "answer_not_a_key_set",
            Self::Keys(PublishedKeysError::Unusable(_)) => "no_usable_key",
            Self::Refused { word: Some(word), .. } => word,
            Self::Refused { word: None, .. } => "status_not_200",
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

    /// Decides on the bytes of one event, and reports what was fetched for it. All of it happens within this call.
    ///
    /// - Keys are fetched in at most half of the remaining time and at most two seconds.
    /// - Tokens are fetched in at most half of the remaining time and at most three seconds. The keys of new tokens may take
    ///   three quarters of what then remains, because the code is spent.
    ///
    /// No issuer is asked twice for its keys, and no code or refresh token is sent twice.
    pub async fn authorize<'r>(
        &'r self,
        event: &'r [u8],
        clock: impl Fn() -> UnixTime,
        time_left: Duration,
    ) -> (Authorized<'r>, Vec<Asked>) {
        let started = Instant::now();
        let time_left = || time_left.saturating_sub(started.elapsed());
        let mut reports = Vec::new();
        let decide = || match self.authorizer.authorize_or_ask(event, clock()) {
            Ok(authorized) => Ok(Step::Decided(Box::new(authorized))),
            Err(Needed::Tokens(request)) => Ok(Step::Tokens(request)),
            Err(Needed::Keys(needed)) => Err(needed),
        };
        let step = match decide() {
            Ok(step) => Some(step),
            Err(_) => self.with_keys(decide, || half(time_left()), &clock, &mut reports).await,
        };
        let request = match step {
            Some(Step::Tokens(request)) => request,
            Some(Step::Decided(authorized)) => return (*authorized, reports),
            // With the keys that are there.
            None => return (self.authorizer.authorize(event, clock()), reports),
        };
        let answered = self.exchange(&request, half(time_left()), &mut reports).await;
        let answer = answered.as_ref().map_or(TokenAnswer::Nothing, |answered| TokenAnswer::Answered {
            status: answered.status,
            body: &answered.body,
        });
        let decide = || self.authorizer.take_tokens(event, &request, answer, clock());
        let authorized = match decide() {
            Ok(authorized) => Some(authorized),
            Err(_) => self.with_keys(decide, || three_quarters(time_left()), &clock, &mut reports).await,
        };
        let authorized = authorized.unwrap_or_else(|| {
            // With the keys that are there.
            self.authorizer.take_tokens_without_asking(event, &request, answer, clock())
        });
        (authorized, reports)
    }

    /// Fetches the keys that a decision needs, unless another request did, and decides with what is there then. `None` if
    /// it needs keys still.
    async fn with_keys<'p, T>(
        &'p self,
        decide: impl Fn() -> Result<T, KeysNeeded<'p>>,
        within: impl Fn() -> Duration,
        clock: &impl Fn() -> UnixTime,
        reports: &mut Vec<Asked>,
    ) -> Option<T> {
        let _flight = self.flight.lock().await;
        // Another request may have fetched the keys while this one waited.
        let needed = match decide() {
            Ok(decided) => return Some(decided),
            Err(needed) => needed,
        };
        let within = KEYS_DEADLINE.min(within());
        let was_asked = reports.iter().any(|one| one.what == What::Keys && one.issuer == needed.issuer());
        if within < SHORTEST || was_asked {
            // Too little time for any issuer does not count as a failed fetch.
            return None;
        }
        let asking = Instant::now();
        let mut given_up = GivenUp { authorizer: Some(&self.authorizer), needed: &needed, clock };
        let fetched = self.fetcher.get(needed.url(), within).await;
        given_up.authorizer = None;
        let taken = self.authorizer.take_keys(&needed, fetched.as_deref().ok(), clock());
        let result = fetched.map(|_| ()).map_err(AskError::from).and(taken.map_err(AskError::from));
        let (issuer, took) = (needed.issuer().to_owned(), asking.elapsed());
        reports.push(Asked { issuer, what: What::Keys, took, result });
        decide().ok()
    }

    /// Exchanges a code or a refresh token, once: each is good for one use. `None` if there is no whole answer.
    async fn exchange(
        &self,
        request: &TokenRequest<'_>,
        within: Duration,
        reports: &mut Vec<Asked>,
    ) -> Option<Answered> {
        let within = TOKENS_DEADLINE.min(within);
        if within < SHORTEST {
            // Nothing was sent: a refresh token stays good. A code does too, but the callback ends its flow.
            return None;
        }
        let asking = Instant::now();
        let form = Form { authorization: request.authorization(), body: request.body() };
        let answered = self.fetcher.post(request.url(), form, within).await;
        let result = match &answered {
            Ok(answered) if answered.status == 200 => Ok(()),
            Ok(answered) => Err(AskError::Refused { status: answered.status, word: word(&answered.body) }),
            Err(error) => Err(error.clone().into()),
        };
        let (issuer, what, took) =
            (request.issuer().to_owned(), What::Tokens(request.grant()), asking.elapsed());
        reports.push(Asked { issuer, what, took, result });
        answered.ok()
    }
}

/// What an event comes to before tokens are fetched.
enum Step<'p, 'r> {
    Decided(Box<Authorized<'r>>),
    Tokens(TokenRequest<'p>),
}

fn half(time: Duration) -> Duration {
    time.checked_div(2).unwrap_or_default()
}

fn three_quarters(time: Duration) -> Duration {
    time.saturating_sub(time.checked_div(4).unwrap_or_default())
}

/// The word of OAuth in a refusal. Any other text of the provider is not passed on.
fn word(body: &[u8]) -> Option<&'static str> {
    let refusal: Value =
        serde_json::from_slice(if body.len() > LONGEST_REFUSAL { &[] } else { body }).ok()?;
    let said = refusal.get("error")?.as_str()?;
    REFUSALS.into_iter().find(|word| *word == said)
}
