//! `infra/drift`: the result of a deployment's audit in one line and an exit code, and a role that can do no more than
//! the export asks.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use authorizer_e2e::binaries::{authorizer, root};
use authorizer_policy::PolicyFile;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// `infra/drift` beside an export of our own: the good deployment, changed by this shell command, in its folder.
fn beside(change: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let good = root().join("fixtures/deployments/good");
    let export = format!(
        "#!/bin/sh\ncp -r '{}' \"$2\" && chmod -R u+w \"$2\" && cd \"$2\" && {change}\n",
        good.display()
    );
    let path = folder.path().join("export");
    fs::write(&path, export).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    fs::copy(root().join("infra/drift"), folder.path().join("drift")).unwrap();
    folder
}

/// The exit code, and the last line of what is printed.
fn drift(folder: &Path, policy: &str, package: &Path) -> (i32, String) {
    drift_with(folder, policy, package, None)
}

fn drift_with(folder: &Path, policy: &str, package: &Path, accepted: Option<&Path>) -> (i32, String) {
    let mut command = Command::new(folder.join("drift"));
    command.arg("EDFDVBD6EXAMPLE").arg(root().join(policy)).arg(package).args(accepted);
    command.env("AUTHORIZER", authorizer());
    let output = command.output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), out.lines().next_back().unwrap_or_default().to_owned())
}

#[test]
fn the_last_line_and_the_exit_code_say_whether_it_is_what_was_reviewed() {
    const POLICY: &str = "fixtures/deployments/policy.toml";
    let as_it_was = beside("true");
    // A zip with the bundle of the policy, whose hash the exported function is then given.
    let package = as_it_was.path().join("package.zip");
    let mut zip = ZipWriter::new(File::create(&package).unwrap());
    zip.start_file("bundle.json", SimpleFileOptions::default()).unwrap();
    zip.write_all(PolicyFile::load(&root().join(POLICY)).unwrap().bundle_json()).unwrap();
    zip.finish().unwrap();
    let code = STANDARD.encode(digest(&SHA256, &fs::read(&package).unwrap()));
    let with_code = format!(
        "sed -i 's|47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=|{code}|' function-edge-authorizer-1.json"
    );

    let held = beside(&with_code);
    assert_eq!(drift(held.path(), POLICY, &package), (0, "drift of EDFDVBD6EXAMPLE: no findings".to_owned()));

    let (code, last) = drift(as_it_was.path(), POLICY, &package);
    assert_eq!(code, 1);
    assert!(last.starts_with("drift of EDFDVBD6EXAMPLE: ") && last.contains("finding"), "{last}");

    // A finding that is accepted is no drift.
    let drifted = beside(&format!(
        "{with_code} && sed -i 's|\"SigningBehavior\": \"always\"|\"SigningBehavior\": \"never\"|' origin-access-control-*.json"
    ));
    let (code, last) = drift(drifted.path(), POLICY, &package);
    assert_eq!(code, 1, "{last}");
    let export = drifted.path().join("export-to-accept");
    assert!(
        Command::new(drifted.path().join("export"))
            .arg("EDFDVBD6EXAMPLE")
            .arg(&export)
            .status()
            .unwrap()
            .success()
    );
    let mut audit = Command::new(authorizer());
    audit.args(["audit", "deployment"]).arg(&export).arg("--policy").arg(root().join(POLICY));
    let report = audit.arg("--package").arg(&package).args(["--format", "json"]).output().unwrap().stdout;
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    let mut entries = String::new();
    for one in report["findings"].as_array().unwrap() {
        entries.push_str(&format!(
            "[[accepted]]\nfinding = {}\nseverity = {}\nfile = {}\nmessage = {}\nseen = {}\nreason = \"a test\"\n",
            one["id"], one["severity"], one["file"], one["message"], one["seen"]
        ));
    }
    // A path with a space is one argument.
    let accepted = drifted.path().join("what is accepted.toml");
    fs::write(&accepted, entries).unwrap();
    let (code, last) = drift_with(drifted.path(), POLICY, &package, Some(&accepted));
    assert_eq!(code, 0, "{last}");
    let not_there = drifted.path().join("not-there.toml");
    assert_eq!(
        drift_with(drifted.path(), POLICY, &package, Some(&not_there)),
        (2, "drift of EDFDVBD6EXAMPLE: not checked, the audit failed".to_owned())
    );

    let not_checked = |why: &str| (2, format!("drift of EDFDVBD6EXAMPLE: not checked, {why}"));
    let broken = beside("exit 3");
    assert_eq!(drift(broken.path(), POLICY, &package), not_checked("the export failed"));
    assert_eq!(drift(held.path(), "fixtures/no-such.toml", &package), not_checked("the audit failed"));
}

#[test]
fn the_role_of_the_schedule_may_do_what_the_export_does_and_no_more() {
    let export = fs::read_to_string(root().join("infra/export")).unwrap();
    let (_, code) = export.split_once("import json").unwrap();
    let mut commands: BTreeSet<&str> = code
        .split('"')
        .filter(|text| ["get-", "list-", "describe-"].iter().any(|verb| text.starts_with(verb)))
        .filter(|text| text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'))
        .collect();
    // The names of these are put together.
    assert!(code.contains("f\"get-{name}\""));
    commands.extend(["get-cache-policy", "get-origin-request-policy", "get-response-headers-policy"]);

    let template = fs::read_to_string(root().join("infra/cloudformation/drift.yaml")).unwrap();
    let (_, statement) = template.split_once("- Sid: Export").unwrap();
    let (statement, _) = statement.split_once("Resource:").unwrap();
    let actions: BTreeSet<String> = statement
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- "))
        .map(|action| action.split_once(':').unwrap().1.to_owned())
        .collect();

    let mut needed: BTreeSet<String> = commands.into_iter().map(action_of).collect();
    // The same command is of a bucket and of the account.
    assert!(code.contains("\"s3control\", \"get-public-access-block\""));
    needed.insert("GetAccountPublicAccessBlock".to_owned());
    assert_eq!(actions, needed);
}

#[test]
fn a_check_that_does_not_run_is_told_as_well() {
    let template = fs::read_to_string(root().join("infra/cloudformation/drift.yaml")).unwrap();
    let (_, alarm) = template.split_once("Type: AWS::CloudWatch::Alarm").unwrap();
    let (alarm, _) = alarm.split_once("\n\n").unwrap();
    for said in [
        "MetricName: SucceededBuilds",
        "Statistic: Sum",
        "Period: 86400",
        "ComparisonOperator: LessThanThreshold",
        "TreatMissingData: breaching",
        "AlarmActions: [!Ref Told]",
    ] {
        assert!(alarm.contains(said), "{said}");
    }
    let (_, policy) = template.split_once("Type: AWS::SNS::TopicPolicy").unwrap();
    assert!(policy.contains("Service: cloudwatch.amazonaws.com"));
}

/// The IAM action of a command: its name in another case, but for those that S3 names otherwise ("Actions, resources,
/// and condition keys for Amazon S3", Service Authorization Reference).
fn action_of(command: &str) -> String {
    match command {
        "get-bucket-encryption" => "GetEncryptionConfiguration".to_owned(),
        "get-bucket-replication" => "GetReplicationConfiguration".to_owned(),
        "get-bucket-notification-configuration" => "GetBucketNotification".to_owned(),
        "list-bucket-inventory-configurations" => "GetInventoryConfiguration".to_owned(),
        "get-public-access-block" => "GetBucketPublicAccessBlock".to_owned(),
        other => other
            .split('-')
            .map(|word| {
                word.chars()
                    .take(1)
                    .flat_map(char::to_uppercase)
                    .chain(word.chars().skip(1))
                    .collect::<String>()
            })
            .collect(),
    }
}
