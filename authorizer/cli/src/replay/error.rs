//! Why events cannot be replayed.

use std::io;
use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

/// Why events cannot be replayed. A malformed event is not an error: it is refused, as at the edge.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum ReplayError {
    /// A file or folder cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    #[diagnostic(help("name an existing file or folder that you can read"))]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is nothing to replay: that is not the same as no refusal.
    #[error("the input does not contain an event")]
    #[diagnostic(help("name files with events, or a folder with .json, .jsonl or .ndjson files"))]
    NoEvents,
    /// A recording of nothing.
    #[error("nothing was recorded in `{folder}`")]
    #[diagnostic(help("send requests to `authorizer serve --record DIR` before it ends"))]
    EmptyRecording {
        /// The folder.
        folder: PathBuf,
    },
    /// A text of several lines that is not JSON: its lines are not events.
    #[error("`{path}`, line {line}: this is not JSON: {problem}")]
    #[diagnostic(help(
        "an event is one JSON object; write several one per line, one after the other, or in an array"
    ))]
    Json {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What the reader of JSON says.
        problem: String,
    },
    /// Longer than an event can be.
    #[error("`{path}` contains an event of more than 1 MiB")]
    #[diagnostic(help("an event is one JSON object; to replay many, write one per line in a .jsonl file"))]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// Several events, for a command that takes one.
    #[error("`{path}` has {events} events, and this command takes one")]
    #[diagnostic(help(
        "pass one of them: if each is on its line, `sed -n 1p {} >event.json` takes the first; if they are in an array, \
         `jq '.[0]'` does",
        .path.display()
    ))]
    Several {
        /// The file.
        path: PathBuf,
        /// How many.
        events: usize,
    },
    /// A bundle that says nothing of its issuers in a form that is known.
    #[error("the policy in the bundle cannot be read")]
    #[diagnostic(help("package the policy again with `authorizer package`"))]
    NoDocument,
    /// A file for `--expect` that `replay` did not write.
    #[error("`{path}`, line {line}: this is not a recorded outcome, or it is the second one for its event")]
    #[diagnostic(help("record outcomes with `authorizer replay --format json`"))]
    Expectation {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
}
