//! `authorizer audit`: what a policy allows, with proof, and what to review.

mod cedar;
mod deployment;
mod diff;
mod docs;
mod findings;
mod matrix;
mod policies;
mod query;
mod report;
mod request;
mod unanswered;

use clap::Subcommand;

use crate::output::Exit;

/// Audit a policy: what it allows, what a change grants, and what to review.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
#[command(after_help = "Example:\n  authorizer audit diff --no-new-access main.toml change.toml")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Cedar(cedar::Args),
    Deployment(deployment::Args),
    Diff(diff::Args),
    Findings(findings::Args),
    Matrix(matrix::Args),
    Query(query::Args),
    Report(report::Args),
}

pub(crate) use self::cedar::Document as CedarDocument;
pub(crate) use self::diff::Document as DiffDocument;
pub(crate) use self::matrix::Document as MatrixDocument;
pub(crate) use self::query::Document as QueryDocument;

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    match &args.command {
        Command::Cedar(args) => cedar::run(args),
        Command::Deployment(args) => deployment::run(args),
        Command::Diff(args) => diff::run(args),
        Command::Findings(args) => findings::run(args),
        Command::Matrix(args) => matrix::run(args),
        Command::Query(args) => query::run(args),
        Command::Report(args) => report::run(args),
    }
}
