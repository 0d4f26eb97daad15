//! Rules that several issuers share, and names that each of the issuers gives by itself.

use authorizer_analysis::engine::heads_agree;
use authorizer_analysis::{Who, Witness};
use authorizer_core::policy::document::IssuerDocument;
use authorizer_core::rules::{ClaimTest, KeyPattern, Segment};

use super::claims::{gives_a_right, names_a_person};
use crate::check::{Check, Severity};
use crate::family::Family;
use crate::policy::exact::{Asked, words};
use crate::policy::finding::Observation;
use crate::policy::subject::{PolicySubject, RuleView};

pub(super) static FAMILY: Family = Family::Policy(&[
    (
        Check {
            id: "EA014",
            name: "folder-of-two-issuers",
            severity: Severity::High,
            title: "people of two issuers share a folder that a claim names",
            why: "Only `iss` and `sub` together identify a person (OpenID Connect Core section 5.7). Each issuer \
              gives its values by itself, so the same value at another issuer is another person, group or \
              tenant. That person uses the folder too, and a partner can choose the value.",
            remedy: "give each issuer its own folder: a rule for each issuer, such as `staff/{sub}/**` and \
                 `partners/{sub}/**`",
        },
        shared_folder,
    ),
    (
        Check {
            id: "EA015",
            name: "claim-of-two-issuers",
            severity: Severity::Medium,
            title: "a rule tests a name that each of several issuers gives by itself",
            why: "A group or a role of one issuer has nothing to do with one of the same name at another issuer. \
              Whoever administers the other issuer decides who is in it, and so who may do what the rule \
              allows.",
            remedy: "name one issuer in `issuers`, and write a rule for each of the others",
        },
        shared_claim,
    ),
]);

/// Whether two issuers are two names of one provider's directory, which gives each value once.
fn are_one(one: &IssuerDocument, other: &IssuerDocument) -> bool {
    let google = |issuer: &str| issuer.trim_start_matches("https://") == "accounts.google.com";
    let tenant = |issuer: &str| {
        let mut parts = issuer.trim_start_matches("https://").split('/');
        let host = parts.next()?;
        let is_entra = ["login.microsoftonline.com", "sts.windows.net"].contains(&host);
        parts.next().filter(|_| is_entra).map(str::to_ascii_lowercase)
    };
    let (one, other) = (one.issuer.as_str(), other.issuer.as_str());
    one == other || (google(one) && google(other)) || (tenant(one).is_some() && tenant(one) == tenant(other))
}

/// Whether a claim stands in both patterns where keys name whose they are.
fn both_name(one: &KeyPattern, other: &KeyPattern) -> bool {
    let is_deep = |segment: &Segment| *segment == Segment::AnySegments;
    let is_claim = |segment: &Segment| matches!(segment, Segment::Claim(_));
    for (first, second) in one.segments().iter().zip(other.segments()) {
        if is_deep(first) || is_deep(second) {
            return one.segments().iter().any(is_claim) && other.segments().iter().any(is_claim);
        }
        if is_claim(first) && is_claim(second) {
            return true;
        }
    }
    false
}

/// The pattern with any text in the place of each claim.
pub(super) fn of_anyone(pattern: &KeyPattern) -> Option<KeyPattern> {
    let mut text = pattern.to_string();
    for claim in pattern.claims() {
        text = text.replace(&format!("{{{claim}}}"), "*");
    }
    KeyPattern::parse(&text).ok()
}

/// The pattern of the key of a request alone, or of all that a listing shows.
fn of_shown(witness: &Witness) -> Option<KeyPattern> {
    let (key, is_listing) = (witness.key.as_str(), witness.operation.is_listing());
    let pattern = match is_listing {
        true => KeyPattern::parse(&format!("{}/**", key.strip_suffix('/')?)).ok()?,
        false => KeyPattern::parse(key).ok()?,
    };
    let (folder, rest) = match pattern.segments() {
        [folder @ .., rest @ Segment::AnySegments] if is_listing => (folder, Some(rest)),
        key => (key, None),
    };
    let is_plain = folder.iter().all(|segment| matches!(segment, Segment::Literal(_)));
    (is_plain && rest.is_some() == is_listing).then_some(pattern)
}

fn shared_folder(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let names = |rule: &RuleView<'_>| rule.rule.keys().iter().any(|key| key.claims().next().is_some());
    let allows: Vec<_> = subject.allows().filter(names).collect();
    let mut found = Vec::new();
    for (index, later) in allows.iter().enumerate() {
        for (at, (place, pattern)) in later.patterns().enumerate() {
            let before = allows.iter().take(index.saturating_add(1));
            let before = before.filter(|earlier| has_strangers(earlier, later));
            let shared = before.clone().find_map(|earlier| {
                let shares = |(other, one): (usize, &KeyPattern)| {
                    let is_before = earlier.index != later.index || other <= at;
                    is_before.then(|| share(subject, (earlier, one), (later, pattern)))?
                };
                let shared = earlier.rule.keys().iter().enumerate().find_map(shares)?;
                Some((earlier.clone(), shared))
            });
            let Some((earlier, Shared { issuers: [one, other], witnesses: [first, second] })) = shared else {
                continue;
            };
            let with = match earlier.index == later.index {
                true => String::new(),
                false => format!(" with rule `{}`", earlier.id()),
            };
            let message = format!(
                "rule `{}` shares `{pattern}`{with} between issuers `{one}` and `{other}`: {} of either is allowed",
                later.id(),
                words(&second)
            );
            found.push(later.found_at(place, message).shown(first).shown(second));
        }
    }
    found
}

/// Whether the rules accept tokens of two issuers that do not give their values together.
fn has_strangers(one: &RuleView<'_>, other: &RuleView<'_>) -> bool {
    one.issuers.iter().any(|first| other.issuers.iter().any(|second| !are_one(first, second)))
}

/// The names of two issuers, and for each a request for the same key.
struct Shared {
    issuers: [String; 2],
    witnesses: [Witness; 2],
}

/// Two issuers whose people use the same key, one by the first pattern and one by the second.
fn share(
    subject: &PolicySubject<'_>,
    (earlier, one): (&RuleView<'_>, &KeyPattern),
    (later, other): (&RuleView<'_>, &KeyPattern),
) -> Option<Shared> {
    if !both_name(one, other) || !heads_agree(one, other) {
        return None;
    }
    let denies = subject.deny_indexes();
    let ask = |rule: &RuleView<'_>, operation, issuer: &IssuerDocument, within: &KeyPattern| {
        let whose = [Who::Token(issuer.issuer.clone())];
        let require = [rule.index];
        let asked = Asked { operation, require: &require, exclude: &denies, within: None };
        subject.confirmed(rule, subject.exact().ask_within(asked, &whose, Some(within))?.witness()?)
    };
    // Two requests for the same key, or for keys of the same listing.
    let both = |rules: [&RuleView<'_>; 2], issuers: [&IssuerDocument; 2], wide: &KeyPattern, lists: bool| {
        let [first_rule, second_rule] = rules;
        let operations = first_rule.rule.operations();
        operations.iter().filter(|operation| operation.is_listing() == lists).find_map(|operation| {
            let first = ask(first_rule, operation, issuers[0], wide)?;
            let shown = of_shown(&first)?;
            // A listing also shows what is not in one key.
            let mut again = second_rule.rule.operations().iter().filter(|one| lists || !one.is_listing());
            let second = again.find_map(|operation| ask(second_rule, operation, issuers[1], &shown))?;
            Some([first, second])
        })
    };
    let (wide_one, wide_other) = (of_anyone(one)?, of_anyone(other)?);
    for first in &earlier.issuers {
        for second in later.issuers.iter().filter(|second| !are_one(first, second)) {
            let witnesses = both([earlier, later], [first, second], &wide_other, false)
                .or_else(|| both([earlier, later], [first, second], &wide_other, true))
                .or_else(|| {
                    let [second, first] = both([later, earlier], [second, first], &wide_one, true)?;
                    Some([first, second])
                });
            if let Some(witnesses) = witnesses {
                return Some(Shared { issuers: [first.name.clone(), second.name.clone()], witnesses });
            }
        }
    }
    None
}

/// Two issuers of a rule that do not give their values together.
fn strangers<'p>(rule: &RuleView<'p>) -> Option<(&'p IssuerDocument, &'p IssuerDocument)> {
    rule.issuers.iter().enumerate().find_map(|(index, one)| {
        let other = rule.issuers.iter().take(index).find(|other| !are_one(one, other))?;
        Some((*other, *one))
    })
}

fn shared_claim(subject: &PolicySubject<'_>) -> Vec<Observation> {
    let mut found = Vec::new();
    for rule in subject.allows() {
        let Some((one, other)) = strangers(&rule) else { continue };
        for condition in rule.rule.conditions() {
            let is_tested = match condition.test {
                ClaimTest::Equals(_) | ClaimTest::Any(_) | ClaimTest::Has(_) | ClaimTest::StartsWith(_) => {
                    true
                }
                ClaimTest::Present(_) => false,
            };
            let claim = condition.claim.as_str();
            let is_a_scope = claim == "scope" || claim == "scp";
            if is_tested && !is_a_scope && (gives_a_right(claim) || names_a_person(claim)) {
                let message = format!(
                    "rule `{}` tests `{claim}`, which `{}` and `{}` each give by themselves",
                    rule.id(),
                    one.name,
                    other.name
                );
                found.push(rule.found_at(rule.place().then("when").then(claim), message));
            }
        }
    }
    found
}
