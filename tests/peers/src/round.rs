//! One round: the measurement of one process.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::contender::Contender;
use crate::event::{Case, Workload};
use crate::figure::{Figure, Kind};
use crate::process::Process;
use crate::stage::Package;

/// The figures of one process.
pub type Round = BTreeMap<Figure, f64>;

/// Starts a process, sends it all events, and ends it. The first `warm_up` events of each kind are not measured.
/// Every decision is checked, except those of functions that decide nothing: functions that decide differently must not be compared.
pub async fn run(contender: Contender, package: &Package, workload: &Workload, warm_up: usize) -> Round {
    let name = contender.to_string();
    let assert = |case: &Case, result: &[u8]| {
        if contender.function.decides() {
            case.assert(&name, result);
        }
    };
    let mut round = Round::new();
    let (mut process, started) = Process::start(contender.runtime, package.unpacked.folder()).await;
    round.insert(Figure::Start, millis(started));
    let first = process.invoke(&workload.first.event).await;
    assert(&workload.first, &first.result);
    round.insert(Figure::First, millis(first.took));
    for kind in Kind::ALL {
        let cases: &mut dyn Iterator<Item = &Case> = match kind {
            Kind::New => &mut workload.new.iter(),
            Kind::Repeated => &mut std::iter::repeat_n(&workload.repeated, workload.new.len()),
            Kind::Forged => &mut workload.forged.iter(),
            Kind::NewEs256 => &mut workload.new_es256.iter(),
            Kind::RepeatedEs256 => &mut std::iter::repeat_n(&workload.repeated_es256, workload.new.len()),
        };
        for case in cases.take(warm_up) {
            let answer = process.invoke(&case.event).await;
            assert(case, &answer.result);
        }
        let mut times = Vec::new();
        let before = process.cpu();
        for case in cases {
            let answer = process.invoke(&case.event).await;
            assert(case, &answer.result);
            times.push(answer.took);
        }
        let cpu = process.cpu() - before;
        times.sort();
        round.insert(Figure::Median(kind), micros(percentile(&times, 50)));
        round.insert(Figure::Percentile99(kind), micros(percentile(&times, 99)));
        round.insert(Figure::Cpu(kind), micros(cpu) / as_f64(times.len()));
    }
    round.insert(Figure::Resident, megabytes(process.memory("VmRSS")));
    round.insert(Figure::Peak, megabytes(process.memory("VmHWM")));
    round.insert(Figure::Zip, megabytes(package.length) * 1e3);
    round
}

/// The smallest time that this percentage of the times does not exceed (nearest rank).
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent).div_ceil(100) - 1]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn megabytes(bytes: u64) -> f64 {
    as_f64(usize::try_from(bytes).unwrap()) / 1e6
}

fn as_f64(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_times_and_no_fewer_are_below_it() {
        let times: Vec<_> = (1..=200).map(Duration::from_micros).collect();
        assert_eq!(percentile(&times, 50), Duration::from_micros(100));
        assert_eq!(percentile(&times, 99), Duration::from_micros(198));
        assert_eq!(percentile(&times[..1], 99), Duration::from_micros(1));
    }
}
