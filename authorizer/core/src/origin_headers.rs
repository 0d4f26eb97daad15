//! The headers of a viewer's request that must reach S3: those of the distribution's origin request policy.
//!
//! `infra/parameters` has the same list for the templates; a test compares the two.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::operation::{LengthHeader, S3Operation};
use crate::rules::{Effect, Rule, UploadTerms};

/// CloudFront's quota *Headers per origin request policy*, which AWS can raise
/// ([AWS: quotas](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html)).
pub const DEFAULT_MAX_HEADERS: u16 = 10;

/// CloudFront's quota of all names in an origin request policy together, in characters. AWS does not raise it.
pub const MAX_NAME_CHARACTERS: usize = 1024;

/// What goes wrong where the header does not reach S3.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HeaderNeed {
    /// S3 reads something else than was requested.
    Read,
    /// S3 stores something else than was sent, or does not verify it.
    Upload,
    /// An upload overwrites an object that it must not overwrite.
    CreateOnly,
    /// An upload in parts has no limit.
    ObjectSize,
    /// The object is stored without the metadata of the rule.
    Metadata,
    /// S3 does not verify the checksum.
    Checksum,
}

const READ: [&str; 6] =
    ["Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"];

/// Without these, S3 stores an upload with less information.
const SPARE_UPLOAD: [&str; 3] = ["Content-Disposition", "Content-Language", "Expires"];

/// The headers that a rule's operations need at S3, each with what it is for.
pub fn headers_of(rule: &Rule) -> Vec<(Cow<'static, str>, HeaderNeed)> {
    let mut headers = Vec::new();
    if rule.effect() == Effect::Deny {
        return headers;
    }
    let operations = rule.operations();
    let mut needs = |name: &'static str, need| headers.push((Cow::Borrowed(name), need));
    if operations.any(S3Operation::reads_object) {
        READ.into_iter().for_each(|name| needs(name, HeaderNeed::Read));
    }
    if !operations.any(S3Operation::is_upload) {
        return headers;
    }
    // Every term by its name: one that is added does not compile until it is known which headers it needs.
    let UploadTerms { max_bytes, content_types: _, create_only, metadata, checksums } = rule.terms();
    needs("Content-Type", HeaderNeed::Upload);
    needs("If-None-Match", if *create_only { HeaderNeed::CreateOnly } else { HeaderNeed::Upload });
    needs("Content-Encoding", HeaderNeed::Upload);
    needs("Content-MD5", HeaderNeed::Upload);
    if max_bytes.is_some() && operations.any(|one| one.length() == Some(LengthHeader::ObjectSize)) {
        needs("x-amz-mp-object-size", HeaderNeed::ObjectSize);
    }
    if !checksums.is_empty() {
        checksums.iter().for_each(|one| needs(one.header(), HeaderNeed::Checksum));
        if operations.contains(S3Operation::CreateMultipartUpload) {
            needs("x-amz-checksum-algorithm", HeaderNeed::Checksum);
            needs("x-amz-checksum-type", HeaderNeed::Checksum);
        }
    }
    let named = metadata.keys().map(|name| (Cow::Owned(format!("x-amz-meta-{name}")), HeaderNeed::Metadata));
    headers.extend(named);
    headers
}

/// The names of the headers that some rules need, as CloudFront counts them.
#[derive(Clone, Debug, Default)]
pub struct OriginHeaders {
    names: Vec<Cow<'static, str>>,
    known: BTreeSet<Cow<'static, str>>,
    characters: usize,
}

impl OriginHeaders {
    /// Those of these rules.
    pub fn of<'r>(rules: impl IntoIterator<Item = &'r Rule>) -> Self {
        let mut all = Self::default();
        rules.into_iter().for_each(|rule| all.add(rule));
        all
    }

    /// Those that the templates forward: the headers that the rules need, and those without which S3 stores or returns
    /// less information, as far as there is room.
    pub fn forwarded(rules: &[Rule], most: u16) -> Self {
        let mut all = Self::of(rules);
        let allows = |is: fn(S3Operation) -> bool| {
            rules.iter().any(|rule| rule.effect() == Effect::Allow && rule.operations().any(is))
        };
        let (uploads, reads) = (allows(S3Operation::is_upload), allows(S3Operation::reads_object));
        let checksums = all.names().any(|name| name.contains("-checksum-"));
        let spare = [
            (uploads, &SPARE_UPLOAD[..]),
            (reads, &["x-amz-checksum-mode"]),
            // S3 ignores it beside the checksum itself.
            (checksums, &["x-amz-sdk-checksum-algorithm"]),
        ];
        for name in spare.into_iter().filter(|(is_used, _)| *is_used).flat_map(|(_, names)| names) {
            all.add_if_it_fits(name, most);
        }
        if all.names.is_empty() {
            // The list of an origin request policy cannot be empty.
            all.extend([Cow::Borrowed("Range")]);
        }
        all
    }

    /// Adds those of another rule.
    pub(crate) fn add(&mut self, rule: &Rule) {
        self.extend(headers_of(rule).into_iter().map(|(name, _)| name));
    }

    /// The names, each once, spelt as in the templates.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(Cow::as_ref)
    }

    /// The number of names.
    pub fn count(&self) -> usize {
        self.names.len()
    }

    /// The characters of all names.
    pub fn characters(&self) -> usize {
        self.characters
    }

    /// Whether an origin request policy takes them, where the account's quota is this.
    pub fn fit(&self, most: u16) -> bool {
        self.count() <= usize::from(most) && self.characters <= MAX_NAME_CHARACTERS
    }

    /// Adds a name, if it is not there and there is room for it.
    pub(crate) fn add_if_it_fits(&mut self, name: &'static str, most: u16) -> bool {
        let mut with = self.clone();
        with.extend([Cow::Borrowed(name)]);
        let fits = with.count() == self.count() || with.fit(most);
        if fits {
            *self = with;
        }
        fits
    }

    fn extend(&mut self, names: impl IntoIterator<Item = Cow<'static, str>>) {
        for name in names {
            if self.known.insert(name.clone()) {
                self.characters = self.characters.saturating_add(name.len());
                self.names.push(name);
            }
        }
    }
}
