//! Behaviors that no path selects here, because an earlier one takes all of their paths.

use authorizer_cloudfront::view::View;
use authorizer_cloudfront::{BehaviorName, Escapes, Order};

/// What is said of each such behavior, and of those for which it was not decided.
pub(super) fn never_selected(view: &View) -> Vec<String> {
    let names: Vec<BehaviorName> = view.behaviors().map(|(name, _)| name).collect();
    let both = |later: usize, earlier: usize| Some((names.get(later)?, names.get(earlier)?));
    let order = Order::of(view, Escapes::AsWritten, |_| true);
    let mut said = Vec::new();
    for (later, earlier) in order.unreached.iter().filter_map(|one| both(one.index, one.by)) {
        said.push(match later {
            BehaviorName::Pattern(pattern) if later == earlier => format!(
                "two behaviors have the pattern `{}`: CloudFront refuses that; here the second is never selected",
                pattern.escape_debug()
            ),
            BehaviorName::Pattern(_) | BehaviorName::Default => {
                format!("{later} is never selected: {earlier} before it takes all of its paths")
            }
        });
    }
    for one in &order.undecided {
        let Some((later, earlier)) = both(one.index, one.before) else { continue };
        // As they are written, no escape is in doubt: what is not decided takes too many steps.
        said.push(format!(
            "it is not decided whether {later} is ever selected: its path pattern and that of {earlier} before it are too \
             long to compare"
        ));
    }
    said
}
