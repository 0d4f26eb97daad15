//! `authorizer replay`: recorded events through the very code that decides at the edge.

mod case;
mod expect;
mod source;

pub(crate) use source::{ReplayError, one_event};

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use authorizer_core::UnixTime;
use authorizer_core::record::Verdict;
use indicatif::ProgressBar;
use owo_colors::OwoColorize as _;

use self::case::Replayed;
use self::expect::Expectations;
use crate::error::CliError;
use crate::output::{Exit, Format, line};
use crate::policy::PolicyArgs;
use crate::time::{now_or, parse_instant};

/// Replay viewer-request events: for each the decision, the rule or reason, and the outcome.
///
/// Exits 1 when an event is refused, or, with --expect, when an outcome differs from the recorded one.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  authorizer replay --policy policy.toml --now 2026-01-31T12:00:00Z events/\n\n\
    Record outcomes, and hold later ones against them:\n  \
    authorizer replay --policy policy.toml --now 1800000000 --format json events/ > expected.jsonl\n  \
    authorizer replay --policy policy.toml --now 1800000000 --expect expected.jsonl events/"
)]
pub(crate) struct Args {
    #[command(flatten)]
    policy: PolicyArgs,
    /// Events: a .json file (one event), a .jsonl file (one a line), a folder of such files, or `-` for
    /// standard input.
    #[arg(required = true)]
    events: Vec<PathBuf>,
    /// The instant of every decision, instead of the present: seconds since 1970 or RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    now: Option<UnixTime>,
    /// Hold the outcomes against these, recorded with `--format json`.
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Result<Exit, CliError> {
    let authorizer = args.policy.authorizer()?;
    let now = now_or(args.now);
    let mut expectations = args.expect.as_deref().map(Expectations::read).transpose()?;
    let (mut allowed, mut refused, mut preflights, mut differences) = (0u64, 0u64, 0u64, 0u64);
    let progress = progress();
    for event in source::events(&args.events) {
        let event = event?;
        let replayed = Replayed::new(&event, authorizer.authorize(&event.bytes, now));
        match replayed.decision {
            Verdict::Allow => allowed = allowed.saturating_add(1),
            Verdict::Refuse => refused = refused.saturating_add(1),
            Verdict::Preflight => preflights = preflights.saturating_add(1),
        }
        match &mut expectations {
            Some(expectations) => {
                if let Some(difference) = expectations.compare(&replayed) {
                    differences = differences.saturating_add(1);
                    progress.suspend(|| line(difference))?;
                }
            }
            None => progress.suspend(|| match args.format {
                Format::Json => line(replayed.to_line()),
                Format::Text => line(text(&replayed)),
            })?,
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    let events = allowed.saturating_add(refused).saturating_add(preflights);
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
    if args.format == Format::Text {
        let preflights = match preflights {
            0 => String::new(),
            preflights => format!(", {preflights} preflights answered"),
        };
        line(format_args!("{allowed} allowed, {refused} refused{preflights}"))?;
    }
    Ok(if refused == 0 { Exit::Held } else { Exit::Findings })
}

/// On a terminal, how many events are done, once it takes a while.
fn progress() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let progress = ProgressBar::new_spinner();
    progress.enable_steady_tick(Duration::from_millis(200));
    progress
}

fn text(replayed: &Replayed) -> String {
    let place = replayed.place();
    let asked = format!(
        "{} {}",
        replayed.method.as_deref().unwrap_or("-"),
        replayed.key.as_deref().unwrap_or("-").escape_debug()
    );
    match replayed.decision {
        Verdict::Allow => {
            let rule = replayed.rule.as_deref().unwrap_or("-");
            format!("{}      {asked}  by rule {rule}  {}", "allow".green(), place.dimmed())
        }
        Verdict::Refuse => {
            let status = replayed.status.unwrap_or_default();
            let rule = replayed.rule.as_deref().map(|rule| format!(" {rule}")).unwrap_or_default();
            format!("{} {status} {asked}  {}{rule}  {}", "refuse".red(), replayed.reason, place.dimmed())
        }
        Verdict::Preflight => {
            let status = replayed.status.unwrap_or_default();
            format!("{} {status} {asked}  {}  {}", "answer".green(), replayed.reason, place.dimmed())
        }
    }
}
