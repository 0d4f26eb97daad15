//! The theories: whether some request fits a set of literals, and which one.
//!
//! Each statement is of one thing: the keys together with the claims that stand in them, any other claim, the
//! viewer's address, the instant, and so on. What is of different things cannot contradict each other, so each
//! group of literals is decided by itself, by trying every value that the statements in it can tell from the others.

mod beginning;
mod claim;
mod claims;
mod host;
mod keyed;
mod metadata;
mod mind;
mod nested;
mod network;
mod path;
mod stock;
mod times;
mod upload;
mod values;
mod words;

use std::collections::BTreeMap;

use authorizer_core::claim_name;
use authorizer_core::operation::S3Operation;
use authorizer_core::rules::is_numeric_date;
use authorizer_core::token::Issuer;
use serde_json::{Map, Value};

use self::nested::Objects;
use super::atom::{Atom, ClaimAtom};
use super::budget::{Meter, OutOfBudget};
use super::sat::{AtomId, Literal};
use super::space::{Bounds, Model, Who};

/// A statement, and whether it holds.
pub(crate) type Said<'a, 'p> = (&'a Atom<'p>, bool);

/// What the theories know in addition to the literals.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) operation: S3Operation,
    pub(crate) who: &'a Who,
    /// The issuers that the token must verify by, one for each policy that is asked to take it.
    pub(crate) issuers: &'a [&'a Issuer],
    pub(crate) bounds: &'a Bounds,
}

/// The context, and which claims are objects because others are in them.
#[derive(Clone, Copy)]
struct Known<'a> {
    context: Context<'a>,
    objects: &'a Objects,
}

/// The thing that a statement is of. Literals of different things are decided apart.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Topic {
    /// The keys, the claims that stand in them or in metadata, and the metadata.
    Keyed,
    /// A claim that stands nowhere else.
    Claim(String),
    /// The instant and the token's times.
    Times,
    Source,
    Host,
    Type,
    Length,
    Media,
    Overrides,
    Parameters,
    Checksums,
}

/// What was found for a topic.
enum TopicValues {
    Keyed(keyed::KeyedValues),
    Claim(String, Option<Value>),
    Times(times::TimeValues),
    Source(std::net::IpAddr),
    Host(String),
    Type(Option<String>),
    Length(Option<u64>),
    Media(Option<String>),
    Overrides(Vec<authorizer_core::response_override::ResponseOverride>),
    Parameters(Vec<authorizer_core::extra_parameter::ExtraParameter>),
    Checksums(Vec<authorizer_core::checksum::ChecksumHeader>),
}

/// A request that fits the literals, or a small set of literals that no request can fit.
pub(crate) fn check<'p>(
    context: Context<'_>,
    literals: &[Literal],
    statement: impl Fn(AtomId) -> Option<Atom<'p>>,
    meter: &mut Meter,
) -> Result<Result<Model, Vec<Literal>>, OutOfBudget> {
    let said: Vec<(Literal, Atom<'p>)> =
        literals.iter().filter_map(|literal| Some((*literal, statement(literal.atom)?))).collect();
    let mut conflict = Vec::new();
    let in_keys = keyed_claims(said.iter().map(|(_, atom)| atom));
    for objects in Objects::all(&in_keys, said.iter().map(|(_, atom)| atom), context.bounds)? {
        match check_with(Known { context, objects: &objects }, &said, &in_keys, meter)? {
            Ok(model) => return Ok(Ok(model)),
            // Together they leave no way for the claims to be in each other.
            Err(more) => conflict.extend(more),
        }
    }
    conflict.sort_unstable_by_key(|literal| (literal.atom, literal.holds));
    conflict.dedup();
    Ok(Err(conflict))
}

/// The same, where it is known which claims are objects.
fn check_with<'p>(
    known: Known<'_>,
    said: &[(Literal, Atom<'p>)],
    in_keys: &[String],
    meter: &mut Meter,
) -> Result<Result<Model, Vec<Literal>>, OutOfBudget> {
    let context = known.context;
    let mut topics: BTreeMap<Topic, Vec<(Literal, &Atom<'p>)>> = BTreeMap::new();
    for topic in [Topic::Keyed, Topic::Times, Topic::Source, Topic::Length, Topic::Media, Topic::Overrides] {
        topics.insert(topic, Vec::new());
    }
    if context.bounds.host.is_some() {
        topics.insert(Topic::Host, Vec::new());
    }
    for name in context.bounds.claims.keys() {
        if !in_keys.iter().any(|keyed| keyed == name) && !is_numeric_date(name) && name != "iss" {
            topics.insert(Topic::Claim(name.clone()), Vec::new());
        }
    }
    for (literal, atom) in said {
        topics.entry(topic_of(atom, in_keys)).or_default().push((*literal, atom));
    }
    let mut found = Vec::new();
    for (topic, members) in &topics {
        match solve(known, topic, members, meter)? {
            Some(one) => found.push(one),
            None => return Ok(Err(shrink(known, topic, members, meter)?)),
        }
    }
    Ok(Ok(assemble(context, found)))
}

/// Removes literals from a contradiction that it does not need.
fn shrink(
    known: Known<'_>,
    topic: &Topic,
    members: &[(Literal, &Atom<'_>)],
    meter: &mut Meter,
) -> Result<Vec<Literal>, OutOfBudget> {
    let mut needed = members.to_vec();
    let mut index = 0;
    while index < needed.len() {
        let mut fewer = needed.clone();
        fewer.remove(index);
        if solve(known, topic, &fewer, meter)?.is_none() {
            needed = fewer;
        } else {
            index = index.saturating_add(1);
        }
    }
    Ok(needed.into_iter().map(|(literal, _)| literal).collect())
}

fn solve(
    known: Known<'_>,
    topic: &Topic,
    members: &[(Literal, &Atom<'_>)],
    meter: &mut Meter,
) -> Result<Option<TopicValues>, OutOfBudget> {
    let context = known.context;
    meter.spend(members.len().saturating_add(1))?;
    meter.spend(comparisons(topic, members))?;
    let said: Vec<Said<'_, '_>> = members.iter().map(|(literal, atom)| (*atom, literal.holds)).collect();
    let said = said.as_slice();
    Ok(match topic {
        Topic::Keyed => keyed::solve(known, said, meter)?.map(TopicValues::Keyed),
        Topic::Claim(name) => {
            claims::solve(known, name, said).map(|value| TopicValues::Claim(name.clone(), value))
        }
        Topic::Times => times::solve(context, said, meter)?.map(TopicValues::Times),
        Topic::Source => network::solve(context, said).map(TopicValues::Source),
        Topic::Host => host::solve(context, said).map(TopicValues::Host),
        Topic::Type => upload::token_type(said).map(TopicValues::Type),
        Topic::Length => upload::length(context, said).map(TopicValues::Length),
        Topic::Media => upload::media_type(context, said).map(TopicValues::Media),
        Topic::Overrides => upload::overrides(said).map(TopicValues::Overrides),
        Topic::Parameters => upload::parameters(context, said).map(TopicValues::Parameters),
        Topic::Checksums => upload::checksums(context, said).map(TopicValues::Checksums),
    })
}

/// The steps for a topic each value of which is compared with each other one. Networks are sorted instead.
fn comparisons(topic: &Topic, members: &[(Literal, &Atom<'_>)]) -> usize {
    /// Comparisons in a step.
    const STEP: usize = 64;
    let values = |(_, atom): &(Literal, &Atom<'_>)| match atom {
        Atom::Source(networks) => networks.len(),
        Atom::Host(hosts) => hosts.len(),
        Atom::Media(ranges) => ranges.len(),
        Atom::Claim(_, test) => test.texts().len(),
        _ => 1,
    };
    let values = || members.iter().map(values).sum::<usize>();
    match topic {
        Topic::Source => {
            let all = values();
            let halves = usize::try_from(all.checked_ilog2().unwrap_or(0)).unwrap_or(0);
            all.saturating_mul(halves).div_euclid(STEP)
        }
        Topic::Claim(_) | Topic::Host | Topic::Media | Topic::Length => {
            let values = values();
            // A host that is not named is searched for among the names, and is then compared with all of them.
            let times = if *topic == Topic::Host { 2 } else { 1 };
            values.saturating_mul(values).saturating_mul(times).div_euclid(STEP)
        }
        Topic::Keyed
        | Topic::Times
        | Topic::Type
        | Topic::Overrides
        | Topic::Parameters
        | Topic::Checksums => 0,
    }
}

/// The claims in keys or in metadata: their values are strings that other things are compared with.
fn keyed_claims<'a, 'p: 'a>(atoms: impl Iterator<Item = &'a Atom<'p>>) -> Vec<String> {
    let mut names = Vec::new();
    for atom in atoms {
        match atom {
            Atom::Key(pattern, _) => names.extend(pattern.claims().map(str::to_owned)),
            Atom::SameText(one, other) => names.extend([(*one).to_owned(), (*other).to_owned()]),
            Atom::Claim(name, ClaimAtom::Usable) => names.push((*name).to_owned()),
            Atom::MetadataIs(_, term) => names.extend(term.claim().map(str::to_owned)),
            Atom::Claim(..)
            | Atom::Source(_)
            | Atom::Host(_)
            | Atom::Period(..)
            | Atom::IssuedBefore(_)
            | Atom::Type(_)
            | Atom::Length(_)
            | Atom::Media(_)
            | Atom::Overrides(_)
            | Atom::Parameters(_)
            | Atom::Checksums(_)
            | Atom::Names(_)
            | Atom::MetadataAbsent(_) => {}
        }
    }
    names.sort();
    names.dedup();
    names
}

fn topic_of(atom: &Atom<'_>, in_keys: &[String]) -> Topic {
    match atom {
        Atom::Key(..)
        | Atom::SameText(..)
        | Atom::Names(_)
        | Atom::MetadataIs(..)
        | Atom::MetadataAbsent(_)
        | Atom::Claim(_, ClaimAtom::Usable) => Topic::Keyed,
        Atom::Claim(name, _) if is_numeric_date(name) => Topic::Times,
        Atom::Claim(name, _) if in_keys.iter().any(|keyed| keyed == name) => Topic::Keyed,
        Atom::Claim(name, _) => Topic::Claim((*name).to_owned()),
        Atom::Source(_) => Topic::Source,
        Atom::Host(_) => Topic::Host,
        Atom::Period(..) | Atom::IssuedBefore(_) => Topic::Times,
        Atom::Type(_) => Topic::Type,
        Atom::Length(_) => Topic::Length,
        Atom::Media(_) => Topic::Media,
        Atom::Overrides(_) => Topic::Overrides,
        Atom::Parameters(_) => Topic::Parameters,
        Atom::Checksums(_) => Topic::Checksums,
    }
}

/// The pieces, put together.
fn assemble(context: Context<'_>, found: Vec<TopicValues>) -> Model {
    let mut claims = Map::new();
    let mut model = Model {
        operation: context.operation,
        resource: String::new(),
        claims: None,
        token_type: None,
        source: network::DEFAULT,
        host: None,
        at: times::DEFAULT,
        length: None,
        media_type: None,
        metadata: BTreeMap::new(),
        checksums: Vec::new(),
        overrides: Vec::new(),
        parameters: Vec::new(),
    };
    for one in found {
        match one {
            TopicValues::Keyed(keyed) => {
                model.resource = keyed.resource;
                model.metadata = keyed.metadata;
                for (name, value) in keyed.claims {
                    claim_name::put(&mut claims, &name, value);
                }
            }
            TopicValues::Claim(name, value) => {
                if let Some(value) = value {
                    claim_name::put(&mut claims, &name, value);
                }
            }
            TopicValues::Times(times) => {
                model.at = times.at;
                claims.extend(times.claims);
            }
            TopicValues::Source(source) => model.source = source,
            TopicValues::Host(host) => model.host = Some(host),
            TopicValues::Type(token_type) => model.token_type = token_type,
            TopicValues::Length(length) => model.length = length,
            TopicValues::Media(media_type) => model.media_type = media_type,
            TopicValues::Overrides(overrides) => model.overrides = overrides,
            TopicValues::Parameters(parameters) => model.parameters = parameters,
            TopicValues::Checksums(checksums) => model.checksums = checksums,
        }
    }
    if let Who::Token(issuer) = context.who {
        claims.insert("iss".to_owned(), Value::from(issuer.as_str()));
        model.claims = Some(claims);
    }
    model
}
