//! What a bucket can be besides the usual.

use std::sync::Arc;

/// Whether the distribution may list a bucket, which may change while it runs.
pub type CanList = dyn Fn() -> bool + Send + Sync;

/// How a bucket differs from the one that [`EmbeddedS3::start`](crate::EmbeddedS3::start) starts.
#[derive(Clone)]
#[non_exhaustive]
pub struct BucketOptions {
    /// Whether the bucket keeps the older versions of its objects. A bucket that kept them once has them still, as at S3.
    /// Default: no.
    pub versions: bool,
    /// Whether the distribution may list the bucket (`s3:ListBucket`). If not, S3 answers 403 instead of 404 for a
    /// missing object, and refuses to list. It is asked at each request. Default: yes.
    pub can_list: Arc<CanList>,
}

impl Default for BucketOptions {
    fn default() -> Self {
        Self { versions: false, can_list: Arc::new(|| true) }
    }
}

impl std::fmt::Debug for BucketOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BucketOptions").field("versions", &self.versions).finish_non_exhaustive()
    }
}

impl BucketOptions {
    /// Those of a bucket as the templates of this repository make it: with versions, and with the right to list where the
    /// policy has a rule that lists.
    pub fn of_templates(can_list: Arc<CanList>) -> Self {
        Self { versions: true, can_list }
    }
}
