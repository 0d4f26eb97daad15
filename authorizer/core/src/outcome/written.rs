//! The outcome as the JSON that goes to CloudFront.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::{GeneratedResponse, Outcome};
use crate::event::{CloudFrontBody, CloudFrontHeader, CloudFrontHeaders, CloudFrontRequest};
use crate::json_text::{push_string, push_text};

/// More than nearly all outcomes have, so that the text does not grow step by step.
const USUAL_BYTES: usize = 1024;

impl Outcome<'_> {
    /// The outcome as JSON. It is what serde writes.
    pub fn to_json(&self) -> String {
        let mut json = String::with_capacity(USUAL_BYTES);
        match self {
            Self::Forward(request) => push_request(&mut json, request),
            Self::Respond(response) => push_response(&mut json, response),
        }
        json
    }
}

fn push_request(json: &mut String, request: &CloudFrontRequest<'_>) {
    // Every field by its name, so that a new one does not compile until it is written here.
    let CloudFrontRequest { client_ip, method, uri, querystring, headers, body, other } = request;
    push_text(json, r#"{"clientIp":"#, client_ip);
    push_text(json, r#","method":"#, method);
    push_text(json, r#","uri":"#, uri);
    push_text(json, r#","querystring":"#, querystring);
    json.push_str(r#","headers":"#);
    push_headers(json, headers);
    if let Some(body) = body {
        json.push_str(r#","body":"#);
        push_body(json, body);
    }
    push_others(json, other);
    json.push('}');
}

fn push_body(json: &mut String, body: &CloudFrontBody) {
    let CloudFrontBody { input_truncated, action, encoding, data, other } = body;
    json.push_str(if *input_truncated { r#"{"inputTruncated":true"# } else { r#"{"inputTruncated":false"# });
    push_text(json, r#","action":"#, action);
    push_text(json, r#","encoding":"#, encoding);
    push_text(json, r#","data":"#, &STANDARD.encode(&data.0));
    push_others(json, other);
    json.push('}');
}

/// The fields of an object that this version does not know.
fn push_others(json: &mut String, others: &Map<String, Value>) {
    for (name, value) in others {
        json.push(',');
        push_string(json, name);
        json.push(':');
        json.push_str(&value.to_string());
    }
}

fn push_response(json: &mut String, response: &GeneratedResponse) {
    let GeneratedResponse { status, status_description, headers, body } = response;
    push_text(json, r#"{"status":"#, status);
    push_text(json, r#","statusDescription":"#, status_description);
    json.push_str(r#","headers":"#);
    push_headers(json, headers);
    if let Some(body) = body {
        push_text(json, r#","body":"#, body);
    }
    json.push('}');
}

fn push_headers(json: &mut String, headers: &CloudFrontHeaders<'_>) {
    let mut before = '{';
    for (name, lines) in headers {
        json.push(before);
        push_string(json, name);
        json.push_str(":[");
        let mut is_first = true;
        for CloudFrontHeader { key, value, other } in lines.iter() {
            json.push_str(if is_first { "{" } else { ",{" });
            is_first = false;
            if let Some(key) = key {
                push_text(json, r#""key":"#, key);
                json.push(',');
            }
            push_text(json, r#""value":"#, value);
            if let Some(other) = other {
                push_others(json, other);
            }
            json.push('}');
        }
        json.push(']');
        before = ',';
    }
    json.push_str(if headers.is_empty() { "{}" } else { "}" });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::HeaderLines;
    use aws_lambda_events::encodings::Base64Data;
    use proptest::prelude::*;
    use serde_json::json;

    type Lines = Vec<(Option<String>, String, bool)>;

    fn later(name: &str) -> Map<String, Value> {
        Map::from_iter([(name.to_owned(), json!({"a": [null, name, 1.5]})), ("\"".to_owned(), json!("\n"))])
    }

    fn headers(lines: Vec<(String, Lines)>) -> CloudFrontHeaders<'static> {
        let line = |(key, value, has_more): (Option<String>, String, bool)| CloudFrontHeader {
            other: has_more.then(|| Box::new(later(&value))),
            key: key.map(Into::into),
            value: value.into(),
        };
        let of = |(name, lines): (String, Lines)| {
            (name.into(), lines.into_iter().map(line).collect::<HeaderLines<'_>>())
        };
        lines.into_iter().map(of).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn an_outcome_is_written_as_serde_writes_it(
            texts in prop::array::uniform4(any::<String>()),
            lines in prop::collection::vec(
                (any::<String>(), prop::collection::vec((any::<Option<String>>(), any::<String>(), any::<bool>()), 0..3)),
                0..4,
            ),
            body in any::<Option<String>>(),
            has_more in any::<bool>(),
        ) {
            let [client_ip, method, uri, querystring] = texts.clone().map(Into::into);
            let [status, status_description, action, encoding] = texts;
            let other = if has_more { later(&action) } else { Map::new() };
            let sent = body.clone().map(|body| {
                let data: Base64Data = serde_json::from_value(json!(STANDARD.encode(body))).unwrap();
                Box::new(CloudFrontBody { input_truncated: has_more, action, encoding, data, other: other.clone() })
            });
            let headers = headers(lines);
            let response = GeneratedResponse { status, status_description, headers: headers.clone(), body };
            let request = CloudFrontRequest { client_ip, method, uri, querystring, headers, body: sent, other };
            for outcome in [Outcome::Forward(Box::new(request)), Outcome::Respond(response)] {
                prop_assert_eq!(outcome.to_json(), serde_json::to_string(&outcome).unwrap());
            }
        }
    }
}
