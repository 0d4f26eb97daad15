//! `authorizer audit report`: one document for the review of a policy.

use std::path::PathBuf;

use authorizer_core::UnixTime;
use authorizer_findings::review::{Review, html, markdown};
use authorizer_policy::PolicyFile;
use clap::ValueEnum;

use super::unanswered::UnansweredError;
use crate::output::{Exit, line};
use crate::save;
use crate::time::{now_or, parse_instant};

/// Write a report for a review: who may do what, the findings, the issuers and their keys, and the rules.
///
/// The report is one self-contained HTML file to read, search and print, or Markdown. The same policy, keys and `--now`
/// give the same bytes. The command does not use the network: keys behind a `url` are not in the report.
///
/// Exits 0 when the report is written, whatever it contains. Use `audit findings` as a gate. Exits 2 when the analysis
/// of a rule did not finish; the report names the rule.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  authorizer audit report policy.toml --out report.html")]
pub(crate) struct Args {
    /// Policy file (TOML).
    policy: PathBuf,
    /// File for the report (default: standard output). An existing file is replaced.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Check expiry as of this time: seconds since 1970 or RFC 3339 (default: now).
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    now: Option<UnixTime>,
}

/// The output format of a report.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// One self-contained page.
    #[default]
    Html,
    /// Markdown, as GitHub reads it.
    Markdown,
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    let file = PolicyFile::load(&args.policy)?;
    let review = Review::of(&args.policy, &file, now_or(args.now)).map_err(UnansweredError)?;
    let written = match args.format {
        Format::Html => html(&review),
        Format::Markdown => markdown(&review),
    };
    match &args.out {
        Some(path) => save::replace(path, written.as_bytes())?,
        None => line(written.trim_end_matches('\n'))?,
    }
    Ok(if review.is_decided() { Exit::Held } else { Exit::Unusable })
}
