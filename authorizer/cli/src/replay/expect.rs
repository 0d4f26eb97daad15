//! Compares outcomes with recorded ones.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use authorizer_core::UnixTime;
use owo_colors::OwoColorize as _;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

use super::case::{Origin, Replayed, place};
use super::error::ReplayError;
use crate::input::read_limited;
use crate::recording::EVENTS;

/// The longest file of recorded outcomes, in bytes: some 200,000 of them.
const MAX_EXPECTATION_BYTES: usize = 256 * 1024 * 1024;

/// The recorded outcomes, by the places of their events.
#[derive(Debug)]
pub(super) struct Expectations {
    recorded: BTreeMap<String, Recorded>,
    shown: Shown,
    /// The line of the one event whose outcome was not written to its end, if it is the next one.
    cut: Option<u64>,
    /// Whether that event came.
    cut_came: AtomicBool,
    /// The last line with an event.
    last_event: AtomicU64,
}

/// How a difference is shown.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shown {
    /// Every line of the outcome that differs.
    Whole,
    /// The two decisions, in one line; where they are the same, as [`Whole`](Self::Whole).
    Decisions,
    /// A line of JSON.
    Json,
}

impl Shown {
    /// Whether the outcomes are those of a recording.
    fn is_recording(self) -> bool {
        match self {
            Self::Whole => false,
            Self::Decisions | Self::Json => true,
        }
    }
}

/// An event of a recording that is decided in another way: a line of `replay --recording --format json`.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct DifferenceLine<'d> {
    /// The version of this format.
    #[schemars(extend("const" = 1))]
    version: u32,
    /// The file and the line of the event.
    event: &'d str,
    /// The recorded outcome, as `replay --format json` has it; null if the recording has none.
    recorded: Option<&'d Value>,
    /// The outcome by this policy; null if the recording has no such event.
    replayed: Option<&'d Value>,
}

impl DifferenceLine<'_> {
    fn text(event: &str, recorded: Option<&Value>, replayed: Option<&Value>) -> String {
        json!(DifferenceLine { version: 1, event, recorded, replayed }).to_string()
    }
}

/// The last line of `replay --recording --format json`.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct SumLine {
    /// The version of this format.
    #[schemars(extend("const" = 1))]
    pub(super) version: u32,
    /// How many events were decided again and compared.
    pub(super) events: u64,
    /// How many of them differ, with those that are missing on one side.
    pub(super) differences: u64,
    /// How many requests at the end of the recording were not written whole, and were left out.
    pub(super) left_out: u64,
}

/// A recorded outcome.
#[derive(Debug)]
struct Recorded {
    /// The line of the file, which is JSON.
    line: Box<str>,
    /// When it was decided, in a recording.
    now: Option<UnixTime>,
    /// Whether its event came.
    came: AtomicBool,
}

/// An event that was compared with its recorded outcome.
#[derive(Debug)]
pub(super) struct Compared {
    place: String,
    line: Option<u64>,
    difference: Option<Difference>,
    /// Its outcome, if none was recorded and somebody wants to know.
    replayed: Option<Value>,
}

/// How an event differs.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    /// To be written.
    pub(super) text: String,
    /// The two decisions, if they are not the same.
    pub(super) change: Option<String>,
}

impl Expectations {
    /// Reads a file that `replay --format json` wrote.
    pub(super) fn read(path: &Path, shown: Shown) -> miette::Result<Self> {
        let mut bytes = read_limited(path, MAX_EXPECTATION_BYTES)?;
        let mut is_cut = false;
        if shown.is_recording() {
            // What was not written to its end is not an outcome.
            let whole = memchr::memrchr(b'\n', &bytes).map_or(0, |end| end.saturating_add(1));
            is_cut = whole < bytes.len();
            bytes.truncate(whole);
        }
        let text = String::from_utf8_lossy(&bytes);
        let mut recorded = BTreeMap::new();
        let mut last = 0_u64;
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let unusable =
                || ReplayError::Expectation { path: path.to_owned(), line: index.saturating_add(1) };
            let value: Value = serde_json::from_str(line).map_err(|_| unusable())?;
            let source = value.get("source").and_then(Value::as_str).ok_or_else(unusable)?;
            let number = |name| value.get(name).and_then(Value::as_u64);
            let key = place(source, number("line"), number("item"));
            let now = number("now").map(UnixTime::from_seconds);
            last = last.max(number("line").unwrap_or_default());
            let outcome = Recorded { line: line.into(), now, came: AtomicBool::new(false) };
            if recorded.insert(key, outcome).is_some() {
                return Err(unusable().into());
            }
        }
        let cut = is_cut.then(|| last.saturating_add(1));
        Ok(Self { recorded, shown, cut, cut_came: AtomicBool::new(false), last_event: AtomicU64::new(0) })
    }

    /// When the event was decided, in a recording.
    pub(super) fn time(&self, origin: Origin<'_>) -> Option<UnixTime> {
        self.recorded.get(&place(origin.source, origin.line, origin.item))?.now
    }

    /// Compares the outcome of an event with the recorded one.
    pub(super) fn compare(&self, replayed: &Replayed<'_>) -> Compared {
        let place = replayed.place();
        let recorded = self.recorded.get(&place).map(|recorded| recorded.line.as_ref());
        let difference = recorded.and_then(|recorded| difference(&place, recorded, replayed, self.shown));
        let is_alone = recorded.is_none() && matches!(self.shown, Shown::Json);
        let line = replayed.line();
        Compared { place, line, difference, replayed: is_alone.then(|| replayed.to_value()) }
    }

    /// The message about an event, if any, in the order of the events. The second event of a place is not recorded.
    pub(super) fn meet(&self, compared: &Compared) -> Option<Difference> {
        let Compared { place, line, difference, replayed } = compared;
        self.last_event.fetch_max(line.unwrap_or_default(), Ordering::Relaxed);
        match self.recorded.get(place) {
            Some(recorded) if !recorded.came.swap(true, Ordering::Relaxed) => difference.clone(),
            None if line.is_some() && *line == self.cut && !self.cut_came.swap(true, Ordering::Relaxed) => {
                None
            }
            Some(_) | None => {
                let text = match self.shown {
                    Shown::Json => DifferenceLine::text(place, None, replayed.as_ref()),
                    Shown::Whole | Shown::Decisions => format!("{}: no outcome was recorded", place.bold()),
                };
                Some(Difference { text, change: None })
            }
        }
    }

    /// Whether an event was left out, because its outcome was not written to its end.
    pub(super) fn has_left_out(&self) -> bool {
        self.cut_came.load(Ordering::Relaxed)
    }

    /// What is said of the recorded events that did not come. If the last event was not written to its end, its outcome
    /// is left out too.
    pub(super) fn left(&self, is_cut: bool) -> impl Iterator<Item = String> {
        let next = self.last_event.load(Ordering::Relaxed).saturating_add(1);
        let cut = is_cut.then(|| place(EVENTS, Some(next), None));
        let left = self.recorded.iter().filter(|(_, recorded)| !recorded.came.load(Ordering::Relaxed));
        let left = left.filter(move |(place, _)| Some(*place) != cut.as_ref());
        left.map(|(place, recorded)| match self.shown {
            Shown::Json => {
                let recorded: Value = serde_json::from_str(&recorded.line).unwrap_or_default();
                DifferenceLine::text(place, Some(&recorded), None)
            }
            Shown::Whole | Shown::Decisions => {
                format!("{}: was recorded, and is not among the events", place.bold())
            }
        })
    }
}

/// How an outcome differs from the recorded one.
fn difference(place: &str, recorded: &str, replayed: &Replayed<'_>, shown: Shown) -> Option<Difference> {
    // The outcome is the same if the text is the same, or if only the order of the members differs.
    if replayed.to_line() == recorded {
        return None;
    }
    let expected: Value = serde_json::from_str(recorded).unwrap_or_default();
    let actual = replayed.to_value();
    if expected == actual {
        return None;
    }
    let (before, now) = (decision(&expected), decision(&actual));
    let change = (before != now).then(|| format!("{before}, now {now}"));
    let text = match (shown, &change) {
        (Shown::Json, _) => DifferenceLine::text(place, Some(&expected), Some(&actual)),
        (Shown::Decisions, Some(_)) => {
            let word = |name: &str| actual.get(name).and_then(Value::as_str).unwrap_or("-").escape_debug();
            let asked = format!("{} {}", word("method"), word("key"));
            format!("{}: {asked}: {}, now {}", place.bold(), before.red(), now.green())
        }
        (Shown::Decisions | Shown::Whole, _) => changes(place, &expected, &actual),
    };
    Some(Difference { text, change })
}

/// A decision in words.
fn decision(outcome: &Value) -> String {
    let word = |name: &str| outcome.get(name).and_then(Value::as_str);
    let status = outcome.get("status").and_then(Value::as_u64).unwrap_or_default();
    let reason = word("reason").unwrap_or("-");
    let rule = word("rule").map(|rule| format!(" by rule {rule}")).unwrap_or_default();
    match word("decision") {
        Some("allow") => format!("allowed{rule}"),
        Some("preflight") => format!("answered {status} {reason}"),
        _ => format!("refused {status} {reason}{rule}"),
    }
}

fn changes(place: &str, expected: &Value, actual: &Value) -> String {
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
