//! Pairs of policies: a random one, and what changes make of it.

use authorizer_core::Bundle;
use authorizer_core::policy::document::PolicyDocument;
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::policy;

/// What can be taken over from another rule, or removed.
const FIELDS: [&str; 11] = [
    "keys",
    "when",
    "source_ips",
    "hosts",
    "not_before",
    "not_after",
    "response_overrides",
    "parameters",
    "upload",
    "issuers",
    "operations",
];

/// Two policies with the same issuers. Some pairs mean the same, some differ in one direction, some in both.
pub(crate) fn pair(dice: &mut Dice, keys: &Value) -> (Value, Value) {
    let old = policy::document(dice, keys);
    if dice.percent(10) {
        return (old, policy::document(dice, keys));
    }
    let mut new = old.clone();
    let mut changes = 1 + dice.below(3);
    // Not every change leaves a policy.
    for _ in 0..100 {
        let mut changed = new.clone();
        change(dice, changed["rules"].as_array_mut().unwrap());
        if is_policy(&changed) {
            new = changed;
            changes -= 1;
        }
        if changes == 0 {
            break;
        }
    }
    if dice.percent(50) { (old, new) } else { (new, old) }
}

fn is_policy(document: &Value) -> bool {
    serde_json::from_value::<PolicyDocument>(document.clone())
        .is_ok_and(|document| Bundle::write(&document).is_ok())
}

fn change(dice: &mut Dice, rules: &mut Vec<Value>) {
    let at = dice.below(rules.len());
    let number = 90 + dice.below(10);
    let other = policy::rule(dice, number);
    match dice.below(10) {
        0 if rules.len() > 1 => drop(rules.remove(at)),
        0 => {}
        1 => rules.insert(at, other),
        2 => {
            let rule = rules.remove(at);
            rules.insert(dice.below(rules.len() + 1), rule);
        }
        // One rule becomes two that mean the same, or nearly.
        3 => {
            let mut half = rules[at].clone();
            half["id"] = other["id"].clone();
            let part = dice.one(&["keys", "operations", "issuers"]);
            for (half, rest) in [(&mut half, 0), (&mut rules[at], 1)] {
                if let Some(members) = half[part].as_array_mut() {
                    let mut place = rest;
                    members.retain(|_| {
                        place += 1;
                        place % 2 == 1
                    });
                }
            }
            rules.push(half);
        }
        // A pattern more, or less.
        4 | 5 => {
            let keys = rules[at]["keys"].as_array_mut().unwrap();
            match dice.percent(50) {
                true => keys.push(dice.one(other["keys"].as_array().unwrap())),
                false => drop(keys.remove(dice.below(keys.len()))),
            }
        }
        // The whole claim, or a word in it.
        6 => {
            let when = rules[at].get_mut("when").and_then(Value::as_object_mut);
            for test in when.into_iter().flat_map(|when| when.values_mut()) {
                for (from, to) in [("has", "equals"), ("equals", "has")] {
                    if let Some(word) = test.get(from) {
                        *test = json!({to: word});
                        break;
                    }
                }
            }
        }
        _ => {
            let field = dice.one(&FIELDS);
            match other.get(field) {
                Some(value) if dice.percent(60) => rules[at][field] = value.clone(),
                _ => drop(rules[at].as_object_mut().unwrap().remove(field)),
            }
        }
    }
}
