//! Conditional requests, as S3 answers them.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>

use http::{HeaderMap, HeaderName, HeaderValue, header};
use s3s::dto::{ETag, ETagCondition, GetObjectInput, HeadObjectInput, HeadObjectOutput};
use s3s::dto::{Timestamp, TimestampFormat};
use s3s::{S3Error, S3Result, s3_error};

/// The conditions of a GET or HEAD.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadConditions {
    if_match: Option<ETagCondition>,
    if_unmodified_since: Option<Timestamp>,
    if_none_match: Option<ETagCondition>,
    if_modified_since: Option<Timestamp>,
}

/// The result of the conditions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    Read,
    NotModified,
    Failed,
}

impl ReadConditions {
    /// Takes the conditions out of the input: they are judged here.
    pub(crate) fn of_get(input: &mut GetObjectInput) -> Self {
        Self {
            if_match: input.if_match.take(),
            if_unmodified_since: input.if_unmodified_since.take(),
            if_none_match: input.if_none_match.take(),
            if_modified_since: input.if_modified_since.take(),
        }
    }

    /// Takes the conditions out of the input: they are judged here.
    pub(crate) fn of_head(input: &mut HeadObjectInput) -> Self {
        Self {
            if_match: input.if_match.take(),
            if_unmodified_since: input.if_unmodified_since.take(),
            if_none_match: input.if_none_match.take(),
            if_modified_since: input.if_modified_since.take(),
        }
    }

    /// Allows the read, or says why not.
    pub(crate) fn check(&self, object: &HeadObjectOutput) -> S3Result<()> {
        match self.verdict(object.e_tag.as_ref(), object.last_modified.as_ref()) {
            Verdict::Read => Ok(()),
            Verdict::NotModified => Err(not_modified(object)),
            Verdict::Failed => Err(failed()),
        }
    }

    /// RFC 9110 section 13.2.2, in its order. <https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2>
    fn verdict(&self, etag: Option<&ETag>, last_modified: Option<&Timestamp>) -> Verdict {
        let last_modified = last_modified.and_then(whole_second);
        let is_after = |then: &Timestamp| last_modified.as_ref().is_some_and(|modified| modified > then);
        match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) if !matches(condition, etag, ETag::strong_cmp) => return Verdict::Failed,
            (None, Some(then)) if is_after(then) => return Verdict::Failed,
            (Some(_) | None, _) => {}
        }
        match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) if matches(condition, etag, ETag::weak_cmp) => Verdict::NotModified,
            (None, Some(then)) if !is_after(then) => Verdict::NotModified,
            (Some(_) | None, _) => Verdict::Read,
        }
    }
}

fn matches(condition: &ETagCondition, etag: Option<&ETag>, same: fn(&ETag, &ETag) -> bool) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(wanted) => etag.is_some_and(|etag| same(etag, wanted)),
    }
}

/// The instant with the precision of `Last-Modified`, so that a date from that header is not before it.
fn whole_second(instant: &Timestamp) -> Option<Timestamp> {
    let mut text = Vec::new();
    instant.format(TimestampFormat::HttpDate, &mut text).ok()?;
    Timestamp::parse(TimestampFormat::HttpDate, str::from_utf8(&text).ok()?).ok()
}

fn failed() -> S3Error {
    s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold")
}

/// 304 with the headers that RFC 9110 section 15.4.5 requires.
fn not_modified(object: &HeadObjectOutput) -> S3Error {
    let mut headers = HeaderMap::new();
    let mut add = |name: HeaderName, value: Option<HeaderValue>| {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    };
    add(header::ETAG, object.e_tag.as_ref().and_then(|etag| etag.to_http_header().ok()));
    add(header::LAST_MODIFIED, object.last_modified.as_ref().and_then(http_date));
    add(header::CACHE_CONTROL, object.cache_control.as_ref().and_then(|value| value.parse().ok()));
    add(header::EXPIRES, object.expires.as_ref().and_then(http_date));
    let mut error = s3_error!(NotModified);
    error.set_headers(headers);
    error
}

fn http_date(instant: &Timestamp) -> Option<HeaderValue> {
    let mut text = Vec::new();
    instant.format(TimestampFormat::HttpDate, &mut text).ok()?;
    HeaderValue::from_bytes(&text).ok()
}

/// The conditions of a write or a delete.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
#[derive(Clone, Debug, Default)]
pub(crate) struct WriteConditions {
    absent: bool,
    if_match: Option<ETagCondition>,
}

impl WriteConditions {
    /// Takes the conditions out of an input: they are judged here.
    pub(crate) fn take(
        if_match: &mut Option<ETagCondition>,
        if_none_match: &mut Option<ETagCondition>,
    ) -> S3Result<Self> {
        let absent = match if_none_match.take() {
            None => false,
            Some(ETagCondition::Any) => true,
            Some(ETagCondition::ETag(_)) => {
                return Err(s3_error!(
                    NotImplemented,
                    "A header you provided implies functionality that is not implemented"
                ));
            }
        };
        Ok(Self { absent, if_match: if_match.take() })
    }

    /// The condition that the current object has this entity tag.
    pub(crate) fn matching(etag: Option<ETagCondition>) -> Self {
        Self { absent: false, if_match: etag }
    }

    /// Whether there are conditions to check.
    pub(crate) fn is_empty(&self) -> bool {
        !self.absent && self.if_match.is_none()
    }

    /// Allows the write, given the current object, or says why not.
    pub(crate) fn check(&self, current: Option<&ETag>) -> S3Result<()> {
        if self.absent && current.is_some() {
            return Err(failed());
        }
        match (&self.if_match, current) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(no_such_key()),
            (Some(condition), current) if matches(condition, current, ETag::strong_cmp) => Ok(()),
            (Some(_), Some(_)) => Err(failed()),
        }
    }
}

/// 404: the bucket's policy grants `s3:ListBucket`; without it S3 would answer 403.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
pub(crate) fn no_such_key() -> S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use s3s::S3ErrorCode;

    fn etag(value: &str) -> ETagCondition {
        value.parse().unwrap()
    }

    fn date(text: &str) -> Timestamp {
        Timestamp::parse(TimestampFormat::HttpDate, text).unwrap()
    }

    #[test]
    fn conditions_of_a_read_are_judged_in_the_order_of_rfc_9110() {
        let [before, same, after] = [
            "Wed, 21 Oct 2015 07:27:59 GMT",
            "Wed, 21 Oct 2015 07:28:00 GMT",
            "Wed, 21 Oct 2015 07:28:01 GMT",
        ];
        let modified = Timestamp::parse(TimestampFormat::DateTime, "2015-10-21T07:28:00.900Z").unwrap();
        let current = ETag::Strong("a".to_owned());
        let (read, not_modified, failed) = (Verdict::Read, Verdict::NotModified, Verdict::Failed);
        // If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since.
        let cases = [
            ([None, None, None, None], read),
            ([Some("*"), None, None, None], read),
            ([Some("\"a\""), None, None, None], read),
            ([Some("\"b\""), None, None, None], failed),
            ([Some("W/\"a\""), None, None, None], failed),
            ([None, Some(after), None, None], read),
            ([None, Some(same), None, None], read),
            ([None, Some(before), None, None], failed),
            ([Some("\"a\""), Some(before), None, None], read),
            ([Some("\"b\""), Some(after), None, None], failed),
            ([None, None, Some("*"), None], not_modified),
            ([None, None, Some("\"a\""), None], not_modified),
            ([None, None, Some("W/\"a\""), None], not_modified),
            ([None, None, Some("\"b\""), None], read),
            ([None, None, None, Some(before)], read),
            ([None, None, None, Some(same)], not_modified),
            ([None, None, None, Some(after)], not_modified),
            ([None, None, Some("\"b\""), Some(after)], read),
            ([None, None, Some("\"a\""), Some(before)], not_modified),
            ([Some("\"b\""), None, Some("\"a\""), None], failed),
            ([Some("\"a\""), None, Some("\"a\""), None], not_modified),
            ([None, Some(before), Some("\"a\""), None], failed),
            ([None, Some(after), None, Some(after)], not_modified),
        ];
        for ([if_match, if_unmodified_since, if_none_match, if_modified_since], verdict) in cases {
            let conditions = ReadConditions {
                if_match: if_match.map(etag),
                if_unmodified_since: if_unmodified_since.map(date),
                if_none_match: if_none_match.map(etag),
                if_modified_since: if_modified_since.map(date),
            };
            assert_eq!(conditions.verdict(Some(&current), Some(&modified)), verdict, "{conditions:?}");
        }
    }

    #[test]
    fn conditions_of_a_write_are_judged_on_what_is_there() {
        let (there, none) = (Some("a"), None);
        let (fails, missing) = (Some(S3ErrorCode::PreconditionFailed), Some(S3ErrorCode::NoSuchKey));
        let cases = [
            (None, None, there, None),
            (None, None, none, None),
            (None, Some("*"), none, None),
            (None, Some("*"), there, fails.clone()),
            (Some("\"a\""), None, there, None),
            (Some("\"b\""), None, there, fails.clone()),
            (Some("W/\"a\""), None, there, fails),
            (Some("\"a\""), None, none, missing.clone()),
            (Some("*"), None, there, None),
            (Some("*"), None, none, missing),
        ];
        for (if_match, if_none_match, current, error) in cases {
            let (mut if_match, mut if_none_match) = (if_match.map(etag), if_none_match.map(etag));
            let conditions = WriteConditions::take(&mut if_match, &mut if_none_match).unwrap();
            let current = current.map(|value| ETag::Strong(value.to_owned()));
            let answer = conditions.check(current.as_ref()).err().map(|error| error.code().clone());
            assert_eq!(answer, error, "{conditions:?} {current:?}");
        }
        let error = WriteConditions::take(&mut None, &mut Some(etag("\"a\""))).unwrap_err();
        assert_eq!(error.code(), &S3ErrorCode::NotImplemented);
    }
}
