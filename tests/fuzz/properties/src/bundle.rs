//! Any bytes as a bundle: a policy that compiles is written as a bundle that can be read.

use authorizer_core::policy::Policy;
use authorizer_core::policy::document::PolicyDocument;
use authorizer_core::{Bundle, BundleError};

/// Checks the property; panics if it does not hold.
pub fn check(bytes: &[u8]) {
    // Any result is fine: random bytes cannot have the right digest, so the rest skips the digest.
    let _ = Bundle::read(bytes);
    let Ok(document) = serde_json::from_slice::<PolicyDocument>(bytes) else { return };
    let compiles = Policy::compile(&document).is_ok();
    match Bundle::write(&document) {
        Ok(written) => {
            assert!(compiles);
            assert!(Bundle::read(&written).is_ok());
        }
        Err(BundleError::TooLarge) => {}
        Err(error) => assert!(!compiles, "{error}"),
    }
}
