//! Findings for code scanning: SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format).

use std::env;
use std::path::{Component, Path};

use authorizer_core::policy::Place;
use authorizer_findings::{Check, Finding, Severity, registry};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::Report;

/// What a segment of a path keeps as it is (RFC 3986 section 2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) fn of(report: &Report<'_>) -> Value {
    let rules: Vec<_> = registry().iter().map(|check| rule(check)).collect();
    let results: Vec<_> = report.findings.iter().map(|finding| result(report, finding)).collect();
    document("authorizer audit findings", &rules, &results)
}

/// A log of one run.
pub(in crate::audit) fn document(command: &str, rules: &[Value], results: &[Value]) -> Value {
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "authorizer",
                "fullName": command,
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "invocations": [{"executionSuccessful": true}],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// The words of GitHub and others for how grave a rule is, from 0 to 10.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Informational => "0.5",
    }
}

pub(in crate::audit) fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Informational => "note",
    }
}

pub(in crate::audit) fn rule(check: &Check) -> Value {
    let Check { id, name, severity, title, why, remedy, .. } = check;
    let page = check.page();
    let mut rule = json!({
        "id": id,
        "name": name,
        "shortDescription": {"text": title},
        "fullDescription": {"text": why},
        "help": {
            "text": format!("{title}. {why} Remedy: {remedy}. See {page}."),
            "markdown": format!("**{title}**\n\n{why}\n\n**Remedy:** {remedy}.\n\nSee `{page}`."),
        },
        "defaultConfiguration": {"level": level(*severity)},
        "properties": {
            "tags": ["security"], "precision": "high", "security-severity": score(*severity),
            "problem.severity": level(*severity),
        },
    });
    if let (Some(address), Some(rule)) = (address_of(&page), rule.as_object_mut()) {
        rule.insert("helpUri".to_owned(), json!(address));
    }
    rule
}

/// Where a page can be read, if the package says where its repository is.
fn address_of(page: &str) -> Option<String> {
    let repository = env!("CARGO_PKG_REPOSITORY");
    (!repository.is_empty()).then(|| format!("{}/blob/main/{page}", repository.trim_end_matches('/')))
}

fn result(report: &Report<'_>, finding: &Finding) -> Value {
    let index = registry().iter().position(|check| check.id == finding.check.id);
    let suppressions: Vec<_> = finding
        .accepted
        .iter()
        .map(|accepted| {
            json!({
                "kind": "inSource", "status": "accepted", "justification": accepted.reason,
                "location": location(report, &accepted.place),
            })
        })
        .collect();
    json!({
        "ruleId": finding.check.id,
        "ruleIndex": index,
        "level": level(finding.severity),
        "message": {"text": finding.message},
        "locations": [location(report, &finding.place)],
        "partialFingerprints": {"finding/v1": finding.fingerprint()},
        "suppressions": suppressions,
        "properties": {"severity": finding.severity.name()},
    })
}

fn location(report: &Report<'_>, place: &Place) -> Value {
    let span = report.places.line_span(place).unwrap_or_default();
    let (start, end) = (report.places.position(span.start), report.places.position(span.end));
    json!({
        "physicalLocation": {
            "artifactLocation": {"uri": uri_of(report.policy)},
            "region": {
                "startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column,
            },
        },
        "logicalLocations": [{"fullyQualifiedName": place.to_string()}],
    })
}

/// A path below the present folder, relative to it, as code scanning takes it to be the repository's root; any other
/// as it is.
pub(in crate::audit) fn uri_of(path: &Path) -> String {
    let here = env::current_dir().ok();
    let below = here.as_deref().and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path);
    let segments: Vec<_> = below
        .components()
        .filter_map(|component| match component {
            Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
            Component::ParentDir => Some("..".into()),
            Component::Normal(name) => {
                Some(utf8_percent_encode(&name.to_string_lossy(), SEGMENT).to_string())
            }
        })
        .collect();
    let root = if below.is_absolute() { "file:///" } else { "" };
    format!("{root}{}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_named_by_a_relative_address_where_it_is_below_the_present_folder() {
        for (path, uri) in [
            ("policy.toml", "policy.toml"),
            ("./a b/é.toml", "a%20b/%C3%A9.toml"),
            ("../policy.toml", "../policy.toml"),
            ("/etc/policy.toml", "file:///etc/policy.toml"),
        ] {
            assert_eq!(uri_of(Path::new(path)), uri);
        }
        let here = env::current_dir().unwrap().join("policies/a.toml");
        assert_eq!(uri_of(&here), "policies/a.toml");
    }
}
