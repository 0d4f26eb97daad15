//! The keys of an issuer, read from a JWK set (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use super::algorithm::SignatureAlgorithm;
use super::ed25519;
use super::json::parse_object;
use super::prepared_key::{PreparedKey, PublicNumbers};

/// The largest number of keys of one issuer. Providers publish fewer than ten.
pub(super) const MAX_KEYS: usize = 64;

/// The largest number of keys that a message explains.
const MAX_REASONS: usize = 3;

/// The keys of an issuer.
#[derive(Clone, Debug)]
pub struct KeySet {
    keys: Vec<VerificationKey>,
    skipped: Vec<SkippedKey>,
}

/// A public key, prepared for each algorithm that it may verify.
#[derive(Clone, Debug)]
struct VerificationKey {
    key_id: Option<String>,
    prepared: Vec<PreparedKey>,
    numbers: PublicNumbers,
}

/// A key of a set, for whoever reviews it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct KeyFacts {
    /// Its `kid`.
    pub key_id: Option<String>,
    /// Its thumbprint with SHA-256 (RFC 7638), in base64url.
    pub thumbprint: String,
    /// The algorithms that it verifies.
    pub algorithms: Vec<SignatureAlgorithm>,
}

/// A key of a set that is not used, although its issuer may sign with it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SkippedKey {
    /// The index in `keys`, from 0.
    pub index: usize,
    /// Its `kid`.
    pub key_id: Option<String>,
    /// Why it is not used.
    pub why: KeyProblem,
}

/// Why one key cannot be used. The text continues a sentence about the key.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum KeyProblem {
    /// Not an object with the parameters of its `kty`.
    #[error("it is malformed")]
    Malformed,
    /// A parameter that its kind requires is absent.
    #[error("it has no `{0}`")]
    Lacks(&'static str),
    /// The same, and there is a certificate. Nothing here verifies certificates, so none is read.
    #[error("it has no `{0}`, and a certificate (`x5c`) alone is not read")]
    OnlyCertificate(&'static str),
    /// `d`, `k` or another private parameter, with a value.
    #[error("it holds private key material (`{0}`)")]
    Private(&'static str),
    /// A `kty` that is not used here.
    #[error("keys of the kind `{}` are not used here", .0.escape_debug())]
    Kind(String),
    /// A `crv` that is not used here.
    #[error("keys on the curve `{}` are not used here", .0.escape_debug())]
    Curve(String),
    /// Smaller than 2,048 bits or larger than 8,192 (RFC 7518 section 3.3).
    #[error("it has {0} bits, not 2048 to 8192")]
    RsaSize(usize),
    /// A number with a zero byte before it (RFC 7518 section 6.3.1.1).
    #[error("its `{0}` has leading zeros, and RFC 7518 section 6.3.1 requires the fewest bytes")]
    LeadingZeros(&'static str),
    /// A point that has no private half, so that anybody can make signatures.
    #[error("it is a point of small order, for which anybody can make signatures")]
    SmallOrder,
    /// The numbers are not a public key of its kind: for example, a point that is not on the curve.
    #[error("its numbers are not a valid public key")]
    Invalid,
}

/// Why a JWK set cannot be used.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum JwkError {
    /// `d`, `k` or another private parameter: this file would put a secret into the zip.
    #[error("key {index} of the JWK set contains private key material (`{parameter}`)")]
    Private {
        /// The index in `keys`, from 0.
        index: usize,
        /// The name of the parameter.
        parameter: &'static str,
    },
    /// No key in the set verifies any of the issuer's algorithms.
    #[error("no key of the JWK set can verify any of the issuer's algorithms{}", reasons(.0))]
    NoneUsable(Vec<SkippedKey>),
    /// More than 64.
    #[error("the JWK set has {0} keys, more than 64")]
    TooMany(usize),
}

/// The reasons of the first keys, for the end of a message.
fn reasons(skipped: &[SkippedKey]) -> String {
    let reason = |key: &SkippedKey| format!("; key {}: {}", key.index, key.why);
    skipped.iter().take(MAX_REASONS).map(reason).collect()
}

/// Why the answer of an issuer's URL cannot be used.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum PublishedKeysError {
    /// The answer is not a JSON object, is cut off, or has a member twice.
    #[error("the answer is not a JSON object with unique members")]
    NoJson,
    /// An object without `keys`.
    #[error("the answer is not a JWK set: it does not have a `keys` array")]
    NoKeys,
    /// Too many keys, or none that is usable.
    #[error("{0}")]
    Unusable(#[from] JwkError),
}

/// Reads the text of a JWK set, and returns its `keys`. The keys are not looked at.
///
/// # Errors
/// [`PublishedKeysError::NoJson`] or [`PublishedKeysError::NoKeys`].
pub fn parse_jwk_set(text: &[u8]) -> Result<Vec<Value>, PublishedKeysError> {
    // RFC 8259 section 8.1: a reader may ignore a byte order mark, which some editors and shells write.
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let mut set = parse_object(text).map_err(|_| PublishedKeysError::NoJson)?;
    match set.remove("keys") {
        Some(Value::Array(keys)) => Ok(keys),
        _ => Err(PublishedKeysError::NoKeys),
    }
}

impl KeySet {
    /// Reads a JWK set as an issuer publishes it, for an issuer that signs with `allowed`. A key that contains its
    /// private half is skipped too, because nobody is there to fix it.
    ///
    /// # Errors
    /// [`PublishedKeysError`] when no usable key is left.
    pub(super) fn from_published(
        body: &[u8],
        allowed: &[SignatureAlgorithm],
    ) -> Result<Self, PublishedKeysError> {
        Ok(Self::read(&parse_jwk_set(body)?, allowed, |_, _| Ok(()))?)
    }

    /// Reads the `keys` of a JWK set, for an issuer that signs with `allowed`.
    ///
    /// As RFC 7517 section 5 says, keys that cannot be used are skipped: of other kinds and uses, with missing
    /// parameters, of another size. [`skipped`](Self::skipped) has those that a person should know about.
    ///
    /// # Errors
    /// [`JwkError`] for private key material of any kind, and when no usable key is left.
    pub fn from_jwks(keys: &[Value], allowed: &[SignatureAlgorithm]) -> Result<Self, JwkError> {
        Self::read(keys, allowed, |index, parameter| Err(JwkError::Private { index, parameter }))
    }

    fn read(
        keys: &[Value],
        allowed: &[SignatureAlgorithm],
        private: impl Fn(usize, &'static str) -> Result<(), JwkError>,
    ) -> Result<Self, JwkError> {
        if keys.len() > MAX_KEYS {
            return Err(JwkError::TooMany(keys.len()));
        }
        let (mut usable, mut skipped) = (Vec::new(), Vec::new());
        for (index, jwk) in keys.iter().enumerate() {
            match VerificationKey::from_jwk(jwk, allowed) {
                Ok(key) => usable.extend(key),
                Err(why) => {
                    if let KeyProblem::Private(parameter) = why {
                        private(index, parameter)?;
                    }
                    let key_id = jwk.get("kid").and_then(Value::as_str).map(str::to_owned);
                    skipped.push(SkippedKey { index, key_id, why });
                }
            }
        }
        match usable.is_empty() {
            true => Err(JwkError::NoneUsable(skipped)),
            false => Ok(Self { keys: usable, skipped }),
        }
    }

    /// The keys that cannot be used, although nothing says that they are for something else.
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    /// All keys, in their order. A key that is in the set twice is here twice.
    pub fn facts(&self) -> Vec<KeyFacts> {
        let facts = |key: &VerificationKey| KeyFacts {
            key_id: key.key_id.clone(),
            thumbprint: key.numbers.thumbprint(),
            algorithms: key.prepared.iter().map(PreparedKey::signature_algorithm).collect(),
        };
        self.keys.iter().map(facts).collect()
    }

    /// The keys that may have signed a token: those with its `kid`, or, for a token without a `kid`, the only key
    /// (RFC 7515 section 4.1.4 makes `kid` optional). Providers have published two keys with one `kid`, so each is
    /// tried.
    pub(super) fn candidates<'k>(
        &'k self,
        key_id: Option<&'k str>,
        algorithm: SignatureAlgorithm,
    ) -> impl Iterator<Item = &'k PreparedKey> {
        let fitting = self
            .keys
            .iter()
            .filter(move |key| key_id.is_none_or(|id| key.key_id.as_deref() == Some(id)))
            .flat_map(|key| &key.prepared)
            .filter(move |prepared| prepared.signature_algorithm() == algorithm);
        let is_any_of_several = key_id.is_none() && fitting.clone().nth(1).is_some();
        fitting.filter(move |_| !is_any_of_several)
    }
}

impl VerificationKey {
    /// Reads a key; `None` if it says itself that it is for something else: another use or algorithm.
    fn from_jwk(value: &Value, allowed: &[SignatureAlgorithm]) -> Result<Option<Self>, KeyProblem> {
        // A parameter that is null counts as absent.
        let get = |name: &str| value.get(name).filter(|value| !value.is_null());
        let text = |name: &str| get(name).and_then(Value::as_str);
        // RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1; `priv` is that of ML-DSA and other keys of the kind `AKP` (RFC 9964).
        if let Some(parameter) =
            ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"].into_iter().find(|name| get(name).is_some())
        {
            return Err(KeyProblem::Private(parameter));
        }
        let kty = text("kty").ok_or(KeyProblem::Malformed)?;
        if text("use").is_some_and(|usage| usage != "sig") {
            return Ok(None);
        }
        let (by_kind, required): (&[SignatureAlgorithm], &[&'static str]) = match (kty, text("crv")) {
            ("RSA", _) => (
                &[
                    SignatureAlgorithm::Rs256,
                    SignatureAlgorithm::Rs384,
                    SignatureAlgorithm::Rs512,
                    SignatureAlgorithm::Ps256,
                    SignatureAlgorithm::Ps384,
                    SignatureAlgorithm::Ps512,
                ],
                &["n", "e"],
            ),
            ("EC", Some("P-256")) => (&[SignatureAlgorithm::Es256], &["x", "y"]),
            ("EC", Some("P-384")) => (&[SignatureAlgorithm::Es384], &["x", "y"]),
            ("OKP", Some("Ed25519")) => (&[SignatureAlgorithm::EdDsa], &["x"]),
            ("EC" | "OKP", Some(curve)) => return Err(KeyProblem::Curve(curve.to_owned())),
            ("EC" | "OKP", None) => return Err(lacks(value, "crv")),
            _ => return Err(KeyProblem::Kind(kty.to_owned())),
        };
        if let Some(parameter) = required.iter().find(|name| get(name).is_none()) {
            return Err(lacks(value, parameter));
        }
        let jwk = Jwk::deserialize(value).map_err(|_| KeyProblem::Malformed)?;
        if jwk.common.key_operations.as_ref().is_some_and(|ops| !ops.contains(&KeyOperations::Verify)) {
            return Ok(None);
        }
        let own = text("alg").map(SignatureAlgorithm::from_name);
        let algorithms: Vec<_> = by_kind
            .iter()
            .copied()
            .filter(|algorithm| allowed.contains(algorithm))
            .filter(|algorithm| own.is_none_or(|own| own == Some(*algorithm)))
            .collect();
        if algorithms.is_empty() {
            return Ok(None);
        }
        let numbers = numbers(&jwk)?;
        // A key that cannot verify anything must be found when the policy is loaded, not when a user is refused.
        let prepared: Option<Vec<_>> =
            algorithms.into_iter().map(|algorithm| PreparedKey::new(algorithm, &numbers)).collect();
        let prepared = prepared.ok_or(KeyProblem::Invalid)?;
        Ok(Some(Self { key_id: jwk.common.key_id, prepared, numbers }))
    }
}

/// The problem of a key without this parameter.
fn lacks(jwk: &Value, parameter: &'static str) -> KeyProblem {
    match jwk.get("x5c") {
        Some(Value::Array(_)) => KeyProblem::OnlyCertificate(parameter),
        _ => KeyProblem::Lacks(parameter),
    }
}

/// The numbers of a key, with the size and form of its kind.
fn numbers(jwk: &Jwk) -> Result<PublicNumbers, KeyProblem> {
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| KeyProblem::Malformed);
    match &jwk.algorithm {
        AlgorithmParameters::RSA(rsa) => {
            let (modulus, exponent) = (decode(&rsa.n)?, decode(&rsa.e)?);
            let bits = bit_length(&modulus);
            if !(2048..=8192).contains(&bits) {
                return Err(KeyProblem::RsaSize(bits));
            }
            for (name, number) in [("n", &modulus), ("e", &exponent)] {
                if matches!(number.as_slice(), [0, _, ..]) {
                    return Err(KeyProblem::LeadingZeros(name));
                }
            }
            let odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
            let exponent_fits = (2..=33).contains(&bit_length(&exponent));
            match odd(&modulus) && odd(&exponent) && exponent_fits {
                true => Ok(PublicNumbers::Rsa { modulus, exponent }),
                false => Err(KeyProblem::Invalid),
            }
        }
        AlgorithmParameters::EllipticCurve(ec) => {
            let length = if ec.curve == EllipticCurve::P256 { 32 } else { 48 };
            let (x, y) = (decode(&ec.x)?, decode(&ec.y)?);
            // RFC 7518 section 6.2.1.2: coordinates have the full length of the field.
            if x.len() != length || y.len() != length {
                return Err(KeyProblem::Invalid);
            }
            Ok(PublicNumbers::Point([&[0x04], x.as_slice(), &y].concat()))
        }
        AlgorithmParameters::OctetKeyPair(okp) => {
            let point = decode(&okp.x)?;
            ed25519::check(&point)?;
            Ok(PublicNumbers::Point(point))
        }
        // `OctetKey`, `Other` and variants that the library adds.
        _ => Err(KeyProblem::Malformed),
    }
}

fn bit_length(big_endian: &[u8]) -> usize {
    let mut significant = big_endian.iter().skip_while(|byte| **byte == 0);
    match significant.next() {
        None => 0,
        Some(first) => {
            let tail = significant.count().saturating_mul(8);
            tail.saturating_add(8usize.saturating_sub(first.leading_zeros() as usize))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ALL: &[SignatureAlgorithm] = &SignatureAlgorithm::ALL;

    /// RFC 8037 appendix A.2.
    fn ed25519() -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
    }

    /// RFC 7515 appendix A.3.1, without the private part.
    fn p256() -> Value {
        json!({"kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})
    }

    fn with(mut jwk: Value, name: &str, value: Value) -> Value {
        jwk[name] = value;
        jwk
    }

    fn rsa(bits: usize) -> Value {
        let mut modulus = vec![0xff; bits / 8];
        modulus[0] = 0x80;
        json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode(modulus), "e": "AQAB"})
    }

    fn read(keys: &[Value]) -> Result<usize, JwkError> {
        KeySet::from_jwks(keys, ALL).map(|set| set.keys.len())
    }

    #[test]
    fn keys_of_the_kinds_used_here_are_read() {
        assert_eq!(read(&[ed25519(), p256(), rsa(2048), rsa(8192)]), Ok(4));
        assert_eq!(read(&[with(p256(), "alg", json!("ES256")), with(p256(), "use", json!("sig"))]), Ok(2));
        assert_eq!(read(&[with(p256(), "x5c", json!(["MII"]))]), Ok(1));
    }

    #[test]
    fn keys_of_other_kinds_are_passed_over() {
        let x25519 = json!({"kty": "OKP", "crv": "X25519", "x": "AA"});
        let silent = [
            with(p256(), "use", json!("enc")),
            with(x25519.clone(), "use", json!("enc")),
            with(p256(), "key_ops", json!(["sign"])),
            with(p256(), "alg", json!("ES384")),
            with(rsa(2048), "alg", json!("RSA-OAEP")),
            with(rsa(2048), "alg", json!("Ed25519")),
            with(ed25519(), "alg", json!("Ed448")),
        ];
        assert_eq!(read(&silent), Err(JwkError::NoneUsable(vec![])));
        assert_eq!(read(&[silent.as_slice(), &[ed25519()]].concat()), Ok(1));
        assert_eq!(read(&[]), Err(JwkError::NoneUsable(vec![])));
        for (key, why) in [
            (x25519, KeyProblem::Curve("X25519".into())),
            (json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"}), KeyProblem::Kind("AKP".into())),
            (json!({"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}), KeyProblem::Curve("P-521".into())),
            (json!({"kty": "oct"}), KeyProblem::Kind("oct".into())),
        ] {
            assert_eq!(problem(&key), Some(why), "{key}");
        }
    }

    #[test]
    fn both_names_of_ed25519_are_one_in_a_key() {
        for name in ["EdDSA", "Ed25519"] {
            let key = with(ed25519(), "alg", json!(name));
            assert_eq!(KeySet::from_jwks(&[key], &[SignatureAlgorithm::EdDsa]).unwrap().keys.len(), 1);
        }
    }

    #[test]
    fn private_key_material_is_refused_in_any_kind_of_key() {
        for parameter in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            for value in [json!("AA"), json!(""), json!([]), json!(0), json!(false)] {
                let key = with(ed25519(), parameter, value);
                assert_eq!(read(&[ed25519(), key.clone()]), Err(JwkError::Private { index: 1, parameter }));
                // Of a published set, the key is skipped.
                let set = json!({"keys": [ed25519(), key]}).to_string();
                let keys = KeySet::from_published(set.as_bytes(), ALL).unwrap();
                assert_eq!(keys.skipped()[0].why, KeyProblem::Private(parameter));
            }
            assert_eq!(read(&[with(ed25519(), parameter, json!(null))]), Ok(1), "null counts as absent");
        }
        assert!(matches!(read(&[json!({"kty": "oct", "k": "AA"})]), Err(JwkError::Private { .. })));
        let secret = with(with(rsa(1024), "d", json!("AA")), "use", json!("enc"));
        assert!(matches!(read(&[ed25519(), secret]), Err(JwkError::Private { .. })));
    }

    /// Why a key beside a good one is skipped.
    fn problem(key: &Value) -> Option<KeyProblem> {
        let keys = [with(ed25519(), "kid", json!("good")), key.clone()];
        let set = KeySet::from_jwks(&keys, ALL).unwrap();
        assert!(set.keys.len() == 2 || set.skipped.len() == 1);
        let skipped = set.skipped.into_iter().next()?;
        assert_eq!((skipped.index, skipped.key_id.as_deref()), (1, key["kid"].as_str()));
        let published = json!({"keys": keys}).to_string();
        let published = KeySet::from_published(published.as_bytes(), ALL).unwrap();
        assert_eq!(published.skipped()[0].why, skipped.why, "a URL and a file agree");
        assert_eq!(
            KeySet::from_jwks(&keys[1..], ALL).err(),
            Some(JwkError::NoneUsable(vec![SkippedKey { index: 0, ..skipped.clone() }]))
        );
        Some(skipped.why)
    }

    #[test]
    fn weak_and_impossible_keys_are_skipped() {
        let numbers = |name: &str, bytes: &[u8]| with(rsa(2048), name, json!(URL_SAFE_NO_PAD.encode(bytes)));
        let certificate = json!(["MII"]);
        for (key, why) in [
            (rsa(1024), KeyProblem::RsaSize(1024)),
            (with(rsa(1024), "kid", json!("old")), KeyProblem::RsaSize(1024)),
            (rsa(8200), KeyProblem::RsaSize(8200)),
            (numbers("n", &[]), KeyProblem::RsaSize(0)),
            (with(rsa(2048), "e", json!("AQAA")), KeyProblem::Invalid),
            (with(rsa(2048), "e", json!("AQ")), KeyProblem::Invalid),
            (numbers("e", &[0]), KeyProblem::Invalid),
            (with(rsa(2048), "n", json!("!")), KeyProblem::Malformed),
            (with(rsa(2048), "n", json!(1)), KeyProblem::Malformed),
            (with(rsa(2048), "alg", json!(256)), KeyProblem::Malformed),
            (with(rsa(2048), "use", json!(["sig"])), KeyProblem::Malformed),
            (with(rsa(2048), "kid", json!(7)), KeyProblem::Malformed),
            (with(p256(), "y", json!("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU")), KeyProblem::Invalid),
            (with(p256(), "x", json!("AA")), KeyProblem::Invalid),
            (with(ed25519(), "x", json!("AA")), KeyProblem::Invalid),
            (
                with(ed25519(), "x", json!("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
                KeyProblem::SmallOrder,
            ),
            // RFC 7518 section 6.3.1: the fewest octets.
            (numbers("n", &[&[0], [0xff; 256].as_slice()].concat()), KeyProblem::LeadingZeros("n")),
            (numbers("e", &[0, 1, 0, 1]), KeyProblem::LeadingZeros("e")),
            (json!({"kty": "RSA"}), KeyProblem::Lacks("n")),
            (with(rsa(2048), "e", json!(null)), KeyProblem::Lacks("e")),
            (json!({"kty": "RSA", "x5c": certificate}), KeyProblem::OnlyCertificate("n")),
            (json!({"kty": "EC", "x5c": certificate}), KeyProblem::OnlyCertificate("crv")),
            (json!({"kty": "EC", "crv": "P-256", "x": "AA"}), KeyProblem::Lacks("y")),
            (json!({"kty": "OKP"}), KeyProblem::Lacks("crv")),
            (json!({}), KeyProblem::Malformed),
            (json!({"kty": 7}), KeyProblem::Malformed),
            (json!(null), KeyProblem::Malformed),
            (json!("RSA"), KeyProblem::Malformed),
        ] {
            assert_eq!(problem(&key), Some(why), "{key}");
        }
        assert_eq!(read(&vec![ed25519(); 65]), Err(JwkError::TooMany(65)));
        let error = read(&[rsa(1024), json!({})]).unwrap_err().to_string();
        assert!(
            error.ends_with("; key 0: it has 1024 bits, not 2048 to 8192; key 1: it is malformed"),
            "{error}"
        );
    }

    #[test]
    fn the_text_of_a_set_is_an_object_whose_members_are_unique() {
        assert_eq!(parse_jwk_set(br#"{"keys": []}"#), Ok(vec![]));
        for (text, error) in [
            (r#"{"keys": [], "keys": []}"#, PublishedKeysError::NoJson),
            (r#"{"keys": [{"kid": "a", "kid": "b"}]}"#, PublishedKeysError::NoJson),
            ("[]", PublishedKeysError::NoJson),
            ("{}", PublishedKeysError::NoKeys),
            (r#"{"keys": {}}"#, PublishedKeysError::NoKeys),
            (r#"{"keys": null}"#, PublishedKeysError::NoKeys),
        ] {
            assert_eq!(parse_jwk_set(text.as_bytes()), Err(error), "{text}");
        }
    }

    #[test]
    fn a_key_is_found_by_its_id_and_algorithm_or_when_it_is_the_only_one() {
        let set = KeySet::from_jwks(
            &[
                with(ed25519(), "kid", json!("a")),
                with(p256(), "kid", json!("b")),
                with(rsa(2048), "kid", json!("b")),
                with(rsa(2048), "kid", json!("b")),
            ],
            ALL,
        )
        .unwrap();
        let count = |id, algorithm| set.candidates(id, algorithm).count();
        assert_eq!(count(Some("a"), SignatureAlgorithm::EdDsa), 1);
        assert_eq!(count(Some("a"), SignatureAlgorithm::Es256), 0);
        assert_eq!(count(Some("b"), SignatureAlgorithm::Es256), 1);
        assert_eq!(count(Some("b"), SignatureAlgorithm::Rs256), 2);
        assert_eq!(count(Some("c"), SignatureAlgorithm::Rs256), 0);
        assert_eq!(count(None, SignatureAlgorithm::Es256), 1);
        assert_eq!(count(None, SignatureAlgorithm::Rs256), 0);
    }

    #[test]
    fn a_thumbprint_is_that_of_the_rfcs() {
        // RFC 7638 section 3.1.
        let rsa = json!({"kty": "RSA", "e": "AQAB", "kid": "2011-04-29", "alg": "RS256",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"});
        let set = KeySet::from_jwks(&[rsa, ed25519(), p256()], ALL).unwrap();
        let facts = set.facts();
        assert_eq!(facts[0].thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert_eq!(facts[0].key_id.as_deref(), Some("2011-04-29"));
        assert_eq!(facts[0].algorithms, [SignatureAlgorithm::Rs256]);
        // RFC 8037 appendix A.3.
        assert_eq!(facts[1].thumbprint, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        // By Python's hashlib, of the canonical form.
        assert_eq!(facts[2].thumbprint, "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
    }
}
