//! Policies whose secrets are not here: CI and auditors review them, and nobody packages or serves them.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Done, command_in};

const POLICY: &str = r#"version = 1

[[issuers]]
name       = "staff"
issuer     = "https://login.example.com/"
audience   = ["files-api"]
algorithms = ["EdDSA"]
jwks       = { keys = [{ kty = "OKP", crv = "Ed25519", kid = "a", x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] }

[[issuers]]
name       = "machines"
issuer     = "https://machines.example.com/"
audience   = ["files-api"]
algorithms = ["HS256"]
secret     = { file = "machines.secret" }

[credentials]
cookie = "__Host-session"

[sign_in]
issuer                 = "staff"
client_id              = "files-web"
origin                 = "https://files.example.com"
authorization_endpoint = "https://login.example.com/authorize"
token_endpoint         = "https://login.example.com/token"
client_secret          = { file = "client.secret" }
cookie_key             = { file = "sign-in.key" }

[[rules]]
id      = "own"
effect  = "allow"
methods = ["GET"]
keys    = ["users/{sub}/**"]
issuers = ["staff", "machines"]
"#;

const TESTS: &str = r#"version = 1

[defaults]
now = "2027-01-15T08:00:00Z"

[[tests]]
name   = "people read their own"
issuer = "staff"
claims = { sub = "alice" }
method = "GET"
key    = "users/alice/a"
expect = "allow"

[[tests]]
name      = "who opens a page without a session is sent to the provider"
anonymous = true
method    = "GET"
key       = "users/alice/a.html"
headers   = { accept = "text/html", sec-fetch-mode = "navigate", sec-fetch-dest = "document" }
expect    = "refuse"
status    = 302
reason    = "token_missing"
"#;

const FILES: [&str; 3] = ["machines.secret", "client.secret", "sign-in.key"];

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("policy.toml"), POLICY).unwrap();
    fs::write(folder.path().join("policy.tests.toml"), TESTS).unwrap();
    folder
}

fn run(at: &Path, words: &[&str]) -> Done {
    let mut done = Done::of(&mut command_in(at, words));
    // A terminal has lines of some length; what is said has not.
    done.err = done.err.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
    done
}

/// Makes all secrets.
fn with_secrets(at: &Path) {
    assert_eq!(run(at, &["keys", "cookie-key", "--out", "sign-in.key"]).code, 0);
    fs::write(at.join("client.secret"), "hunter2 hunter2").unwrap();
    fs::write(at.join("machines.secret"), "0123456789abcdef0123456789abcdef").unwrap();
}

#[test]
fn every_review_says_once_which_files_are_not_here() {
    let folder = folder();
    let at = folder.path();
    let claims = r#"{"sub": "alice"}"#;
    let explain = ["explain", "--policy", "policy.toml", "--method", "GET", "--path", "/users/alice/a"];
    let explain = [&explain[..], &["--issuer", "staff", "--claims", claims]].concat();
    for words in [
        &["check", "policy.toml"][..],
        &["test", "--policy", "policy.toml"],
        &explain,
        &["audit", "findings", "policy.toml", "--fail-on", "never"],
        &["audit", "matrix", "--policy", "policy.toml"],
        &["audit", "report", "policy.toml"],
        &["audit", "query", "policy.toml"],
    ] {
        let done = run(at, words);
        assert_eq!(done.code, 0, "{words:?}: {}{}", done.out, done.err);
        for file in FILES {
            assert_eq!(done.err.matches(&format!("`{file}` (")).count(), 1, "{words:?}: {}", done.err);
        }
        assert!(done.err.contains("are not here: the policy is reviewed without them"), "{}", done.err);
    }
    let checked = run(at, &["check", "--format", "json", "policy.toml"]);
    let told: Value = serde_json::from_str(&checked.out).unwrap();
    let warnings = told["warnings"].as_array().unwrap();
    assert_eq!(warnings.iter().filter(|one| one["id"] == "secret-not-here").count(), 1, "{told}");

    // A token of the issuer whose secret is not here cannot be verified.
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJodHRwczovL21hY2hpbmVzLmV4YW1wbGUuY29tLyJ9.AAAA";
    let inspected =
        Done::of(command_in(at, &["token", "inspect", "-", "--policy", "policy.toml"]).write_stdin(token));
    assert_eq!(inspected.code, 1, "{}{}", inspected.out, inspected.err);

    with_secrets(at);
    let done = run(at, &["check", "policy.toml"]);
    assert_eq!(done.code, 0);
    assert!(!done.err.contains("not here"), "{}", done.err);
}

#[test]
fn who_decides_for_viewers_needs_every_secret() {
    let folder = folder();
    let at = folder.path();
    for words in [&["package", "policy.toml", "--out", "a.zip"][..], &["serve", "--policy", "policy.toml"]] {
        let done = run(at, words);
        assert_eq!(done.code, 2, "{words:?}: {}", done.err);
        assert!(done.err.contains("3 problems"), "{words:?}: {}", done.err);
        assert!(done.err.contains("a new key ends everybody's session"), "{words:?}: {}", done.err);
        let said = "`sign_in.cookie_key.file` (line 27): `sign-in.key` cannot be read";
        assert_eq!(done.err.matches(said).count(), 1, "{words:?}: {}", done.err);
        assert_eq!(done.err.matches("cookie_key").count(), 1, "{words:?}: {}", done.err);
        assert_eq!(done.err.matches("in base64").count(), 1, "of HS256: {words:?}: {}", done.err);
        assert!(!at.join("a.zip").exists());
    }
}

#[test]
fn a_diff_claims_nothing_of_what_is_not_here() {
    let (old, new) = (folder(), folder());
    let name = |folder: &TempDir| folder.path().join("policy.toml").to_str().unwrap().to_owned();
    let diff = || {
        let done = run(Path::new("."), &["audit", "diff", "--format", "json", &name(&old), &name(&new)]);
        let told: Value = serde_json::from_str(&done.out).unwrap_or_else(|_| panic!("{done:?}"));
        (done.code, told)
    };
    let lists = |told: &Value, what: &str| told.to_string().contains(what);
    let (code, told) = diff();
    assert_eq!(code, 0, "{told}");
    for field in ["`secret` of an issuer", "`sign_in.cookie_key`", "`sign_in.client_secret`"] {
        assert!(lists(&told, &format!("{field} cannot be compared")), "{told}");
    }
    // The secrets of one of the two. Who signs tokens with one that is not known is not taken for known.
    with_secrets(new.path());
    let (code, told) = diff();
    assert_eq!(code, 1, "{told}");
    assert!(lists(&told, "its secret cannot be compared"), "{told}");
    assert!(!lists(&told, "mark") && !lists(&told, "different"), "{told}");
    fs::copy(new.path().join("machines.secret"), old.path().join("machines.secret")).unwrap();
    let (code, told) = diff();
    assert_eq!(code, 0, "{told}");
    assert!(lists(&told, "`sign_in.cookie_key` cannot be compared"), "{told}");
    // The whole sign-in is new: its key is told without a mark.
    let before = POLICY.split_once("[sign_in]").unwrap().0.to_owned()
        + "\n[[rules]]"
        + POLICY.split_once("[[rules]]").unwrap().1;
    fs::write(old.path().join("policy.toml"), before).unwrap();
    fs::remove_file(new.path().join("sign-in.key")).unwrap();
    let (code, told) = diff();
    assert_eq!(code, 1, "{told}");
    assert!(lists(&told, "the key whose mark is `not here`"), "{told}");
}
