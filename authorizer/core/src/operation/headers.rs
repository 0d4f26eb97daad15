//! The request headers that belong to an operation, without the headers of S3 itself (`x-amz-*`).

use super::s3_operation::S3Operation;

impl S3Operation {
    /// The headers that go on to S3.
    pub(crate) fn forwarded_headers(self) -> &'static [&'static str] {
        match self {
            Self::GetObject | Self::HeadObject | Self::GetObjectVersion | Self::HeadObjectVersion => {
                &READ_HEADERS
            }
            Self::ListObjectsV2 | Self::ListParts => &LIST_HEADERS,
            Self::PutObject => &WRITE_HEADERS,
            Self::CreateMultipartUpload => &CREATE_HEADERS,
            Self::UploadPart => &PART_HEADERS,
            Self::CompleteMultipartUpload => &COMPLETE_HEADERS,
            Self::DeleteObject | Self::AbortMultipartUpload => &DELETE_HEADERS,
        }
    }

    /// The headers that would change the operation.
    pub(crate) fn refused_headers(self) -> &'static [&'static str] {
        if self.method().is_safe() { &[] } else { &WRITE_CONDITIONS }
    }
}

/// Headers that would change a write. A condition on the ETag shows a writer what is stored, and S3 requires the
/// right to read for it ([AWS: conditional
/// deletes](https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html)). The distribution
/// has that right, but the viewer may not. S3 does not support partial uploads or the condition on a date:
/// without these headers it would do the whole write (RFC 9110 sections 13.1.4 and 14.5).
const WRITE_CONDITIONS: [&str; 3] = ["content-range", "if-match", "if-unmodified-since"];

/// The headers of GetObject and HeadObject, and those that CloudFront negotiates with.
const READ_HEADERS: [&str; 9] = [
    "accept",
    "accept-encoding",
    "cache-control",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "range",
];

/// ListObjectsV2 and ListParts do not have headers of their own.
const LIST_HEADERS: [&str; 2] = ["accept", "accept-encoding"];

/// PutObject's own headers.
const WRITE_HEADERS: [&str; 9] = [
    "accept",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-md5",
    "content-type",
    "expires",
    "if-none-match",
];

/// CreateMultipartUpload's: those that are stored with the object.
const CREATE_HEADERS: [&str; 7] = [
    "accept",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
];

/// UploadPart's.
const PART_HEADERS: [&str; 2] = ["accept", "content-md5"];

/// CompleteMultipartUpload's, whose body is the list of the parts.
const COMPLETE_HEADERS: [&str; 2] = ["accept", "if-none-match"];

/// DeleteObject and AbortMultipartUpload do not have headers of their own.
const DELETE_HEADERS: [&str; 1] = ["accept"];
