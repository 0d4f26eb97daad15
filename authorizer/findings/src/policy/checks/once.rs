//! What is said once of a policy, whichever of its rules it is of.
//!
//! Each rule is a finding of its own until it is accepted: an entry that named no rule would accept the next rule, too.

use crate::check::{Catalogue, Severity};
use crate::family::Family;
use crate::policy::finding::{About, PolicyFinding};
use crate::policy::subject::{PolicySubject, list};

use super::uploads::{ANY_LENGTH, ANY_TYPE};

pub(super) static FAMILY: Family = Family::AfterPolicy(&[], together);

/// Puts the open findings of such a check and of one severity together.
fn together(_: &PolicySubject<'_>, _: &Catalogue, findings: &mut Vec<PolicyFinding>) {
    for (id, what) in [("EA060", ANY_LENGTH), ("EA061", ANY_TYPE)] {
        for severity in Severity::ALL {
            let is_one = |finding: &PolicyFinding| {
                finding.check.id == id && finding.severity == severity && finding.accepted.is_none()
            };
            let (open, others): (Vec<_>, Vec<_>) = std::mem::take(findings).into_iter().partition(is_one);
            *findings = others;
            let rules: Vec<_> = open.iter().filter_map(|finding| finding.about.rule()).collect();
            let message = format!("rules {} allow {what}", list(&rules));
            match (open.first(), rules.len()) {
                (Some(first), 2..) => {
                    findings.push(PolicyFinding { about: About::Policy, message, ..first.clone() });
                }
                (Some(_) | None, _) => findings.extend(open),
            }
        }
    }
}
