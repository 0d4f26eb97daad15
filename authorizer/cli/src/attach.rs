//! `authorizer attach` and `authorizer detach`: change the behaviors of a distribution in the file that the AWS CLI
//! exports. Nothing here calls AWS.

mod config;
pub(crate) mod detach;
mod error;
mod report;

pub(crate) use self::report::Document;

use std::path::PathBuf;

use authorizer_cloudfront::{
    Attachment, CachePolicyId, DistributionNeeds, Feature, FunctionVersion, OriginRequestPolicyId,
    ResponseHeadersPolicyId, attach,
};

use self::config::{BehaviorArgs, ConfigArgs};
use crate::output::{Exit, Format};
use crate::policy::for_review;

/// Attach the function to behaviors of a distribution, in the file that `get-distribution-config` writes.
///
/// Prints each change on standard error, and writes the changed configuration for `update-distribution`. Also sets
/// ViewerProtocolPolicy to https-only and, with --policy, the methods that the policy needs. Settings that the command
/// does not know stay the same.
///
/// Exits 1 and writes nothing if the bucket can still be reached without the authorizer, if another function gets
/// viewers' requests, or if you must choose a setting. `authorizer help attaching` prints the whole way.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    aws cloudfront get-distribution-config --id EDFDVBD6EXAMPLE >before.json\n  \
    authorizer attach --function-arn \"$VERSION_ARN\" --behavior all \\\n      --policy policy.toml before.json >after.json\n  \
    aws cloudfront update-distribution --id EDFDVBD6EXAMPLE --if-match \"$(jq -r .ETag before.json)\" \\\n      \
        --distribution-config file://after.json\n\n\
    In a pipe:\n  \
    aws cloudfront get-distribution-config --id EDFDVBD6EXAMPLE |\n    \
    authorizer attach --function-arn \"$VERSION_ARN\" --behavior all \\\n      --policy policy.toml --cli-input-json >after.json &&\n  \
    aws cloudfront update-distribution --id EDFDVBD6EXAMPLE --cli-input-json file://after.json")]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    behaviors: BehaviorArgs,
    /// Published version of the function: numbered, in us-east-1.
    #[arg(long, value_name = "ARN", value_parser = version)]
    function_arn: FunctionVersion,
    /// Policy file (TOML): sets AllowedMethods to the fewest that it needs, and checks the other settings against it.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Origin whose bucket the policy is about, by its id, if the distribution has several buckets. With `--behavior
    /// all`; behaviors of other buckets stay as they are. Repeat `--origin` for each bucket that the policy is for.
    #[arg(long = "origin", value_name = "ID")]
    origins: Vec<String>,
    /// Feature to turn off where it is on, because CloudFront runs no Lambda function for its requests. Repeatable.
    #[arg(long, value_enum, value_name = "FEATURE")]
    turn_off: Vec<TurnOff>,
    /// Origin Access Control to set on the origins of the behaviors.
    #[arg(long, value_name = "ID", value_parser = id)]
    origin_access_control_id: Option<String>,
    /// Cache policy to set, or to confirm: an id, or the name of one of AWS's own, such as Managed-CachingDisabled.
    #[arg(long, value_name = "ID", value_parser = cache_policy)]
    cache_policy_id: Option<CachePolicyId>,
    /// Origin request policy to set, or to confirm: an id, or the name of one of AWS's own, such as
    /// Managed-AllViewerExceptHostHeader.
    #[arg(long, value_name = "ID", value_parser = origin_request_policy)]
    origin_request_policy_id: Option<OriginRequestPolicyId>,
    /// Response headers policy to set: an id, or the name of one of AWS's own. It adds the CORS headers to the
    /// responses of S3.
    #[arg(long, value_name = "ID", value_parser = response_headers_policy)]
    response_headers_policy_id: Option<ResponseHeadersPolicyId>,
    /// Detach other functions that get viewers' requests from these behaviors, and CloudFront Functions.
    #[arg(long)]
    replace: bool,
    /// Output format of the changes.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A feature that goes past Lambda functions.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum TurnOff {
    /// Requests with `Content-Type: application/grpc`.
    Grpc,
    /// Media in the Smooth Streaming format of Microsoft.
    SmoothStreaming,
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    let needs = match &args.policy {
        Some(path) => Some(DistributionNeeds::of(for_review(path)?.bundle().policy())),
        None => None,
    };
    let exported = args.config.read()?;
    let attachment = Attachment {
        function: args.function_arn.clone(),
        behaviors: args.behaviors.behaviors(&args.origins)?,
        needs,
        origin_access_control_id: args.origin_access_control_id.clone(),
        cache_policy_id: args.cache_policy_id.clone(),
        origin_request_policy_id: args.origin_request_policy_id.clone(),
        response_headers_policy_id: args.response_headers_policy_id.clone(),
        replace: args.replace,
        turn_off: args
            .turn_off
            .iter()
            .map(|one| match one {
                TurnOff::Grpc => Feature::Grpc,
                TurnOff::SmoothStreaming => Feature::SmoothStreaming,
            })
            .collect(),
    };
    report::finish(attach(&exported, &attachment), &args.config, args.format)
}

fn version(text: &str) -> Result<FunctionVersion, String> {
    FunctionVersion::parse(text).map_err(|error| format!("it {error}"))
}

/// Parses an id that CloudFront made.
fn id(text: &str) -> Result<String, &'static str> {
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if !text.is_empty() && text.chars().all(letters) { Ok(text.to_owned()) } else { Err("this is not an id") }
}

fn cache_policy(text: &str) -> Result<CachePolicyId, &'static str> {
    CachePolicyId::parse(text).ok_or("write the id of a cache policy, such as 658327ea-f89d-4fab-a63d-7e88639e58f6, or the name of one of AWS's own, such as Managed-CachingDisabled")
}

fn response_headers_policy(text: &str) -> Result<ResponseHeadersPolicyId, &'static str> {
    ResponseHeadersPolicyId::parse(text)
        .ok_or("write the id of a response headers policy, such as 67f7725c-6f97-4210-82d7-5512b31e9d03, or the name of one of AWS's own, such as Managed-SimpleCORS")
}

fn origin_request_policy(text: &str) -> Result<OriginRequestPolicyId, &'static str> {
    OriginRequestPolicyId::parse(text)
        .ok_or("write the id of an origin request policy, such as b689b0a8-53d0-40ab-baf2-68738e2966ac, or the name of one of AWS's own, such as Managed-AllViewerExceptHostHeader")
}
