//! One step of a sign-in: the request, and all that the answer depends on.

use super::random::Random;
use super::reply::{Reply, Shown};
use super::sealed::Sealer;
use super::settings::CodeFlow;
use super::token_request::{Grant, TokenAnswer};
use crate::cors::origin_of;
use crate::event::CloudFrontRequest;
use crate::refusal::Refusal;
use crate::sign_in::navigation::shows_pages;
use crate::time::UnixTime;
use crate::token::{Issuer, Trust, VerifiedClaims};

/// A step, as a pure function of these.
pub(crate) struct Step<'c, 'p> {
    pub(crate) flow: &'p CodeFlow,
    pub(crate) issuers: &'p [Issuer],
    pub(crate) trust: &'c Trust,
    pub(crate) request: &'c CloudFrontRequest<'c>,
    pub(crate) request_id: &'c str,
    pub(crate) random: Random<'c>,
    /// What the token endpoint answered to what this request needs, if it was asked.
    pub(crate) answer: Option<(Grant, TokenAnswer<'c>)>,
    pub(crate) now: UnixTime,
}

/// An answer, and whose request it is, if that is known.
pub(crate) type Answered<'p> = (Reply, Option<VerifiedClaims<'p>>);

impl<'p> Step<'_, 'p> {
    /// An address of the own origin. `path` begins with `/`.
    pub(super) fn address(&self, path: &str) -> String {
        format!("{}{path}", self.flow.origin())
    }

    pub(super) fn issuer(&self) -> &'p str {
        self.issuers.get(self.flow.issuer).map(Issuer::issuer).unwrap_or_default()
    }

    pub(super) fn sealer(&self) -> Sealer<'p> {
        Sealer::new(self.flow, self.issuer())
    }

    /// Whether the request comes from a page of the own origin. A browser cannot be made to say so by another's.
    pub(super) fn is_own_page(&self) -> bool {
        origin_of(&self.request.headers) == Some(self.flow.origin())
    }

    /// A refusal, as a page with a link to the start, or as a problem document.
    pub(super) fn refuse(&self, refusal: impl Into<Refusal>, cookies: Vec<String>) -> Reply {
        self.refuse_with_way_back(refusal, cookies, "/")
    }

    /// The same, with a link to this path of the own origin.
    pub(super) fn refuse_with_way_back(
        &self,
        refusal: impl Into<Refusal>,
        cookies: Vec<String>,
        back: &str,
    ) -> Reply {
        let (request_id, again) = (self.request_id, self.address(back));
        let shown = match () {
            () if self.request.method == "HEAD" => Shown::Nowhere,
            () if shows_pages(&self.request.headers) => Shown::Page { request_id, again: &again },
            () => Shown::Problem { request_id },
        };
        Reply::refuse(refusal.into(), cookies, &shown)
    }
}
