//! The bucket's objects: `s3s-fs` stores them, and this module adds the S3 behaviour that it lacks.
//!
//! Each operation is a method in the module of its subject; this one names them all.

use s3s::dto::{self, CopySource, ETag, HeadObjectInput, HeadObjectOutput};
use s3s::{S3, S3Error, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;

use super::conditions::{WriteConditions, no_such_key};
use super::key::Key;
use super::layout::Layout;
use super::locks::Locks;

/// The store of one bucket.
pub(crate) struct Store {
    pub(super) files: FileSystem,
    pub(super) layout: Layout,
    /// INVARIANT: code that checks an object and then reads or writes it holds its lock from the check on.
    pub(super) locks: Locks,
}

impl Store {
    pub(crate) fn new(files: FileSystem, layout: Layout) -> Self {
        Self { files, layout, locks: Locks::default() }
    }

    pub(super) fn key(&self, key: &str) -> S3Result<Key> {
        Key::parse(self.layout.bucket(), key).map_err(S3Error::from)
    }

    /// The source of a copy. The policy does not grant access to another bucket.
    pub(super) fn source(&self, source: &mut CopySource) -> S3Result<Key> {
        let CopySource::Bucket { bucket, key, version_id } = source else {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        };
        if **bucket != *self.layout.bucket() {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
        check_version(version_id.take().as_deref())?;
        let parsed = self.key(key)?;
        *key = parsed.stored().into();
        Ok(parsed)
    }

    /// The state of the object, if it exists.
    pub(super) async fn object(&self, key: &Key) -> S3Result<Option<HeadObjectOutput>> {
        if !self.layout.has_object(key).await {
            return Ok(None);
        }
        let input = HeadObjectInput {
            bucket: self.layout.bucket().to_owned(),
            key: key.stored().to_owned(),
            ..HeadObjectInput::default()
        };
        Ok(Some(self.files.head_object(own_request(input)).await?.output))
    }

    /// Allows a write, or says why not. The entity tag of a file that was not uploaded is computed from its content,
    /// so it is computed only if there is a condition.
    pub(super) async fn check(&self, key: &Key, conditions: &WriteConditions) -> S3Result<()> {
        if conditions.is_empty() {
            return Ok(());
        }
        let object = self.object(key).await?;
        let etag = object.map(|object| object.e_tag.unwrap_or_else(|| ETag::Strong(String::new())));
        conditions.check(etag.as_ref())
    }
}

/// A request from the store to `s3s-fs`.
pub(super) fn own_request<T>(input: T) -> S3Request<T> {
    S3Request {
        input,
        method: http::Method::GET,
        uri: http::Uri::default(),
        headers: http::HeaderMap::new(),
        extensions: http::Extensions::new(),
        credentials: None,
        region: None,
        service: None,
        trailing_headers: None,
    }
}

/// The version of an object in a bucket without versions is `null`; no other exists.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html>
pub(super) fn check_version(version: Option<&str>) -> S3Result<()> {
    match version {
        None | Some("null") => Ok(()),
        Some("") => Err(s3_error!(InvalidArgument, "Version id cannot be the empty string")),
        Some(_) => Err(no_such_version()),
    }
}

/// The error for a missing object.
pub(super) fn missing(version: Option<&str>) -> S3Error {
    version.map_or_else(no_such_key, |_| no_such_version())
}

fn no_such_version() -> S3Error {
    s3_error!(NoSuchVersion, "The specified version does not exist.")
}

/// Passes each operation to its method.
macro_rules! operations {
    ($($operation:ident: $input:ident => $output:ident),+ $(,)?) => {
        #[async_trait::async_trait]
        impl S3 for Store {
            $(
                async fn $operation(&self, request: S3Request<dto::$input>) -> S3Result<S3Response<dto::$output>> {
                    Store::$operation(self, request).await
                }
            )+
        }
    };
}

operations! {
    get_object: GetObjectInput => GetObjectOutput,
    head_object: HeadObjectInput => HeadObjectOutput,
    put_object: PutObjectInput => PutObjectOutput,
    copy_object: CopyObjectInput => CopyObjectOutput,
    delete_object: DeleteObjectInput => DeleteObjectOutput,
    delete_objects: DeleteObjectsInput => DeleteObjectsOutput,
    head_bucket: HeadBucketInput => HeadBucketOutput,
    list_objects: ListObjectsInput => ListObjectsOutput,
    list_objects_v2: ListObjectsV2Input => ListObjectsV2Output,
    create_multipart_upload: CreateMultipartUploadInput => CreateMultipartUploadOutput,
    upload_part: UploadPartInput => UploadPartOutput,
    upload_part_copy: UploadPartCopyInput => UploadPartCopyOutput,
    list_parts: ListPartsInput => ListPartsOutput,
    complete_multipart_upload: CompleteMultipartUploadInput => CompleteMultipartUploadOutput,
    abort_multipart_upload: AbortMultipartUploadInput => AbortMultipartUploadOutput,
}
