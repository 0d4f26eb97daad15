//! Whole requests, with keys that are created here and tokens signed with them.

use authorizer_core::event::{CloudFrontHeader, CloudFrontRequest};
use authorizer_core::outcome::Outcome;
use authorizer_core::record::{DecisionLine, Verdict};
use authorizer_core::token::SignatureAlgorithm;
use authorizer_core::{Authorized, Authorizer, Bundle, Supposed, UnixTime};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;

use crate::signer::Signer;

const NOW: u64 = 1_800_000_000;

static ED: LazyLock<Signer> = LazyLock::new(|| Signer::new(SignatureAlgorithm::EdDsa));
static OTHER: LazyLock<Signer> = LazyLock::new(|| Signer::new(SignatureAlgorithm::EdDsa));
static AUTHORIZER: LazyLock<Authorizer> =
    LazyLock::new(|| authorizer(policy(&["EdDSA"], vec![ED.jwk("k1")])));

fn policy(algorithms: &[&str], keys: Vec<Value>) -> Value {
    json!({
        "version": 1,
        "issuers": [
            {"name": "staff", "issuer": "https://staff.example/", "audience": ["files"], "algorithms": algorithms,
                "jwks": {"keys": keys}, "token_type": "at+jwt", "required": {"token_use": "access"},
                "leeway_seconds": 10},
            {"name": "partner", "issuer": "https://partner.example/", "client_id": ["p"], "algorithms": ["EdDSA"],
                "jwks": {"keys": [OTHER.jwk("k1")]}}
        ],
        "log": {"subject": "plain"},
        "rules": [
            {"id": "no-secrets", "effect": "deny", "methods": ["GET", "PUT", "DELETE"], "keys": ["**/secret/**"]},
            {"id": "own", "effect": "allow", "methods": ["GET", "PUT"], "keys": ["users/{sub}/**"], "issuers": ["staff"]},
            {"id": "delete", "effect": "allow", "methods": ["DELETE"], "keys": ["users/{sub}/**"],
                "when": {"scope": {"has": "delete"}}, "issuers": ["staff", "partner"]},
            {"id": "role", "effect": "allow", "methods": ["PUT"], "keys": ["shared/**"],
                "when": {"role": {"any": ["editor", "admin"]}}, "issuers": ["staff"]},
            {"id": "public", "effect": "allow", "methods": ["GET"], "keys": ["public/**"], "anonymous": true}
        ]
    })
}

fn authorizer(policy: Value) -> Authorizer {
    let document = serde_json::from_value(policy).unwrap();
    Authorizer::new(Bundle::read(&Bundle::write(&document).unwrap()).unwrap())
}

fn claims() -> Value {
    json!({"iss": "https://staff.example/", "aud": "files", "sub": "alice", "token_use": "access",
        "iat": NOW - 60, "nbf": NOW - 60, "exp": NOW + 60})
}

fn with(changes: Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            _ => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims
}

fn event(method: &str, uri: &str, token: Option<&str>) -> Value {
    let mut headers = json!({
        "host": [{"key": "Host", "value": "d111111abcdef8.cloudfront.net"}],
        "user-agent": [{"key": "User-Agent", "value": "curl/8"}],
        "range": [{"key": "Range", "value": "bytes=0-9"}]
    });
    if let Some(token) = token {
        headers["authorization"] = json!([{"key": "Authorization", "value": format!("Bearer {token}")}]);
    }
    json!({"Records": [{"cf": {
        "config": {"distributionDomainName": "d111111abcdef8.cloudfront.net", "distributionId": "EDFDVBD6EXAMPLE",
            "eventType": "viewer-request", "requestId": "r1"},
        "request": {"clientIp": "203.0.113.178", "method": method, "uri": uri, "querystring": "",
            "headers": headers, "later": {"kept": true}}
    }}]})
}

fn decide(authorizer: &Authorizer, event: &Value) -> Authorized<'static> {
    authorizer.authorize(event.to_string().as_bytes(), UnixTime::from_seconds(NOW)).into_owned()
}

fn reason(method: &str, uri: &str, token: Option<&str>) -> String {
    decide(&AUTHORIZER, &event(method, uri, token)).record.reason.into_owned()
}

#[test]
fn each_algorithm_is_accepted_with_its_key_and_refused_with_another() {
    for algorithm in SignatureAlgorithm::ALL {
        let (signer, stranger) = (Signer::new(algorithm), Signer::new(algorithm));
        let authorizer = authorizer(policy(&[algorithm.name()], vec![signer.jwk("k1")]));
        let ask = |signer: &Signer| {
            let token = signer.sign("k1", "at+jwt", &claims());
            decide(&authorizer, &event("GET", "/users/alice/a", Some(&token))).record.reason
        };
        assert_eq!(ask(&signer), "allowed_by_rule", "{algorithm:?}");
        assert_eq!(ask(&stranger), "signature_invalid", "{algorithm:?}");
    }
}

#[test]
fn a_token_is_refused_by_the_first_check_that_fails() {
    let sign = |claims: &Value| ED.sign("k1", "at+jwt", claims);
    for (token, expected) in [
        (sign(&claims()), "allowed_by_rule"),
        (ED.sign("k1", "application/AT+JWT", &claims()), "allowed_by_rule"),
        (sign(&with(json!({"exp": NOW - 9}))), "allowed_by_rule"),
        (sign(&with(json!({"exp": NOW - 10}))), "token_expired"),
        (sign(&with(json!({"exp": (NOW as f64) - 10.5}))), "token_expired"),
        (sign(&with(json!({"exp": null}))), "token_time_malformed"),
        (sign(&with(json!({"exp": "never"}))), "token_time_malformed"),
        (sign(&with(json!({"exp": 1e300}))), "allowed_by_rule"),
        (sign(&with(json!({"nbf": NOW + 10}))), "allowed_by_rule"),
        (sign(&with(json!({"nbf": NOW + 11}))), "token_not_yet_valid"),
        (sign(&with(json!({"nbf": true}))), "token_time_malformed"),
        (sign(&with(json!({"iat": NOW + 11}))), "token_issued_in_future"),
        (sign(&with(json!({"aud": ["x", "files"]}))), "allowed_by_rule"),
        (sign(&with(json!({"aud": "other"}))), "audience_mismatch"),
        (sign(&with(json!({"aud": null}))), "audience_mismatch"),
        (sign(&with(json!({"token_use": "id"}))), "required_claim_mismatch"),
        (sign(&with(json!({"token_use": null}))), "required_claim_mismatch"),
        (sign(&with(json!({"sub": ["alice", "bob"]}))), "token_malformed"),
        (ED.sign("k1", "JWT", &claims()), "token_type_mismatch"),
        (ED.sign("k2", "at+jwt", &claims()), "signing_key_unknown"),
        (OTHER.sign("k1", "at+jwt", &claims()), "signature_invalid"),
        (sign(&with(json!({"iss": "https://evil.example/"}))), "issuer_unknown"),
        (sign(&with(json!({"iss": ["https://staff.example/"]}))), "issuer_unknown"),
        (sign(&with(json!({"iss": "https://partner.example/"}))), "signature_invalid"),
        ("a.b.c".into(), "token_malformed"),
    ] {
        assert_eq!(reason("GET", "/users/alice/a", Some(&token)), expected);
    }
    let partner = |client: &str, more: &str, value: Value| {
        let mut claims = json!({"iss": "https://partner.example/", "client_id": client, "sub": "alice",
            "exp": NOW + 1, "scope": "delete"});
        claims[more] = value;
        reason("DELETE", "/users/alice/a", Some(&OTHER.sign("k1", "JWT", &claims)))
    };
    assert_eq!(partner("p", "x", json!(1)), "allowed_by_rule");
    assert_eq!(partner("q", "x", json!(1)), "client_mismatch");
    // RFC 7519 section 4.1.3: a token with audiences is only for them, also if the policy does not name an audience.
    for audience in [json!("payments-api"), json!([]), json!(null)] {
        assert_eq!(partner("p", "aud", audience), "audience_mismatch");
    }
}

#[test]
fn the_algorithm_is_pinned_by_the_issuer_and_by_the_key() {
    let (ps, rs) = (Signer::new(SignatureAlgorithm::Ps256), Signer::new(SignatureAlgorithm::Rs256));
    let mut rs_only = rs.jwk("k1");
    rs_only["alg"] = "RS256".into();
    let authorizer = authorizer(policy(&["RS256", "PS256"], vec![rs_only]));
    let ask = |key: &EncodingKey, algorithm: Algorithm| {
        let signer = Signer { algorithm, key: key.clone() };
        let token = signer.sign("k1", "at+jwt", &claims());
        decide(&authorizer, &event("GET", "/users/alice/a", Some(&token))).record.reason
    };
    assert_eq!(ask(&rs.key, Algorithm::RS256), "allowed_by_rule");
    assert_eq!(ask(&rs.key, Algorithm::PS256), "signing_key_unknown");
    assert_eq!(ask(&ps.key, Algorithm::RS512), "algorithm_not_allowed");
    // RFC 8725 section 2.1: the public key as an HMAC secret, and a missing signature.
    let secret = EncodingKey::from_secret(rs.jwk("k1")["n"].as_str().unwrap().as_bytes());
    assert_eq!(ask(&secret, Algorithm::HS256), "algorithm_not_allowed");
    let unsigned = format!(
        "{}.{}.AA",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"k1","typ":"at+jwt"}"#),
        URL_SAFE_NO_PAD.encode(claims().to_string())
    );
    let decided = decide(&authorizer, &event("GET", "/users/alice/a", Some(&unsigned)));
    assert_eq!(decided.record.reason, "algorithm_not_allowed");
}

#[test]
fn rules_decide_by_method_key_issuer_and_claims() {
    let alice = ED.sign("k1", "at+jwt", &claims());
    let editor = ED.sign("k1", "at+jwt", &with(json!({"role": "editor", "scope": "x delete"})));
    for (method, uri, token, expected, rule) in [
        ("GET", "/users/alice/a", Some(&alice), "allowed_by_rule", Some("own")),
        ("HEAD", "/users/alice/a", Some(&alice), "allowed_by_rule", Some("own")),
        ("PUT", "/users/alice/a", Some(&alice), "allowed_by_rule", Some("own")),
        ("GET", "/users/bob/a", Some(&alice), "key_not_allowed", None),
        ("GET", "/users/alice%2F..%2Fbob/a", Some(&alice), "key_dot_segment", None),
        ("GET", "/users%2Falice/a", Some(&alice), "allowed_by_rule", Some("own")),
        ("GET", "/users/alice/secret/a", Some(&alice), "denied_by_rule", Some("no-secrets")),
        ("GET", "/public/secret/a", None, "denied_by_rule", Some("no-secrets")),
        ("GET", "/public/a", None, "allowed_by_rule", Some("public")),
        ("GET", "/public/a", Some(&alice), "allowed_by_rule", Some("public")),
        ("PUT", "/public/a", None, "token_missing", None),
        ("PUT", "/public/a", Some(&alice), "operation_not_allowed", None),
        ("DELETE", "/users/alice/a", Some(&alice), "insufficient_scope", None),
        ("DELETE", "/users/alice/a", Some(&editor), "allowed_by_rule", Some("delete")),
        ("PUT", "/shared/a", Some(&alice), "condition_not_met", None),
        ("PUT", "/shared/a", Some(&editor), "allowed_by_rule", Some("role")),
        ("POST", "/users/alice/a", Some(&alice), "method_not_allowed", None),
        ("GET", "/", Some(&alice), "key_missing", None),
    ] {
        let decided = decide(&AUTHORIZER, &event(method, uri, token.map(String::as_str)));
        assert_eq!(decided.record.reason, expected, "{method} {uri}");
        assert_eq!(decided.record.rule.as_deref(), rule, "{method} {uri}");
    }
    let partner =
        json!({"iss": "https://partner.example/", "client_id": "p", "sub": "alice", "exp": NOW + 1});
    assert_eq!(
        reason("GET", "/users/alice/a", Some(&OTHER.sign("k1", "JWT", &partner))),
        "issuer_not_allowed",
        "the same subject of another issuer is somebody else"
    );
}

#[test]
fn a_bad_token_does_not_get_what_is_open_to_everyone() {
    let expired = ED.sign("k1", "at+jwt", &with(json!({"exp": 1})));
    assert_eq!(reason("GET", "/public/a", Some(&expired)), "token_expired");
}

#[test]
fn what_is_forwarded_is_what_was_authorised() {
    let alice = ED.sign("k1", "at+jwt", &claims());
    let mut event = event("GET", "/users%2Falice/%7Ea%2fb%20%E2%82%AC", Some(&alice));
    event["Records"][0]["cf"]["request"]["headers"]["cookie"] = json!([{"key": "Cookie", "value": "a=b"}]);
    let decided = decide(&AUTHORIZER, &event);
    assert_eq!(
        serde_json::to_value(&decided.outcome).unwrap(),
        json!({
            "clientIp": "203.0.113.178", "method": "GET", "uri": "/users/alice/~a/b%20%E2%82%AC", "querystring": "",
            "headers": {
                "host": [{"key": "Host", "value": "d111111abcdef8.cloudfront.net"}],
                "range": [{"key": "Range", "value": "bytes=0-9"}]
            },
            "later": {"kept": true}
        })
    );
    let record = serde_json::to_value(&decided.record).unwrap();
    assert_eq!(
        record,
        json!({
            "request_id": "r1", "distribution_id": "EDFDVBD6EXAMPLE", "method": "GET", "operation": "GetObject",
            "key": "users/alice/~a/b €", "decision": "allow", "reason": "allowed_by_rule", "rule": "own",
            "issuer": "staff", "subject": "alice", "bundle_sha256": AUTHORIZER.bundle().sha256()
        })
    );
}

/// The members of the line of a request.
fn line(authorizer: &Authorizer, event: &Value) -> Value {
    serde_json::to_value(DecisionLine::new(&decide(authorizer, event).record, 7)).unwrap()
}

#[test]
fn the_line_has_the_query_that_goes_on_and_only_names_of_another() {
    let mut document = policy(&["EdDSA"], vec![ED.jwk("k1")]);
    document["credentials"] = json!({"query": "access_token"});
    document["query"] = json!({"ignored": ["utm_source"]});
    document["rules"][1]["response_overrides"] = json!(["response-content-disposition"]);
    let authorizer = authorizer(document);
    let alice = ED.sign("k1", "at+jwt", &claims());
    let ask = |method: &str, uri: &str, query: &str| {
        let mut event = event(method, uri, (!query.contains("access_token=")).then_some(alice.as_str()));
        event["Records"][0]["cf"]["request"]["querystring"] = json!(query);
        let line = line(&authorizer, &event);
        assert_eq!((&line["log_version"], &line["time"]), (&json!(2), &json!(NOW)), "{line}");
        assert!(!line.to_string().contains(&alice), "{line}");
        (line["reason"].as_str().unwrap().to_owned(), line["query"].clone(), line["query_names"].clone())
    };
    let none = Value::Null;
    let own = "/users/alice/a";
    let token = format!("access_token={alice}");
    for (method, uri, query, reason, forwarded, names) in [
        ("GET", own, String::new(), "allowed_by_rule", none.clone(), none.clone()),
        ("GET", own, token.clone(), "allowed_by_rule", none.clone(), none.clone()),
        ("GET", own, format!("utm_source=x&{token}"), "allowed_by_rule", none.clone(), none.clone()),
        (
            "GET",
            own,
            format!("{token}&response-content-disposition=a+b%22"),
            "allowed_by_rule",
            json!("response-content-disposition=a%20b%22"),
            none.clone(),
        ),
        // A second copy of the token, in the value of another parameter.
        (
            "GET",
            own,
            format!("{token}&response-content-disposition={alice}"),
            "allowed_by_rule",
            json!("response-content-disposition"),
            none.clone(),
        ),
        // And a token of another kind: without a signature, and with an empty part.
        (
            "GET",
            own,
            format!("{token}&response-content-disposition=inline%3B+ewogImFsZyI6Im5vbmUifQ.eyJzdWIiOiJhIn0."),
            "allowed_by_rule",
            json!("response-content-disposition"),
            none.clone(),
        ),
        // Recognised, and refused by the rules.
        (
            "GET",
            own,
            format!("utm_source=x&{token}&response-expires=secret"),
            "query_not_allowed",
            none.clone(),
            json!("response-expires"),
        ),
        // Not recognised.
        ("GET", own, format!("acl&{token}&sig=secret"), "query_not_allowed", none.clone(), json!("acl&sig")),
        ("GET", own, format!("{alice}&a%20b=secret"), "query_not_allowed", none.clone(), json!("?&?")),
        ("GET", own, "a=%zz&\"=&{}".to_owned(), "query_malformed", none.clone(), json!("a&?&?")),
        ("PATCH", own, "a=1".to_owned(), "method_not_allowed", none.clone(), json!("a")),
    ] {
        assert_eq!(ask(method, uri, &query), (reason.to_owned(), forwarded, names), "{query}");
    }
    // The query that is logged is the one that S3 gets, and no line is longer than its parts can be.
    let long = format!("response-content-disposition={}", "%22".repeat(1600));
    let (reason, query, _) = ask("GET", own, &long);
    assert_eq!((reason.as_str(), query.as_str().unwrap().len()), ("allowed_by_rule", long.len()));
    let (reason, query, names) =
        ask("GET", own, &format!("response-content-disposition={}", "%22".repeat(1700)));
    assert_eq!(
        (reason.as_str(), query, names),
        ("query_malformed", none, json!("response-content-disposition"))
    );
}

#[test]
fn no_line_is_longer_than_the_documentation_says() {
    let names: Vec<_> = (0..20).map(|number| format!("claim{number:02}")).collect();
    let when: Value = names.iter().map(|name| (name.clone(), json!({"present": true}))).collect();
    let mut document = policy(&["EdDSA"], vec![ED.jwk("k1")]);
    document["log"] = json!({"subject": "plain", "claims_salt": "0123456789abcdef0123456789abcdef"});
    document["rules"] = json!([{"id": "r".repeat(64), "effect": "allow", "methods": ["GET"], "keys": ["**"],
        "issuers": ["staff"], "when": when, "response_overrides": ["response-content-disposition"]}]);
    let authorizer = authorizer(document);
    let words = vec!["w"; 40].join(" ");
    let mut claims = with(json!({"sub": "\u{1}".repeat(300)}));
    claims.as_object_mut().unwrap().extend(names.into_iter().map(|name| (name, json!(words))));
    let key = format!("/{}", "%22".repeat(1024));
    let mut asked = event("GET", &key, Some(&ED.sign("k1", "at+jwt", &claims)));
    let request = &mut asked["Records"][0]["cf"]["request"];
    request["querystring"] = json!(format!("response-content-disposition={}", "%22".repeat(1650)));
    let found = line(&authorizer, &asked);
    assert_eq!(found["decision"], "allow", "{found}");
    assert_eq!(found["claims"].as_object().unwrap().len(), 16);
    let length = found.to_string().len();
    assert!((16_000..18_000).contains(&length), "{length}");
    // Of a request that is not recognised, whatever it has.
    asked["Records"][0]["cf"]["request"]["querystring"] = json!(vec!["a".repeat(40); 200].join("&"));
    let found = line(&authorizer, &asked);
    assert_eq!(found["query_names"].as_str().unwrap().len(), 20 * 41 + 3, "{found}");
    assert!(found.to_string().len() < 18_000);
}

#[test]
fn claims_are_in_the_line_only_with_a_salt_and_never_in_plain_text() {
    let alice =
        ED.sign("k1", "at+jwt", &with(json!({"role": "editor", "scope": "delete more", "name": "Alice L"})));
    let asked = event("PUT", "/shared/a", Some(&alice));
    assert!(line(&AUTHORIZER, &asked).get("claims").is_none());
    let mut document = policy(&["EdDSA"], vec![ED.jwk("k1")]);
    document["log"] = json!({"claims_salt": "0123456789abcdef0123456789abcdef"});
    let authorizer = authorizer(document);
    let line_of = |event: &Value| line(&authorizer, event);
    let found = line_of(&asked);
    let hasher = authorizer.bundle().policy().claim_hasher().unwrap();
    let of = |name: &str, text: &str| hasher.of_text(name, text);
    assert_eq!(
        found["claims"],
        json!({"role": of("role", "editor"), "scope": {"whole": of("scope", "delete more"),
            "words": [of("scope", "delete"), of("scope", "more")]}})
    );
    assert_eq!(found["claims_salt_id"], hasher.salt_id());
    for text in ["editor", "delete", "Alice"] {
        assert!(!found.to_string().contains(text), "{found}");
    }
    // Of a request that is refused, too; and not of one whose token does not verify, or that has none.
    assert_eq!(line_of(&event("PUT", "/users/bob/a", Some(&alice)))["claims"], found["claims"]);
    let stranger = OTHER.sign("k1", "at+jwt", &with(json!({"role": "editor"})));
    assert_eq!(line_of(&event("PUT", "/shared/a", Some(&stranger)))["claims"], Value::Null);
    let nobody = line_of(&event("GET", "/public/a", None));
    assert_eq!((&nobody["claims"], &nobody["claims_salt_id"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_refusal_says_what_the_rfcs_ask_for_and_no_more() {
    let ask = |method: &str, uri: &str, token: Option<&str>| {
        let outcome = decide(&AUTHORIZER, &event(method, uri, token)).outcome;
        let value = serde_json::to_value(&outcome).unwrap();
        let header = |name: &str| value["headers"][name][0]["value"].as_str().map(str::to_owned);
        (value.clone(), header("www-authenticate"), header("allow"))
    };
    let alice = ED.sign("k1", "at+jwt", &claims());
    let (response, challenge, _) = ask("GET", "/users/alice/a", None);
    assert_eq!(response["status"], "401");
    assert_eq!(challenge.as_deref(), Some("Bearer realm=\"objects\""));
    let problem: Value = serde_json::from_str(response["body"].as_str().unwrap()).unwrap();
    assert_eq!(problem["status"], 401);
    assert_eq!(problem["request_id"], "r1");
    assert_eq!(response["headers"]["cache-control"][0]["value"], "no-store");

    let (_, challenge, _) = ask("GET", "/users/alice/a", Some("a.b.c"));
    assert_eq!(
        challenge.as_deref(),
        Some(
            "Bearer realm=\"objects\", error=\"invalid_token\", error_description=\"The token is not valid here\""
        )
    );
    let (response, challenge, _) = ask("DELETE", "/users/alice/a", Some(&alice));
    assert_eq!(response["status"], "403");
    assert_eq!(
        challenge.as_deref(),
        Some("Bearer realm=\"objects\", error=\"insufficient_scope\", scope=\"delete\"")
    );
    let (response, challenge, _) = ask("GET", "/users/bob/a", Some(&alice));
    assert_eq!((response["status"].as_str(), challenge), (Some("403"), None));
    assert!(!response["body"].as_str().unwrap().contains("own"), "the body names no rule");
    let (response, _, allow) = ask("PATCH", "/users/alice/a", Some(&alice));
    assert_eq!(
        (response["status"].as_str(), allow.as_deref()),
        (Some("405"), Some("GET, HEAD, PUT, DELETE"))
    );
    let (response, _, _) = ask("HEAD", "/users/bob/a", Some(&alice));
    assert_eq!(response.get("body"), None);
}

#[test]
fn what_is_no_event_is_refused_and_logged() {
    for bytes in [b"".as_slice(), b"{", b"null", b"[]", b"\xff\xfe", b"{\"Records\":[]}"] {
        let decided = AUTHORIZER.authorize(bytes, UnixTime::from_seconds(NOW));
        assert_eq!(decided.record.reason, "event_malformed");
        assert_eq!(decided.outcome.status(), Some(500));
    }
    let mut origin = event("GET", "/public/a", None);
    origin["Records"][0]["cf"]["config"]["eventType"] = "origin-request".into();
    let decided = decide(&AUTHORIZER, &origin);
    assert_eq!(
        (decided.record.reason.as_ref(), decided.outcome.status()),
        ("event_wrong_trigger", Some(500))
    );
}

#[test]
fn no_change_of_one_byte_leaves_a_token_valid() {
    let token = ED.sign("k1", "at+jwt", &claims());
    for index in 0..token.len() {
        for flip in [1u8, 2, 4, 8, 16, 32] {
            let mut bytes = token.clone().into_bytes();
            bytes[index] ^= flip;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            let reason = reason("GET", "/users/alice/a", Some(&changed));
            assert_ne!(reason, "allowed_by_rule", "byte {index} ^ {flip}");
        }
        let cut = &token.as_bytes()[..index];
        assert_ne!(
            reason("GET", "/users/alice/a", Some(std::str::from_utf8(cut).unwrap())),
            "allowed_by_rule"
        );
    }
}

#[test]
fn a_bundle_that_was_cut_or_changed_is_not_used() {
    let document = serde_json::from_value(policy(&["EdDSA"], vec![ED.jwk("k1")])).unwrap();
    let bytes = Bundle::write(&document).unwrap();
    assert!(Bundle::read(&bytes).is_ok());
    for length in 0..bytes.len() - 1 {
        assert!(Bundle::read(&bytes[..length]).is_err(), "cut to {length}");
    }
    for index in 0..bytes.len() - 1 {
        let mut changed = bytes.clone();
        changed[index] = changed[index].wrapping_add(1);
        assert!(Bundle::read(&changed).is_err(), "byte {index}");
    }
    let text = String::from_utf8(bytes).unwrap();
    for (from, to) in [("\"deny\"", "\"allow\""), ("**/secret/**", "none"), ("\"format\":1", "\"format\":2")]
    {
        assert!(text.contains(from));
        assert!(Bundle::read(text.replace(from, to).as_bytes()).is_err(), "{from} to {to}");
    }
    let later = Bundle::read(br#"{"format":2,"other":[]}"#).unwrap_err();
    assert_eq!(later.to_string(), "the bundle has format 2, but this program reads format 1");
}

/// Decodes a forwarded path as S3 does.
fn as_s3_decodes(uri: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = uri.strip_prefix('/').unwrap().as_bytes();
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b'%', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
                rest = after;
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = tail;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}

static ALICE: LazyLock<String> = LazyLock::new(|| ED.sign("k1", "at+jwt", &claims()));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_is_asked_only_what_a_rule_allows_is_forwarded(
        method in "GET|HEAD|PUT|DELETE|POST|OPTIONS|get",
        uri in "/(users|public|shared|%75sers)(/|%2[fF]|//)(alice|bob|\\.\\.|%2e%2e|secret|\\*)(/|%2F)?([a-z%+./ ]|%[0-9a-f]{2}){0,8}",
        query in "(acl|versionId=1|a=b|)",
        header in "(x-amz-copy-source|x-amz-acl|cookie|range|x-any|content-type)",
        token in any::<bool>(),
    ) {
        let mut event = event(&method, &uri, token.then_some(ALICE.as_str()));
        event["Records"][0]["cf"]["request"]["querystring"] = query.into();
        event["Records"][0]["cf"]["request"]["headers"][&header] = json!([{"key": header, "value": "v"}]);
        let decided = decide(&AUTHORIZER, &event);
        prop_assert!(!serde_json::to_string(&decided.record).unwrap().contains(ALICE.as_str()));
        match decided.outcome {
            Outcome::Forward(request) => {
                prop_assert_eq!(decided.record.decision, Verdict::Allow);
                let CloudFrontRequest { method, uri, querystring, headers, .. } = *request;
                let key = as_s3_decodes(&uri);
                prop_assert_eq!(Some(key.as_str()), decided.record.key.as_deref());
                // The rules of the policy, written in another way.
                let segments: Vec<&str> = key.split('/').collect();
                let secret = segments.iter().rev().skip(1).any(|segment| *segment == "secret");
                let allowed = match method.as_ref() {
                    "GET" | "HEAD" => {
                        key.starts_with("public/") || (token && key.starts_with("users/alice/"))
                    }
                    "PUT" => token && key.starts_with("users/alice/"),
                    _ => false,
                };
                prop_assert!(allowed && !secret && !segments.contains(&".."), "{method} {key}");
                prop_assert_eq!(querystring, "");
                let names: Vec<&str> = headers.keys().map(AsRef::as_ref).collect();
                prop_assert!(names.iter().all(|n| ["host", "range", "content-type"].contains(n)), "{names:?}");
            }
            Outcome::Respond(response) => {
                prop_assert_eq!(decided.record.decision, Verdict::Refuse);
                prop_assert!(response.status.parse::<u16>().unwrap() >= 400);
                prop_assert!(serde_json::to_vec(&response).unwrap().len() < 40_000);
            }
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        AUTHORIZER.authorize(&bytes, UnixTime::from_seconds(NOW));
    }

    #[test]
    fn no_header_or_claim_panics(authorization in "\\PC*", name in "[a-z-]{1,20}", value in "\\PC*", uri in "\\PC*") {
        let mut event = event("GET", &uri, None);
        let line = |key: &str, value: &str| json!([CloudFrontHeader::new(key, value)]);
        event["Records"][0]["cf"]["request"]["headers"][&name] = line(&name, &value);
        event["Records"][0]["cf"]["request"]["headers"]["authorization"] = line("authorization", &authorization);
        decide(&AUTHORIZER, &event);
    }
}

#[test]
fn a_token_that_was_verified_before_is_decided_on_as_if_it_were_new() {
    let remembering = authorizer(policy(&["EdDSA"], vec![ED.jwk("k1")]));
    let token = ED.sign("k1", "at+jwt", &claims());
    let event = event("GET", "/users/alice/a", Some(&token)).to_string();
    let at = |authorizer: &Authorizer, event: &str, now| {
        authorizer.authorize(event.as_bytes(), UnixTime::from_seconds(now)).into_owned()
    };
    assert_eq!(at(&remembering, &event, NOW).record.decision, Verdict::Allow);
    // Before it was issued, while it is valid, and after: the clock is read each time.
    for now in [NOW - 3600, NOW, NOW + 69, NOW + 70, NOW] {
        let fresh = authorizer(policy(&["EdDSA"], vec![ED.jwk("k1")]));
        assert_eq!(at(&remembering, &event, now), at(&fresh, &event, now), "{now}");
    }
    // The same payload with another signature is another token.
    let forged = OTHER.sign("k1", "at+jwt", &claims());
    let forged = event.replace(&token, &forged);
    assert_eq!(at(&remembering, &forged, NOW).record.reason, "signature_invalid");
    // After a change of keys nothing is in the cache.
    let rotated = authorizer(policy(&["EdDSA"], vec![OTHER.jwk("k1")]));
    assert_eq!(at(&rotated, &event, NOW).record.reason, "signature_invalid");
}

#[test]
fn a_cookie_changes_something_only_from_a_page_that_nobody_else_can_speak_for() {
    let mut policy = policy(&["EdDSA"], vec![ED.jwk("k1")]);
    policy["credentials"] = json!({"cookie": "session"});
    let authorizer = authorizer(policy);
    let token = ED.sign("k1", "at+jwt", &claims());
    for (host, origin, reason) in [
        ("files.example", "https://files.example", "allowed_by_rule"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080", "allowed_by_rule"),
        ("files.example", "http://files.example", "origin_not_allowed"),
        ("files.example", "https://files.example:8443", "origin_not_allowed"),
        ("files.example", "https://evil.example", "origin_not_allowed"),
        ("files.example", "null", "origin_not_allowed"),
        ("files.example", "", "origin_not_allowed"),
    ] {
        let mut event = event("PUT", "/users/alice/a", None);
        let headers = &mut event["Records"][0]["cf"]["request"]["headers"];
        headers["host"] = json!([{"key": "Host", "value": host}]);
        headers["origin"] = json!([{"key": "Origin", "value": origin}]);
        headers["cookie"] = json!([{"key": "Cookie", "value": format!("session={token}")}]);
        assert_eq!(decide(&authorizer, &event).record.reason, reason, "{origin} to {host}");
    }
}

/// A PUT with a token in a header that the policy names, from a page of this origin.
fn with_header(set_by: &str, cors: &Value, name: &str, origin: Option<&str>) -> Authorized<'static> {
    let mut policy = policy(&["EdDSA"], vec![ED.jwk("k1")]);
    policy["credentials"] = json!({"header": "Cf-Access-Jwt-Assertion", "header_set_by": set_by});
    if !cors.is_null() {
        policy["cors"] = json!({"origins": cors});
    }
    let mut event = event("PUT", "/users/alice/a", None);
    let headers = &mut event["Records"][0]["cf"]["request"]["headers"];
    let token = ED.sign("k1", "at+jwt", &claims());
    headers[name] = json!([{"key": name, "value": token}]);
    if let Some(origin) = origin {
        headers["origin"] = json!([{"key": "Origin", "value": origin}]);
    }
    decide(&authorizer(policy), &event)
}

#[test]
fn a_header_that_a_proxy_adds_changes_something_only_from_a_page_that_may() {
    let (named, other) = (json!(["https://app.example"]), "https://evil.example");
    for (set_by, cors, origin, reason) in [
        ("proxy", Value::Null, None, "allowed_by_rule"),
        ("proxy", Value::Null, Some(other), "origin_not_allowed"),
        ("proxy", named.clone(), Some(other), "origin_not_allowed"),
        ("proxy", json!(["*"]), Some(other), "origin_not_allowed"),
        ("proxy", named.clone(), Some("https://app.example"), "allowed_by_rule"),
        ("proxy", Value::Null, Some("https://d111111abcdef8.cloudfront.net"), "allowed_by_rule"),
        ("clients", Value::Null, Some(other), "allowed_by_rule"),
    ] {
        let decided = with_header(set_by, &cors, "cf-access-jwt-assertion", origin);
        assert_eq!(decided.record.reason, reason, "{set_by} {cors} {origin:?}");
        if let Outcome::Forward(request) = decided.outcome {
            assert!(!request.headers.contains_key("cf-access-jwt-assertion"), "it went on");
        }
    }
    let other_name = with_header("proxy", &Value::Null, "x-jwt-assertion", None);
    assert_eq!(other_name.record.reason, "token_missing");
}

#[test]
fn a_preflight_lists_the_header_of_a_token_only_where_clients_set_it() {
    for (set_by, reason) in [("proxy", "preflight_header_not_allowed"), ("clients", "preflight_answered")] {
        let mut policy = policy(&["EdDSA"], vec![ED.jwk("k1")]);
        policy["credentials"] = json!({"header": "X-Token", "header_set_by": set_by});
        policy["cors"] = json!({"origins": ["https://app.example"]});
        let mut event = event("OPTIONS", "/users/alice/a", None);
        let headers = &mut event["Records"][0]["cf"]["request"]["headers"];
        for (name, value) in [
            ("origin", "https://app.example"),
            ("access-control-request-method", "PUT"),
            ("access-control-request-headers", "x-token"),
        ] {
            headers[name] = json!([{"key": name, "value": value}]);
        }
        let decided = decide(&authorizer(policy), &event);
        assert_eq!(decided.record.reason, reason);
        let Outcome::Respond(answer) = decided.outcome else { panic!("{set_by}") };
        assert_eq!(answer.headers.contains_key("access-control-allow-headers"), set_by == "clients");
    }
}

#[test]
fn of_the_cookies_of_a_pattern_the_one_of_the_user_who_signed_in_last_counts() {
    let mut policy = policy(&["EdDSA"], vec![ED.jwk("k1")]);
    policy["credentials"] = json!({"cookie": "CognitoIdentityServiceProvider.c1.*.accessToken"});
    let mut signing_in = policy.clone();
    signing_in["sign_in"] = json!({"url": "https://login.example", "origin": "https://files.example"});
    let (plain, signing_in) = (authorizer(policy), authorizer(signing_in));
    let alice = ED.sign("k1", "at+jwt", &claims());
    let bob = ED.sign("k1", "at+jwt", &with(json!({"sub": "bob"})));
    let start = "CognitoIdentityServiceProvider.c1";
    let both = format!("{start}.bob%40x.org.accessToken={bob}; {start}.alice%40x.org.accessToken={alice}");
    let planted =
        format!("{start}.LastAuthUser=alice@x.org; ").repeat(16) + start + ".LastAuthUser=bob@x.org";
    for (method, cookies, without, with) in [
        ("GET", format!("{both}; {start}.LastAuthUser=alice@x.org"), "allowed_by_rule", "allowed_by_rule"),
        ("PUT", format!("{both}; {start}.LastAuthUser=alice@x.org"), "allowed_by_rule", "allowed_by_rule"),
        ("GET", format!("{both}; {start}.LastAuthUser=bob@x.org"), "key_not_allowed", "key_not_allowed"),
        ("GET", format!("{both}; {start}.LastAuthUser=carol@x.org"), "token_missing", "token_missing"),
        ("GET", both.clone(), "credential_repeated", "allowed_by_rule"),
        ("PUT", both.clone(), "credential_repeated", "credential_repeated"),
        // Someone planted the name of a user, however often.
        ("GET", format!("{both}; {planted}"), "credential_repeated", "allowed_by_rule"),
        ("PUT", format!("{both}; {planted}"), "credential_repeated", "credential_repeated"),
    ] {
        let mut event = event(method, "/users/alice/a", None);
        event["Records"][0]["cf"]["request"]["headers"]["cookie"] =
            json!([{"key": "Cookie", "value": cookies}]);
        assert_eq!(decide(&plain, &event).record.reason, without, "{method} {cookies}");
        assert_eq!(decide(&signing_in, &event).record.reason, with, "{method} {cookies}");
    }
}

#[test]
fn a_supposed_token_is_decided_on_as_a_signed_one() {
    let now = UnixTime::from_seconds(NOW);
    for changes in [
        json!({}),
        json!({"sub": "bob"}),
        json!({"exp": NOW - 60}),
        json!({"aud": "other"}),
        json!({"token_use": "id"}),
        json!({"iss": "https://evil.example/"}),
        json!({"sub": 7}),
    ] {
        let claims = with(changes);
        let supposed =
            Supposed { token_type: Some("at+jwt".into()), claims: claims.as_object().unwrap().clone() };
        let signed = ED.sign("k1", "at+jwt", &claims);
        for (method, uri) in
            [("GET", "/users/alice/a"), ("DELETE", "/users/alice/a"), ("GET", "/secret/x"), ("GET", "//")]
        {
            let bare = event(method, uri, None).to_string();
            let really = decide(&AUTHORIZER, &event(method, uri, Some(&signed)));
            assert_eq!(
                AUTHORIZER.authorize_supposing(bare.as_bytes(), &supposed, now),
                really,
                "{method} {uri} {claims}"
            );
            assert_eq!(
                AUTHORIZER.access_supposing(bare.as_bytes(), &supposed, now).is_ok(),
                matches!(
                    really.record.reason.as_ref(),
                    "allowed_by_rule" | "denied_by_rule" | "key_not_allowed" | "insufficient_scope"
                ),
                "{method} {uri} {claims}"
            );
        }
    }
    // It replaces a token, and is not added to one.
    let claims = claims();
    let supposed =
        Supposed { token_type: Some("at+jwt".into()), claims: claims.as_object().unwrap().clone() };
    let both = event("GET", "/users/alice/a", Some(&ED.sign("k1", "at+jwt", &claims))).to_string();
    let decided = AUTHORIZER.authorize_supposing(both.as_bytes(), &supposed, now);
    assert_eq!(decided.record.reason, "credential_repeated");
}

#[test]
fn a_secret_and_published_keys_never_verify_each_others_tokens() {
    let secret = b"a test secret, of thirty-two bytes";
    let shared = Signer { algorithm: Algorithm::HS256, key: EncodingKey::from_secret(secret) };
    let mut document = policy(&["EdDSA"], vec![ED.jwk("k1")]);
    let partner = &mut document["issuers"][1];
    partner.as_object_mut().unwrap().remove("jwks");
    partner["algorithms"] = json!(["HS256"]);
    partner["secret"] = json!({"value": URL_SAFE_NO_PAD.encode(secret)});
    let authorizer = authorizer(document);
    let staff = claims();
    let partner = json!({"iss": "https://partner.example/", "client_id": "p", "sub": "alice", "exp": NOW + 60, "scope": "delete"});
    let ask =
        |token: &str| decide(&authorizer, &event("DELETE", "/users/alice/a", Some(token))).record.reason;
    let with_another = Signer { algorithm: Algorithm::HS256, key: EncodingKey::from_secret(&[0; 32]) };
    let with_public_key = Signer {
        algorithm: Algorithm::HS256,
        key: EncodingKey::from_secret(&URL_SAFE_NO_PAD.decode(ED.jwk("k1")["x"].as_str().unwrap()).unwrap()),
    };
    for (token, reason) in [
        (shared.sign("any", "JWT", &partner), "allowed_by_rule"),
        (shared.sign("any", "JWT", &partner), "allowed_by_rule"),
        (with_another.sign("any", "JWT", &partner), "signature_invalid"),
        (ED.sign("k1", "JWT", &partner), "algorithm_not_allowed"),
        (shared.sign("k1", "at+jwt", &staff), "algorithm_not_allowed"),
        (with_public_key.sign("k1", "at+jwt", &staff), "algorithm_not_allowed"),
    ] {
        assert_eq!(ask(&token), reason);
    }
}

/// A GET with these cookies, for a policy with `[sign_in]`: the reason, and who is said to have asked.
fn with_cookies(uri: &str, tokens: &[&str]) -> (String, Option<String>) {
    let mut with_sign_in = policy(&["EdDSA"], vec![ED.jwk("k1")]);
    with_sign_in["credentials"] = json!({"header": "authorization", "cookie": "session"});
    with_sign_in["sign_in"] =
        json!({"url": "https://login.example.com/", "origin": "https://files.example.com"});
    let authorizer = authorizer(with_sign_in);
    let mut event = event("GET", uri, None);
    let cookie: Vec<_> = tokens.iter().map(|token| format!("session={token}")).collect();
    event["Records"][0]["cf"]["request"]["headers"]["cookie"] =
        json!([{"key": "Cookie", "value": cookie.join("; ")}]);
    let event = event.to_string();
    let record = authorizer.authorize(event.as_bytes(), UnixTime::from_seconds(NOW)).record;
    (record.reason.into_owned(), record.subject.map(|subject| subject.into_owned()))
}

#[test]
fn of_several_tokens_the_first_that_is_let_in_decides_and_else_the_first_that_verifies() {
    let of = |subject: &str| ED.sign("k1", "at+jwt", &with(json!({"sub": subject})));
    let (alice, bob) = (of("alice"), of("bob"));
    let expired = ED.sign("k1", "at+jwt", &with(json!({"sub": "alice", "exp": NOW - 100})));
    let is = |reason: &str, subject: &str| (reason.to_owned(), Some(subject.to_owned()));
    for tokens in [[alice.as_str(), &bob], [&bob, &alice]] {
        assert_eq!(with_cookies("/users/alice/a", &tokens), is("allowed_by_rule", "alice"));
        assert_eq!(with_cookies("/users/bob/a", &tokens), is("allowed_by_rule", "bob"));
    }
    // Both are let in: the first.
    assert_eq!(with_cookies("/public/a", &[&bob, &alice]), is("allowed_by_rule", "bob"));
    // None is: the first again.
    assert_eq!(with_cookies("/users/carol/a", &[&bob, &alice]), is("key_not_allowed", "bob"));
    // A deny rule wins for each of them.
    assert_eq!(with_cookies("/users/alice/secret/a", &[&alice, &bob]), is("denied_by_rule", "alice"));
    // What does not verify counts for nothing, wherever it stands.
    assert_eq!(with_cookies("/users/alice/a", &[&expired, "x", &alice]), is("allowed_by_rule", "alice"));
    assert_eq!(with_cookies("/users/alice/a", &[&expired, &bob]), is("key_not_allowed", "bob"));
    assert_eq!(with_cookies("/users/alice/a", &[&expired, "x"]), ("token_expired".to_owned(), None));
}
