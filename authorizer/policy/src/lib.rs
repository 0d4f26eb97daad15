//! The policy file: TOML that a person reviews, read into a bundle.
//!
//! [`PolicyFile::load`] reads the file and the key files it names, checks everything, and says of each
//! problem the file, the line and column, what is wrong and how to mend it. The crate stands between the
//! core, which knows the document and not where it was written, and whatever reads files: the command
//! line and the local distribution.

mod error;
mod place;

pub use error::{PolicyFileError, ProblemReport};
pub use place::{Places, Position};

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use authorizer_core::policy::document::PolicyDocument;
use authorizer_core::policy::{Place, PolicyProblem};
use authorizer_core::{Bundle, BundleError, MAX_BUNDLE_BYTES};
use miette::NamedSource;
use serde_json::Value;

/// A policy file that was read and found whole.
#[derive(Debug)]
pub struct PolicyFile {
    text: String,
    document: PolicyDocument,
    bundle_json: Vec<u8>,
    bundle: Bundle,
}

impl PolicyFile {
    /// Reads a policy file and the key files that it names.
    ///
    /// # Errors
    /// [`PolicyFileError`], with everything that is wrong with the policy.
    pub fn load(path: &Path) -> Result<Self, PolicyFileError> {
        let text = read(path)?;
        let source = NamedSource::new(path.display().to_string(), text.clone()).with_language("TOML");
        let mut document: PolicyDocument = toml_edit::de::from_str(&text)
            .map_err(|error| PolicyFileError::syntax(source.clone(), error.message(), error.span()))?;
        let problems = read_keys(&mut document, path);
        if !problems.is_empty() {
            return Err(PolicyFileError::problems(source, &text, problems));
        }
        let unusable = |source| PolicyFileError::Bundle { path: path.to_owned(), source };
        let bundle_json = Bundle::write(&document).map_err(|error| match error {
            BundleError::Policy(problems) => PolicyFileError::problems(source, &text, problems),
            error => unusable(error),
        })?;
        // Read as the function reads it when it starts: what it would refuse is refused here.
        let bundle = Bundle::read(&bundle_json).map_err(unusable)?;
        Ok(Self { text, document, bundle_json, bundle })
    }

    /// The policy as it is written, with the keys of its key files in it.
    pub fn document(&self) -> &PolicyDocument {
        &self.document
    }

    /// The text of the file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where everything stands in the file.
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

    /// The same, for good.
    pub fn into_bundle(self) -> Bundle {
        self.bundle
    }
}

/// The files that a policy is made of: itself first, then the key files it names. Of a policy that cannot be
/// read, or not as one, only itself: so whoever waits for it to be mended knows what to look at.
pub fn files_of(path: &Path) -> Vec<PathBuf> {
    let mut files = vec![path.to_owned()];
    if let Some(document) = read(path).ok().and_then(|text| {
        let document: Result<PolicyDocument, _> = toml_edit::de::from_str(&text);
        document.ok()
    }) {
        let folder = folder_of(path);
        files.extend(
            document.issuers.into_iter().filter_map(|issuer| issuer.jwks.file).map(|f| folder.join(f)),
        );
    }
    files
}

/// What the key files of a policy are relative to.
fn folder_of(policy: &Path) -> &Path {
    policy.parent().unwrap_or(Path::new(""))
}

fn read(path: &Path) -> Result<String, PolicyFileError> {
    let unreadable = |source| PolicyFileError::Unreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_BUNDLE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() > MAX_BUNDLE_BYTES {
        return Err(PolicyFileError::TooLarge { path: path.to_owned() });
    }
    String::from_utf8(bytes).map_err(|_| PolicyFileError::NotUtf8 { path: path.to_owned() })
}

/// Puts the keys of each `jwks.file` into the document.
fn read_keys(document: &mut PolicyDocument, policy: &Path) -> Vec<PolicyProblem> {
    let folder = folder_of(policy);
    let mut problems = Vec::new();
    for (index, issuer) in document.issuers.iter_mut().enumerate() {
        // With both, or neither, the core names the problem.
        let (Some(file), None) = (&issuer.jwks.file, &issuer.jwks.keys) else { continue };
        let path = folder.join(file);
        match read_jwks(&path) {
            Ok(keys) => {
                issuer.jwks.keys = Some(keys);
                issuer.jwks.file = None;
            }
            Err(message) => problems.push(PolicyProblem {
                place: Place::member("issuers").at(index).then("jwks").then("file"),
                message: format!("the keys of issuer `{}`: {message}", issuer.name),
                remedy: "put the JWK set that the issuer publishes at its `jwks_uri` into this file".into(),
            }),
        }
    }
    problems
}

fn read_jwks(path: &Path) -> Result<Vec<Value>, String> {
    let text = read(path).map_err(|error| error.to_string())?;
    let shown = path.display();
    let set: Value =
        serde_json::from_str(&text).map_err(|error| format!("`{shown}` is not JSON: {error}"))?;
    match set.get("keys") {
        Some(Value::Array(keys)) => Ok(keys.clone()),
        _ => Err(format!("`{shown}` is not a JWK set: it has no `keys` array")),
    }
}
