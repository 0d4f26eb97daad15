//! The claims that rules are held against.

use serde_json::{Map, Value};

/// What is known of the claims.
#[derive(Clone, Copy, Debug)]
pub enum Claims<'c> {
    /// There is no token, so there are none.
    None,
    /// These, of a token that verified.
    Known(&'c Map<String, Value>),
    /// Nothing is known yet: they could be anything. So a preflight is answered.
    Unknown,
}

impl<'c> Claims<'c> {
    /// A claim that is known.
    pub fn get(self, name: &str) -> Option<&'c Value> {
        match self {
            Self::Known(claims) => claims.get(name),
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
