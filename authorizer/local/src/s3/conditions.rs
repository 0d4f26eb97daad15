//! Conditional requests, as S3 answers them.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>
//!
//! They are read here and not by `s3s`, which has one entity tag for a condition and no `If-Range`.

use http::{HeaderMap, HeaderName, header};
use s3s::{S3Error, S3Result, s3_error};

use super::facts::Object;
use super::range::ByteRange;
use super::time::http_date;

/// An entity tag of a condition.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Tag {
    is_weak: bool,
    value: String,
}

/// The entity tags of a condition.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Tags {
    Any,
    These(Vec<Tag>),
}

impl Tags {
    /// Reads the header, or headers, of a condition. S3 takes a tag without quotes too.
    fn read(headers: &HeaderMap, name: &HeaderName) -> Option<Self> {
        let mut tags = Vec::new();
        let mut is_there = false;
        for value in headers.get_all(name) {
            is_there = true;
            let text = String::from_utf8_lossy(value.as_bytes());
            if text.trim() == "*" {
                return Some(Self::Any);
            }
            read_tags(&text, &mut tags);
        }
        is_there.then_some(Self::These(tags))
    }

    /// The condition with this one tag.
    pub(crate) fn one(text: &str) -> Self {
        let mut tags = Vec::new();
        match text.trim() {
            "*" => return Self::Any,
            text => read_tags(text, &mut tags),
        }
        Self::These(tags)
    }

    /// Whether the object has one of them. A weak tag holds only where weak comparison is asked for.
    fn hold(&self, etag: &str, is_weak_enough: bool) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|tag| tag.value == etag && (is_weak_enough || !tag.is_weak)),
        }
    }
}

/// The tags of a list; a comma within quotes belongs to its tag.
fn read_tags(text: &str, tags: &mut Vec<Tag>) {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return;
        }
        let (is_weak, after) = rest.strip_prefix("W/").map_or((false, rest), |after| (true, after));
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        tags.push(Tag { is_weak, value: value.trim().to_owned() });
        rest = after;
    }
}

/// The conditions and the range of a request, before `s3s` reads its headers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    if_match: Option<Tags>,
    if_unmodified_since: Option<i64>,
    if_none_match: Option<Tags>,
    if_modified_since: Option<i64>,
    if_range: Option<String>,
    range: Option<ByteRange>,
}

/// The headers of conditions.
const HEADERS: [HeaderName; 6] = [
    header::IF_MATCH,
    header::IF_UNMODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_RANGE,
    header::RANGE,
];

/// The result of the conditions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    Read,
    NotModified,
    Failed,
}

impl Conditions {
    /// Takes the conditions out of a request's headers.
    pub(crate) fn take(headers: &mut HeaderMap) -> Self {
        let conditions = Self::read(headers);
        for name in HEADERS {
            headers.remove(name);
        }
        conditions
    }

    fn read(headers: &HeaderMap) -> Self {
        let text = |name: &HeaderName| headers.get(name)?.to_str().ok();
        // A date that is none is ignored (RFC 9110 sections 13.1.3 and 13.1.4).
        let date = |name: &HeaderName| http_date(text(name)?);
        Self {
            if_match: Tags::read(headers, &header::IF_MATCH),
            if_unmodified_since: date(&header::IF_UNMODIFIED_SINCE),
            if_none_match: Tags::read(headers, &header::IF_NONE_MATCH),
            if_modified_since: date(&header::IF_MODIFIED_SINCE),
            if_range: text(&header::IF_RANGE).map(str::to_owned),
            range: text(&header::RANGE).and_then(ByteRange::read),
        }
    }

    /// The conditions of a copy on its source: S3 has headers of their own for them.
    pub(crate) fn of_source(headers: &HeaderMap) -> Self {
        let mut plain = HeaderMap::new();
        for name in
            [header::IF_MATCH, header::IF_UNMODIFIED_SINCE, header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE]
        {
            for value in headers.get_all(format!("x-amz-copy-source-{name}")) {
                plain.append(&name, value.clone());
            }
        }
        Self::read(&plain)
    }

    /// Allows a read, or says why not.
    pub(crate) fn check_read(&self, object: &Object) -> S3Result<()> {
        match self.verdict(&object.etag, object.modified) {
            Verdict::Read => Ok(()),
            Verdict::NotModified => Err(not_modified(object)),
            Verdict::Failed => Err(failed()),
        }
    }

    /// What they say of an answer with these headers. A condition on what the answer does not have says nothing.
    pub(crate) fn of_answer(request: &HeaderMap, answer: &HeaderMap) -> Verdict {
        let text = |name: HeaderName| answer.get(name)?.to_str().ok();
        let mut conditions = Self::read(request);
        let modified = text(header::LAST_MODIFIED).and_then(http_date);
        if modified.is_none() {
            (conditions.if_unmodified_since, conditions.if_modified_since) = (None, None);
        }
        let etag = text(header::ETAG).unwrap_or_default().trim_start_matches("W/").trim_matches('"');
        conditions.verdict(etag, modified.unwrap_or_default())
    }

    /// Allows a copy, or says why not: of a copy, every condition that fails is 412.
    pub(crate) fn check_source(&self, object: &Object) -> S3Result<()> {
        match self.verdict(&object.etag, object.modified) {
            Verdict::Read => Ok(()),
            Verdict::NotModified | Verdict::Failed => Err(failed()),
        }
    }

    /// RFC 9110 section 13.2.2, in its order. <https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2>
    fn verdict(&self, etag: &str, modified: i64) -> Verdict {
        match (&self.if_match, self.if_unmodified_since) {
            (Some(tags), _) if !tags.hold(etag, false) => return Verdict::Failed,
            (None, Some(then)) if modified > then => return Verdict::Failed,
            (Some(_) | None, _) => {}
        }
        match (&self.if_none_match, self.if_modified_since) {
            (Some(tags), _) if tags.hold(etag, true) => Verdict::NotModified,
            (None, Some(then)) if modified <= then => Verdict::NotModified,
            (Some(_) | None, _) => Verdict::Read,
        }
    }

    /// The range, unless `If-Range` says that the object is another one (RFC 9110 section 13.1.5).
    pub(crate) fn range(&self, object: &Object) -> Option<ByteRange> {
        let range = self.range?;
        let Some(validator) = &self.if_range else { return Some(range) };
        let is_same = match http_date(validator) {
            Some(then) => then == object.modified,
            None => Tags::one(validator) != Tags::Any && Tags::one(validator).hold(&object.etag, false),
        };
        is_same.then_some(range)
    }

    /// The range, whatever the object.
    pub(crate) fn has_range(&self) -> bool {
        self.range.is_some()
    }

    /// The conditions of a write.
    pub(crate) fn of_write(&self) -> S3Result<WriteConditions> {
        let is_absent = match &self.if_none_match {
            None => false,
            Some(Tags::Any) => true,
            Some(Tags::These(_)) => {
                return Err(s3_error!(
                    NotImplemented,
                    "A header you provided implies functionality that is not implemented"
                ));
            }
        };
        Ok(WriteConditions { is_absent, if_match: self.if_match.clone() })
    }
}

/// The conditions of a write or a delete.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
#[derive(Clone, Debug, Default)]
pub(crate) struct WriteConditions {
    is_absent: bool,
    if_match: Option<Tags>,
}

impl WriteConditions {
    /// The condition that the current object has one of these entity tags.
    pub(crate) fn matching(tags: Option<Tags>) -> Self {
        Self { is_absent: false, if_match: tags }
    }

    /// Whether there is nothing to check.
    pub(crate) fn is_empty(&self) -> bool {
        !self.is_absent && self.if_match.is_none()
    }

    /// Allows the write, given the entity tag of the current object, or says why not.
    pub(crate) fn check(&self, current: Option<&str>) -> S3Result<()> {
        if self.is_absent && current.is_some() {
            return Err(failed());
        }
        match (&self.if_match, current) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(no_such_key()),
            (Some(tags), Some(etag)) if tags.hold(etag, false) => Ok(()),
            (Some(_), Some(_)) => Err(failed()),
        }
    }
}

fn failed() -> S3Error {
    s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold")
}

/// 409: a delete came between the beginning and the end of a conditional write.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
pub(crate) fn conflict() -> S3Error {
    s3_error!(
        ConditionalRequestConflict,
        "The conditional request cannot succeed due to a conflicting operation against this resource."
    )
}

/// 404 for a missing object.
pub(crate) fn no_such_key() -> S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}

/// 304 with the headers that RFC 9110 section 15.4.5 requires.
fn not_modified(object: &Object) -> S3Error {
    let all = object.headers();
    let mut headers = HeaderMap::new();
    for name in [header::ETAG, header::LAST_MODIFIED, header::CACHE_CONTROL, header::EXPIRES] {
        if let Some(value) = all.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    let mut error = s3_error!(NotModified);
    error.set_headers(headers);
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use s3s::S3ErrorCode;

    fn conditions(pairs: &[(&str, Option<&str>)]) -> Conditions {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            if let Some(value) = value {
                headers.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
            }
        }
        let read = Conditions::take(&mut headers);
        assert!(headers.is_empty(), "{headers:?}");
        read
    }

    #[test]
    fn conditions_of_a_read_are_judged_in_the_order_of_rfc_9110() {
        let [before, same, after] = [
            "Wed, 21 Oct 2015 07:27:59 GMT",
            "Wed, 21 Oct 2015 07:28:00 GMT",
            "Wed, 21 Oct 2015 07:28:01 GMT",
        ];
        let (read, not_modified, failed) = (Verdict::Read, Verdict::NotModified, Verdict::Failed);
        // If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since.
        let cases = [
            ([None, None, None, None], read),
            ([Some("*"), None, None, None], read),
            ([Some("\"a\""), None, None, None], read),
            ([Some("\"b\""), None, None, None], failed),
            ([Some("W/\"a\""), None, None, None], failed),
            ([Some("\"b\", \"a\""), None, None, None], read),
            ([Some("\"b,a\", \"c\""), None, None, None], failed),
            ([Some("a"), None, None, None], read),
            ([None, Some(after), None, None], read),
            ([None, Some(same), None, None], read),
            ([None, Some(before), None, None], failed),
            ([Some("\"a\""), Some(before), None, None], read),
            ([Some("\"b\""), Some(after), None, None], failed),
            ([None, None, Some("*"), None], not_modified),
            ([None, None, Some("\"a\""), None], not_modified),
            ([None, None, Some("W/\"a\""), None], not_modified),
            ([None, None, Some("\"b\",W/\"a\""), None], not_modified),
            ([None, None, Some("\"b\""), None], read),
            ([None, None, None, Some(before)], read),
            ([None, None, None, Some(same)], not_modified),
            ([None, None, None, Some(after)], not_modified),
            ([None, None, None, Some("yesterday")], read),
            ([None, None, Some("\"b\""), Some(after)], read),
            ([None, None, Some("\"a\""), Some(before)], not_modified),
            ([Some("\"b\""), None, Some("\"a\""), None], failed),
            ([Some("\"a\""), None, Some("\"a\""), None], not_modified),
            ([None, Some(before), Some("\"a\""), None], failed),
            ([None, Some(after), None, Some(after)], not_modified),
        ];
        let modified = http_date(same).unwrap();
        for (values, verdict) in cases {
            let names = ["if-match", "if-unmodified-since", "if-none-match", "if-modified-since"];
            let pairs: Vec<_> = names.into_iter().zip(values).collect();
            assert_eq!(conditions(&pairs).verdict("a", modified), verdict, "{pairs:?}");
        }
    }

    #[test]
    fn a_range_counts_only_for_the_object_that_if_range_names() {
        let object = Object { etag: "a".to_owned(), modified: 1_445_412_480, ..Object::default() };
        let range = ("range", Some("bytes=0-1"));
        for (validator, holds) in [
            (None, true),
            (Some("\"a\""), true),
            (Some("\"b\""), false),
            (Some("W/\"a\""), false),
            (Some("*"), false),
            (Some("Wed, 21 Oct 2015 07:28:00 GMT"), true),
            (Some("Wed, 21 Oct 2015 07:28:01 GMT"), false),
        ] {
            let asked = conditions(&[range, ("if-range", validator)]);
            assert_eq!(asked.range(&object).is_some(), holds, "{validator:?}");
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
            let asked = conditions(&[("if-match", if_match), ("if-none-match", if_none_match)]);
            let answer = asked.of_write().unwrap().check(current).err().map(|error| error.code().clone());
            assert_eq!(answer, error, "{asked:?} {current:?}");
        }
        let error = conditions(&[("if-none-match", Some("\"a\""))]).of_write().unwrap_err();
        assert_eq!(error.code(), &S3ErrorCode::NotImplemented);
    }
}
