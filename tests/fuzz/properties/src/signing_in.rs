//! A distribution where people sign in, for the two targets about that: its policy, a sign-in that has begun, and what
//! holds of every answer.

use std::sync::LazyLock;

use authorizer_core::outcome::Outcome;
use authorizer_core::{Authorized, Authorizer, Bundle, UnixTime};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub(crate) const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

/// What CloudFront takes of an answer of a viewer-request function.
const MOST_BYTES: usize = 40 * 1024;

/// Where an answer may lead: to the provider, and to the distribution itself.
const LEADS_TO: [&str; 3] =
    ["https://login.example/authorize?", "https://login.example/logout?", "https://files.example/"];

pub(crate) static AUTHORIZER: LazyLock<Authorizer> = LazyLock::new(|| {
    let document = json!({
        "version": 1,
        "issuers": [{"name": "a", "issuer": "https://login.example/", "audience": ["a"], "algorithms": ["EdDSA"],
            // RFC 8037 appendix A.2.
            "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}}],
        "credentials": {"cookie": "__Host-session"},
        "sign_in": {
            "issuer": "a", "client_id": "web", "origin": "https://files.example", "refresh": true,
            "authorization_endpoint": "https://login.example/authorize", "id_token_hint": true,
            "token_endpoint": "https://login.example/token",
            "end_session_endpoint": "https://login.example/logout",
            "cookie_key": {"value": BASE64_URL_SAFE_NO_PAD.encode([7; 32])},
        },
        "rules": [{"id": "r", "effect": "allow", "methods": ["GET", "PUT"], "keys": ["{sub}/**"]}],
    });
    let bundle = Bundle::write(&serde_json::from_value(document).unwrap()).unwrap();
    Authorizer::new(Bundle::read(&bundle).unwrap())
});

/// A sign-in that the function has begun.
#[derive(Debug)]
pub(crate) struct Flow {
    /// `NAME=VALUE` of its cookie.
    pub(crate) cookie: String,
    /// Its `state`.
    pub(crate) state: String,
}

pub(crate) static FLOW: LazyLock<Flow> = LazyLock::new(|| {
    let headers = [("accept", "text/html"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    let event = event("GET", "/a/page.html", "", &headers);
    let answer = serde_json::to_value(AUTHORIZER.authorize(&event, NOW).outcome).unwrap();
    let places = lines(&answer, "location");
    let (_, query) = places[0].split_once('?').unwrap();
    let state = query.split('&').find_map(|pair| pair.strip_prefix("state=")).unwrap();
    let cookies = lines(&answer, "set-cookie");
    let cookie = cookies.iter().find(|line| line.starts_with("__Host-authorizer-flow-")).unwrap();
    Flow { cookie: cookie.split(';').next().unwrap().to_owned(), state: state.to_owned() }
});

/// The event of a request.
pub(crate) fn event(method: &str, uri: &str, query: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut all = serde_json::Map::new();
    for (name, value) in [("host", "files.example")].iter().chain(headers) {
        let lines = all.entry((*name).to_owned()).or_insert_with(|| json!([]));
        lines.as_array_mut().unwrap().push(json!({"key": name, "value": value}));
    }
    json!({"Records": [{"cf": {
        "config": {"distributionDomainName": "d111111abcdef8.cloudfront.net", "distributionId": "EDFDVBD6EXAMPLE",
            "eventType": "viewer-request", "requestId": "r1"},
        "request": {"clientIp": "203.0.113.178", "method": method, "uri": uri, "querystring": query,
            "headers": all}
    }}]})
    .to_string()
    .into_bytes()
}

/// Checks that the answer gives nobody a session, leads nowhere else, and is small enough for CloudFront.
pub(crate) fn gives_no_session(authorized: &Authorized<'_>) {
    let record = &authorized.record;
    assert!(
        !["session_started", "session_renewed", "allowed_by_rule"].contains(&&*record.reason),
        "{record:?}"
    );
    assert!(matches!(authorized.outcome, Outcome::Respond(_)), "{record:?}");
    let answer = serde_json::to_value(&authorized.outcome).unwrap();
    assert!(answer.to_string().len() <= MOST_BYTES);
    for line in lines(&answer, "set-cookie") {
        let (name, rest) = line.split_once('=').unwrap();
        assert!(name.starts_with("__Host-") && rest.contains("; Secure"), "{line}");
        assert!(!line.contains(['\r', '\n']), "{line}");
        // The session's cookies are only cleared.
        let is_cleared = rest.starts_with(';') && rest.contains("Max-Age=0");
        assert!(!name.starts_with("__Host-session") || is_cleared, "{line}");
    }
    for place in lines(&answer, "location") {
        let is_path = place.starts_with('/') && !place.starts_with("//") && !place.contains('\\');
        assert!(is_path || LEADS_TO.iter().any(|start| place.starts_with(start)), "{place}");
        assert!(place.bytes().all(|byte| byte.is_ascii_graphic()), "{place}");
    }
}

/// The values of a header of an answer.
fn lines(answer: &Value, name: &str) -> Vec<String> {
    let lines = answer["headers"][name].as_array().map(Vec::as_slice).unwrap_or_default();
    lines.iter().map(|line| line["value"].as_str().unwrap().to_owned()).collect()
}
