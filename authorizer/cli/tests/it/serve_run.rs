//! `authorizer serve` from its start to its end: one server for each folder, requests that are finished, nothing that is
//! left, and constant memory.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::harness::{Done, PROGRAM, command_in};

/// Speaks the Runtime API. It lets every request through, and writes the id of its process into a file.
const BOOTSTRAP: &str = r##"#!/usr/bin/env python3
import json, os, time, urllib.request
open("../pid-%d" % os.getpid(), "w").close()
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as event:
        request_id = event.headers["Lambda-Runtime-Aws-Request-Id"]
        request = json.load(event)["Records"][0]["cf"]["request"]
    if request["uri"] == "/slow":
        open("../slow", "w").close()
        while not os.path.exists("../go"): time.sleep(0.01)
    urllib.request.urlopen(urllib.request.Request(api + request_id + "/response", json.dumps(request).encode(), method="POST")).read()
"##;

/// How long a test waits for what has to come.
const DEADLINE: Duration = Duration::from_secs(60);

/// A server that runs, with its own folder for temporary files.
struct Serve {
    child: Child,
    started: Value,
    stdout: BufReader<ChildStdout>,
}

impl Serve {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::start_by(Command::new(PROGRAM), folder, arguments)
    }

    /// The same, by a command that takes the arguments of the program.
    fn start_by(mut command: Command, folder: &Path, arguments: &[&str]) -> Self {
        let temporary = folder.join("tmp");
        fs::create_dir_all(&temporary).unwrap();
        command.arg("serve").args(arguments).args(["--listen", "127.0.0.1:0", "--format", "json"]);
        command.current_dir(folder).env("NO_COLOR", "1").env("TMPDIR", &temporary);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let started = serde_json::from_str(&line).unwrap_or_else(|_| {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("it did not start: {line}{said}")
        });
        Self { child, started, stdout }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.started["addr"].as_str().unwrap()).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.child.id().try_into().unwrap()).unwrap(), signal).unwrap();
    }

    /// The exit status, and what it wrote on standard error.
    fn end(mut self) -> (Option<i32>, String) {
        let (mut out, mut err) = (String::new(), String::new());
        self.stdout.read_to_string(&mut out).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        (self.child.wait().unwrap().code(), err)
    }

    /// The most memory that it has had, in megabytes.
    fn peak(&self) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.split_ascii_whitespace().next().unwrap().parse::<u64>().unwrap() / 1024
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn bearer(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join("sample/tokens").join(name)).unwrap().trim_end().to_owned()
}

fn package() -> (TempDir, PathBuf) {
    package_of(BOOTSTRAP)
}

/// A folder with a package of this bootstrap.
fn package_of(bootstrap: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("function.zip");
    let mut zip = ZipWriter::new(File::create(&path).unwrap());
    zip.start_file("bootstrap", SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
    zip.write_all(bootstrap.as_bytes()).unwrap();
    zip.finish().unwrap();
    (folder, path)
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < DEADLINE, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

/// The ids of the processes of the function.
fn function_pids(temporary: &Path) -> Vec<u32> {
    let folders = fs::read_dir(temporary).unwrap().map(|entry| entry.unwrap().path());
    let ids = folders.flat_map(|folder| names(&folder));
    ids.filter_map(|name| name.strip_prefix("pid-")?.parse().ok()).collect()
}

#[cfg(target_os = "linux")]
fn runs(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

#[test]
fn a_second_server_on_the_same_folder_is_told_which_process_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let first = Serve::start(folder.path(), &["--sample", "sample"]);
    let again = ["serve", "--sample", "sample", "--listen", "127.0.0.1:0"];
    let done = Done::of(&mut command_in(folder.path(), &again));
    let said = done.err.replace(['│', '\n'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!((done.code, done.out.as_str()), (2, ""), "{said}");
    let url = first.started["url"].as_str().unwrap();
    for words in [&format!("process {}", first.child.id()), url, "sample/data", "--data DIR"] {
        assert!(said.contains(words), "`{words}` is not in: {said}");
    }
    // Another folder is another matter.
    drop(Serve::start(folder.path(), &["--sample", "sample", "--data", "other"]));
    // A server that was killed has the folder no more, and one that ends leaves no lock.
    drop(first);
    let second = Serve::start(folder.path(), &["--sample", "sample"]);
    second.signal(Signal::INT);
    assert_eq!(second.end().0, Some(0));
    assert!(!names(&folder.path().join("sample/data")).contains(&"serve.lock".to_owned()));
}

#[test]
fn ctrl_c_finishes_an_upload_and_a_second_one_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    for is_finished in [true, false] {
        let serve = Serve::start(folder.path(), &["--sample", "sample"]);
        let mut viewer = serve.connect();
        // A connection that waits for nothing does not keep the server.
        let _idle = serve.connect();
        let token = bearer(folder.path(), "alice");
        let head = format!(
            "PUT /users/alice/a HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\n{token}\r\nContent-Length: 4\r\n\
             Expect: 100-continue\r\n\r\n"
        );
        viewer.write_all(head.as_bytes()).unwrap();
        let mut first = [0; 12];
        viewer.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 100");
        viewer.write_all(b"wh").unwrap();
        serve.signal(Signal::INT);
        let began = Instant::now();
        // New connections are refused once it stops.
        until("it stops", || TcpStream::connect(serve.started["addr"].as_str().unwrap()).is_err());
        if is_finished {
            viewer.write_all(b"at").unwrap();
            let mut answer = String::new();
            viewer.read_to_string(&mut answer).unwrap();
            assert!(answer.contains("HTTP/1.1 200"), "{answer}");
        } else {
            std::thread::sleep(Duration::from_millis(500));
            serve.signal(Signal::INT);
        }
        let (code, said) = serve.end();
        assert_eq!(code, Some(0), "{said}");
        assert!(is_finished || said.contains("Ctrl-C again") && said.contains("cut off"), "{said}");
        assert!(began.elapsed() < Duration::from_secs(25), "it does not wait for its limit");
    }
    let left = names(&folder.path().join("tmp"));
    assert!(left.is_empty(), "{left:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_left_of_a_package_when_its_server_ends_or_is_killed() {
    let (folder, zip) = package();
    let temporary = folder.path().join("tmp");
    let arguments = ["--function", zip.to_str().unwrap(), "--data", "data"];
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::KILL] {
        let serve = Serve::start(folder.path(), &arguments);
        let mut viewer = serve.connect();
        viewer.write_all(b"GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        viewer.read_to_string(&mut answer).unwrap();
        // S3's own answer: the package has no policy that lists.
        assert!(
            answer.starts_with("HTTP/1.1 403") && answer.contains("<Code>AccessDenied</Code>"),
            "{answer}"
        );
        let pids: Vec<_> = function_pids(&temporary).into_iter().filter(|pid| runs(*pid)).collect();
        assert_eq!(pids.len(), 1, "{signal:?}");
        serve.signal(signal);
        let (code, said) = serve.end();
        assert_eq!(code, (signal != Signal::KILL).then_some(0), "{said}");
        until("the function has ended", || !pids.iter().any(|pid| runs(*pid)));
        // A killed process cannot remove its files: the next start does.
        assert_eq!(names(&temporary).len(), usize::from(signal == Signal::KILL), "{signal:?}");
    }
    let serve = Serve::start(folder.path(), &arguments);
    assert_eq!(names(&temporary).len(), 1);
    serve.signal(Signal::INT);
    assert_eq!(serve.end().0, Some(0));
    assert_eq!(names(&temporary).len(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_ends_a_start_that_hangs_too() {
    let (folder, zip) = package_of("#!/bin/sh\ntouch ../pid-$$\nsleep 600\n");
    let temporary = folder.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--function", zip.to_str().unwrap(), "--data", "data", "--listen", "127.0.0.1:0"]);
    command.current_dir(folder.path()).env("TMPDIR", &temporary).stdout(Stdio::null()).stderr(Stdio::null());
    let mut serve = command.spawn().unwrap();
    until("the function starts", || !function_pids(&temporary).is_empty());
    let pids = function_pids(&temporary);
    let began = Instant::now();
    kill_process(Pid::from_raw(serve.id().try_into().unwrap()).unwrap(), Signal::INT).unwrap();
    assert_eq!(serve.wait().unwrap().code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(8), "it does not wait for the function");
    until("the function has ended", || !pids.iter().any(|pid| runs(*pid)));
    assert_eq!((names(&temporary).len(), folder.path().join("data/serve.lock").exists()), (0, false));
}

#[cfg(target_os = "linux")]
#[test]
fn a_request_of_a_package_says_what_it_used_and_one_too_many_is_throttled() {
    let (folder, zip) = package();
    let arguments = ["--package", zip.to_str().unwrap(), "--data", "data", "--concurrency", "1"];
    let mut serve = Serve::start(folder.path(), &arguments);
    let ask = |path: &str| {
        let mut viewer = serve.connect();
        write!(viewer, "GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
        viewer
    };
    let mut slow = ask("/slow");
    let temporary = folder.path().join("tmp");
    let package = || fs::read_dir(&temporary).unwrap().next().unwrap().unwrap().path();
    until("it runs", || package().join("slow").exists());
    let mut answer = String::new();
    ask("/other").read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    fs::write(package().join("go"), "").unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    // S3's own answer: the package has no policy that lists.
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("<Code>AccessDenied</Code>"), "{answer}");
    serve.signal(Signal::INT);
    let lines: Vec<Value> =
        (&mut serve.stdout).lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    let slow = lines.iter().find(|line| line["path"] == "/slow").unwrap();
    assert!(slow["usage"]["cold_start_micros"].as_u64().unwrap() > 0, "{slow}");
    assert!(slow["usage"]["memory_bytes"].as_u64().unwrap() > 1 << 20, "{slow}");
    let micros = |name: &str| slow["usage"][name].as_u64().unwrap();
    assert!(micros("cpu_micros") > 0 && micros("cpu_micros") <= micros("micros"), "{slow}");
    let throttled = lines.iter().find(|line| line["status"] == 503).unwrap();
    assert!(throttled["problem"].as_str().unwrap().contains("--concurrency"), "{throttled}");
    assert!(throttled["usage"].is_null());
}

/// A disk that takes no more bytes, as the operating system tells it of a file that is too long.
#[cfg(target_os = "linux")]
#[test]
fn an_upload_that_the_disk_does_not_take_is_an_error_and_changes_nothing() {
    const LONG: usize = 8 << 20;
    let folder = tempfile::tempdir().unwrap();
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ && ulimit -f 2048 && exec \"$0\" \"$@\"", PROGRAM]);
    let serve = Serve::start_by(limited, folder.path(), &["--sample", "sample"]);
    let token = bearer(folder.path(), "alice");
    let ask = |method: &str, path: &str, body: &[u8]| {
        let mut viewer = serve.connect();
        let length = body.len();
        write!(
            viewer,
            "{method} {path} HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\n{token}\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        viewer.write_all(body).unwrap();
        let mut answer = String::new();
        viewer.read_to_string(&mut answer).unwrap();
        answer
    };
    let path = "/users/alice/a";
    assert!(ask("PUT", path, b"first").starts_with("HTTP/1.1 200"));
    let bucket = folder.path().join("sample/data/local-bucket");
    for path in [path, "/users/alice/new"] {
        let answer = ask("PUT", path, &vec![7; LONG]);
        assert!(
            answer.starts_with("HTTP/1.1 500") && answer.contains("<Code>InternalError</Code>"),
            "{answer}"
        );
        // The bucket removes the file of an upload after its answer.
        until("the file is removed", || names(&bucket.join("incoming")).is_empty());
    }
    assert!(ask("GET", path, b"").ends_with("\r\n\r\nfirst"));
    assert!(ask("GET", "/users/alice/new", b"").starts_with("HTTP/1.1 404"));
    assert!(ask("PUT", path, b"second").starts_with("HTTP/1.1 200"));
    assert!(ask("GET", path, b"").ends_with("\r\n\r\nsecond"));
    serve.signal(Signal::INT);
    assert_eq!(serve.end().0, Some(0));
}

/// 256 MiB go up and come back, over one connection each. A reader that is slow, and a server that held a body, would show.
#[cfg(target_os = "linux")]
#[test]
fn large_objects_take_constant_memory_both_ways() {
    const SIZE: usize = 256 << 20;
    let folder = tempfile::tempdir().unwrap();
    let serve = Serve::start(folder.path(), &["--sample", "sample"]);
    let token = bearer(folder.path(), "alice");
    let chunk = vec![7; 1 << 20];
    let put = |size: usize| {
        let mut viewer = serve.connect();
        write!(
            viewer,
            "PUT /users/alice/large HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\n{token}\r\n\
             Content-Length: {size}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut left = size;
        while left > 0 {
            let some = left.min(chunk.len());
            viewer.write_all(&chunk[..some]).unwrap();
            left -= some;
        }
        let mut answer = String::new();
        viewer.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    };
    let get = || {
        let mut viewer = serve.connect();
        write!(viewer, "GET /users/alice/large HTTP/1.1\r\nHost: h\r\n{token}\r\nConnection: close\r\n\r\n")
            .unwrap();
        // What is not read has to wait at its source.
        std::thread::sleep(Duration::from_millis(300));
        let (mut buffer, mut read) = (vec![0; 1 << 20], 0);
        loop {
            match viewer.read(&mut buffer).unwrap() {
                0 => return read,
                some => read += some,
            }
        }
    };
    put(1 << 20);
    get();
    let before = serve.peak();
    put(SIZE);
    let after_upload = serve.peak();
    assert!(get() > SIZE);
    let after = serve.peak();
    assert!(
        after < before + 48,
        "{before} MB, {after_upload} MB after the upload, {after} MB after the download"
    );
}
