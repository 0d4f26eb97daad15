//! Patterns of paths and of keys in pieces, and how they are compared.

use authorizer_core::rules::{KeyPattern, Segment};

/// A piece of a pattern.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Piece {
    /// This character.
    One(char),
    /// Any character.
    Any,
    /// Any characters, also none.
    Many,
    /// The end of a key's slash, after `%` and `2`: `F`, or `/` instead of the three.
    Slash,
}

/// The most readers of a pattern that [`covers`] follows, so that 75 patterns of 255 letters, the most of a distribution, are
/// compared in seconds.
const MOST_READERS: usize = 12;

/// CloudFront's path pattern: `*` stands for any characters and `?` for one, also for a slash
/// ([AWS: PathPattern](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html#DownloadDistValuesPathPattern)).
pub(super) fn of_path(pattern: &str) -> Vec<Piece> {
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
pub(super) fn of_keys(pattern: &KeyPattern) -> Vec<Piece> {
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
pub(super) fn paths_of(keys: Vec<Piece>) -> Vec<Piece> {
    let path = |piece| match piece {
        Piece::One('/') => vec![Piece::One('%'), Piece::One('2'), Piece::Slash],
        other => vec![other],
    };
    keys.into_iter().flat_map(path).collect()
}

/// Whether each path of the pattern `other` is a path of the pattern `one`. "Not" may also mean that this was not decided.
pub(super) fn covers(one: &[Piece], other: &[Piece]) -> bool {
    // As far as `one` was read, each place in it where a reader may be. A letter that `one` does not have leaves the fewest
    // places: so it stands for every other letter.
    let close = |mut places: Vec<bool>| {
        let mut before = false;
        for (index, place) in places.iter_mut().enumerate() {
            let skips = index.checked_sub(1).and_then(|index| one.get(index)) == Some(&Piece::Many);
            *place = *place || (before && skips);
            before = *place;
        }
        places
    };
    let after = |places: &Vec<bool>, letter: Option<char>| {
        let at = |index: usize| places.get(index).copied().unwrap_or(false);
        let step = |index: usize| {
            let stays = at(index) && one.get(index) == Some(&Piece::Many);
            let moves = index.checked_sub(1).is_some_and(|index| {
                at(index)
                    && (one.get(index) == Some(&Piece::Any)
                        || one.get(index) == letter.map(Piece::One).as_ref())
            });
            stays || moves
        };
        close((0..places.len()).map(step).collect())
    };
    let start = (0..=one.len()).map(|index| index == 0).collect();
    let mut readers = vec![close(start)];
    for piece in other {
        match piece {
            Piece::One(letter) => readers = readers.iter().map(|one| after(one, Some(*letter))).collect(),
            Piece::Any => readers = readers.iter().map(|one| after(one, None)).collect(),
            // After no letter, after one, and so on, until nothing changes.
            Piece::Many => {
                let mut index = 0_usize;
                while let Some(next) = readers.get(index).map(|one| after(one, None)) {
                    if !readers.contains(&next) {
                        readers.push(next);
                    }
                    index = index.saturating_add(1);
                    // Patterns for which there are more are not decided.
                    if readers.len() > MOST_READERS {
                        return false;
                    }
                }
            }
            Piece::Slash => return false,
        }
        readers.sort_unstable();
        readers.dedup();
        // A reader that is nowhere has a path that is not of `one`.
        if readers.iter().any(|places| !places.contains(&true)) {
            return false;
        }
    }
    readers.iter().all(|places| places.last() == Some(&true))
}

/// Whether one text can be of both patterns. Only `other` may have slashes of keys.
pub(super) fn meet(one: &[Piece], other: &[Piece]) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn small_patterns_meet_and_cover_as_their_short_texts_say() {
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
        for length in 0..5_usize {
            let longest: Vec<_> = texts.iter().filter(|one| one.len() == length).cloned().collect();
            // No pattern has a `c`.
            texts.extend(
                longest.iter().flat_map(|one| ['a', 'b', 'c'].map(|next| [one.clone(), vec![next]].concat())),
            );
        }
        let members: Vec<Vec<bool>> =
            patterns.iter().map(|one| texts.iter().map(|text| is_of(text, one)).collect()).collect();
        for (one, of_one) in patterns.iter().zip(&members) {
            for (other, of_other) in patterns.iter().zip(&members) {
                let both = || of_one.iter().copied().zip(of_other.iter().copied());
                assert_eq!(meet(one, other), both().any(|both| both == (true, true)), "{one:?} {other:?}");
                let has_all = both().all(|both| both != (false, true));
                assert_eq!(covers(one, other), has_all, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_path_pattern_that_has_all_paths_of_another_is_told() {
        let has_all = |one: &str, other: &str| covers(&of_path(one), &of_path(other));
        for (one, other) in [
            ("*", "photos/*"),
            ("photos/*", "/photos/private/*"),
            ("photos/*", "photos/a.jpg"),
            ("*.jpg", "photos/*.jpg"),
            ("?*", "*?"),
            ("*a*", "*ab*ba*"),
        ] {
            assert!(has_all(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("photos/*", "photos"),
            ("photos/*", "Photos/*"),
            ("photos/*", "*.jpg"),
            ("photos/?", "photos/*"),
            ("photos/??*", "photos/*"),
            ("*a*b", "*b*a"),
        ] {
            assert!(!has_all(one, other), "{one} {other}");
        }
        // As long as patterns can be, and with many ways to read them.
        let many = "*a?".repeat(85);
        assert!(!has_all(&many, &format!("b{many}c")));
    }
}
