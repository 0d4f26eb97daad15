//! A way along a key, made into the key, the claims and the metadata.

use std::collections::{BTreeMap, BTreeSet};

use authorizer_core::key::MAX_KEY_BYTES;
use authorizer_core::prefix::KeyPrefix;
use authorizer_core::rules::Claims;
use serde_json::{Map, Value as Json};

use super::keyed::{KeyedValues, advance};
use super::mind::{Holds, Pick, Slot, Slots, Value, bit};
use super::nested::as_in_a_token;
use super::path::{KeySaid, Route};
use super::stock::Stock;
use super::{Said, metadata};
use crate::engine::atom::{Atom, Reading};
use crate::engine::budget::{Meter, OutOfBudget};

/// What values are made of.
pub(super) struct Values<'v, 'a, 'p> {
    pub(super) said: &'a [Said<'a, 'p>],
    pub(super) stock: &'v Stock,
    pub(super) slots: &'v [Slot<'v>],
    /// The claims that are neither texts nor arrays.
    pub(super) fixed: &'v Map<String, Json>,
}

/// The texts, by their slots.
type Texts = BTreeMap<usize, String>;

/// The texts and the metadata.
pub(super) type TextsFound = (Texts, BTreeMap<String, String>);

impl Values<'_, '_, '_> {
    /// For the key of an object.
    pub(super) fn of_object(
        &self,
        route: &Route<'_>,
        meter: &mut Meter,
    ) -> Result<Option<KeyedValues>, OutOfBudget> {
        let Some((texts, metadata)) = self.of_texts(route, meter)? else { return Ok(None) };
        let (segments, shortest) = self.segments(route, &texts)?;
        let mut resource = segments.join("/");
        if route.is_folder {
            resource.push('/');
        }
        if !fits(&resource, shortest)? {
            return Ok(None);
        }
        Ok(Some(KeyedValues { resource, claims: self.claims(route, &texts, &segments), metadata }))
    }

    /// For the prefix of a listing: the segments of the way, and the beginning of one more. For that the core is asked,
    /// with every claim that could make a difference.
    pub(super) fn of_listing(
        &self,
        route: &Route<'_>,
        rest: &str,
        keys: &[KeySaid<'_>],
        meter: &mut Meter,
    ) -> Result<Option<KeyedValues>, OutOfBudget> {
        let known = self.known_texts(route);
        let (segments, shortest) = self.segments(route, &known)?;
        let whole = segments.join("/");
        let resource = if whole.is_empty() { rest.to_owned() } else { format!("{whole}/{rest}") };
        if !fits(&resource, shortest)? {
            return Ok(None);
        }
        let Ok(prefix) = KeyPrefix::new(resource.clone()) else { return Ok(None) };
        let options: Vec<Vec<More>> = self
            .slots
            .iter()
            .enumerate()
            .map(|(slot, one)| self.more(slot, one, route, &known, rest))
            .collect();
        if options.iter().any(Vec::is_empty) {
            return Ok(None);
        }
        let mut chosen = vec![0; options.len()];
        loop {
            meter.spend(keys.len().saturating_add(1))?;
            let mut texts = known.clone();
            let mut added = Vec::new();
            for (slot, more) in options
                .iter()
                .zip(&chosen)
                .enumerate()
                .filter_map(|(slot, (more, at))| Some((slot, more.get(*at)?)))
            {
                match more {
                    More::Nothing => {}
                    More::Text(text) => drop(texts.insert(slot, text.clone())),
                    More::Members(members) => added.push((slot, members)),
                }
            }
            let mut claims = self.claims(route, &texts, &segments);
            for (slot, members) in added {
                if let Some(Json::Array(all)) =
                    self.slots.get(slot).and_then(|one| claims.get_mut(one.name()))
                {
                    all.extend(members.iter().map(|member| Json::from(member.as_str())));
                }
            }
            let in_token = as_in_a_token(claims.clone());
            let is_as_said = keys.iter().all(|key| {
                let known = Claims::Known(&in_token);
                let holds = match key.reading {
                    Reading::Whole => key.pattern.holds_all(&prefix, known),
                    Reading::Touched => key.pattern.holds_any(&prefix, known),
                    Reading::Exactly => false,
                };
                holds == key.holds
            });
            if is_as_said {
                return Ok(Some(KeyedValues { resource, claims, metadata: BTreeMap::new() }));
            }
            if !advance(&mut chosen, |at| options.get(at).map_or(0, Vec::len)) {
                return Ok(None);
            }
        }
    }

    /// What a claim can be beside what the way has made it.
    fn more(&self, slot: usize, one: &Slot<'_>, route: &Route<'_>, known: &Texts, rest: &str) -> Vec<More> {
        let is_looked_at = one.claim.is_asked || one.claim.is_refused;
        match &one.holds {
            Holds::Text if known.contains_key(&slot) => vec![More::Nothing],
            Holds::Text => {
                let mut texts = self.candidates(slot, one, route);
                // Where only patterns have it that must not match, what matches nothing will do.
                let last = one.is_free && !one.claim.is_asked;
                let keep = if last { 1 } else { texts.len() };
                let unnamed = one.claim.unnamed(&self.stock.filler(slot));
                texts.truncate(keep);
                texts.extend(unnamed);
                texts.into_iter().map(More::Text).collect()
            }
            Holds::Members { is_closed, .. } if *is_closed || !is_looked_at => vec![More::Nothing],
            Holds::Members { known, .. } => {
                let mut fresh = format!("{rest}x");
                while self.stock.named.iter().any(|(text, _)| *text == fresh) {
                    fresh.push('x');
                }
                let mut members = vec![fresh];
                if !rest.is_empty() && !known.contains_key(rest) {
                    members.push(rest.to_owned());
                }
                match (one.claim.is_asked, one.claim.is_refused) {
                    // More of them are better, or fewer.
                    (true, false) => vec![More::Nothing, More::Members(members)],
                    (false, _) => vec![More::Nothing],
                    (true, true) => {
                        let each = members.iter().map(|one| More::Members(vec![one.clone()]));
                        [More::Nothing]
                            .into_iter()
                            .chain(each)
                            .chain([More::Members(members.clone())])
                            .collect()
                    }
                }
            }
        }
    }

    /// The values of all texts, and the metadata; `None` if there are none beside what the way has decided.
    pub(super) fn of_texts(
        &self,
        route: &Route<'_>,
        meter: &mut Meter,
    ) -> Result<Option<TextsFound>, OutOfBudget> {
        let mut texts = self.known_texts(route);
        let mut open: Vec<(usize, Vec<String>)> = Vec::new();
        for (slot, one) in self.slots.iter().enumerate() {
            if !one.is_text() || texts.contains_key(&slot) {
                continue;
            }
            let mut candidates = self.candidates(slot, one, route);
            candidates.extend(one.claim.unnamed(&self.stock.filler(slot)));
            if one.claim.is_compared {
                candidates.extend(self.candidates_of_others(slot, one, route));
                open.push((slot, candidates));
            } else {
                let Some(first) = candidates.into_iter().next() else { return Ok(None) };
                texts.insert(slot, first);
            }
        }
        self.compare(&mut texts, &open, meter)
    }

    /// Tries the texts that are compared with each other or with metadata, one after the other.
    fn compare(
        &self,
        texts: &mut Texts,
        open: &[(usize, Vec<String>)],
        meter: &mut Meter,
    ) -> Result<Option<TextsFound>, OutOfBudget> {
        meter.spend(self.said.len().saturating_add(1))?;
        let Some(metadata) = self.metadata(texts, open) else { return Ok(None) };
        let Some(((slot, candidates), open)) = open.split_first() else {
            return Ok(Some((texts.clone(), metadata)));
        };
        for candidate in candidates {
            texts.insert(*slot, candidate.clone());
            let found = self.compare(texts, open, meter)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        texts.remove(slot);
        Ok(None)
    }

    /// Metadata that goes with the texts so far. What is compared with those that are open is left out.
    fn metadata(&self, texts: &Texts, open: &[(usize, Vec<String>)]) -> Option<BTreeMap<String, String>> {
        let text = |name: &str| {
            let slot = self.slots.iter().position(|slot| slot.name() == name);
            if slot.is_some_and(|slot| open.iter().any(|(one, _)| *one == slot)) {
                return None;
            }
            Some(slot.and_then(|slot| texts.get(&slot)).map(String::as_str))
        };
        let is_same = self.said.iter().all(|(atom, holds)| match atom {
            Atom::SameText(one, other) => match (text(one), text(other)) {
                (Some(one), Some(other)) => (one.is_some() && one == other) == *holds,
                (None, _) | (_, None) => true,
            },
            _ => true,
        });
        if is_same { metadata::solve(self.said, text) } else { None }
    }

    /// The texts that the way has decided on, and those that are given.
    fn known_texts(&self, route: &Route<'_>) -> Texts {
        let mut texts = Texts::new();
        for (slot, one) in self.slots.iter().enumerate().filter(|(_, one)| one.is_text()) {
            let given = one.claim.given.as_ref().and_then(Option::as_ref).and_then(Json::as_str);
            let text = given.map(str::to_owned).or_else(|| self.value(slot, route));
            texts.extend(text.map(|text| (slot, text)));
        }
        texts
    }

    fn value(&self, slot: usize, route: &Route<'_>) -> Option<String> {
        match route.mind.values.get(&slot)? {
            Value::Named(at) => self.stock.letters.get(*at).map(|letter| letter.text().to_owned()),
            Value::Own(at) => self.stock.word_of(*at, self.number(slot)).map(str::to_owned),
            Value::Same(owner) => match route.mind.values.get(owner)? {
                Value::Own(at) => self.stock.word_of(*at, self.number(*owner)).map(str::to_owned),
                Value::Named(_) | Value::Same(_) => None,
            },
        }
    }

    /// Which of the texts a slot is.
    fn number(&self, slot: usize) -> usize {
        self.slots.iter().take(slot).filter(|one| one.is_text()).count()
    }

    /// Texts that a claim can be that has no segment of the way: its own words, and those that are named.
    fn candidates(&self, slot: usize, one: &Slot<'_>, route: &Route<'_>) -> Vec<String> {
        let classes = self.stock.letters.iter().enumerate().filter(|(_, letter)| letter.is_class);
        let own = classes.filter_map(|(at, _)| self.stock.word_of(at, self.number(slot)));
        // Of a text that no pattern has to be, nothing is noted of the segments that it is not.
        let is_noted = one.is_of_use();
        let may_be = |at: usize| is_noted && !route.mind.refuses(slot, Pick::Named(at));
        let named = self.stock.named.iter().filter(|(_, at)| at.is_none_or(may_be));
        own.chain(named.map(|(text, _)| text.as_str()))
            .filter(|text| one.claim.may_be(text))
            .map(str::to_owned)
            .collect()
    }

    /// What the other texts can be that nothing names.
    fn candidates_of_others(&self, slot: usize, one: &Slot<'_>, route: &Route<'_>) -> Vec<String> {
        let mut texts = Vec::new();
        let others = self.slots.iter().enumerate();
        for (other, of) in others.filter(|(other, of)| *other != slot && of.is_text() && of.claim.is_compared)
        {
            if !route.mind.refuses(slot, Pick::Of(other)) {
                let classes = self.stock.letters.iter().enumerate().filter(|(_, letter)| letter.is_class);
                let own = classes.filter_map(|(at, _)| self.stock.word_of(at, self.number(other)));
                texts.extend(own.map(str::to_owned));
            }
            texts.extend(of.claim.unnamed(&self.stock.filler(other)));
        }
        texts.retain(|text| one.claim.may_be(text));
        texts
    }

    /// The segments of the way; and how much longer they are than they would have to be.
    fn segments(&self, route: &Route<'_>, texts: &Texts) -> Result<(Vec<String>, usize), OutOfBudget> {
        let mut segments = Vec::new();
        let mut longer = 0usize;
        // The words that have been taken, with the slots that must have them and those that must not.
        let mut taken: BTreeMap<(usize, usize), (Slots, Slots)> = BTreeMap::new();
        for step in &route.steps {
            let text = match step.pick {
                Pick::Named(at) => self.stock.letters.get(at).map(|letter| letter.text().to_owned()),
                Pick::Of(slot) => texts.get(&slot).cloned(),
                Pick::New(at) => {
                    let (is_in, is_out) = (step.is_in, step.looked & !step.is_in);
                    let words =
                        self.stock.letters.get(at).map(|letter| letter.words.len()).unwrap_or_default();
                    let number = (0..words)
                        .filter(|number| *number == 0 || *number > self.stock.texts)
                        .find(|number| {
                            let before = taken.get(&(at, *number)).copied().unwrap_or_default();
                            before.0 & is_out == 0 && before.1 & is_in == 0
                        })
                        .ok_or(OutOfBudget)?;
                    let slots = taken.entry((at, number)).or_default();
                    *slots = (slots.0 | is_in, slots.1 | is_out);
                    self.stock.letters.get(at).and_then(|letter| letter.words.get(number)).cloned()
                }
            };
            let text = text.unwrap_or_default();
            let least =
                route.mind.letter(step.pick, &self.stock.letters).map_or(0, |letter| letter.text().len());
            longer = longer.saturating_add(text.len().saturating_sub(least));
            segments.push(text);
        }
        Ok((segments, longer))
    }

    /// The claims, with what the way has made of the arrays.
    fn claims(&self, route: &Route<'_>, texts: &Texts, segments: &[String]) -> Map<String, Json> {
        let mut claims = self.fixed.clone();
        for (slot, one) in self.slots.iter().enumerate() {
            let value = match one.members() {
                None => texts.get(&slot).map(|text| Json::from(text.as_str())),
                Some(known) => {
                    let known = known.iter().filter(|(_, is_in)| **is_in).map(|(text, _)| text.as_str());
                    let on_the_way = route.steps.iter().zip(segments);
                    let on_the_way = on_the_way.filter(|(step, _)| step.is_in & bit(slot) != 0);
                    let all: BTreeSet<&str> =
                        known.chain(on_the_way.map(|(_, text)| text.as_str())).collect();
                    Some(Json::from(all.into_iter().collect::<Vec<_>>()))
                }
            };
            claims.extend(value.map(|value| (one.name().to_owned(), value)));
        }
        claims
    }
}

/// What is added to a claim at the end of a prefix.
enum More {
    Nothing,
    Text(String),
    Members(Vec<String>),
}

/// Whether a key is not too long. If only the words in it made it so, it is not known whether there is a shorter one.
fn fits(resource: &str, longer: usize) -> Result<bool, OutOfBudget> {
    match resource.len() <= MAX_KEY_BYTES {
        true => Ok(true),
        false if resource.len().saturating_sub(longer) > MAX_KEY_BYTES => Ok(false),
        false => Err(OutOfBudget),
    }
}
