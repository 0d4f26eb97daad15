//! The bucket's objects: the index, the files, and what an operation does with both.
//!
//! Each operation is a method in the module of its subject; this one names them all.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use s3s::dto::{self, CopySource};
use s3s::{S3, S3Error, S3Request, S3Response, S3Result, TrailingHeaders, s3_error};

use super::conditions::{Conditions, WriteConditions, conflict, no_such_key};
use super::deletions::{Deletions, Watch};
use super::error::EmbeddedS3Error;
use super::facts::{NULL_VERSION, Object};
use super::files::{self, Files, Lock};
use super::import;
use super::index::{self, Index};
use super::options::{BucketOptions, CanList};
use super::versions::{Version, Versioning, check_id, marker, version};

/// How long a start waits for another one of the same bucket to end.
const PATIENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(20);

/// The store of one bucket.
pub(crate) struct Store {
    pub(super) bucket: String,
    pub(super) index: Arc<Index>,
    pub(super) files: Arc<Files>,
    pub(super) versioning: Versioning,
    pub(super) deletions: Deletions,
    can_list: Arc<CanList>,
    is_stopping: Arc<AtomicBool>,
    /// What the start could not import, and why.
    pub(super) notes: Vec<String>,
    lock: Mutex<Option<Lock>>,
}

/// What of a request's headers is read before `s3s` reads them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) conditions: Conditions,
    pub(crate) expires: Option<http::HeaderValue>,
    pub(crate) trailers: Option<TrailingHeaders>,
}

impl Asked {
    /// What the request came with.
    pub(crate) fn of<T>(request: &S3Request<T>) -> Self {
        request.extensions.get::<Self>().cloned().unwrap_or_default()
    }
}

impl Store {
    /// Opens the folder of a bucket: creates it, takes in what is to be imported, and removes what a crash has left.
    /// Blocks.
    pub(crate) fn open(
        data_dir: &Path,
        bucket: &str,
        options: &BucketOptions,
    ) -> Result<Arc<Self>, EmbeddedS3Error> {
        let root = data_dir.join(bucket);
        let failed = |error| EmbeddedS3Error::DataFolder { path: data_dir.to_owned(), error };
        let damaged = |error: &dyn std::fmt::Display| EmbeddedS3Error::Index {
            path: files::index_of(&root),
            reason: error.to_string(),
        };
        std::fs::create_dir_all(&root).map_err(failed)?;
        let lock = take_lock(&root).map_err(failed)?;
        let lock = lock.ok_or_else(|| EmbeddedS3Error::InUse(root.clone()))?;
        if files::has_lost_its_index(&root).map_err(failed)? {
            return Err(EmbeddedS3Error::NoIndex(root));
        }
        files::prepare(&root).map_err(failed)?;
        let (index, connection, run) =
            Index::open(&files::index_of(&root)).map_err(|error| damaged(&error))?;
        let files = Arc::new(Files::new(&root, run));
        files.sweep_incoming().map_err(failed)?;
        // Checks now, not at the first upload, that objects can be written.
        files.incoming().map_err(failed)?;
        import::sweep_uploads(&connection, &files).map_err(|error| damaged(&error))?;
        let versioning = Versioning::open(&connection, options.versions).map_err(|error| damaged(&error))?;
        let notes = import::import(&connection, &files, versioning).map_err(|error| damaged(&error))?;
        let index = Arc::new(index);
        index.start(connection, Arc::clone(&files)).map_err(failed)?;
        let store = Arc::new(Self {
            bucket: bucket.to_owned(),
            index,
            files,
            versioning,
            deletions: Deletions::default(),
            can_list: Arc::clone(&options.can_list),
            is_stopping: Arc::default(),
            notes,
            lock: Mutex::new(Some(lock)),
        });
        let (index, files, stop) =
            (Arc::clone(&store.index), Arc::clone(&store.files), Arc::clone(&store.is_stopping));
        let sweep = move || import::sweep_bodies(&index, &files, &stop);
        // Without the thread, the leftovers stay until the next start.
        let _ = std::thread::Builder::new().name("bucket-sweep".to_owned()).spawn(sweep);
        Ok(store)
    }

    /// Writes what was asked for until now, and releases the folder. Blocks.
    pub(crate) fn close(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
        self.index.stop();
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// The source of a copy. The policy does not grant access to another bucket.
    pub(super) fn source(&self, source: &CopySource) -> S3Result<Object> {
        let CopySource::Bucket { bucket, key, version_id } = source else {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        };
        if **bucket != *self.bucket {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
        self.object(key, version_id.as_deref())
    }

    /// The object, or this version of it.
    pub(super) fn object(&self, key: &str, id: Option<&str>) -> S3Result<Object> {
        check_id(id)?;
        let Some(id) = id else {
            let current = self.index.read(|connection| index::current(connection, key))?;
            return match current {
                Some(object) => Ok(object),
                None => Err(self.missing(key)?),
            };
        };
        match self.index.read(|connection| version(connection, key, id))? {
            Some(Version::Object(object)) => Ok(*object),
            Some(Version::DeleteMarker) => {
                let mut error =
                    s3_error!(MethodNotAllowed, "The specified method is not allowed against this resource.");
                error.set_headers(marker_headers(id));
                Err(error)
            }
            None if (self.can_list)() => {
                Err(s3_error!(NoSuchVersion, "The specified version does not exist."))
            }
            None => Err(denied()),
        }
    }

    /// The error for a missing object. Without `s3:ListBucket`, S3 does not tell that it is missing.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
    fn missing(&self, key: &str) -> S3Result<S3Error> {
        let can_list = (self.can_list)();
        let mut error = if can_list { no_such_key() } else { denied() };
        if self.versioning != Versioning::Off
            && can_list
            && let Some(id) = self.index.read(|connection| marker(connection, key))?
        {
            error.set_headers(marker_headers(&id));
        }
        Ok(error)
    }

    /// The version to tell of an object; in a bucket that never had versions, only who names one is told.
    pub(super) fn told_version(&self, object: &Object, is_named: bool) -> Option<String> {
        let named = is_named.then(|| NULL_VERSION.to_owned());
        self.versioning.tell(&object.version).or(named)
    }

    /// Begins a conditional write: refuses one that is already in vain, so that it does not need its body.
    pub(super) fn begin_write(&self, key: &str, conditions: WriteConditions) -> S3Result<Admission> {
        let watch = (!conditions.is_empty()).then(|| self.deletions.watch(key));
        let admission = Admission { conditions, watch };
        if admission.watch.is_some() {
            let current = self.index.read(|connection| index::current(connection, key))?;
            admission.conditions.check(current.as_ref().map(|object| object.etag.as_str()))?;
        }
        Ok(admission)
    }
}

/// The conditions of a write that is under way.
#[derive(Debug)]
pub(crate) struct Admission {
    conditions: WriteConditions,
    watch: Option<Watch>,
}

impl Admission {
    /// Checks them once more, where nothing comes between the check and the write.
    pub(crate) fn check(&self, connection: &rusqlite::Connection, key: &str) -> S3Result<()> {
        if self.watch.as_ref().is_some_and(Watch::is_deleted) {
            return Err(conflict());
        }
        if self.conditions.is_empty() {
            return Ok(());
        }
        let current = index::current(connection, key).map_err(index::broken)?;
        self.conditions.check(current.as_ref().map(|object| object.etag.as_str()))
    }
}

fn take_lock(root: &Path) -> std::io::Result<Option<Lock>> {
    let end = Instant::now().checked_add(PATIENCE);
    loop {
        if let Some(lock) = Lock::take(root)? {
            return Ok(Some(lock));
        }
        if end.is_none_or(|end| Instant::now() > end) {
            return Ok(None);
        }
        std::thread::sleep(PAUSE);
    }
}

fn denied() -> S3Error {
    s3_error!(AccessDenied, "Access Denied")
}

/// The headers of an answer about a delete marker.
fn marker_headers(id: &str) -> http::HeaderMap {
    let mut headers = http::HeaderMap::new();
    headers.insert("x-amz-delete-marker", http::HeaderValue::from_static("true"));
    if let Ok(id) = http::HeaderValue::from_str(id) {
        headers.insert("x-amz-version-id", id);
    }
    headers
}

/// The store as `s3s` calls it.
pub(crate) struct Operations(pub(crate) Arc<Store>);

/// Passes each operation to its method.
macro_rules! operations {
    ($($operation:ident: $input:ident => $output:ident),+ $(,)?) => {
        #[async_trait::async_trait]
        impl S3 for Operations {
            $(
                async fn $operation(&self, request: S3Request<dto::$input>) -> S3Result<S3Response<dto::$output>> {
                    Store::$operation(&self.0, request).await
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
