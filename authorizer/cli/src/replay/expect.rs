//! Outcomes held against recorded ones.

use std::collections::BTreeMap;
use std::path::Path;

use owo_colors::OwoColorize as _;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::case::{Replayed, place};
use super::source::ReplayError;
use crate::error::CliError;
use crate::input::read_limited;

/// The longest file of recorded outcomes, in bytes: some 200,000 of them.
const MAX_EXPECTATION_BYTES: usize = 256 * 1024 * 1024;

/// The recorded outcomes that no event has met yet.
pub(super) struct Expectations(BTreeMap<String, Value>);

impl Expectations {
    /// Reads a file that `replay --format json` wrote.
    pub(super) fn read(path: &Path) -> Result<Self, CliError> {
        let bytes = read_limited(path, MAX_EXPECTATION_BYTES)?;
        let text = String::from_utf8_lossy(&bytes);
        let mut recorded = BTreeMap::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let unusable =
                || ReplayError::Expectation { path: path.to_owned(), line: index.saturating_add(1) };
            let value: Value = serde_json::from_str(line).map_err(|_| unusable())?;
            let source = value.get("source").and_then(Value::as_str).ok_or_else(unusable)?;
            let key = place(source, value.get("line").and_then(Value::as_u64));
            if recorded.insert(key, value).is_some() {
                return Err(unusable().into());
            }
        }
        Ok(Self(recorded))
    }

    /// How the outcome of an event differs from the recorded one, in lines.
    pub(super) fn compare(&mut self, replayed: &Replayed) -> Option<String> {
        let place = replayed.place();
        let actual = replayed.to_value();
        match self.0.remove(&place) {
            None => Some(format!("{}: no outcome was recorded", place.bold())),
            Some(expected) if expected == actual => None,
            Some(expected) => Some(difference(&place, &expected, &actual)),
        }
    }

    /// The events that were recorded and did not come.
    pub(super) fn left(self) -> impl Iterator<Item = String> {
        self.0.into_keys()
    }
}

fn difference(place: &str, expected: &Value, actual: &Value) -> String {
    let (expected, actual) = (format!("{expected:#}"), format!("{actual:#}"));
    let mut text = format!("{}: {} recorded, {} now", place.bold(), "-".red(), "+".green());
    let diff = TextDiff::from_lines(&expected, &actual);
    for change in diff.grouped_ops(1).iter().flatten().flat_map(|op| diff.iter_changes(op)) {
        let line = change.value().trim_end();
        text.push('\n');
        match change.tag() {
            ChangeTag::Delete => text.push_str(&format!("- {line}").red().to_string()),
            ChangeTag::Insert => text.push_str(&format!("+ {line}").green().to_string()),
            ChangeTag::Equal => text.push_str(&format!("  {line}")),
        }
    }
    text
}
