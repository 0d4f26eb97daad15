//! The policies that the other tests decide by, with every rule taken out once.

use authorizer_analysis::{Analysis, Difference, Reach, diff, matrix};
use authorizer_core::{Authorizer, Bundle};
use authorizer_policy::PolicyFile;
use serde_json::Value;

use crate::root;

const POLICIES: [&str; 3] =
    ["fixtures/policies/sample.toml", "fixtures/policies/cases.toml", "fixtures/requests/policy.toml"];

fn document(path: &str) -> Value {
    let path = root().join(path);
    let bundle: Value = serde_json::from_slice(PolicyFile::load(&path).unwrap().bundle_json()).unwrap();
    bundle["policy"].clone()
}

fn authorizer(document: &Value) -> Authorizer {
    let document = serde_json::from_value(document.clone()).unwrap();
    Authorizer::new(Bundle::read(&Bundle::write(&document).unwrap()).unwrap())
}

#[test]
fn a_rule_that_is_taken_out_is_a_difference_exactly_where_it_makes_one() {
    for path in POLICIES {
        let document = document(path);
        let whole = authorizer(&document);
        let rules = whole.bundle().policy().rules();
        for (index, rule) in rules.iter().enumerate() {
            let mut fewer = document.clone();
            fewer["rules"].as_array_mut().unwrap().remove(index);
            let found = diff(&whole, &authorizer(&fewer)).unwrap();
            let is_needed =
                matches!(Analysis::new(&whole).difference(index, None).unwrap(), Difference::Needed(_));
            assert_eq!(!found.is_empty(), is_needed, "{path} {}", rule.id());
            for change in found.granted.iter().chain(&found.revoked) {
                assert_ne!(change.old.allowed, change.new.allowed, "{path} {}", rule.id());
            }
        }
    }
}

#[test]
fn a_policy_is_no_different_from_itself_and_its_rules_turned_round() {
    for path in POLICIES {
        let document = document(path);
        let whole = authorizer(&document);
        assert!(diff(&whole, &whole).unwrap().is_empty(), "{path}");
        // The order says which rule decides, and so at most what is stored.
        let mut turned = document.clone();
        turned["rules"].as_array_mut().unwrap().reverse();
        let found = diff(&whole, &authorizer(&turned)).unwrap();
        assert!(found.granted.is_empty() && found.revoked.is_empty() && found.trust.is_empty(), "{path}");
    }
}

#[test]
fn every_rule_that_decides_stands_in_the_table() {
    for path in POLICIES {
        let whole = authorizer(&document(path));
        let table = matrix(&whole).unwrap();
        for (index, rule) in whole.bundle().policy().rules().iter().enumerate() {
            let decides = matches!(Analysis::new(&whole).reach(index).unwrap(), Reach::Decides(_));
            let is_allow = rule.effect() == authorizer_core::rules::Effect::Allow;
            let stands = table
                .rows
                .iter()
                .any(|row| row.cells.iter().any(|cell| cell.rules.iter().any(|one| one == rule.id())));
            assert_eq!(stands, decides && is_allow, "{path} {}", rule.id());
        }
    }
}
