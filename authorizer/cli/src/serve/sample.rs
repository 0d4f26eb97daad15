//! A ready policy, keys and tokens, to try the distribution with.

use std::fs;
use std::path::{Path, PathBuf};

use authorizer_core::token::SignatureAlgorithm;
use owo_colors::OwoColorize as _;
use serde_json::json;

use crate::devkey::{DevKey, DevKeyError};
use crate::output::{OutputError, line};
use crate::save::SaveError;
use crate::time::now_or;
use crate::token::{write_key_pair, write_private, write_public};

/// The policy of the sample: the same file that the tests and the documentation use.
const POLICY: &str = include_str!("../../../../fixtures/policies/sample.toml");

/// How long the tokens live, in seconds: a working day.
const LIFETIME: u64 = 12 * 60 * 60;

/// A folder with `policy.toml`, `keys/` and `tokens/`.
pub(super) struct Sample {
    folder: PathBuf,
}

impl Sample {
    /// Makes what is missing. The policy and the key are kept, so that they can be edited; tokens are new
    /// each time, because they expire.
    pub(super) fn prepare(folder: &Path) -> miette::Result<Self> {
        let folder = std::path::absolute(folder)
            .map_err(|source| SaveError::Unwritable { path: folder.to_owned(), source })?;
        let sample = Self { folder };
        let (keys, tokens) = (sample.folder.join("keys"), sample.folder.join("tokens"));
        for dir in [&keys, &tokens] {
            fs::create_dir_all(dir).map_err(|source| SaveError::Unwritable { path: dir.clone(), source })?;
        }
        let policy = sample.policy();
        if !policy.exists() {
            fs::write(&policy, POLICY).map_err(|source| SaveError::Unwritable { path: policy, source })?;
        }
        let (private, public) = (keys.join("sample.private.pem"), keys.join("sample.jwks.json"));
        if !private.exists() && !public.exists() {
            write_key_pair(&keys, "sample", SignatureAlgorithm::EdDsa)?;
        }
        if !private.exists() {
            let message = format!(
                "the private key of the sample is gone; remove `{}` too, and the next start makes both anew",
                public.display()
            );
            return Err(DevKeyError::Unusable { path: private, message }.into());
        }
        let key = DevKey::read(&private, None)?;
        if !public.exists() {
            write_public(&key, &public)?;
        }
        for (name, role) in [("alice", "user"), ("bob", "user"), ("admin", "admin")] {
            let now = now_or(None).as_seconds();
            let token = key.sign(
                "at+jwt",
                &json!({
                    "iss": "https://login.example.com/", "aud": "files-api", "sub": name, "scope": "files",
                    "role": role, "iat": now, "exp": now.saturating_add(LIFETIME),
                }),
            )?;
            // The form that curl reads with `-H @FILE`, which keeps the token out of the list of processes.
            let path = sample.token(name);
            write_private(&path, format!("Authorization: Bearer {token}\n").as_bytes())?;
        }
        Ok(sample)
    }

    pub(super) fn policy(&self) -> PathBuf {
        self.folder.join("policy.toml")
    }

    /// The key that signs its tokens.
    pub(super) fn private_key(&self) -> PathBuf {
        self.folder.join("keys/sample.private.pem")
    }

    fn token(&self, name: &str) -> PathBuf {
        self.folder.join("tokens").join(name)
    }

    /// Prints commands for a shell, each with its result. With HTTPS, curl must trust a file.
    pub(super) fn print(&self, base: &str, trusted: Option<&Path>) -> Result<(), OutputError> {
        let folder = quoted(&self.folder);
        let url = |key: &str| format!("{base}/{key}");
        let trust = trusted.map(|file| format!("--cacert {} ", quoted(file))).unwrap_or_default();
        let auth = |name: &str| format!("-H @{folder}/tokens/{name}");
        line("")?;
        line("Try, in another terminal:")?;
        for (what, command) in [
            (
                "200: alice uploads to her own folder",
                format!(
                    "curl -i -X PUT -d 'hello' -H 'Content-Type: text/plain' {} {}",
                    auth("alice"),
                    url("users/alice/hello.txt")
                ),
            ),
            (
                "200: alice downloads it",
                format!("curl -i {} {}", auth("alice"), url("users/alice/hello.txt")),
            ),
            (
                "200: alice lists her folder",
                format!("curl -i {} '{}'", auth("alice"), url("?list-type=2&prefix=users/alice/")),
            ),
            ("403: bob may not read it", format!("curl -i {} {}", auth("bob"), url("users/alice/hello.txt"))),
            ("401: nobody may read it without a token", format!("curl -i {}", url("users/alice/hello.txt"))),
            (
                "403: bob may not list her folder",
                format!("curl -i {} '{}'", auth("bob"), url("?list-type=2&prefix=users/alice/")),
            ),
            (
                "415: a picture must have the type of a picture",
                format!(
                    "curl -i -X PUT -d 'hello' -H 'Content-Type: text/plain' {} {}",
                    auth("alice"),
                    url("pictures/alice/me.png")
                ),
            ),
            (
                "200: the administrator publishes a file",
                format!("curl -i -X PUT -d 'for all' {} {}", auth("admin"), url("public/news.txt")),
            ),
            ("200: everyone may read it", format!("curl -i {}", url("public/news.txt"))),
            (
                "403: nobody may delete a record, not even the administrator",
                format!("curl -i -X DELETE {} {}", auth("admin"), url("records/2026.csv")),
            ),
            (
                "400: a path must not leave its folder",
                format!("curl -i --path-as-is {} '{}'", auth("alice"), url("users/alice/../bob/x")),
            ),
            (
                "405: POST is not allowed",
                format!("curl -i -X POST -d x {} {}", auth("alice"), url("users/alice/hello.txt")),
            ),
            (
                "204: alice deletes her file",
                format!("curl -i -X DELETE {} {}", auth("alice"), url("users/alice/hello.txt")),
            ),
        ] {
            line("")?;
            line(format_args!("  {}", format!("# {what}").dimmed()))?;
            line(format_args!("  {}", command.replacen("curl -i ", &format!("curl -i {trust}"), 1)))?;
        }
        line("")
    }
}

/// Quotes a path as one word for a shell.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
