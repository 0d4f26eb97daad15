//! `authorizer serve --record`, and `authorizer replay --recording`.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Done, PROGRAM, command_in};

const POLICY: &str = r#"
version = 1

[[issuers]]
name = "staff"
issuer = "https://login.example.com/"
audience = ["files"]
algorithms = ["ES256", "EdDSA"]
jwks = { file = "keys/dev.jwks.json" }

[[rules]]
id = "own-files"
effect = "allow"
methods = ["GET", "PUT"]
keys = ["users/{sub}/**"]
"#;

/// A server with a recording, until it is stopped.
struct Served {
    process: Child,
    addr: SocketAddr,
}

impl Served {
    fn start(folder: &Path, more: &[&str]) -> Self {
        let fixed = ["serve", "--policy", "policy.toml", "--listen", "127.0.0.1:0", "--format", "json"];
        let mut process = Command::new(PROGRAM)
            .current_dir(folder)
            .args(fixed)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
        let first: Value = serde_json::from_str(&first).unwrap();
        Self { process, addr: first["addr"].as_str().unwrap().parse().unwrap() }
    }

    /// The status of the answer to a request.
    fn ask(&self, method: &str, target: &str, headers: &[&str]) -> u16 {
        self.answer(method, target, headers).split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// The answer to a request.
    fn answer(&self, method: &str, target: &str, headers: &[&str]) -> String {
        let mut stream = TcpStream::connect(self.addr).unwrap();
        let host = headers.iter().find_map(|line| line.strip_prefix("Host: ")).unwrap_or("files.example.com");
        let headers = headers.iter().filter(|line| !line.starts_with("Host: "));
        let headers: String = headers.map(|line| format!("{line}\r\n")).collect();
        let length = if method == "PUT" { "Content-Length: 2\r\n" } else { "" };
        let body = if method == "PUT" { "hi" } else { "" };
        let text = format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{length}{headers}\r\n{body}"
        );
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Stops it as Ctrl-C does, and returns what it said.
    fn stop(mut self) -> String {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        assert!(self.process.wait().unwrap().success());
        let mut said = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        said
    }
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("policy.toml"), POLICY).unwrap();
    let made = Done::of(&mut command_in(folder.path(), &["token", "keygen", "dev", "--dir", "keys"]));
    assert_eq!(made.code, 0, "{}", made.err);
    folder
}

fn mint(folder: &Path, more: &[&str]) -> String {
    let fixed = ["token", "mint", "--key", "keys/dev.private.pem", "--policy", "policy.toml"];
    let minted = Done::of(&mut command_in(folder, &[&fixed, more].concat()));
    assert_eq!(minted.code, 0, "{}", minted.err);
    minted.out.trim().to_owned()
}

fn replay(folder: &Path, policy: &str) -> Done {
    Done::of(&mut command_in(folder, &["replay", "--policy", policy, "--recording", "recording"]))
}

#[test]
fn what_was_served_is_replayed_without_its_tokens() {
    let folder = folder();
    let path = folder.path();
    let alice = mint(path, &["--subject", "alice"]);
    let expired = mint(path, &["--subject", "alice", "--expires-in=-1h"]);
    let spoilt = format!("{}{}", alice.rsplit_once('.').unwrap().0, ".c2lnbmF0dXJlLW9mLW5vYm9keQ");
    let bearer = |token: &str| format!("Authorization: Bearer {token}");
    let served = Served::start(path, &["--record", "recording"]);
    for (method, target, line, status) in [
        ("PUT", "/users/alice/a.txt", bearer(&alice), 200),
        ("GET", "/users/alice/a.txt", bearer(&alice), 200),
        ("GET", "/users/bob/a.txt", bearer(&alice), 403),
        ("GET", "/users/alice/a.txt", bearer(&expired), 401),
        ("GET", "/users/alice/a.txt", bearer(&spoilt), 401),
        ("GET", "/users/alice/a.txt", "X-Api-Key: s3cr3tValue0123456789".to_owned(), 401),
        ("GET", "/users/alice/a%2.txt", bearer(&alice), 400),
        ("DELETE", "/users/alice/a.txt", bearer(&alice), 405),
    ] {
        assert_eq!(served.ask(method, target, &[&line]), status, "{method} {target} {line}");
    }
    let said = served.stop();
    assert!(said.contains("recorded 8 requests in recording"), "{said}");
    assert!(!said.contains("not recorded"), "{said}");

    // Nothing secret is on the disk, and only its owner can read it.
    for file in fs::read_dir(path.join("recording")).unwrap() {
        let file = file.unwrap().path();
        let text = fs::read_to_string(&file).unwrap();
        for token in [&alice, &expired, &spoilt] {
            let signature = token.rsplit_once('.').unwrap().1;
            assert!(!text.contains(signature), "{} has a token", file.display());
        }
        assert!(!text.contains("s3cr3t") && !text.contains("PRIVATE"), "{}", file.display());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }

    let same = replay(path, "policy.toml");
    assert_eq!(
        (same.code, same.out.as_str()),
        (0, "8 events, 0 differences from what was recorded\n"),
        "{}",
        same.err
    );

    // A changed policy shows what would differ, in an `Allow` too. The keys of its issuer do not matter.
    fs::write(path.join("changed.toml"), POLICY.replace("\"GET\", \"PUT\"", "\"GET\"")).unwrap();
    let differs = replay(path, "changed.toml");
    assert_eq!(differs.code, 1, "{}", differs.out);
    assert!(
        differs.out.contains("events.jsonl:1") && differs.out.contains("method_not_allowed"),
        "{}",
        differs.out
    );
    assert!(differs.out.ends_with("8 events, 2 differences from what was recorded\n"), "{}", differs.out);

    let fixed = ["replay", "--policy", "changed.toml", "--recording", "recording", "--format", "json"];
    let json = Done::of(&mut command_in(path, &fixed));
    let lines: Vec<Value> = json.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((json.code, lines.len()), (1, 3), "{}", json.out);
    assert_eq!((&lines[2]["differences"], &lines[2]["left_out"]), (&2.into(), &0.into()), "{}", json.out);
    assert_eq!(lines[0]["event"], "events.jsonl:1");
    assert_eq!(
        (&lines[0]["recorded"]["decision"], &lines[0]["replayed"]["reason"]),
        (&"allow".into(), &"method_not_allowed".into())
    );

    // Nothing but `--recording` trusts the keys: the real policy refuses the tokens.
    let events = path.join("recording/events.jsonl");
    let plain =
        Done::of(&mut command_in(path, &["replay", "--policy", "policy.toml", events.to_str().unwrap()]));
    assert_eq!(plain.code, 1);
    assert!(plain.out.contains("0 allowed, 8 refused"), "{}", plain.out);
    assert!(plain.out.contains("signing_key_unknown"), "{}", plain.out);
}

#[test]
fn what_was_not_written_to_its_end_is_left_out_of_a_replay_and_told() {
    let folder = folder();
    let path = folder.path();
    let served = Served::start(path, &["--record", "recording"]);
    for n in 0..4 {
        served.ask("GET", &format!("/users/alice/{n}"), &[]);
    }
    served.stop();
    let (events, outcomes) = (path.join("recording/events.jsonl"), path.join("recording/expected.jsonl"));
    let (all_events, all_outcomes) = (fs::read(&events).unwrap(), fs::read(&outcomes).unwrap());
    // The end of the third line, and one byte less than the fourth.
    let third = |all: &[u8]| all.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(2).unwrap().0 + 1;
    let cut = |all: &[u8], length: usize| all[..length].to_vec();
    let half = |all: &[u8]| cut(all, all.len() - 1);
    let three = |all: &[u8]| cut(all, third(all));
    for (events_left, outcomes_left, left_out) in [
        (half(&all_events), half(&all_outcomes), 1),
        (half(&all_events), three(&all_outcomes), 1),
        (all_events.clone(), half(&all_outcomes), 1),
        // The event was not written to its end, but its outcome was.
        (half(&all_events), all_outcomes.clone(), 1),
        (all_events.clone(), all_outcomes.clone(), 0),
    ] {
        fs::write(&events, events_left).unwrap();
        fs::write(&outcomes, outcomes_left).unwrap();
        let done = replay(path, "policy.toml");
        let whole = format!("{} events, 0 differences from what was recorded\n", 4 - left_out);
        assert_eq!((done.code, done.out.as_str()), (0, whole.as_str()), "{}", done.err);
        let said = "the recording breaks off: its last 1 request was not written whole, and left out";
        assert_eq!(done.err.contains(said), left_out == 1, "{}", done.err);
    }
    // Only a line that was not written to its end is left out, and only one.
    let first = all_outcomes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for (outcomes_left, differences, left_out) in [
        (three(&all_outcomes), 1, 0),
        (cut(&all_outcomes, first), 3, 0),
        (cut(&all_outcomes, first + 9), 2, 1),
    ] {
        fs::write(&outcomes, outcomes_left).unwrap();
        let fixed = ["replay", "--policy", "policy.toml", "--recording", "recording", "--format", "json"];
        let done = Done::of(&mut command_in(path, &fixed));
        let sum: Value = serde_json::from_str(done.out.lines().last().unwrap()).unwrap();
        let events = 4 - left_out;
        let expected = serde_json::json!({
            "version": 1, "events": events, "differences": differences, "left_out": left_out,
        });
        assert_eq!((done.code, sum), (1, expected), "{}", done.out);
    }
    // An outcome that is missing before the end is no half of a line.
    fs::write(&outcomes, &all_outcomes[third(&all_outcomes)..]).unwrap();
    let missing = replay(path, "policy.toml");
    assert_eq!(missing.code, 1);
    assert!(missing.out.contains("events.jsonl:1: no outcome was recorded"), "{}", missing.out);
}

#[test]
fn a_recording_needs_a_folder_of_its_own() {
    let folder = folder();
    fs::create_dir(folder.path().join("recording")).unwrap();
    fs::write(folder.path().join("recording/notes.txt"), "mine").unwrap();
    let fixed = ["serve", "--policy", "policy.toml", "--listen", "127.0.0.1:0", "--record", "recording"];
    let refused = Done::of(&mut command_in(folder.path(), &fixed));
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(refused.err.contains("`recording` is not an empty folder"), "{}", refused.err);
    assert_eq!(fs::read_dir(folder.path().join("recording")).unwrap().count(), 1);
}

#[test]
fn a_folder_that_is_no_recording_is_named() {
    let folder = folder();
    let path = folder.path();
    fs::create_dir(path.join("recording")).unwrap();
    for (keys, words) in [
        (None, "`recording` is not a recording: it does not contain `recording.json`"),
        (Some("{}"), "has no keys of a recording"),
        (Some(r#"{"version": 2, "note": "", "keys": []}"#), "has version 2"),
        (Some(r#"{"version": 1, "note": "", "keys": []}"#), "expected.jsonl"),
    ] {
        if let Some(keys) = keys {
            fs::write(path.join("recording/recording.json"), keys).unwrap();
        }
        let done = replay(path, "policy.toml");
        assert_eq!(done.code, 2, "{}", done.out);
        assert!(done.err.contains(words), "{keys:?}: {}", done.err);
    }
    for more in [&["--now", "1"][..], &["--expect", "x"], &["x.json"]] {
        let fixed = ["replay", "--policy", "policy.toml", "--recording", "recording"];
        let done = Done::of(&mut command_in(path, &[&fixed, more].concat()));
        assert_eq!((done.code, done.err.contains("cannot be used with")), (2, true), "{}", done.err);
    }
}

/// A token endpoint that gives these tokens once, and the form that it got.
fn token_endpoint(tokens: Receiver<Value>) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (addr, (sender, forms)) = (listener.local_addr().unwrap(), channel());
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream);
        let (mut length, mut line) = (0, String::new());
        while reader.read_line(&mut line).unwrap() > 2 {
            if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut form = vec![0; length];
        reader.read_exact(&mut form).unwrap();
        let body = tokens.recv().unwrap().to_string();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        reader.get_mut().write_all(answer.as_bytes()).unwrap();
        sender.send(String::from_utf8(form).unwrap()).unwrap();
    });
    (addr, forms)
}

/// The values of a header of an answer.
fn values<'a>(answer: &'a str, name: &str) -> Vec<&'a str> {
    let head = answer.split("\r\n\r\n").next().unwrap();
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

/// The cookies that an answer sets, as a browser sends them.
fn cookies(answer: &str) -> String {
    let set = values(answer, "set-cookie").into_iter().filter(|line| !line.contains("Max-Age=0"));
    let pairs: Vec<_> = set.map(|line| line.split(';').next().unwrap()).collect();
    format!("Cookie: {}", pairs.join("; "))
}

#[test]
fn a_sign_in_is_served_whole_and_only_what_can_be_decided_again_is_recorded() {
    const CODE: &str = "s3cr3tCode0123456789";
    let folder = folder();
    let path = folder.path();
    let made = Done::of(&mut command_in(path, &["keys", "cookie-key", "--out", "sign-in.key"]));
    assert_eq!(made.code, 0, "{}", made.err);
    let (give, tokens) = channel();
    let (addr, forms) = token_endpoint(tokens);
    let sign_in = format!(
        r#"
[credentials]
cookie = "__Host-session"

[sign_in]
issuer                 = "staff"
client_id              = "files-web"
origin                 = "https://files.example.com"
authorization_endpoint = "https://login.example.com/authorize"
token_endpoint         = "http://{addr}/token"
cookie_key             = {{ file = "sign-in.key" }}
"#
    );
    fs::write(path.join("policy.toml"), POLICY.replace("[[rules]]", &format!("{sign_in}\n[[rules]]")))
        .unwrap();
    let served = Served::start(path, &["--record", "recording", "--sign-in-origin", "http://localhost:8080"]);
    let page = ["Host: localhost:8080", "Accept: text/html", "Sec-Fetch-Mode: navigate"];
    let open = |target: &str, more: &str| served.answer("GET", target, &[&page[..], &[more]].concat());

    let start = open("/users/alice/a.txt", "X-Nothing: 1");
    assert!(start.starts_with("HTTP/1.1 302"), "{start}");
    let location = values(&start, "location")[0].to_owned();
    let parameter = |name: &str| {
        let pairs = location.split_once('?').unwrap().1.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(known, _)| *known == name).unwrap().1.to_owned()
    };
    assert!(location.starts_with("https://login.example.com/authorize?"), "{location}");
    assert_eq!(parameter("redirect_uri"), "http%3A%2F%2Flocalhost%3A8080%2F.auth%2Fcallback");

    let access = mint(path, &["--subject", "alice"]);
    let nonce = format!("nonce={}", parameter("nonce"));
    let key = ["token", "mint", "--key", "keys/dev.private.pem", "--issuer", "https://login.example.com/"];
    let more = ["--audience", "files-web", "--subject", "alice", "--type", "JWT", "--claim", &nonce];
    let id = Done::of(&mut command_in(path, &[&key[..], &more].concat())).out.trim().to_owned();
    give.send(serde_json::json!({"token_type": "Bearer", "access_token": access, "id_token": id})).unwrap();
    let back = format!("/.auth/callback?code={CODE}&state={}", parameter("state"));
    let session = open(&back, &cookies(&start));
    assert!(session.starts_with("HTTP/1.1 302"), "{session}");
    assert_eq!(values(&session, "location"), ["http://localhost:8080/users/alice/a.txt"]);
    assert!(forms.recv().unwrap().contains(CODE));
    // The session, what is sealed beside it, and the page to return to. Each line arrives, also those that clear cookies.
    let mine = cookies(&session);
    assert_eq!(mine.matches("__Host-").count(), 3, "{mine}");
    assert!(values(&session, "set-cookie").len() > 3, "{session}");
    // The bucket's own answer: there is no such object, and nobody may list.
    let missing = served.answer("GET", "/users/alice/a.txt", &[&mine]);
    assert!(
        missing.starts_with("HTTP/1.1 403") && missing.contains("<Code>AccessDenied</Code>"),
        "{missing}"
    );
    let told = served.answer("GET", "/.auth/session", &[&mine]);
    assert!(told.starts_with("HTTP/1.1 200") && told.contains(r#""signed_in":true"#), "{told}");
    // The same code once more.
    assert!(open(&back, &mine).starts_with("HTTP/1.1 400"));
    let out = served.answer("POST", "/.auth/sign-out", &[&mine, "Origin: http://localhost:8080"]);
    assert!(out.starts_with("HTTP/1.1 303"), "{out}");

    let said = served.stop();
    assert!(said.contains("the tokens of staff for a code were fetched"), "{said}");
    assert!(said.contains("people return to http://localhost:8080, and not where the policy"), "{said}");
    assert!(
        said.contains("the redirect URI http://localhost:8080/.auth/callback for the client files-web"),
        "{said}"
    );
    assert!(said.contains("recorded 2 requests in recording"), "{said}");
    assert!(said.contains("4 requests not recorded: a step of a sign-in cannot be taken again"), "{said}");
    let signatures = [&access, &id].map(|token| token.rsplit_once('.').unwrap().1.to_owned());
    for file in fs::read_dir(path.join("recording")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(!text.contains("s3cr3t") && signatures.iter().all(|one| !text.contains(one)), "{text}");
    }

    // The redirect to the provider is the same each time, where people return to it or not.
    for _ in 0..2 {
        let same = Done::of(&mut command_in(
            path,
            &["replay", "--policy", "policy.toml", "--recording", "recording"],
        ));
        assert_eq!(same.out, "2 events, 0 differences from what was recorded\n", "{}", same.err);
    }

    let explain = |more: &[&str]| {
        Done::of(&mut command_in(path, &[&["explain", "--policy", "policy.toml"][..], more].concat()))
    };
    let events = fs::read_to_string(path.join("recording/events.jsonl")).unwrap();
    let (start, with_session) = events.trim_end().split_once('\n').unwrap();
    fs::write(path.join("event.json"), start).unwrap();
    let done = explain(&["event.json"]);
    assert!(done.out.starts_with("refused 302: token_missing"), "{}{}", done.out, done.err);
    let sent = "sent to the provider, issuer `staff`, to sign in: `https://login.example.com/authorize`";
    assert!(done.out.contains(sent), "{}", done.out);
    // The token has a key of the recording, not one of the policy's key file.
    fs::write(path.join("event.json"), with_session).unwrap();
    let done = explain(&["event.json"]);
    assert!(
        done.out.contains("decide on it with `authorizer replay --recording DIR`"),
        "{}{}",
        done.out,
        done.err
    );
    let done = explain(&["--path", "/.auth/session"]);
    assert!(done.out.starts_with("answered 200: session_told"), "{}{}", done.out, done.err);
    let done = explain(&["--path", "/.auth/sessions"]);
    assert!(done.err.contains("does not say whether it has a token"), "{}{}", done.out, done.err);
}

#[test]
fn an_origin_for_a_sign_in_needs_one_and_must_be_one() {
    let folder = folder();
    let path = folder.path();
    let fixed = ["serve", "--policy", "policy.toml", "--listen", "127.0.0.1:0", "--sign-in-origin"];
    let refused = Done::of(&mut command_in(path, &[&fixed[..], &["https://localhost:8443"]].concat()));
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("the policy does not have `[sign_in]`"), "{}", refused.err);
    let sign_in = "[credentials]\ncookie = \"session\"\n[sign_in]\nurl = \"https://login.example.com/start\"\norigin = \"https://files.example.com\"\n";
    fs::write(path.join("policy.toml"), POLICY.replace("[[rules]]", &format!("{sign_in}\n[[rules]]")))
        .unwrap();
    let refused = Done::of(&mut command_in(path, &[&fixed[..], &["http://files.example.com/a"]].concat()));
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("`--sign-in-origin http://files.example.com/a` is not an origin"),
        "{}",
        refused.err
    );
    let refused = Done::of(&mut command_in(path, &[&fixed[..], &["https://localhost:8453/"]].concat()));
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("remove the slash at the end: `--sign-in-origin https://localhost:8453`"),
        "{}",
        refused.err
    );
}
