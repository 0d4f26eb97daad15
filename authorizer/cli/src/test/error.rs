//! Why tests cannot be run.

use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

/// Why tests cannot be run, for a reason outside their file.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum TestError {
    /// Standard input and a bundle have no default test files.
    #[error("no test file is given")]
    #[diagnostic(help("name the test files: only a policy file can have them beside it"))]
    NoTests,
    /// The policy has no tests yet.
    #[error("there are no tests yet: `{}` does not exist", .0.display())]
    #[diagnostic(help(
        "write tests into this file beside the policy (`authorizer help tests`), or name a file that has some; for a file with \
         `version = 1` alone, this command prints the missing tests"
    ))]
    NoTestsBeside(PathBuf),
    /// The results cannot be written as XML.
    #[error("the results cannot be written: {0}")]
    #[diagnostic(help("write them with `--format json`"))]
    Junit(#[source] quick_junit::SerializeError),
}
