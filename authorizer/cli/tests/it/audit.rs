//! `authorizer audit` as a person meets it.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Done, ROOT, authorizer};

const SAMPLE: &str = "fixtures/policies/sample.toml";

fn audit(arguments: &[&str]) -> Done {
    authorizer(&[&["audit"], arguments].concat())
}

/// The sample policy with changes.
fn changed(changes: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let fixtures = Path::new(ROOT).join("fixtures/policies");
    fs::create_dir(folder.path().join("keys")).unwrap();
    fs::copy(fixtures.join("keys/sample.jwks.json"), folder.path().join("keys/sample.jwks.json")).unwrap();
    let mut text = fs::read_to_string(fixtures.join("sample.toml")).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "the sample has no `{from}`");
        text = text.replace(from, to);
    }
    fs::write(folder.path().join("policy.toml"), text).unwrap();
    folder
}

fn policy(folder: &TempDir) -> String {
    folder.path().join("policy.toml").to_str().unwrap().to_owned()
}

#[test]
fn diff_shows_each_new_access_by_a_request_that_both_policies_decide_on() {
    let new = changed(&[
        ("keys    = [\"records/**\"]", "keys    = [\"records/*\"]"),
        ("keys      = [\"public/**\"]", "keys      = [\"public/**\", \"press/*.pdf\"]"),
        ("max_bytes = \"5MB\"", "max_bytes = \"6MB\""),
    ]);
    let done = audit(&["diff", SAMPLE, &policy(&new)]);
    assert_eq!((done.code, done.err.as_str()), (1, ""));
    insta::assert_snapshot!(done.out);
}

#[test]
fn diff_in_json_has_the_events_that_show_it() {
    let new = changed(&[(
        "when    = { role = { equals = \"admin\" } }",
        "when    = { role = { has = \"admin\" } }",
    )]);
    let done = audit(&["diff", "--format", "json", SAMPLE, &policy(&new)]);
    let found: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!((done.code, &found["version"], &found["new_access"]), (1, &1.into(), &true.into()));
    let first = &found["granted"][0];
    assert_eq!(first["rule"], "admins-manage-everything");
    assert_eq!((&first["old"]["allowed"], &first["new"]["allowed"]), (&false.into(), &true.into()));
    assert_eq!(first["request"]["event"]["Records"][0]["cf"]["config"]["eventType"], "viewer-request");
    assert!(first["request"]["claims"]["role"].as_str().unwrap().contains("admin "));
}

#[test]
fn the_gate_for_new_access_lets_a_narrower_policy_by() {
    let narrower = changed(&[("\"users/{sub}/**\"", "\"users/{sub}/files/**\"")]);
    for (gate, code) in [(false, 1), (true, 0)] {
        let path = policy(&narrower);
        let mut arguments = vec!["diff", SAMPLE, &path];
        arguments.extend(gate.then_some("--no-new-access"));
        assert_eq!(audit(&arguments).code, code, "{gate}");
    }
    let path = policy(&narrower);
    assert_eq!(audit(&["diff", "--no-new-access", &path, SAMPLE]).code, 1);
    let leeway = changed(&[("token_type = \"at+jwt\"", "token_type = \"at+jwt\"\nleeway_seconds = 300")]);
    assert_eq!(audit(&["diff", "--no-new-access", SAMPLE, &policy(&leeway)]).code, 1);
}

#[test]
fn policies_that_mean_the_same_are_no_difference() {
    let renamed = changed(&[
        ("\"owners-manage-their-files\"", "\"mine\""),
        ("keys      = [\"public/**\"]", "keys      = [\"public/*\", \"public/\", \"public/*/**\"]"),
    ]);
    let done = audit(&["diff", SAMPLE, &policy(&renamed)]);
    assert_eq!((done.code, done.out.lines().next()), (0, Some("the policies decide the same")));
    assert!(done.out.contains("rules.id: `owners-manage-their-files`, now `mine`"), "{}", done.out);
    // What is written differently opens nothing, and what is not compared is said.
    assert!(!done.out.contains("wider") && !done.out.contains("narrower"), "{}", done.out);
    assert!(done.out.contains("`public/*/**` is new (opens nothing"), "{}", done.out);
    assert!(done.out.contains("not compared\n"), "{}", done.out);
}

#[test]
fn query_answers_who_can_with_the_rules_and_a_request() {
    let done = audit(&["query", "--policy", SAMPLE, "--operation", "DeleteObject", "--keys", "users/bob/**"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    insta::assert_snapshot!(done.out);
}

#[test]
fn query_is_a_gate_with_expect() {
    for (arguments, code) in [
        (vec!["--anonymous", "--operation", "PUT", "--expect", "none"], 0),
        (vec!["--anonymous", "--operation", "GET", "--expect", "none"], 1),
        (vec!["--operation", "DELETE", "--keys", "records/**", "--expect", "none"], 0),
        (vec!["--issuer", "sample", "--claim", "scope=files", "--operation", "PUT", "--expect", "some"], 0),
        (vec!["--claims", "{\"sub\": \"bob\"}", "--operation", "DELETE", "--expect", "some"], 1),
        (
            vec![
                "--claims",
                "{\"sub\": \"bob\", \"scope\": \"files\"}",
                "--operation",
                "DELETE",
                "--expect",
                "some",
            ],
            0,
        ),
    ] {
        let done = audit(&[["query", "--policy", SAMPLE].as_slice(), &arguments].concat());
        assert_eq!(done.code, code, "{arguments:?} {}{}", done.out, done.err);
    }
}

#[test]
fn the_members_of_claims_are_not_paths() {
    let folder = changed(&[]);
    let policy = policy(&folder);
    let rule = "\n[[rules]]\nid = \"app\"\neffect = \"allow\"\noperations = [\"GetObject\"]\nkeys = [\"app/*\"]\n\
        when = { \"/app/roles\" = { has = \"reader\" } }\n";
    fs::write(&policy, fs::read_to_string(&policy).unwrap() + rule).unwrap();
    for (claims, is_one) in [
        (vec!["--claims", r#"{"/app/roles": "reader"}"#], false),
        (vec!["--claims", r#"{"app": {"roles": "reader"}}"#], true),
        (vec!["--claim", "/app/roles=reader"], true),
    ] {
        let asked =
            ["query", "--policy", &policy, "--issuer", "sample", "--keys", "app/a", "--expect", "some"];
        let done = audit(&[asked.as_slice(), &claims].concat());
        assert_eq!(done.code, if is_one { 0 } else { 1 }, "{claims:?} {}{}", done.out, done.err);
    }
}

#[test]
fn matrix_is_a_table_in_four_forms() {
    let text = audit(&["matrix", "--policy", SAMPLE]);
    assert_eq!((text.code, text.err.as_str()), (0, ""));
    insta::assert_snapshot!("matrix_text", text.out);
    insta::assert_snapshot!("matrix_csv", audit(&["matrix", "--policy", SAMPLE, "--format", "csv"]).out);
    let html = audit(&["matrix", "--policy", SAMPLE, "--format", "html"]).out;
    let (before, after) = html.split_once("bundle <code>").unwrap();
    insta::assert_snapshot!("matrix_html", format!("{before}{}", after.split_once("</code>").unwrap().1));
    let json: Value =
        serde_json::from_str(&audit(&["matrix", "--policy", SAMPLE, "--format", "json"]).out).unwrap();
    assert_eq!(json["version"], 1);
    assert_eq!(json["rows"][0]["cells"][0]["request"]["event"]["Records"].as_array().unwrap().len(), 1);
}

#[test]
fn what_cannot_be_asked_is_one_diagnostic_and_exit_2() {
    for (arguments, message) in [
        (
            vec!["query", "--policy", SAMPLE, "--issuer", "nobody"],
            "no issuer of the policy is named `nobody`",
        ),
        (vec!["query", "--policy", SAMPLE, "--keys", "a//b"], "empty segment"),
        (vec!["query", "--policy", SAMPLE, "--operation", "PATCH"], "use one of"),
        (vec!["query", "--policy", SAMPLE, "--claims", "[]"], "a JSON object"),
        // What `token mint --claim` takes as JSON.
        (vec!["query", "--policy", SAMPLE, "--claim", "role=[\"admin\"]"], "write it in `--claims`"),
        (vec!["query", "--policy", SAMPLE, "--claim", "role={}"], "write it in `--claims`"),
        (vec!["query", "--policy", SAMPLE, "--claims", "{"], "this is not JSON"),
        (
            vec!["query", "--policy", SAMPLE, "--claims", r#"{"sub": "a", "sub": "b"}"#],
            "a member appears twice",
        ),
        (
            vec!["query", "--policy", SAMPLE, "--claim", "app=x", "--claim", "/app/roles=y"],
            "both `app` and `/app/roles`",
        ),
        (
            vec!["query", "--policy", SAMPLE, "--claim", "/a/b/c=x", "--claim", "/a/b=y"],
            "both `/a/b` and `/a/b/c`",
        ),
        (vec!["query", "--policy", SAMPLE, "--claim", "sub=x", "--claim", "sub=y"], "both `sub` and `sub`"),
        (vec!["diff", SAMPLE, "no-such.toml"], "no-such.toml"),
    ] {
        let done = audit(&arguments);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{arguments:?}");
        assert!(done.err.contains(message), "{arguments:?} {}", done.err);
    }
}
