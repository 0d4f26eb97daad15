//! What a request can be, as far as rules can distinguish requests.

use std::collections::BTreeMap;
use std::net::IpAddr;

use authorizer_core::UnixTime;
use authorizer_core::checksum::ChecksumHeader;
use authorizer_core::extra_parameter::ExtraParameter;
use authorizer_core::operation::S3Operation;
use authorizer_core::response_override::ResponseOverride;
use serde_json::{Map, Value};

/// A principal. Issuers are distinguished by the `iss` of their tokens, not by their names in a policy.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Who {
    /// Unknown: there is no token.
    Anonymous,
    /// A principal with a token that has this `iss`.
    Token(String),
}

impl Who {
    /// The `iss` of the token.
    pub fn issuer(&self) -> Option<&str> {
        match self {
            Self::Anonymous => None,
            Self::Token(issuer) => Some(issuer),
        }
    }
}

/// Limits of a question besides the rules: only requests within these limits are searched.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    /// Claims that the token has, with exactly these values.
    pub claims: Map<String, Value>,
    /// Whether the token must not have other claims, except those that the issuer's checks require.
    pub no_other_claims: bool,
    /// The viewer's address; any when absent.
    pub source: Option<IpAddr>,
    /// The request's host, a name in lower case; any when absent.
    pub host: Option<String>,
    /// The instant; any when absent.
    pub at: Option<UnixTime>,
}

/// A request that the theories found, as parts.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) operation: S3Operation,
    /// The key, or the prefix of a listing.
    pub(crate) resource: String,
    /// The claims of the token; `None` without a token.
    pub(crate) claims: Option<Map<String, Value>>,
    pub(crate) token_type: Option<String>,
    pub(crate) source: IpAddr,
    /// The host, where it is asked for.
    pub(crate) host: Option<String>,
    pub(crate) at: UnixTime,
    /// The length that counts for the operation.
    pub(crate) length: Option<u64>,
    pub(crate) media_type: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) checksums: Vec<ChecksumHeader>,
    pub(crate) overrides: Vec<ResponseOverride>,
    pub(crate) parameters: Vec<ExtraParameter>,
}
