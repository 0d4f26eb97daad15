//! Signs the tokens of a recording with keys of its own, which are in memory only.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use authorizer_core::policy::document::PolicyDocument;
use authorizer_core::token::{JwsAlgorithm, SignatureAlgorithm, TokenError, VerifyError, parse_claims};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::fill;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Map, Value};

use super::{NOTE, RecordingKeys, VERSION, public_half, signing_algorithms};
use crate::devkey::DevKey;
use crate::harmless::{is_token, runs};

/// What a token of the viewer was to the policy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Standing {
    /// An issuer of the policy signed it. Its claims may still be refused.
    Signed,
    /// It names a key of its issuer, which did not sign it.
    Spoilt,
    /// Its issuer has no such key.
    KeyUnknown,
    /// Its keys are not here.
    Unknown,
    /// Anything else.
    Foreign,
}

impl Standing {
    /// What the check of the signature came to.
    pub(crate) fn of(checked: &Result<(), VerifyError>) -> Self {
        match checked {
            Ok(()) => Self::Signed,
            Err(VerifyError::Token(TokenError::SignatureInvalid)) => Self::Spoilt,
            Err(VerifyError::Token(TokenError::SigningKeyUnknown)) => Self::KeyUnknown,
            Err(VerifyError::Token(_)) => Self::Foreign,
            Err(VerifyError::KeysUnavailable(_)) => Self::Unknown,
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
        let (Some(mut members), Some(claims)) = (object(header), claims) else {
            return spoil_after_header(token);
        };
        let mut claims = claims;
        let (Some(header), Some(payload)) =
            (without_tokens(header, &mut members)?, without_tokens(payload, &mut claims)?)
        else {
            return spoil_after_header(token);
        };
        let algorithm = members.get("alg").and_then(Value::as_str).and_then(JwsAlgorithm::from_name);
        let is_named = members.contains_key("kid");
        match standing {
            Standing::Foreign | Standing::Unknown => {
                return Ok(format!("{header}.{payload}.{}", spoil_signature(signature)?));
            }
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

/// The part of a token that has these members, without the tokens in them: some providers put one of another service
/// into a claim. `None` if it may have some that cannot be seen, since a member is there twice.
fn without_tokens(part: &str, members: &mut Map<String, Value>) -> Result<Option<String>, Unspecified> {
    let text = URL_SAFE_NO_PAD.decode(part).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.unwrap_or_default();
    if parse_claims(text.as_bytes()).is_err() && (text.contains('\\') || runs(&text).any(has_token)) {
        return Ok(None);
    }
    let before = members.clone();
    *members = without_tokens_in(&before)?;
    if *members == before {
        return Ok(Some(part.to_owned()));
    }
    Ok(Some(URL_SAFE_NO_PAD.encode(Value::Object(members.clone()).to_string())))
}

fn without_tokens_in(members: &Map<String, Value>) -> Result<Map<String, Value>, Unspecified> {
    members
        .iter()
        .map(|(name, value)| Ok((text_without_tokens(name)?, value_without_tokens(value)?)))
        .collect()
}

fn value_without_tokens(value: &Value) -> Result<Value, Unspecified> {
    Ok(match value {
        Value::String(text) => text_without_tokens(text)?.into(),
        Value::Array(all) => Value::Array(all.iter().map(value_without_tokens).collect::<Result<_, _>>()?),
        Value::Object(members) => Value::Object(without_tokens_in(members)?),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    })
}

fn text_without_tokens(text: &str) -> Result<String, Unspecified> {
    runs(text).map(|run| if has_token(run) { spoil(run) } else { Ok(run.to_owned()) }).collect()
}

/// Whether a run is a token, or one in base64.
fn has_token(run: &str) -> bool {
    is_token(run)
        || URL_SAFE_NO_PAD
            .decode(run)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .is_some_and(|text| runs(&text).any(is_token))
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

/// A text of the same form: random letters and digits in the place of letters and digits, also of escaped ones.
pub(super) fn spoil(text: &str) -> Result<String, Unspecified> {
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut random = vec![0u8; text.len()];
    fill(&mut random)?;
    let letter = |byte: &u8| LETTERS.get(usize::from(byte % 32)).copied().map_or('A', char::from);
    let mut random = random.iter().map(letter);
    let mut letter = || random.next().unwrap_or('A');
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some((escaped, after)) = escaped_bytes(rest) {
            clean.push_str(&spoil_escaped(&escaped, &mut letter));
            rest = after;
            continue;
        }
        clean.push(match first {
            one if one.is_ascii_alphanumeric() => letter(),
            one if one.is_ascii() => one,
            _ => 'é',
        });
        rest = rest.get(first.len_utf8()..).unwrap_or_default();
    }
    Ok(clean)
}

/// The bytes of the escapes at the beginning of a text, and the text after them.
fn escaped_bytes(text: &str) -> Option<(Vec<u8>, &str)> {
    let mut rest = text;
    let mut bytes = Vec::new();
    while let Some((digits, after)) = rest.strip_prefix('%').and_then(|rest| rest.split_at_checked(2))
        && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        && let Ok(byte) = u8::from_str_radix(digits, 16)
    {
        bytes.push(byte);
        rest = after;
    }
    (!bytes.is_empty()).then_some((bytes, rest))
}

/// Escapes of the same form: other letters for letters. Bytes that are not UTF-8 are replaced by such bytes.
fn spoil_escaped(bytes: &[u8], letter: &mut impl FnMut() -> char) -> String {
    let mut clean = String::new();
    let mut escape = |byte: u8| clean.push_str(&format!("%{byte:02X}"));
    for chunk in bytes.utf8_chunks() {
        for one in chunk.valid().chars() {
            match u8::try_from(one) {
                Ok(byte) if byte.is_ascii_alphanumeric() => {
                    escape(u8::try_from(letter()).unwrap_or(b'A'));
                }
                Ok(byte) if byte.is_ascii() => escape(byte),
                _ => "é".bytes().for_each(&mut escape),
            }
        }
        chunk.invalid().iter().for_each(|_| escape(0xFF));
    }
    clean
}
