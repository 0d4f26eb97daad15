//! The order in which changes are told: what opens most comes first.

use std::cmp::Reverse;

use authorizer_core::operation::S3Operation;
use authorizer_core::rules::{KeyPattern, Segment};

use super::model::{ChangeKind, Direction, Effect, PartChange, PolicyDiff, RuleChange, TrustChange};

/// How much a change opens. A greater one is told first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Danger {
    /// What has an effect, before what has none.
    decides: bool,
    /// What allows more or something else, before what allows less.
    opens: bool,
    /// Everyone can use it, without a token.
    without_token: bool,
    /// It changes or deletes objects.
    writes: bool,
    /// How many keys, if it is a pattern.
    breadth: u8,
}

/// Sorts what was found. What is equally dangerous stays in the order of the policies.
pub(super) fn sort(found: &mut PolicyDiff) {
    for rule in &mut found.rules {
        rule.parts.sort_by_key(|part| Reverse(of_part(part)));
    }
    found.rules.sort_by_key(|rule| Reverse(of_rule(rule)));
    found.trust.sort_by_key(|change| Reverse(of_trust(change)));
}

fn of_rule(rule: &RuleChange) -> Option<(Danger, bool)> {
    // Of two like changes, a deny rule that is gone comes first: it guards against all allow rules.
    let guards = rule.effect == "deny" && rule.change != ChangeKind::Added;
    rule.parts.iter().map(of_part).max().map(|danger| (danger, guards))
}

fn of_part(part: &PartChange) -> Danger {
    let request = part.opens.as_deref().or(part.closes.as_deref());
    let writes = |operation: S3Operation| !operation.reads_object() && !operation.is_listing();
    let value = part.new.as_deref().or(part.old.as_deref()).unwrap_or_default();
    Danger {
        decides: part.effect != Effect::None,
        opens: part.direction != Direction::Narrower,
        without_token: request.is_some_and(|request| request.issuer.is_none()),
        writes: request.is_some_and(|request| writes(request.operation)),
        breadth: if part.part == "keys" { breadth(value) } else { 2 },
    }
}

/// From a single key to all of them.
fn breadth(pattern: &str) -> u8 {
    let Ok(pattern) = KeyPattern::parse(pattern) else { return 0 };
    let any = |is: fn(&Segment) -> bool| pattern.segments().iter().any(is);
    match pattern.segments() {
        [Segment::AnySegments, ..] => 4,
        _ if any(|one| matches!(one, Segment::AnySegments)) => 3,
        _ if any(|one| matches!(one, Segment::Glob(_) | Segment::Claim(_))) => 1,
        _ => 0,
    }
}

/// The settings by which somebody else's tokens are believed come before those that say how they come.
fn of_trust(change: &TrustChange) -> (bool, bool, u8) {
    let weight = match change.setting {
        "issuers.issuer" => 9,
        "issuers.jwks" | "issuers.jwks.url" | "issuers.secret" => 8,
        "issuers.jwks.kid" | "issuers.algorithms" => 7,
        "revoked" => 6,
        "issuers.audience" | "issuers.client_id" | "issuers.required" | "issuers.token_type" => 5,
        // Whoever has these addresses gets people's codes, and the client's secret.
        "sign_in.issuer" | "sign_in.token_endpoint" | "sign_in.authorization_endpoint" => 5,
        "sign_in.url"
        | "sign_in.origin"
        | "sign_in.client_id"
        | "sign_in.session_token"
        | "sign_in.scopes"
        | "sign_in.response_iss"
        | "sign_in.client_authentication"
        | "sign_in.cookie_key"
        | "sign_in.previous_cookie_key" => 4,
        "sign_in.refresh" | "sign_in.session_seconds" => 3,
        "cors.origins" | "cors.credentials" => 3,
        "credentials.header" | "credentials.cookie" | "credentials.query" => 2,
        _ => 1,
    };
    (change.effect != Effect::None, change.direction != Direction::Narrower, weight)
}
