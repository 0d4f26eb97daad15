//! `authorizer audit findings`: every check over a policy, its issuers and its keys.

use std::env;

use authorizer_core::{Authorizer, UnixTime};
use authorizer_findings::Severity;
use authorizer_findings::policy::{PolicySubject, findings};
use authorizer_findings::report::{Report, json, sarif, text};
use clap::ValueEnum;

use super::docs::DocsArgs;
use crate::output::{Exit, OutputError, line};
use crate::policy::{PolicyFileArgs, for_review};
use crate::time::{now_or, parse_instant};

/// Find problems in a policy, its issuers and its keys.
///
/// Each finding has an id, a severity, a line and column, a reason and a fix. `authorizer help EA010` prints what one means. A policy
/// can accept a finding and say why: `[[accepted]]`.
///
/// Exits 1 when there is a finding at or above `--fail-on` that the policy does not accept. The default is medium, where
/// `make deploy` stops too: high lets in more than was meant, medium refuses legitimate requests, low is style.
/// Exits 2 when the analysis of a rule did not finish (EA019), unless the policy accepts that or with
/// `--fail-on never`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  authorizer audit findings policy.toml --fail-on low")]
pub(crate) struct Args {
    #[command(flatten)]
    policy: PolicyFileArgs,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Lowest severity that makes the exit status 1.
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    fail_on: FailOn,
    #[command(flatten)]
    docs: DocsArgs,
    /// Check expiry as of this time: seconds since 1970 or RFC 3339 (default: now).
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    now: Option<UnixTime>,
}

/// The output format of findings.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON object.
    Json,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
}

/// The lowest severity that makes the exit status 1.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum FailOn {
    /// What lets in more than was meant.
    High,
    /// Also what refuses legitimate requests, or limits less than it reads.
    #[default]
    Medium,
    /// Also style: bad habits, and parts without effect.
    Low,
    /// Findings do not change the exit status.
    Never,
}

impl FailOn {
    /// The exit status: 1 if an open finding has this severity or a higher one. 2 if a question was not decided, since then
    /// nobody knows what else there is.
    pub(super) fn exit(self, report: &Report) -> Exit {
        if !report.is_decided() && !matches!(self, Self::Never) {
            return Exit::Unusable;
        }
        let fails = report.open().any(|finding| self.fails(finding.severity));
        if fails { Exit::Findings } else { Exit::Held }
    }

    fn fails(self, severity: Severity) -> bool {
        match self {
            Self::High => severity >= Severity::High,
            Self::Medium => severity >= Severity::Medium,
            Self::Low => severity >= Severity::Low,
            Self::Never => false,
        }
    }
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    let file = for_review(args.policy.path())?;
    let now = now_or(args.now);
    let authorizer = Authorizer::new(file.bundle().clone());
    let findings = findings(&PolicySubject::new(file.document(), &authorizer, now));
    let report = Report::of_policy(args.policy.path(), &file, now, findings).with_docs(args.docs.get());
    write(&report, args.format)?;
    Ok(args.fail_on.exit(&report))
}

/// Writes a report to standard output.
pub(super) fn write(report: &Report, format: Format) -> Result<(), OutputError> {
    match format {
        Format::Text => line(text(report)),
        Format::Json => line(json(report)),
        Format::Sarif => line(sarif(report, env::current_dir().ok().as_deref())),
    }
}
