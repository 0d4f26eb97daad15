//! The cost of a decision: from the bytes of an event to the bytes of the outcome.
//!
//! `make bench` runs this with the profile of the function, and creates the tables of `docs/performance.md` from it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "a benchmark stops at the first thing that is not as it should be"
)]

mod outcomes;
mod policies;
mod requests;
#[cfg(feature = "code-flow")]
mod sessions;
#[path = "../../tests/it/signer.rs"]
mod signer;

use std::hint::black_box;

use authorizer_core::record::DecisionLine;
use authorizer_core::token::SignatureAlgorithm;
use authorizer_core::{Authorizer, UnixTime};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaPublicKeyComponents, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use serde_json::Value;

use policies::{authorizer, policy, rules};
use requests::{NOW, claims, event};
use signer::Signer;

/// More tokens than the function keeps, so that each is new when it comes again.
const TOKENS: usize = 1_500;

/// Decides, and writes what goes back to CloudFront.
fn decide(authorizer: &Authorizer, event: &[u8]) -> Vec<u8> {
    let authorized = authorizer.authorize(black_box(event), UnixTime::from_seconds(NOW));
    serde_json::to_vec(&authorized.outcome).unwrap()
}

/// Decides, and says why.
fn reason(authorizer: &Authorizer, event: &[u8]) -> String {
    authorizer.authorize(event, UnixTime::from_seconds(NOW)).record.reason.to_string()
}

/// aws-lc's own verification with a key that is already parsed. No verifier can be faster.
fn bare_key(algorithm: SignatureAlgorithm, jwk: &Value) -> ParsedPublicKey {
    let part = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let (parameters, point): (&'static dyn VerificationAlgorithm, _) = match algorithm {
        SignatureAlgorithm::EdDsa => (&ED25519, part("x")),
        SignatureAlgorithm::Es256 => (&ECDSA_P256_SHA256_FIXED, [vec![4], part("x"), part("y")].concat()),
        SignatureAlgorithm::Es384 => (&ECDSA_P384_SHA384_FIXED, [vec![4], part("x"), part("y")].concat()),
        _ => {
            let components = RsaPublicKeyComponents { n: part("n"), e: part("e") };
            return match algorithm {
                SignatureAlgorithm::Rs256 => components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256),
                SignatureAlgorithm::Rs384 => components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA384),
                SignatureAlgorithm::Rs512 => components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA512),
                SignatureAlgorithm::Ps256 => components.to_parsed_public_key(&RSA_PSS_2048_8192_SHA256),
                SignatureAlgorithm::Ps384 => components.to_parsed_public_key(&RSA_PSS_2048_8192_SHA384),
                _ => components.to_parsed_public_key(&RSA_PSS_2048_8192_SHA512),
            }
            .unwrap();
        }
    };
    ParsedPublicKey::new(parameters, point).unwrap()
}

/// Each algorithm: the bare verification, a new token, and a token that comes again.
fn by_algorithm(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("algorithm");
    for algorithm in SignatureAlgorithm::ALL {
        let signer = Signer::new(algorithm);
        let jwk = signer.jwk("k1");
        let authorizer = authorizer(&policy(algorithm, &jwk, rules(10)));
        let token = |n: usize| signer.sign("k1", "at+jwt", &claims("alice", n));
        let events: Vec<Vec<u8>> =
            (0..TOKENS).map(|n| event("GET", "/users/alice/photos/a.jpg", Some(&token(n)))).collect();
        assert_eq!(reason(&authorizer, &events[0]), "allowed_by_rule");

        let token = token(0);
        let (input, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let key = bare_key(algorithm, &jwk);
        group.bench_function(BenchmarkId::new("bare", algorithm.name()), |bencher| {
            bencher.iter(|| key.verify_sig(black_box(input.as_bytes()), black_box(&signature)).unwrap());
        });
        // Not created anew for each sample, or it would find its first tokens in the cache.
        let mut next = events.iter().cycle();
        group.bench_function(BenchmarkId::new("new", algorithm.name()), |bencher| {
            bencher.iter(|| decide(&authorizer, next.next().unwrap()));
        });
        group.bench_function(BenchmarkId::new("repeated", algorithm.name()), |bencher| {
            bencher.iter(|| decide(&authorizer, &events[0]));
        });
    }
}

/// The size of the policy, with a token that comes again: what the last allow rule allows, what none does, and
/// what a deny rule denies.
fn by_rules(criterion: &mut Criterion) {
    let signer = Signer::new(SignatureAlgorithm::EdDsa);
    let token = signer.sign("k1", "at+jwt", &claims("alice", 0));
    let mut group = criterion.benchmark_group("rules");
    for count in [10, 100, 1_000, 10_000] {
        let authorizer = authorizer(&policy(SignatureAlgorithm::EdDsa, &signer.jwk("k1"), rules(count)));
        let last = count - 2;
        for (name, uri, expected) in [
            ("allowed", format!("/team-{last}/alice/report-7.pdf"), "allowed_by_rule"),
            ("refused", "/elsewhere/alice/report-7.pdf".to_owned(), "key_not_allowed"),
            ("denied", format!("/team-{last}/alice/sealed/a.pdf"), "denied_by_rule"),
        ] {
            let event = event("GET", &uri, Some(&token));
            assert_eq!(reason(&authorizer, &event), expected, "{name}");
            group.bench_function(BenchmarkId::new(name, count), |bencher| {
                bencher.iter(|| decide(&authorizer, &event));
            });
        }
    }
}

/// Each reason for a refusal.
fn by_outcome(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("outcome");
    let (authorizer, events) = outcomes::of_each_outcome();
    for (name, event) in &events {
        assert_eq!(reason(&authorizer, event), *name);
        group.bench_function(*name, |bencher| bencher.iter(|| decide(&authorizer, event)));
    }
}

/// The work around a decision in one invocation.
fn beside(criterion: &mut Criterion) {
    let signer = Signer::new(SignatureAlgorithm::EdDsa);
    let token = signer.sign("k1", "at+jwt", &claims("alice", 0));
    let authorizer = authorizer(&policy(SignatureAlgorithm::EdDsa, &signer.jwk("k1"), rules(10)));
    let event = event("GET", "/users/alice/photos/a.jpg", Some(&token));
    let authorized = authorizer.authorize(&event, UnixTime::from_seconds(NOW));
    criterion.bench_function("log_line", |bencher| {
        bencher.iter(|| serde_json::to_vec(&DecisionLine::new(black_box(&authorized.record), 7)).unwrap());
    });
}

/// From the bytes of a policy's bundle, and its JWK sets, to a policy that can decide.
fn load(criterion: &mut Criterion) {
    let signer = Signer::new(SignatureAlgorithm::Rs256);
    let mut group = criterion.benchmark_group("bundle");
    for count in [10, 100, 1_000, 10_000] {
        let bundle = policies::bundle(&policy(SignatureAlgorithm::Rs256, &signer.jwk("k1"), rules(count)));
        group.bench_function(BenchmarkId::new("read", count), |bencher| {
            bencher.iter(|| policies::read(black_box(&bundle)));
        });
    }
}

#[cfg(feature = "code-flow")]
criterion_group!(benches, by_algorithm, by_rules, by_outcome, sessions::beside_bearer, beside, load);
#[cfg(not(feature = "code-flow"))]
criterion_group!(benches, by_algorithm, by_rules, by_outcome, beside, load);
criterion_main!(benches);
