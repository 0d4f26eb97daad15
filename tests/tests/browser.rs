//! A real browser: a page of another origin uploads, downloads and deletes, and reads what it is refused; a
//! page of a stranger's origin does not; and a person without a token is sent to sign in.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use authorizer_tests::binaries::{root, run};
use authorizer_tests::runtimes::skip;
use authorizer_tests::served::{Lines, Served};
use serde_json::{Value, json};

/// The browser's driver, and the pages that it serves.
struct Driver {
    child: Child,
    output: Lines,
    errors: Lines,
    pages: Value,
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Driver {
    fn start() -> Self {
        let mut command = Command::new(root().join(".tools/runtimes/node/bin/node"));
        command.arg(root().join("tests/browser/drive.mjs"));
        command.arg(root().join(".tools/browser/node_modules")).arg("/usr/bin/chromium");
        let streams = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = streams.spawn().unwrap();
        let output = Lines::read(child.stdout.take().unwrap());
        let errors = Lines::read(child.stderr.take().unwrap());
        let pages = output.wait_for("where the pages are", |lines| lines.first().cloned());
        Self { child, output, errors, pages: serde_json::from_str(&pages).unwrap() }
    }

    fn origin(&self, of: &str) -> &str {
        self.pages[of].as_str().unwrap()
    }

    /// Drives the browser through all of it: what the pages saw, by the name of each step.
    fn drive(&mut self, what: &Value) -> Value {
        let mut stdin = self.child.stdin.take().unwrap();
        writeln!(stdin, "{what}").unwrap();
        let errors = self.errors.clone();
        let seen = self.output.wait_for("what the pages saw", |lines| {
            let is_over = lines.get(1).cloned();
            // The driver says what went wrong on its other stream.
            is_over.or_else(|| errors.all().iter().any(|line| line.contains("Error")).then(String::new))
        });
        serde_json::from_str(&seen).unwrap_or_else(|_| panic!("the driver failed:\n{}", self.errors.text()))
    }
}

fn policy(driver: &Driver) -> String {
    format!(
        r#"
version = 1

[[issuers]]
name       = "staff"
issuer     = "https://login.example.com/"
audience   = ["files-api"]
algorithms = ["EdDSA"]
jwks       = {{ file = "staff.jwks.json" }}

[credentials]
cookie = "session"

[cors]
origins         = ["{allowed}"]
exposed_headers = ["ETag"]

[sign_in]
url    = "{login}/start?client=files"
origin = "https://files.example.com"

[[rules]]
id         = "own"
effect     = "allow"
methods    = ["GET", "PUT", "DELETE"]
operations = ["ListObjectsV2", "GetObjectVersion", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"]
keys       = ["users/{{sub}}/**"]
upload     = {{ max_bytes = "6MiB" }}

[[rules]]
id      = "small"
effect  = "allow"
methods = ["PUT"]
keys    = ["small/{{sub}}/*"]
upload  = {{ max_bytes = 1000, content_types = ["text/plain"] }}

[[rules]]
id        = "public"
effect    = "allow"
methods   = ["GET"]
keys      = ["public/**"]
anonymous = true
"#,
        allowed = driver.origin("allowed"),
        login = driver.origin("login"),
    )
}

/// A distribution by this policy, with something public in its bucket, and Alice's credential.
fn served(folder: &Path, policy: &str) -> (Served, String) {
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    run(["token", "keygen", "staff", "--algorithm", "EdDSA", "--dir", &text(folder)]);
    let key = text(&folder.join("staff.private.pem"));
    let issuer = ["--issuer", "https://login.example.com/", "--audience", "files-api", "--subject", "alice"];
    let token = run([["token", "mint", "--key", &key].as_slice(), &issuer].concat());
    std::fs::write(folder.join("policy.toml"), policy).unwrap();
    std::fs::create_dir_all(folder.join("data/local-bucket/public")).unwrap();
    std::fs::write(folder.join("data/local-bucket/public/a"), "for all").unwrap();
    let (policy, data) = (folder.join("policy.toml"), folder.join("data"));
    let arguments = [OsStr::new("--policy"), policy.as_os_str(), OsStr::new("--data"), data.as_os_str()];
    (Served::start(folder, arguments), format!("Bearer {}", token.trim()))
}

/// Whether the page could read this status, and this in the body.
fn assert_read(seen: &Value, step: &str, status: u16, body: &str) {
    let step_seen = &seen[step];
    assert_eq!(step_seen["status"], status, "{step}: {step_seen}");
    assert!(step_seen["text"].as_str().unwrap().contains(body), "{step}: {step_seen}");
}

/// Whether the page could read nothing at all.
fn assert_unreadable(seen: &Value, step: &str) {
    assert!(seen[step]["failed"].as_str().is_some_and(|error| error.contains("TypeError")), "{step}: {seen}");
}

#[test]
fn a_browser_is_let_do_what_the_policy_lets_it_and_can_read_what_it_is_refused() {
    let status = Command::new(root().join("tests/browser/install")).status().unwrap();
    assert!(status.success(), "tests/browser/install: {status}");
    if let Ok(reason) = std::fs::read_to_string(root().join(".tools/browser/SKIPPED")) {
        return skip(&format!("the browser: {}", reason.trim()));
    }
    let folder = tempfile::tempdir().unwrap();
    let mut driver = Driver::start();
    let (served, alice) = served(folder.path(), &policy(&driver));
    let files = format!("http://{}", served.addr());
    let seen = driver.drive(&json!({"files": files, "alice": alice}));

    assert_eq!(seen["pageErrors"], json!([]));
    assert_read(&seen, "upload", 200, "");
    assert_read(&seen, "download", 200, "hello");
    let headers = &seen["download"]["headers"];
    assert!(headers["etag"].as_str().is_some_and(|etag| etag.starts_with('"')), "{headers}");
    assert!(headers["x-cache"].is_null(), "a header that is not exposed: {headers}");
    assert_read(&seen, "list", 200, "<Key>users/alice/hello.txt</Key>");

    for (step, status, title) in [
        ("no token", 401, "Unauthorized"),
        ("another user", 403, "Forbidden"),
        ("too large", 413, "Content Too Large"),
        ("wrong type", 415, "Unsupported Media Type"),
    ] {
        assert_read(&seen, step, status, &format!("\"title\":\"{title}\""));
        assert_eq!(seen[step]["headers"]["content-type"], "application/problem+json", "{step}");
    }
    for step in ["refused header", "patch", "with cookies"] {
        assert_unreadable(&seen, step);
    }

    assert_read(&seen, "create multipart", 200, "<UploadId>");
    for step in ["part 1", "part 2"] {
        assert_read(&seen, step, 200, "");
    }
    assert_read(&seen, "complete multipart", 200, "<CompleteMultipartUploadResult");
    assert_read(&seen, "size of multipart", 200, "");
    assert_eq!(seen["size of multipart"]["headers"]["content-length"], "5242883");
    assert_read(&seen, "end of multipart", 206, "\u{7}\u{7}\u{7}");

    for step in ["stranger reads", "stranger reads a refusal", "stranger uploads"] {
        assert_unreadable(&seen, step);
    }
    assert!(!served.file("users/alice/stolen.txt").exists());

    assert_read(&seen, "delete", 204, "");
    assert_read(&seen, "after delete", 404, "");

    // A person is sent to sign in, and told the way back; a frame is not.
    let back = "/start?client=files&return_to=https%3A%2F%2Ffiles.example.com%2Fusers%2Falice%2Fhello.txt\
                %3FversionId%3Dnull";
    assert_eq!(seen["person"]["url"], format!("{}{back}", driver.origin("login")));
    assert_eq!(seen["frame"]["signedIn"], json!([back]));

    let log = served.stdout().text();
    for line in [
        "204 OPTIONS users/alice/hello.txt  preflight_answered",
        "204 OPTIONS users/alice/hello.txt  preflight_header_not_allowed",
        "204 OPTIONS users/alice/hello.txt  preflight_method_not_allowed",
        "403 OPTIONS users/alice/stolen.txt  origin_not_allowed",
    ] {
        assert!(log.contains(line), "no `{line}` in\n{log}");
    }
    let stolen = |line: &&str| line.contains("PUT") && line.contains("stolen");
    assert_eq!(log.lines().filter(stolen).count(), 0, "the browser asked first:\n{log}");
}
