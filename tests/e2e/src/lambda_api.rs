//! Lambda's API, as far as `infra/prove` calls it, for one version of a function. The function is a package under one of
//! AWS's runtime clients.
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use std::collections::VecDeque;
use std::convert::Infallible;
use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use authorizer_local::Runtime;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use crate::lambda::{Process, Said, is_decision};
use crate::ministack;
use crate::tools::installed;

/// The version that the API has.
pub const ARN: &str = "arn:aws:lambda:us-east-1:111122223333:function:edge-authorizer:1";

const ID: &str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";

/// The most that Lambda returns of a log.
const TAIL: usize = 4096;

/// What the API has and does.
#[derive(Clone, Debug)]
pub struct Version {
    /// The runtime client, and the unpacked package.
    pub runtime: Runtime,
    /// The function's log in JSON, not in text.
    pub json_log: bool,
    /// The tail of a start's log has the lines from before the first event. AWS does not say whether it has.
    pub tail_of_start: bool,
    /// Its limit of time.
    pub timeout: Duration,
    /// Members of its configuration, beside those that a correct one has.
    pub configuration: Value,
    /// Its state at each question; then it is `Active`.
    pub states: Vec<&'static str>,
    /// An error of the API to every invocation: the status, and the code.
    pub refuses: Option<(u16, &'static str)>,
}

impl Version {
    /// A correct version with this code.
    pub fn new(runtime: Runtime, code_sha256: &str) -> Self {
        let name = match runtime {
            Runtime::Node => "nodejs24.x",
            Runtime::Python | Runtime::Native => "python3.14",
        };
        let configuration = json!({
            "FunctionName": "edge-authorizer", "FunctionArn": ARN, "Version": "1", "Runtime": name,
            "Handler": "index.handler", "Timeout": 5, "MemorySize": 128, "Architectures": ["x86_64"],
            "PackageType": "Zip", "CodeSha256": code_sha256,
        });
        Self {
            runtime,
            json_log: false,
            tail_of_start: true,
            timeout: Duration::from_secs(60),
            configuration,
            states: Vec::new(),
            refuses: None,
        }
    }
}

/// The API, until it is dropped.
#[derive(Debug)]
pub struct LambdaApi {
    addr: SocketAddr,
    folder: TempDir,
    server: Arc<Server>,
    _tasks: tokio::runtime::Runtime,
}

#[derive(Debug)]
struct Server {
    version: Version,
    package: std::path::PathBuf,
    states: std::sync::Mutex<VecDeque<&'static str>>,
    asked: std::sync::Mutex<Vec<String>>,
    process: Mutex<Option<Process>>,
}

impl LambdaApi {
    /// Starts it, if AWS's command line could be installed. The package is unpacked in this folder.
    pub fn start(version: Version, package: &Path) -> Option<Self> {
        let sdk = installed("sdk", "AWS's SDK")?;
        let folder = tempfile::tempdir().unwrap();
        ministack::command_line(folder.path(), sdk);
        let tasks =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = tasks.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let addr = listener.local_addr().unwrap();
        let server = Arc::new(Server {
            states: std::sync::Mutex::new(version.states.iter().copied().collect()),
            version,
            package: package.to_owned(),
            asked: std::sync::Mutex::default(),
            process: Mutex::default(),
        });
        let serves = Arc::clone(&server);
        tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = Arc::clone(&serves);
                let service = service_fn(move |request| Arc::clone(&server).answer(request));
                tokio::spawn(async move {
                    // A caller may end before its answer.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Some(Self { addr, folder, server, _tasks: tasks })
    }

    /// Its address, for `AWS_ENDPOINT_URL_LAMBDA`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The paths of all requests so far.
    pub fn asked(&self) -> Vec<String> {
        self.server.asked.lock().unwrap().clone()
    }

    /// A command with AWS's command line, configured for this API.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        ministack::configure(&mut command, self.folder.path());
        command.env("AWS_ENDPOINT_URL_LAMBDA", self.url()).env("AWS_MAX_ATTEMPTS", "1").stdin(Stdio::null());
        command
    }
}

impl Server {
    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let path = parts.uri.path().to_owned();
        self.asked.lock().unwrap().push(path.clone());
        let Some(rest) = path.strip_prefix("/2015-03-31/functions/") else {
            return Ok(error(404, "ResourceNotFoundException"));
        };
        Ok(match rest.rsplit('/').next() {
            Some("configuration") => {
                let mut configuration = self.version.configuration.clone();
                let state = self.states.lock().unwrap().pop_front().unwrap_or("Active");
                configuration["State"] = json!(state);
                if state == "Failed" {
                    configuration["StateReasonCode"] = json!("InvalidZipFileException");
                    configuration["StateReason"] = json!("The zip cannot be opened");
                }
                Response::new(Full::from(configuration.to_string()))
            }
            Some("invocations") => match self.version.refuses {
                Some((status, code)) => error(status, code),
                None => self.invoke(body).await,
            },
            _ => error(404, "ResourceNotFoundException"),
        })
    }

    async fn invoke(&self, event: Bytes) -> Response<Full<Bytes>> {
        // One environment, which handles one event at a time.
        let mut kept = self.process.lock().await;
        let begun = Instant::now();
        let mut init = None;
        let mut logged = 0;
        let mut ended = None;
        let process = match kept.as_mut() {
            Some(process) => {
                logged = process.stdout().all().len();
                process
            }
            None => {
                let process = kept.insert(Process::start(self.version.runtime, &self.package).await);
                if process.says().await == Some(Said::Next) {
                    init = Some(begun.elapsed());
                    if !self.version.tail_of_start {
                        let start = |lines: &[String]| (!lines.is_empty()).then_some(lines.len());
                        logged = process.stdout().find(start).unwrap_or_default();
                    }
                } else {
                    ended = Some(("Runtime.ExitError", "Error: Runtime exited with error: exit status 1"));
                }
                process
            }
        };
        let began = Instant::now();
        let (failed, answer) = match ended {
            Some((kind, message)) => (true, failure(kind, message)),
            None => match tokio::time::timeout(self.version.timeout, process.try_invoke(event)).await {
                Ok(Some(Said::Response(answer))) => (false, answer),
                Ok(Some(Said::Error(answer))) => (true, answer),
                Ok(said) => panic!("{said:?}"),
                Err(_) => (true, failure("Sandbox.Timedout", "Error: Task timed out after 5.00 seconds")),
            },
        };
        let took = began.elapsed();
        // The reader of the log may be a moment behind.
        for _ in 0..100 {
            if process.stdout().all().iter().skip(logged).any(|line| is_decision(line)) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let log = self.tail(&process.stdout().all()[logged..], took, init);
        if failed {
            // Lambda does not use an environment again in which the function ended or was late.
            *kept = None;
        }
        let mut response = Response::builder()
            .header("x-amz-executed-version", "1")
            .header("x-amz-log-result", STANDARD.encode(&log[log.len().saturating_sub(TAIL)..]));
        if failed {
            response = response.header("x-amz-function-error", "Unhandled");
        }
        response.body(Full::new(answer)).unwrap()
    }

    /// The log of one invocation, as Lambda writes it.
    fn tail(&self, lines: &[String], took: Duration, init: Option<Duration>) -> Vec<u8> {
        let millis = took.as_secs_f64() * 1000.0;
        let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
        if self.version.json_log {
            let platform = |kind: &str, record: Value| {
                json!({"time": "2027-01-01T00:00:00.000Z", "type": kind, "record": record}).to_string() + "\n"
            };
            let mut metrics = json!({
                "durationMs": millis, "billedDurationMs": millis.ceil(), "memorySizeMB": 128,
                "maxMemoryUsedMB": 30,
            });
            if let Some(init) = init {
                metrics["initDurationMs"] = json!(init.as_secs_f64() * 1000.0);
            }
            let start = platform("platform.start", json!({"requestId": ID, "version": "1"}));
            let report = json!({"requestId": ID, "metrics": metrics, "status": "success"});
            return (start + &lines + &platform("platform.report", report)).into_bytes();
        }
        let init = init.map(|init| format!("Init Duration: {:.2} ms\t", init.as_secs_f64() * 1000.0));
        format!(
            "START RequestId: {ID} Version: 1\n{lines}END RequestId: {ID}\nREPORT RequestId: {ID}\t\
             Duration: {millis:.2} ms\tBilled Duration: {} ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\t{}\n",
            millis.ceil(),
            init.unwrap_or_default(),
        )
        .into_bytes()
    }
}

fn failure(kind: &str, message: &str) -> Bytes {
    json!({"errorType": kind, "errorMessage": format!("RequestId: {ID} {message}")}).to_string().into()
}

fn error(status: u16, code: &str) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .header("x-amzn-errortype", code)
        .header("content-type", "application/json")
        .body(Full::from(json!({"Type": "User", "Message": "said by AWS"}).to_string()))
        .unwrap()
}
