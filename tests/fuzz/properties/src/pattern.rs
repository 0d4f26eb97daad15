//! Any pattern, and on the next line any key: matching stays fast, a pattern prints as it was written, and if it
//! matches a key, it also matches a listing with that key as the prefix.

use authorizer_core::key::ObjectKey;
use authorizer_core::prefix::KeyPrefix;
use authorizer_core::rules::{Claims, KeyPattern};

/// Checks the property; panics if it does not hold.
pub fn check(lines: &str) {
    let (pattern, key) = lines.split_once('\n').unwrap_or((lines, ""));
    let Ok(pattern_read) = KeyPattern::parse(pattern) else { return };
    assert_eq!(pattern_read.to_string(), pattern);
    let Ok(object) = ObjectKey::new(key.to_owned()) else { return };
    let matches = pattern_read.matches(&object, Claims::None);
    // A key begins with itself, so a listing with it as the prefix includes it.
    if let Ok(prefix) = KeyPrefix::new(key.to_owned()) {
        assert!(matches || !pattern_read.holds_all(&prefix, Claims::None));
        assert!(!matches || pattern_read.holds_any(&prefix, Claims::None));
    }
}
