//! Any text as a path: an accepted path is forwarded in a form that S3 decodes to the same key.

use authorizer_core::key::ObjectKey;
use percent_encoding::percent_decode_str;

/// Checks the property; panics if it does not hold.
pub fn check(uri: &str) {
    let Ok(key) = ObjectKey::from_uri(uri) else { return };
    let forwarded = key.to_uri();
    let decoded: Vec<u8> = percent_decode_str(forwarded.strip_prefix('/').unwrap()).collect();
    assert_eq!(decoded, key.as_str().as_bytes());
    assert!(forwarded.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'+' && byte != b'#'));
    assert_eq!(ObjectKey::from_uri(&forwarded), Ok(key));
}
