//! Conditions on a claim.

use serde_json::Value;

use crate::scalar::Scalar;
use crate::token::SCOPE_CLAIMS;

/// A condition of a rule on one claim.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Condition {
    /// The name of the claim, a member of the claims set.
    pub claim: String,
    /// The test on the claim.
    pub test: ClaimTest,
}

/// The tests on a claim. Each is exact and decidable; there are no patterns here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ClaimTest {
    /// `equals`: the claim is this value.
    Equals(Scalar),
    /// `any`: the claim is one of these values.
    Any(Vec<Scalar>),
    /// `has`: the text is a member of the claim. The claim is a string of words separated by spaces (as `scope` is,
    /// RFC 8693 section 4.2) or an array.
    Has(String),
    /// `starts_with`: the claim is a string that begins with this text. An array does not pass, as with `equals`.
    StartsWith(String),
    /// `present`: whether the claim is there and not null.
    Present(bool),
}

impl Condition {
    /// Whether the value of the claim passes.
    pub fn holds(&self, claim: Option<&Value>) -> bool {
        match (&self.test, claim) {
            (ClaimTest::Present(expected), claim) => *expected == claim.is_some_and(|claim| !claim.is_null()),
            (_, None) => false,
            (ClaimTest::Equals(expected), Some(claim)) => expected == claim,
            (ClaimTest::Any(expected), Some(claim)) => expected.iter().any(|one| one == claim),
            (ClaimTest::Has(word), Some(Value::String(words))) => words.split(' ').any(|one| one == word),
            (ClaimTest::Has(word), Some(Value::Array(members))) => {
                members.iter().any(|member| member == word.as_str())
            }
            (ClaimTest::StartsWith(beginning), Some(Value::String(text))) => {
                text.starts_with(beginning.as_str())
            }
            (ClaimTest::Has(_) | ClaimTest::StartsWith(_), Some(_)) => false,
        }
    }

    /// The scope that would make it pass, if it tests a scope.
    pub fn scope(&self) -> Option<&str> {
        match &self.test {
            ClaimTest::Has(scope) if is_scope_claim(&self.claim) => Some(scope),
            ClaimTest::Has(_)
            | ClaimTest::Equals(_)
            | ClaimTest::Any(_)
            | ClaimTest::StartsWith(_)
            | ClaimTest::Present(_) => None,
        }
    }
}

/// Whether the claim contains scopes.
pub(crate) fn is_scope_claim(name: &str) -> bool {
    SCOPE_CLAIMS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_test_holds_for_exactly_what_it_names() {
        let string = |text: &str| Scalar::String(text.into());
        for (test, yes, no) in [
            (
                ClaimTest::Equals(string("a")),
                vec![json!("a")],
                vec![json!("A"), json!(["a"]), json!(1), json!(null)],
            ),
            (
                ClaimTest::Equals(Scalar::Integer(1)),
                vec![json!(1), json!(1.0)],
                vec![json!("1"), json!(1.5), json!(true)],
            ),
            (ClaimTest::Equals(Scalar::Boolean(true)), vec![json!(true)], vec![json!("true"), json!(1)]),
            (
                ClaimTest::Any(vec![string("a"), Scalar::Integer(2)]),
                vec![json!("a"), json!(2)],
                vec![json!("b"), json!(["a"]), json!("2")],
            ),
            (
                ClaimTest::Has("files".into()),
                vec![json!("files"), json!("a files b"), json!(["files"])],
                vec![
                    json!("filesystem"),
                    json!("a,files"),
                    json!("a\tfiles"),
                    json!({"files": 1}),
                    json!([["files"]]),
                ],
            ),
            (
                ClaimTest::Has("Domain Users".into()),
                vec![json!(["Domain Users"]), json!(["a", "Domain Users"])],
                vec![
                    json!("Domain Users"),
                    json!("a Domain Users b"),
                    json!(["Domain", "Users"]),
                    json!(["Domain Users "]),
                    json!(["Domain  Users"]),
                    json!([["Domain Users"]]),
                ],
            ),
            (
                ClaimTest::StartsWith("repo:octo/site:".into()),
                vec![json!("repo:octo/site:"), json!("repo:octo/site:ref:refs/heads/main")],
                vec![
                    json!("repo:octo/site"),
                    json!("repo:octo/site2:ref:refs/heads/main"),
                    json!("Repo:octo/site:x"),
                    json!("x repo:octo/site:x"),
                    json!(["repo:octo/site:x"]),
                    json!({"repo:octo/site:": 1}),
                    json!(null),
                ],
            ),
            (ClaimTest::Present(true), vec![json!(""), json!(false), json!([])], vec![json!(null)]),
            (ClaimTest::Present(false), vec![json!(null)], vec![json!(0)]),
        ] {
            let condition = Condition { claim: "c".into(), test };
            for claim in yes {
                assert!(condition.holds(Some(&claim)), "{condition:?} should hold for {claim}");
            }
            for claim in no {
                assert!(!condition.holds(Some(&claim)), "{condition:?} should not hold for {claim}");
            }
            assert_eq!(condition.holds(None), condition.test == ClaimTest::Present(false));
        }
    }
}
