//! What a provider's tokens cannot have, by what is known of it.

use authorizer_core::Scalar;
use authorizer_core::policy::document::IssuerDocument;
use authorizer_core::rules::ClaimTest;
use authorizer_policy::providers::{AudienceForm, Claim, ClaimType, Kind, Provider, Tokens};

use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::finding::Observation;
use crate::policy::subject::{IssuerView, PolicySubject, RuleView};

pub(super) static FAMILY: Family = Family::Policy(&[
    (
        Check {
            id: "EA052",
            name: "value-no-token-has",
            severity: Severity::High,
            title: "a claim is compared with a value, or a type of value, that the provider never gives",
            why: "Values must match exactly, the type too: the text `true` is not the boolean. In `required`, no \
              token of the issuer verifies. An allow rule allows nobody, and a deny rule denies nobody.",
            remedy: "write the value as it is in the tokens (`authorizer token inspect` shows a token)",
        },
        no_such_value,
    ),
    (
        Check {
            id: "EA053",
            name: "has-of-several-words",
            severity: Severity::High,
            title: "`has` looks for a text that reads as several words",
            why: "`has` looks for one member of a list, or one word between spaces. The whole text with its comma \
              is that word, and no list has it. An allow rule allows nobody, and a deny rule denies nobody.",
            remedy: "write a rule for each word",
        },
        several_words,
    ),
    (
        Check {
            id: "EA054",
            name: "claim-with-a-slash",
            severity: Severity::High,
            title: "a pattern has a claim whose values contain `/`",
            why: "A `{claim}` stands for one segment of a key, so a value with a slash matches no key. An allow \
              rule allows nobody, and a deny rule denies nobody.",
            remedy: "use a claim without slashes, such as an id, or a rule for each value with the folder written out",
        },
        with_slash,
    ),
    (
        Check {
            id: "EA057",
            name: "audience-no-token-has",
            severity: Severity::Medium,
            title: "a block names an audience or a client that the provider's tokens never have",
            why: "A token without one of these values is refused, so these tokens are refused, all of them.",
            remedy: "write what the tokens have (`authorizer help providers`)",
        },
        no_such_audience,
    ),
]);

/// The kinds of a provider's tokens that a block may accept; none of a provider that is not known.
pub(super) fn accepted_kinds(issuer: &IssuerDocument) -> Vec<(Kind, &'static Tokens)> {
    let Some(provider) = Provider::of(&issuer.issuer) else { return Vec::new() };
    let is_accepted = |(_, tokens): &(Kind, &Tokens)| {
        tokens.says.iter().all(|(claim, value)| {
            issuer.required.get(claim).is_none_or(|required| *required == Scalar::String(value.clone()))
        })
    };
    provider.kinds().filter(is_accepted).collect()
}

/// What is known of a claim of an issuer's tokens.
fn known(issuer: &IssuerDocument, claim: &str) -> Option<&'static Claim> {
    Provider::of(&issuer.issuer)?.claims.get(claim)
}

/// The values of a claim that says which kind a token is of, if this is a slip for one of them.
fn slip(issuer: &IssuerDocument, claim: &str, value: &Scalar) -> Option<String> {
    let Scalar::String(text) = value else { return None };
    let kinds = Provider::of(&issuer.issuer)?.kinds();
    let values: Vec<_> = kinds.filter_map(|(_, tokens)| tokens.says.get(claim)).collect();
    let near = |one: &&String| strsim::osa_distance(&one.to_lowercase(), &text.to_lowercase()) <= 1;
    let quoted: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
    (!values.contains(&text) && values.iter().any(near)).then(|| format!("which is {}", quoted.join(" or ")))
}

/// Why a claim never has this value, as the rest of a sentence.
fn never(issuer: &IssuerDocument, claim: &str, value: &Scalar) -> Option<String> {
    if let Some(why) = slip(issuer, claim, value) {
        return Some(why);
    }
    let known = known(issuer, claim);
    // OpenID Connect Core section 5.1.
    let is_standard = ["email_verified", "phone_number_verified"].contains(&claim);
    let form = known.map(|known| known.form).or(is_standard.then_some(ClaimType::Boolean))?;
    match (form, value) {
        (ClaimType::Boolean, Scalar::String(_) | Scalar::Integer(_)) => Some("which is a boolean".into()),
        (ClaimType::Number, Scalar::String(_) | Scalar::Boolean(_)) => Some("which is a number".into()),
        (ClaimType::Text | ClaimType::Words | ClaimType::List, Scalar::Integer(_) | Scalar::Boolean(_)) => {
            Some("which is text".into())
        }
        (ClaimType::Text, Scalar::String(text)) => {
            let values = known.map(|known| known.values.as_slice()).filter(|values| !values.is_empty())?;
            let quoted: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
            (!values.contains(text)).then(|| format!("which is {}", quoted.join(" or ")))
        }
        (ClaimType::Boolean, Scalar::Boolean(_))
        | (ClaimType::Number, Scalar::Integer(_))
        | (ClaimType::Words | ClaimType::List, Scalar::String(_))
        | (ClaimType::Object | ClaimType::Either, _) => None,
    }
}

fn written(value: &Scalar) -> String {
    match value {
        Scalar::String(text) => format!("the text `{}`", text.escape_debug()),
        Scalar::Integer(number) => format!("the number `{number}`"),
        Scalar::Boolean(truth) => format!("the boolean `{truth}`"),
    }
}

/// As grave as a rule that matches nothing.
fn of_rule(rule: &RuleView<'_>) -> Severity {
    if rule.is_deny() { Severity::High } else { Severity::Medium }
}

fn no_such_value(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for issuer in subject.issuers() {
        for (claim, value) in &issuer.document.required {
            if let Some(why) = never(issuer.document, claim, value) {
                let message =
                    format!("issuer `{}` requires {} of `{claim}`, {why}", issuer.name(), written(value));
                let place = issuer.place().then("required").then(claim);
                found.push(issuer.found_at(place, message).severity(Severity::Medium));
            }
        }
    }
    for rule in subject.rules() {
        for condition in rule.rule.conditions() {
            let values: Vec<Scalar> = match &condition.test {
                ClaimTest::Equals(value) => vec![value.clone()],
                ClaimTest::Any(values) => values.clone(),
                ClaimTest::Has(word) => vec![Scalar::String(word.clone())],
                // The beginning of a value is not a value.
                ClaimTest::StartsWith(_) | ClaimTest::Present(_) => continue,
            };
            let claim = condition.claim.as_str();
            for value in &values {
                let whys: Option<Vec<_>> = rule.issuers.iter().map(|one| never(one, claim, value)).collect();
                let Some(why) = whys.unwrap_or_default().into_iter().next() else { continue };
                let message =
                    format!("rule `{}` compares `{claim}` with {}, {why}", rule.id(), written(value));
                // Another value of `any` may match.
                let severity = if values.len() > 1 { Severity::Low } else { of_rule(&rule) };
                found.push(rule.found_at(rule.place().then("when").then(claim), message).severity(severity));
            }
        }
    }
    found
}

fn several_words(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.rules() {
        for condition in rule.rule.conditions() {
            let ClaimTest::Has(word) = &condition.test else { continue };
            // A distinguished name of a directory has commas, too.
            let is_several = word.contains([',', ';', '|']) && !word.contains('=');
            if is_several {
                let place = rule.place().then("when").then(&condition.claim).then("has");
                let message = format!(
                    "rule `{}` looks for the one word `{}` in `{}`",
                    rule.id(),
                    word.escape_debug(),
                    condition.claim
                );
                found.push(rule.found_at(place, message).severity(of_rule(&rule)));
            }
        }
    }
    found
}

fn with_slash(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.rules() {
        for (place, pattern) in rule.patterns() {
            for claim in pattern.claims() {
                let has = |issuer: &&IssuerDocument| known(issuer, claim).is_some_and(|known| known.slash);
                let provider = rule.issuers.first().and_then(|issuer| Provider::of(&issuer.issuer));
                if let Some(provider) = provider.filter(|_| rule.issuers.iter().all(has)) {
                    let message = format!(
                        "rule `{}` has `{pattern}`: values of `{claim}` have a slash at {}",
                        rule.id(),
                        provider.name
                    );
                    found.push(rule.found_at(place.clone(), message).severity(of_rule(&rule)));
                }
            }
        }
    }
    found
}

fn no_such_audience(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for issuer in subject.issuers() {
        let kinds = accepted_kinds(issuer.document);
        let Some((_, first)) = kinds.first() else { continue };
        found.extend(audiences(issuer, &kinds, first));
        let has_none = kinds.iter().all(|(_, tokens)| tokens.client.is_none());
        let others = Provider::of(&issuer.document.issuer)
            .is_some_and(|one| one.kinds().any(|(_, tokens)| tokens.client.as_deref() == Some("client_id")));
        if has_none && others && !issuer.document.client_id.is_empty() {
            let message = format!(
                "issuer `{}` names a `client_id`, which the tokens it accepts do not have",
                issuer.name()
            );
            found.push(issuer.found_in("client_id", message));
        }
    }
    found
}

fn audiences(issuer: IssuerView<'_>, kinds: &[(Kind, &Tokens)], first: &Tokens) -> Vec<Observation> {
    let fits = |audience: &str| {
        kinds.iter().any(|(_, tokens)| match tokens.audience_form {
            AudienceForm::Any => true,
            AudienceForm::Uri => audience.contains("://"),
            AudienceForm::Uuid => is_uuid(audience),
        })
    };
    let audiences = &issuer.document.audience;
    let is_one_good = audiences.iter().any(|audience| fits(audience));
    let wrong = audiences.iter().enumerate().filter(|(_, audience)| !fits(audience));
    wrong
        .map(|(index, audience)| {
            let place = issuer.place().then("audience").at(index);
            let message = format!(
                "issuer `{}` names the audience `{}`, but `aud` of its tokens is {}",
                issuer.name(),
                audience.escape_debug(),
                first.audience
            );
            let severity = if is_one_good { Severity::Low } else { Severity::Medium };
            issuer.found_at(place, message).severity(severity)
        })
        .collect()
}

/// RFC 9562 section 4.
fn is_uuid(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}
