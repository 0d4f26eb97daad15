//! The schemas of output formats: whatever a test of this binary makes a command write for programs is as its schema says,
//! and each schema refuses what is not of its format.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use authorizer_core::record::DecisionLine;
use authorizer_core::{Authorizer, UnixTime};
use authorizer_policy::PolicyFile;
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::formats::{assert_valid, validator};
use crate::generated::schemas::names;
use crate::harness::{Done, PROGRAM, ROOT, authorizer, authorizer_with};

/// The commands that write JSON, each with the name of its schema.
const FORMATS: [(&[&str], &str); 20] = [
    (&["attach"], "attach"),
    (&["audit", "cedar"], "cedar"),
    (&["audit", "deployment"], "findings"),
    (&["audit", "diff"], "diff"),
    (&["audit", "findings"], "findings"),
    (&["audit", "matrix"], "matrix"),
    (&["audit", "query"], "query"),
    (&["backtest"], "backtest"),
    (&["check"], "check"),
    (&["detach"], "attach"),
    (&["explain"], "explain"),
    (&["keys", "discover"], "keys-discover"),
    (&["keys", "fetch"], "keys-fetch"),
    (&["keys", "inspect"], "keys-inspect"),
    (&["package", "--verify"], "package-verify"),
    (&["package"], "package"),
    (&["replay"], "replay"),
    (&["serve"], "serve"),
    (&["test"], "test"),
    (&["token", "inspect"], "token-inspect"),
];

fn validators() -> &'static BTreeMap<&'static str, Validator> {
    static VALIDATORS: OnceLock<BTreeMap<&'static str, Validator>> = OnceLock::new();
    VALIDATORS.get_or_init(|| {
        let names = FORMATS.iter().map(|(_, name)| *name).chain(["error", "decision-log"]);
        names.map(|name| (name, validator(name))).collect()
    })
}

/// The schema of what these arguments make the program write, if that is JSON.
fn schema_of(arguments: &[&str]) -> Option<&'static str> {
    let at = arguments.iter().position(|argument| *argument == "--format")?;
    if arguments.get(at + 1) != Some(&"json") || arguments.contains(&"--help") {
        return None;
    }
    let words: Vec<&str> =
        arguments.iter().copied().filter(|argument| !argument.starts_with("--color")).collect();
    FORMATS.iter().find(|(command, _)| words.starts_with(command)).map(|(_, schema)| *schema)
}

/// Whether what a command wrote for programs is as its schema says.
#[track_caller]
pub(crate) fn holds(arguments: &[&str], done: &Done) {
    let Some(name) = schema_of(arguments) else { return };
    let is_beside = name == "attach";
    // What is compared with a file is text.
    let is_text = arguments.contains(&"--expect");
    if is_text || std::env::var_os("UPDATE_DOCS").is_some() {
        return;
    }
    let written = if is_beside { &done.err } else { &done.out };
    for line in written.lines().filter(|line| line.starts_with('{')) {
        let document: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {line}"));
        // `check` says why a policy cannot be used, in the line of that policy.
        let is_error = document.get("error").is_some() && document.get("policy").is_none();
        assert!(!is_error || done.code == 2, "{arguments:?}: {line}");
        assert_valid(&validators()[if is_error { "error" } else { name }], &document);
    }
}

#[test]
fn every_format_has_a_schema_and_the_page_names_it() {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/formats.md")).unwrap();
    let names = names();
    for (command, name) in FORMATS {
        assert!(names.iter().any(|one| one == name), "{name}");
        let command = command.join(" ");
        let row = page.lines().find(|line| line.starts_with(&format!("| `{command} --format json` |")));
        let link = format!("(schemas/{name}.schema.json)");
        assert!(
            row.is_some_and(|row| row.contains(&link)),
            "docs/formats.md does not have {link} for {command}"
        );
    }
    for name in names.iter().filter(|name| !matches!(name.as_str(), "policy" | "tests")) {
        assert!(page.contains(&format!("(schemas/{name}.schema.json)")), "{name}");
    }
}

#[test]
fn what_commands_write_of_unusual_input_is_as_the_schemas_say() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let empty = file("empty.toml", "version = 1\n");
    let sample = "fixtures/policies/sample.toml";
    let undecided = "fixtures/audit/findings/EA019/triggers.toml";
    let tests = file(
        "some.tests.toml",
        "version = 1\n[[tests]]\nname = \"reads\"\nrequest = \"GET /public/a\"\nanonymous = true\nexpect = \"allow\"\n\
         [[tests]]\nname = \"fails\"\nrequest = \"GET /private/a\"\nanonymous = true\nexpect = \"allow\"\n",
    );
    let lines = file("lines.jsonl", "{}\nnot json\n");
    let mut commands: Vec<Vec<String>> = [
        vec!["check", &empty, sample, undecided, "absent.toml", &tests],
        vec!["audit", "findings", &empty],
        vec!["audit", "findings", undecided],
        vec!["audit", "diff", &empty, &empty],
        vec!["audit", "diff", &empty, sample],
        vec!["audit", "diff", sample, &empty],
        vec!["audit", "diff", &empty, undecided],
        vec!["audit", "matrix", &empty],
        vec!["audit", "matrix", sample],
        vec!["audit", "matrix", "--deployment", "fixtures/deployments/good=fixtures/deployments/policy.toml"],
        vec!["audit", "query", &empty],
        vec!["audit", "query", sample, "--anonymous"],
        vec!["audit", "query", undecided],
        vec!["audit", "cedar", &empty],
        vec!["audit", "cedar", sample],
        vec![
            "audit",
            "deployment",
            "fixtures/deployments/good",
            "--policy",
            "fixtures/deployments/policy.toml",
        ],
        vec!["explain", "--policy", &empty, "--key", "a", "--anonymous"],
        vec![
            "explain",
            "--policy",
            sample,
            "--key",
            "users/alice/a",
            "--claims",
            "{\"sub\":\"alice\"}",
            "--issuer",
            "staff",
        ],
        vec!["explain", "--policy", sample, "--key", "a", "--anonymous", "--method", "PATCH"],
        vec!["replay", "--policy", sample, "fixtures/events"],
        vec!["replay", "--policy", &empty, "-"],
        vec!["test", "--policy", sample, &tests],
        vec!["test", "--policy", &empty, &tests],
        vec!["backtest", "--policy", sample, &lines],
        vec!["token", "inspect", "eyJhbGciOiJub25lIn0.e30.AA"],
        vec!["token", "inspect", "--policy", sample, "eyJhbGciOiJub25lIn0.e30.AA"],
        vec!["token", "inspect", "e30"],
        vec!["keys", "inspect", "fixtures/policies/keys/sample.jwks.json"],
        vec!["keys", "inspect", &empty],
    ]
    .into_iter()
    .map(|words| words.into_iter().map(str::to_owned).collect())
    .collect();
    let toml = |folder: &str| -> Vec<String> {
        let all = walkdir::WalkDir::new(Path::new(ROOT).join(folder)).into_iter();
        let paths = all.map(|one| one.unwrap().path().to_str().unwrap().to_owned());
        paths.filter(|path| path.ends_with(".toml") && !path.ends_with(".tests.toml")).collect()
    };
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    commands.push([words(&["check"]), toml("fixtures/audit")].concat());
    for policy in toml("fixtures/audit/policies") {
        for command in [["audit", "findings"], ["audit", "matrix"]] {
            commands.push([words(&command), vec![policy.clone()]].concat());
        }
        commands.push([words(&["audit", "diff", sample]), vec![policy]].concat());
    }
    let mut seen = BTreeMap::new();
    for command in commands {
        let words: Vec<&str> = command.iter().map(String::as_str).chain(["--format", "json"]).collect();
        // The harness looks at what is written.
        let done = authorizer_with(&words, "[{}, 1]\n");
        assert!(
            done.out.starts_with('{') && !done.err.contains("panicked"),
            "{words:?}: {}{}",
            done.out,
            done.err
        );
        *seen.entry(schema_of(&words).unwrap()).or_insert(0) += 1;
    }
    assert!(seen.len() > 11, "{seen:?}");
}

#[test]
fn a_line_of_the_decision_log_is_as_its_schema_says() {
    let decision_log = &validators()["decision-log"];
    let mut count = 0;
    for policy in ["fixtures/policies/sample.toml", "fixtures/logs/new.toml"] {
        let path = Path::new(ROOT).join(policy);
        let authorizer = Authorizer::new(PolicyFile::load(&path).unwrap().into_bundle());
        for event in fs::read_dir(Path::new(ROOT).join("fixtures/events")).unwrap() {
            let event = fs::read(event.unwrap().path()).unwrap();
            for now in [1_800_000_000, u64::MAX] {
                let record = authorizer.authorize(&event, UnixTime::from_seconds(now)).record;
                assert_valid(decision_log, &json!(DecisionLine::new(&record, 12)));
                count += 1;
            }
        }
    }
    assert!(count > 100, "{count}");
}

#[test]
fn each_schema_refuses_what_is_not_of_its_format() {
    for (name, schema) in validators() {
        for wrong in
            [json!(null), json!([]), json!({}), json!({"version": 1}), json!({"version": 2, "error": {}})]
        {
            assert!(!schema.is_valid(&wrong), "{name}: {wrong}");
        }
    }
    let good = authorizer(&[
        "audit",
        "diff",
        "--format",
        "json",
        "fixtures/logs/old.toml",
        "fixtures/logs/new.toml",
    ]);
    let good: Value = serde_json::from_str(&good.out).unwrap();
    let schema = &validators()["diff"];
    for member in good.as_object().unwrap().keys() {
        let mut without = good.clone();
        without.as_object_mut().unwrap().remove(member);
        assert!(!schema.is_valid(&without), "{member} is left out");
        let mut other = good.clone();
        other[member] = json!(7.5);
        assert!(!schema.is_valid(&other), "{member} is a number");
    }
    // New members may come.
    let mut more = good;
    more["new"]["more"] = json!({});
    more["more"] = json!([]);
    assert!(schema.is_valid(&more));
}

#[test]
fn a_warning_has_an_id_and_its_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    let rule = "[[rules]]\neffect = \"allow\"\nmethods = [\"PUT\"]\nanonymous = true\n";
    let text = format!(
        "version = 1\n{rule}id = \"a\"\nkeys = [\"a/**\", \"*\", \"arn:aws:s3:::b/c\", \"u/$(sub)\"]\n\
         upload = {{ content_types = [\"image/jpg\"] }}\n"
    );
    fs::write(&path, text).unwrap();
    let done = authorizer(&["check", "--format", "json", path.to_str().unwrap()]);
    assert_eq!(done.code, 0, "{}", done.err);
    let document: Value = serde_json::from_str(&done.out).unwrap();
    let warnings: Vec<_> = document["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap().to_owned();
            (text("id"), text("place"), one["line"].as_u64(), one["column"].as_u64())
        })
        .collect();
    let told =
        |id: &str, place: &str, line, column| (id.to_owned(), place.to_owned(), Some(line), Some(column));
    assert_eq!(
        warnings,
        [
            told("star-alone", "rules[0].keys[1]", 7, 17),
            told("bucket-in-pattern", "rules[0].keys[2]", 7, 22),
            told("other-placeholder", "rules[0].keys[3]", 7, 42),
            told("EA069", "rules[0].upload.content_types[0]", 8, 29),
        ]
    );
}

#[test]
fn the_lines_of_serve_are_as_their_schema_says() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let mut serving = Command::new(PROGRAM)
        .args(["serve", "--policy", "fixtures/policies/sample.toml", "--listen", "127.0.0.1:0"])
        .args(["--data", data, "--no-console", "--format", "json"])
        .current_dir(ROOT)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(serving.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    let started = next();
    let addr = started["addr"].as_str().unwrap();
    let mut written = vec![started.clone()];
    for request in ["GET /public/a", "DELETE /users/a/b", "GET /a//b"] {
        let mut connection = TcpStream::connect(addr).unwrap();
        write!(connection, "{request} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n").unwrap();
        connection.read_to_end(&mut Vec::new()).unwrap();
        written.push(next());
    }
    serving.kill().unwrap();
    serving.wait().unwrap();
    for line in &written {
        assert_valid(&validators()["serve"], line);
    }
    assert!(
        written[1..].iter().all(|line| line["status"].is_u64() && line["record"].is_object()),
        "{written:?}"
    );
}
