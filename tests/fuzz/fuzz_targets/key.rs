//! Any text as a path: what is accepted is forwarded in a form that S3 decodes to the same key.
#![no_main]

use authorizer_core::key::ObjectKey;
use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;

fuzz_target!(|uri: &str| {
    if let Ok(key) = ObjectKey::from_uri(uri) {
        let forwarded = key.to_uri();
        let decoded: Vec<u8> = percent_decode_str(forwarded.strip_prefix('/').unwrap()).collect();
        assert_eq!(decoded, key.as_str().as_bytes());
        assert_eq!(ObjectKey::from_uri(&forwarded), Ok(key));
        assert!(forwarded.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'+' && byte != b'#'));
    }
});
