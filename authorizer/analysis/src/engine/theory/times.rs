//! The instant of the decision, and the times that a token holds.

use std::collections::HashSet;

use authorizer_core::UnixTime;
use authorizer_core::rules::{Effect, Period, is_numeric_date};
use serde_json::{Map, Value};

use super::claims::{holds_all, tests_of};
use super::{Context, Said};
use crate::engine::atom::Atom;
use crate::engine::budget::{Meter, OutOfBudget};
use crate::engine::space::Who;

/// 2027-01-15T08:00:00Z, if any instant fits.
pub(super) const DEFAULT: UnixTime = UnixTime::from_seconds(1_800_000_000);

/// The clock that is not usable. With it every token has expired.
const UNKNOWN: u64 = u64::MAX;

/// The lifetime of a token here, if nothing requires a shorter one.
const LIFETIME: f64 = 300.0;

/// The instant, and the token's times.
pub(super) struct TimeValues {
    pub(super) at: UnixTime,
    pub(super) claims: Map<String, Value>,
}

/// Times that fit the statements.
///
/// What is said compares times with constants, give or take the leeway, or the leeway and the longest lifetime: so one
/// of the constants with these differences, or the second before or after, is in each class of instants.
pub(super) fn solve(
    context: Context<'_>,
    said: &[Said<'_, '_>],
    meter: &mut Meter,
) -> Result<Option<TimeValues>, OutOfBudget> {
    let numbers = numbers_of(said);
    let limits = Limits::of(context);
    let mut constants: Vec<i64> = numbers.iter().copied().map(whole).collect();
    let given =
        ["exp", "iat", "nbf"].into_iter().filter_map(|name| context.bounds.claims.get(name)?.as_f64());
    constants.extend(given.flat_map(|given| [whole(given), whole(given).saturating_add(1)]));
    for (atom, _) in said {
        match atom {
            Atom::Period(period, _) => {
                let ends = period.not_before.into_iter().chain(period.not_after);
                constants.extend(ends.map(seconds));
            }
            Atom::IssuedBefore(instant) => constants.push(seconds(*instant)),
            _ => {}
        }
    }
    constants.sort_unstable();
    constants.dedup();
    let instants = match context.bounds.at {
        Some(at) => vec![at.as_seconds()],
        None => instants(context, limits, &constants),
    };
    for at in instants {
        meter.spend(said.len().saturating_add(1))?;
        let is_within = said.iter().all(|(atom, holds)| match atom {
            Atom::Period(period, effect) => is_within(*period, *effect, at) == *holds,
            _ => true,
        });
        if is_within && let Some(found) = claims_at(context, said, at, limits, &numbers, meter)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What the issuers that must accept the token ask of its times: of each, the strictest.
#[derive(Clone, Copy)]
struct Limits {
    leeway: u32,
    life: Option<u32>,
}

impl Limits {
    fn of(context: Context<'_>) -> Self {
        let issuers = || context.issuers.iter();
        Self {
            leeway: issuers().map(|issuer| issuer.leeway_seconds()).min().unwrap_or_default(),
            life: issuers().filter_map(|issuer| issuer.max_lifetime_seconds()).min(),
        }
    }
}

fn seconds(instant: UnixTime) -> i64 {
    i64::try_from(instant.as_seconds()).unwrap_or(i64::MAX)
}

/// The whole number at or below.
#[allow(clippy::cast_possible_truncation, reason = "a number that is too large becomes the largest")]
fn whole(number: f64) -> i64 {
    number.floor() as i64
}

/// The numbers that tests compare the token's times with.
fn numbers_of(said: &[Said<'_, '_>]) -> Vec<f64> {
    let scalars = said.iter().filter_map(|(atom, _)| match atom {
        Atom::Claim(name, test) if is_numeric_date(name) => Some(test.scalars()),
        _ => None,
    });
    let mut numbers: Vec<f64> = scalars.flatten().filter_map(|value| value.as_f64()).collect();
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    numbers
}

fn instants(context: Context<'_>, limits: Limits, constants: &[i64]) -> Vec<u64> {
    let (leeway, life) = (i64::from(limits.leeway), i64::from(limits.life.unwrap_or_default()));
    let mut spans = vec![0, leeway, leeway.saturating_add(life)];
    spans.dedup();
    let mut instants = vec![DEFAULT.as_seconds()];
    for constant in constants {
        for span in &spans {
            for around in [constant.saturating_sub(*span), constant.saturating_add(*span)] {
                let near = [around, around.saturating_sub(1), around.saturating_add(1)];
                instants.extend(near.into_iter().map(|instant| u64::try_from(instant).unwrap_or(0)));
            }
        }
    }
    instants.push(0);
    let mut seen = HashSet::new();
    instants.retain(|instant| seen.insert(*instant));
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
///
/// Each of them is a number that a test names, or lies between such numbers. Tests name whole numbers, so a half is
/// always between them. The later a token is issued the longer it may live: so it is issued as late as the statements
/// allow, or half a second before that.
fn claims_at(
    context: Context<'_>,
    said: &[Said<'_, '_>],
    at: u64,
    limits: Limits,
    numbers: &[f64],
    meter: &mut Meter,
) -> Result<Option<TimeValues>, OutOfBudget> {
    let found = |claims| Ok(Some(TimeValues { at: UnixTime::from_seconds(at), claims }));
    if *context.who == Who::Anonymous {
        return found(Map::new());
    }
    let now = in_seconds(at);
    let (leeway, life) = (f64::from(limits.leeway), limits.life.map(f64::from));
    let named = || numbers.iter().map(|number| Some(*number));
    let mut issued = vec![Some(now), Some(now + leeway), Some(now + leeway - 0.5)];
    for (atom, _) in said {
        if let Atom::IssuedBefore(instant) = atom {
            let instant = in_seconds(instant.as_seconds());
            issued.extend([instant, instant - 1.0, instant - 0.5].map(Some));
        }
    }
    issued.extend(named());
    issued.push(None);
    let mut not_before = vec![None, Some(now), Some(now - 0.5)];
    not_before.extend(named());
    let may_be = |name: &str, values: Vec<Option<f64>>| -> Vec<Option<Value>> {
        let values = match context.bounds.claims.get(name) {
            Some(given) => vec![Some(given.clone())],
            None => values.into_iter().map(|value| value.map(number)).collect(),
        };
        let tests = tests_of(name, said);
        values.into_iter().filter(|value| holds_all(&tests, value.as_ref())).collect()
    };
    // RFC 7519 sections 4.1.4 to 4.1.6, as in the core.
    let date = |value: &Option<Value>| value.as_ref().map(Value::as_f64);
    let is_past = |value: &Option<Value>| match date(value) {
        None => true,
        Some(date) => date.is_some_and(|date| date <= now + leeway),
    };
    let Some(nbf) = may_be("nbf", not_before).into_iter().find(is_past) else { return Ok(None) };
    for iat in may_be("iat", issued).into_iter().filter(is_past).filter(|iat| is_issued_as_said(said, iat)) {
        meter.spend(1)?;
        let from = date(&iat).flatten();
        if life.is_some() && from.is_none() {
            continue;
        }
        let latest = life.and_then(|life| Some(from? + life));
        let lifetime = life.unwrap_or(LIFETIME).min(LIFETIME);
        let mut expires = vec![
            Some(now + lifetime),
            Some(from.unwrap_or(now) + life.unwrap_or(LIFETIME)),
            Some(now + 1.0),
            Some(now - leeway + 0.5),
        ];
        expires.extend(named());
        let lives = |exp: &Option<Value>| {
            let exp = date(exp).flatten();
            exp.is_some_and(|exp| exp > now - leeway && latest.is_none_or(|latest| exp <= latest))
        };
        if let Some(exp) = may_be("exp", expires).into_iter().find(lives) {
            let named = [("exp", exp), ("iat", iat), ("nbf", nbf)];
            let claims = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
            return found(claims.collect());
        }
    }
    Ok(None)
}

#[allow(clippy::cast_precision_loss, reason = "exact for the next 285 million years")]
fn in_seconds(instant: u64) -> f64 {
    instant as f64
}

/// A NumericDate: it need not be whole.
#[allow(clippy::cast_precision_loss, reason = "it is only compared with what it came from")]
fn number(seconds: f64) -> Value {
    let integer = whole(seconds);
    if integer as f64 == seconds { Value::from(integer) } else { Value::from(seconds) }
}

fn is_issued_as_said(said: &[Said<'_, '_>], iat: &Option<Value>) -> bool {
    let iat = iat.as_ref().and_then(Value::as_f64);
    said.iter().all(|(atom, holds)| match atom {
        Atom::IssuedBefore(instant) => iat.is_none_or(|iat| iat < in_seconds(instant.as_seconds())) == *holds,
        _ => true,
    })
}
