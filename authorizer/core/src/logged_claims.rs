//! Claims in the decision log, as keyed digests: whoever has the policy's salt can compare them with a value, and nobody
//! else can.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::claim_name;
use crate::digest::{hex, sha256};
use crate::scalar::Scalar;

/// The shortest salt, in characters. `openssl rand -hex 32` writes 64.
pub const MIN_SALT: usize = 32;

/// The longest salt, in characters.
pub const MAX_SALT: usize = 256;

/// The fewest different characters of a salt. 32 random hexadecimal digits have fewer in one of twenty million cases.
pub const MIN_SALT_CHARACTERS: usize = 8;

/// The number of claims of a line: the first in the order of their names.
pub const MAX_CLAIMS: usize = 16;

/// The number of words or members of one claim.
pub const MAX_MEMBERS: usize = 16;

/// The length of a digest, in bytes. Two values have the same one by chance in one of 2^96 cases.
const DIGEST_BYTES: usize = 12;

/// The length of what names a salt, in bytes.
const SALT_ID_BYTES: usize = 8;

/// Makes the digests of the claims that the rules of a policy read.
#[derive(Clone)]
pub struct ClaimHasher {
    key: Box<hmac::Key>,
    /// So that two salts can be compared.
    sha256: [u8; 32],
    salt_id: String,
    names: Vec<String>,
}

impl ClaimHasher {
    /// A hasher with this salt, for the claims with these names.
    pub(crate) fn new(salt: &str, names: Vec<String>) -> Self {
        let key = Box::new(hmac::Key::new(hmac::HMAC_SHA256, salt.as_bytes()));
        // The HMAC of no value: a value as JSON is never empty.
        let salt_id = first_in_hex(hmac::sign(&key, b"\n").as_ref(), SALT_ID_BYTES);
        Self { key, sha256: sha256(salt.as_bytes()), salt_id, names }
    }

    /// The names of the claims that are logged.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether both have the same salt, and so the same digests.
    pub fn is_salted_as(&self, other: &Self) -> bool {
        self.sha256 == other.sha256
    }

    /// Names the salt in a line of the log, without telling it: the HMAC-SHA-256 of a newline, its first 8 bytes in
    /// hexadecimal.
    pub fn salt_id(&self) -> &str {
        &self.salt_id
    }

    /// The digest of a value: HMAC-SHA-256 of the name of the claim, a newline and the value as JSON; the first 12 bytes,
    /// in hexadecimal.
    pub fn digest(&self, claim: &str, value: &Scalar) -> String {
        match value {
            Scalar::String(text) => self.of_text(claim, text),
            Scalar::Integer(number) => self.of_json(claim, number.to_string().as_bytes()),
            Scalar::Boolean(truth) => self.of_json(claim, truth.to_string().as_bytes()),
        }
    }

    /// The digest of a string.
    pub fn of_text(&self, claim: &str, text: &str) -> String {
        // A string always has a form in JSON.
        self.of_json(claim, &serde_json::to_vec(text).unwrap_or_default())
    }

    fn of_json(&self, claim: &str, json: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(claim.as_bytes());
        // JSON on one line has no newline, so what is before the last one is the name.
        context.update(b"\n");
        context.update(json);
        first_in_hex(context.sign().as_ref(), DIGEST_BYTES)
    }

    /// The digests of some claims.
    pub fn digests(&self, claims: &Map<String, Value>) -> LoggedClaims {
        let of = |name: &String| (name.clone(), self.of_claim(name, claim_name::find(claims, name)));
        LoggedClaims(Arc::new(self.names.iter().map(of).collect()))
    }

    fn of_texts<'t>(&self, name: &str, texts: impl Iterator<Item = &'t str>) -> Vec<Option<String>> {
        let digest = |(count, text)| (count < MAX_MEMBERS).then(|| self.of_text(name, text));
        texts.take(MAX_MEMBERS.saturating_add(1)).enumerate().map(digest).collect()
    }

    fn of_claim(&self, name: &str, claim: Option<&Value>) -> ClaimDigest {
        match claim {
            None | Some(Value::Null) => ClaimDigest::Absent,
            Some(Value::String(text)) if text.contains(' ') => ClaimDigest::Words {
                whole: self.of_text(name, text),
                words: self.of_texts(name, text.split(' ')),
            },
            Some(Value::Array(values)) => {
                ClaimDigest::Members(self.of_texts(name, values.iter().filter_map(Value::as_str)))
            }
            Some(claim) => match Scalar::of_claim(claim) {
                Some(scalar) => ClaimDigest::One(self.digest(name, &scalar)),
                None => ClaimDigest::Other(true),
            },
        }
    }
}

/// The first bytes, in hexadecimal.
fn first_in_hex(bytes: &[u8], count: usize) -> String {
    hex(bytes.get(..count).unwrap_or(bytes))
}

/// The salt must not appear in a log.
impl fmt::Debug for ClaimHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimHasher").field("names", &self.names).finish_non_exhaustive()
    }
}

/// The digest of one claim. Each kind is of another JSON type.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "tools", derive(schemars::JsonSchema))]
pub enum ClaimDigest {
    /// `null`: the token does not have it, or it is null.
    Absent,
    /// A string without a space, an integer or a boolean.
    One(String),
    /// A string with a space.
    Words {
        /// The whole string.
        whole: String,
        /// What is between the spaces. A `null` at the end stands for more than 16.
        words: Vec<Option<String>>,
    },
    /// The strings of an array. A `null` at the end stands for more than 16.
    Members(Vec<Option<String>>),
    /// `true`: an object, or a number that equals nothing in a policy.
    Other(bool),
}

/// The claims of a line, by name. To copy it costs nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "tools", derive(schemars::JsonSchema))]
pub struct LoggedClaims(Arc<BTreeMap<String, ClaimDigest>>);

impl LoggedClaims {
    /// A claim; `None` if it is not logged.
    pub fn get(&self, name: &str) -> Option<&ClaimDigest> {
        self.0.get(name)
    }

    /// All claims, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ClaimDigest)> {
        self.0.iter().map(|(name, digest)| (name.as_str(), digest))
    }
}

impl Serialize for LoggedClaims {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for LoggedClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(|claims| Self(Arc::new(claims)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SALT: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_digest_is_what_openssl_computes() {
        let hasher = ClaimHasher::new(SALT, Vec::new());
        // printf 'department\n"sales"' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
        assert_eq!(hasher.of_text("department", "sales"), "34112e68ef5bc61c06d8bd37");
        assert_eq!(hasher.digest("level", &Scalar::Integer(7)), "49befb7bd7ebe45de923d210");
        assert_ne!(hasher.of_text("level", "7"), hasher.digest("level", &Scalar::Integer(7)));
        // printf '\n' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
        assert_eq!(hasher.salt_id(), "61f5972b530fe919");
        assert_ne!(hasher.salt_id(), ClaimHasher::new(&SALT.replace('0', "1"), Vec::new()).salt_id());
        assert_ne!(hasher.of_text("role", "sales"), hasher.of_text("department", "sales"));
    }

    #[test]
    fn each_kind_of_claim_has_its_form_and_no_value_is_in_it() {
        let names = ["bare", "empty", "flag", "groups", "level", "many", "none", "null", "part", "words"];
        let hasher = ClaimHasher::new(SALT, names.map(str::to_owned).to_vec());
        let many: Vec<_> = (0..17).map(|number| format!("g{number}")).collect();
        let claims = json!({"bare": "sales", "flag": true, "groups": ["a", 1, "b c"], "level": 7.0, "many": many,
            "null": null, "part": 7.5, "words": "read write", "other": "secret", "empty": ""});
        let digests = hasher.digests(claims.as_object().unwrap());
        let of = |name: &str, text: &str| json!(hasher.of_text(name, text));
        let found = serde_json::to_value(&digests).unwrap();
        assert_eq!(found["bare"], of("bare", "sales"));
        assert_eq!(found["empty"], of("empty", ""));
        assert_eq!(found["flag"], json!(hasher.digest("flag", &Scalar::Boolean(true))));
        assert_eq!(found["groups"], json!([of("groups", "a"), of("groups", "b c")]));
        assert_eq!(found["level"], json!(hasher.digest("level", &Scalar::Integer(7))));
        assert_eq!(found["many"].as_array().unwrap().len(), 17);
        assert_eq!(found["many"][16], Value::Null);
        assert_eq!(
            (&found["none"], &found["null"], &found["part"]),
            (&Value::Null, &Value::Null, &json!(true))
        );
        let words = [of("words", "read"), of("words", "write")];
        assert_eq!(found["words"], json!({"whole": of("words", "read write"), "words": words}));
        assert_eq!(found.as_object().unwrap().len(), names.len());
        let text = found.to_string();
        for value in ["sales", "secret", "read", "other"] {
            assert!(!text.contains(value), "{text}");
        }
        assert_eq!(serde_json::from_value::<LoggedClaims>(found).unwrap(), digests);
        let shown = format!("{hasher:?}");
        assert!(!shown.contains(SALT), "{shown}");
    }
}
