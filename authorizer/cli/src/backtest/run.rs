//! Reads the logs, checks the requests, and adds up the results in the order of the lines.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use authorizer_backtest::{Backtest, Lines, Tally};
use indicatif::{ProgressBar, ProgressStyle};

use super::error::BacktestError;
use super::source::{self, Delimiter, Log};
use crate::in_order::{Hand, in_order, processors};

/// Reads all logs.
pub(super) fn run(
    backtest: Backtest,
    arguments: &[PathBuf],
    delimiter: Option<Delimiter>,
) -> Result<Tally, BacktestError> {
    let logs = source::logs(arguments)?;
    let progress = progress(&logs);
    let read = Arc::new(AtomicU64::new(0));
    let so_far = read.clone();
    let mut tally = Tally::default();
    let result = in_order(
        processors(),
        move |hand| read_all(&logs, delimiter, &read, hand),
        move |lines: Result<Lines, BacktestError>| lines.map(|lines| backtest.read(&lines)),
        |tally_of_batch| {
            tally.add(tally_of_batch?);
            progress.set_position(so_far.load(Ordering::Relaxed));
            Ok(())
        },
    );
    progress.finish_and_clear();
    result.map(|()| tally)
}

/// Reads the logs in order. An error is handed on in its turn, and is the last.
fn read_all(
    logs: &[Log],
    delimiter: Option<Delimiter>,
    read: &AtomicU64,
    hand: Hand<'_, Result<Lines, BacktestError>>,
) {
    for log in logs {
        if let Err(error) = source::read(log, delimiter, read, &mut |lines| hand(Ok(lines))) {
            hand(Err(error));
            return;
        }
    }
}

/// Shows on a terminal how much of the logs is read.
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
    // The template is a constant, and valid.
    match ProgressStyle::with_template(style) {
        Ok(style) => progress.with_style(style),
        Err(_) => progress,
    }
}
