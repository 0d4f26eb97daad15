//! A batch of events, replayed.

use std::path::Path;
use std::sync::Arc;

use anstream::ColorChoice;
use authorizer_core::record::Verdict;
use authorizer_core::{Authorizer, Reason, UnixTime};
use serde::de::IgnoredAny;

use super::case::{Origin, Replayed};
use super::error::ReplayError;
use super::expect::{Compared, Expectations};
use super::source::{Batch, MAX_EVENT_BYTES, one_event};
use super::texts::events_in;
use crate::output::{Format, Lines};

/// What events are replayed with.
#[derive(Debug)]
pub(super) struct Replay {
    pub(super) authorizer: Authorizer,
    pub(super) now: UnixTime,
    pub(super) format: Format,
    pub(super) color: ColorChoice,
    /// If given, each event is compared with them, and its result is not written.
    pub(super) expectations: Option<Arc<Expectations>>,
}

/// The number of events per decision.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) allowed: u64,
    pub(super) refused: u64,
    pub(super) preflights: u64,
    pub(super) sign_ins: u64,
}

impl Counts {
    pub(super) fn all(&self) -> u64 {
        let answered = self.preflights.saturating_add(self.sign_ins);
        self.allowed.saturating_add(self.refused).saturating_add(answered)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.allowed = self.allowed.saturating_add(other.allowed);
        self.refused = self.refused.saturating_add(other.refused);
        self.preflights = self.preflights.saturating_add(other.preflights);
        self.sign_ins = self.sign_ins.saturating_add(other.sign_ins);
    }
}

/// The result of a batch.
#[derive(Debug)]
pub(super) struct Done {
    /// The result, to be written.
    pub(super) lines: Lines,
    pub(super) compared: Vec<Compared>,
    pub(super) counts: Counts,
    /// The error after these events, which stops the command.
    pub(super) error: Option<ReplayError>,
}

impl Replay {
    pub(super) fn batch(&self, batch: Batch) -> Done {
        let lines = Lines::new(self.color);
        let mut done = Done { lines, compared: Vec::new(), counts: Counts::default(), error: None };
        let result = match batch {
            Batch::Lines { source, path, first, bytes } => {
                self.lines(&bytes, &source, &path, first, &mut done)
            }
            Batch::Files(files) => files.iter().try_for_each(|(path, source)| {
                self.text(&one_event(path)?, Origin::file(source), &mut done);
                Ok(())
            }),
            Batch::One(bytes) => {
                self.text(&bytes, Origin::file("-"), &mut done);
                Ok(())
            }
            Batch::Text { source, first, bytes } => {
                self.text(&bytes, Origin::line(&source, first), &mut done);
                Ok(())
            }
            Batch::Unusable(error) => Err(error),
        };
        done.error = result.err();
        done
    }

    fn lines(
        &self,
        bytes: &[u8],
        source: &str,
        path: &Path,
        first: u64,
        done: &mut Done,
    ) -> Result<(), ReplayError> {
        let mut rest = bytes;
        let ends = memchr::memchr_iter(b'\n', bytes).map(|place| place.saturating_add(1));
        let mut begin = 0usize;
        for (number, end) in (first..).zip(ends.chain([bytes.len()])) {
            let (line, after) = rest.split_at_checked(end.saturating_sub(begin)).unwrap_or((rest, &[]));
            (rest, begin) = (after, end);
            if line.len() > MAX_EVENT_BYTES {
                return Err(ReplayError::TooLong { path: path.to_owned() });
            }
            if !line.trim_ascii().is_empty() {
                self.text(line, Origin::line(source, number), done);
            }
        }
        Ok(())
    }

    /// Replays the events of a text.
    fn text(&self, bytes: &[u8], origin: Origin<'_>, done: &mut Done) {
        // A line of a recording is one event, which was decided at a time of its own.
        if let Some(now) = self.expectations.as_ref().and_then(|recorded| recorded.time(origin)) {
            self.event(Replayed::new(origin, self.authorizer.authorize(bytes, now)).at(now), done);
            return;
        }
        let authorized = self.authorizer.authorize(bytes, self.now);
        // Only what is not one event can be several, so an event is read once.
        let several = authorized.record.reason == Reason::EventMalformed.word();
        match several.then(|| events_in(bytes)).flatten() {
            Some(events) => {
                for (item, event) in (1..).zip(events) {
                    let authorized = self.authorizer.authorize(event, self.now);
                    self.event(Replayed::new(Origin { item: Some(item), ..origin }, authorized), done);
                }
            }
            None => {
                let mut replayed = Replayed::new(origin, authorized);
                if several && !bytes.trim_ascii().is_empty() {
                    replayed.broken = serde_json::from_slice::<IgnoredAny>(bytes.trim_ascii_end())
                        .err()
                        .map(|error| error.to_string());
                }
                self.event(replayed, done);
            }
        }
    }

    fn event(&self, replayed: Replayed<'_>, done: &mut Done) {
        let count = match replayed.decision {
            Verdict::Allow => &mut done.counts.allowed,
            Verdict::Refuse => &mut done.counts.refused,
            Verdict::Preflight => &mut done.counts.preflights,
            Verdict::SignIn => &mut done.counts.sign_ins,
        };
        *count = count.saturating_add(1);
        match (&self.expectations, self.format) {
            (Some(expectations), _) => done.compared.push(expectations.compare(&replayed)),
            (None, Format::Json) => done.lines.push(&replayed.to_line()),
            (None, Format::Text) => done.lines.push(&replayed.to_text()),
        }
    }
}
