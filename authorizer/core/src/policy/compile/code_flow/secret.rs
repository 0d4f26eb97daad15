//! A secret of the policy.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::super::document::SecretDocument;
use super::super::super::problem::{Place, Problems};

/// The bytes of a secret, as a bundle has them.
pub(super) fn read_secret(
    secret: &SecretDocument,
    place: &Place,
    problems: &mut Problems,
) -> Option<Vec<u8>> {
    let (message, remedy) = match (&secret.file, &secret.value) {
        (None, Some(value)) => match URL_SAFE_NO_PAD.decode(value) {
            Ok(bytes) => return Some(bytes),
            Err(_) => ("the secret is not in base64url", "package the policy with `authorizer package`"),
        },
        (Some(_), None) => ("the file was not read", "package the policy with `authorizer package`"),
        (None, None) | (Some(_), Some(_)) => {
            ("a secret must come from one file", "write `{ file = \"NAME\" }`")
        }
    };
    problems.add(place.clone(), message, remedy);
    None
}
