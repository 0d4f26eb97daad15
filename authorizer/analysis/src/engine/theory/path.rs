//! A key that some patterns hold and others do not, once the claims that stand in them are known, or, of an array,
//! are found on the way.
//!
//! The patterns run side by side, each as the set of places that its readings have come to: their product. The
//! shortest way through it comes first. So if its key is longer than S3 allows, no shorter key exists.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashSet};

use authorizer_core::key::MAX_KEY_BYTES;
use authorizer_core::prefix::KeyPrefix;
use authorizer_core::rules::{Claims, KeyPattern, Segment};
use serde_json::{Map, Value};

use super::Budget;
use crate::engine::EngineError;
use crate::engine::atom::Reading;

/// The statement about one pattern.
#[derive(Clone, Copy)]
pub(super) struct KeySaid<'p> {
    pub(super) pattern: &'p KeyPattern,
    pub(super) reading: Reading,
    pub(super) holds: bool,
}

/// A segment that the path may use.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub(super) text: String,
    /// Whether it is a member of each of the arrays, as bits; `None` if the search decides it.
    pub(super) bits: Option<u32>,
}

/// An array claim.
#[derive(Clone)]
pub(super) struct Members<'s> {
    pub(super) name: &'s str,
    /// What is known to be in it, or not.
    pub(super) known: BTreeMap<String, bool>,
    /// Whether nothing else is in it.
    pub(super) is_closed: bool,
}

impl Members<'_> {
    fn has(&self, text: &str) -> Option<bool> {
        self.known.get(text).copied().or(self.is_closed.then_some(false))
    }
}

/// What a way is looked for in.
pub(super) struct Search<'s> {
    pub(super) keys: &'s [KeySaid<'s>],
    pub(super) letters: &'s [Letter],
    pub(super) members: &'s [Members<'s>],
    /// The claims that are not arrays.
    pub(super) claims: &'s Map<String, Value>,
    /// For a listing, the beginning of the last segment; `None` for an object.
    pub(super) rest: Option<&'s str>,
}

/// A path that was found.
pub(super) struct Route {
    pub(super) resource: String,
    /// The claims, with the arrays.
    pub(super) claims: Map<String, Value>,
}

/// The places that the readings of a pattern have come to.
type Places = Vec<u32>;

/// Of a pattern that is to hold all below a prefix: it does, whatever comes.
const HOLDS: u32 = u32::MAX;

/// What has been found of the arrays on the way.
type Decided = BTreeMap<(usize, usize), bool>;

struct Node {
    places: Vec<Places>,
    decided: Decided,
    /// The node before, and the letter between, with its bits as far as a pattern looked at them.
    from: Option<(usize, usize, u32)>,
    bytes: usize,
}

impl Search<'_> {
    /// The shortest way, if there is one.
    pub(super) fn run(&self, budget: &mut Budget) -> Result<Option<Route>, EngineError> {
        let start = self.keys.iter().map(|key| self.start(*key)).collect();
        let mut nodes = vec![Node { places: start, decided: Decided::new(), from: None, bytes: 0 }];
        let mut seen: HashSet<(Vec<Places>, Decided)> = HashSet::new();
        let mut heap = BinaryHeap::from([Reverse((0usize, 0usize))]);
        while let Some(Reverse((_, index))) = heap.pop() {
            budget.spend()?;
            if let Some(route) = self.end(&nodes, index) {
                return Ok(Some(route));
            }
            for next in self.next(&nodes, index) {
                if next.bytes <= MAX_KEY_BYTES && seen.insert((next.places.clone(), next.decided.clone())) {
                    heap.push(Reverse((next.bytes, nodes.len())));
                    nodes.push(next);
                }
            }
        }
        Ok(None)
    }

    /// The segments that are walked through: of a pattern that is to hold all, those before its `**` at the end.
    fn segments<'k>(&self, key: KeySaid<'k>) -> &'k [Segment] {
        let segments = key.pattern.segments();
        match key.reading {
            Reading::Exactly | Reading::Touched => segments,
            Reading::Whole => {
                let end = segments.iter().rposition(|segment| *segment != Segment::AnySegments);
                segments.get(..end.map_or(0, |last| last.saturating_add(1))).unwrap_or_default()
            }
        }
    }

    fn start(&self, key: KeySaid<'_>) -> Places {
        settle(key, self.segments(key), [0].into())
    }

    /// The nodes after this one, one for each letter and each way that the arrays can have it.
    fn next(&self, nodes: &[Node], index: usize) -> Vec<Node> {
        let Some(node) = nodes.get(index) else { return Vec::new() };
        let looked_at = self.looked_at(&node.places);
        let mut all = Vec::new();
        for (at, letter) in self.letters.iter().enumerate() {
            for (bits, decided) in self.readings(&looked_at, node, at, letter) {
                let Some(places) = self.step(&node.places, &letter.text, bits) else { continue };
                let slash = usize::from(node.from.is_some());
                let bytes = node.bytes.saturating_add(slash).saturating_add(letter.text.len());
                all.push(Node { places, decided, from: Some((index, at, bits)), bytes });
            }
        }
        all
    }

    /// The arrays that a pattern asks for the next segment in.
    fn looked_at(&self, places: &[Places]) -> Vec<usize> {
        let asks = |name: &str| {
            self.keys.iter().zip(places).any(|(key, places)| {
                let segments = self.segments(*key);
                places.iter().any(|place| {
                    matches!(segment_at(segments, *place), Some(Segment::Claim(claim)) if claim == name)
                })
            })
        };
        self.members
            .iter()
            .enumerate()
            .filter(|(_, array)| asks(array.name))
            .map(|(index, _)| index)
            .collect()
    }

    /// In which of the arrays the letter can be.
    fn readings(&self, looked_at: &[usize], node: &Node, at: usize, letter: &Letter) -> Vec<(u32, Decided)> {
        let mut readings = vec![(0u32, node.decided.clone())];
        for index in looked_at {
            let Some(array) = self.members.get(*index) else { continue };
            let bit =
                u32::try_from(*index).ok().and_then(|index| 1u32.checked_shl(index)).unwrap_or_default();
            let known = match letter.bits {
                Some(bits) => Some(bits & bit != 0),
                None => array.has(&letter.text).or(node.decided.get(&(*index, at)).copied()),
            };
            let mut more = Vec::new();
            for (bits, decided) in readings {
                for is_in in [false, true] {
                    if known.is_some_and(|known| known != is_in) {
                        continue;
                    }
                    let mut decided = decided.clone();
                    if known.is_none() {
                        decided.insert((*index, at), is_in);
                    }
                    more.push((if is_in { bits | bit } else { bits }, decided));
                }
            }
            readings = more;
        }
        readings
    }

    /// The places after a segment; `None` if the statements can no longer be met.
    fn step(&self, places: &[Places], text: &str, bits: u32) -> Option<Vec<Places>> {
        let mut all = Vec::with_capacity(places.len());
        for (key, places) in self.keys.iter().zip(places) {
            let segments = self.segments(*key);
            let mut next = BTreeSet::new();
            for place in places {
                let after = place.saturating_add(1);
                match segment_at(segments, *place) {
                    _ if *place == HOLDS => {
                        next.insert(HOLDS);
                    }
                    Some(Segment::AnySegments) => {
                        next.insert(*place);
                        // As the last segment it stands for one or more, and this segment is one.
                        if key.reading == Reading::Exactly && is_end(segments, after) {
                            next.insert(after);
                        }
                    }
                    Some(segment) if self.matches(segment, text, bits) => {
                        next.insert(after);
                    }
                    Some(_) | None => {}
                }
            }
            let next = settle(*key, segments, next);
            let is_lost = key.holds && next.is_empty();
            let is_broken = !key.holds && next.contains(&HOLDS);
            if is_lost || is_broken {
                return None;
            }
            all.push(next);
        }
        Some(all)
    }

    fn matches(&self, segment: &Segment, text: &str, bits: u32) -> bool {
        let Segment::Claim(name) = segment else { return segment.matches(text, Claims::None) };
        if text.is_empty() {
            return false;
        }
        match self.members.iter().position(|array| array.name == name) {
            Some(index) => {
                u32::try_from(index).ok().and_then(|index| bits.checked_shr(index)).unwrap_or_default() & 1
                    == 1
            }
            None => self.claims.get(name).and_then(Value::as_str) == Some(text),
        }
    }

    /// The way, if it can end here.
    fn end(&self, nodes: &[Node], index: usize) -> Option<Route> {
        let node = nodes.get(index)?;
        let resource = self.resource(nodes, index);
        if let Some(rest) = self.rest {
            return self.end_listing(nodes, index, &resource, rest);
        }
        let is_as_said = |places: &[Places]| {
            self.keys.iter().zip(places).all(|(key, places)| {
                let segments = self.segments(*key);
                places.iter().any(|place| is_end(segments, *place)) == key.holds
            })
        };
        let claims = || self.claims_on(nodes, index);
        node.from?;
        if is_as_said(&node.places) {
            return Some(Route { resource, claims: claims() });
        }
        // The key of a folder: its last segment is empty.
        let has_room = node.bytes < MAX_KEY_BYTES;
        (has_room && self.step(&node.places, "", 0).is_some_and(|places| is_as_said(&places)))
            .then(|| Route { resource: format!("{resource}/"), claims: claims() })
    }

    /// For the beginning of a segment the core is asked, with every claim that could make a difference.
    fn end_listing(&self, nodes: &[Node], index: usize, whole: &str, rest: &str) -> Option<Route> {
        let resource = if whole.is_empty() { rest.to_owned() } else { format!("{whole}/{rest}") };
        let prefix = KeyPrefix::new(resource.clone()).ok()?;
        let claims = self.claims_on(nodes, index);
        let mut variants = vec![claims.clone()];
        for array in self.members.iter().filter(|array| !array.is_closed) {
            let more: Vec<_> = variants.iter().flat_map(|claims| with_another(claims, array, rest)).collect();
            variants.extend(more);
        }
        let is_as_said = |claims: &Map<String, Value>| {
            self.keys.iter().all(|key| {
                let known = Claims::Known(claims);
                let holds = match key.reading {
                    Reading::Whole => key.pattern.holds_all(&prefix, known),
                    Reading::Touched => key.pattern.holds_any(&prefix, known),
                    Reading::Exactly => false,
                };
                holds == key.holds
            })
        };
        variants.into_iter().find(is_as_said).map(|claims| Route { resource, claims })
    }

    /// The segments on the way to a node.
    fn resource(&self, nodes: &[Node], index: usize) -> String {
        let mut segments = Vec::new();
        let mut at = index;
        while let Some((before, letter, _)) = nodes.get(at).and_then(|node| node.from) {
            segments.extend(self.letters.get(letter).map(|letter| letter.text.as_str()));
            at = before;
        }
        segments.reverse();
        segments.join("/")
    }

    /// The claims, with what the way to a node found of the arrays.
    fn claims_on(&self, nodes: &[Node], index: usize) -> Map<String, Value> {
        let mut claims = self.claims.clone();
        for (number, array) in self.members.iter().enumerate() {
            let known = array.known.iter().filter(|(_, is_in)| **is_in).map(|(text, _)| text.as_str());
            let mut texts: BTreeSet<&str> = known.collect();
            let mut at = index;
            while let Some((before, letter, bits)) = nodes.get(at).and_then(|node| node.from) {
                let is_in =
                    u32::try_from(number).ok().and_then(|n| bits.checked_shr(n)).unwrap_or_default() & 1 == 1;
                texts.extend(self.letters.get(letter).filter(|_| is_in).map(|letter| letter.text.as_str()));
                at = before;
            }
            claims.insert(array.name.to_owned(), Value::from(texts.into_iter().collect::<Vec<_>>()));
        }
        claims
    }
}

/// The same claims with another member in one array: any, or one that goes on with what the prefix ends in.
fn with_another(claims: &Map<String, Value>, array: &Members<'_>, rest: &str) -> Vec<Map<String, Value>> {
    let mut fresh = format!("{rest}x");
    while array.known.contains_key(&fresh) {
        fresh.push('x');
    }
    let known = array.known.get(rest).copied();
    let mut more = vec![fresh];
    if known.is_none() && !rest.is_empty() {
        more.push(rest.to_owned());
    }
    let with = |text: String| {
        let mut claims = claims.clone();
        if let Some(Value::Array(members)) = claims.get_mut(array.name) {
            members.push(Value::from(text));
        }
        claims
    };
    more.into_iter().map(with).collect()
}

fn segment_at(segments: &[Segment], place: u32) -> Option<&Segment> {
    usize::try_from(place).ok().and_then(|place| segments.get(place))
}

fn is_end(segments: &[Segment], place: u32) -> bool {
    usize::try_from(place).is_ok_and(|place| place == segments.len())
}

/// `**` may stand for no segment at all, unless it is the last; and a pattern that holds all goes on holding.
fn settle(key: KeySaid<'_>, segments: &[Segment], mut places: BTreeSet<u32>) -> Places {
    for (index, segment) in segments.iter().enumerate() {
        let place = u32::try_from(index).unwrap_or(HOLDS);
        let after = place.saturating_add(1);
        if *segment == Segment::AnySegments && places.contains(&place) && !is_end(segments, after) {
            places.insert(after);
        }
    }
    let has_come_to_end = places.iter().any(|place| is_end(segments, *place));
    if key.reading == Reading::Whole && (has_come_to_end || places.contains(&HOLDS)) {
        return vec![HOLDS];
    }
    places.into_iter().collect()
}
