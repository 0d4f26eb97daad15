//! The tests that a policy lacks: for each point that none covers, a request of the engine's that does, as an entry for
//! the file of tests. Or that no request can.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;

use authorizer_core::checksum::Checksums;
use authorizer_core::operation::{LengthHeader, OperationSet, Parameter, S3Operation};
use authorizer_core::policy::Policy;
use authorizer_core::policy::document::SizeDocument;
use authorizer_core::record::Verdict;
use authorizer_core::rules::{Effect, KeyPattern, MetadataTerm, Period, PrincipalConstraint, Rule, RulePart};
use authorizer_core::token::Issuer;
use authorizer_core::{Authorizer, UnixTime, claim_name};
use serde_json::{Map, Value};

use super::coverage::{Coverage, Point, Term, seen};
use super::document::{
    DefaultsDocument, InstantDocument, OneOrMany, TESTS_VERSION, TestDocument, TestsDocument,
    UploadFactsDocument,
};
use super::run::{result_of, run};
use super::suite::Suite;
use crate::engine::{Bounds, Budget, Engine, EngineError, Question, RuleRef, Token, Who, Witness};
use crate::instant::parse_instant;
use crate::parts::Part;
use crate::posed::POSED_ADDRESS;
use crate::supposed::fill_in;
use crate::words::instant_in_words;

/// A point that no test covers, and what can be done about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    /// The id of the rule.
    pub rule: String,
    /// The point.
    pub point: Point,
    /// What covers it.
    pub what: Suggested,
}

/// What covers a point.
#[derive(Clone, Debug, PartialEq)]
pub enum Suggested {
    /// This test, which passes.
    Test(Box<TestDocument>),
    /// The test of another point, which comes before it.
    Covered,
    /// No request: this part of the policy does nothing, or nothing alone.
    Nothing,
    /// A request that the entry of a test cannot say beside these `[defaults]`.
    Unwritable,
    /// The analysis did not come to it within its budget.
    NotDecided,
}

/// The names of the claims that are lists in the tokens of an issuer, as far as its provider is known.
pub type Lists<'l> = &'l dyn Fn(&Issuer) -> Vec<String>;

/// What is missing in a coverage: each point in the order of the policy. The tests are for a file with these defaults and
/// these names of tests. A claim of `lists` has a list as its value where the test is as good with it.
pub fn suggest(
    authorizer: &Authorizer,
    coverage: &Coverage,
    defaults: &DefaultsDocument,
    names: &BTreeSet<String>,
    lists: Lists<'_>,
) -> Vec<Suggestion> {
    suggest_within(
        authorizer,
        coverage,
        &Writer { authorizer, defaults, lists },
        names,
        &Budget::for_suggestions(),
    )
}

fn suggest_within(
    authorizer: &Authorizer,
    coverage: &Coverage,
    writer: &Writer<'_>,
    names: &BTreeSet<String>,
    budget: &Budget,
) -> Vec<Suggestion> {
    let defaults = writer.defaults;
    let mut coverage = coverage.clone();
    let missing: Vec<(usize, Point)> =
        coverage.missing_at().map(|(rule, point)| (rule, point.clone())).collect();
    let effects = Effects::of(authorizer);
    let mut names = names.clone();
    let mut suggestions = Vec::with_capacity(missing.len());
    for (index, point) in missing {
        let Some(rule) = authorizer.bundle().policy().rules().get(index) else { continue };
        let what = if !coverage.is_missing(index, &point) {
            Suggested::Covered
        } else if budget.left() == 0 {
            Suggested::NotDecided
        } else {
            match Search::new(authorizer, defaults, index, rule, &point).witnesses(&effects, budget) {
                Err(_) => Suggested::NotDecided,
                Ok(witnesses) if witnesses.is_empty() => Suggested::Nothing,
                Ok(witnesses) => {
                    let name = unique(name_of(rule, &point), &names);
                    let test = witnesses
                        .iter()
                        .find_map(|one| writer.test(one, &name, index, &point, &mut coverage));
                    match test {
                        Some(test) => {
                            names.insert(name);
                            Suggested::Test(Box::new(test))
                        }
                        None => Suggested::Unwritable,
                    }
                }
            }
        };
        suggestions.push(Suggestion { rule: rule.id().to_owned(), point, what });
    }
    suggestions
}

/// The name of the test for a point.
fn name_of(rule: &Rule, point: &Point) -> String {
    let id = rule.id();
    match point {
        Point::Decides => format!("{id} decides"),
        Point::KeyAlone(index) => format!("{id} decides by keys[{index}] alone"),
        Point::Asked(term) => format!("{id} decides where {term} applies"),
        Point::FailsAlone(part) => format!("{id} does not match if only {part} fails"),
    }
}

fn unique(name: String, names: &BTreeSet<String>) -> String {
    let numbered = (2u32..).map(|number| format!("{name} ({number})"));
    std::iter::once(name.clone()).chain(numbered).find(|one| !names.contains(one)).unwrap_or(name)
}

/// The rules of each effect.
struct Effects {
    denies: Vec<RuleRef>,
    allows: Vec<RuleRef>,
}

impl Effects {
    fn of(authorizer: &Authorizer) -> Self {
        let rules = authorizer.bundle().policy().rules();
        let with = |effect| {
            let all = rules.iter().enumerate().filter(move |(_, one)| one.effect() == effect);
            all.map(|(rule, _)| RuleRef { side: 0, rule }).collect()
        };
        Self { denies: with(Effect::Deny), allows: with(Effect::Allow) }
    }
}

/// What it costs to pose a question that names this many rules: copies and quick checks, of which a step has many.
fn steps_of(rules: usize) -> u64 {
    u64::try_from(rules / 8).unwrap_or(u64::MAX).saturating_add(1)
}

/// The search for a request that covers a point.
struct Search<'s> {
    authorizer: &'s Authorizer,
    defaults: &'s DefaultsDocument,
    index: usize,
    rule: &'s Rule,
    /// What the request must match instead of the rule, if its own part must fail.
    relaxed: Option<Rule>,
    /// What it must not match.
    without: Option<Rule>,
    /// Whether the point is that a part fails alone.
    is_failing: bool,
    /// The operations that the point is about.
    operations: OperationSet,
}

impl<'s> Search<'s> {
    fn new(
        authorizer: &'s Authorizer,
        defaults: &'s DefaultsDocument,
        index: usize,
        rule: &'s Rule,
        point: &Point,
    ) -> Self {
        let policy = authorizer.bundle().policy();
        let is_failing = matches!(point, Point::FailsAlone(_));
        let operations = rule.operations();
        let mut search =
            Self { authorizer, defaults, index, rule, relaxed: None, without: None, is_failing, operations };
        match point {
            Point::Decides => {}
            Point::KeyAlone(index) => {
                let alone: Vec<KeyPattern> = rule.keys().get(*index).cloned().into_iter().collect();
                let (before, after) = (rule.keys().get(..*index), rule.keys().get(index.saturating_add(1)..));
                let others = [before.unwrap_or_default(), after.unwrap_or_default()].concat();
                search.relaxed = Some(rule.with(RulePart::Keys(&alone)));
                search.without = (!others.is_empty()).then(|| rule.with(RulePart::Keys(&others)));
            }
            Point::Asked(term) => search.ask(term),
            Point::FailsAlone(part) => {
                let relaxed = relaxed(rule, part, policy);
                search.operations = relaxed.operations();
                search.relaxed = Some(relaxed);
                search.without = Some(rule.clone());
            }
        }
        search
    }

    /// A request that a term applies to is one that the rule without the term does not allow, or any of some operations.
    fn ask(&mut self, term: &Term) {
        let rule = self.rule;
        let of = |fact: fn(S3Operation) -> bool| rule.operations().iter().filter(|one| fact(*one)).collect();
        match term {
            Term::Override(asked) => {
                let left: Vec<_> = rule.overrides().iter().filter(|one| *one != asked).copied().collect();
                self.without = Some(rule.with(RulePart::Overrides(&left)));
            }
            Term::Parameter(asked) => {
                let left: Vec<_> = rule.parameters().iter().filter(|one| *one != asked).copied().collect();
                self.without = Some(rule.with(RulePart::Parameters(&left)));
            }
            Term::Checksums => self.without = Some(rule.with(RulePart::Checksums(Checksums::default()))),
            Term::MaxBytes => self.operations = of(S3Operation::has_length),
            Term::ContentTypes => self.operations = of(S3Operation::describes_object),
            Term::Metadata(name) => {
                self.operations = of(S3Operation::describes_object);
                let mut left = rule.terms().metadata.clone();
                // Metadata of any value applies only where it is sent.
                if left.remove(name) == Some(MetadataTerm::Any) {
                    self.without = Some(rule.with(RulePart::Metadata(&left)));
                }
            }
        }
    }

    /// Requests that cover the point, the one that is easiest to read first; empty if there is none.
    fn witnesses(&self, effects: &Effects, budget: &Budget) -> Result<Vec<Witness>, EngineError> {
        let sides = [self.authorizer];
        let extras = [self.relaxed.iter().chain(&self.without).cloned().collect::<Vec<_>>()];
        let engine = Engine::within(&sides, budget).with_extras(&extras);
        let rules = engine.rules(0).len();
        let at = |rule| RuleRef { side: 0, rule };
        let own = at(self.index);
        let Effects { denies, allows } = effects;
        // So that many points that need no answer come to an end, too.
        budget.take(steps_of(rules));
        let required = self.relaxed.as_ref().map_or(own, |_| at(rules));
        let without =
            self.without.as_ref().map(|_| at(rules.saturating_add(usize::from(self.relaxed.is_some()))));
        let is_before = |one: &RuleRef| one.rule < self.index;
        let (mut exclude, partners): (Vec<RuleRef>, Vec<Option<RuleRef>>) =
            match (self.rule.effect(), self.is_failing) {
                // The rule decides.
                (Effect::Allow, false) => (
                    denies.iter().copied().chain(allows.iter().copied().filter(is_before)).collect(),
                    vec![None],
                ),
                (Effect::Deny, false) => (denies.iter().copied().filter(is_before).collect(), vec![None]),
                // The decision would be another one if it matched.
                (Effect::Allow, true) => (denies.iter().chain(allows).copied().collect(), vec![None]),
                (Effect::Deny, true) => (denies.clone(), allows.iter().copied().map(Some).collect()),
            };
        exclude.extend(without);
        let possible = self.operations.intersection(engine.recognised(0));
        for partner in partners {
            let require: Vec<RuleRef> = [required].into_iter().chain(partner).collect();
            for operation in possible.iter() {
                for who in engine.everyone(0) {
                    let ask = |bounds: &Bounds| {
                        budget.take(steps_of(exclude.len()));
                        engine.find(&Question {
                            operation,
                            who: &who,
                            bounds,
                            tokens: &[Token::Valid],
                            require: &require,
                            exclude: &exclude,
                            within: None,
                            difference: None,
                        })
                    };
                    if let Some(any) = ask(&Bounds::default())? {
                        let mut found = Vec::new();
                        for bounds in self.bounds(&who) {
                            // What is only easier to read need not be decided.
                            found.extend(ask(&bounds).ok().flatten());
                        }
                        found.push(any);
                        return Ok(found);
                    }
                }
            }
        }
        Ok(Vec::new())
    }

    /// What makes a request easy to read: the defaults of the file, or what stands for them.
    fn bounds(&self, who: &Who) -> Vec<Bounds> {
        let source =
            self.defaults.source_ip.as_deref().and_then(|text| text.parse().ok()).unwrap_or(POSED_ADDRESS);
        let now = now_of(self.defaults);
        let Period { not_before, not_after } = self.rule.period();
        let near = |at: UnixTime| [at.as_seconds().checked_sub(1), Some(at.as_seconds())];
        let times = [not_before, not_after]
            .into_iter()
            .flatten()
            .flat_map(near)
            .flatten()
            .map(UnixTime::from_seconds);
        let times: Vec<UnixTime> = std::iter::once(now).chain(times).collect();
        let mut claims = vec![Map::new()];
        if *who != Who::Anonymous {
            claims.insert(0, self.defaults.claims.clone());
            let mut with_subject = self.defaults.claims.clone();
            with_subject.entry("sub").or_insert_with(|| "alice".into());
            claims.insert(0, with_subject);
            claims.dedup();
        }
        let here = claims.into_iter().map(|claims| (claims, Some(source)));
        let sources: Vec<_> = here.chain([(Map::new(), None)]).collect();
        times
            .iter()
            .flat_map(|at| sources.iter().map(move |one| (at, one)))
            .map(|(at, (claims, source))| Bounds {
                claims: claims.clone(),
                no_other_claims: false,
                source: *source,
                host: None,
                at: Some(*at),
            })
            .collect()
    }
}

/// The rule without one of its parts.
fn relaxed(rule: &Rule, part: &Part, policy: &Policy) -> Rule {
    let Period { not_before, not_after } = rule.period();
    match part {
        Part::Keys => match KeyPattern::parse("**") {
            Ok(all) => rule.with(RulePart::Keys(slice::from_ref(&all))),
            Err(_) => rule.clone(),
        },
        Part::Operations => {
            // A listing has another kind of target.
            let others = policy.possible().operations.iter().filter(|one| !one.is_listing());
            let others: OperationSet = others.filter(|one| !rule.operations().contains(*one)).collect();
            rule.with(RulePart::Operations(others))
        }
        Part::Token | Part::Issuers => rule.with(RulePart::Principals(&PrincipalConstraint::Everyone)),
        Part::NotBefore => rule.with(RulePart::Period(Period { not_before: None, not_after })),
        Part::NotAfter => rule.with(RulePart::Period(Period { not_before, not_after: None })),
        Part::SourceIps => rule.with(RulePart::Sources(None)),
        Part::Hosts => rule.with(RulePart::Hosts(None)),
        Part::Condition(claim) => {
            let left: Vec<_> = rule.conditions().iter().filter(|one| one.claim != *claim).cloned().collect();
            rule.with(RulePart::Conditions(&left))
        }
        Part::MaxBytes => rule.with(RulePart::MaxBytes(None)),
        Part::ContentTypes => rule.with(RulePart::ContentTypes(None)),
        Part::Metadata(name) => {
            let mut metadata: BTreeMap<String, MetadataTerm> = rule.terms().metadata.clone();
            metadata.insert(name.clone(), MetadataTerm::Any);
            rule.with(RulePart::Metadata(&metadata))
        }
        // None of these is a point.
        Part::Overrides | Part::Parameters | Part::Header => rule.clone(),
    }
}

/// The time of the tests, or one that stands for it.
fn now_of(defaults: &DefaultsDocument) -> UnixTime {
    /// 2027-01-15T08:00:00Z.
    const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);
    stated_now(defaults).unwrap_or(NOW)
}

fn stated_now(defaults: &DefaultsDocument) -> Option<UnixTime> {
    defaults.now.as_ref().and_then(|now| parse_instant(&now.0).ok())
}

/// Writes a request as a test.
struct Writer<'w> {
    authorizer: &'w Authorizer,
    defaults: &'w DefaultsDocument,
    lists: Lists<'w>,
}

impl Writer<'_> {
    /// The test, which passes and covers the point. What it covers is added to the coverage.
    fn test(
        &self,
        witness: &Witness,
        name: &str,
        rule: usize,
        point: &Point,
        coverage: &mut Coverage,
    ) -> Option<TestDocument> {
        let policy = self.authorizer.bundle().policy();
        let own = policy.rules().get(rule)?;
        let issuer = witness.claims.as_ref().and_then(|claims| claims.get("iss")).and_then(Value::as_str);
        let issuer = policy.issuers().iter().find(|one| Some(one.issuer()) == issuer);
        if witness.claims.is_some() && issuer.is_none() || witness.at.as_seconds() > LAST {
            return None;
        }
        let replayed = witness.replay(self.authorizer);
        let candidates = self.claims(witness, issuer).into_iter().map(|claims| {
            let mut test = self.request(witness, name);
            test.claims = claims.filter(|claims| !claims.is_empty());
            test.issuer = issuer.map(|issuer| issuer.name().to_owned());
            test.anonymous = issuer.is_none();
            test.token_type = witness
                .token_type
                .clone()
                .filter(|own| issuer.and_then(Issuer::token_type).is_none_or(|expected| expected != own));
            test.expect = if replayed.allowed { Verdict::Allow } else { Verdict::Refuse };
            test.rule = replayed.rule.clone();
            test.reason = replayed.rule.is_none().then(|| replayed.reason.clone());
            test
        });
        for test in candidates {
            let document = TestsDocument {
                version: TESTS_VERSION,
                defaults: self.defaults.clone(),
                tests: vec![test.clone()],
            };
            let Ok(suite) = Suite::compile(&document, policy) else { continue };
            let covers = suite.cases.iter().all(|case| {
                let (access, result) = result_of(case, self.authorizer);
                access.is_ok_and(|access| result.held() && seen(own, &access, &result.record).contains(point))
            });
            if covers {
                run(&suite, self.authorizer, coverage);
                return Some(test);
            }
        }
        None
    }

    /// The claims that a test says, in several ways: the shortest first.
    fn claims(&self, witness: &Witness, issuer: Option<&Issuer>) -> Vec<Option<Map<String, Value>>> {
        let (Some(claims), Some(issuer)) = (&witness.claims, issuer) else { return vec![None] };
        let defaults = &self.defaults.claims;
        let filled = fill_in(issuer, None, defaults.clone(), witness.at).map(|token| token.supposed.claims);
        let filled = filled.unwrap_or_default();
        // TOML has no null, which is as if it was not there.
        let said = |(_, value): &(&String, &Value)| !value.is_null();
        let own: Map<String, Value> = claims
            .iter()
            .filter(said)
            .filter(|(name, value)| *name != "iss" && filled.get(*name) != Some(*value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let short: Map<String, Value> = own
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "exp" | "iat" | "nbf"))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        // A default cannot be taken away, only replaced.
        let extra: Vec<&String> = defaults.keys().filter(|name| !claims.contains_key(*name)).collect();
        let instead = [
            None,
            Some(Value::from("none")),
            Some(0.into()),
            Some(false.into()),
            Some(Value::Array(Vec::new())),
        ];
        let mut ways = Vec::new();
        for value in instead.iter().take(if extra.is_empty() { 1 } else { instead.len() }) {
            for base in [&short, &own] {
                let mut one = base.clone();
                if let Some(value) = value {
                    one.extend(extra.iter().map(|name| ((*name).clone(), value.clone())));
                }
                ways.extend(self.with_lists(&one, issuer).map(Some));
                ways.push(Some(one));
            }
        }
        ways
    }

    /// The claims with a list for each text that is a list in the tokens of this issuer; `None` if there is none.
    fn with_lists(&self, claims: &Map<String, Value>, issuer: &Issuer) -> Option<Map<String, Value>> {
        let mut with_lists = None;
        for name in (self.lists)(issuer) {
            if let Some(Value::String(text)) = claim_name::find(claims, &name) {
                let words = text.split(' ').filter(|word| !word.is_empty()).map(Value::from).collect();
                claim_name::put(with_lists.get_or_insert_with(|| claims.clone()), &name, Value::Array(words));
            }
        }
        with_lists
    }

    /// The request alone.
    fn request(&self, witness: &Witness, name: &str) -> TestDocument {
        let operation = witness.operation;
        let mut upload = UploadFactsDocument::default();
        // Without a value, a header of the defaults is not sent.
        let mut headers: BTreeMap<String, OneOrMany<String>> =
            self.defaults.headers.keys().map(|name| (name.clone(), OneOrMany::Many(Vec::new()))).collect();
        let has_default = self.defaults.host.is_some()
            || self.defaults.headers.keys().any(|name| name.eq_ignore_ascii_case("host"));
        let mut host = None;
        let length = operation.length().unwrap_or(LengthHeader::ContentLength).name();
        for (name, value) in &witness.headers {
            match name.strip_prefix("x-amz-meta-") {
                Some(name) => drop(upload.metadata.insert(name.to_owned(), value.clone())),
                None if name.eq_ignore_ascii_case(length) => {
                    upload.bytes = value.parse().ok().map(SizeDocument::Bytes)
                }
                None if name == "host" => {
                    // `host` stands for the header, and a test cannot have both.
                    headers.retain(|inherited, _| !inherited.eq_ignore_ascii_case(name));
                    host = Some(value.clone());
                }
                None if name.eq_ignore_ascii_case("content-type") => {
                    upload.content_type = Some(value.clone())
                }
                None => {
                    headers.retain(|inherited, _| !inherited.eq_ignore_ascii_case(name));
                    headers.insert(name.clone(), OneOrMany::One(value.clone()));
                }
            }
        }
        let is_own = |pair: &&str| {
            let name = pair.split('=').next().unwrap_or_default();
            let selects = |one: &Parameter| one.name == name;
            !pair.is_empty() && !operation.parameters().iter().any(selects)
        };
        let query = witness.querystring.split('&').filter(is_own).collect::<Vec<_>>().join("&");
        let plain = [
            S3Operation::GetObject,
            S3Operation::HeadObject,
            S3Operation::PutObject,
            S3Operation::DeleteObject,
        ];
        let is_listing = operation.is_listing();
        let source =
            self.defaults.source_ip.as_deref().and_then(|text| text.parse().ok()).unwrap_or(POSED_ADDRESS);
        let now = stated_now(self.defaults);
        let key = witness.key.clone();
        TestDocument {
            name: name.to_owned(),
            issuer: None,
            token_type: None,
            claims: None,
            anonymous: false,
            method: plain.contains(&operation).then(|| OneOrMany::One(witness.method.to_owned())),
            operation: (!plain.contains(&operation)).then_some(OneOrMany::One(operation)),
            key: (!is_listing).then(|| OneOrMany::One(key.clone())),
            path: None,
            prefix: is_listing.then_some(OneOrMany::One(key)),
            query,
            headers,
            upload,
            // Any host is also none, unless the defaults have one.
            host: host
                .filter(|host| self.defaults.host.as_ref() != Some(host))
                .filter(|_| has_default || !witness.is_any_host),
            source_ip: (witness.source != source).then(|| witness.source.to_string()),
            now: (Some(witness.at) != now).then(|| InstantDocument(instant_in_words(witness.at))),
            expect: Verdict::Refuse,
            rule: None,
            reason: None,
            status: None,
        }
    }
}

/// 9999-12-31T23:59:59Z, the last instant that a test can say.
const LAST: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sample::authorizer_of;

    fn suggested(rules: usize, budget: &Budget) -> Vec<Suggested> {
        // No request shows that a part of a deny rule fails alone, where nothing is allowed: no question is asked.
        let rule =
            |index| json!({"id": format!("r{index}"), "effect": "deny", "methods": ["GET"], "keys": ["a"]});
        let rules: Vec<Value> = (0..rules).map(rule).collect();
        let authorizer = authorizer_of(json!({"version": 1, "issuers": [], "rules": rules}));
        let coverage = Coverage::of(authorizer.bundle().policy());
        let defaults = DefaultsDocument::default();
        let writer = Writer { authorizer: &authorizer, defaults: &defaults, lists: &|_| Vec::new() };
        let all = suggest_within(&authorizer, &coverage, &writer, &BTreeSet::new(), budget);
        all.into_iter().map(|one| one.what).collect()
    }

    #[test]
    fn a_test_says_its_host_whatever_the_defaults_say() {
        let rule = |id: &str, hosts: Value| {
            json!({"id": id, "effect": "allow", "methods": ["GET"], "keys": [format!("{id}/*")], "anonymous": true,
                "hosts": hosts})
        };
        let mut any = rule("any", json!([]));
        any.as_object_mut().unwrap().remove("hosts");
        let rules = [rule("one", json!(["a.example.com"])), rule("two", json!(["*.example.org"])), any];
        let authorizer = authorizer_of(json!({"version": 1, "issuers": [], "rules": rules}));
        let coverage = Coverage::of(authorizer.bundle().policy());
        for defaults in [
            json!({}),
            json!({"host": "a.example.com"}),
            json!({"host": "b.example.org"}),
            json!({"host": "other.example.com"}),
            json!({"headers": {"Host": "a.example.com"}}),
            json!({"headers": {"HOST": ["a.example.com", "b.example.org"]}}),
        ] {
            let said: DefaultsDocument = serde_json::from_value(defaults.clone()).unwrap();
            let all = suggest(&authorizer, &coverage, &said, &BTreeSet::new(), &|_| Vec::new());
            let is_sayable = |one: &Suggestion| matches!(one.what, Suggested::Test(_) | Suggested::Covered);
            assert!(all.len() > 6 && all.iter().all(is_sayable), "{defaults}: {all:?}");
        }
    }

    #[test]
    fn nothing_is_searched_for_once_the_budget_is_spent() {
        let all = suggested(3, &Budget::of_steps(0, 0));
        assert!(all.len() > 3 && all.iter().all(|what| *what == Suggested::NotDecided), "{all:?}");
    }

    #[test]
    fn points_that_need_no_answer_cost_too() {
        // Each of 200 rules costs as many steps as there are rules, for some of its points.
        let budget = Budget::of_steps(2_000, 1_000);
        let all = suggested(200, &budget);
        assert_eq!(budget.left(), 0);
        assert!(all.contains(&Suggested::NotDecided), "{all:?}");
    }
}
