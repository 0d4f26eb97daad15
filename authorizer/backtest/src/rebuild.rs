//! A logged request, made a request again. What no log has is guessed, and each guess is named.

mod claims;
mod target;

use std::net::IpAddr;

use authorizer_analysis::host_of;
use authorizer_analysis::posed::{Deed, POSED_ADDRESS, POSED_HOST, PosedError, PosedRequest, PosedUpload};
use authorizer_core::code_flow::{CodeFlow, OTHER_HOST};
use authorizer_core::operation::S3Operation;
use authorizer_core::record::DecisionRecord;
use authorizer_core::rules::Rule;
use authorizer_core::{Authorizer, MediaRange, SignIn, Supposed, UnixTime};
use percent_encoding::percent_decode_str;
use schemars::JsonSchema;
use serde::Serialize;

use self::claims::Holder;
use super::facts::Span;
use super::recorded::{Before, Stage};
use super::trace::Trace;

/// What a caller knows of the request. It is used instead of a guess, and instead of what a log says.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The instant of the decision.
    pub now: Option<UnixTime>,
    /// The viewer's address.
    pub source: Option<IpAddr>,
    /// Header lines.
    pub headers: Vec<(String, String)>,
    /// The token.
    pub asker: Option<Asker>,
}

/// Whether the request has a token.
#[derive(Clone, Debug, PartialEq)]
pub enum Asker {
    /// It has none.
    Anonymous,
    /// It has one with these claims.
    Token(Supposed),
}

/// Something that no log has.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Guess {
    /// What it is.
    pub what: String,
    /// What is taken for it; `None` if it is left out.
    pub value: Option<String>,
    /// Why it is a guess.
    pub why: String,
}

impl Guess {
    fn new(what: impl Into<String>, value: impl Into<Option<String>>, why: impl Into<String>) -> Self {
        Self { what: what.into(), value: value.into(), why: why.into() }
    }
}

/// The decision that the logs have.
#[derive(Clone, Debug, Default, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Recorded {
    /// `allow`, `refuse`, `preflight` or `sign_in`; `None` if no log shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// The status of the function's own answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u64>,
    /// The reason word, from the decision log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What is wrong with the event, the token or the host, from the decision log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The rule, from the decision log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The bundle that decided, from the decision log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle_sha256: Option<String>,
    /// The word of the access log for a function that failed itself, such as `LambdaExecutionError`: it did not decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// The columns of an access log that say what became of a request.
const RESULTS: [&str; 3] =
    ["x-edge-result-type", "x-edge-response-result-type", "x-edge-detailed-result-type"];

impl Recorded {
    /// What the lines of a request say of it.
    pub fn of(trace: &Trace) -> Self {
        if let Some(decision) = &trace.decision {
            let text = |name| decision.text(name).map(str::to_owned);
            return Self {
                decision: text("decision"),
                status: decision.number("status"),
                reason: text("reason"),
                problem: text("problem"),
                rule: text("rule"),
                bundle_sha256: text("bundle_sha256"),
                failed: None,
            };
        }
        let Some(access) = &trace.access else { return Self::default() };
        let of_function =
            |word: &&str| word.starts_with("Lambda") && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let failed = RESULTS.into_iter().filter_map(|column| access.field(column)).find(of_function);
        if let Some(failed) = failed {
            let status = access.field("sc-status").and_then(|status| status.parse().ok());
            return Self { status, failed: Some(failed.to_owned()), ..Self::default() };
        }
        let (decision, status) = match &access.before {
            Some(Before::Allowed { .. }) => (Some("allow"), None),
            Some(Before::Refused { .. } | Before::Answered(_)) => {
                (Some("refuse"), access.field("sc-status").and_then(|status| status.parse().ok()))
            }
            Some(Before::Unknown) | None => (None, None),
        };
        Self { decision: decision.map(str::to_owned), status, ..Self::default() }
    }

    /// Whether the viewer was sent to sign in. Only a browser that opens a page is.
    fn is_sent_to_sign_in(&self) -> bool {
        self.decision.as_deref() == Some("refuse") && self.status == Some(302)
    }

    /// Whether this is the decision; `None` if no log shows it. Another bundle has other rules and so other reasons: then
    /// only what the viewer notices is compared, the decision and the status of a refusal.
    fn is(&self, record: &DecisionRecord<'_>, is_same_bundle: bool) -> Option<bool> {
        let decision = self.decision.as_deref()?;
        let is_same = decision == record.decision.word();
        let same_status = decision != "refuse"
            || self.status.is_none_or(|status| record.status.map(u64::from) == Some(status));
        // An access log has neither.
        let same_words = !is_same_bundle
            || self.reason.as_deref().is_none_or(|reason| {
                reason == record.reason && self.rule.as_deref() == record.rule.as_deref()
            });
        Some(is_same && same_status && same_words)
    }
}

/// A request that was logged.
#[derive(Clone, Debug)]
pub struct Rebuilt {
    /// The request, without its token.
    pub request: PosedRequest,
    /// Its token.
    pub asker: Asker,
    /// The instant of the decision.
    pub now: UnixTime,
    /// What was decided.
    pub recorded: Recorded,
    /// What had to be guessed.
    pub guesses: Vec<Guess>,
}

impl Rebuilt {
    /// Whether a decision on it is the recorded one; `None` if no log shows that.
    pub fn is_as_recorded(&self, record: &DecisionRecord<'_>) -> Option<bool> {
        self.recorded
            .is(record, self.recorded.bundle_sha256.as_deref() == Some(record.bundle_sha256.as_ref()))
    }
}

/// Why a request cannot be rebuilt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RebuildError {
    /// The logs have no path: it was refused before its key was known, or its event was malformed.
    NoPath,
    /// The policy that decided does not have the issuer of the token.
    UnknownIssuer(String),
    /// What the log says is no request.
    NoRequest(PosedError),
}

/// Makes a request of what logs have of it. `decider` is the policy that decided, as far as it is known; guesses are made
/// so that it decides as recorded. `policy` is the one that will decide. `clock` is the time if nothing else is known.
///
/// # Errors
/// [`RebuildError`].
pub fn rebuild(
    trace: &Trace,
    policy: &Authorizer,
    decider: &Authorizer,
    given: Given,
    clock: UnixTime,
) -> Result<Rebuilt, RebuildError> {
    let mut guesses = Vec::new();
    let recorded = Recorded::of(trace);
    let now = given.now.unwrap_or_else(|| instant(trace, clock, &mut guesses));
    let target = target::of(trace, [policy, decider], &mut guesses)?;
    let mut request = target.request;
    let source = given.source.or_else(|| trace.access.as_ref()?.field("c-ip")?.parse().ok());
    let rule = recorded.rule.as_deref().and_then(|id| rule_of(decider, id));
    match source {
        Some(source) => request = request.with_source(source),
        None => {
            // The rule that decided matched, so the viewer was in one of its networks.
            let network = rule.and_then(Rule::sources).and_then(<[_]>::first);
            let address = network.map_or(POSED_ADDRESS, |network| network.addr());
            let why = match network {
                Some(_) => "only an access log has it; it was in a network of the rule",
                None => "only an access log has it",
            };
            guesses.push(Guess::new("the viewer's address", address.to_string(), why));
            request = request.with_source(address);
        }
    }
    request = with_headers(request, trace, &given.headers, &mut guesses);
    request = with_host(request, rule, [policy, decider], &recorded, &mut guesses);
    if recorded.is_sent_to_sign_in() {
        request = as_navigation(request, &mut guesses);
    }
    if let Some(operation) = target.operation.filter(|operation| operation.is_upload()) {
        request = with_upload(request, operation, rule, &given.headers, &mut guesses);
    }
    let asker = match given.asker {
        Some(asker) => asker,
        None => asker_of(trace, policy, decider, &request, &target.tokens, now, &mut guesses)?,
    };
    Ok(Rebuilt { request, asker, now, recorded, guesses })
}

fn rule_of<'p>(decider: &'p Authorizer, id: &str) -> Option<&'p Rule> {
    decider.bundle().policy().rules().iter().find(|rule| rule.id() == id)
}

/// The instant of the decision.
fn instant(trace: &Trace, clock: UnixTime, guesses: &mut Vec<Guess>) -> UnixTime {
    if let Some(time) = trace.decision.as_ref().and_then(|decision| decision.number("time")) {
        return UnixTime::from_seconds(time);
    }
    let is_known = |at: &Span| *at != Span::unknown();
    let (seconds, why) = match (&trace.decision, &trace.access) {
        (Some(decision), _) if is_known(&decision.at) => (
            decision.at.last.as_seconds().saturating_sub(1),
            "the log has when the line was written; the decision was at most five seconds before",
        ),
        // Both ends are a second wider than what the log says.
        (_, Some(access)) if is_known(&access.at) && access.at.first.as_seconds() > 0 => {
            (access.at.first.as_seconds().saturating_add(1), "the access log has it to about a second")
        }
        (_, Some(access)) if is_known(&access.at) => (
            access.at.last.as_seconds().saturating_sub(1),
            "the access log has when the answer ended, and not how long it took",
        ),
        (_, _) => (clock.as_seconds(), "no line has it: the present time is taken"),
    };
    guesses.push(Guess::new("the time", seconds.to_string(), why));
    UnixTime::from_seconds(seconds)
}

/// The headers that a log has or that the caller gives.
fn with_headers(
    mut request: PosedRequest,
    trace: &Trace,
    given: &[(String, String)],
    guesses: &mut Vec<Guess>,
) -> PosedRequest {
    for (name, value) in given {
        request = request.with_header(name, value);
    }
    let is_given = |name: &str| given.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    let logged = [("Host", "x-host-header"), ("User-Agent", "cs(User-Agent)"), ("Referer", "cs(Referer)")];
    let mut known = Vec::new();
    let host = trace.decision.as_ref().and_then(|decision| decision.text("host"));
    for (name, field) in logged {
        let value = trace.access.as_ref().and_then(|access| access.field(field)).map(decoded);
        // The decision log has the host in lower case, so the access log comes first.
        let value = value.or_else(|| host.filter(|_| name == "Host").map(str::to_owned));
        if let Some(value) = value.filter(|value| !is_given(name) && !value.contains(char::is_control)) {
            request = request.with_header(name, value);
            known.push(name);
        }
    }
    let why = match known.as_slice() {
        [] => "no log has them".to_owned(),
        ["Host"] if host.is_some() => "the logs have only Host".to_owned(),
        known => format!("the access log has only {}", known.join(", ")),
    };
    guesses.push(Guess::new("other headers", None, why));
    request
}

/// What every browser sends that opens a page, and no program.
const NAVIGATION: [(&str, &str); 3] =
    [("Accept", "text/html"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")];

/// The request of a browser that opens a page.
fn as_navigation(mut request: PosedRequest, guesses: &mut Vec<Guess>) -> PosedRequest {
    let mut lines = Vec::new();
    for (name, value) in NAVIGATION {
        if !request.headers().iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            request = request.with_header(name, value);
            lines.push(format!("{name}: {value}"));
        }
    }
    let why = "no log has them; only a browser that opens a page is sent to sign in";
    guesses.push(Guess::new("the headers of a browser", lines.join(", "), why));
    request
}

/// A host where no log has it, if the decision depends on it: a rule of a policy has `hosts`, or people sign in under one
/// host name.
fn with_host<'p>(
    request: PosedRequest,
    rule: Option<&Rule>,
    policies: [&'p Authorizer; 2],
    recorded: &Recorded,
    guesses: &mut Vec<Guess>,
) -> PosedRequest {
    if request.headers().iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        return request;
    }
    if recorded.problem.as_deref() == Some(OTHER_HOST) {
        let why = "no log has it; it was not the host of `origin`";
        guesses.push(Guess::new("the host", POSED_HOST.to_owned(), why));
        return request.with_header("Host", POSED_HOST);
    }
    let flow = |one: &'p Authorizer| one.bundle().policy().sign_in().and_then(SignIn::code_flow);
    if let Some(host) = policies.into_iter().rev().find_map(flow).map(CodeFlow::host) {
        guesses.push(Guess::new("the host", host.to_owned(), "no log has it; people sign in under this one"));
        return request.with_header("Host", host);
    }
    let mut rules = policies.into_iter().flat_map(|one| one.bundle().policy().rules());
    if rules.all(|rule| rule.hosts().is_none()) {
        return request;
    }
    // The rule that decided matched, so the host was one of its hosts.
    let host = rule.and_then(Rule::hosts).and_then(<[_]>::first).and_then(host_of);
    let (host, why) = match host {
        Some(host) => (host, "no log has it; it was a host of the rule"),
        None => (POSED_HOST.to_owned(), "no log has it"),
    };
    guesses.push(Guess::new("the host", host.clone(), why));
    request.with_header("Host", host)
}

/// A field of an access log, which is percent-encoded.
fn decoded(logged: &str) -> String {
    percent_decode_str(logged).decode_utf8_lossy().into_owned()
}

/// The headers of an upload: such as the rule that decided accepts.
fn with_upload(
    request: PosedRequest,
    operation: S3Operation,
    rule: Option<&Rule>,
    given: &[(String, String)],
    guesses: &mut Vec<Guess>,
) -> PosedRequest {
    let is_given = |name: &str| given.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    let length = operation.length().map(authorizer_core::operation::LengthHeader::name);
    let length = length.filter(|name| !is_given(name));
    let range = rule.and_then(|rule| rule.terms().content_types.as_ref()?.first());
    let content_type = match range {
        Some(MediaRange::One(one)) => one.to_string(),
        Some(MediaRange::Kind(kind)) => format!("{kind}/example"),
        Some(MediaRange::Any) | None => "application/octet-stream".to_owned(),
    };
    let upload = PosedUpload {
        bytes: length.map(|_| 1),
        content_type: Some(content_type)
            .filter(|_| operation.describes_object() && !is_given("content-type")),
        ..PosedUpload::default()
    };
    let why = "no log has the headers of an upload; metadata and checksums are left out";
    let lines = length.map(|name| format!("{name}: 1"));
    let lines: Vec<_> = lines
        .into_iter()
        .chain(upload.content_type.as_ref().map(|one| format!("Content-Type: {one}")))
        .collect();
    guesses.push(Guess::new("the upload", (!lines.is_empty()).then(|| lines.join(", ")), why));
    guesses.push(Guess::new("the body", None, "no log has it, and no decision reads it"));
    upload.put_into(&Deed::Operation(operation), request)
}

/// Why a token of an access log is not used.
const NO_TOKEN: &str = "by the decision log the request had no token that was accepted, so it is not used";

/// The token, or that there was none.
fn asker_of(
    trace: &Trace,
    policy: &Authorizer,
    decider: &Authorizer,
    request: &PosedRequest,
    tokens: &[String],
    now: UnixTime,
    guesses: &mut Vec<Guess>,
) -> Result<Asker, RebuildError> {
    let mut tokens = tokens.iter().filter_map(|token| claims::of_token(token)).peekable();
    let has_some = tokens.peek().is_some();
    let read = |supposed, guesses: &mut Vec<Guess>| {
        let why = "read from the token in the access log, whose signature was not checked";
        guesses.push(Guess::new("the claims", None, why));
        Ok(Asker::Token(supposed))
    };
    // Anybody can send any token: the decision log has whose token verified.
    let not_used = |why: &str, guesses: &mut Vec<Guess>| {
        if has_some {
            guesses.push(Guess::new("the token in the access log", None, why));
        }
    };
    let Some(decision) = &trace.decision else {
        if let Some(supposed) = tokens.next() {
            return read(supposed, guesses);
        }
        guesses.push(Guess::new(
            "the token",
            None,
            "an access log does not have it: use `--issuer` or `--claims`",
        ));
        return Ok(Asker::Anonymous);
    };
    if let Some(issuer) = decision.text("issuer") {
        let recorded = Recorded::of(trace);
        let holder = Holder { decision, policies: [decider, policy], event: request.event(), now, recorded };
        if let Some(supposed) = tokens.find(|token| holder.has(token, issuer)) {
            return read(supposed, guesses);
        }
        let why = "the issuer, the subject or the claims of the decision log are others, so it is not used";
        not_used(why, guesses);
        return holder.token(issuer, guesses).map(Asker::Token);
    }
    let stage =
        Stage::of_word(decision.text("reason").unwrap_or_default(), decision.text("operation").is_some());
    match stage {
        // The log names the issuer of every token that verified.
        Stage::NoRule | Stage::Denied => not_used(NO_TOKEN, guesses),
        _ if decision.text("decision") == Some("allow") => not_used(NO_TOKEN, guesses),
        Stage::Always
        | Stage::Unknown
        | Stage::Credential
        | Stage::TokenForm
        | Stage::Trust
        | Stage::Keys => {
            if let Some(supposed) = tokens.next() {
                return read(supposed, guesses);
            }
            let why = "a token that is not accepted is in no log, so the request is rebuilt without one";
            guesses.push(Guess::new("the token", None, why));
        }
    }
    Ok(Asker::Anonymous)
}
