//! `authorizer audit`: what a policy allows, proved.

mod diff;
mod matrix;
mod policies;
mod query;
mod request;

use clap::Subcommand;

use crate::error::CliError;
use crate::output::Exit;

/// Prove what a policy allows: who can do what, and what a change of it grants.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
#[command(after_help = "Example:\n  authorizer audit diff --no-new-access main.toml change.toml")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Diff(diff::Args),
    Matrix(matrix::Args),
    Query(query::Args),
}

pub(crate) fn run(args: &Args) -> Result<Exit, CliError> {
    match &args.command {
        Command::Diff(args) => diff::run(args),
        Command::Matrix(args) => matrix::run(args),
        Command::Query(args) => query::run(args),
    }
}
