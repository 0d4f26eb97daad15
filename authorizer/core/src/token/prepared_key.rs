//! Keys that are parsed when the policy is loaded, not once per token.
//!
//! `jsonwebtoken` verifies with any implementation of its [`JwtVerifier`]. Its own implementations parse the key for
//! every token. These keep the parsed key, and use the cryptography of the same library, aws-lc.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use jsonwebtoken::crypto::JwtVerifier;
use jsonwebtoken::signature::{Error, Verifier};

use super::algorithm::SignatureAlgorithm;
use crate::digest::sha256;

/// The numbers of a public key (RFC 7518 section 6, RFC 8037 section 2).
#[derive(Clone, Debug)]
pub(super) enum PublicNumbers {
    /// The modulus and the exponent, big-endian, without leading zeros.
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    /// An uncompressed point (SEC 1 section 2.3.3), or an Ed25519 key.
    Point(Vec<u8>),
}

impl PublicNumbers {
    /// RFC 7638 section 3: the SHA-256 of the members that make the key what it is, in base64url.
    pub(super) fn thumbprint(&self) -> String {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let canonical = match self {
            Self::Rsa { modulus, exponent } => {
                format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(exponent), encode(modulus))
            }
            // SEC 1: the form, then both coordinates.
            Self::Point(point) => match point.split_first() {
                Some((0x04, rest)) if rest.len() > 32 => {
                    let (x, y) = rest.split_at(rest.len() / 2);
                    let curve = if x.len() == 32 { "P-256" } else { "P-384" };
                    format!(r#"{{"crv":"{curve}","kty":"EC","x":"{}","y":"{}"}}"#, encode(x), encode(y))
                }
                _ => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(point)),
            },
        };
        encode(&sha256(canonical.as_bytes()))
    }
}

/// A parsed public key, for one algorithm.
#[derive(Clone)]
pub(super) struct PreparedKey {
    algorithm: SignatureAlgorithm,
    key: ParsedPublicKey,
}

impl PreparedKey {
    /// Parses a key for an algorithm of its kind; `None` if the numbers are not a key.
    pub(super) fn new(algorithm: SignatureAlgorithm, numbers: &PublicNumbers) -> Option<Self> {
        let key = match numbers {
            PublicNumbers::Rsa { modulus: n, exponent: e } => {
                RsaPublicKeyComponents { n, e }.to_parsed_public_key(rsa_parameters(algorithm)?)
            }
            PublicNumbers::Point(point) => ParsedPublicKey::new(curve(algorithm)?, point),
        };
        Some(Self { algorithm, key: key.ok()? })
    }

    /// Its algorithm.
    pub(super) fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for PreparedKey {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), Error> {
        self.key.verify_sig(message, signature).map_err(|_| Error::new())
    }
}

impl JwtVerifier for PreparedKey {
    fn algorithm(&self) -> Algorithm {
        self.algorithm.jsonwebtoken()
    }
}

/// The numbers of a public key are not secret, but long.
impl fmt::Debug for PreparedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PreparedKey").field(&self.algorithm).finish()
    }
}

fn rsa_parameters(algorithm: SignatureAlgorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        SignatureAlgorithm::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        SignatureAlgorithm::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        SignatureAlgorithm::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        SignatureAlgorithm::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
        SignatureAlgorithm::Ps384 => Some(&RSA_PSS_2048_8192_SHA384),
        SignatureAlgorithm::Ps512 => Some(&RSA_PSS_2048_8192_SHA512),
        SignatureAlgorithm::Es256 | SignatureAlgorithm::Es384 | SignatureAlgorithm::EdDsa => None,
    }
}

fn curve(algorithm: SignatureAlgorithm) -> Option<&'static dyn VerificationAlgorithm> {
    match algorithm {
        SignatureAlgorithm::Es256 => Some(&ECDSA_P256_SHA256_FIXED),
        SignatureAlgorithm::Es384 => Some(&ECDSA_P384_SHA384_FIXED),
        SignatureAlgorithm::EdDsa => Some(&ED25519),
        SignatureAlgorithm::Rs256
        | SignatureAlgorithm::Rs384
        | SignatureAlgorithm::Rs512
        | SignatureAlgorithm::Ps256
        | SignatureAlgorithm::Ps384
        | SignatureAlgorithm::Ps512 => None,
    }
}
