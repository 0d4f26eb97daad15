//! The core and `authorizer replay` give the results that the fixtures expect.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use authorizer_core::outcome::Outcome;
use authorizer_core::{Authorizer, UnixTime};
use authorizer_e2e::binaries;
use authorizer_e2e::fixtures::{self, NOW, Seen, Suite};
use authorizer_policy::PolicyFile;
use serde_json::{Value, json};
use tempfile::TempDir;

fn file_name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// The files of a folder and its subfolders.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn authorizer(suite: Suite) -> Authorizer {
    let policy = PolicyFile::load(&suite.policy()).unwrap();
    Authorizer::new(policy.into_bundle())
}

/// Runs `authorizer replay` with the policy and at the instant of the cases.
fn replay<A: AsRef<OsStr>>(suite: Suite, arguments: impl IntoIterator<Item = A>, stdin: &[u8]) -> Output {
    let mut command = Command::new(binaries::authorizer());
    command.args(["replay", "--now", &NOW.to_string(), "--policy"]).arg(suite.policy());
    command.args(arguments).env("NO_COLOR", "1");
    let streams = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = streams.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || pipe.write_all(stdin).unwrap());
        child.wait_with_output().unwrap()
    })
}

/// Runs `authorizer replay --expect`: its exit status and its output.
fn hold_against(suite: Suite, expected: &Path, events: &Path) -> (Option<i32>, String) {
    let output = replay(suite, [OsStr::new("--expect"), expected.as_os_str(), events.as_os_str()], b"");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

/// The output of `replay --format json`, without the places of the events.
fn outcomes(json_lines: &[u8]) -> Vec<Value> {
    let line = |line: &str| {
        let mut outcome: Value = serde_json::from_str(line).unwrap();
        let members = outcome.as_object_mut().unwrap();
        members.remove("source");
        members.remove("line");
        outcome
    };
    std::str::from_utf8(json_lines).unwrap().lines().map(line).collect()
}

/// The names of the events, in the order of a replay, and the text of each on one line. JSON has line breaks only
/// between its tokens, so malformed events stay malformed in the same way. An empty event cannot be a line.
fn lines(suite: Suite) -> (Vec<String>, Vec<u8>) {
    let mut events = files(&suite.events());
    events.sort();
    let texts = events.iter().map(|path| fs::read_to_string(path).unwrap().replace('\n', " "));
    let (names, texts): (Vec<_>, Vec<_>) =
        events.iter().map(|path| file_name(path)).zip(texts).filter(|(_, text)| !text.is_empty()).unzip();
    (names, (texts.join("\n") + "\n").into_bytes())
}

/// The recorded outcomes of these events, without their places.
fn recorded(suite: Suite, names: &[String]) -> Vec<Value> {
    let expected = fs::read_to_string(suite.expected()).unwrap();
    let is_wanted = |line: &&str| {
        let outcome: Value = serde_json::from_str(line).unwrap();
        names.iter().any(|name| outcome["source"] == name.as_str())
    };
    outcomes(expected.lines().filter(is_wanted).collect::<Vec<_>>().join("\n").as_bytes())
}

/// The expected outcomes with one line changed or left out, in a folder that is removed with the value.
fn altered(suite: Suite, alter: impl Fn(&str) -> Option<String>) -> (TempDir, PathBuf) {
    let text = fs::read_to_string(suite.expected()).unwrap();
    let text: String = text.lines().filter_map(alter).map(|line| line + "\n").collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("expected.jsonl");
    fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn every_case_has_its_event_and_every_event_its_case() {
    for suite in Suite::ALL {
        let cases = suite.cases().unwrap().cases;
        let cases: BTreeSet<_> = cases.iter().map(|case| format!("{}.json", case.name)).collect();
        let events: BTreeSet<_> = files(&suite.events()).iter().map(|path| file_name(path)).collect();
        assert_eq!(cases, events, "{suite:?}");
    }
}

#[test]
fn every_word_that_the_decision_log_can_say_has_a_case() {
    let suites = Suite::ALL.map(|suite| suite.cases().unwrap());
    assert_eq!(fixtures::reasons_without_a_case(&suites), Vec::<String>::new());
}

#[test]
fn the_core_decides_every_case_as_it_was_written_by_hand() {
    let mut disagreements = Vec::new();
    for suite in Suite::ALL {
        let authorizer = authorizer(suite);
        for case in &suite.cases().unwrap().cases {
            let event = fs::read(suite.event(&case.name)).unwrap();
            let authorized = authorizer.authorize(&event, UnixTime::from_seconds(NOW));
            disagreements.extend(Seen::new(case.name.clone(), authorized).unwrap().disagreements(case));
        }
    }
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
}

/// The headers that a rule may have added: docs/policy.md, Uploads.
fn is_of_an_upload(name: &str) -> bool {
    name == "if-none-match" || name.starts_with("x-amz-meta-")
}

#[test]
fn what_goes_on_differs_from_the_event_in_path_query_and_headers_alone() {
    for suite in Suite::ALL {
        let authorizer = authorizer(suite);
        let mut forwarded = 0;
        for path in files(&suite.events()) {
            let event = fs::read(&path).unwrap();
            let Outcome::Forward(request) = authorizer.authorize(&event, UnixTime::from_seconds(NOW)).outcome
            else {
                continue;
            };
            forwarded += 1;
            let event: Value = serde_json::from_slice(&event).unwrap();
            let mut before = event["Records"][0]["cf"]["request"].clone();
            let mut after = serde_json::to_value(request).unwrap();
            let headers = after["headers"].as_object().unwrap();
            for (name, lines) in headers {
                let is_as_it_came = *lines == before["headers"][name];
                assert!(is_as_it_came || is_of_an_upload(name), "{path:?}: {name} is another");
                assert!(!["authorization", "cookie"].contains(&name.as_str()), "{path:?}");
            }
            for request in [&mut before, &mut after] {
                for name in ["uri", "querystring", "headers"] {
                    request.as_object_mut().unwrap().remove(name);
                }
            }
            assert_eq!(before, after, "{path:?}");
        }
        assert!(forwarded > 50, "only {forwarded} cases of {suite:?} are allowed");
    }
}

#[test]
fn replay_finds_no_difference_from_the_recorded_outcomes() {
    for suite in Suite::ALL {
        let (status, printed) = hold_against(suite, &suite.expected(), &suite.events());
        assert_eq!(status, Some(0), "{printed}");
        let cases = suite.cases().unwrap().cases.len();
        assert_eq!(printed, format!("{cases} events, 0 differences from what was recorded\n"));
    }
}

#[test]
fn replay_exits_1_and_shows_both_sides_when_an_outcome_was_recorded_otherwise() {
    let (_folder, expected) =
        altered(Suite::Tokens, |line| match line.contains("\"source\":\"deny-over-allow.json\"") {
            true => Some(line.replace("\"denied_by_rule\"", "\"key_not_allowed\"")),
            false => Some(line.to_owned()),
        });
    let (status, printed) = hold_against(Suite::Tokens, &expected, &Suite::Tokens.events());
    assert_eq!(status, Some(1));
    let shown: Vec<&str> = printed.lines().filter(|line| !line.starts_with("  ")).collect();
    assert_eq!(
        shown,
        [
            "deny-over-allow.json: - recorded, + now",
            "-   \"reason\": \"key_not_allowed\",",
            "+   \"reason\": \"denied_by_rule\",",
            &format!(
                "{} events, 1 difference from what was recorded",
                Suite::Tokens.cases().unwrap().cases.len()
            ),
        ]
    );
}

#[test]
fn replay_exits_1_and_names_the_event_that_was_not_recorded() {
    let (_folder, expected) = altered(Suite::Tokens, |line| {
        (!line.contains("\"source\":\"deny-over-allow.json\"")).then(|| line.to_owned())
    });
    let (status, printed) = hold_against(Suite::Tokens, &expected, &Suite::Tokens.events());
    assert_eq!(status, Some(1));
    assert!(printed.starts_with("deny-over-allow.json: no outcome was recorded\n"), "{printed}");
    assert_eq!(printed.lines().count(), 2, "{printed}");
}

#[test]
fn replay_exits_1_and_names_the_recorded_event_that_is_gone() {
    let suite = Suite::Tokens;
    let folder = tempfile::tempdir().unwrap();
    for event in files(&suite.events()) {
        if file_name(&event) != "deny-over-allow.json" {
            fs::copy(&event, folder.path().join(file_name(&event))).unwrap();
        }
    }
    let (status, printed) = hold_against(suite, &suite.expected(), folder.path());
    assert_eq!(status, Some(1));
    assert!(
        printed.starts_with("deny-over-allow.json: was recorded, and is not among the events\n"),
        "{printed}"
    );
    assert_eq!(printed.lines().count(), 2, "{printed}");
}

#[test]
fn json_lines_give_the_outcomes_of_the_files() {
    for suite in Suite::ALL {
        let (names, lines) = lines(suite);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        fs::write(&path, &lines).unwrap();
        let output = replay(suite, [OsStr::new("--format"), OsStr::new("json"), path.as_os_str()], b"");
        assert_eq!(output.status.code(), Some(1), "some are refused");
        assert_eq!(outcomes(&output.stdout), recorded(suite, &names));
    }
}

#[test]
fn json_lines_on_standard_input_give_the_outcomes_of_the_files() {
    for suite in Suite::ALL {
        let (names, lines) = lines(suite);
        let output = replay(suite, ["--format", "json", "-"], &lines);
        assert_eq!(output.status.code(), Some(1), "some are refused");
        assert_eq!(outcomes(&output.stdout), recorded(suite, &names));
    }
}

#[test]
fn one_pretty_printed_event_on_standard_input_gives_its_outcome() {
    let suite = Suite::Tokens;
    for (name, status) in [("operation-get", 0), ("deny-over-allow", 1), ("event-uri-twice", 1)] {
        let event = fs::read(suite.event(name)).unwrap();
        assert!(event.iter().filter(|byte| **byte == b'\n').count() > 10, "{name} is pretty-printed");
        let output = replay(suite, ["--format", "json", "-"], &event);
        assert_eq!(output.status.code(), Some(status), "{name}");
        assert_eq!(outcomes(&output.stdout), recorded(suite, &[format!("{name}.json")]), "{name}");
    }
}

/// The policies, and the keys that they name.
fn policies() -> Vec<PathBuf> {
    let sample = files(&fixtures::folder().join("policies"));
    let suites = Suite::ALL.into_iter().flat_map(|suite| {
        let mut paths = files(&suite.keys());
        paths.push(suite.policy());
        paths
    });
    sample.into_iter().chain(suites).collect()
}

#[test]
fn the_policies_of_the_fixtures_are_usable() {
    for path in policies() {
        // A file of tests is beside its policy.
        let is_of_tests = path.to_str().is_some_and(|path| path.ends_with(".tests.toml"));
        if path.extension().is_some_and(|extension| extension == "toml") && !is_of_tests {
            assert!(PolicyFile::load(&path).is_ok(), "{path:?}");
        }
    }
}

/// The files in the repository, and new files that git does not ignore.
fn committed_files() -> Vec<PathBuf> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(binaries::root());
    let output = git.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).unwrap();
    let paths = names.split('\0').filter(|name| !name.is_empty()).map(|name| binaries::root().join(name));
    paths.filter(|path| path.is_file()).collect()
}

/// Whether a text contains a private key in PEM (RFC 7468 section 2). The first line alone, as in source code that
/// writes one, does not count.
fn holds_pem(text: &str) -> bool {
    text.split("PRIVATE KEY-----").skip(1).any(|rest| {
        let line = rest.split_whitespace().next().unwrap_or_default();
        line.len() >= 32 && line.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b))
    })
}

/// Whether a JWK in a JSON value is a private or a secret one: RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1.
fn holds_private_jwk(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            let is_private =
                ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| members.contains_key(*name));
            members.contains_key("kty") && is_private || members.values().any(holds_private_jwk)
        }
        Value::Array(values) => values.iter().any(holds_private_jwk),
        _ => false,
    }
}

#[test]
fn no_committed_file_holds_a_private_key() {
    let mut key_files = 0;
    for path in committed_files() {
        let bytes = fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!holds_pem(&text), "{path:?}");
        if let Ok(json) = serde_json::from_str(&text) {
            assert!(!holds_private_jwk(&json), "{path:?}");
            key_files += usize::from(file_name(&path).ends_with(".jwks.json"));
        }
    }
    assert!(key_files >= 4, "the key files of the fixtures are among them");
}

#[test]
fn a_private_key_would_be_found() {
    let folder = tempfile::tempdir().unwrap();
    let keygen = ["token", "keygen", "new", "--dir"].map(OsStr::new);
    binaries::run(keygen.into_iter().chain([folder.path().as_os_str()]));
    assert!(holds_pem(&fs::read_to_string(folder.path().join("new.private.pem")).unwrap()));
    assert!(holds_private_jwk(&json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "AA"}]})));
}

#[test]
fn no_fixture_speaks_of_a_private_key_at_all() {
    for path in policies() {
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("PRIVATE KEY") && !text.contains("\"d\""), "{path:?}");
    }
}
