//! The limits of an allow rule for uploads and downloads.

use std::collections::BTreeMap;

use super::super::document::{ChecksumsDocument, EffectDocument, RuleDocument, UploadDocument};
use super::super::problem::{Place, Problems};
use super::size::parse_size;
use crate::checksum::{ChecksumAlgorithm, Checksums};
use crate::extra_parameter::ExtraParameter;
use crate::media_type::MediaRange;
use crate::operation::{OperationSet, S3Operation};
use crate::rules::{MetadataTerm, UploadTerms};
use crate::upload::is_metadata;

/// The limits of a rule for uploads and downloads: the place, whether it is there, and the operations that it applies
/// to. If the rule allows none of these operations, the limit would do nothing, but look as if it did.
fn asked(document: &RuleDocument) -> [(&'static [&'static str], bool, OperationSet); 8] {
    let nothing = UploadDocument::default();
    let UploadDocument { max_bytes, content_types, create_only, metadata, checksums } =
        document.upload.as_ref().unwrap_or(&nothing);
    let described = OperationSet::of(S3Operation::describes_object);
    [
        (&["upload"], !checksums.is_off(), OperationSet::of(S3Operation::is_upload)),
        (&["upload", "max_bytes"], max_bytes.is_some(), OperationSet::of(S3Operation::has_length)),
        (&["upload", "content_types"], content_types.is_some(), described),
        (&["upload", "create_only"], *create_only, OperationSet::of(S3Operation::creates_object)),
        (&["upload", "metadata"], !metadata.is_empty(), described),
        (
            &["response_overrides"],
            !document.response_overrides.is_empty(),
            OperationSet::of(S3Operation::reads_object),
        ),
        (
            &["parameters"],
            document.parameters.contains(&ExtraParameter::PartNumber),
            OperationSet::of(|operation| ExtraParameter::PartNumber.is_of(operation)),
        ),
        (
            &["parameters"],
            document.parameters.contains(&ExtraParameter::FetchOwner),
            OperationSet::of(|operation| ExtraParameter::FetchOwner.is_of(operation)),
        ),
    ]
}

pub(super) fn compile(
    document: &RuleDocument,
    operations: OperationSet,
    place: &Place,
    problems: &mut Problems,
) -> UploadTerms {
    let is_deny = document.effect == EffectDocument::Deny;
    for (name, is_there, of) in asked(document) {
        let place = || name.iter().fold(place.clone(), |place, step| place.then(step));
        if is_there && is_deny {
            problems.add(
                place(),
                "a deny rule cannot have limits for uploads and downloads",
                "remove this, or move it to the rule that allows them",
            );
        } else if is_there && !operations.is_empty() && of.intersection(operations).is_empty() {
            let names: Vec<_> = of.iter().map(S3Operation::name).collect();
            problems.add(
                place(),
                format!("rule `{}` does not allow an operation that this applies to", document.id),
                format!("remove it, or allow one of {}", names.join(", ")),
            );
        }
    }
    if document.upload.as_ref().is_some_and(|upload| *upload == UploadDocument::default()) {
        problems.add(
            place.then("upload"),
            "an empty `upload` does not limit anything",
            "add a limit, or remove `upload`",
        );
    }
    document
        .upload
        .as_ref()
        .map_or_else(UploadTerms::default, |upload| compile_upload(upload, place, problems))
}

fn compile_upload(document: &UploadDocument, rule: &Place, problems: &mut Problems) -> UploadTerms {
    let place = |member: &str| rule.then("upload").then(member);
    let max_bytes = document.max_bytes.as_ref().and_then(|size| {
        let bytes = parse_size(size).filter(|bytes| *bytes > 0);
        if bytes.is_none() {
            problems.add(
                place("max_bytes"),
                "this is not a number of bytes above 0",
                "write a number, or a text such as `\"25MB\"`; units are B, kB, MB, GB, KiB, MiB, GiB",
            );
        }
        bytes
    });
    UploadTerms {
        max_bytes,
        content_types: document
            .content_types
            .as_ref()
            .map(|types| compile_types(types, || place("content_types"), problems)),
        create_only: document.create_only,
        metadata: compile_metadata(&document.metadata, || place("metadata"), problems),
        checksums: compile_checksums(&document.checksums, || place("checksums"), problems),
    }
}

/// The checksums that are named. What `true` stands for depends on the whole policy, and is filled in later.
fn compile_checksums(
    document: &ChecksumsDocument,
    place: impl Fn() -> Place,
    problems: &mut Problems,
) -> Checksums {
    let ChecksumsDocument::Named(words) = document else { return Checksums::NONE };
    if words.is_empty() {
        problems.add(place(), "no checksum is named", "name one, such as `[\"sha256\"]`, or remove it");
    }
    let mut named = Checksums::NONE;
    for (index, word) in words.iter().enumerate() {
        let one: Option<Checksums> = ChecksumAlgorithm::parse(word).map(|one| [one].into_iter().collect());
        match one {
            Some(one) if one.is_within(named) => {
                problems.add(place().at(index), format!("`{word}` is named twice"), "remove one of the two")
            }
            Some(one) => named = named.union(one),
            None => problems.add(
                place().at(index),
                format!("`{}` is not a checksum of S3", word.escape_debug()),
                format!("write one of {}", Checksums::all()),
            ),
        }
    }
    named
}

fn compile_types(types: &[String], place: impl Fn() -> Place, problems: &mut Problems) -> Vec<MediaRange> {
    if types.is_empty() {
        problems.add(
            place(),
            "no media type is allowed, so nothing can be uploaded",
            "name one, such as `image/*`, or remove it",
        );
    }
    let mut ranges = Vec::with_capacity(types.len());
    for (index, text) in types.iter().enumerate() {
        match MediaRange::parse(text) {
            Some(range) => ranges.push(range),
            None => problems.add(
                place().at(index),
                format!("`{}` is not a media type", text.escape_debug()),
                "write `image/png`, `image/*` or `*/*`, without parameters",
            ),
        }
    }
    ranges
}

fn compile_metadata(
    metadata: &BTreeMap<String, String>,
    place: impl Fn() -> Place,
    problems: &mut Problems,
) -> BTreeMap<String, MetadataTerm> {
    let mut terms = BTreeMap::new();
    for (name, text) in metadata {
        let place = || place().then(name);
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ['-', '_', '.'].contains(&c);
        if name.is_empty() || !name.chars().all(is_name) {
            problems.add(
                place(),
                format!("`{}` is not a metadata name", name.escape_debug()),
                "use lower-case letters, digits, `-`, `_` and `.`, without `x-amz-meta-`",
            );
        } else if name.starts_with("x-amz-meta-") {
            problems.add(place(), "S3 would add `x-amz-meta-` again", "remove `x-amz-meta-`");
        }
        let claim = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        let term = match claim {
            Some(claim) if !claim.is_empty() && !claim.contains(['{', '}']) => {
                problems.check_claim(place, claim);
                MetadataTerm::Claim(claim.to_owned())
            }
            None if text == "*" => MetadataTerm::Any,
            None if !text.is_empty() && is_metadata(text) && !text.contains(['{', '}', '*']) => {
                MetadataTerm::Literal(text.clone())
            }
            Some(_) | None => {
                problems.add(
                    place(),
                    format!("`{}` is not a metadata value", text.escape_debug()),
                    "write `\"*\"` for any value, `\"{claim}\"` for a claim's, or printable ASCII without `{`, \
                     `}` and `*`",
                );
                continue;
            }
        };
        terms.insert(name.clone(), term);
    }
    terms
}
