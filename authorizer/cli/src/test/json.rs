//! Results for programs.

use std::collections::BTreeMap;

use authorizer_analysis::testing::{Suggested, TestResult};
use authorizer_core::Bundle;
use serde_json::{Value, json};

use super::entry::toml_of;
use super::outcome::Outcome;
use crate::output::{OutputError, line};

pub(super) fn write(outcome: &Outcome, bundle: &Bundle) -> Result<(), OutputError> {
    let tests: Vec<Value> = outcome
        .files
        .iter()
        .flat_map(|file| {
            file.results.iter().map(|result| one(result, &file.path.to_string_lossy(), file.line(result)))
        })
        .collect();
    let failed = outcome.failed();
    let (seen, all) = outcome.coverage.count();
    let lacking: BTreeMap<_, _> =
        outcome.lacking.iter().map(|one| ((one.rule.as_str(), &one.point), &one.what)).collect();
    let points: Vec<Value> = outcome
        .coverage
        .points()
        .map(|(rule, point, by)| {
            let mut shown = json!({"rule": rule, "field": point.field(), "seen_to": point.word(), "by": by});
            if let (Some(what), Some(members)) = (lacking.get(&(rule, point)), shown.as_object_mut()) {
                let (name, value) = suggested(what);
                members.insert(name.to_owned(), value);
            }
            shown
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

/// What can be done about a point that no test covers.
fn suggested(what: &Suggested) -> (&'static str, Value) {
    match what {
        Suggested::Test(test) => ("test", toml_of(test).into()),
        Suggested::Covered => ("covered_with_the_others", true.into()),
        Suggested::Nothing => ("reachable", false.into()),
        Suggested::Unwritable => ("writable", false.into()),
        Suggested::NotDecided => ("decided", false.into()),
    }
}

fn one(result: &TestResult, file: &str, line: Option<usize>) -> Value {
    json!({
        "file": file,
        "line": line,
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
