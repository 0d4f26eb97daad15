//! A request that a caller describes, as the event that CloudFront would write for it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use authorizer_core::SignIn;
use authorizer_core::code_flow::CodeFlow;
use authorizer_core::event::{
    CloudFrontConfig, CloudFrontEvent, CloudFrontEventData, CloudFrontHeader, CloudFrontHeaders,
    CloudFrontRecord, CloudFrontRequest,
};
use authorizer_core::key::ObjectKey;
use authorizer_core::operation::{LengthHeader, Parameter, ParameterForm, S3Operation};
use authorizer_core::policy::Policy;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Map;
use thiserror::Error;

/// The viewer's address if none is given. Nobody has it (RFC 5737).
pub const POSED_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// The operation or method of the request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Deed {
    /// An HTTP method, as in a request.
    Method(String),
    /// An operation: its method, and the query parameters that select it.
    Operation(S3Operation),
}

/// The target of the request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Aim {
    /// A path as a viewer sends it, percent-encoded, with its leading slash.
    Path(String),
    /// An object key in the form of S3, without a leading slash.
    Key(String),
    /// The prefix of a listing.
    Prefix(String),
}

/// A request that a caller describes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PosedRequest {
    method: String,
    uri: String,
    querystring: String,
    headers: Vec<(String, String)>,
    source: IpAddr,
}

/// Why there is no such request.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum PosedError {
    /// The text is not a key that S3 can have and a request can name.
    #[error("`{}` is not an object key", .0.escape_debug())]
    NoKey(String),
    /// Only a listing has a prefix; all others have an object key.
    #[error("`{0}` does not take a prefix")]
    NotOfPrefix(String),
    /// A listing has a prefix.
    #[error("`ListObjectsV2` takes a prefix, not an object key")]
    ListingOfObject,
    /// A method of HTTP is in upper case (RFC 9110 section 9.1): another one is another method.
    #[error("`{}` is not a method, but `{}` is", .0.escape_debug(), .0.to_ascii_uppercase().escape_debug())]
    LowerCase(String),
    /// A viewer sends no such path.
    #[error("`{}` is not a path: a path begins with `/`", .0.escape_debug())]
    NoPath(String),
    /// What follows a `?` is the query.
    #[error("`{}` is a path and a query", .0.escape_debug())]
    QueryInPath(String),
}

impl Deed {
    /// A method that a person writes.
    ///
    /// # Errors
    /// [`PosedError::LowerCase`] for a known one that is not in upper case.
    pub fn of_method(method: &str) -> Result<Self, PosedError> {
        const KNOWN: [&str; 9] =
            ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE"];
        match KNOWN.iter().any(|known| *known != method && known.eq_ignore_ascii_case(method)) {
            true => Err(PosedError::LowerCase(method.to_owned())),
            false => Ok(Self::Method(method.to_owned())),
        }
    }
}

impl Aim {
    /// Whether a viewer can aim there, as a person writes it.
    ///
    /// # Errors
    /// [`PosedError::NoPath`] for a path without its leading slash, such as a key or a whole URL, and
    /// [`PosedError::QueryInPath`] for one with a query.
    pub fn check(&self) -> Result<(), PosedError> {
        match self {
            Self::Path(path) if !path.starts_with('/') => Err(PosedError::NoPath(path.clone())),
            Self::Path(path) if path.contains('?') => Err(PosedError::QueryInPath(path.clone())),
            Self::Path(_) | Self::Key(_) | Self::Prefix(_) => Ok(()),
        }
    }
}

impl PosedError {
    /// How to fix it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NoKey(_) => "write the key without a leading slash, or give the path instead of the key",
            Self::NotOfPrefix(_) => "name an object key, or use `GET` or `ListObjectsV2`",
            Self::ListingOfObject => "write a prefix; it may be empty",
            Self::LowerCase(_) => "write the method in upper case",
            Self::NoPath(_) => {
                "write the path with its leading slash and without a host, or give the object key instead"
            }
            Self::QueryInPath(_) => {
                "write what follows the `?` as the query: `--query`, or `query` in a test; a `?` of a key is `%3F`"
            }
        }
    }
}

impl PosedRequest {
    /// A request without headers of its own, from [`POSED_ADDRESS`]. `query` is what stands after the `?`, as a
    /// viewer sends it; the parameters that make an operation what it is are put before it, unless it has them.
    ///
    /// # Errors
    /// [`PosedError`] when no request asks for this.
    pub fn new(deed: &Deed, aim: &Aim, query: &str) -> Result<Self, PosedError> {
        let lists = match deed {
            Deed::Method(method) => method == "GET",
            Deed::Operation(operation) => operation.is_listing(),
        };
        let (method, parameters) = match deed {
            Deed::Method(method) => (method.clone(), Vec::new()),
            Deed::Operation(operation) => (operation.method().as_str().to_owned(), parameters_of(*operation)),
        };
        let mut parameters: Vec<(&str, String)> =
            parameters.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let uri = match aim {
            Aim::Path(path) => path.clone(),
            Aim::Key(_) if lists && matches!(deed, Deed::Operation(_)) => {
                return Err(PosedError::ListingOfObject);
            }
            Aim::Key(key) => {
                ObjectKey::new(key.clone()).map_err(|_| PosedError::NoKey(key.clone()))?.to_uri()
            }
            Aim::Prefix(prefix) if lists => {
                parameters = vec![("list-type", "2".into()), ("prefix", encoded(prefix))];
                "/".to_owned()
            }
            Aim::Prefix(_) => {
                let name = match deed {
                    Deed::Method(method) => method.clone(),
                    Deed::Operation(operation) => operation.name().to_owned(),
                };
                return Err(PosedError::NotOfPrefix(name));
            }
        };
        let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
        let written = parameters.iter().filter(|(name, _)| !has(name));
        let written = written.map(|(name, value)| format!("{name}={value}"));
        let own = (!query.is_empty()).then(|| query.to_owned());
        let querystring = written.chain(own).collect::<Vec<_>>().join("&");
        Ok(Self { method, uri, querystring, headers: Vec::new(), source: POSED_ADDRESS })
    }

    /// With one more header line.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// From this address.
    #[must_use]
    pub fn with_source(mut self, source: IpAddr) -> Self {
        self.source = source;
        self
    }

    /// The method.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path and the query.
    pub fn target(&self) -> String {
        match self.querystring.as_str() {
            "" => self.uri.clone(),
            query => format!("{}?{query}", self.uri),
        }
    }

    /// The header lines, in the order in which they were added.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The viewer's address.
    pub fn source(&self) -> IpAddr {
        self.source
    }

    /// The event, as CloudFront would send it to the function.
    pub fn event(&self) -> Vec<u8> {
        self.event_with(&self.headers)
    }

    /// The same for a distribution with this policy: where people sign in, a request without a `Host` is one to `origin`.
    pub fn event_for(&self, policy: &Policy) -> Vec<u8> {
        let has_host = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host"));
        let own = policy.sign_in().and_then(SignIn::code_flow).map(CodeFlow::host).filter(|_| !has_host);
        let own = own.map(|host| ("Host".to_owned(), host.to_owned()));
        self.event_with(&self.headers.iter().cloned().chain(own).collect::<Vec<_>>())
    }

    fn event_with(&self, headers: &[(String, String)]) -> Vec<u8> {
        let event = EventParts {
            request_id: "posed",
            method: &self.method,
            uri: &self.uri,
            querystring: &self.querystring,
            headers,
            source: self.source,
        };
        // Maps with text for keys can always be written. No bytes would be refused as no event.
        serde_json::to_vec(&event.event()).unwrap_or_default()
    }
}

/// What a viewer-request event is made of.
pub(crate) struct EventParts<'r> {
    /// The request's id, by which an event says where it comes from.
    pub(crate) request_id: &'static str,
    pub(crate) method: &'r str,
    /// The path, percent-encoded.
    pub(crate) uri: &'r str,
    /// Without its `?`.
    pub(crate) querystring: &'r str,
    /// The headers, of which `Host` is added where it is not there.
    pub(crate) headers: &'r [(String, String)],
    pub(crate) source: IpAddr,
}

impl<'r> EventParts<'r> {
    /// The event, as CloudFront would write it.
    pub(crate) fn event(&self) -> CloudFrontEvent<'r> {
        let mut headers = CloudFrontHeaders::new();
        for (name, value) in self.headers {
            let lines = headers.entry(name.to_ascii_lowercase().into()).or_default();
            lines.push(CloudFrontHeader::new(name.as_str(), value.as_str()));
        }
        // No request comes without one.
        headers.entry("host".into()).or_insert_with(|| CloudFrontHeader::new("Host", POSED_HOST).into());
        let request = CloudFrontRequest {
            client_ip: self.source.to_string().into(),
            method: self.method.into(),
            uri: self.uri.into(),
            querystring: self.querystring.into(),
            headers,
            body: None,
            other: Map::new(),
        };
        let config = CloudFrontConfig {
            distribution_domain_name: POSED_HOST.into(),
            distribution_id: "EDFDVBD6EXAMPLE".into(),
            event_type: "viewer-request".into(),
            request_id: self.request_id.into(),
        };
        let cf = CloudFrontEventData { config, request };
        CloudFrontEvent { records: vec![CloudFrontRecord { cf }] }
    }
}

/// The host of a request if none is given, as in AWS's documentation.
pub const POSED_HOST: &str = "d111111abcdef8.cloudfront.net";

/// The parameters that select this operation, with values that any object might have.
fn parameters_of(operation: S3Operation) -> Vec<(&'static str, &'static str)> {
    let required = operation.parameters().iter().filter(|parameter| parameter.is_required);
    let with_value = |parameter: &Parameter| {
        let value = match parameter.form {
            ParameterForm::Empty => "",
            ParameterForm::Exactly(text) => text,
            ParameterForm::Number(..) => "1",
            ParameterForm::Opaque | ParameterForm::Text | ParameterForm::Prefix => "example",
        };
        (parameter.name, value)
    };
    required.map(with_value).collect()
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The facts about an upload, as its headers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PosedUpload {
    /// Its length in bytes: the length of the whole object, if a multipart upload is completed.
    pub bytes: Option<u64>,
    /// Its media type.
    pub content_type: Option<String>,
    /// Its metadata, by name without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
}

impl PosedUpload {
    /// Adds them to a request.
    #[must_use]
    pub fn put_into(&self, deed: &Deed, mut request: PosedRequest) -> PosedRequest {
        if let Some(bytes) = self.bytes {
            let header = match deed {
                Deed::Operation(operation) => operation.length(),
                Deed::Method(_) => None,
            };
            let name = match header {
                Some(LengthHeader::ObjectSize) => LengthHeader::ObjectSize.name(),
                Some(LengthHeader::ContentLength) | None => "Content-Length",
            };
            request = request.with_header(name, bytes.to_string());
        }
        if let Some(content_type) = &self.content_type {
            request = request.with_header("Content-Type", content_type);
        }
        for (name, value) in &self.metadata {
            request = request.with_header(format!("x-amz-meta-{name}"), value);
        }
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use authorizer_core::event::ViewerRequestEvent;
    use authorizer_core::request::{OwnParameters, Possible, S3Request, Target};

    #[test]
    fn every_operation_is_posed_as_a_request_that_is_recognised_as_it() {
        let possible = Possible { operations: S3Operation::ALL.into_iter().collect(), preflights: false };
        for operation in S3Operation::ALL {
            let aim = match operation {
                S3Operation::ListObjectsV2 => Aim::Prefix("a b/c".into()),
                _ => Aim::Key("a b/c".into()),
            };
            let posed = PosedRequest::new(&Deed::Operation(operation), &aim, "").unwrap();
            let event = posed.event();
            let event = ViewerRequestEvent::parse(&event).unwrap();
            let target = Target::of(&event.request.method, &event.request).unwrap();
            let recognised =
                S3Request::recognise(target, &event.request, possible, OwnParameters::default()).unwrap();
            assert_eq!((recognised.operation(), recognised.resource().as_str()), (operation, "a b/c"));
        }
    }

    #[test]
    fn a_parameter_of_the_query_stands_in_the_place_of_the_one_that_would_be_put_before_it() {
        let deed = Deed::Operation(S3Operation::UploadPart);
        let posed = |query| PosedRequest::new(&deed, &Aim::Key("a".into()), query).unwrap().target();
        assert_eq!(posed(""), "/a?partNumber=1&uploadId=example");
        assert_eq!(posed("partNumber=7"), "/a?uploadId=example&partNumber=7");
        assert_eq!(posed("x-id=UploadPart"), "/a?partNumber=1&uploadId=example&x-id=UploadPart");
    }

    #[test]
    fn what_no_request_asks_for_is_an_error() {
        let get = Deed::Method("GET".into());
        let list = Deed::Operation(S3Operation::ListObjectsV2);
        let put = Deed::Operation(S3Operation::PutObject);
        for (deed, aim, error) in [
            (&get, Aim::Key("/a".into()), PosedError::NoKey("/a".into())),
            (&get, Aim::Key(String::new()), PosedError::NoKey(String::new())),
            (&put, Aim::Prefix("a".into()), PosedError::NotOfPrefix("PutObject".into())),
            (&list, Aim::Key("a".into()), PosedError::ListingOfObject),
        ] {
            assert_eq!(PosedRequest::new(deed, &aim, ""), Err(error));
        }
        assert!(PosedRequest::new(&get, &Aim::Prefix(String::new()), "").is_ok());
    }
}
