//! What each rule gained and lost, by its text: the entries, and for each the rules that the engine is asked about.
//!
//! A *span* is what a rule matches by one part alone. It is the rule with only the gained value in that part, without
//! what the rule matches if the part is as in the other policy. Both are rules themselves, so the engine needs to know
//! nothing else, and the rest of the rule counts as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::slice;

use authorizer_core::UnixTime;
use authorizer_core::extra_parameter::ExtraParameter;
use authorizer_core::operation::{OperationSet, S3Operation};
use authorizer_core::policy::Policy;
use authorizer_core::rules::{
    ClaimTest, Condition, Effect, HostPattern, IpNet, MetadataTerm, Period, PrincipalConstraint, Rule,
    RulePart,
};

use super::comparison::{NEW, OLD};
use super::model::ChangeKind;
use super::pairs::Pair;
use crate::engine::{RuleRef, Who};
use crate::words::{conditions_in_words, instant_in_words};

/// A rule that is not the same in both policies.
pub(super) struct Draft {
    pub(super) id: String,
    pub(super) effect: Effect,
    pub(super) change: ChangeKind,
    pub(super) conditions: Vec<String>,
    pub(super) parts: Vec<PartDraft>,
}

/// A part of it that is not.
pub(super) struct PartDraft {
    pub(super) part: String,
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
    /// What the rule of the new policy may match because of it, and the rule of the old one does not.
    pub(super) grown: Option<Span>,
    /// The other way round.
    pub(super) shrunk: Option<Span>,
    /// What is stored differently because of it, by the name that [`super::StorageChange`] has for it.
    pub(super) stored: Option<String>,
}

/// What a rule matches by one part alone.
#[derive(Clone)]
pub(super) struct Span {
    /// The rule, with no more than one value of the part.
    pub(super) rule: RuleRef,
    /// What it does not match.
    pub(super) without: Option<RuleRef>,
    pub(super) operations: OperationSet,
    /// Only these; everyone when absent.
    pub(super) who: Option<Who>,
    /// For a deny rule: the same two as rules of the other policy.
    pub(super) mirror: Option<(RuleRef, Option<RuleRef>)>,
}

/// A rule that the engine has, and for a deny rule the same in the other policy.
#[derive(Clone, Copy)]
struct Kept {
    rule: RuleRef,
    mirror: Option<RuleRef>,
}

/// The entries for all rules, and the extra rules of each policy that they name.
pub(super) fn drafts(policies: [&Policy; 2], pairs: &[Pair]) -> (Vec<Draft>, [Vec<Rule>; 2]) {
    let mut extras = [Vec::new(), Vec::new()];
    let drafts = pairs.iter().filter_map(|pair| draft(policies, *pair, &mut extras)).collect();
    (drafts, extras)
}

fn draft(policies: [&Policy; 2], pair: Pair, extras: &mut [Vec<Rule>; 2]) -> Option<Draft> {
    let [old, new] = policies;
    let at =
        |policy: &'_ Policy, index: Option<usize>| index.and_then(|index| policy.rules().get(index).cloned());
    let (before, after) = (at(old, pair.old), at(new, pair.new));
    let one = after.clone().or_else(|| before.clone())?;
    let change = match (&before, &after) {
        (Some(_), Some(_)) => ChangeKind::Changed,
        (None, _) => ChangeKind::Added,
        (Some(_), None) => ChangeKind::Removed,
    };
    let mut drafter = Drafter { policies, pair, old: before, new: after, extras, parts: Vec::new() };
    for part in one.parts() {
        drafter.part(part);
    }
    let parts = drafter.parts;
    (!parts.is_empty()).then(|| Draft {
        id: one.id().to_owned(),
        effect: one.effect(),
        change,
        conditions: conditions_in_words(&one, one.operations()),
        parts,
    })
}

struct Drafter<'d> {
    policies: [&'d Policy; 2],
    pair: Pair,
    old: Option<Rule>,
    new: Option<Rule>,
    extras: &'d mut [Vec<Rule>; 2],
    parts: Vec<PartDraft>,
}

fn any(_: S3Operation) -> bool {
    true
}

impl Drafter<'_> {
    /// The entries for one part. Which of the two rules it is of does not matter.
    fn part(&mut self, part: RulePart<'_>) {
        match part {
            // Two rules with different effects are not paired.
            RulePart::Effect(_) => {}
            RulePart::Operations(_) => self.operations(),
            RulePart::Principals(_) => self.principals(),
            RulePart::Keys(_) => {
                self.list(
                    "keys",
                    |rule| rule.keys().to_vec(),
                    |keys| RulePart::Keys(keys),
                    ToString::to_string,
                    any,
                );
            }
            RulePart::Period(_) => self.period(),
            RulePart::Sources(_) => self.sources(),
            RulePart::Hosts(_) => self.hosts(),
            RulePart::Conditions(_) => self.conditions(),
            RulePart::Overrides(_) => self.list(
                "response_overrides",
                |rule| rule.overrides().to_vec(),
                |overrides| RulePart::Overrides(overrides),
                |one| one.name().to_owned(),
                S3Operation::reads_object,
            ),
            RulePart::Parameters(_) => self.list(
                "parameters",
                |rule| rule.parameters().to_vec(),
                |parameters| RulePart::Parameters(parameters),
                |one| one.name().to_owned(),
                |operation| ExtraParameter::ALL.iter().any(|one| one.is_of(operation)),
            ),
            RulePart::Checksums(_) => self.list(
                "upload.checksums",
                |rule| rule.terms().checksums.iter().collect(),
                |checksums| RulePart::Checksums(checksums.iter().copied().collect()),
                ToString::to_string,
                S3Operation::is_upload,
            ),
            RulePart::MaxBytes(_) => self.max_bytes(),
            RulePart::ContentTypes(_) => self.content_types(),
            RulePart::Metadata(_) => self.metadata(),
            RulePart::CreateOnly(_) => self.create_only(),
        }
    }

    fn rule(&self, side: usize) -> Option<&Rule> {
        if side == OLD { self.old.as_ref() } else { self.new.as_ref() }
    }

    /// Both rules, for what is only a change if there are both.
    fn both(&self) -> Option<(Rule, Rule)> {
        Some((self.old.clone()?, self.new.clone()?))
    }

    /// Keeps a rule for the engine.
    fn keep(&mut self, side: usize, rule: Rule) -> RuleRef {
        let first = self.policies.get(side).map_or(0, |policy| policy.rules().len());
        let Some(extras) = self.extras.get_mut(side) else { return RuleRef { side, rule: usize::MAX } };
        let at = RuleRef { side, rule: first.saturating_add(extras.len()) };
        extras.push(rule);
        at
    }

    /// What the rule of this policy matches, narrowed, and without the other.
    fn span(
        &mut self,
        side: usize,
        narrowed: Option<Rule>,
        without: Option<Rule>,
        fits: fn(S3Operation) -> bool,
    ) -> Option<Span> {
        let without = without.map(|without| self.kept(side, without));
        self.span_of(side, narrowed, without, fits)
    }

    /// The same, without a rule that is kept already.
    fn span_of(
        &mut self,
        side: usize,
        narrowed: Option<Rule>,
        without: Option<Kept>,
        fits: fn(S3Operation) -> bool,
    ) -> Option<Span> {
        let (base, index) = (self.rule(side)?, if side == OLD { self.pair.old } else { self.pair.new });
        let operations = base.operations().iter().filter(|operation| fits(*operation)).collect();
        let kept = match narrowed {
            Some(narrowed) => self.kept(side, narrowed),
            None => {
                let mirror = match base.effect() {
                    Effect::Allow => None,
                    Effect::Deny => self.mirror(side, &base.clone()),
                };
                Kept { rule: RuleRef { side, rule: index? }, mirror }
            }
        };
        let mirror = kept.mirror.map(|rule| (rule, without.and_then(|without| without.mirror)));
        Some(Span {
            rule: kept.rule,
            without: without.map(|without| without.rule),
            operations,
            who: None,
            mirror,
        })
    }

    /// Keeps a rule for the engine; a deny rule in both policies.
    fn kept(&mut self, side: usize, rule: Rule) -> Kept {
        let mirror = match rule.effect() {
            Effect::Allow => None,
            Effect::Deny => self.mirror(side, &rule),
        };
        Kept { rule: self.keep(side, rule), mirror }
    }

    /// The same rule in the other policy, whose names for the issuers may be others.
    fn mirror(&mut self, side: usize, rule: &Rule) -> Option<RuleRef> {
        let other = if side == OLD { NEW } else { OLD };
        let principals = match rule.principals() {
            PrincipalConstraint::Issuers(names) => {
                let [here, there] =
                    [side, other].map(|side| self.policies.get(side).map(|policy| policy.issuers()));
                let named = here?.iter().filter(|issuer| names.iter().any(|name| name == issuer.name()));
                let iss: Vec<&str> = named.map(|issuer| issuer.issuer()).collect();
                let known = there?.iter().filter(|issuer| iss.contains(&issuer.issuer()));
                PrincipalConstraint::Issuers(known.map(|issuer| issuer.name().to_owned()).collect())
            }
            all @ (PrincipalConstraint::Everyone | PrincipalConstraint::AnyIssuer) => all.clone(),
        };
        Some(self.keep(other, rule.with(RulePart::Principals(&principals))))
    }

    fn push(&mut self, part: &str, old: Option<String>, new: Option<String>, spans: [Option<Span>; 2]) {
        let [shrunk, grown] = spans;
        self.parts.push(PartDraft { part: part.to_owned(), old, new, grown, shrunk, stored: None });
    }

    /// A part that is a list, of which one must match or all that is used must be in it: an entry for each member
    /// that only one of the rules has.
    fn list<T: PartialEq + Clone>(
        &mut self,
        name: &str,
        of: fn(&Rule) -> Vec<T>,
        make: for<'x> fn(&'x [T]) -> RulePart<'x>,
        text: fn(&T) -> String,
        fits: fn(S3Operation) -> bool,
    ) {
        let members = |rule: Option<&Rule>| rule.map(of).unwrap_or_default();
        let lists = [members(self.rule(OLD)), members(self.rule(NEW))];
        for (side, own, other) in [(NEW, &lists[1], &lists[0]), (OLD, &lists[0], &lists[1])] {
            let mut only: Vec<&T> = Vec::new();
            for one in own {
                if !other.contains(one) && !only.contains(&one) {
                    only.push(one);
                }
            }
            let Some(rule) = self.rule(side).filter(|_| !only.is_empty()) else { continue };
            let (without, none) = (rule.with(make(other)), rule.with(make(&[])));
            let without = self.kept(side, without);
            for one in only {
                let narrowed = none.with(make(slice::from_ref(one)));
                let span = self.span_of(side, Some(narrowed), Some(without), fits);
                let value = Some(text(one));
                match side {
                    OLD => self.push(name, value, None, [span, None]),
                    _ => self.push(name, None, value, [None, span]),
                }
            }
        }
    }

    fn operations(&mut self) {
        let set = |rule: Option<&Rule>| rule.map(Rule::operations).unwrap_or_default();
        let (old, new) = (set(self.rule(OLD)), set(self.rule(NEW)));
        for operation in S3Operation::ALL {
            let side = match (old.contains(operation), new.contains(operation)) {
                (false, true) => NEW,
                (true, false) => OLD,
                (true, true) | (false, false) => continue,
            };
            let span = self
                .span(side, None, None, any)
                .map(|span| Span { operations: [operation].into_iter().collect(), ..span });
            let value = Some(operation.name().to_owned());
            match side {
                OLD => self.push("operations", value, None, [span, None]),
                _ => self.push("operations", None, value, [None, span]),
            }
        }
    }

    fn principals(&mut self) {
        let is_of_all =
            |rule: Option<&Rule>| rule.map(Rule::principals) == Some(&PrincipalConstraint::Everyone);
        // A deny rule of everyone denies them; and that everyone is let in with a new issuer's token too is no news.
        if is_of_all(self.rule(OLD)) && is_of_all(self.rule(NEW)) {
            return;
        }
        let everyone = |side: usize| -> BTreeSet<Who> {
            let (Some(rule), Some(policy)) = (self.rule(side), self.policies.get(side)) else {
                return BTreeSet::new();
            };
            let issuers = policy.issuers().iter().filter(|issuer| match rule.principals() {
                PrincipalConstraint::Everyone | PrincipalConstraint::AnyIssuer => true,
                PrincipalConstraint::Issuers(names) => names.iter().any(|name| name == issuer.name()),
            });
            let mut who: BTreeSet<Who> =
                issuers.map(|issuer| Who::Token(issuer.issuer().to_owned())).collect();
            if *rule.principals() == PrincipalConstraint::Everyone {
                who.insert(Who::Anonymous);
            }
            who
        };
        let (old, new) = (everyone(OLD), everyone(NEW));
        for (side, only) in [(NEW, new.difference(&old)), (OLD, old.difference(&new))] {
            for who in only.cloned().collect::<Vec<_>>() {
                let (part, value) = match &who {
                    Who::Anonymous => ("anonymous", "requests without a token".to_owned()),
                    Who::Token(issuer) => ("issuers", issuer.clone()),
                };
                let span = self.span(side, None, None, any).map(|span| Span { who: Some(who), ..span });
                match side {
                    OLD => self.push(part, Some(value), None, [span, None]),
                    _ => self.push(part, None, Some(value), [None, span]),
                }
            }
        }
    }

    /// A part with one value, which is the same as any other, and may be wider in either.
    fn value(
        &mut self,
        part: &str,
        values: [String; 2],
        is: [bool; 2],
        parts: [RulePart<'_>; 2],
        fits: fn(S3Operation) -> bool,
    ) {
        let Some((old, new)) = self.both() else { return };
        let ([of_old, of_new], [is_shrunk, is_grown], [before, after]) = (parts, is, values);
        let shrunk = is_shrunk.then(|| self.span(OLD, None, Some(old.with(of_new)), fits)).flatten();
        let grown = is_grown.then(|| self.span(NEW, None, Some(new.with(of_old)), fits)).flatten();
        self.push(part, Some(before), Some(after), [shrunk, grown]);
    }

    fn period(&mut self) {
        let Some((old, new)) = self.both() else { return };
        let (old, new) = (old.period(), new.period());
        let shown = |at: Option<UnixTime>| at.map_or("any time".to_owned(), instant_in_words);
        if old.not_before != new.not_before {
            let later = old.not_before < new.not_before;
            let parts = [
                RulePart::Period(Period { not_before: old.not_before, ..new }),
                RulePart::Period(Period { not_before: new.not_before, ..old }),
            ];
            let values = [shown(old.not_before), shown(new.not_before)];
            self.value("not_before", values, [later, !later], parts, any);
        }
        if old.not_after != new.not_after {
            let end = |period: Period| period.not_after.map_or(u64::MAX, UnixTime::as_seconds);
            let earlier = end(new) < end(old);
            let parts = [
                RulePart::Period(Period { not_after: old.not_after, ..new }),
                RulePart::Period(Period { not_after: new.not_after, ..old }),
            ];
            let values = [shown(old.not_after), shown(new.not_after)];
            self.value("not_after", values, [earlier, !earlier], parts, any);
        }
    }

    fn sources(&mut self) {
        let Some((old, new)) = self.both() else { return };
        match (old.sources(), new.sources()) {
            (None, None) => {}
            (Some(_), Some(_)) => self.list(
                "source_ips",
                |rule| rule.sources().map(<[IpNet]>::to_vec).unwrap_or_default(),
                |networks| RulePart::Sources(Some(networks)),
                ToString::to_string,
                any,
            ),
            (before, after) => {
                let values = [before, after].map(|one| one.map_or("any address".to_owned(), joined));
                let parts = [RulePart::Sources(before), RulePart::Sources(after)];
                self.value("source_ips", values, [before.is_none(), after.is_none()], parts, any);
            }
        }
    }

    fn hosts(&mut self) {
        let Some((old, new)) = self.both() else { return };
        match (old.hosts(), new.hosts()) {
            (None, None) => {}
            (Some(_), Some(_)) => self.list(
                "hosts",
                |rule| rule.hosts().map(<[HostPattern]>::to_vec).unwrap_or_default(),
                |hosts| RulePart::Hosts(Some(hosts)),
                ToString::to_string,
                any,
            ),
            (before, after) => {
                let values = [before, after].map(|one| one.map_or("any host".to_owned(), joined));
                let parts = [RulePart::Hosts(before), RulePart::Hosts(after)];
                self.value("hosts", values, [before.is_none(), after.is_none()], parts, any);
            }
        }
    }

    fn content_types(&mut self) {
        let Some((old, new)) = self.both() else { return };
        let types = |rule: &Rule| rule.terms().content_types.clone();
        match (types(&old), types(&new)) {
            (None, None) => {}
            (Some(_), Some(_)) => self.list(
                "upload.content_types",
                |rule| rule.terms().content_types.clone().unwrap_or_default(),
                |types| RulePart::ContentTypes(Some(types)),
                ToString::to_string,
                S3Operation::describes_object,
            ),
            (before, after) => {
                let values = [before.as_deref(), after.as_deref()]
                    .map(|one| one.map_or("any type".to_owned(), joined));
                let parts =
                    [RulePart::ContentTypes(before.as_deref()), RulePart::ContentTypes(after.as_deref())];
                let is = [before.is_none(), after.is_none()];
                self.value("upload.content_types", values, is, parts, S3Operation::describes_object);
            }
        }
    }

    fn max_bytes(&mut self) {
        let Some((old, new)) = self.both() else { return };
        let (before, after) = (old.terms().max_bytes, new.terms().max_bytes);
        if before == after {
            return;
        }
        let is_lower = after.unwrap_or(u64::MAX) < before.unwrap_or(u64::MAX);
        let values = [before, after].map(|most| most.map_or("no limit".to_owned(), |most| most.to_string()));
        let parts = [RulePart::MaxBytes(before), RulePart::MaxBytes(after)];
        self.value("upload.max_bytes", values, [is_lower, !is_lower], parts, S3Operation::has_length);
    }

    fn create_only(&mut self) {
        let Some((old, new)) = self.both() else { return };
        let (before, after) = (old.terms().create_only, new.terms().create_only);
        if before != after {
            self.parts.push(PartDraft {
                part: "upload.create_only".to_owned(),
                old: Some(before.to_string()),
                new: Some(after.to_string()),
                grown: None,
                shrunk: None,
                stored: Some("overwrite".to_owned()),
            });
        }
    }

    fn conditions(&mut self) {
        let Some((old, new)) = self.both() else { return };
        let test = |rule: &Rule, claim: &str| {
            rule.conditions().iter().find(|one| one.claim == claim).map(|one| one.test.clone())
        };
        let claims: BTreeSet<&str> = [&old, &new]
            .into_iter()
            .flat_map(|rule| rule.conditions().iter().map(|one| one.claim.as_str()))
            .collect();
        for claim in claims {
            let (before, after) = (test(&old, claim), test(&new, claim));
            if before == after {
                continue;
            }
            let with = |rule: &Rule, test: &Option<ClaimTest>| {
                let others = rule.conditions().iter().filter(|one| one.claim != claim).cloned();
                let this = test.clone().map(|test| Condition { claim: claim.to_owned(), test });
                rule.with(RulePart::Conditions(&others.chain(this).collect::<Vec<_>>()))
            };
            // A rule without the condition matches no less than one with it.
            let shrunk =
                after.is_some().then(|| self.span(OLD, None, Some(with(&old, &after)), any)).flatten();
            let grown =
                before.is_some().then(|| self.span(NEW, None, Some(with(&new, &before)), any)).flatten();
            let shown = |test: &Option<ClaimTest>| test.as_ref().map(test_in_policy);
            self.push(&format!("when.{claim}"), shown(&before), shown(&after), [shrunk, grown]);
        }
    }

    fn metadata(&mut self) {
        let terms = |rule: Option<&Rule>| rule.map(|rule| rule.terms().metadata.clone()).unwrap_or_default();
        let (old, new) = (terms(self.rule(OLD)), terms(self.rule(NEW)));
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            let (before, after) = (old.get(name), new.get(name));
            if before == after {
                continue;
            }
            let with = |rule: &Rule, term: Option<&MetadataTerm>| {
                let mut metadata: BTreeMap<_, _> = rule.terms().metadata.clone();
                match term {
                    Some(term) => metadata.insert(name.clone(), term.clone()),
                    None => metadata.remove(name),
                };
                rule.with(RulePart::Metadata(&metadata))
            };
            let without = [(OLD, after), (NEW, before)]
                .map(|(side, other)| self.rule(side).map(|rule| with(rule, other)));
            let [of_old, of_new] = without;
            let fits = S3Operation::describes_object;
            let shrunk = of_old.and_then(|without| self.span(OLD, None, Some(without), fits));
            let grown = of_new.and_then(|without| self.span(NEW, None, Some(without), fits));
            self.parts.push(PartDraft {
                part: format!("upload.metadata.{name}"),
                old: before.map(term_in_policy),
                new: after.map(term_in_policy),
                grown,
                shrunk,
                stored: Some(format!("metadata {name}")),
            });
        }
    }
}

fn joined<T: Display>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A condition as the policy has it.
fn test_in_policy(test: &ClaimTest) -> String {
    match test {
        ClaimTest::Equals(value) => format!("equals = {value}"),
        ClaimTest::Any(values) => format!("any = [{}]", joined(values)),
        ClaimTest::Has(word) => format!("has = {word:?}"),
        ClaimTest::StartsWith(beginning) => format!("starts_with = {beginning:?}"),
        ClaimTest::Present(is_there) => format!("present = {is_there}"),
    }
}

/// A piece of metadata as the policy has it.
fn term_in_policy(term: &MetadataTerm) -> String {
    match term {
        MetadataTerm::Any => "*".to_owned(),
        MetadataTerm::Claim(claim) => format!("{{{claim}}}"),
        MetadataTerm::Literal(text) => text.clone(),
    }
}
