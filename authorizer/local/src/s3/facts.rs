//! What the index knows of an object, and the headers of an answer that follow from it.

use std::collections::BTreeMap;

use authorizer_core::checksum::ChecksumAlgorithm;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use s3s::dto::{ETag, Metadata, StorageClass};
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::time::date_header;

/// The most bytes of the names and values of an object's metadata.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>
const MOST_METADATA: usize = 2 * 1024;

/// The version of an object that was written without versions.
pub(crate) const NULL_VERSION: &str = "null";

/// The type of an object that was stored without one.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>
const DEFAULT_TYPE: &str = "binary/octet-stream";

/// The headers that are stored with an object and come back with it.
const STORED: [HeaderName; 6] = [
    header::CONTENT_TYPE,
    header::CACHE_CONTROL,
    header::CONTENT_DISPOSITION,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::EXPIRES,
];

/// The coding that says only how a body was sent, so it is not stored.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>
const AWS_CHUNKED: &str = "aws-chunked";

/// What an uploader says of an object.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Described {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    storage_class: Option<String>,
}

impl Described {
    /// Reads what an upload says of its object.
    pub(crate) fn read(
        headers: &HeaderMap,
        expires: Option<&HeaderValue>,
        metadata: Option<&Metadata>,
        storage_class: Option<&StorageClass>,
    ) -> S3Result<Self> {
        let mut read = Self::default();
        for name in &STORED {
            // S3 stores whatever it is; `s3s` knows only dates, so it was taken out before.
            let is_expires = *name == header::EXPIRES;
            let Some(value) = headers.get(name).or(expires.filter(|_| is_expires)) else { continue };
            let mut text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            if *name == header::CONTENT_ENCODING && text.contains(AWS_CHUNKED) {
                let codings = text.split(',').map(str::trim).filter(|coding| *coding != AWS_CHUNKED);
                text = codings.collect::<Vec<_>>().join(",");
            }
            if !text.is_empty() {
                read.headers.insert(name.to_string(), text);
            }
        }
        read.metadata =
            metadata.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect();
        let size = read.metadata.iter().map(|(name, value)| name.len().saturating_add(value.len()));
        if size.fold(0, usize::saturating_add) > MOST_METADATA {
            return Err(s3_error!(
                MetadataTooLarge,
                "Your metadata headers exceed the maximum allowed metadata size"
            ));
        }
        read.storage_class = match storage_class.map(StorageClass::as_str) {
            None | Some(StorageClass::STANDARD) => None,
            Some(class) if CLASSES.contains(&class) => Some(class.to_owned()),
            Some(_) => {
                return Err(s3_error!(InvalidStorageClass, "The storage class you specified is not valid"));
            }
        };
        Ok(read)
    }

    /// The class in a listing.
    pub(crate) fn storage_class(&self) -> &str {
        self.storage_class.as_deref().unwrap_or(StorageClass::STANDARD)
    }

    /// The metadata, as `s3s` writes it.
    pub(crate) fn metadata(&self) -> Option<Metadata> {
        (!self.metadata.is_empty())
            .then(|| self.metadata.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
const CLASSES: [&str; 11] = [
    StorageClass::DEEP_ARCHIVE,
    StorageClass::EXPRESS_ONEZONE,
    StorageClass::GLACIER,
    StorageClass::GLACIER_IR,
    StorageClass::INTELLIGENT_TIERING,
    StorageClass::ONEZONE_IA,
    StorageClass::OUTPOSTS,
    StorageClass::REDUCED_REDUNDANCY,
    StorageClass::SNOW,
    StorageClass::STANDARD,
    StorageClass::STANDARD_IA,
];

/// Whether the checksum of an upload in parts is of the whole object, or of the checksums of its parts.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SumKind {
    #[default]
    Full,
    Composite,
}

impl SumKind {
    /// S3's name for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Full => "FULL_OBJECT",
            Self::Composite => "COMPOSITE",
        }
    }
}

/// The checksums of a body, in base64, by the words of their algorithms.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Sums(BTreeMap<String, String>);

impl Sums {
    pub(crate) fn insert(&mut self, algorithm: ChecksumAlgorithm, sum: String) {
        self.0.insert(algorithm.word().to_owned(), sum);
    }

    pub(crate) fn get(&self, algorithm: ChecksumAlgorithm) -> Option<&str> {
        self.0.get(algorithm.word()).map(String::as_str)
    }

    /// Only the one by this algorithm.
    pub(crate) fn only(&self, algorithm: ChecksumAlgorithm) -> Self {
        let mut one = Self::default();
        if let Some(sum) = self.get(algorithm) {
            one.insert(algorithm, sum.to_owned());
        }
        one
    }

    /// The algorithms.
    pub(crate) fn algorithms(&self) -> impl Iterator<Item = ChecksumAlgorithm> {
        self.0.keys().filter_map(|word| ChecksumAlgorithm::parse(word))
    }

    /// Adds the headers of an answer.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        for (word, sum) in &self.0 {
            let Some(algorithm) = ChecksumAlgorithm::parse(word) else { continue };
            if let Ok(value) = HeaderValue::from_str(sum) {
                headers.insert(HeaderName::from_static(algorithm.header()), value);
            }
        }
    }
}

/// A part of an object that was uploaded in parts.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct PartOf {
    pub(crate) number: i32,
    pub(crate) size: u64,
    #[serde(default)]
    pub(crate) sums: Sums,
}

/// What is stored of an object besides what every listing needs.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Facts {
    #[serde(flatten)]
    pub(crate) described: Described,
    #[serde(default)]
    pub(crate) sums: Sums,
    #[serde(default)]
    pub(crate) kind: SumKind,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) parts: Vec<PartOf>,
    /// The id of the upload in parts that it comes from, so that its completion can be repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) upload: Option<String>,
}

/// An object, or a version of one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object {
    pub(crate) version: String,
    pub(crate) size: u64,
    /// Without its quotes.
    pub(crate) etag: String,
    /// In seconds, as `Last-Modified` has it.
    pub(crate) modified: i64,
    /// The path of its file, below the folder of all bodies.
    pub(crate) body: String,
    pub(crate) facts: Facts,
}

impl Object {
    /// The entity tag.
    pub(crate) fn e_tag(&self) -> ETag {
        ETag::Strong(self.etag.clone())
    }

    /// The headers of an answer with it, without those of its checksums.
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(DEFAULT_TYPE));
        for name in STORED {
            let value = self.facts.described.headers.get(name.as_str());
            if let Some(value) = value.and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok()) {
                headers.insert(name, value);
            }
        }
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if let Ok(value) = HeaderValue::from_str(&format!("\"{}\"", self.etag)) {
            headers.insert(header::ETAG, value);
        }
        if let Some(value) = date_header(self.modified) {
            headers.insert(header::LAST_MODIFIED, value);
        }
        if let Some(class) = self.facts.described.storage_class.as_deref()
            && let Ok(value) = HeaderValue::from_str(class)
        {
            headers.insert("x-amz-storage-class", value);
        }
        headers
    }
}
