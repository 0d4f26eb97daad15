//! `authorizer audit diff`: what a new policy grants, and what it takes away.

mod account;
mod markdown;
mod text;

use std::path::PathBuf;

use authorizer_analysis::diff;
use clap::ValueEnum;
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

pub(super) fn run(args: &Args) -> miette::Result<Exit> {
    let (old, new) = (load(&args.old)?, load(&args.new)?);
    let found = diff(&old, &new).map_err(UnansweredError)?;
    let grants = found.grants();
    match args.format {
        Format::Json => line(json!({
            "version": 1,
            "old": {"policy": args.old.to_string_lossy(), "bundle_sha256": old.bundle().sha256()},
            "new": {"policy": args.new.to_string_lossy(), "bundle_sha256": new.bundle().sha256()},
            "new_access": grants, "decided": !found.is_undecided(),
            "granted": found.granted, "revoked": found.revoked,
            "stored_otherwise": found.stored_otherwise, "trust": found.trust, "rules": found.rules,
            "other_settings": found.other_settings, "not_compared": found.not_compared,
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
