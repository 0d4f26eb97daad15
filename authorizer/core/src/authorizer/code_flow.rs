//! The part of a decision that signs people in: `[sign_in]` with `issuer`.

use super::access::names_as_sent;
use super::needed::{KeysNeeded, Wanted};
use super::{Authorized, Authorizer, Decided, Given, Word, note_refusal};
use crate::event::CloudFrontRequest;
use crate::record::{DecisionRecord, Verdict};
use crate::refusal::Refusal;
use crate::request::S3Request;
use crate::sign_in::code_flow::{
    Answered, AskedTokens, CodeFlow, Grant, Logged, OTHER_HOST, Random, RandomSource, Reply, Step,
    TokenAnswer, TokenRequest,
};
use crate::sign_in::{SignIn, is_of_a_window};
use crate::time::UnixTime;

impl Authorizer {
    /// The same authorizer with other random bytes, for tests and for replay.
    #[must_use]
    pub fn with_random(mut self, random: RandomSource) -> Self {
        self.random = random;
        self
    }

    /// Decides on the same event with what the token endpoint answered to this request, which
    /// [`authorize_or_ask`](Self::authorize_or_ask) gave for it.
    ///
    /// # Errors
    /// [`KeysNeeded`] if the new tokens may be signed with keys that were not fetched yet. After
    /// [`take_keys`](Self::take_keys) with these keys, the same can be asked again. A caller that does not fetch once more
    /// asks [`take_tokens_without_asking`](Self::take_tokens_without_asking).
    pub fn take_tokens<'p: 'r, 'r>(
        &'p self,
        event: &'r [u8],
        request: &TokenRequest<'p>,
        answer: TokenAnswer<'_>,
        now: UnixTime,
    ) -> Result<Authorized<'r>, KeysNeeded<'p>> {
        let (authorized, wanted) = self.authorize_by(event, Given::answered(request.grant(), answer, now));
        let keys = wanted.and_then(|wanted| match wanted {
            Wanted::Key(key) => self.keys_needed(key),
            Wanted::Tokens(_) => None,
        });
        keys.map_or(Ok(authorized), Err)
    }

    /// The same with the keys that are present: `keys_unavailable` if they are not enough.
    pub fn take_tokens_without_asking<'p: 'r, 'r>(
        &'p self,
        event: &'r [u8],
        request: &TokenRequest<'p>,
        answer: TokenAnswer<'_>,
        now: UnixTime,
    ) -> Authorized<'r> {
        self.authorize_by(event, Given::answered(request.grant(), answer, now)).0
    }

    /// The code flow of the policy.
    fn code_flow(&self) -> Option<&CodeFlow> {
        self.bundle.policy().sign_in().and_then(SignIn::code_flow)
    }

    /// Whether the function answers this path itself. No request for it goes to S3.
    pub(super) fn is_own_path(&self, request: &CloudFrontRequest<'_>) -> bool {
        self.code_flow().is_some_and(|flow| flow.paths().contains(&request.uri.as_ref()))
    }

    /// Whether a person sees a refusal as a page. Where people do not sign in here, pages are answered as everything else.
    pub(super) fn shows_page(&self, request: &CloudFrontRequest<'_>) -> bool {
        self.code_flow().is_some() && is_of_a_window(&request.headers)
    }

    /// The answer to a request for one of the function's own paths.
    pub(super) fn answer_own_path<'r>(
        &'r self,
        request: &CloudFrontRequest<'_>,
        given: &Given<'_>,
        record: &mut DecisionRecord<'r>,
    ) -> Option<Decided> {
        if !self.is_own_path(request) {
            return None;
        }
        let own = self.bundle.policy().own_parameters();
        record.query_names = names_as_sent(&request.querystring, own).map(Into::into);
        let request_id = record.request_id.clone().unwrap_or_default();
        let answered = self.step(request, &request_id, given)?.answer_own_path()?;
        Some(self.noted(answered, record))
    }

    /// The answer to a person who opens a page and has no token that is accepted.
    pub(super) fn open_page<'r>(
        &'r self,
        request: &CloudFrontRequest<'_>,
        asked: &S3Request,
        refusal: &Refusal,
        given: &Given<'_>,
        record: &mut DecisionRecord<'r>,
    ) -> Option<Decided> {
        let request_id = record.request_id.clone().unwrap_or_default();
        let answered = self.step(request, &request_id, given)?.open_page(asked, refusal)?;
        Some(self.noted(answered, record))
    }

    fn noted<'r>(&'r self, (reply, claims): Answered<'r>, record: &mut DecisionRecord<'r>) -> Decided {
        let policy = self.bundle.policy();
        if let Some(claims) = claims {
            record.note_principal(&claims, policy.subject_logging, policy.claim_hasher());
        }
        match &reply.logged {
            Logged::Done(word) => {
                record.decision = Verdict::SignIn;
                record.reason = word.reason().into();
            }
            Logged::Refused(refusal) => note_refusal(refusal, record),
            Logged::OtherHost(refusal) => {
                note_refusal(refusal, record);
                record.problem = Some(OTHER_HOST.into());
            }
        }
        record.status = Some(reply.status);
        Decided::Flow(Box::new(reply))
    }

    fn step<'c, 'p>(
        &'p self,
        request: &'c CloudFrontRequest<'c>,
        request_id: &'c str,
        given: &Given<'c>,
    ) -> Option<Step<'c, 'p>>
    where
        'p: 'c,
    {
        Some(Step {
            flow: self.code_flow()?,
            issuers: self.bundle.policy().issuers(),
            trust: &self.trust,
            request,
            request_id,
            random: Random::new(&self.random, given.event, given.now),
            answer: given.answer,
            now: given.now,
        })
    }

    /// The request to the token endpoint, for the caller.
    pub(super) fn tokens_needed(&self, asked: AskedTokens) -> Option<TokenRequest<'_>> {
        let flow = self.code_flow()?;
        let issuer = self.bundle.policy().issuers().get(flow.issuer())?;
        Some(asked.of(flow, issuer.name()))
    }
}

impl<'w> Given<'w> {
    fn answered(grant: Grant, answer: TokenAnswer<'w>, now: UnixTime) -> Self {
        Self { answer: Some((grant, answer)), ..Self::of(Word::Proven, now) }
    }
}

/// What must be fetched before the decision that this reply is for.
pub(super) fn wanted_of(reply: &mut Reply) -> Option<Wanted> {
    if let Some(asked) = reply.asked.take() {
        return Some(Wanted::Tokens(asked));
    }
    match &reply.logged {
        Logged::Refused(refusal) | Logged::OtherHost(refusal) => Wanted::of(refusal),
        Logged::Done(_) => None,
    }
}
