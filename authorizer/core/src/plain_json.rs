//! JSON that is written plainly: objects, arrays, and strings without an escape, in one pass and without a copy.
//!
//! Nearly everything that this function reads is like that. Whoever reads with this gives up at the first thing that
//! is not as expected, and leaves the whole text to serde.
//!
//! INVARIANT: what this reads, serde reads in the same way. It never accepts what serde refuses.

/// A place in a text.
pub(crate) struct PlainJson<'t> {
    text: &'t str,
    at: usize,
}

/// Each byte of a word is this one.
const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

impl<'t> PlainJson<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// Whether nothing follows but white space.
    pub(crate) fn is_at_end(&mut self) -> bool {
        self.next_is(b'\0');
        self.at == self.text.len()
    }

    /// Takes this byte; `None` if another follows. White space before it is skipped (RFC 8259 section 2).
    pub(crate) fn take(&mut self, byte: u8) -> Option<()> {
        self.next_is(byte).then(|| self.at = self.at.saturating_add(1))
    }

    /// Takes exactly this text, if it is next.
    pub(crate) fn literal(&mut self, text: &str) -> Option<()> {
        let is_next = self.text.as_bytes().get(self.at..)?.starts_with(text.as_bytes());
        is_next.then(|| self.at = self.at.saturating_add(text.len()))
    }

    /// Takes a text that differs from a string that was taken in nothing but the case of its letters. So it does not have
    /// an escape either.
    pub(crate) fn like(&mut self, taken: &str) -> Option<&'t str> {
        let end = self.at.saturating_add(taken.len());
        let text = self.text.get(self.at..end).filter(|text| text.eq_ignore_ascii_case(taken))?;
        self.at = end;
        Some(text)
    }

    /// Takes a string without an escape.
    pub(crate) fn string(&mut self) -> Option<&'t str> {
        self.take(b'"')?;
        self.rest_of_string()
    }

    /// Takes a string whose first quotation mark was taken.
    pub(crate) fn rest_of_string(&mut self) -> Option<&'t str> {
        let length = end_of_string(self.text.as_bytes().get(self.at..)?)?;
        let end = self.at.saturating_add(length);
        let string = self.text.get(self.at..end)?;
        self.at = end.saturating_add(1);
        Some(string)
    }

    /// Takes an object, each of whose members is taken by `member`, which gets its name.
    pub(crate) fn object(&mut self, mut member: impl FnMut(&mut Self, &'t str) -> Option<()>) -> Option<()> {
        self.take(b'{')?;
        if self.take(b'}').is_some() {
            return Some(());
        }
        loop {
            let name = self.string()?;
            self.take(b':')?;
            member(self, name)?;
            if self.take(b',').is_none() {
                return self.take(b'}');
            }
        }
    }

    /// Takes an array, each of whose elements is taken by `element`.
    pub(crate) fn array(&mut self, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.take(b'[')?;
        if self.take(b']').is_some() {
            return Some(());
        }
        loop {
            element(self)?;
            if self.take(b',').is_none() {
                return self.take(b']');
            }
        }
    }

    /// Takes a whole number without a sign.
    pub(crate) fn number(&mut self) -> Option<u64> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = self.text.get(self.at..self.at.saturating_add(digits))?;
        // RFC 8259 section 6: no leading zero. A fraction or an exponent follows the digits.
        if number.starts_with('0') && digits > 1 || matches!(rest.get(digits), Some(b'.' | b'e' | b'E')) {
            return None;
        }
        self.at = self.at.saturating_add(digits);
        number.parse().ok()
    }

    /// The first byte of what is next. White space before it is skipped.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        self.next_is(b'\0');
        self.text.as_bytes().get(self.at).copied()
    }

    fn next_is(&mut self, byte: u8) -> bool {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(next) if *next == byte => return true,
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at = self.at.saturating_add(1),
                Some(_) | None => return false,
            }
        }
    }
}

/// Puts a value into a slot; `None` if there is one already: a member that appears twice.
pub(crate) fn once<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

/// How much of a string is looked at by the word. Most strings are not longer.
const SHORT: usize = 24;

/// The length of the string that begins here; `None` if it has an escape, a control character or no end.
fn end_of_string(bytes: &[u8]) -> Option<usize> {
    let is_end = |byte: u8| (byte == b'"') | (byte == b'\\') | (byte < 0x20);
    let length = match first_end(bytes.get(..SHORT).unwrap_or(bytes)) {
        Some(length) => length,
        // Without an early exit within a block, one step looks at many bytes of a long string.
        None => {
            let (blocks, _) = bytes.get(SHORT..)?.as_chunks::<32>();
            let has_end = |block: &&[u8; 32]| block.iter().fold(false, |any, byte| any | is_end(*byte));
            let plain = blocks.iter().take_while(|block| !has_end(block)).count();
            let before = SHORT.saturating_add(plain << 5);
            before.saturating_add(first_end(bytes.get(before..)?)?)
        }
    };
    (bytes.get(length) == Some(&b'"')).then_some(length)
}

/// The place of the first quotation mark, backslash or control character. It looks at eight bytes at once.
fn first_end(bytes: &[u8]) -> Option<usize> {
    // In the lowest byte that is marked, each mark is right. In the bytes above it, a borrow may have made one.
    let zero = |word: u64| word.wrapping_sub(each(0x01)) & !word;
    let is_end = |byte: &u8| matches!(byte, b'"' | b'\\' | 0x00..=0x1f);
    let (words, rest) = bytes.as_chunks::<8>();
    for (place, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let below_space = word.wrapping_sub(each(0x20)) & !word;
        let marks = (zero(word ^ each(b'"')) | zero(word ^ each(b'\\')) | below_space) & each(0x80);
        if marks != 0 {
            // The lowest byte is the first one.
            let first = (marks.trailing_zeros() / 8) as usize;
            return Some((place << 3).saturating_add(first));
        }
    }
    Some((words.len() << 3).saturating_add(rest.iter().position(is_end)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn string(text: &str) -> Option<(&str, usize)> {
        let mut json = PlainJson::new(text);
        json.string().map(|string| (string, json.at))
    }

    #[test]
    fn a_string_ends_where_it_ends_and_has_no_escape() {
        for length in 0..130 {
            let plain = "a\u{e9}~\u{7f}".repeat(33);
            let plain: String = plain.chars().take(length).collect();
            let written = format!(" \t\r\n\"{plain}\"\"");
            assert_eq!(string(&written), Some((plain.as_str(), written.len() - 1)));
            for other in ['\\', '\0', '\u{1f}', '\n'] {
                assert_eq!(string(&format!("\"{plain}{other}bcdefgh\"")), None, "{other:?} after {length}");
            }
            assert_eq!(string(&format!("\"{plain}")), None);
        }
        assert_eq!(string(""), None);
        assert_eq!(string("a\"b\""), None);
    }

    proptest! {
        #[test]
        fn a_string_is_the_one_that_serde_reads(inner in "[ -~\\x00-\\x1f\u{e9}\u{20ac}\"\\\\]{0,40}[ -~]{0,90}", rest in "[ -~]{0,9}") {
            let text = format!("\"{inner}\"{rest}");
            if let Some((string, end)) = string(&text) {
                let read: String = serde_json::from_str(text.split_at(end).0).unwrap();
                prop_assert_eq!(read, string);
            }
        }
    }
}
