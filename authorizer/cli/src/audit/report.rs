//! `authorizer audit report`: one document for the review of a policy.

use std::path::PathBuf;

use authorizer_core::{Authorizer, UnixTime};
use authorizer_findings::review::{Review, Tested, html, markdown};
use authorizer_policy::PolicyFile;
use clap::ValueEnum;

use super::docs::DocsArgs;
use super::unanswered::UnansweredError;
use crate::output::{Exit, line};
use crate::policy::{PolicyFileArgs, for_review};
use crate::save;
use crate::test::{self, TestsFile, tests_beside};
use crate::time::{now_or, parse_instant};

/// Write a report for a review: who may do what, the findings, the issuers and their keys, and the rules.
///
/// The policy's tests are run, and their results are in the report: those of `--tests`, or NAME.tests.toml beside the
/// policy NAME.toml if there is one.
///
/// The report is one self-contained HTML file to read, search and print, or Markdown. The same policy, keys,
/// tests and `--now` give the same bytes. The command does not use the network: keys behind a `url` are not in the report.
///
/// Exits 0 when the report is written, whatever it contains. Use `audit findings` as a gate. Exits 2 when the analysis
/// of a rule did not finish; the report names the rule.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  authorizer audit report policy.toml --out report.html")]
pub(crate) struct Args {
    #[command(flatten)]
    policy: PolicyFileArgs,
    /// File for the report (default: standard output). An existing file is replaced.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Test file of the policy; may be repeated (default: NAME.tests.toml beside the policy, if there is one).
    #[arg(long, value_name = "FILE")]
    tests: Vec<PathBuf>,
    #[command(flatten)]
    docs: DocsArgs,
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

/// The results of the policy's tests, if it has any.
fn tested(args: &Args, file: &PolicyFile) -> miette::Result<Option<Tested>> {
    let beside = tests_beside(args.policy.path());
    let files = match args.tests.as_slice() {
        [] if beside.exists() => vec![beside],
        [] => return Ok(None),
        files => files.to_vec(),
    };
    let authorizer = Authorizer::new(file.bundle().clone());
    let mut tested = Tested::new(&authorizer);
    for path in files {
        let TestsFile { text, suite, .. } = test::load(&path, &authorizer)?;
        tested.add(&path, &text, &suite, &authorizer);
    }
    Ok(Some(tested))
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    let file = for_review(args.policy.path())?;
    let mut review = Review::of(args.policy.path(), &file, now_or(args.now)).map_err(UnansweredError)?;
    if let Some(tested) = tested(args, &file)? {
        review = review.with_tests(tested);
    }
    if let Some(docs) = args.docs.get() {
        review = review.with_docs(docs);
    }
    let written = match args.format {
        Format::Html => html(&review),
        Format::Markdown => markdown(&review),
    };
    match &args.out {
        Some(path) => save::replace_or_send(path, written.as_bytes())?,
        None => line(written.trim_end_matches('\n'))?,
    }
    Ok(if review.is_decided() { Exit::Held } else { Exit::Unusable })
}
