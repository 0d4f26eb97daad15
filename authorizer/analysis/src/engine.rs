//! The engine: is there a request that meets the conditions, and which one?
//!
//! A rule's match is a conjunction of atoms (`atom.rs`), each a statement of one thing: this pattern holds the key, this
//! claim passes that test, the address is in these networks, and so on. A question (`question.rs`) asks for a request
//! that some rules match and others do not. It becomes clauses over the atoms, which a SAT solver satisfies (`sat.rs`);
//! what the solver proposes goes to the theories (`theory/`), which make a request of it or say which of the literals
//! contradict each other, and so on until there is a request or the clauses are exhausted.
//!
//! A "yes" is a [`Witness`]: an event and the claims of a token, on which the core itself has decided as is claimed. A
//! "no" rests on each theory's having tried at least one value of every class that its atoms can tell apart; why there
//! is one in each is said where the values are made.

mod additions;
mod atom;
mod budget;
mod heads;
mod meet;
mod question;
mod sat;
mod space;
mod theory;
mod witness;

use authorizer_core::operation::{OperationSet, S3Operation};
use authorizer_core::request::Possible;
use authorizer_core::rules::{Effect, HostPattern, Rule};
use authorizer_core::token::Issuer;
use authorizer_core::{Authorizer, SignIn};
use thiserror::Error;

pub(crate) use additions::{could_differ, metadata_differences, only_creates};
pub use atom::Reading;
pub(crate) use atom::could_match;
pub use budget::Budget;
pub use heads::{could_overlap, heads_agree};
pub(crate) use meet::{could_share_a_key, key_of_both};
pub use question::{Answer, MetadataDifference, Question, Token};
pub use space::{Bounds, Who};
pub use witness::{Replayed, Witness};

/// Why the analysis did not finish. It never counts as a "no".
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum EngineError {
    /// The search was stopped: its budget is spent.
    #[error("not decided: {} cannot be analysed within the budget", in_words(.rules))]
    NotDecided {
        /// The ids of the rules that the question is about, the most important first.
        rules: Vec<String>,
    },
    /// The core decides differently on a witness than the engine: one of the two is wrong.
    #[error("the audit and the core disagree about {request}: {why}")]
    Unconfirmed {
        /// The method and the path.
        request: String,
        /// What differs.
        why: String,
    },
}

impl EngineError {
    pub(crate) fn unconfirmed(witness: &Witness, why: String) -> Self {
        Self::Unconfirmed { request: format!("{} {}", witness.method, witness.uri), why }
    }
}

/// The rules, as the subject of a sentence.
fn in_words(rules: &[String]) -> String {
    /// More than these are not named.
    const MOST: usize = 5;
    let named: Vec<String> = rules.iter().take(MOST).map(|id| format!("`{id}`")).collect();
    match (named.as_slice(), rules.len().saturating_sub(named.len())) {
        ([], _) => "the question".to_owned(),
        ([one], 0) => format!("rule {one}"),
        ([first @ .., last], 0) => format!("rules {} and {last}", first.join(", ")),
        (_, more) => format!("rules {} and {more} more", named.join(", ")),
    }
}

/// A rule of one of the policies: the index of the policy, and the index of the rule.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RuleRef {
    /// The policy: 0, or 1 where two are compared.
    pub side: usize,
    /// The rule's place in it. From the number of its rules on: the extra rules of `Engine::with_extras`.
    pub rule: usize,
}

/// One policy, or two that are compared.
#[derive(Clone)]
pub struct Engine<'p> {
    sides: &'p [&'p Authorizer],
    budget: Budget,
    extras: &'p [Vec<Rule>],
}

impl<'p> Engine<'p> {
    /// An engine over one policy, or two. All its questions share a budget.
    pub fn new(sides: &'p [&'p Authorizer]) -> Self {
        let rules = sides.iter().map(|side| side.bundle().policy().rules().len()).sum();
        Self::within(sides, &Budget::for_rules(rules))
    }

    /// The same, with extra rules for each policy. They decide nothing: a question can name them.
    #[must_use]
    pub(crate) fn with_extras(self, extras: &'p [Vec<Rule>]) -> Self {
        Self { extras, ..self }
    }

    /// An engine whose questions share a budget with those of others.
    pub fn within(sides: &'p [&'p Authorizer], budget: &Budget) -> Self {
        Self { sides, budget: budget.clone(), extras: &[] }
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.budget
    }

    pub(crate) fn authorizer(&self, side: usize) -> Option<&'p Authorizer> {
        self.sides.get(side).copied()
    }

    pub(crate) fn rules(&self, side: usize) -> &'p [Rule] {
        self.authorizer(side).map(|one| one.bundle().policy().rules()).unwrap_or_default()
    }

    /// The hosts of all rules of the policies.
    fn hosts(&self) -> Vec<&'p HostPattern> {
        let rules = (0..self.sides.len()).flat_map(|side| self.rules(side));
        rules.filter_map(Rule::hosts).flatten().collect()
    }

    /// Whether a function of one of the policies answers this path itself.
    fn is_own_path(&self, path: &str) -> bool {
        self.sides.iter().any(|side| {
            let flow = side.bundle().policy().sign_in().and_then(SignIn::code_flow);
            flow.is_some_and(|flow| flow.paths().contains(&path))
        })
    }

    /// A rule.
    pub fn rule(&self, at: RuleRef) -> Option<&'p Rule> {
        let rules = self.rules(at.side);
        rules.get(at.rule).or_else(|| self.extras.get(at.side)?.get(at.rule.checked_sub(rules.len())?))
    }

    /// How a policy names `who`.
    pub(crate) fn issuer(&self, side: usize, who: &Who) -> Option<&'p Issuer> {
        let issuers = self.authorizer(side)?.bundle().policy().issuers();
        let named = who.issuer()?;
        issuers.iter().find(|issuer| issuer.issuer() == named)
    }

    /// All principals that a policy knows.
    pub fn everyone(&self, side: usize) -> Vec<Who> {
        let issuers = self.authorizer(side).map(|one| one.bundle().policy().issuers()).unwrap_or_default();
        let tokens = issuers.iter().map(|issuer| Who::Token(issuer.issuer().to_owned()));
        [Who::Anonymous].into_iter().chain(tokens).collect()
    }

    /// The operations that a request can be under the policy.
    pub(crate) fn recognised(&self, side: usize) -> OperationSet {
        let Some(authorizer) = self.authorizer(side) else { return OperationSet::default() };
        let Possible { operations, .. } = authorizer.possible();
        // Without a parameter that selects an operation, the rules decide as soon as the method is allowed.
        let plain = S3Operation::ALL
            .into_iter()
            .filter(|operation| !operation.is_marked() && operations.has_method(operation.method()));
        operations.union(plain.collect())
    }

    /// Whether the rule might match a request for the operation by `who`. A quick check, without a question.
    pub(crate) fn could_match(&self, at: RuleRef, operation: S3Operation, who: &Who) -> bool {
        self.rule(at)
            .is_some_and(|rule| atom::match_of(rule, operation, who, self.issuer(at.side, who)).is_some())
    }

    /// The rules of a policy with this effect; with `before`, only those before it.
    pub fn with_effect(&self, side: usize, effect: Effect, before: Option<usize>) -> Vec<RuleRef> {
        self.rules(side)
            .iter()
            .enumerate()
            .filter(|(rule, one)| one.effect() == effect && before.is_none_or(|before| *rule < before))
            .map(|(rule, _)| RuleRef { side, rule })
            .collect()
    }
}

#[cfg(test)]
mod tests;
