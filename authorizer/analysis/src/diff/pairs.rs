//! Which rule of the new policy is which of the old.

use std::collections::HashMap;

use authorizer_core::policy::Policy;

use super::comparison::{NEW, OLD};
use super::same::Sameness;
use crate::engine::RuleRef;

/// A rule of the old policy and the rule of the new one that came of it; at least one of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Pair {
    pub(super) old: Option<usize>,
    pub(super) new: Option<usize>,
}

/// The rules of both policies: those of the new policy in their order, then those that only the old one has.
///
/// Two rules are the same if they have the same id and effect. Of the others, two are the same if all but their ids
/// is: a rule that was renamed.
pub(super) fn pair(policies: [&Policy; 2], same: &Sameness) -> Vec<Pair> {
    let [old, new] = policies.map(Policy::rules);
    let old_ids: HashMap<&str, usize> =
        old.iter().enumerate().map(|(index, rule)| (rule.id(), index)).collect();
    let mut taken = vec![false; old.len()];
    let mut take = |index: usize| taken.get_mut(index).is_some_and(|taken| !std::mem::replace(taken, true));
    let mut pairs: Vec<Pair> = new
        .iter()
        .enumerate()
        .map(|(index, rule)| {
            let by_id = old_ids.get(rule.id()).copied();
            let of_one_effect =
                by_id.filter(|at| old.get(*at).is_some_and(|other| other.effect() == rule.effect()));
            Pair { old: of_one_effect.filter(|at| take(*at)), new: Some(index) }
        })
        .collect();
    let mut left: HashMap<&str, Vec<usize>> = HashMap::new();
    for (rule, _) in old.iter().enumerate().rev().filter(|(index, _)| taken.get(*index) == Some(&false)) {
        let text = same.text(RuleRef { side: OLD, rule });
        left.entry(text).or_default().push(rule);
    }
    for pair in pairs.iter_mut().filter(|pair| pair.old.is_none()) {
        let text = pair.new.map(|rule| same.text(RuleRef { side: NEW, rule })).unwrap_or_default();
        pair.old = left.get_mut(text).and_then(Vec::pop);
        if let Some(taken) = pair.old.and_then(|old| taken.get_mut(old)) {
            *taken = true;
        }
    }
    let removed = taken.iter().enumerate().filter(|(_, taken)| !**taken);
    pairs.extend(removed.map(|(index, _)| Pair { old: Some(index), new: None }));
    pairs
}
