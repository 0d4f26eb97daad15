//! Results for people.

use authorizer_analysis::testing::TestResult;
use owo_colors::OwoColorize as _;

use super::outcome::Outcome;
use crate::output::{OutputError, line};

/// Writes the tests that failed, with the result of each rule. Of the others, writes only the number, unless `verbose`.
pub(super) fn write(outcome: &Outcome, verbose: bool) -> Result<(), OutputError> {
    for result in outcome.results() {
        if !result.held() {
            write_failure(result)?;
        } else if verbose {
            line(format_args!("{} {}", "passed".green(), shown(&result.name)))?;
        }
    }
    let all = outcome.results().count();
    let failed = outcome.failed();
    let s = if all == 1 { "" } else { "s" };
    line(format_args!("{all} request{s}: {} passed, {failed} failed", all.saturating_sub(failed)))?;
    let (seen, points) = outcome.coverage.count();
    line(format_args!("coverage {} %: {seen} of {points}", outcome.coverage.percent()))?;
    let short = !outcome.covers_enough();
    if let (true, Some(least)) = (short, outcome.min_coverage) {
        line(format_args!("{} is less than the required {least} %", "this".red()))?;
    }
    if (verbose || short) && seen < points {
        line("not covered:")?;
        for (rule, point) in outcome.coverage.missing() {
            let lacking = point.lacking();
            let field = point.field().map(|field| format!(" {field}")).unwrap_or_default();
            line(format_args!("  {rule}{}: {lacking}", shown(&field)))?;
        }
    }
    Ok(())
}

fn write_failure(result: &TestResult) -> Result<(), OutputError> {
    line(format_args!("{} {}", "failed".red(), shown(&result.name)))?;
    line(format_args!("  {} {}", shown(&result.method), shown(&result.target)))?;
    for difference in &result.differences {
        let (expected, actual) = (&difference.expected, &difference.actual);
        line(format_args!("  {}: expected {}, got {actual}", difference.of, shown(expected)))?;
    }
    let record = &result.record;
    let rule = record.rule.as_deref().map(|rule| format!(" {rule}")).unwrap_or_default();
    line(format_args!("  decided: {} {}{rule}", record.decision.word(), record.reason))?;
    for rule in &result.rules {
        let why = rule.mismatch.as_deref().unwrap_or("matches");
        line(format_args!("    {:5} {}  {}", rule.effect, rule.id, why.dimmed()))?;
    }
    Ok(())
}

/// Text from the author of the tests, in which control characters are escaped for the terminal.
fn shown(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_debug().collect() } else { vec![c] }).collect()
}
