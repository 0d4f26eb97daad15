//! The query string, decoded once, each parameter at most once.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use thiserror::Error;

/// Keeps RFC 3986 section 2.3's unreserved characters, like SigV4's canonical query.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The longest value, in bytes. A continuation token of S3 may contain a whole encoded key.
const MAX_VALUE_BYTES: usize = 4096;

/// The largest number of parameters that are read. It is more than any operation has.
const MAX_PARAMETERS: usize = 32;

/// The parameters of a request, in its order. S3 also accepts a parameter without a value (`?acl`), so an absent
/// value and an empty value are the same here, as they are for S3.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Query(Vec<(String, String)>);

/// Why a query string has no single meaning.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum QueryError {
    /// No operation that some rule allows has this parameter.
    #[error("the query parameter {0} is not allowed here")]
    NotAllowed(String),
    /// The parameter's value is not valid, or it appears twice.
    #[error("the query parameter {0} is malformed, or appears twice")]
    Malformed(String),
    /// The parameters cannot be read: escapes, control characters, an empty name, a raw `+` in a name.
    #[error("the query string is malformed")]
    Unreadable,
}

impl QueryError {
    pub(crate) fn not_allowed(name: &str) -> Self {
        Self::NotAllowed(shown(name))
    }

    pub(crate) fn malformed(name: &str) -> Self {
        Self::Malformed(shown(name))
    }
}

/// A name for a message. It came from the viewer and goes back to the viewer.
fn shown(name: &str) -> String {
    name.chars().take(64).collect()
}

impl Query {
    /// Reads a query string without its `?`.
    ///
    /// # Errors
    /// [`QueryError`] when there are too many parameters, or when two readers could read them differently: malformed
    /// escapes, text that is not UTF-8, a name that is empty or contains a raw `+` or a control character, a parameter
    /// that appears twice.
    pub(crate) fn parse(text: &str) -> Result<Self, QueryError> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        if text.is_empty() {
            return Ok(Self(parameters));
        }
        for pair in text.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let is_name = |name: &String| !name.is_empty() && !name.chars().any(char::is_control);
            let name = decode(name).filter(is_name).ok_or(QueryError::Unreadable)?;
            // In a value a raw `+` is a space, for those who write it (WHATWG URL: application/x-www-form-urlencoded)
            // and for S3. The query that goes to S3 has `%20` in its place.
            let value = match value.contains('+') {
                true => decode(&value.replace('+', "%20")),
                false => decode(value),
            };
            let value = value.ok_or_else(|| QueryError::malformed(&name))?;
            if parameters.len() >= MAX_PARAMETERS {
                return Err(QueryError::Unreadable);
            }
            if value.len() > MAX_VALUE_BYTES || parameters.iter().any(|(known, _)| *known == name) {
                return Err(QueryError::malformed(&name));
            }
            parameters.push((name, value));
        }
        Ok(Self(parameters))
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// Removes and returns a parameter.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let index = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(index).1)
    }

    /// The first of the remaining parameters.
    pub(crate) fn first_name(&self) -> Option<&str> {
        self.0.first().map(|(name, _)| name.as_str())
    }
}

/// The canonical text of some parameters.
pub(crate) fn encode<'q>(parameters: impl IntoIterator<Item = (&'q str, &'q str)>) -> String {
    let mut text = String::new();
    for (name, value) in parameters {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.extend(utf8_percent_encode(value, ENCODED));
    }
    text
}

/// Encodes one value for a query string.
pub(crate) fn encode_value(value: &str) -> String {
    utf8_percent_encode(value, ENCODED).to_string()
}

/// Decodes once; `None` if the text has more than one reading.
fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digits = (bytes.next()?, bytes.next()?);
                if !digits.0.is_ascii_hexdigit() || !digits.1.is_ascii_hexdigit() {
                    return None;
                }
            }
            b'+' | b' ' | b'#' => return None,
            _ => {}
        }
    }
    percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parameters_are_decoded_exactly_once() {
        let query = |text| Query::parse(text).unwrap().0;
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(query(""), []);
        assert_eq!(query("acl"), [pair("acl", "")]);
        assert_eq!(query("%61cl="), [pair("acl", "")]);
        assert_eq!(query("a=b=c&d=%252F"), [pair("a", "b=c"), pair("d", "%2F")]);
        assert_eq!(query("p=%E2%82%AC%20%2B"), [pair("p", "€ +")]);
        assert_eq!(query("a;b=c"), [pair("a;b", "c")]);
        assert_eq!(query("p=my+docs/+&q=%2B+%2520"), [pair("p", "my docs/ "), pair("q", "+ %20")]);
    }

    #[test]
    fn what_has_more_than_one_reading_is_refused() {
        for text in ["&", "a&", "&a", "a&&b", "=", "=b", "a%=b", "%zz", "a+b", "%FF", "a%00=b", "a b", "a#"] {
            assert_eq!(Query::parse(text), Err(QueryError::Unreadable), "{text}");
        }
        for text in ["a=%", "a=%2", "a=%+0", "a=%2+0", "a=%FF", "a=1&a=1", "a&%61", "a= "] {
            assert_eq!(Query::parse(text), Err(QueryError::malformed("a")), "{text}");
        }
        let many: Vec<_> = (0..33).map(|n| n.to_string()).collect();
        assert!(Query::parse(&many[1..].join("&")).is_ok());
        assert_eq!(Query::parse(&many.join("&")), Err(QueryError::Unreadable));
        assert!(Query::parse(&format!("a={}", "b".repeat(4097))).is_err());
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back_as_it_was(value in "\\PC{0,40}") {
            let text = encode([("a", value.as_str()), ("b", "")]);
            prop_assert!(text.is_ascii() && !text.contains('+'));
            prop_assert_eq!(
                Query::parse(&text).unwrap().0,
                [("a".to_owned(), value), ("b".to_owned(), String::new())]
            );
        }

        #[test]
        fn no_query_panics(text in "\\PC*") {
            let _ = Query::parse(&text);
        }
    }
}
