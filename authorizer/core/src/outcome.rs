//! Step 7: what goes back to CloudFront.

use serde::Serialize;
use serde_json::json;

use crate::event::{CloudFrontHeader, CloudFrontHeaders, CloudFrontRequest};
use crate::header::{Fate, fate};
use crate::key::ObjectKey;
use crate::operation::S3Operation;
use crate::refusal::{Refusal, status_description};

/// The realm of every challenge (RFC 9110 section 11.5): the objects of one distribution.
const REALM: &str = "objects";

/// The function's result.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// The request that CloudFront signs and sends to S3: exactly what was authorised.
    Forward(Box<CloudFrontRequest>),
    /// The answer to the viewer; S3 is not asked.
    Respond(GeneratedResponse),
}

/// A response that CloudFront gives the viewer
/// ([AWS: generating HTTP responses](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-generating-http-responses-in-requests.html)).
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GeneratedResponse {
    /// A string of digits: CloudFront refuses a number.
    pub status: String,
    /// The reason phrase.
    pub status_description: String,
    /// The headers.
    pub headers: CloudFrontHeaders,
    /// The body. None for a HEAD request (RFC 9110 section 9.3.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

impl Outcome {
    /// The request, rewritten to what was authorised and nothing else: the canonical path of the key, no
    /// query, and no header but those of the operation and those that CloudFront lets no function touch. The
    /// credential is among those left out.
    pub(crate) fn forward(mut request: CloudFrontRequest, operation: S3Operation, key: &ObjectKey) -> Self {
        request.uri = key.to_uri();
        request.querystring.clear();
        request.headers.retain(|name, lines| match fate(operation, name, lines) {
            Fate::Forward | Fate::LeaveAlone => true,
            // A header that refuses the request has refused it in step 3.
            Fate::Remove | Fate::Refuse => false,
        });
        Self::Forward(Box::new(request))
    }

    /// The answer to a refused request. `request_id` is absent when the event could not be read.
    pub(crate) fn refuse(refusal: &Refusal, request_id: Option<&str>, method: Option<&str>) -> Self {
        let status = refusal.status();
        let mut headers = CloudFrontHeaders::new();
        let mut set = |key: &str, value: String| {
            headers.insert(key.to_ascii_lowercase(), vec![CloudFrontHeader::new(key, value)]);
        };
        set("Content-Type", "application/problem+json".into());
        set("Cache-Control", "no-store".into());
        set("X-Content-Type-Options", "nosniff".into());
        if let Some(challenge) = refusal.challenge(REALM) {
            set("WWW-Authenticate", challenge);
        }
        // A policy that allows nothing has no method to name.
        if let Refusal::MethodNotAllowed { allow } = refusal
            && !allow.is_empty()
        {
            set("Allow", allow.clone());
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
        Self::Respond(GeneratedResponse {
            status: status.to_string(),
            status_description: status_description(status).into(),
            headers,
            body: (method != Some("HEAD")).then(|| problem.to_string()),
        })
    }

    /// The status of a generated response.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Forward(_) => None,
            Self::Respond(response) => response.status.parse().ok(),
        }
    }
}
