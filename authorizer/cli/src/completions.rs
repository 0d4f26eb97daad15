//! `authorizer completions` and `authorizer man`: what a shell and `man` read.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap_complete::Shell;

use crate::output::{Exit, OutputError, line};
use crate::save::SaveError;

/// Print the completions of a shell.
///
/// The shell reads them when it starts, from the file that its own documentation names.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  authorizer completions bash > ~/.local/share/bash-completion/completions/authorizer
  authorizer completions zsh > ~/.zfunc/_authorizer
  authorizer completions fish > ~/.config/fish/completions/authorizer.fish")]
pub(crate) struct Args {
    /// Shell.
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::command(), "authorizer", &mut script);
    io::stdout().write_all(&script).map_err(OutputError::of)?;
    Ok(Exit::Held)
}

/// Write the manual pages.
///
/// One page for the program, and one for each command.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  authorizer man ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// Folder for the pages, created if missing.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(crate) fn run_man(args: &ManArgs) -> miette::Result<Exit> {
    fs::create_dir_all(&args.folder)
        .map_err(|source| SaveError::Unwritable { path: args.folder.clone(), source })?;
    clap_mangen::generate_to(crate::command(), &args.folder)
        .map_err(|source| SaveError::Unwritable { path: args.folder.clone(), source })?;
    line(format_args!("the pages are written to {}", args.folder.display()))?;
    Ok(Exit::Held)
}
