//! A request of production, rebuilt from its lines in logs.

use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::AtomicU64;

use authorizer_analysis::posed::PosedError;
use authorizer_analysis::{Explanation, FilledToken, explain, explain_supposing, on_one_line};
use authorizer_backtest::{Asker, Guess, RebuildError, Rebuilt, RecordedDecision, Trace, rebuild};
use authorizer_core::record::Verdict;
use authorizer_core::rules::{Rule, RulePart};
use authorizer_core::{Authorizer, Bundle, Reason, Supposed, claim_name};
use miette::Diagnostic;
use owo_colors::OwoColorize as _;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, json};
use thiserror::Error;

use super::request::Posed;
use super::{Args, Document, exit, write_text};
use crate::backtest::{old_bundle, source};
use crate::output::{Exit, Format, OutputError, line};
use crate::policy::{RuleLines, UnusableBundleError};
use crate::time::now_or;

/// Why a logged request cannot be explained.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum LoggedError {
    /// No line has the id.
    #[error("no line of the logs has the request id `{}`", .0.escape_debug())]
    #[diagnostic(help(
        "name the logs of that hour; the decision log is in the Region that ran the function, and an access log must have \
         the field `x-edge-request-id`"
    ))]
    NotFound(String),
    /// The decision log does not have the key.
    #[error(
        "the decision log does not have the path of this request: it was refused before its key was known{}",
        in_brackets(.0)
    )]
    #[diagnostic(help("add the access log with `--log`"))]
    NoPath(Box<RecordedDecision>),
    /// It was decided by cookies, and by what the provider answered.
    #[error(
        "the request is a step of a sign-in, which cannot be decided again: no log has its cookies and what the provider \
         answered{}",
        in_brackets(.0)
    )]
    #[diagnostic(help("look up these words in docs/sign-in.md and docs/decision-log.md"))]
    StepOfSignIn(Box<RecordedDecision>),
    /// The policy does not have the issuer of the token.
    #[error("the policy does not have the issuer `{}`, whose token the request had", .0.escape_debug())]
    #[diagnostic(help(
        "name the policy that decided with `--old`, or describe the token with `--issuer` or `--claims`"
    ))]
    UnknownIssuer(String),
    /// What the line says is no request.
    #[error("the line is not one that the function writes: {0}")]
    #[diagnostic(help("add the access log with `--log`"))]
    NoRequest(PosedError),
}

impl LoggedError {
    fn of(error: RebuildError, trace: &Trace) -> Self {
        match error {
            RebuildError::NoPath => Self::NoPath(Box::new(RecordedDecision::of(trace))),
            RebuildError::UnknownIssuer(name) => Self::UnknownIssuer(name),
            RebuildError::NoRequest(error) => Self::NoRequest(error),
        }
    }
}

/// The words of the decision log, for a message.
fn in_brackets(recorded: &RecordedDecision) -> String {
    let words = [&recorded.reason, &recorded.problem].into_iter().flatten();
    let words: Vec<String> = words.map(|word| format!("`{}`", on_one_line(word))).collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}

/// Whether the logs have a step of a sign-in.
fn is_step_of_sign_in(recorded: &RecordedDecision) -> bool {
    let reason = recorded.reason.as_deref().and_then(Reason::parse);
    recorded.decision.as_deref() == Some(Verdict::SignIn.word()) || matches!(reason, Some(Reason::SignIn(_)))
}

/// Explains a logged request.
pub(super) fn run(args: &Args, authorizer: &Authorizer, lines: &RuleLines, id: &str) -> miette::Result<Exit> {
    let trace = search(args, id)?;
    let recorded = RecordedDecision::of(&trace);
    if is_step_of_sign_in(&recorded) {
        return Err(LoggedError::StepOfSignIn(Box::new(recorded)).into());
    }
    let old = args.old.as_deref().map(read_old).transpose()?;
    let decider = old.as_ref().unwrap_or(authorizer);
    let clock = now_or(None);
    let given = args.request.given(args.now)?;
    let rebuilt = |asker| {
        let given = authorizer_backtest::Given { asker, ..given.clone() };
        rebuild(&trace, authorizer, decider, given, clock).map_err(|error| LoggedError::of(error, &trace))
    };
    let rebuilt = match args.request.has_asker() {
        // A token that is described is valid at the time of the request.
        true => {
            let now = rebuilt(Some(Asker::Anonymous))?.now;
            rebuilt(Some(args.request.asker(authorizer.bundle().policy(), trace.issuer(), now)?))?
        }
        false => rebuilt(None)?,
    };
    let event = rebuilt.request.event();
    let (mut explanation, token) = match &rebuilt.asker {
        Asker::Anonymous => (explain(authorizer, &event, rebuilt.now), None),
        Asker::Token(supposed) => {
            // What the caller wrote is shown whole. A token of a log has more than anybody asked for.
            let shown = match args.request.has_asker() {
                true => supposed.clone(),
                false => as_shown(supposed, [authorizer, decider]),
            };
            let token = FilledToken { supposed: shown, filled: Vec::new() };
            (explain_supposing(authorizer, &event, supposed, rebuilt.now), Some(token))
        }
    };
    explanation.detail = explanation.logged_detail.take();
    explanation.record.request_id = Some(id.to_owned().into());
    explanation.record.distribution_id = trace.distribution_id().map(|id| id.to_owned().into());
    let target = shown_target(&rebuilt, &explanation);
    let posed = Posed { request: rebuilt.request.clone(), token };
    let is_as_recorded = rebuilt.is_as_recorded(&explanation.record);
    match args.format {
        Format::Json => {
            let logged = Logged::of(&trace, &rebuilt, &target, is_as_recorded, authorizer);
            line(json!(Document {
                logged: Some(logged),
                ..Document::of(&explanation, lines, Some(&posed))
            }))?;
        }
        Format::Text => {
            write_text(&explanation, lines, Some(&posed), &target)?;
            write_logged(&trace, &rebuilt, is_as_recorded, authorizer)?;
        }
    }
    Ok(if is_as_recorded == Some(false) { Exit::Findings } else { exit(&explanation) })
}

/// A token with the claims that rules read, and what its issuer and its times are. The others may be anything: a name, an
/// address.
fn as_shown(supposed: &Supposed, policies: [&Authorizer; 2]) -> Supposed {
    let rules = policies.into_iter().flat_map(|policy| policy.bundle().policy().rules());
    let read = rules.flat_map(Rule::parts).flat_map(RulePart::claims);
    let mut claims = Map::new();
    for name in ["iss", "aud", "exp", "iat", "nbf"].into_iter().chain(read) {
        if let Some(value) = claim_name::find(&supposed.claims, name) {
            claim_name::put(&mut claims, name, value.clone());
        }
    }
    Supposed { token_type: supposed.token_type.clone(), claims }
}

/// All lines of the request.
fn search(args: &Args, id: &str) -> miette::Result<Trace> {
    let mut trace = Trace::of(id);
    for log in source::logs(&args.log)? {
        source::read(&log, args.delimiter, &AtomicU64::new(0), &mut |lines| {
            trace.read(&lines);
            true
        })?;
    }
    match trace.lines.is_empty() {
        true => Err(LoggedError::NotFound(id.to_owned()).into()),
        false => Ok(trace),
    }
}

fn read_old(path: &Path) -> miette::Result<Authorizer> {
    let bundle = Bundle::read(&old_bundle(path)?);
    let bundle = bundle.map_err(|source| UnusableBundleError { path: path.to_owned(), source })?;
    Ok(Authorizer::new(bundle))
}

/// Whether the bundle that decided then decides now; `None` if no log names it.
fn is_same_bundle(rebuilt: &Rebuilt, authorizer: &Authorizer) -> Option<bool> {
    rebuilt.recorded.bundle_sha256.as_deref().map(|sha256| sha256 == authorizer.bundle().sha256())
}

/// The path and the query. A query of a log may contain a token or another secret, so it is shown as the decision log
/// would write it: with values only if the request goes to S3.
fn shown_target(rebuilt: &Rebuilt, explanation: &Explanation) -> String {
    let target = rebuilt.request.target();
    let path = target.split_once('?').map_or(target.as_str(), |(path, _)| path);
    let query = explanation.record.query.as_deref().or(explanation.record.query_names.as_deref());
    query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
}

/// What the logs have of a request.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct Logged<'l> {
    /// CloudFront's id for the request.
    request_id: &'l str,
    /// The lines of the request.
    lines: Vec<ShownLine<'l>>,
    /// The request that was rebuilt.
    request: ShownRequest<'l>,
    /// The decision that the logs have.
    recorded: &'l RecordedDecision,
    /// Whether the decision is the recorded one; `null` if the logs do not show it.
    as_recorded: Option<bool>,
    /// Whether the bundle that decided then decides now; `null` if no log names it.
    same_bundle: Option<bool>,
    /// What no log has.
    guesses: &'l [Guess],
}

/// A line of a log.
#[derive(Debug, JsonSchema, Serialize)]
struct ShownLine<'l> {
    /// `decision log` or `access log`.
    log: &'static str,
    /// The name of its file.
    file: &'l str,
    /// Its number, from 1.
    line: u64,
    /// Whether it is used. Only the first line of each kind is.
    used: bool,
}

/// A request that was rebuilt.
#[derive(Debug, JsonSchema, Serialize)]
struct ShownRequest<'l> {
    /// The method.
    method: &'l str,
    /// The path and the query, as the decision log would have them.
    target: &'l str,
    /// The viewer's address.
    source_ip: IpAddr,
    /// The time of the request, in seconds since 1970.
    time: u64,
}

impl<'l> Logged<'l> {
    fn of(
        trace: &'l Trace,
        rebuilt: &'l Rebuilt,
        target: &'l str,
        as_recorded: Option<bool>,
        authorizer: &Authorizer,
    ) -> Self {
        let lines = trace.lines.iter().map(|one| ShownLine {
            log: one.kind,
            file: &one.source,
            line: one.line,
            used: one.is_used,
        });
        Self {
            request_id: trace.id(),
            lines: lines.collect(),
            request: ShownRequest {
                method: rebuilt.request.method(),
                target,
                source_ip: rebuilt.request.source(),
                time: rebuilt.now.as_seconds(),
            },
            recorded: &rebuilt.recorded,
            as_recorded,
            same_bundle: is_same_bundle(rebuilt, authorizer),
            guesses: &rebuilt.guesses,
        }
    }
}

fn write_logged(
    trace: &Trace,
    rebuilt: &Rebuilt,
    is_as_recorded: Option<bool>,
    authorizer: &Authorizer,
) -> Result<(), OutputError> {
    let recorded = &rebuilt.recorded;
    let status = recorded.status.map(|status| format!(" {status}")).unwrap_or_default();
    let word = |text: &Option<String>, before: &str| {
        text.as_deref().map(|text| format!("{before}{}", on_one_line(text))).unwrap_or_default()
    };
    let then = match recorded.decision.as_deref() {
        Some("allow") => format!("allowed{}", word(&recorded.rule, " by rule ")),
        Some("refuse") => {
            let problem = recorded.problem.as_deref();
            let problem = problem.map(|problem| format!(" ({})", on_one_line(problem))).unwrap_or_default();
            format!("refused{status}{}{}{problem}", word(&recorded.reason, ": "), word(&recorded.rule, " "))
        }
        Some(other) => format!("{}{status}{}", on_one_line(other), word(&recorded.reason, ": ")),
        None => match recorded.failed.as_deref() {
            Some(failed) => {
                format!("nothing{status}: the function itself failed ({})", on_one_line(failed))
            }
            None => "not shown by the logs".to_owned(),
        },
    };
    line(format_args!("recorded: {then}"))?;
    if recorded.failed.is_some() {
        line(
            "  why is in the function's log, /lambda-edge/NAME by the templates, in the Region that ran it",
        )?;
    }
    match is_as_recorded {
        Some(true) => line(format_args!("  {}", "the decision is the recorded one".green()))?,
        Some(false) => line(format_args!("  {}", "the decision is not the recorded one".red()))?,
        None => {}
    }
    match is_same_bundle(rebuilt, authorizer) {
        Some(true) => line("  by the same bundle")?,
        Some(false) => line(format_args!(
            "  by another bundle, {}",
            on_one_line(recorded.bundle_sha256.as_deref().unwrap_or_default())
        ))?,
        None => {}
    }
    for one in &trace.lines {
        let unused = if one.is_used { "" } else { " (not used: not the first)" };
        line(format_args!("  {}: {}:{}{unused}", one.kind, one.source, one.line))?;
    }
    line("guessed:")?;
    for guess in &rebuilt.guesses {
        let value = guess.value.as_deref().unwrap_or("left out");
        line(format_args!("  {}: {} ({})", on_one_line(&guess.what), on_one_line(value), guess.why))?;
    }
    Ok(())
}
