//! Behaviors that no path selects, because an earlier one takes all of their paths.

use authorizer_cloudfront::BehaviorName;

use super::Behavior;

/// What is said of each such behavior. They are in the order in which they are tried.
pub(super) fn never_selected(behaviors: &[Behavior]) -> Vec<String> {
    let pattern = |behavior: &Behavior| match &behavior.name {
        BehaviorName::Pattern(pattern) => Some(pattern.clone()),
        BehaviorName::Default => None,
    };
    let patterns: Vec<String> = behaviors.iter().filter_map(pattern).collect();
    let covered = patterns.iter().enumerate().filter_map(|(place, later)| {
        let earlier = patterns.iter().take(place).find(|earlier| covers(earlier, later))?;
        Some(if earlier == later {
            let later = later.escape_debug();
            format!("two behaviors have the pattern `{later}`: CloudFront refuses that; here the second is never selected")
        } else {
            let (earlier, later) = (earlier.escape_debug(), later.escape_debug());
            format!("behavior `{later}` is never selected: behavior `{earlier}` before it takes all of its paths")
        })
    });
    covered.collect()
}

/// Whether a pattern matches every path of another one. `true` is certain.
fn covers(pattern: &str, other: &str) -> bool {
    let (pattern, other) = (wildcards_in_order(pattern), wildcards_in_order(other));
    // `can[p]`: whether the first `p` pieces of the pattern match what was read of the other one.
    let star = |p: usize| pattern.get(p) == Some(&'*');
    let after_stars = |can: &mut Vec<bool>| {
        for p in 0..pattern.len() {
            let next = p.saturating_add(1);
            if star(p) && can.get(p) == Some(&true) {
                can.get_mut(next).into_iter().for_each(|can| *can = true);
            }
        }
    };
    let mut can = vec![false; pattern.len().saturating_add(1)];
    can.first_mut().into_iter().for_each(|first| *first = true);
    after_stars(&mut can);
    for piece in other {
        let takes = |p: usize| match pattern.get(p) {
            Some('?') => piece != '*',
            Some(letter) => *letter == piece && piece != '*',
            None => false,
        };
        let mut next: Vec<bool> = (0..can.len()).map(|p| star(p) && can.get(p) == Some(&true)).collect();
        for p in 0..pattern.len() {
            if !star(p) && takes(p) && can.get(p) == Some(&true) {
                next.get_mut(p.saturating_add(1)).into_iter().for_each(|can| *can = true);
            }
        }
        can = next;
        after_stars(&mut can);
    }
    can.last() == Some(&true)
}

/// A pattern without its slash, with the `?` of each run of wildcards before its one `*`: it matches the same paths.
fn wildcards_in_order(pattern: &str) -> Vec<char> {
    let mut pieces = Vec::new();
    let mut has_star = false;
    for letter in pattern.strip_prefix('/').unwrap_or(pattern).chars() {
        match letter {
            '*' => has_star = true,
            '?' => pieces.push('?'),
            other => {
                if std::mem::take(&mut has_star) {
                    pieces.push('*');
                }
                pieces.push(other);
            }
        }
    }
    if has_star {
        pieces.push('*');
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::behaviors::matches;
    use proptest::prelude::*;

    #[test]
    fn a_pattern_covers_what_it_matches_all_of() {
        for (pattern, other, is) in [
            ("*", "a/*", true),
            ("/a/*", "a/*", true),
            ("a/*", "a/b/*.jpg", true),
            ("*.jpg", "a/*.jpg", true),
            ("a?*", "a*?", true),
            ("a*?", "a?*b", true),
            ("a?", "ab", true),
            ("a/*", "*", false),
            ("a?", "a*", false),
            ("a*b", "a*", false),
            ("ab", "a?", false),
            ("A/*", "a/*", false),
            ("a/*", "a", false),
            ("", "", true),
        ] {
            assert_eq!(covers(pattern, other), is, "{pattern} {other}");
        }
    }

    proptest! {
        #[test]
        fn what_a_covered_pattern_matches_the_other_one_matches_too(
            pattern in "[ab*?]{0,5}", other in "[ab*?]{0,5}", path in "[abc]{0,6}",
        ) {
            prop_assert!(!covers(&pattern, &other) || !matches(&other, &path) || matches(&pattern, &path));
        }
    }
}
