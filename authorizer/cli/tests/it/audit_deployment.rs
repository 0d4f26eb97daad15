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
    assert_eq!((exit, out.as_str(), err.as_str()), (0, "no findings\n", ""));
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
