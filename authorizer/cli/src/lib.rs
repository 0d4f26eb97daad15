//! `authorizer`: the command line of the edge authorizer.
//!
//! This crate is thin: it reads arguments, calls the other crates, and writes text or JSON. Each command is a module
//! with its arguments and `run`. The exit status is 0 for success, 1 for findings, refusals or differences, and 2 for
//! input that cannot be used. If the reader of the result stops, as `head` does, it is 141, without a message.
//!
//! The program is [`run`]. [`command`] describes its arguments, for the documentation.

mod attach;
mod audit;
mod backtest;
mod check;
mod completions;
mod devkey;
mod explain;
mod failure;
mod harmless;
mod help;
mod host;
mod in_order;
mod infra;
mod init;
mod input;
mod keys;
mod output;
mod package;
mod policy;
mod recording;
mod release;
mod replay;
mod save;
mod schema;
mod serve;
mod silent;
mod table;
mod test;
mod time;
mod token;
mod unread;

use std::env;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::failure::{Form, Shown, UsageError};
use crate::input::InputError;
use crate::output::{Color, Exit, OutputError, line, note};
use crate::save::SaveError;
use crate::unread::Unread;

/// Let applications use a private S3 bucket over plain HTTPS through CloudFront, and nothing else.
#[derive(Debug, Parser)]
#[command(
    name = "authorizer",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
#[command(after_help = "Example:\n  authorizer serve --sample .local")]
struct Cli {
    /// Colours in the text, the messages and the help [default: on a terminal; `NO_COLOR` and `CLICOLOR_FORCE` count].
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t, hide_default_value = true)]
    color: Color,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Check(check::Args),
    Audit(audit::Args),
    Replay(replay::Args),
    Explain(explain::Args),
    Test(test::Args),
    Backtest(backtest::Args),
    Serve(serve::Args),
    Token(token::Args),
    Keys(keys::Args),
    Package(package::Args),
    Infra(infra::Args),
    Attach(attach::Args),
    Detach(attach::detach::Args),
    Completions(completions::Args),
    Man(completions::ManArgs),
    Help(help::Args),
    Schema(schema::Args),
}

/// The arguments of the command line.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the command that the arguments of this process name.
pub fn run() -> ExitCode {
    // Most commands are run without it, and need not read their arguments twice.
    let is_color = |argument: OsString| argument.to_string_lossy().starts_with("--color");
    let color = match env::args_os().any(is_color) {
        true => Color::of_unread(&unread_arguments()),
        false => Color::default(),
    };
    color.set();
    let mut described = Cli::command().color(color.of_help());
    // Only then: it reads the file of the program.
    if env::args_os().any(|argument| argument == "--version") {
        described = described.long_version(release::long_version());
    }
    let arguments = match described.try_get_matches_from(env::args_os()) {
        Ok(arguments) => arguments,
        Err(error) => return unread(&error),
    };
    let cli = Cli::from_arg_matches(&arguments).unwrap_or_else(|error| error.format(&mut command()).exit());
    cli.color.set();
    // One diagnostic, not a chain: the messages hold their causes. Lines are not wrapped, so that a path can be
    // copied. Set once, so it cannot fail.
    let _ = miette::set_hook(Box::new(|_| Box::new(failure::handler())));
    let result = match &cli.command {
        _ if stdin_uses(&arguments) > 1 => Err(InputError::StdinTwice.into()),
        Command::Init(args) => init::run(args),
        Command::Check(args) => check::run(args),
        Command::Audit(args) => audit::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Backtest(args) => backtest::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Test(args) => test::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Token(args) => token::run(args),
        Command::Keys(args) => keys::run(args),
        Command::Package(args) => package::run(args),
        Command::Infra(args) => infra::run(args),
        Command::Attach(args) => attach::run(args),
        Command::Detach(args) => attach::detach::run(args),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => completions::run_man(args),
        Command::Help(args) => help::run(args),
        Command::Schema(args) => schema::run(args),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(report) => {
            if reader_left(&report) {
                return Exit::ReaderLeft.into();
            }
            let written = match Form::of(&arguments) {
                Some(form @ Form::JsonBeside) => {
                    note(form.document(report.as_ref()));
                    return Exit::Unusable.into();
                }
                // Output that cannot be written takes no error either.
                Some(_) if report.downcast_ref::<OutputError>().is_some() => Ok(()),
                Some(form) => line(form.document(report.as_ref())),
                None => Ok(()),
            };
            if matches!(written, Err(OutputError::PipeClosed)) {
                return Exit::ReaderLeft.into();
            }
            note(Shown(report.as_ref()));
            Exit::Unusable.into()
        }
    }
}

/// The arguments of this process, as far as they can be read without clap.
fn unread_arguments() -> Unread {
    Unread::of(command(), env::args_os())
}

/// The end of a process whose arguments name no command to run: they ask for help or the version, or cannot be used.
fn unread(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let written = error.print().and_then(|()| io::stdout().flush()).map_err(OutputError::of);
        return match written {
            Ok(()) => Exit::Held.into(),
            Err(OutputError::PipeClosed) => Exit::ReaderLeft.into(),
            Err(error) => {
                note(Shown(&error));
                Exit::Unusable.into()
            }
        };
    }
    let form = Form::of_unread(&unread_arguments());
    let document = form.map(|form| form.document(&UsageError::of(error)));
    match (form, document) {
        // It stands alone, so that all of standard error is JSON.
        (Some(Form::JsonBeside), Some(document)) => note(document),
        (_, document) => {
            if matches!(document.map(line), Some(Err(OutputError::PipeClosed))) {
                return Exit::ReaderLeft.into();
            }
            // What cannot be written to standard error has no other place.
            let _ = error.print();
        }
    }
    Exit::Unusable.into()
}

/// Arguments that are a text, or `-` for standard input. The others that may be `-` are files.
const TEXTS_OR_STDIN: [&str; 2] = ["claims", "token"];

/// How many arguments of the command are read from standard input, `-`. A key or a path may be a plain `-`.
fn stdin_uses(arguments: &ArgMatches) -> usize {
    let below = arguments.subcommand().map_or(0, |(_, below)| stdin_uses(below));
    let ids = || arguments.ids().map(clap::Id::as_str);
    let files = ids().filter_map(|id| arguments.try_get_many::<PathBuf>(id).ok().flatten()).flatten();
    let texts = ids().filter(|id| TEXTS_OR_STDIN.contains(id));
    let texts = texts.filter_map(|id| arguments.try_get_many::<String>(id).ok().flatten()).flatten();
    let files = files.filter(|path| *path == Path::new("-")).count();
    let texts = texts.filter(|text| *text == "-").count();
    files.saturating_add(texts).saturating_add(below)
}

/// Whether a command stopped because nobody reads its result any more, on standard output or in a pipe that it was told to
/// write to.
fn reader_left(report: &miette::Report) -> bool {
    matches!(report.downcast_ref(), Some(OutputError::PipeClosed))
        || report.downcast_ref().is_some_and(SaveError::is_reader_left)
}
