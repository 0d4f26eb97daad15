//! A claim that is in no key and no metadata: only its own tests distinguish its values.

use authorizer_core::claim_name;
use serde_json::{Map, Value};

use super::beginning::Beginning;
use super::{Known, Said};
use crate::engine::atom::{Atom, ClaimAtom};
use crate::engine::space::Who;

/// A value of the claim that fits the statements; absent if that fits.
pub(super) fn solve(known: Known<'_>, name: &str, said: &[Said<'_, '_>]) -> Option<Option<Value>> {
    let tests = tests_of(name, said);
    candidates(known, name, &tests).into_iter().find(|value| holds_all(&tests, value.as_ref()))
}

/// The statements about one claim.
pub(super) fn tests_of<'p>(name: &str, said: &[Said<'_, 'p>]) -> Vec<(ClaimAtom<'p>, bool)> {
    let of_claim = |(atom, holds): &Said<'_, 'p>| match atom {
        Atom::Claim(claim, test) if *claim == name => Some((*test, *holds)),
        _ => None,
    };
    said.iter().filter_map(of_claim).collect()
}

pub(super) fn holds_all(tests: &[(ClaimAtom<'_>, bool)], value: Option<&Value>) -> bool {
    tests.iter().all(|(test, holds)| test.holds(value) == *holds)
}

/// The values that the question gives a claim; `None` if it is free.
pub(super) fn given(known: Known<'_>, name: &str, tests: &[(ClaimAtom<'_>, bool)]) -> Option<Option<Value>> {
    let context = known.context;
    match context.who {
        Who::Anonymous => return Some(None),
        Who::Token(issuer) if name == "iss" => return Some(Some(Value::from(issuer.as_str()))),
        Who::Token(_) => {}
    }
    if let Some(value) = context.bounds.claims.get(name) {
        return Some(Some(value.clone()));
    }
    if let Some((outer, value)) =
        context.bounds.claims.iter().find(|(outer, _)| claim_name::is_within(name, outer))
    {
        // An object on the way to what an issuer's block requires is as open as that.
        if let Some(given) = known.objects.given(name) {
            return Some(given);
        }
        let mut token = Map::new();
        claim_name::put(&mut token, outer, value.clone());
        // What an issuer's block requires can be left out, there as well.
        let is_left_out =
            claim_name::is_free(&token, name) && tests.iter().any(|(test, _)| test.is_of_issuer());
        return (!is_left_out).then(|| claim_name::find(&token, name).cloned());
    }
    if let Some(given) = known.objects.given(name) {
        return Some(given);
    }
    let of_issuer = |(test, _): &(ClaimAtom<'_>, bool)| test.is_of_issuer();
    (context.bounds.no_other_claims && !tests.iter().any(of_issuer)).then_some(None)
}

/// Values that include one for each possible result of the tests.
///
/// An array with just the words that must be in it passes every test that no text and no number has to pass; so
/// beside it there need only be those that a test names. `sub` is never an array, and so words in one string are
/// there too, alone and beside others.
fn candidates(known: Known<'_>, name: &str, tests: &[(ClaimAtom<'_>, bool)]) -> Vec<Option<Value>> {
    if let Some(given) = given(known, name, tests) {
        return vec![given];
    }
    let words: Vec<&str> =
        tests.iter().filter(|(_, holds)| *holds).filter_map(|(test, _)| test.word()).collect();
    let joined = words.join(" ");
    let texts: Vec<&str> = tests.iter().flat_map(|(test, _)| test.texts()).collect();
    let mut values = vec![None];
    let sentence = |more: &str| {
        let all = [joined.as_str(), more].into_iter().filter(|text| !text.is_empty());
        Some(Value::from(all.collect::<Vec<_>>().join(" ")))
    };
    let array = |more: &[&str]| Some(Value::from(words.iter().chain(more).copied().collect::<Vec<_>>()));
    if !words.is_empty() {
        values.push(sentence(""));
    }
    if let Some(beginning) = Beginning::of(tests, &[]) {
        let all = beginning.texts(&words, &fresh_within(&texts)).into_iter().chain(beginning.whole(&words));
        values.extend(all.map(|text| Some(Value::from(text))));
    }
    values.extend(texts.iter().map(|text| Some(Value::from(*text))));
    values.push(sentence("other"));
    values.push(sentence(&fresh(&texts)));
    values.extend(tests.iter().flat_map(|(test, _)| test.scalars()).map(Some));
    values.push(array(&[]));
    // An array may be an audience to two policies at once.
    let audiences: Vec<&str> = tests.iter().flat_map(|(test, _)| audience(test)).collect();
    for one in &audiences {
        values.push(array(&[one]));
        values.extend(audiences.iter().map(|other| array(&[one, other])));
    }
    values
}

fn audience<'p>(test: &ClaimAtom<'p>) -> Vec<&'p str> {
    match test {
        ClaimAtom::Audience(texts) => texts.iter().map(String::as_str).collect(),
        ClaimAtom::Condition(_)
        | ClaimAtom::OneOf(_)
        | ClaimAtom::Required(_)
        | ClaimAtom::TextIfThere
        | ClaimAtom::ScopeIfThere
        | ClaimAtom::Absent
        | ClaimAtom::Usable
        | ClaimAtom::Is(_) => Vec::new(),
    }
}

/// A word that is not one of the texts, and not a word in one.
pub(super) fn fresh(texts: &[&str]) -> String {
    let mut word = "x".to_owned();
    while texts.iter().any(|text| text.split(' ').any(|part| part == word)) {
        word.push('x');
    }
    word
}

/// A word that is no part of any of the texts.
pub(super) fn fresh_within(texts: &[&str]) -> String {
    let mut word = "x".to_owned();
    while texts.iter().any(|text| text.contains(&word)) {
        word.push('x');
    }
    word
}
