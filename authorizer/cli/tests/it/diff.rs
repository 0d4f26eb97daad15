//! `authorizer audit diff` as a reviewer of a change meets it: what is told, in every form.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Done, authorizer};

/// The policy before, with these changes.
struct Pair(TempDir);

const OLD: &str = r#"version = 1

[[issuers]]
name                 = "staff"
issuer               = "https://login.example.com/"
audience             = ["files-api"]
algorithms           = ["EdDSA"]
jwks                 = { file = "keys.json" }
max_lifetime_seconds = 3600

[credentials]
cookie = "session"

[cors]
origins = ["https://app.example.com"]

[sign_in]
url    = "https://login.example.com/start"
origin = "https://files.example.com"

[[revoked]]
issuer = "staff"
sub    = "mallory"

[[rules]]
id      = "records-stay"
effect  = "deny"
methods = ["DELETE"]
keys    = ["records/**"]

[[rules]]
id        = "anyone-reads-public"
effect    = "allow"
methods   = ["GET"]
keys      = ["public/**"]
anonymous = true

[[rules]]
id      = "owners-upload"
effect  = "allow"
methods = ["PUT"]
keys    = ["in/{sub}/*"]
when    = { scope = { has = "write" } }
upload  = { max_bytes = "5MB", create_only = true }

[[rules]]
id      = "admins"
effect  = "allow"
methods = ["GET", "DELETE"]
keys    = ["records/**"]
when    = { role = { equals = "admin" } }
"#;

/// The keys of RFC 8037 appendix A.2 and of RFC 8032 section 7.1, test 2.
const KEYS: &str = r#"{"keys": [
    {"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
    {"kty": "OKP", "crv": "Ed25519", "kid": "k2", "x": "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw"}]}"#;

const ONE_KEY: &str = r#"{"keys": [
    {"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

impl Pair {
    fn of(changes: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut new = OLD.to_owned();
        for (from, to) in changes {
            assert!(new.contains(from), "the policy has no `{from}`");
            new = new.replace(from, to);
        }
        for (name, text) in
            [("old.toml", OLD), ("new.toml", &new), ("keys.json", KEYS), ("one.json", ONE_KEY)]
        {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn diff(&self, arguments: &[&str]) -> Done {
        let (old, new) = (self.path("old.toml"), self.path("new.toml"));
        let mut done = authorizer(&[&["audit", "diff", &old, &new], arguments].concat());
        done.out = done.out.replace(self.0.path().to_str().unwrap(), "POLICIES");
        done
    }
}

/// Of each kind one: patterns, a limit, a condition, a deny rule, a rule that is new, and who is trusted.
const MANY: &[(&str, &str)] = &[
    ("keys      = [\"public/**\"]", "keys      = [\"public/**\", \"help.txt\", \"users/**\"]"),
    ("max_bytes = \"5MB\", create_only = true", "max_bytes = \"6MB\""),
    ("keys    = [\"records/**\"]\n\n", "keys    = [\"records/2020/**\"]\n\n"),
    ("role = { equals = \"admin\" }", "role = { any = [\"admin\", \"auditor\"] }"),
    (
        "origins = [\"https://app.example.com\"]",
        "origins = [\"https://app.example.com\", \"https://*.example.net\"]",
    ),
    ("audience             = [\"files-api\"]", "audience             = [\"files-api\", \"other-api\"]"),
    ("keys.json", "one.json"),
    ("sub    = \"mallory\"", "sub    = \"mallet\""),
    ("https://login.example.com/start", "https://login.example.org/start"),
    (
        "[[rules]]\nid      = \"admins\"",
        "[[rules]]\nid      = \"press\"\neffect  = \"allow\"\nmethods = [\"GET\", \"PUT\"]\nkeys    = [\"press/*\"]\n\
         source_ips = [\"192.0.2.0/24\"]\n\n[[rules]]\nid      = \"admins\"",
    ),
];

#[test]
fn each_part_that_changed_is_told_with_its_values_and_a_request() {
    let pair = Pair::of(MANY);
    let done = pair.diff(&[]);
    assert_eq!((done.code, done.err.as_str()), (1, ""));
    insta::assert_snapshot!("diff_text", done.out);
    assert_eq!(pair.diff(&["--no-new-access"]).code, 1);
}

#[test]
fn the_same_in_json_has_old_names_and_new_ones() {
    let done = Pair::of(MANY).diff(&["--format", "json"]);
    let mut found: Value = serde_json::from_str(&done.out).unwrap();
    // A digest changes with the version, and events are long.
    fn shorten(value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match name.as_str() {
                        "bundle_sha256" => *member = "...".into(),
                        "event" => *member = "...".into(),
                        _ => shorten(member),
                    }
                }
            }
            Value::Array(members) => members.iter_mut().for_each(shorten),
            _ => {}
        }
    }
    assert!(found["rules"][0]["parts"][0]["opens"]["request"]["event"]["Records"].is_array());
    shorten(&mut found);
    insta::assert_snapshot!("diff_json", serde_json::to_string_pretty(&found).unwrap());
}

#[test]
fn the_same_in_markdown_is_a_comment() {
    let done = Pair::of(MANY).diff(&["--format", "markdown"]);
    assert_eq!((done.code, done.err.as_str()), (1, ""));
    insta::assert_snapshot!("diff_markdown", done.out);
}

#[test]
fn a_change_that_grants_nothing_is_told_as_such() {
    let pair = Pair::of(&[
        ("keys      = [\"public/**\"]", "keys      = [\"public/**\", \"public/logo.svg\"]"),
        ("version = 1\n", "version = 1\n\n[log]\nsubject = \"plain\"\n"),
    ]);
    let text = pair.diff(&[]);
    assert_eq!((text.code, text.err.as_str()), (0, ""));
    insta::assert_snapshot!("diff_without_effect_text", text.out);
    let markdown = pair.diff(&["--format", "markdown", "--no-new-access"]);
    assert_eq!((markdown.code, markdown.err.as_str()), (0, ""));
    insta::assert_snapshot!("diff_without_effect_markdown", markdown.out);
}

#[test]
fn a_narrower_policy_says_what_it_takes_away() {
    let pair = Pair::of(&[
        ("keys    = [\"in/{sub}/*\"]", "keys    = [\"in/{sub}/new/*\"]"),
        ("max_lifetime_seconds = 3600", "max_lifetime_seconds = 600"),
    ]);
    let done = pair.diff(&[]);
    assert_eq!(done.code, 1);
    insta::assert_snapshot!("diff_narrower_text", done.out);
}

#[test]
fn text_of_a_policy_is_no_markup_in_a_comment() {
    let evil = "a`b``](https://evil.example) <img src=x> @someone |";
    let pair = Pair::of(&[
        (
            "audience             = [\"files-api\"]",
            &format!("audience             = [\"files-api\", \"{evil}\"]"),
        ),
        (
            "scope = { has = \"write\" }",
            &format!("scope = {{ has = \"write\" }}, \"x`y\" = {{ equals = \"{evil}\" }}"),
        ),
    ]);
    let done = pair.diff(&["--format", "markdown"]);
    insta::assert_snapshot!("diff_markdown_escaped", done.out);
}

#[test]
fn a_comment_has_a_bound_and_says_what_it_leaves_out() {
    let patterns: Vec<String> = (0..400).map(|number| format!("\"folder-{number}/**\"")).collect();
    let pair = Pair::of(&[(
        "keys      = [\"public/**\"]",
        &format!("keys      = [\"public/**\", {}, \"**\"]", patterns.join(", ")),
    )]);
    let done = pair.diff(&["--format", "markdown"]);
    assert_eq!(done.code, 1);
    assert!(done.out.len() < 60_000, "{}", done.out.len());
    assert!(done.out.find("`**` is new").unwrap() < done.out.find("folder-").unwrap());
    let told = done.out.matches("is new").count();
    assert!(told > 100, "{told}");
    assert!(done.out.contains(&format!("**{} more are left out**", 401 - told)), "{told}");
    assert!(done.out.contains("401 wider"));
    // Text has all of them.
    assert_eq!(pair.diff(&[]).out.matches("is new").count(), 401);
}

/// A token without a `kid`, of issuer `i` for audience `a`, signed by the first of these keys; until 1800000100.
const TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJpIiwiYXVkIjoiYSIsImV4cCI6MTgwMDAwMDEwMH0.\
    Yk4UGMv1WegQLjyyPbNNrM2N1Ko-9Bqwo_uY4NsgSwLlivGLmc-wA6OCQRRF8h85AEVm3EDrBxylWmLxJzcRCQ";
const SIGNER: &str = "tFj1PHEiMNzbV9XAQ_eKqxWt7qkCZprL3gbHJAyY9pY";
const OTHER: &str = "81MM-lYr68nd2QIdb078PEOjX5idnNw2_2lIdCnzT4E";

/// The code that decides at the edge lets the token in or not; `audit diff` says the same of the keys.
#[test]
fn a_token_without_a_kid_is_let_in_exactly_where_the_gate_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let event = serde_json::json!({"Records": [{"cf": {
        "config": {"distributionDomainName": "d111111abcdef8.cloudfront.net", "distributionId": "E",
            "eventType": "viewer-request", "requestId": "r"},
        "request": {"clientIp": "192.0.2.1", "method": "GET", "uri": "/u/x", "querystring": "", "headers": {
            "host": [{"key": "Host", "value": "d111111abcdef8.cloudfront.net"}],
            "authorization": [{"key": "Authorization", "value": format!("Bearer {TOKEN}")}]}}
    }}]});
    fs::write(path("events.jsonl"), format!("{event}\n")).unwrap();
    let write = |name: &str, keys: &[(&str, &str)]| {
        let key =
            |(kid, x): &(&str, &str)| serde_json::json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x});
        let keys = serde_json::json!({"keys": keys.iter().map(key).collect::<Vec<_>>()});
        fs::write(path(&format!("{name}.json")), keys.to_string()).unwrap();
        let policy = format!(
            "version = 1\n[[issuers]]\nname = \"i\"\nissuer = \"i\"\naudience = [\"a\"]\nalgorithms = [\"EdDSA\"]\n\
             jwks = {{ file = \"{name}.json\" }}\n[[rules]]\nid = \"g\"\neffect = \"allow\"\nmethods = [\"GET\"]\n\
             keys = [\"u/**\"]\n"
        );
        fs::write(path(&format!("{name}.toml")), policy).unwrap();
    };
    let is_let_in = |name: &str| {
        let policy = path(&format!("{name}.toml"));
        let events = path("events.jsonl");
        let arguments = ["replay", "--policy", &policy, "--now", "1800000000", "--format", "json", &events];
        authorizer(&arguments).out.contains("\"decision\":\"allow\"")
    };
    let (k1, k2) = (("k1", SIGNER), ("k2", OTHER));
    for (old, new, before, after) in [
        (vec![k1, k2], vec![k1], false, true),
        (vec![k1, k1], vec![k1], false, true),
        (vec![k1], vec![k1, k2], true, false),
        (vec![k1, k2], vec![k1, k2, k2], false, false),
        (vec![k1], vec![k1], true, true),
    ] {
        write("old", &old);
        write("new", &new);
        assert_eq!((is_let_in("old"), is_let_in("new")), (before, after), "{old:?} {new:?}");
        let done = authorizer(&["audit", "diff", "--no-new-access", &path("old.toml"), &path("new.toml")]);
        let adds = new.iter().any(|key| !old.contains(key));
        assert_eq!(done.code, i32::from(!before && after || adds), "{old:?} {new:?} {}", done.out);
        assert_eq!(done.out.contains("tokens without a `kid`"), before != after, "{}", done.out);
    }
}

/// A rule that turns from deny into allow under its id is two changes, and both are told whole.
#[test]
fn a_rule_whose_effect_is_turned_around_is_told_as_gone_and_as_new() {
    let flip =
        &[("effect  = \"deny\"\nmethods = [\"DELETE\"]", "effect  = \"allow\"\nmethods = [\"DELETE\"]")];
    let pair = Pair::of(flip);
    for format in ["text", "markdown"] {
        let done = pair.diff(&["--format", format]);
        assert_eq!(done.code, 1, "{}", done.err);
        assert!(done.out.contains("deny, removed") && done.out.contains("allow, new"), "{}", done.out);
        insta::assert_snapshot!(format!("diff_effect_{format}"), done.out);
    }
}
