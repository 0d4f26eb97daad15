//! The policy that a command decides by: a policy file, or the bundle of a package.

use std::fs;
use std::path::PathBuf;

use authorizer_core::{Authorizer, Bundle};
use authorizer_policy::PolicyFile;

use crate::error::CliError;

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
    /// Reads it whole.
    pub(crate) fn authorizer(&self) -> Result<Authorizer, CliError> {
        let (path, bytes) = match (&self.policy, &self.bundle) {
            (Some(path), _) => (path, PolicyFile::load(path)?.bundle().to_vec()),
            (None, Some(path)) => {
                let read = |source| CliError::Read { path: path.clone(), source };
                (path, fs::read(path).map_err(read)?)
            }
            // clap's group asks for one of them.
            (None, None) => return Err(CliError::NoPolicy),
        };
        let bundle =
            Bundle::read(&bytes).map_err(|source| CliError::Bundle { path: path.clone(), source })?;
        Ok(Authorizer::new(bundle))
    }
}
