//! Requests that need keys, and issuers that misbehave.

use std::sync::Arc;
use std::time::Duration;

use authorizer_core::{Authorizer, Bundle, UnixTime};
use authorizer_jwks::{Asked, Fetcher, LiveAuthorizer, What};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::signature::Ed25519KeyPair;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::stand_in::StandIn;

pub(crate) const NOW: u64 = 1_800_000_000;

/// The remaining time of an invocation.
pub(crate) const TIME: Duration = Duration::from_secs(5);

pub(crate) struct Signer(EncodingKey);

impl Signer {
    pub(crate) fn new() -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        Self(EncodingKey::from_ed_der(der.as_ref()))
    }

    fn jwks(&self) -> Value {
        let mut jwk =
            serde_json::to_value(Jwk::from_encoding_key(&self.0, Algorithm::EdDSA).unwrap()).unwrap();
        jwk["kid"] = "k1".into();
        json!({"keys": [jwk]})
    }

    pub(crate) fn answer(&self) -> String {
        let body = self.jwks().to_string();
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some("k1".into()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, claims, &self.0).unwrap()
    }

    pub(crate) fn event(&self) -> Vec<u8> {
        let token =
            self.sign(&json!({"iss": "https://login.example/", "aud": "files", "exp": NOW + 1_000_000}));
        json!({"Records": [{"cf": {
            "config": {"eventType": "viewer-request", "requestId": "r1"},
            "request": {"clientIp": "203.0.113.178", "method": "GET", "uri": "/a", "querystring": "",
                "headers": {"authorization": [{"key": "Authorization", "value": format!("Bearer {token}")}]}}
        }}]})
        .to_string()
        .into_bytes()
    }
}

fn live(server: &StandIn) -> LiveAuthorizer {
    let document = serde_json::from_value(json!({
        "version": 1,
        "issuers": [{"name": "staff", "issuer": "https://login.example/", "audience": ["files"],
            "algorithms": ["EdDSA"], "jwks": {"url": server.url("/jwks").as_str()}}],
        "rules": [{"id": "all", "effect": "allow", "methods": ["GET"], "keys": ["**"]}]
    }))
    .unwrap();
    let bundle = Bundle::read(&Bundle::write(&document).unwrap()).unwrap();
    LiveAuthorizer::new(Authorizer::new(bundle), Fetcher::new().unwrap())
}

async fn ask(live: &LiveAuthorizer, event: &[u8], at: u64, time_left: Duration) -> (String, Option<Asked>) {
    let (authorized, mut reports) = live.authorize(event, || UnixTime::from_seconds(at), time_left).await;
    assert!(reports.len() <= 1 && reports.iter().all(|asked| asked.what == What::Keys), "{reports:?}");
    (authorized.record.reason.into_owned(), reports.pop())
}

#[tokio::test]
async fn the_first_request_asks_and_the_next_do_not() {
    let signer = Signer::new();
    let server = StandIn::always(signer.answer().as_bytes());
    let live = live(&server);
    let (reason, asked) = ask(&live, &signer.event(), NOW, TIME).await;
    let asked = asked.unwrap();
    assert_eq!((reason.as_str(), asked.issuer.as_str(), asked.result), ("allowed_by_rule", "staff", Ok(())));
    for _ in 0..10 {
        assert_eq!(ask(&live, &signer.event(), NOW, TIME).await, ("allowed_by_rule".into(), None));
    }
    assert_eq!(server.asked(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_requests_that_need_the_same_keys_one_asks() {
    let signer = Signer::new();
    let server = StandIn::always(signer.answer().as_bytes());
    let live = Arc::new(live(&server));
    let event = Arc::new(signer.event());
    let requests: Vec<_> = (0..50)
        .map(|_| {
            let (live, event) = (Arc::clone(&live), Arc::clone(&event));
            tokio::spawn(async move { ask(&live, &event, NOW, TIME).await })
        })
        .collect();
    let mut fetches = 0;
    for request in requests {
        let (reason, asked) = request.await.unwrap();
        assert_eq!(reason, "allowed_by_rule");
        fetches += usize::from(asked.is_some());
    }
    assert_eq!((fetches, server.asked()), (1, 1));
}

/// Each is refused with 503 and a reason word in the log, and the issuer is not asked again for a while.
#[tokio::test]
async fn who_misbehaves_gives_no_keys_and_is_not_asked_at_once_again() {
    let signer = Signer::new();
    let good = signer.answer();
    let cut = good.get(..good.len() - 10).unwrap().to_owned();
    let redirect = "HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n";
    let html =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n<html>no</html>";
    let empty = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"keys\":[]}";
    let other = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    let huge = format!("HTTP/1.1 200 OK\r\n\r\n{}", " ".repeat(300_000));
    // A compressed answer was not requested, and is not decompressed.
    let gzip = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x0b";
    for (answer, reason) in [
        (cut.as_str(), "answer_broken"),
        (redirect, "redirect"),
        (html, "answer_not_json"),
        (gzip, "answer_not_json"),
        (other, "answer_not_a_key_set"),
        (empty, "no_usable_key"),
        (&huge, "answer_too_large"),
        ("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", "status_not_200"),
        ("", "answer_broken"),
    ] {
        let server = StandIn::always(answer.as_bytes());
        let live = live(&server);
        let (refused, asked) = ask(&live, &signer.event(), NOW, TIME).await;
        let error = asked.unwrap().result.unwrap_err();
        assert_eq!((refused.as_str(), error.reason()), ("keys_unavailable", reason), "{answer:.60}");
        for later in 0..10 {
            let (refused, asked) = ask(&live, &signer.event(), NOW + later, TIME).await;
            assert_eq!((refused.as_str(), asked), ("keys_unavailable", None), "{answer:.60}");
        }
        assert_eq!(server.asked(), 1);
        assert!(ask(&live, &signer.event(), NOW + 10, TIME).await.1.is_some(), "{answer:.60}");
    }
}

#[tokio::test]
async fn who_is_slow_is_given_half_of_the_time_that_is_left() {
    let signer = Signer::new();
    let server = StandIn::stalling(b"HTTP/1.1 200 OK\r\n");
    let (reason, asked) = ask(&live(&server), &signer.event(), NOW, Duration::from_millis(400)).await;
    let error = asked.unwrap().result.unwrap_err();
    assert_eq!((reason.as_str(), error.reason()), ("keys_unavailable", "deadline_exceeded"));
    let words = error.to_string();
    let seconds: f64 = words.split(' ').rev().nth(1).unwrap().parse().unwrap();
    assert!(seconds <= 0.2, "{words}");
}

#[tokio::test]
async fn who_is_dead_is_unreachable() {
    let signer = Signer::new();
    let server = StandIn::always(b"");
    let live = live(&server);
    drop(server);
    let (reason, asked) = ask(&live, &signer.event(), NOW, TIME).await;
    let error = asked.unwrap().result.unwrap_err();
    assert_eq!((reason.as_str(), error.reason()), ("keys_unavailable", "unreachable"));
}

#[tokio::test]
async fn who_could_not_answer_in_the_time_that_is_left_is_not_asked_and_not_blamed() {
    let signer = Signer::new();
    let server = StandIn::always(signer.answer().as_bytes());
    let live = live(&server);
    assert_eq!(ask(&live, &signer.event(), NOW, Duration::ZERO).await, ("keys_unavailable".into(), None));
    assert_eq!(server.asked(), 0);
    assert_eq!(ask(&live, &signer.event(), NOW, TIME).await.0, "allowed_by_rule");
}

#[tokio::test]
async fn a_request_that_nobody_waits_for_leaves_its_issuer_alone_for_a_while() {
    let signer = Signer::new();
    let server = StandIn::stalling(b"HTTP/1.1 200 OK\r\n");
    let live = live(&server);
    for _ in 0..20 {
        let event = signer.event();
        let request = ask(&live, &event, NOW, TIME);
        let _ = tokio::time::timeout(Duration::from_millis(100), request).await;
    }
    assert_eq!(server.asked(), 1);
}
