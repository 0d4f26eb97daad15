//! The figures of many rounds.

use authorizer_local::Runtime;

use crate::contender::{Contender, Function, Program};
use crate::figure::Figure;
use crate::round::Round;

/// The rounds of every contender.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<(Contender, Vec<Round>)>,
}

/// A figure over all rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The median; for an even number of rounds, the mean of the two in the middle.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Table {
    /// Adds a round of a contender.
    pub fn add(&mut self, contender: Contender, round: Round) {
        match self.rows.iter_mut().find(|(known, _)| *known == contender) {
            Some((_, rounds)) => rounds.push(round),
            None => self.rows.push((contender, vec![round])),
        }
    }

    /// The contenders, in the order of their turns.
    pub fn contenders(&self) -> Vec<Contender> {
        self.rows.iter().map(|(contender, _)| *contender).collect()
    }

    /// Our contenders.
    pub fn ours(&self) -> Vec<Contender> {
        let is_ours = |contender: &Contender| matches!(contender.function, Function::Ours(_));
        self.contenders().into_iter().filter(is_ours).collect()
    }

    /// A figure of a contender.
    pub fn spread(&self, contender: Contender, figure: Figure) -> Spread {
        let rounds = self.rows.iter().find(|(known, _)| *known == contender).map(|(_, rounds)| rounds);
        Spread::of(rounds.into_iter().flatten().map(|round| round[&figure]).collect())
    }

    /// Our figure in relation to that of an empty function.
    pub fn ratio_to_empty(&self, contender: Contender, figure: Figure) -> f64 {
        let empty = Contender { function: Function::Native(Program::Empty), runtime: Runtime::Native };
        self.spread(contender, figure).median / self.spread(empty, figure).median
    }

    /// Our figure in relation to the best peer's: for every figure, the smallest median is the best.
    pub fn ratio(&self, contender: Contender, figure: Figure) -> f64 {
        let peers = self.contenders().into_iter().filter(|other| matches!(other.function, Function::Peer(_)));
        let best = peers.map(|peer| self.spread(peer, figure).median).min_by(f64::total_cmp).unwrap();
        self.spread(contender, figure).median / best
    }
}

impl Spread {
    /// The spread of these values, of which there is at least one.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        Self { median: f64::midpoint(low, high), min: values[0], max: *values.last().unwrap() }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A table in which all figures of a contender have the same values.
    pub(crate) fn table(values: impl Fn(Contender) -> Vec<f64>) -> Table {
        let mut table = Table::default();
        for function in Function::ALL {
            for contender in function.measured_warm().iter().map(|&runtime| Contender { function, runtime }) {
                for value in values(contender) {
                    table.add(contender, Figure::all().into_iter().map(|figure| (figure, value)).collect());
                }
            }
        }
        table
    }

    #[test]
    fn the_median_is_the_middle_and_the_rest_does_not_move_it() {
        let spread = |values: &[f64]| Spread::of(values.to_vec());
        assert_eq!(spread(&[3.0, 1.0, 100.0]), Spread { median: 3.0, min: 1.0, max: 100.0 });
        assert_eq!(spread(&[4.0, 1.0, 2.0, 9.0]).median, 3.0);
    }

    #[test]
    fn the_ratio_is_to_the_peer_with_the_least_median() {
        let values = |contender: Contender| match contender.function {
            Function::Ours(_) => vec![2.0, 3.0, 40.0],
            Function::Bare(_) | Function::Native(_) => vec![0.1],
            Function::Peer(crate::contender::Library::Jose) => vec![1.0, 50.0, 60.0],
            Function::AsLibrary(_) | Function::Peer(_) => vec![9.0, 12.0, 13.0],
        };
        let table = table(values);
        for contender in table.ours() {
            assert_eq!(table.ratio(contender, Figure::Start), 0.25);
        }
    }
}
