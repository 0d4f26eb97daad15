//! The ways in which a function's result makes CloudFront answer 502.

/// Why CloudFront rejects the function's result.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Violation {
    /// Not JSON.
    #[error("the result is not valid JSON")]
    NotJson,
    /// JSON, but neither a request nor a response.
    #[error("the result is not a JSON object: return the request or a response")]
    NotAnObject,
    /// A field that is missing or of the wrong type.
    #[error("the result does not have the form of a request: {0}")]
    NotARequest(String),
    /// A response's field of the wrong type.
    #[error("the field `{0}` of the response has the wrong type")]
    ResponseField(&'static str),
    /// A header block of the wrong form.
    #[error("the header `{0}` is not a list of `key` and `value`")]
    HeaderForm(String),
    /// A header name that is not in lower case, or not valid.
    #[error("`{0}` is not a header name in lower case")]
    HeaderName(String),
    /// A line whose `key` is another header.
    #[error("the header `{name}` has a line whose `key` is `{key}`")]
    HeaderKey {
        /// The name of the header.
        name: String,
        /// The key of its line.
        key: String,
    },
    /// A value that cannot be sent.
    #[error("the header `{0}` has a value with a control character")]
    HeaderValue(String),
    /// A header that a function must not set.
    #[error("the function added or edited the disallowed header `{0}`")]
    DisallowedHeader(String),
    /// A header that CloudFront adds after a viewer-request function.
    #[error("the function added or edited the header `{0}`, which CloudFront itself sets")]
    ViewerHeader(String),
    /// A header that a function must not change.
    #[error("the function added, changed or dropped the read-only header `{0}`")]
    ReadOnlyHeader(String),
    /// The viewer's address.
    #[error("the function changed the read-only field `clientIp`")]
    ClientIp,
    /// The method.
    #[error("the function changed the read-only field `method`")]
    Method,
    /// The body, which this trigger does not expose.
    #[error("the function set a body, but its trigger does not include the body")]
    Body,
    /// A path that does not begin with `/`.
    #[error("`uri` does not begin with `/`")]
    UriNotRooted,
    /// A path that cannot be sent.
    #[error(
        "`uri` contains a space, a control character, `?`, `#` or another character that is not allowed in a path"
    )]
    UriCharacter,
    /// A query that cannot be sent.
    #[error(
        "`querystring` contains a space, a control character, `#` or another character that is not allowed in a query"
    )]
    QueryCharacter,
    /// Path and query over CloudFront's limit.
    #[error("`uri` and `querystring` together have 8,192 bytes or more")]
    UriTooLong,
    /// Path, query and headers over CloudFront's limit.
    #[error(
        "the returned request has {0} bytes without its body, more than 20,480, the smaller of the two limits in AWS's \
         pages (the other one is 32,768)"
    )]
    RequestTooLarge(usize),
    /// Not the status of an answer.
    #[error("`status` must be a string with a number from 200 to 599")]
    Status,
    /// A body where HTTP does not allow one.
    #[error("a response of status 204 has a body")]
    BodyOnNoContent,
    /// An unknown encoding, or invalid base64.
    #[error("`bodyEncoding` must be `text` or `base64`, and `body` must match it")]
    BodyEncoding,
    /// Over the limit of a viewer event.
    #[error("the response has {0} bytes with its headers, more than 40 KB")]
    ResponseTooLarge(usize),
}

impl Violation {
    /// What CloudFront's own page says, which names neither header nor field. The sentences are those that people have
    /// reported. Where nobody has, it is the beginning that they have in common.
    pub(crate) fn sentence(&self) -> &'static str {
        match self {
            Self::NotJson => "The Lambda function returned invalid JSON: The JSON output is not parsable.",
            Self::NotAnObject => {
                "The Lambda function returned invalid JSON: The JSON output must be an object type."
            }
            Self::HeaderForm(_) => {
                "The Lambda function returned an invalid entry in the headers object: Each header entry in the headers \
                 object must be an array."
            }
            Self::DisallowedHeader(_) | Self::ViewerHeader(_) => {
                "The Lambda function result failed validation: The function tried to add a blacklisted header."
            }
            Self::ReadOnlyHeader(_) => {
                "The Lambda function result failed validation: The function tried to add, delete, or change a read-only \
                 header."
            }
            Self::Body | Self::BodyOnNoContent | Self::BodyEncoding | Self::ResponseTooLarge(_) => {
                "The Lambda function result failed validation: The body is not a string, is not an object, or exceeds \
                 the maximum size."
            }
            Self::NotARequest(_)
            | Self::ResponseField(_)
            | Self::HeaderName(_)
            | Self::HeaderKey { .. }
            | Self::HeaderValue(_)
            | Self::ClientIp
            | Self::Method
            | Self::UriNotRooted
            | Self::UriCharacter
            | Self::QueryCharacter
            | Self::UriTooLong
            | Self::RequestTooLarge(_)
            | Self::Status => "The Lambda function result failed validation.",
        }
    }

    /// The page of AWS that has the rule, and the rule in short.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::NotJson | Self::NotAnObject => {
                "AWS, Work with requests and responses: a function returns a request or a response object"
            }
            Self::NotARequest(_) => "AWS, Lambda@Edge event structure: the fields of a request",
            Self::ResponseField(_) | Self::BodyEncoding => {
                "AWS, Generate HTTP responses in request triggers: the fields of a response"
            }
            Self::HeaderForm(_) | Self::HeaderName(_) | Self::HeaderKey { .. } | Self::HeaderValue(_) => {
                "AWS, Lambda@Edge event structure: headers are lists by their name in lower case"
            }
            Self::DisallowedHeader(_) => {
                "AWS, Restrictions on edge functions, Disallowed headers: functions cannot add them"
            }
            Self::ViewerHeader(_) => {
                "AWS, Restrictions on Lambda@Edge, CloudFront headers: a viewer-request function cannot add them"
            }
            Self::ReadOnlyHeader(_) => {
                "AWS, Restrictions on edge functions, Read-only headers in viewer request events: functions cannot add, \
                 change or delete them"
            }
            Self::ClientIp | Self::Method => {
                "AWS, Lambda@Edge event structure: the field is read-only in a viewer request"
            }
            Self::Body => {
                "AWS, Access the request body: only a trigger with `IncludeBody` can replace the body"
            }
            Self::UriNotRooted => "AWS, Lambda@Edge event structure: `uri` is the relative path, from `/`",
            Self::UriCharacter => {
                "AWS, Restrictions on edge functions, URI: no spaces, control characters or fragment identifier"
            }
            Self::QueryCharacter => {
                "AWS, Restrictions on edge functions, Query strings: no spaces, control characters or fragment identifier"
            }
            Self::UriTooLong => {
                "AWS, Restrictions on edge functions, URI: with the query string, less than 8,192 characters"
            }
            Self::RequestTooLarge(_) => {
                "AWS, Request and response behavior for Amazon S3 origins: at most 20,480 bytes without the body"
            }
            Self::Status => {
                "AWS, Generate HTTP responses in request triggers: `status` is a string, 200 to 599"
            }
            Self::BodyOnNoContent => {
                "AWS, Generate HTTP responses in request triggers: a response of status 204 has no body"
            }
            Self::ResponseTooLarge(_) => {
                "AWS, Quotas on Lambda@Edge: a response of a viewer event has at most 40 KB with headers and body"
            }
        }
    }
}
