//! The private key with which a client proves who it is (RFC 7523 section 2.2), read from its JWK.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use thiserror::Error;

/// A private key that can sign. A policy with one that cannot is not compiled.
pub struct ClientKey {
    key_id: Option<String>,
    pair: Pair,
}

enum Pair {
    Ec(EcdsaKeyPair),
    Rsa(Box<RsaKeyPair>),
}

/// Why a JWK cannot sign. It contains nothing of the key.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum ClientKeyError {
    /// Not an object of JSON with the members of a key, or one of them twice.
    #[error("it is not one JWK in JSON")]
    NoJwk,
    /// A set of keys.
    #[error("it is a set of keys, not one key")]
    Set,
    /// `d` is not there.
    #[error("it is a public key: it does not have `d`")]
    Public,
    /// Neither an EC key on P-256 nor an RSA key.
    #[error("its type is not known here: it must be an EC key on P-256, or an RSA key")]
    Type,
    /// `alg` is another algorithm.
    #[error("its `alg` is not {0}")]
    Algorithm(&'static str),
    /// `use` is `enc`.
    #[error("its `use` is not `sig`")]
    Use,
    /// RSA needs all the numbers (RFC 7518 section 6.3.2).
    #[error("an RSA key must have `n`, `e`, `d`, `p`, `q`, `dp`, `dq` and `qi`")]
    Incomplete,
    /// The numbers do not belong together, or the key is too short.
    #[error("its numbers are not those of a key of 2,048 bits or more")]
    Rsa,
    /// The numbers do not belong together.
    #[error("its `x`, `y` and `d` do not belong together")]
    Ec,
}

/// RFC 7517 section 4, RFC 7518 section 6. Other members are not looked at.
#[derive(Deserialize)]
struct Jwk {
    kty: Option<String>,
    crv: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    keys: Option<serde::de::IgnoredAny>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<String>,
    p: Option<String>,
    q: Option<String>,
    dp: Option<String>,
    dq: Option<String>,
    qi: Option<String>,
}

impl ClientKey {
    /// Reads the text of a JWK.
    ///
    /// # Errors
    /// [`ClientKeyError`] for what cannot sign ES256 or RS256.
    pub fn parse(text: &str) -> Result<Self, ClientKeyError> {
        let jwk: Jwk = serde_json::from_str(text).map_err(|_| ClientKeyError::NoJwk)?;
        if jwk.keys.is_some() {
            return Err(ClientKeyError::Set);
        }
        if jwk.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
            return Err(ClientKeyError::Use);
        }
        let pair = match (jwk.kty.as_deref(), jwk.crv.as_deref()) {
            (Some("EC"), Some("P-256")) => Pair::Ec(ec(&jwk)?),
            (Some("RSA"), _) => Pair::Rsa(Box::new(rsa(&jwk)?)),
            (None, _) => return Err(ClientKeyError::NoJwk),
            (Some(_), _) => return Err(ClientKeyError::Type),
        };
        let key = Self { key_id: jwk.kid, pair };
        match jwk.alg.as_deref().is_none_or(|alg| alg == key.algorithm()) {
            true => Ok(key),
            false => Err(ClientKeyError::Algorithm(key.algorithm())),
        }
    }

    /// The `alg` of what it signs: `ES256` or `RS256`.
    pub fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Ec(_) => "ES256",
            Pair::Rsa(_) => "RS256",
        }
    }

    /// Its `kid`, by which the provider finds the public key.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The signature of a message, as a JWS has it (RFC 7518 sections 3.3 and 3.4). `None` only if the machine has no
    /// randomness or no memory.
    pub fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ec(pair) => Some(pair.sign(&random, message).ok()?.as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).ok()?;
                Some(signature)
            }
        }
    }
}

/// By the public half, which a private key has one of: two texts can be of the same key.
impl PartialEq for ClientKey {
    fn eq(&self, other: &Self) -> bool {
        let public = |key: &Self| match &key.pair {
            Pair::Ec(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Rsa(pair) => pair.public_key().as_ref().to_vec(),
        };
        self.key_id == other.key_id && self.algorithm() == other.algorithm() && public(self) == public(other)
    }
}

impl Eq for ClientKey {}

/// The key must not appear in a log.
impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientKey").field("algorithm", &self.algorithm()).finish_non_exhaustive()
    }
}

fn bytes_of(member: Option<&String>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(member?).ok()
}

fn ec(jwk: &Jwk) -> Result<EcdsaKeyPair, ClientKeyError> {
    let d = bytes_of(Some(jwk.d.as_ref().ok_or(ClientKeyError::Public)?)).ok_or(ClientKeyError::Ec)?;
    let (x, y) = bytes_of(jwk.x.as_ref()).zip(bytes_of(jwk.y.as_ref())).ok_or(ClientKeyError::Ec)?;
    // SEC 1 section 2.3.3: an uncompressed point.
    let mut point = vec![4];
    point.extend(x);
    point.extend(y);
    EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, &d, &point)
        .map_err(|_| ClientKeyError::Ec)
}

fn rsa(jwk: &Jwk) -> Result<RsaKeyPair, ClientKeyError> {
    if jwk.d.is_none() {
        return Err(ClientKeyError::Public);
    }
    let number = |member: &Option<String>| bytes_of(member.as_ref()).ok_or(ClientKeyError::Incomplete);
    let components = KeyPairComponents {
        public_key: PublicKeyComponents { n: number(&jwk.n)?, e: number(&jwk.e)? },
        d: number(&jwk.d)?,
        p: number(&jwk.p)?,
        q: number(&jwk.q)?,
        dP: number(&jwk.dp)?,
        dQ: number(&jwk.dq)?,
        qInv: number(&jwk.qi)?,
    };
    RsaKeyPair::from_components(&components).map_err(|_| ClientKeyError::Rsa)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// RFC 7517 appendix A.2.
    fn ec_key() -> Value {
        json!({"kty": "EC", "crv": "P-256", "kid": "1",
            "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
            "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"})
    }

    #[test]
    fn a_key_signs_what_its_public_half_verifies() {
        use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
        let key = ClientKey::parse(&ec_key().to_string()).unwrap();
        assert_eq!((key.algorithm(), key.key_id()), ("ES256", Some("1")));
        let mut point = vec![4];
        for member in ["x", "y"] {
            point.extend(URL_SAFE_NO_PAD.decode(ec_key()[member].as_str().unwrap()).unwrap());
        }
        let signature = key.sign(b"a message").unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(b"a message", &signature).unwrap();
        assert!(!format!("{key:?}").contains("870MB6"));
    }

    #[test]
    fn a_key_is_the_same_however_its_jwk_is_written() {
        let parse = |jwk: &Value| ClientKey::parse(&format!("{jwk:#}")).unwrap();
        let (key, mut other) = (ec_key(), ec_key());
        assert_eq!(parse(&key), ClientKey::parse(&key.to_string()).unwrap());
        other["kid"] = json!("2");
        assert_ne!(parse(&key), parse(&other));
        // RFC 7515 appendix A.3.
        for (member, value) in [
            ("kid", "1"),
            ("x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
            ("y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
            ("d", "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"),
        ] {
            other[member] = json!(value);
        }
        assert_ne!(parse(&key), parse(&other));
    }

    #[test]
    fn a_key_that_cannot_sign_says_why() {
        for (change, value, error) in [
            ("d", Value::Null, ClientKeyError::Public),
            ("d", json!("870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAF"), ClientKeyError::Ec),
            ("d", json!("AAAA"), ClientKeyError::Ec),
            ("x", Value::Null, ClientKeyError::Ec),
            ("crv", json!("P-384"), ClientKeyError::Type),
            ("kty", json!("OKP"), ClientKeyError::Type),
            ("kty", Value::Null, ClientKeyError::NoJwk),
            ("kty", json!("RSA"), ClientKeyError::Incomplete),
            ("alg", json!("ES384"), ClientKeyError::Algorithm("ES256")),
            ("use", json!("enc"), ClientKeyError::Use),
            ("keys", json!([]), ClientKeyError::Set),
        ] {
            let mut jwk = ec_key();
            jwk[change] = value.clone();
            assert_eq!(ClientKey::parse(&jwk.to_string()).err(), Some(error), "{change} = {value}");
        }
        for text in ["", "[]", "7", "-----BEGIN PRIVATE KEY-----", r#"{"kty":"EC","kty":"RSA"}"#] {
            assert_eq!(ClientKey::parse(text).err(), Some(ClientKeyError::NoJwk), "{text}");
        }
    }
}
