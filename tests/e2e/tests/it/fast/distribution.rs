//! `authorizer serve --sample`, used by two users and their administrator.

use std::convert::Infallible;
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use authorizer_e2e::binaries::authorizer;
use authorizer_e2e::served::{DEADLINE, Served, serve};
use authorizer_e2e::skipped::skip;
use authorizer_e2e::viewer::{Answer, Viewer};
use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use futures_util::stream;
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt as _, Empty, StreamBody};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

async fn ask(served: &Served, who: &str, method: &str, path: &str, body: &str) -> Answer {
    let bearer = served.bearer(who);
    served.viewer.ask(method, path, &[("authorization", &bearer)], body).await
}

/// Sends a request as a user, or without a token.
async fn ask_as(served: &Served, who: Option<&str>, method: &str, path: &str, body: &str) -> Answer {
    match who {
        Some(who) => ask(served, who, method, path, body).await,
        None => served.viewer.ask(method, path, &[], body).await,
    }
}

#[tokio::test]
async fn each_user_keeps_a_folder_and_the_administrator_all_of_them() {
    let served = Served::sample();
    let path = "/users/alice/a%20%C3%A9.txt";

    for who in ["alice", "admin"] {
        assert_eq!(ask(&served, who, "PUT", path, who).await.status, 200);
        let file = served.file("users/alice/a é.txt");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), who);
        let answer = ask(&served, who, "GET", path, "").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, who));
        assert_eq!(answer.header("x-cache"), "Miss from cloudfront");
        let answer = ask(&served, who, "HEAD", path, "").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
        assert_eq!(answer.header("content-length"), who.len().to_string());
        let deleted = ask(&served, who, "DELETE", path, "").await;
        assert_eq!((deleted.status, deleted.header("x-amz-delete-marker")), (204, "true"));
        assert!(file.exists(), "it is an older version now");
        assert_eq!(ask(&served, who, "GET", path, "").await.status, 404, "S3's own answer");
    }

    for (who, path) in [("bob", "/users/bob/x"), ("admin", "/public/x"), ("admin", "/any/where")] {
        assert_eq!(ask(&served, who, "PUT", path, who).await.status, 200);
        assert_eq!(std::fs::read_to_string(served.file(path.trim_start_matches('/'))).unwrap(), who);
    }
    let public = served.viewer.ask("GET", "/public/x", &[], "").await;
    assert_eq!((public.status, public.body.as_str()), (200, "admin"), "and everyone reads what is public");
}

#[tokio::test]
async fn who_may_not_is_refused_and_every_byte_stays_as_it_was() {
    let served = Served::sample();
    for path in ["/users/alice/x", "/public/x", "/records/x"] {
        assert_eq!(ask(&served, "admin", "PUT", path, "mine").await.status, 200);
    }
    let before = served.everything();
    for (who, path, status) in [
        (Some("bob"), "/users/alice/x", 403),
        (Some("bob"), "/users/alice/new", 403),
        (Some("bob"), "/users/alic%65/x", 403),
        (Some("bob"), "/users/alice%2Fx", 403),
        (Some("bob"), "/records/x", 403),
        (None, "/users/alice/x", 401),
        (None, "/any/where", 401),
    ] {
        for method in ["GET", "HEAD", "PUT", "DELETE"] {
            // CloudFront refuses a GET with a body.
            let body = if method == "GET" { "" } else { "evil" };
            let answer = ask_as(&served, who, method, path, body).await;
            assert_eq!(answer.status, status, "{who:?} {method} {path}");
            assert!(!answer.body.contains("mine"), "{answer:?}");
            assert_eq!(answer.header("x-cache"), "LambdaGeneratedResponse from cloudfront");
            assert_eq!(answer.header("cache-control"), "no-store");
            assert_eq!(answer.header("content-type"), "application/problem+json");
            assert_eq!(answer.header("www-authenticate").starts_with("Bearer realm="), status == 401);
            if method != "HEAD" {
                let problem: Value = serde_json::from_str(&answer.body).unwrap();
                assert_eq!(problem["status"], status);
                assert_eq!(problem["request_id"], answer.header("x-amz-cf-id"));
            }
        }
    }
    // A public folder is not writable for everybody; and a deny rule also applies to the administrator.
    for (who, method, path) in [
        (Some("bob"), "PUT", "/public/x"),
        (Some("bob"), "DELETE", "/public/x"),
        (Some("admin"), "DELETE", "/records/x"),
        (None, "PUT", "/public/x"),
        (None, "DELETE", "/public/x"),
    ] {
        let answer = ask_as(&served, who, method, path, "evil").await;
        assert_eq!(answer.status, if who.is_some() { 403 } else { 401 }, "{who:?} {method} {path}");
    }
    assert_eq!(served.everything(), before);
}

#[tokio::test]
async fn no_spelling_of_a_path_leads_out_of_the_folder_that_was_decided_on() {
    let served = Served::sample();
    assert_eq!(ask(&served, "bob", "PUT", "/users/bob/x", "bobs").await.status, 200);
    let before = served.everything();
    let alice = format!("Authorization: {}", served.bearer("alice"));
    for target in [
        "/users/alice/../bob/x",
        "/users/alice/%2e%2e/bob/x",
        "/users/alice/%2E./bob/x",
        "/users/alice/.%2e/bob/x",
        "/users/alice/..%2fbob%2fx",
        "/users/alice/..%2Fbob/x",
        "/users/alice%2F..%2Fbob%2Fx",
        "/users/alice/..\\bob\\x",
        "/users/alice/..%5Cbob%5Cx",
        "/users/alice/../../users/bob/x",
        "/./users/bob/x",
        "/users//bob/x",
        "//users/bob/x",
        "/%2Fusers/bob/x",
        "/users/alice//x",
        "/users/alice/%2Fx",
        "/users/alice/./x",
        "/users/alice/a+b",
        "/users/alice/%00",
        "/users/alice/%0d%0aX-Injected:%201",
        "/users/alice/%",
        "/users/alice/%zz",
        "/users/alice/%ff",
        "/",
    ] {
        for method in ["GET", "PUT", "DELETE"] {
            let (status, answer) = served.viewer.raw_head(method, target, &[&alice, "Content-Length: 0"]);
            assert_eq!(status, 400, "{method} {target}: {answer}");
            assert!(!answer.contains("bobs"), "{method} {target}: {answer}");
        }
    }
    // Decoded only once: this does not lead to bob's folder, but is a key of alice's own.
    for target in ["/users/alice/%252e%252e/bob/x", "/users/alice/%252Fx"] {
        let (status, answer) = served.viewer.raw_head("GET", target, &[&alice]);
        assert_eq!(status, 404, "{target}: {answer}");
    }
    // Other people's folders, in any spelling.
    for target in
        ["/users%2Fbob%2Fx", "/users/%62ob/x", "/%75sers/bob/x", "/users/alice%2F%252e%252e/../bob/x"]
    {
        let (status, answer) = served.viewer.raw_head("GET", target, &[&alice]);
        assert!([400, 403].contains(&status) && !answer.contains("bobs"), "{target}: {answer}");
    }
    // An absolute target, and one with another host, get the same decision.
    for target in ["http://other.example/users/bob/x", "http://other.example/users/alice/../bob/x"] {
        let (status, answer) = served.viewer.raw_head("GET", target, &[&alice]);
        assert!([400, 403].contains(&status) && !answer.contains("bobs"), "{target}: {answer}");
    }
    // An encoded slash is a slash: this is alice's own object in another spelling.
    assert_eq!(ask(&served, "alice", "PUT", "/users/alice%2Fdeep%2fx", "hers").await.status, 200);
    assert_eq!(std::fs::read_to_string(served.file("users/alice/deep/x")).unwrap(), "hers");
    assert_eq!(ask(&served, "alice", "DELETE", "/users/alice/deep/x", "").await.status, 204);
    let objects = |all: Vec<(PathBuf, Vec<u8>)>| {
        let is_object = |path: &Path| path.starts_with(served.bucket().join("objects")) && path.is_file();
        all.into_iter().filter(|(path, _)| is_object(path)).collect::<Vec<_>>()
    };
    // What she deleted stays, as an older version in her own folder.
    let mut after = objects(served.everything());
    after.retain(|(path, _)| !path.starts_with(served.bucket().join("objects/users/alice/deep")));
    assert_eq!(after, objects(before));
}

#[tokio::test]
async fn what_would_make_it_another_operation_is_refused_and_the_target_is_not_written() {
    let served = Served::sample();
    assert_eq!(ask(&served, "bob", "PUT", "/users/bob/x", "bobs").await.status, 200);
    assert_eq!(ask(&served, "alice", "PUT", "/users/alice/x", "hers").await.status, 200);
    let before = served.everything();
    let bearer = served.bearer("alice");
    for (name, value) in [
        ("x-amz-copy-source", "/local-bucket/users/bob/x"),
        ("X-Amz-Copy-Source", "local-bucket%2Fusers%2Fbob%2Fx"),
        ("x-amz-copy-source-range", "bytes=0-1"),
        ("x-amz-acl", "public-read"),
        ("x-amz-grant-full-control", "id=1"),
        ("x-amz-tagging", "a=b"),
        ("x-amz-website-redirect-location", "https://evil.example/"),
        ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
        ("x-amz-object-lock-mode", "COMPLIANCE"),
        ("x-amz-security-token", "x"),
        ("x-http-method-override", "DELETE"),
    ] {
        for path in ["/users/alice/copy", "/users/alice/x"] {
            let headers = [("authorization", bearer.as_str()), (name, value)];
            let answer = served.viewer.ask("PUT", path, &headers, "").await;
            assert_eq!(answer.status, 400, "PUT {path} with {name}");
            assert!(answer.body.contains(&name.to_ascii_lowercase()), "{}", answer.body);
        }
    }
    for query in [
        "acl",
        "acl=",
        "tagging",
        "versionId=1",
        "uploads",
        "uploadId=1&partNumber=1",
        "delete",
        "list-type=2&prefix=users/bob/",
        "response-content-type=text/html",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature=0",
        "x-amz-security-token=x",
        "x-id=CopyObject",
        "a=b",
        "&",
        "%61cl",
    ] {
        for method in ["GET", "PUT", "DELETE"] {
            let path = format!("/users/alice/x?{query}");
            let body = if method == "GET" { "" } else { "evil" };
            let answer = ask(&served, "alice", method, &path, body).await;
            assert_eq!(answer.status, 400, "{method} {path}");
            assert!(!answer.body.contains("hers"), "{method} {path}");
        }
    }
    assert_eq!(served.everything(), before);
}

#[tokio::test]
async fn two_credentials_are_one_too_many() {
    let served = Served::sample();
    assert_eq!(ask(&served, "alice", "PUT", "/users/alice/x", "hers").await.status, 200);
    let (alice, bob) = (served.bearer("alice"), served.bearer("bob"));
    let line = |value: &str| format!("Authorization: {value}");
    for headers in [
        [line(&alice), line(&bob)],
        [line(&bob), line(&alice)],
        [line(&alice), line(&alice)],
        [line(&alice), line("Basic YTpi")],
        [line("AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=0"), line(&alice)],
        [line(&format!("{alice}, {bob}")), "X-Nothing: 1".to_owned()],
    ] {
        let headers = headers.each_ref().map(String::as_str);
        let (status, answer) = served.viewer.raw_head("GET", "/users/alice/x", &headers);
        assert_eq!(status, 400, "{answer}");
        assert!(answer.contains("error=\"invalid_request\"") && !answer.contains("hers"), "{answer}");
    }
}

#[tokio::test]
async fn neither_the_token_nor_a_cookie_is_kept_or_written_anywhere() {
    let served = Served::sample();
    let bearer = served.bearer("alice");
    let token = bearer.trim_start_matches("Bearer ");
    let cookie = "session=not-for-the-bucket";
    let headers = [
        ("authorization", bearer.as_str()),
        ("cookie", cookie),
        ("content-type", "text/plain"),
        ("referer", "https://app.example/?code=not-for-the-bucket"),
    ];
    for method in ["PUT", "GET", "HEAD"] {
        let body = if method == "PUT" { "hers" } else { "" };
        // The bucket refuses requests with two signatures, or with another one than the distribution's.
        let answer = served.viewer.ask(method, "/users/alice/x", &headers, body).await;
        assert_eq!(answer.status, 200, "{method}");
        let echoed = format!("{:?}{}", answer.headers, answer.body);
        assert!(!echoed.contains(token) && !echoed.contains("not-for-the-bucket"), "{echoed}");
    }
    let refused = served.viewer.ask("GET", "/users/bob/x", &headers, "").await;
    assert_eq!(refused.status, 403);
    // An invalid token must not be visible either.
    let bad = format!("{bearer}AAAA");
    assert_eq!(served.viewer.ask("GET", "/users/alice/x", &[("authorization", &bad)], "").await.status, 401);

    served.stdout().wait_for("the line of the last request", |lines| {
        lines.iter().find(|line| line.contains("401 GET")).cloned()
    });
    let signature = token.rsplit('.').next().unwrap();
    for (path, bytes) in served.everything() {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(signature) && !text.contains("not-for-the-bucket"), "{}", path.display());
    }
    let (_, stdout, stderr) = served.interrupt();
    let written = format!("{}{}", stdout.text(), stderr.text());
    assert!(!written.contains(signature) && !written.contains("not-for-the-bucket"), "{written}");
}

#[tokio::test]
async fn another_method_is_405_and_told_what_is_allowed() {
    let served = Served::sample();
    let before = served.everything();
    for method in ["POST", "PATCH", "OPTIONS"] {
        for who in ["alice", "admin"] {
            let answer = ask(&served, who, method, "/users/alice/x", "evil").await;
            assert_eq!(answer.status, 405, "{method}");
            assert_eq!(answer.header("allow"), "GET, HEAD, PUT, DELETE", "{method}");
        }
    }
    assert_eq!(served.everything(), before);
}

#[tokio::test]
async fn ranges_and_conditions_reach_the_bucket() {
    let served = Served::sample();
    let path = "/users/alice/x";
    let bearer = served.bearer("alice");
    let auth = ("authorization", bearer.as_str());
    let put = served.viewer.ask("PUT", path, &[auth, ("content-type", "text/x-mine")], "0123456789").await;
    assert_eq!(put.status, 200);

    for (range, status, body) in [("bytes=2-4", 206, "234"), ("bytes=-2", 206, "89"), ("bytes=99-", 416, "")]
    {
        let answer = served.viewer.ask("GET", path, &[auth, ("range", range)], "").await;
        assert_eq!(answer.status, status, "{range}: {}", answer.body);
        if status == 206 {
            assert_eq!(answer.body, body, "{range}");
            assert_eq!(answer.header("content-type"), "text/x-mine");
            assert!(answer.header("content-range").ends_with("/10"), "{:?}", answer.headers);
        }
    }

    // An upload that must not overwrite; and conditions that would reveal the stored object, right or wrong.
    let etag = served.viewer.ask("HEAD", path, &[auth], "").await.header("etag").to_owned();
    assert!(etag.starts_with('"'), "{etag}");
    for (name, value, status) in
        [("if-none-match", "*", 412), ("if-match", "\"another\"", 400), ("if-match", etag.as_str(), 400)]
    {
        let before = std::fs::read(served.file("users/alice/x")).unwrap();
        let answer = served.viewer.ask("PUT", path, &[auth, (name, value)], "new").await;
        assert_eq!(answer.status, status, "{name}: {value}: {}", answer.body);
        assert_eq!(std::fs::read(served.file("users/alice/x")).unwrap(), before, "{name}: {value}");
    }
    let new = served.viewer.ask("PUT", "/users/alice/new", &[auth, ("if-none-match", "*")], "new").await;
    assert_eq!(new.status, 200);

    // They cannot bypass the decision either.
    let bob = served.bearer("bob");
    for condition in [("range", "bytes=0-0"), ("if-none-match", etag.as_str()), ("if-match", etag.as_str())] {
        for method in ["GET", "HEAD", "PUT"] {
            let body = if method == "PUT" { "evil" } else { "" };
            let answer = served.viewer.ask(method, path, &[("authorization", &bob), condition], body).await;
            let is_refused_unread = method == "PUT" && condition.0 != "range";
            assert_eq!(answer.status, if is_refused_unread { 400 } else { 403 }, "{method} {condition:?}");
        }
    }
    assert_eq!(std::fs::read(served.file("users/alice/x")).unwrap(), b"0123456789");
}

const CHUNK: usize = 64 * 1024;
const CHUNKS: usize = 1600;

fn chunk(i: usize) -> Bytes {
    let mut chunk = vec![u8::try_from(i % 251).unwrap(); CHUNK];
    chunk[0] = u8::try_from(i / 251).unwrap();
    chunk.into()
}

/// The peak memory of the process so far, in bytes.
fn high_water_mark(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_hundred_megabytes_go_up_and_come_down_unchanged_and_are_never_held() {
    let served = Served::sample();
    let bearer = served.bearer("alice");
    let mut expected = Context::new(&SHA256);
    (0..CHUNKS).for_each(|i| expected.update(&chunk(i)));
    // Without the memory that only the first request needs.
    assert_eq!(ask(&served, "alice", "PUT", "/users/alice/small", "x").await.status, 200);
    assert_eq!(ask(&served, "alice", "GET", "/users/alice/small", "").await.status, 200);
    let before = high_water_mark(served.pid());

    let started = Instant::now();
    let url = served.viewer.url("/users/alice/large");
    let chunks = (0..CHUNKS).map(|i| Ok::<_, Infallible>(Frame::data(chunk(i))));
    let put = Request::put(&url).header("authorization", &bearer).header("content-length", CHUNK * CHUNKS);
    let put = put.body(StreamBody::new(stream::iter(chunks)).boxed()).unwrap();
    assert_eq!(served.viewer.send(put).await.status(), 200);
    let uploaded = started.elapsed();
    let length = served.file("users/alice/large").metadata().unwrap().len();
    assert_eq!(length, u64::try_from(CHUNK * CHUNKS).unwrap());

    let get = Request::get(&url).header("authorization", &bearer).body(Empty::new().boxed()).unwrap();
    let response = served.viewer.send(get).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-length"], (CHUNK * CHUNKS).to_string());
    let (mut body, mut read) = (response.into_body(), Context::new(&SHA256));
    while let Some(frame) = body.frame().await {
        read.update(&frame.unwrap().into_data().unwrap());
    }
    assert_eq!(read.finish().as_ref(), expected.finish().as_ref());

    let growth = high_water_mark(served.pid()).saturating_sub(before);
    println!("up in {uploaded:?}, up and down in {:?}, {} KB more memory", started.elapsed(), growth / 1024);
    assert!(growth < 50 * 1024 * 1024, "{} MB more than before", growth / 1024 / 1024);
}

#[tokio::test]
async fn a_token_in_a_named_header_or_in_the_cookie_of_the_last_user_opens_what_it_opens_elsewhere() {
    let served = Served::sample();
    let policy = served.policy();
    let text = std::fs::read_to_string(&policy).unwrap();
    let places = "[credentials]\nheader = \"Cf-Access-Jwt-Assertion\"\n\
        cookie = \"CognitoIdentityServiceProvider.c1.*.accessToken\"\n\n[[rules]]";
    std::fs::write(&policy, text.replacen("[[rules]]", places, 1)).unwrap();
    let [alice, bob] = ["alice", "bob"].map(|who| served.bearer(who).replace("Bearer ", ""));
    let (name, path) = ("cf-access-jwt-assertion", "/users/alice/named");
    let deadline = Instant::now() + DEADLINE;
    while served.viewer.ask("PUT", path, &[(name, &alice)], "hers").await.status != 200 {
        assert!(Instant::now() < deadline, "the header never counts");
    }
    let evil = ("origin", "https://evil.example");
    for (headers, method, status) in [
        (vec![(name, alice.as_str())], "GET", 200),
        (vec![(name, bob.as_str())], "GET", 403),
        (vec![(name, "x")], "GET", 401),
        (vec![("x-jwt-assertion", alice.as_str())], "GET", 401),
        (vec![(name, alice.as_str()), evil], "PUT", 403),
        (vec![(name, alice.as_str()), (name, alice.as_str())], "GET", 400),
    ] {
        let answer = served.viewer.ask(method, path, &headers, "").await;
        assert_eq!(answer.status, status, "{method} {headers:?}");
    }
    let start = "CognitoIdentityServiceProvider.c1";
    let both = format!("{start}.a%40x.org.accessToken={alice}; {start}.bob.accessToken={bob}");
    for (user, status) in [("; LAST=a@x.org", 200), ("; LAST=bob", 403), ("; LAST=carol", 401), ("", 400)] {
        let cookies = format!("{both}{}", user.replace("LAST", &format!("{start}.LastAuthUser")));
        let answer = served.viewer.ask("GET", path, &[("cookie", &cookies)], "").await;
        assert_eq!(answer.status, status, "{user}");
    }
}

/// Repeats a request until it gets this status.
async fn until(served: &Served, who: &str, method: &str, path: &str, status: u16) {
    let deadline = Instant::now() + DEADLINE;
    while ask(served, who, method, path, "").await.status != status {
        assert!(Instant::now() < deadline, "{who} {method} {path} never was {status}");
    }
}

#[tokio::test]
async fn an_edit_of_the_policy_counts_at_once_and_a_broken_one_not_at_all() {
    let served = Served::sample();
    let policy = served.policy();
    let good = std::fs::read_to_string(&policy).unwrap();
    let path = "/users/alice/x";
    assert_eq!(ask(&served, "bob", "GET", path, "").await.status, 403);

    let open = good.replace("users/{sub}/**", "users/*/**");
    assert_ne!(open, good);
    std::fs::write(&policy, &open).unwrap();
    until(&served, "bob", "GET", path, 404).await;

    // As an editor saves: a new file replaces the old one.
    let beside = policy.with_extension("new");
    std::fs::write(&beside, &good).unwrap();
    std::fs::rename(&beside, &policy).unwrap();
    until(&served, "bob", "GET", path, 403).await;

    let broken = open.replace("effect  = \"allow\"", "effect  = \"perhaps\"");
    let place = broken.lines().position(|line| line.contains("perhaps")).unwrap() + 1;
    for (broken, place) in [(broken.as_str(), place), ("version = 1\n[[rules]\n", 2)] {
        let seen = served.stderr().all().len();
        std::fs::write(&policy, broken).unwrap();
        let complaint = served.stderr().wait_for("what is wrong with the policy", |lines| {
            let new = lines.get(seen..)?;
            new.iter().any(|line| line.contains("the last good policy still decides")).then(|| new.join("\n"))
        });
        assert!(complaint.contains(&format!("policy.toml:{place}:")), "{complaint}");
        assert_eq!(ask(&served, "bob", "GET", path, "").await.status, 403, "the last good one decides");
        assert_eq!(ask(&served, "alice", "GET", path, "").await.status, 404);
    }
    std::fs::write(&policy, &open).unwrap();
    until(&served, "bob", "GET", path, 404).await;

    // A key file is part of the policy: with another key, no token is valid.
    let keys = served.folder().join("keys/sample.jwks.json");
    let text = std::fs::read_to_string(&keys).unwrap();
    let mut other: Value = serde_json::from_str(&text).unwrap();
    other["keys"][0]["x"] = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".into();
    std::fs::write(&keys, other.to_string()).unwrap();
    until(&served, "alice", "GET", path, 401).await;
    std::fs::write(&keys, &text).unwrap();
    until(&served, "alice", "GET", path, 404).await;

    // A key file that does not exist yet, in a folder that does not exist yet; meanwhile other files are created.
    let seen = served.stderr().all().len();
    let complaints = |lines: &[String]| {
        lines[seen..].iter().filter(|line| line.contains("the last good policy still decides")).count()
    };
    let moved = open.replace("users/*/**", "users/{sub}/**").replace("keys/sample", "keys/new/sample");
    std::fs::write(&policy, moved).unwrap();
    served.stderr().wait_for("that the key file is missing", |lines| (complaints(lines) > 0).then_some(()));
    for noise in 0..3 {
        std::fs::write(served.folder().join("noise"), noise.to_string()).unwrap();
    }
    std::fs::create_dir(served.folder().join("keys/new")).unwrap();
    std::fs::write(served.folder().join("keys/new/sample.jwks.json"), &text).unwrap();
    until(&served, "bob", "GET", path, 403).await;
    // One reload for the policy; another one if the key file was seen before it was complete.
    assert!(complaints(&served.stderr().all()) <= 2, "{}", served.stderr().text());
}

#[tokio::test]
async fn the_bucket_is_the_one_that_the_templates_make_for_the_policy() {
    let served = Served::sample();
    let policy = served.policy();
    let listing = std::fs::read_to_string(&policy).unwrap();
    let path = "/users/alice/x";
    // The rule lists, so the distribution may, and S3 tells that an object is missing.
    let answer = ask(&served, "alice", "GET", path, "").await;
    assert!(answer.status == 404 && answer.body.contains("NoSuchKey"), "{}", answer.body);

    let versions = listing.replace("[\"ListObjectsV2\"]", "[\"GetObjectVersion\"]");
    assert_ne!(versions, listing);
    std::fs::write(&policy, &versions).unwrap();
    until(&served, "alice", "GET", path, 403).await;
    let answer = ask(&served, "alice", "GET", path, "").await;
    assert!(answer.body.contains("<Code>AccessDenied</Code>"), "S3's own answer: {}", answer.body);

    let first = ask(&served, "alice", "PUT", path, "one").await.header("x-amz-version-id").to_owned();
    let second = ask(&served, "alice", "PUT", path, "two").await.header("x-amz-version-id").to_owned();
    assert!(!first.is_empty() && first != second, "{first} {second}");
    let deleted = ask(&served, "alice", "DELETE", path, "").await;
    assert_eq!((deleted.status, deleted.header("x-amz-delete-marker")), (204, "true"));
    assert_eq!(ask(&served, "alice", "GET", path, "").await.status, 403);
    for (version, body) in [(first, "one"), (second, "two")] {
        let answer = ask(&served, "alice", "GET", &format!("{path}?versionId={version}"), "").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, body));
    }
    std::fs::write(&policy, &listing).unwrap();
    until(&served, "alice", "GET", path, 404).await;
}

#[tokio::test]
async fn a_reader_that_does_not_read_holds_up_neither_requests_nor_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(authorizer())
        .args(["serve", "--format", "json", "--listen", "127.0.0.1:0", "--sample"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Kept open, but read only up to its first line.
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    stdout.read_line(&mut first).unwrap();
    let first: Value = serde_json::from_str(&first).unwrap();
    let viewer = Viewer::of(first["addr"].as_str().unwrap().parse().unwrap());
    let path = format!("/{}", "a".repeat(900));
    // Far more than the capacity of a pipe.
    for _ in 0..300 {
        assert_eq!(viewer.ask("GET", &path, &[], "").await.status, 401);
    }
    kill_process(Pid::from_raw(child.id().try_into().unwrap()).unwrap(), Signal::TERM).unwrap();
    let deadline = Instant::now() + DEADLINE;
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                child.kill().unwrap();
                panic!("it did not end");
            }
            None => tokio::task::yield_now().await,
        }
    };
    assert_eq!(status.code(), Some(0));
    drop(stdout);
}

fn sh(command: &str) -> Output {
    Command::new("sh").args(["-c", command]).output().unwrap()
}

/// Runs each command that the sample prints, and compares its status with its comment.
fn try_commands(served: &Served) {
    let mut lines = served.introduction().iter().map(|line| line.trim());
    let mut tried = Vec::new();
    while let Some(line) = lines.next() {
        let Some(comment) = line.strip_prefix("# ") else { continue };
        let (expected, what) = comment.split_once(": ").unwrap();
        let command = lines.next().unwrap();
        let options = command.strip_prefix("curl -i ").expect("a curl command");
        let output = sh(&format!("curl -s -o /dev/null -w '%{{http_code}}' {options}"));
        let status = String::from_utf8(output.stdout).unwrap();
        assert_eq!(status, expected, "{what}\n{command}\n{}", String::from_utf8_lossy(&output.stderr));
        tried.push(status);
    }
    assert_eq!(tried.len(), 13);
    // Each is one line.
    let seen = served.stdout().wait_for("a line for each request", |lines| {
        let requests = &lines[served.introduction().len()..];
        (requests.len() >= tried.len()).then(|| requests.to_vec())
    });
    let statuses: Vec<_> = seen.iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(statuses, tried);
}

#[tokio::test]
async fn every_command_that_the_sample_prints_does_what_its_comment_says() {
    if !sh("command -v curl").status.success() {
        return skip("the commands of the sample: curl is not installed");
    }
    // A folder whose name a shell would split.
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("it's a \"sample\" $HOME");
    let served = Served::sample_in(&folder);
    try_commands(&served);
    drop(served);
    let arguments = [OsStr::new("--tls"), OsStr::new("--sample"), folder.as_os_str()];
    let served = Served::start(&folder, arguments);
    assert_eq!(served.base(), format!("https://{}", served.addr()));
    try_commands(&served);
}

#[tokio::test]
async fn a_sample_is_made_once_and_what_was_edited_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let first = Served::sample_in(folder.path());
    let key = folder.path().join("keys/sample.private.pem");
    let (pem, token) = (std::fs::read(&key).unwrap(), first.bearer("alice"));
    let policy = std::fs::read_to_string(first.policy()).unwrap().replace("public/**", "open/**");
    std::fs::write(first.policy(), &policy).unwrap();
    assert_eq!(ask(&first, "admin", "PUT", "/open/x", "kept").await.status, 200);
    drop(first);

    let second = Served::sample_in(folder.path());
    assert_eq!(std::fs::read(&key).unwrap(), pem);
    assert_eq!(std::fs::read_to_string(second.policy()).unwrap(), policy);
    let answer = second.viewer.ask("GET", "/open/x", &[], "").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "kept"));
    let headers = [("authorization", token.as_str())];
    let answer = second.viewer.ask("GET", "/users/alice/x", &headers, "").await;
    assert_eq!(answer.status, 404, "a token from before still holds");
}

/// Runs it until it ends by itself.
fn fails(folder: &Path, listen: &str) -> Output {
    serve([OsStr::new("--sample"), folder.as_os_str()], listen).output().unwrap()
}

#[tokio::test]
async fn a_port_in_use_is_one_clear_diagnostic_and_status_2() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let output = fails(folder.path(), &addr);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
    assert!(stderr.contains(&format!("cannot listen on {addr}")), "{stderr}");
    assert_eq!((stderr.matches('×').count(), stderr.matches("help:").count()), (1, 1), "{stderr}");
    assert!(stderr.contains("--listen") && !stderr.contains("panicked"), "{stderr}");
}

#[tokio::test]
async fn ctrl_c_ends_it_with_status_0_and_lets_the_port_go() {
    let served = Served::sample();
    let addr = served.addr();
    assert_eq!(ask(&served, "alice", "PUT", "/users/alice/x", "x").await.status, 200);
    let started = Instant::now();
    let (status, _, stderr) = served.interrupt();
    assert_eq!(status.code(), Some(0), "{}", stderr.text());
    assert_eq!(stderr.text(), "");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    TcpListener::bind(addr).unwrap();
}
