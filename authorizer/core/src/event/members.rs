//! How an event is read: objects member by member, and texts without a copy.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use aws_lambda_events::encodings::Base64Data;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::{
    CloudFrontBody, CloudFrontConfig, CloudFrontEvent, CloudFrontEventData, CloudFrontHeader,
    CloudFrontHeaders, CloudFrontRecord, CloudFrontRequest, HeaderLines, headers_of,
};

/// A type that is read member by member, so that unknown members are kept. (Serde's `flatten` does this too, but
/// copies all members.) It must be an object: what serde derives for a struct without `flatten` also reads an array.
trait Members<'de>: Default {
    /// The type that has the members.
    type Whole;

    /// Reads the member of this name.
    fn read<A: MapAccess<'de>>(&mut self, name: Cow<'de, str>, map: &mut A) -> Result<(), A::Error>;

    /// The complete value, if no member is missing.
    fn whole(self) -> Option<Self::Whole>;
}

/// A text of the event's own bytes, or a copy if it contains an escape.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'e>(#[serde(borrow)] Cow<'e, str>);

struct MembersVisitor<M>(PhantomData<M>);

impl<'de, M: Members<'de>> Visitor<'de> for MembersVisitor<M> {
    type Value = M::Whole;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<M::Whole, A::Error> {
        let mut members = M::default();
        while let Some(Text(name)) = map.next_key()? {
            members.read(name, &mut map)?;
        }
        members.whole().ok_or_else(|| A::Error::custom("a member is missing"))
    }
}

/// Reads the value of a member that must not appear twice.
fn once<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    slot: &mut Option<T>,
    map: &mut A,
) -> Result<(), A::Error> {
    match slot.replace(map.next_value()?) {
        None => Ok(()),
        Some(_) => Err(A::Error::custom("a member appears twice")),
    }
}

/// Skips an unknown member of an object that does not go back to CloudFront.
fn pass_over<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value().map(|IgnoredAny| ())
}

fn or_empty(text: Option<Text<'_>>) -> Cow<'_, str> {
    text.map(|Text(text)| text).unwrap_or_default()
}

#[derive(Default)]
struct EventMembers<'e> {
    records: Option<Vec<CloudFrontRecord<'e>>>,
}

impl<'de: 'e, 'e> Members<'de> for EventMembers<'e> {
    type Whole = CloudFrontEvent<'e>;

    fn read<A: MapAccess<'de>>(&mut self, name: Cow<'de, str>, map: &mut A) -> Result<(), A::Error> {
        match name.as_ref() {
            "Records" => once(&mut self.records, map),
            _ => pass_over(map),
        }
    }

    fn whole(self) -> Option<Self::Whole> {
        Some(CloudFrontEvent { records: self.records? })
    }
}

#[derive(Default)]
struct RecordMembers<'e> {
    cf: Option<CloudFrontEventData<'e>>,
}

impl<'de: 'e, 'e> Members<'de> for RecordMembers<'e> {
    type Whole = CloudFrontRecord<'e>;

    fn read<A: MapAccess<'de>>(&mut self, name: Cow<'de, str>, map: &mut A) -> Result<(), A::Error> {
        match name.as_ref() {
            "cf" => once(&mut self.cf, map),
            _ => pass_over(map),
        }
    }

    fn whole(self) -> Option<Self::Whole> {
        Some(CloudFrontRecord { cf: self.cf? })
    }
}

#[derive(Default)]
struct EventDataMembers<'e> {
    config: Option<CloudFrontConfig<'e>>,
    request: Option<CloudFrontRequest<'e>>,
}

impl<'de: 'e, 'e> Members<'de> for EventDataMembers<'e> {
    type Whole = CloudFrontEventData<'e>;

    fn read<A: MapAccess<'de>>(&mut self, name: Cow<'de, str>, map: &mut A) -> Result<(), A::Error> {
        match name.as_ref() {
            "config" => once(&mut self.config, map),
            "request" => once(&mut self.request, map),
            _ => pass_over(map),
        }
    }

    fn whole(self) -> Option<Self::Whole> {
        Some(CloudFrontEventData { config: self.config?, request: self.request? })
    }
}

#[derive(Default)]
struct ConfigMembers<'e> {
    distribution_domain_name: Option<Text<'e>>,
    distribution_id: Option<Text<'e>>,
    event_type: Option<Text<'e>>,
    request_id: Option<Text<'e>>,
}

impl<'de: 'e, 'e> Members<'de> for ConfigMembers<'e> {
    type Whole = CloudFrontConfig<'e>;

    fn read<A: MapAccess<'de>>(&mut self, name: Cow<'de, str>, map: &mut A) -> Result<(), A::Error> {
        match name.as_ref() {
            "distributionDomainName" => once(&mut self.distribution_domain_name, map),
            "distributionId" => once(&mut self.distribution_id, map),
            "eventType" => once(&mut self.event_type, map),
            "requestId" => once(&mut self.request_id, map),
            _ => pass_over(map),
        }
    }

    fn whole(self) -> Option<Self::Whole> {
        Some(CloudFrontConfig {
            distribution_domain_name: or_empty(self.distribution_domain_name),
            distribution_id: or_empty(self.distribution_id),
            event_type: self.event_type?.0,
            request_id: or_empty(self.request_id),
        })
    }
}

#[derive(Default)]
struct RequestMembers<'e> {
    client_ip: Option<Text<'e>>,
    method: Option<Text<'e>>,
    uri: Option<Text<'e>>,
    querystring: Option<Text<'e>>,
    headers: Option<Headers<'e>>,
    body: Option<Option<Box<CloudFrontBody>>>,
    other: Map<String, Value>,
}

impl<'de: 'e, 'e> Members<'de> for RequestMembers<'e> {
    type Whole = CloudFrontRequest<'e>;

    fn read<A: MapAccess<'de>>(&mut self, name: Cow<'de, str>, map: &mut A) -> Result<(), A::Error> {
        match name.as_ref() {
            "clientIp" => once(&mut self.client_ip, map),
            "method" => once(&mut self.method, map),
            "uri" => once(&mut self.uri, map),
            "querystring" => once(&mut self.querystring, map),
            "headers" => once(&mut self.headers, map),
            "body" => once(&mut self.body, map),
            _ => self.other.read(name, map),
        }
    }

    fn whole(self) -> Option<Self::Whole> {
        Some(CloudFrontRequest {
            client_ip: or_empty(self.client_ip),
            method: self.method?.0,
            uri: self.uri?.0,
            querystring: or_empty(self.querystring),
            headers: self.headers.map(|Headers(headers)| headers).unwrap_or_default(),
            body: self.body.flatten(),
            other: self.other,
        })
    }
}

#[derive(Default)]
struct HeaderMembers<'e> {
    key: Option<Option<Text<'e>>>,
    value: Option<Text<'e>>,
    other: Map<String, Value>,
}

impl<'de: 'e, 'e> Members<'de> for HeaderMembers<'e> {
    type Whole = CloudFrontHeader<'e>;

    fn read<A: MapAccess<'de>>(&mut self, name: Cow<'de, str>, map: &mut A) -> Result<(), A::Error> {
        match name.as_ref() {
            "key" => once(&mut self.key, map),
            "value" => once(&mut self.value, map),
            _ => self.other.read(name, map),
        }
    }

    fn whole(self) -> Option<Self::Whole> {
        let key = self.key.flatten().map(|Text(key)| key);
        let other = (!self.other.is_empty()).then(|| Box::new(self.other));
        Some(CloudFrontHeader { key, value: self.value?.0, other })
    }
}

#[derive(Default)]
struct BodyMembers {
    input_truncated: Option<bool>,
    action: Option<String>,
    encoding: Option<String>,
    data: Option<Base64Data>,
    other: Map<String, Value>,
}

impl<'de> Members<'de> for BodyMembers {
    type Whole = CloudFrontBody;

    fn read<A: MapAccess<'de>>(&mut self, name: Cow<'de, str>, map: &mut A) -> Result<(), A::Error> {
        match name.as_ref() {
            "inputTruncated" => once(&mut self.input_truncated, map),
            "action" => once(&mut self.action, map),
            "encoding" => once(&mut self.encoding, map),
            "data" => once(&mut self.data, map),
            _ => self.other.read(name, map),
        }
    }

    fn whole(self) -> Option<Self::Whole> {
        Some(CloudFrontBody {
            input_truncated: self.input_truncated.unwrap_or_default(),
            action: self.action?,
            encoding: self.encoding?,
            data: self.data?,
            other: self.other,
        })
    }
}

/// The unknown members. If one appears twice, the last counts, as for CloudFront.
impl<'de> Members<'de> for Map<String, Value> {
    type Whole = Self;

    fn read<A: MapAccess<'de>>(&mut self, name: Cow<'de, str>, map: &mut A) -> Result<(), A::Error> {
        self.insert(name.into_owned(), map.next_value()?);
        Ok(())
    }

    fn whole(self) -> Option<Self> {
        Some(self)
    }
}

impl<'de: 'e, 'e> Deserialize<'de> for CloudFrontEvent<'e> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor(PhantomData::<EventMembers<'e>>))
    }
}

impl<'de: 'e, 'e> Deserialize<'de> for CloudFrontRecord<'e> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor(PhantomData::<RecordMembers<'e>>))
    }
}

impl<'de: 'e, 'e> Deserialize<'de> for CloudFrontEventData<'e> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor(PhantomData::<EventDataMembers<'e>>))
    }
}

impl<'de: 'e, 'e> Deserialize<'de> for CloudFrontConfig<'e> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor(PhantomData::<ConfigMembers<'e>>))
    }
}

impl<'de: 'e, 'e> Deserialize<'de> for CloudFrontRequest<'e> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor(PhantomData::<RequestMembers<'e>>))
    }
}

impl<'de: 'e, 'e> Deserialize<'de> for CloudFrontHeader<'e> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor(PhantomData::<HeaderMembers<'e>>))
    }
}

impl<'de> Deserialize<'de> for CloudFrontBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor(PhantomData::<BodyMembers>))
    }
}

/// The headers. Refuses what CloudFront never writes, and what two readers of the same event could read
/// differently: a name that is not lower case, a name twice, a line whose `key` is another name.
struct Headers<'e>(CloudFrontHeaders<'e>);

#[derive(Default)]
struct HeadersMembers<'e>(Vec<(Cow<'e, str>, HeaderLines<'e>)>);

impl<'de: 'e, 'e> Members<'de> for HeadersMembers<'e> {
    type Whole = Headers<'e>;

    fn read<A: MapAccess<'de>>(&mut self, name: Cow<'de, str>, map: &mut A) -> Result<(), A::Error> {
        let lines: HeaderLines<'e> = map.next_value()?;
        if name.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(A::Error::custom("a header name is not lower case"));
        }
        if lines.iter().any(|l| l.key.as_deref().is_some_and(|key| !key.eq_ignore_ascii_case(&name))) {
            return Err(A::Error::custom("the `key` of a header line is another name"));
        }
        self.0.push((name, lines));
        Ok(())
    }

    /// No name may appear twice.
    fn whole(self) -> Option<Headers<'e>> {
        headers_of(self.0).map(Headers)
    }
}

impl<'de: 'e, 'e> Deserialize<'de> for Headers<'e> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor(PhantomData::<HeadersMembers<'e>>))
    }
}
