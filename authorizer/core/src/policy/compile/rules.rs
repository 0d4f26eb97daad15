//! `[[rules]]`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::super::document::{ConditionDocument, EffectDocument, PolicyDocument, RuleDocument};
use super::super::problem::{Place, Problems};
use super::terms;
use crate::operation::{MethodWord, OperationSet, S3Operation};
use crate::rules::{
    ClaimTest, Condition, Effect, HostPattern, IpNet, KeyPattern, MetadataTerm, Period, PrincipalConstraint,
    Rule, Segment, is_scope_claim,
};
use crate::time::UnixTime;

pub(super) fn compile_rules(policy: &PolicyDocument, problems: &mut Problems) -> Vec<Rule> {
    let mut ids = BTreeSet::new();
    let mut compiled = Vec::with_capacity(policy.rules.len());
    let rules = Place::member("rules");
    // Ten thousand rules are usually valid, so places are built only for a problem.
    for (index, document) in policy.rules.iter().enumerate() {
        let place = rules.at(index);
        // Every field by its name, so that a new field does not compile until it is used here.
        let RuleDocument {
            id,
            effect,
            methods,
            operations,
            keys,
            // `compile_principals` and `check_anonymous` read these two.
            issuers: _,
            anonymous: _,
            when,
            source_ips,
            hosts,
            not_before,
            not_after,
            // `terms` reads it.
            upload: _,
            response_overrides,
            parameters,
        } = document;
        problems.check_name(|| place.then("id"), id, &mut ids);
        let keys = compile_patterns(keys, &place, problems);
        let operations = compile_operations(*effect, methods, operations, &place, problems);
        let terms = terms::compile(document, operations, &place, problems);
        let rule = Rule {
            id: id.clone(),
            effect: match effect {
                EffectDocument::Allow => Effect::Allow,
                EffectDocument::Deny => Effect::Deny,
            },
            operations,
            principals: compile_principals(
                policy,
                document,
                reads_claims(document, &keys, &terms.metadata),
                &place,
                problems,
            ),
            period: compile_period(not_before, not_after, &place, problems),
            sources: compile_sources(source_ips.as_deref(), &place, problems),
            hosts: compile_hosts(*effect, hosts.as_deref(), &place, problems),
            keys,
            conditions: compile_conditions(when, &place, problems),
            overrides: response_overrides.clone(),
            parameters: parameters.clone(),
            terms,
        };
        check_anonymous(document, &rule, &place, problems);
        check_listing(&rule, &place, problems);
        compiled.push(rule);
    }
    compiled
}

/// Whether a rule reads a claim of the token.
fn reads_claims(
    document: &RuleDocument,
    keys: &[KeyPattern],
    metadata: &BTreeMap<String, MetadataTerm>,
) -> bool {
    !document.when.is_empty()
        || keys.iter().any(|key| key.claims().next().is_some())
        || metadata.values().any(|term| matches!(term, MetadataTerm::Claim(_)))
}

fn compile_operations(
    effect: EffectDocument,
    methods: &[MethodWord],
    operations: &[S3Operation],
    place: &Place,
    problems: &mut Problems,
) -> OperationSet {
    if methods.is_empty() && operations.is_empty() {
        problems.add(
            place.then("methods"),
            "a rule without methods and operations matches nothing",
            "name at least one method, such as `methods = [\"GET\"]`",
        );
    }
    let named: OperationSet = operations.iter().copied().collect();
    methods.iter().fold(named, |set, word| {
        set.union(match effect {
            EffectDocument::Allow => word.opens(),
            EffectDocument::Deny => word.closes(),
        })
    })
}

fn compile_period(
    not_before: &Option<String>,
    not_after: &Option<String>,
    place: &Place,
    problems: &mut Problems,
) -> Period {
    let mut instant = |name: &str, text: &Option<String>| {
        let text = text.as_deref()?;
        let parsed = UnixTime::parse_rfc3339(text);
        if parsed.is_none() {
            problems.add(
                place.then(name),
                format!("`{}` is not a time in UTC", text.escape_debug()),
                "write it as `\"2026-12-31T23:59:59Z\"`",
            );
        }
        parsed
    };
    let period =
        Period { not_before: instant("not_before", not_before), not_after: instant("not_after", not_after) };
    if let (Some(first), Some(end)) = (period.not_before, period.not_after)
        && first >= end
    {
        problems.add(
            place.then("not_after"),
            "the rule ends before it begins",
            "write a `not_after` that is later than `not_before`",
        );
    }
    period
}

fn compile_sources(texts: Option<&[String]>, place: &Place, problems: &mut Problems) -> Option<Vec<IpNet>> {
    let texts = texts?;
    let place = || place.then("source_ips");
    if texts.is_empty() {
        problems.add(place(), "a rule without addresses matches nothing", "name an address, or remove it");
    }
    let mut networks = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let network = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        match network {
            // A viewer with an IPv4 address appears here as IPv4, never as a mapped IPv6 address.
            Some(IpNet::V6(net)) if net.addr().to_ipv4_mapped().is_some() => problems.add(
                place().at(index),
                format!("`{text}` is an IPv4 address inside IPv6, which no viewer has"),
                "write the IPv4 address itself",
            ),
            Some(network) if network.trunc() == network => networks.push(network),
            Some(network) => problems.add(
                place().at(index),
                format!("`{text}` has bits set after its prefix"),
                format!("write `{}`, or the address alone", network.trunc()),
            ),
            None => problems.add(
                place().at(index),
                format!("`{}` is not an address or a network", text.escape_debug()),
                "write `203.0.113.9`, `203.0.113.0/24` or `2001:db8::/32`",
            ),
        }
    }
    Some(networks)
}

/// The hosts of an allow rule. A deny rule would let the same request through on another name of the distribution.
fn compile_hosts(
    effect: EffectDocument,
    texts: Option<&[String]>,
    place: &Place,
    problems: &mut Problems,
) -> Option<Vec<HostPattern>> {
    let texts = texts?;
    let place = || place.then("hosts");
    if effect == EffectDocument::Deny {
        problems.add(
            place(),
            "a deny rule cannot have `hosts`: the viewer chooses the host, and could use another name of the distribution",
            "remove `hosts` here, and give `hosts` to the allow rules instead",
        );
    } else if texts.is_empty() {
        problems.add(
            place(),
            "a rule with an empty `hosts` matches nothing",
            "name a host, such as `hosts = [\"downloads.example.com\"]`, or remove `hosts`",
        );
    }
    let mut hosts = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        match HostPattern::parse(text) {
            Some(host) => hosts.push(host),
            None => problems.add(
                place().at(index),
                format!("`{}` is not a host name in lower case", text.escape_debug()),
                "write a name such as `downloads.example.com`, or `*.example.org` for all names below it: no scheme, \
                 port, path or last dot, a `*` only as the whole first label, and other letters than a to z in \
                 Punycode (`xn--...`)",
            ),
        }
    }
    Some(hosts)
}

fn compile_patterns(keys: &[String], place: &Place, problems: &mut Problems) -> Vec<KeyPattern> {
    let place = || place.then("keys");
    if keys.is_empty() {
        problems.add(place(), "a rule without keys matches nothing", "to match every key, write `[\"**\"]`");
    }
    let mut patterns = Vec::with_capacity(keys.len());
    for (index, text) in keys.iter().enumerate() {
        match KeyPattern::parse(text) {
            Ok(pattern) => patterns.push(pattern),
            Err(error) => problems.add(
                place().at(index),
                format!("`{}` is not a key pattern: {error}", text.escape_debug()),
                error.remedy(),
            ),
        }
    }
    patterns
}

fn compile_principals(
    policy: &PolicyDocument,
    document: &RuleDocument,
    reads_claims: bool,
    place: &Place,
    problems: &mut Problems,
) -> PrincipalConstraint {
    match &document.issuers {
        // A deny rule without issuers applies to everyone. If it does not read a claim, it also applies to requests
        // without a token.
        None if document.anonymous || document.effect == EffectDocument::Deny => {
            PrincipalConstraint::Everyone
        }
        None => {
            if policy.issuers.is_empty() {
                problems.add(
                    place.clone(),
                    format!("rule `{}` needs a token, but the policy does not trust an issuer", document.id),
                    "add an `[[issuers]]` block, or `anonymous = true` to open the rule to everyone",
                );
            }
            if policy.issuers.len() > 1 && reads_claims {
                problems.add(
                    place.clone(),
                    format!(
                        "rule `{}` accepts the claims of every issuer, and there are {}",
                        document.id,
                        policy.issuers.len()
                    ),
                    "add `issuers = [\"...\"]` with the issuers that the rule trusts: the same `sub` or `role` \
                     of another issuer can be another person's",
                );
            }
            PrincipalConstraint::AnyIssuer
        }
        Some(names) => {
            let place = || place.then("issuers");
            if names.is_empty() {
                problems.add(
                    place(),
                    "a rule with an empty `issuers` matches nothing",
                    "name an issuer, or remove `issuers`",
                );
            }
            for (index, name) in names.iter().enumerate() {
                if !policy.issuers.iter().any(|issuer| issuer.name == *name) {
                    problems.add(
                        place().at(index),
                        format!("the policy does not have an issuer `{}`", name.escape_debug()),
                        "use the `name` of an `[[issuers]]` block",
                    );
                }
            }
            PrincipalConstraint::Issuers(names.clone())
        }
    }
}

fn compile_conditions(
    when: &BTreeMap<String, ConditionDocument>,
    place: &Place,
    problems: &mut Problems,
) -> Vec<Condition> {
    let mut conditions = Vec::with_capacity(when.len());
    for (claim, condition) in when {
        let place = || place.then("when").then(claim);
        problems.check_claim(place, claim);
        let test = match condition {
            ConditionDocument {
                equals: Some(value),
                any: None,
                has: None,
                starts_with: None,
                present: None,
            } => ClaimTest::Equals(value.clone()),
            ConditionDocument {
                equals: None,
                any: Some(values),
                has: None,
                starts_with: None,
                present: None,
            } => {
                if values.is_empty() {
                    problems.add(
                        place().then("any"),
                        "an empty `any` matches nothing",
                        "name at least one value",
                    );
                }
                ClaimTest::Any(values.clone())
            }
            ConditionDocument {
                equals: None,
                any: None,
                has: Some(word),
                starts_with: None,
                present: None,
            } => {
                check_member(claim, word, place, problems);
                ClaimTest::Has(word.clone())
            }
            ConditionDocument {
                equals: None,
                any: None,
                has: None,
                starts_with: Some(beginning),
                present: None,
            } => {
                if beginning.is_empty() {
                    problems.add(
                        place().then("starts_with"),
                        "every text begins with an empty `starts_with`",
                        "write the beginning of the text, or `present = true` for a claim that is there",
                    );
                }
                ClaimTest::StartsWith(beginning.clone())
            }
            ConditionDocument {
                equals: None,
                any: None,
                has: None,
                starts_with: None,
                present: Some(present),
            } => ClaimTest::Present(*present),
            ConditionDocument { .. } => {
                problems.add(
                    place(),
                    format!("the condition on `{}` must have exactly one test", claim.escape_debug()),
                    "write one of `equals`, `any`, `has`, `starts_with` and `present`",
                );
                continue;
            }
        };
        conditions.push(Condition { claim: claim.clone(), test });
    }
    conditions
}

/// `has` looks for one member: of an array any text, of a string one word. A scope has no space, and it goes into a
/// header (RFC 6750 section 3: `scope-token`).
fn check_member(claim: &str, word: &str, place: impl Fn() -> Place, problems: &mut Problems) {
    let is_scope_token = |word: &str| word.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
    if word.is_empty() {
        problems.add(
            place().then("has"),
            "an empty text is no member that a claim is tested for",
            "write the member that `has` looks for, such as one group",
        );
    } else if is_scope_claim(claim) && !is_scope_token(word) {
        problems.add(
            place().then("has"),
            format!("`{}` is not one scope", word.escape_debug()),
            "`has` looks for one scope, without spaces or quotes",
        );
    }
}

/// A prefix means every key that begins with it. Only a pattern that ends in `**` matches all of them.
fn check_listing(rule: &Rule, place: &Place, problems: &mut Problems) {
    let lists = rule.effect == Effect::Allow && rule.operations.any(S3Operation::is_listing);
    let holds_all = |pattern: &KeyPattern| matches!(pattern.segments(), [.., Segment::AnySegments]);
    if lists && !rule.keys.is_empty() && !rule.keys.iter().any(holds_all) {
        problems.add(
            place.then("keys"),
            format!("rule `{}` allows listing, but none of its patterns ends in `**`", rule.id),
            "write a pattern that ends in `**`, such as `users/{sub}/**`, or remove `ListObjectsV2`",
        );
    }
}

/// A rule that is open to everyone cannot have a condition on a token.
fn check_anonymous(document: &RuleDocument, rule: &Rule, place: &Place, problems: &mut Problems) {
    if !document.anonymous {
        return;
    }
    let place = place.then("anonymous");
    if document.effect == EffectDocument::Deny {
        problems.add(place.clone(), "a deny rule already applies to everyone", "remove `anonymous`");
    }
    if document.issuers.is_some() || !document.when.is_empty() {
        problems.add(
            place.clone(),
            format!("rule `{}` is open to everyone, but also requires a token", document.id),
            "remove `anonymous`, or remove `issuers` and `when`",
        );
    }
    if let Some(claim) = rule.keys.iter().flat_map(KeyPattern::claims).next() {
        problems.add(
            place,
            format!("rule `{}` is open to everyone, but its keys use the claim `{claim}`", document.id),
            "remove `anonymous`, or write the keys without `{...}`",
        );
    } else if let Some(claim) = rule.terms.metadata.values().find_map(MetadataTerm::claim) {
        problems.add(
            place,
            format!("rule `{}` is open to everyone, but its metadata uses the claim `{claim}`", document.id),
            "remove `anonymous`, or write the metadata without `{...}`",
        );
    }
}
