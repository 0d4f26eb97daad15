//! Whom and what the policies trust: what shows in no request that could be made up without an issuer's keys, or in
//! none that reaches the rules.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use authorizer_core::cors::{AllowedOrigins, Cors};
use authorizer_core::policy::Policy;
use authorizer_core::token::{Issuer, JwsAlgorithm, KeySet};
use serde::Serialize;

use super::Direction;

/// Something whose trust changed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct TrustChange {
    /// The issuer, by its `iss`; `None` if the change is not about an issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What is trusted, in words.
    pub what: String,
    /// Whether more is trusted.
    pub direction: Direction,
}

/// The changes from the old policy to the new.
pub(super) fn changes(old: &Policy, new: &Policy) -> Vec<TrustChange> {
    let mut changes = Vec::new();
    let find = |policy: &'_ Policy, issuer: &Issuer| {
        policy.issuers().iter().position(|other| other.issuer() == issuer.issuer())
    };
    for issuer in new.issuers() {
        match find(old, issuer).and_then(|at| old.issuers().get(at)) {
            None => changes.push(of_issuer(issuer, "its tokens are accepted", Direction::Wider)),
            Some(before) => changes.extend(changes_of(before, issuer)),
        }
    }
    for issuer in old.issuers().iter().filter(|issuer| find(new, issuer).is_none()) {
        changes.push(of_issuer(issuer, "its tokens are no longer accepted", Direction::Narrower));
    }
    let (before, after) = (old.credentials(), new.credentials());
    changes.extend(place("cookie", before.cookie.as_deref(), after.cookie.as_deref()));
    changes.extend(place("query parameter", before.query.as_deref(), after.query.as_deref()));
    changes.extend(ignored(old, new));
    changes.extend(cors_changes(old.cors(), new.cors()));
    changes
}

fn of_issuer(issuer: &Issuer, what: impl Into<String>, direction: Direction) -> TrustChange {
    TrustChange { issuer: Some(issuer.issuer().to_owned()), what: what.into(), direction }
}

fn changes_of(before: &Issuer, after: &Issuer) -> Vec<TrustChange> {
    let mut changes = Vec::new();
    let mut note = |what: String, direction| changes.push(of_issuer(after, what, direction));
    for (which, one, other, direction) in
        [("added", after, before, Direction::Wider), ("removed", before, after, Direction::Narrower)]
    {
        let known = other.algorithms();
        let algorithms: Vec<&str> = one
            .algorithms()
            .into_iter()
            .filter(|algorithm| !known.contains(algorithm))
            .map(JwsAlgorithm::name)
            .collect();
        if !algorithms.is_empty() {
            note(format!("trusted algorithms {which}: {}", algorithms.join(", ")), direction);
        }
        let keys = keys_beyond(one.bundled_keys(), other.bundled_keys());
        if !keys.is_empty() {
            note(format!("trusted keys {which}: {}", keys.join(", ")), direction);
        }
    }
    match (before.remote_keys(), after.remote_keys()) {
        (None, Some(remote)) => note(format!("its keys are fetched from `{}`", remote.url), Direction::Wider),
        (Some(remote), None) => {
            note(format!("its keys are no longer fetched from `{}`", remote.url), Direction::Narrower);
        }
        (Some(one), Some(other)) if one.url != other.url => {
            note(
                format!("its keys are fetched from `{}`, not from `{}`", other.url, one.url),
                Direction::Other,
            );
        }
        (Some(one), Some(other)) if one != other => note(
            format!(
                "max_age_seconds and max_stale_seconds: {} and {}, before {} and {}",
                other.max_age_seconds, other.max_stale_seconds, one.max_age_seconds, one.max_stale_seconds
            ),
            match one.max_stale_seconds.cmp(&other.max_stale_seconds) {
                Ordering::Less => Direction::Wider,
                Ordering::Greater if one.max_age_seconds >= other.max_age_seconds => Direction::Narrower,
                Ordering::Equal if one.max_age_seconds < other.max_age_seconds => Direction::Wider,
                Ordering::Equal => Direction::Narrower,
                Ordering::Greater => Direction::Other,
            },
        ),
        (None, None) | (Some(_), Some(_)) => {}
    }
    if before.has_secret() && after.has_secret() && !after.has_secret_of(before) {
        note("its secret is different".to_owned(), Direction::Other);
    }
    if before.accepts_bound_tokens() != after.accepts_bound_tokens() {
        let (what, direction) = match after.accepts_bound_tokens() {
            true => ("tokens that are bound to a key (`cnf`) are accepted from anyone", Direction::Wider),
            false => ("tokens that are bound to a key (`cnf`) are no longer accepted", Direction::Narrower),
        };
        note(what.to_owned(), direction);
    }
    let longer = |before: u64, after: u64| {
        if after > before { Direction::Wider } else { Direction::Narrower }
    };
    let (leeway_before, leeway) = (before.leeway_seconds(), after.leeway_seconds());
    if leeway_before != leeway {
        let direction = longer(leeway_before.into(), leeway.into());
        note(format!("leeway_seconds: {leeway_before}, now {leeway}"), direction);
    }
    let life = |issuer: &Issuer| issuer.max_lifetime_seconds();
    if life(before) != life(after) {
        let in_seconds = |life: Option<u32>| life.map_or(u64::MAX, u64::from);
        let shown = |life: Option<u32>| life.map_or("none".to_owned(), |life| life.to_string());
        note(
            format!("max_lifetime_seconds: {}, now {}", shown(life(before)), shown(life(after))),
            longer(in_seconds(life(before)), in_seconds(life(after))),
        );
    }
    changes
}

/// The `kid`s of the keys that only one issuer has.
fn keys_beyond(one: Option<&KeySet>, other: Option<&KeySet>) -> Vec<String> {
    let Some(one) = one else { return Vec::new() };
    let beyond: BTreeSet<String> = one
        .beyond(other)
        .into_iter()
        .map(|kid| kid.map_or("one without a kid".to_owned(), |kid| format!("`{}`", kid.escape_debug())))
        .collect();
    beyond.into_iter().collect()
}

/// The query parameters that reads drop: a request with one of them is let in where it was refused.
fn ignored(old: &Policy, new: &Policy) -> Vec<TrustChange> {
    let beyond = |one: &Policy, other: &Policy, what: &str, direction| {
        let names = one.ignored_parameters().iter().filter(|name| !other.ignored_parameters().contains(name));
        let what = |name: &String| format!("reads {what} the query parameter `{name}`");
        names.map(|name| TrustChange { issuer: None, what: what(name), direction }).collect::<Vec<_>>()
    };
    let mut changes = beyond(new, old, "drop", Direction::Wider);
    changes.extend(beyond(old, new, "no longer drop", Direction::Narrower));
    changes
}

/// A place of a token.
fn place(what: &str, before: Option<&str>, after: Option<&str>) -> Option<TrustChange> {
    let change = |what, direction| Some(TrustChange { issuer: None, what, direction });
    match (before, after) {
        (before, after) if before == after => None,
        (None, Some(name)) => change(format!("a token may be in the {what} `{name}`"), Direction::Wider),
        (Some(name), None) => {
            change(format!("a token may no longer be in the {what} `{name}`"), Direction::Narrower)
        }
        (before, after) => change(
            format!(
                "a token may be in the {what} `{}`, not in `{}`",
                after.unwrap_or_default(),
                before.unwrap_or_default()
            ),
            Direction::Other,
        ),
    }
}

fn cors_changes(before: Option<&Cors>, after: Option<&Cors>) -> Vec<TrustChange> {
    let mut changes = Vec::new();
    let mut note = |what: &str, direction| {
        changes.push(TrustChange { issuer: None, what: what.to_owned(), direction });
    };
    if has_origins_beyond(after, before) {
        note("pages of more origins may use the distribution", Direction::Wider);
    }
    if has_origins_beyond(before, after) {
        note("pages of fewer origins may use the distribution", Direction::Narrower);
    }
    let credentials = |cors: Option<&Cors>| cors.is_some_and(Cors::credentials);
    match (credentials(before), credentials(after)) {
        (false, true) => note("pages of other origins may send cookies", Direction::Wider),
        (true, false) => note("pages of other origins may no longer send cookies", Direction::Narrower),
        (true, true) | (false, false) => {}
    }
    let headers = |cors: Option<&Cors>| -> BTreeSet<String> {
        cors.map(Cors::exposed_headers)
            .unwrap_or_default()
            .iter()
            .map(|one| one.to_ascii_lowercase())
            .collect()
    };
    if !headers(after).is_subset(&headers(before)) {
        note("pages of other origins may read more response headers", Direction::Wider);
    }
    if !headers(before).is_subset(&headers(after)) {
        note("pages of other origins may read fewer response headers", Direction::Narrower);
    }
    changes
}

/// Whether one list has an origin that the other does not have.
fn has_origins_beyond(one: Option<&Cors>, other: Option<&Cors>) -> bool {
    match (one.map(Cors::origins), other.map(Cors::origins)) {
        (None, _) | (Some(_), Some(AllowedOrigins::Any)) => false,
        (Some(AllowedOrigins::Any), _) => true,
        (Some(AllowedOrigins::Listed(listed)), None) => !listed.is_empty(),
        (Some(AllowedOrigins::Listed(listed)), Some(AllowedOrigins::Listed(known))) => {
            listed.iter().any(|origin| !known.contains(origin))
        }
    }
}
