//! What a bucket can be besides the usual.

/// How a bucket differs from the one that [`EmbeddedS3::start`](crate::EmbeddedS3::start) starts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct BucketOptions {
    /// Whether the bucket keeps the older versions of its objects. A bucket that kept them once has them still, as at S3.
    /// Default: no.
    pub versions: bool,
    /// Whether the distribution may list the bucket (`s3:ListBucket`). If not, S3 answers 403 instead of 404 for a
    /// missing object, and refuses to list. Default: yes.
    pub can_list: bool,
}

impl Default for BucketOptions {
    fn default() -> Self {
        Self { versions: false, can_list: true }
    }
}
