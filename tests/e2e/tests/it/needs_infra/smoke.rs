//! `infra/smoke` passes for a correct distribution, and fails for others.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use authorizer_e2e::binaries::{authorizer, root};
use authorizer_e2e::served::Served;
use authorizer_e2e::skipped::skip;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// The script, with tokens of the sample.
fn command(served: &Served, url: &str, folder: &str, users: &[&str]) -> Option<Command> {
    if Command::new("python3").arg("--version").output().is_err() {
        skip("infra/smoke: Python is not installed");
        return None;
    }
    let tokens = users.iter().map(|user| served.folder().join("tokens").join(user));
    let mut smoke = Command::new(root().join("infra/smoke"));
    smoke.args([url, folder]).args(tokens).env("AUTHORIZER", authorizer()).env_remove("POLICY");
    Some(smoke)
}

/// Runs the script: its exit status, and the lines that it printed.
fn smoke(served: &Served, url: &str, folder: &str, users: &[&str]) -> Option<(i32, Vec<String>)> {
    Some(lines_of(command(served, url, folder, users)?))
}

/// Runs the script with a policy.
fn smoke_of(served: &Served, policy: &Path) -> Option<(i32, Vec<String>)> {
    let url = format!("http://{}", served.addr());
    let mut smoke = command(served, &url, "users/alice/", &["alice", "bob"])?;
    smoke.env("POLICY", policy);
    Some(lines_of(smoke))
}

fn lines_of(mut smoke: Command) -> (i32, Vec<String>) {
    let output = smoke.output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    (output.status.code().unwrap(), lines)
}

/// What the policy has beside the sample's rules.
const MORE: &str = r#"
[[rules]]
id         = "owners-archive"
effect     = "allow"
operations = ["GetObject", "HeadObject", "PutObject", "DeleteObject", "CreateMultipartUpload", "UploadPart",
              "CompleteMultipartUpload", "AbortMultipartUpload", "ListParts", "ListObjectsV2"]
keys       = ["archive/{sub}/**"]
response_overrides = ["response-content-disposition"]
upload     = { max_bytes = "5MB", create_only = true, metadata = { owner = "{sub}", label = "*" }, checksums = ["sha256"] }
"#;

/// A distribution with a policy that has everything, and that policy. In what is served, the first text is replaced by the second.
fn with_everything(broken: Option<(&str, &str)>) -> (Served, PathBuf, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    drop(Served::sample_in(folder.path()));
    let served = folder.path().join("policy.toml");
    let text = fs::read_to_string(&served).unwrap();
    let cors = "[cors]\norigins = [\"https://app.example.com\"]\n\n[log]";
    let text =
        text.replace("[log]", cors).replacen("version = 1", "version = 1\nmax_origin_headers = 20", 1) + MORE;
    let policy = folder.path().join("expected.toml");
    fs::write(&policy, &text).unwrap();
    let changed = broken.map_or(text.clone(), |(from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    fs::write(&served, changed).unwrap();
    (Served::sample_in(folder.path()), policy, folder)
}

#[test]
fn with_the_policy_everything_that_it_opens_is_asked_for_and_nothing_stays() {
    let (served, policy, _folder) = with_everything(None);
    let Some((status, lines)) = smoke_of(&served, &policy) else { return };
    assert_eq!((status, wrong(&lines)), (0, Vec::new()), "{lines:#?}");
    for what in [
        "PUT by the user: 200 (settles: payload)",
        "GET with If-None-Match of its ETag: 304 (settles: conditions)",
        "a key with a space: PUT 200, and GET returns it (settles: keys)",
        "a key with a plus: PUT 200, and GET returns it (settles: keys)",
        "a key with a percent sign: PUT 200, and GET returns it (settles: keys)",
        "a key with an apostrophe: PUT 200, and GET returns it (settles: keys)",
        "a key with a quotation mark: PUT 200, and GET returns it (settles: keys)",
        "a key with a letter outside ASCII: PUT 200, and GET returns it (settles: keys)",
        "a preflight from https://app.example.com: allowed, by the function (settles: cors)",
        "rule owners-manage-their-files: a listing of users/alice/smoke-: 200, with its prefix (settles: query)",
        "rule owners-archive: PUT with x-amz-meta-owner, x-amz-meta-label, x-amz-checksum-sha256: 200 (settles: headers)",
        "  and x-amz-meta-label is stored (settles: headers)",
        "  create_only, a second PUT: 412, from S3 (settles: create-only)",
        "  PUT of other bytes than x-amz-checksum-sha256 says: 400, from S3 (settles: headers)",
        "GET with response-content-disposition: 200, with that header (settles: query)",
        "  with a wrong x-amz-mp-object-size: 400, from S3 (settles: object-size)",
        "  it is complete: 200 (settles: query)",
    ] {
        assert!(lines.contains(&format!("ok     {what}")), "{what}: {lines:#?}");
    }
    // What it could not delete, it does not upload.
    assert!(lines.iter().any(|line| line.starts_with("skip   rule owners-upload-pictures: ")), "{lines:#?}");
    let unsettled: Vec<_> = lines.iter().filter(|line| line.contains("not settled by this policy")).collect();
    assert!(unsettled.len() == 1 && unsettled[0].contains("kms"), "{unsettled:?}");
    assert_eq!(served.objects(), 0);
}

#[test]
fn one_thing_that_is_otherwise_than_the_policy_is_named() {
    for (from, to, named) in [
        ("create_only = true, ", "", "create_only, a second PUT: 412, from S3: 200"),
        (
            ", checksums = [\"sha256\"]",
            "",
            "PUT with x-amz-meta-owner, x-amz-meta-label, x-amz-checksum-sha256: 200: 400",
        ),
        (
            ", label = \"*\"",
            "",
            "PUT with x-amz-meta-owner, x-amz-meta-label, x-amz-checksum-sha256: 200: 400",
        ),
        (
            "\nresponse_overrides = [\"response-content-disposition\"]",
            "",
            "GET with response-content-disposition: 200, with that header: 400",
        ),
        ("\"ListParts\", ", "", "the parts are listed: 200: 400"),
        ("\"CreateMultipartUpload\", ", "", "an upload in parts begins: 200: 400"),
        (
            "https://app.example.com",
            "https://other.example.com",
            "a preflight from https://app.example.com: allowed, by the function: 403",
        ),
        (
            "[\"archive/{sub}/**\"]",
            "[\"archives/{sub}/**\"]",
            "a listing of archive/alice/smoke-: 200, with its prefix: 403",
        ),
    ] {
        let (served, policy, _folder) = with_everything(Some((from, to)));
        let Some((status, lines)) = smoke_of(&served, &policy) else { return };
        assert_eq!(status, 1, "{from}: {lines:#?}");
        assert!(wrong(&lines).iter().any(|line| line.contains(named)), "{named}: {lines:#?}");
        assert_eq!(lines.last().unwrap(), &format!("{} wrong", wrong(&lines).len()));
        assert_eq!(served.objects(), 0, "{from}: {lines:#?}");
        let unsettled = lines.iter().any(|line| line.contains("this does not settle: create-only"));
        assert_eq!(unsettled, from.starts_with("create_only"), "{lines:#?}");
    }
}

#[test]
fn what_was_made_is_deleted_after_ctrl_c() {
    let (served, policy, _folder) = with_everything(None);
    let url = format!("http://{}", served.addr());
    let Some(mut smoke) = command(&served, &url, "users/alice/", &["alice"]) else { return };
    let mut child =
        smoke.env("POLICY", &policy).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.starts_with("ok     PUT by the user"), "{first}");
    assert_ne!(served.objects(), 0);
    kill_process(Pid::from_raw(child.id().try_into().unwrap()).unwrap(), Signal::INT).unwrap();
    let rest: Vec<_> = lines.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:#?}");
    assert_eq!(served.objects(), 0, "{rest:#?}");
}

#[test]
fn what_cannot_be_run_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let [token, policy] = ["token", "policy.toml"].map(|name| folder.path().join(name));
    fs::write(&token, "Authorization: Bearer a.b.c").unwrap();
    fs::write(&policy, "not a policy").unwrap();
    let token = token.to_str().unwrap();
    for (arguments, policy, message) in [
        (&["http://127.0.0.1:9", "a/"][..], None, "Usage: infra/smoke URL FOLDER USER [OTHER]"),
        (&["127.0.0.1", "a/", token], None, "is not a URL: write https://HOST"),
        (&["http://127.0.0.1:9", "a/", "/nonexistent"], None, "the token's file"),
        (&["http://127.0.0.1:9", "a/", token], Some(&policy), "POLICY: "),
    ] {
        let mut smoke = Command::new(root().join("infra/smoke"));
        smoke.args(arguments).env_remove("POLICY").envs(policy.map(|policy| ("POLICY", policy)));
        let output = smoke.output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(message), "{text}");
    }
}

/// A server that answers every request in this way.
fn answering(status: &str, header: &str, body: &str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let answer = format!(
        "HTTP/1.1 {status}\r\n{header}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    // It ends with the process of the tests.
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = [0; 65_536];
            // The requests here come in one piece or two; an answer may come before the second.
            let _ = stream.read(&mut bytes).and_then(|_| stream.write_all(answer.as_bytes()));
        }
    });
    addr
}

#[test]
fn an_error_of_s3_or_cloudfront_in_the_place_of_an_answer_comes_with_its_cause() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, "Authorization: Bearer a.b.c").unwrap();
    let of_s3 = |code: &str| format!("<Error><Code>{code}</Code><Message>said by S3</Message></Error>");
    let of_cloudfront =
        |text: &str| format!("<HTML><BODY>{text}<HR>Generated by cloudfront (CloudFront)</BODY></HTML>");
    let xml = "Content-Type: application/xml";
    for (status, header, body, said, hint) in [
        (
            "307 Temporary Redirect",
            xml,
            of_s3("TemporaryRedirect"),
            "307",
            "write BUCKET.s3.REGION.amazonaws.com",
        ),
        (
            "301 Moved Permanently",
            xml,
            of_s3("PermanentRedirect"),
            "301",
            "has another Region than the bucket",
        ),
        ("403 Forbidden", xml, of_s3("MissingKey"), "403", "trusted key groups or signers"),
        ("403 Forbidden", xml, of_s3("SignatureDoesNotMatch"), "403", "Host is forwarded to S3"),
        ("404 Not Found", xml, of_s3("NoSuchBucket"), "404", "Host is forwarded to S3"),
        ("403 Forbidden", xml, of_s3("AccessDenied"), "403", "the bucket's policy or the key's"),
        (
            "403 Forbidden",
            xml,
            of_s3("AccessDenied").replace("said by S3", "is not authorized to perform: kms:GenerateDataKey"),
            "403",
            "the key's policy does not allow the distribution",
        ),
        ("400 Bad Request", xml, of_s3("KMS.DisabledException"), "400", "the bucket's key is disabled"),
        ("501 Not Implemented", xml, of_s3("NotImplemented"), "501", "S3 does not do"),
        (
            "502 Bad Gateway",
            "X-Cache: LambdaValidationError from cloudfront",
            of_cloudfront("The Lambda function returned an invalid entry"),
            "502",
            "does not take the function's answer",
        ),
        (
            "503 Service Unavailable",
            "X-Cache: LambdaExecutionError from cloudfront",
            of_cloudfront("The Lambda function associated with the CloudFront distribution failed."),
            "503",
            "the function did not answer",
        ),
        (
            "503 Service Unavailable",
            "X-Cache: LambdaLimitExceeded from cloudfront",
            of_cloudfront("limit exceeded"),
            "503",
            "docs/runbook.md",
        ),
        ("503 Slow Down", xml, of_s3("SlowDown"), "503", "S3 throttles the bucket"),
        (
            "502 Bad Gateway",
            "X-Cache: Error from cloudfront",
            of_cloudfront("CloudFront wasn't able to resolve the origin domain name."),
            "502",
            "does not reach the bucket",
        ),
        (
            "503 Service Unavailable",
            "Content-Type: application/xml\r\nX-Cache: Error from cloudfront",
            of_s3("ServiceUnavailable"),
            "503",
            "S3 does not answer now",
        ),
        (
            "503 Service Unavailable",
            "X-Cache: Error from cloudfront",
            of_cloudfront("We can't connect to the server for this app or website at this time."),
            "503",
            "CloudFront has no room",
        ),
        (
            "403 Forbidden",
            "X-Cache: Error from cloudfront",
            of_cloudfront("Bad request."),
            "403",
            "or a web ACL does",
        ),
    ] {
        let mut smoke = Command::new(root().join("infra/smoke"));
        smoke.arg(format!("http://{}", answering(status, header, &body))).arg("users/alice/").arg(&token);
        let output = smoke.env_remove("POLICY").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.starts_with(&format!("WRONG  PUT by the user: 200: {said}")), "{text}");
        // Once, also if every answer is this one.
        assert_eq!(text.matches(hint).count(), 1, "{hint}\n{text}");
    }
    // Of a code that is not known, no cause is guessed, though CloudFront passes it on.
    let header = "Content-Type: application/xml\r\nX-Cache: Error from cloudfront";
    let addr = answering("403 Forbidden", header, &of_s3("InvalidAccessKeyId"));
    let mut smoke = Command::new(root().join("infra/smoke"));
    smoke.arg(format!("http://{addr}")).arg("users/alice/").arg(&token).env_remove("POLICY");
    let text = String::from_utf8(smoke.output().unwrap().stdout).unwrap();
    assert!(text.contains("S3 says InvalidAccessKeyId") && !text.contains("or a web ACL"), "{text}");
    // Nobody answers.
    let mut smoke = Command::new(root().join("infra/smoke"));
    let output =
        smoke.args(["http://127.0.0.1:9", "users/alice/"]).arg(&token).env_remove("POLICY").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.starts_with("WRONG  PUT by the user: 200: none: [Errno"), "{text}");
}

fn wrong(lines: &[String]) -> Vec<&str> {
    lines.iter().filter_map(|line| line.strip_prefix("WRONG  ")).collect()
}

#[test]
fn the_distribution_of_make_run_is_as_it_should_be_and_is_left_as_it_was() {
    let served = Served::sample();
    let url = format!("http://{}", served.addr());
    let Some((status, lines)) = smoke(&served, &url, "users/alice/", &["alice", "bob"]) else { return };
    assert_eq!((status, wrong(&lines)), (0, Vec::new()), "{lines:#?}");
    assert_eq!(lines.len(), 23, "{lines:#?}");
    assert_eq!(lines.last().unwrap(), "all answers are right");
    assert_eq!(served.objects(), 0);
}

#[test]
fn a_bucket_without_the_function_in_front_of_it_is_found_wrong_though_it_refuses() {
    let served = Served::sample();
    let url = format!("http://{}", served.s3_addr());
    let Some((status, lines)) = smoke(&served, &url, "users/alice", &["alice"]) else { return };
    assert_eq!(status, 1);
    // S3 answers 403 and 400 to these as well, but here the function must answer.
    for refusal in ["GET without a token: 401", "the ACL: 400", "a path with ..: 400"] {
        assert!(wrong(&lines).iter().any(|line| line.starts_with(refusal)), "{refusal}: {lines:#?}");
    }
    assert_eq!(lines.last().unwrap(), &format!("{} wrong", wrong(&lines).len()));
}

#[test]
fn a_user_without_the_right_and_another_with_it_are_found_wrong() {
    let served = Served::sample();
    let url = format!("http://{}", served.addr());
    let Some((status, lines)) = smoke(&served, &url, "users/alice/", &["bob", "alice"]) else { return };
    assert_eq!(status, 1);
    for line in ["PUT by the user: 200: 403", "GET by the other user: 403: 404"] {
        assert!(wrong(&lines).contains(&line), "{line}: {lines:#?}");
    }
}
