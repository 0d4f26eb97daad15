//! The policy that a command decides by: a policy file, or the bundle of a package.

use std::path::{Path, PathBuf};

use authorizer_core::{Authorizer, Bundle, MAX_BUNDLE_BYTES};
use authorizer_policy::PolicyFile;

use crate::error::CliError;
use crate::input::read_limited;
use crate::output::note;

/// Says what a person should know of a policy that can be used.
pub(crate) fn warn(file: &PolicyFile) {
    for warning in file.warnings() {
        note(format_args!("{:?}", miette::Report::new(warning.clone())));
    }
}

/// Exactly one of the two.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct PolicyArgs {
    /// The policy file (TOML).
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// A `bundle.json`, as a package holds it.
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
}

impl PolicyArgs {
    /// The policy file, where it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.policy.as_deref()
    }

    /// Reads it whole.
    pub(crate) fn authorizer(&self) -> Result<Authorizer, CliError> {
        let bundle = match (&self.policy, &self.bundle) {
            (Some(path), _) => PolicyFile::load(path)?.into_bundle(),
            (None, Some(path)) => Bundle::read(&read_limited(path, MAX_BUNDLE_BYTES)?)
                .map_err(|source| CliError::Bundle { path: path.clone(), source })?,
            // clap's group asks for one of them.
            (None, None) => return Err(CliError::NoPolicy),
        };
        Ok(Authorizer::new(bundle))
    }

    /// The bytes of its `bundle.json`.
    pub(crate) fn bundle_json(&self) -> Result<Vec<u8>, CliError> {
        match (&self.policy, &self.bundle) {
            (Some(path), _) => Ok(PolicyFile::load(path)?.bundle_json().to_vec()),
            (None, Some(path)) => read_limited(path, MAX_BUNDLE_BYTES),
            (None, None) => Err(CliError::NoPolicy),
        }
    }

    /// The file that was named.
    pub(crate) fn named(&self) -> &Path {
        self.policy.as_deref().or(self.bundle.as_deref()).unwrap_or(Path::new(""))
    }
}
