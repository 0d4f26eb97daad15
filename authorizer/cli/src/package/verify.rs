//! `authorizer package --verify`: whether a zip's function is that of this release.
//!
//! A package is the same bytes wherever it is made. So the answer rests on the bytes of the whole zip, and no way of writing
//! a zip can hide a file from it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};

use authorizer_core::record::sha256_hex;
use authorizer_core::{Bundle, MAX_BUNDLE_BYTES};
use clap::ValueEnum as _;
use miette::Diagnostic;
use schemars::JsonSchema;
use serde::Serialize;
use thiserror::Error;
use zip::ZipArchive;
use zip::result::ZipError;

use super::archive::Archive;
use super::{Build, HandOver, MAX_UNPACKED_BYTES, MAX_ZIP_BYTES, PackageError};
use crate::input::read_limited;
use crate::output::{Exit, Format, OutputError, line};
use crate::release::{About, Release};

/// The name of the policy in a package.
const BUNDLE: &str = "bundle.json";

/// Why nothing can be said of a zip.
#[derive(Debug, Diagnostic, Error)]
enum VerifyError {
    /// There is nothing in it.
    #[error("`{path}` is empty")]
    #[diagnostic(help(
        "download or copy it again; name the zip that `authorizer package` made, or that Lambda has"
    ))]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// It does not start as a zip does, or has no end.
    #[error("`{path}` is not a zip, or not a whole one")]
    #[diagnostic(help(
        "download or copy it again; name the zip that `authorizer package` made, or that Lambda has"
    ))]
    NotZip {
        /// The file.
        path: PathBuf,
    },
    /// A file in it cannot be read.
    #[error("`{path}` is a damaged zip: {source}")]
    #[diagnostic(help(
        "download or copy it again; name the zip that `authorizer package` made, or that Lambda has"
    ))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ZipError,
    },
    /// It unpacks to more than Lambda takes.
    #[error("`{path}` unpacks to more than the 250 MB that Lambda takes")]
    #[diagnostic(help("name the zip that `authorizer package` made, or that Lambda has"))]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
}

/// What `package --verify --format json` says of a zip.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(title = "`authorizer package --verify --format json`")]
pub(crate) struct Verdict<'v> {
    /// The version of this format.
    #[schemars(extend("const" = 1))]
    version: u32,
    /// The package, as it was named.
    package: Cow<'v, str>,
    /// Its SHA-256, in hexadecimal.
    sha256: String,
    /// The release that it was compared with.
    release: &'v About,
    /// Whether it is, byte for byte, what this release makes of the bundle in it.
    is_of_release: bool,
    /// How the managed runtime hands the work to the function, by the name of its binary.
    hand_over: HandOver,
    /// The build of this release that its binary is. Left out if it is none of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    build: Option<Build>,
    /// The SHA-256 of the bundle, in hexadecimal. Left out if this release cannot use the bundle.
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle_sha256: Option<String>,
    /// The files in it, and those that are missing.
    entries: Vec<Compared>,
}

/// A file of a zip.
#[derive(Debug, JsonSchema, Serialize)]
struct Compared {
    /// Its name.
    name: String,
    /// What it is.
    is: Likeness,
}

/// A file, beside that of this release.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Likeness {
    /// The file of this release, or a bundle that it can use.
    OfRelease,
    /// Another file of this name.
    Other,
    /// It is not in the zip.
    Missing,
    /// No file of this name belongs there.
    Unknown,
}

impl Likeness {
    fn words(self) -> &'static str {
        match self {
            Self::OfRelease => "as in this release",
            Self::Other => "another file than in this release",
            Self::Missing => "missing",
            Self::Unknown => "does not belong there",
        }
    }
}

pub(super) fn run(path: &Path, format: Format) -> miette::Result<Exit> {
    let bytes = read_limited(path, MAX_ZIP_BYTES)?;
    let files = unpack(path, &bytes)?;
    let hand_over = match files.contains_key(HandOver::Library.binary_name()) {
        true => HandOver::Library,
        false => HandOver::Exec,
    };
    let mut release = Release::of_this_program()?.ok_or_else(|| hand_over.no_function(Build::Small))?;
    let mut build = None;
    let mut function = Vec::new();
    for one in Build::value_variants() {
        let binary = release.function(*one, hand_over)?;
        if files.get(hand_over.binary_name()) == Some(&binary) {
            build = Some(*one);
            function = binary;
        }
    }
    let empty = Vec::new();
    let bundle_json = files.get(BUNDLE).unwrap_or(&empty);
    let bundle = Some(bundle_json).filter(|json| json.len() <= MAX_BUNDLE_BYTES);
    let bundle = bundle.and_then(|json| Bundle::read(json).ok());
    let belonging = hand_over.entries(&function, bundle_json);
    let of = |name: &str, bytes: &[u8]| match files.get(name) {
        None => Likeness::Missing,
        Some(_) if name == hand_over.binary_name() && build.is_none() => Likeness::Other,
        Some(_) if name == BUNDLE && bundle.is_none() => Likeness::Other,
        Some(found) if found == bytes => Likeness::OfRelease,
        Some(_) => Likeness::Other,
    };
    let compared = belonging
        .iter()
        .map(|entry| Compared { name: entry.name.to_owned(), is: of(entry.name, entry.bytes) });
    let is_known = |name: &String| belonging.iter().any(|entry| entry.name == *name);
    let unknown = files.keys().filter(|name| !is_known(name));
    let unknown = unknown.map(|name| Compared { name: name.clone(), is: Likeness::Unknown });
    let entries: Vec<_> = compared.chain(unknown).collect();
    let is_alike = entries.iter().all(|entry| entry.is == Likeness::OfRelease);
    let is_of_release =
        is_alike && Archive::write(&belonging).map_err(PackageError::Zip)?.bytes() == bytes.as_slice();
    let verdict = Verdict {
        version: 1,
        package: path.to_string_lossy(),
        sha256: sha256_hex(&bytes),
        release: release.about(),
        is_of_release,
        hand_over,
        build,
        bundle_sha256: bundle.map(|bundle| bundle.sha256().to_owned()),
        entries,
    };
    verdict.print(format)?;
    Ok(if is_of_release { Exit::Held } else { Exit::Findings })
}

/// The files of a zip, by their names.
fn unpack(path: &Path, bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, VerifyError> {
    let unreadable = |source| VerifyError::Unreadable { path: path.to_owned(), source };
    if bytes.is_empty() {
        return Err(VerifyError::Empty { path: path.to_owned() });
    }
    let mut zip =
        ZipArchive::new(Cursor::new(bytes)).map_err(|_| VerifyError::NotZip { path: path.to_owned() })?;
    let mut left = MAX_UNPACKED_BYTES;
    let mut files = BTreeMap::new();
    for index in 0..zip.len() {
        let file = zip.by_index(index).map_err(unreadable)?;
        let name = file.name().map_err(unreadable)?.into_owned();
        let mut content = Vec::new();
        let read = file.take(left.saturating_add(1)).read_to_end(&mut content);
        let read = read.map_err(|error| unreadable(ZipError::Io(error)))?;
        left = u64::try_from(read)
            .ok()
            .and_then(|read| left.checked_sub(read))
            .ok_or_else(|| VerifyError::TooLarge { path: path.to_owned() })?;
        files.insert(name, content);
    }
    Ok(files)
}

impl Verdict<'_> {
    fn print(&self, format: Format) -> Result<(), OutputError> {
        if format == Format::Json {
            return line(serde_json::json!(self));
        }
        let is_alike = self.entries.iter().all(|entry| entry.is == Likeness::OfRelease);
        let said = match (self.is_of_release, is_alike) {
            (true, _) => "is what this release makes",
            (false, true) => "has the files of this release, but was not packed by it",
            (false, false) => "is not what this release makes",
        };
        line(format_args!("{} {said}", self.package))?;
        line(format_args!("  sha256       {}", self.sha256))?;
        line(format_args!("  release      {}", self.release))?;
        line(format_args!(
            "  function     {}, {}",
            self.build.map_or("another", Build::name),
            self.hand_over.name()
        ))?;
        line(format_args!(
            "  bundle       {}",
            match &self.bundle_sha256 {
                Some(sha256) => format!("sha256 {sha256}"),
                None => "none that this release can use".to_owned(),
            }
        ))?;
        for entry in &self.entries {
            line(format_args!("  {:<12} {}", entry.name, entry.is.words()))?;
        }
        Ok(())
    }
}
