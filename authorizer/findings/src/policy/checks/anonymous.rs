//! What is open to everyone.

use authorizer_core::operation::S3Operation as Op;

use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::finding::Observation;
use crate::policy::subject::{PolicySubject, is_everything, names};

pub(super) static FAMILY: Family = Family::Policy(&[
    (
        Check {
            id: "EA020",
            name: "anonymous-write",
            severity: Severity::High,
            title: "a rule allows anyone to write or delete without a token",
            why: "Anyone who finds the address can fill the bucket and publish anything under your name. Without \
              `create_only` they can also replace or delete what is there. The log has no subject, so you \
              cannot find out who did it.",
            remedy: "remove `anonymous`, so that a token is required; for a public drop box, keep it and set \
                 `create_only`, `max_bytes` and `content_types`, without DELETE",
        },
        write,
    ),
    (
        Check {
            id: "EA021",
            name: "anonymous-read-of-everything",
            severity: Severity::High,
            title: "a rule allows anyone to read every key",
            why: "The bucket is public, whatever the other allow rules say. Everything that somebody puts there \
              later is public too.",
            remedy: "name the folder that should be public, such as `public/**`",
        },
        read_everything,
    ),
    (
        Check {
            id: "EA022",
            name: "anonymous-listing",
            severity: Severity::Medium,
            title: "a rule allows anyone to list keys",
            why: "A listing shows names that nobody can guess, and so gives away every object that is open to \
              anyone who knows its name. It also shows the bucket's name, and the size and time of each \
              object.",
            remedy: "remove `ListObjectsV2` from the rule, or require a token",
        },
        listing,
    ),
    (
        Check {
            id: "EA023",
            name: "anonymous-old-versions",
            severity: Severity::Medium,
            title: "a rule allows anyone to read old versions",
            why: "People often overwrite or delete an object because it should not have been public. Anyone who \
              has the id of the old version can still read it.",
            remedy: "remove `GetObjectVersion` and `HeadObjectVersion` from the rule",
        },
        versions,
    ),
    (
        Check {
            id: "EA024",
            name: "address-is-the-only-guard",
            severity: Severity::Low,
            title: "only the viewer's address protects a rule that requires no token",
            why: "The rule allows everyone behind that address: guests of the office network, other customers of \
              the same provider or proxy, and the next owner of the address.",
            remedy: "require a token as well as the address, or accept the finding and give the reason",
        },
        address,
    ),
]);

fn write(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let anonymous = subject.allows().filter(|rule| rule.is_anonymous());
    anonymous
        .filter_map(|rule| {
            let writes = rule.that(Op::changes_stored);
            let terms = rule.rule.terms();
            let is_letter_box = terms.create_only && terms.max_bytes.is_some() && !rule.has(Op::DeleteObject);
            let is_limited = is_letter_box || rule.rule.sources().is_some();
            (!writes.is_empty()).then(|| {
                rule.found_in(
                    "anonymous",
                    format!("rule `{}` allows everyone {} on {}", rule.id(), names(&writes), rule.keys()),
                )
                .severity(if is_limited { Severity::Medium } else { Severity::High })
            })
        })
        .collect()
}

fn read_everything(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let reads = [Op::GetObject, Op::GetObjectVersion];
    let anonymous = subject.allows().filter(|rule| rule.is_anonymous() && !rule.of(&reads).is_empty());
    anonymous
        .filter_map(|rule| {
            let (place, pattern) = rule.patterns().find(|(_, pattern)| is_everything(pattern))?;
            let is_limited = rule.rule.sources().is_some();
            let message = format!("rule `{}` allows anyone to read every key, with `{pattern}`", rule.id());
            let severity = if is_limited { Severity::Medium } else { Severity::High };
            Some(rule.found_at(place, message).severity(severity))
        })
        .collect()
}

fn listing(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let anonymous = subject.allows().filter(|rule| rule.is_anonymous() && rule.has(Op::ListObjectsV2));
    anonymous
        .map(|rule| {
            let message = format!("rule `{}` allows anyone to list {}", rule.id(), rule.keys());
            rule.found_of(Op::ListObjectsV2, message)
        })
        .collect()
}

fn versions(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let anonymous = subject.allows().filter(|rule| rule.is_anonymous() && rule.has(Op::GetObjectVersion));
    anonymous
        .map(|rule| {
            let message =
                format!("rule `{}` allows anyone to read old versions of {}", rule.id(), rule.keys());
            rule.found_of(Op::GetObjectVersion, message)
        })
        .collect()
}

fn address(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let anonymous = subject.allows().filter(|rule| rule.is_anonymous());
    anonymous
        .filter(|rule| rule.document.source_ips.is_some())
        .map(|rule| {
            let message =
                format!("rule `{}` allows an address to use {} without a token", rule.id(), rule.keys());
            rule.found_in("source_ips", message)
        })
        .collect()
}
