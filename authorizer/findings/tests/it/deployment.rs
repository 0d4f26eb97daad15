//! A deployment as the templates make it has no finding, and each protection that is taken away has exactly its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use authorizer_cloudfront::{Member, STRUCTURES};
use authorizer_findings::deployment::{DeploymentFinding, Export, Reviewed, findings};
use authorizer_findings::{Check, catalogue};
use authorizer_policy::PolicyFile;
use json_patch::Patch;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::random;
use crate::root;

/// What `fixtures/deployments/good` says is deployed.
const CODE: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

type Files = BTreeMap<String, Vec<u8>>;

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    why: String,
    file: Option<String>,
    patch: Option<Patch>,
    /// Other files that are then there.
    #[serde(default)]
    also: BTreeMap<String, Value>,
    #[serde(default)]
    missing: bool,
    policy: Option<String>,
    reviewed: Option<String>,
    findings: BTreeSet<String>,
}

fn folder() -> PathBuf {
    root().join("fixtures/deployments")
}

fn good() -> Files {
    fn gather(folder: &Path, from: &Path, files: &mut Files) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                gather(&path, from, files);
            } else {
                let name = path.strip_prefix(from).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    let (from, mut files) = (folder().join("good"), Files::new());
    gather(&from, &from, &mut files);
    files
}

fn cases() -> Vec<Case> {
    let text = fs::read_to_string(folder().join("cases.toml")).unwrap();
    let cases: Cases = toml_edit::de::from_str(&text).unwrap();
    cases.cases
}

fn policy(name: &str) -> PolicyFile {
    PolicyFile::load(&folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

/// A file with the policy that it may hold as a text read, so that a patch and a pointer can go on into it.
fn opened(bytes: &[u8]) -> Option<Value> {
    let mut value: Value = serde_json::from_slice(bytes).ok()?;
    if let Some(text) = value.get("Policy").and_then(Value::as_str) {
        value["Policy"] = serde_json::from_str(text).ok()?;
    }
    Some(value)
}

fn closed(mut value: Value) -> Vec<u8> {
    if let Some(policy) = value.get("Policy").filter(|policy| policy.is_object()) {
        value["Policy"] = Value::String(policy.to_string());
    }
    serde_json::to_vec(&value).unwrap()
}

impl Case {
    fn files(&self) -> Files {
        let mut files = good();
        files.extend(self.also.iter().map(|(name, value)| (name.clone(), closed(value.clone()))));
        let Some(file) = &self.file else { return files };
        if self.missing {
            assert!(files.remove(file).is_some(), "{file}");
            return files;
        }
        let mut value = opened(&files[file]).unwrap();
        json_patch::patch(&mut value, self.patch.as_ref().unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", self.why));
        files.insert(file.clone(), closed(value));
        files
    }

    fn found(&self) -> Vec<DeploymentFinding> {
        let policy = policy(self.policy.as_deref().unwrap_or("policy.toml"));
        let bundle = policy.bundle().sha256().to_owned();
        let (code, packaged) = match self.reviewed.as_deref() {
            None => (Some(CODE), Some(bundle)),
            Some("nothing") => (None, None),
            Some("hash") => (Some(CODE), None),
            Some("another policy") => (Some(CODE), Some("0".repeat(64))),
            Some(other) => panic!("{other}"),
        };
        let files = self.files();
        let found = found_in(files.clone(), &policy, code, packaged);
        for finding in &found {
            let has = |pointer: &str| opened(&files[&finding.file]).unwrap().pointer(pointer).is_some();
            let parent = finding.pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
            assert!(
                !files.contains_key(&finding.file) || has(parent),
                "{}: {} has no {}",
                self.why,
                finding.file,
                finding.pointer
            );
        }
        found
    }
}

fn found_in(
    files: Files,
    policy: &PolicyFile,
    code: Option<&str>,
    packaged: Option<String>,
) -> Vec<DeploymentFinding> {
    try_in(files, policy, code, packaged).unwrap()
}

fn try_in(
    files: Files,
    policy: &PolicyFile,
    code: Option<&str>,
    packaged_bundle: Option<String>,
) -> Result<Vec<DeploymentFinding>, String> {
    let reviewed = Reviewed {
        policy: policy.document(),
        bundle: policy.bundle(),
        code_sha256: code.map(str::to_owned),
        packaged_bundle,
    };
    findings(&Export::new(files), &reviewed).map_err(|error| error.to_string())
}

/// As reviewed, so that nothing but the files can give a finding.
fn as_reviewed(files: Files) -> Result<Vec<DeploymentFinding>, String> {
    let policy = policy("policy.toml");
    let bundle = policy.bundle().sha256().to_owned();
    try_in(files, &policy, Some(CODE), Some(bundle))
}

fn told(found: &[DeploymentFinding]) -> Vec<String> {
    found
        .iter()
        .map(|one| format!("{} {} {}: {}", one.check.id, one.file, one.pointer, one.message))
        .collect()
}

#[test]
fn a_deployment_as_the_templates_make_it_has_no_finding() {
    assert_eq!(told(&as_reviewed(good()).unwrap()), Vec::<String>::new());
}

#[test]
fn each_protection_that_is_taken_away_has_exactly_its_own_finding() {
    let mut wrong = Vec::new();
    for case in cases() {
        let found = case.found();
        let ids: BTreeSet<String> = found.iter().map(|one| one.check.id.to_owned()).collect();
        if ids != case.findings {
            wrong.push(format!("{}: {:?}\n  {}", case.why, case.findings, told(&found).join("\n  ")));
        }
        for finding in &found {
            assert!(finding.severity <= finding.check.severity, "{}: {}", case.why, finding.check.id);
            let message = &finding.message;
            assert!(!message.ends_with('.') && !message.chars().any(char::is_control), "{message}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_check_has_a_case_and_no_id_or_name_of_another() {
    let covered: BTreeSet<String> = cases().into_iter().flat_map(|case| case.findings).collect();
    let ids: BTreeSet<String> = catalogue().deployment.iter().map(|check| check.id.to_owned()).collect();
    assert_eq!(covered, ids);
    let all: Vec<_> = catalogue().all().collect();
    let each = |name: fn(&Check) -> &str| all.iter().map(|check| name(check)).collect::<BTreeSet<_>>().len();
    assert_eq!((each(|check| check.id), each(|check| check.name)), (all.len(), all.len()));
    for check in &catalogue().deployment {
        assert!(check.id.starts_with("EA2") && check.id.len() == 5, "{}", check.id);
        assert!(
            check.why.ends_with('.') && !check.title.ends_with('.') && !check.remedy.ends_with('.'),
            "{}",
            check.id
        );
    }
}

#[test]
fn each_member_of_a_distribution_that_is_judged_is_judged_by_a_check_that_exists() {
    let ids: BTreeSet<&str> = catalogue().deployment.iter().map(|check| check.id).collect();
    for (structure, members) in STRUCTURES {
        for (name, member) in *members {
            if let Member::Judged(id) = member {
                assert!(ids.contains(id), "{structure}.{name}: {id}");
            }
        }
    }
}

/// The very settings for which there is a grave and a less grave case.
#[test]
fn a_finding_is_as_grave_as_what_it_opens() {
    let severity = |why: &str| {
        let case =
            cases().into_iter().find(|case| case.why.starts_with(why)).unwrap_or_else(|| panic!("{why}"));
        case.found().iter().map(|one| one.severity).max().unwrap().name()
    };
    for (why, expected) in [
        ("tokens over plain HTTP", "high"),
        ("the token has gone out", "medium"),
        ("TLS 1.1", "medium"),
        ("CloudFront's own certificate", "low"),
        ("an object is served for a minute", "informational"),
        ("without `If-None-Match`", "high"),
        ("beside cookies", "medium"),
        ("no package was named", "medium"),
        ("a hash was named", "informational"),
        ("the account's IAM policies", "low"),
    ] {
        assert_eq!(severity(why), expected, "{why}");
    }
}

#[test]
fn no_file_can_be_taken_away_or_emptied_without_a_word() {
    for file in good().into_keys() {
        let mut without = good();
        without.remove(&file);
        match as_reviewed(without) {
            Err(_) => assert_eq!(file, "distribution.json"),
            Ok(found) => assert!(
                found.iter().any(|one| one.check.id == "EA200" && one.file == file),
                "{file}: {:?}",
                told(&found)
            ),
        }
        for text in
            ["", "{}", "null", "[]", "{\"Absent\": \"AccessDenied\"}", "{\"Policy\": \"\"}", "\u{1b}[31m"]
        {
            let mut files = good();
            files.insert(file.clone(), text.as_bytes().to_vec());
            let found = as_reviewed(files);
            assert!(found.as_ref().map_or(true, |found| !found.is_empty()), "{file}: {text}");
        }
    }
}

#[test]
fn a_folder_without_a_distribution_is_no_export() {
    assert!(as_reviewed(Files::new()).unwrap_err().contains("distribution.json"));
    let mut files = good();
    let exported: Value = serde_json::from_slice(&files["distribution.json"]).unwrap();
    let other = json!({"ETag": "E", "Distribution": {"DistributionConfig": exported["DistributionConfig"]}});
    files.insert("distribution.json".to_owned(), other.to_string().into_bytes());
    assert!(as_reviewed(files).unwrap_err().contains("get-distribution"));
}

/// Every place of a JSON text, as a pointer.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            places(value, &format!("{here}/{}", name.replace('~', "~0").replace('/', "~1")), found);
        }),
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, value)| places(value, &format!("{here}/{index}"), found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::String),
        prop::sample::select(vec!["*", "arn:aws:cloudfront::*", "s3:*", "Allow", "$LATEST", "alias/aws/s3"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map("[A-Z][A-Za-z]{0,8}", inner, 0..4).prop_map(|members| json!(members)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(random::cases(256)))]

    /// Something of another form anywhere: it is an error or a finding, or changes nothing that is judged. It is never
    /// a panic, and what is told never holds a character that would be the terminal's.
    #[test]
    fn whatever_stands_in_an_export_is_told_or_means_nothing(
        file in prop::sample::select(good().into_keys().collect::<Vec<_>>()),
        at in any::<prop::sample::Index>(),
        put in prop::option::of(any_json()),
    ) {
        let mut files = good();
        let mut value = opened(&files[&file]).unwrap();
        let mut all = Vec::new();
        places(&value, "", &mut all);
        let place = &all[at.index(all.len())];
        let operation = match put {
            Some(put) => json!([{"op": "replace", "path": place, "value": put}]),
            None => json!([{"op": "remove", "path": place}]),
        };
        let patch: Patch = serde_json::from_value(operation).unwrap();
        prop_assume!(json_patch::patch(&mut value, &patch).is_ok());
        files.insert(file, closed(value));
        if let Ok(found) = as_reviewed(files) {
            for finding in found {
                prop_assert!(!finding.message.chars().any(char::is_control), "{}", finding.message);
            }
        }
    }

    #[test]
    fn bytes_that_are_no_export_are_never_a_panic(
        file in prop::sample::select(good().into_keys().collect::<Vec<_>>()),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut files = good();
        files.insert(file.clone(), bytes);
        let found = as_reviewed(files);
        prop_assert!(found.is_err() || found.unwrap().iter().any(|one| one.file == file));
    }
}

#[test]
fn every_check_has_a_page_that_says_what_the_check_says_and_shows_its_case() {
    let text = fs::read_to_string(folder().join("cases.toml")).unwrap();
    for check in &catalogue().deployment {
        let page = fs::read_to_string(root().join(check.page())).unwrap();
        let first = format!("# {}: {}\n\nSeverity: {}\n", check.id, check.name, check.severity.name());
        assert!(page.starts_with(&first), "{}", check.id);
        for said in [check.title, check.why, check.remedy] {
            let tail: String = said.chars().skip(1).collect();
            assert!(page.contains(&tail), "{}: {said}", check.id);
        }
        let (_, found) = page.split_once("\n## Found\n").unwrap();
        let shown = found.split_once("```toml\n").unwrap().1.split_once("```").unwrap().0;
        let (before, after) = text.split_once(shown).unwrap_or_else(|| panic!("{}: no such case", check.id));
        assert!(before.ends_with("[[cases]]\n"), "{}", check.id);
        assert!(after.lines().next().unwrap().contains(check.id), "{}", check.id);
    }
}
