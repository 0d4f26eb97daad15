//! `authorizer keys`: the keys that identity providers publish, and the key of the cookies of a sign-in.
//!
//! The function at the edge fetches keys if a policy has `jwks.url`. These commands fetch them when a person or a job
//! runs them.

mod block;
mod cookie_key;
mod discover;
mod error;
mod fetch;
mod http;
mod inspect;
mod metadata;
mod set;
mod sign_in_block;

pub(crate) use self::discover::Document as DiscoverDocument;
pub(crate) use self::fetch::Document as FetchDocument;
pub(crate) use self::inspect::Document as InspectDocument;

use clap::Subcommand;

use crate::output::Exit;

/// Fetch the keys that an identity provider publishes, show what they contain, and make the key of a sign-in.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
#[command(after_help = "Example:\n  authorizer keys discover https://login.example.com/")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    CookieKey(cookie_key::Args),
    Discover(discover::Args),
    Fetch(fetch::Args),
    Inspect(inspect::Args),
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    match &args.command {
        Command::CookieKey(args) => cookie_key::run(args),
        Command::Discover(args) => discover::run(args),
        Command::Fetch(args) => fetch::run(args),
        Command::Inspect(args) => inspect::run(args),
    }
}
