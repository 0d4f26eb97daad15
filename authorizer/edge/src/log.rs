//! The log: each event is one line of JSON on standard output. Lambda sends it to CloudWatch Logs in the Region
//! that ran the function.

use std::io::{Write as _, stdout};

use authorizer_core::record::{DecisionLine, DecisionRecord};
#[cfg(feature = "remote-keys")]
use authorizer_jwks::{AskError, Asked, What};
use serde_json::json;

use crate::error::StartError;
use crate::function::Function;
use crate::hand_over::HandOver;

/// Which build this is: `authorizer/edge/build` says it to the compiler.
const BUILD: &str = match option_env!("AUTHORIZER_BUILD") {
    Some(build) => build,
    None => "other",
};

/// The function has started: its process, how it came to be, and what it decides by.
pub fn started(hand_over: &HandOver, function: &Function) -> Vec<u8> {
    let mut line = json!({
        "level": "info",
        "event": "start",
        "pid": std::process::id(),
        "hand_over": hand_over.how,
        "build": BUILD,
        "version": env!("CARGO_PKG_VERSION"),
        "bundle_sha256": function.bundle_sha256(),
    });
    if let Some(members) = line.as_object_mut() {
        if let Some(runtime) = &hand_over.runtime {
            members.insert("runtime".to_owned(), json!(runtime));
        }
        if let Some(pid) = hand_over.runtime_pid {
            members.insert("runtime_pid".to_owned(), json!(pid));
        }
    }
    format!("{line}\n").into_bytes()
}

/// The decision on one request.
pub(crate) fn decision(record: &DecisionRecord<'_>, micros: u64, lines: &mut Vec<u8>) {
    let whole = lines.len();
    match serde_json::to_writer(&mut *lines, &DecisionLine::new(record, micros)) {
        Ok(()) => lines.push(b'\n'),
        Err(_) => lines.truncate(whole),
    }
}

/// The result of fetching keys or tokens. Only the policy's name for the issuer and fixed words: its answer can contain
/// anything.
#[cfg(feature = "remote-keys")]
pub(crate) fn asked(asked: &Asked, lines: &mut Vec<u8>) {
    let millis = u64::try_from(asked.took.as_millis()).unwrap_or(u64::MAX);
    let event = match (asked.what, &asked.result) {
        (What::Keys, Ok(())) => "keys_fetched",
        (What::Keys, Err(_)) => "keys_not_fetched",
        (What::Tokens(_), Ok(())) => "tokens_fetched",
        (What::Tokens(_), Err(_)) => "tokens_not_fetched",
    };
    let mut line = json!({"event": event, "issuer": asked.issuer, "millis": millis});
    if let Some(members) = line.as_object_mut() {
        let reason = asked.result.as_ref().err().map(AskError::reason);
        members.insert("level".to_owned(), reason.map_or("info", level).into());
        members.extend(asked.what.grant().map(|grant| ("grant".to_owned(), grant.into())));
        members.extend(reason.map(|reason| ("reason".to_owned(), reason.into())));
    }
    lines.extend_from_slice(line.to_string().as_bytes());
    lines.push(b'\n');
}

/// Any viewer can bring a code that was used, or a session that was ended elsewhere. So that is not an error.
#[cfg(feature = "remote-keys")]
fn level(reason: &str) -> &'static str {
    if reason == "invalid_grant" { "info" } else { "error" }
}

/// The function cannot start, so it does not allow any request.
pub fn start_failed(error: &StartError) -> Vec<u8> {
    let line = json!({
        "level": "error",
        "event": "start_failed",
        "reason": error.reason(),
        "message": error.to_string(),
    });
    format!("{line}\n").into_bytes()
}

/// Writes whole lines in one call, so that another writer cannot split them. A failed write does not change the
/// decision.
pub fn write(lines: &[u8]) {
    let mut out = stdout().lock();
    let _ = out.write_all(lines).and_then(|()| out.flush());
}
