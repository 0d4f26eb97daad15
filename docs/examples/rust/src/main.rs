//! Uploads, downloads and deletes an object through the distribution:
//!
//! ```sh
//! FILES_URL=https://files.example.com FILES_TOKEN=... files-client upload photo.jpg users/alice/photo.jpg image/jpeg
//! ... files-client download users/alice/photo.jpg copy.jpg
//! ... files-client delete users/alice/photo.jpg
//! ```

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, io};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::StatusCode;
use reqwest::blocking::{Client, Response};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use serde::Deserialize;
use thiserror::Error;

/// The characters that a path does not encode (RFC 3986 section 2.3), and the slashes between segments.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Why a command failed.
#[derive(Debug, Error)]
enum Error {
    #[error("{status} {title}: {detail}")]
    Refused { status: u16, title: String, detail: String },
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("the answer ended too early: {0}")]
    Broken(#[source] io::Error),
}

/// A problem document (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    title: String,
    detail: String,
}

/// A client of the distribution, with a token.
struct Files {
    client: Client,
    url: String,
    token: String,
}

impl Files {
    fn new(url: String, token: String) -> Result<Self, Error> {
        // A redirect is not an answer for a program. And an upload can take any time.
        let client = Client::builder().redirect(Policy::none()).timeout(None).build()?;
        Ok(Self { client, url, token })
    }

    fn url(&self, key: &str) -> String {
        format!("{}/{}", self.url.trim_end_matches('/'), utf8_percent_encode(key, ENCODED))
    }

    fn upload(&self, path: &Path, key: &str, media_type: &str) -> Result<(), Error> {
        // The length of a file is known, and sent. A reader would be sent in chunks, which S3 does not accept.
        let file = File::open(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
        let request = self.client.put(self.url(key)).bearer_auth(&self.token);
        let answer = request.header(CONTENT_TYPE, media_type).body(file).send()?;
        expect(StatusCode::OK, answer).map(drop)
    }

    fn download(&self, key: &str, path: &Path) -> Result<(), Error> {
        let answer = self.client.get(self.url(key)).bearer_auth(&self.token).send()?;
        let mut answer = expect(StatusCode::OK, answer)?;
        let part = path.with_added_extension("part");
        let unwritable = |source| Error::File { path: path.to_owned(), source };
        let mut file = File::create(&part).map_err(unwritable)?;
        let written = io::copy(&mut answer, &mut file).map_err(Error::Broken);
        let moved = written.and_then(|_| fs::rename(&part, path).map_err(unwritable));
        if moved.is_err() {
            // The file may not exist.
            let _ = fs::remove_file(&part);
        }
        moved
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        let answer = self.client.delete(self.url(key)).bearer_auth(&self.token).send()?;
        expect(StatusCode::NO_CONTENT, answer).map(drop)
    }
}

/// Returns the answer if it has the expected status, and an error otherwise.
fn expect(status: StatusCode, answer: Response) -> Result<Response, Error> {
    let actual = answer.status();
    if actual == status {
        return Ok(answer);
    }
    let is_problem = |value: &HeaderValue| value.as_bytes().starts_with(b"application/problem+json");
    let problem = if answer.headers().get(CONTENT_TYPE).is_some_and(is_problem) {
        answer.json()?
    } else {
        // S3 or CloudFront answered.
        let title = actual.canonical_reason().unwrap_or("answer").to_owned();
        Problem { title, detail: answer.text()? }
    };
    Err(Error::Refused { status: actual.as_u16(), title: problem.title, detail: problem.detail })
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (Ok(url), Ok(token)) = (env::var("FILES_URL"), env::var("FILES_TOKEN")) else { return usage() };
    let files = Files::new(url, token);
    let done = match arguments.as_slice() {
        ["upload", path, key] => {
            files.and_then(|files| files.upload(Path::new(path), key, "application/octet-stream"))
        }
        ["upload", path, key, media_type] => {
            files.and_then(|files| files.upload(Path::new(path), key, media_type))
        }
        ["download", key, path] => files.and_then(|files| files.download(key, Path::new(path))),
        ["delete", key] => files.and_then(|files| files.delete(key)),
        _ => return usage(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!(
        "usage: FILES_URL=... FILES_TOKEN=... files-client upload FILE KEY [TYPE] | download KEY FILE | delete KEY"
    );
    ExitCode::from(2)
}
