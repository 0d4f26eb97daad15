//! Deny rules that leave a way around them.

use authorizer_core::operation::{OperationSet, S3Operation as Op};
use authorizer_core::rules::{IpNet, Segment};

use super::exact::{Variant, claims_asked_for, words};
use super::subject::{RuleView, Subject};
use super::{Check, Found, Severity};
use crate::engine::Witness;

pub(super) static CHECKS: &[Check] = &[
    Check {
        id: "EA040",
        name: "deny-asks-for-a-claim",
        severity: Severity::Medium,
        title: "a deny rule asks for a claim, and says nothing of a request that lacks it",
        why: "A token left at home where an allow rule is open to everyone, a token of another issuer, or a claim \
              that is a list where the rule has one value: none of them is denied. What a rule denies to some it \
              has to tell apart by what the others have.",
        remedy: "ask on the allow rules for what those who may are, instead of denying what the others are",
        run: asks_for_a_claim,
    },
    Check {
        id: "EA041",
        name: "deny-on-one-ip-family",
        severity: Severity::Medium,
        title: "a deny rule names addresses of IPv4 or of IPv6 only",
        why: "Where the distribution has IPv6 on, a viewer has both kinds of address and chooses which one CloudFront \
              sees.",
        remedy: "name the networks of both, or switch IPv6 off on the distribution and accept this",
        run: one_family,
    },
    Check {
        id: "EA042",
        name: "deny-leaves-multipart",
        severity: Severity::High,
        title: "a deny rule for PutObject leaves uploads in parts open",
        why: "In `operations` a name is exactly itself: whoever may not write an object in one piece writes it in \
              several.",
        remedy: "write `methods = [\"PUT\"]`, which denies every way of writing",
        run: leaves_multipart,
    },
    Check {
        id: "EA043",
        name: "deny-leaves-versions",
        severity: Severity::High,
        title: "a deny rule for GetObject leaves the object's versions open",
        why: "In `operations` a name is exactly itself: the version that is the present one can be read by its id, \
              and so can those before it.",
        remedy: "write `methods = [\"GET\"]`, which denies every way of reading",
        run: leaves_versions,
    },
    Check {
        id: "EA044",
        name: "deny-leaves-overwriting",
        severity: Severity::Low,
        title: "a deny rule for DELETE leaves overwriting open",
        why: "PUT replaces what is there: an empty object in the place of a record is a record deleted.",
        remedy: "deny PUT as well, or let in only uploads that are `create_only`",
        run: leaves_overwriting,
    },
    Check {
        id: "EA045",
        name: "deny-leaves-deleting",
        severity: Severity::Low,
        title: "a deny rule for PUT leaves deleting open",
        why: "What may not be changed can be removed.",
        remedy: "deny DELETE as well",
        run: leaves_deleting,
    },
    Check {
        id: "EA046",
        name: "deny-leaves-listing",
        severity: Severity::Low,
        title: "a deny rule for reading leaves listing open",
        why: "Who may not read the objects still learns their names, sizes and times, which may be the secret.",
        remedy: "add `operations = [\"ListObjectsV2\"]` to the rule",
        run: leaves_listing,
    },
    Check {
        id: "EA047",
        name: "deny-of-head-alone",
        severity: Severity::Low,
        title: "a deny rule for HEAD leaves GET open",
        why: "GET says all that HEAD does, and the object too.",
        remedy: "deny GET, which HEAD goes with",
        run: head_alone,
    },
    Check {
        id: "EA048",
        name: "deny-by-file-name",
        severity: Severity::Low,
        title: "a deny rule knows files by the ending of their name",
        why: "Keys are compared to the letter, so `.EXE`, `.exe ` and a file without an ending are not denied, and \
              what is in a file does not depend on its name.",
        remedy: "let the allow rule name the `content_types` or the endings that may be",
        run: by_file_name,
    },
    Check {
        id: "EA049",
        name: "deny-of-one-level",
        severity: Severity::Medium,
        title: "a deny rule's pattern ends in `*`, and a rule allows what is below",
        why: "`*` stands for one segment. `records/*` is every object right in the folder, and none in the folders \
              within it.",
        remedy: "write `**` for everything below",
        run: one_level,
    },
];

fn asks_for_a_claim(subject: &Subject<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for rule in subject.denies() {
        for claim in claims_asked_for(rule.document) {
            let around = rule.rule.operations().iter().find_map(|operation| {
                subject.let_in(operation, (&rule, Variant::Without(claim.to_owned())), |_| true)
            });
            if let Some(witness) = around {
                let message = format!(
                    "rule `{}` denies nothing without the claim `{claim}`: {} is let in",
                    rule.id(),
                    words(&witness)
                );
                found.push(rule.found(message));
            }
        }
    }
    found
}

fn one_family(subject: &Subject<'_>) -> Vec<Found> {
    let found = subject.denies().filter_map(|rule| {
        let networks = rule.rule.sources()?;
        let four = networks.iter().any(|network| matches!(network, IpNet::V4(_)));
        let six = networks.iter().any(|network| matches!(network, IpNet::V6(_)));
        let named = match (four, six) {
            (true, false) => "IPv4",
            (false, true) => "IPv6",
            (true, true) | (false, false) => return None,
        };
        let message = format!("rule `{}` names addresses of {named} only", rule.id());
        Some(rule.found_in("source_ips", message))
    });
    found.collect()
}

/// The first of the operations that this rule does not deny and some request gets through with, on keys, by a viewer
/// and at a time that the rule is about.
fn left_open(
    subject: &Subject<'_>,
    rule: &RuleView<'_>,
    operations: &[Op],
    allows: impl Fn(&RuleView<'_>) -> bool,
) -> Option<Witness> {
    let mut open = operations.iter().copied().filter(|operation| !rule.has(*operation));
    open.find_map(|operation| subject.let_in(operation, (rule, Variant::OfEveryOperation), &allows))
}

/// A finding for each deny rule that has `denied` and leaves one of `others` open.
fn leaving(subject: &Subject<'_>, denied: Op, others: &[Op], allows: fn(&RuleView<'_>) -> bool) -> Vec<Found> {
    let rules = subject.denies().filter(|rule| rule.has(denied));
    rules
        .filter_map(|rule| {
            let witness = left_open(subject, &rule, others, allows)?;
            let (id, denied_name) = (rule.id(), denied.name());
            let message = format!("rule `{id}` denies {denied_name}, and {} is let in", words(&witness));
            Some(rule.found_of(denied, message))
        })
        .collect()
}

fn leaves_multipart(subject: &Subject<'_>) -> Vec<Found> {
    let rules = subject.denies().filter(|rule| rule.has(Op::PutObject));
    rules
        .filter_map(|rule| {
            // One step that is denied, by whatever rule, is enough: without it nothing comes about.
            let steps: Option<Vec<_>> = OperationSet::of(Op::uploads_in_parts)
                .iter()
                .map(|step| left_open(subject, &rule, &[step], |_| true))
                .collect();
            let witness = steps?.pop()?;
            let message = format!("rule `{}` denies PutObject, and {} is let in", rule.id(), words(&witness));
            Some(rule.found_of(Op::PutObject, message))
        })
        .collect()
}

fn leaves_versions(subject: &Subject<'_>) -> Vec<Found> {
    leaving(subject, Op::GetObject, &[Op::GetObjectVersion], |_| true)
}

fn leaves_overwriting(subject: &Subject<'_>) -> Vec<Found> {
    let writes: Vec<_> = OperationSet::of(Op::creates_object).iter().collect();
    leaving(subject, Op::DeleteObject, &writes, |allow| !allow.rule.terms().create_only)
}

fn leaves_deleting(subject: &Subject<'_>) -> Vec<Found> {
    leaving(subject, Op::PutObject, &[Op::DeleteObject], |_| true)
}

fn leaves_listing(subject: &Subject<'_>) -> Vec<Found> {
    leaving(subject, Op::GetObject, &[Op::ListObjectsV2], |_| true)
}

fn head_alone(subject: &Subject<'_>) -> Vec<Found> {
    leaving(subject, Op::HeadObject, &[Op::GetObject], |_| true)
}

fn by_file_name(subject: &Subject<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for rule in subject.denies() {
        for (place, pattern) in rule.patterns() {
            let Some(Segment::Glob(parts)) = pattern.segments().last() else { continue };
            let ending = parts.last().and_then(|last| last.strip_prefix('.')).unwrap_or_default();
            if ending.chars().any(char::is_alphabetic) {
                let message = format!("rule `{}` denies names that end in `.{ending}`", rule.id());
                found.push(rule.found_at(place, message));
            }
        }
    }
    found
}

fn one_level(subject: &Subject<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for rule in subject.denies() {
        for (index, (place, pattern)) in rule.patterns().enumerate() {
            let through = rule.rule.operations().iter().find_map(|operation| {
                subject.let_in(operation, (&rule, Variant::Below(index)), |_| true)
            });
            if let Some(witness) = through {
                let message =
                    format!("rule `{}` denies `{pattern}`, and {} is let in", rule.id(), words(&witness));
                found.push(rule.found_at(place, message));
            }
        }
    }
    found
}
