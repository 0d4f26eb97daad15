//! Any request, with any cookies: without the provider's tokens it gives nobody a session, and the provider is asked
//! only for a sign-in that the function has begun in this browser.
//!
//! The input is the method, a space and the path with its query; and on each further line a header, `name: value`. In
//! it, `{flow}` is the cookie of a sign-in that has begun, and `{state}` its state.

use authorizer_core::Needed;
use authorizer_core::code_flow::{Grant, TokenAnswer};

use crate::signing_in::{AUTHORIZER, FLOW, NOW, event, gives_no_session};

/// Checks the property; panics if it does not hold. Returns whether the provider would be asked.
pub fn check(text: &str) -> bool {
    let text = text.replace("{flow}", &FLOW.cookie).replace("{state}", &FLOW.state);
    let mut lines = text.split('\n');
    let Some((method, target)) = lines.next().and_then(|line| line.split_once(' ')) else { return false };
    let (uri, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<_> = lines.filter_map(|line| line.split_once(": ")).collect();
    let event = event(method, uri, query, &headers);
    match AUTHORIZER.authorize_or_ask(&event, NOW) {
        Ok(authorized) => {
            gives_no_session(&authorized);
            false
        }
        Err(Needed::Keys(keys)) => panic!("{keys:?}: they are in the policy"),
        Err(Needed::Tokens(request)) => {
            // Nothing that was made up opens, so there is no refresh token.
            assert_eq!(request.grant(), Grant::AuthorizationCode);
            assert!(text.contains(&FLOW.cookie) && query.contains(&FLOW.state), "{text}");
            assert!(request.body().bytes().all(|byte| byte.is_ascii_graphic()), "{}", request.body());
            for answer in [
                TokenAnswer::Nothing,
                TokenAnswer::Answered { status: 400, body: br#"{"error":"invalid_grant"}"# },
                TokenAnswer::Answered { status: 200, body: b"{}" },
            ] {
                gives_no_session(&AUTHORIZER.take_tokens(&event, &request, answer, NOW).unwrap());
            }
            // A caller that cannot ask gives no session either.
            gives_no_session(&AUTHORIZER.authorize(&event, NOW));
            true
        }
    }
}
