//! `ministack`, an emulator of AWS, and AWS's command line configured for it.
//!
//! It creates the resources of a CloudFormation template, verifies signatures, and serves a distribution as
//! CloudFront does: methods, protocol, and whether the bucket's policy allows the distribution to read. It does not
//! run Lambda@Edge functions, and does not cache. From a bucket behind a distribution it reads objects, but does not
//! list or write. It does not compare `CodeSha256`, does not support `AWS::Logs::Delivery`, and ignores a bucket's
//! encryption in a template. In a template's conditions it does not know `AWS::Region`.

use std::ffi::OsStr;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::served::Lines;
use crate::tools::installed;
use crate::viewer::{Answer, Viewer};

/// An emulator that runs until it is dropped.
#[derive(Debug)]
pub struct Ministack {
    child: Child,
    addr: SocketAddr,
    folder: TempDir,
    log: Lines,
}

impl Ministack {
    /// Starts it on a free port, if it and the command line could be installed.
    pub fn start() -> Option<Self> {
        Self::with("true")
    }

    /// The same without a look at signatures and at the roles behind them: those of the CDK's own set-up, which it assumes,
    /// are refused by the emulator.
    pub fn without_signatures() -> Option<Self> {
        Self::with("false")
    }

    fn with(auth: &str) -> Option<Self> {
        let (emulator, sdk) = (installed("ministack", "ministack")?, installed("sdk", "AWS's SDK")?);
        let folder = tempfile::tempdir().unwrap();
        // It does not print its port, so the port is chosen here.
        let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut python = Command::new(emulator.join("bin/python"));
        python.args(["-m", "hypercorn", "ministack.app:app", "--bind", &addr.to_string()]);
        // In one process: a worker would go on after its parent was ended.
        python.args(["--workers", "0"]);
        python.current_dir(folder.path()).env_clear().env("HOME", folder.path());
        python.env("GATEWAY_PORT", addr.port().to_string()).env("PATH", "/usr/bin:/bin");
        python.env("AUTH", auth);
        let mut child =
            python.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Lines::read(child.stderr.take().unwrap());
        log.wait_for("that it runs", |lines| {
            lines.iter().any(|line| line.contains("Running on")).then_some(())
        });
        TcpStream::connect(addr).unwrap();
        command_line(folder.path(), sdk);
        Some(Self { child, addr, folder, log })
    }

    /// A folder for the test's own files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A command with AWS's command line, configured for the emulator, as `aws` in its search path.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        configure(&mut command, self.folder.path());
        command.env("AWS_ENDPOINT_URL", format!("http://{}", self.addr)).stdin(Stdio::null());
        command
    }

    /// The output of `aws` as JSON; `Null` if it is empty.
    #[track_caller]
    pub fn aws(&self, arguments: &[&str]) -> Value {
        let output = self.try_aws(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}\n{}", self.log.text());
        if output.stdout.is_empty() { Value::Null } else { serde_json::from_slice(&output.stdout).unwrap() }
    }

    /// Runs `aws`.
    pub fn try_aws(&self, arguments: &[&str]) -> Output {
        self.command(self.folder.path().join("bin/aws")).args(arguments).output().unwrap()
    }

    /// The outputs of a stack, by name.
    #[track_caller]
    pub fn outputs(&self, stack: &str) -> impl Fn(&str) -> String + use<> {
        let described = self.aws(&["cloudformation", "describe-stacks", "--stack-name", stack]);
        let outputs = described["Stacks"][0]["Outputs"].as_array().unwrap().clone();
        move |name| {
            let output = outputs.iter().find(|output| output["OutputKey"] == name);
            output.unwrap_or_else(|| panic!("no output {name}: {outputs:?}"))["OutputValue"]
                .as_str()
                .unwrap()
                .to_owned()
        }
    }

    /// Sends a request as a viewer, to the host of a distribution, over HTTPS or HTTP.
    pub async fn ask(
        &self,
        host: &str,
        scheme: &str,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let ours = [("host", host), ("x-forwarded-proto", scheme)];
        let headers: Vec<_> = ours.iter().chain(headers).copied().collect();
        Viewer::of(self.addr).ask(method, target, &headers, body).await
    }
}

impl Drop for Ministack {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes `bin/aws`, version 1 of AWS's command line: version 2 is not in the package index.
pub fn command_line(folder: &Path, sdk: &Path) {
    let bin = folder.join("bin");
    fs::create_dir(&bin).unwrap();
    let aws: PathBuf = bin.join("aws");
    fs::write(&aws, format!("#!/bin/sh\nexec '{}' -m awscli \"$@\"\n", sdk.join("bin/python").display()))
        .unwrap();
    fs::set_permissions(&aws, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Puts the command line of a folder into a command's search path, and configures it.
pub fn configure(command: &mut Command, folder: &Path) {
    let path = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{path}", folder.join("bin").display()));
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/nonexistent"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"),
        ("NO_PROXY", "127.0.0.1"),
    ] {
        command.env(name, value);
    }
}
