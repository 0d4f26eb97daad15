//! `authorizer audit deployment`: checks what is deployed against the reviewed policy and package.

mod error;
pub(super) mod read;

use std::path::PathBuf;

use authorizer_core::record::sha256_hex;
use authorizer_findings::deployment::{Reviewed, findings};
use authorizer_findings::report::{LookedAt, Report};
use authorizer_policy::PolicyFile;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub(super) use self::error::DeploymentError;
use super::docs::DocsArgs;
use super::findings::{FailOn, Format, write};
use crate::output::{Exit, note};
use crate::policy::for_review;

/// Find every way around the authorizer that a deployment leaves open.
///
/// EXPORT_DIR is the folder that `infra/export DISTRIBUTION_ID EXPORT_DIR` wrote. It contains the configuration of the
/// distribution and of the resources around it, as the AWS CLI prints them. The command checks the configuration
/// against the policy, and the deployed code against the reviewed package. What the export does not contain is a
/// finding too. The command does not use the network.
///
/// Exits 1 when there is a finding at or above `--fail-on` that is not accepted. Exits 2 when a question about path patterns
/// was not decided (EA258), unless that is accepted or with `--fail-on never`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  authorizer audit deployment export --policy policy.toml --package dist/authorizer.zip")]
pub(crate) struct Args {
    /// Folder that `infra/export` wrote.
    #[arg(value_name = "EXPORT_DIR")]
    export: PathBuf,
    /// Reviewed policy (TOML).
    #[arg(long, value_name = "POLICY")]
    policy: PathBuf,
    /// Reviewed package, as `authorizer package` made it.
    #[arg(long, value_name = "ZIP")]
    package: Option<PathBuf>,
    /// SHA-256 of the reviewed package in base64, instead of the package itself. The policy in the deployed code is
    /// then not checked.
    #[arg(long, value_name = "HASH", value_parser = code_sha256, conflicts_with = "package")]
    code_sha256: Option<String>,
    /// File (TOML) with the findings that are accepted: `[[accepted]]` with `finding`, `severity`, `file`, `message`,
    /// `seen` and `reason`, as the JSON report has them. `seen` is the digest of what the finding is about, such as the
    /// statement of a policy: if that changes, the entry accepts nothing.
    #[arg(long, value_name = "FILE")]
    accepted: Option<PathBuf>,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Lowest severity that makes the exit status 1.
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    fail_on: FailOn,
    #[command(flatten)]
    docs: DocsArgs,
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    // A package has the secrets, and is compared with the policy byte for byte.
    let policy = match &args.package {
        Some(_) => PolicyFile::load(&args.policy)?,
        None => for_review(&args.policy)?,
    };
    let package = args.package.as_deref().map(read::package).transpose()?;
    let (code_sha256, packaged_bundle) = match package {
        Some(package) => (Some(package.code_sha256), Some(sha256_hex(&package.bundle))),
        None => (args.code_sha256.clone(), None),
    };
    let accepted = args.accepted.as_deref().map(read::accepted).transpose()?;
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
    for entry in accepted.iter().flat_map(|accepted| accepted.unused(&findings)) {
        let (line, entry) = (entry.line, &entry.document);
        let (id, file) = (entry.finding.escape_debug(), entry.file.escape_debug());
        note(format_args!(
            "line {line} of the accepted findings: {id} in `{file}` is not found any more, or not as it was; compare it with the JSON report"
        ));
    }
    let report =
        Report::of_deployment(&looked_at, &export, accepted.as_ref(), findings).with_docs(args.docs.get());
    write(&report, args.format)?;
    Ok(args.fail_on.exit(&report))
}

/// Parses a SHA-256 in base64, in its only spelling.
fn code_sha256(text: &str) -> Result<String, String> {
    match STANDARD.decode(text) {
        Ok(bytes) if bytes.len() == 32 => Ok(text.to_owned()),
        _ => {
            Err("this is not a SHA-256 in base64; use the CodeSha256 that `authorizer package` prints"
                .to_owned())
        }
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
