//! `authorizer token mint`: a token for development.

use std::path::{Path, PathBuf};

use authorizer_analysis::{OtherIssuerError, fill_in};
use authorizer_core::UnixTime;
use authorizer_core::claim_name;
use authorizer_core::policy::document::{JwksDocument, PolicyDocument};
use authorizer_core::token::{Issuer, JwsAlgorithm, SignatureAlgorithm};
use authorizer_policy::PolicyFile;
use miette::Diagnostic;
use serde_json::{Map, Value};
use thiserror::Error;

use super::parse_algorithm;
use crate::devkey::{DEVELOPMENT_ONLY_FILE, DevKey, DevKeyError};
use crate::output::{Exit, line, note};
use crate::time::{now_or, parse_instant, parse_span};

/// Mint a token with a development key.
///
/// With `--policy`, the token has what the policy asks of the issuer's tokens: `iss`, `aud`, `client_id`, the required
/// claims and `typ`. What you give yourself stays.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  authorizer token mint --key keys/dev.private.pem \
    --issuer https://login.example.com/ \\\n    --audience files-api --subject alice --scope files\n  \
    authorizer token mint --key keys/dev.private.pem --policy policy.toml --subject alice")]
pub(crate) struct Args {
    /// Private key, made by `authorizer token keygen`.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Signature algorithm, if the key allows several (default for RSA keys: RS256).
    #[arg(long, value_parser = parse_algorithm)]
    algorithm: Option<SignatureAlgorithm>,
    /// Policy whose issuer the token is for.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Claim `iss`; with `--policy`, the name or the address of one of its issuers, which need not be given if the
    /// policy has only one.
    #[arg(long, value_name = "URL", required_unless_present = "policy")]
    issuer: Option<String>,
    /// Claim `aud`. Repeatable: several values make an array.
    #[arg(long)]
    audience: Vec<String>,
    /// Claim `sub`.
    #[arg(long)]
    subject: Option<String>,
    /// Claim `scope`: words separated by spaces.
    #[arg(long)]
    scope: Option<String>,
    /// Another claim, or one within an object: `/realm_access/roles=["editor"]`. The value is JSON; if it is not, it is
    /// text. Repeatable.
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = parse_claim)]
    claims: Vec<(String, Value)>,
    /// `typ` in the header [default: at+jwt, or what the policy asks for].
    #[arg(long = "type", value_name = "TYPE")]
    token_type: Option<String>,
    /// Lifetime: 90s, 15m, 1h, 30d [default: 1h, or less where the policy limits it]. A negative lifetime makes an
    /// expired token.
    #[arg(long, value_parser = parse_span, allow_hyphen_values = true)]
    expires_in: Option<i64>,
    /// Time of issue: seconds since 1970 or RFC 3339 (default: now).
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    now: Option<UnixTime>,
}

/// The lifetime of a token if nothing else is said, in seconds.
const LIFETIME: i64 = 3600;

fn parse_claim(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    claim_name::check(name).map_err(|error| format!("{error}: {}", error.remedy()))?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((name.to_owned(), value))
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    let now = i64::try_from(now_or(args.now).as_seconds()).unwrap_or(i64::MAX);
    let mut claims = Map::new();
    match args.audience.as_slice() {
        [] => {}
        [one] => {
            claims.insert("aud".into(), one.clone().into());
        }
        many => {
            claims.insert("aud".into(), many.into());
        }
    }
    if let Some(subject) = &args.subject {
        claims.insert("sub".into(), subject.clone().into());
    }
    if let Some(scope) = &args.scope {
        claims.insert("scope".into(), scope.clone().into());
    }
    claims.insert("iat".into(), now.into());
    if let Some(lifetime) = args.expires_in {
        claims.insert("exp".into(), now.saturating_add(lifetime).into());
    }
    for (name, value) in &args.claims {
        claim_name::put(&mut claims, name, value.clone());
    }
    let (key, token_type, claims) = match &args.policy {
        Some(path) => by_policy(path, args, claims)?,
        None => {
            if let Some(issuer) = &args.issuer {
                claims.entry("iss").or_insert_with(|| issuer.clone().into());
            }
            claims.entry("exp").or_insert_with(|| now.saturating_add(LIFETIME).into());
            (DevKey::read(&args.key, args.algorithm)?, args.token_type.clone(), claims)
        }
    };
    let token_type = token_type.as_deref().unwrap_or("at+jwt");
    line(key.sign(token_type, &Value::Object(claims))?)?;
    Ok(Exit::Held)
}

/// The key, the `typ` and the claims, as the policy asks of the issuer's tokens.
fn by_policy(
    path: &Path,
    args: &Args,
    claims: Map<String, Value>,
) -> miette::Result<(DevKey, Option<String>, Map<String, Value>)> {
    let file = PolicyFile::load(path)?;
    let issuers = file.bundle().policy().issuers();
    let issuer = match (&args.issuer, issuers) {
        (Some(named), _) => issuers.iter().find(|issuer| issuer.name() == named || issuer.issuer() == named),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    let Some(issuer) = issuer else {
        let known = issuers.iter().map(Issuer::name).collect::<Vec<_>>().join(", ");
        return Err(match &args.issuer {
            Some(named) => MintError::Unknown { named: named.clone(), known },
            None => MintError::Which { known },
        }
        .into());
    };
    let key = match args.algorithm {
        Some(_) => DevKey::read(&args.key, args.algorithm)?,
        // The first that both the key and the issuer have: one RSA key signs with six.
        None => {
            let own = DevKey::read(&args.key, None)?;
            let algorithms = issuer.algorithms().into_iter().filter_map(|algorithm| match algorithm {
                JwsAlgorithm::Signature(algorithm) => Some(algorithm),
                JwsAlgorithm::Hs256 => None,
            });
            let mut fitting = algorithms.filter_map(|one| DevKey::read(&args.key, Some(one)).ok());
            fitting.next().ok_or_else(|| MintError::Algorithm {
                own: own.algorithm().name(),
                issuer: issuer.name().to_owned(),
            })?
        }
    };
    warn_of_other_key(&key, &args.key, file.document(), issuer)?;
    let filled =
        fill_in(issuer, args.token_type.clone(), claims, now_or(args.now)).map_err(MintError::Other)?;
    // What policies take from any issuer that does not say `token_type`.
    let token_type = filled.supposed.token_type.or_else(|| Some("JWT".to_owned()));
    Ok((key, token_type, filled.supposed.claims))
}

/// Says if the issuer does not have the key, as far as the policy alone tells. `serve --dev-issuer` adds its own keys, and
/// what is published at a URL is not known.
fn warn_of_other_key(
    key: &DevKey,
    path: &Path,
    document: &PolicyDocument,
    issuer: &Issuer,
) -> Result<(), DevKeyError> {
    let is_of_serve =
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(DEVELOPMENT_ONLY_FILE));
    let block = document.issuers.iter().find(|one| one.name == issuer.name());
    let Some(JwksDocument { keys: Some(keys), url: None, .. }) = block.and_then(|one| one.jwks.as_ref())
    else {
        return Ok(());
    };
    let own = serde_json::to_value(key.jwk().map_err(DevKeyError::Sign)?).unwrap_or_default();
    let is_same = |other: &Value| {
        ["kty", "crv", "x", "y", "n", "e"].iter().all(|name| own.get(name) == other.get(name))
    };
    if !is_of_serve && !keys.iter().any(is_same) {
        note(format_args!(
            "`{}` is not one of the keys of issuer `{}`: this policy refuses the token",
            path.display(),
            issuer.name()
        ));
    }
    Ok(())
}

/// Why a token cannot be made by a policy.
#[derive(Debug, Diagnostic, Error)]
enum MintError {
    /// The policy does not have this issuer.
    #[error("the policy does not have an issuer `{named}`")]
    #[diagnostic(help("its issuers are: {known}"))]
    Unknown {
        /// What was asked for.
        named: String,
        /// Their names.
        known: String,
    },
    /// The policy has several issuers, or none.
    #[error("the policy does not have exactly one issuer")]
    #[diagnostic(help("add `--issuer NAME`; its issuers are: {known}"))]
    Which {
        /// Their names.
        known: String,
    },
    /// The key signs with nothing that the issuer has.
    #[error("the key signs with {own}, which is none of the `algorithms` of issuer `{issuer}`")]
    #[diagnostic(help("make a key with `authorizer token keygen NAME --algorithm ALGORITHM`"))]
    Algorithm {
        /// What the key signs with by itself.
        own: &'static str,
        /// The issuer's name.
        issuer: String,
    },
    /// The claims name another one.
    #[error("{0}")]
    #[diagnostic(help("leave out `--claim iss=...`: the policy has it"))]
    Other(OtherIssuerError),
}
