//! The keys, the claims that stand in them, and the metadata that is compared with claims: the one theory in which
//! things depend on each other.
//!
//! A claim is a string, an array or something else; of these kinds, those are tried that can do what the others
//! cannot (`claim.rs`). A key is a way through the product of the patterns (`path.rs`), on segments from a stock that
//! is rich enough (`stock.rs`). On the way it is found which segments the claims are (`mind.rs`). A claim that has
//! no segment by its end gets a value then (`values.rs`).

use std::collections::{BTreeMap, BTreeSet};

use authorizer_core::rules::Segment;
use serde_json::{Map, Value};

use super::claim::{Claim, Kind, known_members};
use super::claims::{given, tests_of};
use super::mind::{Holds, MOST_SLOTS, Mind, Slot};
use super::path::{KeySaid, Route, Search};
use super::stock::Stock;
use super::values::Values;
use super::{Known, Said, keyed_claims};
use crate::engine::atom::{Atom, Reading};
use crate::engine::budget::{Meter, OutOfBudget};

/// What was found.
pub(super) struct KeyedValues {
    pub(super) resource: String,
    pub(super) claims: Map<String, Value>,
    pub(super) metadata: BTreeMap<String, String>,
}

struct Theory<'a, 'p> {
    said: &'a [Said<'a, 'p>],
    keys: Vec<KeySaid<'p>>,
    claims: Vec<Claim<'p>>,
    is_listing: bool,
}

/// The steps for values that read well, before those are tried that can do the most.
const STEPS_TO_READ_WELL: u64 = 500;

/// A key, claims and metadata that are as is said.
pub(super) fn solve(
    known: Known<'_>,
    said: &[Said<'_, '_>],
    meter: &mut Meter,
) -> Result<Option<KeyedValues>, OutOfBudget> {
    let theory = Theory::new(known, said);
    let plain: Option<Vec<Kind>> =
        theory.claims.iter().map(|claim| claim.kinds().into_iter().next()).collect();
    let Some(plain) = plain else { return Ok(None) };
    let needed: Vec<Vec<Kind>> = theory.claims.iter().map(Claim::needed_kinds).collect();
    let is_needed = plain.iter().zip(&needed).all(|(kind, kinds)| kinds.contains(kind));
    for rest in theory.rests() {
        let rest = rest.as_deref();
        if !is_needed {
            let found =
                meter.within(STEPS_TO_READ_WELL, |meter| theory.solve_kinds(&plain, rest, meter))?.flatten();
            if found.is_some() {
                return Ok(found);
            }
        }
        let mut chosen = vec![0; needed.len()];
        loop {
            let kinds: Vec<Kind> =
                needed.iter().zip(&chosen).filter_map(|(kinds, at)| kinds.get(*at).cloned()).collect();
            if let Some(found) = theory.solve_kinds(&kinds, rest, meter)? {
                return Ok(Some(found));
            }
            if !advance(&mut chosen, |at| needed.get(at).map_or(0, Vec::len)) {
                break;
            }
        }
    }
    Ok(None)
}

impl<'a, 'p> Theory<'a, 'p> {
    fn new(known: Known<'_>, said: &'a [Said<'a, 'p>]) -> Self {
        let mut names: BTreeSet<String> =
            keyed_claims(said.iter().map(|(atom, _)| *atom)).into_iter().collect();
        for (atom, _) in said {
            if let Atom::Claim(name, _) = atom {
                names.insert((*name).to_owned());
            }
        }
        let keys: Vec<KeySaid<'p>> = said
            .iter()
            .filter_map(|(atom, holds)| match atom {
                Atom::Key(pattern, reading) => Some(KeySaid { pattern, reading: *reading, holds: *holds }),
                _ => None,
            })
            .collect();
        let beginnings: BTreeSet<String> = said
            .iter()
            .filter_map(|(atom, _)| match atom {
                Atom::Claim(_, test) => test.beginning().map(str::to_owned),
                _ => None,
            })
            .collect();
        let claims = names.into_iter().map(|name| {
            let tests = tests_of(&name, said);
            let given = given(known, &name, &tests);
            let stands = |holds: bool| {
                let mut keys = keys.iter().filter(|key| key.holds == holds);
                keys.any(|key| key.pattern.claims().any(|claim| claim == name))
            };
            let (is_asked, is_refused) = (stands(true), stands(false));
            let is_compared = said.iter().any(|(atom, _)| match atom {
                Atom::SameText(one, other) => *one == name || *other == name,
                Atom::MetadataIs(_, term) => term.claim() == Some(&name),
                _ => false,
            });
            let beginnings = beginnings.iter().cloned().collect();
            Claim { name, tests, given, is_asked, is_refused, is_compared, beginnings }
        });
        let claims = claims.collect();
        Self { said, keys, claims, is_listing: known.context.operation.is_listing() }
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

    /// With the kind of every claim known.
    fn solve_kinds(
        &self,
        kinds: &[Kind],
        rest: Option<&str>,
        meter: &mut Meter,
    ) -> Result<Option<KeyedValues>, OutOfBudget> {
        meter.spend(1)?;
        let mut fixed = Map::new();
        let mut slotted: Vec<(&Claim<'p>, &Kind)> = Vec::new();
        for (claim, kind) in self.claims.iter().zip(kinds) {
            match kind {
                Kind::Other(value) => fixed.extend(value.clone().map(|value| (claim.name.clone(), value))),
                Kind::Text | Kind::Array => slotted.push((claim, kind)),
            }
        }
        if slotted.len() > MOST_SLOTS {
            return Err(OutOfBudget);
        }
        let stock = Stock::of(self.said, &self.keys, &slotted, rest, meter)?;
        let members: Vec<Vec<BTreeMap<String, bool>>> = slotted
            .iter()
            .map(|(claim, kind)| match kind {
                Kind::Array => known_members(claim),
                Kind::Text | Kind::Other(_) => vec![BTreeMap::new()],
            })
            .collect();
        if members.iter().any(Vec::is_empty) {
            return Ok(None);
        }
        let mut chosen = vec![0; members.len()];
        loop {
            meter.spend(1)?;
            let known = members.iter().zip(&chosen).filter_map(|(choices, at)| choices.get(*at).cloned());
            let slots: Vec<Slot<'_>> = slotted
                .iter()
                .zip(known)
                .map(|((claim, kind), known)| stock.slot(claim, kind, known))
                .collect();
            let values = Values { said: self.said, stock: &stock, slots: &slots, fixed: &fixed };
            if let Some(found) = self.search(&values, rest, meter)? {
                return Ok(Some(found));
            }
            if !advance(&mut chosen, |at| members.get(at).map_or(0, Vec::len)) {
                return Ok(None);
            }
        }
    }

    fn search(
        &self,
        values: &Values<'_, '_, '_>,
        rest: Option<&str>,
        meter: &mut Meter,
    ) -> Result<Option<KeyedValues>, OutOfBudget> {
        // What cannot be without a key cannot be with one.
        let nowhere = Route { steps: Vec::new(), is_folder: false, mind: &Mind::default() };
        if values.of_texts(&nowhere, meter)?.is_none() {
            return Ok(None);
        }
        let search = Search::new(&self.keys, &values.stock.letters, values.slots, rest.is_some());
        search.run(meter, |route, meter| match rest {
            None => values.of_object(route, meter),
            Some(rest) => values.of_listing(route, rest, &self.keys, meter),
        })
    }
}

/// The next choice; whether there is one. `count` is the number of choices at a place.
pub(super) fn advance(chosen: &mut [usize], count: impl Fn(usize) -> usize) -> bool {
    for (place, at) in chosen.iter_mut().enumerate() {
        *at = at.saturating_add(1);
        if *at < count(place) {
            return true;
        }
        *at = 0;
    }
    false
}

impl Slot<'_> {
    pub(super) fn members(&self) -> Option<&BTreeMap<String, bool>> {
        match &self.holds {
            Holds::Members { known, .. } => Some(known),
            Holds::Text => None,
        }
    }
}
