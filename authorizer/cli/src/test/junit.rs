//! Results for tools that show test results: JUnit XML.

use authorizer_analysis::testing::TestResult;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::error::TestError;
use super::outcome::Outcome;
use crate::output::line;

/// Writes a suite per file, and one for the coverage if `--min-coverage` is given.
pub(super) fn write(outcome: &Outcome) -> miette::Result<()> {
    let mut report = Report::unnamed();
    for file in &outcome.files {
        let name = file.path.to_string_lossy();
        let mut suite = TestSuite::new(&*name);
        suite.add_test_cases(file.results.iter().map(|result| one(result, &name, file.line(result))));
        report.add_test_suite(suite);
    }
    if let Some(least) = outcome.min_coverage {
        let mut suite = TestSuite::new("coverage");
        suite.add_test_case(coverage(outcome, least));
        report.add_test_suite(suite);
    }
    let xml = report.to_string().map_err(TestError::Junit)?;
    Ok(line(xml.trim_end())?)
}

fn one(result: &TestResult, file: &str, line: Option<usize>) -> TestCase {
    let status = if result.held() {
        TestCaseStatus::success()
    } else {
        let differences: Vec<_> = result
            .differences
            .iter()
            .map(|one| format!("{}: expected {}, got {}", one.of, one.expected, one.actual))
            .collect();
        let rules: Vec<_> = result
            .rules
            .iter()
            .map(|rule| {
                format!("{} {}: {}", rule.effect, rule.id, rule.mismatch.as_deref().unwrap_or("matches"))
            })
            .collect();
        let request = format!("{} {}", result.method, result.target);
        failure(differences.join("; "), [vec![request], rules].concat().join("\n"))
    };
    let mut case = TestCase::new(result.name.as_str(), status);
    case.set_classname(file);
    // The attributes by which readers of JUnit find the place.
    case.extra.insert("file".into(), file.into());
    if let Some(line) = line {
        case.extra.insert("line".into(), line.to_string().into());
    }
    case
}

fn coverage(outcome: &Outcome, least: u8) -> TestCase {
    let percent = outcome.coverage.percent();
    let status = if outcome.covers_enough() {
        TestCaseStatus::success()
    } else {
        let lines: Vec<_> = outcome
            .coverage
            .missing()
            .map(|(rule, point)| format!("{rule} {}: {}", point.field().unwrap_or_default(), point.lacking()))
            .collect();
        failure(format!("{percent} % is less than {least} %"), lines.join("\n"))
    };
    let mut case = TestCase::new(format!("at least {least} %"), status);
    case.set_classname("coverage");
    case
}

fn failure(message: String, description: String) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(message).set_description(description);
    status
}
