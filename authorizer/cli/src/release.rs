//! What a release puts behind this program: the function, in each build.
//!
//! `authorizer/cli/release/build` appends a zip to the program's file. So a release is one file that runs wherever it is
//! put, and neither a build of this crate nor a test waits for the builds of the function. A program that cargo built has
//! nothing behind it.

use std::env;
use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use authorizer_core::BUNDLE_FORMAT;
use authorizer_core::policy::document::POLICY_VERSION;
use clap::ValueEnum;
use miette::Diagnostic;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zip::ZipArchive;

use crate::package::{Build, HandOver};

/// The version of this program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The end of a zip without a comment: its first bytes, and its length (APPNOTE 4.3.16).
const END_OF_ZIP: &[u8] = b"PK\x05\x06";
const END_OF_ZIP_BYTES: i64 = 22;

/// The file in the zip that says what it is.
const ABOUT: &str = "release.json";

/// The largest file that is read out of it.
const MAX_BYTES: u64 = 100_000_000;

/// A release: its version and its sources.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub(crate) struct About {
    /// The version of `authorizer`.
    pub(crate) version: String,
    /// The commit of the sources, or `unknown`.
    pub(crate) commit: String,
    /// The compiler that built it.
    pub(crate) rust: String,
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, commit {}", self.version, self.commit)
    }
}

/// The release that this program is.
#[derive(Debug)]
pub(crate) struct Release {
    about: About,
    zip: ZipArchive<BufReader<File>>,
}

/// Why the function that is in this program cannot be used.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum ReleaseError {
    /// The file of the program cannot be read.
    #[error("the file of this program cannot be read, and the function is in it: {0}")]
    #[diagnostic(help("name a build of your own with `--bootstrap`; in a chroot, mount /proc"))]
    Unreadable(#[source] io::Error),
    /// What is in it is not whole.
    #[error("the function that is in this program is damaged: {0}")]
    #[diagnostic(help("take the program out of the archive of the release again, and compare its SHA-256"))]
    Damaged(String),
}

impl From<zip::result::ZipError> for ReleaseError {
    fn from(error: zip::result::ZipError) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl Release {
    /// What is behind this program. `None` if it is not a release.
    pub(crate) fn of_this_program() -> Result<Option<Self>, ReleaseError> {
        let path = env::current_exe().map_err(ReleaseError::Unreadable)?;
        let mut program = File::open(path).map_err(ReleaseError::Unreadable)?;
        match has_zip_behind(&mut program).map_err(ReleaseError::Unreadable)? {
            true => Self::read(program).map(Some),
            false => Ok(None),
        }
    }

    fn read(program: File) -> Result<Self, ReleaseError> {
        let mut zip = ZipArchive::new(BufReader::new(program))?;
        let about: About = serde_json::from_slice(&file_of(&mut zip, ABOUT)?)
            .map_err(|error| ReleaseError::Damaged(error.to_string()))?;
        match about.version == VERSION {
            true => Ok(Self { about, zip }),
            false => Err(ReleaseError::Damaged(format!("it is of version {}", about.version))),
        }
    }

    /// Its version and its sources.
    pub(crate) fn about(&self) -> &About {
        &self.about
    }

    /// The function.
    pub(crate) fn function(&mut self, build: Build, hand_over: HandOver) -> Result<Vec<u8>, ReleaseError> {
        file_of(&mut self.zip, &format!("{}/{}", build.name(), hand_over.binary_name()))
    }
}

/// Whether a file ends as a zip does.
fn has_zip_behind(program: &mut (impl Read + Seek)) -> io::Result<bool> {
    let length = program.seek(SeekFrom::End(0))?;
    if length < END_OF_ZIP_BYTES.unsigned_abs() {
        return Ok(false);
    }
    program.seek(SeekFrom::End(END_OF_ZIP_BYTES.saturating_neg()))?;
    let mut first = [0; END_OF_ZIP.len()];
    program.read_exact(&mut first)?;
    program.rewind()?;
    Ok(first == END_OF_ZIP)
}

/// A file of the zip, whose checksum is looked at.
fn file_of(zip: &mut ZipArchive<BufReader<File>>, name: &str) -> Result<Vec<u8>, ReleaseError> {
    let mut bytes = Vec::new();
    let file = zip.by_name(name).map_err(|error| ReleaseError::Damaged(format!("`{name}`: {error}")))?;
    let read = file.take(MAX_BYTES).read_to_end(&mut bytes);
    read.map_err(|error| ReleaseError::Damaged(format!("`{name}`: {error}")))?;
    Ok(bytes)
}

/// What `authorizer --version` says.
pub(crate) fn long_version() -> &'static str {
    let release = Release::of_this_program();
    let (commit, function) = match &release {
        Ok(Some(release)) => {
            let builds: Vec<&str> = Build::value_variants().iter().map(|build| build.name()).collect();
            (release.about.commit.as_str(), format!("inside, {}", builds.join(" and ")))
        }
        Ok(None) => ("unknown", "not inside: this program is not a release".to_owned()),
        Err(error) => ("unknown", error.to_string()),
    };
    let mut text = VERSION.to_owned();
    for (name, value) in [
        ("commit", commit),
        ("bundle format", &BUNDLE_FORMAT.to_string()),
        ("policy version", &POLICY_VERSION.to_string()),
        ("function", &function),
    ] {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n{name:<16}{value}");
    }
    // clap takes nothing else, and the program ends after it.
    text.leak()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn only_what_ends_as_a_zip_has_something_behind_it() {
        let end = [END_OF_ZIP, &[0; 18]].concat();
        for (bytes, behind) in [
            (Vec::new(), false),
            (b"PK\x05\x06".to_vec(), false),
            (vec![0; 100], false),
            (end.clone(), true),
            ([b"\x7fELF".as_slice(), &end].concat(), true),
            ([end.as_slice(), b"\0"].concat(), false),
        ] {
            assert_eq!(has_zip_behind(&mut Cursor::new(&bytes)).unwrap(), behind, "{bytes:?}");
        }
    }
}
