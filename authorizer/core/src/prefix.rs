//! The prefix of a listing.

use std::fmt;

use crate::key::{KeyError, MAX_KEY_BYTES, ObjectKey};

/// The beginning of object keys: whole segments, and then the beginning of one more segment.
///
/// INVARIANT: at most 1,024 bytes; no control character, no backslash; no whole segment is empty, `.` or
/// `..`, because no valid key has such a segment.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct KeyPrefix(String);

impl KeyPrefix {
    /// Takes a prefix that is already decoded. It may be empty.
    ///
    /// # Errors
    /// [`KeyError`] when no valid object key begins like this.
    pub fn new(prefix: String) -> Result<Self, KeyError> {
        let whole = prefix.rfind('/').map_or("", |slash| prefix.get(..=slash).unwrap_or_default());
        if !whole.is_empty() {
            ObjectKey::new(whole.to_owned())?;
        }
        // The beginning of a segment may be `.`, as in `.config`.
        if prefix.chars().any(char::is_control) {
            return Err(KeyError::ControlCharacter);
        }
        if prefix.contains('\\') {
            return Err(KeyError::Backslash);
        }
        if prefix.len() > MAX_KEY_BYTES {
            return Err(KeyError::TooLong);
        }
        Ok(Self(prefix))
    }

    /// The prefix, decoded.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The whole segments, and the beginning of the one after them.
    pub fn parts(&self) -> (Vec<&str>, &str) {
        let mut segments: Vec<&str> = self.0.split('/').collect();
        let rest = segments.pop().unwrap_or_default();
        (segments, rest)
    }
}

impl fmt::Display for KeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_whole_segments_and_the_beginning_of_one() {
        for (text, whole, rest) in [
            ("", vec![], ""),
            ("a", vec![], "a"),
            ("a/", vec!["a"], ""),
            ("a/b/c", vec!["a", "b"], "c"),
            ("a/.", vec!["a"], "."),
            ("a/..", vec!["a"], ".."),
        ] {
            assert_eq!(KeyPrefix::new(text.into()).unwrap().parts(), (whole, rest), "{text}");
        }
        for (text, error) in [
            ("/", KeyError::EmptySegment),
            ("/a", KeyError::EmptySegment),
            ("a//", KeyError::EmptySegment),
            ("a//b", KeyError::EmptySegment),
            ("../", KeyError::DotSegment),
            ("a/./b", KeyError::DotSegment),
            ("a\n", KeyError::ControlCharacter),
            ("a\\b", KeyError::Backslash),
        ] {
            assert_eq!(KeyPrefix::new(text.into()), Err(error), "{text}");
        }
        assert_eq!(KeyPrefix::new("a".repeat(1025)), Err(KeyError::TooLong));
    }
}
