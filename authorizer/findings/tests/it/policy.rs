//! Every check has a fixture in which it is found, one beside it in which it is not, and a page.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use authorizer_core::{Authorizer, Bundle, UnixTime};
use authorizer_findings::policy::{About, PolicyFinding, PolicySubject, findings};
use authorizer_findings::{Check, Severity, catalogue};
use authorizer_policy::PolicyFile;

use crate::root;

/// 2027-01-15T08:00:00Z.
const NOW: u64 = 1_800_000_000;

/// The one check whose proof takes a minute in a debug build.
const SLOW: &str = "EA019";

fn fixture(check: &str, name: &str) -> PathBuf {
    root().join("fixtures/audit/findings").join(check).join(name)
}

pub(crate) fn found_in(path: &Path) -> Vec<PolicyFinding> {
    let file = PolicyFile::load(path).unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
    let authorizer = Authorizer::new(file.bundle().clone());
    let places = file.places();
    let found = findings(&PolicySubject::new(file.document(), &authorizer, UnixTime::from_seconds(NOW)));
    for finding in &found {
        assert!(places.line_span(&finding.place).is_some(), "{}: {}", path.display(), finding.place);
        // What a finding says can be done, the core allows.
        for witness in &finding.shown {
            let replayed = witness.replay(&authorizer);
            assert!(replayed.allowed, "{}: {}: {replayed:?}", path.display(), finding.message);
        }
    }
    found
}

/// The ids of what is found and not accepted.
fn ids(findings: &[PolicyFinding]) -> BTreeSet<&str> {
    findings.iter().filter(|one| one.accepted.is_none()).map(|one| one.check.id).collect()
}

/// The ids that a fixture says are found in it besides.
fn declared(path: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(path).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("# Also found: "));
    line.map(|line| line.split(", ").map(str::to_owned).collect()).unwrap_or_default()
}

/// What of the fixtures of a check is not as it should be.
fn wrong_with_fixtures(check: &Check) -> Vec<String> {
    let mut wrong = Vec::new();
    let triggers = fixture(check.id, "triggers.toml");
    let found = found_in(&triggers);
    let mut expected = declared(&triggers);
    expected.insert(check.id.to_owned());
    let expected: BTreeSet<_> = expected.iter().map(String::as_str).collect();
    if ids(&found) != expected {
        wrong.push(format!("{}: {:?} instead of {expected:?}", triggers.display(), ids(&found)));
    }
    for finding in found.iter().filter(|finding| finding.check.id == check.id) {
        assert!(finding.severity <= check.severity, "{}: {}", check.id, finding.message);
        assert!(!finding.message.ends_with('.') && !finding.message.is_empty(), "{}", finding.message);
    }
    let quiet = fixture(check.id, "quiet.toml");
    let found = found_in(&quiet);
    let expected = declared(&quiet);
    if ids(&found) != expected.iter().map(String::as_str).collect() {
        wrong.push(format!("{}: {:?} instead of {expected:?}", quiet.display(), ids(&found)));
    }
    wrong
}

#[test]
fn every_check_is_found_in_its_fixture_and_not_in_the_one_beside_it() {
    let checks = catalogue().policy.iter().filter(|check| check.id != SLOW);
    let wrong: Vec<_> = checks.flat_map(|check| wrong_with_fixtures(check)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[ignore = "the analysis takes a minute to give up in a debug build"]
fn an_analysis_that_gives_up_is_found() {
    let slow = catalogue().policy.iter().find(|check| check.id == SLOW).unwrap();
    assert_eq!(wrong_with_fixtures(slow), Vec::<String>::new());
}

#[test]
fn there_are_more_than_forty_checks_each_with_its_own_id_and_name() {
    let ids: BTreeSet<_> = catalogue().policy.iter().map(|check| check.id).collect();
    let names: BTreeSet<_> = catalogue().policy.iter().map(|check| check.name).collect();
    assert!(catalogue().policy.len() >= 40);
    assert_eq!((ids.len(), names.len()), (catalogue().policy.len(), catalogue().policy.len()));
    for check in &catalogue().policy {
        let number = check.id.strip_prefix("EA").unwrap();
        assert!(number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit()), "{}", check.id);
        assert!(
            check.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-' || byte.is_ascii_digit())
        );
        assert!(
            check.why.ends_with('.') && !check.title.ends_with('.') && !check.remedy.ends_with('.'),
            "{}",
            check.id
        );
    }
}

/// The text of the first block after a heading.
fn block<'t>(page: &'t str, heading: &str) -> &'t str {
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    rest.split_once("```toml\n").unwrap().1.split_once("```").unwrap().0
}

#[test]
fn every_check_has_a_page_that_says_what_the_check_says_and_shows_its_fixtures() {
    for check in &catalogue().policy {
        let page = fs::read_to_string(root().join(check.page())).unwrap();
        let first = format!("# {}: {}\n\nSeverity: {}", check.id, check.name, check.severity.name());
        assert!(page.starts_with(&first), "{}", check.id);
        let page_says = |text: &str| {
            let tail: String = text.chars().skip(1).collect();
            assert!(page.contains(&tail), "{}: {text}", check.id);
        };
        [check.title, check.why, check.remedy].into_iter().for_each(page_says);
        for (heading, name) in [("Found", "triggers.toml"), ("Not found", "quiet.toml")] {
            let fixture = fs::read_to_string(fixture(check.id, name)).unwrap();
            assert!(fixture.contains(block(&page, heading)), "{} {heading}", check.id);
        }
    }
}

#[test]
fn the_index_the_pages_the_fixtures_and_the_checks_are_the_same() {
    // Those of a deployment have their pages here and fixtures of another kind.
    let ids: BTreeSet<String> = catalogue().policy.iter().map(|check| check.id.to_owned()).collect();
    let of_deployments: BTreeSet<String> =
        catalogue().deployment.iter().map(|check| check.id.to_owned()).collect();
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(root().join(folder)).unwrap();
        entries
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .filter(|name| name.starts_with("EA"))
            .collect()
    };
    assert_eq!(names("docs/audit"), ids.union(&of_deployments).cloned().collect());
    assert_eq!(names("fixtures/audit/findings"), ids);
    let index = fs::read_to_string(root().join("docs/audit/README.md")).unwrap();
    let rows: Vec<_> = index.lines().filter(|line| line.starts_with("| [EA")).collect();
    let expected: Vec<_> = catalogue()
        .all()
        .map(|check| {
            let Check { id, name, severity, title, .. } = check;
            format!("| [{id}]({id}.md) | {name} | {} | {title} |", severity.name())
        })
        .collect();
    let differ = rows.iter().zip(&expected).find(|(row, expected)| *row != expected);
    assert!(rows.len() == expected.len() && differ.is_none(), "{} rows: {differ:?}", rows.len());
}

#[test]
fn the_gravest_come_first_and_each_finding_has_a_fingerprint_of_its_own() {
    let found = found_in(&root().join("fixtures/requests/policy.toml"));
    assert!(found.is_sorted_by_key(|finding| std::cmp::Reverse(finding.severity)));
    let prints: BTreeSet<_> = found.iter().map(PolicyFinding::fingerprint).collect();
    assert_eq!(prints.len(), found.len());
}

fn policy_with(accepted: &str) -> Vec<PolicyFinding> {
    let folder = tempfile::tempdir().unwrap();
    let keys = root().join("fixtures/policies/keys/sample.jwks.json").canonicalize().unwrap();
    let text = fs::read_to_string(fixture("EA060", "triggers.toml")).unwrap();
    let text = text.replace("../../../policies/keys/sample.jwks.json", keys.to_str().unwrap());
    let path = folder.path().join("policy.toml");
    fs::write(&path, format!("{text}\n{accepted}")).unwrap();
    found_in(&path)
}

#[test]
fn an_entry_accepts_exactly_the_finding_that_it_names() {
    let entry = |rest: &str| format!("[[accepted]]\nreason = \"watched\"\n{rest}");
    for (accepted, open) in [
        (String::new(), vec!["EA060"]),
        (entry("finding = \"EA060\"\nrule = \"owners-write\""), vec![]),
        (entry("finding = \"EA060\"\nrule = \"owners-read\""), vec!["EA060", "EA141"]),
        (entry("finding = \"EA060\""), vec!["EA060", "EA141"]),
        (entry("finding = \"EA060\"\nrule = \"owners-write\"\nissuer = \"staff\""), vec!["EA060", "EA141"]),
        (entry("finding = \"EA061\"\nrule = \"owners-write\""), vec!["EA060", "EA141"]),
        (entry("finding = \"EA201\""), vec!["EA060", "EA140"]),
        (entry("finding = \"ea060\"\nrule = \"owners-write\""), vec!["EA060", "EA140"]),
        // What is wrong with an entry is accepted by no other.
        (
            format!("{}\n{}", entry("finding = \"EA000\""), entry("finding = \"EA140\"")),
            vec!["EA060", "EA140", "EA141"],
        ),
    ] {
        let found = policy_with(&accepted);
        assert_eq!(ids(&found), open.into_iter().collect(), "{accepted}");
    }
    let found = policy_with(&entry("finding = \"EA060\"\nrule = \"owners-write\""));
    let one = &found[0];
    assert_eq!(one.about, About::Rule("owners-write".into()));
    assert_eq!(one.accepted.as_ref().map(|accepted| accepted.reason.as_str()), Some("watched"));
}

/// What a real user would be told of the policy to start from: habits, nothing that is open.
#[test]
fn the_sample_policy_has_nothing_that_would_stop_a_deployment() {
    let found = found_in(&root().join("fixtures/policies/sample.toml"));
    assert!(found.iter().all(|finding| finding.severity <= Severity::Low), "{found:#?}");
    assert!(found.len() < 12, "{}", found.len());
}

#[test]
fn a_policy_without_rules_and_issuers_has_no_findings() {
    let document = serde_json::from_value(serde_json::json!({"version": 1})).unwrap();
    let authorizer = Authorizer::new(Bundle::read(&Bundle::write(&document).unwrap()).unwrap());
    assert!(findings(&PolicySubject::new(&document, &authorizer, UnixTime::from_seconds(NOW))).is_empty());
}
