//! Every link of the documentation leads somewhere, on GitHub as in the site.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use authorizer_core::Reason;
use authorizer_e2e::binaries::root;
use authorizer_e2e::pages::{below, pages, target};

const SUMMARY: &str = "docs/SUMMARY.md";

#[test]
fn every_link_leads_to_a_file_and_to_an_anchor_of_it() {
    let pages = pages();
    let (mut broken, mut followed) = (Vec::new(), 0);
    for page in pages.values() {
        for (link, _) in &page.links {
            if ["https://", "http://", "mailto:"].iter().any(|scheme| link.starts_with(scheme)) {
                continue;
            }
            followed += 1;
            let Some((path, anchor)) = target(&page.path, link) else {
                broken.push(format!("{}: `{link}` leaves the repository", page.path));
                continue;
            };
            if !root().join(&path).exists() {
                broken.push(format!("{}: `{link}` leads to no file", page.path));
            } else if let Some(anchor) = anchor
                && !pages.get(&path).is_some_and(|to| to.anchors.contains(&anchor))
            {
                broken.push(format!("{}: `{link}` leads to no heading", page.path));
            }
        }
    }
    assert!(followed > 500, "{followed}");
    assert_eq!(broken, Vec::<String>::new());
}

/// The pages of the site, in its order.
fn summary() -> Vec<String> {
    let links = &pages()[SUMMARY].links;
    links.iter().map(|(link, _)| target(SUMMARY, link).unwrap().0).collect()
}

#[test]
fn the_site_has_every_page_of_docs_once_and_every_page_that_one_of_its_pages_links_to() {
    let (pages, summary) = (pages(), summary());
    let of_site: BTreeSet<_> = summary.iter().cloned().collect();
    assert_eq!(of_site.len(), summary.len(), "a page is in the summary twice");
    // The landing page, then what a newcomer does first.
    assert_eq!(summary[0], "README.md");
    assert!(summary[1..4].contains(&"docs/tutorial.md".to_owned()), "{:?}", &summary[..4]);
    let mut missing: BTreeSet<_> =
        pages.keys().filter(|path| path.starts_with("docs/") && *path != SUMMARY).cloned().collect();
    for page in &summary {
        for (link, _) in &pages[page].links {
            let Some((path, _)) = target(page, link) else { continue };
            let file = root().join(&path);
            // The site has files alone: a folder has no page.
            assert!(!file.is_dir(), "{page}: `{link}` is a folder; link to a file in it");
            if path.ends_with(".md") {
                missing.insert(path);
            }
        }
    }
    let missing: Vec<_> = missing.difference(&of_site).collect();
    assert!(missing.is_empty(), "{SUMMARY} does not have {missing:?}");
}

#[test]
fn every_page_is_reached_by_links_of_other_pages_than_the_summary() {
    let pages = pages();
    let (mut reached, mut next) = (BTreeSet::new(), vec!["README.md".to_owned()]);
    while let Some(path) = next.pop() {
        let Some(page) = pages.get(&path) else { continue };
        if reached.insert(path) {
            next.extend(page.links.iter().filter_map(|(link, _)| Some(target(&page.path, link)?.0)));
        }
    }
    let lost: Vec<_> = summary().into_iter().filter(|page| !reached.contains(page)).collect();
    assert_eq!(lost, Vec::<String>::new());
}

#[test]
fn every_page_of_the_site_has_one_title_and_begins_with_a_sentence() {
    let pages = pages();
    // The head of a finding is generated: its severity, then a sentence.
    for path in summary().iter().filter(|path| !path.starts_with("docs/audit/EA")) {
        let page = &pages[path];
        assert!(page.headings.first().is_some_and(|title| !title.is_empty()), "{path} has no title");
        let first = &page.first;
        assert!(first.ends_with(['.', ':', '?']) && first.len() > 20, "{path} begins with {first:?}");
    }
}

#[test]
fn every_reason_and_every_finding_has_an_address() {
    let pages = pages();
    let reasons = &pages["docs/decision-log.md"].anchors;
    for reason in Reason::ALL {
        assert!(reasons.contains(reason.word()), "{}", reason.word());
    }
    // A finding's page is its address: another test compares the pages with the catalogue.
    assert!(pages.keys().filter(|path| path.starts_with("docs/audit/EA")).count() > 150);
}

/// What stands behind the name of a page: `#anchor`, or `, Heading`.
fn named(rest: &str) -> (Option<&str>, Option<&str>) {
    if let Some(anchor) = rest.strip_prefix('#') {
        let ends = |letter: char| !(letter.is_alphanumeric() || "-_".contains(letter));
        return (anchor.split(ends).next(), None);
    }
    let heading = rest.strip_prefix(", ").filter(|heading| heading.starts_with(char::is_uppercase));
    (None, heading.map(|heading| heading.split(['"', '`', '.', ';', ',', '\n', ')']).next().unwrap()))
}

#[test]
fn every_page_and_every_place_in_it_that_code_names_exists() {
    let pages = pages();
    let mut files = Vec::new();
    for folder in ["authorizer", "infra", "tests", "fixtures/policies", ".ci"] {
        below(&root().join(folder), &mut files);
    }
    files.push(root().join("Makefile"));
    let kinds = ["rs", "sh", "py", "yaml", "tf", "ts", "mjs", "toml", "json", "txt", "css"];
    let is_text = |file: &PathBuf| file.extension().is_none_or(|end| kinds.iter().any(|kind| end == *kind));
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for file in files.into_iter().filter(is_text) {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let parts: Vec<_> = text.split("docs/").collect();
        for pair in parts.windows(2) {
            // `infra/docs/`, `$DOCS/docs/` and addresses are others'.
            if pair[0].ends_with(['/', '}', '-', '_', '.']) && !pair[0].ends_with("../") {
                continue;
            }
            let name: String = pair[1]
                .chars()
                .take_while(|letter| letter.is_ascii_alphanumeric() || "-/_.".contains(*letter))
                .collect();
            let Some((stem, _)) = name.split_once(".md") else { continue };
            let (path, rest) = (format!("docs/{stem}.md"), pair[1].split_once(".md").unwrap().1);
            // A finding that a recipe or a test makes up.
            if path.contains("EA000") {
                continue;
            }
            seen += 1;
            let at = file.strip_prefix(root()).unwrap().display();
            let Some(page) = pages.get(&path) else {
                wrong.push(format!("{at}: {path}"));
                continue;
            };
            let (anchor, heading) = named(rest);
            if anchor.is_some_and(|anchor| !page.anchors.contains(anchor)) {
                wrong.push(format!("{at}: {path}#{}", anchor.unwrap()));
            }
            if heading.is_some_and(|begins| !page.headings.iter().any(|one| one.starts_with(begins))) {
                wrong.push(format!("{at}: {path}, {}", heading.unwrap()));
            }
        }
    }
    assert!(seen > 40, "{seen}");
    assert_eq!(wrong, Vec::<String>::new());
}
