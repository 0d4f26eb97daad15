//! The provider's endpoints.

use super::super::super::document::CodeFlowDocument;
use super::super::super::problem::{Place, Problems};
use crate::fetch_url::FetchUrl;

/// What the flow writes into the query of the authorization endpoint (RFC 6749 section 4.1.1, RFC 7636 section 4.3, OpenID
/// Connect Core 1.0 section 3.1.2.1), and what would change how the provider reads or answers it (RFC 9101 section 5).
pub(super) const OF_AUTHORIZATION: [&str; 11] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "response_mode",
    "request",
    "request_uri",
];

/// What the flow sends to the token endpoint (RFC 6749 sections 2.3.1, 4.1.3 and 6, RFC 7521 section 4.2, RFC 7636 section
/// 4.5). RFC 6749 section 3.2 allows a query in that address, and no parameter twice.
pub(super) const OF_TOKENS: [&str; 10] = [
    "grant_type",
    "code",
    "redirect_uri",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "code_verifier",
    "refresh_token",
    "scope",
];

/// What the flow sends to the end of a session (OpenID Connect RP-Initiated Logout 1.0 section 2), and to Cognito's.
pub(super) const OF_END: [&str; 4] = ["client_id", "id_token_hint", "post_logout_redirect_uri", "logout_uri"];

/// An address of the provider's metadata. It may have a query, but not with what the flow adds to it.
pub(super) fn compile_endpoint(
    member: &'static str,
    text: &str,
    added: &[&str],
    place: &Place,
    problems: &mut Problems,
) -> Option<FetchUrl> {
    let place = place.then(member);
    match FetchUrl::parse(text) {
        Err(error) => {
            problems.add(
                place,
                format!("`{}`: {error}", text.escape_debug()),
                format!(
                    "write the `{member}` of the provider's metadata, with `https://`; plain `http://` is for loopback \
                     addresses"
                ),
            );
            None
        }
        Ok(url) => {
            if let Some(name) = parameters_of(&url).find(|name| added.contains(name)) {
                problems.add(
                    place,
                    format!("the query of this address has `{name}`, which the sign-in adds itself"),
                    format!("write the `{member}` of the provider's metadata, without that parameter"),
                );
            }
            Some(url)
        }
    }
}

/// The names in the query of an address, as they are written.
pub(super) fn parameters_of(url: &FetchUrl) -> impl Iterator<Item = &str> {
    let query = url.uri().query().unwrap_or_default();
    query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name))
}

/// What only means something with `end_session_endpoint`.
pub(super) fn check_end_session(document: &CodeFlowDocument, place: &Place, problems: &mut Problems) {
    if document.end_session_endpoint.is_some() {
        return;
    }
    for (member, is_set) in [
        ("end_session", document.end_session != Default::default()),
        ("id_token_hint", document.id_token_hint),
    ] {
        if is_set {
            problems.add(
                place.then(member),
                format!("`{member}` is about `end_session_endpoint`, which is not there"),
                "add `end_session_endpoint`, or remove this",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::assert_problems;

    #[test]
    fn every_problem_of_an_endpoint_is_found_at_its_place() {
        assert_problems(&[
            (
                "authorization_endpoint",
                json!("http://login.example.com/a"),
                Some("sign_in.authorization_endpoint"),
            ),
            (
                "authorization_endpoint",
                json!("https://a.example/a?state=b"),
                Some("sign_in.authorization_endpoint"),
            ),
            (
                "authorization_endpoint",
                json!("https://a.example/a?b&nonce"),
                Some("sign_in.authorization_endpoint"),
            ),
            (
                "authorization_endpoint",
                json!("https://a.example/a#b"),
                Some("sign_in.authorization_endpoint"),
            ),
            ("token_endpoint", json!("login.example.com/token"), Some("sign_in.token_endpoint")),
            ("token_endpoint", json!("https://a.example/token?p=b2c_1"), None),
            ("token_endpoint", json!("https://a.example/token?code=b"), Some("sign_in.token_endpoint")),
            ("token_endpoint", json!("http://127.0.0.1:4000/token"), None),
            ("end_session_endpoint", json!("ftp://a.example"), Some("sign_in.end_session_endpoint")),
            (
                "end_session_endpoint",
                json!("https://a.example/?client_id=b"),
                Some("sign_in.end_session_endpoint"),
            ),
            ("end_session_endpoint", json!("https://a.example/logout"), None),
            ("end_session", json!("cognito"), Some("sign_in.end_session")),
            ("id_token_hint", json!(true), Some("sign_in.id_token_hint")),
        ]);
    }
}
