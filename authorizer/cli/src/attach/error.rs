//! Why a distribution's configuration cannot be changed.

use std::path::PathBuf;

use authorizer_cloudfront::{BehaviorName, ExportedError};
use miette::Diagnostic;
use thiserror::Error;

/// Why a distribution's configuration cannot be changed.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum AttachError {
    /// Not what the AWS CLI exports.
    #[error("`{path}` cannot be used: {source}")]
    #[diagnostic(help(
        "use the complete output of `aws cloudfront get-distribution-config --id ID --output json`"
    ))]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ExportedError,
    },
    /// The distribution does not have this behavior.
    #[error("this distribution does not have {name}")]
    #[diagnostic(help("it has {}", listed(.there)))]
    NoSuchBehavior {
        /// The behavior.
        name: BehaviorName,
        /// The behaviors of the distribution.
        there: Vec<BehaviorName>,
    },
    /// No behavior reaches a bucket.
    #[error("no behavior of this distribution has a bucket as its origin")]
    #[diagnostic(help("check that this is the right distribution"))]
    NoBucket,
    /// The result is not a configuration.
    #[error("the changed configuration cannot be read: {0}")]
    #[diagnostic(help("nothing was written; please report this, with the configuration"))]
    Broken(ExportedError),
}

fn listed(names: &[BehaviorName]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
