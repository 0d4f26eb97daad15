//! Answers from the cache: the whole object, a part of it, or 304.

use std::ops::Range;

use authorizer_core::event::CloudFrontHeaders;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use super::Cached;
use crate::answer;
use crate::body::{ResponseBody, full};
use crate::s3::{ByteRange, Conditions, Verdict};

/// The headers of a body that a 304 does not have.
const OF_A_BODY: [header::HeaderName; 3] =
    [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::CONTENT_ENCODING];

/// What a viewer asks for of an object that is in the cache.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Wanted {
    Whole,
    /// The viewer has it.
    Nothing,
    /// It has another one than a condition says.
    Refused,
    Part(Range<u64>),
    /// A part that the object does not have: the origin says so.
    Beyond,
}

impl Wanted {
    /// What a GET or HEAD with these headers asks for. Several ranges, or one that is not valid, are the whole object.
    pub(crate) fn of(cached: &Cached, request: &CloudFrontHeaders<'_>, is_get: bool) -> Self {
        let Cached { status, headers, body, .. } = cached;
        if *status != StatusCode::OK {
            return Self::Whole;
        }
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let asked =
            |name: &str| request.get(name).and_then(|lines| lines.first()).map(|line| line.value.as_ref());
        match verdict(request, headers) {
            Verdict::Read => {}
            Verdict::NotModified => return Self::Nothing,
            Verdict::Failed => return Self::Refused,
        }
        // RFC 9110 section 13.1.5: a part only of the version that the viewer has the rest of.
        let is_same = asked("if-range")
            .is_none_or(|one| text("etag") == Some(one) || text("last-modified") == Some(one));
        let range = asked("range").filter(|_| is_get && is_same).and_then(ByteRange::read);
        let size = u64::try_from(body.len()).unwrap_or(u64::MAX);
        match range.map(|range| range.of(size)) {
            None => Self::Whole,
            Some(Ok(range)) => Self::Part(range),
            Some(Err(_)) => Self::Beyond,
        }
    }
}

/// What the conditions of a request say of an object with these headers.
pub(crate) fn verdict(request: &CloudFrontHeaders<'_>, object: &HeaderMap) -> Verdict {
    let mut conditions = HeaderMap::new();
    for name in
        [header::IF_MATCH, header::IF_UNMODIFIED_SINCE, header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE]
    {
        for line in request.get(name.as_str()).into_iter().flat_map(|lines| lines.iter()) {
            if let Ok(value) = HeaderValue::try_from(line.value.as_ref()) {
                conditions.append(&name, value);
            }
        }
    }
    Conditions::of_answer(&conditions, object)
}

/// The answer to a condition that fails.
pub(crate) fn refused() -> Response<ResponseBody> {
    let message = "At least one of the pre-conditions you specified did not hold";
    answer::xml(StatusCode::PRECONDITION_FAILED, "PreconditionFailed", message)
}

/// The answer from the cache.
pub(crate) fn answered(cached: Cached, age: u64, wanted: &Wanted) -> Response<ResponseBody> {
    let Cached { status, mut headers, body, .. } = cached;
    headers.insert(header::AGE, HeaderValue::from(age));
    let (status, body) = match wanted {
        Wanted::Whole | Wanted::Beyond => (status, body),
        Wanted::Refused => return refused(),
        Wanted::Nothing => {
            for name in OF_A_BODY {
                headers.remove(name);
            }
            (StatusCode::NOT_MODIFIED, bytes::Bytes::new())
        }
        Wanted::Part(range) => {
            let size = body.len();
            let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(size);
            let part = body.slice(place(range.start)..place(range.end));
            let text = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
            if let Ok(value) = HeaderValue::try_from(text) {
                headers.insert(header::CONTENT_RANGE, value);
            }
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(part.len()));
            (StatusCode::PARTIAL_CONTENT, part)
        }
    };
    let mut response = Response::new(full(body));
    *response.headers_mut() = headers;
    *response.status_mut() = status;
    response
}

/// Makes a request ask whether this is still the same, in the place of what the viewer has. Says whether it can.
pub(crate) fn ask_whether_same(cached: &Cached, request: &mut CloudFrontHeaders<'_>) -> bool {
    let validator = [("if-none-match", header::ETAG), ("if-modified-since", header::LAST_MODIFIED)];
    let found = validator.into_iter().find_map(|(condition, name)| {
        let value = cached.headers.get(name)?.to_str().ok()?.to_owned();
        Some((condition, value))
    });
    let Some((condition, value)) = found else { return false };
    for name in ["if-none-match", "if-modified-since", "if-match", "if-unmodified-since"] {
        request.remove(name);
    }
    let line = authorizer_core::event::CloudFrontHeader::new(condition, value);
    request.insert(condition.into(), line.into());
    true
}

/// The headers of an object that is still the same: what the 304 has is newer (RFC 9111 section 3.2).
pub(crate) fn renewed(mut headers: HeaderMap, answer: &HeaderMap) -> HeaderMap {
    for (name, value) in answer {
        if !OF_A_BODY.contains(name) && name != header::CONTENT_RANGE {
            headers.insert(name, value.clone());
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;
    use authorizer_core::event::CloudFrontHeader;

    fn object() -> Cached {
        let mut headers = HeaderMap::new();
        headers.insert(header::ETAG, HeaderValue::from_static("\"1\""));
        headers.insert(header::LAST_MODIFIED, HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("4"));
        Cached { status: StatusCode::OK, headers, body: "0123".into(), is_error: false }
    }

    fn request(lines: &[(&'static str, &'static str)]) -> CloudFrontHeaders<'static> {
        let mut headers = CloudFrontHeaders::new();
        for (name, value) in lines {
            headers.insert((*name).into(), CloudFrontHeader::new(*name, *value).into());
        }
        headers
    }

    #[test]
    fn a_viewer_gets_the_part_that_it_asks_for_of_the_version_that_it_has() {
        for (lines, wanted) in [
            (&[("range", "bytes=1-2")][..], Wanted::Part(1..3)),
            (&[("range", "bytes=2-")], Wanted::Part(2..4)),
            (&[("range", "bytes=-1")], Wanted::Part(3..4)),
            (&[("range", "bytes=0-99")], Wanted::Part(0..4)),
            (&[("range", "bytes=4-")], Wanted::Beyond),
            (&[("range", "bytes=0-0,2-3")], Wanted::Whole),
            (&[("range", "bytes=2-1")], Wanted::Whole),
            (&[("range", "bytes=1-2"), ("if-range", "\"1\"")], Wanted::Part(1..3)),
            (&[("range", "bytes=1-2"), ("if-range", "\"2\"")], Wanted::Whole),
            (&[("range", "bytes=1-2"), ("if-none-match", "\"1\"")], Wanted::Nothing),
            (&[("if-none-match", "\"2\", W/\"1\"")], Wanted::Nothing),
            (&[("if-none-match", "\"2\"")], Wanted::Whole),
            (&[("if-match", "\"2\"")], Wanted::Refused),
            (&[("if-match", "\"2\", \"1\"")], Wanted::Whole),
            (&[("if-match", "W/\"1\"")], Wanted::Refused),
            (&[("if-match", "\"2\""), ("if-none-match", "\"1\"")], Wanted::Refused),
            (&[("if-unmodified-since", "Wed, 31 Dec 1969 23:59:59 GMT")], Wanted::Refused),
            (&[("if-unmodified-since", "Thu, 01 Jan 1970 00:00:00 GMT")], Wanted::Whole),
            (&[("if-modified-since", "Thu, 01 Jan 1970 00:00:01 GMT")], Wanted::Nothing),
            (&[], Wanted::Whole),
        ] {
            assert_eq!(Wanted::of(&object(), &request(lines), true), wanted, "{lines:?}");
        }
        assert_eq!(Wanted::of(&object(), &request(&[("range", "bytes=1-2")]), false), Wanted::Whole);
        let missing = Cached { status: StatusCode::NOT_FOUND, ..object() };
        assert_eq!(Wanted::of(&missing, &request(&[("range", "bytes=1-2")]), true), Wanted::Whole);
        let part = answered(object(), 7, &Wanted::Part(1..3));
        assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
        for (name, value) in [("content-range", "bytes 1-2/4"), ("content-length", "2"), ("age", "7")] {
            assert_eq!(part.headers()[name], value, "{name}");
        }
    }

    #[test]
    fn the_origin_is_asked_about_the_version_in_the_cache_and_not_about_the_viewers() {
        let mut headers = request(&[("if-none-match", "\"2\""), ("accept", "*/*")]);
        assert!(ask_whether_same(&object(), &mut headers));
        assert_eq!((headers.get("if-none-match").unwrap()[0].value.as_ref(), headers.len()), ("\"1\"", 2));
        let mut dated = object();
        dated.headers.remove(header::ETAG);
        assert!(ask_whether_same(&dated, &mut headers));
        assert_eq!(headers.get("if-modified-since").unwrap()[0].value, "Thu, 01 Jan 1970 00:00:00 GMT");
        assert!(!headers.contains_key("if-none-match"));
        dated.headers.remove(header::LAST_MODIFIED);
        assert!(!ask_whether_same(&dated, &mut headers));
    }
}
