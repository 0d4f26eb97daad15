//! Media types, in requests and in policies (RFC 9110 section 8.3.1).

use std::fmt;

/// A media type without its parameters, in lower case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MediaType {
    kind: String,
    subtype: String,
}

/// The media types that a rule allows: one type, all of a kind, or any.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MediaRange {
    /// `*/*`.
    Any,
    /// `image/*`.
    Kind(String),
    /// `image/png`.
    One(MediaType),
}

impl MediaType {
    /// Reads the value of a `Content-Type` header. Parameters must be well-formed, and are removed.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.trim_matches([' ', '\t']);
        let (essence, parameters) = rest.split_once(';').map_or((rest, None), |(e, p)| (e, Some(p)));
        let media_type = Self::essence(essence.trim_end_matches([' ', '\t']))?;
        rest = parameters.unwrap_or_default();
        if parameters.is_some() {
            loop {
                let (ended, after) = parameter(rest.trim_start_matches([' ', '\t']))?;
                rest = after;
                if ended {
                    break;
                }
            }
        }
        Some(media_type)
    }

    fn essence(text: &str) -> Option<Self> {
        let (kind, subtype) = text.split_once('/')?;
        // `*` is a token character, but the body of a request has one type.
        let is_name = |text: &str| is_token(text) && !text.contains('*');
        (is_name(kind) && is_name(subtype))
            .then(|| Self { kind: kind.to_ascii_lowercase(), subtype: subtype.to_ascii_lowercase() })
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.subtype)
    }
}

impl fmt::Display for MediaRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*/*"),
            Self::Kind(kind) => write!(f, "{kind}/*"),
            Self::One(one) => one.fmt(f),
        }
    }
}

impl MediaRange {
    /// Reads a member of `content_types`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('/')? {
            ("*", "*") => Some(Self::Any),
            (kind, "*") if is_token(kind) && !kind.contains('*') => {
                Some(Self::Kind(kind.to_ascii_lowercase()))
            }
            _ => MediaType::essence(text).map(Self::One),
        }
    }

    /// Whether the range contains the type.
    pub fn contains(&self, media_type: &MediaType) -> bool {
        match self {
            Self::Any => true,
            Self::Kind(kind) => *kind == media_type.kind,
            Self::One(one) => one == media_type,
        }
    }
}

/// Reads one parameter. Returns what follows its semicolon, and whether it was the last. RFC 9110 section 5.6.6
/// allows an empty parameter.
fn parameter(text: &str) -> Option<(bool, &str)> {
    let after_name = text.trim_start_matches(is_token_character);
    let name_length = text.len().checked_sub(after_name.len())?;
    let rest = if name_length == 0 {
        text
    } else {
        let value = after_name.strip_prefix('=')?;
        match value.strip_prefix('"') {
            Some(quoted) => after_quoted(quoted)?,
            None => {
                let rest = value.trim_start_matches(is_token_character);
                if rest.len() == value.len() {
                    return None;
                }
                rest
            }
        }
    };
    let rest = rest.trim_start_matches([' ', '\t']);
    match rest.strip_prefix(';') {
        Some(rest) => Some((false, rest)),
        None => rest.is_empty().then_some((true, rest)),
    }
}

/// What follows a quoted string (RFC 9110 section 5.6.4). Its first quote is already read.
fn after_quoted(text: &str) -> Option<&str> {
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '"' => return Some(characters.as_str()),
            '\\' => {
                characters.next().filter(|c| !c.is_control())?;
            }
            c if c.is_control() && c != '\t' => return None,
            _ => {}
        }
    }
}

/// RFC 9110 section 5.6.2.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_token_character)
}

fn is_token_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn allows(range: &str, value: &str) -> bool {
        let range = MediaRange::parse(range).unwrap();
        MediaType::parse(value).is_some_and(|media_type| range.contains(&media_type))
    }

    #[test]
    fn a_range_holds_the_types_it_names() {
        for (range, yes, no) in [
            (
                "image/png",
                vec!["image/png", "IMAGE/PNG", " image/png ", "image/png; a=b", "image/png;a=\"b;c\" ; d=e"],
                vec!["image/jpeg", "image/png+xml", "image", "image/", "image/*", ""],
            ),
            (
                "image/*",
                vec!["image/png", "image/svg+xml;charset=utf-8", "image/png;"],
                vec!["images/png", "text/image", "text/plain, image/png"],
            ),
            (
                "*/*",
                vec!["a/b", "application/vnd.a-b.c+json"],
                vec!["*/*", "a", "a/b/c", "a/b c", "a /b", "é/b"],
            ),
        ] {
            for value in yes {
                assert!(allows(range, value), "{range} should hold {value}");
            }
            for value in no {
                assert!(!allows(range, value), "{range} should not hold {value}");
            }
        }
    }

    #[test]
    fn malformed_parameters_make_a_type_malformed() {
        for value in [
            "a/b;c",
            "a/b;=d",
            "a/b;c=",
            "a/b;c=\"d",
            "a/b;c=d e",
            "a/b;c=d,e/f",
            "a/b;c=\"d\"e",
            "a/b, c/d",
            "a/b;c = d",
            "a/b;c=\"\u{1}\"",
            "a/b;c=\"\\",
        ] {
            assert_eq!(MediaType::parse(value), None, "{value}");
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in ["", "*", "image", "*/png", "image/p*", "image/png;a=b", "i mage/png", "image/", "/*"] {
            assert_eq!(MediaRange::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_type_panics(text in "\\PC*") {
            let _ = (MediaType::parse(&text), MediaRange::parse(&text));
        }
    }
}
