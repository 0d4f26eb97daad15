//! The policy that a command decides by: a policy file, or the bundle of a package.

use std::path::{Path, PathBuf};

use authorizer_core::{Authorizer, Bundle, BundleError, MAX_BUNDLE_BYTES};
use authorizer_policy::PolicyFile;
use miette::Diagnostic;
use thiserror::Error;

use crate::input::read_limited;
use crate::output::note;

/// Neither a policy nor a bundle is given.
#[derive(Debug, Diagnostic, Error)]
#[error("no policy is given")]
#[diagnostic(help("add `--policy FILE` or `--bundle FILE`"))]
pub(crate) struct NoPolicyError;

/// A bundle cannot be used.
#[derive(Debug, Diagnostic, Error)]
#[error("`{path}`: {source}")]
#[diagnostic(help("package the policy again with `authorizer package`"))]
pub(crate) struct UnusableBundleError {
    /// The file.
    pub(crate) path: PathBuf,
    /// Why.
    pub(crate) source: BundleError,
}

/// Reads the `bundle.json` of a package.
pub(crate) fn read_bundle(path: &Path) -> miette::Result<Bundle> {
    let bundle = Bundle::read(&read_limited(path, MAX_BUNDLE_BYTES)?);
    Ok(bundle.map_err(|source| UnusableBundleError { path: path.to_owned(), source })?)
}

/// Prints the warnings about a policy.
pub(crate) fn warn(file: &PolicyFile) {
    for warning in file.warnings() {
        note(format_args!("{:?}", miette::Report::new(warning.clone())));
    }
}

/// A policy file or a bundle: exactly one of them.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct PolicyArgs {
    /// Policy file (TOML).
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// `bundle.json` of a package, instead of a policy file.
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
}

impl PolicyArgs {
    /// Of a command that has more to choose from.
    pub(crate) fn of(policy: Option<PathBuf>, bundle: Option<PathBuf>) -> Self {
        Self { policy, bundle }
    }

    /// The policy file, if it is not a bundle.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.policy.as_deref()
    }

    /// Reads the policy.
    pub(crate) fn authorizer(&self) -> miette::Result<Authorizer> {
        let bundle = match (&self.policy, &self.bundle) {
            (Some(path), _) => PolicyFile::load(path)?.into_bundle(),
            (None, Some(path)) => read_bundle(path)?,
            // The group of clap requires one of them.
            (None, None) => return Err(NoPolicyError.into()),
        };
        Ok(Authorizer::new(bundle))
    }

    /// The bytes of its `bundle.json`.
    pub(crate) fn bundle_json(&self) -> miette::Result<Vec<u8>> {
        match (&self.policy, &self.bundle) {
            (Some(path), _) => Ok(PolicyFile::load(path)?.bundle_json().to_vec()),
            (None, Some(path)) => Ok(read_limited(path, MAX_BUNDLE_BYTES)?),
            (None, None) => Err(NoPolicyError.into()),
        }
    }

    /// The file that was named.
    pub(crate) fn named(&self) -> &Path {
        self.policy.as_deref().or(self.bundle.as_deref()).unwrap_or(Path::new(""))
    }
}
