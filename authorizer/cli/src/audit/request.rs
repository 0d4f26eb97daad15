//! A request that shows something, in words.

use authorizer_analysis::{Replayed, Witness};
use authorizer_core::UnixTime;
use owo_colors::OwoColorize as _;
use serde_json::Value;

use crate::output::{OutputError, line};
use crate::time::show_instant;

/// Writes it, a few lines with this much before them.
pub(super) fn write(witness: &Witness, indent: &str) -> Result<(), OutputError> {
    let query =
        if witness.querystring.is_empty() { String::new() } else { format!("?{}", witness.querystring) };
    line(format_args!(
        "{indent}{} {}{query} {}",
        witness.method,
        witness.uri,
        format_args!("from {} {}", witness.source, at(witness.at)).dimmed()
    ))?;
    for (name, value) in &witness.headers {
        line(format_args!("{indent}  {name}: {value}"))?;
    }
    match &witness.claims {
        Some(claims) => {
            let token_type = witness
                .token_type
                .as_ref()
                .map(|one| format!(" typ {}", Value::from(one.as_str())))
                .unwrap_or_default();
            line(format_args!("{indent}  token{token_type} {}", Value::from(claims.clone())))
        }
        None => line(format_args!("{indent}  without a token")),
    }
}

/// When it is asked.
pub(super) fn at(instant: UnixTime) -> String {
    match instant.as_seconds() {
        u64::MAX => "by a clock that says nothing".to_owned(),
        _ => format!("at {}", show_instant(instant)),
    }
}

/// What was decided on it.
pub(super) fn decision(replayed: &Replayed) -> String {
    match (replayed.allowed, &replayed.rule) {
        (true, rule) => format!("{} by rule {}", "allowed".green(), rule.as_deref().unwrap_or_default()),
        (false, Some(rule)) => format!("{} by rule {rule}", "refused".red()),
        (false, None) => format!("{}: {}", "refused".red(), replayed.reason),
    }
}
