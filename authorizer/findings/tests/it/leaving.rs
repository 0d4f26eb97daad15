//! The gaps that the findings of deny rules report, checked by trying every request over a small alphabet.

use std::collections::BTreeSet;

use authorizer_core::key::ObjectKey;
use authorizer_core::policy::document::PolicyDocument;
use authorizer_core::record::Verdict;
use authorizer_core::rules::{Claims, KeyPattern};
use authorizer_core::{Authorizer, Bundle, Supposed, UnixTime};
use authorizer_findings::policy::{PolicySubject, findings};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::random::cases;

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

/// RFC 8037 appendix A.2: no token is signed here.
const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

const LETTERS: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Debug)]
struct Rule {
    is_deny: bool,
    methods: Vec<&'static str>,
    keys: Vec<String>,
    /// Of a deny rule: that it asks for the claim `role`.
    asks: bool,
}

fn rule() -> impl Strategy<Value = Rule> {
    let segment = prop::sample::select(vec!["a", "b", "*", "**", "{sub}"]);
    let pattern = prop::collection::vec(segment, 1..4).prop_map(|segments| segments.join("/"));
    let methods = prop::sample::subsequence(vec!["GET", "HEAD", "PUT", "DELETE"], 1..3);
    (any::<bool>(), methods, prop::collection::vec(pattern, 1..3), any::<bool>())
        .prop_map(|(is_deny, methods, keys, asks)| Rule { is_deny, methods, keys, asks: asks && is_deny })
}

fn document(rules: &[Rule]) -> PolicyDocument {
    let rules: Vec<Value> = rules
        .iter()
        .enumerate()
        .map(|(index, rule)| {
            let effect = if rule.is_deny { "deny" } else { "allow" };
            let mut written = json!({"id": format!("r{index}"), "effect": effect, "methods": rule.methods,
                "keys": rule.keys});
            if rule.asks {
                written["when"] = json!({"role": {"equals": "x"}});
            }
            written
        })
        .collect();
    serde_json::from_value(json!({
        "version": 1,
        "issuers": [{"name": "staff", "issuer": "i", "audience": ["a"], "algorithms": ["EdDSA"],
            "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": X}]}}],
        "rules": rules
    }))
    .unwrap()
}

/// Every key of one to four segments, and each with a slash behind it.
fn keys() -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut longest: Vec<String> = vec![String::new()];
    for _ in 0..4 {
        let next = longest.iter().flat_map(|key| {
            LETTERS.map(|letter| if key.is_empty() { letter.to_owned() } else { format!("{key}/{letter}") })
        });
        longest = next.collect();
        all.extend(longest.iter().flat_map(|key| [key.clone(), format!("{key}/")]));
    }
    all
}

fn claims(sub: &str, role: Option<&str>) -> Map<String, Value> {
    let mut claims = json!({"iss": "i", "aud": "a", "exp": 1_800_000_060, "sub": sub});
    if let Some(role) = role {
        claims["role"] = role.into();
    }
    claims.as_object().unwrap().clone()
}

/// What is asked of an object, by its method.
struct Attempt<'a> {
    method: &'a str,
    key: &'a str,
    claims: Map<String, Value>,
}

fn is_let_in(authorizer: &Authorizer, asked: &Attempt<'_>) -> bool {
    let event = json!({"Records": [{"cf": {
        "config": {"eventType": "viewer-request"},
        "request": {"clientIp": "203.0.113.9", "method": asked.method, "uri": format!("/{}", asked.key),
            "querystring": "", "headers": {}}
    }}]});
    let supposed = Supposed { token_type: None, claims: asked.claims.clone() };
    let event = event.to_string();
    let authorized = authorizer.authorize_supposing(event.as_bytes(), &supposed, NOW);
    authorized.record.decision == Verdict::Allow
}

/// The ids of the findings that there must be, found by trying.
fn tried(authorizer: &Authorizer, rules: &[Rule]) -> BTreeSet<(&'static str, String)> {
    // What a deny rule for the first leaves open; HEAD goes with GET.
    const PAIRS: [(&str, &str, &[&str]); 3] =
        [("EA044", "DELETE", &["PUT"]), ("EA045", "PUT", &["DELETE"]), ("EA047", "HEAD", &["GET"])];
    let mut found = BTreeSet::new();
    for (index, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.is_deny) {
        let patterns: Vec<_> = rule.keys.iter().map(|key| KeyPattern::parse(key).unwrap()).collect();
        let denies = |method: &str| {
            rule.methods.contains(&method) || (method == "HEAD" && rule.methods.contains(&"GET"))
        };
        for key in keys() {
            for sub in LETTERS {
                let object = ObjectKey::new(key.clone()).unwrap();
                let about = |claims: &Map<String, Value>| {
                    patterns.iter().any(|pattern| pattern.matches(&object, Claims::Known(claims)))
                };
                let let_in = |method: &str, claims: &Map<String, Value>| {
                    is_let_in(authorizer, &Attempt { method, key: &key, claims: claims.clone() })
                };
                let with = claims(sub, rule.asks.then_some("x"));
                for (id, denied, others) in PAIRS {
                    let leaves = |other: &&&str| !denies(other) && let_in(other, &with);
                    if denies(denied) && about(&with) && others.iter().any(|other| leaves(&other)) {
                        found.insert((id, format!("r{index}")));
                    }
                }
                let without = claims(sub, None);
                let methods = ["GET", "HEAD", "PUT", "DELETE"];
                if rule.asks
                    && about(&without)
                    && methods.iter().any(|method| denies(method) && let_in(method, &without))
                {
                    found.insert(("EA040", format!("r{index}")));
                }
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(128)))]

    #[test]
    fn a_deny_rule_is_found_to_leave_something_open_exactly_where_trying_finds_it(
        rules in prop::collection::vec(rule(), 2..5)
    ) {
        let document = document(&rules);
        let authorizer = Authorizer::new(Bundle::read(&Bundle::write(&document).unwrap()).unwrap());
        let checked = ["EA040", "EA044", "EA045", "EA047"];
        let all = findings(&PolicySubject::new(&document, &authorizer, NOW));
        prop_assert!(all.iter().all(|finding| finding.check.id != "EA019"), "{:?}", rules);
        // A rule whose keys hold `{sub}` asks for that claim as well, and no token here lacks it.
        let is_of_role = |message: &str| !message.contains("without the claim `sub`");
        let found: BTreeSet<_> = all
            .iter()
            .filter(|finding| checked.contains(&finding.check.id) && is_of_role(&finding.message))
            .map(|finding| (finding.check.id, finding.about.rule().unwrap().to_owned()))
            .collect();
        prop_assert_eq!(found, tried(&authorizer, &rules), "{:?}", rules);
    }
}
