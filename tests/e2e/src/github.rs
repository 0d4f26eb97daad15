//! What `action.yml` needs of GitHub: a runner that runs its steps, and a server in the place of GitHub's API and of a
//! release's downloads.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binaries::{authorizer, root};

/// Who writes comments with the token of a run.
pub const BOT: &str = "github-actions[bot]";

/// A YAML file of the project.
pub fn yaml(path: &str) -> Value {
    let text = fs::read_to_string(root().join(path)).unwrap();
    serde_yaml_ng::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A request that the server got.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The path, with the query.
    pub path: String,
    /// The body, if it is JSON.
    pub body: Value,
    /// The header `Authorization`.
    pub authorization: String,
}

#[derive(Default)]
struct State {
    comments: Vec<Value>,
    asked: Vec<Asked>,
    files: BTreeMap<String, Vec<u8>>,
}

/// The API of GitHub for the comments on a pull request, and the downloads of releases.
pub struct Server {
    addr: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Server {
    /// A server for a token that may write comments, or may only read, as the token of a change from a fork.
    pub fn start(writes: bool) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let addr = listener.local_addr().unwrap();
        let state = Arc::<Mutex<State>>::default();
        let serves = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &serves, writes, addr);
            }
        });
        Self { addr, state }
    }

    /// Its address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// A comment that is there already.
    pub fn has_comment(&self, author: &str, body: &str) {
        let mut state = self.state.lock().unwrap();
        let id = state.comments.len();
        state.comments.push(json!({ "id": id, "user": { "login": author }, "body": body }));
    }

    /// The comments of an author.
    pub fn comments(&self, author: &str) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let of_author = state.comments.iter().filter(|one| one["user"]["login"] == author);
        of_author.map(|one| one["body"].as_str().unwrap().to_owned()).collect()
    }

    /// The requests that would change something.
    pub fn writes(&self) -> Vec<Asked> {
        let state = self.state.lock().unwrap();
        state.asked.iter().filter(|one| one.method != "GET").cloned().collect()
    }

    /// All requests.
    pub fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    /// A file to download.
    pub fn has_file(&self, path: &str, bytes: Vec<u8>) {
        self.state.lock().unwrap().files.insert(path.to_owned(), bytes);
    }
}

/// Reads one request and answers it.
fn answer(stream: TcpStream, state: &Mutex<State>, writes: bool, addr: SocketAddr) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut words = line.split_whitespace().map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return };
    let (mut length, mut authorization) = (0, String::new());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "authorization" => authorization = value.to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let mut state = state.lock().unwrap();
    state.asked.push(Asked { method: method.clone(), path: path.clone(), body, authorization });
    let (status, links, bytes) = reply(&mut state, &method, &path, writes, addr);
    let head =
        format!("HTTP/1.1 {status} .\r\nContent-Length: {}\r\n{links}Connection: close\r\n\r\n", bytes.len());
    let mut stream = reader.into_inner();
    let _ = stream.write_all(&[head.as_bytes(), &bytes].concat());
}

fn reply(
    state: &mut State,
    method: &str,
    path: &str,
    writes: bool,
    addr: SocketAddr,
) -> (u16, String, Vec<u8>) {
    const LIST: &str = "/repos/example/files/issues/7/comments";
    const ONE: &str = "/repos/example/files/issues/comments/";
    let json = |status, value: Value| (status, String::new(), value.to_string().into_bytes());
    if let Some(bytes) = state.files.get(path) {
        return (200, String::new(), bytes.clone());
    }
    let (at, query) = path.split_once('?').unwrap_or((path, ""));
    let text = || state.asked.last().unwrap().body["body"].as_str().unwrap().to_owned();
    match method {
        "GET" if at == LIST => {
            let number = |name: &str, or: usize| {
                let given = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
                given.map_or(or, |value| value.parse().unwrap())
            };
            let (page, size) = (number("page", 1), number("per_page", 30).min(100));
            let listed: Vec<_> = state.comments.iter().skip((page - 1) * size).take(size).cloned().collect();
            let more = page * size < state.comments.len();
            let links = format!("Link: <http://{addr}{LIST}?page={}>; rel=\"next\"\r\n", page + 1);
            (200, if more { links } else { String::new() }, json!(listed).to_string().into_bytes())
        }
        "POST" | "PATCH" if !writes => {
            json(403, json!({ "message": "Resource not accessible by integration" }))
        }
        "POST" if at == LIST => {
            let comment = json!({ "id": state.comments.len(), "user": { "login": BOT }, "body": text() });
            state.comments.push(comment.clone());
            json(201, comment)
        }
        "PATCH" if at.starts_with(ONE) => {
            let id: usize = at.trim_start_matches(ONE).parse().unwrap();
            let text = text();
            state.comments[id]["body"] = text.into();
            json(200, state.comments[id].clone())
        }
        _ => json(404, json!({ "message": "Not Found" })),
    }
}

/// A repository on GitHub, and the one that a runner checked out.
pub struct Repository {
    folder: TempDir,
}

impl Repository {
    /// A repository whose branch `main` has these files.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repository = Self { folder };
        fs::create_dir(repository.origin()).unwrap();
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.commit(files);
        repository
    }

    fn origin(&self) -> PathBuf {
        self.folder.path().join("origin")
    }

    /// Git in the repository on GitHub.
    pub fn git(&self, words: &[&str]) -> String {
        git(&self.origin(), words)
    }

    /// Writes files and commits all that is different. The commit.
    pub fn commit(&self, files: &[(&str, &str)]) -> String {
        for (name, text) in files {
            let path = self.origin().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message=a change"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// The last commit alone, as `actions/checkout` fetches it.
    pub fn check_out(&self) -> PathBuf {
        let workspace = self.folder.path().join("workspace");
        let _ = fs::remove_dir_all(&workspace);
        let origin = format!("file://{}", self.origin().display());
        git(
            self.folder.path(),
            &["clone", "--quiet", "--depth=1", "--no-tags", &origin, workspace.to_str().unwrap()],
        );
        workspace
    }
}

fn git(folder: &Path, words: &[&str]) -> String {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgSign=false"]);
    git.args(words).current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null");
    let output = git.output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// A command that the runner found in what a step printed.
#[derive(Debug, Eq, PartialEq)]
pub struct Order {
    /// Its name, such as `error`.
    pub name: String,
    /// What is between the name and the text, such as `file`.
    pub attributes: BTreeMap<String, String>,
    /// The text.
    pub text: String,
}

/// What a run of the action did.
pub struct Ran {
    /// The exit status of the first step that failed, or 0.
    pub status: i32,
    /// All that the steps printed.
    pub log: String,
    /// The commands in it.
    pub orders: Vec<Order>,
    /// The outputs of the action.
    pub outputs: BTreeMap<String, String>,
    /// The Markdown for the page of the run.
    pub summary: String,
    _temporary: TempDir,
}

impl Ran {
    /// The texts of the annotations of a level, each with its file and line.
    pub fn annotations(&self, level: &str) -> Vec<String> {
        let of_level = self.orders.iter().filter(|order| order.name == level);
        of_level
            .map(|order| {
                let attribute = |name: &str| order.attributes.get(name).map_or("", String::as_str);
                format!("{}:{}: {}", attribute("file"), attribute("line"), order.text)
            })
            .collect()
    }
}

/// Runs the steps of `action.yml` in a folder, with inputs, for an event.
pub fn run(workspace: &Path, server: &Server, event: &Value, inputs: &[(&str, &str)]) -> Ran {
    let program = authorizer();
    let given = [&[("authorizer", program.to_str().unwrap())], inputs].concat();
    run_with(workspace, server, event, &given)
}

/// The same, with the program that the inputs name.
pub fn run_with(workspace: &Path, server: &Server, event: &Value, inputs: &[(&str, &str)]) -> Ran {
    let action = yaml("action.yml");
    let temporary = tempfile::tempdir().unwrap();
    let file = |name: &str| temporary.path().join(name);
    fs::write(file("event.json"), event.to_string()).unwrap();
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for (name, input) in action["inputs"].as_object().unwrap() {
        let default = input["default"].as_str().unwrap();
        known.insert(format!("inputs.{name}"), default.replace("${{ github.token }}", "the-token"));
    }
    for (name, value) in inputs {
        let before = known.insert(format!("inputs.{name}"), (*value).to_owned());
        assert!(before.is_some(), "action.yml has no input `{name}`");
    }
    known.insert("github.action_repository".into(), "example/edge-authorizer".into());
    let (mut status, mut log) = (0, String::new());
    for step in action["runs"]["steps"].as_array().unwrap() {
        let outputs = file(&format!("{}.outputs", step["id"].as_str().unwrap()));
        let mut shell = Command::new(step["shell"].as_str().unwrap());
        shell.args(["-e", "-c", step["run"].as_str().unwrap()]).current_dir(workspace).stdin(Stdio::null());
        shell.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", temporary.path());
        shell.env("GITHUB_ACTION_PATH", root()).env("GITHUB_EVENT_PATH", file("event.json"));
        shell.env("GITHUB_API_URL", server.url()).env("GITHUB_SERVER_URL", server.url());
        shell.env("GITHUB_REPOSITORY", "example/files").env("RUNNER_TEMP", temporary.path());
        shell.env("GITHUB_REF", event["ref"].as_str().unwrap_or("refs/pull/7/merge"));
        let head = || git(workspace, &["rev-parse", "HEAD"]);
        shell.env("GITHUB_SHA", event["after"].as_str().map_or_else(head, str::to_owned));
        shell.env("GITHUB_OUTPUT", &outputs).env("GITHUB_STEP_SUMMARY", file("summary"));
        shell.env("PYTHONDONTWRITEBYTECODE", "1");
        for (name, value) in step["env"].as_object().unwrap() {
            shell.env(name, evaluated(value.as_str().unwrap(), &known));
        }
        let output = shell.output().unwrap();
        log.push_str(&String::from_utf8_lossy(&output.stdout));
        log.push_str(&String::from_utf8_lossy(&output.stderr));
        for (name, value) in set(&fs::read_to_string(&outputs).unwrap_or_default()) {
            known.insert(format!("steps.{}.outputs.{name}", step["id"].as_str().unwrap()), value);
        }
        status = output.status.code().unwrap();
        if status != 0 {
            break;
        }
    }
    let mut outputs = BTreeMap::new();
    for (name, output) in action["outputs"].as_object().unwrap() {
        outputs.insert(name.clone(), evaluated(output["value"].as_str().unwrap(), &known));
    }
    let summary = fs::read_to_string(file("summary")).unwrap_or_default();
    Ran { status, orders: orders(&log), log, outputs, summary, _temporary: temporary }
}

/// An expression of `action.yml`: names, and `||` between them.
fn evaluated(text: &str, known: &BTreeMap<String, String>) -> String {
    let inside = text.strip_prefix("${{ ").and_then(|rest| rest.strip_suffix(" }}"));
    let inside = inside.unwrap_or_else(|| panic!("{text}"));
    let values = inside.split(" || ").map(|name| {
        let is_output = name.starts_with("steps.") && name.contains(".outputs.");
        assert!(is_output || known.contains_key(name), "{name} is not known");
        known.get(name).cloned().unwrap_or_default()
    });
    values.into_iter().find(|value| !value.is_empty()).unwrap_or_default()
}

/// The values in a file of outputs, as the runner reads it: `NAME<<END`, lines, `END`.
fn set(text: &str) -> Vec<(String, String)> {
    let mut lines = text.lines();
    let mut values = Vec::new();
    while let Some(line) = lines.next() {
        let (name, end) = line.split_once("<<").unwrap_or_else(|| panic!("{text}"));
        let value: Vec<_> = lines.by_ref().take_while(|line| *line != end).collect();
        values.push((name.to_owned(), value.join("\n")));
    }
    values
}

/// The commands in what was printed, as the runner finds them: `::name a=b,c=d::text` at the beginning of a line, or
/// `##[name]` anywhere in one. After `stop-commands`, none until the line with its token.
fn orders(log: &str) -> Vec<Order> {
    let mut found = Vec::new();
    let mut stopped: Option<String> = None;
    for line in log.split(['\n', '\r']) {
        let line = line.trim_start();
        if let Some(token) = &stopped {
            if line == format!("::{token}::") {
                stopped = None;
            }
            continue;
        }
        let order = line.strip_prefix("::").and_then(|rest| rest.split_once("::"));
        let Some((head, text)) = order else {
            assert!(!line.contains("##["), "{line}");
            continue;
        };
        let (name, attributes) = head.split_once(' ').unwrap_or((head, ""));
        if name == "stop-commands" {
            stopped = Some(text.to_owned());
            continue;
        }
        let attributes = attributes.split(',').filter_map(|pair| pair.split_once('='));
        let attributes = attributes.map(|(name, value)| (name.to_owned(), unescaped(value)));
        found.push(Order { name: name.to_owned(), attributes: attributes.collect(), text: unescaped(text) });
    }
    assert!(stopped.is_none(), "commands are stopped at the end: {log}");
    found
}

fn unescaped(text: &str) -> String {
    let text = text.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",");
    text.replace("%25", "%")
}
