//! The files of an export, and what was reviewed.

use std::collections::BTreeMap;

use authorizer_core::Bundle;
use authorizer_core::policy::document::PolicyDocument;
use authorizer_core::record::sha256_hex;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

use authorizer_cloudfront::{Exported, ExportedError};

/// What the AWS CLI said of a deployment: the folder that `infra/export` fills, by the paths in it.
#[derive(Clone, Debug, Default)]
pub struct Export {
    files: BTreeMap<String, Vec<u8>>,
}

/// Why the export cannot be checked.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The distribution is missing.
    #[error("the folder does not contain `{DISTRIBUTION}`, so it is not an export")]
    NoDistribution,
    /// A distribution as another command writes it.
    #[error("`{DISTRIBUTION}` is not the output of `get-distribution-config`, with its `ETag`")]
    AnotherForm,
    /// A distribution that cannot be read.
    #[error("`{DISTRIBUTION}`: {0}")]
    Distribution(#[from] ExportedError),
}

/// What was reviewed, as far as the caller says.
#[derive(Clone, Debug)]
pub struct Reviewed<'a> {
    /// The policy as it is written.
    pub policy: &'a PolicyDocument,
    /// Its bundle.
    pub bundle: &'a Bundle,
    /// The SHA-256 of the package, in base64, as Lambda's `CodeSha256` has it.
    pub code_sha256: Option<String>,
    /// The SHA-256 of the `bundle.json` in the package, in hexadecimal.
    pub packaged_bundle: Option<String>,
}

/// Why a file cannot be checked.
#[derive(Clone, Debug)]
pub(super) struct Unjudged {
    pub(super) file: String,
    pub(super) why: String,
}

/// The answer of S3 about an optional setting of a bucket.
#[derive(Clone, Debug)]
pub(super) enum BucketSetting<T> {
    There(T),
    /// The bucket does not have it; this is S3's error code.
    Absent,
}

/// What `infra/export` writes of something that it was not allowed to read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NotRead {
    not_read: String,
}

/// `get-distribution-config`.
pub(super) const DISTRIBUTION: &str = "distribution.json";

impl Export {
    /// The files, by their paths from the folder, with slashes.
    pub fn new(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self { files }
    }

    /// The text of a file.
    pub fn text(&self, file: &str) -> Option<&str> {
        self.files.get(file).and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    pub(super) fn distribution(&self) -> Result<Exported, ExportError> {
        let bytes = self.files.get(DISTRIBUTION).ok_or(ExportError::NoDistribution)?;
        let exported = Exported::read(bytes)?;
        if exported.is_config_export() { Ok(exported) } else { Err(ExportError::AnotherForm) }
    }

    /// The content of a file.
    pub(super) fn read<T: DeserializeOwned>(&self, file: &str) -> Result<T, Unjudged> {
        let unjudged = |why: String| Unjudged { file: file.to_owned(), why };
        let bytes = self
            .files
            .get(file)
            .ok_or_else(|| unjudged("the export does not contain this file".to_owned()))?;
        if let Ok(NotRead { not_read }) = serde_json::from_slice(bytes) {
            return Err(unjudged(format!("the export could not read it: {}", not_read.escape_debug())));
        }
        serde_json::from_slice(bytes)
            .map_err(|error| unjudged(format!("it is not what the AWS CLI writes: {}", words(&error))))
    }

    /// The digest of what a finding was found in. Of a list, that is the one element: its neighbors may change.
    pub(super) fn seen(&self, file: &str, pointer: &str, beside: Option<&str>) -> String {
        let content = |file: &str, pointer: &str| {
            let bytes = self.files.get(file).map(Vec::as_slice).unwrap_or_default();
            match serde_json::from_slice(bytes) {
                Ok(value) => around(value, pointer).to_string().into_bytes(),
                Err(_) => bytes.to_vec(),
            }
        };
        let mut all = content(file, pointer);
        if let Some(beside) = beside {
            all.push(b'\n');
            all.extend(content(beside, ""));
        }
        sha256_hex(&all)
    }

    /// Another distribution, as `get-distribution-config` writes it.
    pub(super) fn another_distribution(&self, file: &str) -> Result<Exported, Unjudged> {
        let _: Value = self.read(file)?;
        let bytes = self.files.get(file).map(Vec::as_slice).unwrap_or_default();
        Exported::read(bytes).map_err(|error| {
            let why =
                error.to_string().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
            Unjudged { file: file.to_owned(), why }
        })
    }

    /// What a file says of something that a bucket need not have.
    pub(super) fn bucket_setting<T: DeserializeOwned>(
        &self,
        file: &str,
        absent: &str,
    ) -> Result<BucketSetting<T>, Unjudged> {
        let said: Value = self.read(file)?;
        if said.get("Absent").and_then(Value::as_str) == Some(absent) {
            return Ok(BucketSetting::Absent);
        }
        self.read(file).map(BucketSetting::There)
    }
}

/// The first element of a list on the way of a pointer; without one, what the pointer leads to, or the nearest around
/// it. The pointer goes on into a policy that stands in the file as a text.
fn around(whole: Value, pointer: &str) -> Value {
    let mut here = whole;
    for step in pointer.split('/').skip(1) {
        if let Value::String(text) = &here
            && let Ok(policy @ Value::Object(_)) = serde_json::from_str(text)
        {
            here = policy;
        }
        let step = step.replace("~1", "/").replace("~0", "~");
        match &here {
            Value::Array(items) => {
                here = step.parse::<usize>().ok().and_then(|index| items.get(index)).cloned().unwrap_or(here);
                break;
            }
            Value::Object(members) => match members.get(&step) {
                Some(inner) => here = inner.clone(),
                None => break,
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => break,
        }
    }
    // AWS promises no order.
    here.sort_all_objects();
    here
}

/// What is wrong with a JSON text. It may quote the text, whose control characters would be the terminal's.
pub(super) fn words(error: &serde_json::Error) -> String {
    error.to_string().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
