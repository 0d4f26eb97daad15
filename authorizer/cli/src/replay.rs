//! `authorizer replay`: runs recorded events through the code that decides at the edge.

mod case;
mod error;
mod expect;
mod source;
mod texts;
mod work;

pub(crate) use case::Replayed;
pub(crate) use source::one_event;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use authorizer_core::UnixTime;
use indicatif::ProgressBar;
use owo_colors::OwoColorize as _;

use self::error::ReplayError;
use self::expect::Expectations;
use self::work::{Counts, Replay};
use crate::in_order::{in_order, processors};
use crate::output::{Exit, Format, color, line};
use crate::policy::PolicyArgs;
use crate::time::{now_or, parse_instant};

/// Replay viewer-request events: print the decision on each, with its rule or reason.
///
/// With --format json, also prints the outcome that CloudFront gets. Exits 1 when an event is refused; a preflight that
/// is answered is not. With --expect,
/// exits 1 only when an outcome differs from the recorded one.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  authorizer replay --policy policy.toml --now 2026-01-31T12:00:00Z events/\n\n\
    Record outcomes, and compare later ones with them:\n  \
    authorizer replay --policy policy.toml --now 1800000000 --format json events/ > expected.jsonl\n  \
    authorizer replay --policy policy.toml --now 1800000000 --expect expected.jsonl events/"
)]
pub(crate) struct Args {
    #[command(flatten)]
    policy: PolicyArgs,
    /// Events: a .json file, a .jsonl file, a folder of such files, or `-` for standard input. Events stand one per line,
    /// pretty-printed one after the other, or in an array. A text of several lines is at most 1 MiB.
    #[arg(required = true)]
    events: Vec<PathBuf>,
    /// Time of every decision: seconds since 1970 or RFC 3339 (default: now).
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    now: Option<UnixTime>,
    /// Recorded outcomes to compare with, from `--format json`.
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    let authorizer = args.policy.authorizer()?;
    let now = now_or(args.now);
    let expectations = args.expect.as_deref().map(Expectations::read).transpose()?.map(Arc::new);
    let replay =
        Replay { authorizer, now, format: args.format, color: color(), expectations: expectations.clone() };
    let events = args.events.clone();
    let (mut counts, mut differences) = (Counts::default(), 0u64);
    let progress = progress();
    in_order(
        processors(),
        move |hand| source::read(&events, hand),
        move |batch| replay.batch(batch),
        |done| {
            progress.suspend(|| done.lines.write())?;
            let met = expectations.iter().flat_map(|one| done.compared.iter().filter_map(|it| one.meet(it)));
            for difference in met {
                differences = differences.saturating_add(1);
                progress.suspend(|| line(difference))?;
            }
            progress.inc(done.counts.all());
            counts.add(done.counts);
            done.error.map_or(Ok(()), |error| Err(miette::Report::new(error)))
        },
    )?;
    progress.finish_and_clear();
    let events = counts.all();
    if events == 0 {
        return Err(ReplayError::NoEvents.into());
    }
    if let Some(expectations) = expectations {
        for missing in expectations.left() {
            differences = differences.saturating_add(1);
            line(format_args!("{}: was recorded, and is not among the events", missing.bold()))?;
        }
        if args.format == Format::Text || differences > 0 {
            let s = if differences == 1 { "" } else { "s" };
            line(format_args!("{events} events, {differences} difference{s} from what was recorded"))?;
        }
        return Ok(if differences == 0 { Exit::Held } else { Exit::Findings });
    }
    let Counts { allowed, refused, preflights } = counts;
    if args.format == Format::Text {
        let preflights = match preflights {
            0 => String::new(),
            preflights => format!(", {preflights} preflights answered"),
        };
        line(format_args!("{allowed} allowed, {refused} refused{preflights}"))?;
    }
    Ok(if refused == 0 { Exit::Held } else { Exit::Findings })
}

/// Shows on a terminal how many events are done.
fn progress() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let progress = ProgressBar::new_spinner();
    progress.enable_steady_tick(Duration::from_millis(200));
    progress
}

#[cfg(test)]
mod tests;
