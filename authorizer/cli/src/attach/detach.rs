//! `authorizer detach`.

use authorizer_cloudfront::{BucketAfterwards, Detachment, FunctionName, detach};

use super::config::{BehaviorArgs, ConfigArgs};
use super::report;
use crate::output::{Exit, Format};

/// Detach the function from behaviors of a distribution, in the file that `get-distribution-config` writes.
///
/// Only the association is removed; other settings that `attach` changed stay. Everybody who reaches the behavior can
/// then do all that the bucket policy allows the distribution to do. So --bucket-is-closed or
/// --remove-origin-access-control is required.
///
/// Exits 1 and writes nothing if both are missing, or if a behavior does not have the function.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    authorizer detach --function-arn \"$VERSION_ARN\" --behavior all \\\n      --bucket-is-closed before.json >after.json")]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    behaviors: BehaviorArgs,
    /// Function, with or without a version. Any version of it is detached.
    #[arg(long, value_name = "ARN", value_parser = function)]
    function_arn: FunctionName,
    /// Confirm that the bucket policy does not allow this distribution any more.
    #[arg(long, conflicts_with = "remove_origin_access_control")]
    bucket_is_closed: bool,
    /// Also remove the Origin Access Control of the origins. S3 then gets unsigned requests.
    #[arg(long)]
    remove_origin_access_control: bool,
    /// Output format of the changes.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    let exported = args.config.read()?;
    let bucket = match (args.bucket_is_closed, args.remove_origin_access_control) {
        (_, true) => BucketAfterwards::Unsigned,
        (true, false) => BucketAfterwards::Closed,
        (false, false) => BucketAfterwards::Unsaid,
    };
    let function = args.function_arn.clone();
    let detachment = Detachment { function, behaviors: args.behaviors.behaviors(&[])?, bucket };
    report::finish(detach(&exported, &detachment), &args.config, args.format)
}

fn function(text: &str) -> Result<FunctionName, String> {
    FunctionName::parse(text).map_err(|error| format!("it {error}"))
}
