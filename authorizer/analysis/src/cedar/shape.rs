//! What a translated policy reads of a request: docs/audit/cedar.md says how each is made.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

/// The parts of a request that the translation of one policy reads.
#[derive(Clone, Debug, Default, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Shape {
    /// How many segments from the first: `s0`, `s1` and so on.
    pub first: usize,
    /// How many segments from the last: `e0`, `e1` and so on.
    pub last: usize,
    /// The middles: `m1_2` is all segments but for the first and the last two, each between slashes.
    pub middles: BTreeSet<(usize, usize)>,
    /// The patterns that Cedar cannot match: the names of those that match are in `context.matched`.
    pub matched: BTreeSet<String>,
    /// Whether it reads the host: `context.host`, absent where the request has none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hosts: bool,
    /// The claims.
    pub claims: BTreeSet<String>,
    /// The names of metadata.
    pub metadata: BTreeSet<String>,
}

impl Shape {
    /// The parts that one of two translations reads. The schema of this shape ([`schema`](super::schema())) fits both, so
    /// that tools that compare policies can read them together.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        self.first = self.first.max(other.first);
        self.last = self.last.max(other.last);
        self.hosts |= other.hosts;
        self.middles.extend(other.middles.iter().copied());
        for (own, more) in [
            (&mut self.matched, &other.matched),
            (&mut self.claims, &other.claims),
            (&mut self.metadata, &other.metadata),
        ] {
            own.extend(more.iter().cloned());
        }
        self
    }

    /// The segment at this place from the first.
    pub(super) fn at_first(&mut self, index: usize) -> String {
        self.first = self.first.max(index.saturating_add(1));
        format!("resource.s{index}")
    }

    /// The segment at this place from the last.
    pub(super) fn at_last(&mut self, index: usize) -> String {
        self.last = self.last.max(index.saturating_add(1));
        format!("resource.e{index}")
    }

    pub(super) fn middle(&mut self, first: usize, last: usize) -> String {
        self.middles.insert((first, last));
        format!("resource.m{first}_{last}")
    }
}
