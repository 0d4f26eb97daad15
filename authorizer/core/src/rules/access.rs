//! The input of the rules.

use std::net::IpAddr;

use super::claims::Claims;
use crate::request::S3Request;
use crate::time::UnixTime;
use crate::token::Principal;

/// The request, the principal, the address and the time.
#[derive(Clone, Debug)]
pub struct Access<'p> {
    /// The request.
    pub request: S3Request,
    /// The principal.
    pub principal: Principal<'p>,
    /// The viewer's address.
    pub source: IpAddr,
    /// The host name of the request, in lower case, if the policy has a rule with `hosts`. `None` also if the request does
    /// not have exactly one `Host` that is a host name.
    pub host: Option<String>,
    /// The instant of the decision.
    pub at: UnixTime,
}

impl Access<'_> {
    /// The claims of the principal.
    pub fn claims(&self) -> Claims<'_> {
        match &self.principal {
            Principal::Anonymous => Claims::None,
            Principal::Verified(verified) => Claims::Known(verified.claims()),
        }
    }
}
