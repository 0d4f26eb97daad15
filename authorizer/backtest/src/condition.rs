//! Whether a condition on a claim follows from other conditions that hold.

use authorizer_core::Scalar;
use authorizer_core::rules::{ClaimTest, Condition};
use serde_json::{Number, Value};

use super::facts::{Caller, Facts, TokenSubject};
use super::holds::Holds;
use super::missing::ClaimNames;

/// Whether the condition holds. `more` are conditions that hold in addition to those in the facts.
pub(super) fn holds(
    condition: &Condition,
    facts: &Facts<'_>,
    more: &[Condition],
    names: &ClaimNames,
) -> Holds {
    if facts.who == Caller::Anonymous {
        return Holds::known(condition.holds(None));
    }
    if let Caller::Holder { subject, .. } = &facts.who
        && condition.claim == "sub"
        && let Some(holds) = of_subject(&condition.test, subject)
    {
        return Holds::known(holds);
    }
    if let Some(holds) = facts.hashed.and_then(|hashed| hashed.holds(condition)) {
        return Holds::known(holds);
    }
    let about_it = facts.held.iter().chain(more).filter(|held| held.claim == condition.claim);
    match about_it.into_iter().find_map(|held| follows(&held.test, condition)) {
        Some(holds) => Holds::known(holds),
        None => Holds::Open(names.missing(&condition.claim)),
    }
}

/// What a test makes of a subject that is there, and so a string.
fn of_subject(test: &ClaimTest, subject: &TokenSubject<'_>) -> Option<bool> {
    if *subject == TokenSubject::Unknown {
        return None;
    }
    let is = |scalar: &Scalar| match scalar {
        Scalar::String(text) => subject.is(text),
        Scalar::Integer(_) | Scalar::Boolean(_) => Some(false),
    };
    match (test, subject) {
        (_, TokenSubject::Text(text)) => {
            let condition = Condition { claim: String::new(), test: test.clone() };
            Some(condition.holds(Some(&Value::String((*text).to_owned()))))
        }
        (ClaimTest::Present(expected), _) => Some(*expected),
        (ClaimTest::Equals(scalar), _) => is(scalar),
        (ClaimTest::Any(scalars), _) => Some(scalars.iter().any(|scalar| is(scalar) == Some(true))),
        (ClaimTest::StartsWith(_), _) => None,
        // It may be one of several words.
        (ClaimTest::Has(word), _) => (!word.contains(' ') && subject.is(word) == Some(true)).then_some(true),
    }
}

/// What a passed test on a claim implies for a condition on the same claim.
fn follows(held: &ClaimTest, condition: &Condition) -> Option<bool> {
    match held {
        ClaimTest::Equals(scalar) => all_alike(values(scalar).map(|value| condition.holds(Some(&value)))),
        ClaimTest::Any(scalars) => {
            all_alike(scalars.iter().flat_map(values).map(|value| condition.holds(Some(&value))))
        }
        ClaimTest::Present(false) => all_alike([None, Some(&Value::Null)].map(|none| condition.holds(none))),
        ClaimTest::Present(true) => match &condition.test {
            ClaimTest::Present(expected) => Some(*expected),
            ClaimTest::Equals(_) | ClaimTest::Any(_) | ClaimTest::Has(_) | ClaimTest::StartsWith(_) => None,
        },
        ClaimTest::StartsWith(beginning) => of_text_with(beginning, &condition.test),
        ClaimTest::Has(word) => match &condition.test {
            ClaimTest::Present(expected) => Some(*expected),
            ClaimTest::Has(other) => (other == word).then_some(true),
            ClaimTest::Equals(scalar) => (!may_have(scalar, held)).then_some(false),
            ClaimTest::Any(scalars) => {
                (!scalars.iter().any(|scalar| may_have(scalar, held))).then_some(false)
            }
            // It may be an array.
            ClaimTest::StartsWith(_) => None,
        },
    }
}

/// What a text that begins like this implies for a test.
fn of_text_with(beginning: &str, test: &ClaimTest) -> Option<bool> {
    let may_be = |scalar: &Scalar| matches!(scalar, Scalar::String(text) if text.starts_with(beginning));
    match test {
        ClaimTest::Present(expected) => Some(*expected),
        ClaimTest::Equals(scalar) => (!may_be(scalar)).then_some(false),
        ClaimTest::Any(scalars) => (!scalars.iter().any(may_be)).then_some(false),
        ClaimTest::StartsWith(other) if beginning.starts_with(other.as_str()) => Some(true),
        ClaimTest::StartsWith(other) => (!other.starts_with(beginning)).then_some(false),
        // No word of a text has a space. The last word of the beginning may go on.
        ClaimTest::Has(word) if word.contains(' ') => Some(false),
        ClaimTest::Has(word) => {
            let (whole, _) = beginning.rsplit_once(' ')?;
            whole.split(' ').any(|one| one == word).then_some(true)
        }
    }
}

/// The JSON values that equal a scalar: an integer also equals the double that is nearest to it.
fn values(scalar: &Scalar) -> impl Iterator<Item = Value> {
    let (exact, double) = match scalar {
        Scalar::String(text) => (Value::String(text.clone()), None),
        Scalar::Boolean(truth) => (Value::Bool(*truth), None),
        #[allow(clippy::cast_precision_loss, reason = "it is compared as the double that it is nearest to")]
        Scalar::Integer(number) => {
            (Value::from(*number), Number::from_f64(*number as f64).map(Value::Number))
        }
    };
    [exact].into_iter().chain(double)
}

/// Whether a claim with this value can have the word.
fn may_have(scalar: &Scalar, has: &ClaimTest) -> bool {
    let condition = Condition { claim: String::new(), test: has.clone() };
    values(scalar).any(|value| condition.holds(Some(&value)))
}

fn all_alike(answers: impl IntoIterator<Item = bool>) -> Option<bool> {
    let mut answers = answers.into_iter();
    let first = answers.next()?;
    answers.all(|answer| answer == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn test() -> impl Strategy<Value = ClaimTest> {
        let scalar = prop_oneof![
            "(a|b|a b)".prop_map(Scalar::String),
            prop_oneof![Just(1), Just(2), Just(9_007_199_254_740_992), Just(9_007_199_254_740_993)]
                .prop_map(Scalar::Integer),
            any::<bool>().prop_map(Scalar::Boolean),
        ];
        prop_oneof![
            scalar.clone().prop_map(ClaimTest::Equals),
            prop::collection::vec(scalar, 0..3).prop_map(ClaimTest::Any),
            "(a|b|a b)".prop_map(ClaimTest::Has),
            "(a|b|a b|b a |a b a)".prop_map(ClaimTest::StartsWith),
            any::<bool>().prop_map(ClaimTest::Present),
        ]
    }

    fn claim() -> impl Strategy<Value = Option<Value>> {
        let values = [
            None,
            Some(json!(null)),
            Some(json!("a")),
            Some(json!("b")),
            Some(json!("a b")),
            Some(json!("a b a")),
            Some(json!("b a ")),
            Some(json!("b a b")),
            Some(json!("ab")),
            Some(json!("")),
            Some(json!(["a"])),
            Some(json!(["a b", "b"])),
            Some(json!([])),
            Some(json!(1)),
            Some(json!(1.0)),
            Some(json!(2)),
            Some(json!(9_007_199_254_740_992i64)),
            Some(json!(9_007_199_254_740_993i64)),
            Some(json!(9_007_199_254_740_992.0)),
            Some(json!(true)),
            Some(json!({})),
        ];
        prop::sample::select(values.to_vec())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn what_follows_from_a_condition_that_holds_is_so(held in test(), asked in test(), claim in claim()) {
            let of = |test: &ClaimTest| Condition { claim: "c".into(), test: test.clone() };
            if of(&held).holds(claim.as_ref())
                && let Some(follows) = follows(&held, &of(&asked))
            {
                prop_assert_eq!(follows, of(&asked).holds(claim.as_ref()));
            }
        }

        #[test]
        fn a_condition_follows_from_itself(held in test()) {
            let condition = Condition { claim: "c".into(), test: held.clone() };
            // An absent value implies nothing, and no value passes that test.
            let is_empty = matches!(&held, ClaimTest::Any(scalars) if scalars.is_empty());
            prop_assert!(is_empty || follows(&held, &condition) == Some(true) || has_a_double(&held));
        }
    }

    /// Two integers can be nearest to the same double.
    fn has_a_double(test: &ClaimTest) -> bool {
        let is_large = |scalar: &Scalar| matches!(scalar, Scalar::Integer(number) if *number > 1 << 52);
        match test {
            ClaimTest::Equals(scalar) => is_large(scalar),
            ClaimTest::Any(scalars) => scalars.iter().any(is_large),
            ClaimTest::Has(_) | ClaimTest::StartsWith(_) | ClaimTest::Present(_) => false,
        }
    }

    #[test]
    fn a_subject_is_told_by_its_digest() {
        let digest = authorizer_core::record::sha256_hex(b"i\nalice");
        let subject = TokenSubject::Digest { digest: &digest, iss: "i" };
        let string = |text: &str| Scalar::String(text.into());
        for (test, holds) in [
            (ClaimTest::Equals(string("alice")), Some(true)),
            (ClaimTest::Equals(string("bob")), Some(false)),
            (ClaimTest::Equals(Scalar::Integer(1)), Some(false)),
            (ClaimTest::Any(vec![string("bob"), string("alice")]), Some(true)),
            (ClaimTest::Any(vec![]), Some(false)),
            (ClaimTest::Present(true), Some(true)),
            (ClaimTest::Present(false), Some(false)),
            (ClaimTest::Has("alice".into()), Some(true)),
            (ClaimTest::Has("bob".into()), None),
            (ClaimTest::StartsWith("al".into()), None),
        ] {
            assert_eq!(of_subject(&test, &subject), holds, "{test:?}");
        }
    }
}
