//! `authorizer token inspect`: what a token contains, and what was checked.

use std::io::{self, Read as _};
use std::path::PathBuf;

use authorizer_core::token::{MAX_TOKEN_BYTES, verify};
use authorizer_core::{Refusal, UnixTime};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use miette::Diagnostic;
use owo_colors::OwoColorize as _;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use thiserror::Error;

use crate::output::{Exit, Format, OutputError, line};
use crate::policy::for_review;
use crate::time::{now_or, parse_instant, show};

/// Show what a token contains. Do not trust it unless `--policy` verified the token.
///
/// Exits 1 when the policy does not accept the token.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  authorizer token inspect --policy policy.toml - < token.txt")]
pub(crate) struct Args {
    /// Token, or `-` for standard input, which keeps it out of the shell history.
    token: String,
    /// Policy file (TOML): verify the token with its issuers.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Time of the verification: seconds since 1970 or RFC 3339 (default: now).
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    now: Option<UnixTime>,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The result of the check of a token.
enum Checked {
    Nothing,
    Accepted { issuer: String },
    Refused { reason: &'static str },
}

/// What `token inspect --format json` says.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(title = "`authorizer token inspect --format json`")]
pub(crate) struct Document<'t> {
    /// The version of this format.
    #[schemars(extend("const" = 1))]
    version: u32,
    /// The header of the token.
    header: &'t Value,
    /// The claims of the token.
    claims: &'t Value,
    /// What was checked.
    checked: ShownCheck<'t>,
}

/// What was checked of a token.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(untagged)]
enum ShownCheck<'t> {
    /// Nothing, without a policy.
    Nothing {
        /// `not checked`.
        #[schemars(extend("const" = "not checked"))]
        signature: &'static str,
        /// `not checked`.
        #[schemars(extend("const" = "not checked"))]
        claims: &'static str,
    },
    /// The policy accepts it.
    Accepted {
        /// That it does.
        #[schemars(extend("const" = true))]
        accepted: bool,
        /// The policy's name for its issuer.
        issuer: &'t str,
    },
    /// The policy does not accept it.
    Refused {
        /// That it does not.
        #[schemars(extend("const" = false))]
        accepted: bool,
        /// Why, as the decision log says it.
        reason: &'static str,
    },
}

/// The text is not a token.
#[derive(Debug, Diagnostic, Error)]
#[error("this is not a token: {0}")]
#[diagnostic(help(
    "a token has three parts in base64url, with dots between them; `-` reads it from standard input"
))]
struct NoTokenError(&'static str);

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    let token = read_token(&args.token)?;
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(NoTokenError("it does not have three parts").into());
    };
    let header = decode(header).ok_or(NoTokenError("its header is not JSON in base64url"))?;
    let claims = decode(claims).ok_or(NoTokenError("its claims are not JSON in base64url"))?;
    let now = now_or(args.now);
    let checked = match &args.policy {
        None => Checked::Nothing,
        Some(path) => {
            let bundle = for_review(path)?.into_bundle();
            match verify(&token, bundle.policy().issuers(), now) {
                Ok(verified) => Checked::Accepted { issuer: verified.issuer().name().to_owned() },
                Err(error) => Checked::Refused { reason: Refusal::from(error).reason() },
            }
        }
    };
    match args.format {
        Format::Json => write_json(&header, &claims, &checked)?,
        Format::Text => write_text(&header, &claims, &checked, now)?,
    }
    Ok(match checked {
        Checked::Nothing | Checked::Accepted { .. } => Exit::Held,
        Checked::Refused { .. } => Exit::Findings,
    })
}

fn read_token(argument: &str) -> Result<String, NoTokenError> {
    if argument != "-" {
        return Ok(bare(argument));
    }
    let mut text = String::new();
    let limit = u64::try_from(MAX_TOKEN_BYTES).unwrap_or(u64::MAX).saturating_mul(2);
    io::stdin().take(limit).read_to_string(&mut text).map_err(|_| NoTokenError("it is not text"))?;
    Ok(bare(&text))
}

/// The token alone, also from a whole header line, as `serve --sample` writes it.
fn bare(text: &str) -> String {
    let text = text.trim();
    let prefix = "Authorization: Bearer ";
    match text.split_at_checked(prefix.len()) {
        Some((start, token)) if start.eq_ignore_ascii_case(prefix) => token.trim().to_owned(),
        _ => text.to_owned(),
    }
}

fn decode(part: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

fn write_json(header: &Value, claims: &Value, checked: &Checked) -> Result<(), OutputError> {
    let checked = match checked {
        Checked::Nothing => ShownCheck::Nothing { signature: "not checked", claims: "not checked" },
        Checked::Accepted { issuer } => ShownCheck::Accepted { accepted: true, issuer },
        Checked::Refused { reason } => ShownCheck::Refused { accepted: false, reason },
    };
    line(json!(Document { version: 1, header, claims, checked }))
}

fn write_text(header: &Value, claims: &Value, checked: &Checked, now: UnixTime) -> Result<(), OutputError> {
    line(format_args!("header {header:#}"))?;
    line(format_args!("claims {claims:#}"))?;
    for name in ["iat", "nbf", "exp"] {
        if let Some(seconds) = claims.get(name).and_then(Value::as_f64) {
            #[allow(clippy::cast_precision_loss, reason = "shown to a person, in seconds")]
            let left = seconds - now.as_seconds() as f64;
            let relation = if left <= 0.0 { "past" } else { "future" };
            line(format_args!("{name}    {} ({relation})", show(seconds)))?;
        }
    }
    match checked {
        Checked::Nothing => line(format_args!(
            "{}: neither the signature nor any claim (add --policy FILE to verify)",
            "nothing was checked".yellow()
        )),
        Checked::Accepted { issuer } => line(format_args!(
            "{} by the policy's issuer `{issuer}`: signature, type, times, audience, required claims",
            "accepted".green()
        )),
        Checked::Refused { reason } => line(format_args!("{} by the policy: {reason}", "refused".red())),
    }
}
