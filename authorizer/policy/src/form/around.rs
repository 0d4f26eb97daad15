//! What else is said of a file with mistakes: of its blocks that are TOML, and of its values.

use std::ops::Range;

use authorizer_core::policy::{Place, PolicyProblem, Step};
use toml::Spanned;
use toml::de::DeTable;

use super::{Field, MAX_MISTAKES, Mistake, check, of_policy, syntax};
use crate::error::FileKind;

/// The mistakes of a text that is not TOML: those, and the mistakes in the form of the blocks that are.
pub(crate) fn with_syntax<'t>(
    kind: FileKind,
    text: &'t str,
    errors: &[toml::de::Error],
    document: &mut Spanned<DeTable<'t>>,
) -> Vec<Mistake> {
    // A second `[rules]` is not TOML, and hides what is below it: the file is looked at as if it had `[[rules]]`.
    if let Some((mended, heads)) = syntax::with_double_brackets(text) {
        let (mut document, errors) = DeTable::parse_recoverable(&mended);
        let mut mistakes = match errors.is_empty() {
            true => check(kind, &mended, &mut document),
            false => beside_syntax(kind, &mended, &errors, &mut document),
        };
        // Each head has one byte more before it, and one behind it.
        let back = |at: usize| {
            let opened = heads.partition_point(|head| head.mended.start < at);
            let closed = heads.partition_point(|head| head.mended.end.saturating_sub(1) < at);
            at.saturating_sub(opened).saturating_sub(closed)
        };
        for mistake in &mut mistakes {
            mistake.span = back(mistake.span.start)..back(mistake.span.end);
        }
        mistakes.extend(heads.into_iter().take(MAX_MISTAKES).map(|head| head.mistake));
        mistakes.sort_by_key(|mistake| mistake.span.start);
        mistakes.truncate(MAX_MISTAKES);
        return mistakes;
    }
    beside_syntax(kind, text, errors, document)
}

fn beside_syntax<'t>(
    kind: FileKind,
    text: &'t str,
    errors: &[toml::de::Error],
    document: &mut Spanned<DeTable<'t>>,
) -> Vec<Mistake> {
    let (mut mistakes, is_open) = syntax::syntax(text, errors);
    let heads: Vec<usize> = text.match_indices("\n[").map(|(at, _)| at.saturating_add(1)).collect();
    let broken: Vec<Range<usize>> =
        mistakes.iter().map(|mistake| block_around(text, &heads, mistake.span.start)).collect();
    let last = broken.iter().map(|block| block.start).max().unwrap_or(0);
    let is_apart = |mistake: &Mistake| {
        let start = mistake.span.start;
        let is_in_broken = broken.iter().any(|block| block.contains(&start));
        let follows = is_open && start >= last;
        !is_in_broken && !follows && !mistake.place.steps().is_empty()
    };
    let others = check(kind, text, document);
    mistakes.extend(others.into_iter().filter(is_apart));
    mistakes.sort_by_key(|mistake| mistake.span.start);
    mistakes.truncate(MAX_MISTAKES);
    mistakes
}

/// The bytes from the head of the block that is around a byte to the next head.
fn block_around(text: &str, heads: &[usize], at: usize) -> Range<usize> {
    let next = heads.partition_point(|head| *head <= at);
    let start = next.checked_sub(1).and_then(|index| heads.get(index)).copied().unwrap_or(0);
    start..heads.get(next).copied().unwrap_or(text.len())
}

/// The problems with values that do not follow from a mistake in the form.
pub(crate) fn apart_from(mistakes: &mut [Mistake], problems: Vec<PolicyProblem>) -> Vec<PolicyProblem> {
    let is_within = |inner: &Place, outer: &Place| inner.steps().starts_with(outer.steps());
    let first = |place: &Place| match place.steps().first() {
        Some(Step::Member(name)) => Some(name.clone()),
        Some(Step::Element(_)) | None => None,
    };
    // With a mistake at the top or in an issuer's block, nobody knows which issuers there are.
    let knows_issuers = !mistakes.iter().any(|mistake| {
        mistake.place.steps().len() <= 1 || first(&mistake.place).as_deref() == Some("issuers")
    });
    let follows = |problem: &PolicyProblem| {
        let is_about_issuers = match problem.place.steps() {
            [_] | [_, _] => true,
            [_, _, Step::Member(field), ..] => {
                field == "issuers" || field == "issuer" || field == "anonymous"
            }
            [] | [..] => false,
        };
        // What a rule allows decides what its limits are about.
        let is_about_limits = match problem.place.steps() {
            [_, _, Step::Member(field), ..] => {
                ["upload", "response_overrides", "parameters"].contains(&field.as_str())
            }
            [] | [..] => false,
        };
        let is_in_same = |mistake: &Mistake| match (mistake.place.steps(), problem.place.steps()) {
            ([list, index, Step::Member(field), ..], [other, same, ..]) => {
                list == other && index == same && !["keys", "when", "upload"].contains(&field.as_str())
            }
            _ => false,
        };
        mistakes.iter().any(|mistake| {
            is_within(&mistake.place, &problem.place)
                || is_within(&problem.place, &mistake.place)
                || (is_about_limits && is_in_same(mistake))
        }) || (!knows_issuers && is_about_issuers)
    };
    // The files of keys are not read, so what an issuer verifies with is not known, and neither is what a sign-in has.
    // Each is compared with each mistake.
    let problems = problems.into_iter().take(MAX_MISTAKES);
    let mut problems: Vec<PolicyProblem> =
        problems.filter(|problem| !is_about_keys(&problem.place) && !follows(problem)).collect();
    // The value of a misspelt field is in the file under the name that was written.
    for problem in &mut problems {
        let written = mistakes.iter_mut().find_map(|mistake| {
            let meant = mistake.meant.as_ref()?;
            let rest = problem.place.steps().strip_prefix(meant.steps())?;
            if let Some(Step::Member(name)) = meant.steps().last() {
                // Not with this value.
                mistake.remedy = format!("did you mean `{name}`?");
            }
            Some(rest.iter().fold(mistake.place.clone(), |place, step| match step {
                Step::Member(name) => place.then(name),
                Step::Element(index) => place.at(*index),
            }))
        });
        problem.place = written.unwrap_or_else(|| problem.place.clone());
    }
    problems
}

/// Whether a problem is about what an issuer verifies with, or about a secret of the sign-in.
fn is_about_keys(place: &Place) -> bool {
    matches!(
        place.steps(),
        [Step::Member(list), _, Step::Member(field), ..]
            if list == "issuers" && ["jwks", "secret", "algorithms"].contains(&field.as_str())
    ) || matches!(
        place.steps(),
        [Step::Member(table), Step::Member(field), ..]
            if table == "sign_in" && of_policy::CODE_FLOW.field(field).is_some_and(Field::holds_secret)
    )
}

/// The problems that do not follow from files of keys that cannot be used.
pub(crate) fn apart_from_keys(files: &[PolicyProblem], problems: Vec<PolicyProblem>) -> Vec<PolicyProblem> {
    // An issuer is two steps, and a secret of the sign-in too.
    let is_of_same = |problem: &PolicyProblem| {
        files.iter().any(|file| {
            is_about_keys(&file.place) && file.place.steps().get(..2) == problem.place.steps().get(..2)
        })
    };
    let follows = |problem: &PolicyProblem| is_about_keys(&problem.place) && is_of_same(problem);
    problems.into_iter().filter(|problem| !follows(problem)).collect()
}
