//! What stops a command: one diagnostic, with the place and the remedy.

use std::io;
use std::path::PathBuf;

use authorizer_policy::PolicyFileError;
use miette::Diagnostic;
use thiserror::Error;

/// Why a command cannot do what was asked.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum CliError {
    /// Whoever read the result stopped reading.
    #[error("standard output was closed")]
    PipeClosed,
    /// The result cannot be written.
    #[error("standard output cannot be written: {0}")]
    #[diagnostic(help("is there room on the disk that it goes to?"))]
    Stdout(#[source] io::Error),
    /// A policy cannot be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Policy(#[from] PolicyFileError),
    /// A file cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    #[diagnostic(help("name a file that exists and that you may read"))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file holds more than its kind can.
    #[error("`{path}` is larger than {limit} bytes")]
    #[diagnostic(help("is it the file that you meant?"))]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What it may hold, in bytes.
        limit: usize,
    },
    /// A file is there already that must not be overwritten.
    #[error("`{path}` exists already, and is not overwritten")]
    #[diagnostic(help("choose another name, or remove the file"))]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("`{path}` cannot be written: {source}")]
    #[diagnostic(help("is there room on the disk, and may you write there?"))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Something else than a file is where one should go.
    #[error("`{path}` is not a file")]
    #[diagnostic(help("name the file itself, not a folder or a device"))]
    NotFile {
        /// The place.
        path: PathBuf,
    },
    /// Neither a policy nor a bundle was named.
    #[error("no policy was named")]
    #[diagnostic(help("add `--policy FILE` or `--bundle FILE`"))]
    NoPolicy,
    /// The policy has no such issuer.
    #[error("no issuer of the policy is named `{name}`")]
    #[diagnostic(help("use the `name` of an `[[issuers]]` block"))]
    NoIssuer {
        /// What was asked for.
        name: String,
    },
    /// A question about a policy has no answer.
    #[error("{0}")]
    #[diagnostic(help(
        "this is no verdict on the policy: ask about fewer keys, or report it with the policy"
    ))]
    Audit(#[from] authorizer_analysis::EngineError),
    /// A bundle cannot be used.
    #[error("`{path}`: {source}")]
    #[diagnostic(help("package the policy again with `authorizer package`"))]
    Bundle {
        /// The file.
        path: PathBuf,
        /// Why.
        source: authorizer_core::BundleError,
    },
    /// A key file cannot be used, or not for what is asked.
    #[error("`{path}`: {message}")]
    #[diagnostic(help("make a key pair with `authorizer token keygen NAME`"))]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// What was given as a token is none.
    #[error("this is no token: {0}")]
    #[diagnostic(help(
        "a token is three parts of base64url with dots between them; `-` reads one from standard input"
    ))]
    NoToken(&'static str),
    /// A token cannot be signed.
    #[error("the token cannot be signed: {0}")]
    #[diagnostic(help("make a key pair with `authorizer token keygen NAME`"))]
    Sign(#[source] jsonwebtoken::errors::Error),
    /// A policy cannot be translated.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Cedar(#[from] crate::audit::CedarError),
    /// A deployment cannot be audited.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Deployment(#[from] crate::audit::DeploymentError),
    /// Tests cannot be run.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Test(#[from] crate::test::TestError),
    /// A request cannot be asked about.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Request(#[from] crate::explain::RequestError),
    /// An event file cannot be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Replay(#[from] crate::replay::ReplayError),
    /// Logs cannot be held against a policy.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Backtest(#[from] crate::backtest::BacktestError),
    /// The distribution cannot be served.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Serve(#[from] crate::serve::ServeError),
    /// Keys cannot be had, or not used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Keys(#[from] crate::keys::KeysError),
    /// The package cannot be made.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Package(#[from] crate::package::PackageError),
    /// A distribution's configuration cannot be changed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Attach(#[from] crate::attach::AttachError),
}
