//! Counts of the outcomes of a log's requests, in bounded memory.
//!
//! Tallies can be added in any order, on any number of machines, and the result is the same. So what is kept is always
//! the least of something: the least groups, and the first lines of each. A group that is among the least of all is
//! among the least of every part, so no part drops it.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::missing::MissingFact;
use super::rule::Assumptions;

/// The largest number of groups; lines of further groups are counted together.
pub const MAX_GROUPS: usize = 10_000;

/// The largest number of lines that are shown per group, and of lines that could not be read.
pub const MAX_EXAMPLES: usize = 3;

/// The change that a policy would make for one request.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It was refused, and would be allowed.
    NewlyAllowed,
    /// It was allowed, and would be refused.
    NewlyRefused,
    /// It depends on facts that are not in the log.
    CannotBeTold,
}

impl Change {
    /// All changes, in the order in which a reviewer needs them.
    pub const ALL: [Self; 3] = [Self::NewlyAllowed, Self::NewlyRefused, Self::CannotBeTold];
}

/// The earlier decision.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Earlier {
    /// The request was allowed.
    Allow,
    /// The request was refused.
    Refuse,
}

/// The number of requests for which an assumption was not used, because their lines show that it is wrong.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Contradicted {
    /// Of `--assume tokens`.
    pub tokens: u64,
    /// Of `--assume reads`.
    pub reads: u64,
    /// Of `--assume uploads`.
    pub uploads: u64,
}

/// The number of lines per outcome.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Requests that were allowed, and would be allowed.
    pub same_allow: u64,
    /// Requests that were refused, and would be refused; perhaps for another reason.
    pub same_refusal: u64,
    /// Requests that were refused, and would be allowed.
    pub newly_allowed: u64,
    /// Requests that were allowed, and would be refused.
    pub newly_refused: u64,
    /// Requests whose outcome depends on facts that are not in the log.
    pub cannot_be_told: u64,
    /// CORS preflights, which do not give access to an object.
    pub preflights: u64,
    /// Steps of a sign-in, which the function does itself.
    pub sign_ins: u64,
    /// Requests that CloudFront answered itself, or for which the function failed.
    pub not_decided: u64,
    /// Lines that are not about a request.
    pub no_requests: u64,
    /// Lines that could not be read.
    pub malformed: u64,
    /// Requests that were decided by a bundle that is not one of the given policies.
    pub other_bundle: u64,
    /// Refused requests where only the status of the answer was logged, which is assumed to be the function's own.
    pub assumed_answers: u64,
    /// Requests for which an assumption was not used.
    pub contradicted: Contradicted,
}

impl Counts {
    /// The requests that were checked against the policy.
    pub fn compared(&self) -> u64 {
        [self.same_allow, self.same_refusal, self.newly_allowed, self.newly_refused, self.cannot_be_told]
            .into_iter()
            .fold(0, u64::saturating_add)
    }

    /// Everything that was found in the logs.
    pub fn all(&self) -> u64 {
        [self.compared(), self.preflights, self.sign_ins, self.not_decided, self.no_requests, self.malformed]
            .into_iter()
            .fold(0, u64::saturating_add)
    }

    /// The requests with this change.
    pub fn of(&self, change: Change) -> u64 {
        match change {
            Change::NewlyAllowed => self.newly_allowed,
            Change::NewlyRefused => self.newly_refused,
            Change::CannotBeTold => self.cannot_be_told,
        }
    }

    fn add(&mut self, other: &Self) {
        for (count, more) in [
            (&mut self.same_allow, other.same_allow),
            (&mut self.same_refusal, other.same_refusal),
            (&mut self.newly_allowed, other.newly_allowed),
            (&mut self.newly_refused, other.newly_refused),
            (&mut self.cannot_be_told, other.cannot_be_told),
            (&mut self.preflights, other.preflights),
            (&mut self.sign_ins, other.sign_ins),
            (&mut self.not_decided, other.not_decided),
            (&mut self.no_requests, other.no_requests),
            (&mut self.malformed, other.malformed),
            (&mut self.other_bundle, other.other_bundle),
            (&mut self.assumed_answers, other.assumed_answers),
            (&mut self.contradicted.tokens, other.contradicted.tokens),
            (&mut self.contradicted.reads, other.contradicted.reads),
            (&mut self.contradicted.uploads, other.contradicted.uploads),
        ] {
            *count = count.saturating_add(more);
        }
    }

    /// Counts the assumptions that were not used for a request.
    pub(super) fn contradict(&mut self, assumptions: Assumptions) {
        let Assumptions { tokens, reads, uploads } = assumptions;
        for (count, more) in [
            (&mut self.contradicted.tokens, tokens),
            (&mut self.contradicted.reads, reads),
            (&mut self.contradicted.uploads, uploads),
        ] {
            *count = count.saturating_add(u64::from(more));
        }
    }
}

/// The key of a group: what its requests have in common. The order is that in which groups are kept.
#[derive(Clone, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub struct GroupKey {
    /// The change.
    pub change: Change,
    /// The earlier decision: `allow`, `refuse`, or `None` if the log does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Earlier>,
    /// The rule that decided before, according to the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_rule: Option<String>,
    /// The reason of the earlier refusal, according to the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_reason: Option<String>,
    /// The rule that would decide, or the first that the outcome depends on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Why every policy refuses it, as a reason word of the decision log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The facts that the outcome depends on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<MissingFact>,
    /// The first segments of the keys.
    pub prefix: String,
}

/// An example line.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The file.
    pub source: Arc<str>,
    /// The line, from 1.
    pub line: u64,
    /// The method, and the operation if it is known.
    pub asked: String,
    /// The key, or the prefix of a listing; without either, the logged path.
    pub key: String,
}

/// A line that could not be read.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Malformed {
    /// The file.
    pub source: Arc<str>,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub problem: String,
}

/// Requests with the same change, for the same reason, on the same keys.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Group {
    /// Their common key.
    #[serde(flatten)]
    pub key: GroupKey,
    /// Their number.
    pub count: u64,
    /// The first lines, by file and line.
    pub examples: Vec<Example>,
}

/// The requests of a group, while they are counted.
#[derive(Clone, Debug, Default)]
struct Counted {
    count: u64,
    examples: Vec<Example>,
}

/// The outcomes of some lines, while they are counted.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    counts: Counts,
    groups: HashMap<GroupKey, Counted>,
    /// The greatest group that can still be among those that are kept, once there were too many.
    greatest: Option<GroupKey>,
    /// The lines of groups that were dropped, in the order of [`Change::ALL`].
    others: [u64; 3],
    malformed: Vec<Malformed>,
}

impl Tally {
    /// The counts.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The first lines that could not be read.
    pub fn malformed(&self) -> &[Malformed] {
        &self.malformed
    }

    /// Adds another tally. The order does not matter.
    pub fn add(&mut self, other: Self) {
        self.counts.add(&other.counts);
        self.add_others(other.others);
        other.malformed.into_iter().for_each(|malformed| keep_first(&mut self.malformed, malformed));
        for (key, counted) in other.groups {
            self.add_group(key, counted);
        }
    }

    /// The outcomes, with the groups that are kept.
    pub fn summary(mut self) -> Summary {
        self.drop_groups();
        let groups = self.groups.into_iter();
        let groups = groups.map(|(key, Counted { count, examples })| Group { key, count, examples });
        let mut groups: Vec<_> = groups.collect();
        groups.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        Summary { counts: self.counts, groups, others: self.others, malformed: self.malformed }
    }

    pub(super) fn counts_mut(&mut self) -> &mut Counts {
        &mut self.counts
    }

    /// Counts one request, and keeps it as an example if it is one of the first lines of its group.
    pub(super) fn count_change(
        &mut self,
        key: GroupKey,
        source: &Arc<str>,
        line: u64,
        example: impl FnOnce() -> Example,
    ) {
        let count = match key.change {
            Change::NewlyAllowed => &mut self.counts.newly_allowed,
            Change::NewlyRefused => &mut self.counts.newly_refused,
            Change::CannotBeTold => &mut self.counts.cannot_be_told,
        };
        *count = count.saturating_add(1);
        if let Some(counted) = self.groups.get_mut(&key) {
            counted.count = counted.count.saturating_add(1);
            let is_first = |last: &Example| (source.as_ref(), line) <= (last.source.as_ref(), last.line);
            if counted.examples.len() < MAX_EXAMPLES || counted.examples.last().is_some_and(is_first) {
                keep_first(&mut counted.examples, example());
            }
            return;
        }
        self.add_group(key, Counted { count: 1, examples: vec![example()] });
    }

    pub(super) fn count_malformed(&mut self, malformed: Malformed) {
        self.counts.malformed = self.counts.malformed.saturating_add(1);
        keep_first(&mut self.malformed, malformed);
    }

    fn add_group(&mut self, key: GroupKey, more: Counted) {
        if let Some(counted) = self.groups.get_mut(&key) {
            counted.count = counted.count.saturating_add(more.count);
            more.examples.into_iter().for_each(|example| keep_first(&mut counted.examples, example));
            return;
        }
        if self.greatest.as_ref().is_some_and(|greatest| key > *greatest) {
            return self.add_other(key.change, more.count);
        }
        self.groups.insert(key, more);
        // Dropping groups costs as much as sorting them, so it is done seldom.
        if self.groups.len() >= MAX_GROUPS.saturating_mul(2) {
            self.drop_groups();
        }
    }

    /// Drops all groups but the least, and counts their requests together.
    fn drop_groups(&mut self) {
        if self.groups.len() <= MAX_GROUPS {
            return;
        }
        let mut keys: Vec<&GroupKey> = self.groups.keys().collect();
        let (_, greatest, _) = keys.select_nth_unstable(MAX_GROUPS.saturating_sub(1));
        let greatest = greatest.clone();
        let mut dropped = [0; 3];
        self.groups.retain(|key, counted| {
            let is_kept = *key <= greatest;
            if !is_kept {
                add_to(&mut dropped, key.change, counted.count);
            }
            is_kept
        });
        self.add_others(dropped);
        self.greatest = Some(greatest);
    }

    fn add_other(&mut self, change: Change, more: u64) {
        add_to(&mut self.others, change, more);
    }

    fn add_others(&mut self, others: [u64; 3]) {
        Change::ALL.into_iter().zip(others).for_each(|(change, more)| self.add_other(change, more));
    }
}

/// The outcomes of some lines. It can be written, read and added to others.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    counts: Counts,
    /// In the order of their keys.
    groups: Vec<Group>,
    others: [u64; 3],
    malformed: Vec<Malformed>,
}

impl Summary {
    /// The counts.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The groups of a change, the largest first.
    pub fn groups(&self, change: Change) -> Vec<&Group> {
        let mut groups: Vec<_> = self.groups.iter().filter(|group| group.key.change == change).collect();
        groups.sort_by_key(|group| Reverse(group.count));
        groups
    }

    /// The number of lines of a change whose group was not kept.
    pub fn others(&self, change: Change) -> u64 {
        Change::ALL.iter().zip(self.others).find(|(one, _)| **one == change).map_or(0, |(_, count)| count)
    }

    /// The first lines that could not be read.
    pub fn malformed(&self) -> &[Malformed] {
        &self.malformed
    }

    /// Whether the groups of each change and what is counted beside them are all of its requests.
    pub(super) fn adds_up(&self) -> bool {
        Change::ALL.into_iter().all(|change| {
            let groups = self.groups(change).into_iter().map(|group| group.count);
            groups.fold(self.others(change), u64::saturating_add) == self.counts.of(change)
        })
    }
}

impl From<Summary> for Tally {
    fn from(summary: Summary) -> Self {
        let Summary { counts, groups, others, malformed } = summary;
        let mut tally = Self { counts, others, ..Self::default() };
        malformed.into_iter().for_each(|malformed| keep_first(&mut tally.malformed, malformed));
        for Group { key, count, mut examples } in groups {
            examples.sort_unstable();
            examples.truncate(MAX_EXAMPLES);
            tally.add_group(key, Counted { count, examples });
        }
        tally
    }
}

/// Adds to the count of a change, in the order of [`Change::ALL`].
fn add_to(counts: &mut [u64; 3], change: Change, more: u64) {
    let counts = Change::ALL.into_iter().zip(counts);
    for (_, count) in counts.filter(|(one, _)| *one == change) {
        *count = count.saturating_add(more);
    }
}

/// Adds a line to a sorted list of the first ones.
fn keep_first<T: Ord>(first: &mut Vec<T>, line: T) {
    let place = first.partition_point(|kept| *kept <= line);
    if place < MAX_EXAMPLES {
        first.insert(place, line);
        first.truncate(MAX_EXAMPLES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(numbers: impl Iterator<Item = usize>) -> Tally {
        let mut tally = Tally::default();
        for number in numbers {
            let key = GroupKey {
                change: Change::ALL[number % 3],
                before: None,
                before_rule: None,
                before_reason: None,
                rule: None,
                reason: None,
                depends_on: Vec::new(),
                // Each fourth number is another line of a group that is there.
                prefix: format!("{}/", (number / 4).wrapping_mul(7) % 10_007),
            };
            let (source, line) = (Arc::from("log"), number as u64);
            tally.count_change(key, &source, line, || Example {
                source: source.clone(),
                line,
                asked: String::new(),
                key: String::new(),
            });
        }
        tally
    }

    #[test]
    fn the_groups_that_are_kept_do_not_depend_on_the_order() {
        let number = 60_000;
        let whole = tally(0..number).summary();
        assert_eq!(whole.groups.len(), MAX_GROUPS);
        assert!(whole.adds_up() && whole.others.iter().sum::<u64>() > 0);
        assert_eq!(tally((0..number).rev()).summary(), whole);
        // The parts of three machines, of which each drops groups, in two orders.
        let parts =
            || [0, 1, 2].map(|part| Tally::from(tally((0..number).filter(|n| n / 5 % 3 == part)).summary()));
        let mut forward = Tally::default();
        parts().into_iter().for_each(|part| forward.add(part));
        let mut backward = Tally::default();
        parts().into_iter().rev().for_each(|part| backward.add(part));
        assert_eq!(forward.summary(), whole);
        assert_eq!(backward.summary(), whole);
        // What matters most is kept first.
        let kept = whole.groups(Change::NewlyAllowed).len();
        assert!(kept == MAX_GROUPS || whole.others(Change::NewlyAllowed) == 0, "{kept}");
    }
}
