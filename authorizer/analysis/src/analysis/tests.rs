use super::*;
use authorizer_core::Bundle;
use serde_json::{Value, json};

/// RFC 8037 appendix A.2.
const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn authorizer(rules: Value) -> Authorizer {
    let document = serde_json::from_value(json!({
        "version": 1,
        "issuers": [{"name": "staff", "issuer": "i", "audience": ["a"], "algorithms": ["EdDSA"],
            "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": X}]}}],
        "rules": rules
    }))
    .unwrap();
    Authorizer::new(Bundle::read(&Bundle::write(&document).unwrap()).unwrap())
}

fn allow(id: &str, keys: &[&str]) -> Value {
    json!({"id": id, "effect": "allow", "methods": ["GET"], "keys": keys})
}

fn deny(id: &str, keys: &[&str]) -> Value {
    json!({"id": id, "effect": "deny", "methods": ["GET"], "keys": keys})
}

fn with(mut rule: Value, name: &str, value: Value) -> Value {
    rule[name] = value;
    rule
}

fn covered(rules: Value, rule: usize) -> Option<Vec<usize>> {
    match Analysis::new(&authorizer(rules)).reach(rule).unwrap() {
        Reach::Decides(_) => None,
        Reach::Covered(by) => Some(by),
        Reach::Impossible => Some(Vec::new()),
    }
}

#[test]
fn a_rule_is_covered_by_those_before_it_or_it_decides_on_a_request() {
    for (rules, expected) in [
        (json!([allow("a", &["x/**"]), allow("b", &["x/y"])]), Some(vec![0])),
        (json!([allow("a", &["x/*"]), allow("b", &["x/**"])]), None),
        (
            json!([allow("a", &["x/*", "x/"]), allow("c", &["x/*/**"]), allow("b", &["x/**"])]),
            Some(vec![0, 1]),
        ),
        // Only the key of the folder itself remains.
        (json!([allow("a", &["x/*"]), allow("c", &["x/*/**"]), allow("b", &["x/**"])]), None),
        (json!([allow("a", &["{sub}/**"]), allow("b", &["alice/**"])]), None),
        (json!([allow("a", &["{sub}/**"]), allow("b", &["{sub}/x"])]), Some(vec![0])),
        (json!([deny("d", &["x/**"]), allow("b", &["x/y/**", "x/z"])]), Some(vec![0])),
        (json!([deny("d", &["x/a*"]), allow("b", &["x/*b"])]), None),
        (json!([deny("d", &["*a*"]), allow("b", &["a*b", "*a"])]), Some(vec![0])),
        (
            json!([
                with(allow("a", &["**"]), "when", json!({"role": {"any": ["x", "y"]}})),
                with(allow("b", &["**"]), "when", json!({"role": {"equals": "x"}}))
            ]),
            Some(vec![0]),
        ),
        (
            json!([
                with(allow("a", &["**"]), "when", json!({"role": {"present": true}})),
                with(allow("c", &["**"]), "when", json!({"role": {"present": false}})),
                allow("b", &["x"])
            ]),
            Some(vec![0, 1]),
        ),
        (json!([with(allow("a", &["{s}"]), "when", json!({"s": {"equals": "x/y"}}))]), Some(vec![])),
        (json!([with(allow("a", &["{s}"]), "when", json!({"s": {"has": "x"}}))]), None),
        (json!([with(allow("a", &["x/{sub}"]), "when", json!({"sub": {"equals": 7}}))]), Some(vec![])),
        (json!([with(allow("a", &["x/{sub}/{sub}"]), "when", json!({"sub": {"equals": "y"}}))]), None),
        (
            json!([
                with(allow("a", &["**"]), "source_ips", json!(["0.0.0.0/1", "128.0.0.0/1"])),
                with(allow("b", &["**"]), "source_ips", json!(["::/0"])),
                allow("c", &["x"])
            ]),
            Some(vec![0, 1]),
        ),
        (
            json!([
                with(allow("a", &["**"]), "not_before", json!("2027-01-01T00:00:00Z")),
                with(allow("b", &["**"]), "not_after", json!("2027-01-01T00:00:00Z")),
                allow("c", &["x"])
            ]),
            Some(vec![0, 1]),
        ),
    ] {
        let last = rules.as_array().unwrap().len() - 1;
        assert_eq!(covered(rules.clone(), last), expected, "{rules}");
    }
}

#[test]
fn a_deny_rule_that_denies_nothing_makes_no_difference() {
    for (rules, needed) in [
        (json!([allow("a", &["x/**"]), deny("d", &["y/**"])]), false),
        (json!([allow("a", &["x/**"]), deny("d", &["*/y"])]), true),
        (json!([allow("a", &["x/**"]), deny("e", &["**"]), deny("d", &["x/y"])]), false),
        (json!([allow("a", &["x/{sub}/**"]), deny("d", &["x/alice/**"])]), true),
        (json!([allow("a", &["x/**"]), allow("b", &["x/y"])]), false),
        (json!([allow("a", &["x/**"]), allow("b", &["{sub}"])]), true),
    ] {
        let authorizer = authorizer(rules.clone());
        let last = rules.as_array().unwrap().len() - 1;
        let analysis = Analysis::new(&authorizer);
        let seen = match analysis.reach(last).unwrap() {
            Reach::Decides(witness) => Some(witness),
            Reach::Covered(_) | Reach::Impossible => None,
        };
        for seen in [None, seen.as_deref()] {
            let found = analysis.difference(last, seen).unwrap();
            assert_eq!(matches!(found, Difference::Needed(_)), needed, "{rules} {seen:?}");
        }
    }
}

#[test]
fn rules_overlap_in_a_request_that_both_match() {
    for (one, other, overlaps) in [
        (allow("a", &["x/*b"]), deny("d", &["x/a*"]), true),
        (allow("a", &["x/*"]), deny("d", &["x/*/**"]), false),
        (allow("a", &["{sub}/{team}"]), deny("d", &["x/y"]), true),
        (with(allow("a", &["{sub}/x"]), "when", json!({"sub": {"equals": "y"}})), deny("d", &["x/x"]), false),
        (allow("a", &["{sub}/{sub}"]), deny("d", &["x/y"]), false),
        (allow("a", &["{groups}/{groups}"]), deny("d", &["x/y"]), true),
        (allow("a", &["**/x/**"]), deny("d", &["**/y/**"]), true),
    ] {
        let rules = json!([one, other]);
        let authorizer = authorizer(rules.clone());
        let witness = Analysis::new(&authorizer).overlap(0, 1).unwrap();
        assert_eq!(witness.is_some(), overlaps, "{rules}");
    }
}
