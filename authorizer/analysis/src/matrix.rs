//! Who may do what to which keys, as a table. A request proves each filled cell.

use std::collections::BTreeMap;

use authorizer_core::Authorizer;
use authorizer_core::operation::S3Operation;
use authorizer_core::request::Resource;
use authorizer_core::rules::{Access, Effect, KeyPattern, Rule};
use serde::Serialize;

use crate::engine::{
    Bounds, Engine, EngineError, Question, Reading, RuleRef, Token, Who, Witness, could_overlap, key_of_both,
};
use crate::folders::Folder;
use crate::parts::{Part, failing};
use crate::query::decided_by_one_of;
use crate::words::conditions_in_words;

/// The table.
#[derive(Clone, Debug, Serialize)]
pub struct Matrix {
    /// The rows, in the order of the rules.
    pub rows: Vec<Row>,
}

/// One kind of principal, one key pattern, and the operations allowed on its keys.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// `anonymous` for requests without a token, and the policy's names for the issuers of tokens.
    pub who: Vec<String>,
    /// The other conditions, in words.
    pub conditions: Vec<String>,
    /// The key pattern.
    pub keys: String,
    /// The operations that are allowed, each for at least some of the keys.
    pub cells: Vec<Cell>,
}

/// An operation that is allowed.
#[derive(Clone, Debug, Serialize)]
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
    Ok(Matrix { rows: rows.merged() })
}

/// What the table is made from.
struct Table<'t, 'p> {
    engine: &'t Engine<'p>,
    authorizer: &'p Authorizer,
    /// The rules, by the folders of their keys.
    root: Folder,
    bounds: Bounds,
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
            let access = request.access(self.authorizer).ok();
            let mut except = Vec::new();
            for (deny, one) in near.denies.iter().filter(|(_, deny)| could_overlap(rule, deny, operation)) {
                let is_met = access.as_ref().is_some_and(|access| self.is_met(at, pattern, one, access))
                    || self.asked(at, *deny, operation, who, within, &earlier)?;
                if is_met {
                    except.push(one.id().to_owned());
                }
            }
            cells.push(Cell { operation, rules: vec![rule.id().to_owned()], except, request });
        }
        Ok(cells)
    }

    /// Whether the deny rule plainly denies some of what the rule allows: the request of the cell, but for another key,
    /// which no rule before can match.
    fn is_met(&self, at: RuleRef, pattern: &KeyPattern, deny: &Rule, access: &Access<'_>) -> bool {
        let Resource::Object(_) = access.request.resource() else { return false };
        if failing(deny, access).iter().any(|part| *part != Part::Keys) {
            return false;
        }
        let claims = access.claims();
        deny.keys().iter().filter_map(|other| key_of_both(pattern, other, claims)).any(|key| {
            let mut before =
                self.root.on_the_way(key.segments()).into_iter().take_while(|rule| *rule < at.rule);
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

    /// One row for all principals who may do the same.
    fn merged(self) -> Vec<Row> {
        let mut places: BTreeMap<Meaning, usize> = BTreeMap::new();
        let mut merged: Vec<Row> = Vec::new();
        for (Heading { who, conditions, keys }, cells) in self.rows {
            let cells: Vec<Cell> = cells.into_values().collect();
            let says = |cell: &Cell| (cell.operation, cell.rules.clone(), cell.except.clone());
            let meaning = (keys.clone(), conditions.clone(), cells.iter().map(says).collect());
            let place = *places.entry(meaning).or_insert(merged.len());
            match merged.get_mut(place) {
                Some(row) => row.who.push(who),
                None => merged.push(Row { who: vec![who], conditions, keys, cells }),
            }
        }
        merged
    }
}
