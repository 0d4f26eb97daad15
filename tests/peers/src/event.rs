//! The requests, and their expected decisions.

use bytes::Bytes;
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value, json};

use crate::issuer::{Fault, Issuer, forged};

/// One request of a viewer, and its expected decision.
#[derive(Clone, Debug)]
pub struct Case {
    /// The event's bytes.
    pub event: Bytes,
    /// The decision that every contender must make.
    pub expected: Decision,
}

/// A decision, without the text of a refusal, which differs between handlers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Decision {
    /// The request is forwarded with this `uri`, without its token.
    Forwarded(String),
    /// A response with a status of 400 to 499.
    Refused,
}

impl Case {
    /// A request with a token, or without one.
    pub fn new(method: &str, uri: &str, token: Option<&str>, expected: Decision) -> Self {
        // The headers of the example in CloudFront's documentation, and a browser's.
        let mut headers = Map::new();
        let mut add = |name: &str, value: &str| {
            headers.insert(name.to_ascii_lowercase(), json!([{"key": name, "value": value}]));
        };
        add("Host", "d111111abcdef8.cloudfront.net");
        add("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
        add("Accept", "application/pdf,image/avif,image/webp,*/*;q=0.8");
        add("Accept-Language", "en-US,en;q=0.5");
        add("Accept-Encoding", "gzip, deflate, br, zstd");
        add("Cache-Control", "no-cache");
        if let Some(token) = token {
            add("Authorization", &format!("Bearer {token}"));
        }
        let event = json!({"Records": [{"cf": {
            "config": {
                "distributionDomainName": "d111111abcdef8.cloudfront.net",
                "distributionId": "EDFDVBD6EXAMPLE",
                "eventType": "viewer-request",
                "requestId": "4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ==",
            },
            "request": {
                "clientIp": "203.0.113.178",
                "headers": headers,
                "method": method,
                "querystring": "",
                "uri": uri,
            },
        }}]});
        Self { event: Bytes::from(serde_json::to_vec(&event).unwrap()), expected }
    }

    /// A user reads a file of their own.
    pub fn own_file(issuer: &Issuer, number: usize) -> Self {
        let (subject, uri) = own(number);
        Self::allowed(&uri, &issuer.token(&subject, number, Fault::None))
    }

    fn own_es256(issuer: &Issuer, number: usize) -> Self {
        let (subject, uri) = own(number);
        Self::allowed(&uri, &issuer.sign(Algorithm::ES256, &subject, number, Fault::None))
    }

    fn allowed(uri: &str, token: &str) -> Self {
        Self::new("GET", uri, Some(token), Decision::Forwarded(uri.to_owned()))
    }

    /// Panics if the result is not the expected decision.
    pub fn assert(&self, who: &str, result: &[u8]) {
        let decision = Decision::of(result);
        assert_eq!(decision.as_ref(), Some(&self.expected), "{who}: {}", String::from_utf8_lossy(result));
    }
}

impl Decision {
    /// The decision in a function's result; `None` if CloudFront could not use it.
    pub fn of(result: &[u8]) -> Option<Self> {
        let result: Value = serde_json::from_slice(result).ok()?;
        if let Some(status) = result.get("status") {
            let status: u16 = status.as_str()?.parse().ok()?;
            return (400..500).contains(&status).then_some(Self::Refused);
        }
        let has_token = result.get("headers")?.get("authorization").is_some();
        let uri = result.get("uri")?.as_str()?;
        (!has_token).then(|| Self::Forwarded(uri.to_owned()))
    }
}

/// The requests to each process in a round, in this order. All processes get the same.
#[derive(Debug)]
pub struct Workload {
    /// The first request.
    pub first: Case,
    /// Requests that each have a new token.
    pub new: Vec<Case>,
    /// The same request, with the token of the first.
    pub repeated: Case,
    /// Requests that each have a forged token.
    pub forged: Vec<Case>,
    /// Requests that each have a new ES256 token.
    pub new_es256: Vec<Case>,
    /// The same request, with an ES256 token.
    pub repeated_es256: Case,
}

impl Workload {
    /// With this number of events per kind.
    pub fn new(issuer: &Issuer, events: usize) -> Self {
        let mut workload = Self {
            first: Case::own_file(issuer, 0),
            new: Vec::new(),
            repeated: Case::own_file(issuer, 0),
            forged: Vec::new(),
            new_es256: Vec::new(),
            repeated_es256: Case::own_es256(issuer, 0),
        };
        for number in 1..=events {
            let (subject, uri) = own(number);
            let token = issuer.token(&subject, number, Fault::None);
            workload.forged.push(Case::new("GET", &uri, Some(&forged(&token)), Decision::Refused));
            workload.new.push(Case::allowed(&uri, &token));
            workload.new_es256.push(Case::own_es256(issuer, number));
        }
        workload
    }
}

/// A user, and one of their files.
fn own(number: usize) -> (String, String) {
    let subject = format!("user-{number}");
    let uri = format!("/users/{subject}/reports/2026/summary.pdf");
    (subject, uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_that_keeps_the_token_or_has_no_form_is_no_decision() {
        let decision = |text: &str| Decision::of(text.as_bytes());
        assert_eq!(decision(r#"{"uri": "/a", "headers": {}}"#), Some(Decision::Forwarded("/a".into())));
        assert_eq!(decision(r#"{"status": "403"}"#), Some(Decision::Refused));
        for text in [
            r#"{"uri": "/a", "headers": {"authorization": []}}"#,
            r#"{"uri": "/a"}"#,
            r#"{"status": 403}"#,
            r#"{"status": "200"}"#,
            r#"{"status": "500"}"#,
            "null",
            "",
        ] {
            assert_eq!(decision(text), None, "{text}");
        }
    }
}
