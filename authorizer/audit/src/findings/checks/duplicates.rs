//! Rules that say the same.

use authorizer_core::policy::document::RuleDocument;

use super::subject::Subject;
use super::{Check, Found, Severity};

pub(super) static CHECKS: &[Check] = &[Check {
    id: "EA010",
    name: "rule-twice",
    severity: Severity::Low,
    title: "two rules are the same but for their ids",
    why: "Whoever takes one of them out, or narrows it, believes that something was closed; the other still holds.",
    remedy: "remove one of them, or write what it was meant to say",
    run: twice,
}];

fn twice(subject: &Subject<'_>) -> Vec<Found> {
    let rules: Vec<_> = subject.rules().collect();
    let mut found = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let same = rules.iter().take(index).find(|before| {
            // In another order it is the same; methods and operations are compared as what they stand for.
            before.rule.operations() == rule.rule.operations() && essence(before.document) == essence(rule.document)
        });
        if let Some(before) = same {
            found.push(rule.found(format!("rule `{}` is the same as `{}`", rule.id(), before.id())));
        }
    }
    found
}

fn essence(rule: &RuleDocument) -> RuleDocument {
    let mut rule = rule.clone();
    rule.id.clear();
    rule.methods.clear();
    rule.operations.clear();
    rule.keys.sort();
    for names in [&mut rule.issuers, &mut rule.source_ips].into_iter().flatten() {
        names.sort();
    }
    rule
}
