//! A key that two patterns match, found in one pass. It decides most pairs of a long policy at once.

use std::collections::{HashMap, HashSet, VecDeque};

use authorizer_core::key::ObjectKey;
use authorizer_core::rules::{Claims, KeyPattern, Segment};
use serde_json::Value;

/// A segment of a pattern, once the claims are known.
#[derive(Clone, Copy)]
enum Piece<'p> {
    Text(&'p str),
    Glob(&'p Segment, &'p [String]),
    /// Any segment.
    Star,
    Members(&'p [Value]),
    /// Any number of segments, also none.
    AnySegments,
}

/// A segment that a star or a `**` stands for.
const ANY: &str = "x";

/// A key that both patterns match, for a token with these claims. There may be one though none is found.
pub(crate) fn key_of_both(one: &KeyPattern, other: &KeyPattern, claims: Claims<'_>) -> Option<ObjectKey> {
    let (first, second) = (pieces(one, claims)?, pieces(other, claims)?);
    let mut from: HashMap<Place, Step> = HashMap::new();
    let mut queue = VecDeque::from([(0usize, 0usize)]);
    let end = (first.len(), second.len());
    while let Some(at) = queue.pop_front() {
        if at == end {
            let key = ObjectKey::new(way(&from, at)).ok()?;
            return (one.matches(&key, claims) && other.matches(&key, claims)).then_some(key);
        }
        for (next, text) in steps(&first, &second, at) {
            if next != (0, 0) && !from.contains_key(&next) {
                from.insert(next, (at, text));
                queue.push_back(next);
            }
        }
    }
    None
}

/// Whether some key could match both patterns, for some claims. "Yes" may be wrong, "no" is not.
pub(crate) fn could_share_a_key(one: &KeyPattern, other: &KeyPattern) -> bool {
    let (first, second) = (shapes(one), shapes(other));
    let mut seen: HashSet<Place> = HashSet::new();
    let mut open = vec![(0usize, 0usize)];
    while let Some((i, j)) = open.pop() {
        let (after_i, after_j) = (i.saturating_add(1), j.saturating_add(1));
        let mut next: Vec<Place> = Vec::new();
        match (first.get(i), second.get(j)) {
            (None, None) => return true,
            (Some(Shape::AnySegments), other) => {
                next.push((after_i, j));
                next.extend(other.map(|_| (i, after_j)));
            }
            (one, Some(Shape::AnySegments)) => {
                next.push((i, after_j));
                next.extend(one.map(|_| (after_i, j)));
            }
            (Some(one), Some(other)) if could_be_one_text(*one, *other) => next.push((after_i, after_j)),
            (Some(_), Some(_)) | (Some(_), None) | (None, Some(_)) => {}
        }
        open.extend(next.into_iter().filter(|place| seen.insert(*place)));
    }
    false
}

/// What a segment of a pattern may stand for, whatever the claims are.
#[derive(Clone, Copy)]
enum Shape<'p> {
    Text(&'p str),
    Glob(&'p Segment),
    Any,
    AnySegments,
}

fn shapes(pattern: &KeyPattern) -> Vec<Shape<'_>> {
    let mut shapes: Vec<Shape<'_>> = Vec::new();
    for segment in pattern.segments() {
        shapes.push(match segment {
            Segment::Literal(text) => Shape::Text(text),
            Segment::Glob(_) => Shape::Glob(segment),
            Segment::Claim(_) => Shape::Any,
            Segment::AnySegments => Shape::AnySegments,
        });
    }
    // As the last segment it stands for one or more.
    if let Some(Shape::AnySegments) = shapes.last() {
        shapes.push(Shape::Any);
    }
    shapes
}

fn could_be_one_text(one: Shape<'_>, other: Shape<'_>) -> bool {
    match (one, other) {
        (Shape::Text(one), Shape::Text(other)) => one == other,
        (Shape::Text(text), Shape::Glob(glob)) | (Shape::Glob(glob), Shape::Text(text)) => {
            glob.matches(text, Claims::None)
        }
        _ => true,
    }
}

fn pieces<'p>(pattern: &'p KeyPattern, claims: Claims<'p>) -> Option<Vec<Piece<'p>>> {
    let mut pieces = Vec::new();
    for segment in pattern.segments() {
        pieces.push(match segment {
            Segment::Literal(text) => Piece::Text(text),
            Segment::Glob(parts) => Piece::Glob(segment, parts),
            Segment::AnySegments => Piece::AnySegments,
            Segment::Claim(name) => match claims.get(name)? {
                Value::String(text) => Piece::Text(text),
                Value::Array(members) => Piece::Members(members),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
            },
        });
    }
    // As the last segment it stands for one or more.
    if let Some(Piece::AnySegments) = pieces.last() {
        pieces.insert(pieces.len().saturating_sub(1), Piece::Star);
    }
    Some(pieces)
}

/// How far along both patterns.
type Place = (usize, usize);

/// The place before, or the next one, and the segment between them.
type Step = (Place, Option<String>);

fn steps(first: &[Piece<'_>], second: &[Piece<'_>], (i, j): (usize, usize)) -> Vec<Step> {
    let (one, other) = (first.get(i), second.get(j));
    let (after_i, after_j) = (i.saturating_add(1), j.saturating_add(1));
    let mut steps = Vec::new();
    if let Some(Piece::AnySegments) = one {
        steps.push(((after_i, j), None));
        steps.extend(other.and_then(text_of).map(|text| ((i, after_j), Some(text))));
    }
    if let Some(Piece::AnySegments) = other {
        steps.push(((i, after_j), None));
        steps.extend(one.and_then(text_of).map(|text| ((after_i, j), Some(text))));
    }
    if let (Some(one), Some(other)) = (one, other) {
        steps.extend(text_of_both(*one, *other).map(|text| ((after_i, after_j), Some(text))));
    }
    steps
}

/// A text that the piece stands for.
fn text_of(piece: &Piece<'_>) -> Option<String> {
    match piece {
        Piece::Text(text) => Some((*text).to_owned()),
        Piece::Star => Some(ANY.to_owned()),
        Piece::Glob(_, parts) if parts.iter().all(String::is_empty) => Some(ANY.to_owned()),
        Piece::Glob(_, parts) => Some(parts.concat()),
        Piece::Members(members) => members.first().and_then(Value::as_str).map(str::to_owned),
        Piece::AnySegments => None,
    }
}

/// A text that both pieces stand for, if one stands for the first that comes to mind of the other.
fn text_of_both(one: Piece<'_>, other: Piece<'_>) -> Option<String> {
    let is_of = |piece: Piece<'_>, text: &str| match piece {
        Piece::Text(own) => own == text,
        Piece::Star => !text.is_empty(),
        Piece::Glob(segment, _) => segment.matches(text, Claims::None),
        Piece::Members(members) => members.iter().any(|member| member.as_str() == Some(text)),
        Piece::AnySegments => false,
    };
    let of_one = text_of(&one).filter(|text| is_of(other, text));
    of_one.or_else(|| text_of(&other).filter(|text| is_of(one, text)))
}

/// The segments on the way to a place.
fn way(from: &HashMap<Place, Step>, end: Place) -> String {
    let mut segments = Vec::new();
    let mut at = end;
    while let Some((before, text)) = from.get(&at) {
        segments.extend(text.as_deref());
        at = *before;
    }
    segments.reverse();
    segments.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;
    use serde_json::json;

    fn key(one: &str, other: &str) -> Option<String> {
        let claims = json!({"sub": "alice", "groups": ["red", "blue"], "n": 7});
        let parsed = |text| KeyPattern::parse(text).unwrap();
        let claims = Claims::Known(claims.as_object().unwrap());
        key_of_both(&parsed(one), &parsed(other), claims).map(|key| key.as_str().to_owned())
    }

    #[test]
    fn patterns_that_share_no_key_are_told_apart_and_those_that_share_one_never() {
        let parsed = |text| KeyPattern::parse(text).unwrap();
        for (one, other, expected) in [
            ("team-1/shared/*.txt", "**/frozen-2/**", false),
            ("team-1/{sub}/**", "**/frozen-2/**", true),
            ("a/**", "a", false),
            ("a/**", "a/b/c", true),
            ("a/**/b", "a/b", true),
            ("**", "{sub}", true),
            ("a/b*", "a/cd", false),
            ("a/b*", "a/*c", true),
            ("**/x/**/y", "x/y", true),
            ("**/x/**/y", "y/x", false),
            ("{sub}/a", "{role}/a/b", false),
        ] {
            assert_eq!(could_share_a_key(&parsed(one), &parsed(other)), expected, "{one} {other}");
            assert_eq!(could_share_a_key(&parsed(other), &parsed(one)), expected, "{other} {one}");
            assert!(expected || key(one, other).is_none(), "{one} {other}");
        }
    }

    /// A few segments, joined, of these.
    fn joined(of: &'static [&'static str]) -> impl Strategy<Value = String> {
        proptest::collection::vec(select(of), 1..5).prop_map(|segments| segments.join("/"))
    }

    proptest! {
        /// The matrix asks no question about patterns that are said to be apart: so that must never be wrong.
        #[test]
        fn patterns_that_match_one_key_are_never_said_to_be_apart(
            one in joined(&["a", "b", "ab", "*", "a*", "*b", "a*b", "**", "{sub}", "{groups}"]),
            other in joined(&["a", "b", "ab", "*", "a*", "*b", "a*b", "**", "{sub}", "{groups}"]),
            tried in proptest::collection::vec(joined(&["a", "b", "ab", "axb", "x"]), 32),
        ) {
            let (Ok(one), Ok(other)) = (KeyPattern::parse(&one), KeyPattern::parse(&other)) else { return Ok(()) };
            let claims = json!({"sub": "a", "groups": ["b", "ab"]});
            let claims = Claims::Known(claims.as_object().unwrap());
            let folders = tried.iter().map(|key| format!("{key}/"));
            for text in tried.iter().cloned().chain(folders) {
                let key = ObjectKey::new(text).unwrap();
                if one.matches(&key, claims) && other.matches(&key, claims) {
                    prop_assert!(could_share_a_key(&one, &other), "{one} {other} {key}");
                }
            }
            prop_assert!(key_of_both(&one, &other, claims).is_none() || could_share_a_key(&one, &other));
        }
    }

    #[test]
    fn a_key_of_both_is_found_in_the_usual_shapes() {
        for (one, other, expected) in [
            ("a/**", "**/secret/**", Some("a/secret/x")),
            ("a/{sub}/**", "a/*/b", Some("a/alice/b")),
            ("{groups}/**", "blue/x*", Some("blue/x")),
            ("a/*", "a/**", Some("a/x")),
            ("a/b*", "a/bc", Some("a/bc")),
            ("a/", "a/**", None),
            ("a/*", "b/*", None),
            ("a/*", "a/*/*", None),
            ("{n}", "**", None),
        ] {
            assert_eq!(key(one, other).as_deref(), expected, "{one} {other}");
        }
    }
}
