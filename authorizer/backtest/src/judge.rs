//! The outcome of a recorded request under another policy.
//!
//! A request is allowed if it reaches the rules (it has a valid token, or no token), an allow rule matches, and no
//! deny rule matches. Each of these is answered from the log; and, if the policy that decided before is known, from
//! its decision.

use std::borrow::Cow;

use authorizer_core::UnixTime;
use authorizer_core::code_flow::CodeFlow;
use authorizer_core::operation::S3Operation;
use authorizer_core::record::SubjectLogging;
use authorizer_core::rules::{Effect, Rule};

use super::facts::{Caller, Facts, Requested, Span, TokenSubject};
use super::front::BacktestPolicy;
use super::guesses::Guesses;
use super::hashed::HashedClaims;
use super::holds::Holds;
use super::missing::{ClaimNames, Missing, MissingSet};
use super::recorded::{Before, Came, Recorded, Stage};
use super::rule::{Assumptions, Inquiry};

/// The decision log truncates subjects at this number of characters.
const CUT_SUBJECT: usize = 256;

/// Applies a policy to recorded requests.
#[derive(Clone, Debug)]
pub(super) struct Judge {
    pub(super) policy: BacktestPolicy,
    /// The policy that decided before.
    pub(super) old: Option<BacktestPolicy>,
    pub(super) names: ClaimNames,
    pub(super) assumptions: Assumptions,
    /// The instant to decide at, instead of the request's own.
    pub(super) now: Option<UnixTime>,
}

/// The outcome of a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum After<'p> {
    /// It is allowed; by this rule, if it is known which.
    Allowed(Option<&'p Rule>),
    /// It is refused; by this deny rule, or because no rule allows it.
    Refused(Option<&'p Rule>),
    /// It depends on facts that are not in the log; with the first rule that it depends on.
    Open(MissingSet, Option<&'p Rule>),
}

impl<'p> After<'p> {
    /// The outcome of a request that has one of these two.
    fn or_else(self, other: Self) -> Self {
        let rule = |one: Option<&'p Rule>, other: Option<&'p Rule>| match (one, other) {
            (Some(one), Some(other)) if one.id() == other.id() => Some(one),
            _ => None,
        };
        let why = MissingSet::of(Missing::Refusal);
        match (self, other) {
            (Self::Allowed(one), Self::Allowed(other)) => Self::Allowed(rule(one, other)),
            (Self::Refused(one), Self::Refused(other)) => Self::Refused(rule(one, other)),
            (Self::Open(missing, one), Self::Open(more, other)) => {
                Self::Open(missing.with(more), one.or(other))
            }
            (Self::Open(missing, one), Self::Allowed(other) | Self::Refused(other))
            | (Self::Allowed(other) | Self::Refused(other), Self::Open(missing, one)) => {
                Self::Open(missing.with(why), one.or(other))
            }
            (Self::Allowed(rule), Self::Refused(_)) | (Self::Refused(_), Self::Allowed(rule)) => {
                Self::Open(why, rule)
            }
        }
    }
}

/// One way in which a request can have been decided.
#[derive(Clone, Copy)]
struct View<'v, 'l> {
    recorded: &'v Recorded<'l>,
    asked: &'v Requested,
    /// The policy that decided, if it is known.
    decider: Option<&'v BacktestPolicy>,
    before: &'v Before<'l>,
    came: &'v Came<'l>,
    assumptions: Assumptions,
}

/// Whether a request reaches the rules.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Front {
    Passed,
    Refused,
    Open,
}

/// What the earlier decision shows about the rules of the policy that made it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Told {
    /// Nothing.
    Nothing,
    /// No deny rule matched, and some allow rule did.
    Allowed,
    /// This deny rule matched.
    Denied,
    /// No rule matched.
    NoRule,
}

impl Judge {
    /// The paths that the function answers itself, by this policy or by the one that decided before.
    pub(super) fn own_paths(&self) -> Vec<&str> {
        let policies = [Some(&self.policy), self.old.as_ref()].into_iter().flatten();
        let flows = policies.filter_map(|policy| policy.bundle().policy().sign_in()?.code_flow());
        flows.flat_map(CodeFlow::paths).collect()
    }

    /// The policy that decided before, if it is known.
    pub(super) fn decider(&self, recorded: &Recorded<'_>) -> Option<&BacktestPolicy> {
        match &recorded.bundle {
            Some(sha256) => {
                let known = self.old.iter().chain([&self.policy]);
                known.into_iter().find(|policy| policy.bundle().sha256() == sha256)
            }
            None => self.old.as_ref(),
        }
    }

    /// The assumptions that this line shows to be wrong.
    pub(super) fn contradicted(&self, recorded: &Recorded<'_>) -> Assumptions {
        let mut contradicted = recorded.contradicted;
        // Without the policy that decided, its salt is assumed to be this one's.
        let is_salted_otherwise = self.decider(recorded).is_none()
            && recorded.claims.as_ref().is_some_and(|claims| {
                let hasher = self.policy.bundle().policy().claim_hasher();
                hasher.is_some_and(|hasher| hasher.salt_id() != claims.salt_id)
            });
        contradicted.tokens |=
            self.assumptions.tokens && (self.policy.refuses_holder(&recorded.came) || is_salted_otherwise);
        self.assumptions.both(contradicted)
    }

    /// What becomes of a request.
    pub(super) fn judge(&self, recorded: &Recorded<'_>) -> After<'_> {
        let Ok(asked) = &recorded.asked else { return After::Refused(None) };
        let assumptions = self.assumptions.without(self.contradicted(recorded));
        let view = View {
            recorded,
            asked,
            decider: self.decider(recorded),
            before: &recorded.before,
            came: &recorded.came,
            assumptions,
        };
        match &recorded.before {
            Before::Answered(guesses) => self.judge_guesses(&view, *guesses),
            Before::Allowed { .. } | Before::Refused { .. } | Before::Unknown => self.judge_as(&view),
        }
    }

    /// What becomes of a request that was refused in one of these ways: known if it is the same for each that is
    /// possible.
    fn judge_guesses(&self, view: &View<'_, '_>, guesses: Guesses) -> After<'_> {
        let mut all: Option<After<'_>> = None;
        for (stage, came) in guesses.iter() {
            let before = Before::Refused { stage, rule: None, reason: None };
            let view = View { before: &before, came: &came, ..*view };
            if !self.is_possible(&view, stage) {
                continue;
            }
            let one = self.judge_as(&view);
            all = Some(all.map_or(one, |all| all.or_else(one)));
        }
        // If it cannot have been refused at all, another policy than the given one decided.
        all.unwrap_or_else(|| {
            let before = Before::Refused { stage: Stage::Unknown, rule: None, reason: None };
            self.judge_as(&View { before: &before, decider: None, ..*view })
        })
    }

    /// Whether the rules of the earlier policy, if it is known, can have refused the request at this stage.
    fn is_possible(&self, view: &View<'_, '_>, stage: Stage) -> bool {
        let Some(decider) = view.decider else { return true };
        let who = match view.came {
            Came::Nobody => Caller::Anonymous,
            Came::SomeHolder => Caller::OneOf(decider.issuer_names()),
            Came::Holder { .. } | Came::Unknown => Caller::Unknown,
        };
        let asked = asked_of(view);
        let facts = Facts::new(&asked, view.recorded.source, view.recorded.at, who, &[])
            .with_host(view.recorded.host.as_deref());
        let past = Inquiry {
            facts: &facts,
            names: &self.names,
            assumptions: view.assumptions,
            same_instant: true,
            periods: true,
        };
        let rules = decider.rules_for(view.asked.resource.as_ref());
        let has_none = matches!(view.came, Came::SomeHolder) && decider.issuer_names().is_empty();
        match stage {
            _ if has_none => false,
            Stage::Denied => of_effect(&rules, Effect::Deny).any(|rule| past.ask(rule, None) != Holds::No),
            Stage::NoRule => rules.iter().all(|rule| past.ask(rule, None) != Holds::Yes),
            Stage::Always
            | Stage::Unknown
            | Stage::Credential
            | Stage::TokenForm
            | Stage::Trust
            | Stage::Keys => true,
        }
    }

    fn judge_as(&self, view: &View<'_, '_>) -> After<'_> {
        let front = self.front(view);
        if front == Front::Refused {
            return After::Refused(None);
        }
        let View { recorded, before, .. } = *view;
        let asked = &*asked_of(view);
        // Facts about the token hold for this policy only if it is known to find and trust the same token.
        let decider =
            view.decider.filter(|decider| front == Front::Passed || self.is_alike(decider, view.assumptions));
        let told = match (front, decider) {
            (Front::Passed, Some(_)) => told(before),
            (Front::Passed | Front::Refused | Front::Open, _) => Told::Nothing,
        };
        let named = decider.filter(|_| told != Told::Nothing).and_then(|decider| rule_of(before, decider));
        let who = match front {
            Front::Passed => self.who(view.came, decider),
            Front::Refused | Front::Open => Caller::Unknown,
        };
        let at = self.now.map_or(recorded.at, |now| Span { first: now, last: now });
        let held = named.map(Rule::conditions).unwrap_or_default();
        let hashed = match (&who, &recorded.claims) {
            (Caller::Holder { .. }, Some(claims)) => {
                // As for subjects: without the policy that decided, this one's `[log]` is assumed.
                let hasher = decider.unwrap_or(&self.policy).bundle().policy().claim_hasher();
                // Digests with another salt tell nothing.
                let hasher = hasher.filter(|hasher| hasher.salt_id() == claims.salt_id);
                hasher.map(|hasher| HashedClaims { logged: &claims.digests, hasher })
            }
            (Caller::Holder { .. } | Caller::OneOf(_) | Caller::Anonymous | Caller::Unknown, _) => None,
        };
        let rules = self.policy.rules_for(asked.resource.as_ref());
        let rules_before = decider.map(|decider| decider.rules_for(asked.resource.as_ref()));
        let rules_before = rules_before.unwrap_or_default();
        let inquiry = |facts| Inquiry {
            facts,
            names: &self.names,
            assumptions: view.assumptions,
            same_instant: self.now.is_none(),
            periods: true,
        };
        let facts = Facts::new(asked, recorded.source, at, who, held)
            .with_host(recorded.host.as_deref())
            .with_claims(hashed);
        let case = Case { inquiry: inquiry(&facts), rules: &rules, before: &rules_before, told, named };
        let after = case.decide();
        let was_refused = matches!(before, Before::Refused { .. });
        let is_refused_as_before =
            |case: &Case<'_, '_, '_>| was_refused && decider.is_some() && case.was_allowed_if_allowed();
        let after = match (after, front) {
            (After::Allowed(_) | After::Open(..), Front::Open) if is_refused_as_before(&case) => {
                After::Refused(None)
            }
            (After::Allowed(rule), Front::Open) => After::Open(missing_front(view.came), rule),
            (After::Open(missing, rule), Front::Open) => {
                After::Open(missing.with(missing_front(view.came)), rule)
            }
            _ => after,
        };
        match after {
            After::Refused(rule) if front == Front::Passed && self.may_have_more_tokens(view) => {
                // The log names one token. Another one, in another cookie, may be allowed.
                let facts = Facts::new(asked, recorded.source, at, Caller::Unknown, &[])
                    .with_host(recorded.host.as_deref());
                let anyone = Case {
                    inquiry: inquiry(&facts),
                    rules: &rules,
                    before: &rules_before,
                    told: Told::Nothing,
                    named: None,
                };
                match anyone.decide() {
                    After::Refused(_) => after,
                    After::Allowed(_) | After::Open(..) if is_refused_as_before(&anyone) => after,
                    After::Allowed(other) => After::Open(MissingSet::of(Missing::Token), other.or(rule)),
                    After::Open(missing, other) => {
                        After::Open(missing.with(MissingSet::of(Missing::Token)), other.or(rule))
                    }
                }
            }
            After::Allowed(rule) if !self.is_recognised(view) => {
                After::Open(MissingSet::of(Missing::Query), rule)
            }
            After::Allowed(_) | After::Refused(_) | After::Open(..) => after,
        }
    }

    /// Whether the request may have had several tokens, of which the first that is allowed counts: in cookies, under
    /// policies with `[sign_in]`.
    fn may_have_more_tokens(&self, view: &View<'_, '_>) -> bool {
        let is_read = view.recorded.method == "GET" || view.recorded.method == "HEAD";
        let had = view.decider.is_none_or(BacktestPolicy::looks_at_several);
        let is_holder = matches!(view.came, Came::Holder { .. } | Came::SomeHolder);
        is_read && had && is_holder && self.policy.looks_at_several()
    }

    /// Whether the policy drops each query parameter that the earlier one dropped. The decision log does not have these,
    /// even where it has the query that went to S3.
    fn is_recognised(&self, view: &View<'_, '_>) -> bool {
        view.asked.has_whole_query
            || view.decider.is_none_or(|decider| self.policy.ignores_all_of(decider))
            || !view.asked.operations.any(S3Operation::reads_object)
    }

    fn is_alike(&self, decider: &BacktestPolicy, assumptions: Assumptions) -> bool {
        assumptions.tokens || self.policy.is_alike(decider)
    }

    /// Whether the request reaches the rules, with its token.
    fn front(&self, view: &View<'_, '_>) -> Front {
        let View { recorded, decider, .. } = *view;
        let finds = |decider: &BacktestPolicy| self.policy.finds_as(decider);
        let lets_pages = |decider: &BacktestPolicy| {
            recorded.method == "GET" || recorded.method == "HEAD" || self.policy.lets_pages_as(decider)
        };
        let is_same = |is_same: &dyn Fn(&BacktestPolicy) -> bool| {
            view.assumptions.tokens || decider.is_some_and(is_same)
        };
        let (stays, same) = match view.before {
            Before::Unknown | Before::Answered(_) | Before::Refused { stage: Stage::Unknown, .. } => {
                return Front::Open;
            }
            Before::Refused { stage: Stage::Always, .. } => return Front::Refused,
            Before::Refused { stage: Stage::TokenForm, .. } => (Front::Refused, is_same(&finds)),
            Before::Refused { stage: Stage::Credential, .. } => {
                let refuses_several = |decider: &BacktestPolicy| self.policy.refuses_several_as(decider);
                let is_same =
                    is_same(&|decider| finds(decider) && lets_pages(decider) && refuses_several(decider));
                (Front::Refused, is_same)
            }
            Before::Refused { stage: Stage::Trust, .. } => (
                Front::Refused,
                is_same(&|decider| finds(decider) && self.policy.trusts_nobody_else(decider)),
            ),
            Before::Refused { stage: Stage::Keys, .. } => (Front::Refused, view.assumptions.tokens),
            Before::Allowed { .. } | Before::Refused { stage: Stage::Denied | Stage::NoRule, .. } => (
                Front::Passed,
                is_same(&|decider| {
                    finds(decider)
                        && match view.came {
                            Came::Nobody => true,
                            Came::Holder { issuer, .. } => {
                                lets_pages(decider) && self.policy.trusts_as(decider, issuer)
                            }
                            Came::SomeHolder | Came::Unknown => {
                                lets_pages(decider) && self.policy.trusts_nobody_else(decider)
                            }
                        }
                }),
            ),
        };
        if same { stays } else { Front::Open }
    }

    fn who<'l>(&'l self, came: &'l Came<'_>, decider: Option<&'l BacktestPolicy>) -> Caller<'l> {
        match came {
            Came::Nobody => Caller::Anonymous,
            Came::Unknown => Caller::Unknown,
            Came::SomeHolder => Caller::OneOf(self.policy.issuer_names()),
            Came::Holder { issuer, subject } => {
                let subject = subject.as_deref().map_or(TokenSubject::Unknown, |subject| {
                    let is_digest = subject.len() == 64 && subject.bytes().all(is_lower_hex);
                    let logging = match decider {
                        Some(decider) => decider.subject_logging(),
                        // Only a digest looks like this.
                        None if !is_digest => SubjectLogging::Plain,
                        None => self.policy.subject_logging(),
                    };
                    let iss = decider.unwrap_or(&self.policy).iss(issuer);
                    match (logging, iss) {
                        (SubjectLogging::Plain, _) if subject.chars().count() < CUT_SUBJECT => {
                            TokenSubject::Text(subject)
                        }
                        (SubjectLogging::Hashed, Some(iss)) if is_digest => {
                            TokenSubject::Digest { digest: subject, iss }
                        }
                        (SubjectLogging::Plain | SubjectLogging::Hashed | SubjectLogging::Omitted, _) => {
                            TokenSubject::Unknown
                        }
                    }
                });
                Caller::Holder { issuer, subject }
            }
        }
    }
}

/// What was asked for. If the log does not have the query, the operation is one that the earlier policy recognises: it
/// refuses all others before it looks for a token.
fn asked_of<'v>(view: &View<'v, '_>) -> Cow<'v, Requested> {
    let was_recognised = match view.before {
        Before::Allowed { .. } => true,
        Before::Refused { stage, .. } => match stage {
            Stage::Credential
            | Stage::TokenForm
            | Stage::Trust
            | Stage::Keys
            | Stage::Denied
            | Stage::NoRule => true,
            Stage::Always | Stage::Unknown => false,
        },
        Before::Answered(_) | Before::Unknown => false,
    };
    match view.decider {
        Some(decider) if was_recognised && view.asked.resource.is_some() => {
            let operations = view.asked.operations.intersection(decider.recognised());
            match operations.is_empty() || operations == view.asked.operations {
                true => Cow::Borrowed(view.asked),
                false => Cow::Owned(Requested { operations, ..view.asked.clone() }),
            }
        }
        Some(_) | None => Cow::Borrowed(view.asked),
    }
}

fn missing_front(came: &Came<'_>) -> MissingSet {
    MissingSet::of(match came {
        Came::Holder { .. } | Came::SomeHolder => Missing::Verification,
        Came::Nobody | Came::Unknown => Missing::Token,
    })
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

fn told(before: &Before<'_>) -> Told {
    match before {
        Before::Allowed { .. } => Told::Allowed,
        Before::Refused { stage: Stage::Denied, .. } => Told::Denied,
        Before::Refused { stage: Stage::NoRule, .. } => Told::NoRule,
        Before::Refused { .. } | Before::Answered(_) | Before::Unknown => Told::Nothing,
    }
}

/// The rule that the log names, in the earlier policy.
fn rule_of<'p>(before: &Before<'_>, decider: &'p BacktestPolicy) -> Option<&'p Rule> {
    let (Before::Allowed { rule } | Before::Refused { rule, .. }) = before else { return None };
    let id = rule.as_deref()?;
    decider.rule(id)
}

/// One request, the rules of the new policy, and the rules of the earlier one. Only rules that may match it.
struct Case<'c, 'l, 'p> {
    inquiry: Inquiry<'c, 'l>,
    rules: &'c [&'p Rule],
    before: &'c [&'c Rule],
    told: Told,
    /// A rule of the earlier policy that matched.
    named: Option<&'c Rule>,
}

impl<'p> Case<'_, '_, 'p> {
    fn decide(&self) -> After<'p> {
        if self.was_denied_by_what_denies() {
            return After::Refused(None);
        }
        let mut open = (MissingSet::default(), None);
        for rule in of_effect(self.rules, Effect::Deny) {
            match self.ask(rule) {
                Holds::Yes => return After::Refused(Some(rule)),
                Holds::Open(missing) => open = (open.0.with(missing), open.1.or(Some(rule))),
                Holds::No => {}
            }
        }
        let mut allowed = None;
        let mut may_allow = (MissingSet::default(), None);
        for rule in of_effect(self.rules, Effect::Allow) {
            match self.ask(rule) {
                Holds::Yes => {
                    allowed = Some(rule);
                    break;
                }
                Holds::Open(missing) => may_allow = (may_allow.0.with(missing), may_allow.1.or(Some(rule))),
                Holds::No => {}
            }
        }
        let is_allowed = allowed.is_some() || self.was_allowed_by_what_allows();
        match (is_allowed, may_allow.1) {
            (false, None) => After::Refused(None),
            (true, _) if open.1.is_none() => After::Allowed(allowed),
            (true, _) => After::Open(open.0, open.1),
            (false, Some(rule)) => After::Open(open.0.with(may_allow.0), open.1.or(Some(rule))),
        }
    }

    /// Whether the rule matches, by the log and by the decision before.
    fn ask(&self, rule: &Rule) -> Holds {
        match self.inquiry.ask(rule, self.named) {
            // If it matched, one would have matched that did not.
            Holds::Open(_) if self.did_not_match(rule.effect()) && self.is_narrower(rule) => Holds::No,
            answer => answer,
        }
    }

    /// Whether it is known that no earlier rule with this effect matched.
    fn did_not_match(&self, effect: Effect) -> bool {
        match (self.told, effect) {
            (Told::Allowed, Effect::Deny) | (Told::NoRule, Effect::Allow | Effect::Deny) => true,
            (Told::Nothing | Told::Denied, _) | (Told::Allowed, Effect::Allow) => false,
        }
    }

    /// Whether an earlier rule matches whenever this one does.
    fn is_narrower(&self, rule: &Rule) -> bool {
        of_effect(self.before, rule.effect()).any(|before| self.past().covers(before, rule))
    }

    /// Whether each earlier rule that may have allowed the request is covered by a rule that allows it now.
    fn was_allowed_by_what_allows(&self) -> bool {
        if self.told != Told::Allowed || self.named.is_some() {
            return false;
        }
        let past = self.past();
        let mut may_have =
            of_effect(self.before, Effect::Allow).filter(|rule| past.ask(rule, None) != Holds::No).peekable();
        // If no rule can have allowed it, the log is from another policy.
        may_have.peek().is_some()
            && may_have.all(|before| {
                of_effect(self.rules, Effect::Allow).any(|rule| self.inquiry.covers(rule, before))
            })
    }

    /// Whether each earlier rule that may have denied the request is covered by a rule that denies it now.
    fn was_denied_by_what_denies(&self) -> bool {
        if self.told != Told::Denied || self.named.is_some() {
            return false;
        }
        let past = self.past();
        let mut may_have =
            of_effect(self.before, Effect::Deny).filter(|rule| past.ask(rule, None) != Holds::No).peekable();
        may_have.peek().is_some()
            && may_have.all(|before| {
                of_effect(self.rules, Effect::Deny).any(|rule| self.inquiry.covers(rule, before))
            })
    }

    /// Whether the earlier rules allowed everything that these allow, for each possible operation of the request.
    fn was_allowed_if_allowed(&self) -> bool {
        let past = self.past();
        of_effect(self.rules, Effect::Allow)
            .filter(|rule| self.inquiry.ask(rule, None) != Holds::No)
            .all(|rule| self.is_narrower(rule))
            && of_effect(self.before, Effect::Deny).filter(|before| past.ask(before, None) != Holds::No).all(
                |before| of_effect(self.rules, Effect::Deny).any(|rule| self.inquiry.covers(rule, before)),
            )
    }

    /// A matcher for the earlier rules: it uses the instant of the request, even if another instant was set.
    fn past(&self) -> Inquiry<'_, '_> {
        Inquiry { periods: self.inquiry.same_instant, ..self.inquiry }
    }
}

fn of_effect<'p>(rules: &[&'p Rule], effect: Effect) -> impl Iterator<Item = &'p Rule> {
    rules.iter().copied().filter(move |rule| rule.effect() == effect)
}
