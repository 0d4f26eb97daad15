//! What attackers do: no cookie and no callback that the function did not make gives a session.

use std::cell::Cell;
use std::sync::LazyLock;

use authorizer_core::code_flow::{Grant, TokenAnswer};
use authorizer_core::{Authorizer, Needed, UnixTime};
use aws_lc_rs::digest::{SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::browser::{Browser, NAVIGATION, path_of};
use super::provider::{Answer, Provider, SIGNER, parameters};
use super::site::{Got, ORIGIN, START, Sent, answer, authorizer_of, document, got, site};

const PAGE: &str = "/users/alice/a.html";

/// The reason of a callback whose answer of the token endpoint is changed like this.
fn changed(site: &Authorizer, change: impl Fn(&mut Answer) + 'static) -> String {
    called_back(site, change).reason
}

/// The answer to such a callback.
fn called_back(site: &Authorizer, change: impl Fn(&mut Answer) + 'static) -> Got {
    let provider = Provider::new();
    *provider.change.borrow_mut() = Some(Box::new(change));
    let mut browser = Browser::new(site, &provider, START);
    let start = browser.navigate(PAGE);
    let got = browser.navigate(&path_of(&provider.sign_in(start.location(), "alice")));
    let is_started = got.reason == "session_started";
    assert_eq!(got.gives_a_session(), is_started, "{got:?}");
    assert_eq!(browser.names().contains(&"__Host-session"), is_started);
    // The sign-in is over, whatever came of it.
    assert!(!browser.names().iter().any(|name| name.starts_with("__Host-authorizer-flow-")));
    got
}

fn access_token_hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(&digest(&SHA512, token.as_bytes()).as_ref()[..32])
}

#[test]
fn an_id_token_that_is_not_for_this_sign_in_gives_no_session() {
    let site = site(json!({}));
    assert_eq!(changed(&site, |_| {}), "session_started");
    for (name, value) in [
        ("nonce", Some(json!("other"))),
        ("nonce", Some(json!(["x"]))),
        ("nonce", None),
        ("aud", Some(json!("files"))),
        ("aud", Some(json!(["files"]))),
        ("aud", Some(json!(["files-web", "files"]))),
        ("aud", Some(json!(["files-web", 7]))),
        ("aud", None),
        ("azp", Some(json!("other"))),
        ("azp", Some(json!(7))),
        ("sub", Some(json!(""))),
        ("sub", Some(json!(7))),
        ("sub", Some(json!("x".repeat(256)))),
        ("sub", None),
        // It is trusted too, with the same keys.
        ("iss", Some(json!("https://other.example/"))),
        ("iss", Some(json!("https://login.example"))),
        ("iss", None),
        ("exp", Some(json!(START - 100))),
        ("exp", Some(json!("soon"))),
        ("exp", None),
        ("iat", None),
        ("iat", Some(json!(START + 1_000))),
        ("nbf", Some(json!(START + 1_000))),
        ("at_hash", Some(json!("other"))),
        ("at_hash", Some(json!(null))),
    ] {
        let shown = format!("{name} {value:?}");
        let reason = changed(&site, move |answer| match &value {
            Some(value) => answer.identity[name] = value.clone(),
            None => drop(answer.identity.as_object_mut().unwrap().remove(name)),
        });
        assert_eq!(reason, "sign_in_id_token_refused", "{shown}");
    }
    for typ in ["at+jwt", "logout+jwt", "secevent+jwt"] {
        assert_eq!(changed(&site, move |answer| answer.types.1 = typ), "sign_in_id_token_refused", "{typ}");
    }
    for change in [
        |answer: &mut Answer| answer.identity["azp"] = "files-web".into(),
        |answer: &mut Answer| {
            answer.identity["aud"] = json!(["files-web", "files"]);
            answer.identity["azp"] = "files-web".into();
        },
        |answer: &mut Answer| {
            let token = SIGNER.sign("k", "at+jwt", &answer.access);
            answer.identity["at_hash"] = access_token_hash(&token).into();
            answer.members["access_token"] = token.into();
        },
    ] {
        assert_eq!(changed(&site, change), "session_started");
    }
    // The access token in the place of the ID token.
    let reason = changed(&site, |answer| {
        answer.members["id_token"] = SIGNER.sign("k", "at+jwt", &answer.access).into();
    });
    assert_eq!(reason, "sign_in_id_token_refused");
}

#[test]
fn an_access_token_that_a_request_would_be_refused_with_gives_no_session() {
    let site = site(json!({}));
    for (name, value) in [
        ("aud", json!("other")),
        ("aud", json!("files-web")),
        ("exp", json!(START - 100)),
        ("exp", json!(null)),
        ("nbf", json!(START + 1_000)),
        ("sub", json!(["alice", "bob"])),
        ("cnf", json!({"jkt": "x"})),
        ("iss", json!("https://other.example/")),
        ("iss", json!("https://unknown.example/")),
    ] {
        let shown = format!("{name} {value}");
        let reason = changed(&site, move |answer| answer.access[name] = value.clone());
        assert_eq!(reason, "sign_in_token_refused", "{shown}");
    }
    for token in ["opaque", "a.b.c", "a b", "x; Domain=evil.example", "eyJ.eyJ.x,"] {
        let reason = changed(&site, move |answer| answer.members["access_token"] = token.into());
        assert_eq!(reason, "sign_in_token_refused", "{token}");
    }
    // The ID token in the place of the access token: it is not for this service.
    let reason = changed(&site, |answer| {
        answer.members["access_token"] = SIGNER.sign("k", "JWT", &answer.identity).into();
    });
    assert_eq!(reason, "sign_in_token_refused");
}

/// Whoever runs the site learns what is wrong. The person does not, and nothing of the token is in the log.
#[test]
fn the_log_says_what_is_wrong_with_a_token_of_the_provider() {
    let site = site(json!({}));
    for (part, name, value, problem) in [
        ("identity", "nonce", json!("other"), "required_claim_mismatch"),
        ("identity", "at_hash", json!("other"), "required_claim_mismatch"),
        ("identity", "aud", json!("other"), "audience_mismatch"),
        ("identity", "azp", json!("other"), "client_mismatch"),
        ("identity", "exp", json!(START - 100), "token_expired"),
        ("identity", "iss", json!("https://unknown.example/"), "issuer_unknown"),
        ("identity", "iss", json!("https://other.example/"), "other_issuer"),
        ("identity", "iat", json!("now"), "token_time_malformed"),
        ("access", "aud", json!("other"), "audience_mismatch"),
        ("access", "exp", json!(START - 100), "token_expired"),
        ("access", "nbf", json!(START + 1_000), "token_not_yet_valid"),
        ("access", "cnf", json!({"jkt": "x"}), "token_bound"),
        ("access", "iss", json!("https://unknown.example/"), "issuer_unknown"),
        ("access", "iss", json!("https://other.example/"), "other_issuer"),
        ("access", "long", json!("x".repeat(10_000)), "too_long_for_cookies"),
        ("members", "access_token", json!("opaque"), "token_malformed"),
        ("members", "access_token", json!("a b"), "token_malformed"),
    ] {
        let shown = format!("{part} {name}");
        let got = called_back(&site, move |answer| match part {
            "access" => answer.access[name] = value.clone(),
            "identity" => answer.identity[name] = value.clone(),
            _ => answer.members[name] = value.clone(),
        });
        let reason = if part == "identity" { "sign_in_id_token_refused" } else { "sign_in_token_refused" };
        assert_eq!((got.reason.as_str(), got.problem.as_deref()), (reason, Some(problem)), "{shown}");
        assert!(got.body.contains(reason) && !got.body.contains(problem), "{shown}: {}", got.body);
    }
    let malformed = called_back(&site, |answer| answer.body = Some(b"<html>".to_vec()));
    assert_eq!((malformed.reason.as_str(), malformed.problem), ("sign_in_answer_malformed", None));
}

#[test]
fn a_malformed_token_response_gives_no_session() {
    let site = site(json!({}));
    for (name, value) in [
        ("token_type", json!(null)),
        ("token_type", json!("DPoP")),
        ("token_type", json!(["Bearer"])),
        ("access_token", json!("")),
        ("access_token", json!(7)),
        ("access_token", json!({"a": "b"})),
        ("access_token", json!("x\r\nSet-Cookie: a=b")),
        ("access_token", json!("x".repeat(16_385))),
        ("id_token", json!("")),
        ("id_token", json!([])),
        ("id_token", json!("a b")),
        ("refresh_token", json!(7)),
        ("refresh_token", json!("a\nb")),
        ("refresh_token", json!("é")),
        ("error", json!("invalid_grant")),
    ] {
        let shown = format!("{name} {value}");
        let reason = changed(&site, move |answer| answer.members[name] = value.clone());
        assert_eq!(reason, "sign_in_answer_malformed", "{shown}");
    }
    for (status, body, expected) in [
        (200, "", "sign_in_answer_malformed"),
        (200, "<html>", "sign_in_answer_malformed"),
        (200, "[]", "sign_in_answer_malformed"),
        (200, "{}", "sign_in_answer_malformed"),
        (200, r#"{"token_type":"Bearer","access_token":"a","access_token":"b"}"#, "sign_in_answer_malformed"),
        (200, r#"{"token_type":"Bearer","access_token":"a","x":{"y":1,"y":2}}"#, "sign_in_answer_malformed"),
        (200, r#"{"token_type":"Bearer","access_token":"a"}"#, "sign_in_answer_malformed"),
        (201, "{}", "sign_in_answer_malformed"),
        (302, "", "sign_in_answer_malformed"),
        (400, r#"{"error":"invalid_grant"}"#, "sign_in_code_refused"),
        (400, r#"{"error":"invalid_grant","error":"x"}"#, "sign_in_provider_error"),
        (400, "", "sign_in_provider_error"),
        (401, r#"{"error":"invalid_client"}"#, "sign_in_provider_error"),
        (429, "", "sign_in_provider_unavailable"),
        (500, "", "sign_in_provider_unavailable"),
        (503, "{}", "sign_in_provider_unavailable"),
        (0, "{}", "sign_in_answer_malformed"),
        (999, "{}", "sign_in_answer_malformed"),
    ] {
        let reason = changed(&site, move |answer| {
            answer.status = status;
            answer.body = Some(body.as_bytes().to_vec());
        });
        assert_eq!(reason, expected, "{status} {body}");
    }
    for body in ["[".repeat(200_000), format!("{{\"a\":{}", "{\"a\":".repeat(50_000)), "x".repeat(262_144)] {
        let reason = changed(&site, move |answer| answer.body = Some(body.as_bytes().to_vec()));
        assert_eq!(reason, "sign_in_answer_malformed");
    }
}

#[test]
fn a_forged_or_malformed_callback_gives_no_session() {
    let (lax, strict) = (site(json!({})), site(json!({"response_iss": true})));
    let own = "https%3A%2F%2Flogin.example%2F";
    for (site, change, reason) in [
        (&lax, "?code=C&state=S", "session_started"),
        (&lax, "?state=S&code=C&scope=openid&authuser=0&x", "session_started"),
        (&lax, "?code=C&state=S&iss=OWN", "session_started"),
        (&strict, "?code=C&state=S&iss=OWN", "session_started"),
        (&strict, "?code=C&state=S", "sign_in_issuer_mismatch"),
        (&lax, "?code=C&state=S&iss=https%3A%2F%2Fother.example%2F", "sign_in_issuer_mismatch"),
        (&lax, "?code=C&state=S&iss=https%3A%2F%2Flogin.example", "sign_in_issuer_mismatch"),
        (&lax, "?error=access_denied&state=S&iss=x", "sign_in_issuer_mismatch"),
        (&lax, "?error=access_denied&state=S", "sign_in_denied"),
        (&lax, "?error=login_required&state=S", "sign_in_denied"),
        (&lax, "?error=server_error&error_description=%3Cscript%3E&state=S", "sign_in_provider_error"),
        (&lax, "?error=%00&state=S", "sign_in_provider_error"),
        (&lax, "?code=other&state=S", "sign_in_code_refused"),
        (&lax, "", "sign_in_malformed"),
        (&lax, "?", "sign_in_malformed"),
        (&lax, "?code=C", "sign_in_malformed"),
        (&lax, "?state=S", "sign_in_malformed"),
        (&lax, "?code=&state=S", "sign_in_malformed"),
        (&lax, "?code=C&state=", "sign_in_malformed"),
        (&lax, "?code=C&code=C&state=S", "sign_in_malformed"),
        (&lax, "?code=C&state=S&state=S", "sign_in_malformed"),
        (&lax, "?code=C&state=S&c%6fde=x", "sign_in_malformed"),
        (&lax, "?code=C&error=x&state=S", "sign_in_malformed"),
        (&lax, "?code=%FF&state=S", "sign_in_malformed"),
        (&lax, "?code=C&state=Sx", "sign_in_state_unknown"),
        (&lax, "?code=C&state=x", "sign_in_state_unknown"),
    ] {
        let provider = Provider::new();
        let mut browser = Browser::new(site, &provider, START);
        let start = browser.navigate(PAGE);
        let back = path_of(&provider.sign_in(start.location(), "alice"));
        let good = parameters(back.split_once('?').unwrap().1);
        let query = change.replace("OWN", own).replace("code=C", &format!("code={}", good["code"]));
        let query = query.replace("state=S", &format!("state={}", good["state"]));
        let got = browser.navigate(&format!("/.auth/callback{query}"));
        assert_eq!(got.reason, reason, "{change}");
        assert_eq!(got.gives_a_session(), reason == "session_started", "{change}");
        assert!(!got.body.contains("<script"));
        // Once.
        let replayed = browser.navigate(&back);
        let is_still_open = matches!(reason, "sign_in_malformed" | "sign_in_state_unknown");
        assert_eq!(replayed.reason == "session_started", is_still_open, "{change}: {}", replayed.reason);
    }
}

#[test]
fn a_sign_in_that_took_too_long_gives_no_session() {
    let site = site(json!({}));
    for (later, reason) in [(600, "session_started"), (601, "sign_in_state_unknown")] {
        let provider = Provider::new();
        let mut browser = Browser::new(&site, &provider, START);
        let start = browser.navigate(PAGE);
        // A browser that keeps it for longer.
        browser.jar.values_mut().for_each(|(_, end)| *end += 1_000);
        browser.now += later;
        assert_eq!(browser.navigate(&path_of(&provider.sign_in(start.location(), "alice"))).reason, reason);
    }
}

#[test]
fn a_renewal_is_only_of_the_same_person() {
    let site = site(json!({}));
    for (name, change, reason, problem) in [
        ("access", json!({"sub": "mallory"}), "sign_in_token_refused", Some("other_subject")),
        ("access", json!({"iss": "https://other.example/"}), "sign_in_token_refused", Some("other_issuer")),
        ("access", json!({"sub": null}), "sign_in_token_refused", Some("token_malformed")),
        ("identity", json!({"sub": "mallory"}), "sign_in_id_token_refused", Some("other_subject")),
        ("identity", json!({"nonce": "other"}), "sign_in_id_token_refused", Some("other_nonce")),
        ("identity", json!({"aud": "other"}), "sign_in_id_token_refused", Some("audience_mismatch")),
        ("members", json!({"access_token": 7}), "sign_in_answer_malformed", None),
        ("identity", json!({}), "session_renewed", None),
    ] {
        for by_page in [false, true] {
            let provider = Provider::new();
            let mut browser = Browser::new(&site, &provider, START);
            browser.open(PAGE, "alice");
            browser.now += 3_700;
            let members = change.clone();
            *provider.change.borrow_mut() = Some(Box::new(move |answer| {
                let part = match name {
                    "access" => &mut answer.access,
                    "identity" => &mut answer.identity,
                    _ => &mut answer.members,
                };
                for (name, value) in members.as_object().unwrap() {
                    part[name] = value.clone();
                }
            }));
            let got = if by_page { browser.navigate(PAGE) } else { browser.post("/.auth/refresh") };
            assert_eq!((got.reason.as_str(), got.exchanged), (reason, Some(Grant::RefreshToken)), "{name}");
            assert_eq!(got.problem.as_deref(), problem, "{name} {change}");
            assert_eq!(got.gives_a_session(), reason == "session_renewed");
            // What cannot be renewed does not stand in the way.
            *provider.change.borrow_mut() = None;
            assert_eq!(browser.open(PAGE, "alice").reason, "allowed_by_rule");
        }
    }
}

#[test]
fn a_session_without_a_subject_gets_none_by_a_renewal() {
    let mut policy = document(json!({}));
    policy["rules"][0]["keys"] = json!(["users/**"]);
    let (site, provider) = (authorizer_of(policy), Provider::new());
    let without: fn(&mut Answer) = |answer| drop(answer.access.as_object_mut().unwrap().remove("sub"));
    let with: fn(&mut Answer) = |_| ();
    for (change, reason) in [(without, "session_renewed"), (with, "sign_in_token_refused")] {
        *provider.change.borrow_mut() = Some(Box::new(without));
        let mut browser = Browser::new(&site, &provider, START);
        assert_eq!(browser.open(PAGE, "alice").reason, "allowed_by_rule");
        *provider.change.borrow_mut() = Some(Box::new(change));
        browser.now += 3_700;
        assert_eq!(browser.navigate(PAGE).reason, reason);
    }
}

#[test]
fn keys_are_fetched_once_for_new_tokens() {
    let mut policy = document(json!({}));
    policy["issuers"][0]["jwks"] = json!({"url": "https://login.example/jwks"});
    let keys = json!({"keys": [SIGNER.jwk("k")]}).to_string();
    let now = UnixTime::from_seconds(START);
    for (answer, status, reason) in [
        (Some(keys.as_bytes()), Some(302), "session_started"),
        (Some(b"{}".as_slice()), Some(503), "keys_unavailable"),
        (None, Some(503), "keys_unavailable"),
    ] {
        let (site, provider) = (authorizer_of(policy.clone()), Provider::new());
        let mut browser = Browser::new(&site, &provider, START);
        let start = browser.navigate(PAGE);
        let target = path_of(&provider.sign_in(start.location(), "alice"));
        let headers = vec![("cookie".to_owned(), browser.cookie())];
        let event = Sent { method: "GET", target, headers }.event(1);
        let needed = site.authorize_or_ask(&event, now);
        let Err(Needed::Tokens(request)) = needed else { panic!("{needed:?}") };
        let (code, body) = provider.exchange(&request, START).unwrap();
        let tokens = TokenAnswer::Answered { status: code, body: &body };
        let needed = site.take_tokens(&event, &request, tokens, now).unwrap_err();
        let _ = site.take_keys(&needed, answer, now);
        let authorized = site.take_tokens(&event, &request, tokens, now).unwrap();
        assert_eq!((authorized.outcome.status(), authorized.record.reason.as_ref()), (status, reason));
        let alone = site.take_tokens_without_asking(&event, &request, tokens, now);
        assert_eq!(alone.record.reason, authorized.record.reason);
    }
}

/// The answer to a renewal for which the provider gives these tokens, where its keys are these or do not come.
fn renewed_with(site: &Authorizer, event: &[u8], body: &[u8], keys: Option<&[u8]>, at: u64) -> Got {
    let now = UnixTime::from_seconds(at);
    let needed = site.authorize_or_ask(event, now);
    let Err(Needed::Tokens(request)) = needed else { panic!("{needed:?}") };
    let tokens = TokenAnswer::Answered { status: 200, body };
    let needed = site.take_tokens(event, &request, tokens, now).unwrap_err();
    let _ = site.take_keys(&needed, keys, now);
    got(site.take_tokens(event, &request, tokens, now).unwrap(), Some(request.grant()))
}

#[test]
fn a_renewal_whose_keys_cannot_be_fetched_leaves_the_session_and_succeeds_once_they_can() {
    let mut policy = document(json!({}));
    policy["issuers"][0]["jwks"] = json!({"url": "https://login.example/jwks"});
    let keys = |names: &[&str]| {
        let keys: Vec<_> = names.iter().map(|name| SIGNER.jwk(name)).collect();
        json!({"keys": keys}).to_string().into_bytes()
    };
    for (by_page, later) in [(false, 100), (true, 3_700)] {
        let (site, provider) = (authorizer_of(policy.clone()), Provider::new());
        // A token that nobody sent makes the function fetch the keys.
        let token = json!({"iss": "https://login.example/", "aud": "files", "sub": "bob", "exp": START + 60});
        let token = SIGNER.sign("k", "at+jwt", &token);
        let sent = |method, target: &str, headers: &[(&str, &str)]| {
            let headers =
                headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            Sent { method, target: target.to_owned(), headers }.event(1)
        };
        let event = sent("GET", PAGE, &[("authorization", format!("Bearer {token}").as_str())]);
        let needed =
            site.authorize_or_ask(&event, UnixTime::from_seconds(START)).unwrap_err().keys().unwrap();
        site.take_keys(&needed, Some(&keys(&["k"])), UnixTime::from_seconds(START)).unwrap();
        let mut browser = Browser::new(&site, &provider, START);
        assert_eq!(browser.open(PAGE, "alice").reason, "allowed_by_rule");

        // The provider signs with a new key.
        let at = START + later;
        browser.now = at;
        let claims = |audience: &str| json!({"iss": "https://login.example/", "aud": audience, "sub": "alice", "exp": at + 3_600, "iat": at});
        let body = json!({
            "token_type": "Bearer", "expires_in": 3_600, "refresh_token": "refresh-again",
            "access_token": SIGNER.sign("k2", "at+jwt", &claims("files")),
            "id_token": SIGNER.sign("k2", "JWT", &claims("files-web")),
        })
        .to_string();
        let cookie = browser.cookie();
        let event = match by_page {
            true => sent("GET", PAGE, &[&NAVIGATION[..], &[("cookie", cookie.as_str())]].concat()),
            false => sent("POST", "/.auth/refresh", &[("origin", ORIGIN), ("cookie", cookie.as_str())]),
        };
        let failed = renewed_with(&site, &event, body.as_bytes(), None, at);
        assert_eq!((failed.status, failed.reason.as_str()), (Some(503), "keys_unavailable"), "{failed:?}");
        assert_eq!(failed.header("retry-after"), Some("10"));
        assert!(!failed.cookies().any(|line| line.starts_with("__Host-session")), "{failed:?}");
        let is_page = failed.header("content-type").unwrap().starts_with("text/html");
        assert_eq!(is_page, by_page);
        // What the session has is as good as before.
        if !by_page {
            assert_eq!(browser.navigate(PAGE).reason, "allowed_by_rule");
        }
        let renewed = renewed_with(&site, &event, body.as_bytes(), Some(&keys(&["k", "k2"])), at + 11);
        assert_eq!(renewed.reason, "session_renewed", "{renewed:?}");
        assert!(renewed.gives_a_session());
    }
}

/// Cookies and callbacks that were made by this function and by others like it, for several people, tabs and times.
struct Loot {
    cookies: Vec<(String, String)>,
    states: Vec<String>,
    codes: Vec<String>,
    /// Of each cookie of a sign-in that this function can finish, the state.
    good: Vec<(String, String)>,
    /// The sealed cookie of the attacker's own session.
    own: String,
}

static SITE: LazyLock<Authorizer> = LazyLock::new(|| site(json!({})));

/// Functions like it, of which each seals what this one does not open.
static OTHERS: LazyLock<[Authorizer; 4]> = LazyLock::new(|| {
    let other_key = json!({"cookie_key": {"value": URL_SAFE_NO_PAD.encode([9; 32])}});
    let mut other_name = document(json!({}));
    other_name["credentials"]["cookie"] = "__Host-session2".into();
    let mut other_issuer = document(json!({"issuer": "other"}));
    other_issuer["issuers"][0]["name"] = "staff2".into();
    other_issuer["rules"][0]["issuers"] = json!(["other"]);
    [
        site(other_key),
        site(json!({"origin": "https://other.example.com"})),
        authorizer_of(other_name),
        authorizer_of(other_issuer),
    ]
});

/// What an attacker has: everything but a session of another person.
fn loot(provider: &Provider) -> Loot {
    let others = &*OTHERS;
    let mut loot = Loot {
        cookies: Vec::new(),
        states: Vec::new(),
        codes: Vec::new(),
        good: Vec::new(),
        own: String::new(),
    };
    for (nth, (maker, at)) in
        [(&*SITE, START), (&*SITE, START - 300), (&*SITE, START - 700), (&*SITE, START + 100)]
            .into_iter()
            .chain(others.iter().map(|other| (other, START)))
            .enumerate()
    {
        let (_, host) = maker.bundle().policy().sign_in().unwrap().origin().split_once("://").unwrap();
        let sent = Sent {
            method: "GET",
            target: "/users/alice/a.html".to_owned(),
            headers: NAVIGATION
                .iter()
                .chain(&[("host", host)])
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        };
        let event = sent.event(100 + nth as u64);
        let authorized = maker.authorize(&event, UnixTime::from_seconds(at)).into_owned();
        let outcome = serde_json::to_value(authorized.outcome).unwrap();
        let location = outcome["headers"]["location"][0]["value"].as_str().unwrap().to_owned();
        let state = parameters(location.split_once('?').unwrap().1)["state"].clone();
        let line = outcome["headers"]["set-cookie"].as_array().unwrap().iter();
        let line = line.map(|line| line["value"].as_str().unwrap()).find(|line| line.contains("-flow-"));
        let (name, value) = line.unwrap().split(';').next().unwrap().split_once('=').unwrap();
        if nth < 2 {
            loot.good.push((value.to_owned(), state.clone()));
        }
        loot.cookies.push((name.to_owned(), value.to_owned()));
        loot.states.push(state);
        let back = provider.sign_in(&location, "mallory");
        loot.codes.push(parameters(back.split_once('?').unwrap().1)["code"].clone());
    }
    // The attacker's own session.
    let mut browser = Browser::new(&SITE, provider, START);
    assert_eq!(browser.open("/users/mallory/a", "mallory").reason, "allowed_by_rule");
    loot.own = browser.jar["__Host-session-sealed"].0.clone();
    loot.cookies.extend(browser.jar.iter().map(|(name, (value, _))| (name.clone(), value.clone())));
    // Sessions of others.
    for maker in [&others[0], &others[2]] {
        let own = Provider::new();
        let mut browser = Browser::new(maker, &own, START);
        let start = browser.navigate(PAGE);
        browser.navigate(&path_of(&own.sign_in(start.location(), "mallory")));
        loot.cookies.extend(browser.jar.iter().map(|(name, (value, _))| (name.clone(), value.clone())));
    }
    loot
}

/// A cookie that is made of those that there are.
#[derive(Clone, Debug)]
enum Made {
    AsItIs(prop::sample::Index),
    Renamed(prop::sample::Index, prop::sample::Index),
    Sealed(prop::sample::Index),
    Spliced(prop::sample::Index, prop::sample::Index, prop::sample::Index),
    Flipped(prop::sample::Index, prop::sample::Index, u8),
    Cut(prop::sample::Index, prop::sample::Index),
}

fn made() -> impl Strategy<Value = Made> {
    let any = any::<prop::sample::Index>;
    prop_oneof![
        4 => any().prop_map(Made::AsItIs),
        1 => (any(), any()).prop_map(|(one, two)| Made::Renamed(one, two)),
        1 => any().prop_map(Made::Sealed),
        1 => (any(), any(), any()).prop_map(|(one, two, at)| Made::Spliced(one, two, at)),
        1 => (any(), any(), 1..=127u8).prop_map(|(one, at, by)| Made::Flipped(one, at, by)),
        1 => (any(), any()).prop_map(|(one, at)| Made::Cut(one, at)),
    ]
}

impl Made {
    fn of(&self, cookies: &[(String, String)]) -> (String, String) {
        let get = |index: &prop::sample::Index| index.get(cookies).clone();
        match self {
            Self::AsItIs(one) => get(one),
            Self::Renamed(one, two) => (get(one).0, get(two).1),
            Self::Sealed(one) => ("__Host-session-sealed".to_owned(), get(one).1),
            Self::Spliced(one, two, at) => {
                let ((name, one), (_, two)) = (get(one), get(two));
                let at = at.index(one.len().min(two.len()).max(1));
                (name, format!("{}{}", &one[..at], &two[at..]))
            }
            Self::Flipped(one, at, by) => {
                let (name, value) = get(one);
                let mut bytes = value.into_bytes();
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] ^= by;
                }
                let value =
                    String::from_utf8_lossy(&bytes).replace(|c: char| !c.is_ascii_graphic() || c == ';', "A");
                (name, value)
            }
            Self::Cut(one, at) => {
                let (name, value) = get(one);
                let at = at.index(value.len().max(1));
                (name, value[..at].to_owned())
            }
        }
    }
}

/// What an attacker tries first, before other cookies are added.
#[derive(Clone, Copy, Debug)]
enum Attempt {
    Nothing,
    /// To finish a sign-in that this browser began, with any code.
    Callback,
    /// To renew the attacker's own session.
    Renewal,
}

#[test]
fn no_cookie_and_no_callback_of_others_gives_a_session() {
    const CASES: u32 = 256;
    let any_index = any::<prop::sample::Index>;
    let paths = ["/.auth/callback", "/.auth/callback", "/.auth/refresh", PAGE, "/.auth/session"];
    let attempts = [Attempt::Nothing, Attempt::Callback, Attempt::Renewal];
    let strategy = (
        prop::collection::vec(made(), 0..5),
        (any_index(), any_index(), any_index()),
        prop::sample::select(paths.to_vec()),
        prop::sample::select(attempts.to_vec()),
        any::<bool>(),
    );
    let exchanged = Cell::new(0);
    let try_one = |(cookies, (state, code, good), path, attempt, is_page): (
        Vec<Made>,
        (prop::sample::Index, prop::sample::Index, prop::sample::Index),
        &'static str,
        Attempt,
        bool,
    )| {
        let provider = Provider::new();
        let loot = loot(&provider);
        let mut jar: Vec<_> = cookies.iter().map(|made| made.of(&loot.cookies)).collect();
        let (mut path, mut state, code) = (path, state.get(&loot.states), code.get(&loot.codes));
        match attempt {
            Attempt::Nothing => {}
            Attempt::Callback => {
                let nth = good.index(loot.good.len());
                path = "/.auth/callback";
                state = &loot.states[nth];
                jar.push(loot.cookies[nth].clone());
            }
            Attempt::Renewal => {
                path = "/.auth/refresh";
                jar.push(("__Host-session-sealed".to_owned(), loot.own.clone()));
            }
        }
        let mut headers = vec![("origin".to_owned(), "https://files.example.com".to_owned())];
        headers.extend(jar.iter().map(|(name, value)| ("cookie".to_owned(), format!("{name}={value}"))));
        if is_page {
            headers.extend(NAVIGATION.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        }
        let method = if path == "/.auth/refresh" { "POST" } else { "GET" };
        let target = match path {
            "/.auth/callback" => format!("{path}?code={code}&state={state}"),
            _ => path.to_owned(),
        };
        let got = answer(&SITE, &provider, &Sent { method, target, headers }, 1, START);
        // Mallory may sign in as mallory: with the state of a sign-in that this browser began, and the code of it. And
        // mallory's own session may be renewed.
        let has = |cookie: &String| jar.iter().any(|(_, value)| value == cookie);
        let is_begun = loot.good.iter().any(|(cookie, of)| of == state && has(cookie));
        let is_of_one = loot.states.iter().zip(&loot.codes).any(|(one, other)| one == state && other == code);
        if got.exchanged.is_some() {
            exchanged.set(exchanged.get() + 1);
        }
        match got.exchanged {
            None => prop_assert!(!got.gives_a_session(), "{got:?}"),
            Some(Grant::AuthorizationCode) => {
                prop_assert!(is_begun && (is_of_one || !got.gives_a_session()), "{got:?}");
            }
            Some(Grant::RefreshToken) => prop_assert!(has(&loot.own), "{got:?}"),
        }
        // Whatever came of it, nobody becomes somebody else.
        for token in got.cookies().filter_map(|line| line.strip_prefix("__Host-session=ey")) {
            let claims = token.split('.').nth(1).unwrap();
            let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
            prop_assert_eq!(&claims["sub"], "mallory");
        }
        prop_assert!(path != PAGE || got.status.is_some(), "{got:?}");
        Ok(())
    };
    TestRunner::new(ProptestConfig::with_cases(CASES)).run(&strategy, try_one).unwrap();
    assert!(exchanged.get() >= CASES / 4, "only {} of {CASES} reach the provider", exchanged.get());
}

#[test]
fn nobody_is_sent_anywhere_else() {
    const CASES: u32 = 256;
    let pieces = [
        "a",
        "b.c",
        "%40",
        "%23",
        "%3F",
        "%25",
        "%20",
        "%26",
        "%3D",
        "%C3%A9",
        "evil.example",
        "https%3A",
        "x%2Fevil.example",
        "@evil.example",
        ";",
        "=",
        "~",
    ];
    let key = prop::collection::vec(prop::sample::select(pieces.to_vec()), 1..8)
        .prop_map(|pieces| format!("/users/alice/{}", pieces.concat()));
    let query = prop_oneof![
        3 => Just(""),
        1 => prop::sample::select(vec!["versionId=v", "versionId=%2F%2Fevil.example", "versionId=%26x%3Dy"]),
    ];
    let reached = Cell::new(0);
    let send = |uri: &str, query: &str| {
        let provider = Provider::new();
        let mut browser = Browser::new(&SITE, &provider, START);
        let start = browser.navigate(&format!("{uri}?{query}"));
        if start.location().starts_with("https://login.example/authorize") {
            reached.set(reached.get() + 1);
            let back = browser.navigate(&path_of(&provider.sign_in(start.location(), "alice")));
            prop_assert_eq!(back.reason.as_str(), "session_started");
            let path = back.location().strip_prefix("https://files.example.com/").unwrap();
            prop_assert!(!path.starts_with(['/', '\\']) && !path.contains(['\\', '#', ' ', '@']), "{}", path);
        }
        Ok(())
    };
    let config = ProptestConfig::with_cases(CASES);
    TestRunner::new(config.clone()).run(&(key, query), |(uri, query)| send(&uri, query)).unwrap();
    assert!(reached.get() >= CASES / 2, "only {} of {CASES} reach the provider", reached.get());
    // What is no key, or no query, leads nowhere else either.
    let uri = "/[ -~]{0,40}|/\\PC{0,20}|/(//|\\\\|%0d%0a|%2f|@|evil\\.example|\\?|#){0,8}";
    TestRunner::new(config).run(&(uri, "[ -~]{0,40}"), |(uri, query)| send(&uri, &query)).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_answer_that_is_changed_somewhere_is_misread(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let reason = changed(&SITE, move |answer| {
            let mut members = answer.members.clone();
            members["access_token"] = SIGNER.sign("k", "at+jwt", &answer.access).into();
            members["id_token"] = SIGNER.sign("k", "JWT", &answer.identity).into();
            let mut body = members.to_string().into_bytes();
            let at = at.index(body.len());
            if cut { body.truncate(at) } else { body[at] = byte }
            answer.body = Some(body);
        });
        // A change in `expires_in`, in the refresh token or to the same byte is no harm.
        prop_assert!(
            ["session_started", "sign_in_answer_malformed", "sign_in_id_token_refused", "sign_in_token_refused"]
                .contains(&reason.as_str()),
            "{reason}"
        );
    }

    #[test]
    fn every_way_of_a_browser_ends(
        steps in prop::collection::vec((0..9u8, 0..20_000u64), 1..12),
        lifetime in prop::sample::select(vec![0, 1, 20, 600, 100_000]),
        refresh in any::<bool>(),
        drops in 0..4u8,
        host in prop::sample::select(vec![None, Some("d111111abcdef8.cloudfront.net")]),
    ) {
        let site = site(json!({"refresh": refresh, "session_seconds": 3_600}));
        let provider = Provider::new();
        provider.lifetime.set(lifetime);
        let mut browser = Browser::new(&site, &provider, START);
        browser.keeps = match drops {
            0 => |name| name != "__Host-session",
            1 => |name| !name.ends_with("-sealed"),
            2 => |_| false,
            _ => |_| true,
        };
        // A browser without cookies ends that way itself (Fetch section 4.4: after 20 redirects).
        browser.host = host.filter(|_| drops != 2);
        for (step, later) in steps {
            match step {
                0 => { browser.post("/.auth/refresh"); }
                1 => { browser.post("/.auth/sign-out"); }
                2 => { browser.send("GET", "/.auth/session", &[]); }
                3 => provider.is_down.set(!provider.is_down.get()),
                4 => browser.now += later,
                5 => browser.now += later % 20,
                _ => { browser.open(PAGE, "alice"); }
            }
        }
    }
}

#[test]
fn a_policy_with_another_form_of_token_reads_the_session_as_any_cookie() {
    let mut policy = document(json!({"session_token": "id_token", "refresh": false}));
    policy["issuers"][0]["audience"] = json!(["files-web"]);
    let (site, provider) = (authorizer_of(policy), Provider::new());
    let mut browser = Browser::new(&site, &provider, START);
    assert_eq!(browser.open(PAGE, "alice").reason, "allowed_by_rule");
    assert_eq!(browser.send("GET", "/.auth/session", &[]).json()["renewable"], Value::Bool(false));
    browser.now += 3_599;
    assert_eq!(browser.send("GET", PAGE, &[]).reason, "allowed_by_rule");
    // The clocks of two machines may differ: the cookie goes when the token is refused.
    browser.now += 100;
    assert_eq!(browser.names(), ["__Host-session-sealed"]);
    assert_eq!(browser.navigate(PAGE).reason, "token_missing");
}
