//! Segments of keys, as far as patterns and tests can distinguish them.
//!
//! The texts that are named stand for themselves. All other segments fall into classes by which of the shapes they
//! have, and each class is a regular language; of each the shortest words are found, as many as could ever have to
//! differ from each other.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

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

/// How much a shape matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Weight {
    /// A segment with this shape is different from a segment without it.
    Tells,
    /// It is only in patterns that must not match the key. So a segment without this shape can replace a segment that
    /// has it.
    InTheWay,
}

/// Words that no shape can distinguish.
#[derive(Debug, Default)]
pub(super) struct Class {
    pub(super) words: Vec<String>,
}

/// The longest word in the search. A key is not longer.
const MAX_BYTES: usize = authorizer_core::key::MAX_KEY_BYTES;

/// The classes of segments that are not in `named`, each with its `wanted` shortest words, or all it has. Left out
/// are words in whose place there are `wanted` others, no longer, that have no more of the shapes that are in the
/// way: else a dozen globs such as `*secret*` would make thousands of classes.
pub(super) fn classes(
    shapes: &BTreeMap<Shape, Weight>,
    named: &BTreeSet<String>,
    wanted: usize,
    budget: &mut Budget,
) -> Result<Vec<Class>, EngineError> {
    let machines: Vec<Machine> = shapes.keys().map(Machine::new).collect();
    let weights: Vec<Weight> = shapes.values().copied().collect();
    let alphabet = alphabet(shapes, named, wanted);
    let mut classes: HashMap<Vec<bool>, Class> = HashMap::new();
    // By the states that tell: the states that are in the way, and how many words have come to them.
    let mut visits: HashMap<Vec<States>, Vec<(Vec<States>, usize)>> = HashMap::new();
    let signature = |states: &[States]| -> Vec<bool> {
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
        let states: Vec<States> = machines.iter().map(|machine| machine.read(&word)).collect();
        // A word that begins a named text may lead to no other word, so it is not checked against that text's state.
        let begins_named = named.iter().any(|text| text.starts_with(&word)) || "..".starts_with(&word);
        if !begins_named {
            let signature = signature(&states);
            let (telling, in_the_way) = apart(states, &weights);
            let visits = visits.entry(telling).or_default();
            let is_spared = |(known, count): &(Vec<States>, usize)| {
                *count >= wanted
                    && known.iter().zip(&in_the_way).all(|(known, these)| is_within(known, these))
            };
            if visits.iter().any(is_spared) {
                continue;
            }
            match visits.iter_mut().find(|(known, _)| *known == in_the_way) {
                Some((_, count)) => *count = count.saturating_add(1),
                None => visits.push((in_the_way, 1)),
            }
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

/// The states of the shapes that tell, and of those that are in the way.
fn apart(states: Vec<States>, weights: &[Weight]) -> (Vec<States>, Vec<States>) {
    let (telling, in_the_way): (Vec<_>, Vec<_>) =
        states.into_iter().zip(weights).partition(|(_, weight)| **weight == Weight::Tells);
    let states = |some: Vec<(States, &Weight)>| some.into_iter().map(|(states, _)| states).collect();
    (states(telling), states(in_the_way))
}

/// Whether whatever has the shape from the one states on has it from the others on too.
fn is_within(some: &[u32], others: &[u32]) -> bool {
    some.iter().all(|state| others.contains(state))
}

/// Characters, one for each way that a shape can distinguish: those in the shapes, and some that are in no shape.
fn alphabet(shapes: &BTreeMap<Shape, Weight>, named: &BTreeSet<String>, wanted: usize) -> Vec<char> {
    let mut mentioned: BTreeSet<char> = BTreeSet::new();
    let mut fresh = 0usize;
    for shape in shapes.keys() {
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

/// The states that the readings of a word have come to.
type States = Vec<u32>;

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

/// A star may stand for an empty text.
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

#[cfg(test)]
mod tests {
    use super::*;
    use authorizer_core::key::ObjectKey;
    use authorizer_core::rules::{Claims, KeyPattern};
    use proptest::prelude::*;

    /// Every word of up to five of these letters.
    fn short_words() -> Vec<String> {
        let mut all = vec![String::new()];
        let mut last = all.clone();
        for _ in 0..5 {
            last = last.iter().flat_map(|word| ["a", "b", "z"].map(|c| format!("{word}{c}"))).collect();
            all.extend(last.iter().cloned());
        }
        all.remove(0);
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn every_class_that_a_short_word_is_of_is_found_with_as_many_words_as_it_has(
            globs in prop::collection::btree_set("[ab]{0,2}\\*[ab]{0,2}(\\*[ab]{0,1})?", 1..4),
            named in prop::collection::btree_set("[abz]{1,3}", 0..3),
            wanted in 1usize..4,
        ) {
            let globs: Vec<&String> = globs.iter().filter(|glob| !glob.contains("**")).collect();
            let shape = |glob: &&String| Shape::Glob(glob.split('*').map(str::to_owned).collect());
            let shapes = globs.iter().map(|glob| (shape(glob), Weight::Tells)).collect();
            let patterns: Vec<_> = globs.iter().map(|glob| KeyPattern::parse(glob).unwrap()).collect();
            let signature = |word: &String| -> Vec<bool> {
                let key = ObjectKey::new(word.clone()).unwrap();
                patterns.iter().map(|pattern| pattern.matches(&key, Claims::None)).collect()
            };
            let mut there: HashMap<Vec<bool>, usize> = HashMap::new();
            for word in short_words().into_iter().filter(|word| !named.contains(word)) {
                let count = there.entry(signature(&word)).or_default();
                *count = count.saturating_add(1);
            }
            let mut found: HashMap<Vec<bool>, usize> = HashMap::new();
            for class in classes(&shapes, &named, wanted, &mut Budget::new()).unwrap() {
                let signatures: BTreeSet<_> = class.words.iter().map(signature).collect();
                prop_assert_eq!(signatures.len(), 1, "one class, {:?}", class);
                prop_assert!(class.words.iter().all(|word| !named.contains(word)), "{:?}", class);
                let distinct: BTreeSet<_> = class.words.iter().collect();
                found.insert(signatures.into_iter().next().unwrap(), distinct.len());
            }
            for (signature, count) in there {
                let enough = count.min(wanted);
                prop_assert!(found.get(&signature).is_some_and(|found| *found >= enough), "{:?}", signature);
            }
        }
    }
}
