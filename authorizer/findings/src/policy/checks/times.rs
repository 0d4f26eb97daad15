//! Rules with a period.

use authorizer_core::UnixTime;

use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::finding::Observation;
use crate::policy::subject::PolicySubject;

pub(super) static FAMILY: Family = Family::Policy(&[
    (
        Check {
            id: "EA050",
            name: "rule-expired",
            severity: Severity::Medium,
            title: "a rule has expired",
            why: "An expired deny rule denies nothing, although it reads as if it does. An expired allow rule \
              misleads the reader, and it allows the same again if somebody moves its date.",
            remedy: "remove the rule, or give it a `not_after` in the future",
        },
        expired,
    ),
    (
        Check {
            id: "EA051",
            name: "date-far-away",
            severity: Severity::Low,
            title: "a rule's date is many years away",
            why: "The year is mistyped, or the rule was meant to end and will not end in the life of this \
              system.",
            remedy: "correct the year; a rule that should always hold has no date",
        },
        far_away,
    ),
]);

/// Ten years.
const FAR: u64 = 10 * 365 * 86_400;

fn expired(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let rules =
        subject.rules().filter(|rule| rule.rule.period().not_after.is_some_and(|end| end <= subject.now()));
    rules
        .map(|rule| {
            let (severity, so) = match rule.is_deny() {
                true => (Severity::Medium, "no longer denies anything"),
                false => (Severity::Low, "no longer allows anything"),
            };
            rule.found_in("not_after", format!("rule `{}` {so}", rule.id())).severity(severity)
        })
        .collect()
}

fn far_away(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let is_far = |instant: Option<UnixTime>| {
        instant.is_some_and(|instant| instant.as_seconds() > subject.now().as_seconds().saturating_add(FAR))
    };
    let mut found = Vec::new();
    for rule in subject.rules() {
        let period = rule.rule.period();
        let dates = [("not_before", period.not_before, "begins"), ("not_after", period.not_after, "ends")];
        for (member, instant, what) in dates {
            if is_far(instant) {
                found.push(
                    rule.found_in(member, format!("rule `{}` {what} in more than ten years", rule.id())),
                );
            }
        }
    }
    found
}
