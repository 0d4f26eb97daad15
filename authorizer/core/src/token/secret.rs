//! A secret that an issuer shares with this service, for tokens with HMAC (RFC 7518 section 3.2).

use std::fmt;

use aws_lc_rs::hmac;
use thiserror::Error;

use crate::digest::sha256;

/// The shortest secret, in bytes: the length of the hash, as RFC 7518 section 3.2 requires.
pub const MIN_SECRET_BYTES: usize = 32;

/// The longest secret, in bytes.
pub const MAX_SECRET_BYTES: usize = 4096;

/// A secret, ready to verify HS256 and no other algorithm.
///
/// INVARIANT: it comes from the policy's `secret`, never from a JWK set, so a published key is never used as a secret
/// (RFC 8725 section 2.1).
#[derive(Clone)]
pub(crate) struct SharedSecret {
    key: Box<hmac::Key>,
    sha256: [u8; 32],
}

/// Why bytes are not a secret.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub(crate) enum SecretError {
    #[error(
        "the secret has {0} bytes, fewer than the {MIN_SECRET_BYTES} that HS256 needs (RFC 7518 section 3.2)"
    )]
    TooShort(usize),
    #[error("the secret has {0} bytes, more than {MAX_SECRET_BYTES}")]
    TooLong(usize),
}

impl SharedSecret {
    pub(crate) fn new(bytes: &[u8]) -> Result<Self, SecretError> {
        match bytes.len() {
            length @ ..MIN_SECRET_BYTES => Err(SecretError::TooShort(length)),
            length if length > MAX_SECRET_BYTES => Err(SecretError::TooLong(length)),
            _ => Ok(Self { key: Box::new(hmac::Key::new(hmac::HMAC_SHA256, bytes)), sha256: sha256(bytes) }),
        }
    }

    /// Whether both are the same secret.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.sha256 == other.sha256
    }

    /// Whether the signature is the HMAC of the message with this secret. The library compares in constant time.
    pub(super) fn verifies(&self, signature: &[u8], message: &[u8]) -> bool {
        hmac::verify(&self.key, message, signature).is_ok()
    }
}

/// The secret must not appear in a log.
impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSecret").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_the_length_of_its_hash_and_is_not_printed() {
        assert_eq!(SharedSecret::new(&[b'x'; 31]).err(), Some(SecretError::TooShort(31)));
        assert_eq!(SharedSecret::new(&[b'x'; 4097]).err(), Some(SecretError::TooLong(4097)));
        let secret = SharedSecret::new(&[b'x'; 32]).unwrap();
        assert_eq!(format!("{secret:?}"), "SharedSecret { .. }");
    }

    /// RFC 7515 appendix A.1.
    #[test]
    fn the_rfcs_example_verifies() {
        use base64::Engine as _;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let secret = URL_SAFE_NO_PAD
            .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .unwrap();
        let secret = SharedSecret::new(&secret).unwrap();
        let message = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = URL_SAFE_NO_PAD.decode("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
        assert!(secret.verifies(&signature, message.as_bytes()));
        assert!(!secret.verifies(&signature, b"another message"));
        assert!(!secret.verifies(&[], message.as_bytes()));
    }
}
