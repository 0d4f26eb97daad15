//! The parts of a policy that its tests cover: docs/testing.md has the definitions.

use std::collections::BTreeMap;
use std::fmt;

use authorizer_core::extra_parameter::ExtraParameter;
use authorizer_core::policy::Policy;
use authorizer_core::record::{DecisionRecord, Verdict};
use authorizer_core::response_override::ResponseOverride;
use authorizer_core::rules::{
    Access, ClaimTest, Effect, KeyPattern, MetadataTerm, PrincipalConstraint, Rule, RulePart, Segment,
};

use crate::parts::{Part, failing, pattern_matches};

/// A point that a test can cover.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Point {
    /// The rule decides.
    Decides,
    /// The rule decides, and only this pattern of it matches.
    KeyAlone(usize),
    /// The rule decides on a request that this term applies to.
    Asked(Term),
    /// Only this part keeps the rule from matching, and this changes the decision.
    FailsAlone(Part),
}

/// A term of an allow rule. It applies only to some of its requests.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Term {
    /// `response_overrides`, this one.
    Override(ResponseOverride),
    /// `parameters`, this one.
    Parameter(ExtraParameter),
    /// `upload.max_bytes`.
    MaxBytes,
    /// `upload.content_types`.
    ContentTypes,
    /// `upload.metadata`, of this name.
    Metadata(String),
    /// `upload.checksums`.
    Checksums,
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Override(asked) => write!(f, "response_overrides.{}", asked.name()),
            Self::Parameter(asked) => write!(f, "parameters.{}", asked.name()),
            Self::MaxBytes => f.write_str("upload.max_bytes"),
            Self::ContentTypes => f.write_str("upload.content_types"),
            Self::Metadata(name) => write!(f, "upload.metadata.{name}"),
            Self::Checksums => f.write_str("upload.checksums"),
        }
    }
}

impl Point {
    /// The field of the rule, such as `when.scope`; none for the rule itself.
    pub fn field(&self) -> Option<String> {
        match self {
            Self::Decides => None,
            Self::KeyAlone(index) => Some(format!("keys[{index}]")),
            Self::Asked(term) => Some(term.to_string()),
            Self::FailsAlone(part) => Some(part.to_string()),
        }
    }

    /// What is covered: `decides`, `holds` or `fails`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Decides => "decides",
            Self::KeyAlone(_) | Self::Asked(_) => "holds",
            Self::FailsAlone(_) => "fails",
        }
    }

    /// The missing test, in words, if the point is not covered.
    pub fn lacking(&self) -> String {
        match self {
            Self::Decides => "a request that this rule decides".to_owned(),
            Self::KeyAlone(index) => {
                format!("a request that this rule decides, where only `keys[{index}]` matches")
            }
            Self::Asked(term) => format!("a request that this rule decides, and that `{term}` applies to"),
            Self::FailsAlone(part) => {
                let what = match part {
                    Part::Keys => "its key".to_owned(),
                    Part::Operations => "its operation".to_owned(),
                    part => format!("`{part}`"),
                };
                format!("a request where everything but {what} matches, and this changes the decision")
            }
        }
    }
}

/// The points of every rule, and the first test that covered each.
#[derive(Clone, Debug)]
pub struct Coverage {
    rules: Vec<(String, BTreeMap<Point, Option<String>>)>,
}

impl Coverage {
    /// The coverage of a policy before any test.
    pub fn of(policy: &Policy) -> Self {
        let points = |rule: &Rule| points_of(rule, policy).into_iter().map(|point| (point, None)).collect();
        Self { rules: policy.rules().iter().map(|rule| (rule.id().to_owned(), points(rule))).collect() }
    }

    /// Adds what a successful test covered in each rule of the policy.
    pub(super) fn note(
        &mut self,
        policy: &Policy,
        access: &Access<'_>,
        record: &DecisionRecord<'_>,
        test: &str,
    ) {
        for (rule, (_, points)) in policy.rules().iter().zip(&mut self.rules) {
            for point in seen(rule, access, record) {
                if let Some(by) = points.get_mut(&point) {
                    by.get_or_insert_with(|| test.to_owned());
                }
            }
        }
    }

    /// Every point, with the id of its rule and the first test that covered it, in the order of the policy.
    pub fn points(&self) -> impl Iterator<Item = (&str, &Point, Option<&str>)> {
        self.rules.iter().flat_map(|(id, points)| {
            points.iter().map(move |(point, by)| (id.as_str(), point, by.as_deref()))
        })
    }

    /// The points that no test covered.
    pub fn missing(&self) -> impl Iterator<Item = (&str, &Point)> {
        self.points().filter(|(.., by)| by.is_none()).map(|(id, point, _)| (id, point))
    }

    /// The same, with the places of their rules in the policy.
    pub(super) fn missing_at(&self) -> impl Iterator<Item = (usize, &Point)> {
        self.rules.iter().enumerate().flat_map(|(index, (_, points))| {
            points.iter().filter(|(_, by)| by.is_none()).map(move |(point, _)| (index, point))
        })
    }

    /// Whether no test covered this point of the rule with this place.
    pub(super) fn is_missing(&self, rule: usize, point: &Point) -> bool {
        self.rules.get(rule).and_then(|(_, points)| points.get(point)).is_some_and(Option::is_none)
    }

    /// The number of covered points, and the number of all points.
    pub fn count(&self) -> (usize, usize) {
        let all = self.points().count();
        (all.saturating_sub(self.missing().count()), all)
    }

    /// The share of covered points in whole percent, rounded down: 100 means all of them.
    pub fn percent(&self) -> u8 {
        let (seen, all) = self.count();
        let percent = seen.saturating_mul(100).checked_div(all).unwrap_or(100);
        u8::try_from(percent).unwrap_or(100)
    }
}

/// What a request covers of a rule, if the decision on it is the expected one.
pub(super) fn seen(rule: &Rule, access: &Access<'_>, record: &DecisionRecord<'_>) -> Vec<Point> {
    match failing(rule, access).as_slice() {
        [] if record.rule.as_deref() == Some(rule.id()) => seen_where_it_decides(rule, access),
        [part] if is_decisive(rule, record) => vec![Point::FailsAlone(part.clone())],
        [..] => Vec::new(),
    }
}

/// Whether the decision would be different if the rule matched.
fn is_decisive(rule: &Rule, record: &DecisionRecord<'_>) -> bool {
    match rule.effect() {
        Effect::Allow => record.decision == Verdict::Refuse && record.rule.is_none(),
        Effect::Deny => record.decision == Verdict::Allow,
    }
}

fn seen_where_it_decides(rule: &Rule, access: &Access<'_>) -> Vec<Point> {
    let mut seen = vec![Point::Decides];
    let matching: Vec<_> =
        rule.keys().iter().enumerate().filter(|(_, key)| pattern_matches(rule, key, access)).collect();
    if let [(index, _)] = matching.as_slice() {
        seen.push(Point::KeyAlone(*index));
    }
    let request = &access.request;
    seen.extend(request.overrides().iter().map(|asked| Point::Asked(Term::Override(*asked))));
    seen.extend(request.extras().iter().map(|asked| Point::Asked(Term::Parameter(*asked))));
    let Some(upload) = request.upload() else { return seen };
    let operation = request.operation();
    if operation.has_length() {
        seen.push(Point::Asked(Term::MaxBytes));
    }
    if !upload.checksums.is_empty() {
        seen.push(Point::Asked(Term::Checksums));
    }
    if operation.describes_object() {
        seen.push(Point::Asked(Term::ContentTypes));
        let asked = |(name, term): (&String, &MetadataTerm)| {
            let is_asked = *term != MetadataTerm::Any || upload.metadata.contains_key(name);
            is_asked.then(|| Point::Asked(Term::Metadata(name.clone())))
        };
        seen.extend(rule.terms().metadata.iter().filter_map(asked));
    }
    seen
}

/// The points of a rule. A part that no request can fail alone is not a point: `keys = ["**"]`, a token where the
/// keys speak of one, an operation where the policy allows no other.
fn points_of(rule: &Rule, policy: &Policy) -> Vec<Point> {
    let mut points = vec![Point::Decides];
    for part in rule.parts() {
        match part {
            // It shows in every decision; and S3 asks for what `create_only` adds, not the rule.
            RulePart::Effect(_) | RulePart::CreateOnly(_) => {}
            RulePart::Operations(operations) => {
                let mut others = policy.possible().operations.iter().filter(|one| !one.is_listing());
                if others.any(|one| !operations.contains(one)) {
                    points.push(Point::FailsAlone(Part::Operations));
                }
            }
            RulePart::Principals(principals) => points.extend(fails_for_principal(rule, principals, policy)),
            RulePart::Keys(patterns) => {
                points.extend((0..patterns.len()).map(Point::KeyAlone));
                if !patterns.iter().any(|pattern| matches!(pattern.segments(), [Segment::AnySegments])) {
                    points.push(Point::FailsAlone(Part::Keys));
                }
            }
            RulePart::Period(period) => {
                points.extend(period.not_before.map(|_| Point::FailsAlone(Part::NotBefore)));
                points.extend(period.not_after.map(|_| Point::FailsAlone(Part::NotAfter)));
            }
            RulePart::Sources(sources) => {
                points.extend(sources.map(|_| Point::FailsAlone(Part::SourceIps)));
            }
            RulePart::Hosts(hosts) => points.extend(hosts.map(|_| Point::FailsAlone(Part::Hosts))),
            RulePart::Conditions(conditions) => points
                .extend(conditions.iter().map(|one| Point::FailsAlone(Part::Condition(one.claim.clone())))),
            RulePart::Overrides(overrides) => {
                points.extend(overrides.iter().map(|one| Point::Asked(Term::Override(*one))));
            }
            RulePart::Parameters(parameters) => {
                points.extend(parameters.iter().map(|one| Point::Asked(Term::Parameter(*one))));
            }
            RulePart::Checksums(checksums) => {
                points.extend((!checksums.is_empty()).then_some(Point::Asked(Term::Checksums)));
            }
            RulePart::MaxBytes(most) => {
                if most.is_some() {
                    points.extend([Point::Asked(Term::MaxBytes), Point::FailsAlone(Part::MaxBytes)]);
                }
            }
            RulePart::ContentTypes(types) => {
                if types.is_some() {
                    points.extend([Point::Asked(Term::ContentTypes), Point::FailsAlone(Part::ContentTypes)]);
                }
            }
            RulePart::Metadata(metadata) => {
                for (name, term) in metadata {
                    points.push(Point::Asked(Term::Metadata(name.clone())));
                    if *term != MetadataTerm::Any {
                        points.push(Point::FailsAlone(Part::Metadata(name.clone())));
                    }
                }
            }
        }
    }
    points
}

/// The points for the principals of a rule.
fn fails_for_principal(rule: &Rule, principals: &PrincipalConstraint, policy: &Policy) -> Option<Point> {
    let is_named = |names: &[String], issuer: &str| names.iter().any(|name| name == issuer);
    match principals {
        PrincipalConstraint::Everyone => None,
        PrincipalConstraint::AnyIssuer => without_token(rule).then_some(Point::FailsAlone(Part::Token)),
        PrincipalConstraint::Issuers(names) => (without_token(rule)
            || policy.issuers().iter().any(|issuer| !is_named(names, issuer.name())))
        .then_some(Point::FailsAlone(Part::Issuers)),
    }
}

/// Whether all of a rule but its token could hold for a request that has none.
fn without_token(rule: &Rule) -> bool {
    let reads_claim = |pattern: &KeyPattern| pattern.claims().next().is_some();
    !rule.keys().iter().all(reads_claim)
        && rule.conditions().iter().all(|condition| condition.test == ClaimTest::Present(false))
}
