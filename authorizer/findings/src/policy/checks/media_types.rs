//! Media types that nobody sends.
//!
//! `media-types.txt` is made from mime-db 1.54.0 (MIT licence, <https://github.com/jshttp/mime-db>), which has the types
//! of IANA's registry (<https://www.iana.org/assignments/media-types/>), of Apache and of nginx: a line for each type,
//! with the endings of its files, the registered ones first. Types of vendors (`vnd.`) and private ones (`x-`, `prs.`,
//! `x.`) need not be in a registry (RFC 6838 section 3): only those with an ending are in the file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use authorizer_core::nearest;

use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::finding::Observation;
use crate::policy::subject::PolicySubject;

pub(super) static FAMILY: Family = Family::Policy(&[(
    Check {
        id: "EA069",
        name: "media-type-unknown",
        severity: Severity::Medium,
        title: "`content_types` names a media type that is in no registry",
        why: "Types must match exactly. Browsers and tools send the registered type of a file, such as `image/jpeg` \
              for a picture that ends in `.jpg`. So the upload is refused that the rule was written for.",
        remedy: "write the registered type",
    },
    unknown,
)]);

/// What is registered, and the type of each ending.
struct Registry {
    types: BTreeSet<&'static str>,
    kinds: BTreeSet<&'static str>,
    endings: BTreeMap<&'static str, &'static str>,
}

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let mut registry = Registry { types: BTreeSet::new(), kinds: BTreeSet::new(), endings: BTreeMap::new() };
    for line in include_str!("media_types/media-types.txt").lines() {
        let mut words = line.split(' ');
        let Some(name) = words.next() else { continue };
        registry.types.insert(name);
        registry.kinds.extend(name.split('/').next());
        for ending in words {
            registry.endings.entry(ending).or_insert(name);
        }
    }
    registry
});

/// Whether a type may be used without being registered.
fn is_private(subtype: &str) -> bool {
    ["vnd.", "prs.", "x.", "x-"].iter().any(|tree| subtype.starts_with(tree))
}

/// What was perhaps meant, if nobody registered the type.
fn unregistered(text: &str) -> Option<Option<&'static str>> {
    let (kind, subtype) = text.split_once('/')?;
    let is_known = match subtype {
        "*" => kind == "*" || REGISTRY.kinds.contains(kind),
        // Browsers know it, and EA063 says what they do with it.
        _ => is_private(subtype) || REGISTRY.types.contains(text) || text == "text/xsl",
    };
    if is_known || kind.starts_with("x-") {
        return None;
    }
    let near = || {
        let same =
            REGISTRY.types.iter().filter_map(|one| one.split_once('/')).filter(|(one, _)| *one == kind);
        let meant = nearest(subtype, same.map(|(_, subtype)| subtype))?;
        REGISTRY.types.get(format!("{kind}/{meant}").as_str()).copied()
    };
    let by_ending = REGISTRY.endings.get(subtype).copied();
    Some(by_ending.or_else(near))
}

fn unknown(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.allows() {
        let types = rule.document.upload.as_ref().and_then(|upload| upload.content_types.as_deref());
        for (index, text) in types.unwrap_or_default().iter().enumerate() {
            if let Some(meant) = unregistered(&text.to_ascii_lowercase()) {
                let hint = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
                let place = rule.place().then("upload").then("content_types").at(index);
                let message =
                    format!("rule `{}` allows uploads of `{text}`, which is in no registry{hint}", rule.id());
                found.push(rule.found_at(place, message));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_that_nobody_registered_is_known_by_its_name() {
        for (text, expected) in [
            ("image/jpeg", None),
            ("image/*", None),
            ("*/*", None),
            ("application/x-yaml", None),
            ("application/vnd.example.thing", None),
            ("video/webm", None),
            ("image/jpg", Some(Some("image/jpeg"))),
            ("image/svg", Some(Some("image/svg+xml"))),
            ("video/mov", Some(Some("video/quicktime"))),
            ("text/json", Some(Some("application/json"))),
            ("application/pdff", Some(Some("application/pdf"))),
            ("application/excel", Some(None)),
            ("imag/*", Some(None)),
        ] {
            assert_eq!(unregistered(text), expected, "{text}");
        }
    }
}
