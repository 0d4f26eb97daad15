//! The metadata of an upload, once the claims that it is compared with are known.

use std::collections::{BTreeMap, BTreeSet};

use authorizer_core::rules::MetadataTerm;
use authorizer_core::upload::is_metadata;

use super::Said;
use crate::engine::atom::Atom;

/// Metadata that is as is said. `text` is the string that a claim is, if it is one; or nothing, as long as the claim is
/// not known. Then what is compared with it is left out.
///
/// The names depend on each other only by the lists of names that may be there: so for each name it is found whether
/// it can be absent, and what it can be; and it is there only where that is asked for.
pub(super) fn solve<'t>(
    said: &[Said<'_, '_>],
    text: impl Fn(&str) -> Option<Option<&'t str>>,
) -> Option<BTreeMap<String, String>> {
    let lists: Vec<(&[&str], bool)> = said
        .iter()
        .filter_map(|(atom, holds)| match atom {
            Atom::Names(names) => Some((names.as_slice(), *holds)),
            _ => None,
        })
        .collect();
    let mut names: BTreeSet<String> =
        lists.iter().flat_map(|(list, _)| list.iter().map(|n| (*n).to_owned())).collect();
    for (atom, _) in said {
        if let Atom::MetadataIs(name, _) | Atom::MetadataAbsent(name) = atom {
            names.insert((*name).to_owned());
        }
    }
    let mut unlisted = "x".to_owned();
    while names.contains(&unlisted) {
        unlisted.push('x');
    }
    names.insert(unlisted);
    let may_be = |name: &str| lists.iter().all(|(list, holds)| !holds || list.contains(&name));
    let mut metadata = BTreeMap::new();
    let mut possible = BTreeMap::new();
    for name in names {
        let value = value_of(&name, said, &text).filter(|_| may_be(&name));
        if !can_be_absent(&name, said) {
            metadata.insert(name, value?);
        } else if let Some(value) = value {
            possible.insert(name, value);
        }
    }
    for (list, _) in lists.iter().filter(|(_, holds)| !holds) {
        let is_beyond = |name: &String| !list.contains(&name.as_str());
        if !metadata.keys().any(is_beyond) {
            let (name, value) = possible.iter().find(|(name, _)| is_beyond(name))?;
            metadata.insert(name.clone(), value.clone());
        }
    }
    Some(metadata)
}

fn can_be_absent(name: &str, said: &[Said<'_, '_>]) -> bool {
    said.iter().all(|(atom, holds)| match atom {
        Atom::MetadataIs(of, _) | Atom::MetadataAbsent(of) if *of == name => *holds,
        _ => true,
    })
}

/// The possible values of the metadata with this name, if it is there.
fn value_of<'t>(
    name: &str,
    said: &[Said<'_, '_>],
    text: &impl Fn(&str) -> Option<Option<&'t str>>,
) -> Option<String> {
    let expected: Vec<(Option<String>, bool)> = said
        .iter()
        .filter_map(|(atom, holds)| match atom {
            Atom::MetadataIs(of, term) if *of == name => {
                let value = match term {
                    MetadataTerm::Any => None,
                    MetadataTerm::Literal(value) => Some(value.clone()),
                    MetadataTerm::Claim(claim) => text(claim)?.map(str::to_owned),
                };
                Some((value, *holds))
            }
            Atom::MetadataAbsent(of) if *of == name => Some((None, *holds)),
            _ => None,
        })
        .collect();
    let mut candidates: Vec<String> = expected.iter().filter_map(|(value, _)| value.clone()).collect();
    let mut other = "other".to_owned();
    while candidates.contains(&other) {
        other.push('r');
    }
    candidates.push(other);
    candidates
        .into_iter()
        .filter(|candidate| is_metadata(candidate))
        .find(|candidate| expected.iter().all(|(value, holds)| (value.as_ref() == Some(candidate)) == *holds))
}
