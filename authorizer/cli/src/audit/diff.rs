//! `authorizer audit diff`: what a new policy grants, and what it takes away.

mod account;
mod markdown;
mod text;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use authorizer_analysis::{PolicyDiff, diff};
use authorizer_core::Authorizer;
use clap::ValueEnum;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use self::account::Account;
use super::policies::load;
use super::unanswered::UnansweredError;
use crate::output::{Exit, line};

/// Compare two policies by what they decide.
///
/// Lists every part of a rule that got wider or narrower, and every setting by which a token is believed, with the old
/// and the new value. The most dangerous comes first. Where a request can show it, a request is shown on which the two
/// policies decide differently. Rules that were renamed, moved, split or joined are not a difference if they mean the
/// same.
///
/// Exits 1 when there is a difference. With --no-new-access, exits 1 only when the new policy allows, stores or trusts
/// something that the old policy does not. Exits 2 when the analysis did not finish.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    authorizer audit diff --no-new-access main.toml change.toml\n  \
    authorizer audit diff --format markdown main.toml change.toml > comment.md")]
pub(crate) struct Args {
    /// Old policy: a TOML file or a `bundle.json`.
    old: PathBuf,
    /// New policy: a TOML file or a `bundle.json`.
    new: PathBuf,
    /// Exit 1 only for new access. Use it as a gate for changes that must not grant any.
    #[arg(long)]
    no_new_access: bool,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The output format of a comparison.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON object.
    Json,
    /// For a comment on a pull request: Markdown, as GitHub reads it, at most 60,000 bytes.
    Markdown,
}

/// What `audit diff --format json` says of two policies.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(title = "`authorizer audit diff --format json`")]
pub(crate) struct Document<'d> {
    /// The version of this format.
    #[schemars(extend("const" = 1))]
    version: u32,
    /// The old policy.
    old: Side<'d>,
    /// The new policy.
    new: Side<'d>,
    /// Whether the new policy allows, stores or trusts something that the old one does not.
    new_access: bool,
    /// Whether the analysis finished for every part.
    decided: bool,
    #[serde(flatten)]
    found: &'d PolicyDiff,
}

/// One of two policies.
#[derive(Debug, JsonSchema, Serialize)]
struct Side<'d> {
    /// The file, as it was named.
    policy: Cow<'d, str>,
    /// The SHA-256 of its bundle, in hexadecimal.
    bundle_sha256: &'d str,
}

impl<'d> Side<'d> {
    fn of(path: &'d Path, authorizer: &'d Authorizer) -> Self {
        Self { policy: path.to_string_lossy(), bundle_sha256: authorizer.bundle().sha256() }
    }
}

pub(super) fn run(args: &Args) -> miette::Result<Exit> {
    let (old, new) = (load(&args.old)?, load(&args.new)?);
    let found = diff(&old, &new).map_err(UnansweredError)?;
    let grants = found.grants();
    match args.format {
        Format::Json => line(json!(Document {
            version: 1,
            old: Side::of(&args.old, &old),
            new: Side::of(&args.new, &new),
            new_access: grants,
            decided: !found.is_undecided(),
            found: &found,
        }))?,
        Format::Text => text::write(&Account::of(&found))?,
        Format::Markdown => {
            let names = [&args.old, &args.new].map(|path| path.display().to_string());
            line(markdown::markdown(&Account::of(&found), &names).trim_end_matches('\n'))?;
        }
    }
    let is_finding = if args.no_new_access { grants } else { !found.is_empty() };
    Ok(match (found.is_undecided(), is_finding) {
        (true, _) => Exit::Unusable,
        (false, true) => Exit::Findings,
        (false, false) => Exit::Held,
    })
}
