//! Step 1: the Lambda@Edge viewer-request event, as CloudFront writes it.
//!
//! [AWS: Lambda@Edge event structure](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-event-structure.html).
//! The types follow the style of `aws_lambda_events`, which has none for Lambda@Edge: every struct
//! keeps the fields it does not know in `other`, so that a request goes back to CloudFront with
//! whatever CloudFront put into it. (Of a number beyond 64 bits in such a field, the nearest double is
//! kept.)

use std::collections::BTreeMap;
use std::fmt;

use aws_lambda_events::encodings::Base64Data;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// A Lambda@Edge event: one record, for one request of one viewer.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct CloudFrontEvent {
    /// CloudFront sends exactly one; anything else is refused as malformed.
    #[serde(rename = "Records")]
    pub records: Vec<CloudFrontRecord>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// One record of a [`CloudFrontEvent`].
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct CloudFrontRecord {
    /// What CloudFront has to say.
    pub cf: CloudFrontEventData,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The distribution's part and the viewer's part of an event.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct CloudFrontEventData {
    /// The distribution and the trigger.
    pub config: CloudFrontConfig,
    /// The viewer's request.
    pub request: CloudFrontRequest,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The distribution and the trigger of an event.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CloudFrontConfig {
    /// The distribution's own domain name, such as `d111111abcdef8.cloudfront.net`.
    #[serde(default)]
    pub distribution_domain_name: String,
    /// The distribution's id, such as `EDFDVBD6EXAMPLE`.
    #[serde(default)]
    pub distribution_id: String,
    /// The trigger: this function serves `viewer-request` and nothing else.
    pub event_type: String,
    /// CloudFront's id for the request, the `x-edge-request-id` of its access logs.
    #[serde(default)]
    pub request_id: String,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The viewer's request, and, returned by the function, the request CloudFront goes on with.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CloudFrontRequest {
    /// The viewer's address, IPv4 or IPv6. Read-only.
    #[serde(default)]
    pub client_ip: String,
    /// The HTTP method. Read-only.
    pub method: String,
    /// The path as the viewer sent it, still percent-encoded, without the query string.
    pub uri: String,
    /// The query string without its `?`, or empty.
    #[serde(default)]
    pub querystring: String,
    /// The headers by lower-case name.
    #[serde(default, deserialize_with = "deserialize_headers")]
    pub headers: CloudFrontHeaders,
    /// The body, when the trigger includes it. Never needed here, and handed back untouched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<CloudFrontBody>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Headers by lower-case name; a name has a value for each time the header was sent.
pub type CloudFrontHeaders = BTreeMap<String, Vec<CloudFrontHeader>>;

/// One header line.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct CloudFrontHeader {
    /// The name in the case the viewer used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The value.
    pub value: String,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl CloudFrontHeader {
    /// A header line of our own making.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: Some(key.into()), value: value.into(), other: Map::new() }
    }
}

#[cfg(test)]
impl CloudFrontRequest {
    /// A request as the unit tests write one.
    pub(crate) fn sent(method: &str, uri: &str, query: &str, headers: &[(&str, &str)]) -> Self {
        let line =
            |(name, value): &(&str, &str)| (name.to_string(), vec![CloudFrontHeader::new(*name, *value)]);
        Self {
            client_ip: String::new(),
            method: method.into(),
            uri: uri.into(),
            querystring: query.into(),
            headers: headers.iter().map(line).collect(),
            body: None,
            other: Map::new(),
        }
    }
}

/// The body of a request whose trigger has "include body" on.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CloudFrontBody {
    /// Whether Lambda@Edge cut the body off (viewer events: at 40 KB).
    #[serde(default)]
    pub input_truncated: bool,
    /// `read-only` as it arrives; `replace` would put `data` in the body's place.
    pub action: String,
    /// Always `base64` as it arrives.
    pub encoding: String,
    /// The bytes.
    pub data: Base64Data,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Reads the headers, refusing what CloudFront never writes and what would let two readers of the same
/// event disagree: a name that is not lower case, a name twice, a line whose `key` is another name.
fn deserialize_headers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CloudFrontHeaders, D::Error> {
    struct HeadersVisitor;

    impl<'de> Visitor<'de> for HeadersVisitor {
        type Value = CloudFrontHeaders;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of header names and their lines")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut headers = CloudFrontHeaders::new();
            while let Some(name) = map.next_key::<String>()? {
                let lines: Vec<CloudFrontHeader> = map.next_value()?;
                if name.bytes().any(|b| b.is_ascii_uppercase()) {
                    return Err(A::Error::custom("a header name that is not lower case"));
                }
                if lines.iter().any(|l| l.key.as_deref().is_some_and(|key| !key.eq_ignore_ascii_case(&name)))
                {
                    return Err(A::Error::custom("a header line whose `key` is not its name"));
                }
                if headers.insert(name, lines).is_some() {
                    return Err(A::Error::custom("a header name twice"));
                }
            }
            Ok(headers)
        }
    }

    deserializer.deserialize_map(HeadersVisitor)
}

/// An event that is one viewer request and nothing else.
#[derive(Clone, Debug)]
pub struct ViewerRequestEvent {
    /// The distribution and the trigger.
    pub config: CloudFrontConfig,
    /// The viewer's request.
    pub request: CloudFrontRequest,
}

/// Why the function's input is no viewer request. All of these refuse the request with 500: the
/// viewer did nothing wrong, the trigger or its sender did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EventError {
    /// Not the JSON of a CloudFront event, or not of exactly one record.
    Malformed,
    /// The function is on another trigger than viewer-request.
    WrongTrigger,
}

impl ViewerRequestEvent {
    /// Reads the bytes of one event.
    ///
    /// # Errors
    /// [`EventError`] when the bytes are not the event of exactly one viewer request.
    pub fn parse(json: &[u8]) -> Result<Self, EventError> {
        let event: CloudFrontEvent = serde_json::from_slice(json).map_err(|_| EventError::Malformed)?;
        let [record] = <[CloudFrontRecord; 1]>::try_from(event.records).map_err(|_| EventError::Malformed)?;
        let CloudFrontEventData { config, request, .. } = record.cf;
        if config.event_type != "viewer-request" {
            return Err(EventError::WrongTrigger);
        }
        Ok(Self { config, request })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The viewer-request example of AWS's documentation, with fields of a future version added.
    fn documented() -> Value {
        json!({"Records": [{"cf": {
            "config": {
                "distributionDomainName": "d111111abcdef8.cloudfront.net",
                "distributionId": "EDFDVBD6EXAMPLE",
                "eventType": "viewer-request",
                "requestId": "4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ==",
                "futureConfig": [1]
            },
            "request": {
                "clientIp": "203.0.113.178",
                "headers": {
                    "host": [{"key": "Host", "value": "d111111abcdef8.cloudfront.net"}],
                    "accept": [{"key": "accept", "value": "*/*", "futureHeader": 1}]
                },
                "method": "GET",
                "querystring": "",
                "uri": "/",
                "futureRequest": {"deep": null}
            }
        }}], "futureEvent": "x"})
    }

    #[test]
    fn unknown_fields_survive_the_round_trip() {
        let event: CloudFrontEvent = serde_json::from_value(documented()).unwrap();
        assert_eq!(serde_json::to_value(event).unwrap(), documented());
    }

    #[test]
    fn a_body_survives_the_round_trip() {
        let mut event = documented();
        event["Records"][0]["cf"]["request"]["body"] = json!({
            "inputTruncated": false, "action": "read-only", "encoding": "base64", "data": "aGk=", "later": 1
        });
        let parsed: CloudFrontEvent = serde_json::from_value(event.clone()).unwrap();
        assert_eq!(serde_json::to_value(parsed).unwrap(), event);
    }

    #[test]
    fn what_is_no_single_viewer_request_is_refused() {
        let parse = |v: &Value| ViewerRequestEvent::parse(v.to_string().as_bytes()).map(|_| ());
        assert_eq!(parse(&documented()), Ok(()));

        let mut two = documented();
        let record = two["Records"][0].clone();
        two["Records"].as_array_mut().unwrap().push(record);
        let mut none = documented();
        none["Records"] = json!([]);
        let mut upper = documented();
        upper["Records"][0]["cf"]["request"]["headers"] = json!({"Host": [{"value": "a"}]});
        let mut other_key = documented();
        other_key["Records"][0]["cf"]["request"]["headers"] =
            json!({"x-a": [{"key": "Authorization", "value": "a"}]});
        for malformed in [two, none, upper, other_key, json!(null), json!([]), json!({"Records": 1})] {
            assert_eq!(parse(&malformed), Err(EventError::Malformed), "{malformed}");
        }
        for text in ["", "{", "\u{feff}{}", "{\"Records\":[{\"cf\":{\"config\":{},\"request\":{}}}]}"] {
            assert_eq!(ViewerRequestEvent::parse(text.as_bytes()).map(|_| ()), Err(EventError::Malformed));
        }
        let twice = documented().to_string().replace("\"host\":", "\"accept\":");
        assert_eq!(ViewerRequestEvent::parse(twice.as_bytes()).map(|_| ()), Err(EventError::Malformed));

        let mut origin = documented();
        origin["Records"][0]["cf"]["config"]["eventType"] = json!("origin-request");
        assert_eq!(parse(&origin), Err(EventError::WrongTrigger));
    }
}
