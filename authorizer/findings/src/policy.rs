//! The findings of a policy: every check over rules, issuers, keys and the browser settings.
//!
//! One check, or one tight family of them, is one file in `checks`, one page in `docs/audit` and one pair of
//! fixtures. A check reads the document and the compiled policy, but no file and no clock.

mod accepted;
mod checks;
mod exact;
mod finding;
mod registry;
mod subject;

pub use finding::{About, Acceptance, Check, Finding, Severity};
pub use registry::registry;
pub use subject::Subject;

/// Every finding of a policy, including accepted ones: the gravest first, then in the order of the
/// policy.
pub fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = registry()
        .iter()
        .flat_map(|check| (check.run)(subject).into_iter().map(|found| Finding::new(check, found)))
        .collect();
    findings.extend(undecided(subject));
    accepted::accept(subject, &mut findings);
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.check.id));
    findings
}

/// If the analysis of a rule did not finish, that is a finding of its own, because silence would look like an answer.
fn undecided(subject: &Subject<'_>) -> Vec<Finding> {
    let check = registry().iter().find(|check| check.id == "EA019");
    let undecided = subject.exact().undecided();
    let rules = subject.rules().filter_map(|rule| {
        let why = undecided.get(&rule.index)?;
        Some(Finding::new(check?, rule.found(format!("rule `{}`: {why}", rule.id()))))
    });
    rules.collect()
}
