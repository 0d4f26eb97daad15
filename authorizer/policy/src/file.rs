//! A TOML file that a person wrote, and the places in it.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use authorizer_core::MAX_BUNDLE_BYTES;
use authorizer_core::policy::document::PolicyDocument;
use authorizer_core::policy::{Policy, PolicyProblem};
use miette::NamedSource;
use serde::de::DeserializeOwned;

use crate::error::{FileKind, PolicyFileError};
use crate::place::Places;
use crate::warning::{PolicyWarning, key_warnings, warnings};

/// A file with the right fields and types. Other code checks the values; its problems are shown at their places.
#[derive(Debug)]
pub struct TomlFile<T> {
    kind: FileKind,
    pub(crate) text: String,
    source: NamedSource<String>,
    pub(crate) document: T,
}

impl<T: DeserializeOwned> TomlFile<T> {
    /// Reads a file, or standard input, which is `-`.
    ///
    /// # Errors
    /// [`PolicyFileError`] when it cannot be read, is not TOML, or has an unknown field or a wrong type.
    pub fn load(kind: FileKind, path: &Path) -> Result<Self, PolicyFileError> {
        let text = read(kind, path)?;
        let source = NamedSource::new(path.display().to_string(), text.clone()).with_language("TOML");
        let document = toml::from_str(&text).map_err(|error| {
            PolicyFileError::syntax(kind, source.clone(), &text, error.message(), error.span())
        })?;
        Ok(Self { kind, text, source, document })
    }
}

impl<T> TomlFile<T> {
    /// The document in the file.
    pub fn document(&self) -> &T {
        &self.document
    }

    /// The file as it is written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The positions of all places in the file.
    pub fn places(&self) -> Places<'_> {
        Places::of(&self.text)
    }

    /// The error for these problems, each at its place.
    pub fn problems(&self, problems: Vec<PolicyProblem>) -> PolicyFileError {
        PolicyFileError::problems(self.kind, &self.source, &self.text, problems)
    }
}

impl TomlFile<PolicyDocument> {
    pub(crate) fn warnings(&self) -> Vec<PolicyWarning> {
        warnings(&self.document, &self.source, &self.text)
    }

    /// The warnings about keys, once their files are read.
    pub(crate) fn key_warnings(&self, policy: &Policy) -> Vec<PolicyWarning> {
        key_warnings(policy, &self.source, &self.text)
    }
}

pub(crate) fn read(kind: FileKind, path: &Path) -> Result<String, PolicyFileError> {
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::IsADirectory => PolicyFileError::Folder { kind, path: path.to_owned() },
        _ => PolicyFileError::Unreadable { kind, path: path.to_owned(), source },
    };
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_BUNDLE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let read = match path == Path::new("-") {
        true => io::stdin().take(limit).read_to_end(&mut bytes),
        false => fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)),
    };
    read.map_err(unreadable)?;
    if bytes.len() > MAX_BUNDLE_BYTES {
        return Err(PolicyFileError::TooLarge { path: path.to_owned() });
    }
    String::from_utf8(bytes).map_err(|_| PolicyFileError::NotUtf8 { path: path.to_owned() })
}
