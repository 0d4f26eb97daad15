//! The report.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::budget::{Budget, Limit};
use crate::figure::Figure;
use crate::table::Table;

/// The version of the JSON.
const VERSION: u32 = 2;

/// The settings of the measurement.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The number of processes per contender.
    pub rounds: usize,
    /// The number of warm invocations of a kind in each.
    pub invocations: usize,
    /// The number of unmeasured invocations before those.
    pub warm_up: usize,
}

/// Three Markdown tables: the figures, ours in relation to the best peer's, and the budgets.
pub fn markdown(table: &Table, budgets: &[Budget], settings: Settings) -> String {
    let Settings { rounds, invocations, warm_up } = settings;
    let mut text = format!(
        "Median of {rounds} rounds; {invocations} warm invocations of a kind in each, after {warm_up} \
         more.\n\n"
    );
    let contenders = table.contenders();
    head(&mut text, contenders.iter().map(ToString::to_string));
    for figure in Figure::all() {
        let cells = contenders.iter().map(|&contender| number(table.spread(contender, figure).median));
        row(&mut text, &figure.to_string(), cells);
    }
    text.push_str("\nAs parts of the best peer's:\n\n");
    let ours = table.ours();
    head(&mut text, ours.iter().map(ToString::to_string));
    for figure in Figure::all() {
        let cells = ours.iter().map(|&contender| format!("{:.3}", table.ratio(contender, figure)));
        row(&mut text, &figure.to_string(), cells);
    }
    text.push_str("\nBudgets:\n\n");
    head(&mut text, ["measured", "at most", "holds", "contender"].map(str::to_owned));
    for budget in budgets {
        let of_which = match budget.limit {
            Limit::Absolute(_) => "",
            Limit::OfBestPeer(_) => ", of the best peer's",
            Limit::OfEmpty(_) => ", of an empty function's",
        };
        let cells = [
            number(budget.measured),
            number(budget.limit.most()),
            if budget.holds() { "yes" } else { "**no**" }.to_owned(),
            budget.contender.to_string(),
        ];
        row(&mut text, &format!("{}{of_which}", budget.figure), cells);
    }
    text
}

/// The same as JSON, with the values of every round.
pub fn json(table: &Table, budgets: &[Budget], settings: Settings) -> Value {
    let contenders = table.contenders().into_iter().map(|contender| {
        let is_ours = table.ours().contains(&contender);
        let mut figures = Map::new();
        for figure in Figure::all() {
            let spread = table.spread(contender, figure);
            let mut fields = json!({"median": spread.median, "min": spread.min, "max": spread.max});
            if is_ours {
                fields["of_best_peer"] = json!(table.ratio(contender, figure));
            }
            figures.insert(figure.name(), fields);
        }
        json!({"name": contender.to_string(), "figures": figures})
    });
    let budgets = budgets.iter().map(|budget| {
        json!({
            "contender": budget.contender.to_string(),
            "figure": budget.figure.name(),
            "of_best_peer": matches!(budget.limit, Limit::OfBestPeer(_)),
            "of_empty_function": matches!(budget.limit, Limit::OfEmpty(_)),
            "measured": budget.measured,
            "at_most": budget.limit.most(),
            "holds": budget.holds(),
        })
    });
    json!({
        "version": VERSION,
        "rounds": settings.rounds,
        "invocations": settings.invocations,
        "warm_up": settings.warm_up,
        "contenders": contenders.collect::<Vec<_>>(),
        "budgets": budgets.collect::<Vec<_>>(),
    })
}

fn head(text: &mut String, columns: impl IntoIterator<Item = String>) {
    let columns: Vec<String> = columns.into_iter().collect();
    row(text, "", columns.iter().cloned());
    row(text, "---", columns.iter().map(|_| "---:".to_owned()));
}

fn row(text: &mut String, first: &str, cells: impl IntoIterator<Item = String>) {
    let cells: Vec<String> = cells.into_iter().collect();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "| {first} | {} |", cells.join(" | "));
}

/// A number with three significant digits, or a whole number.
pub(crate) fn number(value: f64) -> String {
    match value {
        value if value < 1.0 => format!("{value:.3}"),
        value if value < 10.0 => format!("{value:.2}"),
        value if value < 100.0 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}
