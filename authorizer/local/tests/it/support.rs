//! A distribution for a test, a viewer, and an observer that records its reports.

use std::future::ready;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use authorizer_local::{
    BucketOptions, BucketReport, Credentials, Distribution, EmbeddedS3, Function, InProcess, Invocation,
    Observer, RequestReport, Running, Settings,
};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) type TestBody = BoxBody<Bytes, std::io::Error>;

pub(crate) fn empty() -> TestBody {
    Empty::new().map_err(|never| match never {}).boxed()
}

pub(crate) fn text(text: impl Into<Bytes>) -> TestBody {
    Full::new(text.into()).map_err(|never| match never {}).boxed()
}

#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) reports: Mutex<Vec<RequestReport>>,
    pub(crate) log: Mutex<Vec<String>>,
    pub(crate) bucket: Mutex<Vec<BucketReport>>,
    pub(crate) wants_details: AtomicBool,
}

impl Observer for Heard {
    fn request(&self, report: &RequestReport) {
        self.reports.lock().unwrap().push(report.clone());
    }

    fn function_log(&self, line: &str) {
        self.log.lock().unwrap().push(line.to_owned());
    }

    fn bucket_request(&self, report: &BucketReport) {
        self.bucket.lock().unwrap().push(report.clone());
    }

    fn wants_details(&self) -> bool {
        self.wants_details.load(Ordering::Relaxed)
    }
}

/// A running distribution of the bucket `files`, and the folder behind it.
pub(crate) struct Stage {
    pub(crate) running: Running,
    pub(crate) heard: Arc<Heard>,
    pub(crate) credentials: Credentials,
    pub(crate) data: TempDir,
    pub(crate) client: Client<HttpConnector, TestBody>,
}

impl Stage {
    pub(crate) async fn with(function: Function) -> Self {
        let (settings, heard, data) = settings(function);
        let credentials = settings.credentials.clone();
        let running = Distribution::start(settings).await.unwrap();
        Self { running, heard, credentials, data, client: client() }
    }

    /// A new start on the same data, with new credentials.
    pub(crate) async fn restarted(self, function: Function) -> Self {
        let Self { running, data, client: old, .. } = self;
        drop(old);
        running.stop().await;
        let (mut settings, heard, _unused) = settings(function);
        settings.data_dir = data.path().to_owned();
        let credentials = settings.credentials.clone();
        let running = Distribution::start(settings).await.unwrap();
        Self { running, heard, credentials, data, client: client() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.addr())
    }

    pub(crate) async fn send(&self, request: Request<TestBody>) -> Response<Incoming> {
        self.client.request(request).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Bytes) {
        self.call("GET", path, empty()).await
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: TestBody) -> (u16, Bytes) {
        let request = Request::builder().method(method).uri(self.url(path)).body(body).unwrap();
        let response = self.send(request).await;
        let status = response.status().as_u16();
        (status, response.into_body().collect().await.unwrap().to_bytes())
    }

    /// Sends a request with headers, and returns its whole answer.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, body) = self.send(request.body(text(body)).unwrap()).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into(),
        }
    }

    /// The file of an object; one that does not exist if there is no object.
    pub(crate) fn file(&self, key: &str) -> PathBuf {
        EmbeddedS3::file(self.data.path(), "files", key).unwrap_or_else(|| self.folder("none"))
    }

    /// A folder of the bucket: `objects`, `uploads`, `incoming` or `import`.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.data.path().join("files").join(name)
    }

    /// How many files there are, at any depth.
    pub(crate) fn files_in(&self, name: &str) -> usize {
        files_below(&self.folder(name))
    }

    pub(crate) fn last_report(&self) -> RequestReport {
        self.heard.reports.lock().unwrap().last().unwrap().clone()
    }
}

fn files_below(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { files_below(&entry.path()) } else { 1 }).sum()
}

/// An answer that is text.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// The header, or an empty text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The status and the code of S3's error, if it is one.
    pub(crate) fn error(&self) -> (u16, &str) {
        (self.status, self.elements("Code").first().copied().unwrap_or_default())
    }

    /// The contents of the elements with this name, in order.
    pub(crate) fn elements(&self, name: &str) -> Vec<&str> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        self.body.split(&open).skip(1).map(|rest| rest.split(&close).next().unwrap()).collect()
    }
}

pub(crate) fn client() -> Client<HttpConnector, TestBody> {
    Client::builder(TokioExecutor::new()).build_http()
}

pub(crate) fn settings(function: Function) -> (Settings, Arc<Heard>, TempDir) {
    let (heard, data) = (Arc::new(Heard::default()), tempfile::tempdir().unwrap());
    let settings = Settings {
        listen: "127.0.0.1:0".parse().unwrap(),
        tls: None,
        bucket: "files".to_owned(),
        bucket_options: BucketOptions::default(),
        region: "us-east-1".to_owned(),
        credentials: Credentials::random().unwrap(),
        data_dir: data.path().to_owned(),
        function,
        response_headers: Arc::new(|_| Vec::new()),
        observer: Arc::clone(&heard) as Arc<dyn Observer>,
    };
    (settings, heard, data)
}

/// A function that returns the closure's result for the event's request.
pub(crate) fn function(answer: impl Fn(Value) -> Value + Send + Sync + 'static) -> Function {
    Function::InProcess(InProcess::new(move |event| {
        let event: Value = serde_json::from_slice(&event).unwrap();
        let cf = &event["Records"][0]["cf"];
        let record = json!({"request_id": cf["config"]["requestId"], "decision": "allow"});
        let result = answer(cf["request"].clone()).to_string().into();
        ready(Invocation { result, record: Some(record), usage: None })
    }))
}

/// A function that returns every request unchanged.
pub(crate) fn forward() -> Function {
    function(|request| request)
}

/// A function that refuses every request.
pub(crate) fn refuse() -> Function {
    function(|_| {
        json!({
            "status": "403",
            "headers": {"content-type": [{"key": "Content-Type", "value": "application/problem+json"}]},
            "body": "{}",
        })
    })
}
