//! What a step of a sign-in answers.

use serde_json::{Value, json};

use super::settings::CodeFlow;
use super::token_request::Grant;
use super::word::SignInWord;
use crate::outcome::{Outcome, REALM, problem_of};
use crate::page::{Page, sign_in_refused};
use crate::refusal::Refusal;
use crate::token::RETRY_SECONDS;

/// The answer of one step.
pub(crate) struct Reply {
    /// For the log.
    pub(crate) logged: Logged,
    pub(crate) status: u16,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
    /// What the token endpoint must be asked first. Then the answer is only for a caller that cannot ask.
    pub(crate) asked: Option<AskedTokens>,
}

/// Its cookies and addresses contain tokens, which must not appear in a log.
impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { logged, status, .. } = self;
        f.debug_struct("Reply").field("logged", logged).field("status", status).finish_non_exhaustive()
    }
}

/// What the log says of a step.
#[derive(Debug)]
pub(crate) enum Logged {
    Done(SignInWord),
    Refused(Refusal),
    /// A page is refused, and opened under another host name than that of the origin: the person is sent there first.
    OtherHost(Refusal),
}

/// What is wrong with a page that is opened under another host name, in the log.
pub const OTHER_HOST: &str = "other_host";

/// A request to the token endpoint.
pub(crate) struct AskedTokens {
    pub(crate) grant: Grant,
    pub(crate) authorization: Option<String>,
    pub(crate) body: String,
}

/// It contains secrets, which must not appear in a log.
impl std::fmt::Debug for AskedTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AskedTokens").field("grant", &self.grant).finish_non_exhaustive()
    }
}

/// Where a refusal is shown, with the reason word and CloudFront's id of the request.
pub(super) enum Shown<'s> {
    /// On a page, with a link to try again.
    Page { request_id: &'s str, again: &'s str },
    /// In a problem document.
    Problem { request_id: &'s str },
    /// Nowhere: the answer has no body.
    Nowhere,
}

impl Reply {
    /// An answer without a body that sends the browser elsewhere. `location` is an address of this function's own making.
    pub(super) fn redirect(logged: Logged, status: u16, location: String, cookies: Vec<String>) -> Self {
        let mut headers = lines(cookies);
        headers.push(("Location", location));
        Self { logged, status, headers, body: None, asked: None }
    }

    /// The same, and the browser removes the pages of this origin that it keeps, so that `Back` shows none of them (Clear
    /// Site Data, section 3.1).
    pub(super) fn forgetting_pages(mut self) -> Self {
        self.headers.push(("Clear-Site-Data", "\"cache\"".to_owned()));
        self
    }

    /// JSON for pages of the own origin.
    pub(super) fn json(word: SignInWord, json: &Value, cookies: Vec<String>) -> Self {
        let mut headers = lines(cookies);
        headers.push(("Content-Type", "application/json".to_owned()));
        headers.push(("Cross-Origin-Resource-Policy", "same-origin".to_owned()));
        Self { logged: Logged::Done(word), status: 200, headers, body: Some(json.to_string()), asked: None }
    }

    /// A page.
    pub(super) fn page(logged: Logged, status: u16, page: Page) -> Self {
        let Page { headers, html } = page;
        Self { logged, status, headers, body: Some(html), asked: None }
    }

    /// A refusal.
    pub(super) fn refuse(refusal: Refusal, cookies: Vec<String>, shown: &Shown<'_>) -> Self {
        let status = refusal.status();
        let mut headers = lines(cookies);
        if let Some(challenge) = refusal.challenge(REALM) {
            headers.push(("WWW-Authenticate", challenge));
        }
        if status == 503 {
            headers.push(("Retry-After", RETRY_SECONDS.to_string()));
        }
        if let Refusal::MethodNotAllowed { allow } = &refusal {
            headers.push(("Allow", allow.clone()));
        }
        let body = match shown {
            Shown::Page { request_id, again } => {
                let page = sign_in_refused(&refusal, request_id, again);
                headers.extend(page.headers);
                Some(page.html)
            }
            Shown::Problem { request_id } => {
                headers.push(("Content-Type", "application/problem+json".to_owned()));
                headers.push(("Cross-Origin-Resource-Policy", "same-origin".to_owned()));
                let mut problem = problem_of(&refusal, Some(request_id));
                if let Some(problem) = problem.as_object_mut() {
                    problem.insert("reason".to_owned(), json!(refusal.reason()));
                }
                Some(problem.to_string())
            }
            Shown::Nowhere => None,
        };
        Self { logged: Logged::Refused(refusal), status, headers, body, asked: None }
    }

    /// With what a caller that can ask the token endpoint must ask first, if there is something.
    pub(super) fn asking(mut self, asked: Option<AskedTokens>) -> Self {
        self.asked = asked;
        self
    }

    /// The result for CloudFront.
    pub(crate) fn into_outcome(self) -> Outcome<'static> {
        Outcome::respond(self.status, self.headers, self.body)
    }
}

fn lines(cookies: Vec<String>) -> Vec<(&'static str, String)> {
    cookies.into_iter().map(|line| ("Set-Cookie", line)).collect()
}

impl AskedTokens {
    /// The request, to the provider of this flow.
    pub(crate) fn of<'p>(self, flow: &'p CodeFlow, issuer: &'p str) -> super::TokenRequest<'p> {
        let Self { grant, authorization, body } = self;
        super::TokenRequest { url: flow.token_endpoint(), issuer, grant, authorization, body }
    }
}
