//! The method, the path and the query of a logged request.

use authorizer_analysis::posed::{Aim, Deed, PosedRequest};
use authorizer_core::Authorizer;
use authorizer_core::credential::CookieName;
use authorizer_core::operation::{ParameterForm, S3Operation};
use percent_encoding::percent_decode_str;

use super::{Guess, RebuildError, decoded};
use crate::line::as_sent;
use crate::trace::{AccessTrace, DecisionTrace, Trace};

/// What a request asks for.
pub(super) struct Target {
    pub(super) request: PosedRequest,
    /// The operation, if a log says it or only one is likely.
    pub(super) operation: Option<S3Operation>,
    /// What an access log has as a token, in the query or in cookies. It is no part of the request.
    pub(super) tokens: Vec<String>,
}

/// What the logs say was asked for. An access log has what the viewer sent; the decision log, what was recognised.
pub(super) fn of(
    trace: &Trace,
    policies: [&Authorizer; 2],
    guesses: &mut Vec<Guess>,
) -> Result<Target, RebuildError> {
    let named = trace.decision.as_ref().and_then(|decision| S3Operation::named(decision.text("operation")?));
    match (&trace.access, &trace.decision) {
        (Some(access), decision) => of_access(access, decision.as_ref(), named, policies, guesses),
        (None, Some(decision)) => of_decision(decision, named, guesses),
        (None, None) => Err(RebuildError::NoPath),
    }
}

fn of_access(
    access: &AccessTrace,
    decision: Option<&DecisionTrace>,
    operation: Option<S3Operation>,
    policies: [&Authorizer; 2],
    guesses: &mut Vec<Guess>,
) -> Result<Target, RebuildError> {
    let method = access.field("cs-method").unwrap_or("GET");
    let path = sent("the path", access.field("cs-uri-stem").unwrap_or("/"), guesses);
    let query = match (access.field("cs-uri-query"), decision) {
        (Some(query), _) => sent("the query", query, guesses),
        (None, Some(decision)) => query_of(decision, operation, guesses),
        (None, None) => {
            guesses.push(Guess::new("the query", None, "the access log does not have it"));
            String::new()
        }
    };
    let places = policies.map(|policy| policy.bundle().policy().credentials());
    let own: Vec<&str> = places.iter().filter_map(|places| places.query.as_deref()).collect();
    let (query, in_query) = without_token(&query, &own);
    let cookies: Vec<&CookieName> = places.iter().filter_map(|places| places.cookie.as_ref()).collect();
    let in_cookies = access.field("cs(Cookie)").map(|logged| in_cookies(&decoded(logged), &cookies));
    let request = PosedRequest::new(&Deed::Method(method.to_owned()), &Aim::Path(path), &query)
        .map_err(RebuildError::NoRequest)?;
    let likely = (method == "PUT").then_some(S3Operation::PutObject);
    Ok(Target {
        request,
        operation: operation.or(likely),
        tokens: in_query.into_iter().chain(in_cookies.unwrap_or_default()).collect(),
    })
}

/// A path or query as the viewer sent it.
fn sent(what: &'static str, logged: &str, guesses: &mut Vec<Guess>) -> String {
    as_sent(logged).unwrap_or_else(|| {
        guesses.push(Guess::new(
            what,
            None,
            "the access log has it in an unknown encoding: it is used as it is",
        ));
        logged.to_owned()
    })
}

fn of_decision(
    decision: &DecisionTrace,
    operation: Option<S3Operation>,
    guesses: &mut Vec<Guess>,
) -> Result<Target, RebuildError> {
    let key = decision.text("key").ok_or(RebuildError::NoPath)?.to_owned();
    let query = query_of(decision, operation, guesses);
    let (deed, aim) = match operation {
        Some(operation) if operation.is_listing() => (Deed::Operation(operation), Aim::Prefix(key)),
        Some(operation) => (Deed::Operation(operation), Aim::Key(key)),
        None => (Deed::Method(decision.text("method").unwrap_or("GET").to_owned()), Aim::Key(key)),
    };
    let request = PosedRequest::new(&deed, &aim, &query).map_err(RebuildError::NoRequest)?;
    Ok(Target { request, operation, tokens: Vec::new() })
}

/// The query, from a line of the decision log. What it has without a value gets one that its operation can have.
fn query_of(decision: &DecisionTrace, operation: Option<S3Operation>, guesses: &mut Vec<Guess>) -> String {
    let is_first = decision.number("log_version") == Some(1);
    let logged = decision.text("query").or_else(|| decision.text("query_names")).unwrap_or_default();
    let mut pairs: Vec<String> = Vec::new();
    for pair in logged.split('&').filter(|pair| !pair.is_empty()) {
        if pair.contains('=') {
            pairs.push(pair.to_owned());
            continue;
        }
        if pair == "..." {
            let why = "the log has the names of the first 20 only";
            guesses.push(Guess::new("further query parameters", None, why));
            continue;
        }
        if pair == "?" {
            // Each with another name: a parameter that comes twice is another error.
            let name = format!("unknown-parameter-{}", pairs.len().saturating_add(1));
            let why = "the log does not have its name";
            guesses.push(Guess::new("the name of a query parameter", name.clone(), why));
            pairs.push(format!("{name}=example"));
            continue;
        }
        let value = value_for(operation, pair);
        let why = "the log has only the name of the parameter";
        guesses.push(Guess::new(format!("the query parameter {pair}"), value.to_owned(), why));
        pairs.push(format!("{pair}={value}"));
    }
    if is_first {
        let why = "a line of version 1 does not have it: only what the operation needs is added";
        guesses.push(Guess::new("the query", None, why));
    }
    pairs.join("&")
}

/// A value that a parameter may have.
fn value_for(operation: Option<S3Operation>, name: &str) -> &'static str {
    let own = operation.and_then(|operation| operation.parameters().iter().find(|one| one.name == name));
    match own.map(|parameter| parameter.form) {
        Some(ParameterForm::Empty) => "",
        Some(ParameterForm::Exactly(text)) => text,
        Some(ParameterForm::Number(..)) => "1",
        Some(ParameterForm::Opaque | ParameterForm::Text | ParameterForm::Prefix) => "example",
        None if name == "partNumber" => "1",
        None if name == "fetch-owner" => "true",
        None => "example",
    }
}

/// The query without the token's parameter, and its value.
fn without_token(query: &str, names: &[&str]) -> (String, Option<String>) {
    let mut token = None;
    let is_other = |pair: &&str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let is_own = names.iter().any(|own| percent_decode_str(name).decode_utf8_lossy() == *own);
        if is_own {
            token = Some(decoded(value));
        }
        !is_own
    };
    let rest: Vec<&str> = query.split('&').filter(is_other).collect();
    (rest.join("&"), token)
}

/// The values of the cookies with these names.
fn in_cookies(line: &str, names: &[&CookieName]) -> Vec<String> {
    let pairs = line.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs
        .filter(|(name, _)| names.iter().any(|own| own.is_of(name)))
        .map(|(_, value)| value.to_owned())
        .collect()
}
