//! The policy file: TOML that a person reviews, read into a bundle.
//!
//! [`PolicyFile::load`] reads the file and the key files that it names, and checks everything. Each problem has the
//! file, the line and column, what is wrong, and how to fix it. The core knows the document, but not the file. This
//! crate reads the file for the command line and the local distribution. [`TomlFile`] does the same for other files
//! that people write beside a policy.
//!
//! [`providers`] is what is known of identity providers, as data.

mod accepted;
mod error;
mod file;
mod form;
mod keys;
mod lines;
mod notation;
mod place;
pub mod providers;
mod warning;

pub use accepted::{AcceptedFindingDocument, AcceptedFindingsDocument};
pub use error::{FileKind, PolicyFileError, ProblemReport};
pub use file::TomlFile;
pub use form::schema;
pub use lines::without_secrets;
pub use place::{Places, Position};
pub use warning::PolicyWarning;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use authorizer_core::policy::document::PolicyDocument;
use authorizer_core::policy::{Place, Policy, PolicyProblem};
use authorizer_core::{Bundle, BundleError};
use miette::NamedSource;

use crate::file::read_file;
use crate::keys::{Read, WithoutFile};
use crate::warning::at_their_places;

/// A policy file that was read and is valid.
pub struct PolicyFile {
    text: String,
    document: PolicyDocument,
    bundle_json: Vec<u8>,
    bundle: Bundle,
    warnings: Vec<PolicyWarning>,
    /// Whether the first warning names files that are not there.
    is_not_here: bool,
    source: NamedSource<String>,
}

/// Leaves out the bundle, which may contain a secret.
impl fmt::Debug for PolicyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyFile").field("warnings", &self.warnings).finish_non_exhaustive()
    }
}

impl PolicyFile {
    /// Reads a policy file and the key files that it names. The policy `-` is standard input; its key files are relative
    /// to the current folder.
    ///
    /// # Errors
    /// [`PolicyFileError`], with everything that is wrong with the policy.
    pub fn load(path: &Path) -> Result<Self, PolicyFileError> {
        Self::load_with(path, WithoutFile::IsProblem)
    }

    /// Reads a policy that decides nothing for viewers. A secret whose file does not exist is no problem: a fixed value
    /// stands for it, and one warning names those files. So whoever reviews a policy needs no secret.
    ///
    /// # Errors
    /// As [`load`](Self::load): also for a file of a secret that is there and cannot be used.
    pub fn load_for_review(path: &Path) -> Result<Self, PolicyFileError> {
        Self::load_with(path, WithoutFile::TakesStandIn)
    }

    fn load_with(path: &Path, without: WithoutFile) -> Result<Self, PolicyFileError> {
        let (mut file, mistakes) = TomlFile::<PolicyDocument>::read(FileKind::Policy, path)?;
        if !mistakes.is_empty() {
            // What has the right form is looked at too, so that the file can be mended in one pass. No key file is
            // read: its name may be what was mended, or a secret.
            let problems = Policy::compile(&file.document).err().unwrap_or_default();
            return Err(file.mistakes(mistakes, problems));
        }
        let Read { mut problems, not_here } = keys::read_keys(&mut file.document, path, without);
        problems.extend(empty_reasons(&file.document));
        let mut warnings = file.not_here(&not_here);
        let is_not_here = !warnings.is_empty();
        warnings.extend(file.warnings());
        if !problems.is_empty() {
            // The rest is looked at too, so that the file can be mended in one pass.
            let others = Policy::compile(&file.document).err().unwrap_or_default();
            let others = form::apart_from_keys(&problems, others);
            problems.extend(others);
            return Err(file.problems(problems));
        }
        let unusable = |source| PolicyFileError::Bundle { path: path.to_owned(), source };
        // This reads the bundle as the function does when it starts: what the function refuses is refused here.
        let written = Bundle::write_and_read(file.document());
        let (bundle_json, bundle) = written.map_err(|error| match error {
            BundleError::Policy(problems) => file.problems(problems),
            error => unusable(error),
        })?;
        let headers = bundle.policy().check_origin_headers(file.document());
        headers.map_err(|problem| file.problems(vec![problem]))?;
        warnings.extend(file.key_warnings(bundle.policy()));
        let TomlFile { text, document, source, .. } = file;
        Ok(Self { text, document, bundle_json, bundle, warnings, is_not_here, source })
    }

    /// The policy as it is written, with the keys of its key files in it.
    pub fn document(&self) -> &PolicyDocument {
        &self.document
    }

    /// The text of the file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of the file, to be shown: each character of its salt is a `*`, so that all places stay where they are.
    pub fn shown_text(&self) -> Cow<'_, str> {
        let Some(salt) = self.document.log.claims_salt.as_deref() else { return Cow::Borrowed(&self.text) };
        // A salt is ASCII. If it is written with escapes of TOML, nothing of the text is shown.
        match self.text.contains(salt) {
            true => Cow::Owned(self.text.replace(salt, &"*".repeat(salt.len()))),
            false => Cow::Owned(self.text.chars().map(|c| if c == '\n' { '\n' } else { '*' }).collect()),
        }
    }

    /// The positions of all places in the file.
    pub fn places(&self) -> Places<'_> {
        Places::of(&self.text)
    }

    /// The bytes of `bundle.json`; the same policy and keys give the same bytes.
    pub fn bundle_json(&self) -> &[u8] {
        &self.bundle_json
    }

    /// The bundle, ready to decide.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// The warnings about the policy.
    pub fn warnings(&self) -> &[PolicyWarning] {
        &self.warnings
    }

    /// The warning that names the files of secrets that are not there, which is one of [`warnings`](Self::warnings).
    pub fn secrets_not_here(&self) -> Option<&PolicyWarning> {
        self.warnings.first().filter(|_| self.is_not_here)
    }

    /// Adds warnings, each an id, a place, a message and a remedy. A place that has one keeps the first.
    pub fn warn(&mut self, warned: impl IntoIterator<Item = (&'static str, Place, String, &'static str)>) {
        let mut warned_of: BTreeSet<String> =
            self.warnings.iter().map(|warning| warning.place.clone()).collect();
        let new = warned.into_iter().filter(|(_, place, _, _)| warned_of.insert(place.to_string()));
        self.warnings.extend(at_their_places(new, &self.source, &self.text));
    }

    /// Takes the bundle out.
    pub fn into_bundle(self) -> Bundle {
        self.bundle
    }
}

/// The findings that are accepted without a reason.
fn empty_reasons(document: &PolicyDocument) -> impl Iterator<Item = PolicyProblem> {
    without_reason(document.accepted.iter().map(|entry| entry.reason.as_str()))
}

/// A problem for each of these reasons, of the entries of `accepted`, that says nothing.
pub fn without_reason<'r>(reasons: impl Iterator<Item = &'r str>) -> impl Iterator<Item = PolicyProblem> {
    reasons.enumerate().filter(|(_, reason)| reason.trim().is_empty()).map(|(index, _)| PolicyProblem {
        place: Place::member("accepted").at(index).then("reason"),
        message: "an accepted finding has no reason".to_owned(),
        remedy: "write why it is accepted, for those who review it".to_owned(),
    })
}

/// The files of a policy: the policy itself first, then the files with keys and secrets that it names. If the policy
/// cannot be read or parsed, only the policy itself: so a caller knows which file to watch until it is fixed.
pub fn files_of(path: &Path) -> Vec<PathBuf> {
    let mut files = vec![path.to_owned()];
    // Standard input can be read only once.
    if path == Path::new("-") {
        return files;
    }
    if let Some(document) = read_file(FileKind::Policy, path).ok().and_then(|text| {
        let document: Result<PolicyDocument, _> = toml::from_str(&text);
        document.ok()
    }) {
        let folder = folder_of(path);
        files.extend(keys::files(document).map(|file| folder.join(file)));
    }
    files
}

/// The folder that the key files of a policy are relative to.
fn folder_of(policy: &Path) -> &Path {
    policy.parent().unwrap_or(Path::new(""))
}
