//! The start of a sign-in: the person is sent to the provider (RFC 6749 section 4.1.1, OpenID Connect Core 1.0
//! section 3.1.2.1, RFC 7636 section 4.3).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::cookies::{self, BACK_PREFIX, BACK_SECONDS, FLOW_PREFIX};
use super::kept::{FLOW_SECONDS, PendingSignIn};
use super::reply::{Logged, Reply};
use super::sealed::Kind;
use super::step::{Answered, Step};
use crate::credential::cookies as cookies_of;
use crate::digest::sha256;
use crate::event::HeaderLines;
use crate::origin::is_of_this_machine;
use crate::outcome::SIGN_IN_STATUS;
use crate::query::encode_value;
use crate::refusal::{Refusal, SignInError};
use crate::request::S3Request;
use crate::sign_in::navigation::is_navigation;

/// The longest path to return to, in bytes: what fits into a cookie with the rest.
const MAX_BACK_BYTES: usize = 2_000;

/// How many sign-ins a browser can have begun at once.
const MAX_FLOWS: usize = 8;

/// How many bytes their cookies have together. All headers of a request have at most 20,480.
const MAX_FLOW_BYTES: usize = 4_096;

/// The most cookies that are looked at for that.
const MAX_LOOKED_AT: usize = 64;

/// How a browser got back to a page a moment ago.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Back {
    /// After a sign-in.
    SignedIn,
    /// After a renewal. There is not another one at once.
    Renewed,
    /// From another host name, once.
    Moved,
    /// From another host name, twice. What stands before CloudFront may change the name, so the browser is not sent from
    /// there again.
    MovedTwice,
}

impl Back {
    const fn value(self) -> &'static str {
        match self {
            Self::SignedIn => "1",
            Self::Renewed => "2",
            Self::Moved => "3",
            Self::MovedTwice => "4",
        }
    }
}

impl<'p> Step<'_, 'p> {
    /// The answer to a person who opens a page for which they have no token that is accepted, because of this refusal;
    /// `None` if the request is not that.
    pub(crate) fn open_page(&self, asked: &S3Request, refusal: &Refusal) -> Option<Answered<'p>> {
        if !is_navigation(self.request) {
            return None;
        }
        let back = way_back(asked);
        let came_back = self.came_back(&back);
        if came_back != Some(Back::Renewed)
            && let Some(renewed) = self.renew_page(&back, refusal, came_back)
        {
            return Some(renewed);
        }
        match came_back {
            Some(Back::SignedIn | Back::Renewed) => Some(self.refuse_not_kept(&back)),
            // A person may open a link twice. A browser without cookies has no count: where something before CloudFront
            // changes the name, it follows until it has had enough, and it could not sign in.
            None if self.is_of_other_host() => Some(self.send_to_origin(&back, refusal, Back::Moved)),
            Some(Back::Moved) if self.is_of_other_host() => {
                Some(self.send_to_origin(&back, refusal, Back::MovedTwice))
            }
            None | Some(Back::Moved | Back::MovedTwice) => {
                self.begin(&back, refusal, self.clear_useless(refusal))
            }
        }
        .map(|reply| (reply, None))
    }

    /// Whether the page is opened under another name than that of the origin. The provider sends people back to the origin,
    /// and no cookie of this name gets there. A name of this machine is one that a test has.
    fn is_of_other_host(&self) -> bool {
        let lines = self.request.headers.get("host").map(HeaderLines::as_slice).unwrap_or_default();
        let is_other = |host: &str| !host.eq_ignore_ascii_case(self.flow.host()) && !is_of_this_machine(host);
        matches!(lines, [line] if is_other(&line.value))
    }

    /// Sends the person to the same page of the origin, which the policy names.
    fn send_to_origin(&self, back: &str, refusal: &Refusal, how: Back) -> Reply {
        let lines = vec![self.mark_back(back, how)];
        Reply::redirect(Logged::OtherHost(refusal.clone()), SIGN_IN_STATUS, self.address(back), lines)
    }

    /// How the browser was just sent back to this page, if it was. Whatever the cookie says, there is no second renewal.
    fn came_back(&self, back: &str) -> Option<Back> {
        let name = cookies::back_name(back);
        let mut values = cookies_of(&self.request.headers).filter(|(known, _)| *known == name);
        let (_, value) = values.next()?;
        let is = |back: Back| value == back.value();
        Some(match values.next() {
            None if is(Back::SignedIn) => Back::SignedIn,
            None if is(Back::Moved) => Back::Moved,
            None if is(Back::MovedTwice) => Back::MovedTwice,
            None | Some(_) => Back::Renewed,
        })
    }

    /// The answer to a browser that comes back to this page without a session.
    pub(super) fn refuse_not_kept(&self, back: &str) -> Reply {
        let lines = vec![cookies::line(&cookies::back_name(back), "", 0)];
        self.refuse_with_way_back(SignInError::NotKept, lines, back)
    }

    /// The lines that clear a token that is refused, which would shut the person out of what is for everybody, and a
    /// session that is over.
    fn clear_useless(&self, refusal: &Refusal) -> Vec<String> {
        match (self.session(), refusal) {
            (Some(session), _) if self.is_over(&session) => self.clear_session(),
            (_, Refusal::TokenMissing) => Vec::new(),
            (Some(_), _) => cookies::clear(&self.flow.cookie, &self.request.headers),
            (None, _) => self.clear_session(),
        }
    }

    /// Sends the person to the provider. `None` if there are no random bytes.
    pub(super) fn begin(&self, back: &str, refusal: &Refusal, mut lines: Vec<String>) -> Option<Reply> {
        let pending = PendingSignIn {
            state: self.random.text()?,
            nonce: self.random.text()?,
            verifier: self.random.text()?,
            back: back.to_owned(),
            at: self.now.as_seconds(),
        };
        let sealed = self.sealer().seal(Kind::Flow, &pending, &self.random)?;
        let name = cookies::flow_name(&pending.state);
        lines.extend(self.clear_old_flows(name.len().saturating_add(sealed.len())));
        lines.push(cookies::line(&name, &sealed, FLOW_SECONDS));
        let location = self.authorization_address(&pending);
        let logged = Logged::Refused(refusal.clone());
        Some(Reply::redirect(logged, SIGN_IN_STATUS, location, lines))
    }

    fn authorization_address(&self, pending: &PendingSignIn) -> String {
        let challenge = challenge_of(&pending.verifier);
        let redirect_uri = self.address(self.flow.redirect_path());
        let scope = self.flow.scopes().join(" ");
        let own = [
            ("response_type", "code"),
            ("client_id", self.flow.client_id()),
            ("redirect_uri", &redirect_uri),
            ("scope", &scope),
            ("state", &pending.state),
            ("nonce", &pending.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let more =
            self.flow.authorization_parameters().iter().map(|(name, value)| (name.as_str(), value.as_str()));
        with_query(self.flow.authorization_endpoint().as_str(), own.into_iter().chain(more))
    }

    /// The lines that clear the cookies of flows that cannot be finished, and of the oldest, so that there is room for one
    /// more.
    fn clear_old_flows(&self, room: usize) -> Vec<String> {
        let sealer = self.sealer();
        let (mut known, mut clear) = (Vec::new(), Vec::new());
        for (name, value) in
            cookies_of(&self.request.headers).filter(|(name, _)| is_of_flow(name)).take(MAX_LOOKED_AT)
        {
            match sealer.open::<PendingSignIn>(Kind::Flow, value) {
                Some(pending) if pending.is_fresh(self.now) && cookies::flow_name(&pending.state) == name => {
                    known.push((pending.at, name, name.len().saturating_add(value.len())));
                }
                _ => clear.push(name),
            }
        }
        known.sort_unstable_by(|one, other| other.cmp(one));
        let mut bytes = room;
        for (nth, (_, name, length)) in known.into_iter().enumerate() {
            bytes = bytes.saturating_add(length);
            if nth.saturating_add(1) >= MAX_FLOWS || bytes > MAX_FLOW_BYTES {
                clear.push(name);
            }
        }
        clear.into_iter().map(|name| cookies::line(name, "", 0)).collect()
    }

    /// The lines that clear the cookies of all flows, and of the pages that they led back to.
    pub(super) fn clear_flows(&self) -> Vec<String> {
        let is_own = |name: &&str| is_of_flow(name) || has_digits(name, BACK_PREFIX);
        let names = cookies_of(&self.request.headers).map(|(name, _)| name).filter(is_own);
        names.take(MAX_LOOKED_AT).map(|name| cookies::line(name, "", 0)).collect()
    }

    /// The line that says that the browser is sent back to this page.
    pub(super) fn mark_back(&self, back: &str, how: Back) -> String {
        cookies::line(&cookies::back_name(back), how.value(), BACK_SECONDS)
    }
}

/// RFC 7636 section 4.2: `S256`.
fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()))
}

/// Whether a cookie can be that of a flow. Its name is then safe in a line.
fn is_of_flow(name: &str) -> bool {
    has_digits(name, FLOW_PREFIX)
}

/// Whether a name is this prefix and eight digits.
fn has_digits(name: &str, prefix: &str) -> bool {
    let digits = name.strip_prefix(prefix).unwrap_or_default();
    digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The path to return to: the recognised request, written anew, so that it leads nowhere but to this page. One that is too
/// long for a cookie is cut.
fn way_back(asked: &S3Request) -> String {
    let ways = [asked.to_path_and_query(), asked.to_uri()];
    ways.into_iter().find(|path| path.len() <= MAX_BACK_BYTES).unwrap_or_else(|| "/".to_owned())
}

/// An address with these parameters, beside those that it has.
pub(super) fn with_query<'q>(
    address: &str,
    parameters: impl IntoIterator<Item = (&'q str, &'q str)>,
) -> String {
    let mut text = address.to_owned();
    let mut joint = if address.contains('?') { '&' } else { '?' };
    for (name, value) in parameters {
        text.push(joint);
        text.push_str(&encode_value(name));
        text.push('=');
        text.push_str(&encode_value(value));
        joint = '&';
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_that_of_the_published_example() {
        // RFC 7636 appendix B.
        let challenge = challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn a_query_is_added_to_that_of_the_address() {
        let parameters = [("a", "b c&d"), ("e", "\r\n#é")];
        assert_eq!(
            with_query("https://x.example/y", parameters),
            "https://x.example/y?a=b%20c%26d&e=%0D%0A%23%C3%A9"
        );
        assert_eq!(with_query("https://x.example/y?z=1", [("a", "")]), "https://x.example/y?z=1&a=");
    }

    #[test]
    fn only_a_prefix_and_eight_digits_name_the_cookie_of_a_flow() {
        assert!(is_of_flow("__Host-authorizer-flow-0123abcd"));
        for name in [
            "__Host-authorizer-flow-",
            "__Host-authorizer-flow-0123abcde",
            "__Host-authorizer-flow-0123abc;",
            "0123abcd",
            "authorizer-flow-0123abcd",
        ] {
            assert!(!is_of_flow(name), "{name}");
        }
    }
}
