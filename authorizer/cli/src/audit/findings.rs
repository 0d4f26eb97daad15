//! `authorizer audit findings`: every check over a policy, its issuers and its keys.

use std::env;
use std::path::PathBuf;

use authorizer_core::{Authorizer, UnixTime};
use authorizer_findings::Severity;
use authorizer_findings::policy::{PolicySubject, findings};
use authorizer_findings::report::{Report, json, sarif, text};
use authorizer_policy::PolicyFile;
use clap::ValueEnum;

use crate::output::{Exit, OutputError, line};
use crate::time::{now_or, parse_instant};

/// Find what in a policy, its issuers and its keys deserves a second look.
///
/// Each finding has an id, a severity, its line and column, why it matters and how it is mended; docs/audit has a
/// page for each. The policy itself says which findings are as they are meant to be, and why: `[[accepted]]`.
///
/// Exits 1 when there is a finding at or above `--fail-on` that the policy does not accept.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  authorizer audit findings policy.toml --fail-on high")]
pub(crate) struct Args {
    /// The policy file.
    policy: PathBuf,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The least severity that makes the exit 1.
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    fail_on: FailOn,
    /// The instant to look at, for what expires, instead of the present: seconds since 1970 or RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    now: Option<UnixTime>,
}

/// How findings are written.
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

/// From which severity on a finding makes the exit 1.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum FailOn {
    /// Only what nobody can have meant.
    High,
    /// What is open, or not closed, that reads as if it were not.
    #[default]
    Medium,
    /// Habits, too, and what does nothing.
    Low,
    /// Whatever is found.
    Never,
}

impl FailOn {
    /// Exits 1 when an open finding is as grave as this.
    pub(super) fn exit(self, report: &Report) -> Exit {
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
    let file = PolicyFile::load(&args.policy)?;
    let now = now_or(args.now);
    let authorizer = Authorizer::new(file.bundle().clone());
    let findings = findings(&PolicySubject::new(file.document(), &authorizer, now));
    let report = Report::of_policy(&args.policy, &file, now, findings);
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
