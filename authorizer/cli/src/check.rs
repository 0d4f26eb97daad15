//! `authorizer check`: validate a policy.

use std::path::PathBuf;

use authorizer_core::operation::S3Operation;
use authorizer_core::rules::Effect;
use authorizer_policy::PolicyFile;
use serde_json::json;

use crate::output::{Exit, Format, line};
use crate::policy::warn;
use crate::silent::warn_of_silence;

/// Validate a policy and the key files it names.
///
/// Exits 2 when the policy cannot be used, and shows each problem with its line and column. Warns of what the policy does
/// in silence: a rule that nobody can match, a claim that the provider does not give, a media type that does not exist.
/// `authorizer help policy` prints what may be in a policy.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  authorizer check policy.toml")]
pub(crate) struct Args {
    /// Policy file (TOML).
    policy: PathBuf,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    let mut file = PolicyFile::load(&args.policy)?;
    warn_of_silence(&mut file);
    warn(&file);
    let bundle = file.bundle();
    let policy = bundle.policy();
    let allow = policy.rules().iter().filter(|rule| rule.effect() == Effect::Allow).count();
    let deny = policy.rules().len().saturating_sub(allow);
    let methods = policy.possible().allow_header();
    let operations: Vec<_> = policy.possible().operations.iter().map(S3Operation::name).collect();
    match args.format {
        Format::Json => line(json!({
            "version": 1, "policy": args.policy, "issuers": policy.issuers().len(), "allow_rules": allow,
            "deny_rules": deny, "methods": methods, "operations": operations, "bundle_sha256": bundle.sha256(),
            "warnings": file.warnings().iter().map(|warning| json!({
                "place": warning.place, "message": warning.message, "remedy": warning.remedy,
            })).collect::<Vec<_>>(),
        }))?,
        Format::Text => {
            line(format_args!("{} is a valid policy", args.policy.display()))?;
            line(format_args!("  issuers    {}", policy.issuers().len()))?;
            line(format_args!("  rules      {allow} allow, {deny} deny"))?;
            let operations = operations.join(", ");
            for (what, which) in [("methods", &methods), ("operations", &operations)] {
                line(format_args!("  {what:10} {}", if which.is_empty() { "none" } else { which }))?;
            }
            line(format_args!("  bundle     sha256 {}", bundle.sha256()))?;
        }
    }
    Ok(Exit::Held)
}
