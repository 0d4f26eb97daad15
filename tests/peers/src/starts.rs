//! The start of a process and its first invocation, on a whole core and with the part of one that 128 MB have.

use std::fmt::Write as _;

use authorizer_local::Runtime;
use serde_json::{Value, json};

use crate::event::Case;
use crate::group::Group;
use crate::process::Process;
use crate::report::number;
use crate::stage::Package;
use crate::table::Spread;

/// A function that is started.
#[derive(Debug)]
pub struct Starter<'p> {
    /// Its name, with its runtime.
    pub name: String,
    /// The runtime that starts it.
    pub runtime: Runtime,
    /// Its files.
    pub package: &'p Package,
    /// Its place in the comparison.
    pub role: Role,
}

/// The place of a function in the comparison.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// Our function, which is compared with the peers.
    Ours,
    /// A peer.
    Peer,
    /// It decides nothing, so that it shows what the client costs.
    Client,
}

/// The measured starts of all functions.
#[derive(Debug)]
pub struct Starts {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: String,
    runtime: Runtime,
    role: Role,
    /// Milliseconds until the first request for an event, and those of the first invocation.
    times: Vec<(f64, f64)>,
}

impl Starts {
    /// Starts each of them in turns, `rounds` times. The first invocation has a token that the process never saw.
    pub async fn measure(
        starters: &[Starter<'_>],
        rounds: usize,
        first: &Case,
        group: Option<&Group>,
    ) -> Self {
        let row = |starter: &Starter<'_>| Row {
            name: starter.name.clone(),
            runtime: starter.runtime,
            role: starter.role,
            times: Vec::new(),
        };
        let mut rows: Vec<Row> = starters.iter().map(row).collect();
        for _ in 0..rounds {
            for (starter, row) in starters.iter().zip(&mut rows) {
                let folder = starter.package.unpacked.folder();
                let (mut process, started) = Process::start_in(group, starter.runtime, folder).await;
                let answer = process.invoke(&first.event).await;
                if starter.role != Role::Client {
                    first.assert(&starter.name, &answer.result);
                }
                row.times.push((started.as_secs_f64() * 1e3, answer.took.as_secs_f64() * 1e3));
            }
        }
        Self { rows }
    }

    /// A table with the medians, and the sum in relation to the best peer's: under a client the best of those that it
    /// starts, and natively the best of all.
    pub fn markdown(&self) -> String {
        let mut text = String::from(
            "|  | start to first `/next`, ms | first invocation, ms | both, ms | of the best peer's |\n\
             | --- | ---: | ---: | ---: | ---: |\n",
        );
        for row in &self.rows {
            let [start, first, both] = row.medians();
            let part = self.part(row).map_or_else(String::new, |part| format!("{part:.2}"));
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {part} |",
                row.name,
                number(start),
                number(first),
                number(both)
            );
        }
        text
    }

    /// The same as JSON, with the times of every round.
    pub fn json(&self) -> Value {
        let row = |row: &Row| {
            json!({
                "name": row.name,
                "start_to_next_ms": row.times.iter().map(|time| time.0).collect::<Vec<_>>(),
                "first_invocation_ms": row.times.iter().map(|time| time.1).collect::<Vec<_>>(),
                "of_best_peer": self.part(row),
            })
        };
        self.rows.iter().map(row).collect()
    }

    fn part(&self, row: &Row) -> Option<f64> {
        let is_rival = |other: &&Row| {
            other.role == Role::Peer && (row.runtime == Runtime::Native || row.runtime == other.runtime)
        };
        let both = |row: &Row| row.medians()[2];
        let best = self.rows.iter().filter(is_rival).map(both).min_by(f64::total_cmp)?;
        (row.role == Role::Ours).then(|| both(row) / best)
    }
}

impl Row {
    fn medians(&self) -> [f64; 3] {
        let median =
            |value: fn(&(f64, f64)) -> f64| Spread::of(self.times.iter().map(value).collect()).median;
        [median(|time| time.0), median(|time| time.1), median(|time| time.0 + time.1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_compared_with_the_best_peer_of_its_client_and_a_native_one_with_the_best_of_all() {
        let row = |name: &str, runtime, role, first| Row {
            name: name.to_owned(),
            runtime,
            role,
            times: vec![(10.0, first), (10.0, first), (900.0, 900.0)],
        };
        let starts = Starts {
            rows: vec![
                row("native", Runtime::Native, Role::Ours, 0.0),
                row("node", Runtime::Node, Role::Ours, 10.0),
                row("slow peer", Runtime::Node, Role::Peer, 70.0),
                row("peer", Runtime::Node, Role::Peer, 30.0),
                row("python peer", Runtime::Python, Role::Peer, 10.0),
                row("client", Runtime::Node, Role::Client, 0.0),
            ],
        };
        let text = starts.markdown();
        for line in [
            "| native | 10.0 | 0.000 | 10.0 | 0.50 |",
            "| node | 10.0 | 10.0 | 20.0 | 0.50 |",
            "| peer | 10.0 | 30.0 | 40.0 |  |",
            "| client | 10.0 | 0.000 | 10.0 |  |",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
