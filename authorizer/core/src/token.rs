//! Step 5: from a bearer token to a principal.
//!
//! The order of the checks is that of RFC 8725: the token is parsed strictly, its issuer and key are chosen from what
//! the policy trusts, and no claim is trusted before the signature is verified.

mod algorithm;
mod cache;
mod claims;
mod ed25519;
mod error;
#[cfg(feature = "code-flow")]
mod id_token;
mod issuer;
mod json;
mod judged;
mod jwks;
mod jws;
mod media_type;
mod prepared_key;
mod principal;
mod remote_keys;
mod revocation;
mod ring;
mod secret;
mod trust;

pub use algorithm::{JwsAlgorithm, SignatureAlgorithm};
pub use claims::{SCOPE_CLAIMS, TEXT_CLAIMS, VerifiedClaims, is_scope};
pub use error::TokenError;
#[cfg(feature = "code-flow")]
pub(crate) use id_token::{IdTokenChecks, IdTokenError, nonce_of};
pub(crate) use issuer::KeySource;
pub use issuer::{Issuer, MAX_LEEWAY_SECONDS};
pub use json::parse_claims;
pub use jwks::{JwkError, KeyFacts, KeyProblem, KeySet, PublishedKeysError, SkippedKey, parse_jwk_set};
pub use jws::{Jws, MAX_TOKEN_BYTES};
pub use principal::{Principal, Supposed};
pub use remote_keys::RemoteKeys;
pub use revocation::Revocation;
pub use ring::{COOL_DOWN_SECONDS, RETRY_SECONDS, WantedKey};
pub(crate) use secret::SharedSecret;
pub use secret::{MAX_SECRET_BYTES, MIN_SECRET_BYTES};
pub(crate) use trust::Trust;
pub use trust::{KeysUnavailable, VerifyError, verify};
