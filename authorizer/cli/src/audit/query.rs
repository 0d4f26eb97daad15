//! `authorizer audit query`: who can do this, and what can such a token do?

use std::net::IpAddr;

use authorizer_analysis::{Bounds, Permission, Query, Who, query};
use authorizer_core::claim_name;
use authorizer_core::operation::{MethodWord, OperationSet, S3Operation};
use authorizer_core::rules::KeyPattern;
use authorizer_core::token::{self, TokenError};
use authorizer_core::{Authorizer, UnixTime};
use clap::ValueEnum;
use miette::Diagnostic;
use owo_colors::OwoColorize as _;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use thiserror::Error;

use super::request;
use super::unanswered::UnansweredError;
use crate::host::parse_host;
use crate::output::{Exit, Format, OutputError, line};
use crate::policy::PolicyOrBundleArgs;
use crate::time::parse_instant;

/// Ask who can do something, or what somebody can do.
///
/// Prints the rules that allow it, what they require, and an example request for each. What the options do not set is
/// open: the answer covers every value, also of the time and the viewer's address.
///
/// Exits 0 for any answer. With --expect, exits 1 when the answer is different.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    Who can delete below reports/?\n    \
    authorizer audit query --policy policy.toml --operation DeleteObject --keys 'reports/**'\n  \
    What can a token of staff with the scope `files` do?\n    \
    authorizer audit query --policy policy.toml --issuer staff --claim scope=files\n  \
    Can anyone without a token write? (A gate: exits 1 if so.)\n    \
    authorizer audit query --policy policy.toml --anonymous --operation PutObject --expect none")]
pub(crate) struct Args {
    #[command(flatten)]
    policy: PolicyOrBundleArgs,
    /// Operation, such as GetObject, or a method, such as PUT: all operations that it denies in a deny rule.
    /// Repeatable (default: any operation).
    #[arg(long = "operation", value_name = "NAME", value_parser = parse_operations)]
    operations: Vec<OperationSet>,
    /// Key pattern: asks about requests for its keys, and about listings that show one of them. Repeatable (default:
    /// any key).
    #[arg(long = "keys", value_name = "PATTERN", value_parser = parse_pattern)]
    keys: Vec<KeyPattern>,
    /// Issuer of the token, by its name in the policy. Repeatable (default: any issuer).
    #[arg(long = "issuer", value_name = "NAME", conflicts_with = "anonymous")]
    issuers: Vec<String>,
    /// Only requests without a token.
    #[arg(long)]
    anonymous: bool,
    /// Claim of the token, with exactly this string as its value. Other claims stay open. Repeatable.
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = parse_claim, conflicts_with = "anonymous")]
    claims: Vec<(String, String)>,
    /// All claims of the token, as a JSON object. Claims that its issuer's checks require can be left out.
    #[arg(long = "claims", value_name = "JSON", value_parser = parse_claims, conflicts_with_all = ["anonymous", "claims"])]
    all_claims: Option<Claims>,
    /// Viewer's address (default: any).
    #[arg(long, value_name = "ADDRESS")]
    source: Option<IpAddr>,
    /// Host of the request, such as `downloads.example.com` (default: any).
    #[arg(long, value_name = "HOST", value_parser = parse_host)]
    host: Option<String>,
    /// Time of the request: seconds since 1970 or RFC 3339 (default: any).
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    now: Option<UnixTime>,
    /// Expected answer: exit 1 when the answer is different.
    #[arg(long, value_enum)]
    expect: Option<Expect>,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What `audit query --format json` answers.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(title = "`authorizer audit query --format json`")]
pub(crate) struct Document<'q> {
    /// The version of this format.
    #[schemars(extend("const" = 1))]
    version: u32,
    /// The SHA-256 of the bundle, in hexadecimal.
    bundle_sha256: &'q str,
    /// What the rules allow within the question, in the order of the policy. Empty if that is nothing.
    permissions: &'q [Permission],
}

/// The answer that a gate expects.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Expect {
    /// Nobody can.
    None,
    /// Somebody can.
    Some,
}

/// The policy does not have this issuer.
#[derive(Debug, Diagnostic, Error)]
#[error("no issuer of the policy is named `{name}`")]
#[diagnostic(help("use the `name` of an `[[issuers]]` block"))]
struct NoIssuerError {
    /// The name.
    name: String,
}

/// No token has two of the claims at once.
#[derive(Debug, Diagnostic, Error)]
#[error("no token can have both `{}` and `{}` with these values", .outer.escape_debug(), .inner.escape_debug())]
#[diagnostic(help("give each claim once; a claim that has another one in it is an object, not a text"))]
struct ContradictionError {
    /// The name of one.
    outer: String,
    /// The name of the other, which is the same or within the one.
    inner: String,
}

/// A claims set.
#[derive(Clone, Debug)]
struct Claims(Map<String, Value>);

pub(super) fn run(args: &Args) -> miette::Result<Exit> {
    let authorizer = args.policy.args().authorizer()?;
    let permissions = query(&authorizer, &asked(args, &authorizer)?).map_err(UnansweredError)?;
    match args.format {
        Format::Json => {
            let bundle_sha256 = authorizer.bundle().sha256();
            line(json!(Document { version: 1, bundle_sha256, permissions: &permissions }))?;
        }
        Format::Text => write_text(&permissions)?,
    }
    let is_expected = args.expect.is_none_or(|expect| (expect == Expect::None) == permissions.is_empty());
    Ok(if is_expected { Exit::Held } else { Exit::Findings })
}

fn asked(args: &Args, authorizer: &Authorizer) -> miette::Result<Query> {
    let issuers = authorizer.bundle().policy().issuers();
    let mut who = Vec::new();
    for name in &args.issuers {
        let issuer = issuers.iter().find(|issuer| issuer.name() == name);
        let issuer = issuer.ok_or_else(|| NoIssuerError { name: name.clone() })?;
        who.push(Who::Token(issuer.issuer().to_owned()));
    }
    check_together(&args.claims)?;
    let mut claims: Map<String, Value> =
        args.claims.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    if let Some(Claims(all)) = &args.all_claims {
        claims.extend(all.clone());
    }
    let speaks_of_tokens = !claims.is_empty() || args.all_claims.is_some();
    if who.is_empty() && speaks_of_tokens {
        who.extend(issuers.iter().map(|issuer| Who::Token(issuer.issuer().to_owned())));
    }
    if args.anonymous {
        who.push(Who::Anonymous);
    }
    let is_free = who.is_empty() && !speaks_of_tokens;
    let operations = args.operations.iter().copied().reduce(OperationSet::union);
    Ok(Query {
        operations,
        keys: (!args.keys.is_empty()).then(|| args.keys.clone()),
        who: (!is_free).then_some(who),
        bounds: Bounds {
            claims,
            no_other_claims: args.all_claims.is_some(),
            source: args.source,
            host: args.host.clone(),
            at: args.now,
        },
    })
}

/// Whether one token can have all of these texts.
fn check_together(claims: &[(String, String)]) -> Result<(), ContradictionError> {
    for (index, (one, value)) in claims.iter().enumerate() {
        for (other, of_other) in claims.iter().take(index) {
            let names = match (claim_name::is_within(one, other), claim_name::is_within(other, one)) {
                (true, _) => (other, one),
                (_, true) => (one, other),
                _ if one == other && value != of_other => (one, other),
                _ => continue,
            };
            return Err(ContradictionError { outer: names.0.clone(), inner: names.1.clone() });
        }
    }
    Ok(())
}

fn write_text(permissions: &[Permission]) -> Result<(), OutputError> {
    if permissions.is_empty() {
        return line("nobody can");
    }
    for permission in permissions {
        let Permission { rule, issuer, keys, conditions, operations } = permission;
        let who =
            issuer.as_ref().map_or("anyone without a token".to_owned(), |name| format!("a token of {name}"));
        line(format_args!("{} allows {who}", rule.bold()))?;
        line(format_args!("  keys        {}", keys.join(", ")))?;
        let names: Vec<&str> = operations.iter().map(|shown| shown.operation.name()).collect();
        line(format_args!("  operations  {}", names.join(", ")))?;
        for condition in conditions {
            line(format_args!("  where       {condition}"))?;
        }
        if let Some(first) = operations.first() {
            line("  for example")?;
            request::write(&first.request, "    ")?;
        }
    }
    Ok(())
}

/// Parses the name of an operation, or a method, which stands for all operations that it denies.
fn parse_operations(text: &str) -> Result<OperationSet, String> {
    if let Some(one) = S3Operation::named(text) {
        return Ok([one].into_iter().collect());
    }
    MethodWord::parse(text).map(MethodWord::closes).ok_or_else(|| {
        let bare = text.strip_prefix("s3:").unwrap_or(text);
        let operations = S3Operation::ALL.map(S3Operation::name).into_iter();
        let mut known = operations.chain(MethodWord::ALL.map(MethodWord::as_str));
        if let Some(meant) = known.find(|one| one.eq_ignore_ascii_case(bare)) {
            return format!("write {meant}");
        }
        let names = S3Operation::ALL.map(S3Operation::name).join(", ");
        let words = MethodWord::ALL.map(MethodWord::as_str).join(", ");
        format!("use one of {names}, or {words}")
    })
}

fn parse_pattern(text: &str) -> Result<KeyPattern, String> {
    KeyPattern::parse(text).map_err(|error| format!("{error}: {}", error.remedy()))
}

fn parse_claim(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| "write NAME=VALUE, such as scope=files".to_owned())?;
    claim_name::check(name).map_err(|error| format!("{error}: {}", error.remedy()))?;
    if value.starts_with(['[', '{']) {
        return Err("the value is taken as text, and this looks like JSON: write it in `--claims`".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn parse_claims(text: &str) -> Result<Claims, String> {
    match token::parse_claims(text.as_bytes()) {
        // The members of a claims set are not paths.
        Ok(members) => Ok(Claims(
            members
                .into_iter()
                .map(|(member, value)| (claim_name::of_member(&member).into_owned(), value))
                .collect(),
        )),
        Err(TokenError::DuplicateMember) => Err("a member appears twice".to_owned()),
        Err(_) => Err(match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(_)) => "the claims contain what a token cannot contain".to_owned(),
            Ok(_) => "write a JSON object, such as '{\"sub\": \"alice\"}'".to_owned(),
            Err(error) => format!("this is not JSON: {error}"),
        }),
    }
}
