//! The escapes of paths and of path patterns: `%` and two hexadecimal digits.

use super::Piece;

/// The path that patterns are compared with: "CloudFront normalizes URI paths consistent with RFC 3986 and then matches
/// the path with the correct cache behavior". What is sent on is the path as it came. AWS names several slashes and
/// periods as what is removed. What becomes of escapes, nobody here has seen: as the RFC says, those of unreserved
/// characters are decoded, and the others are in upper case. So `%2F` stays what it is, which is not a slash.
pub fn normalized_path(path: &str) -> String {
    let decoded = unreserved_decoded(path);
    let mut segments: Vec<&str> = Vec::new();
    let mut ends_with_slash = false;
    for segment in decoded.split('/') {
        ends_with_slash = matches!(segment, "" | "." | "..");
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            other => segments.push(other),
        }
    }
    let slash = if ends_with_slash && !segments.is_empty() { "/" } else { "" };
    format!("/{}{slash}", segments.join("/"))
}

/// A text with the escapes of unreserved characters decoded, and the others in upper case
/// ([RFC 3986, section 6.2.2](https://www.rfc-editor.org/rfc/rfc3986#section-6.2.2)).
pub(super) fn unreserved_decoded(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    for part in parts(text) {
        match part {
            Part::Letter(letter) => decoded.push(letter),
            Part::Escape(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                decoded.push(char::from(byte));
            }
            Part::Escape(byte) => decoded.push_str(&format!("%{byte:02X}")),
        }
    }
    decoded
}

/// A pattern with all of its escapes decoded. An escaped wildcard is only a character.
pub(super) fn decoded(pattern: &str) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(pattern.len());
    let mut bytes: Vec<u8> = Vec::new();
    let put = |bytes: &mut Vec<u8>, pieces: &mut Vec<Piece>| {
        pieces.extend(String::from_utf8_lossy(bytes).chars().map(Piece::One));
        bytes.clear();
    };
    for part in parts(pattern) {
        match part {
            Part::Escape(byte) => bytes.push(byte),
            Part::Letter(letter) => {
                put(&mut bytes, &mut pieces);
                pieces.push(Piece::of(letter));
            }
        }
    }
    put(&mut bytes, &mut pieces);
    pieces
}

/// A part of a text with escapes.
enum Part {
    Letter(char),
    Escape(u8),
}

fn parts(text: &str) -> impl Iterator<Item = Part> {
    let mut rest = text.chars();
    std::iter::from_fn(move || {
        let letter = rest.next()?;
        let digits = rest.as_str().get(..2).filter(|_| letter == '%');
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        Some(match byte {
            Some(byte) => {
                rest.nth(1);
                Part::Escape(byte)
            }
            None => Part::Letter(letter),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_path_that_selects_a_behavior_is_normalised() {
        for (path, selected) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a/b/", "/a/b/"),
            ("//a///b", "/a/b"),
            ("/a/./b/../c", "/a/c"),
            ("/../../a", "/a"),
            ("/a/..", "/"),
            ("/%61%2fb%7e", "/a%2Fb~"),
            ("/%2e%2E/a", "/a"),
            ("/a%zz%", "/a%zz%"),
            // No hexadecimal digit has a sign.
            ("/%+5%4", "/%+5%4"),
            ("/%é", "/%é"),
            ("/é", "/é"),
        ] {
            assert_eq!(normalized_path(path), selected, "{path}");
        }
    }

    proptest! {
        #[test]
        fn no_path_makes_the_normaliser_panic(path in "\\PC{0,40}") {
            let once = normalized_path(&path);
            prop_assert!(once.starts_with('/'));
        }
    }
}
