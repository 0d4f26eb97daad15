//! A key that some patterns hold and others do not, with the claims that stand in them, which are found on the way.
//!
//! The patterns run side by side, each as the set of places that its readings have come to: their product. The
//! shortest way through it comes first. So if its key is longer than S3 allows, no shorter key exists.
//!
//! A claim is decided on where a pattern first asks for it: this segment is its value, or it is not. What has been
//! decided (`mind.rs`) is part of the state only as long as a pattern can still ask for the claim.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use authorizer_core::key::MAX_KEY_BYTES;
use authorizer_core::rules::{Claims, KeyPattern, Segment};

use super::mind::{Letter, Look, Mind, Pick, Slot, Slots, bit, readings};
use crate::engine::atom::Reading;
use crate::engine::budget::{Meter, OutOfBudget};

/// The statement about one pattern.
#[derive(Clone, Copy)]
pub(super) struct KeySaid<'p> {
    pub(super) pattern: &'p KeyPattern,
    pub(super) reading: Reading,
    pub(super) holds: bool,
}

/// A segment on the way, and for which of the claims that a pattern asked for it is the value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) pick: Pick,
    pub(super) looked: Slots,
    pub(super) is_in: Slots,
}

/// A way that was found.
pub(super) struct Route<'n> {
    pub(super) steps: Vec<Step>,
    /// Whether the key is that of a folder: it ends in a slash.
    pub(super) is_folder: bool,
    pub(super) mind: &'n Mind,
}

/// What a way is looked for in.
pub(super) struct Search<'s> {
    tracks: Vec<Track<'s>>,
    letters: &'s [Letter],
    slots: &'s [Slot<'s>],
    /// Whether every way ends where it is, as the whole segments of a prefix do.
    is_listing: bool,
}

/// The places that the readings of a pattern have come to, in order.
type Places = Vec<u32>;

/// Of a pattern that is to hold all below a prefix: it does, whatever comes.
const HOLDS: u32 = u32::MAX;

/// A segment of a pattern.
enum Piece<'s> {
    Text(&'s Segment),
    /// The claim is the slot, or has no value that a segment could be.
    Claim(Option<usize>),
    AnySegments,
}

/// A pattern, as it is walked through.
struct Track<'s> {
    reading: Reading,
    holds: bool,
    pieces: Vec<Piece<'s>>,
    /// From each place on, the slots that it can still ask for.
    ahead: Vec<Slots>,
    /// From each place on, the fewest bytes to the end.
    bytes: Vec<usize>,
}

impl<'s> Track<'s> {
    fn new(key: KeySaid<'s>, slots: &[Slot<'_>]) -> Self {
        let segments = key.pattern.segments();
        let segments = match key.reading {
            Reading::Exactly | Reading::Touched => segments,
            // Of a pattern that is to hold all, those before its `**` at the end.
            Reading::Whole => {
                let end = segments.iter().rposition(|segment| *segment != Segment::AnySegments);
                segments.get(..end.map_or(0, |last| last.saturating_add(1))).unwrap_or_default()
            }
        };
        let piece = |segment: &'s Segment| match segment {
            Segment::Claim(name) => Piece::Claim(slots.iter().position(|slot| slot.name() == name)),
            Segment::AnySegments => Piece::AnySegments,
            Segment::Literal(_) | Segment::Glob(_) => Piece::Text(segment),
        };
        let pieces: Vec<Piece<'s>> = segments.iter().map(piece).collect();
        let (mut ahead, mut bytes) = (vec![0], vec![0usize]);
        for (index, piece) in pieces.iter().enumerate().rev() {
            let (next, more) = (ahead.last().copied().unwrap_or(0), bytes.last().copied().unwrap_or(0));
            let is_last = index.saturating_add(1) == pieces.len();
            let (asks, least) = match piece {
                Piece::Text(Segment::Literal(text)) => (0, text.len().saturating_add(1)),
                Piece::Text(Segment::Glob(parts)) => {
                    (0, parts.iter().map(String::len).sum::<usize>().max(1).saturating_add(1))
                }
                Piece::Text(Segment::Claim(_) | Segment::AnySegments) => (0, 0),
                Piece::Claim(slot) => (slot.map_or(0, bit), 2),
                Piece::AnySegments => (0, if is_last { 1 } else { 0 }),
            };
            ahead.push(next | asks);
            bytes.push(more.saturating_add(least));
        }
        ahead.reverse();
        bytes.reverse();
        if key.reading == Reading::Touched {
            bytes.fill(0);
        }
        Self { reading: key.reading, holds: key.holds, pieces, ahead, bytes }
    }

    fn piece(&self, place: u32) -> Option<&Piece<'s>> {
        usize::try_from(place).ok().and_then(|place| self.pieces.get(place))
    }

    fn is_end(&self, place: u32) -> bool {
        usize::try_from(place).is_ok_and(|place| place == self.pieces.len())
    }

    /// The slots that it can still ask for.
    fn ahead(&self, places: &[u32]) -> Slots {
        let first = places.first().and_then(|place| usize::try_from(*place).ok());
        first.and_then(|place| self.ahead.get(place)).copied().unwrap_or(0)
    }

    /// The fewest bytes to its end, if it must come to it.
    fn least(&self, places: &[u32]) -> usize {
        let of = |place: &u32| {
            usize::try_from(*place).ok().and_then(|place| self.bytes.get(place)).copied().unwrap_or(0)
        };
        if self.holds { places.iter().map(of).min().unwrap_or(0) } else { 0 }
    }

    fn start(&self) -> Places {
        self.settle(vec![0])
    }

    /// The places after a segment; `None` if the statement can no longer be met.
    fn step(&self, places: &[u32], text: &str, is_in: Slots) -> Option<Places> {
        let mut next = Places::with_capacity(places.len().saturating_add(1));
        for place in places {
            let after = place.saturating_add(1);
            match self.piece(*place) {
                _ if *place == HOLDS => next.push(HOLDS),
                Some(Piece::AnySegments) => {
                    next.push(*place);
                    // As the last segment it stands for one or more, and this segment is one.
                    if self.reading == Reading::Exactly && self.is_end(after) {
                        next.push(after);
                    }
                }
                Some(Piece::Claim(slot))
                    if !text.is_empty() && slot.is_some_and(|slot| is_in & bit(slot) != 0) =>
                {
                    next.push(after);
                }
                Some(Piece::Text(segment)) if segment.matches(text, Claims::None) => next.push(after),
                Some(Piece::Claim(_) | Piece::Text(_)) | None => {}
            }
        }
        let next = self.settle(next);
        let is_lost = self.holds && next.is_empty();
        let is_broken = !self.holds && next.contains(&HOLDS);
        (!is_lost && !is_broken).then_some(next)
    }

    /// `**` may stand for no segment at all, unless it is the last; and a pattern that holds all goes on holding.
    fn settle(&self, mut places: Places) -> Places {
        let mut index = 0;
        while let Some(place) = places.get(index).copied() {
            let after = place.saturating_add(1);
            if matches!(self.piece(place), Some(Piece::AnySegments)) && !self.is_end(after) {
                places.push(after);
            }
            index = index.saturating_add(1);
        }
        places.sort_unstable();
        places.dedup();
        let has_come_to_end = places.iter().any(|place| self.is_end(*place) || *place == HOLDS);
        if self.reading == Reading::Whole && has_come_to_end {
            return vec![HOLDS];
        }
        places
    }

    /// Whether the statement is met by a key that ends here.
    fn is_met(&self, places: &[u32]) -> bool {
        places.iter().any(|place| self.is_end(*place)) == self.holds
    }
}

struct Node {
    places: Vec<Places>,
    mind: Mind,
    /// The node before, and the step between.
    from: Option<(usize, Step)>,
    bytes: usize,
}

/// The bytes of a node on the heap and in the table of states, without what grows with it.
const NODE_BYTES: usize = 320;

impl<'s> Search<'s> {
    pub(super) fn new(
        keys: &[KeySaid<'s>],
        letters: &'s [Letter],
        slots: &'s [Slot<'s>],
        is_listing: bool,
    ) -> Self {
        let tracks = keys.iter().map(|key| Track::new(*key, slots)).collect();
        Self { tracks, letters, slots, is_listing }
    }

    /// The first of the ways, the shortest first, of which something can be made.
    pub(super) fn run<T>(
        &self,
        meter: &mut Meter,
        mut make: impl FnMut(&Route<'_>, &mut Meter) -> Result<Option<T>, OutOfBudget>,
    ) -> Result<Option<T>, OutOfBudget> {
        let held = meter.held();
        let start = self.tracks.iter().map(Track::start).collect();
        let mut nodes = vec![Node { places: start, mind: Mind::default(), from: None, bytes: 0 }];
        let mut least: HashMap<(Vec<Places>, Mind), usize> = HashMap::new();
        // The shortest first; of these, what has come farthest.
        let mut heap = BinaryHeap::from([Reverse((0usize, Reverse(0usize), 0usize))]);
        while let Some(Reverse((_, _, index))) = heap.pop() {
            meter.spend(1)?;
            let Some(node) = nodes.get(index) else { continue };
            let is_stale = least.get(&self.state(node)).is_some_and(|least| *least < node.bytes);
            if is_stale {
                continue;
            }
            for is_folder in [false, true] {
                if self.can_end(node, is_folder) {
                    let route = Route { steps: steps(&nodes, index), is_folder, mind: &node.mind };
                    meter.spend(1)?;
                    if let Some(made) = make(&route, meter)? {
                        meter.release_to(held);
                        return Ok(Some(made));
                    }
                }
            }
            for next in self.next(&nodes, index, meter)? {
                let state = self.state(&next);
                let is_shorter = least.get(&state).is_none_or(|least| next.bytes < *least);
                if next.bytes <= MAX_KEY_BYTES && is_shorter {
                    let places: usize = next.places.iter().map(|one| one.len().saturating_add(6)).sum();
                    meter.hold(
                        NODE_BYTES
                            .saturating_add(places.saturating_mul(8))
                            .saturating_add(next.mind.size().saturating_mul(96)),
                    )?;
                    let ahead =
                        self.tracks.iter().zip(&next.places).map(|(track, places)| track.least(places));
                    let whole = next.bytes.saturating_add(ahead.max().unwrap_or(0));
                    heap.push(Reverse((whole, Reverse(next.bytes), nodes.len())));
                    least.insert(state, next.bytes);
                    nodes.push(next);
                }
            }
        }
        meter.release_to(held);
        Ok(None)
    }

    /// What of a node decides what can come of it.
    fn state(&self, node: &Node) -> (Vec<Places>, Mind) {
        let ahead = self.tracks.iter().zip(&node.places).map(|(track, places)| track.ahead(places));
        let ahead = ahead.fold(0, |all, one| all | one);
        (node.places.clone(), node.mind.of_what_is_ahead(ahead, self.slots))
    }

    /// The nodes after this one: one for each segment, and each way that the claims can have it.
    fn next(&self, nodes: &[Node], index: usize, meter: &mut Meter) -> Result<Vec<Node>, OutOfBudget> {
        let Some(node) = nodes.get(index) else { return Ok(Vec::new()) };
        let look = self.look(&node.places);
        let classes = self.letters.iter().enumerate().map(|(at, letter)| letter.pick(at));
        let owned = node.mind.owners().map(Pick::Of);
        let mut all = Vec::new();
        for pick in classes.chain(owned) {
            let Some(letter) = node.mind.letter(pick, self.letters) else { continue };
            let text = letter.text();
            for (is_in, mind, pick) in readings(&node.mind, pick, letter, look, self.slots) {
                meter.spend(1)?;
                let places: Option<Vec<Places>> = self
                    .tracks
                    .iter()
                    .zip(&node.places)
                    .map(|(track, places)| track.step(places, text, is_in))
                    .collect();
                let Some(places) = places else { continue };
                let slash = usize::from(node.from.is_some());
                let bytes = node.bytes.saturating_add(slash).saturating_add(text.len());
                let step = Step { pick, looked: look.asked | look.refused, is_in };
                all.push(Node { places, mind, from: Some((index, step)), bytes });
            }
        }
        Ok(all)
    }

    /// The claims that patterns ask for the next segment in.
    fn look(&self, places: &[Places]) -> Look {
        let mut look = Look::default();
        for (track, places) in self.tracks.iter().zip(places) {
            for place in places {
                if let Some(Piece::Claim(Some(slot))) = track.piece(*place) {
                    match track.holds {
                        true => look.asked |= bit(*slot),
                        false => look.refused |= bit(*slot),
                    }
                }
            }
        }
        look
    }

    /// Whether a way can end here, or in a slash after it.
    fn can_end(&self, node: &Node, is_folder: bool) -> bool {
        if self.is_listing {
            return !is_folder;
        }
        if node.from.is_none() || (is_folder && node.bytes >= MAX_KEY_BYTES) {
            return false;
        }
        self.tracks.iter().zip(&node.places).all(|(track, places)| match is_folder {
            false => track.is_met(places),
            true => track.step(places, "", 0).is_some_and(|places| track.is_met(&places)),
        })
    }
}

/// The steps to a node.
fn steps(nodes: &[Node], index: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut at = index;
    while let Some((before, step)) = nodes.get(at).and_then(|node| node.from) {
        steps.push(step);
        at = before;
    }
    steps.reverse();
    steps
}
