//! The bucket: an S3 on its own loopback port, stored in a folder, that serves only signed requests.

mod arrival;
mod conditions;
mod gate;
mod key;
mod layout;
mod list;
mod locks;
mod page;
mod policy;
mod promises;
mod reads;
mod store;
mod uploads;
mod writes;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::Incoming;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpResponse};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;

use crate::body::Lingering;
use crate::credentials::Credentials;
use crate::observer::{BucketReport, Observer};
use crate::server::{BoxError, Server};

use gate::Gate;
use layout::Layout;
use policy::{BucketPolicy, Operation};
use store::Store;

/// An S3 that stores one bucket as a folder: the object `users/alice/a.txt` of the bucket `files` is the file
/// `DATA/files/users/alice/a.txt`, and the object `users/` is a file in the folder `users` with a name that no other
/// key has. Not every key can be a file. So a key is refused if it has an empty segment (other than the last), a
/// segment `.` or `..`, or a raw `+`; otherwise it could be confused with another key.
#[derive(Debug)]
pub struct EmbeddedS3 {
    server: Server,
}

/// Why the bucket could not be started.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedS3Error {
    /// S3 does not allow the name.
    #[error(
        "`{0}` is not a bucket name: use 3 to 63 lower-case letters, digits, dots and hyphens, \
         beginning and ending with a letter or digit"
    )]
    BucketName(String),
    /// The folder of the bucket cannot be created or written.
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
    /// Starts it on a free loopback port. Creates the bucket's folder if it is missing. The observer is told about
    /// every request that reaches the bucket.
    ///
    /// # Errors
    /// [`EmbeddedS3Error`] if the bucket's name is not valid, or its folder or a port is not available.
    pub async fn start(
        data_dir: &Path,
        bucket: &str,
        credentials: &Credentials,
        region: &str,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, EmbeddedS3Error> {
        if !s3s::path::check_bucket_name(bucket) {
            return Err(EmbeddedS3Error::BucketName(bucket.to_owned()));
        }
        let store = open(data_dir, bucket)?;
        let mut builder = S3ServiceBuilder::new(store);
        builder.set_auth(SimpleAuth::from_single(credentials.access_key(), credentials.secret_key()));
        builder.set_access(BucketPolicy);
        let service = builder.build();
        let door = Arc::new(Door { gate: Gate::new(bucket, region), service, observer });

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(EmbeddedS3Error::Listen)?;
        let handler = move |request: Request<Incoming>, _| serve(Arc::clone(&door), request);
        let server = Server::start(listener, None, handler).map_err(EmbeddedS3Error::Listen)?;
        Ok(Self { server })
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// Lets running requests finish, and stops.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

/// Creates the bucket's folder, and checks now, not at the first upload, that objects can be written.
fn open(data_dir: &Path, bucket: &str) -> Result<Store, EmbeddedS3Error> {
    let failed = |error| EmbeddedS3Error::DataFolder { path: data_dir.to_owned(), error };
    let folder = data_dir.join(bucket);
    std::fs::create_dir_all(&folder).map_err(failed)?;
    tempfile::tempfile_in(&folder).map_err(failed)?;
    tempfile::tempfile_in(data_dir).map_err(failed)?;
    let files = FileSystem::new(data_dir).map_err(|error| failed(io::Error::other(format!("{error:?}"))))?;
    Ok(Store::new(files, Layout::new(data_dir, bucket)))
}

/// The entry of a request: the gate, then the protocol; and the observer.
struct Door {
    gate: Gate,
    service: S3Service,
    observer: Arc<dyn Observer>,
}

async fn serve(door: Arc<Door>, request: Request<Incoming>) -> Result<HttpResponse, BoxError> {
    let operation = Operation::default();
    let (mut parts, body) = request.into_parts();
    let mut report = BucketReport {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        amz_headers: amz_headers(&parts.headers),
        operation: None,
        status: 0,
    };
    let body = Lingering::new(body);
    let answer = match door.gate.check(&parts) {
        Ok(()) => {
            parts.extensions.insert(operation.clone());
            let request = Request::from_parts(parts, Body::http_body(body));
            door.service.call(request).await
        }
        Err(refused) => Ok(refused.response()),
    };
    let answer = answer.map(without_body_if_not_modified);
    report.operation = operation.name();
    report.status = answer.as_ref().map_or(StatusCode::INTERNAL_SERVER_ERROR, Response::status).as_u16();
    door.observer.bucket_request(&report);
    answer.map_err(BoxError::from)
}

fn amz_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let are_signatures = ["x-amz-date", "x-amz-content-sha256"];
    let mut told: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .filter(|(name, _)| name.starts_with("x-amz-") && !are_signatures.contains(&name.as_str()))
        .collect();
    told.sort_unstable();
    told
}

/// Removes the body of a 304 (RFC 9110 section 15.4.5), because `s3s` writes one for every error.
fn without_body_if_not_modified(mut answer: HttpResponse) -> HttpResponse {
    if answer.status() == StatusCode::NOT_MODIFIED {
        *answer.body_mut() = Body::empty();
    }
    answer
}
