//! An S3 at which a client can make buckets, for suites that begin each test with a new one: the bucket of `serve` is one
//! bucket, and nobody may create another.
//!
//! Each bucket is an [`EmbeddedS3`] of its own, and every request for an object or a listing goes to it as it came. What
//! is answered here is what makes and removes buckets: create, delete, list and the state of versions. A list of versions
//! is empty, so that a suite which tidies up goes on to delete the bucket.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use authorizer_local::{BucketOptions, Credentials, EmbeddedS3, Observer, RequestReport};
use bytes::Bytes;
use http::uri::{Authority, Parts, Scheme};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Mutex;

/// The region of every bucket.
pub const REGION: &str = "us-east-1";

type Body = BoxBody<Bytes, hyper::Error>;

/// The endpoint. It serves as long as the runtime runs.
#[derive(Debug)]
pub struct Buckets {
    addr: SocketAddr,
    credentials: Credentials,
}

struct Nobody;

impl Observer for Nobody {
    fn request(&self, _: &RequestReport) {}

    fn function_log(&self, _: &str) {}
}

struct Bucket {
    s3: EmbeddedS3,
    folder: TempDir,
    /// `Enabled` or `Suspended`, once versions were asked for.
    versions: Option<&'static str>,
}

struct State {
    credentials: Credentials,
    client: Client<HttpConnector, Incoming>,
    buckets: Mutex<BTreeMap<String, Bucket>>,
}

impl Buckets {
    /// Starts it on a free loopback port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let credentials = Credentials::random().unwrap();
        let state = Arc::new(State {
            credentials: credentials.clone(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            buckets: Mutex::default(),
        });
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let state = Arc::clone(&state);
                let service = service_fn(move |request| {
                    let state = Arc::clone(&state);
                    async move { Ok::<_, Infallible>(state.answer(request).await) }
                });
                // A client may close its connection whenever it likes.
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { addr, credentials }
    }

    /// Its address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The credentials with which every bucket is asked.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }
}

impl State {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
        let path = path.strip_prefix('/').unwrap_or(path);
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let bucket = bucket.to_owned();
        let is_asked = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
        let (versioning, versions) = (is_asked("versioning"), is_asked("versions"));
        match (request.method().clone(), &*bucket, key) {
            (Method::GET, "", "") => self.list().await,
            (Method::PUT, _, "") if versioning => {
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let is_on = String::from_utf8_lossy(&body).contains("Enabled");
                self.set_versions(&bucket, is_on).await
            }
            (Method::GET, _, "") if versioning => self.versions(&bucket).await,
            (Method::GET, _, "") if versions => xml(
                StatusCode::OK,
                "<ListVersionsResult><IsTruncated>false</IsTruncated></ListVersionsResult>",
            ),
            (Method::PUT, _, "") if query.is_empty() => self.create(&bucket).await,
            (Method::DELETE, _, "") if query.is_empty() => self.delete(&bucket).await,
            (_, _, _) => self.pass_on(&bucket, request).await,
        }
    }

    async fn create(&self, name: &str) -> Response<Body> {
        let mut buckets = self.buckets.lock().await;
        if buckets.contains_key(name) {
            return error(StatusCode::CONFLICT, "BucketAlreadyOwnedByYou");
        }
        let folder = tempfile::tempdir().unwrap();
        let Ok(s3) = start(folder.path(), name, &self.credentials, false).await else {
            return error(StatusCode::BAD_REQUEST, "InvalidBucketName");
        };
        buckets.insert(name.to_owned(), Bucket { s3, folder, versions: None });
        xml(StatusCode::OK, "")
    }

    async fn delete(&self, name: &str) -> Response<Body> {
        let Some(bucket) = self.buckets.lock().await.remove(name) else { return no_such_bucket() };
        bucket.s3.stop().await;
        xml(StatusCode::NO_CONTENT, "")
    }

    async fn list(&self) -> Response<Body> {
        let buckets = self.buckets.lock().await;
        let each = |name: &String| {
            format!(
                "<Bucket><Name>{name}</Name><CreationDate>2026-01-01T00:00:00.000Z</CreationDate></Bucket>"
            )
        };
        let all: String = buckets.keys().map(each).collect();
        let owner = "<Owner><ID>0</ID></Owner>";
        xml(
            StatusCode::OK,
            &format!("<ListAllMyBucketsResult>{owner}<Buckets>{all}</Buckets></ListAllMyBucketsResult>"),
        )
    }

    async fn versions(&self, name: &str) -> Response<Body> {
        let buckets = self.buckets.lock().await;
        let Some(bucket) = buckets.get(name) else { return no_such_bucket() };
        let status = bucket.versions.map(|status| format!("<Status>{status}</Status>")).unwrap_or_default();
        xml(StatusCode::OK, &format!("<VersioningConfiguration>{status}</VersioningConfiguration>"))
    }

    /// Starts the bucket again, with versions or without.
    async fn set_versions(&self, name: &str, is_on: bool) -> Response<Body> {
        let mut buckets = self.buckets.lock().await;
        let Some(Bucket { s3, folder, .. }) = buckets.remove(name) else { return no_such_bucket() };
        s3.stop().await;
        let s3 = start(folder.path(), name, &self.credentials, is_on).await.unwrap();
        let versions = Some(if is_on { "Enabled" } else { "Suspended" });
        buckets.insert(name.to_owned(), Bucket { s3, folder, versions });
        xml(StatusCode::OK, "")
    }

    /// The `Host` stays, because the signature covers it.
    async fn pass_on(&self, name: &str, mut request: Request<Incoming>) -> Response<Body> {
        let addr = self.buckets.lock().await.get(name).map(|bucket| bucket.s3.addr());
        let Some(addr) = addr else { return no_such_bucket() };
        let mut parts = Parts::default();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(Authority::try_from(addr.to_string()).unwrap());
        parts.path_and_query = request.uri().path_and_query().cloned();
        *request.uri_mut() = Uri::from_parts(parts).unwrap();
        match self.client.request(request).await {
            Ok(answer) => answer.map(|body| body.boxed()),
            Err(_) => error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
        }
    }
}

async fn start(
    folder: &Path,
    name: &str,
    credentials: &Credentials,
    versions: bool,
) -> Result<EmbeddedS3, authorizer_local::EmbeddedS3Error> {
    let mut options = BucketOptions::default();
    options.versions = versions;
    EmbeddedS3::start_with(folder, name, credentials, REGION, Arc::new(Nobody), options).await
}

fn xml(status: StatusCode, body: &str) -> Response<Body> {
    let body = Full::new(Bytes::from(body.to_owned())).map_err(|never| match never {}).boxed();
    Response::builder().status(status).header("content-type", "application/xml").body(body).unwrap()
}

fn error(status: StatusCode, code: &str) -> Response<Body> {
    xml(status, &format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>"))
}

fn no_such_bucket() -> Response<Body> {
    error(StatusCode::NOT_FOUND, "NoSuchBucket")
}
