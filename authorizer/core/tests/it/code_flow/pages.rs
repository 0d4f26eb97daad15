//! The pages that the function shows itself, and the address that starts a sign-in.

use serde_json::json;

use super::browser::{Browser, NAVIGATION, path_of};
use super::provider::{Provider, parameters};
use super::site::{Got, START, site};

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
