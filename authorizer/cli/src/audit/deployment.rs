//! `authorizer audit deployment`: what is deployed, held against the policy and the package that were reviewed.

mod read;

use std::path::PathBuf;

use authorizer_findings::deployment::{ExportError, Reviewed, findings};
use authorizer_findings::report::{LookedAt, Report};
use authorizer_policy::PolicyFile;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use miette::Diagnostic;
use thiserror::Error;

use super::findings::{FailOn, Format, write};
use crate::output::Exit;

/// Find every way past the authorizer that a deployment leaves open.
///
/// EXPORT_DIR is what `infra/export DISTRIBUTION_ID EXPORT_DIR` wrote: the distribution's configuration and what is
/// around it, as the AWS CLI says it. It is held against the policy, and the code that is deployed against the package
/// that was reviewed. What the export does not say is a finding too. Nothing is asked of the network.
///
/// Exits 1 when there is a finding at or above `--fail-on`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  authorizer audit deployment export --policy policy.toml --package dist/authorizer.zip")]
pub(crate) struct Args {
    /// The folder that `infra/export` wrote.
    #[arg(value_name = "EXPORT_DIR")]
    export: PathBuf,
    /// The policy that was reviewed.
    #[arg(long, value_name = "POLICY")]
    policy: PathBuf,
    /// The package that was reviewed, as `authorizer package` made it.
    #[arg(long, value_name = "ZIP")]
    package: Option<PathBuf>,
    /// The SHA-256 of the package that was reviewed, in base64, in the place of the package itself. The policy in the
    /// code is not looked at then.
    #[arg(long, value_name = "HASH", value_parser = code_sha256, conflicts_with = "package")]
    code_sha256: Option<String>,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The least severity that makes the exit 1.
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    fail_on: FailOn,
}

/// Why a deployment cannot be audited.
#[derive(Debug, Diagnostic, Error)]
enum DeploymentError {
    /// The folder cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    #[diagnostic(help("name the folder that `infra/export DISTRIBUTION_ID FOLDER` wrote"))]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: walkdir::Error,
    },
    /// More files than an export has.
    #[error("`{path}` holds more than {limit} files")]
    #[diagnostic(help("name the folder that `infra/export DISTRIBUTION_ID FOLDER` wrote, and nothing else"))]
    TooMany {
        /// The folder.
        path: PathBuf,
        /// What it may hold.
        limit: usize,
    },
    /// No export.
    #[error("`{path}` cannot be audited: {source}")]
    #[diagnostic(help("name the folder that `infra/export DISTRIBUTION_ID FOLDER` wrote"))]
    NoExport {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: ExportError,
    },
    /// No package.
    #[error("`{path}` is no package: {message}")]
    #[diagnostic(help("name the zip that `authorizer package` made, or its hash with `--code-sha256`"))]
    NoPackage {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    let policy = PolicyFile::load(&args.policy)?;
    let package = args.package.as_deref().map(read::package).transpose()?;
    let (code_sha256, packaged_bundle) = match package {
        Some(package) => (Some(package.code_sha256), Some(package.bundle_sha256)),
        None => (args.code_sha256.clone(), None),
    };
    let export = read::export(&args.export)?;
    let reviewed =
        Reviewed { policy: policy.document(), bundle: policy.bundle(), code_sha256, packaged_bundle };
    let findings = findings(&export, &reviewed)
        .map_err(|source| DeploymentError::NoExport { path: args.export.clone(), source })?;
    let looked_at = LookedAt {
        export: &args.export,
        policy: &args.policy,
        package: args.package.as_deref(),
        code_sha256: reviewed.code_sha256.as_deref(),
    };
    let report = Report::of_deployment(&looked_at, &export, findings);
    write(&report, args.format)?;
    Ok(args.fail_on.exit(&report))
}

/// A SHA-256 in base64, in its one spelling.
fn code_sha256(text: &str) -> Result<String, String> {
    match STANDARD.decode(text) {
        Ok(bytes) if bytes.len() == 32 => Ok(text.to_owned()),
        _ => Err("is no SHA-256 in base64, as `authorizer package` prints it for CodeSha256".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_taken_as_lambda_writes_it_and_no_other_way() {
        assert!(code_sha256("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=").is_ok());
        for text in [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
            "",
        ] {
            assert!(code_sha256(text).is_err(), "{text}");
        }
    }
}
