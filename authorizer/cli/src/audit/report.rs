//! `authorizer audit report`: one document for whoever reviews a policy.

use std::path::PathBuf;

use authorizer_core::UnixTime;
use authorizer_findings::review::{Review, html, markdown};
use authorizer_policy::PolicyFile;
use clap::ValueEnum;

use super::unanswered::UnansweredError;
use crate::output::{Exit, line};
use crate::save;
use crate::time::{now_or, parse_instant};

/// Write all of it down for a review: who may do what, the findings, the issuers and their keys, and the rules.
///
/// One HTML file that needs nothing else, to read, to search and to print; or Markdown. The same policy, keys and
/// `--now` give the same bytes. It asks nobody for anything: keys behind a `url` are not in it.
///
/// Exits 0 when the report is written, whatever it says; `audit findings` is the gate.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  authorizer audit report policy.toml --out report.html")]
pub(crate) struct Args {
    /// The policy file.
    policy: PathBuf,
    /// Where the report goes, instead of standard output. A file that is there is replaced.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How the report is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The instant to look at, for what expires, instead of the present: seconds since 1970 or RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    now: Option<UnixTime>,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// One page that needs nothing else.
    #[default]
    Html,
    /// GitHub's Markdown.
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
    Ok(Exit::Held)
}
