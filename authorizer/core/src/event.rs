//! Step 1: the Lambda@Edge viewer-request event, as CloudFront writes it.
//!
//! [AWS: Lambda@Edge event structure](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-event-structure.html).
//! The types follow the style of `aws_lambda_events`, which does not have types for Lambda@Edge. A type that goes
//! back to CloudFront keeps unknown fields in `other`, so that the request goes back with everything that
//! CloudFront sent. (A number beyond 64 bits in such a field becomes the nearest double.)
//!
//! Texts are slices of the event's own bytes, unless they contain an escape. So most requests are read, decided on
//! and returned without a copy.

mod header;
mod lines;
mod members;
mod plain;
mod problem;

use std::borrow::Cow;

use aws_lambda_events::encodings::Base64Data;
use litemap::LiteMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

pub use header::CloudFrontHeader;
use header::owned;
pub use lines::HeaderLines;
pub use problem::{EventProblem, Spot};

/// A Lambda@Edge event: one record, for one request of one viewer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CloudFrontEvent<'e> {
    /// CloudFront sends exactly one record. Any other number is refused as malformed.
    #[serde(rename = "Records")]
    pub records: Vec<CloudFrontRecord<'e>>,
}

/// One record of a [`CloudFrontEvent`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CloudFrontRecord<'e> {
    /// The CloudFront part of the record.
    pub cf: CloudFrontEventData<'e>,
}

/// The configuration and the request of an event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CloudFrontEventData<'e> {
    /// The distribution and the trigger.
    pub config: CloudFrontConfig<'e>,
    /// The viewer's request.
    pub request: CloudFrontRequest<'e>,
}

/// The distribution and the trigger of an event.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CloudFrontConfig<'e> {
    /// The distribution's own domain name, such as `d111111abcdef8.cloudfront.net`.
    pub distribution_domain_name: Cow<'e, str>,
    /// The distribution's id, such as `EDFDVBD6EXAMPLE`.
    pub distribution_id: Cow<'e, str>,
    /// The trigger. This function accepts only `viewer-request`.
    pub event_type: Cow<'e, str>,
    /// CloudFront's id for the request, the `x-edge-request-id` of its access logs.
    pub request_id: Cow<'e, str>,
}

/// The viewer's request. The function returns the same type, and CloudFront continues with it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "tools", derive(schemars::JsonSchema))]
pub struct CloudFrontRequest<'e> {
    /// The viewer's address, IPv4 or IPv6. Read-only.
    pub client_ip: Cow<'e, str>,
    /// The HTTP method. Read-only.
    pub method: Cow<'e, str>,
    /// The path as the viewer sent it, still percent-encoded, without the query string.
    pub uri: Cow<'e, str>,
    /// The query string without its `?`, or empty.
    pub querystring: Cow<'e, str>,
    /// The headers by lower-case name.
    #[serde(serialize_with = "as_object")]
    #[cfg_attr(feature = "tools", schemars(with = "std::collections::BTreeMap<String, HeaderLines<'e>>"))]
    pub headers: CloudFrontHeaders<'e>,
    /// The body, if the trigger includes it. The function does not use it, and returns it unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Box<CloudFrontBody>>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Headers by lower-case name, in its order. A name has one value for each time that the header was sent.
///
/// A sorted list, because a request has ten to twenty: that costs less than half of a tree.
pub type CloudFrontHeaders<'e> = LiteMap<Cow<'e, str>, HeaderLines<'e>>;

/// Headers with these names and lines; `None` if a name appears twice. The time does not grow with the square of their
/// number, as it would if each was inserted.
fn headers_of<'e>(mut lines: Vec<(Cow<'e, str>, HeaderLines<'e>)>) -> Option<CloudFrontHeaders<'e>> {
    lines.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let are_unique = lines.is_sorted_by(|(one, _), (next, _)| one < next);
    are_unique.then(|| LiteMap::from_sorted_store_unchecked(lines))
}

/// Writes headers as the object that they are. (`LiteMap`'s own way tries first whether its keys are strings.)
pub(crate) fn as_object<S: Serializer>(
    headers: &CloudFrontHeaders<'_>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(headers)
}

/// A header that this function writes.
pub(crate) type AddedHeader = (Cow<'static, str>, HeaderLines<'static>);

impl CloudFrontRequest<'_> {
    /// The request as owned data, for a caller that outlives the event.
    pub fn into_owned(self) -> CloudFrontRequest<'static> {
        let lines = |(name, lines): (_, HeaderLines<'_>)| (owned(name), lines.into_owned());
        CloudFrontRequest {
            client_ip: owned(self.client_ip),
            method: owned(self.method),
            uri: owned(self.uri),
            querystring: owned(self.querystring),
            headers: self.headers.into_iter().map(lines).collect(),
            body: self.body,
            other: self.other,
        }
    }
}

#[cfg(test)]
impl CloudFrontRequest<'static> {
    /// A request for unit tests.
    pub(crate) fn sent(method: &str, uri: &str, query: &str, headers: &[(&str, &str)]) -> Self {
        let line = |(name, value): &(&str, &str)| {
            (name.to_string().into(), CloudFrontHeader::new(name.to_string(), value.to_string()).into())
        };
        Self {
            client_ip: Cow::default(),
            method: method.to_owned().into(),
            uri: uri.to_owned().into(),
            querystring: query.to_owned().into(),
            headers: headers.iter().map(line).collect(),
            body: None,
            other: Map::new(),
        }
    }
}

/// The body of a request whose trigger has "include body" on.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "tools", derive(schemars::JsonSchema))]
pub struct CloudFrontBody {
    /// Whether Lambda@Edge cut the body off (viewer events: at 40 KB).
    pub input_truncated: bool,
    /// `read-only` when it arrives; `replace` would replace the body with `data`.
    pub action: String,
    /// Always `base64` when it arrives.
    pub encoding: String,
    /// The bytes.
    #[cfg_attr(feature = "tools", schemars(with = "String"))]
    pub data: Base64Data,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// An event that contains exactly one viewer request.
#[derive(Clone, Debug)]
pub struct ViewerRequestEvent<'e> {
    /// The distribution and the trigger.
    pub config: CloudFrontConfig<'e>,
    /// The viewer's request.
    pub request: CloudFrontRequest<'e>,
}

/// Why the function's input is not a viewer request. All of these refuse the request with 500, because the
/// error is in the trigger or its sender, not in the viewer's request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EventError {
    /// The input is not the JSON of a CloudFront event, or does not have exactly one record.
    Malformed(EventProblem),
    /// The function is attached to another trigger than viewer-request.
    WrongTrigger,
}

impl<'e> ViewerRequestEvent<'e> {
    /// Reads the bytes of one event.
    ///
    /// # Errors
    /// [`EventError`] when the bytes are not the event of exactly one viewer request.
    pub fn parse(json: &'e [u8]) -> Result<Self, EventError> {
        let malformed = || EventError::Malformed(EventProblem::of(json));
        // Once for all texts, not once per text.
        let text = str::from_utf8(json).map_err(|_| malformed())?;
        let event = match plain::read(text) {
            Some(event) => event,
            None => Self::by_serde(text).ok_or_else(malformed)?,
        };
        if event.config.event_type != "viewer-request" {
            return Err(EventError::WrongTrigger);
        }
        Ok(event)
    }

    /// Reads any event that is valid.
    fn by_serde(text: &'e str) -> Option<Self> {
        let event: CloudFrontEvent<'e> = serde_json::from_str(text).ok()?;
        let [record] = <[CloudFrontRecord<'e>; 1]>::try_from(event.records).ok()?;
        let CloudFrontEventData { config, request } = record.cf;
        Some(Self { config, request })
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
                "requestId": "4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ=="
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
        }}]})
    }

    #[test]
    fn unknown_fields_of_a_request_survive_the_round_trip() {
        let text = documented().to_string();
        let event: CloudFrontEvent<'_> = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_value(event).unwrap(), documented());
    }

    #[test]
    fn unknown_fields_of_what_does_not_go_back_are_passed_over() {
        let mut event = documented();
        event["futureEvent"] = json!("x");
        event["Records"][0]["futureRecord"] = json!({"a": [1]});
        event["Records"][0]["cf"]["futureData"] = json!(null);
        event["Records"][0]["cf"]["config"]["futureConfig"] = json!([1]);
        let text = event.to_string();
        let event: CloudFrontEvent<'_> = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_value(event).unwrap(), documented());
    }

    #[test]
    fn a_text_is_the_events_own_where_it_has_no_escape() {
        let mut event = documented();
        event["Records"][0]["cf"]["request"]["querystring"] = json!("a\"b");
        let text = event.to_string();
        let event = ViewerRequestEvent::parse(text.as_bytes()).unwrap();
        assert!(matches!(event.request.uri, Cow::Borrowed("/")));
        assert!(matches!(event.request.headers.get("host").unwrap()[0].value, Cow::Borrowed(_)));
        assert_eq!(event.request.querystring, Cow::<str>::Owned("a\"b".into()));
        assert_eq!(event.request.clone().into_owned(), event.request);
    }

    #[test]
    fn a_body_survives_the_round_trip() {
        let mut event = documented();
        event["Records"][0]["cf"]["request"]["body"] = json!({
            "inputTruncated": false, "action": "read-only", "encoding": "base64", "data": "aGk=", "later": 1
        });
        let text = event.to_string();
        let parsed: CloudFrontEvent<'_> = serde_json::from_str(&text).unwrap();
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
            assert!(matches!(parse(&malformed), Err(EventError::Malformed(_))), "{malformed}");
        }
        for text in ["", "{", "\u{feff}{}", "{\"Records\":[{\"cf\":{\"config\":{},\"request\":{}}}]}"] {
            let parsed = ViewerRequestEvent::parse(text.as_bytes()).map(|_| ());
            assert!(matches!(parsed, Err(EventError::Malformed(_))), "{text}");
        }
        for (from, to) in [
            ("\"host\":", "\"accept\":"),
            ("\"uri\":", "\"method\":\"PUT\",\"uri\":"),
            ("\"key\":", "\"value\":\"x\",\"key\":"),
            ("\"uri\":", "\"path\":"),
            ("\"value\":", "\"valu\":"),
        ] {
            let text = documented().to_string().replace(from, to);
            let parsed = ViewerRequestEvent::parse(text.as_bytes());
            assert!(matches!(parsed, Err(EventError::Malformed(_))), "{text}");
        }

        // Serde's own reader of a struct also accepts an array of the members without names.
        let mut in_rows = Vec::new();
        for place in ["", "/Records/0", "/Records/0/cf", "/Records/0/cf/config", "/Records/0/cf/request"] {
            let mut event = documented();
            let object = event.pointer_mut(place).unwrap();
            let names: &[&str] = match place {
                "" => &["Records"],
                "/Records/0" => &["cf"],
                "/Records/0/cf" => &["config", "request"],
                "/Records/0/cf/config" => {
                    &["distributionDomainName", "distributionId", "eventType", "requestId"]
                }
                _ => &["clientIp", "method", "uri", "querystring", "headers"],
            };
            *object = names.iter().map(|name| object[name].clone()).collect();
            in_rows.push(event);
        }
        for in_row in in_rows {
            assert!(matches!(parse(&in_row), Err(EventError::Malformed(_))), "{in_row}");
        }

        let mut origin = documented();
        origin["Records"][0]["cf"]["config"]["eventType"] = json!("origin-request");
        assert_eq!(parse(&origin), Err(EventError::WrongTrigger));
    }

    #[test]
    fn what_is_wrong_with_an_event_is_named_with_its_place() {
        let said = |text: &str| match ViewerRequestEvent::parse(text.as_bytes()) {
            Err(EventError::Malformed(problem)) => problem.to_string(),
            other => panic!("{other:?}"),
        };
        for (place, member, shown) in [
            ("", "Records", "`Records`"),
            ("/Records/0", "cf", "`Records[0].cf`"),
            ("/Records/0/cf", "config", "`Records[0].cf.config`"),
            ("/Records/0/cf", "request", "`Records[0].cf.request`"),
            ("/Records/0/cf/config", "eventType", "`Records[0].cf.config.eventType`"),
            ("/Records/0/cf/request", "method", "`Records[0].cf.request.method`"),
            ("/Records/0/cf/request", "uri", "`Records[0].cf.request.uri`"),
            (
                "/Records/0/cf/request/headers/host/0",
                "value",
                "`Records[0].cf.request.headers.NAME[N].value`",
            ),
        ] {
            let mut event = documented();
            event.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(member).unwrap();
            assert_eq!(said(&event.to_string()), format!("the event does not have {shown}"));
            let mut event = documented();
            event.pointer_mut(place).unwrap()[member] = json!(7);
            assert!(
                said(&event.to_string()).starts_with(&format!("{shown} of the event is not ")),
                "{shown}"
            );
        }
        let twice = |name: &str| {
            let text = documented().to_string().replace("\"key\":\"accept\"", "\"key\":\"host\"");
            text.replace("\"accept\":", &format!("\"{name}\":"))
        };
        // The names of one header, as its own and with an escape; beside its neighbour and apart from it.
        for name in ["host", "\\u0068ost", "hos\\u0074"] {
            let apart = twice(name).replace("\"host\":", "\"b\":[],\"host\":");
            for text in [twice(name), apart] {
                assert!(said(&text).contains("twice"), "{text}: {}", said(&text));
            }
        }
        let mut body = documented();
        body["Records"][0]["cf"]["request"]["body"] =
            json!({"action": "read-only", "encoding": "base64", "data": "%"});
        let mut upper = documented();
        upper["Records"][0]["cf"]["request"]["headers"] = json!({"Host": [{"value": "a"}]});
        for (text, word) in [
            (String::new(), "JSON"),
            ("[]".to_owned(), "object"),
            (json!({"Records": []}).to_string(), "exactly one record"),
            (json!({"Records": [1]}).to_string(), "`Records[0]`"),
            (documented().to_string().replace("\"uri\":", "\"method\":\"PUT\",\"uri\":"), "twice"),
            (body.to_string(), "base64"),
            (upper.to_string(), "lower case"),
            // AWS: CloudFront Functions event structure.
            (
                json!({"version": "1.0", "context": {"eventType": "viewer-request"}, "viewer": {"ip": "1.2.3.4"},
                    "request": {"method": "GET", "uri": "/", "querystring": {}, "headers": {}, "cookies": {}}})
                .to_string(),
                "`Records`",
            ),
        ] {
            assert!(said(&text).contains(word), "{text}: {}", said(&text));
        }
        assert!(matches!(
            ViewerRequestEvent::parse(b"\xff").map(|_| ()),
            Err(EventError::Malformed(EventProblem::NotUtf8))
        ));
    }
}
