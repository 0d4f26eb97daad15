//! Deny rules that can be avoided.

use authorizer_analysis::Witness;
use authorizer_core::operation::{OperationSet, S3Operation as Op};
use authorizer_core::rules::{IpNet, Segment};

use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::exact::{Variant, claims_asked_for, words};
use crate::policy::finding::Observation;
use crate::policy::subject::{PolicySubject, RuleView, is_wild};

pub(super) static FAMILY: Family = Family::Policy(&[
    (
        Check {
            id: "EA040",
            name: "deny-asks-for-a-claim",
            severity: Severity::Medium,
            title: "a deny rule requires a claim, so it does not deny a request without the claim",
            why: "The rule does not deny a request without a token where an allow rule is public. Nor does it \
              deny a token of another issuer, or a claim that is a list where the rule has one value. To \
              keep some people out, require what the others have.",
            remedy: "in the allow rules, require what the permitted people have, instead of denying by what the \
                 others have",
        },
        asks_for_a_claim,
    ),
    (
        Check {
            id: "EA041",
            name: "deny-on-one-ip-family",
            severity: Severity::Medium,
            title: "a deny rule names only IPv4 or only IPv6 addresses",
            why: "If IPv6 is on for the distribution, a viewer has both kinds of address and chooses which one \
              CloudFront sees.",
            remedy: "name the networks of both kinds, or turn IPv6 off for the distribution and accept the \
                 finding",
        },
        one_family,
    ),
    (
        Check {
            id: "EA042",
            name: "deny-leaves-multipart",
            severity: Severity::High,
            title: "a deny rule for PutObject leaves multipart uploads open",
            why: "A name in `operations` means exactly that operation. A viewer who may not write an object in \
              one request can write it in parts.",
            remedy: "write `methods = [\"PUT\"]`, which denies every way of writing",
        },
        leaves_multipart,
    ),
    (
        Check {
            id: "EA043",
            name: "deny-leaves-versions",
            severity: Severity::High,
            title: "a deny rule for GetObject leaves the object's versions open",
            why: "A name in `operations` means exactly that operation. A viewer can read the current version by \
              its id, and the earlier versions too.",
            remedy: "write `methods = [\"GET\"]`, which denies every way of reading",
        },
        leaves_versions,
    ),
    (
        Check {
            id: "EA044",
            name: "deny-leaves-overwriting",
            severity: Severity::Low,
            title: "a deny rule for DELETE leaves overwriting open",
            why: "PUT replaces what is there. A record that is replaced by an empty object is lost, as if it \
              were deleted.",
            remedy: "deny PUT as well, or allow only uploads that are `create_only`",
        },
        leaves_overwriting,
    ),
    (
        Check {
            id: "EA045",
            name: "deny-leaves-deleting",
            severity: Severity::Low,
            title: "a deny rule for PUT leaves deleting open",
            why: "An object that nobody may change can still be deleted.",
            remedy: "deny DELETE as well",
        },
        leaves_deleting,
    ),
    (
        Check {
            id: "EA046",
            name: "deny-leaves-listing",
            severity: Severity::Low,
            title: "a deny rule for reading leaves listing open",
            why: "A viewer who may not read the objects still sees their names, sizes and times. These may be \
              the secret.",
            remedy: "add `operations = [\"ListObjectsV2\"]` to the rule",
        },
        leaves_listing,
    ),
    (
        Check {
            id: "EA047",
            name: "deny-of-head-alone",
            severity: Severity::Low,
            title: "a deny rule for HEAD leaves GET open",
            why: "GET returns everything that HEAD returns, and the object too.",
            remedy: "deny GET, which also denies HEAD",
        },
        head_alone,
    ),
    (
        Check {
            id: "EA048",
            name: "deny-by-file-name",
            severity: Severity::Low,
            title: "a deny rule recognises files by the end of their name",
            why: "Keys must match exactly, so `.EXE`, `.exe ` and a file without an ending are not denied. What \
              is in a file does not depend on its name.",
            remedy: "name the permitted `content_types` or endings in the allow rule",
        },
        by_file_name,
    ),
    (
        Check {
            id: "EA049",
            name: "deny-of-one-level",
            severity: Severity::High,
            title: "a deny rule's pattern names one level, and a rule allows what is below it",
            why: "`*` stands for one segment. `records/*` matches every object directly in the folder, and \
              nothing in its subfolders. `records/sealed` matches one object with this name, and nothing in a \
              folder of this name.",
            remedy: "write `**` for everything below",
        },
        one_level,
    ),
]);

fn asks_for_a_claim(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.denies() {
        for claim in claims_asked_for(rule.document) {
            let around = rule.rule.operations().iter().find_map(|operation| {
                subject.let_in(operation, (&rule, Variant::Without(claim.to_owned())), |_| true)
            });
            if let Some(witness) = around {
                let message = format!(
                    "rule `{}` does not deny a request without the claim `{claim}`: {} is allowed",
                    rule.id(),
                    words(&witness)
                );
                found.push(rule.found(message).shown(witness));
            }
        }
    }
    found
}

fn one_family(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let found = subject.denies().filter_map(|rule| {
        let networks = rule.rule.sources()?;
        let four = networks.iter().any(|network| matches!(network, IpNet::V4(_)));
        let six = networks.iter().any(|network| matches!(network, IpNet::V6(_)));
        let named = match (four, six) {
            (true, false) => "IPv4",
            (false, true) => "IPv6",
            (true, true) | (false, false) => return None,
        };
        let message = format!("rule `{}` names only {named} addresses", rule.id());
        Some(rule.found_in("source_ips", message))
    });
    found.collect()
}

/// The first of the operations that this rule does not deny and that some request can use, on keys, by a viewer
/// and at a time that the rule covers.
fn left_open(
    subject: &PolicySubject<'_>,
    rule: &RuleView<'_>,
    operations: &[Op],
    allows: impl Fn(&RuleView<'_>) -> bool,
) -> Option<Witness> {
    let mut open = operations.iter().copied().filter(|operation| !rule.has(*operation));
    open.find_map(|operation| subject.let_in(operation, (rule, Variant::OfEveryOperation), &allows))
}

/// A finding for each deny rule that has `denied` and leaves one of `others` open.
fn leaving(
    subject: &PolicySubject<'_>,
    denied: Op,
    others: &[Op],
    allows: fn(&RuleView<'_>) -> bool,
) -> Vec<Observation> {
    let rules = subject.denies().filter(|rule| rule.has(denied));
    rules
        .filter_map(|rule| {
            let witness = left_open(subject, &rule, others, allows)?;
            let (id, denied_name) = (rule.id(), denied.name());
            let message = format!("rule `{id}` denies {denied_name}, but {} is allowed", words(&witness));
            Some(rule.found_of(denied, message).shown(witness))
        })
        .collect()
}

fn leaves_multipart(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let rules = subject.denies().filter(|rule| rule.has(Op::PutObject));
    rules
        .filter_map(|rule| {
            // If any rule denies one step, that is enough: without it the upload cannot be completed.
            let steps: Option<Vec<_>> = OperationSet::of(Op::uploads_in_parts)
                .iter()
                .map(|step| left_open(subject, &rule, &[step], |_| true))
                .collect();
            let witness = steps?.pop()?;
            let message =
                format!("rule `{}` denies PutObject, but {} is allowed", rule.id(), words(&witness));
            Some(rule.found_of(Op::PutObject, message).shown(witness))
        })
        .collect()
}

fn leaves_versions(subject: &PolicySubject<'_>) -> Vec<Observation> {
    leaving(subject, Op::GetObject, &[Op::GetObjectVersion], |_| true)
}

fn leaves_overwriting(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let writes: Vec<_> = OperationSet::of(Op::creates_object).iter().collect();
    leaving(subject, Op::DeleteObject, &writes, |allow| !allow.rule.terms().create_only)
}

fn leaves_deleting(subject: &PolicySubject<'_>) -> Vec<Observation> {
    leaving(subject, Op::PutObject, &[Op::DeleteObject], |_| true)
}

fn leaves_listing(subject: &PolicySubject<'_>) -> Vec<Observation> {
    leaving(subject, Op::GetObject, &[Op::ListObjectsV2], |_| true)
}

fn head_alone(subject: &PolicySubject<'_>) -> Vec<Observation> {
    leaving(subject, Op::HeadObject, &[Op::GetObject], |_| true)
}

fn by_file_name(subject: &PolicySubject<'_>) -> Vec<Observation> {
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

fn one_level(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.denies() {
        for (index, (place, pattern)) in rule.patterns().enumerate() {
            let through =
                rule.rule.operations().iter().find_map(|operation| {
                    subject.let_in(operation, (&rule, Variant::Below(index)), |_| true)
                });
            if let Some(witness) = through {
                let message =
                    format!("rule `{}` denies `{pattern}`, but {} is allowed", rule.id(), words(&witness));
                // A name without an ending may be an object's.
                let is_wild = pattern.segments().last().is_some_and(is_wild);
                let severity = if is_wild { Severity::High } else { Severity::Medium };
                found.push(rule.found_at(place, message).severity(severity).shown(witness));
            }
        }
    }
    found
}
