//! Other people's identity providers, which `tests/tools/providers/install` installs: each in its own process on a
//! loopback address.

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

/// The description that a provider prints when it has started.
#[derive(Clone, Debug, Deserialize)]
pub struct Introduction {
    /// `iss` of its tokens.
    pub issuer: String,
    /// Its address: its metadata is below it.
    pub address: String,
    /// The URL of its keys.
    pub jwks_uri: String,
    /// Its only client.
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
        // Without the caller's proxy, credentials and configuration.
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

    /// Sends a command, and waits for the answer.
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

/// `moto`'s Amazon Cognito. Its tokens name an issuer at AWS, not its own address.
#[derive(Debug)]
pub struct Cognito(Provider);

/// The result of a sign-in.
#[derive(Clone, Debug, Deserialize)]
pub struct SignedIn {
    /// The access token, for the API.
    pub access_token: String,
    /// The ID token, for the application.
    pub id_token: String,
    /// The user's `sub`.
    pub sub: String,
}

impl Cognito {
    /// Starts it, where it could be installed.
    pub fn start() -> Option<Self> {
        let mut python = Command::new(folder()?.join("bin/python"));
        Some(Self(Provider::start(python.arg(root().join("tests/tools/providers/cognito.py")))))
    }

    /// Its description.
    pub fn introduction(&self) -> &Introduction {
        &self.0.introduction
    }

    /// Creates a user, and signs in with a password.
    pub fn sign_in(&mut self, user: &str) -> SignedIn {
        serde_json::from_value(self.0.ask(&json!({ "user": user }))).unwrap()
    }
}

/// npm `oidc-provider`, with access tokens as in RFC 9068.
#[derive(Debug)]
pub struct OpenId(Provider);

/// What happens to the old keys in a rotation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Before {
    /// They stay published, beside the new one.
    Kept,
    /// They are removed.
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

    /// Its description.
    pub fn introduction(&self) -> &Introduction {
        &self.0.introduction
    }

    /// An access token for the client itself.
    pub fn token(&mut self, resource: &str, scope: &str) -> String {
        let answer = self.0.ask(&json!({"token": {"resource": resource, "scope": scope}}));
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Rotates to a new signing key; returns its id.
    pub fn rotate(&mut self, before: Before) -> String {
        let answer = self.0.ask(&json!({"rotate": {"keep": before == Before::Kept}}));
        answer["signs_with"].as_str().unwrap().to_owned()
    }
}

/// npm `oidc-provider` with its own pages, where people sign in for a distribution.
#[derive(Debug)]
pub struct People(Provider);

impl People {
    /// Starts it for a distribution with this origin, where it could be installed.
    pub fn start(origin: &str) -> Option<Self> {
        let folder = folder()?;
        let mut node = Command::new(root().join(".tools/runtimes/node/bin/node"));
        node.arg(root().join("tests/tools/providers/people.mjs"))
            .arg(folder.join("node_modules"))
            .arg(origin);
        Some(Self(Provider::start(&mut node)))
    }

    /// Its description.
    pub fn introduction(&self) -> &Introduction {
        &self.0.introduction
    }

    /// How long an access token lives that it issues from now on.
    pub fn access_tokens_live(&mut self, seconds: u64) {
        self.0.ask(&json!({ "access_token_seconds": seconds }));
    }

    /// Whether its token endpoint and its keys cannot be reached from now on.
    pub fn is_away(&mut self, is_away: bool) {
        self.0.ask(&json!({ "is_away": is_away }));
    }

    /// The audience of the access tokens from now on, whatever is asked for.
    pub fn access_tokens_are_for(&mut self, audience: &str) {
        self.0.ask(&json!({ "audience": audience }));
    }

    /// The requests for tokens so far, each as its grant and the status of the answer.
    pub fn exchanges(&mut self) -> Vec<String> {
        serde_json::from_value(self.0.ask(&json!({}))["exchanges"].take()).unwrap()
    }
}
