//! One request: the result of every rule, the parts that failed in each, and what would have to differ.

mod gap;
mod nearest;
mod remedy;

use std::cmp::Reverse;

use authorizer_core::claim_name;
use authorizer_core::code_flow::OTHER_HOST;
use authorizer_core::credential::CredentialPlace;
use authorizer_core::operation::S3Operation;
use authorizer_core::record::{DecisionRecord, Verdict};
use authorizer_core::request::Resource;
use authorizer_core::rules::{
    Access, ClaimTest, Condition, Effect, Mismatch, PrincipalConstraint, Rule, TermsMismatch,
};
use authorizer_core::token::Principal;
use authorizer_core::{Authorizer, Refusal, Scalar, Supposed, TokenError, UnixTime};
use schemars::JsonSchema;
use serde::Serialize;

pub use self::gap::{Change, Gap};

/// Why a request is decided like this.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// What the decision log says of it.
    pub record: DecisionRecord<'static>,
    /// What is wrong with a request that was refused before the rules, with the name of the header, the query parameter
    /// or the claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The same, for a request of somebody else: with the name of a query parameter only as the decision log has it.
    #[serde(skip)]
    pub logged_detail: Option<String>,
    /// What would have to differ in a request that was refused before the rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// Where the request has its token; `None` without one, and for a token that is supposed.
    pub token_in: Option<CredentialPlace>,
    /// The result of each rule, in the order of the policy. Empty if the request was refused before the rules: by
    /// its path, its method, its query, a header or its token. Also empty for a preflight.
    pub rules: Vec<RuleExplanation>,
}

/// The result of one rule for a request.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct RuleExplanation {
    /// The rule's place in the policy, from 0.
    pub index: usize,
    /// The rule's id.
    pub id: String,
    /// `allow` or `deny`.
    pub effect: &'static str,
    /// Whether it matches.
    pub matches: bool,
    /// The first part that does not match, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mismatch: Option<String>,
    /// Every part that does not match, the first one first, and what would have to differ. Empty where only the results
    /// are asked for, as in tests that pass.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// How many checks held before the first that failed.
    #[serde(skip)]
    passed: u8,
}

impl Explanation {
    /// The results of the rules, the nearest first: those that match; then allow rules before deny rules, which would not
    /// help; of these, those with the fewest parts that do not match, and those that failed last. Rules that are as near
    /// are in the order of the policy.
    pub fn nearest_first(&self) -> Vec<&RuleExplanation> {
        let mut rules: Vec<&RuleExplanation> = self.rules.iter().collect();
        rules.sort_by_key(|rule| {
            let is_help = rule.matches || rule.effect == "allow";
            (!rule.matches, !is_help, rule.gaps.len(), Reverse(rule.passed), rule.index)
        });
        rules
    }

    /// Whether the request goes on.
    pub fn is_allowed(&self) -> bool {
        self.record.decision == Verdict::Allow
    }
}

/// Explains the decision on the bytes of one event, at the instant `now`.
pub fn explain(authorizer: &Authorizer, event: &[u8], now: UnixTime) -> Explanation {
    let record = authorizer.authorize(event, now).record.into_owned();
    let place = authorizer.place_of_token(event);
    Asked { authorizer, supposed: None, now, with_gaps: true }.explained(
        record,
        authorizer.access(event, now),
        place,
    )
}

/// The same, as if the request had a token with these claims and a valid signature.
pub fn explain_supposing(
    authorizer: &Authorizer,
    event: &[u8],
    supposed: &Supposed,
    now: UnixTime,
) -> Explanation {
    let record = authorizer.authorize_supposing(event, supposed, now).record.into_owned();
    let access = authorizer.access_supposing(event, supposed, now);
    Asked { authorizer, supposed: Some(supposed), now, with_gaps: true }.explained(record, access, None)
}

/// The same for either, with no more than the results: what would have to differ is not looked for.
pub(crate) fn results(
    authorizer: &Authorizer,
    event: &[u8],
    supposed: Option<&Supposed>,
    now: UnixTime,
) -> Explanation {
    let (record, access) = match supposed {
        Some(supposed) => (
            authorizer.authorize_supposing(event, supposed, now).record,
            authorizer.access_supposing(event, supposed, now),
        ),
        None => (authorizer.authorize(event, now).record, authorizer.access(event, now)),
    };
    Asked { authorizer, supposed, now, with_gaps: false }.explained(record.into_owned(), access, None)
}

/// What is explained, beside the request.
struct Asked<'a> {
    authorizer: &'a Authorizer,
    supposed: Option<&'a Supposed>,
    now: UnixTime,
    with_gaps: bool,
}

impl Asked<'_> {
    fn explained(
        &self,
        record: DecisionRecord<'static>,
        access: Result<Access<'_>, Refusal>,
        token_in: Option<CredentialPlace>,
    ) -> Explanation {
        let Self { authorizer, supposed, now, with_gaps } = *self;
        let policy = authorizer.bundle().policy();
        // A refused navigation that is answered with a redirect is the start of a sign-in.
        let is_sent = record.decision == Verdict::Refuse && record.status == Some(302);
        let is_of_other_host = record.problem.as_deref() == Some(OTHER_HOST);
        let sent = policy
            .sign_in()
            .filter(|_| is_sent)
            .map(|sign_in| remedy::sent_to(sign_in, policy, is_of_other_host));
        let refusal = match access {
            Ok(access) => {
                let rules = ask_rules(authorizer, &access, with_gaps);
                return Explanation {
                    record,
                    detail: None,
                    logged_detail: None,
                    remedy: sent,
                    token_in,
                    rules,
                };
            }
            Err(refusal) => refusal,
        };
        // A preflight is answered, or refused for another reason.
        let is_told = record.reason == refusal.reason();
        let claim = supposed.and_then(|supposed| lacking(authorizer, &refusal, supposed));
        let told = |detail: String| is_told.then(|| claim.clone().unwrap_or(detail));
        let (detail, logged_detail) = (told(refusal.detail()), told(refusal.logged_detail()));
        let why = match is_told {
            true => Some(refusal),
            // What else can refuse a preflight is its origin.
            false => {
                (record.reason == Refusal::OriginNotAllowed.reason()).then_some(Refusal::OriginNotAllowed)
            }
        };
        let remedy =
            why.map(|refusal| remedy::remedy(&refusal, record.method.as_deref(), policy, supposed, now));
        let remedy =
            remedy.map(|remedy| [Some(remedy), sent].into_iter().flatten().collect::<Vec<_>>().join(" "));
        Explanation { record, detail, logged_detail, remedy, token_in, rules: Vec::new() }
    }
}

/// The claim of the token that does not have the value that its issuer's block requires. The viewer is not told.
fn lacking(authorizer: &Authorizer, refusal: &Refusal, supposed: &Supposed) -> Option<String> {
    if *refusal != Refusal::Token(TokenError::RequiredClaimMismatch) {
        return None;
    }
    let claims = &supposed.claims;
    let iss = claims.get("iss")?.as_str()?;
    let issuer = authorizer.bundle().policy().issuers().iter().find(|issuer| issuer.issuer() == iss)?;
    let (name, value) = issuer
        .required()
        .iter()
        .find(|(name, value)| claim_name::find(claims, name).is_none_or(|claim| *value != claim))?;
    Some(format!("The claim `{name}` is not {value}, which the issuer `{}` requires.", issuer.name()))
}

fn ask_rules(authorizer: &Authorizer, access: &Access<'_>, with_gaps: bool) -> Vec<RuleExplanation> {
    let policy = authorizer.bundle().policy();
    let ask = |(index, rule): (usize, &Rule)| {
        let mismatch = rule.examine(access).err();
        RuleExplanation {
            index,
            id: rule.id().to_owned(),
            effect: match rule.effect() {
                Effect::Allow => "allow",
                Effect::Deny => "deny",
            },
            matches: mismatch.is_none(),
            passed: mismatch.as_ref().map_or(u8::MAX, passed),
            gaps: match mismatch {
                Some(_) if with_gaps => gap::gaps(rule, access, policy),
                Some(_) | None => Vec::new(),
            },
            mismatch: mismatch.map(|mismatch| in_words(rule, access, mismatch)),
        }
    };
    policy.rules().iter().enumerate().map(ask).collect()
}

/// How many checks come before this one.
fn passed(mismatch: &Mismatch<'_>) -> u8 {
    match mismatch {
        Mismatch::Key => 0,
        Mismatch::Operation => 1,
        Mismatch::Host => 2,
        Mismatch::Principal => 3,
        Mismatch::Period => 4,
        Mismatch::Source => 5,
        Mismatch::Condition(_) => 6,
        Mismatch::Override(_) | Mismatch::Parameter(_) | Mismatch::Terms(_) => 7,
    }
}

fn in_words(rule: &Rule, access: &Access<'_>, mismatch: Mismatch<'_>) -> String {
    match mismatch {
        Mismatch::Key => match (access.request.resource(), rule.effect()) {
            (Resource::Object(_), _) => format!("the key matches none of {}", list(rule.keys())),
            (Resource::Prefix(_), Effect::Allow) => {
                format!("not every key that begins with the prefix is one of {}", list(rule.keys()))
            }
            (Resource::Prefix(_), Effect::Deny) => {
                format!("no key that begins with the prefix is one of {}", list(rule.keys()))
            }
        },
        Mismatch::Operation => {
            let names: Vec<_> = rule.operations().iter().map(S3Operation::name).collect();
            format!("`{}` is not one of {}", access.request.operation().name(), list(&names))
        }
        Mismatch::Host => match &access.host {
            Some(host) => format!("the host `{host}` is not in {}", list(rule.hosts().unwrap_or_default())),
            None => {
                "the request does not have exactly one `Host` that is a host name without a port".to_owned()
            }
        },
        Mismatch::Principal => match (&access.principal, rule.principals()) {
            (Principal::Anonymous, _) => "the request does not have a token".to_owned(),
            (Principal::Verified(claims), PrincipalConstraint::Issuers(names)) => {
                format!("the token is from `{}`, not from {}", claims.issuer().name(), list(names))
            }
            // These two apply to every token, so only a request without a token does not match.
            (Principal::Verified(_), PrincipalConstraint::Everyone | PrincipalConstraint::AnyIssuer) => {
                "the token is from another issuer".to_owned()
            }
        },
        Mismatch::Period => match rule.period().not_before {
            Some(first) if access.at < first => "the rule does not apply yet".to_owned(),
            _ => "the rule no longer applies".to_owned(),
        },
        Mismatch::Source => {
            format!("the address {} is not in {}", access.source, list(rule.sources().unwrap_or_default()))
        }
        Mismatch::Condition(condition) => condition_in_words(condition),
        Mismatch::Override(asked) => format!("the rule does not allow `{}`", asked.name()),
        Mismatch::Parameter(asked) => format!("the rule does not allow `{}`", asked.name()),
        Mismatch::Terms(terms) => terms_in_words(rule, &terms),
    }
}

fn terms_in_words(rule: &Rule, mismatch: &TermsMismatch) -> String {
    match mismatch {
        TermsMismatch::Header(name) => format!("the rule does not allow the header `{name}`"),
        TermsMismatch::LengthRequired => "the upload does not give its length".to_owned(),
        TermsMismatch::TooLarge => {
            let most = rule.terms().max_bytes.unwrap_or_default();
            format!("the upload is longer than {most} bytes")
        }
        TermsMismatch::MediaType => "the media type is not one of the rule's `content_types`".to_owned(),
        TermsMismatch::Metadata(name) => format!("the metadata `{name}` does not have the required value"),
    }
}

fn condition_in_words(condition: &Condition) -> String {
    let claim = &condition.claim;
    match &condition.test {
        ClaimTest::Equals(value) => format!("the claim `{claim}` is not {value}"),
        ClaimTest::Any(values) => {
            let values: Vec<_> = values.iter().map(Scalar::to_string).collect();
            format!("the claim `{claim}` is not one of {}", values.join(", "))
        }
        ClaimTest::Has(word) => format!("the claim `{claim}` does not have `{word}`"),
        ClaimTest::StartsWith(beginning) => format!("the claim `{claim}` does not start with {beginning:?}"),
        ClaimTest::Present(true) => format!("the claim `{claim}` is absent"),
        ClaimTest::Present(false) => format!("the claim `{claim}` is present"),
    }
}

fn list(items: &[impl ToString]) -> String {
    items.iter().map(|item| format!("`{}`", item.to_string())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::authorizer_of;
    use serde_json::{Value, json};

    fn authorizer() -> Authorizer {
        authorizer_of(json!({
            "version": 1,
            "issuers": [{"name": "staff", "issuer": "i", "audience": ["a"], "algorithms": ["EdDSA"]}],
            "rules": [
                {"id": "no-x", "effect": "deny", "methods": ["GET"], "keys": ["x/**"]},
                {"id": "own", "effect": "allow", "methods": ["GET"], "keys": ["{sub}/**"]},
                {"id": "put", "effect": "allow", "methods": ["PUT"], "keys": ["**"]},
                {"id": "all", "effect": "allow", "methods": ["GET"], "keys": ["**"], "issuers": ["staff"]},
                {"id": "open", "effect": "allow", "methods": ["GET"], "keys": ["x/**", "y/*"], "anonymous": true}
            ]
        }))
    }

    fn explained(uri: &str) -> Explanation {
        let event: Value = json!({"Records": [{"cf": {
            "config": {"eventType": "viewer-request"}, "request": {"method": "GET", "uri": uri}
        }}]});
        explain(&authorizer(), event.to_string().as_bytes(), UnixTime::from_seconds(0))
    }

    #[test]
    fn every_rule_says_what_it_makes_of_a_request() {
        let explanation = explained("/y/z");
        assert!(explanation.is_allowed());
        let words: Vec<_> =
            explanation.rules.iter().map(|rule| (rule.id.as_str(), rule.mismatch.as_deref())).collect();
        assert_eq!(
            words,
            [
                ("no-x", Some("the key matches none of `x/**`")),
                ("own", Some("the key matches none of `{sub}/**`")),
                ("put", Some("`GetObject` is not one of `PutObject`")),
                ("all", Some("the request does not have a token")),
                ("open", None),
            ]
        );
    }

    #[test]
    fn a_token_that_is_supposed_is_asked_of_every_rule() {
        let event: Value = json!({"Records": [{"cf": {
            "config": {"eventType": "viewer-request"}, "request": {"method": "GET", "uri": "/bob/z"}
        }}]});
        let claims = json!({"iss": "i", "aud": "a", "exp": 9, "sub": "alice"});
        let supposed = Supposed { token_type: None, claims: claims.as_object().unwrap().clone() };
        let explained = |now| {
            let event = event.to_string();
            explain_supposing(&authorizer(), event.as_bytes(), &supposed, UnixTime::from_seconds(now))
        };
        let explanation = explained(0);
        assert_eq!(explanation.record.rule.as_deref(), Some("all"));
        assert_eq!(explanation.rules[1].mismatch.as_deref(), Some("the key matches none of `{sub}/**`"));
        let expired = explained(1000);
        assert_eq!((expired.record.reason.as_ref(), expired.rules.len()), ("token_expired", 0));
    }

    #[test]
    fn a_request_that_comes_to_no_rule_is_explained_by_its_reason() {
        let explanation = explained("/a//b");
        assert_eq!((explanation.record.reason.as_ref(), explanation.rules.len()), ("key_empty_segment", 0));
        assert_eq!(explanation.detail.as_deref(), Some("The path has an empty segment (//)."));
        assert_eq!(explained("/y/z").detail, None);
    }

    #[test]
    fn the_header_the_parameter_and_the_claim_that_are_refused_are_named() {
        let event = |query: &str, headers: Value| {
            json!({"Records": [{"cf": {
                "config": {"eventType": "viewer-request"},
                "request": {"method": "GET", "uri": "/y/z", "querystring": query, "headers": headers}
            }}]})
            .to_string()
        };
        let authorizer = authorizer_of(json!({
            "version": 1,
            "issuers": [{"name": "staff", "issuer": "i", "audience": ["a"], "algorithms": ["EdDSA"],
                "required": {"tenant": "red"}}],
            "rules": [{"id": "all", "effect": "allow", "methods": ["GET"], "keys": ["**"], "anonymous": true}]
        }));
        let copy = json!({"x-amz-copy-source": [{"key": "X-Amz-Copy-Source", "value": "/a/b"}]});
        for (query, headers, word) in
            [("acl", json!({}), "parameter acl is"), ("", copy, "header x-amz-copy-source is")]
        {
            let event = event(query, headers);
            let explanation = explain(&authorizer, event.as_bytes(), UnixTime::from_seconds(0));
            assert!(
                explanation.detail.as_ref().is_some_and(|detail| detail.contains(word)),
                "{explanation:?}"
            );
        }
        let claims = json!({"iss": "i", "aud": "a", "exp": 9, "sub": "alice", "tenant": "blue"});
        let supposed = Supposed { token_type: None, claims: claims.as_object().unwrap().clone() };
        let event = event("", json!({}));
        let explanation =
            explain_supposing(&authorizer, event.as_bytes(), &supposed, UnixTime::from_seconds(0));
        assert_eq!(explanation.record.reason, "required_claim_mismatch");
        assert_eq!(
            explanation.detail.as_deref(),
            Some("The claim `tenant` is not \"red\", which the issuer `staff` requires.")
        );
    }

    #[test]
    fn the_decision_is_that_of_the_edge() {
        let explanation = explained("/x/z");
        assert_eq!(explanation.record.reason, "denied_by_rule");
        let matching: Vec<_> =
            explanation.rules.iter().filter(|rule| rule.matches).map(|rule| &rule.id).collect();
        assert_eq!(matching, ["no-x", "open"]);
    }
}
