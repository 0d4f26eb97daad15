//! `infra/rollout` against a stand-in for CloudFront's API, whose requests and answers have the shapes of botocore's
//! service model (`tests/tools/sdk/cloudfront.py`), with AWS's own command line.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use authorizer_e2e::binaries::{authorizer, root};
use authorizer_e2e::ministack::{command_line, configure};
use authorizer_e2e::tools::installed;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::deploy::{package_as, said};

const FUNCTION: &str = "arn:aws:lambda:us-east-1:111122223333:function:edge-authorizer";
const STAGING: &str = "arn:aws:cloudfront::111122223333:distribution/ESTAGING1";

/// CloudFront with one distribution, `EPRIMARY`, which has version 1.
struct Cloud {
    folder: TempDir,
    child: Child,
    url: String,
}

impl Cloud {
    fn start() -> Option<Self> {
        Self::with(|_| {})
    }

    /// The same, with another configuration.
    fn with(change: impl FnOnce(&mut Value)) -> Option<Self> {
        let sdk = installed("sdk", "AWS's SDK")?;
        let folder = tempfile::tempdir().unwrap();
        let good = fs::read(root().join("fixtures/deployments/good/distribution.json")).unwrap();
        let mut config = serde_json::from_slice::<Value>(&good).unwrap()["DistributionConfig"].take();
        config["HttpVersion"] = json!("http2");
        change(&mut config);
        for (name, value) in [
            ("distribution.json", config),
            ("faults.json", json!({})),
            ("policies.json", json!({"bucket": null, "encryption": null, "key": {}})),
            ("calls", Value::Null),
        ] {
            let text = if value.is_null() { String::new() } else { value.to_string() };
            fs::write(folder.path().join(name), text).unwrap();
        }
        let mut server = Command::new(sdk.join("bin/python"));
        server.arg(root().join("tests/tools/sdk/cloudfront.py")).arg(folder.path()).stdout(Stdio::piped());
        let mut child = server.stdin(Stdio::null()).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        command_line(folder.path(), sdk);
        Some(Self { folder, child, url: format!("http://127.0.0.1:{}", port.trim()) })
    }

    /// Runs `infra/rollout` with a command, the distribution and more arguments.
    fn run(&self, command: &str, arguments: &[&str]) -> Output {
        let mut rollout = Command::new(root().join("infra/rollout"));
        rollout.arg(command).arg("EPRIMARY").args(arguments).stdin(Stdio::null());
        configure(&mut rollout, self.folder.path());
        rollout.env("AWS_ENDPOINT_URL", &self.url).env("YES", "1").env("PROVE", "no");
        // Fewer repetitions of a call whose connection ended.
        rollout.env("AWS_MAX_ATTEMPTS", "1").env("AUTHORIZER", authorizer()).env("NO_COLOR", "1");
        rollout.output().unwrap()
    }

    /// What it says when it starts version 2.
    #[track_caller]
    fn begun(&self, more: &[&str], status: i32) -> String {
        let arn = format!("{FUNCTION}:2");
        said(&self.run("start", &[&["--function-arn", arn.as_str()], more].concat()), status)
    }

    /// Changes a distribution, as somebody else does while the rollout is on.
    fn edit(&self, id: &str, change: impl FnOnce(&mut Value)) {
        let state = self.state();
        let mut config = state["distributions"][id]["config"].clone();
        change(&mut config);
        let file = self.folder.path().join("changed.json");
        fs::write(&file, config.to_string()).unwrap();
        let etag = state["distributions"][id]["etag"].as_str().unwrap();
        let config = format!("file://{}", file.display());
        self.aws(&["update-distribution", "--id", id, "--if-match", etag, "--distribution-config", &config]);
    }

    /// Asks CloudFront itself.
    fn aws(&self, arguments: &[&str]) {
        let mut aws = Command::new(self.folder.path().join("bin/aws"));
        configure(&mut aws, self.folder.path());
        aws.arg("cloudfront").args(arguments).env("AWS_ENDPOINT_URL", &self.url);
        said(&aws.output().unwrap(), 0);
    }

    fn status(&self) -> Value {
        let output = self.run("status", &[]);
        said(&output, 0);
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Lets these distributions at the bucket, by its policy.
    fn let_in(&self, arns: &[&str]) {
        let statement = json!({
            "Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": ["s3:GetObject"],
            "Resource": "arn:aws:s3:::private-files/*", "Condition": {"StringEquals": {"AWS:SourceArn": arns}},
        });
        self.policies(&json!({"bucket": {"Statement": [statement]}, "encryption": null, "key": {}}));
    }

    fn policies(&self, value: &Value) {
        fs::write(self.folder.path().join("policies.json"), value.to_string()).unwrap();
    }

    fn fault(&self, operation: &str, fault: &Value) {
        fs::write(self.folder.path().join("faults.json"), json!({operation: fault}).to_string()).unwrap();
    }

    /// Everything that there is: distributions and policies.
    fn state(&self) -> Value {
        serde_json::from_slice(&fs::read(self.folder.path().join("state.json")).unwrap()).unwrap()
    }

    fn version_of(&self, id: &str) -> Value {
        let config = &self.state()["distributions"][id]["config"];
        config["DefaultCacheBehavior"]["LambdaFunctionAssociations"]["Items"][0]["LambdaFunctionARN"].clone()
    }

    /// How many distributions and policies there are, and which policies are on.
    fn counts(&self) -> (usize, usize, Vec<Value>) {
        let state = self.state();
        let policies = state["policies"].as_object().unwrap();
        let on = policies.values().map(|one| one["config"]["Enabled"].clone()).collect();
        (state["distributions"].as_object().unwrap().len(), policies.len(), on)
    }

    /// Whether one of these operations changed something.
    fn changed(&self) -> bool {
        let calls = fs::read_to_string(self.folder.path().join("calls")).unwrap();
        calls.lines().any(|call| !["Get", "List"].iter().any(|verb| call.starts_with(verb)))
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_version_is_rolled_out_promoted_and_taken_back_by_one_command() {
    let Some(cloud) = Cloud::start() else { return };
    assert_eq!(cloud.status()["rollout"], Value::Null);
    // Bucket and key come first: no viewer meets a staging distribution that gets 403 from S3.
    let text = cloud.begun(&[], 1);
    for needed in [
        "the policy of the bucket private-files",
        "StagingDistributionArns=",
        STAGING,
        "ContinuousDeploymentPolicyId=",
    ] {
        assert!(text.contains(needed), "{needed}: {text}");
    }
    assert_eq!(cloud.counts(), (2, 1, vec![json!(false)]));

    cloud.let_in(&["arn:aws:cloudfront::111122223333:distribution/EPRIMARY", STAGING]);
    let text = cloud.begun(&["--weight", "0.1", "--sticky", "300"], 0);
    assert!(text.contains("10 % of the viewers get version 2; all others keep 1"), "{text}");
    assert_eq!(cloud.counts(), (2, 1, vec![json!(true)]));
    assert_eq!(
        (cloud.version_of("EPRIMARY"), cloud.version_of("ESTAGING1")),
        (json!(format!("{FUNCTION}:1")), json!(format!("{FUNCTION}:2")))
    );
    let state = cloud.state();
    let policy = state["policies"].as_object().unwrap().values().next().unwrap();
    let traffic = json!({"Type": "SingleWeight", "SingleWeightConfig": {
        "Weight": 0.1, "SessionStickinessConfig": {"IdleTTL": 300, "MaximumTTL": 300},
    }});
    assert_eq!(policy["config"]["TrafficConfig"], traffic);

    let status = cloud.status();
    assert_eq!((&status["rollout"]["on"], &status["rollout"]["promoted"]), (&json!(true), &json!(false)));
    let text = said(&cloud.run("end", &[]), 1);
    assert!(text.contains("viewers are still sent to ESTAGING1"), "{text}");
    said(&cloud.run("promote", &[]), 0);
    assert_eq!(cloud.version_of("EPRIMARY"), json!(format!("{FUNCTION}:2")));
    assert_eq!(cloud.counts(), (2, 1, vec![json!(false)]));
    let text = said(&cloud.run("promote", &[]), 0);
    assert!(text.contains("already"), "{text}");

    said(&cloud.run("back", &[]), 0);
    assert_eq!(cloud.version_of("EPRIMARY"), json!(format!("{FUNCTION}:1")));
    said(&cloud.run("end", &[]), 0);
    assert_eq!(cloud.counts(), (1, 0, vec![]));
    assert_eq!(cloud.state()["distributions"]["EPRIMARY"]["config"]["ContinuousDeploymentPolicyId"], "");
}

#[test]
fn a_rollout_by_a_header_goes_back_before_it_was_promoted() {
    let Some(cloud) = Cloud::start() else { return };
    cloud.let_in(&[STAGING]);
    let text = cloud.begun(&["--header", "aws-cf-cd-version=next"], 0);
    assert!(text.contains("viewers with the header aws-cf-cd-version: next get version 2"), "{text}");
    // Another share of the viewers is no other rollout.
    cloud.begun(&["--weight", "0.15"], 0);
    assert_eq!(cloud.counts(), (2, 1, vec![json!(true)]));
    said(&cloud.run("back", &[]), 0);
    assert_eq!(cloud.counts(), (2, 1, vec![json!(false)]));
    assert_eq!(cloud.version_of("EPRIMARY"), json!(format!("{FUNCTION}:1")));
    // What nobody has tried is not promoted.
    let text = said(&cloud.run("promote", &[]), 1);
    assert!(text.contains("no viewer was sent to version 2"), "{text}");
}

#[test]
fn what_cannot_be_rolled_out_is_refused_before_anything_is_made() {
    let Some(cloud) = Cloud::with(|config| config["HttpVersion"] = json!("http2and3")) else { return };
    let text = cloud.begun(&[], 1);
    assert!(
        text.contains("has HTTP/3, with which CloudFront has no continuous deployment")
            && text.contains("Http3=no"),
        "{text}"
    );
    for (arguments, message) in [
        (&["--function-arn", FUNCTION][..], "must be the ARN of a numbered version"),
        (&["--function-arn", "arn:aws:lambda:us-east-1:111122223333:function:other:2"], "HTTP/3"),
        (&["--weight", "0.2", "--function-arn", FUNCTION], "at most 0.15"),
        (&["--header", "x-version=1", "--function-arn", FUNCTION], "must begin with aws-cf-cd-"),
        (&["--sticky", "10", "--function-arn", FUNCTION], "300 to 3600"),
    ] {
        let output = cloud.run("start", arguments);
        let text = said(&output, output.status.code().filter(|status| *status != 0).unwrap());
        assert!(text.contains(message), "{arguments:?}: {text}");
    }
    for command in ["promote", "back", "end"] {
        let text = said(&cloud.run(command, &[]), 1);
        assert!(text.contains("has no rollout"), "{text}");
    }
    assert!(!cloud.changed());

    let Some(cloud) = Cloud::with(|config| config["Staging"] = json!(true)) else { return };
    assert!(cloud.begun(&[], 1).contains("is a staging distribution"));
    assert!(!cloud.changed());

    let Some(cloud) = Cloud::with(|config| config["ConnectionMode"] = json!("tenant-only")) else { return };
    assert!(cloud.begun(&[], 1).contains("serves distribution tenants"));
    assert!(!cloud.changed());

    let Some(cloud) = Cloud::start() else { return };
    let other = said(
        &cloud.run("start", &["--function-arn", "arn:aws:lambda:us-east-1:111122223333:function:other:2"]),
        1,
    );
    assert!(
        other.contains("no behavior of EPRIMARY has a version of") && other.contains("infra/attach"),
        "{other}"
    );
    let same = said(&cloud.run("start", &["--function-arn", &format!("{FUNCTION}:1")]), 1);
    assert!(same.contains("already has"), "{same}");
    assert!(!cloud.changed());
}

#[test]
fn each_step_of_the_start_may_fail_and_none_is_done_twice() {
    let Some(cloud) = Cloud::start() else { return };
    cloud.let_in(&[STAGING]);
    let denied = |done: bool| json!({"code": "AccessDenied", "does": done});
    let drops = json!({"code": "none", "does": true, "drops": true});
    // In the order of the steps: each run gets as far as its fault.
    for (operation, fault, message) in [
        ("CopyDistribution", json!({"code": "TooManyDistributions"}), "20 staging distributions, is reached"),
        ("CopyDistribution", json!({"code": "PreconditionFailed"}), "somebody changed it in the meantime"),
        ("CopyDistribution", denied(true), "you need cloudfront:CopyDistribution"),
        ("UpdateDistribution", denied(false), "you need cloudfront:UpdateDistribution"),
        ("UpdateDistribution", drops, "run the same command again"),
        (
            "CreateContinuousDeploymentPolicy",
            json!({"code": "TooManyContinuousDeploymentPolicies"}),
            "20 continuous deployment policies",
        ),
        (
            "CreateContinuousDeploymentPolicy",
            denied(true),
            "you need cloudfront:CreateContinuousDeploymentPolicy",
        ),
        ("UpdateDistribution", json!({"code": "PreconditionFailed"}), "their change stays"),
        (
            "GetBucketPolicy",
            json!({"code": "AccessDenied", "status": 403}),
            "no viewer was sent there: AccessDenied",
        ),
        (
            "UpdateContinuousDeploymentPolicy",
            json!({"code": "PreconditionFailed"}),
            "somebody changed it in the meantime",
        ),
        (
            "UpdateContinuousDeploymentPolicy",
            denied(true),
            "you need cloudfront:UpdateContinuousDeploymentPolicy",
        ),
    ] {
        cloud.fault(operation, &fault);
        let output = cloud.run("start", &["--function-arn", &format!("{FUNCTION}:2")]);
        let text = said(&output, output.status.code().filter(|status| *status != 0).unwrap());
        assert!(text.contains(message), "{operation}: {text}");
    }
    cloud.begun(&[], 0);
    assert_eq!(cloud.counts(), (2, 1, vec![json!(true)]));
    assert_eq!(cloud.version_of("ESTAGING1"), json!(format!("{FUNCTION}:2")));
}

#[test]
fn promotion_the_way_back_and_the_end_may_fail_and_be_repeated() {
    let Some(cloud) = Cloud::start() else { return };
    cloud.let_in(&[STAGING]);
    cloud.begun(&[], 0);
    let faulty = |command: &str, operation: &str, fault: Value| {
        cloud.fault(operation, &fault);
        let output = cloud.run(command, &[]);
        said(&output, output.status.code().filter(|status| *status != 0).unwrap())
    };
    let text =
        faulty("promote", "UpdateDistributionWithStagingConfig", json!({"code": "PreconditionFailed"}));
    assert!(text.contains("somebody changed it in the meantime"), "{text}");
    assert_eq!(cloud.version_of("EPRIMARY"), json!(format!("{FUNCTION}:1")));
    faulty("promote", "UpdateDistributionWithStagingConfig", json!({"code": "AccessDenied", "does": true}));
    // It was done, and is not done again.
    said(&cloud.run("promote", &[]), 0);
    assert_eq!(cloud.version_of("EPRIMARY"), json!(format!("{FUNCTION}:2")));
    faulty("back", "UpdateDistribution", json!({"code": "PreconditionFailed"}));
    said(&cloud.run("back", &[]), 0);
    assert_eq!(cloud.version_of("EPRIMARY"), json!(format!("{FUNCTION}:1")));
    for (operation, done) in [
        ("UpdateDistribution", true),
        ("DeleteContinuousDeploymentPolicy", false),
        ("DeleteContinuousDeploymentPolicy", true),
        ("UpdateDistribution", false),
        ("DeleteDistribution", false),
    ] {
        faulty("end", operation, json!({"code": "AccessDenied", "does": done}));
    }
    said(&cloud.run("end", &[]), 0);
    assert_eq!(cloud.counts(), (1, 0, vec![]));
}

#[test]
fn a_staging_distribution_that_differs_in_more_than_the_version_is_not_promoted() {
    let Some(cloud) = Cloud::start() else { return };
    cloud.let_in(&[STAGING]);
    cloud.begun(&[], 0);
    cloud.edit("EPRIMARY", |config| {
        config["DefaultCacheBehavior"]["ViewerProtocolPolicy"] = json!("allow-all")
    });
    let text = said(&cloud.run("promote", &[]), 1);
    assert!(text.contains("differs from EPRIMARY in more than the version: DefaultCacheBehavior"), "{text}");
    assert_eq!(cloud.version_of("EPRIMARY"), json!(format!("{FUNCTION}:1")));
    said(&cloud.run("back", &[]), 0);
}

/// Puts a version on the default behavior.
fn has(version: u32) -> impl FnOnce(&mut Value) {
    move |config| {
        let items = &mut config["DefaultCacheBehavior"]["LambdaFunctionAssociations"]["Items"];
        items[0]["LambdaFunctionARN"] = json!(format!("{FUNCTION}:{version}"));
    }
}

#[test]
fn the_way_back_leaves_a_version_that_somebody_else_put_there() {
    for promoted in [false, true] {
        let Some(cloud) = Cloud::start() else { return };
        cloud.let_in(&[STAGING]);
        cloud.begun(&[], 0);
        if promoted {
            said(&cloud.run("promote", &[]), 0);
        }
        cloud.edit("EPRIMARY", has(3));
        let text = said(&cloud.run("promote", &[]), 1);
        assert!(text.contains("a promotion would undo that"), "{text}");
        let text = said(&cloud.run("back", &[]), 1);
        assert!(text.contains("which has version 3 of") && text.contains("infra/attach EPRIMARY"), "{text}");
        assert_eq!(cloud.version_of("EPRIMARY"), json!(format!("{FUNCTION}:3")));
        // All viewers get the distribution itself.
        assert_eq!(cloud.counts(), (2, 1, vec![json!(false)]));
        said(&cloud.run("end", &[]), 0);
        assert_eq!(cloud.counts(), (1, 0, vec![]));
    }
    // Nor is the function put back where it was taken away.
    let Some(cloud) = Cloud::start() else { return };
    cloud.let_in(&[STAGING]);
    cloud.begun(&[], 0);
    cloud.edit("EPRIMARY", |config| {
        config["DefaultCacheBehavior"]["LambdaFunctionAssociations"] = json!({"Quantity": 0});
    });
    let text = said(&cloud.run("back", &[]), 1);
    assert!(text.contains("which has no version of"), "{text}");
    assert_eq!(cloud.status()["version"], Value::Null);
}

#[test]
fn the_way_back_turns_the_policy_off_whatever_else_cannot_be_read() {
    let Some(cloud) = Cloud::start() else { return };
    cloud.let_in(&[STAGING]);
    cloud.begun(&[], 0);
    // Another staging distribution of the rollout, made by hand.
    let state = cloud.state();
    let etag = state["distributions"]["EPRIMARY"]["etag"].as_str().unwrap();
    let reference = "authorizer-rollout EPRIMARY edge-authorizer 1 2 other";
    cloud.aws(&[
        "copy-distribution",
        "--primary-distribution-id",
        "EPRIMARY",
        "--if-match",
        etag,
        "--staging",
        "--caller-reference",
        reference,
        "--enabled",
    ]);
    // Nobody may read that one, and it is not the one that the policy has.
    cloud.fault("GetDistribution ESTAGING2", &json!({"code": "AccessDenied"}));
    said(&cloud.run("back", &[]), 0);
    assert_eq!(cloud.counts(), (3, 1, vec![json!(false)]));
    // The rollout's own cannot be read: its versions are not known, and the policy is off all the same.
    fs::write(cloud.folder.path().join("faults.json"), "{}").unwrap();
    cloud.begun(&[], 0);
    assert_eq!(cloud.counts(), (3, 1, vec![json!(true)]));
    cloud.fault("GetDistribution ESTAGING1", &json!({"code": "AccessDenied"}));
    let text = said(&cloud.run("back", &[]), 1);
    assert!(text.contains("all viewers get EPRIMARY itself"), "{text}");
    assert_eq!(cloud.counts(), (3, 1, vec![json!(false)]));
}

#[test]
fn a_staging_distribution_that_may_be_of_a_rollout_and_cannot_be_read_stops_the_start() {
    let Some(cloud) = Cloud::start() else { return };
    cloud.fault("CopyDistribution", &json!({"code": "AccessDenied", "does": true}));
    cloud.begun(&[], 1);
    cloud.fault("GetDistribution ESTAGING1", &json!({"code": "AccessDenied"}));
    let text = cloud.begun(&[], 1);
    assert!(text.contains("the staging distributions ESTAGING1 cannot be read"), "{text}");
    assert_eq!(cloud.counts(), (2, 0, vec![]));
}

#[test]
fn a_version_that_all_viewers_got_otherwise_ends_the_rollout() {
    let Some(cloud) = Cloud::start() else { return };
    cloud.let_in(&[STAGING]);
    cloud.begun(&[], 0);
    cloud.edit("EPRIMARY", has(2));
    let text = said(&cloud.run("promote", &[]), 0);
    assert!(text.contains("has version 2 for all viewers already"), "{text}");
    assert_eq!(cloud.counts(), (2, 1, vec![json!(false)]));
    let text = said(&cloud.run("end", &[]), 0);
    assert!(
        text.contains("StagingDistributionArns= ContinuousDeploymentPolicyId=")
            && text.contains(&format!("infra/attach EPRIMARY --function-arn {FUNCTION}:1")),
        "{text}"
    );
    assert_eq!(cloud.counts(), (1, 0, vec![]));
}

#[test]
fn a_staging_distribution_that_is_off_is_turned_on_again_and_never_promoted_as_it_is() {
    let Some(cloud) = Cloud::start() else { return };
    cloud.let_in(&[STAGING]);
    cloud.begun(&[], 0);
    cloud.edit("ESTAGING1", |config| config["Enabled"] = json!(false));
    let text = said(&cloud.run("promote", &[]), 1);
    assert!(text.contains("in more than the version: Enabled"), "{text}");
    // The end stops after it turned the staging distribution off, and the rollout starts again.
    said(&cloud.run("back", &[]), 0);
    cloud.fault("DeleteDistribution", &json!({"code": "DistributionNotDisabled"}));
    said(&cloud.run("end", &[]), 1);
    let text = cloud.begun(&[], 0);
    assert!(text.contains("is on again"), "{text}");
    said(&cloud.run("promote", &[]), 0);
    let state = cloud.state();
    assert_eq!(state["distributions"]["EPRIMARY"]["config"]["Enabled"], json!(true));

    let Some(cloud) = Cloud::with(|config| config["Enabled"] = json!(false)) else { return };
    assert!(cloud.begun(&[], 1).contains("EPRIMARY is off"));
    assert!(!cloud.changed());
}

#[test]
fn the_rollout_is_of_the_function_that_its_reference_names() {
    // Another function with the same versions.
    let two = |config: &mut Value| {
        let mut other = config["DefaultCacheBehavior"].clone();
        other["PathPattern"] = json!("b/*");
        let items = &mut other["LambdaFunctionAssociations"]["Items"];
        items[0]["LambdaFunctionARN"] = json!(format!("{FUNCTION}-b:1"));
        config["CacheBehaviors"] = json!({"Quantity": 1, "Items": [other]});
    };
    let Some(cloud) = Cloud::with(two) else { return };
    cloud.let_in(&[STAGING]);
    cloud.begun(&[], 0);
    assert_eq!(cloud.status()["version"], json!(format!("{FUNCTION}:1")));
    said(&cloud.run("promote", &[]), 0);
    said(&cloud.run("back", &[]), 0);
    said(&cloud.run("end", &[]), 0);
    assert_eq!(cloud.version_of("EPRIMARY"), json!(format!("{FUNCTION}:1")));
}

#[test]
fn a_start_that_is_run_again_keeps_which_viewers_get_the_version() {
    let Some(cloud) = Cloud::start() else { return };
    cloud.let_in(&[STAGING]);
    cloud.begun(&["--header", "aws-cf-cd-version=next"], 0);
    let text = cloud.begun(&[], 0);
    assert!(text.contains("viewers with the header aws-cf-cd-version: next get version 2"), "{text}");
    assert_eq!(cloud.status()["rollout"]["traffic"]["Type"], json!("SingleHeader"));
}

#[test]
fn each_statement_for_the_distribution_must_be_for_the_staging_one_too() {
    let Some(cloud) = Cloud::start() else { return };
    let primary = "arn:aws:cloudfront::111122223333:distribution/EPRIMARY";
    let statement = |effect: &str, action: &str, operator: &str, sources: Value| {
        json!({
            "Effect": effect, "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": action,
            "Resource": "arn:aws:s3:::private-files/*", "Condition": {operator: {"AWS:SourceArn": sources}},
        })
    };
    let reads = statement("Allow", "s3:GetObject", "StringEquals", json!([primary, STAGING]));
    let some = {
        let mut some = statement("Allow", "s3:GetObject", "StringEquals", json!(STAGING));
        some["Resource"] = json!("arn:aws:s3:::private-files/public/*");
        some
    };
    let from = {
        let mut from = statement("Allow", "s3:GetObject", "StringEquals", json!(STAGING));
        from["Condition"]["IpAddress"] = json!({"aws:SourceIp": "10.0.0.0/8"});
        from
    };
    for closed in [
        json!([reads, statement("Allow", "s3:PutObject", "StringEquals", json!(primary))]),
        json!([reads, statement("Deny", "s3:*", "StringNotEquals", json!([primary]))]),
        json!([some]),
        json!([from]),
    ] {
        cloud.policies(&json!({"bucket": {"Statement": closed}, "encryption": null, "key": {}}));
        let text = cloud.begun(&[], 1);
        assert!(text.contains("the policy of the bucket private-files must name it"), "{text}");
    }
    let writes = statement("Allow", "s3:PutObject", "StringEquals", json!([primary, STAGING]));
    cloud.policies(&json!({"bucket": {"Statement": [reads, writes]}, "encryption": null, "key": {}}));
    cloud.begun(&[], 0);

    // The global name is a bucket too. An origin that is not known to be a bucket is named.
    for (domain, status, needed) in [
        ("private-files.s3.amazonaws.com", 1, "the policy of the bucket private-files"),
        ("files-1.s3-accesspoint.us-east-1.amazonaws.com", 0, "NOT CHECKED: whether the origin"),
    ] {
        let Some(cloud) = Cloud::with(|config| config["Origins"]["Items"][0]["DomainName"] = json!(domain))
        else {
            return;
        };
        let text = cloud.begun(&[], status);
        assert!(text.contains(needed), "{text}");
    }
}

#[test]
fn a_staging_distribution_that_went_with_the_policy_is_no_failure_of_the_end() {
    let Some(cloud) = Cloud::start() else { return };
    cloud.let_in(&[STAGING]);
    cloud.begun(&[], 0);
    said(&cloud.run("back", &[]), 0);
    cloud.fault("DeleteDistribution", &json!({"code": "NoSuchDistribution", "does": true}));
    said(&cloud.run("end", &[]), 0);
    assert_eq!(cloud.counts(), (1, 0, vec![]));
}

#[test]
fn a_key_that_does_not_name_the_staging_distribution_stops_the_start() {
    let Some(cloud) = Cloud::start() else { return };
    let key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let statement = |action: &str, operator: &str, source: &str| {
        json!({"Statement": [{
            "Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": action, "Resource": "*",
            "Condition": {operator: {"aws:SourceArn": source}},
        }]})
    };
    let bucket = statement("s3:GetObject", "StringEquals", STAGING);
    for closed in [
        json!({"Statement": []}),
        statement("kms:Encrypt", "StringEquals", STAGING),
        statement("kms:Decrypt", "StringNotEquals", STAGING),
        statement("kms:Decrypt", "StringEquals", "arn:aws:cloudfront::111122223333:distribution/EPRIMARY"),
    ] {
        cloud.policies(&json!({"bucket": bucket, "encryption": key, "key": closed}));
        let text = cloud.begun(&[], 1);
        assert!(
            text.contains("the policy of the key arn:aws:kms") && !text.contains("of the bucket"),
            "{text}"
        );
    }
    cloud.policies(&json!({"bucket": bucket, "encryption": key, "key": statement("kms:Decrypt", "StringEquals", STAGING)}));
    cloud.begun(&[], 0);
}

/// The lines of the fixture's log, and some of the new version.
fn logs(folder: &Path, new: &str) -> String {
    let text = fs::read_to_string(root().join("fixtures/logs/decisions.jsonl")).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let allowed = lines.iter().find(|line| line.contains("\"anyone-reads-public\"")).unwrap();
    let mut record: Value = serde_json::from_str(allowed).unwrap();
    record["bundle_sha256"] = json!(new);
    // As CloudWatch Logs has it.
    lines.push(json!({"timestamp": "2026-11-28T12:00:00Z", "message": record.to_string()}).to_string());
    let path = folder.join("decisions.jsonl");
    fs::write(&path, lines.join("\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_decision_logs_of_both_versions_are_compared_by_backtest() {
    let folder = tempfile::tempdir().unwrap();
    let zip = |name: &str| {
        package_as(
            &folder.path().join(format!("{name}.zip")),
            &root().join(format!("fixtures/logs/{name}.toml")),
        )
    };
    let (old, new) = (zip("old"), zip("new"));
    let checked: Value = serde_json::from_str(&authorizer_e2e::binaries::run([
        "check",
        "--format",
        "json",
        root().join("fixtures/logs/new.toml").to_str().unwrap(),
    ]))
    .unwrap();
    let compare = |arguments: &[&str], new: &Path, old: &Path| {
        let mut rollout = Command::new(root().join("infra/rollout"));
        rollout
            .args(["compare", "EPRIMARY", "--package"])
            .arg(new)
            .arg("--old-package")
            .arg(old)
            .args(arguments);
        rollout.env("AUTHORIZER", authorizer()).env("NO_COLOR", "1").stdin(Stdio::null()).output().unwrap()
    };
    let both = logs(folder.path(), checked["bundle_sha256"].as_str().unwrap());
    // The fixture's logs have a request that the new policy refuses.
    let text = said(&compare(&[&both], &new, &old), 1);
    assert!(text.contains("15 lines of the old version, 1 of the new one, 1 of others"), "{text}");
    assert!(text.contains("newly refused: 1"), "{text}");
    assert!(text.contains("== What the new version decided, by the policy of the old one"), "{text}");
    // Without a line of the new version, nothing is compared, and that is no success.
    let fixture = root().join("fixtures/logs/decisions.jsonl");
    let text = said(&compare(&[fixture.to_str().unwrap()], &new, &old), 1);
    assert!(text.contains("no line of the decision log was written by the new version"), "{text}");
    let text = said(&compare(&[&both], &new, &new), 2);
    assert!(text.contains("both packages have the same bundle"), "{text}");
    let text = said(&compare(&[], &new, &old), 2);
    assert!(text.contains("give files of the decision log, or --log-group"), "{text}");
    // A backtest that was killed says nothing, so nothing is well.
    let killed = folder.path().join("killed");
    fs::write(&killed, "#!/bin/sh\nkill -9 $$\n").unwrap();
    fs::set_permissions(&killed, fs::Permissions::from_mode(0o755)).unwrap();
    let mut rollout = Command::new(root().join("infra/rollout"));
    rollout.args(["compare", "EPRIMARY", &both, "--package"]).arg(&new).arg("--old-package").arg(&old);
    let text = said(&rollout.env("AUTHORIZER", &killed).stdin(Stdio::null()).output().unwrap(), 2);
    assert!(text.contains("the backtest did not finish (-9)"), "{text}");
    let text = said(&compare(&[&both], &fixture, &old), 2);
    assert!(text.contains("is not a package made by `authorizer package`"), "{text}");
}
