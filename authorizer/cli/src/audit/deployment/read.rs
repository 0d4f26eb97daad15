//! The folder of an export, and the package that was reviewed.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read as _};
use std::path::Path;

use authorizer_findings::deployment::{AcceptedFindings, Export};
use authorizer_policy::{FileKind, TomlFile};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use walkdir::WalkDir;
use zip::ZipArchive;
use zip::result::ZipError;

use super::error::DeploymentError;
use crate::input::read_limited;

/// Far more than the AWS CLI prints about one deployment.
const MAX_FILE_BYTES: usize = 16 * 1024 * 1024;

/// More files than a distribution has origins, behaviors and policies.
const MAX_FILES: usize = 2_000;

/// The limit of CloudFront for a viewer-request function ("Quotas on Lambda@Edge", CloudFront Developer Guide).
const MAX_ZIP_BYTES: usize = 50_000_000;

/// Larger than any bundle that a function accepts.
const MAX_BUNDLE_BYTES: u64 = 50_000_000;

/// Reads the files of an export: those in the folder, and those one folder below.
pub(in crate::audit) fn export(folder: &Path) -> miette::Result<Export> {
    let mut files = BTreeMap::new();
    for entry in WalkDir::new(folder).max_depth(2).sort_by_file_name() {
        // The error of the folder's reader names the file too.
        let unreadable = |error: walkdir::Error| DeploymentError::Unreadable {
            path: error.path().unwrap_or(folder).to_owned(),
            source: error.into_io_error().unwrap_or_else(|| io::Error::other("its links form a circle")),
        };
        let entry = entry.map_err(unreadable)?;
        let is_json = entry.path().extension().is_some_and(|extension| extension == "json");
        if !entry.file_type().is_file() || !is_json {
            continue;
        }
        if files.len() >= MAX_FILES {
            let (path, limit) = (folder.to_owned(), MAX_FILES);
            return Err(DeploymentError::TooMany { path, limit }.into());
        }
        let Ok(below) = entry.path().strip_prefix(folder) else { continue };
        let steps: Vec<_> = below.iter().map(|step| step.to_string_lossy()).collect();
        files.insert(steps.join("/"), read_limited(entry.path(), MAX_FILE_BYTES)?);
    }
    Ok(Export::new(files))
}

/// Reads the accepted findings.
pub(super) fn accepted(path: &Path) -> miette::Result<AcceptedFindings> {
    Ok(AcceptedFindings::of_file(&TomlFile::load(FileKind::Accepted, path)?)?)
}

/// What of a package is compared with the deployment.
pub(in crate::audit) struct Package {
    /// Of the whole zip, in base64, as Lambda's `CodeSha256` has it.
    pub(in crate::audit) code_sha256: String,
    /// Its `bundle.json`.
    pub(in crate::audit) bundle: Vec<u8>,
}

/// Reads a package.
pub(in crate::audit) fn package(path: &Path) -> miette::Result<Package> {
    let bytes = read_limited(path, MAX_ZIP_BYTES)?;
    let no_package = |message: String| DeploymentError::NoPackage { path: path.to_owned(), message };
    let bundle = bundle_of(&bytes).map_err(|error| no_package(error.to_string()))?;
    Ok(Package { code_sha256: STANDARD.encode(digest(&SHA256, &bytes)), bundle })
}

fn bundle_of(bytes: &[u8]) -> Result<Vec<u8>, ZipError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))?;
    let mut bundle = Vec::new();
    archive.by_name("bundle.json")?.take(MAX_BUNDLE_BYTES).read_to_end(&mut bundle)?;
    Ok(bundle)
}
