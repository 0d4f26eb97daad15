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

/// From here on, a number with a fraction or an exponent is not compared with an integer. From 2^53 on, a double stands
/// for several integers (RFC 8259 section 6); and the reader of JSON may be off by one and a half places, which is less
/// than the distance to the next integer below 2^52.
const MAX_EXACT: u64 = 1 << 52;

/// A claim equals a scalar when it is of the same JSON type and value: `"1"` is not `1`, and `1.0` is. An integer that a
/// double cannot tell from its neighbour equals only an integer.
impl PartialEq<Value> for Scalar {
    fn eq(&self, claim: &Value) -> bool {
        match (self, claim) {
            (Self::String(expected), Value::String(actual)) => expected == actual,
            #[allow(clippy::cast_precision_loss, reason = "below 2^52, every integer is a double")]
            (Self::Integer(expected), Value::Number(actual)) => match actual.as_i64() {
                Some(actual) => actual == *expected,
                None => {
                    expected.unsigned_abs() < MAX_EXACT
                        && actual.is_f64()
                        && actual.as_f64() == Some(*expected as f64)
                }
            },
            (Self::Boolean(expected), Value::Bool(actual)) => expected == actual,
            (Self::String(_) | Self::Integer(_) | Self::Boolean(_), _) => false,
        }
    }
}

impl Scalar {
    /// The only scalar that a claim equals; `None` if it equals none.
    pub fn of_claim(claim: &Value) -> Option<Self> {
        match claim {
            Value::String(text) => Some(Self::String(text.clone())),
            Value::Bool(truth) => Some(Self::Boolean(*truth)),
            Value::Number(number) => {
                let scalar = Self::Integer(number.as_i64().or_else(|| whole(number.as_f64()?))?);
                (scalar == *claim).then_some(scalar)
            }
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// A double as an integer, if it is one that is compared with integers.
fn whole(double: f64) -> Option<i64> {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "below 2^52, every integer is a double"
    )]
    (double.fract() == 0.0 && double.abs() < MAX_EXACT as f64).then_some(double as i64)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_claim_equals_exactly_the_scalar_that_it_is() {
        let numbers = [0, 1, -1, 7, 1 << 51, (1 << 52) - 1, 1 << 52, (1 << 53) + 1, i64::MAX, i64::MIN];
        let scalars: Vec<Scalar> = numbers
            .map(Scalar::Integer)
            .into_iter()
            .chain(["", "a", "7", "true"].map(|text| Scalar::String(text.into())))
            .chain([true, false].map(Scalar::Boolean))
            .collect();
        let written = numbers.iter().flat_map(|number| [format!("{number}"), format!("{number}.0")]);
        let others = [
            "null",
            "[]",
            "{}",
            "[\"a\"]",
            "7.5",
            "1e300",
            "-0.0",
            "18446744073709551615",
            "9223372036854775808",
        ];
        let texts = ["\"\"", "\"a\"", "\"7\"", "\"true\"", "true", "false"];
        for text in written.chain(others.iter().chain(&texts).map(ToString::to_string)) {
            let claim = claim(&text);
            let only = Scalar::of_claim(&claim);
            assert!(only.as_ref().is_none_or(|only| *only == claim), "{text}");
            for scalar in &scalars {
                assert_eq!(*scalar == claim, Some(scalar) == only.as_ref(), "{text} {scalar}");
            }
        }
    }

    #[test]
    fn an_integer_beyond_what_a_double_holds_equals_only_itself() {
        for (expected, yes, no) in [
            (7, vec!["7", "7.0", "70e-1"], vec!["8", "7.5", "\"7\"", "-7", "1e300"]),
            (
                900_719_925_474_099,
                vec!["900719925474099", "900719925474099.0", "9007199254740990e-1"],
                vec!["900719925474098.0", "900719925474100.0", "900719925474099.5"],
            ),
            (
                4_503_599_627_370_495,
                vec!["4503599627370495"],
                vec!["4503599627370496", "4503599627370494.0", "4503599627370496.0", "4503599627370493.0"],
            ),
            (
                9_007_199_254_740_990,
                vec!["9007199254740990"],
                vec!["9007199254740991", "9007199254740991.0", "9007199254740990.0"],
            ),
            (
                9_007_199_254_740_992,
                vec!["9007199254740992"],
                vec!["9007199254740993", "9007199254740992.0", "9007199254740993.0", "9.007199254740992e15"],
            ),
            (
                9_007_199_254_740_993,
                vec!["9007199254740993"],
                vec!["9007199254740992", "9007199254740994", "9007199254740992.0", "9007199254740993.0"],
            ),
            (
                -9_007_199_254_740_993,
                vec!["-9007199254740993"],
                vec!["-9007199254740992", "-9007199254740992.0", "9007199254740993"],
            ),
            (
                i64::MAX,
                vec!["9223372036854775807"],
                vec![
                    "9223372036854775808",
                    "9223372036854775807.0",
                    "9.223372036854775807e18",
                    "18446744073709551616",
                ],
            ),
            (i64::MIN, vec!["-9223372036854775808"], vec!["-9223372036854775809", "-9223372036854775808.0"]),
        ] {
            for text in yes {
                assert_eq!(Scalar::Integer(expected), claim(text), "{expected} {text}");
            }
            for text in no {
                assert_ne!(Scalar::Integer(expected), claim(text), "{expected} {text}");
            }
        }
    }
}
