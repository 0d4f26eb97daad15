//! `authorizer check`: validate policies.

use std::path::{Path, PathBuf};

use authorizer_core::operation::S3Operation;
use authorizer_core::rules::Effect;
use authorizer_policy::PolicyFile;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::failure::{ErrorMembers, Shown};
use crate::output::{Exit, Format, OutputError, line, note};
use crate::policy::warn;
use crate::silent::warn_of_silence;

/// Validate policies and the key files they name.
///
/// Exits 2 when a policy cannot be used, and shows each problem with its file, line and column. All policies are looked
/// at, also after one that cannot be used. Warns of what a policy does in silence: a rule that nobody can match, a claim
/// that the provider does not give, a media type that does not exist. `authorizer help policy` prints what may be in a
/// policy.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  authorizer check policy.toml\n  authorizer check --format json policies/*.toml"
)]
pub(crate) struct Args {
    /// Policy files (TOML). `-` is standard input; the key files that it names are relative to the present folder.
    #[arg(value_name = "POLICY", required_unless_present = "named")]
    policies: Vec<PathBuf>,
    /// The same as POLICY. Repeatable.
    #[arg(id = "named", long = "policy", value_name = "FILE", conflicts_with = "policies")]
    named: Vec<PathBuf>,
    /// Output format. JSON is one object per policy, each on its line.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What `check --format json` says of one policy.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(title = "A line of `authorizer check --format json`")]
pub(crate) struct CheckLine {
    /// The version of this format.
    #[schemars(extend("const" = 1))]
    version: u32,
    /// The policy file, as it was named; `-` is standard input.
    policy: String,
    #[serde(flatten)]
    checked: Checked,
}

/// Whether a policy can be used.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(untagged)]
enum Checked {
    /// It can be used.
    Usable(Summary),
    /// It cannot be used.
    Unusable {
        /// Why it cannot be used.
        error: ErrorMembers,
    },
}

/// What is in a policy that can be used.
#[derive(Debug, JsonSchema, Serialize)]
struct Summary {
    /// How many issuers it trusts.
    issuers: usize,
    /// How many allow rules it has.
    allow_rules: usize,
    /// How many deny rules it has.
    deny_rules: usize,
    /// The HTTP methods that some rule allows, as the header `Allow` lists them.
    methods: String,
    /// The S3 operations that some rule allows.
    operations: Vec<&'static str>,
    /// The SHA-256 of the bundle, in hexadecimal, as the decision log has it.
    bundle_sha256: String,
    /// What a person should know about it.
    warnings: Vec<Warning>,
}

/// Something in a policy that a person should know.
#[derive(Debug, JsonSchema, Serialize)]
struct Warning {
    /// The id of the warning, which never changes: that of the finding, such as `EA070`, or words such as `star-alone`.
    id: &'static str,
    /// The place in words, such as `issuers[0].secret`.
    place: String,
    /// What the warning is about.
    message: String,
    /// What would be better.
    remedy: String,
    /// The line, from 1.
    #[schemars(range(min = 1))]
    line: Option<usize>,
    /// The column, from 1. It counts characters.
    #[schemars(range(min = 1))]
    column: Option<usize>,
}

impl Summary {
    fn of(file: &PolicyFile) -> Self {
        let bundle = file.bundle();
        let policy = bundle.policy();
        let allow_rules = policy.rules().iter().filter(|rule| rule.effect() == Effect::Allow).count();
        let warnings = file.warnings().iter().map(|warning| Warning {
            place: warning.place.clone(),
            message: warning.message.clone(),
            remedy: warning.remedy.to_owned(),
            id: warning.id,
            line: warning.position.map(|at| at.line),
            column: warning.position.map(|at| at.column),
        });
        Self {
            issuers: policy.issuers().len(),
            allow_rules,
            deny_rules: policy.rules().len().saturating_sub(allow_rules),
            methods: policy.possible().allow_header(),
            operations: policy.possible().operations.iter().map(S3Operation::name).collect(),
            bundle_sha256: bundle.sha256().to_owned(),
            warnings: warnings.collect(),
        }
    }

    fn write(&self, policy: &Path) -> Result<(), OutputError> {
        let Self { issuers, allow_rules, deny_rules, methods, operations, bundle_sha256, warnings: _ } = self;
        line(format_args!("{} is a valid policy", policy.display()))?;
        line(format_args!("  issuers    {issuers}"))?;
        line(format_args!("  rules      {allow_rules} allow, {deny_rules} deny"))?;
        let operations = operations.join(", ");
        for (what, which) in [("methods", methods), ("operations", &operations)] {
            line(format_args!("  {what:10} {}", if which.is_empty() { "none" } else { which }))?;
        }
        line(format_args!("  bundle     sha256 {bundle_sha256}"))
    }
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    // clap requires one of the two.
    let policies = if args.policies.is_empty() { &args.named } else { &args.policies };
    let is_one = policies.len() == 1;
    let mut exit = Exit::Held;
    for policy in policies {
        let loaded = PolicyFile::load_for_review(policy).map(|mut file| {
            warn_of_silence(&mut file);
            file
        });
        // An error without a place does not show its file.
        if !is_one && loaded.as_ref().map_or(true, |file| !file.warnings().is_empty()) {
            note(format_args!("{}:", policy.display()));
        }
        let checked = match loaded {
            Ok(file) => {
                warn(&file);
                Checked::Usable(Summary::of(&file))
            }
            Err(error) => {
                exit = Exit::Unusable;
                let members = ErrorMembers::of(&error);
                note(Shown(&error));
                Checked::Unusable { error: members }
            }
        };
        match (args.format, checked) {
            (Format::Json, checked) => {
                let policy = policy.to_string_lossy().into_owned();
                line(json!(CheckLine { version: 1, policy, checked }))?;
            }
            (Format::Text, Checked::Usable(summary)) => summary.write(policy)?,
            (Format::Text, Checked::Unusable { .. }) => {}
        }
    }
    Ok(exit)
}
