//! Whether the path patterns of behaviors and the key patterns of rules fit.
//!
//! An event does not name its behavior, so a rule decides in the same way for each bucket behind the function. What is
//! said here of a behavior is one-sided: "no key" is certain, and anything else means that a key may be there. CloudFront
//! compares a path as it is written, and a viewer can write `%2F` for each slash of a key. So a key may also go to a
//! behavior after the one whose pattern has its folder, which is said apart from where the key goes as it is.

mod pieces;

use std::collections::BTreeSet;

use authorizer_core::rules::KeyPattern;

use self::pieces::{Piece, covers, meet, of_keys, of_path, paths_of};
use super::attach::buckets;
use super::needs::RuleKeys;
use super::view::{Behavior, BehaviorName, View};

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

/// A behavior to which CloudFront sends no request, by the order of the behaviors.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unreached {
    /// Its index among all behaviors.
    pub index: usize,
    /// The index of the first behavior that has all of its paths.
    pub by: usize,
}

impl Unreached {
    /// The behaviors of which each path is one of a single earlier behavior.
    pub fn all(view: &View) -> Vec<Self> {
        // The default behavior has the paths of `*`.
        let text = |name: &BehaviorName| match name {
            BehaviorName::Default => "*".to_owned(),
            BehaviorName::Pattern(path) => path.strip_prefix('/').unwrap_or(path).to_owned(),
        };
        let patterns: Vec<String> = view.behaviors().map(|(name, _)| text(&name)).collect();
        // How CloudFront reads an escape in a pattern is not documented.
        let has_all = |one: &String, other: &String| {
            one == other
                || (!one.contains('%') && !other.contains('%') && covers(&of_path(one), &of_path(other)))
        };
        let earlier =
            |index: usize, other: &String| patterns.iter().take(index).position(|one| has_all(one, other));
        let each = patterns.iter().enumerate();
        each.filter_map(|(index, other)| Some(Self { index, by: earlier(index, other)? })).collect()
    }
}

/// The buckets of each behavior, in CloudFront's order.
type InOrder = Vec<(BehaviorName, BTreeSet<String>)>;

impl Fit {
    /// Compares them. `rules` are the allow rules; `is_ours` says whether a behavior has the function.
    pub fn of(view: &View, is_ours: impl Fn(&Behavior) -> bool, rules: &[RuleKeys]) -> Self {
        let ours = || view.behaviors().filter(|(_, behavior)| is_ours(behavior));
        let patterns = || rules.iter().flat_map(|rule| &rule.keys);
        // The path of a listing.
        let listing = view.behaviors().find(|(name, _)| has_root(name));
        let lists = rules.iter().any(|rule| rule.lists);
        let is_listing = |name: &BehaviorName| lists && listing.as_ref().is_some_and(|(one, _)| one == name);
        let without =
            ours().filter(|(name, _)| !is_listing(name) && !patterns().any(|keys| may_reach(name, keys)));
        let without_rule = without.map(|(name, _)| name).collect();
        let guarded: BTreeSet<String> =
            ours().flat_map(|(_, behavior)| buckets(&view.origins_of(behavior))).collect();
        // All behaviors, because the first that takes a path has it, with or without the function.
        let in_order: InOrder = view
            .behaviors()
            .map(|(name, behavior)| {
                let there = buckets(&view.origins_of(behavior));
                (name, there.intersection(&guarded).cloned().collect())
            })
            .collect();
        // Of a group, the second is a copy of the first, and is not asked unless that one fails.
        let firsts: InOrder = view
            .behaviors()
            .map(|(name, behavior)| {
                let there = buckets(&view.first_origin_of(behavior).into_iter().collect::<Vec<_>>());
                (name, there.intersection(&guarded).cloned().collect())
            })
            .collect();
        let reached = |in_order: &InOrder, rule: &RuleKeys, slashes| -> BTreeSet<String> {
            rule.keys.iter().flat_map(|keys| places(in_order, keys, slashes)).collect()
        };
        let mut fit = Self { without_rule, buckets: guarded.clone(), ..Self::default() };
        let listing = firsts.iter().find(|(name, _)| has_root(name));
        for rule in rules {
            if let (true, Some((name, listed))) = (rule.lists, listing) {
                let there = reached(&firsts, rule, Slashes::AsTheyAre);
                let not: BTreeSet<String> = there.difference(listed).cloned().collect();
                if !not.is_empty() {
                    let partly = not.len() < there.len();
                    let (rule, listing) = (rule.id.clone(), name.clone());
                    fit.not_listed.push(NotListed { rule, buckets: not, listing, partly });
                }
            }
            let there = reached(&in_order, rule, Slashes::AsTheyAre);
            if there.len() > 1 {
                fit.of_several.push((rule.id.clone(), there));
            } else if rule.is_anonymous {
                let there = reached(&in_order, rule, Slashes::AsTheyAreOrEscaped);
                if there.len() > 1 {
                    fit.anonymous_of_several.push((rule.id.clone(), there));
                }
            }
        }
        fit
    }
}

/// How the slashes of a key are written in a path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Slashes {
    /// As `/`.
    AsTheyAre,
    /// Each as `/` or as `%2F`.
    AsTheyAreOrEscaped,
}

/// Whether a path of a behavior may be a key of a pattern.
fn may_reach(behavior: &BehaviorName, keys: &KeyPattern) -> bool {
    match behavior {
        BehaviorName::Default => true,
        // How CloudFront reads an escape in a pattern is not documented.
        BehaviorName::Pattern(path) => path.contains('%') || meet(&of_path(path), &paths_of(of_keys(keys))),
    }
}

/// Whether a behavior has the path `/`.
fn has_root(behavior: &BehaviorName) -> bool {
    match behavior {
        BehaviorName::Default => true,
        BehaviorName::Pattern(path) => meet(&of_path(path), &[]),
    }
}

/// Whether each key of a pattern is a path of a behavior, without escapes of other characters than slashes.
fn takes_all(behavior: &BehaviorName, keys: &KeyPattern, slashes: Slashes) -> bool {
    let BehaviorName::Pattern(path) = behavior else { return true };
    let path = of_path(path);
    let Some((Piece::Many, literal)) = path.split_last() else { return false };
    let is_literal = |piece: &Piece| match (piece, slashes) {
        (Piece::One('/'), Slashes::AsTheyAreOrEscaped) => false,
        (Piece::One(_), _) => true,
        (Piece::Any | Piece::Many | Piece::Slash, _) => false,
    };
    literal.iter().all(is_literal) && of_keys(keys).starts_with(literal)
}

/// Where the keys of a pattern may go, of the behaviors in CloudFront's order: the first that takes a path has it.
fn places(
    behaviors: &[(BehaviorName, BTreeSet<String>)],
    keys: &KeyPattern,
    slashes: Slashes,
) -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    for (behavior, there) in behaviors {
        if may_reach(behavior, keys) {
            places.extend(there.iter().cloned());
        }
        if takes_all(behavior, keys, slashes) {
            break;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(path: &str, keys: &str) -> bool {
        may_reach(&BehaviorName::Pattern(path.to_owned()), &KeyPattern::parse(keys).unwrap())
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
        ] {
            assert!(!reach(path, keys), "{path} {keys}");
        }
    }

    #[test]
    fn keys_go_to_the_first_behavior_that_takes_them_all() {
        let set = |name: &str| BTreeSet::from([name.to_owned()]);
        let behaviors = [
            (BehaviorName::Pattern("photos/*".to_owned()), set("photos")),
            (BehaviorName::Pattern("*.pdf".to_owned()), set("papers")),
            (BehaviorName::Default, set("files")),
        ];
        let written = |keys: &str, slashes| {
            let keys = KeyPattern::parse(keys).unwrap();
            places(&behaviors, &keys, slashes).into_iter().collect::<Vec<_>>().join(" ")
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
