//! Any bytes as a bundle: no panic.
#![no_main]

use authorizer_core::Bundle;
use authorizer_core::policy::Policy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Bundle::read(bytes);
    // Past the digest, which no random bytes pass.
    if let Ok(document) = serde_json::from_slice(bytes)
        && Policy::compile(&document).is_ok()
    {
        let written = Bundle::write(&document).unwrap();
        assert!(Bundle::read(&written).is_ok());
    }
});
