//! JSON that is written into a text: the members of an outcome and of a line of the log, one after the other.
//!
//! Serde looks at each character by itself. Here a text is looked at as a whole, and nearly none has anything to escape.
//!
//! INVARIANT: what this writes, serde writes in the same way.

use crate::plain_json::first_special;

/// Adds a string.
pub(crate) fn push_string(json: &mut String, text: &str) {
    json.push('"');
    match first_special(text.as_bytes()) {
        None => json.push_str(text),
        Some(_) => text.chars().for_each(|c| push_escaped(json, c)),
    }
    json.push('"');
}

/// Adds a member, or whatever else stands before a string.
pub(crate) fn push_text(json: &mut String, before: &str, text: &str) {
    json.push_str(before);
    push_string(json, text);
}

/// The same, if there is a text.
pub(crate) fn push_optional(json: &mut String, before: &str, text: Option<&str>) {
    if let Some(text) = text {
        push_text(json, before, text);
    }
}

/// Adds a number, and what stands before it.
pub(crate) fn push_number(json: &mut String, before: &str, number: u64) {
    json.push_str(before);
    json.push_str(&number.to_string());
}

fn push_escaped(json: &mut String, c: char) {
    let short = match c {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\u{8}' => "\\b",
        '\t' => "\\t",
        '\n' => "\\n",
        '\u{c}' => "\\f",
        '\r' => "\\r",
        '\0'..='\u{1f}' => {
            let digit = |value: u32| char::from_digit(value, 16).unwrap_or_default();
            json.push_str("\\u00");
            json.push(digit(u32::from(c) >> 4));
            json.push(digit(u32::from(c) & 0xf));
            return;
        }
        _ => return json.push(c),
    };
    json.push_str(short);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        let mut json = String::new();
        push_string(&mut json, text);
        json
    }

    #[test]
    fn each_character_is_written_as_serde_writes_it() {
        for c in ('\0'..='\u{ff}').chain(['\u{2028}', '\u{20ac}', '\u{fffd}', '\u{10ffff}']) {
            for before in ["", "a", "0123456789abcdef0123456789abcdef"] {
                let text = format!("{before}{c}b");
                assert_eq!(written(&text), serde_json::to_string(&text).unwrap());
            }
        }
    }

    proptest! {
        #[test]
        fn a_string_is_written_as_serde_writes_it(text in any::<String>()) {
            prop_assert_eq!(written(&text), serde_json::to_string(&text).unwrap());
        }
    }
}
