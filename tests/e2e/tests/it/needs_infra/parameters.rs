//! `infra/parameters`: the stack's parameters that follow from a policy.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use authorizer_core::origin_headers::OriginHeaders;
use authorizer_e2e::binaries::{root, run};
use authorizer_e2e::cloudformation::{linter, parsed, python, template};
use authorizer_policy::PolicyFile;
use serde_json::Value;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const POLICIES: [&str; 3] =
    ["fixtures/policies/sample.toml", "fixtures/policies/cases.toml", "fixtures/requests/policy.toml"];

/// Runs the script on a package with this policy.
fn parameters(policy: &Path) -> Output {
    parameters_of(PolicyFile::load(policy).unwrap().bundle_json())
}

fn parameters_of(bundle: &[u8]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("package.zip");
    let mut zip = ZipWriter::new(File::create(&path).unwrap());
    zip.start_file("bundle.json", SimpleFileOptions::default()).unwrap();
    zip.write_all(bundle).unwrap();
    zip.finish().unwrap();
    Command::new(root().join("infra/parameters")).arg(path).output().unwrap()
}

fn values(output: &Output) -> BTreeMap<String, String> {
    assert!(output.status.success(), "{output:?}");
    let text = std::str::from_utf8(&output.stdout).unwrap();
    let pair =
        |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap();
    text.lines().map(pair).collect()
}

/// A policy with these rules, and the sample's key.
fn written(folder: &Path, rest: &str) -> std::path::PathBuf {
    let path = folder.join("policy.toml");
    let keys = root().join("fixtures/policies/keys/sample.jwks.json");
    let issuer = format!(
        "version = 1\n[[issuers]]\nname = \"a\"\nissuer = \"https://a.example/\"\naudience = [\"files\"]\n\
         algorithms = [\"EdDSA\"]\njwks = {{ file = {keys:?} }}\n"
    );
    fs::write(&path, issuer + rest).unwrap();
    path
}

#[test]
fn the_local_distribution_forwards_the_same_headers() {
    for name in POLICIES {
        let path = root().join(name);
        let bundle = PolicyFile::load(&path).unwrap().into_bundle();
        let policy = bundle.policy();
        let forwarded = OriginHeaders::forwarded(policy.rules(), policy.max_origin_headers());
        let mut names: Vec<_> = forwarded.names().collect();
        let said = values(&parameters(&path));
        let mut listed: Vec<_> = said["ForwardedHeaders"].split(',').collect();
        names.sort_unstable();
        listed.sort_unstable();
        assert_eq!(names, listed, "{name}");
    }
}

#[test]
fn what_the_bucket_lets_the_distribution_do_is_what_check_says_of_the_policy() {
    for name in POLICIES {
        let policy = root().join(name);
        let said = values(&parameters(&policy));
        let checked = run(["check", "--format", "json", policy.to_str().unwrap()]);
        let checked: Value = serde_json::from_str(&checked).unwrap();
        let operations: Vec<&str> =
            checked["operations"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        for (parameter, opened_by) in [
            ("Uploads", &["PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"][..]),
            ("Deletes", &["DeleteObject"]),
            ("Multipart", &["AbortMultipartUpload", "ListParts"]),
            ("Versions", &["GetObjectVersion", "HeadObjectVersion"]),
            ("Listing", &["ListObjectsV2"]),
        ] {
            let opens = operations.iter().any(|operation| opened_by.contains(operation));
            assert_eq!(said[parameter], if opens { "yes" } else { "no" }, "{name}: {parameter}");
        }
    }
}

#[test]
fn every_value_is_one_that_the_template_takes() {
    let Some(linter) = linter() else { return };
    let template = template(linter, "stack.yaml");
    for name in POLICIES {
        for (parameter, value) in values(&parameters(&root().join(name))) {
            let known = &template["Parameters"][&parameter];
            let values = if known["Type"] == "CommaDelimitedList" {
                value.split(',').collect()
            } else {
                vec![&*value]
            };
            if let Some(pattern) = known["AllowedPattern"].as_str() {
                let script = "import json, re, sys
print(json.dumps([bool(re.fullmatch(sys.argv[1], value)) for value in sys.argv[2:]]))";
                let mut arguments = vec!["-c", script, pattern];
                arguments.extend(&values);
                let taken = parsed(&python(linter, &arguments));
                assert!(
                    taken.as_array().unwrap().iter().all(|taken| *taken == true),
                    "{name}: {parameter}={value}"
                );
            } else if let Some(allowed) = known["AllowedValues"].as_array() {
                assert!(allowed.iter().any(|allowed| *allowed == value), "{name}: {parameter}={value}");
            } else {
                let number: u64 = value.parse().unwrap_or_else(|_| panic!("{name}: {parameter}={value}"));
                assert!(number <= known["MaxValue"].as_u64().unwrap(), "{name}: {parameter}={value}");
            }
        }
    }
}

#[test]
fn what_a_rule_binds_reaches_s3_and_so_does_the_cors_of_the_policy() {
    let folder = tempfile::tempdir().unwrap();
    let policy = written(
        folder.path(),
        r#"
[credentials]
query = "access_token"

[cors]
origins         = ["https://app.example.com", "https://*.example.org"]
credentials     = true
exposed_headers = ["ETag", "x-amz-version-id"]
max_age_seconds = 60

[[rules]]
id         = "in-parts"
effect     = "allow"
operations = ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"]
keys       = ["films/**"]
upload     = { max_bytes = "5GB", create_only = true, metadata = { owner = "{sub}" } }

[[rules]]
id      = "not-counted"
effect  = "deny"
methods = ["GET", "DELETE"]
keys    = ["films/**"]
"#,
    );
    let said = values(&parameters(&policy));
    let headers: Vec<&str> = said["ForwardedHeaders"].split(',').collect();
    for needed in ["x-amz-meta-owner", "x-amz-mp-object-size", "If-None-Match", "Content-Type"] {
        assert!(headers.contains(&needed), "{needed}: {headers:?}");
    }
    assert!(!headers.contains(&"Range"), "{headers:?}");
    assert_eq!((&*said["Uploads"], &*said["Deletes"]), ("yes", "no"));
    assert_eq!(said["CorsOrigins"], "https://app.example.com,https://*.example.org");
    assert_eq!((&*said["CorsCredentials"], &*said["CorsMaxAgeSeconds"]), ("yes", "60"));
    assert_eq!(said["CorsExposedHeaders"], "ETag,x-amz-version-id");
    assert_eq!(said["LogQueryStrings"], "no");
}

/// The rule of a policy that reads and uploads, with this line.
fn rule(line: &str) -> String {
    format!(
        "[[rules]]\nid = \"checked\"\neffect = \"allow\"\nmethods = [\"GET\", \"PUT\"]\n\
         operations = [\"CreateMultipartUpload\", \"UploadPart\", \"CompleteMultipartUpload\"]\n\
         keys = [\"users/{{sub}}/**\"]\n{line}\n"
    )
}

#[test]
fn the_script_has_the_list_of_the_core_and_has_room_for_the_same_checksums() {
    for line in [
        "",
        "upload = { checksums = true }",
        "upload = { checksums = [\"sha256\", \"xxhash128\"] }",
        "upload = { checksums = true, max_bytes = 5, metadata = { owner = \"{sub}\" } }",
    ] {
        for quota in 10..28 {
            let folder = tempfile::tempdir().unwrap();
            let policy = folder.path().join("policy.toml");
            written(folder.path(), &rule(line));
            let text = fs::read_to_string(&policy).unwrap();
            fs::write(&policy, format!("max_origin_headers = {quota}\n{text}")).unwrap();
            let Ok(read) = PolicyFile::load(&policy) else { continue };
            let needed = OriginHeaders::of(read.bundle().policy().rules());
            let said = values(&parameters(&policy));
            let said: Vec<&str> = said["ForwardedHeaders"].split(',').collect();
            assert!(said.len() <= quota, "{line}, {quota}: {said:?}");
            for name in needed.names() {
                assert!(said.contains(&name), "{line}, {quota}: {name}");
            }
            let spare = ["Content-Disposition", "Content-Language", "Expires", "x-amz-checksum-mode"];
            for name in said {
                let is_known = needed.names().any(|known| known == name) || spare.contains(&name);
                assert!(is_known || name == "x-amz-sdk-checksum-algorithm", "{line}, {quota}: {name}");
            }
        }
    }
}

#[test]
fn a_policy_that_needs_more_headers_than_the_quota_is_not_cut_short_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let policy = written(
        folder.path(),
        r#"
[[rules]]
id      = "checked"
effect  = "allow"
methods = ["GET", "PUT"]
keys    = ["users/{sub}/**"]
upload  = { checksums = ["sha256", "crc32"] }
"#,
    );
    let refused = format!("{:?}", PolicyFile::load(&policy).unwrap_err());
    assert!(refused.contains("11 headers"), "{refused}");
    // A package of an older version may have such a policy.
    let text = fs::read_to_string(&policy).unwrap();
    fs::write(&policy, format!("max_origin_headers = 11\n{text}")).unwrap();
    let bundle = PolicyFile::load(&policy).unwrap().bundle_json().to_vec();
    let bundle = String::from_utf8(bundle).unwrap().replace("\"max_origin_headers\":11,", "");
    let refused = parameters_of(bundle.as_bytes());
    let text = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{text}");
    assert!(text.contains("11 headers") && text.contains("x-amz-checksum-sha256"), "{text}");
    // What to drop, what to narrow, what to ask AWS for, and what AWS may do unasked.
    for remedy in [
        "name one checksum in all rules, `checksums = [\"sha256\"]`: saves 1",
        "allow no reads here, with a distribution of their own for them: saves 5",
        "raise the quota `Headers per origin request policy`",
        "write `max_origin_headers = 11`",
        "8 of them are forwarded unasked by AWS's pages, which nobody here has seen",
    ] {
        assert!(text.contains(remedy), "{remedy}: {text}");
    }
    assert!(refused.stdout.is_empty());
    assert_eq!(values(&parameters(&policy))["ForwardedHeaders"].split(',').count(), 11);
}

#[test]
fn each_header_is_shown_with_the_rule_and_the_feature_that_need_it_and_what_aws_does_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let policy = written(
        folder.path(),
        r#"
[[rules]]
id         = "in-parts"
effect     = "allow"
operations = ["PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"]
keys       = ["films/**"]
upload     = { max_bytes = "5GB", metadata = { owner = "{sub}" } }

[[rules]]
id      = "readers"
effect  = "allow"
methods = ["HEAD"]
keys    = ["films/**"]
"#,
    );
    let zip = folder.path().join("package.zip");
    let mut package = ZipWriter::new(File::create(&zip).unwrap());
    let text = fs::read_to_string(&policy).unwrap();
    fs::write(&policy, format!("max_origin_headers = 12\n{text}")).unwrap();
    package.start_file("bundle.json", SimpleFileOptions::default()).unwrap();
    package.write_all(PolicyFile::load(&policy).unwrap().bundle_json()).unwrap();
    package.finish().unwrap();
    let output = Command::new(root().join("infra/parameters")).arg("--headers").arg(&zip).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.starts_with("11 of 12 headers, "), "{text}");
    for line in [
        "x-amz-meta-owner\tmetadata\tin-parts\tonly if it is listed",
        "x-amz-mp-object-size\tmax_bytes of multipart uploads\tin-parts\tonly if it is listed",
        "If-None-Match\tuploads, reads\tin-parts, readers\tAWS's pages: forwarded unasked (unproven)",
        "Content-Encoding\tuploads\tin-parts\tonly if it is listed",
        "Range\treads\treaders\tAWS's pages: forwarded unasked (unproven)",
    ] {
        assert!(text.lines().any(|one| one == line), "{line} is not in\n{text}");
    }
}
