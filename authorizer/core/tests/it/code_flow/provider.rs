//! A provider, as far as the function knows it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::LazyLock;

use authorizer_core::code_flow::{Grant, TokenRequest};
use authorizer_core::token::SignatureAlgorithm;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::signer::Signer;

pub(crate) static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer::new(SignatureAlgorithm::EdDsa));

/// The parameters of a form or a query.
pub(crate) fn parameters(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    let decode = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
    let mut all = BTreeMap::new();
    for (name, value) in pairs {
        assert!(all.insert(decode(name), decode(value)).is_none(), "{name} twice in {text}");
    }
    all
}

/// What it knows of one code.
#[derive(Clone)]
struct Code {
    user: String,
    nonce: String,
    challenge: String,
}

/// It gives each person a code, and for it tokens, once.
pub(crate) struct Provider {
    codes: RefCell<BTreeMap<String, Code>>,
    /// Refresh tokens, each for one use.
    refresh_tokens: RefCell<BTreeMap<String, String>>,
    count: Cell<u64>,
    /// How long its access tokens live.
    pub(crate) lifetime: Cell<u64>,
    /// Whether it answers.
    pub(crate) is_down: Cell<bool>,
    /// What is changed in the answers, if anything.
    #[allow(clippy::type_complexity, reason = "one place")]
    pub(crate) change: RefCell<Option<Box<dyn Fn(&mut Answer)>>>,
}

/// An answer before it is signed.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) access: Value,
    pub(crate) identity: Value,
    pub(crate) members: Value,
    /// The types in the headers of both tokens.
    pub(crate) types: (&'static str, &'static str),
    /// The whole body, instead.
    pub(crate) body: Option<Vec<u8>>,
}

impl Provider {
    pub(crate) fn new() -> Self {
        Self {
            codes: RefCell::default(),
            refresh_tokens: RefCell::default(),
            count: Cell::new(0),
            lifetime: Cell::new(3_600),
            is_down: Cell::new(false),
            change: RefCell::new(None),
        }
    }

    /// Signs a person in who was sent to this address, and sends them back.
    pub(crate) fn sign_in(&self, location: &str, user: &str) -> String {
        let (_, query) = location.split_once('?').unwrap();
        let asked = parameters(query);
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["client_id"], "files-web");
        assert_eq!(asked["code_challenge_method"], "S256");
        assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));
        assert!(asked["state"].len() == 43 && asked["nonce"].len() == 43 && asked["state"] != asked["nonce"]);
        let code = self.name("code");
        let known = Code {
            user: user.to_owned(),
            nonce: asked["nonce"].clone(),
            challenge: asked["code_challenge"].clone(),
        };
        self.codes.borrow_mut().insert(code.clone(), known);
        format!("{}?code={code}&state={}&session_state=x", asked["redirect_uri"], asked["state"])
    }

    fn name(&self, kind: &str) -> String {
        self.count.set(self.count.get() + 1);
        format!("{kind}-{}", self.count.get())
    }

    /// What the token endpoint answers.
    pub(crate) fn exchange(&self, request: &TokenRequest<'_>, at: u64) -> Option<(u16, Vec<u8>)> {
        if self.is_down.get() {
            return None;
        }
        assert_eq!((request.url().as_str(), request.issuer()), ("https://login.example/token", "staff"));
        let asked = parameters(request.body());
        let refused = || Some((400, br#"{"error":"invalid_grant"}"#.to_vec()));
        let (user, nonce) = match request.grant() {
            Grant::AuthorizationCode => {
                assert_eq!(asked["grant_type"], "authorization_code");
                assert_eq!(asked["redirect_uri"], "https://files.example.com/.auth/callback");
                let Some(code) = self.codes.borrow_mut().remove(&asked["code"]) else { return refused() };
                // RFC 7636 section 4.6.
                let sum = digest(&SHA256, asked["code_verifier"].as_bytes());
                if URL_SAFE_NO_PAD.encode(sum) != code.challenge {
                    return refused();
                }
                (code.user, Some(code.nonce))
            }
            Grant::RefreshToken => {
                assert_eq!(asked["grant_type"], "refresh_token");
                let user = self.refresh_tokens.borrow_mut().remove(&asked["refresh_token"]);
                let Some(user) = user else { return refused() };
                (user, None)
            }
        };
        let refresh_token = self.name("refresh");
        self.refresh_tokens.borrow_mut().insert(refresh_token.clone(), user.clone());
        let exp = at + self.lifetime.get();
        let mut answer = Answer {
            status: 200,
            access: json!({"iss": "https://login.example/", "aud": "files", "sub": user, "exp": exp, "iat": at}),
            identity: json!({"iss": "https://login.example/", "aud": "files-web", "sub": user, "exp": exp, "iat": at}),
            members: json!({"token_type": "Bearer", "expires_in": 3600, "refresh_token": refresh_token}),
            types: ("at+jwt", "JWT"),
            body: None,
        };
        if let Some(nonce) = nonce {
            answer.identity["nonce"] = nonce.into();
        }
        if let Some(change) = &*self.change.borrow() {
            change(&mut answer);
        }
        Some((answer.status, answer.to_body()))
    }
}

impl Answer {
    fn to_body(&self) -> Vec<u8> {
        if let Some(body) = &self.body {
            return body.clone();
        }
        let mut members = self.members.clone();
        let mut add = |name: &str, token: String| {
            if members.get(name).is_none() {
                members[name] = token.into();
            }
        };
        add("access_token", SIGNER.sign("k", self.types.0, &self.access));
        add("id_token", SIGNER.sign("k", self.types.1, &self.identity));
        members.to_string().into_bytes()
    }
}
