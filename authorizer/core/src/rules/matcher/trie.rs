//! All key patterns of a policy as one tree.

use std::collections::BinaryHeap;
use std::ops::Range;

use super::super::pattern::Segment;
use super::super::rule::Rule;

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
    rules: usize,
    any_segments: usize,
    claims: usize,
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
        Self {
            nodes,
            ends: patterns.iter().map(|(_, rule)| *rule).collect(),
            rules: rules.len(),
            any_segments,
            claims: names.len(),
        }
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

    /// The rules of the patterns that end at a node.
    pub(super) fn ends(&self, node: usize) -> &[usize] {
        let ends = self.nodes.get(node).map(|node| node.ends.clone()).unwrap_or_default();
        self.ends.get(ends).unwrap_or_default()
    }
}
