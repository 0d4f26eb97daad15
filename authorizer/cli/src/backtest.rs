//! `authorizer backtest`: checks recorded requests against another policy.

mod assume;
pub(crate) mod error;
mod members;
mod merge;
mod report;
mod run;
pub(crate) mod source;

use std::path::{Path, PathBuf};

use authorizer_backtest::{Backtest, BacktestPolicy, Basis, Counts, Partial, Tally};
use authorizer_core::{Bundle, BundleError, UnixTime};
use authorizer_policy::PolicyFile;
use clap::Subcommand;

use self::assume::Assumption;
use self::error::BacktestError;
pub(crate) use self::report::Document;
use self::report::Report;
use self::source::Delimiter;
use crate::output::{Exit, Format};
use crate::policy::{PolicyArgs, UnusableBundleError, read_bundle_json};
use crate::time::parse_instant;

/// Check the requests in access logs or decision logs against another policy, and report what would change.
///
/// A log has less information about a request than the decision needs. So each request is allowed as before, refused
/// as before, newly allowed or newly refused, or the result cannot be told. A result is given only if it follows from
/// the log.
///
/// Exits 1 when a request would be newly allowed or newly refused. With --strict, also exits 1 when a result cannot be
/// told, or when a line cannot be read.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(
    after_help = "Example:\n  authorizer backtest --policy new.toml --old deployed/bundle.json logs/\n\n\
    For the log of a function in CloudWatch Logs:\n  \
    aws logs tail /lambda-edge/edge-authorizer --since 1d --format detailed --region eu-west-1 |\n    \
    authorizer backtest --policy new.toml --old deployed/bundle.json -"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    policy: PolicyArgs,
    /// Logs, plain or gzip: CloudFront access logs (W3C or JSON Lines), the decision log of the function, or an export
    /// of CloudWatch Logs. Also a folder of such files, or `-` for standard input.
    #[arg(required = true)]
    logs: Vec<PathBuf>,
    /// Policy that decided before, or its `bundle.json`. With it, more results follow from the log.
    #[arg(long, value_name = "FILE")]
    old: Option<PathBuf>,
    /// Assumption about what the logs do not contain. Repeatable, or separated by commas.
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    assume: Vec<Assumption>,
    /// Decide as if every request came at this time, with its token as valid as it was: seconds since 1970 or RFC 3339
    /// (default: the time of each request).
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    now: Option<UnixTime>,
    /// Number of folders of a key that make a group.
    #[arg(long, value_name = "FOLDERS", default_value_t = 1)]
    depth: usize,
    /// What stands between the fields of access logs in the W3C format (default: what the `#Fields:` line shows).
    #[arg(long, value_enum, value_name = "WHAT")]
    delimiter: Option<Delimiter>,
    /// Write the result to this file for `backtest merge`, instead of reporting it. For logs that several machines read.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["top", "strict", "format"])]
    partial: Option<PathBuf>,
    #[command(flatten)]
    report: ReportArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    Merge(merge::Args),
}

/// How a result is reported.
#[derive(Debug, clap::Args)]
struct ReportArgs {
    /// Number of groups per change that the text lists.
    #[arg(long, value_name = "GROUPS", default_value_t = 20)]
    top: usize,
    /// Also exit 1 when a result cannot be told, or when a line cannot be read.
    #[arg(long)]
    strict: bool,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    if let Some(Command::Merge(args)) = &args.command {
        return merge::run(args);
    }
    let policy = read_policy(&args.policy.bundle_json()?, args.policy.named())?;
    let old = match &args.old {
        Some(path) => Some(read_policy(&old_bundle(path)?, path)?),
        None => None,
    };
    let assumptions = assume::assumptions(&args.assume);
    let mut backtest = Backtest::new(policy, old).assuming(assumptions).by_depth(args.depth);
    if let Some(now) = args.now {
        backtest = backtest.at(now);
    }
    let basis = backtest.basis();
    let tally = run::run(backtest, &args.logs, args.delimiter)?;
    match &args.partial {
        Some(path) => {
            merge::write(path, &Partial::new(basis, tally))?;
            Ok(Exit::Held)
        }
        None => report(tally, &basis, &args.report),
    }
}

/// Reports a result.
fn report(tally: Tally, basis: &Basis, args: &ReportArgs) -> miette::Result<Exit> {
    let summary = tally.summary();
    let counts = summary.counts();
    let beside = [counts.preflights, counts.sign_ins, counts.not_decided];
    if counts.compared() == 0 && beside.iter().all(|count| *count == 0) {
        return Err(match summary.malformed().first() {
            Some(first) => BacktestError::AllMalformed {
                count: counts.malformed,
                file: first.source.to_string(),
                line: first.line,
                problem: first.problem.clone(),
            },
            None => BacktestError::NoRequests,
        }
        .into());
    }
    let report = Report {
        summary: &summary,
        assumptions: &assume::chosen(basis.assumptions),
        has_old: basis.old_sha256.is_some(),
        top: args.top,
    };
    match args.format {
        Format::Json => report.json()?,
        Format::Text => report.text()?,
    }
    Ok(if holds(counts, args.strict) { Exit::Held } else { Exit::Findings })
}

fn holds(counts: &Counts, strict: bool) -> bool {
    let changes = counts.newly_allowed.saturating_add(counts.newly_refused);
    let doubts = counts.cannot_be_told.saturating_add(counts.malformed);
    changes == 0 && (!strict || doubts == 0)
}

fn read_policy(bundle_json: &[u8], path: &Path) -> Result<BacktestPolicy, UnusableBundleError> {
    BacktestPolicy::read(bundle_json).map_err(|source| unusable(path, source))
}

/// Reads a policy file, or the bundle of a package.
pub(crate) fn old_bundle(path: &Path) -> miette::Result<Vec<u8>> {
    let bytes = read_bundle_json(path)?;
    if bytes.trim_ascii_start().starts_with(b"{") {
        Bundle::read(&bytes).map_err(|source| unusable(path, source))?;
        return Ok(bytes);
    }
    Ok(PolicyFile::load(path)?.bundle_json().to_vec())
}

fn unusable(path: &Path, source: BundleError) -> UnusableBundleError {
    UnusableBundleError { path: path.to_owned(), source }
}
