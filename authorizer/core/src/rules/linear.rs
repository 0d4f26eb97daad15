//! The rules examined one after the other, each with each of its patterns. This defines a decision, and the matcher
//! must give the same result.

use std::net::IpAddr;
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use super::*;
use crate::key::ObjectKey;
use crate::operation::{Method, S3Operation};
use crate::policy::Policy;
use crate::prefix::KeyPrefix;
use crate::request::S3Request;
use crate::request::{OwnParameters, Resource, Target};
use crate::response_override::ResponseOverride;
use crate::scalar::Scalar;
use crate::time::UnixTime;
use crate::token::Principal;
use crate::token::Supposed;

fn decide<'p>(rules: &'p [Rule], access: &Access<'_>) -> Decision<'p> {
    let verdicts: Vec<_> = rules.iter().map(|rule| (rule, rule.examine(access))).collect();
    let matches = |effect| verdicts.iter().find(|(rule, verdict)| rule.effect == effect && verdict.is_ok());
    if let Some((rule, _)) = matches(Effect::Deny) {
        return Decision::Deny(rule);
    }
    if let Some((rule, _)) = matches(Effect::Allow) {
        return Decision::Allow(rule);
    }
    let allows: Vec<_> = verdicts
        .iter()
        .filter(|(rule, _)| rule.effect == Effect::Allow)
        .filter_map(|(rule, verdict)| Some((*rule, verdict.clone().err()?)))
        .collect();
    let greatest = allows.iter().map(|(_, mismatch)| mismatch.distance()).max();
    let furthest = allows.iter().find(|(_, mismatch)| Some(mismatch.distance()) == greatest);
    let lacking_scope = allows
        .iter()
        .filter(|(_, mismatch)| matches!(mismatch, Mismatch::Condition(_)))
        .find_map(|(rule, _)| rule.only_lacks_scope(access));
    Decision::Default { furthest: furthest.map(|(_, mismatch)| mismatch.clone()), lacking_scope }
}

fn could_match(rule: &Rule, operation: S3Operation, access: &Access<'_>, claims: Claims<'_>) -> bool {
    rule.operations.contains(operation)
        && rule.speaks_of(access.request.resource(), claims)
        && rule.holds_at(access.at)
        && rule.speaks_of_source(access.source)
        && rule.speaks_of_host(access.host.as_deref())
}

fn could_allow(rules: &[Rule], operation: S3Operation, access: &Access<'_>) -> bool {
    let denies = |rule: &Rule| {
        rule.effect == Effect::Deny
            && rule.principals == PrincipalConstraint::Everyone
            && rule.conditions.is_empty()
            && could_match(rule, operation, access, Claims::None)
    };
    let allows =
        |rule: &Rule| rule.effect == Effect::Allow && could_match(rule, operation, access, Claims::Unknown);
    rules.iter().any(allows) && !rules.iter().any(denies)
}

fn token_could_help(rules: &[Rule], access: &Access<'_>) -> bool {
    rules.iter().any(|rule| {
        rule.effect == Effect::Allow
            && rule.principals != PrincipalConstraint::Everyone
            && could_match(rule, access.request.operation(), access, Claims::Unknown)
    })
}

/// A decision, with the places of the rules that it names, because two rules may have the same condition.
fn said(rules: &[Rule], decision: &Decision<'_>) -> String {
    let place = |rule: &Rule| rules.iter().position(|one| std::ptr::eq(one, rule));
    match decision {
        Decision::Allow(rule) => format!("allowed by {:?}", place(rule)),
        Decision::Deny(rule) => format!("denied by {:?}", place(rule)),
        Decision::Default { furthest, lacking_scope } => {
            let of = match furthest {
                Some(Mismatch::Condition(condition)) => rules
                    .iter()
                    .position(|rule| rule.conditions.iter().any(|one| std::ptr::eq(one, *condition))),
                _ => None,
            };
            format!("{furthest:?} of {of:?}, {lacking_scope:?}")
        }
    }
}

/// An issuer, because claims are only trusted with one.
static ISSUERS: LazyLock<Policy> = LazyLock::new(|| {
    let document = json!({"version": 1, "issuers": [{
        "name": "s", "issuer": "https://s", "audience": ["f"], "algorithms": ["EdDSA"],
        "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}
    }]});
    Policy::compile(&serde_json::from_value(document).unwrap()).unwrap()
});

const AT: &str = "2026-01-01T00:00:00Z";

/// Patterns that overlap: of few words, with every construct next to every other.
fn pattern() -> impl Strategy<Value = KeyPattern> {
    let segment = select(vec![
        "a",
        "b",
        "a",
        "b",
        "ab",
        "*",
        "a*",
        "*b",
        "a*b",
        "**",
        "**",
        "**",
        "{sub}",
        "{groups}",
        "{odd}",
        "{absent}",
        "{https://e.com/a}",
        "{/odd/a}",
        "{/deep/b/c}",
    ]);
    (vec(segment, 1..6), prop::bool::weighted(0.15)).prop_map(|(segments, is_folder)| {
        KeyPattern::parse(&(segments.join("/") + if is_folder { "/" } else { "" })).unwrap()
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let operations = [
        S3Operation::GetObject,
        S3Operation::PutObject,
        S3Operation::ListObjectsV2,
        S3Operation::GetObjectVersion,
    ];
    let principals = select(vec![
        PrincipalConstraint::Everyone,
        PrincipalConstraint::Everyone,
        PrincipalConstraint::AnyIssuer,
        PrincipalConstraint::Issuers(vec!["s".into()]),
        PrincipalConstraint::Issuers(vec!["other".into()]),
    ]);
    let now = UnixTime::parse_rfc3339(AT).unwrap();
    let period = select(vec![
        Period::default(),
        Period::default(),
        Period { not_before: Some(now), not_after: None },
        Period { not_before: None, not_after: Some(now) },
    ]);
    let sources = select(vec![None, None, Some("203.0.113.0/24"), Some("198.51.100.0/24")]);
    let hosts = select(vec![None, None, Some(vec!["a.example"]), Some(vec!["b.example", "*.a.example"])]);
    let condition = (select(vec!["scope", "scp", "role"]), 0..4u8).prop_map(|(claim, word)| {
        let test = match claim {
            "role" if word == 3 => ClaimTest::StartsWith("w".into()),
            "role" => ClaimTest::Equals(Scalar::String(format!("w{word}"))),
            _ => ClaimTest::Has(format!("w{word}")),
        };
        Condition { claim: claim.into(), test }
    });
    let overrides = select(vec![Vec::new(), vec![ResponseOverride::ALL[0]]]);
    (
        prop::bool::weighted(0.3),
        subsequence(operations.to_vec(), 1..=4),
        vec(pattern(), 1..4),
        principals,
        period,
        (sources, hosts),
        vec(condition, 0..3),
        overrides,
    )
        .prop_map(
            |(is_deny, operations, keys, principals, period, (sources, hosts), conditions, overrides)| Rule {
                id: String::new(),
                effect: if is_deny { Effect::Deny } else { Effect::Allow },
                operations: operations.into_iter().collect(),
                keys,
                principals,
                period,
                sources: sources.map(|network| vec![network.parse().unwrap()]),
                hosts: hosts
                    .filter(|_| !is_deny)
                    .map(|hosts| hosts.into_iter().map(|host| HostPattern::parse(host).unwrap()).collect()),
                conditions,
                overrides,
                parameters: Vec::new(),
                terms: UploadTerms::default(),
            },
        )
}

/// Strings, arrays, and values that a segment of a key cannot have.
fn claims() -> impl Strategy<Value = Map<String, Value>> {
    let text = || select(vec!["a", "b", "ab", "a", "b", "c", "", ".", "..", "a/b", "é", "*", "**", "a\n"]);
    let array = vec(
        prop_oneof![4 => text().prop_map(Value::from), 1 => Just(json!(7)), 1 => Just(json!(["a"]))],
        0..8,
    )
    .prop_map(Value::from);
    let odd = select(vec![json!(7), json!(null), json!({"a": "a"}), json!(true), json!([["a"]]), json!("a")]);
    let words = vec(0..4u8, 0..4)
        .prop_map(|words| words.iter().map(|word| format!("w{word}")).collect::<Vec<_>>().join(" "));
    (text(), array.clone(), odd, array, words.clone(), words, 0..4u8).prop_map(
        |(sub, groups, odd, url, scope, scp, role)| {
            let claims = json!({"deep": {"b": {"c": sub}}, "iss": "https://s", "aud": "f", "exp": 2_000_000_000, "sub": sub, "groups": groups,
                "odd": odd, "https://e.com/a": url, "scope": scope, "scp": scp, "role": format!("w{role}")});
            claims.as_object().unwrap().clone()
        },
    )
}

fn key() -> impl Strategy<Value = String> {
    let segment = select(vec!["a", "b", "ab", "a", "b", "c", "aab", "é", "*", "**", "{sub}"]);
    (vec(segment, 1..7), prop::bool::weighted(0.2))
        .prop_map(|(segments, is_folder)| segments.join("/") + if is_folder { "/" } else { "" })
}

fn prefix() -> impl Strategy<Value = String> {
    let segment = select(vec!["a", "b", "ab", "a", "b", "c"]);
    let rest = select(vec!["", "", "a", "ab", "b", "c", ".", "*"]);
    (vec(segment, 0..4), rest).prop_map(|(whole, rest)| {
        whole.iter().map(|segment| format!("{segment}/")).collect::<String>() + rest
    })
}

/// A read, a write or a listing.
fn request() -> impl Strategy<Value = S3Request> {
    let asked = |target, method, query: &str| {
        S3Request::asked(
            target,
            method,
            query,
            S3Operation::ALL.into_iter().collect(),
            OwnParameters::default(),
        )
        .unwrap()
    };
    let of_object = (
        key(),
        select(vec![(Method::Get, ""), (Method::Get, "versionId=1"), (Method::Put, "")]),
        any::<bool>(),
    )
        .prop_map(move |(key, (method, query), overrides)| {
            let query = match (method, query, overrides) {
                (Method::Get, "", true) => format!("{}=x", ResponseOverride::ALL[0].name()),
                (_, query, _) => query.to_owned(),
            };
            asked(Target::Object(ObjectKey::new(key).unwrap()), method, &query)
        });
    let of_prefix = prefix().prop_map(move |prefix| {
        let prefix: String = prefix.bytes().map(|byte| format!("%{byte:02X}")).collect();
        asked(Target::Bucket, Method::Get, &format!("list-type=2&prefix={prefix}"))
    });
    prop_oneof![3 => of_object, 2 => of_prefix]
}

fn access(
    request: S3Request,
    claims: Option<Map<String, Value>>,
    host: Option<&str>,
    at: UnixTime,
) -> Access<'static> {
    let principal = claims.map_or(Principal::Anonymous, |claims| {
        let supposed = Supposed { token_type: None, claims };
        let at = UnixTime::parse_rfc3339(AT).unwrap();
        Principal::suppose(&supposed, ISSUERS.issuers(), at).unwrap()
    });
    Access { request, principal, source: IpAddr::from([203, 0, 113, 9]), host: host.map(str::to_owned), at }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn the_rules_that_are_found_for_a_key_are_those_that_speak_of_it(
        rules in vec(rule(), 0..12), key in key(), prefix in prefix(), claims in claims()
    ) {
        let matcher = matcher::Matcher::new(&rules);
        let resources =
            [Resource::Object(ObjectKey::new(key).unwrap()), Resource::Prefix(KeyPrefix::new(prefix).unwrap())];
        for resource in resources {
            for claims in [Claims::Known(&claims), Claims::None, Claims::Unknown] {
                let found: Vec<_> = matcher.speaking_of(&rules, &resource, claims, None).rules.into_iter().collect();
                let speak: Vec<_> =
                    (0..rules.len()).filter(|place| rules[*place].speaks_of(&resource, claims)).collect();
                prop_assert_eq!(found, speak, "{:?} {:?}", resource, claims);
            }
        }
    }

    #[test]
    fn what_is_decided_is_what_examining_each_rule_decides(
        rules in vec(rule(), 0..12),
        request in request(),
        claims in prop::option::weighted(0.8, claims()),
        host in select(vec![None, Some("a.example"), Some("b.example"), Some("x.a.example")]),
        clock_is_known in prop::bool::weighted(0.9),
    ) {
        let at = if clock_is_known { UnixTime::parse_rfc3339(AT).unwrap() } else { UnixTime::from_seconds(u64::MAX) };
        let access = access(request, claims, host, at);
        let indexed = Rules::new(rules);
        let rules = indexed.as_slice();
        prop_assert_eq!(said(rules, &indexed.decide(&access)), said(rules, &decide(rules, &access)));
        let matching: Vec<usize> = indexed.matching(&access).map(|(place, _)| place).collect();
        let examined: Vec<usize> = (0..rules.len()).filter(|place| rules[*place].examine(&access).is_ok()).collect();
        prop_assert_eq!(matching, examined);
        prop_assert_eq!(indexed.token_could_help(&access), token_could_help(rules, &access));
        let could = indexed.could_allow(access.request.resource(), access.source, access.host.as_deref(), access.at);
        for operation in S3Operation::ALL {
            let could = could.iter().any(|(one, _)| *one == operation);
            prop_assert_eq!(could, could_allow(rules, operation, &access), "{:?}", operation);
        }
    }
}
