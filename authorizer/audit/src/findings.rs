//! What in a policy deserves a second look: every check over rules, issuers, keys and the browser's part.
//!
//! One check, or one tight family of them, is one file in `checks`, one page in `docs/audit` and one pair of
//! fixtures. A check is asked of the document and of what it compiled to; it knows no file and no clock.

mod accepted;
mod checks;
mod finding;
mod registry;
mod subject;

pub use finding::{About, Acceptance, Check, Finding, Severity};
pub use registry::registry;
pub use subject::Subject;

/// Every finding of a policy, those that it accepts among them: the gravest first, then as they stand in the
/// policy.
pub fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = registry()
        .iter()
        .flat_map(|check| (check.run)(subject).into_iter().map(|found| Finding::new(check, found)))
        .collect();
    accepted::accept(subject, &mut findings);
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.check.id));
    findings
}
