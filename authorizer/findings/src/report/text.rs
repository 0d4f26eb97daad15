//! Findings for people: together by what they are, each with its place.

use std::fmt::{self, Write as _};

use owo_colors::OwoColorize as _;

use super::model::{Excerpt, Looked, Report, ReportedFinding};
use crate::check::Severity;

/// A report for people, with colours, without a last line end.
pub fn text(report: &Report) -> String {
    let mut to = String::new();
    // Writing to a text does not fail.
    let _ = write(&mut to, report);
    to
}

fn write(to: &mut String, report: &Report) -> fmt::Result {
    for alike in report.alike() {
        let Some(ReportedFinding { check, severity, .. }) = alike.first() else { continue };
        writeln!(to, "{} {} {}", coloured(*severity), check.id.bold(), check.name.bold())?;
        alike.iter().try_for_each(|finding| one(to, finding))?;
        writeln!(to, "  {}     {}", "why".dimmed(), check.why)?;
        writeln!(to, "  {}  {}", "remedy".dimmed(), check.remedy)?;
        writeln!(to, "  {}    authorizer help {}\n", "more".dimmed(), check.id)?;
    }
    for finding in report.accepted() {
        let Some(accepted) = &finding.accepted else { continue };
        writeln!(to, "{} {} {}", "accepted".green(), finding.check.id.bold(), finding.message)?;
        writeln!(to, "  {}  {}\n", "reason".dimmed(), accepted.reason.trim().escape_debug())?;
    }
    if let Looked::Deployment { not_in_export: outside, .. } = &report.looked_at {
        writeln!(to, "{} {}\n", "not in an export, so not looked at:".dimmed(), outside.join("; "))?;
    }
    // The last line is the result: infra/drift reads it.
    write!(to, "{}", summary(report))
}

fn one(to: &mut String, finding: &ReportedFinding) -> fmt::Result {
    let ReportedFinding { file, region, message, excerpt, .. } = finding;
    writeln!(to, "  {}:{}:{}  {message}", file.display(), region.line, region.column)?;
    match excerpt {
        // A control character would be the terminal's.
        Excerpt::Line(line)
            if !line.trim().is_empty() && !line.chars().any(|c| c.is_control() && c != '\t') =>
        {
            let indent = region.column.saturating_sub(1);
            let length = region.end_column.saturating_sub(region.column).max(1);
            writeln!(to, "      {}", line.replace('\t', " "))?;
            writeln!(to, "      {}{}", " ".repeat(indent), "^".repeat(length).red())
        }
        Excerpt::Pointer(pointer) if !pointer.is_empty() => {
            writeln!(to, "      {}", pointer.escape_debug().dimmed())
        }
        Excerpt::Line(_) | Excerpt::Pointer(_) => Ok(()),
    }
}

/// The findings are the blocks above. Several places of one are counted beside them.
fn summary(report: &Report) -> String {
    let alike = report.alike();
    let of = |severity: Severity| {
        alike.iter().filter(|one| one.first().is_some_and(|first| first.severity == severity)).count()
    };
    let counts = Severity::ALL.map(|severity| (severity, of(severity))).into_iter();
    let counts = counts.filter(|(_, count)| *count > 0);
    let counts: Vec<_> = counts.map(|(severity, count)| format!("{count} {}", severity.name())).collect();
    let s = if alike.len() == 1 { "" } else { "s" };
    let found = match (alike.len(), report.open().count()) {
        (0, _) => "no findings".to_owned(),
        (many, places) if many == places => format!("{many} finding{s}: {}", counts.join(", ")),
        (many, places) => format!("{many} finding{s} at {places} places: {}", counts.join(", ")),
    };
    match report.accepted().count() {
        0 => found,
        accepted => format!("{found}; {accepted} accepted"),
    }
}

fn coloured(severity: Severity) -> String {
    let name = severity.name();
    match severity {
        Severity::High => name.red().bold().to_string(),
        Severity::Medium => name.yellow().bold().to_string(),
        Severity::Low => name.cyan().bold().to_string(),
        Severity::Informational => name.bold().to_string(),
    }
}
