//! Lambda, as one function sees it: a Runtime API, independent of the one in `authorizer serve`, and a process whose
//! output lines are all kept.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::convert::Infallible;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use authorizer_local::Runtime;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;
use zip::ZipArchive;

use crate::binaries::root;
use crate::served::{DEADLINE, Lines};

/// The text in a line of the function's log that reports a fetch of keys.
pub const OF_KEYS: &str = "\"event\":\"keys_";

/// Whether a line of the function's log is a decision. The other lines are events: a start, a fetch of keys.
pub fn is_decision(line: &str) -> bool {
    line.contains("\"log_version\"")
}

/// The event of a viewer's request to `d111111abcdef8.cloudfront.net`.
pub fn event(method: &str, uri: &str, query: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut lines = serde_json::Map::new();
    for (name, value) in [("Host", "d111111abcdef8.cloudfront.net")].iter().chain(headers) {
        let line = json!({"key": name, "value": value});
        let lines = lines.entry(name.to_ascii_lowercase()).or_insert_with(|| json!([]));
        lines.as_array_mut().unwrap().push(line);
    }
    json!({"Records": [{"cf": {
        "config": {
            "distributionDomainName": "d111111abcdef8.cloudfront.net", "distributionId": "EDFDVBD6EXAMPLE",
            "eventType": "viewer-request", "requestId": "4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ=="
        },
        "request": {
            "clientIp": "203.0.113.178", "method": method, "uri": uri, "querystring": query, "headers": lines
        },
    }}]})
    .to_string()
    .into_bytes()
}

/// A message from a function.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Said {
    /// It requests its next event.
    Next,
    /// Its result.
    Response(Bytes),
    /// It failed on the event.
    Error(Bytes),
    /// It cannot start.
    InitError(Bytes),
    /// It sent a request that the Runtime API does not have.
    Nonsense(String),
}

/// The two channel ends of the server.
struct Api {
    events: Mutex<mpsc::Receiver<Bytes>>,
    said: mpsc::UnboundedSender<Said>,
}

impl Api {
    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let path = parts.uri.path().strip_prefix("/2018-06-01/runtime/").unwrap_or_default();
        let said = match (&parts.method, path.rsplit('/').next().unwrap_or_default()) {
            (&Method::GET, "next") => {
                // The receiver may already be gone.
                let _ = self.said.send(Said::Next);
                let event = self.events.lock().await.recv().await.unwrap_or_default();
                let deadline = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
                return Ok(Response::builder()
                    .header("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
                    .header("lambda-runtime-deadline-ms", (deadline.as_millis() + 5000).to_string())
                    .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:1:function:a:1")
                    .header("content-type", "application/json")
                    .body(Full::new(event))
                    .unwrap());
            }
            (&Method::POST, "response") => Said::Response(body),
            (&Method::POST, "error") if path == "init/error" => Said::InitError(body),
            (&Method::POST, "error") => Said::Error(body),
            (method, _) => Said::Nonsense(format!("{method} {path}")),
        };
        let _ = self.said.send(said);
        Ok(Response::builder().status(202).body(Full::default()).unwrap())
    }
}

/// An unpacked package, which a test may damage.
#[derive(Debug)]
pub struct Unpacked(TempDir);

impl Unpacked {
    /// Unpacks a zip, with the modes of its files.
    pub fn new(zip: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        ZipArchive::new(File::open(zip).unwrap()).unwrap().extract(folder.path()).unwrap();
        Self(folder)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// A file.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// One process of a function.
#[derive(Debug)]
pub struct Process {
    child: Child,
    events: mpsc::Sender<Bytes>,
    said: mpsc::UnboundedReceiver<Said>,
    stdout: Lines,
    stderr: Lines,
}

impl Process {
    /// Starts the function in the folder, as Lambda does.
    pub async fn start(runtime: Runtime, folder: &Path) -> Self {
        let (api, events, said) = serve().await;
        let mut child = start(runtime, folder, api);
        let stdout = Lines::read(child.stdout.take().unwrap());
        let stderr = Lines::read(child.stderr.take().unwrap());
        Self { child, events, said, stdout, stderr }
    }

    /// The process's id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its standard output.
    pub fn stdout(&self) -> &Lines {
        &self.stdout
    }

    /// Its next message; `None` if it has ended or stays silent.
    pub async fn says(&mut self) -> Option<Said> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            // Messages from before the end count, so they are checked first.
            if let Ok(said) = timeout(Duration::from_millis(20), self.said.recv()).await {
                return said;
            }
            if self.child.try_wait().unwrap().is_some() {
                return self.said.try_recv().ok();
            }
            assert!(Instant::now() < deadline, "it says nothing, but:\n{}", self.stderr.text());
        }
    }

    /// Waits for the first `/next`.
    pub async fn ready(&mut self) {
        let said = self.says().await;
        assert_eq!(said, Some(Said::Next), "{}\n{}", self.stdout.text(), self.stderr.text());
    }

    /// Passes an event to a function that is ready, and waits until it is ready again.
    pub async fn invoke(&mut self, event: Bytes) -> Said {
        self.events.send(event).await.unwrap();
        let said = self.says().await.unwrap_or_else(|| panic!("it ended:\n{}", self.stdout.text()));
        self.ready().await;
        said
    }

    /// The same, for a function that may fail on the event; `None` if it ends.
    pub async fn try_invoke(&mut self, event: Bytes) -> Option<Said> {
        self.events.send(event).await.ok()?;
        let said = self.says().await?;
        self.says().await;
        Some(said)
    }

    /// Ends the process; returns its output on both streams.
    pub fn stop(mut self) -> (Vec<String>, Vec<String>) {
        self.child.kill().unwrap();
        (self.stdout.to_end(), self.stderr.to_end())
    }

    /// Waits until it ends by itself, without having requested an event.
    pub async fn ends(mut self) -> (ExitStatus, Vec<String>, Vec<String>) {
        assert_eq!(self.says().await, None, "it started");
        (self.child.wait().unwrap(), self.stdout.to_end(), self.stderr.to_end())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the function in the folder, as Lambda does, with the Runtime API at this address.
pub fn start(runtime: Runtime, folder: &Path, api: SocketAddr) -> Child {
    start_in(None, runtime, folder, api)
}

/// The same, in the control group whose file of processes this is: a shell joins it and replaces itself.
pub fn start_in(group: Option<&Path>, runtime: Runtime, folder: &Path, api: SocketAddr) -> Child {
    let mut command = command(runtime, folder);
    if let Some(processes) = group {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", r#"echo $$ >"$0" && exec "$@""#]).arg(processes);
        shell.arg(command.get_program()).args(command.get_args());
        command = shell;
    }
    command.current_dir(folder).env_clear();
    command
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("_HANDLER", "index.handler")
        .env("LAMBDA_TASK_ROOT", folder)
        .env("AWS_LAMBDA_RUNTIME_API", api.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "authorizer")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/us-east-1.authorizer")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "tests")
        .env("AWS_REGION", "us-east-1");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    spawn(&mut command)
}

/// The command that Lambda runs; see `tests/tools/runtimes/README.md`.
fn command(runtime: Runtime, folder: &Path) -> Command {
    let clients = root().join(".tools/runtimes");
    let (program, arguments) = match runtime {
        Runtime::Native => (folder.join("bootstrap"), Vec::new()),
        Runtime::Python => (
            clients.join("python/bin/python"),
            vec!["-m".into(), "awslambdaric".into(), "index.handler".into()],
        ),
        Runtime::Node => {
            let client = clients.join("node_modules/aws-lambda-ric/index.mjs");
            (clients.join("node/bin/node"), vec![client, "index.handler".into()])
        }
    };
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// Retries the start: a new file cannot be run while another test's child, forked at that moment, has it open.
fn spawn(command: &mut Command) -> Child {
    let deadline = Instant::now() + DEADLINE;
    loop {
        match command.spawn() {
            Ok(child) => return child,
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                assert!(Instant::now() < deadline, "{command:?}: {error}");
                std::thread::yield_now();
            }
            Err(error) => panic!("{command:?}: {error}"),
        }
    }
}

async fn serve() -> (SocketAddr, mpsc::Sender<Bytes>, mpsc::UnboundedReceiver<Said>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (events, receiver) = mpsc::channel(1);
    let (sender, said) = mpsc::unbounded_channel();
    let api = Arc::new(Api { events: Mutex::new(receiver), said: sender });
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let api = Arc::clone(&api);
            let service = service_fn(move |request| Arc::clone(&api).answer(request));
            tokio::spawn(async move {
                // The connection of a killed process fails.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    (addr, events, said)
}
