//! `authorizer serve` as a child process.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use authorizer_local::EmbeddedS3;
use rusqlite::{Connection, OpenFlags};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::binaries::{authorizer, root};
use crate::viewer::Viewer;

/// The time limit for an expected event. It is long, because a machine may be busy.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// The lines that a process has written so far.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    shared: Arc<(Mutex<Written>, Condvar)>,
}

#[derive(Debug, Default)]
struct Written {
    lines: Vec<String>,
    ended: bool,
}

impl Lines {
    /// Reads a stream to its end in its own thread.
    pub fn read(from: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let writer = lines.clone();
        thread::spawn(move || {
            let mut from = BufReader::new(from);
            let mut bytes = Vec::new();
            while from.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
                let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
                writer.shared.0.lock().unwrap().lines.push(line);
                writer.shared.1.notify_all();
                bytes.clear();
            }
            writer.shared.0.lock().unwrap().ended = true;
            writer.shared.1.notify_all();
        });
        lines
    }

    /// The lines so far.
    pub fn all(&self) -> Vec<String> {
        self.shared.0.lock().unwrap().lines.clone()
    }

    /// The text so far.
    pub fn text(&self) -> String {
        self.all().join("\n")
    }

    /// Waits until the lines so far are enough.
    pub fn wait_for<T>(&self, what: &str, enough: impl FnMut(&[String]) -> Option<T>) -> T {
        self.find(enough).unwrap_or_else(|| panic!("{what} was not written, but:\n{}", self.text()))
    }

    /// Waits until the lines so far are enough; `None` if the stream ends before, or time is up.
    pub fn find<T>(&self, mut enough: impl FnMut(&[String]) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + DEADLINE;
        let mut written = self.shared.0.lock().unwrap();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match enough(&written.lines) {
                Some(found) => return Some(found),
                None if left.is_zero() || written.ended => return None,
                None => written = self.shared.1.wait_timeout(written, left).unwrap().0,
            }
        }
    }

    /// Waits until the stream has ended, and returns all of it.
    pub fn to_end(&self) -> Vec<String> {
        let mut written = self.shared.0.lock().unwrap();
        while !written.ended {
            let waited = self.shared.1.wait_timeout(written, DEADLINE).unwrap();
            assert!(!waited.1.timed_out(), "the stream did not end");
            written = waited.0;
        }
        written.lines.clone()
    }
}

/// A distribution that runs until it is dropped.
#[derive(Debug)]
pub struct Served {
    child: Child,
    folder: PathBuf,
    addr: SocketAddr,
    s3: SocketAddr,
    introduction: Vec<String>,
    stdout: Lines,
    stderr: Lines,
    /// The viewer.
    pub viewer: Viewer,
    _keep: Option<TempDir>,
}

impl Served {
    /// `authorizer serve --sample` with a new folder.
    pub fn sample() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut served = Self::sample_in(folder.path());
        served._keep = Some(folder);
        served
    }

    /// `authorizer serve --sample` with this folder.
    pub fn sample_in(folder: &Path) -> Self {
        Self::start(folder, [OsStr::new("--sample"), folder.as_os_str()])
    }

    /// `authorizer serve` with these arguments; `folder` contains `data` and `tokens`.
    pub fn start<'a>(folder: &Path, arguments: impl IntoIterator<Item = &'a OsStr>) -> Self {
        let mut child = serve(arguments, "127.0.0.1:0").spawn().unwrap();
        let stdout = Lines::read(child.stdout.take().unwrap());
        let stderr = Lines::read(child.stderr.take().unwrap());
        let last = |lines: &[String]| {
            let end = lines.iter().position(|line| line.contains("Ctrl-C stops"))?;
            Some(lines[..=end].to_vec())
        };
        let introduction = stdout.find(last);
        let introduction = introduction.unwrap_or_else(|| panic!("it did not start:\n{}", stderr.text()));
        let addr = port_of(&introduction[0]);
        let s3 = introduction.iter().find(|line| line.contains("the bucket itself is at")).unwrap();
        let s3 = address(s3, "is at ");
        let viewer = Viewer::of(addr);
        Self { child, folder: folder.to_owned(), addr, s3, introduction, stdout, stderr, viewer, _keep: None }
    }

    /// The address for viewers.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its URL, as it says it.
    pub fn base(&self) -> &str {
        self.introduction[0].split_whitespace().next().unwrap()
    }

    /// The bucket's address.
    pub fn s3_addr(&self) -> SocketAddr {
        self.s3
    }

    /// The URL of the console, with its secret.
    pub fn console(&self) -> &str {
        self.introduction.iter().find_map(|line| line.strip_prefix("Console: ")).unwrap()
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its output before the first request.
    pub fn introduction(&self) -> &[String] {
        &self.introduction
    }

    /// Its standard output.
    pub fn stdout(&self) -> &Lines {
        &self.stdout
    }

    /// Its standard error.
    pub fn stderr(&self) -> &Lines {
        &self.stderr
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The policy of the sample.
    pub fn policy(&self) -> PathBuf {
        self.folder.join("policy.toml")
    }

    /// The folder of the bucket.
    pub fn bucket(&self) -> PathBuf {
        self.folder.join("data/local-bucket")
    }

    /// The file of an object.
    pub fn file(&self, key: &str) -> PathBuf {
        let data = self.folder.join("data");
        EmbeddedS3::file(&data, "local-bucket", key).unwrap_or_else(|| data.join("no such object"))
    }

    /// The value of `Authorization` for one of the sample's users.
    pub fn bearer(&self, name: &str) -> String {
        let line = std::fs::read_to_string(self.folder.join("tokens").join(name)).unwrap();
        line.trim_end().strip_prefix("Authorization: ").unwrap().to_owned()
    }

    /// How many objects the bucket has, without older versions and what was deleted.
    pub fn objects(&self) -> usize {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let index = Connection::open_with_flags(self.bucket().join("index.sqlite"), flags).unwrap();
        let count: i64 = index.query_row("SELECT count(*) FROM objects", [], |row| row.get(0)).unwrap();
        usize::try_from(count).unwrap()
    }

    /// Everything below the data folder, but for what the index shares between its readers. It changes with any byte,
    /// name or size.
    pub fn everything(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        gather(&self.folder.join("data"), &mut found);
        found.sort();
        found
    }

    /// Sends Ctrl-C, and waits for the end.
    pub fn interrupt(mut self) -> (ExitStatus, Lines, Lines) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(pid, Signal::INT).unwrap();
        // Both streams end with the process.
        self.stdout.to_end();
        self.stderr.to_end();
        (self.child.wait().unwrap(), self.stdout.clone(), self.stderr.clone())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command, with its streams kept.
pub fn serve<'a>(arguments: impl IntoIterator<Item = &'a OsStr>, listen: &str) -> Command {
    let mut command = Command::new(authorizer());
    command.arg("serve").args(arguments).args(["--listen", listen]).current_dir(root());
    command.env("NO_COLOR", "1").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The address of a URL of this machine, which may name it.
fn port_of(line: &str) -> SocketAddr {
    let line = line.replace("//localhost:", "//127.0.0.1:");
    address(&line, "://")
}

fn address(line: &str, before: &str) -> SocketAddr {
    let (_, rest) = line.split_once(before).unwrap_or_else(|| panic!("no address in `{line}`"));
    rest.split_whitespace().next().unwrap().parse().unwrap_or_else(|error| panic!("{error}: `{line}`"))
}

fn gather(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("index.sqlite-shm") {
            continue;
        }
        if path.is_dir() {
            gather(&path, found);
            found.push((path, Vec::new()));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
}
