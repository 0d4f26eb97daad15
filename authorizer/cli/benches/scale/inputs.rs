//! Events and logs of any length.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use authorizer_core::record::sha256_hex;
use serde_json::Value;

/// The folder of what tests and documentation share.
pub(crate) const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures");

/// The columns of an access log, all of them.
const FIELDS: &str = "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) \
    cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type \
    x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher \
    x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte \
    x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end\n";

/// Events with the same few tokens, one a line.
pub(crate) fn events(folder: &Path, lines: usize) -> PathBuf {
    let names = ["algorithm-es256.json", "algorithm-rs256.json", "anonymous-reads-public.json"];
    let events: Vec<String> = names
        .iter()
        .map(|name| {
            let text = fs::read_to_string(Path::new(FIXTURES).join("events").join(name)).unwrap();
            serde_json::from_str::<Value>(&text).unwrap().to_string() + "\n"
        })
        .collect();
    let text: String = events.iter().map(String::as_str).cycle().take(lines).collect();
    let path = folder.join("events.jsonl");
    fs::write(&path, text).unwrap();
    path
}

/// An access log for `fixtures/logs/old.toml`.
pub(crate) fn access_log(folder: &Path, lines: usize) -> PathBuf {
    let mut text = FIELDS.to_owned();
    for number in 0..lines {
        let user = number % 50_021;
        let (method, stem, status, result) = match number % 4 {
            0 => ("GET", format!("/users/u{user}/a{number}%2520b.txt"), "200", "Miss"),
            1 => ("PUT", format!("/records/r{user}/b.txt"), "200", "Miss"),
            2 => ("GET", format!("/public/p{user}/logo.svg"), "200", "Hit"),
            _ => ("DELETE", format!("/users/u{user}/c.txt"), "403", "LambdaGeneratedResponse"),
        };
        writeln!(
            text,
            "2027-01-15\t08:00:00\tFRA56-P4\t512\t203.0.113.9\t{method}\td.cloudfront.net\t{stem}\t{status}\t-\t\
             curl/8\t-\t-\t{result}\tid\tfiles.example.com\thttps\t310\t0.021\t-\tTLSv1.3\tTLS_AES_128_GCM_SHA256\t\
             {result}\tHTTP/2.0\t-\t-\t40404\t0.021\t{result}\ttext/plain\t12\t-\t-"
        )
        .unwrap();
    }
    let path = folder.join("access.log");
    fs::write(&path, text).unwrap();
    path
}

/// A decision log of a bundle: `object` makes of a number a key and the rule that let its owner read it.
pub(crate) fn decision_log(
    folder: &Path,
    lines: usize,
    bundle: &str,
    object: impl Fn(usize, &str) -> (String, String),
) -> PathBuf {
    let digest = |name: &str| sha256_hex(format!("https://login.example.com/\n{name}").as_bytes());
    let mut text = String::new();
    for number in 0..lines {
        let owner = format!("u{}", number % 50_021);
        let (key, rule) = object(number, &owner);
        let (verdict, subject) = match number % 5 {
            4 => {
                (r#""decision":"refuse","status":403,"reason":"key_not_allowed""#.to_owned(), digest("other"))
            }
            _ => {
                (format!(r#""decision":"allow","reason":"allowed_by_rule","rule":"{rule}""#), digest(&owner))
            }
        };
        writeln!(
            text,
            r#"{{"log_version":1,"request_id":"r{number}","distribution_id":"E","method":"GET","operation":"GetObject","key":"{key}",{verdict},"issuer":"staff","subject":"{subject}","bundle_sha256":"{bundle}","micros":61}}"#
        )
        .unwrap();
    }
    let path = folder.join(format!("{bundle}.jsonl"));
    fs::write(&path, text).unwrap();
    path
}
