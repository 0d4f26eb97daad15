//! `authorizer package`: the zip that Lambda@Edge runs.
//!
//! The same binary, policy and keys give the same bytes. So a reviewer can make the zip, and compare its SHA-256 with
//! the one that Lambda shows.

mod archive;
mod binary;
mod report;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use authorizer_core::BuiltWith;
use authorizer_core::token::Issuer;
use authorizer_policy::PolicyFile;
use miette::Diagnostic;
use thiserror::Error;

use crate::output::{Exit, Format, note};
use crate::policy::warn;
use crate::save;

use archive::{Archive, Entry};
use binary::BinaryError;
use report::Report;

/// The files that start `bootstrap` under the two runtimes of Lambda@Edge.
const NODE_SHIM: &str = include_str!("../../edge/shims/index.mjs");
const PYTHON_SHIM: &str = include_str!("../../edge/shims/index.py");

/// The limit of Lambda for unpacked files ("Lambda quotas", Lambda Developer Guide).
const MAX_UNPACKED_BYTES: u64 = 250_000_000;

/// The limit of CloudFront for a viewer-request function ("Quotas on Lambda@Edge", CloudFront Developer Guide).
const MAX_ZIP_BYTES: usize = 50_000_000;

/// Larger than any package of this project. A zip of this size contains something that it should not, such as debugging
/// information, and every start of the function takes longer.
const LARGE_ZIP_BYTES: usize = 1_500_000;

/// Make the zip to deploy: the function, the files that start it, and the policy with its keys.
///
/// The same binary, policy and keys give the same bytes on every machine. Prints the SHA-256 to compare with what is
/// deployed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  authorizer package --policy policy.toml --bootstrap \"$(authorizer/edge/build)\"")]
pub(crate) struct Args {
    /// Policy file (TOML).
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Binary of the function, as `authorizer/edge/build` makes it.
    #[arg(long, value_name = "PATH")]
    bootstrap: PathBuf,
    /// File for the zip.
    #[arg(long, value_name = "PATH", default_value = "dist/authorizer.zip")]
    out: PathBuf,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Why a package cannot be made.
#[derive(Debug, Diagnostic, Error)]
enum PackageError {
    /// The binary cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    #[diagnostic(help("`authorizer/edge/build` makes the function's binary, and prints its path"))]
    BinaryUnreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Lambda cannot run the binary.
    #[error("`{path}` {source}")]
    #[diagnostic(help("`authorizer/edge/build` makes a binary that Lambda can run, and prints its path"))]
    Binary {
        /// The file.
        path: PathBuf,
        /// Why.
        source: BinaryError,
    },
    /// The binary does not start with this policy.
    #[error("the policy has a `url` to fetch keys from, but `{path}` was built without `remote-keys`")]
    #[diagnostic(help(
        "build it with `authorizer/edge/build`, without `--bundled-keys-only`; or remove the `url` and name a key \
         `file` only"
    ))]
    NoRemoteKeys {
        /// The file.
        path: PathBuf,
    },
    /// The binary might not start with this policy.
    #[error("the policy has a `url` to fetch keys from, but `{path}` does not say whether it can fetch keys")]
    #[diagnostic(help("build it with `authorizer/edge/build`, from the same version as this program"))]
    Unmarked {
        /// The file.
        path: PathBuf,
    },
    /// More than Lambda unpacks.
    #[error("`{path}` is larger than the 250 MB that Lambda unpacks")]
    #[diagnostic(help("`authorizer/edge/build` makes a binary without debugging information"))]
    BinaryTooLarge {
        /// The file.
        path: PathBuf,
    },
    /// More than CloudFront accepts.
    #[error("the zip has {bytes} bytes, but CloudFront accepts at most 50 MB")]
    #[diagnostic(help("`authorizer/edge/build` makes a binary of about two megabytes; use that one"))]
    ZipTooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The zip cannot be made.
    #[error("the zip cannot be made: {0}")]
    Zip(#[source] zip::result::ZipError),
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    let file = PolicyFile::load(&args.policy)?;
    warn(&file);
    let bootstrap = read_binary(&args.bootstrap)?;
    if asks_for_keys(&file) {
        match binary::built_with(&bootstrap) {
            Some(BuiltWith { remote_keys: true }) => {}
            Some(BuiltWith { remote_keys: false }) => {
                return Err(PackageError::NoRemoteKeys { path: args.bootstrap.clone() }.into());
            }
            None => return Err(PackageError::Unmarked { path: args.bootstrap.clone() }.into()),
        }
    }
    let archive = Archive::write(&[
        Entry { name: "bootstrap", mode: 0o755, bytes: &bootstrap },
        Entry { name: "index.mjs", mode: 0o644, bytes: NODE_SHIM.as_bytes() },
        Entry { name: "index.py", mode: 0o644, bytes: PYTHON_SHIM.as_bytes() },
        Entry { name: "bundle.json", mode: 0o644, bytes: file.bundle_json() },
    ])
    .map_err(PackageError::Zip)?;
    let bytes = archive.bytes().len();
    let size = Size::of_zip(bytes)?;
    match file.bundle().policy().issuers().iter().any(Issuer::has_secret) {
        true => save::replace_private(&args.out, archive.bytes())?,
        false => save::replace(&args.out, archive.bytes())?,
    }
    if size == Size::Large {
        note(format_args!(
            "warning: the zip has {bytes} bytes, and with more than 1.5 MB the function starts slowly; check that \
             `{}` is the binary that `authorizer/edge/build` made",
            args.bootstrap.display()
        ));
    }
    Report::new(&args.out, &archive, file.bundle().sha256()).print(args.format)?;
    Ok(Exit::Held)
}

fn asks_for_keys(file: &PolicyFile) -> bool {
    file.bundle().policy().issuers().iter().any(|issuer| issuer.remote_keys().is_some())
}

/// The size of a zip, compared with what is usual.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Size {
    Usual,
    Large,
}

impl Size {
    fn of_zip(bytes: usize) -> Result<Self, PackageError> {
        if bytes > MAX_ZIP_BYTES {
            Err(PackageError::ZipTooLarge { bytes })
        } else if bytes > LARGE_ZIP_BYTES {
            Ok(Self::Large)
        } else {
            Ok(Self::Usual)
        }
    }
}

fn read_binary(path: &Path) -> Result<Vec<u8>, PackageError> {
    let unreadable = |source| PackageError::BinaryUnreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_UNPACKED_BYTES.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_UNPACKED_BYTES) {
        return Err(PackageError::BinaryTooLarge { path: path.to_owned() });
    }
    binary::check(&bytes).map_err(|source| PackageError::Binary { path: path.to_owned(), source })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_zip_is_remarked_on_and_one_that_cloudfront_does_not_take_is_refused() {
        for (bytes, size) in [
            (0, Some(Size::Usual)),
            (1_500_000, Some(Size::Usual)),
            (1_500_001, Some(Size::Large)),
            (50_000_000, Some(Size::Large)),
            (50_000_001, None),
        ] {
            assert_eq!(Size::of_zip(bytes).ok(), size, "{bytes}");
        }
    }
}
