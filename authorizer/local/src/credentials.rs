//! The pair of keys that the distribution signs with and the bucket verifies.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::random::{RandomError, bytes};

/// An access key and its secret.
#[derive(Clone, Eq, PartialEq)]
pub struct Credentials {
    access_key: String,
    secret_key: String,
}

impl Credentials {
    /// The given credentials.
    pub fn new(access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self { access_key: access_key.into(), secret_key: secret_key.into() }
    }

    /// New random credentials: the bucket refuses everybody who does not come through the distribution.
    ///
    /// # Errors
    /// [`RandomError`] if the machine cannot give random bytes.
    pub fn random() -> Result<Self, RandomError> {
        let id: String = bytes::<8>()?.iter().map(|b| format!("{b:02X}")).collect();
        Ok(Self { access_key: format!("LOCL{id}"), secret_key: URL_SAFE_NO_PAD.encode(bytes::<30>()?) })
    }

    /// The access key id.
    pub fn access_key(&self) -> &str {
        &self.access_key
    }

    /// The secret.
    pub fn secret_key(&self) -> &str {
        &self.secret_key
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_credentials_differ_and_never_print_the_secret() {
        let (a, b) = (Credentials::random().unwrap(), Credentials::random().unwrap());
        assert_ne!(a, b);
        assert_eq!((a.access_key().len(), a.secret_key().len()), (20, 40));
        assert!(!format!("{a:?}").contains(a.secret_key()));
    }
}
