//! The requests of a log, checked against another policy: what would change.
//!
//! A log contains less of a request than the decision needs. An access log contains nothing about the token, the
//! decision log does not contain its claims, and neither contains the headers. So the outcome of each request is
//! the same as before, another one, or [not known](Change::CannotBeTold). A result is given only if it follows from
//! the log, from the decision in it, and from the [`Assumptions`].
//!
//! [`Trace`] collects what logs have of one request, and [`rebuild`] makes it a request again, with what it had to guess.
//!
//! Pure: [`Backtest::read`] takes lines and returns a [`Tally`], and tallies can be added.

mod condition;
mod facts;
mod front;
mod guesses;
mod hashed;
mod holds;
mod judge;
mod line;
mod missing;
mod partial;
mod rebuild;
mod recorded;
mod rule;
mod tally;
mod terms;
mod trace;

use std::sync::Arc;

use authorizer_core::UnixTime;
use authorizer_core::key::MAX_KEY_BYTES;
use authorizer_core::rules::Rule;

pub use front::BacktestPolicy;
pub use line::{Layout, MAX_LINE_BYTES};
pub use missing::{MissingFact, MissingWhat};
pub use partial::{Basis, Partial, PartialError};
pub use rebuild::{Asker, Given, Guess, RebuildError, Rebuilt, Recorded as RecordedDecision, rebuild};
pub use rule::Assumptions;
pub use tally::{
    Change, Contradicted, Counts, Earlier, Example, Group, GroupKey, MAX_EXAMPLES, MAX_GROUPS, Malformed,
    Summary, Tally,
};
pub use trace::{Trace, TracedLine};

use judge::{After, Judge};
use line::{Context, LineContent};
use missing::{ClaimNames, Missing, MissingSet};
use recorded::{Before, Recorded};

/// Checks logs against a policy.
#[derive(Clone, Debug)]
pub struct Backtest {
    judge: Judge,
    depth: usize,
}

/// Some lines of one file.
#[derive(Clone, Debug)]
pub struct Lines {
    /// The name of the file, for display.
    pub source: Arc<str>,
    /// The number of the first line, from 1.
    pub first: u64,
    /// The columns of the `#Fields:` line before them.
    pub layout: Option<Arc<Layout>>,
    /// The lines, with their line ends.
    pub bytes: Vec<u8>,
}

impl Backtest {
    /// A backtest of `policy`. `old` is the policy that decided before, if it is known.
    pub fn new(policy: BacktestPolicy, old: Option<BacktestPolicy>) -> Self {
        let policies = [Some(&policy), old.as_ref()];
        let names = ClaimNames::of(policies.into_iter().flatten().map(|policy| policy.bundle().policy()));
        let judge = Judge { policy, old, names, assumptions: Assumptions::default(), now: None };
        Self { judge, depth: 1 }
    }

    /// Sets the assumptions.
    #[must_use]
    pub fn assuming(mut self, assumptions: Assumptions) -> Self {
        self.judge.assumptions = assumptions;
        self
    }

    /// Decides as if each request came at this instant, with its token as valid as it was.
    #[must_use]
    pub fn at(mut self, now: UnixTime) -> Self {
        self.judge.now = Some(now);
        self
    }

    /// Groups keys by this number of folders.
    #[must_use]
    pub fn by_depth(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }

    /// What the outcomes depend on, beside the logs.
    pub fn basis(&self) -> Basis {
        let Judge { policy, old, names: _, assumptions, now } = &self.judge;
        Basis {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            policy_sha256: policy.bundle().sha256().to_owned(),
            old_sha256: old.as_ref().map(|old| old.bundle().sha256().to_owned()),
            assumptions: *assumptions,
            now: now.map(UnixTime::as_seconds),
            depth: self.depth,
        }
    }

    /// The tally of some lines. Each line is counted, whatever it contains.
    pub fn read(&self, lines: &Lines) -> Tally {
        let mut tally = Tally::default();
        let own = self.judge.policy.bundle().policy().own_parameters();
        let own_paths = self.judge.own_paths();
        let context = Context { layout: lines.layout.as_deref(), own, own_paths: &own_paths, wanted: None };
        for (number, line) in (lines.first..).zip(lines.bytes.split_inclusive(|byte| *byte == b'\n')) {
            line::read(line, &context, &mut |found| {
                self.count(found, &mut tally, &lines.source, number);
            });
        }
        tally
    }

    fn count(&self, found: LineContent<'_>, tally: &mut Tally, source: &Arc<str>, line: u64) {
        let counts = tally.counts_mut();
        let counted = match found {
            LineContent::Malformed(problem) => {
                return tally.count_malformed(Malformed { source: source.clone(), line, problem });
            }
            LineContent::Request(recorded) => return self.count_request(&recorded, tally, source, line),
            LineContent::Preflight => &mut counts.preflights,
            LineContent::SignIn => &mut counts.sign_ins,
            LineContent::NotDecided => &mut counts.not_decided,
            // Nothing is searched for.
            LineContent::NoRequest | LineContent::Found(_) => &mut counts.no_requests,
        };
        *counted = counted.saturating_add(1);
    }

    fn count_request(&self, recorded: &Recorded<'_>, tally: &mut Tally, source: &Arc<str>, line: u64) {
        if recorded.bundle.is_some() && self.judge.decider(recorded).is_none() {
            let other = &mut tally.counts_mut().other_bundle;
            *other = other.saturating_add(1);
        }
        if recorded.is_answer_assumed {
            let assumed = &mut tally.counts_mut().assumed_answers;
            *assumed = assumed.saturating_add(1);
        }
        tally.counts_mut().contradict(self.judge.contradicted(recorded));
        let after = self.judge.judge(recorded);
        let id = |rule: Option<&Rule>| rule.map(|rule| rule.id().to_owned());
        let (change, rule, missing) = match (&recorded.before, after) {
            (Before::Allowed { .. }, After::Allowed(_)) => {
                let count = &mut tally.counts_mut().same_allow;
                *count = count.saturating_add(1);
                return;
            }
            (Before::Refused { .. } | Before::Answered(_), After::Refused(_)) => {
                let count = &mut tally.counts_mut().same_refusal;
                *count = count.saturating_add(1);
                return;
            }
            (Before::Refused { .. } | Before::Answered(_), After::Allowed(rule)) => {
                (Change::NewlyAllowed, id(rule), MissingSet::default())
            }
            (Before::Allowed { .. }, After::Refused(rule)) => {
                (Change::NewlyRefused, id(rule), MissingSet::default())
            }
            (Before::Unknown, After::Allowed(rule) | After::Refused(rule)) => {
                (Change::CannotBeTold, id(rule), MissingSet::of(Missing::Decision))
            }
            (Before::Unknown, After::Open(missing, rule)) => {
                (Change::CannotBeTold, id(rule), missing.with(MissingSet::of(Missing::Decision)))
            }
            (
                Before::Allowed { .. } | Before::Refused { .. } | Before::Answered(_),
                After::Open(missing, rule),
            ) => (Change::CannotBeTold, id(rule), missing),
        };
        let key = key_of(recorded);
        let (before, before_rule, before_reason) = match &recorded.before {
            Before::Allowed { rule } => (Some(Earlier::Allow), rule.as_deref(), None),
            Before::Refused { rule, reason, .. } => {
                (Some(Earlier::Refuse), rule.as_deref(), reason.as_deref())
            }
            Before::Answered(_) => (Some(Earlier::Refuse), None, None),
            Before::Unknown => (None, None, None),
        };
        let group = GroupKey {
            change,
            before,
            before_rule: before_rule.map(shown),
            before_reason: before_reason.map(shown),
            rule,
            reason: recorded.asked.as_ref().err().map(|reason| shown(reason)),
            depends_on: self.judge.names.describe(missing),
            prefix: prefix_of(key, self.depth).to_owned(),
        };
        tally.count_change(group, source, line, || Example {
            source: source.clone(),
            line,
            asked: asked_of(recorded),
            key: key.chars().take(MAX_KEY_BYTES).collect(),
        });
    }
}

/// The longest word from a log that is shown, in characters: ids of rules are shorter, but a log can contain
/// anything.
const MAX_WORD: usize = 128;

fn shown(word: &str) -> String {
    word.chars().take(MAX_WORD).collect()
}

fn key_of<'r>(recorded: &'r Recorded<'_>) -> &'r str {
    let resource = recorded.asked.as_ref().ok().and_then(|asked| asked.resource.as_ref());
    resource.map_or(&recorded.path, |resource| resource.as_str())
}

fn asked_of(recorded: &Recorded<'_>) -> String {
    let operation = recorded.asked.as_ref().ok().and_then(facts::Requested::one);
    let method = shown(&recorded.method);
    operation.map_or(method, |operation| operation.name().to_owned())
}

/// The first `depth` folders of a key.
fn prefix_of(key: &str, depth: usize) -> &str {
    let end = key.match_indices('/').take(depth).last().map_or(0, |(slash, _)| slash.saturating_add(1));
    key.get(..end.min(MAX_KEY_BYTES)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_whole_folders() {
        for (key, depth, prefix) in [
            ("a/b/c", 1, "a/"),
            ("a/b/c", 2, "a/b/"),
            ("a/b/c", 3, "a/b/"),
            ("a/b/c", 0, ""),
            ("a", 1, ""),
            ("a/", 1, "a/"),
            ("", 1, ""),
        ] {
            assert_eq!(prefix_of(key, depth), prefix, "{key} {depth}");
        }
    }
}
