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
title: "the analysis could not say something of a rule",
why: "The patterns in play have too many ways to overlap, or the core does not decide as the analysis says it \
      would. The checks that rest on it may be silent of this rule: take it for unchecked.",
remedy: "write fewer `*` in one pattern; where the analysis and the core differ, report it",
};

fn look(subject: &PolicySubject<'_>, _: &Catalogue, findings: &mut Vec<PolicyFinding>) {
    let undecided = subject.exact().undecided();
    findings.extend(subject.rules().filter_map(|rule| {
        let why = undecided.get(&rule.index)?;
        Some(PolicyFinding::new(&GAVE_UP, rule.found(format!("rule `{}`: {why}", rule.id()))))
    }));
}
