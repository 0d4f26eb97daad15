//! The console of `serve`, over HTTP: nobody without its secret gets anything, no token is told, and what it is asked
//! for it does. How the page looks and works is tested in Chromium (`needs_browser::console`).

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use authorizer_e2e::binaries::{root, run, run_in};
use authorizer_e2e::served::{DEADLINE, Served};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The header with the secret.
const SECRET: &str = "x-console-secret";

/// A console, by its address.
struct Console {
    addr: String,
    secret: String,
}

/// An answer, as it was sent.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Console {
    fn of(served: &Served) -> Self {
        let (addr, secret) = served.console().strip_prefix("http://").unwrap().split_once('/').unwrap();
        Self { addr: addr.to_owned(), secret: secret.to_owned() }
    }

    fn connect(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.addr).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length =
            if method == "POST" { format!("content-length: {}\r\n", body.len()) } else { String::new() };
        write!(stream, "{method} {target} HTTP/1.1\r\nconnection: close\r\n{lines}{length}\r\n{body}")
            .unwrap();
        stream
    }

    /// Sends exactly this.
    fn raw(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut text = Vec::new();
        self.connect(method, target, headers, body).read_to_end(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// Asks as the page does.
    fn get(&self, path: &str) -> Value {
        let answer =
            self.raw("GET", &format!("/api/{path}"), &[("host", &self.addr), (SECRET, &self.secret)], "");
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let origin = format!("http://{}", self.addr);
        let headers = [
            ("host", self.addr.as_str()),
            (SECRET, &self.secret),
            ("origin", &origin),
            ("content-type", "application/json"),
        ];
        let answer = self.raw("POST", &format!("/api/{path}"), &headers, &body.to_string());
        (answer.status, answer.json())
    }

    fn did(&self, path: &str, body: &Value) -> Value {
        let (status, value) = self.post(path, body);
        assert_eq!(status, 200, "{path}: {value}");
        value
    }

    /// The requests as they come, until one is the one that is looked for.
    fn wait_for(&self, is_it: impl Fn(&Value) -> bool) -> Value {
        let headers = [("host", self.addr.as_str()), (SECRET, &self.secret)];
        let stream = self.connect("GET", "/api/events", &headers, "");
        for line in BufReader::new(stream).lines() {
            // The lines between are the sizes of chunks.
            let line = line.unwrap();
            let Some(data) = line.strip_prefix("data: ") else { continue };
            let data: Value = serde_json::from_str(data).unwrap();
            let requests = data["requests"].as_array().cloned().unwrap_or_default();
            if let Some(found) = requests.into_iter().find(&is_it) {
                return found;
            }
        }
        panic!("the stream ended");
    }

    fn detail(&self, key: &str) -> Value {
        let found = self.wait_for(|one| one["key"] == key);
        self.get(&format!("requests/{}", found["seq"]))
    }
}

fn asked(method: &str, target: &str, who: Value) -> Value {
    json!({"method": method, "target": target, "who": who})
}

fn alice() -> Value {
    json!({"kind": "token", "issuer": "sample", "claims": r#"{"sub": "alice", "scope": "files"}"#})
}

fn anonymous() -> Value {
    json!({"kind": "anonymous"})
}

#[test]
fn nobody_gets_anything_without_the_secret_from_another_origin_or_by_another_name() {
    let served = Served::sample();
    let console = Console::of(&served);
    let host = ("host", console.addr.as_str());
    let secret = (SECRET, console.secret.as_str());
    let page = format!("/{}", console.secret);
    let json_type = ("content-type", "application/json");
    let own = format!("http://{}", console.addr);
    let own = ("origin", own.as_str());
    let wrong = "A".repeat(console.secret.len());
    let wrong_page = format!("/{wrong}");
    let rebound = format!("rebound.example:{}", console.addr.rsplit_once(':').unwrap().1);
    let stranger = ("origin", "http://stranger.example");
    let before = served.everything();
    for (method, target, headers) in [
        ("GET", "/", vec![host]),
        ("GET", wrong_page.as_str(), vec![host]),
        ("GET", "/api/state", vec![host]),
        ("GET", "/api/state", vec![host, (SECRET, wrong.as_str())]),
        ("GET", "/api/state", vec![host, secret, stranger]),
        ("GET", "/api/state", vec![("host", rebound.as_str()), secret]),
        ("GET", "/api/state", vec![host, secret, ("sec-fetch-site", "cross-site")]),
        ("GET", page.as_str(), vec![("host", rebound.as_str())]),
        ("GET", page.as_str(), vec![host, ("sec-fetch-dest", "iframe")]),
        ("GET", "/api/events", vec![host]),
        ("GET", "/api/requests/1", vec![host]),
        ("GET", "/api/policy", vec![host, stranger]),
        ("OPTIONS", "/api/try", vec![host, stranger, ("access-control-request-headers", SECRET)]),
        ("POST", "/api/send", vec![host, json_type, own]),
        ("POST", "/api/send", vec![host, json_type, secret]),
        ("POST", "/api/send", vec![host, json_type, secret, stranger]),
        ("POST", "/api/send", vec![host, ("content-type", "text/plain"), secret, own]),
        ("POST", "/api/save", vec![("host", rebound.as_str()), json_type, secret, own]),
        ("DELETE", "/api/state", vec![host, secret, own]),
    ] {
        let body = asked("PUT", "users/alice/a", alice()).to_string();
        let answer = console.raw(method, target, &headers, &body);
        assert_eq!(answer.status, 403, "{method} {target} {headers:?}");
        assert_eq!(answer.body, "Open the address of the console that `authorizer serve` printed.\n");
        assert!(!answer.head.to_ascii_lowercase().contains("access-control"), "{answer:?}");
    }
    assert_eq!(served.everything(), before);
    assert!(!served.folder().join("policy.tests.toml").exists());

    let answer = console.raw("GET", &page, &[host], "");
    assert_eq!(answer.status, 200);
    for header in [
        "cache-control: no-store",
        "referrer-policy: no-referrer",
        "x-content-type-options: nosniff",
        "x-frame-options: DENY",
        "content-security-policy: default-src 'none'; script-src 'sha256-",
        "frame-ancestors 'none'",
        "form-action 'none'",
        "base-uri 'none'",
    ] {
        assert!(answer.head.contains(header), "{header}: {}", answer.head);
    }
    assert!(!answer.head.contains("unsafe") && !answer.head.contains("set-cookie"), "{}", answer.head);
    assert!(!answer.body.contains(&console.secret), "the page does not have the secret");
    // The secret is in the one line that a person clicks.
    let said = [served.stdout().text(), served.stderr().text()].join("\n");
    assert_eq!(said.matches(&console.secret).count(), 1, "{said}");
}

#[test]
fn the_page_is_one_file_that_asks_only_its_own_console() {
    let served = Served::sample();
    let console = Console::of(&served);
    let page = console.raw("GET", &format!("/{}", console.secret), &[("host", &console.addr)], "").body;
    for word in [
        "http://",
        "https://",
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "import(",
    ] {
        assert!(!page.contains(word), "{word}");
    }
    assert_eq!((page.matches("<script").count(), page.matches("<style").count()), (1, 1));
    assert_eq!(page.matches(" src=").count(), 0);
}

#[test]
fn no_console_is_served_and_nothing_is_recorded_if_nobody_wants_it() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--sample", folder.path().to_str().unwrap(), "--no-console"].map(OsStr::new);
    let served = Served::start(folder.path(), arguments);
    assert!(
        !served.introduction().iter().any(|line| line.contains("Console")),
        "{:?}",
        served.introduction()
    );
}

/// A distribution whose policy takes tokens from every place.
struct Everywhere {
    served: Served,
    token: String,
    _folder: TempDir,
}

fn everywhere() -> Everywhere {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    run(["token", "keygen", "staff", "--algorithm", "EdDSA", "--dir", &path("")]);
    let key = path("staff.private.pem");
    let claims = ["--issuer", "https://login.example.com/", "--audience", "files-api", "--subject", "alice"];
    let token = run([["token", "mint", "--key", &key].as_slice(), &claims].concat()).trim().to_owned();
    let policy = "version = 1\n\
        [[issuers]]\nname = \"staff\"\nissuer = \"https://login.example.com/\"\naudience = [\"files-api\"]\n\
        algorithms = [\"EdDSA\"]\njwks = { file = \"staff.jwks.json\" }\n\
        [credentials]\ncookie = \"session\"\nquery = \"access_token\"\nheader = \"x-files-token\"\nheader_set_by = \"clients\"\n\
        [[rules]]\nid = \"own\"\neffect = \"allow\"\nmethods = [\"GET\"]\nkeys = [\"users/{sub}/**\"]\n";
    fs::write(path("policy.toml"), policy).unwrap();
    let (policy, data) = (path("policy.toml"), path("data"));
    let arguments = ["--policy", &policy, "--data", &data].map(OsStr::new);
    Everywhere { served: Served::start(folder.path(), arguments), token, _folder: folder }
}

#[tokio::test]
async fn no_token_is_told_wherever_it_was() {
    let Everywhere { served, token, .. } = everywhere();
    let console = Console::of(&served);
    let viewer = &served.viewer;
    let (bearer, cookie) = (format!("Bearer {token}"), format!("other=1; session={token}"));
    // Its signature is another one, so it is refused.
    let (start, end) = token.split_at(token.len() - 20);
    let forged = format!("{start}{}", end.chars().rev().collect::<String>());
    let in_query = format!("/users/alice/query?access_token={token}");
    let in_path = format!("/users/alice/{token}");
    let preflight = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "GET"),
        ("authorization", bearer.as_str()),
    ];
    for (method, path, headers) in [
        ("GET", "/users/alice/header", vec![("authorization", bearer.as_str())]),
        ("GET", "/users/alice/cookie", vec![("cookie", cookie.as_str())]),
        ("GET", "/users/alice/named", vec![("x-files-token", token.as_str())]),
        ("GET", in_query.as_str(), vec![]),
        ("GET", "/users/alice/twice", vec![("authorization", bearer.as_str()), ("cookie", cookie.as_str())]),
        ("GET", "/users/alice/forged", vec![("x-files-token", forged.as_str())]),
        ("GET", "/users/alice/elsewhere", vec![("x-other", token.as_str()), ("user-agent", token.as_str())]),
        ("GET", "/users/alice/referer", vec![("referer", in_query.as_str()), ("range", token.as_str())]),
        ("OPTIONS", "/users/alice/preflight", preflight.to_vec()),
        ("GET", in_path.as_str(), vec![("authorization", bearer.as_str())]),
    ] {
        viewer.ask(method, path, &headers, "").await;
    }
    viewer.ask("GET", "/users/alice/last", &[("authorization", &bearer)], "").await;
    console.wait_for(|one| one["key"] == "users/alice/last");
    let mut told = vec![console.get("state"), console.get("policy"), console.get("review")];
    let mut claims = 0;
    for seq in 1..=11 {
        let detail = console.get(&format!("requests/{seq}"));
        claims += usize::from(detail["claims"]["sub"] == "alice");
        let as_asked = &detail["asked"];
        told.push(console.post("curl", as_asked).1);
        told.push(console.post("try", as_asked).1);
        told.push(console.post("replay", &json!({"seq": seq})).1);
        told.push(detail);
    }
    assert_eq!(
        claims, 8,
        "of the six that are accepted, of the forged one, and of the preflight, which is refused"
    );
    // What is another request without its token cannot be saved or sent.
    let in_path = console.detail("users/alice/[token]");
    assert!(in_path.get("asked").is_none(), "{in_path}");
    let told = told.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    for part in token.split('.').chain(forged.split('.')).chain([token.as_str()]) {
        assert!(!told.contains(part), "a part of the token is told");
    }
    let header = console.detail("users/alice/header");
    assert_eq!(header["summary"]["subject"], "alice");
    assert_eq!(header["claims_verified"], true);
    assert_eq!(header["request"]["hidden"], json!(["header authorization"]));
    let forged = console.detail("users/alice/forged");
    assert_eq!(forged["claims_verified"], false);
    // A test would suppose that its token is valid, and allow what was refused.
    assert_eq!(forged["token_not_accepted"], true);
    assert!(forged.get("asked").is_none(), "{forged}");
    assert_eq!(header["token_not_accepted"], false);
}

#[tokio::test]
async fn what_a_request_hides_is_hidden_in_the_list_and_in_the_log_line_too() {
    let served = Served::sample();
    let console = Console::of(&served);
    let cookie = "session=opaque-token-0123456789";
    served.viewer.ask("GET", "/a/opaque-token-0123456789", &[("cookie", cookie)], "").await;
    let hidden = console.wait_for(|one| one["key"] == "a/[token]");
    let detail = console.get(&format!("requests/{}", hidden["seq"]));
    assert!(!format!("{hidden}{detail}").contains("0123456789"), "{detail}");
    assert_eq!(detail["record"]["key"], "a/[token]");
    // And nobody changes the words of the decision.
    served.viewer.ask("GET", "/b", &[("x-note", "token_missing bundle_sha256")], "").await;
    console.wait_for(|one| one["key"] == "b");
    let detail = console.detail("b");
    assert_eq!(detail["now"]["record"]["reason"], "token_missing");
    assert_eq!(detail["record"]["reason"], "token_missing");
}

#[test]
fn a_long_method_is_cut_and_a_line_separator_is_escaped() {
    let served = Served::sample();
    let console = Console::of(&served);
    let address = served.base().split_once("://").unwrap().1;
    for line in [format!("{} /long", "A".repeat(300_000)), "GET /a%E2%80%A8b".to_owned()] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        write!(stream, "{line} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    }
    let long = console.wait_for(|one| one["key"] == "/long");
    assert_eq!(long["method"], format!("{}...", "A".repeat(32)));
    let separated = console.wait_for(|one| one["key"] == "a\u{2028}b");
    assert_eq!(separated["method"], "GET");
}

#[tokio::test]
async fn a_request_is_told_with_the_verdict_of_each_rule_what_was_forwarded_and_what_s3_said() {
    let served = Served::sample();
    let console = Console::of(&served);
    let bob = served.bearer("bob");
    let headers = [("authorization", bob.as_str()), ("content-type", "text/plain")];
    served.viewer.ask("PUT", "/users/bob/a%20b.txt", &headers, "hello").await;
    let detail = console.detail("users/bob/a b.txt");
    let summary = &detail["summary"];
    assert_eq!(
        json!([
            summary["method"],
            summary["decision"],
            summary["rule"],
            summary["status"],
            summary["subject"]
        ]),
        json!(["PUT", "allow", "owners-manage-their-files", 200, "bob"])
    );
    let forward = &detail["result"]["forward"];
    assert_eq!(
        (forward["path"].as_str(), forward["method"].as_str()),
        (Some("/users/bob/a%20b.txt"), Some("PUT"))
    );
    assert!(detail["bucket"]["headers"].to_string().contains("etag"), "{detail}");
    let rules = detail["now"]["rules"].as_array().unwrap();
    assert_eq!(rules.iter().filter(|rule| rule["matches"] == true).count(), 1);
    assert_eq!(rules.len(), 5);
    assert!(rules[0]["mismatch"].as_str().unwrap().contains("records/**"), "{rules:?}");

    served.viewer.ask("GET", "/users/alice/x", &[("authorization", &bob)], "").await;
    let detail = console.detail("users/alice/x");
    assert_eq!(detail["result"]["respond"]["status"], "403");
    assert_eq!(detail["summary"]["reason"], "condition_not_met");
    assert!(detail.get("bucket").is_none());
}

#[tokio::test]
async fn try_decides_and_send_goes_through_the_distribution() {
    let served = Served::sample();
    let console = Console::of(&served);
    let before = served.everything();
    let put = json!({"method": "PUT", "target": "users/alice/<b>.txt", "who": alice(), "body": "hello",
        "headers": [["Content-Type", "text/plain"]]});
    let tried = console.did("try", &put);
    assert_eq!(tried["record"]["decision"], "allow");
    assert_eq!(tried["outcome"]["forward"]["path"], "/users/alice/%3Cb%3E.txt");
    assert_eq!(tried["claims"]["iss"], "https://login.example.com/");
    assert_eq!(served.everything(), before, "nothing was sent");

    let sent = console.did("send", &put);
    assert_eq!(sent["status"], 200, "{sent}");
    assert_eq!(fs::read_to_string(served.file("users/alice/<b>.txt")).unwrap(), "hello");
    let sent = console.did("send", &asked("GET", "users/alice/<b>.txt", alice()));
    assert_eq!((sent["status"].as_u64(), sent["body"].as_str()), (Some(200), Some("hello")));
    let sent = console.did("send", &asked("GET", "/users/alice/%3Cb%3E.txt", anonymous()));
    assert_eq!(sent["status"], 401);
    let seen = console.wait_for(|one| one["status"] == 401);
    assert_eq!(seen["key"], "users/alice/<b>.txt");

    for (body, word) in [
        (asked("GET", "a", json!({"kind": "token", "issuer": "nobody", "claims": "{}"})), "issuer `nobody`"),
        (asked("GET", "a", json!({"kind": "token", "issuer": "sample", "claims": "[]"})), "claims"),
        (asked("GET", "a", json!({"kind": "token", "claims": "{\"sub\": 1}"})), "development key"),
        (asked("GET", "/a b", anonymous()), "percent-encoded"),
        (asked("G T", "a", anonymous()), "method"),
        (json!({"method": "GET", "target": "a", "who": anonymous(), "headers": [["a b", "c"]]}), "a b"),
        (
            json!({"method": "GET", "target": "a", "who": anonymous(), "headers": [["authorization", "c"]]}),
            "persona",
        ),
        (json!({"method": "GET", "target": "a", "who": anonymous(), "path": "../x"}), "unknown field"),
    ] {
        let (status, value) = console.post("send", &body);
        assert_eq!(status, 422, "{body}");
        assert!(value["error"].as_str().unwrap().contains(word), "{word}: {value}");
    }
}

#[test]
fn curl_gets_a_command_that_mints_and_never_a_token() {
    let served = Served::sample();
    let console = Console::of(&served);
    let hostile = json!({"method": "PUT", "target": "/users/alice/a'b", "query": "x=$(touch hurt)", "who": alice(),
        "headers": [["x-a", "`touch hurt`'\"$HOME"]], "body": "@/etc/passwd"});
    let text = console.did("curl", &hostile)["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("TOKEN=$(authorizer token mint --key "), "{text}");
    assert!(text.contains("--issuer sample") && text.contains(r#"--claim 'sub="alice"'"#), "{text}");
    assert!(text.contains("\"Authorization: Bearer $TOKEN\""), "{text}");
    assert!(!text.contains("eyJ"), "{text}");
    // A shell reads it as it is meant.
    let folder = tempfile::tempdir().unwrap();
    let script = format!("authorizer() {{ echo a-token; }}\ncurl() {{ printf '%s\\n' \"$@\"; }}\n{text}\n");
    let shell =
        std::process::Command::new("sh").arg("-c").arg(script).current_dir(folder.path()).output().unwrap();
    let words = String::from_utf8(shell.stdout).unwrap();
    let words: Vec<&str> = words.lines().collect();
    assert_eq!(
        words,
        [
            "-i",
            "-g",
            "--path-as-is",
            "-X",
            "PUT",
            "-H",
            "Authorization: Bearer a-token",
            "-H",
            "x-a: `touch hurt`'\"$HOME",
            "-H",
            "Content-Type:",
            "--data-raw",
            "@/etc/passwd",
            &format!("{}/users/alice/a'b?x=$(touch hurt)", served.base()),
        ]
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn what_is_saved_is_a_test_that_holds() {
    let served = Served::sample();
    let console = Console::of(&served);
    let tests = served.folder().join("policy.tests.toml");
    served.viewer.ask("GET", "/users/alice/x", &[("authorization", &served.bearer("bob"))], "").await;
    let recorded = console.detail("users/alice/x")["asked"].clone();
    let saved = console.did("save", &json!({"asked": recorded, "name": "bob does not read alice's files"}));
    assert_eq!(Path::new(saved["path"].as_str().unwrap()), tests);
    let form = asked("PUT", "users/alice/\"quoted\" \u{e9}", alice());
    console.did("save", &json!({"asked": form, "name": "line\nbreak"}));
    console.did("save", &json!({"asked": asked("DELETE", "records/1", alice())}));
    console.did("save", &json!({"asked": asked("DELETE", "records/1", alice())}));
    let text = fs::read_to_string(&tests).unwrap();
    assert_eq!(text.matches("[[tests]]").count(), 4, "{text}");
    assert!(text.contains("name = \"bob does not read alice's files\""), "{text}");
    assert!(text.contains("rule = \"nobody-deletes-records\""), "{text}");
    assert!(!text.contains("eyJ"), "{text}");
    let (code, out, err) = run_in(served.folder(), &["test", "--policy", "policy.toml"]);
    assert_eq!(code, 0, "{out}{err}");

    // What is there stays as it is, also if it cannot be added to.
    let with_defaults = "version = 1 # mine\n[defaults]\nanonymous = true\n[[tests]]\nname = \"one\"\nmethod = \"GET\"\n\
                         key = \"public/a\"\nexpect = \"allow\"\nnow = \"2026-12-31T23:59:59Z\"";
    fs::write(&tests, with_defaults).unwrap();
    console.did("save", &json!({"asked": asked("GET", "public/b", anonymous()), "name": "two"}));
    assert!(fs::read_to_string(&tests).unwrap().starts_with(with_defaults));
    for broken in [
        "version = 1\ntests = []\n",
        "version = 1\n[[tests]\n",
        "version = 1\n[defaults]\nclaims = { role = \"admin\" }\n",
    ] {
        fs::write(&tests, broken).unwrap();
        let (status, value) = console.post("save", &json!({"asked": asked("GET", "x/1", alice())}));
        assert_eq!(status, 422, "{broken}: {value}");
        assert_eq!(fs::read_to_string(&tests).unwrap(), broken);
    }
}

#[tokio::test]
async fn a_replay_decides_by_the_policy_as_it_is_now() {
    let served = Served::sample();
    let console = Console::of(&served);
    served.viewer.ask("GET", "/users/alice/x", &[("authorization", &served.bearer("bob"))], "").await;
    let detail = console.detail("users/alice/x");
    let seq = detail["summary"]["seq"].clone();
    let policy = fs::read_to_string(served.policy()).unwrap();
    let wider = policy.replace("keys       = [\"users/{sub}/**\"]", "keys       = [\"users/**\"]");
    assert_ne!(policy, wider);
    fs::write(served.policy(), wider).unwrap();
    served.stderr().wait_for("policy read again", |lines| {
        lines.iter().any(|line| line.contains("read again")).then_some(())
    });
    let replayed = console.did("replay", &json!({"seq": seq}));
    assert_eq!(replayed["record"]["decision"], "refuse");
    assert_eq!(replayed["now"]["record"]["decision"], "allow");
    assert_eq!(replayed["now"]["record"]["rule"], "owners-manage-their-files");
}

#[test]
fn the_policy_is_told_with_its_errors_its_findings_and_its_matrix() {
    let served = Served::sample();
    let console = Console::of(&served);
    let told = console.get("policy");
    let line = |id: &str| {
        let rules = told["rules"].as_array().unwrap();
        rules.iter().find(|rule| rule["id"] == id).unwrap()["line"].as_u64().unwrap()
    };
    let text = fs::read_to_string(root().join("fixtures/policies/sample.toml")).unwrap();
    let expected = text.lines().position(|line| line.contains("\"anyone-reads-public\"")).unwrap() + 1;
    assert_eq!(usize::try_from(line("anyone-reads-public")).unwrap(), expected);
    assert_eq!(told["text"], text);
    let review = console.get("review");
    assert!(review["matrix"]["rows"].as_array().unwrap().len() >= 4, "{review}");
    assert!(review["findings"]["counts"].is_object(), "{review}");

    fs::write(
        served.policy(),
        text.replace(
            "\"anyone-reads-public\"\neffect    = \"allow\"",
            "\"anyone-reads-public\"\neffect    = \"perhaps\"",
        ),
    )
    .unwrap();
    let told = console.get("policy");
    assert_eq!(told["errors"][0]["line"].as_u64().unwrap(), u64::try_from(expected + 1).unwrap(), "{told}");
    assert!(told["text"].as_str().unwrap().contains("\"perhaps\""));
    let review = console.get("review");
    assert!(review["error"].is_string(), "{review}");
    // A secret that is written down is not told, in a policy that can be used or not.
    for broken in ["", "x = \n"] {
        fs::write(
            served.policy(),
            format!("{text}\n").replace(
                "[log]",
                "[log]\nclaims_salt = \"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"",
            ) + broken,
        )
        .unwrap();
        assert!(!console.get("policy").to_string().contains("0123456789abcdef"));
    }
}

#[test]
fn a_change_of_the_policy_is_an_event() {
    let served = Served::sample();
    let console = Console::of(&served);
    let stream =
        console.connect("GET", "/api/events", &[("host", &console.addr), (SECRET, &console.secret)], "");
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    // The first is for a page that was just opened.
    assert!(lines.any(|line| line == "event: policy"));
    let text = fs::read_to_string(served.policy()).unwrap();
    fs::write(served.policy(), format!("{text}# a comment\n")).unwrap();
    assert!(lines.any(|line| line == "event: policy"));
}

#[tokio::test]
async fn over_https_a_request_is_sent_to_the_certificate_that_serve_has() {
    let folder = tempfile::tempdir().unwrap();
    let sample = folder.path().to_str().unwrap();
    let served = Served::start(folder.path(), ["--sample", sample, "--tls"].map(OsStr::new));
    let console = Console::of(&served);
    let sent = console.did("send", &asked("GET", "users/alice/none", alice()));
    assert_eq!(sent["status"], 404, "{sent}");
    let text = console.did("curl", &asked("GET", "users/alice/none", alice()))["text"].to_string();
    assert!(text.contains("--cacert") && text.contains("https://"), "{text}");
}
