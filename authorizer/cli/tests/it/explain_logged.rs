//! `authorizer explain --log`: a request of production, from its lines in logs.

use std::fs;
use std::io::Write as _;

use authorizer_core::record::DecisionLine;
use authorizer_core::{Authorizer, Supposed, UnixTime};
use authorizer_policy::PolicyFile;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Done, ROOT, authorizer, authorizer_with};

const ISSUER: &str = r#"version = 1

[[issuers]]
name       = "staff"
issuer     = "https://login.example.com/"
audience   = ["files-api"]
algorithms = ["EdDSA"]
jwks       = { file = "keys/staff.jwks.json" }

[credentials]
query = "access_token"

[log]
claims_salt = "0123456789abcdef0123456789abcdef"
"#;

const OLD: &str = r#"
[[rules]]
id      = "teams"
effect  = "allow"
methods = ["GET"]
keys    = ["teams/{team}/**"]
when    = { role = { any = ["reader", "editor"] }, scope = { has = "files" } }
response_overrides = ["response-content-disposition"]
"#;

const NEW: &str = r#"
[[rules]]
id      = "teams"
effect  = "allow"
methods = ["GET"]
keys    = ["teams/{team}/**"]
when    = { role = { equals = "editor" } }
"#;

/// The policies, and a log of one request that the old one decided.
struct Case {
    folder: TempDir,
    old: Authorizer,
}

impl Case {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("keys")).unwrap();
        let keys = format!("{ROOT}/fixtures/logs/keys/staff.jwks.json");
        fs::copy(keys, folder.path().join("keys/staff.jwks.json")).unwrap();
        for (name, rules) in [("old.toml", OLD), ("new.toml", NEW)] {
            fs::write(folder.path().join(name), format!("{ISSUER}{rules}")).unwrap();
        }
        let old = PolicyFile::load(&folder.path().join("old.toml")).unwrap().into_bundle();
        Self { folder, old: Authorizer::new(old) }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Writes the line of a request with these claims.
    fn decide(&self, uri: &str, query: &str, claims: &Value) {
        let event = json!({"Records": [{"cf": {
            "config": {"eventType": "viewer-request", "requestId": "r1==", "distributionId": "E1"},
            "request": {"clientIp": "203.0.113.9", "method": "GET", "uri": uri, "querystring": query, "headers": {}}
        }}]})
        .to_string();
        let mut whole =
            json!({"iss": "https://login.example.com/", "aud": "files-api", "exp": 1_800_000_600});
        whole.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let supposed = Supposed { token_type: None, claims: whole.as_object().unwrap().clone() };
        let at = UnixTime::from_seconds(1_800_000_000);
        let decided = self.old.authorize_supposing(event.as_bytes(), &supposed, at);
        let line = serde_json::to_string(&DecisionLine::new(&decided.record, 61)).unwrap();
        let other = line.replace("r1==", "r0==");
        fs::write(self.path("decisions.jsonl"), format!("{other}\n{line}\n")).unwrap();
    }

    /// Writes the line of an access log for it, packed.
    fn access(&self, uri: &str, query: &str) {
        let fields = "#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query sc-status time-taken \
                      x-edge-response-result-type x-edge-request-id x-host-header cs(User-Agent)";
        let line = format!(
            "2027-01-15\t08:00:00\t203.0.113.9\tGET\t{uri}\t{query}\t200\t0.021\tMiss\tr1==\tfiles.example.com\tcurl/8%20x"
        );
        let file = fs::File::create(self.path("access.gz")).unwrap();
        let mut file = GzEncoder::new(file, Compression::default());
        write!(file, "#Version: 1.0\n{fields}\n{line}\n").unwrap();
        file.finish().unwrap();
    }

    fn explain(&self, policy: &str, more: &[&str]) -> Done {
        let policy = self.path(policy);
        authorizer(&[&["explain", "--policy", &policy, "--request-id", "r1=="], more].concat())
    }

    fn json(&self, policy: &str, more: &[&str]) -> Value {
        let done = self.explain(policy, &[&["--format", "json"], more].concat());
        assert_eq!(done.err, "");
        serde_json::from_str(&done.out).unwrap()
    }
}

fn guesses(value: &Value) -> Vec<&str> {
    value["logged"]["guesses"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect()
}

#[test]
fn a_request_is_rebuilt_from_both_logs_and_what_is_guessed_is_named() {
    let case = Case::new();
    let claims = json!({"sub": "alice", "role": "reader", "scope": "files more", "team": ["red", "blue"]});
    case.decide("/teams/red/a%20b", "response-content-disposition=inline", &claims);
    case.access("/teams/red/a%2520b", "response-content-disposition=inline");
    let (decisions, access) = (case.path("decisions.jsonl"), case.path("access.gz"));
    let both = ["--log", &decisions, "--log", &access];
    let done = case.explain("old.toml", &both);
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{}", done.out);
    let folder = case.folder.path().to_str().unwrap();
    insta::assert_snapshot!(done.out.replace(folder, "FOLDER"));

    let value = case.json("old.toml", &both);
    assert_eq!(
        (&value["logged"]["as_recorded"], &value["logged"]["same_bundle"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        (&value["record"]["request_id"], &value["record"]["distribution_id"]),
        (&json!("r1=="), &json!("E1"))
    );
    assert_eq!(value["logged"]["request"]["target"], "/teams/red/a%20b?response-content-disposition=inline");
    assert_eq!(value["logged"]["request"]["time"], 1_800_000_000);
    // The digests say which values of the policy they are.
    assert_eq!(
        (&value["supposed"]["claims"]["role"], &value["supposed"]["claims"]["team"][0]),
        (&json!("reader"), &json!("red"))
    );
    assert_eq!(
        guesses(&value),
        ["other headers", "the claim `sub`", "the claim `scope`", "the claim `team`", "filled in"]
    );

    // By another policy: the claims are still those of the log.
    let done = case.explain("new.toml", &[&both, ["--old", &case.path("old.toml")].as_slice()].concat());
    assert_eq!(done.code, 1, "{}", done.out);
    assert!(done.out.starts_with("refused 403: condition_not_met"), "{}", done.out);
    assert!(done.out.contains("the decision is not the recorded one"), "{}", done.out);
    assert!(done.out.contains("by another bundle, "), "{}", done.out);
    // And what the caller knows better is taken instead.
    let known =
        ["--issuer", "staff", "--claims", r#"{"team": "red", "role": "editor"}"#, "--header", "X-A: b"];
    let value = case.json("new.toml", &[both.as_slice(), &known].concat());
    assert_eq!(
        (&value["record"]["reason"], &value["logged"]["as_recorded"]),
        (&json!("query_not_allowed"), &json!(false))
    );
    assert_eq!(guesses(&value), ["other headers"]);
}

#[test]
fn a_decision_log_alone_is_enough_to_explain_it() {
    let case = Case::new();
    case.decide(
        "/teams/red/a",
        "",
        &json!({"sub": "alice", "role": "editor", "scope": "files", "team": "red"}),
    );
    let decisions = case.path("decisions.jsonl");
    let value = case.json("old.toml", &["--log", &decisions]);
    assert_eq!(
        (&value["record"]["decision"], &value["logged"]["as_recorded"]),
        (&json!("allow"), &json!(true))
    );
    assert_eq!(guesses(&value), ["the viewer's address", "other headers", "the claim `sub`", "filled in"]);
    // Another policy allows it as well, for another reason or not.
    let value = case.json("new.toml", &["--log", &decisions, "--old", &case.path("old.toml")]);
    assert_eq!(
        (&value["record"]["decision"], &value["logged"]["as_recorded"]),
        (&json!("allow"), &json!(true))
    );
    assert_eq!(value["logged"]["same_bundle"], false);
}

#[test]
fn a_token_in_an_access_log_is_read_and_never_shown() {
    let case = Case::new();
    let claims = json!({"iss": "https://login.example.com/", "aud": "files-api", "exp": 1_800_000_600,
        "role": "editor", "scope": "files", "team": "red", "email": "alice@example.org"});
    let token = format!(
        "{}.{}.c2lnbmF0dXJl",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","typ":"JWT"}"#),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    case.access("/teams/red/a", &format!("a%2563cess_token={token}&response-content-disposition=inline"));
    let access = case.path("access.gz");
    for format in ["text", "json"] {
        let done = case.explain("old.toml", &["--log", &access, "--format", format]);
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{}", done.out);
        assert!(!done.out.contains("c2lnbmF0dXJl") && !done.out.contains("eyJ"), "{}", done.out);
        assert!(done.out.contains("whose signature was not checked"), "{}", done.out);
        // Nor is a claim that no rule reads.
        assert!(!done.out.contains("alice@example.org"), "{}", done.out);
    }
    let value = case.json("old.toml", &["--log", &access]);
    assert_eq!(
        value["supposed"]["claims"],
        json!({"iss": "https://login.example.com/", "aud": "files-api", "exp": 1_800_000_600, "role": "editor",
            "scope": "files", "team": "red"})
    );
    // In a parameter that no policy names, either; and no other value of a query that does not go to S3.
    case.access("/teams/red/a", &format!("t={token}&sig=sesame&{token}"));
    for format in ["text", "json"] {
        let done = case.explain("old.toml", &["--log", &access, "--format", format]);
        assert_eq!((done.code, done.err.as_str()), (1, ""), "{}", done.out);
        assert!(!done.out.contains("eyJ") && !done.out.contains("sesame"), "{}", done.out);
        assert!(done.out.contains("/teams/red/a?t&sig&?"), "{}", done.out);
    }
    // Nor does the detail of the refusal have a name that the decision log would not have.
    for (name, shown) in
        [(token.as_str(), "parameter ? is"), ("sesame%20open", "parameter ? is"), ("sig", "parameter sig is")]
    {
        case.access("/teams/red/a", &format!("{}=1", name.replace('%', "%25")));
        for format in ["text", "json"] {
            let done = case.explain("old.toml", &["--log", &access, "--format", format]);
            assert_eq!((done.code, done.err.as_str()), (1, ""), "{}", done.out);
            assert!(!done.out.contains("eyJ") && !done.out.contains("sesame"), "{}", done.out);
            assert!(done.out.contains(shown), "{}", done.out);
        }
    }
}

#[test]
fn a_log_of_each_kind_has_the_request() {
    let old = "fixtures/logs/old.toml";
    let found =
        |log: &str, id: &str| authorizer(&["explain", "--policy", old, "--log", log, "--request-id", id]);
    for log in ["decisions.jsonl", "subscription.jsonl", "firehose.gz", "tail.txt"] {
        let done = found(&format!("fixtures/logs/{log}"), "r001");
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{log}: {}", done.out);
        assert!(done.out.contains("the decision is the recorded one"), "{log}: {}", done.out);
    }
    for log in ["access.log", "access.log.gz"] {
        let done = found(&format!("fixtures/logs/{log}"), "a001==");
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{log}: {}", done.out);
    }
    // Standard logging v2 in JSON, with the field that names the request.
    let text = fs::read_to_string(format!("{ROOT}/fixtures/logs/access-v2.jsonl")).unwrap();
    let mut line: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    line["x-edge-request-id"] = json!("a001==");
    let arguments = ["explain", "--policy", old, "--log", "-", "--request-id", "a001=="];
    let done = authorizer_with(&arguments, line.to_string());
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.contains("recorded: allowed"), "{}", done.out);
    let text = fs::read(format!("{ROOT}/fixtures/logs/decisions.jsonl")).unwrap();
    let arguments = ["explain", "--policy", old, "--log", "-", "--request-id", "r001"];
    assert_eq!(authorizer_with(&arguments, text).code, 0);
    // A token that was not accepted is in no log: it is said that the decision is another one.
    let done = found("fixtures/logs/decisions.jsonl", "r014");
    assert_eq!(done.code, 1);
    assert!(done.out.contains("recorded: refused 401: token_expired"), "{}", done.out);
    assert!(done.out.contains("the decision is not the recorded one"), "{}", done.out);
    assert!(done.out.contains("a token that is not accepted is in no log"), "{}", done.out);
    // A refusal by the rules, for want of a token, or for its method is rebuilt as well.
    for id in ["r008", "r011", "r015"] {
        let done = found("fixtures/logs/decisions.jsonl", id);
        assert_eq!(done.code, 1);
        assert!(done.out.contains("the decision is the recorded one"), "{id}: {}", done.out);
    }
}

#[test]
fn a_request_that_cannot_be_rebuilt_is_an_error_that_says_what_to_do() {
    let case = Case::new();
    let explain = |log: &str, id: &str| {
        authorizer(&["explain", "--policy", &case.path("old.toml"), "--log", log, "--request-id", id])
    };
    let log = "fixtures/logs/decisions.jsonl";
    let with_other = fs::read_to_string(format!("{ROOT}/{log}"))
        .unwrap()
        .replace("\"issuer\":\"staff\"", "\"issuer\":\"x\"");
    fs::write(case.path("other.jsonl"), with_other).unwrap();
    for (log, id, message) in [
        (log, "r999", "no line of the logs has the request id `r999`"),
        (log, "r013", "it was refused before its key was known"),
        (&case.path("other.jsonl"), "r001", "the policy does not have the issuer `x`"),
        ("/nonexistent", "r001", "cannot be read"),
    ] {
        let done = explain(log, id);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{}", done.err);
        assert!(done.err.contains(message) && done.err.contains("help:"), "{}", done.err);
    }
}

#[test]
fn a_function_that_failed_itself_is_said_to_have_and_claims_are_those_of_the_logged_issuer() {
    let case = Case::new();
    let fields =
        "#Fields: date time c-ip cs-method cs-uri-stem sc-status x-edge-result-type x-edge-request-id";
    let line = "2027-01-15|08:00:00|203.0.113.9|GET|/teams/red/a|503|LambdaExecutionError|r1==";
    fs::write(case.path("access.log"), format!("#Version: 1.0\n{fields}\n{line}\n")).unwrap();
    let log = case.path("access.log");
    let done = case.explain("old.toml", &["--log", &log, "--delimiter", "pipe", "--anonymous"]);
    assert!(
        done.out.contains("nothing 503: the function itself failed (LambdaExecutionError)"),
        "{}{}",
        done.out,
        done.err
    );
    let claims = json!({"team": "red", "role": "reader", "scope": "files"});
    case.decide("/teams/red/a", "", &claims);
    let log = case.path("decisions.jsonl");
    let done = case.explain("old.toml", &["--log", &log, "--claims", &claims.to_string()]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    assert!(done.out.contains("with a token of issuer staff"), "{}", done.out);
}

/// A policy by which people sign in, and the log of a browser that opens a page under this host.
fn sign_in_case(host: &str) -> Case {
    let mut case = Case::new();
    let sign_in = r#"version = 1
[[issuers]]
name       = "staff"
issuer     = "https://login.example.com/"
audience   = ["files-api"]
algorithms = ["EdDSA"]
jwks       = { file = "keys/staff.jwks.json" }
[credentials]
cookie = "__Host-session"
[sign_in]
issuer                 = "staff"
client_id              = "files-web"
origin                 = "https://files.example.com"
authorization_endpoint = "https://login.example.com/authorize"
token_endpoint         = "https://login.example.com/token"
cookie_key             = { file = "sign-in.key" }
[[rules]]
id      = "teams"
effect  = "allow"
methods = ["GET"]
keys    = ["teams/{team}/**"]
"#;
    fs::write(case.path("sign-in.key"), URL_SAFE_NO_PAD.encode([7; 32])).unwrap();
    fs::write(case.path("old.toml"), sign_in).unwrap();
    let policy = PolicyFile::load(&case.folder.path().join("old.toml")).unwrap();
    case.old = Authorizer::new(policy.into_bundle());
    let header = |name: &str, value: &str| json!([{"key": name, "value": value}]);
    let event = json!({"Records": [{"cf": {
        "config": {"eventType": "viewer-request", "requestId": "r1==", "distributionId": "E1"},
        "request": {"clientIp": "203.0.113.9", "method": "GET", "uri": "/teams/red/a", "querystring": "", "headers": {
            "host": header("Host", host), "accept": header("Accept", "text/html,*/*"),
            "sec-fetch-mode": header("Sec-Fetch-Mode", "navigate"),
        }}
    }}]})
    .to_string();
    let decided = case.old.authorize(event.as_bytes(), UnixTime::from_seconds(1_800_000_000));
    let line = serde_json::to_string(&DecisionLine::new(&decided.record, 61)).unwrap();
    fs::write(case.path("decisions.jsonl"), format!("{line}\n")).unwrap();
    case
}

#[test]
fn a_page_that_led_to_the_sign_in_is_rebuilt_as_one_that_a_browser_opens() {
    for (host, problem, leads) in [
        ("files.example.com", None, "The person is sent to the provider"),
        (
            "d111111abcdef8.cloudfront.net",
            Some("other_host"),
            "The person is sent to the same page of `https://files.example.com`",
        ),
    ] {
        let case = sign_in_case(host);
        let log = case.path("decisions.jsonl");
        let value = case.json("old.toml", &["--log", &log]);
        assert_eq!(value["logged"]["recorded"]["status"], 302, "{value}");
        assert_eq!(value["logged"]["recorded"]["problem"].as_str(), problem);
        assert_eq!(value["logged"]["as_recorded"], true, "{value}");
        assert_eq!(value["record"]["decision"], "refuse");
        assert!(value["remedy"].as_str().unwrap().contains(leads), "{value}");
        let guesses = guesses(&value);
        assert!(
            guesses.contains(&"the headers of a browser") && guesses.contains(&"the host"),
            "{guesses:?}"
        );
        let done = case.explain("old.toml", &["--log", &log]);
        assert_eq!(done.code, 1, "{}", done.out);
        let recorded = format!(
            "recorded: refused 302: token_missing{}\n",
            problem.map(|problem| format!(" ({problem})")).unwrap_or_default()
        );
        assert!(done.out.contains(&recorded), "{}", done.out);
    }
}

#[test]
fn a_step_of_a_sign_in_is_not_decided_again_and_its_words_are_shown() {
    let case = sign_in_case("files.example.com");
    let line = r#"{"log_version":2,"time":1800000000,"request_id":"r1==","method":"GET","decision":"refuse","status":403,"reason":"sign_in_token_refused","problem":"audience_mismatch","bundle_sha256":"0","micros":9}"#;
    fs::write(case.path("decisions.jsonl"), format!("{line}\n")).unwrap();
    let done = case.explain("old.toml", &["--log", &case.path("decisions.jsonl")]);
    assert_eq!((done.code, done.out.as_str()), (2, ""));
    let message = done.err.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    for words in ["is a step of a sign-in", "`sign_in_token_refused`", "`audience_mismatch`"] {
        assert!(message.contains(words), "{}", done.err);
    }
}
