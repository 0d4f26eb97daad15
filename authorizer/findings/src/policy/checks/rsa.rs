//! RSA keys that are weak, and how weak.

use num_bigint::BigUint;

use super::keys::{exponent, modulus};
use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::finding::Observation;
use crate::policy::subject::{IssuerView, KeyView, PolicySubject};

pub(super) static FAMILY: Family = Family::Policy(&[
    (
        Check {
            id: "EA100",
            name: "rsa-below-3072-bits",
            severity: Severity::Informational,
            title: "an issuer has RSA keys of fewer than 3,072 bits",
            why: "2,048 bits give 112 bits of security, which NIST SP 800-57 part 1 does not plan with after \
              2030. Most providers do not offer other keys.",
            remedy: "choose ES256, or RSA keys of 3,072 bits, if the provider offers them",
        },
        short,
    ),
    (
        Check {
            id: "EA101",
            name: "rsa-of-the-roca-kind",
            severity: Severity::High,
            title: "a faulty chip made an RSA key (ROCA, CVE-2017-15361)",
            why: "The form of its primes makes it possible to compute the private half; for 2,048 bits, a \
              company can pay for that. The attacker can then sign tokens in anyone's name.",
            remedy: "make the provider create new keys, without the chip or smart card that made this one",
        },
        roca,
    ),
    (
        Check {
            id: "EA102",
            name: "rsa-that-can-be-factored",
            severity: Severity::High,
            title: "this check computed the private half of an RSA key",
            why: "Its primes are too close to each other, one is tiny, or another key here shares one of them. \
              These are signs of a broken random number generator. This check needs a second to find the \
              private half, and so does an attacker.",
            remedy: "make the provider create new keys, and examine what made this one",
        },
        factored,
    ),
    (
        Check {
            id: "EA103",
            name: "rsa-exponent-is-small",
            severity: Severity::Low,
            title: "an RSA key has a public exponent below 65,537",
            why: "With an exponent of 3, forged signatures have passed in libraries that read the padding \
              loosely. The library that verifies here does not accept them. NIST SP 800-56B and FIPS 186-5 \
              still require more than 65,536.",
            remedy: "make the provider create keys with the exponent 65,537",
        },
        small_exponent,
    ),
]);

/// The RSA keys that tokens are verified with, each with its modulus.
fn rsa_keys<'p>(subject: &PolicySubject<'p>) -> Vec<(KeyView<'p>, BigUint)> {
    let keys = subject.issuers().flat_map(IssuerView::keys).filter(|key| key.is_used());
    keys.filter_map(|key| Some((key, modulus(key.jwk)?))).collect()
}

fn short(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for issuer in subject.issuers() {
        let short: Vec<_> = issuer
            .keys()
            .filter(|key| key.is_used())
            .filter_map(|key| modulus(key.jwk).filter(|n| n.bits() < 3072).map(|n| (key, n.bits())))
            .collect();
        let Some(least) = short.iter().map(|(_, bits)| *bits).min() else { continue };
        let count = short.len();
        let keys = if count == 1 { "1 RSA key".to_owned() } else { format!("{count} RSA keys") };
        let message =
            format!("issuer `{}` has {keys} below 3072 bits; the shortest has {least}", issuer.name());
        found.push(issuer.found_in("jwks", message));
    }
    found
}

fn roca(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let weak = rsa_keys(subject).into_iter().filter(|(_, modulus)| has_roca_form(modulus));
    weak.map(|(key, _)| {
        key.found(format!("{} of issuer `{}` has the form of a ROCA key", key.name(), key.issuer.name()))
    })
    .collect()
}

/// The generator of the faulty primes, which are `k * M + (65537^a mod M)`, M being the product of the first primes.
/// So is the modulus, by each of those primes, a power of 65537; of another key that is so once in 2^27 (Nemec, Sys,
/// Svenda, Klinec and Matyas, The Return of Coppersmith's Attack, 2017, section 2.2).
const GENERATOR: u32 = 65_537;

fn has_roca_form(modulus: &BigUint) -> bool {
    // The first 39 primes are those of the shortest keys, and are among those of the longer ones. By 2 every odd
    // number is a power.
    primes_below(168).skip(1).all(|prime| {
        let residue = residue(modulus, prime);
        // No prime is zero.
        let rest = |number: u32| number.checked_rem(prime).unwrap_or_default();
        let mut power = 1_u32;
        for _ in 1..prime {
            if power == residue {
                return true;
            }
            // Both are below 168.
            power = rest(power.saturating_mul(rest(GENERATOR)));
        }
        false
    })
}

fn factored(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let keys = rsa_keys(subject);
    let mut found = Vec::new();
    for (index, (key, modulus)) in keys.iter().enumerate() {
        let others = keys.iter().enumerate().filter(|(other, _)| *other != index);
        let shared = others.map(|(_, other)| other).find(|(_, other)| shares_a_prime(modulus, other));
        let why = match shared {
            Some((other, _)) => {
                format!("shares a prime with {} of issuer `{}`", other.name(), other.issuer.name())
            }
            None if primes_below(1 << 16).any(|prime| residue(modulus, prime) == 0) => {
                "has a tiny factor".to_owned()
            }
            None if has_close_primes(modulus) => "has primes close to each other".to_owned(),
            None => continue,
        };
        found.push(key.found(format!("{} of issuer `{}` {why}", key.name(), key.issuer.name())));
    }
    found
}

#[allow(clippy::arithmetic_side_effects, reason = "big numbers have no end, and nothing is divided by zero")]
fn shares_a_prime(one: &BigUint, other: &BigUint) -> bool {
    let zero = BigUint::ZERO;
    let (mut a, mut b) = (one.clone(), other.clone());
    while b != zero {
        let rest = &a % &b;
        a = b;
        b = rest;
    }
    one != other && a != BigUint::from(1_u32)
}

/// Fermat's method: such keys have been in the field (CVE-2022-26320), and fell within a few rounds.
#[allow(
    clippy::arithmetic_side_effects,
    reason = "big numbers have no end, and what is subtracted is smaller"
)]
fn has_close_primes(modulus: &BigUint) -> bool {
    const ROUNDS: u32 = 100;
    let mut half = modulus.sqrt();
    if &half * &half == *modulus {
        return true;
    }
    for _ in 0..ROUNDS {
        half += 1_u32;
        let rest = &half * &half - modulus;
        let root = rest.sqrt();
        if &root * &root == rest {
            return true;
        }
    }
    false
}

fn small_exponent(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for issuer in subject.issuers() {
        for key in issuer.keys().filter(|key| key.is_used()) {
            if let Some(exponent) = exponent(key.jwk).filter(|e| *e < BigUint::from(GENERATOR)) {
                let message =
                    format!("{} of issuer `{}` has the exponent {exponent}", key.name(), issuer.name());
                found.push(key.found(message));
            }
        }
    }
    found
}

/// The rest of a number by a small one.
#[allow(clippy::arithmetic_side_effects, reason = "no prime is zero")]
fn residue(number: &BigUint, prime: u32) -> u32 {
    let rest = number % prime;
    rest.iter_u32_digits().next().unwrap_or_default()
}

fn primes_below(end: u32) -> impl Iterator<Item = u32> {
    (2..end).filter(|number| {
        (2..)
            .take_while(|divisor: &u32| divisor.saturating_mul(*divisor) <= *number)
            .all(|d| !number.is_multiple_of(d))
    })
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "big numbers have no end, and no prime is zero")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Four primes of about 64 bits: two neighbours, and two that are far from them and from each other.
    const NEIGHBOURS: [u64; 2] = [18_446_744_073_709_551_533, 18_446_744_073_709_551_557];
    const FAR: [u64; 2] = [9_223_372_036_854_775_783, 4_611_686_018_427_387_847];

    fn product(primes: [u64; 2]) -> BigUint {
        BigUint::from(primes[0]) * BigUint::from(primes[1])
    }

    #[test]
    fn primes_are_close_shared_or_neither() {
        assert!(has_close_primes(&product(NEIGHBOURS)));
        assert!(has_close_primes(&product([FAR[0], FAR[0]])), "a square");
        assert!(!has_close_primes(&product(FAR)));
        let one = product([FAR[0], NEIGHBOURS[0]]);
        assert!(shares_a_prime(&one, &product([FAR[0], FAR[1]])));
        assert!(!shares_a_prime(&one, &product([FAR[1], NEIGHBOURS[1]])));
        assert!(!shares_a_prime(&one, &one.clone()), "a key does not share a prime with itself");
    }

    #[test]
    fn the_primes_are_those_below() {
        assert_eq!(primes_below(30).collect::<Vec<_>>(), [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]);
        // Of the 39 that the shortest ROCA keys are made with, the last is 167.
        assert_eq!((primes_below(168).count(), primes_below(168).last()), (39, Some(167)));
    }

    proptest! {
        /// `k * M + (65537^a mod M)`, whether it is prime or not, has the form; and a product of two that have it has it.
        #[test]
        fn what_is_made_as_the_chip_makes_it_has_the_form(k in 1_u64.., l in 1_u64.., a in 0_u32..5_000, b in 0_u32..5_000) {
            let product: BigUint = primes_below(168).map(BigUint::from).product();
            let made = |k: u64, a: u32| {
                BigUint::from(k) * &product + BigUint::from(GENERATOR).modpow(&BigUint::from(a), &product)
            };
            prop_assert!(has_roca_form(&(made(k, a) * made(l, b))));
        }

        /// By 11 the powers of the generator leave 1 and 10 only.
        #[test]
        fn what_leaves_a_rest_that_no_power_leaves_has_not_the_form(k in 1_u64..) {
            let number = BigUint::from(k) * BigUint::from(11_u32) + BigUint::from(3_u32);
            prop_assert!(!has_roca_form(&number));
        }

        #[test]
        fn a_residue_is_that_of_machine_arithmetic(number in any::<u64>(), prime in 2_u32..100_000) {
            prop_assert_eq!(u64::from(residue(&BigUint::from(number), prime)), number % u64::from(prime));
        }
    }
}
