//! The end of a session: its cookies are cleared, and the provider is told (OpenID Connect RP-Initiated Logout 1.0
//! section 2; Cognito's `/logout`).

use super::reply::{Logged, Reply};
use super::settings::{EndSession, SIGNED_OUT_PATH, SessionToken};
use super::start::with_query;
use super::step::Step;
use super::word::SignInWord;
use crate::page;
use crate::refusal::SignInError;
use crate::sign_in::navigation::{has_one_line, is_beforehand};

/// The longest address with an ID token in it, in bytes. Servers refuse longer ones; without it the provider asks the
/// person.
const MAX_HINT_ADDRESS: usize = 4_000;

/// RFC 9110 section 15.4.4: whatever the method was, the next is a GET.
const SEE_OTHER: u16 = 303;

impl Step<'_, '_> {
    /// The answer to a form or a script. Another site cannot send it with the own `Origin`.
    pub(super) fn sign_out_by_post(&self) -> Reply {
        match self.is_own_page() {
            true => self.sign_out(),
            false => self.refuse(SignInError::CrossSite, Vec::new()),
        }
    }

    /// The answer to a link. Only one on a page of the own origin signs out; otherwise the person is asked.
    pub(super) fn sign_out_by_get(&self) -> Reply {
        let headers = &self.request.headers;
        if has_one_line(headers, "sec-fetch-site", "same-origin")
            && has_one_line(headers, "sec-fetch-mode", "navigate")
            && !is_beforehand(headers)
        {
            return self.sign_out();
        }
        let refusal = SignInError::CrossSite.into();
        Reply::page(Logged::Refused(refusal), 403, page::ask_to_sign_out(self.flow.sign_out_path()))
    }

    fn sign_out(&self) -> Reply {
        let mut lines = self.clear_session();
        lines.extend(self.clear_flows());
        Reply::redirect(Logged::Done(SignInWord::Ended), SEE_OTHER, self.end_address(), lines)
            .forgetting_pages()
    }

    /// Where the person signs out at the provider too, and then comes back.
    fn end_address(&self) -> String {
        let back = self.address(SIGNED_OUT_PATH);
        let Some((endpoint, form)) = self.flow.end_session() else { return back };
        let mut parameters = vec![("client_id", self.flow.client_id())];
        let hint = match form {
            EndSession::RpInitiated if self.flow.id_token_hint() => self.kept_id_token(),
            EndSession::RpInitiated | EndSession::Cognito => None,
        };
        match form {
            EndSession::RpInitiated => parameters.push(("post_logout_redirect_uri", &back)),
            EndSession::Cognito => parameters.push(("logout_uri", &back)),
        }
        let plain = with_query(endpoint.as_str(), parameters);
        let Some(hint) = hint else { return plain };
        let whole = with_query(&plain, [("id_token_hint", hint.as_str())]);
        if whole.len() <= MAX_HINT_ADDRESS { whole } else { plain }
    }

    fn kept_id_token(&self) -> Option<String> {
        match self.flow.session_token() {
            SessionToken::AccessToken => self.session()?.id_token,
            SessionToken::IdToken => self.session_token(),
        }
    }
}
