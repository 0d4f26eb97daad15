//! Whether one pattern matches every text of another.

use super::Piece;
use crate::steps::{OutOfSteps, Steps};

/// Whether `one` matches every text that `other` matches, over an alphabet with a character that neither has. It is exact,
/// in about as many steps as the product of their lengths at most.
///
/// The stars of `one` divide it into texts with gaps between them. A gap has the `?` at the ends of the texts beside it:
/// it is at least so long. So a text begins and ends with a letter, but the first of all may begin and the last may end with
/// `?`. Each text is looked for in `other` in turn, as far left as it fits behind its gap, in pieces without a star: a letter
/// fits the same letter, a `?` fits a letter or a `?`. A gap in `other` is as long as its pieces without the stars.
///
/// - If each is found, `one` matches: whatever the stars of `other` stand for, the texts stay and the gaps grow.
/// - If one is not, some text of `other` is not of `one`. In it, a `?` of `other` is a character that `one` does not have.
///   Of the stars between the last place found and the next, those before a place that is too near stand for nothing, so
///   that it stays too near; and the others for so many of this character that no text of `one` reaches across. A text that
///   reaches across a star which stands for nothing begins before that place, so it is too near as well. So the places
///   found are the earliest where `one` can have its texts, and the text that was not found has no place.
pub(super) fn covers(one: &[Piece], other: &[Piece], steps: &mut Steps) -> Result<bool, OutOfSteps> {
    let mut texts = one.split(|piece| *piece == Piece::Many).peekable();
    let first = texts.next().unwrap_or_default();
    if texts.peek().is_none() {
        return Ok(one.len() == other.len() && fits(first, other, steps)?);
    }
    steps.take(first.len())?;
    let (first, mut at_least) = without_last_anys(first);
    if !fits(first, other, steps)? {
        return Ok(false);
    }
    let mut rest = other.get(first.len()..).unwrap_or_default();
    while let Some(text) = texts.next() {
        steps.take(text.len().saturating_add(1))?;
        let letters = text.iter().position(|piece| *piece != Piece::Any).unwrap_or(text.len());
        at_least = at_least.saturating_add(letters);
        let text = text.get(letters..).unwrap_or_default();
        if texts.peek().is_none() {
            // The last one is at the end.
            let ends = rest.len().checked_sub(text.len()).and_then(|at| rest.split_at_checked(at));
            let Some((gap, end)) = ends else { return Ok(false) };
            steps.take(gap.len())?;
            let long = gap.iter().filter(|piece| **piece != Piece::Many).count();
            return Ok(long >= at_least && fits(text, end, steps)?);
        }
        if text.is_empty() {
            continue;
        }
        let (text, after) = without_last_anys(text);
        let Some(found) = behind(rest, at_least, text, steps)? else { return Ok(false) };
        rest = found;
        at_least = after;
    }
    Ok(true)
}

/// A text without the `?` at its end, and how many these are.
fn without_last_anys(text: &[Piece]) -> (&[Piece], usize) {
    let length = text.iter().rposition(|piece| *piece != Piece::Any).map_or(0, |last| last.saturating_add(1));
    (text.get(..length).unwrap_or_default(), text.len().saturating_sub(length))
}

/// What is behind the first place where a text fits after so long a gap.
fn behind<'o>(
    other: &'o [Piece],
    gap: usize,
    text: &[Piece],
    steps: &mut Steps,
) -> Result<Option<&'o [Piece]>, OutOfSteps> {
    let mut long = 0_usize;
    // Where there is room for it.
    let places = other.len().saturating_add(1).saturating_sub(text.len());
    for (at, piece) in other.iter().enumerate().take(places) {
        steps.take(1)?;
        let here = other.get(at..).unwrap_or_default();
        if long >= gap && fits(text, here, steps)? {
            return Ok(here.get(text.len()..));
        }
        if *piece != Piece::Many {
            long = long.saturating_add(1);
        }
    }
    Ok(None)
}

/// Whether a text fits the beginning of these pieces.
fn fits(text: &[Piece], pieces: &[Piece], steps: &mut Steps) -> Result<bool, OutOfSteps> {
    let takes = |(ours, theirs): (&Piece, &Piece)| match (ours, theirs) {
        (Piece::One(ours), Piece::One(theirs)) => ours == theirs,
        (Piece::Any, Piece::One(_) | Piece::Any) => true,
        (Piece::One(_), Piece::Any) | (_, Piece::Many) | (Piece::Many, _) => false,
    };
    let same = text.iter().zip(pieces).take_while(|both| takes(*both)).count();
    steps.take(same)?;
    Ok(same == text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path_pattern::{PathPattern, texts};
    use crate::steps::Budget;
    use proptest::prelude::*;

    fn decided(one: &str, other: &str) -> bool {
        let [one, other] = [one, other].map(PathPattern::new);
        Budget::new(1_000_000, 1_000_000).ask(|steps| one.covers(&other, steps)).unwrap()
    }

    #[test]
    fn a_pattern_covers_what_it_matches_all_of() {
        for (pattern, other, is) in [
            ("*", "photos/*", true),
            ("*", "", true),
            ("", "", true),
            ("", "/", true),
            ("", "*", false),
            ("*", "**", true),
            ("**", "*", true),
            ("?*", "*", false),
            ("/a/*", "a/*", true),
            ("a/*", "/a/*", true),
            ("a/*", "//a/*", false),
            ("photos/*", "/photos/private/*", true),
            ("photos/*", "photos/a.jpg", true),
            ("*.jpg", "photos/*.jpg", true),
            ("a/*", "a/b/*.jpg", true),
            ("?*", "*?", true),
            ("a?*", "a*?", true),
            ("a*?", "a?*b", true),
            // The `?` is what the star stands for, or the `b`.
            ("*a?*", "a*b", true),
            ("a?*", "a*b", true),
            ("a??*", "a*b", false),
            ("a?", "ab", true),
            ("*a*", "*ab*ba*", true),
            ("*ab*", "*a?b*", false),
            ("*a?b*", "a*b", false),
            ("a/*", "*", false),
            ("a?", "a*", false),
            ("a*b", "a*", false),
            ("ab", "a?", false),
            ("A/*", "a/*", false),
            ("photos/*", "Photos/*", false),
            ("a/*", "a", false),
            ("photos/*", "*.jpg", false),
            ("photos/?", "photos/*", false),
            ("photos/??*", "photos/*", false),
            ("*a*b", "*b*a", false),
            ("a%2F*", "a%2Fb", true),
            ("a%2F*", "a%2fb", false),
            ("a/*", "a%2F*", false),
            ("a???b", "a%2Fb", true),
            ("a%*", "a%2F*", true),
        ] {
            assert_eq!(decided(pattern, other), is, "{pattern} {other}");
        }
    }

    #[test]
    fn small_patterns_cover_as_their_short_texts_say() {
        let patterns = texts(&['a', 'b', '?', '*'], 4);
        // No pattern has a `c`.
        let paths = texts(&['a', 'b', 'c'], 6);
        let members: Vec<(PathPattern, Vec<u64>)> = patterns
            .iter()
            .map(|text| {
                let pattern = PathPattern::new(text);
                let bits = |some: &[String]| {
                    some.iter().fold(0, |all, path| all << 1 | u64::from(pattern.matches(path)))
                };
                let members = paths.chunks(64).map(bits).collect();
                (pattern, members)
            })
            .collect();
        let mut budget = Budget::new(usize::MAX, 64);
        for (one, of_one) in &members {
            for (other, of_other) in &members {
                let has_all = of_one.iter().zip(of_other).all(|(one, other)| other & !one == 0);
                assert_eq!(budget.ask(|steps| one.covers(other, steps)), Ok(has_all), "{one:?} {other:?}");
            }
        }
    }

    /// The same by another algorithm, which is exact too, and not polynomial: every set of places of `one` that what was
    /// read of `other` can lead to.
    fn covers_by_sets(one: &[Piece], other: &[Piece]) -> bool {
        use std::collections::BTreeSet;
        let close = |places: BTreeSet<usize>| {
            let mut all = places;
            for (at, piece) in one.iter().enumerate() {
                if all.contains(&at) && *piece == Piece::Many {
                    all.insert(at.saturating_add(1));
                }
            }
            all
        };
        // No letter: one that `one` does not have.
        let after = |places: &BTreeSet<usize>, letter: Option<char>| {
            let step = |at: &usize| match one.get(*at)? {
                Piece::Many => Some(*at),
                Piece::Any => Some(at.saturating_add(1)),
                Piece::One(ours) => (Some(*ours) == letter).then_some(at.saturating_add(1)),
            };
            close(places.iter().filter_map(step).collect())
        };
        let mut sets = BTreeSet::from([close(BTreeSet::from([0]))]);
        for piece in other {
            let step = |letter| move |set: &BTreeSet<usize>| after(set, letter);
            match piece {
                Piece::One(letter) => sets = sets.iter().map(step(Some(*letter))).collect(),
                Piece::Any => sets = sets.iter().map(step(None)).collect(),
                Piece::Many => loop {
                    let more: BTreeSet<_> = sets.iter().map(step(None)).collect();
                    let before = sets.len();
                    sets.extend(more);
                    if sets.len() == before {
                        break;
                    }
                },
            }
        }
        sets.iter().all(|set| set.contains(&one.len()))
    }

    proptest! {
        #[test]
        fn what_a_covered_pattern_matches_the_other_one_matches_too(
            one in "/?[ab%/A*?]{0,6}", other in "/?[ab%/A*?]{0,6}", path in "/?[abcA%/]{0,6}",
        ) {
            let is = decided(&one, &other);
            let [one, other] = [one, other].map(|text| PathPattern::new(&text));
            prop_assert!(!is || !other.matches(&path) || one.matches(&path));
        }

        #[test]
        fn longer_patterns_cover_as_another_algorithm_says(
            one in "\\*?([ab]{1,3}[*?]{0,3}){0,4}", other in "\\*?([ab]{1,3}[*?]{0,3}){0,6}",
        ) {
            let [of_one, of_other] = [&one, &other].map(|text| PathPattern::new(text));
            prop_assert_eq!(decided(&one, &other), covers_by_sets(of_one.pieces(), of_other.pieces()));
        }

        #[test]
        fn a_pattern_covers_one_that_was_made_narrower(
            parts in prop::collection::vec(("[ab]{1,2}", "[ab*?]{0,3}"), 1..5), wild in "[*?]",
        ) {
            // Each second part is more than what stands for it in the wider one.
            let stands = |with: &str| if wild == "*" || with.chars().count() != 1 || with == "*" { "*" } else { "?" };
            let narrow: String = parts.iter().flat_map(|(fixed, with)| [fixed.as_str(), with]).collect();
            let wide: String = parts.iter().flat_map(|(fixed, with)| [fixed.as_str(), stands(with)]).collect();
            prop_assert!(decided(&wide, &narrow), "{} {}", wide, narrow);
        }
    }

    #[test]
    fn the_longest_patterns_take_no_more_steps_than_their_product() {
        let long = |part: &str| part.chars().cycle().take(255).collect::<String>();
        let all = [
            "a",
            "*a",
            "a*",
            "?a*",
            "*a?",
            "*a*a*a*a*a*a*b",
            "*a?a*a",
            "*?",
            "a?",
            "aaaaaaaaaaaaaaaaaaaaaaaaab*",
            "ab*ba?",
        ];
        let mut all: Vec<String> = all.iter().map(|part| long(part)).collect();
        // A text that almost fits everywhere.
        all.push(format!("*{}b*", "a".repeat(126)));
        all.push(format!("*{}b*", "a?".repeat(63)));
        all.push(format!("*b{}", "a".repeat(253)));
        for one in &all {
            for other in &all {
                let [one, other] = [one, other].map(|text| PathPattern::new(text));
                let mut budget = Budget::new(17_000, 17_000);
                let answer = budget.ask(|steps| one.covers(&other, steps));
                assert!(answer.is_ok(), "{} {}", one.pieces().len(), other.pieces().len());
            }
        }
    }
}
