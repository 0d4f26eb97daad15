//! Results go to standard output, everything else to standard error.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::ValueEnum;

use crate::error::CliError;

/// The exit status of every command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exit {
    /// What was asked for held.
    Held,
    /// Findings, refusals or differences.
    Findings,
    /// The input cannot be used.
    Unusable,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Held => 0,
            Exit::Findings => 1,
            Exit::Unusable => 2,
        })
    }
}

/// How a result is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// Writes one line of the result.
pub(crate) fn line(text: impl std::fmt::Display) -> Result<(), CliError> {
    writeln!(anstream::stdout(), "{text}").map_err(CliError::stdout)
}

/// Tells the person at the terminal something beside the result. Standard error that cannot be written is no
/// reason to stop.
pub(crate) fn note(text: impl std::fmt::Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

impl CliError {
    /// What becomes of an error of standard output. Of a reader that has seen enough, such as `head`, nothing is
    /// said; the exit is 2 all the same, since the result was not told whole.
    pub(crate) fn stdout(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::PipeClosed } else { Self::Stdout(error) }
    }
}
