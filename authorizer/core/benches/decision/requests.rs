//! Requests as CloudFront sends them.

use serde_json::{Value, json};

/// The time of all decisions.
pub(crate) const NOW: u64 = 1_800_000_000;

/// The claims of an access token as providers issue it.
pub(crate) fn claims(subject: &str, n: usize) -> Value {
    json!({
        "iss": "https://login.example.com/", "aud": "files-api", "sub": subject, "client_id": "web",
        "scope": "openid profile files", "jti": format!("5f1c7d0e-9f5a-4c0b-8d0a-{n:012}"),
        "iat": NOW - 60, "nbf": NOW - 60, "exp": NOW + 3600, "groups": ["staff", "photos"]
    })
}

/// What `fetch` in a browser sends for a page of the same distribution.
pub(crate) fn event(method: &str, uri: &str, token: Option<&str>) -> Vec<u8> {
    event_with(method, uri, "", token, &[])
}

pub(crate) fn event_with(
    method: &str,
    uri: &str,
    query: &str,
    token: Option<&str>,
    more: &[(&str, &str)],
) -> Vec<u8> {
    // In the order of a browser, which is not that of their names.
    let mut headers: Vec<(String, Vec<Value>)> = Vec::new();
    let bearer = token.map(|token| format!("Bearer {token}"));
    let usual = [
        ("Host", "d111111abcdef8.cloudfront.net"),
        (
            "User-Agent",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
        ),
        ("Accept", "*/*"),
        ("Accept-Encoding", "gzip, deflate, br, zstd"),
        ("Accept-Language", "en-GB,en;q=0.9"),
        ("Referer", "https://d111111abcdef8.cloudfront.net/app/"),
        ("Sec-Fetch-Dest", "empty"),
        ("Sec-Fetch-Mode", "cors"),
        ("Sec-Fetch-Site", "same-origin"),
    ];
    let authorization = bearer.as_deref().map(|value| ("Authorization", value));
    for (name, value) in usual.into_iter().chain(authorization).chain(more.iter().copied()) {
        let line = json!({"key": name, "value": value});
        match headers.iter_mut().find(|(known, _)| *known == name.to_lowercase()) {
            Some((_, lines)) => lines.push(line),
            None => headers.push((name.to_lowercase(), vec![line])),
        }
    }
    let members = headers.into_iter().map(|(name, lines)| format!("{}:{}", json!(name), Value::from(lines)));
    let headers = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
    let event = json!({"Records": [{"cf": {
        "config": {"distributionDomainName": "d111111abcdef8.cloudfront.net",
            "distributionId": "EDFDVBD6EXAMPLE", "eventType": "viewer-request",
            "requestId": "4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ=="},
        "request": {"clientIp": "203.0.113.178", "headers": "HEADERS", "method": method, "querystring": query,
            "uri": uri}
    }}]});
    event.to_string().replace("\"HEADERS\"", &headers).into_bytes()
}
