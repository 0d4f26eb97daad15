//! `authorizer audit diff`: what a new policy grants, and what it takes away.

use std::path::PathBuf;

use authorizer_analysis::{AccessChange, Direction, PolicyDiff, StorageChange, TrustChange, diff};
use owo_colors::OwoColorize as _;
use serde_json::json;

use super::policies::load;
use super::request;
use super::unanswered::UnansweredError;
use crate::output::{Exit, Format, OutputError, line};

/// Compare two policies by what they decide.
///
/// Lists every access that the new policy grants or takes away, with a request on which the two policies decide
/// differently. Rules that were renamed, moved, split or joined are not a difference if they mean the same.
///
/// Exits 1 when there is a difference. With --no-new-access, exits 1 only when the new policy allows, stores or trusts
/// something that the old policy does not.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  authorizer audit diff --no-new-access main.toml change.toml")]
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

pub(super) fn run(args: &Args) -> miette::Result<Exit> {
    let (old, new) = (load(&args.old)?, load(&args.new)?);
    let found = diff(&old, &new).map_err(UnansweredError)?;
    let grants = found.grants();
    match args.format {
        Format::Json => line(json!({
            "version": 1,
            "old": {"policy": args.old, "bundle_sha256": old.bundle().sha256()},
            "new": {"policy": args.new, "bundle_sha256": new.bundle().sha256()},
            "new_access": grants, "granted": found.granted, "revoked": found.revoked,
            "stored_otherwise": found.stored_otherwise, "trust": found.trust,
        }))?,
        Format::Text => write_text(&found)?,
    }
    let is_finding = if args.no_new_access { grants } else { !found.is_empty() };
    Ok(if is_finding { Exit::Findings } else { Exit::Held })
}

fn write_text(found: &PolicyDiff) -> Result<(), OutputError> {
    if found.is_empty() {
        return line("the policies decide the same");
    }
    write_accesses(&"granted".red().to_string(), &found.granted)?;
    write_accesses(&"taken away".green().to_string(), &found.revoked)?;
    if !found.stored_otherwise.is_empty() {
        line("stored differently")?;
        for StorageChange { what, direction, access } in &found.stored_otherwise {
            line(format_args!("  {} ({}) by {}", what.bold(), shown(*direction), whose(access)))?;
            write_request(access)?;
        }
    }
    if !found.trust.is_empty() {
        line("trust")?;
        for TrustChange { issuer, what, direction } in &found.trust {
            let of = issuer.as_ref().map(|issuer| format!("issuer {issuer}: ")).unwrap_or_default();
            line(format_args!("  {of}{what} ({})", shown(*direction)))?;
        }
    }
    Ok(())
}

fn shown(direction: Direction) -> &'static str {
    match direction {
        Direction::Wider => "wider",
        Direction::Narrower => "narrower",
        Direction::Other => "different",
    }
}

/// Writes a paragraph per rule and issuer, with the first request.
fn write_accesses(title: &str, changes: &[AccessChange]) -> Result<(), OutputError> {
    if changes.is_empty() {
        return Ok(());
    }
    line(title)?;
    let mut rest = changes.iter().peekable();
    while let Some(first) = rest.next() {
        let mut operations = vec![first.operation.name()];
        let same = |next: &&AccessChange| {
            next.rule == first.rule
                && next.issuer == first.issuer
                && next.old == first.old
                && next.new == first.new
        };
        while let Some(next) = rest.next_if(same) {
            operations.push(next.operation.name());
        }
        line(format_args!("  {} by {}", operations.join(", ").bold(), whose(first)))?;
        write_request(first)?;
    }
    Ok(())
}

fn whose(change: &AccessChange) -> String {
    match &change.issuer {
        Some(issuer) => format!("rule {} with a token of {issuer}", change.rule),
        None => format!("rule {} without a token", change.rule),
    }
}

fn write_request(change: &AccessChange) -> Result<(), OutputError> {
    request::write(&change.request, "    ")?;
    line(format_args!("      before  {}", request::decision(&change.old)))?;
    line(format_args!("      after   {}", request::decision(&change.new)))
}
