//! From a package to a distribution that serves a bucket, with the scripts of `infra`, AWS's command line and an
//! emulator of AWS. `authorizer_e2e::ministack` lists what the emulator cannot do.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use authorizer_e2e::binaries::{authorizer, root};
use authorizer_e2e::lambda::Unpacked;
use authorizer_e2e::lambda_api::{LambdaApi, Version};
use authorizer_e2e::ministack::Ministack;
use authorizer_e2e::packages::sample;
use authorizer_e2e::runtimes::clients;
use authorizer_local::Runtime;
use authorizer_policy::PolicyFile;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::prove::code_sha256;

pub(super) const SAMPLE: &str = "fixtures/policies/sample.toml";
const CODE_BUCKET: &str = "deployments-of-ours";

/// A zip with the policy's bundle. The rest of a package is not needed here, because nothing runs it.
pub(super) fn package(folder: &Path, policy: &Path) -> PathBuf {
    package_as(&folder.join("package.zip"), policy)
}

pub(super) fn package_as(path: &Path, policy: &Path) -> PathBuf {
    let mut zip = ZipWriter::new(fs::File::create(path).unwrap());
    zip.start_file("bundle.json", SimpleFileOptions::default()).unwrap();
    zip.write_all(PolicyFile::load(policy).unwrap().bundle_json()).unwrap();
    zip.finish().unwrap();
    path.to_owned()
}

fn code_bucket(aws: &Ministack) {
    aws.aws(&["s3api", "create-bucket", "--bucket", CODE_BUCKET]);
    let enabled = "Status=Enabled";
    aws.aws(&[
        "s3api",
        "put-bucket-versioning",
        "--bucket",
        CODE_BUCKET,
        "--versioning-configuration",
        enabled,
    ]);
}

/// Runs `infra/deploy` with these settings.
fn deploy(aws: &Ministack, package: &Path, settings: &[(&str, &str)]) -> Output {
    let mut deploy = aws.command(root().join("infra/deploy"));
    // Without access logs: the emulator does not support AWS::Logs::Delivery.
    deploy.env("CODE_BUCKET", CODE_BUCKET).env("PARAMETERS", "AccessLogs=no").arg(package);
    // Two of the 13 Regions, because each costs a start of the command line.
    deploy.env("REGIONS", "us-east-1 eu-west-1");
    // The emulator does not run functions; a test of its own has one that does.
    deploy.env("PROVE", "no").env("AUTHORIZER", authorizer());
    deploy.envs(settings.iter().copied()).output().unwrap()
}

#[track_caller]
pub(super) fn said(output: &Output, status: i32) -> String {
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{text}");
    text
}

/// The statements of a published policy, for a bucket and a distribution.
pub(super) fn published(name: &str, bucket: &str, distribution: &str) -> Vec<Value> {
    let text = fs::read_to_string(root().join("infra/policies").join(name)).unwrap();
    let ours = text
        .replace("ACCOUNT_ID", "000000000000")
        .replace("DISTRIBUTION_ID", distribution)
        .replace("arn:aws:s3:::BUCKET", &format!("arn:aws:s3:::{bucket}"));
    serde_json::from_str::<Value>(&ours).unwrap()["Statement"].as_array().unwrap().clone()
}

/// A policy that AWS returns as a text.
pub(super) fn policy_of(answer: &Value) -> Value {
    serde_json::from_str(answer["Policy"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn the_whole_stack_is_deployed_in_one_go_and_its_distribution_alone_reaches_the_bucket() {
    let Some(aws) = Ministack::start() else { return };
    code_bucket(&aws);
    let zip = package(aws.folder(), &root().join(SAMPLE));
    let log = said(&deploy(&aws, &zip, &[("STACK", "files")]), 0);
    assert!(log.contains("second deployment: allows the distribution to use the key"), "{log}");
    let output = aws.outputs("files");
    let (bucket, distribution) = (output("BucketName"), output("DistributionId"));
    assert_eq!(output("KeyIsFor"), distribution);

    // Only the documents.
    let policy = policy_of(&aws.aws(&["s3api", "get-bucket-policy", "--bucket", &bucket]));
    let statements: Vec<Value> = ["bucket-policy.json", "list-policy.json", "tls-policy.json"]
        .iter()
        .flat_map(|name| published(name, &bucket, &distribution))
        .collect();
    assert_eq!(policy["Statement"], json!(statements));
    let key = output("KeyArn");
    let key_policy =
        policy_of(&aws.aws(&["kms", "get-key-policy", "--key-id", &key, "--policy-name", "default"]));
    assert_eq!(
        key_policy["Statement"].as_array().unwrap()[1..],
        published("key-policy.json", &bucket, &distribution)
    );
    let config = aws.aws(&["cloudfront", "get-distribution-config", "--id", &distribution]);
    let behavior = &config["DistributionConfig"]["DefaultCacheBehavior"];
    let function = json!([{
        "LambdaFunctionARN": output("VersionArn"), "EventType": "viewer-request", "IncludeBody": false,
    }]);
    assert_eq!(behavior["LambdaFunctionAssociations"]["Items"], function);
    assert!(output("VersionArn").ends_with(":1"));
    // The function is in a stack of its own, with a log group that is there and ends in each Region.
    let of_the_function = aws.outputs("files-function");
    assert_eq!(of_the_function("VersionArn"), output("VersionArn"));
    assert!(of_the_function("FunctionName").starts_with("files-"), "{}", of_the_function("FunctionName"));
    assert_eq!(of_the_function("LogGroupName"), "/lambda-edge/files");
    for region in ["us-east-1", "eu-west-1"] {
        let groups = aws.aws(&["logs", "describe-log-groups", "--region", region]);
        let groups: Vec<_> = groups["logGroups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["logGroupName"].clone(), one["retentionInDays"].clone()))
            .collect();
        let ours = [format!("/aws/cloudfront/LambdaEdge/{distribution}"), "/lambda-edge/files".to_owned()];
        assert_eq!(groups, ours.map(|name| (json!(name), json!(365))), "{region}");
    }

    // The distribution serves the bucket's objects over HTTPS, and other distributions cannot.
    let file = aws.folder().join("object");
    fs::write(&file, "hello").unwrap();
    let body = file.to_str().unwrap();
    aws.aws(&["s3api", "put-object", "--bucket", &bucket, "--key", "public/a", "--body", body]);
    let host = output("DomainName");
    let answer = aws.ask(&host, "https", "GET", "/public/a", &[], "").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "hello"));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let ranged = aws.ask(&host, "https", "GET", "/public/a", &[("range", "bytes=0-1")], "").await;
    assert_eq!((ranged.status, ranged.body.as_str()), (206, "he"));
    assert_eq!(aws.ask(&host, "http", "GET", "/public/a", &[], "").await.status, 403);
    // Nor can a request to the bucket itself.
    let endpoint = format!("{bucket}.s3.us-east-1.amazonaws.com");
    assert_eq!(aws.ask(&endpoint, "https", "GET", "/public/a", &[], "").await.status, 403);

    // The emulator ignores a template's encryption, so it is set by hand, as in the template.
    let encryption = json!({"Rules": [{
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key},
        "BucketKeyEnabled": true,
    }]});
    let encryption = encryption.to_string();
    let arguments = ["s3api", "put-bucket-encryption", "--bucket", &bucket];
    aws.aws(&[&arguments[..], &["--server-side-encryption-configuration", &encryption]].concat());
    let folder = aws.folder().join("export");
    said(&export(&aws, &distribution, &folder), 0);
    let mut files = BTreeSet::new();
    gather(&folder, &folder, &mut files);
    let key_file = format!("key-{}.json", key.rsplit('/').next().unwrap());
    for name in ["OriginRequestPolicyId", "ResponseHeadersPolicyId"].map(&output) {
        assert!(files.iter().any(|file| file.ends_with(&format!("policy-{name}.json"))), "{name}: {files:?}");
    }
    let exported: Value = serde_json::from_slice(&fs::read(folder.join(key_file)).unwrap()).unwrap();
    assert_eq!(policy_of(&exported), key_policy);
    let absent: Vec<_> = files
        .iter()
        .filter(|file| fs::read_to_string(folder.join(file)).unwrap().contains("Absent"))
        .collect();
    let expected = ["replication", "website"].map(|name| format!("bucket-{bucket}/{name}.json"));
    assert_eq!(absent, expected.iter().collect::<Vec<_>>());
    // Without its own domain name, the distribution has CloudFront's certificate.
    assert_eq!(
        audited(&folder, &root().join(SAMPLE), &zip),
        (0, BTreeSet::from(["EA221", "EA235"].map(str::to_owned)))
    );
    // The audit finds a bucket that is open to every distribution.
    let mut open = policy.clone();
    open["Statement"][0].as_object_mut().unwrap().remove("Condition");
    aws.aws(&["s3api", "put-bucket-policy", "--bucket", &bucket, "--policy", &open.to_string()]);
    let opened = aws.folder().join("opened");
    said(&export(&aws, &distribution, &opened), 0);
    let expected = BTreeSet::from(["EA221", "EA235", "EA271"].map(str::to_owned));
    assert_eq!(audited(&opened, &root().join(SAMPLE), &zip), (1, expected));
    aws.aws(&["s3api", "put-bucket-policy", "--bucket", &bucket, "--policy", &policy.to_string()]);
    // Two exports in one folder would look like one.
    let text = said(&export(&aws, &distribution, &folder), 1);
    assert!(text.contains("name another folder"), "{text}");
    let text = said(&export(&aws, "ENOTTHERE0000", &aws.folder().join("nothing")), 1);
    assert!(text.contains("the export is not complete"), "{text}");

    let foreign = distribution_over(&aws, &bucket, &output("OriginAccessControlId"), "foreign");
    assert_eq!(aws.ask(&foreign.1, "https", "GET", "/public/a", &[], "").await.status, 403);
}

#[test]
fn nothing_is_deployed_of_another_package_than_was_reviewed_nor_into_a_bucket_without_versions() {
    let Some(aws) = Ministack::start() else { return };
    let zip = package(aws.folder(), &root().join(SAMPLE));
    aws.aws(&["s3api", "create-bucket", "--bucket", CODE_BUCKET]);
    let text = said(&deploy(&aws, &zip, &[]), 1);
    assert!(text.contains("does not have versioning"), "{text}");
    code_bucket(&aws);
    let another = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let text = said(&deploy(&aws, &zip, &[("CODE_SHA256", another)]), 1);
    assert!(text.contains("nothing was deployed"), "{text}");
    let stacks = aws.aws(&["cloudformation", "list-stacks"]);
    assert_eq!(stacks["StackSummaries"], json!([]));
}

#[test]
fn a_change_of_the_policy_is_a_new_version_and_a_rollback_is_the_old_package() {
    let Some(aws) = Ministack::start() else { return };
    code_bucket(&aws);
    let zip = package(aws.folder(), &root().join(SAMPLE));
    said(&deploy(&aws, &zip, &[]), 0);
    let version = || aws.outputs("edge-authorizer")("VersionArn");
    let first = version();
    let log = said(&deploy(&aws, &zip, &[]), 0);
    assert_eq!(version(), first, "{log}");
    assert!(!log.contains("second deployment"), "{log}");

    let read_only = aws.folder().join("policy.toml");
    fs::write(&read_only, reading_only()).unwrap();
    let smaller = package(aws.folder(), &read_only);
    said(&deploy(&aws, &smaller, &[]), 0);
    assert_ne!(version(), first);
    let output = aws.outputs("edge-authorizer");
    let methods = || {
        let config = aws.aws(&["cloudfront", "get-distribution-config", "--id", &output("DistributionId")]);
        config["DistributionConfig"]["DefaultCacheBehavior"]["AllowedMethods"]["Quantity"].clone()
    };
    let actions = || {
        let policy = policy_of(&aws.aws(&["s3api", "get-bucket-policy", "--bucket", &output("BucketName")]));
        policy["Statement"][0]["Action"].clone()
    };
    // The policy allows reads and listings, and so do the distribution and the bucket, but nothing more.
    assert_eq!((methods(), actions()), (json!(2), json!(["s3:GetObject"])));

    let zip = package(aws.folder(), &root().join(SAMPLE));
    said(&deploy(&aws, &zip, &[]), 0);
    assert_eq!(
        (methods(), actions()),
        (json!(7), json!(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]))
    );
}

/// A stand-in for the command line that fails as AWS does: the first call with these words in its arguments writes
/// this to standard error and exits 254 (or 255, a waiter). All other calls go on to the emulator.
fn failing(aws: &Ministack, deploy: &mut Command, words: &str, message: &str) {
    let folder = aws.folder().join("failing");
    fs::create_dir_all(&folder).unwrap();
    let real = aws.folder().join("bin/aws");
    let script = format!(
        "#!/bin/sh\necho \"$*\" >>'{0}/calls'\ncase \"$*\" in *{words}*) if mkdir '{0}/done' 2>/dev/null; then\n\
         cat '{0}/message' >&2; exit 254; fi ;; esac\nexec '{1}' \"$@\"\n",
        folder.display(),
        real.display()
    );
    fs::write(folder.join("message"), message).unwrap();
    fs::write(folder.join("aws"), script).unwrap();
    let executable = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
    fs::set_permissions(folder.join("aws"), executable).unwrap();
    let path = std::env::var("PATH").unwrap();
    deploy.env("PATH", format!("{}:{path}", folder.display()));
}

/// A deployment in which one call fails: what was said, and the calls of the command line.
fn deployed_with(aws: &Ministack, zip: &Path, words: &str, message: &str) -> (String, Vec<String>) {
    let mut deploy = aws.command(root().join("infra/deploy"));
    deploy.env("CODE_BUCKET", CODE_BUCKET).env("PARAMETERS", "AccessLogs=no").arg(zip);
    deploy.env("REGIONS", "us-east-1 eu-west-1").env("STACK", "files").env("PROVE", "no");
    failing(aws, &mut deploy, words, message);
    let output = deploy.output().unwrap();
    let text = said(&output, output.status.code().filter(|status| *status != 0).unwrap());
    let calls = fs::read_to_string(aws.folder().join("failing/calls")).unwrap();
    fs::remove_dir_all(aws.folder().join("failing")).unwrap();
    (text, calls.lines().map(str::to_owned).collect())
}

#[test]
fn each_failure_of_aws_stops_before_the_distribution_and_says_what_to_do_and_can_be_repeated() {
    let Some(aws) = Ministack::start() else { return };
    code_bucket(&aws);
    let zip = package(aws.folder(), &root().join(SAMPLE));
    for (words, message, expected) in [
        (
            "\"lambda wait published-version-active\"",
            "Waiter PublishedVersionActive failed: Waiter encountered a terminal failure state: State is Failed\n",
            "did not become Active, and nothing uses it",
        ),
        (
            "\"create-log-group --region eu-west-1\"",
            "An error occurred (AccessDeniedException) when calling the CreateLogGroup operation: explicit deny\n",
            "the log groups are not complete",
        ),
    ] {
        let (text, calls) = deployed_with(&aws, &zip, words, message);
        assert!(text.contains(expected) && text.contains(message.trim()), "{words}: {text}");
        let stack = "cloudformation deploy --stack-name files ";
        assert!(!calls.iter().any(|call| call.starts_with(stack)), "{words}: {calls:#?}");
    }
    // Nothing of these is in the way.
    said(&deploy(&aws, &zip, &[("STACK", "files")]), 0);
    // In this order: the function, Active, its log, and only then the distribution.
    let (_, calls) = deployed_with(&aws, &zip, "\"--query Stacks[0].Outputs[].[OutputKey\"", "");
    let mut rest = calls.iter();
    for step in [
        "cloudformation deploy --stack-name files-function ",
        "lambda wait published-version-active ",
        "logs create-log-group --region us-east-1 ",
        "logs create-log-group --region eu-west-1 ",
        "cloudformation deploy --stack-name files ",
    ] {
        assert!(rest.any(|call| call.starts_with(step)), "{step} is not where it should be: {calls:#?}");
    }
}

/// Runs `infra/deploy` with a stand-in for the whole command line, in which the stack fails for this reason.
fn failed_because(reason: &str, status: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let zip = package(folder.path(), &root().join(SAMPLE));
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in\n*put-object*) echo v1 ;;\n*describe-stack-events*) cat '{0}/reason' ;;\n\
         *StackStatus*) echo '{status}' ;;\n*'cloudformation deploy'*) exit 255 ;;\nesac\n",
        folder.path().display()
    );
    fs::write(folder.path().join("reason"), reason).unwrap();
    fs::write(folder.path().join("aws"), script).unwrap();
    let executable = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
    fs::set_permissions(folder.path().join("aws"), executable).unwrap();
    let mut deploy = Command::new(root().join("infra/deploy"));
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    deploy.arg(zip).env("PATH", path).env("CODE_BUCKET", CODE_BUCKET);
    said(&deploy.output().unwrap(), 1)
}

#[test]
fn an_error_of_aws_comes_with_what_to_do() {
    for (reason, remedy) in [
        (
            "Distribution\tThe function code size is larger than the maximum allowed size (InvalidLambdaFunctionAssociation)",
            "BUILD=small",
        ),
        (
            "Function\tLambda was unable to delete arn:... because it is a replicated function.",
            "run this again some hours later",
        ),
        (
            "AccessLogSource\tnot authorized to perform: cloudfront:AllowVendedLogDeliveryForResource",
            "PARAMETERS=AccessLogs=no",
        ),
        // The name of a resource is no cause.
        ("AccessLogSource\tRate exceeded (Service: CloudWatchLogs, Status Code: 400)", "throttles"),
        ("AccessLogDestination\tfiles-access already exists", "STACK=ANOTHER"),
        ("AccessLogSource\tLimitExceededException: DeliverySource", "docs/deploy.md, Quotas"),
        ("OriginRequestPolicy\tOriginRequestPolicy files-s3 already exists", "STACK=ANOTHER"),
        ("CachePolicy\tTooManyCachePolicies", "docs/deploy.md, Quotas"),
        ("Distribution\tThe function is not in Active state", "run this again"),
        (
            "Distribution\tis not authorized to perform: lambda:EnableReplication*",
            "lambda:DisableReplication*",
        ),
        ("Distribution\tOne or more of the CNAMEs you provided are already associated", "PARAMETERS=Alias"),
        (
            "Distribution\tThe specified SSL certificate doesn't exist (InvalidViewerCertificate)",
            "in us-east-1",
        ),
        ("Distribution\tRate exceeded (Service: CloudFront, Status Code: 400)", "throttles"),
        (
            "Distribution\tInvalid request provided: AWS::CloudFront::Distribution: InvalidArgument",
            "take a value",
        ),
        (
            "Function\tS3 Error Code: PermanentRedirect. S3 Error Message: The bucket is in this region: eu-central-1.",
            "in another Region",
        ),
        (
            "Function\tThe operation cannot be performed at this time. An update is in progress",
            "when it has ended",
        ),
        ("Role\tis not authorized to perform: iam:CreateRole", "lack a permission"),
    ] {
        let text = failed_because(reason, "");
        assert!(text.contains(reason) && text.contains(remedy), "{reason}: {text}");
        assert!(text.contains("nothing after this step was done"), "{text}");
    }
    // What is left of a failed first deployment is deleted, and created again.
    let text = failed_because("Bucket\tfor another reason", "ROLLBACK_COMPLETE");
    assert!(text.contains("left of a failed first deployment"), "{text}");
    let text = failed_because("Bucket\tThe bucket you tried to delete is not empty", "ROLLBACK_FAILED");
    assert!(text.contains("is not empty") && text.contains("delete it, or choose another name"), "{text}");
}

#[test]
fn a_parameter_that_no_template_has_is_not_left_out_in_silence() {
    let Some(aws) = Ministack::start() else { return };
    let zip = package(aws.folder(), &root().join(SAMPLE));
    let text = said(&deploy(&aws, &zip, &[("PARAMETERS", "SandboxUpload=yes")]), 1);
    assert!(text.contains("no template has the parameter SandboxUpload"), "{text}");
}

/// A policy without a rule for writes.
pub(super) fn reading_only() -> String {
    let keys = root().join("fixtures/policies/keys/sample.jwks.json");
    format!(
        r#"version = 1

[[issuers]]
name       = "sample"
issuer     = "https://login.example.com/"
audience   = ["files-api"]
algorithms = ["EdDSA"]
jwks       = {{ file = {keys:?} }}

[[rules]]
id         = "owners-read-their-files"
effect     = "allow"
methods    = ["GET"]
operations = ["ListObjectsV2"]
keys       = ["users/{{sub}}/**"]
"#
    )
}

/// A distribution without a function in front of a bucket: its id and its name.
fn distribution_over(aws: &Ministack, bucket: &str, control: &str, reference: &str) -> (String, String) {
    let config = distribution_config(bucket, control, reference);
    let made = aws.aws(&["cloudfront", "create-distribution", "--distribution-config", &config.to_string()]);
    let word = |name: &str| made["Distribution"][name].as_str().unwrap().to_owned();
    (word("Id"), word("DomainName"))
}

/// The configuration of a distribution without a function in front of a bucket.
pub(super) fn distribution_config(bucket: &str, control: &str, reference: &str) -> Value {
    json!({
        "CallerReference": reference, "Comment": "", "Enabled": true,
        "Origins": {"Quantity": 1, "Items": [{
            "Id": "s3", "DomainName": format!("{bucket}.s3.us-east-1.amazonaws.com"), "OriginPath": "",
            "OriginAccessControlId": control, "S3OriginConfig": {"OriginAccessIdentity": ""},
        }]},
        "DefaultCacheBehavior": {
            "TargetOriginId": "s3", "ViewerProtocolPolicy": "redirect-to-https", "Compress": false,
            "AllowedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"],
                "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]}},
            "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
            "OriginRequestPolicyId": "b689b0a8-53d0-40ab-baf2-68738e2966ac",
        },
    })
}

/// Runs `infra/export`.
pub(super) fn export(aws: &Ministack, distribution: &str, folder: &Path) -> Output {
    aws.command(root().join("infra/export")).arg(distribution).arg(folder).output().unwrap()
}

/// The exit status of `authorizer audit deployment`, and the ids of its findings.
pub(super) fn audited(folder: &Path, policy: &Path, package: &Path) -> (i32, BTreeSet<String>) {
    let mut audit = Command::new(authorizer());
    audit.args(["audit", "deployment", "--format", "json"]).arg(folder);
    let output = audit.arg("--policy").arg(policy).arg("--package").arg(package).output().unwrap();
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    // The emulator does not know every call of the export.
    let unread = |finding: &&Value| {
        finding["id"] == "EA200"
            && finding["message"].as_str().unwrap().contains("the export could not read it")
    };
    let found = report["findings"].as_array().unwrap().iter().filter(|finding| !unread(finding));
    let grave =
        found.clone().any(|finding| ["high", "medium"].contains(&finding["severity"].as_str().unwrap()));
    let ids = found.map(|finding| finding["id"].as_str().unwrap().to_owned()).collect();
    assert!(grave || output.status.code() == Some(1) || output.status.code() == Some(0));
    (i32::from(grave), ids)
}

/// Runs `infra/attach`.
fn attach(aws: &Ministack, arguments: &[&str]) -> Output {
    let mut attach = aws.command(root().join("infra/attach"));
    attach.args(arguments).env("AUTHORIZER", authorizer()).env("YES", "1").env("NO_COLOR", "1");
    attach.env("OUT", aws.folder()).env("PROVE", "no").output().unwrap()
}

/// A distribution of a bucket, which the function can be put on: its id, and that of its Origin Access Control.
fn plain_distribution(aws: &Ministack) -> (String, String) {
    aws.aws(&["s3api", "create-bucket", "--bucket", "files-of-ours"]);
    let control = aws.aws(&[
        "cloudfront",
        "create-origin-access-control",
        "--origin-access-control-config",
        "Name=files,SigningProtocol=sigv4,SigningBehavior=always,OriginAccessControlOriginType=s3",
    ]);
    let control = control["OriginAccessControl"]["Id"].as_str().unwrap().to_owned();
    let (id, _) = distribution_over(aws, "files-of-ours", &control, "ours");
    (id, control)
}

#[test]
fn a_version_is_proven_before_a_distribution_has_it_and_a_difference_stops_both_scripts() {
    if clients(Runtime::Python).is_none() {
        return;
    }
    let Some(aws) = Ministack::start() else { return };
    code_bucket(&aws);
    let package = sample();
    let unpacked = Unpacked::new(&package.zip);
    let sha256 = code_sha256(&package.zip);
    let right = LambdaApi::start(Version::new(Runtime::Python, &sha256), unpacked.folder()).unwrap();
    let mut refusing = Version::new(Runtime::Python, &sha256);
    refusing.refuses = Some((403, "AccessDeniedException"));
    let refusing = LambdaApi::start(refusing, unpacked.folder()).unwrap();
    let other = LambdaApi::start(Version::new(Runtime::Python, "another"), unpacked.folder()).unwrap();

    let deployed = |api: &LambdaApi, prove: &str| {
        let url = api.url();
        let lambda = ("AWS_ENDPOINT_URL_LAMBDA", url.as_str());
        let settings = [("TEMPLATE", "function"), ("PARAMETERS", ""), ("PROVE", prove), lambda];
        deploy(&aws, &package.zip, &settings)
    };
    let text = said(&deployed(&right, "yes"), 0);
    assert!(text.contains("events are decided as `authorizer replay` decides them"), "{text}");
    assert!(
        text.contains("next step: infra/attach DISTRIBUTION_ID") && text.contains("in a clone: make attach"),
        "{text}"
    );
    let text = said(&deployed(&other, "yes"), 1);
    assert!(text.contains("WRONG  the version has the code another"), "{text}");
    assert!(text.contains("is not proven, and no distribution was changed"), "{text}");
    let text = said(&deployed(&refusing, "yes"), 2);
    assert!(text.contains("need lambda:InvokeFunction"), "{text}");
    let text = said(&deployed(&refusing, "no"), 0);
    assert!(text.contains("NOT PROVEN: "), "{text}");

    let version = aws.outputs("edge-authorizer")("VersionArn");
    let (id, _) = plain_distribution(&aws);
    let config =
        || aws.aws(&["cloudfront", "get-distribution-config", "--id", &id])["DistributionConfig"].take();
    let before = config();
    let attached = |api: &LambdaApi, first: &[&str]| {
        let mut attach = aws.command(root().join("infra/attach"));
        attach.args(first).args([&id, "--function-arn", &version, "--behavior", "all", "--policy"]);
        attach.arg(&package.policy).env("AUTHORIZER", authorizer()).env("YES", "1").env("OUT", aws.folder());
        attach.env("PACKAGE", &package.zip).env("AWS_ENDPOINT_URL_LAMBDA", api.url()).output().unwrap()
    };
    for (api, status) in [(&other, 1), (&refusing, 2)] {
        let text = said(&attached(api, &[]), status);
        assert!(text.contains("nothing was attached") && text.contains("--no-prove"), "{text}");
        assert_eq!(config(), before);
    }
    let text = said(&attached(&right, &[]), 0);
    assert!(text.contains("events are decided as `authorizer replay` decides them"), "{text}");
    assert_eq!(config()["DefaultCacheBehavior"]["LambdaFunctionAssociations"]["Quantity"], 1);
    let text = said(&attached(&refusing, &["--no-prove"]), 0);
    assert!(text.contains("NOT PROVEN: "), "{text}");
}

#[test]
fn the_function_is_put_on_a_distribution_that_exists_exported_and_taken_off_again() {
    let Some(aws) = Ministack::start() else { return };
    code_bucket(&aws);
    let policy = root().join(SAMPLE);
    let zip = package(aws.folder(), &policy);
    said(&deploy(&aws, &zip, &[("TEMPLATE", "function"), ("PARAMETERS", "")]), 0);
    let version = aws.outputs("edge-authorizer")("VersionArn");
    let name = aws.outputs("edge-authorizer")("FunctionName");

    let (id, control) = plain_distribution(&aws);
    let config =
        || aws.aws(&["cloudfront", "get-distribution-config", "--id", &id])["DistributionConfig"].take();
    let before = config();

    let arguments =
        [&id, "--function-arn", &version, "--behavior", "all", "--policy", policy.to_str().unwrap()];
    // Standard input does not say yes.
    let mut unasked = aws.command(root().join("infra/attach"));
    unasked.args(arguments).env("AUTHORIZER", authorizer()).env("OUT", aws.folder()).env("PROVE", "no");
    let text = said(&unasked.output().unwrap(), 1);
    assert!(text.contains("viewer-request") && text.contains("nothing was changed"), "{text}");
    assert_eq!(config(), before);

    // CloudFront would refuse a version that is not Active, and a distribution that somebody else has changed.
    for (words, message, status) in [
        ("\"lambda wait published-version-active\"", "Waiter PublishedVersionActive failed\n", 1),
        (
            "\"cloudfront update-distribution\"",
            "An error occurred (PreconditionFailed) when calling the UpdateDistribution operation\n",
            254,
        ),
    ] {
        let mut refused = aws.command(root().join("infra/attach"));
        refused.args(arguments).env("AUTHORIZER", authorizer()).env("YES", "1").env("OUT", aws.folder());
        refused.env("PROVE", "no");
        failing(&aws, &mut refused, words, message);
        let text = said(&refused.output().unwrap(), status);
        fs::remove_dir_all(aws.folder().join("failing")).unwrap();
        assert!(text.contains(message.trim()), "{text}");
        assert_eq!(config(), before);
    }

    let text = said(&attach(&aws, &arguments), 0);
    let behavior = &config()["DefaultCacheBehavior"];
    let function =
        json!([{"LambdaFunctionARN": version, "EventType": "viewer-request", "IncludeBody": false}]);
    assert_eq!(behavior["LambdaFunctionAssociations"]["Items"], function, "{text}");
    assert_eq!(behavior["AllowedMethods"]["Quantity"], 7, "{text}");
    assert_eq!(behavior["ViewerProtocolPolicy"], "https-only", "{text}");

    let folder = aws.folder().join("export");
    said(&export(&aws, &id, &folder), 0);
    let mut files = BTreeSet::new();
    gather(&folder, &folder, &mut files);
    let expected = [
        format!("origin-access-control-{control}.json"),
        "distribution.json".to_owned(),
        "identity.json".to_owned(),
        "cache-policy-4135ea2d-6df8-44a3-9df3-4b5a84be39ad.json".to_owned(),
        "origin-request-policy-b689b0a8-53d0-40ab-baf2-68738e2966ac.json".to_owned(),
        format!("function-{name}-1.json"),
        "account-public-access-block.json".to_owned(),
        "distributions.json".to_owned(),
        format!("log-groups-{name}.json"),
    ];
    let of_the_bucket = [
        "access-grants",
        "access-points",
        "acl",
        "encryption",
        "inventory",
        "notification",
        "ownership-controls",
        "policy",
        "public-access-block",
        "replication",
        "versioning",
        "website",
    ];
    let of_the_bucket = of_the_bucket.map(|name| format!("bucket-files-of-ours/{name}.json"));
    let read =
        |name: &str| -> Value { serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap() };
    let function = read(&format!("function-{name}-1.json"));
    let role = function["Role"].as_str().unwrap().rsplit('/').next().unwrap();
    let of_the_role = ["role", "attached", "inline", "policy-write-own-log"];
    let of_the_role = of_the_role.map(|name| format!("role-{role}/{name}.json"));
    assert_eq!(files, expected.into_iter().chain(of_the_bucket).chain(of_the_role).collect());
    assert_eq!(read("distribution.json")["DistributionConfig"], config());
    assert!(read("distribution.json")["ETag"].is_string());
    assert_eq!(read("bucket-files-of-ours/policy.json"), json!({"Absent": "NoSuchBucketPolicy"}));
    assert_eq!(function["Version"], "1");
    // The log group of the function itself, not the default one.
    let groups = read(&format!("log-groups-{name}.json"));
    assert_eq!(
        groups["Regions"]["eu-west-1"]["logGroups"][0]["logGroupName"],
        "/lambda-edge/edge-authorizer"
    );

    // The function is attached. The findings are what a distribution and a bucket made by hand lack: a certificate,
    // errors that are not cached, headers for browsers, no cookies for S3, a policy that allows the distribution, and versions.
    let expected = BTreeSet::from(
        ["EA221", "EA226", "EA233", "EA234", "EA235", "EA236", "EA242", "EA270", "EA285"].map(str::to_owned),
    );
    assert_eq!(audited(&folder, &policy, &zip), (1, expected));
    // Another package than the deployed one.
    let read_only = aws.folder().join("policy.toml");
    fs::write(&read_only, reading_only()).unwrap();
    let other = package_as(&aws.folder().join("other.zip"), &read_only);
    let (_, found) = audited(&folder, &policy, &other);
    assert!(found.contains("EA260") && found.contains("EA262"), "{found:?}");

    // Without --bucket-is-closed, the function stays.
    let text = said(&attach(&aws, &["--detach", &id, "--function-arn", &version, "--behavior", "all"]), 1);
    assert_eq!(config()["DefaultCacheBehavior"]["LambdaFunctionAssociations"]["Quantity"], 1, "{text}");
    let closed = ["--detach", &id, "--function-arn", &version, "--behavior", "all", "--bucket-is-closed"];
    said(&attach(&aws, &closed), 0);
    let after = config();
    assert_eq!(after["DefaultCacheBehavior"]["LambdaFunctionAssociations"]["Quantity"], 0);
    assert_eq!(after["Origins"], before["Origins"]);
}

fn gather(folder: &Path, from: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, from, found);
        } else {
            found.insert(path.strip_prefix(from).unwrap().to_str().unwrap().to_owned());
        }
    }
}
