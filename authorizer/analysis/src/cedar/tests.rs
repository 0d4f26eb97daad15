//! Snapshots of translations. That they decide the same as the policy, tests/cedar has to say.

use authorizer_core::policy::Policy;
use serde_json::{Value, json};

use super::*;
use crate::sample::authorizer_of;

fn translated(policy: &Policy) -> Result<Translation, UntranslatableError> {
    Translation::of(policy)
}

fn of_rules(rules: Value) -> Result<Translation, UntranslatableError> {
    let issuer = |name: &str| json!({"name": name, "issuer": format!("https://{name}/"), "audience": ["a"], "algorithms": ["EdDSA"]});
    let authorizer = authorizer_of(json!({
        "version": 1, "issuers": [issuer("staff"), issuer("guests")], "rules": rules
    }));
    translated(authorizer.bundle().policy())
}

#[test]
fn every_construct_is_written_so_that_it_can_be_read() {
    let translation = of_rules(json!([
        {"id": "sealed", "effect": "deny", "methods": ["GET"], "operations": ["ListObjectsV2"],
            "keys": ["a/{sub}/*.b", "c/**/{org}"], "not_before": "2026-12-31T23:59:59Z",
            "source_ips": ["203.0.113.0/24", "2001:db8::1"],
            "when": {"role": {"any": ["x", 7, true]}, "mfa": {"present": false}}, "issuers": ["staff", "guests"]},
        {"id": "files", "effect": "allow", "methods": ["GET", "PUT", "DELETE"],
            "operations": ["ListObjectsV2", "UploadPart"], "issuers": ["staff"],
            "keys": ["reports/2026.csv", "public/**", "**/*.jpg", "{https://a/b}/**/sealed/**", "*/x/", "**/{sub}/**"],
            "not_after": "2026-12-31T23:59:59Z", "response_overrides": ["response-expires"],
            "when": {"scope": {"has": "files"}},
            "upload": {"max_bytes": "5MB", "content_types": ["image/*", "application/pdf"],
                "metadata": {"owner": "{sub}", "label": "*", "kind": "k"}}},
        {"id": "all", "effect": "allow", "methods": ["GET"], "keys": ["a", "**"], "anonymous": true,
            "hosts": ["files.example.com", "*.example.org"]},
    ]));
    let translation = translation.unwrap();
    insta::assert_snapshot!(format!("{}\n{}", translation.policies(), translation.schema()));
    insta::assert_json_snapshot!(translation.shape());
}

#[test]
fn what_cedar_cannot_hold_is_not_translated() {
    let rule = |more: Value| {
        let mut rule =
            json!({"id": "a", "effect": "allow", "methods": ["PUT"], "keys": ["a"], "issuers": ["staff"]});
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        of_rules(json!([rule])).err()
    };
    let two_53 = 9_007_199_254_740_992_i64;
    for (more, error) in [
        (json!({"when": {"n": {"equals": two_53}}}), None),
        (json!({"when": {"n": {"any": [1, two_53 + 1]}}}), Some(UntranslatableError::Integer(two_53 + 1))),
        (json!({"when": {"n": {"equals": i64::MIN}}}), Some(UntranslatableError::Integer(i64::MIN))),
        (json!({"upload": {"max_bytes": "9000000000GB"}}), None),
        (json!({"upload": {"max_bytes": "9999999999GB"}}), Some(UntranslatableError::Size)),
    ] {
        assert_eq!(rule(more.clone()), error, "{more}");
    }
}
