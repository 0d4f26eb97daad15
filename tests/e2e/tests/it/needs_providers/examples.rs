//! The clients of `docs/examples` against the local distribution.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use authorizer_e2e::binaries::{files_client, root};
use authorizer_e2e::served::Served;
use authorizer_e2e::tools::installed;
use tempfile::TempDir;

/// One of the two clients, run as a person runs it.
struct Client {
    name: &'static str,
    program: PathBuf,
    first: Option<PathBuf>,
    folder: TempDir,
}

/// The result of a run.
#[derive(Debug, Eq, PartialEq)]
struct Ran {
    code: Option<i32>,
    said: String,
}

impl Client {
    /// The client in Rust, and the one for Node.js if that could be installed.
    fn both() -> Vec<Self> {
        let folder = || tempfile::tempdir().unwrap();
        let rust = Self { name: "rust", program: files_client(), first: None, folder: folder() };
        let node = installed("examples", "the example for Node.js").map(|tools| {
            let folder = folder();
            // Node.js searches for packages beside the script.
            let script = folder.path().join("files.mjs");
            fs::copy(root().join("docs/examples/node/files.mjs"), &script).unwrap();
            symlink(tools.join("node_modules"), folder.path().join("node_modules")).unwrap();
            Self { name: "node", program: tools.join("node"), first: Some(script), folder }
        });
        [Some(rust), node].into_iter().flatten().collect()
    }

    /// Runs it without the caller's proxy and configuration.
    fn run(&self, url: &str, token: &str, arguments: &[&str]) -> Ran {
        let mut command = Command::new(&self.program);
        command.args(&self.first).args(arguments).current_dir(self.folder.path()).env_clear();
        let output = command.env("FILES_URL", url).env("FILES_TOKEN", token).output().unwrap();
        assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
        Ran { code: output.status.code(), said: String::from_utf8(output.stderr).unwrap() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The files beside it, except its own.
    fn files(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> =
            names.filter(|name| !["files.mjs", "node_modules"].contains(&name.as_str())).collect();
        names.sort();
        names
    }
}

fn done() -> Ran {
    Ran { code: Some(0), said: String::new() }
}

fn url(served: &Served) -> String {
    format!("http://{}", served.addr())
}

fn token(served: &Served, who: &str) -> String {
    served.bearer(who).strip_prefix("Bearer ").unwrap().to_owned()
}

/// More bytes than any buffer on the way, each different from the one before.
fn content() -> Vec<u8> {
    (0..5_000_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes().into_iter().take(1)).collect()
}

#[test]
fn a_user_uploads_downloads_and_deletes_with_either_client() {
    let served = Served::sample();
    let (url, alice) = (url(&served), token(&served, "alice"));
    for client in Client::both() {
        let run = |arguments: &[&str]| client.run(&url, &alice, arguments);
        fs::write(client.file("film.mp4"), content()).unwrap();
        // A key with a character that must be encoded in each segment.
        for key in ["users/alice/film.mp4", "users/alice/a é+100%/b?#&=;.mp4"] {
            assert_eq!(run(&["upload", "film.mp4", key, "video/mp4"]), done(), "{}", client.name);
            assert!(fs::read(served.file(key)).unwrap() == content(), "{} {key}", client.name);
            assert_eq!(run(&["download", key, "copy.mp4"]), done(), "{}", client.name);
            assert!(fs::read(client.file("copy.mp4")).unwrap() == content(), "{} {key}", client.name);
            assert_eq!(run(&["delete", key]), done(), "{}", client.name);
            assert_ne!(run(&["download", key, "gone.mp4"]), done(), "{} {key}", client.name);
        }
        // An empty object is valid.
        fs::write(client.file("empty"), "").unwrap();
        assert_eq!(run(&["upload", "empty", "users/alice/empty"]), done(), "{}", client.name);
        assert_eq!(run(&["download", "users/alice/empty", "nothing"]), done(), "{}", client.name);
        assert_eq!(fs::read(client.file("nothing")).unwrap(), b"");
        assert_eq!(client.files(), ["copy.mp4", "empty", "film.mp4", "nothing"]);
    }
}

#[test]
fn a_refusal_is_told_with_its_reason_and_changes_nothing() {
    let served = Served::sample();
    let (url, alice) = (url(&served), token(&served, "alice"));
    let mut forged = alice.clone();
    let last = forged.pop().unwrap();
    forged.push(if last == 'A' { 'E' } else { 'A' });
    let bob = served.bearer("bob");
    let as_bob = [("authorization", bob.as_str())];
    let put = served.viewer.ask("PUT", "/users/bob/secret", &as_bob, "secret");
    assert_eq!(tokio::runtime::Runtime::new().unwrap().block_on(put).status, 200);
    let before = served.everything();
    for client in Client::both() {
        fs::write(client.file("note.txt"), "note").unwrap();
        for (token, arguments, said) in [
            (&alice, &["download", "users/bob/secret", "copy"][..], "403 Forbidden: "),
            (&alice, &["delete", "users/bob/secret"], "403 Forbidden: "),
            (&alice, &["upload", "note.txt", "users/bob/secret"], "403 Forbidden: "),
            (
                &alice,
                &["upload", "note.txt", "pictures/alice/note", "text/plain"],
                "415 Unsupported Media Type: ",
            ),
            (
                &alice,
                &["upload", "note.txt", "users/alice//note"],
                "400 Bad Request: The path has an empty segment",
            ),
            (&forged, &["download", "users/alice/none", "copy"], "401 Unauthorized: "),
            (&alice, &["download", "users/alice/none", "copy"], "404 Not Found: "),
        ] {
            let ran = client.run(&url, token, arguments);
            assert_eq!(ran.code, Some(1), "{} {arguments:?}: {}", client.name, ran.said);
            assert!(ran.said.starts_with(said), "{} {arguments:?}: {}", client.name, ran.said);
        }
        assert_eq!(client.files(), ["note.txt"], "{}", client.name);
        let ran = client.run(&url, &alice, &["upload", "note.txt"]);
        assert_eq!(ran.code, Some(2), "{}: {}", client.name, ran.said);
        let ran = client.run(&url, &alice, &["upload", "missing.txt", "users/alice/missing"]);
        assert!(ran.code == Some(1) && ran.said.contains("missing.txt"), "{}: {}", client.name, ran.said);
    }
    assert!(served.everything() == before, "something was changed");
}

/// A server that gives each connection the same answer and closes it; and the requests that it received.
fn answering(answer: &'static str, connections: usize) -> (String, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serve = move || {
        let mut requests = Vec::new();
        for _ in 0..connections {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
                head.push(byte[0]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            requests.push(String::from_utf8(head).unwrap());
        }
        requests
    };
    (url, thread::spawn(serve))
}

#[test]
fn a_redirect_is_not_followed_with_the_token() {
    let clients = Client::both();
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let location = elsewhere.local_addr().unwrap();
    let answer = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://{location}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    let (url, server) = answering(answer.leak(), clients.len());
    for client in &clients {
        let ran = client.run(&url, "token", &["download", "a", "copy"]);
        assert!(ran.code == Some(1) && ran.said.starts_with("307 "), "{}: {}", client.name, ran.said);
    }
    for request in server.join().unwrap() {
        assert!(request.to_ascii_lowercase().contains("\r\nauthorization: bearer token\r\n"), "{request}");
    }
    assert!(elsewhere.accept().is_err(), "somebody asked at the redirect's address");
}

#[test]
fn a_download_that_breaks_off_leaves_nothing() {
    let clients = Client::both();
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this";
    let (url, server) = answering(answer, clients.len());
    for client in &clients {
        let ran = client.run(&url, "token", &["download", "a", "copy"]);
        assert_eq!(ran.code, Some(1), "{}: {}", client.name, ran.said);
        assert_eq!(client.files(), [""; 0], "{}", client.name);
    }
    server.join().unwrap();
}

#[test]
fn the_page_about_the_examples_names_files_that_are_there() {
    let text = fs::read_to_string(root().join("docs/examples/README.md")).unwrap();
    let linked: Vec<&str> = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|link| !link.starts_with("https://"))
        .collect();
    assert_eq!(linked, ["node/files.mjs", "rust/src/main.rs"]);
    for link in linked {
        assert!(Path::new(&root().join("docs/examples").join(link)).exists(), "{link}");
    }
}
