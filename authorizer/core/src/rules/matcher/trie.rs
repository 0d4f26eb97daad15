//! All key patterns of a policy as one tree.

use std::collections::BinaryHeap;
use std::ops::Range;

use super::super::pattern::Segment;
use super::super::rule::{Effect, Rule};
use crate::operation::{OperationSet, S3Operation};

/// From how many rules on those of one node are sifted by operation. In tests few, so that random policies have such
/// nodes.
const SIFTED_FROM: usize = if cfg!(test) { 2 } else { 16 };

/// The key patterns of the rules of a policy.
///
/// INVARIANT: the children of a node are next to each other in the list, after the node itself, in the order of
/// their segments, and no two have the same segment. So the literals are first, by their text, and `**` is the last.
/// Every node but the root is the child of exactly one node, and every index in a node is within its list.
#[derive(Clone, Debug)]
pub(super) struct Trie {
    /// The root is the first node.
    nodes: Vec<Node>,
    /// The rules of the patterns, in the order of the patterns. Those that end at one node are next to each other.
    ends: Vec<usize>,
    /// The nodes at which many patterns end, in order, each with its rules by operation.
    sifted: Vec<(usize, Sifted)>,
    rules: usize,
    any_segments: usize,
    claims: usize,
}

/// The rules of one node, by operation.
#[derive(Clone, Debug, Default)]
struct Sifted {
    /// In the order of [`S3Operation::ALL`].
    rules: [Vec<usize>; S3Operation::ALL.len()],
    /// The operations that every allow rule here applies to.
    of_every_allow: OperationSet,
}

/// The rules of a node that apply to an operation.
pub(super) struct Ends<'t> {
    /// These, and perhaps others, if they are few.
    pub(super) rules: &'t [usize],
    /// Whether an allow rule is left out.
    pub(super) are_more: bool,
}

impl Sifted {
    fn of(places: &[usize], rules: &[Rule]) -> Self {
        let mut sifted = Self { of_every_allow: S3Operation::ALL.into_iter().collect(), ..Self::default() };
        for (place, rule) in places.iter().filter_map(|place| Some((*place, rules.get(*place)?))) {
            for (operation, of_it) in S3Operation::ALL.into_iter().zip(&mut sifted.rules) {
                if rule.operations.contains(operation) {
                    of_it.push(place);
                }
            }
            if rule.effect == Effect::Allow {
                sifted.of_every_allow = sifted.of_every_allow.intersection(rule.operations);
            }
        }
        sifted
    }
}

/// The common beginning of one or more patterns.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Its last segment. The root does not have one, and no code reads it.
    pub(super) segment: Segment,
    /// For a claim: the number of its name. For a `**`: its number among all of them.
    pub(super) number: usize,
    pub(super) children: Range<usize>,
    ends: Range<usize>,
}

impl Trie {
    /// Creates the tree of these rules. The patterns are sorted first, so that those with the same beginning are
    /// next to each other. Then the tree is built from them, one level after the other.
    pub(super) fn new(rules: &[Rule]) -> Self {
        let mut patterns: Vec<(&[Segment], usize)> = rules
            .iter()
            .enumerate()
            .flat_map(|(place, rule)| rule.keys.iter().map(move |pattern| (pattern.segments(), place)))
            .collect();
        patterns.sort_unstable();
        let names: Vec<&str> =
            rules.iter().flat_map(|rule| &rule.keys).flat_map(|key| key.claims()).collect();
        // With a heap, whose code is a tenth of that of another `sort`.
        let mut names = BinaryHeap::from(names).into_sorted_vec();
        names.dedup();

        let mut any_segments = 0usize;
        let root = Node { segment: Segment::AnySegments, number: 0, children: 0..0, ends: 0..0 };
        let mut nodes = vec![root];
        // The patterns of each node, and the number of segments that lead to it.
        let mut spans = vec![(0..patterns.len(), 0usize)];
        let mut place = 0usize;
        while let Some((span, depth)) = spans.get(place).cloned() {
            let of_node = patterns.get(span.clone()).unwrap_or_default();
            // A pattern that is the beginning of another one is sorted before it.
            let ended = of_node.partition_point(|(segments, _)| segments.len() <= depth);
            let mut start = span.start.saturating_add(ended);
            let (ends, first_child) = (span.start..start, nodes.len());
            let going_on = of_node.get(ended..).unwrap_or_default();
            for alike in going_on.chunk_by(|(one, _), (other, _)| one.get(depth) == other.get(depth)) {
                let Some(segment) = alike.first().and_then(|(segments, _)| segments.get(depth)) else {
                    continue;
                };
                let number = match segment {
                    Segment::Claim(name) => names.binary_search(&name.as_str()).unwrap_or_default(),
                    Segment::AnySegments => {
                        any_segments = any_segments.saturating_add(1);
                        any_segments.saturating_sub(1)
                    }
                    Segment::Literal(_) | Segment::Glob(_) => 0,
                };
                nodes.push(Node { segment: segment.clone(), number, children: 0..0, ends: 0..0 });
                let end = start.saturating_add(alike.len());
                spans.push((start..end, depth.saturating_add(1)));
                start = end;
            }
            let children = first_child..nodes.len();
            if let Some(node) = nodes.get_mut(place) {
                node.children = children;
                node.ends = ends;
            }
            place = place.saturating_add(1);
        }
        let ends: Vec<usize> = patterns.iter().map(|(_, rule)| *rule).collect();
        let sifted = nodes.iter().enumerate().filter(|(_, node)| node.ends.len() >= SIFTED_FROM);
        let sifted = sifted
            .map(|(place, node)| (place, Sifted::of(ends.get(node.ends.clone()).unwrap_or_default(), rules)))
            .collect();
        Self { nodes, ends, sifted, rules: rules.len(), any_segments, claims: names.len() }
    }
    /// The number of rules.
    pub(super) fn rules(&self) -> usize {
        self.rules
    }

    /// The number of nodes with a `**`.
    pub(super) fn any_segments(&self) -> usize {
        self.any_segments
    }

    /// The number of claims in the patterns.
    pub(super) fn claims(&self) -> usize {
        self.claims
    }

    /// The number of nodes.
    pub(super) fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// The root, where every pattern begins.
    pub(super) fn root(&self) -> usize {
        0
    }

    /// The children of a node, and the index of the first.
    pub(super) fn children(&self, node: usize) -> (usize, &[Node]) {
        let children = self.nodes.get(node).map(|node| node.children.clone()).unwrap_or_default();
        (children.start, self.nodes.get(children).unwrap_or_default())
    }

    /// The child that is a `**`, and its index.
    pub(super) fn any_segments_below(&self, node: usize) -> Option<(usize, &Node)> {
        let (first, children) = self.children(node);
        let last = children.last().filter(|child| child.segment == Segment::AnySegments)?;
        Some((first.saturating_add(children.len()).saturating_sub(1), last))
    }

    /// The same for one operation: if they are many, only those that apply to it.
    pub(super) fn ends_for(&self, node: usize, operation: Option<S3Operation>) -> Ends<'_> {
        let rules = self.ends(node);
        let all = Ends { rules, are_more: false };
        if rules.len() < SIFTED_FROM {
            return all;
        }
        let of_it = operation.and_then(|operation| {
            let place = self.sifted.binary_search_by_key(&node, |(node, _)| *node).ok()?;
            let (_, sifted) = self.sifted.get(place)?;
            let at = S3Operation::ALL.iter().position(|one| *one == operation)?;
            let are_more = !sifted.of_every_allow.contains(operation);
            Some(Ends { rules: sifted.rules.get(at)?, are_more })
        });
        of_it.unwrap_or(all)
    }

    /// The rules of the patterns that end at a node.
    pub(super) fn ends(&self, node: usize) -> &[usize] {
        let ends = self.nodes.get(node).map(|node| node.ends.clone()).unwrap_or_default();
        self.ends.get(ends).unwrap_or_default()
    }
}
