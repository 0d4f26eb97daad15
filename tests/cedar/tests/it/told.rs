//! The request in Cedar's form (docs/audit/cedar.md), made from the facts and not from our core's reading of them.

use std::collections::{HashMap, HashSet};

use authorizer_analysis::cedar::Shape;
use authorizer_core::operation::S3Operation as Op;
use authorizer_core::rules::{KeyPattern, Segment};
use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request,
    RestrictedExpression as Expression, Schema,
};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::request::Asked;

/// The request and its entities; checked against the schema if one is given.
pub(crate) fn told(asked: &Asked, shape: &Shape, schema: Option<&Schema>) -> (Request, Entities) {
    let (kind, issuer) = match &asked.token {
        Some((issuer, _)) => ("Viewer", Some(uid("Issuer", issuer))),
        None => ("Anonymous", None),
    };
    let none = Map::new();
    let claims = asked.token.as_ref().map_or(&none, |(_, claims)| claims);
    let principal = uid(kind, "viewer");
    let resource = uid(if asked.operation == Op::ListObjectsV2 { "Prefix" } else { "Object" }, &asked.name);
    // What is in an object is told by the name that the policy has for it.
    let told_claims = shape.claims.iter().filter_map(|name| {
        let value = named(claims, name).filter(|value| !value.is_null());
        value.map(|value| (name.clone(), claim(value)))
    });
    let told_claims = HashMap::from([("claims".to_owned(), record(told_claims))]);
    let parents: HashSet<_> = issuer.clone().into_iter().collect();
    let mut entities = vec![
        Entity::new(principal.clone(), told_claims, parents).unwrap(),
        Entity::new(resource.clone(), name(&asked.name, shape), HashSet::new()).unwrap(),
    ];
    entities.extend(issuer.map(|issuer| Entity::new_no_attrs(issuer, HashSet::new())));
    let context = Context::from_pairs(context(asked, claims, shape)).unwrap();
    let action = uid("Action", asked.operation.name());
    let request = Request::new(principal, action, resource, context, schema).unwrap();
    (request, Entities::from_entities(entities, schema).unwrap())
}

fn uid(kind: &str, id: &str) -> EntityUid {
    let kind: EntityTypeName = kind.parse().unwrap();
    EntityUid::from_type_name_and_id(kind, EntityId::new(id))
}

fn text(text: &str) -> Expression {
    Expression::new_string(text.to_owned())
}

fn record(members: impl IntoIterator<Item = (String, Expression)>) -> Expression {
    Expression::new_record(members).unwrap()
}

fn set<'t>(members: impl IntoIterator<Item = &'t str>) -> Expression {
    Expression::new_set(members.into_iter().map(text))
}

fn claim(value: &Value) -> Expression {
    let mut told = Vec::new();
    let mut tell = |name: &str, value| told.push((name.to_owned(), value));
    let mut words = Vec::new();
    let mut strings: Vec<&str> = Vec::new();
    match value {
        Value::String(value) => {
            tell("text", text(value));
            if !value.is_empty()
                && value.bytes().all(|byte| (b' '..=b'~').contains(&byte))
                && value.trim() == value
                && !value.contains("=?")
            {
                tell("header", text(value));
            }
            words = value.split(' ').collect();
            strings = vec![value];
        }
        Value::Number(number) => {
            if let Some(number) = number.as_i64() {
                tell("number", Expression::new_long(number));
            } else if let Some(number) = number.as_f64().filter(|_| number.is_f64())
                && number.fract() == 0.0
                && number.abs() < 4_503_599_627_370_496.0
            {
                tell("number", Expression::new_long(number as i64));
            }
        }
        Value::Bool(truth) => tell("truth", Expression::new_bool(*truth)),
        Value::Array(members) => {
            strings = members.iter().filter_map(Value::as_str).collect();
            words.clone_from(&strings);
        }
        Value::Null | Value::Object(_) => {}
    }
    let segments = strings.into_iter().filter(|text| !["", ".", ".."].contains(text) && !text.contains('/'));
    let segments: Vec<&str> = segments.collect();
    let beginnings = segments.iter().flat_map(|segment| {
        let ends = segment.char_indices().map(|(at, _)| at).chain([segment.len()]);
        ends.map(|end| &segment[..end])
    });
    tell("beginnings", set(beginnings));
    tell("words", set(words));
    tell("segments", set(segments));
    record(told)
}

fn name(name: &str, shape: &Shape) -> HashMap<String, Expression> {
    let segments: Vec<&str> = name.split('/').collect();
    let mut told = HashMap::from([
        ("key".to_owned(), text(name)),
        ("count".to_owned(), Expression::new_long(segments.len() as i64)),
    ]);
    let at =
        |index: Option<usize>| text(index.and_then(|index| segments.get(index)).copied().unwrap_or_default());
    for index in 0..shape.first {
        told.insert(format!("s{index}"), at(Some(index)));
    }
    for index in 0..shape.last {
        told.insert(format!("e{index}"), at(segments.len().checked_sub(index + 1)));
    }
    for (first, last) in &shape.middles {
        let middle =
            segments.len().checked_sub(*last).and_then(|end| segments.get(*first..end)).unwrap_or_default();
        let middle: String = middle.iter().map(|segment| format!("/{segment}/")).collect();
        told.insert(format!("m{first}_{last}"), text(&middle));
    }
    told
}

fn context(asked: &Asked, claims: &Map<String, Value>, shape: &Shape) -> Vec<(String, Expression)> {
    let mut told = vec![
        ("now".to_owned(), datetime(asked.now)),
        ("source".to_owned(), Expression::new_ip(asked.source.to_canonical().to_string())),
        ("overrides".to_owned(), set(asked.overrides.iter().map(String::as_str))),
        ("parameters".to_owned(), set(asked.parameters.iter().map(|(name, _)| *name))),
    ];
    if shape.hosts {
        told.extend(asked.host.is.as_deref().map(|host| ("host".to_owned(), text(host))));
    }
    if !shape.matched.is_empty() {
        let matching = shape.matched.iter().filter(|pattern| matches(pattern, asked, claims));
        told.push(("matched".to_owned(), set(matching.map(String::as_str))));
    }
    let upload = &asked.upload;
    if matches!(
        asked.operation,
        Op::PutObject | Op::CreateMultipartUpload | Op::UploadPart | Op::CompleteMultipartUpload
    ) {
        let mut said = vec![
            ("checksums".to_owned(), set(upload.checksums.iter().map(|one| one.word()))),
            ("names".to_owned(), set(upload.metadata.keys().map(String::as_str))),
        ];
        let metadata = upload.metadata.iter().filter(|(name, _)| shape.metadata.contains(*name));
        said.push(("metadata".to_owned(), record(metadata.map(|(name, value)| (name.clone(), text(value))))));
        said.extend(upload.length.is.map(|length| ("length".to_owned(), Expression::new_long(length))));
        said.extend(
            upload.media_type.is.as_deref().map(|media_type| ("media_type".to_owned(), text(media_type))),
        );
        told.push(("upload".to_owned(), record(said)));
    }
    told
}

/// The instant as a text for Cedar.
fn datetime(seconds: u64) -> Expression {
    Expression::new_datetime(Timestamp::from_second(seconds as i64).unwrap().to_string())
}

/// The matching that Cedar cannot do: docs/policy.md, implemented without regard to speed.
fn matches(pattern: &str, asked: &Asked, claims: &Map<String, Value>) -> bool {
    let pattern = KeyPattern::parse(pattern).unwrap();
    let segments: Vec<&str> = asked.name.split('/').collect();
    if asked.operation != Op::ListObjectsV2 {
        return holds(pattern.segments(), &segments, claims);
    }
    // Every key below some folder that matches all but the last `**`.
    let mut head = pattern.segments();
    while let [rest @ .., Segment::AnySegments] = head {
        head = rest;
    }
    head.len() < pattern.segments().len()
        && (0..segments.len()).any(|folders| holds(head, &segments[..folders], claims))
}

fn holds(pattern: &[Segment], key: &[&str], claims: &Map<String, Value>) -> bool {
    match (pattern, key) {
        ([], []) => true,
        ([Segment::AnySegments], rest) => !rest.is_empty(),
        ([Segment::AnySegments, more @ ..], rest) => {
            (0..=rest.len()).any(|taken| holds(more, &rest[taken..], claims))
        }
        ([segment, more @ ..], [text, rest @ ..]) => {
            let is_it = match segment {
                Segment::Literal(literal) => literal == text,
                Segment::Glob(parts) => !text.is_empty() && globs(&parts.join("*"), text),
                Segment::Claim(name) => match named(claims, name) {
                    Some(Value::String(value)) => value == text && !text.is_empty(),
                    Some(Value::Array(values)) => values.contains(&Value::from(*text)) && !text.is_empty(),
                    _ => false,
                },
                Segment::AnySegments => false,
            };
            is_it && holds(more, rest, claims)
        }
        _ => false,
    }
}

/// The claim with this name, which no test here has in an array.
fn named<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c Value> {
    match name.strip_prefix('/').and_then(|path| path.split_once('/')) {
        Some((first, rest)) => claims.get(first)?.pointer(&format!("/{rest}")),
        None => claims.get(name),
    }
}

fn globs(glob: &str, text: &str) -> bool {
    let mut characters = glob.chars();
    match characters.next() {
        None => text.is_empty(),
        Some('*') => (0..=text.len())
            .filter(|at| text.is_char_boundary(*at))
            .any(|at| globs(characters.as_str(), &text[at..])),
        Some(first) => text.strip_prefix(first).is_some_and(|rest| globs(characters.as_str(), rest)),
    }
}
