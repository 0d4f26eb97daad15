//! The log: each event is one line of JSON on standard output. Lambda sends it to CloudWatch Logs in the Region
//! that ran the function.

use std::io::{Write as _, stdout};

use authorizer_core::record::{DecisionLine, DecisionRecord};
use serde_json::json;

use crate::error::StartError;

/// The decision on one request.
pub(crate) fn decision(record: &DecisionRecord<'_>, micros: u64) {
    if let Ok(line) = serde_json::to_vec(&DecisionLine::new(record, micros)) {
        write_line(line);
    }
}

/// The result of fetching an issuer's keys. Only the policy's name for the issuer and fixed words: its answer can
/// contain anything.
#[cfg(feature = "remote-keys")]
pub(crate) fn asked(asked: &authorizer_jwks::Asked) {
    let millis = u64::try_from(asked.took.as_millis()).unwrap_or(u64::MAX);
    let line = match &asked.result {
        Ok(()) => {
            json!({"level": "info", "event": "keys_fetched", "issuer": asked.issuer, "millis": millis})
        }
        Err(error) => json!({
            "level": "error",
            "event": "keys_not_fetched",
            "issuer": asked.issuer,
            "reason": error.reason(),
            "millis": millis,
        }),
    };
    write_line(line.to_string().into_bytes());
}

/// The function cannot start, so it does not allow any request.
pub(crate) fn start_failed(error: &StartError) {
    let line = json!({
        "level": "error",
        "event": "start_failed",
        "reason": error.reason(),
        "message": error.to_string(),
    });
    write_line(line.to_string().into_bytes());
}

/// Writes the line in one call, so that another writer cannot split it. A failed write does not change the
/// decision.
fn write_line(mut line: Vec<u8>) {
    line.push(b'\n');
    let mut out = stdout().lock();
    let _ = out.write_all(&line).and_then(|()| out.flush());
}
