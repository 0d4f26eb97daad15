//! `authorizer audit matrix`: who may do what to which keys, as a table for a review: of a policy, or of buckets.

mod csv;
mod html;
mod reach;
mod text;

use std::path::PathBuf;

use authorizer_analysis::{Matrix, Row, matrix};
use authorizer_core::Authorizer;
use authorizer_findings::deployment::{BucketReach, Elsewhere};
use clap::ValueEnum;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use self::reach::Pair;
use super::unanswered::UnansweredError;
use crate::output::{Exit, line};
use crate::policy::PolicyArgs;

/// List who may do what to which keys.
///
/// A request that the core allows proves each filled cell. Every request that the core allows belongs to a filled cell.
///
/// With `--deployment`, the table is of each bucket: who may do what through any of the distributions that reach it.
/// EXPORT_DIR is the folder that `infra/export` wrote. POLICY is the package (zip) of its function, a policy (TOML) or
/// a bundle (JSON). Only a package shows that the function has this policy. A distribution with several functions is
/// given once for each package.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  authorizer audit matrix --policy policy.toml --format html > access.html\n  \
    authorizer audit matrix --deployment export-files=dist/files.zip export-admin=dist/admin.zip"
)]
pub(crate) struct Args {
    #[command(flatten)]
    of: Of,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
}

/// A policy, a bundle, or deployments: one kind of them.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Of {
    /// Policy file (TOML), or `-` for standard input.
    #[arg(value_name = "POLICY")]
    argument: Option<PathBuf>,
    /// The same as POLICY.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// `bundle.json` of a package, instead of a policy file.
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// Deployments that reach one bucket or several, each with its policy.
    #[arg(long, value_name = "EXPORT_DIR=POLICY", num_args = 1.., value_parser = reach::pair)]
    deployment: Vec<Pair>,
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

/// What `audit matrix --format json` says.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(title = "`authorizer audit matrix --format json`")]
#[serde(untagged)]
pub(crate) enum Document<'m> {
    /// Of a policy.
    Policy {
        /// The version of this format.
        #[schemars(extend("const" = 1))]
        version: u32,
        /// The SHA-256 of the bundle, in hexadecimal.
        bundle_sha256: &'m str,
        /// The rows, in the order of the rules.
        rows: &'m [Row],
    },
    /// Of deployments.
    Deployment {
        /// The version of this format.
        #[schemars(extend("const" = 1))]
        version: u32,
        /// The buckets, by their names.
        buckets: &'m [BucketReach],
        /// Behaviors whose origin is not known to be a bucket.
        elsewhere: &'m [Elsewhere],
    },
}

pub(super) fn run(args: &Args) -> miette::Result<Exit> {
    if !args.of.deployment.is_empty() {
        return reach::run(&args.of.deployment, args.format);
    }
    let policy =
        PolicyArgs::of(args.of.argument.clone().or_else(|| args.of.policy.clone()), args.of.bundle.clone());
    let authorizer = policy.authorizer()?;
    let table = matrix(&authorizer).map_err(UnansweredError)?;
    match args.format {
        TableFormat::Text => text::write(&table)?,
        TableFormat::Csv => csv::write(&table)?,
        TableFormat::Json => {
            let bundle_sha256 = authorizer.bundle().sha256();
            line(json!(Document::Policy { version: 1, bundle_sha256, rows: &table.rows }))?;
        }
        TableFormat::Html => line(page(&authorizer, &table))?,
    }
    Ok(Exit::Held)
}

fn page(authorizer: &Authorizer, table: &Matrix) -> String {
    html::page(table, authorizer.bundle().sha256())
}
