//! The atoms of a rule's match. Each is about one thing, and one theory decides it.

use authorizer_core::checksum::Checksums;
use authorizer_core::extra_parameter::ExtraParameter;
use authorizer_core::operation::S3Operation;
use authorizer_core::response_override::ResponseOverride;
use authorizer_core::rules::{
    ClaimTest, Condition, Effect, HostPattern, IpNet, KeyPattern, MetadataTerm, Period, PrincipalConstraint,
    Rule, RulePart, Segment,
};
use authorizer_core::token::{Issuer, SCOPE_CLAIMS, TEXT_CLAIMS, is_scope};
use authorizer_core::upload::is_metadata;
use authorizer_core::{MediaRange, Scalar, UnixTime};
use serde_json::Value;

use super::space::Who;

/// How a pattern is compared with the target of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reading {
    /// The pattern matches the key.
    Exactly,
    /// The pattern matches every key that begins with the prefix.
    Whole,
    /// The pattern matches some key that begins with the prefix.
    Touched,
}

impl Reading {
    /// How a rule with this effect compares its patterns with the target of the operation.
    pub(crate) fn of(operation: S3Operation, effect: Effect) -> Self {
        match (operation.is_listing(), effect) {
            (true, Effect::Allow) => Self::Whole,
            (true, Effect::Deny) => Self::Touched,
            (false, Effect::Allow | Effect::Deny) => Self::Exactly,
        }
    }
}

/// A statement about a request. It is true or false.
#[derive(Clone, Debug)]
pub(crate) enum Atom<'p> {
    /// The pattern matches the key or the prefix.
    Key(&'p KeyPattern, Reading),
    /// The claim passes this test.
    Claim(&'p str, ClaimAtom<'p>),
    /// The two claims are the same string.
    SameText(&'p str, &'p str),
    /// The viewer's address is in one of these.
    Source(&'p [IpNet]),
    /// The request's host is one of these, or below one.
    Host(&'p [HostPattern]),
    /// The instant is within; a clock that says nothing is within for a deny rule alone.
    Period(Period, Effect),
    /// The token was issued before this instant, or does not say when.
    IssuedBefore(UnixTime),
    /// The token's `typ` is one that this issuer accepts.
    Type(&'p Issuer),
    /// The length that counts for the operation is given, and is not greater.
    Length(u64),
    /// The media type is one of these.
    Media(&'p [MediaRange]),
    /// No other response headers are overridden.
    Overrides(&'p [ResponseOverride]),
    /// No other parameters are there that a rule must allow.
    Parameters(&'p [ExtraParameter]),
    /// The request has no other integrity headers of S3 than these allow.
    Checksums(Checksums),
    /// No other metadata is there.
    Names(Vec<&'p str>),
    /// This metadata is absent, or what the term says.
    MetadataIs(&'p str, &'p MetadataTerm),
    /// This metadata is absent.
    MetadataAbsent(&'p str),
}

/// A test on one claim.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ClaimAtom<'p> {
    /// A rule's condition.
    Condition(&'p Condition),
    /// `aud` contains one of these; if the list is empty, `aud` is absent.
    Audience(&'p [String]),
    /// The claim is one of these strings.
    OneOf(&'p [String]),
    /// The claim is this value.
    Required(&'p Scalar),
    /// The claim is a string if it is there: `sub`, `jti`, `client_id`, `azp`.
    TextIfThere,
    /// The claim is a string or an array of strings if it is there: `scope`, `scp`.
    ScopeIfThere,
    /// The claim is not there: `cnf`.
    Absent,
    /// The claim is a string that can stand in a header.
    Usable,
    /// The claim is this string.
    Is(&'p str),
}

impl ClaimAtom<'_> {
    /// Whether it is true for a claim that is known.
    pub(crate) fn holds(&self, claim: Option<&Value>) -> bool {
        match self {
            Self::Condition(condition) => condition.holds(claim),
            Self::Audience([]) => claim.is_none(),
            Self::Audience(expected) => match claim {
                Some(Value::String(one)) => expected.contains(one),
                Some(Value::Array(many)) => {
                    many.iter().all(Value::is_string)
                        && many.iter().filter_map(Value::as_str).any(|one| expected.iter().any(|e| e == one))
                }
                _ => false,
            },
            Self::OneOf(expected) => {
                claim.and_then(Value::as_str).is_some_and(|text| expected.iter().any(|one| one == text))
            }
            Self::Required(expected) => claim.is_some_and(|claim| *expected == claim),
            Self::TextIfThere => claim.is_none_or(Value::is_string),
            Self::ScopeIfThere => claim.is_none_or(is_scope),
            Self::Absent => claim.is_none(),
            Self::Usable => {
                claim.and_then(Value::as_str).is_some_and(|text| !text.is_empty() && is_metadata(text))
            }
            Self::Is(expected) => claim.and_then(Value::as_str) == Some(expected),
        }
    }

    /// The strings that it compares the claim with.
    pub(crate) fn texts(&self) -> Vec<&str> {
        fn text(scalar: &Scalar) -> Option<&str> {
            match scalar {
                Scalar::String(text) => Some(text),
                Scalar::Integer(_) | Scalar::Boolean(_) => None,
            }
        }
        match self {
            Self::Condition(condition) => match &condition.test {
                ClaimTest::Equals(value) => text(value).into_iter().collect(),
                ClaimTest::Any(values) => values.iter().filter_map(text).collect(),
                ClaimTest::Has(word) | ClaimTest::StartsWith(word) => vec![word],
                ClaimTest::Present(_) => Vec::new(),
            },
            Self::Audience(texts) | Self::OneOf(texts) => texts.iter().map(String::as_str).collect(),
            Self::Required(value) => text(value).into_iter().collect(),
            Self::Is(text) => vec![text],
            Self::TextIfThere | Self::ScopeIfThere | Self::Absent | Self::Usable => Vec::new(),
        }
    }

    /// The values other than strings that it compares the claim with, in each spelling of JSON.
    pub(crate) fn scalars(&self) -> Vec<Value> {
        #[allow(
            clippy::cast_precision_loss,
            reason = "the double that a token may hold in the integer's place"
        )]
        let forms = |scalar: &Scalar| match scalar {
            Scalar::String(_) => Vec::new(),
            Scalar::Integer(number) => vec![Value::from(*number), Value::from(*number as f64)],
            Scalar::Boolean(truth) => vec![Value::from(*truth)],
        };
        match self {
            Self::Condition(condition) => match &condition.test {
                ClaimTest::Equals(value) => forms(value),
                ClaimTest::Any(values) => values.iter().flat_map(forms).collect(),
                ClaimTest::Has(_) | ClaimTest::StartsWith(_) | ClaimTest::Present(_) => Vec::new(),
            },
            Self::Required(value) => forms(value),
            // It has no scopes, and it is there.
            Self::ScopeIfThere | Self::Absent => vec![Value::from(0)],
            Self::Audience(_) | Self::OneOf(_) | Self::TextIfThere | Self::Usable | Self::Is(_) => Vec::new(),
        }
    }

    /// The word that it looks for in the claim.
    pub(crate) fn word(&self) -> Option<&str> {
        match self {
            Self::Condition(condition) => match &condition.test {
                ClaimTest::Has(word) => Some(word),
                ClaimTest::Equals(_)
                | ClaimTest::Any(_)
                | ClaimTest::StartsWith(_)
                | ClaimTest::Present(_) => None,
            },
            Self::Audience(_)
            | Self::OneOf(_)
            | Self::Required(_)
            | Self::TextIfThere
            | Self::ScopeIfThere
            | Self::Absent
            | Self::Usable
            | Self::Is(_) => None,
        }
    }

    /// Whether an issuer's block asks it of a claim that must be there.
    pub(crate) fn is_of_issuer(&self) -> bool {
        match self {
            Self::Audience(texts) => !texts.is_empty(),
            Self::OneOf(_) | Self::Required(_) => true,
            Self::Condition(_)
            | Self::TextIfThere
            | Self::ScopeIfThere
            | Self::Absent
            | Self::Usable
            | Self::Is(_) => false,
        }
    }

    /// The text that it asks the claim to begin with.
    pub(crate) fn beginning(&self) -> Option<&str> {
        match self {
            Self::Condition(condition) => match &condition.test {
                ClaimTest::StartsWith(beginning) => Some(beginning),
                ClaimTest::Equals(_) | ClaimTest::Any(_) | ClaimTest::Has(_) | ClaimTest::Present(_) => None,
            },
            Self::Audience(_)
            | Self::OneOf(_)
            | Self::Required(_)
            | Self::TextIfThere
            | Self::ScopeIfThere
            | Self::Absent
            | Self::Usable
            | Self::Is(_) => None,
        }
    }
}

impl Atom<'_> {
    /// A text that two atoms share exactly if they mean the same.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Key(pattern, reading) => format!("key {reading:?} {pattern}"),
            Self::Type(issuer) => format!("type {:?}", issuer.token_type()),
            Self::Claim(name, ClaimAtom::Condition(condition)) => {
                format!("claim {name:?} {:?}", condition.test)
            }
            Self::Claim(..)
            | Self::SameText(..)
            | Self::Source(_)
            | Self::Host(_)
            | Self::Period(..)
            | Self::IssuedBefore(_)
            | Self::Length(_)
            | Self::Media(_)
            | Self::Overrides(_)
            | Self::Parameters(_)
            | Self::Checksums(_)
            | Self::Names(_)
            | Self::MetadataIs(..)
            | Self::MetadataAbsent(_) => format!("{self:?}"),
        }
    }
}

/// A rule's match: all of the atoms, and one of the keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Match<'p> {
    pub(crate) atoms: Vec<Atom<'p>>,
    pub(crate) keys: Vec<Atom<'p>>,
}

/// When the rule matches a request for the operation by `who`, whom the policy calls `issuer`; `None` if it never
/// matches. It does the same as [`Rule::examine`], part by part.
pub(crate) fn match_of<'p>(
    rule: &'p Rule,
    operation: S3Operation,
    who: &Who,
    issuer: Option<&Issuer>,
) -> Option<Match<'p>> {
    let reading = Reading::of(operation, rule.effect());
    let is_allow = rule.effect() == Effect::Allow;
    let could = |pattern: &&KeyPattern| could_match(pattern, reading, who);
    let mut keys = Vec::new();
    let mut atoms = Vec::new();
    // What is asked of that which is stored with an object, after all else.
    let mut described = Vec::new();
    for part in rule.parts() {
        match part {
            // It changes a request that matches. `create_only` is among the additions.
            RulePart::Effect(_) | RulePart::CreateOnly(_) => {}
            RulePart::Operations(operations) => {
                if !operations.contains(operation) {
                    return None;
                }
            }
            RulePart::Principals(principals) => {
                if !speaks_of(principals, who, issuer) {
                    return None;
                }
            }
            RulePart::Keys(patterns) => {
                keys.extend(patterns.iter().filter(could).map(|pattern| Atom::Key(pattern, reading)));
                if keys.is_empty() {
                    return None;
                }
            }
            RulePart::Period(period) => {
                if period != Period::default() {
                    atoms.push(Atom::Period(period, rule.effect()));
                }
            }
            RulePart::Sources(sources) => atoms.extend(sources.map(Atom::Source)),
            RulePart::Hosts(hosts) => atoms.extend(hosts.map(Atom::Host)),
            RulePart::Conditions(conditions) => {
                for condition in conditions {
                    match who {
                        Who::Anonymous if condition.holds(None) => {}
                        Who::Anonymous => return None,
                        Who::Token(_) => {
                            atoms.push(Atom::Claim(&condition.claim, ClaimAtom::Condition(condition)));
                        }
                    }
                }
            }
            RulePart::Overrides(overrides) => {
                if is_allow && operation.reads_object() {
                    atoms.push(Atom::Overrides(overrides));
                }
            }
            RulePart::Parameters(parameters) => {
                if is_allow && ExtraParameter::ALL.iter().any(|one| one.is_of(operation)) {
                    atoms.push(Atom::Parameters(parameters));
                }
            }
            RulePart::Checksums(checksums) => {
                if is_allow && operation.is_upload() && checksums != Checksums::all() {
                    atoms.push(Atom::Checksums(checksums));
                }
            }
            RulePart::MaxBytes(most) => {
                if is_allow && operation.has_length() {
                    atoms.extend(most.map(Atom::Length));
                }
            }
            RulePart::ContentTypes(ranges) => {
                if is_allow && operation.describes_object() {
                    described.extend(ranges.map(Atom::Media));
                }
            }
            RulePart::Metadata(metadata) => {
                if is_allow && operation.describes_object() {
                    atoms.push(Atom::Names(metadata.keys().map(String::as_str).collect()));
                    described.extend(metadata.iter().flat_map(|(name, term)| metadata_atoms(name, term)));
                }
            }
        }
    }
    atoms.append(&mut described);
    if is_allow && *who == Who::Anonymous && atoms.iter().any(|atom| matches!(atom, Atom::Claim(..))) {
        return None;
    }
    Some(Match { atoms, keys })
}

/// The condition of a rule on one piece of metadata.
fn metadata_atoms<'p>(name: &'p str, term: &'p MetadataTerm) -> Vec<Atom<'p>> {
    match term {
        MetadataTerm::Any => Vec::new(),
        MetadataTerm::Literal(_) => vec![Atom::MetadataIs(name, term)],
        MetadataTerm::Claim(claim) => {
            vec![Atom::Claim(claim, ClaimAtom::Usable), Atom::MetadataIs(name, term)]
        }
    }
}

/// Whether the pattern, so read, could match any target of `who`.
pub(crate) fn could_match(pattern: &KeyPattern, reading: Reading, who: &Who) -> bool {
    let ends_open = matches!(pattern.segments(), [.., Segment::AnySegments]);
    (reading != Reading::Whole || ends_open) && (*who != Who::Anonymous || pattern.claims().next().is_none())
}

fn speaks_of(principals: &PrincipalConstraint, who: &Who, issuer: Option<&Issuer>) -> bool {
    match (principals, who) {
        (PrincipalConstraint::Everyone, _) | (PrincipalConstraint::AnyIssuer, Who::Token(_)) => true,
        (PrincipalConstraint::Issuers(names), Who::Token(_)) => {
            issuer.is_some_and(|issuer| names.iter().any(|name| name == issuer.name()))
        }
        (PrincipalConstraint::AnyIssuer | PrincipalConstraint::Issuers(_), Who::Anonymous) => false,
    }
}

/// What a token of the issuer must be to verify, but for its signature and its times: all of the atoms hold, and of
/// each of the lists not all do.
pub(crate) struct Validity<'p> {
    pub(crate) atoms: Vec<Atom<'p>>,
    pub(crate) revocations: Vec<Vec<Atom<'p>>>,
}

/// What makes a token of this issuer's verify.
pub(crate) fn validity_of(issuer: &Issuer) -> Validity<'_> {
    let mut atoms = vec![Atom::Type(issuer), Atom::Claim("aud", ClaimAtom::Audience(issuer.audience()))];
    atoms.extend(TEXT_CLAIMS.map(|name| Atom::Claim(name, ClaimAtom::TextIfThere)));
    atoms.extend(SCOPE_CLAIMS.map(|name| Atom::Claim(name, ClaimAtom::ScopeIfThere)));
    if !issuer.accepts_bound_tokens() {
        atoms.push(Atom::Claim("cnf", ClaimAtom::Absent));
    }
    if !issuer.client_ids().is_empty() {
        atoms.push(Atom::Claim("client_id", ClaimAtom::OneOf(issuer.client_ids())));
    }
    atoms.extend(issuer.required().iter().map(|(name, value)| Atom::Claim(name, ClaimAtom::Required(value))));
    let revocations = issuer.revoked().iter().map(|revocation| {
        let mut all = Vec::new();
        all.extend(revocation.token_id.as_deref().map(|text| Atom::Claim("jti", ClaimAtom::Is(text))));
        all.extend(revocation.subject.as_deref().map(|text| Atom::Claim("sub", ClaimAtom::Is(text))));
        all.extend(revocation.issued_before.map(Atom::IssuedBefore));
        all
    });
    Validity { atoms, revocations: revocations.collect() }
}
