//! Chromium, driven by `tests/tools/browser/drive.mjs`.

use std::io::Write as _;
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binaries::root;
use crate::served::Lines;
use crate::tools::installed;

/// A browser with a profile of its own, and the servers of the pages that it is shown.
#[derive(Debug)]
pub struct Browser {
    child: Child,
    commands: Option<ChildStdin>,
    output: Lines,
    errors: Lines,
    /// How many lines of the output have been read.
    read: usize,
    origins: Value,
    _profile: TempDir,
}

/// What a page saw of the answer to a request that it sent, and what really was sent and answered.
#[derive(Clone, Debug)]
pub struct Seen(Value);

impl Browser {
    /// Starts it, if it could be installed on this machine. Where it could not, the test says so and is
    /// skipped; with `CI=true` it fails.
    pub fn start() -> Option<Self> {
        let tools = installed("browser", "the browser")?;
        let profile = tempfile::tempdir().unwrap();
        let mut node = Command::new(tools.join("node/bin/node"));
        node.arg(root().join("tests/tools/browser/drive.mjs")).arg(tools).arg(profile.path());
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

    /// Goes to a URL in a tab of its own, as one who types it; gives the URL and the status that it ends at.
    pub fn visit(&mut self, url: &str) -> (String, u64) {
        let end = self.command(json!({"action": "open", "tab": url, "url": url}));
        (end["url"].as_str().unwrap().to_owned(), end["status"].as_u64().unwrap())
    }

    /// Has the page in a tab show a URL in a frame.
    pub fn frame(&mut self, tab: &str, url: &str) {
        self.command(json!({"action": "frame", "tab": tab, "url": url}));
    }

    /// Has the page in a tab send a request: the arguments of `fetch`, with its `url`.
    pub fn send(&mut self, tab: &str, request: Value) -> Seen {
        Seen(self.command(json!({"action": "send", "tab": tab, "request": request})))
    }

    /// Gives the browser a cookie.
    pub fn cookie(&mut self, url: &str, name: &str, value: &str) {
        self.command(json!({"action": "cookie", "url": url, "name": name, "value": value}));
    }

    /// The paths, with queries, that the page to sign in at was asked for.
    pub fn arrivals(&mut self) -> Vec<String> {
        let arrivals = self.command(json!({"action": "arrivals"}));
        serde_json::from_value(arrivals).unwrap()
    }

    /// What the browser's console complained of so far, each with the URL that it was about.
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
        let line = line.unwrap_or_else(|| panic!("the driver says nothing:\n{}", self.errors.text()));
        self.read += 1;
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It closes the browser when there is no more to do. If it cannot, the browser ends with its pipe.
        self.commands = None;
        self.output.find(|_| None::<()>);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Seen {
    /// The status that the page could read; none where `fetch` failed.
    pub fn status(&self) -> Option<u64> {
        self.0["status"].as_u64()
    }

    /// The body that the page could read.
    pub fn text(&self) -> &str {
        self.0["text"].as_str().unwrap_or_default()
    }

    /// How many bytes of a body the page could read, and their SHA-256 in hexadecimal digits.
    pub fn content(&self) -> (u64, &str) {
        (self.0["length"].as_u64().unwrap(), self.0["sha256"].as_str().unwrap())
    }

    /// A response header that the page could read.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0["headers"][name].as_str()
    }

    /// A response header as it came, whether the page could read it or not.
    pub fn answered_header(&self, name: &str) -> Option<&str> {
        self.0["answered"]["headers"][name].as_str()
    }

    /// A request header as it was sent; none where it was not, and a panic where nothing was.
    pub fn asked_header(&self, name: &str) -> Option<&str> {
        let asked = self.0["asked"].as_object().unwrap_or_else(|| panic!("nothing was sent: {self:?}"));
        asked.get(name).and_then(Value::as_str)
    }

    /// Why `fetch` failed, if it did: all that a page learns of what it may not read.
    pub fn failure(&self) -> Option<&str> {
        self.0["failed"].as_str()
    }

    /// What kind of answer the page has: `cors`, or `opaque` where it may know nothing of it.
    pub fn kind(&self) -> &str {
        self.0["type"].as_str().unwrap_or_default()
    }
}
