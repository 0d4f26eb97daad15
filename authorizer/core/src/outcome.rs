//! Step 7: the result for CloudFront.

use serde::Serialize;
use serde_json::json;

use crate::event::{AddedHeader, CloudFrontHeader, CloudFrontHeaders, CloudFrontRequest};
use crate::header::{Fate, fate};
use crate::refusal::{Refusal, status_description};
use crate::request::S3Request;
use crate::token::RETRY_SECONDS;

/// The realm of every challenge (RFC 9110 section 11.5): the objects of one distribution.
const REALM: &str = "objects";

/// RFC 9110 section 15.3.5: the answer has only headers.
pub(crate) const PREFLIGHT_STATUS: u16 = 204;

/// RFC 9110 section 15.4.3. The viewer may request the page again, with a token.
pub(crate) const SIGN_IN_STATUS: u16 = 302;

/// The function's result.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
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
pub struct GeneratedResponse {
    /// A string of digits, because CloudFront refuses a number.
    pub status: String,
    /// The reason phrase.
    pub status_description: String,
    /// The headers.
    pub headers: CloudFrontHeaders<'static>,
    /// The body. `None` for a HEAD request (RFC 9110 section 9.3.2) and for an answer without a body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

impl<'e> Outcome<'e> {
    /// The request, rewritten to exactly what was authorised: the canonical path and query of the recognised
    /// operation, and only the headers of the operation, the headers that the rule adds, and the headers that
    /// CloudFront does not let a function change. The credential is removed.
    pub(crate) fn forward(
        mut request: CloudFrontRequest<'e>,
        asked: &S3Request,
        added: Vec<AddedHeader>,
    ) -> Self {
        request.uri = asked.to_uri().into();
        request.querystring = asked.to_querystring().into();
        request.headers.retain(|name, lines| match fate(asked.operation(), name, lines) {
            // A rule that does not allow the header did not match.
            Fate::Forward | Fate::AsRuleSays | Fate::LeaveAlone => true,
            // Step 3 already refused such a header.
            Fate::Remove | Fate::Refuse => false,
        });
        request.headers.extend(added);
        Self::Forward(Box::new(request))
    }

    /// The answer to a refused request. `request_id` is `None` when the event could not be read.
    pub(crate) fn refuse(
        refusal: &Refusal,
        request_id: Option<&str>,
        method: Option<&str>,
        cors: Vec<(&'static str, String)>,
    ) -> Self {
        let status = refusal.status();
        let mut headers = cors;
        headers.push(("Content-Type", "application/problem+json".to_owned()));
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
        let mut problem = json!({
            "type": "about:blank",
            "title": status_description(status),
            "status": status,
            "detail": refusal.detail(),
        });
        if let (Some(id), Some(problem)) = (request_id, problem.as_object_mut()) {
            problem.insert("request_id".into(), id.into());
        }
        let body = (method != Some("HEAD")).then(|| problem.to_string());
        Self::respond(status, headers, body)
    }

    /// The answer to a CORS preflight.
    pub(crate) fn preflight(headers: Vec<(&'static str, String)>) -> Self {
        Self::respond(PREFLIGHT_STATUS, headers, None)
    }

    /// The answer that sends a person to sign in.
    pub(crate) fn sign_in(location: String, cors: Vec<(&'static str, String)>) -> Self {
        let mut headers = cors;
        headers.push(("Location", location));
        Self::respond(SIGN_IN_STATUS, headers, None)
    }

    fn respond(status: u16, headers: Vec<(&'static str, String)>, body: Option<String>) -> Self {
        let always =
            [("Cache-Control", "no-store".to_owned()), ("X-Content-Type-Options", "nosniff".to_owned())];
        let line = |(name, value): (&'static str, String)| {
            (name.to_ascii_lowercase().into(), CloudFrontHeader::new(name, value).into())
        };
        Self::Respond(GeneratedResponse {
            status: status.to_string(),
            status_description: status_description(status).into(),
            headers: headers.into_iter().chain(always).map(line).collect(),
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
