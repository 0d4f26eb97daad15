//! One rule as policies of Cedar: one for what it says of objects, one for listings, and of its uploads one for each
//! kind of which it asks other things.

use authorizer_core::operation::S3Operation as Op;
use authorizer_core::rules::{
    ClaimTest, Condition, Effect, IpNet, KeyPattern, MetadataTerm, PrincipalConstraint, Rule, Segment,
};
use authorizer_core::{MediaRange, Scalar, UnixTime};
use jiff::Timestamp;

use super::UntranslatableError;
use super::keys;
use super::shape::Shape;
use super::text::{Like, all, any, attribute, comment, name, pattern as like, set, string};

/// The greatest integer below which every one is a double: RFC 8259 section 6.
const MAX_EXACT: u64 = 1 << 53;

/// A condition of a policy, and what of the rule it says.
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

/// Writes a rule.
pub(super) fn translate(rule: &Rule, shape: &mut Shape) -> Result<String, UntranslatableError> {
    let common = common(rule, shape)?;
    let mut policies = String::new();
    for Group { operations, own } in groups(rule, shape)? {
        let lists = operations.contains(&Op::ListObjectsV2);
        let keys = keys(rule, lists, shape);
        let kind = if lists { "Prefix" } else { "Object" };
        let id = match policies.is_empty() {
            true => rule.id().to_owned(),
            false => format!("{}:{}", rule.id(), operations.first().map_or("", |first| first.name())),
        };
        let actions: Vec<_> =
            operations.iter().map(|operation| format!("Action::\"{}\"", operation.name())).collect();
        let effect = match rule.effect() {
            Effect::Allow => "permit",
            Effect::Deny => "forbid",
        };
        let principal = match rule.principals() {
            PrincipalConstraint::Everyone => "principal".to_owned(),
            PrincipalConstraint::AnyIssuer => "principal is Viewer".to_owned(),
            PrincipalConstraint::Issuers(names) => match names.as_slice() {
                [one] => format!("principal is Viewer in Issuer::{}", string(one)),
                _ => "principal is Viewer".to_owned(),
            },
        };
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

/// One of the patterns, each below a comment that has it.
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

/// Whether all keys that begin with a prefix can be the pattern's.
fn holds_all(pattern: &KeyPattern) -> bool {
    matches!(pattern.segments(), [.., Segment::AnySegments])
}

/// Operations of a rule that are asked the same, and what they are asked beside what all are.
struct Group {
    operations: Vec<Op>,
    own: Vec<Clause>,
}

fn groups(rule: &Rule, shape: &mut Shape) -> Result<Vec<Group>, UntranslatableError> {
    let mut groups: Vec<Group> = Vec::new();
    let mut listing = Vec::new();
    for operation in rule.operations().iter() {
        if operation == Op::ListObjectsV2 {
            listing.push(Group { operations: vec![operation], own: Vec::new() });
            continue;
        }
        let own = match rule.effect() {
            Effect::Deny => Vec::new(),
            Effect::Allow => own(rule, operation, shape)?,
        };
        match groups.iter_mut().find(|group| group.own == own) {
            Some(group) => group.operations.push(operation),
            None => groups.push(Group { operations: vec![operation], own }),
        }
    }
    groups.extend(listing);
    Ok(groups)
}

/// What a rule asks whatever the operation is.
fn common(rule: &Rule, shape: &mut Shape) -> Result<Vec<Clause>, UntranslatableError> {
    let mut clauses = Vec::new();
    if let PrincipalConstraint::Issuers(names) = rule.principals()
        && names.len() > 1
    {
        let issuers: Vec<_> = names.iter().map(|name| format!("Issuer::{}", string(name))).collect();
        clauses.push(Clause::new("issuers", format!("principal in [{}]", issuers.join(", "))));
    }
    let period = rule.period();
    for (field, instant, sign) in
        [("not_before", period.not_before, ">="), ("not_after", period.not_after, "<")]
    {
        if let Some(instant) = instant {
            clauses.push(Clause::new(field, format!("context.now {sign} {}", datetime(instant)?)));
        }
    }
    if let Some(networks) = rule.sources() {
        let within = |network: &IpNet| format!("context.source.isInRange(ip(\"{network}\"))");
        clauses.push(Clause::new("source_ips", any(networks.iter().map(within).collect())));
    }
    for condition in rule.conditions() {
        shape.claims.insert(condition.claim.clone());
        clauses.push(Clause::new(format!("when {}", condition.claim), holds(condition)?));
    }
    Ok(clauses)
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
        ClaimTest::Present(true) => is_there,
        ClaimTest::Present(false) => format!("!({is_there})"),
    })
}

/// What an allow rule asks of this operation and not of every one: docs/policy.md, Uploads.
fn own(rule: &Rule, operation: Op, shape: &mut Shape) -> Result<Vec<Clause>, UntranslatableError> {
    match operation {
        // Of a DeleteObject nothing can be asked here, and what is asked of reads holds of it: so one policy has both.
        Op::GetObject
        | Op::HeadObject
        | Op::GetObjectVersion
        | Op::HeadObjectVersion
        | Op::DeleteObject
        | Op::AbortMultipartUpload
        | Op::ListParts => {
            let names: Vec<_> = rule.overrides().iter().map(|one| one.name()).collect();
            let text = match names.as_slice() {
                [] => "context.overrides.isEmpty()".to_owned(),
                names => format!("{}.containsAll(context.overrides)", set(names.iter().copied())),
            };
            Ok(vec![Clause::new("response_overrides", text)])
        }
        Op::ListObjectsV2 => Ok(Vec::new()),
        Op::PutObject | Op::CreateMultipartUpload | Op::UploadPart | Op::CompleteMultipartUpload => {
            upload(rule, operation, shape)
        }
    }
}

fn upload(rule: &Rule, operation: Op, shape: &mut Shape) -> Result<Vec<Clause>, UntranslatableError> {
    let terms = rule.terms();
    let mut clauses = Vec::new();
    if !terms.checksums {
        clauses.push(Clause::new("upload.checksums", "!context.upload.checksum"));
    }
    let names: Vec<_> = terms.metadata.keys().map(String::as_str).collect();
    clauses.push(Clause::new(
        "upload.metadata",
        match names.as_slice() {
            [] => "context.upload.names.isEmpty()".to_owned(),
            names => format!("{}.containsAll(context.upload.names)", set(names.iter().copied())),
        },
    ));
    let is_measured = matches!(operation, Op::PutObject | Op::UploadPart | Op::CompleteMultipartUpload);
    if let (true, Some(most)) = (is_measured, terms.max_bytes) {
        // The greatest of Cedar's numbers stands for every length beyond it.
        let most = i64::try_from(most).ok().filter(|most| *most < i64::MAX);
        let most = most.ok_or(UntranslatableError::Size)?;
        let text = format!("context.upload has length && context.upload.length <= {most}");
        clauses.push(Clause::new("upload.max_bytes", text));
    }
    if !matches!(operation, Op::PutObject | Op::CreateMultipartUpload) {
        return Ok(clauses);
    }
    if let Some(ranges) = &terms.content_types {
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
        clauses.push(Clause::new("upload.content_types", text));
    }
    for (metadata, term) in &terms.metadata {
        let given = attribute("context.upload.metadata", metadata);
        // Cedar's validator takes this for safe, and `!(... has ...) || ...` not.
        let where_given = |expected: String| {
            format!(
                "(if context.upload.metadata has {} then {given} == {expected} else true)",
                name(metadata)
            )
        };
        let text = match term {
            MetadataTerm::Any => continue,
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
        shape.metadata.insert(metadata.clone());
        clauses.push(Clause::new(format!("upload.metadata.{metadata}"), text));
    }
    Ok(clauses)
}
