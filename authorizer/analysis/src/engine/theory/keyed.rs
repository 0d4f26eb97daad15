//! The keys, the claims that stand in them, and the metadata that is compared with claims: the one theory in which
//! things depend on each other.
//!
//! A claim is a string, an array or something else; each is tried. Strings are taken from a stock that is rich
//! enough: every text that is named, and of every class of words that patterns and tests cannot tell apart as many
//! as can have to differ (`words.rs`). For each choice of strings, a way through the product of the patterns is
//! looked for (`path.rs`), on which the members of the arrays are found.

use std::collections::{BTreeMap, BTreeSet};

use authorizer_core::rules::{MetadataTerm, Segment};
use serde_json::{Map, Value};

use super::claim::{Claim, Kind, is_segment, members_of};
use super::claims::{given, holds_all, tests_of};
use super::path::{KeySaid, Letter, Members, Search};
use super::words::{Shape, Weight, classes};
use super::{Budget, Context, Said, keyed_claims, metadata};
use crate::engine::EngineError;
use crate::engine::atom::{Atom, ClaimAtom, Reading};

/// What was found.
pub(super) struct KeyedValues {
    pub(super) resource: String,
    pub(super) claims: Map<String, Value>,
    pub(super) metadata: BTreeMap<String, String>,
}

/// A word of the stock.
struct Word {
    text: String,
    /// Its place in the arrays, where that may be chosen beforehand.
    bits: Option<u32>,
    /// The claim that has it for a value; others may have it only by being equal to that one.
    owner: Option<usize>,
    /// Whether it is the only such word, so that every claim may have it and every key may contain it.
    is_named: bool,
}

struct Theory<'a, 'p> {
    said: &'a [Said<'a, 'p>],
    keys: Vec<KeySaid<'p>>,
    claims: Vec<Claim<'p>>,
    is_listing: bool,
}

/// A key, claims and metadata that are as is said.
pub(super) fn solve(context: Context<'_>, said: &[Said<'_, '_>]) -> Result<Option<KeyedValues>, EngineError> {
    let theory = Theory::new(context, said);
    let mut budget = Budget::new();
    for rest in theory.rests() {
        for kinds in theory.kinds() {
            if let Some(found) = theory.solve_kinds(&kinds, rest.as_deref(), &mut budget)? {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

impl<'a, 'p> Theory<'a, 'p> {
    fn new(context: Context<'_>, said: &'a [Said<'a, 'p>]) -> Self {
        let mut names: BTreeSet<String> =
            keyed_claims(said.iter().map(|(atom, _)| *atom)).into_iter().collect();
        for (atom, _) in said {
            if let Atom::Claim(name, _) = atom {
                names.insert((*name).to_owned());
            }
        }
        let claims = names.into_iter().map(|name| {
            let tests = tests_of(&name, said);
            let given = given(context, &name, &tests);
            Claim { name, tests, given }
        });
        let keys = said.iter().filter_map(|(atom, holds)| match atom {
            Atom::Key(pattern, reading) => Some(KeySaid { pattern, reading: *reading, holds: *holds }),
            _ => None,
        });
        Self {
            said,
            keys: keys.collect(),
            claims: claims.collect(),
            is_listing: context.operation.is_listing(),
        }
    }

    /// The beginnings of a last segment that a prefix may end in: where a text goes on in one way, every stop on it
    /// and every way off it. Without a pattern that looks at it, none.
    fn rests(&self) -> Vec<Option<String>> {
        if !self.is_listing {
            return vec![None];
        }
        let mut rests = vec![Some(String::new())];
        if self.keys.iter().all(|key| key.reading != Reading::Touched) {
            return rests;
        }
        let mut texts: BTreeSet<String> = self.claims.iter().flat_map(Claim::texts).collect();
        for segment in self.keys.iter().flat_map(|key| key.pattern.segments()) {
            match segment {
                Segment::Literal(text) => texts.insert(text.clone()),
                Segment::Glob(parts) => parts.first().is_some_and(|first| texts.insert(first.clone())),
                Segment::AnySegments | Segment::Claim(_) => false,
            };
        }
        let mut stops: BTreeSet<String> = BTreeSet::from([String::new()]);
        for text in &texts {
            for (at, character) in text.char_indices() {
                let end = at.saturating_add(character.len_utf8());
                stops.extend(text.get(..end).map(str::to_owned));
            }
        }
        let mentioned: BTreeSet<char> = texts.iter().flat_map(|text| text.chars()).collect();
        let off =
            ('a'..='z').chain('0'..='9').chain('\u{100}'..'\u{200}').find(|one| !mentioned.contains(one));
        let ways_off = stops.iter().filter_map(|stop| off.map(|off| format!("{stop}{off}")));
        let mut more: Vec<String> =
            ways_off.chain(stops.iter().cloned()).filter(|rest| !rest.is_empty()).collect();
        more.retain(|rest| !rest.contains(['/', '\\']) && !rest.chars().any(char::is_control));
        more.sort_by_key(String::len);
        rests.extend(more.into_iter().map(Some));
        rests
    }

    /// Every choice of what kind of thing each claim is.
    fn kinds(&self) -> Vec<Vec<Kind>> {
        let mut all = vec![Vec::new()];
        for claim in &self.claims {
            let kinds = claim.kinds();
            all = all
                .into_iter()
                .flat_map(|chosen: Vec<Kind>| {
                    kinds.iter().map(move |kind| [chosen.clone(), vec![kind.clone()]].concat())
                })
                .collect();
        }
        all
    }

    fn solve_kinds(
        &self,
        kinds: &[Kind],
        rest: Option<&str>,
        budget: &mut Budget,
    ) -> Result<Option<KeyedValues>, EngineError> {
        let texts: Vec<&Claim<'p>> = self.of_kind(kinds, |kind| matches!(kind, Kind::Text)).collect();
        let arrays: Vec<&Claim<'p>> = self.of_kind(kinds, |kind| matches!(kind, Kind::Array)).collect();
        let mut fixed = Map::new();
        for (claim, kind) in self.claims.iter().zip(kinds) {
            if let Kind::Other(Some(value)) = kind {
                fixed.insert(claim.name.clone(), value.clone());
            }
        }
        let words = self.words(&texts, &arrays, rest, budget)?;
        let members = members_of(&arrays);
        let candidates: Vec<Vec<&str>> =
            texts.iter().enumerate().map(|(index, claim)| candidates_of(index, claim, &words)).collect();
        let mut chosen: Vec<usize> = vec![0; candidates.len()];
        if candidates.iter().any(Vec::is_empty) {
            return Ok(None);
        }
        loop {
            budget.spend()?;
            let values: Vec<&str> = candidates
                .iter()
                .zip(&chosen)
                .filter_map(|(candidates, at)| candidates.get(*at).copied())
                .collect();
            let mut claims = fixed.clone();
            claims.extend(
                texts.iter().zip(&values).map(|(claim, value)| (claim.name.clone(), Value::from(*value))),
            );
            if let Some(found) = self.solve_texts(&claims, &values, &words, &members, rest, budget)? {
                return Ok(Some(found));
            }
            if !advance(&mut chosen, &candidates) {
                return Ok(None);
            }
        }
    }

    fn of_kind<'s>(
        &'s self,
        kinds: &'s [Kind],
        is: impl Fn(&Kind) -> bool + 's,
    ) -> impl Iterator<Item = &'s Claim<'p>> + 's {
        self.claims.iter().zip(kinds).filter(move |(_, kind)| is(kind)).map(|(claim, _)| claim)
    }

    /// With all strings known.
    fn solve_texts(
        &self,
        claims: &Map<String, Value>,
        values: &[&str],
        words: &[Word],
        members: &[Vec<Members<'_>>],
        rest: Option<&str>,
        budget: &mut Budget,
    ) -> Result<Option<KeyedValues>, EngineError> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let is_same = self.said.iter().all(|(atom, holds)| match atom {
            Atom::SameText(one, other) => (text(one).is_some() && text(one) == text(other)) == *holds,
            _ => true,
        });
        if !is_same {
            return Ok(None);
        }
        let Some(metadata) = metadata::solve(self.said, text) else { return Ok(None) };
        let mut letters: Vec<Letter> = Vec::new();
        for word in words {
            let may_stand = word.is_named || word.owner.is_none() || values.contains(&word.text.as_str());
            if may_stand && is_segment(&word.text) {
                letters.push(Letter { text: word.text.clone(), bits: word.bits });
            }
        }
        for members in members {
            let search = Search { keys: &self.keys, letters: &letters, members, claims, rest };
            if let Some(route) = search.run(budget)? {
                return Ok(Some(KeyedValues { resource: route.resource, claims: route.claims, metadata }));
            }
        }
        Ok(None)
    }

    /// The stock of strings.
    fn words(
        &self,
        texts: &[&Claim<'p>],
        arrays: &[&Claim<'p>],
        rest: Option<&str>,
        budget: &mut Budget,
    ) -> Result<Vec<Word>, EngineError> {
        let mut named: BTreeSet<String> = self.claims.iter().flat_map(Claim::texts).collect();
        let mut shapes = BTreeMap::new();
        let segments = |key: &'_ KeySaid<'p>| {
            key.pattern.segments().iter().map(|one| (one, key.holds)).collect::<Vec<_>>()
        };
        for (segment, holds) in self.keys.iter().flat_map(segments) {
            match segment {
                Segment::Literal(text) if !text.is_empty() => {
                    named.insert(text.clone());
                }
                Segment::Glob(parts) if parts.iter().any(|part| !part.is_empty()) => {
                    let shape = Shape::Glob(parts.clone());
                    if holds {
                        shapes.insert(shape, Weight::Tells);
                    } else {
                        shapes.entry(shape).or_insert(Weight::InTheWay);
                    }
                }
                Segment::Literal(_) | Segment::Glob(_) | Segment::AnySegments | Segment::Claim(_) => {}
            }
        }
        for (atom, _) in self.said {
            match atom {
                Atom::MetadataIs(_, MetadataTerm::Literal(text)) => {
                    named.insert(text.clone());
                }
                Atom::MetadataIs(_, MetadataTerm::Claim(_)) | Atom::Claim(_, ClaimAtom::Usable) => {
                    shapes.insert(Shape::Header, Weight::Tells);
                }
                _ => {}
            }
        }
        // A word with a space is in no string, so no string has to be told apart by it.
        let is_word = |word: &&str| is_segment(word) && !word.contains(' ');
        for word in texts.iter().flat_map(|claim| claim.words()).filter(is_word) {
            for parts in [[format!("{word} "), String::new()], [String::new(), format!(" {word}")]] {
                shapes.insert(Shape::Glob(parts.to_vec()), Weight::Tells);
            }
            shapes
                .insert(Shape::Glob(vec![String::new(), format!(" {word} "), String::new()]), Weight::Tells);
        }
        if let Some(rest) = rest.filter(|rest| !rest.is_empty() && !texts.is_empty()) {
            shapes.insert(Shape::Glob(vec![rest.to_owned(), String::new()]), Weight::Tells);
        }
        named.extend(texts.iter().filter_map(|claim| claim.sentence()));
        let subsets = 1usize.checked_shl(u32::try_from(arrays.len()).unwrap_or(32)).unwrap_or(usize::MAX);
        let wanted = subsets.saturating_mul(texts.len().saturating_add(1));
        let mut words = Vec::new();
        for class in classes(&shapes, &named, wanted, budget)? {
            let is_scarce = class.words.len() < wanted;
            for (number, text) in class.words.into_iter().enumerate() {
                let bits = number.checked_rem(subsets).and_then(|bits| u32::try_from(bits).ok());
                let owner = number.checked_div(subsets).and_then(|owner| owner.checked_sub(1));
                words.push(match is_scarce {
                    true => Word { text, bits: None, owner: None, is_named: true },
                    false => Word { text, bits, owner, is_named: false },
                });
            }
        }
        words.extend(named.into_iter().map(|text| Word { text, bits: None, owner: None, is_named: true }));
        // Readable words come first, if any word fits.
        words.sort_by_key(|word| !word.text.chars().all(|one| one.is_ascii_alphanumeric()));
        Ok(words)
    }
}

/// The strings that a claim may be: its own, those of claims before it, and every one that is named.
fn candidates_of<'w>(index: usize, claim: &Claim<'_>, words: &'w [Word]) -> Vec<&'w str> {
    let given = claim.given.as_ref().and_then(Option::as_ref).and_then(Value::as_str);
    let may_be = |word: &&Word| word.is_named || word.owner.is_some_and(|owner| owner <= index);
    words
        .iter()
        .filter(may_be)
        .map(|word| word.text.as_str())
        .filter(|text| given.is_none_or(|given| given == *text))
        .filter(|text| holds_all(&claim.tests, Some(&Value::from(*text))))
        .collect()
}

/// The next choice; whether there is one.
fn advance(chosen: &mut [usize], candidates: &[Vec<&str>]) -> bool {
    for (at, candidates) in chosen.iter_mut().zip(candidates) {
        *at = at.saturating_add(1);
        if *at < candidates.len() {
            return true;
        }
        *at = 0;
    }
    false
}
