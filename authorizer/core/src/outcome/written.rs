//! The outcome as the JSON that goes to CloudFront.

use super::{GeneratedResponse, Outcome};
use crate::event::{CloudFrontHeader, CloudFrontHeaders, CloudFrontRequest};
use crate::json_text::{push_string, push_text};

/// More than nearly all outcomes have, so that a text grows at most once.
const USUAL_BYTES: usize = 1024;

impl Outcome<'_> {
    /// The outcome as JSON. It is what serde writes.
    ///
    /// # Errors
    /// Those of serde, for fields that this version does not know. No field that an event can have causes one.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut json = String::with_capacity(USUAL_BYTES);
        match self {
            Self::Forward(request) if is_usual(request) => push_request(&mut json, request),
            Self::Forward(_) => return serde_json::to_string(self),
            Self::Respond(response) => push_response(&mut json, response),
        }
        Ok(json)
    }
}

/// Whether a request has neither a body nor fields that this version does not know. Serde writes all others.
fn is_usual(request: &CloudFrontRequest<'_>) -> bool {
    request.body.is_none()
        && request.other.is_empty()
        && request.headers.values().flat_map(|lines| lines.iter()).all(|line| line.other.is_none())
}

fn push_request(json: &mut String, request: &CloudFrontRequest<'_>) {
    // Every field by its name, so that a new one does not compile until it is written here.
    let CloudFrontRequest { client_ip, method, uri, querystring, headers, body: _, other: _ } = request;
    push_text(json, r#"{"clientIp":"#, client_ip);
    push_text(json, r#","method":"#, method);
    push_text(json, r#","uri":"#, uri);
    push_text(json, r#","querystring":"#, querystring);
    json.push_str(r#","headers":"#);
    push_headers(json, headers);
    json.push('}');
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
        for CloudFrontHeader { key, value, other: _ } in lines.iter() {
            json.push_str(if is_first { "{" } else { ",{" });
            is_first = false;
            if let Some(key) = key {
                push_text(json, r#""key":"#, key);
                json.push(',');
            }
            push_text(json, r#""value":"#, value);
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
    use proptest::prelude::*;
    use serde_json::{Map, json};

    type Lines = Vec<(Option<String>, String)>;

    fn headers(lines: Vec<(String, Lines)>) -> CloudFrontHeaders<'static> {
        let line = |(key, value): (Option<String>, String)| CloudFrontHeader {
            key: key.map(Into::into),
            value: value.into(),
            other: None,
        };
        let of = |(name, lines): (String, Lines)| {
            (name.into(), lines.into_iter().map(line).collect::<HeaderLines<'_>>())
        };
        lines.into_iter().map(of).collect()
    }

    fn is_as_serde_writes_it(outcome: &Outcome<'_>) -> bool {
        outcome.to_json().unwrap() == serde_json::to_string(outcome).unwrap()
    }

    proptest! {
        #[test]
        fn an_outcome_is_written_as_serde_writes_it(
            texts in prop::array::uniform4(any::<String>()),
            lines in prop::collection::vec(
                (any::<String>(), prop::collection::vec((any::<Option<String>>(), any::<String>()), 0..3)),
                0..4,
            ),
            body in any::<Option<String>>(),
        ) {
            let [client_ip, method, uri, querystring] = texts.clone().map(Into::into);
            let mut request = CloudFrontRequest {
                client_ip, method, uri, querystring, headers: headers(lines.clone()), body: None, other: Map::new(),
            };
            prop_assert!(is_as_serde_writes_it(&Outcome::Forward(Box::new(request.clone()))));
            request.other.insert("later".to_owned(), json!({"a": [null]}));
            prop_assert!(is_as_serde_writes_it(&Outcome::Forward(Box::new(request))));
            let [status, status_description, ..] = texts;
            let response = GeneratedResponse { status, status_description, headers: headers(lines), body };
            prop_assert!(is_as_serde_writes_it(&Outcome::Respond(response)));
        }
    }

    #[test]
    fn a_field_of_a_later_version_in_a_header_goes_back() {
        let mut request = CloudFrontRequest::sent("GET", "/a", "", &[("accept", "*/*")]);
        let later = Map::from_iter([("later".to_owned(), json!(1))]);
        let line = CloudFrontHeader { key: None, value: "*/*".into(), other: Some(Box::new(later)) };
        request.headers.insert("accept".into(), line.into());
        let json = Outcome::Forward(Box::new(request)).to_json().unwrap();
        assert!(json.ends_with(r#""headers":{"accept":[{"value":"*/*","later":1}]}}"#), "{json}");
    }
}
