//! What the engine could not say: silence would look like an answer.

use crate::check::{Catalogue, Check, Severity};
use crate::family::Family;
use crate::policy::finding::PolicyFinding;
use crate::policy::subject::PolicySubject;

pub(super) static FAMILY: Family = Family::AfterPolicy(&[&GAVE_UP], look);

static GAVE_UP: Check = Check {
    id: "EA019",
    name: "analysis-gave-up",
    severity: Severity::Low,
    title: "the analysis of a rule did not finish",
    why: "The patterns overlap in too many ways to analyse, or the core does not decide as the analysis \
          predicts. The checks that need the analysis may miss something in this rule: treat the rule as \
          unchecked.",
    remedy: "use fewer `*` in one pattern; if the analysis and the core differ, report it",
};

fn look(subject: &PolicySubject<'_>, _: &Catalogue, findings: &mut Vec<PolicyFinding>) {
    let undecided = subject.exact().undecided();
    findings.extend(subject.rules().filter_map(|rule| {
        let why = undecided.get(&rule.index)?;
        Some(PolicyFinding::new(&GAVE_UP, rule.found(format!("rule `{}`: {why}", rule.id()))))
    }));
}
