//! Rules that do not do what they seem to do: each finding has a proof, or a request that shows it.

use authorizer_analysis::Reach;
use authorizer_analysis::engine::{Answer, heads_agree};
use authorizer_core::operation::S3Operation as Op;
use authorizer_core::policy::Place;
use authorizer_core::rules::{Effect, KeyPattern, MetadataTerm};

use super::conditions::is_against_the_issuer;
use super::duplicates::has_a_twin;
use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::exact::{Asked, Variant, words};
use crate::policy::finding::Observation;
use crate::policy::subject::{PolicySubject, RuleView, is_a_slip, is_everything, list};

pub(super) static FAMILY: Family = Family::Policy(&[
    (
        Check {
            id: "EA001",
            name: "rule-matches-nothing",
            severity: Severity::High,
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
            severity: Severity::High,
            title: "a deny rule, or one of its patterns, denies only what no rule allows",
            why: "Every request gets the same decision without it. Either its keys, operations or claims are \
              wrong, and what it should protect is open. Or it is a guard against a rule that somebody writes \
              later.",
            remedy: "fix the rule, remove it, or accept the finding and say what the rule guards against",
        },
        denies_nothing,
    ),
    (
        Check {
            id: "EA005",
            name: "public-folder-holds-a-private-one",
            severity: Severity::High,
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
            severity: Severity::High,
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
    let ids: Vec<_> = rules.iter().filter_map(|index| Some(subject.rule(*index)?.id())).collect();
    list(&ids)
}

fn matches_nothing(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let possible = subject.possible();
    let mut found = Vec::new();
    for rule in subject.rules().filter(|rule| !is_against_the_issuer(rule)) {
        match subject.reach(&rule) {
            Some(Reach::Impossible) => {
                // Where no rule allows the operation, the deny rule is a guard, and nothing is open.
                let is_open = rule.is_deny() && !rule.rule.operations().intersection(possible).is_empty();
                let severity = if is_open { Severity::High } else { Severity::Medium };
                let message = format!("no request can match rule `{}`", rule.id());
                found.push(rule.found(message).severity(severity));
            }
            Some(Reach::Decides(_)) if !rule.is_deny() => {
                for (place, pattern) in dead_patterns(subject, &rule, &[]) {
                    let message = format!("no request can match `{pattern}` of rule `{}`", rule.id());
                    found.push(rule.found_at(place, message).severity(Severity::Medium));
                }
            }
            Some(Reach::Decides(_) | Reach::Covered(_)) | None => {}
        }
    }
    found
}

/// The patterns of an allow rule with several, for which there is no request that the rule matches and none of the
/// others does. Only those are asked about that could be: that read a claim, or that one of the others is near.
fn dead_patterns<'p>(
    subject: &PolicySubject<'_>,
    rule: &RuleView<'p>,
    others: &[RuleView<'_>],
) -> Vec<(Place, &'p KeyPattern)> {
    if rule.rule.keys().len() < 2 {
        return Vec::new();
    }
    let whose = subject.whose(rule, rule);
    let exclude: Vec<_> = others.iter().map(|other| other.index).collect();
    let near = |pattern: &KeyPattern| {
        others.iter().any(|other| other.rule.keys().iter().any(|one| heads_agree(one, pattern)))
    };
    let is_dead = |index: usize| {
        rule.rule.operations().iter().all(|operation| {
            let require = [rule.index];
            let asked =
                Asked { operation, require: &require, exclude: &exclude, within: Some((rule.index, index)) };
            matches!(subject.exact().ask(asked, &whose), Some(Answer::No(_)))
        })
    };
    let patterns = rule.patterns().enumerate();
    let shown = |pattern: &KeyPattern| match subject.reach(rule) {
        Some(Reach::Decides(witness)) => subject.is_of(witness, pattern),
        Some(Reach::Covered(_) | Reach::Impossible) | None => false,
    };
    let could_be = patterns.filter(|(_, (_, pattern))| {
        (near(pattern) || (others.is_empty() && pattern.claims().next().is_some())) && !shown(pattern)
    });
    could_be.filter(|(index, _)| is_dead(*index)).map(|(_, pattern)| pattern).collect()
}

fn never_decides(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let effects: Vec<_> = subject.rules().map(|rule| rule.rule.effect()).collect();
    let mut found = Vec::new();
    let denies: Vec<_> = subject.denies().collect();
    for rule in subject.rules() {
        if !rule.is_deny() && matches!(subject.reach(&rule), Some(Reach::Decides(_))) {
            let dead = dead_patterns(subject, &rule, &denies);
            // That no request matches a pattern is a finding of its own.
            let impossible = if dead.is_empty() { Vec::new() } else { dead_patterns(subject, &rule, &[]) };
            for (place, pattern) in dead {
                if !impossible.iter().any(|(one, _)| *one == place) {
                    let message =
                        format!("deny rules deny everything that rule `{}` allows on `{pattern}`", rule.id());
                    found.push(rule.found_at(place, message));
                }
            }
        }
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
    let mut found = Vec::new();
    let allows: Vec<_> = subject.allows().collect();
    // That no request matches a rule is a finding of its own.
    let denies = subject.denies().filter(|rule| !matches!(subject.reach(rule), Some(Reach::Impossible)));
    for rule in denies {
        let idle: Vec<_> = rule
            .patterns()
            .enumerate()
            .filter(|(index, _)| protects_nothing(subject, &allows, &rule, *index))
            .collect();
        if idle.len() == rule.rule.keys().len() {
            let hint = idle.iter().find_map(|(_, (_, pattern))| meant(subject, &rule, pattern));
            let message = format!(
                "rule `{}` protects nothing: no rule allows what it denies{}",
                rule.id(),
                hint.unwrap_or_default()
            );
            found.push(rule.found(message));
            continue;
        }
        for (_, (place, pattern)) in idle {
            let message = format!(
                "rule `{}` protects nothing with `{pattern}`: no rule allows what it denies{}",
                rule.id(),
                meant(subject, &rule, pattern).unwrap_or_default()
            );
            found.push(rule.found_at(place, message));
        }
        if matches!(subject.reach(&rule), Some(Reach::Decides(_))) && subject.is_redundant(&rule) {
            let message = format!("everything that rule `{}` denies is refused without it too", rule.id());
            found.push(rule.found(message).severity(Severity::Low));
        }
    }
    found
}

/// Whether no allow rule matches a request that the deny rule matches by its pattern at this place: proved.
fn protects_nothing(
    subject: &PolicySubject<'_>,
    allows: &[RuleView<'_>],
    rule: &RuleView<'_>,
    pattern: usize,
) -> bool {
    let exact = subject.exact();
    let everyone = exact.everyone();
    allows.iter().all(|allow| {
        rule.rule.operations().iter().filter(|one| allow.has(*one)).all(|operation| {
            let require = [rule.index, allow.index];
            let within = Some((rule.index, pattern));
            let asked = Asked { operation, require: &require, exclude: &[], within };
            !exact.could_overlap(operation, rule.index, allow.index)
                || matches!(exact.ask(asked, &everyone), Some(Answer::No(_)))
        })
    })
}

/// The pattern of an allow rule that a deny rule's pattern was perhaps meant to be below.
fn meant(subject: &PolicySubject<'_>, rule: &RuleView<'_>, pattern: &KeyPattern) -> Option<String> {
    subject.allows().find_map(|allow| {
        let shares = !allow.rule.operations().intersection(rule.rule.operations()).is_empty();
        let near = allow.rule.keys().iter().find(|one| shares && is_a_slip(pattern, one))?;
        Some(format!("; rule `{}` allows `{near}`", allow.id()))
    })
}

fn public_holds_private(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let denies: Vec<_> = subject.denies().map(|rule| rule.index).collect();
    let (publics, privates): (Vec<_>, Vec<_>) = subject.allows().partition(RuleView::is_anonymous);
    let mut found = Vec::new();
    for public in &publics {
        for private in &privates {
            let exact = subject.exact();
            let mut reads = vec![Op::GetObject, Op::HeadObject, Op::GetObjectVersion, Op::ListObjectsV2];
            reads.retain(|one| exact.could_overlap(*one, public.index, private.index));
            if reads.is_empty() {
                continue;
            }
            // The author of a pattern for everything, or for the same folder, knows what is public in it.
            let is_known =
                |pattern: &KeyPattern| is_everything(pattern) || public.rule.keys().contains(pattern);
            let unknown = private.rule.keys().iter().enumerate().filter(|(_, pattern)| !is_known(pattern));
            let indexes: Vec<_> = unknown.map(|(index, _)| index).collect();
            let everyone = exact.everyone();
            let shown = reads.into_iter().find_map(|operation| {
                indexes.iter().find_map(|index| {
                    let require = [public.index, private.index];
                    let within = Some((private.index, *index));
                    let asked = Asked { operation, require: &require, exclude: &denies, within };
                    exact.ask(asked, &everyone)?.witness()
                })
            });
            if let Some(witness) = shown {
                let message = format!(
                    "rule `{}` makes public what `{}` protects, such as `{}`",
                    public.id(),
                    private.id(),
                    witness.key.escape_debug()
                );
                found.push(public.found_in("keys", message).shown(witness));
            }
        }
    }
    found
}

fn create_only_lost(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.allows().filter(|rule| rule.rule.terms().create_only) {
        let overwrites = |before: &RuleView<'_>| !before.rule.terms().create_only;
        let mut by: Vec<usize> = match subject.reach(&rule) {
            Some(Reach::Covered(by)) => by.clone(),
            Some(Reach::Decides(_) | Reach::Impossible) | None => Vec::new(),
        };
        // One pattern that is never the rule's to decide is enough.
        if by.is_empty() {
            let before: Vec<_> =
                subject.allows().filter(|one| one.index < rule.index && overwrites(one)).collect();
            for (place, _) in dead_patterns(subject, &rule, &before) {
                let near = |one: &&RuleView<'_>| {
                    rule.patterns()
                        .filter(|(at, _)| *at == place)
                        .any(|(_, pattern)| one.rule.keys().iter().any(|key| heads_agree(key, pattern)))
                };
                by.extend(before.iter().find(near).map(|one| one.index));
            }
        }
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
            let lacks = |before: &RuleView<'_>| before.rule.terms().metadata.get(name) != Some(term);
            // One pattern for which it never writes them is enough.
            let before = rule.rule.keys().iter().enumerate().find_map(|(index, pattern)| {
                let covering = subject.exact().never_writes(rule.index, index, name)?;
                let before = subject.allows().find(|one| covering.contains(&one.index) && lacks(one))?;
                Some((pattern, before))
            });
            if let Some((pattern, before)) = before {
                let place = rule.place().then("upload").then("metadata").then(name);
                let on = if rule.rule.keys().len() > 1 { format!(" on `{pattern}`") } else { String::new() };
                let message =
                    format!("rule `{}` never writes `{name}`{on}: `{}` comes first", rule.id(), before.id());
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
            let combine = one.is_near(other)
                && ((is_shorter(one, other) && is_narrower(other, one))
                    || (is_shorter(other, one) && is_narrower(one, other)));
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
                found.push(other.found(message).shown(witness));
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
            found.push(public.found_in("keys", message).shown(witness));
        }
    }
    found
}
