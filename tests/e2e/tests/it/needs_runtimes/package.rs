//! The deployment package under each runtime of Lambda@Edge, with AWS's own runtime clients: it answers as the core
//! does, and a damaged package does not answer at all.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime};

use authorizer_core::record::DecisionLine;
use authorizer_core::{Authorizer, Bundle, UnixTime};
use authorizer_e2e::binaries::{Build, root};
use authorizer_e2e::fixtures::Suite;
use authorizer_e2e::lambda::{Process, Said, Unpacked, event, is_decision};
use authorizer_e2e::packages::{
    self, ALGORITHMS, Package, issuers, issuers_as_library, sample, sample_as_library, small_issuers, token,
};
use authorizer_e2e::runtimes::clients;
use authorizer_e2e::served::{DEADLINE, Served, serve};
use authorizer_e2e::under;
use authorizer_e2e::viewer::Viewer;
use authorizer_local::{
    BucketOptions, Credentials, Distribution, EmbeddedS3, Function, Observer, Packaged, RequestReport,
    Runtime, Settings,
};
use authorizer_policy::PolicyFile;
use bytes::Bytes;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

under! { [natively = Native, under_python = Python, under_node = Node] [
    every_recorded_event_is_answered_as_the_core_answers_it,
    tokens_of_today_open_what_the_policy_opens_and_nothing_else,
    the_process_that_was_started_becomes_the_function,
    what_is_no_event_is_refused_and_the_next_one_is_answered,
    a_bundle_that_is_not_whole_stops_the_function_before_its_first_event,
    a_function_that_cannot_start_again_lets_nothing_through,
    serve_runs_the_package,
] }

under! { [as_a_library = Python] [
    the_library_answers_every_recorded_event_as_the_core_does,
    the_library_decides_on_tokens_of_today,
    the_small_library_decides_on_tokens_of_today,
    the_process_stays_the_runtimes_and_says_so,
    the_library_refuses_what_is_no_event,
    the_library_does_not_start_with_a_bundle_that_is_not_whole,
    a_library_that_cannot_be_loaded_is_one_line_and_the_end,
    a_library_that_cannot_start_again_lets_nothing_through,
    serve_runs_the_package_of_the_library,
] }

under! { [with_python = Python, with_node = Node] [
    a_bootstrap_that_cannot_be_executed_is_one_line_and_the_end,
] }

under! { [with_the_small_build = Native] [
    tokens_of_today_are_decided_on_the_same,
] }

under! { [in_older_node = Node] [
    without_execve_the_shim_waits_for_the_function_and_ends_as_it_ended,
] }

under! { [in_newer_node = Node] [
    an_execve_that_throws_is_one_line_and_the_end,
] }

/// An unpacked package, and the core with its bundle.
struct Stage {
    unpacked: Unpacked,
    core: Authorizer,
    /// The function is a library, so that the runtime's client reads the event first.
    is_library: bool,
}

impl Stage {
    fn of(package: &Package) -> Self {
        let unpacked = Unpacked::new(&package.zip);
        let bytes = std::fs::read(unpacked.file("bundle.json")).unwrap();
        assert_eq!(
            bytes,
            PolicyFile::load(&package.policy).unwrap().bundle_json(),
            "the bundle is the policy's"
        );
        let is_library = unpacked.file("libauthorizer.so").exists();
        Self { unpacked, core: Authorizer::new(Bundle::read(&bytes).unwrap()), is_library }
    }

    /// The event as it comes to the decision. A client that reads JSON keeps the last of several members of one name, which
    /// CloudFront never writes; nothing else changes the decision.
    fn read<'e>(&self, event: &'e [u8]) -> Cow<'e, [u8]> {
        let Ok(value) = serde_json::from_slice::<Value>(event) else { return event.into() };
        let read = serde_json::to_vec(&value).unwrap();
        let [as_sent, as_read] = [event, &read].map(|event| self.decide_as_read(event));
        assert!(as_sent == as_read || as_sent.1["reason"] == "event_malformed", "{as_sent:#?}\n{as_read:#?}");
        read.into()
    }

    /// The core's answer at this moment, and its log line.
    fn decide(&self, event: &[u8]) -> (Value, Value) {
        match self.is_library {
            true => self.decide_as_read(&self.read(event)),
            false => self.decide_as_read(event),
        }
    }

    fn decide_as_read(&self, event: &[u8]) -> (Value, Value) {
        let authorized = self.core.authorize(event, UnixTime::from_system(SystemTime::now()));
        let mut line = serde_json::to_value(DecisionLine::new(&authorized.record, 0)).unwrap();
        (line["micros"], line["time"]) = (Value::Null, Value::Null);
        (serde_json::to_value(authorized.outcome).unwrap(), line)
    }

    /// Compares one answer of the function, and its log line, with the core's.
    async fn compare(&self, process: &mut Process, name: &str, event: &[u8]) -> Value {
        let lines = process.stdout().all().len();
        let before = self.decide(event);
        let said = process.invoke(Bytes::copy_from_slice(event)).await;
        // A token may expire between two clocks.
        let after = self.decide(event);
        let Said::Response(response) = said else { panic!("{name}: {said:?}") };
        let response: Value = serde_json::from_slice(&response).unwrap();
        // A line about fetched keys may come before it, or that of the start.
        let line = process.stdout().wait_for("the line of the decision", |all| {
            all.iter().skip(lines).find(|line| is_decision(line)).cloned()
        });
        let mut line: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(line["micros"].take().as_u64().is_some_and(|micros| micros < 5_000_000), "{name}: {line}");
        assert!(line["time"].take().as_u64().is_some_and(|time| time > 1_700_000_000), "{name}: {line}");
        let seen = (response, line);
        assert!(seen == before || seen == after, "{name}:\n{seen:#?}\nis not\n{before:#?}");
        assert_eq!(seen.1["bundle_sha256"], self.core.bundle().sha256());
        assert_eq!(seen.1["decision"] == "allow", seen.0["uri"].is_string(), "{name}");
        seen.0
    }
}

const FILES: [&str; 4] = ["--audience", "files-api", "--scope", "files"];

/// Texts that must never be logged: the signature of each token in an event, and each cookie.
fn secrets(event: &[u8]) -> Vec<String> {
    let Ok(event) = serde_json::from_slice::<Value>(event) else { return Vec::new() };
    let headers = event.pointer("/Records/0/cf/request/headers").and_then(Value::as_object);
    let lines =
        headers.into_iter().flatten().filter(|(name, _)| ["authorization", "cookie"].contains(&&***name));
    let values = lines.flat_map(|(_, lines)| lines.as_array().cloned().unwrap_or_default());
    let last = |line: Value| Some(line["value"].as_str()?.rsplit(['.', '=', ' ']).next()?.to_owned());
    values.filter_map(last).filter(|secret| secret.len() >= 16).collect()
}

fn assert_not_written(written: &[String], secrets: &[String]) {
    for secret in secrets {
        assert!(!written.iter().any(|line| line.contains(secret.as_str())), "{secret} in {written:#?}");
    }
}

async fn every_recorded_event_is_answered_as_the_core_answers_it(runtime: Runtime) {
    for suite in Suite::ALL {
        every_event_is_answered_as_the_core_answers_it(runtime, suite, packages::suite(suite)).await;
    }
}

async fn the_library_answers_every_recorded_event_as_the_core_does(runtime: Runtime) {
    for suite in Suite::ALL {
        let package = packages::suite_as_library(suite);
        every_event_is_answered_as_the_core_answers_it(runtime, suite, package).await;
    }
}

async fn every_event_is_answered_as_the_core_answers_it(runtime: Runtime, suite: Suite, package: &Package) {
    let stage = Stage::of(package);
    let mut process = Process::start(runtime, stage.unpacked.folder()).await;
    process.ready().await;
    let mut events: Vec<PathBuf> = std::fs::read_dir(suite.events())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension() == Some(OsStr::new("json")))
        .collect();
    events.sort();
    let (mut lines, mut kept) = (0, Vec::new());
    for path in &events {
        let event = std::fs::read(path).unwrap();
        // Lambda never sends invalid JSON; another test does.
        if serde_json::from_slice::<Value>(&event).is_ok() {
            stage.compare(&mut process, &path.display().to_string(), &event).await;
            kept.extend(secrets(&event));
            lines += 1;
        }
    }
    assert!(lines > 50, "{lines} events");
    let (stdout, stderr) = process.stop();
    let decisions = stdout.iter().filter(|line| is_decision(line)).count();
    assert_eq!(decisions, lines, "one line for each request");
    assert_eq!(stderr, Vec::<String>::new());
    assert!(kept.len() > 20, "{} tokens", kept.len());
    assert_not_written(&stdout, &kept);
}

async fn tokens_of_today_open_what_the_policy_opens_and_nothing_else(runtime: Runtime) {
    decides_on_tokens_of_today(runtime, issuers()).await;
}

/// With the other build: `authorizer/edge/build small`.
async fn tokens_of_today_are_decided_on_the_same(runtime: Runtime) {
    decides_on_tokens_of_today(runtime, small_issuers()).await;
}

async fn the_library_decides_on_tokens_of_today(runtime: Runtime) {
    decides_on_tokens_of_today(runtime, issuers_as_library(Build::Fast)).await;
}

async fn the_small_library_decides_on_tokens_of_today(runtime: Runtime) {
    decides_on_tokens_of_today(runtime, issuers_as_library(Build::Small)).await;
}

async fn decides_on_tokens_of_today(runtime: Runtime, package: &Package) {
    let stage = Stage::of(package);
    let mut process = Process::start(runtime, stage.unpacked.folder()).await;
    process.ready().await;
    let mut kept = Vec::new();
    for algorithm in ALGORITHMS {
        let good = token(algorithm, "alice", &FILES);
        let admin = token(algorithm, "root", &[&FILES[..2], &["--claim", "role=admin"]].concat());
        let expired = token(algorithm, "alice", &[&FILES[..], &["--expires-in=-1h"]].concat());
        let other_audience = token(algorithm, "alice", &["--audience", "other", "--scope", "files"]);
        let id_token = token(algorithm, "alice", &[&FILES[..], &["--type", "JWT"]].concat());
        let no_scope = token(algorithm, "alice", &FILES[..2]);
        let not_yet = token(algorithm, "alice", &[&FILES[..], &["--claim", "nbf=4102444800"]].concat());
        let mut forged = good.clone().into_bytes();
        let at = forged.len() - 10;
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        let (mine, encoded) = ("/users/alice/a b.txt", "/users/alice/a%20b.txt");
        for (method, uri, token, status) in [
            ("GET", encoded, &good, None),
            ("HEAD", encoded, &good, None),
            ("PUT", encoded, &good, None),
            ("DELETE", encoded, &good, None),
            ("GET", "/users%2Falice/%61%20b.txt", &good, None),
            ("GET", encoded, &admin, None),
            ("DELETE", "/any/where", &admin, None),
            ("GET", "/public/x", &good, None),
            ("DELETE", "/records/x", &admin, Some("403")),
            ("GET", "/users/bob/x", &good, Some("403")),
            ("GET", encoded, &no_scope, Some("403")),
            ("GET", encoded, &expired, Some("401")),
            ("GET", encoded, &not_yet, Some("401")),
            ("GET", encoded, &other_audience, Some("401")),
            ("GET", encoded, &id_token, Some("401")),
            ("GET", encoded, &forged, Some("401")),
            ("GET", "/users/alice/../bob/x", &good, Some("400")),
            ("POST", encoded, &good, Some("405")),
        ] {
            let bearer = format!("Bearer {token}");
            let headers = [
                ("Authorization", bearer.as_str()),
                ("Cookie", "session=0123456789abcdef0123456789abcdef"),
                ("User-Agent", "curl/8"),
                ("X-Forwarded-For", "203.0.113.178"),
                ("Referer", "https://app.example/?code=0123456789abcdef"),
                ("If-None-Match", "*"),
            ];
            let event = event(method, uri, "", &headers);
            kept.extend(secrets(&event));
            let name = format!("{algorithm} {method} {uri}");
            let answer = stage.compare(&mut process, &name, &event).await;
            assert_eq!(answer["status"].as_str(), status, "{name}: {answer:#}");
            if status.is_some() {
                continue;
            }
            // The request that CloudFront will sign and send: this key, without the viewer's credentials.
            if uri.contains("alice") {
                assert_eq!(answer["uri"], encoded, "{name}, which is {mine}");
            }
            assert_eq!((&answer["querystring"], &answer["method"]), (&json!(""), &json!(method)));
            let sent = answer["headers"].as_object().unwrap();
            for name in ["authorization", "cookie", "referer"] {
                assert!(!sent.contains_key(name), "{sent:?}");
            }
            assert_eq!(sent["host"][0]["value"], "d111111abcdef8.cloudfront.net");
            assert!(!answer.to_string().contains(token.as_str()), "{answer:#}");
        }
        // Without a token, for public and private objects; and with two credentials, which is one too many.
        let bearer = format!("Bearer {good}");
        let authorization = ("Authorization", bearer.as_str());
        for (uri, query, headers, status) in [
            ("/public/x", "", vec![], None),
            ("/users/alice/x", "", vec![], Some("401")),
            ("/users/alice/x", "", vec![authorization, authorization], Some("400")),
            ("/users/alice/x", "acl", vec![authorization], Some("400")),
            ("/users/alice/x", "", vec![authorization, ("X-Amz-Copy-Source", "/b/users/bob/x")], Some("400")),
        ] {
            let event = event("GET", uri, query, &headers);
            let answer = stage.compare(&mut process, uri, &event).await;
            assert_eq!(answer["status"].as_str(), status, "{uri} {query}: {answer:#}");
        }
    }
    let (stdout, stderr) = process.stop();
    // After the line of the start.
    assert_eq!((stdout.len(), stderr), (1 + ALGORITHMS.len() * 23, Vec::new()));
    for line in &stdout[1..] {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["log_version"], 2);
        assert_eq!(line["distribution_id"], "EDFDVBD6EXAMPLE");
        assert_eq!(line["request_id"], "4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ==");
        assert_eq!(
            line["rule"].is_string(),
            line["decision"] == "allow" || line["reason"] == "denied_by_rule"
        );
        assert_ne!(line["subject"], "alice", "subjects are hashed");
    }
    assert!(kept.len() >= 18 * ALGORITHMS.len() * 2, "{}", kept.len());
    assert_not_written(&stdout, &kept);
}

async fn the_process_that_was_started_becomes_the_function(runtime: Runtime) {
    let stage = Stage::of(issuers());
    let function = Packaged::unpack(&issuers().zip, runtime, &clients(runtime).unwrap()).unwrap();
    assert_eq!(function.pid(), None);
    function.start().await.unwrap();
    let exe = std::fs::read_link(format!("/proc/{}/exe", function.pid().unwrap())).unwrap();
    assert_eq!(exe, function.folder().join("bootstrap").canonicalize().unwrap());

    let mut process = Process::start(runtime, stage.unpacked.folder()).await;
    process.ready().await;
    let proc = PathBuf::from(format!("/proc/{}", process.pid()));
    let exe = std::fs::read_link(proc.join("exe")).unwrap();
    assert_eq!(exe, stage.unpacked.file("bootstrap").canonicalize().unwrap());
    // The runtime left nothing: no child, and only the descriptors of the three streams, epoll and the connection.
    let children = std::fs::read_to_string(proc.join(format!("task/{}/children", process.pid())));
    assert_eq!(children.unwrap_or_default(), "");
    let status = std::fs::read_to_string(proc.join("status")).unwrap();
    let resident = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    println!("{runtime:?}: {resident}");

    // It says so itself, once.
    let line = process.stdout().wait_for("the line of the start", |all| all.first().cloned());
    let mut line: Value = serde_json::from_str(&line).unwrap();
    let by = line.as_object_mut().unwrap().remove("runtime");
    let mut expected = json!({
        "level": "info", "event": "start", "pid": process.pid(), "hand_over": "none", "build": "fast",
        "version": env!("CARGO_PKG_VERSION"), "bundle_sha256": stage.core.bundle().sha256(),
    });
    if runtime != Runtime::Native {
        expected["hand_over"] = json!("exec");
        expected["runtime_pid"] = json!(process.pid());
    }
    assert_eq!(line, expected);
    let by = by.as_ref().and_then(Value::as_str).unwrap_or_default();
    match runtime {
        Runtime::Native => assert_eq!(by, ""),
        // The machine's own.
        Runtime::Python => assert!(by.starts_with("python3."), "{by}"),
        Runtime::Node => assert_eq!(by, "nodejs24.x"),
    }
    assert_eq!(process.stop().0.len(), 1);
}

async fn the_process_stays_the_runtimes_and_says_so(runtime: Runtime) {
    let stage = Stage::of(issuers_as_library(Build::Small));
    let mut process = Process::start(runtime, stage.unpacked.folder()).await;
    process.ready().await;
    let proc = PathBuf::from(format!("/proc/{}", process.pid()));
    let exe = std::fs::read_link(proc.join("exe")).unwrap();
    assert!(exe.file_name().unwrap().to_str().unwrap().starts_with("python3"), "{exe:?}");
    let line = process.stdout().wait_for("the line of the start", |all| all.first().cloned());
    let mut line: Value = serde_json::from_str(&line).unwrap();
    assert!(line["runtime"].take().as_str().unwrap().starts_with("python3."), "{line}");
    let expected = json!({
        "level": "info", "event": "start", "pid": process.pid(), "hand_over": "library", "build": "small",
        "version": env!("CARGO_PKG_VERSION"), "bundle_sha256": stage.core.bundle().sha256(),
        "runtime": null, "runtime_pid": process.pid(),
    });
    assert_eq!(line, expected);
    assert_eq!(process.stop().0.len(), 1);
}

async fn the_library_refuses_what_is_no_event(runtime: Runtime) {
    refuses_what_is_no_event(runtime, issuers_as_library(Build::Fast)).await;
}

async fn what_is_no_event_is_refused_and_the_next_one_is_answered(runtime: Runtime) {
    refuses_what_is_no_event(runtime, issuers()).await;
}

async fn refuses_what_is_no_event(runtime: Runtime, package: &Package) {
    let stage = Stage::of(package);
    let mut process = Process::start(runtime, stage.unpacked.folder()).await;
    process.ready().await;
    let pid = process.pid();
    let bearer = format!("Bearer {}", token("EdDSA", "alice", &FILES));
    let good = event("GET", "/users/alice/x", "", &[("Authorization", &bearer)]);
    let text = String::from_utf8(good.clone()).unwrap();
    process.stdout().wait_for("the line of the start", |all| all.first().cloned());
    let mut lines = 1;

    // JSON that is not a viewer-request event: the core refuses it.
    for no_event in [
        "null".to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        "\"event\"".to_owned(),
        "1e400".to_owned(),
        r#"{"Records": []}"#.to_owned(),
        r#"{"Records": [{"s3": {"bucket": {"name": "b"}}}]}"#.to_owned(),
        text.replace("viewer-request", "origin-request"),
        text.replace("viewer-request", "viewer-response"),
        text.replace("\"method\":\"GET\",", "\"method\":\"GET\",\"method\":\"PUT\","),
        format!(r#"{{"Records": [{0}, {0}]}}"#, json!({"cf": {}})),
        "[".repeat(200) + &"]".repeat(200),
    ] {
        // What the runtime's client reads is an event.
        if stage.is_library && no_event.contains("\"method\":\"PUT\"") {
            continue;
        }
        let said = process.invoke(Bytes::from(no_event.clone())).await;
        let Said::Response(response) = said else { panic!("{no_event}: {said:?}") };
        let response: Value = serde_json::from_slice(&response).unwrap();
        assert_eq!(response["status"], "500", "{no_event}");
        assert_eq!(response, stage.decide(no_event.as_bytes()).0, "{no_event}");
        let line = process.stdout().wait_for("the line of the refusal", |all| all.get(lines).cloned());
        let line: Value = serde_json::from_str(&line).unwrap();
        assert!(["event_malformed", "event_wrong_trigger"].contains(&line["reason"].as_str().unwrap()));
        assert_eq!(stage.compare(&mut process, "the next", &good).await["uri"], "/users/alice/x");
        lines += 2;
    }
    // Invalid JSON: an error, which CloudFront answers with 502.
    for no_json in ["", "{", "not JSON", "{\"Records\": [", "\u{0}"] {
        let said = process.invoke(Bytes::from(no_json)).await;
        assert!(matches!(said, Said::Error(_)), "{no_json}: {said:?}");
        assert_eq!(stage.compare(&mut process, "the next", &good).await["uri"], "/users/alice/x");
        lines += 1;
    }
    assert_eq!(process.pid(), pid, "one process all along");
    let (mut stdout, _) = process.stop();
    // The runtime's client writes lines of its own about what is not JSON.
    stdout.retain(|line| !stage.is_library || line.starts_with('{'));
    assert_eq!(stdout.len(), lines, "{stdout:#?}");
}

/// Damages the bundle of an unpacked package.
type Spoil = fn(&[u8]) -> Option<Vec<u8>>;

const SPOILT: [(&str, &str, Spoil); 7] = [
    ("missing", "bundle_missing", |_| None),
    ("empty", "bundle_invalid", |_| Some(Vec::new())),
    ("truncated", "bundle_invalid", |bytes| Some(bytes[..bytes.len() / 2].to_vec())),
    ("without its end", "bundle_invalid", |bytes| Some(bytes[..bytes.len() - 2].to_vec())),
    ("altered by one byte", "bundle_invalid", |bytes| {
        // One key pattern, changed to match more.
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let at = text.find("users/{sub}/**").unwrap();
        let mut bytes = bytes.to_vec();
        bytes[at] = b'U';
        Some(bytes)
    }),
    ("altered by another policy", "bundle_invalid", |bytes| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Some(text.replace("users/{sub}/**", "**").into_bytes())
    }),
    ("of a newer format", "bundle_invalid", |bytes| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Some(text.replacen("\"format\":1", "\"format\":2", 1).into_bytes())
    }),
];

fn spoil(bundle: &Path, good: &[u8], spoil: Spoil) {
    match spoil(good) {
        Some(bytes) => {
            assert_ne!(bytes, good);
            std::fs::write(bundle, bytes).unwrap();
        }
        None => std::fs::remove_file(bundle).unwrap(),
    }
}

/// The only line that a function writes if it cannot start.
fn assert_start_failed(stdout: &[String], reason: &str, said: &str) {
    assert_eq!(stdout.len(), 1, "{stdout:#?}");
    let line: Value = serde_json::from_str(&stdout[0]).unwrap();
    assert_eq!(line["level"], "error", "{line}");
    assert_eq!(line["event"], "start_failed", "{line}");
    assert_eq!(line["reason"], reason, "{line}");
    assert!(line["message"].as_str().unwrap().contains(said), "{line}");
}

async fn a_bundle_that_is_not_whole_stops_the_function_before_its_first_event(runtime: Runtime) {
    stops_with_a_bundle_that_is_not_whole(runtime, issuers()).await;
}

async fn the_library_does_not_start_with_a_bundle_that_is_not_whole(runtime: Runtime) {
    stops_with_a_bundle_that_is_not_whole(runtime, issuers_as_library(Build::Fast)).await;
}

async fn stops_with_a_bundle_that_is_not_whole(runtime: Runtime, package: &Package) {
    let stage = Stage::of(package);
    let bundle = stage.unpacked.file("bundle.json");
    let good = std::fs::read(&bundle).unwrap();
    for (how, reason, spoilt) in SPOILT {
        spoil(&bundle, &good, spoilt);
        let (status, stdout, stderr) = Process::start(runtime, stage.unpacked.folder()).await.ends().await;
        assert_eq!(status.code(), Some(1), "{how}");
        assert_start_failed(&stdout, reason, "bundle.json");
        assert!(!stderr.join("\n").contains("panicked"), "{how}: {stderr:?}");
        if how.contains("newer") {
            assert!(stdout[0].contains("format 2"), "{stdout:?}");
        }
    }
    std::fs::write(&bundle, &good).unwrap();
    Process::start(runtime, stage.unpacked.folder()).await.ready().await;
}

async fn a_bootstrap_that_cannot_be_executed_is_one_line_and_the_end(runtime: Runtime) {
    let stage = Stage::of(issuers());
    let bootstrap = stage.unpacked.file("bootstrap");
    let bytes = std::fs::read(&bootstrap).unwrap();
    let cases: [(&str, &dyn Fn()); 3] = [
        ("not executable", &|| std::fs::set_permissions(&bootstrap, Permissions::from_mode(0o644)).unwrap()),
        ("missing", &|| std::fs::remove_file(&bootstrap).unwrap()),
        ("a folder", &|| std::fs::create_dir(&bootstrap).unwrap()),
    ];
    for (how, spoil) in cases {
        spoil();
        let (status, stdout, _) = Process::start(runtime, stage.unpacked.folder()).await.ends().await;
        assert_eq!(status.code(), Some(1), "{how}");
        assert_start_failed(&stdout, "bootstrap_not_executable", "bootstrap");
    }
    std::fs::remove_dir(&bootstrap).unwrap();
    if runtime == Runtime::Python {
        // Executable, and no program. Node.js 24 aborts at this one, without a line.
        std::fs::write(&bootstrap, "no program").unwrap();
        std::fs::set_permissions(&bootstrap, Permissions::from_mode(0o755)).unwrap();
        let (status, stdout, _) = Process::start(runtime, stage.unpacked.folder()).await.ends().await;
        assert_eq!(status.code(), Some(1));
        assert_start_failed(&stdout, "bootstrap_not_executable", "Exec format error");
    }
    // Written beside the file, so that the file is never open for writing when it is run.
    let beside = stage.unpacked.file("beside");
    std::fs::write(&beside, &bytes).unwrap();
    std::fs::set_permissions(&beside, Permissions::from_mode(0o755)).unwrap();
    std::fs::rename(&beside, &bootstrap).unwrap();
    Process::start(runtime, stage.unpacked.folder()).await.ready().await;
}

async fn a_library_that_cannot_be_loaded_is_one_line_and_the_end(runtime: Runtime) {
    let stage = Stage::of(issuers_as_library(Build::Fast));
    let library = stage.unpacked.file("libauthorizer.so");
    let bytes = std::fs::read(&library).unwrap();
    // A new file each time, and not the one that a process may have loaded.
    let becomes = |bytes: &[u8]| {
        let beside = stage.unpacked.file("beside");
        std::fs::write(&beside, bytes).unwrap();
        std::fs::rename(&beside, &library).unwrap();
    };
    let newer_glibc = |bytes: &[u8]| {
        let at = bytes.windows(10).position(|window| window == b"GLIBC_2.34").unwrap();
        [&bytes[..at], b"GLIBC_9.99", &bytes[at + 10..]].concat()
    };
    for (how, spoilt) in [
        ("missing", None),
        // Within the header. What is cut further back ends the process while it is loaded, without a line.
        ("cut", Some(bytes[..40].to_vec())),
        ("not a library", Some(b"not a library".repeat(100))),
        ("for another glibc", Some(newer_glibc(&bytes))),
    ] {
        match &spoilt {
            Some(spoilt) => becomes(spoilt),
            None => std::fs::remove_file(&library).unwrap(),
        }
        let (status, stdout, _) = Process::start(runtime, stage.unpacked.folder()).await.ends().await;
        assert_eq!(status.code(), Some(1), "{how}");
        assert_start_failed(&stdout, "library_not_loaded", "libauthorizer.so");
    }
    becomes(&bytes);
    Process::start(runtime, stage.unpacked.folder()).await.ready().await;
}

/// Before Node.js 22.15, a process cannot replace itself with another program.
async fn without_execve_the_shim_waits_for_the_function_and_ends_as_it_ended(_: Runtime) {
    let stage = Stage::of(issuers());
    let ends = || {
        let mut node = Command::new(root().join(".tools/runtimes/node/bin/node"));
        node.args(["--import", "data:text/javascript,delete process.execve", "index.mjs"]);
        let output = node.current_dir(stage.unpacked.folder()).env_clear().output().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(err, "");
        (output.status, out.lines().map(str::to_owned).collect::<Vec<_>>())
    };
    let (status, stdout) = ends();
    assert_eq!(status.code(), Some(1));
    assert_start_failed(&stdout, "not_in_lambda", "AWS_LAMBDA_RUNTIME_API");

    let bootstrap = stage.unpacked.file("bootstrap");
    std::fs::remove_file(&bootstrap).unwrap();
    let (status, stdout) = ends();
    assert_eq!(status.code(), Some(1));
    assert_start_failed(&stdout, "bootstrap_not_executable", "bootstrap");

    let becomes = |script: &str| {
        // Written beside the file, so that the file is never open for writing when it is run.
        let beside = stage.unpacked.file("beside");
        std::fs::write(&beside, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&beside, Permissions::from_mode(0o755)).unwrap();
        std::fs::rename(&beside, &bootstrap).unwrap();
        ends()
    };
    let (_, stdout) = becomes("echo $$ $AUTHORIZER_HANDED_OVER");
    let (own, handed_over) = stdout[0].split_once(' ').unwrap();
    assert!(
        handed_over.starts_with("nodejs24.x:") && !handed_over.ends_with(&format!(":{own}")),
        "{stdout:?}"
    );
    let (status, stdout) = becomes("echo of the function; exit 7");
    assert_eq!((status.code(), stdout), (Some(7), vec!["of the function".to_owned()]));
    let (status, stdout) = becomes("kill -KILL $$");
    assert_eq!((status.signal(), stdout), (Some(Signal::KILL.as_raw()), Vec::new()));
}

/// From Node.js 26 on, a failed execve() throws; before, it aborts the process.
async fn an_execve_that_throws_is_one_line_and_the_end(_: Runtime) {
    let stage = Stage::of(issuers());
    let throws = "data:text/javascript,process.execve = () => { throw new Error('ENOEXEC of bootstrap') }";
    let mut node = Command::new(root().join(".tools/runtimes/node/bin/node"));
    let output = node
        .args(["--import", throws, "index.mjs"])
        .current_dir(stage.unpacked.folder())
        .env_clear()
        .output();
    let output = output.unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(1), ""));
    let stdout: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_start_failed(&stdout, "bootstrap_not_executable", "ENOEXEC of bootstrap");
}

#[derive(Default)]
struct Heard(Mutex<Vec<RequestReport>>);

impl Observer for Heard {
    fn request(&self, report: &RequestReport) {
        self.0.lock().unwrap().push(report.clone());
    }

    fn function_log(&self, _line: &str) {}
}

async fn a_function_that_cannot_start_again_lets_nothing_through(runtime: Runtime) {
    cannot_start_again(runtime, issuers()).await;
}

async fn a_library_that_cannot_start_again_lets_nothing_through(runtime: Runtime) {
    cannot_start_again(runtime, issuers_as_library(Build::Fast)).await;
}

async fn cannot_start_again(runtime: Runtime, package: &Package) {
    let function = Packaged::unpack(&package.zip, runtime, &clients(runtime).unwrap()).unwrap();
    let folder = function.folder().to_owned();
    let (data, heard) = (tempfile::tempdir().unwrap(), Arc::new(Heard::default()));
    let running = Distribution::start(Settings {
        listen: "127.0.0.1:0".parse().unwrap(),
        tls: None,
        bucket: "files".to_owned(),
        bucket_options: BucketOptions::default(),
        region: "us-east-1".to_owned(),
        credentials: Credentials::random().unwrap(),
        data_dir: data.path().to_owned(),
        function: Function::Packaged(function),
        response_headers: Arc::new(|_| Vec::new()),
        observer: Arc::clone(&heard) as Arc<dyn Observer>,
    })
    .await
    .unwrap();
    let end = || {
        let Function::Packaged(function) = running.function() else { panic!("a package") };
        // After a failed start, there is no process.
        if let Some(pid) = function.pid() {
            kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), Signal::KILL).unwrap();
            // A process needs a moment to end; the distribution can see it when it is a zombie.
            let deadline = Instant::now() + DEADLINE;
            let stat = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            while !(stat().is_empty() || stat().contains(") Z ")) {
                assert!(Instant::now() < deadline, "{pid} lives on");
                std::thread::yield_now();
            }
        }
    };
    let viewer = Viewer::of(running.addr());
    let bearer = format!("Bearer {}", token("EdDSA", "alice", &FILES));
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(viewer.ask("PUT", "/users/alice/x", &headers, "good").await.status, 200);
    let file = EmbeddedS3::file(data.path(), "files", "users/alice/x").unwrap();

    let (bundle, bootstrap) = (folder.join("bundle.json"), folder.join("bootstrap"));
    let good = std::fs::read(&bundle).unwrap();
    let mut asked = 1;
    let mut refused = async |how: &str, says: &str| {
        for (method, path, body) in [
            ("PUT", "/users/alice/x", "evil"),
            ("GET", "/users/alice/x", ""),
            ("DELETE", "/users/alice/x", ""),
        ] {
            let answer = viewer.ask(method, path, &headers, body).await;
            assert_eq!(answer.status, 503, "{how} {method}: {}", answer.body);
            assert_eq!(answer.header("x-cache"), "LambdaExecutionError from cloudfront");
            let report = heard.0.lock().unwrap()[asked].clone();
            assert!(!report.forwarded && report.record.is_none(), "{how}: {report:?}");
            let problem = report.problem.unwrap();
            assert!(problem.contains(says), "{how}: {problem}");
            asked += 1;
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "good", "{how}");
    };
    for (how, reason, spoilt) in SPOILT {
        spoil(&bundle, &good, spoilt);
        end();
        refused(how, reason).await;
    }
    std::fs::write(&bundle, &good).unwrap();
    let library = folder.join("libauthorizer.so");
    if library.exists() {
        let aside = folder.join("aside");
        std::fs::rename(&library, &aside).unwrap();
        end();
        refused("without the library", "library_not_loaded").await;
        std::fs::rename(&aside, &library).unwrap();
    } else {
        std::fs::set_permissions(&bootstrap, Permissions::from_mode(0o644)).unwrap();
        end();
        let says = if runtime == Runtime::Native { "Permission denied" } else { "bootstrap_not_executable" };
        refused("not executable", says).await;
        std::fs::set_permissions(&bootstrap, Permissions::from_mode(0o755)).unwrap();
    }
    let answer = viewer.ask("GET", "/users/alice/x", &headers, "").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "good"), "and mended it serves again");
    running.stop().await;
}

fn runtime_name(runtime: Runtime) -> &'static str {
    match runtime {
        Runtime::Native => "native",
        Runtime::Python => "python",
        Runtime::Node => "node",
    }
}

async fn serve_runs_the_package(runtime: Runtime) {
    serve_runs(runtime, sample()).await;
}

async fn serve_runs_the_package_of_the_library(runtime: Runtime) {
    serve_runs(runtime, sample_as_library(Build::Small)).await;
}

async fn serve_runs(runtime: Runtime, package: &Package) {
    // A sample with the package's key; `serve` makes its tokens.
    let folder = tempfile::tempdir().unwrap();
    let Package { policy, zip } = package;
    std::fs::create_dir(folder.path().join("keys")).unwrap();
    for name in ["policy.toml", "keys/sample.jwks.json", "keys/sample.private.pem"] {
        std::fs::copy(policy.with_file_name(name), folder.path().join(name)).unwrap();
    }
    let arguments = |zip: &Path| {
        let sample = folder.path().to_str().unwrap();
        let words = ["--sample", sample, "--function", zip.to_str().unwrap()];
        let words = words.into_iter().chain(["--runtime", runtime_name(runtime)]);
        words.map(|word| OsStr::new(word).to_owned()).collect::<Vec<_>>()
    };
    let good = arguments(zip);
    let served = Served::start(folder.path(), good.iter().map(|word| &**word));
    let (alice, bob) = (served.bearer("alice"), served.bearer("bob"));
    let path = "/users/alice/x";
    let as_alice = [("authorization", alice.as_str())];
    assert_eq!(served.viewer.ask("PUT", path, &as_alice, "hers").await.status, 200);
    assert_eq!(std::fs::read_to_string(served.file("users/alice/x")).unwrap(), "hers");
    let answer = served.viewer.ask("GET", path, &as_alice, "").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "hers"));
    for method in ["PUT", "DELETE"] {
        let answer = served.viewer.ask(method, path, &[("authorization", &bob)], "evil").await;
        assert_eq!(answer.status, 403, "{method}");
    }
    assert_eq!(served.viewer.ask("GET", path, &[], "").await.status, 401);
    assert_eq!(served.viewer.ask("POST", path, &as_alice, "evil").await.status, 405);
    assert_eq!(std::fs::read_to_string(served.file("users/alice/x")).unwrap(), "hers");
    let (status, stdout, stderr) = served.interrupt();
    assert_eq!(status.code(), Some(0));
    // The line of the start, and no other.
    let of_starts = |line: &String| line.starts_with("function {") && line.contains("hand_over");
    assert!(stderr.all().len() <= 1 && stderr.all().iter().all(of_starts), "{}", stderr.text());
    let of_requests = |line: &&String| line.contains(path) || line.contains("users/alice/x");
    assert_eq!(stdout.all().iter().filter(of_requests).count(), 6, "{}", stdout.text());

    // A package that cannot start is not served at all.
    let broken = folder.path().join("broken.zip");
    rewrite(zip, &broken, |bytes| String::from_utf8(bytes).unwrap().replace("users/{sub}/**", "**").into());
    let broken = arguments(&broken);
    let output = serve(broken.iter().map(|word| &**word), "127.0.0.1:0").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout), (Some(2), Vec::new()), "{stderr}");
    for part in ["bundle_invalid", "changed after it was packaged"] {
        assert!(stderr.contains(part), "{part} in\n{stderr}");
    }
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[tokio::test]
async fn what_a_package_serves_is_recorded_and_replayed_by_its_policy() {
    let folder = tempfile::tempdir().unwrap();
    let Package { policy, zip } = sample();
    std::fs::create_dir(folder.path().join("keys")).unwrap();
    for name in ["policy.toml", "keys/sample.jwks.json", "keys/sample.private.pem"] {
        std::fs::copy(policy.with_file_name(name), folder.path().join(name)).unwrap();
    }
    let recording = folder.path().join("recording");
    let words = ["--sample", "--function", "--record"].map(OsStr::new);
    let values = [folder.path(), zip.as_path(), recording.as_path()].map(Path::as_os_str);
    let served =
        Served::start(folder.path(), words.into_iter().zip(values).flat_map(|(one, other)| [one, other]));
    let (alice, bob) = (served.bearer("alice"), served.bearer("bob"));
    for (method, token, status) in [("PUT", &alice, 200), ("GET", &alice, 200), ("GET", &bob, 403)] {
        let answer = served.viewer.ask(method, "/users/alice/x", &[("authorization", token)], "").await;
        assert_eq!(answer.status, status, "{method}");
    }
    let (_, _, stderr) = served.interrupt();
    assert!(stderr.text().contains("recorded 3 requests in"), "{}", stderr.text());
    let mut replay = std::process::Command::new(authorizer_e2e::binaries::authorizer());
    let output =
        replay.arg("replay").arg("--policy").arg(policy).arg("--recording").arg(&recording).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        (output.status.code(), text.as_str()),
        (Some(0), "3 events, 0 differences from what was recorded\n")
    );
}

/// Writes the package again with another bundle.
fn rewrite(from: &Path, to: &Path, change: impl Fn(Vec<u8>) -> Vec<u8>) {
    use std::fs::File;
    use std::io::{Read as _, Write as _};
    use zip::write::SimpleFileOptions;
    use zip::{ZipArchive, ZipWriter};

    let mut from = ZipArchive::new(File::open(from).unwrap()).unwrap();
    let mut to = ZipWriter::new(File::create(to).unwrap());
    for index in 0..from.len() {
        let mut entry = from.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let bytes = if name == "bundle.json" { change(bytes) } else { bytes };
        let options = SimpleFileOptions::default().unix_permissions(entry.unix_mode().unwrap());
        to.start_file(name, options).unwrap();
        to.write_all(&bytes).unwrap();
    }
    to.finish().unwrap();
}
