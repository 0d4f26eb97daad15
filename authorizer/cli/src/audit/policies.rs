//! Policies that are named by a path alone.

use std::path::Path;

use authorizer_core::Authorizer;

use crate::policy::{for_review, read_bundle};

/// Reads a policy: a bundle if the name ends in `.json`, otherwise a TOML file.
pub(super) fn load(path: &Path) -> miette::Result<Authorizer> {
    let bundle = if path.extension().is_some_and(|extension| extension == "json") {
        read_bundle(path)?
    } else {
        for_review(path)?.into_bundle()
    };
    Ok(Authorizer::new(bundle))
}
