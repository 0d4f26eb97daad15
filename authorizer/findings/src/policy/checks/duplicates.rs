//! Rules that say the same.

use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::finding::Observation;
use crate::policy::subject::{PolicySubject, RuleView};

pub(super) static FAMILY: Family = Family::Policy(&[(
    Check {
        id: "EA010",
        name: "rule-twice",
        severity: Severity::Low,
        title: "two rules are the same except for their ids",
        why: "A person who removes or narrows one of them believes that this closes something, but the other \
          rule still holds.",
        remedy: "remove one of the two, or write what it should say",
    },
    twice,
)]);

fn twice(subject: &PolicySubject<'_>) -> Vec<Observation> {
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
pub(super) fn has_a_twin(subject: &PolicySubject<'_>, rule: &RuleView<'_>) -> bool {
    subject.alike().iter().any(|alike| alike.contains(&rule.index))
}
