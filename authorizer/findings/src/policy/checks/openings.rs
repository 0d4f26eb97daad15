//! Allow rules that open what another pattern or another rule keeps to some.

use authorizer_analysis::Who;
use authorizer_analysis::engine::{Answer, heads_agree};
use authorizer_core::claim_name;
use authorizer_core::operation::S3Operation as Op;
use authorizer_core::rules::{KeyPattern, Segment};
use serde_json::Value;

use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::exact::{Asked, Fence, Variant, words};
use crate::policy::finding::Observation;
use crate::policy::subject::{PolicySubject, RuleView};

pub(super) static FAMILY: Family = Family::Policy(&[
    (
        Check {
            id: "EA012",
            name: "folder-of-others-open",
            severity: Severity::High,
            title: "a pattern opens the folders of others, and another keeps each to its own",
            why: "One pattern has a claim such as `{sub}`, so it reads as if everyone is kept to a folder of their \
              own. But the patterns of a rule are alternatives, and so are rules: what the other pattern \
              allows is allowed. Everyone who has a folder then uses the folders of others too.",
            remedy: "put the claim into both patterns, name a folder that is nobody's, or require in the wider \
                 rule what only some people have",
        },
        others_open,
    ),
    (
        Check {
            id: "EA013",
            name: "fence-left-open",
            severity: Severity::High,
            title: "a second rule allows the same without the addresses, the hosts, the period or the limit of the first",
            why: "Rules are alternatives: a request that one rule does not match may match the next. The first \
              rule reads as if it keeps the keys to a network, a host, a time or a kind of upload, and the second \
              rule lets the same people past it.",
            remedy: "write the same limit into the second rule, require more in it, or turn the limit into a deny \
                 rule, which is possible for all limits but `hosts`",
        },
        fence_open,
    ),
]);

/// The claims of a pattern in whose place another pattern lets anything stand, or another claim.
fn opened<'p>(own: &'p KeyPattern, other: &KeyPattern) -> Vec<&'p str> {
    let is_deep = |segment: &Segment| *segment == Segment::AnySegments;
    let mut opened = Vec::new();
    for (index, segment) in own.segments().iter().enumerate() {
        let Segment::Claim(claim) = segment else { continue };
        let is_open = |segment: &Segment| match segment {
            Segment::Literal(_) => false,
            Segment::Claim(other) => other != claim,
            Segment::Glob(_) | Segment::AnySegments => true,
        };
        let moves = own.segments().iter().take(index).any(is_deep);
        let is_opened = match other.segments().iter().take(index).any(is_deep) {
            true => true,
            false if moves => other.segments().iter().any(is_open),
            false => other.segments().get(index).is_some_and(is_open),
        };
        if is_opened && !opened.contains(&claim.as_str()) {
            opened.push(claim);
        }
    }
    opened
}

fn others_open(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let allows: Vec<_> = subject.allows().filter(|rule| !rule.is_anonymous()).collect();
    let owners: Vec<_> = allows
        .iter()
        .filter(|rule| rule.rule.keys().iter().any(|key| key.claims().next().is_some()))
        .collect();
    let mut found = Vec::new();
    for opener in &allows {
        // The rule's own patterns first: there the contradiction is plain.
        let (own, others): (Vec<&RuleView<'_>>, Vec<_>) =
            owners.iter().copied().partition(|owner| owner.index == opener.index);
        let owners: Vec<_> =
            own.into_iter().chain(others).filter(|one| opener.asks_no_more(one, None)).collect();
        for index in 0..opener.rule.keys().len() {
            found.extend(owners.iter().find_map(|owner| opens(subject, opener, index, owner)));
        }
    }
    found
}

/// A finding, if the pattern of `opener` at this place opens what a pattern of `owner` keeps to each.
fn opens(
    subject: &PolicySubject<'_>,
    opener: &RuleView<'_>,
    index: usize,
    owner: &RuleView<'_>,
) -> Option<Observation> {
    let wide = opener.rule.keys().get(index)?;
    let is_own = owner.index == opener.index;
    // Most pairs of patterns of a long policy are apart.
    let others = owner.rule.keys().iter().enumerate().filter(|(at, _)| !is_own || *at != index);
    for (at, narrow) in others.filter(|(_, narrow)| heads_agree(narrow, wide)) {
        for claim in opened(narrow, wide) {
            let exact = subject.exact();
            let others = exact.variant(owner.index, Variant::Others(at, claim.to_owned()));
            let Some((others, alone)) = others.zip(exact.variant(owner.index, Variant::Alone(at))) else {
                continue;
            };
            let exclude = [subject.deny_indexes(), vec![alone]].concat();
            let whose = subject.whose(opener, owner);
            let both = opener.rule.operations().intersection(owner.rule.operations());
            let could = |operation: &Op| exact.could_overlap(*operation, opener.index, others);
            let shown = both.iter().filter(could).find_map(|operation| {
                let asked = Asked {
                    operation,
                    require: &[others, opener.index],
                    exclude: &exclude,
                    within: Some((opener.index, index)),
                };
                subject.allowed(opener, asked, &whose)
            });
            let Some(witness) = shown else { continue };
            let all = is_own
                && both.iter().any(|operation| {
                    let asked =
                        Asked { operation, require: &[others], exclude: &[opener.index], within: None };
                    matches!(exact.ask(asked, &whose), Some(Answer::No(rules)) if !rules.is_empty())
                });
            let severity = if all { Severity::High } else { Severity::Medium };
            let of = if is_own { String::new() } else { format!(" of rule `{}`", owner.id()) };
            let value = witness.claims.as_ref().and_then(|claims| claim_name::find(claims, claim));
            let whose = match value {
                Some(Value::String(text)) => format!(" whose `{claim}` is `{}`", text.escape_debug()),
                _ => String::new(),
            };
            let message = format!(
                "rule `{}` opens with `{wide}` what `{narrow}`{of} keeps to each `{claim}`: {}{whose} is allowed",
                opener.id(),
                words(&witness)
            );
            let place = opener.place().then("keys").at(index);
            return Some(opener.found_at(place, message).severity(severity).shown(witness));
        }
    }
    None
}

/// What a fence is called, and the member of the rule that has it.
fn named(fence: Fence) -> (&'static str, &'static str) {
    match fence {
        Fence::Network => ("from any address", "source_ips"),
        Fence::Host => ("on any host", "hosts"),
        Fence::Period => ("at any time", "not_after"),
        Fence::Length => ("at any length", "upload"),
        Fence::Types => ("of any type", "upload"),
    }
}

fn fence_open(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let allows: Vec<_> = subject.allows().collect();
    let mut found = Vec::new();
    for fenced in &allows {
        for fence in Fence::ALL.into_iter().filter(|fence| fence.is_of(fenced.document)) {
            let beside = allows.iter().filter(|open| {
                open.index != fenced.index
                    && !fence.is_of(open.document)
                    && open.asks_no_more(fenced, Some(fence))
            });
            found.extend(beside.filter_map(|open| past(subject, fenced, fence, open)).next());
        }
    }
    found
}

/// A finding, if the other rule lets people past the fence of this one.
fn past(
    subject: &PolicySubject<'_>,
    fenced: &RuleView<'_>,
    fence: Fence,
    open: &RuleView<'_>,
) -> Option<Observation> {
    let both = open.rule.operations().intersection(fenced.rule.operations());
    // Most pairs of rules of a long policy are apart.
    if both.is_empty() || !open.is_near(fenced) {
        return None;
    }
    let exact = subject.exact();
    let unfenced = exact.variant(fenced.index, Variant::Unfenced(fence))?;
    let exclude = [subject.deny_indexes(), vec![fenced.index]].concat();
    let whose = subject.whose(fenced, open);
    let asks_more = |pattern: &KeyPattern| {
        pattern
            .claims()
            .any(|claim| !fenced.rule.keys().iter().any(|own| own.claims().any(|one| one == claim)))
    };
    let patterns: Vec<_> =
        open.rule.keys().iter().enumerate().filter(|(_, pattern)| !asks_more(pattern)).collect();
    let could = |operation: &Op| exact.could_overlap(*operation, open.index, unfenced);
    let witness = both.iter().filter(could).find_map(|operation| {
        patterns.iter().find_map(|(index, _)| {
            let require = [unfenced, open.index];
            let within = Some((open.index, *index));
            subject.allowed(open, Asked { operation, require: &require, exclude: &exclude, within }, &whose)
        })
    })?;
    let (how, member) = named(fence);
    let is_limit = matches!(fence, Fence::Length | Fence::Types);
    let only_reads = |rule: &RuleView<'_>| rule.that(Op::changes_stored).is_empty();
    let severity = match does_nothing(subject, fenced, unfenced, open, &whose) {
        true if is_limit => Severity::Medium,
        true => Severity::High,
        // What the fence is for is writing.
        false if is_limit || (only_reads(open) && !only_reads(fenced)) => Severity::Low,
        false => Severity::Medium,
    };
    let message = format!(
        "rule `{}` allows {how} what rule `{}` limits with `{member}`: {} is allowed",
        open.id(),
        fenced.id(),
        words(&witness)
    );
    Some(open.found(message).severity(severity).shown(witness))
}

/// Whether everything that the fence keeps out is allowed by the other rule.
fn does_nothing(
    subject: &PolicySubject<'_>,
    fenced: &RuleView<'_>,
    unfenced: usize,
    open: &RuleView<'_>,
    whose: &[Who],
) -> bool {
    let exclude = [fenced.index, open.index];
    (fenced.is_anonymous() || whose.len() == fenced.issuers.len())
        && fenced.rule.operations().iter().all(|operation| {
            let asked = Asked { operation, require: &[unfenced], exclude: &exclude, within: None };
            matches!(subject.exact().ask(asked, whose), Some(Answer::No(_)))
        })
}
