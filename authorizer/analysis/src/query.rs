//! Who can do this, and what can such a token do: for each rule that allows something, one request that shows it.

use authorizer_core::Authorizer;
use authorizer_core::operation::{OperationSet, S3Operation};
use authorizer_core::rules::{Effect, KeyPattern, Rule};
use schemars::JsonSchema;
use serde::Serialize;

use crate::engine::{Bounds, Engine, EngineError, Question, Reading, RuleRef, Token, Who, Witness};
use crate::words::conditions_in_words;

/// A question to a policy. An absent field does not limit it.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// The operations.
    pub operations: Option<OperationSet>,
    /// The keys: those that match any of these patterns. For listings: those that show such keys.
    pub keys: Option<Vec<KeyPattern>>,
    /// The principals.
    pub who: Option<Vec<Who>>,
    /// What else is known of the request.
    pub bounds: Bounds,
}

/// Something that a principal can do.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Permission {
    /// The rule that allows it.
    pub rule: String,
    /// The policy's name for the issuer of the token; `None` for a request without a token.
    pub issuer: Option<String>,
    /// The rule's key patterns.
    pub keys: Vec<String>,
    /// The other conditions of the rule, in words.
    pub conditions: Vec<String>,
    /// The operations, each with a request that the core allows by this rule.
    pub operations: Vec<Shown>,
}

/// An operation, and a request for it.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Shown {
    /// The operation.
    pub operation: S3Operation,
    /// The request.
    pub request: Witness,
}

/// Everything within the question that the rules allow, in the order of the policy. If it is empty, nothing is
/// allowed.
///
/// ```
/// use authorizer_analysis::{Query, query};
/// use authorizer_core::{Authorizer, Bundle};
/// use serde_json::json;
///
/// fn authorizer(keys: &str) -> Result<Authorizer, Box<dyn std::error::Error>> {
///     let rule = json!({"id": "public", "effect": "allow", "methods": ["GET"], "keys": [keys], "anonymous": true});
///     let document = serde_json::from_value(json!({"version": 1, "rules": [rule]}))?;
///     Ok(Authorizer::new(Bundle::read(&Bundle::write(&document)?)?))
/// }
///
/// let answer = query(&authorizer("public/**")?, &Query::default())?;
/// let [permission] = answer.as_slice() else { panic!("one rule lets somebody do something") };
/// assert_eq!((permission.rule.as_str(), &permission.issuer), ("public", &None));
/// // Each operation comes with a request that the function's own code lets in.
/// assert!(permission.operations.iter().any(|shown| shown.request.method == "GET"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`EngineError`]: the analysis did not finish.
pub fn query(authorizer: &Authorizer, query: &Query) -> Result<Vec<Permission>, EngineError> {
    let sides = [authorizer];
    let engine = Engine::new(&sides);
    let everyone = query.who.clone().unwrap_or_else(|| engine.everyone(0));
    let mut permissions = Vec::new();
    for at in engine.with_effect(0, Effect::Allow, None) {
        let Some(rule) = engine.rule(at) else { continue };
        for who in &everyone {
            let mut operations = Vec::new();
            let asked = query.operations.map_or(rule.operations(), |set| set.intersection(rule.operations()));
            for operation in asked.iter() {
                let request = shown(&engine, at, operation, who, query)?;
                operations.extend(request.map(|request| Shown { operation, request }));
            }
            if !operations.is_empty() {
                permissions.push(permission(&engine, rule, who, operations));
            }
        }
    }
    Ok(permissions)
}

fn shown(
    engine: &Engine<'_>,
    rule: RuleRef,
    operation: S3Operation,
    who: &Who,
    query: &Query,
) -> Result<Option<Witness>, EngineError> {
    // A listing shows every key that it matches.
    let reading = Reading::of(operation, Effect::Deny);
    match &query.keys {
        None => decided_by(engine, rule, operation, who, &query.bounds, None),
        Some(patterns) => {
            for pattern in patterns {
                let within = Some((pattern, reading));
                if let Some(witness) = decided_by(engine, rule, operation, who, &query.bounds, within)? {
                    return Ok(Some(witness));
                }
            }
            Ok(None)
        }
    }
}

/// A request on which this allow rule decides.
pub(crate) fn decided_by<'p>(
    engine: &Engine<'p>,
    rule: RuleRef,
    operation: S3Operation,
    who: &Who,
    bounds: &Bounds,
    within: Option<(&'p KeyPattern, Reading)>,
) -> Result<Option<Witness>, EngineError> {
    let mut exclude = engine.with_effect(rule.side, Effect::Deny, None);
    exclude.extend(engine.with_effect(rule.side, Effect::Allow, Some(rule.rule)));
    decided_by_one_of(engine, rule, operation, who, bounds, within, exclude)
}

/// The same, where the rules that may decide before it are known.
pub(crate) fn decided_by_one_of<'p>(
    engine: &Engine<'p>,
    rule: RuleRef,
    operation: S3Operation,
    who: &Who,
    bounds: &Bounds,
    within: Option<(&'p KeyPattern, Reading)>,
    exclude: Vec<RuleRef>,
) -> Result<Option<Witness>, EngineError> {
    let found = engine.find(&Question {
        operation,
        who,
        bounds,
        tokens: &[Token::Valid],
        require: &[rule],
        exclude: &exclude,
        within,
        difference: None,
    })?;
    let Some(witness) = found else { return Ok(None) };
    let replayed = engine.authorizer(rule.side).map(|one| witness.replay(one)).unwrap_or_default();
    let id = engine.rule(rule).map(Rule::id);
    match replayed.allowed && replayed.rule.as_deref() == id {
        true => Ok(Some(witness)),
        false => Err(EngineError::unconfirmed(&witness, format!("the decision is {}", replayed.reason))),
    }
}

fn permission(engine: &Engine<'_>, rule: &Rule, who: &Who, operations: Vec<Shown>) -> Permission {
    Permission {
        rule: rule.id().to_owned(),
        issuer: engine.issuer(0, who).map(|issuer| issuer.name().to_owned()),
        keys: rule.keys().iter().map(ToString::to_string).collect(),
        conditions: conditions_in_words(rule, operations.iter().map(|shown| shown.operation).collect()),
        operations,
    }
}

#[cfg(test)]
mod tests;
