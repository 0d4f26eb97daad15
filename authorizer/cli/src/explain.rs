//! `authorizer explain`: one request, every rule's verdict.

use std::path::PathBuf;

use authorizer_audit::{Explanation, explain};
use authorizer_core::UnixTime;
use owo_colors::OwoColorize as _;
use serde_json::json;

use crate::error::CliError;
use crate::output::{Exit, Format, line};
use crate::policy::PolicyArgs;
use crate::replay::one_event;
use crate::time::{now_or, parse_instant};

/// Explain the decision on one event: what every rule makes of it, and the first thing that failed.
///
/// Exits 1 when the event is refused.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  authorizer explain --policy policy.toml --now 2026-01-31T12:00:00Z event.json"
)]
pub(crate) struct Args {
    #[command(flatten)]
    policy: PolicyArgs,
    /// A file with one viewer-request event, or `-` for standard input.
    event: PathBuf,
    /// The instant of the decision, instead of the present: seconds since 1970 or RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    now: Option<UnixTime>,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Result<Exit, CliError> {
    let authorizer = args.policy.authorizer()?;
    let event = one_event(&args.event)?;
    let explanation = explain(&authorizer, &event, now_or(args.now));
    match args.format {
        Format::Json => line(json!({
            "version": 1, "record": explanation.record, "rules": explanation.rules,
        }))?,
        Format::Text => write_text(&explanation)?,
    }
    Ok(if explanation.is_allowed() { Exit::Held } else { Exit::Findings })
}

fn write_text(explanation: &Explanation) -> Result<(), CliError> {
    let record = &explanation.record;
    let decision = match (explanation.is_allowed(), &record.rule) {
        (true, Some(rule)) => format!("{} by rule {rule}", "allowed".green()),
        (true, None) => "allowed".green().to_string(),
        (false, rule) => {
            let rule = rule.as_deref().map(|rule| format!(" {rule}")).unwrap_or_default();
            format!("{} {}: {}{rule}", "refused".red(), record.status.unwrap_or_default(), record.reason)
        }
    };
    line(decision)?;
    if let (Some(operation), Some(key)) = (&record.operation, &record.key) {
        line(format_args!("  {operation} {}", key.escape_debug()))?;
    }
    if let Some(issuer) = &record.issuer {
        line(format_args!("  with a token of issuer {issuer}"))?;
    }
    if explanation.rules.is_empty() {
        return line("  no rule was asked");
    }
    for rule in &explanation.rules {
        match &rule.mismatch {
            None => line(format_args!("  {:5} {}  {}", rule.effect, rule.id, "matches".bold()))?,
            Some(why) => line(format_args!("  {:5} {}  {}", rule.effect, rule.id, why.dimmed()))?,
        }
    }
    Ok(())
}
