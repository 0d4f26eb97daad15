//! The way back from the provider (RFC 6749 section 4.1.2, RFC 9207, RFC 9700 section 2.1.1).

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::cookies;
use super::kept::{PendingSignIn, Session};
use super::reply::{Logged, Reply};
use super::sealed::Kind;
use super::session::{NewSession, Proof, Whose};
use super::start::Back;
use super::step::{Answered, Step};
use super::token_request::Grant;
use super::word::SignInWord;
use crate::credential::cookies as cookies_of;
use crate::outcome::SIGN_IN_STATUS;
use crate::query::Query;
use crate::refusal::SignInError;

/// The longest `state` that is looked up. Ours has 43 bytes.
const MAX_STATE_BYTES: usize = 128;

/// An authorization response. Other parameters are ignored (RFC 6749 section 4.1.2).
struct AuthorizationResponse {
    state: String,
    issuer: Option<String>,
    result: Result<String, String>,
}

impl AuthorizationResponse {
    fn parse(query: &str) -> Option<Self> {
        let mut query = Query::parse(query).ok()?;
        let mut take = |name: &str| query.take(name).filter(|value| !value.is_empty());
        let (code, error) = (take("code"), take("error"));
        let result = match (code, error) {
            (Some(code), None) => Ok(code),
            (None, Some(error)) => Err(error),
            (None, None) | (Some(_), Some(_)) => return None,
        };
        Some(Self { state: take("state")?, issuer: take("iss"), result })
    }
}

impl<'p> Step<'_, 'p> {
    /// The answer to a person who comes back.
    pub(super) fn answer_callback(&self) -> Answered<'p> {
        let refuse = |error: SignInError| (self.refuse(error, Vec::new()), None);
        let Some(response) = AuthorizationResponse::parse(&self.request.querystring) else {
            return refuse(SignInError::Malformed);
        };
        let Some(pending) = self.pending(&response.state) else { return refuse(SignInError::StateUnknown) };
        // Past this line this browser began this sign-in here. It ends now, whatever the result.
        let end = || vec![cookies::line(&cookies::flow_name(&pending.state), "", 0)];
        let fail = |error| (self.refuse_with_way_back(error, end(), &pending.back), None);
        let is_other = response.issuer.as_deref().is_some_and(|issuer| issuer != self.issuer());
        if is_other || (response.issuer.is_none() && self.flow.response_iss()) {
            return fail(SignInError::IssuerMismatch.into());
        }
        let code = match response.result {
            Ok(code) => code,
            Err(error) => return fail(error_of(&error).into()),
        };
        let redirect_uri = self.address(self.flow.redirect_path());
        let parameters = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &redirect_uri),
            ("code_verifier", &pending.verifier),
        ];
        let tokens = match self.exchange(Grant::AuthorizationCode, &parameters) {
            Ok(tokens) => tokens,
            Err((error, asked)) => {
                let (reply, claims) = fail(error.into());
                return (reply.asking(asked), claims);
            }
        };
        // RFC 6749 does not know an ID token. OpenID Connect Core 1.0 section 3.1.3.3 requires it.
        let Some(id_token) = tokens.id_token.as_deref() else {
            return fail(SignInError::AnswerMalformed.into());
        };
        let identity = match self.identify(id_token, &tokens, Proof::Nonce(&pending.nonce)) {
            Ok(identity) => identity,
            Err(refusal) => return fail(refusal),
        };
        let session = Session {
            at: self.now.as_seconds(),
            subject: identity,
            token_subject: None,
            token_id: None,
            nonce: pending.nonce.clone(),
            refresh_token: None,
            id_token: None,
        };
        let NewSession { mut lines, claims, .. } = match self.keep(session, tokens, Whose::New) {
            Ok(kept) => kept,
            Err(refusal) => return fail(refusal),
        };
        lines.extend(end());
        lines.push(self.mark_back(&pending.back, Back::SignedIn));
        let logged = Logged::Done(SignInWord::Started);
        let location = self.address(&pending.back);
        (Reply::redirect(logged, SIGN_IN_STATUS, location, lines), Some(claims))
    }

    /// The sign-in with this `state`, if this browser began it here, and not too long ago.
    fn pending(&self, state: &str) -> Option<PendingSignIn> {
        if state.len() > MAX_STATE_BYTES {
            return None;
        }
        let name = cookies::flow_name(state);
        let mut of_name = cookies_of(&self.request.headers).filter(|(known, _)| *known == name);
        // A browser has one cookie of a name with this prefix.
        let (Some((_, text)), None) = (of_name.next(), of_name.next()) else { return None };
        let pending: PendingSignIn = self.sealer().open(Kind::Flow, text)?;
        verify_slices_are_equal(pending.state.as_bytes(), state.as_bytes()).ok()?;
        pending.is_fresh(self.now).then_some(pending)
    }
}

/// What an `error` means for a person (RFC 6749 section 4.1.2.1, OpenID Connect Core 1.0 section 3.1.2.6).
fn error_of(error: &str) -> SignInError {
    match error {
        "access_denied"
        | "login_required"
        | "consent_required"
        | "interaction_required"
        | "account_selection_required" => SignInError::Denied,
        _ => SignInError::ProviderError,
    }
}
