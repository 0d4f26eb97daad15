//! Counts the instructions of decisions, of loading a policy, of the audit and of a replay, under valgrind.
//!
//! `make bench-counts` runs this, and prints the counts beside those in `tests/counts/counts.tsv`. The keys and the
//! tokens are in `tokens.json`: with new ones, a signature would take another number of instructions.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::exit,
    reason = "a benchmark stops at the first thing that is not as it should be"
)]
#![allow(clippy::allow_attributes_without_reason, reason = "gungraun's macros write some")]
#![allow(dead_code, reason = "the benches whose inputs these are use more of them")]

#[path = "../../../../authorizer/core/benches/decision/policies.rs"]
mod policies;
#[path = "../../../../authorizer/core/benches/decision/requests.rs"]
mod requests;
#[path = "../../../../authorizer/cli/benches/scale/policies.rs"]
mod written;

use std::hint::black_box;
use std::path::{Path, PathBuf};

use authorizer_analysis::diff;
use authorizer_core::record::{DecisionLine, DecisionRecord};
use authorizer_core::token::SignatureAlgorithm;
use authorizer_core::{Authorizer, UnixTime};
use authorizer_findings::policy::{PolicySubject, findings};
use authorizer_policy::PolicyFile;
use gungraun::{library_benchmark, library_benchmark_group, main};
use serde_json::Value;
use tempfile::TempDir;

use crate::requests::{NOW, event};
use crate::written::Change;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures");
const OWN: &str = "/users/alice/photos/a.jpg";

/// What decides, and the event.
type Question = (Authorizer, Vec<u8>);

fn now() -> UnixTime {
    UnixTime::from_seconds(NOW)
}

/// Has the allocator put in order what the set-up freed. glibc leaves that to the next larger allocation
/// (`malloc_consolidate`), which would be one of those that are counted: it is the work of the set-up, and with 10,000
/// rules 200 times that of a decision. The set-up must have dropped all that it does not return.
fn settled<T>(made: T) -> T {
    // Below the size that glibc maps apart. One sorts at most 10,000 of the free chunks.
    (0..100).for_each(|_| drop(black_box(Vec::<u8>::with_capacity(100 * 1024))));
    made
}

/// A token of this algorithm, or a member beside it.
fn of(algorithm: &str, member: &str) -> Value {
    let tokens: Value = serde_json::from_str(include_str!("tokens.json")).unwrap();
    tokens[algorithm][member].clone()
}

/// A token, a policy with so many rules, and a path. `first` says whether the token comes for the first time.
fn question(algorithm: &str, token: &str, rules: usize, uri: &str, first: bool) -> Question {
    let signs = SignatureAlgorithm::ALL.into_iter().find(|one| one.name() == algorithm).unwrap();
    let policy = policies::policy(signs, &of(algorithm, "jwk"), policies::rules(rules));
    let authorizer = policies::authorizer(&policy);
    let token = of(algorithm, token);
    let event = event("GET", uri, token.as_str());
    // The first decision of a process is not like those after it.
    decide((authorizer.clone(), requests::event("GET", uri, None)));
    if !first {
        decide((authorizer.clone(), event.clone()));
    }
    (authorizer, event)
}

fn new(algorithm: &str) -> Question {
    settled(question(algorithm, "token", 10, OWN, true))
}

fn repeated(algorithm: &str) -> Question {
    settled(question(algorithm, "token", 10, OWN, false))
}

fn of_size(rules: usize) -> Question {
    let uri = format!("/team-{}/alice/report-7.pdf", rules - 2);
    settled(question("RS256", "token", rules, &uri, false))
}

fn denied(rules: usize) -> Question {
    let uri = format!("/team-{}/alice/sealed/a.pdf", rules - 2);
    settled(question("RS256", "token", rules, &uri, false))
}

fn refused(uri: &str) -> Question {
    settled(question("RS256", "token", 10, uri, false))
}

fn bad(token: &str) -> Question {
    settled(question("RS256", token, 10, OWN, true))
}

fn bad_again(token: &str) -> Question {
    settled(question("RS256", token, 10, OWN, false))
}

fn without_token() -> Question {
    let (authorizer, _) = question("RS256", "token", 10, OWN, false);
    settled((authorizer, event("GET", OWN, None)))
}

/// Returns what it was given too, so that it is not dropped where it would count.
fn decide((authorizer, event): Question) -> (Vec<u8>, Question) {
    let authorized = authorizer.authorize(black_box(&event), now());
    let outcome = serde_json::to_vec(&authorized.outcome).unwrap();
    drop(authorized);
    (outcome, (authorizer, event))
}

#[library_benchmark]
#[bench::new_rs256(args = ("RS256"), setup = new)]
#[bench::new_ps256(args = ("PS256"), setup = new)]
#[bench::new_es256(args = ("ES256"), setup = new)]
#[bench::new_es384(args = ("ES384"), setup = new)]
#[bench::new_eddsa(args = ("EdDSA"), setup = new)]
#[bench::repeated_rs256(args = ("RS256"), setup = repeated)]
#[bench::repeated_ps256(args = ("PS256"), setup = repeated)]
#[bench::repeated_es256(args = ("ES256"), setup = repeated)]
#[bench::repeated_es384(args = ("ES384"), setup = repeated)]
#[bench::repeated_eddsa(args = ("EdDSA"), setup = repeated)]
#[bench::rules_10(args = (10), setup = of_size)]
#[bench::rules_100(args = (100), setup = of_size)]
#[bench::rules_1000(args = (1_000), setup = of_size)]
#[bench::rules_10000(args = (10_000), setup = of_size)]
#[bench::denied_by_rule(args = (10), setup = denied)]
#[bench::key_not_allowed(args = ("/elsewhere/a"), setup = refused)]
#[bench::path_not_canonical(args = ("/users//a"), setup = refused)]
#[bench::token_missing(setup = without_token)]
#[bench::token_expired(args = ("expired"), setup = bad)]
#[bench::token_expired_again(args = ("expired"), setup = bad_again)]
#[bench::signature_invalid(args = ("forged"), setup = bad)]
fn decision(question: Question) -> (Vec<u8>, Question) {
    decide(question)
}

fn logged() -> DecisionRecord<'static> {
    let (authorizer, event) = question("RS256", "token", 10, OWN, false);
    authorizer.authorize(&event, now()).record.into_owned()
}

fn line() -> DecisionRecord<'static> {
    settled(logged())
}

#[library_benchmark]
#[bench::allowed(setup = line)]
fn log_line(record: DecisionRecord<'static>) -> (Vec<u8>, DecisionRecord<'static>) {
    (serde_json::to_vec(&DecisionLine::new(black_box(&record), 7)).unwrap(), record)
}

library_benchmark_group!(name = decisions, benchmarks = [decision, log_line]);

fn bundle(rules: usize) -> Vec<u8> {
    let policy = policies::policy(SignatureAlgorithm::Rs256, &of("RS256", "jwk"), policies::rules(rules));
    policies::bundle(&policy)
}

fn settled_bundle(rules: usize) -> Vec<u8> {
    settled(bundle(rules))
}

#[library_benchmark]
#[bench::rules_10(args = (10), setup = settled_bundle)]
#[bench::rules_1000(args = (1_000), setup = settled_bundle)]
fn load_bundle(bundle: Vec<u8>) -> (Authorizer, Vec<u8>) {
    (policies::read(black_box(&bundle)), bundle)
}

fn file(rules: usize) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = written::write(folder.path(), rules, None);
    (folder, path)
}

fn settled_file(rules: usize) -> (TempDir, PathBuf) {
    settled(file(rules))
}

#[library_benchmark]
#[bench::rules_10(args = (10), setup = settled_file)]
#[bench::rules_1000(args = (1_000), setup = settled_file)]
fn load_toml((folder, path): (TempDir, PathBuf)) -> (PolicyFile, TempDir) {
    (PolicyFile::load(black_box(&path)).unwrap(), folder)
}

library_benchmark_group!(name = load, benchmarks = [load_bundle, load_toml]);

fn changed(change: Change) -> (Authorizer, Authorizer) {
    let folder = tempfile::tempdir().unwrap();
    let of = |change| written::authorizer(&written::write(folder.path(), 100, change));
    settled((of(None), of(Some(change))))
}

#[library_benchmark]
#[bench::order(args = (Change::Order), setup = changed)]
#[bench::wider(args = (Change::Wider), setup = changed)]
#[bench::everything(args = (Change::Everything), setup = changed)]
#[bench::metadata(args = (Change::Metadata), setup = changed)]
fn diff_of_100_rules((old, new): (Authorizer, Authorizer)) -> (usize, Authorizer, Authorizer) {
    let changes = diff(black_box(&old), black_box(&new)).unwrap();
    (size_of_val(&changes), old, new)
}

fn reviewed(rules: usize) -> (PolicyFile, Authorizer) {
    let (_folder, path) = file(rules);
    let file = PolicyFile::load(&path).unwrap();
    let authorizer = Authorizer::new(file.bundle().clone());
    settled((file, authorizer))
}

#[library_benchmark]
#[bench::rules_100(args = (100), setup = reviewed)]
fn findings_of((file, authorizer): (PolicyFile, Authorizer)) -> (usize, PolicyFile, Authorizer) {
    let found = findings(&PolicySubject::new(black_box(file.document()), &authorizer, now()));
    (found.len(), file, authorizer)
}

library_benchmark_group!(name = audit, benchmarks = [diff_of_100_rules, findings_of]);

/// The policy of the fixtures, and every event there, in the order of the names.
fn recorded() -> (Authorizer, Vec<Vec<u8>>) {
    let file = PolicyFile::load(&Path::new(FIXTURES).join("policies/cases.toml")).unwrap();
    let events = std::fs::read_dir(Path::new(FIXTURES).join("events")).unwrap();
    let mut paths: Vec<PathBuf> = events.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let events = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    let authorizer = Authorizer::new(file.into_bundle());
    settled((authorizer, events))
}

// Each event, decided and written.
#[library_benchmark]
#[bench::fixtures(setup = recorded)]
fn replay((authorizer, events): (Authorizer, Vec<Vec<u8>>)) -> (usize, Authorizer, Vec<Vec<u8>>) {
    let written = events.iter().map(|event| {
        let authorized = authorizer.authorize(black_box(event), now());
        let outcome = serde_json::to_vec(&authorized.outcome).unwrap();
        let line = serde_json::to_vec(&DecisionLine::new(&authorized.record, 7)).unwrap();
        outcome.len() + line.len()
    });
    (written.sum(), authorizer, events)
}

library_benchmark_group!(name = recorded_events, benchmarks = replay);

main!(library_benchmark_groups = [decisions, load, audit, recorded_events]);
