//! The instant of the decision, and the times that a token holds.

use authorizer_core::UnixTime;
use authorizer_core::rules::{Effect, Period};
use serde_json::{Map, Value};

use super::claims::{holds_all, tests_of};
use super::{Context, Said};
use crate::engine::atom::{Atom, ClaimAtom};
use crate::engine::space::Who;

/// 2027-01-15T08:00:00Z, if any instant fits.
pub(super) const DEFAULT: UnixTime = UnixTime::from_seconds(1_800_000_000);

/// The clock that is not usable. With it every token has expired.
const UNKNOWN: u64 = u64::MAX;

/// The lifetime of a token here, if nothing requires a shorter one.
const LIFETIME: u64 = 300;

/// The instant, and the token's times.
pub(super) struct TimeValues {
    pub(super) at: UnixTime,
    pub(super) claims: Map<String, Value>,
}

/// Times that fit the statements.
///
/// What is said compares times with constants, give or take an issuer's leeway or its longest lifetime: so one of the
/// constants with these differences, or the second before, is in each class of instants.
pub(super) fn solve(context: Context<'_>, said: &[Said<'_, '_>]) -> Option<TimeValues> {
    let numbers = numbers_of(said);
    let mut constants = numbers.clone();
    let given = |name| context.bounds.claims.get(name).and_then(Value::as_u64);
    constants.extend(["exp", "iat", "nbf"].into_iter().filter_map(given));
    for (atom, _) in said {
        match atom {
            Atom::Period(period, _) => {
                constants
                    .extend(period.not_before.into_iter().chain(period.not_after).map(UnixTime::as_seconds));
            }
            Atom::IssuedBefore(instant) => constants.push(instant.as_seconds()),
            _ => {}
        }
    }
    let instants = match context.bounds.at {
        Some(at) => vec![at.as_seconds()],
        None => instants(context, &constants),
    };
    instants.into_iter().find_map(|at| {
        let is_within = said.iter().all(|(atom, holds)| match atom {
            Atom::Period(period, effect) => is_within(*period, *effect, at) == *holds,
            _ => true,
        });
        is_within.then(|| claims_at(context, said, at, &constants, &numbers)).flatten()
    })
}

/// The numbers that tests compare the token's times with.
fn numbers_of(said: &[Said<'_, '_>]) -> Vec<u64> {
    let scalars = said.iter().filter_map(|(atom, _)| match atom {
        Atom::Claim(_, test) => Some(test.scalars()),
        _ => None,
    });
    scalars.flatten().filter_map(|value| value.as_u64()).collect()
}

fn instants(context: Context<'_>, constants: &[u64]) -> Vec<u64> {
    let mut spans = vec![0];
    for issuer in context.issuers {
        let leeway = u64::from(issuer.leeway_seconds());
        let life = u64::from(issuer.max_lifetime_seconds().unwrap_or_default());
        spans.extend([leeway, life.saturating_add(leeway)]);
    }
    spans.sort_unstable();
    spans.dedup();
    let mut instants = vec![DEFAULT.as_seconds()];
    for constant in constants {
        for span in &spans {
            for around in [constant.saturating_sub(*span), constant.saturating_add(*span)] {
                instants.extend([around, around.saturating_sub(1), around.saturating_add(1)]);
            }
        }
    }
    instants.push(0);
    if *context.who == Who::Anonymous {
        instants.push(UNKNOWN);
    } else {
        instants.retain(|instant| *instant != UNKNOWN);
    }
    instants
}

/// As in the core.
fn is_within(period: Period, effect: Effect, at: u64) -> bool {
    if at == UNKNOWN {
        return effect == Effect::Deny;
    }
    period.contains(UnixTime::from_seconds(at))
}

/// The times of a token that verifies at this instant.
fn claims_at(
    context: Context<'_>,
    said: &[Said<'_, '_>],
    at: u64,
    constants: &[u64],
    numbers: &[u64],
) -> Option<TimeValues> {
    let found = |claims| Some(TimeValues { at: UnixTime::from_seconds(at), claims });
    if *context.who == Who::Anonymous {
        return found(Map::new());
    }
    let life = context.issuers.iter().filter_map(|issuer| issuer.max_lifetime_seconds()).min().map(u64::from);
    let free = |name: &str, values: Vec<Option<Value>>| match context.bounds.claims.get(name) {
        Some(given) => vec![Some(given.clone())],
        None => values,
    };
    let named = || numbers.iter().map(|number| Some(Value::from(*number)));
    let mut issued = vec![Some(Value::from(at))];
    for constant in constants {
        issued.extend([*constant, constant.saturating_sub(1)].map(Value::from).map(Some));
        issued.push(Some(half_before(*constant)));
    }
    issued.push(None);
    let mut not_before = vec![None, Some(Value::from(at))];
    not_before.extend(named());
    for iat in free("iat", issued) {
        let from = iat.as_ref().and_then(Value::as_u64).unwrap_or(at);
        let whole = [
            at.saturating_add(life.unwrap_or(LIFETIME).min(LIFETIME)),
            from.saturating_add(life.unwrap_or(LIFETIME)),
            at.saturating_add(1),
        ];
        let mut expires: Vec<Option<Value>> = whole.map(Value::from).map(Some).to_vec();
        // A token may live on for the leeway, and no longer than its issuer lets it.
        let leeway = context.issuers.iter().map(|issuer| u64::from(issuer.leeway_seconds())).min();
        expires.push(Some(half_before(at.saturating_sub(leeway.unwrap_or_default()).saturating_add(1))));
        expires.extend(named());
        for exp in free("exp", expires) {
            for nbf in free("nbf", not_before.clone()) {
                let named = [("exp", exp.clone()), ("iat", iat.clone()), ("nbf", nbf)];
                let claims: Map<String, Value> = named
                    .into_iter()
                    .filter_map(|(name, value)| value.map(|value| (name.to_owned(), value)))
                    .collect();
                if verifies(context, &claims, at) && is_as_said(said, &claims) {
                    return found(claims);
                }
            }
        }
    }
    None
}

/// Half a second before an instant: a NumericDate need not be whole.
fn half_before(instant: u64) -> Value {
    #[allow(clippy::cast_precision_loss, reason = "exact for the next 142 million years")]
    Value::from(instant as f64 - 0.5)
}

/// RFC 7519 sections 4.1.4 to 4.1.6, as in the core.
fn verifies(context: Context<'_>, claims: &Map<String, Value>, at: u64) -> bool {
    let date = |name: &str| claims.get(name).map(|value| value.as_f64());
    #[allow(clippy::cast_precision_loss, reason = "exact for the next 285 million years")]
    let now = at as f64;
    let (exp, nbf, iat) = match (date("exp"), date("nbf"), date("iat")) {
        (Some(Some(exp)), None | Some(Some(_)), None | Some(Some(_))) => (exp, date("nbf"), date("iat")),
        _ => return false,
    };
    context.issuers.iter().all(|issuer| {
        let leeway = f64::from(issuer.leeway_seconds());
        let is_past = |date: Option<Option<f64>>| date.flatten().is_none_or(|date| date <= now + leeway);
        let life = issuer.max_lifetime_seconds().map(f64::from);
        exp > now - leeway
            && is_past(nbf)
            && is_past(iat)
            && life.is_none_or(|most| iat.flatten().is_some_and(|iat| exp - iat <= most))
    })
}

fn is_as_said(said: &[Said<'_, '_>], claims: &Map<String, Value>) -> bool {
    let tests_hold = ["exp", "iat", "nbf"].iter().all(|name| {
        let tests: Vec<(ClaimAtom<'_>, bool)> = tests_of(name, said);
        holds_all(&tests, claims.get(*name))
    });
    tests_hold
        && said.iter().all(|(atom, holds)| match atom {
            Atom::IssuedBefore(instant) => {
                let iat = claims.get("iat").and_then(Value::as_f64);
                #[allow(clippy::cast_precision_loss, reason = "exact for the next 285 million years")]
                let instant = instant.as_seconds() as f64;
                iat.is_none_or(|iat| iat < instant) == *holds
            }
            _ => true,
        })
}
