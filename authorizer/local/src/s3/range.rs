//! The range of a read, as S3 reads it.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>

use std::ops::Range;

use s3s::{S3Error, S3Result, s3_error};

/// One range of bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ByteRange {
    /// From one position to another, inclusive, or to the end.
    From(u64, Option<u64>),
    /// The last bytes.
    Last(u64),
}

impl ByteRange {
    /// Reads the header. A malformed one is ignored, as RFC 9110 section 14.2 allows, and so are several ranges: S3
    /// does not support them, and answers with the whole object.
    pub(crate) fn read(header: &str) -> Option<Self> {
        let (unit, range) = header.trim().split_once('=')?;
        let (first, last) = range.split_once('-').filter(|_| unit.trim().eq_ignore_ascii_case("bytes"))?;
        match (first.trim(), last.trim()) {
            ("", last) => Some(Self::Last(number(last)?)),
            (first, "") => Some(Self::From(number(first)?, None)),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Self::From(first, Some(last)))
            }
        }
    }

    /// The bytes of an object of this size. The end is cut at the object's end (RFC 9110 section 14.1.2).
    pub(crate) fn of(self, size: u64) -> S3Result<Range<u64>> {
        match self {
            Self::From(first, last) if first < size => {
                Ok(first..last.map_or(size, |last| last.saturating_add(1).min(size)))
            }
            Self::Last(length) if length > 0 && size > 0 => Ok(size.saturating_sub(length)..size),
            Self::From(..) | Self::Last(_) => Err(unsatisfiable()),
        }
    }
}

/// A number without a sign. One that is too large is beyond every object.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

fn unsatisfiable() -> S3Error {
    s3_error!(InvalidRange, "The requested range is not satisfiable")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_rfc_9110_writes_it_and_everything_else_is_ignored() {
        for (header, range) in [
            ("bytes=0-0", Some(ByteRange::From(0, Some(0)))),
            ("bytes=5-", Some(ByteRange::From(5, None))),
            ("Bytes=-5", Some(ByteRange::Last(5))),
            ("bytes= 1 - 2 ", Some(ByteRange::From(1, Some(2)))),
            ("bytes=99999999999999999999-", Some(ByteRange::From(u64::MAX, None))),
            ("bytes=2-1", None),
            ("bytes=0-1,3-4", None),
            ("bytes=-", None),
            ("bytes=a-b", None),
            ("bytes=+1-2", None),
            ("bytes=1", None),
            ("lines=0-1", None),
            ("", None),
        ] {
            assert_eq!(ByteRange::read(header), range, "{header}");
        }
    }

    #[test]
    fn a_range_is_cut_at_the_end_and_must_begin_before_it() {
        for (range, size, bytes) in [
            (ByteRange::From(0, Some(99)), 10, Some(0..10)),
            (ByteRange::From(9, None), 10, Some(9..10)),
            (ByteRange::From(10, None), 10, None),
            (ByteRange::Last(3), 10, Some(7..10)),
            (ByteRange::Last(99), 10, Some(0..10)),
            (ByteRange::Last(0), 10, None),
            (ByteRange::From(0, None), 0, None),
            (ByteRange::Last(5), 0, None),
            (ByteRange::From(0, Some(u64::MAX)), 10, Some(0..10)),
        ] {
            assert_eq!(range.of(size).ok(), bytes, "{range:?} of {size}");
        }
    }
}
