//! The checksums of S3
//! ([AWS: checking object integrity](https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html)):
//! the one list of their algorithms, and which of them a rule lets through.
//!
//! The list is closed: S3 may give a new name another meaning. The templates and `infra/parameters` have the same
//! list, which a test compares with this one and with AWS's own service model.

use std::fmt;

use crate::operation::S3Operation;

/// An algorithm of S3's, the likeliest first: `checksums = true` takes as many as fit, in this order.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum ChecksumAlgorithm {
    /// CRC32, which most SDKs of AWS send.
    Crc32,
    /// CRC64NVME, which S3 computes itself where a request has no checksum.
    Crc64Nvme,
    /// CRC32C.
    Crc32c,
    /// SHA256.
    Sha256,
    /// SHA1.
    Sha1,
    /// SHA512.
    Sha512,
    /// MD5.
    Md5,
    /// XXHASH3.
    Xxhash3,
    /// XXHASH64.
    Xxhash64,
    /// XXHASH128.
    Xxhash128,
}

impl ChecksumAlgorithm {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Crc32,
        Self::Crc64Nvme,
        Self::Crc32c,
        Self::Sha256,
        Self::Sha1,
        Self::Sha512,
        Self::Md5,
        Self::Xxhash3,
        Self::Xxhash64,
        Self::Xxhash128,
    ];

    /// The word in a policy.
    pub fn word(self) -> &'static str {
        self.facts().0
    }

    /// S3's name for it, in the headers that announce it.
    pub fn name(self) -> &'static str {
        self.facts().1
    }

    /// The header with the checksum, in lower case.
    pub fn header(self) -> &'static str {
        self.facts().2
    }

    /// A value of that header, in the form that it must have.
    pub fn example(self) -> &'static str {
        match self {
            Self::Crc32 | Self::Crc32c => "AAAAAA==",
            Self::Crc64Nvme | Self::Xxhash3 | Self::Xxhash64 => "AAAAAAAAAAA=",
            Self::Md5 | Self::Xxhash128 => "AAAAAAAAAAAAAAAAAAAAAA==",
            Self::Sha1 => "AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            Self::Sha256 => "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            Self::Sha512 => {
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
            }
        }
    }

    /// The algorithm with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// The word, the name and the header.
    fn facts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Crc32 => ("crc32", "CRC32", "x-amz-checksum-crc32"),
            Self::Crc64Nvme => ("crc64nvme", "CRC64NVME", "x-amz-checksum-crc64nvme"),
            Self::Crc32c => ("crc32c", "CRC32C", "x-amz-checksum-crc32c"),
            Self::Sha256 => ("sha256", "SHA256", "x-amz-checksum-sha256"),
            Self::Sha1 => ("sha1", "SHA1", "x-amz-checksum-sha1"),
            Self::Sha512 => ("sha512", "SHA512", "x-amz-checksum-sha512"),
            Self::Md5 => ("md5", "MD5", "x-amz-checksum-md5"),
            Self::Xxhash3 => ("xxhash3", "XXHASH3", "x-amz-checksum-xxhash3"),
            Self::Xxhash64 => ("xxhash64", "XXHASH64", "x-amz-checksum-xxhash64"),
            Self::Xxhash128 => ("xxhash128", "XXHASH128", "x-amz-checksum-xxhash128"),
        }
    }

    fn bit(self) -> u16 {
        match self {
            Self::Crc32 => 1,
            Self::Crc64Nvme => 1 << 1,
            Self::Crc32c => 1 << 2,
            Self::Sha256 => 1 << 3,
            Self::Sha1 => 1 << 4,
            Self::Sha512 => 1 << 5,
            Self::Md5 => 1 << 6,
            Self::Xxhash3 => 1 << 7,
            Self::Xxhash64 => 1 << 8,
            Self::Xxhash128 => 1 << 9,
        }
    }
}

impl fmt::Display for ChecksumAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What one integrity header of a request speaks of.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum ChecksumHeader {
    /// A checksum by this algorithm, or the announcement of one.
    Of(ChecksumAlgorithm),
    /// `x-amz-checksum-type`: whether the checksum of an upload in parts is of the parts or of the whole object. It
    /// goes with every algorithm.
    Kind,
}

/// The headers that announce the algorithm of a checksum by its name: of an upload, and of an upload in parts.
pub(crate) const ANNOUNCEMENTS: [&str; 2] = ["x-amz-sdk-checksum-algorithm", "x-amz-checksum-algorithm"];

/// The header of [`ChecksumHeader::Kind`].
pub(crate) const KIND: &str = "x-amz-checksum-type";

/// Its values.
const KINDS: [&str; 2] = ["COMPOSITE", "FULL_OBJECT"];

impl ChecksumHeader {
    /// What a header (its name in lower case) with this value speaks of; `None` for a name that is none of these,
    /// for the name of an algorithm that is not in the list, and for a type that S3 does not have.
    pub(crate) fn read(name: &str, value: &str) -> Option<Self> {
        if name == KIND {
            return KINDS.contains(&value).then_some(Self::Kind);
        }
        let is_meant = |one: &ChecksumAlgorithm| match ANNOUNCEMENTS.contains(&name) {
            true => one.name() == value,
            false => one.header() == name,
        };
        ChecksumAlgorithm::ALL.into_iter().find(is_meant).map(Self::Of)
    }

    /// All of them that a request for this operation can have.
    pub fn all_of(operation: S3Operation) -> impl Iterator<Item = Self> {
        let of = ChecksumAlgorithm::ALL.into_iter().map(Self::Of);
        of.chain([Self::Kind]).filter(move |one| one.is_of(operation))
    }

    /// Whether a request for this operation can have it.
    pub(crate) fn is_of(self, operation: S3Operation) -> bool {
        match self {
            Self::Of(_) => operation.is_upload(),
            Self::Kind => operation.uploads_in_parts() && operation != S3Operation::UploadPart,
        }
    }

    /// The word for it: the algorithm's, or `type`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Of(algorithm) => algorithm.word(),
            Self::Kind => "type",
        }
    }

    /// A header line with it: the name in lower case, and a value.
    pub fn example(self) -> (&'static str, &'static str) {
        match self {
            Self::Of(algorithm) => (algorithm.header(), algorithm.example()),
            Self::Kind => (KIND, "COMPOSITE"),
        }
    }
}

/// The algorithms that a rule lets through.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
pub struct Checksums(u16);

impl Checksums {
    /// None of them.
    pub const NONE: Self = Self(0);

    /// All of them.
    pub fn all() -> Self {
        ChecksumAlgorithm::ALL.into_iter().collect()
    }

    /// Whether none is let through.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this one is let through.
    pub fn contains(self, algorithm: ChecksumAlgorithm) -> bool {
        self.0 & algorithm.bit() != 0
    }

    /// Whether a request may have this header.
    pub fn takes(self, header: ChecksumHeader) -> bool {
        match header {
            ChecksumHeader::Of(algorithm) => self.contains(algorithm),
            ChecksumHeader::Kind => !self.is_empty(),
        }
    }

    /// What the headers of a request may speak of.
    pub fn headers(self) -> impl Iterator<Item = ChecksumHeader> {
        let kind = (!self.is_empty()).then_some(ChecksumHeader::Kind);
        self.iter().map(ChecksumHeader::Of).chain(kind)
    }

    /// Whether a request may have a header of this name (in lower case), with some value.
    pub(crate) fn take_name(self, name: &str) -> bool {
        match ChecksumAlgorithm::ALL.into_iter().find(|one| one.header() == name) {
            Some(algorithm) => self.contains(algorithm),
            None => !self.is_empty() && (name == KIND || ANNOUNCEMENTS.contains(&name)),
        }
    }

    /// Whether the other lets through all that this does.
    pub fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Those that either lets through.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The algorithms.
    pub fn iter(self) -> impl Iterator<Item = ChecksumAlgorithm> {
        ChecksumAlgorithm::ALL.into_iter().filter(move |one| self.contains(*one))
    }
}

impl FromIterator<ChecksumAlgorithm> for Checksums {
    fn from_iter<I: IntoIterator<Item = ChecksumAlgorithm>>(algorithms: I) -> Self {
        Self(algorithms.into_iter().fold(0, |bits, one| bits | one.bit()))
    }
}

impl fmt::Display for Checksums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, one) in self.iter().enumerate() {
            write!(f, "{}{one}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Checksums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_has_its_word_its_name_its_header_and_a_value_of_its_length() {
        use base64::Engine as _;
        let lengths = [4, 8, 4, 32, 20, 64, 16, 8, 8, 16];
        for (one, length) in ChecksumAlgorithm::ALL.into_iter().zip(lengths) {
            assert_eq!(ChecksumAlgorithm::parse(one.word()), Some(one));
            assert_eq!(one.name(), one.word().to_ascii_uppercase());
            assert_eq!(one.header(), format!("x-amz-checksum-{one}"));
            let value = base64::engine::general_purpose::STANDARD.decode(one.example()).unwrap();
            assert_eq!(value.len(), length, "{one}");
            let alone: Checksums = [one].into_iter().collect();
            assert_eq!(alone.iter().collect::<Vec<_>>(), [one]);
            assert!(alone.is_within(Checksums::all()) && !Checksums::all().is_within(alone));
        }
        assert_eq!(Checksums::all().iter().count(), 10);
        assert_eq!(ChecksumAlgorithm::parse("CRC32"), None);
    }

    #[test]
    fn an_announcement_speaks_of_the_algorithm_that_it_names() {
        use ChecksumAlgorithm::{Crc32, Sha256};
        for (name, value, expected) in [
            ("x-amz-checksum-crc32", "anything", Some(ChecksumHeader::Of(Crc32))),
            ("x-amz-sdk-checksum-algorithm", "SHA256", Some(ChecksumHeader::Of(Sha256))),
            ("x-amz-checksum-algorithm", "CRC32", Some(ChecksumHeader::Of(Crc32))),
            ("x-amz-checksum-type", "FULL_OBJECT", Some(ChecksumHeader::Kind)),
            ("x-amz-sdk-checksum-algorithm", "sha256", None),
            ("x-amz-sdk-checksum-algorithm", "CRC65", None),
            ("x-amz-checksum-algorithm", "", None),
            ("x-amz-checksum-crc65", "CRC32", None),
            ("x-amz-checksum-mode", "ENABLED", None),
        ] {
            assert_eq!(ChecksumHeader::read(name, value), expected, "{name}: {value}");
        }
    }
}
