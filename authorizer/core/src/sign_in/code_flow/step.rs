//! One step of a sign-in: the request, and all that the answer depends on.

use std::borrow::Cow;

use super::client;
use super::cookies;
use super::kept::Session;
use super::random::Random;
use super::reply::{AskedTokens, Reply, Said, Shown};
use super::sealed::{Kind, Sealer};
use super::settings::{CodeFlow, REFRESH_PATH, SESSION_PATH, SIGNED_OUT_PATH};
use super::token_request::{Grant, TokenAnswer};
use super::tokens::{NoTokens, Tokens};
use super::word::SignInWord;
use crate::cors::origin_of;
use crate::credential::value_in_pieces;
use crate::event::CloudFrontRequest;
use crate::refusal::{Refusal, SignInError};
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

/// A method that an own path has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum OwnMethod {
    Get,
    Post,
}

impl<'p> Step<'_, 'p> {
    /// The answer to a request for one of the function's own paths; `None` if it is for another. Only this spelling of
    /// the path is one. No request for it goes to S3.
    pub(crate) fn answer_own_path(&self) -> Option<Answered<'p>> {
        let uri = self.request.uri.as_ref();
        let method = match self.request.method.as_ref() {
            "GET" => Some(OwnMethod::Get),
            "POST" => Some(OwnMethod::Post),
            _ => None,
        };
        let alone = |reply: Reply| (reply, None);
        let is = |path: &str| uri == path;
        Some(match method {
            Some(OwnMethod::Get) if is(self.flow.redirect_path()) => self.come_back(),
            Some(OwnMethod::Get) if is(SESSION_PATH) => self.tell(),
            Some(OwnMethod::Get) if is(SIGNED_OUT_PATH) => alone(self.show_signed_out()),
            Some(OwnMethod::Get) if is(self.flow.sign_out_path()) => alone(self.sign_out_by_get()),
            Some(OwnMethod::Post) if is(self.flow.sign_out_path()) => alone(self.sign_out_by_post()),
            Some(OwnMethod::Post) if is(REFRESH_PATH) => self.refresh_by_post(),
            _ if is(self.flow.sign_out_path()) => alone(self.refuse_method("GET, POST")),
            _ if is(REFRESH_PATH) => alone(self.refuse_method("POST")),
            _ if self.flow.paths().contains(&uri) => alone(self.refuse_method("GET")),
            _ => return None,
        })
    }

    fn refuse_method(&self, allow: &str) -> Reply {
        self.refuse(Refusal::MethodNotAllowed { allow: allow.to_owned() }, Vec::new())
    }

    fn show_signed_out(&self) -> Reply {
        let page = super::page::signed_out(&self.address("/"));
        Reply::page(Said::Done(SignInWord::SignedOutShown), 200, page)
    }

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
        let again = self.address(back);
        let shown = match () {
            () if self.request.method == "HEAD" => Shown::Nowhere,
            () if shows_pages(&self.request.headers) => Shown::Page { again: &again },
            () => Shown::Problem { request_id: self.request_id },
        };
        Reply::refuse(refusal.into(), cookies, &shown)
    }

    /// The session that the request has beside its token, if this function sealed it.
    pub(super) fn session(&self) -> Option<Session> {
        let name = cookies::sealed_name(&self.flow.cookie);
        let text = value_in_pieces(&self.request.headers, &name)?;
        self.sealer().open(Kind::Session, &text)
    }

    /// Whether a session has ended, or is revoked.
    pub(super) fn is_over(&self, session: &Session) -> bool {
        let issuer = self.issuers.get(self.flow.issuer);
        session.has_ended(self.flow.session_seconds(), self.now)
            || issuer.is_none_or(|issuer| session.is_revoked(issuer))
    }

    /// The token of the session, not verified. A token in `Authorization` is another one.
    pub(super) fn session_token(&self) -> Option<String> {
        value_in_pieces(&self.request.headers, &self.flow.cookie).map(Cow::into_owned)
    }

    /// The lines that clear both cookies of a session.
    pub(super) fn clear_session(&self) -> Vec<String> {
        let name = &self.flow.cookie;
        let mut lines = cookies::clear(name, &self.request.headers);
        lines.extend(cookies::clear(&cookies::sealed_name(name), &self.request.headers));
        lines
    }

    /// What the token endpoint gives for this; otherwise the refusal, and what it must be asked, if it was not.
    pub(super) fn exchange(
        &self,
        grant: Grant,
        parameters: &[(&str, &str)],
    ) -> Result<Tokens, (Missing, Option<AskedTokens>)> {
        let missing = |error| (Missing::of(grant, error), None);
        match self.answer {
            Some((of, answer)) if of == grant => Tokens::read(answer).map_err(missing),
            Some(_) => Err(missing(NoTokens::Malformed)),
            None => {
                let form = client::form(self.flow, self.issuer(), parameters, &self.random, self.now)
                    .ok_or_else(|| missing(NoTokens::ClientRefused))?;
                let asked = AskedTokens { grant, authorization: form.authorization, body: form.body };
                Err((Missing::of(grant, NoTokens::Unavailable), Some(asked)))
            }
        }
    }
}

/// Why there are no tokens.
pub(super) struct Missing {
    pub(super) error: SignInError,
    /// Whether what was exchanged is of no use any more.
    pub(super) is_used_up: bool,
}

impl Missing {
    fn of(grant: Grant, error: NoTokens) -> Self {
        let (error, is_used_up) = match (error, grant) {
            (NoTokens::Refused, Grant::AuthorizationCode) => (SignInError::CodeRefused, true),
            (NoTokens::ClientRefused, Grant::AuthorizationCode) => (SignInError::ProviderError, true),
            // Another tab may have used it a moment ago, and has a newer session. It is not taken from the browser.
            (NoTokens::Refused, Grant::RefreshToken) => (SignInError::RefreshRefused, false),
            // The settings of the client are wrong: the session is as good as before.
            (NoTokens::ClientRefused, Grant::RefreshToken) => (SignInError::ProviderError, false),
            (NoTokens::Malformed, _) => (SignInError::AnswerMalformed, true),
            (NoTokens::Unavailable, Grant::AuthorizationCode) => (SignInError::ProviderUnavailable, true),
            (NoTokens::Unavailable, Grant::RefreshToken) => (SignInError::ProviderUnavailable, false),
        };
        Self { error, is_used_up }
    }
}
