//! The properties hold for every seed.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test stops at its first failure")]

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use authorizer_fuzz_properties::{
    answer, bundle, callback, event, jwks, key, pattern, policy, root, secret, seeds, token, tokens,
};

fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_file()).collect()
}

/// Checks every seed of a target: whole, and also cut off and damaged at two places.
#[track_caller]
fn holds(target: &str, least: usize, check: impl Fn(&[u8])) {
    let folders = seeds(target);
    let mut seeds: Vec<_> = folders.iter().flat_map(|folder| files(folder)).collect();
    seeds.sort();
    assert!(seeds.len() >= least, "{target}: {} seeds", seeds.len());
    for path in seeds {
        eprintln!("{}", path.display());
        let bytes = fs::read(path).unwrap();
        check(&bytes);
        for place in [bytes.len() / 3, bytes.len() * 2 / 3] {
            let (before, after) = bytes.split_at(place);
            check(before);
            for instead in [&b"%2e"[..], b"\""] {
                let rest = after.get(1..).unwrap_or_default();
                check(&[before, instead, rest].concat());
            }
        }
    }
}

#[track_caller]
fn holds_of_text(target: &str, least: usize, check: impl Fn(&str)) {
    // As the fuzzer does, takes the bytes before the first invalid one as text.
    holds(target, least, |bytes| match std::str::from_utf8(bytes) {
        Ok(text) => check(text),
        Err(error) => check(&String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default())),
    });
}

#[test]
fn an_event_is_forwarded_as_it_was_decided() {
    let forwarded = Cell::new([0; 3]);
    holds("event", 200, |bytes| {
        let counted = forwarded.get();
        let [open, tokens, requests] = event::check(bytes).map(u32::from);
        let [all_open, all_tokens, all_requests] = counted;
        forwarded.set([all_open + open, all_tokens + tokens, all_requests + requests]);
    });
    // Without this check, policies that refuse everything would pass.
    eprintln!("{forwarded:?} were forwarded");
    let [open, tokens, requests] = forwarded.get();
    assert!(open >= 3 && tokens > 50 && requests > 100, "{forwarded:?}");
}

#[test]
fn a_path_is_forwarded_as_the_key_that_it_was_read_as() {
    holds_of_text("key", 5, key::check);
}

#[test]
fn a_token_that_no_key_signed_is_never_accepted() {
    holds_of_text("token", 5, token::check);
}

#[test]
fn a_pattern_prints_as_it_was_written_and_agrees_with_itself() {
    holds_of_text("pattern", 5, pattern::check);
}

#[test]
fn a_file_is_a_secret_by_its_length_and_is_not_shown() {
    holds("secret", 5, secret::check);
}

#[test]
fn one_key_that_cannot_be_used_does_not_take_the_others_with_it() {
    holds("jwks", 4, jwks::check);
    // No committed file has such a key, not even for a test.
    let good = fs::read_to_string(root().join("tests/fuzz/seeds/jwks/good.json")).unwrap();
    for more in [r#""d": "AQAB","#, r#""d": null,"#, r#""k": "AQAB", "d": null,"#, r#""oth": [],"#] {
        jwks::check(good.replacen(r#"{"kty""#, &format!(r#"{{{more} "kty""#), 1).as_bytes());
    }
}

#[test]
fn no_answer_of_an_issuer_lets_a_forged_token_in() {
    holds("answer", 4, answer::check);
}

#[test]
fn no_request_gets_a_session_that_the_provider_gave_no_tokens_for() {
    let asked = Cell::new(0);
    holds_of_text("callback", 8, |text| asked.set(asked.get() + u32::from(callback::check(text))));
    // Without this check, a function that refuses every callback would pass.
    assert!(asked.get() >= 2, "{}", asked.get());
}

#[test]
fn no_answer_of_a_token_endpoint_that_no_key_signed_is_a_session() {
    holds("tokens", 5, tokens::check);
}

#[test]
fn a_policy_that_compiles_is_a_bundle_that_is_read() {
    holds("bundle", 2, bundle::check);
}

#[test]
fn an_error_of_a_policy_file_is_always_shown() {
    holds("policy", 3, policy::check);
}

#[test]
fn every_target_has_its_seeds_and_its_wrapper() {
    let names = |folder: &str, suffix: &str| {
        let entries = fs::read_dir(root().join("tests/fuzz").join(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.map(|name| name.trim_end_matches(suffix).to_owned()).collect();
        names.sort();
        names
    };
    let targets = [
        "answer", "bundle", "callback", "event", "jwks", "key", "pattern", "policy", "secret", "token",
        "tokens",
    ];
    assert_eq!(names("fuzz_targets", ".rs"), targets);
    assert_eq!(names("seeds", ""), targets);
}
