//! What rules beside each other open, in many forms; and the proofs checked by trying every request over a small
//! alphabet.

use std::collections::BTreeSet;

use authorizer_core::policy::document::PolicyDocument;
use authorizer_core::{Authorizer, Bundle, Supposed, UnixTime};
use authorizer_findings::Severity;
use authorizer_findings::policy::{PolicyFinding, PolicySubject, findings};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::random::cases;

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

/// RFC 8037 appendix A.2 and RFC 8032 section 7.1, test 3: no token is signed here.
const KEYS: [&str; 2] =
    ["11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "_FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU"];

fn document(rules: Value) -> PolicyDocument {
    let issuer = |name: &str, x: &str| {
        json!({"name": name, "issuer": format!("https://{name}.example.com/"), "audience": ["a"],
            "algorithms": ["EdDSA"], "token_type": "at+jwt", "max_lifetime_seconds": 3600,
            "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x, "kid": name, "use": "sig"}]}})
    };
    serde_json::from_value(json!({"version": 1, "rules": rules,
        "issuers": [issuer("one", KEYS[0]), issuer("two", KEYS[1])]}))
    .unwrap()
}

/// What is found, with each request that is shown decided by the core.
fn found(rules: Value) -> Vec<PolicyFinding> {
    let document = document(rules);
    let authorizer = Authorizer::new(Bundle::read(&Bundle::write(&document).unwrap()).unwrap());
    let found = findings(&PolicySubject::new(&document, &authorizer, NOW));
    for finding in &found {
        assert_ne!(finding.check.id, "EA019", "{}", finding.message);
        for witness in &finding.shown {
            assert!(witness.replay(&authorizer).allowed, "{}", finding.message);
        }
    }
    found
}

/// The rules for which a check finds something, with the severity.
fn of(id: &str, rules: Value) -> Vec<(String, Severity)> {
    let found = found(rules);
    let of = found.iter().filter(|finding| finding.check.id == id);
    of.map(|finding| (finding.about.rule().unwrap_or_default().to_owned(), finding.severity)).collect()
}

/// An allow rule of the first issuer.
fn allow(id: &str, more: Value) -> Value {
    let mut rule = json!({"id": id, "effect": "allow", "methods": ["GET"], "issuers": ["one"]});
    rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    rule
}

fn deny(id: &str, more: Value) -> Value {
    let mut rule = json!({"id": id, "effect": "deny", "methods": ["GET"]});
    rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    rule
}

/// 40 deny rules with 84 networks each leave nothing of the allow rule, or one address.
#[test]
fn whether_deny_rules_with_thousands_of_networks_leave_an_address_is_decided() {
    let network = |index: usize| format!("20.{}.{}.0/24", index / 256, index % 256);
    let all: Vec<String> = (0..40 * 84).map(network).collect();
    let rules = |last: &str| {
        let mut denied = all.clone();
        *denied.last_mut().unwrap() = last.to_owned();
        let of_network =
            |(n, part)| deny(&format!("d{n}"), json!({"keys": ["files/**"], "source_ips": part}));
        let mut rules = vec![allow("all", json!({"keys": ["files/**"], "source_ips": all}))];
        rules.extend(denied.chunks(84).enumerate().map(of_network));
        Value::from(rules)
    };
    let never_decides =
        |last: &str| of("EA002", rules(last)).into_iter().map(|(rule, _)| rule).collect::<Vec<_>>();
    assert_eq!(never_decides("20.13.31.0/24"), ["all"]);
    assert_eq!(network(40 * 84 - 1), "20.13.31.0/24");
    assert!(never_decides("20.13.31.0/25").is_empty());
}

#[test]
fn a_second_pattern_that_opens_the_folders_of_others_is_found_in_whatever_form() {
    for (keys, expected) in [
        (json!(["users/{sub}/**", "users/**"]), Some(Severity::High)),
        (json!(["users/**", "users/{sub}/**"]), Some(Severity::High)),
        (json!(["users/{sub}/**", "users/*/**"]), Some(Severity::High)),
        (json!(["users/{sub}/**", "**"]), Some(Severity::High)),
        (json!(["users/{sub}/photos/**", "users/*/photos/**"]), Some(Severity::High)),
        (json!(["users/{sub}/**", "*/*/*"]), Some(Severity::Medium)),
        (json!(["users/{sub}/**", "users/*/photos/**"]), Some(Severity::Medium)),
        (json!(["t/*/shared/**", "t/{tenant}/**"]), Some(Severity::Medium)),
        (json!(["t/{tenant}/{sub}/**", "t/{tenant}/*/shared/**"]), Some(Severity::Medium)),
        (json!(["t/{tenant}/{sub}/**", "t/*/{sub}/**"]), Some(Severity::High)),
        // The team of one may have the name of another person.
        (json!(["users/{sub}/**", "users/{team}/**"]), Some(Severity::Medium)),
        (json!(["users/{sub}/**", "users/help.txt"]), None),
        (json!(["users/{sub}/**", "users/shared/**"]), None),
        (json!(["users/{sub}/**", "teams/{team}/**"]), None),
        (json!(["users/{sub}/**", "users/{sub}/photos/**"]), None),
        (json!(["users/{sub}/**", "help/**"]), None),
        (json!(["users/{sub}/**", "users/*"]), None),
    ] {
        let rules = json!([allow("r", json!({"keys": keys, "when": {"scope": {"has": "files"}}}))]);
        let expected: Vec<_> = expected.map(|severity| ("r".to_owned(), severity)).into_iter().collect();
        let mut found = of("EA012", rules);
        // Two claims open each other's folders.
        found.dedup();
        assert_eq!(found, expected, "{keys}");
    }
}

#[test]
fn another_rule_opens_the_folders_of_others_only_if_it_asks_no_more() {
    let owner = allow("owner", json!({"keys": ["users/{sub}/**"], "when": {"scope": {"has": "files"}}}));
    for (more, is_found) in [
        (json!({"keys": ["users/**"], "when": {"scope": {"has": "files"}}}), true),
        (json!({"keys": ["users/*/photos/**"], "when": {"scope": {"has": "files"}}}), true),
        (json!({"keys": ["users/**"]}), true),
        (
            json!({"keys": ["users/**"], "when": {"scope": {"has": "files"}, "role": {"equals": "admin"}}}),
            false,
        ),
        (json!({"keys": ["users/**"], "when": {"scope": {"has": "admin"}}}), false),
        (json!({"keys": ["users/**"], "source_ips": ["203.0.113.0/24"]}), false),
        (json!({"keys": ["users/**"], "issuers": ["two"]}), false),
        (json!({"keys": ["users/**"], "methods": ["DELETE"]}), false),
    ] {
        let rules = json!([owner, allow("opener", more.clone())]);
        let expected: Vec<_> =
            is_found.then(|| ("opener".to_owned(), Severity::Medium)).into_iter().collect();
        assert_eq!(of("EA012", rules), expected, "{more}");
    }
    // What a deny rule takes away is not open.
    let opener = allow("opener", json!({"keys": ["users/**"]}));
    let sealed = deny("sealed", json!({"keys": ["users/**"]}));
    assert_eq!(of("EA012", json!([owner, opener, sealed])), []);
}

#[test]
fn a_rule_that_opens_the_folders_of_others_on_one_host_is_found() {
    let owner = |more: Value| {
        let mut rule = allow("owner", json!({"keys": ["users/{sub}/**"]}));
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        rule
    };
    let opener = allow("opener", json!({"keys": ["users/**"], "hosts": ["a.example.com"]}));
    for (hosts, is_found) in [
        (json!({}), true),
        (json!({"hosts": ["a.example.com"]}), true),
        (json!({"hosts": ["*.example.com"]}), true),
        (json!({"hosts": ["b.example.com"]}), false),
    ] {
        let expected: Vec<_> =
            is_found.then(|| ("opener".to_owned(), Severity::Medium)).into_iter().collect();
        assert_eq!(of("EA012", json!([owner(hosts.clone()), opener])), expected, "{hosts}");
    }
}

#[test]
fn a_host_that_no_distribution_has_is_another_thing_than_a_whole_domain() {
    for (hosts, expected) in [
        (json!(["127.0.0.1"]), vec![("cannot be", Severity::Medium)]),
        (json!(["*.0.0.1"]), vec![("cannot be", Severity::Medium)]),
        (json!(["downloads", "*.internal", "*.b.local"]), vec![("cannot be", Severity::Medium); 3]),
        (json!(["downloads", "a.example.com"]), vec![("cannot be", Severity::Low)]),
        (json!(["*.com"]), vec![("every `.com` name", Severity::Medium)]),
        (
            json!(["x.test", "*.net"]),
            vec![("every `.net` name", Severity::Medium), ("cannot be", Severity::Low)],
        ),
        (json!(["*.example.com", "d111111abcdef8.cloudfront.net"]), vec![]),
    ] {
        let found = found(json!([allow("r", json!({"keys": ["a/**"], "hosts": hosts}))]));
        let found: Vec<_> = found.iter().filter(|one| one.check.id == "EA074").collect();
        assert_eq!(found.len(), expected.len(), "{hosts}");
        for (one, (says, severity)) in found.iter().zip(expected) {
            assert!(one.message.contains(says) && one.severity == severity, "{hosts}: {}", one.message);
        }
    }
}

#[test]
fn a_host_that_is_named_twice_is_found() {
    for (hosts, count) in [
        (json!(["a.example.com", "a.example.com"]), 1),
        (json!(["*.example.com", "a.example.com", "*.example.com", "a.example.com"]), 2),
        (json!(["a.example.com", "*.example.com"]), 0),
    ] {
        let found = of("EA011", json!([allow("r", json!({"keys": ["a/**"], "hosts": hosts}))]));
        assert_eq!(found, vec![("r".to_owned(), Severity::Informational); count], "{hosts}");
    }
}

#[test]
fn a_deny_rule_protects_nothing_where_no_allow_rule_meets_it() {
    for (deny_more, allow_more, expected) in [
        (json!({"keys": ["report/secret"]}), json!({"keys": ["reports/**"]}), true),
        (json!({"keys": ["Reports/secret/**"]}), json!({"keys": ["reports/**"]}), true),
        (json!({"keys": ["reports/secret/**"]}), json!({"keys": ["reports/*"]}), true),
        (json!({"keys": ["reports/secret/**"]}), json!({"keys": ["reports/{sub}"]}), true),
        (json!({"keys": ["reports/**"], "issuers": ["two"]}), json!({"keys": ["reports/**"]}), true),
        (
            json!({"keys": ["reports/**"], "when": {"role": {"equals": "guest"}}}),
            json!({"keys": ["reports/**"], "when": {"role": {"equals": "staff"}}}),
            true,
        ),
        (
            json!({"keys": ["reports/**"], "source_ips": ["198.51.100.0/24"]}),
            json!({"keys": ["reports/**"], "source_ips": ["203.0.113.0/24"]}),
            true,
        ),
        (json!({"keys": ["reports/secret/**"]}), json!({"keys": ["reports/**"]}), false),
        (json!({"keys": ["reports/secret"]}), json!({"keys": ["reports/**"]}), false),
        (json!({"keys": ["reports/*"]}), json!({"keys": ["reports/{sub}"]}), false),
        (json!({"keys": ["**"], "when": {"role": {"has": "guest"}}}), json!({"keys": ["reports/**"]}), false),
    ] {
        let rules = json!([deny("no", deny_more.clone()), allow("yes", allow_more.clone())]);
        let expected: Vec<_> = expected.then(|| ("no".to_owned(), Severity::High)).into_iter().collect();
        assert_eq!(of("EA004", rules), expected, "{deny_more} {allow_more}");
    }
    // One pattern of several is enough, and what another deny rule denies too is only idle.
    let yes = allow("yes", json!({"keys": ["reports/**"]}));
    let two = deny("no", json!({"keys": ["reports/secret/**", "report/drafts/**"]}));
    assert_eq!(of("EA004", json!([two, yes])), [("no".to_owned(), Severity::High)]);
    let (all, part) = (json!({"keys": ["reports/a/**"]}), json!({"keys": ["reports/*/x"]}));
    let both = json!([deny("all", all), deny("part", part), allow("yes", json!({"keys": ["reports/a/*"]}))]);
    assert_eq!(of("EA004", both), [("part".to_owned(), Severity::Low)]);
}

#[test]
fn a_deny_rule_for_one_name_leaves_the_folder_of_that_name_open() {
    for (key, expected) in [
        ("reports/secret", Some(Severity::Medium)),
        ("reports/*", Some(Severity::High)),
        ("reports/secret/*", Some(Severity::High)),
        ("reports/secret.pdf", None),
        ("reports/secret/**", None),
        ("reports/{sub}", None),
    ] {
        let yes = allow("yes", json!({"keys": ["reports/**"]}));
        let expected: Vec<_> = expected.map(|severity| ("no".to_owned(), severity)).into_iter().collect();
        assert_eq!(of("EA049", json!([deny("no", json!({"keys": [key]})), yes])), expected, "{key}");
    }
}

#[test]
fn a_folder_of_two_issuers_is_found_in_one_rule_and_in_two() {
    let both = json!(["one", "two"]);
    for (rules, expected) in [
        (json!([allow("r", json!({"keys": ["users/{sub}/**"], "issuers": both}))]), Some("r")),
        (json!([allow("r", json!({"keys": ["t/{tenant}/**"], "issuers": both}))]), Some("r")),
        (json!([allow("r", json!({"keys": ["help/**", "users/{email}/*"], "issuers": both}))]), Some("r")),
        (
            json!([
                allow("r", json!({"keys": ["users/{sub}/**"]})),
                allow("s", json!({"keys": ["users/{sub}/photos/**"], "issuers": ["two"]}))
            ]),
            Some("s"),
        ),
        (
            json!([
                allow("r", json!({"keys": ["users/{sub}/**"]})),
                allow("s", json!({"keys": ["users/{name}/*"], "methods": ["PUT"], "issuers": ["two"]}))
            ]),
            Some("s"),
        ),
        (
            json!([
                allow("r", json!({"keys": ["users/{sub}/**"]})),
                allow("s", json!({"keys": ["partners/{sub}/**"], "issuers": ["two"]}))
            ]),
            None,
        ),
        // Who lists a folder sees what is in it.
        (
            json!([allow(
                "r",
                json!({"keys": ["users/{sub}/**"], "issuers": both, "methods": [],
                "operations": ["ListObjectsV2"]})
            )]),
            Some("r"),
        ),
        (
            json!([
                allow("r", json!({"keys": ["users/{sub}/**"]})),
                allow(
                    "s",
                    json!({"keys": ["users/{name}/**"], "methods": [], "operations": ["ListObjectsV2"],
                    "issuers": ["two"]})
                )
            ]),
            Some("s"),
        ),
        (
            json!([
                allow(
                    "r",
                    json!({"keys": ["users/{sub}/**"], "methods": [], "operations": ["ListObjectsV2"]})
                ),
                allow(
                    "s",
                    json!({"keys": ["partners/{sub}/**"], "methods": [], "operations": ["ListObjectsV2"],
                    "issuers": ["two"]})
                )
            ]),
            None,
        ),
        // Somebody of the other issuer reads all folders: that is said, and not an identity that is shared.
        (
            json!([
                allow("r", json!({"keys": ["users/{sub}/**"]})),
                allow("s", json!({"keys": ["users/**"], "issuers": ["two"]}))
            ]),
            None,
        ),
        (json!([allow("r", json!({"keys": ["users/**"], "issuers": both}))]), None),
        (
            json!([
                allow("r", json!({"keys": ["users/{sub}/**"], "issuers": both})),
                deny("no", json!({"keys": ["users/**"], "issuers": ["two"]}))
            ]),
            None,
        ),
    ] {
        let expected: Vec<_> = expected.map(|rule| (rule.to_owned(), Severity::High)).into_iter().collect();
        assert_eq!(of("EA014", rules.clone()), expected, "{rules}");
    }
}

#[test]
fn a_rule_that_lists_is_analysed_pattern_by_pattern() {
    // `found` holds that nothing is left without an analysis.
    for (more, severity) in [
        (json!({"operations": ["ListObjectsV2"]}), Severity::High),
        (json!({"operations": ["ListObjectsV2"], "parameters": ["fetch-owner"]}), Severity::High),
    ] {
        let mut rule = allow("own", json!({"keys": ["users/{sub}/photo", "users/**"]}));
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(of("EA012", json!([rule])), [("own".to_owned(), severity)], "{more}");
    }
    // Alone, the first pattern could list nothing.
    let lists = json!({"keys": ["users/{sub}/photo", "users/{sub}/**", "users/*/**"], "methods": [],
        "operations": ["ListObjectsV2"]});
    assert_eq!(of("EA012", json!([allow("own", lists)])), [("own".to_owned(), Severity::High)]);
    let public = json!({"id": "public", "effect": "allow", "anonymous": true, "keys": ["public/**"],
        "operations": ["GetObject", "ListObjectsV2"], "parameters": ["fetch-owner"]});
    found(json!([public, deny("no", json!({"keys": ["public/secret/**"]}))]));
}

#[test]
fn a_fence_is_found_open_if_the_same_people_pass_it_by_another_rule() {
    let fence = |more: Value| {
        let mut rule = allow("fenced", json!({"keys": ["a/**"], "when": {"scope": {"has": "s"}}}));
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        rule
    };
    let network = json!({"source_ips": ["203.0.113.0/24"]});
    let hosts = json!({"hosts": ["a.example.com"]});
    let on_a = json!({"source_ips": ["203.0.113.0/24"], "hosts": ["a.example.com"]});
    let period = json!({"not_after": "2027-12-31T00:00:00Z"});
    let length = json!({"methods": ["PUT"], "upload": {"max_bytes": 1000}});
    let types = json!({"methods": ["PUT"], "upload": {"content_types": ["image/png"]}});
    let asks = json!({"scope": {"has": "s"}});
    for (fenced, open, expected) in [
        (&network, json!({"keys": ["a/**"], "when": asks}), Some(Severity::High)),
        (&network, json!({"keys": ["**"]}), Some(Severity::High)),
        (&network, json!({"keys": ["b/**", "a/**"], "when": asks}), Some(Severity::High)),
        (&network, json!({"keys": ["a/b/**"], "when": asks}), Some(Severity::Medium)),
        (&network, json!({"keys": ["b/**"], "when": asks}), None),
        (&network, json!({"keys": ["a/**"], "when": {"role": {"equals": "admin"}}}), None),
        (&network, json!({"keys": ["a/**"], "source_ips": ["198.51.100.0/24"]}), None),
        (&network, json!({"keys": ["a/{sub}/**"]}), None),
        // The viewer chooses the host.
        (
            &network,
            json!({"keys": ["a/**"], "when": asks, "hosts": ["a.example.com"]}),
            Some(Severity::Medium),
        ),
        (&hosts, json!({"keys": ["a/**"], "when": asks}), Some(Severity::High)),
        (&hosts, json!({"keys": ["a/**"], "when": asks, "hosts": ["b.example.com"]}), None),
        (&on_a, json!({"keys": ["a/**"], "when": asks, "hosts": ["b.example.com"]}), None),
        (&on_a, json!({"keys": ["a/**"], "when": asks, "hosts": ["*.example.com"]}), Some(Severity::High)),
        (&period, json!({"keys": ["a/**"], "when": asks}), Some(Severity::High)),
        (&period, json!({"keys": ["a/**"], "not_before": "2027-01-01T00:00:00Z"}), None),
        (&length, json!({"keys": ["a/**"], "methods": ["PUT"]}), Some(Severity::Medium)),
        (&length, json!({"keys": ["a/b/**"], "methods": ["PUT"]}), Some(Severity::Low)),
        (&length, json!({"keys": ["a/**"], "methods": ["PUT"], "upload": {"max_bytes": 2000}}), None),
        (&types, json!({"keys": ["a/**"], "methods": ["PUT"]}), Some(Severity::Medium)),
        (
            &types,
            json!({"keys": ["a/**"], "methods": ["PUT"], "upload": {"content_types": ["image/*"]}}),
            None,
        ),
    ] {
        let rules = json!([fence(fenced.clone()), allow("open", open.clone())]);
        let expected: Vec<_> = expected.map(|severity| ("open".to_owned(), severity)).into_iter().collect();
        assert_eq!(of("EA013", rules), expected, "{fenced} {open}");
    }
}

#[test]
fn a_folder_is_written_and_not_read_if_its_name_is_a_slip() {
    let read = |keys: Value| allow("reader", json!({"keys": keys, "when": {"scope": {"has": "s"}}}));
    let write = |key: &str| allow("writer", json!({"keys": [key], "methods": ["PUT"]}));
    for (written, read_keys, expected) in [
        ("tenant/{tenant}/**", json!(["tenants/{tenant}/**"]), Some(Severity::Medium)),
        ("Tenants/{tenant}/**", json!(["tenants/{tenant}/**"]), Some(Severity::Medium)),
        ("t/{tenant}/in-box/*", json!(["t/{tenant}/in_box/*"]), Some(Severity::Medium)),
        ("tenant/{tenant}/**", json!(["tenants/{tenant}/**", "**"]), Some(Severity::Medium)),
        ("drop/*", json!(["tenants/{tenant}/**"]), Some(Severity::Low)),
        ("2025/*", json!(["2026/*"]), Some(Severity::Low)),
        ("drop/*", json!(["drop/{sub}"]), None),
        ("drop/*", json!(["**"]), None),
        ("users/{sub}/*", json!(["users/{uid}/a"]), None),
    ] {
        let rules = json!([read(read_keys.clone()), write(written)]);
        let expected: Vec<_> = expected.map(|severity| ("writer".to_owned(), severity)).into_iter().collect();
        assert_eq!(of("EA016", rules), expected, "{written} {read_keys}");
    }
}

/// A rule over a small alphabet, as JSON.
fn rule() -> impl Strategy<Value = Value> {
    let segment = prop::sample::select(vec!["a", "b", "*", "**", "{sub}"]);
    let pattern = prop::collection::vec(segment, 1..4).prop_map(|segments| segments.join("/"));
    let methods = prop::sample::subsequence(vec!["GET", "PUT"], 1..3);
    (any::<bool>(), methods, prop::collection::vec(pattern, 1..3)).prop_map(|(is_deny, methods, keys)| {
        json!({"effect": if is_deny { "deny" } else { "allow" }, "methods": methods, "keys": keys,
            "issuers": ["one"]})
    })
}

/// Whether the core allows it by these rules.
fn allows(authorizer: &Authorizer, method: &str, key: &str, sub: &str) -> bool {
    let event = json!({"Records": [{"cf": {
        "config": {"eventType": "viewer-request"},
        "request": {"clientIp": "203.0.113.9", "method": method, "uri": format!("/{key}"), "querystring": "",
            "headers": {}}
    }}]});
    let claims = json!({"iss": "https://one.example.com/", "aud": "a", "iat": NOW.as_seconds(),
        "exp": NOW.as_seconds() + 60, "sub": sub});
    let supposed =
        Supposed { token_type: Some("at+jwt".into()), claims: claims.as_object().unwrap().clone() };
    let event = event.to_string();
    let decided = authorizer.authorize_supposing(event.as_bytes(), &supposed, NOW);
    decided.record.decision == authorizer_core::record::Verdict::Allow
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(64)))]

    /// A deny rule protects nothing exactly where no key, method and person is allowed without deny rules, and is
    /// matched by it.
    #[test]
    fn a_deny_rule_protects_nothing_exactly_where_trying_finds_nothing(
        rules in prop::collection::vec(rule(), 2..5)
    ) {
        let named = |index: usize, rule: &Value| {
            let mut rule = rule.clone();
            rule["id"] = format!("r{index}").into();
            rule
        };
        let all: Vec<_> = rules.iter().enumerate().map(|(index, rule)| named(index, rule)).collect();
        let authorizer = |rules: &[Value]| {
            Authorizer::new(Bundle::read(&Bundle::write(&document(json!(rules))).unwrap()).unwrap())
        };
        let (denies, allowing): (Vec<_>, Vec<_>) = all.iter().cloned().partition(|rule| rule["effect"] == "deny");
        let plain = authorizer(&allowing);
        let letters = ["a", "b", "c"];
        let mut keys: Vec<String> = letters.map(str::to_owned).to_vec();
        for key in keys.clone() {
            for letter in letters {
                keys.push(format!("{key}/{letter}"));
                keys.extend(letters.map(|last| format!("{key}/{letter}/{last}")));
                for last in letters {
                    keys.extend(letters.map(|fourth| format!("{key}/{letter}/{last}/{fourth}")));
                }
            }
        }
        let mut expected = BTreeSet::new();
        for rule in &denies {
            for pattern in rule["keys"].as_array().unwrap() {
                let mut alone = rule.clone();
                alone["keys"] = json!([pattern]);
                let mut sealed = allowing.clone();
                sealed.push(alone);
                let sealed = authorizer(&sealed);
                let is_met = keys.iter().any(|key| letters.iter().any(|sub| ["GET", "PUT"].iter().any(|method| {
                    allows(&plain, method, key, sub) && !allows(&sealed, method, key, sub)
                })));
                if !is_met {
                    expected.insert(rule["id"].as_str().unwrap().to_owned());
                }
            }
        }
        // That no request can match a rule is a finding of its own.
        let found = found(json!(all));
        let names = |id: &str| -> BTreeSet<String> {
            let of = found.iter().filter(|one| one.check.id == id && one.severity >= Severity::Medium);
            of.filter_map(|one| one.about.rule()).map(str::to_owned).collect()
        };
        let dead = names("EA001");
        let expected: BTreeSet<_> = expected.into_iter().filter(|rule| !dead.contains(rule)).collect();
        prop_assert_eq!(names("EA004"), expected, "{:?}", all);
    }
}
