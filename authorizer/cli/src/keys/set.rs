//! A JWK set (RFC 7517 section 5), and the file that it is kept in.

use std::fs;
use std::path::Path;

use authorizer_core::token::{
    JwkError, KeySet, PublishedKeysError, SignatureAlgorithm, SkippedKey, parse_jwk_set,
};
use authorizer_findings::jwk::Key;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::error::{KeysError, SetError};
use crate::output::note;
use crate::save::{self, SaveError};

/// The bytes of a JWK set, as they arrived, and its keys.
#[derive(Debug)]
pub(super) struct JwkSet {
    bytes: Vec<u8>,
    jwks: Vec<Value>,
}

/// What happened to the file.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Stored {
    /// It was not there.
    New,
    /// It had other bytes.
    Changed,
    /// It had these bytes.
    Unchanged,
}

impl Stored {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
        }
    }
}

impl JwkSet {
    pub(super) fn parse(bytes: Vec<u8>) -> Result<Self, SetError> {
        match parse_jwk_set(&bytes) {
            Ok(jwks) => Ok(Self { bytes, jwks }),
            Err(PublishedKeysError::NoJson) => Err(match serde_json::from_slice::<Value>(&bytes) {
                Err(error) => SetError::NoJson(error.to_string()),
                Ok(Value::Object(_)) => SetError::Twice,
                Ok(_) => SetError::NoKeys,
            }),
            Err(_) => Err(SetError::NoKeys),
        }
    }

    /// Parses a set that a policy can use. Errors name the `place`.
    pub(super) fn usable(bytes: Vec<u8>, place: &str) -> Result<Self, KeysError> {
        let set = Self::parse(bytes).map_err(|error| KeysError::Set { place: place.to_owned(), error })?;
        set.check().map_err(|error| KeysError::Unusable { place: place.to_owned(), error })?;
        Ok(set)
    }

    /// Whether a policy that names every algorithm can use it, and the keys that it would warn about.
    pub(super) fn check(&self) -> Result<Vec<SkippedKey>, JwkError> {
        KeySet::from_jwks(&self.jwks, &SignatureAlgorithm::ALL).map(|set| set.skipped().to_vec())
    }

    /// Says which keys a policy would not use, and why, as `authorizer check` does.
    pub(super) fn note_skipped(&self) {
        for SkippedKey { index, key_id, why } in self.check().unwrap_or_default() {
            match key_id {
                Some(id) => note(format_args!("the key `{}` is not used: {why}", id.escape_debug())),
                None => note(format_args!("key {index} (without `kid`) is not used: {why}")),
            }
        }
    }

    /// The description of each key, in order.
    pub(super) fn keys(&self) -> Vec<Key> {
        self.jwks.iter().map(Key::of).collect()
    }

    /// Writes the bytes to a file, completely or not at all.
    pub(super) fn store(&self, path: &Path) -> Result<Stored, SaveError> {
        let stored = match fs::read(path) {
            Ok(before) if before == self.bytes => return Ok(Stored::Unchanged),
            Ok(_) => Stored::Changed,
            Err(_) => Stored::New,
        };
        save::replace(path, &self.bytes)?;
        Ok(stored)
    }
}

/// `2 keys, 1 of which can be used`.
pub(super) fn sum(keys: &[Key]) -> String {
    let usable = keys.iter().filter(|key| !key.algorithms().is_empty()).count();
    let plural = if keys.len() == 1 { "" } else { "s" };
    format!("{} key{plural}, {usable} of which a policy can use", keys.len())
}
