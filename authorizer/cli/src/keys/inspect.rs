//! `authorizer keys inspect`: what a JWK set contains, and which keys a policy can use.

use std::path::{Path, PathBuf};

use authorizer_findings::jwk::{Key, Standing};
use owo_colors::OwoColorize as _;
use serde_json::json;

use super::error::KeysError;
use super::set::{JwkSet, sum};
use crate::input::{InputError, read_limited, read_stdin_limited};
use crate::output::{Exit, Format, OutputError, line};
use authorizer_jwks::MAX_ANSWER_BYTES;

/// Show each key of a JWK set, and whether a policy can use it.
///
/// Exits 1 when a policy cannot have these keys: one of them is private, or none of them can be used. Other keys that
/// cannot be used are skipped by a policy, and shown here with the reason.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  authorizer keys inspect keys/login.jwks.json")]
pub(crate) struct Args {
    /// File with a JWK set, or `-` for standard input.
    file: PathBuf,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(args: &Args) -> miette::Result<Exit> {
    let place = args.file.display().to_string();
    let set =
        JwkSet::parse(read(&args.file)?).map_err(|error| KeysError::Set { place: place.clone(), error })?;
    let (keys, problem) = (set.keys(), set.check().err());
    match args.format {
        Format::Json => line(json!({
            "version": 1, "file": place, "usable": problem.is_none(),
            "problem": problem.as_ref().map(ToString::to_string),
            "keys": keys.iter().map(as_json).collect::<Vec<_>>(),
        }))?,
        Format::Text => {
            line(format_args!("{place}: {}", sum(&keys)))?;
            for key in &keys {
                write(key)?;
            }
            if let Some(problem) = &problem {
                line(format_args!("{}: {problem}", "a policy cannot have these keys".red()))?;
            }
        }
    }
    Ok(if problem.is_none() { Exit::Held } else { Exit::Findings })
}

fn read(path: &Path) -> Result<Vec<u8>, InputError> {
    if path != Path::new("-") {
        return read_limited(path, MAX_ANSWER_BYTES);
    }
    read_stdin_limited(MAX_ANSWER_BYTES)
}

fn as_json(key: &Key) -> serde_json::Value {
    let (standing, why) = match &key.standing {
        Standing::Usable(_) => ("usable", None),
        Standing::PassedOver(why) => ("passed_over", Some(why)),
        Standing::Refused(why) => ("refused", Some(why)),
    };
    json!({
        "kid": key.id, "kty": key.kind, "crv": key.curve, "bits": key.bits, "alg": key.algorithm,
        "use": key.usage, "thumbprint": key.thumbprint, "standing": standing, "why": why,
        "algorithms": key.algorithms(),
    })
}

/// Writes a key. Text from the file is escaped: the file may come from anywhere.
fn write(key: &Key) -> Result<(), OutputError> {
    line("")?;
    let bits = key.bits.map(|bits| format!("{bits} bits"));
    let shown = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name} {value}"));
    let words =
        [key.kind.clone(), key.curve.clone(), bits, shown("alg", &key.algorithm), shown("use", &key.usage)];
    let words: Vec<_> = words.into_iter().flatten().collect();
    let id = key.id.as_deref().map_or_else(|| "no kid".into(), |id| format!("kid {id}"));
    line(format_args!("{}", id.escape_debug()))?;
    line(format_args!("  {}", words.join(", ").escape_debug()))?;
    if let Some(thumbprint) = &key.thumbprint {
        line(format_args!("  thumbprint {thumbprint}"))?;
    }
    match &key.standing {
        Standing::Usable(algorithms) => {
            let names: Vec<_> = algorithms.iter().map(|algorithm| algorithm.name()).collect();
            line(format_args!("  {} with {}", "usable".green(), names.join(", ")))
        }
        Standing::PassedOver(why) => line(format_args!("  {}: {}", "not used".yellow(), why.escape_debug())),
        Standing::Refused(why) => line(format_args!("  {}: {}", "refused".red(), why.escape_debug())),
    }
}
