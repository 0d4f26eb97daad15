//! The checksums of bodies: what a request promises about its body, and what the bytes are.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>

use authorizer_core::checksum::ChecksumAlgorithm;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use http::{HeaderMap, StatusCode};
use s3s::crypto::{Checksum as _, Md5, Sha1, Sha256};
use s3s::{S3Error, S3ErrorCode, S3Result, TrailingHeaders, s3_error};
use sha2::{Digest as _, Sha512};
use xxhash_rust::xxh3::Xxh3;
use xxhash_rust::xxh64::Xxh64;

use super::facts::{SumKind, Sums};

/// The algorithm that S3 uses where a request names none.
pub(crate) const DEFAULT: ChecksumAlgorithm = ChecksumAlgorithm::Crc64Nvme;

/// One checksum while its bytes arrive.
enum Summing {
    Crc(crc_fast::Digest, usize),
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
    Sha512(Sha512),
    Xxhash3(Box<Xxh3>),
    Xxhash64(Box<Xxh64>),
    Xxhash128(Box<Xxh3>),
}

impl Summing {
    fn new(algorithm: ChecksumAlgorithm) -> Self {
        match algorithm {
            ChecksumAlgorithm::Crc32 => Self::Crc(crc_fast::Digest::new(CrcAlgorithm::Crc32IsoHdlc), 4),
            ChecksumAlgorithm::Crc32c => Self::Crc(crc_fast::Digest::new(CrcAlgorithm::Crc32Iscsi), 4),
            ChecksumAlgorithm::Crc64Nvme => Self::Crc(crc_fast::Digest::new(CrcAlgorithm::Crc64Nvme), 8),
            ChecksumAlgorithm::Md5 => Self::Md5(Md5::new()),
            ChecksumAlgorithm::Sha1 => Self::Sha1(Sha1::new()),
            ChecksumAlgorithm::Sha256 => Self::Sha256(Sha256::new()),
            ChecksumAlgorithm::Sha512 => Self::Sha512(Sha512::new()),
            ChecksumAlgorithm::Xxhash3 => Self::Xxhash3(Box::default()),
            ChecksumAlgorithm::Xxhash64 => Self::Xxhash64(Box::new(Xxh64::new(0))),
            ChecksumAlgorithm::Xxhash128 => Self::Xxhash128(Box::default()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc(crc, _) => crc.update(bytes),
            Self::Md5(sum) => sum.update(bytes),
            Self::Sha1(sum) => sum.update(bytes),
            Self::Sha256(sum) => s3s::crypto::Checksum::update(sum, bytes),
            Self::Sha512(sum) => sum.update(bytes),
            Self::Xxhash3(sum) | Self::Xxhash128(sum) => sum.update(bytes),
            Self::Xxhash64(sum) => sum.update(bytes),
        }
    }

    /// In the order of bytes in which S3 writes it: the highest first.
    fn finish(self) -> Vec<u8> {
        match self {
            Self::Crc(crc, length) => {
                let all = crc.finalize().to_be_bytes();
                all.get(all.len().saturating_sub(length)..).unwrap_or_default().to_vec()
            }
            Self::Md5(sum) => sum.finalize().as_ref().to_vec(),
            Self::Sha1(sum) => sum.finalize().as_ref().to_vec(),
            Self::Sha256(sum) => s3s::crypto::Checksum::finalize(sum).as_ref().to_vec(),
            Self::Sha512(sum) => sum.finalize().to_vec(),
            Self::Xxhash3(sum) => sum.digest().to_be_bytes().to_vec(),
            Self::Xxhash64(sum) => sum.digest().to_be_bytes().to_vec(),
            Self::Xxhash128(sum) => sum.digest128().to_be_bytes().to_vec(),
        }
    }
}

/// The checksums of a body while it arrives: always its MD5, which is its entity tag.
pub(crate) struct Hasher {
    md5: Md5,
    sums: Vec<(ChecksumAlgorithm, Summing)>,
}

/// The checksums of a body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hashed {
    pub(crate) md5: [u8; 16],
    pub(crate) sums: Sums,
}

impl Hasher {
    pub(crate) fn new(algorithms: impl IntoIterator<Item = ChecksumAlgorithm>) -> Self {
        let mut sums: Vec<(ChecksumAlgorithm, Summing)> = Vec::new();
        for algorithm in algorithms {
            if sums.iter().all(|(other, _)| *other != algorithm) {
                sums.push((algorithm, Summing::new(algorithm)));
            }
        }
        Self { md5: Md5::new(), sums }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        for (_, sum) in &mut self.sums {
            sum.update(bytes);
        }
    }

    pub(crate) fn finish(self) -> Hashed {
        let mut sums = Sums::default();
        for (algorithm, sum) in self.sums {
            sums.insert(algorithm, STANDARD.encode(sum.finish()));
        }
        let mut md5 = [0; 16];
        md5.iter_mut().zip(self.md5.finalize().as_ref()).for_each(|(to, from)| *to = *from);
        Hashed { md5, sums }
    }
}

/// The text of an MD5 in an entity tag.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The MD5 of bytes.
pub(crate) fn md5(bytes: &[u8]) -> Vec<u8> {
    Md5::checksum(bytes).as_ref().to_vec()
}

/// The checksum of an upload in parts, of the checksums of its parts in their order; `None` if one is missing.
pub(crate) fn joined(
    algorithm: ChecksumAlgorithm,
    kind: SumKind,
    parts: &[(u64, Option<&str>)],
) -> Option<String> {
    let decode = |text: &str| STANDARD.decode(text).ok();
    match kind {
        SumKind::Composite => {
            let mut all = Summing::new(algorithm);
            for (_, sum) in parts {
                all.update(&decode((*sum)?)?);
            }
            Some(format!("{}-{}", STANDARD.encode(all.finish()), parts.len()))
        }
        SumKind::Full => {
            let crc = match algorithm {
                ChecksumAlgorithm::Crc32 => CrcAlgorithm::Crc32IsoHdlc,
                ChecksumAlgorithm::Crc32c => CrcAlgorithm::Crc32Iscsi,
                ChecksumAlgorithm::Crc64Nvme => CrcAlgorithm::Crc64Nvme,
                ChecksumAlgorithm::Md5
                | ChecksumAlgorithm::Sha1
                | ChecksumAlgorithm::Sha256
                | ChecksumAlgorithm::Sha512
                | ChecksumAlgorithm::Xxhash3
                | ChecksumAlgorithm::Xxhash64
                | ChecksumAlgorithm::Xxhash128 => return None,
            };
            let mut whole: Option<(u64, usize)> = None;
            for (size, sum) in parts {
                let bytes = decode((*sum)?)?;
                let next = bytes.iter().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
                let before = whole.map_or(next, |(before, _)| {
                    if *size == 0 { before } else { crc_fast::checksum_combine(crc, before, next, *size) }
                });
                whole = Some((before, bytes.len()));
            }
            let (whole, length) = whole?;
            let all = whole.to_be_bytes();
            Some(STANDARD.encode(all.get(all.len().saturating_sub(length)..)?))
        }
    }
}

/// The algorithm with this name of S3's.
pub(crate) fn named(name: &str) -> Option<ChecksumAlgorithm> {
    ChecksumAlgorithm::ALL.into_iter().find(|one| one.name() == name)
}

/// How long a checksum is, in bytes.
fn length(algorithm: ChecksumAlgorithm) -> usize {
    STANDARD.decode(algorithm.example()).map_or(0, |bytes| bytes.len())
}

/// The checksums in the headers of a request.
pub(crate) fn told(headers: &HeaderMap) -> S3Result<Option<(ChecksumAlgorithm, String)>> {
    let mut told = None;
    for algorithm in ChecksumAlgorithm::ALL {
        let Some(value) = headers.get(algorithm.header()) else { continue };
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        if told.is_some() {
            return Err(s3_error!(
                InvalidRequest,
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
            ));
        }
        told = Some((algorithm, text));
    }
    Ok(told)
}

/// The promises of a request about its body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Promises {
    md5: Option<Vec<u8>>,
    sum: Option<(ChecksumAlgorithm, Promised)>,
}

/// A promised checksum: in the headers, or in the trailers after the body.
#[derive(Clone, Debug)]
enum Promised {
    Now(String),
    Later(TrailingHeaders),
}

impl Promises {
    /// Reads the promises. A promise that no body can keep is refused before the body is read.
    pub(crate) fn read(headers: &HeaderMap, trailers: Option<TrailingHeaders>) -> S3Result<Self> {
        let md5 = match headers.get("content-md5").map(|value| STANDARD.decode(value.as_bytes())) {
            None => None,
            Some(Ok(digest)) if digest.len() == 16 => Some(digest),
            Some(Ok(_) | Err(_)) => {
                return Err(s3_error!(InvalidDigest, "The Content-MD5 you specified was invalid"));
            }
        };
        let now = told(headers)?;
        if let Some((algorithm, text)) = &now
            && STANDARD.decode(text).map(|sum| sum.len()) != Ok(length(*algorithm))
        {
            return Err(s3_error!(InvalidRequest, "Value for {} header is invalid.", algorithm.header()));
        }
        let text = |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let trailer = text("x-amz-trailer").unwrap_or_default();
        let later = ChecksumAlgorithm::ALL
            .into_iter()
            .find(|one| trailer.split(',').any(|name| name.trim().eq_ignore_ascii_case(one.header())));
        let sum = match (now, later, trailers) {
            (Some((algorithm, text)), _, _) => Some((algorithm, Promised::Now(text))),
            (None, Some(algorithm), Some(trailers)) => Some((algorithm, Promised::Later(trailers))),
            (None, Some(_) | None, _) => None,
        };
        if let Some(announced) = text("x-amz-sdk-checksum-algorithm").filter(|name| !name.is_empty()) {
            let Some(announced) = named(&announced.to_ascii_uppercase()) else {
                return Err(s3_error!(
                    InvalidRequest,
                    "Value for x-amz-sdk-checksum-algorithm header is invalid."
                ));
            };
            match &sum {
                None => {
                    return Err(s3_error!(
                        InvalidRequest,
                        "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or \
                         x-amz-trailer headers were found."
                    ));
                }
                Some((algorithm, _)) if *algorithm != announced => {
                    return Err(s3_error!(
                        InvalidRequest,
                        "Value for x-amz-sdk-checksum-algorithm header is invalid."
                    ));
                }
                Some(_) => {}
            }
        }
        Ok(Self { md5, sum })
    }

    /// The algorithm of the promised checksum.
    pub(crate) fn algorithm(&self) -> Option<ChecksumAlgorithm> {
        self.sum.as_ref().map(|(algorithm, _)| *algorithm)
    }

    /// Compares the promises with the body.
    pub(crate) fn check(&self, body: &Hashed) -> S3Result<()> {
        if self.md5.as_ref().is_some_and(|md5| md5 != &body.md5) {
            return Err(s3_error!(
                BadDigest,
                "The Content-MD5 you specified did not match what we received."
            ));
        }
        let Some((algorithm, promised)) = &self.sum else { return Ok(()) };
        let promised = match promised {
            Promised::Now(text) => Some(text.clone()),
            Promised::Later(trailers) => trailers
                .read(|headers| headers.get(algorithm.header())?.to_str().ok().map(str::to_owned))
                .flatten(),
        };
        match promised {
            Some(promised) if body.sums.get(*algorithm) == Some(&promised) => Ok(()),
            Some(_) => Err(bad_digest(*algorithm)),
            None => {
                let mut error = S3Error::with_message(
                    S3ErrorCode::Custom("MalformedTrailerError".into()),
                    "The request contained trailing data that was not well-formed or did not conform to our published \
                     schema.",
                );
                error.set_status_code(StatusCode::BAD_REQUEST);
                Err(error)
            }
        }
    }
}

/// 400: another checksum than was promised.
pub(crate) fn bad_digest(algorithm: ChecksumAlgorithm) -> S3Error {
    s3_error!(BadDigest, "The {} you specified did not match the calculated checksum.", algorithm.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            (HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    fn outcome(pairs: &[(&str, &str)], body: &[u8]) -> Option<S3ErrorCode> {
        let checked = Promises::read(&headers(pairs), None).and_then(|promises| {
            let mut hasher = Hasher::new(promises.algorithm());
            hasher.update(body);
            promises.check(&hasher.finish())
        });
        checked.err().map(|error| error.code().clone())
    }

    /// The check values of the algorithms, for the nine bytes that the catalogues of CRCs use. SHA and MD5 are those
    /// of coreutils, and the xxHashes those of PyPI's `xxhash`.
    const NINE: [(&str, &str); 10] = [
        ("x-amz-checksum-crc32", "y/Q5Jg=="),
        ("x-amz-checksum-crc32c", "4waSgw=="),
        ("x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
        ("x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
        ("x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
        (
            "x-amz-checksum-sha512",
            "2eZ2LdHI6vbWGzxhkvxAjU1tXxF20MKRabwk5xw/J0rSf81YEbMT1oH35V7ALXPUmclUVba1u1A6z1dPuo/+hQ==",
        ),
        ("x-amz-checksum-md5", "JfnnlDI7RTiF9RgfG2JNCw=="),
        ("x-amz-checksum-xxhash3", "ctyxi2ehff8="),
        ("x-amz-checksum-xxhash64", "jLhB20DmroM="),
        ("x-amz-checksum-xxhash128", "MxGUd+3l3NXpcWQnaB1YYA=="),
    ];

    #[test]
    fn a_body_keeps_the_promise_of_every_algorithm_or_is_refused() {
        for (name, value) in NINE {
            assert_eq!(outcome(&[(name, value)], b"123456789"), None, "{name}");
            assert_eq!(outcome(&[(name, value)], b"other"), Some(S3ErrorCode::BadDigest), "{name}");
            assert_eq!(outcome(&[(name, "AAAA")], b""), Some(S3ErrorCode::InvalidRequest), "{name}");
        }
        let md5 = [("content-md5", "JfnnlDI7RTiF9RgfG2JNCw==")];
        assert_eq!(outcome(&md5, b"123456789"), None);
        assert_eq!(outcome(&md5, b"other"), Some(S3ErrorCode::BadDigest));
        assert_eq!(outcome(&[("content-md5", "x")], b""), Some(S3ErrorCode::InvalidDigest));
    }

    #[test]
    fn a_request_has_one_checksum_and_the_one_that_it_announces() {
        let [crc, crc32c] = [NINE[0], NINE[1]];
        let announce = |name| ("x-amz-sdk-checksum-algorithm", name);
        for (pairs, error) in [
            (vec![crc, crc32c], Some(S3ErrorCode::InvalidRequest)),
            (vec![crc, announce("CRC32")], None),
            (vec![crc, announce("crc32")], None),
            (vec![crc, announce("SHA256")], Some(S3ErrorCode::InvalidRequest)),
            (vec![crc, announce("CRC65")], Some(S3ErrorCode::InvalidRequest)),
            (vec![announce("CRC32")], Some(S3ErrorCode::InvalidRequest)),
        ] {
            assert_eq!(outcome(&pairs, b"123456789"), error, "{pairs:?}");
        }
    }

    #[test]
    fn the_checksum_of_the_whole_follows_from_those_of_its_parts() {
        use ChecksumAlgorithm::{Crc32, Crc32c, Crc64Nvme, Sha256};
        let parts: [&[u8]; 3] = [b"1234", b"56789", b""];
        let sum = |algorithm, bytes: &[u8]| {
            let mut hasher = Hasher::new([algorithm]);
            hasher.update(bytes);
            hasher.finish().sums.get(algorithm).unwrap().to_owned()
        };
        for algorithm in [Crc32, Crc32c, Crc64Nvme] {
            let sums = parts.map(|part| sum(algorithm, part));
            let known: Vec<_> =
                parts.iter().zip(&sums).map(|(part, sum)| (part.len() as u64, Some(sum.as_str()))).collect();
            let whole = sum(algorithm, b"123456789");
            assert_eq!(joined(algorithm, SumKind::Full, &known), Some(whole), "{algorithm}");
        }
        let sums = parts.map(|part| sum(Sha256, part));
        let known: Vec<_> = sums.iter().map(|sum| (1, Some(sum.as_str()))).collect();
        let raw: Vec<u8> = sums.iter().flat_map(|sum| STANDARD.decode(sum).unwrap()).collect();
        assert_eq!(joined(Sha256, SumKind::Composite, &known), Some(format!("{}-3", sum(Sha256, &raw))));
        assert_eq!(joined(Sha256, SumKind::Full, &known), None);
        assert_eq!(joined(Sha256, SumKind::Composite, &[(1, None)]), None);
    }
}
