//! A broken policy, and a program that reads JSON, SARIF or JUnit XML: it gets a document, and the exit status is 2.

use std::fs;

use serde_json::Value;

use crate::harness::{authorizer, authorizer_with};

const MISSPELT: &str = "version = 1\n\n[[rules]]\nid = \"a\"\nefect = \"allow\"\n";

#[test]
fn every_command_with_a_format_for_programs_says_in_it_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let broken = [
        (write("misspelt.toml", MISSPELT), "efect", Some(5)),
        (write("cut-off.toml", "version = 1\n\n[[rules"), "", Some(3)),
        (
            write(
                "no-issuer.toml",
                "version = 1\n[[rules]]\nid = \"a\"\neffect = \"allow\"\nmethods = [\"GTE\"]\nkeys = [\"a/**\"]\n",
            ),
            "GTE",
            Some(5),
        ),
        (folder.path().join("absent.toml").to_str().unwrap().to_owned(), "absent.toml", None),
    ];
    let good = "fixtures/policies/sample.toml";
    for (policy, word, line) in &broken {
        for (command, format) in [
            (vec!["check", policy], "json"),
            (vec!["explain", "--policy", policy, "--key", "a", "--anonymous"], "json"),
            (vec!["replay", "--policy", policy, "fixtures/events"], "json"),
            (vec!["test", "--policy", policy], "json"),
            (vec!["backtest", "--policy", policy, "-"], "json"),
            (vec!["audit", "cedar", policy], "json"),
            (vec!["audit", "diff", policy, good], "json"),
            (vec!["audit", "diff", good, policy], "json"),
            (vec!["audit", "matrix", "--policy", policy], "json"),
            (vec!["audit", "query", "--policy", policy], "json"),
            (vec!["audit", "findings", policy], "json"),
            (vec!["audit", "findings", policy], "sarif"),
            (vec!["serve", "--policy", policy], "json"),
        ] {
            let done = authorizer_with(&[command.as_slice(), &["--format", format]].concat(), "");
            assert_eq!(done.code, 2, "{command:?}");
            let lines: Vec<&str> = done.out.lines().collect();
            assert_eq!(lines.len(), 1, "{command:?}: {} {}", done.out, done.err);
            let told: Value = serde_json::from_str(&done.out).unwrap();
            assert!(done.out.contains(word), "{command:?}: {}", done.out);
            assert!(!done.err.is_empty(), "people read standard error");
            let place = match format {
                "json" => &told["error"]["problems"][0]["line"],
                _ => {
                    let run = &told["runs"][0]["invocations"][0];
                    assert_eq!(run["executionSuccessful"], false);
                    &run["toolExecutionNotifications"][0]["locations"][0]["physicalLocation"]["region"]["startLine"]
                }
            };
            assert_eq!(place.as_u64(), *line, "{command:?}: {}", done.out);
        }
        // People get text, and nothing on standard output.
        assert_eq!(authorizer(&["check", policy]).out, "");
    }
}

#[test]
fn the_configuration_that_attach_writes_is_not_mixed_with_its_error() {
    let function = "arn:aws:lambda:us-east-1:123456789012:function:f";
    let arguments = [
        "detach",
        "--function-arn",
        function,
        "--behavior",
        "all",
        "--bucket-is-closed",
        "--format",
        "json",
        "-",
    ];
    let done = authorizer_with(&arguments, "{");
    assert_eq!((done.code, done.out.as_str()), (2, ""));
    assert!(serde_json::from_str::<Value>(&done.err).unwrap()["error"]["message"].is_string());
}

#[test]
fn arguments_that_no_command_takes_are_an_error_in_the_format_too() {
    for (arguments, word) in [
        (vec!["replay", "--format", "json", "--policy", "p.toml", "--now", "soon", "e.json"], "soon"),
        (vec!["check", "--format=json", "--nope", "p.toml"], "--nope"),
        (vec!["explain", "--policy", "p.toml", "--format", "json"], "EVENT"),
        (vec!["audit", "query", "--format", "json", "p.toml", "--keys", "{{"], "{{"),
        (vec!["attach", "--format", "json", "-"], "--behavior"),
        (vec!["--color", "never", "attach", "--format", "json", "WRONG"], "--behavior"),
    ] {
        let done = authorizer(&arguments);
        assert_eq!(done.code, 2, "{arguments:?}");
        let (told, is_beside) =
            if arguments.contains(&"attach") { (&done.err, true) } else { (&done.out, false) };
        let told: Value = serde_json::from_str(told).unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
        let problem = &told["error"]["problems"][0];
        assert!(problem["message"].as_str().unwrap().contains(word), "{arguments:?}: {told}");
        assert!(problem["remedy"].is_string(), "{arguments:?}: {told}");
        assert!(is_beside || done.err.starts_with("error: "), "people read standard error");
    }
    let done = authorizer(&["audit", "findings", "--format", "sarif", "--nope"]);
    assert_eq!((done.code, done.out.contains("toolExecutionNotifications")), (2, true));
    for arguments in [vec!["check", "--nope"], vec!["check", "--format", "text", "--nope"]] {
        assert_eq!(authorizer(&arguments).out, "", "{arguments:?}");
    }
}

#[test]
fn a_reader_of_junit_gets_junit() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("misspelt.toml");
    fs::write(&policy, MISSPELT).unwrap();
    let policy = policy.to_str().unwrap();
    for (arguments, word) in [
        (vec!["test", "--policy", policy, "--format", "junit"], "misspelt.toml:5:1: `efect`"),
        (vec!["test", "--policy", policy, "--format", "junit", "--min-coverage", "x"], "--min-coverage"),
    ] {
        let done = authorizer(&arguments);
        assert_eq!(done.code, 2, "{arguments:?}");
        assert!(done.out.starts_with("<?xml ") && done.out.contains("errors=\"1\""), "{}", done.out);
        assert!(done.out.contains("<error ") && done.out.contains(word), "{}", done.out);
    }
}
