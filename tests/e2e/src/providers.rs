//! Identity providers that nobody here wrote, which `tests/tools/providers/install` brings: each in a process of its
//! own on a loopback address.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::binaries::root;
use crate::served::Lines;
use crate::tools::installed;

/// The providers' folder, if they could be installed.
pub fn folder() -> Option<&'static Path> {
    installed("providers", "the identity providers")
}

/// What a provider says of itself when it has started.
#[derive(Clone, Debug, Deserialize)]
pub struct Introduction {
    /// `iss` of its tokens.
    pub issuer: String,
    /// Where it is reached: below this its metadata is found.
    pub address: String,
    /// Where its keys are.
    pub jwks_uri: String,
    /// Its one client.
    pub client_id: String,
}

/// A provider that runs until it is dropped.
#[derive(Debug)]
struct Provider {
    child: Child,
    stdin: ChildStdin,
    answers: Lines,
    errors: Lines,
    asked: usize,
    introduction: Introduction,
}

impl Provider {
    fn start(command: &mut Command) -> Self {
        // No proxy, no credentials and no configuration of the caller's.
        command.env_clear().env("PYTHONDONTWRITEBYTECODE", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (answers, errors) = (Lines::read(stdout), Lines::read(child.stderr.take().unwrap()));
        let first = answers.find(|lines| lines.first().cloned());
        let first = first.unwrap_or_else(|| panic!("the provider did not start:\n{}", errors.text()));
        let introduction = serde_json::from_str(&first).unwrap();
        Self { child, stdin, answers, errors, asked: 1, introduction }
    }

    /// Asks for something, and waits for what comes of it.
    fn ask(&mut self, what: &Value) -> Value {
        writeln!(self.stdin, "{what}").unwrap();
        let answer = self.answers.find(|lines| lines.get(self.asked).cloned());
        let answer = answer.unwrap_or_else(|| panic!("{what} failed:\n{}", self.errors.text()));
        self.asked += 1;
        serde_json::from_str(&answer).unwrap()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Amazon Cognito as `moto` has it. Its tokens name an issuer at AWS, not the address where it runs.
#[derive(Debug)]
pub struct Cognito(Provider);

/// What a sign-in gives.
#[derive(Clone, Debug, Deserialize)]
pub struct SignedIn {
    /// For the API.
    pub access_token: String,
    /// For the application.
    pub id_token: String,
    /// Who it is.
    pub sub: String,
}

impl Cognito {
    /// Starts it, where it could be installed.
    pub fn start() -> Option<Self> {
        let mut python = Command::new(folder()?.join("bin/python"));
        Some(Self(Provider::start(python.arg(root().join("tests/tools/providers/cognito.py")))))
    }

    /// What it says of itself.
    pub fn introduction(&self) -> &Introduction {
        &self.0.introduction
    }

    /// Makes a user, who signs in with a password.
    pub fn sign_in(&mut self, user: &str) -> SignedIn {
        serde_json::from_value(self.0.ask(&json!({ "user": user }))).unwrap()
    }
}

/// npm `oidc-provider`, whose access tokens are those of RFC 9068.
#[derive(Debug)]
pub struct OpenId(Provider);

/// What becomes of the keys that were published before a rotation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Before {
    /// They stay, beside the new one.
    Kept,
    /// They are gone.
    Dropped,
}

impl OpenId {
    /// Starts it, where it could be installed.
    pub fn start() -> Option<Self> {
        let folder = folder()?;
        let mut node = Command::new(root().join(".tools/runtimes/node/bin/node"));
        node.arg(root().join("tests/tools/providers/openid.mjs")).arg(folder.join("node_modules"));
        Some(Self(Provider::start(&mut node)))
    }

    /// What it says of itself.
    pub fn introduction(&self) -> &Introduction {
        &self.0.introduction
    }

    /// An access token that the client got for itself.
    pub fn token(&mut self, resource: &str, scope: &str) -> String {
        let answer = self.0.ask(&json!({"token": {"resource": resource, "scope": scope}}));
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Signs with a new key from now on; gives its id.
    pub fn rotate(&mut self, before: Before) -> String {
        let answer = self.0.ask(&json!({"rotate": {"keep": before == Before::Kept}}));
        answer["signs_with"].as_str().unwrap().to_owned()
    }
}
