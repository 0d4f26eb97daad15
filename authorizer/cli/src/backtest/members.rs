//! A gzip file, which may have several members (RFC 1952 section 2.2).

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// The content of the members of a gzip file.
///
/// Firehose writes each record of a subscription as its own member: one JSON object without a line end. So a line ends
/// between a member that ends in `}` and one that begins with `{`.
pub(super) struct Members<R> {
    decoder: Option<GzDecoder<R>>,
    last: u8,
    held: Option<u8>,
}

impl<R: BufRead> Members<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { decoder: Some(GzDecoder::new(reader)), last: b'\n', held: None }
    }

    /// The first byte of the next member that is not empty.
    fn next_member(&mut self) -> io::Result<Option<u8>> {
        while let Some(decoder) = self.decoder.take() {
            let mut reader = decoder.into_inner();
            if reader.fill_buf()?.is_empty() {
                return Ok(None);
            }
            let mut decoder = GzDecoder::new(reader);
            let mut first = Vec::with_capacity(1);
            decoder.by_ref().take(1).read_to_end(&mut first)?;
            self.decoder = Some(decoder);
            if let Some(first) = first.first() {
                return Ok(Some(*first));
            }
        }
        Ok(None)
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(slot) = out.first_mut() else { return Ok(0) };
        if let Some(held) = self.held.take() {
            *slot = held;
            self.last = held;
            return Ok(1);
        }
        let Some(decoder) = &mut self.decoder else { return Ok(0) };
        let length = decoder.read(out)?;
        if let Some(last) = length.checked_sub(1).and_then(|last| out.get(last)) {
            self.last = *last;
            return Ok(length);
        }
        let Some(first) = self.next_member()? else { return Ok(0) };
        let byte = if self.last == b'}' && first == b'{' {
            self.held = Some(first);
            b'\n'
        } else {
            first
        };
        if let Some(slot) = out.first_mut() {
            *slot = byte;
        }
        self.last = byte;
        Ok(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write as _;

    fn packed(texts: &[&str]) -> Vec<u8> {
        let pack = |text: &&str| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        };
        texts.iter().flat_map(pack).collect()
    }

    fn unpacked(bytes: &[u8]) -> io::Result<String> {
        let mut text = String::new();
        Members::new(bytes).read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn members_are_read_one_after_the_other() {
        for (members, text) in [
            (vec!["a\n", "b\n"], "a\nb\n"),
            (vec!["one li", "ne\n"], "one line\n"),
            (vec!["", "a", "", "b", ""], "ab"),
            (vec!["{\"a\":1}", "{\"b\":2}", "{}"], "{\"a\":1}\n{\"b\":2}\n{}"),
            (vec!["{\"a\":1}\n", "{\"b\":2}"], "{\"a\":1}\n{\"b\":2}"),
            (vec![""], ""),
        ] {
            assert_eq!(unpacked(&packed(&members)).unwrap(), text, "{members:?}");
        }
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        let whole = packed(&["a long enough text to be cut somewhere"]);
        for length in 1..whole.len() {
            assert!(unpacked(&whole[..length]).is_err(), "{length}");
        }
    }
}
