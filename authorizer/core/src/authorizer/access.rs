//! Steps 2 to 5: what a request asks for, by whom, from where and when.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use super::{Authorizer, Word};
use crate::cors::origin_of;
use crate::credential::{Credential, CredentialError, CredentialPlace, Several};
use crate::event::{CloudFrontRequest, EventProblem, ViewerRequestEvent};
use crate::origin::Origin;
use crate::policy::Policy;
use crate::record::{DecisionRecord, query_names};
#[cfg(feature = "code-flow")]
use crate::refusal::NoRule;
use crate::refusal::Refusal;
use crate::request::{OwnParameters, Resource, S3Request, Target};
use crate::rules::{Access, Decision, host_of};
use crate::time::UnixTime;
use crate::token::{Principal, Supposed};

/// Why no rule is checked for a request.
pub(super) enum Turned {
    /// The request is refused.
    Refused(Refusal),
    /// The cookie does not contain a token that is accepted, and the sign-in sets the same cookie again. Contains what
    /// was requested.
    Cookie(Box<S3Request>, Refusal),
}

impl From<Refusal> for Turned {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Turned> for Refusal {
    fn from(turned: Turned) -> Self {
        match turned {
            Turned::Refused(refusal) | Turned::Cookie(_, refusal) => refusal,
        }
    }
}

impl Authorizer {
    /// What the request asks for, by whom, from where and when: steps 1 to 5, as [`authorize`](Self::authorize) takes
    /// them.
    ///
    /// # Errors
    /// The [`Refusal`] of a request for which no rule is checked. Here a preflight is a refusal too.
    pub fn access(&self, event: &[u8], now: UnixTime) -> Result<Access<'_>, Refusal> {
        self.access_by(event, Word::Proven, now)
    }

    /// The same, as [`authorize_supposing`](Self::authorize_supposing) takes the steps.
    ///
    /// # Errors
    /// The same as [`access`](Self::access).
    pub fn access_supposing(
        &self,
        event: &[u8],
        supposed: &Supposed,
        now: UnixTime,
    ) -> Result<Access<'_>, Refusal> {
        self.access_by(event, Word::Supposed(supposed), now)
    }

    fn access_by(&self, event: &[u8], word: Word<'_>, now: UnixTime) -> Result<Access<'_>, Refusal> {
        let event = ViewerRequestEvent::parse(event).map_err(Refusal::from)?;
        // The function answers these itself: there is no object with that key to reach.
        #[cfg(feature = "code-flow")]
        if self.is_own_path(&event.request) {
            return Err(Refusal::NoRule(NoRule::KeyNotAllowed));
        }
        self.access_of(&event.request, word, now, &mut DecisionRecord::default()).map_err(Refusal::from)
    }

    /// The place in which a request has its token; `None` if it has none, or if it is refused before or with it.
    pub fn place_of_token(&self, event: &[u8]) -> Option<CredentialPlace> {
        let event = ViewerRequestEvent::parse(event).ok()?;
        let asked = self.recognise(&event.request, &mut DecisionRecord::default()).ok()?;
        let places = self.bundle.policy().credentials();
        match Credential::find(&event.request.headers, asked.token(), places, Several::LookedAt).ok()? {
            Credential::None => None,
            Credential::Bearer { place, .. } => Some(place),
            Credential::Cookies(_) => Some(CredentialPlace::Cookie),
        }
    }

    /// Steps 2 to 5.
    pub(super) fn access_of<'r>(
        &'r self,
        request: &CloudFrontRequest<'_>,
        word: Word<'_>,
        now: UnixTime,
        record: &mut DecisionRecord<'r>,
    ) -> Result<Access<'r>, Turned> {
        let policy = self.bundle.policy();
        let host = self.host(request, record);
        let asked = self.recognise(request, record)?;
        // Where the viewer can be sent to sign in, several cookies must not shut them out for good. A write needs the
        // one token that its owner meant. Those of the code flow have a name that no other host or path can set; several are
        // a whole one beside pieces, which the next sign-in clears.
        let several = match policy.sign_in().is_some() && asked.operation().method().is_safe() {
            true => Several::LookedAt,
            false => Several::Refused,
        };
        let credential = Credential::find(&request.headers, asked.token(), policy.credentials(), several);
        let credential = match credential {
            Err(CredentialError::CookieMalformed) => {
                return Err(Turned::Cookie(Box::new(asked), Refusal::CredentialMalformed));
            }
            credential => credential.map_err(Refusal::from)?,
        };
        let is_cookie = matches!(credential, Credential::Bearer { place: CredentialPlace::Cookie, .. });
        if let Credential::Bearer { place, .. } = &credential
            && policy.credentials().is_ambient(*place)
        {
            check_origin(request, policy)?;
        }
        let principal = match (word, &credential) {
            (Word::Proven, Credential::Cookies(tokens)) => {
                return self.access_of_several(tokens, asked.clone(), host, request, now, record);
            }
            (Word::Proven, credential) => {
                Principal::verify(credential, policy.issuers(), &self.trust, now).map_err(Refusal::from)
            }
            (Word::Supposed(supposed), Credential::None) => {
                Principal::suppose(supposed, policy.issuers(), now).map_err(Refusal::Token)
            }
            // A real token in addition to the supposed one would be a second token.
            (Word::Supposed(_), Credential::Bearer { .. } | Credential::Cookies(_)) => {
                Err(Refusal::CredentialRepeated)
            }
        };
        let principal = match principal {
            Err(refusal @ Refusal::Token(_)) if is_cookie => {
                return Err(Turned::Cookie(Box::new(asked), refusal));
            }
            principal => principal?,
        };
        if let Principal::Verified(claims) = &principal {
            record.note_principal(claims, policy.subject_logging, policy.claim_hasher());
        }
        Ok(Access { request: asked, principal, source: self.source(request)?, host, at: now })
    }

    /// Step 5 for a read with several cookies: the first token that verifies and is allowed to, else the first that
    /// verifies. One that does not verify does not count, because any page of the domain can set it. Where none is let in
    /// and the keys of one are not known, they are asked for.
    fn access_of_several<'r>(
        &'r self,
        tokens: &[Cow<'_, str>],
        asked: S3Request,
        host: Option<String>,
        request: &CloudFrontRequest<'_>,
        now: UnixTime,
        record: &mut DecisionRecord<'r>,
    ) -> Result<Access<'r>, Turned> {
        let policy = self.bundle.policy();
        let (mut verified, mut bad, mut unknown) = (Vec::new(), None, None);
        for token in tokens {
            let credential =
                Credential::Bearer { token: token.as_ref().into(), place: CredentialPlace::Cookie };
            match Principal::verify(&credential, policy.issuers(), &self.trust, now).map_err(Refusal::from) {
                Ok(principal) => verified.push(principal),
                Err(refusal @ Refusal::KeysUnavailable(_)) => unknown = unknown.or(Some(refusal)),
                Err(refusal) => bad = bad.or(Some(refusal)),
            }
        }
        let mut verified = verified.into_iter();
        let Some(first) = verified.next() else {
            return Err(match unknown {
                Some(refusal) => Turned::Refused(refusal),
                None => Turned::Cookie(Box::new(asked), bad.unwrap_or(Refusal::CredentialMalformed)),
            });
        };
        let source = self.source(request)?;
        let mut access = Access { request: asked, principal: first, source, host, at: now };
        let is_allowed = |access: &Access<'_>| matches!(policy.decide(access), Decision::Allow(_));
        let mut is_let_in = is_allowed(&access);
        for other in verified {
            if is_let_in {
                break;
            }
            let first = std::mem::replace(&mut access.principal, other);
            is_let_in = is_allowed(&access);
            if !is_let_in {
                access.principal = first;
            }
        }
        // The token whose keys are not here yet may be the one that is let in.
        if let (false, Some(refusal)) = (is_let_in, unknown) {
            return Err(Turned::Refused(refusal));
        }
        if let Principal::Verified(claims) = &access.principal {
            record.note_principal(claims, policy.subject_logging, policy.claim_hasher());
        }
        Ok(access)
    }

    /// Steps 2 and 3.
    fn recognise(
        &self,
        request: &CloudFrontRequest<'_>,
        record: &mut DecisionRecord<'_>,
    ) -> Result<S3Request, Refusal> {
        let own = self.bundle.policy().own_parameters();
        // Until it is recognised, they are what the viewer wrote.
        record.query_names = names_as_sent(&request.querystring, own).map(Cow::Owned);
        let target = Target::of(&request.method, request).map_err(Refusal::Key)?;
        if let Target::Object(key) = &target {
            record.key = Some(key.as_str().to_owned().into());
        }
        let asked = S3Request::recognise(target, request, self.possible, own)?;
        if let Resource::Prefix(prefix) = asked.resource() {
            record.key = Some(prefix.as_str().to_owned().into());
        }
        record.operation = Some(asked.operation().name().into());
        record.query_names = query_names(asked.parameter_names()).map(Cow::Owned);
        Ok(asked)
    }

    /// The host, for the rules and for the log. It is only looked at if a rule has `hosts`.
    pub(super) fn host(
        &self,
        request: &CloudFrontRequest<'_>,
        record: &mut DecisionRecord<'_>,
    ) -> Option<String> {
        let host = self.bundle.policy().rules.has_hosts().then(|| host_of(&request.headers)).flatten();
        record.host = host.clone().map(Cow::Owned);
        host
    }

    /// The viewer's address. It only matters if a rule has a condition on it.
    pub(super) fn source(&self, request: &CloudFrontRequest<'_>) -> Result<IpAddr, Refusal> {
        match request.client_ip.parse::<IpAddr>() {
            Ok(address) => Ok(address.to_canonical()),
            Err(_) if self.bundle.policy().reads_source() => {
                Err(Refusal::EventMalformed(EventProblem::ClientIp))
            }
            Err(_) => Ok(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        }
    }
}

/// A browser sends a cookie for the pages of every origin, and so does a proxy its header. So a request that can change something, and comes from
/// a page of another origin (RFC 9110 and the Fetch standard: `Origin`), needs an origin that `[cors]` names.
fn check_origin(request: &CloudFrontRequest<'_>, policy: &Policy) -> Result<(), Refusal> {
    if request.method == "GET" || request.method == "HEAD" || !request.headers.contains_key("origin") {
        return Ok(());
    }
    let origin = origin_of(&request.headers).unwrap_or_default();
    let host = request.headers.get("host").and_then(|lines| lines.first()).map(|line| line.value.as_ref());
    // An attacker on the network can change a page that came over plain HTTP, unless it came from this machine.
    let is_own = Origin::parse(origin).is_some_and(Origin::is_secure)
        && host.is_some()
        && origin.split_once("://").map(|(_, host)| host) == host;
    let is_allowed = policy.cors().is_some_and(|cors| cors.names(origin));
    if is_own || is_allowed { Ok(()) } else { Err(Refusal::OriginNotAllowed) }
}

/// The names of a query as the viewer wrote them, without that of the token.
pub(super) fn names_as_sent(query: &str, own: OwnParameters<'_>) -> Option<String> {
    if query.is_empty() {
        return None;
    }
    let names = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
    query_names(names.filter(|name| Some(*name) != own.token))
}
