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

    /// Takes a text whose lower case is a string that was taken. So it does not have an escape either.
    pub(crate) fn upper_case_of(&mut self, taken: &str) -> Option<&'t str> {
        let end = self.at.saturating_add(taken.len());
        let text = self.text.get(self.at..end)?;
        let is_pair = |(upper, lower): (u8, u8)| upper.to_ascii_lowercase() == lower;
        // Without an early exit, which would cost a branch for each byte: nearly all are pairs.
        text.bytes().zip(taken.bytes()).fold(true, |are_all, pair| are_all & is_pair(pair)).then_some(())?;
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
    pub(crate) fn object(&mut self, member: impl FnMut(&mut Self, &'t str) -> Option<()>) -> Option<()> {
        self.object_of(&[], member)
    }

    /// The same for an object that mostly has these members in this order: their names are compared and not looked for.
    pub(crate) fn object_of(
        &mut self,
        usual: &[&'static str],
        mut member: impl FnMut(&mut Self, &'t str) -> Option<()>,
    ) -> Option<()> {
        self.take(b'{')?;
        if self.take(b'}').is_some() {
            return Some(());
        }
        let mut usual = usual.iter();
        loop {
            let name = match usual.next().and_then(|name| self.name(name)) {
                Some(name) => name,
                None => {
                    let name = self.string()?;
                    self.take(b':')?;
                    name
                }
            };
            member(self, name)?;
            if self.take(b',').is_none() {
                return self.take(b'}');
            }
        }
    }

    /// Takes exactly this name of a member, which has no escape, with its colon.
    fn name(&mut self, name: &'static str) -> Option<&'static str> {
        let rest = self.text.as_bytes().get(self.at..)?;
        rest.strip_prefix(b"\"")?.strip_prefix(name.as_bytes())?.starts_with(b"\":").then_some(())?;
        self.at = self.at.saturating_add(name.len()).saturating_add(3);
        Some(name)
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

/// The length of the string that begins here; `None` if it has an escape, a control character or no end.
fn end_of_string(bytes: &[u8]) -> Option<usize> {
    let length = first_special(bytes)?;
    (bytes.get(length) == Some(&b'"')).then_some(length)
}

/// How much of a text is looked at by the word. Most strings are not longer.
const SHORT: usize = 24;

/// How much of a longer one is looked at in one step.
const BLOCK: usize = 64;

/// The place of the first byte that no string has as it is (RFC 8259 section 7): a quotation mark, a backslash or a control
/// character.
fn first_special(bytes: &[u8]) -> Option<usize> {
    let Some((short, long)) = bytes.split_at_checked(SHORT) else { return first_by_word(bytes) };
    if let Some(place) = first_by_word(short) {
        return Some(place);
    }
    let plain = long.as_chunks::<BLOCK>().0.iter().take_while(|block| is_plain(block)).count();
    let before = plain.saturating_mul(BLOCK);
    first_by_word(long.get(before..)?).map(|place| place.saturating_add(before).saturating_add(SHORT))
}

/// Whether no byte is special. Each step of the compiler's looks at 16 bytes: the least of them is zero where one is.
fn is_plain(block: &[u8; BLOCK]) -> bool {
    let distance = |byte: u8| (byte ^ b'"').min(byte ^ b'\\').min(byte.saturating_sub(0x1f));
    block.iter().fold(u8::MAX, |least, byte| least.min(distance(*byte))) > 0
}

/// The first special byte. It looks at eight bytes at once.
fn first_by_word(bytes: &[u8]) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    for (place, word) in words.iter().enumerate() {
        if let Some(first) = first_in_word(word) {
            return Some((place << 3).saturating_add(first));
        }
    }
    match bytes.last_chunk::<8>() {
        // The bytes before the rest are known not to be special.
        Some(_) if rest.is_empty() => None,
        Some(last) => first_in_word(last).map(|first| first.saturating_add(bytes.len()).saturating_sub(8)),
        None => rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0x00..=0x1f)),
    }
}

fn first_in_word(word: &[u8; 8]) -> Option<usize> {
    // In the lowest byte that is marked, each mark is right. In the bytes above it, a borrow may have made one.
    let zero = |word: u64| word.wrapping_sub(each(0x01)) & !word;
    let word = u64::from_le_bytes(*word);
    let below_space = word.wrapping_sub(each(0x20)) & !word;
    let marks = (zero(word ^ each(b'"')) | zero(word ^ each(b'\\')) | below_space) & each(0x80);
    // The lowest byte is the first one.
    (marks != 0).then_some((marks.trailing_zeros() / 8) as usize)
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

    #[test]
    fn the_first_special_byte_is_found_wherever_it_is() {
        for length in 0..200 {
            let plain = vec![b'~'; length];
            assert_eq!(first_special(&plain), None);
            for place in 0..length {
                for special in [b'"', b'\\', 0, 0x1f, b'\n'] {
                    let mut bytes = plain.clone();
                    bytes[place] = special;
                    if let Some(last) = bytes.last_mut() {
                        *last = if place + 1 == length { special } else { b'"' };
                    }
                    assert_eq!(first_special(&bytes), Some(place), "{special} at {place} of {length}");
                }
            }
        }
        let all: Vec<u8> = (0..=u8::MAX).collect();
        for byte in all {
            let is_special = byte < 0x20 || byte == b'"' || byte == b'\\';
            for length in [1, 8, 24, 25, 88, 90] {
                assert_eq!(first_special(&vec![byte; length]), is_special.then_some(0), "{byte} {length}");
                assert_eq!(is_plain(&[byte; BLOCK]), !is_special, "{byte}");
            }
        }
    }

    #[test]
    fn members_in_their_usual_order_and_in_any_other_are_read_alike() {
        let read = |text: &str, usual: &[&'static str]| {
            let (mut json, mut read) = (PlainJson::new(text), Vec::new());
            let taken = json.object_of(usual, |json, name| {
                read.push((name.to_owned(), json.string()?.to_owned()));
                Some(())
            });
            taken.map(|()| read)
        };
        for text in [
            r#"{"ab":"1","c":"2","d":"3"}"#,
            r#"{"c":"2","ab":"1","d":"3"}"#,
            r#"{"ab" :"1", "c":"2","d":"3"}"#,
            r#"{"abc":"1","c":"2","d":"3"}"#,
            r#"{"a":"1","c":"2","c":"3"}"#,
            r#"{"ab":"1"}"#,
            "{}",
        ] {
            assert!(read(text, &[]).is_some(), "{text}");
            assert_eq!(read(text, &["ab", "c", "d"]), read(text, &[]), "{text}");
        }
        for text in [r#"{"ab"}"#, r#"{"ab":}"#, r#"{"ab":"1","c"#, r#"{"ab"#] {
            assert_eq!((read(text, &["ab", "c"]), read(text, &[])), (None, None), "{text}");
        }
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
