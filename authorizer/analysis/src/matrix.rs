//! Who may do what to which keys, as a table. A request proves each filled cell.

use std::collections::{BTreeMap, BTreeSet};

use authorizer_core::claim_name;
use authorizer_core::operation::S3Operation;
use authorizer_core::request::Resource;
use authorizer_core::rules::{Access, ClaimTest, Claims, Effect, KeyPattern, Rule};
use authorizer_core::token::Issuer;
use authorizer_core::{Authorizer, SignIn};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::engine::{
    Bounds, Engine, EngineError, Question, Reading, RuleRef, Token, Who, Witness, could_overlap,
    could_share_a_key, key_of_both,
};
use crate::folders::Folder;
use crate::parts::{Part, failing};
use crate::query::decided_by_one_of;
use crate::supposed::value_of;
use crate::words::conditions_in_words;

/// The table.
#[derive(Clone, Debug, Serialize)]
pub struct Matrix {
    /// The rows, in the order of the rules.
    pub rows: Vec<Row>,
}

/// One kind of principal, one key pattern, and the operations allowed on its keys.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Row {
    /// `anonymous` for requests without a token, and the policy's names for the issuers of tokens.
    pub who: Vec<String>,
    /// Those of the issuers whose people can also come with the session of a sign-in at the edge, and not only with a
    /// bearer token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<String>,
    /// The other conditions, in words.
    pub conditions: Vec<String>,
    /// The key pattern.
    pub keys: String,
    /// The operations that are allowed, each for at least some of the keys.
    pub cells: Vec<Cell>,
}

/// The names of a row for people: which of them can come with a session too.
pub fn who_in_words(who: &[String], sessions: &[String]) -> Vec<String> {
    let named = who.iter().map(|name| match sessions.contains(name) {
        true => format!("{name} (token or session)"),
        false => name.clone(),
    });
    named.collect()
}

/// An operation that is allowed.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Cell {
    /// The operation.
    pub operation: S3Operation,
    /// The rules that allow it.
    pub rules: Vec<String>,
    /// The deny rules that deny some of what the rules would allow.
    pub except: Vec<String>,
    /// A request that is allowed.
    pub request: Witness,
}

/// The name of those without a token.
const ANONYMOUS: &str = "anonymous";

/// What a row is about.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Heading {
    who: String,
    conditions: Vec<String>,
    keys: String,
}

/// The table of a policy. An operation that is allowed for no request does not have a cell, and a rule that never
/// decides does not have a row.
///
/// # Errors
/// [`EngineError`]: the analysis did not finish.
pub fn matrix(authorizer: &Authorizer) -> Result<Matrix, EngineError> {
    let sides = [authorizer];
    let engine = Engine::new(&sides);
    let root = Folder::of(engine.rules(0));
    let table = Table { engine: &engine, authorizer, root, bounds: Bounds::default() };
    let mut rows = Rows::default();
    for at in engine.with_effect(0, Effect::Allow, None) {
        let Some(rule) = engine.rule(at) else { continue };
        let near = table.near(rule);
        for pattern in rule.keys() {
            for who in engine.everyone(0) {
                for cell in table.cells(at, rule, pattern, &who, &near)? {
                    let name = engine.issuer(0, &who).map_or(ANONYMOUS, |issuer| issuer.name());
                    let heading = Heading {
                        who: name.to_owned(),
                        conditions: conditions_in_words(rule, [cell.operation].into_iter().collect()),
                        keys: pattern.to_string(),
                    };
                    rows.put(heading, cell);
                }
            }
        }
    }
    let policy = authorizer.bundle().policy();
    let flow = policy.sign_in().and_then(SignIn::code_flow);
    let session = flow.and_then(|flow| policy.issuers().get(flow.issuer())).map(Issuer::name);
    Ok(Matrix { rows: rows.merged(session) })
}

/// What the table is made from.
struct Table<'t, 'p> {
    engine: &'t Engine<'p>,
    authorizer: &'p Authorizer,
    /// The rules, by the folders of their keys.
    root: Folder,
    bounds: Bounds,
}

/// An allow rule by one of its patterns, and a deny rule.
struct Tried<'p> {
    at: RuleRef,
    rule: &'p Rule,
    pattern: &'p KeyPattern,
    deny: RuleRef,
    one: &'p Rule,
}

/// For claims, the deny rules that were tried with one pattern, and whether there is a key. It is the same for every
/// operation.
#[derive(Default)]
struct Known(Vec<(Map<String, Value>, BTreeMap<usize, bool>)>);

/// The same request with claims that these rules ask for, as many of them as fit together. Whether it is still allowed,
/// and whether they match it, is for the core to say.
fn wanted_by<'r>(request: &Witness, rules: impl Iterator<Item = &'r Rule>) -> Option<Witness> {
    /// A token has to fit into a header.
    const LONGEST: usize = 4_000;
    let claims = request.claims.as_ref()?;
    let mut wanted: Map<String, Value> = Map::new();
    let mut length = 0_usize;
    for condition in rules.flat_map(Rule::conditions) {
        let before = wanted.get(&condition.claim).or_else(|| claim_name::find(claims, &condition.claim));
        if condition.holds(before) {
            continue;
        }
        let value = match (&condition.test, before) {
            (ClaimTest::Equals(value), None) => value_of(value),
            (ClaimTest::Any(values), None) => values.first().map_or(Value::Null, value_of),
            (ClaimTest::StartsWith(beginning), None) => Value::from(format!("{beginning}x")),
            (ClaimTest::Present(true), None) => Value::from("x"),
            (ClaimTest::Has(word), None) if word.contains(' ') => json!([word]),
            (ClaimTest::Has(word), None) => Value::from(word.as_str()),
            (ClaimTest::Has(word), Some(Value::String(words))) => Value::from(format!("{words} {word}")),
            (ClaimTest::Has(word), Some(Value::Array(words))) => {
                words.iter().cloned().chain([Value::from(word.as_str())]).collect()
            }
            (
                ClaimTest::Equals(_)
                | ClaimTest::Any(_)
                | ClaimTest::StartsWith(_)
                | ClaimTest::Present(_)
                | ClaimTest::Has(_),
                _,
            ) => continue,
        };
        length = length.saturating_add(condition.claim.len()).saturating_add(16);
        if let ClaimTest::Has(word) | ClaimTest::StartsWith(word) = &condition.test {
            length = length.saturating_add(word.len());
        }
        if length > LONGEST {
            break;
        }
        wanted.insert(condition.claim.clone(), value);
    }
    if wanted.is_empty() {
        return None;
    }
    let mut claims = claims.clone();
    for (name, value) in wanted {
        claim_name::put(&mut claims, &name, value);
    }
    Some(Witness { claims: Some(claims), ..request.clone() })
}

/// The rules that may match a key that a rule matches.
struct Near<'p> {
    allows: Vec<RuleRef>,
    denies: Vec<(RuleRef, &'p Rule)>,
}

impl<'p> Table<'_, 'p> {
    fn near(&self, rule: &Rule) -> Near<'p> {
        let mut near = Near { allows: Vec::new(), denies: Vec::new() };
        for at in self.root.near(rule).into_iter().map(|rule| RuleRef { side: 0, rule }) {
            match self.engine.rule(at).map(|one| (one, one.effect())) {
                Some((_, Effect::Allow)) => near.allows.push(at),
                Some((one, Effect::Deny)) => near.denies.push((at, one)),
                None => {}
            }
        }
        near
    }

    /// The operations that the rule allows on keys of the pattern.
    fn cells(
        &self,
        at: RuleRef,
        rule: &'p Rule,
        pattern: &'p KeyPattern,
        who: &Who,
        near: &Near<'p>,
    ) -> Result<Vec<Cell>, EngineError> {
        let mut cells = Vec::new();
        let mut known = Known::default();
        let shares = |deny: &Rule| deny.keys().iter().any(|other| could_share_a_key(pattern, other));
        let sharing: BTreeSet<usize> =
            near.denies.iter().filter(|(_, deny)| shares(deny)).map(|(at, _)| at.rule).collect();
        for operation in rule.operations().iter() {
            if !self.engine.could_match(at, operation, who) {
                continue;
            }
            let reading = Reading::of(operation, Effect::Allow);
            let within = Some((pattern, reading));
            let earlier: Vec<_> = near.allows.iter().filter(|allow| allow.rule < at.rule).copied().collect();
            let before = near.denies.iter().map(|(deny, _)| *deny).chain(earlier.iter().copied()).collect();
            let Some(request) =
                decided_by_one_of(self.engine, at, operation, who, &self.bounds, within, before)?
            else {
                continue;
            };
            let denies: Vec<_> = near
                .denies
                .iter()
                // A prefix is another matter: a deny rule must not match any key below it.
                .filter(|(deny, _)| operation.is_listing() || sharing.contains(&deny.rule))
                .filter(|(_, deny)| could_overlap(rule, deny, operation))
                .collect();
            let accesses: Vec<_> =
                [Some(request.clone()), wanted_by(&request, denies.iter().map(|(_, deny)| *deny))]
                    .into_iter()
                    .flatten()
                    .filter_map(|request| request.access(self.authorizer).ok())
                    .collect();
            let mut except = Vec::new();
            for (deny, one) in denies {
                let tried = Tried { at, rule, pattern, deny: *deny, one };
                let mut is_met = accesses.iter().any(|access| self.is_met(&tried, access, &mut known));
                if !is_met && !one.conditions().is_empty() {
                    let alone = wanted_by(&request, std::iter::once(*one));
                    let alone = alone.and_then(|request| request.access(self.authorizer).ok());
                    is_met = alone.is_some_and(|access| self.is_met(&tried, &access, &mut Known::default()));
                }
                if is_met || self.asked(at, *deny, operation, who, within, &earlier)? {
                    except.push(one.id().to_owned());
                }
            }
            cells.push(Cell { operation, rules: vec![rule.id().to_owned()], except, request });
        }
        Ok(cells)
    }

    /// Whether the deny rule plainly denies some of what the rule allows: this request, but for another key, which no
    /// rule before can match.
    fn is_met(&self, tried: &Tried<'p>, access: &Access<'_>, known: &mut Known) -> bool {
        let Resource::Object(_) = access.request.resource() else { return false };
        let but_for_the_key = |rule: &Rule| failing(rule, access).iter().all(|part| *part == Part::Keys);
        if !but_for_the_key(tried.one) || !but_for_the_key(tried.rule) {
            return false;
        }
        let claims = access.claims();
        let (Claims::Known(map), deny) = (claims, tried.deny.rule) else {
            return self.key_of(tried, claims);
        };
        if let Some((_, found)) = known.0.iter().find(|(of, _)| of == map)
            && let Some(found) = found.get(&deny)
        {
            return *found;
        }
        let found = self.key_of(tried, claims);
        match known.0.iter_mut().find(|(of, _)| of == map) {
            Some((_, all)) => {
                all.insert(deny, found);
            }
            None => known.0.push((map.clone(), BTreeMap::from([(deny, found)]))),
        }
        found
    }

    /// Whether both have a key for these claims that no rule before can match.
    fn key_of(&self, tried: &Tried<'p>, claims: Claims<'_>) -> bool {
        tried.one.keys().iter().filter_map(|other| key_of_both(tried.pattern, other, claims)).any(|key| {
            let mut before =
                self.root.on_the_way(key.segments()).into_iter().take_while(|rule| *rule < tried.at.rule);
            !before.any(|rule| {
                self.engine.rule(RuleRef { side: 0, rule }).is_some_and(|one| {
                    one.effect() == Effect::Allow && one.keys().iter().any(|one| one.matches(&key, claims))
                })
            })
        })
    }

    /// The same, proved.
    fn asked(
        &self,
        at: RuleRef,
        deny: RuleRef,
        operation: S3Operation,
        who: &Who,
        within: Option<(&'p KeyPattern, Reading)>,
        earlier: &[RuleRef],
    ) -> Result<bool, EngineError> {
        let found = self.engine.find(&Question {
            operation,
            who,
            bounds: &self.bounds,
            tokens: &[Token::Valid],
            require: &[at, deny],
            exclude: earlier,
            within,
            difference: None,
        })?;
        Ok(found.is_some())
    }
}

/// The rows so far, in the order in which they came.
#[derive(Default)]
struct Rows {
    places: BTreeMap<Heading, usize>,
    rows: Vec<(Heading, BTreeMap<S3Operation, Cell>)>,
}

/// What is the same in rows that only differ in who they are about.
type Meaning = (String, Vec<String>, Vec<(S3Operation, Vec<String>, Vec<String>)>);

impl Rows {
    fn put(&mut self, heading: Heading, cell: Cell) {
        let place = *self.places.entry(heading.clone()).or_insert(self.rows.len());
        if place == self.rows.len() {
            self.rows.push((heading, BTreeMap::new()));
        }
        let Some((_, cells)) = self.rows.get_mut(place) else { return };
        match cells.get_mut(&cell.operation) {
            None => {
                cells.insert(cell.operation, cell);
            }
            Some(known) => {
                known.rules.extend(cell.rules);
                known.except.extend(cell.except);
                known.except.sort();
                known.except.dedup();
            }
        }
    }

    /// One row for all principals who may do the same. `session` is the issuer that people sign in at.
    fn merged(self, session: Option<&str>) -> Vec<Row> {
        let mut places: BTreeMap<Meaning, usize> = BTreeMap::new();
        let mut merged: Vec<Row> = Vec::new();
        for (Heading { who, conditions, keys }, cells) in self.rows {
            let cells: Vec<Cell> = cells.into_values().collect();
            let says = |cell: &Cell| (cell.operation, cell.rules.clone(), cell.except.clone());
            let meaning = (keys.clone(), conditions.clone(), cells.iter().map(says).collect());
            let place = *places.entry(meaning).or_insert(merged.len());
            match merged.get_mut(place) {
                Some(row) => row.who.push(who),
                None => merged.push(Row { who: vec![who], sessions: Vec::new(), conditions, keys, cells }),
            }
        }
        for row in &mut merged {
            row.sessions = row.who.iter().filter(|who| Some(who.as_str()) == session).cloned().collect();
        }
        merged
    }
}
