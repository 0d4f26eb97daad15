//! What is written, and nobody reads.

use authorizer_analysis::engine::heads_agree;
use authorizer_core::operation::S3Operation as Op;
use authorizer_core::rules::KeyPattern;

use super::shared::of_anyone;
use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::exact::Asked;
use crate::policy::finding::Observation;
use crate::policy::subject::{PolicySubject, RuleView, is_a_slip, is_everything};

pub(super) static FAMILY: Family = Family::Policy(&[(
    Check {
        id: "EA016",
        name: "written-and-never-read",
        severity: Severity::Medium,
        title: "a rule allows uploads to a folder that no rule allows to read",
        why: "People upload, and nobody finds the files. If a folder with nearly the same name can be read, one of \
              the two names is a slip.",
        remedy: "write the folder that is read, or a rule that reads this one; if another system reads the \
                 uploads, accept the finding and say which",
    },
    never_read,
)]);

const READS: [Op; 2] = [Op::GetObject, Op::GetObjectVersion];

fn never_read(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let readers: Vec<_> = subject.allows().filter(|rule| !rule.of(&READS).is_empty()).collect();
    // A policy that reads nothing is for uploads.
    if readers.is_empty() {
        return Vec::new();
    }
    // An administrator who reads everything is not whom the uploads are for.
    let is_for_all = |rule: &RuleView<'_>| rule.rule.keys().iter().any(is_everything);
    let mut found = Vec::new();
    // A rule that reads what it writes is no question.
    let is_only_writer = |rule: &RuleView<'_>| rule.has(Op::PutObject) && rule.of(&READS).is_empty();
    for writer in subject.allows().filter(is_only_writer) {
        for (place, pattern) in writer.patterns() {
            let Some(wide) = of_anyone(pattern) else { continue };
            let reads = |reader: &&RuleView<'_>| is_read_by(subject, &wide, reader);
            if readers.iter().filter(|reader| !is_for_all(reader)).any(|reader| reads(&reader)) {
                continue;
            }
            let slip = readers.iter().find_map(|reader| {
                let meant = reader.rule.keys().iter().find(|one| is_a_slip(pattern, one))?;
                Some((reader.id(), meant))
            });
            let is_read_by_all =
                readers.iter().filter(|reader| is_for_all(reader)).any(|reader| reads(&reader));
            if is_read_by_all && slip.is_none() {
                continue;
            }
            // A public box for letters is emptied by somebody else.
            if slip.is_none() && writer.is_anonymous() {
                continue;
            }
            let (severity, hint) = match slip {
                Some((id, meant)) => (Severity::Medium, format!("; rule `{id}` reads `{meant}`")),
                None => (Severity::Low, String::new()),
            };
            let who = match is_read_by_all {
                true => "only rules for every key read",
                false => "no rule reads",
            };
            let message = format!("rule `{}` allows uploads to `{pattern}`, which {who}{hint}", writer.id());
            found.push(writer.found_at(place, message).severity(severity));
        }
    }
    found
}

/// Whether a rule reads some key of a pattern, whoever may have written it. Yes if the analysis did not finish.
fn is_read_by(subject: &PolicySubject<'_>, wide: &KeyPattern, reader: &RuleView<'_>) -> bool {
    let exact = subject.exact();
    let is_near = reader.rule.keys().iter().any(|one| heads_agree(one, wide));
    is_near
        && reader.of(&READS).into_iter().any(|operation| {
            let require = [reader.index];
            let asked = Asked { operation, require: &require, exclude: &[], within: None };
            let answer = exact.ask_within(asked, &exact.everyone(), Some(wide));
            answer.is_none_or(|answer| answer.witness().is_some())
        })
}
