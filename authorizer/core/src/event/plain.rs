//! An event as CloudFront writes it, read in one pass.
//!
//! What is unusual is left to serde, which reads the whole event anew: escapes, unknown members, members that are
//! missing or appear twice, a body. So there is one reader for what is refused, and it says why.

use std::borrow::Cow;

use super::{
    CloudFrontConfig, CloudFrontHeader, CloudFrontHeaders, CloudFrontRequest, HeaderLines,
    ViewerRequestEvent, headers_of,
};
use crate::plain_json::{PlainJson, once};

/// The event, if nothing about it is unusual. Its trigger is not checked.
pub(super) fn read(text: &str) -> Option<ViewerRequestEvent<'_>> {
    let mut json = PlainJson::new(text);
    let mut event = None;
    json.object_of(&["Records"], |json, name| {
        (name == "Records").then_some(())?;
        json.take(b'[')?;
        json.object_of(&["cf"], |json, name| {
            (name == "cf").then_some(())?;
            once(&mut event, data(json)?)
        })?;
        json.take(b']')
    })?;
    event.filter(|_| json.is_at_end())
}

fn data<'e>(json: &mut PlainJson<'e>) -> Option<ViewerRequestEvent<'e>> {
    let (mut config, mut request) = (None, None);
    json.object_of(&["config", "request"], |json, name| match name {
        "config" => once(&mut config, read_config(json)?),
        "request" => once(&mut request, read_request(json)?),
        _ => None,
    })?;
    Some(ViewerRequestEvent { config: config?, request: request? })
}

fn read_config<'e>(json: &mut PlainJson<'e>) -> Option<CloudFrontConfig<'e>> {
    let (mut domain, mut id, mut trigger, mut request_id) = (None, None, None, None);
    json.object_of(&["distributionDomainName", "distributionId", "eventType", "requestId"], |json, name| {
        let slot = match name {
            "distributionDomainName" => &mut domain,
            "distributionId" => &mut id,
            "eventType" => &mut trigger,
            "requestId" => &mut request_id,
            _ => return None,
        };
        once(slot, json.string()?)
    })?;
    Some(CloudFrontConfig {
        distribution_domain_name: domain?.into(),
        distribution_id: id?.into(),
        event_type: trigger?.into(),
        request_id: request_id?.into(),
    })
}

fn read_request<'e>(json: &mut PlainJson<'e>) -> Option<CloudFrontRequest<'e>> {
    let (mut client_ip, mut method, mut uri, mut querystring) = (None, None, None, None);
    let mut headers = None;
    json.object_of(&["clientIp", "headers", "method", "querystring", "uri"], |json, name| {
        let slot = match name {
            "headers" => return once(&mut headers, read_headers(json)?),
            "clientIp" => &mut client_ip,
            "method" => &mut method,
            "querystring" => &mut querystring,
            "uri" => &mut uri,
            _ => return None,
        };
        once(slot, json.string()?)
    })?;
    Some(CloudFrontRequest {
        client_ip: client_ip?.into(),
        method: method?.into(),
        uri: uri?.into(),
        querystring: querystring?.into(),
        headers: headers?,
        body: None,
        other: serde_json::Map::new(),
    })
}

/// Room for these at first. glibc gives back what is not larger than 1,032 bytes, as these are, in the fewest steps.
const USUAL_HEADERS: usize = 11;

/// The headers, with the checks that serde's reader makes too: names in lower case, once each, and the `key` of every
/// line the same name.
fn read_headers<'e>(json: &mut PlainJson<'e>) -> Option<CloudFrontHeaders<'e>> {
    let mut headers = Vec::with_capacity(USUAL_HEADERS);
    json.object(|json, name| {
        let mut lines = HeaderLines::default();
        json.array(|json| {
            lines.push(read_line(json, name)?);
            Some(())
        })?;
        // Each line says this of the name too.
        (!lines.is_empty() || is_lower_case(name)).then_some(())?;
        headers.push((Cow::Borrowed(name), lines));
        Some(())
    })?;
    headers_of(headers)
}

fn is_lower_case(name: &str) -> bool {
    !name.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn read_line<'e>(json: &mut PlainJson<'e>, name: &str) -> Option<CloudFrontHeader<'e>> {
    if json.literal(r#"{"key":""#).is_some() {
        // As a line is nearly always written.
        let key = json.upper_case_of(name)?;
        json.literal(r#"","value":""#)?;
        let value = json.rest_of_string()?;
        json.take(b'}')?;
        return Some(CloudFrontHeader::new(key, value));
    }
    let (mut key, mut value) = (None, None);
    json.object(|json, member| match member {
        "key" => once(&mut key, json.string()?),
        "value" => once(&mut value, json.string()?),
        _ => None,
    })?;
    let key = key.filter(|key| key.eq_ignore_ascii_case(name) && is_lower_case(name))?;
    Some(CloudFrontHeader::new(key, value?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{CloudFrontEvent, CloudFrontEventData};
    use proptest::prelude::*;

    /// What serde reads.
    fn by_serde(text: &str) -> Option<(CloudFrontConfig<'_>, CloudFrontRequest<'_>)> {
        let event: CloudFrontEvent<'_> = serde_json::from_str(text).ok()?;
        let [record] = <[_; 1]>::try_from(event.records).ok()?;
        let CloudFrontEventData { config, request } = record.cf;
        Some((config, request))
    }

    fn by_plain(text: &str) -> Option<(CloudFrontConfig<'_>, CloudFrontRequest<'_>)> {
        read(text).map(|event| (event.config, event.request))
    }

    const USUAL: &str = r#"{"Records":[{"cf":{"config":{"distributionDomainName":"d1.cloudfront.net","distributionId":"E1","eventType":"viewer-request","requestId":"r1=="},"request":{"clientIp":"203.0.113.178","headers":{"host":[{"key":"Host","value":"d1.cloudfront.net"}],"accept":[{"value":"*/*","key":"ACCEPT"}],"cookie":[{"key":"Cookie","value":"a=1"},{"key":"cookie","value":"b=é"}],"x-none":[]},"method":"GET","querystring":"","uri":"/a/b"}}}]}"#;

    #[test]
    fn a_usual_event_is_read_as_serde_reads_it() {
        let pretty = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(USUAL).unwrap());
        for text in [USUAL, &pretty.unwrap(), &format!(" \n{USUAL}\t\r ")] {
            assert!(by_plain(text).is_some());
            assert_eq!(by_plain(text), by_serde(text));
        }
    }

    #[test]
    fn the_name_of_a_header_has_no_upper_case() {
        for (from, to) in [
            (r#""host":[{"key":"Host""#, r#""Host":[{"key":"Host""#),
            (r#""host":[{"key":"Host""#, r#""HOST":[{"key":"host""#),
            (r#""accept":[{"value""#, r#""ACCEPT":[{"value""#),
            (r#""x-none":[]"#, r#""X-None":[]"#),
        ] {
            let text = USUAL.replace(from, to);
            assert_ne!(text, USUAL);
            assert_eq!((by_plain(&text), by_serde(&text)), (None, None), "{text}");
        }
    }

    /// Each cut, each single byte that is changed, left out or doubled, and each member that is repeated.
    #[test]
    fn what_is_read_of_an_event_that_was_changed_is_what_serde_reads() {
        let mut read = 0;
        let mut compare = |text: &str| {
            if let Some(event) = by_plain(text) {
                assert_eq!(Some(event), by_serde(text), "{text}");
                read += 1;
            }
        };
        let places = USUAL.char_indices().map(|(place, c)| (place, c.len_utf8()));
        for (start, length) in places {
            let (before, rest) = USUAL.split_at(start);
            let (at, after) = rest.split_at(length);
            compare(before);
            compare(&format!("{before}{after}"));
            compare(&format!("{before}{at}{at}{after}"));
            for other in
                ["\"", "\\", ",", ":", "{", "}", "[", "]", " ", "\n", "\0", "\u{7f}", "0", "A", "null"]
            {
                compare(&format!("{before}{other}{after}"));
                compare(&format!("{before}{other}{at}{after}"));
            }
        }
        for member in ["config", "request", "headers", "uri", "host", "key", "value", "cf", "eventType"] {
            for name in [member, "other", "Records", "body"] {
                for value in ["1", "null", "\"x\"", "{}", "[]", "[{\"key\":\"host\",\"value\":\"v\"}]"] {
                    let twice = format!("\"{name}\":{value},\"{member}\":");
                    compare(&USUAL.replacen(&format!("\"{member}\":"), &twice, 1));
                }
            }
        }
        assert!(read > 1000, "{read}");
    }

    proptest! {
        #[test]
        fn what_is_read_of_a_mixture_is_what_serde_reads(
            places in prop::collection::vec((0..USUAL.len(), 0..USUAL.len(), 0..40usize), 1..4),
        ) {
            let mut text = USUAL.to_owned();
            for (from, to, length) in places {
                let Some(part) = USUAL.get(from..from.saturating_add(length).min(USUAL.len())) else { continue };
                let to = to.min(text.len());
                if text.is_char_boundary(to) {
                    text.insert_str(to, part);
                }
            }
            if let Some(event) = by_plain(&text) {
                prop_assert_eq!(Some(event), by_serde(&text));
            }
        }
    }
}
