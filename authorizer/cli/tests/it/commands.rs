//! The commands as a person meets them: what they print, where, and their exit status.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Done, NOW, PROGRAM, ROOT, authorizer, authorizer_with};

/// A folder with the sample policy and its own key.
fn sample() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    assert_eq!(authorizer(&["token", "keygen", "sample", "--dir", keys.to_str().unwrap()]).code, 0);
    fs::copy(Path::new(ROOT).join("fixtures/policies/sample.toml"), folder.path().join("policy.toml"))
        .unwrap();
    folder
}

/// The same, with one change.
fn sample_with(from: &str, to: &str) -> TempDir {
    let folder = sample();
    let policy = folder.path().join("policy.toml");
    let text = fs::read_to_string(&policy).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(policy, text.replacen(from, to, 1)).unwrap();
    folder
}

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

fn mint(folder: &TempDir, more: &[&str]) -> String {
    let key = path(folder, "keys/sample.private.pem");
    let fixed =
        ["token", "mint", "--key", &key, "--issuer", "https://login.example.com/", "--audience", "files-api"];
    let done = authorizer(&[fixed.as_slice(), more].concat());
    assert_eq!(done.code, 0, "{}", done.err);
    done.out.trim_end().to_owned()
}

#[test]
fn check_sums_a_good_policy_up() {
    let done = authorizer(&["check", "fixtures/policies/sample.toml"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    let (summary, bundle) = done.out.rsplit_once("sha256 ").unwrap();
    assert_eq!(bundle.trim_end().len(), 64);
    insta::assert_snapshot!(summary);
    let json: Value = serde_json::from_str(
        &authorizer(&["check", "--format", "json", "fixtures/policies/sample.toml"]).out,
    )
    .unwrap();
    assert_eq!((&json["version"], &json["deny_rules"]), (&1.into(), &1.into()));
}

#[test]
fn what_cannot_be_used_is_one_diagnostic_and_exit_2() {
    let folder = sample();
    let policy = path(&folder, "policy.toml");
    fs::write(folder.path().join("binary"), [0u8, 159, 146, 150]).unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    let (binary, empty, here) = (path(&folder, "binary"), path(&folder, "empty"), path(&folder, ""));
    for arguments in [
        vec!["check", "/nonexistent/policy.toml"],
        vec!["check", &here],
        vec!["check", &binary],
        vec!["replay", "--policy", &policy, "/nonexistent/events"],
        vec!["replay", "--policy", &policy, &empty],
        vec!["replay", "--policy", &policy, "--expect", &binary, "fixtures/events"],
        vec!["replay", "--bundle", &policy, "fixtures/events"],
        vec!["replay", "--bundle", "/nonexistent", "fixtures/events"],
        vec!["explain", "--policy", &policy, "/nonexistent/event.json"],
        vec!["explain", "--policy", &policy, &here],
        vec!["explain", "--policy", &policy, "--key", "a"],
        vec!["explain", "--policy", &policy, "--key", "/a", "--anonymous"],
        vec!["explain", "--policy", &policy, "--key", "a", "--issuer", "nobody"],
        vec!["explain", "--policy", &policy, "--key", "a", "--claims", "{"],
        vec!["explain", "--policy", &policy, "--key", "a", "--claims", "{\"sub\": \"a\", \"sub\": \"b\"}"],
        vec!["explain", "--policy", &policy, "--key", "a", "--claims", "/nonexistent"],
        vec![
            "explain",
            "--policy",
            &policy,
            "--key",
            "a",
            "--issuer",
            "sample",
            "--claims",
            "{\"iss\": \"i\"}",
        ],
        vec!["explain", "--policy", &policy, "--operation", "PutObject", "--prefix", "a", "--anonymous"],
        vec!["test", "--policy", &policy],
        vec!["test", "--policy", &policy, &binary],
        vec!["audit", "cedar", &binary],
        vec!["token", "mint", "--key", &binary, "--issuer", "i"],
        vec!["token", "mint", "--key", "/nonexistent", "--issuer", "i"],
        vec!["token", "inspect", "no-token"],
        vec!["token", "inspect", "a.b.c"],
        vec!["token", "inspect", "--policy", "/nonexistent", "e30.e30.AA"],
        vec!["token", "keygen", "sample", "--dir", &binary],
        vec!["serve", "--policy", "/nonexistent"],
        vec!["serve", "--function", &binary],
        vec!["serve", "--function", "/nonexistent"],
    ] {
        let done = authorizer(&arguments);
        assert_eq!(done.code, 2, "{arguments:?}: {}", done.err);
        assert_eq!(done.out, "", "{arguments:?}");
        assert!(done.err.contains('×') && done.err.lines().count() <= 8, "{arguments:?}: {}", done.err);
        assert!(
            !done.err.contains("panicked") && !done.err.contains("Error {"),
            "{arguments:?}: {}",
            done.err
        );
    }
}

#[test]
fn every_command_has_an_example_in_its_help() {
    fn check(command: &clap::Command) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(help.starts_with("Example") && help.contains("authorizer "), "{}", command.get_name());
        command.get_subcommands().for_each(check);
    }
    check(&authorizer_cli::command());
}

#[test]
fn serve_requires_an_option_that_decides_and_its_usage_names_these_alone() {
    let usage = "Usage: authorizer serve [OPTIONS] <--sample <DIR>|--policy <FILE>|--function <ZIP>>";
    let mut whole = authorizer_cli::command();
    whole.build();
    let serve = whole.find_subcommand_mut("serve").unwrap();
    assert_eq!(serve.render_usage().to_string(), usage);
    for arguments in [&["serve"][..], &["serve", "--listen", "127.0.0.1:0"], &["serve", "--data", "."]] {
        let done = authorizer(arguments);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{arguments:?}");
        assert!(done.err.contains("<--sample <DIR>|--policy <FILE>|--function <ZIP>>"), "{}", done.err);
    }
}

#[test]
fn a_command_line_that_makes_no_sense_is_exit_2() {
    for arguments in [
        vec!["replay", "fixtures/events"],
        vec!["replay", "--policy", "a", "--bundle", "b", "fixtures/events"],
        vec!["replay", "--policy", "a", "--now", "yesterday", "fixtures/events"],
        vec!["explain", "--policy", "a"],
        vec!["test", "--policy", "a", "--min-coverage", "101"],
        vec!["audit"],
        vec!["explain", "--policy", "a", "--method", "GET", "event.json"],
        vec!["explain", "--policy", "a", "--key", "a", "--path", "/a"],
        vec!["explain", "--policy", "a", "--key", "a", "--header", "no line"],
        vec!["explain", "--policy", "a", "--key", "a", "--anonymous", "--issuer", "b"],
        vec!["token", "keygen", "../up"],
        vec!["token", "keygen", "a", "--algorithm", "HS256"],
        vec!["token", "mint", "--key", "k", "--issuer", "i", "--claim", "no-value"],
        vec!["serve"],
        vec!["nonsense"],
    ] {
        let done = authorizer(&arguments);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{arguments:?}: {}", done.err);
    }
}

#[test]
fn a_key_pair_is_never_overwritten_and_its_private_half_is_private() {
    let folder = sample();
    let keys = path(&folder, "keys");
    let before = fs::read(folder.path().join("keys/sample.private.pem")).unwrap();
    assert_eq!(authorizer(&["token", "keygen", "sample", "--dir", &keys]).code, 2);
    assert_eq!(fs::read(folder.path().join("keys/sample.private.pem")).unwrap(), before);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(folder.path().join("keys/sample.private.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let public: Value =
        serde_json::from_slice(&fs::read(folder.path().join("keys/sample.jwks.json")).unwrap()).unwrap();
    assert_eq!(public["keys"][0].get("d"), None);
}

#[test]
fn inspect_says_what_it_checked() {
    let folder = sample();
    let policy = path(&folder, "policy.toml");
    let now = ["--now", "1800000000"];
    let token = mint(&folder, &[&["--subject", "alice", "--scope", "files"], now.as_slice()].concat());
    let unchecked = authorizer(&["token", "inspect", &token]);
    assert_eq!(unchecked.code, 0);
    assert!(
        unchecked.out.contains("nothing was checked: neither the signature nor any claim"),
        "{}",
        unchecked.out
    );
    let inspect = |token: &str, now: &str| {
        authorizer_with(&["token", "inspect", "--policy", &policy, "--now", now, "-"], format!("{token}\n"))
    };
    let accepted = inspect(&token, "1800000000");
    assert_eq!(accepted.code, 0, "{}", accepted.out);
    assert!(accepted.out.contains("accepted by the policy's issuer `sample`"), "{}", accepted.out);
    assert!(accepted.out.contains("exp    2027-01-15T09:00:00Z"), "{}", accepted.out);
    for (token, now, reason) in [
        (token.clone(), "1800003631", "token_expired"),
        (format!("{}AAAA", &token.get(..token.len() - 4).unwrap()), "1800000000", "signature_invalid"),
        (mint(&folder, &["--type", "JWT"]), "1800000000", "token_type_mismatch"),
    ] {
        let refused = inspect(&token, now);
        assert_eq!(refused.code, 1, "{}", refused.out);
        assert!(refused.out.contains(&format!("refused by the policy: {reason}")), "{}", refused.out);
    }
}

#[test]
fn explain_says_what_every_rule_makes_of_an_event() {
    let event = "fixtures/events/scope-lacking.json";
    let explain = |format: &str| {
        let policy = "fixtures/policies/cases.toml";
        authorizer(&["explain", "--policy", policy, "--now", "1800000000", "--format", format, event])
    };
    let done = explain("text");
    assert_eq!((done.code, done.err.as_str()), (1, ""));
    insta::assert_snapshot!(done.out);
    let json: Value = serde_json::from_str(&explain("json").out).unwrap();
    assert_eq!(json["record"]["reason"], "insufficient_scope");
    assert_eq!(json["rules"].as_array().unwrap().iter().filter(|rule| rule["matches"] == true).count(), 0);
}

#[test]
fn explain_takes_a_request_and_a_token_that_nobody_signed() {
    let explain_with = |more: &[&str], input: &str| {
        let fixed = ["explain", "--policy", "fixtures/policies/sample.toml", "--now", "1800000000"];
        authorizer_with(&[fixed.as_slice(), more].concat(), input)
    };
    let explain = |more: &[&str]| explain_with(more, "");
    let alice = r#"{"sub": "alice", "scope": "files"}"#;
    let put = ["--method", "PUT", "--path", "/users/alice/a%20b", "--issuer", "sample", "--claims"];
    let done = explain(&[put.as_slice(), &[alice]].concat());
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    insta::assert_snapshot!(done.out);
    let from_stdin = explain_with(&[put.as_slice(), &["-"]].concat(), alice);
    assert_eq!((from_stdin.code, &from_stdin.out), (0, &done.out));

    // With `iss` alone nothing is filled in, so that a test can leave out claims.
    let bare = r#"{"sub": "alice", "iss": "https://login.example.com/", "exp": 1800000001}"#;
    let json =
        explain(&["--key", "public/a", "--claims", bare, "--token-type", "at+jwt", "--format", "json"]);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((&json["record"]["reason"], &json["version"]), (&"audience_mismatch".into(), &1.into()));
    assert_eq!(json["supposed"]["filled_in"], serde_json::json!([]));

    let picture = [
        "--operation",
        "PutObject",
        "--key",
        "pictures/alice/a.png",
        "--issuer",
        "sample",
        "--claims",
        alice,
    ];
    for (more, code, first) in [
        (
            vec!["--header", "Content-Length: 5000001", "--header", "Content-Type: image/png"],
            1,
            "refused 413: too_large",
        ),
        (
            vec!["--header", "Content-Length: 5", "--header", "content-type: image/png"],
            0,
            "allowed by rule owners-upload-pictures",
        ),
    ] {
        let done = explain(&[picture.as_slice(), &more].concat());
        assert_eq!((done.code, done.out.lines().next()), (code, Some(first)));
    }
    let listing = explain(&["--prefix", "users/alice/", "--anonymous"]);
    assert_eq!(listing.out.lines().next(), Some("refused 401: token_missing"));
}

#[test]
fn audit_cedar_writes_policies_their_schema_and_what_they_read() {
    let cedar = |more: &[&str]| authorizer(&[&["audit", "cedar"], more].concat());
    let sample = "fixtures/policies/sample.toml";
    let policies = cedar(&[sample]);
    assert_eq!((policies.code, policies.err.as_str()), (0, ""));
    insta::assert_snapshot!(policies.out.split_once("\n\n").unwrap().1);
    let schema = cedar(&["--schema", sample]);
    assert!(schema.out.contains("entity Viewer in [Issuer] = { claims: Claims };"), "{}", schema.out);
    let json: Value = serde_json::from_str(&cedar(&["--format", "json", sample]).out).unwrap();
    assert_eq!(
        (&json["version"], &json["reads"]["claims"]),
        (&1.into(), &serde_json::json!(["role", "scope", "sub"]))
    );
    assert_eq!(json["schema"].as_str(), Some(schema.out.as_str()));
    assert!(policies.out.ends_with(json["policies"].as_str().unwrap()));
    assert_eq!(cedar(&["--schema", "--format", "json", sample]).code, 2);

    let folder = sample_with("equals = \"admin\"", "equals = 9007199254740993");
    let beyond = cedar(&[&path(&folder, "policy.toml")]);
    assert_eq!((beyond.code, beyond.out.as_str()), (2, ""));
    assert!(beyond.err.contains("cannot be translated: the integer 9007199254740993"), "{}", beyond.err);
}

#[test]
fn replay_prints_one_line_an_event_and_exits_1_for_a_refusal() {
    let replay = |events: &[&str]| {
        let fixed = ["replay", "--policy", "fixtures/policies/cases.toml", "--now", "1800000000"];
        authorizer(&[fixed.as_slice(), events].concat())
    };
    let allowed = replay(&["fixtures/events/algorithm-es256.json"]);
    assert_eq!(allowed.code, 0, "{}", allowed.out);
    let both = replay(&["fixtures/events/algorithm-es256.json", "fixtures/events/expired.json"]);
    assert_eq!(both.code, 1);
    insta::assert_snapshot!(both.out);
}

#[test]
fn replay_takes_every_line_of_its_input_and_one_event_over_many_lines() {
    let replay = |input: &str| {
        let policy = "fixtures/policies/cases.toml";
        authorizer_with(&["replay", "--policy", policy, "--now", "1800000000", "-"], input)
    };
    let event = fs::read_to_string(Path::new(ROOT).join("fixtures/events/operation-get.json")).unwrap();
    let line = serde_json::from_str::<Value>(&event).unwrap().to_string();
    for (input, summary) in [
        (event.clone(), "1 allowed, 0 refused\n"),
        (format!("{line}\n{line}\n"), "2 allowed, 0 refused\n"),
        (format!("no event\n{line}\n"), "1 allowed, 1 refused\n"),
        (format!("\n\n{line}\n{{\n"), "1 allowed, 1 refused\n"),
        ("no event".into(), "0 allowed, 1 refused\n"),
    ] {
        let done = replay(&input);
        assert!(done.out.ends_with(summary), "{input}: {} {}", done.out, done.err);
    }
    for nothing in ["", "\n \n"] {
        let done = replay(nothing);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "an empty input is not a success");
        assert!(done.err.contains("the input does not contain an event"), "{}", done.err);
    }
}

#[test]
fn outcomes_of_files_with_one_name_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let event = Path::new(ROOT).join("fixtures/events/operation-get.json");
    let mut files = Vec::new();
    for name in ["a", "b"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::copy(&event, folder.path().join(name).join("x.json")).unwrap();
        files.push(path(&folder, &format!("{name}/x.json")));
    }
    let replay = |more: &[&str]| {
        let fixed = ["replay", "--policy", "fixtures/policies/cases.toml", "--now", "1800000000"];
        authorizer(&[fixed.as_slice(), more, &[&files[0], &files[1]]].concat())
    };
    let recorded = path(&folder, "recorded.jsonl");
    fs::write(&recorded, replay(&["--format", "json"]).out).unwrap();
    let held = replay(&["--expect", &recorded]);
    assert_eq!((held.code, held.out.as_str()), (0, "2 events, 0 differences from what was recorded\n"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_without_end_is_refused_and_an_error_that_cannot_be_told_is_no_panic() {
    for arguments in [
        vec!["replay", "--bundle", "/dev/zero", "fixtures/events"],
        vec![
            "replay",
            "--policy",
            "fixtures/policies/cases.toml",
            "--expect",
            "/dev/zero",
            "fixtures/events",
        ],
        vec!["token", "mint", "--key", "/dev/zero", "--issuer", "i"],
        vec!["check", "/dev/zero"],
    ] {
        let done = authorizer(&arguments);
        assert_eq!(done.code, 2, "{arguments:?}");
        assert!(done.err.contains("`/dev/zero` is larger than"), "{arguments:?}: {}", done.err);
    }
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status =
        std::process::Command::new(PROGRAM).args(["check", "/nonexistent"]).stderr(full).status().unwrap();
    assert_eq!(status.code(), Some(2));
}

#[test]
fn an_answered_preflight_is_no_refusal_for_explain_and_replay() {
    let folder = sample();
    let policy = path(&folder, "policy.toml");
    let text = fs::read_to_string(&policy).unwrap();
    if !text.contains("[cors]") {
        fs::write(&policy, format!("{text}\n[cors]\norigins = [\"https://app.example.com\"]\n")).unwrap();
    }
    let explain = |origin: &str, format: &str| {
        let (origin, policy) = (format!("Origin: {origin}"), policy.as_str());
        authorizer(&[
            "explain",
            "--policy",
            policy,
            "--anonymous",
            "--method",
            "OPTIONS",
            "--path",
            "/users/alice/a.txt",
            "--header",
            &origin,
            "--header",
            "Access-Control-Request-Method: PUT",
            "--format",
            format,
        ])
    };
    let answered = explain("https://app.example.com", "text");
    assert_eq!(answered.code, 0, "{}", answered.out);
    assert!(answered.out.starts_with("answered 204: preflight_answered\n"), "{}", answered.out);
    let json = explain("https://app.example.com", "json");
    assert_eq!(json.code, 0);
    assert_eq!(serde_json::from_str::<Value>(&json.out).unwrap()["record"]["decision"], "preflight");
    let refused = explain("https://stranger.example.org", "text");
    assert_eq!(refused.code, 1);
    assert!(refused.out.starts_with("refused "), "{}", refused.out);

    // `replay` of the same, and `explain` of the recorded event.
    let event = |origin: &str| {
        let header = |name: &str, value: &str| serde_json::json!([{"key": name, "value": value}]);
        let event = serde_json::json!({"Records": [{"cf": {
            "config": {"distributionDomainName": "d1.cloudfront.net", "distributionId": "E1",
                "eventType": "viewer-request", "requestId": "r"},
            "request": {"clientIp": "192.0.2.7", "method": "OPTIONS", "uri": "/users/alice/a.txt",
                "querystring": "", "headers": {
                    "host": header("Host", "files.example.com"),
                    "origin": header("Origin", origin),
                    "access-control-request-method": header("Access-Control-Request-Method", "PUT"),
                }},
        }}]});
        let file = path(&folder, "event.json");
        fs::write(&file, event.to_string()).unwrap();
        file
    };
    for (origin, code) in [("https://app.example.com", 0), ("https://stranger.example.org", 1)] {
        let event = event(origin);
        for command in ["replay", "explain"] {
            let done = authorizer(&[command, "--policy", &policy, &event]);
            assert_eq!(done.code, code, "{command} {origin}: {}", done.out);
        }
    }
}

#[test]
fn colours_are_where_they_are_asked_for() {
    let run = |color: &[&str], environment: &[(&str, &str)]| {
        let mut command = assert_cmd::Command::new(crate::harness::PROGRAM);
        command.current_dir(ROOT).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").args(color);
        command.envs(environment.iter().copied());
        command.args(["explain", "--policy", "fixtures/policies/sample.toml", "--key", "a", "--anonymous"]);
        crate::harness::Done::of(&mut command).out.contains('\u{1b}')
    };
    for (color, environment, expected) in [
        (vec![], vec![], false),
        (vec![], vec![("CLICOLOR_FORCE", "1")], true),
        (vec![], vec![("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        (vec!["--color", "always"], vec![], true),
        (vec!["--color=always"], vec![("NO_COLOR", "1")], true),
        (vec!["--color", "never"], vec![("CLICOLOR_FORCE", "1")], false),
        (vec!["--color", "auto"], vec![], false),
    ] {
        assert_eq!(run(&color, &environment), expected, "{color:?} {environment:?}");
    }
    // The help, and the errors of the command line and of a policy.
    for (arguments, code) in [
        (vec!["check", "--help"], 0),
        (vec!["check", "--nothing"], 2),
        (vec!["audit", "cedar", "/nonexistent.toml"], 2),
    ] {
        for (when, expected) in [("always", true), ("never", false)] {
            let mut command = assert_cmd::Command::new(crate::harness::PROGRAM);
            command.env_remove("NO_COLOR").args(&arguments).args(["--color", when]);
            let done = crate::harness::Done::of(&mut command);
            assert_eq!(done.code, code, "{arguments:?}: {}", done.err);
            assert_eq!(
                format!("{}{}", done.out, done.err).contains('\u{1b}'),
                expected,
                "{arguments:?} {when}"
            );
        }
    }
}

#[test]
fn a_policy_is_named_in_the_same_way_everywhere() {
    const SAMPLE: &str = "fixtures/policies/sample.toml";
    let text = fs::read_to_string(Path::new(ROOT).join(SAMPLE)).unwrap();
    // The key files of a policy on standard input are relative to the current folder.
    let text = text.replace("keys/sample", "fixtures/policies/keys/sample");
    for command in [
        vec!["audit", "findings", "--fail-on", "never", "--now", "2027-01-15T08:00:00Z"],
        // Without a time, it has the present second in it.
        vec!["audit", "report", "--format", "markdown", "--now", "2027-01-15T08:00:00Z"],
        vec!["audit", "cedar"],
        vec!["audit", "query"],
        vec!["audit", "matrix"],
    ] {
        let by = |policy: &[&str]| authorizer(&[command.as_slice(), policy].concat());
        let (argument, option) = (by(&[SAMPLE]), by(&["--policy", SAMPLE]));
        assert_eq!(argument.code, 0, "{command:?}: {}{}", argument.out, argument.err);
        assert_eq!((argument.out, argument.err), (option.out, option.err), "{command:?}");
        assert_eq!(by(&["--policy", SAMPLE, SAMPLE]).code, 2, "{command:?}");
        assert_eq!(by(&[]).code, 2, "{command:?}");
        let piped = crate::harness::authorizer_with(&[command.as_slice(), &["-"]].concat(), text.as_str());
        assert_eq!(piped.code, 0, "{command:?}: {}", piped.err);
    }
    let piped = ["test", "--policy", "-", "fixtures/policies/sample.tests.toml"];
    assert_eq!(crate::harness::authorizer_with(&piped, text.as_str()).code, 0);
    let piped = ["test", "--policy", SAMPLE, "-"];
    let tests = fs::read_to_string(Path::new(ROOT).join("fixtures/policies/sample.tests.toml")).unwrap();
    assert_eq!(crate::harness::authorizer_with(&piped, tests).code, 0);
    let done = authorizer(&["replay", "--policy", "-", "-"]);
    assert_eq!(done.code, 2);
    assert!(done.err.contains("standard input can be read only once"), "{}", done.err);
    // A key, a prefix and a path may be `-`, which is not read; claims are.
    let explain = |more: &[&str]| {
        let fixed = ["explain", "--policy", "-", "--now", "2027-01-15T08:00:00Z"];
        crate::harness::authorizer_with(&[fixed.as_slice(), more].concat(), text.as_str())
    };
    for aim in ["--key", "--prefix"] {
        let done = explain(&[aim, "-", "--query", "-", "--anonymous"]);
        assert!(!done.err.contains("only once"), "{aim}: {}", done.err);
    }
    assert_eq!(explain(&["--key", "-", "--anonymous"]).code, 1);
    let done = explain(&["--key", "a", "--claims", "-"]);
    assert!(done.code == 2 && done.err.contains("only once"), "{}", done.err);
    // No tests are beside standard input.
    let done = crate::harness::authorizer_with(&["test", "--policy", "-"], text.as_str());
    assert!(done.code == 2 && done.err.contains("name the test files"), "{}", done.err);
}

#[test]
fn what_is_nearly_a_request_is_named_with_its_remedy_and_claims_need_no_issuer_where_there_is_one() {
    let explain = |more: &[&str]| {
        let fixed = ["explain", "--policy", "fixtures/policies/sample.toml", "--now", "2027-01-15T08:00:00Z"];
        authorizer(&[fixed.as_slice(), more].concat())
    };
    for (arguments, said) in [
        (vec!["--path", "users/alice/a", "--anonymous"], "a path begins with `/`"),
        (vec!["--path", "https://files.example.com/a", "--anonymous"], "a path begins with `/`"),
        (vec!["--method", "put", "--path", "/a", "--anonymous"], "`put` is not a method, but `PUT` is"),
        (vec!["--operation", "s3:getobject", "--key", "a", "--anonymous"], "write GetObject"),
    ] {
        let done = explain(&arguments);
        assert_eq!(done.code, 2, "{arguments:?}");
        assert!(done.err.contains(said), "{arguments:?}: {}", done.err);
    }
    let claims = r#"{"sub": "alice", "scope": "files"}"#;
    let done = explain(&["--key", "users/alice/a", "--claims", claims]);
    assert_eq!(done.code, 0, "{}", done.out);
    assert!(done.out.contains("filled in: iss, exp, aud, typ"), "{}", done.out);
    // A token of somebody else stays one.
    let done =
        explain(&["--key", "users/alice/a", "--claims", r#"{"sub": "alice", "iss": "https://other/"}"#]);
    assert!(done.code == 1 && done.out.contains("issuer_unknown"), "{}", done.out);
}

#[test]
fn explain_says_what_is_true_of_a_method_that_no_rule_opens_and_of_an_audience_that_the_issuer_has_not() {
    let folder = sample();
    let policy = path(&folder, "policy.toml");
    let said = |policy: &str, more: &[&str]| {
        let done = authorizer(&[&["explain", "--policy", policy, "--path", "/public/a"], more].concat());
        assert_eq!(done.code, 1, "{}{}", done.out, done.err);
        done.out
    };
    let reads = folder.path().join("reads.toml");
    let text = "version = 1\n[[issuers]]\nname = \"a\"\nissuer = \"https://a.example/\"\nclient_id = [\"x\"]\n\
                algorithms = [\"RS256\"]\njwks = { url = \"https://a.example/keys\" }\n[[rules]]\nid = \"r\"\n\
                effect = \"allow\"\nmethods = [\"GET\"]\nkeys = [\"public/**\"]\n";
    fs::write(&reads, text).unwrap();
    let reads = reads.to_str().unwrap();
    for (policy, method, says) in [
        // A rule could open these.
        (
            reads,
            "DELETE",
            "a rule would have to allow DeleteObject or AbortMultipartUpload, or the method would have to be GET or HEAD.",
        ),
        (reads, "POST", "a rule would have to allow CreateMultipartUpload or CompleteMultipartUpload"),
        (
            policy.as_str(),
            "POST",
            "a rule would have to allow CreateMultipartUpload or CompleteMultipartUpload",
        ),
        // And no rule these.
        (reads, "PATCH", "No rule can open this method: the method would have to be GET or HEAD."),
        (
            policy.as_str(),
            "TRACE",
            "No rule can open this method: the method would have to be GET, HEAD, PUT or DELETE.",
        ),
        (reads, "OPTIONS", "the policy would have to have `[cors]`"),
    ] {
        let out = said(policy, &["--anonymous", "--method", method]);
        assert!(out.contains("refused 405") && out.contains(says), "{method}: {out}");
    }
    let empty = folder.path().join("empty.toml");
    fs::write(&empty, "version = 1\n").unwrap();
    let empty = empty.to_str().unwrap();
    for (method, says) in [
        ("GET", "a rule would have to allow GetObject, GetObjectVersion, ListObjectsV2 or ListParts."),
        ("PATCH", "No rule can open this method, and no rule opens another one."),
    ] {
        let out = said(empty, &["--anonymous", "--method", method]);
        assert!(out.contains(says), "{method}: {out}");
    }

    // RFC 7519 section 4.1.3: the issuer has no `audience`, and the token names one.
    let token = |claims: &str| said(reads, &["--method", "GET", "--claims", claims]);
    let out = token("{\"client_id\": \"x\", \"aud\": \"api\"}");
    assert!(
        out.contains(
            "The token would have to be without `aud` (it is \"api\"), or the issuer `a` have an `audience`"
        ),
        "{out}"
    );
    let out = said(policy.as_str(), &["--method", "GET", "--claims", "{\"aud\": \"api\"}"]);
    assert!(out.contains("The claim `aud` would have to be "), "{out}");
}

#[test]
fn explain_takes_the_host_by_itself_and_not_twice() {
    let of = |more: &[&str]| {
        let request = ["--key", "photos/alice/a", "--claims", "{\"sub\": \"alice\", \"scope\": \"photos\"}"];
        let policy = ["explain", "--policy", "fixtures/policies/two-buckets.toml", "--format", "json"];
        authorizer(&[&policy[..], &request, more].concat())
    };
    let decided = |more: &[&str]| {
        let Done { code, out, err } = of(more);
        let document: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}"));
        (code, document["record"]["reason"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(decided(&["--host", "Photos.Example.com"]).0, 0);
    assert_eq!(decided(&["--host", "papers.example.org"]), (1, "host_not_allowed".to_owned()));
    assert_eq!(decided(&[]), (1, "host_not_allowed".to_owned()));
    for (more, expected) in [
        (&["--host", "photos.example.com", "--header", "host: b"][..], "a host twice"),
        (&["--host", "photos.example.com:443"][..], "write a host name without a port"),
    ] {
        let Done { code, out, err } = of(more);
        let text = format!("{out}{err}");
        assert!(code == 2 && text.contains(expected), "{code} {text}");
    }
}

#[test]
fn explain_says_that_a_file_has_several_events() {
    let event = std::fs::read_to_string(Path::new(ROOT).join("fixtures/events/scope-lacking.json")).unwrap();
    let policy = ["explain", "--policy", "fixtures/policies/cases.toml", "--now", NOW, "-"];
    for several in [format!("{event}\n{event}"), format!("[{event}, {event}]")] {
        let Done { code, err, .. } = authorizer_with(&policy, several);
        assert!(code == 2 && err.contains("has 2 events"), "{code} {err}");
    }
    let Done { code, out, .. } = authorizer_with(&policy, event);
    assert!(code == 1 && !out.contains("event_malformed"), "{code} {out}");
}

#[test]
fn an_address_and_a_folder_that_do_not_fit_are_told_in_plain_words() {
    for listen in ["localhost:18475", "18475"] {
        let Done { code, err, .. } = authorizer(&["serve", "--policy", "policy.toml", "--listen", listen]);
        assert!(code == 2 && err.contains("such as `127.0.0.1:8081`"), "{code} {err}");
    }
    let arguments = ["audit", "deployment", "nope", "--policy", "fixtures/policies/sample.toml"];
    let Done { code, err, .. } = authorizer(&arguments);
    assert!(code == 2 && err.contains("`nope` cannot be read: No such file"), "{code} {err}");
}
