//! The segments that a key is looked for in, and the values that a claim can have.
//!
//! Every text that is named stands for itself. Of every class of segments that patterns and tests cannot tell apart
//! (`words.rs`) there are as many words as can have to differ: one for each text to be, and for the rest one for
//! each way in which arrays can have it or not. What a claim's test names need not be a segment: such a text is a
//! value of a claim, and matches no pattern.

use std::collections::{BTreeMap, BTreeSet};

use authorizer_core::rules::{MetadataTerm, Segment};

use super::claim::{Claim, Kind, is_in_segments, is_segment};
use super::mind::{Holds, Letter, Slot};
use super::path::KeySaid;
use super::words::{Shape, Weight, classes};
use super::{Said, claims};
use crate::engine::atom::{Atom, ClaimAtom};
use crate::engine::budget::{Meter, OutOfBudget};

/// The most words of a class beside those that texts have.
const MOST_NEW: usize = 24;

/// The stock.
pub(super) struct Stock {
    /// The segments: first the classes, then the named ones that read well.
    pub(super) letters: Vec<Letter>,
    /// All texts that are named, and of those that are segments the place among the letters.
    pub(super) named: Vec<(String, Option<usize>)>,
    /// The number of claims that are texts.
    pub(super) texts: usize,
    /// A text that is part of no text that is named, and of no segment.
    filler: String,
}

impl Stock {
    pub(super) fn of(
        said: &[Said<'_, '_>],
        keys: &[KeySaid<'_>],
        slotted: &[(&Claim<'_>, &Kind)],
        rest: Option<&str>,
        meter: &mut Meter,
    ) -> Result<Self, OutOfBudget> {
        let texts: Vec<&Claim<'_>> =
            slotted.iter().filter(|(_, kind)| **kind == Kind::Text).map(|(claim, _)| *claim).collect();
        let undecided = slotted.iter().filter(|(claim, kind)| {
            **kind == Kind::Array && claim.is_asked && claim.is_refused && claim.given.is_none()
        });
        let ways = u32::try_from(undecided.count()).ok().and_then(|arrays| 1usize.checked_shl(arrays));
        let wanted = texts.len().saturating_add(ways.unwrap_or(MOST_NEW).min(MOST_NEW));
        let named = named(said, keys, slotted, &texts);
        let shapes = shapes(said, keys, &texts, rest);
        let mut letters = Vec::new();
        let mut segments: BTreeSet<String> = named.iter().filter(|text| is_segment(text)).cloned().collect();
        for class in classes(&shapes, &named, wanted, meter)? {
            match class.words.len() < wanted {
                // There are no others, so each stands for itself.
                true => segments.extend(class.words),
                false => letters.push(Letter { words: class.words, is_class: true }),
            }
        }
        let reads_well = |text: &String| text.chars().all(|one| one.is_ascii_alphanumeric());
        letters.sort_by_key(|letter| !letter.words.first().is_some_and(reads_well));
        let mut segments: Vec<String> = segments.into_iter().collect();
        segments.sort_by_key(|text| !reads_well(text));
        let first = letters.len();
        letters.extend(segments.iter().map(|text| Letter { words: vec![text.clone()], is_class: false }));
        let place =
            |text: &String| segments.iter().position(|one| one == text).map(|at| at.saturating_add(first));
        let mut all: BTreeSet<String> = named;
        all.extend(segments.iter().cloned());
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let filler = format!("{}/", claims::fresh_within(&all));
        let mut named: Vec<(String, Option<usize>)> =
            all.into_iter().map(|text| (text.to_owned(), place(&text.to_owned()))).collect();
        named.sort_by_key(|(text, _)| !reads_well(text));
        Ok(Self { letters, named, texts: texts.len(), filler })
    }

    /// The slot of a claim.
    pub(super) fn slot<'s>(
        &self,
        claim: &'s Claim<'s>,
        kind: &Kind,
        known: BTreeMap<String, bool>,
    ) -> Slot<'s> {
        match kind {
            Kind::Array => {
                let holds = Holds::Members { known, is_closed: claim.given.is_some() };
                Slot { claim, holds, is_free: true }
            }
            Kind::Text | Kind::Other(_) => {
                let is_free = !claim.unnamed(&self.filler).is_empty();
                Slot { claim, holds: Holds::Text, is_free }
            }
        }
    }

    /// A text that is no segment, and that no other text has in it: one for each slot.
    pub(super) fn filler(&self, slot: usize) -> String {
        format!("{}{slot}", self.filler)
    }

    /// The word of a class that is kept for the value of the text with this number.
    pub(super) fn word_of(&self, letter: usize, text: usize) -> Option<&str> {
        self.letters.get(letter)?.words.get(text.saturating_add(1)).map(String::as_str)
    }
}

/// Every text that is named.
fn named(
    said: &[Said<'_, '_>],
    keys: &[KeySaid<'_>],
    slotted: &[(&Claim<'_>, &Kind)],
    texts: &[&Claim<'_>],
) -> BTreeSet<String> {
    let mut named: BTreeSet<String> = slotted.iter().flat_map(|(claim, _)| claim.texts()).collect();
    for segment in keys.iter().flat_map(|key| key.pattern.segments()) {
        if let Segment::Literal(text) = segment
            && !text.is_empty()
        {
            named.insert(text.clone());
        }
    }
    for (atom, _) in said {
        if let Atom::MetadataIs(_, MetadataTerm::Literal(text)) = atom {
            named.insert(text.clone());
        }
    }
    named.extend(texts.iter().filter_map(|claim| claim.sentence()));
    named.extend(texts.iter().flat_map(|claim| claim.whole_beginnings()));
    named
}

/// What patterns and tests look for in segments.
fn shapes(
    said: &[Said<'_, '_>],
    keys: &[KeySaid<'_>],
    texts: &[&Claim<'_>],
    rest: Option<&str>,
) -> BTreeMap<Shape, Weight> {
    let mut shapes = BTreeMap::new();
    for key in keys {
        for segment in key.pattern.segments() {
            if let Segment::Glob(parts) = segment
                && parts.iter().any(|part| !part.is_empty())
            {
                let shape = Shape::Glob(parts.clone());
                if key.holds {
                    shapes.insert(shape, Weight::Tells);
                } else {
                    shapes.entry(shape).or_insert(Weight::InTheWay);
                }
            }
        }
    }
    if said.iter().any(|(atom, _)| {
        matches!(atom, Atom::MetadataIs(_, MetadataTerm::Claim(_)) | Atom::Claim(_, ClaimAtom::Usable))
    }) {
        shapes.insert(Shape::Header, Weight::Tells);
    }
    // A word with a space is in no string, so no string has to be told apart by it.
    let is_word = |word: &&str| is_in_segments(word) && !word.contains(' ');
    for word in texts.iter().flat_map(|claim| claim.words()).filter(is_word) {
        for parts in [[format!("{word} "), String::new()], [String::new(), format!(" {word}")]] {
            shapes.insert(Shape::Glob(parts.to_vec()), Weight::Tells);
        }
        shapes.insert(Shape::Glob(vec![String::new(), format!(" {word} "), String::new()]), Weight::Tells);
    }
    // A beginning with a slash is of no segment.
    let beginnings = texts.iter().flat_map(|claim| &claim.tests).filter_map(|(test, _)| test.beginning());
    for beginning in beginnings.filter(|beginning| is_segment(&format!("{beginning}x"))) {
        shapes.insert(Shape::Glob(vec![beginning.to_owned(), String::new()]), Weight::Tells);
    }
    if let Some(rest) = rest.filter(|rest| !rest.is_empty() && !texts.is_empty()) {
        shapes.insert(Shape::Glob(vec![rest.to_owned(), String::new()]), Weight::Tells);
    }
    shapes
}
