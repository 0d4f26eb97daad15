//! `authorizer audit matrix --deployment`: a bucket, and what any of its distributions lets in.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::audit_deployment::{GOOD, POLICY, names, package};
use crate::harness::{Done, ROOT, authorizer};

const READING: &str = "fixtures/deployments/reading-only.toml";
const FUNCTION: &str = "function-edge-authorizer-1.json";

/// A copy of the good export, whose files are changed.
struct Copied(TempDir);

impl Copied {
    fn new(domain: &str) -> Self {
        let copied = Self(tempfile::tempdir().unwrap());
        for name in names() {
            let path = copied.0.path().join(&name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::copy(Path::new(ROOT).join(GOOD).join(&name), path).unwrap();
        }
        copied.change("identity.json", |identity| identity["DomainName"] = json!(domain));
        copied
    }

    fn change(&self, file: &str, change: impl FnOnce(&mut Value)) {
        let path = self.0.path().join(file);
        let mut value: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        change(&mut value);
        fs::write(path, value.to_string()).unwrap();
    }

    fn change_config(&self, change: impl FnOnce(&mut Value)) {
        self.change("distribution.json", |file| change(&mut file["DistributionConfig"]));
    }

    /// Adds a behavior like the default one.
    fn add_behavior(&self, pattern: &str, change: impl FnOnce(&mut Value)) {
        self.change_config(|config| {
            let mut behavior = config["DefaultCacheBehavior"].clone();
            behavior["PathPattern"] = json!(pattern);
            change(&mut behavior);
            let mut items = config["CacheBehaviors"]["Items"].as_array().cloned().unwrap_or_default();
            items.push(behavior);
            config["CacheBehaviors"] = json!({"Quantity": items.len(), "Items": items});
        });
    }

    fn with(&self, policy: &str) -> String {
        format!("{}={policy}", self.0.path().display())
    }
}

fn matrix(deployments: &[String], more: &[&str]) -> Done {
    let deployments: Vec<_> = deployments.iter().map(String::as_str).collect();
    authorizer(&[&["audit", "matrix", "--deployment"], deployments.as_slice(), more].concat())
}

fn table(deployments: &[String]) -> Value {
    let Done { code, out, err } = matrix(deployments, &["--format", "json"]);
    assert_eq!((code, err.as_str()), (0, ""));
    serde_json::from_str(&out).unwrap()
}

/// The pairs of keys and an operation of a bucket's table, with the ways.
fn cells(bucket: &Value) -> Vec<(String, String, String)> {
    let mut cells = Vec::new();
    for row in bucket["rows"].as_array().unwrap() {
        let ways: Vec<_> = row["through"]
            .as_array()
            .unwrap()
            .iter()
            .map(|way| way["distribution"].as_str().unwrap())
            .collect();
        for cell in row["cells"].as_array().unwrap() {
            let [keys, operation] =
                [&row["keys"], &cell["operation"]].map(|text| text.as_str().unwrap().to_owned());
            cells.push((keys, operation, ways.join(" ")));
        }
    }
    cells
}

/// One with everything, and one that only reads, from a folder of the bucket, by another policy.
fn two() -> (Copied, Copied) {
    let (files, archive) = (Copied::new("files.example.com"), Copied::new("archive.example.com"));
    archive.change_config(|config| {
        config["Origins"]["Items"][0]["OriginPath"] = json!("/archive");
        config["DefaultCacheBehavior"]["AllowedMethods"] = json!({"Quantity": 2, "Items": ["GET", "HEAD"]});
    });
    (files, archive)
}

#[test]
fn a_bucket_has_the_rows_of_every_distribution_that_reaches_it() {
    let (files, archive) = two();
    let deployments = [files.with(POLICY), archive.with(READING)];
    let all = table(&deployments);
    assert_eq!(all["buckets"].as_array().unwrap().len(), 1);
    let bucket = &all["buckets"][0];
    assert_eq!(bucket["bucket"], "private-files");
    let cells = cells(bucket);
    let has = |keys: &str, operation: &str, through: &str| {
        cells.contains(&(keys.to_owned(), operation.to_owned(), through.to_owned()))
    };
    assert!(has("users/{sub}/**", "PutObject", "files.example.com"), "{cells:#?}");
    assert!(cells.iter().any(|(keys, _, way)| keys.starts_with("archive/") && way == "archive.example.com"));
    assert!(
        cells.iter().filter(|(.., way)| way.contains("archive")).all(|(_, operation, _)| {
            [
                "GetObject",
                "HeadObject",
                "ListObjectsV2",
                "GetObjectVersion",
                "HeadObjectVersion",
                "HeadBucket",
            ]
            .contains(&operation.as_str())
        }),
        "{cells:#?}"
    );

    for format in ["text", "csv", "html"] {
        let Done { code, out, .. } = matrix(&deployments, &["--format", format]);
        assert_eq!(code, 0);
        insta::assert_snapshot!(format!("reach_{format}"), hidden(&out, &[&files, &archive]));
    }
}

/// The output without the folders of this run.
fn hidden(out: &str, copies: &[&Copied]) -> String {
    copies.iter().fold(out.to_owned(), |out, copied| out.replace(copied.0.path().to_str().unwrap(), "export"))
}

#[test]
fn the_same_row_by_two_ways_is_one_row() {
    let (one, other) = (Copied::new("one.example.com"), Copied::new("other.example.com"));
    let all = table(&[one.with(POLICY), other.with(POLICY)]);
    let cells = cells(&all["buckets"][0]);
    assert!(cells.iter().all(|(.., ways)| ways == "one.example.com other.example.com"), "{cells:#?}");
    let alone = table(&[one.with(POLICY)]);
    assert_eq!(
        alone["buckets"][0]["rows"].as_array().unwrap().len(),
        all["buckets"][0]["rows"].as_array().unwrap().len()
    );
}

#[test]
fn a_behavior_without_the_function_is_a_warning_and_no_row() {
    let open = Copied::new("files.example.com");
    open.add_behavior("/open/*", |behavior| behavior["LambdaFunctionAssociations"] = json!({"Quantity": 0}));
    let bucket = &table(&[open.with(POLICY)])["buckets"][0];
    let undecided = json!([{"distribution": "files.example.com", "behavior": "/open/*",
        "methods": ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"], "why": "no_function"}]);
    assert_eq!(bucket["undecided"], undecided);
    for format in ["text", "csv", "html"] {
        let Done { out, .. } = matrix(&[open.with(POLICY)], &["--format", format]);
        assert!(
            out.contains("has no function on viewer-request: anyone gets through with GET, HEAD"),
            "{out}"
        );
    }
    // And where nothing else reaches the bucket, it is still there.
    open.change_config(|config| {
        config["DefaultCacheBehavior"]["LambdaFunctionAssociations"] = json!({"Quantity": 0});
    });
    let bucket = &table(&[open.with(POLICY)])["buckets"][0];
    assert_eq!((bucket["rows"].clone(), bucket["undecided"].as_array().unwrap().len()), (json!([]), 2));
}

#[test]
fn a_package_shows_which_function_has_which_policy() {
    let [one, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let (one_zip, one_code) = package(one.path(), POLICY);
    let (other_zip, other_code) = package(other.path(), READING);
    let two = Copied::new("files.example.com");
    two.change(FUNCTION, |function| function["CodeSha256"] = json!(one_code));
    let arn = "arn:aws:lambda:us-east-1:111122223333:function:edge-authorizer:2";
    fs::copy(two.0.path().join(FUNCTION), two.0.path().join("function-edge-authorizer-2.json")).unwrap();
    two.change("function-edge-authorizer-2.json", |function| {
        function["CodeSha256"] = json!(other_code);
        function["FunctionArn"] = json!(arn);
    });
    two.add_behavior("/read/*", |behavior| {
        behavior["LambdaFunctionAssociations"]["Items"][0]["LambdaFunctionARN"] = json!(arn);
    });

    let bucket = &table(&[two.with(&one_zip), two.with(&other_zip)])["buckets"][0];
    assert_eq!(bucket["undecided"], json!([]));
    let ways: Vec<_> = bucket["rows"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row["through"].as_array().unwrap())
        .collect();
    assert!(ways.iter().all(|way| way["verified"] == true));
    for (zip, behavior) in [(&one_zip, "default"), (&other_zip, "/read/*")] {
        let of: Vec<_> = ways.iter().filter(|way| way["policy"] == **zip).collect();
        assert!(!of.is_empty() && of.iter().all(|way| way["behaviors"] == json!([behavior])), "{ways:#?}");
    }

    // One package alone does not say what the other function lets in.
    let bucket = &table(&[two.with(&one_zip)])["buckets"][0];
    assert_eq!(bucket["undecided"][0]["behavior"], "/read/*");
    assert_eq!(bucket["undecided"][0]["why"], json!({"other_function": arn}));
    let Done { out, .. } = matrix(&[two.with(&one_zip)], &[]);
    assert!(out.contains("which is none of the packages") && !out.contains("Not verified"), "{out}");

    // Of policies it cannot be told.
    let Done { code, out, err } = matrix(&[two.with(POLICY), two.with(READING)], &[]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("with several policies"), "{err}");
}

#[test]
fn what_is_no_bucket_is_named() {
    let other = Copied::new("files.example.com");
    other.change_config(|config| config["Origins"]["Items"][0]["DomainName"] = json!("api.example.com"));
    let all = table(&[other.with(POLICY)]);
    assert_eq!(all["buckets"], json!([]));
    assert_eq!(all["elsewhere"][0]["origin"], "api.example.com");
    let Done { out, .. } = matrix(&[other.with(POLICY)], &[]);
    assert!(out.starts_with("no behavior reaches a bucket\n"), "{out}");
    for format in ["text", "csv", "html"] {
        let Done { out, .. } = matrix(&[other.with(POLICY)], &["--format", format]);
        assert!(out.contains("goes to api.example.com"), "{format}: {out}");
    }
}

#[test]
fn what_cannot_be_read_is_an_error_and_no_table() {
    for (deployment, said) in [
        ("fixtures", "EXPORT_DIR=POLICY"),
        ("=fixtures/deployments/policy.toml", "EXPORT_DIR=POLICY"),
        ("no-such-folder=fixtures/deployments/policy.toml", "no-such-folder"),
        ("fixtures/policies=fixtures/deployments/policy.toml", "is not an export"),
        ("fixtures/deployments/good=no-such.toml", "no-such.toml"),
        ("fixtures/deployments/good=no-such.zip", "no-such.zip"),
    ] {
        let Done { code, out, err } = matrix(&[deployment.to_owned()], &[]);
        assert_eq!((code, out.as_str()), (2, ""), "{deployment}");
        assert!(err.contains(said), "{deployment}: {err}");
    }
    let Done { code, err, .. } = matrix(&[format!("{GOOD}={POLICY}")], &["--policy", POLICY]);
    assert_eq!(code, 2);
    assert!(err.contains("cannot be used with"), "{err}");
}

#[test]
fn requests_that_cloudfront_gives_to_no_function_are_a_warning() {
    for (member, value, said) in [
        ("GrpcConfig", json!({"Enabled": true}), "gRPC"),
        ("SmoothStreaming", json!(true), "Smooth Streaming"),
    ] {
        let past = Copied::new("files.example.com");
        past.change_config(|config| config["DefaultCacheBehavior"][member] = value);
        let bucket = &table(&[past.with(POLICY)])["buckets"][0];
        assert_eq!(bucket["undecided"][0]["why"], json!({"past_function": said}));
        assert_eq!(bucket["rows"], json!([]));
        let Done { out, .. } = matrix(&[past.with(POLICY)], &[]);
        assert!(out.contains(&format!("has {said} on, and CloudFront runs no function for it")), "{out}");
    }
}

#[test]
fn a_policy_alone_is_not_taken_for_that_of_several_functions() {
    let several = Copied::new("files.example.com");
    let arn = "arn:aws:lambda:us-east-1:111122223333:function:edge-authorizer:2";
    several.add_behavior("/read/*", |behavior| {
        behavior["LambdaFunctionAssociations"]["Items"][0]["LambdaFunctionARN"] = json!(arn);
    });
    let bucket = &table(&[several.with(POLICY)])["buckets"][0];
    assert_eq!((bucket["rows"].clone(), bucket["undecided"].as_array().unwrap().len()), (json!([]), 2));
}
