//! What a new policy allows that the old one did not, and what it no longer allows.
//!
//! Two policies are compared by their decisions, not by their text. An access is granted if one policy refuses some
//! request and the other forwards it. Each access comes with such a request, which the core has decided with both
//! policies. Without such a request, nothing is reported: rules that were renamed, moved, split or joined, and have
//! the same meaning, are not a difference.
//!
//! A policy forwards a request if some allow rule matches and no deny rule does. The other policy refuses it if it
//! does not accept the token, if no allow rule matches, or if some deny rule does: each is a separate question to
//! the engine. The first allow rule that matches also decides what is stored, so this is compared too if both
//! policies forward the request.

mod same;
mod trust;

use std::collections::BTreeSet;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

use authorizer_core::Authorizer;
use authorizer_core::operation::S3Operation;
use authorizer_core::rules::{Effect, Rule};
use serde::Serialize;

use self::same::Sameness;
pub use self::trust::TrustChange;
use crate::engine::{
    Bounds, Engine, EngineError, MetadataDifference, Question, Replayed, RuleRef, Token, Who, Witness,
    could_overlap, metadata_differences, only_creates,
};
use crate::folders::Folder;

/// Whether a change allows more.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// It allows more.
    Wider,
    /// It allows less.
    Narrower,
    /// Both, or unknown: it allows something else.
    Other,
}

/// The differences between two policies.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PolicyDiff {
    /// What the new policy allows and the old one does not.
    pub granted: Vec<AccessChange>,
    /// What the old policy allows and the new one does not.
    pub revoked: Vec<AccessChange>,
    /// What both allow, but store differently.
    pub stored_otherwise: Vec<StorageChange>,
    /// Changes of trust that no request without the issuer's keys could show.
    pub trust: Vec<TrustChange>,
}

/// An operation that one policy allows and the other does not.
#[derive(Clone, Debug, Serialize)]
pub struct AccessChange {
    /// The rule that allows it.
    pub rule: String,
    /// The operation.
    pub operation: S3Operation,
    /// The issuer of the token, by its `iss`; `None` for a request without a token.
    pub issuer: Option<String>,
    /// A request that shows it.
    pub request: Witness,
    /// The decision of the old policy.
    pub old: Replayed,
    /// The decision of the new policy.
    pub new: Replayed,
}

/// An upload that both policies allow, but that they change in different ways.
#[derive(Clone, Debug, Serialize)]
pub struct StorageChange {
    /// `overwrite`, or the metadata that differs, as `metadata NAME`.
    pub what: String,
    /// Whether the change allows more.
    pub direction: Direction,
    /// The same as for an access, for the rule of the new policy.
    #[serde(flatten)]
    pub access: AccessChange,
}

impl PolicyDiff {
    /// Whether the policies mean the same.
    pub fn is_empty(&self) -> bool {
        self.granted.is_empty()
            && self.revoked.is_empty()
            && self.stored_otherwise.is_empty()
            && self.trust.is_empty()
    }

    /// Whether anything new is allowed, stored or trusted.
    pub fn grants(&self) -> bool {
        let widens = |direction: Direction| direction != Direction::Narrower;
        !self.granted.is_empty()
            || self.stored_otherwise.iter().any(|change| widens(change.direction))
            || self.trust.iter().any(|change| widens(change.direction))
    }
}

/// Compares two policies.
///
/// ```
/// use authorizer_analysis::diff;
/// use authorizer_core::{Authorizer, Bundle};
/// use serde_json::json;
///
/// fn authorizer(keys: &str) -> Result<Authorizer, Box<dyn std::error::Error>> {
///     let rule = json!({"id": "public", "effect": "allow", "methods": ["GET"], "keys": [keys], "anonymous": true});
///     let document = serde_json::from_value(json!({"version": 1, "rules": [rule]}))?;
///     Ok(Authorizer::new(Bundle::read(&Bundle::write(&document)?)?))
/// }
///
/// let found = diff(&authorizer("public/*")?, &authorizer("public/**")?)?;
/// assert!(!found.granted.is_empty() && found.revoked.is_empty());
/// // Each access that is granted comes with a request that only the new policy lets in.
/// assert!(found.granted.iter().all(|change| !change.old.allowed && change.new.allowed));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`EngineError`]: the analysis did not finish.
pub fn diff(old: &Authorizer, new: &Authorizer) -> Result<PolicyDiff, EngineError> {
    let sides = [old, new];
    let roots = sides.map(|side| Folder::of(side.bundle().policy().rules()));
    let (engine, same, bounds) = (Engine::new(&sides), Sameness::of(&sides), Bounds::default());
    let comparison = Comparison { engine, same, bounds, roots };
    Ok(PolicyDiff {
        granted: comparison.granted(OLD, NEW)?,
        revoked: comparison.granted(NEW, OLD)?,
        stored_otherwise: comparison.stored_otherwise()?,
        trust: trust::changes(old.bundle().policy(), new.bundle().policy()),
    })
}

const OLD: usize = 0;
const NEW: usize = 1;

/// With this many rules, a separate thread is worth it.
const FEWEST_IN_A_SHARE: usize = 16;

struct Comparison<'p> {
    engine: Engine<'p>,
    same: Sameness,
    bounds: Bounds,
    /// For each policy its rules, by their keys.
    roots: [Folder; 2],
}

/// A rule, an operation and a principal: the place to look for a request.
struct Cell<'c> {
    rule: RuleRef,
    operation: S3Operation,
    who: &'c Who,
    near: &'c Near<'c>,
}

/// For each policy the rules that overlap with a rule: a request that it matches cannot match any other rule.
struct Near<'p>([Vec<(RuleRef, &'p Rule)>; 2]);

impl<'p> Near<'p> {
    /// The rules with this effect; with `before`, only those before it.
    fn with_effect(&self, side: usize, effect: Effect, before: Option<usize>) -> Vec<RuleRef> {
        let of_effect = self.of(side).filter(|(_, one)| one.effect() == effect).map(|(at, _)| at);
        of_effect.filter(|at| before.is_none_or(|before| at.rule < before)).collect()
    }

    fn of(&self, side: usize) -> impl Iterator<Item = (RuleRef, &'p Rule)> {
        self.0.get(side).into_iter().flatten().copied()
    }
}

impl<'p> Comparison<'p> {
    fn near(&self, rule: &Rule) -> Near<'p> {
        let near = |side: usize| {
            let places = self.roots.get(side).map(|root| root.near(rule)).unwrap_or_default();
            let refs = places.into_iter().map(|rule| RuleRef { side, rule });
            refs.filter_map(|at| Some((at, self.engine.rule(at)?))).collect()
        };
        Near([near(OLD), near(NEW)])
    }

    /// What `to` allows and `from` does not.
    fn granted(&self, from: usize, to: usize) -> Result<Vec<AccessChange>, EngineError> {
        let everyone = self.engine.everyone(to);
        self.of_allows(to, |rule, one| self.granted_by(rule, one, &everyone, from))
    }

    /// The results for each allow rule, in the order of the rules. The rules are independent, so each processor
    /// takes a share.
    fn of_allows<T: Send>(
        &self,
        side: usize,
        find: impl Fn(RuleRef, &'p Rule) -> Result<Vec<T>, EngineError> + Sync,
    ) -> Result<Vec<T>, EngineError> {
        let rules = self.engine.with_effect(side, Effect::Allow, None);
        let of_share = |rules: &[RuleRef]| -> Result<Vec<T>, EngineError> {
            let mut found = Vec::new();
            for rule in rules {
                let Some(one) = self.engine.rule(*rule) else { continue };
                found.extend(find(*rule, one)?);
            }
            Ok(found)
        };
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        let share = rules.len().div_ceil(processors).max(FEWEST_IN_A_SHARE);
        let shares: Vec<_> = thread::scope(|scope| {
            let shares: Vec<_> =
                rules.chunks(share).map(|rules| scope.spawn(move || of_share(rules))).collect();
            shares
                .into_iter()
                .map(|share| share.join().unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        });
        shares.into_iter().collect::<Result<Vec<_>, _>>().map(|shares| shares.into_iter().flatten().collect())
    }

    fn granted_by(
        &self,
        rule: RuleRef,
        one: &'p Rule,
        everyone: &[Who],
        from: usize,
    ) -> Result<Vec<AccessChange>, EngineError> {
        let near = &self.near(one);
        let mut changes = Vec::new();
        for who in everyone {
            for operation in one.operations().iter() {
                let cell = Cell { rule, operation, who, near };
                if let Some(witness) = self.grant(&cell, one, from)? {
                    changes.push(self.change(&cell, one, witness, from)?);
                }
            }
        }
        Ok(changes)
    }

    /// A request that the rule allows in its policy and that the other policy refuses.
    fn grant(&self, cell: &Cell<'_>, one: &'p Rule, from: usize) -> Result<Option<Witness>, EngineError> {
        let to = cell.rule.side;
        if !self.engine.could_match(cell.rule, cell.operation, cell.who) {
            return Ok(None);
        }
        let mut exclude = cell.near.with_effect(to, Effect::Deny, None);
        exclude.extend(cell.near.with_effect(to, Effect::Allow, Some(cell.rule.rule)));
        // The other policy does not accept the token.
        if !self.same.takes_same_tokens(cell.who)
            && let Some(witness) = self.ask(cell, &[], &exclude, Token::Invalid, None)?
        {
            return Ok(Some(witness));
        }
        // None of its allow rules matches.
        if !self.same.has_like(cell.rule, from) {
            let allows = cell.near.with_effect(from, Effect::Allow, None);
            let exclude = [exclude.as_slice(), &allows].concat();
            if let Some(witness) = self.ask(cell, &[], &exclude, Token::Valid, None)? {
                return Ok(Some(witness));
            }
        }
        // One of its deny rules does.
        for deny in cell.near.with_effect(from, Effect::Deny, None) {
            let overlap = self.engine.rule(deny).is_some_and(|deny| could_overlap(one, deny, cell.operation));
            if overlap
                && !self.same.has_like(deny, to)
                && let Some(witness) = self.ask(cell, &[deny], &exclude, Token::Valid, None)?
            {
                return Ok(Some(witness));
            }
        }
        Ok(None)
    }

    /// What both allow, by rules that add something else to the request.
    fn stored_otherwise(&self) -> Result<Vec<StorageChange>, EngineError> {
        let everyone = self.engine.everyone(NEW);
        self.of_allows(NEW, |rule, one| {
            let near = &self.near(one);
            let mut changes = Vec::new();
            for operation in one.operations().iter() {
                for who in &everyone {
                    let cell = Cell { rule, operation, who, near };
                    if self.engine.could_match(rule, operation, who) {
                        changes.extend(self.stored_otherwise_by(&cell, one)?);
                    }
                }
            }
            Ok(changes)
        })
    }

    fn stored_otherwise_by(&self, cell: &Cell<'_>, one: &'p Rule) -> Result<Vec<StorageChange>, EngineError> {
        let mut changes = Vec::new();
        let mut seen = BTreeSet::new();
        let allows = cell.near.of(OLD).filter(|(_, other)| other.effect() == Effect::Allow);
        for (before, other) in allows {
            let kinds = kinds_of_change(other, one, cell.operation);
            if kinds.is_empty()
                || !could_overlap(one, other, cell.operation)
                // If both policies have the same rules, the first one decides in both.
                || self.same.has_like_before(cell.rule, before)
                || self.same.has_like_before(before, cell.rule)
            {
                continue;
            }
            let exclude = [
                cell.near.with_effect(NEW, Effect::Deny, None),
                cell.near.with_effect(NEW, Effect::Allow, Some(cell.rule.rule)),
                cell.near.with_effect(OLD, Effect::Deny, None),
                cell.near.with_effect(OLD, Effect::Allow, Some(before.rule)),
            ]
            .concat();
            for (what, direction, difference) in kinds {
                let Some(witness) = self.ask(cell, &[before], &exclude, Token::Valid, difference)? else {
                    continue;
                };
                if seen.insert(what.clone()) {
                    changes.push(StorageChange { what, direction, access: self.access(cell, one, witness) });
                }
            }
        }
        Ok(changes)
    }

    fn ask(
        &self,
        cell: &Cell<'_>,
        also: &[RuleRef],
        exclude: &[RuleRef],
        other_token: Token,
        difference: Option<MetadataDifference<'p>>,
    ) -> Result<Option<Witness>, EngineError> {
        let tokens = match cell.rule.side {
            OLD => [Token::Valid, other_token],
            _ => [other_token, Token::Valid],
        };
        let require = [[cell.rule].as_slice(), also].concat();
        self.engine.find(&Question {
            operation: cell.operation,
            who: cell.who,
            bounds: &self.bounds,
            tokens: &tokens,
            require: &require,
            exclude,
            within: None,
            difference,
        })
    }

    fn access(&self, cell: &Cell<'_>, one: &Rule, request: Witness) -> AccessChange {
        let replay = |side| self.engine.authorizer(side).map(|side| request.replay(side)).unwrap_or_default();
        AccessChange {
            rule: one.id().to_owned(),
            operation: cell.operation,
            issuer: cell.who.issuer().map(str::to_owned),
            old: replay(OLD),
            new: replay(NEW),
            request,
        }
    }

    /// The change, after both policies have decided as claimed.
    fn change(
        &self,
        cell: &Cell<'_>,
        one: &Rule,
        request: Witness,
        from: usize,
    ) -> Result<AccessChange, EngineError> {
        let change = self.access(cell, one, request);
        let (refusing, allowing) =
            if from == OLD { (&change.old, &change.new) } else { (&change.new, &change.old) };
        let is_as_claimed =
            !refusing.allowed && allowing.allowed && allowing.rule.as_deref() == Some(one.id());
        match is_as_claimed {
            true => Ok(change),
            false => Err(EngineError::unconfirmed(
                &change.request,
                format!("the decisions are {} and {}", change.old.reason, change.new.reason),
            )),
        }
    }
}

/// The ways in which two rules could change the same upload, one by one.
fn kinds_of_change<'p>(
    old: &'p Rule,
    new: &'p Rule,
    operation: S3Operation,
) -> Vec<(String, Direction, Option<MetadataDifference<'p>>)> {
    let mut kinds = Vec::new();
    match (only_creates(old, operation), only_creates(new, operation)) {
        (true, false) => kinds.push(("overwrite".to_owned(), Direction::Wider, None)),
        (false, true) => kinds.push(("overwrite".to_owned(), Direction::Narrower, None)),
        (true, true) | (false, false) => {}
    }
    let metadata = metadata_differences(old, new, operation);
    kinds.extend(
        metadata.into_iter().map(|one| (format!("metadata {}", one.name), Direction::Other, Some(one))),
    );
    kinds
}

#[cfg(test)]
mod tests;
