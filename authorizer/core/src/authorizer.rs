//! Decides on a request: steps 1 to 8, one after the other.

#[cfg(feature = "code-flow")]
mod code_flow;

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use crate::bundle::Bundle;
use crate::checksum::Checksums;
use crate::cors::{Opening, Preflight, PreflightAnswer, origin_of};
use crate::credential::{Credential, CredentialError, CredentialPlace, Several};
use crate::event::{AddedHeader, CloudFrontRequest, EventProblem, ViewerRequestEvent};
use crate::fetch_url::FetchUrl;
use crate::operation::{Method, S3Operation};
use crate::origin::Origin;
use crate::outcome::{Outcome, PREFLIGHT_STATUS, RefusalForm, SIGN_IN_STATUS};
use crate::policy::Policy;
use crate::record::{ALLOWED_BY_RULE, DecisionRecord, Verdict, query_names};
use crate::refusal::{NoRule, Refusal};
use crate::request::{OwnParameters, Possible, Resource, S3Request, Target};
use crate::rules::{Access, Decision, host_of};
#[cfg(feature = "code-flow")]
use crate::sign_in::code_flow::{AskedTokens, Grant, RandomSource, Reply, TokenAnswer, TokenRequest};
use crate::sign_in::{Next, SignIn};
use crate::time::UnixTime;
use crate::token::{
    Issuer, KeysUnavailable, Principal, PublishedKeysError, Supposed, Trust, VerifyError, WantedKey,
};

/// Decides on viewer-request events by one bundle. Built once, and shared by every request.
///
/// ```
/// use authorizer_core::outcome::Outcome;
/// use authorizer_core::{Authorizer, Bundle, UnixTime};
/// use serde_json::json;
///
/// let policy = serde_json::from_value(json!({
///     "version": 1,
///     "rules": [{"id": "public", "effect": "allow", "anonymous": true, "methods": ["GET"], "keys": ["public/**"]}]
/// }))?;
/// let authorizer = Authorizer::new(Bundle::read(&Bundle::write(&policy)?)?);
///
/// let event = |uri: &str| {
///     json!({"Records": [{"cf": {
///         "config": {"distributionDomainName": "d111111abcdef8.cloudfront.net", "distributionId": "EDFDVBD6EXAMPLE",
///             "eventType": "viewer-request", "requestId": "r1"},
///         "request": {"clientIp": "203.0.113.9", "method": "GET", "uri": uri, "querystring": "", "headers": {}}
///     }}]})
///     .to_string()
///     .into_bytes()
/// };
/// let now = UnixTime::from_seconds(1_800_000_000);
///
/// let event_of_public = event("/public/logo.svg");
/// let authorized = authorizer.authorize(&event_of_public, now);
/// assert!(matches!(authorized.outcome, Outcome::Forward(_)));
/// assert_eq!(authorized.record.rule.as_deref(), Some("public"));
///
/// let event_of_private = event("/private/plan.pdf");
/// let authorized = authorizer.authorize(&event_of_private, now);
/// assert_eq!(authorized.outcome.status(), Some(401));
/// assert_eq!(authorized.record.reason, "token_missing");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Authorizer {
    bundle: Bundle,
    possible: Possible,
    trust: Arc<Trust>,
    #[cfg(feature = "code-flow")]
    random: RandomSource,
}

/// The decision on one event.
#[derive(Clone, Debug, PartialEq)]
pub struct Authorized<'r> {
    /// The result for CloudFront.
    pub outcome: Outcome<'r>,
    /// The line for the decision log.
    pub record: DecisionRecord<'r>,
}

impl Authorized<'_> {
    /// The same as owned data, for a caller that outlives the event.
    pub fn into_owned(self) -> Authorized<'static> {
        Authorized { outcome: self.outcome.into_owned(), record: self.record.into_owned() }
    }
}

/// The token of a request, or the claims that a caller supposes.
#[derive(Clone, Copy)]
enum Word<'w> {
    /// The token of the request itself.
    Proven,
    /// These claims, in addition to what the request contains.
    Supposed(&'w Supposed),
}

/// What a decision depends on beside the event and the policy.
#[derive(Clone, Copy)]
struct Given<'w> {
    word: Word<'w>,
    now: UnixTime,
    /// What the token endpoint answered, if it was asked for this event.
    #[cfg(feature = "code-flow")]
    answer: Option<(Grant, TokenAnswer<'w>)>,
    /// The bytes of the event, for random bytes that are the same each time.
    #[cfg(feature = "code-flow")]
    event: &'w [u8],
}

impl<'w> Given<'w> {
    fn of(word: Word<'w>, now: UnixTime) -> Self {
        Self {
            word,
            now,
            #[cfg(feature = "code-flow")]
            answer: None,
            #[cfg(feature = "code-flow")]
            event: &[],
        }
    }
}

/// What must be fetched first.
enum Wanted {
    /// A key of an issuer.
    Key(WantedKey),
    /// Tokens.
    #[cfg(feature = "code-flow")]
    Tokens(AskedTokens),
}

impl Wanted {
    /// What could change this refusal.
    fn of(refusal: &Refusal) -> Option<Self> {
        match refusal {
            Refusal::KeysUnavailable(KeysUnavailable::NotAsked(key)) => Some(Self::Key(key.clone())),
            _ => None,
        }
    }
}

/// An issuer whose keys must be fetched.
#[derive(Clone, Debug)]
pub struct KeysNeeded<'p> {
    wanted: WantedKey,
    issuer: &'p Issuer,
    url: &'p FetchUrl,
}

impl<'p> KeysNeeded<'p> {
    /// The name of the issuer in the policy.
    pub fn issuer(&self) -> &'p str {
        self.issuer.name()
    }

    /// The URL to fetch.
    pub fn url(&self) -> &'p FetchUrl {
        self.url
    }
}

/// What a decision may depend on, and the caller can fetch.
#[derive(Clone, Debug)]
pub enum Needed<'p> {
    /// The keys of an issuer.
    Keys(KeysNeeded<'p>),
    /// Tokens for a code, or for a refresh token.
    #[cfg(feature = "code-flow")]
    Tokens(TokenRequest<'p>),
}

impl<'p> Needed<'p> {
    /// The keys, if that is what is needed.
    pub fn keys(self) -> Option<KeysNeeded<'p>> {
        match self {
            Self::Keys(keys) => Some(keys),
            #[cfg(feature = "code-flow")]
            Self::Tokens(_) => None,
        }
    }
}

/// Why no rule is checked for a request.
enum Turned {
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

/// The result of a request that is not refused.
enum Decided {
    /// The request goes on to S3, with the headers that the rule adds. `checksums` are those that the rule allows.
    Forward { asked: S3Request, checksums: Checksums, added: Vec<AddedHeader> },
    /// The request is a preflight.
    Preflight(PreflightAnswer),
    /// The viewer is sent to sign in, because of this refusal, with these `Set-Cookie` lines.
    SignIn { location: String, cookies: Vec<String>, refusal: Refusal },
    /// The viewer comes from there, and is refused, with these `Set-Cookie` lines.
    StillRefused { cookies: Vec<String>, refusal: Refusal },
    /// It is a step of a sign-in, which is in the record already.
    #[cfg(feature = "code-flow")]
    Flow(Box<Reply>),
}

impl Authorizer {
    /// Creates an authorizer for a bundle.
    pub fn new(bundle: Bundle) -> Self {
        let possible = bundle.policy().possible();
        let trust = Arc::new(Trust::new(bundle.policy().issuers()));
        Self {
            bundle,
            possible,
            trust,
            #[cfg(feature = "code-flow")]
            random: RandomSource::default(),
        }
    }

    /// The bundle that decides.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// The requests that some rule could allow.
    pub fn possible(&self) -> Possible {
        self.possible
    }

    /// Checks only whether a key of the token's issuer that is present made its signature. Its claims are not looked at.
    ///
    /// # Errors
    /// [`VerifyError`]: why the signature is not known to be the issuer's.
    pub fn verify_signature(&self, token: &str, now: UnixTime) -> Result<(), VerifyError> {
        self.trust.check_signature(token, self.bundle.policy().issuers(), now)
    }

    /// Decides on the bytes of one event, at the instant `now`, with the keys that are present. Every input has an
    /// outcome, and only an outcome that a rule allows forwards the request.
    pub fn authorize<'r>(&'r self, event: &'r [u8], now: UnixTime) -> Authorized<'r> {
        self.authorize_by(event, Given::of(Word::Proven, now)).0
    }

    /// The same, for a caller that can fetch the keys of an issuer.
    ///
    /// # Errors
    /// [`Needed`] if the decision may depend on keys that were not fetched yet, or on tokens that only the provider can
    /// give. After [`take_keys`](Self::take_keys) with these keys, the event can be decided on at that instant.
    pub fn authorize_or_ask<'p: 'r, 'r>(
        &'p self,
        event: &'r [u8],
        now: UnixTime,
    ) -> Result<Authorized<'r>, Needed<'p>> {
        let (authorized, wanted) = self.authorize_by(event, Given::of(Word::Proven, now));
        let needed = wanted.and_then(|wanted| match wanted {
            Wanted::Key(key) => self.keys_needed(key).map(Needed::Keys),
            #[cfg(feature = "code-flow")]
            Wanted::Tokens(asked) => self.tokens_needed(asked).map(Needed::Tokens),
        });
        needed.map_or(Ok(authorized), Err)
    }

    fn keys_needed(&self, wanted: WantedKey) -> Option<KeysNeeded<'_>> {
        let issuer = self.bundle.policy().issuers().get(wanted.issuer)?;
        Some(KeysNeeded { wanted, issuer, url: &issuer.remote_keys()?.url })
    }

    /// Takes the answer of an issuer's URL: the body of a 200, or that there was no such answer. If the answer is not
    /// usable, the last good keys stay.
    ///
    /// # Errors
    /// [`PublishedKeysError`] if the body is not usable. It is for the log.
    pub fn take_keys(
        &self,
        needed: &KeysNeeded<'_>,
        answer: Option<&[u8]>,
        now: UnixTime,
    ) -> Result<(), PublishedKeysError> {
        self.trust.take_keys(&needed.wanted, needed.issuer, answer, now)
    }

    /// Decides as [`authorize`](Self::authorize) would if the request had a token with these claims and a valid
    /// signature. All other checks are the same, also those on the claims. Never use it for a request that goes to
    /// S3.
    pub fn authorize_supposing<'r>(
        &'r self,
        event: &'r [u8],
        supposed: &Supposed,
        now: UnixTime,
    ) -> Authorized<'r> {
        self.authorize_by(event, Given::of(Word::Supposed(supposed), now)).0
    }

    /// The decision, and what must be fetched first.
    fn authorize_by<'r>(&'r self, event: &'r [u8], given: Given<'_>) -> (Authorized<'r>, Option<Wanted>) {
        #[cfg(feature = "code-flow")]
        let given = Given { event, ..given };
        let now = given.now;
        let mut record =
            DecisionRecord { bundle_sha256: self.bundle.sha256().into(), ..DecisionRecord::default() };
        record.time = (!now.is_unknown()).then_some(now);
        let event = match ViewerRequestEvent::parse(event) {
            Ok(event) => event,
            Err(error) => {
                let refusal = Refusal::from(error);
                note_refusal(&refusal, &mut record);
                let outcome = Outcome::refuse(&refusal, None, None, RefusalForm::Problem, Vec::new());
                return (Authorized { outcome, record }, None);
            }
        };
        let ViewerRequestEvent { config, request } = event;
        record.request_id = Some(config.request_id.clone());
        record.distribution_id = Some(config.distribution_id);
        record.method = Some(cut(&request.method));
        let cors = self.bundle.policy().cors();
        let origin = origin_of(&request.headers);
        let headers = |cookies: Vec<String>| {
            let mut headers = cors.map(|cors| cors.response_headers(origin)).unwrap_or_default();
            headers.extend(cookies.into_iter().map(|line| ("Set-Cookie", line)));
            headers
        };
        let refuse = |refusal: &Refusal, cookies| {
            let form = self.refusal_form(&request);
            let id = Some(config.request_id.as_ref());
            Outcome::refuse(refusal, id, Some(&request.method), form, headers(cookies))
        };
        let mut wanted = None;
        let outcome = match self.decide(&request, &given, &mut record) {
            Ok(Decided::Forward { asked, checksums, added }) => {
                record.decision = Verdict::Allow;
                record.reason = ALLOWED_BY_RULE.into();
                record.query = asked.logged_query().map(Cow::Owned);
                record.query_names = None;
                Outcome::forward(request, &asked, checksums, added)
            }
            Ok(Decided::Preflight(answer)) => {
                record.decision = Verdict::Preflight;
                record.status = Some(PREFLIGHT_STATUS);
                record.reason = answer.verdict.reason().into();
                // A preflight has both.
                let headers = cors.zip(origin).map(|(cors, origin)| cors.preflight_headers(origin, &answer));
                Outcome::preflight(headers.unwrap_or_default())
            }
            Ok(Decided::SignIn { location, cookies, refusal }) => {
                note_refusal(&refusal, &mut record);
                record.status = Some(SIGN_IN_STATUS);
                Outcome::sign_in(location, headers(cookies))
            }
            Ok(Decided::StillRefused { cookies, refusal }) => {
                note_refusal(&refusal, &mut record);
                refuse(&refusal, cookies)
            }
            #[cfg(feature = "code-flow")]
            Ok(Decided::Flow(mut reply)) => {
                wanted = code_flow::wanted_of(&mut reply);
                reply.into_outcome()
            }
            Err(refusal) => {
                wanted = Wanted::of(&refusal);
                note_refusal(&refusal, &mut record);
                refuse(&refusal, Vec::new())
            }
        };
        (Authorized { outcome, record }, wanted)
    }

    /// The form in which this client reads a refusal.
    fn refusal_form(&self, request: &CloudFrontRequest<'_>) -> RefusalForm {
        #[cfg(feature = "code-flow")]
        if self.shows_page(request) {
            return RefusalForm::Page;
        }
        RefusalForm::of(&request.headers)
    }

    /// Steps 2 to 6. They write what they learn into the record, so that the log has it for refusals too.
    fn decide<'r>(
        &'r self,
        request: &CloudFrontRequest<'_>,
        given: &Given<'_>,
        record: &mut DecisionRecord<'r>,
    ) -> Result<Decided, Refusal> {
        let policy: &Policy = self.bundle.policy();
        #[cfg(feature = "code-flow")]
        if let Some(answer) = self.answer_own_path(request, given, record) {
            return Ok(answer);
        }
        if policy.cors().is_some()
            && let Some(preflight) = Preflight::of(request)
        {
            return self.answer_preflight(preflight, request, given.now, record).map(Decided::Preflight);
        }
        let access = match self.access_of(request, given.word, given.now, record) {
            Ok(access) => access,
            Err(Turned::Cookie(asked, refusal)) => {
                return self.sign_in_or_refuse(request, &asked, refusal, given, record);
            }
            Err(Turned::Refused(refusal)) => return Err(refusal),
        };
        match (policy.decide(&access), &access.principal) {
            (Decision::Allow(rule), _) => {
                record.rule = Some(rule.id().into());
                let terms = rule.terms();
                let added = terms.headers(access.request.operation(), access.claims());
                Ok(Decided::Forward { asked: access.request, checksums: terms.checksums, added })
            }
            (Decision::Deny(rule), _) => {
                record.rule = Some(rule.id().into());
                Err(Refusal::DeniedByRule)
            }
            // A request without a token may still be allowed with one.
            (Decision::Default { furthest: Some(limit), .. }, principal)
                if limit.is_of_terms()
                    && (matches!(principal, Principal::Verified(_))
                        || !policy.rules.token_could_help(&access)) =>
            {
                Err(Refusal::from(limit))
            }
            (Decision::Default { .. }, Principal::Anonymous) => {
                self.sign_in_or_refuse(request, &access.request, Refusal::TokenMissing, given, record)
            }
            (Decision::Default { lacking_scope: Some(scope), .. }, Principal::Verified(_)) => {
                Err(Refusal::InsufficientScope { scope })
            }
            (Decision::Default { furthest, lacking_scope: None }, Principal::Verified(_)) => {
                Err(furthest.map_or(Refusal::NoRule(NoRule::KeyNotAllowed), Refusal::from))
            }
        }
    }

    /// Sends a person who opens a page to sign in, unless they just come from there. Everything else is refused.
    #[cfg_attr(
        not(feature = "code-flow"),
        allow(unused_variables, reason = "only the code flow depends on more")
    )]
    fn sign_in_or_refuse<'r>(
        &'r self,
        request: &CloudFrontRequest<'_>,
        asked: &S3Request,
        refusal: Refusal,
        given: &Given<'_>,
        record: &mut DecisionRecord<'r>,
    ) -> Result<Decided, Refusal> {
        #[cfg(feature = "code-flow")]
        if let Some(step) = self.open_page(request, asked, &refusal, given, record) {
            return Ok(step);
        }
        let policy = self.bundle.policy();
        let cookie = policy.credentials().cookie.as_ref();
        match policy.sign_in().and_then(SignIn::redirect).and_then(|at| at.next(request, asked, cookie)) {
            Some(Next::SignIn { location, cookies }) => Ok(Decided::SignIn { location, cookies, refusal }),
            Some(Next::Refuse { cookies }) => Ok(Decided::StillRefused { cookies, refusal }),
            None => Err(refusal),
        }
    }

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
    fn access_of<'r>(
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

    /// A preflight asks what could be done to the same key, with any token that the request may have. Errors in its
    /// query or headers are reported to the request itself, in an answer that the page can read.
    fn answer_preflight(
        &self,
        preflight: Preflight<'_>,
        request: &CloudFrontRequest<'_>,
        now: UnixTime,
        record: &mut DecisionRecord<'_>,
    ) -> Result<PreflightAnswer, Refusal> {
        let policy = self.bundle.policy();
        record.query_names = names_as_sent(&request.querystring, policy.own_parameters()).map(Cow::Owned);
        let host = self.host(request, record);
        let resource = self.resource_of(&preflight, request).ok();
        record.key = resource.as_ref().map(|resource| resource.as_str().to_owned().into());
        if !policy.cors().is_some_and(|cors| cors.allows(preflight.origin)) {
            return Err(Refusal::OriginNotAllowed);
        }
        let Some(resource) = resource else { return Ok(preflight.answer_as_asked()) };
        let source = self.source(request)?;
        // The query of a preflight is that of the request.
        let asked = self.operation_of(&preflight, request);
        let openings: Vec<_> = policy
            .rules
            .could_allow(&resource, source, host.as_deref(), now)
            .into_iter()
            .filter(|(operation, _)| {
                let is_asked = asked.is_none_or(|asked| asked == *operation)
                    || operation.method().as_str() != preflight.method;
                resource.is_of(*operation) && is_asked
            })
            .map(|(operation, rule)| Opening { operation, terms: rule.terms() })
            .collect();
        Ok(preflight.answer(&openings, policy.credentials().proxy_header()))
    }

    /// The operation of the request after the preflight; `None` if it would be refused for its method or its query.
    fn operation_of(
        &self,
        preflight: &Preflight<'_>,
        request: &CloudFrontRequest<'_>,
    ) -> Option<S3Operation> {
        let method = Method::parse(preflight.method)?;
        let target = Target::of(preflight.method, request).ok()?;
        let own = self.bundle.policy().own_parameters();
        S3Request::asked(target, method, &request.querystring, self.possible.operations, own)
            .ok()
            .map(|asked| asked.operation())
    }

    /// What the request after the preflight will do.
    fn resource_of(
        &self,
        preflight: &Preflight<'_>,
        request: &CloudFrontRequest<'_>,
    ) -> Result<Resource, Refusal> {
        match Target::of(preflight.method, request).map_err(Refusal::Key)? {
            Target::Object(key) => Ok(Resource::Object(key)),
            Target::Bucket => {
                let query = &request.querystring;
                let own = self.bundle.policy().own_parameters();
                S3Request::asked(Target::Bucket, Method::Get, query, self.possible.operations, own)
                    .map(S3Request::into_resource)
                    .map_err(Refusal::from)
            }
        }
    }

    /// The host, for the rules and for the log. It is only looked at if a rule has `hosts`.
    fn host(&self, request: &CloudFrontRequest<'_>, record: &mut DecisionRecord<'_>) -> Option<String> {
        let host = self.bundle.policy().rules.has_hosts().then(|| host_of(&request.headers)).flatten();
        record.host = host.clone().map(Cow::Owned);
        host
    }

    /// The viewer's address. It only matters if a rule has a condition on it.
    fn source(&self, request: &CloudFrontRequest<'_>) -> Result<IpAddr, Refusal> {
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

fn note_refusal(refusal: &Refusal, record: &mut DecisionRecord<'_>) {
    record.decision = Verdict::Refuse;
    record.status = Some(refusal.status());
    record.reason = refusal.reason().into();
    if let Refusal::EventMalformed(problem) = refusal {
        record.problem = Some(problem.to_string().into());
    }
    #[cfg(feature = "code-flow")]
    if let Refusal::SignIn(error) = refusal {
        record.problem = error.fault().map(|fault| fault.word().into());
    }
}

/// The names of a query as the viewer wrote them, without that of the token.
fn names_as_sent(query: &str, own: OwnParameters<'_>) -> Option<String> {
    if query.is_empty() {
        return None;
    }
    let names = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
    query_names(names.filter(|name| Some(*name) != own.token))
}

/// A method for the log. It is cut short, because the viewer can send anything.
fn cut<'e>(method: &Cow<'e, str>) -> Cow<'e, str> {
    const MOST: usize = 16;
    match method.char_indices().nth(MOST) {
        None => method.clone(),
        Some(_) => method.chars().take(MOST).collect::<String>().into(),
    }
}
