//! A request that is described on the command line, instead of a recorded event.

use std::net::IpAddr;
use std::path::PathBuf;

use authorizer_analysis::posed::{Aim, Deed, PosedRequest};
use authorizer_analysis::{FilledToken, fill_in};
use authorizer_backtest::{Asker, Given};
use authorizer_core::operation::S3Operation;
use authorizer_core::policy::Policy;
use authorizer_core::token::parse_claims;
use authorizer_core::{SignIn, Supposed, TokenError, UnixTime};
use clap::ArgGroup;
use miette::Diagnostic;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::host::parse_host;
use crate::input::{read_limited, read_stdin_limited};

/// The largest claims: the function does not read a token of more than 16 KiB.
const MAX_CLAIMS_BYTES: usize = 64 * 1024;

/// Why a request cannot be explained.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum RequestError {
    /// The claims are not a JSON object.
    #[error("the claims are not a JSON object: {0}")]
    #[diagnostic(help(
        "write them as '{{\"sub\": \"alice\"}}', or name a file that contains such an object"
    ))]
    Claims(String),
    /// The policy does not have an issuer of this name.
    #[error("the policy does not have an issuer `{name}`")]
    #[diagnostic(help("its issuers are: {known}"))]
    Issuer {
        /// The name.
        name: String,
        /// The issuers of the policy.
        known: String,
    },
    /// The request has neither a token nor `--anonymous`.
    #[error("the request does not say whether it has a token")]
    #[diagnostic(help("add `--issuer NAME`, `--claims JSON`, both, or `--anonymous`"))]
    NoAsker,
    /// The claims name another issuer than `--issuer`.
    #[error(transparent)]
    #[diagnostic(help("leave `iss` out: `--issuer` fills it in"))]
    OtherIssuer(#[from] authorizer_analysis::OtherIssuerError),
    /// The host is there twice.
    #[error("the request has a host twice: `--host`, and `--header 'Host: ...'`")]
    #[diagnostic(help("leave one of them out; with two hosts, no rule with `hosts` matches"))]
    TwoHosts,
    /// A viewer cannot send this request.
    #[error("{0}")]
    #[diagnostic(help("{}", .0.remedy()))]
    Request(authorizer_analysis::posed::PosedError),
}

/// The options that describe a request.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Request, instead of an event")]
#[command(group = ArgGroup::new("aim").args(["path", "key", "prefix"]))]
#[command(group = ArgGroup::new("known").args(["path", "key", "prefix", "request_id"]))]
#[command(group = ArgGroup::new("deed").args(["method", "operation"]))]
pub(crate) struct RequestArgs {
    /// HTTP method (default: GET, or the method of `--operation`).
    #[arg(long, value_name = "METHOD", requires = "aim")]
    method: Option<String>,
    /// S3 operation, such as PutObject: sets its method and its query parameters.
    #[arg(long, value_name = "NAME", value_parser = parse_operation, requires = "aim")]
    operation: Option<S3Operation>,
    /// Path, as a viewer sends it: with a leading slash, percent-encoded.
    #[arg(long)]
    path: Option<String>,
    /// Object key, as in S3: without a leading slash, not encoded.
    #[arg(long)]
    key: Option<String>,
    /// Prefix to list, not encoded.
    #[arg(long)]
    prefix: Option<String>,
    /// Query string, as a viewer sends it.
    #[arg(long, value_name = "QUERY", default_value = "", hide_default_value = true, requires = "aim")]
    query: String,
    /// Header line, such as `Content-Length: 5`. Repeatable.
    #[arg(long = "header", value_name = "LINE", value_parser = parse_header, requires = "known")]
    headers: Vec<(String, String)>,
    /// Host of the request, such as `downloads.example.com` (default: the host of `origin` if the policy has a code flow in
    /// `[sign_in]`, else the distribution's domain in the event).
    #[arg(long, value_name = "HOST", value_parser = parse_host, requires = "known")]
    host: Option<String>,
    /// Viewer's address (default: 192.0.2.1, which nobody has).
    #[arg(long, value_name = "ADDRESS", requires = "known")]
    source_ip: Option<IpAddr>,
    /// Claims of the viewer's token: JSON, a file that contains it, or `-` for standard input.
    #[arg(long, value_name = "JSON|FILE", requires = "known")]
    claims: Option<String>,
    /// Issuer of the token, by its name in the policy (default with `--claims` without `iss`: the logged issuer, or the only
    /// one of the policy). Fills in what its tokens must contain and `--claims` does not
    /// have: `iss`, `exp`, `aud`, `client_id`, required claims, `typ`, and `iat` where the policy limits lifetimes.
    #[arg(long, value_name = "NAME", requires = "known")]
    issuer: Option<String>,
    /// `typ` in the header of the token.
    #[arg(long, value_name = "TYPE", requires = "known")]
    token_type: Option<String>,
    /// Send no token.
    #[arg(long, requires = "known", conflicts_with_all = ["claims", "issuer", "token_type"])]
    anonymous: bool,
}

/// A request, and the token that it has.
#[derive(Debug)]
pub(crate) struct Posed {
    pub(crate) request: PosedRequest,
    pub(crate) token: Option<FilledToken>,
}

impl RequestArgs {
    /// The request, if the options describe one.
    pub(super) fn posed(&self, policy: &Policy, now: UnixTime) -> miette::Result<Option<Posed>> {
        let Some(aim) = self.aim() else { return Ok(None) };
        aim.check().map_err(RequestError::Request)?;
        let deed = match (self.operation, &self.method) {
            (Some(operation), _) => Deed::Operation(operation),
            (None, Some(method)) => Deed::of_method(method).map_err(RequestError::Request)?,
            (None, None) => Deed::Method("GET".to_owned()),
        };
        let mut request = PosedRequest::new(&deed, &aim, &self.query).map_err(RequestError::Request)?;
        for (name, value) in self.headers()? {
            request = request.with_header(name, value);
        }
        if let Some(source) = self.source_ip {
            request = request.with_source(source);
        }
        // What the function answers itself needs no word on a token.
        let token = match !self.has_asker() && is_own_path(policy, &request.target()) {
            true => None,
            false => self.token(policy, None, now)?,
        };
        Ok(Some(Posed { request, token }))
    }

    /// What the options say beside what logs have. The token is added with [`asker`](Self::asker).
    pub(super) fn given(&self, now: Option<UnixTime>) -> Result<Given, RequestError> {
        Ok(Given { now, source: self.source_ip, headers: self.headers()?, asker: None })
    }

    /// The header lines, with the host.
    fn headers(&self) -> Result<Vec<(String, String)>, RequestError> {
        let host = self.host.iter().map(|host| ("Host".to_owned(), host.clone()));
        if self.host.is_some() && self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            return Err(RequestError::TwoHosts);
        }
        Ok(host.chain(self.headers.iter().cloned()).collect())
    }

    /// Whether the options say something of a token.
    pub(super) fn has_asker(&self) -> bool {
        self.anonymous || self.claims.is_some() || self.issuer.is_some() || self.token_type.is_some()
    }

    /// The token that the options describe, from the logged issuer if they do not say another one.
    pub(super) fn asker(
        &self,
        policy: &Policy,
        logged: Option<&str>,
        now: UnixTime,
    ) -> miette::Result<Asker> {
        Ok(self.token(policy, logged, now)?.map_or(Asker::Anonymous, |token| Asker::Token(token.supposed)))
    }

    fn aim(&self) -> Option<Aim> {
        let path = self.path.clone().map(Aim::Path);
        let key = self.key.clone().map(Aim::Key);
        path.or(key).or_else(|| self.prefix.clone().map(Aim::Prefix))
    }

    /// If claims are given and nothing says whose they are, they are those of the logged issuer, or of the only one.
    fn token(
        &self,
        policy: &Policy,
        logged: Option<&str>,
        now: UnixTime,
    ) -> miette::Result<Option<FilledToken>> {
        if self.anonymous {
            return Ok(None);
        }
        let claims = self.claims.as_deref().map(read_claims).transpose()?;
        let names_none = claims.as_ref().is_some_and(|claims| !claims.contains_key("iss"));
        let logged = logged.filter(|name| policy.issuers().iter().any(|issuer| issuer.name() == *name));
        let only = match policy.issuers() {
            [only] => Some(only.name()),
            _ => None,
        };
        let implied = logged.or(only).filter(|_| names_none);
        match (self.issuer.as_deref().or(implied), claims) {
            (Some(name), claims) => {
                let issuer =
                    policy.issuers().iter().find(|issuer| issuer.name() == name).ok_or_else(|| {
                        let known: Vec<_> = policy.issuers().iter().map(|issuer| issuer.name()).collect();
                        RequestError::Issuer { name: name.to_owned(), known: known.join(", ") }
                    })?;
                let filled = fill_in(issuer, self.token_type.clone(), claims.unwrap_or_default(), now);
                Ok(Some(filled.map_err(RequestError::OtherIssuer)?))
            }
            (None, Some(claims)) => Ok(Some(FilledToken {
                supposed: Supposed { token_type: self.token_type.clone(), claims },
                filled: Vec::new(),
            })),
            (None, None) => Err(RequestError::NoAsker.into()),
        }
    }
}

/// Whether the function itself answers a request to here: a step of the sign-in.
fn is_own_path(policy: &Policy, target: &str) -> bool {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    let flow = policy.sign_in().and_then(SignIn::code_flow);
    flow.is_some_and(|flow| flow.paths().contains(&path))
}

/// Reads claims. Text that begins with a brace is JSON; a file name that does needs `./` before it.
fn read_claims(text: &str) -> miette::Result<Map<String, Value>> {
    let bytes = match text {
        "-" => read_stdin_limited(MAX_CLAIMS_BYTES)?,
        json if json.trim_start().starts_with('{') => json.as_bytes().to_vec(),
        file => read_limited(&PathBuf::from(file), MAX_CLAIMS_BYTES)?,
    };
    // A token with such claims is refused for its form, so there is nothing to explain.
    let claims = parse_claims(&bytes).map_err(|error| match error {
        TokenError::DuplicateMember => RequestError::Claims("a member appears twice".to_owned()),
        _ => RequestError::Claims(match serde_json::from_slice::<Map<String, Value>>(&bytes) {
            Err(error) => error.to_string(),
            Ok(_) => "they contain what a token cannot contain".to_owned(),
        }),
    })?;
    Ok(claims)
}

pub(crate) fn parse_operation(text: &str) -> Result<S3Operation, String> {
    S3Operation::named(text).ok_or_else(|| {
        let bare = text.strip_prefix("s3:").unwrap_or(text);
        let meant =
            S3Operation::ALL.map(S3Operation::name).into_iter().find(|one| one.eq_ignore_ascii_case(bare));
        let names = S3Operation::ALL.map(S3Operation::name).join(", ");
        meant.map_or_else(|| format!("use one of {names}"), |meant| format!("write {meant}"))
    })
}

fn parse_header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write `NAME: VALUE`")?;
    if name.is_empty() || name.contains(char::is_whitespace) {
        return Err("write `NAME: VALUE`".to_owned());
    }
    Ok((name.to_owned(), value.trim().to_owned()))
}
