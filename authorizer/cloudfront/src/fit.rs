//! Whether the path patterns of behaviors and the key patterns of rules fit.
//!
//! An event does not name its behavior, so a rule decides in the same way for each bucket behind the function. What is
//! said here of a behavior is one-sided: "no key" is certain, and anything else means that a key may be there. CloudFront
//! compares a path as it is written, and a viewer can write `%2F` for each slash of a key. So a key may also go to a
//! behavior after the one whose pattern has its folder: which rules have keys in several buckets is said only for paths
//! whose slashes are written as they are.

use std::collections::BTreeSet;

use authorizer_core::rules::{KeyPattern, Segment};

use super::attach::buckets;
use super::view::{Behavior, BehaviorName, View};

/// How the path patterns of the behaviors with the function fit the key patterns of allow rules.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Fit {
    /// The behaviors with the function that no key of an allow rule can reach.
    pub without_rule: Vec<BehaviorName>,
    /// The buckets behind the function.
    pub buckets: BTreeSet<String>,
    /// The allow rules, by their ids, with keys that may be in several of these buckets: each with those buckets. As far
    /// as the slashes of a path are written as they are: `%2F` can take any key with a slash to a later behavior.
    pub of_several: Vec<(String, BTreeSet<String>)>,
}

impl Fit {
    /// Compares them. `keys` are the key patterns of each allow rule, by its id; `is_ours` says whether a behavior has
    /// the function.
    pub fn of(view: &View, is_ours: impl Fn(&Behavior) -> bool, keys: &[(String, Vec<KeyPattern>)]) -> Self {
        let ours = || view.behaviors().filter(|(_, behavior)| is_ours(behavior));
        let patterns = || keys.iter().flat_map(|(_, keys)| keys);
        let without = ours().filter(|(name, _)| !patterns().any(|keys| may_reach(name, keys)));
        let without_rule = without.map(|(name, _)| name).collect();
        let guarded: BTreeSet<String> =
            ours().flat_map(|(_, behavior)| buckets(&view.origins_of(behavior))).collect();
        if guarded.len() < 2 {
            return Self { without_rule, buckets: guarded, of_several: Vec::new() };
        }
        // All behaviors, because the first that takes a path has it, with or without the function.
        let in_order: Vec<(BehaviorName, BTreeSet<String>)> = view
            .behaviors()
            .map(|(name, behavior)| {
                let there = buckets(&view.origins_of(behavior));
                (name, there.intersection(&guarded).cloned().collect())
            })
            .collect();
        let reached = |keys: &Vec<KeyPattern>| {
            let of = |one| places(in_order.iter().map(|(name, there)| (name, there)), one);
            keys.iter().flat_map(of).collect::<BTreeSet<String>>()
        };
        let of_several = keys.iter().map(|(id, keys)| (id.clone(), reached(keys)));
        let of_several = of_several.filter(|(_, there)| there.len() > 1).collect();
        Self { without_rule, buckets: guarded, of_several }
    }
}

/// A piece of a pattern.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Piece {
    /// This character.
    One(char),
    /// Any character.
    Any,
    /// Any characters, also none.
    Many,
    /// The end of a key's slash, after `%` and `2`: `F`, or `/` instead of the three.
    Slash,
}

/// CloudFront's path pattern: `*` stands for any characters and `?` for one, also for a slash
/// ([AWS: PathPattern](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html#DownloadDistValuesPathPattern)).
fn of_path(pattern: &str) -> Vec<Piece> {
    let bare = pattern.strip_prefix('/').unwrap_or(pattern);
    let piece = |one| match one {
        '*' => Piece::Many,
        '?' => Piece::Any,
        other => Piece::One(other),
    };
    bare.chars().map(piece).collect()
}

/// A character that a path has as it is. Any other may be percent-encoded in it.
fn is_plain(one: char) -> bool {
    one.is_ascii_alphanumeric() || matches!(one, '-' | '.' | '_' | '~' | '/')
}

/// The keys of a pattern, or more.
fn of_keys(pattern: &KeyPattern) -> Vec<Piece> {
    let literal = |text: &str, pieces: &mut Vec<Piece>| {
        pieces.extend(text.chars().map(|one| if is_plain(one) { Piece::One(one) } else { Piece::Many }));
    };
    let mut pieces = Vec::new();
    for (index, segment) in pattern.segments().iter().enumerate() {
        if index > 0 && pieces.last() != Some(&Piece::Many) {
            pieces.push(Piece::One('/'));
        }
        match segment {
            Segment::Literal(text) => literal(text, &mut pieces),
            Segment::Glob(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    if index > 0 {
                        pieces.push(Piece::Many);
                    }
                    literal(part, &mut pieces);
                }
            }
            Segment::Claim(_) => pieces.extend([Piece::Any, Piece::Many]),
            Segment::AnySegments => pieces.push(Piece::Many),
        }
    }
    pieces
}

/// The paths of keys, in which each slash may be `%2F`.
fn paths_of(keys: Vec<Piece>) -> Vec<Piece> {
    let path = |piece| match piece {
        Piece::One('/') => vec![Piece::One('%'), Piece::One('2'), Piece::Slash],
        other => vec![other],
    };
    keys.into_iter().flat_map(path).collect()
}

/// Whether one text can be of both patterns. Only `other` may have slashes of keys.
fn meet(one: &[Piece], other: &[Piece]) -> bool {
    // `can[j]`: whether what was read of `one` meets the first `j` pieces of `other`.
    let skip = |row: &mut Vec<bool>| {
        let mut before = false;
        for (index, can) in row.iter_mut().enumerate() {
            let piece = index.checked_sub(1).and_then(|index| other.get(index));
            *can = *can || (before && piece == Some(&Piece::Many));
            before = *can;
        }
    };
    let mut can = vec![false; other.len().saturating_add(1)];
    if let Some(first) = can.first_mut() {
        *first = true;
    }
    skip(&mut can);
    for piece in one {
        let mut next = Vec::with_capacity(can.len());
        let mut left = false;
        for (index, above) in can.iter().copied().enumerate() {
            let before = |pieces| {
                index.checked_sub(pieces).and_then(|before| can.get(before)).copied().unwrap_or(false)
            };
            let diagonal = before(1);
            let theirs = index.checked_sub(1).and_then(|index| other.get(index));
            let here = match (piece, theirs) {
                // A piece for many takes nothing, or whatever the other has next.
                (Piece::Many, _) => above || left,
                (_, Some(Piece::Many)) => above || left,
                (Piece::One(one), Some(Piece::One(other))) => diagonal && one == other,
                (Piece::One('/'), Some(Piece::Slash)) => before(3),
                (Piece::One(one), Some(Piece::Slash)) => diagonal && matches!(one, 'F' | 'f'),
                (_, Some(Piece::Slash)) => diagonal || before(3),
                (_, Some(_)) => diagonal,
                (_, None) => false,
            };
            left = here;
            next.push(here);
        }
        can = next;
        skip(&mut can);
    }
    can.last().copied().unwrap_or(false)
}

/// Whether a path of a behavior may be a key of a pattern.
fn may_reach(behavior: &BehaviorName, keys: &KeyPattern) -> bool {
    match behavior {
        BehaviorName::Default => true,
        // How CloudFront reads an escape in a pattern is not documented.
        BehaviorName::Pattern(path) => path.contains('%') || meet(&of_path(path), &paths_of(of_keys(keys))),
    }
}

/// Whether each key of a pattern, written without escapes, is a path of a behavior.
fn takes_all(behavior: &BehaviorName, keys: &KeyPattern) -> bool {
    let BehaviorName::Pattern(path) = behavior else { return true };
    let path = of_path(path);
    let Some((Piece::Many, literal)) = path.split_last() else { return false };
    literal.iter().all(|piece| matches!(piece, Piece::One(_))) && of_keys(keys).starts_with(literal)
}

/// Where the keys of a pattern may go, of the behaviors in CloudFront's order: the first that takes a path has it. After
/// one that takes all keys, only a path with `%2F` for a slash goes on, which is left out here.
fn places<'a, T: Ord + Clone + 'a>(
    behaviors: impl Iterator<Item = (&'a BehaviorName, &'a BTreeSet<T>)>,
    keys: &KeyPattern,
) -> BTreeSet<T> {
    let mut places = BTreeSet::new();
    for (behavior, there) in behaviors {
        if may_reach(behavior, keys) {
            places.extend(there.iter().cloned());
        }
        if takes_all(behavior, keys) {
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
        let go = |keys: &str| {
            let keys = KeyPattern::parse(keys).unwrap();
            let places = places(behaviors.iter().map(|(name, there)| (name, there)), &keys);
            places.into_iter().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(go("photos/**"), "photos");
        assert_eq!(go("photos/{sub}/*.jpg"), "photos");
        assert_eq!(go("users/**"), "files papers");
        assert_eq!(go("users/*.txt"), "files");
        assert_eq!(go("**"), "files papers photos");
        // All of these keys are also paths of the second.
        assert_eq!(go("users/*.pdf"), "files papers");
    }

    /// Whether a text is of a pattern, by the plain definition.
    fn is_of(text: &[char], pattern: &[Piece]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((Piece::Many, rest)), None) => is_of(text, rest),
            (Some((Piece::Many, rest)), Some((_, after))) => is_of(text, rest) || is_of(after, pattern),
            (Some((Piece::One(one), rest)), Some((first, after))) => one == first && is_of(after, rest),
            (Some((Piece::Any, rest)), Some((_, after))) => is_of(after, rest),
            (Some((Piece::Slash, _)), Some(_)) => panic!("these patterns have no keys"),
            (None, Some(_)) | (Some(_), None) => false,
        }
    }

    #[test]
    fn small_patterns_meet_where_a_short_text_is_of_both() {
        let pieces = [Piece::One('a'), Piece::One('b'), Piece::Any, Piece::Many];
        let mut patterns: Vec<Vec<Piece>> = vec![vec![]];
        for _ in 0..3 {
            let longer: Vec<Vec<Piece>> = patterns
                .iter()
                .flat_map(|one| pieces.map(|piece| [one.clone(), vec![piece]].concat()))
                .collect();
            patterns.extend(longer);
        }
        patterns.sort_by_key(|one| format!("{one:?}"));
        patterns.dedup();
        let mut texts: Vec<Vec<char>> = vec![vec![]];
        for length in 0..6_usize {
            let longest: Vec<_> = texts.iter().filter(|one| one.len() == length).cloned().collect();
            texts.extend(
                longest.iter().flat_map(|one| ['a', 'b'].map(|next| [one.clone(), vec![next]].concat())),
            );
        }
        for one in &patterns {
            for other in &patterns {
                let expected = texts.iter().any(|text| is_of(text, one) && is_of(text, other));
                assert_eq!(meet(one, other), expected, "{one:?} {other:?}");
            }
        }
    }
}
