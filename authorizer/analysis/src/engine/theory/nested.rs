//! Claims within claims: a claim that has others in it is an object, or the others are not there.

use std::collections::{BTreeMap, BTreeSet};

use authorizer_core::claim_name::{self, is_within};
use serde_json::{Map, Value};

use crate::engine::atom::Atom;
use crate::engine::budget::OutOfBudget;
use crate::engine::space::Bounds;

/// The most claims that have others in them, of those that one question is about.
const MOST: usize = 10;

/// Of each claim that has others in it, whether it is an object.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Objects(BTreeMap<String, bool>);

impl Objects {
    /// Every way in which the claims that these statements are about can be in each other. One, where none of them is
    /// in another: a claim that is named only as part of a path may as well be an object.
    ///
    /// Tests cannot tell one object from another, and none but `present` holds for one.
    pub(super) fn all<'a, 'p: 'a>(
        in_keys: &[String],
        atoms: impl Iterator<Item = &'a Atom<'p>> + Clone,
        bounds: &Bounds,
    ) -> Result<Vec<Self>, OutOfBudget> {
        let tested = atoms.clone().filter_map(|atom| match atom {
            Atom::Claim(name, _) => Some(*name),
            _ => None,
        });
        let given = || bounds.claims.keys().map(String::as_str);
        let names: BTreeSet<&str> = in_keys.iter().map(String::as_str).chain(tested).collect();
        let inner: Vec<&str> =
            names.iter().copied().chain(given()).filter(|name| name.starts_with('/')).collect();
        // Without other claims, only those are there that the issuer asks for.
        let asked: Vec<&str> = atoms
            .filter_map(|atom| match atom {
                Atom::Claim(name, test) if test.is_of_issuer() => Some(*name),
                _ => None,
            })
            .collect();
        let may_hold = |name: &str| asked.iter().any(|inner| is_within(inner, name));
        // Of a claim that is given, all is known but what the issuer asks for, which can be left out.
        let is_open = |name: &&str| {
            let mut around =
                bounds.claims.iter().filter(|(given, _)| *given == name || is_within(name, given));
            around.all(|(given, value)| may_hold(name) && leaves_open(given, value, name))
        };
        let outer = names
            .iter()
            .copied()
            .filter(|outer| inner.iter().any(|inner| is_within(inner, outer)))
            .filter(is_open);
        let outer: Vec<&str> = outer.collect();
        if outer.len() > MOST {
            return Err(OutOfBudget);
        }
        let may_be = |name: &str| !bounds.no_other_claims || may_hold(name);
        let must_be = |name: &str| given().any(|given| is_within(given, name));
        let mut all = vec![Self::default()];
        for name in outer {
            all = all
                .into_iter()
                .flat_map(|objects| {
                    // What is in no object is not there.
                    let options = match (must_be(name), may_be(name) && objects.is_there(name)) {
                        (true, _) => vec![true],
                        (false, true) => vec![true, false],
                        (false, false) => vec![false],
                    };
                    options.into_iter().map(move |is_object| {
                        let mut objects = objects.clone();
                        objects.0.insert(name.to_owned(), is_object);
                        objects
                    })
                })
                .collect();
        }
        // Those on the outside come first in `is_there` only if their names do; what contradicts itself is left out.
        all.retain(|objects| objects.0.iter().all(|(name, is_object)| !is_object || objects.is_there(name)));
        Ok(all)
    }

    /// Whether a claim can be there at all.
    fn is_there(&self, name: &str) -> bool {
        self.0.iter().all(|(outer, is_object)| *is_object || !is_within(name, outer))
    }

    /// What the value of a claim is then, if that is decided.
    pub(super) fn given(&self, name: &str) -> Option<Option<Value>> {
        if !self.is_there(name) {
            return Some(None);
        }
        (self.0.get(name) == Some(&true)).then(|| Some(Value::Object(Map::new())))
    }
}

/// Whether a given claim leaves open what another one in it is: it has nothing there, and could have.
fn leaves_open(given: &str, value: &Value, name: &str) -> bool {
    let mut token = Map::new();
    claim_name::put(&mut token, given, value.clone());
    claim_name::is_free(&token, name)
}

/// Claims by their names, as the objects of a token.
pub(super) fn as_in_a_token(claims: Map<String, Value>) -> Map<String, Value> {
    let mut token = Map::new();
    for (name, value) in claims {
        claim_name::put(&mut token, &name, value);
    }
    token
}
