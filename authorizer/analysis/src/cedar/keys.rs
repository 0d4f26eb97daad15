//! Key patterns in Cedar. Its `like` does not know segments.
//!
//! A segment is asked for by its place from the first or from the last. Only what floats between two `**` has no place:
//! there `like` is asked of the middle of the key with each segment between slashes, where a literal segment `/a/`
//! is only found as a whole segment. What floats and is not a literal is left to `context.matched`.

use std::collections::BTreeSet;

use authorizer_core::rules::{KeyPattern, Segment};

use super::shape::Shape;
use super::text::{Like, all, any, attribute, name, pattern as like, set, string};

/// Whether the key of an object matches, or every key that begins with a prefix. A prefix is split like a key, so its
/// last segment is a beginning, and only a pattern that ends in `**` can match.
pub(super) fn matches(pattern: &KeyPattern, shape: &mut Shape) -> String {
    let segments = normal(pattern.segments());
    let is_any = |segment: &&Segment| **segment == Segment::AnySegments;
    let first_any = segments.iter().position(|segment| is_any(&segment));
    let last_any = segments.iter().rposition(|segment| is_any(&segment));
    let (Some(first_any), Some(last_any)) = (first_any, last_any) else {
        return exactly(pattern, &segments, shape);
    };
    let head = segments.get(..first_any).unwrap_or_default();
    let tail = segments.get(last_any.saturating_add(1)..).unwrap_or_default();
    let floating = segments.get(first_any.saturating_add(1)..last_any).unwrap_or_default();
    if floating.is_empty() && tail.is_empty() {
        return below(head, shape);
    }
    // The head and the tail do not overlap. `like` checks that something follows the last `**`.
    let least = head.len().saturating_add(tail.len());
    let mut terms = vec![format!("resource.count >= {least}")];
    terms.extend(at_first(head, shape));
    terms.extend(at_last(tail, shape));
    if !floating.is_empty() {
        let Some(middle) = float(floating, tail.is_empty()) else {
            shape.matched.insert(pattern.to_string());
            return format!("context.matched.contains({})", string(&pattern.to_string()));
        };
        terms.push(format!("{} like {middle}", shape.middle(head.len(), tail.len())));
    }
    all(terms)
}

/// Whether some key that begins with a prefix matches. The last segment of the prefix is a beginning, maybe empty.
/// One of the conditions must be true.
pub(super) fn could_match(pattern: &KeyPattern, shape: &mut Shape) -> Vec<String> {
    let segments = normal(pattern.segments());
    let head: Vec<_> =
        segments.iter().take_while(|segment| **segment != Segment::AnySegments).cloned().collect();
    let mut readings = Vec::new();
    for (index, segment) in head.iter().enumerate() {
        let mut terms = vec![format!("resource.count == {}", index.saturating_add(1))];
        terms.extend(at_first(head.get(..index).unwrap_or_default(), shape));
        terms.push(can_begin(segment, index, shape));
        terms.extend(could_stand(segments.get(index.saturating_add(1)..).unwrap_or_default(), shape));
        readings.push(all(terms));
    }
    if head.len() < segments.len() {
        let mut terms = match head.len() {
            0 => Vec::new(),
            length => vec![format!("resource.count >= {}", length.saturating_add(1))],
        };
        terms.extend(at_first(&head, shape));
        terms.extend(could_stand(segments.get(head.len()..).unwrap_or_default(), shape));
        readings.push(all(terms));
    }
    readings
}

/// Several `**` in a row mean the same as one, and take longer to evaluate.
fn normal(segments: &[Segment]) -> Vec<Segment> {
    let mut normal: Vec<Segment> = Vec::with_capacity(segments.len());
    for segment in segments {
        if *segment != Segment::AnySegments || normal.last() != Some(segment) {
            normal.push(segment.clone());
        }
    }
    normal
}

fn is_literal(segment: &Segment) -> bool {
    matches!(segment, Segment::Literal(_))
}

fn exactly(pattern: &KeyPattern, segments: &[Segment], shape: &mut Shape) -> String {
    if segments.iter().all(is_literal) {
        return format!("resource.key == {}", string(&pattern.to_string()));
    }
    let mut terms = vec![format!("resource.count == {}", segments.len())];
    terms.extend(at_first(segments, shape));
    all(terms)
}

/// `HEAD/**`.
fn below(head: &[Segment], shape: &mut Shape) -> String {
    let literals: Option<Vec<_>> = head
        .iter()
        .map(|segment| match segment {
            Segment::Literal(text) => Some(format!("{text}/")),
            Segment::Glob(_) | Segment::Claim(_) | Segment::AnySegments => None,
        })
        .collect();
    match literals.map(|literals| literals.concat()) {
        Some(folder) if folder.is_empty() => "true".to_owned(),
        Some(folder) => format!("resource.key like {}", like([Like::Text(&folder), Like::Star])),
        None => {
            let mut terms = vec![format!("resource.count >= {}", head.len().saturating_add(1))];
            terms.extend(at_first(head, shape));
            all(terms)
        }
    }
}

fn at_first(segments: &[Segment], shape: &mut Shape) -> Vec<String> {
    let place = |(index, segment): (usize, &Segment)| is(segment, &shape.at_first(index), &mut shape.claims);
    segments.iter().enumerate().map(place).collect()
}

fn at_last(segments: &[Segment], shape: &mut Shape) -> Vec<String> {
    let from_last = segments.iter().rev().enumerate();
    let place = |(index, segment): (usize, &Segment)| is(segment, &shape.at_last(index), &mut shape.claims);
    from_last.map(place).collect()
}

/// Whether the segment at an index is this one.
fn is(segment: &Segment, place: &str, claims: &mut BTreeSet<String>) -> String {
    match segment {
        Segment::Literal(text) => format!("{place} == {}", string(text)),
        Segment::Glob(parts) if parts.iter().all(String::is_empty) => format!("{place} != \"\""),
        Segment::Glob(parts) => format!("{place} like {}", glob(parts)),
        Segment::Claim(claim) => {
            claims.insert(claim.clone());
            let value = attribute("principal.claims", claim);
            format!("principal.claims has {} && {value}.segments.contains({place})", name(claim))
        }
        // Not checked: `**` does not have an index.
        Segment::AnySegments => "true".to_owned(),
    }
}

fn glob(parts: &[String]) -> String {
    let parts = parts.iter().enumerate();
    like(
        parts.flat_map(|(index, part)| {
            (index > 0).then_some(Like::Star).into_iter().chain([Like::Text(part)])
        }),
    )
}

/// The part between two `**`, as a pattern for a middle; `None` if it is not only literals.
fn float(segments: &[Segment], then_more: bool) -> Option<String> {
    let mut parts = vec![Like::Star];
    for segment in segments {
        match segment {
            Segment::Literal(text) => parts.extend([Like::Text("/"), Like::Text(text), Like::Text("/")]),
            Segment::AnySegments => parts.push(Like::Star),
            Segment::Glob(_) | Segment::Claim(_) => return None,
        }
    }
    if then_more {
        parts.extend([Like::Text("/"), Like::Star, Like::Text("/")]);
    } else {
        parts.push(Like::Star);
    }
    Some(like(parts))
}

/// Whether a segment that begins like the one at this index could be this one.
fn can_begin(segment: &Segment, index: usize, shape: &mut Shape) -> String {
    let begins = |text: &str, place: &str| {
        let ends = text.char_indices().map(|(index, _)| index).chain([text.len()]);
        let beginnings = ends.filter_map(|end| text.get(..end));
        format!("{}.contains({place})", set(beginnings))
    };
    match segment {
        Segment::Literal(text) => begins(text, &shape.at_first(index)),
        Segment::Glob(parts) => match parts.first().map(String::as_str) {
            None | Some("") => "true".to_owned(),
            Some(first) => {
                let place = shape.at_first(index);
                let more = format!("{place} like {}", like([Like::Text(first), Like::Star]));
                any(vec![begins(first, &place), more])
            }
        },
        Segment::Claim(claim) => {
            shape.claims.insert(claim.clone());
            let value = attribute("principal.claims", claim);
            let place = shape.at_first(index);
            format!("principal.claims has {} && {value}.beginnings.contains({place})", name(claim))
        }
        Segment::AnySegments => "true".to_owned(),
    }
}

/// Each must match some segment: a claim needs a value that can be a segment.
fn could_stand(segments: &[Segment], shape: &mut Shape) -> Vec<String> {
    let mut terms = Vec::new();
    for segment in segments {
        if let Segment::Claim(claim) = segment {
            shape.claims.insert(claim.clone());
            let value = attribute("principal.claims", claim);
            terms.push(format!("principal.claims has {} && !{value}.segments.isEmpty()", name(claim)));
        }
    }
    terms
}
