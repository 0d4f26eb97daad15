//! `authorizer audit findings`: every check over a policy, its issuers and its keys.

mod json;
pub(super) mod sarif;
pub(super) mod text;

use std::path::PathBuf;

use authorizer_core::{Authorizer, UnixTime};
use authorizer_findings::{Finding, Severity, Subject, findings};
use authorizer_policy::{Places, PolicyFile};
use clap::ValueEnum;

use crate::output::{Exit, line};
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
    pub(super) fn fails(self, severity: Severity) -> bool {
        match self {
            Self::High => severity >= Severity::High,
            Self::Medium => severity >= Severity::Medium,
            Self::Low => severity >= Severity::Low,
            Self::Never => false,
        }
    }
}

/// What is told of a policy, whatever the form.
struct Report<'p> {
    /// The policy, as the person named it.
    policy: &'p PathBuf,
    now: UnixTime,
    text: &'p str,
    places: Places<'p>,
    findings: Vec<Finding>,
}

impl Report<'_> {
    /// Those that the policy does not accept.
    fn open(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.accepted.is_none())
    }

    fn accepted(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.accepted.is_some())
    }

    /// How many open findings there are of each severity, the gravest first.
    fn counts(&self) -> [(Severity, usize); 4] {
        [Severity::High, Severity::Medium, Severity::Low, Severity::Informational]
            .map(|severity| (severity, self.open().filter(|finding| finding.severity == severity).count()))
    }
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    let file = PolicyFile::load(&args.policy)?;
    let now = now_or(args.now);
    let authorizer = Authorizer::new(file.bundle().clone());
    let findings = findings(&Subject::new(file.document(), &authorizer, now));
    let report = Report { policy: &args.policy, now, text: file.text(), places: file.places(), findings };
    match args.format {
        Format::Text => text::write(&report)?,
        Format::Json => line(json::of(&report))?,
        Format::Sarif => line(sarif::of(&report))?,
    }
    let fails = report.open().any(|finding| args.fail_on.fails(finding.severity));
    Ok(if fails { Exit::Findings } else { Exit::Held })
}
