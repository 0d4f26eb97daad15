//! Whether a rule matches, according to what a log says about a request.
//!
//! Each part is checked in turn, as the core's `Rule::examine` does. If the log does not contain a fact, another
//! rule that is known to have matched may show it: whatever meets its part also meets this rule's part.

use authorizer_core::claim_name::is_within;
use authorizer_core::extra_parameter::ExtraParameter;
use authorizer_core::operation::{OperationSet, S3Operation};
use authorizer_core::request::Resource;
use authorizer_core::response_override::ResponseOverride;
use authorizer_core::rules::{
    Claims, Condition, Effect, KeyPattern, Period, PrincipalConstraint, Rule, RulePart,
};

use serde::{Deserialize, Serialize};

use super::condition;
use super::facts::{Caller, Facts};
use super::holds::Holds;
use super::missing::{ClaimNames, Missing, MissingSet};
use super::terms::follow;

/// The assumptions about facts that a log does not contain.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Assumptions {
    /// A token that was valid is valid under the other policy, and one that was not is not.
    pub tokens: bool,
    /// No read requested other response headers than those stored with the object, and no request had a parameter that
    /// a rule must allow.
    pub reads: bool,
    /// Every upload meets the upload conditions of the rules.
    pub uploads: bool,
}

impl Assumptions {
    /// Those of these assumptions that are also among the others.
    #[must_use]
    pub(super) fn both(self, others: Self) -> Self {
        let Self { tokens, reads, uploads } = others;
        Self { tokens: self.tokens && tokens, reads: self.reads && reads, uploads: self.uploads && uploads }
    }

    /// These assumptions without those.
    #[must_use]
    pub(super) fn without(self, others: Self) -> Self {
        let Self { tokens, reads, uploads } = others;
        self.both(Self { tokens: !tokens, reads: !reads, uploads: !uploads })
    }
}

/// Matches rules against one request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inquiry<'i, 'l> {
    pub(super) facts: &'i Facts<'l>,
    pub(super) names: &'i ClaimNames,
    pub(super) assumptions: Assumptions,
    /// Whether a rule that is known to have matched did so at the instant that counts here.
    pub(super) same_instant: bool,
    /// Whether the instant is known, which a rule with a period needs.
    pub(super) periods: bool,
}

impl Inquiry<'_, '_> {
    /// Whether the rule matches. `known` has matched; only a rule of the same effect shows anything.
    pub(super) fn ask(&self, rule: &Rule, known: Option<&Rule>) -> Holds {
        let known = known.filter(|known| known.effect() == rule.effect());
        let mut answer = Holds::Yes;
        for part in rule.parts() {
            answer = answer.and(match part {
                // They say what happens to a request that matches.
                RulePart::Effect(_) | RulePart::CreateOnly(_) => continue,
                RulePart::Operations(_) => self.operations(rule, known),
                RulePart::Principals(_) => self.principals(rule, known),
                RulePart::Keys(_) => self.keys(rule, known),
                RulePart::Period(_) => self.period(rule, known),
                RulePart::Sources(_) => self.sources(rule, known),
                RulePart::Hosts(_) => self.hosts(rule, known),
                RulePart::Conditions(_) => self.conditions(rule, known),
                RulePart::Overrides(_) => self.overrides(rule, known),
                RulePart::Parameters(_) => self.parameters(rule, known),
                RulePart::Checksums(_) => self.terms(rule, known),
                // `terms` checks these, too.
                RulePart::MaxBytes(_) | RulePart::ContentTypes(_) | RulePart::Metadata(_) => continue,
            });
            if answer == Holds::No {
                return answer;
            }
        }
        answer
    }

    /// Whether the rule matches whenever this one does.
    pub(super) fn covers(&self, rule: &Rule, one: &Rule) -> bool {
        rule.effect() == one.effect() && self.ask(rule, Some(one)) == Holds::Yes
    }

    fn operations(&self, rule: &Rule, known: Option<&Rule>) -> Holds {
        let asked = self.facts.asked.operations;
        let is_within = |asked: OperationSet| asked.intersection(rule.operations()) == asked;
        if asked.intersection(rule.operations()).is_empty() {
            return Holds::No;
        }
        Holds::Open(MissingSet::of(Missing::Query)).or_shown(|| {
            is_within(asked) || known.is_some_and(|known| is_within(asked.intersection(known.operations())))
        })
    }

    fn keys(&self, rule: &Rule, known: Option<&Rule>) -> Holds {
        let Some(resource) = &self.facts.asked.resource else {
            let same = |known: &Rule| known.keys().iter().all(|pattern| rule.keys().contains(pattern));
            let shown = || known.is_some_and(same);
            return Holds::Open(MissingSet::of(Missing::Path)).or_shown(shown);
        };
        let effect = rule.effect();
        let mut missing = MissingSet::default();
        for pattern in rule.keys() {
            match self.pattern(pattern, effect, resource) {
                Holds::Yes => return Holds::Yes,
                Holds::Open(more) => missing = missing.with(more),
                Holds::No => {}
            }
        }
        if missing.is_empty() {
            return Holds::No;
        }
        // One of the known rule's patterns matched: each that may have is also one of this rule's, or matches.
        let matches_too = |pattern: &KeyPattern| {
            rule.keys().contains(pattern) || self.pattern(pattern, effect, resource) == Holds::No
        };
        Holds::Open(missing).or_shown(|| known.is_some_and(|known| known.keys().iter().all(matches_too)))
    }

    fn pattern(&self, pattern: &KeyPattern, effect: Effect, resource: &Resource) -> Holds {
        let matches = |claims: Claims<'_>| match (resource, effect) {
            (Resource::Object(key), Effect::Allow | Effect::Deny) => pattern.matches(key, claims),
            (Resource::Prefix(prefix), Effect::Allow) => pattern.holds_all(prefix, claims),
            (Resource::Prefix(prefix), Effect::Deny) => pattern.holds_any(prefix, claims),
        };
        if pattern.claims().next().is_none() || self.facts.who == Caller::Anonymous {
            return Holds::known(matches(Claims::None));
        }
        if !matches(Claims::Unknown) {
            return Holds::No;
        }
        let claims = self.facts.key_claims(self.names.iter());
        if matches(Claims::Known(&claims.least)) {
            return Holds::Yes;
        }
        let is_in_another =
            |name: &str| self.names.iter().any(|other| is_within(name, other) || is_within(other, name));
        if !pattern.claims().any(is_in_another) && !matches(Claims::Known(&claims.most)) {
            return Holds::No;
        }
        let names = pattern.claims().map(|name| self.names.missing(name));
        Holds::Open(names.fold(MissingSet::default(), MissingSet::with))
    }

    fn principals(&self, rule: &Rule, known: Option<&Rule>) -> Holds {
        use PrincipalConstraint::{AnyIssuer, Everyone, Issuers};
        let answer = match (rule.principals(), &self.facts.who) {
            (Everyone, _) | (AnyIssuer, Caller::Holder { .. } | Caller::OneOf(_)) => Holds::Yes,
            (AnyIssuer | Issuers(_), Caller::Anonymous) => Holds::No,
            (Issuers(names), Caller::Holder { issuer, .. }) => {
                Holds::known(names.iter().any(|name| name == issuer))
            }
            (Issuers(names), Caller::OneOf(possible)) if !possible.is_empty() => {
                let is_named = |one: &String| names.contains(one);
                match (possible.iter().all(is_named), possible.iter().any(is_named)) {
                    (true, _) => Holds::Yes,
                    (false, true) => Holds::Open(MissingSet::of(Missing::Token)),
                    (false, false) => Holds::No,
                }
            }
            (Issuers(_), Caller::OneOf(_)) | (AnyIssuer | Issuers(_), Caller::Unknown) => {
                Holds::Open(MissingSet::of(Missing::Token))
            }
        };
        answer.or_shown(|| match (known.map(Rule::principals), rule.principals()) {
            (Some(AnyIssuer | Issuers(_)), AnyIssuer) => true,
            (Some(Issuers(known)), Issuers(names)) => known.iter().all(|name| names.contains(name)),
            (Some(Everyone | AnyIssuer | Issuers(_)) | None, _) => false,
        })
    }

    fn period(&self, rule: &Rule, known: Option<&Rule>) -> Holds {
        let period = rule.period();
        let at = self.facts.at;
        let (begins, ends) = (period.not_before, period.not_after);
        let answer = if period == Period::default() {
            Holds::Yes
        } else if !self.periods {
            Holds::Open(MissingSet::of(Missing::Instant))
        } else if period.contains(at.first) && period.contains(at.last) {
            Holds::Yes
        } else if begins.is_some_and(|begins| at.last < begins) || ends.is_some_and(|ends| ends <= at.first) {
            Holds::No
        } else {
            Holds::Open(MissingSet::of(Missing::Instant))
        };
        let is_within = |known: Period| {
            let begins = begins.is_none_or(|first| known.not_before.is_some_and(|known| first <= known));
            let ends = ends.is_none_or(|end| known.not_after.is_some_and(|known| known <= end));
            begins && ends
        };
        answer.or_shown(|| self.same_instant && known.is_some_and(|known| is_within(known.period())))
    }

    fn sources(&self, rule: &Rule, known: Option<&Rule>) -> Holds {
        let Some(networks) = rule.sources() else { return Holds::Yes };
        let answer = match self.facts.source {
            Some(source) => Holds::known(networks.iter().any(|network| network.contains(&source))),
            None => Holds::Open(MissingSet::of(Missing::Address)),
        };
        answer.or_shown(|| {
            known.and_then(Rule::sources).is_some_and(|known| {
                known.iter().all(|known| networks.iter().any(|network| network.contains(known)))
            })
        })
    }

    fn hosts(&self, rule: &Rule, known: Option<&Rule>) -> Holds {
        let Some(hosts) = rule.hosts() else { return Holds::Yes };
        let answer = match self.facts.host {
            Some(host) => Holds::known(hosts.iter().any(|one| one.matches(host))),
            None => Holds::Open(MissingSet::of(Missing::Host)),
        };
        answer.or_shown(|| {
            known
                .and_then(Rule::hosts)
                .is_some_and(|known| known.iter().all(|known| hosts.iter().any(|one| one.covers(known))))
        })
    }

    fn conditions(&self, rule: &Rule, known: Option<&Rule>) -> Holds {
        let more = known.map(Rule::conditions).unwrap_or_default();
        let holds = |condition: &Condition| {
            condition::holds(condition, self.facts, more, self.names).or_shown(|| more.contains(condition))
        };
        rule.conditions().iter().map(holds).fold(Holds::Yes, Holds::and)
    }

    /// The response headers that a download asks for.
    fn overrides(&self, rule: &Rule, known: Option<&Rule>) -> Holds {
        let is_no_read = !self.facts.asked.operations.any(S3Operation::reads_object);
        if rule.effect() == Effect::Deny || is_no_read {
            return Holds::Yes;
        }
        if let Some(asked) = &self.facts.asked.overrides {
            return Holds::known(asked.iter().all(|one| rule.overrides().contains(one)));
        }
        let opens =
            |overrides: &[ResponseOverride]| overrides.iter().all(|one| rule.overrides().contains(one));
        let shown = self.assumptions.reads
            || opens(&ResponseOverride::ALL)
            || known.is_some_and(|known| opens(known.overrides()));
        Holds::Open(MissingSet::of(Missing::Overrides)).or_shown(|| shown)
    }

    /// The parameters that a rule must allow.
    fn parameters(&self, rule: &Rule, known: Option<&Rule>) -> Holds {
        let operations = self.facts.asked.operations;
        let could_have = |one: &ExtraParameter| operations.iter().any(|operation| one.is_of(operation));
        if rule.effect() == Effect::Deny || !ExtraParameter::ALL.iter().any(could_have) {
            return Holds::Yes;
        }
        if let Some(asked) = &self.facts.asked.extras {
            return Holds::known(asked.iter().all(|one| rule.parameters().contains(one)));
        }
        let opens = |one: ExtraParameter| {
            rule.parameters().contains(&one) || known.is_some_and(|known| !known.parameters().contains(&one))
        };
        let shown = self.assumptions.reads || ExtraParameter::ALL.into_iter().filter(could_have).all(opens);
        Holds::Open(MissingSet::of(Missing::Overrides)).or_shown(|| shown)
    }

    fn terms(&self, rule: &Rule, known: Option<&Rule>) -> Holds {
        let operations = self.facts.asked.operations.intersection(OperationSet::of(S3Operation::is_upload));
        if rule.effect() == Effect::Deny || operations.is_empty() {
            return Holds::Yes;
        }
        Holds::Open(MissingSet::of(Missing::Upload)).or_shown(|| {
            self.assumptions.uploads
                || known.is_some_and(|known| follow(rule.terms(), known.terms(), operations))
        })
    }
}
