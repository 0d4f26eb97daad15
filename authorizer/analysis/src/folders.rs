//! Rules by the folders of their keys.
//!
//! The segments of a pattern before its first wildcard or claim must stand at the beginning of every key that it
//! matches. So rules are kept in a tree of those: whatever has to do with a key, or with another rule, is on the way to
//! it or below.

use std::collections::HashMap;

use authorizer_core::rules::{KeyPattern, Rule, Segment};

/// What begins with some segments.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    /// The places of the rules with a pattern of which no more is fixed.
    rules: Vec<usize>,
    folders: HashMap<String, Folder>,
}

impl Folder {
    /// The root, with these rules.
    pub fn of(rules: &[Rule]) -> Self {
        let mut root = Self::default();
        for (place, rule) in rules.iter().enumerate() {
            rule.keys().iter().for_each(|pattern| root.put(pattern, place));
        }
        root
    }

    fn put(&mut self, pattern: &KeyPattern, place: usize) {
        let folder =
            fixed(pattern).fold(self, |folder, text| folder.folders.entry(text.to_owned()).or_default());
        folder.rules.push(place);
    }

    /// The places of the rules that may match what begins with these segments and no others, in order.
    pub fn on_the_way<'s>(&self, segments: impl Iterator<Item = &'s str>) -> Vec<usize> {
        let mut places = Vec::new();
        self.go(segments, &mut places);
        in_order(places)
    }

    /// The places of the rules that may match something that begins with these segments, in order.
    pub fn below<'s>(&self, segments: impl Iterator<Item = &'s str>) -> Vec<usize> {
        let mut places = Vec::new();
        self.go_below(segments, &mut places);
        in_order(places)
    }

    /// The places of the rules that may match a key that this one matches, in order.
    pub fn near(&self, rule: &Rule) -> Vec<usize> {
        let mut places = Vec::new();
        rule.keys().iter().for_each(|pattern| self.go_below(fixed(pattern), &mut places));
        in_order(places)
    }

    fn go_below<'s>(&self, segments: impl Iterator<Item = &'s str>, places: &mut Vec<usize>) {
        if let Some(folder) = self.go(segments, places) {
            folder.folders.values().for_each(|folder| folder.all(places));
        }
    }

    /// Adds the rules from here on down these segments; the last folder, if there is one for each.
    fn go<'s>(&self, segments: impl Iterator<Item = &'s str>, places: &mut Vec<usize>) -> Option<&Self> {
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

/// The segments of a pattern that every key that it matches begins with.
fn fixed(pattern: &KeyPattern) -> impl Iterator<Item = &str> {
    pattern.segments().iter().map_while(|segment| match segment {
        Segment::Literal(text) => Some(text.as_str()),
        Segment::Glob(_) | Segment::Claim(_) | Segment::AnySegments => None,
    })
}

/// A rule has a place for each of its patterns.
fn in_order(mut places: Vec<usize>) -> Vec<usize> {
    places.sort_unstable();
    places.dedup();
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use authorizer_core::key::ObjectKey;
    use authorizer_core::prefix::KeyPrefix;
    use authorizer_core::rules::Claims;
    use proptest::prelude::*;

    fn root(patterns: &[KeyPattern]) -> Folder {
        let mut root = Folder::default();
        for (place, pattern) in patterns.iter().enumerate() {
            root.put(pattern, place);
        }
        root
    }

    fn parsed(texts: &[impl AsRef<str>]) -> Vec<KeyPattern> {
        texts.iter().filter_map(|text| KeyPattern::parse(text.as_ref()).ok()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn a_pattern_that_may_match_is_on_the_way_of_a_key_and_below_a_prefix(
            patterns in prop::collection::vec(
                "(a|b|a\\*|\\*|\\*\\*|\\{sub\\})(/(a|b|\\*|\\*\\*|\\{sub\\})){0,3}/?",
                1..9,
            ),
            text in "(a|b|ab)?(/(a|b|ab)){0,3}/?",
        ) {
            let patterns = parsed(&patterns);
            let root = root(&patterns);
            if let Ok(key) = ObjectKey::new(text.clone()) {
                let places = root.on_the_way(key.segments());
                prop_assert!(places.is_sorted_by(|one, next| one < next));
                let matching = patterns.iter().enumerate().filter(|(_, one)| one.matches(&key, Claims::Unknown));
                for (place, pattern) in matching {
                    prop_assert!(places.contains(&place), "{pattern} {key}");
                    // And each two of them are near each other.
                    let mut near = Vec::new();
                    root.go_below(fixed(pattern), &mut near);
                    let others = patterns.iter().enumerate().filter(|(_, one)| one.matches(&key, Claims::Unknown));
                    for (other, _) in others {
                        prop_assert!(near.contains(&other), "{pattern} {}", patterns[other]);
                    }
                }
            }
            if let Ok(prefix) = KeyPrefix::new(text) {
                let places = root.below(prefix.parts().0.into_iter());
                for (place, pattern) in patterns.iter().enumerate() {
                    let may_match = pattern.holds_any(&prefix, Claims::Unknown)
                        || pattern.holds_all(&prefix, Claims::Unknown);
                    prop_assert!(!may_match || places.contains(&place), "{pattern} {prefix}");
                }
            }
        }
    }

    #[test]
    fn what_begins_otherwise_is_passed_over() {
        let root = root(&parsed(&["a/b/**", "a/c/**", "a/*/x", "b/**", "**"]));
        assert_eq!(root.on_the_way(["a", "b", "x"].into_iter()), [0, 2, 4]);
        assert_eq!(root.on_the_way(["c", "b", "x"].into_iter()), [4]);
        assert_eq!(root.below(["a"].into_iter()), [0, 1, 2, 4]);
        assert_eq!(root.below(["a", "b"].into_iter()), [0, 2, 4]);
        assert_eq!(root.below([].into_iter()), [0, 1, 2, 3, 4]);
    }
}
