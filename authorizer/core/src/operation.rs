//! Step 3: the S3 operation that a request really is.
//!
//! To S3 the method, the query string and some headers decide together what is done
//! ([AWS: S3 API operations](https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html)),
//! and the distribution's identity may read and write every object. So an operation is recognised
//! exactly, and whatever might make it another is refused.

use crate::event::CloudFrontRequest;
use crate::header::{Fate, fate};
use crate::refusal::Refusal;

/// The operations that a request can be. Closed: what is not here cannot be asked of S3.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum S3Operation {
    /// `GET /KEY`.
    GetObject,
    /// `HEAD /KEY`.
    HeadObject,
    /// `PUT /KEY`.
    PutObject,
    /// `DELETE /KEY`.
    DeleteObject,
}

impl S3Operation {
    /// All of them, in the order in which they are named to people.
    pub const ALL: [Self; 4] = [Self::GetObject, Self::HeadObject, Self::PutObject, Self::DeleteObject];

    /// The name that AWS gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::GetObject => "GetObject",
            Self::HeadObject => "HeadObject",
            Self::PutObject => "PutObject",
            Self::DeleteObject => "DeleteObject",
        }
    }

    /// The HTTP method it is asked for with.
    pub fn method(self) -> &'static str {
        match self {
            Self::GetObject => "GET",
            Self::HeadObject => "HEAD",
            Self::PutObject => "PUT",
            Self::DeleteObject => "DELETE",
        }
    }

    /// The operation that a method asks for; HTTP methods are case-sensitive (RFC 9110 section 9.1).
    pub fn from_method(method: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.method() == method)
    }

    /// Recognises the operation of a request whose path has named a key.
    ///
    /// `possible` are the operations that some rule allows on some key.
    ///
    /// # Errors
    /// [`Refusal::MethodNotAllowed`], [`Refusal::QueryNotAllowed`] or [`Refusal::HeaderNotAllowed`].
    pub fn from_request(request: &CloudFrontRequest, possible: OperationSet) -> Result<Self, Refusal> {
        let operation = Self::from_method(&request.method)
            .filter(|operation| possible.contains(*operation))
            .ok_or_else(|| Refusal::MethodNotAllowed { allow: possible.allow_header() })?;
        if !request.querystring.is_empty() {
            return Err(Refusal::QueryNotAllowed);
        }
        for (name, lines) in &request.headers {
            if fate(operation, name, lines) == Fate::Refuse {
                return Err(Refusal::HeaderNotAllowed(name.chars().take(64).collect()));
            }
        }
        Ok(operation)
    }
}

/// A set of operations.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct OperationSet(u8);

impl OperationSet {
    /// Whether the operation is in the set.
    pub fn contains(self, operation: S3Operation) -> bool {
        self.0 & Self::bit(operation) != 0
    }

    /// Puts an operation in.
    pub fn insert(&mut self, operation: S3Operation) {
        self.0 |= Self::bit(operation);
    }

    /// What is in either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The members, in the order of [`S3Operation::ALL`].
    pub fn iter(self) -> impl Iterator<Item = S3Operation> {
        S3Operation::ALL.into_iter().filter(move |operation| self.contains(*operation))
    }

    /// The value of an `Allow` header (RFC 9110 section 10.2.1).
    pub fn allow_header(self) -> String {
        self.iter().map(S3Operation::method).collect::<Vec<_>>().join(", ")
    }

    fn bit(operation: S3Operation) -> u8 {
        match operation {
            S3Operation::GetObject => 1,
            S3Operation::HeadObject => 2,
            S3Operation::PutObject => 4,
            S3Operation::DeleteObject => 8,
        }
    }
}

impl FromIterator<S3Operation> for OperationSet {
    fn from_iter<I: IntoIterator<Item = S3Operation>>(operations: I) -> Self {
        let mut set = Self::default();
        operations.into_iter().for_each(|operation| set.insert(operation));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::CloudFrontHeader;

    fn request(method: &str, query: &str, headers: &[(&str, &str)]) -> CloudFrontRequest {
        CloudFrontRequest {
            client_ip: String::new(),
            method: method.into(),
            uri: "/a".into(),
            querystring: query.into(),
            headers: headers
                .iter()
                .map(|(name, value)| (name.to_string(), vec![CloudFrontHeader::new(*name, *value)]))
                .collect(),
            body: None,
            other: serde_json::Map::new(),
        }
    }

    fn recognise(request: &CloudFrontRequest) -> Result<S3Operation, Refusal> {
        S3Operation::from_request(request, S3Operation::ALL.into_iter().collect())
    }

    #[test]
    fn four_methods_are_operations_and_no_other_is() {
        for operation in S3Operation::ALL {
            assert_eq!(recognise(&request(operation.method(), "", &[])), Ok(operation));
        }
        for method in ["POST", "PATCH", "OPTIONS", "get", "Get", "", "GET ", "TRACE", "CONNECT"] {
            assert_eq!(
                recognise(&request(method, "", &[])),
                Err(Refusal::MethodNotAllowed { allow: "GET, HEAD, PUT, DELETE".into() }),
                "{method}"
            );
        }
    }

    #[test]
    fn a_method_that_no_rule_allows_anywhere_is_not_allowed() {
        let possible = [S3Operation::GetObject, S3Operation::HeadObject].into_iter().collect();
        assert_eq!(
            S3Operation::from_request(&request("PUT", "", &[]), possible),
            Err(Refusal::MethodNotAllowed { allow: "GET, HEAD".into() })
        );
    }

    #[test]
    fn every_query_is_refused() {
        for query in ["acl", "versionId=1", "list-type=2", "a=b", "X-Amz-Signature=00", "&", "="] {
            assert_eq!(recognise(&request("GET", query, &[])), Err(Refusal::QueryNotAllowed), "{query}");
        }
    }

    #[test]
    fn a_header_that_makes_it_another_operation_is_refused_by_name() {
        for name in ["x-amz-copy-source", "x-amz-acl", "x-amz-anything", "x-http-method-override"] {
            assert_eq!(
                recognise(&request("PUT", "", &[(name, "v")])),
                Err(Refusal::HeaderNotAllowed(name.into()))
            );
        }
    }
}
