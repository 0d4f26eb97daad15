//! Results for programs.

use authorizer_analysis::testing::TestResult;
use authorizer_core::Bundle;
use serde_json::{Value, json};

use super::outcome::Outcome;
use crate::output::{OutputError, line};

pub(super) fn write(outcome: &Outcome, bundle: &Bundle) -> Result<(), OutputError> {
    let tests: Vec<Value> = outcome
        .files
        .iter()
        .flat_map(|file| file.results.iter().map(|result| one(result, &file.path.to_string_lossy())))
        .collect();
    let failed = outcome.failed();
    let (seen, all) = outcome.coverage.count();
    let points: Vec<Value> = outcome
        .coverage
        .points()
        .map(|(rule, point, by)| {
            json!({"rule": rule, "field": point.field(), "seen_to": point.word(), "by": by})
        })
        .collect();
    line(json!({
        "version": 1,
        "bundle_sha256": bundle.sha256(),
        "held": tests.len().saturating_sub(failed),
        "failed": failed,
        "tests": tests,
        "coverage": {
            "percent": outcome.coverage.percent(), "seen": seen, "of": all, "least": outcome.min_coverage,
            "points": points,
        },
    }))
}

fn one(result: &TestResult, file: &str) -> Value {
    json!({
        "file": file,
        "name": result.name,
        "method": result.method,
        "target": result.target,
        "held": result.held(),
        "differences": result.differences,
        "decision": result.record.decision,
        "rule": result.record.rule,
        "reason": result.record.reason,
        "status": result.record.status,
        "rules": result.rules,
    })
}
