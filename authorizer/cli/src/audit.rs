//! `authorizer audit`: what a policy allows, and what of it deserves a second look.

mod findings;

use crate::error::CliError;
use crate::output::Exit;

/// Look into a policy: what of it deserves a second look.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Findings(findings::Args),
}

pub(crate) fn run(args: &Args) -> Result<Exit, CliError> {
    match &args.command {
        Command::Findings(args) => findings::run(args),
    }
}
