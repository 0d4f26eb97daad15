//! The pages that the function shows itself, and the address that starts a sign-in.

use serde_json::{Value, json};

use super::browser::{Browser, NAVIGATION, path_of};
use super::provider::{Provider, parameters};
use super::site::{Got, START, authorizer_of, document, site};

const PAGE: &str = "/users/alice/a.html";

/// The policy of a page against scripts and frames.
fn policy_of(got: &Got) -> Vec<&str> {
    let policy = got.header("content-security-policy").unwrap_or_else(|| panic!("{got:?}"));
    policy.split(';').map(str::trim).collect()
}

#[test]
fn no_page_of_the_function_runs_a_script_or_is_in_a_frame() {
    let (site, provider) = (site(json!({})), Provider::new());
    let mut browser = Browser::new(&site, &provider, START);
    let cross_site = [NAVIGATION[0], NAVIGATION[1], NAVIGATION[2], ("sec-fetch-site", "cross-site")];
    let pages = [
        browser.navigate("/.auth/signed-out"),
        browser.navigate("/.auth/callback?code=%3Cscript%3E&state=x"),
        browser.navigate("/.auth/callback?error=%3Cscript%3E&state=x"),
        browser.send("GET", "/.auth/sign-out", &cross_site),
    ];
    for got in &pages {
        assert!(got.header("content-type").unwrap().starts_with("text/html"), "{got:?}");
        for directive in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy_of(got).contains(&directive), "{got:?}");
        }
        assert!(!got.body.contains("<script"), "{got:?}");
        assert_eq!(got.header("cache-control"), Some("no-store"));
        // Another page does not learn the address, with a code in it.
        assert!(matches!(got.header("referrer-policy"), Some("no-referrer" | "same-origin")), "{got:?}");
    }
}

#[test]
fn the_page_of_a_refused_sign_in_says_what_somebody_who_helps_must_know() {
    let (site, provider) = (site(json!({})), Provider::new());
    let mut browser = Browser::new(&site, &provider, START);
    browser.navigate("/public");
    for (target, reason) in [
        ("/.auth/callback?code=a&state=x", "sign_in_state_unknown"),
        ("/.auth/callback", "sign_in_malformed"),
        ("/.auth/refresh", "method_not_allowed"),
    ] {
        let got = browser.navigate(target);
        assert_eq!(got.reason, reason);
        let id = browser.id();
        let shown = format!("<code>{reason}</code>, request <code>{id}</code>");
        assert!(got.body.contains(&shown), "{}", got.body);
    }
}

/// A refusal never says which rule would have helped.
#[test]
fn a_person_without_a_right_sees_a_page_that_is_the_same_for_every_reason() {
    let mut policy = document(json!({}));
    let rules = policy["rules"].as_array_mut().unwrap();
    rules.extend([
        json!({"id": "not-this", "effect": "deny", "methods": ["GET"], "keys": ["users/alice/no"]}),
        json!({"id": "scoped", "effect": "allow", "issuers": ["staff"], "methods": ["GET"], "keys": ["scoped/**"],
            "when": {"scope": {"has": "deep"}}}),
        json!({"id": "led", "effect": "allow", "issuers": ["staff"], "methods": ["GET"], "keys": ["led/**"],
            "when": {"role": {"any": ["lead"]}}}),
    ]);
    let (site, provider) = (authorizer_of(policy), Provider::new());
    let mut browser = Browser::new(&site, &provider, START);
    assert_eq!(browser.open(PAGE, "alice").reason, "allowed_by_rule");
    let mut bodies = Vec::new();
    for (target, reason) in [
        ("/users/bob/a.html", "key_not_allowed"),
        ("/users/alice/no", "denied_by_rule"),
        ("/scoped/a", "insufficient_scope"),
        ("/led/a", "condition_not_met"),
    ] {
        let got = browser.navigate(target);
        assert_eq!((got.status, got.reason.as_str()), (Some(403), reason), "{target}");
        assert_eq!(got.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(policy_of(&got).contains(&"default-src 'none'"));
        assert_eq!(got.header("cache-control"), Some("no-store"));
        let request = format!("<code>403 Forbidden</code>, request <code>{}</code>", browser.id());
        assert!(got.body.contains(&request), "{}", got.body);
        bodies.push(got.body.replace(&browser.id(), ""));
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    let text = browser.navigate("/users/bob/a.html?%3Cb%3Eevil=1").body;
    assert!(text.contains("400 Bad Request") && !text.contains("evil"), "{text}");
}

#[test]
fn only_a_browser_that_opens_a_page_where_people_sign_in_gets_one() {
    let provider = Provider::new();
    let with_flow = site(json!({}));
    let mut browser = Browser::new(&with_flow, &provider, START);
    browser.open(PAGE, "alice");
    let [accept, mode, document_, _] = NAVIGATION;
    let frame = ("sec-fetch-dest", "iframe");
    for (headers, media_type) in [
        (&[][..], "application/problem+json"),
        (&[("accept", "application/json")], "application/problem+json"),
        (&[accept], "application/problem+json"),
        (&[accept, ("sec-fetch-mode", "cors")], "application/problem+json"),
        (&[("accept", "*/*"), mode, document_], "application/problem+json"),
        (&[accept, mode, frame], "application/problem+json"),
        (&[accept, ("user-agent", "aws-sdk-js/3.700.0")], "application/xml"),
        (&[accept, mode, ("user-agent", "aws-sdk-js/3.700.0")], "text/html; charset=utf-8"),
        (&[accept, mode, document_], "text/html; charset=utf-8"),
    ] {
        let got = browser.send("GET", "/users/bob/a.html", headers);
        assert_eq!((got.status, got.reason.as_str()), (Some(403), "key_not_allowed"));
        assert_eq!(got.header("content-type"), Some(media_type), "{headers:?}");
    }
    let mut without_flow = document(json!({}));
    without_flow.as_object_mut().unwrap().remove("sign_in");
    let without_flow: Value = without_flow;
    let site = authorizer_of(without_flow);
    let got = Browser::new(&site, &provider, START).navigate("/users/bob/a.html");
    assert_eq!((got.status, got.header("content-type")), (Some(401), Some("application/problem+json")));
}

/// RFC 9700 sections 2.1.1 and 4.8: `state`, `nonce` and the challenge of a sign-in are new each time, and never `plain`.
#[test]
fn each_sign_in_has_a_state_a_nonce_and_a_challenge_of_its_own() {
    let (site, provider) = (site(json!({})), Provider::new());
    let mut browser = Browser::new(&site, &provider, START);
    let starts = [browser.navigate(PAGE), browser.navigate(PAGE)];
    let asked: Vec<_> =
        starts.iter().map(|start| parameters(start.location().split_once('?').unwrap().1)).collect();
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(asked[0][name], asked[1][name], "{name}");
        // 256 bits.
        assert!(asked.iter().all(|asked| asked[name].len() == 43), "{name}");
    }
    for asked in &asked {
        assert_eq!(
            (asked["code_challenge_method"].as_str(), asked["response_type"].as_str()),
            ("S256", "code")
        );
    }
    // Each is finished with its own.
    for start in starts.iter().rev() {
        let got = browser.navigate(&path_of(&provider.sign_in(start.location(), "alice")));
        assert_eq!(got.reason, "session_started");
    }
}
