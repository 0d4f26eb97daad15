//! Any pattern against any key: no panic, no blow-up, and a pattern prints as it was written.
#![no_main]

use authorizer_core::key::ObjectKey;
use authorizer_core::prefix::KeyPrefix;
use authorizer_core::rules::{Claims, KeyPattern};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, String)| {
    let (pattern, key) = input;
    let Ok(pattern_read) = KeyPattern::parse(pattern) else { return };
    assert_eq!(pattern_read.to_string(), pattern);
    let matches = match ObjectKey::new(key.clone()) {
        Ok(key) => pattern_read.matches(&key, Claims::None),
        Err(_) => return,
    };
    // A key begins with itself, so a listing by it is of it too.
    if let Ok(prefix) = KeyPrefix::new(key) {
        assert!(matches || !pattern_read.holds_all(&prefix, Claims::None));
        assert!(!matches || pattern_read.holds_any(&prefix, Claims::None));
    }
});
