//! Any bytes as the answer of the token endpoint: with tokens that no key of the issuer signed, nobody gets a session.
//!
//! The first byte is the status of the answer; the rest is its body.

use authorizer_core::Needed;
use authorizer_core::code_flow::TokenAnswer;

use crate::signing_in::{AUTHORIZER, FLOW, NOW, event, gives_no_session};

/// Checks the property; panics if it does not hold.
pub fn check(bytes: &[u8]) {
    let Some((status, body)) = bytes.split_first() else { return };
    let status = match status {
        b'2' => 200,
        b'4' => 400,
        b'5' => 503,
        other => u16::from(*other) * 4,
    };
    let query = format!("code=abc&state={}", FLOW.state);
    let event = event("GET", "/.auth/callback", &query, &[("cookie", &FLOW.cookie)]);
    let Err(Needed::Tokens(request)) = AUTHORIZER.authorize_or_ask(&event, NOW) else {
        panic!("the sign-in has begun, so the provider is asked")
    };
    // The keys are in the policy, so none are needed.
    let answer = TokenAnswer::Answered { status, body };
    let authorized = AUTHORIZER.take_tokens(&event, &request, answer, NOW).unwrap();
    gives_no_session(&authorized);
    let reason = &*authorized.record.reason;
    let expected = [
        "sign_in_code_refused",
        "sign_in_provider_error",
        "sign_in_provider_unavailable",
        "sign_in_answer_malformed",
        "sign_in_id_token_refused",
        "sign_in_token_refused",
    ];
    assert!(expected.contains(&reason), "{reason}");
}
