//! Whether the path patterns of behaviors and the key patterns of rules fit.
//!
//! An event does not name its behavior, so a rule decides in the same way for each bucket behind the function. What is
//! said here of a behavior is one-sided: "no key" is certain, and anything else but "not decided" means that a key may be
//! there. A viewer can write `%2F` for each slash of a key, and CloudFront does not make it a slash before it compares the
//! path ([`normalized_path`](super::path_pattern::normalized_path)). So a key may also go to a behavior after the one whose pattern has
//! its folder, which is said apart from where the key goes as it is.

mod keys;

use std::collections::BTreeSet;

use authorizer_core::rules::KeyPattern;

use self::keys::{KeyPiece, meet, of_keys, paths_of};
use super::attach::buckets;
use super::needs::RuleKeys;
use super::path_pattern::{Escapes, PathPattern, Piece};
use super::steps::{Budget, OutOfSteps, Steps};
use super::view::{Behavior, BehaviorName, View};

/// The steps for all comparisons of a policy with a distribution: so many, and more for each rule. In a debug build,
/// 50,000,000 are about a second.
const STEPS: [usize; 2] = [50_000_000, 20_000];

/// The most of them that one rule may take, or one behavior. A usual rule takes a few for each behavior.
const STEPS_OF_ONE: [usize; 2] = [10_000_000, 4_000];

/// How the path patterns of the behaviors with the function fit the key patterns of allow rules.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Fit {
    /// The behaviors with the function that no key of an allow rule can reach, and no listing.
    pub without_rule: Vec<BehaviorName>,
    /// The buckets behind the function.
    pub buckets: BTreeSet<String>,
    /// The allow rules, by their ids, with keys that may be in several of these buckets: each with those buckets. As far
    /// as the slashes of a path are written as they are.
    pub of_several: Vec<(String, BTreeSet<String>)>,
    /// The other allow rules that need no token, with keys that may be in several of these buckets if slashes are written
    /// as `%2F`.
    pub anonymous_of_several: Vec<(String, BTreeSet<String>)>,
    /// The allow rules that list, with keys that may be in buckets that no listing reaches.
    pub not_listed: Vec<NotListed>,
    /// The behaviors with the function of which it was not decided whether a key of an allow rule can reach them.
    pub undecided_behaviors: Vec<BehaviorName>,
    /// The allow rules, by their ids, of which it was not decided in which buckets their keys may be.
    pub undecided_rules: Vec<String>,
}

/// An allow rule that lists, with keys that may be in buckets that no listing reaches: a listing is a request for `/`,
/// whatever its prefix, and goes to the behavior that has this path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotListed {
    /// The rule's id.
    pub rule: String,
    /// The buckets that are not listed.
    pub buckets: BTreeSet<String>,
    /// The behavior that has the path `/`.
    pub listing: BehaviorName,
    /// Whether some of the rule's keys may be in the bucket that is listed.
    pub partly: bool,
}

/// A behavior, as far as keys may reach it.
struct Candidate {
    name: BehaviorName,
    pattern: PathPattern,
    /// The pattern in each reading of its escapes.
    readings: Vec<PathPattern>,
    is_ours: bool,
    /// The buckets behind the function that it has, and those of them that its first origin is. Of a group, the second is
    /// a copy of the first, and is not asked unless that one fails.
    buckets: BTreeSet<String>,
    first: BTreeSet<String>,
}

/// A key pattern.
struct Keys {
    keys: Vec<Piece>,
    paths: Vec<KeyPiece>,
}

/// What is found of one rule.
#[derive(Default)]
struct OfRule {
    not_listed: Option<NotListed>,
    of_several: Option<BTreeSet<String>>,
    anonymous_of_several: Option<BTreeSet<String>>,
}

impl Fit {
    /// Compares them. `rules` are the allow rules; `is_ours` says whether a behavior has the function; `escapes`, how those
    /// of path patterns are read. Where that is not known, a key may be where it is in one of the readings.
    pub fn of(
        view: &View,
        is_ours: impl Fn(&Behavior) -> bool,
        rules: &[RuleKeys],
        escapes: Escapes,
    ) -> Self {
        let steps =
            |[some, of_a_rule]: [usize; 2]| rules.len().saturating_mul(of_a_rule).saturating_add(some);
        Self::within(view, is_ours, rules, escapes, &mut Budget::new(steps(STEPS), steps(STEPS_OF_ONE)))
    }

    fn within(
        view: &View,
        is_ours: impl Fn(&Behavior) -> bool,
        rules: &[RuleKeys],
        escapes: Escapes,
        budget: &mut Budget,
    ) -> Self {
        let ours = view.behaviors().filter(|(_, behavior)| is_ours(behavior));
        let guarded: BTreeSet<String> =
            ours.flat_map(|(_, behavior)| buckets(&view.origins_of(behavior))).collect();
        // All behaviors, because the first that takes a path has it, with or without the function.
        let candidate = |(name, behavior): (BehaviorName, &Behavior)| Candidate {
            pattern: PathPattern::of(&name),
            readings: escapes.readings(&name),
            is_ours: is_ours(behavior),
            buckets: buckets(&view.origins_of(behavior)).intersection(&guarded).cloned().collect(),
            first: buckets(&view.first_origin_of(behavior).into_iter().collect::<Vec<_>>())
                .intersection(&guarded)
                .cloned()
                .collect(),
            name,
        };
        let candidates: Vec<Candidate> = view.behaviors().map(candidate).collect();
        let keys: Vec<Vec<Keys>> =
            rules.iter().map(|rule| rule.keys.iter().map(Keys::of).collect()).collect();
        // The path of a listing is `/`.
        let listing = candidates.iter().find(|one| one.pattern.matches("/"));
        let lists = rules.iter().any(|rule| rule.lists);
        let mut fit = Self { buckets: guarded, ..Self::default() };
        for one in candidates.iter().filter(|one| one.is_ours) {
            if lists && listing.is_some_and(|listing| listing.name == one.name) {
                continue;
            }
            match budget.ask(|steps| any(keys.iter().flatten(), |keys| one.may_have(keys, steps))) {
                Ok(true) => {}
                Ok(false) => fit.without_rule.push(one.name.clone()),
                Err(OutOfSteps) => fit.undecided_behaviors.push(one.name.clone()),
            }
        }
        for (rule, keys) in rules.iter().zip(&keys) {
            match budget.ask(|steps| of_rule(&candidates, listing, rule, keys, steps)) {
                Ok(found) => {
                    let named = |buckets| (rule.id.clone(), buckets);
                    fit.not_listed.extend(found.not_listed);
                    fit.of_several.extend(found.of_several.map(named));
                    fit.anonymous_of_several.extend(found.anonymous_of_several.map(named));
                }
                Err(OutOfSteps) => fit.undecided_rules.push(rule.id.clone()),
            }
        }
        fit
    }
}

/// Compares the keys of a rule with all behaviors.
fn of_rule(
    candidates: &[Candidate],
    listing: Option<&Candidate>,
    rule: &RuleKeys,
    keys: &[Keys],
    steps: &mut Steps,
) -> Result<OfRule, OutOfSteps> {
    let mut found = OfRule::default();
    let as_they_are = places(candidates, keys, Slashes::AsTheyAre, steps)?;
    if let (true, Some(listing)) = (rule.lists, listing) {
        let there: BTreeSet<String> = as_they_are.iter().flat_map(|one| one.first.iter().cloned()).collect();
        let not: BTreeSet<String> = there.difference(&listing.first).cloned().collect();
        if !not.is_empty() {
            let partly = not.len() < there.len();
            let (rule, listing) = (rule.id.clone(), listing.name.clone());
            found.not_listed = Some(NotListed { rule, buckets: not, listing, partly });
        }
    }
    let there = |places: Vec<&Candidate>| -> Option<BTreeSet<String>> {
        let there: BTreeSet<String> = places.iter().flat_map(|one| one.buckets.iter().cloned()).collect();
        Some(there).filter(|there| there.len() > 1)
    };
    found.of_several = there(as_they_are);
    if found.of_several.is_none() && rule.is_anonymous {
        found.anonymous_of_several = there(places(candidates, keys, Slashes::AsTheyAreOrEscaped, steps)?);
    }
    Ok(found)
}

/// How the slashes of a key are written in a path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Slashes {
    /// As `/`.
    AsTheyAre,
    /// Each as `/` or as `%2F`.
    AsTheyAreOrEscaped,
}

impl Keys {
    fn of(pattern: &KeyPattern) -> Self {
        let keys = of_keys(pattern);
        Self { paths: paths_of(&keys), keys }
    }
}

impl Candidate {
    /// Whether a path of it may be a key of a pattern.
    fn may_have(&self, keys: &Keys, steps: &mut Steps) -> Result<bool, OutOfSteps> {
        any(&self.readings, |reading| meet(reading.pieces(), &keys.paths, steps))
    }

    /// Whether each key of a pattern is a path of it, without escapes of other characters than slashes.
    fn takes_all(&self, keys: &Keys, slashes: Slashes, steps: &mut Steps) -> Result<bool, OutOfSteps> {
        let Some((Piece::Many, literal)) = self.pattern.pieces().split_last() else { return Ok(false) };
        let is_literal = |piece: &Piece| match (piece, slashes) {
            (Piece::One('/'), Slashes::AsTheyAreOrEscaped) => false,
            (Piece::One(_), _) => true,
            (Piece::Any | Piece::Many, _) => false,
        };
        steps.take(literal.len())?;
        Ok(literal.iter().all(is_literal) && keys.keys.starts_with(literal))
    }
}

/// Where the keys of a rule may go, of the behaviors in CloudFront's order: the first that takes a path has it.
fn places<'c>(
    candidates: &'c [Candidate],
    keys: &[Keys],
    slashes: Slashes,
    steps: &mut Steps,
) -> Result<Vec<&'c Candidate>, OutOfSteps> {
    let mut places = Vec::new();
    for keys in keys {
        for one in candidates {
            if one.may_have(keys, steps)? {
                places.push(one);
            }
            if one.takes_all(keys, slashes, steps)? {
                break;
            }
        }
    }
    Ok(places)
}

/// Whether one of them is, as far as that is decided.
fn any<T>(
    all: impl IntoIterator<Item = T>,
    mut is: impl FnMut(T) -> Result<bool, OutOfSteps>,
) -> Result<bool, OutOfSteps> {
    for one in all {
        if is(one)? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(name: BehaviorName, bucket: &str) -> Candidate {
        let buckets = BTreeSet::from([bucket.to_owned()]);
        Candidate {
            pattern: PathPattern::of(&name),
            readings: Escapes::NotKnown.readings(&name),
            is_ours: true,
            first: buckets.clone(),
            buckets,
            name,
        }
    }

    fn decided<T>(question: impl FnOnce(&mut Steps) -> Result<T, OutOfSteps>) -> T {
        Budget::new(10_000, 10_000).ask(question).unwrap()
    }

    fn keys(pattern: &str) -> Keys {
        Keys::of(&KeyPattern::parse(pattern).unwrap())
    }

    fn reach(path: &str, pattern: &str) -> bool {
        let one = candidate(BehaviorName::Pattern(path.to_owned()), "bucket");
        decided(|steps| one.may_have(&keys(pattern), steps))
    }

    #[test]
    fn what_has_no_more_steps_is_not_decided_and_is_not_a_no() {
        let behavior = |pattern: &str| serde_json::json!({"PathPattern": pattern, "TargetOriginId": "o", "ViewerProtocolPolicy": "https-only"});
        let view: View = serde_json::from_value(serde_json::json!({
            "Origins": {"Quantity": 1, "Items": [{"Id": "o", "DomainName": "one.s3.us-east-1.amazonaws.com"}]},
            "CacheBehaviors": {"Quantity": 2, "Items": [behavior("photos/*"), behavior("*z/*.jpg")]},
            "DefaultCacheBehavior": behavior("*"),
        }))
        .unwrap();
        let rule = |id: &str, keys: &str| RuleKeys {
            id: id.to_owned(),
            keys: vec![KeyPattern::parse(keys).unwrap()],
            lists: false,
            is_anonymous: false,
        };
        let rules = [rule("long", &format!("x{}", "/y".repeat(200))), rule("short", "photos/a")];
        let fit = |all, of_one| {
            Fit::within(&view, |_| true, &rules, Escapes::NotKnown, &mut Budget::new(all, of_one))
        };
        let second = BehaviorName::Pattern("*z/*.jpg".to_owned());
        let all = fit(1_000_000, 1_000_000);
        assert_eq!((all.without_rule, all.undecided_rules), (vec![second.clone()], vec![]));
        assert_eq!(all.undecided_behaviors, []);
        let some = fit(1_000_000, 500);
        assert_eq!((some.without_rule, some.undecided_rules), (vec![], vec!["long".to_owned()]));
        assert_eq!(some.undecided_behaviors, [second, BehaviorName::Default]);
        let none = fit(0, 0);
        assert_eq!((none.without_rule, none.undecided_behaviors.len()), (vec![], 3));
        assert_eq!(none.undecided_rules, ["long", "short"]);
    }

    #[test]
    fn a_path_pattern_meets_the_keys_that_it_can_have() {
        for (path, keys) in [
            ("users/*", "users/{sub}/**"),
            ("/users/*", "users/alice/a.txt"),
            ("*", "a"),
            ("*.jpg", "photos/**"),
            ("*.jpg", "photos/*.jpg"),
            ("a?c/*", "abc/**"),
            // `?` and `*` are slashes too.
            ("a?c", "a/c"),
            ("users/*/x", "users/{sub}/a/b/x"),
            ("users/*", "**/x"),
            ("*", "**"),
            // A space is `%20` in the path.
            ("a%20b", "a b"),
            ("x*", "{sub}/**"),
            // A slash is `/` or `%2F` in the path.
            ("photos%2F*", "photos/**"),
            ("photos%2f*", "photos/a"),
            ("%70hotos/*", "photos/**"),
            ("photos???a", "photos/a"),
            ("photos?2f*", "photos/{sub}/a"),
            ("*2Fa", "photos/a"),
            ("*Fa/b", "photos/a/b"),
            ("a/b", "**/b"),
        ] {
            assert!(reach(path, keys), "{path} {keys}");
        }
    }

    #[test]
    fn a_path_pattern_without_a_key_is_told() {
        for (path, keys) in [
            ("images/*", "users/{sub}/**"),
            ("Users/*", "users/**"),
            ("*.jpg", "photos/*.png"),
            ("users", "users/**"),
            ("a??", "ab"),
            ("photos??a", "photos/a"),
            ("photos2Fa", "photos/a"),
            ("*2Fa", "photos/b"),
            ("users/*/private", "users/{sub}/public"),
            // In no reading of the escape.
            ("pub%6Cic/*", "users/{sub}/**"),
            ("public%2F*", "users/{sub}/**"),
            ("%zz*", "users/**"),
        ] {
            assert!(!reach(path, keys), "{path} {keys}");
        }
    }

    #[test]
    fn keys_go_to_the_first_behavior_that_takes_them_all() {
        let candidates = [
            candidate(BehaviorName::Pattern("photos/*".to_owned()), "photos"),
            candidate(BehaviorName::Pattern("*.pdf".to_owned()), "papers"),
            candidate(BehaviorName::Default, "files"),
        ];
        let written = |pattern: &str, slashes| {
            let places = decided(|steps| places(&candidates, &[keys(pattern)], slashes, steps));
            let there: BTreeSet<&str> =
                places.into_iter().flat_map(|one| one.buckets.iter().map(String::as_str)).collect();
            there.into_iter().collect::<Vec<_>>().join(" ")
        };
        let go = |keys: &str| written(keys, Slashes::AsTheyAre);
        assert_eq!(go("photos/**"), "photos");
        assert_eq!(go("photos/{sub}/*.jpg"), "photos");
        assert_eq!(go("users/**"), "files papers");
        assert_eq!(go("users/*.txt"), "files");
        assert_eq!(go("**"), "files papers photos");
        // All of these keys are also paths of the second.
        assert_eq!(go("users/*.pdf"), "files papers");
        let escaped = |keys: &str| written(keys, Slashes::AsTheyAreOrEscaped);
        assert_eq!(escaped("photos/*.jpg"), "files photos");
        assert_eq!(escaped("photos/**"), "files papers photos");
        assert_eq!(escaped("users/*.txt"), "files");
        assert_eq!(escaped("notes.txt"), "files");
    }
}
