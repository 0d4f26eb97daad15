//! `authorizer audit matrix`: who may do what to which keys, as a table for a review.

mod csv;
mod html;

use authorizer_analysis::{Cell, Matrix, Row, matrix};
use authorizer_core::Authorizer;
use clap::ValueEnum;
use owo_colors::OwoColorize as _;
use serde_json::json;

use super::unanswered::UnansweredError;
use crate::output::{Exit, OutputError, line};
use crate::policy::PolicyArgs;

/// List who may do what to which keys.
///
/// A request that the core allows proves each filled cell. Every request that the core allows belongs to a filled cell.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  authorizer audit matrix --policy policy.toml --format html > access.html"
)]
pub(crate) struct Args {
    #[command(flatten)]
    policy: PolicyArgs,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
}

/// The output format of a table.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
enum TableFormat {
    /// For people.
    #[default]
    Text,
    /// For spreadsheets.
    Csv,
    /// For programs, with the requests that prove the cells.
    Json,
    /// One self-contained page, to read or to print.
    Html,
}

pub(super) fn run(args: &Args) -> miette::Result<Exit> {
    let authorizer = args.policy.authorizer()?;
    let table = matrix(&authorizer).map_err(UnansweredError)?;
    match args.format {
        TableFormat::Text => write_text(&table)?,
        TableFormat::Csv => csv::write(&table)?,
        TableFormat::Json => line(json!({
            "version": 1, "bundle_sha256": authorizer.bundle().sha256(), "rows": table.rows,
        }))?,
        TableFormat::Html => line(page(&authorizer, &table))?,
    }
    Ok(Exit::Held)
}

fn page(authorizer: &Authorizer, table: &Matrix) -> String {
    html::page(table, authorizer.bundle().sha256())
}

fn write_text(table: &Matrix) -> Result<(), OutputError> {
    if table.rows.is_empty() {
        return line("nobody can do anything");
    }
    for Row { who, conditions, keys, cells } in &table.rows {
        let conditions =
            if conditions.is_empty() { String::new() } else { format!(", {}", conditions.join(", ")) };
        line(format_args!("{} {}{conditions}", keys.bold(), who.join(", ")))?;
        for Cell { operation, rules, except, .. } in cells {
            let except = if except.is_empty() {
                String::new()
            } else {
                format!(", but not where {} denies it", except.join(" or "))
            };
            line(format_args!("  {:24} by {}{except}", operation.name(), rules.join(", ")))?;
        }
    }
    Ok(())
}
