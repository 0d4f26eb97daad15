//! Whether an upload that meets one rule's terms also meets another's.

use authorizer_core::MediaRange;
use authorizer_core::operation::{OperationSet, S3Operation};
use authorizer_core::rules::{MetadataTerm, UploadTerms};

/// Whether every upload that meets `kept`, with one of these operations, also meets `terms`.
pub(super) fn follow(terms: &UploadTerms, kept: &UploadTerms, operations: OperationSet) -> bool {
    // Every term by its name: a new term does not compile until it is handled here. `create_only` is not checked on
    // an upload: S3 checks whether the object exists.
    let UploadTerms { max_bytes: _, content_types: _, create_only: _, metadata: _, checksums } = terms;
    let headers = kept.checksums.is_within(*checksums);
    let names = kept.metadata.keys().all(|name| terms.metadata.contains_key(name));
    headers && names && length_follows(terms, kept, operations) && object_follows(terms, kept, operations)
}

fn length_follows(terms: &UploadTerms, kept: &UploadTerms, operations: OperationSet) -> bool {
    match (terms.max_bytes, kept.max_bytes) {
        (None, _) => true,
        (Some(most), Some(kept)) if kept <= most => true,
        (Some(_), _) => !operations.any(S3Operation::has_length),
    }
}

/// Whether the headers that are stored with the object, its type and metadata, follow from each other.
fn object_follows(terms: &UploadTerms, kept: &UploadTerms, operations: OperationSet) -> bool {
    if !operations.any(S3Operation::describes_object) {
        return true;
    }
    let types = match (&terms.content_types, &kept.content_types) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(ranges), Some(kept)) => {
            kept.iter().all(|kept| ranges.iter().any(|range| range_follows(range, kept)))
        }
    };
    types
        && terms.metadata.iter().all(|(name, term)| match (term, kept.metadata.get(name)) {
            (MetadataTerm::Any, _) => true,
            // The request did not have the header, or it would not have met the terms; so the header is only added.
            (MetadataTerm::Literal(_), None) => true,
            (MetadataTerm::Claim(_), None) => false,
            (MetadataTerm::Literal(_) | MetadataTerm::Claim(_), Some(kept)) => term == kept,
        })
}

/// Whether each type of one range is also in the other.
fn range_follows(range: &MediaRange, kept: &MediaRange) -> bool {
    match kept {
        MediaRange::One(one) => range.contains(one),
        MediaRange::Kind(_) | MediaRange::Any => *range == MediaRange::Any || range == kept,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use authorizer_core::MediaType;
    use authorizer_core::checksum::{ChecksumAlgorithm, ChecksumHeader};
    use authorizer_core::rules::Claims;
    use authorizer_core::upload::Upload;
    use proptest::prelude::*;
    use serde_json::json;

    const ALGORITHMS: [ChecksumAlgorithm; 2] = [ChecksumAlgorithm::Crc32, ChecksumAlgorithm::Sha256];

    fn terms() -> impl Strategy<Value = UploadTerms> {
        let range = prop_oneof![Just("*/*"), Just("image/*"), Just("image/png"), Just("text/plain")]
            .prop_map(|text| MediaRange::parse(text).unwrap());
        let term = prop_oneof![
            Just(MetadataTerm::Any),
            "(x|y)".prop_map(MetadataTerm::Literal),
            "(sub|none)".prop_map(MetadataTerm::Claim),
        ];
        let parts = (
            prop::option::of(0..3u64),
            prop::option::of(prop::collection::vec(range, 0..3)),
            prop::collection::btree_map("(owner|label)", term, 0..3),
            prop::sample::subsequence(ALGORITHMS.to_vec(), 0..=2),
        );
        parts.prop_map(|(max_bytes, content_types, metadata, checksums)| UploadTerms {
            max_bytes,
            content_types,
            create_only: false,
            metadata,
            checksums: checksums.into_iter().collect(),
        })
    }

    fn upload() -> impl Strategy<Value = Upload> {
        let media_type = prop_oneof![Just("image/png"), Just("image/gif"), Just("text/plain")];
        let parts = (
            prop::option::of(0..4u64),
            prop::option::of(media_type.prop_map(|text| MediaType::parse(text).unwrap())),
            prop::collection::btree_map("(owner|label)", "(x|y|alice)", 0..3),
            prop::option::of(prop::sample::select(vec![
                ("x-amz-checksum-crc32", ChecksumHeader::Of(ChecksumAlgorithm::Crc32)),
                ("x-amz-checksum-sha256", ChecksumHeader::Of(ChecksumAlgorithm::Sha256)),
                ("x-amz-checksum-type", ChecksumHeader::Kind),
            ])),
        );
        parts.prop_map(|(length, media_type, metadata, checksum)| Upload {
            length,
            object_size: length,
            media_type,
            metadata,
            checksums: checksum.into_iter().map(|(name, one)| (name.to_owned(), one)).collect(),
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn terms_that_follow_are_kept_by_every_upload_that_kept_the_others(
            terms in terms(),
            kept in terms(),
            upload in upload(),
            operation in prop::sample::select(OperationSet::of(S3Operation::is_upload).iter().collect::<Vec<_>>()),
        ) {
            let claims = json!({"sub": "alice"});
            let claims = Claims::Known(claims.as_object().unwrap());
            prop_assert!(follow(&kept, &kept, OperationSet::of(S3Operation::is_upload)));
            if kept.check(operation, &upload, claims).is_ok()
                && follow(&terms, &kept, [operation].into_iter().collect())
            {
                prop_assert_eq!(terms.check(operation, &upload, claims), Ok(()));
            }
        }
    }
}
