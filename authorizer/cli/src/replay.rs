//! `authorizer replay`: runs recorded events through the code that decides at the edge.

mod case;
mod error;
mod expect;
mod source;
mod texts;
mod work;

pub(crate) use case::Replayed;
pub(crate) use expect::{DifferenceLine, SumLine};
pub(crate) use source::only_event;

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use authorizer_core::{Authorizer, UnixTime};
use indicatif::ProgressBar;
use owo_colors::OwoColorize as _;
use schemars::JsonSchema;
use serde::Serialize;

use self::error::ReplayError;
use self::expect::{Expectations, Shown};
use self::work::{Counts, Replay};
use crate::in_order::{in_order, processors};
use crate::output::{Exit, Format, color, line, note};
use crate::policy::{PolicyArgs, SAME_EACH_TIME};
use crate::recording::{EVENTS, OUTCOMES, RecordingKeys, document_of};
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
    authorizer replay --policy policy.toml --now 1800000000 --expect expected.jsonl events/\n\n\
    Decide what `authorizer serve --record DIR` recorded, by a changed policy:\n  \
    authorizer replay --policy changed.toml --recording DIR"
)]
pub(crate) struct Args {
    #[command(flatten)]
    policy: PolicyArgs,
    /// Events: a .json file, a .jsonl file, a folder of such files, or `-` for standard input. Events stand one per line,
    /// pretty-printed one after the other, or in an array. A text of several lines is at most 1 MiB.
    #[arg(required_unless_present = "recording")]
    events: Vec<PathBuf>,
    /// Folder that `authorizer serve --record DIR` filled. Each request is decided again at the time when it came, by
    /// this policy, with the keys of the recording in the place of all others, so that a change of keys changes nothing;
    /// what is not as it was is printed.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["events", "now", "expect"])]
    recording: Option<PathBuf>,
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
    let recording = args.recording.as_deref();
    let authorizer = match recording {
        Some(folder) => recorded_authorizer(folder, &args.policy)?,
        None => args.policy.authorizer()?,
    };
    let now = now_or(args.now);
    let outcomes = recording.map(|folder| folder.join(OUTCOMES)).or_else(|| args.expect.clone());
    let shown = match (recording, args.format) {
        (None, _) => Shown::Whole,
        (Some(_), Format::Text) => Shown::Decisions,
        (Some(_), Format::Json) => Shown::Json,
    };
    let expectations =
        outcomes.as_deref().map(|path| Expectations::read(path, shown)).transpose()?.map(Arc::new);
    let replay =
        Replay { authorizer, now, format: args.format, color: color(), expectations: expectations.clone() };
    let arguments = args.events.clone();
    let recorded = recording.map(|folder| {
        let events = folder.join(EVENTS);
        let (whole, is_cut) = source::whole_lines(&events)?;
        Ok::<_, ReplayError>((events, whole, is_cut))
    });
    let recorded = recorded.transpose()?;
    let is_cut = recorded.as_ref().is_some_and(|(_, _, is_cut)| *is_cut);
    let (mut counts, mut differences) = (Counts::default(), 0u64);
    // What was decided and is now, with how many there are.
    let mut changes: BTreeMap<String, u64> = BTreeMap::new();
    let progress = progress();
    in_order(
        processors(),
        move |hand| match &recorded {
            Some((events, whole, _)) => source::read_recorded(events, EVENTS, *whole, hand),
            None => source::read(&arguments, hand),
        },
        move |batch| replay.batch(batch),
        |done| {
            progress.suspend(|| done.lines.write())?;
            let met = expectations.iter().flat_map(|one| done.compared.iter().filter_map(|it| one.meet(it)));
            for difference in met {
                differences = differences.saturating_add(1);
                progress.suspend(|| line(difference.text))?;
                if let Some(change) = difference.change {
                    let count = changes.entry(change).or_default();
                    *count = count.saturating_add(1);
                }
            }
            progress.inc(done.counts.all());
            counts.add(done.counts);
            done.error.map_or(Ok(()), |error| Err(miette::Report::new(error)))
        },
    )?;
    progress.finish_and_clear();
    let unfinished = u64::from(expectations.as_ref().is_some_and(|expectations| expectations.has_left_out()));
    let events = counts.all().saturating_sub(unfinished);
    let left_out = unfinished.saturating_add(u64::from(is_cut));
    if left_out > 0 {
        let requests = if left_out == 1 { "request was" } else { "requests were" };
        note(format_args!(
            "{} the recording breaks off: its last {left_out} {requests} not written whole, and left out",
            "warning:".yellow()
        ));
    }
    if events == 0 {
        return Err(match recording {
            Some(folder) => ReplayError::EmptyRecording { folder: folder.to_owned() },
            None => ReplayError::NoEvents,
        }
        .into());
    }
    if let Some(expectations) = expectations {
        for missing in expectations.left(is_cut) {
            differences = differences.saturating_add(1);
            line(missing)?;
        }
        if args.format == Format::Text && recording.is_some() && differences > 1 {
            line("")?;
            let mut sums: Vec<_> = changes.into_iter().collect();
            sums.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            let summed = sums.iter().map(|(_, count)| *count).fold(0, u64::saturating_add);
            if differences > summed {
                sums.push((
                    "the same decision, but another outcome".to_owned(),
                    differences.saturating_sub(summed),
                ));
            }
            for (change, count) in sums {
                line(format_args!("{count:>8}  {change}"))?;
            }
        }
        if args.format == Format::Json && recording.is_some() {
            let sum = SumLine { version: 1, events, differences, left_out };
            line(serde_json::to_string(&sum).unwrap_or_default())?;
        } else if args.format == Format::Text || differences > 0 {
            let s = if differences == 1 { "" } else { "s" };
            line(format_args!("{events} events, {differences} difference{s} from what was recorded"))?;
        }
        return Ok(if differences == 0 { Exit::Held } else { Exit::Findings });
    }
    let Counts { allowed, refused, preflights, sign_ins } = counts;
    if args.format == Format::Text {
        let preflights = match preflights {
            0 => String::new(),
            preflights => format!(", {preflights} preflights answered"),
        };
        let sign_ins = match sign_ins {
            0 => String::new(),
            sign_ins => format!(", {sign_ins} steps of a sign-in"),
        };
        line(format_args!("{allowed} allowed, {refused} refused{preflights}{sign_ins}"))?;
    }
    Ok(if refused == 0 { Exit::Held } else { Exit::Findings })
}

/// A line of `replay --format json`.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(title = "A line of `authorizer replay --format json`")]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used: each line is written as what it is")]
pub(crate) enum ReplayLine<'l> {
    /// The result of one event.
    Outcome(Box<Replayed<'l>>),
    /// With `--recording`: an event that is not decided as it was.
    Difference(DifferenceLine<'l>),
    /// With `--recording`, at the end: how many there are.
    Sum(SumLine),
}

/// A policy whose issuers trust the keys of a recording, and no others.
fn recorded_authorizer(folder: &Path, policy: &PolicyArgs) -> miette::Result<Authorizer> {
    let keys = RecordingKeys::read(folder)?;
    let document = document_of(&policy.bundle_json()?).ok_or(ReplayError::NoDocument)?;
    Ok(Authorizer::new(keys.bundle_of(&document)?).with_random(SAME_EACH_TIME))
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
