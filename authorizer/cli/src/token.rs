//! `authorizer token`: development keys and tokens.

mod inspect;
mod keygen;
mod mint;

pub(crate) use inspect::Document as InspectDocument;
pub(crate) use keygen::{replace_private_key, write_key_pair, write_new, write_private, write_public};

use authorizer_core::token::SignatureAlgorithm;
use clap::Subcommand;

use crate::output::Exit;

/// Make development keys, mint tokens with them, and show what tokens contain.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
#[command(after_help = "Example:\n  authorizer token keygen dev --dir keys")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Keygen(keygen::Args),
    Mint(mint::Args),
    Inspect(inspect::Args),
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    match &args.command {
        Command::Keygen(args) => keygen::run(args),
        Command::Mint(args) => mint::run(args),
        Command::Inspect(args) => inspect::run(args),
    }
}

fn parse_algorithm(text: &str) -> Result<SignatureAlgorithm, String> {
    SignatureAlgorithm::from_name(text).ok_or_else(|| {
        let names = SignatureAlgorithm::ALL.map(SignatureAlgorithm::name).join(", ");
        format!("use one of {names}")
    })
}
