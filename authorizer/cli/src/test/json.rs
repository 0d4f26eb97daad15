//! Results for programs.

use std::borrow::Cow;
use std::collections::BTreeMap;

use authorizer_analysis::RuleExplanation;
use authorizer_analysis::testing::{Difference, Suggested, TestResult};
use authorizer_core::Bundle;
use authorizer_core::record::Verdict;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::entry::toml_of;
use super::outcome::Outcome;
use crate::output::{OutputError, line};

/// What `test --format json` says.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(title = "`authorizer test --format json`")]
pub(crate) struct Document<'t> {
    /// The version of this format.
    #[schemars(extend("const" = 1))]
    version: u32,
    /// The SHA-256 of the bundle, in hexadecimal.
    bundle_sha256: &'t str,
    /// How many tests held.
    held: usize,
    /// How many tests failed.
    failed: usize,
    /// The result of each test, of one request each.
    tests: Vec<ShownTest<'t>>,
    /// What the tests cover.
    coverage: ShownCoverage<'t>,
}

/// The result of one test.
#[derive(Debug, JsonSchema, Serialize)]
struct ShownTest<'t> {
    /// The tests file, as it was named.
    file: Cow<'t, str>,
    /// The line of the test in it, from 1, if it is known.
    line: Option<usize>,
    /// The name of the test, with the request if the test has several.
    name: &'t str,
    /// The method.
    method: &'t str,
    /// The path and the query.
    target: &'t str,
    /// Whether the result is the expected one.
    held: bool,
    /// What is not as expected.
    differences: &'t [Difference],
    /// The decision.
    decision: Verdict,
    /// The id of the rule that decided, if one did.
    rule: Option<&'t str>,
    /// `allowed_by_rule`, `preflight_...`, or why it was refused.
    reason: &'t str,
    /// The status of the function's own answer, if it answered.
    status: Option<u16>,
    /// The result of each rule, in the order of the policy.
    rules: &'t [RuleExplanation],
}

/// What the tests cover.
#[derive(Debug, JsonSchema, Serialize)]
struct ShownCoverage<'t> {
    /// The points that some test covers, in percent of all, rounded down.
    percent: u8,
    /// How many points some test covers.
    seen: usize,
    /// How many points there are.
    of: usize,
    /// The percentage that `--min-coverage` asks for.
    least: Option<u8>,
    /// Each point.
    points: Vec<ShownPoint<'t>>,
}

/// Something that a test can cover.
#[derive(Debug, JsonSchema, Serialize)]
struct ShownPoint<'t> {
    /// The id of the rule.
    rule: &'t str,
    /// The part of the rule; `null` for the rule itself.
    field: Option<String>,
    /// What was to be seen: `decides`, `holds` or `fails`.
    seen_to: &'static str,
    /// The name of the first test that covers it.
    by: Option<&'t str>,
    #[serde(flatten)]
    remedy: Remedy,
}

/// What can be done about a point that no test covers: one of these.
#[derive(Debug, Default, JsonSchema, Serialize)]
struct Remedy {
    /// A `[[tests]]` entry that covers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<String>,
    /// `true`: the entries of other points cover it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    covered_with_the_others: Option<bool>,
    /// `false`: no request can show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reachable: Option<bool>,
    /// `false`: a tests file cannot say such a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    writable: Option<bool>,
    /// `false`: the analysis did not finish.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided: Option<bool>,
}

impl Remedy {
    fn of(what: &Suggested) -> Self {
        let none = Self::default();
        match what {
            Suggested::Test(test) => Self { test: Some(toml_of(test)), ..none },
            Suggested::Covered => Self { covered_with_the_others: Some(true), ..none },
            Suggested::Nothing => Self { reachable: Some(false), ..none },
            Suggested::Unwritable => Self { writable: Some(false), ..none },
            Suggested::NotDecided => Self { decided: Some(false), ..none },
        }
    }
}

pub(super) fn write(outcome: &Outcome, bundle: &Bundle) -> Result<(), OutputError> {
    let of_file = outcome.files.iter().flat_map(|file| file.results.iter().map(move |result| (file, result)));
    let tests: Vec<ShownTest<'_>> = of_file
        .map(|(file, result)| ShownTest::of(result, file.path.to_string_lossy(), file.line(result)))
        .collect();
    let failed = outcome.failed();
    let (seen, of) = outcome.coverage.count();
    let lacking: BTreeMap<_, _> =
        outcome.lacking.iter().map(|one| ((one.rule.as_str(), &one.point), &one.what)).collect();
    let points = outcome.coverage.points().map(|(rule, point, by)| ShownPoint {
        rule,
        field: point.field(),
        seen_to: point.word(),
        by,
        remedy: lacking.get(&(rule, point)).map(|what| Remedy::of(what)).unwrap_or_default(),
    });
    line(json!(Document {
        version: 1,
        bundle_sha256: bundle.sha256(),
        held: tests.len().saturating_sub(failed),
        failed,
        tests,
        coverage: ShownCoverage {
            percent: outcome.coverage.percent(),
            seen,
            of,
            least: outcome.min_coverage,
            points: points.collect(),
        },
    }))
}

impl<'t> ShownTest<'t> {
    fn of(result: &'t TestResult, file: Cow<'t, str>, line: Option<usize>) -> Self {
        Self {
            file,
            line,
            name: &result.name,
            method: &result.method,
            target: &result.target,
            held: result.held(),
            differences: &result.differences,
            decision: result.record.decision,
            rule: result.record.rule.as_deref(),
            reason: &result.record.reason,
            status: result.record.status,
            rules: &result.rules,
        }
    }
}
