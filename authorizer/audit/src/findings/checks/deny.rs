//! Deny rules that leave a way around them.

use authorizer_core::operation::S3Operation as Op;
use authorizer_core::rules::{ClaimTest, IpNet, Segment};

use super::subject::{PARTS, RuleView, Subject, Use, is_wild, names};
use super::{Check, Found, Severity};

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
        let mut asked: Vec<&str> = rule.claims().into_iter().filter_map(asked_for).collect();
        asked.dedup();
        for claim in asked {
            let is_given = |allow: &RuleView<'_>| {
                !allow.is_anonymous()
                    && (allow.claims().into_iter().filter_map(asked_for).any(|one| one == claim)
                        || allow.issuers.iter().all(|issuer| {
                            issuer.required.contains_key(claim)
                                || !rule.issuers.iter().any(|one| one.name == issuer.name)
                        }))
            };
            let around = subject.allows().find(|allow| {
                !allow.rule.operations().intersection(rule.rule.operations()).is_empty() && !is_given(allow)
            });
            if let Some(around) = around {
                let message = format!(
                    "rule `{}` denies nothing to a request without the claim `{claim}`, and `{}` asks for none",
                    rule.id(),
                    around.id()
                );
                found.push(rule.found(message));
            }
        }
    }
    found
}

/// The claim that must be there, of whatever a rule reads.
fn asked_for<'p>((_, claim, reads): (authorizer_core::policy::Place, &'p str, Use<'_>)) -> Option<&'p str> {
    match reads {
        Use::Condition(ClaimTest::Present(false)) | Use::Metadata => None,
        Use::Key | Use::Condition(_) => Some(claim),
    }
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

fn leaves_multipart(subject: &Subject<'_>) -> Vec<Found> {
    let found = subject.denies().filter(|rule| rule.has(Op::PutObject)).filter_map(|rule| {
        let open: Vec<_> = left_open(subject, &rule, &PARTS);
        let message = format!("rule `{}` denies PutObject and leaves {} open", rule.id(), names(&open));
        // One step denied is enough: without it nothing comes about.
        (open.len() == PARTS.len()).then(|| rule.found_of(Op::PutObject, message))
    });
    found.collect()
}

fn leaves_versions(subject: &Subject<'_>) -> Vec<Found> {
    let found = subject.denies().filter(|rule| rule.has(Op::GetObject)).filter_map(|rule| {
        let open = left_open(subject, &rule, &[Op::GetObjectVersion]);
        let message = format!("rule `{}` denies GetObject and leaves GetObjectVersion open", rule.id());
        (!open.is_empty()).then(|| rule.found_of(Op::GetObject, message))
    });
    found.collect()
}

fn leaves_overwriting(subject: &Subject<'_>) -> Vec<Found> {
    let may_overwrite = |allow: &RuleView<'_>| {
        !allow.rule.terms().create_only && !allow.of(&[Op::PutObject, Op::CompleteMultipartUpload]).is_empty()
    };
    let found = subject.denies().filter(|rule| rule.has(Op::DeleteObject)).filter_map(|rule| {
        let open = left_open(subject, &rule, &[Op::PutObject, Op::CompleteMultipartUpload]);
        let overwrites = subject.allows().find(|allow| may_overwrite(allow) && meets(allow, &rule));
        let message = match &overwrites {
            Some(allow) => {
                format!("rule `{}` denies DELETE, and `{}` lets overwrite", rule.id(), allow.id())
            }
            None => return None,
        };
        (!open.is_empty()).then(|| rule.found_of(Op::DeleteObject, message))
    });
    found.collect()
}

fn leaves_deleting(subject: &Subject<'_>) -> Vec<Found> {
    let found = subject.denies().filter(|rule| rule.has(Op::PutObject)).filter_map(|rule| {
        let open = left_open(subject, &rule, &[Op::DeleteObject]);
        let message = format!("rule `{}` denies writing and leaves DeleteObject open", rule.id());
        (!open.is_empty()).then(|| rule.found_of(Op::PutObject, message))
    });
    found.collect()
}

fn leaves_listing(subject: &Subject<'_>) -> Vec<Found> {
    let found = subject.denies().filter(|rule| rule.has(Op::GetObject)).filter_map(|rule| {
        let open = left_open(subject, &rule, &[Op::ListObjectsV2]);
        let message = format!("rule `{}` denies reading and leaves ListObjectsV2 open", rule.id());
        (!open.is_empty()).then(|| rule.found_of(Op::GetObject, message))
    });
    found.collect()
}

fn head_alone(subject: &Subject<'_>) -> Vec<Found> {
    let found = subject.denies().filter(|rule| rule.has(Op::HeadObject)).filter_map(|rule| {
        let open = left_open(subject, &rule, &[Op::GetObject]);
        let message = format!("rule `{}` denies HeadObject and leaves GetObject open", rule.id());
        (!open.is_empty()).then(|| rule.found_of(Op::HeadObject, message))
    });
    found.collect()
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
        for (place, pattern) in rule.patterns() {
            let [.., before, last] = pattern.segments() else { continue };
            let is_one_level = *last != Segment::AnySegments && is_wild(last) && *before != Segment::AnySegments;
            let below = pattern.to_string();
            let below = format!("{}**", below.strip_suffix('*').unwrap_or(&below));
            let is_denied = subject.denies().any(|deny| deny.document.keys.contains(&below));
            let deeper = subject.allows().find(|allow| {
                meets(allow, &rule) && allow.rule.keys().iter().any(|key| reaches(key.segments(), before))
            });
            if let (true, false, Some(deeper)) = (is_one_level, is_denied, deeper) {
                let message = format!(
                    "rule `{}` denies `{pattern}`, and `{}` allows what is below",
                    rule.id(),
                    deeper.id()
                );
                found.push(rule.found_at(place, message));
            }
        }
    }
    found
}

/// Whether a pattern reaches below a folder of this name.
fn reaches(segments: &[Segment], folder: &Segment) -> bool {
    segments.last() == Some(&Segment::AnySegments)
        && segments.iter().rev().nth(1).is_none_or(|before| is_wild(before) || before == folder)
}

/// Whether both speak of some operation.
fn meets(allow: &RuleView<'_>, deny: &RuleView<'_>) -> bool {
    let reads = [Op::GetObject, Op::GetObjectVersion];
    let writes = [Op::PutObject, Op::CompleteMultipartUpload, Op::DeleteObject];
    let both = |kind: &[Op]| !allow.of(kind).is_empty() && !deny.of(kind).is_empty();
    both(&reads) || both(&writes) || (allow.has(Op::ListObjectsV2) && deny.has(Op::ListObjectsV2))
}

/// Those of the operations that some rule allows, that this rule does not deny, and that no other does on the same
/// keys.
fn left_open(subject: &Subject<'_>, rule: &RuleView<'_>, operations: &[Op]) -> Vec<Op> {
    let is_denied = |operation: Op| {
        rule.document.keys.iter().all(|key| {
            subject.denies().any(|deny| deny.has(operation) && deny.document.keys.contains(key))
        })
    };
    let possible = subject.possible();
    operations.iter().copied().filter(|one| possible.contains(*one) && !is_denied(*one)).collect()
}
