//! Signs the tokens of a recording with keys of its own, which are in memory only.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use authorizer_core::policy::document::PolicyDocument;
use authorizer_core::token::{JwsAlgorithm, SignatureAlgorithm, TokenError, VerifyError};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::fill;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Map, Value};

use super::{NOTE, RecordingKeys, VERSION, public_half, signing_algorithms};
use crate::devkey::DevKey;

/// What a token of the viewer was to the policy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Standing {
    /// An issuer of the policy signed it. Its claims may still be refused.
    Signed,
    /// It names a key of its issuer, which did not sign it.
    Spoilt,
    /// Its issuer has no such key.
    KeyUnknown,
    /// Anything else.
    Foreign,
}

impl Standing {
    /// What the check of the signature came to. `was_believed` says whether the function took the token for genuine,
    /// which it may know better if it fetched keys.
    pub(crate) fn of(checked: &Result<(), VerifyError>, was_believed: bool) -> Self {
        match checked {
            Ok(()) => Self::Signed,
            Err(VerifyError::KeysUnavailable(_)) if was_believed => Self::Signed,
            Err(VerifyError::KeysUnavailable(_)) => Self::Foreign,
            Err(VerifyError::Token(error)) => match error {
                TokenError::SignatureInvalid => Self::Spoilt,
                TokenError::SigningKeyUnknown => Self::KeyUnknown,
                TokenError::TooLong
                | TokenError::Malformed
                | TokenError::DuplicateMember
                | TokenError::Encrypted
                | TokenError::Nested
                | TokenError::CriticalHeader
                | TokenError::IssuerUnknown
                | TokenError::AlgorithmNotAllowed => Self::Foreign,
                // No key could mend these claims, so nobody looked at the signature.
                TokenError::TypeMismatch
                | TokenError::TimeMalformed
                | TokenError::Expired
                | TokenError::NotYetValid
                | TokenError::IssuedInFuture
                | TokenError::LifetimeTooLong
                | TokenError::AudienceMismatch
                | TokenError::ClientMismatch
                | TokenError::RequiredClaimMismatch
                | TokenError::Bound
                | TokenError::Revoked => Self::Signed,
            },
        }
    }
}

/// The private keys of a recording.
pub(crate) struct Signer {
    keys: BTreeMap<SignatureAlgorithm, Key>,
    secret: Option<Vec<u8>>,
}

struct Key {
    private: DevKey,
    public: Value,
    id: String,
}

impl Signer {
    /// Without any key.
    pub(crate) fn new() -> Self {
        Self { keys: BTreeMap::new(), secret: None }
    }

    /// Makes the keys that this policy needs and that are not made yet. Says whether there are new ones.
    pub(crate) fn prepare(&mut self, document: &PolicyDocument) -> Result<bool, Unspecified> {
        let mut has_new = false;
        for algorithm in signing_algorithms(document) {
            if let Entry::Vacant(entry) = self.keys.entry(algorithm) {
                let private = DevKey::generate(algorithm)?;
                let public = public_half(&private)?;
                let id = public.get("kid").and_then(Value::as_str).unwrap_or_default().to_owned();
                entry.insert(Key { private, public, id });
                has_new = true;
            }
        }
        if self.secret.is_none() && document.issuers.iter().any(|issuer| issuer.secret.is_some()) {
            self.secret = Some(random_secret()?);
            has_new = true;
        }
        Ok(has_new)
    }

    /// What whoever replays needs to know.
    pub(crate) fn public(&self) -> RecordingKeys {
        RecordingKeys {
            version: VERSION,
            note: NOTE.to_owned(),
            keys: self.keys.values().map(|key| key.public.clone()).collect(),
            secret: self.secret.as_ref().map(|secret| URL_SAFE_NO_PAD.encode(secret)),
        }
    }

    /// A token with the same claims, of the same standing, that is of use only with this recording.
    pub(crate) fn replace(&self, token: &str, standing: Standing) -> Result<String, Unspecified> {
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return spoil_after_header(token);
        };
        let claims = object(payload);
        let (Some(mut members), Some(_)) = (object(header), claims) else {
            return spoil_after_header(token);
        };
        let algorithm = members.get("alg").and_then(Value::as_str).and_then(JwsAlgorithm::from_name);
        let is_named = members.contains_key("kid");
        match standing {
            Standing::Foreign => return Ok(format!("{header}.{payload}.{}", spoil_signature(signature)?)),
            Standing::KeyUnknown if is_named => {
                return Ok(format!("{header}.{payload}.{}", spoil_signature(signature)?));
            }
            // One key of the recording stands for several of the issuer.
            Standing::KeyUnknown => _ = members.insert("kid".into(), "of-several".into()),
            Standing::Signed | Standing::Spoilt => {}
        }
        let key = match algorithm {
            Some(JwsAlgorithm::Signature(algorithm)) => self.keys.get(&algorithm),
            Some(JwsAlgorithm::Hs256) | None => None,
        };
        if let (Some(key), true) = (key, is_named) {
            members.insert("kid".into(), key.id.clone().into());
        }
        let header = URL_SAFE_NO_PAD.encode(Value::Object(members).to_string());
        let text = format!("{header}.{payload}");
        let signed = match (standing, key, algorithm, &self.secret) {
            (Standing::Signed, Some(key), _, _) => key.private.signature(&text).ok(),
            (Standing::Signed, None, Some(JwsAlgorithm::Hs256), Some(secret)) => {
                let key = EncodingKey::from_secret(secret);
                jsonwebtoken::crypto::sign(text.as_bytes(), &key, Algorithm::HS256).ok()
            }
            _ => None,
        };
        let signature = signed.map_or_else(|| spoil_signature(signature), Ok)?;
        Ok(format!("{text}.{signature}"))
    }
}

/// Bytes for HS256.
pub(super) fn random_secret() -> Result<Vec<u8>, Unspecified> {
    let mut secret = vec![0; 32];
    fill(&mut secret)?;
    Ok(secret)
}

/// A part of a token, if it is a JSON object.
fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// A token of which only the header stays: what comes after it may be secret in itself.
fn spoil_after_header(token: &str) -> Result<String, Unspecified> {
    match token.split_once('.') {
        Some((header, rest)) if object(header).is_some() => Ok(format!("{header}.{}", spoil(rest)?)),
        _ => spoil(token),
    }
}

/// A signature of the same form. The last letter stays, since not every one can be the last.
fn spoil_signature(signature: &str) -> Result<String, Unspecified> {
    match signature.char_indices().next_back() {
        Some((last, _)) => {
            let (before, letter) = signature.split_at_checked(last).unwrap_or((signature, ""));
            Ok(format!("{}{letter}", spoil(before)?))
        }
        None => Ok(String::new()),
    }
}

/// A text of the same form: random letters and digits in the place of letters and digits.
pub(super) fn spoil(text: &str) -> Result<String, Unspecified> {
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut random = vec![0u8; text.len()];
    fill(&mut random)?;
    let letter = |byte: &u8| LETTERS.get(usize::from(byte % 32)).copied().map_or('A', char::from);
    let mut random = random.iter().map(letter);
    // The two digits of an escape stay: a query with another escape would be read differently.
    let mut escape = 0u8;
    Ok(text
        .chars()
        .map(|one| match one {
            '%' => {
                escape = 2;
                '%'
            }
            digit if escape > 0 && digit.is_ascii_hexdigit() => {
                escape = escape.saturating_sub(1);
                digit
            }
            one => {
                escape = 0;
                match one {
                    one if one.is_ascii_alphanumeric() => random.next().unwrap_or('A'),
                    one if one.is_ascii() => one,
                    _ => 'é',
                }
            }
        })
        .collect())
}
