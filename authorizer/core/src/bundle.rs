//! The bundle: a policy and its keys in one JSON file inside the zip.

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use thiserror::Error;

use crate::digest::sha256_hex;
use crate::policy::document::PolicyDocument;
use crate::policy::{Policy, PolicyProblem};

/// The format of bundles that this version writes and reads: the one so far.
pub const BUNDLE_FORMAT: u32 = 1;

/// The longest bundle that is read, in bytes. A policy of 10,000 rules has about two million.
pub const MAX_BUNDLE_BYTES: usize = 16 * 1024 * 1024;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct BundleFile<'b> {
    format: u32,
    /// The hash of the bytes of `policy` in this file. The function finds a cut, edited or damaged bundle when it
    /// starts. This is not a signature: whoever can change the file can change the hash too. The SHA-256 that
    /// Lambda keeps of the whole zip protects against them.
    policy_sha256: String,
    #[serde(borrow)]
    policy: &'b RawValue,
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

/// A bundle that was checked completely.
#[derive(Clone, Debug)]
pub struct Bundle {
    policy: Policy,
    sha256: String,
}

/// Why a bundle cannot be used.
#[derive(Debug, Error)]
pub enum BundleError {
    /// Longer than [`MAX_BUNDLE_BYTES`].
    #[error("the bundle is larger than 16 MiB")]
    TooLarge,
    /// Not the JSON of a bundle. It may be cut off.
    #[error("the bundle cannot be read: {0}")]
    Unreadable(#[source] serde_json::Error),
    /// Written for another version of this program.
    #[error("the bundle has format {0}, but this program reads format 1")]
    Format(u32),
    /// The policy is not the one that the bundle was written with.
    #[error("the policy in the bundle was changed after it was packaged")]
    Altered,
    /// The policy needs another build, one with the feature `code-flow`.
    #[error(
        "the policy signs people in itself (`[sign_in]` with `issuer`), but this binary was built without the code flow"
    )]
    CodeFlow,
    /// The policy is not valid.
    #[error("the policy in the bundle is not valid: {}", first(.0))]
    Policy(Vec<PolicyProblem>),
}

fn first(problems: &[PolicyProblem]) -> String {
    problems.first().map(ToString::to_string).unwrap_or_default()
}

impl Bundle {
    /// Writes the bundle of a policy whose JWK sets are inline. The same policy gives the same bytes.
    ///
    /// # Errors
    /// [`BundleError::Policy`] when the policy is not valid.
    pub fn write(document: &PolicyDocument) -> Result<Vec<u8>, BundleError> {
        Policy::compile(document).map_err(BundleError::Policy)?;
        let bytes = Self::bytes_of(document)?;
        if bytes.len() > MAX_BUNDLE_BYTES { Err(BundleError::TooLarge) } else { Ok(bytes) }
    }

    /// Writes the bundle of a policy, and reads it as the function does when it starts.
    ///
    /// # Errors
    /// [`BundleError`], as [`write`](Self::write) and [`read`](Self::read) have it. The policy is compiled only once.
    pub fn write_and_read(document: &PolicyDocument) -> Result<(Vec<u8>, Self), BundleError> {
        let bytes = Self::bytes_of(document)?;
        if bytes.len() > MAX_BUNDLE_BYTES {
            // What is wrong with the policy counts more.
            return Self::write(document).and(Err(BundleError::TooLarge));
        }
        let bundle = Self::read(&bytes)?;
        Ok((bytes, bundle))
    }

    fn bytes_of(document: &PolicyDocument) -> Result<Vec<u8>, BundleError> {
        let policy = to_raw_value(document).map_err(BundleError::Unreadable)?;
        let policy_sha256 = sha256_hex(policy.get().as_bytes());
        let file = BundleFile { format: BUNDLE_FORMAT, policy_sha256, policy: &policy };
        let mut bytes = serde_json::to_vec(&file).map_err(BundleError::Unreadable)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads a bundle, and compiles its policy.
    ///
    /// ```
    /// use authorizer_core::{Bundle, BundleError};
    ///
    /// let policy = serde_json::from_value(serde_json::json!({"version": 1, "rules": []}))?;
    /// let bytes = Bundle::write(&policy)?;
    /// assert!(Bundle::read(&bytes)?.policy().rules().is_empty());
    ///
    /// // Cut off, it is of no use.
    /// assert!(matches!(Bundle::read(&bytes[..20]), Err(BundleError::Unreadable(_))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`BundleError`]: a bundle that has one error is not used at all.
    pub fn read(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() > MAX_BUNDLE_BYTES {
            return Err(BundleError::TooLarge);
        }
        let file: BundleFile<'_> = match serde_json::from_slice(bytes) {
            Ok(file) => file,
            // Another format may have other fields, so only the format is read first.
            Err(error) => {
                return Err(match serde_json::from_slice(bytes) {
                    Ok(FormatOnly { format }) if format != BUNDLE_FORMAT => BundleError::Format(format),
                    Ok(_) | Err(_) => BundleError::Unreadable(error),
                });
            }
        };
        if file.format != BUNDLE_FORMAT {
            return Err(BundleError::Format(file.format));
        }
        if sha256_hex(file.policy.get().as_bytes()) != file.policy_sha256 {
            return Err(BundleError::Altered);
        }
        let document: PolicyDocument = match serde_json::from_str(file.policy.get()) {
            Ok(document) => document,
            // The words of serde for this say nothing. No string of JSON contains such quotes.
            #[cfg(not(feature = "code-flow"))]
            Err(_) if file.policy.get().contains("\"authorization_endpoint\":") => {
                return Err(BundleError::CodeFlow);
            }
            Err(error) => return Err(BundleError::Unreadable(error)),
        };
        let policy = Policy::compile(&document).map_err(BundleError::Policy)?;
        Ok(Self { policy, sha256: sha256_hex(bytes) })
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The SHA-256 of the whole file, in hexadecimal, as in the decision log.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}
