//! Findings for programs.

use authorizer_findings::Finding;
use serde_json::{Map, Value, json};

use super::Report;

pub(super) fn of(report: &Report<'_>) -> Value {
    let findings: Vec<_> = report.findings.iter().map(|finding| one(report, finding)).collect();
    let mut counts: Map<String, Value> = report
        .counts()
        .into_iter()
        .map(|(severity, count)| (severity.name().to_owned(), count.into()))
        .collect();
    counts.insert("accepted".to_owned(), report.accepted().count().into());
    json!({
        "version": 1, "policy": report.policy, "now": report.now.as_seconds(), "counts": counts, "findings": findings,
    })
}

fn one(report: &Report<'_>, finding: &Finding) -> Value {
    let span = report.places.line_span(&finding.place).unwrap_or_default();
    let (start, end) = (report.places.position(span.start), report.places.position(span.end));
    let accepted = finding.accepted.as_ref().map(|accepted| {
        let span = report.places.span(&accepted.place).unwrap_or_default();
        json!({"reason": accepted.reason, "line": report.places.position(span.start).line})
    });
    json!({
        "id": finding.check.id,
        "name": finding.check.name,
        "severity": finding.severity,
        "message": finding.message,
        "why": finding.check.why,
        "remedy": finding.check.remedy,
        "page": finding.check.page(),
        "place": finding.place.to_string(),
        "line": start.line,
        "column": start.column,
        "end_column": end.column,
        "rule": finding.about.rule(),
        "issuer": finding.about.issuer(),
        "kid": finding.about.kid(),
        "fingerprint": finding.fingerprint(),
        "accepted": accepted,
    })
}
