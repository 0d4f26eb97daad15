//! `authorizer audit report`: one document for whoever reviews a policy.
//!
//! What it says is gathered here once ([`Report`]), in words and in the policy's own text; each form only writes it down.
//! All text of the policy is somebody else's: [`text`] says how it is shown.

mod fact;
mod html;
mod issuers;
mod markdown;
mod permissions;
mod request;
mod scope;
mod settings;
#[cfg(test)]
mod tests;
mod text;

use std::path::{Path, PathBuf};

use authorizer_analysis::matrix;
use authorizer_core::record::sha256_hex;
use authorizer_core::rules::Effect;
use authorizer_core::{Authorizer, UnixTime};
use authorizer_findings::{Finding, Severity, Subject, findings};
use authorizer_policy::PolicyFile;
use clap::ValueEnum;

use self::fact::Section;
use self::issuers::IssuerFacts;
use self::permissions::Permission;
use super::unanswered::UnansweredError;
use crate::output::{Exit, line};
use crate::save;
use crate::time::{now_or, parse_instant, show_instant};

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

/// All that a report says.
#[derive(Debug)]
struct Report {
    /// The policy's file, without its folder: a report says nothing of the machine that made it.
    name: String,
    bundle_sha256: String,
    /// Of the policy file as it is written, which has more in it than the bundle: what is accepted, and comments.
    policy_sha256: String,
    now: String,
    permissions: Vec<Permission>,
    /// The findings that the policy does not accept: the gravest first.
    open: Vec<Placed>,
    accepted: Vec<Placed>,
    issuers: Vec<IssuerFacts>,
    settings: Vec<Section>,
    counts: RuleCounts,
    text: String,
}

/// A finding, and where it is.
#[derive(Debug)]
struct Placed {
    finding: Finding,
    line: usize,
    column: usize,
    /// The line of the entry that accepts it.
    accepted_at: Option<usize>,
}

#[derive(Debug)]
struct RuleCounts {
    allow: usize,
    deny: usize,
}

/// The version of the program that wrote it.
const TOOL: &str = concat!("authorizer ", env!("CARGO_PKG_VERSION"));

impl Report {
    fn of(path: &Path, now: UnixTime) -> miette::Result<Self> {
        let file = PolicyFile::load(path)?;
        let authorizer = Authorizer::new(file.bundle().clone());
        let table = matrix(&authorizer).map_err(UnansweredError)?;
        let rules = authorizer.bundle().policy().rules();
        let places = file.places();
        let found = findings(&Subject::new(file.document(), &authorizer, now)).into_iter().map(|finding| {
            let start = places.line_span(&finding.place).unwrap_or_default().start;
            let position = places.position(start);
            let accepted_at = finding
                .accepted
                .as_ref()
                .map(|accepted| places.position(places.span(&accepted.place).unwrap_or_default().start).line);
            Placed { finding, line: position.line, column: position.column, accepted_at }
        });
        let (accepted, open) = found.partition(|placed| placed.accepted_at.is_some());
        let of = |effect| rules.iter().filter(|rule| rule.effect() == effect).count();
        Ok(Self {
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            bundle_sha256: authorizer.bundle().sha256().to_owned(),
            policy_sha256: sha256_hex(file.text().as_bytes()),
            now: show_instant(now),
            permissions: permissions::of(table, authorizer.bundle().policy()),
            open,
            accepted,
            issuers: issuers::of(&file),
            settings: settings::of(file.document()),
            counts: RuleCounts { allow: of(Effect::Allow), deny: of(Effect::Deny) },
            text: file.text().to_owned(),
        })
    }

    /// How many open findings there are of each severity, the gravest first.
    fn severities(&self) -> [(Severity, usize); 4] {
        [Severity::High, Severity::Medium, Severity::Low, Severity::Informational].map(|severity| {
            (severity, self.open.iter().filter(|placed| placed.finding.severity == severity).count())
        })
    }

    /// Open findings of the same check and severity together, as they are told.
    fn alike(&self) -> impl Iterator<Item = &[Placed]> {
        self.open.chunk_by(|a, b| {
            (a.finding.severity, a.finding.check.id) == (b.finding.severity, b.finding.check.id)
        })
    }

    /// The lines of the policy file, without their ends.
    fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.lines()
    }
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    let report = Report::of(&args.policy, now_or(args.now))?;
    let written = match args.format {
        Format::Html => html::page(&report),
        Format::Markdown => markdown::document(&report),
    };
    match &args.out {
        Some(path) => save::replace(path, written.as_bytes())?,
        None => line(written.trim_end_matches('\n'))?,
    }
    Ok(Exit::Held)
}
