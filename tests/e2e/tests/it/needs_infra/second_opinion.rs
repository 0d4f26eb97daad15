//! The findings of checkov, which does not know the authorizer, in `infra/cloudformation`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use authorizer_e2e::cloudformation::{parsed, path, python};
use authorizer_e2e::tools::installed;

/// The accepted findings: the check, the resource, and why it is accepted.
const EXCEPTIONS: [(&str, &str, &str); 7] = [
    ("CKV_AWS_115", "AWS::Lambda::Function.Function", "Lambda@Edge takes no reserved concurrency"),
    (
        "CKV_AWS_116",
        "AWS::Lambda::Function.Function",
        "Lambda@Edge takes no dead-letter queue, and has no events to lose",
    ),
    ("CKV_AWS_117", "AWS::Lambda::Function.Function", "Lambda@Edge takes no VPC"),
    (
        "CKV_AWS_86",
        "AWS::CloudFront::Distribution.Distribution",
        "access logs come by AWS::Logs::Delivery; the older way, which it looks for, needs a bucket with ACLs",
    ),
    (
        "CKV_AWS_174",
        "AWS::CloudFront::Distribution.Distribution",
        "with CertificateArn it is TLSv1.2_2021; without, CloudFront's own certificate takes no such setting",
    ),
    (
        "CKV_AWS_26",
        "AWS::SNS::Topic.Told",
        "CloudWatch cannot send to a topic with AWS's key for SNS, and an alarm's message holds only its name and numbers",
    ),
    ("CKV_AWS_18", "AWS::S3::Bucket.LogBucket", "a log of the log's bucket would be a log of itself"),
];

/// The failed checks in templates, each with its resource.
fn failed(checkov: &Path, templates: &[PathBuf]) -> BTreeSet<(String, String)> {
    let mut arguments = vec![
        "-m",
        "checkov.main",
        "--framework",
        "cloudformation",
        "--skip-download",
        "--output",
        "json",
        "--file",
    ];
    arguments.extend(templates.iter().map(|template| template.to_str().unwrap()));
    let report = parsed(&python(checkov, &arguments));
    let summary = &report["summary"];
    assert_eq!(summary["parsing_errors"], 0, "{summary}");
    assert!(summary["passed"].as_u64().unwrap() >= 20, "{summary}");
    let checks = report["results"]["failed_checks"].as_array().unwrap().iter();
    let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    checks.map(|check| (word(&check["check_id"]), word(&check["resource"]))).collect()
}

#[test]
fn every_check_of_checkovs_holds_but_those_excepted_by_name_and_reason() {
    let Some(checkov) = installed("checkov", "checkov") else { return };
    let excepted = EXCEPTIONS.map(|(check, resource, _)| (check.to_owned(), resource.to_owned()));
    let templates = ["stack.yaml", "function.yaml", "alarms.yaml"].map(path);
    assert_eq!(failed(checkov, &templates), BTreeSet::from(excepted));
}

#[test]
fn checkov_finds_what_is_taken_away() {
    let Some(checkov) = installed("checkov", "checkov") else { return };
    let whole = std::fs::read_to_string(path("stack.yaml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.yaml");
    let cases = [
        ("EnableKeyRotation: true", "EnableKeyRotation: false", "CKV_AWS_7"),
        ("BlockPublicAcls: true", "BlockPublicAcls: false", "CKV_AWS_53"),
        (
            "Status: Enabled\n      BucketEncryption",
            "Status: Suspended\n      BucketEncryption",
            "CKV_AWS_21",
        ),
        ("ViewerProtocolPolicy: https-only", "ViewerProtocolPolicy: allow-all", "CKV_AWS_34"),
    ];
    let mut text = whole;
    for (held, instead, _) in cases {
        assert!(text.contains(held), "{held}");
        text = text.replace(held, instead);
    }
    std::fs::write(&broken, text).unwrap();
    let found = failed(checkov, &[broken, path("function.yaml")]);
    for (_, instead, check) in cases {
        assert!(found.iter().any(|(id, _)| id == check), "{instead}: {check} is not in {found:?}");
    }
}
