//! Claims that prove less than a rule expects.

use std::borrow::Cow;

use authorizer_core::policy::document::IssuerDocument;
use authorizer_core::rules::ClaimTest;
use authorizer_core::{Scalar, claim_name};
use authorizer_policy::providers::Provider;

use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::finding::Observation;
use crate::policy::subject::{PolicySubject, RuleView, Use};

pub(super) static FAMILY: Family = Family::Policy(&[
    (
        Check {
            id: "EA030",
            name: "claim-the-user-chooses",
            severity: Severity::High,
            title: "a rule decides by a claim that its subject can write",
            why: "These claims are not unique and can change (OpenID Connect Core section 5.7), and many \
              providers let people write them into their own profile. A person who takes another person's \
              name gets that person's files.",
            remedy: "decide by `sub`, or by a claim that only the issuer's administrators write",
        },
        chosen,
    ),
    (
        Check {
            id: "EA031",
            name: "email-not-verified",
            severity: Severity::High,
            title: "a rule decides by `email`, and nothing requires `email_verified`",
            why: "An unverified address is whatever the user typed. Attackers have entered applications that use \
              the address as an identity, with accounts that name another person's address.",
            remedy: "decide by `sub`, or add `email_verified = true` to the issuer's `required` if the issuer \
                 gives that claim",
        },
        email,
    ),
    (
        Check {
            id: "EA032",
            name: "attribute-the-user-writes",
            severity: Severity::Medium,
            title: "a rule decides by a custom attribute of an Amazon Cognito user",
            why: "If the app client may write the attribute, its users may write it too. With \
              `UpdateUserAttributes` and their own access token they give themselves the value that the rule \
              requires.",
            remedy: "remove the attribute from the app client's writable attributes and accept the finding, or \
                 decide by `cognito:groups`",
        },
        attribute,
    ),
    (
        Check {
            id: "EA033",
            name: "name-that-is-given-again",
            severity: Severity::Medium,
            title: "a rule's keys contain a claim whose value later passes to another person",
            why: "When somebody leaves, the next person with that name gets their folder.",
            remedy: "use an id that is never given to another person: `uid` of Okta, `oid` of Microsoft Entra \
                 ID, `sub` elsewhere",
        },
        given_again,
    ),
]);

/// OpenID Connect Core section 5.1, but for `sub` and what is said of e-mail addresses; and what providers call
/// the same.
const CHOSEN: [&str; 19] = [
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "username",
    "cognito:username",
    "display_name",
    "displayName",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "phone_number",
    "address",
];

/// Claims that say what a token may be used for, or which role its subject has.
const RIGHTS: [&str; 11] = [
    "scope",
    "scp",
    "permissions",
    "role",
    "roles",
    "group",
    "groups",
    "cognito:groups",
    "entitlements",
    "authorities",
    "wids",
];

/// Whether a rule requires a scope, a role or similar. A claim whose name is a URL, or is not in a standard, was
/// made for this.
pub(super) fn asks_for_a_right(rule: &RuleView<'_>) -> bool {
    rule.rule.conditions().iter().any(|condition| {
        let is_asked = !matches!(condition.test, ClaimTest::Present(false));
        is_asked && gives_a_right(&condition.claim)
    })
}

/// Whether a claim says what a token may be used for, or which role its subject has.
pub(super) fn gives_a_right(claim: &str) -> bool {
    let last = claim.rsplit(['/', ':', '.']).next().unwrap_or_default();
    RIGHTS.contains(&claim) || RIGHTS.contains(&last)
}

/// Whether a claim says who somebody is.
pub(super) fn names_a_person(claim: &str) -> bool {
    let last = last_of(claim);
    ["sub", "email", "oid", "uid", "upn", "unique_name", "login"].contains(&last.as_ref())
        || CHOSEN.contains(&claim)
}

/// The last name of a path, or the whole name. Of the claims that anyone can choose, it says too little: `name` within
/// another claim may be that of a machine.
fn last_of(claim: &str) -> Cow<'_, str> {
    claim_name::path(claim).last().unwrap_or_default()
}

fn chosen(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.rules() {
        for (place, claim, reads) in rule.claims() {
            if !CHOSEN.contains(&claim) && claim_name::root(claim) != "user_metadata" {
                continue;
            }
            let (severity, what) = match reads {
                Use::Condition(ClaimTest::Present(_)) => continue,
                Use::Metadata => (Severity::Low, "has in its metadata"),
                Use::Key | Use::Condition(_) if rule.is_deny() => (Severity::Medium, "denies by"),
                Use::Key => (Severity::High, "has in its keys"),
                Use::Condition(_) => (Severity::High, "decides by"),
            };
            let message = format!("rule `{}` {what} `{claim}`, which its subject can write", rule.id());
            found.push(rule.found_at(place, message).severity(severity));
        }
    }
    found
}

fn email(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let is_true = |value: Option<&Scalar>| {
        matches!(value, Some(Scalar::Boolean(true))) || value == Some(&Scalar::String("true".into()))
    };
    let is_verified = |rule: &RuleView<'_>, verified: &str| {
        let by_issuer = rule.issuers.iter().all(|issuer| is_true(issuer.required.get(verified)));
        let by_rule = rule.rule.conditions().iter().any(|condition| {
            condition.claim == verified
                && matches!(&condition.test, ClaimTest::Equals(value) if is_true(Some(value)))
        });
        by_issuer || by_rule
    };
    let mut found = Vec::new();
    for rule in subject.rules() {
        for (place, claim, reads) in rule.claims() {
            let severity = match reads {
                Use::Metadata | Use::Condition(ClaimTest::Present(_)) => continue,
                Use::Key | Use::Condition(_) if rule.is_deny() => Severity::Medium,
                Use::Key | Use::Condition(_) => Severity::High,
            };
            // The claim beside an address says whether it is verified.
            if last_of(claim) == "email" && !is_verified(&rule, &format!("{claim}_verified")) {
                let message = format!(
                    "rule `{}` decides by `{claim}`, which may be another person's address",
                    rule.id()
                );
                found.push(rule.found_at(place, message).severity(severity));
            }
        }
    }
    found
}

fn attribute(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.rules() {
        let of_cognito = rule.issuers.iter().any(|issuer| issuer.issuer.starts_with("https://cognito-idp."));
        for (place, claim, reads) in rule.claims() {
            let decides = matches!(reads, Use::Key | Use::Condition(_));
            if of_cognito && decides && claim.starts_with("custom:") {
                let message = format!("rule `{}` decides by the attribute `{claim}`", rule.id());
                found.push(rule.found_at(place, message));
            }
        }
    }
    found
}

fn given_again(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.allows() {
        let is_reused = |issuer: &&IssuerDocument| {
            let provider = Provider::of(&issuer.issuer);
            provider.and_then(|one| one.claims.get("sub")).is_some_and(|sub| sub.reused)
        };
        let of_okta = rule.issuers.iter().any(is_reused);
        for (place, claim, reads) in rule.claims() {
            let is_name = ["upn", "unique_name", "login", "login_hint"].contains(&last_of(claim).as_ref());
            if matches!(reads, Use::Key) && (is_name || (claim == "sub" && of_okta)) {
                let whose = if is_name { "" } else { " (in Okta, the sign-in name)" };
                let message = format!("rule `{}` has `{{{claim}}}`{whose} in its keys", rule.id());
                found.push(rule.found_at(place, message));
            }
        }
    }
    found
}

/// The host of an address.
pub(super) fn host_of(address: &str) -> Option<&str> {
    let authority = address.split_once("://")?.1.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(address, _)| address),
        None => host.split(':').next(),
    }
}
