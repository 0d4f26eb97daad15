//! All key patterns of a policy as one tree.

use std::collections::BinaryHeap;
use std::ops::Range;

use super::super::pattern::Segment;
use super::super::rule::Rule;

/// The key patterns of the rules of a policy.
///
/// INVARIANT: the children of a node stand side by side in the list, after the node itself, in the order of their
/// segments and no two with the same; so the literals come first, by their text, and `**` is the last. Every node
/// but the root is the child of exactly one, and every place that a node holds is in the list that it is of.
#[derive(Clone, Debug)]
pub(super) struct Trie {
    /// The root is the first.
    nodes: Vec<Node>,
    /// The rules of the patterns, the patterns sorted: those that end at one node stand side by side.
    ends: Vec<usize>,
    rules: usize,
    any_segments: usize,
    claims: usize,
}

/// What one or more patterns begin with.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The last segment of it. The root has none, and nobody asks it.
    pub(super) segment: Segment,
    /// Of a claim: the number of its name. Of a `**`: its place among all of them.
    pub(super) number: usize,
    pub(super) children: Range<usize>,
    ends: Range<usize>,
}

impl Trie {
    /// Of the patterns of these rules. The patterns are sorted first: then those that begin alike stand side by
    /// side, and the tree is read off them, one level after the other.
    pub(super) fn new(rules: &[Rule]) -> Self {
        let mut patterns: Vec<(&[Segment], usize)> = rules
            .iter()
            .enumerate()
            .flat_map(|(place, rule)| rule.keys.iter().map(move |pattern| (pattern.segments(), place)))
            .collect();
        patterns.sort_unstable();
        let names: Vec<&str> =
            rules.iter().flat_map(|rule| &rule.keys).flat_map(|key| key.claims()).collect();
        // By a heap, whose code is a tenth of that of another `sort`.
        let mut names = BinaryHeap::from(names).into_sorted_vec();
        names.dedup();

        let mut any_segments = 0usize;
        let root = Node { segment: Segment::AnySegments, number: 0, children: 0..0, ends: 0..0 };
        let mut nodes = vec![root];
        // The patterns of each node, and how many segments of them lead to it.
        let mut spans = vec![(0..patterns.len(), 0usize)];
        let mut place = 0usize;
        while let Some((span, depth)) = spans.get(place).cloned() {
            let of_node = patterns.get(span.clone()).unwrap_or_default();
            // A pattern that another one goes on from is sorted before it.
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
    /// How many rules there are.
    pub(super) fn rules(&self) -> usize {
        self.rules
    }

    /// How many nodes are of a `**`.
    pub(super) fn any_segments(&self) -> usize {
        self.any_segments
    }

    /// How many claims the patterns speak of.
    pub(super) fn claims(&self) -> usize {
        self.claims
    }

    /// How many nodes there are.
    pub(super) fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// The root, where every pattern begins.
    pub(super) fn root(&self) -> usize {
        0
    }

    /// The children of a node, and the place of the first.
    pub(super) fn children(&self, node: usize) -> (usize, &[Node]) {
        let children = self.nodes.get(node).map(|node| node.children.clone()).unwrap_or_default();
        (children.start, self.nodes.get(children).unwrap_or_default())
    }

    /// The child that is a `**`, and its place.
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
