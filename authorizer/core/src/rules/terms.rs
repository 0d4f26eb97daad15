//! The limits of a rule for an upload.

use std::collections::BTreeMap;

use super::claims::Claims;
use crate::checksum::Checksums;
use crate::event::{AddedHeader, CloudFrontHeader};
use crate::media_type::MediaRange;
use crate::operation::{LengthHeader, S3Operation};
use crate::upload::{Upload, is_metadata, metadata_header};

/// The limits of a rule for an upload. By default there are no limits, and no `x-amz-` header of S3 is allowed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct UploadTerms {
    /// The greatest length, in bytes.
    pub max_bytes: Option<u64>,
    /// The media types; when absent, every type is allowed, and a type is not required.
    pub content_types: Option<Vec<MediaRange>>,
    /// Whether an upload must not overwrite an object.
    pub create_only: bool,
    /// The metadata that may be set, by its name without `x-amz-meta-`.
    pub metadata: BTreeMap<String, MetadataTerm>,
    /// The checksums that may be sent, in S3's own integrity headers.
    pub checksums: Checksums,
}

/// The allowed value of a piece of metadata.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MetadataTerm {
    /// Any value, and it may be absent.
    Any,
    /// Exactly the value of this claim.
    Claim(String),
    /// Exactly this text.
    Literal(String),
}

/// The first limit that an upload does not meet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TermsMismatch {
    /// The rule does not allow this header; its lower-case name.
    Header(String),
    /// The upload does not give its length.
    LengthRequired,
    /// It is longer than the rule allows.
    TooLarge,
    /// Its media type is not one of the rule's types.
    MediaType,
    /// This metadata has another value than it must have, or the claim that it must equal does not have a usable
    /// value.
    Metadata(String),
}

impl UploadTerms {
    /// Whether an upload meets the limits.
    ///
    /// # Errors
    /// The first limit that it does not meet.
    pub fn check(
        &self,
        operation: S3Operation,
        upload: &Upload,
        claims: Claims<'_>,
    ) -> Result<(), TermsMismatch> {
        // `create_only` does not refuse a request: S3 does, because of the header that it adds.
        let Self { max_bytes, content_types, create_only: _, metadata, checksums } = self;
        if let Some((header, _)) = upload.checksums.iter().find(|(_, one)| !checksums.takes(**one)) {
            return Err(TermsMismatch::Header(header.clone()));
        }
        if let Some(name) = upload.metadata.keys().find(|name| !metadata.contains_key(*name)) {
            return Err(TermsMismatch::Header(format!("x-amz-meta-{name}")));
        }
        check_length(*max_bytes, operation, upload)?;
        if !operation.describes_object() {
            return Ok(());
        }
        if let Some(ranges) = content_types {
            let media_type = upload.media_type.as_ref().ok_or(TermsMismatch::MediaType)?;
            if !ranges.iter().any(|range| range.contains(media_type)) {
                return Err(TermsMismatch::MediaType);
            }
        }
        for (name, term) in metadata {
            let mismatch = || TermsMismatch::Metadata(name.clone());
            let Some(expected) = term.value(claims).ok_or_else(mismatch)? else { continue };
            if upload.metadata.get(name).is_some_and(|actual| actual != expected) {
                return Err(mismatch());
            }
        }
        Ok(())
    }

    /// Whether an upload may have this header of S3, with some value, where the rule decides on it.
    pub(crate) fn take_header(&self, name: &str) -> bool {
        match name.strip_prefix("x-amz-meta-") {
            Some(name) => self.metadata.contains_key(name),
            // The length of the whole object is always a matter of the limit, never of the header.
            None => self.checksums.take_name(name) || name == LengthHeader::ObjectSize.name(),
        }
    }

    /// The headers that the terms add to an upload that meets them, or replace in it.
    pub(crate) fn headers(&self, operation: S3Operation, claims: Claims<'_>) -> Vec<AddedHeader> {
        let mut headers = Vec::new();
        if self.create_only && operation.creates_object() {
            // AWS: conditional writes. S3 answers 412 if the key already has an object.
            headers.push(("if-none-match".into(), CloudFrontHeader::new("If-None-Match", "*").into()));
        }
        if operation.describes_object() {
            headers.extend(
                self.metadata
                    .iter()
                    .filter_map(|(name, term)| Some(metadata_header(name, term.value(claims).flatten()?))),
            );
        }
        headers
    }
}

impl MetadataTerm {
    /// The claim that it must equal.
    pub fn claim(&self) -> Option<&str> {
        match self {
            Self::Claim(name) => Some(name),
            Self::Any | Self::Literal(_) => None,
        }
    }

    /// The one value that it may have: `None` when a claim does not have a usable value, `Some(None)` for any value.
    fn value<'v>(&'v self, claims: Claims<'v>) -> Option<Option<&'v str>> {
        match self {
            Self::Any => Some(None),
            Self::Literal(text) => Some(Some(text)),
            Self::Claim(name) => {
                let value = claims.get(name)?.as_str()?;
                (!value.is_empty() && is_metadata(value)).then_some(Some(value))
            }
        }
    }
}

fn check_length(
    max_bytes: Option<u64>,
    operation: S3Operation,
    upload: &Upload,
) -> Result<(), TermsMismatch> {
    let Some(most) = max_bytes else { return Ok(()) };
    let length = match operation.length() {
        Some(LengthHeader::ContentLength) => upload.length,
        Some(LengthHeader::ObjectSize) => upload.object_size,
        None => return Ok(()),
    };
    match length {
        None => Err(TermsMismatch::LengthRequired),
        Some(length) if length > most => Err(TermsMismatch::TooLarge),
        Some(_) => Ok(()),
    }
}
