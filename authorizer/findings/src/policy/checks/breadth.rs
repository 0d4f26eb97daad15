//! Allow rules that reach further than a rule should.

use authorizer_core::operation::S3Operation as Op;
use authorizer_core::policy::Place;
use authorizer_core::rules::{KeyPattern, PrincipalConstraint, Segment};

use super::claims::asks_for_a_right;
use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::finding::Observation;
use crate::policy::subject::{PolicySubject, RuleView, is_everything, is_wild, list, names};

pub(super) static FAMILY: Family = Family::Policy(&[
    (
        Check {
            id: "EA025",
            name: "any-token-writes",
            severity: Severity::High,
            title: "every token of an issuer may write or delete the same keys",
            why: "A token says who somebody is. This rule requires nothing more, and its keys are the same for \
              everyone. So each user, and each application that gets a token for itself, may replace or \
              delete what the others put there.",
            remedy: "give each user their own folder, such as `users/{sub}/**`, or require a scope or a role in \
                 `when`",
        },
        any_token_writes,
    ),
    (
        Check {
            id: "EA026",
            name: "delete-of-everything",
            severity: Severity::Low,
            title: "a rule allows somebody to delete every key of the bucket",
            why: "One leaked token, or one faulty script, empties the bucket. Few people need to delete \
              everything; most need one folder.",
            remedy: "name the folders, add a deny rule for what must stay, or accept the finding and give the \
                 reason (S3 versioning keeps deleted objects)",
        },
        delete_of_everything,
    ),
    (
        Check {
            id: "EA027",
            name: "write-without-a-right",
            severity: Severity::Low,
            title: "a rule allows writing by identity alone, without a scope, role or group",
            why: "Every token of that person is enough, whatever it was issued for: a token for another \
              application that only reads, or an ID token if nothing else excludes it. An access token \
              should have only the privileges that it needs (RFC 9700 section 2.3).",
            remedy: "require a scope, such as `when = { scope = { has = \"files\" } }`",
        },
        write_without_a_right,
    ),
    (
        Check {
            id: "EA028",
            name: "rule-for-every-issuer",
            severity: Severity::High,
            title: "an allow rule accepts tokens of every issuer, and there are several issuers",
            why: "What your own people may do, a partner's people may do too. The same holds for every issuer \
              that somebody adds later without thinking of this rule.",
            remedy: "name the issuers: `issuers = [\"...\"]`",
        },
        rule_for_every_issuer,
    ),
    (
        Check {
            id: "EA029",
            name: "wildcard-at-the-head",
            severity: Severity::Medium,
            title: "an allow rule's pattern begins with a wildcard",
            why: "The rule applies wherever a folder or file with that name exists. A person who may write to \
              some folder can create one there, and so decides what the rule allows.",
            remedy: "begin the pattern with the folder that you mean",
        },
        wildcard_at_the_head,
    ),
]);

/// The patterns of a rule for which it only requires that there is a token, or requires more. The patterns are
/// alternatives, so each is judged by itself.
fn patterns_that_ask<'p>(rule: &RuleView<'p>, more: bool) -> Vec<(Place, &'p KeyPattern)> {
    let asks = |pattern: &KeyPattern| !rule.rule.conditions().is_empty() || pattern.claims().next().is_some();
    rule.patterns().filter(|(_, pattern)| asks(pattern) == more).collect()
}

/// Something about these patterns: about the rule as a whole, if they are all that it has.
fn found_of(rule: &RuleView<'_>, patterns: &[(Place, &KeyPattern)], message: String) -> Observation {
    match patterns.first() {
        Some((place, _)) if patterns.len() < rule.rule.keys().len() => rule.found_at(place.clone(), message),
        _ => rule.found(message),
    }
}

fn texts(patterns: &[(Place, &KeyPattern)]) -> String {
    let texts: Vec<_> = patterns.iter().map(|(_, pattern)| pattern.to_string()).collect();
    list(&texts)
}

fn any_token_writes(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let open = subject.allows().filter(|rule| !rule.is_anonymous());
    open.filter_map(|rule| {
        let writes = rule.that(Op::changes_stored);
        let patterns = patterns_that_ask(&rule, false);
        if writes.is_empty() || patterns.is_empty() {
            return None;
        }
        let issuers: Vec<_> = rule.issuers.iter().map(|issuer| format!("`{}`", issuer.name)).collect();
        let message = format!(
            "rule `{}` allows {} on {} with every token of {}",
            rule.id(),
            names(&writes),
            texts(&patterns),
            issuers.join(" and ")
        );
        let only_adds = rule.rule.terms().create_only && !rule.has(Op::DeleteObject);
        let severity = match patterns.iter().any(|(_, pattern)| is_everything(pattern)) {
            _ if only_adds => Severity::Low,
            true => Severity::High,
            false => Severity::Medium,
        };
        Some(found_of(&rule, &patterns, message).severity(severity))
    })
    .collect()
}

fn delete_of_everything(subject: &PolicySubject<'_>) -> Vec<Observation> {
    // Without a token, and by any token, it is a finding of its own, and a graver one.
    let asking = subject.allows().filter(|rule| !rule.is_anonymous());
    asking
        .filter(|rule| rule.has(Op::DeleteObject))
        .filter_map(|rule| {
            let patterns = patterns_that_ask(&rule, true);
            let (place, pattern) = patterns.into_iter().find(|(_, pattern)| is_everything(pattern))?;
            let message =
                format!("rule `{}` allows its tokens to delete every key, with `{pattern}`", rule.id());
            Some(rule.found_at(place, message))
        })
        .collect()
}

fn write_without_a_right(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let asking = subject.allows().filter(|rule| !rule.is_anonymous());
    asking
        .filter(|rule| !asks_for_a_right(rule))
        .filter_map(|rule| {
            let writes = rule.that(Op::changes_stored);
            let patterns = patterns_that_ask(&rule, true);
            let message = format!(
                "rule `{}` allows {} on {} with any token of the right person",
                rule.id(),
                names(&writes),
                texts(&patterns)
            );
            let opens = !writes.is_empty() && !patterns.is_empty();
            opens.then(|| found_of(&rule, &patterns, message))
        })
        .collect()
}

fn rule_for_every_issuer(subject: &PolicySubject<'_>) -> Vec<Observation> {
    if subject.document().issuers.len() < 2 {
        return Vec::new();
    }
    let open = subject.allows().filter(|rule| *rule.rule.principals() == PrincipalConstraint::AnyIssuer);
    open.map(|rule| {
        let count = rule.issuers.len();
        let message = format!("rule `{}` accepts tokens of all {count} issuers", rule.id());
        let severity =
            if rule.that(Op::changes_stored).is_empty() { Severity::Medium } else { Severity::High };
        rule.found(message).severity(severity)
    })
    .collect()
}

fn wildcard_at_the_head(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.allows() {
        for (place, pattern) in rule.patterns() {
            let names_something = |segment: &Segment| !is_wild(segment);
            let is_headless = pattern.segments().first().is_some_and(is_wild)
                && pattern.segments().iter().any(names_something);
            if is_headless {
                let message = format!("rule `{}` allows `{pattern}`, wherever a key fits it", rule.id());
                let severity = if rule.is_anonymous() { Severity::Medium } else { Severity::Low };
                found.push(rule.found_at(place, message).severity(severity));
            }
        }
    }
    found
}
