//! What a policy refuses, or fails to refuse, in silence: rules that nobody can match, claims and values that the
//! provider's tokens do not have, media types that nobody sends.

use super::finding::PolicyFinding;
use super::subject::PolicySubject;
use crate::catalogue::{catalogue, families};
use crate::check::Check;
use crate::family::Family;

/// The checks that look at the policy as it is written, by their ids.
const AS_WRITTEN: [&str; 13] = [
    "EA034", "EA035", "EA037", "EA038", "EA052", "EA053", "EA054", "EA056", "EA057", "EA069", "EA070",
    "EA071", "EA072",
];

/// The check that analyses the rules.
const ANALYSED: &str = "EA001";

/// The most rules that are analysed: the answer must not take longer than reading the policy.
const MAX_ANALYSED: usize = 200;

/// The findings about what a policy does in silence, without those that it accepts. Of a policy with more than 200 rules,
/// the rules are not analysed.
pub fn in_silence(subject: &PolicySubject<'_>) -> Vec<PolicyFinding> {
    let is_short = subject.document().rules.len() <= MAX_ANALYSED;
    let is_one = |check: &Check| AS_WRITTEN.contains(&check.id) || (is_short && check.id == ANALYSED);
    let mut findings = Vec::new();
    for family in families() {
        match family {
            Family::Policy(checks) => {
                for (check, look) in checks.iter().filter(|(check, _)| is_one(check)) {
                    findings.extend(look(subject).into_iter().map(|seen| PolicyFinding::new(check, seen)));
                }
            }
            // Of these, only the one that marks what is accepted matters: it runs on what was found.
            Family::AfterPolicy(_, look) => look(subject, catalogue(), &mut findings),
            Family::Deployment(..) => {}
        }
    }
    findings.retain(|finding| finding.accepted.is_none() && is_one(finding.check));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_is_of_a_check() {
        for id in AS_WRITTEN.iter().chain([&ANALYSED]) {
            assert!(catalogue().policy.iter().any(|check| check.id == *id), "{id}");
        }
    }
}
