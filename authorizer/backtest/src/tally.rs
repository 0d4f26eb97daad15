//! Counts of the outcomes of a log's requests, in bounded memory.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use serde::Serialize;

use super::missing::MissingFact;

/// The largest number of groups; lines of further groups are counted together.
pub const MAX_GROUPS: usize = 10_000;

/// The largest number of lines that are shown per group, and of lines that could not be read.
pub const MAX_EXAMPLES: usize = 3;

/// The change that a policy would make for one request.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
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

/// The number of lines per outcome.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
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
    /// Requests that CloudFront answered itself, or for which the function failed.
    pub not_decided: u64,
    /// Lines that are not about a request.
    pub no_requests: u64,
    /// Lines that could not be read.
    pub malformed: u64,
    /// Requests that were decided by a bundle that is not one of the given policies.
    pub other_bundle: u64,
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
        [self.compared(), self.preflights, self.not_decided, self.no_requests, self.malformed]
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
            (&mut self.not_decided, other.not_decided),
            (&mut self.no_requests, other.no_requests),
            (&mut self.malformed, other.malformed),
            (&mut self.other_bundle, other.other_bundle),
        ] {
            *count = count.saturating_add(more);
        }
    }
}

/// The key of a group: what its requests have in common.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize)]
pub struct GroupKey {
    /// The change.
    pub change: Change,
    /// The earlier decision: `allow`, `refuse`, or `None` if the log does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<&'static str>,
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<MissingFact>,
    /// The first segments of the keys.
    pub prefix: String,
}

impl std::hash::Hash for MissingFact {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.what, &self.claim).hash(state);
    }
}

/// An example line.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
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
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Malformed {
    /// The file.
    pub source: Arc<str>,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub problem: String,
}

/// Requests with the same change, for the same reason, on the same keys.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Group {
    /// Their common key.
    #[serde(flatten)]
    pub key: GroupKey,
    /// Their number.
    pub count: u64,
    /// The first lines.
    pub examples: Vec<Example>,
}

/// The outcomes of some lines.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    counts: Counts,
    groups: Vec<Group>,
    places: HashMap<GroupKey, usize>,
    /// The lines of groups beyond [`MAX_GROUPS`], in the order of [`Change::ALL`].
    others: [u64; 3],
    malformed: Vec<Malformed>,
}

impl Tally {
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

    /// Adds the tally of the lines that follow.
    pub fn add(&mut self, later: Self) {
        self.counts.add(&later.counts);
        for group in later.groups {
            self.add_group(group);
        }
        for (count, more) in self.others.iter_mut().zip(later.others) {
            *count = count.saturating_add(more);
        }
        let room = MAX_EXAMPLES.saturating_sub(self.malformed.len());
        self.malformed.extend(later.malformed.into_iter().take(room));
    }

    pub(super) fn counts_mut(&mut self) -> &mut Counts {
        &mut self.counts
    }

    /// Counts one request, and keeps it as an example if there is space.
    pub(super) fn count_change(&mut self, key: GroupKey, example: impl FnOnce() -> Example) {
        let count = match key.change {
            Change::NewlyAllowed => &mut self.counts.newly_allowed,
            Change::NewlyRefused => &mut self.counts.newly_refused,
            Change::CannotBeTold => &mut self.counts.cannot_be_told,
        };
        *count = count.saturating_add(1);
        if let Some(group) = self.places.get(&key).and_then(|place| self.groups.get_mut(*place)) {
            group.count = group.count.saturating_add(1);
            if group.examples.len() < MAX_EXAMPLES {
                group.examples.push(example());
            }
            return;
        }
        self.add_group(Group { key, count: 1, examples: vec![example()] });
    }

    pub(super) fn count_malformed(&mut self, malformed: Malformed) {
        self.counts.malformed = self.counts.malformed.saturating_add(1);
        if self.malformed.len() < MAX_EXAMPLES {
            self.malformed.push(malformed);
        }
    }

    fn add_group(&mut self, group: Group) {
        let place = self.groups.len();
        match self.places.entry(group.key.clone()) {
            Entry::Occupied(entry) => {
                if let Some(known) = self.groups.get_mut(*entry.get()) {
                    known.count = known.count.saturating_add(group.count);
                    let room = MAX_EXAMPLES.saturating_sub(known.examples.len());
                    known.examples.extend(group.examples.into_iter().take(room));
                }
            }
            Entry::Vacant(entry) if place < MAX_GROUPS => {
                entry.insert(place);
                self.groups.push(group);
            }
            Entry::Vacant(_) => {
                let others = Change::ALL.iter().zip(&mut self.others);
                for (_, count) in others.filter(|(change, _)| **change == group.key.change) {
                    *count = count.saturating_add(group.count);
                }
            }
        }
    }
}
