//! Checks a policy document whole, and compiles it.

use std::collections::BTreeSet;

use super::document::{
    ConditionDocument, EffectDocument, IssuerDocument, MethodDocument, POLICY_VERSION, PolicyDocument,
    RuleDocument,
};
use super::{Place, Policy, PolicyProblem};
use crate::operation::{OperationSet, S3Operation};
use crate::rules::{ClaimTest, Condition, Effect, KeyPattern, PrincipalConstraint, Rule, is_scope_claim};
use crate::token::{Issuer, KeySet, MAX_LEEWAY_SECONDS};

/// The longest name or id, in characters: they stand on every line of the decision log.
const MAX_NAME: usize = 64;

pub(super) fn compile(document: &PolicyDocument) -> Result<Policy, Vec<PolicyProblem>> {
    let mut problems = Problems::default();
    if document.version != POLICY_VERSION {
        problems.add(
            Place::member("version"),
            format!("version `{}` is not known", document.version),
            format!("write `version = {POLICY_VERSION}`"),
        );
    }
    if !document.credentials.header.eq_ignore_ascii_case("authorization") {
        problems.add(
            Place::member("credentials").then("header"),
            format!("tokens cannot be taken from the header `{}`", document.credentials.header),
            "write `header = \"authorization\"`",
        );
    }
    let issuers = compile_issuers(&document.issuers, &mut problems);
    let rules = compile_rules(document, &mut problems);
    match problems.0.is_empty() {
        true => Ok(Policy { issuers, rules, subject_logging: document.log.subject }),
        false => Err(problems.0),
    }
}

/// The problems so far: all are found in one pass, so that a policy is mended in one.
#[derive(Default)]
struct Problems(Vec<PolicyProblem>);

impl Problems {
    fn add(&mut self, place: Place, message: impl Into<String>, remedy: impl Into<String>) {
        self.0.push(PolicyProblem { place, message: message.into(), remedy: remedy.into() });
    }

    /// A name that stands in the log: it must be safe to print and to search for.
    fn check_name(&mut self, place: Place, name: &str, seen: &mut BTreeSet<String>) {
        let printable = |c: char| c.is_ascii_alphanumeric() || ['-', '_', '.'].contains(&c);
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(printable) {
            self.add(
                place,
                format!("`{}` is not a usable name", name.escape_debug()),
                format!("use 1 to {MAX_NAME} letters, digits, `-`, `_` or `.`"),
            );
        } else if !seen.insert(name.to_owned()) {
            self.add(place, format!("`{name}` is used twice"), "give each its own name");
        }
    }

    fn check_strings(&mut self, place: &Place, strings: &[String]) {
        let mut seen = BTreeSet::new();
        for (index, text) in strings.iter().enumerate() {
            if text.is_empty() {
                self.add(
                    place.at(index),
                    "an empty string matches no token",
                    "write the value or leave it out",
                );
            } else if !seen.insert(text) {
                self.add(place.at(index), format!("`{text}` stands here twice"), "leave one out");
            }
        }
    }
}

fn compile_issuers(documents: &[IssuerDocument], problems: &mut Problems) -> Vec<Issuer> {
    let mut names = BTreeSet::new();
    let mut issuers = BTreeSet::new();
    let mut compiled = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let place = Place::member("issuers").at(index);
        problems.check_name(place.then("name"), &document.name, &mut names);
        if document.issuer.is_empty() {
            problems.add(
                place.then("issuer"),
                "the issuer is empty",
                "write the value of `iss` in its tokens",
            );
        } else if !issuers.insert(document.issuer.as_str()) {
            problems.add(
                place.then("issuer"),
                format!("`{}` is the issuer of two blocks", document.issuer),
                "a token's `iss` must pick one issuer: join the two blocks",
            );
        }
        if document.audience.is_empty() && document.client_id.is_empty() {
            problems.add(
                place.clone(),
                format!("issuer `{}` has no audience, so a token for any other service would do here", document.name),
                "add `audience = [\"...\"]` with the `aud` of its tokens, or `client_id` where they have no `aud`",
            );
        }
        problems.check_strings(&place.then("audience"), &document.audience);
        problems.check_strings(&place.then("client_id"), &document.client_id);
        if document.algorithms.is_empty() {
            problems.add(
                place.then("algorithms"),
                "no algorithm is allowed, so no token can verify",
                "name those that it signs with, such as `[\"RS256\"]`",
            );
        }
        if document.token_type.as_deref() == Some("") {
            problems.add(
                place.then("token_type"),
                "the token type is empty",
                "write `at+jwt`, or leave it out",
            );
        }
        if document.leeway_seconds > MAX_LEEWAY_SECONDS {
            problems.add(
                place.then("leeway_seconds"),
                format!("a leeway of {} seconds is too long", document.leeway_seconds),
                format!("use at most {MAX_LEEWAY_SECONDS}"),
            );
        }
        if let Some(keys) = compile_keys(document, &place, problems) {
            compiled.push(Issuer {
                name: document.name.clone(),
                issuer: document.issuer.clone(),
                audience: document.audience.clone(),
                client_ids: document.client_id.clone(),
                algorithms: document.algorithms.clone(),
                keys,
                token_type: document.token_type.clone(),
                required: document.required.clone(),
                leeway_seconds: document.leeway_seconds,
            });
        }
    }
    compiled
}

fn compile_keys(document: &IssuerDocument, place: &Place, problems: &mut Problems) -> Option<KeySet> {
    let place = place.then("jwks");
    match (&document.jwks.file, &document.jwks.keys) {
        (None, Some(keys)) => match KeySet::from_jwks(keys, &document.algorithms) {
            Ok(keys) => return Some(keys),
            // With no algorithm there is no usable key either; the cause has been named.
            Err(_) if document.algorithms.is_empty() => {}
            Err(error) => problems.add(
                place,
                error.to_string(),
                "use the public keys that the issuer publishes at its `jwks_uri`, as they are",
            ),
        },
        (Some(_), None) => {
            problems.add(
                place,
                "the key file has not been read",
                "package the policy with `authorizer package`",
            );
        }
        (Some(_), Some(_)) | (None, None) => problems.add(
            place,
            "an issuer has exactly one source of keys",
            "write `jwks = { file = \"keys/NAME.jwks.json\" }`",
        ),
    }
    None
}

fn compile_rules(policy: &PolicyDocument, problems: &mut Problems) -> Vec<Rule> {
    let mut ids = BTreeSet::new();
    let mut compiled = Vec::with_capacity(policy.rules.len());
    for (index, document) in policy.rules.iter().enumerate() {
        let place = Place::member("rules").at(index);
        problems.check_name(place.then("id"), &document.id, &mut ids);
        let keys = compile_patterns(document, &place, problems);
        let rule = Rule {
            id: document.id.clone(),
            effect: match document.effect {
                EffectDocument::Allow => Effect::Allow,
                EffectDocument::Deny => Effect::Deny,
            },
            operations: compile_methods(document, &place, problems),
            principals: compile_principals(policy, document, &keys, &place, problems),
            keys,
            conditions: compile_conditions(document, &place, problems),
        };
        check_anonymous(document, &rule, &place, problems);
        compiled.push(rule);
    }
    compiled
}

fn compile_methods(document: &RuleDocument, place: &Place, problems: &mut Problems) -> OperationSet {
    if document.methods.is_empty() {
        problems.add(
            place.then("methods"),
            "a rule without methods matches nothing",
            "name at least one method",
        );
    }
    let operations = |method: &MethodDocument| match method {
        MethodDocument::Get => [S3Operation::GetObject, S3Operation::HeadObject].as_slice(),
        MethodDocument::Head => &[S3Operation::HeadObject],
        MethodDocument::Put => &[S3Operation::PutObject],
        MethodDocument::Delete => &[S3Operation::DeleteObject],
    };
    document.methods.iter().flat_map(operations).copied().collect()
}

fn compile_patterns(document: &RuleDocument, place: &Place, problems: &mut Problems) -> Vec<KeyPattern> {
    let place = place.then("keys");
    if document.keys.is_empty() {
        problems.add(
            place.clone(),
            "a rule without keys matches nothing",
            "to match every key, write `[\"**\"]`",
        );
    }
    let mut patterns = Vec::new();
    for (index, text) in document.keys.iter().enumerate() {
        match KeyPattern::parse(text) {
            Ok(pattern) => patterns.push(pattern),
            Err(error) => problems.add(
                place.at(index),
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
    keys: &[KeyPattern],
    place: &Place,
    problems: &mut Problems,
) -> PrincipalConstraint {
    match &document.issuers {
        // A deny rule speaks of everyone by itself: of requests without a token, too, where it asks for no
        // claim.
        None if document.anonymous || document.effect == EffectDocument::Deny => {
            PrincipalConstraint::Everyone
        }
        None => {
            if policy.issuers.is_empty() {
                problems.add(
                    place.clone(),
                    format!("rule `{}` needs a token, and the policy trusts no issuer", document.id),
                    "add an `[[issuers]]` block, or `anonymous = true` to open the rule to everyone",
                );
            }
            let reads_claims =
                !document.when.is_empty() || keys.iter().any(|key| key.claims().next().is_some());
            if policy.issuers.len() > 1 && reads_claims {
                problems.add(
                    place.clone(),
                    format!(
                        "rule `{}` believes the claims of every issuer, and there are {}",
                        document.id,
                        policy.issuers.len()
                    ),
                    "add `issuers = [\"...\"]` with the issuers whose word counts here: a `sub` or `role` of \
                     another one is another's",
                );
            }
            PrincipalConstraint::AnyIssuer
        }
        Some(names) => {
            let place = place.then("issuers");
            if names.is_empty() {
                problems.add(
                    place.clone(),
                    "a rule for no issuer matches nothing",
                    "name one, or leave `issuers` out",
                );
            }
            for (index, name) in names.iter().enumerate() {
                if !policy.issuers.iter().any(|issuer| issuer.name == *name) {
                    problems.add(
                        place.at(index),
                        format!("no issuer is named `{}`", name.escape_debug()),
                        "use the `name` of an `[[issuers]]` block",
                    );
                }
            }
            PrincipalConstraint::Issuers(names.clone())
        }
    }
}

fn compile_conditions(document: &RuleDocument, place: &Place, problems: &mut Problems) -> Vec<Condition> {
    let place = place.then("when");
    let mut conditions = Vec::with_capacity(document.when.len());
    for (claim, condition) in &document.when {
        let place = place.then(claim);
        let test = match condition {
            ConditionDocument { equals: Some(value), any: None, has: None, present: None } => {
                ClaimTest::Equals(value.clone())
            }
            ConditionDocument { equals: None, any: Some(values), has: None, present: None } => {
                if values.is_empty() {
                    problems.add(
                        place.then("any"),
                        "`any` of nothing never holds",
                        "name at least one value",
                    );
                }
                ClaimTest::Any(values.clone())
            }
            ConditionDocument { equals: None, any: None, has: Some(word), present: None } => {
                check_member(claim, word, &place, problems);
                ClaimTest::Has(word.clone())
            }
            ConditionDocument { equals: None, any: None, has: None, present: Some(present) } => {
                ClaimTest::Present(*present)
            }
            ConditionDocument { .. } => {
                problems.add(
                    place,
                    format!("the condition on `{}` has none or several tests", claim.escape_debug()),
                    "write exactly one of `equals`, `any`, `has` and `present`",
                );
                continue;
            }
        };
        conditions.push(Condition { claim: claim.clone(), test });
    }
    conditions
}

/// `has` looks for one word: one with a space in it is never found in a string of words, and a scope goes
/// into a header (RFC 6750 section 3: `scope-token`).
fn check_member(claim: &str, word: &str, place: &Place, problems: &mut Problems) {
    let is_scope_token = |word: &str| word.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
    if word.is_empty() || word.contains(' ') || (is_scope_claim(claim) && !is_scope_token(word)) {
        problems.add(
            place.then("has"),
            format!("`{}` is not one word", word.escape_debug()),
            "`has` looks for one member, such as one scope, without spaces or quotes",
        );
    }
}

/// A rule that is open to everyone can ask nothing of a token.
fn check_anonymous(document: &RuleDocument, rule: &Rule, place: &Place, problems: &mut Problems) {
    if !document.anonymous {
        return;
    }
    let place = place.then("anonymous");
    if document.effect == EffectDocument::Deny {
        problems.add(place.clone(), "a deny rule speaks of everyone already", "leave `anonymous` out");
    }
    if document.issuers.is_some() || !document.when.is_empty() {
        problems.add(
            place.clone(),
            format!("rule `{}` is open to everyone and asks for a token at once", document.id),
            "leave out `anonymous`, or `issuers` and `when`",
        );
    }
    if let Some(claim) = rule.keys.iter().flat_map(KeyPattern::claims).next() {
        problems.add(
            place,
            format!("rule `{}` is open to everyone, and its keys speak of the claim `{claim}`", document.id),
            "leave out `anonymous`, or write the keys without `{...}`",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn document() -> Value {
        json!({
            "version": 1,
            "issuers": [{
                "name": "staff",
                "issuer": "https://login.example.com/",
                "audience": ["files-api"],
                "algorithms": ["EdDSA"],
                "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a",
                    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}
            }],
            "rules": [
                {"id": "own", "effect": "allow", "methods": ["GET"], "keys": ["users/{sub}/**"],
                    "when": {"scope": {"has": "files"}}},
                {"id": "public", "effect": "allow", "methods": ["PUT"], "keys": ["public/**"], "anonymous": true}
            ]
        })
    }

    /// The places of the problems after one change of the document.
    fn problems(pointer: &str, value: Value) -> Vec<String> {
        let mut document = document();
        *document.pointer_mut(pointer).unwrap() = value;
        let document: PolicyDocument = serde_json::from_value(document).unwrap();
        match Policy::compile(&document) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(|problem| problem.place.to_string()).collect(),
        }
    }

    #[test]
    fn a_whole_policy_compiles() {
        let policy = Policy::compile(&serde_json::from_value(document()).unwrap()).unwrap();
        assert_eq!(policy.issuers().len(), 1);
        assert_eq!(policy.possible_operations().allow_header(), "GET, HEAD, PUT");
    }

    #[test]
    fn every_problem_is_found_at_its_place() {
        let none: Vec<String> = vec![];
        for (pointer, value, places) in [
            ("/version", json!(2), vec!["version"]),
            ("/issuers/0/name", json!("a b"), vec!["issuers[0].name"]),
            ("/issuers/0/name", json!(""), vec!["issuers[0].name"]),
            ("/issuers/0/issuer", json!(""), vec!["issuers[0].issuer"]),
            ("/issuers/0/audience", json!([]), vec!["issuers[0]"]),
            ("/issuers/0/audience", json!(["a", ""]), vec!["issuers[0].audience[1]"]),
            ("/issuers/0/audience", json!(["a", "a"]), vec!["issuers[0].audience[1]"]),
            ("/issuers/0/algorithms", json!([]), vec!["issuers[0].algorithms"]),
            ("/issuers/0/algorithms", json!(["RS256"]), vec!["issuers[0].jwks"]),
            ("/issuers/0/jwks", json!({}), vec!["issuers[0].jwks"]),
            ("/issuers/0/jwks", json!({"file": "a"}), vec!["issuers[0].jwks"]),
            ("/issuers/0/jwks/keys", json!([]), vec!["issuers[0].jwks"]),
            ("/issuers", json!([]), vec!["rules[0]"]),
            ("/rules/0/id", json!("public"), vec!["rules[1].id"]),
            ("/rules/0/id", json!("a\nb"), vec!["rules[0].id"]),
            ("/rules/0/methods", json!([]), vec!["rules[0].methods"]),
            ("/rules/0/keys", json!([]), vec!["rules[0].keys"]),
            ("/rules/0/keys", json!(["a", "/b", "c**"]), vec!["rules[0].keys[1]", "rules[0].keys[2]"]),
            ("/rules/0/when/scope", json!({}), vec!["rules[0].when.scope"]),
            ("/rules/0/when/scope", json!({"has": "a", "present": true}), vec!["rules[0].when.scope"]),
            ("/rules/0/when/scope", json!({"has": "a b"}), vec!["rules[0].when.scope.has"]),
            ("/rules/0/when/scope", json!({"has": "a\"b"}), vec!["rules[0].when.scope.has"]),
            ("/rules/0/when/scope", json!({"any": []}), vec!["rules[0].when.scope.any"]),
            ("/rules/1/effect", json!("deny"), vec!["rules[1].anonymous"]),
            ("/rules/1/keys", json!(["{sub}/a"]), vec!["rules[1].anonymous"]),
            ("/rules", json!([]), vec![]),
        ] {
            assert_eq!(problems(pointer, value.clone()), places, "{pointer} = {value}");
        }
        for (member, value, place) in [
            ("issuers", json!(["staff"]), Some("rules[1].anonymous")),
            ("when", json!({"a": {"present": true}}), Some("rules[1].anonymous")),
        ] {
            let mut rule = document()["rules"][1].clone();
            rule[member] = value;
            assert_eq!(problems("/rules/1", rule), place.into_iter().collect::<Vec<_>>());
        }
        for issuers in [json!([]), json!(["nobody"])] {
            let mut rule = document()["rules"][0].clone();
            rule["issuers"] = issuers;
            assert_eq!(problems("/rules/0", rule).len(), 1);
        }
        let mut issuer = document()["issuers"][0].clone();
        issuer["leeway_seconds"] = json!(301);
        assert_eq!(problems("/issuers/0", issuer), ["issuers[0].leeway_seconds"]);
        let mut second = document()["issuers"][0].clone();
        second["name"] = json!("partner");
        second["issuer"] = json!("https://partner.example.com/");
        let two = json!([document()["issuers"][0], second]);
        assert_eq!(problems("/issuers", two), ["rules[0]"], "claims of two issuers, and none named");
        let twice = json!([document()["issuers"][0], document()["issuers"][0]]);
        assert_eq!(problems("/issuers", twice), ["issuers[1].name", "issuers[1].issuer", "rules[0]"]);
        assert_eq!(problems("/version", json!(1)), none);
    }

    #[test]
    fn unknown_words_are_refused() {
        for (pointer, value) in [
            ("/rules/0", json!({"id": "a", "effect": "allow", "methods": ["GET"], "keys": ["a"], "wen": {}})),
            ("/rules/0/effect", json!("permit")),
            ("/rules/0/methods", json!(["POST"])),
            ("/rules/0/methods", json!(["get"])),
            ("/issuers/0/algorithms", json!(["HS256"])),
            ("/issuers/0/algorithms", json!(["none"])),
            ("/issuers/0/jwks", json!({"url": "https://example.com"})),
        ] {
            let mut document = document();
            *document.pointer_mut(pointer).unwrap() = value;
            assert!(serde_json::from_value::<PolicyDocument>(document).is_err(), "{pointer}");
        }
    }
}
