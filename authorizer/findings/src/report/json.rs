//! Findings for programs.

use serde_json::{Map, Value, json as value};

use super::model::{Report, ReportedFinding};

/// A report for programs: one JSON object.
pub fn json(report: &Report) -> Value {
    let counts = report.counts().into_iter();
    let mut counts: Map<String, Value> =
        counts.map(|(severity, count)| (severity.name().to_owned(), count.into())).collect();
    if report.accepts {
        counts.insert("accepted".to_owned(), report.accepted().count().into());
    }
    let mut all = report.looked_at.clone();
    all.insert("version".to_owned(), value!(1));
    all.insert("counts".to_owned(), counts.into());
    all.insert("findings".to_owned(), report.findings.iter().map(one).collect());
    all.into()
}

fn one(finding: &ReportedFinding) -> Value {
    let ReportedFinding { check, severity, message, region, fingerprint, members, .. } = finding;
    let mut one = members.clone();
    one.extend(
        [
            ("id", value!(check.id)),
            ("name", value!(check.name)),
            ("severity", value!(severity)),
            ("message", value!(message)),
            ("why", value!(check.why)),
            ("remedy", value!(check.remedy)),
            ("page", value!(check.page())),
            ("line", value!(region.line)),
            ("column", value!(region.column)),
            ("end_column", value!(region.end_column)),
            ("fingerprint", value!(fingerprint)),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    one.into()
}
