//! `infra/deploy` and `infra/attach` with a stand-in for AWS's command line, in which one call fails with the words of AWS.
//! `tests/README.md` has the list of failures, and the test that shows each.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};

use authorizer_e2e::binaries::{authorizer, root};
use authorizer_e2e::lambda_api::ARN;
use serde_json::json;
use tempfile::TempDir;

use super::deploy::{SAMPLE, distribution_config, package, said};

/// A command line for which everything succeeds but the calls with some words.
struct StandIn(TempDir);

impl StandIn {
    /// The first call with these words in its arguments fails with this text.
    fn failing(words: &str, message: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().display();
        let script = format!(
            "#!/bin/sh\necho \"$*\" >>'{at}/calls'\n\
             case \"$*\" in *'{words}'*) cat '{at}/message' >&2; exit 254 ;; esac\n\
             case \"$*\" in\n*put-object*) echo v1 ;;\n*StackStatus*) cat '{at}/status' 2>/dev/null ;;\n\
             *delete-stack*) rm '{at}/status' ;;\n*VersionArn*) echo {ARN} ;;\n\
             *LogGroupName*) echo /lambda-edge/files ;;\n*KeyIsFor*) echo none ;;\n\
             *DistributionId\\'*) echo EDFDVBD6EXAMPLE ;;\n\
             *describe-stack-events*) cat '{at}/events' 2>/dev/null || : ;;\n\
             *get-distribution-config*) cat '{at}/config.json' ;;\nesac\n"
        );
        let aws = folder.path().join("aws");
        fs::write(&aws, script).unwrap();
        fs::set_permissions(&aws, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.path().join("message"), format!("\n{message}\n")).unwrap();
        let config = distribution_config("files-of-ours", "E327GJI25M56DG", "ours");
        let config = json!({"ETag": "E2QWRUHEXAMPLE", "DistributionConfig": config});
        fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn calls(&self) -> Vec<String> {
        fs::read_to_string(self.file("calls")).unwrap().lines().map(str::to_owned).collect()
    }

    fn script(&self, name: &str) -> Command {
        let mut script = Command::new(root().join("infra").join(name));
        let path = format!("{}:{}", self.0.path().display(), std::env::var("PATH").unwrap());
        script.env("PATH", path).env("AUTHORIZER", authorizer()).env("PROVE", "no").env("OUT", self.0.path());
        script
    }

    /// Deploys the function alone, with the stack in this state.
    fn deploys(&self, status: Option<&str>) -> Output {
        if let Some(status) = status {
            fs::write(self.file("status"), status).unwrap();
        }
        let zip = package(self.0.path(), &root().join(SAMPLE));
        let mut deploy = self.script("deploy");
        deploy
            .arg(zip)
            .env("CODE_BUCKET", "deployments-of-ours")
            .env("TEMPLATE", "function")
            .env("LOGS", "no");
        deploy.output().unwrap()
    }

    /// Attaches the function to every behavior.
    fn attaches(&self) -> Output {
        let mut attach = self.script("attach");
        attach.args(["EDFDVBD6EXAMPLE", "--function-arn", ARN, "--behavior", "all", "--policy"]);
        attach.arg(root().join(SAMPLE)).env("YES", "1").output().unwrap()
    }
}

/// The zip of a library, as far as a deployment looks at it.
fn library(folder: &std::path::Path) -> PathBuf {
    let path = package(folder, &root().join(SAMPLE));
    let file = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let mut zip = zip::ZipWriter::new_append(file).unwrap();
    zip.start_file("libauthorizer.so", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(b"not read").unwrap();
    zip.finish().unwrap();
    path
}

#[test]
fn an_output_of_a_stack_that_cannot_be_read_or_is_empty_is_the_end_of_a_deployment() {
    let expired = "An error occurred (ExpiredToken) when calling the DescribeStacks operation: said";
    for (output, stacks) in [("VersionArn", 1), ("LogGroupName", 1), ("KeyIsFor", 2), ("DistributionId", 2)] {
        let words = format!("OutputKey=={output}");
        for instead in [None, Some(""), Some("None")] {
            let aws = StandIn::failing("nothing at all", expired);
            // The words have quotes, which a pattern of the stand-in cannot have.
            let script = fs::read_to_string(aws.file("aws")).unwrap();
            let does = match instead {
                None => format!("cat '{}' >&2; exit 254", aws.file("message").display()),
                Some(text) => format!("echo '{text}'; exit 0"),
            };
            let case = format!(
                "case \"$(echo \"$*\" | tr -d \"'\")\" in *'{words}'*) {does} ;; esac\ncase \"$*\" in\n*put-object*)"
            );
            let script = script.replacen("case \"$*\" in\n*put-object*)", &case, 1);
            assert!(script.contains(&words), "{script}");
            fs::write(aws.file("aws"), script).unwrap();
            let mut deploy = aws.script("deploy");
            deploy.arg(package(aws.0.path(), &root().join(SAMPLE))).env("CODE_BUCKET", "deployments-of-ours");
            let text = failed(&deploy.env("REGIONS", "us-east-1").output().unwrap());
            let said = match instead {
                None => "the credentials have expired".to_owned(),
                Some(_) => format!("does not have the output {output}"),
            };
            assert!(text.contains(&said), "{output}: {text}");
            let calls = aws.calls();
            assert!(calls.last().unwrap().contains(output), "{output}: {calls:#?}");
            let deployed = calls.iter().filter(|call| call.contains("cloudformation deploy")).count();
            assert_eq!(deployed, stacks, "{output}: {calls:#?}");
        }
    }
}

#[test]
fn a_library_is_deployed_under_python_whatever_the_stack_had_and_never_under_another_runtime() {
    for (parameters, expected) in [
        (None, Some("Runtime=python3.14")),
        (Some("SystemLogLevel=INFO"), Some("Runtime=python3.14")),
        (Some("Runtime=python3.13"), Some("Runtime=python3.13")),
        (Some("Runtime=nodejs24.x Runtime=python3.13"), Some("Runtime=python3.13")),
        (Some("Runtime=nodejs24.x"), None),
        (Some("SystemLogLevel=INFO\nRuntime=nodejs24.x"), None),
        (Some("Runtime=python3.14 Runtime=nodejs24.x"), None),
        (Some("Runtime=provided.al2023"), None),
    ] {
        let aws = StandIn::failing("nothing at all", "");
        let mut deploy = aws.script("deploy");
        deploy.arg(library(aws.0.path())).env("CODE_BUCKET", "deployments-of-ours").env("LOGS", "no");
        deploy.env("TEMPLATE", "function").envs(parameters.map(|text| ("PARAMETERS", text)));
        let output = deploy.output().unwrap();
        if let Some(expected) = expected {
            let text = said(&output, 0);
            let calls = aws.calls();
            let deployed = calls.iter().find(|call| call.contains("cloudformation deploy")).unwrap();
            assert!(deployed.contains(&format!(" {expected} ")), "{parameters:?}: {deployed}\n{text}");
            assert_eq!(deployed.matches("Runtime=").count(), 1, "{deployed}");
        } else {
            let text = failed(&output);
            assert!(text.contains("for Python alone: set Runtime=python3.14"), "{parameters:?}: {text}");
            // Not even the zip.
            assert!(!aws.file("calls").exists(), "{parameters:?}");
        }
    }
    // What was not made so takes each of them, and the stack's own if none is given.
    let aws = StandIn::failing("nothing at all", "");
    said(&aws.deploys(None), 0);
    assert!(!aws.calls().iter().any(|call| call.contains("Runtime=")), "{:#?}", aws.calls());
}

#[test]
fn why_a_stack_failed_is_asked_of_the_events_since_this_deployment_alone() {
    let aws = StandIn::failing("cloudformation deploy", "Failed to create/update the stack.");
    fs::write(aws.file("events"), "2026-11-28T21:35:21.500000+00:00").unwrap();
    failed(&aws.deploys(None));
    let asked: Vec<_> =
        aws.calls().into_iter().filter(|call| call.contains("describe-stack-events")).collect();
    assert_eq!(asked.len(), 2, "{asked:#?}");
    assert!(asked[0].contains("StackEvents[0].Timestamp"), "{asked:#?}");
    assert!(asked[1].contains("Timestamp > '2026-11-28T21:35:21.500000+00:00'"), "{asked:#?}");
    // There is nothing of this deployment, so nothing of another is said.
    let aws = StandIn::failing("cloudformation deploy", "Failed to create/update the stack.");
    let text = failed(&aws.deploys(None));
    assert!(text.contains("has no event that says why"), "{text}");
}

/// The text of a script that failed.
#[track_caller]
fn failed(output: &Output) -> String {
    said(output, output.status.code().filter(|status| *status != 0).expect("it fails"))
}

#[test]
fn a_call_of_a_deployment_that_fails_comes_with_what_to_do_and_is_the_last() {
    for (words, message, remedy) in [
        (
            "s3api put-object",
            "An error occurred (NoSuchBucket) when calling the PutObject operation: The specified bucket does not exist",
            "there is no bucket CODE_BUCKET",
        ),
        (
            "s3api put-object",
            "An error occurred (PermanentRedirect) when calling the PutObject operation: The bucket you are attempting to \
             access must be addressed using the specified endpoint.",
            "CODE_BUCKET is in another Region",
        ),
        (
            "s3api put-object",
            "An error occurred (AccessDenied) when calling the PutObject operation: Access Denied",
            "these credentials lack a permission",
        ),
        (
            "s3api put-object",
            "An error occurred (ExpiredToken) when calling the PutObject operation: The provided token has expired.",
            "the credentials have expired",
        ),
        ("s3api put-object", "Unable to locate credentials", "there are no credentials"),
        (
            "cloudformation deploy",
            "An error occurred (Throttling) when calling the CreateChangeSet operation: Rate exceeded",
            "AWS throttles this account",
        ),
        (
            "cloudformation deploy",
            "An error occurred (AccessDenied) when calling the CreateChangeSet operation: User: arn:aws:iam::1:user/a is \
             not authorized to perform: cloudformation:CreateChangeSet on resource: arn:aws:cloudformation:us-east-1:1:stack/a",
            "these credentials lack a permission",
        ),
        (
            "cloudformation deploy",
            "An error occurred (ValidationError) when calling the CreateChangeSet operation: Parameter 'Runtime' must be one \
             of AllowedValues",
            "AWS does not take a value",
        ),
        (
            "lambda wait published-version-active",
            "Waiter PublishedVersionActive failed: An error occurred (ExpiredTokenException): The security token included \
             in the request is expired",
            "the credentials have expired",
        ),
        (
            "lambda wait published-version-active",
            "Waiter PublishedVersionActive failed: Waiter encountered a terminal failure state: State is Failed",
            "aws lambda get-function-configuration",
        ),
    ] {
        let aws = StandIn::failing(words, message);
        let text = failed(&aws.deploys(None));
        assert!(text.contains(message) && text.contains(remedy), "{message}\n{text}");
        // Nothing but the question why.
        let after = aws.calls().into_iter().skip_while(|call| !call.contains(words)).skip(1);
        let more: Vec<String> = after.filter(|call| !call.contains("describe-stack-events")).collect();
        assert_eq!(more, [""; 0], "{message}\n{text}");
    }
}

#[test]
fn a_stack_in_a_state_that_no_deployment_can_go_on_from_is_left_alone() {
    for (status, remedy) in [
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation continue-update-rollback"),
        ("ROLLBACK_FAILED", "delete it, or choose another name"),
        ("DELETE_FAILED", "delete it, or choose another name"),
        ("CREATE_IN_PROGRESS", "being changed by another deployment"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "being changed by another deployment"),
    ] {
        let aws = StandIn::failing("nothing at all", "");
        let text = failed(&aws.deploys(Some(status)));
        assert!(text.contains(remedy), "{status}: {text}");
        let changes = ["cloudformation deploy", "delete-stack"];
        let calls = aws.calls();
        assert!(!calls.iter().any(|call| changes.iter().any(|change| call.contains(change))), "{calls:#?}");
    }
}

#[test]
fn what_a_failed_first_deployment_left_is_deleted_and_the_next_one_succeeds() {
    let aws = StandIn::failing("nothing at all", "");
    let text = said(&aws.deploys(Some("ROLLBACK_COMPLETE")), 0);
    assert!(text.contains("is left of a failed first deployment"), "{text}");
    let calls = aws.calls();
    let mut rest = calls.iter();
    for step in ["delete-stack", "wait stack-delete-complete", "cloudformation deploy", "lambda wait"] {
        assert!(rest.any(|call| call.contains(step)), "{step} is not where it should be: {calls:#?}");
    }
    // If replicas keep the function, the deletion fails, and nothing is created.
    let message = "Waiter StackDeleteComplete failed: Waiter encountered a terminal failure state: Resource handler returned \
                   message: \"Lambda was unable to delete arn because it is a replicated function.\"";
    let aws = StandIn::failing("wait stack-delete-complete", message);
    let text = failed(&aws.deploys(Some("ROLLBACK_COMPLETE")));
    assert!(text.contains("run this again some hours later"), "{text}");
    assert!(!aws.calls().iter().any(|call| call.contains("cloudformation deploy")), "{:#?}", aws.calls());
}

#[test]
fn a_call_of_attach_that_fails_comes_with_what_to_do_and_the_old_configuration_is_kept() {
    let aws = StandIn::failing("nothing at all", "");
    said(&aws.attaches(), 0);
    let of_update = |code: &str, text: &str| {
        format!("An error occurred ({code}) when calling the UpdateDistribution operation: {text}")
    };
    let of_get = |code: &str, text: &str| {
        format!("An error occurred ({code}) when calling the GetDistributionConfig operation: {text}")
    };
    for (message, remedy) in [
        (
            of_update("PreconditionFailed", "The request failed because it didn't meet the preconditions"),
            "somebody else has changed the distribution",
        ),
        (
            of_update(
                "InvalidIfMatchVersion",
                "The If-Match version is missing or not valid for the resource.",
            ),
            "somebody else has changed the distribution",
        ),
        (
            of_update(
                "InvalidLambdaFunctionAssociation",
                "The function code size is larger than the maximum allowed size of 1048576 bytes for viewer events. Function: arn",
            ),
            "BUILD=small",
        ),
        (
            of_update(
                "InvalidLambdaFunctionAssociation",
                "The function associated with the CloudFront distribution is not in Active state",
            ),
            "was not Active yet",
        ),
        (
            of_update(
                "InvalidLambdaFunctionAssociation",
                "Lambda@Edge cannot retrieve the specified Lambda function. Update the IAM policy to add permission: \
                 lambda:GetFunction, lambda:EnableReplication* for resource: arn",
            ),
            "you need lambda:GetFunction, lambda:EnableReplication*",
        ),
        (
            of_update("TooManyDistributionsWithLambdaAssociations", "Processing your request will cause"),
            "Quotas",
        ),
        (
            of_update("IllegalUpdate", "The update contains modifications that are not allowed."),
            "does not take a value",
        ),
        (of_update("InvalidArgument", "The parameter ForwardedValues is required."), "does not take a value"),
        (of_update("Throttling", "Rate exceeded"), "AWS throttles this account"),
        (
            of_update(
                "AccessDenied",
                "User: arn is not authorized to perform: cloudfront:UpdateDistribution",
            ),
            "a permission",
        ),
        (of_get("NoSuchDistribution", "The specified distribution does not exist."), "no such distribution"),
        (of_get("ExpiredToken", "The security token included in the request is expired"), "have expired"),
        (
            of_get("InvalidClientTokenId", "The security token included in the request is invalid."),
            "not valid",
        ),
        (
            of_get(
                "AccessDenied",
                "User: arn is not authorized to perform: cloudfront:GetDistributionConfig",
            ),
            "a permission",
        ),
    ] {
        let call = if message.contains("UpdateDistribution") {
            "update-distribution"
        } else {
            "get-distribution-config"
        };
        let aws = StandIn::failing(call, &message);
        let text = failed(&aws.attaches());
        assert!(text.contains(&message) && text.contains(remedy), "{message}\n{text}");
        assert!(aws.calls().last().unwrap().contains(call), "{:#?}", aws.calls());
        // Nothing says that it was done.
        assert!(!text.contains("CloudFront needs some minutes"), "{text}");
    }
    // Before anything is read, or changed.
    let aws = StandIn::failing("nothing at all", "");
    let elsewhere = ARN.replace("us-east-1", "eu-central-1");
    let mut attach = aws.script("attach");
    attach.args(["EDFDVBD6EXAMPLE", "--function-arn", &elsewhere, "--behavior", "all", "--policy"]);
    let text = failed(&attach.arg(root().join(SAMPLE)).env("YES", "1").output().unwrap());
    assert!(text.contains("us-east-1"), "{text}");
    assert!(!aws.calls().iter().any(|call| call.contains("update-distribution")), "{:#?}", aws.calls());
}
