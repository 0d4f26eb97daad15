//! Policies that are named by their files alone.

use std::path::Path;

use authorizer_core::{Authorizer, Bundle, MAX_BUNDLE_BYTES};
use authorizer_policy::PolicyFile;

use crate::error::CliError;
use crate::input::read_limited;

/// Reads a policy: a bundle where the name ends in `.json`, and else the TOML file.
pub(super) fn load(path: &Path) -> Result<Authorizer, CliError> {
    let bundle = if path.extension().is_some_and(|extension| extension == "json") {
        Bundle::read(&read_limited(path, MAX_BUNDLE_BYTES)?)
            .map_err(|source| CliError::Bundle { path: path.to_owned(), source })?
    } else {
        PolicyFile::load(path)?.into_bundle()
    };
    Ok(Authorizer::new(bundle))
}
