//! The clients of docs/clients.md, set as it says. The SDK for Python and the command line are in `sdk`, the SDKs for Go and
//! Rust in `compiled`, the examples in `examples`.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use authorizer_e2e::binaries::root;
use authorizer_e2e::stage::Stage;
use authorizer_e2e::tools::installed;
use serde_json::{Value, json};

const SECRET: &str = "users/bob/secret";

/// A distribution with an object of Bob's.
fn stage() -> Stage {
    Stage::start_having(SECRET, "secret", false)
}

fn text(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

/// rclone, for the bucket `files` at `example.com`. As its proxy, the distribution gets the requests for that host.
fn rclone(stage: &Stage, token: &str, arguments: &[&str]) -> Option<Output> {
    let folder = installed("rclone", "rclone")?;
    let config = stage.folder().join("rclone.conf");
    let remote = "[files]\ntype = s3\nprovider = Other\nendpoint = http://example.com\nforce_path_style = false\n\
                  list_version = 2\nno_check_bucket = true\n";
    fs::write(&config, remote).unwrap();
    let mut command = Command::new(folder.join("bin/rclone"));
    command.env_clear().env("HOME", stage.folder()).env("http_proxy", format!("http://{}", stage.addr()));
    command.arg("--config").arg(config).args(["--retries", "1", "--low-level-retries", "1"]);
    command.arg("--header").arg(format!("Authorization: Bearer {token}"));
    Some(command.args(arguments).output().unwrap())
}

#[test]
fn rclone_lists_reads_and_writes_and_gets_no_further() {
    let stage = stage();
    let alice = stage.token("alice");
    let tree = stage.folder().join("tree");
    fs::create_dir_all(tree.join("deep")).unwrap();
    fs::write(tree.join("deep/a+b é.txt"), "hers").unwrap();
    fs::write(tree.join("large"), vec![7; 12_000_000]).unwrap();
    let (tree, copy) = (tree.to_str().unwrap(), stage.folder().join("copy"));
    let copy = copy.to_str().unwrap();
    let Some(up) =
        rclone(&stage, &alice, &["--s3-upload-cutoff", "5M", "copy", tree, "files:files/users/alice/tree"])
    else {
        return;
    };
    assert!(up.status.success(), "{}", text(&up));
    assert!(stage.bucket_lines().iter().any(|line| line.starts_with("CompleteMultipartUpload ")));
    for arguments in [
        &["copy", "files:files/users/alice/tree", copy][..],
        &["check", tree, copy],
        &["check", tree, "files:files/users/alice/tree"],
    ] {
        let done = rclone(&stage, &alice, arguments).unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", text(&done));
    }
    let listed = rclone(&stage, &alice, &["lsf", "-R", "files:files/users/alice/"]).unwrap();
    assert!(text(&listed).contains("tree/deep/a+b é.txt\n"), "{}", text(&listed));
    let removed = rclone(&stage, &alice, &["delete", "files:files/users/alice/tree"]).unwrap();
    assert!(removed.status.success(), "{}", text(&removed));
    assert_eq!(stage.keys(), [SECRET]);

    stage.bucket_log();
    for arguments in [
        &["cat", "files:files/users/bob/secret"][..],
        &["lsf", "files:files/users/bob/"],
        &["lsf", "files:files"],
        &["copyto", &format!("{tree}/large"), "files:files/users/bob/secret"],
        &["deletefile", "files:files/users/bob/secret"],
    ] {
        let refused = rclone(&stage, &alice, arguments).unwrap();
        assert!(!refused.status.success(), "{arguments:?}: {}", text(&refused));
        assert!(text(&refused).contains("StatusCode: 40"), "{arguments:?}: {}", text(&refused));
    }
    assert!(stage.bucket_log().is_empty());
    assert_eq!(fs::read_to_string(stage.file(SECRET)).unwrap(), "secret");
}

/// AWS's SDK for JavaScript: one call for each line, and the answers.
fn sdk_js(stage: &Stage, token: &str, calls: &[Value]) -> Option<Vec<Value>> {
    let folder = installed("sdk-js", "AWS's SDK for JavaScript")?;
    // Node.js searches for packages beside the script.
    let script = stage.folder().join("driver.mjs");
    fs::copy(root().join("tests/tools/sdk-js/driver.mjs"), &script).unwrap();
    let _ = std::os::unix::fs::symlink(folder.join("node_modules"), stage.folder().join("node_modules"));
    let (_, port) = stage.addr().rsplit_once(':').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let mut node = Command::new(folder.join("node"));
    node.env_clear().env("HOME", stage.folder()).arg(script).args([&port, token]);
    let mut child = node.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines: String = calls.iter().map(|call| format!("{call}\n")).collect();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let answers = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(answers.lines().count(), calls.len(), "{}", text(&output));
    Some(answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn the_sdk_for_javascript_reads_writes_and_lists_and_shows_refusals_as_s3s() {
    let stage = stage();
    let calls = [
        json!({"call": "PutObject", "args": {"Key": "users/alice/a b+c", "Body": "hers"}}),
        json!({"call": "GetObject", "args": {"Key": "users/alice/a b+c"}}),
        json!({"call": "HeadObject", "args": {"Key": "users/alice/a b+c"}}),
        json!({"call": "ListObjectsV2", "args": {"Prefix": "users/alice/"}}),
        json!({"call": "GetObject", "args": {"Key": SECRET}}),
        json!({"call": "PutObject", "args": {"Key": SECRET, "Body": "x"}}),
        json!({"call": "HeadObject", "args": {"Key": SECRET}}),
        json!({"call": "PutObjectAcl", "args": {"Key": "users/alice/a b+c", "ACL": "public-read"}}),
        json!({"call": "CopyObject", "args": {"Key": "users/alice/x", "CopySource": "files/users/bob/secret"}}),
        json!({"call": "DeleteObject", "args": {"Key": "users/alice/a b+c"}}),
    ];
    let Some(answers) = sdk_js(&stage, &stage.token("alice"), &calls) else { return };
    for index in [0, 1, 2, 3, 9] {
        assert!(answers[index]["error"].is_null(), "{} {}", calls[index], answers[index]);
    }
    assert_eq!(answers[1]["result"]["Body"], "hers");
    assert_eq!(answers[3]["result"]["Contents"][0]["Key"], "users/alice/a b+c");
    for (index, name, status) in [
        (4, "AccessDenied", 403),
        (5, "AccessDenied", 403),
        // The answer to HEAD has no body, so there is no code.
        (6, "Unknown", 403),
        (7, "InvalidRequest", 400),
        (8, "InvalidRequest", 400),
    ] {
        let error = &answers[index]["error"];
        assert_eq!((&error["name"], &error["status"]), (&json!(name), &json!(status)), "{}", answers[index]);
    }
    assert_eq!(stage.keys(), [SECRET]);
    let refused = sdk_js(&stage, "a.b.c", &calls[1..2]).unwrap();
    assert_eq!(refused[0]["error"]["name"], "AccessDenied");
    assert_eq!(refused[0]["error"]["status"], 401);
}

#[test]
fn curl_uploads_downloads_and_shows_the_reason_of_a_refusal() {
    let stage = stage();
    let alice = stage.token("alice");
    let file = stage.folder().join("note");
    fs::write(&file, "hers").unwrap();
    let curl = |arguments: &[&str], path: &str| {
        let mut command = Command::new("curl");
        command.env_clear().args(["--silent", "--show-error", "--fail-with-body"]).args(arguments);
        command.arg("--header").arg(format!("Authorization: Bearer {alice}"));
        let output = command.arg(format!("http://{}{path}", stage.addr())).output().unwrap();
        (output.status.success(), text(&output))
    };
    let (well, said) = curl(&["--upload-file", file.to_str().unwrap()], "/users/alice/a%20b%2Bc");
    assert!(well, "{said}");
    assert_eq!(curl(&[], "/users/alice/a%20b%2Bc"), (true, "hers".to_owned()));
    let query = ["--get", "--data-urlencode", "list-type=2", "--data-urlencode", "prefix=users/alice/a b"];
    let (well, listed) = curl(&query, "/");
    assert!(well && listed.contains("<Key>users/alice/a b+c</Key>"), "{listed}");
    let (well, said) = curl(&[], "/users/bob/secret");
    assert!(
        !well && said.contains("\"detail\":\"Access to this object with this method is not allowed.\""),
        "{said}"
    );
    // S3 needs to know the length before it reads.
    let (well, said) =
        curl(&["--upload-file", "-", "--header", "Transfer-Encoding: chunked"], "/users/alice/b");
    assert!(!well && said.contains("<Code>NotImplemented</Code>"), "{said}");
    let (well, _) = curl(&["--request", "DELETE"], "/users/alice/a%20b%2Bc");
    assert!(well);
    assert_eq!(stage.keys(), [SECRET]);
}

#[test]
fn fetch_writes_a_space_as_a_plus_and_is_told_the_reason_of_a_refusal() {
    let stage = stage();
    let Some(folder) = installed("sdk-js", "Node.js") else { return };
    let script = r#"
        const [url, token] = process.argv.slice(1);
        const headers = { Authorization: `Bearer ${token}` };
        const path = (key) => `/${key.split("/").map(encodeURIComponent).join("/")}`;
        const key = "users/alice/my docs/a+b";
        const put = await fetch(url + path(key), { method: "PUT", headers, body: "hers" });
        const query = new URLSearchParams({ "list-type": "2", prefix: "users/alice/my docs/" });
        const list = await fetch(`${url}/?${query}`, { headers });
        const disposition = new URLSearchParams({ "response-content-disposition": "attachment; filename=\"a b\"" });
        const get = await fetch(`${url}${path(key)}?${disposition}`, { headers });
        const refused = await fetch(url + path("users/bob/secret"), { headers });
        const { title, detail } = await refused.json();
        const removed = await fetch(url + path(key), { method: "DELETE", headers });
        console.log(JSON.stringify([put.status, `${query}`.includes("my+docs"), list.status,
            (await list.text()).includes(key), await get.text(), get.headers.get("content-disposition"),
            refused.status, title, detail, removed.status]));
    "#;
    let mut node = Command::new(folder.join("node"));
    node.env_clear().args(["--input-type=module", "--eval", script, "--"]);
    let output = node.args([format!("http://{}", stage.addr()), stage.token("alice")]).output().unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&text(&output)).unwrap_or_else(|_| panic!("{}", text(&output))),
        json!([
            200,
            true,
            200,
            true,
            "hers",
            "attachment; filename=\"a b\"",
            403,
            "Forbidden",
            "Access to this object with this method is not allowed.",
            204
        ])
    );
    assert_eq!(stage.keys(), [SECRET]);
}

#[test]
fn axios_over_https_uploads_lists_and_is_told_the_reason_of_a_refusal() {
    let stage = Stage::start_having(SECRET, "secret", true);
    let Some(folder) = installed("examples", "axios") else { return };
    let script = stage.folder().join("axios.mjs");
    let source = r#"
        import { Readable } from "node:stream";
        import axios from "axios";
        const [baseURL, token] = process.argv.slice(2);
        const files = axios.create({
            baseURL, headers: { Authorization: `Bearer ${token}` }, maxRedirects: 0, validateStatus: null,
        });
        const path = (key) => `/${key.split("/").map(encodeURIComponent).join("/")}`;
        const key = "users/alice/my docs/a+b";
        const stream = () => Readable.from([Buffer.from("hers")]);
        const whole = await files.put(path(key), "hers");
        const sized = await files.put(path(key), stream(), { headers: { "Content-Length": 4 } });
        const chunked = await files.put(path("users/alice/chunked"), stream());
        const list = await files.get("/", { params: { "list-type": 2, prefix: "users/alice/my docs/" } });
        const get = await files.get(path(key));
        const refused = await files.get(path("users/bob/secret"));
        const removed = await files.delete(path(key));
        console.log(JSON.stringify([whole.status, sized.status, chunked.status, list.status,
            list.request.path.includes("my+docs"), list.data.includes(key), get.data, refused.status,
            refused.data.detail, removed.status]));
    "#;
    fs::write(&script, source).unwrap();
    std::os::unix::fs::symlink(folder.join("node_modules"), stage.folder().join("node_modules")).unwrap();
    let mut node = Command::new(folder.join("node"));
    node.env_clear().env("NODE_EXTRA_CA_CERTS", stage.certificate().unwrap());
    let output = node.arg(script).args([stage.url(), stage.token("alice")]).output().unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&text(&output)).unwrap_or_else(|_| panic!("{}", text(&output))),
        json!([
            200,
            200,
            501,
            200,
            true,
            true,
            "hers",
            403,
            "Access to this object with this method is not allowed.",
            204
        ])
    );
    assert_eq!(stage.keys(), [SECRET]);
}
