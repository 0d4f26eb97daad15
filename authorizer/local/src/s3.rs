//! The bucket: an S3 on its own loopback port, in a folder, that serves nothing unsigned.

mod gate;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpResponse, S3Result, s3_error};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;

use crate::body::Lingering;
use crate::credentials::Credentials;
use crate::server::{BoxError, Server};

use gate::Gate;

/// An S3 that holds one bucket as a folder: the object `users/alice/a.txt` of the bucket `files` is
/// the file `DATA/files/users/alice/a.txt`. A file has no object's freedom, so a key with an empty
/// segment, with `.` or `..` as one, or with a raw `+` is refused rather than taken for another key.
#[derive(Debug)]
pub struct EmbeddedS3 {
    server: Server,
}

/// Why the bucket could not be started.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedS3Error {
    /// S3 would not allow the name.
    #[error(
        "`{0}` is no bucket name: 3 to 63 lower-case letters, digits, dots and hyphens, \
         beginning and ending with a letter or digit"
    )]
    BucketName(String),
    /// The folder of the bucket cannot be made or written.
    #[error("cannot write to the data folder `{path}`: {error}", path = path.display())]
    DataFolder {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// No loopback port.
    #[error("cannot listen on a loopback port for the bucket: {0}")]
    Listen(io::Error),
}

impl EmbeddedS3 {
    /// Starts it on a free loopback port. The bucket's folder is made when it is missing.
    ///
    /// # Errors
    /// [`EmbeddedS3Error`] when the bucket's name, its folder or a port cannot be had.
    pub async fn start(
        data_dir: &Path,
        bucket: &str,
        credentials: &Credentials,
        region: &str,
    ) -> Result<Self, EmbeddedS3Error> {
        if !s3s::path::check_bucket_name(bucket) {
            return Err(EmbeddedS3Error::BucketName(bucket.to_owned()));
        }
        let store = open(data_dir, bucket)?;
        let mut builder = S3ServiceBuilder::new(store);
        builder.set_auth(SimpleAuth::from_single(credentials.access_key(), credentials.secret_key()));
        builder.set_access(BucketPolicy);
        let service = builder.build();
        let gate = Arc::new(Gate::new(bucket, region));

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(EmbeddedS3Error::Listen)?;
        let handler = move |request: Request<Incoming>, _| serve(Arc::clone(&gate), service.clone(), request);
        let server = Server::start(listener, handler).map_err(EmbeddedS3Error::Listen)?;
        Ok(Self { server })
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// Lets requests under way finish, and stops.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

/// Makes the bucket's folder, and makes sure now that objects can be written, not at the first upload.
fn open(data_dir: &Path, bucket: &str) -> Result<FileSystem, EmbeddedS3Error> {
    let failed = |error| EmbeddedS3Error::DataFolder { path: data_dir.to_owned(), error };
    let folder = data_dir.join(bucket);
    std::fs::create_dir_all(&folder).map_err(failed)?;
    tempfile::tempfile_in(&folder).map_err(failed)?;
    tempfile::tempfile_in(data_dir).map_err(failed)?;
    FileSystem::new(data_dir).map_err(|error| failed(io::Error::other(format!("{error:?}"))))
}

async fn serve(
    gate: Arc<Gate>,
    service: S3Service,
    request: Request<Incoming>,
) -> Result<HttpResponse, BoxError> {
    let (parts, body) = request.into_parts();
    let body = Lingering::new(body);
    if let Err(refused) = gate.check(&parts) {
        return Ok(refused.response());
    }
    service.call(Request::from_parts(parts, Body::http_body(body))).await.map_err(BoxError::from)
}

/// What the bucket's policy lets the distribution do: `s3:GetObject`, `s3:PutObject` and
/// `s3:DeleteObject`. Copying is among them, because reading and
/// writing are: keeping `x-amz-copy-source` out is the function's task, and a test's to see.
const ALLOWED: [&str; 10] = [
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
];

/// Refuses whatever came with no signature, and what the policy of a bucket behind Origin Access
/// Control does not grant: `s3s` asks for either only where this says so.
struct BucketPolicy;

#[async_trait::async_trait]
impl S3Access for BucketPolicy {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let is_signed = context.credentials().is_some();
        if is_signed && ALLOWED.contains(&context.s3_op().name()) {
            Ok(())
        } else {
            Err(s3_error!(AccessDenied, "Access Denied"))
        }
    }
}
