//! A claim in keys or in metadata: the kinds of value that it can have.

use std::collections::BTreeMap;

use authorizer_core::key::ObjectKey;
use serde_json::Value;

use super::claims::holds_all;
use super::is_time;
use super::path::Members;
use crate::engine::atom::ClaimAtom;

/// A claim, and the statements about it.
pub(super) struct Claim<'p> {
    pub(super) name: String,
    pub(super) tests: Vec<(ClaimAtom<'p>, bool)>,
    /// Its value, if the question gives one.
    pub(super) given: Option<Option<Value>>,
}

/// The kind of a claim's value.
#[derive(Clone)]
pub(super) enum Kind {
    Text,
    Array,
    Other(Option<Value>),
}

impl Claim<'_> {
    /// Every text that it is compared with, or is.
    pub(super) fn texts(&self) -> Vec<String> {
        let mut texts: Vec<String> =
            self.tests.iter().flat_map(|(test, _)| test.texts()).map(str::to_owned).collect();
        match &self.given {
            Some(Some(Value::String(text))) => texts.push(text.clone()),
            Some(Some(Value::Array(members))) => {
                texts.extend(members.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            Some(Some(_) | None) | None => {}
        }
        texts
    }

    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.tests.iter().filter_map(|(test, _)| test.word())
    }

    /// The words that must be in it, in one string.
    pub(super) fn sentence(&self) -> Option<String> {
        let words: Vec<&str> =
            self.tests.iter().filter(|(_, holds)| *holds).filter_map(|(test, _)| test.word()).collect();
        (!words.is_empty()).then(|| words.join(" "))
    }

    /// The kinds of value that it can have under the statements.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        if is_time(&self.name) {
            // A number: what it means is decided elsewhere.
            return vec![Kind::Other(None)];
        }
        let other =
            |value: Option<Value>| holds_all(&self.tests, value.as_ref()).then_some(Kind::Other(value));
        match &self.given {
            Some(Some(Value::String(_))) => return vec![Kind::Text],
            Some(Some(Value::Array(_))) => return vec![Kind::Array],
            Some(given) => return other(given.clone()).into_iter().collect(),
            None => {}
        }
        let mut kinds = vec![Kind::Text];
        let empty = Value::Array(Vec::new());
        let of_members =
            |test: &ClaimAtom<'_>| test.word().is_some() || matches!(test, ClaimAtom::Audience([_, ..]));
        if self.tests.iter().all(|(test, holds)| of_members(test) || test.holds(Some(&empty)) == *holds) {
            kinds.push(Kind::Array);
        }
        let values = self.tests.iter().flat_map(|(test, _)| test.scalars()).map(Some);
        kinds.extend([None].into_iter().chain(values).find_map(other));
        kinds
    }
}

/// What the arrays hold from the beginning: one choice for each way that they can name an audience.
pub(super) fn members_of<'s>(arrays: &[&'s Claim<'_>]) -> Vec<Vec<Members<'s>>> {
    let mut all: Vec<Vec<Members<'s>>> = vec![Vec::new()];
    for claim in arrays {
        let choices = known_members(claim);
        let is_closed = matches!(claim.given, Some(Some(_)));
        all = all
            .into_iter()
            .flat_map(|before| {
                choices.iter().map(move |known| {
                    let mut members: Vec<Members<'s>> = before.clone();
                    members.push(Members { name: &claim.name, known: known.clone(), is_closed });
                    members
                })
            })
            .collect();
    }
    all
}

fn known_members(claim: &Claim<'_>) -> Vec<BTreeMap<String, bool>> {
    if let Some(Some(Value::Array(members))) = &claim.given {
        let value = Value::Array(members.clone());
        let known = members.iter().filter_map(Value::as_str).map(|text| (text.to_owned(), true)).collect();
        return if holds_all(&claim.tests, Some(&value)) { vec![known] } else { Vec::new() };
    }
    let mut choices = vec![BTreeMap::new()];
    for (test, holds) in &claim.tests {
        let options: Vec<Vec<(&str, bool)>> = match (test.word(), test, holds) {
            (Some(word), _, _) => vec![vec![(word, *holds)]],
            (None, ClaimAtom::Audience(texts), true) => {
                texts.iter().map(|text| vec![(text.as_str(), true)]).collect()
            }
            (None, ClaimAtom::Audience(texts), false) => {
                vec![texts.iter().map(|text| (text.as_str(), false)).collect()]
            }
            (None, _, _) => continue,
        };
        choices = choices
            .iter()
            .flat_map(|known: &BTreeMap<String, bool>| {
                options.iter().filter_map(move |option| {
                    let mut known = known.clone();
                    for (text, is_in) in option {
                        if known.insert((*text).to_owned(), *is_in).is_some_and(|before| before != *is_in) {
                            return None;
                        }
                    }
                    Some(known)
                })
            })
            .collect();
    }
    choices
}

/// Whether a text can be a whole segment of a key.
pub(super) fn is_segment(text: &str) -> bool {
    !text.contains('/') && ObjectKey::new(text.to_owned()).is_ok()
}
