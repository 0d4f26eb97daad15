//! What is open to everyone.

use authorizer_core::operation::S3Operation as Op;

use super::subject::{Subject, is_everything, names};
use super::{Check, Found, Severity};

pub(super) static CHECKS: &[Check] = &[
    Check {
        id: "EA020",
        name: "anonymous-write",
        severity: Severity::High,
        title: "a rule lets anyone write or delete without a token",
        why: "Whoever finds the address can fill the bucket, put anything under your name, and, where the rule does \
              not say `create_only`, replace or delete what is there. Nobody can be asked afterwards: the log has no \
              subject.",
        remedy: "ask for a token: remove `anonymous`; or, for a letter box, `create_only`, `max_bytes` and \
                 `content_types`, and no DELETE",
        run: write,
    },
    Check {
        id: "EA021",
        name: "anonymous-read-of-everything",
        severity: Severity::High,
        title: "a rule lets anyone read every key",
        why: "The bucket is public, whatever the other rules say, and so is all that anybody will ever put there.",
        remedy: "name the folder that is meant to be public, such as `public/**`",
        run: read_everything,
    },
    Check {
        id: "EA022",
        name: "anonymous-listing",
        severity: Severity::Medium,
        title: "a rule lets anyone list keys",
        why: "Names that nobody could guess are given away, and with them every object that is open to whoever \
              knows its name. The answer also has the bucket's name, sizes and times.",
        remedy: "leave `ListObjectsV2` out of the rule, or ask for a token",
        run: listing,
    },
    Check {
        id: "EA023",
        name: "anonymous-old-versions",
        severity: Severity::Medium,
        title: "a rule lets anyone read old versions",
        why: "What was overwritten or deleted, often because it should not have been public, can still be read by \
              whoever has a version's id.",
        remedy: "leave `GetObjectVersion` and `HeadObjectVersion` out of the rule",
        run: versions,
    },
    Check {
        id: "EA024",
        name: "address-is-the-only-guard",
        severity: Severity::Low,
        title: "a rule that asks for no token is guarded by the viewer's address alone",
        why: "Everyone behind that address is let in: guests of the office network, other customers of the same \
              provider or proxy, and whoever gets the address next.",
        remedy: "ask for a token beside the address, or accept this with the reason",
        run: address,
    },
];

fn write(subject: &Subject<'_>) -> Vec<Found> {
    let anonymous = subject.allows().filter(|rule| rule.is_anonymous());
    anonymous
        .filter_map(|rule| {
            let writes = rule.that(Op::changes_stored);
            let terms = rule.rule.terms();
            let is_letter_box =
                terms.create_only && terms.max_bytes.is_some() && !rule.has(Op::DeleteObject);
            let is_limited = is_letter_box || rule.rule.sources().is_some();
            (!writes.is_empty()).then(|| {
                rule.found_in(
                    "anonymous",
                    format!("rule `{}` opens {} of {} to everyone", rule.id(), names(&writes), rule.keys()),
                )
                .severity(if is_limited { Severity::Medium } else { Severity::High })
            })
        })
        .collect()
}

fn read_everything(subject: &Subject<'_>) -> Vec<Found> {
    let reads = [Op::GetObject, Op::GetObjectVersion];
    let anonymous =
        subject.allows().filter(|rule| rule.is_anonymous() && !rule.of(&reads).is_empty());
    anonymous
        .filter_map(|rule| {
            let (place, pattern) = rule.patterns().find(|(_, pattern)| is_everything(pattern))?;
            let is_limited = rule.rule.sources().is_some();
            let message = format!("rule `{}` lets anyone read every key, by `{pattern}`", rule.id());
            let severity = if is_limited { Severity::Medium } else { Severity::High };
            Some(rule.found_at(place, message).severity(severity))
        })
        .collect()
}

fn listing(subject: &Subject<'_>) -> Vec<Found> {
    let anonymous = subject.allows().filter(|rule| rule.is_anonymous() && rule.has(Op::ListObjectsV2));
    anonymous
        .map(|rule| {
            let message = format!("rule `{}` lets anyone list what is under {}", rule.id(), rule.keys());
            rule.found_of(Op::ListObjectsV2, message)
        })
        .collect()
}

fn versions(subject: &Subject<'_>) -> Vec<Found> {
    let anonymous = subject.allows().filter(|rule| rule.is_anonymous() && rule.has(Op::GetObjectVersion));
    anonymous
        .map(|rule| {
            let message = format!("rule `{}` lets anyone read old versions under {}", rule.id(), rule.keys());
            rule.found_of(Op::GetObjectVersion, message)
        })
        .collect()
}

fn address(subject: &Subject<'_>) -> Vec<Found> {
    let anonymous = subject.allows().filter(|rule| rule.is_anonymous());
    anonymous
        .filter(|rule| rule.document.source_ips.is_some())
        .map(|rule| {
            let message = format!("rule `{}` opens {} to an address, with no token", rule.id(), rule.keys());
            rule.found_in("source_ips", message)
        })
        .collect()
}
