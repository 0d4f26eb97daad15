//! Tests of tests: a policy with every part, tests that cover it whole, and what striking a part does to them.

use authorizer_core::operation::S3Operation;
use authorizer_core::record::Verdict;
use serde_json::{Value, json};

use super::*;
use crate::parts::Part;
use crate::sample::authorizer_of;

fn policy() -> Value {
    let issuer = |name: &str| json!({"name": name, "issuer": format!("https://{name}/"), "audience": ["a"], "algorithms": ["EdDSA"]});
    json!({
        "version": 1,
        "issuers": [issuer("staff"), issuer("guests")],
        "rules": [
            {"id": "sealed", "effect": "deny", "methods": ["DELETE"], "keys": ["records/**", "**/seal"],
                "not_before": "2026-01-01T00:00:00Z", "not_after": "2027-01-01T00:00:00Z",
                "source_ips": ["203.0.113.0/24"], "when": {"role": {"equals": "clerk"}}},
            {"id": "staff", "effect": "allow", "methods": ["GET", "DELETE"], "keys": ["**"], "issuers": ["staff"]},
            {"id": "anyone", "effect": "allow", "methods": ["GET"], "keys": ["in/**"],
                "response_overrides": ["response-expires"]},
            {"id": "pictures", "effect": "allow", "methods": ["PUT"], "keys": ["pictures/{sub}/*"],
                "issuers": ["staff", "guests"], "hosts": ["*.example.org"], "upload": {"max_bytes": 10, "content_types": ["image/*"],
                    "metadata": {"owner": "{sub}", "label": "*", "kind": "x"}, "checksums": true}},
        ]
    })
}

fn tests() -> Value {
    let png = json!({"bytes": 10, "content_type": "image/png"});
    let upload = |member: &str, value: Value| {
        let mut upload = png.clone();
        upload[member] = value;
        upload
    };
    let clerk = json!({"role": "clerk"});
    let deletes = |name: &str, more: Value, allowed: bool| {
        let mut test = json!({"name": name, "method": "DELETE", "key": "records/a", "issuer": "staff", "claims": clerk,
            "source_ip": "203.0.113.9", "expect": if allowed { "allow" } else { "refuse" },
            "rule": if allowed { "staff" } else { "sealed" }});
        test.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        test
    };
    let puts = |name: &str, more: Value, reason: &str| {
        let is_allowed = reason == "allowed_by_rule";
        let mut test = json!({"name": name, "method": "PUT", "key": "pictures/alice/a", "issuer": "guests",
            "claims": {"sub": "alice"}, "upload": png, "host": "pictures.example.org",
            "expect": if is_allowed { "allow" } else { "refuse" },
            "reason": reason});
        test.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        test
    };
    json!({
        "version": 1,
        "defaults": {"now": "2026-06-01T00:00:00Z"},
        "tests": [
            deletes("a record", json!({}), false),
            deletes("a seal", json!({"key": "a/seal"}), false),
            deletes("another key", json!({"key": "other"}), true),
            deletes("another operation", json!({"method": "GET"}), true),
            deletes("before", json!({"now": "2025-12-31T23:59:59Z"}), true),
            deletes("after", json!({"now": "2027-01-01T00:00:00Z"}), true),
            deletes("from elsewhere", json!({"source_ip": "2001:db8::1"}), true),
            deletes("no clerk", json!({"claims": {"role": "boss"}}), true),
            {"name": "staff only", "method": "GET", "key": ["a", "b"], "issuer": "guests", "expect": "refuse",
                "reason": "issuer_not_allowed", "status": 403},
            {"name": "no PUT", "method": "PUT", "key": "a", "issuer": "staff", "upload": {"bytes": 1},
                "expect": "refuse", "reason": "operation_not_allowed"},
            {"name": "in", "method": ["GET", "HEAD"], "key": "in/a", "issuer": "guests", "expect": "allow",
                "query": "response-expires=0", "rule": "anyone"},
            {"name": "out", "method": "GET", "path": "/out/a%20b", "issuer": "guests", "expect": "refuse"},
            {"name": "in without a token", "method": "GET", "key": "in/a", "anonymous": true, "expect": "refuse",
                "reason": "token_missing", "status": 401},
            {"name": "in, to delete", "method": "DELETE", "key": "in/a", "issuer": "guests", "expect": "refuse"},
            puts("a picture", json!({"upload": upload("metadata", json!({"label": "l", "kind": "x"})),
                "headers": {"x-amz-checksum-crc32": "AAAAAA=="}}), "allowed_by_rule"),
            puts("too large", json!({"upload": upload("bytes", 11.into())}), "too_large"),
            puts("no picture", json!({"upload": upload("content_type", "text/html".into())}),
                "content_type_not_allowed"),
            puts("another owner", json!({"upload": upload("metadata", json!({"owner": "bob"}))}), "metadata_mismatch"),
            puts("another kind", json!({"upload": upload("metadata", json!({"kind": "y"}))}), "metadata_mismatch"),
            puts("another folder", json!({"key": "pictures/bob/a"}), "operation_not_allowed"),
            puts("on another host", json!({"host": "pictures.example.com"}), "host_not_allowed"),
            puts("to read", json!({"method": "GET", "upload": {}}), "issuer_not_allowed"),
        ]
    })
}

/// The results, and the coverage; or the places of the problems.
fn ran(policy: &Value, tests: &Value) -> Result<(Vec<TestResult>, Coverage), Vec<String>> {
    let authorizer = authorizer_of(policy.clone());
    let document = serde_json::from_value(tests.clone()).unwrap();
    let suite = Suite::compile(&document, authorizer.bundle().policy())
        .map_err(|problems| problems.iter().map(|problem| problem.place.to_string()).collect::<Vec<_>>())?;
    let mut coverage = Coverage::of(authorizer.bundle().policy());
    Ok((run(&suite, &authorizer, &mut coverage), coverage))
}

fn failed(results: &[TestResult]) -> Vec<(&str, &[Difference])> {
    let failed = results.iter().filter(|result| !result.held());
    failed.map(|result| (result.name.as_str(), result.differences.as_slice())).collect()
}

#[test]
fn tests_that_go_through_every_part_cover_all_of_a_policy() {
    let (results, coverage) = ran(&policy(), &tests()).unwrap();
    assert_eq!(failed(&results), []);
    assert_eq!(coverage.missing().collect::<Vec<_>>(), []);
    assert_eq!((coverage.percent(), coverage.count()), (100, (34, 34)));
    let names: Vec<_> = results.iter().map(|result| result.name.as_str()).collect();
    assert!(names.contains(&"staff only [GET /b]") && names.contains(&"a record"), "{names:?}");
}

#[test]
fn a_part_that_failed_alone_cannot_be_struck_without_a_test_that_fails() {
    let (_, coverage) = ran(&policy(), &tests()).unwrap();
    // Listing is of keys that only `**` can hold.
    let objects = S3Operation::ALL.into_iter().filter(|one| *one != S3Operation::ListObjectsV2);
    let all: Vec<_> = objects.map(S3Operation::name).collect();
    let mut struck = 0;
    for (id, point, _) in coverage.points() {
        let Point::FailsAlone(part) = point else { continue };
        let mut policy = policy();
        let rules = policy["rules"].as_array_mut().unwrap();
        let rule = rules.iter_mut().find(|rule| rule["id"] == id).unwrap().as_object_mut().unwrap();
        match part {
            Part::Keys => *rule.get_mut("keys").unwrap() = json!(["**"]),
            Part::Operations => drop(rule.insert("operations".into(), json!(all))),
            Part::Issuers => *rule.get_mut("issuers").unwrap() = json!(["staff", "guests"]),
            Part::Token => drop(rule.insert("anonymous".into(), json!(true))),
            Part::NotBefore | Part::NotAfter | Part::SourceIps | Part::Hosts => {
                drop(rule.remove(&part.to_string()).unwrap())
            }
            Part::Condition(_) => drop(rule.remove("when").unwrap()),
            Part::MaxBytes => drop(rule["upload"].as_object_mut().unwrap().remove("max_bytes").unwrap()),
            Part::ContentTypes => {
                drop(rule["upload"].as_object_mut().unwrap().remove("content_types").unwrap())
            }
            Part::Metadata(name) => rule["upload"]["metadata"][name] = json!("*"),
            Part::Overrides | Part::Parameters | Part::Header => panic!("no point of {id}"),
        }
        let (results, _) = ran(&policy, &tests()).unwrap();
        let failed = failed(&results);
        assert!(failed.iter().any(|(_, one)| one[0].of == "decision"), "{id} without {part}: {failed:?}");
        struck += 1;
    }
    assert_eq!(struck, 18);
}

#[test]
fn what_is_not_as_expected_is_said_and_covers_nothing() {
    let mut tests = tests();
    tests["tests"] = json!([tests["tests"][0]]);
    let test = &mut tests["tests"][0];
    test["reason"] = "denied_by_rule".into();
    test["status"] = 404.into();
    let (results, coverage) = ran(&policy(), &tests).unwrap();
    let difference = Difference { of: "status", expected: "404".into(), actual: "403".into() };
    assert_eq!(failed(&results), [("a record", [difference].as_slice())]);
    assert_eq!(coverage.count().0, 0);
    assert_eq!(results[0].record.decision, Verdict::Refuse);
    assert_eq!(results[0].rules.len(), 4);
}

#[test]
fn every_problem_of_a_test_is_found_at_its_place() {
    for (changes, places) in [
        (json!({"name": " "}), vec!["tests[0].name"]),
        (json!({"rule": "nobody"}), vec!["tests[0].rule"]),
        (json!({"rule": "sealed"}), vec!["tests[0].rule"]),
        (json!({"expect": "refuse", "rule": "staff"}), vec!["tests[0].rule"]),
        (json!({"expect": "preflight", "rule": "staff"}), vec!["tests[0].rule"]),
        (json!({"now": "today"}), vec!["tests[0].now"]),
        (json!({"source_ip": "here"}), vec!["tests[0].source_ip"]),
        (json!({"host": "files.example.com:443"}), vec!["tests[0].host"]),
        (json!({"host": "*.example.com"}), vec!["tests[0].host"]),
        (json!({"host": "Files.example.com"}), vec![]),
        (json!({"host": "a", "headers": {"Host": "b"}}), vec!["tests[0].host"]),
        (json!({"headers": {"Host": ["a", "b"]}}), vec![]),
        (json!({"issuer": "nobody"}), vec!["tests[0].issuer"]),
        (json!({"issuer": null}), vec!["tests[0]"]),
        (json!({"anonymous": true}), vec!["tests[0].anonymous"]),
        (json!({"claims": {"iss": "https://guests/"}}), vec!["tests[0]"]),
        (json!({"claims": {"a": [{"$__toml_private_datetime": "2026-01-01"}]}}), vec!["tests[0].claims"]),
        (json!({"method": null}), vec!["tests[0]"]),
        (json!({"method": []}), vec!["tests[0]"]),
        (json!({"operation": "GetObject"}), vec!["tests[0].operation"]),
        (json!({"key": null}), vec!["tests[0]"]),
        (json!({"path": "/a"}), vec!["tests[0]"]),
        (json!({"key": "/a"}), vec!["tests[0].key"]),
        (json!({"key": ["a", "b//"]}), vec!["tests[0].key[1]"]),
        (json!({"method": "PUT", "key": null, "prefix": ""}), vec!["tests[0].prefix"]),
        (json!({"method": null, "key": null, "prefix": ""}), vec![]),
        (json!({"issuer": null, "claims": {"iss": "https://nobody/"}}), vec![]),
    ] {
        let mut test =
            json!({"name": "a", "method": "GET", "key": "a", "issuer": "staff", "expect": "allow"});
        test.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let tests = json!({"version": 1, "defaults": {"now": "2026-06-01T00:00:00Z"}, "tests": [test]});
        let found = ran(&policy(), &tests).err().unwrap_or_default();
        assert_eq!(found, places, "{changes}");
    }
    let twice = json!({"name": "a", "method": "GET", "key": "a", "expect": "allow"});
    for (document, places) in [
        (json!({"version": 2, "tests": []}), vec!["version"]),
        (json!({"version": 1, "tests": [twice]}), vec!["tests[0]", "tests[0]"]),
        (
            json!({"version": 1, "defaults": {"now": "x", "issuer": "y", "anonymous": true}, "tests": [twice, twice]}),
            vec!["defaults.now", "defaults", "tests[1].name"],
        ),
        (
            json!({"version": 1, "defaults": {"now": "2026-06-01T00:00:00Z", "issuer": "y", "source_ip": "z"},
                "tests": [twice]}),
            vec!["defaults.issuer", "defaults.source_ip"],
        ),
    ] {
        assert_eq!(ran(&policy(), &document).err().unwrap_or_default(), places, "{document}");
    }
}

#[test]
fn what_a_test_says_goes_before_the_defaults() {
    let tests = json!({
        "version": 1,
        "defaults": {"now": "2026-06-01T00:00:00Z", "issuer": "staff", "claims": {"role": "clerk", "a": 1},
            "headers": {"X-Amz-Acl": "private"}, "source_ip": "203.0.113.9"},
        "tests": [
            {"name": "a header", "method": "DELETE", "key": "a", "expect": "refuse", "reason": "header_not_allowed"},
            {"name": "another", "method": "DELETE", "key": "records/a", "expect": "refuse", "rule": "sealed",
                "headers": {"x-amz-acl": []}},
            {"name": "another role", "method": "DELETE", "key": "records/a", "expect": "allow", "rule": "staff",
                "headers": {"x-amz-acl": []}, "claims": {"role": "boss"}},
            {"name": "nobody", "method": "DELETE", "key": "records/a", "expect": "refuse", "reason": "token_missing",
                "headers": {"x-amz-acl": []}, "anonymous": true},
        ]
    });
    let (results, _) = ran(&policy(), &tests).unwrap();
    assert_eq!(failed(&results), []);
}
