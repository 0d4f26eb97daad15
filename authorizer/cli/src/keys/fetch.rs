//! `authorizer keys fetch`: writes the keys of a provider to the file that a policy names.

use std::path::PathBuf;

use serde_json::json;

use super::error::KeysError;
use super::http::get;
use super::set::{JwkSet, Stored, sum};
use crate::output::{Exit, Format, line};
use authorizer_core::token::KeysUrl;

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

pub(super) fn run(args: &Args) -> miette::Result<Exit> {
    let address =
        KeysUrl::parse(&args.url).map_err(|error| KeysError::Address { text: args.url.clone(), error })?;
    let set = JwkSet::usable(get(&address)?, address.as_str())?;
    let (keys, stored) = (set.keys(), set.store(&args.out)?);
    set.note_skipped();
    match args.format {
        Format::Json => line(json!({
            "version": 1, "file": args.out.to_string_lossy(), "change": stored.word(), "keys": keys.len(),
            "usable": keys.iter().filter(|key| !key.algorithms().is_empty()).count(),
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
