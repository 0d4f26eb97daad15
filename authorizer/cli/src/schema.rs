//! `authorizer schema`: what an editor completes and underlines with.

use authorizer_policy::{FileKind, schema};
use clap::ValueEnum;

use crate::output::{Exit, line};

/// The names of the files that `authorizer init` writes.
pub(crate) const POLICY_FILE: &str = "policy.schema.json";
pub(crate) const TESTS_FILE: &str = "policy.tests.schema.json";

/// Print the JSON Schema of a kind of file.
///
/// An editor that knows TOML, such as Visual Studio Code with Even Better TOML or any with Taplo, completes and underlines
/// a file whose first line is `#:schema ./policy.schema.json`. `authorizer init` writes both.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  authorizer schema policy > policy.schema.json
  authorizer schema tests > policy.tests.schema.json")]
pub(crate) struct Args {
    /// Kind of file.
    #[arg(value_enum)]
    kind: Kind,
}

/// A kind of file that people write.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Kind {
    /// A policy.
    Policy,
    /// The tests of a policy.
    Tests,
}

impl From<Kind> for FileKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Policy => Self::Policy,
            Kind::Tests => Self::Tests,
        }
    }
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    line(text(args.kind.into()))?;
    Ok(Exit::Held)
}

/// The JSON Schema of a kind of file, for people to read, too.
pub(crate) fn text(kind: FileKind) -> String {
    format!("{:#}", schema(kind))
}
