//! A recording: requests and what came of them, in a folder, without anything secret.
//!
//! - `events.jsonl` has the events, one per line.
//! - `expected.jsonl` has their outcomes, as `replay --format json` writes them, each with the time of its decision.
//! - `recording.json` has the public keys that the tokens in the events are signed with.
//!
//! The tokens of the requests are in no file. `signer` signs their claims again with keys that are made for the
//! recording and that end with it; `clean` finds the tokens, and everything else that may be secret.

mod clean;
mod signer;

pub(crate) use self::clean::{Clean, Cleaner, UnreadableEvent};
pub(crate) use self::signer::{Signer, Standing};

use std::path::{Path, PathBuf};

use authorizer_core::policy::document::{JwksDocument, PolicyDocument, SecretDocument, SignInDocument};
use authorizer_core::token::{JwsAlgorithm, SignatureAlgorithm};
use authorizer_core::{Bundle, BundleError};
use aws_lc_rs::error::Unspecified;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::devkey::DevKey;
use crate::input::read_limited;

/// The events.
pub(crate) const EVENTS: &str = "events.jsonl";

/// The outcomes.
pub(crate) const OUTCOMES: &str = "expected.jsonl";

/// The keys.
pub(crate) const KEYS: &str = "recording.json";

/// The longest file of keys, in bytes: nine algorithms have one key each.
const MAX_KEYS_BYTES: usize = 64 * 1024;

/// The key of cookies in every recording. Nothing real is sealed with it.
const COOKIE_KEY: [u8; 32] = [0; 32];

/// The only version so far.
const VERSION: u32 = 1;

/// What the file says of itself.
const NOTE: &str = "Keys of this recording alone. Only `authorizer replay --recording` trusts them; do not trust them anywhere else.";

/// Why a recording cannot be replayed.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum RecordingError {
    /// The folder was not made by `serve --record`.
    #[error("`{folder}` is not a recording: it does not contain `{KEYS}`")]
    #[diagnostic(help("name a folder that `authorizer serve --record DIR` filled"))]
    Absent {
        /// The folder.
        folder: PathBuf,
    },
    /// Its keys cannot be read.
    #[error("`{path}` has no keys of a recording: {problem}")]
    #[diagnostic(help("name a folder that `authorizer serve --record DIR` filled"))]
    Keys {
        /// The file.
        path: PathBuf,
        /// What the reader of JSON says.
        problem: String,
    },
    /// Another version of this program wrote it.
    #[error("`{path}` has version {version}, but this program reads version {VERSION}")]
    #[diagnostic(help("record anew with `authorizer serve --record DIR`"))]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// The policy, with these keys.
    #[error("the keys of the recording do not fit into the policy: {0}")]
    Policy(#[source] BundleError),
    /// A key cannot be made.
    #[error("a key cannot be made: the operating system did not give random bytes")]
    Random,
}

impl From<Unspecified> for RecordingError {
    fn from(_: Unspecified) -> Self {
        Self::Random
    }
}

/// The keys that the tokens of a recording are signed with: `recording.json`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordingKeys {
    version: u32,
    note: String,
    /// The public keys (RFC 7517), one for each algorithm.
    keys: Vec<Value>,
    /// The secret of HS256 tokens, in base64url. It is made for the recording, and nobody else uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl RecordingKeys {
    /// Reads those of a folder.
    pub(crate) fn read(folder: &Path) -> miette::Result<Self> {
        let path = folder.join(KEYS);
        if !path.is_file() {
            return Err(RecordingError::Absent { folder: folder.to_owned() }.into());
        }
        let bytes = read_limited(&path, MAX_KEYS_BYTES)?;
        let unusable = |error: serde_json::Error| RecordingError::Keys {
            path: path.clone(),
            problem: error.to_string(),
        };
        let keys: Self = serde_json::from_slice(&bytes).map_err(unusable)?;
        match keys.version {
            VERSION => Ok(keys),
            version => Err(RecordingError::Version { path, version }.into()),
        }
    }

    /// The bundle of a policy whose issuers trust these keys, and no others.
    ///
    /// # Errors
    /// [`RecordingError`] if the policy is not valid with them.
    pub(crate) fn bundle_of(&self, document: &PolicyDocument) -> Result<Bundle, RecordingError> {
        let mut document = document.clone();
        for issuer in &mut document.issuers {
            if issuer.jwks.is_some() {
                let keys = self.published(&issuer.algorithms)?;
                issuer.jwks = Some(JwksDocument { keys: Some(keys), ..JwksDocument::default() });
            }
            if issuer.secret.is_some() {
                let value = match &self.secret {
                    Some(secret) => secret.clone(),
                    None => URL_SAFE_NO_PAD.encode(signer::random_secret()?),
                };
                issuer.secret = Some(SecretDocument { value: Some(value), ..SecretDocument::default() });
            }
        }
        if let Some(SignInDocument::CodeFlow(flow)) = &mut document.sign_in {
            // What is sealed while a recording is replayed opens nowhere else, and no provider is asked.
            let value = Some(URL_SAFE_NO_PAD.encode(COOKIE_KEY));
            flow.cookie_key = SecretDocument { value, ..SecretDocument::default() };
            flow.previous_cookie_key = None;
            flow.client_secret = None;
            flow.client_authentication = None;
            flow.client_key = None;
        }
        let bundle = Bundle::write(&document).map_err(RecordingError::Policy)?;
        Bundle::read(&bundle).map_err(RecordingError::Policy)
    }

    /// The keys for these algorithms. If the recording has none, it is a new key, which signed no token: an issuer must have
    /// a key.
    fn published(&self, algorithms: &[JwsAlgorithm]) -> Result<Vec<Value>, RecordingError> {
        let is_for = |key: &&Value, algorithm: &JwsAlgorithm| {
            key.get("alg").and_then(Value::as_str) == Some(algorithm.name())
        };
        let fitting = |key: &&Value| algorithms.iter().any(|algorithm| is_for(key, algorithm));
        let found: Vec<Value> = self.keys.iter().filter(fitting).cloned().collect();
        let signing = |algorithm: &JwsAlgorithm| match algorithm {
            JwsAlgorithm::Signature(algorithm) => Some(*algorithm),
            JwsAlgorithm::Hs256 => None,
        };
        match (found.is_empty(), algorithms.iter().find_map(signing)) {
            (true, Some(algorithm)) => Ok(vec![public_half(&DevKey::generate(algorithm)?)?]),
            _ => Ok(found),
        }
    }
}

/// Whether two decisions are the same. The keys are only if the paths are: a path may have a token.
pub(crate) fn is_same_decision(one: &Value, other: &Value, has_same_path: bool) -> bool {
    let members = ["decision", "status", "reason", "rule", "method", "operation", "issuer", "subject"];
    let key = ["key"].into_iter().filter(|_| has_same_path);
    members.into_iter().chain(key).all(|member| one.get(member) == other.get(member))
}

/// The public half of a key, as JSON.
fn public_half(key: &DevKey) -> Result<Value, Unspecified> {
    let jwk = key.jwk().map_err(|_| Unspecified)?;
    serde_json::to_value(jwk).map_err(|_| Unspecified)
}

/// The policy in a `bundle.json`, as a document.
pub(crate) fn document_of(bundle_json: &[u8]) -> Option<PolicyDocument> {
    #[derive(Deserialize)]
    struct PolicyOnly {
        policy: PolicyDocument,
    }
    serde_json::from_slice::<PolicyOnly>(bundle_json).ok().map(|bundle| bundle.policy)
}

/// The algorithms that an issuer of the policy signs with and has keys for.
fn signing_algorithms(document: &PolicyDocument) -> impl Iterator<Item = SignatureAlgorithm> {
    let published = document.issuers.iter().filter(|issuer| issuer.jwks.is_some());
    published.flat_map(|issuer| &issuer.algorithms).filter_map(|algorithm| match algorithm {
        JwsAlgorithm::Signature(algorithm) => Some(*algorithm),
        JwsAlgorithm::Hs256 => None,
    })
}

#[cfg(test)]
mod tests;
