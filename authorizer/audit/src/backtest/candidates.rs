//! The rules that a request can have to do with, without asking each.
//!
//! The segments of a pattern before its first wildcard or claim must stand at the beginning of every key that it
//! matches. So rules are kept in a tree of those, and a key is asked about of the rules on its way only.

use std::collections::HashMap;

use authorizer_core::request::Resource;
use authorizer_core::rules::{KeyPattern, Rule, Segment};

/// The rules of a policy, by their ids and by how their keys begin.
#[derive(Clone, Debug, Default)]
pub(super) struct Candidates {
    ids: HashMap<String, usize>,
    root: Folder,
}

/// What begins with some segments.
#[derive(Clone, Debug, Default)]
struct Folder {
    /// The places of the rules with a pattern of which no more is fixed.
    rules: Vec<usize>,
    folders: HashMap<String, Folder>,
}

impl Candidates {
    pub(super) fn of(rules: &[Rule]) -> Self {
        let mut candidates = Self::default();
        for (place, rule) in rules.iter().enumerate() {
            candidates.ids.insert(rule.id().to_owned(), place);
            for pattern in rule.keys() {
                candidates.root.put(pattern, place);
            }
        }
        candidates
    }

    /// The place of the rule with this id.
    pub(super) fn place_of(&self, id: &str) -> Option<usize> {
        self.ids.get(id).copied()
    }

    /// The places of the rules that a request for this may match, in order: each of the others has no pattern that
    /// does, whatever the claims are.
    pub(super) fn places_for(&self, resource: &Resource) -> Vec<usize> {
        let mut places = Vec::new();
        match resource {
            Resource::Object(key) => {
                self.root.on_the_way(key.segments(), &mut places);
            }
            Resource::Prefix(prefix) => {
                let (whole, _) = prefix.parts();
                // What is listed may be anything below.
                if let Some(below) = self.root.on_the_way(whole.into_iter(), &mut places) {
                    below.folders.values().for_each(|folder| folder.all(&mut places));
                }
            }
        }
        places.sort_unstable();
        places.dedup();
        places
    }
}

impl Folder {
    fn put(&mut self, pattern: &KeyPattern, place: usize) {
        let fixed = pattern.segments().iter().map_while(|segment| match segment {
            Segment::Literal(text) => Some(text),
            Segment::Glob(_) | Segment::Claim(_) | Segment::AnySegments => None,
        });
        let folder = fixed.fold(self, |folder, text| folder.folders.entry(text.clone()).or_default());
        folder.rules.push(place);
    }

    /// Adds the rules from here on down these segments; the last folder, if there is one for each.
    fn on_the_way<'s>(
        &self,
        segments: impl Iterator<Item = &'s str>,
        places: &mut Vec<usize>,
    ) -> Option<&Self> {
        places.extend(&self.rules);
        let mut folder = self;
        for segment in segments {
            folder = folder.folders.get(segment)?;
            places.extend(&folder.rules);
        }
        Some(folder)
    }

    fn all(&self, places: &mut Vec<usize>) {
        places.extend(&self.rules);
        self.folders.values().for_each(|folder| folder.all(places));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use authorizer_core::key::ObjectKey;
    use authorizer_core::prefix::KeyPrefix;
    use authorizer_core::rules::Claims;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn a_pattern_that_may_match_is_on_the_way_of_the_key_or_prefix(
            patterns in prop::collection::vec("(a|b|a\\*|\\*|\\*\\*|\\{sub\\})(/(a|b|\\*|\\*\\*|\\{sub\\})){0,3}/?", 1..9),
            text in "(a|b|ab)?(/(a|b|ab)){0,3}/?",
        ) {
            let patterns: Vec<_> = patterns.iter().filter_map(|text| KeyPattern::parse(text).ok()).collect();
            let mut candidates = Candidates::default();
            for (place, pattern) in patterns.iter().enumerate() {
                candidates.root.put(pattern, place);
            }
            let resources = [
                ObjectKey::new(text.clone()).ok().map(Resource::Object),
                KeyPrefix::new(text).ok().map(Resource::Prefix),
            ];
            for resource in resources.into_iter().flatten() {
                let places = candidates.places_for(&resource);
                prop_assert!(places.is_sorted_by(|one, next| one < next));
                for (place, pattern) in patterns.iter().enumerate() {
                    let may_match = match &resource {
                        Resource::Object(key) => pattern.matches(key, Claims::Unknown),
                        Resource::Prefix(prefix) => {
                            pattern.holds_any(prefix, Claims::Unknown) || pattern.holds_all(prefix, Claims::Unknown)
                        }
                    };
                    prop_assert!(!may_match || places.contains(&place), "{} {:?}", pattern, resource);
                }
            }
        }
    }

    #[test]
    fn what_begins_otherwise_is_passed_over() {
        let mut candidates = Candidates::default();
        for (place, pattern) in ["a/b/**", "a/c/**", "a/*/x", "b/**", "**"].iter().enumerate() {
            candidates.root.put(&KeyPattern::parse(pattern).unwrap(), place);
        }
        let object =
            |key: &str| candidates.places_for(&Resource::Object(ObjectKey::new(key.into()).unwrap()));
        let prefix =
            |text: &str| candidates.places_for(&Resource::Prefix(KeyPrefix::new(text.into()).unwrap()));
        assert_eq!(object("a/b/x"), [0, 2, 4]);
        assert_eq!(object("c/b/x"), [4]);
        assert_eq!(prefix("a/"), [0, 1, 2, 4]);
        assert_eq!(prefix("a/b/"), [0, 2, 4]);
        assert_eq!(prefix("a"), [0, 1, 2, 3, 4]);
    }
}
