//! What an operation reads, writes, sends and needs. Each fact is one method, and its `match` names every operation.

use super::method::Method;
use super::s3_operation::S3Operation;

/// The header that gives the length of an upload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LengthHeader {
    /// `Content-Length`: the length of the request's own body, which becomes the object or a part of it.
    ContentLength,
    /// `x-amz-mp-object-size`: the length of the whole object. Its parts are already in the bucket, and S3 checks
    /// this number against their sum.
    ObjectSize,
}

impl LengthHeader {
    /// The name of the header.
    pub fn name(self) -> &'static str {
        match self {
            Self::ContentLength => "content-length",
            Self::ObjectSize => "x-amz-mp-object-size",
        }
    }
}

impl S3Operation {
    /// The HTTP method of the operation.
    pub fn method(self) -> Method {
        match self {
            Self::GetObject | Self::GetObjectVersion | Self::ListObjectsV2 | Self::ListParts => Method::Get,
            Self::HeadObject | Self::HeadObjectVersion => Method::Head,
            Self::PutObject | Self::UploadPart => Method::Put,
            Self::DeleteObject | Self::AbortMultipartUpload => Method::Delete,
            Self::CreateMultipartUpload | Self::CompleteMultipartUpload => Method::Post,
        }
    }

    /// The name of the call in AWS's API. The API does not have a separate name for reading a version.
    pub fn api_name(self) -> &'static str {
        match self {
            Self::GetObjectVersion => Self::GetObject.name(),
            Self::HeadObjectVersion => Self::HeadObject.name(),
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

    /// The permission that S3 requires ([AWS: required permissions for S3 API
    /// operations](https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html)): on the
    /// bucket for a listing, on the object for all others.
    pub fn permission(self) -> &'static str {
        match self {
            Self::GetObject | Self::HeadObject => "s3:GetObject",
            Self::GetObjectVersion | Self::HeadObjectVersion => "s3:GetObjectVersion",
            Self::PutObject
            | Self::CreateMultipartUpload
            | Self::UploadPart
            | Self::CompleteMultipartUpload => "s3:PutObject",
            Self::DeleteObject => "s3:DeleteObject",
            Self::AbortMultipartUpload => "s3:AbortMultipartUpload",
            Self::ListParts => "s3:ListMultipartUploadParts",
            Self::ListObjectsV2 => "s3:ListBucket",
        }
    }

    /// Whether it applies to all objects that begin with a prefix. All others apply to one object.
    pub fn is_listing(self) -> bool {
        match self {
            Self::ListObjectsV2 => true,
            Self::GetObject
            | Self::HeadObject
            | Self::PutObject
            | Self::DeleteObject
            | Self::GetObjectVersion
            | Self::HeadObjectVersion
            | Self::CreateMultipartUpload
            | Self::UploadPart
            | Self::CompleteMultipartUpload
            | Self::AbortMultipartUpload
            | Self::ListParts => false,
        }
    }

    /// Whether it reads an object or its metadata. Only then can the query override response headers.
    pub fn reads_object(self) -> bool {
        match self {
            Self::GetObject | Self::HeadObject | Self::GetObjectVersion | Self::HeadObjectVersion => true,
            Self::PutObject
            | Self::DeleteObject
            | Self::ListObjectsV2
            | Self::CreateMultipartUpload
            | Self::UploadPart
            | Self::CompleteMultipartUpload
            | Self::AbortMultipartUpload
            | Self::ListParts => false,
        }
    }

    /// Whether it reads the version of an object that the query names.
    pub fn reads_version(self) -> bool {
        match self {
            Self::GetObjectVersion | Self::HeadObjectVersion => true,
            Self::GetObject
            | Self::HeadObject
            | Self::PutObject
            | Self::DeleteObject
            | Self::ListObjectsV2
            | Self::CreateMultipartUpload
            | Self::UploadPart
            | Self::CompleteMultipartUpload
            | Self::AbortMultipartUpload
            | Self::ListParts => false,
        }
    }

    /// Whether it adds something to the bucket: an object, or a step of an upload.
    pub fn is_upload(self) -> bool {
        match self {
            Self::PutObject
            | Self::CreateMultipartUpload
            | Self::UploadPart
            | Self::CompleteMultipartUpload => true,
            Self::GetObject
            | Self::HeadObject
            | Self::DeleteObject
            | Self::GetObjectVersion
            | Self::HeadObjectVersion
            | Self::ListObjectsV2
            | Self::AbortMultipartUpload
            | Self::ListParts => false,
        }
    }

    /// Whether it is a step of a multipart upload.
    pub fn uploads_in_parts(self) -> bool {
        match self {
            Self::CreateMultipartUpload | Self::UploadPart | Self::CompleteMultipartUpload => true,
            Self::GetObject
            | Self::HeadObject
            | Self::PutObject
            | Self::DeleteObject
            | Self::GetObjectVersion
            | Self::HeadObjectVersion
            | Self::ListObjectsV2
            | Self::AbortMultipartUpload
            | Self::ListParts => false,
        }
    }

    /// Whether it deletes an object.
    pub fn deletes(self) -> bool {
        match self {
            Self::DeleteObject => true,
            Self::GetObject
            | Self::HeadObject
            | Self::PutObject
            | Self::GetObjectVersion
            | Self::HeadObjectVersion
            | Self::ListObjectsV2
            | Self::CreateMultipartUpload
            | Self::UploadPart
            | Self::CompleteMultipartUpload
            | Self::AbortMultipartUpload
            | Self::ListParts => false,
        }
    }

    /// Whether it creates or replaces an object. Only these operations can overwrite.
    pub fn creates_object(self) -> bool {
        match self {
            Self::PutObject | Self::CompleteMultipartUpload => true,
            Self::GetObject
            | Self::HeadObject
            | Self::DeleteObject
            | Self::GetObjectVersion
            | Self::HeadObjectVersion
            | Self::ListObjectsV2
            | Self::CreateMultipartUpload
            | Self::UploadPart
            | Self::AbortMultipartUpload
            | Self::ListParts => false,
        }
    }

    /// Whether the request contains what is stored with the object: its media type and metadata.
    pub fn describes_object(self) -> bool {
        match self {
            Self::PutObject | Self::CreateMultipartUpload => true,
            Self::GetObject
            | Self::HeadObject
            | Self::DeleteObject
            | Self::GetObjectVersion
            | Self::HeadObjectVersion
            | Self::ListObjectsV2
            | Self::UploadPart
            | Self::CompleteMultipartUpload
            | Self::AbortMultipartUpload
            | Self::ListParts => false,
        }
    }

    /// The header that gives the length of the upload, if a length can be limited.
    pub fn length(self) -> Option<LengthHeader> {
        match self {
            Self::PutObject | Self::UploadPart => Some(LengthHeader::ContentLength),
            Self::CompleteMultipartUpload => Some(LengthHeader::ObjectSize),
            Self::GetObject
            | Self::HeadObject
            | Self::DeleteObject
            | Self::GetObjectVersion
            | Self::HeadObjectVersion
            | Self::ListObjectsV2
            | Self::CreateMultipartUpload
            | Self::AbortMultipartUpload
            | Self::ListParts => None,
        }
    }

    /// Whether it has a length that can be limited.
    pub fn has_length(self) -> bool {
        self.length().is_some()
    }

    /// Whether it changes what is stored, or begins to. AbortMultipartUpload does not change anything that can be
    /// read.
    pub fn changes_stored(self) -> bool {
        self.is_upload() || self.deletes()
    }
}
