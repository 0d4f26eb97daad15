//! The policy that decides while `serve` runs: for the console, which explains, and for recordings.

use std::sync::Arc;

use authorizer_core::policy::document::PolicyDocument;
use authorizer_core::{Authorizer, Bundle};
use authorizer_local::Packaged;

use super::policy::LivePolicy;
use crate::recording::document_of;

/// The policy that decides, with its text.
#[derive(Clone)]
pub(super) enum Decider {
    /// A policy file, as it was last read.
    Live(LivePolicy),
    /// The policy of a package.
    Package(Arc<Authorizer>, Arc<PolicyDocument>),
}

impl Decider {
    /// That of a package, if its bundle can be read.
    pub(super) fn of_package(packaged: &Packaged) -> Option<Self> {
        let bytes = std::fs::read(packaged.folder().join("bundle.json")).ok()?;
        let authorizer = Authorizer::new(Bundle::read(&bytes).ok()?);
        Some(Self::Package(Arc::new(authorizer), Arc::new(document_of(&bytes)?)))
    }

    /// Does something with the authorizer. That of a package has no keys but those of its bundle.
    pub(super) fn with<T>(&self, work: impl FnOnce(&Authorizer) -> T) -> T {
        match self {
            Self::Live(policy) => work(policy.current().authorizer()),
            Self::Package(authorizer, _) => work(authorizer),
        }
    }

    /// The text, without the keys of a development issuer.
    pub(super) fn document(&self) -> Arc<PolicyDocument> {
        match self {
            Self::Live(policy) => policy.document(),
            Self::Package(_, document) => Arc::clone(document),
        }
    }
}
