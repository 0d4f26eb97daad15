//! The formats for programs: `docs/formats.md` names each, and what is broken is told in the format that was asked for.

use std::fs;
use std::path::Path;

use jsonschema::Validator;
use serde_json::Value;
use serde_sarif::sarif::Sarif;

use crate::harness::{Done, ROOT, authorizer, authorizer_with, command_in};
use crate::sarif;

const GOOD: &str = "fixtures/policies/sample.toml";

fn page() -> String {
    fs::read_to_string(Path::new(ROOT).join("docs/formats.md")).unwrap()
}

/// The schema with this name, in `docs/schemas`.
pub(crate) fn validator(name: &str) -> Validator {
    let path = Path::new(ROOT).join(format!("docs/schemas/{name}.schema.json"));
    jsonschema::validator_for(&serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()).unwrap()
}

#[track_caller]
pub(crate) fn assert_valid(validator: &Validator, document: &Value) {
    let errors: Vec<_> = validator
        .iter_errors(document)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert_eq!(errors, Vec::<String>::new(), "{document:#}");
}

/// The commands that have an output format for programs, with the words for it.
fn commands_with_formats(command: &clap::Command, path: &str, found: &mut Vec<(String, String)>) {
    for below in command.get_subcommands() {
        let path = format!("{path} {}", below.get_name());
        let format = below.get_arguments().find(|argument| argument.get_id() == "format");
        for value in format.iter().flat_map(|format| format.get_possible_values()) {
            if matches!(value.get_name(), "json" | "sarif" | "junit") {
                found.push((path.trim().to_owned(), value.get_name().to_owned()));
            }
        }
        commands_with_formats(below, &path, found);
    }
}

#[test]
fn every_format_for_programs_is_on_the_page() {
    let (page, mut found) = (page(), Vec::new());
    commands_with_formats(&authorizer_cli::command(), "", &mut found);
    assert!(found.len() > 10, "{found:?}");
    let missing: Vec<_> = found
        .iter()
        .filter(|(command, format)| !page.contains(&format!("| `{command} --format {format}` |")))
        .collect();
    assert!(missing.is_empty(), "docs/formats.md does not have {missing:?}");
}

#[test]
fn every_result_for_programs_has_the_version_that_the_page_says() {
    let page = page();
    for arguments in [
        vec!["check", "--format", "json", GOOD],
        vec!["audit", "findings", "--format", "json", GOOD],
        vec!["audit", "diff", "--format", "json", "fixtures/logs/old.toml", "fixtures/logs/new.toml"],
        vec!["audit", "matrix", "--format", "json", "--policy", GOOD],
        vec!["audit", "query", "--format", "json", "--policy", GOOD],
        vec!["audit", "cedar", "--format", "json", GOOD],
        vec!["explain", "--format", "json", "--policy", GOOD, "--key", "a", "--anonymous"],
        vec!["replay", "--format", "json", "--policy", GOOD, "fixtures/events"],
        vec!["token", "inspect", "--format", "json", "eyJhbGciOiJub25lIn0.e30.AA"],
        vec!["keys", "inspect", "--format", "json", "fixtures/policies/keys/sample.jwks.json"],
    ] {
        let done = authorizer(&arguments);
        let format = arguments.iter().position(|word| *word == "--format").unwrap();
        let command = arguments[..format].join(" ");
        let row = format!("| `{command} --format json` | 1 |");
        assert!(page.contains(&row), "docs/formats.md does not have {row}");
        assert!(done.code != 2 && !done.out.is_empty(), "{arguments:?}: {}", done.err);
        for line in done.out.lines() {
            let document: Value = serde_json::from_str(line).unwrap();
            assert_eq!(document["version"], 1, "{arguments:?}: {line}");
        }
    }
}

#[test]
fn an_event_that_cannot_be_read_is_an_error_on_the_last_line() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().to_str().unwrap();
    let absent = folder.path().join("absent");
    let (good, absent) = ("fixtures/events/operation-get.json", absent.to_str().unwrap());
    let policy = "fixtures/policies/cases.toml";
    let error = validator("error");
    for (events, lines) in [(vec![absent], 1), (vec![here], 1), (vec![good, absent], 2)] {
        let fixed = ["replay", "--format", "json", "--policy", policy, "--now", "1800000000"];
        let done = authorizer(&[&fixed[..], &events].concat());
        let written: Vec<Value> = done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((done.code, written.len()), (2, lines), "{events:?}: {}", done.err);
        assert!(error.is_valid(written.last().unwrap()), "{events:?}");
    }
}

#[test]
fn whatever_cannot_be_read_is_told_in_the_format_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let here = folder.path().to_str().unwrap().to_owned();
    let absent = folder.path().join("absent").to_str().unwrap().to_owned();
    let broken = [
        here.clone(),
        absent,
        file("empty.toml", b""),
        file("binary.toml", &[0, 159, 146, 150]),
        file("text.toml", b"hello"),
        file("version.toml", b"version = 2\n"),
        file("salt.toml", b"version = 1\n[log]\nclaims_salt = 1\n"),
        file("json.toml", b"{\"version\": 1}"),
    ];
    let (error, schema) = (validator("error"), sarif::schema());
    let sarif = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    for input in &broken {
        let input = input.as_str();
        for (command, format) in [
            (vec!["explain", "--policy", input, "--key", "a", "--anonymous"], "json"),
            (vec!["replay", "--policy", input, "fixtures/events"], "json"),
            (vec!["replay", "--bundle", input, "fixtures/events"], "json"),
            (vec!["test", "--policy", input], "json"),
            (vec!["test", "--policy", GOOD, input], "json"),
            (vec!["backtest", "--policy", input, "-"], "json"),
            (vec!["audit", "cedar", input], "json"),
            (vec!["audit", "diff", input, GOOD], "json"),
            (vec!["audit", "diff", GOOD, input], "json"),
            (vec!["audit", "matrix", "--policy", input], "json"),
            (vec!["audit", "query", "--policy", input], "json"),
            (vec!["audit", "findings", input], "json"),
            (vec!["audit", "findings", input], "sarif"),
            (vec!["audit", "deployment", "fixtures/deployments/good", "--policy", input], "json"),
            (vec!["audit", "deployment", "fixtures/deployments/good", "--policy", input], "sarif"),
            (vec!["audit", "deployment", input, "--policy", GOOD], "json"),
            (vec!["audit", "deployment", input, "--policy", GOOD], "sarif"),
            (
                vec![
                    "audit",
                    "deployment",
                    "fixtures/deployments/good",
                    "--policy",
                    GOOD,
                    "--accepted",
                    input,
                ],
                "json",
            ),
            (
                vec![
                    "audit",
                    "deployment",
                    "fixtures/deployments/good",
                    "--policy",
                    GOOD,
                    "--package",
                    input,
                ],
                "sarif",
            ),
            (vec!["token", "inspect", "--policy", input, "e30.e30.AA"], "json"),
            (vec!["serve", "--policy", input], "json"),
        ] {
            // A file of accepted findings may be empty.
            if command.contains(&"--accepted") && input.ends_with("empty.toml") {
                continue;
            }
            let Done { code, out, err } =
                authorizer_with(&[command.as_slice(), &["--format", format]].concat(), "");
            assert_eq!(code, 2, "{command:?}: {out}{err}");
            let document: Value =
                serde_json::from_str(&out).unwrap_or_else(|error| panic!("{command:?}: {error}: {out}"));
            assert!(!err.is_empty(), "people read standard error");
            match format {
                "json" => assert_valid(&error, &document),
                _ => {
                    assert_valid(&sarif, &document);
                    let read: Sarif = serde_json::from_str(&out).unwrap();
                    assert!(!read.runs[0].invocations.as_ref().unwrap()[0].execution_successful);
                }
            }
        }
    }
}

#[test]
fn check_looks_at_every_policy_and_says_of_each_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.toml");
    fs::write(&bad, "version = 2\n").unwrap();
    let salt = folder.path().join("salt.toml");
    fs::write(&salt, "version = 1\n[log]\nclaims_salt = 1\n").unwrap();
    let (bad, salt, here) = (bad.to_str().unwrap(), salt.to_str().unwrap(), folder.path().to_str().unwrap());
    let read = fs::read_to_string(Path::new(ROOT).join(GOOD)).unwrap();
    let other = "fixtures/logs/old.toml";

    let json = authorizer_with(&["check", "--format", "json", bad, GOOD, salt, here, other, GOOD], "");
    assert_eq!(json.code, 2);
    let schema = validator("check");
    let lines: Vec<Value> = json.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.iter().for_each(|line| assert_valid(&schema, line));
    let told: Vec<_> =
        lines.iter().map(|line| (line["policy"].as_str().unwrap(), line["error"].is_null())).collect();
    assert_eq!(told, [(bad, false), (GOOD, true), (salt, false), (here, false), (other, true), (GOOD, true)]);
    assert_eq!(lines[0]["error"]["problems"][0]["file"], bad);
    assert!(lines[3]["error"]["message"].as_str().unwrap().contains("is a folder"), "{}", json.out);
    for policy in [bad, salt, here] {
        assert!(json.err.contains(&format!("{policy}:\n")), "{}", json.err);
    }

    let text = authorizer(&["check", bad, GOOD, other]);
    assert_eq!(text.code, 2);
    assert_eq!(text.out.matches(" is a valid policy\n").count(), 2, "{}", text.out);
    assert!(!text.out.contains(bad), "{}", text.out);
    assert_eq!(authorizer(&["check", GOOD, other, GOOD]).code, 0);

    // Standard input is one of them. Its key file is relative to the present folder.
    let keys = read.replace("file = \"", "file = \"fixtures/policies/");
    let piped = authorizer_with(&["check", "--format", "json", other, "-"], keys.as_str());
    assert_eq!(piped.code, 0, "{}", piped.err);
    let last: Value = serde_json::from_str(piped.out.lines().last().unwrap()).unwrap();
    assert_eq!(last["policy"], "-");
    let piped = authorizer_with(&["check", "--format", "json", "-"], "version = 2\n");
    assert_eq!(piped.code, 2);
    let told: Value = serde_json::from_str(&piped.out).unwrap();
    assert_valid(&schema, &told);
    assert_eq!(told["error"]["problems"][0]["file"], "-");
}

#[test]
fn the_schemas_refuse_what_is_not_of_their_format() {
    let check = validator("check");
    let good: Value = serde_json::from_str(&authorizer(&["check", "--format", "json", GOOD]).out).unwrap();
    assert!(check.is_valid(&good));
    for member in good.as_object().unwrap().keys() {
        let mut without = good.clone();
        without.as_object_mut().unwrap().remove(member);
        assert!(!check.is_valid(&without), "{member} is left out");
        let mut other = good.clone();
        other[member] = serde_json::json!({});
        assert!(!check.is_valid(&other), "{member} is an object");
    }
    let mut version = good;
    version["version"] = 2.into();
    assert!(!check.is_valid(&version));
}

/// Serde refuses such a path, and `json!` then panics.
#[cfg(target_os = "linux")]
#[test]
fn a_path_that_is_not_utf8_is_told_as_near_as_json_can() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let folder = tempfile::tempdir().unwrap();
    let named = |bytes: &[u8]| folder.path().join(OsStr::from_bytes(bytes));
    let (policy, keys) = (named(b"caf\xe9.toml"), named(b"caf\xe9.json"));
    let fixtures = Path::new(ROOT).join("fixtures");
    fs::copy(fixtures.join("policies/keys/sample.jwks.json"), &keys).unwrap();
    let text = fs::read_to_string(Path::new(ROOT).join(GOOD)).unwrap();
    let text = text.replace("file = \"", &format!("file = \"{}/policies/", fixtures.to_str().unwrap()));
    fs::write(&policy, text).unwrap();
    let export = fixtures.join("deployments/good");
    let words = |words: &'static [&'static str]| words.iter().map(OsStr::new).collect::<Vec<_>>();
    for (command, files) in [
        (words(&["check"]), vec![&policy]),
        (words(&["audit", "findings"]), vec![&policy]),
        (words(&["audit", "diff"]), vec![&policy, &policy]),
        (words(&["audit", "cedar"]), vec![&policy]),
        (words(&["audit", "deployment", "--policy"]), vec![&policy, &export]),
        (words(&["keys", "inspect"]), vec![&keys]),
        (words(&["explain", "--key", "a", "--anonymous", "--policy"]), vec![&policy]),
        (words(&["replay", "fixtures/events", "--policy"]), vec![&policy]),
    ] {
        let mut run = command_in(ROOT, &[]);
        let done = Done::of(run.args(&command).args(&files).args(["--format", "json"]));
        assert!(!done.err.contains("panicked") && done.code != 2, "{command:?}: {}", done.err);
        for line in done.out.lines() {
            serde_json::from_str::<Value>(line).unwrap();
        }
        assert!(!done.out.is_empty(), "{command:?}: {}", done.err);
    }
}
