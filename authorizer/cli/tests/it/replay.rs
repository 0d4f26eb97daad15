//! `replay` in the middle of a pipe: its input may be slow, and its reader may stop.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::Value;

use crate::harness::{PROGRAM, ROOT};

fn replay(events: &str) -> Child {
    Command::new(PROGRAM)
        .current_dir(ROOT)
        .args(["replay", "--policy", "fixtures/policies/cases.toml", "--now", "1800000000"])
        .args(["--format", "json", events])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// An event of the fixtures, as a line.
fn event() -> String {
    let path = Path::new(ROOT).join("fixtures/events/anonymous-reads-public.json");
    serde_json::from_str::<Value>(&fs::read_to_string(path).unwrap()).unwrap().to_string() + "\n"
}

fn number(line: &str) -> u64 {
    serde_json::from_str::<Value>(line).unwrap()["line"].as_u64().unwrap()
}

#[test]
fn each_line_is_answered_before_the_next_one_comes() {
    let mut child = replay("-");
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let event = event();
    for expected in 1..=5 {
        // The beginning of the next line does not delay the result of this one.
        let (beginning, rest) = event.split_at(event.len() / 2);
        if expected == 1 {
            input.write_all(beginning.as_bytes()).unwrap();
        }
        input.write_all(rest.as_bytes()).unwrap();
        input.write_all(beginning.as_bytes()).unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(number(&line), expected);
    }
    drop(input);
    // The last line was cut off, so it is not an event.
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert!(line.contains("event_malformed"), "{line}");
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn it_ends_when_nobody_reads_its_result_though_the_input_goes_on() {
    let mut child = replay("-");
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let event = event();
    input.write_all(event.as_bytes()).unwrap();
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    drop(output);
    input.write_all(event.as_bytes()).unwrap();
    // The input is still open.
    assert_eq!(child.wait().unwrap().code(), Some(141));
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "");
    drop(input);
}

#[test]
fn a_slow_reader_gets_every_line_in_order() {
    const LINES: u64 = 3000;
    let mut child = replay("-");
    let mut input = child.stdin.take().unwrap();
    let (event, output) = (event(), child.stdout.take().unwrap());
    let sender = thread::spawn(move || {
        for _ in 0..LINES {
            input.write_all(event.as_bytes()).unwrap();
        }
    });
    // A byte at a time, so that the command has to wait for room in the pipe.
    let mut output = BufReader::with_capacity(1, output);
    let mut lines = 0;
    let mut line = String::new();
    while output.read_line(&mut line).unwrap() > 0 {
        lines += 1;
        assert_eq!(number(&line), lines);
        line.clear();
    }
    sender.join().unwrap();
    assert_eq!((lines, child.wait().unwrap().code()), (LINES, Some(0)));
}

#[test]
fn an_error_comes_after_what_was_replayed_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    for name in ["a.json", "b.json", "d.jsonl"] {
        write(name, event().as_bytes());
    }
    write("c.json", &vec![b' '; 2 * 1024 * 1024]);
    let output = replay(folder.path().to_str().unwrap()).wait_with_output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let sources: Vec<Value> =
        out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["source"].clone()).collect();
    assert_eq!(sources, ["a.json", "b.json"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("c.json` contains an event of more than 1 MiB"), "{said}");
    assert_eq!(output.status.code(), Some(2));
}
