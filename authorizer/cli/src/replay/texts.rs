//! JSON texts in a stream: an event may stand on many lines, several events on one, and an array holds several.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Deserializer;
use serde_json::value::RawValue;

use super::error::ReplayError;
use super::source::{Batch, MAX_EVENT_BYTES};
use crate::in_order::Hand;

/// How deep brackets are followed. An event is far less deep.
const MAX_DEPTH: usize = 128;

/// Hands lines on so that no batch ends within a JSON text. Its methods return false when nothing more must be read.
pub(super) struct Texts {
    source: Arc<str>,
    path: Arc<Path>,
    /// The number of the next line to hand on, from 1.
    next: u64,
    /// The lines of a text that is not complete.
    open: Vec<u8>,
    nesting: Nesting,
    /// The length at which the incomplete text was last read.
    checked: usize,
}

impl Texts {
    pub(super) fn new(path: &Path, source: String) -> Self {
        let (source, path) = (source.into(), path.into());
        Self { source, path, next: 1, open: Vec::new(), nesting: Nesting::default(), checked: 0 }
    }

    /// Takes whole lines, or the last one without its end.
    pub(super) fn add(&mut self, mut block: Vec<u8>, hand: Hand<'_, Batch>) -> bool {
        loop {
            if self.open.is_empty() {
                let rest = block.split_off(self.begin_of_open_text(&block));
                if !block.is_empty() && !hand(self.lines(block)) {
                    return false;
                }
                (self.open, block) = first_line(rest);
                self.checked = 0;
            }
            match self.join(&block) {
                Joined::TooLong => {
                    hand(Batch::Unusable(ReplayError::TooLong { path: self.path.to_path_buf() }));
                    return false;
                }
                Joined::Open => return true,
                Joined::Whole(taken) => {
                    block = block.split_off(taken);
                    if !self.hand_text(hand) {
                        return false;
                    }
                }
                // What began is not JSON, so its first line stands by itself, unless it shows that lines follow it.
                Joined::Broken(taken) => {
                    if let Some(error) = self.broken() {
                        hand(Batch::Unusable(error));
                        return false;
                    }
                    let (line, mut rest) = first_line(std::mem::take(&mut self.open));
                    rest.extend_from_slice(block.get(taken..).unwrap_or_default());
                    block = rest;
                    if !hand(self.lines(line)) {
                        return false;
                    }
                }
            }
        }
    }

    /// Hands on the text that is left. If only its end is missing, it is one event, which is malformed.
    pub(super) fn finish(&mut self, hand: Hand<'_, Batch>) -> bool {
        while reads(&self.open) == Reads::Broken {
            if let Some(error) = self.broken() {
                hand(Batch::Unusable(error));
                return false;
            }
            let (line, rest) = first_line(std::mem::take(&mut self.open));
            if !hand(self.lines(line)) || !self.add(rest, hand) {
                return false;
            }
        }
        self.open.is_empty() || self.hand_text(hand)
    }

    /// The error of a text that stands on several lines: its first one opens an array, or has nothing but brackets, as
    /// printers of JSON write it. A line that was cut off begins otherwise.
    fn broken(&self) -> Option<ReplayError> {
        let end = memchr::memchr(b'\n', &self.open)?;
        let first = self.open.get(..end).unwrap_or_default().trim_ascii();
        let is_text = first.starts_with(b"[") || first.iter().all(|byte| matches!(byte, b'{' | b'[' | b' '));
        if !is_text {
            return None;
        }
        let error = Deserializer::from_slice(&self.open).into_iter::<IgnoredAny>().find_map(Result::err)?;
        let line = u64::try_from(error.line()).unwrap_or(u64::MAX).saturating_sub(1);
        let problem = error.to_string();
        // Its line is that of the text alone.
        let problem = problem.split(" at line ").next().unwrap_or_default().to_owned();
        Some(ReplayError::Json {
            path: self.path.to_path_buf(),
            line: self.next.saturating_add(line),
            problem,
        })
    }

    fn hand_text(&mut self, hand: Hand<'_, Batch>) -> bool {
        let bytes = std::mem::take(&mut self.open);
        let first = self.next;
        self.next = number_after(first, &bytes);
        hand(Batch::Text { source: self.source.clone(), first, bytes })
    }

    /// A batch of lines that are complete.
    fn lines(&mut self, bytes: Vec<u8>) -> Batch {
        let first = self.next;
        self.next = number_after(first, &bytes);
        Batch::Lines { source: self.source.clone(), path: self.path.clone(), first, bytes }
    }

    /// Where the first line begins that begins a text and does not end it. The length, if there is none.
    fn begin_of_open_text(&mut self, block: &[u8]) -> usize {
        let mut begin = 0usize;
        for line in block.split_inclusive(|byte| *byte == b'\n') {
            let begins = matches!(line.trim_ascii_start().first(), Some(b'{' | b'['));
            self.nesting = Nesting::default();
            if begins && line.ends_with(b"\n") && self.nesting.read(line) == Level::Open {
                break;
            }
            begin = begin.saturating_add(line.len());
        }
        begin
    }

    /// Adds lines to the open text until it is complete or cannot be JSON any more.
    fn join(&mut self, block: &[u8]) -> Joined {
        let mut taken = 0usize;
        for line in block.split_inclusive(|byte| *byte == b'\n') {
            self.open.extend_from_slice(line);
            taken = taken.saturating_add(line.len());
            match self.nesting.read(line) {
                Level::Broken => return Joined::Broken(taken),
                Level::Closed => {
                    let is_whole = reads(&self.open) == Reads::Whole;
                    return if is_whole { Joined::Whole(taken) } else { Joined::Broken(taken) };
                }
                // Read at the second line, then at each double length: a line that was cut off does not take the next
                // ones with it, and a long text is not read too often.
                Level::Open if self.open.len() >= self.checked.saturating_mul(2) => {
                    if reads(&self.open) == Reads::Broken {
                        return Joined::Broken(taken);
                    }
                    self.checked = self.open.len();
                }
                Level::Open => {}
            }
            if self.open.len() > MAX_EVENT_BYTES {
                let is_broken = reads(&self.open) == Reads::Broken;
                return if is_broken { Joined::Broken(taken) } else { Joined::TooLong };
            }
        }
        Joined::Open
    }
}

/// What became of the open text. The number is how many bytes of the block it took.
enum Joined {
    Open,
    TooLong,
    Whole(usize),
    Broken(usize),
}

/// The brackets that are open.
#[derive(Debug, Default)]
struct Nesting(Vec<u8>);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Level {
    /// Every bracket is closed.
    Closed,
    Open,
    /// This is not JSON, or it is too deep.
    Broken,
}

impl Nesting {
    /// Reads a line. A JSON string cannot go on in the next one (RFC 8259 section 7).
    fn read(&mut self, line: &[u8]) -> Level {
        let mut bytes = line.iter();
        while let Some(byte) = bytes.next() {
            match byte {
                b'"' if !skip_string(&mut bytes) => return Level::Broken,
                b'{' => self.0.push(b'}'),
                b'[' => self.0.push(b']'),
                b'}' | b']' if self.0.pop() != Some(*byte) => return Level::Broken,
                _ => {}
            }
            if self.0.len() > MAX_DEPTH {
                return Level::Broken;
            }
        }
        if self.0.is_empty() { Level::Closed } else { Level::Open }
    }
}

/// Goes to the end of a string. Returns false if it does not have one.
fn skip_string(bytes: &mut std::slice::Iter<'_, u8>) -> bool {
    loop {
        let Some(place) = memchr::memchr2(b'"', b'\\', bytes.as_slice()) else { return false };
        if bytes.nth(place) == Some(&b'"') {
            return true;
        }
        bytes.next();
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reads {
    /// One JSON text, or several.
    Whole,
    /// It ends too early.
    Begun,
    /// It is not JSON.
    Broken,
}

fn reads(bytes: &[u8]) -> Reads {
    match Deserializer::from_slice(bytes).into_iter::<IgnoredAny>().find_map(Result::err) {
        None => Reads::Whole,
        Some(error) if error.is_eof() => Reads::Begun,
        Some(_) => Reads::Broken,
    }
}

/// The events of a text that is not one event: the elements of an array, or objects one after the other. Where one of
/// them does not even look like an event, the text is a broken one: text behind an event is not left out.
pub(super) fn events_in(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let is_object = |text: &str| text.starts_with('{');
    let mut events = Vec::new();
    let mut is_one = true;
    for text in Deserializer::from_slice(bytes).into_iter::<&RawValue>() {
        let text = text.ok()?.get();
        is_one &= is_object(text) && events.is_empty();
        if is_object(text) {
            events.push(text.as_bytes());
        } else {
            let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            for element in elements {
                events.push(Some(element.get()).filter(|text| is_object(text))?.as_bytes());
            }
        }
    }
    let are_events = || events.iter().all(|event| serde_json::from_slice::<LooksLikeEvent>(event).is_ok());
    (!is_one && are_events()).then_some(events)
}

/// What every event has.
#[derive(Deserialize)]
struct LooksLikeEvent {
    #[serde(rename = "Records")]
    _records: IgnoredAny,
}

fn first_line(mut lines: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    let end = memchr::memchr(b'\n', &lines).map_or(lines.len(), |place| place.saturating_add(1));
    let rest = lines.split_off(end);
    (lines, rest)
}

/// The number of the line after these.
fn number_after(first: u64, lines: &[u8]) -> u64 {
    let ends = memchr::memchr_iter(b'\n', lines).count();
    first.saturating_add(u64::try_from(ends).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_events_of_a_text_are_elements_of_arrays_and_objects_in_a_row() {
        for (text, expected) in [
            (r#"[{"Records":1},{"Records":2}]"#, Some(vec![r#"{"Records":1}"#, r#"{"Records":2}"#])),
            (
                r#"{"Records":1}{"Records":2} [{"Records":3}]"#,
                Some(vec![r#"{"Records":1}"#, r#"{"Records":2}"#, r#"{"Records":3}"#]),
            ),
            (r#"{"Records":1}{}"#, None),
            (r#"[{"Records":1},{"a":2}]"#, None),
            ("[]", Some(vec![])),
            (r#"{"a":1}"#, None),
            (r#"{"a":1} x"#, None),
            (r#"{"a":1} 2"#, None),
            ("[1]", None),
            ("[[{}]]", None),
            ("null", None),
            ("", None),
        ] {
            let events = events_in(text.as_bytes());
            assert_eq!(events, expected.map(|all| all.into_iter().map(str::as_bytes).collect()), "{text}");
        }
    }
}
