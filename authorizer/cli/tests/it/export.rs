//! `infra/export`, with a stand-in for the AWS CLI.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{ROOT, authorizer};

const GOOD: &str = "fixtures/deployments/good";
const POLICY: &str = "fixtures/deployments/policy.toml";
const CODE: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const KEY: &str = "key-1234abcd-12ab-34cd-56ef-1234567890ab";

/// The interpreter itself: a version manager's `python3` would put its own programs before the stand-in.
fn python() -> String {
    let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Exports the deployment of `good`, and returns the folder for the export.
fn export(variables: &[(&str, &str)]) -> (TempDir, Output) {
    let folder = tempfile::tempdir().unwrap();
    let (bin, out) = (folder.path().join("bin"), folder.path().join("export"));
    fs::create_dir(&bin).unwrap();
    let (aws, python) = (bin.join("aws"), python());
    fs::write(&aws, format!("#!/bin/sh\nexec '{python}' '{ROOT}/fixtures/deployments/aws.py' \"$@\"\n"))
        .unwrap();
    fs::set_permissions(&aws, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(python);
    command.arg(format!("{ROOT}/infra/export")).arg("EDFDVBD6EXAMPLE").arg(out);
    command.env("PATH", path).env("EXPORTED", format!("{ROOT}/{GOOD}")).env_remove("KEY");
    let output = command.envs(variables.iter().copied()).output().unwrap();
    (folder, output)
}

/// The files of an export, as JSON.
fn files(folder: &Path) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            found.insert(name, serde_json::from_slice(&fs::read(entry.path()).unwrap()).unwrap());
        }
    }
    found
}

fn audited(folder: &TempDir) -> Vec<String> {
    let export = folder.path().join("export");
    let arguments =
        ["audit", "deployment", export.to_str().unwrap(), "--policy", POLICY, "--code-sha256", CODE];
    let done = authorizer(&[&arguments[..], &["--format", "json"]].concat());
    let report: Value = serde_json::from_str(&done.out).unwrap();
    // That only a hash was named is informational.
    let findings = report["findings"].as_array().unwrap().iter().filter(|one| one["id"] != "EA261");
    findings.map(|one| format!("{} {}", one["id"].as_str().unwrap(), one["file"].as_str().unwrap())).collect()
}

#[test]
fn an_export_has_exactly_the_files_that_the_audit_reads() {
    let (folder, output) = export(&[]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(files(&folder.path().join("export")), files(&Path::new(ROOT).join(GOOD)));
    assert_eq!(audited(&folder), Vec::<String>::new());
}

#[test]
fn a_key_that_the_bucket_names_by_an_alias_is_exported_by_its_id() {
    for (key, file) in [
        ("alias/files", "alias-files.json"),
        ("alias/team/files", "alias-team-files.json"),
        ("arn:aws:kms:us-east-1:111122223333:alias/files", "alias-files.json"),
    ] {
        let (folder, output) = export(&[("KEY", key)]);
        assert!(output.status.success(), "{key}: {output:?}");
        let written = files(&folder.path().join("export"));
        assert_eq!(written[file]["KeyMetadata"]["KeyState"], "Enabled", "{key}");
        assert!(written[&format!("{KEY}.json")]["Policy"].is_string(), "{key}");
        assert_eq!(audited(&folder), Vec::<String>::new(), "{key}");
    }
    // By its bare id, as well as by its ARN.
    let (folder, output) = export(&[("KEY", "1234abcd-12ab-34cd-56ef-1234567890ab")]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(audited(&folder), Vec::<String>::new());
}

#[test]
fn what_else_reaches_the_bucket_may_stay_unread_and_is_then_a_finding() {
    for (command, file) in [
        ("list-grants", format!("{KEY}-grants.json")),
        ("get-bucket-replication", "bucket-private-files/replication.json".to_owned()),
        ("get-bucket-notification-configuration", "bucket-private-files/notification.json".to_owned()),
        ("list-bucket-inventory-configurations", "bucket-private-files/inventory.json".to_owned()),
        ("list-access-points", "bucket-private-files/access-points.json".to_owned()),
        ("list-access-grants", "bucket-private-files/access-grants.json".to_owned()),
        ("list-distributions", "distributions.json".to_owned()),
    ] {
        let (folder, output) = export(&[("REFUSED", command)]);
        assert!(output.status.success(), "{command}: {output:?}");
        let written = files(&folder.path().join("export"));
        assert_eq!(written[&file], json!({"NotRead": "AccessDenied"}), "{command}");
        assert_eq!(audited(&folder), [format!("EA200 {file}")], "{command}");
    }
    // What the first list has must be readable.
    for command in ["get-key-policy", "get-bucket-policy", "get-cache-policy"] {
        let (_folder, output) = export(&[("REFUSED", command)]);
        assert!(!output.status.success(), "{command}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("the export is not complete"), "{said}");
    }
}

#[test]
fn every_page_of_a_list_is_exported_or_the_list_counts_as_unread() {
    for (command, file, finding) in [
        ("list-access-points", "access-points", "EA288"),
        ("list-access-grants", "access-grants", "EA289"),
        ("list-bucket-inventory-configurations", "inventory", "EA238"),
    ] {
        let file = format!("bucket-private-files/{file}.json");
        let (folder, output) = export(&[("PAGED", command)]);
        assert!(output.status.success(), "{command}: {output:?}");
        assert_eq!(audited(&folder), [format!("{finding} {file}")], "{command}");
        for stuck in ["token", "no token"] {
            let (folder, output) = export(&[("PAGED", command), ("STUCK", stuck)]);
            assert!(output.status.success(), "{command}: {output:?}");
            let written = files(&folder.path().join("export"));
            assert_eq!(written[&file], json!({"NotRead": "Truncated"}), "{command}");
            assert_eq!(audited(&folder), [format!("EA200 {file}")], "{command}");
        }
    }
}
