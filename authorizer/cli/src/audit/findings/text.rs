//! Findings for people: together by what they are, each with its line.

use authorizer_findings::{Finding, Severity};
use owo_colors::OwoColorize as _;

use super::Report;
use crate::output::{OutputError, line};

pub(super) fn write(report: &Report<'_>) -> Result<(), OutputError> {
    let open: Vec<_> = report.open().collect();
    for alike in open.chunk_by(|a, b| (a.severity, a.check.id) == (b.severity, b.check.id)) {
        let Some(first) = alike.first() else { continue };
        line(format_args!(
            "{} {} {}",
            coloured(first.severity),
            first.check.id.bold(),
            first.check.name.bold()
        ))?;
        for finding in alike {
            write_one(report, finding)?;
        }
        line(format_args!("  {}     {}", "why".dimmed(), first.check.why))?;
        line(format_args!("  {}  {}", "remedy".dimmed(), first.check.remedy))?;
        line(format_args!("  {}    {}\n", "page".dimmed(), first.check.page()))?;
    }
    for finding in report.accepted() {
        let Some(accepted) = &finding.accepted else { continue };
        line(format_args!("{} {} {}", "accepted".green(), finding.check.id.bold(), finding.message))?;
        line(format_args!("  {}  {}\n", "reason".dimmed(), accepted.reason.trim().escape_debug()))?;
    }
    line(summary(report))
}

fn write_one(report: &Report<'_>, finding: &Finding) -> Result<(), OutputError> {
    let span = report.places.line_span(&finding.place).unwrap_or_default();
    let at = report.places.position(span.start);
    let policy = report.policy.display();
    line(format_args!("  {policy}:{}:{}  {}", at.line, at.column, finding.message))?;
    // A control character would be the terminal's.
    let shown = report.text.lines().nth(at.line.saturating_sub(1)).unwrap_or_default();
    if !shown.trim().is_empty() && !shown.chars().any(|c| c.is_control() && c != '\t') {
        let indent = at.column.saturating_sub(1);
        let length = report.places.position(span.end).column.saturating_sub(at.column).max(1);
        line(format_args!("      {}", shown.replace('\t', " ")))?;
        line(format_args!("      {}{}", " ".repeat(indent), "^".repeat(length).red()))?;
    }
    Ok(())
}

fn summary(report: &Report<'_>) -> String {
    let counts: Vec<_> = report
        .counts()
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{count} {}", severity.name()))
        .collect();
    let found = match report.open().count() {
        0 => "no findings".to_owned(),
        1 => format!("1 finding: {}", counts.join(", ")),
        many => format!("{many} findings: {}", counts.join(", ")),
    };
    match report.accepted().count() {
        0 => found,
        accepted => format!("{found}; {accepted} accepted"),
    }
}

pub(in crate::audit) fn coloured(severity: Severity) -> String {
    let name = severity.name();
    match severity {
        Severity::High => name.red().bold().to_string(),
        Severity::Medium => name.yellow().bold().to_string(),
        Severity::Low => name.cyan().bold().to_string(),
        Severity::Informational => name.bold().to_string(),
    }
}
