//! The words of `methods` in a policy: each stands for several operations.

use serde::{Deserialize, Serialize};

use super::method::Method;
use super::s3_operation::S3Operation;
use super::set::OperationSet;

/// A member of `methods`, the short form of `operations`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MethodWord {
    /// Reading.
    Get,
    /// Reading the metadata of an object.
    Head,
    /// Writing.
    Put,
    /// Deleting.
    Delete,
}

impl MethodWord {
    /// All of them, in the order in which messages name them.
    pub const ALL: [Self; 4] = [Self::Get, Self::Head, Self::Put, Self::Delete];

    /// The spelling in a policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => Method::Get.as_str(),
            Self::Head => Method::Head.as_str(),
            Self::Put => Method::Put.as_str(),
            Self::Delete => Method::Delete.as_str(),
        }
    }

    /// The word with this spelling.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|word| word.as_str() == text)
    }

    /// What it allows in an allow rule: the plain operation and the operations that belong to it.
    pub fn opens(self) -> OperationSet {
        let operations: &[S3Operation] = match self {
            Self::Get => &[S3Operation::GetObject, S3Operation::HeadObject],
            Self::Head => &[S3Operation::HeadObject],
            Self::Put => &[S3Operation::PutObject],
            Self::Delete => &[S3Operation::DeleteObject],
        };
        operations.iter().copied().collect()
    }

    /// What it denies in a deny rule, which is more than it allows in an allow rule.
    ///
    /// ```
    /// use authorizer_core::operation::{MethodWord, S3Operation};
    ///
    /// assert!(!MethodWord::Put.opens().contains(S3Operation::UploadPart));
    /// assert!(MethodWord::Put.closes().contains(S3Operation::UploadPart));
    /// ```
    ///
    /// It contains every operation with the same effect. Otherwise a multipart upload
    /// would get around a rule that denies PUT.
    pub fn closes(self) -> OperationSet {
        match self {
            Self::Get => OperationSet::of(S3Operation::reads_object),
            Self::Head => {
                OperationSet::of(|operation| operation.reads_object() && operation.method() == Method::Head)
            }
            Self::Put => OperationSet::of(S3Operation::is_upload),
            Self::Delete => OperationSet::of(S3Operation::deletes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_closes_all_that_it_opens_and_every_way_around_it() {
        let names = |operations: OperationSet| operations.iter().map(S3Operation::name).collect::<Vec<_>>();
        for (word, opens, closes) in [
            (
                MethodWord::Get,
                vec!["GetObject", "HeadObject"],
                vec!["GetObject", "HeadObject", "GetObjectVersion", "HeadObjectVersion"],
            ),
            (MethodWord::Head, vec!["HeadObject"], vec!["HeadObject", "HeadObjectVersion"]),
            (
                MethodWord::Put,
                vec!["PutObject"],
                vec!["PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"],
            ),
            (MethodWord::Delete, vec!["DeleteObject"], vec!["DeleteObject"]),
        ] {
            assert_eq!(names(word.opens()), opens, "{word:?}");
            assert_eq!(names(word.closes()), closes, "{word:?}");
            assert_eq!(MethodWord::parse(word.as_str()), Some(word));
            assert_eq!(serde_json::to_value(word).unwrap(), word.as_str());
        }
    }
}
