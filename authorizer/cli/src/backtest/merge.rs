//! `authorizer backtest merge`: adds results of parts of the logs.

use std::path::{Path, PathBuf};

use authorizer_backtest::{Partial, PartialError, Tally};

use super::error::BacktestError;
use super::{ReportArgs, report, source};
use crate::input::read_limited;
use crate::output::Exit;
use crate::save::{SaveError, replace_or_send};

/// The largest partial result, in bytes: 10,000 groups with three keys each.
const MAX_PARTIAL_BYTES: usize = 256 * 1024 * 1024;

/// Add the results that `backtest --partial` wrote for parts of the logs, and report them as one.
///
/// The result is the same in any order. All parts must have been made with the same policies and options. Name each part
/// once.
///
/// Exits 1 as `backtest` does for the whole.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  authorizer backtest merge partials/")]
pub(super) struct Args {
    /// Partial results, or folders of them.
    #[arg(required = true, value_name = "FILE")]
    partials: Vec<PathBuf>,
    /// Write the result to this file for another merge, instead of reporting it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["top", "strict", "format"])]
    partial: Option<PathBuf>,
    #[command(flatten)]
    report: ReportArgs,
}

pub(super) fn run(args: &Args) -> miette::Result<Exit> {
    let mut first = None;
    let mut tally = Tally::default();
    for log in source::logs(&args.partials)? {
        let partial = read(&log.path)?;
        let (first_path, basis) = first.get_or_insert_with(|| (log.path.clone(), partial.basis().clone()));
        if let Some(what) = basis.difference(partial.basis()) {
            return Err(BacktestError::Unlike { path: log.path, first: first_path.clone(), what }.into());
        }
        tally.add(partial.into_tally());
    }
    let (_, basis) = first.ok_or(BacktestError::NoPartials)?;
    match &args.partial {
        Some(path) => {
            write(path, &Partial::new(basis, tally))?;
            Ok(Exit::Held)
        }
        None => report(tally, &basis, &args.report),
    }
}

fn read(path: &Path) -> miette::Result<Partial> {
    let bytes = read_limited(path, MAX_PARTIAL_BYTES)?;
    let not_partial = |problem: String| BacktestError::NotPartial { path: path.to_owned(), problem };
    Partial::read(&bytes).map_err(|error| {
        match error {
            PartialError::Malformed(error) => not_partial(error.to_string()),
            PartialError::DoesNotAddUp => not_partial("its counts contradict each other".to_owned()),
            PartialError::Version(version) => {
                BacktestError::PartialVersion { path: path.to_owned(), version }
            }
        }
        .into()
    })
}

/// Writes a partial result.
pub(super) fn write(path: &Path, partial: &Partial) -> Result<(), SaveError> {
    let mut json = serde_json::to_vec(partial)
        .map_err(|error| SaveError::Unwritable { path: path.to_owned(), source: error.into() })?;
    json.push(b'\n');
    replace_or_send(path, &json)
}
