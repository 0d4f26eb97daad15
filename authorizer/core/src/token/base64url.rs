//! Base64url without padding (RFC 7515 section 2), of the parts of a token.
//!
//! A token is hundreds of characters long. So each step reads many: first the value of every character, then eight values
//! become six bytes.

/// How many characters are read before it is looked whether all of them are in the alphabet.
const BLOCK: usize = 32;

/// The bytes of a text; `None` if it is not base64url in its canonical form: with a character outside its alphabet, with a
/// length that no bytes have, or with bits that are not zero behind the last byte (RFC 4648 section 3.5).
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let (blocks, rest) = text.as_bytes().as_chunks::<BLOCK>();
    let mut bytes = Vec::with_capacity(text.len());
    for block in blocks {
        push_block(&mut bytes, block)?;
    }
    // `A` has the value 0.
    let mut last = [b'A'; BLOCK];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    push_block(&mut bytes, &last)?;
    // Of the last block, these are of the text. Behind them there are zeros, or bits of a last character.
    let of_the_end = match text.len() % 4 {
        0 => 0,
        2 => 1,
        3 => 2,
        _ => return None,
    };
    let length = (text.len() / 4).saturating_mul(3).saturating_add(of_the_end);
    bytes.get(length..)?.iter().all(|byte| *byte == 0).then_some(())?;
    bytes.truncate(length);
    Some(bytes)
}

fn push_block(bytes: &mut Vec<u8>, block: &[u8; BLOCK]) -> Option<()> {
    let (mut values, mut is_any_other) = (*block, false);
    for value in &mut values {
        let offset = offset(*value);
        *value = value.wrapping_add(offset);
        is_any_other |= offset == 0;
    }
    let mut packed = [0; BLOCK / 4 * 3];
    let sixes = packed.as_chunks_mut::<6>().0;
    for (six, eight) in sixes.iter_mut().zip(values.as_chunks::<8>().0) {
        let [_, _, bytes @ ..] = pack(u64::from_be_bytes(*eight)).to_be_bytes();
        *six = bytes;
    }
    bytes.extend_from_slice(&packed);
    (!is_any_other).then_some(())
}

/// What turns a character into its value (RFC 4648 section 5) when it is added to it; 0 for a character that is not in the
/// alphabet. Without a branch or a table, so that one step looks at many.
fn offset(c: u8) -> u8 {
    // No character is in two of the ranges.
    let within = |from: u8, to: u8, offset: u8| {
        let is_in = c.wrapping_sub(from) <= to.wrapping_sub(from);
        if is_in { offset } else { 0 }
    };
    within(b'A', b'Z', 0u8.wrapping_sub(b'A'))
        | within(b'a', b'z', 26u8.wrapping_sub(b'a'))
        | within(b'0', b'9', 52u8.wrapping_sub(b'0'))
        | within(b'-', b'-', 62u8.wrapping_sub(b'-'))
        | within(b'_', b'_', 63u8.wrapping_sub(b'_'))
}

/// Eight values of six bits each, as 48 bits. Each step joins two neighbours.
fn pack(values: u64) -> u64 {
    let twelve = (values & 0x003f_003f_003f_003f) | ((values & 0x3f00_3f00_3f00_3f00) >> 2);
    let twenty_four = (twelve & 0x0000_0fff_0000_0fff) | ((twelve & 0x0fff_0000_0fff_0000) >> 4);
    (twenty_four & 0x0000_0000_00ff_ffff) | ((twenty_four & 0x00ff_ffff_0000_0000) >> 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    #[test]
    fn a_text_is_decoded_as_the_published_decoder_decodes_it() {
        // Of each length, each character at each place near an end or the border of a block.
        for length in 0..70 {
            let text: String = "Zm9vYmFy-_09azAZ".chars().cycle().take(length).collect();
            assert_eq!(decode(&text), URL_SAFE_NO_PAD.decode(&text).ok(), "{text}");
            for at in [0, 1, 30, 31, 32, length.saturating_sub(2), length.saturating_sub(1)] {
                for c in '\0'..='\u{ff}' {
                    let Some((before, rest)) = text.split_at_checked(at) else { continue };
                    let mut rest = rest.chars();
                    rest.next();
                    let text = format!("{before}{c}{}", rest.as_str());
                    assert_eq!(decode(&text), URL_SAFE_NO_PAD.decode(&text).ok(), "{text}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_and_nothing_else_is(bytes: Vec<u8>, text in "[A-Za-z0-9_=+/.-]{0,80}") {
            prop_assert_eq!(decode(&URL_SAFE_NO_PAD.encode(&bytes)), Some(bytes));
            prop_assert_eq!(decode(&text), URL_SAFE_NO_PAD.decode(&text).ok());
        }
    }
}
