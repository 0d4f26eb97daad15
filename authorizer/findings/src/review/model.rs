//! What a review says, in words and in the policy's own text.

use std::path::Path;

use authorizer_analysis::{EngineError, instant_in_words, matrix};
use authorizer_core::record::sha256_hex;
use authorizer_core::rules::Effect;
use authorizer_core::{Authorizer, UnixTime};
use authorizer_policy::PolicyFile;

use super::fact::Section;
use super::issuers::{self, IssuerFacts};
use super::permissions::{self, Permission};
use super::settings;
use super::tested::Tested;
use crate::check::Check;
use crate::docs::Docs;
use crate::policy::{PolicySubject, findings};
use crate::report::Report;

/// The version of the program that wrote it.
pub(super) const TOOL: &str = concat!("authorizer ", env!("CARGO_PKG_VERSION"));

/// All that a review says.
#[derive(Debug)]
pub struct Review {
    /// The policy's file, without its folder: a report says nothing of the machine that made it.
    pub(super) name: String,
    pub(super) bundle_sha256: String,
    /// Of the policy file as it is written, which has more in it than the bundle: what is accepted, and comments.
    pub(super) policy_sha256: String,
    pub(super) now: String,
    pub(super) permissions: Vec<Permission>,
    pub(super) findings: Report,
    pub(super) issuers: Vec<IssuerFacts>,
    pub(super) settings: Vec<Section>,
    pub(super) counts: RuleCounts,
    /// None: no tests were given.
    pub(super) tested: Option<Tested>,
    pub(super) docs: Option<Docs>,
    pub(super) text: String,
}

#[derive(Debug)]
pub(super) struct RuleCounts {
    pub(super) allow: usize,
    pub(super) deny: usize,
}

impl Review {
    /// Gathers what there is to say of the policy in a file.
    ///
    /// # Errors
    /// [`EngineError`]: the table of permissions cannot be made.
    pub fn of(path: &Path, file: &PolicyFile, now: UnixTime) -> Result<Self, EngineError> {
        let authorizer = Authorizer::new(file.bundle().clone());
        let table = matrix(&authorizer)?;
        let rules = authorizer.bundle().policy().rules();
        let found = findings(&PolicySubject::new(file.document(), &authorizer, now));
        let of = |effect| rules.iter().filter(|rule| rule.effect() == effect).count();
        Ok(Self {
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            bundle_sha256: authorizer.bundle().sha256().to_owned(),
            policy_sha256: sha256_hex(file.text().as_bytes()),
            now: instant_in_words(now),
            permissions: permissions::of(table, authorizer.bundle().policy()),
            findings: Report::of_policy(path, file, now, found),
            issuers: issuers::of(file),
            settings: settings::of(file.document()),
            counts: RuleCounts { allow: of(Effect::Allow), deny: of(Effect::Deny) },
            tested: None,
            docs: Docs::of_build(),
            text: file.shown_text().into_owned(),
        })
    }

    /// Whether the analysis of every rule was finished, or the policy accepts that it was not.
    pub fn is_decided(&self) -> bool {
        self.findings.is_decided()
    }

    /// The same with the results of the policy's tests.
    #[must_use]
    pub fn with_tests(self, tested: Tested) -> Self {
        Self { tested: Some(tested), ..self }
    }

    /// The same with links to the pages of findings in this documentation.
    #[must_use]
    pub fn with_docs(self, docs: Docs) -> Self {
        Self { docs: Some(docs), ..self }
    }

    /// Where the page of a check can be read.
    pub(super) fn address_of(&self, check: &Check) -> Option<String> {
        self.docs.as_ref().map(|docs| docs.page(check))
    }

    /// The lines of the policy file, without their ends.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.lines()
    }
}
