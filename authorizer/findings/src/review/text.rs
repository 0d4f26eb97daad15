//! Text of the policy, shown so that a reader sees all of it.
//!
//! Characters that show nothing, or change how others are shown (directions, joiners, fillers, controls), would let a
//! policy read as another. They are named instead: `⟨U+202E⟩`.

use std::fmt::Write as _;

/// A run of a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Piece<'t> {
    /// Characters that show themselves.
    Plain(&'t str),
    /// The name of one that does not.
    Named(String),
}

/// Cuts a text at the characters that do not show themselves.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(character) = rest.chars().find(|character| is_unseen(*character)) {
        let Some((plain, after)) = rest.split_once(character) else { break };
        if !plain.is_empty() {
            pieces.push(Piece::Plain(plain));
        }
        pieces.push(Piece::Named(format!("⟨U+{:04X}⟩", u32::from(character))));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Plain(rest));
    }
    pieces
}

/// The same as one text.
pub(super) fn seen(text: &str) -> String {
    pieces(text).into_iter().fold(String::with_capacity(text.len()), |mut seen, piece| {
        // Writing to a text does not fail.
        let _ = match piece {
            Piece::Plain(plain) => seen.write_str(plain),
            Piece::Named(name) => seen.write_str(&name),
        };
        seen
    })
}

fn is_unseen(character: char) -> bool {
    match character {
        ' '..='~' => false,
        // Letters and marks by their category that fill space, or none: Hangul fillers, the joiner of graphemes, the
        // blank of Braille, and selectors of variants, which have carried hidden text.
        '\u{34f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{ffa0}'
        | '\u{e0100}'..='\u{e01ef}' => true,
        // The standard library knows what can be printed; a mark that joins the one before is printed with it.
        other => format!("a{other}").escape_debug().count() > 2,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_shows_nothing_or_turns_the_text_around_is_named() {
        for (text, shown) in [
            ("users/{sub}/**", "users/{sub}/**"),
            ("é ü 文件 ملف הקבצים नमस्ते e\u{301}", "é ü 文件 ملف הקבצים नमस्ते e\u{301}"),
            ("a\u{202e}b", "a⟨U+202E⟩b"),
            ("\u{2066}\u{200b}x\u{feff}", "⟨U+2066⟩⟨U+200B⟩x⟨U+FEFF⟩"),
            ("a\tb\nc\u{0}", "a⟨U+0009⟩b⟨U+000A⟩c⟨U+0000⟩"),
            ("a\u{a0}b\u{3164}", "a⟨U+00A0⟩b⟨U+3164⟩"),
            ("\u{e0041}\u{ad}\u{2028}", "⟨U+E0041⟩⟨U+00AD⟩⟨U+2028⟩"),
            ("\"'\\<&", "\"'\\<&"),
        ] {
            assert_eq!(seen(text), shown);
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_but_what_is_named(text in any::<String>()) {
            let back: String = pieces(&text).into_iter().map(|piece| match piece {
                Piece::Plain(plain) => plain.to_owned(),
                Piece::Named(name) => {
                    let digits = name.trim_start_matches("⟨U+").trim_end_matches('⟩');
                    char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap().to_string()
                }
            }).collect();
            prop_assert_eq!(back, text);
        }

        #[test]
        fn what_is_shown_has_no_control_and_no_mark_of_direction(text in any::<String>()) {
            let turns = |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            let shown = seen(&text);
            prop_assert!(!shown.chars().any(|c| c.is_control() || turns(c)), "{shown:?}");
        }
    }
}
