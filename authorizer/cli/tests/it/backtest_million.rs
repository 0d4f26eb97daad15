//! Logs of any length are read at once, and take the memory of a short one.
//!
//! In a debug build the longest log has 50,000 lines, unless `BACKTEST_LINES` sets another number. `make
//! backtest-million` runs a release build with a million lines, and prints the rate.

use std::fs;
use std::io::{BufWriter, Write as _};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::harness::{PROGRAM, ROOT, authorizer};
use crate::logs::{FIELDS, access, decision};

/// The result of one log.
struct Run {
    result: Value,
    peak_kib: u64,
    seconds: f64,
}

/// Writes lines to the command, and measures it before the end of the input.
fn run(lines: u64, head: &str, write: impl Fn(u64, &mut String)) -> Run {
    let started = Instant::now();
    let mut child = Command::new(PROGRAM)
        .current_dir(ROOT)
        .args(["backtest", "--policy", "fixtures/logs/new.toml", "--old", "fixtures/logs/old.toml"])
        .args(["--depth", "2", "--format", "json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = BufWriter::with_capacity(1 << 20, child.stdin.take().unwrap());
    input.write_all(head.as_bytes()).unwrap();
    let mut text = String::new();
    for number in 0..lines {
        text.clear();
        write(number, &mut text);
        input.write_all(text.as_bytes()).unwrap();
    }
    input.flush().unwrap();
    // Everything was read by now, except what is in the pipe.
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak_kib = peak.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let seconds = started.elapsed().as_secs_f64();
    Run { result: serde_json::from_slice(&output.stdout).unwrap(), peak_kib, seconds }
}

fn many() -> u64 {
    std::env::var("BACKTEST_LINES").map_or(50_000, |lines| lines.parse().unwrap())
}

/// A log with a tenth of the lines, and one with all, take about the same memory.
fn holds_memory(what: &str, head: &str, write: impl Fn(u64, &mut String)) -> Value {
    let lines = many();
    let short = run(lines / 10, head, &write);
    let long = run(lines, head, &write);
    for (lines, run) in [(lines / 10, &short), (lines, &long)] {
        eprintln!(
            "{what}: {lines} lines in {:.2} s, {:.0} lines a second, at most {:.1} MiB resident",
            run.seconds,
            lines as f64 / run.seconds,
            run.peak_kib as f64 / 1024.0
        );
    }
    assert!(
        long.peak_kib < short.peak_kib * 3 / 2 + 16 * 1024,
        "{} KiB for ten times the lines, {} KiB before",
        long.peak_kib,
        short.peak_kib
    );
    long.result
}

fn bundle() -> String {
    let done = authorizer(&["check", "--format", "json", "fixtures/logs/old.toml"]);
    let summary: Value = serde_json::from_str(&done.out).unwrap();
    summary["bundle_sha256"].as_str().unwrap().to_owned()
}

#[test]
fn a_long_decision_log_takes_the_memory_of_a_short_one() {
    let lines = many();
    let result = holds_memory("decision log", "", decision(&bundle()));
    let counts = &result["counts"];
    assert_eq!(result["requests"], lines);
    for (count, expected) in [
        ("same_allow", lines / 5 * 2),
        ("newly_refused", lines / 5),
        ("cannot_be_told", lines / 5),
        ("same_refusal", lines / 5),
    ] {
        assert_eq!(counts[count], expected, "{count}: {counts}");
    }
    assert_groups(&result);
}

#[test]
fn a_long_access_log_takes_the_memory_of_a_short_one() {
    let lines = many();
    let result = holds_memory("access log", FIELDS, access);
    let counts = &result["counts"];
    assert_eq!(result["requests"], lines);
    for (count, expected) in
        [("same_allow", lines / 4 * 2), ("newly_refused", lines / 4), ("same_refusal", lines / 4)]
    {
        assert_eq!(counts[count], expected, "{count}: {counts}");
    }
    assert_groups(&result);
}

/// The number of groups is limited, and requests of other groups are still counted.
fn assert_groups(result: &Value) {
    let counted = |list: &str| -> u64 {
        result[list].as_array().unwrap().iter().map(|group| group["count"].as_u64().unwrap()).sum()
    };
    let groups = result["groups"].as_array().unwrap().len();
    assert!(groups <= 10_000, "{groups}");
    let counts = &result["counts"];
    let changed: u64 = ["newly_allowed", "newly_refused", "cannot_be_told"]
        .iter()
        .map(|count| counts[count].as_u64().unwrap())
        .sum();
    assert_eq!(counted("groups") + counted("others"), changed);
}
