//! The S3 operations that a request can be.
//!
//! The distribution's identity may read and write every object, so what a request means to S3 is a closed
//! set ([AWS: S3 API operations](https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html)):
//! what is not here cannot be asked of S3. [`crate::request`] tells which one a request is.

use serde::{Deserialize, Serialize};

use crate::request::Resource;

/// An operation, by the name that policies and the decision log use.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum S3Operation {
    /// `GET /KEY`.
    GetObject,
    /// `HEAD /KEY`.
    HeadObject,
    /// `PUT /KEY`.
    PutObject,
    /// `DELETE /KEY`.
    DeleteObject,
    /// `GET /KEY?versionId=ID`: to the API a GetObject, to IAM a permission of its own.
    GetObjectVersion,
    /// `HEAD /KEY?versionId=ID`. IAM has one permission for both; HEAD is apart here as HeadObject is.
    HeadObjectVersion,
    /// `GET /?list-type=2`.
    ListObjectsV2,
    /// `POST /KEY?uploads`.
    CreateMultipartUpload,
    /// `PUT /KEY?partNumber=N&uploadId=ID`.
    UploadPart,
    /// `POST /KEY?uploadId=ID`.
    CompleteMultipartUpload,
    /// `DELETE /KEY?uploadId=ID`.
    AbortMultipartUpload,
    /// `GET /KEY?uploadId=ID`.
    ListParts,
}

impl S3Operation {
    /// All of them, in the order in which they are named to people.
    pub const ALL: [Self; 12] = [
        Self::GetObject,
        Self::HeadObject,
        Self::PutObject,
        Self::DeleteObject,
        Self::GetObjectVersion,
        Self::HeadObjectVersion,
        Self::ListObjectsV2,
        Self::CreateMultipartUpload,
        Self::UploadPart,
        Self::CompleteMultipartUpload,
        Self::AbortMultipartUpload,
        Self::ListParts,
    ];

    /// Its name in policies and in the decision log.
    pub fn name(self) -> &'static str {
        match self {
            Self::GetObject => "GetObject",
            Self::HeadObject => "HeadObject",
            Self::PutObject => "PutObject",
            Self::DeleteObject => "DeleteObject",
            Self::GetObjectVersion => "GetObjectVersion",
            Self::HeadObjectVersion => "HeadObjectVersion",
            Self::ListObjectsV2 => "ListObjectsV2",
            Self::CreateMultipartUpload => "CreateMultipartUpload",
            Self::UploadPart => "UploadPart",
            Self::CompleteMultipartUpload => "CompleteMultipartUpload",
            Self::AbortMultipartUpload => "AbortMultipartUpload",
            Self::ListParts => "ListParts",
        }
    }

    /// The name of the call in AWS's API, which has none for reading a version.
    pub fn api_name(self) -> &'static str {
        match self {
            Self::GetObjectVersion => "GetObject",
            Self::HeadObjectVersion => "HeadObject",
            Self::GetObject
            | Self::HeadObject
            | Self::PutObject
            | Self::DeleteObject
            | Self::ListObjectsV2
            | Self::CreateMultipartUpload
            | Self::UploadPart
            | Self::CompleteMultipartUpload
            | Self::AbortMultipartUpload
            | Self::ListParts => self.name(),
        }
    }

    /// The HTTP method it is asked for with.
    pub fn method(self) -> Method {
        match self {
            Self::GetObject | Self::GetObjectVersion | Self::ListObjectsV2 | Self::ListParts => Method::Get,
            Self::HeadObject | Self::HeadObjectVersion => Method::Head,
            Self::PutObject | Self::UploadPart => Method::Put,
            Self::DeleteObject | Self::AbortMultipartUpload => Method::Delete,
            Self::CreateMultipartUpload | Self::CompleteMultipartUpload => Method::Post,
        }
    }

    /// Whether it is asked for this kind of thing: an object, or all that begin with a prefix.
    pub(crate) fn is_on(self, resource: &Resource) -> bool {
        matches!(resource, Resource::Prefix(_)) == (self == Self::ListObjectsV2)
    }

    fn bit(self) -> u16 {
        match self {
            Self::GetObject => 1,
            Self::HeadObject => 1 << 1,
            Self::PutObject => 1 << 2,
            Self::DeleteObject => 1 << 3,
            Self::GetObjectVersion => 1 << 4,
            Self::HeadObjectVersion => 1 << 5,
            Self::ListObjectsV2 => 1 << 6,
            Self::CreateMultipartUpload => 1 << 7,
            Self::UploadPart => 1 << 8,
            Self::CompleteMultipartUpload => 1 << 9,
            Self::AbortMultipartUpload => 1 << 10,
            Self::ListParts => 1 << 11,
        }
    }
}

/// The HTTP methods that operations are asked for with. Case-sensitive (RFC 9110 section 9.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    /// `GET`.
    Get,
    /// `HEAD`.
    Head,
    /// `PUT`.
    Put,
    /// `DELETE`.
    Delete,
    /// `POST`.
    Post,
}

impl Method {
    /// All of them, in the order in which they are named to people.
    pub const ALL: [Self; 5] = [Self::Get, Self::Head, Self::Put, Self::Delete, Self::Post];

    /// As it stands in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Post => "POST",
        }
    }

    /// The operations that are asked for with it.
    pub fn operations(self) -> OperationSet {
        S3Operation::ALL.into_iter().filter(|operation| operation.method() == self).collect()
    }

    /// The method of a request.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }
}

/// A set of operations.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct OperationSet(u16);

impl OperationSet {
    /// Whether the operation is in the set.
    pub fn contains(self, operation: S3Operation) -> bool {
        self.0 & operation.bit() != 0
    }

    /// Whether the set holds nothing.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Puts an operation in.
    pub fn insert(&mut self, operation: S3Operation) {
        self.0 |= operation.bit();
    }

    /// What is in either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The members, in the order of [`S3Operation::ALL`].
    pub fn iter(self) -> impl Iterator<Item = S3Operation> {
        S3Operation::ALL.into_iter().filter(move |operation| self.contains(*operation))
    }

    /// Whether some member is asked for with this method.
    pub fn has_method(self, method: Method) -> bool {
        !self.intersection(method.operations()).is_empty()
    }

    /// The methods that the members are asked for with, in the order of [`Method::ALL`].
    pub fn methods(self) -> impl Iterator<Item = Method> {
        Method::ALL.into_iter().filter(move |method| self.has_method(*method))
    }
}

impl FromIterator<S3Operation> for OperationSet {
    fn from_iter<I: IntoIterator<Item = S3Operation>>(operations: I) -> Self {
        let mut set = Self::default();
        operations.into_iter().for_each(|operation| set.insert(operation));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_its_own_member_of_a_set() {
        for one in S3Operation::ALL {
            let set: OperationSet = [one].into_iter().collect();
            assert_eq!(set.iter().collect::<Vec<_>>(), [one]);
            assert_eq!(set.intersection(one.method().operations()), set);
            assert_eq!(serde_json::to_value(one).unwrap(), one.name());
        }
    }

    #[test]
    fn the_methods_of_a_set_are_named_once_and_in_order() {
        let all: OperationSet = S3Operation::ALL.into_iter().collect();
        let methods: Vec<_> = all.methods().map(Method::as_str).collect();
        assert_eq!(methods, ["GET", "HEAD", "PUT", "DELETE", "POST"]);
        for text in ["get", "Get", "", "GET ", "PATCH", "OPTIONS", "TRACE"] {
            assert_eq!(Method::parse(text), None, "{text}");
        }
    }
}
