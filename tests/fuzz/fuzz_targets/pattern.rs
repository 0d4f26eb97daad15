//! Any pattern against any key: no panic, no blow-up, and a pattern prints as it was written.
#![no_main]

use authorizer_core::key::ObjectKey;
use authorizer_core::rules::KeyPattern;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, String)| {
    let (pattern, key) = input;
    if let (Ok(pattern_read), Ok(key)) = (KeyPattern::parse(pattern), ObjectKey::new(key)) {
        pattern_read.matches(&key, None);
        assert_eq!(pattern_read.to_string(), pattern);
    }
});
