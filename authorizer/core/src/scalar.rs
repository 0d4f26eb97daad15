//! A value that a claim can be compared with.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A string, an integer or a boolean of the policy.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(untagged)]
pub enum Scalar {
    /// `"text"`, compared byte for byte.
    String(String),
    /// `7`.
    Integer(i64),
    /// `true`.
    Boolean(bool),
}

/// A claim equals a scalar when it is of the same JSON type and value: `"1"` is not `1`, and `1.0` is.
impl PartialEq<Value> for Scalar {
    fn eq(&self, claim: &Value) -> bool {
        match (self, claim) {
            (Self::String(expected), Value::String(actual)) => expected == actual,
            #[allow(clippy::cast_precision_loss, reason = "a double is compared as the double it is")]
            (Self::Integer(expected), Value::Number(actual)) => match actual.as_i64() {
                Some(actual) => actual == *expected,
                None => actual.is_f64() && actual.as_f64() == Some(*expected as f64),
            },
            (Self::Boolean(expected), Value::Bool(actual)) => expected == actual,
            (Self::String(_) | Self::Integer(_) | Self::Boolean(_), _) => false,
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => write!(f, "{text:?}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Boolean(truth) => write!(f, "{truth}"),
        }
    }
}
