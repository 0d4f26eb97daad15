//! Sign-ins, and token endpoints that misbehave.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use authorizer_core::code_flow::Grant;
use authorizer_core::{Authorized, Authorizer, Bundle, UnixTime};
use authorizer_jwks::{Asked, Fetcher, LiveAuthorizer, What};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Uri;
use serde_json::{Value, json};

use crate::live::{NOW, Signer, TIME};
use crate::stand_in::StandIn;

/// What no report may contain.
const CODE: &str = "s3cr3t-code";
const CLIENT_SECRET: &str = "s3cr3t-of-the-client";
const REFRESH_TOKEN: &str = "s3cr3t-refresh-token";

/// A provider that answers to the token endpoint with this, or with tokens for the nonce that it was told.
struct Provider {
    signer: Arc<Signer>,
    nonce: Arc<Mutex<String>>,
    server: StandIn,
}

impl Provider {
    fn new() -> Self {
        Self::answering(|tokens| tokens)
    }

    /// One whose answer with tokens is changed.
    fn answering(change: impl Fn(String) -> String + Send + 'static) -> Self {
        let (signer, nonce) = (Arc::new(Signer::new()), Arc::new(Mutex::new(String::new())));
        let (signs, told) = (Arc::clone(&signer), Arc::clone(&nonce));
        let server = StandIn::answering(move |request| {
            if request.starts_with("GET /jwks ") {
                return signs.answer();
            }
            let expires = if request.contains("grant_type=refresh_token") { NOW + 10_000 } else { NOW + 300 };
            change(tokens(&signs, &told.lock().unwrap(), expires))
        });
        Self { signer, nonce, server }
    }

    fn live(&self) -> LiveAuthorizer {
        self.with_token_endpoint(self.server.url("/token").as_str())
    }

    fn with_token_endpoint(&self, token_endpoint: &str) -> LiveAuthorizer {
        let key = URL_SAFE_NO_PAD.encode([7; 32]);
        let secret = URL_SAFE_NO_PAD.encode(CLIENT_SECRET);
        let document = serde_json::from_value(json!({
            "version": 1,
            "issuers": [{"name": "staff", "issuer": "https://login.example/", "audience": ["files"],
                "algorithms": ["EdDSA"], "jwks": {"url": self.server.url("/jwks").as_str()}}],
            "credentials": {"cookie": "__Host-session"},
            "sign_in": {"issuer": "staff", "client_id": "web", "origin": "https://files.example.com",
                "authorization_endpoint": "https://login.example/authorize", "token_endpoint": token_endpoint,
                "refresh": true, "cookie_key": {"value": key}, "client_secret": {"value": secret}},
            "rules": [{"id": "all", "effect": "allow", "methods": ["GET"], "keys": ["**"]}]
        }))
        .unwrap();
        let bundle = Bundle::read(&Bundle::write(&document).unwrap()).unwrap();
        LiveAuthorizer::new(Authorizer::new(bundle), Fetcher::new().unwrap())
    }

    fn tokens_asked(&self) -> Vec<String> {
        self.server.received().into_iter().filter(|request| request.starts_with("POST ")).collect()
    }

    /// The event of a person who comes back with a code.
    async fn callback(&self, live: &LiveAuthorizer) -> Vec<u8> {
        let event = event("/plans/a.html", "", &[]);
        let (authorized, reports) = decide(live, &event, NOW, TIME).await;
        assert_eq!((authorized.record.reason.as_ref(), reports.len()), ("token_missing", 0));
        let (cookies, location) = answered(&authorized);
        let asked: Uri = location.parse().unwrap();
        let asked: BTreeMap<_, _> =
            asked.query().unwrap().split('&').filter_map(|pair| pair.split_once('=')).collect();
        (*self.nonce.lock().unwrap()) = asked["nonce"].to_owned();
        self::event("/.auth/callback", &format!("code={CODE}&state={}", asked["state"]), &cookies)
    }
}

fn tokens(signer: &Signer, nonce: &str, expires: u64) -> String {
    let subject = json!({"iss": "https://login.example/", "sub": "alice", "iat": NOW, "exp": expires});
    let with = |more: Value| {
        let mut claims = subject.clone();
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        signer.sign(&claims)
    };
    let body = json!({
        "token_type": "Bearer",
        "access_token": with(json!({"aud": "files"})),
        "id_token": with(json!({"aud": "web", "nonce": nonce})),
        "refresh_token": REFRESH_TOKEN,
    })
    .to_string();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// A person who opens a page.
fn event(uri: &str, query: &str, cookies: &[String]) -> Vec<u8> {
    let line = |name: &str, value: &str| json!([{"key": name, "value": value}]);
    json!({"Records": [{"cf": {
        "config": {"eventType": "viewer-request", "requestId": "r1"},
        "request": {"clientIp": "203.0.113.178", "method": "GET", "uri": uri, "querystring": query, "headers": {
            "host": line("Host", "files.example.com"),
            "accept": line("Accept", "text/html"),
            "sec-fetch-mode": line("Sec-Fetch-Mode", "navigate"),
            "cookie": line("Cookie", &cookies.join("; ")),
        }}
    }}]})
    .to_string()
    .into_bytes()
}

async fn decide<'r>(
    live: &'r LiveAuthorizer,
    event: &'r [u8],
    at: u64,
    time_left: Duration,
) -> (Authorized<'r>, Vec<Asked>) {
    let (authorized, reports) = live.authorize(event, || UnixTime::from_seconds(at), time_left).await;
    for secret in [CODE, CLIENT_SECRET, REFRESH_TOKEN] {
        let told = format!("{reports:?} {:?}", authorized.record);
        assert!(!told.contains(secret), "{told}");
    }
    (authorized, reports)
}

/// The cookies that an answer sets, as a browser sends them back, and where it goes on.
fn answered(authorized: &Authorized<'_>) -> (Vec<String>, String) {
    let outcome = serde_json::to_value(&authorized.outcome).unwrap();
    let lines = |name: &str| {
        let lines = outcome["headers"][name].as_array().cloned().unwrap_or_default();
        lines.iter().map(|line| line["value"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let set = lines("set-cookie").into_iter().filter(|line| !line.contains("Max-Age=0"));
    let cookies = set.map(|line| line.split(';').next().unwrap().to_owned()).collect();
    (cookies, lines("location").pop().unwrap_or_default())
}

/// The cookies that a browser still has after some minutes.
fn later(cookies: &[String]) -> Vec<String> {
    cookies.iter().filter(|cookie| !cookie.starts_with("__Host-authorizer-")).cloned().collect()
}

/// What was fetched, and what came of it.
fn told(reports: &[Asked]) -> Vec<(What, Result<(), &'static str>)> {
    assert!(reports.iter().all(|asked| asked.issuer == "staff"), "{reports:?}");
    let result = |asked: &Asked| asked.result.as_ref().copied().map_err(|error| error.reason());
    reports.iter().map(|asked| (asked.what, result(asked))).collect()
}

const FOR_CODE: What = What::Tokens(Grant::AuthorizationCode);
const FOR_REFRESH: What = What::Tokens(Grant::RefreshToken);

#[tokio::test]
async fn a_code_becomes_a_session_and_keys_are_fetched_for_its_tokens() {
    let provider = Provider::new();
    let live = provider.live();
    let callback = provider.callback(&live).await;
    let (authorized, reports) = decide(&live, &callback, NOW, TIME).await;
    assert_eq!(told(&reports), [(FOR_CODE, Ok(())), (What::Keys, Ok(()))]);
    assert_eq!(authorized.record.reason, "session_started");
    let (session, location) = answered(&authorized);
    assert_eq!(location, "https://files.example.com/plans/a.html");
    let sent = provider.tokens_asked();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].contains(&format!("code={CODE}")) && sent[0].contains("code_verifier="), "{}", sent[0]);
    assert!(sent[0].to_lowercase().contains("\r\nauthorization: basic "), "{}", sent[0]);

    // With the session, nothing is fetched.
    let page = event("/plans/a.html", "", &session);
    let (authorized, reports) = decide(&live, &page, NOW + 1, TIME).await;
    assert_eq!((authorized.record.reason.as_ref(), reports.len()), ("allowed_by_rule", 0));

    // When its token has expired, one is fetched for the page, and the keys are known.
    let page = event("/plans/a.html", "", &later(&session));
    let (authorized, reports) = decide(&live, &page, NOW + 600, TIME).await;
    assert_eq!(told(&reports), [(FOR_REFRESH, Ok(()))]);
    assert_eq!(provider.tokens_asked().len(), 2);
    assert_eq!((authorized.record.reason.as_ref(), authorized.record.status), ("session_renewed", Some(302)));
}

#[tokio::test]
async fn a_new_process_that_renews_a_session_fetches_the_keys_of_its_tokens_too() {
    let provider = Provider::new();
    let live = provider.live();
    let callback = provider.callback(&live).await;
    let (authorized, _) = decide(&live, &callback, NOW, TIME).await;
    let (session, _) = answered(&authorized);
    let other = provider.live();
    let page = event("/plans/a.html", "", &later(&session));
    let (authorized, reports) = decide(&other, &page, NOW + 600, TIME).await;
    assert_eq!(told(&reports), [(FOR_REFRESH, Ok(())), (What::Keys, Ok(()))]);
    assert_eq!(authorized.record.reason, "session_renewed");
}

/// Each is asked once, whatever it does.
#[tokio::test]
async fn what_misbehaves_gives_no_session_and_is_not_asked_again() {
    let answer = |status: &str, body: &str| {
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    };
    let other = r#"{"error":"s3cr3t-code"}"#;
    for (said, reason, word) in [
        (answer("400 No", r#"{"error":"invalid_grant"}"#), "sign_in_code_refused", Err("invalid_grant")),
        (answer("401 No", r#"{"error":"invalid_client"}"#), "sign_in_provider_error", Err("invalid_client")),
        (answer("400 No", other), "sign_in_provider_error", Err("status_not_200")),
        (answer("403 No", "<html>"), "sign_in_provider_error", Err("status_not_200")),
        (answer("500 No", ""), "sign_in_provider_unavailable", Err("status_not_200")),
        (answer("200 OK", "<html>"), "sign_in_answer_malformed", Ok(())),
        (answer("200 OK", "{}"), "sign_in_answer_malformed", Ok(())),
        (answer("200 OK\r\nContent-Type: text/html", "\x1f\x0b"), "sign_in_answer_malformed", Ok(())),
        (
            answer("302 Found\r\nLocation: https://elsewhere.example/s3cr3t-code", ""),
            "sign_in_provider_unavailable",
            Err("redirect"),
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_owned(),
            "sign_in_provider_unavailable",
            Err("answer_broken"),
        ),
        (String::new(), "sign_in_provider_unavailable", Err("answer_broken")),
        (
            format!("HTTP/1.1 200 OK\r\n\r\n{}", " ".repeat(300_000)),
            "sign_in_provider_unavailable",
            Err("answer_too_large"),
        ),
    ] {
        let answer = said.clone();
        let provider = Provider::answering(move |_| answer.clone());
        let live = provider.live();
        let callback = provider.callback(&live).await;
        let (authorized, reports) = decide(&live, &callback, NOW, TIME).await;
        assert_eq!(told(&reports), [(FOR_CODE, word)], "{said:.80}");
        assert_eq!(authorized.record.reason, reason, "{said:.80}");
        assert!(answered(&authorized).0.is_empty(), "{said:.80}");
        assert_eq!(provider.tokens_asked().len(), 1, "{said:.80}");
    }
}

#[tokio::test]
async fn what_is_dead_or_slow_is_unavailable_and_gets_half_of_the_time_that_is_left() {
    let provider = Provider::new();
    let slow = StandIn::stalling(b"HTTP/1.1 200 OK\r\n");
    let dead = StandIn::always(b"").url("/token");
    for (url, word) in [(slow.url("/token"), "deadline_exceeded"), (dead, "unreachable")] {
        let live = provider.with_token_endpoint(url.as_str());
        let callback = provider.callback(&live).await;
        let (authorized, reports) = decide(&live, &callback, NOW, Duration::from_millis(400)).await;
        assert_eq!(told(&reports), [(FOR_CODE, Err(word))]);
        assert_eq!(authorized.record.reason, "sign_in_provider_unavailable");
        if word == "deadline_exceeded" {
            let words = reports[0].result.as_ref().unwrap_err().to_string();
            let seconds: f64 = words.split(' ').rev().nth(1).unwrap().parse().unwrap();
            assert!(seconds <= 0.2, "{words}");
        }
    }
}

#[tokio::test]
async fn without_time_for_an_answer_the_code_is_not_sent() {
    let provider = Provider::new();
    let live = provider.live();
    let callback = provider.callback(&live).await;
    let (authorized, reports) = decide(&live, &callback, NOW, Duration::from_millis(60)).await;
    assert_eq!((authorized.record.reason.as_ref(), reports.len()), ("sign_in_provider_unavailable", 0));
    assert!(provider.tokens_asked().is_empty());
}

#[tokio::test]
async fn tokens_whose_keys_nobody_gives_are_no_session() {
    let provider = Provider::new();
    let live = provider.live();
    let callback = provider.callback(&live).await;
    // The next process cannot fetch keys.
    let broken = Provider {
        server: StandIn::always(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"),
        ..Provider::new()
    };
    let other = broken.with_token_endpoint(provider.server.url("/token").as_str());
    let (authorized, reports) = decide(&other, &callback, NOW, TIME).await;
    assert_eq!(told(&reports), [(FOR_CODE, Ok(())), (What::Keys, Err("status_not_200"))]);
    assert_eq!(
        (authorized.record.reason.as_ref(), authorized.record.status),
        ("keys_unavailable", Some(503))
    );
    assert!(answered(&authorized).0.is_empty());
    assert_eq!((provider.tokens_asked().len(), broken.server.asked()), (1, 1));
}

#[tokio::test]
async fn nobody_waits_for_the_tokens_of_another() {
    let provider = Provider::new();
    let slow = StandIn::stalling(b"HTTP/1.1 200 OK\r\n");
    let live = provider.with_token_endpoint(slow.url("/token").as_str());
    let callback = provider.callback(&live).await;
    let bearer = provider.signer.event();
    let signing_in = decide(&live, &callback, NOW, TIME);
    let reading = async {
        let (authorized, reports) = decide(&live, &bearer, NOW, TIME).await;
        assert_eq!(told(&reports), [(What::Keys, Ok(()))]);
        authorized.record.reason.into_owned()
    };
    tokio::select! {
        biased;
        _ = signing_in => panic!("the token endpoint never ends its answer"),
        reason = reading => assert_eq!(reason, "allowed_by_rule"),
    }
}

#[test]
fn an_answer_that_is_printed_for_debugging_has_no_token() {
    let answered = authorizer_jwks::Answered { status: 200, body: "secret".into() };
    assert_eq!(format!("{answered:?}"), "Answered { status: 200, .. }");
}
