//! Key patterns: the object keys that a rule applies to.
//!
//! A pattern is a path of segments. An audit can decide each construct exactly: literals, `*` within a segment, `**`
//! for any number of segments, `{claim}` for a segment that is exactly the value of a claim.

use std::fmt;

use thiserror::Error;

use super::claims::Claims;
use crate::claim_name::{self, ClaimNameError};
use crate::key::{KeyError, MAX_KEY_BYTES, ObjectKey, SOAP};

/// A compiled key pattern.
///
/// - `*` stands for any characters within one segment, also none; a segment that is only `*` stands for
///   any segment that is not empty.
/// - `**`, which must be a whole segment, stands for any number of segments. As the last segment it
///   stands for one or more: `a/**` is everything below `a/`, but not an object named `a`.
/// - `{claim}`, which must be a whole segment (the name may contain slashes, and be a path into an object), stands for exactly the claim's value:
///   a string that is not empty, not `.` or `..`, and does not have a slash. For an array: any member that is such
///   a string.
/// - A trailing slash stands for itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyPattern {
    segments: Vec<Segment>,
}

/// One segment of a [`KeyPattern`]. The order is the one in which the matcher looks for them: literals first, by
/// their text, and `**` last.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Segment {
    /// Exactly this text. Empty only for the last segment, which is a trailing slash.
    Literal(String),
    /// Text with `*` in it: the literal parts between the stars. There are at least two parts, and a part is empty
    /// if a star is at that end.
    Glob(Vec<String>),
    /// `{claim}`.
    Claim(String),
    /// `**`.
    AnySegments,
}

/// Why a text is not a key pattern.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum PatternError {
    /// Nothing at all.
    #[error("the pattern is empty")]
    Empty,
    /// Object keys do not begin with a slash.
    #[error("a pattern does not begin with `/`: object keys have no leading slash")]
    LeadingSlash,
    /// No key has such a segment, so the pattern would match nothing.
    #[error("the pattern has an empty segment (`//`)")]
    EmptySegment,
    /// No key has such a segment, so the pattern would match nothing.
    #[error("the pattern has a segment `.` or `..`, which no key can have")]
    DotSegment,
    /// A key cannot contain it.
    #[error("the pattern contains a control character or a backslash, which no key can contain")]
    ImpossibleCharacter,
    /// `?`, `[` or `]`, which other pattern languages give a meaning to.
    #[error("`{0}` has no meaning in a key pattern")]
    NotAWildcard(char),
    /// `%20` and similar escapes: patterns are compared with decoded keys.
    #[error("a pattern is not percent-encoded: it is compared with the decoded key")]
    Escape,
    /// A space at the start or end of a segment or of a claim's name.
    #[error("a segment begins or ends with a space")]
    SpaceAround,
    /// `**` next to other characters.
    #[error("`**` must be a whole segment")]
    PartialAnySegments,
    /// `{` or `}` that do not enclose a whole segment.
    #[error("`{{claim}}` must be a whole segment")]
    PartialClaim,
    /// `{/sub}`, or another path that is not the name of a claim.
    #[error("{0}")]
    ClaimName(ClaimNameError),
    /// `{}`.
    #[error("`{{}}` does not name a claim")]
    EmptyClaim,
    /// The key `soap`.
    #[error("S3 does not serve the key `soap` where the bucket is in the host name, as it is for CloudFront")]
    Soap,
    /// Longer than any key.
    #[error("the pattern is longer than 1,024 bytes, the limit for a key")]
    TooLong,
}

impl PatternError {
    /// How to fix it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Empty => "to match every key, write `**`",
            Self::LeadingSlash => "remove the first `/`",
            Self::EmptySegment => "write one `/` between segments",
            Self::DotSegment => "name the folder itself",
            Self::ImpossibleCharacter => "remove the character, or use `*` instead",
            Self::NotAWildcard(_) => {
                "the wildcards are `*` (within a segment) and `**` (any number of segments)"
            }
            Self::Escape => "write the character itself, such as a space for `%20`",
            Self::SpaceAround => {
                "remove the space: write `users/{sub}/**`, not `users/{ sub }/**` or ` users/**`"
            }
            Self::PartialAnySegments => "write `a/**/b`, or `*` to match within one segment",
            Self::PartialClaim => {
                "a claim is a whole segment, as in `users/{sub}/a.pdf`; for alternatives write a pattern for each"
            }
            Self::ClaimName(error) => error.remedy(),
            Self::EmptyClaim => "name the claim, such as `{sub}`",
            Self::Soap => "give the object another key",
            Self::TooLong => "shorten the pattern",
        }
    }
}

impl KeyPattern {
    /// Compiles a pattern from a policy.
    ///
    /// ```
    /// use authorizer_core::key::ObjectKey;
    /// use authorizer_core::rules::{Claims, KeyPattern};
    ///
    /// let pattern = KeyPattern::parse("users/{sub}/**")?;
    /// let claims = serde_json::json!({"sub": "alice"});
    /// let claims = Claims::Known(claims.as_object().ok_or("no object")?);
    /// assert!(pattern.matches(&ObjectKey::from_uri("/users/alice/a.txt")?, claims));
    /// assert!(!pattern.matches(&ObjectKey::from_uri("/users/bob/a.txt")?, claims));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`PatternError`] for a text that is not a pattern, or that cannot match any key.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.len() > MAX_KEY_BYTES {
            return Err(PatternError::TooLong);
        }
        if text.starts_with('/') {
            return Err(PatternError::LeadingSlash);
        }
        if text == SOAP {
            return Err(PatternError::Soap);
        }
        let texts = split(text);
        let last = texts.len().saturating_sub(1);
        let segments = texts
            .into_iter()
            .enumerate()
            .map(|(index, segment)| Segment::parse(segment, index == last))
            .collect::<Result<_, _>>()?;
        Ok(Self { segments })
    }

    /// The segments, in order.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The names of the claims in the pattern.
    pub fn claims(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Claim(name) => Some(name.as_str()),
            Segment::Literal(_) | Segment::Glob(_) | Segment::AnySegments => None,
        })
    }

    /// Whether the key matches, for a token with these claims.
    pub fn matches(&self, key: &ObjectKey, claims: Claims<'_>) -> bool {
        let segments: Vec<&str> = key.segments().collect();
        matches_segments(&self.segments, &segments, claims)
    }
}

/// The segments of a pattern. A slash within braces belongs to the name of the claim, which may be a URL.
fn split(pattern: &str) -> Vec<&str> {
    let mut within_braces = false;
    pattern
        .split(move |character| {
            match character {
                '{' => within_braces = true,
                '}' => within_braces = false,
                _ => {}
            }
            character == '/' && !within_braces
        })
        .collect()
}

impl fmt::Display for KeyPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.segments.iter().enumerate() {
            if index > 0 {
                f.write_str("/")?;
            }
            match segment {
                Segment::Literal(text) => f.write_str(text)?,
                Segment::Glob(parts) => f.write_str(&parts.join("*"))?,
                Segment::AnySegments => f.write_str("**")?,
                Segment::Claim(name) => write!(f, "{{{name}}}")?,
            }
        }
        Ok(())
    }
}

impl Segment {
    fn parse(text: &str, is_last: bool) -> Result<Self, PatternError> {
        match text {
            "" if is_last => return Ok(Self::Literal(String::new())),
            "" => return Err(PatternError::EmptySegment),
            "**" => return Ok(Self::AnySegments),
            _ => {}
        }
        // Spaces here are nearly always a mistake, and a deny rule that matches nothing does not deny anything.
        let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
        if inner != inner.trim() {
            return Err(PatternError::SpaceAround);
        }
        if let Some(name) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            return match name {
                "" => Err(PatternError::EmptyClaim),
                _ if name.contains(['{', '}']) => Err(PatternError::PartialClaim),
                _ if name.chars().any(char::is_control) => Err(PatternError::ImpossibleCharacter),
                _ => match claim_name::check(name) {
                    Ok(()) => Ok(Self::Claim(name.to_owned())),
                    Err(error) => Err(PatternError::ClaimName(error)),
                },
            };
        }
        if text.contains(['{', '}']) {
            return Err(PatternError::PartialClaim);
        }
        if text.contains("**") {
            return Err(PatternError::PartialAnySegments);
        }
        if has_escape(text) {
            return Err(PatternError::Escape);
        }
        if let Some(character) = text.chars().find(|c| ['?', '[', ']'].contains(c)) {
            return Err(PatternError::NotAWildcard(character));
        }
        if text.contains('*') {
            return match ObjectKey::new(text.replace('*', "a")) {
                Ok(_) => Ok(Self::Glob(text.split('*').map(str::to_owned).collect())),
                Err(error) => Err(error.into()),
            };
        }
        Ok(Self::Literal(ObjectKey::new(text.to_owned())?.into_string()))
    }

    /// Whether this segment, other than `**`, matches one segment of a key.
    pub fn matches(&self, segment: &str, claims: Claims<'_>) -> bool {
        match self {
            Self::Literal(text) => text == segment,
            Self::Glob(parts) => !segment.is_empty() && glob_matches(parts, segment),
            Self::Claim(name) => !segment.is_empty() && claims.could(name, |value| value == segment),
            Self::AnySegments => false,
        }
    }
}

/// Whether a text contains `%` and two hexadecimal digits.
fn has_escape(text: &str) -> bool {
    text.as_bytes().windows(3).any(
        |window| matches!(window, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit()),
    )
}

/// A segment of a pattern must be a possible segment of a key. The position is in the segment, not in the key.
impl From<KeyError> for PatternError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Missing => Self::Empty,
            KeyError::EmptySegment => Self::EmptySegment,
            KeyError::DotSegment => Self::DotSegment,
            KeyError::TooLong => Self::TooLong,
            KeyError::Soap => Self::Soap,
            KeyError::ControlCharacter
            | KeyError::Backslash
            | KeyError::EscapeMalformed
            | KeyError::NotUtf8
            | KeyError::RawPlus
            | KeyError::RawDelimiter => Self::ImpossibleCharacter,
        }
    }
}

/// Greedy with one point to return to: a later `**` can always take what an earlier one left. So the work is at most
/// (segments of the pattern) x (segments of the key), times the members of a claim that is an array, for every input
/// of a viewer.
fn matches_segments(pattern: &[Segment], key: &[&str], claims: Claims<'_>) -> bool {
    let (mut p, mut k) = (0usize, 0usize);
    // The place of the last `**`, and the number of segments of the key that it has taken.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match (pattern.get(p), key.get(k)) {
            (Some(Segment::AnySegments), _) => {
                let is_last = p.saturating_add(1) == pattern.len();
                if is_last {
                    // As the last segment it must take one or more.
                    return k < key.len();
                }
                retry = Some((p, k));
                p = p.saturating_add(1);
                continue;
            }
            (Some(segment), Some(text)) if segment.matches(text, claims) => {
                p = p.saturating_add(1);
                k = k.saturating_add(1);
                continue;
            }
            (None, None) => return true,
            (Some(_) | None, _) => {}
        }
        match retry {
            Some((star, taken)) if taken < key.len() => {
                retry = Some((star, taken.saturating_add(1)));
                p = star.saturating_add(1);
                k = taken.saturating_add(1);
            }
            _ => return false,
        }
    }
}

/// The first part is a prefix, the last a suffix, and each part between is found at its first place: with
/// only `*` between the parts, the first place leaves the most for the rest.
fn glob_matches(parts: &[String], text: &str) -> bool {
    let [first, middle @ .., last] = parts else { return false };
    let Some(rest) = text.strip_prefix(first.as_str()) else { return false };
    let Some(mut rest) = rest.strip_suffix(last.as_str()) else { return false };
    for part in middle {
        match rest.split_once(part.as_str()) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn matches(pattern: &str, key: &str) -> bool {
        let claims = json!({
            "sub": "alice", "n": 7, "empty": "", "slash": "a/b", "dots": "..",
            "groups": ["red", "blue", 7, "", "x/y"], "https://example.com/tenant": "t1"
        });
        let key = ObjectKey::new(key.into()).unwrap();
        KeyPattern::parse(pattern).unwrap().matches(&key, Claims::Known(claims.as_object().unwrap()))
    }

    #[test]
    fn patterns_match_the_keys_they_say() {
        for (pattern, yes, no) in [
            ("a", vec!["a"], vec!["A", "aa", "a/", "a/a", "b"]),
            ("a/b.txt", vec!["a/b.txt"], vec!["a/bxtxt", "a/b.txt/", "x/a/b.txt"]),
            ("a/", vec!["a/"], vec!["a", "a/b"]),
            ("*", vec!["a", "*", "a.b"], vec!["a/", "a/b"]),
            ("a/*", vec!["a/b"], vec!["a/", "a/b/c", "a"]),
            ("a/*/", vec!["a/b/"], vec!["a/b", "a/b/c"]),
            ("*.jpg", vec!["a.jpg", ".jpg", "a.jpg.jpg"], vec!["a.jpeg", "a/b.jpg", "a.jpg/"]),
            ("a*b*c", vec!["abc", "aXbYc", "abbcc", "abcbc"], vec!["ab", "acb", "abcd"]),
            ("a*a", vec!["aa", "aba"], vec!["a"]),
            ("**", vec!["a", "a/", "a/b/c"], vec![]),
            ("a/**", vec!["a/b", "a/", "a/b/c", "a/b/"], vec!["a", "ab", "b/a/c"]),
            ("**/z", vec!["z", "a/z", "a/b/z"], vec!["z/", "az", "z/a"]),
            ("a/**/z", vec!["a/z", "a/b/z", "a/b/c/z", "a/z/z"], vec!["a/zz", "a", "a/b/z/c"]),
            ("a/**/b/**/c", vec!["a/b/c", "a/x/b/y/c", "a/b/b/c/c"], vec!["a/c", "a/b/x"]),
            ("**/a/**", vec!["a/b", "x/a/b", "a/a"], vec!["a", "x/a"]),
            ("**/", vec!["a/", "a/b/"], vec!["a", "a/b"]),
            (
                "users/{sub}/**",
                vec!["users/alice/x", "users/alice/"],
                vec!["users/bob/x", "users/alice", "users/*/x"],
            ),
            ("{groups}/*", vec!["red/x", "blue/x"], vec!["green/x", "7/x"]),
            ("{https://example.com/tenant}/a", vec!["t1/a"], vec!["t2/a", "https:/a"]),
            ("{n}", vec![], vec!["7", "n"]),
            ("{empty}/", vec![], vec!["empty/"]),
            ("{dots}/x", vec![], vec!["a/x"]),
            ("{absent}/x", vec![], vec!["absent/x"]),
            ("é/**", vec!["é/a"], vec!["e\u{301}/a"]),
        ] {
            for key in yes {
                assert!(matches(pattern, key), "{pattern} should match {key}");
            }
            for key in no {
                assert!(!matches(pattern, key), "{pattern} should not match {key}");
            }
        }
    }

    #[test]
    fn without_claims_a_claim_segment_matches_nothing() {
        let key = ObjectKey::new("users/alice/x".into()).unwrap();
        assert!(!KeyPattern::parse("users/{sub}/**").unwrap().matches(&key, Claims::None));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for (text, error) in [
            ("", PatternError::Empty),
            ("/a", PatternError::LeadingSlash),
            ("a//b", PatternError::EmptySegment),
            ("a/../b", PatternError::DotSegment),
            ("./a", PatternError::DotSegment),
            ("a\\b", PatternError::ImpossibleCharacter),
            ("a\n*", PatternError::ImpossibleCharacter),
            ("a?", PatternError::NotAWildcard('?')),
            ("[ab]", PatternError::NotAWildcard('[')),
            ("a**", PatternError::PartialAnySegments),
            ("***", PatternError::PartialAnySegments),
            ("a-{sub}", PatternError::PartialClaim),
            ("{sub}.txt", PatternError::PartialClaim),
            ("{a}{b}", PatternError::PartialClaim),
            ("{sub", PatternError::PartialClaim),
            ("{}", PatternError::EmptyClaim),
            ("private%20area/**", PatternError::Escape),
            ("a%2Fb*", PatternError::Escape),
            (" secret/**", PatternError::SpaceAround),
            ("secret /**", PatternError::SpaceAround),
            ("{ sub }/a", PatternError::SpaceAround),
        ] {
            assert_eq!(KeyPattern::parse(text), Err(error), "{text}");
        }
        assert_eq!(KeyPattern::parse(&"a".repeat(1025)), Err(PatternError::TooLong));
    }

    /// The definition, written without a thought for speed.
    fn oracle(pattern: &[Segment], key: &[&str]) -> bool {
        match (pattern, key) {
            ([], []) => true,
            ([Segment::AnySegments], rest) => !rest.is_empty(),
            ([Segment::AnySegments, more @ ..], rest) => (0..=rest.len()).any(|n| oracle(more, &rest[n..])),
            ([segment, more @ ..], [text, rest @ ..]) => {
                let one = match segment {
                    Segment::Literal(literal) => literal == text,
                    Segment::Glob(parts) => !text.is_empty() && glob_oracle(&parts.join("*"), text),
                    Segment::Claim(_) | Segment::AnySegments => false,
                };
                one && oracle(more, rest)
            }
            _ => false,
        }
    }

    fn glob_oracle(glob: &str, text: &str) -> bool {
        let (glob, text): (Vec<char>, Vec<char>) = (glob.chars().collect(), text.chars().collect());
        fn holds(glob: &[char], text: &[char]) -> bool {
            match glob {
                [] => text.is_empty(),
                ['*', more @ ..] => (0..=text.len()).any(|n| holds(more, &text[n..])),
                [c, more @ ..] => text.first() == Some(c) && holds(more, &text[1..]),
            }
        }
        holds(&glob, &text)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn matching_is_what_its_definition_says(
            pattern in "(a|b|\\*|\\*\\*|a\\*|\\*b\\*|ab)(/(a|b|\\*|\\*\\*|\\*a|a\\*b|)){0,5}",
            key in "[ab]{1,3}(/[ab]{1,3}){0,5}/?"
        ) {
            if let Ok(compiled) = KeyPattern::parse(&pattern) {
                let key = ObjectKey::new(key).unwrap();
                let segments: Vec<_> = key.segments().collect();
                prop_assert_eq!(compiled.matches(&key, Claims::None), oracle(compiled.segments(), &segments));
                prop_assert_eq!(compiled.to_string(), pattern);
            }
        }

        #[test]
        fn no_pattern_panics(text in "\\PC*") {
            let _ = KeyPattern::parse(&text);
        }
    }
}
