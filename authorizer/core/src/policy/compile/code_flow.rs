//! `[sign_in]` with `issuer`: the code flow.

mod authorization;
mod client;
mod cookies;
mod endpoints;
mod issuer;
mod paths;
mod secret;
#[cfg(test)]
mod testing;

use std::ops::RangeInclusive;

use self::authorization::{check_enforced, check_parameters, check_scopes};
use self::client::{check_client_id, compile_client};
use self::cookies::{check_cookie, compile_cookie_keys};
use self::endpoints::{OF_AUTHORIZATION, OF_END, OF_TOKENS, check_end_session, compile_endpoint};
use self::issuer::{check_session_token, find_issuer};
use self::paths::check_paths;
use super::super::document::{CodeFlowDocument, PolicyDocument};
use super::super::problem::{Place, Problems};
use crate::sign_in::code_flow::{CodeFlow, is_origin};

/// From five minutes to thirty days.
const SESSION_SECONDS: RangeInclusive<u32> = 300..=2_592_000;

pub(super) fn compile_code_flow(
    document: &CodeFlowDocument,
    policy: &PolicyDocument,
    problems: &mut Problems,
) -> Option<CodeFlow> {
    let place = Place::member("sign_in");
    let issuer = find_issuer(document, policy, &place, problems);
    check_client_id(document, &place, problems);
    check_origin(document, &place, problems);
    check_scopes(document, &place, problems);
    let authorization_endpoint = compile_endpoint(
        "authorization_endpoint",
        &document.authorization_endpoint,
        &OF_AUTHORIZATION,
        &place,
        problems,
    );
    let trusted = issuer.and_then(|index| policy.issuers.get(index));
    check_parameters(document, authorization_endpoint.as_ref(), &place, problems);
    check_enforced(document, authorization_endpoint.as_ref(), trusted, &place, problems);
    let token_endpoint =
        compile_endpoint("token_endpoint", &document.token_endpoint, &OF_TOKENS, &place, problems);
    let end_session = document
        .end_session_endpoint
        .as_ref()
        .map(|text| compile_endpoint("end_session_endpoint", text, &OF_END, &place, problems));
    check_end_session(document, &place, problems);
    check_paths(document, &place, problems);
    check_session_seconds(document, &place, problems);
    check_cookie(policy, problems);
    if let Some((index, trusted)) = issuer.zip(trusted) {
        check_session_token(document, trusted, index, &place, problems);
    }
    let cookie_keys = compile_cookie_keys(document, &place, problems);
    let client_authentication = compile_client(document, &place, problems);
    Some(CodeFlow {
        issuer: issuer?,
        client_id: document.client_id.clone(),
        origin: document.origin.clone(),
        scopes: document.scopes.clone(),
        authorization_endpoint: authorization_endpoint?,
        authorization_parameters: document.authorization_parameters.clone(),
        token_endpoint: token_endpoint?,
        end_session: match end_session {
            None => None,
            Some(url) => Some((url?, document.end_session)),
        },
        id_token_hint: document.id_token_hint,
        response_iss: document.response_iss,
        session_token: document.session_token,
        redirect_path: document.redirect_path.clone(),
        sign_out_path: document.sign_out_path.clone(),
        refresh: document.refresh,
        session_seconds: document.session_seconds,
        cookie: policy.credentials.cookie.clone()?,
        cookie_keys: cookie_keys?,
        client_authentication: client_authentication?,
    })
}

fn check_origin(document: &CodeFlowDocument, place: &Place, problems: &mut Problems) {
    if !is_origin(&document.origin) {
        let bare = document.origin.strip_suffix('/').filter(|bare| is_origin(bare));
        problems.add(
            place.then("origin"),
            format!("`{}` is not the origin of a distribution", document.origin.escape_debug()),
            match bare {
                Some(bare) => format!("remove the slash at the end: write `{bare}`"),
                None => "write the distribution's own address, such as `https://files.example.com`, without a path \
                         (`http://` on this machine only)"
                    .to_owned(),
            },
        );
    }
}

fn check_session_seconds(document: &CodeFlowDocument, place: &Place, problems: &mut Problems) {
    if !SESSION_SECONDS.contains(&document.session_seconds) {
        problems.add(
            place.then("session_seconds"),
            format!("`session_seconds` cannot be {}", document.session_seconds),
            format!("use {} to {}", SESSION_SECONDS.start(), SESSION_SECONDS.end()),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::testing::{assert_problems, compile, document};

    #[test]
    fn a_flow_has_its_defaults() {
        let policy = compile(&document()).unwrap();
        let flow = policy.sign_in().unwrap().code_flow().unwrap();
        assert_eq!(flow.scopes(), ["openid"]);
        assert_eq!((flow.redirect_path(), flow.sign_out_path()), ("/.auth/callback", "/.auth/sign-out"));
        assert_eq!(flow.session_seconds(), 43_200);
        assert_eq!(flow.client_authentication().name(), "none");
        let shown = format!("{policy:?}");
        assert!(!shown.contains("BwcH") && !shown.contains("7, 7, 7"), "{shown}");
    }

    #[test]
    fn every_problem_of_the_flow_itself_is_found_at_its_place() {
        assert_problems(&[
            ("origin", json!("https://files.example.com/"), Some("sign_in.origin")),
            ("origin", json!("http://files.example.com"), Some("sign_in.origin")),
            ("origin", json!("http://localhost:8080"), None),
            ("session_seconds", json!(299), Some("sign_in.session_seconds")),
            ("session_seconds", json!(300), None),
            ("session_seconds", json!(2_592_000), None),
            ("session_seconds", json!(2_592_001), Some("sign_in.session_seconds")),
        ]);
    }
}
