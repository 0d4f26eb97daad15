//! The index of the findings, the head of the page of each, and their place in the site.

use std::fs;
use std::path::Path;

use authorizer_findings::{Check, catalogue};

use super::{holds, with_part};
use crate::harness::ROOT;

const INDEX: &str = "docs/audit/README.md";

/// The order of the pages in the site.
const SUMMARY: &str = "docs/SUMMARY.md";

/// The last line of the head of a page.
const HEAD_ENDS: &str = "<!-- generated: down to here, by `make generate` -->";

fn checks() -> impl Iterator<Item = &'static Check> {
    catalogue().all()
}

/// A page; empty if it does not exist yet.
fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_default()
}

fn table(checks: impl IntoIterator<Item = &'static Check>) -> String {
    let mut table = "| id | name | severity | what is looked for |\n| --- | --- | --- | --- |\n".to_owned();
    for Check { id, name, severity, title, .. } in checks {
        table += &format!("| [{id}]({id}.md) | {name} | {} | {title} |\n", severity.name());
    }
    table
}

/// The pages of the findings in the summary: the lines below that of the index which begin with an id.
#[test]
fn the_summary_of_the_site_has_the_page_of_every_finding() {
    let index = "- [Findings](audit/README.md)\n";
    let mut ids: Vec<_> = checks().collect();
    ids.sort_by_key(|check| check.id);
    let lines = ids.iter().map(|Check { id, name, .. }| format!("  - [{id}: {name}](audit/{id}.md)\n"));
    let lines: String = lines.collect();
    let others: String =
        read(SUMMARY).split_inclusive('\n').filter(|line| !line.starts_with("  - [EA")).collect();
    assert!(others.contains(index), "{SUMMARY} has no line `{}`", index.trim_end());
    holds(SUMMARY, &others.replace(index, &format!("{index}{lines}")));
}

/// The author writes `at most`, if some findings of the check have a lower severity.
fn head(check: &Check, page: &str) -> String {
    let Check { id, name, severity, title, .. } = check;
    let severity = severity.name();
    let at_most = if page.lines().any(|line| line == format!("Severity: {severity} at most")) {
        " at most"
    } else {
        ""
    };
    let mut title = title.chars();
    let sentence: String =
        title.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(title).collect();
    format!("# {id}: {name}\n\nSeverity: {severity}{at_most}\n\n{sentence}.\n\n{HEAD_ENDS}\n")
}

#[test]
fn the_index_of_findings_is_the_catalogue() {
    let index = with_part(&read(INDEX), "checks of a policy", &table(catalogue().policy.iter().copied()));
    holds(
        INDEX,
        &with_part(&index, "checks of a deployment", &table(catalogue().deployment.iter().copied())),
    );
}

#[test]
fn the_head_of_a_findings_page_is_of_the_catalogue() {
    for check in checks() {
        let page = read(&check.page());
        let rest = page.split_once(&format!("{HEAD_ENDS}\n")).map_or(page.as_str(), |(_, rest)| rest);
        // A new page begins with its first heading.
        let body = rest.find("## ").and_then(|at| rest.get(at..)).unwrap_or_default();
        holds(&check.page(), &format!("{}\n{body}", head(check, &page)));
    }
}
