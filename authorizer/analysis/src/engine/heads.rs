//! A quick check for rules that cannot match the same request. It decides most pairs of a long policy.

use authorizer_core::operation::S3Operation;
use authorizer_core::rules::{Claims, Effect, KeyPattern, Rule, Segment};

/// Whether the two rules might match the same request for the operation. "Yes" may be wrong, "no" is not.
pub fn could_overlap(one: &Rule, other: &Rule, operation: S3Operation) -> bool {
    if !one.operations().contains(operation) || !other.operations().contains(operation) {
        return false;
    }
    // A short prefix touches the keys of both, wherever they are.
    let is_of_listings =
        operation.is_listing() && one.effect() == Effect::Deny && other.effect() == Effect::Deny;
    is_of_listings || one.keys().iter().any(|one| other.keys().iter().any(|other| heads_agree(one, other)))
}

/// Whether no segment before the first `**` keeps the patterns apart. "Yes" may be wrong, "no" is not.
pub fn heads_agree(one: &KeyPattern, other: &KeyPattern) -> bool {
    for (one, other) in one.segments().iter().zip(other.segments()) {
        match (one, other) {
            (Segment::AnySegments, _) | (_, Segment::AnySegments) => return true,
            (Segment::Literal(text), Segment::Literal(_) | Segment::Glob(_)) => {
                if !other.matches(text, Claims::None) {
                    return false;
                }
            }
            (Segment::Glob(_), Segment::Literal(text)) => {
                if !one.matches(text, Claims::None) {
                    return false;
                }
            }
            (Segment::Literal(_) | Segment::Glob(_) | Segment::Claim(_), _) => {}
        }
    }
    true
}
