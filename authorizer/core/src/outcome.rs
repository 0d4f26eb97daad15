//! Step 7: the result for CloudFront.

use serde::Serialize;
use serde_json::{Value, json};

use crate::checksum::Checksums;
use crate::event::{
    AddedHeader, CloudFrontHeader, CloudFrontHeaders, CloudFrontRequest, HeaderLines, as_object,
};
#[cfg(feature = "code-flow")]
use crate::page;
use crate::refusal::{Refusal, S3Code, status_description};
use crate::request::S3Request;
use crate::token::RETRY_SECONDS;

/// The realm of every challenge (RFC 9110 section 11.5): the objects of one distribution.
pub(crate) const REALM: &str = "objects";

/// RFC 9110 section 15.3.5: the answer has only headers.
pub(crate) const PREFLIGHT_STATUS: u16 = 204;

/// RFC 9110 section 15.4.3. The viewer may request the page again, with a token.
pub(crate) const SIGN_IN_STATUS: u16 = 302;

/// The function's result.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "tools", derive(schemars::JsonSchema))]
pub enum Outcome<'e> {
    /// The request that CloudFront signs and sends to S3: exactly what was authorised.
    Forward(Box<CloudFrontRequest<'e>>),
    /// The answer to the viewer. S3 is not asked.
    Respond(GeneratedResponse),
}

/// A response that CloudFront gives the viewer
/// ([AWS: generating HTTP responses](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-generating-http-responses-in-requests.html)).
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "tools", derive(schemars::JsonSchema))]
pub struct GeneratedResponse {
    /// A string of digits, because CloudFront refuses a number.
    pub status: String,
    /// The reason phrase.
    pub status_description: String,
    /// The headers.
    #[serde(serialize_with = "as_object")]
    #[cfg_attr(
        feature = "tools",
        schemars(with = "std::collections::BTreeMap<String, HeaderLines<'static>>")
    )]
    pub headers: CloudFrontHeaders<'static>,
    /// The body. `None` for a HEAD request (RFC 9110 section 9.3.2) and for an answer without a body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

impl<'e> Outcome<'e> {
    /// The request, rewritten to exactly what was authorised: the canonical path and query of the recognised
    /// operation, and only the headers of the operation, the headers that the rule adds, and the headers that
    /// CloudFront does not let a function change. The credential is removed. `checksums` are those that the rule
    /// allows.
    pub(crate) fn forward(
        mut request: CloudFrontRequest<'e>,
        asked: &S3Request,
        checksums: Checksums,
        added: Vec<AddedHeader>,
    ) -> Self {
        request.uri = asked.to_uri().into();
        request.querystring = asked.to_querystring().into();
        let mut stays = asked.forwarded_headers(request.headers.len(), checksums);
        request.headers.retain(|_, _| stays.next().unwrap_or(false));
        for (name, lines) in added {
            request.headers.insert(name, lines);
        }
        Self::Forward(Box::new(request))
    }

    /// The answer to a refused request. `request_id` is `None` when the event could not be read.
    pub(crate) fn refuse(
        refusal: &Refusal,
        request_id: Option<&str>,
        method: Option<&str>,
        form: RefusalForm,
        before: Vec<(&'static str, String)>,
    ) -> Self {
        let status = refusal.status();
        let mut headers = before;
        headers.push(("Content-Type", form.media_type().to_owned()));
        #[cfg(feature = "code-flow")]
        if form == RefusalForm::Page {
            headers.extend(page::guards());
        }
        if let Some(challenge) = refusal.challenge(REALM) {
            headers.push(("WWW-Authenticate", challenge));
        }
        if let Refusal::KeysUnavailable(_) = refusal {
            headers.push(("Retry-After", RETRY_SECONDS.to_string()));
        }
        // A policy that does not allow anything does not have a method to name.
        if let Refusal::MethodNotAllowed { allow } = refusal
            && !allow.is_empty()
        {
            headers.push(("Allow", allow.clone()));
        }
        let body = (method != Some("HEAD")).then(|| match form {
            RefusalForm::Problem => problem_of(refusal, request_id).to_string(),
            RefusalForm::S3Error => s3_error_of(refusal, request_id),
            #[cfg(feature = "code-flow")]
            RefusalForm::Page => page::refused(status, request_id.unwrap_or_default()),
        });
        Self::respond(status, headers, body)
    }

    /// The answer to a CORS preflight.
    pub(crate) fn preflight(headers: Vec<(&'static str, String)>) -> Self {
        Self::respond(PREFLIGHT_STATUS, headers, None)
    }

    /// The answer that sends a person to sign in.
    pub(crate) fn sign_in(location: String, before: Vec<(&'static str, String)>) -> Self {
        let mut headers = before;
        headers.push(("Location", location));
        Self::respond(SIGN_IN_STATUS, headers, None)
    }

    pub(crate) fn respond(status: u16, headers: Vec<(&'static str, String)>, body: Option<String>) -> Self {
        let always =
            [("Cache-Control", "no-store".to_owned()), ("X-Content-Type-Options", "nosniff".to_owned())];
        let mut lines = CloudFrontHeaders::default();
        for (name, value) in headers.into_iter().chain(always) {
            let line = CloudFrontHeader::new(name, value);
            lines.entry(name.to_ascii_lowercase().into()).or_default().push(line);
        }
        Self::Respond(GeneratedResponse {
            status: status.to_string(),
            status_description: status_description(status).into(),
            headers: lines,
            body,
        })
    }

    /// The outcome as owned data, for a caller that outlives the event.
    pub fn into_owned(self) -> Outcome<'static> {
        match self {
            Self::Forward(request) => Outcome::Forward(Box::new(request.into_owned())),
            Self::Respond(response) => Outcome::Respond(response),
        }
    }

    /// The status of a generated response.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Forward(_) => None,
            Self::Respond(response) => response.status.parse().ok(),
        }
    }
}

/// The bodies that the answer to a refused request can have, each with its media type: which one, the client decides.
pub fn refusal_bodies(refusal: &Refusal, request_id: Option<&str>) -> [(&'static str, String); 2] {
    [
        (RefusalForm::Problem.media_type(), problem_of(refusal, request_id).to_string()),
        (RefusalForm::S3Error.media_type(), s3_error_of(refusal, request_id)),
    ]
}

/// The page that a browser may get instead, for a policy that signs people in: the same for all refusals with a status.
#[cfg(feature = "code-flow")]
pub fn refusal_page(status: u16, request_id: &str) -> String {
    page::refused(status, request_id)
}

/// The form of the answer to a refused request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RefusalForm {
    /// A page for a person, with the status and the id of the request.
    #[cfg(feature = "code-flow")]
    Page,
    /// A problem document (RFC 9457).
    Problem,
    /// S3's own form of an error, which is all that AWS's SDKs read
    /// ([AWS: error responses](https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html)).
    S3Error,
}

impl RefusalForm {
    /// The form that this client reads. An SDK in a browser says what it is in a header of its own.
    ///
    /// A browser that opens a page never gets XML: it could show it, as a page of the distribution.
    pub(crate) fn of(headers: &CloudFrontHeaders<'_>) -> Self {
        let lines = |name: &str| headers.get(name).map(HeaderLines::as_slice).unwrap_or_default();
        let is_sdk = |name: &str| matches!(lines(name), [line] if is_sdk_of_aws(&line.value));
        let is_navigation = lines("sec-fetch-mode").iter().any(|line| line.value == "navigate");
        match !is_navigation && (is_sdk("user-agent") || is_sdk("x-amz-user-agent")) {
            true => Self::S3Error,
            false => Self::Problem,
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            #[cfg(feature = "code-flow")]
            Self::Page => page::MEDIA_TYPE,
            Self::Problem => "application/problem+json",
            Self::S3Error => "application/xml",
        }
    }
}

/// Whether a `User-Agent` is that of one of AWS's SDKs or of its command line.
fn is_sdk_of_aws(agent: &str) -> bool {
    ["aws-sdk-", "aws-cli/", "boto3/", "botocore/"]
        .iter()
        .any(|name| agent.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)))
}

pub(crate) fn problem_of(refusal: &Refusal, request_id: Option<&str>) -> Value {
    let status = refusal.status();
    let mut problem = json!({
        "type": "about:blank",
        "title": status_description(status),
        "status": status,
        "detail": refusal.detail(),
    });
    if let (Some(id), Some(problem)) = (request_id, problem.as_object_mut()) {
        problem.insert("request_id".into(), id.into());
    }
    problem
}

fn s3_error_of(refusal: &Refusal, request_id: Option<&str>) -> String {
    let code = S3Code::of(refusal.status()).word();
    let message = xml_text(&refusal.detail());
    let id = request_id.map(|id| format!("<RequestId>{}</RequestId>", xml_text(id))).unwrap_or_default();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>{id}</Error>"
    )
}

/// Text that is only text in XML (XML 1.0 sections 2.2 and 2.4).
fn xml_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push(char::REPLACEMENT_CHARACTER),
            _ if character.is_control() => escaped.push(char::REPLACEMENT_CHARACTER),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::QueryError;

    fn form_of(headers: &[(&str, &str)]) -> RefusalForm {
        RefusalForm::of(&CloudFrontRequest::sent("GET", "/a", "", headers).headers)
    }

    #[test]
    fn only_an_sdk_of_aws_is_answered_in_xml_and_never_a_page() {
        for agent in [
            "aws-sdk-js/3.700.0 ua/2.1 os/linux",
            "aws-sdk-go-v2/1.32.0 os/linux",
            "aws-sdk-rust/1.3 os/linux",
            "aws-sdk-java/2.29",
            "Boto3/1.44.5 md/Botocore#1.44.5",
            "Botocore/1.44.5",
            "aws-cli/1.46.3 md/Botocore#1.44.5",
        ] {
            assert_eq!(form_of(&[("user-agent", agent)]), RefusalForm::S3Error, "{agent}");
            assert_eq!(form_of(&[("x-amz-user-agent", agent)]), RefusalForm::S3Error, "{agent}");
            let page = [("user-agent", agent), ("sec-fetch-mode", "navigate")];
            assert_eq!(form_of(&page), RefusalForm::Problem, "{agent}");
        }
        for agent in ["", "aws", "curl/8.5.0", "rclone/v1.68", "Mozilla/5.0 aws-sdk-js/3.0", "axios/1.7"] {
            assert_eq!(form_of(&[("user-agent", agent)]), RefusalForm::Problem, "{agent}");
        }
    }

    #[test]
    fn what_the_viewer_sent_is_text_in_the_xml() {
        let refusal = Refusal::Query(QueryError::NotAllowed("</Message><a b=\"'&\u{ffff}".to_owned()));
        let text = s3_error_of(&refusal, Some("id<>"));
        assert_eq!(
            text,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>InvalidRequest</Code><Message>The query \
             parameter &lt;/Message&gt;&lt;a b=&quot;&apos;&amp;\u{fffd} is not allowed here. Send the request without \
             it.</Message><RequestId>id&lt;&gt;</RequestId></Error>"
        );
    }
}
