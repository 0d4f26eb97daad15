//! One invocation: an event in, a result out, a line in the decision log.

use std::time::{Instant, SystemTime};

use authorizer_core::outcome::Outcome;
use authorizer_core::{Authorizer, UnixTime};
use lambda_runtime::{Error, LambdaEvent};
use serde_json::value::RawValue;

use crate::log;

/// Decides on one event. The payload stays the bytes that Lambda handed over: what is no event of a
/// viewer request is for the core to refuse, with a line in the log, not for the runtime to fail on.
pub(crate) async fn handle(
    authorizer: &Authorizer,
    event: LambdaEvent<Box<RawValue>>,
) -> Result<Outcome, Error> {
    let started = Instant::now();
    let now = UnixTime::from_system(SystemTime::now());
    let authorized = authorizer.authorize(event.payload.get().as_bytes(), now);
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    log::decision(&authorized.record, micros);
    Ok(authorized.outcome)
}
