//! A line of the function's own decision log (docs/decision-log.md).

use std::borrow::Cow;

use authorizer_core::Reason;
use authorizer_core::extra_parameter::ExtraParameter;
use authorizer_core::key::ObjectKey;
use authorizer_core::logged_claims::LoggedClaims;
use authorizer_core::operation::{Method, S3Operation};
use authorizer_core::prefix::KeyPrefix;
use authorizer_core::request::Resource;
use authorizer_core::response_override::ResponseOverride;
use authorizer_core::rules::is_host_name;
use serde_json::value::RawValue;

use super::LineContent;
use super::json::Text;
use crate::facts::{Requested, Span};
use crate::recorded::{Before, Came, Recorded, SaltedClaims, Stage, contradicted_by};
use crate::rule::Assumptions;

/// The members of a line.
#[derive(Debug)]
pub(super) struct Decision<'l> {
    pub(super) method: Option<Cow<'l, str>>,
    pub(super) operation: Option<Cow<'l, str>>,
    pub(super) key: Option<Cow<'l, str>>,
    pub(super) decision: Option<Cow<'l, str>>,
    pub(super) reason: Option<Cow<'l, str>>,
    pub(super) rule: Option<Cow<'l, str>>,
    pub(super) issuer: Option<Cow<'l, str>>,
    pub(super) subject: Option<Cow<'l, str>>,
    pub(super) bundle_sha256: Option<Cow<'l, str>>,
    /// What a line of version 2 can have in addition.
    pub(super) second: Option<Second<'l>>,
}

/// The members of version 2.
#[derive(Debug)]
pub(super) struct Second<'l> {
    pub(super) time: Option<Text<'l>>,
    pub(super) host: Option<Cow<'l, str>>,
    pub(super) query: Option<Cow<'l, str>>,
    pub(super) query_names: Option<Cow<'l, str>>,
    pub(super) claims: Option<&'l RawValue>,
    pub(super) claims_salt_id: Option<Cow<'l, str>>,
}

impl<'l> Second<'l> {
    /// The instant of the decision. The line has it in seconds.
    fn at(&self) -> Result<Option<Span>, &'static str> {
        let seconds = |text: &Text<'_>| text.0.parse::<u64>().map(|seconds| Span::around(seconds, 0, 0));
        self.time.as_ref().map(seconds).transpose().map_err(|_| "its `time` is not a number of seconds")
    }

    fn claims(&self) -> Result<Option<SaltedClaims<'l>>, &'static str> {
        let read = |claims: &RawValue| serde_json::from_str::<LoggedClaims>(claims.get());
        let digests = self.claims.map(read).transpose();
        let digests = digests.map_err(|_| "its `claims` are not digests of claims")?;
        let salted = |(digests, salt_id)| SaltedClaims { digests, salt_id };
        Ok(digests.zip(self.claims_salt_id.clone()).map(salted))
    }

    /// The host, as the function logs it.
    fn host(&self) -> Option<Cow<'l, str>> {
        self.host.clone().filter(|host| is_host_name(host))
    }

    /// What the query adds to a request that was recognised: the line has the name of each of its parameters.
    fn tell(&self, asked: Requested) -> Requested {
        let query = self.query.as_deref().or(self.query_names.as_deref()).unwrap_or_default();
        let names: Vec<&str> =
            query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name)).collect();
        let has = |name: &str| names.contains(&name);
        Requested {
            overrides: Some(ResponseOverride::ALL.into_iter().filter(|one| has(one.name())).collect()),
            // A step of a multipart upload has a `partNumber` of its own.
            extras: Some(
                ExtraParameter::ALL
                    .into_iter()
                    .filter(|one| {
                        has(one.name()) && asked.operations.iter().all(|operation| one.is_of(operation))
                    })
                    .collect(),
            ),
            ..asked
        }
    }
}

/// The content of a line.
pub(super) fn read(line: Decision<'_>, at: Span) -> LineContent<'_> {
    match recorded(line, at) {
        Ok(found) => found,
        Err(problem) => LineContent::Malformed(problem.to_owned()),
    }
}

fn recorded(line: Decision<'_>, at: Span) -> Result<LineContent<'_>, &'static str> {
    let reason = line.reason.ok_or("the line does not have `reason`")?;
    if is_of_sign_in(line.decision.as_deref(), &reason) {
        return Ok(LineContent::SignIn);
    }
    let second = line.second.as_ref();
    let at = second.map(Second::at).transpose()?.flatten().unwrap_or(at);
    let operation = match &line.operation {
        Some(name) => Some(S3Operation::named(name).ok_or("its `operation` is not known to this version")?),
        None => None,
    };
    let stage = Stage::of_word(&reason, operation.is_some());
    let resource = match (operation, line.key) {
        (Some(operation), Some(key)) if operation.is_listing() => {
            KeyPrefix::new(key.into_owned()).map(Resource::Prefix)
        }
        (_, Some(key)) => ObjectKey::new(key.into_owned()).map(Resource::Object),
        (_, None) => return without_key(line.method, line.decision, line.bundle_sha256, reason, stage, at),
    };
    let resource = resource.map_err(|_| "its `key` is not an object key that the function accepts")?;
    let path = Cow::Owned(resource.as_str().to_owned());
    let method = line.method.ok_or("the line has `key` but not `method`")?;
    if method == "OPTIONS" {
        return Ok(LineContent::Preflight);
    }
    let asked = match (operation, Method::parse(&method)) {
        (Some(operation), Some(method)) if operation.method() == method => {
            let asked = Requested::operation(operation, resource);
            Ok(match second {
                Some(second) => second.tell(asked),
                None => asked,
            })
        }
        (Some(_), _) => return Err("its `method` does not fit its `operation`"),
        (None, Some(method)) => Ok(Requested::method(method, Some(resource))),
        (None, None) => Err(reason.clone()),
    };
    let mut contradicted = match (line.decision.as_deref(), Reason::parse(&reason)) {
        (Some("refuse"), Some(reason)) => contradicted_by(reason, operation.is_some()),
        _ => Assumptions::default(),
    };
    if let Ok(asked) = &asked {
        let has_some = asked.overrides.as_ref().is_some_and(|some| !some.is_empty())
            || asked.extras.as_ref().is_some_and(|some| !some.is_empty());
        contradicted.reads |= has_some;
    }
    let before = match line.decision.as_deref() {
        Some("allow") if operation.is_some() => Before::Allowed { rule: line.rule },
        Some("refuse") => Before::Refused { stage, rule: line.rule, reason: Some(reason) },
        Some("preflight") => return Ok(LineContent::Preflight),
        _ => {
            return Err(
                "its `decision` must be `allow` (with an `operation`), `refuse`, `preflight` or `sign_in`",
            );
        }
    };
    let came = match (line.issuer, &before) {
        (Some(issuer), _) => Came::Holder { issuer, subject: line.subject },
        // The log names the holder of every valid token.
        (None, Before::Allowed { .. } | Before::Refused { stage: Stage::Denied | Stage::NoRule, .. }) => {
            Came::Nobody
        }
        (None, Before::Refused { .. } | Before::Answered(_) | Before::Unknown) => Came::Unknown,
    };
    let claims = second.map(Second::claims).transpose()?.flatten();
    let host = second.and_then(Second::host);
    let bundle = line.bundle_sha256;
    Ok(LineContent::Request(Box::new(Recorded {
        asked,
        source: None,
        host,
        at,
        before,
        came,
        claims,
        contradicted,
        is_answer_assumed: false,
        bundle,
        method,
        path,
    })))
}

/// Whether the line is of a step of a sign-in: a request for a path that the function answers itself, or a page for which
/// it renewed a session. What it was decided by is in cookies, and with the provider. A page that a person was sent away
/// from to sign in is a refused request as any other.
fn is_of_sign_in(decision: Option<&str>, reason: &str) -> bool {
    match decision {
        Some("sign_in") => true,
        Some("refuse") => matches!(Reason::parse(reason), Some(Reason::SignIn(_))),
        _ => false,
    }
}

/// A request that was refused before its key was known: for its path, or earlier.
fn without_key<'l>(
    method: Option<Cow<'l, str>>,
    decision: Option<Cow<'l, str>>,
    bundle: Option<Cow<'l, str>>,
    reason: Cow<'l, str>,
    stage: Stage,
    at: Span,
) -> Result<LineContent<'l>, &'static str> {
    match decision.as_deref() {
        Some("preflight") => return Ok(LineContent::Preflight),
        Some("refuse") if method.as_deref() == Some("OPTIONS") => return Ok(LineContent::Preflight),
        Some("refuse") => {}
        _ => return Err("a line without `key` must have the `decision` `refuse`, `preflight` or `sign_in`"),
    }
    // A malformed event does not have a method.
    let asked = match method.as_deref().map(Method::parse) {
        Some(Some(method)) if stage != Stage::Always => Ok(Requested::method(method, None)),
        Some(_) | None => Err(reason.clone()),
    };
    let before = Before::Refused { stage, rule: None, reason: Some(reason) };
    let (method, path) = (method.unwrap_or_default(), Cow::Borrowed(""));
    let came = Came::Unknown;
    Ok(LineContent::Request(Box::new(Recorded {
        asked,
        source: None,
        host: None,
        at,
        before,
        came,
        claims: None,
        contradicted: Assumptions::default(),
        is_answer_assumed: false,
        bundle,
        method,
        path,
    })))
}
