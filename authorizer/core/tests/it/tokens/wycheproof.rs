//! The JOSE cases of the Wycheproof project, every one accounted for.
//!
//! Their payloads are not claims sets, so only the signature is tested. The keys of a case become the keys of an
//! issuer, next to another issuer, and the first one is asked whether it signed the token.

use std::collections::BTreeMap;

use authorizer_core::token::KeyProblem;
use serde_json::Value;
use wycheproof_ng_kdf_jose::json_web::{Test, TestGroup, TestName, TestSet};

use super::{issuer_with, issuer_with_secret, signature, stand_in, token};

/// The number of cases that Wycheproof calls `valid` or `invalid`, and their results.
struct Row(usize, &'static str, &'static str, &'static str);

// Why the outcome is right if it differs from Wycheproof's, or has another reason than the case tests.
const AS_EXPECTED: &str = "";
const ONE_HMAC: &str = "of HMAC only HS256 is used here";
const BARE: &str =
    "a `secret` is bytes and comes from no JWK set, so nothing else of the set says what it is for";
const AS_357: &str = "a fault of the case: tc367 and tc370 are the very token of tc357, which is valid";
const ODD: &str =
    "a fault of the case: in tc372 and tc373 a `?` was put into the token, so `invalid` is meant";
const NO_P521: &str = "P-521 is not used here; besides, the key's `alg` is the misspelt `ES521`";
const PINNED: &str = "a fault of the case: RFC 7520 figure 20 is PS384, and the key's `alg` is PS256";
const ROCA: &str =
    "CVE-2017-15361: a key that can be factored. An issuer's keys are trusted as it publishes them";
const NO_JWE: &str = "an encrypted token is refused, whoever could read it";

#[test]
fn every_jws_case_is_accounted_for() {
    account_for(
        TestName::JsonWebSignature,
        &[
            Row(32, "valid", "holds", AS_EXPECTED),
            Row(2, "valid", "signing_key_unknown", PINNED),
            Row(2, "valid", "algorithm_not_allowed", NO_P521),
            Row(8, "valid", "by a secret, holds", AS_EXPECTED),
            Row(2, "valid", "by a secret, token_malformed", ODD),
            Row(293, "invalid", "signature_invalid", AS_EXPECTED),
            Row(20, "invalid", "token_malformed", AS_EXPECTED),
            Row(11, "invalid", "signing_key_unknown", AS_EXPECTED),
            Row(1, "invalid", "algorithm_not_allowed", AS_EXPECTED),
            Row(9, "invalid", "by a secret, signature_invalid", AS_EXPECTED),
            Row(19, "invalid", "by a secret, token_malformed", AS_EXPECTED),
            Row(2, "invalid", "by a secret, holds", AS_357),
        ],
    );
}

#[test]
fn every_jwk_case_is_accounted_for() {
    account_for(
        TestName::JsonWebKey,
        &[
            Row(1, "valid", "holds", AS_EXPECTED),
            Row(2, "valid", "by a secret, holds", AS_EXPECTED),
            Row(2, "valid", "by a secret, algorithm_not_allowed", ONE_HMAC),
            Row(2, "invalid", "by a secret, algorithm_not_allowed", AS_EXPECTED),
            Row(1, "invalid", "by a secret, signature_invalid", AS_EXPECTED),
            Row(4, "invalid", "by a secret, too short", AS_EXPECTED),
            Row(4, "invalid", "by a secret, holds", BARE),
            Row(5, "invalid", "signing_key_unknown", AS_EXPECTED),
            Row(1, "invalid", "signing_key_unknown: it has no `n`", AS_EXPECTED),
            Row(2, "invalid", "signing_key_unknown: its numbers are not a valid public key", AS_EXPECTED),
            Row(1, "invalid", "signing_key_unknown: it has 1024 bits, not 2048 to 8192", AS_EXPECTED),
            Row(1, "invalid", "holds", ROCA),
        ],
    );
}

/// The cases of [`TestName::JsonWebCrypto`] are an older selection from the other three sets.
#[test]
fn every_case_of_the_older_set_is_accounted_for() {
    account_for(
        TestName::JsonWebCrypto,
        &[
            Row(2, "valid", "holds", AS_EXPECTED),
            Row(2, "valid", "by a secret, holds", AS_EXPECTED),
            Row(1, "valid", "by a secret, token_encrypted", NO_JWE),
            Row(1, "valid", "holds a secret (d), else token_encrypted", NO_JWE),
            Row(7, "invalid", "signature_invalid", AS_EXPECTED),
            Row(16, "invalid", "token_malformed", AS_EXPECTED),
            Row(2, "invalid", "signing_key_unknown", AS_EXPECTED),
            Row(1, "invalid", "algorithm_not_allowed", AS_EXPECTED),
            Row(5, "invalid", "by a secret, signature_invalid", AS_EXPECTED),
            Row(18, "invalid", "by a secret, token_malformed", AS_EXPECTED),
            Row(10, "invalid", "by a secret, token_encrypted", NO_JWE),
            Row(1, "invalid", "by a secret, holds", BARE),
            Row(11, "invalid", "holds a secret (d), else token_encrypted", NO_JWE),
            Row(5, "invalid", "holds a secret (d), else token_malformed", NO_JWE),
            Row(1, "invalid", "holds", ROCA),
        ],
    );
}

#[test]
fn every_jwe_case_is_accounted_for() {
    account_for(
        TestName::JsonWebEncryption,
        &[
            Row(11, "valid", "by a secret, token_encrypted", NO_JWE),
            Row(7, "valid", "by a secret, too short", NO_JWE),
            Row(23, "valid", "holds a secret (d), else token_encrypted", NO_JWE),
            Row(24, "valid", "token_encrypted", NO_JWE),
            Row(25, "invalid", "by a secret, token_encrypted", NO_JWE),
            Row(6, "invalid", "by a secret, token_malformed", NO_JWE),
            Row(2, "invalid", "by a secret, too short", NO_JWE),
            Row(14, "invalid", "holds a secret (d), else token_encrypted", NO_JWE),
            Row(5, "invalid", "holds a secret (d), else token_malformed", NO_JWE),
            Row(22, "invalid", "token_encrypted", NO_JWE),
        ],
    );
}

/// A valid signature depends on the numbers of its key: under the same key id, and without a stated use, no other key
/// verifies it.
#[test]
fn a_good_signature_is_good_with_its_own_key_alone() {
    let set = TestSet::load(TestName::JsonWebSignature).unwrap();
    let bare = |key: &Value, kid: &Value| {
        let mut key = key.clone();
        key["kid"] = kid.clone();
        key.as_object_mut().unwrap().retain(|name, _| !["alg", "use", "key_ops"].contains(&name.as_str()));
        key
    };
    let keys: Vec<&Value> = set.test_groups.iter().filter_map(|group| group.public_key.as_ref()).collect();
    let mut refused = 0;
    for group in &set.test_groups {
        for case in group.tests.iter().filter(|case| outcome(group, case) == "holds") {
            let own = group.public_key.as_ref().unwrap();
            for key in &keys {
                let key = bare(key, &own["kid"]);
                let numbers = |key: &Value| ["n", "x", "y"].map(|name| key[name].clone());
                let Ok(policy) = issuer_with(std::slice::from_ref(&key)) else { continue };
                let held = signature(&policy, &token_of(case));
                assert_eq!(held == "holds", numbers(&key) == numbers(own), "{}: {held}", case.tc_id);
                refused += usize::from(held == "signature_invalid");
            }
        }
    }
    assert!(refused > 200, "{refused}");
}

fn account_for(name: TestName, rows: &[Row]) {
    let set = TestSet::load(name).unwrap();
    let mut seen: BTreeMap<(&str, String), Vec<usize>> = BTreeMap::new();
    for group in &set.test_groups {
        for case in &group.tests {
            let verdict = if case.result.must_fail() { "invalid" } else { "valid" };
            seen.entry((verdict, outcome(group, case))).or_default().push(case.tc_id);
        }
    }
    let mut counted: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for Row(cases, verdict, outcome, because) in rows {
        let as_expected = outcome.ends_with("holds") == (*verdict == "valid");
        assert!(as_expected || !because.is_empty(), "{verdict}, {outcome}: a difference has a reason");
        *counted.entry((verdict, (*outcome).into())).or_default() += cases;
    }
    for (key, ids) in &seen {
        assert_eq!(counted.get(key), Some(&ids.len()), "{key:?}: {ids:?}");
    }
    assert_eq!(counted.values().sum::<usize>(), set.number_of_tests);
}

/// The result of a case. If its keys cannot be keys of an issuer, another issuer is asked about its token.
fn outcome(group: &TestGroup, case: &Test) -> String {
    let text = token_of(case);
    let other = issuer_with(&[stand_in()]).unwrap();
    let policy = issuer_with(&[keys_of(group), vec![stand_in()]].concat());
    for policy in policy.iter().chain([&other]) {
        assert_ne!(token(policy, &text, 0), "verifies", "{}: it is not a claims set", case.tc_id);
    }
    match policy {
        Ok(policy) => {
            let skipped = policy.issuers()[0].bundled_keys().unwrap().skipped().iter();
            let is_other = |why: &KeyProblem| matches!(why, KeyProblem::Kind(_) | KeyProblem::Curve(_));
            let why = skipped.map(|key| &key.why).find(|why| !is_other(why));
            let said = signature(&policy, &text);
            why.map_or_else(|| said.to_owned(), |why| format!("{said}: {why}"))
        }
        // A JWK set cannot contain a secret; it may be the `secret` of an issuer.
        Err(_) if keys_of(group)[0]["kty"] == "oct" => {
            match issuer_with_secret(keys_of(group)[0]["k"].as_str().unwrap()) {
                Ok(policy) => format!("by a secret, {}", signature(&policy, &text)),
                Err(problem) if problem.contains("fewer than the 32") => "by a secret, too short".into(),
                Err(problem) => problem,
            }
        }
        Err(problem) => match problem.strip_prefix("key 0 of the JWK set contains private key material ") {
            Some(name) => {
                format!("holds a secret {}, else {}", name.replace('`', ""), signature(&other, &text))
            }
            None => problem,
        },
    }
}

fn keys_of(group: &TestGroup) -> Vec<Value> {
    let key = group.public_key.as_ref().or(group.private_key.as_ref()).unwrap();
    match key.get("keys") {
        Some(keys) => keys.as_array().unwrap().clone(),
        None => vec![key.clone()],
    }
}

/// The token. It is JSON if the case is about JSON serialisation.
fn token_of(case: &Test) -> String {
    match case.jws.as_ref().or(case.jwe.as_ref()).unwrap() {
        Value::String(compact) => compact.clone(),
        json => json.to_string(),
    }
}
