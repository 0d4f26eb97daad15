//! A real browser. A page from an allowed origin uploads, downloads and deletes with `fetch`, and can read refusals;
//! a page from another origin cannot do either; and a person without a token is sent to sign in.

use std::ffi::OsStr;
use std::path::Path;

use authorizer_e2e::binaries::{root, run};
use authorizer_e2e::browser::{Browser, Seen};
use authorizer_e2e::served::Served;
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The policy, for the origins of the browser's pages.
fn policy(browser: &Browser, credentials: bool) -> String {
    let policy = std::fs::read_to_string(root().join("tests/e2e/policies/browser.toml")).unwrap();
    let policy = policy.replace("credentials     = false", &format!("credentials     = {credentials}"));
    let put_in = |policy: String, page| policy.replace(&format!("{{{page}}}"), &browser.origin(page));
    ["app", "sibling", "login"].into_iter().fold(policy, put_in)
}

/// A distribution with a public object, and its users.
struct Files {
    served: Served,
    /// The value of Alice's `Authorization`.
    alice: String,
    _folder: TempDir,
}

impl Files {
    fn serve(browser: &Browser, credentials: bool) -> Self {
        Self::serve_by(&policy(browser, credentials))
    }

    fn serve_by(policy: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        run(["token", "keygen", "staff", "--algorithm", "EdDSA", "--dir", &path("")]);
        let key = path("staff.private.pem");
        let claims =
            ["--issuer", "https://login.example.com/", "--audience", "files-api", "--subject", "alice"];
        let token = run([["token", "mint", "--key", &key].as_slice(), &claims].concat());
        let (policy_file, data) = (path("policy.toml"), path("data"));
        std::fs::write(&policy_file, policy).unwrap();
        std::fs::create_dir_all(Path::new(&data).join("local-bucket/public")).unwrap();
        std::fs::write(Path::new(&data).join("local-bucket/public/a"), "for all").unwrap();
        let arguments = ["--policy", &policy_file, "--data", &data].map(OsStr::new);
        let served = Served::start(folder.path(), arguments);
        Self { served, alice: format!("Bearer {}", token.trim()), _folder: folder }
    }

    fn url(&self, path: &str) -> String {
        self.served.viewer.url(path)
    }

    /// A request from Alice: `more` are the other arguments of `fetch`, and headers beside her token.
    fn as_alice(&self, method: &str, path: &str, mut more: Value) -> Value {
        more["method"] = json!(method);
        more["url"] = json!(self.url(path));
        more["headers"]["authorization"] = json!(self.alice);
        more
    }

    /// Waits for the line of a request in the distribution's log, and returns its index.
    fn logged(&self, line: &str) -> usize {
        let is_it = |lines: &[String]| lines.iter().position(|written| written.starts_with(line));
        self.served.stdout().wait_for(line, is_it)
    }

    /// The log of all requests until now: makes one more request and waits for its line.
    async fn whole_log(&self) -> Vec<String> {
        self.served.viewer.ask("GET", "/public/the-end", &[], "").await;
        self.logged("404 GET    public/the-end");
        self.served.stdout().all()
    }
}

fn text(body: &str) -> Value {
    json!({"headers": {"content-type": "text/plain"}, "body": body})
}

/// The bytes that the page sends for `fill`.
fn filled(from: usize, length: usize) -> Vec<u8> {
    (from..from + length).map(|value| u8::try_from(value % 251).unwrap()).collect()
}

fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[track_caller]
fn assert_read(seen: &Seen, status: u64, body: &str) {
    assert_eq!((seen.status(), seen.kind()), (Some(status), "cors"), "{seen:?}");
    assert!(seen.text().contains(body), "no `{body}` in {seen:?}");
}

/// Checks that the page could read nothing, not even a status.
#[track_caller]
fn assert_failed(seen: &Seen) {
    assert_eq!((seen.failure(), seen.status()), (Some("TypeError: Failed to fetch"), None), "{seen:?}");
}

/// Checks that the browser made exactly these complaints, each given by words that are all in one complaint.
#[track_caller]
fn assert_complaints(browser: &mut Browser, expected: &[&[&str]]) {
    let complaints = browser.complaints();
    let fits = |complaint: &str, words: &[&str]| words.iter().all(|word| complaint.contains(word));
    for words in expected {
        assert!(complaints.iter().any(|one| fits(one, words)), "no {words:?} in {complaints:#?}");
    }
    // A request that CORS blocks causes two complaints: the reason, and the failure.
    let is_expected = |one: &String| {
        expected.iter().any(|words| fits(one, words) || fits(one, &[words[0], "net::ERR_FAILED"]))
    };
    let others: Vec<_> = complaints.iter().filter(|one| !is_expected(one)).collect();
    assert!(others.is_empty(), "{others:#?}");
}

#[tokio::test]
async fn a_page_of_another_origin_uploads_downloads_lists_and_deletes() {
    let Some(mut browser) = Browser::start() else { return };
    let files = Files::serve(&browser, false);
    let path = "/users/alice/hello.txt";
    browser.open("app");

    let put = browser.send("app", files.as_alice("PUT", path, text("hello")));
    assert_read(&put, 200, "");
    let file = files.served.file("users/alice/hello.txt");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "hello");
    let preflight = files.logged("204 OPTIONS users/alice/hello.txt  preflight_answered");
    assert!(
        preflight < files.logged("200 PUT    users/alice/hello.txt  by rule own"),
        "asked before it is sent"
    );

    let get = browser.send("app", files.as_alice("GET", path, json!({})));
    assert_read(&get, 200, "hello");
    assert_eq!(get.header("content-type"), Some("text/plain"));
    let etag = get.header("etag").expect("the page reads what is exposed");
    assert!(etag.starts_with('"') && etag == put.header("etag").unwrap(), "{etag}");
    assert_eq!(get.answered_header("x-cache"), Some("Miss from cloudfront"), "it is in the answer");
    assert_eq!(get.header("x-cache"), None, "and the page does not read what is not exposed");

    let list = browser.send("app", files.as_alice("GET", "/?list-type=2&prefix=users/alice/", json!({})));
    assert_read(&list, 200, "<Key>users/alice/hello.txt</Key>");

    let delete = browser.send("app", files.as_alice("DELETE", path, json!({})));
    assert_read(&delete, 204, "");
    assert!(file.exists(), "the bucket keeps it as an older version");
    files.logged("204 DELETE users/alice/hello.txt  by rule own");
    let gone = browser.send("app", files.as_alice("GET", path, json!({})));
    assert_read(&gone, 404, "<Code>NoSuchKey</Code>");

    assert_complaints(&mut browser, &[&[path, "status of 404"]]);
}

#[tokio::test]
async fn a_page_uploads_in_parts_and_reads_the_whole() {
    const PART: usize = 5 * 1024 * 1024 + 1;
    let Some(mut browser) = Browser::start() else { return };
    let files = Files::serve(&browser, false);
    let path = "/users/alice/large.bin";
    browser.open("app");

    let created = browser.send("app", files.as_alice("POST", &format!("{path}?uploads"), json!({})));
    assert_read(&created, 200, "<UploadId>");
    let (_, upload) = created.text().split_once("<UploadId>").unwrap();
    let (upload, _) = upload.split_once("</UploadId>").unwrap();

    let mut parts = String::new();
    for number in [1, 2] {
        let target = format!("{path}?partNumber={number}&uploadId={upload}");
        let fill = json!({"fill": {"from": number, "length": PART}});
        let part = browser.send("app", files.as_alice("PUT", &target, fill));
        assert_read(&part, 200, "");
        let etag = part.header("etag").expect("the page reads the ETag of a part");
        parts.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"));
    }
    let complete = json!({
        "headers": {"x-amz-mp-object-size": (2 * PART).to_string()},
        "body": format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>"),
    });
    let complete =
        browser.send("app", files.as_alice("POST", &format!("{path}?uploadId={upload}"), complete));
    assert_read(&complete, 200, "<CompleteMultipartUploadResult");

    let whole = [filled(1, PART), filled(2, PART)].concat();
    let get = browser.send("app", files.as_alice("GET", path, json!({})));
    assert_read(&get, 200, "");
    assert_eq!(get.content(), (2 * PART as u64, sha256(&whole).as_str()));
    assert_eq!(get.header("content-length"), Some((2 * PART).to_string().as_str()));
    let range = json!({"headers": {"range": format!("bytes={}-", 2 * PART - 3)}});
    let end = browser.send("app", files.as_alice("GET", path, range));
    assert_read(&end, 206, "");
    assert_eq!(end.content(), (3, sha256(&whole[2 * PART - 3..]).as_str()));
    assert_complaints(&mut browser, &[]);
}

#[tokio::test]
async fn a_page_reads_the_status_and_the_body_of_what_it_is_refused() {
    let Some(mut browser) = Browser::start() else { return };
    let files = Files::serve(&browser, false);
    let before = files.served.everything();
    browser.open("app");

    let no_token = json!({"method": "GET", "url": files.url("/users/alice/private")});
    let html = json!({"headers": {"content-type": "text/html"}, "body": "x"});
    let fill = |length: usize| json!({"headers": {"content-type": "text/plain"}, "fill": {"from": 0, "length": length}});
    for (request, status, title) in [
        (no_token, 401, "Unauthorized"),
        (files.as_alice("GET", "/users/bob/private", json!({})), 403, "Forbidden"),
        (files.as_alice("PUT", "/users/bob/new", text("x")), 403, "Forbidden"),
        (files.as_alice("DELETE", "/users/bob/old", json!({})), 403, "Forbidden"),
        (files.as_alice("PUT", "/small/alice/by-one", fill(1001)), 413, "Content Too Large"),
        (files.as_alice("PUT", "/small/alice/by-far", fill(20_000_000)), 413, "Content Too Large"),
        (files.as_alice("PUT", "/small/alice/page", html), 415, "Unsupported Media Type"),
        (files.as_alice("GET", "/users/alice/private?acl", json!({})), 400, "Bad Request"),
    ] {
        let seen = browser.send("app", request);
        assert_read(&seen, status, "");
        assert_eq!(seen.header("content-type"), Some("application/problem+json"), "{seen:?}");
        let problem: Value = serde_json::from_str(seen.text()).unwrap();
        assert_eq!((&problem["status"], &problem["title"]), (&json!(status), &json!(title)), "{seen:?}");
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{seen:?}");
    }
    assert_eq!(files.served.everything(), before, "and nothing was stored or deleted");
    assert_complaints(
        &mut browser,
        &[
            &["/users/alice/private", "status of 401"],
            &["/users/bob/private", "status of 403"],
            &["/users/bob/new", "status of 403"],
            &["/users/bob/old", "status of 403"],
            &["/small/alice/by-one", "status of 413"],
            &["/small/alice/by-far", "status of 413"],
            &["/small/alice/page", "status of 415"],
            &["/users/alice/private?acl", "status of 400"],
        ],
    );
}

#[tokio::test]
async fn what_a_preflight_does_not_let_through_never_leaves_the_browser() {
    let Some(mut browser) = Browser::start() else { return };
    let files = Files::serve(&browser, false);
    let before = files.served.everything();
    browser.open("app");

    let acl = json!({"headers": {"content-type": "text/plain", "x-amz-acl": "public-read"}, "body": "x"});
    assert_failed(&browser.send("app", files.as_alice("PUT", "/users/alice/acl", acl)));
    files.logged("204 OPTIONS users/alice/acl  preflight_header_not_allowed");
    assert_failed(&browser.send("app", files.as_alice("PATCH", "/users/alice/patch", text("x"))));
    files.logged("204 OPTIONS users/alice/patch  preflight_method_not_allowed");

    let log = files.whole_log().await;
    let sent = |line: &&String| line.contains("users/alice/") && !line.starts_with("204 OPTIONS");
    assert_eq!(log.iter().find(sent), None, "only the preflights arrived");
    assert_eq!(files.served.everything(), before);
    assert_complaints(
        &mut browser,
        &[
            &["/users/alice/acl", "x-amz-acl is not allowed by Access-Control-Allow-Headers"],
            &["/users/alice/patch", "PATCH is not allowed by Access-Control-Allow-Methods"],
        ],
    );
}

#[tokio::test]
async fn a_page_of_an_origin_that_is_not_allowed_reads_nothing_and_uploads_nothing() {
    let Some(mut browser) = Browser::start() else { return };
    let files = Files::serve(&browser, false);
    let before = files.served.everything();
    browser.open("stranger");

    // Even with a stolen token.
    assert_failed(&browser.send("stranger", files.as_alice("PUT", "/users/alice/stolen", text("x"))));
    files.logged("403 OPTIONS users/alice/stolen  origin_not_allowed");
    assert_failed(&browser.send("stranger", files.as_alice("DELETE", "/public/a", json!({}))));
    assert_failed(&browser.send("stranger", files.as_alice("GET", "/users/alice/token", json!({}))));
    // Requests that do not need a preflight: there is an answer, but this page cannot read it.
    for (path, line) in [
        ("/public/a", "200 GET    public/a  by rule public"),
        ("/users/alice/refused", "401 GET    users/alice/refused  token_missing"),
    ] {
        let simple = browser.send("stranger", json!({"method": "GET", "url": files.url(path)}));
        files.logged(line);
        assert_failed(&simple);
    }
    let opaque =
        json!({"method": "GET", "url": files.url("/public/a"), "mode": "no-cors", "redirect": "follow"});
    let opaque = browser.send("stranger", opaque);
    assert_eq!((opaque.kind(), opaque.status(), opaque.text()), ("opaque", Some(0), ""), "{opaque:?}");

    let log = files.whole_log().await;
    let writes = |line: &&String| line.contains(" PUT ") || line.contains(" DELETE ");
    assert_eq!(log.iter().find(writes), None, "no upload and no deletion arrived");
    assert_eq!(files.served.everything(), before);
    let why = "No 'Access-Control-Allow-Origin' header";
    assert_complaints(
        &mut browser,
        &[
            &["/users/alice/stolen", "preflight", why],
            &["/users/alice/token", "preflight", why],
            &["/public/a", "preflight", why],
            &["/public/a", why],
            &["/users/alice/refused", why],
        ],
    );
}

#[tokio::test]
async fn cookies_go_only_where_a_page_asks_and_only_the_policy_lets_it_read_the_answer() {
    for credentials in [false, true] {
        let Some(mut browser) = Browser::start() else { return };
        let files = Files::serve(&browser, credentials);
        browser.cookie(&files.url("/"), "theme", "1");
        // From the distribution's own site, so that the browser has no other reason to withhold the cookie.
        browser.open("sibling");
        // Without the cache, so that each request is really sent.
        let request = json!({"method": "GET", "url": files.url("/public/a"), "cache": "no-store"});
        let mut with_cookies = request.clone();
        with_cookies["credentials"] = json!("include");

        let without = browser.send("sibling", request);
        assert_read(&without, 200, "for all");
        assert_eq!(without.asked_header("cookie"), None);
        let with = browser.send("sibling", with_cookies);
        let mut upload = text("x");
        upload["credentials"] = json!("include");
        let upload = browser.send("sibling", files.as_alice("PUT", "/users/alice/x", upload));
        files.logged("204 OPTIONS users/alice/x  preflight_answered");
        if credentials {
            assert_read(&with, 200, "for all");
            assert_read(&upload, 200, "");
            assert_eq!([&with, &upload].map(|seen| seen.asked_header("cookie")), [Some("theme=1"); 2]);
            assert_complaints(&mut browser, &[]);
        } else {
            assert_failed(&with);
            assert_failed(&upload);
            let log = files.whole_log().await;
            assert_eq!(log.iter().find(|line| line.contains(" PUT ")), None, "it was not even sent");
            let why = "'Access-Control-Allow-Credentials' header in the response is ''";
            assert_complaints(&mut browser, &[&["/public/a", why], &["/users/alice/x", "preflight", why]]);
        }
    }
}

#[tokio::test]
async fn a_person_is_sent_to_sign_in_and_told_the_way_back_and_a_page_is_told_401() {
    let Some(mut browser) = Browser::start() else { return };
    let files = Files::serve(&browser, false);
    let link = files.url("/users/alice/a%20b.txt?versionId=null");

    let (url, status) = browser.visit(&link);
    let arrived = "/start?client=files&return_to=https%3A%2F%2Ffiles.example.com%2Fusers%2Falice%2Fa%2520b.txt\
                   %3FversionId%3Dnull";
    assert_eq!((url, status), (format!("{}{arrived}", browser.origin("login")), 200));
    assert_eq!(browser.arrivals(), [arrived]);
    files.logged("302 GET    users/alice/a b.txt");

    browser.open("app");
    let fetched = browser.send("app", json!({"method": "GET", "url": link}));
    assert_read(&fetched, 401, "\"title\":\"Unauthorized\"");
    browser.frame("app", &link);
    // A public object does not need a sign-in.
    let public = files.url("/public/none");
    assert_eq!(browser.visit(&public), (public, 404));
    assert_eq!(browser.arrivals(), [arrived], "neither a page's request nor a frame is sent to sign in");
    assert_complaints(
        &mut browser,
        &[&["/users/alice/a%20b.txt", "status of 401"], &["/public/none", "status of 404"]],
    );
}

/// For an address with `https`, whose cookies have a prefix, and for one of this machine, whose cookies have none.
#[tokio::test]
async fn a_cookie_that_is_no_longer_good_is_cleared_and_nobody_is_sent_round_in_circles() {
    for origin in ["https://files.example.com", "http://127.0.0.1"] {
        let Some(mut browser) = Browser::start() else { return };
        let files = Files::serve_by(&policy(&browser, false).replace("https://files.example.com", origin));
        // Nothing is there: whoever is let in gets S3's 404.
        let link = files.url("/users/alice/a.txt");
        let good = files.alice.strip_prefix("Bearer ").unwrap().to_owned();
        for path in ["/", "/users", "/users/", "/users/alice", "/users/alice/", "/users/alice/a.txt"] {
            browser.cookie_at(&link, path, "session", "a.b.c");
        }
        // Of another path: it is not sent, and not touched.
        browser.cookie_at(&link, "/other", "session", "a.b.c");
        browser.cookie_at(&link, "/", "theme", "dark");

        let (url, _) = browser.visit(&link);
        assert!(url.starts_with(&browser.origin("login")), "{url}");
        let cookies = browser.cookies(&link);
        let marker = cookies.iter().find(|cookie| cookie.contains("authorizer-sign-in-")).unwrap().clone();
        assert_eq!(cookies.len(), 3, "{cookies:?}");
        assert!(cookies.contains(&"session /other".to_owned()) && cookies.contains(&"theme /".to_owned()));
        assert_eq!(marker.starts_with("__Host-"), origin.starts_with("https:"), "{marker}");

        // Back without a cookie that is accepted: told once, and not sent again.
        browser.cookie(&link, "session", "d.e.f");
        assert_eq!(browser.visit(&link), (link.clone(), 401));
        assert_eq!(browser.arrivals().len(), 1);
        assert!(!browser.cookies(&link).contains(&marker));
        // Whoever tries again signs in again, and is let in.
        assert!(browser.visit(&link).0.starts_with(&browser.origin("login")));
        assert_eq!(browser.arrivals().len(), 2);
        browser.cookie(&link, "session", &good);
        assert_eq!(browser.visit(&link), (link.clone(), 404));
        // With an old cookie beside it, too: the browser sends the one with the longer path first.
        browser.cookie_at(&link, "/users/alice", "session", "a.b.c");
        assert_eq!(browser.visit(&link), (link.clone(), 404));
        assert_eq!(browser.arrivals().len(), 2);
    }
}
