//! The budgets of the function.

use crate::contender::{Contender, Function};
use crate::figure::{Figure, Kind};
use crate::table::Table;
use authorizer_e2e::binaries::Build;

/// A budget, and the measured value.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// The contender.
    pub contender: Contender,
    /// The limited figure.
    pub figure: Figure,
    /// The value that is checked against the limit.
    pub measured: f64,
    /// The limit.
    pub limit: Limit,
}

/// The largest allowed value of a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// A limit on the median itself.
    Absolute(f64),
    /// A limit on the median in relation to the best peer's.
    OfBestPeer(f64),
    /// A limit on the median in relation to that of an empty function.
    OfEmpty(f64),
}

/// The budgets of all our contenders.
pub fn judge(table: &Table) -> Vec<Budget> {
    let of = |contender: Contender| {
        budgets(contender)
            .into_iter()
            .map(move |(figure, limit)| Budget::new(table, contender, figure, limit))
    };
    table.ours().into_iter().flat_map(of).collect()
}

fn budgets(contender: Contender) -> Vec<(Figure, Limit)> {
    let third = Limit::OfBestPeer(1.0 / 3.0);
    let mut budgets = vec![(Figure::Start, Limit::Absolute(3.0))];
    budgets.extend(Kind::ALL.map(|kind| (Figure::Cpu(kind), third)));
    budgets.push((Figure::Cpu(Kind::Repeated), Limit::OfEmpty(1.15)));
    budgets.push((Figure::Resident, Limit::Absolute(8.0)));
    match contender.function {
        Function::Ours(Build::Fast) => budgets.push((Figure::Zip, Limit::Absolute(2200.0))),
        Function::Ours(Build::Small) => budgets.push((Figure::Zip, Limit::Absolute(1048.576))),
        Function::AsLibrary(_) | Function::Peer(_) | Function::Bare(_) | Function::Native(_) => {}
    }
    budgets
}

impl Budget {
    fn new(table: &Table, contender: Contender, figure: Figure, limit: Limit) -> Self {
        let measured = match limit {
            Limit::Absolute(_) => table.spread(contender, figure).median,
            Limit::OfBestPeer(_) => table.ratio(contender, figure),
            Limit::OfEmpty(_) => table.ratio_to_empty(contender, figure),
        };
        Self { contender, figure, measured, limit }
    }

    /// Whether the measured value is within the limit.
    pub fn holds(&self) -> bool {
        self.measured <= self.limit.most()
    }
}

impl Limit {
    /// The number.
    pub fn most(self) -> f64 {
        match self {
            Self::Absolute(most) | Self::OfBestPeer(most) | Self::OfEmpty(most) => most,
        }
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
                Function::AsLibrary(_) | Function::Peer(_) => vec![3.0],
                // They are no peers, so nothing is compared with them.
                Function::Bare(_) | Function::Native(_) => vec![0.1],
            });
            let budgets = judge(&table);
            let ratios: Vec<_> =
                budgets.iter().filter(|budget| matches!(budget.limit, Limit::OfBestPeer(_))).collect();
            // The CPU of five kinds for two contenders.
            assert_eq!(ratios.len(), 10);
            assert!(ratios.iter().all(|budget| budget.holds() == holds), "{ratios:?}");
        }
    }

    #[test]
    fn each_build_has_the_limit_of_its_own_zip() {
        let table = table(|_| vec![1200.0]);
        let zips: Vec<_> = judge(&table).into_iter().filter(|budget| budget.figure == Figure::Zip).collect();
        assert_eq!(zips.len(), 2);
        for budget in zips {
            let fast = budget.contender.function == Function::Ours(Build::Fast);
            assert_eq!(budget.holds(), fast, "{budget:?}");
        }
    }
}
