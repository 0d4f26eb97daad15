//! The claims that rules are checked against.

use std::collections::BinaryHeap;

use serde_json::{Map, Value};

use crate::claim_name;

/// What is known about the claims.
#[derive(Clone, Copy, Debug)]
pub enum Claims<'c> {
    /// The request does not have a token, so it does not have claims.
    None,
    /// The claims of a token that verified.
    Known(&'c Map<String, Value>),
    /// Nothing is known yet: the claims could have any value. A preflight is answered like this.
    Unknown,
}

impl<'c> Claims<'c> {
    /// A claim that is known, by its [name](crate::claim_name).
    pub fn get(self, name: &str) -> Option<&'c Value> {
        match self {
            Self::Known(claims) => claim_name::find(claims, name),
            Self::None | Self::Unknown => None,
        }
    }

    /// Whether a `{claim}` could stand for a text that passes the test: a string, or a string in an array.
    pub(super) fn could(self, name: &str, test: impl Fn(&str) -> bool) -> bool {
        match (self, self.get(name)) {
            (Self::Unknown, _) => true,
            (_, Some(Value::String(value))) => test(value),
            (_, Some(Value::Array(values))) => values.iter().filter_map(Value::as_str).any(test),
            (Self::None | Self::Known(_), _) => false,
        }
    }
}

/// Whether the claim is a number in every token that verifies and has it (RFC 7519 sections 4.1.4 to 4.1.6). So no key
/// and no metadata can be equal to it.
pub fn is_numeric_date(claim: &str) -> bool {
    matches!(claim, "exp" | "nbf" | "iat")
}

/// Whether a claim's value can be a segment of a key at all.
pub(super) fn is_segment(value: &str) -> bool {
    !matches!(value, "" | "." | "..") && !value.contains('/')
}

/// The segments of a key that a `{claim}` can stand for. An array may have thousands of members, and is checked
/// against each segment of a key, so it is read and sorted once.
pub(super) enum ClaimSegments<'c> {
    /// Any segment: the claims are not known yet.
    Any,
    /// This segment, of a claim that is a string.
    This(&'c str),
    /// These segments, sorted.
    These(Vec<&'c str>),
}

impl<'c> ClaimSegments<'c> {
    pub(super) fn of(claims: Claims<'c>, name: &str) -> Self {
        let mut these = Vec::new();
        match (claims, claims.get(name)) {
            (Claims::Unknown, _) => return Self::Any,
            (Claims::None | Claims::Known(_), Some(Value::String(value))) if is_segment(value) => {
                return Self::This(value);
            }
            (Claims::None | Claims::Known(_), Some(Value::Array(values))) => {
                these.extend(values.iter().filter_map(Value::as_str));
            }
            (Claims::None | Claims::Known(_), _) => {}
        }
        these.retain(|value| is_segment(value));
        // With a heap, whose code is a tenth of that of `sort`.
        Self::These(BinaryHeap::from(these).into_sorted_vec())
    }

    /// Whether it can stand for this segment.
    pub(super) fn contain(&self, segment: &str) -> bool {
        match self {
            Self::Any => !segment.is_empty(),
            Self::This(this) => *this == segment,
            Self::These(these) => these.binary_search(&segment).is_ok(),
        }
    }

    /// Whether it can stand for a segment that begins with this text.
    pub(super) fn contain_one_with(&self, beginning: &str) -> bool {
        match self {
            Self::Any => true,
            Self::This(this) => this.starts_with(beginning),
            Self::These(these) => these
                .get(these.partition_point(|one| *one < beginning))
                .is_some_and(|one| one.starts_with(beginning)),
        }
    }
}
