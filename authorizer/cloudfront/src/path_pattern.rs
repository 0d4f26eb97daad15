//! Path patterns of behaviors: which paths a pattern matches, and whether one matches every path of another.
//!
//! `*` stands for any characters, `?` for one, and either may be a slash. Case matters. A slash at the beginning changes
//! nothing. The default behavior has the pattern `*`
//! ([AWS: path pattern](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html#DownloadDistValuesPathPattern)).
//!
//! **What a pattern is compared with** is not the path as the viewer sent it: "CloudFront normalizes URI paths consistent
//! with RFC 3986 and then matches the path with the correct cache behavior", as that page says, and sends on the path as
//! it came. [`normalized_path`] is that path, as far as it is known. Every pattern is compared with the same text. So whether one
//! pattern matches every path of another does not depend on what CloudFront normalises: a pattern that matches every text
//! of the other one matches every path of it.
//!
//! **What `%` means in a pattern** is not documented, and `%` is not among the characters that AWS's page lists for
//! patterns. [`Escapes`] says how it is read.

mod covers;
mod normalized;

use self::covers::covers;
pub use self::normalized::normalized_path;
use self::normalized::{decoded, unreserved_decoded};
use super::steps::{OutOfSteps, Steps};
use super::view::BehaviorName;

/// The path pattern of a behavior, as it is compared with paths.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PathPattern {
    pieces: Vec<Piece>,
}

/// A piece of a pattern.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Piece {
    /// This character.
    One(char),
    /// Any character.
    Any,
    /// Any characters, also none.
    Many,
}

/// How escapes in a path pattern are read: `%` and two hexadecimal digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Escapes {
    /// As the three characters that they are. That is how `authorizer serve` selects a behavior, so what is said of a
    /// distribution on this machine is certain.
    AsWritten,
    /// It is not known how. What is said of CloudFront must hold for each reading: as written; normalised, as the path
    /// is; and decoded.
    NotKnown,
}

impl PathPattern {
    /// Of a behavior, with escapes as they are written.
    pub fn of(behavior: &BehaviorName) -> Self {
        match behavior {
            BehaviorName::Default => Self { pieces: vec![Piece::Many] },
            BehaviorName::Pattern(text) => Self::new(text),
        }
    }

    fn new(text: &str) -> Self {
        Self { pieces: bare(text).chars().map(Piece::of).collect() }
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Whether it matches a path, which is [`normalized_path`].
    pub fn matches(&self, path: &str) -> bool {
        let path: Vec<char> = bare(path).chars().collect();
        let (mut p, mut t) = (0_usize, 0_usize);
        // Where the last star was, and how far it reaches.
        let mut star: Option<(usize, usize)> = None;
        while let Some(letter) = path.get(t) {
            match self.pieces.get(p) {
                Some(Piece::Many) => {
                    star = Some((p, t));
                    p = p.saturating_add(1);
                }
                Some(piece) if piece.has(*letter) => {
                    p = p.saturating_add(1);
                    t = t.saturating_add(1);
                }
                Some(_) | None => match star {
                    Some((at, reach)) => {
                        let reach = reach.saturating_add(1);
                        star = Some((at, reach));
                        p = at.saturating_add(1);
                        t = reach;
                    }
                    None => return false,
                },
            }
        }
        self.pieces.get(p..).unwrap_or_default().iter().all(|one| *one == Piece::Many)
    }

    /// Whether it matches every text that the other one matches.
    pub(crate) fn covers(&self, other: &Self, steps: &mut Steps) -> Result<bool, OutOfSteps> {
        covers(&self.pieces, &other.pieces, steps)
    }
}

impl Piece {
    fn of(letter: char) -> Self {
        match letter {
            '*' => Self::Many,
            '?' => Self::Any,
            other => Self::One(other),
        }
    }

    /// Whether it can be this one character.
    fn has(self, letter: char) -> bool {
        match self {
            Self::One(one) => one == letter,
            Self::Any | Self::Many => true,
        }
    }
}

impl Escapes {
    /// A behavior's pattern in each reading: one, or the same three of every pattern in the same order.
    pub(crate) fn readings(self, behavior: &BehaviorName) -> Vec<PathPattern> {
        match (self, behavior) {
            (Self::NotKnown, BehaviorName::Pattern(text)) if text.contains('%') => {
                let text = bare(text);
                vec![
                    PathPattern::new(text),
                    PathPattern::new(&unreserved_decoded(text)),
                    PathPattern { pieces: decoded(text) },
                ]
            }
            (Self::AsWritten | Self::NotKnown, _) => vec![PathPattern::of(behavior)],
        }
    }
}

/// A pattern or a path without the slash at its beginning.
fn bare(text: &str) -> &str {
    text.strip_prefix('/').unwrap_or(text)
}

/// All texts of these characters, up to this length.
#[cfg(test)]
pub(crate) fn texts(letters: &[char], longest: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut last = all.clone();
    for _ in 0..longest {
        last = last.iter().flat_map(|text| letters.iter().map(move |next| format!("{text}{next}"))).collect();
        all.extend(last.iter().cloned());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_pattern_matches_as_cloudfront_says() {
        for (pattern, path, is) in [
            ("*", "/", true),
            ("*", "/a/b", true),
            ("images/*.jpg", "/images/a/b.jpg", true),
            ("/images/*.jpg", "/images/.jpg", true),
            ("images/*.jpg", "/images/a.JPG", false),
            ("images/*.jpg", "/x/images/a.jpg", false),
            ("a??.html", "/abc.html", true),
            ("a??.html", "/ab.html", false),
            ("a*b*c", "/a-b-b-c", true),
            ("a*b*c", "/a-b-b-", false),
            ("**", "/a", true),
            ("", "/", true),
            ("", "/a", false),
            ("a?", "/aé", true),
        ] {
            assert_eq!(PathPattern::new(pattern).matches(path), is, "{pattern} {path}");
        }
        assert!(PathPattern::of(&BehaviorName::Default).matches("/"));
    }

    #[test]
    fn a_slash_at_the_beginning_changes_nothing() {
        assert_eq!(PathPattern::new("/a/*"), PathPattern::new("a/*"));
        assert_eq!(PathPattern::new("/"), PathPattern::new(""));
        assert_ne!(PathPattern::new("//a"), PathPattern::new("a"));
    }

    #[test]
    fn an_escape_has_three_readings_and_no_wildcard_in_any_but_the_written() {
        let behavior = |text: &str| BehaviorName::Pattern(text.to_owned());
        let read = |text: &str| {
            let [written, normalised, decoded] = &Escapes::NotKnown.readings(&behavior(text))[..] else {
                panic!("{text}")
            };
            [written.clone(), normalised.clone(), decoded.clone()]
        };
        assert_eq!(read("/%70*%2f"), ["%70*%2f", "p*%2F", "p*/"].map(PathPattern::new));
        assert_eq!(read("%?1%zz"), ["%?1%zz"; 3].map(PathPattern::new));
        let [_, normalised, star] = read("%2a");
        assert_eq!(normalised, PathPattern::new("%2A"));
        assert_eq!(star.pieces(), [Piece::One('*')]);
        assert_eq!(read("%C3%A9")[2], PathPattern::new("é"));
        for (escapes, text) in [(Escapes::AsWritten, "%70"), (Escapes::NotKnown, "p*?")] {
            assert_eq!(escapes.readings(&behavior(text)), [PathPattern::new(text)]);
        }
        assert_eq!(Escapes::NotKnown.readings(&BehaviorName::Default), [PathPattern::new("*")]);
    }

    proptest! {
        #[test]
        fn the_matcher_agrees_with_the_obvious_one(pattern in "[ab*?]{0,8}", path in "[ab]{0,8}") {
            fn obvious(pattern: &str, path: &str) -> bool {
                let mut letters = pattern.chars();
                match letters.next() {
                    None => path.is_empty(),
                    Some('*') => {
                        let rest = letters.as_str();
                        (0..=path.len()).any(|at| obvious(rest, path.get(at..).unwrap()))
                    }
                    Some(one) => {
                        let mut path = path.chars();
                        path.next().is_some_and(|two| one == '?' || one == two)
                            && obvious(letters.as_str(), path.as_str())
                    }
                }
            }
            prop_assert_eq!(PathPattern::new(&pattern).matches(&path), obvious(&pattern, &path));
        }
    }
}
