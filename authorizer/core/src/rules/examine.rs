//! Whether a rule matches: its parts, one after the other.

use std::net::IpAddr;

use super::access::Access;
use super::claims::Claims;
use super::condition::Condition;
use super::mismatch::Mismatch;
use super::rule::{Effect, Period, PrincipalConstraint, Rule};
use crate::request::Resource;
use crate::time::UnixTime;
use crate::token::Principal;

impl PrincipalConstraint {
    /// Whether the rule applies to the principal.
    fn include(&self, principal: &Principal<'_>) -> bool {
        let issuer = match principal {
            Principal::Anonymous => None,
            Principal::Verified(verified) => Some(verified.issuer().name()),
        };
        match (self, issuer) {
            (Self::Everyone, _) | (Self::AnyIssuer, Some(_)) => true,
            (Self::Issuers(names), Some(issuer)) => names.iter().any(|name| name == issuer),
            (Self::AnyIssuer | Self::Issuers(_), None) => false,
        }
    }
}

impl Rule {
    /// Whether the rule matches.
    ///
    /// # Errors
    /// The first part that does not match, in the order of [`Mismatch`].
    pub fn examine(&self, access: &Access<'_>) -> Result<(), Mismatch<'_>> {
        if !self.speaks_of(access.request.resource(), access.claims()) {
            return Err(Mismatch::Key);
        }
        self.examine_but_keys(access)
    }

    /// The same, for a rule whose pattern is known to match the key.
    pub(super) fn examine_but_keys(&self, access: &Access<'_>) -> Result<(), Mismatch<'_>> {
        // Every part by its name, so that a new part does not compile until it is checked here.
        let Self {
            id: _,
            keys: _,
            effect,
            operations,
            principals,
            period: _,
            sources: _,
            hosts: _,
            conditions,
            overrides,
            parameters,
            terms,
        } = self;
        let request = &access.request;
        if !operations.contains(request.operation()) {
            return Err(Mismatch::Operation);
        }
        if !self.speaks_of_host(access.host.as_deref()) {
            return Err(Mismatch::Host);
        }
        if !principals.include(&access.principal) {
            return Err(Mismatch::Principal);
        }
        if !self.holds_at(access.at) {
            return Err(Mismatch::Period);
        }
        if !self.speaks_of_source(access.source) {
            return Err(Mismatch::Source);
        }
        if let Some(condition) = conditions.iter().find(|condition| !condition_holds(condition, access)) {
            return Err(Mismatch::Condition(condition));
        }
        // Only allow rules have these parts: a deny rule does not have overrides or upload limits.
        if *effect == Effect::Deny {
            return Ok(());
        }
        if let Some(asked) = request.overrides().iter().find(|asked| !overrides.contains(asked)) {
            return Err(Mismatch::Override(*asked));
        }
        if let Some(asked) = request.extras().iter().find(|asked| !parameters.contains(asked)) {
            return Err(Mismatch::Parameter(*asked));
        }
        match request.upload() {
            Some(upload) => {
                terms.check(request.operation(), upload, access.claims()).map_err(Mismatch::Terms)
            }
            None => Ok(()),
        }
    }

    /// A listing covers many keys. An allow rule must match all of them, a deny rule any of them.
    pub(super) fn speaks_of(&self, resource: &Resource, claims: Claims<'_>) -> bool {
        self.keys.iter().any(|pattern| match (resource, self.effect) {
            (Resource::Object(key), Effect::Allow | Effect::Deny) => pattern.matches(key, claims),
            (Resource::Prefix(prefix), Effect::Allow) => pattern.holds_all(prefix, claims),
            (Resource::Prefix(prefix), Effect::Deny) => pattern.holds_any(prefix, claims),
        })
    }

    pub(super) fn speaks_of_source(&self, source: IpAddr) -> bool {
        self.sources.as_ref().is_none_or(|networks| networks.iter().any(|network| network.contains(&source)))
    }

    /// A rule with hosts needs one of them: a request without a host has none.
    pub(super) fn speaks_of_host(&self, host: Option<&str>) -> bool {
        self.hosts
            .as_ref()
            .is_none_or(|hosts| host.is_some_and(|host| hosts.iter().any(|one| one.matches(host))))
    }

    /// Whether all parts match, except keys, operation and principal, for the request that a preflight announces.
    /// Limits for downloads and uploads are not checked.
    pub(super) fn is_in_force(&self, source: IpAddr, host: Option<&str>, at: UnixTime) -> bool {
        // Every part by its name, so that a new part does not compile until it is decided on here.
        let Self {
            id: _,
            keys: _,
            effect: _,
            operations: _,
            principals: _,
            conditions: _,
            period: _,
            sources: _,
            hosts: _,
            overrides: _,
            parameters: _,
            terms: _,
        } = self;
        self.holds_at(at) && self.speaks_of_source(source) && self.speaks_of_host(host)
    }

    /// Whether the rule applies at this instant. If the clock is not usable, an allow rule with a period does not
    /// apply, and a deny rule with a period applies.
    pub(super) fn holds_at(&self, at: UnixTime) -> bool {
        match (at.is_unknown() && self.period != Period::default(), self.effect) {
            (true, Effect::Allow) => false,
            (true, Effect::Deny) => true,
            (false, Effect::Allow | Effect::Deny) => self.period.contains(at),
        }
    }

    /// The scopes, when the only conditions that fail are conditions on scopes.
    pub(super) fn only_lacks_scope(&self, access: &Access<'_>) -> Option<String> {
        let Principal::Verified(_) = access.principal else { return None };
        let lacking = |condition: &&Condition| !condition_holds(condition, access);
        let scopes: Option<Vec<&str>> =
            self.conditions.iter().filter(lacking).map(Condition::scope).collect();
        scopes.filter(|scopes| !scopes.is_empty()).map(|scopes| scopes.join(" "))
    }
}

fn condition_holds(condition: &Condition, access: &Access<'_>) -> bool {
    condition.holds(access.claims().get(&condition.claim))
}
