//! `authorizer audit deployment`, as a person and a program meet it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use authorizer_policy::PolicyFile;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::harness::{Done, ROOT, authorizer};
use crate::sarif::schema;

pub(crate) const GOOD: &str = "fixtures/deployments/good";
pub(crate) const POLICY: &str = "fixtures/deployments/policy.toml";
const CODE: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const FUNCTION: &str = "function-edge-authorizer-1.json";

fn audit(arguments: &[&str]) -> Done {
    authorizer(&[&["audit", "deployment", "--policy", POLICY], arguments].concat())
}

/// The line of a function's file.
fn code_line(code: &str) -> String {
    format!("\"CodeSha256\": \"{code}\"")
}

/// A copy of the good export, in which a file was changed.
fn changed(file: &str, from: &str, to: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names() {
        let path = folder.path().join(&name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = fs::read_to_string(Path::new(ROOT).join(GOOD).join(&name)).unwrap();
        assert!(name != file || text.contains(from), "{file}: {from}");
        fs::write(path, if name == file { text.replacen(from, to, 1) } else { text }).unwrap();
    }
    folder
}

pub(crate) fn names() -> Vec<String> {
    let good = Path::new(ROOT).join(GOOD);
    let entries = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries(good.clone()).partition(|path| path.is_dir());
    let files = files.into_iter().chain(folders.into_iter().flat_map(entries));
    files.map(|path| path.strip_prefix(&good).unwrap().to_str().unwrap().to_owned()).collect()
}

/// A package with the bundle of a policy, and its hash.
pub(crate) fn package(folder: &Path, policy: &str) -> (String, String) {
    let path = folder.join("package.zip");
    let mut zip = ZipWriter::new(File::create(&path).unwrap());
    zip.start_file("bundle.json", SimpleFileOptions::default()).unwrap();
    let policy = PolicyFile::load(&Path::new(ROOT).join(policy)).unwrap();
    zip.write_all(policy.bundle_json()).unwrap();
    zip.finish().unwrap();
    let code = STANDARD.encode(digest(&SHA256, &fs::read(&path).unwrap()));
    (path.to_str().unwrap().to_owned(), code)
}

#[test]
fn the_package_that_was_reviewed_and_its_policy_are_what_is_deployed() {
    let folder = tempfile::tempdir().unwrap();
    let (zip, code) = package(folder.path(), POLICY);
    let export = changed(FUNCTION, &code_line(CODE), &code_line(&code));
    let Done { code: exit, out, err } = audit(&[export.path().to_str().unwrap(), "--package", &zip]);
    assert_eq!((exit, err.as_str()), (0, ""));
    // What no export contains is named.
    assert!(out.starts_with("not in an export, so not looked at: IAM policies"), "{out}");
    assert!(out.ends_with("\n\nno findings\n"), "{out}");
    // The unchanged export has another package, and this package has another policy.
    let (zip, _) = package(folder.path(), "fixtures/deployments/downloads.toml");
    let Done { code: exit, out, .. } = audit(&[GOOD, "--package", &zip, "--format", "json"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    let ids: Vec<_> = report["findings"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    assert_eq!((exit, ids), (1, vec![Value::from("EA260"), Value::from("EA262")]));
}

#[test]
fn a_person_is_told_where_what_why_and_how_to_mend_it() {
    let export = changed("distribution.json", "\"https-only\"", "\"allow-all\"");
    let shown = export.path().to_str().unwrap();
    let Done { code: exit, out, err } = audit(&[shown, "--code-sha256", CODE]);
    assert_eq!((exit, err.as_str()), (1, ""));
    insta::assert_snapshot!(out.replace(shown, "export"));
}

#[test]
fn a_program_is_told_the_same() {
    let Done { code: exit, out, .. } = audit(&[GOOD, "--format", "json"]);
    assert_eq!(exit, 1);
    let report: Value = serde_json::from_str(&out).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&report).unwrap());
}

#[test]
fn the_exit_says_whether_there_is_a_finding_of_that_severity() {
    let export = changed("distribution.json", "\"IncludeBody\": false", "\"IncludeBody\": true");
    let shown = export.path().to_str().unwrap();
    for (arguments, exit) in [
        (vec![GOOD], 1),
        (vec![GOOD, "--fail-on", "high"], 0),
        (vec![GOOD, "--code-sha256", CODE, "--fail-on", "low"], 0),
        (vec![shown, "--code-sha256", CODE], 0),
        (vec![shown, "--code-sha256", CODE, "--fail-on", "low"], 1),
        (vec![shown, "--fail-on", "never"], 0),
    ] {
        assert_eq!(audit(&arguments).code, exit, "{arguments:?}");
    }
}

#[test]
fn what_was_not_decided_of_path_patterns_is_exit_2_and_75_hostile_ones_are_decided() {
    let export = |patterns: &[String]| {
        let folder = changed("distribution.json", "{", "{");
        let path = folder.path().join("distribution.json");
        let mut whole: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let config = &mut whole["DistributionConfig"];
        let behavior = |pattern: &String| {
            let mut one = config["DefaultCacheBehavior"].clone();
            one["PathPattern"] = pattern.as_str().into();
            one
        };
        let items: Vec<Value> = patterns.iter().map(behavior).collect();
        config["CacheBehaviors"] = serde_json::json!({"Quantity": items.len(), "Items": items});
        fs::write(path, whole.to_string()).unwrap();
        folder
    };
    let audit = |export: &TempDir, fail_on| {
        audit(&[export.path().to_str().unwrap(), "--code-sha256", CODE, "--fail-on", fail_on])
    };
    let hostile: Vec<String> = (0..75).map(|at| format!("*{}b-{at}", "a*a?*".repeat(50 - at % 7))).collect();
    assert_eq!(audit(&export(&hostile), "high").code, 0);
    // Longer than CloudFront lets a pattern be.
    let (near, long) = (format!("*{}b*", "a".repeat(500)), "a".repeat(1000));
    for patterns in [["pub%6Cic/*".to_owned(), "public/reports/*".to_owned()], [near, long]] {
        let export = export(&patterns);
        let Done { code, out, .. } = audit(&export, "high");
        assert_eq!(code, 2, "{out}");
        let said = format!("whether behavior `{}` gets a request is not decided", patterns[1]);
        assert!(out.contains("EA258") && out.contains(&said), "{out}");
        assert_eq!(audit(&export, "never").code, 0);
    }
}

#[test]
fn what_is_no_export_and_no_package_is_told_with_a_remedy() {
    let empty = tempfile::tempdir().unwrap();
    let empty = empty.path().to_str().unwrap();
    for (arguments, said) in [
        (vec!["/nonexistent"], "cannot be read"),
        (vec![empty], "does not contain `distribution.json`"),
        (vec![POLICY], "does not contain `distribution.json`"),
        (vec![GOOD, "--package", POLICY], "is not a package"),
        (vec![GOOD, "--package", "/nonexistent.zip"], "cannot be read"),
        (vec![GOOD, "--code-sha256", "e3b0c442"], "this is not a SHA-256 in base64"),
    ] {
        let Done { code: exit, out, err } = audit(&arguments);
        assert_eq!((exit, out.as_str()), (2, ""), "{arguments:?}");
        assert!(err.replace("\n  │ ", " ").contains(said), "{arguments:?}: {err}");
    }
}

#[test]
fn sarif_is_valid_by_the_schema_of_the_standard_and_says_what_json_says() {
    let schema = schema();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let export = changed("distribution.json", "\"sni-only\"", "\"vip\"");
    fs::remove_file(export.path().join("bucket-private-files/policy.json")).unwrap();
    let shown = export.path().to_str().unwrap();
    let sarif: Value = serde_json::from_str(&audit(&[shown, "--format", "sarif"]).out).unwrap();
    let errors: Vec<_> = validator.iter_errors(&sarif).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    let report: Value = serde_json::from_str(&audit(&[shown, "--format", "json"]).out).unwrap();
    let (results, findings) =
        (sarif["runs"][0]["results"].as_array().unwrap(), report["findings"].as_array().unwrap());
    assert_eq!(results.len(), findings.len());
    assert_eq!(findings.len(), 2);
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    for (result, finding) in results.iter().zip(findings) {
        assert_eq!(result["ruleId"], finding["id"]);
        assert_eq!(
            rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()]["id"],
            finding["id"]
        );
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["region"]["startLine"], finding["line"]);
        assert!(
            place["artifactLocation"]["uri"].as_str().unwrap().ends_with(finding["file"].as_str().unwrap())
        );
    }
}

#[test]
fn a_finding_that_is_accepted_with_a_reason_is_told_with_it_and_fails_nothing() {
    let export = changed("distribution.json", "\"IncludeBody\": false", "\"IncludeBody\": true");
    let shown = export.path().to_str().unwrap();
    let arguments = [shown, "--code-sha256", CODE, "--fail-on", "low", "--format", "json"];
    let report: Value = serde_json::from_str(&audit(&arguments).out).unwrap();
    let finding = &report["findings"][0];
    let accepted = export.path().join("accepted.toml");
    let entry = |message: &str| {
        format!(
            "[[accepted]]\nfinding = {}\nseverity = {}\nfile = {}\nmessage = {message}\nseen = {}\nreason = \"the body is logged on purpose\"\n",
            finding["id"], finding["severity"], finding["file"], finding["seen"]
        )
    };
    fs::write(&accepted, entry(&finding["message"].to_string())).unwrap();
    let with = [&arguments[..], &["--accepted", accepted.to_str().unwrap()]].concat();
    let Done { code, out, err } = audit(&with);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["findings"][0]["accepted"]["reason"], "the body is logged on purpose");
    assert_eq!((&report["counts"]["accepted"], &report["counts"]["low"]), (&1.into(), &0.into()));
    let sarif = [&with[..6], &["sarif"], &with[7..]].concat();
    let sarif: Value = serde_json::from_str(&audit(&sarif).out).unwrap();
    let errors = jsonschema::validator_for(&schema()).unwrap();
    assert!(errors.is_valid(&sarif));
    assert_eq!(sarif["runs"][0]["results"][0]["suppressions"][0]["kind"], "external");

    // Another message is another finding, and an entry that accepts nothing is named.
    fs::write(&accepted, entry("\"something else\"")).unwrap();
    let Done { code, err, .. } = audit(&with);
    assert_eq!(code, 1);
    assert!(
        err.contains("line 2 of the accepted findings: EA204 in `distribution.json` is not found"),
        "{err}"
    );
    fs::write(&accepted, "accepted = 1").unwrap();
    let Done { code, err, .. } = audit(&with);
    assert_eq!(code, 2, "{err}");
}

#[test]
fn an_acceptance_is_of_what_was_seen_and_of_nothing_graver() {
    const FILE: &str = "bucket-private-files/policy.json";
    // Everyone may read one page. The message says no more than that everyone may.
    let page = r#"{\"Sid\": \"Page\", \"Effect\": \"Allow\", \"Principal\": \"*\", \"Action\": \"s3:GetObject\", \"Resource\": \"arn:aws:s3:::private-files/page.html\"}"#;
    let all = r#"{\"Effect\": \"Allow\", \"Principal\": \"*\", \"Action\": \"s3:*\", \"Resource\": \"arn:aws:s3:::private-files/*\"}"#;
    let first = r#"\"Statement\": ["#;
    let export = changed(FILE, first, &format!("{first}{page}, "));
    let path = export.path().join(FILE);
    let with_page = fs::read_to_string(&path).unwrap();
    let shown = export.path().to_str().unwrap();
    let arguments = [shown, "--code-sha256", CODE, "--fail-on", "low", "--format", "json"];
    let report: Value = serde_json::from_str(&audit(&arguments).out).unwrap();
    let finding = report["findings"].as_array().unwrap().iter().find(|one| one["id"] == "EA276").unwrap();
    let entry = |severity: &Value| {
        format!(
            "[[accepted]]\nfinding = \"EA276\"\nseverity = {severity}\nfile = {}\nmessage = {}\nseen = {}\nreason = \"a public page\"\n",
            finding["file"], finding["message"], finding["seen"]
        )
    };
    let accepted = export.path().join("accepted.toml");
    let with = [&arguments[..], &["--accepted", accepted.to_str().unwrap()]].concat();
    // How many of its findings are open and accepted.
    let told = |policy: &str| {
        fs::write(&path, policy).unwrap();
        let report: Value = serde_json::from_str(&audit(&with).out).unwrap();
        let found = report["findings"].as_array().unwrap().iter().filter(|one| one["id"] == "EA276");
        let (open, accepted): (Vec<_>, Vec<_>) = found.partition(|one| one["accepted"].is_null());
        (open.len(), accepted.len())
    };
    fs::write(&accepted, entry(&finding["severity"])).unwrap();
    assert_eq!(told(&with_page), (0, 1));
    // A second, graver statement, before it or behind it, has the same message and stays open.
    assert_eq!(told(&with_page.replacen(first, &format!("{first}{all}, "), 1)), (1, 1));
    assert_eq!(told(&with_page.replacen(page, &format!("{page}, {all}"), 1)), (1, 1));
    // The same statement, with more in it.
    assert_eq!(told(&with_page.replacen("page.html", "*", 1)), (1, 0));
    // Other members in another order say the same.
    let action = r#"\"Action\": \"s3:GetObject\", "#;
    let moved = page.replacen(action, "", 1).replacen('{', &format!("{{{action}"), 1);
    assert_eq!(told(&with_page.replacen(page, &moved, 1)), (0, 1));
    fs::write(&accepted, entry(&"low".into())).unwrap();
    assert_eq!(told(&with_page), (1, 0));
}

#[test]
fn what_is_wrong_with_a_file_of_accepted_findings_is_told_all_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accepted.toml");
    let entry = "[[accepted]]\nfinding = \"EA297\"\nseverity = \"medium\"\nfile = \"distributions.json\"\nmessage = \"m\"\nseen = \"d\"\n";
    let said = |text: &str| {
        fs::write(&path, text).unwrap();
        let done = audit(&["fixtures/deployments/good", "--accepted", path.to_str().unwrap()]);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{text}: {}", done.err);
        done.err
    };
    for (text, words) in [
        (entry.to_owned(), vec!["an `[[accepted]]` block does not have `reason`", "accepted.toml:1:"]),
        (format!("{entry}reason = \" \"\n"), vec!["an accepted finding has no reason", "accepted.toml:7:"]),
        (
            format!("{entry}reason = \"r\"\nuntil = \"2027\"\n"),
            vec!["`until` is not a field of an `[[accepted]]` block"],
        ),
        (
            format!("{entry}Reasons = \"r\"\n"),
            vec!["did you mean `reason`? Write `reason = \"r\"`", "accepted.toml:7:1"],
        ),
        (
            format!("{entry}reason = 1\n"),
            vec!["`reason` must be one text in quotes", "write `reason = \"1\"`"],
        ),
        (
            "[[acepted]]\nfinding = \"EA297\"\n".to_owned(),
            vec!["did you mean `[[accepted]]`?", "does not have `seen`"],
        ),
        ("accepted = 1".to_owned(), vec!["`accepted` must be written as blocks"]),
        ("a b".to_owned(), vec!["accepted.toml:1:", "the accepted findings cannot be used: 1 problem"]),
    ] {
        let err = said(&text);
        for word in words {
            assert!(err.contains(word), "{text}: {word}: {err}");
        }
        assert!(err.contains("`authorizer help audit deployment` prints what may be in the file"), "{err}");
    }
    // No entry, no findings to accept.
    fs::write(&path, "").unwrap();
    assert_ne!(audit(&["fixtures/deployments/good", "--accepted", path.to_str().unwrap()]).code, 2);
}
