//! The questions of checks to the engine: is there a request that meets some conditions?
//!
//! Some questions are about a variant of a rule in the policy: would this deny rule have denied, if it named
//! that operation too, or did not require that claim? So the engine gets the policy and, behind its rules, the
//! variants; no question excludes or requires one of them by accident, because each names its rules.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use authorizer_analysis::engine::{
    Answer, Bounds, Budget, Engine, EngineError, MetadataDifference, Question, Reading, RuleRef, Token, Who,
    Witness, could_overlap,
};
use authorizer_analysis::{Analysis, Difference, Reach};
use authorizer_core::operation::{OperationSet, S3Operation};
use authorizer_core::policy::document::{
    ConditionDocument, EffectDocument, PolicyDocument, RuleDocument, UploadDocument,
};
use authorizer_core::rules::{Effect, KeyPattern};
use authorizer_core::{Authorizer, Bundle};

/// The engine, and the answers so far.
#[derive(Debug)]
pub(super) struct Exact<'p> {
    document: &'p PolicyDocument,
    /// Made when a question needs it: it takes as long as all that `check` looks at in a long policy.
    extended: OnceCell<Extended>,
    /// The number of the policy's own rules.
    own: usize,
    reaches: OnceCell<Vec<Option<Reach>>>,
    /// The rules for which the analysis did not finish, and why.
    undecided: RefCell<BTreeMap<usize, String>>,
    /// What all questions may cost together.
    budget: Budget,
}

/// A policy with the variants behind its rules.
#[derive(Debug)]
struct Extended {
    /// `None` if it is too large.
    authorizer: Option<Box<Authorizer>>,
    /// The indexes of the variants.
    variants: BTreeMap<(usize, Variant), usize>,
    /// The variants that no policy can have.
    lost: BTreeSet<(usize, Variant)>,
    /// The ids of the rules that the variants are of, by the variants' own ids.
    names: BTreeMap<String, String>,
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
    /// With its pattern at this place alone.
    Alone(usize),
    /// With its pattern at this place alone, in which any text stands in the place of this claim: the folders of
    /// everyone, where the rule names the viewer's own.
    Others(usize, String),
    /// That does not ask for this.
    Unfenced(Fence),
}

/// What keeps a rule to some of the requests for its keys, beside the viewer's claims.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Fence {
    /// `source_ips`.
    Network,
    /// `hosts`.
    Host,
    /// `not_before` and `not_after`.
    Period,
    /// `upload.max_bytes`.
    Length,
    /// `upload.content_types`.
    Types,
}

impl Fence {
    /// All of them.
    pub(super) const ALL: [Self; 5] = [Self::Network, Self::Host, Self::Period, Self::Length, Self::Types];

    /// Whether a rule has it.
    pub(super) fn is_of(self, rule: &RuleDocument) -> bool {
        let upload = rule.upload.as_ref();
        match self {
            Self::Network => rule.source_ips.is_some(),
            Self::Host => rule.hosts.is_some(),
            Self::Period => rule.not_before.is_some() || rule.not_after.is_some(),
            Self::Length => upload.is_some_and(|upload| upload.max_bytes.is_some()),
            Self::Types => upload.is_some_and(|upload| upload.content_types.is_some()),
        }
    }

    fn strike(self, rule: &mut RuleDocument) {
        match self {
            Self::Network => rule.source_ips = None,
            Self::Host => rule.hosts = None,
            Self::Period => {
                rule.not_before = None;
                rule.not_after = None;
            }
            Self::Length => {
                if let Some(upload) = &mut rule.upload {
                    upload.max_bytes = None;
                }
            }
            Self::Types => {
                if let Some(upload) = &mut rule.upload {
                    upload.content_types = None;
                }
            }
        }
        rule.upload.take_if(|upload| *upload == UploadDocument::default());
    }
}

/// A question about rules, by their indexes, the variants' too.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) operation: S3Operation,
    /// All of these match.
    pub(super) require: &'a [usize],
    /// None of these does.
    pub(super) exclude: &'a [usize],
    /// A pattern of a rule that the key is of: the rule, and the pattern's place in it.
    pub(super) within: Option<(usize, usize)>,
}

impl Extended {
    fn of(document: &PolicyDocument) -> Self {
        let all = Self::with(document, |_| true);
        if all.authorizer.is_some() {
            return all;
        }
        // One that no policy can have must not leave every rule without an analysis.
        Self::with(document, |thought_up| {
            let alone =
                PolicyDocument { rules: vec![thought_up.clone()], accepted: Vec::new(), ..document.clone() };
            Bundle::write(&alone).is_ok()
        })
    }

    /// The policy, and those of the variants that are wanted.
    fn with(document: &PolicyDocument, is_wanted: impl Fn(&RuleDocument) -> bool) -> Self {
        let mut extended = document.clone();
        extended.accepted.clear();
        let (mut variants, mut lost, mut names) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        let mut name = "variant".to_owned();
        while document.rules.iter().any(|rule| rule.id.starts_with(&name)) {
            name.push('-');
        }
        for (index, rule) in document.rules.iter().enumerate() {
            for (variant, mut thought_up) in variants_of(rule) {
                thought_up.id = format!("{name}{}", extended.rules.len());
                if is_wanted(&thought_up) {
                    names.insert(thought_up.id.clone(), rule.id.clone());
                    variants.insert((index, variant), extended.rules.len());
                    extended.rules.push(thought_up);
                } else {
                    lost.insert((index, variant));
                }
            }
        }
        let bundle = Bundle::write_and_read(&extended).ok().map(|(_, bundle)| bundle);
        Self { authorizer: bundle.map(|bundle| Box::new(Authorizer::new(bundle))), variants, lost, names }
    }

    /// The error with the rules that a person has written.
    fn told(&self, error: EngineError) -> EngineError {
        let EngineError::NotDecided { rules } = error else { return error };
        let mut told = Vec::new();
        for rule in rules {
            let rule = self.names.get(&rule).cloned().unwrap_or(rule);
            if !told.contains(&rule) {
                told.push(rule);
            }
        }
        EngineError::NotDecided { rules: told }
    }
}

impl<'p> Exact<'p> {
    pub(super) fn of(document: &'p PolicyDocument) -> Self {
        let own = document.rules.len();
        Self {
            document,
            extended: OnceCell::new(),
            own,
            reaches: OnceCell::new(),
            undecided: RefCell::default(),
            budget: Budget::for_rules(own),
        }
    }

    fn extended(&self) -> &Extended {
        self.extended.get_or_init(|| Extended::of(self.document))
    }

    /// The policy, and the variants behind its rules.
    fn side(&self) -> Option<&Authorizer> {
        self.extended().authorizer.as_deref()
    }

    /// The index of a variant. If no policy can have it, the rule was not compared with it, which is noted.
    pub(super) fn variant(&self, rule: usize, variant: Variant) -> Option<usize> {
        let wanted = (rule, variant);
        let extended = self.extended();
        if extended.lost.contains(&wanted) {
            self.note(
                rule,
                "a variant of the rule, which shows what the rule leaves open, cannot be written".to_owned(),
            );
        }
        extended.variants.get(&wanted).copied()
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
        let seen = match self.reach(rule, plain) {
            Some(Reach::Decides(witness)) => Some(&**witness),
            Some(Reach::Covered(_) | Reach::Impossible) | None => None,
        };
        let difference = self.noted(rule, Analysis::within(plain, &self.budget).difference(rule, seen));
        matches!(difference, Some(Difference::Redundant))
    }

    /// A request for the operation that both rules match, and none of the others.
    pub(super) fn meeting(
        &self,
        operation: S3Operation,
        [one, other]: [usize; 2],
        exclude: &[usize],
    ) -> Option<Witness> {
        let side = self.side()?;
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

    /// A request of one of these viewers, or the rules that match each that would do; `None` if the analysis did not
    /// finish.
    pub(super) fn ask(&self, asked: Asked<'_>, whose: &[Who]) -> Option<Answer> {
        self.ask_within(asked, whose, self.pattern(asked))
    }

    /// The same, of keys that are of this pattern.
    pub(super) fn ask_within(
        &self,
        asked: Asked<'_>,
        whose: &[Who],
        within: Option<&KeyPattern>,
    ) -> Option<Answer> {
        let Asked { operation, require, exclude, .. } = asked;
        let side = self.side()?;
        let sides = [side];
        let engine = Engine::within(&sides, &self.budget);
        let at = |rule: &usize| RuleRef { side: 0, rule: *rule };
        let require: Vec<_> = require.iter().map(at).collect();
        let exclude: Vec<_> = exclude.iter().map(at).collect();
        let denies =
            require.iter().any(|rule| engine.rule(*rule).is_some_and(|one| one.effect() == Effect::Deny));
        let reading = match (operation.is_listing(), denies) {
            (false, _) => Reading::Exactly,
            (true, false) => Reading::Whole,
            (true, true) => Reading::Touched,
        };
        let named = require.iter().map(|rule| rule.rule).min().unwrap_or_default();
        let mut covering = Vec::new();
        for who in whose {
            let answer = engine.ask(&Question {
                operation,
                who,
                bounds: &Bounds::default(),
                tokens: &[Token::Valid],
                require: &require,
                exclude: &exclude,
                within: within.map(|pattern| (pattern, reading)),
                difference: None,
            });
            match self.noted(named, answer)? {
                Answer::Yes(witness) => return Some(Answer::Yes(witness)),
                Answer::No(rules) => covering.extend(rules),
            }
        }
        Some(Answer::No(covering))
    }

    fn pattern(&self, asked: Asked<'_>) -> Option<&KeyPattern> {
        let (rule, pattern) = asked.within?;
        self.side()?.bundle().policy().rules().get(rule)?.keys().get(pattern)
    }

    /// Whether two rules, or variants, might match the same request. "Yes" may be wrong, "no" is not.
    pub(super) fn could_overlap(&self, operation: S3Operation, one: usize, other: usize) -> bool {
        let rules = self.side().map(|side| side.bundle().policy().rules()).unwrap_or_default();
        rules.get(one).zip(rules.get(other)).is_some_and(|(one, other)| could_overlap(one, other, operation))
    }

    /// Everyone that the policy knows.
    pub(super) fn everyone(&self) -> Vec<Who> {
        let Some(side) = self.side() else { return Vec::new() };
        Engine::new(&[side]).everyone(0)
    }

    /// The rules before this one that match every upload to keys of one of its patterns which does not bring the metadata
    /// along; none where there is an upload that this rule decides on.
    pub(super) fn never_writes(&self, rule: usize, pattern: usize, name: &str) -> Option<Vec<usize>> {
        let side = self.side()?;
        let sides = [side];
        let engine = Engine::within(&sides, &self.budget);
        let one = engine.rule(RuleRef { side: 0, rule })?;
        let within = one.keys().get(pattern).map(|pattern| (pattern, Reading::Exactly));
        let (name, term) = one.terms().metadata.get_key_value(name)?;
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
                    within,
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
        let rules = self.side()?.bundle().policy().rules();
        let own = rules.iter().take(self.own).enumerate();
        let of = |effect: Effect| {
            own.clone()
                .filter(move |(_, rule)| rule.effect() == effect && rule.operations().contains(operation))
        };
        let denies: Vec<_> = of(Effect::Deny).map(|(index, _)| index).collect();
        of(Effect::Allow)
            .map(|(index, _)| index)
            .filter(|index| self.could_overlap(operation, *index, thought_up) && allows(*index))
            .find_map(|index| Some((index, self.meeting(operation, [index, thought_up], &denies)?)))
    }

    /// The rules for which the analysis did not finish.
    pub(super) fn undecided(&self) -> BTreeMap<usize, String> {
        let mut undecided = self.undecided.borrow().clone();
        if self.side().is_none() && self.own > 0 {
            undecided.insert(0, "the policy is too large to analyse".to_owned());
        }
        undecided
    }

    /// Notes why the analysis of a rule did not finish.
    pub(super) fn note(&self, rule: usize, why: String) {
        self.undecided.borrow_mut().insert(rule, why);
    }

    fn noted<T>(&self, rule: usize, answer: Result<T, EngineError>) -> Option<T> {
        answer.map_err(|error| self.note(rule, self.extended().told(error).to_string())).ok()
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
            strike_listing(&mut wide);
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
    if !is_deny {
        for (index, pattern) in rule.keys.iter().enumerate() {
            variants.extend(variants_for_others(rule, index, pattern));
        }
        let fences = Fence::ALL.into_iter().filter(|fence| fence.is_of(rule));
        variants.extend(fences.map(|fence| {
            let mut unfenced = rule.clone();
            fence.strike(&mut unfenced);
            (Variant::Unfenced(fence), unfenced)
        }));
    }
    variants
}

/// An allow rule with one of its patterns alone, if that has claims; and with any text in the place of each.
fn variants_for_others(rule: &RuleDocument, index: usize, pattern: &str) -> Vec<(Variant, RuleDocument)> {
    let claims = claims_in(pattern);
    if claims.is_empty() {
        return Vec::new();
    }
    let mut alone = RuleDocument { keys: vec![pattern.to_owned()], ..rule.clone() };
    // Only a pattern of all keys below a prefix can be listed.
    if !pattern.ends_with("**") {
        strike_listing(&mut alone);
        if alone.methods.is_empty() && alone.operations.is_empty() {
            return Vec::new();
        }
    }
    let others = claims.into_iter().map(|claim| {
        let mut others = alone.clone();
        others.keys = vec![pattern.replace(&format!("{{{claim}}}"), "*")];
        // Of those who have a folder of their own.
        others.when.entry(claim.to_owned()).or_insert_with(|| is_present(true));
        (Variant::Others(index, claim.to_owned()), others)
    });
    let others: Vec<_> = others.collect();
    [(Variant::Alone(index), alone)].into_iter().chain(others).collect()
}

/// Takes listing out of an allow rule, and what only a listing can have.
fn strike_listing(rule: &mut RuleDocument) {
    rule.operations.retain(|operation| !operation.is_listing());
    rule.parameters.retain(|parameter| !parameter.is_of(S3Operation::ListObjectsV2));
}

fn is_present(present: bool) -> ConditionDocument {
    ConditionDocument { present: Some(present), ..ConditionDocument::default() }
}

/// The keys below the folders of those that a pattern names, where it names those of one level, or one that looks like
/// a folder: its name has no ending.
fn below_of(pattern: &str) -> Option<String> {
    let last = pattern.rsplit('/').next().unwrap_or_default();
    if !last.is_empty() && !last.contains(['*', '{', '}', '.']) {
        return Some(format!("{pattern}/**")).filter(|below| KeyPattern::parse(below).is_ok());
    }
    let folder = if pattern == "*" { "" } else { pattern.strip_suffix("/*")? };
    let is_deep = folder == "**" || folder.ends_with("/**");
    let below = format!("{pattern}/**");
    (!is_deep && KeyPattern::parse(&below).is_ok()).then_some(below)
}

/// The claims that must be there for a rule to match.
pub(super) fn claims_asked_for(rule: &RuleDocument) -> Vec<&str> {
    let asked = rule.when.iter().filter(|(_, condition)| condition.present != Some(false));
    let mut claims: Vec<_> = asked.map(|(claim, _)| claim.as_str()).collect();
    claims.extend(rule.keys.iter().flat_map(|pattern| claims_in(pattern)));
    claims.sort_unstable();
    claims.dedup();
    claims
}

/// The claims of a pattern.
fn claims_in(pattern: &str) -> Vec<&str> {
    pattern.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect()
}

fn without(rule: &RuleDocument, claim: &str) -> RuleDocument {
    let mut without = rule.clone();
    without.when.insert(claim.to_owned(), is_present(false));
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_that_is_not_compared_with_a_variant_of_it_is_not_decided() {
        // RFC 8037 appendix A.2: no token is signed here.
        let key = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "k"});
        let document: PolicyDocument = serde_json::from_value(json!({
            "version": 1,
            "issuers": [{"name": "one", "issuer": "https://one.example.com/", "audience": ["a"],
                "algorithms": ["EdDSA"], "token_type": "at+jwt", "jwks": {"keys": [key]}}],
            "rules": [
                {"id": "all", "effect": "allow", "methods": ["GET"], "keys": ["**"]},
                {"id": "none", "effect": "deny", "methods": ["GET"], "keys": ["users/{sub}/**"]},
            ],
        }))
        .unwrap();
        let exact = Exact::of(&document);
        exact.extended.set(Extended::with(&document, |_| false)).unwrap();
        assert!(exact.side().is_some());
        assert_eq!(exact.variant(1, Variant::Without("role".to_owned())), None);
        assert_eq!(exact.undecided(), BTreeMap::new());
        assert_eq!(exact.variant(1, Variant::Without("sub".to_owned())), None);
        assert_eq!(exact.undecided().into_keys().collect::<Vec<_>>(), [1]);
    }
}
