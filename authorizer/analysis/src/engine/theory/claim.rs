//! A claim in keys or in metadata: the kinds of value that it can have.

use std::collections::BTreeMap;

use authorizer_core::key::ObjectKey;
use authorizer_core::rules::is_numeric_date;
use serde_json::Value;

use super::beginning::Beginning;
use super::claims::{fresh_within, holds_all};
use crate::engine::atom::ClaimAtom;

/// A claim, and the statements about it.
pub(super) struct Claim<'p> {
    pub(super) name: String,
    pub(super) tests: Vec<(ClaimAtom<'p>, bool)>,
    /// Its value, if the question gives one.
    pub(super) given: Option<Option<Value>>,
    /// Whether a pattern that must match the key has it.
    pub(super) is_asked: bool,
    /// Whether a pattern that must not match the key has it.
    pub(super) is_refused: bool,
    /// Whether metadata or another claim is compared with its text.
    pub(super) is_compared: bool,
    /// Beginnings that some test names, of this claim or of another that may be compared with it.
    pub(super) beginnings: Vec<String>,
}

/// The kind of a claim's value.
#[derive(Clone, Debug, PartialEq)]
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

    /// The words that must be in it.
    fn needed_words(&self) -> Vec<&str> {
        self.tests.iter().filter(|(_, holds)| *holds).filter_map(|(test, _)| test.word()).collect()
    }

    /// The words that must be in it, in one string.
    pub(super) fn sentence(&self) -> Option<String> {
        let words = self.needed_words();
        (!words.is_empty()).then(|| words.join(" "))
    }

    /// The texts that are a beginning which it must have, with one of the words that must be in it at its end.
    pub(super) fn whole_beginnings(&self) -> Vec<String> {
        let beginning = Beginning::of(&self.tests, &self.beginnings);
        beginning.map(|beginning| beginning.whole(&self.needed_words())).unwrap_or_default()
    }

    /// A text with the words that must be in it, and this one, which is not empty.
    pub(super) fn sentence_with(&self, more: &str) -> String {
        let words = self.needed_words();
        let mut all: Vec<&str> = words.iter().copied().filter(|word| !word.is_empty()).collect();
        // Between two spaces is an empty word.
        if words.len() > all.len() {
            all.extend([more, ""]);
        }
        all.push(more);
        all.join(" ")
    }

    /// Whether the statements hold for this text.
    pub(super) fn may_be(&self, text: &str) -> bool {
        match &self.given {
            Some(given) => given.as_ref().and_then(Value::as_str) == Some(text),
            None => holds_all(&self.tests, Some(&Value::from(text))),
        }
    }

    /// Texts that nothing names, and of every kind that the statements leave: what can stand in a header, and what
    /// cannot. `filler` is a word that nothing names. Without any, the claim is one of the texts that are named, or
    /// is not a text.
    pub(super) fn unnamed(&self, filler: &str) -> Vec<String> {
        let special = format!("{filler}\u{e9}");
        let texts = match Beginning::of(&self.tests, &self.beginnings) {
            None => vec![self.sentence_with(filler), self.sentence_with(&special)],
            Some(beginning) => {
                let words = self.needed_words();
                [beginning.texts(&words, filler), beginning.texts(&words, &special)].concat()
            }
        };
        texts.into_iter().filter(|text| self.may_be(text)).collect()
    }

    /// The kinds of value that it can have under the statements.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        if is_numeric_date(&self.name) {
            // A number: what it means is decided elsewhere, but it is not a text that a header could have.
            let is_text = |(test, holds): &(ClaimAtom<'_>, bool)| *holds && matches!(test, ClaimAtom::Usable);
            return if self.tests.iter().any(is_text) { Vec::new() } else { vec![Kind::Other(None)] };
        }
        let other =
            |value: Option<Value>| holds_all(&self.tests, value.as_ref()).then_some(Kind::Other(value));
        match &self.given {
            Some(Some(text @ Value::String(_))) => {
                return if holds_all(&self.tests, Some(text)) { vec![Kind::Text] } else { Vec::new() };
            }
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

    /// The kinds that can do what the others cannot: eight claims of three kinds each would be 6,561 choices.
    ///
    /// - An array that must hold no words can do all that another value can: it holds that text, or nothing.
    /// - One that must hold words matches more keys than a text with these words, and so it does where only patterns
    ///   have the claim that must match the key.
    /// - A text that nothing names matches no key and no metadata. It can do what a number or no value can, and what
    ///   an array can that patterns have only where they must not match the key.
    pub(super) fn needed_kinds(&self) -> Vec<Kind> {
        let mut kinds = self.kinds();
        if self.given.is_some() || is_numeric_date(&self.name) {
            return kinds;
        }
        let texts = self.texts();
        let is_free =
            !self.unnamed(&fresh_within(&texts.iter().map(String::as_str).collect::<Vec<_>>())).is_empty();
        let has_array = kinds.contains(&Kind::Array);
        let array_suffices = !self.is_compared && (self.needed_words().is_empty() || !self.is_refused);
        if has_array && array_suffices {
            return vec![Kind::Array];
        }
        if is_free && !self.is_asked {
            return vec![Kind::Text];
        }
        kinds.retain(|kind| match kind {
            Kind::Text | Kind::Array => true,
            Kind::Other(_) => !is_free && !has_array,
        });
        kinds
    }
}

/// What an array holds from the beginning: one choice for each way that it can name an audience.
pub(super) fn known_members(claim: &Claim<'_>) -> Vec<BTreeMap<String, bool>> {
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

/// Whether a word can stand beside others in a text that is a segment of a key.
pub(super) fn is_in_segments(word: &str) -> bool {
    is_segment(&format!("{word} x")) && !word.contains(' ')
}
