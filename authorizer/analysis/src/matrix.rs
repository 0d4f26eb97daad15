//! Who may do what to which keys, as a table. A request proves each filled cell.

use std::collections::BTreeMap;

use authorizer_core::Authorizer;
use authorizer_core::operation::S3Operation;
use authorizer_core::rules::{Effect, KeyPattern, Rule};
use serde::Serialize;

use crate::engine::{
    Bounds, Engine, EngineError, Question, Reading, RuleRef, Token, Who, Witness, could_overlap,
};
use crate::query::decided_by;
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
#[derive(Clone, Debug, Eq, PartialEq)]
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
    let bounds = Bounds::default();
    let mut rows: Vec<(Heading, BTreeMap<S3Operation, Cell>)> = Vec::new();
    for at in engine.with_effect(0, Effect::Allow, None) {
        let Some(rule) = engine.rule(at) else { continue };
        for pattern in rule.keys() {
            for who in engine.everyone(0) {
                for cell in cells(&engine, at, rule, pattern, &who, &bounds)? {
                    let name = engine.issuer(0, &who).map_or(ANONYMOUS, |issuer| issuer.name());
                    let heading = Heading {
                        who: name.to_owned(),
                        conditions: conditions_in_words(rule, [cell.operation].into_iter().collect()),
                        keys: pattern.to_string(),
                    };
                    put(&mut rows, heading, cell);
                }
            }
        }
    }
    Ok(Matrix { rows: merge(rows) })
}

/// The operations that the rule allows on keys of the pattern.
fn cells<'p>(
    engine: &Engine<'p>,
    at: RuleRef,
    rule: &'p Rule,
    pattern: &'p KeyPattern,
    who: &Who,
    bounds: &Bounds,
) -> Result<Vec<Cell>, EngineError> {
    let mut cells = Vec::new();
    for operation in rule.operations().iter() {
        let reading = Reading::of(operation, Effect::Allow);
        let within = Some((pattern, reading));
        let Some(request) = decided_by(engine, at, operation, who, bounds, within)? else { continue };
        let earlier = engine.with_effect(0, Effect::Allow, Some(at.rule));
        let mut except = Vec::new();
        for deny in engine.with_effect(0, Effect::Deny, None) {
            let Some(one) = engine.rule(deny).filter(|deny| could_overlap(rule, deny, operation)) else {
                continue;
            };
            let answer = engine.ask(&Question {
                operation,
                who,
                bounds,
                tokens: &[Token::Valid],
                require: &[at, deny],
                exclude: &earlier,
                within,
                difference: None,
            })?;
            except.extend(answer.witness().map(|_| one.id().to_owned()));
        }
        cells.push(Cell { operation, rules: vec![rule.id().to_owned()], except, request });
    }
    Ok(cells)
}

fn put(rows: &mut Vec<(Heading, BTreeMap<S3Operation, Cell>)>, heading: Heading, cell: Cell) {
    let known = rows.iter_mut().find(|(known, _)| *known == heading);
    let Some((_, cells)) = known else {
        rows.push((heading, BTreeMap::from([(cell.operation, cell)])));
        return;
    };
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
fn merge(rows: Vec<(Heading, BTreeMap<S3Operation, Cell>)>) -> Vec<Row> {
    let mut merged: Vec<Row> = Vec::new();
    for (heading, cells) in rows {
        let cells: Vec<Cell> = cells.into_values().collect();
        let same = merged.iter_mut().find(|row| {
            row.keys == heading.keys
                && row.conditions == heading.conditions
                && mean_the_same(&row.cells, &cells)
        });
        match same {
            Some(row) => row.who.push(heading.who),
            None => merged.push(Row {
                who: vec![heading.who],
                conditions: heading.conditions,
                keys: heading.keys,
                cells,
            }),
        }
    }
    merged
}

fn mean_the_same(one: &[Cell], other: &[Cell]) -> bool {
    let says = |cell: &Cell| (cell.operation, cell.rules.clone(), cell.except.clone());
    one.iter().map(says).eq(other.iter().map(says))
}
