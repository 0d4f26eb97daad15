//! `[[accepted]]`: findings that the policy accepts.

use authorizer_core::policy::Place;
use authorizer_core::policy::document::AcceptedDocument;

use super::finding::{About, Acceptance, Check, Finding, Found, Severity};
use super::registry::registry;
use super::subject::Subject;
use crate::deployment;

/// Found here and not in the registry, because they are about the other findings.
pub(super) static CHECKS: &[Check] = &[
    Check {
        id: "EA140",
        name: "accepted-is-no-finding",
        severity: Severity::Low,
        title: "the id of an accepted finding does not exist",
        why: "An entry of `[[accepted]]` with an unknown id accepts nothing. A reader believes that somebody \
              looked at something and found it right.",
        remedy: "write the id of a finding, such as `EA020`, or remove the entry",
        run: |_| Vec::new(),
    },
    Check {
        id: "EA141",
        name: "accepted-is-not-found",
        severity: Severity::Low,
        title: "an accepted finding is not found any more, or is about something else",
        why: "The same finding may come back for another reason, and the entry would then accept it unseen. \
              An entry accepts exactly the rule, the issuer and the key that it names.",
        remedy: "remove the entry, or name the `rule`, or the `issuer` and the `kid`, that the finding is \
                 about",
        run: |_| Vec::new(),
    },
];

/// Marks the findings that the policy accepts, and adds a finding for each entry that accepts nothing. These
/// cannot be accepted.
pub(super) fn accept(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let mut more = Vec::new();
    for (index, entry) in subject.document().accepted.iter().enumerate() {
        let place = Place::member("accepted").at(index);
        let id = entry.finding.as_str();
        let mut accepts = false;
        for finding in findings.iter_mut().filter(|finding| covers(entry, finding)) {
            accepts = true;
            let acceptance = Acceptance { place: place.clone(), reason: entry.reason.clone() };
            finding.accepted.get_or_insert(acceptance);
        }
        let place = place.then("finding");
        if deployment::registry().iter().any(|check| check.id == id) {
            // A policy may be deployed more than once, and a finding of one deployment may not apply to the next.
            more.push((
                "EA140",
                place,
                format!("{id} is a finding of a deployment, which a policy cannot accept"),
            ));
        } else if !registry().iter().any(|check| check.id == id) {
            more.push(("EA140", place, format!("`{}` is not the id of a finding", id.escape_debug())));
        } else if !accepts {
            more.push(("EA141", place, format!("{id} is accepted{}, but is not found there", words(entry))));
        }
    }
    findings.extend(more.into_iter().filter_map(|(id, place, message)| {
        let check = registry().iter().find(|check| check.id == id)?;
        Some(Finding::new(check, Found::new(About::Policy, place, message)))
    }));
}

/// Whether an entry fits a finding: it names exactly what the finding is about. An entry that named less would
/// also accept later findings.
fn covers(entry: &AcceptedDocument, finding: &Finding) -> bool {
    entry.finding == finding.check.id
        && entry.rule.as_deref() == finding.about.rule()
        && entry.issuer.as_deref() == finding.about.issuer()
        && entry.kid.as_deref() == finding.about.kid()
}

fn words(entry: &AcceptedDocument) -> String {
    let named = [("rule", &entry.rule), ("issuer", &entry.issuer), ("key", &entry.kid)];
    let named: Vec<_> = named
        .iter()
        .filter_map(|(what, name)| Some(format!("{what} `{}`", name.as_deref()?.escape_debug())))
        .collect();
    if named.is_empty() { String::new() } else { format!(" for {}", named.join(", ")) }
}
