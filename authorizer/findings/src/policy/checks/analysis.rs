//! Rules that do not do what they seem to do: each finding has a proof, or a request that shows it.

use authorizer_analysis::Reach;
use authorizer_core::operation::S3Operation as Op;
use authorizer_core::rules::{Effect, MetadataTerm};

use super::conditions::is_against_the_issuer;
use super::duplicates::has_a_twin;
use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::exact::{Variant, words};
use crate::policy::finding::Observation;
use crate::policy::subject::{PolicySubject, RuleView, is_everything, list};

pub(super) static FAMILY: Family = Family::Policy(&[
    (
        Check {
            id: "EA001",
            name: "rule-matches-nothing",
            severity: Severity::Medium,
            title: "no request can match a rule",
            why: "The rule contradicts itself, or requires what its issuers' tokens cannot contain, or has an \
              operation that no rule allows. An allow rule like this does nothing. A deny rule like this \
              denies nothing, although it reads as if it does.",
            remedy: "remove the rule, or correct its keys, conditions or operations",
        },
        matches_nothing,
    ),
    (
        Check {
            id: "EA002",
            name: "rule-never-decides",
            severity: Severity::Medium,
            title: "other rules decide every request that a rule matches",
            why: "The rule does nothing. If deny rules cover an allow rule, what somebody wanted to allow is \
              denied. If rules of its own kind cover it, it misleads the reader, and it takes effect when \
              one of them is removed.",
            remedy: "remove the rule, or narrow the rules that cover it",
        },
        never_decides,
    ),
    (
        Check {
            id: "EA003",
            name: "rule-makes-no-difference",
            severity: Severity::Low,
            title: "an allow rule changes no decision",
            why: "Other rules allow everything that this rule allows. A person who removes it to close access \
              closes nothing.",
            remedy: "remove the rule, or the part of the other rules that it was meant to replace",
        },
        makes_no_difference,
    ),
    (
        Check {
            id: "EA004",
            name: "deny-denies-nothing",
            severity: Severity::Low,
            title: "a deny rule denies only what no rule allows",
            why: "Every request gets the same decision without this rule. It may be a guard against a rule that \
              somebody writes later. Or its keys or claims are wrong, and what it should deny is allowed.",
            remedy: "fix the rule, remove it, or accept the finding and say what the rule guards against",
        },
        denies_nothing,
    ),
    (
        Check {
            id: "EA005",
            name: "public-folder-holds-a-private-one",
            severity: Severity::Medium,
            title: "a rule makes public what another rule protects with a token",
            why: "The author of the rule that requires a token believes that these objects are protected, but \
              they are public.",
            remedy: "narrow the public rule, or add a deny rule for the keys that must stay private",
        },
        public_holds_private,
    ),
    (
        Check {
            id: "EA006",
            name: "create-only-never-holds",
            severity: Severity::Medium,
            title: "an earlier rule allows overwriting what a `create_only` rule protects",
            why: "The first rule that matches decides what is added to an upload, so `create_only` of this rule \
              is never used. Everything that it should protect can be overwritten.",
            remedy: "put the `create_only` rule before the rule that allows overwriting",
        },
        create_only_lost,
    ),
    (
        Check {
            id: "EA007",
            name: "metadata-never-holds",
            severity: Severity::Low,
            title: "an earlier rule allows the same upload without the metadata that a rule writes",
            why: "The first rule that matches decides what is added to an upload. The metadata that says who \
              owns an object is not written.",
            remedy: "put the rule with the metadata first",
        },
        metadata_lost,
    ),
    (
        Check {
            id: "EA008",
            name: "multipart-limits-combine",
            severity: Severity::Medium,
            title: "two rules with different limits allow parts of the same upload",
            why: "Each step of a multipart upload is decided separately. A viewer can combine the type that one \
              rule allows with the length that the other allows, although neither rule allows both.",
            remedy: "allow multipart uploads of a key in one rule only, or give both rules the same limits",
        },
        limits_combine,
    ),
    (
        Check {
            id: "EA009",
            name: "public-content-can-change",
            severity: Severity::Informational,
            title: "a public object can be overwritten under the same name",
            why: "Everyone who has a link, and every cache on the way, expects the same content tomorrow. If \
              somebody replaces a script or a program, the new one reaches everyone.",
            remedy: "add `create_only`, publish under new names, and move public objects to a folder that only \
                 the publisher writes to",
        },
        public_can_change,
    ),
]);

fn ids(subject: &PolicySubject<'_>, rules: &[usize]) -> String {
    let all: Vec<_> = subject.rules().collect();
    let ids: Vec<_> = rules.iter().filter_map(|index| all.get(*index)).map(RuleView::id).collect();
    list(&ids)
}

fn matches_nothing(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let dead = subject.rules().filter(|rule| {
        matches!(subject.reach(rule), Some(Reach::Impossible)) && !is_against_the_issuer(rule)
    });
    dead.map(|rule| {
        let severity = if rule.is_deny() { Severity::Medium } else { Severity::Low };
        rule.found(format!("no request can match rule `{}`", rule.id())).severity(severity)
    })
    .collect()
}

fn never_decides(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let effects: Vec<_> = subject.rules().map(|rule| rule.rule.effect()).collect();
    let mut found = Vec::new();
    for rule in subject.rules() {
        let Some(Reach::Covered(by)) = subject.reach(&rule) else { continue };
        // That is a finding of its own.
        if has_a_twin(subject, &rule) {
            continue;
        }
        let is_closed = by.iter().any(|index| effects.get(*index) == Some(&Effect::Deny));
        let severity = if is_closed && !rule.is_deny() { Severity::Medium } else { Severity::Low };
        let message =
            format!("other rules decide everything that rule `{}` matches: {}", rule.id(), ids(subject, by));
        found.push(rule.found(message).severity(severity));
    }
    found
}

fn makes_no_difference(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let decides = subject.allows().filter(|rule| matches!(subject.reach(rule), Some(Reach::Decides(_))));
    decides
        .filter(|rule| !has_a_twin(subject, rule) && subject.is_redundant(rule))
        .map(|rule| {
            let message = format!("later rules allow everything that rule `{}` allows", rule.id());
            rule.found(message)
        })
        .collect()
}

fn denies_nothing(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let decides = subject.denies().filter(|rule| matches!(subject.reach(rule), Some(Reach::Decides(_))));
    decides
        .filter(|rule| subject.is_redundant(rule))
        .map(|rule| {
            let message = format!("everything that rule `{}` denies is refused without it too", rule.id());
            rule.found(message)
        })
        .collect()
}

fn public_holds_private(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let denies: Vec<_> = subject.denies().map(|rule| rule.index).collect();
    let mut found = Vec::new();
    for public in subject.allows().filter(RuleView::is_anonymous) {
        for private in subject.allows().filter(|rule| !rule.is_anonymous()) {
            // The author of a rule for everything, or for the same folder, knows what is public in it.
            let is_wider = private.rule.keys().iter().any(is_everything)
                || public.document.keys.iter().all(|key| private.document.keys.contains(key));
            let reads = [Op::GetObject, Op::HeadObject, Op::GetObjectVersion, Op::ListObjectsV2];
            let shown = reads.into_iter().filter(|_| !is_wider).find_map(|operation| {
                subject.exact().meeting(operation, [public.index, private.index], &denies)
            });
            if let Some(witness) = shown {
                let message = format!(
                    "rule `{}` makes public what `{}` protects, such as `{}`",
                    public.id(),
                    private.id(),
                    witness.key.escape_debug()
                );
                found.push(public.found_in("keys", message));
            }
        }
    }
    found
}

fn create_only_lost(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.allows().filter(|rule| rule.rule.terms().create_only) {
        let Some(Reach::Covered(by)) = subject.reach(&rule) else { continue };
        let overwrites = |before: &RuleView<'_>| !before.rule.terms().create_only;
        if let Some(before) = subject.allows().find(|before| by.contains(&before.index) && overwrites(before))
        {
            let place = rule.place().then("upload").then("create_only");
            let message =
                format!("`create_only` of rule `{}` is never used: `{}` comes first", rule.id(), before.id());
            found.push(rule.found_at(place, message));
        }
    }
    found
}

fn metadata_lost(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.allows() {
        let written = rule.rule.terms().metadata.iter().filter(|(_, term)| **term != MetadataTerm::Any);
        for (name, term) in written {
            let Some(covering) = subject.exact().never_writes(rule.index, name) else { continue };
            let lacks = |before: &RuleView<'_>| before.rule.terms().metadata.get(name) != Some(term);
            let before = subject.allows().find(|before| covering.contains(&before.index) && lacks(before));
            if let Some(before) = before {
                let place = rule.place().then("upload").then("metadata").then(name);
                let message =
                    format!("rule `{}` never writes `{name}`: `{}` comes first", rule.id(), before.id());
                found.push(rule.found_at(place, message));
            }
        }
    }
    found
}

fn limits_combine(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let begin = |rule: &RuleView<'_>| rule.has(Op::CreateMultipartUpload);
    let parts: Vec<_> = subject.allows().filter(|rule| rule.has(Op::UploadPart)).collect();
    let denies: Vec<_> = subject.denies().map(|rule| rule.index).collect();
    let mut found = Vec::new();
    for (index, one) in parts.iter().enumerate() {
        for other in parts.iter().skip(index).skip(1).filter(|other| begin(one) || begin(other)) {
            let combine = (is_shorter(one, other) && is_narrower(other, one))
                || (is_shorter(other, one) && is_narrower(one, other));
            let shown = combine
                .then(|| subject.exact().meeting(Op::UploadPart, [one.index, other.index], &denies))
                .flatten();
            if let Some(witness) = shown {
                let message = format!(
                    "rules `{}` and `{}` allow parts of one upload, such as of `{}`",
                    one.id(),
                    other.id(),
                    witness.key.escape_debug()
                );
                found.push(other.found(message));
            }
        }
    }
    found
}

/// Whether one allows less than the other.
fn is_shorter(one: &RuleView<'_>, other: &RuleView<'_>) -> bool {
    let most = |rule: &RuleView<'_>| rule.rule.terms().max_bytes.unwrap_or(u64::MAX);
    most(one) < most(other)
}

/// Whether one does not allow all types that the other allows.
fn is_narrower(one: &RuleView<'_>, other: &RuleView<'_>) -> bool {
    let types = |rule: &RuleView<'_>| {
        let upload = rule.document.upload.as_ref();
        let texts = upload.and_then(|upload| upload.content_types.clone());
        texts.unwrap_or_else(|| vec!["*/*".to_owned()])
    };
    let (narrow, wide) = (types(one), types(other));
    let holds = |range: &str, text: &str| {
        range == "*/*"
            || range.eq_ignore_ascii_case(text)
            || range
                .strip_suffix('*')
                .is_some_and(|kind| text.to_ascii_lowercase().starts_with(&kind.to_ascii_lowercase()))
    };
    !wide.iter().all(|text| narrow.iter().any(|range| holds(range, text)))
}

fn public_can_change(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    let public = subject.allows().filter(|rule| rule.is_anonymous() && rule.has(Op::GetObject));
    for public in public {
        // An administrator of everything is known to be one.
        let is_meant = |rule: &RuleView<'_>| {
            rule.is_anonymous() || rule.rule.terms().create_only || rule.rule.keys().iter().any(is_everything)
        };
        let variant = (&public, Variant::OfEveryOperation);
        if let Some(witness) = subject.let_in(Op::PutObject, variant, |rule| !is_meant(rule)) {
            let message =
                format!("what rule `{}` makes public can be overwritten: {}", public.id(), words(&witness));
            found.push(public.found_in("keys", message));
        }
    }
    found
}
