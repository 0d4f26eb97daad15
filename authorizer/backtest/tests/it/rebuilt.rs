//! A request that is rebuilt from its lines is decided on as it was, where the lines have enough of it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use authorizer_backtest::Rebuilt;
use authorizer_backtest::{Asker, Given, Layout, Lines, RebuildError, Trace, rebuild};
use authorizer_core::record::{DecisionRecord, Verdict};
use authorizer_core::{Supposed, UnixTime};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::as_decided::{Policy, decision_line, old_line};
use crate::generate::{Request, policies, requests};
use crate::random::{cases, percent};

const FIELDS: &str = "#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query sc-status time-taken \
                      x-edge-response-result-type x-edge-request-id";

fn access_line(request: &Request, before: Verdict) -> String {
    let encode = |text: &str| text.replace('%', "%25");
    let (method, stem, ip) = (&request.method, encode(&request.uri), &request.ip);
    let query = if request.query.is_empty() { "-".to_owned() } else { encode(&request.query) };
    let (status, result) = match before {
        Verdict::Allow => ("200", "Miss"),
        Verdict::Refuse | Verdict::Preflight | Verdict::SignIn => ("403", "LambdaGeneratedResponse"),
    };
    let seconds = request.at - 1_800_000_000;
    let time = format!("08:{:02}:{:02}", seconds / 60, seconds % 60);
    format!("2027-01-15\t{time}\t{ip}\t{method}\t{stem}\t{query}\t{status}\t0.100\t{result}\tr")
}

fn read(trace: &mut Trace, line: &str, fields: Option<&str>) {
    let layout = fields.map(|fields| Arc::new(Layout::parse(fields).unwrap()));
    let bytes = format!("{line}\n").into_bytes();
    trace.read(&Lines { source: "log".into(), first: 1, layout, bytes });
}

/// Whether the rebuilt request is decided on as the recorded one was; `None` if it cannot be rebuilt.
fn is_decided_alike(policy: &Policy, trace: &Trace, before: &DecisionRecord<'_>) -> Option<bool> {
    let now = UnixTime::from_seconds(1_800_000_000);
    let rebuilt = match rebuild(trace, &policy.authorizer, &policy.authorizer, Given::default(), now) {
        Ok(rebuilt) => rebuilt,
        Err(RebuildError::NoPath) => return None,
        Err(error) => panic!("{error:?}: {before:?}"),
    };
    let event = rebuilt.request.event();
    let record = match &rebuilt.asker {
        Asker::Anonymous => policy.authorizer.authorize(&event, rebuilt.now).record,
        Asker::Token(supposed) => policy.authorizer.authorize_supposing(&event, supposed, rebuilt.now).record,
    };
    let is_alike =
        (record.decision, &record.reason, &record.rule) == (before.decision, &before.reason, &before.rule);
    // What is said of it is so.
    if trace.lines.iter().any(|line| line.kind == "decision log") {
        assert_eq!(rebuilt.is_as_recorded(&record), Some(is_alike), "{before:?} {record:?}");
    }
    Some(is_alike)
}

#[test]
fn what_is_rebuilt_from_logs_is_decided_on_as_it_was() {
    let config = Config { cases: cases(150), failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    // By what is known: how many are decided alike, how many otherwise, and how many cannot be rebuilt.
    let seen: RefCell<BTreeMap<(&str, bool), [u32; 3]>> = RefCell::default();
    let result = runner.run(&(policies(), requests()), |((old, _), requests)| {
        let policy = Policy::new(&old);
        for request in requests {
            let before = policy.decide(&request, request.at);
            let (line, old_line) = (decision_line(&before), old_line(&before));
            let access = access_line(&request, before.decision);
            for (known, decision, access) in [
                ("both", Some(&line), Some(&access)),
                ("decision", Some(&line), None),
                ("old decision", Some(&old_line), None),
                ("access", None, Some(&access)),
            ] {
                let mut trace = Trace::of("r");
                if let Some(line) = decision {
                    read(&mut trace, line, None);
                }
                if let Some(line) = access {
                    read(&mut trace, line, Some(FIELDS));
                }
                if trace.lines.is_empty() {
                    // An event that could not be read has no id.
                    continue;
                }
                let is_alike = is_decided_alike(&policy, &trace, &before);
                let place = match is_alike {
                    Some(true) => 0,
                    Some(false) => 1,
                    None => 2,
                };
                let is_allowed = before.decision == Verdict::Allow;
                seen.borrow_mut().entry((known, is_allowed)).or_default()[place] += 1;
            }
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let seen = seen.into_inner();
    println!("{seen:?}");
    if percent().is_some_and(|percent| percent < 100) {
        return;
    }
    for (known, share) in [("both", 98), ("decision", 90), ("old decision", 80)] {
        let [alike, otherwise, none] = seen[&(known, true)];
        assert!(alike * 100 >= (alike + otherwise + none) * share, "{known}: {seen:?}");
    }
}

const SALT: &str = "0123456789abcdef0123456789abcdef";

/// A policy with one issuer, which hashes claims with this salt.
fn policy(salt: &str, rules: Value) -> Policy {
    Policy::new(&json!({"version": 1, "log": {"claims_salt": salt},
        "issuers": [{"name": "staff", "issuer": "https://i/", "audience": ["a", "b"], "algorithms": ["EdDSA"],
            "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}}],
        "rules": rules}))
}

fn event(uri: &str, query: &str) -> Vec<u8> {
    json!({"Records": [{"cf": {
        "config": {"eventType": "viewer-request", "requestId": "r", "distributionId": "E1"},
        "request": {"clientIp": "203.0.113.9", "method": "GET", "uri": uri, "querystring": query, "headers": {}}
    }}]})
    .to_string()
    .into_bytes()
}

/// The decision on a token with these claims, and the ones that each has.
fn decide(policy: &Policy, uri: &str, claims: Value) -> DecisionRecord<'static> {
    let mut whole = json!({"iss": "https://i/", "aud": "a", "exp": 1_800_000_600});
    whole.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    let supposed = Supposed { token_type: None, claims: whole.as_object().unwrap().clone() };
    let at = UnixTime::from_seconds(1_800_000_000);
    policy.authorizer.authorize_supposing(&event(uri, ""), &supposed, at).record.into_owned()
}

fn rebuilt_by(decider: &Policy, line: &str) -> Rebuilt {
    let mut trace = Trace::of("r");
    read(&mut trace, line, None);
    let now = UnixTime::from_seconds(1_800_000_000);
    rebuild(&trace, &decider.authorizer, &decider.authorizer, Given::default(), now).unwrap()
}

fn claims_of(rebuilt: &Rebuilt) -> Value {
    match &rebuilt.asker {
        Asker::Token(supposed) => json!(supposed.claims),
        Asker::Anonymous => Value::Null,
    }
}

/// Why something is a guess; empty if it is none.
fn why(rebuilt: &Rebuilt, what: &str) -> String {
    let guess = rebuilt.guesses.iter().find(|guess| guess.what == what);
    guess.map(|guess| guess.why.clone()).unwrap_or_default()
}

#[test]
fn what_a_policy_that_did_not_decide_says_of_the_log_is_a_guess() {
    let rules = json!([{"id": "all", "effect": "allow", "operations": ["GetObject"], "keys": ["{sub}/**"],
        "when": {"role": {"equals": "reader"}}}]);
    let old = policy(SALT, rules.clone());
    let line = decision_line(&decide(&old, "/bob/x", json!({"sub": "alice", "role": "reader"})));
    let own = rebuilt_by(&old, &line);
    assert_eq!(claims_of(&own)["role"], "reader");
    assert_eq!((why(&own, "the issuer"), why(&own, "the claim `role`")), (String::new(), String::new()));
    assert!(why(&own, "the claim `sub`").starts_with("the log has its hash"), "{:?}", own.guesses);
    let other = rebuilt_by(&policy("fedcba9876543210fedcba9876543210", rules.clone()), &line);
    assert!(why(&other, "the issuer").starts_with("another bundle decided"), "{:?}", other.guesses);
    let of_role = why(&other, "the claim `role`");
    assert!(
        of_role.starts_with("the log has its hash, with a salt that the policy does not have"),
        "{of_role}"
    );
    // The same salt, in another bundle: a digest that fits proves a value.
    let mut more = rules;
    more[0]["when"]["scope"] = json!({"has": "x"});
    let same = rebuilt_by(&policy(SALT, more), &line);
    assert_eq!(
        (claims_of(&same)["role"].clone(), why(&same, "the claim `role`")),
        (json!("reader"), String::new())
    );
    assert!(why(&same, "the claim `scope`").starts_with("no log has it"), "{:?}", same.guesses);
    // A subject in plain text, where this policy would hash it.
    let digest = authorizer_core::record::sha256_hex(b"https://i/\nalice");
    assert!(line.contains(&digest));
    let plain = line.replace(&digest, "alice");
    let found = rebuilt_by(&policy(SALT, json!([])), &plain);
    assert_eq!(claims_of(&found)["sub"], "alice");
    assert!(why(&found, "the claim `sub`").starts_with("another bundle decided"), "{:?}", found.guesses);
}

#[test]
fn what_stands_for_an_unknown_value_is_in_no_rule() {
    let rules = json!([
        {"id": "none", "effect": "deny", "operations": ["GetObject"], "keys": ["**"],
            "when": {"role": {"starts_with": "unk"}}},
        {"id": "more", "effect": "deny", "operations": ["GetObject"], "keys": ["**"],
            "when": {"groups": {"has": "unknown-1"}}},
        {"id": "all", "effect": "allow", "operations": ["GetObject"], "keys": ["**"],
            "when": {"role": {"present": true}}}]);
    let policy = policy(SALT, rules);
    for claims in [
        json!({"sub": "alice", "role": "sales"}),
        json!({"sub": "alice", "role": "sales", "groups": ["x", "y"]}),
        json!({"sub": "alice", "role": "a b", "groups": "x y"}),
    ] {
        let before = decide(&policy, "/unknown/x", claims.clone());
        assert_eq!(before.rule.as_deref(), Some("all"));
        let rebuilt = rebuilt_by(&policy, &decision_line(&before));
        let supposed = match &rebuilt.asker {
            Asker::Token(supposed) => supposed.clone(),
            Asker::Anonymous => panic!("{claims}"),
        };
        let event = rebuilt.request.event();
        let after = policy.authorizer.authorize_supposing(&event, &supposed, rebuilt.now);
        assert_eq!(after.record.rule.as_deref(), Some("all"), "{claims} {supposed:?}");
    }
}

#[test]
fn a_text_of_which_the_log_has_the_hash_may_begin_as_a_rule_asks() {
    let rules = json!([
        {"id": "main", "effect": "allow", "operations": ["GetObject"], "keys": ["main/**"],
            "when": {"ref": {"starts_with": "refs/heads/"}}},
        {"id": "ci", "effect": "allow", "operations": ["GetObject"], "keys": ["ci/**"],
            "when": {"sub": {"starts_with": "repo:octo/site:"}}}]);
    let policy = policy(SALT, rules);
    for (uri, claims, rule) in [
        ("/main/x", json!({"sub": "a", "ref": "refs/heads/dev"}), Some("main")),
        ("/main/x", json!({"sub": "a", "ref": "refs/tags/1"}), None),
        ("/ci/x", json!({"sub": "repo:octo/site:ref:refs/heads/dev", "ref": "r"}), Some("ci")),
        ("/ci/x", json!({"sub": "repo:octo/other:x", "ref": "r"}), None),
    ] {
        let before = decide(&policy, uri, claims.clone());
        assert_eq!(before.rule.as_deref(), rule);
        let rebuilt = rebuilt_by(&policy, &decision_line(&before));
        let Asker::Token(supposed) = &rebuilt.asker else { panic!("{claims}") };
        let event = rebuilt.request.event();
        let after = policy.authorizer.authorize_supposing(&event, supposed, rebuilt.now);
        assert_eq!(after.record.rule.as_deref(), rule, "{claims} {supposed:?}");
        let why = why(&rebuilt, "the claim `sub`");
        assert!(why.ends_with("with this the decision is the recorded one"), "{why}");
    }
}

#[test]
fn an_audience_that_a_rule_reads_is_the_one_of_the_log() {
    let policy = policy(
        SALT,
        json!([{"id": "all", "effect": "allow", "operations": ["GetObject"], "keys": ["**"],
        "when": {"aud": {"has": "b"}}}]),
    );
    let before = decide(&policy, "/x", json!({"sub": "alice", "aud": ["b", "elsewhere"]}));
    assert_eq!(before.rule.as_deref(), Some("all"));
    let rebuilt = rebuilt_by(&policy, &decision_line(&before));
    assert_eq!(claims_of(&rebuilt)["aud"], json!(["b", "unknown-1"]));
}

#[test]
fn names_of_parameters_that_the_log_leaves_out_are_guesses() {
    let policy = policy(
        SALT,
        json!([{"id": "all", "effect": "allow", "anonymous": true, "operations": ["GetObject"],
        "keys": ["**"]}]),
    );
    let at = UnixTime::from_seconds(1_800_000_000);
    let names: Vec<_> = (0..25).map(|number| format!("n{number}=secret")).collect();
    let query = format!("{}=1&{}=1&{}", "a".repeat(50), "b".repeat(50), names.join("&"));
    let before = policy.authorizer.authorize(&event("/x", &query), at).record.into_owned();
    assert_eq!(before.reason, "query_not_allowed");
    let rebuilt = rebuilt_by(&policy, &decision_line(&before));
    assert!(!why(&rebuilt, "further query parameters").is_empty(), "{:?}", rebuilt.guesses);
    assert!(!why(&rebuilt, "the name of a query parameter").is_empty(), "{:?}", rebuilt.guesses);
    let target = rebuilt.request.target();
    assert!(
        target.starts_with("/x?unknown-parameter-1=example&unknown-parameter-2=example&n0=example&"),
        "{target}"
    );
    assert!(!target.contains("..."), "{target}");
    let event = rebuilt.request.event();
    let record = policy.authorizer.authorize(&event, rebuilt.now).record;
    assert_eq!(rebuilt.is_as_recorded(&record), Some(true));
}

#[test]
fn a_token_of_an_access_log_is_used_only_if_the_decision_log_can_be_of_it() {
    let document = |cookie: &str| {
        json!({"version": 1, "log": {"claims_salt": SALT}, "credentials": {"cookie": cookie},
            "issuers": [{"name": "staff", "issuer": "https://i/", "audience": ["a"], "algorithms": ["EdDSA"], "jwks":
                {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}}],
            "rules": [{"id": "all", "effect": "allow", "operations": ["GetObject"], "keys": ["**"],
                    "when": {"role": {"has": "reader"}}},
                {"id": "public", "effect": "allow", "anonymous": true, "operations": ["GetObject"],
                    "keys": ["public/**"]}]})
    };
    let (policy, other) = (Policy::new(&document("t")), Policy::new(&document("u")));
    let claims = |iss: &str, sub: &str, role: &str| json!({"iss": iss, "sub": sub, "role": role, "aud": "a", "exp": 1_800_000_600});
    let token = |claims: &Value| {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.c2ln", encode(r#"{"alg":"EdDSA"}"#), encode(&claims.to_string()))
    };
    let own = claims("https://i/", "alice", "reader");
    let line = decision_line(&decide(&policy, "/x", json!({"sub": "alice", "role": "reader"})));
    let public = event("/public/x", "");
    let anonymous = policy.authorizer.authorize(&public, UnixTime::from_seconds(1_800_000_000));
    assert_eq!(anonymous.record.rule.as_deref(), Some("public"));
    let anonymous_line = decision_line(&anonymous.record);
    let rebuilt = |line: Option<&str>, cookies: &str| {
        let mut trace = Trace::of("r");
        if let Some(line) = line {
            read(&mut trace, line, None);
        }
        let fields = format!("{FIELDS} cs(Cookie)");
        let access = format!(
            "2027-01-15\t08:00:00\t203.0.113.9\tGET\t/public/x\t-\t200\t0.100\tMiss\tr\t{}",
            cookies.replace(' ', "%20")
        );
        read(&mut trace, &access, Some(&fields));
        let now = UnixTime::from_seconds(1_800_000_000);
        rebuild(&trace, &other.authorizer, &policy.authorizer, Given::default(), now).unwrap()
    };
    let alice = token(&own);
    let read_from = "read from the token in the access log, whose signature was not checked";
    let is_read = |rebuilt: &Rebuilt| why(rebuilt, "the claims") == read_from;
    let alone = rebuilt(None, &format!("t={alice}"));
    assert!(is_read(&alone) && claims_of(&alone) == own, "{:?}", alone.guesses);
    let agreed = rebuilt(Some(&line), &format!("t={alice}"));
    assert!(is_read(&agreed) && claims_of(&agreed) == own, "{:?}", agreed.guesses);
    for (forged, what) in [
        (claims("https://i/", "mallory", "reader"), "subject"),
        (claims("https://other/", "alice", "reader"), "issuer"),
        (claims("https://i/", "alice", "admin"), "claims"),
    ] {
        let forged = token(&forged);
        let found = rebuilt(Some(&line), &format!("t={forged}"));
        assert!(!is_read(&found) && claims_of(&found)["role"] == "reader", "{what}: {:?}", found.guesses);
        assert!(
            why(&found, "the token in the access log").contains("not used"),
            "{what}: {:?}",
            found.guesses
        );
        // The one that agrees is found behind it.
        let found = rebuilt(Some(&line), &format!("t={forged}; t={alice}"));
        assert!(is_read(&found) && claims_of(&found) == own, "{what}: {:?}", found.guesses);
    }
    // Without a token in the decision log, none is made up: of neither policy's cookie.
    for cookie in ["t", "u"] {
        let found = rebuilt(Some(&anonymous_line), &format!("{cookie}={alice}"));
        assert_eq!(found.asker, Asker::Anonymous, "{cookie}");
        assert!(why(&found, "the token in the access log").contains("had no token"), "{:?}", found.guesses);
    }
}
