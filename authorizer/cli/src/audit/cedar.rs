//! `authorizer audit cedar`: the rules in another language.

use std::path::PathBuf;

use authorizer_analysis::cedar::{Shape, Translation, UntranslatableError};
use miette::Diagnostic;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use thiserror::Error;

use crate::output::{Exit, Format, line};
use crate::policy::{PolicyFileArgs, for_review};

/// A policy that Cedar cannot express.
#[derive(Debug, Diagnostic, Error)]
#[error("`{path}` cannot be translated: {source}")]
#[diagnostic(help("`authorizer help cedar` lists what Cedar cannot express"))]
struct CedarError {
    path: PathBuf,
    source: UntranslatableError,
}

/// Translate the rules of a policy to Cedar.
///
/// Prints the Cedar policies. With --schema, prints their schema instead. `authorizer help cedar` explains how to evaluate
/// a request against them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  authorizer audit cedar policy.toml > policy.cedar\n  \
    authorizer audit cedar --schema policy.toml > policy.cedarschema\n  \
    cedar validate --schema policy.cedarschema --policies policy.cedar")]
pub(crate) struct Args {
    #[command(flatten)]
    policy: PolicyFileArgs,
    /// Print the schema instead of the policies.
    #[arg(long)]
    schema: bool,
    /// Output format. JSON contains the policies, the schema, and what they read of a request.
    #[arg(long, value_enum, default_value_t, conflicts_with = "schema")]
    format: Format,
}

/// What `audit cedar --format json` writes.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(title = "`authorizer audit cedar --format json`")]
pub(crate) struct Document<'t> {
    /// The version of this format.
    #[schemars(extend("const" = 1))]
    version: u32,
    /// The SHA-256 of the bundle, in hexadecimal.
    bundle_sha256: &'t str,
    /// The policies, in Cedar's language.
    policies: &'t str,
    /// Their schema, in Cedar's language.
    schema: &'t str,
    /// What they read of a request.
    reads: &'t Shape,
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    let bundle = for_review(args.policy.path())?.into_bundle();
    let translation = Translation::of(bundle.policy())
        .map_err(|source| CedarError { path: args.policy.path().to_owned(), source })?;
    match (args.format, args.schema) {
        (Format::Json, _) => line(json!(Document {
            version: 1,
            bundle_sha256: bundle.sha256(),
            policies: translation.policies(),
            schema: translation.schema(),
            reads: translation.shape(),
        }))?,
        (Format::Text, true) => line(translation.schema().trim_end())?,
        (Format::Text, false) => {
            line(format_args!(
                "// The rules of bundle {}.\n// `authorizer help cedar` explains how to evaluate a request against them.\n",
                bundle.sha256()
            ))?;
            line(translation.policies().trim_end())?;
        }
    }
    Ok(Exit::Held)
}
