//! What is wrong with an event that cannot be read, for the person who wrote it or had it made. It is only looked for
//! after the event was refused.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// What is wrong with an event, and where. It holds nothing that the viewer sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EventProblem {
    /// The input is not UTF-8.
    NotUtf8,
    /// The input is not JSON.
    NotJson,
    /// The event of a CloudFront function, which has another form.
    CloudFrontFunction,
    /// A member is missing.
    Missing(Spot),
    /// A value has another type than it must have, which is named.
    WrongType(Spot, &'static str),
    /// `Records` does not have exactly one record.
    RecordCount,
    /// The name of a header is not lower case, or is not the `key` of its lines.
    HeaderName,
    /// `clientIp` is not an address, and a rule depends on it.
    ClientIp,
    /// A member appears twice.
    Twice,
}

/// A place in an event, such as `Records[0].cf.request.uri`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Spot {
    object: &'static str,
    member: &'static str,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.object {
            "" => f.write_str(self.member),
            object => write!(f, "{object}.{}", self.member),
        }
    }
}

impl fmt::Display for EventProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => f.write_str("the event is not UTF-8"),
            Self::NotJson => f.write_str("the event is not JSON"),
            Self::CloudFrontFunction => f.write_str(
                "this is the event of a CloudFront function; a Lambda@Edge event has the member `Records`",
            ),
            Self::Missing(spot) => write!(f, "the event does not have `{spot}`"),
            Self::WrongType(spot, expected) => write!(f, "`{spot}` of the event is not {expected}"),
            Self::RecordCount => f.write_str("`Records` of the event does not have exactly one record"),
            Self::HeaderName => f.write_str(
                "a name in `Records[0].cf.request.headers` of the event is not lower case, or is not the `key` of its \
                 lines",
            ),
            Self::ClientIp => {
                f.write_str("`Records[0].cf.request.clientIp` of the event is not an IP address, and a rule needs one")
            }
            Self::Twice => f.write_str("a member of the event appears twice"),
        }
    }
}

const RECORD: &str = "Records[0]";
const DATA: &str = "Records[0].cf";
const CONFIG: &str = "Records[0].cf.config";
const REQUEST: &str = "Records[0].cf.request";
const HEADERS: &str = "Records[0].cf.request.headers";
const LINE: &str = "Records[0].cf.request.headers.NAME[N]";
const BODY: &str = "Records[0].cf.request.body";

impl EventProblem {
    /// Finds out why these bytes could not be read.
    pub(super) fn of(json: &[u8]) -> Self {
        let Ok(text) = str::from_utf8(json) else { return Self::NotUtf8 };
        let Ok(event) = serde_json::from_str::<Value>(text) else { return Self::NotJson };
        // Of a member that appears twice, this reader keeps the last.
        look_at(&event).err().unwrap_or(Self::Twice)
    }
}

fn look_at(event: &Value) -> Result<(), EventProblem> {
    let event = event.as_object().ok_or(EventProblem::WrongType(spot("", "the whole"), AN_OBJECT))?;
    if !event.contains_key("Records") && event.contains_key("viewer") && event.contains_key("request") {
        return Err(EventProblem::CloudFrontFunction);
    }
    let [record] = array(event, "", "Records")?.as_slice() else { return Err(EventProblem::RecordCount) };
    let record = record.as_object().ok_or(EventProblem::WrongType(spot("", RECORD), AN_OBJECT))?;
    let data = object(record, RECORD, "cf")?;
    let config = object(data, DATA, "config")?;
    let request = object(data, DATA, "request")?;
    text(config, CONFIG, "eventType")?;
    for name in ["distributionDomainName", "distributionId", "requestId"] {
        optional(text(config, CONFIG, name))?;
    }
    for name in ["method", "uri"] {
        text(request, REQUEST, name)?;
    }
    for name in ["clientIp", "querystring"] {
        optional(text(request, REQUEST, name))?;
    }
    if request.contains_key("headers") {
        look_at_headers(object(request, REQUEST, "headers")?)?;
    }
    match request.get("body") {
        None | Some(Value::Null) => Ok(()),
        Some(_) => look_at_body(object(request, REQUEST, "body")?),
    }
}

fn look_at_headers(headers: &Map<String, Value>) -> Result<(), EventProblem> {
    for (name, lines) in headers {
        let lines = lines.as_array().ok_or(EventProblem::WrongType(spot(HEADERS, "NAME"), "an array"))?;
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(EventProblem::HeaderName);
        }
        for line in lines {
            let line =
                line.as_object().ok_or(EventProblem::WrongType(spot(HEADERS, "NAME[N]"), AN_OBJECT))?;
            text(line, LINE, "value")?;
            match line.get("key") {
                None | Some(Value::Null) => {}
                Some(Value::String(key)) if key.eq_ignore_ascii_case(name) => {}
                Some(Value::String(_)) => return Err(EventProblem::HeaderName),
                Some(_) => return Err(EventProblem::WrongType(spot(LINE, "key"), A_STRING)),
            }
        }
    }
    Ok(())
}

fn look_at_body(body: &Map<String, Value>) -> Result<(), EventProblem> {
    for name in ["action", "encoding", "data"] {
        text(body, BODY, name)?;
    }
    match body.get("inputTruncated") {
        None | Some(Value::Bool(_)) => {}
        Some(_) => return Err(EventProblem::WrongType(spot(BODY, "inputTruncated"), "true or false")),
    }
    let data = body.get("data").and_then(Value::as_str).unwrap_or_default();
    match STANDARD.decode(data) {
        Ok(_) => Ok(()),
        Err(_) => Err(EventProblem::WrongType(spot(BODY, "data"), "base64")),
    }
}

const AN_OBJECT: &str = "an object";
const A_STRING: &str = "a string";

fn spot(object: &'static str, member: &'static str) -> Spot {
    Spot { object, member }
}

fn object<'v>(
    of: &'v Map<String, Value>,
    place: &'static str,
    name: &'static str,
) -> Result<&'v Map<String, Value>, EventProblem> {
    let value = of.get(name).ok_or(EventProblem::Missing(spot(place, name)))?;
    value.as_object().ok_or(EventProblem::WrongType(spot(place, name), AN_OBJECT))
}

fn array<'v>(
    of: &'v Map<String, Value>,
    place: &'static str,
    name: &'static str,
) -> Result<&'v Vec<Value>, EventProblem> {
    let value = of.get(name).ok_or(EventProblem::Missing(spot(place, name)))?;
    value.as_array().ok_or(EventProblem::WrongType(spot(place, name), "an array"))
}

fn text(of: &Map<String, Value>, place: &'static str, name: &'static str) -> Result<(), EventProblem> {
    let value = of.get(name).ok_or(EventProblem::Missing(spot(place, name)))?;
    value.as_str().map(|_| ()).ok_or(EventProblem::WrongType(spot(place, name), A_STRING))
}

/// The same for a member that may be missing.
fn optional(found: Result<(), EventProblem>) -> Result<(), EventProblem> {
    match found {
        Err(EventProblem::Missing(_)) => Ok(()),
        found => found,
    }
}
