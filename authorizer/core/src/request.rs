//! Step 3: the S3 request that a viewer's request is.
//!
//! For S3 the method, the path, the query string and some headers together select the operation. So a request is
//! recognised exactly, and refused if anything could change its operation. The request to S3 is written anew
//! from what was recognised.

use thiserror::Error;

use crate::checksum::Checksums;
use crate::event::CloudFrontRequest;
use crate::extra_parameter::ExtraParameter;
use crate::header::{Fate, fate};
use crate::key::{KeyError, ObjectKey};
use crate::operation::{Method, OperationSet, Parameter, ParameterForm, S3Operation};
use crate::prefix::KeyPrefix;
use crate::query::{Query, QueryError, encode};
use crate::record::has_a_token;
use crate::response_override::ResponseOverride;
use crate::upload::{Upload, is_plain};

/// An operation and its target.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct S3Request {
    operation: S3Operation,
    resource: Resource,
    /// The parameters that go to S3, in a fixed order.
    parameters: Vec<(&'static str, String)>,
    overrides: Vec<ResponseOverride>,
    extras: Vec<ExtraParameter>,
    upload: Option<Box<Upload>>,
    /// The value of the query parameter that contains a token. It does not go to S3.
    token: Option<String>,
    /// What happens to each header of the request, in the order of their names.
    fates: Vec<Fate>,
}

/// The target of an operation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Resource {
    /// One object.
    Object(ObjectKey),
    /// Every object whose key begins with this.
    Prefix(KeyPrefix),
}

impl Resource {
    /// The key or the prefix, in the form of S3.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Object(key) => key.as_str(),
            Self::Prefix(prefix) => prefix.as_str(),
        }
    }

    /// Whether the operation can have this target.
    pub fn is_of(&self, operation: S3Operation) -> bool {
        match self {
            Self::Object(_) => !operation.is_listing(),
            Self::Prefix(_) => operation.is_listing(),
        }
    }
}

/// What the path of a request names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// An object.
    Object(ObjectKey),
    /// `/`, the bucket itself, which can be listed.
    Bucket,
}

impl Target {
    /// Reads the path of a request with this method. `/` is only valid for a GET with a query: a listing.
    ///
    /// # Errors
    /// [`KeyError`] when the path does not name exactly one thing.
    pub fn of(method: &str, request: &CloudFrontRequest<'_>) -> Result<Self, KeyError> {
        if request.uri == "/" && method == Method::Get.as_str() && !request.querystring.is_empty() {
            return Ok(Self::Bucket);
        }
        ObjectKey::from_uri(&request.uri).map(Self::Object)
    }
}

/// Why a request cannot be decided on.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum RequestError {
    /// A method that no rule allows on any key. Contains the methods that some rule allows, for `Allow`.
    #[error("the method is not allowed here")]
    MethodNotAllowed {
        /// The value of `Allow` (RFC 9110 section 10.2.1).
        allow: String,
    },
    /// The path or the prefix does not have exactly one meaning as a key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The query string is not valid here.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A POST that is not a step of a multipart upload, under a policy that allows such steps.
    #[error("a POST that is not a step of a multipart upload")]
    PostNotAnUpload,
    /// A header that would change the operation. Contains its lower-case name.
    #[error("the request header {0} is not allowed here")]
    HeaderNotAllowed(String),
    /// A header of the operation with a value that it cannot have, or twice. Contains its lower-case name.
    #[error("the request header {0} has a value that is not allowed, or appears twice")]
    HeaderMalformed(String),
}

impl RequestError {
    /// For a header. Its name came from the viewer.
    fn header_not_allowed(name: &str) -> Self {
        Self::HeaderNotAllowed(header_name(name))
    }

    /// For the value of a header. Its name came from the viewer.
    fn header_malformed(name: &str) -> Self {
        Self::HeaderMalformed(header_name(name))
    }
}

/// The name of a header, for a message. It came from the viewer and goes back to the viewer.
pub(crate) fn header_name(name: &str) -> String {
    name.chars().take(64).collect()
}

/// The requests that some rule could allow. Every other request is refused for everyone.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Possible {
    /// The operations that some rule allows on some key.
    pub operations: OperationSet,
    /// Whether CORS preflights are answered.
    pub preflights: bool,
}

impl Possible {
    /// The value of an `Allow` header (RFC 9110 section 10.2.1).
    pub fn allow_header(self) -> String {
        let methods = self.operations.methods().map(Method::as_str);
        methods.chain(self.preflights.then_some("OPTIONS")).collect::<Vec<_>>().join(", ")
    }
}

/// The query parameters of a policy, which do not belong to S3 and do not go there.
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnParameters<'p> {
    /// The one that may contain a token.
    pub token: Option<&'p str>,
    /// Those that GetObject and HeadObject drop.
    pub ignored: &'p [String],
}

impl S3Request {
    /// Recognises the request. `own` are the query parameters that do not belong to an operation.
    ///
    /// # Errors
    /// [`RequestError`]. [`RequestError::Key`] is about the prefix of a listing.
    pub fn recognise(
        target: Target,
        request: &CloudFrontRequest<'_>,
        possible: Possible,
        own: OwnParameters<'_>,
    ) -> Result<Self, RequestError> {
        let method = Method::parse(&request.method)
            .filter(|method| possible.operations.has_method(*method))
            .ok_or_else(|| RequestError::MethodNotAllowed { allow: possible.allow_header() })?;
        let mut asked = Self::asked(target, method, &request.querystring, possible.operations, own)?;
        asked.fates.reserve_exact(request.headers.len());
        for (name, lines) in &request.headers {
            let fate = fate(asked.operation, name, lines);
            match fate {
                Fate::Refuse => return Err(RequestError::header_not_allowed(name)),
                Fate::RefuseValue => return Err(RequestError::header_malformed(name)),
                Fate::Forward | Fate::AsRuleSays | Fate::ForChecksum(_) | Fate::LeaveAlone | Fate::Remove => {
                    asked.fates.push(fate);
                }
            }
        }
        if asked.operation.is_upload() {
            let upload = Upload::read(asked.operation, &request.headers)
                .map_err(|name| RequestError::header_malformed(&name))?;
            asked.upload = Some(Box::new(upload));
        }
        Ok(asked)
    }

    /// What method, path and query select. The headers are not read.
    pub(crate) fn asked(
        target: Target,
        method: Method,
        query: &str,
        possible: OperationSet,
        own: OwnParameters<'_>,
    ) -> Result<Self, RequestError> {
        let mut query = Query::parse(query).map_err(RequestError::Query)?;
        let token = own.token.and_then(|name| query.take(name));
        let (operation, marker) = operation_of(&target, method, &query)?;
        // Without a parameter that selects it, the rules decide.
        if let (false, Some(marker)) = (possible.contains(operation), marker) {
            return Err(RequestError::Query(QueryError::not_allowed(marker)));
        }
        // The operation is known by now, so what is dropped cannot make it another one.
        if matches!(operation, S3Operation::GetObject | S3Operation::HeadObject) {
            for name in own.ignored {
                query.take(name);
            }
        }
        let mut parameters = Vec::new();
        let prefix = take_parameters(operation, &mut query, &mut parameters)?;
        let extras = take_extras(operation, &mut query, &mut parameters)?;
        let overrides = match operation.reads_object() {
            true => take_overrides(&mut query, &mut parameters)?,
            false => Vec::new(),
        };
        let resource = match target {
            Target::Object(key) => Resource::Object(key),
            Target::Bucket => Resource::Prefix(prefix),
        };
        // AWS's SDKs add the name of the operation; S3 does not use it.
        if query.take("x-id").is_some_and(|name| name != operation.api_name()) {
            return Err(RequestError::Query(QueryError::malformed("x-id")));
        }
        let written = encode(parameters.iter().map(|(name, value): &(&str, String)| (*name, value.as_str())));
        if written.len() > MAX_QUERY_BYTES {
            return Err(RequestError::Query(QueryError::Unreadable));
        }
        match query.first_name() {
            Some(name) => Err(RequestError::Query(QueryError::not_allowed(name))),
            None => {
                let (upload, fates) = (None, Vec::new());
                Ok(Self { operation, resource, parameters, overrides, extras, upload, token, fates })
            }
        }
    }

    /// Whether each header of the request goes to S3, in the order of their names, under a rule that allows these
    /// checksums.
    ///
    /// INVARIANT: the headers are those that were recognised. If there are more or fewer, none goes: CloudFront then refuses
    /// the result, which has no `host`.
    pub(crate) fn forwarded_headers(&self, count: usize, checksums: Checksums) -> impl Iterator<Item = bool> {
        let fates = if count == self.fates.len() { self.fates.as_slice() } else { &[] };
        fates.iter().map(move |fate| match fate {
            // A rule that does not allow the header did not match.
            Fate::Forward | Fate::AsRuleSays | Fate::LeaveAlone => true,
            Fate::ForChecksum(algorithm) => checksums.contains(*algorithm),
            // Recognition refused the request for two of these.
            Fate::Remove | Fate::Refuse | Fate::RefuseValue => false,
        })
    }

    /// The operation.
    pub fn operation(&self) -> S3Operation {
        self.operation
    }

    /// Its target.
    pub fn resource(&self) -> &Resource {
        &self.resource
    }

    /// The value of the query parameter that holds a token.
    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Its target, as an owned value.
    pub(crate) fn into_resource(self) -> Resource {
        self.resource
    }

    /// The names of the parameters that go to S3.
    pub(crate) fn parameter_names(&self) -> impl Iterator<Item = &'static str> {
        self.parameters.iter().map(|(name, _)| *name)
    }

    /// The query string for the log: `None` if it is empty. A value that looks like a token is left out, with its `=`.
    pub(crate) fn logged_query(&self) -> Option<String> {
        if self.parameters.is_empty() {
            return None;
        }
        if !self.parameters.iter().any(|(_, value)| has_a_token(value)) {
            return Some(self.to_querystring());
        }
        let of = |(name, value): &(&str, String)| match has_a_token(value) {
            true => (*name).to_owned(),
            false => encode([(*name, value.as_str())]),
        };
        Some(self.parameters.iter().map(of).collect::<Vec<_>>().join("&"))
    }

    /// The response headers that the query overrides.
    pub fn overrides(&self) -> &[ResponseOverride] {
        &self.overrides
    }

    /// The parameters that a rule must allow.
    pub fn extras(&self) -> &[ExtraParameter] {
        &self.extras
    }

    /// The facts about an upload, if this is one.
    pub fn upload(&self) -> Option<&Upload> {
        self.upload.as_deref()
    }

    /// The only path for it. S3 decodes it to exactly this target.
    pub fn to_uri(&self) -> String {
        match &self.resource {
            Resource::Object(key) => key.to_uri(),
            Resource::Prefix(_) => "/".to_owned(),
        }
    }

    /// Its path, and its query if it has one.
    pub(crate) fn to_path_and_query(&self) -> String {
        let (path, query) = (self.to_uri(), self.to_querystring());
        if query.is_empty() { path } else { format!("{path}?{query}") }
    }

    /// The only query string for it.
    pub fn to_querystring(&self) -> String {
        encode(self.parameters.iter().map(|(name, value)| (*name, value.as_str())))
    }
}

/// The operation, and the parameter that selects it instead of the plain one.
fn operation_of(
    target: &Target,
    method: Method,
    query: &Query,
) -> Result<(S3Operation, Option<&'static str>), RequestError> {
    let has = |name: &str| query.contains(name);
    match target {
        Target::Bucket => S3Operation::on_bucket(has).ok_or_else(|| match query.first_name() {
            Some(name) => RequestError::Query(QueryError::not_allowed(name)),
            None => RequestError::Key(KeyError::Missing),
        }),
        Target::Object(_) => S3Operation::on_object(method, has).ok_or(RequestError::PostNotAnUpload),
    }
}

/// Takes the operation's own parameters out of the query, in the order in which they go to S3. Also returns the
/// prefix of a listing, which is empty for all others.
fn take_parameters(
    operation: S3Operation,
    query: &mut Query,
    taken: &mut Vec<(&'static str, String)>,
) -> Result<KeyPrefix, RequestError> {
    let mut prefix = KeyPrefix::default();
    for Parameter { name, form, is_required } in operation.parameters() {
        match (query.take(name), form) {
            // Without a prefix, all keys are listed, and S3 must be told so.
            (value, ParameterForm::Prefix) => {
                prefix = KeyPrefix::new(value.unwrap_or_default()).map_err(RequestError::Key)?;
                taken.push((name, prefix.as_str().to_owned()));
            }
            (Some(value), _) if form.holds(&value) => taken.push((name, value)),
            (None, _) if !is_required => {}
            (Some(_) | None, _) => return Err(RequestError::Query(QueryError::malformed(name))),
        }
    }
    Ok(prefix)
}

/// Takes the parameters that a rule must allow out of the query.
fn take_extras(
    operation: S3Operation,
    query: &mut Query,
    taken: &mut Vec<(&'static str, String)>,
) -> Result<Vec<ExtraParameter>, RequestError> {
    let mut extras = Vec::new();
    for one in ExtraParameter::ALL.into_iter().filter(|one| one.is_of(operation)) {
        let Some(value) = query.take(one.name()) else { continue };
        if !one.form().holds(&value) {
            return Err(RequestError::Query(QueryError::malformed(one.name())));
        }
        taken.push((one.name(), value));
        extras.push(one);
    }
    Ok(extras)
}

/// Takes the overrides of response headers out of the query of a read.
fn take_overrides(
    query: &mut Query,
    taken: &mut Vec<(&'static str, String)>,
) -> Result<Vec<ResponseOverride>, RequestError> {
    let mut overrides = Vec::new();
    for one in ResponseOverride::ALL {
        let Some(value) = query.take(one.name()) else { continue };
        if value.is_empty() || !is_plain(&value) {
            return Err(RequestError::Query(QueryError::malformed(one.name())));
        }
        taken.push((one.name(), value));
        overrides.push(one);
    }
    Ok(overrides)
}

/// With the longest path, 3,073 bytes, this stays within CloudFront's limit of 8,192 bytes for a URL.
const MAX_QUERY_BYTES: usize = 5_000;

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    fn recognise_of(
        request: &CloudFrontRequest<'_>,
        operations: &[S3Operation],
    ) -> Result<S3Request, RequestError> {
        let possible = Possible { operations: operations.iter().copied().collect(), preflights: false };
        let target = Target::of(&request.method, request).map_err(RequestError::Key)?;
        let ignored = ["v".to_owned(), "utm_source".to_owned()];
        let own = OwnParameters { token: Some("access_token"), ignored: &ignored };
        S3Request::recognise(target, request, possible, own)
    }

    fn recognise(method: &str, uri: &str, query: &str) -> Result<S3Request, RequestError> {
        recognise_of(&CloudFrontRequest::sent(method, uri, query, &[]), &S3Operation::ALL)
    }

    #[test]
    fn each_operation_is_recognised_and_written_anew() {
        use S3Operation as Op;
        for (method, uri, query, operation, written) in [
            ("GET", "/a", "", Op::GetObject, ""),
            ("GET", "/a", "x-id=GetObject", Op::GetObject, ""),
            ("GET", "/a", "access_token=a.b.c", Op::GetObject, ""),
            ("GET", "/a", "utm_source=x&v=%00&access_token=a", Op::GetObject, ""),
            ("HEAD", "/a", "v", Op::HeadObject, ""),
            (
                "GET",
                "/a",
                "v=1&partNumber=3&response-expires=x",
                Op::GetObject,
                "partNumber=3&response-expires=x",
            ),
            (
                "HEAD",
                "/a",
                "versionId=v1&partNumber=10000",
                Op::HeadObjectVersion,
                "versionId=v1&partNumber=10000",
            ),
            (
                "GET",
                "/",
                "fetch-owner=true&list-type=2",
                Op::ListObjectsV2,
                "list-type=2&prefix=&fetch-owner=true",
            ),
            ("GET", "/", "access_token=a&list-type=2", Op::ListObjectsV2, "list-type=2&prefix="),
            ("HEAD", "/a", "", Op::HeadObject, ""),
            ("PUT", "/a", "x-id=PutObject", Op::PutObject, ""),
            ("DELETE", "/a", "", Op::DeleteObject, ""),
            ("GET", "/a", "versionId=null", Op::GetObjectVersion, "versionId=null"),
            ("GET", "/a", "x-id=GetObject&%76ersionId=%2F%3D", Op::GetObjectVersion, "versionId=%2F%3D"),
            ("HEAD", "/a", "versionId=v", Op::HeadObjectVersion, "versionId=v"),
            (
                "GET",
                "/a",
                "response-expires=x&response-content-type=text/plain",
                Op::GetObject,
                "response-content-type=text%2Fplain&response-expires=x",
            ),
            ("POST", "/a", "uploads", Op::CreateMultipartUpload, "uploads="),
            ("POST", "/a", "uploads=", Op::CreateMultipartUpload, "uploads="),
            ("PUT", "/a", "uploadId=u&partNumber=10000", Op::UploadPart, "partNumber=10000&uploadId=u"),
            ("POST", "/a", "uploadId=u", Op::CompleteMultipartUpload, "uploadId=u"),
            ("DELETE", "/a", "uploadId=u&x-id=AbortMultipartUpload", Op::AbortMultipartUpload, "uploadId=u"),
            ("GET", "/a", "max-parts=2&uploadId=u", Op::ListParts, "uploadId=u&max-parts=2"),
            ("GET", "/", "list-type=2", Op::ListObjectsV2, "list-type=2&prefix="),
            (
                "GET",
                "/",
                "delimiter=/&prefix=a%2Fb&list-type=2&max-keys=0&encoding-type=url",
                Op::ListObjectsV2,
                "list-type=2&prefix=a%2Fb&delimiter=%2F&max-keys=0&encoding-type=url",
            ),
        ] {
            let recognised = recognise(method, uri, query).unwrap();
            assert_eq!(recognised.operation(), operation, "{method} {query}");
            assert_eq!((recognised.to_uri().as_str(), recognised.to_querystring().as_str()), (uri, written));
        }
    }

    #[test]
    fn what_is_no_operation_is_refused_by_name() {
        let not_allowed = |name| RequestError::Query(QueryError::not_allowed(name));
        let malformed = |name| RequestError::Query(QueryError::malformed(name));
        for (method, uri, query, refusal) in [
            ("GET", "/a", "acl", not_allowed("acl")),
            ("GET", "/a", "v=1&v=2", malformed("v")),
            ("GET", "/a", "V=1", not_allowed("V")),
            ("GET", "/a", "utm_sourcE=1", not_allowed("utm_sourcE")),
            ("GET", "/a", "versionId=x&v=1", not_allowed("v")),
            ("PUT", "/a", "v=1", not_allowed("v")),
            ("DELETE", "/a", "v=1", not_allowed("v")),
            ("GET", "/", "list-type=2&v=1", not_allowed("v")),
            ("GET", "/a", "v=1&acl", not_allowed("acl")),
            ("PUT", "/a", "tagging", not_allowed("tagging")),
            ("PUT", "/a", "versionId=v", not_allowed("versionId")),
            ("DELETE", "/a", "versionId=v", not_allowed("versionId")),
            ("GET", "/a", "uploads", not_allowed("uploads")),
            ("GET", "/a", "partNumber=0", malformed("partNumber")),
            ("HEAD", "/a", "partNumber=10001", malformed("partNumber")),
            ("GET", "/a", "uploadId=u&partNumber=1", not_allowed("partNumber")),
            ("GET", "/a", "fetch-owner=true", not_allowed("fetch-owner")),
            ("DELETE", "/a", "partNumber=1", not_allowed("partNumber")),
            ("GET", "/a", "list-type=2", not_allowed("list-type")),
            ("GET", "/a", "X-Amz-Signature=0", not_allowed("X-Amz-Signature")),
            ("GET", "/a", "versionid=v", not_allowed("versionid")),
            ("HEAD", "/a", "uploadId=u", not_allowed("uploadId")),
            ("POST", "/a", "uploads&uploadId=u", not_allowed("uploadId")),
            ("GET", "/", "prefix=a", not_allowed("prefix")),
            ("GET", "/", "list-type=2&fetch-owner=false", malformed("fetch-owner")),
            ("GET", "/", "list-type=2&fetch-owner", malformed("fetch-owner")),
            ("GET", "/", "list-type=2&partNumber=1", not_allowed("partNumber")),
            ("POST", "/a", "delete", RequestError::PostNotAnUpload),
            ("POST", "/a", "", RequestError::PostNotAnUpload),
            ("GET", "/a", "versionId", malformed("versionId")),
            ("GET", "/a", "versionId=a%20b", malformed("versionId")),
            ("GET", "/a", "x-id=PutObject", malformed("x-id")),
            ("POST", "/a", "uploads=1", malformed("uploads")),
            ("PUT", "/a", "uploadId=u", malformed("partNumber")),
            ("PUT", "/a", "partNumber=1", malformed("uploadId")),
            ("PUT", "/a", "partNumber=0&uploadId=u", malformed("partNumber")),
            ("PUT", "/a", "partNumber=10001&uploadId=u", malformed("partNumber")),
            ("PUT", "/a", "partNumber=01&uploadId=u", malformed("partNumber")),
            ("GET", "/a", "response-content-type=", malformed("response-content-type")),
            ("GET", "/a", "response-content-type=a%0Ab", malformed("response-content-type")),
            ("GET", "/", "list-type=1", malformed("list-type")),
            ("GET", "/", "list-type=2&max-keys=1001", malformed("max-keys")),
            ("GET", "/", "list-type=2&delimiter=a", malformed("delimiter")),
            ("GET", "/", "list-type=2&start-after=%00", malformed("start-after")),
            ("GET", "/", "list-type=2&prefix=../", RequestError::Key(KeyError::DotSegment)),
            ("GET", "/", "", RequestError::Key(KeyError::Missing)),
            ("GET", "/", "access_token=a", RequestError::Key(KeyError::Missing)),
            ("GET", "/a", "access_token=a&access_token=a", malformed("access_token")),
            ("PUT", "/", "list-type=2", RequestError::Key(KeyError::Missing)),
        ] {
            assert_eq!(recognise(method, uri, query), Err(refusal), "{method} {uri}?{query}");
        }
    }

    #[test]
    fn a_query_that_grows_beyond_a_url_when_it_is_written_anew_is_refused() {
        let long = |length| format!("response-expires={}", ":".repeat(length));
        assert!(recognise("GET", "/a", &long(1_600)).is_ok());
        let refused = recognise("GET", "/a", &long(1_700));
        assert_eq!(refused, Err(RequestError::Query(QueryError::Unreadable)));
    }

    #[test]
    fn what_no_rule_opens_anywhere_has_no_meaning() {
        let plain = [S3Operation::GetObject, S3Operation::PutObject];
        for (method, query, refusal) in [
            ("POST", "uploads", RequestError::MethodNotAllowed { allow: "GET, PUT".into() }),
            ("DELETE", "", RequestError::MethodNotAllowed { allow: "GET, PUT".into() }),
            ("OPTIONS", "", RequestError::MethodNotAllowed { allow: "GET, PUT".into() }),
            ("get", "", RequestError::MethodNotAllowed { allow: "GET, PUT".into() }),
            ("GET", "versionId=v", RequestError::Query(QueryError::not_allowed("versionId"))),
            ("PUT", "partNumber=1&uploadId=u", RequestError::Query(QueryError::not_allowed("uploadId"))),
        ] {
            assert_eq!(
                recognise_of(&CloudFrontRequest::sent(method, "/a", query, &[]), &plain),
                Err(refusal),
                "{method}"
            );
        }
        let listing = recognise_of(&CloudFrontRequest::sent("GET", "/", "list-type=2", &[]), &plain);
        assert_eq!(listing, Err(RequestError::Query(QueryError::not_allowed("list-type"))));
    }

    #[test]
    fn a_header_that_makes_it_another_operation_is_refused_by_name() {
        for name in ["x-amz-copy-source", "x-amz-acl", "x-amz-anything", "x-http-method-override"] {
            let request = CloudFrontRequest::sent("PUT", "/a", "", &[(name, "v")]);
            let refusal = RequestError::HeaderNotAllowed(name.into());
            assert_eq!(recognise_of(&request, &S3Operation::ALL), Err(refusal));
        }
    }

    proptest! {
        #[test]
        fn what_goes_on_is_recognised_as_the_same_again(
            method in "GET|HEAD|PUT|DELETE|POST",
            query in "((versionId|uploadId|partNumber|uploads|x-id|list-type|prefix|response-expires|max-parts)\
                =?([a-z0-9/]{0,3}|%2[0-9A-F]|2)&){0,3}(prefix|versionId|uploadId|partNumber)=[a-z0-9%/]{0,4}",
            at_root in any::<bool>(),
        ) {
            let uri = if at_root { "/" } else { "/users/a%20b" };
            if let Ok(asked) = recognise(&method, uri, &query) {
                let again = recognise(&method, &asked.to_uri(), &asked.to_querystring());
                prop_assert_eq!(again, Ok(asked.clone()));
                // What S3 reads: each parameter once, with the values that were decided on.
                let written = asked.to_querystring();
                for pair in written.split('&').filter(|pair| !pair.is_empty()) {
                    let (name, value) = pair.split_once('=').unwrap();
                    let read = percent_decode_str(value).decode_utf8().unwrap();
                    prop_assert!(asked.parameters.contains(&(
                        asked.parameters.iter().find(|(known, _)| *known == name).unwrap().0,
                        read.into_owned()
                    )));
                }
            }
        }
    }
}
