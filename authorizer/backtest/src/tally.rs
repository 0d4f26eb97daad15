//! Counts, in bounded memory, of what would become of the requests of a log.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use serde::Serialize;

use super::missing::MissingFact;

/// The most groups that are kept apart; lines of further ones are counted together.
pub const MAX_GROUPS: usize = 10_000;

/// The most lines that are shown of a group, and of those that could not be read.
pub const MAX_EXAMPLES: usize = 3;

/// What a policy would change for one request.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It was refused, and would be let through.
    NewlyAllowed,
    /// It was let through, and would be refused.
    NewlyRefused,
    /// It depends on what the log does not say.
    CannotBeTold,
}

impl Change {
    /// All of them, those first that a reviewer looks at first.
    pub const ALL: [Self; 3] = [Self::NewlyAllowed, Self::NewlyRefused, Self::CannotBeTold];
}

/// How many lines came to what.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Counts {
    /// Requests that were let through, and would be.
    pub same_allow: u64,
    /// Requests that were refused, and would be; perhaps for another reason.
    pub same_refusal: u64,
    /// Requests that were refused, and would be let through.
    pub newly_allowed: u64,
    /// Requests that were let through, and would be refused.
    pub newly_refused: u64,
    /// Requests whose outcome depends on what the log does not say.
    pub cannot_be_told: u64,
    /// CORS preflights, which let nobody at an object.
    pub preflights: u64,
    /// Requests that CloudFront answered itself, or on which the function failed.
    pub not_decided: u64,
    /// Lines of a log that are of no request.
    pub no_requests: u64,
    /// Lines that could not be read.
    pub malformed: u64,
    /// Requests that a bundle decided which is none of the policies given.
    pub other_bundle: u64,
}

impl Counts {
    /// The requests that were held against the policy.
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

/// What the requests of a group have in common.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize)]
pub struct GroupKey {
    /// What would change.
    pub change: Change,
    /// What was decided before: `allow`, `refuse`, or nothing that the log tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<&'static str>,
    /// The rule that decided before, as the log has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_rule: Option<String>,
    /// The reason of the refusal before, as the log has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_reason: Option<String>,
    /// The rule that would decide, or the first that the outcome depends on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Why no policy would let it through, in a word of the decision log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the outcome depends on.
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

/// A line to look at.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Example {
    /// The file.
    pub source: Arc<str>,
    /// The line, from 1.
    pub line: u64,
    /// The method, and the operation where it is known.
    pub asked: String,
    /// The key, or the prefix of a listing; where there is none, the path as it is logged.
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
    /// What they have in common.
    #[serde(flatten)]
    pub key: GroupKey,
    /// How many there are.
    pub count: u64,
    /// The first of them.
    pub examples: Vec<Example>,
}

/// What became of some lines.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    counts: Counts,
    groups: Vec<Group>,
    places: HashMap<GroupKey, usize>,
    /// By [`Change::ALL`]: the lines of groups beyond [`MAX_GROUPS`].
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

    /// The lines of a change that were not kept apart by their group.
    pub fn others(&self, change: Change) -> u64 {
        Change::ALL.iter().zip(self.others).find(|(one, _)| **one == change).map_or(0, |(_, count)| count)
    }

    /// The first lines that could not be read.
    pub fn malformed(&self) -> &[Malformed] {
        &self.malformed
    }

    /// Adds what became of lines that come after those of this one.
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

    /// Counts one request, and keeps it as an example where there is room.
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
