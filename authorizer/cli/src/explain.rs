//! `authorizer explain`: the result of every rule on one request.

mod logged;
mod request;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use authorizer_analysis::{Explanation, RuleExplanation, explain, explain_supposing, on_one_line};
use authorizer_core::UnixTime;
use authorizer_core::credential::CredentialPlace;
use authorizer_core::record::{DecisionRecord, Verdict};
use owo_colors::OwoColorize as _;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use self::logged::Logged;
use self::request::{Posed, RequestArgs, RequestError};
use crate::backtest::source::Delimiter;
use crate::output::{Exit, Format, OutputError, line};
use crate::policy::{PolicyArgs, RuleLines};
use crate::replay::only_event;
use crate::time::{now_or, parse_instant};

/// Explain the decision on one request: for each rule, whether it matches, and if not, what would have to differ.
///
/// The nearest rule is the first: one that matches, then the one that lacks the least. With each is its line in the policy.
///
/// The request is a recorded event, or a method, a key and the claims of a token. The token does not need a signature.
/// Or it is a request of production, rebuilt from its lines in the decision log and the access log. What no log has is
/// guessed, such that the policy that decided decides as recorded, and every guess is named.
///
/// Exits 1 when the request is refused, or when the decision is not the recorded one. A preflight that is answered is not
/// refused.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  authorizer explain --policy policy.toml --now 2026-01-31T12:00:00Z event.json\n  \
    authorizer explain --policy policy.toml --method PUT --path /users/alice/a --issuer staff \\\n      --claims '{\"sub\": \"alice\", \"scope\": \"files\"}'\n  \
    authorizer explain --policy new.toml --old deployed/bundle.json --log decisions.jsonl --log access.log.gz \\\n      \
    --request-id 4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ=="
)]
pub(crate) struct Args {
    #[command(flatten)]
    policy: PolicyArgs,
    /// File with one viewer-request event, or `-` for standard input.
    #[arg(required_unless_present_any = ["aim", "request_id"], conflicts_with_all = ["aim", "request_id"])]
    event: Option<PathBuf>,
    /// Time of the decision: seconds since 1970 or RFC 3339 (default: now).
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    now: Option<UnixTime>,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Id of a logged request: `x-edge-request-id` of the access log, `request_id` of the decision log and of a refusal.
    #[arg(
        long,
        value_name = "ID",
        allow_hyphen_values = true,
        requires = "log",
        conflicts_with = "aim",
        help_heading = "Logged request, instead of an event"
    )]
    request_id: Option<String>,
    /// Log with the request: the decision log of the function, or a CloudFront access log; plain or gzip, a folder of them,
    /// or `-` for standard input. Repeatable: together they have most of a request.
    #[arg(
        long,
        value_name = "FILE",
        requires = "request_id",
        help_heading = "Logged request, instead of an event"
    )]
    log: Vec<PathBuf>,
    /// What stands between the fields of access logs in the W3C format (default: what the `#Fields:` line shows).
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        requires = "request_id",
        help_heading = "Logged request, instead of an event"
    )]
    delimiter: Option<Delimiter>,
    /// Policy that decided, or its `bundle.json` (default: the policy). What no log has is guessed by it.
    #[arg(
        long,
        value_name = "FILE",
        requires = "request_id",
        help_heading = "Logged request, instead of an event"
    )]
    old: Option<PathBuf>,
    // This must be the last field: its heading also covers the options after it.
    #[command(flatten)]
    request: RequestArgs,
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    let (authorizer, lines) = args.policy.with_lines()?;
    if let Some(id) = &args.request_id {
        return logged::run(args, &authorizer, &lines, id);
    }
    let now = now_or(args.now);
    let posed = args.request.posed(authorizer.bundle().policy(), now)?;
    let explanation = match (&posed, &args.event) {
        (Some(Posed { request, token: Some(token) }), _) => explain_supposing(
            &authorizer,
            &request.event_for(authorizer.bundle().policy()),
            &token.supposed,
            now,
        ),
        (Some(Posed { request, token: None }), _) => {
            explain(&authorizer, &request.event_for(authorizer.bundle().policy()), now)
        }
        (None, Some(event)) => explain(&authorizer, &only_event(event)?, now),
        // clap requires one of them.
        (None, None) => return Err(RequestError::NoAsker.into()),
    };
    match args.format {
        Format::Json => line(json!(Document::of(&explanation, &lines, posed.as_ref())))?,
        Format::Text => {
            let target = posed.as_ref().map(|posed| posed.request.target());
            write_text(&explanation, &lines, posed.as_ref(), target.as_deref().unwrap_or_default())?;
        }
    }
    Ok(exit(&explanation))
}

/// The exit status for a decision.
fn exit(explanation: &Explanation) -> Exit {
    match explanation.record.decision {
        // An answered preflight is not refused, and neither is a step of a sign-in.
        Verdict::Allow | Verdict::Preflight | Verdict::SignIn => Exit::Held,
        Verdict::Refuse => Exit::Findings,
    }
}

/// What `explain --format json` says of a request.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(title = "`authorizer explain --format json`")]
pub(crate) struct Document<'e> {
    /// The version of this format.
    #[schemars(extend("const" = 1))]
    version: u32,
    /// What the decision log says of it.
    record: &'e DecisionRecord<'static>,
    /// The result of each rule, the nearest first. Empty if the request was refused before the rules.
    rules: Vec<ShownRule<'e>>,
    /// What is wrong with a request that was refused before the rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'e str>,
    /// What would have to differ in a request that was refused before the rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'e str>,
    /// The token that was supposed, if the request was described and has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    supposed: Option<ShownToken<'e>>,
    /// Where a recorded request has its token.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_in: Option<CredentialPlace>,
    /// What the logs have of the request, if it is a logged one.
    #[serde(skip_serializing_if = "Option::is_none")]
    logged: Option<Logged<'e>>,
}

/// The result of one rule, and its place in the policy.
#[derive(Debug, JsonSchema, Serialize)]
struct ShownRule<'e> {
    #[serde(flatten)]
    rule: &'e RuleExplanation,
    /// The file of the policy. A bundle has no lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<Cow<'e, str>>,
    /// The line of the rule in it, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

/// A token that nobody signed.
#[derive(Debug, JsonSchema, Serialize)]
struct ShownToken<'e> {
    /// `typ` of its header.
    token_type: Option<&'e str>,
    /// Its claims.
    claims: &'e Map<String, Value>,
    /// The names of the claims that were filled in, and `typ`.
    filled_in: &'e [String],
}

impl<'e> Document<'e> {
    fn of(explanation: &'e Explanation, lines: &'e RuleLines, posed: Option<&'e Posed>) -> Self {
        let shown = |rule: &'e RuleExplanation| {
            let (file, line) = lines.of_rule(rule.index).unzip();
            ShownRule { rule, file: file.map(Path::to_string_lossy), line }
        };
        let token = posed.and_then(|posed| posed.token.as_ref());
        Self {
            version: 1,
            record: &explanation.record,
            rules: explanation.nearest_first().into_iter().map(shown).collect(),
            detail: explanation.detail.as_deref(),
            remedy: explanation.remedy.as_deref(),
            supposed: token.map(|token| ShownToken {
                token_type: token.supposed.token_type.as_deref(),
                claims: &token.supposed.claims,
                filled_in: &token.filled,
            }),
            token_in: explanation.token_in,
            logged: None,
        }
    }
}

fn write_text(
    explanation: &Explanation,
    lines: &RuleLines,
    posed: Option<&Posed>,
    target: &str,
) -> Result<(), OutputError> {
    let record = &explanation.record;
    let by = |word: &str| record.rule.as_deref().map(|rule| format!("{word}{rule}")).unwrap_or_default();
    let status = record.status.unwrap_or_default();
    let decision = match record.decision {
        Verdict::Allow => format!("{}{}", "allowed".green(), by(" by rule ")),
        Verdict::Refuse => format!("{} {status}: {}{}", "refused".red(), record.reason, by(" ")),
        Verdict::Preflight | Verdict::SignIn => format!("{} {status}: {}", "answered".green(), record.reason),
    };
    line(decision)?;
    // A malformed event has its own words, which name the field.
    if let Some(problem) = record.problem.as_deref().or(explanation.detail.as_deref()) {
        // It may contain a name that the viewer sent. Its quotes are ours.
        let plain = problem.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'");
        line(format_args!("  {plain}"))?;
    }
    if let Some(remedy) = &explanation.remedy {
        line(format_args!("  {}", on_one_line(remedy)))?;
    }
    if let Some(Posed { request, .. }) = posed {
        line(format_args!("  {} {}", request.method().escape_debug(), target.escape_debug()))?;
    }
    if let (Some(operation), Some(key)) = (&record.operation, &record.key) {
        line(format_args!("  {operation} {}", key.escape_debug()))?;
    }
    if let Some(issuer) = &record.issuer {
        let place = explanation.token_in.map(|place| format!(", in {}", place.in_words()));
        line(format_args!("  with a token of issuer {issuer}{}", place.unwrap_or_default()))?;
    }
    if let Some(Posed { token: Some(token), .. }) = posed
        && !token.filled.is_empty()
    {
        line(format_args!("  filled in: {}", token.filled.join(", ").escape_debug()))?;
    }
    if explanation.rules.is_empty() {
        return line("  no rule was checked");
    }
    for rule in explanation.nearest_first() {
        write_rule(rule, lines)?;
    }
    Ok(())
}

/// The result of one rule, and what it lacks: all of it where that is little, else the first part.
fn write_rule(rule: &RuleExplanation, lines: &RuleLines) -> Result<(), OutputError> {
    /// Of more parts, only the first is shown whole.
    const FEW: usize = 2;
    let place = lines.of_rule(rule.index);
    let place = place.map(|(file, line)| format!(" ({}:{line})", on_one_line(&file.to_string_lossy())));
    let place = place.unwrap_or_default();
    let place = place.dimmed();
    match &rule.mismatch {
        None => line(format_args!("  {:5} {}{place}  {}", rule.effect, rule.id, "matches".bold()))?,
        Some(why) => line(format_args!("  {:5} {}{place}  {}", rule.effect, rule.id, why.dimmed()))?,
    }
    let shown = if rule.gaps.len() > FEW { 1 } else { rule.gaps.len() };
    let (first, more) = rule.gaps.split_at_checked(shown).unwrap_or((&rule.gaps, &[]));
    for gap in first {
        let part = on_one_line(&gap.part);
        match (&gap.needs, gap.is_all) {
            (Some(needs), true) => line(format_args!("        would match if {needs}"))?,
            (Some(needs), false) => line(format_args!("        `{part}` would hold if {needs}"))?,
            (None, _) => line(format_args!("        `{part}` cannot hold for this token"))?,
        }
    }
    if !more.is_empty() {
        let more: Vec<String> = more.iter().map(|gap| format!("`{}`", on_one_line(&gap.part))).collect();
        line(format_args!("        {} would also have to differ", more.join(", ")))?;
    }
    Ok(())
}
