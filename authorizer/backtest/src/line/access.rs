//! A line of CloudFront's access logs: standard logging, legacy and v2.
//!
//! The names and values of the fields are those of [AWS: standard logging
//! reference](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html).

use std::borrow::Cow;
use std::net::IpAddr;

use authorizer_core::event::{CloudFrontHeaders, CloudFrontRequest};
use authorizer_core::operation::{Method, S3Operation};
use authorizer_core::request::{OwnParameters, Possible, Resource, S3Request, Target};
use authorizer_core::rules::is_host_name;
use authorizer_core::{Reason, Refusal, UnixTime};
use percent_encoding::percent_decode_str;
use serde_json::Map;

use super::{Context, LineContent, answer, time};
use crate::facts::{Requested, Span};
use crate::guesses::Guesses;
use crate::recorded::{Before, Came, Recorded, Stage, contradicted_by};
use crate::rule::Assumptions;

/// The values of a line that are used. A hyphen means absent; for the query, that the URL did not have one.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Values<'l> {
    pub(super) method: Option<Cow<'l, str>>,
    pub(super) stem: Option<Cow<'l, str>>,
    pub(super) query: Option<Cow<'l, str>>,
    pub(super) status: Option<Cow<'l, str>>,
    pub(super) address: Option<Cow<'l, str>>,
    pub(super) host: Option<Cow<'l, str>>,
    pub(super) date: Option<Cow<'l, str>>,
    pub(super) time: Option<Cow<'l, str>>,
    pub(super) milliseconds: Option<Cow<'l, str>>,
    pub(super) taken: Option<Cow<'l, str>>,
    pub(super) result: Option<Cow<'l, str>>,
    pub(super) response_result: Option<Cow<'l, str>>,
    pub(super) detailed_result: Option<Cow<'l, str>>,
    pub(super) request_id: Option<Cow<'l, str>>,
    pub(super) content_type: Option<Cow<'l, str>>,
    pub(super) content_length: Option<Cow<'l, str>>,
}

impl<'l> Values<'l> {
    /// Sets a value by the name of its field.
    pub(super) fn set(&mut self, name: &str, value: Cow<'l, str>) {
        // "When a URL doesn't contain a query string, this field's value is a hyphen"; if the field is not
        // logged, the query is not known.
        let value = match (name, value.as_ref()) {
            ("cs-uri-query", "-") => Cow::Borrowed(""),
            (_, "-") => return,
            _ => value,
        };
        let slot = match name {
            "cs-method" => &mut self.method,
            "cs-uri-stem" => &mut self.stem,
            "cs-uri-query" => &mut self.query,
            "sc-status" => &mut self.status,
            "c-ip" => &mut self.address,
            "x-host-header" => &mut self.host,
            "date" => &mut self.date,
            "time" => &mut self.time,
            "timestamp(ms)" => &mut self.milliseconds,
            "time-taken" => &mut self.taken,
            "x-edge-result-type" => &mut self.result,
            "x-edge-response-result-type" => &mut self.response_result,
            "x-edge-detailed-result-type" => &mut self.detailed_result,
            "x-edge-request-id" => &mut self.request_id,
            "sc-content-type" => &mut self.content_type,
            "sc-content-len" => &mut self.content_length,
            _ => return,
        };
        *slot = Some(value);
    }

    pub(super) fn at(&self) -> Span {
        let taken = self.taken.as_deref();
        if let (Some(date), Some(time)) = (&self.date, &self.time)
            && let Some(finished) = UnixTime::parse_rfc3339(&format!("{date}T{time}Z"))
        {
            return time::of_answer(finished, taken);
        }
        match self.milliseconds.as_deref().and_then(|text| text.parse::<u64>().ok()) {
            Some(milliseconds) => time::of_answer(UnixTime::from_seconds(milliseconds / 1000), taken),
            None => Span::unknown(),
        }
    }
}

/// The content of a line.
pub(super) fn read<'l>(values: &Result<Values<'l>, String>, context: &Context<'_>) -> LineContent<'l> {
    let values = match values {
        Ok(values) => values,
        Err(problem) => return LineContent::Malformed(problem.clone()),
    };
    let (Some(method), Some(stem)) = (&values.method, &values.stem) else {
        return LineContent::Malformed("the line must have `cs-method` and `cs-uri-stem`".to_owned());
    };
    let outcome = outcome(values);
    if outcome == Outcome::NotDecided {
        return LineContent::NotDecided;
    }
    // No preflight is answered for such a path.
    if as_sent(stem).is_some_and(|path| context.own_paths.contains(&path.as_str())) {
        return LineContent::SignIn;
    }
    if method == "OPTIONS" {
        return LineContent::Preflight;
    }
    let asked = asked(method, stem, values.query.as_deref(), context.own);
    let answer = answer::Answer::of(values);
    let reasons = match outcome {
        Outcome::Answered => answer::reasons(&answer, asked.as_ref().ok()),
        Outcome::WentOn | Outcome::NotTold | Outcome::NotDecided => Vec::new(),
    };
    let contradicted = contradicted(&reasons, asked.as_ref().ok());
    let is_answer_assumed = !reasons.is_empty() && answer.has_only_status();
    let before = match outcome {
        Outcome::WentOn => Before::Allowed { rule: None },
        // The function of this version never gives such an answer.
        Outcome::Answered if reasons.is_empty() => {
            Before::Refused { stage: Stage::Unknown, rule: None, reason: None }
        }
        Outcome::Answered => Before::Answered(Guesses::of(reasons)),
        Outcome::NotTold | Outcome::NotDecided => Before::Unknown,
    };
    // What the viewer sent as `Host`. `cs(Host)` is the distribution's own name.
    let host = values.host.as_deref().map(str::to_ascii_lowercase).filter(|host| is_host_name(host));
    let source = values.address.as_deref().and_then(|text| text.parse::<IpAddr>().ok());
    LineContent::Request(Box::new(Recorded {
        asked,
        source: source.map(|address| address.to_canonical()),
        host: host.map(Cow::Owned),
        at: values.at(),
        before,
        came: Came::Unknown,
        claims: None,
        contradicted,
        is_answer_assumed,
        bundle: None,
        method: method.clone(),
        path: stem.clone(),
    }))
}

/// The assumptions that the line shows to be wrong.
fn contradicted(reasons: &[Reason], asked: Option<&Requested>) -> Assumptions {
    let has_some = |asked: &Requested| {
        asked.overrides.as_ref().is_some_and(|some| !some.is_empty())
            || asked.extras.as_ref().is_some_and(|some| !some.is_empty())
    };
    let each_is_of_upload = |reason: &Reason| contradicted_by(*reason, false).uploads;
    Assumptions {
        tokens: false,
        reads: asked.is_some_and(has_some),
        uploads: !reasons.is_empty() && reasons.iter().all(each_is_of_upload),
    }
}

/// The outcome that the log shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Outcome {
    /// It reached the cache or the origin.
    WentOn,
    /// The function answered it.
    Answered,
    /// One of the two: the log does not show which.
    NotTold,
    /// It did not reach the function, or the function failed.
    NotDecided,
}

/// The outcome, from the result types. AWS's list of the fields does not have those of a generated response and of a
/// function's failure. Its page on
/// [status 503](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/http-503-lambda-limit-exceeded-error.html)
/// has those of failures (`LambdaExecutionError`, `LambdaValidationError`, `LambdaLimitExceeded`). A generated response
/// has `X-Cache: LambdaGeneratedResponse from cloudfront`.
fn outcome(values: &Values<'_>) -> Outcome {
    let types = [&values.response_result, &values.result, &values.detailed_result];
    let types: Vec<&str> = types.into_iter().filter_map(Option::as_deref).collect();
    let any = |names: &[&str]| types.iter().any(|one| names.contains(one));
    if any(&["LambdaGeneratedResponse"]) {
        return Outcome::Answered;
    }
    // The function's failure, HTTP to HTTPS, quotas, geography, an invalid request: the policy did not decide.
    let refused_itself = ["Redirect", "LimitExceeded", "CapacityExceeded", "ClientGeoBlocked"];
    // A function of CloudFront Functions cannot be beside a Lambda@Edge function for the same event: another behavior
    // answered.
    let is_failure =
        |one: &&str| ["InvalidRequest", "Lambda", "Function"].iter().any(|start| one.starts_with(start));
    if any(&refused_itself) || types.iter().any(is_failure) || values.status.as_deref() == Some("000") {
        return Outcome::NotDecided;
    }
    // The first of the three is from before the last byte: it does not depend on how the connection ended.
    if any(&["Hit", "RefreshHit", "OriginShieldHit", "Miss", "MissGeneratedResponse"]) {
        return Outcome::WentOn;
    }
    // The request went to the origin: `OriginDnsError`, `AbortedOrigin`, `SlowReaderOriginError`.
    if types.iter().any(|one| one.contains("Origin")) {
        return Outcome::WentOn;
    }
    // An error without a source. The status does not show one: a custom response of AWS WAF and a custom error response
    // of CloudFront can have each status, also that of an object which does not exist.
    Outcome::NotTold
}

/// The request; or why every policy with these query parameters of its own refuses it.
fn asked<'l>(
    method: &str,
    stem: &str,
    query: Option<&str>,
    own: OwnParameters<'_>,
) -> Result<Requested, Cow<'l, str>> {
    let Some(known) = Method::parse(method) else { return Err("method_not_allowed".into()) };
    let Some(uri) = as_sent(stem) else { return Ok(Requested::method(known, None)) };
    let query = query.and_then(as_sent);
    let request = CloudFrontRequest {
        client_ip: Cow::default(),
        method: method.into(),
        uri: uri.into(),
        // For `/`, the query shows whether this is a listing.
        querystring: query.as_deref().unwrap_or("list-type=2").into(),
        headers: CloudFrontHeaders::new(),
        body: None,
        other: Map::new(),
    };
    let refused = |refusal: Refusal| Cow::Borrowed(refusal.reason());
    let target = Target::of(method, &request).map_err(|error| refused(Refusal::Key(error)))?;
    if query.is_none() {
        return Ok(match target {
            Target::Object(key) => Requested::method(known, Some(Resource::Object(key))),
            Target::Bucket => Requested::listing(),
        });
    }
    // The rules decide what they allow.
    let possible = Possible { operations: S3Operation::ALL.into_iter().collect(), preflights: false };
    let asked = S3Request::recognise(target, &request, possible, own);
    let asked = asked.map_err(|error| refused(error.into()))?;
    let overrides = Some(asked.overrides().to_vec());
    let extras = Some(asked.extras().to_vec());
    let requested = Requested::operation(asked.operation(), asked.resource().clone());
    Ok(Requested { overrides, extras, has_whole_query: true, ..requested })
}

/// A path or query as it was sent. The log encodes it once more: control characters, spaces, non-ASCII characters
/// and some others, such as `%` ([AWS: the log
/// file](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging-legacy-s3.html)).
/// `None` if no viewer can send such a text; then the log has another encoding.
pub(crate) fn as_sent(logged: &str) -> Option<String> {
    if !logged.contains('%') {
        return Some(logged.to_owned());
    }
    let mut rest = logged;
    while let Some((_, after)) = rest.split_once('%') {
        let digits = after.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        digits?;
        rest = after;
    }
    let sent = percent_decode_str(logged).decode_utf8().ok()?;
    let is_sendable = !sent.chars().any(|c| c == ' ' || c == '#' || c.is_control());
    is_sendable.then(|| sent.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded_once_to_what_was_sent() {
        for (logged, sent) in [
            ("/a", Some("/a")),
            ("/a%2520b", Some("/a%20b")),
            ("/%7Ealice", Some("/~alice")),
            ("/%E2%82%AC", Some("/€")),
            ("/a%2525", Some("/a%25")),
            // This path is encoded only once: a path cannot contain a raw space.
            ("/a%20b", None),
            ("/a%0A", None),
            ("/a%", None),
            ("/a%zz", None),
            ("/%FF", None),
        ] {
            assert_eq!(as_sent(logged).as_deref(), sent, "{logged}");
        }
    }

    #[test]
    fn an_answer_of_the_function_is_told_from_one_of_the_origin() {
        let of = |result: &str, response: &str, detailed: &str, status: &str| {
            let value = |text: &str| (!text.is_empty()).then(|| Cow::Owned(text.to_owned()));
            outcome(&Values {
                result: value(result),
                response_result: value(response),
                detailed_result: value(detailed),
                status: value(status),
                ..Values::default()
            })
        };
        for (result, response, detailed, status, expected) in [
            ("Hit", "Hit", "Hit", "200", Outcome::WentOn),
            ("Miss", "", "", "403", Outcome::WentOn),
            ("Error", "Hit", "ClientCommError", "200", Outcome::WentOn),
            ("Error", "Error", "OriginDnsError", "502", Outcome::WentOn),
            // A custom error response can have made it of another one's refusal.
            ("Error", "Error", "Error", "404", Outcome::NotTold),
            ("Error", "Error", "Error", "412", Outcome::NotTold),
            ("Error", "", "", "416", Outcome::NotTold),
            ("Error", "Error", "OriginError", "404", Outcome::WentOn),
            ("Error", "LambdaGeneratedResponse", "Error", "404", Outcome::Answered),
            ("Error", "Error", "Error", "403", Outcome::NotTold),
            ("Error", "", "", "503", Outcome::NotTold),
            ("", "", "", "200", Outcome::NotTold),
            (
                "LambdaGeneratedResponse",
                "LambdaGeneratedResponse",
                "LambdaGeneratedResponse",
                "401",
                Outcome::Answered,
            ),
            ("Error", "LambdaGeneratedResponse", "Error", "403", Outcome::Answered),
            (
                "LambdaExecutionError",
                "LambdaExecutionError",
                "LambdaExecutionError",
                "503",
                Outcome::NotDecided,
            ),
            ("Error", "Error", "LambdaLimitExceeded", "503", Outcome::NotDecided),
            ("LambdaValidationError", "", "", "502", Outcome::NotDecided),
            ("FunctionGeneratedResponse", "", "", "403", Outcome::NotDecided),
            ("Miss", "Miss", "MissGeneratedResponse", "403", Outcome::WentOn),
            ("Redirect", "Redirect", "Redirect", "301", Outcome::NotDecided),
            ("Error", "Error", "ClientGeoBlocked", "403", Outcome::NotDecided),
            ("Error", "Error", "InvalidRequestMethod", "403", Outcome::NotDecided),
            ("Error", "Error", "ClientCommError", "000", Outcome::NotDecided),
        ] {
            assert_eq!(
                of(result, response, detailed, status),
                expected,
                "{result} {response} {detailed} {status}"
            );
        }
    }
}
