//! Segments of keys, as far as patterns and tests can distinguish them.
//!
//! The texts that are named stand for themselves. All other segments fall into classes by which of the shapes they
//! have, and each class is a regular language; of each the shortest words are found, as many as could ever have to
//! differ from each other.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

use crate::engine::budget::{Meter, OutOfBudget};

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

/// A word on the way to others: its length, its letters, and the states that the shapes are in after it.
type Reached = Reverse<(usize, Vec<usize>, Vec<States>)>;

/// The classes of segments that are not in `named`, each with its `wanted` shortest words, or all it has. Left out
/// are words in whose place there are `wanted` others, no longer, that have no more of the shapes that are in the
/// way: else a dozen globs such as `*secret*` would make thousands of classes.
pub(super) fn classes(
    shapes: &BTreeMap<Shape, Weight>,
    named: &BTreeSet<String>,
    wanted: usize,
    meter: &mut Meter,
) -> Result<Vec<Class>, OutOfBudget> {
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
    let held = meter.held();
    let mut heap: BinaryHeap<Reached> = BinaryHeap::new();
    heap.push(Reverse((0, Vec::new(), machines.iter().map(Machine::start).collect())));
    // The shortest first, and of these what reads well.
    while let Some(Reverse((length, letters, states))) = heap.pop() {
        let word: String = letters.iter().filter_map(|letter| alphabet.get(*letter)).collect();
        meter.spend(1)?;
        let (telling, in_the_way) = apart(states.clone(), &weights);
        let visits = visits.entry(telling).or_default();
        let is_spared = |(known, count): &(Vec<States>, usize)| {
            *count >= wanted && known.iter().zip(&in_the_way).all(|(known, these)| is_within(known, these))
        };
        if visits.iter().any(is_spared) {
            continue;
        }
        // A word that begins a named text may lead to no other word, so it does not count for that text's state.
        let begins_named = begins_one_of(&word, named) || "..".starts_with(&word);
        if !begins_named {
            match visits.iter_mut().find(|(known, _)| *known == in_the_way) {
                Some((_, count)) => *count = count.saturating_add(1),
                None => visits.push((in_the_way, 1)),
            }
        }
        if !begins_named || (!named.contains(&word) && !matches!(word.as_str(), "" | "." | "..")) {
            note(signature(&states), word);
        }
        for (index, character) in alphabet.iter().enumerate() {
            let longer = length.saturating_add(character.len_utf8());
            if longer <= MAX_BYTES {
                let next: Vec<States> = machines
                    .iter()
                    .zip(&states)
                    .map(|(machine, states)| machine.step(states, *character))
                    .collect();
                let letters = [letters.as_slice(), &[index]].concat();
                let places: usize = next.iter().map(Vec::len).sum();
                meter.hold(WORD_BYTES.saturating_add(letters.len().saturating_mul(8)).saturating_add(
                    places.saturating_mul(4).saturating_add(next.len().saturating_mul(24)),
                ))?;
                heap.push(Reverse((longer, letters, next)));
            }
        }
        // The work is that of the shapes, for each character.
        let work = machines.len().saturating_add(letters.len().div_euclid(STEP)).saturating_add(1);
        meter.spend(alphabet.len().saturating_mul(work).div_euclid(STEP))?;
    }
    meter.release_to(held);
    let mut classes: Vec<(Vec<bool>, Class)> = classes.into_iter().collect();
    classes.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(classes.into_iter().map(|(_, class)| class).collect())
}

/// The bytes of a word on the way, without what grows with it.
const WORD_BYTES: usize = 96;

/// How many characters a shape reads in a step of the budget.
const STEP: usize = 16;

/// Whether one of the texts, which are sorted, begins with the word.
fn begins_one_of(word: &str, texts: &BTreeSet<String>) -> bool {
    texts
        .range::<str, _>((std::ops::Bound::Included(word), std::ops::Bound::Unbounded))
        .next()
        .is_some_and(|text| text.starts_with(word))
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

    /// The state before any character.
    fn start(&self) -> States {
        match self {
            Self::Glob(characters) => pass_stars(characters, vec![0]),
            Self::Header => vec![START],
        }
    }

    /// The state after one more character.
    fn step(&self, states: &[u32], character: char) -> States {
        match self {
            Self::Glob(characters) => {
                let mut next = Vec::with_capacity(states.len().saturating_add(1));
                for place in states {
                    match characters.get(usize::try_from(*place).unwrap_or(usize::MAX)) {
                        Some(None) => next.push(*place),
                        Some(Some(expected)) if *expected == character => next.push(place.saturating_add(1)),
                        Some(Some(_)) | None => {}
                    }
                }
                pass_stars(characters, next)
            }
            Self::Header => states.iter().map(|state| header_step(*state, character)).collect(),
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
fn pass_stars(characters: &[Option<char>], mut places: States) -> States {
    let mut index = 0;
    while let Some(place) = places.get(index).copied() {
        let is_star = usize::try_from(place).is_ok_and(|at| characters.get(at) == Some(&None));
        if is_star {
            places.push(place.saturating_add(1));
        }
        index = index.saturating_add(1);
    }
    places.sort_unstable();
    places.dedup();
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
            for class in classes(&shapes, &named, wanted, &mut Meter::for_tests()).unwrap() {
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
