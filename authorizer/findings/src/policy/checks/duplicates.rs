//! Rules that say the same.

use super::subject::{RuleView, Subject};
use super::{Check, Found, Severity};

pub(super) static CHECKS: &[Check] = &[Check {
    id: "EA010",
    name: "rule-twice",
    severity: Severity::Low,
    title: "two rules are the same except for their ids",
    why: "A person who removes or narrows one of them believes that this closes something, but the other \
          rule still holds.",
    remedy: "remove one of the two, or write what it should say",
    run: twice,
}];

fn twice(subject: &Subject<'_>) -> Vec<Found> {
    let rules: Vec<_> = subject.rules().collect();
    let mut found = Vec::new();
    for alike in subject.alike() {
        let Some((first, others)) = alike.split_first() else { continue };
        for (before, rule) in others.iter().filter_map(|other| rules.get(*first).zip(rules.get(*other))) {
            found.push(rule.found(format!("rule `{}` is the same as `{}`", rule.id(), before.id())));
        }
    }
    found
}

/// Whether another rule is the same but for its id.
pub(super) fn has_a_twin(subject: &Subject<'_>, rule: &RuleView<'_>) -> bool {
    subject.alike().iter().any(|alike| alike.contains(&rule.index))
}
