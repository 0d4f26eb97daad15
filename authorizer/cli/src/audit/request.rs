//! An example request, in words.

use authorizer_analysis::{Replayed, RequestInWords, Witness, request_in_words};
use owo_colors::OwoColorize as _;

use crate::output::{OutputError, line};

/// Writes the request: a few lines with this indent.
pub(super) fn write(witness: &Witness, indent: &str) -> Result<(), OutputError> {
    let RequestInWords { line: request, origin, headers, token } = request_in_words(witness);
    line(format_args!("{indent}{request} {}", origin.dimmed()))?;
    headers.iter().chain([&token]).try_for_each(|one| line(format_args!("{indent}  {one}")))
}

/// The decision on the request.
pub(super) fn decision(replayed: &Replayed) -> String {
    match (replayed.allowed, &replayed.rule) {
        (true, rule) => format!("{} by rule {}", "allowed".green(), rule.as_deref().unwrap_or_default()),
        (false, Some(rule)) => format!("{} by rule {rule}", "refused".red()),
        (false, None) => format!("{}: {}", "refused".red(), replayed.reason),
    }
}
