//! Conditions that never hold, always hold, or hold for something else than was meant.

use authorizer_core::policy::document::IssuerDocument;
use authorizer_core::rules::ClaimTest;
use authorizer_core::{Scalar, claim_name};
use authorizer_policy::providers::Provider;

use super::providers::accepted_kinds;
use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::finding::Observation;
use crate::policy::subject::{PolicySubject, RuleView, Use};

pub(super) static FAMILY: Family = Family::Policy(&[
    (
        Check {
            id: "EA034",
            name: "claim-the-issuer-does-not-give",
            severity: Severity::High,
            title: "a rule requires a claim that its issuer's tokens do not have",
            why: "An allow rule like this allows nobody. A deny rule like this denies nobody, although it reads \
              as if it does.",
            remedy: "use the claim that the provider gives (`authorizer help providers`)",
        },
        not_given,
    ),
    (
        Check {
            id: "EA035",
            name: "claim-misspelt",
            severity: Severity::High,
            title: "a claim's name is nearly that of a well-known claim",
            why: "Names of claims must match exactly. No token has the misspelt claim, so an allow rule allows \
              nobody and a deny rule denies nobody.",
            remedy: "write the claim as it is in the tokens (`authorizer token inspect` shows a token)",
        },
        misspelt,
    ),
    (
        Check {
            id: "EA036",
            name: "has-on-free-text",
            severity: Severity::Medium,
            title: "`has` is used on a claim that is free text",
            why: "`has` looks for one word in a text. If it looks for `admin`, it matches `not an admin`; if it \
              looks for `Human`, it matches `Human Resources`.",
            remedy: "use `equals` with the whole value, or a claim that is a list",
        },
        free_text,
    ),
    (
        Check {
            id: "EA037",
            name: "equals-on-a-list",
            severity: Severity::High,
            title: "`equals`, `any` or `starts_with` is used on a claim that is a list",
            why: "A list never equals a text or begins with one, and a scope with two words does not equal one of them. An allow \
              rule allows nobody, or only a token with that scope alone. A deny rule denies nobody, or \
              misses every token that has one scope more.",
            remedy: "use `has`",
        },
        list_equals,
    ),
    (
        Check {
            id: "EA038",
            name: "condition-against-the-issuer",
            severity: Severity::High,
            title: "no token can meet a condition, because of what the issuer's block requires",
            why: "The rule matches nothing. An allow rule like this does nothing. A deny rule like this denies \
              nobody, although it reads as if it does.",
            remedy: "fix the condition or the issuer's `required`, or remove the rule",
        },
        against_the_issuer,
    ),
    (
        Check {
            id: "EA039",
            name: "condition-says-nothing",
            severity: Severity::Informational,
            title: "every token meets a condition, because of what the issuer's block requires",
            why: "A reader believes that the condition makes the rule narrower, but it does not.",
            remedy: "remove the condition",
        },
        says_nothing,
    ),
    (
        Check {
            id: "EA058",
            name: "beginning-within-a-name",
            severity: Severity::Medium,
            title: "a `starts_with` of an allow rule ends within a name",
            why: "`repo:octo/site` also begins `repo:octo/site-of-others`. Who can choose a longer name gets what \
              the rule allows.",
            remedy: "end the text where the name ends, as in `repo:octo/site:`, or use `equals`",
        },
        within_a_name,
    ),
]);

/// What the provider's tokens have instead of a claim that none of those has which a block accepts.
fn instead(issuer: &IssuerDocument, claim: &str) -> Option<&'static str> {
    let never = Provider::of(&issuer.issuer)?.never.get(claim)?;
    let is_never = never.only.is_none_or(|only| {
        let kinds = accepted_kinds(issuer);
        !kinds.is_empty() && kinds.iter().all(|(kind, _)| *kind == only)
    });
    is_never.then_some(never.because.as_str())
}

fn not_given(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.rules() {
        for (place, claim, reads) in rule.claims() {
            if matches!(reads, Use::Condition(ClaimTest::Present(_)) | Use::Metadata) {
                continue;
            }
            let whys: Option<Vec<_>> = rule.issuers.iter().map(|issuer| instead(issuer, claim)).collect();
            let Some(why) = whys.as_deref().and_then(<[_]>::first) else { continue };
            let message = format!("rule `{}` requires `{claim}`: {why}", rule.id());
            let severity = if rule.is_deny() { Severity::High } else { Severity::Medium };
            found.push(rule.found_at(place, message).severity(severity));
        }
    }
    found
}

/// RFC 7519, RFC 8693, RFC 9068, OpenID Connect Core, and what the large providers add.
const KNOWN: [&str; 46] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "azp",
    "nonce",
    "auth_time",
    "acr",
    "amr",
    "sid",
    "scope",
    "client_id",
    "groups",
    "roles",
    "role",
    "entitlements",
    "email",
    "email_verified",
    "name",
    "given_name",
    "family_name",
    "nickname",
    "preferred_username",
    "username",
    "token_use",
    "event_id",
    "scp",
    "cid",
    "uid",
    "oid",
    "tid",
    "appid",
    "upn",
    "unique_name",
    "wids",
    "idtyp",
    "permissions",
    "org_id",
    "hd",
    "act",
    "typ",
    "realm_access",
    "resource_access",
];

/// Wrong names that people write for a claim.
const ALIASES: [(&str, &str); 8] = [
    ("subject", "sub"),
    ("scopes", "scope"),
    ("group", "groups"),
    ("permission", "permissions"),
    ("audience", "aud"),
    ("issuer", "iss"),
    ("mail", "email"),
    ("cognito:group", "cognito:groups"),
];

fn misspelt(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.rules() {
        for (place, claim, _) in rule.claims() {
            if let Some(known) = meant(claim) {
                let message = format!("rule `{}` reads `{claim}`; did you mean `{known}`?", rule.id());
                let severity = if rule.is_deny() { Severity::High } else { Severity::Medium };
                found.push(rule.found_at(place, message).severity(severity));
            }
        }
    }
    found
}

fn meant(claim: &str) -> Option<&'static str> {
    let plain = |name: &str| name.replace(['_', '-', ' '], "").to_ascii_lowercase();
    if KNOWN.contains(&claim) {
        return None;
    }
    // Of a path, the claim that it begins with: `/realmAccess/roles`.
    let root = claim_name::root(claim);
    let claim = root.as_ref();
    if KNOWN.contains(&claim) {
        return None;
    }
    let alias = ALIASES.iter().find(|(alias, _)| plain(alias) == plain(claim)).map(|(_, known)| *known);
    let known = || KNOWN.iter().find(|known| plain(known) == plain(claim)).copied();
    alias.or_else(known)
}

fn free_text(subject: &PolicySubject<'_>) -> Vec<Observation> {
    const TEXTS: [&str; 12] = [
        "title",
        "job_title",
        "jobTitle",
        "department",
        "company",
        "company_name",
        "organization",
        "office",
        "description",
        "division",
        "cost_center",
        "team",
    ];
    let mut found = Vec::new();
    for rule in subject.rules() {
        for condition in rule.rule.conditions() {
            if let ClaimTest::Has(word) = &condition.test
                && TEXTS.contains(&condition.claim.as_str())
            {
                let place = rule.place().then("when").then(&condition.claim).then("has");
                let claim = &condition.claim;
                let message = format!("rule `{}` looks for the word `{word}` in `{claim}`", rule.id());
                found.push(rule.found_at(place, message));
            }
        }
    }
    found
}

fn list_equals(subject: &PolicySubject<'_>) -> Vec<Observation> {
    const LISTS: [&str; 9] =
        ["scope", "scp", "groups", "roles", "cognito:groups", "permissions", "entitlements", "amr", "wids"];
    let mut found = Vec::new();
    for rule in subject.rules() {
        for condition in rule.rule.conditions() {
            let test = match &condition.test {
                ClaimTest::Equals(_) => "equals",
                ClaimTest::Any(_) => "any",
                ClaimTest::StartsWith(_) => "starts_with",
                ClaimTest::Has(_) | ClaimTest::Present(_) => continue,
            };
            // `/realm_access/roles`, too.
            let last = claim_name::path(&condition.claim).last();
            if last.is_some_and(|last| LISTS.contains(&last.as_ref())) {
                let place = rule.place().then("when").then(&condition.claim).then(test);
                let message =
                    format!("rule `{}` uses `{test}` on `{}`, which is a list", rule.id(), condition.claim);
                let severity = if rule.is_deny() { Severity::High } else { Severity::Medium };
                found.push(rule.found_at(place, message).severity(severity));
            }
        }
    }
    found
}

/// Whether the issuer's block makes a test hold, or fail; or whether it does not decide it.
fn known(issuer: &IssuerDocument, claim: &str, test: &ClaimTest) -> Option<bool> {
    let issuer_value = Scalar::String(issuer.issuer.clone());
    let value = if claim == "iss" { Some(&issuer_value) } else { issuer.required.get(claim) };
    if let (None, "client_id", [_, ..]) = (value, claim, issuer.client_id.as_slice()) {
        let is_one = |value: &Scalar| matches!(value, Scalar::String(id) if issuer.client_id.contains(id));
        return match test {
            ClaimTest::Equals(value) if !is_one(value) => Some(false),
            ClaimTest::Any(values) if !values.iter().any(is_one) => Some(false),
            ClaimTest::Present(expected) => Some(*expected),
            ClaimTest::StartsWith(beginning) => {
                let mut begin = issuer.client_id.iter().map(|id| id.starts_with(beginning.as_str()));
                let first = begin.next()?;
                begin.all(|one| one == first).then_some(first)
            }
            ClaimTest::Equals(_) | ClaimTest::Any(_) | ClaimTest::Has(_) => None,
        };
    }
    let value = value?;
    Some(match test {
        ClaimTest::Equals(expected) => expected == value,
        ClaimTest::Any(expected) => expected.contains(value),
        ClaimTest::Has(word) => {
            matches!(value, Scalar::String(words) if words.split(' ').any(|one| one == word))
        }
        ClaimTest::StartsWith(beginning) => {
            matches!(value, Scalar::String(text) if text.starts_with(beginning.as_str()))
        }
        ClaimTest::Present(expected) => *expected,
    })
}

/// The conditions of a rule for which every issuer of the rule gives this answer.
fn known_of<'r>(rule: &'r RuleView<'_>, holds: bool) -> impl Iterator<Item = &'r str> {
    rule.rule.conditions().iter().filter_map(move |condition| {
        let says = |issuer: &&IssuerDocument| known(issuer, &condition.claim, &condition.test) == Some(holds);
        (!rule.issuers.is_empty() && rule.issuers.iter().all(says)).then_some(condition.claim.as_str())
    })
}

/// The claims for which a rule requires a value that no token of its issuers has.
fn against<'r>(rule: &'r RuleView<'_>) -> impl Iterator<Item = &'r str> {
    known_of(rule, false).filter(|claim| {
        // A request without a token does not have a claim, and such a deny rule may be about that.
        let is_of_no_token = |test: &ClaimTest| matches!(test, ClaimTest::Present(false));
        let mut conditions = rule.rule.conditions().iter();
        !rule.is_deny() || !conditions.any(|one| one.claim == *claim && is_of_no_token(&one.test))
    })
}

/// Whether a rule matches nothing for a reason with its own finding.
pub(super) fn is_against_the_issuer(rule: &RuleView<'_>) -> bool {
    against(rule).next().is_some()
}

fn against_the_issuer(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.rules() {
        for claim in against(&rule) {
            let place = rule.place().then("when").then(claim);
            let message = format!(
                "rule `{}` requires a value of `{claim}` that the issuer's tokens never have",
                rule.id()
            );
            let severity = if rule.is_deny() { Severity::High } else { Severity::Medium };
            found.push(rule.found_at(place, message).severity(severity));
        }
    }
    found
}

fn says_nothing(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.allows() {
        for claim in known_of(&rule, true) {
            let place = rule.place().then("when").then(claim);
            let message = format!(
                "rule `{}` requires a value of `{claim}` that all tokens of the issuer have",
                rule.id()
            );
            found.push(rule.found_at(place, message));
        }
    }
    found
}

fn within_a_name(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.allows() {
        for condition in rule.rule.conditions() {
            if let ClaimTest::StartsWith(beginning) = &condition.test
                && beginning.ends_with(|last: char| last.is_alphanumeric() || ['-', '_', '.'].contains(&last))
            {
                let place = rule.place().then("when").then(&condition.claim).then("starts_with");
                let (claim, beginning) = (condition.claim.escape_debug(), beginning.escape_debug());
                let message = format!(
                    "rule `{}` takes every `{claim}` that begins with `{beginning}`, also one with a longer name",
                    rule.id()
                );
                found.push(rule.found_at(place, message));
            }
        }
    }
    found
}
