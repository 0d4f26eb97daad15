//! Tokens with something changed after they were signed.

use authorizer_core::policy::Policy;
use authorizer_core::token::SignatureAlgorithm;
use proptest::prelude::*;
use serde_json::json;
use std::sync::LazyLock;

use super::{issuer_with, token};
use crate::signer::Signer;

const NOW: u64 = 1_800_000_000;

/// A valid token, and its issuer.
struct Signed {
    algorithm: SignatureAlgorithm,
    policy: Policy,
    token: String,
}

static SIGNED: LazyLock<Vec<Signed>> = LazyLock::new(|| {
    let sign = |algorithm| {
        let signer = Signer::new(algorithm);
        let policy = issuer_with(&[signer.jwk("k")]).unwrap();
        let claims = json!({"iss": "joe", "aud": "files", "sub": "alice", "exp": NOW + 60});
        let signed = Signed { algorithm, policy, token: signer.sign("k", "JWT", &claims) };
        assert_eq!(token(&signed.policy, &signed.token, NOW), "verifies", "{algorithm:?}");
        signed
    };
    SignatureAlgorithm::ALL.map(sign).into()
});

fn assert_refused(signed: &Signed, changed: &str) {
    let Signed { algorithm, policy, token: original } = signed;
    assert_ne!(changed, original);
    assert_ne!(token(policy, changed, NOW), "verifies", "{algorithm:?}: {changed} for {original}");
}

#[test]
fn one_byte_more_or_less_leaves_no_token_valid() {
    for signed in SIGNED.iter() {
        for place in 0..=signed.token.len() {
            let (before, after) = signed.token.split_at(place);
            // Padding, white space, the other alphabet of base64, and the characters that Wycheproof inserts.
            for more in ["=", " ", "\n", "\t", "\0", "+", "/", "?", "#", "%", ".", "A", "é"] {
                assert_refused(signed, &format!("{before}{more}{after}"));
            }
            if place < signed.token.len() {
                assert_refused(signed, before);
                assert_refused(signed, &format!("{before}{}", &after[1..]));
            }
        }
    }
}

#[test]
fn one_changed_byte_leaves_no_token_valid() {
    for signed in SIGNED.iter() {
        let dots = signed.token.match_indices('.').map(|(place, _)| place);
        let ends: Vec<usize> = dots.chain([0, signed.token.len()]).collect();
        let is_long = signed.token.len() > 400;
        for place in 0..signed.token.len() {
            // Every other byte at every place. With RSA, whose tokens are long and many, an eighth of them, but
            // at the ends of the parts.
            let is_near_an_end = ends.iter().any(|end| end.abs_diff(place) <= 8);
            let step = if is_long && !is_near_an_end { 8 } else { 1 };
            for byte in (0..128).skip(place % step).step_by(step) {
                if signed.token.as_bytes()[place] == byte {
                    continue;
                }
                let mut changed = signed.token.clone().into_bytes();
                changed[place] = byte;
                assert_refused(signed, std::str::from_utf8(&changed).unwrap());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn some_changed_bytes_leave_no_token_valid(
        which in 0..SignatureAlgorithm::ALL.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), "[A-Za-z0-9_.-]"), 1..6),
    ) {
        let signed = &SIGNED[which];
        let mut changed = signed.token.clone();
        for (place, byte) in changes {
            let place = place.index(changed.len());
            changed.replace_range(place..=place, &byte);
        }
        prop_assume!(changed != signed.token);
        assert_refused(signed, &changed);
    }

    #[test]
    fn parts_of_two_tokens_make_no_token(
        parts in prop::array::uniform3(0..SignatureAlgorithm::ALL.len()),
        policy in 0..SignatureAlgorithm::ALL.len(),
    ) {
        prop_assume!(parts.iter().any(|part| *part != policy));
        let part = |at: usize| SIGNED[parts[at]].token.split('.').nth(at).unwrap();
        let mixed = format!("{}.{}.{}", part(0), part(1), part(2));
        prop_assume!(mixed != SIGNED[policy].token);
        assert_refused(&SIGNED[policy], &mixed);
    }
}
