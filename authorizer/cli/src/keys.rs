//! `authorizer keys`: the keys that identity providers publish.
//!
//! The function at the edge fetches keys if a policy has `jwks.url`. These commands fetch them when a person or a job
//! runs them.

mod block;
mod discover;
mod error;
mod fetch;
mod http;
mod inspect;
mod metadata;
mod set;

pub(crate) use self::discover::Document as DiscoverDocument;
pub(crate) use self::fetch::Document as FetchDocument;
pub(crate) use self::inspect::Document as InspectDocument;

use clap::Subcommand;

use crate::output::Exit;

/// Fetch the keys that an identity provider publishes, and show what they contain.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
#[command(after_help = "Example:\n  authorizer keys discover https://login.example.com/")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Discover(discover::Args),
    Fetch(fetch::Args),
    Inspect(inspect::Args),
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    match &args.command {
        Command::Discover(args) => discover::run(args),
        Command::Fetch(args) => fetch::run(args),
        Command::Inspect(args) => inspect::run(args),
    }
}
