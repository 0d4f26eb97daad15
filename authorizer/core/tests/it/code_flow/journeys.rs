//! What people do.

use authorizer_core::code_flow::Grant;
use serde_json::json;

use super::browser::{Browser, NAVIGATION, path_of};
use super::provider::{Provider, parameters};
use super::site::{Got, START, site};

const PAGE: &str = "/users/alice/a.html";
const SESSION: [&str; 2] = ["__Host-session", "__Host-session-sealed"];

#[track_caller]
fn is(got: &Got, status: impl Into<Option<u16>>, reason: &str) {
    assert_eq!((got.status, got.reason.as_str()), (status.into(), reason), "{got:?}");
}

#[test]
fn a_person_opens_a_link_signs_in_and_is_back() {
    let (site, provider) = (site(json!({})), Provider::new());
    let mut browser = Browser::new(&site, &provider, START);
    let start = browser.navigate(PAGE);
    is(&start, 302, "token_missing");
    assert_eq!(start.decision, "refuse");
    let (_, query) = start.location().split_once('?').unwrap();
    assert_eq!(parameters(query)["redirect_uri"], "https://files.example.com/.auth/callback");
    let back = browser.navigate(&path_of(&provider.sign_in(start.location(), "alice")));
    is(&back, 302, "session_started");
    assert_eq!(back.decision, "sign_in");
    assert_eq!(back.location(), "https://files.example.com/users/alice/a.html");
    assert_eq!(back.exchanged, Some(Grant::AuthorizationCode));
    is(&browser.navigate(PAGE), None, "allowed_by_rule");
    let names = browser.names();
    assert!(names[0].starts_with("__Host-authorizer-back-"), "{names:?}");
    assert_eq!(names[1..], SESSION);
    is(&browser.navigate("/users/bob/a.html"), 403, "key_not_allowed");
    is(&browser.send("PUT", PAGE, &[("origin", "https://evil.example")]), 403, "origin_not_allowed");
}

#[test]
fn a_request_that_does_not_open_a_page_is_refused_as_without_the_sign_in() {
    let (site, provider) = (site(json!({})), Provider::new());
    let mut browser = Browser::new(&site, &provider, START);
    for headers in [&[][..], &[("accept", "application/json")], &[NAVIGATION[0], ("sec-fetch-mode", "cors")]]
    {
        let got = browser.send("GET", PAGE, headers);
        is(&got, 401, "token_missing");
        assert!(got.cookies().next().is_none());
    }
    is(&browser.send("PUT", PAGE, &NAVIGATION), 401, "token_missing");
}

#[test]
fn several_tabs_at_once_each_come_back_to_their_page() {
    let (site, provider) = (site(json!({})), Provider::new());
    let mut browser = Browser::new(&site, &provider, START);
    let pages = ["/users/alice/a", "/users/alice/b", "/users/alice/c%20d"];
    let starts: Vec<_> = pages.iter().map(|page| browser.navigate(page).location().to_owned()).collect();
    for (page, start) in pages.iter().zip(&starts).rev() {
        let back = browser.navigate(&path_of(&provider.sign_in(start, "alice")));
        is(&back, 302, "session_started");
        assert_eq!(path_of(back.location()), *page);
    }
    assert!(!browser.names().iter().any(|name| name.starts_with("__Host-authorizer-flow-")));
    is(&browser.navigate(pages[1]), None, "allowed_by_rule");
}

#[test]
fn a_browser_has_begun_no_more_sign_ins_than_it_can_send() {
    let (site, provider) = (site(json!({})), Provider::new());
    let mut browser = Browser::new(&site, &provider, START);
    for tab in 0..30 {
        browser.now += 1;
        is(&browser.navigate(&format!("/users/alice/{tab}")), 302, "token_missing");
        assert_eq!(browser.names().len(), 8.min(tab + 1));
    }
    for tab in 0..30 {
        browser.now += 1;
        is(&browser.navigate(&format!("/users/alice/{}{tab}", "x".repeat(900))), 302, "token_missing");
        assert!(browser.cookie().len() < 4_500, "{}", browser.cookie().len());
    }
    browser.now += 601;
    let last = browser.navigate("/users/alice/last");
    assert_eq!(browser.names().len(), 1);
    let back = browser.navigate(&path_of(&provider.sign_in(last.location(), "alice")));
    is(&back, 302, "session_started");
}

#[test]
fn a_path_that_is_too_long_for_a_cookie_is_cut() {
    let (site, provider) = (site(json!({})), Provider::new());
    for (page, back) in [
        (format!("/users/alice/{}", "x".repeat(900)), None),
        (format!("/users/alice/{}", "%C3%A9".repeat(480)), Some("/")),
    ] {
        let mut browser = Browser::new(&site, &provider, START);
        let start = browser.navigate(&page);
        let got = browser.navigate(&path_of(&provider.sign_in(start.location(), "alice")));
        assert_eq!(path_of(got.location()), back.unwrap_or(&page));
    }
}

#[test]
fn a_session_is_renewed_when_a_page_is_opened_and_only_then() {
    let (site, provider) = (site(json!({})), Provider::new());
    let mut browser = Browser::new(&site, &provider, START);
    is(&browser.open(PAGE, "alice"), None, "allowed_by_rule");
    browser.now += 3_700;
    // The token has expired, and its cookie with it.
    assert_eq!(browser.names(), [SESSION[1]]);
    is(&browser.send("GET", PAGE, &[]), 401, "token_missing");
    let renewed = browser.navigate(PAGE);
    is(&renewed, 302, "session_renewed");
    assert_eq!((renewed.exchanged, path_of(renewed.location()).as_str()), (Some(Grant::RefreshToken), PAGE));
    is(&browser.navigate(PAGE), None, "allowed_by_rule");
    // The refresh token was rotated, and the new one is kept.
    browser.now += 3_700;
    is(&browser.open(PAGE, "nobody"), None, "allowed_by_rule");
    // At the end of the session the person signs in.
    browser.now = START + 43_200;
    is(&browser.navigate(PAGE), 302, "token_missing");
}

#[test]
fn a_refresh_token_that_is_used_up_leads_to_the_sign_in() {
    let (site, provider) = (site(json!({})), Provider::new());
    let mut browser = Browser::new(&site, &provider, START);
    browser.open(PAGE, "alice");
    let old = browser.jar.clone();
    browser.now += 3_700;
    is(&browser.navigate(PAGE), 302, "session_renewed");
    // Another tab, which came at the same time.
    browser.jar = old;
    let start = browser.navigate(PAGE);
    is(&start, 302, "token_missing");
    assert!(start.location().starts_with("https://login.example/authorize?"));
    is(&browser.open(PAGE, "alice"), None, "allowed_by_rule");
}

#[test]
fn a_tab_that_renews_too_late_does_not_take_the_session_of_the_other() {
    let (site, provider) = (site(json!({})), Provider::new());
    for by_page in [true, false] {
        let mut browser = Browser::new(&site, &provider, START);
        browser.open(PAGE, "alice");
        browser.now += 3_700;
        let old = browser.jar.clone();
        is(&browser.navigate(PAGE), 302, "session_renewed");
        let renewed = std::mem::replace(&mut browser.jar, old);
        let late = if by_page { browser.navigate("/users/alice/b") } else { browser.post("/.auth/refresh") };
        let expected = if by_page { (302, "token_missing") } else { (401, "session_refresh_refused") };
        is(&late, expected.0, expected.1);
        // Nothing in its answer touches what the other tab got.
        assert!(!late.cookies().any(|line| line.starts_with("__Host-session")), "{late:?}");
        browser.jar = renewed;
        is(&browser.navigate(PAGE), None, "allowed_by_rule");
    }
}

#[test]
fn only_a_refusal_of_the_refresh_token_is_about_the_session() {
    let (site, provider) = (site(json!({})), Provider::new());
    for (status, body) in [
        (401, r#"{"error":"invalid_client"}"#),
        (400, r#"{"error":"invalid_scope"}"#),
        (400, "<html>"),
        (403, ""),
        (404, ""),
    ] {
        for by_page in [true, false] {
            let mut browser = Browser::new(&site, &provider, START);
            browser.open(PAGE, "alice");
            browser.now += 3_700;
            *provider.change.borrow_mut() = Some(Box::new(move |answer| {
                answer.status = status;
                answer.body = Some(body.as_bytes().to_vec());
            }));
            let sealed = browser.jar[SESSION[1]].clone();
            let got = if by_page { browser.navigate(PAGE) } else { browser.post("/.auth/refresh") };
            is(&got, 502, "sign_in_provider_error");
            match by_page {
                true => assert!(got.header("content-type").unwrap().starts_with("text/html")),
                false => assert_eq!(got.json()["reason"], "sign_in_provider_error"),
            }
            assert_eq!(browser.jar[SESSION[1]], sealed, "{status} {body}");
            *provider.change.borrow_mut() = None;
        }
    }
}

/// RFC 6749 section 6: the token that a session has does not depend on its renewal.
#[test]
fn an_answer_to_a_renewal_that_cannot_be_read_does_not_take_a_token_that_is_valid() {
    let (site, provider) = (site(json!({})), Provider::new());
    for body in ["<html>", "{}", r#"{"token_type":"Bearer","access_token":7}"#] {
        let mut browser = Browser::new(&site, &provider, START);
        browser.open(PAGE, "alice");
        let kept = SESSION.map(|name| browser.jar[name].clone());
        browser.now += 100;
        *provider.change.borrow_mut() = Some(Box::new(|answer| answer.body = Some(body.as_bytes().to_vec())));
        is(&browser.post("/.auth/refresh"), 502, "sign_in_answer_malformed");
        assert_eq!(SESSION.map(|name| browser.jar[name].clone()), kept, "{body}");
        is(&browser.navigate(PAGE), None, "allowed_by_rule");
        // Without a token nobody is left between the two: the next page leads to the sign-in.
        browser.now += 3_600;
        is(&browser.navigate(PAGE), 302, "token_missing");
        *provider.change.borrow_mut() = None;
        is(&browser.open(PAGE, "alice"), None, "allowed_by_rule");
        browser.now += 3_700;
        *provider.change.borrow_mut() = Some(Box::new(|answer| answer.body = Some(body.as_bytes().to_vec())));
        is(&browser.navigate(PAGE), 502, "sign_in_answer_malformed");
        is(&browser.navigate(PAGE), 302, "token_missing");
        *provider.change.borrow_mut() = None;
    }
}

/// The origin of the policy is the only one that the provider sends people back to.
#[test]
fn a_page_under_another_host_name_leads_to_the_same_page_of_the_origin() {
    let (site, provider) = (site(json!({})), Provider::new());
    for host in ["d111111abcdef8.cloudfront.net", "evil.example", "files.example.com:8443", "", "a b\"<"] {
        let navigation: Vec<_> = NAVIGATION.into_iter().chain([("host", host)]).collect();
        let mut other = Browser::new(&site, &provider, START);
        let page = "/users/alice/%61%20b.html";
        let got = other.send("GET", page, &navigation);
        // It is a refused request for an object, as where it leads to the provider.
        is(&got, 302, "token_missing");
        assert_eq!((got.decision.as_str(), got.problem.as_deref()), ("refuse", Some("other_host")));
        assert_eq!(got.location(), "https://files.example.com/users/alice/a%20b.html");
        // The cookie of a flow would not come back from the provider.
        assert!(got.cookies().all(|line| line.starts_with("__Host-authorizer-back-")), "{got:?}");
        let mut browser = Browser::new(&site, &provider, START);
        is(&browser.open(&path_of(got.location()), "alice"), None, "allowed_by_rule");
        // What only fetches is told what it would be told there.
        let fetched = other.send("GET", page, &[("host", host), ("sec-fetch-mode", "cors")]);
        is(&fetched, 401, "token_missing");
        // Whoever opens the link once more gets there too.
        let twice = other.send("GET", page, &navigation);
        is(&twice, 302, "token_missing");
        assert_eq!(twice.location(), got.location());
        // Where something before CloudFront changes the name, the browser is at the origin, and does not go round.
        let again = other.send("GET", page, &navigation);
        is(&again, 302, "token_missing");
        assert_eq!(again.problem, None);
        let back = path_of(&provider.sign_in(again.location(), "alice"));
        is(&other.send("GET", &back, &navigation), 302, "session_started");
        is(&other.send("GET", page, &navigation), None, "allowed_by_rule");
        other.now += 3_700;
        is(&other.send("GET", page, &navigation), 302, "session_renewed");
    }
    for hosts in [
        &[("host", "FILES.example.com")][..],
        &[("host", "a.example"), ("host", "b.example")],
        // A test on this machine, with the policy of a distribution.
        &[("host", "localhost:8080")],
        &[("host", "127.0.0.2:8443")],
        &[("host", "LocalHost:80")],
        &[("host", "files.localhost")],
        &[("host", "[::1]:8443")],
    ] {
        let navigation: Vec<_> = NAVIGATION.iter().chain(hosts).copied().collect();
        let got = Browser::new(&site, &provider, START).send("GET", PAGE, &navigation);
        is(&got, 302, "token_missing");
        assert_eq!(got.problem, None);
        assert!(got.location().starts_with("https://login.example/authorize?"));
    }
}

/// What is for everybody is so for people whose token has expired, or is of no use.
#[test]
fn a_person_whose_token_has_expired_reads_what_is_public() {
    for refresh in [true, false] {
        let mut policy = super::site::document(json!({"refresh": refresh}));
        let public = json!({"id": "public", "effect": "allow", "anonymous": true, "methods": ["GET"], "keys": ["public/**"]});
        policy["rules"].as_array_mut().unwrap().push(public);
        let (site, provider) = (super::site::authorizer_of(policy), Provider::new());
        let mut browser = Browser::new(&site, &provider, START);
        let image = "/public/logo.svg";
        is(&browser.open(PAGE, "alice"), None, "allowed_by_rule");
        is(&browser.send("GET", image, &[]), None, "allowed_by_rule");
        browser.now += 3_600;
        assert_eq!(browser.names(), [SESSION[1]]);
        is(&browser.send("GET", image, &[]), None, "allowed_by_rule");
        // A cookie of a token that is not accepted goes when a page is opened.
        browser.jar.remove(SESSION[1]);
        browser.jar.insert(SESSION[0].to_owned(), ("a.b.c".to_owned(), START + 9_000));
        is(&browser.send("GET", image, &[]), 401, "token_malformed");
        is(&browser.navigate(PAGE), 302, "token_malformed");
        assert!(!browser.names().contains(&SESSION[0]));
        is(&browser.send("GET", image, &[]), None, "allowed_by_rule");
    }
}

#[test]
fn a_session_that_the_policy_revokes_is_over() {
    let provider = Provider::new();
    for (revoked, ends) in [
        (json!({"sub": "alice"}), true),
        (json!({"sub": "alice-at-staff"}), true),
        (json!({"issued_before": "2027-01-15T08:00:01Z"}), true),
        (json!({"sub": "alice", "issued_before": "2027-01-15T08:00:01Z"}), true),
        (json!({"jti": "t1"}), true),
        (json!({"jti": "t1", "sub": "alice"}), true),
        (json!({"sub": "bob"}), false),
        (json!({"jti": "t2"}), false),
        (json!({"issued_before": "2027-01-15T08:00:00Z"}), false),
        (json!({"sub": "bob", "issued_before": "2027-01-15T08:00:01Z"}), false),
    ] {
        let before = site(json!({}));
        let mut policy = super::site::document(json!({}));
        policy["revoked"] = json!([revoked]);
        policy["revoked"][0]["issuer"] = "staff".into();
        let after = super::site::authorizer_of(policy);
        for (later, by_page) in [(20, true), (20, false), (4_000, true), (4_000, false)] {
            let mut browser = Browser::new(&before, &provider, START);
            *provider.change.borrow_mut() = Some(Box::new(|answer| {
                answer.access["jti"] = "t1".into();
                answer.identity["sub"] = "alice-at-staff".into();
            }));
            is(&browser.open(PAGE, "alice"), None, "allowed_by_rule");
            *provider.change.borrow_mut() = Some(Box::new(|answer| {
                answer.access["jti"] = "t3".into();
                answer.identity["sub"] = "alice-at-staff".into();
            }));
            browser.site = &after;
            browser.now += later;
            let shown = format!("{revoked} {later} {by_page}");
            let told = browser.send("GET", "/.auth/session", &[]).json();
            assert_eq!(told["renewable"], json!(!ends), "{shown}");
            // The token itself is not revoked: it is of another subject, or later.
            if later == 20 && by_page && (!ends || revoked["sub"] == "alice-at-staff") {
                continue;
            }
            let got = if by_page { browser.navigate(PAGE) } else { browser.post("/.auth/refresh") };
            assert_eq!(got.exchanged.is_none(), ends, "{shown} {got:?}");
            match (ends, by_page) {
                (true, true) => {
                    assert_eq!(got.status, Some(302), "{shown}");
                    assert!(got.location().starts_with("https://login.example/authorize?"), "{shown}");
                }
                (true, false) => is(&got, 401, "session_ended"),
                (false, _) => assert_eq!(got.reason, "session_renewed", "{shown}"),
            }
            assert_eq!(!browser.names().contains(&SESSION[1]), ends, "{shown}");
        }
    }
    *provider.change.borrow_mut() = None;
}

#[test]
fn a_sealed_cookie_that_does_not_open_takes_no_token() {
    let (site, provider) = (site(json!({})), Provider::new());
    let mut browser = Browser::new(&site, &provider, START);
    browser.open(PAGE, "alice");
    browser.jar.get_mut(SESSION[1]).unwrap().0 = "x".to_owned();
    is(&browser.post("/.auth/refresh"), 401, "session_missing");
    is(&browser.send("GET", PAGE, &[]), None, "allowed_by_rule");
}

#[test]
fn a_flow_of_a_clock_that_is_a_little_ahead_is_finished() {
    let (site, provider) = (site(json!({})), Provider::new());
    for (ahead, reason) in [(60, "session_started"), (61, "sign_in_state_unknown")] {
        let mut browser = Browser::new(&site, &provider, START + ahead);
        let start = browser.navigate(PAGE);
        browser.now = START;
        let back = browser.navigate(&path_of(&provider.sign_in(start.location(), "alice")));
        assert_eq!(back.reason, reason, "{ahead}");
    }
}

#[test]
fn a_token_of_a_few_seconds_is_renewed_at_its_page_and_never_in_circles() {
    let (site, provider) = (site(json!({})), Provider::new());
    provider.lifetime.set(10);
    let mut browser = Browser::new(&site, &provider, START);
    is(&browser.open(PAGE, "alice"), None, "allowed_by_rule");
    browser.now += 10;
    is(&browser.navigate(PAGE), 302, "session_renewed");
    is(&browser.navigate(PAGE), None, "allowed_by_rule");
    // Another page has a marker of its own.
    browser.now += 10;
    is(&browser.open("/users/alice/b", "nobody"), None, "allowed_by_rule");
    // A browser that keeps no token is renewed once, and then told so.
    let mut browser = Browser::new(&site, &provider, START);
    browser.keeps = |name| name != SESSION[0];
    is(&browser.open(PAGE, "alice"), 401, "session_not_kept");
    // One that keeps the sealed cookie of before is not led round either.
    let mut browser = Browser::new(&site, &provider, START);
    browser.open(PAGE, "alice");
    let old = browser.jar[SESSION[1]].clone();
    browser.now += 20;
    browser.open(PAGE, "alice");
    browser.now += 20;
    browser.jar.insert(SESSION[1].to_owned(), old);
    browser.keeps = |name| !name.starts_with(SESSION[0]);
    for _ in 0..3 {
        let reason = browser.open(PAGE, "alice").reason;
        assert_eq!(reason, "session_not_kept");
    }
}

#[test]
fn how_long_ago_a_person_signed_in_is_checked_in_the_answer() {
    let site = site(json!({"authorization_parameters": {"max_age": "600"}}));
    for (at, reason) in [
        (Some(json!(START)), "session_started"),
        (Some(json!(START - 600)), "session_started"),
        (Some(json!(START - 700)), "sign_in_id_token_refused"),
        (Some(json!("now")), "sign_in_id_token_refused"),
        (None, "sign_in_id_token_refused"),
    ] {
        let provider = Provider::new();
        let time = at.clone();
        *provider.change.borrow_mut() = Some(Box::new(move |answer| {
            if let Some(at) = &time {
                answer.identity["auth_time"] = at.clone();
            }
        }));
        let mut browser = Browser::new(&site, &provider, START);
        let start = browser.navigate(PAGE);
        // The person takes it out of the address.
        let location = start.location().replace("&max_age=600", "");
        assert_ne!(location, start.location());
        let got = browser.navigate(&path_of(&provider.sign_in(&location, "alice")));
        assert_eq!(got.reason, reason, "{at:?}");
        if reason == "session_started" {
            // A renewal is of the same sign-in.
            browser.now += 3_700;
            is(&browser.navigate(PAGE), 302, "session_renewed");
        }
    }
}

#[test]
fn who_is_signed_in_does_not_depend_on_another_token_beside_the_session() {
    let (site, provider) = (site(json!({})), Provider::new());
    let mut browser = Browser::new(&site, &provider, START);
    browser.open(PAGE, "alice");
    let told = browser.send("GET", "/.auth/session", &[("authorization", "Bearer a.b.c")]);
    assert_eq!(told.json()["subject"], "alice");
    // Elsewhere, two tokens are one too many.
    is(&browser.send("GET", PAGE, &[("authorization", "Bearer a.b.c")]), 400, "credential_repeated");
    let mut other = Browser::new(&site, &provider, START);
    let (token, _) = browser.jar[SESSION[0]].clone();
    let told = other.send("GET", "/.auth/session", &[("authorization", &format!("Bearer {token}"))]);
    assert_eq!(told.json()["signed_in"], false);
}

#[test]
fn an_id_token_that_is_too_long_for_an_address_is_left_out() {
    let (site, provider) = (site(json!({"id_token_hint": true})), Provider::new());
    for (length, has_hint) in [(100, true), (3_500, false)] {
        *provider.change.borrow_mut() =
            Some(Box::new(move |answer| answer.identity["x"] = "x".repeat(length).into()));
        let mut browser = Browser::new(&site, &provider, START);
        is(&browser.open(PAGE, "alice"), None, "allowed_by_rule");
        let got = browser.post("/.auth/sign-out");
        is(&got, 303, "session_ended_by_user");
        assert_eq!(got.location().contains("id_token_hint="), has_hint, "{length}");
        assert!(got.location().contains("post_logout_redirect_uri=") && got.location().len() <= 4_000);
    }
}

#[test]
fn a_provider_that_does_not_answer_ends_nothing() {
    let (site, provider) = (site(json!({})), Provider::new());
    let mut browser = Browser::new(&site, &provider, START);
    let start = browser.navigate(PAGE);
    provider.is_down.set(true);
    let got = browser.navigate(&path_of(&provider.sign_in(start.location(), "alice")));
    is(&got, 503, "sign_in_provider_unavailable");
    assert_eq!(got.header("retry-after"), Some("10"));
    assert!(got.header("content-type").unwrap().starts_with("text/html"));
    assert!(got.body.contains("href=\"https://files.example.com/users/alice/a.html\""));
    provider.is_down.set(false);
    is(&browser.open(PAGE, "alice"), None, "allowed_by_rule");
    browser.now += 3_700;
    provider.is_down.set(true);
    is(&browser.navigate(PAGE), 503, "sign_in_provider_unavailable");
    is(&browser.post("/.auth/refresh"), 503, "sign_in_provider_unavailable");
    provider.is_down.set(false);
    is(&browser.navigate(PAGE), 302, "session_renewed");
}

#[test]
fn a_page_asks_who_is_signed_in_and_for_a_new_token() {
    let (site, provider) = (site(json!({})), Provider::new());
    let mut browser = Browser::new(&site, &provider, START);
    let told = browser.send("GET", "/.auth/session", &[]);
    is(&told, 200, "session_told");
    assert_eq!(told.json(), json!({"signed_in": false, "renewable": false}));
    is(&browser.post("/.auth/refresh"), 401, "session_missing");
    browser.open(PAGE, "alice");
    let told = browser.send("GET", "/.auth/session", &[]);
    assert_eq!(
        told.json(),
        json!({"signed_in": true, "subject": "alice", "issuer": "staff", "expires_at": START + 3_600,
            "renewable": true, "session_ends_at": START + 43_200})
    );
    assert_eq!(told.header("cross-origin-resource-policy"), Some("same-origin"));
    assert_eq!(told.header("access-control-allow-origin"), None);
    browser.now += 3_700;
    let told = browser.send("GET", "/.auth/session", &[]);
    let expected = json!({"signed_in": false, "renewable": true, "session_ends_at": START + 43_200});
    assert_eq!(told.json(), expected);
    let renewed = browser.post("/.auth/refresh");
    is(&renewed, 200, "session_renewed");
    assert_eq!(renewed.json()["expires_at"], START + 3_700 + 3_600);
    is(&browser.send("GET", PAGE, &[]), None, "allowed_by_rule");
    browser.now = START + 43_199;
    browser.jar.values_mut().for_each(|(_, end)| *end += 100);
    browser.now += 1;
    let ended = browser.post("/.auth/refresh");
    is(&ended, 401, "session_ended");
    assert_eq!(ended.json()["reason"], "session_ended");
    assert!(browser.names().is_empty());
}

#[test]
fn only_an_own_page_gets_a_new_token_or_signs_out() {
    let (site, provider) = (site(json!({})), Provider::new());
    let mut browser = Browser::new(&site, &provider, START);
    browser.open(PAGE, "alice");
    let before = browser.jar.clone();
    for origin in
        ["https://app.example.com", "https://evil.example", "null", "https://files.example.com:8443"]
    {
        for path in ["/.auth/refresh", "/.auth/sign-out"] {
            let got = browser.send("POST", path, &[("origin", origin)]);
            is(&got, 403, "sign_in_cross_site");
            assert_eq!(got.header("access-control-allow-origin"), None);
        }
    }
    is(&browser.send("POST", "/.auth/refresh", &[]), 403, "sign_in_cross_site");
    for site in ["cross-site", "same-site", "none"] {
        let link = [NAVIGATION[0], NAVIGATION[1], NAVIGATION[2], ("sec-fetch-site", site)];
        let got = browser.send("GET", "/.auth/sign-out", &link);
        is(&got, 403, "sign_in_cross_site");
        assert!(got.body.contains("<form method=\"post\" action=\"/.auth/sign-out\">"));
        assert_eq!(got.header("referrer-policy"), Some("same-origin"));
    }
    assert_eq!(browser.jar, before);
    for (method, path, allow) in [
        ("POST", "/.auth/callback", "GET"),
        ("HEAD", "/.auth/session", "GET"),
        ("GET", "/.auth/refresh", "POST"),
        ("DELETE", "/.auth/sign-out", "GET, POST"),
        ("OPTIONS", "/.auth/refresh", "POST"),
    ] {
        let preflight = [("origin", "https://app.example.com"), ("access-control-request-method", "POST")];
        let got = browser.send(method, path, &preflight);
        is(&got, 405, "method_not_allowed");
        assert_eq!((got.header("allow"), got.header("access-control-allow-origin")), (Some(allow), None));
    }
}

#[test]
fn a_person_signs_out_here_and_at_the_provider() {
    for (change, address) in [
        (
            json!({}),
            "https://login.example/logout?client_id=files-web&post_logout_redirect_uri=https%3A%2F%2Ffiles.example.com%2F.auth%2Fsigned-out",
        ),
        (
            json!({"end_session": "cognito"}),
            "https://login.example/logout?client_id=files-web&logout_uri=https%3A%2F%2Ffiles.example.com%2F.auth%2Fsigned-out",
        ),
        (json!({"end_session_endpoint": null}), "https://files.example.com/.auth/signed-out"),
    ] {
        let (site, provider) = (site(change), Provider::new());
        let mut browser = Browser::new(&site, &provider, START);
        browser.open(PAGE, "alice");
        browser.navigate("/users/alice/other?x");
        let got = browser.post("/.auth/sign-out");
        is(&got, 303, "session_ended_by_user");
        assert_eq!(got.location(), address);
        assert!(browser.names().is_empty(), "{:?}", browser.names());
        // Not refused as one that did not keep its session.
        is(&browser.navigate(PAGE), 302, "token_missing");
        let out = browser.navigate("/.auth/signed-out");
        is(&out, 200, "signed_out_told");
    }
}

#[test]
fn the_id_token_is_kept_for_the_sign_out_if_the_policy_says_so() {
    for session_token in ["access_token", "id_token"] {
        let document = json!({"id_token_hint": true, "session_token": session_token});
        let mut policy = super::site::document(document);
        policy["issuers"][0]["audience"] = json!(["files", "files-web"]);
        let (site, provider) = (super::site::authorizer_of(policy), Provider::new());
        let mut browser = Browser::new(&site, &provider, START);
        is(&browser.open(PAGE, "alice"), None, "allowed_by_rule");
        let link = [NAVIGATION[0], NAVIGATION[1], NAVIGATION[2], ("sec-fetch-site", "same-origin")];
        let got = browser.send("GET", "/.auth/sign-out", &link);
        is(&got, 303, "session_ended_by_user");
        let (_, query) = got.location().split_once('?').unwrap();
        assert_eq!(parameters(query)["id_token_hint"].matches('.').count(), 2, "{session_token}");
    }
}

#[test]
fn a_long_token_is_kept_in_pieces_and_a_short_one_after_it_leaves_none() {
    let (site, provider) = (site(json!({})), Provider::new());
    let mut browser = Browser::new(&site, &provider, START);
    *provider.change.borrow_mut() = Some(Box::new(|answer| answer.access["x"] = "x".repeat(6_000).into()));
    is(&browser.open(PAGE, "alice"), None, "allowed_by_rule");
    let pieces = ["__Host-session.0", "__Host-session.1", "__Host-session.2"];
    assert!(pieces.iter().all(|name| browser.names().contains(name)), "{:?}", browser.names());
    *provider.change.borrow_mut() = None;
    browser.now += 3_700;
    is(&browser.open(PAGE, "alice"), None, "allowed_by_rule");
    assert!(!pieces.iter().any(|name| browser.names().contains(name)), "{:?}", browser.names());
    *provider.change.borrow_mut() = Some(Box::new(|answer| answer.access["x"] = "x".repeat(9_500).into()));
    browser.now += 3_700;
    is(&browser.open(PAGE, "alice"), 403, "sign_in_token_refused");
}

#[test]
fn a_browser_that_drops_the_session_does_not_go_round() {
    let (site, provider) = (site(json!({})), Provider::new());
    let mut browser = Browser::new(&site, &provider, START);
    browser.keeps = |name| !name.starts_with("__Host-session");
    let got = browser.open(PAGE, "alice");
    is(&got, 401, "session_not_kept");
    assert!(got.header("www-authenticate").is_some());
    // Whoever tries again is sent to sign in again.
    is(&browser.navigate(PAGE), 302, "token_missing");
    browser.keeps = |_| false;
    is(&browser.open(PAGE, "alice"), 400, "sign_in_state_unknown");
    // A token that expires at once.
    let mut browser = Browser::new(&site, &provider, START);
    provider.lifetime.set(1);
    browser.open(PAGE, "alice");
    browser.now += 5;
    let got = browser.open(PAGE, "alice");
    assert!([None, Some(401)].contains(&got.status), "{got:?}");
}

#[test]
fn an_application_that_brings_its_own_token_is_not_touched() {
    let (site, provider) = (site(json!({})), Provider::new());
    let mut browser = Browser::new(&site, &provider, START);
    browser.open(PAGE, "alice");
    let (token, _) = browser.jar["__Host-session"].clone();
    let bearer = format!("Bearer {token}");
    let mut other = Browser::new(&site, &provider, START);
    is(&other.send("GET", PAGE, &[("authorization", &bearer)]), None, "allowed_by_rule");
    let mut page = NAVIGATION.to_vec();
    page.push(("authorization", "Bearer a.b.c"));
    is(&other.send("GET", PAGE, &page), 401, "token_malformed");
}

#[test]
fn a_key_is_replaced_without_a_sign_in() {
    let provider = Provider::new();
    let old = site(json!({}));
    let key = |byte: u8| {
        use base64::Engine as _;
        json!({"value": base64::engine::general_purpose::URL_SAFE_NO_PAD.encode([byte; 32])})
    };
    let new = site(json!({"cookie_key": key(8), "previous_cookie_key": key(7)}));
    let newest = site(json!({"cookie_key": key(9), "previous_cookie_key": key(8)}));
    let mut browser = Browser::new(&old, &provider, START);
    browser.open(PAGE, "alice");
    let first = browser.jar.clone();
    browser.site = &new;
    is(&browser.post("/.auth/refresh"), 200, "session_renewed");
    browser.site = &newest;
    is(&browser.post("/.auth/refresh"), 200, "session_renewed");
    browser.jar = first;
    is(&browser.post("/.auth/refresh"), 401, "session_missing");
}

#[test]
fn the_token_endpoint_is_asked_as_the_client_is_registered() {
    let secret = |text: &str| {
        use base64::Engine as _;
        json!({"value": base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)})
    };
    let asked = |change: serde_json::Value| {
        let (site, provider) = (site(change), Provider::new());
        let mut browser = Browser::new(&site, &provider, START);
        let start = browser.navigate(PAGE);
        let target = path_of(&provider.sign_in(start.location(), "alice"));
        let sent = super::site::Sent {
            method: "GET",
            target,
            headers: vec![("cookie".to_owned(), browser.cookie())],
        };
        let event = sent.event(9);
        let needed = site.authorize_or_ask(&event, authorizer_core::UnixTime::from_seconds(START));
        let Err(authorizer_core::Needed::Tokens(request)) = needed else { panic!("{needed:?}") };
        assert!(!format!("{request:?}").contains(request.body()));
        (request.authorization().map(str::to_owned), parameters(request.body()))
    };
    let (authorization, body) = asked(json!({}));
    assert_eq!((authorization, body["client_id"].as_str()), (None, "files-web"));
    // RFC 6749 section 2.3.1, with characters that a form encodes.
    let (authorization, body) =
        asked(json!({"client_secret": secret("a b:c/d%+~"), "client_authentication": "client_secret_basic"}));
    // base64 of files-web:a+b%3Ac%2Fd%25%2B~
    assert_eq!(authorization.as_deref(), Some("Basic ZmlsZXMtd2ViOmErYiUzQWMlMkZkJTI1JTJCfg=="));
    assert!(!body.contains_key("client_id") && !body.contains_key("client_secret"));
    let (authorization, body) =
        asked(json!({"client_secret": secret("s&t"), "client_authentication": "client_secret_post"}));
    assert_eq!((authorization, body["client_secret"].as_str()), (None, "s&t"));
    // RFC 7515 appendix A.3.
    let jwk = json!({"kty": "EC", "crv": "P-256", "kid": "k9",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
    let mut private = jwk.clone();
    private["d"] = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI".into();
    let (authorization, body) = asked(json!({"client_key": secret(&private.to_string())}));
    assert_eq!(authorization, None);
    assert_eq!(body["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    let key =
        jsonwebtoken::DecodingKey::from_ec_components(jwk["x"].as_str().unwrap(), jwk["y"].as_str().unwrap());
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::ES256);
    // The issuer's identifier, and nothing else (RFC 7523bis, FAPI 2).
    validation.set_audience(&["https://login.example/"]);
    validation.validate_exp = false;
    let assertion = body["client_assertion"].as_str();
    let read = jsonwebtoken::decode::<serde_json::Value>(assertion, &key.unwrap(), &validation).unwrap();
    assert_eq!(read.header.kid.as_deref(), Some("k9"));
    assert_eq!(
        (read.claims["iss"].as_str(), read.claims["sub"].as_str()),
        (Some("files-web"), Some("files-web"))
    );
    assert_eq!(read.claims["aud"], "https://login.example/");
    assert_eq!(read.claims["exp"], START + 60);
    assert!(read.claims["jti"].as_str().unwrap().len() >= 32);
}
