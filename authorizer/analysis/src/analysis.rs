//! Questions about the rules of one policy, each answered by a proof or by a request that shows it.

use authorizer_core::Authorizer;
use authorizer_core::operation::S3Operation;
use authorizer_core::rules::{Effect, Rule};

use crate::engine::{
    Answer, Bounds, Budget, Engine, EngineError, Question, RuleRef, Token, Who, Witness, could_differ,
    could_overlap, metadata_differences, only_creates,
};

/// A policy, with answers to questions about it.
pub struct Analysis<'p> {
    sides: [&'p Authorizer; 1],
    bounds: Bounds,
    budget: Budget,
}

/// Whether a rule ever decides.
#[derive(Clone, Debug)]
pub enum Reach {
    /// It decides on this request, and on others like it.
    Decides(Box<Witness>),
    /// These rules decide first on everything that it matches. They are indexes into the policy.
    Covered(Vec<usize>),
    /// No request matches it: its conditions contradict each other or its issuers' tokens. Or it is a deny rule, and
    /// no rule allows any of its operations.
    Impossible,
}

/// Whether a rule changes a decision.
#[derive(Clone, Debug)]
pub enum Difference {
    /// Without it, this request would be decided differently.
    Needed(Box<Witness>),
    /// Without it, every request would be decided the same.
    Redundant,
}

impl<'p> Analysis<'p> {
    /// Of this policy. All questions share a budget.
    pub fn new(authorizer: &'p Authorizer) -> Self {
        Self::within(authorizer, &Budget::for_rules(authorizer.bundle().policy().rules().len()))
    }

    /// Of this policy, with questions that share a budget with others.
    pub fn within(authorizer: &'p Authorizer, budget: &Budget) -> Self {
        Self { sides: [authorizer], bounds: Bounds::default(), budget: budget.clone() }
    }

    /// Whether the rule with this index decides on some request.
    ///
    /// # Errors
    /// [`EngineError`]: the analysis did not finish.
    pub fn reach(&self, rule: usize) -> Result<Reach, EngineError> {
        let engine = &Engine::within(&self.sides, &self.budget);
        let Some(one) = engine.rules(0).get(rule) else { return Ok(Reach::Impossible) };
        let exclude = match one.effect() {
            Effect::Allow => {
                [engine.with_effect(0, Effect::Deny, None), engine.with_effect(0, Effect::Allow, Some(rule))]
                    .concat()
            }
            Effect::Deny => engine.with_effect(0, Effect::Deny, Some(rule)),
        };
        let mut covering = Vec::new();
        for (operation, who) in cells(engine, one) {
            let require = [RuleRef { side: 0, rule }];
            match self.ask(engine, operation, &who, &require, &exclude)? {
                Answer::Yes(witness) => return Ok(Reach::Decides(witness)),
                Answer::No(rules) => covering.extend(rules.into_iter().map(|one| one.rule)),
            }
        }
        covering.sort_unstable();
        covering.dedup();
        Ok(if covering.is_empty() { Reach::Impossible } else { Reach::Covered(covering) })
    }

    /// Whether some request would be decided differently without the rule with this index: refused instead of
    /// allowed or the other way round, or stored differently. A deny rule that denies nothing does not change a
    /// decision.
    ///
    /// `seen` is a request that the rule decides on, where one is known. Mostly it is the answer.
    ///
    /// # Errors
    /// [`EngineError`]: the analysis did not finish.
    pub fn difference(&self, rule: usize, seen: Option<&Witness>) -> Result<Difference, EngineError> {
        if let Some(seen) = seen.filter(|seen| self.is_alone(rule, seen)) {
            return Ok(Difference::Needed(Box::new(seen.clone())));
        }
        let engine = &Engine::within(&self.sides, &self.budget);
        let Some(one) = engine.rules(0).get(rule) else { return Ok(Difference::Redundant) };
        let found = match one.effect() {
            Effect::Allow => self.without_allow(engine, rule, one)?,
            Effect::Deny => self.without_deny(engine, rule, one)?,
        };
        Ok(found.map_or(Difference::Redundant, |witness| Difference::Needed(Box::new(witness))))
    }

    /// Whether the request is allowed, or denied, by this rule alone.
    fn is_alone(&self, rule: usize, seen: &Witness) -> bool {
        let [authorizer] = self.sides;
        let Ok(access) = seen.access(authorizer) else { return false };
        let matching: Vec<_> = authorizer.bundle().policy().matching(&access).collect();
        let (denies, allows): (Vec<_>, Vec<_>) =
            matching.into_iter().partition(|(_, one)| one.effect() == Effect::Deny);
        match (denies.as_slice(), allows.as_slice()) {
            ([], [(only, _)]) => *only == rule,
            ([(only, _)], [_, ..]) => *only == rule,
            _ => false,
        }
    }

    fn without_allow(
        &self,
        engine: &Engine<'p>,
        rule: usize,
        one: &'p Rule,
    ) -> Result<Option<Witness>, EngineError> {
        let at = RuleRef { side: 0, rule };
        let denies = engine.with_effect(0, Effect::Deny, None);
        let mut others = engine.with_effect(0, Effect::Allow, None);
        others.retain(|other| *other != at);
        for (operation, who) in cells(engine, one) {
            let exclude = [denies.as_slice(), &others].concat();
            if let Some(witness) = self.ask(engine, operation, &who, &[at], &exclude)?.witness() {
                return Ok(Some(witness));
            }
            // Another rule allows the same request, but adds something else to it.
            for next in others.iter().filter(|other| other.rule > rule) {
                let Some(other) = engine.rule(*next) else { continue };
                if !could_overlap(one, other, operation) || !could_differ(one, other, operation) {
                    continue;
                }
                let between = others.iter().filter(|other| other.rule < next.rule).copied();
                let exclude: Vec<_> = denies.iter().copied().chain(between).collect();
                let mut differences: Vec<_> =
                    metadata_differences(one, other, operation).into_iter().map(Some).collect();
                if only_creates(one, operation) != only_creates(other, operation) {
                    differences = vec![None];
                }
                for difference in differences {
                    let answer = engine.ask(&Question {
                        operation,
                        who: &who,
                        bounds: &self.bounds,
                        tokens: &[Token::Valid],
                        require: &[at, *next],
                        exclude: &exclude,
                        within: None,
                        difference,
                    })?;
                    if let Some(witness) = answer.witness() {
                        return Ok(Some(witness));
                    }
                }
            }
        }
        Ok(None)
    }

    fn without_deny(
        &self,
        engine: &Engine<'p>,
        rule: usize,
        one: &'p Rule,
    ) -> Result<Option<Witness>, EngineError> {
        let at = RuleRef { side: 0, rule };
        let mut others = engine.with_effect(0, Effect::Deny, None);
        others.retain(|other| *other != at);
        let allows = engine.with_effect(0, Effect::Allow, None);
        for (operation, who) in cells(engine, one) {
            for allow in &allows {
                let overlap = engine.rule(*allow).is_some_and(|allow| could_overlap(one, allow, operation));
                if !overlap {
                    continue;
                }
                if let Some(witness) = self.ask(engine, operation, &who, &[at, *allow], &others)?.witness() {
                    return Ok(Some(witness));
                }
            }
        }
        Ok(None)
    }

    /// A request that both rules match, if there is one.
    ///
    /// # Errors
    /// [`EngineError`]: the analysis did not finish.
    pub fn overlap(&self, one: usize, other: usize) -> Result<Option<Witness>, EngineError> {
        let engine = &Engine::within(&self.sides, &self.budget);
        let require = [RuleRef { side: 0, rule: one }, RuleRef { side: 0, rule: other }];
        let (Some(one), Some(other)) = (engine.rules(0).get(one), engine.rules(0).get(other)) else {
            return Ok(None);
        };
        for (operation, who) in cells(engine, one) {
            if could_overlap(one, other, operation)
                && let Some(witness) = self.ask(engine, operation, &who, &require, &[])?.witness()
            {
                return Ok(Some(witness));
            }
        }
        Ok(None)
    }

    fn ask(
        &self,
        engine: &Engine<'p>,
        operation: S3Operation,
        who: &Who,
        require: &[RuleRef],
        exclude: &[RuleRef],
    ) -> Result<Answer, EngineError> {
        engine.ask(&Question {
            operation,
            who,
            bounds: &self.bounds,
            tokens: &[Token::Valid],
            require,
            exclude,
            within: None,
            difference: None,
        })
    }
}

/// The questions about a rule: each of its operations that a request can be, with each principal.
fn cells(engine: &Engine<'_>, rule: &Rule) -> Vec<(S3Operation, Who)> {
    let operations = rule.operations().intersection(engine.recognised(0));
    let everyone = engine.everyone(0);
    operations.iter().flat_map(|operation| everyone.iter().map(move |who| (operation, who.clone()))).collect()
}

#[cfg(test)]
mod tests;
