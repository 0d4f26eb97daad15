//! Whom and what the policies trust: whose token is believed, and what an answer does. Setting by setting, with values.

mod browser;
mod issuer;
mod keys;
mod sign_in;

use authorizer_core::logged_claims::ClaimHasher;
use authorizer_core::policy::Policy;
use authorizer_core::rules::Effect as RuleEffect;
use authorizer_core::token::Issuer;
use serde_json::{Map, Value};

use super::comparison::{Cell, Comparison, NEW, OLD};
use super::model::{AccessChange, Direction, Effect, SettingChange, TrustChange};
use super::pairs::Pair;
use crate::engine::{Bounds, Token, Who, Witness};
use crate::words::on_one_line;

/// The changes from the old policy to the new.
pub(super) fn changes(comparison: &Comparison<'_>, [old, new]: [&Policy; 2]) -> Vec<TrustChange> {
    let mut changes = Vec::new();
    let find = |policy: &'_ Policy, issuer: &Issuer| {
        policy.issuers().iter().find(|other| other.issuer() == issuer.issuer()).cloned()
    };
    for after in new.issuers() {
        changes.extend(issuer::changes(comparison, find(old, after).as_ref(), Some(after)));
    }
    for before in old.issuers().iter().filter(|issuer| find(new, issuer).is_none()) {
        changes.extend(issuer::changes(comparison, Some(before), None));
    }
    changes.extend(browser::changes(old, new));
    changes.extend(sign_in::changes(old, new));
    changes
}

/// What cannot be compared, because a secret's file is not there in a review of one policy or of both.
pub(super) fn not_here(policies: [&Policy; 2]) -> Vec<&'static str> {
    let mut found: Vec<&'static str> = Vec::new();
    if policies.iter().any(|policy| policy.issuers().iter().any(Issuer::has_stand_in_secret)) {
        found.push("`secret` of an issuer cannot be compared: its file is not here");
    }
    found.extend(sign_in::not_here(policies));
    found
}

/// What is not the same, and on which no decision depends.
pub(super) fn other_settings([old, new]: [&Policy; 2], pairs: &[Pair]) -> Vec<SettingChange> {
    let mut changes = Vec::new();
    let mut note = |setting, old: String, new: String| {
        if old != new {
            changes.push(SettingChange { setting, old, new });
        }
    };
    let shown = |policy: &Policy| format!("{:?}", policy.subject_logging()).to_lowercase();
    note("log.subject", shown(old), shown(new));
    let [before, after] = claims_in_the_log(old.claim_hasher(), new.claim_hasher());
    note("log.claims_salt", before.to_owned(), after.to_owned());
    for after in new.issuers() {
        if let Some(before) = old.issuers().iter().find(|other| other.issuer() == after.issuer()) {
            note("issuers.name", before.name().to_owned(), after.name().to_owned());
        }
    }
    for pair in pairs {
        let id = |policy: &'_ Policy, at: Option<usize>| {
            at.and_then(|at| policy.rules().get(at)).map(|rule| rule.id().to_owned())
        };
        if let (Some(before), Some(after)) = (id(old, pair.old), id(new, pair.new)) {
            note("rules.id", before, after);
        }
    }
    changes
}

/// What the log has of claims, before and after. The salt itself is never shown.
fn claims_in_the_log(old: Option<&ClaimHasher>, new: Option<&ClaimHasher>) -> [&'static str; 2] {
    match (old, new) {
        (None, None) => ["not logged", "not logged"],
        (None, Some(_)) => ["not logged", "hashed"],
        (Some(_), None) => ["hashed", "not logged"],
        (Some(old), Some(new)) if old.is_salted_as(new) => ["hashed", "hashed"],
        (Some(_), Some(_)) => ["hashed", "hashed with another salt"],
    }
}

/// A change without a request.
fn change(
    setting: &'static str,
    issuer: Option<&str>,
    what: impl Into<String>,
    [old, new]: [Option<String>; 2],
    direction: Direction,
) -> TrustChange {
    TrustChange {
        setting,
        issuer: issuer.map(str::to_owned),
        what: what.into(),
        old,
        new,
        direction,
        effect: Effect::Decides,
        request: None,
    }
}

/// The direction of a change to a greater value.
fn wider_if(is_so: bool) -> Direction {
    if is_so { Direction::Wider } else { Direction::Narrower }
}

/// A text of the policy in a sentence. Only what is between two backticks is of the policy.
fn quoted(text: &str) -> String {
    format!("`{}`", on_one_line(text).replace('`', "\\u{60}"))
}

/// The members that only one of two lists has, each once: with its direction, those that are new first.
fn only_in_one<T: PartialEq + Clone>(before: &[T], after: &[T]) -> Vec<(T, Direction)> {
    let mut found: Vec<(T, Direction)> = Vec::new();
    for (own, other, direction) in [(after, before, Direction::Wider), (before, after, Direction::Narrower)] {
        for one in own {
            if !other.contains(one) && !found.iter().any(|(known, _)| known == one) {
                found.push((one.clone(), direction));
            }
        }
    }
    found
}

/// The values of a member of a list: it is in one of the two policies.
fn of_member(value: String, direction: Direction) -> [Option<String>; 2] {
    match direction {
        Direction::Narrower => [Some(value), None],
        Direction::Wider | Direction::Other => [None, Some(value)],
    }
}

/// A token that one policy takes and the other does not.
struct Asked<'a> {
    issuer: &'a str,
    /// The policy that takes it.
    taking: usize,
    /// The claims that it has.
    claims: Map<String, Value>,
    /// Changes a token that the policy takes.
    adapt: &'a dyn Fn(&mut Witness),
    /// The other policy's word for it.
    reason: &'static str,
}

/// Rules that are tried for a request with such a token.
const MOST_RULES: usize = 32;

impl Comparison<'_> {
    /// A request with such a token. Both policies have decided on it.
    fn with_token(&self, asked: &Asked<'_>) -> Option<Box<AccessChange>> {
        let who = &Who::Token(asked.issuer.to_owned());
        let bounds = Bounds { claims: asked.claims.clone(), ..Bounds::default() };
        let allows = self.engine.with_effect(asked.taking, RuleEffect::Allow, None);
        for rule in allows.into_iter().take(MOST_RULES) {
            let Some(one) = self.engine.rule(rule) else { continue };
            let near = &self.near(one);
            let exclude = near.with_effect(asked.taking, RuleEffect::Deny, None);
            let could = |operation: &_| self.engine.could_match(rule, *operation, who);
            let Some(operation) = one.operations().iter().find(could) else { continue };
            let cell = Cell { rule, operation, who, near };
            for other in [Token::Valid, Token::Invalid] {
                // That there is no answer in time is no harm: the change is told without a request.
                let found = self.ask_within(&bounds, &cell, &[], &exclude, other, None);
                let Ok(Some(mut request)) = found else { continue };
                (asked.adapt)(&mut request);
                let change = self.access(&cell, one, request);
                let (refusing, allowing) = match asked.taking {
                    OLD => (&change.new, &change.old),
                    _ => (&change.old, &change.new),
                };
                if allowing.allowed && !refusing.allowed && refusing.reason == asked.reason {
                    return Some(Box::new(change));
                }
            }
        }
        None
    }
}

/// The policy that takes what a change is about.
fn taking(direction: Direction) -> usize {
    match direction {
        Direction::Narrower => OLD,
        Direction::Wider | Direction::Other => NEW,
    }
}
