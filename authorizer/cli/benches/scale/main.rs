//! The cost of long policies and long logs: `cargo bench -p authorizer-cli`.
//!
//! `replay` and `backtest` are the command itself, from its start to its end, on a file; `policy_load`, `audit_diff`,
//! `audit_matrix` and `audit_findings` are the functions behind `check` and `audit`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "the inputs are our own, and a measurement must stop if it fails"
)]

mod inputs;
#[path = "../../tests/it/logs.rs"]
mod logs;
mod policies;

use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};

use authorizer_analysis::{diff, matrix};
use authorizer_core::{Bundle, UnixTime};
use authorizer_findings::policy::{PolicySubject, findings};
use authorizer_policy::PolicyFile;
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use tempfile::TempDir;

use crate::policies::Change;

/// The number of lines that a command reads.
const LINES: usize = 200_000;

/// The number of rules of a long policy.
const RULES: usize = 1000;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Runs the command to its end. It may find something, but it must be able to read everything.
fn authorizer(arguments: &[&str]) {
    let status = Command::new(env!("CARGO_BIN_EXE_authorizer"))
        .current_dir(inputs::FIXTURES)
        .args(arguments)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(matches!(status.code(), Some(0 | 1)), "{arguments:?}");
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn replay(criterion: &mut Criterion) {
    let folder = folder();
    let events = inputs::events(folder.path(), LINES);
    let mut group = criterion.benchmark_group("replay");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(LINES as u64));
    for format in ["json", "text"] {
        let arguments =
            ["replay", "--policy", "policies/cases.toml", "--now", "1800000000", "--format", format];
        let arguments = [&arguments[..], &[text(&events)]].concat();
        group.bench_function(format, |bencher| bencher.iter(|| authorizer(&arguments)));
    }
}

fn backtest(criterion: &mut Criterion) {
    let folder = folder();
    let load = |path: &Path| PolicyFile::load(path).unwrap();
    let (old, new) = (Path::new("logs/old.toml"), Path::new("logs/new.toml"));
    let bundle = load(&Path::new(inputs::FIXTURES).join(old)).bundle().sha256().to_owned();
    let long = policies::write(folder.path(), RULES, None);
    let wider = policies::write(folder.path(), RULES, Some(Change::Wider));
    let of_long = load(&long).bundle().sha256().to_owned();
    let log =
        |name, head, write: &dyn Fn(u64, &mut String)| inputs::log(folder.path(), name, head, LINES, write);
    let access = log("access.log", logs::FIELDS, &logs::access);
    let decisions = log("decisions.jsonl", "", &logs::decision(&bundle));
    let of_many = log("teams.jsonl", "", &inputs::of_teams(&of_long, RULES));
    let mut group = criterion.benchmark_group("backtest");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(LINES as u64));
    for (name, old, new, log) in [
        ("access_log", old, new, access),
        ("decision_log", old, new, decisions),
        ("decision_log_1000_rules", &long, &wider, of_many),
    ] {
        let arguments = ["backtest", "--policy", text(new), "--old", text(old), text(&log)];
        group.bench_function(name, |bencher| bencher.iter(|| authorizer(&arguments)));
    }
}

fn policy_load(criterion: &mut Criterion) {
    let folder = folder();
    let mut group = criterion.benchmark_group("policy_load");
    group.sample_size(10);
    for rules in [10, 100, 1000, 10_000] {
        let path = policies::write(folder.path(), rules, None);
        group.bench_function(BenchmarkId::new("toml", rules), |bencher| {
            bencher.iter(|| PolicyFile::load(black_box(&path)).unwrap());
        });
        let bundle = PolicyFile::load(&path).unwrap().bundle_json().to_vec();
        group.bench_function(BenchmarkId::new("bundle", rules), |bencher| {
            bencher.iter(|| Bundle::read(black_box(&bundle)).unwrap());
        });
    }
}

fn audit_diff(criterion: &mut Criterion) {
    let folder = folder();
    let of = |change| policies::authorizer(&policies::write(folder.path(), RULES, change));
    let old = of(None);
    let mut group = criterion.benchmark_group("audit_diff");
    group.sample_size(10);
    for change in Change::ALL {
        let new = of(Some(change));
        group.bench_function(format!("{change:?}"), |bencher| {
            bencher.iter(|| diff(black_box(&old), black_box(&new)).unwrap());
        });
    }
}

fn audit_matrix(criterion: &mut Criterion) {
    let folder = folder();
    let mut group = criterion.benchmark_group("audit_matrix");
    group.sample_size(10);
    for (allows, denies) in [(40, 20), (400, 200)] {
        let policy = policies::authorizer(&policies::write_table(folder.path(), allows, denies));
        group.bench_function(format!("{allows}x{denies}"), |bencher| {
            bencher.iter(|| matrix(black_box(&policy)).unwrap());
        });
    }
}

fn audit_findings(criterion: &mut Criterion) {
    let folder = folder();
    let file = PolicyFile::load(&policies::write(folder.path(), RULES, None)).unwrap();
    let authorizer = authorizer_core::Authorizer::new(file.bundle().clone());
    let now = UnixTime::from_seconds(1_800_000_000);
    let mut group = criterion.benchmark_group("audit_findings");
    group.sample_size(10);
    group.bench_function(RULES.to_string(), |bencher| {
        bencher.iter(|| findings(&PolicySubject::new(black_box(file.document()), &authorizer, now)));
    });
}

criterion_group!(scale, replay, backtest, policy_load, audit_diff, audit_matrix, audit_findings);
criterion_main!(scale);
