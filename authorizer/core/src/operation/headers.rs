//! The request headers that belong to an operation, but for those of S3's own (`x-amz-*`).

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

    /// The headers that would make it another operation.
    pub(crate) fn refused_headers(self) -> &'static [&'static str] {
        if self.method().is_safe() { &[] } else { &WRITE_CONDITIONS }
    }
}

/// What would make a write another one. A condition on the ETag tells a writer what is stored, and S3 asks
/// for the right to read for it ([AWS: conditional
/// deletes](https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html)), which the
/// distribution has and the viewer may not. S3 knows neither partial uploads nor the condition on a date, and
/// without them the write would go on whole (RFC 9110 sections 13.1.4 and 14.5).
const WRITE_CONDITIONS: [&str; 3] = ["content-range", "if-match", "if-unmodified-since"];

/// GetObject's and HeadObject's own headers, and those that CloudFront negotiates with.
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

/// ListObjectsV2 and ListParts have none of their own.
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

/// DeleteObject and AbortMultipartUpload have none of their own.
const DELETE_HEADERS: [&str; 1] = ["accept"];
