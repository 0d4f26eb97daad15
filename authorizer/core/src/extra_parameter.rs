//! Query parameters that an operation has, and that only a rule that names them lets in.

use serde::{Deserialize, Serialize};

use crate::operation::{ParameterForm, S3Operation};

/// A query parameter that a rule must allow. All others of an operation are always allowed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum ExtraParameter {
    /// `partNumber` of a read: one part of an object that was uploaded in parts. It tells how many parts there are
    /// ([AWS: GetObject](https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html)).
    #[serde(rename = "partNumber")]
    PartNumber,
    /// `fetch-owner` of a listing: the owner of each object
    /// ([AWS: ListObjectsV2](https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html)).
    #[serde(rename = "fetch-owner")]
    FetchOwner,
}

impl ExtraParameter {
    /// All of them, in the order in which they go to S3.
    pub const ALL: [Self; 2] = [Self::PartNumber, Self::FetchOwner];

    /// The name of the parameter.
    pub fn name(self) -> &'static str {
        match self {
            Self::PartNumber => "partNumber",
            Self::FetchOwner => "fetch-owner",
        }
    }

    /// Whether the operation can have it.
    pub fn is_of(self, operation: S3Operation) -> bool {
        match self {
            Self::PartNumber => operation.reads_object(),
            Self::FetchOwner => operation.is_listing(),
        }
    }

    /// What its value can be. AWS: a multipart upload has parts 1 to 10,000.
    pub fn form(self) -> ParameterForm {
        match self {
            Self::PartNumber => ParameterForm::Number(1, 10_000),
            Self::FetchOwner => ParameterForm::Exactly("true"),
        }
    }

    /// A value that it can have.
    pub fn example(self) -> &'static str {
        match self {
            Self::PartNumber => "1",
            Self::FetchOwner => "true",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_in_a_policy_is_the_name_of_the_parameter() {
        for one in ExtraParameter::ALL {
            assert_eq!(serde_json::to_value(one).unwrap(), one.name());
            assert!(one.form().holds(one.example()));
            let operations: Vec<_> =
                S3Operation::ALL.into_iter().filter(|operation| one.is_of(*operation)).collect();
            assert!(!operations.is_empty());
            // Otherwise it would be allowed without the rule.
            let has =
                |operation: &S3Operation| operation.parameters().iter().any(|known| known.name == one.name());
            assert!(!operations.iter().any(has), "{}", one.name());
        }
    }
}
