//! What a request can be, as far as any rule can tell two apart.

use std::collections::BTreeMap;
use std::net::IpAddr;

use authorizer_core::UnixTime;
use authorizer_core::operation::S3Operation;
use authorizer_core::response_override::ResponseOverride;
use serde_json::{Map, Value};

/// Who asks: issuers are told apart by the `iss` of their tokens, whatever a policy calls them.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Who {
    /// Nobody known: there is no token.
    Anonymous,
    /// Somebody with a token whose `iss` is this.
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

/// What is asked about beside the rules: only requests within these bounds are looked for.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    /// Claims that the token has, with exactly these values.
    pub claims: Map<String, Value>,
    /// Whether the token has no other claims than these and those that its issuer's checks ask for.
    pub no_other_claims: bool,
    /// The viewer's address; any when absent.
    pub source: Option<IpAddr>,
    /// The instant; any when absent.
    pub at: Option<UnixTime>,
}

/// One point of the space, found by the theories: what a request must be made of.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) operation: S3Operation,
    /// The key, or the prefix of a listing.
    pub(crate) resource: String,
    /// The claims of the token; none where there is no token.
    pub(crate) claims: Option<Map<String, Value>>,
    pub(crate) token_type: Option<String>,
    pub(crate) source: IpAddr,
    pub(crate) at: UnixTime,
    /// The length that counts for the operation.
    pub(crate) length: Option<u64>,
    pub(crate) media_type: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) has_checksum: bool,
    pub(crate) overrides: Vec<ResponseOverride>,
}
