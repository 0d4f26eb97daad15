//! One thread reads, the others judge, and what they find is added up in the order of the lines: so the same logs give
//! the same result, in memory that does not grow with them.

use std::io::IsTerminal as _;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use authorizer_audit::backtest::{Backtest, Lines, Tally};
use indicatif::{ProgressBar, ProgressStyle};

use super::error::BacktestError;
use super::source::{self, Log};

/// How many batches wait for a thread, and how many tallies for being added.
const WAITING: usize = 2;

/// Reads all logs.
pub(super) fn run(backtest: &Backtest, arguments: &[PathBuf]) -> Result<Tally, BacktestError> {
    let logs = source::logs(arguments)?;
    let read = AtomicU64::new(0);
    let progress = progress(&logs);
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(64);
    let mut tally = Tally::default();
    let result = thread::scope(|scope| {
        let mut batches = Vec::new();
        let mut tallies = Vec::new();
        for _ in 0..workers {
            let (send_batch, batch) = sync_channel::<Lines>(WAITING);
            let (send_tally, tally) = sync_channel::<Tally>(WAITING);
            batches.push(send_batch);
            tallies.push(tally);
            scope.spawn(move || judge(backtest, &batch, &send_tally));
        }
        let reader = scope.spawn(|| read_all(&logs, &read, batches));
        // The batches were dealt out in turn. The first that does not come is the end.
        for tally_of_batch in tallies.iter().cycle().map_while(|tallies| tallies.recv().ok()) {
            tally.add(tally_of_batch);
            progress.set_position(read.load(Ordering::Relaxed));
        }
        drop(tallies);
        reader.join().unwrap_or_else(|panic| resume_unwind(panic))
    });
    progress.finish_and_clear();
    result.map(|()| tally)
}

fn judge(backtest: &Backtest, batches: &Receiver<Lines>, tallies: &SyncSender<Tally>) {
    for lines in batches {
        if tallies.send(backtest.read(&lines)).is_err() {
            return;
        }
    }
}

fn read_all(logs: &[Log], read: &AtomicU64, workers: Vec<SyncSender<Lines>>) -> Result<(), BacktestError> {
    let mut turns = workers.iter().cycle();
    for log in logs {
        source::read(log, read, &mut |lines| turns.next().is_some_and(|worker| worker.send(lines).is_ok()))?;
    }
    Ok(())
}

/// On a terminal, how much of the logs is read.
fn progress(logs: &[Log]) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let sizes: Option<Vec<u64>> = logs.iter().map(|log| log.size).collect();
    let (progress, style) = match sizes {
        Some(sizes) => (
            ProgressBar::new(sizes.into_iter().fold(0, u64::saturating_add)),
            "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
        ),
        None => (ProgressBar::no_length(), "{spinner} {bytes}, {bytes_per_sec}"),
    };
    progress.enable_steady_tick(Duration::from_millis(200));
    // The template is ours, and whole.
    match ProgressStyle::with_template(style) {
        Ok(style) => progress.with_style(style),
        Err(_) => progress,
    }
}
