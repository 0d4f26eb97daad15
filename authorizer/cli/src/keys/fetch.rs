//! `authorizer keys fetch`: writes the keys of a provider to the file that a policy names.

use std::borrow::Cow;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::error::KeysError;
use super::http::get;
use super::set::{JwkSet, Stored, sum};
use crate::output::{Exit, Format, line};
use authorizer_core::FetchUrl;

/// Fetch a JWK set, check it, and write it to a file.
///
/// Replaces the whole file or nothing. If the keys cannot be fetched or used, the file stays as it was, and the command
/// exits 2. `authorizer serve` uses the new keys at once. A deployed function uses them after it is packaged again.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  authorizer keys fetch https://login.example.com/.well-known/jwks.json \\\n    \
    --out keys/login.jwks.json"
)]
pub(crate) struct Args {
    /// `jwks_uri` of the provider.
    url: String,
    /// File for the keys.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What `keys fetch --format json` says.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(title = "`authorizer keys fetch --format json`")]
pub(crate) struct Document<'k> {
    /// The version of this format.
    #[schemars(extend("const" = 1))]
    version: u32,
    /// The file that was written, as it was named.
    file: Cow<'k, str>,
    /// What happened to it.
    change: Stored,
    /// How many keys were fetched.
    keys: usize,
    /// How many of them a policy can use.
    usable: usize,
}

pub(super) fn run(args: &Args) -> miette::Result<Exit> {
    let address =
        FetchUrl::parse(&args.url).map_err(|error| KeysError::Address { text: args.url.clone(), error })?;
    let set = JwkSet::usable(get(&address)?, address.as_str())?;
    let (keys, stored) = (set.keys(), set.store(&args.out)?);
    set.note_skipped();
    match args.format {
        Format::Json => line(json!(Document {
            version: 1,
            file: args.out.to_string_lossy(),
            change: stored,
            keys: keys.len(),
            usable: keys.iter().filter(|key| !key.algorithms().is_empty()).count(),
        }))?,
        Format::Text => {
            let file = args.out.display();
            line(match stored {
                Stored::New => format!("{file} is new: {}", sum(&keys)),
                Stored::Changed => format!("{file} has changed: {}", sum(&keys)),
                Stored::Unchanged => format!("{file} is unchanged: {}", sum(&keys)),
            })?;
        }
    }
    Ok(Exit::Held)
}
