//! `[[accepted]]`: findings that are as they are meant to be.

use authorizer_core::policy::Place;
use authorizer_core::policy::document::AcceptedDocument;

use crate::check::{Catalogue, Check, Severity};
use crate::family::Family;
use crate::policy::finding::{About, Acceptance, Observation, PolicyFinding};
use crate::policy::subject::PolicySubject;

pub(super) static FAMILY: Family = Family::AfterPolicy(&[&NO_FINDING, &NOT_FOUND], accept);

static NO_FINDING: Check = Check {
    id: "EA140",
    name: "accepted-is-no-finding",
    severity: Severity::Low,
    title: "the id of an accepted finding does not exist",
    why: "An entry of `[[accepted]]` with an unknown id accepts nothing. A reader believes that somebody \
          looked at something and found it right.",
    remedy: "write the id of a finding, such as `EA020`, or remove the entry",
};

static NOT_FOUND: Check = Check {
    id: "EA141",
    name: "accepted-is-not-found",
    severity: Severity::Low,
    title: "an accepted finding is not found any more, or is about something else",
    why: "The same finding may come back for another reason, and the entry would then accept it unseen. \
          An entry accepts exactly the rule, the issuer and the key that it names.",
    remedy: "remove the entry, or name the `rule`, or the `issuer` and the `kid`, that the finding is \
             about",
};

/// Marks the findings that the policy accepts, and adds one for each entry that accepts nothing. Those cannot be
/// accepted in their turn.
fn accept(subject: &PolicySubject<'_>, catalogue: &Catalogue, findings: &mut Vec<PolicyFinding>) {
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
        if catalogue.deployment.iter().any(|check| check.id == id) {
            // A policy may be deployed more than once, and what holds of one deployment need not of the next.
            more.push((
                &NO_FINDING,
                place,
                format!("{id} is a finding of a deployment, which a policy cannot accept"),
            ));
        } else if !catalogue.policy.iter().any(|check| check.id == id) {
            more.push((&NO_FINDING, place, format!("`{}` is not the id of a finding", id.escape_debug())));
        } else if !accepts {
            more.push((
                &NOT_FOUND,
                place,
                format!("{id} is accepted{}, but is not found there", words(entry)),
            ));
        }
    }
    findings.extend(more.into_iter().map(|(check, place, message)| {
        PolicyFinding::new(check, Observation::new(About::Policy, place, message))
    }));
}

/// Whether an entry is of a finding: it names exactly what the finding is about. One that named less would accept
/// what comes later, too.
fn covers(entry: &AcceptedDocument, finding: &PolicyFinding) -> bool {
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
