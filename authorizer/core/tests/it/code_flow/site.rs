//! A distribution where people sign in.

use authorizer_core::code_flow::{Grant, RandomSource, TokenAnswer};
use authorizer_core::outcome::Outcome;
use authorizer_core::{Authorizer, Bundle, Needed, UnixTime};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::provider::{Provider, SIGNER};

pub(crate) const START: u64 = 1_800_000_000;
pub(crate) const ORIGIN: &str = "https://files.example.com";
pub(crate) const AUTHORIZE: &str = "https://login.example/authorize";

/// A policy with these members of `[sign_in]` beside those that it must have.
pub(crate) fn document(sign_in: Value) -> Value {
    let mut flow = json!({
        "issuer": "staff", "client_id": "files-web", "origin": ORIGIN, "scopes": ["openid", "files"],
        "authorization_endpoint": AUTHORIZE, "token_endpoint": "https://login.example/token",
        "end_session_endpoint": "https://login.example/logout", "refresh": true,
        "cookie_key": {"value": URL_SAFE_NO_PAD.encode([7; 32])},
    });
    for (name, value) in sign_in.as_object().unwrap() {
        match value {
            Value::Null => flow.as_object_mut().unwrap().remove(name),
            value => flow.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    json!({
        "version": 1,
        "issuers": [
            {"name": "staff", "issuer": "https://login.example/", "audience": ["files"], "algorithms": ["EdDSA"],
                "jwks": {"keys": [SIGNER.jwk("k")]}},
            {"name": "other", "issuer": "https://other.example/", "audience": ["files"], "algorithms": ["EdDSA"],
                "jwks": {"keys": [SIGNER.jwk("k")]}},
        ],
        "credentials": {"cookie": "__Host-session"},
        "sign_in": flow,
        "cors": {"origins": ["https://app.example.com"], "credentials": true},
        "rules": [{"id": "own", "effect": "allow", "issuers": ["staff", "other"], "methods": ["GET", "PUT"], "keys": ["users/{sub}/**", ".auth/**"]}]
    })
}

pub(crate) fn authorizer_of(document: Value) -> Authorizer {
    let document = serde_json::from_value(document).unwrap();
    let bundle = Bundle::read(&Bundle::write(&document).unwrap()).unwrap();
    Authorizer::new(bundle).with_random(RandomSource::Seeded([1; 32]))
}

/// A distribution with these members of `[sign_in]`.
pub(crate) fn site(sign_in: Value) -> Authorizer {
    authorizer_of(document(sign_in))
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) method: &'static str,
    /// The path, with its query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Sent {
    pub(crate) fn event(&self, id: u64) -> Vec<u8> {
        let (uri, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let mut headers = serde_json::Map::new();
        let has_host = self.headers.iter().any(|(name, _)| name == "host");
        let host = (!has_host).then(|| ("host".to_owned(), "files.example.com".to_owned()));
        for (name, value) in host.iter().chain(&self.headers) {
            let lines = headers.entry(name).or_insert_with(|| json!([]));
            lines.as_array_mut().unwrap().push(json!({"key": name, "value": value}));
        }
        json!({"Records": [{"cf": {
            "config": {"distributionDomainName": "d111111abcdef8.cloudfront.net", "distributionId": "EDFDVBD6EXAMPLE",
                "eventType": "viewer-request", "requestId": format!("r{id}")},
            "request": {"clientIp": "203.0.113.178", "method": self.method, "uri": uri, "querystring": query,
                "headers": headers}
        }}]})
        .to_string()
        .into_bytes()
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    /// `None` if it was forwarded.
    pub(crate) status: Option<u16>,
    pub(crate) reason: String,
    pub(crate) decision: String,
    /// What is wrong with a token, in the log.
    pub(crate) problem: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// What the provider was asked.
    pub(crate) exchanged: Option<Grant>,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location").unwrap_or_default()
    }

    pub(crate) fn cookies(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Whether it sets a session.
    pub(crate) fn gives_a_session(&self) -> bool {
        self.cookies().any(|line| {
            let (name, rest) = line.split_once('=').unwrap();
            name.starts_with("__Host-session") && !rest.starts_with(';')
        })
    }
}

/// Answers a request as the function does, with what the provider answers. What holds of every answer is checked.
pub(crate) fn answer(authorizer: &Authorizer, provider: &Provider, sent: &Sent, id: u64, at: u64) -> Got {
    let now = UnixTime::from_seconds(at);
    let event = sent.event(id);
    let (authorized, exchanged) = match authorizer.authorize_or_ask(&event, now) {
        Ok(authorized) => (authorized, None),
        Err(Needed::Keys(keys)) => panic!("{keys:?}"),
        Err(Needed::Tokens(request)) => {
            let answered = provider.exchange(&request, at);
            let answer = answered.as_ref().map_or(TokenAnswer::Nothing, |(status, body)| {
                TokenAnswer::Answered { status: *status, body }
            });
            // A caller that cannot ask is told so, and nobody gets a session.
            let alone = got(authorizer.authorize(&event, now), None);
            assert_eq!((alone.status, alone.reason.as_str()), (Some(503), "sign_in_provider_unavailable"));
            assert!(!alone.gives_a_session());
            (authorizer.take_tokens(&event, &request, answer, now).unwrap(), Some(request.grant()))
        }
    };
    let got = got(authorized, exchanged);
    check(&got);
    got
}

pub(crate) fn got(authorized: authorizer_core::Authorized<'_>, exchanged: Option<Grant>) -> Got {
    let decision = authorized.record.decision.word().to_owned();
    let reason = authorized.record.reason.into_owned();
    let problem = authorized.record.problem.map(String::from);
    match authorized.outcome {
        Outcome::Forward(request) => {
            assert_eq!(decision, "allow");
            assert!(!request.headers.contains_key("cookie"), "no cookie goes to S3");
            assert!(!request.uri.starts_with("/.auth/"), "no own path goes to S3: {}", request.uri);
            Got {
                status: None,
                reason,
                decision,
                problem,
                headers: Vec::new(),
                body: String::new(),
                exchanged,
            }
        }
        Outcome::Respond(response) => {
            let status = response.status.parse().unwrap();
            assert_eq!(authorized.record.status, Some(status));
            let headers = response.headers.iter().flat_map(|(name, lines)| {
                lines.as_slice().iter().map(move |line| (name.to_string(), line.value.to_string()))
            });
            let headers = headers.collect();
            let body = response.body.unwrap_or_default();
            Got { status: Some(status), reason, decision, problem, headers, body, exchanged }
        }
    }
}

/// What holds of every answer of the function itself.
fn check(got: &Got) {
    let bytes: usize = got.headers.iter().map(|(name, value)| name.len() + value.len() + 8).sum();
    assert!(bytes + got.body.len() < 40_000, "{bytes}");
    for (name, value) in &got.headers {
        assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{name}: {value:?}");
    }
    for line in got.cookies() {
        let (pair, attributes) = line.split_once("; ").unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        assert!(name.starts_with("__Host-") && name.len() + value.len() <= 4_096, "{line}");
        assert!(
            value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~+/=".contains(&byte)),
            "{line}"
        );
        let (start, end) = ("Path=/; Max-Age=", "; Secure; HttpOnly; SameSite=Lax");
        let seconds = attributes.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
        assert!(seconds.is_some_and(|seconds| seconds.parse::<u32>().is_ok()), "{line}");
    }
    let location = got.location();
    let is_own =
        location.strip_prefix(ORIGIN).is_some_and(|path| path.starts_with('/') && !path.starts_with("//"));
    let is_providers = ["https://login.example/authorize?", "https://login.example/logout?"]
        .iter()
        .any(|address| location.starts_with(address));
    assert!(location.is_empty() || is_own || is_providers, "{location}");
    assert!(location.len() <= 8_192);
    assert!(!got.body.contains("eyJ"), "no answer shows a token: {}", got.body);
}
