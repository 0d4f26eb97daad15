//! `authorizer keys inspect`: what a JWK set contains, and which keys a policy can use.

use std::path::{Path, PathBuf};

use authorizer_core::token::SignatureAlgorithm;
use authorizer_findings::jwk::{Key, Standing};
use owo_colors::OwoColorize as _;
use schemars::JsonSchema;
use serde::Serialize;
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

/// What `keys inspect --format json` says of a JWK set.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(title = "`authorizer keys inspect --format json`")]
pub(crate) struct Document<'k> {
    /// The version of this format.
    #[schemars(extend("const" = 1))]
    version: u32,
    /// The file, as it was named.
    file: &'k str,
    /// Whether a policy can have these keys.
    usable: bool,
    /// Why it cannot.
    problem: Option<String>,
    /// Each key, in the order of the set.
    keys: Vec<ShownKey<'k>>,
}

/// A key.
#[derive(Debug, JsonSchema, Serialize)]
struct ShownKey<'k> {
    /// Its `kid`.
    kid: Option<&'k str>,
    /// Its `kty`.
    kty: Option<&'k str>,
    /// Its `crv`.
    crv: Option<&'k str>,
    /// The length of an RSA key's modulus.
    bits: Option<usize>,
    /// Its own `alg`.
    alg: Option<&'k str>,
    /// Its `use`.
    #[serde(rename = "use")]
    usage: Option<&'k str>,
    /// RFC 7638, with SHA-256; of public keys of the kinds that are known here.
    thumbprint: Option<&'k str>,
    /// What a policy does with it.
    standing: StandingWord,
    /// Why it cannot be used.
    why: Option<&'k str>,
    /// The algorithms for which it can be used.
    algorithms: &'k [SignatureAlgorithm],
}

/// What a policy does with a key.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
enum StandingWord {
    /// It uses it.
    Usable,
    /// It goes without it.
    PassedOver,
    /// A policy with such a key cannot be used.
    Refused,
}

pub(super) fn run(args: &Args) -> miette::Result<Exit> {
    let place = args.file.display().to_string();
    let set =
        JwkSet::parse(read(&args.file)?).map_err(|error| KeysError::Set { place: place.clone(), error })?;
    let (keys, problem) = (set.keys(), set.check().err());
    match args.format {
        Format::Json => line(json!(Document {
            version: 1,
            file: &place,
            usable: problem.is_none(),
            problem: problem.as_ref().map(ToString::to_string),
            keys: keys.iter().map(ShownKey::of).collect(),
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

impl<'k> ShownKey<'k> {
    fn of(key: &'k Key) -> Self {
        let (standing, why) = match &key.standing {
            Standing::Usable(_) => (StandingWord::Usable, None),
            Standing::PassedOver(why) => (StandingWord::PassedOver, Some(why.as_str())),
            Standing::Refused(why) => (StandingWord::Refused, Some(why.as_str())),
        };
        Self {
            kid: key.id.as_deref(),
            kty: key.kind.as_deref(),
            crv: key.curve.as_deref(),
            bits: key.bits,
            alg: key.algorithm.as_deref(),
            usage: key.usage.as_deref(),
            thumbprint: key.thumbprint.as_deref(),
            standing,
            why,
            algorithms: key.algorithms(),
        }
    }
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
