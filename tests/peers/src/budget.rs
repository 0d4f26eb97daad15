//! What the function may cost.

use authorizer_local::Runtime;
use serde::Serialize;

use crate::contender::{Contender, Function, Keys};
use crate::figure::{Figure, Kind};
use crate::table::Table;

/// A budget, and what was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Budget {
    /// Whose it is.
    pub contender: String,
    /// What is limited.
    pub what: String,
    /// What was measured.
    pub measured: f64,
    /// What it may be.
    pub limit: f64,
    /// Whether it is no more.
    pub holds: bool,
}

/// What a limit is held against.
#[derive(Clone, Copy)]
enum Limit {
    /// The median itself.
    Absolute(f64),
    /// The median as a part of the best peer's.
    Ratio(f64),
}

/// Every budget of every contender of ours.
pub fn judge(table: &Table) -> Vec<Budget> {
    let of = |contender: Contender| {
        budgets(contender)
            .into_iter()
            .map(move |(figure, limit)| Budget::new(table, contender, figure, limit))
    };
    table.ours().into_iter().flat_map(of).collect()
}

fn budgets(contender: Contender) -> Vec<(Figure, Limit)> {
    let third = Limit::Ratio(1.0 / 3.0);
    let start = match contender.runtime {
        Runtime::Native => Limit::Absolute(5.0),
        Runtime::Python | Runtime::Node => third,
    };
    let mut budgets = vec![(Figure::Start, start)];
    budgets.extend(Kind::ALL.map(|kind| (Figure::Cpu(kind), third)));
    budgets.push((Figure::Resident, Limit::Absolute(8.0)));
    match contender.function {
        Function::Ours(Keys::Remote) => budgets.push((Figure::Zip, Limit::Absolute(1500.0))),
        Function::Ours(Keys::BundledOnly) => budgets.push((Figure::Zip, Limit::Absolute(1000.0))),
        Function::Peer(_) => {}
    }
    budgets
}

impl Budget {
    fn new(table: &Table, contender: Contender, figure: Figure, limit: Limit) -> Self {
        let (what, measured, limit) = match limit {
            Limit::Absolute(limit) => (figure.to_string(), table.spread(contender, figure).median, limit),
            Limit::Ratio(limit) => {
                (format!("{figure}, of the best peer's"), table.ratio(contender, figure), limit)
            }
        };
        Self { contender: contender.to_string(), what, measured, limit, holds: measured <= limit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::tests::table;

    #[test]
    fn what_costs_as_much_as_a_peer_holds_no_ratio_and_what_costs_a_third_holds_them_all() {
        for (ours, holds) in [(1.0, true), (3.0, false)] {
            let table = table(|contender| match contender.function {
                Function::Ours(_) => vec![ours],
                Function::Peer(_) => vec![3.0],
            });
            let budgets = judge(&table);
            let ratios: Vec<_> = budgets.iter().filter(|budget| budget.what.contains("best peer")).collect();
            // CPU of three kinds for four contenders, and the start of the two under Node.js.
            assert_eq!(ratios.len(), 14);
            assert!(ratios.iter().all(|budget| budget.holds == holds), "{ratios:?}");
        }
    }

    #[test]
    fn each_variant_has_the_limit_of_its_own_zip() {
        let table = table(|_| vec![1200.0]);
        let zips: Vec<_> = judge(&table)
            .into_iter()
            .filter(|budget| budget.what.starts_with("zip"))
            .map(|budget| (budget.contender, budget.holds))
            .collect();
        for (contender, holds) in zips {
            assert_eq!(holds, !contender.contains("bundled"), "{contender}");
        }
    }
}
