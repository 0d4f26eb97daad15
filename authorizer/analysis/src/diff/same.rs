//! What two policies have in common word for word. Nothing must be proved for it.

use std::collections::{BTreeMap, HashMap};

use authorizer_core::Authorizer;
use authorizer_core::rules::{PrincipalConstraint, Rule, RulePart};
use authorizer_core::token::Issuer;

use crate::engine::{RuleRef, Who};

/// The rules that are in both policies, under any id, and the issuers whose tokens both accept.
pub(super) struct Sameness {
    /// For each policy the text of each rule, and the first place of each text.
    rules: Vec<(Vec<String>, HashMap<String, usize>)>,
    /// For each policy the requirements on an issuer's tokens.
    issuers: Vec<BTreeMap<String, String>>,
}

impl Sameness {
    pub(super) fn of(sides: &[&Authorizer]) -> Self {
        let mut rules = Vec::new();
        let mut issuers = Vec::new();
        for side in sides {
            let policy = side.bundle().policy();
            let texts: Vec<String> =
                policy.rules().iter().map(|rule| meaning(rule, policy.issuers())).collect();
            let mut places = HashMap::new();
            for (place, text) in texts.iter().enumerate() {
                places.entry(text.clone()).or_insert(place);
            }
            rules.push((texts, places));
            issuers.push(policy.issuers().iter().map(|one| (one.issuer().to_owned(), asks(one))).collect());
        }
        Self { rules, issuers }
    }

    /// Whether the other policy has the same rule.
    pub(super) fn has_like(&self, rule: RuleRef, side: usize) -> bool {
        self.place_of_like(rule, side).is_some()
    }

    /// Whether the policy of `before` has the same rule at an earlier index, or at this one.
    pub(super) fn has_like_before(&self, rule: RuleRef, before: RuleRef) -> bool {
        self.place_of_like(rule, before.side).is_some_and(|place| place < before.rule)
    }

    fn place_of_like(&self, rule: RuleRef, side: usize) -> Option<usize> {
        let text = self.rules.get(rule.side)?.0.get(rule.rule)?;
        self.rules.get(side)?.1.get(text).copied()
    }

    /// A text that two rules have in common only if they mean the same.
    pub(super) fn text(&self, rule: RuleRef) -> &str {
        self.rules
            .get(rule.side)
            .and_then(|(texts, _)| texts.get(rule.rule))
            .map(String::as_str)
            .unwrap_or_default()
    }

    /// Whether all policies have the same requirements on the tokens.
    pub(super) fn takes_same_tokens(&self, who: &Who) -> bool {
        let Some(issuer) = who.issuer() else { return true };
        let mut asks = self.issuers.iter().map(|issuers| issuers.get(issuer));
        let first = asks.next().flatten();
        first.is_some() && asks.all(|other| other == first)
    }
}

/// A text that two rules have in common only if they match the same requests and add the same: all of the rule but
/// its id, with issuers by their `iss`, and what has no order in one order.
fn meaning(rule: &Rule, issuers: &[Issuer]) -> String {
    let sorted = |mut texts: Vec<String>| {
        texts.sort();
        texts.dedup();
        texts
    };
    let parts = rule.parts().map(|part| match part {
        RulePart::Effect(effect) => format!("{effect:?}"),
        RulePart::Operations(operations) => format!("{operations:?}"),
        RulePart::Principals(PrincipalConstraint::Everyone) => "everyone".to_owned(),
        RulePart::Principals(PrincipalConstraint::AnyIssuer) => "any issuer".to_owned(),
        RulePart::Principals(PrincipalConstraint::Issuers(names)) => {
            let named = issuers.iter().filter(|one| names.iter().any(|name| name == one.name()));
            format!("{:?}", sorted(named.map(|one| one.issuer().to_owned()).collect()))
        }
        RulePart::Keys(patterns) => {
            format!("{:?}", sorted(patterns.iter().map(ToString::to_string).collect()))
        }
        RulePart::Period(period) => format!("{period:?}"),
        RulePart::Sources(sources) => {
            let sources = sources.map(|sources| sorted(sources.iter().map(ToString::to_string).collect()));
            format!("{sources:?}")
        }
        RulePart::Hosts(hosts) => {
            let hosts = hosts.map(|hosts| sorted(hosts.iter().map(ToString::to_string).collect()));
            format!("{hosts:?}")
        }
        RulePart::Conditions(conditions) => format!("{conditions:?}"),
        RulePart::Overrides(overrides) => {
            format!("{:?}", sorted(overrides.iter().map(|one| one.name().to_owned()).collect()))
        }
        RulePart::Parameters(parameters) => {
            format!("{:?}", sorted(parameters.iter().map(|one| one.name().to_owned()).collect()))
        }
        RulePart::Checksums(checksums) => checksums.to_string(),
        RulePart::MaxBytes(most) => format!("{most:?}"),
        RulePart::ContentTypes(types) => format!("{types:?}"),
        RulePart::Metadata(metadata) => format!("{metadata:?}"),
        RulePart::CreateOnly(is_so) => format!("{is_so}"),
    });
    format!("{parts:?}")
}

/// What an issuer's token must contain, without its signature and its times.
fn asks(issuer: &Issuer) -> String {
    let sorted = |texts: &[String]| {
        let mut texts = texts.to_vec();
        texts.sort();
        texts
    };
    format!(
        "{:?}",
        (
            sorted(issuer.audience()),
            sorted(issuer.client_ids()),
            issuer.token_type(),
            issuer.required(),
            issuer.accepts_bound_tokens(),
            issuer.revoked()
        )
    )
}
