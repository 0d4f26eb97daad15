//! Runs tests.

use authorizer_core::record::DecisionRecord;
use authorizer_core::rules::Access;
use authorizer_core::{Authorizer, Refusal, UnixTime};
use schemars::JsonSchema;
use serde::Serialize;

use super::coverage::Coverage;
use super::suite::{Case, Expected, Suite};
use crate::explain::{RuleExplanation, explain, explain_supposing, results};

/// The result of one request.
#[derive(Clone, Debug)]
pub struct TestResult {
    /// The place of the test in its file, from 0.
    pub index: usize,
    /// The name of the test, with the request if the test has several.
    pub name: String,
    /// The method.
    pub method: String,
    /// The path and the query.
    pub target: String,
    /// The expected result.
    pub expected: Expected,
    /// The decision.
    pub record: DecisionRecord<'static>,
    /// The differences from the expected result.
    pub differences: Vec<Difference>,
    /// The result of each rule for the request.
    pub rules: Vec<RuleExplanation>,
}

/// One difference from the expected result.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Difference {
    /// `decision`, `rule`, `reason` or `status`.
    pub of: &'static str,
    /// The expected value.
    pub expected: String,
    /// The actual value; `none` if there is none.
    pub actual: String,
}

impl TestResult {
    /// Whether the result is as expected.
    pub fn held(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Runs every test. Adds what the successful tests cover to `coverage`.
pub fn run(suite: &Suite, authorizer: &Authorizer, coverage: &mut Coverage) -> Vec<TestResult> {
    suite.cases.iter().map(|case| run_case(case, authorizer, coverage)).collect()
}

fn run_case(case: &Case, authorizer: &Authorizer, coverage: &mut Coverage) -> TestResult {
    let (access, result) = result_of(case, authorizer);
    if let (true, Ok(access)) = (result.held(), access) {
        coverage.note(authorizer.bundle().policy(), &access, &result.record, &case.name);
    }
    result
}

/// The result of a request, and the input of its rules.
pub(super) fn result_of<'a>(
    case: &Case,
    authorizer: &'a Authorizer,
) -> (Result<Access<'a>, Refusal>, TestResult) {
    let event = case.request.event_for(authorizer.bundle().policy());
    let now: UnixTime = case.now;
    let access = match &case.token {
        Some(token) => authorizer.access_supposing(&event, token, now),
        None => authorizer.access(&event, now),
    };
    let mut explanation = results(authorizer, &event, case.token.as_ref(), now);
    let differences = differences(&case.expected, &explanation.record);
    // Of a test that passes, nobody asks what was near.
    if !differences.is_empty() {
        explanation = match &case.token {
            Some(token) => explain_supposing(authorizer, &event, token, now),
            None => explain(authorizer, &event, now),
        };
    }
    let record = explanation.record;
    let result = TestResult {
        index: case.index,
        name: case.name.clone(),
        method: case.request.method().to_owned(),
        target: case.request.target(),
        expected: case.expected.clone(),
        record,
        differences,
        rules: explanation.rules,
    };
    (access, result)
}

fn differences(expected: &Expected, record: &DecisionRecord<'_>) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut compare = |of, expected: Option<String>, actual: Option<String>| {
        if let Some(expected) = expected
            && actual.as_ref() != Some(&expected)
        {
            differences.push(Difference { of, expected, actual: actual.unwrap_or_else(|| "none".into()) });
        }
    };
    compare("decision", Some(expected.decision.word().into()), Some(record.decision.word().into()));
    compare("rule", expected.rule.clone(), record.rule.as_deref().map(str::to_owned));
    compare("reason", expected.reason.clone(), Some(record.reason.as_ref().to_owned()));
    let text = |status: Option<u16>| status.map(|status| status.to_string());
    compare("status", text(expected.status), text(record.status));
    differences
}
