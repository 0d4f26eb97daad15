//! Lines of logs, made from their numbers, for any number of requests.

use std::fmt::Write as _;

use authorizer_core::record::sha256_hex;

const ALLOWED: &str = r#""decision":"allow","reason":"allowed_by_rule""#;

/// A subject of the issuer of `fixtures/logs`, as it is logged.
pub(crate) fn subject(name: &str) -> String {
    sha256_hex(format!("https://login.example.com/\n{name}").as_bytes())
}

/// A decision log of the bundle of `fixtures/logs/old.toml`.
pub(crate) fn decision(bundle: &str) -> impl Fn(u64, &mut String) + use<'_> {
    let other = subject("other");
    move |number, text| {
        // Every folder is different, so that there are more groups than are counted separately.
        let user = number % 50_021;
        let owner = || subject(&format!("u{user}"));
        let (operation, key, verdict) = match number % 5 {
            0 => (
                "GetObject",
                format!("users/u{user}/a{number}.txt"),
                format!(
                    r#"{ALLOWED},"rule":"owners-manage-their-files","issuer":"staff","subject":"{}""#,
                    owner()
                ),
            ),
            1 => (
                "PutObject",
                format!("users/u{user}/b.txt"),
                format!(
                    r#"{ALLOWED},"rule":"owners-manage-their-files","issuer":"staff","subject":"{}""#,
                    owner()
                ),
            ),
            2 => (
                "GetObject",
                format!("public/p{user}/logo.svg"),
                format!(r#"{ALLOWED},"rule":"anyone-reads-public""#),
            ),
            3 => (
                "PutObject",
                format!("records/r{user}/x.csv"),
                format!(r#"{ALLOWED},"rule":"admins-manage-everything","issuer":"staff""#),
            ),
            _ => (
                "GetObject",
                format!("users/u{user}/c.txt"),
                format!(
                    r#""decision":"refuse","status":403,"reason":"key_not_allowed","issuer":"staff","subject":"{other}""#
                ),
            ),
        };
        line(text, number, bundle, operation, &key, &verdict);
    }
}

/// A line for an operation whose method is the first three letters of its name.
pub(crate) fn line(text: &mut String, number: u64, bundle: &str, operation: &str, key: &str, verdict: &str) {
    let method = operation.get(..3).unwrap().to_uppercase();
    writeln!(
        text,
        r#"{{"log_version":1,"request_id":"r{number}","distribution_id":"E","method":"{method}","operation":"{operation}","key":"{key}",{verdict},"bundle_sha256":"{bundle}","micros":61}}"#
    )
    .unwrap();
}

/// The columns of an access log, all of them.
pub(crate) const FIELDS: &str = "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) \
    cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type \
    x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher \
    x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte \
    x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end\n";

/// An access log of the same distribution.
pub(crate) fn access(number: u64, text: &mut String) {
    let user = number % 50_021;
    let (method, stem, status, result) = match number % 4 {
        0 => ("GET", format!("/users/u{user}/a{number}%2520b.txt"), "200", "Miss"),
        1 => ("PUT", format!("/records/r{user}/b.txt"), "200", "Miss"),
        2 => ("GET", format!("/public/p{user}/logo.svg"), "200", "Hit"),
        _ => ("DELETE", format!("/users/u{user}/c.txt"), "403", "LambdaGeneratedResponse"),
    };
    // The function's own answer to the request with the id `id`.
    let answer = if status == "403" { "application/problem+json\t139" } else { "text/plain\t12" };
    writeln!(
        text,
        "2027-01-15\t08:00:00\tFRA56-P4\t512\t203.0.113.9\t{method}\td.cloudfront.net\t{stem}\t{status}\t-\tcurl/8\t-\t-\t\
         {result}\tid\tfiles.example.com\thttps\t310\t0.021\t-\tTLSv1.3\tTLS_AES_128_GCM_SHA256\t{result}\tHTTP/2.0\t\
         -\t-\t40404\t0.021\t{result}\t{answer}\t-\t-"
    )
    .unwrap();
}
