//! The input of the checks, and words that more than one check needs.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use authorizer_analysis::Reach;
use authorizer_analysis::engine::heads_agree;
use authorizer_analysis::{Who, Witness};
use authorizer_core::operation::{OperationSet, S3Operation};
use authorizer_core::policy::document::{IssuerDocument, PolicyDocument, RuleDocument};
use authorizer_core::policy::{Place, Policy};
use authorizer_core::rules::{ClaimTest, Condition, Effect, KeyPattern, Period, Rule, RulePart, Segment};
use authorizer_core::token::{JwsAlgorithm, KeySet, SignatureAlgorithm};
use authorizer_core::{Authorizer, UnixTime};
use serde_json::Value;

use super::exact::{Asked, Exact, Fence, Variant, words};
use super::finding::{About, Observation};

/// A policy, as it is written and as it decides, and the time of the check.
#[derive(Debug)]
pub struct PolicySubject<'p> {
    document: &'p PolicyDocument,
    authorizer: &'p Authorizer,
    exact: Exact<'p>,
    /// The rules of which there is more than one, by their places.
    alike: OnceCell<Vec<Vec<usize>>>,
    now: UnixTime,
}

impl<'p> PolicySubject<'p> {
    /// `authorizer` decides by `document`.
    pub fn new(document: &'p PolicyDocument, authorizer: &'p Authorizer, now: UnixTime) -> Self {
        Self { document, authorizer, exact: Exact::of(document), alike: OnceCell::new(), now }
    }

    /// The questions to the engine.
    pub(super) fn exact(&self) -> &Exact<'p> {
        &self.exact
    }

    /// Whether a rule ever decides; `None` if the analysis did not finish.
    pub(super) fn reach(&self, rule: &RuleView<'_>) -> Option<&Reach> {
        self.exact.reach(rule.index, self.authorizer)
    }

    /// Whether the object of this request, or every object of the listing, is of this pattern.
    pub(super) fn is_of(&self, request: &Witness, pattern: &KeyPattern) -> bool {
        request.is_of(pattern, self.authorizer)
    }

    /// Whether every request would be decided the same without a rule.
    pub(super) fn is_redundant(&self, rule: &RuleView<'_>) -> bool {
        self.exact.is_redundant(rule.index, self.authorizer)
    }

    /// A request for the operation that an allow rule allows, no deny rule denies and a variant of a rule
    /// matches. The function's own code has allowed it.
    pub(super) fn let_in(
        &self,
        operation: S3Operation,
        (rule, variant): (&RuleView<'_>, Variant),
        allows: impl Fn(&RuleView<'_>) -> bool,
    ) -> Option<Witness> {
        let thought_up = self.exact.variant(rule.index, variant)?;
        let is_of_a_kind = |index| self.rule(index).is_some_and(|allow| allows(&allow));
        let (_, witness) = self.exact.let_in(operation, thought_up, is_of_a_kind)?;
        self.confirmed(rule, witness)
    }

    /// The request, if the function's own code allows it.
    pub(super) fn confirmed(&self, rule: &RuleView<'_>, witness: Witness) -> Option<Witness> {
        let replayed = witness.replay(self.authorizer);
        if !replayed.allowed {
            self.exact.note(rule.index, format!("{} is not allowed: {}", words(&witness), replayed.reason));
        }
        replayed.allowed.then_some(witness)
    }

    /// A request of one of these viewers that is as asked, and that the function's own code allows.
    pub(super) fn allowed(&self, rule: &RuleView<'_>, asked: Asked<'_>, whose: &[Who]) -> Option<Witness> {
        self.confirmed(rule, self.exact.ask(asked, whose)?.witness()?)
    }

    /// The deny rules, by their indexes.
    pub(super) fn deny_indexes(&self) -> Vec<usize> {
        self.denies().map(|rule| rule.index).collect()
    }

    /// Those whom both rules speak of.
    pub(super) fn whose(&self, one: &RuleView<'_>, other: &RuleView<'_>) -> Vec<Who> {
        if one.is_anonymous() && other.is_anonymous() {
            return self.exact.everyone();
        }
        let in_both = one.issuers.iter().filter(|issuer| other.accepts(issuer));
        in_both.map(|issuer| Who::Token(issuer.issuer.clone())).collect()
    }

    /// The rules that are the same but for their ids, together.
    pub(super) fn alike(&self) -> &[Vec<usize>] {
        self.alike.get_or_init(|| {
            let mut alike: BTreeMap<String, Vec<usize>> = BTreeMap::new();
            for rule in self.rules() {
                if let Some(essence) = rule.essence() {
                    alike.entry(essence).or_default().push(rule.index);
                }
            }
            alike.into_values().filter(|rules| rules.len() > 1).collect()
        })
    }

    pub(super) fn policy(&self) -> &'p Policy {
        self.authorizer.bundle().policy()
    }

    pub(super) fn document(&self) -> &'p PolicyDocument {
        self.document
    }

    pub(super) fn now(&self) -> UnixTime {
        self.now
    }

    /// The operations that some allow rule allows.
    pub(super) fn possible(&self) -> OperationSet {
        self.policy().possible().operations
    }

    /// The rule at this place.
    pub(super) fn rule(&self, index: usize) -> Option<RuleView<'p>> {
        let (document, rule) = (self.document.rules.get(index)?, self.policy().rules().get(index)?);
        Some(RuleView::new(index, document, rule, &self.document.issuers))
    }

    pub(super) fn rules(&self) -> impl Iterator<Item = RuleView<'p>> + use<'p> {
        let all: &'p [IssuerDocument] = &self.document.issuers;
        let rules = self.document.rules.iter().zip(self.policy().rules()).enumerate();
        rules.map(move |(index, (document, rule))| RuleView::new(index, document, rule, all))
    }

    pub(super) fn allows(&self) -> impl Iterator<Item = RuleView<'p>> + use<'p> {
        self.rules().filter(|rule| rule.rule.effect() == Effect::Allow)
    }

    pub(super) fn denies(&self) -> impl Iterator<Item = RuleView<'p>> + use<'p> {
        self.rules().filter(|rule| rule.rule.effect() == Effect::Deny)
    }

    pub(super) fn issuers(&self) -> impl Iterator<Item = IssuerView<'p>> + use<'p> {
        self.document.issuers.iter().enumerate().map(|(index, document)| IssuerView { index, document })
    }

    /// Whether a browser sends the token by itself, in a cookie.
    pub(super) fn has_cookie(&self) -> bool {
        self.document.credentials.cookie.is_some()
    }

    /// Whether a token comes with a request whoever's page makes it, because a browser sends it by itself or a proxy adds
    /// it, so that a script of this origin acts as the person who is signed in.
    pub(super) fn has_ambient_token(&self) -> bool {
        self.policy().credentials().has_ambient()
    }
}

/// A rule, as it is written and as it compiled.
#[derive(Clone, Debug)]
pub(super) struct RuleView<'p> {
    /// Its place in the policy.
    pub(super) index: usize,
    pub(super) document: &'p RuleDocument,
    pub(super) rule: &'p Rule,
    /// The issuers whose tokens it applies to.
    pub(super) issuers: Vec<&'p IssuerDocument>,
}

impl<'p> RuleView<'p> {
    fn new(index: usize, document: &'p RuleDocument, rule: &'p Rule, all: &'p [IssuerDocument]) -> Self {
        let speaks_of = |issuer: &&'p IssuerDocument| {
            document.issuers.as_ref().is_none_or(|names| names.contains(&issuer.name))
        };
        Self { index, document, rule, issuers: all.iter().filter(speaks_of).collect() }
    }

    /// Whether a pattern of it may match a key that a pattern of the other matches. "Yes" may be wrong, "no" is not.
    pub(super) fn is_near(&self, other: &RuleView<'_>) -> bool {
        self.rule.keys().iter().any(|one| other.rule.keys().iter().any(|other| heads_agree(one, other)))
    }

    pub(super) fn id(&self) -> &'p str {
        &self.document.id
    }

    pub(super) fn is_deny(&self) -> bool {
        self.rule.effect() == Effect::Deny
    }

    /// Whether it opens something to everyone.
    pub(super) fn is_anonymous(&self) -> bool {
        self.document.anonymous
    }

    pub(super) fn has(&self, operation: S3Operation) -> bool {
        self.rule.operations().contains(operation)
    }

    /// Those of the operations that it applies to.
    pub(super) fn of(&self, operations: &[S3Operation]) -> Vec<S3Operation> {
        operations.iter().copied().filter(|operation| self.has(*operation)).collect()
    }

    /// The operations that it applies to and that meet this condition.
    pub(super) fn that(&self, fact: fn(S3Operation) -> bool) -> Vec<S3Operation> {
        self.rule.operations().iter().filter(|operation| fact(*operation)).collect()
    }

    /// Whether it speaks of this issuer's tokens.
    pub(super) fn accepts(&self, issuer: &IssuerDocument) -> bool {
        self.issuers.iter().any(|one| one.name == issuer.name)
    }

    pub(super) fn place(&self) -> Place {
        Place::member("rules").at(self.index)
    }

    /// Something about the rule as a whole, which stands where its id does.
    pub(super) fn found(&self, message: impl Into<String>) -> Observation {
        self.found_at(self.place().then("id"), message)
    }

    /// Something at a member of the rule.
    pub(super) fn found_in(&self, member: &str, message: impl Into<String>) -> Observation {
        self.found_at(self.place().then(member), message)
    }

    pub(super) fn found_at(&self, place: Place, message: impl Into<String>) -> Observation {
        Observation::new(About::Rule(self.id().to_owned()), place, message)
    }

    /// Something of one operation, where it is named, or where the methods are.
    pub(super) fn found_of(&self, operation: S3Operation, message: impl Into<String>) -> Observation {
        let named = self.document.operations.iter().position(|one| *one == operation);
        let place = match named {
            Some(index) => self.place().then("operations").at(index),
            None => {
                self.place().then(if self.document.methods.is_empty() { "operations" } else { "methods" })
            }
        };
        self.found_at(place, message)
    }

    /// Its patterns, each with its place.
    pub(super) fn patterns(&self) -> impl Iterator<Item = (Place, &'p KeyPattern)> {
        let place = self.place().then("keys");
        self.rule.keys().iter().enumerate().map(move |(index, pattern)| (place.at(index), pattern))
    }

    /// The claims that its patterns, conditions and metadata read, each with the place.
    pub(super) fn claims(&self) -> Vec<(Place, &'p str, Use<'p>)> {
        let mut claims = Vec::new();
        for part in self.rule.parts() {
            match part {
                RulePart::Keys(_) => {
                    for (place, pattern) in self.patterns() {
                        claims.extend(pattern.claims().map(|claim| (place.clone(), claim, Use::Key)));
                    }
                }
                RulePart::Conditions(conditions) => {
                    for condition in conditions {
                        let place = self.place().then("when").then(&condition.claim);
                        claims.push((place, condition.claim.as_str(), Use::Condition(&condition.test)));
                    }
                }
                RulePart::Metadata(metadata) => {
                    let place = self.place().then("upload").then("metadata");
                    for (name, term) in metadata {
                        claims.extend(term.claim().map(|claim| (place.then(name), claim, Use::Metadata)));
                    }
                }
                // They read none.
                RulePart::Effect(_)
                | RulePart::Operations(_)
                | RulePart::Principals(_)
                | RulePart::Period(_)
                | RulePart::Sources(_)
                | RulePart::Hosts(_)
                | RulePart::Overrides(_)
                | RulePart::Parameters(_)
                | RulePart::Checksums(_)
                | RulePart::MaxBytes(_)
                | RulePart::ContentTypes(_)
                | RulePart::CreateOnly(_) => {}
            }
        }
        claims
    }

    /// The same for two rules that say the same: in another order, and with methods or with operations.
    fn essence(&self) -> Option<String> {
        let mut essence = self.document.clone();
        essence.id.clear();
        essence.methods.clear();
        essence.operations = self.rule.operations().iter().collect();
        essence.keys.sort();
        for names in [&mut essence.issuers, &mut essence.source_ips, &mut essence.hosts].into_iter().flatten()
        {
            names.sort();
        }
        serde_json::to_string(&essence).ok()
    }

    /// Whether it asks nothing of a viewer that the other does not ask, beside its keys, its limits for uploads, and
    /// this fence. To ask for a host is to ask nothing: the viewer chooses it.
    pub(super) fn asks_no_more(&self, other: &RuleView<'_>, but: Option<Fence>) -> bool {
        let may_ask_for = |fence, is_so: bool| but == Some(fence) || is_so;
        let (own, theirs) = (self.rule, other.rule);
        let has_no_more =
            may_ask_for(Fence::Network, own.sources().is_none() || own.sources() == theirs.sources())
                && may_ask_for(
                    Fence::Period,
                    own.period() == Period::default() || own.period() == theirs.period(),
                );
        let is_asked = |condition: &Condition| {
            let reads = || other.rule.keys().iter().flat_map(KeyPattern::claims);
            other.rule.conditions().contains(condition)
                || (condition.test == ClaimTest::Present(true)
                    && reads().any(|claim| claim == condition.claim))
        };
        self.is_anonymous() == other.is_anonymous()
            && has_no_more
            && self.rule.conditions().iter().all(is_asked)
    }

    /// The keys, as they are written.
    pub(super) fn keys(&self) -> String {
        list(&self.document.keys)
    }
}

/// What a rule reads a claim for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Use<'p> {
    /// To say which keys are meant.
    Key,
    /// To decide whether it matches.
    Condition(&'p authorizer_core::rules::ClaimTest),
    /// To write it beside the object.
    Metadata,
}

/// An issuer, as it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct IssuerView<'p> {
    index: usize,
    pub(super) document: &'p IssuerDocument,
}

impl<'p> IssuerView<'p> {
    pub(super) fn name(self) -> &'p str {
        &self.document.name
    }

    pub(super) fn place(self) -> Place {
        Place::member("issuers").at(self.index)
    }

    pub(super) fn found_in(self, member: &str, message: impl Into<String>) -> Observation {
        self.found_at(self.place().then(member), message)
    }

    pub(super) fn found_at(self, place: Place, message: impl Into<String>) -> Observation {
        Observation::new(About::Issuer(self.name().to_owned()), place, message)
    }

    /// Its algorithms, and their places in the list.
    pub(super) fn signature_algorithms(self) -> impl Iterator<Item = (usize, SignatureAlgorithm)> {
        self.document.algorithms.iter().enumerate().filter_map(|(index, algorithm)| match algorithm {
            JwsAlgorithm::Signature(algorithm) => Some((index, *algorithm)),
            JwsAlgorithm::Hs256 => None,
        })
    }

    /// The URL of its keys.
    pub(super) fn keys_url(self) -> Option<&'p str> {
        self.document.jwks.as_ref().and_then(|jwks| jwks.url.as_deref())
    }

    /// Its keys, including those that verify nothing.
    pub(super) fn keys(self) -> impl Iterator<Item = KeyView<'p>> {
        let keys = self.document.jwks.as_ref().and_then(|jwks| jwks.keys.as_deref()).unwrap_or_default();
        keys.iter().enumerate().map(move |(index, jwk)| KeyView { issuer: self, index, jwk })
    }
}

/// A key of an issuer.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyView<'p> {
    pub(super) issuer: IssuerView<'p>,
    index: usize,
    pub(super) jwk: &'p Value,
}

impl<'p> KeyView<'p> {
    /// A member that is a string.
    pub(super) fn text(self, member: &str) -> Option<&'p str> {
        self.jwk.get(member).and_then(Value::as_str)
    }

    pub(super) fn kid(self) -> Option<&'p str> {
        self.text("kid")
    }

    /// Whether a token may be verified with it.
    pub(super) fn is_used(self) -> bool {
        let algorithms: Vec<_> = self.issuer.signature_algorithms().map(|(_, algorithm)| algorithm).collect();
        self.verifies(&algorithms)
    }

    /// Whether one of the algorithms may be verified with it.
    pub(super) fn verifies(self, algorithms: &[SignatureAlgorithm]) -> bool {
        KeySet::from_jwks(std::slice::from_ref(self.jwk), algorithms).is_ok()
    }

    /// Its name for a person.
    pub(super) fn name(self) -> String {
        match self.kid() {
            Some(kid) => format!("key `{}`", kid.escape_debug()),
            None => format!("key {} (without `kid`)", self.index),
        }
    }

    /// Something of the key, which stands where the key file is named.
    pub(super) fn found(self, message: impl Into<String>) -> Observation {
        let about = About::Key { issuer: self.issuer.name().to_owned(), kid: self.kid().map(str::to_owned) };
        Observation::new(about, self.issuer.place().then("jwks"), message)
    }
}

/// Whether a pattern names every key, or all but a level of them.
pub(super) fn is_everything(pattern: &KeyPattern) -> bool {
    let segments = pattern.segments();
    segments.contains(&Segment::AnySegments) && segments.iter().all(is_wild)
}

/// Whether two patterns look as if one was meant to be the other: the first literal in which they differ differs by a
/// letter, by capitals or by a separator.
pub(super) fn is_a_slip(one: &KeyPattern, other: &KeyPattern) -> bool {
    for (one, other) in one.segments().iter().zip(other.segments()) {
        match (one, other) {
            (Segment::Literal(one), Segment::Literal(other)) if one != other => return is_near(one, other),
            (Segment::Literal(_), Segment::Literal(_))
            | (Segment::Claim(_), Segment::Claim(_) | Segment::Glob(_))
            | (Segment::Glob(_), Segment::Claim(_) | Segment::Glob(_)) => {}
            (Segment::AnySegments, _)
            | (_, Segment::AnySegments)
            | (Segment::Literal(_), Segment::Glob(_) | Segment::Claim(_))
            | (Segment::Glob(_) | Segment::Claim(_), Segment::Literal(_)) => return false,
        }
    }
    false
}

fn is_near(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.replace(['-', '_', ' ', '.'], "").to_lowercase();
    // Numbers count: a year is not another year.
    let worded = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
    let (one, other) = (plain(one), plain(other));
    one == other
        || (one.len().min(other.len()) >= 4
            && worded(&one) != worded(&other)
            && strsim::osa_distance(&one, &other) == 1)
}

/// Whether a segment is only a wildcard.
pub(super) fn is_wild(segment: &Segment) -> bool {
    match segment {
        Segment::AnySegments => true,
        Segment::Glob(parts) => parts.iter().all(String::is_empty),
        Segment::Literal(_) | Segment::Claim(_) => false,
    }
}

/// `a`, `b` and `c`.
pub(super) fn list(items: &[impl AsRef<str>]) -> String {
    let quoted: Vec<_> = items.iter().map(|item| format!("`{}`", item.as_ref().escape_debug())).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// The names of operations, for a sentence.
pub(super) fn names(operations: &[S3Operation]) -> String {
    let names: Vec<_> = operations.iter().map(|operation| operation.name()).collect();
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}
