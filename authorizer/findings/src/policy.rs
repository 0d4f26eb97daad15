//! The findings of a policy: every check over rules, issuers, keys and the browser settings.
//!
//! One check, or one tight family of them, is one file in `checks`, one page in `docs/audit` and one pair of
//! fixtures. A check reads the document and the compiled policy, but no file and no clock.

pub(crate) mod checks;
mod exact;
pub(crate) mod finding;
mod silent;
pub(crate) mod subject;

use std::cmp::Reverse;

use crate::catalogue::{catalogue, families};
use crate::family::Family;

pub use finding::{About, Acceptance, PolicyFinding};
pub use silent::in_silence;
pub use subject::PolicySubject;

/// Every finding of a policy, including accepted ones: the gravest first, then in the order of the
/// policy.
pub fn findings(subject: &PolicySubject<'_>) -> Vec<PolicyFinding> {
    let mut findings = Vec::new();
    for family in families() {
        match family {
            Family::Policy(checks) => findings.extend(checks.iter().flat_map(|(check, look)| {
                look(subject).into_iter().map(|seen| PolicyFinding::new(check, seen))
            })),
            Family::AfterPolicy(_, look) => look(subject, catalogue(), &mut findings),
            Family::Deployment(..) => {}
        }
    }
    findings.sort_by_key(|finding| (Reverse(finding.severity), finding.check.id));
    findings
}
