//! The result of a backtest, for people and for programs.

use authorizer_backtest::{Change, Counts, Earlier, Group, GroupKey, MAX_GROUPS, Malformed, Summary};
use owo_colors::OwoColorize as _;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::assume::{Assumption, contradicted};
use crate::output::{OutputError, line};

/// The result of a backtest.
pub(super) struct Report<'r> {
    pub(super) summary: &'r Summary,
    pub(super) assumptions: &'r [Assumption],
    pub(super) has_old: bool,
    pub(super) top: usize,
}

/// What `backtest --format json` and `backtest merge --format json` say.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(title = "`authorizer backtest --format json`")]
pub(crate) struct Document<'r> {
    /// The version of this format.
    #[schemars(extend("const" = 1))]
    version: u32,
    /// How many requests were checked against the policy.
    requests: u64,
    /// The number of lines per outcome.
    counts: &'r Counts,
    /// What was assumed of what the logs do not contain.
    assumptions: &'r [Assumption],
    /// The groups of requests that would be decided otherwise: of each change, the largest first.
    groups: Vec<&'r Group>,
    /// How many requests are in further groups.
    others: Vec<Others>,
    /// The first lines that could not be read.
    malformed: &'r [Malformed],
}

/// The requests of further groups.
#[derive(Debug, JsonSchema, Serialize)]
struct Others {
    /// Their change.
    change: Change,
    /// Their number.
    count: u64,
}

impl Report<'_> {
    /// One JSON object.
    pub(super) fn json(&self) -> Result<(), OutputError> {
        let groups: Vec<_> = Change::ALL.iter().flat_map(|change| self.summary.groups(*change)).collect();
        let others: Vec<_> = Change::ALL
            .iter()
            .map(|change| Others { change: *change, count: self.summary.others(*change) })
            .filter(|others| others.count > 0)
            .collect();
        line(json!(Document {
            version: 1,
            requests: self.summary.counts().compared(),
            counts: self.summary.counts(),
            assumptions: self.assumptions,
            groups,
            others,
            malformed: self.summary.malformed(),
        }))
    }

    /// Lines for people.
    pub(super) fn text(&self) -> Result<(), OutputError> {
        let counts = self.summary.counts();
        line(format_args!("{} checked against the policy", many(counts.compared(), "request")))?;
        for (what, count) in [
            ("same allow", counts.same_allow),
            ("same refusal", counts.same_refusal),
            ("newly allowed", counts.newly_allowed),
            ("newly refused", counts.newly_refused),
            ("cannot be told", counts.cannot_be_told),
        ] {
            line(format_args!("  {what:<14} {count:>12}"))?;
        }
        for assumption in self.assumptions {
            line(format_args!("assumed: {}", assumption.words()))?;
            let count = contradicted(*assumption, &counts.contradicted);
            if count > 0 {
                line(format_args!(
                    "  not for {}, whose lines show that it is wrong",
                    many(count, "request")
                ))?;
            }
        }
        if counts.assumed_answers > 0 {
            line(format_args!(
                "assumed: no custom error response of CloudFront replaced the function's answer to {}, of which only the \
                 status was logged",
                many(counts.assumed_answers, "request")
            ))?;
        }
        self.text_beside()?;
        for change in Change::ALL {
            self.text_of(change)?;
        }
        Ok(())
    }

    /// Writes what the logs contain besides the requests that were compared.
    fn text_beside(&self) -> Result<(), OutputError> {
        let counts = self.summary.counts();
        for (count, singular, rest) in [
            (counts.preflights, "preflight", ", which gives no access to an object"),
            (counts.sign_ins, "step", " of a sign-in, which the function does itself"),
            (counts.not_decided, "request", " that CloudFront answered itself, or where the function failed"),
            (counts.no_requests, "line", " without a request"),
        ] {
            if count > 0 {
                line(format_args!("not compared: {}{rest}", many(count, singular)))?;
            }
        }
        if counts.other_bundle > 0 {
            let which = if self.has_old {
                "by neither the policy nor --old"
            } else {
                "not by the policy; name its policy with --old"
            };
            let requests = many(counts.other_bundle, "request");
            line(format_args!("decided by another bundle: {requests}, {which}"))?;
        }
        if counts.malformed > 0 {
            line(format_args!("{}: {}", "could not be read".yellow(), many(counts.malformed, "line")))?;
            for malformed in self.summary.malformed() {
                let problem = malformed.problem.escape_debug();
                line(format_args!("  {}:{}: {problem}", malformed.source, malformed.line))?;
            }
        }
        Ok(())
    }

    fn text_of(&self, change: Change) -> Result<(), OutputError> {
        let count = self.summary.counts().of(change);
        if count == 0 {
            return Ok(());
        }
        let name = match change {
            Change::NewlyAllowed => "newly allowed".red().to_string(),
            Change::NewlyRefused => "newly refused".red().to_string(),
            Change::CannotBeTold => "cannot be told".yellow().to_string(),
        };
        line(format_args!("\n{name}: {count}"))?;
        let groups = self.summary.groups(change);
        for group in groups.iter().take(self.top) {
            text_of_group(group)?;
        }
        let left: u64 = groups.iter().skip(self.top).map(|group| group.count).fold(0, u64::saturating_add);
        if left > 0 {
            let more = groups.len().saturating_sub(self.top);
            line(format_args!(
                "  and {} in {}; a higher --top lists them",
                many(left, "request"),
                many_of(more)
            ))?;
        }
        let others = self.summary.others(change);
        if others > 0 {
            line(format_args!(
                "  and {} in further groups: {MAX_GROUPS} are counted separately; a lower --depth makes fewer groups",
                many(others, "request")
            ))?;
        }
        Ok(())
    }
}

fn text_of_group(group: &Group) -> Result<(), OutputError> {
    let key = &group.key;
    let prefix =
        if key.prefix.is_empty() { "(no folder)".to_owned() } else { key.prefix.escape_debug().to_string() };
    line(format_args!("  {:>9}  {}  {}", group.count, prefix.bold(), in_words(key)))?;
    for example in &group.examples {
        let place = format!("{}:{}", example.source, example.line);
        line(format_args!(
            "             {} {}  {}",
            example.asked.escape_debug(),
            example.key.escape_debug(),
            place.dimmed()
        ))?;
    }
    Ok(())
}

fn in_words(key: &GroupKey) -> String {
    let shown = |word: &Option<String>| word.as_deref().map(|word| word.escape_debug().to_string());
    let before = match (key.before, shown(&key.before_rule), shown(&key.before_reason)) {
        (Some(Earlier::Allow), Some(rule), _) => format!("was allowed by {rule}"),
        (Some(Earlier::Allow), None, _) => "was allowed".to_owned(),
        (Some(Earlier::Refuse), Some(rule), _) => format!("was denied by {rule}"),
        (Some(Earlier::Refuse), None, Some(reason)) => format!("was refused ({reason})"),
        (Some(Earlier::Refuse), None, None) => "was refused".to_owned(),
        (None, _, _) => "the log does not have the decision".to_owned(),
    };
    let rule = key.rule.as_deref();
    let after = match (key.change, rule, key.reason.as_deref()) {
        (Change::NewlyAllowed, Some(rule), _) => format!("now allowed by {rule}"),
        (Change::NewlyAllowed, None, _) => "now allowed".to_owned(),
        (Change::NewlyRefused, Some(rule), _) => format!("now denied by {rule}"),
        (Change::NewlyRefused, None, Some(reason)) => format!("now refused ({})", reason.escape_debug()),
        (Change::NewlyRefused, None, None) => "now not allowed by any rule".to_owned(),
        (Change::CannotBeTold, rule, _) => {
            let depends: Vec<_> = key.depends_on.iter().map(ToString::to_string).collect();
            let rule = rule.map(|rule| format!(" (rule {rule})")).unwrap_or_default();
            format!("now depends on {}{rule}", depends.join(", "))
        }
    };
    format!("{before}, {after}")
}

fn many(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn many_of(groups: usize) -> String {
    if groups == 1 { "1 group".to_owned() } else { format!("{groups} groups") }
}
