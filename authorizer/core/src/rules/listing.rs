//! Key patterns and the prefix of a listing, which means every key that begins with it.
//!
//! Both questions are answered exactly, for every key that could be stored: an allow rule must match all of
//! them, a deny rule any of them.

use super::claims::{Claims, is_segment};
use super::pattern::{KeyPattern, Segment};
use crate::prefix::KeyPrefix;

impl KeyPattern {
    /// Whether the pattern matches every key that begins with the prefix. Only a pattern that ends in `**` can match
    /// them all: the part before it must match some of the prefix's whole segments, from the first on.
    pub fn holds_all(&self, prefix: &KeyPrefix, claims: Claims<'_>) -> bool {
        let [head @ .., Segment::AnySegments] = self.segments() else { return false };
        // `a/**/**` is the same as `a/**` for everything below `a/`.
        let end = head.iter().rposition(|segment| *segment != Segment::AnySegments);
        let head = head.get(..end.map_or(0, |last| last.saturating_add(1))).unwrap_or_default();
        let (whole, _) = prefix.parts();
        let mut at = Positions::start(head);
        at.reached(head.len())
            || whole.iter().any(|segment| {
                at.step(segment, claims);
                at.reached(head.len())
            })
    }

    /// Whether the pattern matches some key that begins with the prefix.
    pub fn holds_any(&self, prefix: &KeyPrefix, claims: Claims<'_>) -> bool {
        let pattern = self.segments();
        let (whole, rest) = prefix.parts();
        let mut at = Positions::start(pattern);
        whole.iter().for_each(|segment| at.step(segment, claims));
        // Every key continues with a segment that begins with `rest`; the segment may be empty.
        pattern.iter().enumerate().any(|(position, segment)| {
            let after = pattern.get(position.saturating_add(1)..).unwrap_or_default();
            at.reached(position)
                && can_begin_with(segment, rest, claims)
                && after.iter().all(|segment| can_begin_with(segment, "", claims))
        })
    }
}

/// The places in a pattern that some reading has reached: before the segment of that index.
struct Positions<'p> {
    pattern: &'p [Segment],
    reached: Vec<bool>,
}

impl<'p> Positions<'p> {
    fn start(pattern: &'p [Segment]) -> Self {
        let mut reached = vec![false; pattern.len().saturating_add(1)];
        if let Some(first) = reached.first_mut() {
            *first = true;
        }
        let mut positions = Self { pattern, reached };
        positions.pass_over_any_segments();
        positions
    }

    fn reached(&self, position: usize) -> bool {
        self.reached.get(position).copied().unwrap_or_default()
    }

    /// Reads one whole segment.
    fn step(&mut self, segment: &str, claims: Claims<'_>) {
        let mut next = vec![false; self.reached.len()];
        for (position, pattern) in self.pattern.iter().enumerate().filter(|(at, _)| self.reached(*at)) {
            let position = match pattern {
                Segment::AnySegments => position,
                _ if pattern.matches(segment, claims) => position.saturating_add(1),
                Segment::Literal(_) | Segment::Glob(_) | Segment::Claim(_) => continue,
            };
            if let Some(reached) = next.get_mut(position) {
                *reached = true;
            }
        }
        self.reached = next;
        self.pass_over_any_segments();
    }

    /// `**` may stand for zero segments, unless it is the last.
    fn pass_over_any_segments(&mut self) {
        for (position, segment) in self.pattern.iter().enumerate() {
            let after = position.saturating_add(1);
            if self.reached(position)
                && *segment == Segment::AnySegments
                && after < self.pattern.len()
                && let Some(reached) = self.reached.get_mut(after)
            {
                *reached = true;
            }
        }
    }
}

/// Whether a segment of the pattern can stand for a segment of a key that begins with this text.
pub(super) fn can_begin_with(segment: &Segment, text: &str, claims: Claims<'_>) -> bool {
    match segment {
        Segment::Literal(literal) => literal.starts_with(text),
        // Anything may follow the first star.
        Segment::Glob(parts) => {
            parts.first().is_some_and(|first| first.starts_with(text) || text.starts_with(first.as_str()))
        }
        Segment::AnySegments => true,
        Segment::Claim(name) => claims.could(name, |value| is_segment(value) && value.starts_with(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::ObjectKey;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn claims() -> Value {
        json!({"sub": "alice", "groups": ["red", "x/y", ""], "n": 7})
    }

    fn prefix(text: &str) -> KeyPrefix {
        KeyPrefix::new(text.into()).unwrap()
    }

    #[test]
    fn a_listing_is_held_whole_by_what_is_below_it() {
        for (pattern, yes, no) in [
            (
                "users/{sub}/**",
                vec!["users/alice/", "users/alice/pho", "users/alice/a/b"],
                vec!["users/alice", "users/", "users", "", "users/alice2/", "users/bob/", "other/"],
            ),
            ("**", vec!["", "a", "a/"], vec![]),
            ("a/**", vec!["a/", "a/b"], vec!["a", "ab/", ""]),
            ("a/**/**", vec!["a/", "a/b/c"], vec!["a"]),
            ("**/x/**", vec!["x/", "a/x/", "a/x/b"], vec!["a/", "", "x", "a/xx/"]),
            ("*/b/**", vec!["a/b/", "z/b/c"], vec!["a/", "b/", "/b"]),
            ("{groups}/**", vec!["red/"], vec!["blue/", "x/y/", "7/"]),
            ("{n}/**", vec![], vec!["7/"]),
            ("a/*", vec![], vec!["a/", ""]),
            ("a/**/*.jpg", vec![], vec!["a/", "a/b.jpg"]),
            ("a/", vec![], vec!["a/"]),
        ] {
            let pattern = KeyPattern::parse(pattern).unwrap();
            for text in yes {
                assert!(
                    pattern.holds_all(&prefix(text), Claims::Known(claims().as_object().unwrap())),
                    "{pattern} all {text}"
                );
            }
            for text in no.into_iter().filter(|text| KeyPrefix::new((*text).into()).is_ok()) {
                assert!(
                    !pattern.holds_all(&prefix(text), Claims::Known(claims().as_object().unwrap())),
                    "{pattern} all {text}"
                );
            }
        }
    }

    #[test]
    fn a_listing_is_touched_by_whatever_could_be_below_it() {
        for (pattern, yes, no) in [
            (
                "users/{sub}/**",
                vec!["", "us", "users/", "users/al", "users/alice", "users/alice/x"],
                vec!["users/b", "v", "users/alice2"],
            ),
            ("a/b", vec!["", "a", "a/", "a/b"], vec!["a/b/", "a/bc", "b"]),
            ("a/", vec!["", "a", "a/"], vec!["a/b", "ab"]),
            ("**/sealed/**", vec!["", "x", "x/y/", "sealed/", "x/sealed/a"], vec![]),
            ("a/*.jpg", vec!["a/", "a/b", "a/b.jpg.x"], vec!["a/b/", "b"]),
            ("a/pre*", vec!["a/p", "a/pre", "a/prefix"], vec!["a/q", "a/pr/"]),
            ("{n}/**", vec![], vec!["", "7/"]),
            ("{groups}/z", vec!["", "r", "red/z"], vec!["x/", "red/y"]),
        ] {
            let pattern = KeyPattern::parse(pattern).unwrap();
            for text in yes {
                assert!(
                    pattern.holds_any(&prefix(text), Claims::Known(claims().as_object().unwrap())),
                    "{pattern} any {text}"
                );
            }
            for text in no {
                assert!(
                    !pattern.holds_any(&prefix(text), Claims::Known(claims().as_object().unwrap())),
                    "{pattern} any {text}"
                );
            }
        }
    }

    #[test]
    fn without_claims_no_listing_is_of_a_claim() {
        let pattern = KeyPattern::parse("users/{sub}/**").unwrap();
        assert!(!pattern.holds_all(&prefix("users/alice/"), Claims::None));
        assert!(!pattern.holds_any(&prefix("users/alice/"), Claims::None));
    }

    /// Every text of up to four of these letters.
    fn extensions() -> Vec<String> {
        let mut all = vec![String::new()];
        let mut last = all.clone();
        for _ in 0..4 {
            last = last.iter().flat_map(|text| ["a", "b", "c", "/"].map(|c| format!("{text}{c}"))).collect();
            all.extend(last.iter().cloned());
        }
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn both_questions_are_answered_as_by_trying_every_key(
            pattern in "(a|b|\\*|\\*\\*|a\\*|\\*b|ab)(/(a|b|\\*|\\*\\*|\\*a|)){0,3}",
            text in "([ab]{1,2}/){0,2}[ab]{0,2}"
        ) {
            let Ok(pattern) = KeyPattern::parse(&pattern) else { return Ok(()) };
            let prefix = prefix(&text);
            let keys = extensions().into_iter().filter_map(|more| ObjectKey::new(format!("{text}{more}")).ok());
            let matches: Vec<bool> = keys.map(|key| pattern.matches(&key, Claims::None)).collect();
            prop_assert_eq!(pattern.holds_all(&prefix, Claims::None), matches.iter().all(|one| *one), "all");
            if matches.contains(&true) {
                prop_assert!(pattern.holds_any(&prefix, Claims::None), "any");
            }
        }
    }
}
