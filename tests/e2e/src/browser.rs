//! Chromium, driven by `tests/tools/browser/drive.mjs`.

use std::io::Write as _;
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binaries::root;
use crate::served::Lines;
use crate::tools::installed;

/// A browser with its own profile, and the servers of its pages.
#[derive(Debug)]
pub struct Browser {
    child: Child,
    commands: Option<ChildStdin>,
    output: Lines,
    errors: Lines,
    /// The number of output lines that have been read.
    read: usize,
    origins: Value,
    _profile: TempDir,
}

/// The answer to a request of a page: what the page could read, and what was really sent and answered.
#[derive(Clone, Debug)]
pub struct Seen(Value);

impl Browser {
    /// Starts it, if it could be installed on this machine. Otherwise the test says so and is skipped; with `CI=true`
    /// it fails.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// The same, with these switches of Chromium.
    pub fn start_with(switches: &[String]) -> Option<Self> {
        let tools = installed("browser", "the browser")?;
        let profile = tempfile::tempdir().unwrap();
        let mut node = Command::new(tools.join("node/bin/node"));
        node.arg(root().join("tests/tools/browser/drive.mjs")).arg(tools).arg(profile.path()).args(switches);
        node.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = node.spawn().unwrap();
        let mut browser = Self {
            commands: child.stdin.take(),
            output: Lines::read(child.stdout.take().unwrap()),
            errors: Lines::read(child.stderr.take().unwrap()),
            child,
            read: 0,
            origins: Value::Null,
            _profile: profile,
        };
        browser.origins = browser.next_line();
        Some(browser)
    }

    /// The origin of one of the pages: `app`, `sibling`, `stranger` or `login`.
    pub fn origin(&self, of: &str) -> String {
        self.origins[of].as_str().unwrap().to_owned()
    }

    /// Opens the page of an origin in a tab of the same name.
    pub fn open(&mut self, page: &str) {
        let url = self.origin(page);
        self.command(json!({"action": "open", "tab": page, "url": url}));
    }

    /// Opens a URL in its own tab, as if typed; returns the final URL and status.
    pub fn visit(&mut self, url: &str) -> (String, u64) {
        let end = self.command(json!({"action": "open", "tab": url, "url": url}));
        (end["url"].as_str().unwrap().to_owned(), end["status"].as_u64().unwrap())
    }

    /// Makes the page in a tab show a URL in a frame.
    pub fn frame(&mut self, tab: &str, url: &str) {
        self.command(json!({"action": "frame", "tab": tab, "url": url}));
    }

    /// Makes the page in a tab send a request: the arguments of `fetch`, with its `url`.
    pub fn send(&mut self, tab: &str, request: Value) -> Seen {
        Seen(self.command(json!({"action": "send", "tab": tab, "request": request})))
    }

    /// Sets a cookie in the browser.
    pub fn cookie(&mut self, url: &str, name: &str, value: &str) {
        self.command(json!({"action": "cookie", "url": url, "name": name, "value": value}));
    }

    /// Sets a cookie for one path of the URL's host.
    pub fn cookie_at(&mut self, url: &str, path: &str, name: &str, value: &str) {
        self.command(json!({"action": "cookie", "url": url, "path": path, "name": name, "value": value}));
    }

    /// The cookies of the URL's host, each as `NAME PATH`.
    pub fn cookies(&mut self, url: &str) -> Vec<String> {
        serde_json::from_value(self.command(json!({"action": "cookies", "url": url}))).unwrap()
    }

    /// The paths, with queries, of the requests for the sign-in page.
    pub fn arrivals(&mut self) -> Vec<String> {
        let arrivals = self.command(json!({"action": "arrivals"}));
        serde_json::from_value(arrivals).unwrap()
    }

    /// The complaints in the browser's console so far, each with its URL.
    pub fn complaints(&mut self) -> Vec<String> {
        let complaints = self.command(json!({"action": "complaints"}));
        let one = |complaint: &Value| format!("{}: {}", complaint["url"], complaint["text"]);
        complaints.as_array().unwrap().iter().map(one).collect()
    }

    pub(crate) fn command(&mut self, what: Value) -> Value {
        writeln!(self.commands.as_mut().unwrap(), "{what}").unwrap();
        let answer = self.next_line();
        match answer.get("seen") {
            Some(seen) => seen.clone(),
            None => panic!("{what}: {}", answer["error"].as_str().unwrap_or_default()),
        }
    }

    fn next_line(&mut self) -> Value {
        let line = self.output.find(|lines| lines.get(self.read).cloned());
        let line = line.unwrap_or_else(|| panic!("the driver does not answer:\n{}", self.errors.text()));
        self.read += 1;
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It closes the browser when its input ends. If it cannot, the browser ends with its pipe.
        self.commands = None;
        self.output.find(|_| None::<()>);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Seen {
    /// The status that the page could read; `None` if `fetch` failed.
    pub fn status(&self) -> Option<u64> {
        self.0["status"].as_u64()
    }

    /// The body that the page could read.
    pub fn text(&self) -> &str {
        self.0["text"].as_str().unwrap_or_default()
    }

    /// The number of bytes of the body that the page could read, and their SHA-256 in hexadecimal digits.
    pub fn content(&self) -> (u64, &str) {
        (self.0["length"].as_u64().unwrap(), self.0["sha256"].as_str().unwrap())
    }

    /// A response header that the page could read.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0["headers"][name].as_str()
    }

    /// A response header as received, whether the page could read it or not.
    pub fn answered_header(&self, name: &str) -> Option<&str> {
        self.0["answered"]["headers"][name].as_str()
    }

    /// A request header as sent; `None` if it was not sent, and a panic if no request was.
    pub fn asked_header(&self, name: &str) -> Option<&str> {
        let asked = self.0["asked"].as_object().unwrap_or_else(|| panic!("nothing was sent: {self:?}"));
        asked.get(name).and_then(Value::as_str)
    }

    /// Why `fetch` failed, if it did: all that a page learns about an answer that it may not read.
    pub fn failure(&self) -> Option<&str> {
        self.0["failed"].as_str()
    }

    /// The type of the page's answer: `cors`, or `opaque` if the page may not read anything.
    pub fn kind(&self) -> &str {
        self.0["type"].as_str().unwrap_or_default()
    }
}
