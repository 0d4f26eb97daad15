//! Findings for programs.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json as value};

use super::model::{Looked, Particulars, Report, ReportedFinding};
use crate::check::Severity;

/// What `audit findings --format json` and `audit deployment --format json` say.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(
    title = "`authorizer audit findings --format json` and `authorizer audit deployment --format json`"
)]
pub struct ReportDocument<'r> {
    /// The version of this format.
    #[schemars(extend("const" = 1))]
    version: u32,
    #[serde(flatten)]
    looked_at: &'r Looked,
    /// How many findings there are.
    counts: Counts,
    /// The findings.
    findings: Vec<ShownFinding<'r>>,
}

/// How many findings of each severity there are that nobody accepts.
#[derive(Debug, JsonSchema, Serialize)]
struct Counts {
    /// Of high severity.
    high: usize,
    /// Of medium severity.
    medium: usize,
    /// Of low severity.
    low: usize,
    /// Worth knowing.
    informational: usize,
    /// Those that are accepted, where a finding can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<usize>,
}

/// A finding.
#[derive(Debug, JsonSchema, Serialize)]
struct ShownFinding<'r> {
    /// The id of the check, such as `EA010`.
    id: &'r str,
    /// Its name.
    name: &'r str,
    /// How grave the finding is.
    severity: Severity,
    /// What was found.
    message: &'r str,
    /// Why it matters.
    why: &'r str,
    /// How it is mended.
    remedy: &'r str,
    /// The page of the check, from the root of the repository.
    page: String,
    /// The line in the file, from 1.
    line: usize,
    /// The column, from 1. It counts characters.
    column: usize,
    /// The column after the last.
    end_column: usize,
    /// What this finding has in common with itself in another version of the file.
    fingerprint: &'r str,
    #[serde(flatten)]
    particulars: &'r Particulars,
}

impl<'r> ReportDocument<'r> {
    fn of(report: &'r Report) -> Self {
        let of = |severity| report.open().filter(|finding| finding.severity == severity).count();
        Self {
            version: 1,
            looked_at: &report.looked_at,
            counts: Counts {
                high: of(Severity::High),
                medium: of(Severity::Medium),
                low: of(Severity::Low),
                informational: of(Severity::Informational),
                accepted: report.accepts.then(|| report.accepted().count()),
            },
            findings: report.findings.iter().map(ShownFinding::of).collect(),
        }
    }
}

impl<'r> ShownFinding<'r> {
    fn of(finding: &'r ReportedFinding) -> Self {
        let ReportedFinding { check, severity, message, region, fingerprint, particulars, .. } = finding;
        Self {
            id: check.id,
            name: check.name,
            severity: *severity,
            message,
            why: check.why,
            remedy: check.remedy,
            page: check.page(),
            line: region.line,
            column: region.column,
            end_column: region.end_column,
            fingerprint,
            particulars,
        }
    }
}

/// A report for programs: one JSON object.
pub fn json(report: &Report) -> Value {
    value!(ReportDocument::of(report))
}
