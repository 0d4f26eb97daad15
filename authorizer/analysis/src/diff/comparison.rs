//! The questions about two policies: who is let in by the one and not by the other, and what is stored differently.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

use authorizer_core::Authorizer;
use authorizer_core::operation::S3Operation;
use authorizer_core::rules::{Effect, Rule};

use super::model::{AccessChange, Direction, StorageChange};
use super::same::Sameness;
use crate::engine::{
    Bounds, Engine, EngineError, MetadataDifference, Question, RuleRef, Token, Who, Witness, could_overlap,
    metadata_differences, only_creates,
};
use crate::folders::Folder;

/// The old policy.
pub(super) const OLD: usize = 0;

/// The new policy.
pub(super) const NEW: usize = 1;

/// With this many rules, a separate thread is worth it.
const FEWEST_IN_A_SHARE: usize = 16;

/// Two policies that are compared.
pub(super) struct Comparison<'p> {
    pub(super) engine: Engine<'p>,
    pub(super) same: Sameness,
    bounds: Bounds,
    /// For each policy its rules, by their keys.
    roots: [Folder; 2],
}

/// A rule, an operation and a principal: the place to look for a request.
pub(super) struct Cell<'c> {
    pub(super) rule: RuleRef,
    pub(super) operation: S3Operation,
    pub(super) who: &'c Who,
    pub(super) near: &'c Near<'c>,
}

/// For each policy the rules that overlap with a rule: a request that it matches cannot match any other rule.
pub(super) struct Near<'p>([Vec<(RuleRef, &'p Rule)>; 2]);

impl<'p> Near<'p> {
    /// The rules with this effect; with `before`, only those before it.
    pub(super) fn with_effect(&self, side: usize, effect: Effect, before: Option<usize>) -> Vec<RuleRef> {
        let of_effect = self.of(side).filter(|(_, one)| one.effect() == effect).map(|(at, _)| at);
        of_effect.filter(|at| before.is_none_or(|before| at.rule < before)).collect()
    }

    fn of(&self, side: usize) -> impl Iterator<Item = (RuleRef, &'p Rule)> {
        self.0.get(side).into_iter().flatten().copied()
    }
}

impl<'p> Comparison<'p> {
    pub(super) fn new(sides: &'p [&'p Authorizer; 2], same: Sameness, extras: &'p [Vec<Rule>]) -> Self {
        let engine = Engine::new(sides).with_extras(extras);
        let roots = sides.map(|side| Folder::of(side.bundle().policy().rules()));
        Self { engine, same, bounds: Bounds::default(), roots }
    }

    pub(super) fn near(&self, rule: &Rule) -> Near<'p> {
        let near = |side: usize| {
            let places = self.roots.get(side).map(|root| root.near(rule)).unwrap_or_default();
            let refs = places.into_iter().map(|rule| RuleRef { side, rule });
            refs.filter_map(|at| Some((at, self.engine.rule(at)?))).collect()
        };
        Near([near(OLD), near(NEW)])
    }

    /// What `to` allows and `from` does not.
    pub(super) fn granted(&self, from: usize, to: usize) -> Result<Vec<AccessChange>, EngineError> {
        let everyone = self.engine.everyone(to);
        self.of_allows(to, |rule, one| self.granted_by(rule, one, &everyone, from))
    }

    /// The results for each allow rule, in the order of the rules.
    fn of_allows<T: Send>(
        &self,
        side: usize,
        find: impl Fn(RuleRef, &'p Rule) -> Result<Vec<T>, EngineError> + Sync,
    ) -> Result<Vec<T>, EngineError> {
        let rules = self.engine.with_effect(side, Effect::Allow, None);
        in_shares(&rules, |rule| {
            self.engine.rule(*rule).map_or_else(|| Ok(Vec::new()), |one| find(*rule, one))
        })
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
    pub(super) fn stored_otherwise(&self) -> Result<Vec<StorageChange>, EngineError> {
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

    pub(super) fn ask(
        &self,
        cell: &Cell<'_>,
        also: &[RuleRef],
        exclude: &[RuleRef],
        other_token: Token,
        difference: Option<MetadataDifference<'p>>,
    ) -> Result<Option<Witness>, EngineError> {
        self.ask_within(&self.bounds, cell, also, exclude, other_token, difference)
    }

    /// The same, for requests within limits.
    pub(super) fn ask_within(
        &self,
        bounds: &Bounds,
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
            bounds,
            tokens: &tokens,
            require: &require,
            exclude,
            within: None,
            difference,
        })
    }

    pub(super) fn access(&self, cell: &Cell<'_>, one: &Rule, request: Witness) -> AccessChange {
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

/// The results for each item, in the order of the items. The items are independent, so two processors take a share each.
pub(super) fn in_shares<I: Sync, T: Send>(
    items: &[I],
    find: impl Fn(&I) -> Result<Vec<T>, EngineError> + Sync,
) -> Result<Vec<T>, EngineError> {
    let of_share = |items: &[I]| -> Result<Vec<T>, EngineError> {
        let mut found = Vec::new();
        for item in items {
            found.extend(find(item)?);
        }
        Ok(found)
    };
    // Two at most: each question may hold 256 MiB at a time.
    let processors = thread::available_parallelism().map_or(1, NonZero::get).min(2);
    let share = items.len().div_ceil(processors).max(FEWEST_IN_A_SHARE);
    let shares: Vec<_> = thread::scope(|scope| {
        let of_share = &of_share;
        let shares: Vec<_> = items.chunks(share).map(|items| scope.spawn(move || of_share(items))).collect();
        shares.into_iter().map(|share| share.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    shares.into_iter().collect::<Result<Vec<_>, _>>().map(|shares| shares.into_iter().flatten().collect())
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
