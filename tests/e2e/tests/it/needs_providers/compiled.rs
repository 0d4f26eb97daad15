//! AWS's SDKs for Go and for Rust against the distribution, set as docs/clients.md says.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use authorizer_e2e::stage::Stage;
use authorizer_e2e::tools::installed;
use serde_json::{Value, json};

const KEY: &str = "users/alice/a b+c é.txt";
const SECRET: &str = "users/bob/secret";

fn stage() -> Stage {
    Stage::start_having(SECRET, "secret", false)
}

/// Runs a driver: one call for each line, and the answers.
fn drive(tool: &Path, stage: &Stage, token: &str, checksums: &str, calls: &[Value]) -> Vec<Value> {
    let mut driver = Command::new(tool.join("bin/driver"));
    driver.env_clear().env("HOME", stage.folder().join("nowhere")).args([&stage.addr(), token, checksums]);
    // The SDK for Go reads the setting here, if it knows it.
    driver.env("AWS_REQUEST_CHECKSUM_CALCULATION", checksums);
    let mut child =
        driver.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines: String = calls.iter().map(|call| format!("{call}\n")).collect();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answers.lines().count(), calls.len(), "{answers}{}", String::from_utf8_lossy(&output.stderr));
    answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn reads_writes_and_lists(tool: &Path, stage: &Stage) {
    let calls = [
        json!({"call": "PutObject", "key": KEY, "body": "hers"}),
        json!({"call": "GetObject", "key": KEY}),
        json!({"call": "HeadObject", "key": KEY}),
        json!({"call": "ListObjectsV2", "prefix": "users/alice/a b"}),
        json!({"call": "DeleteObject", "key": KEY}),
    ];
    let answers = drive(tool, stage, &stage.token("alice"), "when_required", &calls);
    for (call, answer) in calls.iter().zip(&answers) {
        assert!(answer["error"].is_null(), "{call} {answer}");
    }
    assert_eq!(answers[1]["body"], "hers");
    assert_eq!(answers[3]["keys"], json!([KEY]));
    assert_eq!(stage.keys(), [SECRET]);
}

fn gets_no_further_and_shows_refusals_as_s3s(tool: &Path, stage: &Stage) {
    let alice = stage.token("alice");
    let source = format!("files/{SECRET}");
    stage.bucket_log();
    let refused = [
        (json!({"call": "GetObject", "key": SECRET}), 403, Some("AccessDenied")),
        (json!({"call": "PutObject", "key": SECRET, "body": "x"}), 403, Some("AccessDenied")),
        (json!({"call": "DeleteObject", "key": SECRET}), 403, Some("AccessDenied")),
        (json!({"call": "ListObjectsV2", "prefix": "users/bob/"}), 403, Some("AccessDenied")),
        // The answer to HEAD has no body, so there is no code of S3's.
        (json!({"call": "HeadObject", "key": SECRET}), 403, None),
        (
            json!({"call": "CopyObject", "key": "users/alice/x", "source": source}),
            400,
            Some("InvalidRequest"),
        ),
        (json!({"call": "PutObjectAcl", "key": KEY}), 400, Some("InvalidRequest")),
    ];
    let calls: Vec<_> = refused.iter().map(|(call, ..)| call.clone()).collect();
    let answers = drive(tool, stage, &alice, "when_required", &calls);
    for ((call, status, code), answer) in refused.iter().zip(&answers) {
        let error = &answer["error"];
        assert_eq!(error["status"], *status, "{call} {answer}");
        if let Some(code) = code {
            assert_eq!(error["code"], *code, "{call} {answer}");
            assert!(
                error["message"].as_str().is_some_and(|message| message.ends_with('.')),
                "{call} {answer}"
            );
        }
    }
    let forged = &drive(tool, stage, "a.b.c", "when_required", &calls[..1])[0]["error"];
    assert_eq!((&forged["status"], &forged["code"]), (&json!(401), &json!("AccessDenied")), "{forged}");
    assert!(stage.bucket_log().is_empty());
    assert_eq!(fs::read_to_string(stage.file(SECRET)).unwrap(), "secret");
}

#[test]
fn the_sdk_for_go_reads_writes_and_lists_and_gets_no_further() {
    let Some(tool) = installed("sdk-go", "AWS's SDK for Go") else { return };
    let stage = stage();
    reads_writes_and_lists(tool, &stage);
    gets_no_further_and_shows_refusals_as_s3s(tool, &stage);
}

#[test]
fn the_upload_manager_of_the_sdk_for_go_uploads_in_parts() {
    let Some(tool) = installed("sdk-go", "AWS's SDK for Go") else { return };
    let stage = stage();
    let calls = [json!({"call": "Upload", "key": KEY, "body": "hers"})];
    let answers = drive(tool, &stage, &stage.token("alice"), "when_required", &calls);
    assert!(answers[0]["error"].is_null(), "{answers:?}");
    assert_eq!(fs::metadata(stage.file(KEY)).unwrap().len(), 6 << 20);
    assert!(stage.bucket_lines().iter().any(|line| line.starts_with("CompleteMultipartUpload ")));
}

#[test]
fn the_sdk_for_rust_reads_writes_and_lists_and_gets_no_further() {
    let Some(tool) = installed("sdk-rust", "AWS's SDK for Rust") else { return };
    let stage = stage();
    reads_writes_and_lists(tool, &stage);
    gets_no_further_and_shows_refusals_as_s3s(tool, &stage);
}

#[test]
fn the_sdk_for_rust_sends_a_file_and_by_itself_adds_checksums_that_not_every_rule_lets_through() {
    let Some(tool) = installed("sdk-rust", "AWS's SDK for Rust") else { return };
    let stage = stage();
    let file = stage.folder().join("file");
    // Less than `serve` reads of a refused upload (`LINGER_BYTES`). Of a longer one the client may see the connection end
    // in the place of the answer.
    fs::write(&file, vec![7; 200_000]).unwrap();
    let calls = [
        json!({"call": "PutObject", "key": KEY, "body": "hers"}),
        json!({"call": "GetObject", "key": KEY}),
        json!({"call": "PutObject", "key": "pictures/alice/a.png", "body": "hers"}),
        json!({"call": "PutObject", "key": "users/alice/file", "file": file}),
    ];
    let answers = drive(tool, &stage, &stage.token("alice"), "when_supported", &calls);
    // In memory: the checksum is a header, which the rule lets through.
    assert_eq!((&answers[0], &answers[1]["body"]), (&json!({}), &json!("hers")), "{answers:?}");
    // It does not here.
    assert_eq!(answers[2]["error"]["status"], 400, "{answers:?}");
    // A file: the checksum comes after the body, wrapped.
    assert_eq!(answers[3]["error"]["status"], 400, "{answers:?}");
    assert_eq!(stage.keys(), [KEY, SECRET]);
    let answers = drive(tool, &stage, &stage.token("alice"), "when_required", &calls);
    assert!(answers.iter().all(|answer| answer["error"].is_null()), "{answers:?}");
    assert_eq!(fs::metadata(stage.file("users/alice/file")).unwrap().len(), 200_000);
}
