//! Logs of any length are read at once, and take the memory of a short one.
//!
//! In a debug build the longest log has 50,000 lines, unless `BACKTEST_LINES` says otherwise; `make
//! backtest-million` asks a release build for a million, and prints the rate.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::fmt::Write as _;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::process::{Command, Stdio};
use std::time::Instant;

use authorizer_core::record::sha256_hex;
use serde_json::Value;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What came of one log.
struct Run {
    result: Value,
    peak_kib: u64,
    seconds: f64,
}

/// Writes lines into the command, and looks at it before it sees the end.
fn run(lines: u64, head: &str, write: impl Fn(u64, &mut String)) -> Run {
    let started = Instant::now();
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("authorizer"))
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
    // All but what the pipe holds was read by now.
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak_kib = peak.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let seconds = started.elapsed().as_secs_f64();
    Run { result: serde_json::from_slice(&output.stdout).unwrap(), peak_kib, seconds }
}

fn decision(bundle: &str) -> impl Fn(u64, &mut String) + use<'_> {
    const ALLOWED: &str = r#""decision":"allow","reason":"allowed_by_rule""#;
    let subject = |name: &str| sha256_hex(format!("https://login.example.com/\n{name}").as_bytes());
    let other = subject("other");
    move |number, text| {
        // Every folder is another one, so that there are more groups than are kept apart.
        let user = number % 50_021;
        let owner = || subject(&format!("u{user}"));
        let (operation, key, verdict) = match number % 5 {
            0 => (
                "GetObject",
                format!("users/u{user}/a{number}.txt"),
                format!(
                    r#"{ALLOWED},"rule":"owners-manage-their-files","issuer":"staff","subject":"{}""#,
                    owner()
                ),
            ),
            1 => (
                "PutObject",
                format!("users/u{user}/b.txt"),
                format!(
                    r#"{ALLOWED},"rule":"owners-manage-their-files","issuer":"staff","subject":"{}""#,
                    owner()
                ),
            ),
            2 => (
                "GetObject",
                format!("public/p{user}/logo.svg"),
                format!(r#"{ALLOWED},"rule":"anyone-reads-public""#),
            ),
            3 => (
                "PutObject",
                format!("records/r{user}/x.csv"),
                format!(r#"{ALLOWED},"rule":"admins-manage-everything","issuer":"staff""#),
            ),
            _ => (
                "GetObject",
                format!("users/u{user}/c.txt"),
                format!(
                    r#""decision":"refuse","status":403,"reason":"key_not_allowed","issuer":"staff","subject":"{other}""#
                ),
            ),
        };
        let method = operation.get(..3).unwrap().to_uppercase();
        writeln!(
            text,
            r#"{{"log_version":1,"request_id":"r{number}","distribution_id":"E","method":"{method}","operation":"{operation}","key":"{key}",{verdict},"bundle_sha256":"{bundle}","micros":61}}"#
        )
        .unwrap();
    }
}

const FIELDS: &str = "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) \
    cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type \
    x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher \
    x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte \
    x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end\n";

fn access(number: u64, text: &mut String) {
    let user = number % 50_021;
    let (method, stem, status, result) = match number % 4 {
        0 => ("GET", format!("/users/u{user}/a{number}%2520b.txt"), "200", "Miss"),
        1 => ("PUT", format!("/records/r{user}/b.txt"), "200", "Miss"),
        2 => ("GET", format!("/public/p{user}/logo.svg"), "200", "Hit"),
        _ => ("DELETE", format!("/users/u{user}/c.txt"), "403", "LambdaGeneratedResponse"),
    };
    writeln!(
        text,
        "2027-01-15\t08:00:00\tFRA56-P4\t512\t203.0.113.9\t{method}\td.cloudfront.net\t{stem}\t{status}\t-\tcurl/8\t-\t-\t\
         {result}\tid\tfiles.example.com\thttps\t310\t0.021\t-\tTLSv1.3\tTLS_AES_128_GCM_SHA256\t{result}\tHTTP/2.0\t\
         -\t-\t40404\t0.021\t{result}\ttext/plain\t12\t-\t-"
    )
    .unwrap();
}

fn many() -> u64 {
    std::env::var("BACKTEST_LINES").map_or(50_000, |lines| lines.parse().unwrap())
}

/// A log of a tenth of the lines, and one of all, take about the same.
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
    let output = Command::new(assert_cmd::cargo::cargo_bin("authorizer"))
        .current_dir(ROOT)
        .args(["check", "--format", "json", "fixtures/logs/old.toml"])
        .output()
        .unwrap();
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
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

/// No more groups than are kept apart, and nothing is lost beside them.
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
