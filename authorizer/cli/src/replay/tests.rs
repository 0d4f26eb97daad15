//! Lines cut into batches anywhere, replayed by any number of threads.

use std::fs;
use std::io::{BufReader, Cursor};
use std::path::Path;

use anstream::ColorChoice;
use authorizer_core::{Authorizer, UnixTime};
use authorizer_policy::PolicyFile;
use proptest::prelude::*;
use serde_json::Value;

use super::case::{Origin, Replayed};
use super::error::ReplayError;
use super::source::{MAX_EVENT_BYTES, Reader};
use super::work::{Counts, Replay};
use crate::in_order::in_order;
use crate::output::Format;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures");

fn authorizer() -> Authorizer {
    let policy = PolicyFile::load(&Path::new(FIXTURES).join("policies/cases.toml")).unwrap();
    Authorizer::new(policy.into_bundle())
}

fn now() -> UnixTime {
    UnixTime::from_seconds(1_800_000_000)
}

/// An event of the fixtures, on one line.
fn event(name: &str) -> String {
    let text = fs::read_to_string(Path::new(FIXTURES).join("events").join(name)).unwrap();
    serde_json::from_str::<Value>(&text).unwrap().to_string()
}

/// The result of the command for lines that come in pieces of `piece` bytes.
fn replayed(text: &[u8], piece: usize, workers: usize) -> (String, Counts, Option<ReplayError>) {
    let (format, color) = (Format::Json, ColorChoice::Never);
    let replay = Replay { authorizer: authorizer(), now: now(), format, color, expectations: None };
    let input = BufReader::with_capacity(piece, Cursor::new(text.to_vec()));
    let (mut written, mut counts) = (Vec::new(), Counts::default());
    let result = in_order(
        workers,
        move |hand| {
            Reader::new(hand).read_lines(Path::new("events.jsonl"), "events.jsonl".to_owned(), input);
        },
        move |batch| replay.batch(batch),
        |done| {
            written.extend_from_slice(done.lines.as_bytes());
            counts.add(done.counts);
            done.error.map_or(Ok(()), Err)
        },
    );
    (String::from_utf8(written).unwrap(), counts, result.err())
}

/// The same, one line after the other.
fn one_by_one(text: &[u8]) -> String {
    let authorizer = authorizer();
    let mut written = String::new();
    for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
        if !line.trim_ascii().is_empty() {
            let origin = Origin::line("events.jsonl", number);
            written.push_str(&Replayed::new(origin, authorizer.authorize(line, now())).to_line());
            written.push('\n');
        }
    }
    written
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_result_is_that_of_one_line_after_the_other_however_they_are_cut_and_dealt_out(
        kinds in prop::collection::vec(0..6usize, 0..40),
        ends in any::<bool>(),
        piece in prop_oneof![1..4usize, 400..3000usize],
        workers in 1..6usize,
    ) {
        let lines = [
            event("algorithm-rs256.json"),
            event("expired.json"),
            event("anonymous-reads-public.json"),
            "no event".to_owned(),
            " \r".to_owned(),
            String::new(),
        ];
        let lines: Vec<&str> = kinds.iter().map(|kind| lines[*kind].as_str()).collect();
        let text = lines.join("\n") + if ends { "\n" } else { "" };
        let (written, counts, error) = replayed(text.as_bytes(), piece, workers);
        prop_assert!(error.is_none());
        prop_assert_eq!(counts.all(), kinds.iter().filter(|kind| **kind < 4).count() as u64);
        prop_assert_eq!(written, one_by_one(text.as_bytes()));
    }
}

#[test]
fn a_line_that_is_too_long_stops_the_command_after_what_came_before_it() {
    let good = event("anonymous-reads-public.json") + "\n";
    for (length, is_too_long) in
        [(MAX_EVENT_BYTES - 1, false), (MAX_EVENT_BYTES, true), (3 * MAX_EVENT_BYTES, true)]
    {
        let text =
            [good.repeat(5).into_bytes(), vec![b'x'; length], b"\n".to_vec(), good.clone().into_bytes()]
                .concat();
        for (piece, workers) in [(1000, 1), (64 * 1024, 2), (8 * 1024 * 1024, 3)] {
            let (written, counts, error) = replayed(&text, piece, workers);
            assert_eq!(matches!(error, Some(ReplayError::TooLong { .. })), is_too_long, "{length} {piece}");
            assert_eq!(counts.all(), if is_too_long { 5 } else { 7 });
            let numbers: Vec<u64> = written
                .lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap()["line"].as_u64().unwrap())
                .collect();
            assert_eq!(numbers, (1..=counts.all()).collect::<Vec<_>>());
        }
    }
}

#[test]
fn no_line_has_no_result() {
    let (written, counts, error) = replayed(b"", 1000, 2);
    assert_eq!((written.as_str(), counts.all(), error.is_none()), ("", 0, true));
}
