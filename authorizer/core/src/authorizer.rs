//! Decides on a request: steps 1 to 8, one after the other.

mod access;
#[cfg(feature = "code-flow")]
mod code_flow;
mod needed;
mod preflight;

use std::borrow::Cow;
use std::sync::Arc;

use access::Turned;
use needed::Wanted;
pub use needed::{KeysNeeded, Needed};

use crate::bundle::Bundle;
use crate::checksum::Checksums;
use crate::cors::{Preflight, PreflightAnswer, origin_of};
use crate::event::{AddedHeader, CloudFrontRequest, ViewerRequestEvent};
use crate::outcome::{Outcome, PREFLIGHT_STATUS, RefusalForm, SIGN_IN_STATUS};
use crate::policy::Policy;
use crate::record::{ALLOWED_BY_RULE, DecisionRecord, Verdict};
use crate::refusal::{NoRule, Refusal};
use crate::request::{Possible, S3Request};
use crate::rules::Decision;
#[cfg(feature = "code-flow")]
use crate::sign_in::code_flow::{Grant, RandomSource, Reply, TokenAnswer};
use crate::sign_in::{Next, SignIn};
use crate::time::UnixTime;
use crate::token::{Principal, Supposed, Trust, VerifyError};

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

/// A method for the log. It is cut short, because the viewer can send anything.
fn cut<'e>(method: &Cow<'e, str>) -> Cow<'e, str> {
    const MOST: usize = 16;
    match method.char_indices().nth(MOST) {
        None => method.clone(),
        Some(_) => method.chars().take(MOST).collect::<String>().into(),
    }
}
