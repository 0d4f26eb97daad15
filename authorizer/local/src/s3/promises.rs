//! The promises of a request about its body: checksums and a digest, compared with the received bytes.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{Checksum, ChecksumAlgorithm};
use s3s::{S3Result, TrailingHeaders, s3_error};

/// The algorithms: the header's ending, the name in S3's messages, the bytes of a checksum, and its field.
type Field = fn(&mut Checksum) -> &mut Option<String>;
const ALGORITHMS: [(&str, &str, usize, Field); 5] = [
    ("x-amz-checksum-crc32", "CRC32", 4, |sums| &mut sums.checksum_crc32),
    ("x-amz-checksum-crc32c", "CRC32C", 4, |sums| &mut sums.checksum_crc32c),
    ("x-amz-checksum-crc64nvme", "CRC64NVME", 8, |sums| &mut sums.checksum_crc64nvme),
    ("x-amz-checksum-sha1", "SHA1", 20, |sums| &mut sums.checksum_sha1),
    ("x-amz-checksum-sha256", "SHA256", 32, |sums| &mut sums.checksum_sha256),
];

/// The promises about one body, and the checksums of its bytes so far.
#[derive(Default)]
pub(crate) struct Promises {
    md5: Option<(Md5, Vec<u8>)>,
    hasher: ChecksumHasher,
    expected: Checksum,
    /// Checksums may come after the body.
    trailers: Option<TrailingHeaders>,
}

impl Promises {
    /// Reads the promises. A promise that no body can keep is refused before the body is read.
    pub(crate) fn new(
        content_md5: Option<&str>,
        mut expected: Checksum,
        algorithm: Option<&ChecksumAlgorithm>,
        trailers: Option<TrailingHeaders>,
    ) -> S3Result<Self> {
        let md5 = match content_md5 {
            None => None,
            Some(text) => match STANDARD.decode(text) {
                Ok(digest) if digest.len() == 16 => Some((Md5::new(), digest)),
                Ok(_) | Err(_) => {
                    return Err(s3_error!(InvalidDigest, "The Content-MD5 you specified was invalid"));
                }
            },
        };
        for (header, _, length, field) in ALGORITHMS {
            if let Some(text) = field(&mut expected)
                && STANDARD.decode(text.as_str()).map(|sum| sum.len()) != Ok(length)
            {
                return Err(s3_error!(InvalidRequest, "Value for {header} header is invalid."));
            }
        }
        let is_named = |name: &str| algorithm.is_some_and(|algorithm| algorithm.as_str() == name);
        let announced = |name: &str| trailers.is_some() && is_named(name);
        let has_none =
            |(_, name, _, field): (_, &str, _, Field)| is_named(name) && field(&mut expected).is_none();
        if trailers.is_none() && ALGORITHMS.into_iter().any(has_none) {
            return Err(s3_error!(
                InvalidRequest,
                "A checksum algorithm was specified, but no corresponding x-amz-checksum-* header was found."
            ));
        }
        let hasher = ChecksumHasher {
            crc32: wanted(expected.checksum_crc32.is_some() || announced("CRC32")),
            crc32c: wanted(expected.checksum_crc32c.is_some() || announced("CRC32C")),
            crc64nvme: wanted(expected.checksum_crc64nvme.is_some() || announced("CRC64NVME")),
            sha1: wanted(expected.checksum_sha1.is_some() || announced("SHA1")),
            sha256: wanted(expected.checksum_sha256.is_some() || announced("SHA256")),
        };
        Ok(Self { md5, hasher, expected, trailers })
    }

    /// More of the body.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        if let Some((md5, _)) = &mut self.md5 {
            md5.update(bytes);
        }
        self.hasher.update(bytes);
    }

    /// Checks the promises at the end of the body.
    pub(crate) fn check(self) -> S3Result<()> {
        let Self { md5, hasher, mut expected, trailers } = self;
        if let Some((md5, digest)) = md5
            && md5.finalize().as_ref() != digest
        {
            return Err(s3_error!(
                BadDigest,
                "The Content-MD5 you specified did not match what we received."
            ));
        }
        let mut arrived = hasher.finalize();
        for (header, name, _, field) in ALGORITHMS {
            let trailing = trailers.as_ref().and_then(|trailers| {
                trailers.read(|headers| headers.get(header)?.to_str().ok().map(str::to_owned))?
            });
            let promised = field(&mut expected).take().or(trailing);
            if promised.is_some() && promised != *field(&mut arrived) {
                return Err(s3_error!(
                    BadDigest,
                    "The {name} you specified did not match the calculated checksum."
                ));
            }
        }
        Ok(())
    }
}

fn wanted<T: Default>(is_wanted: bool) -> Option<T> {
    is_wanted.then(T::default)
}

#[cfg(test)]
mod tests {
    use super::*;
    use s3s::S3ErrorCode;

    fn outcome(md5: Option<&str>, expected: Checksum, body: &[u8]) -> Option<S3ErrorCode> {
        let promises = Promises::new(md5, expected, None, None);
        let checked = promises.and_then(|mut promises| {
            promises.update(body);
            promises.check()
        });
        checked.err().map(|error| error.code().clone())
    }

    fn sum(field: Field, text: &str) -> Checksum {
        let mut sums = Checksum::default();
        *field(&mut sums) = Some(text.to_owned());
        sums
    }

    #[test]
    fn a_promise_that_was_kept_is_let_through_and_a_broken_one_is_a_bad_digest() {
        // For the nine digits `123456789`: the check values of the catalogue of CRCs and of the digests' RFCs.
        let kept = [
            "y/Q5Jg==",
            "4waSgw==",
            "rosUhgp5mIg=",
            "98O8HYCOBHMq32eZZczDTKeuNEE=",
            "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
        ];
        for ((_, name, _, field), text) in ALGORITHMS.into_iter().zip(kept) {
            assert_eq!(outcome(None, sum(field, text), b"123456789"), None, "{name}");
            let broken = outcome(None, sum(field, text), b"12345678");
            assert_eq!(broken, Some(S3ErrorCode::BadDigest), "{name}");
        }
        assert_eq!(outcome(Some("1B2M2Y8AsgTpgAmY7PhCfg=="), Checksum::default(), b""), None);
        let broken = outcome(Some("1B2M2Y8AsgTpgAmY7PhCfg=="), Checksum::default(), b"x");
        assert_eq!(broken, Some(S3ErrorCode::BadDigest));
    }

    #[test]
    fn a_promise_that_nothing_can_keep_is_refused_before_the_body_is_read() {
        for text in ["", "x", "AAAA"] {
            let error = Promises::new(Some(text), Checksum::default(), None, None).err().unwrap();
            assert_eq!(error.code(), &S3ErrorCode::InvalidDigest, "{text}");
            for (_, _, _, field) in ALGORITHMS {
                let error = Promises::new(None, sum(field, text), None, None).err().unwrap();
                assert_eq!(error.code(), &S3ErrorCode::InvalidRequest, "{text}");
            }
        }
    }
}
