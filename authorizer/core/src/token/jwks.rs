//! The keys of an issuer, read from a JWK set (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use super::algorithm::SignatureAlgorithm;
use super::json::parse_object;
use super::prepared_key::{PreparedKey, PublicNumbers};

/// The largest number of keys of one issuer. Providers publish fewer than ten.
pub(super) const MAX_KEYS: usize = 64;

/// The keys of an issuer.
#[derive(Clone, Debug)]
pub struct KeySet {
    keys: Vec<VerificationKey>,
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

/// Why a JWK set cannot be used.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum JwkError {
    /// Not an object with the parameters of its `kty`.
    #[error("key {index} of the JWK set is malformed")]
    Malformed {
        /// The index in `keys`, from 0.
        index: usize,
    },
    /// `d`, `k` or another private parameter: this file would put a secret into the zip.
    #[error("key {index} of the JWK set contains private key material (`{parameter}`)")]
    Private {
        /// The index in `keys`, from 0.
        index: usize,
        /// The name of the parameter.
        parameter: &'static str,
    },
    /// Smaller than 2,048 bits or larger than 8,192 (RFC 7518 section 3.3).
    #[error("RSA key {index} of the JWK set has {bits} bits, not 2048 to 8192")]
    RsaSize {
        /// The index in `keys`, from 0.
        index: usize,
        /// The length of the modulus.
        bits: usize,
    },
    /// The numbers are not a public key of its kind: for example, a point that is not on the curve.
    #[error("key {index} of the JWK set is not a valid public key")]
    Invalid {
        /// The index in `keys`, from 0.
        index: usize,
    },
    /// No key in the set verifies any of the issuer's algorithms.
    #[error("no key of the JWK set can verify any of the issuer's algorithms")]
    NoneUsable,
    /// More than 64.
    #[error("the JWK set has {0} keys, more than 64")]
    TooMany(usize),
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

impl KeySet {
    /// Reads a JWK set as an issuer publishes it, for an issuer that signs with `allowed`. A key that cannot be used
    /// is skipped, because nobody is there to fix it: a key that is malformed or too small, or that contains its
    /// private half.
    ///
    /// # Errors
    /// [`PublishedKeysError`] when no usable key is left.
    pub(super) fn from_published(
        body: &[u8],
        allowed: &[SignatureAlgorithm],
    ) -> Result<Self, PublishedKeysError> {
        let set = parse_object(body).map_err(|_| PublishedKeysError::NoJson)?;
        let Some(Value::Array(keys)) = set.get("keys") else { return Err(PublishedKeysError::NoKeys) };
        if keys.len() > MAX_KEYS {
            return Err(JwkError::TooMany(keys.len()).into());
        }
        let usable: Vec<_> = keys
            .iter()
            .enumerate()
            .filter_map(|(index, jwk)| VerificationKey::from_jwk(index, jwk, allowed).ok().flatten())
            .collect();
        if usable.is_empty() { Err(JwkError::NoneUsable.into()) } else { Ok(Self { keys: usable }) }
    }

    /// Reads the `keys` of a JWK set, for an issuer that signs with `allowed`.
    ///
    /// As RFC 7517 section 5 requires, keys of a kind that is not used here are skipped: other curves,
    /// other uses, other algorithms.
    ///
    /// # Errors
    /// [`JwkError`] for a key of a kind that is used here but that cannot be used, for private key material of any
    /// kind, and when no usable key is left.
    pub fn from_jwks(keys: &[Value], allowed: &[SignatureAlgorithm]) -> Result<Self, JwkError> {
        if keys.len() > MAX_KEYS {
            return Err(JwkError::TooMany(keys.len()));
        }
        let mut usable = Vec::new();
        for (index, jwk) in keys.iter().enumerate() {
            if let Some(key) = VerificationKey::from_jwk(index, jwk, allowed)? {
                usable.push(key);
            }
        }
        if usable.is_empty() { Err(JwkError::NoneUsable) } else { Ok(Self { keys: usable }) }
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
    fn from_jwk(
        index: usize,
        value: &Value,
        allowed: &[SignatureAlgorithm],
    ) -> Result<Option<Self>, JwkError> {
        // RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1.
        if let Some(parameter) =
            ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].into_iter().find(|name| value.get(name).is_some())
        {
            return Err(JwkError::Private { index, parameter });
        }
        let kty = value.get("kty").and_then(Value::as_str).ok_or(JwkError::Malformed { index })?;
        let curve = value.get("crv").and_then(Value::as_str);
        let by_kind: &[SignatureAlgorithm] = match (kty, curve) {
            ("RSA", _) => &[
                SignatureAlgorithm::Rs256,
                SignatureAlgorithm::Rs384,
                SignatureAlgorithm::Rs512,
                SignatureAlgorithm::Ps256,
                SignatureAlgorithm::Ps384,
                SignatureAlgorithm::Ps512,
            ],
            ("EC", Some("P-256")) => &[SignatureAlgorithm::Es256],
            ("EC", Some("P-384")) => &[SignatureAlgorithm::Es384],
            ("OKP", Some("Ed25519")) => &[SignatureAlgorithm::EdDsa],
            _ => return Ok(None),
        };
        let jwk = Jwk::deserialize(value).map_err(|_| JwkError::Malformed { index })?;
        let common = &jwk.common;
        if common.public_key_use.as_ref().is_some_and(|usage| *usage != PublicKeyUse::Signature) {
            return Ok(None);
        }
        if common.key_operations.as_ref().is_some_and(|ops| !ops.contains(&KeyOperations::Verify)) {
            return Ok(None);
        }
        let algorithms: Vec<_> = by_kind
            .iter()
            .copied()
            .filter(|algorithm| allowed.contains(algorithm))
            .filter(|algorithm| {
                common.key_algorithm.is_none_or(|alg| alg == KeyAlgorithm::from(algorithm.jsonwebtoken()))
            })
            .collect();
        if algorithms.is_empty() {
            return Ok(None);
        }
        let numbers = numbers(index, &jwk)?;
        // A key that cannot verify anything must be found when the policy is loaded, not when a user is refused.
        let prepared: Option<Vec<_>> =
            algorithms.into_iter().map(|algorithm| PreparedKey::new(algorithm, &numbers)).collect();
        let prepared = prepared.ok_or(JwkError::Invalid { index })?;
        Ok(Some(Self { key_id: jwk.common.key_id, prepared, numbers }))
    }
}

/// The numbers of a key, with the size and form of its kind.
fn numbers(index: usize, jwk: &Jwk) -> Result<PublicNumbers, JwkError> {
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| JwkError::Malformed { index });
    match &jwk.algorithm {
        AlgorithmParameters::RSA(rsa) => {
            let (modulus, exponent) = (decode(&rsa.n)?, decode(&rsa.e)?);
            let bits = bit_length(&modulus);
            if !(2048..=8192).contains(&bits) {
                return Err(JwkError::RsaSize { index, bits });
            }
            let odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
            let exponent_fits = (2..=33).contains(&bit_length(&exponent));
            match odd(&modulus) && odd(&exponent) && exponent_fits {
                true => Ok(PublicNumbers::Rsa { modulus, exponent }),
                false => Err(JwkError::Invalid { index }),
            }
        }
        AlgorithmParameters::EllipticCurve(ec) => {
            let length = if ec.curve == EllipticCurve::P256 { 32 } else { 48 };
            let (x, y) = (decode(&ec.x)?, decode(&ec.y)?);
            // RFC 7518 section 6.2.1.2: coordinates have the full length of the field.
            if x.len() != length || y.len() != length {
                return Err(JwkError::Invalid { index });
            }
            Ok(PublicNumbers::Point([&[0x04], x.as_slice(), &y].concat()))
        }
        AlgorithmParameters::OctetKeyPair(okp) => Ok(PublicNumbers::Point(decode(&okp.x)?)),
        // `OctetKey`, `Other` and variants that the library adds.
        _ => Err(JwkError::Malformed { index }),
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
        let others = [
            x25519,
            json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"}),
            json!({"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}),
            with(p256(), "use", json!("enc")),
            with(p256(), "key_ops", json!(["sign"])),
            with(p256(), "alg", json!("ES384")),
            with(rsa(2048), "alg", json!("RSA-OAEP")),
        ];
        assert_eq!(read(&others), Err(JwkError::NoneUsable));
        assert_eq!(read(&[others.as_slice(), &[ed25519()]].concat()), Ok(1));
        assert_eq!(read(&[]), Err(JwkError::NoneUsable));
    }

    #[test]
    fn private_key_material_is_refused_in_any_kind_of_key() {
        for parameter in ["d", "k", "p"] {
            let key = with(ed25519(), parameter, json!("AA"));
            assert_eq!(read(&[ed25519(), key]), Err(JwkError::Private { index: 1, parameter }));
        }
        assert!(matches!(read(&[json!({"kty": "oct", "k": "AA"})]), Err(JwkError::Private { .. })));
    }

    #[test]
    fn weak_and_impossible_keys_are_refused() {
        assert_eq!(read(&[rsa(1024)]), Err(JwkError::RsaSize { index: 0, bits: 1024 }));
        assert_eq!(read(&[rsa(8200)]), Err(JwkError::RsaSize { index: 0, bits: 8200 }));
        for (key, error) in [
            (with(rsa(2048), "e", json!("AQAA")), JwkError::Invalid { index: 0 }),
            (with(rsa(2048), "e", json!("AQ")), JwkError::Invalid { index: 0 }),
            (with(rsa(2048), "n", json!("!")), JwkError::Malformed { index: 0 }),
            (with(rsa(2048), "n", json!(1)), JwkError::Malformed { index: 0 }),
            (
                with(p256(), "y", json!("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU")),
                JwkError::Invalid { index: 0 },
            ),
            (with(p256(), "x", json!("AA")), JwkError::Invalid { index: 0 }),
            (with(ed25519(), "x", json!("AA")), JwkError::Invalid { index: 0 }),
            // RFC 7518 section 6.3.1.1: the fewest octets.
            (
                with(rsa(2048), "n", json!(URL_SAFE_NO_PAD.encode([&[0], [0xff; 256].as_slice()].concat()))),
                JwkError::Invalid { index: 0 },
            ),
            (json!({"kty": "RSA"}), JwkError::Malformed { index: 0 }),
            (json!({}), JwkError::Malformed { index: 0 }),
            (json!(null), JwkError::Malformed { index: 0 }),
        ] {
            assert_eq!(read(std::slice::from_ref(&key)), Err(error), "{key}");
        }
        assert_eq!(read(&vec![ed25519(); 65]), Err(JwkError::TooMany(65)));
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
