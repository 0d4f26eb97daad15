//! Step 2: the object key, decoded from the path once.
//!
//! S3 decodes the path of a request once and takes the bytes as the key: `%2F` is `/`, `%252F` is the
//! three characters `%2F`, and a raw `+` is a space
//! ([AWS: naming objects](https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html)).
//! A path that two readers could read as two keys is refused.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use thiserror::Error;

/// The greatest length of an object key, in bytes of UTF-8.
pub const MAX_KEY_BYTES: usize = 1024;

/// The key that no request with the bucket in the host name can have
/// ([AWS: naming objects](https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html)).
pub(crate) const SOAP: &str = "soap";

/// Keeps RFC 3986 section 2.3's unreserved characters and the slash. This is also the canonical URI of SigV4, so
/// CloudFront signs, and S3 reads, the key that was decided on.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// An S3 object key that has exactly one meaning.
///
/// INVARIANT: 1 to 1,024 bytes of UTF-8; no control character, no backslash; no segment is `.` or `..`;
/// no segment is empty except the last, so that `a/` is a key of its own.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ObjectKey(String);

/// Why a path does not contain a valid object key.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum KeyError {
    /// Empty, or only `/`.
    #[error("the path does not contain an object key")]
    Missing,
    /// A `%` without two hexadecimal digits.
    #[error("a % without two hexadecimal digits")]
    EscapeMalformed,
    /// The decoded path is not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// `//`, encoded or not.
    #[error("an empty segment")]
    EmptySegment,
    /// A segment `.` or `..`, encoded or not.
    #[error("a segment . or ..")]
    DotSegment,
    /// U+0000 to U+001F or U+007F to U+009F, encoded or not.
    #[error("a control character")]
    ControlCharacter,
    /// A backslash, encoded or not: some clients and tools treat it as a slash.
    #[error("a backslash")]
    Backslash,
    /// A raw `+`: a plus in RFC 3986, a space to S3.
    #[error("a raw +")]
    RawPlus,
    /// A raw space, `#` or `?`: CloudFront refuses the first two in a `uri`; the third ends a path.
    #[error("a raw space, # or ?")]
    RawDelimiter,
    /// `soap`, which S3 takes for its SOAP interface where the bucket is in the host name, as it is for CloudFront.
    #[error("the key soap")]
    Soap,
    /// More than [`MAX_KEY_BYTES`].
    #[error("longer than 1,024 bytes")]
    TooLong,
}

impl ObjectKey {
    /// Reads the `uri` of a CloudFront request: the path as the viewer sent it.
    ///
    /// ```
    /// use authorizer_core::key::{KeyError, ObjectKey};
    ///
    /// let key = ObjectKey::from_uri("/users/alice/Caf%C3%A9.txt")?;
    /// assert_eq!(key.as_str(), "users/alice/Café.txt");
    ///
    /// // Two readers could take these for two keys.
    /// assert_eq!(ObjectKey::from_uri("/users/alice/%2E%2E/bob"), Err(KeyError::DotSegment));
    /// assert_eq!(ObjectKey::from_uri("/a+b"), Err(KeyError::RawPlus));
    /// # Ok::<(), KeyError>(())
    /// ```
    ///
    /// # Errors
    /// [`KeyError`] when the path does not contain a key, or when another reader could read it as another key.
    pub fn from_uri(uri: &str) -> Result<Self, KeyError> {
        let path = uri.strip_prefix('/').ok_or(KeyError::Missing)?;
        check_raw(path)?;
        let key = percent_decode_str(path).decode_utf8().map_err(|_| KeyError::NotUtf8)?;
        match key == SOAP {
            true => Err(KeyError::Soap),
            false => Self::new(key.into_owned()),
        }
    }

    /// Takes a key that is already decoded, such as a key in a policy test.
    ///
    /// # Errors
    /// [`KeyError`] when it breaks the invariant of the type.
    pub fn new(key: String) -> Result<Self, KeyError> {
        if key.is_empty() {
            return Err(KeyError::Missing);
        }
        if key.len() > MAX_KEY_BYTES {
            return Err(KeyError::TooLong);
        }
        // Nearly every key has no other bytes, and then each is looked at once.
        let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'\\';
        if !key.bytes().all(is_plain) {
            if key.chars().any(char::is_control) {
                return Err(KeyError::ControlCharacter);
            }
            if key.contains('\\') {
                return Err(KeyError::Backslash);
            }
        }
        let mut segments = key.as_bytes().split(|byte| *byte == b'/').peekable();
        while let Some(segment) = segments.next() {
            match segment {
                b"." | b".." => return Err(KeyError::DotSegment),
                // The last segment may be empty, unless it is the only one: `a/` is a key, `/` is not.
                b"" if segments.peek().is_some() => return Err(KeyError::EmptySegment),
                _ => {}
            }
        }
        Ok(Self(key))
    }

    /// The key as S3 stores it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key, as an owned value.
    pub(crate) fn into_string(self) -> String {
        self.0
    }

    /// The parts between the slashes. The last is empty when the key ends in a slash.
    pub fn segments(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.split('/')
    }

    /// The only `uri` for this key. S3 decodes it to exactly this key.
    pub fn to_uri(&self) -> String {
        let mut uri = String::with_capacity(self.0.len().saturating_add(1));
        uri.push('/');
        uri.extend(utf8_percent_encode(&self.0, ENCODED));
        uri
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Checks what is only visible before decoding: malformed escapes, and raw characters with an ambiguous meaning.
fn check_raw(path: &str) -> Result<(), KeyError> {
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digits = (bytes.next(), bytes.next());
                if !matches!(digits, (Some(a), Some(b)) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()) {
                    return Err(KeyError::EscapeMalformed);
                }
            }
            b'+' => return Err(KeyError::RawPlus),
            b' ' | b'#' | b'?' => return Err(KeyError::RawDelimiter),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(uri: &str) -> Result<String, KeyError> {
        ObjectKey::from_uri(uri).map(|key| key.0)
    }

    #[test]
    fn a_path_is_decoded_exactly_once() {
        for (uri, expected) in [
            ("/a", "a"),
            ("/a/b.txt", "a/b.txt"),
            ("/a%2Fb", "a/b"),
            ("/a%2fb", "a/b"),
            ("/a%252Fb", "a%2Fb"),
            ("/a%20b", "a b"),
            ("/a%2Bb", "a+b"),
            ("/%E2%82%AC", "€"),
            ("/€", "€"),
            ("/dir/", "dir/"),
            ("/a%25", "a%"),
            ("/...", "..."),
            ("/.hidden", ".hidden"),
            ("/soap/", "soap/"),
            ("/a/soap", "a/soap"),
            ("/Soap", "Soap"),
            ("/a|b^c`d{e}", "a|b^c`d{e}"),
            ("/a:b@c!$&'()*,;=", "a:b@c!$&'()*,;="),
        ] {
            assert_eq!(key(uri).as_deref(), Ok(expected), "{uri}");
        }
    }

    #[test]
    fn the_two_normal_forms_of_a_letter_are_two_keys() {
        assert_ne!(key("/%C3%A9"), key("/e%CC%81"));
    }

    #[test]
    fn a_path_with_no_key_or_with_two_meanings_is_refused() {
        for (uri, expected) in [
            ("", KeyError::Missing),
            ("/", KeyError::Missing),
            ("a", KeyError::Missing),
            ("//", KeyError::EmptySegment),
            ("//a", KeyError::EmptySegment),
            ("/a//b", KeyError::EmptySegment),
            ("/a//", KeyError::EmptySegment),
            ("/a/%2Fb", KeyError::EmptySegment),
            ("/%2F", KeyError::EmptySegment),
            ("/.", KeyError::DotSegment),
            ("/a/../b", KeyError::DotSegment),
            ("/a/%2e%2E/b", KeyError::DotSegment),
            ("/a/.%2e", KeyError::DotSegment),
            ("/a%2F..%2Fb", KeyError::DotSegment),
            ("/a%00", KeyError::ControlCharacter),
            ("/a%0D%0Ab", KeyError::ControlCharacter),
            ("/a\u{7f}", KeyError::ControlCharacter),
            ("/%C2%85", KeyError::ControlCharacter),
            ("/a\\b", KeyError::Backslash),
            ("/a%5Cb", KeyError::Backslash),
            ("/a+b", KeyError::RawPlus),
            ("/a b", KeyError::RawDelimiter),
            ("/a#b", KeyError::RawDelimiter),
            ("/a?b", KeyError::RawDelimiter),
            ("/soap", KeyError::Soap),
            ("/%73oap", KeyError::Soap),
            ("/%", KeyError::EscapeMalformed),
            ("/%2", KeyError::EscapeMalformed),
            ("/%zz", KeyError::EscapeMalformed),
            ("/%+1", KeyError::EscapeMalformed),
            ("/%%32%46", KeyError::EscapeMalformed),
            ("/%FF", KeyError::NotUtf8),
            ("/%E9", KeyError::NotUtf8),
            ("/%C0%AF", KeyError::NotUtf8),
            ("/%ED%A0%80", KeyError::NotUtf8),
        ] {
            assert_eq!(key(uri), Err(expected), "{uri}");
        }
    }

    #[test]
    fn a_key_has_at_most_1024_bytes_of_utf8() {
        assert!(key(&format!("/{}", "a".repeat(1024))).is_ok());
        assert_eq!(key(&format!("/{}", "a".repeat(1025))), Err(KeyError::TooLong));
        assert!(key(&format!("/{}", "%E2%82%AC".repeat(341))).is_ok());
        assert_eq!(key(&format!("/{}", "%E2%82%AC".repeat(342))), Err(KeyError::TooLong));
    }

    #[test]
    fn every_byte_is_either_refused_or_forwarded_as_itself() {
        for byte in 0..=255u8 {
            let Ok(key) = ObjectKey::from_uri(&format!("/x%{byte:02X}y")) else { continue };
            let decoded: Vec<u8> = percent_decode_str(&key.to_uri()).collect();
            assert_eq!(decoded, [b"/x".as_slice(), &[byte], b"y"].concat());
        }
    }

    /// Decodes as S3 does: `+` is a space, escapes once, bytes as they are.
    fn as_s3_decodes(uri: &str) -> Vec<u8> {
        percent_decode_str(&uri.strip_prefix('/').unwrap().replace('+', " ")).collect()
    }

    proptest! {
        #[test]
        fn what_is_forwarded_decodes_to_the_key_that_was_decided_on(
            uri in "/([a-zA-Z0-9/._~%+ é€\\\\-]|%[0-9a-fA-F]{2}){0,40}"
        ) {
            if let Ok(key) = ObjectKey::from_uri(&uri) {
                let forwarded = key.to_uri();
                prop_assert_eq!(as_s3_decodes(&forwarded), key.as_str().as_bytes());
                prop_assert_eq!(ObjectKey::from_uri(&forwarded), Ok(key.clone()));
                prop_assert!(forwarded.is_ascii());
            }
        }

        #[test]
        fn no_path_panics(uri in "\\PC*") {
            let _ = ObjectKey::from_uri(&uri);
        }
    }
}
