//! What the page is told of a request: no token, and nothing that may contain one.

use authorizer_analysis::{Explanation, explain};
use authorizer_core::credential::Credential;
use authorizer_core::credential::Several;
use authorizer_core::event::ViewerRequestEvent;
use authorizer_core::outcome::Outcome;
use authorizer_core::token::{Principal, parse_claims};
use authorizer_core::{Authorizer, UnixTime};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::asked::{Asked, Who};
use super::recorder::Entry;
use super::redact::{self, ShownRequest, cloudfront_headers, scrub, scrub_all};
use crate::serve::observer::used;

/// One line of the list.
pub(super) fn summary(entry: &Entry, authorizer: &Authorizer) -> Value {
    summary_of(entry, authorizer, &shown_of(entry, authorizer))
}

/// What of its request may be shown, and what must not be in what else is.
fn shown_of(entry: &Entry, authorizer: &Authorizer) -> ShownRequest {
    let places = authorizer.bundle().policy().credentials();
    let event =
        entry.report.details.as_ref().and_then(|details| ViewerRequestEvent::parse(&details.event).ok());
    event.map_or_else(ShownRequest::default, |event| ShownRequest::of(&event.request, places))
}

fn summary_of(entry: &Entry, authorizer: &Authorizer, shown: &ShownRequest) -> Value {
    let report = &entry.report;
    let said = |name: &str| {
        let record = report.record.as_ref();
        record.and_then(|record| record.get(name)).and_then(Value::as_str)
    };
    let word = |name: &str| said(name).map(scrub);
    let subject = word("issuer").and_then(|_| {
        let event = &report.details.as_ref()?.event;
        let access = authorizer.access(event, entry.at).ok()?;
        match access.principal {
            Principal::Verified(claims) => claims.subject().map(scrub),
            Principal::Anonymous => None,
        }
    });
    json!({
        "seq": entry.seq,
        "at": entry.at.as_seconds(),
        "method": scrub(&report.method),
        "key": shown.scrub(said("key").unwrap_or(&report.path)),
        "status": report.status,
        "decision": word("decision"),
        "reason": word("reason"),
        "rule": word("rule"),
        "issuer": word("issuer"),
        "subject": subject,
        "forwarded": report.forwarded,
        "age": report.age,
        "secondOrigin": report.second_origin,
        "problem": report.violation.as_ref().map(|one| scrub(&one.to_string()))
            .or_else(|| report.problem.as_deref().map(scrub)),
        "micros": u64::try_from(report.elapsed.as_micros()).unwrap_or(u64::MAX),
        "function": report.usage.as_ref().map(used),
    })
}

/// All that is shown of a request.
pub(super) fn detail(entry: &Entry, authorizer: &Authorizer) -> Value {
    let report = &entry.report;
    let shown = shown_of(entry, authorizer);
    let mut detail = json!({
        "summary": summary_of(entry, authorizer, &shown),
        "record": report.record.as_ref().map(|record| shown.scrub_decision(record)),
        "now_decides": authorizer.bundle().sha256(),
    });
    let Some(members) = detail.as_object_mut() else { return detail };
    let Some(details) = &report.details else { return detail };
    let Ok(event) = ViewerRequestEvent::parse(&details.event) else { return detail };
    let (claims, is_verified) = claims_of(&details.event, authorizer, entry.at);
    members.insert(
        "request".into(),
        json!({
            "method": scrub(&event.request.method), "path": shown.path, "query": shown.query,
            "headers": shown.headers, "hidden": shown.hidden, "source_ip": event.request.client_ip,
        }),
    );
    members.insert("claims".into(), claims.clone().map_or(Value::Null, Value::Object));
    members.insert("claims_verified".into(), is_verified.into());
    members.insert("result".into(), result(&details.result, &shown));
    if report.forwarded {
        let lines = details.bucket_headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        members.insert("bucket".into(), json!({"status": report.status, "headers": redact::headers(lines)}));
    }
    let now = explain(authorizer, &details.event, entry.at);
    members.insert("now".into(), shown.scrub_decision(&decision(&now)));
    // Another key than the one that was asked for is of no use.
    if !shown.is_same_target {
        return detail;
    }
    let asked = Asked {
        method: scrub(&event.request.method),
        target: shown.path.clone(),
        query: shown.query.clone(),
        headers: shown.whole_headers().filter(|(name, _)| is_of_form(name)).cloned().collect(),
        body: String::new(),
        who: who(&event, authorizer, claims, is_verified),
        source_ip: event.request.client_ip.parse().ok(),
        now: Some(entry.at.as_seconds()),
    };
    // The form and a test suppose that a token is valid. Where one is refused for its signature, they would describe
    // another request: one of whoever its claims name.
    let is_another = !is_verified
        && asked.explained(authorizer).is_ok_and(|supposed| {
            let decided =
                |of: &Explanation| (of.record.decision.word(), of.record.reason.clone().into_owned());
            decided(&supposed) != decided(&now)
        });
    members.insert("token_not_accepted".into(), is_another.into());
    if !is_another {
        members.insert("asked".into(), json!(asked));
    }
    detail
}

/// Who sent a recorded request, for the form. The issuer gives what every one of its tokens has.
fn who(
    event: &ViewerRequestEvent<'_>,
    authorizer: &Authorizer,
    claims: Option<Map<String, Value>>,
    is_verified: bool,
) -> Who {
    let Some(mut claims) = claims else { return Who::Anonymous };
    let policy = authorizer.bundle().policy();
    let iss = claims.get("iss").and_then(Value::as_str);
    let issuer = policy.issuers().iter().find(|issuer| Some(issuer.issuer()) == iss);
    let issuer = issuer.map(|issuer| issuer.name().to_owned());
    if issuer.is_some() && is_verified {
        for filled in ["iss", "iat", "exp", "nbf", "jti"] {
            claims.remove(filled);
        }
    }
    let token_type = token_of(event, authorizer).and_then(|token| part(&token, 0));
    let token_type = token_type.and_then(|header| header.get("typ")?.as_str().map(scrub));
    Who::Token { issuer, claims: format!("{:#}", Value::Object(claims)), token_type }
}

/// The claims of a request's token, and whether it was verified. Those of a token that was refused are as it has them.
fn claims_of(event: &[u8], authorizer: &Authorizer, at: UnixTime) -> (Option<Map<String, Value>>, bool) {
    let clean = |claims: &Map<String, Value>| match scrub_all(&Value::Object(claims.clone())) {
        Value::Object(claims) => Some(claims),
        _ => None,
    };
    if let Ok(access) = authorizer.access(event, at) {
        return match access.principal {
            Principal::Verified(verified) => (clean(verified.claims()), true),
            Principal::Anonymous => (None, false),
        };
    }
    let Ok(event) = ViewerRequestEvent::parse(event) else { return (None, false) };
    let token = token_of(&event, authorizer);
    (token.and_then(|token| part(&token, 1)).and_then(|claims| clean(&claims)), false)
}

/// The one token of a request.
fn token_of(event: &ViewerRequestEvent<'_>, authorizer: &Authorizer) -> Option<String> {
    let places = authorizer.bundle().policy().credentials();
    let in_query = places.query.as_ref().and_then(|name| {
        let pairs = event.request.querystring.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    });
    match Credential::find(&event.request.headers, in_query, places, Several::Refused).ok()? {
        Credential::Bearer { token, .. } => Some(token.into_owned()),
        Credential::None | Credential::Cookies(_) => None,
    }
}

/// The header of a compact JWS, or its claims.
fn part(token: &str, index: usize) -> Option<Map<String, Value>> {
    let part = token.split('.').nth(index)?;
    parse_claims(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// Whether a header says something that a person would ask for. The others are the client's own.
fn is_of_form(name: &str) -> bool {
    const OF_CLIENTS: [&str; 12] = [
        "accept",
        "accept-encoding",
        "accept-language",
        "connection",
        "host",
        "pragma",
        "priority",
        "te",
        "transfer-encoding",
        "upgrade-insecure-requests",
        "user-agent",
        "via",
    ];
    !OF_CLIENTS.contains(&name) && !name.starts_with("sec-")
}

/// A decision, with what each rule makes of the request.
pub(super) fn decision(explanation: &Explanation) -> Value {
    scrub_all(&json!({
        "record": explanation.record,
        "detail": explanation.detail,
        "token_in": explanation.token_in.map(authorizer_core::credential::CredentialPlace::in_words),
        "rules": explanation.rules,
    }))
}

/// What the function returns.
pub(super) fn outcome(outcome: &Outcome<'_>) -> Value {
    match outcome {
        Outcome::Forward(request) => scrub_all(&json!({"forward": {
            "method": request.method, "path": request.uri, "query": request.querystring,
            "headers": cloudfront_headers(&request.headers),
        }})),
        Outcome::Respond(response) => scrub_all(&json!({"respond": {
            "status": response.status, "headers": cloudfront_headers(&response.headers), "body": response.body,
        }})),
    }
}

/// The same, of a result as the function wrote it.
fn result(bytes: &[u8], shown: &ShownRequest) -> Value {
    let Ok(result) = serde_json::from_slice::<Value>(bytes) else { return Value::Null };
    let headers: Vec<(String, String)> = {
        let all = result.get("headers").and_then(Value::as_object);
        let lines = all.into_iter().flatten().flat_map(|(name, lines)| {
            let lines = lines.as_array().into_iter().flatten();
            lines.filter_map(move |line| Some((name.as_str(), line.get("value")?.as_str()?)))
        });
        redact::headers(lines)
    };
    let member = |name: &str| result.get(name).cloned().unwrap_or_default();
    shown.scrub_decision(&match result.get("uri") {
        Some(_) => json!({"forward": {
            "method": member("method"), "path": member("uri"), "query": member("querystring"), "headers": headers,
        }}),
        None => json!({"respond": {"status": member("status"), "headers": headers, "body": member("body")}}),
    })
}
