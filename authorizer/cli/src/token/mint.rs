//! `authorizer token mint`: a token for development.

use std::path::PathBuf;

use authorizer_core::UnixTime;
use authorizer_core::claim_name;
use authorizer_core::token::SignatureAlgorithm;
use serde_json::{Map, Value};

use super::parse_algorithm;
use crate::devkey::DevKey;
use crate::output::{Exit, line};
use crate::time::{now_or, parse_instant, parse_span};

/// Mint a token with a development key.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  authorizer token mint --key keys/dev.private.pem \
    --issuer https://login.example.com/ \\\n    --audience files-api --subject alice --scope files")]
pub(crate) struct Args {
    /// Private key, made by `authorizer token keygen`.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Signature algorithm, if the key allows several (default for RSA keys: RS256).
    #[arg(long, value_parser = parse_algorithm)]
    algorithm: Option<SignatureAlgorithm>,
    /// Claim `iss`.
    #[arg(long, value_name = "URL")]
    issuer: String,
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
    /// `typ` in the header.
    #[arg(long = "type", value_name = "TYPE", default_value = "at+jwt")]
    token_type: String,
    /// Lifetime: 90s, 15m, 1h, 30d. A negative lifetime makes an expired token.
    #[arg(long, default_value = "1h", value_parser = parse_span, allow_hyphen_values = true)]
    expires_in: i64,
    /// Time of issue: seconds since 1970 or RFC 3339 (default: now).
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    now: Option<UnixTime>,
}

fn parse_claim(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    claim_name::check(name).map_err(|error| format!("{error}: {}", error.remedy()))?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((name.to_owned(), value))
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    let key = DevKey::read(&args.key, args.algorithm)?;
    let now = i64::try_from(now_or(args.now).as_seconds()).unwrap_or(i64::MAX);
    let mut claims = Map::new();
    claims.insert("iss".into(), args.issuer.clone().into());
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
    claims.insert("exp".into(), now.saturating_add(args.expires_in).into());
    for (name, value) in &args.claims {
        claim_name::put(&mut claims, name, value.clone());
    }
    line(key.sign(&args.token_type, &Value::Object(claims))?)?;
    Ok(Exit::Held)
}
