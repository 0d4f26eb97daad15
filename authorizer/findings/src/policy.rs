//! What in a policy deserves a second look: every check over rules, issuers, keys and the browser's part.
//!
//! One check, or one tight family of them, is one file in `checks`, one page in `docs/audit` and one pair of
//! fixtures. A check is asked of the document and of what it compiled to; it knows no file and no clock.

mod accepted;
mod checks;
mod exact;
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
    findings.extend(undecided(subject));
    accepted::accept(subject, &mut findings);
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.check.id));
    findings
}

/// What the engine could not say of a rule is a finding of its own: silence would look like an answer.
fn undecided(subject: &Subject<'_>) -> Vec<Finding> {
    let check = registry().iter().find(|check| check.id == "EA019");
    let undecided = subject.exact().undecided();
    let rules = subject.rules().filter_map(|rule| {
        let why = undecided.get(&rule.index)?;
        Some(Finding::new(check?, rule.found(format!("rule `{}`: {why}", rule.id()))))
    });
    rules.collect()
}
