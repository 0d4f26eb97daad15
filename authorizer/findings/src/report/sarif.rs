//! Findings for code scanning: SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format).

use std::collections::BTreeMap;
use std::path::{Component, Path};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use serde_sarif::sarif::{
    ArtifactLocation, Invocation, Location, LogicalLocation, Message, MultiformatMessageString,
    PhysicalLocation, PropertyBag, Region as SarifRegion, ReportingConfiguration, ReportingDescriptor,
    Result as SarifResult, ResultLevel, Run, Sarif, Suppression, Tool, ToolComponent,
};

use super::model::{Report, ReportedFinding};
use super::region::Region;
use crate::check::{Check, Severity};
use crate::docs::Docs;

/// What a segment of a path keeps as it is (RFC 3986 section 2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json";

/// A report for code scanning. Files below `here` are named relative to it, as code scanning takes it to be the
/// repository's root.
pub fn sarif(report: &Report, here: Option<&Path>) -> Value {
    let rules: Vec<_> = report.checks.iter().map(|check| rule(check, report.docs.as_ref())).collect();
    let results = report.findings.iter().map(|finding| result(report, finding, here));
    let driver = ToolComponent::builder()
        .name("authorizer")
        .full_name(report.command)
        .semantic_version(env!("CARGO_PKG_VERSION"))
        .rules(rules)
        .build();
    let run = Run::builder()
        .tool(Tool::builder().driver(driver).build())
        .invocations(vec![Invocation::builder().execution_successful(true).build()])
        .column_kind("unicodeCodePoints")
        .results(results.collect::<Vec<_>>())
        .build();
    let sarif = Sarif::builder().schema(SCHEMA).version("2.1.0").runs(vec![run]).build();
    // Maps with text for keys can always be written.
    serde_json::to_value(sarif).unwrap_or_default()
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

fn level(severity: Severity) -> (&'static str, ResultLevel) {
    match severity {
        Severity::High => ("error", ResultLevel::Error),
        Severity::Medium => ("warning", ResultLevel::Warning),
        Severity::Low | Severity::Informational => ("note", ResultLevel::Note),
    }
}

fn rule(check: &Check, docs: Option<&Docs>) -> ReportingDescriptor {
    let Check { id, name, severity, title, why, remedy } = check;
    let (page, (level, _)) = (check.page(), level(*severity));
    let address = docs.map(|docs| docs.page(check));
    let link = address.as_ref().map_or_else(|| format!("`{page}`"), |address| format!("[{id}](<{address}>)"));
    let text = |text: &str| MultiformatMessageString::builder().text(text).build();
    let help = MultiformatMessageString::builder()
        .text(format!("{title}. {why} Remedy: {remedy}. See {page}."))
        .markdown(format!("**{title}**\n\n{why}\n\n**Remedy:** {remedy}.\n\nSee {link}."))
        .build();
    let properties =
        [("precision", "high"), ("security-severity", score(*severity)), ("problem.severity", level)];
    let properties = PropertyBag::builder()
        .tags(vec!["security".to_owned()])
        .additional_properties(bag(properties))
        .build();
    let mut rule = ReportingDescriptor::builder()
        .id(*id)
        .name(*name)
        .short_description(text(title))
        .full_description(text(why))
        .help(help)
        .default_configuration(ReportingConfiguration::builder().level(level).build())
        .properties(properties)
        .build();
    rule.help_uri = address;
    rule
}

fn bag<const N: usize>(members: [(&str, &str); N]) -> BTreeMap<String, Value> {
    members.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
}

fn result(report: &Report, finding: &ReportedFinding, here: Option<&Path>) -> SarifResult {
    let ReportedFinding { check, severity, message, file, region, place, accepted, fingerprint, .. } =
        finding;
    let index = report.checks.iter().position(|one| one.id == check.id).unwrap_or_default();
    let (_, level) = level(*severity);
    let properties =
        PropertyBag::builder().additional_properties(bag([("severity", severity.name())])).build();
    let mut result = SarifResult::builder()
        .rule_id(check.id)
        .rule_index(number(index))
        .level(level)
        .message(Message::builder().text(message).build())
        .locations(vec![location(file, here, *region, place)])
        .partial_fingerprints(BTreeMap::from([("finding/v1".to_owned(), fingerprint.clone())]))
        .properties(properties)
        .build();
    if report.accepts {
        let suppressions = accepted.iter().map(|accepted| {
            let suppression = Suppression::builder().status("accepted").justification(&accepted.reason);
            match &accepted.source {
                Some((region, place)) => {
                    suppression.kind("inSource").location(location(file, here, *region, place)).build()
                }
                None => suppression.kind("external").build(),
            }
        });
        result.suppressions = Some(suppressions.collect());
    }
    result
}

fn location(file: &Path, here: Option<&Path>, region: Region, place: &str) -> Location {
    let region = SarifRegion::builder()
        .start_line(number(region.line))
        .start_column(number(region.column))
        .end_line(number(region.end_line))
        .end_column(number(region.end_column))
        .build();
    let physical = PhysicalLocation::builder()
        .artifact_location(ArtifactLocation::builder().uri(uri_of(file, here)).build())
        .region(region)
        .build();
    let logical = LogicalLocation::builder().fully_qualified_name(place).build();
    Location::builder().physical_location(physical).logical_locations(vec![logical]).build()
}

/// SARIF counts in 64 bits with a sign, and no file is as long.
fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The address of a file in SARIF: a path below `here`, relative to it; any other as it is.
pub fn uri_of(path: &Path, here: Option<&Path>) -> String {
    let below = here.and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path);
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
        let here = Path::new("/home/a/project");
        for (path, uri) in [
            ("policy.toml", "policy.toml"),
            ("./a b/é.toml", "a%20b/%C3%A9.toml"),
            ("../policy.toml", "../policy.toml"),
            ("/etc/policy.toml", "file:///etc/policy.toml"),
            ("/home/a/project/policies/a.toml", "policies/a.toml"),
        ] {
            assert_eq!(uri_of(Path::new(path), Some(here)), uri);
        }
    }
}
