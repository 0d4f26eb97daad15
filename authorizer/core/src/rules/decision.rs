//! The rules of a policy, and how they decide together.

use std::net::IpAddr;

use super::access::Access;
use super::claims::Claims;
use super::matcher::{IndexSet, Matcher};
use super::mismatch::Mismatch;
use super::rule::{Effect, PrincipalConstraint, Rule};
use crate::operation::{OperationSet, S3Operation};
use crate::request::Resource;
use crate::time::UnixTime;

/// The rules of a policy in their order, and the tree of all their key patterns. A decision examines only the rules
/// whose patterns match the key, because the others cannot match.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    rules: Vec<Rule>,
    matcher: Matcher,
    has_allow: bool,
    has_hosts: bool,
}

/// The decision, and the rule that made it.
#[derive(Clone, Debug)]
pub enum Decision<'p> {
    /// The first allow rule that matches; no deny rule does.
    Allow(&'p Rule),
    /// The first deny rule that matches.
    Deny(&'p Rule),
    /// No allow rule matches.
    Default {
        /// What kept the closest rule from matching; `None` if the policy does not have an allow rule.
        furthest: Option<Mismatch<'p>>,
        /// The scopes that were all that one rule lacked, separated by spaces.
        lacking_scope: Option<String>,
    },
}

impl Rules {
    pub(crate) fn new(rules: Vec<Rule>) -> Self {
        let has_allow = rules.iter().any(|rule| rule.effect == Effect::Allow);
        let has_hosts = rules.iter().any(|rule| rule.hosts.is_some());
        Self { matcher: Matcher::new(&rules), has_allow, has_hosts, rules }
    }

    /// The rules, in the order of the policy.
    pub(crate) fn as_slice(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether some rule has `hosts`.
    pub(crate) fn has_hosts(&self) -> bool {
        self.has_hosts
    }

    /// Decides. Deny rules win over allow rules. Without a matching allow rule the request is refused.
    pub(crate) fn decide(&self, access: &Access<'_>) -> Decision<'_> {
        let mut allowed = None;
        let operation = access.request.operation();
        let resource = access.request.resource();
        let found = self.matcher.speaking_of(&self.rules, resource, access.claims(), Some(operation));
        let mut furthest = match found.are_more {
            true => Some(Mismatch::Operation),
            false => self.has_allow.then_some(Mismatch::Key),
        };
        let mut lacking_scope = None;
        for rule in self.at(found.rules) {
            match (rule.effect, rule.examine_but_keys(access)) {
                (Effect::Deny, Ok(())) => return Decision::Deny(rule),
                (Effect::Deny, Err(_)) => {}
                (Effect::Allow, Ok(())) => allowed = allowed.or(Some(rule)),
                (Effect::Allow, Err(mismatch)) => {
                    if let Mismatch::Condition(_) = mismatch {
                        lacking_scope = lacking_scope.or_else(|| rule.only_lacks_scope(access));
                    }
                    if furthest.as_ref().is_none_or(|furthest| furthest.distance() < mismatch.distance()) {
                        furthest = Some(mismatch);
                    }
                }
            }
        }
        match allowed {
            Some(rule) => Decision::Allow(rule),
            None => Decision::Default { furthest, lacking_scope },
        }
    }

    /// What could be allowed for some principal: the operations that some allow rule could match, each with that rule,
    /// and that no deny rule that applies to everyone matches.
    pub(crate) fn could_allow(
        &self,
        resource: &Resource,
        source: IpAddr,
        host: Option<&str>,
        at: UnixTime,
    ) -> Vec<(S3Operation, &Rule)> {
        let denied = self
            .speaking_of(resource, Claims::None)
            .filter(|rule| {
                rule.effect == Effect::Deny
                    && rule.principals == PrincipalConstraint::Everyone
                    && rule.conditions.is_empty()
                    && rule.is_in_force(source, host, at)
            })
            .fold(OperationSet::default(), |set, rule| set.union(rule.operations));
        self.speaking_of(resource, Claims::Unknown)
            .filter(|rule| rule.effect == Effect::Allow && rule.is_in_force(source, host, at))
            .flat_map(|rule| rule.operations.iter().map(move |operation| (operation, rule)))
            .filter(|(operation, _)| !denied.contains(*operation))
            .collect()
    }

    /// Whether a request without a token might be allowed with one.
    pub(crate) fn token_could_help(&self, access: &Access<'_>) -> bool {
        self.speaking_of(access.request.resource(), Claims::Unknown).any(|rule| {
            rule.effect == Effect::Allow
                && rule.principals != PrincipalConstraint::Everyone
                && rule.operations.contains(access.request.operation())
                && rule.is_in_force(access.source, access.host.as_deref(), access.at)
        })
    }

    /// The rules that match, each with its place, in their order: those that [`Rule::examine`] finds nothing against.
    pub(crate) fn matching(&self, access: &Access<'_>) -> impl Iterator<Item = (usize, &Rule)> {
        let operation = access.request.operation();
        let found = self.matcher.speaking_of(
            &self.rules,
            access.request.resource(),
            access.claims(),
            Some(operation),
        );
        let rules = found.rules.into_iter().filter_map(|place| Some((place, self.rules.get(place)?)));
        rules.filter(|(_, rule)| rule.examine_but_keys(access).is_ok())
    }

    /// The rules with a key pattern for it, in their order.
    pub(crate) fn speaking_of(&self, resource: &Resource, claims: Claims<'_>) -> impl Iterator<Item = &Rule> {
        self.at(self.matcher.speaking_of(&self.rules, resource, claims, None).rules)
    }

    fn at(&self, places: IndexSet) -> impl Iterator<Item = &Rule> {
        places.into_iter().filter_map(|place| self.rules.get(place))
    }
}
