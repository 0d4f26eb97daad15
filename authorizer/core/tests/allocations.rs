//! The allocations of a decision: what goes back and into the log, and little more.
//!
//! A separate test binary, because counting needs a global allocator, which would slow down every other test in the
//! binary. The policies and requests are those of the benches, which are written for the root of a crate.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "../benches/decision/outcomes.rs"]
mod outcomes;
#[path = "../benches/decision/policies.rs"]
mod policies;
#[path = "../benches/decision/requests.rs"]
mod requests;
#[path = "it/signer.rs"]
mod signer;

use allocation_counter::{AllocationInfo, measure};
use authorizer_core::token::SignatureAlgorithm;
use authorizer_core::{Authorizer, UnixTime};

use policies::{authorizer, policy, rules};
use requests::{NOW, claims, event};
use signer::Signer;

fn of_decision(authorizer: &Authorizer, event: &[u8]) -> AllocationInfo {
    let info = measure(|| {
        let authorized = authorizer.authorize(event, UnixTime::from_seconds(NOW));
        // So that the compiler does not remove it.
        std::hint::black_box(&authorized);
    });
    let authorized = authorizer.authorize(event, UnixTime::from_seconds(NOW));
    let reason = authorized.record.reason;
    println!("{reason:<24} {:>3} allocations, {:>5} bytes", info.count_total, info.bytes_total);
    info
}

#[test]
fn a_token_that_comes_again_costs_few_allocations_and_as_many_in_a_large_policy() {
    let signer = Signer::new(SignatureAlgorithm::EdDsa);
    let token = signer.sign("k1", "at+jwt", &claims("alice", 0));
    let event = event("GET", "/users/alice/photos/a.jpg", Some(&token));
    let [small, large] = [10, 10_000].map(|count| {
        let authorizer = authorizer(&policy(SignatureAlgorithm::EdDsa, &signer.jwk("k1"), rules(count)));
        let first = of_decision(&authorizer, &event);
        let again = of_decision(&authorizer, &event);
        assert!(again.count_total < first.count_total, "the token was not remembered");
        // The claims, each with its name and its value, and the token.
        assert!(first.count_total <= 46, "{first:?}");
        assert_eq!(again.count_current, 0, "something was kept of a token that came again");
        again
    });
    // The list of the headers, and what happens to each; the request that goes back, with its path; the key, for the rules
    // and for the log; the subject, for the log; and the state of the walk through the rules.
    assert!(small.count_total <= 11, "{small:?}");
    // One bit per rule instead of a word. The bits of more than 256 rules are allocated, and those of as many `**`.
    assert!(large.count_total <= small.count_total + 2, "{large:?}");
    assert!(large.bytes_total < small.bytes_total + 10_000, "{large:?}");
}

#[test]
fn a_token_that_is_refused_for_its_claims_is_not_verified_again() {
    let (authorizer, events) = outcomes::of_each_outcome();
    for name in ["token_expired", "token_not_yet_valid"] {
        let (_, event) = events.iter().find(|(reason, _)| *reason == name).unwrap();
        let first = of_decision(&authorizer, event);
        let again = of_decision(&authorizer, event);
        assert!(again.count_total < first.count_total, "the token was not remembered");
    }
}

#[test]
fn claims_in_the_log_cost_nothing_once_a_token_is_known() {
    let signer = Signer::new(SignatureAlgorithm::EdDsa);
    let token = signer.sign("k1", "at+jwt", &claims("alice", 0));
    let event = event("GET", "/users/alice/photos/a.jpg", Some(&token));
    let [without, with] = [false, true].map(|has_salt| {
        let mut policy = policy(SignatureAlgorithm::EdDsa, &signer.jwk("k1"), rules(10));
        if has_salt {
            policy["log"] = serde_json::json!({"claims_salt": "0123456789abcdef0123456789abcdef"});
        }
        let authorizer = authorizer(&policy);
        let first = of_decision(&authorizer, &event);
        assert!(first.count_total < 400, "{first:?}");
        of_decision(&authorizer, &event)
    });
    assert_eq!((with.count_total, with.bytes_total), (without.count_total, without.bytes_total));
}

#[test]
fn nothing_is_kept_of_what_was_decided() {
    let (authorizer, events) = outcomes::of_each_outcome();
    for (name, event) in &events {
        // A valid token, the first time.
        authorizer.authorize(event, UnixTime::from_seconds(NOW));
        let info = of_decision(&authorizer, event);
        assert!(info.bytes_total < 16 * 1024, "{name}: {info:?}");
        assert_eq!(info.count_current, 0, "{name}: something was kept of it");
    }
}
