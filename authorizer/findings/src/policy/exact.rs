//! The questions of checks to the engine: is there a request that meets some conditions?
//!
//! Some questions are about a variant of a rule in the policy: would this deny rule have denied, if it named
//! that operation too, or did not require that claim? So the engine gets the policy and, behind its rules, the
//! variants; no question excludes or requires one of them by accident, because each names its rules.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;

use authorizer_analysis::engine::{
    Answer, Bounds, Budget, Engine, EngineError, MetadataDifference, Question, RuleRef, Token, Witness,
    could_overlap,
};
use authorizer_analysis::{Analysis, Difference, Reach};
use authorizer_core::operation::{OperationSet, S3Operation};
use authorizer_core::policy::document::{ConditionDocument, EffectDocument, PolicyDocument, RuleDocument};
use authorizer_core::rules::{Effect, KeyPattern};
use authorizer_core::{Authorizer, Bundle};

/// The engine, and the answers so far.
#[derive(Debug)]
pub(super) struct Exact {
    /// The policy, and the variants behind its rules.
    authorizer: Option<Box<Authorizer>>,
    /// The number of the policy's own rules.
    own: usize,
    variants: BTreeMap<(usize, Variant), usize>,
    reaches: OnceCell<Vec<Option<Reach>>>,
    /// The rules for which the analysis did not finish, and why.
    undecided: RefCell<BTreeMap<usize, String>>,
    /// What all questions may cost together.
    budget: Budget,
}

/// A variant of a rule of the policy.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Variant {
    /// Of every operation, but that an allow rule still lists nothing.
    OfEveryOperation,
    /// That asks for a token without this claim, or for none, where the rule asks for one that has it.
    Without(String),
    /// Of everything below the folders that its pattern at this place names the objects of.
    Below(usize),
}

impl Exact {
    pub(super) fn of(document: &PolicyDocument) -> Self {
        let own = document.rules.len();
        let mut extended = document.clone();
        extended.accepted.clear();
        let mut variants = BTreeMap::new();
        let mut name = "variant".to_owned();
        while document.rules.iter().any(|rule| rule.id.starts_with(&name)) {
            name.push('-');
        }
        for (index, rule) in document.rules.iter().enumerate() {
            for (variant, mut thought_up) in variants_of(rule) {
                thought_up.id = format!("{name}{}", extended.rules.len());
                variants.insert((index, variant), extended.rules.len());
                extended.rules.push(thought_up);
            }
        }
        let bundle = Bundle::write(&extended).ok().and_then(|bytes| Bundle::read(&bytes).ok());
        Self {
            authorizer: bundle.map(|bundle| Box::new(Authorizer::new(bundle))),
            own,
            variants,
            reaches: OnceCell::new(),
            undecided: RefCell::default(),
            budget: Budget::for_rules(own),
        }
    }

    /// The index of a variant.
    pub(super) fn variant(&self, rule: usize, variant: Variant) -> Option<usize> {
        self.variants.get(&(rule, variant)).copied()
    }

    /// Whether each rule ever decides; `None` if the analysis did not finish.
    pub(super) fn reach(&self, rule: usize, plain: &Authorizer) -> Option<&Reach> {
        let all = self.reaches.get_or_init(|| {
            let analysis = Analysis::within(plain, &self.budget);
            (0..self.own).map(|rule| self.noted(rule, analysis.reach(rule))).collect()
        });
        all.get(rule)?.as_ref()
    }

    /// Whether a rule changes a decision. The answer is yes if the analysis did not finish.
    pub(super) fn is_redundant(&self, rule: usize, plain: &Authorizer) -> bool {
        let difference = self.noted(rule, Analysis::within(plain, &self.budget).difference(rule));
        matches!(difference, Some(Difference::Redundant))
    }

    /// A request for the operation that both rules match, and none of the others.
    pub(super) fn meeting(
        &self,
        operation: S3Operation,
        [one, other]: [usize; 2],
        exclude: &[usize],
    ) -> Option<Witness> {
        let side = self.authorizer.as_deref()?;
        let sides = [side];
        let engine = Engine::within(&sides, &self.budget);
        let at = |rule: usize| RuleRef { side: 0, rule };
        let (first, second) = (engine.rule(at(one))?, engine.rule(at(other))?);
        if !could_overlap(first, second, operation) {
            return None;
        }
        let exclude: Vec<_> = exclude.iter().copied().map(at).collect();
        for who in engine.everyone(0) {
            let answer = engine.ask(&Question {
                operation,
                who: &who,
                bounds: &Bounds::default(),
                tokens: &[Token::Valid],
                require: &[at(one), at(other)],
                exclude: &exclude,
                within: None,
                difference: None,
            });
            // A variant stands for its rule.
            let noted = self.noted(one.min(other), answer);
            if let Some(witness) = noted.and_then(|answer| answer.witness()) {
                return Some(witness);
            }
        }
        None
    }

    /// The rules before this one that match every upload it does which does not bring the metadata along; none where
    /// there is an upload that this rule decides on.
    pub(super) fn never_writes(&self, rule: usize, name: &str) -> Option<Vec<usize>> {
        let side = self.authorizer.as_deref()?;
        let sides = [side];
        let engine = Engine::within(&sides, &self.budget);
        let (name, term) = engine.rule(RuleRef { side: 0, rule })?.terms().metadata.get_key_value(name)?;
        let before = |at: &RuleRef| at.rule < self.own;
        let mut exclude = engine.with_effect(0, Effect::Deny, None);
        exclude.extend(engine.with_effect(0, Effect::Allow, Some(rule)));
        exclude.retain(before);
        let mut covering = Vec::new();
        for operation in OperationSet::of(S3Operation::describes_object).iter() {
            for who in engine.everyone(0) {
                let answer = engine.ask(&Question {
                    operation,
                    who: &who,
                    bounds: &Bounds::default(),
                    tokens: &[Token::Valid],
                    require: &[RuleRef { side: 0, rule }],
                    exclude: &exclude,
                    within: None,
                    difference: Some(MetadataDifference { name, one: Some(term), other: None }),
                });
                match self.noted(rule, answer)? {
                    Answer::Yes(_) => return None,
                    Answer::No(rules) => covering.extend(rules.into_iter().map(|one| one.rule)),
                }
            }
        }
        Some(covering)
    }

    /// A request for the operation that an allow rule allows and no deny rule denies, and that this variant of a rule
    /// matches; with the index of the allow rule.
    pub(super) fn let_in(
        &self,
        operation: S3Operation,
        thought_up: usize,
        allows: impl Fn(usize) -> bool,
    ) -> Option<(usize, Witness)> {
        let rules = self.authorizer.as_deref()?.bundle().policy().rules();
        let own = rules.iter().take(self.own).enumerate();
        let of = |effect: Effect| {
            own.clone()
                .filter(move |(_, rule)| rule.effect() == effect && rule.operations().contains(operation))
        };
        let denies: Vec<_> = of(Effect::Deny).map(|(index, _)| index).collect();
        of(Effect::Allow)
            .map(|(index, _)| index)
            .filter(|index| allows(*index))
            .find_map(|index| Some((index, self.meeting(operation, [index, thought_up], &denies)?)))
    }

    /// The rules for which the analysis did not finish.
    pub(super) fn undecided(&self) -> BTreeMap<usize, String> {
        let mut undecided = self.undecided.borrow().clone();
        if self.authorizer.is_none() && self.own > 0 {
            undecided.insert(0, "the policy is too large to analyse".to_owned());
        }
        undecided
    }

    /// Notes why the analysis of a rule did not finish.
    pub(super) fn note(&self, rule: usize, why: String) {
        self.undecided.borrow_mut().insert(rule, why);
    }

    fn noted<T>(&self, rule: usize, answer: Result<T, EngineError>) -> Option<T> {
        answer.map_err(|error| self.note(rule, error.to_string())).ok()
    }
}

fn variants_of(rule: &RuleDocument) -> Vec<(Variant, RuleDocument)> {
    let mut variants = Vec::new();
    let is_deny = rule.effect == EffectDocument::Deny;
    if is_deny || rule.anonymous {
        let mut wide = rule.clone();
        wide.methods.clear();
        wide.operations = S3Operation::ALL.to_vec();
        if !is_deny {
            wide.operations.retain(|operation| !operation.is_listing());
            wide.upload = None;
        }
        variants.push((Variant::OfEveryOperation, wide));
    }
    if is_deny {
        for claim in claims_asked_for(rule) {
            variants.push((Variant::Without(claim.to_owned()), without(rule, claim)));
        }
        for (index, pattern) in rule.keys.iter().enumerate() {
            if let Some(below) = below_of(pattern) {
                let below = RuleDocument { keys: vec![below], ..rule.clone() };
                variants.push((Variant::Below(index), below));
            }
        }
    }
    variants
}

/// The keys below the folders of those that a pattern names, where it names those of one level.
fn below_of(pattern: &str) -> Option<String> {
    let folder = if pattern == "*" { "" } else { pattern.strip_suffix("/*")? };
    let is_deep = folder == "**" || folder.ends_with("/**");
    let below = format!("{pattern}/**");
    (!is_deep && KeyPattern::parse(&below).is_ok()).then_some(below)
}

/// The claims that must be there for a rule to match.
pub(super) fn claims_asked_for(rule: &RuleDocument) -> Vec<&str> {
    let asked = rule.when.iter().filter(|(_, condition)| condition.present != Some(false));
    let mut claims: Vec<_> = asked.map(|(claim, _)| claim.as_str()).collect();
    for pattern in &rule.keys {
        claims.extend(pattern.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)));
    }
    claims.sort_unstable();
    claims.dedup();
    claims
}

fn without(rule: &RuleDocument, claim: &str) -> RuleDocument {
    let mut without = rule.clone();
    without.when.insert(
        claim.to_owned(),
        ConditionDocument { equals: None, any: None, has: None, present: Some(false) },
    );
    for pattern in &mut without.keys {
        *pattern = pattern.replace(&format!("{{{claim}}}"), "*");
    }
    without
}

/// The request of a witness, for a sentence.
pub(super) fn words(witness: &Witness) -> String {
    let who = if witness.claims.is_some() { "with a token" } else { "without a token" };
    format!("{} of `{}` {who}", witness.operation.name(), witness.key.escape_debug())
}
