//! The paths that the function answers itself.

use super::reply::{Logged, Reply};
use super::settings::{REFRESH_PATH, SESSION_PATH, SIGNED_OUT_PATH};
use super::step::{Answered, Step};
use super::word::SignInWord;
use crate::page;
use crate::refusal::Refusal;

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
            Some(OwnMethod::Get) if is(self.flow.redirect_path()) => self.answer_callback(),
            Some(OwnMethod::Get) if is(SESSION_PATH) => self.answer_session(),
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
        let page = page::signed_out(&self.address("/"));
        Reply::page(Logged::Done(SignInWord::SignedOutShown), 200, page)
    }
}
