//! `authorizer detach`.

use authorizer_cloudfront::{BucketAfterwards, Detachment, FunctionName, detach};

use super::config::{BehaviorArgs, ConfigArgs};
use super::report;
use crate::output::{Exit, Format};

/// Take the function off behaviors of a distribution, in the file that `get-distribution-config` writes.
///
/// Only the association is taken off: what `attach` set beside it stays. Whoever reaches the behavior then has
/// all that the bucket's policy lets the distribution do, so one of --bucket-is-closed and
/// --remove-origin-access-control must be said.
///
/// Exits 1, with nothing written, where that is not said, and where a behavior does not have the function.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    authorizer detach --function-arn \"$VERSION_ARN\" --behavior all --bucket-is-closed before.json >after.json")]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    behaviors: BehaviorArgs,
    /// The function, with or without a version: any version of it is taken off.
    #[arg(long, value_name = "ARN", value_parser = function)]
    function_arn: FunctionName,
    /// The bucket's policy lets this distribution in no more.
    #[arg(long, conflicts_with = "remove_origin_access_control")]
    bucket_is_closed: bool,
    /// Take the Origin Access Control off the origins too: S3 then sees unsigned requests.
    #[arg(long)]
    remove_origin_access_control: bool,
    /// How the account of the changes is written.
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
    let detachment = Detachment { function, behaviors: args.behaviors.behaviors(), bucket };
    report::finish(detach(&exported, &detachment), &args.config, args.format)
}

fn function(text: &str) -> Result<FunctionName, String> {
    FunctionName::parse(text).map_err(|error| format!("it {error}"))
}
