//! Keys that an issuer publishes: when they are fetched, and what happens to tokens in the meantime.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use authorizer_core::outcome::Outcome;
use authorizer_core::token::{COOL_DOWN_SECONDS, PublishedKeysError, RETRY_SECONDS, SignatureAlgorithm};
use authorizer_core::{Authorizer, Bundle, UnixTime};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::signer::Signer;

const START: u64 = 1_800_000_000;
const MAX_AGE: u64 = 600;
const MAX_STALE: u64 = 3_000;

static SIGNERS: LazyLock<Vec<Signer>> =
    LazyLock::new(|| (0..3).map(|_| Signer::new(SignatureAlgorithm::EdDsa)).collect());

fn kid(signer: usize) -> String {
    format!("k{signer}")
}

/// A JWK set with the keys of these.
fn published(signers: impl IntoIterator<Item = usize>) -> Vec<u8> {
    let keys: Vec<_> = signers.into_iter().map(|signer| SIGNERS[signer].jwk(&kid(signer))).collect();
    json!({"keys": keys}).to_string().into_bytes()
}

/// A policy whose issuer has a URL, with these keys in the bundle.
fn authorizer(bundled: Option<Vec<usize>>) -> Authorizer {
    let mut jwks = json!({"url": "https://login.example/jwks", "max_age_seconds": MAX_AGE, "max_stale_seconds": MAX_STALE});
    if let Some(bundled) = bundled {
        let set: Value = serde_json::from_slice(&published(bundled)).unwrap();
        jwks["keys"] = set["keys"].clone();
    }
    let document = serde_json::from_value(json!({
        "version": 1,
        "issuers": [{"name": "staff", "issuer": "https://login.example/", "audience": ["files"],
            "algorithms": ["EdDSA"], "jwks": jwks}],
        "rules": [{"id": "own", "effect": "allow", "methods": ["GET"], "keys": ["users/{sub}/**"]}]
    }))
    .unwrap();
    Authorizer::new(Bundle::read(&Bundle::write(&document).unwrap()).unwrap())
}

fn token(signer: usize) -> String {
    SIGNERS[signer].sign(&kid(signer), "JWT", &claims())
}

fn claims() -> Value {
    json!({"iss": "https://login.example/", "aud": "files", "sub": "alice", "exp": START + 1_000_000})
}

fn event(token: &str) -> Vec<u8> {
    json!({"Records": [{"cf": {
        "config": {"eventType": "viewer-request", "requestId": "r1"},
        "request": {"clientIp": "203.0.113.178", "method": "GET", "uri": "/users/alice/a", "querystring": "",
            "headers": {"authorization": [{"key": "Authorization", "value": format!("Bearer {token}")}]}}
    }}]})
    .to_string()
    .into_bytes()
}

/// What the function does: it fetches at most once per request. `answer` is the answer of the URL, if it is fetched.
fn ask(
    authorizer: &Authorizer,
    token: &str,
    at: u64,
    answer: Option<&[u8]>,
) -> (String, Option<Result<(), PublishedKeysError>>) {
    let now = UnixTime::from_seconds(at);
    match authorizer.authorize_or_ask(&event(token), now) {
        Ok(authorized) => (authorized.record.reason.into_owned(), None),
        Err(needed) => {
            let needed = needed.keys().unwrap();
            assert_eq!((needed.issuer(), needed.url().as_str()), ("staff", "https://login.example/jwks"));
            let taken = authorizer.take_keys(&needed, answer, now);
            let event = event(token);
            let authorized = authorizer.authorize_or_ask(&event, now).unwrap();
            (authorized.record.reason.into_owned(), Some(taken))
        }
    }
}

/// The reason, and whether the URL was fetched.
fn outcome(authorizer: &Authorizer, signer: usize, at: u64, answer: Option<&[u8]>) -> (String, bool) {
    let (reason, asked) = ask(authorizer, &token(signer), at, answer);
    (reason, asked.is_some())
}

fn is(reason: &str, asked: bool) -> (String, bool) {
    (reason.into(), asked)
}

#[test]
fn bundled_keys_answer_at_once_and_the_url_is_asked_for_a_key_that_is_not_among_them() {
    let authorizer = authorizer(Some(vec![0]));
    let rotated = published([0, 1]);
    assert_eq!(outcome(&authorizer, 0, START, None), is("allowed_by_rule", false));
    assert_eq!(outcome(&authorizer, 1, START + 1, Some(&rotated)), is("allowed_by_rule", true));
    assert_eq!(outcome(&authorizer, 1, START + 2, None), is("allowed_by_rule", false));
    assert_eq!(outcome(&authorizer, 0, START + 3, None), is("allowed_by_rule", false));
}

#[test]
fn without_bundled_keys_the_first_request_asks() {
    let authorizer = authorizer(None);
    assert_eq!(outcome(&authorizer, 0, START, Some(&published([0]))), is("allowed_by_rule", true));
    assert_eq!(outcome(&authorizer, 0, START + 1, None), is("allowed_by_rule", false));
}

#[test]
fn an_invented_key_id_asks_once_in_a_cool_down() {
    let authorizer = authorizer(Some(vec![0]));
    let same = published([0]);
    assert_eq!(outcome(&authorizer, 2, START, Some(&same)), is("signing_key_unknown", true));
    for later in 1..COOL_DOWN_SECONDS {
        assert_eq!(outcome(&authorizer, 2, START + later, None), is("signing_key_unknown", false));
        assert_eq!(outcome(&authorizer, 0, START + later, None), is("allowed_by_rule", false));
    }
    assert_eq!(
        outcome(&authorizer, 2, START + COOL_DOWN_SECONDS, Some(&same)),
        is("signing_key_unknown", true)
    );
}

#[test]
fn a_rotation_soon_after_another_is_not_held_up() {
    let authorizer = authorizer(None);
    for signer in [0, 1, 2] {
        assert_eq!(
            outcome(&authorizer, signer, START, Some(&published([signer]))),
            is("allowed_by_rule", true)
        );
    }
}

#[test]
fn what_the_issuer_cannot_have_signed_asks_nobody() {
    let authorizer = authorizer(None);
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","kid":"k9"}"#);
    let payload = URL_SAFE_NO_PAD.encode(claims().to_string());
    for (token, reason) in [
        (format!("{none}.{payload}.AAAA"), "algorithm_not_allowed"),
        ("a.b.c".to_owned(), "token_malformed"),
        (SIGNERS[0].sign("k0", "JWT", &json!({"iss": "https://evil.example/"})), "issuer_unknown"),
    ] {
        assert_eq!(ask(&authorizer, &token, START, None), (reason.to_owned(), None));
    }
}

#[test]
fn a_key_that_is_withdrawn_stops_working_when_the_keys_have_aged_also_for_a_token_seen_before() {
    let authorizer = authorizer(Some(vec![0, 1]));
    assert_eq!(outcome(&authorizer, 1, START, None), is("allowed_by_rule", false));
    assert_eq!(outcome(&authorizer, 1, START + MAX_AGE - 1, None), is("allowed_by_rule", false));
    assert_eq!(
        outcome(&authorizer, 1, START + MAX_AGE, Some(&published([0]))),
        is("signing_key_unknown", true)
    );
    assert_eq!(outcome(&authorizer, 0, START + MAX_AGE, None), is("allowed_by_rule", false));
}

#[test]
fn the_last_good_keys_serve_while_none_are_given_up_to_the_stated_age() {
    let authorizer = authorizer(Some(vec![0]));
    assert_eq!(outcome(&authorizer, 0, START, None), is("allowed_by_rule", false));
    assert_eq!(outcome(&authorizer, 0, START + MAX_AGE, None), is("allowed_by_rule", true));
    assert_eq!(
        outcome(&authorizer, 0, START + MAX_AGE + RETRY_SECONDS - 1, None),
        is("allowed_by_rule", false)
    );
    assert_eq!(outcome(&authorizer, 0, START + MAX_AGE + RETRY_SECONDS, None), is("allowed_by_rule", true));
    // With a key that is not in the set, the result is not known: the token may be valid.
    assert_eq!(
        outcome(&authorizer, 1, START + MAX_AGE + RETRY_SECONDS + 1, None),
        is("keys_unavailable", false)
    );
    assert_eq!(outcome(&authorizer, 0, START + MAX_STALE - 1, None), is("allowed_by_rule", true));
    assert_eq!(outcome(&authorizer, 0, START + MAX_STALE, None), is("keys_unavailable", false));
    assert_eq!(
        outcome(&authorizer, 0, START + MAX_STALE + RETRY_SECONDS, Some(&published([0]))),
        is("allowed_by_rule", true)
    );
}

#[test]
fn keys_that_cannot_be_had_are_503_with_retry_after() {
    let authorizer = authorizer(None);
    let needed = authorizer
        .authorize_or_ask(&event(&token(0)), UnixTime::from_seconds(START))
        .unwrap_err()
        .keys()
        .unwrap();
    authorizer.take_keys(&needed, None, UnixTime::from_seconds(START)).unwrap();
    let event = event(&token(0));
    let authorized = authorizer.authorize_or_ask(&event, UnixTime::from_seconds(START + 1)).unwrap();
    let Outcome::Respond(response) = authorized.outcome else { panic!("it was let through") };
    let response = serde_json::to_value(response).unwrap();
    assert_eq!((response["status"].as_str(), authorized.record.status), (Some("503"), Some(503)));
    assert_eq!(response["headers"]["retry-after"][0]["value"], RETRY_SECONDS.to_string());
    assert_eq!(response["headers"].get("www-authenticate"), None);
}

#[test]
fn a_request_without_a_token_waits_for_no_keys() {
    let authorizer = authorizer(None);
    let mut bare: Value = serde_json::from_slice(&event("x")).unwrap();
    bare["Records"][0]["cf"]["request"]["headers"] = json!({});
    let bare = bare.to_string();
    let authorized = authorizer.authorize_or_ask(bare.as_bytes(), UnixTime::from_seconds(START)).unwrap();
    assert_eq!(authorized.record.reason, "token_missing");
}

#[test]
fn a_clock_that_was_ahead_keeps_no_withdrawn_key_alive() {
    for ahead in [START + 10 * 365 * 86_400, u64::MAX] {
        // With the wrong clock no such token is valid: it has expired by then.
        let authorizer = authorizer(None);
        let late = SIGNERS[0].sign("k0", "JWT", &{
            let mut claims = claims();
            claims["exp"] = json!(1e15);
            claims
        });
        ask(&authorizer, &late, ahead, Some(&published([0])));
        assert_eq!(
            outcome(&authorizer, 0, START, Some(&published([1]))),
            is("signing_key_unknown", true),
            "{ahead}"
        );
    }
    let authorizer = authorizer(Some(vec![0]));
    assert_eq!(outcome(&authorizer, 0, START + 1_000, None), is("allowed_by_rule", false));
    assert_eq!(outcome(&authorizer, 0, START, None), is("allowed_by_rule", false));
    assert_eq!(
        outcome(&authorizer, 0, START + MAX_AGE, Some(&published([1]))),
        is("signing_key_unknown", true)
    );
}

#[test]
fn a_token_that_would_be_refused_whoever_signed_it_asks_nobody() {
    let authorizer = authorizer(Some(vec![0]));
    for (member, value, reason) in [
        ("exp", json!(START - 60), "token_expired"),
        ("aud", json!("photos"), "audience_mismatch"),
        ("nbf", json!(START + 600), "token_not_yet_valid"),
    ] {
        let mut claims = claims();
        claims[member] = value;
        let old = SIGNERS[2].sign("k9", "JWT", &claims);
        assert_eq!(ask(&authorizer, &old, START, None), (reason.to_owned(), None));
    }
    assert_eq!(outcome(&authorizer, 1, START + 1, Some(&published([1]))), is("allowed_by_rule", true));
}

/// Two answers in turn, like the machines of a provider while it rotates, and tokens with either key id that
/// nobody signed.
#[test]
fn a_key_id_alone_makes_no_asking_worth_it() {
    let authorizer = authorizer(None);
    let forged = |kid: &str| SIGNERS[2].sign(kid, "JWT", &claims());
    let mut asked = 0;
    for round in 0..1_000 {
        let (kid, answer) = if round % 2 == 0 { ("k0", published([0])) } else { ("k1", published([1])) };
        asked += usize::from(ask(&authorizer, &forged(kid), START, Some(&answer)).1.is_some());
    }
    assert_eq!(asked, 1);
}

/// A token without `kid`, when the one key without another beside it was replaced.
#[test]
fn a_token_that_names_no_key_asks_when_no_key_verifies_it() {
    let authorizer = authorizer(Some(vec![0]));
    let bare =
        |signer: usize| SIGNERS[signer].sign_bytes(br#"{"alg":"EdDSA"}"#, claims().to_string().as_bytes());
    assert_eq!(ask(&authorizer, &bare(0), START, None).0, "allowed_by_rule");
    assert_eq!(
        ask(&authorizer, &bare(1), START, Some(&published([1]))),
        ("allowed_by_rule".to_owned(), Some(Ok(())))
    );
    // A token that names a key of the set has a wrong signature, and new keys cannot change that.
    let forged = SIGNERS[2].sign("k1", "JWT", &claims());
    assert_eq!(ask(&authorizer, &forged, START + 60, None), ("signature_invalid".to_owned(), None));
}

#[test]
fn an_answer_that_is_of_no_use_keeps_the_last_good_keys() {
    let private = {
        let mut set: Value = serde_json::from_slice(&published([1])).unwrap();
        set["keys"][0]["d"] = "AAAA".into();
        set.to_string()
    };
    for body in [
        "",
        "<html>",
        "[]",
        "null",
        "{}",
        r#"{"keys": {}}"#,
        r#"{"keys": []}"#,
        r#"{"keys": [{"kty": "oct", "k": "AAAA"}]}"#,
        r#"{"keys": [], "keys": []}"#,
        r#"{"keys": [1, null, "a", [], {"kty": 1}]}"#,
        &private,
        &"[".repeat(100_000),
        std::str::from_utf8(&published([1])[..100]).unwrap(),
        &format!(r#"{{"keys": [{}]}}"#, vec!["{}"; 65].join(",")),
    ] {
        let authorizer = authorizer(Some(vec![0]));
        let (reason, taken) = ask(&authorizer, &token(1), START, Some(body.as_bytes()));
        assert_eq!(reason, "keys_unavailable", "{body:.60}");
        assert!(taken.unwrap().is_err(), "{body:.60}");
        assert_eq!(outcome(&authorizer, 0, START + 1, None), is("allowed_by_rule", false), "{body:.60}");
    }
}

#[test]
fn a_key_that_is_of_no_use_does_not_spoil_the_others() {
    let mut set: Value = serde_json::from_slice(&published([0])).unwrap();
    let keys = set["keys"].as_array_mut().unwrap();
    keys.push(json!({"kty": "RSA", "kid": "small", "n": "AQAB", "e": "AQAB"}));
    keys.push(json!({"kty": "oct", "kid": "k0", "k": "AAAA"}));
    keys.push(json!("nonsense"));
    let authorizer = authorizer(None);
    assert_eq!(outcome(&authorizer, 0, START, Some(set.to_string().as_bytes())), is("allowed_by_rule", true));
}

/// The rules of a ring, written in another way.
struct Model {
    keys: Option<BTreeSet<usize>>,
    good_at: Option<u64>,
    /// When, whether keys came, and whether the one that was looked for was among them.
    asked: Option<(u64, bool, bool)>,
}

impl Model {
    fn ask(&mut self, signer: usize, now: u64, answer: Option<&BTreeSet<usize>>) -> (String, bool) {
        let mut asked = false;
        loop {
            let free = self.asked.is_none_or(|(at, came, found)| {
                now - at
                    >= if found {
                        0
                    } else if came {
                        COOL_DOWN_SECONDS
                    } else {
                        RETRY_SECONDS
                    }
            });
            let age = self.keys.is_some().then(|| now - *self.good_at.get_or_insert(now));
            let usable = age.is_some_and(|age| age < MAX_AGE || (!free && age < MAX_STALE));
            let known = usable && self.keys.as_ref().unwrap().contains(&signer);
            if known {
                return is("allowed_by_rule", asked);
            }
            if !free {
                let failed = self.asked.is_some_and(|(_, came, _)| !came);
                return is(if !usable || failed { "keys_unavailable" } else { "signing_key_unknown" }, asked);
            }
            assert!(!asked, "nobody is asked twice for one request");
            asked = true;
            let found = answer.is_some_and(|answer| answer.contains(&signer));
            self.asked = Some((now, answer.is_some(), found));
            if let Some(answer) = answer {
                self.keys = Some(answer.clone());
                self.good_at = Some(now);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn keys_are_asked_for_and_believed_as_the_rules_say(
        bundled in proptest::option::of(proptest::collection::vec(0usize..3, 1..3)),
        steps in proptest::collection::vec(
            (
                prop_oneof![0u64..3, 5u64..40, Just(MAX_AGE), Just(MAX_AGE - 1), 0u64..MAX_STALE],
                0usize..3,
                proptest::option::of(proptest::collection::btree_set(0usize..3, 1..3)),
            ),
            1..40,
        ),
    ) {
        let authorizer = authorizer(bundled.clone());
        let mut model = Model { keys: bundled.map(|keys| keys.into_iter().collect()), good_at: None, asked: None };
        let mut now = START;
        for (wait, signer, answer) in steps {
            now += wait;
            let body = answer.as_ref().map(|answer| published(answer.iter().copied()));
            prop_assert_eq!(
                outcome(&authorizer, signer, now, body.as_deref()),
                model.ask(signer, now, answer.as_ref()),
                "{} s after the start, key {}", now - START, signer
            );
        }
    }
}

#[test]
fn a_cookie_whose_keys_are_not_here_is_not_hidden_by_one_that_verifies_and_opens_nothing() {
    let mut document = json!({
        "version": 1,
        "issuers": [{"name": "staff", "issuer": "https://login.example/", "audience": ["files"],
            "algorithms": ["EdDSA"], "jwks": {"url": "https://login.example/jwks", "max_age_seconds": MAX_AGE,
                "max_stale_seconds": MAX_STALE}}],
        "credentials": {"header": "authorization", "cookie": "session"},
        "sign_in": {"url": "https://login.example/start", "origin": "https://files.example"},
        "rules": [{"id": "own", "effect": "allow", "methods": ["GET"], "keys": ["users/{sub}/**"]}]
    });
    let bundled: Value = serde_json::from_slice(&published([0])).unwrap();
    document["issuers"][0]["jwks"]["keys"] = bundled["keys"].clone();
    let document = serde_json::from_value(document).unwrap();
    let authorizer = Authorizer::new(Bundle::read(&Bundle::write(&document).unwrap()).unwrap());
    let mut planted = claims();
    planted["sub"] = "mallory".into();
    let planted = SIGNERS[0].sign(&kid(0), "JWT", &planted);
    let cookie = format!("session={planted}; session={}", token(1));
    let event = |uri: &str| {
        json!({"Records": [{"cf": {
            "config": {"eventType": "viewer-request", "requestId": "r1"},
            "request": {"clientIp": "203.0.113.178", "method": "GET", "uri": uri, "querystring": "",
                "headers": {"cookie": [{"key": "Cookie", "value": cookie}]}}
        }}]})
        .to_string()
    };
    let now = UnixTime::from_seconds(START);
    // The planted one opens its own, and nothing is asked for.
    let own = event("/users/mallory/a");
    assert_eq!(authorizer.authorize_or_ask(own.as_bytes(), now).unwrap().record.reason, "allowed_by_rule");
    let other = event("/users/alice/a");
    let needed = authorizer.authorize_or_ask(other.as_bytes(), now).unwrap_err().keys().unwrap();
    authorizer.take_keys(&needed, Some(&published([0, 1])), now).unwrap();
    let authorized = authorizer.authorize_or_ask(other.as_bytes(), now).unwrap();
    assert_eq!(authorized.record.reason, "allowed_by_rule");
}
