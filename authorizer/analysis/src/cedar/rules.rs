//! One rule as policies of Cedar: one for what it says of objects, one for listings, and of its uploads one for each
//! kind of which it asks other things.

use std::collections::BTreeMap;

use authorizer_core::checksum::{ChecksumHeader, Checksums};
use authorizer_core::extra_parameter::ExtraParameter;
use authorizer_core::operation::{OperationSet, S3Operation as Op};
use authorizer_core::response_override::ResponseOverride;
use authorizer_core::rules::{
    ClaimTest, Condition, Effect, HostPattern, IpNet, KeyPattern, MetadataTerm, Period, PrincipalConstraint,
    Rule, RulePart, Segment,
};
use authorizer_core::{MediaRange, Scalar, UnixTime};
use jiff::Timestamp;

use super::UntranslatableError;
use super::keys;
use super::shape::Shape;
use super::text::{Like, all, any, attribute, comment, name, pattern as like, set, string};

/// The largest integer below which every integer is a double: RFC 8259 section 6.
const MAX_EXACT: u64 = 1 << 53;

/// A condition of a policy, and the part of the rule that it translates.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Clause {
    of: String,
    text: String,
}

impl Clause {
    fn new(of: impl Into<String>, text: impl Into<String>) -> Self {
        Self { of: of.into(), text: text.into() }
    }
}

/// The parts of a rule in Cedar.
struct Parts {
    effect: &'static str,
    operations: OperationSet,
    principal: String,
    /// The conditions for every operation.
    common: Vec<Clause>,
    /// The conditions of an allow rule for some operations.
    own: Vec<(Clause, OperationFact)>,
}

type OperationFact = fn(Op) -> bool;

/// Whether overrides are asked about. Of an operation that can have none it holds, so one policy has it with the reads.
fn takes_overrides(operation: Op) -> bool {
    !operation.is_upload() && !operation.is_listing()
}

/// Whether the parameters are asked about that a rule must allow. Of an operation that can have none it holds, too.
fn takes_parameters(operation: Op) -> bool {
    !operation.is_upload()
}

fn parts(rule: &Rule, shape: &mut Shape) -> Result<Parts, UntranslatableError> {
    let mut parts = Parts {
        effect: "",
        operations: OperationSet::default(),
        principal: String::new(),
        common: Vec::new(),
        own: Vec::new(),
    };
    for part in rule.parts() {
        match part {
            RulePart::Effect(Effect::Allow) => parts.effect = "permit",
            RulePart::Effect(Effect::Deny) => parts.effect = "forbid",
            RulePart::Operations(operations) => parts.operations = operations,
            RulePart::Principals(principals) => {
                parts.principal = match principals {
                    PrincipalConstraint::Everyone => "principal".to_owned(),
                    PrincipalConstraint::AnyIssuer => "principal is Viewer".to_owned(),
                    PrincipalConstraint::Issuers(names) => match names.as_slice() {
                        [one] => format!("principal is Viewer in Issuer::{}", string(one)),
                        names => {
                            let issuers: Vec<_> =
                                names.iter().map(|name| format!("Issuer::{}", string(name))).collect();
                            let text = format!("principal in [{}]", issuers.join(", "));
                            parts.common.push(Clause::new("issuers", text));
                            "principal is Viewer".to_owned()
                        }
                    },
                };
            }
            // `keys` writes them, for objects and for listings.
            RulePart::Keys(_) => {}
            RulePart::Period(Period { not_before, not_after }) => {
                for (field, instant, sign) in
                    [("not_before", not_before, ">="), ("not_after", not_after, "<")]
                {
                    if let Some(instant) = instant {
                        let text = format!("context.now {sign} {}", datetime(instant)?);
                        parts.common.push(Clause::new(field, text));
                    }
                }
            }
            RulePart::Sources(networks) => parts.common.extend(networks.map(|networks| {
                let within = |network: &IpNet| format!("context.source.isInRange(ip(\"{network}\"))");
                Clause::new("source_ips", any(networks.iter().map(within).collect()))
            })),
            RulePart::Hosts(hosts) => parts.common.extend(hosts.map(|hosts| {
                shape.hosts = true;
                let is = |host: &HostPattern| match host.below() {
                    Some(domain) => format!("context.host like {}", like([Like::Star, Like::Text(domain)])),
                    None => format!("context.host == {}", string(host.as_str())),
                };
                let one_of = any(hosts.iter().map(is).collect());
                Clause::new("hosts", all(vec!["context has host".to_owned(), one_of]))
            })),
            RulePart::Conditions(conditions) => {
                for condition in conditions {
                    shape.claims.insert(condition.claim.clone());
                    let of = format!("when {}", condition.claim);
                    parts.common.push(Clause::new(of, holds(condition)?));
                }
            }
            RulePart::Overrides(overrides) => {
                parts.own.push((overrides_clause(overrides), takes_overrides));
            }
            RulePart::Parameters(parameters) => {
                parts.own.push((parameters_clause(parameters), takes_parameters));
            }
            RulePart::Checksums(checksums) => {
                parts.own.push((checksums_clause(checksums), Op::is_upload));
                parts.own.push((names_clause(&rule.terms().metadata), Op::is_upload));
            }
            RulePart::MaxBytes(most) => {
                if let Some(most) = most {
                    parts.own.push((length_clause(most)?, Op::has_length));
                }
            }
            RulePart::ContentTypes(ranges) => {
                parts.own.extend(
                    ranges.map(|ranges| (types_clause(ranges), Op::describes_object as OperationFact)),
                );
            }
            RulePart::Metadata(metadata) => {
                for (name, term) in metadata {
                    let clause = metadata_clause(name, term, shape);
                    parts.own.extend(clause.map(|clause| (clause, Op::describes_object as OperationFact)));
                }
            }
            // It does not refuse a request: S3 checks the condition that it adds.
            RulePart::CreateOnly(_) => {}
        }
    }
    // A deny rule does not have limits for downloads and uploads.
    if rule.effect() == Effect::Deny {
        parts.own.clear();
    }
    Ok(parts)
}

/// Writes a rule.
pub(super) fn translate(rule: &Rule, shape: &mut Shape) -> Result<String, UntranslatableError> {
    let parts = parts(rule, shape)?;
    let Parts { effect, principal, common, .. } = &parts;
    let mut policies = String::new();
    for Group { operations, own } in groups(&parts) {
        let lists = operations.iter().any(|operation| operation.is_listing());
        let keys = keys(rule, lists, shape);
        let kind = if lists { "Prefix" } else { "Object" };
        let id = match policies.is_empty() {
            true => rule.id().to_owned(),
            false => format!("{}:{}", rule.id(), operations.first().map_or("", |first| first.name())),
        };
        let actions: Vec<_> =
            operations.iter().map(|operation| format!("Action::\"{}\"", operation.name())).collect();
        policies.push_str(&format!(
            "@id({})\n@rule({})\n{effect} (\n  {principal},\n  action in [{}],\n  resource is {kind}\n)",
            string(&id),
            string(rule.id()),
            actions.join(", "),
        ));
        policies.push_str(&format!("\nwhen {{\n{keys}}}"));
        for Clause { of, text } in common.iter().chain(&own) {
            policies.push_str(&format!("\nwhen {{\n  {}\n  {text}\n}}", comment(of)));
        }
        policies.push_str(";\n\n");
    }
    Ok(policies)
}

/// One of the patterns, each below a comment with the pattern.
fn keys(rule: &Rule, lists: bool, shape: &mut Shape) -> String {
    let mut lines = String::new();
    for pattern in rule.keys() {
        let readings = match (lists, rule.effect()) {
            (true, Effect::Deny) => keys::could_match(pattern, shape),
            (true, Effect::Allow) if !holds_all(pattern) => continue,
            (true, Effect::Allow) | (false, _) => vec![keys::matches(pattern, shape)],
        };
        for (index, reading) in readings.into_iter().enumerate() {
            let or = if lines.is_empty() { "" } else { "|| " };
            if index == 0 {
                lines.push_str(&format!("  {}\n", comment(&pattern.to_string())));
            }
            match reading.contains(" && ") {
                true => lines.push_str(&format!("  {or}({reading})\n")),
                false => lines.push_str(&format!("  {or}{reading}\n")),
            }
        }
    }
    lines
}

/// Whether the pattern can match all keys that begin with a prefix.
fn holds_all(pattern: &KeyPattern) -> bool {
    matches!(pattern.segments(), [.., Segment::AnySegments])
}

/// Operations of a rule with the same conditions, and the conditions beyond those of all operations.
struct Group {
    operations: Vec<Op>,
    own: Vec<Clause>,
}

fn groups(parts: &Parts) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut listing = Vec::new();
    for operation in parts.operations.iter() {
        let asked = parts.own.iter().filter(|(_, is_of)| is_of(operation));
        let own: Vec<_> = asked.map(|(clause, _)| clause.clone()).collect();
        if operation.is_listing() {
            listing.push(Group { operations: vec![operation], own });
            continue;
        }
        match groups.iter_mut().find(|group| group.own == own) {
            Some(group) => group.operations.push(operation),
            None => groups.push(Group { operations: vec![operation], own }),
        }
    }
    groups.extend(listing);
    groups
}

fn datetime(instant: UnixTime) -> Result<String, UntranslatableError> {
    let seconds = i64::try_from(instant.as_seconds()).ok();
    let timestamp = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    timestamp.map(|timestamp| format!("datetime(\"{timestamp}\")")).ok_or(UntranslatableError::Instant)
}

fn holds(condition: &Condition) -> Result<String, UntranslatableError> {
    let claim = attribute("principal.claims", &condition.claim);
    let is_there = format!("principal.claims has {}", name(&condition.claim));
    let is = |value: &Scalar| match value {
        Scalar::String(text) => Ok(format!("{claim} has text && {claim}.text == {}", string(text))),
        Scalar::Boolean(truth) => Ok(format!("{claim} has truth && {claim}.truth == {truth}")),
        Scalar::Integer(number) if number.unsigned_abs() <= MAX_EXACT => {
            Ok(format!("{claim} has number && {claim}.number == {number}"))
        }
        Scalar::Integer(number) => Err(UntranslatableError::Integer(*number)),
    };
    Ok(match &condition.test {
        ClaimTest::Equals(value) => all(vec![is_there, is(value)?]),
        ClaimTest::Any(values) => {
            let values: Vec<_> = values.iter().map(is).collect::<Result<_, _>>()?;
            all(vec![is_there, any(values)])
        }
        ClaimTest::Has(word) => all(vec![is_there, format!("{claim}.words.contains({})", string(word))]),
        ClaimTest::StartsWith(beginning) => {
            let begins = like([Like::Text(beginning), Like::Star]);
            all(vec![is_there, format!("{claim} has text && {claim}.text like {begins}")])
        }
        ClaimTest::Present(true) => is_there,
        ClaimTest::Present(false) => format!("!({is_there})"),
    })
}

fn overrides_clause(overrides: &[ResponseOverride]) -> Clause {
    let text = match overrides {
        [] => "context.overrides.isEmpty()".to_owned(),
        overrides => {
            format!("{}.containsAll(context.overrides)", set(overrides.iter().map(|one| one.name())))
        }
    };
    Clause::new("response_overrides", text)
}

fn parameters_clause(parameters: &[ExtraParameter]) -> Clause {
    let text = match parameters {
        [] => "context.parameters.isEmpty()".to_owned(),
        parameters => {
            format!("{}.containsAll(context.parameters)", set(parameters.iter().map(|one| one.name())))
        }
    };
    Clause::new("parameters", text)
}

/// Which integrity headers may be sent; `type` is `x-amz-checksum-type`, which goes with every algorithm.
fn checksums_clause(checksums: Checksums) -> Clause {
    let text = match checksums.is_empty() {
        true => "context.upload.checksums.isEmpty()".to_owned(),
        false => {
            let words = checksums.headers().map(ChecksumHeader::word);
            format!("{}.containsAll(context.upload.checksums)", set(words))
        }
    };
    Clause::new("upload.checksums", text)
}

/// Which metadata may be sent at all.
fn names_clause(metadata: &BTreeMap<String, MetadataTerm>) -> Clause {
    let text = match metadata.is_empty() {
        true => "context.upload.names.isEmpty()".to_owned(),
        false => {
            format!("{}.containsAll(context.upload.names)", set(metadata.keys().map(String::as_str)))
        }
    };
    Clause::new("upload.metadata", text)
}

fn length_clause(most: u64) -> Result<Clause, UntranslatableError> {
    // The largest number of Cedar stands for every greater length.
    let most = i64::try_from(most).ok().filter(|most| *most < i64::MAX);
    let most = most.ok_or(UntranslatableError::Size)?;
    let text = format!("context.upload has length && context.upload.length <= {most}");
    Ok(Clause::new("upload.max_bytes", text))
}

fn types_clause(ranges: &[MediaRange]) -> Clause {
    let is_in = |range: &MediaRange| match range {
        MediaRange::Any => "true".to_owned(),
        MediaRange::Kind(kind) => {
            let pattern = like([Like::Text(&format!("{kind}/")), Like::Star]);
            format!("context.upload.media_type like {pattern}")
        }
        MediaRange::One(one) => format!("context.upload.media_type == {}", string(&one.to_string())),
    };
    let ranges: Vec<_> = ranges.iter().map(is_in).collect();
    let one_of = if ranges.iter().any(|one| one == "true") { "true".to_owned() } else { any(ranges) };
    let text = all(vec!["context.upload has media_type".to_owned(), one_of]);
    Clause::new("upload.content_types", text)
}

/// The condition on one piece of metadata; `None` if any value is allowed.
fn metadata_clause(metadata: &str, term: &MetadataTerm, shape: &mut Shape) -> Option<Clause> {
    let given = attribute("context.upload.metadata", metadata);
    // Cedar's validator accepts this, but not `!(... has ...) || ...`.
    let where_given = |expected: String| {
        format!("(if context.upload.metadata has {} then {given} == {expected} else true)", name(metadata))
    };
    let text = match term {
        MetadataTerm::Any => return None,
        MetadataTerm::Literal(text) => where_given(string(text)),
        MetadataTerm::Claim(claim) => {
            shape.claims.insert(claim.clone());
            let value = attribute("principal.claims", claim);
            all(vec![
                format!("principal.claims has {} && {value} has header", name(claim)),
                where_given(format!("{value}.header")),
            ])
        }
    };
    shape.metadata.insert(metadata.to_owned());
    Some(Clause::new(format!("upload.metadata.{metadata}"), text))
}
