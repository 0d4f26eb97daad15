//! Results for people.

use authorizer_analysis::testing::{Suggested, Suggestion, TestResult};
use owo_colors::OwoColorize as _;

use super::entry::toml_of;
use super::outcome::{FileResults, Outcome};
use crate::output::{OutputError, line};

/// Writes the tests that failed, with the result of each rule. Of the others, writes only the number, unless `verbose`.
pub(super) fn write(outcome: &Outcome, verbose: bool) -> Result<(), OutputError> {
    for (file, result) in
        outcome.files.iter().flat_map(|file| file.results.iter().map(move |one| (file, one)))
    {
        if !result.held() {
            write_failure(result, file)?;
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
    write_lacking(outcome)
}

/// Writes what no request covers, and then the tests that are missing. Nothing but TOML follows the first of them.
fn write_lacking(outcome: &Outcome) -> Result<(), OutputError> {
    let kinds = [
        (
            Suggested::Nothing,
            "no request can cover these: this part of the policy does nothing, or nothing alone",
        ),
        (Suggested::NotDecided, "not decided within the budget; add the tests below, and run this again"),
        (Suggested::Unwritable, "a test cannot say the request for these beside the file's `[defaults]`"),
    ];
    for (kind, heading) in kinds {
        let mut of_kind = outcome.lacking.iter().filter(|one| one.what == kind).peekable();
        if of_kind.peek().is_some() {
            line(format_args!("{heading}:"))?;
        }
        for Suggestion { rule, point, .. } in of_kind {
            let field = point.field().map(|field| format!(" {}", shown(&field))).unwrap_or_default();
            line(format_args!("  {rule}{field}: {}", point.word()))?;
        }
    }
    let tests = outcome.lacking.iter().filter_map(|one| match &one.what {
        Suggested::Test(test) => Some(test),
        Suggested::Covered | Suggested::Nothing | Suggested::Unwritable | Suggested::NotDecided => None,
    });
    let mut tests = tests.peekable();
    if let (Some(_), Some(file)) = (tests.peek(), outcome.files.last()) {
        let file = shown(&file.path.to_string_lossy());
        line(format_args!("tests for what no test covers, to be added to {file} once you agree with them:"))?;
    }
    for test in tests {
        line(format_args!("\n{}", toml_of(test)))?;
    }
    Ok(())
}

fn write_failure(result: &TestResult, file: &FileResults) -> Result<(), OutputError> {
    let place = file.line(result).map(|line| format!(" ({}:{line})", shown(&file.path.to_string_lossy())));
    let place = place.unwrap_or_default();
    line(format_args!("{} {}{}", "failed".red(), shown(&result.name), place.dimmed()))?;
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
