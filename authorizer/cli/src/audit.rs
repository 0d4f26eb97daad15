//! `authorizer audit`: what a policy allows, and what of it deserves a second look.

mod cedar;
mod deployment;
mod findings;

pub(crate) use cedar::CedarError;
pub(crate) use deployment::DeploymentError;

use clap::Subcommand;

use crate::error::CliError;
use crate::output::Exit;

/// Find out what a policy allows, and what of it deserves a second look.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
#[command(after_help = "Example:\n  authorizer audit findings policy.toml")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Cedar(cedar::Args),
    Deployment(deployment::Args),
    Findings(findings::Args),
}

pub(crate) fn run(args: &Args) -> Result<Exit, CliError> {
    match &args.command {
        Command::Cedar(args) => cedar::run(args),
        Command::Deployment(args) => deployment::run(args),
        Command::Findings(args) => findings::run(args),
    }
}
