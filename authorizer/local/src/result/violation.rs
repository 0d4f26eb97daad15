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
    #[error("`uri` and `querystring` together are longer than 8,192 bytes")]
    UriTooLong,
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
