//! AWS's SDK for Python as a viewer, through `tests/tools/sdk/driver.py`, and AWS's command line.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::binaries::root;
use crate::served::Lines;
use crate::stage::Stage;
use crate::tools::installed;

/// The SDK's folder, if it could be installed.
pub fn folder() -> Option<&'static Path> {
    installed("sdk", "AWS's SDK")
}

/// The settings of the SDK.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Set {
    /// The scheme of the distribution's address.
    pub scheme: &'static str,
    /// The value of both of its settings for checksums.
    pub checksums: &'static str,
}

/// The SDK's defaults, over HTTPS.
pub const BY_DEFAULT: Set = Set { scheme: "https", checksums: "when_supported" };

/// The settings that docs/policy.md recommends.
pub const AS_ADVISED: Set = Set { scheme: "https", checksums: "when_required" };

/// The SDK's defaults, over plain HTTP.
pub const OVER_HTTP: Set = Set { scheme: "http", checksums: "when_supported" };

/// The SDK in its own process.
#[derive(Debug)]
pub struct Sdk {
    child: Child,
    stdin: ChildStdin,
    answers: Lines,
    asked: usize,
}

/// The result of a call.
#[derive(Clone, Debug)]
pub struct Called {
    answer: Value,
}

impl Called {
    /// The value that the SDK returned. Fails if it raised an error.
    #[track_caller]
    pub fn result(&self) -> &Value {
        assert!(self.answer["error"].is_null(), "{:#}", self.answer);
        &self.answer["result"]
    }

    /// The status of the answer for which the SDK raised an error. Fails if it did not.
    #[track_caller]
    pub fn refused(&self) -> u64 {
        self.answer["error"]["status"].as_u64().unwrap_or_else(|| panic!("{:#}", self.answer))
    }

    /// The requests that the SDK sent.
    pub fn sent(&self) -> Vec<Sent> {
        serde_json::from_value(self.answer["sent"].clone()).unwrap()
    }
}

/// A request as the SDK built it.
#[derive(Clone, Debug, Deserialize)]
pub struct Sent {
    /// The method.
    pub method: String,
    /// The path and the query.
    pub target: String,
    /// The names of the headers, in lower case and in order.
    pub headers: Vec<String>,
}

impl Sent {
    /// S3's own headers, and those for the form of the body.
    pub fn telling_headers(&self) -> Vec<&str> {
        let tell = |name: &&str| {
            name.starts_with("x-amz-") || ["content-encoding", "transfer-encoding", "if-match"].contains(name)
        };
        self.headers.iter().map(String::as_str).filter(tell).collect()
    }
}

impl Sdk {
    /// Starts it, if it could be installed.
    pub fn of(stage: &Stage) -> Option<Self> {
        let mut python = Command::new(folder()?.join("bin/python"));
        python.arg(root().join("tests/tools/sdk/driver.py")).arg(stage.url());
        alone(&mut python, stage).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Some(Self { child, stdin, answers: Lines::read(stdout), asked: 0 })
    }

    /// Makes a call, and waits for its result.
    pub fn call(&mut self, token: &str, set: Set, name: &str, args: Value) -> Called {
        let config = json!({
            "request_checksum_calculation": set.checksums,
            "response_checksum_validation": set.checksums,
        });
        let call = json!({
            "token": token, "scheme": set.scheme, "config": config, "call": name, "args": args,
        });
        writeln!(self.stdin, "{call}").unwrap();
        let answer = self.answers.wait_for(name, |lines| lines.get(self.asked).cloned());
        self.asked += 1;
        Called { answer: serde_json::from_str(&answer).unwrap() }
    }
}

impl Drop for Sdk {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Without the caller's configuration, proxy and credentials.
fn alone<'c>(command: &'c mut Command, stage: &Stage) -> &'c mut Command {
    let nowhere = stage.folder().join("nowhere");
    command.env_clear().env("HOME", &nowhere).env("AWS_EC2_METADATA_DISABLED", "true");
    if let Some(certificate) = stage.certificate() {
        command.env("AWS_CA_BUNDLE", certificate);
    }
    // Without this, Python would write its cache into the sources.
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONPATH", root().join("tests/tools/sdk"))
}

/// AWS's command line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CommandLine {
    /// Version 1, a package of Python.
    V1,
    /// Version 2, a program.
    V2,
}

impl CommandLine {
    /// Whether it could be installed. If not, the test says so and is skipped.
    pub fn is_installed(self) -> bool {
        match self {
            Self::V1 => folder().is_some(),
            Self::V2 => installed("aws-cli", "AWS's command line, version 2").is_some(),
        }
    }

    /// Runs it, configured as docs/policy.md says: whether it succeeded, and its output.
    pub fn run(self, stage: &Stage, token: &str, arguments: &[&str]) -> (bool, String) {
        let config = stage.folder().join("aws.config");
        let plugins = match self {
            Self::V1 => String::new(),
            Self::V2 => format!("cli_legacy_plugin_path = {}\n", root().join("tests/tools/sdk").display()),
        };
        std::fs::write(
            &config,
            format!(
                "[plugins]\n{plugins}bearer = bearer\n\
                 [default]\nregion = us-east-1\nrequest_checksum_calculation = when_required\n\
                 response_checksum_validation = when_required\ns3 =\n  addressing_style = virtual\n"
            ),
        )
        .unwrap();
        let mut command = match self {
            Self::V1 => {
                let mut python = Command::new(folder().unwrap().join("bin/python"));
                python.args(["-m", "awscli"]);
                python
            }
            Self::V2 => Command::new(installed("aws-cli", "AWS's command line").unwrap().join("dist/aws")),
        };
        command.args(["--no-sign-request", "--endpoint-url", "https://example.com"]).args(arguments);
        alone(&mut command, stage).env("AWS_CONFIG_FILE", config);
        let output = command.env("DISTRIBUTION", stage.url()).env("BEARER_TOKEN", token).output().unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (output.status.success(), text)
    }
}
