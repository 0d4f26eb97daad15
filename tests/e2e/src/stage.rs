//! A distribution in this process, whose bucket records its requests.

use std::fs;
use std::future::ready;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use authorizer_core::{Authorizer, UnixTime};
use authorizer_local::{
    BucketOptions, BucketReport, Credentials, Distribution, EmbeddedS3, Function, InProcess, Invocation,
    Observer, RequestReport, Running, Settings, Tls,
};
use authorizer_policy::PolicyFile;
use bytes::Bytes;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::PrivateKeyDer;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::binaries::{root, run};
use crate::viewer::{Answer, Viewer};

/// The bucket's name.
pub const BUCKET: &str = "files";

/// A distribution, usually with the policy `tests/e2e/policies/sdk.toml` and new keys. It runs in parallel with the
/// test, which may block.
#[derive(Debug)]
pub struct Stage {
    runtime: Runtime,
    running: Running,
    bucket: Arc<Bucket>,
    folder: TempDir,
    /// The certificate that viewers must trust.
    certificate: Option<PathBuf>,
    /// The viewer.
    pub viewer: Viewer,
}

/// The requests to the bucket since the last read of the log.
#[derive(Debug, Default)]
struct Bucket(Mutex<Vec<BucketReport>>);

impl Observer for Bucket {
    fn request(&self, _report: &RequestReport) {}

    fn function_log(&self, _line: &str) {}

    fn bucket_request(&self, report: &BucketReport) {
        self.0.lock().unwrap().push(report.clone());
    }
}

impl Stage {
    /// Starts it on a free port.
    pub fn start() -> Self {
        Self::with(&[], false)
    }

    /// The same over HTTPS.
    pub fn start_https() -> Self {
        Self::with(&[], true)
    }

    /// The same with an object in the bucket, which nobody has asked for.
    pub fn start_having(key: &str, body: &str, is_https: bool) -> Self {
        Self::with(&[(key, body)], is_https)
    }

    fn with(objects: &[(&str, &str)], is_https: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (key, body) in objects {
            // What lies in a bucket's folder before its first start becomes its objects.
            let file = folder.path().join("data").join(BUCKET).join(key);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, body).unwrap();
        }
        let policy = folder.path().join("policy.toml");
        fs::copy(root().join("tests/e2e/policies/sdk.toml"), &policy).unwrap();
        let keys = folder.path().join("keys");
        run(["token", "keygen", "people", "--algorithm", "EdDSA", "--dir", keys.to_str().unwrap()]);
        let authorizer = Authorizer::new(PolicyFile::load(&policy).unwrap().into_bundle());
        let handler = move |event: Bytes| {
            let authorized = authorizer.authorize(&event, UnixTime::from_system(SystemTime::now()));
            ready(Invocation {
                result: serde_json::to_vec(&authorized.outcome).unwrap().into(),
                record: None,
                usage: None,
            })
        };
        Self::set(folder, handler, is_https)
    }

    /// Starts one with this function, and with its bucket in the folder.
    pub fn deciding<F>(folder: TempDir, handler: impl Fn(Bytes) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Invocation> + Send + 'static,
    {
        Self::set(folder, handler, false)
    }

    fn set<F>(folder: TempDir, handler: impl Fn(Bytes) -> F + Send + Sync + 'static, is_https: bool) -> Self
    where
        F: Future<Output = Invocation> + Send + 'static,
    {
        let (tls, certificate) = is_https.then(|| certificate(folder.path())).unzip();
        let bucket = Arc::new(Bucket::default());
        let settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            tls,
            bucket: BUCKET.to_owned(),
            bucket_options: BucketOptions::default(),
            region: "us-east-1".to_owned(),
            credentials: Credentials::random().unwrap(),
            data_dir: folder.path().join("data"),
            function: Function::InProcess(InProcess::new(handler)),
            response_headers: Arc::new(|_| Vec::new()),
            observer: Arc::clone(&bucket) as Arc<dyn Observer>,
        };
        let runtime = Runtime::new().unwrap();
        let running = runtime.block_on(Distribution::start(settings)).unwrap();
        let viewer = Viewer::of(running.addr());
        Self { runtime, running, bucket, folder, certificate, viewer }
    }

    /// The address for viewers.
    pub fn addr(&self) -> String {
        self.running.addr().to_string()
    }

    /// The URL for viewers.
    pub fn url(&self) -> String {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.addr())
    }

    /// The file that viewers must trust, over HTTPS.
    pub fn certificate(&self) -> Option<&Path> {
        self.certificate.as_deref()
    }

    /// A token for a user, valid for the length of a test.
    pub fn token(&self, subject: &str) -> String {
        let key = self.folder.path().join("keys/people.private.pem");
        let fixed = ["token", "mint", "--issuer", "https://login.example.com/", "--audience", "files-api"];
        let more = ["--key", key.to_str().unwrap(), "--subject", subject];
        run(fixed.iter().chain(&more)).trim_end().to_owned()
    }

    /// A folder for the test's own files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file of an object.
    pub fn file(&self, key: &str) -> PathBuf {
        let data = self.folder.path().join("data");
        EmbeddedS3::file(&data, BUCKET, key).unwrap_or_else(|| data.join("no such object"))
    }

    /// The keys of the files in the bucket, in order.
    pub fn keys(&self) -> Vec<String> {
        let bucket = self.folder.path().join("data").join(BUCKET).join("objects");
        let mut keys = Vec::new();
        let mut folders = vec![bucket.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    keys.push(key_of(path.strip_prefix(&bucket).unwrap().to_str().unwrap()));
                }
            }
        }
        keys.sort();
        keys
    }

    /// The requests to the bucket since the last call, in the order of its answers.
    pub fn bucket_log(&self) -> Vec<BucketReport> {
        std::mem::take(&mut *self.bucket.0.lock().unwrap())
    }

    /// The same in short: operation, path below the bucket, and status.
    pub fn bucket_lines(&self) -> Vec<String> {
        let line = |report: BucketReport| {
            let path = report.path.strip_prefix("/files").unwrap_or(&report.path);
            format!("{} {path} {}", report.operation.as_deref().unwrap_or("none"), report.status)
        };
        self.bucket_log().into_iter().map(line).collect()
    }

    /// Sends a request over plain HTTP with a token.
    pub fn ask(
        &self,
        token: &str,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers: Vec<_> = headers.iter().copied().chain([("authorization", bearer.as_str())]).collect();
        self.runtime.block_on(self.viewer.ask(method, target, &headers, body))
    }
}

/// The key of a file: without its number, which is before the extension.
fn key_of(path: &str) -> String {
    let (stem, rest) = path.rsplit_once('~').unwrap();
    let extension = rest.split_once('.').map_or(String::new(), |(_, extension)| format!(".{extension}"));
    format!("{stem}{extension}")
}

/// A certificate for this machine and for the host that SDKs build their requests for, and its file.
fn certificate(folder: &Path) -> (Tls, PathBuf) {
    let names = ["127.0.0.1", "localhost", "files.example.com"].map(str::to_owned);
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
    let file = folder.join("certificate.pem");
    fs::write(&file, cert.pem()).unwrap();
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    (Tls::new(vec![cert.der().clone()], key).unwrap(), file)
}
