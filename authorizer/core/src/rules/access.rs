//! What rules are asked about.

use std::net::IpAddr;

use super::claims::Claims;
use crate::request::S3Request;
use crate::time::UnixTime;
use crate::token::Principal;

/// What is asked, by whom, from where and when.
#[derive(Clone, Debug)]
pub struct Access<'p> {
    /// The request.
    pub request: S3Request,
    /// Who asks.
    pub principal: Principal<'p>,
    /// The viewer's address.
    pub source: IpAddr,
    /// The instant of the decision.
    pub at: UnixTime,
}

impl Access<'_> {
    /// The claims of whoever asks.
    pub fn claims(&self) -> Claims<'_> {
        match &self.principal {
            Principal::Anonymous => Claims::None,
            Principal::Verified(verified) => Claims::Known(verified.claims()),
        }
    }
}
