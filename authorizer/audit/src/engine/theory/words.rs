//! Segments of keys, as far as patterns and tests can tell them apart.
//!
//! The texts that are named stand for themselves. All other segments fall into classes by which of the shapes they
//! have, and each class is a regular language; of each the shortest words are found, as many as could ever have to
//! differ from each other.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

use super::Budget;
use crate::engine::EngineError;

/// What a segment or a claim's value can look like.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Shape {
    /// Text with any characters between its parts.
    Glob(Vec<String>),
    /// What can stand in a header: printable ASCII without spaces around it and without `=?`.
    Header,
}

/// Words that no shape tells apart.
#[derive(Debug, Default)]
pub(super) struct Class {
    pub(super) words: Vec<String>,
}

/// The longest word that is looked for: a key is no longer.
const MAX_BYTES: usize = authorizer_core::key::MAX_KEY_BYTES;

/// The classes of segments that are none of `named`, each with its `wanted` shortest words, or all it has.
pub(super) fn classes(
    shapes: &BTreeSet<Shape>,
    named: &BTreeSet<String>,
    wanted: usize,
    budget: &mut Budget,
) -> Result<Vec<Class>, EngineError> {
    let machines: Vec<Machine> = shapes.iter().map(Machine::new).collect();
    let alphabet = alphabet(shapes, named, wanted);
    let mut classes: HashMap<Vec<bool>, Class> = HashMap::new();
    let mut visits: HashMap<Vec<Vec<u32>>, usize> = HashMap::new();
    let signature = |states: &[Vec<u32>]| -> Vec<bool> {
        machines.iter().zip(states).map(|(machine, state)| machine.accepts(state)).collect()
    };
    let mut note = |signature: Vec<bool>, word: String| {
        let class = classes.entry(signature).or_default();
        if class.words.len() < wanted {
            class.words.push(word);
        }
    };
    let mut heap = BinaryHeap::new();
    heap.push(Reverse((0usize, Vec::<usize>::new())));
    // The shortest first, and of these what reads well.
    while let Some(Reverse((length, letters))) = heap.pop() {
        let word: String = letters.iter().filter_map(|letter| alphabet.get(*letter)).collect();
        budget.spend()?;
        let states: Vec<Vec<u32>> = machines.iter().map(|machine| machine.read(&word)).collect();
        // A word that begins a named text may lead to no word but that one: it is not held against its state.
        let begins_named = named.iter().any(|text| text.starts_with(&word)) || "..".starts_with(&word);
        if !begins_named {
            let signature = signature(&states);
            let visits = visits.entry(states).or_default();
            if *visits >= wanted {
                continue;
            }
            *visits = visits.saturating_add(1);
            note(signature, word);
        } else if !named.contains(&word) && !matches!(word.as_str(), "" | "." | "..") {
            note(signature(&states), word);
        }
        for (index, character) in alphabet.iter().enumerate() {
            let longer = length.saturating_add(character.len_utf8());
            if longer <= MAX_BYTES {
                heap.push(Reverse((longer, [letters.as_slice(), &[index]].concat())));
            }
        }
    }
    let mut classes: Vec<(Vec<bool>, Class)> = classes.into_iter().collect();
    classes.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(classes.into_iter().map(|(_, class)| class).collect())
}

/// Characters, one for each way that a shape can tell them apart: those in the shapes, and some that stand nowhere.
fn alphabet(shapes: &BTreeSet<Shape>, named: &BTreeSet<String>, wanted: usize) -> Vec<char> {
    let mut mentioned: BTreeSet<char> = BTreeSet::new();
    let mut fresh = 0usize;
    for shape in shapes {
        match shape {
            Shape::Glob(parts) => mentioned.extend(parts.iter().flat_map(|part| part.chars())),
            Shape::Header => mentioned.extend([' ', '=', '?', '\u{e9}']),
        }
    }
    mentioned.retain(|character| !character.is_control() && !matches!(character, '/' | '\\'));
    let in_named: BTreeSet<char> = named.iter().flat_map(|text| text.chars()).collect();
    let letters =
        || ('a'..='z').chain('0'..='9').chain("-_~!$&'()+,;:@^`|<>\"#%={}[]?.".chars()).chain('A'..='Z');
    let unused = |character: &char| !mentioned.contains(character);
    let mut free: Vec<char> = letters().filter(unused).filter(|one| !in_named.contains(one)).collect();
    free.extend(letters().filter(unused).filter(|one| in_named.contains(one)));
    free.extend(('\u{100}'..'\u{200}').filter(unused));
    let mut alphabet: Vec<char> = Vec::new();
    for character in free {
        if fresh >= wanted.max(1) {
            break;
        }
        alphabet.push(character);
        fresh = fresh.saturating_add(1);
    }
    alphabet.extend(mentioned);
    alphabet
}

/// Tells whether a word has a shape, a character at a time.
enum Machine {
    /// The characters of a glob; none stands for a star. The state is the places that have been come to.
    Glob(Vec<Option<char>>),
    /// The state is one of the constants below.
    Header,
}

const START: u32 = 0;
const PLAIN: u32 = 1;
const SPACE: u32 = 2;
const EQUALS: u32 = 3;
const NEVER: u32 = 4;

impl Machine {
    fn new(shape: &Shape) -> Self {
        match shape {
            Shape::Header => Self::Header,
            Shape::Glob(parts) => {
                let mut characters = Vec::new();
                for (index, part) in parts.iter().enumerate() {
                    if index > 0 {
                        characters.push(None);
                    }
                    characters.extend(part.chars().map(Some));
                }
                Self::Glob(characters)
            }
        }
    }

    /// The state after a word.
    fn read(&self, word: &str) -> Vec<u32> {
        match self {
            Self::Glob(characters) => {
                let mut places = pass_stars(characters, [0].into());
                for character in word.chars() {
                    let mut next = BTreeSet::new();
                    for place in places {
                        match characters.get(usize::try_from(place).unwrap_or(usize::MAX)) {
                            Some(None) => next.insert(place),
                            Some(Some(expected)) if *expected == character => {
                                next.insert(place.saturating_add(1))
                            }
                            Some(Some(_)) | None => false,
                        };
                    }
                    places = pass_stars(characters, next);
                }
                places.into_iter().collect()
            }
            Self::Header => vec![word.chars().fold(START, header_step)],
        }
    }

    fn accepts(&self, state: &[u32]) -> bool {
        match self {
            Self::Glob(characters) => {
                state.iter().any(|place| usize::try_from(*place).is_ok_and(|place| place == characters.len()))
            }
            Self::Header => state == [PLAIN] || state == [EQUALS],
        }
    }
}

/// A star may stand for nothing.
fn pass_stars(characters: &[Option<char>], mut places: BTreeSet<u32>) -> BTreeSet<u32> {
    for (index, character) in characters.iter().enumerate() {
        let place = u32::try_from(index).unwrap_or(u32::MAX);
        if character.is_none() && places.contains(&place) {
            places.insert(place.saturating_add(1));
        }
    }
    places
}

fn header_step(state: u32, character: char) -> u32 {
    match (state, character) {
        (NEVER, _) | (START, ' ') | (EQUALS, '?') => NEVER,
        (_, ' ') => SPACE,
        (_, '=') => EQUALS,
        (_, character) if character.is_ascii_graphic() => PLAIN,
        (_, _) => NEVER,
    }
}
