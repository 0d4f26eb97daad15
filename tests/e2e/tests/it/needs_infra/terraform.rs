//! `infra/terraform`, planned and tested by Terraform with the schemas of its AWS provider. Nothing is applied,
//! because there is only a stub behind the schemas.

mod registry;
pub(super) mod template;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use authorizer_e2e::binaries::root;
use authorizer_e2e::tools::installed;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use tempfile::TempDir;

/// The provider's folder, if Terraform is on this machine and the provider could be made. Otherwise the test says so
/// and is skipped; with `CI=true` it fails.
fn provider() -> Option<&'static Path> {
    installed("terraform", "Terraform over the AWS provider's schemas")
}

/// A copy of `infra`, with a placeholder for the zip.
struct Copy {
    folder: TempDir,
    provider: &'static Path,
}

/// The placeholder: for Terraform, a package can be any file.
const PACKAGE: &[u8] = b"not a zip, but a file with a digest";

impl Copy {
    fn make() -> Option<Self> {
        let provider = provider()?;
        let folder = tempfile::tempdir().unwrap();
        copy(&root().join("infra"), &folder.path().join("infra"));
        fs::create_dir(folder.path().join("dist")).unwrap();
        fs::write(folder.path().join("dist/authorizer.zip"), PACKAGE).unwrap();
        Some(Self { folder, provider })
    }

    /// Replaces a text that is there exactly once.
    fn change(&self, file: &str, text: &str, instead: &str) {
        let path = self.folder.path().join("infra").join(file);
        let whole = fs::read_to_string(&path).unwrap();
        assert_eq!(whole.matches(text).count(), 1, "{file}: {text}");
        fs::write(path, whole.replace(text, instead)).unwrap();
    }

    /// Runs Terraform in a folder of `infra/terraform`, without the caller's configuration.
    fn terraform(&self, folder: &str, arguments: &[&str]) -> Output {
        let mut terraform = Command::new("terraform");
        terraform.args(arguments).current_dir(self.folder.path().join("infra/terraform").join(folder));
        terraform.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.folder.path());
        terraform.env("TF_CLI_CONFIG_FILE", self.provider.join("terraformrc"));
        terraform.env("TF_IN_AUTOMATION", "1").env("CHECKPOINT_DISABLE", "1");
        terraform.env("TF_VAR_package", self.folder.path().join("dist/authorizer.zip"));
        terraform.env("TF_VAR_code_sha256", BASE64_STANDARD.encode(digest(&SHA256, PACKAGE)));
        terraform.output().unwrap()
    }

    /// Runs it, and returns its output. Fails if it fails.
    fn done(&self, folder: &str, arguments: &[&str]) -> String {
        let output = self.terraform(folder, arguments);
        assert!(output.status.success(), "{arguments:?} {}", told(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The addresses of all resources in an example's plan.
    fn planned(&self, example: &str) -> Vec<String> {
        let folder = format!("examples/{example}");
        self.done(&folder, &["get"]);
        let validated: Value = serde_json::from_str(&self.done(&folder, &["validate", "-json"])).unwrap();
        assert_eq!((&validated["valid"], &validated["error_count"]), (&true.into(), &0.into()));
        self.done(&folder, &["plan", "-input=false", "-out=plan"]);
        let plan: Value = serde_json::from_str(&self.done(&folder, &["show", "-json", "plan"])).unwrap();
        let changes = plan["resource_changes"].as_array().unwrap().iter();
        let made = changes.filter(|one| one["change"]["actions"][0] == "create");
        let mut addresses: Vec<_> = made.map(|one| one["address"].as_str().unwrap().to_owned()).collect();
        addresses.sort();
        addresses
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        // Files from somebody's own run do not belong to the module.
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(".terraform") || name == "node_modules" {
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn told(output: &Output) -> String {
    let text =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
    // Messages are wrapped, and long ones have a frame.
    text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

#[test]
fn the_modules_are_as_terraform_writes_them() {
    let Some(copy) = Copy::make() else { return };
    assert_eq!(copy.done(".", &["fmt", "-check", "-recursive", "-list=true"]), "");
}

#[test]
fn the_example_for_the_whole_plans_everything_that_the_template_has() {
    let Some(copy) = Copy::make() else { return };
    let expected = [
        "aws_cloudfront_distribution.this",
        "aws_cloudfront_origin_access_control.this",
        "aws_cloudfront_origin_request_policy.this",
        "aws_cloudfront_response_headers_policy.this",
        "aws_cloudwatch_log_delivery.access[0]",
        "aws_cloudwatch_log_delivery_destination.access[0]",
        "aws_cloudwatch_log_delivery_source.access[0]",
        "aws_kms_key.files",
        "aws_kms_key_policy.files",
        "aws_s3_bucket.files",
        "aws_s3_bucket.logs[0]",
        "aws_s3_bucket_lifecycle_configuration.files",
        "aws_s3_bucket_lifecycle_configuration.logs[0]",
        "aws_s3_bucket_logging.files[0]",
        "aws_s3_bucket_ownership_controls.files",
        "aws_s3_bucket_ownership_controls.logs[0]",
        "aws_s3_bucket_policy.files",
        "aws_s3_bucket_policy.logs[0]",
        "aws_s3_bucket_public_access_block.files",
        "aws_s3_bucket_public_access_block.logs[0]",
        "aws_s3_bucket_server_side_encryption_configuration.files",
        "aws_s3_bucket_server_side_encryption_configuration.logs[0]",
        "aws_s3_bucket_versioning.files",
        "aws_s3_bucket_versioning.logs[0]",
        "module.function.aws_iam_role.this",
        "module.function.aws_iam_role_policy.log",
        "module.function.aws_lambda_function.this",
    ];
    let planned = copy.planned("whole");
    assert_eq!(planned, expected.map(|address| format!("module.files.{address}")));
}

#[test]
fn the_example_for_the_function_plans_it_and_its_role() {
    let Some(copy) = Copy::make() else { return };
    let expected = ["aws_iam_role.this", "aws_iam_role_policy.log", "aws_lambda_function.this"];
    assert_eq!(copy.planned("function-only"), expected.map(|address| format!("module.function.{address}")));
}

#[test]
fn a_zip_that_was_not_reviewed_is_not_planned() {
    let Some(copy) = Copy::make() else { return };
    fs::write(copy.folder.path().join("dist/authorizer.zip"), "another").unwrap();
    copy.done("examples/function-only", &["get"]);
    let output = copy.terraform("examples/function-only", &["plan", "-input=false"]);
    assert!(!output.status.success());
    assert!(told(&output).contains("The zip is not the one that was reviewed"), "{}", told(&output));
}

#[test]
fn a_library_is_planned_for_python_alone_wherever_its_name_is_in_the_zip() {
    let Some(copy) = Copy::make() else { return };
    let main = "terraform/examples/function-only/main.tf";
    let given = "  code_sha256 = var.code_sha256\n";
    copy.change(main, given, &format!("{given}  runtime = \"nodejs24.x\"\n"));
    copy.done("examples/function-only", &["get"]);
    let refused = |zip: &[u8]| {
        fs::write(copy.folder.path().join("dist/authorizer.zip"), zip).unwrap();
        let sha256 = format!("code_sha256={}", BASE64_STANDARD.encode(digest(&SHA256, zip)));
        let output =
            copy.terraform("examples/function-only", &["plan", "-input=false", "-var", sha256.as_str()]);
        (!output.status.success()).then(|| told(&output))
    };
    assert_eq!(refused(PACKAGE), None);
    for begin in ["", "a", "ab"] {
        let told = refused(format!("{begin}libauthorizer.so, and more").as_bytes()).expect(begin);
        assert!(told.contains("made with --hand-over library, for Python alone"), "{told}");
    }
}

/// The summary of `terraform test`, and all of its output.
fn tested(copy: &Copy) -> (Value, String) {
    copy.done(".", &["get"]);
    let output = copy.terraform(".", &["test", "-json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let summary = lines.find(|line| line["type"] == "test_summary").unwrap();
    (summary["test_summary"].clone(), text)
}

#[test]
fn the_modules_hold_what_their_own_tests_say() {
    let Some(copy) = Copy::make() else { return };
    let (summary, text) = tested(&copy);
    assert_eq!((&summary["status"], &summary["passed"]), (&"pass".into(), &20.into()), "{text}");
}

#[test]
fn the_modules_own_tests_find_what_would_leave_a_way_around_the_function() {
    let Some(copy) = Copy::make() else { return };
    let cases = [
        (
            "terraform/distribution.tf",
            "signing_behavior = \"always\"",
            "signing_behavior = \"no-override\"",
            "Every request is signed for the bucket.",
        ),
        (
            "terraform/distribution.tf",
            "viewer_protocol_policy     = \"https-only\"",
            "viewer_protocol_policy     = \"redirect-to-https\"",
            "The one behavior has the numbered version on viewer-request, over HTTPS.",
        ),
        (
            "terraform/distribution.tf",
            "  origin {\n",
            "  origin {\n    origin_path = \"/private\"\n",
            "The one origin is the bucket's own endpoint, signed, without a path.",
        ),
        (
            "terraform/distribution.tf",
            "  query_strings_config {\n    query_string_behavior = \"all\"",
            "  query_strings_config {\n    query_string_behavior = \"none\"",
            "Query strings reach S3 whole, cookies never, and ten headers.",
        ),
        (
            "terraform/distribution.tf",
            "local.caching_disabled\n",
            "\"658327ea-f89d-4fab-a63d-7e88639e58f6\"\n",
            "Nothing is cached.",
        ),
        (
            "terraform/bucket.tf",
            "[for statement in [local.for_distributions.list] : statement if var.listing]",
            "[local.for_distributions.list]",
            "The bucket is the distribution's, over TLS, and nobody may list.",
        ),
        (
            "terraform/bucket.tf",
            "merge(local.for_distributions.bucket, { Action = local.object_actions })",
            "merge(local.for_distributions.bucket, { Action = local.object_actions, Condition = {} })",
            "The bucket's statement is the published one.",
        ),
        ("terraform/bucket.tf", "var.deletes ? ", "true ? ", "Nothing is written where no rule writes."),
        (
            "terraform/key.tf",
            "\"kms:PutKeyPolicy\",",
            "\"kms:PutKeyPolicy\", \"kms:Decrypt\",",
            "Whoever administers the key cannot use it.",
        ),
        (
            "terraform/key.tf",
            "merge(local.for_distributions.key, { Action = local.key_actions })",
            "merge(local.for_distributions.key, { Action = \"kms:*\" })",
            "The key's statement is the published one.",
        ),
        (
            "terraform/bucket.tf",
            "  restrict_public_buckets = true",
            "  restrict_public_buckets = false",
            "Nothing of the buckets is public, and ACLs are off.",
        ),
        (
            "terraform/modules/function/main.tf",
            "memory_size      = 128",
            "memory_size      = 256",
            "What CloudFront takes of a viewer-request function, and nothing that it does not.",
        ),
        (
            "terraform/modules/function/main.tf",
            "\"lambda.amazonaws.com\", \"edgelambda.amazonaws.com\"",
            "\"lambda.amazonaws.com\"",
            "The role is for both services, and for nobody else.",
        ),
        (
            "terraform/modules/function/main.tf",
            "\"logs:PutLogEvents\"]",
            "\"logs:PutLogEvents\", \"logs:CreateLogGroup\"]",
            "It may write its own log, and nothing else.",
        ),
        (
            "terraform/modules/function/main.tf",
            "log_format = \"JSON\"",
            "log_format = \"Text\"",
            "The log is JSON, in one group of the same name in all Regions.",
        ),
        (
            "terraform/distribution.tf",
            "var.http3 ? \"http2and3\" : \"http2\"",
            "\"http2and3\"",
            "No HTTP/3, with which there is no continuous deployment, and no web ACL.",
        ),
        (
            "terraform/logs.tf",
            "\"AWSLogDeliveryWrite1\"",
            "\"AWSLogsDeliveryWrite\"",
            "The statement for access logs is in AWS's own wording.",
        ),
        (
            "terraform/modules/function/main.tf",
            "publish = true",
            "publish = false",
            "A numbered version, which replicas keep from being deleted for hours.",
        ),
    ];
    for (file, text, instead, _) in cases {
        copy.change(file, text, instead);
    }
    let (summary, text) = tested(&copy);
    assert_eq!(summary["status"], "fail", "{text}");
    for (file, from, _, message) in cases {
        assert!(text.contains(message), "{file}: {from}: not found\n{text}");
    }
}

#[test]
fn a_module_that_the_provider_would_not_take_is_not_valid() {
    for (file, text, instead, message) in [
        (
            "terraform/distribution.tf",
            "    viewer_protocol_policy     = ",
            "    viewer_protocol            = ",
            "An argument named \"viewer_protocol\" is not expected here.",
        ),
        (
            "terraform/distribution.tf",
            "  restrictions {\n    geo_restriction {\n      restriction_type = \"none\"\n    }\n  }\n",
            "",
            "At least 1 \"restrictions\" blocks are required.",
        ),
        (
            "terraform/modules/function/main.tf",
            "timeout          = 5",
            "timeout          = \"soon\"",
            "Inappropriate value for attribute \"timeout\": a number is required.",
        ),
        (
            "terraform/key.tf",
            "key_id = aws_kms_key.files.key_id\n",
            "",
            "The argument \"key_id\" is required, but no definition was found.",
        ),
    ] {
        let Some(copy) = Copy::make() else { return };
        copy.change(file, text, instead);
        copy.done("examples/whole", &["get"]);
        let output = copy.terraform("examples/whole", &["validate", "-no-color"]);
        assert!(!output.status.success(), "{message}");
        assert!(told(&output).contains(message), "{message} is not in {}", told(&output));
    }
}
