//! The paths of keys, and whether a path pattern can have one of them.

use authorizer_core::rules::{KeyPattern, Segment};

use crate::path_pattern::Piece;
use crate::steps::{OutOfSteps, Steps};

/// A piece of a path of a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum KeyPiece {
    /// As in a path pattern.
    Path(Piece),
    /// The end of a key's slash, after `%` and `2`: `F`, or `/` instead of the three.
    Slash,
}

/// A character that stands for itself in every [`normalized_path`](crate::path_pattern::normalized_path), because its
/// escape is decoded there. Any other may be percent-encoded in it.
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
pub(super) fn paths_of(keys: &[Piece]) -> Vec<KeyPiece> {
    let path = |piece: &Piece| match piece {
        Piece::One('/') => {
            vec![KeyPiece::Path(Piece::One('%')), KeyPiece::Path(Piece::One('2')), KeyPiece::Slash]
        }
        other => vec![KeyPiece::Path(*other)],
    };
    keys.iter().flat_map(path).collect()
}

/// Whether one text can be of a path pattern and of the paths of keys. It is exact.
pub(super) fn meet(path: &[Piece], keys: &[KeyPiece], steps: &mut Steps) -> Result<bool, OutOfSteps> {
    let is_many = |index: usize| {
        let piece = index.checked_sub(1).and_then(|index| keys.get(index));
        piece == Some(&KeyPiece::Path(Piece::Many))
    };
    let stars = (1..=keys.len()).take_while(|index| is_many(*index)).count();
    let mut row = Row { from: 0, can: vec![true; stars.saturating_add(1)] };
    steps.take(row.can.len())?;
    for piece in path {
        let mut next = Row { from: row.from, can: Vec::new() };
        let mut left = false;
        // What the row has reaches three pieces further, and what this one has at its end may go on.
        let end = row.from.saturating_add(row.can.len()).saturating_add(3);
        for index in row.from..=keys.len() {
            if index >= end && !left {
                break;
            }
            let above = row.at(index);
            let before = |pieces| index.checked_sub(pieces).is_some_and(|before| row.at(before));
            let diagonal = before(1);
            let theirs = index.checked_sub(1).and_then(|index| keys.get(index));
            let here = match (piece, theirs) {
                // A piece for many takes nothing, or whatever the other has next.
                (Piece::Many, _) | (_, Some(KeyPiece::Path(Piece::Many))) => above || left,
                (Piece::One(one), Some(KeyPiece::Path(Piece::One(other)))) => diagonal && one == other,
                (Piece::One('/'), Some(KeyPiece::Slash)) => before(3),
                (Piece::One(one), Some(KeyPiece::Slash)) => diagonal && matches!(one, 'F' | 'f'),
                (Piece::Any, Some(KeyPiece::Slash)) => diagonal || before(3),
                (Piece::One(_), Some(KeyPiece::Path(Piece::Any)))
                | (Piece::Any, Some(KeyPiece::Path(Piece::One(_) | Piece::Any))) => diagonal,
                (_, None) => false,
            };
            left = here;
            next.can.push(here);
        }
        steps.take(next.can.len())?;
        next.trim();
        if next.can.is_empty() {
            return Ok(false);
        }
        row = next;
    }
    Ok(row.at(keys.len()))
}

/// Whether what was read of the path pattern meets the first so many pieces of the paths of keys. Where it is not said, it
/// does not.
struct Row {
    from: usize,
    can: Vec<bool>,
}

impl Row {
    fn at(&self, index: usize) -> bool {
        index.checked_sub(self.from).and_then(|index| self.can.get(index)).copied().unwrap_or(false)
    }

    /// Leaves out what does not meet, at both ends.
    fn trim(&mut self) {
        let end = self.can.iter().rposition(|can| *can).map_or(0, |last| last.saturating_add(1));
        self.can.truncate(end);
        let begin = self.can.iter().position(|can| *can).unwrap_or(0);
        self.can.drain(..begin);
        self.from = self.from.saturating_add(begin);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path_pattern::{PathPattern, texts};
    use crate::steps::Budget;
    use crate::view::BehaviorName;

    fn pattern(text: &str) -> PathPattern {
        PathPattern::of(&BehaviorName::Pattern(text.to_owned()))
    }

    #[test]
    fn small_patterns_meet_as_their_short_texts_say() {
        let patterns = texts(&['a', 'b', '?', '*'], 3);
        let paths = texts(&['a', 'b', 'c'], 6);
        let members: Vec<(PathPattern, Vec<bool>)> = patterns
            .iter()
            .map(|text| {
                let pattern = pattern(text);
                let members = paths.iter().map(|path| pattern.matches(path)).collect();
                (pattern, members)
            })
            .collect();
        let mut budget = Budget::new(usize::MAX, 100);
        for (one, of_one) in &members {
            for (other, of_other) in &members {
                let both = of_one.iter().zip(of_other).any(|(one, other)| *one && *other);
                let keys = paths_of(other.pieces());
                let answer = budget.ask(|steps| meet(one.pieces(), &keys, steps));
                assert_eq!(answer, Ok(both), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_slash_of_a_key_meets_what_one_of_its_three_spellings_meets() {
        let patterns = texts(&['a', '/', '%', '2', 'F', 'f', '?', '*'], 4);
        let mut budget = Budget::new(usize::MAX, 100);
        for key in ["a/a", "a/", "/", "a//a"] {
            let written: Vec<Piece> = key.chars().map(Piece::One).collect();
            let keys = paths_of(&written);
            let mut spelt = vec![String::new()];
            for letter in key.chars() {
                let as_one: &[&str] = if letter == '/' { &["/", "%2F", "%2f"] } else { &["a"] };
                spelt = spelt
                    .iter()
                    .flat_map(|text| as_one.iter().map(move |one| format!("{text}{one}")))
                    .collect();
            }
            for text in &patterns {
                // A leading slash of a path is not of its key.
                let pieces = pattern(&format!("/{text}"));
                let has = spelt.iter().any(|path| pieces.matches(&format!("/{path}")));
                let answer = budget.ask(|steps| meet(pieces.pieces(), &keys, steps));
                assert_eq!(answer, Ok(has), "{text} {key}");
            }
        }
    }

    #[test]
    fn what_begins_otherwise_takes_a_few_steps_however_long_it_is() {
        let long = pattern(&format!("a{}", "*a?".repeat(80)));
        let keys = paths_of(&of_keys(&KeyPattern::parse(&format!("b{}/**", "/c".repeat(200))).unwrap()));
        let mut budget = Budget::new(10, 10);
        assert_eq!(budget.ask(|steps| meet(long.pieces(), &keys, steps)), Ok(false));
    }
}
