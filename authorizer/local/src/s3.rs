//! The bucket: an S3 on its own loopback port, stored in a folder, that serves only signed requests.
//!
//! `s3s` speaks HTTP, SigV4 and XML, as far as S3 and it agree ([`entry`] does the rest). The store is our own: an index
//! ([`index`]) and a file for each body ([`files`]). Looked at instead of it: `s3s-fs`, which was here before, puts keys
//! into the names of files, so it cannot have `a` beside `a/b` nor long keys, and nothing of it is durable; the local
//! store of `object_store` has paths for keys too, and stores no metadata; `s3s` before another S3 needs that other S3;
//! of the packaged servers, `moto` (PyPI) forgets everything at its end and verifies no signature, and `s3rver` (npm)
//! puts keys into names of files again.

mod answer;
mod checksums;
mod conditions;
mod deletions;
mod entry;
mod error;
mod facts;
mod files;
mod gate;
mod import;
mod index;
mod list;
mod name;
mod options;
mod page;
mod policy;
mod range;
mod reads;
mod receive;
mod store;
mod time;
mod uploads;
mod versions;
mod writes;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::Incoming;
use s3s::service::S3Service;
use s3s::{Body, HttpResponse};
use tokio::net::TcpListener;

use crate::body::Lingering;
use crate::credentials::Credentials;
use crate::observer::{BucketReport, Observer};
use crate::server::{BoxError, Server};

pub use error::EmbeddedS3Error;
pub use options::{BucketOptions, CanList};

pub(crate) use conditions::{Conditions, Verdict};
use gate::Gate;
use policy::Operation;
pub(crate) use range::ByteRange;
use reads::Partial;
use store::{Operations, Store};

/// An S3 that stores one bucket in a folder. The body of each object is a file that a person can open: that of
/// `users/alice/a.txt` in the bucket `files` is `DATA/files/objects/users/alice/a~1-2.txt` ([`EmbeddedS3::file`] finds
/// it). Files that a person puts into `DATA/files/import/` become objects at the next start, and so do those of a folder
/// that was filled by hand.
pub struct EmbeddedS3 {
    server: Server,
    store: Arc<Store>,
}

impl std::fmt::Debug for EmbeddedS3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmbeddedS3").field("addr", &self.addr()).finish_non_exhaustive()
    }
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
        Self::start_with(data_dir, bucket, credentials, region, observer, BucketOptions::default()).await
    }

    /// The same, with options.
    ///
    /// # Errors
    /// Those of [`EmbeddedS3::start`].
    pub async fn start_with(
        data_dir: &Path,
        bucket: &str,
        credentials: &Credentials,
        region: &str,
        observer: Arc<dyn Observer>,
        options: BucketOptions,
    ) -> Result<Self, EmbeddedS3Error> {
        if !s3s::path::check_bucket_name(bucket) {
            return Err(EmbeddedS3Error::BucketName(bucket.to_owned()));
        }
        let (folder, name) = (data_dir.to_owned(), bucket.to_owned());
        let can_list = Arc::clone(&options.can_list);
        let opened = tokio::task::spawn_blocking(move || Store::open(&folder, &name, &options)).await;
        let store = opened.unwrap_or_else(|error| {
            Err(EmbeddedS3Error::DataFolder { path: data_dir.to_owned(), error: io::Error::other(error) })
        })?;
        let service = entry::service(Operations(Arc::clone(&store)), credentials, can_list);
        let door = Arc::new(Door { gate: Gate::new(bucket, region), service, observer });

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(EmbeddedS3Error::Listen)?;
        let handler = move |request: Request<Incoming>, _| serve(Arc::clone(&door), request);
        let server = Server::start(listener, None, handler).map_err(EmbeddedS3Error::Listen)?;
        Ok(Self { server, store })
    }

    /// The file of the body of an object, if there is one. In a bucket with versions, that is the newest body, also of an
    /// object that was deleted.
    pub fn file(data_dir: &Path, bucket: &str, key: &str) -> Option<PathBuf> {
        files::find(data_dir, bucket, key)
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// What the start could not import, and why.
    pub fn notes(&self) -> &[String] {
        &self.store.notes
    }

    /// Lets running requests finish, and stops.
    pub async fn stop(self) {
        self.server.stop().await;
        // Ends when everything is on the disk.
        let _ = tokio::task::spawn_blocking(move || self.store.close()).await;
    }
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
            door.service.call(request).await.map(with_status)
        }
        Err(refused) => Ok(refused.response()),
    };
    let answer = answer.map(without_body_if_not_modified).map(answer::complete);
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

/// Sets the status of a part that a HEAD asked for.
fn with_status(mut answer: HttpResponse) -> HttpResponse {
    if answer.extensions().get::<Partial>().is_some() {
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    answer
}

/// Removes the body of a 304 (RFC 9110 section 15.4.5), because `s3s` writes one for every error.
fn without_body_if_not_modified(mut answer: HttpResponse) -> HttpResponse {
    if answer.status() == StatusCode::NOT_MODIFIED {
        *answer.body_mut() = Body::empty();
    }
    answer
}
