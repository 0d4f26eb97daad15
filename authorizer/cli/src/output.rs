//! Results go to standard output, everything else to standard error.

use std::io::{self, Write};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::ValueEnum;
use miette::Diagnostic;
use thiserror::Error;

use crate::unread::Unread;

/// The exit status of every command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exit {
    /// The check passed.
    Held,
    /// Findings, refusals or differences.
    Findings,
    /// The input cannot be used.
    Unusable,
    /// The reader of the result stopped reading, such as `head`. That is no fault of the input.
    ReaderLeft,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Held => 0,
            Exit::Findings => 1,
            Exit::Unusable => 2,
            // As a shell reports a process that SIGPIPE ended: 128 and the number of the signal.
            Exit::ReaderLeft => 141,
        })
    }
}

/// The output format of a result.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON object per line.
    Json,
}

/// When text has colours: of the results, of messages and of the help.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless the environment has `NO_COLOR`; elsewhere, if it has `CLICOLOR_FORCE`.
    #[default]
    Auto,
    /// Always, also in a file.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// The choice in arguments that are not read yet: the help has to know it. What cannot be read is an error of the
    /// command line, which is said later.
    pub(crate) fn of_unread(arguments: &Unread) -> Self {
        arguments.value("color").and_then(|value| Self::from_str(value, false).ok()).unwrap_or_default()
    }

    /// Makes it the choice of everything that this process writes.
    pub(crate) fn set(self) {
        match self {
            Self::Auto => ColorChoice::Auto,
            Self::Always => ColorChoice::Always,
            Self::Never => ColorChoice::Never,
        }
        .write_global();
    }

    /// The same for the help and the errors of the command line.
    pub(crate) fn of_help(self) -> clap::ColorChoice {
        match self {
            Self::Auto => clap::ColorChoice::Auto,
            Self::Always => clap::ColorChoice::Always,
            Self::Never => clap::ColorChoice::Never,
        }
    }
}

/// Whether messages on standard error have colours.
pub(crate) fn has_colored_notes() -> bool {
    AutoStream::choice(&io::stderr()) != ColorChoice::Never
}

/// Writes one line of the result.
pub(crate) fn line(text: impl std::fmt::Display) -> Result<(), OutputError> {
    writeln!(anstream::stdout(), "{text}").map_err(OutputError::of)
}

/// Whether standard output may have colours.
pub(crate) fn color() -> ColorChoice {
    AutoStream::choice(&io::stdout())
}

/// Lines of the result that are written at once. Each is as [`line`] writes it.
#[derive(Debug)]
pub(crate) struct Lines {
    color: ColorChoice,
    bytes: Vec<u8>,
}

impl Lines {
    /// An empty list of lines.
    pub(crate) fn new(color: ColorChoice) -> Self {
        Self { color, bytes: Vec::new() }
    }

    /// Adds a line.
    pub(crate) fn push(&mut self, text: &str) {
        // Plain text does not contain an escape code, so it does not change. This check is faster than the search for
        // escape codes.
        if is_plain(text) {
            self.bytes.extend_from_slice(text.as_bytes());
            self.bytes.push(b'\n');
        } else {
            // Writing to a Vec cannot fail.
            let _ = writeln!(AutoStream::new(&mut self.bytes, self.color), "{text}");
        }
    }

    #[cfg(test)]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Writes them.
    pub(crate) fn write(&self) -> Result<(), OutputError> {
        io::stdout().write_all(&self.bytes).map_err(OutputError::of)
    }
}

/// Whether a text is printable ASCII and nothing else.
fn is_plain(text: &str) -> bool {
    let plain = |chunk: &[u8]| chunk.iter().fold(true, |all, byte| all & matches!(byte, b' '..=b'~'));
    text.as_bytes().chunks(256).all(plain)
}

/// Prints something beside the result, on standard error. If that cannot be written, the command goes on.
pub(crate) fn note(text: impl std::fmt::Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Why a result is not complete.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum OutputError {
    /// The reader of the result stopped reading.
    #[error("standard output was closed")]
    PipeClosed,
    /// The result cannot be written.
    #[error("standard output cannot be written: {0}")]
    #[diagnostic(help("check that the disk has free space"))]
    Unwritable(#[source] io::Error),
}

impl OutputError {
    /// The error for a failed write to standard output. If a reader stops, such as `head`, no message is printed, and the
    /// exit status is that of [`Exit::ReaderLeft`].
    pub(crate) fn of(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::PipeClosed } else { Self::Unwritable(error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lines_at_once_are_what_each_would_be_by_itself(
            texts in prop::collection::vec("([ -~]|\u{1b}\\[3[0-9]m|\u{7f}|\u{9b}|\u{1b}|é|\t|\n|\r|[a-z]{200,300}){0,9}", 0..9),
        ) {
            for color in [ColorChoice::Never, ColorChoice::AlwaysAnsi] {
                let mut lines = Lines::new(color);
                let mut expected = Vec::new();
                for text in &texts {
                    lines.push(text);
                    writeln!(AutoStream::new(&mut expected as &mut dyn Write, color), "{text}").unwrap();
                }
                prop_assert_eq!(lines.as_bytes(), expected);
            }
        }
    }
}
