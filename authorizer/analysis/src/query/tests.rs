use std::collections::BTreeSet;

use super::*;
use crate::sample::authorizer_of;
use authorizer_core::Bundle;
use serde_json::{Value, json};

/// RFC 8037 appendix A.2.
const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn authorizer() -> Authorizer {
    let issuer = |name: &str| {
        json!({"name": name, "issuer": format!("https://{name}.example/"), "audience": ["a"],
            "algorithms": ["EdDSA"], "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": X}]}})
    };
    let document = serde_json::from_value(json!({
        "version": 1,
        "issuers": [issuer("staff"), issuer("robots")],
        "rules": [
            {"id": "sealed", "effect": "deny", "methods": ["DELETE"], "keys": ["reports/sealed/**"]},
            {"id": "own", "effect": "allow", "methods": ["GET", "DELETE"], "keys": ["users/{sub}/**"],
                "issuers": ["staff"], "when": {"scope": {"has": "files"}}},
            {"id": "admins", "effect": "allow", "methods": ["DELETE"], "keys": ["**"],
                "issuers": ["staff"], "when": {"role": {"equals": "admin"}}},
            {"id": "robots", "effect": "allow", "methods": ["PUT"], "keys": ["reports/*"], "issuers": ["robots"]},
            {"id": "open", "effect": "allow", "methods": ["GET"], "keys": ["public/**"], "anonymous": true}
        ]
    }))
    .unwrap();
    Authorizer::new(Bundle::read(&Bundle::write(&document).unwrap()).unwrap())
}

fn set(operations: &[S3Operation]) -> Option<OperationSet> {
    Some(operations.iter().copied().collect())
}

fn keys(pattern: &str) -> Option<Vec<KeyPattern>> {
    Some(vec![KeyPattern::parse(pattern).unwrap()])
}

fn who(name: &str) -> Option<Vec<Who>> {
    Some(vec![Who::Token(format!("https://{name}.example/"))])
}

fn claims(value: Value) -> serde_json::Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// The rules, with the issuers whose tokens they allow.
fn answer(asked: &Query) -> Vec<(String, String)> {
    let permissions = query(&authorizer(), asked).unwrap();
    permissions.into_iter().map(|one| (one.rule, one.issuer.unwrap_or("nobody".into()))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(rule, who)| ((*rule).to_owned(), (*who).to_owned())).collect()
}

#[test]
fn who_can_delete_below_a_prefix_is_answered_by_the_rules_that_let_them() {
    let delete = set(&[S3Operation::DeleteObject]);
    for (pattern, expected) in [
        ("reports/**", vec![("admins", "staff")]),
        ("reports/sealed/**", vec![]),
        ("users/**", vec![("own", "staff"), ("admins", "staff")]),
        ("users/bob/**", vec![("own", "staff"), ("admins", "staff")]),
    ] {
        let asked = Query { operations: delete, keys: keys(pattern), ..Query::default() };
        assert_eq!(answer(&asked), pairs(&expected), "{pattern}");
    }
}

#[test]
fn claims_within_claims_are_known_by_their_path_or_in_their_object() {
    let authorizer = authorizer_of(json!({
        "version": 1,
        "issuers": [{"name": "staff", "issuer": "https://staff/", "audience": ["files"], "algorithms": ["EdDSA"],
            "required": {"/app/tenant": "t"}}],
        "rules": [
            {"id": "org", "effect": "allow", "methods": ["GET"], "keys": ["org/{/app/org}/*"],
                "when": {"/app/roles": {"has": "reader"}}},
            {"id": "plain", "effect": "allow", "methods": ["GET"], "keys": ["plain/*"],
                "when": {"app": {"starts_with": "p"}}},
            {"id": "no-roles", "effect": "allow", "methods": ["GET"], "keys": ["none/*"],
                "when": {"app": {"present": true}, "/app/roles": {"present": false}}}
        ]
    }));
    for (known, no_other_claims, expected) in [
        (json!({}), false, vec!["org", "no-roles"]),
        (json!({"app": {"roles": ["reader"]}}), false, vec![]),
        (json!({"app": {"roles": ["reader"], "org": "o"}}), false, vec!["org"]),
        (json!({"app": {"roles": ["reader"], "org": "o"}}), true, vec!["org"]),
        (json!({"app": {"roles": ["reader"], "org": "o", "tenant": "other"}}), true, vec![]),
        (json!({"app": {}}), true, vec!["no-roles"]),
        (json!({}), true, vec!["no-roles"]),
        (json!({"app": "p"}), false, vec![]),
        (json!({"/app/roles": "reader"}), false, vec!["org"]),
        (json!({"/app/roles": "other"}), false, vec![]),
    ] {
        let asked = Query {
            who: Some(vec![Who::Token("https://staff/".into())]),
            bounds: Bounds { claims: claims(known.clone()), no_other_claims, ..Bounds::default() },
            ..Query::default()
        };
        let found = query(&authorizer, &asked).unwrap();
        let rules: BTreeSet<String> = found.into_iter().map(|one| one.rule).collect();
        assert_eq!(rules, expected.into_iter().map(str::to_owned).collect(), "{known} {no_other_claims}");
    }
}

#[test]
fn an_object_on_the_way_to_what_the_issuer_requires_can_be_left_out_with_it() {
    let authorizer = authorizer_of(json!({
        "version": 1,
        "issuers": [{"name": "staff", "issuer": "https://staff/", "audience": ["files"], "algorithms": ["EdDSA"],
            "required": {"/app/x/y/tenant": "t"}}],
        "rules": [
            {"id": "x", "effect": "allow", "methods": ["GET"], "keys": ["x/*"],
                "when": {"/app/x": {"present": true}}},
            {"id": "y", "effect": "allow", "methods": ["GET"], "keys": ["y/*"],
                "when": {"/app/x": {"present": true}, "/app/x/y": {"present": true}}},
            {"id": "no-x", "effect": "allow", "methods": ["GET"], "keys": ["no-x/*"],
                "when": {"/app/x": {"present": false}}},
            {"id": "text", "effect": "allow", "methods": ["GET"], "keys": ["text/*"],
                "when": {"/app/x/y": {"equals": "t"}}},
            {"id": "key", "effect": "allow", "methods": ["GET"], "keys": ["key/{/app/x/y}/*"]},
            {"id": "other", "effect": "allow", "methods": ["GET"], "keys": ["other/*"],
                "when": {"/app/x/other": {"present": true}}}
        ]
    }));
    let deep = json!({"app": {"x": {"y": {"tenant": "t"}}}});
    for (known, no_other_claims, expected) in [
        (json!({"app": {}}), true, vec!["x", "y"]),
        (json!({"app": {}}), false, vec!["x", "y"]),
        (json!({"app": {"x": {}}}), true, vec!["x", "y"]),
        (json!({"app": {"x": {"y": {}}}}), true, vec!["x", "y"]),
        (deep, true, vec!["x", "y"]),
        (json!({}), true, vec!["x", "y"]),
        (json!({}), false, vec!["x", "y", "other"]),
        (json!({"app": {"x": {"other": 1}}}), true, vec!["x", "y", "other"]),
        (json!({"app": "text"}), true, vec![]),
        (json!({"app": {"x": "text"}}), true, vec![]),
        (json!({"app": {"x": {"y": {"tenant": "other"}}}}), true, vec![]),
    ] {
        let asked = Query {
            who: Some(vec![Who::Token("https://staff/".into())]),
            bounds: Bounds { claims: claims(known.clone()), no_other_claims, ..Bounds::default() },
            ..Query::default()
        };
        let found =
            query(&authorizer, &asked).unwrap_or_else(|error| panic!("{known} {no_other_claims}: {error}"));
        let rules: BTreeSet<String> = found.into_iter().map(|one| one.rule).collect();
        assert_eq!(rules, expected.into_iter().map(str::to_owned).collect(), "{known} {no_other_claims}");
    }
}

#[test]
fn what_a_token_can_do_depends_on_the_claims_that_it_is_known_to_have() {
    let with = |value: Value, no_other_claims| Query {
        who: who("staff"),
        bounds: Bounds { claims: claims(value), no_other_claims, ..Bounds::default() },
        ..Query::default()
    };
    for (value, closed, expected) in [
        (json!({"scope": "files"}), false, vec![("own", "staff"), ("admins", "staff"), ("open", "staff")]),
        (json!({"scope": "files"}), true, vec![("open", "staff")]),
        (json!({"scope": "files", "sub": "bob"}), true, vec![("own", "staff"), ("open", "staff")]),
        (json!({"scope": "read", "role": "admin"}), false, vec![("admins", "staff"), ("open", "staff")]),
        (json!({"aud": "other"}), false, vec![]),
    ] {
        assert_eq!(answer(&with(value.clone(), closed)), pairs(&expected), "{value} {closed}");
    }
}

#[test]
fn whether_anyone_without_a_token_can_is_asked_as_such() {
    let asked = |operation| Query {
        operations: set(&[operation]),
        who: Some(vec![Who::Anonymous]),
        ..Query::default()
    };
    assert_eq!(answer(&asked(S3Operation::PutObject)), []);
    assert_eq!(answer(&asked(S3Operation::GetObject)), pairs(&[("open", "nobody")]));
}
