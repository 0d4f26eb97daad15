//! The bucket's policy: what the distribution's identity may do.

use std::sync::{Arc, OnceLock};

use percent_encoding::percent_decode_str;
use s3s::access::{S3Access, S3AccessContext};
use s3s::{S3Result, s3_error};

use super::options::CanList;

/// The operations that these actions grant:
///
/// - on the objects `s3:GetObject`, `s3:GetObjectVersion`, `s3:PutObject`, `s3:DeleteObject`,
///   `s3:AbortMultipartUpload` and `s3:ListMultipartUploadParts`;
/// - on the bucket `s3:ListBucket`.
///
/// Copying, deleting many objects and the older listing are included, because the same actions grant them. The
/// function must refuse them, and a test checks that.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>
const ALLOWED: [&str; 15] = [
    "GetObject",
    "HeadObject",
    "PutObject",
    "CopyObject",
    "DeleteObject",
    "DeleteObjects",
    "CreateMultipartUpload",
    "UploadPart",
    "UploadPartCopy",
    "CompleteMultipartUpload",
    "AbortMultipartUpload",
    "ListParts",
    "ListObjectsV2",
    "ListObjects",
    "HeadBucket",
];

/// Those that `s3:ListBucket` grants.
const LISTINGS: [&str; 3] = ["ListObjectsV2", "ListObjects", "HeadBucket"];

/// The operation of a request. It is stored in the request's extensions, because it is known only inside the
/// protocol, but the bucket's log must name it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Operation(Arc<OnceLock<String>>);

impl Operation {
    /// Its name in S3's API, if the request was recognised.
    pub(crate) fn name(&self) -> Option<String> {
        self.0.get().cloned()
    }
}

/// Says that the signature of a request was verified, before its operation was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed;

/// Refuses unsigned requests, and operations that the policy of a bucket behind Origin Access Control does not
/// grant: `s3s` itself does not check either.
pub(crate) struct BucketPolicy {
    /// Whether it grants `s3:ListBucket`.
    pub(crate) can_list: Arc<CanList>,
}

#[async_trait::async_trait]
impl S3Access for BucketPolicy {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let name = context.s3_op().name().to_owned();
        if let Some(operation) = context.extensions_mut().get::<Operation>() {
            // Set once: a request is one operation.
            let _ = operation.0.set(name.clone());
        }
        let is_signed = context.extensions_mut().get::<Signed>().is_some();
        let query = context.uri().query().unwrap_or_default();
        let is_granted = ALLOWED.contains(&&*name)
            && (!LISTINGS.contains(&&*name) || (self.can_list)())
            && !deletes_a_version(&name, query)
            && !context.headers().keys().any(|header| takes_more_than_writing(header.as_str()));
        if is_signed && is_granted { Ok(()) } else { Err(s3_error!(AccessDenied, "Access Denied")) }
    }
}

/// Whether it needs `s3:DeleteObjectVersion`: also for the version `null` of a bucket without versions.
fn deletes_a_version(name: &str, query: &str) -> bool {
    let is_version = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default();
        percent_decode_str(name).decode_utf8_lossy() == "versionId"
    };
    name == "DeleteObject" && query.split('&').any(is_version)
}

/// Whether the header also needs `s3:PutObjectAcl`, `s3:PutObjectTagging` or the permissions of Object Lock.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
fn takes_more_than_writing(header: &str) -> bool {
    matches!(header, "x-amz-acl" | "x-amz-tagging")
        || ["x-amz-grant-", "x-amz-object-lock-"].iter().any(|beginning| header.starts_with(beginning))
}
