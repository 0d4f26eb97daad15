//! Which behaviors get no request, by the order of the behaviors: CloudFront sends a request to the first behavior whose
//! path pattern matches.

use super::path_pattern::{Escapes, PathPattern};
use super::steps::{Budget, OutOfSteps, Steps};
use super::view::View;

/// The steps for two patterns: more than two of 255 characters can take, which is as long as CloudFront lets them be, in each
/// reading of escapes.
const STEPS_OF_TWO: usize = 60_000;

/// The steps for all patterns: enough for 75 behaviors, the most that a distribution has unless AWS raised its quota, with
/// patterns of 255 characters, whatever they are, in three readings. In a debug build this is a few seconds.
const STEPS: usize = 150_000_000;

/// What the order of the behaviors does to them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Order {
    /// The behaviors to which CloudFront sends no request.
    pub unreached: Vec<Unreached>,
    /// The others of which this was not decided, as far as it concerns the caller.
    pub undecided: Vec<Undecided>,
}

/// A behavior of which each path is one of a single earlier behavior.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unreached {
    /// Its index among all behaviors.
    pub index: usize,
    /// The index of the first behavior that certainly has all of its paths.
    pub by: usize,
}

/// A behavior of which it was not decided whether each of its paths is one of a single earlier behavior.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Undecided {
    /// Its index among all behaviors.
    pub index: usize,
    /// The index of the first behavior for which it was not decided and concerns the caller.
    pub before: usize,
    /// Why it was not.
    pub why: WhyUndecided,
}

/// Why two path patterns were not compared to the end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WhyUndecided {
    /// The answer depends on how CloudFront reads an escape in a path pattern.
    Escape,
    /// The comparison takes too many steps.
    Steps,
}

impl Order {
    /// Compares the path pattern of each behavior with those before it. `concerns` says of the index of a behavior whether
    /// the caller must know if it was not compared with another one to the end.
    pub fn of(view: &View, escapes: Escapes, concerns: impl Fn(usize) -> bool) -> Self {
        Self::within(view, escapes, concerns, &mut Budget::new(STEPS, STEPS_OF_TWO))
    }

    fn within(view: &View, escapes: Escapes, concerns: impl Fn(usize) -> bool, budget: &mut Budget) -> Self {
        let patterns: Vec<_> = view.behaviors().map(|(name, _)| escapes.readings(&name)).collect();
        let mut order = Self::default();
        for (index, later) in patterns.iter().enumerate() {
            let mut undecided = None;
            let mut by = None;
            for (before, earlier) in patterns.iter().take(index).enumerate() {
                let why = match budget.ask(|steps| takes(earlier, later, steps)) {
                    Ok(Takes::NotAll) => continue,
                    Ok(Takes::All) => {
                        by = Some(before);
                        break;
                    }
                    Ok(Takes::ByReading) => WhyUndecided::Escape,
                    Err(OutOfSteps) => WhyUndecided::Steps,
                };
                if concerns(index) || concerns(before) {
                    undecided.get_or_insert(Undecided { index, before, why });
                    if budget.is_spent() {
                        break;
                    }
                }
            }
            match by {
                Some(by) => order.unreached.push(Unreached { index, by }),
                None => order.undecided.extend(undecided),
            }
        }
        order
    }
}

/// What one pattern takes of the paths of another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Takes {
    All,
    NotAll,
    /// All in one reading of escapes, and not all in another.
    ByReading,
}

/// Compares two patterns in each of their readings.
fn takes(one: &[PathPattern], other: &[PathPattern], steps: &mut Steps) -> Result<Takes, OutOfSteps> {
    let (mut all, mut not_all) = (false, false);
    for reading in 0..one.len().max(other.len()) {
        if let (Some(one), Some(other)) = (read(one, reading), read(other, reading)) {
            let is = one.covers(other, steps)?;
            all |= is;
            not_all |= !is;
        }
    }
    Ok(match (all, not_all) {
        (true, true) => Takes::ByReading,
        (true, false) => Takes::All,
        (false, _) => Takes::NotAll,
    })
}

/// A pattern in a reading. One without escapes is the same in each.
fn read(pattern: &[PathPattern], reading: usize) -> Option<&PathPattern> {
    pattern.get(reading).or(pattern.first())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A distribution of behaviors with these patterns, and the default one.
    fn distribution(patterns: &[String]) -> View {
        let behavior = json!({"TargetOriginId": "b", "ViewerProtocolPolicy": "https-only"});
        let items: Vec<Value> = patterns
            .iter()
            .map(|pattern| {
                let mut one = behavior.clone();
                one["PathPattern"] = json!(pattern);
                one
            })
            .collect();
        let view = json!({"Origins": {"Quantity": 0}, "DefaultCacheBehavior": behavior,
            "CacheBehaviors": {"Quantity": items.len(), "Items": items}});
        serde_json::from_value(view).unwrap()
    }

    type NotDecided = (usize, usize, WhyUndecided);

    /// Each behavior that is not reached, by which, and each that is not decided, before which and why.
    fn said(patterns: &[&str], escapes: Escapes) -> (Vec<(usize, usize)>, Vec<NotDecided>) {
        let patterns: Vec<String> = patterns.iter().map(|one| (*one).to_owned()).collect();
        let Order { unreached, undecided } = Order::of(&distribution(&patterns), escapes, |_| true);
        (
            unreached.into_iter().map(|one| (one.index, one.by)).collect(),
            undecided.into_iter().map(|one| (one.index, one.before, one.why)).collect(),
        )
    }

    #[test]
    fn a_behavior_after_one_with_all_of_its_paths_gets_no_request() {
        for escapes in [Escapes::AsWritten, Escapes::NotKnown] {
            let both = |patterns: &[&str]| said(patterns, escapes);
            assert_eq!(both(&["a/*", "b/*", "/a/c/*"]), (vec![(2, 0)], vec![]));
            assert_eq!(both(&["/a/*", "a/*"]), (vec![(1, 0)], vec![]));
            assert_eq!(both(&["a/*", "A/b"]), (vec![], vec![]));
            // The default behavior has the pattern `*`.
            assert_eq!(both(&["a", "*"]), (vec![(2, 1)], vec![]));
            assert_eq!(both(&["*", "a"]), (vec![(1, 0), (2, 0)], vec![]));
            assert_eq!(both(&["?*"]), (vec![], vec![]));
            assert_eq!(both(&[]), (vec![], vec![]));
            // Escapes that no reading can change anything about.
            assert_eq!(both(&["a/*", "a/%20b", "b%20/*", "b%20/c"]), (vec![(1, 0), (3, 2)], vec![]));
            assert_eq!(both(&["%zz*", "%zz"]), (vec![(1, 0)], vec![]));
        }
    }

    #[test]
    fn what_depends_on_how_an_escape_is_read_is_not_decided() {
        let escape = WhyUndecided::Escape;
        for (patterns, as_written) in [
            (["%70hotos/*", "photos/a"], vec![]),
            (["photos/*", "%70hotos/a"], vec![]),
            (["photos%2F*", "photos/a"], vec![]),
            (["photos%2f*", "photos%2Fa"], vec![]),
            (["a???b", "a%2Fb"], vec![(1, 0)]),
            (["a%*", "a%2F*"], vec![(1, 0)]),
        ] {
            assert_eq!(said(&patterns, Escapes::NotKnown), (vec![], vec![(1, 0, escape)]), "{patterns:?}");
            assert_eq!(said(&patterns, Escapes::AsWritten), (as_written, vec![]), "{patterns:?}");
        }
        // What another one certainly has is decided.
        let patterns = ["%70hotos/*", "p*", "photos/a"];
        assert_eq!(said(&patterns, Escapes::NotKnown), (vec![(2, 1)], vec![]));
    }

    #[test]
    fn what_is_not_decided_is_said_if_it_concerns_the_caller() {
        let patterns = ["users/*", "st%61tic/*", "pub%6Cic/*", "static/x/*", "public/x/*"].map(str::to_owned);
        let of = |ours: &[usize]| {
            let order = Order::of(&distribution(&patterns), Escapes::NotKnown, |index| ours.contains(&index));
            order.undecided.into_iter().map(|one| (one.index, one.before)).collect::<Vec<_>>()
        };
        assert_eq!(of(&[0]), []);
        assert_eq!(of(&[1]), [(3, 1)]);
        assert_eq!(of(&[4]), [(4, 2)]);
        assert_eq!(of(&[0, 1, 2, 3, 4]), [(3, 1), (4, 2)]);
    }

    #[test]
    fn what_takes_too_many_steps_is_not_decided_and_is_not_a_no() {
        // Longer than CloudFront lets a pattern be: such a file has another author.
        let near = format!("*{}b*", "a".repeat(500));
        let long = "a".repeat(1000);
        let steps = WhyUndecided::Steps;
        let all = said(&["x", &near, &long, "xx"], Escapes::NotKnown);
        assert_eq!(all, (vec![], vec![(2, 1, steps)]));
        let taken = said(&[&near, "a*", &long], Escapes::NotKnown);
        assert_eq!(taken, (vec![(2, 1)], vec![]));
        // Without steps for the last two behaviors.
        let patterns = ["a", "b", "c", "*"].map(str::to_owned);
        let mut budget = Budget::new(5, 2);
        let order = Order::within(&distribution(&patterns), Escapes::NotKnown, |_| true, &mut budget);
        let undecided = |index, before| Undecided { index, before, why: steps };
        assert_eq!(order.unreached, []);
        assert_eq!(order.undecided, [undecided(3, 2), undecided(4, 0)]);
    }

    #[test]
    fn seventy_five_behaviors_are_decided_whatever_their_patterns() {
        let letters =
            |count: usize| (0..count).map(|at| if at % 3 == 2 { '?' } else { 'a' }).collect::<String>();
        let patterns: Vec<String> = (0..75)
            .map(|at: usize| match at % 6 {
                0 => format!("*{}b*-{at}", letters(124)),
                1 => format!("{at}-{}", "*a?".repeat(84)),
                2 => format!("*a*a*a*a*a*a*b{at}"),
                3 => format!("*-{at}{}", "a".repeat(250)),
                4 => format!("*{}-{at}-*%20{}", "a".repeat(80), "a".repeat(160)),
                _ => format!("*{}b{at}-*", "a".repeat(120)),
            })
            .collect();
        assert!(patterns.iter().all(|one| one.len() <= 255));
        let mut budget = Budget::new(STEPS, STEPS_OF_TWO);
        let order = Order::within(&distribution(&patterns), Escapes::NotKnown, |_| true, &mut budget);
        assert_eq!(order, Order::default());
        // The most for two of them in one of three readings is less than 17,000, so 76 need less than this.
        const { assert!(76 * 75 / 2 * 3 * 17_000 < STEPS && 3 * 17_000 < STEPS_OF_TWO) }
    }
}
