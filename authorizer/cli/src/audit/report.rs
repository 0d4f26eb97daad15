//! `authorizer audit report`: one document for whoever reviews a policy.
//!
//! What it says is gathered here once ([`Review`]), in words and in the policy's own text; each form only writes it down.
//! All text of the policy is somebody else's: [`text`] says how it is shown.

mod fact;
mod html;
mod issuers;
mod markdown;
mod permissions;
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
use authorizer_findings::policy::{PolicySubject, findings};
use authorizer_findings::report::Report;
use authorizer_policy::PolicyFile;
use clap::ValueEnum;

use self::fact::Section;
use self::issuers::IssuerFacts;
use self::permissions::Permission;
use crate::error::CliError;
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

/// All that a review says.
#[derive(Debug)]
struct Review {
    /// The policy's file, without its folder: a report says nothing of the machine that made it.
    name: String,
    bundle_sha256: String,
    /// Of the policy file as it is written, which has more in it than the bundle: what is accepted, and comments.
    policy_sha256: String,
    now: String,
    permissions: Vec<Permission>,
    findings: Report,
    issuers: Vec<IssuerFacts>,
    settings: Vec<Section>,
    counts: RuleCounts,
    text: String,
}

#[derive(Debug)]
struct RuleCounts {
    allow: usize,
    deny: usize,
}

/// The version of the program that wrote it.
const TOOL: &str = concat!("authorizer ", env!("CARGO_PKG_VERSION"));

impl Review {
    fn of(path: &Path, now: UnixTime) -> Result<Self, CliError> {
        let file = PolicyFile::load(path)?;
        let authorizer = Authorizer::new(file.bundle().clone());
        let table = matrix(&authorizer)?;
        let rules = authorizer.bundle().policy().rules();
        let found = findings(&PolicySubject::new(file.document(), &authorizer, now));
        let of = |effect| rules.iter().filter(|rule| rule.effect() == effect).count();
        Ok(Self {
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            bundle_sha256: authorizer.bundle().sha256().to_owned(),
            policy_sha256: sha256_hex(file.text().as_bytes()),
            now: show_instant(now),
            permissions: permissions::of(table, authorizer.bundle().policy()),
            findings: Report::of_policy(path, &file, now, found),
            issuers: issuers::of(&file),
            settings: settings::of(file.document()),
            counts: RuleCounts { allow: of(Effect::Allow), deny: of(Effect::Deny) },
            text: file.text().to_owned(),
        })
    }

    /// The lines of the policy file, without their ends.
    fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.lines()
    }
}

pub(crate) fn run(args: &Args) -> Result<Exit, CliError> {
    let review = Review::of(&args.policy, now_or(args.now))?;
    let written = match args.format {
        Format::Html => html::page(&review),
        Format::Markdown => markdown::document(&review),
    };
    match &args.out {
        Some(path) => save::replace(path, written.as_bytes())?,
        None => line(written.trim_end_matches('\n'))?,
    }
    Ok(Exit::Held)
}
