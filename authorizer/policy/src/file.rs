//! A TOML file that a person wrote, and the places in it.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use authorizer_core::MAX_BUNDLE_BYTES;
use authorizer_core::policy::document::PolicyDocument;
use authorizer_core::policy::{Place, Policy, PolicyProblem};
use miette::NamedSource;
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue, Deserializer};

use crate::error::{FileKind, PolicyFileError};
use crate::form::{self, Mistake};
use crate::keys::NotHere;
use crate::place::Places;
use crate::warning::{PolicyWarning, key_warnings, not_here, warnings};

/// A file with the right fields and types. Other code checks the values; its problems are shown at their places.
#[derive(Debug)]
pub struct TomlFile<T> {
    kind: FileKind,
    pub(crate) text: String,
    pub(crate) source: NamedSource<String>,
    pub(crate) document: T,
}

impl<T: DeserializeOwned> TomlFile<T> {
    /// Reads a file, or standard input, which is `-`.
    ///
    /// # Errors
    /// [`PolicyFileError`] when it cannot be read, is not TOML, or has an unknown field or a wrong type: with every
    /// mistake of that kind.
    pub fn load(kind: FileKind, path: &Path) -> Result<Self, PolicyFileError> {
        let (file, mistakes) = Self::read(kind, path)?;
        match mistakes.is_empty() {
            true => Ok(file),
            false => Err(file.mistakes(mistakes, Vec::new())),
        }
    }

    /// Reads a file, with the mistakes in its form. If there are some, the document is what is left without them.
    pub(crate) fn read(kind: FileKind, path: &Path) -> Result<(Self, Vec<Mistake>), PolicyFileError> {
        let text = read(kind, path)?;
        let source = NamedSource::new(path.display().to_string(), text.clone()).with_language("TOML");
        let parsed = {
            let (mut table, errors) = DeTable::parse_recoverable(&text);
            // What a newer version means by its fields is not known here.
            if let Some(version) = newer_version(kind, table.get_ref()).filter(|_| errors.is_empty()) {
                let problem = of_newer_version(version);
                return Err(PolicyFileError::of(kind, &source, &text, Vec::new(), vec![problem]));
            }
            match errors.is_empty() {
                true => {
                    let mistakes = form::check(kind, &text, &mut table);
                    T::deserialize(Deserializer::from(table))
                        .map(|document| (document, mistakes.clone()))
                        .map_err(|error| match mistakes.is_empty() {
                            // The form knows what every type takes, so this is not reached. Its words are not shown.
                            true => vec![Mistake::unknown(error.span())],
                            false => mistakes,
                        })
                }
                false => Err(form::with_syntax(kind, &text, &errors, &mut table)),
            }
        };
        match parsed {
            Ok((document, mistakes)) => Ok((Self { kind, text, source, document }, mistakes)),
            Err(mistakes) => Err(PolicyFileError::of(kind, &source, &text, mistakes, Vec::new())),
        }
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

    /// The error for the mistakes in the form of the file, and the problems with the rest.
    pub(crate) fn mistakes(
        &self,
        mut mistakes: Vec<Mistake>,
        problems: Vec<PolicyProblem>,
    ) -> PolicyFileError {
        let problems = form::apart_from(&mut mistakes, problems);
        PolicyFileError::of(self.kind, &self.source, &self.text, mistakes, problems)
    }

    /// The positions of all places in the file.
    pub fn places(&self) -> Places<'_> {
        Places::of(&self.text)
    }

    /// The error for these problems, each at its place.
    pub fn problems(&self, problems: Vec<PolicyProblem>) -> PolicyFileError {
        PolicyFileError::of(self.kind, &self.source, &self.text, Vec::new(), problems)
    }
}

impl TomlFile<PolicyDocument> {
    pub(crate) fn warnings(&self) -> Vec<PolicyWarning> {
        warnings(&self.document, &self.source, &self.text)
    }

    /// The one warning about files of secrets that are not there.
    pub(crate) fn not_here(&self, files: &[NotHere]) -> Vec<PolicyWarning> {
        not_here(files, &self.source, &self.text)
    }

    /// The warnings about keys, once their files are read.
    pub(crate) fn key_warnings(&self, policy: &Policy) -> Vec<PolicyWarning> {
        key_warnings(policy, &self.source, &self.text)
    }
}

/// The version of a file that only a newer release can read.
fn newer_version<'t>(kind: FileKind, table: &'t DeTable<'_>) -> Option<&'t str> {
    let DeValue::Integer(written) = table.get("version")?.get_ref() else { return None };
    let version = u64::from_str_radix(written.as_str(), written.radix()).ok()?;
    (version > u64::from(kind.version()?)).then_some(written.as_str())
}

fn of_newer_version(version: &str) -> PolicyProblem {
    PolicyProblem {
        place: Place::member("version"),
        message: format!("version `{version}` is not supported"),
        remedy: "it is of a newer release of `authorizer`: take that one (`authorizer --version` says what this one \
                 reads), or write `version = 1`"
            .to_owned(),
    }
}

/// Reads the file that a command names, or standard input, which is `-`.
fn read(kind: FileKind, path: &Path) -> Result<String, PolicyFileError> {
    match path == Path::new("-") {
        true => read_from(kind, path, Ok(Box::new(io::stdin()))),
        false => read_file(kind, path),
    }
}

/// Reads a file. A file that another one names is always a file, also with the name `-`.
pub(crate) fn read_file(kind: FileKind, path: &Path) -> Result<String, PolicyFileError> {
    read_from(kind, path, fs::File::open(path).map(|file| Box::new(file) as Box<dyn io::Read>))
}

fn read_from(
    kind: FileKind,
    path: &Path,
    from: io::Result<Box<dyn io::Read>>,
) -> Result<String, PolicyFileError> {
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::IsADirectory => PolicyFileError::Folder { kind, path: path.to_owned() },
        _ => PolicyFileError::Unreadable { kind, path: path.to_owned(), source },
    };
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_BUNDLE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    from.and_then(|from| from.take(limit).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() > MAX_BUNDLE_BYTES {
        return Err(PolicyFileError::TooLarge { path: path.to_owned() });
    }
    // The magic of a zip.
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(PolicyFileError::Zip { kind, path: path.to_owned() });
    }
    String::from_utf8(bytes).map_err(|_| PolicyFileError::NotUtf8 { path: path.to_owned() })
}
