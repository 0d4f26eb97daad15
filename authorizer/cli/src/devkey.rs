//! Key pairs for development: this makes them, keeps them as PEM, and signs with them. Production keys never leave the
//! identity provider.

use std::path::{Path, PathBuf};

use authorizer_core::token::SignatureAlgorithm;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{EncodingKey, Header};
use miette::Diagnostic;
use serde_json::Value;
use thiserror::Error;

use crate::input::read_limited;

/// The longest key file that is read, in bytes: an RSA key of 8,192 bits takes 6,400.
const MAX_PEM_BYTES: usize = 64 * 1024;

/// What the names of the key files of `authorizer serve --dev-issuer` begin with.
pub(crate) const DEVELOPMENT_ONLY_FILE: &str = "development-only-";

/// The member of a JWK that marks a key of `authorizer serve --dev-issuer`, which `authorizer package` refuses.
pub(crate) const DEVELOPMENT_ONLY: &str = "development_only";

/// Why a key cannot be used.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum DevKeyError {
    /// A key file cannot be used, or not with this algorithm.
    #[error("`{path}`: {message}")]
    #[diagnostic(help("make a key pair with `authorizer token keygen NAME`"))]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A token cannot be signed.
    #[error("the token cannot be signed: {0}")]
    #[diagnostic(help("make a key pair with `authorizer token keygen NAME`"))]
    Sign(#[source] jsonwebtoken::errors::Error),
}

/// A private key, and the algorithm that it signs with.
pub(crate) struct DevKey {
    algorithm: SignatureAlgorithm,
    key: EncodingKey,
}

impl DevKey {
    /// A new private key, as PEM (PKCS #8, RFC 5958). RSA keys have 2,048 bits.
    pub(crate) fn generate_pem(algorithm: SignatureAlgorithm) -> Result<String, Unspecified> {
        let der: Vec<u8> = match algorithm {
            SignatureAlgorithm::Es256 => {
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?.to_pkcs8v1()?.as_ref().to_vec()
            }
            SignatureAlgorithm::Es384 => {
                EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING)?.to_pkcs8v1()?.as_ref().to_vec()
            }
            SignatureAlgorithm::EdDsa => Ed25519KeyPair::generate()?.to_pkcs8v1()?.as_ref().to_vec(),
            SignatureAlgorithm::Rs256
            | SignatureAlgorithm::Rs384
            | SignatureAlgorithm::Rs512
            | SignatureAlgorithm::Ps256
            | SignatureAlgorithm::Ps384
            | SignatureAlgorithm::Ps512 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
                let der: Pkcs8V1Der<'_> = pair.as_der()?;
                der.as_ref().to_vec()
            }
        };
        let text = STANDARD.encode(der);
        let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
        // RFC 7468 section 2: lines of 64 characters.
        let mut rest = text.as_str();
        while let Some((line, more)) = rest.split_at_checked(64) {
            pem.push_str(line);
            pem.push('\n');
            rest = more;
        }
        if !rest.is_empty() {
            pem.push_str(rest);
            pem.push('\n');
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        Ok(pem)
    }

    /// Reads a private key. Its kind decides the algorithm. An RSA key signs with RS256 unless another one is `asked`
    /// for.
    pub(crate) fn read(path: &Path, asked: Option<SignatureAlgorithm>) -> miette::Result<Self> {
        let pem = read_limited(path, MAX_PEM_BYTES)?;
        Ok(Self::from_pem(&pem, asked)
            .map_err(|message| DevKeyError::Unusable { path: path.to_owned(), message })?)
    }

    /// A new private key that is in no file.
    pub(crate) fn generate(algorithm: SignatureAlgorithm) -> Result<Self, Unspecified> {
        let pem = Self::generate_pem(algorithm)?;
        Self::from_pem(pem.as_bytes(), Some(algorithm)).map_err(|_| Unspecified)
    }

    fn from_pem(pem: &[u8], asked: Option<SignatureAlgorithm>) -> Result<Self, String> {
        let found = [
            (SignatureAlgorithm::EdDsa, EncodingKey::from_ed_pem(pem)),
            (SignatureAlgorithm::Es256, EncodingKey::from_ec_pem(pem)),
            (SignatureAlgorithm::Es384, EncodingKey::from_ec_pem(pem)),
            (SignatureAlgorithm::Rs256, EncodingKey::from_rsa_pem(pem)),
        ]
        .into_iter()
        .filter_map(|(algorithm, key)| key.ok().map(|key| Self { algorithm, key }))
        .find(|key| key.jwk().is_ok())
        .ok_or("this is not a private key in PEM (PKCS #8: RSA, P-256, P-384 or Ed25519)")?;
        match asked {
            None => Ok(found),
            Some(algorithm) => {
                let asked = Self { algorithm, key: found.key };
                let fits = asked.key.family() == algorithm.jsonwebtoken().family() && asked.jwk().is_ok();
                if fits { Ok(asked) } else { Err(format!("this key cannot sign with {}", algorithm.name())) }
            }
        }
    }

    /// What it signs with.
    pub(crate) fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The public half as a JWK (RFC 7517), with its thumbprint (RFC 7638) as key id.
    pub(crate) fn jwk(&self) -> Result<Jwk, jsonwebtoken::errors::Error> {
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm.jsonwebtoken())?;
        jwk.common.key_id = Some(jwk.thumbprint(ThumbprintHash::SHA256)?);
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(jwk)
    }

    /// Signs a token of the type `token_type`.
    pub(crate) fn sign(&self, token_type: &str, claims: &Value) -> Result<String, DevKeyError> {
        let mut header = Header::new(self.algorithm.jsonwebtoken());
        header.typ = Some(token_type.to_owned());
        header.kid = self.jwk().map_err(DevKeyError::Sign)?.common.key_id;
        jsonwebtoken::encode(&header, claims, &self.key).map_err(DevKeyError::Sign)
    }

    /// The signature of a text, in base64url: the third part of a token whose first two are the text.
    pub(crate) fn signature(&self, text: &str) -> Result<String, jsonwebtoken::errors::Error> {
        jsonwebtoken::crypto::sign(text.as_bytes(), &self.key, self.algorithm.jsonwebtoken())
    }
}
