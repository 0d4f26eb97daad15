//! A request that the page describes: what its form has, or what is shown of a recorded request.

use std::net::{IpAddr, Ipv4Addr};

use authorizer_analysis::posed::{Aim, Deed, PosedError, PosedRequest};
use authorizer_analysis::{Explanation, FilledToken, OtherIssuerError, explain, explain_supposing, fill_in};
use authorizer_core::policy::Policy;
use authorizer_core::token::{Issuer, parse_claims};
use authorizer_core::{Authorizer, Supposed, UnixTime};
use http::{HeaderName, HeaderValue, Method};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

use super::shown;
use crate::time::now_or;

/// The address of a viewer on this machine.
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Why such a request cannot be made.
#[derive(Debug, Error)]
pub(super) enum AskedError {
    #[error("the method is not one that HTTP can have: write `GET`, `PUT` or another word of letters")]
    Method,
    #[error("the header `{0}` cannot be sent: a name has no spaces, and a value no line breaks")]
    Header(String),
    #[error("leave out the header `{0}`: the persona says who asks")]
    Credential(&'static str),
    #[error("{error}: {}", .error.remedy())]
    Target { error: PosedError },
    #[error("the claims are not a JSON object with each member once: write {{\"sub\": \"alice\"}}")]
    Claims,
    #[error("the policy does not have an issuer `{0}`: choose one of its issuers")]
    Issuer(String),
    #[error("{0}: leave `iss` out")]
    OtherIssuer(OtherIssuerError),
}

/// The request.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    pub(super) method: String,
    /// A path as a viewer sends it, with its slash; or an object key.
    pub(super) target: String,
    #[serde(default)]
    pub(super) query: String,
    #[serde(default)]
    pub(super) headers: Vec<(String, String)>,
    #[serde(default)]
    pub(super) body: String,
    pub(super) who: Who,
    #[serde(default)]
    pub(super) source_ip: Option<IpAddr>,
    /// Seconds since 1970, in the place of the present.
    #[serde(default)]
    pub(super) now: Option<u64>,
}

/// Who sends it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "lowercase")]
pub(super) enum Who {
    /// Nobody that is known.
    Anonymous,
    /// The holder of a token.
    Token {
        /// The issuer by its name in the policy, which fills in what is missing. Without one, the claims are all.
        #[serde(default)]
        issuer: Option<String>,
        /// A JSON object.
        claims: String,
        #[serde(default)]
        token_type: Option<String>,
    },
}

impl Asked {
    /// When it is decided.
    pub(super) fn at(&self) -> UnixTime {
        now_or(self.now.map(UnixTime::from_seconds))
    }

    /// As a request that can be decided on, once all of it can be sent.
    pub(super) fn posed(&self) -> Result<PosedRequest, AskedError> {
        Method::from_bytes(self.method.as_bytes()).map_err(|_| AskedError::Method)?;
        let mut request = PosedRequest::new(&Deed::Method(self.method.clone()), &self.aim(), &self.query)
            .map_err(|error| AskedError::Target { error })?
            .with_source(self.source_ip.unwrap_or(LOOPBACK));
        for (name, value) in self.all_headers()? {
            request = request.with_header(name, value);
        }
        Ok(request)
    }

    fn aim(&self) -> Aim {
        match self.target.starts_with('/') {
            true => Aim::Path(self.target.clone()),
            false => Aim::Key(self.target.clone()),
        }
    }

    /// Its headers, and the length of its body.
    fn all_headers(&self) -> Result<Vec<(String, String)>, AskedError> {
        let mut headers = self.headers.clone();
        for (name, value) in &headers {
            let is_sent = HeaderName::try_from(name).is_ok() && HeaderValue::from_str(value).is_ok();
            match name.to_ascii_lowercase().as_str() {
                "authorization" => return Err(AskedError::Credential("Authorization")),
                "cookie" => return Err(AskedError::Credential("Cookie")),
                _ if is_sent => {}
                _ => return Err(AskedError::Header(name.clone())),
            }
        }
        let has_length = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        if !has_length && (!self.body.is_empty() || matches!(self.method.as_str(), "PUT" | "POST" | "PATCH"))
        {
            headers.push(("Content-Length".to_owned(), self.body.len().to_string()));
        }
        Ok(headers)
    }

    /// The claims that its token has, with what its issuer's tokens must have; `None` without a token.
    pub(super) fn token(&self, policy: &Policy) -> Result<Option<FilledToken>, AskedError> {
        let Who::Token { issuer, claims, token_type } = &self.who else { return Ok(None) };
        let text = if claims.trim().is_empty() { "{}" } else { claims.as_str() };
        let claims = parse_claims(text.as_bytes()).map_err(|_| AskedError::Claims)?;
        let token_type = token_type.clone();
        let Some(name) = issuer else {
            return Ok(Some(FilledToken { supposed: Supposed { token_type, claims }, filled: Vec::new() }));
        };
        let issuer = named(policy, name).ok_or_else(|| AskedError::Issuer(name.clone()))?;
        fill_in(issuer, token_type, claims, self.at()).map(Some).map_err(AskedError::OtherIssuer)
    }

    /// What a policy decides on it. Nothing is sent.
    pub(super) fn explained(&self, authorizer: &Authorizer) -> Result<Explanation, AskedError> {
        let event = self.posed()?.event_for(authorizer.bundle().policy());
        Ok(match self.token(authorizer.bundle().policy())? {
            Some(token) => explain_supposing(authorizer, &event, &token.supposed, self.at()),
            None => explain(authorizer, &event, self.at()),
        })
    }

    /// The decision, for the page.
    pub(super) fn tried(&self, authorizer: &Authorizer) -> Result<Value, AskedError> {
        let explanation = self.explained(authorizer)?;
        let event = self.posed()?.event_for(authorizer.bundle().policy());
        let token = self.token(authorizer.bundle().policy())?;
        let authorized = match &token {
            Some(token) => authorizer.authorize_supposing(&event, &token.supposed, self.at()),
            None => authorizer.authorize(&event, self.at()),
        };
        let mut result = shown::decision(&explanation);
        if let Some(members) = result.as_object_mut() {
            members.insert("outcome".into(), shown::outcome(&authorized.outcome));
            members.insert("claims".into(), token.map_or(Value::Null, |token| json!(token.supposed.claims)));
        }
        Ok(result)
    }
}

/// The issuer of this name.
pub(super) fn named<'p>(policy: &'p Policy, name: &str) -> Option<&'p Issuer> {
    policy.issuers().iter().find(|issuer| issuer.name() == name)
}
