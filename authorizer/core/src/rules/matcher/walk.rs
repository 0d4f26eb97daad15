//! The walk of a key, or of the prefix of a listing, through the tree of all patterns.

use super::super::claims::{ClaimSegments, Claims};
use super::super::listing::can_begin_with;
use super::super::pattern::Segment;
use super::index_set::IndexSet;
use super::trie::Trie;
use super::work::{Counted, Work};
use crate::key::ObjectKey;
use crate::operation::S3Operation;
use crate::prefix::KeyPrefix;

/// One walk. It reads one segment after the other, and is at all nodes at once that these segments lead to.
pub(super) struct Walk<'t, 'c> {
    trie: &'t Trie,
    claims: Claims<'c>,
    /// The operation whose rules are looked for; `None` for those of all.
    operation: Option<S3Operation>,
    /// The nodes that the segments so far lead to. INVARIANT: each node once, because each has one parent.
    at: Vec<usize>,
    next: Vec<usize>,
    /// The `**` nodes reached so far. The walk stays at them, whatever segments follow.
    within: Vec<usize>,
    come_by: IndexSet,
    /// The rules that were found.
    found: IndexSet,
    /// Whether allow rules for other operations were left out.
    are_more: bool,
    /// What was asked about each claim; empty until a claim is asked about.
    asked: Vec<Option<ClaimAsked<'c>>>,
    segments_read: usize,
    pub(super) work: Work,
}

/// The rules that a walk found.
pub(crate) struct Found {
    /// Those for the operation, and perhaps others.
    pub(crate) rules: IndexSet,
    /// Whether allow rules for other operations match the key too, and were left out.
    pub(crate) are_more: bool,
}

/// What is known about a claim.
struct ClaimAsked<'c> {
    segments: ClaimSegments<'c>,
    /// The number of segments at the last question, and the answer, which is the same for all nodes.
    last: Option<(usize, bool)>,
}

impl<'t, 'c> Walk<'t, 'c> {
    pub(super) fn new(trie: &'t Trie, claims: Claims<'c>, operation: Option<S3Operation>) -> Self {
        Self {
            trie,
            claims,
            operation,
            at: Vec::new(),
            next: Vec::new(),
            within: Vec::new(),
            come_by: IndexSet::none_of(trie.any_segments()),
            found: IndexSet::none_of(trie.rules()),
            are_more: false,
            asked: Vec::new(),
            segments_read: 0,
            work: Work::default(),
        }
    }

    /// Finds the rules with a pattern that the key matches.
    pub(super) fn read_key(&mut self, key: &ObjectKey) {
        self.start();
        let mut segments = key.segments().peekable();
        while let Some(segment) = segments.next() {
            self.read_segment(segment, segments.peek().is_none());
        }
    }

    /// Finds the rules with a pattern that matches every key with the prefix: the pattern reaches its last `**`
    /// within the whole segments.
    pub(super) fn read_prefix(&mut self, prefix: &KeyPrefix) {
        let (whole, _) = prefix.parts();
        self.start();
        for segment in whole {
            self.read_segment(segment, false);
        }
    }

    /// After [`read_prefix`](Self::read_prefix): finds the rules with a pattern that matches some key with the
    /// prefix. Every such key continues with a segment that begins with the rest of the prefix.
    pub(super) fn around(&mut self, prefix: &KeyPrefix) -> IndexSet {
        let (_, rest) = prefix.parts();
        let mut around = IndexSet::none_of(self.trie.rules());
        let mut seen = IndexSet::none_of(self.trie.nodes());
        // A `**` matches any continuation of the rest.
        let mut below = self.within.clone();
        for node in &below {
            seen.insert(*node);
        }
        for node in std::mem::take(&mut self.at) {
            self.go_below(node, rest, &mut seen, &mut below);
        }
        while let Some(node) = below.pop() {
            for rule in self.trie.ends_for(node, self.operation).rules {
                around.insert(*rule);
            }
            self.go_below(node, "", &mut seen, &mut below);
        }
        around
    }

    /// The result.
    pub(super) fn found(self) -> Found {
        Found { rules: self.found, are_more: self.are_more }
    }

    fn start(&mut self) {
        self.come_to(self.trie.root());
        std::mem::swap(&mut self.at, &mut self.next);
    }

    /// Reads one segment.
    fn read_segment(&mut self, segment: &str, is_last: bool) {
        // The `**` nodes that are reached now have not read this segment.
        let within = self.within.len();
        for place in 0..within {
            if let Some(node) = self.within.get(place) {
                self.go_on(*node, segment, is_last);
            }
        }
        let at = std::mem::take(&mut self.at);
        for node in &at {
            self.go_on(*node, segment, is_last);
        }
        self.at = std::mem::replace(&mut self.next, at);
        self.next.clear();
        self.segments_read = self.segments_read.saturating_add(1);
    }

    /// Goes from a node to the children that match the segment.
    fn go_on(&mut self, node: usize, segment: &str, is_last: bool) {
        self.work.count(Counted::Node);
        let (first, children) = self.trie.children(node);
        let literal = children.partition_point(
            |child| matches!(&child.segment, Segment::Literal(text) if text.as_str() < segment),
        );
        if children
            .get(literal)
            .is_some_and(|child| matches!(&child.segment, Segment::Literal(text) if text == segment))
        {
            self.arrive(first.saturating_add(literal), is_last);
        }
        for (place, child) in children.iter().enumerate().rev() {
            let leads_here = match &child.segment {
                // The literals are first.
                Segment::Literal(_) => break,
                // The walk has already reached it.
                Segment::AnySegments => continue,
                Segment::Claim(name) => self.claim_is(child.number, name, segment),
                Segment::Glob(_) => child.segment.matches(segment, self.claims),
            };
            self.work.count(Counted::Wild);
            if leads_here {
                self.arrive(first.saturating_add(place), is_last);
            }
        }
    }

    fn arrive(&mut self, node: usize, is_last: bool) {
        if is_last {
            self.find(node);
        } else {
            self.come_to(node);
        }
    }

    /// Reaches a node while there are segments left. So every pattern that ends in a `**` directly after it is
    /// found. The walk also reaches that `**`, because it may stand for zero segments, and a `**` after it.
    fn come_to(&mut self, node: usize) {
        self.next.push(node);
        let mut node = node;
        while let Some((below, any_segments)) = self.trie.any_segments_below(node)
            && self.come_by.insert(any_segments.number)
        {
            self.find(below);
            if !any_segments.children.is_empty() {
                self.within.push(below);
            }
            node = below;
        }
    }

    fn find(&mut self, node: usize) {
        let ends = self.trie.ends_for(node, self.operation);
        self.are_more |= ends.are_more;
        for rule in ends.rules {
            self.found.insert(*rule);
        }
    }

    /// Adds the children that match some segment that begins with the text.
    fn go_below(&mut self, node: usize, text: &str, seen: &mut IndexSet, below: &mut Vec<usize>) {
        self.work.count(Counted::Node);
        let (first, children) = self.trie.children(node);
        for (place, child) in children.iter().enumerate() {
            let can = match &child.segment {
                Segment::Claim(name) => {
                    self.claim(child.number, name).is_some_and(|asked| asked.segments.contain_one_with(text))
                }
                Segment::Literal(_) | Segment::Glob(_) | Segment::AnySegments => {
                    can_begin_with(&child.segment, text, self.claims)
                }
            };
            let place = first.saturating_add(place);
            if can && seen.insert(place) {
                below.push(place);
            }
        }
    }

    /// Whether a claim can stand for the segment being read.
    fn claim_is(&mut self, number: usize, name: &str, segment: &str) -> bool {
        let now = self.segments_read;
        let Some(asked) = self.claim(number, name) else { return false };
        if let Some((then, answer)) = asked.last
            && then == now
        {
            return answer;
        }
        let answer = asked.segments.contain(segment);
        asked.last = Some((now, answer));
        self.work.count(Counted::Question);
        answer
    }

    fn claim(&mut self, number: usize, name: &str) -> Option<&mut ClaimAsked<'c>> {
        let (claims, count) = (self.claims, self.trie.claims());
        if self.asked.is_empty() {
            self.asked.resize_with(count, || None);
        }
        let asked = self.asked.get_mut(number)?;
        if asked.is_none() {
            self.work.count(Counted::Claim);
        }
        Some(
            asked.get_or_insert_with(|| ClaimAsked { segments: ClaimSegments::of(claims, name), last: None }),
        )
    }
}
