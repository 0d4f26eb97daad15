//! Findings of a deployment, in the three forms.

use authorizer_findings::deployment::{Finding, registry};
use owo_colors::OwoColorize as _;
use serde_json::{Map, Value, json};

use super::Report;
use crate::audit::findings::sarif::{document, level, rule, uri_of};
use crate::audit::findings::text::coloured;
use crate::output::{OutputError, line};

/// For people: together by what they are, each with its place.
pub(super) fn text(report: &Report<'_>) -> Result<(), OutputError> {
    let alike = |a: &Finding, b: &Finding| (a.severity, a.check.id) == (b.severity, b.check.id);
    for alike in report.findings.chunk_by(alike) {
        let Some(first) = alike.first() else { continue };
        let (id, name) = (first.check.id.bold(), first.check.name.bold());
        line(format_args!("{} {id} {name}", coloured(first.severity)))?;
        for finding in alike {
            let (place, path) = (report.place(finding), report.args.export.join(&finding.file));
            line(format_args!("  {}:{}:{}  {}", path.display(), place.line, place.column, finding.message))?;
            if !finding.pointer.is_empty() {
                line(format_args!("      {}", finding.pointer.escape_debug().dimmed()))?;
            }
        }
        line(format_args!("  {}     {}", "why".dimmed(), first.check.why))?;
        line(format_args!("  {}  {}", "remedy".dimmed(), first.check.remedy))?;
        line(format_args!("  {}    {}\n", "page".dimmed(), first.check.page()))?;
    }
    line(summary(report))
}

fn summary(report: &Report<'_>) -> String {
    let counts: Vec<_> = report
        .counts()
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{count} {}", severity.name()))
        .collect();
    match report.findings.len() {
        0 => "no findings".to_owned(),
        1 => format!("1 finding: {}", counts.join(", ")),
        many => format!("{many} findings: {}", counts.join(", ")),
    }
}

/// For programs.
pub(super) fn json(report: &Report<'_>) -> Value {
    let counts: Map<String, Value> = report
        .counts()
        .into_iter()
        .map(|(severity, count)| (severity.name().to_owned(), count.into()))
        .collect();
    let findings: Vec<_> = report.findings.iter().map(|finding| one(report, finding)).collect();
    let args = report.args;
    json!({
        "version": 1, "export": args.export, "policy": args.policy, "package": args.package,
        "code_sha256": report.code_sha256, "counts": counts, "findings": findings,
    })
}

fn one(report: &Report<'_>, finding: &Finding) -> Value {
    let place = report.place(finding);
    json!({
        "id": finding.check.id,
        "name": finding.check.name,
        "severity": finding.severity,
        "message": finding.message,
        "why": finding.check.why,
        "remedy": finding.check.remedy,
        "page": finding.check.page(),
        "file": finding.file,
        "pointer": finding.pointer,
        "line": place.line,
        "column": place.column,
        "end_column": place.end_column,
        "fingerprint": finding.fingerprint(),
    })
}

/// For code scanning: SARIF 2.1.0.
pub(super) fn sarif(report: &Report<'_>) -> Value {
    let checks = registry();
    let rules: Vec<_> = checks.iter().map(|check| rule(check)).collect();
    let results: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            let place = report.place(finding);
            json!({
                "ruleId": finding.check.id,
                "ruleIndex": checks.iter().position(|check| check.id == finding.check.id),
                "level": level(finding.severity),
                "message": {"text": finding.message},
                "locations": [{
                    "physicalLocation": {
                        "artifactLocation": {"uri": uri_of(&report.args.export.join(&finding.file))},
                        "region": {
                            "startLine": place.line, "startColumn": place.column,
                            "endLine": place.line, "endColumn": place.end_column,
                        },
                    },
                    "logicalLocations": [{"fullyQualifiedName": format!("{}#{}", finding.file, finding.pointer)}],
                }],
                "partialFingerprints": {"finding/v1": finding.fingerprint()},
                "properties": {"severity": finding.severity.name()},
            })
        })
        .collect();
    document("authorizer audit deployment", &rules, &results)
}
