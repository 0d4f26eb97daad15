//! `[sign_in]` with `issuer`: the code flow.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::document::{
    ClientSecretMethod, CodeFlowDocument, IssuerDocument, PolicyDocument, SecretDocument,
};
use super::super::problem::{Place, Problems};
use crate::fetch_url::FetchUrl;
use crate::key::{KeyError, ObjectKey};
use crate::scalar::Scalar;
use crate::sign_in::code_flow::{
    ClientAuthentication, ClientKey, CodeFlow, REFRESH_PATH, SESSION_PATH, SIGNED_OUT_PATH, SessionToken,
    is_client_id, is_origin,
};

/// From five minutes to thirty days.
const SESSION_SECONDS: RangeInclusive<u32> = 300..=2_592_000;

/// Cookies with this prefix come from this host alone, over TLS, for all its paths (RFC 6265bis section 4.1.3.2).
const HOST_PREFIX: &str = "__Host-";

/// The cookies that the function names itself.
const OWN_PREFIX: &str = "__Host-authorizer-";

/// A cookie has 4,096 bytes with its name, and a piece of a token 3,800 of them.
const MAX_COOKIE_NAME: usize = 128;

/// What the flow writes into the query of the authorization endpoint (RFC 6749 section 4.1.1, RFC 7636 section 4.3, OpenID
/// Connect Core 1.0 section 3.1.2.1), and what would change how the provider reads or answers it (RFC 9101 section 5).
const OF_AUTHORIZATION: [&str; 11] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "response_mode",
    "request",
    "request_uri",
];

/// What the flow sends to the token endpoint (RFC 6749 sections 2.3.1, 4.1.3 and 6, RFC 7521 section 4.2, RFC 7636 section
/// 4.5). RFC 6749 section 3.2 allows a query in that address, and no parameter twice.
const OF_TOKENS: [&str; 10] = [
    "grant_type",
    "code",
    "redirect_uri",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "code_verifier",
    "refresh_token",
    "scope",
];

/// What the flow sends to the end of a session (OpenID Connect RP-Initiated Logout 1.0 section 2), and to Cognito's.
const OF_END: [&str; 4] = ["client_id", "id_token_hint", "post_logout_redirect_uri", "logout_uri"];

/// What belongs into the body of a request to the token endpoint, and is a secret there.
const NEVER_IN_AN_ADDRESS: [&str; 4] =
    ["client_secret", "client_assertion", "code_verifier", "id_token_hint"];

pub(super) fn compile_code_flow(
    document: &CodeFlowDocument,
    policy: &PolicyDocument,
    problems: &mut Problems,
) -> Option<CodeFlow> {
    let place = Place::member("sign_in");
    let issuer = find_issuer(document, policy, &place, problems);
    check_client_id(document, &place, problems);
    if !is_origin(&document.origin) {
        let bare = document.origin.strip_suffix('/').filter(|bare| is_origin(bare));
        problems.add(
            place.then("origin"),
            format!("`{}` is not the origin of a distribution", document.origin.escape_debug()),
            match bare {
                Some(bare) => format!("remove the slash at the end: write `{bare}`"),
                None => "write the distribution's own address, such as `https://files.example.com`, without a path \
                         (`http://` on this machine only)"
                    .to_owned(),
            },
        );
    }
    check_scopes(document, &place, problems);
    let authorization_endpoint = compile_endpoint(
        "authorization_endpoint",
        &document.authorization_endpoint,
        &OF_AUTHORIZATION,
        &place,
        problems,
    );
    let trusted = issuer.and_then(|index| policy.issuers.get(index));
    check_parameters(document, authorization_endpoint.as_ref(), &place, problems);
    check_enforced(document, authorization_endpoint.as_ref(), trusted, &place, problems);
    let token_endpoint =
        compile_endpoint("token_endpoint", &document.token_endpoint, &OF_TOKENS, &place, problems);
    let end_session = document
        .end_session_endpoint
        .as_ref()
        .map(|text| compile_endpoint("end_session_endpoint", text, &OF_END, &place, problems));
    check_end_session(document, &place, problems);
    check_paths(document, &place, problems);
    if !SESSION_SECONDS.contains(&document.session_seconds) {
        problems.add(
            place.then("session_seconds"),
            format!("`session_seconds` cannot be {}", document.session_seconds),
            format!("use {} to {}", SESSION_SECONDS.start(), SESSION_SECONDS.end()),
        );
    }
    check_cookie(policy, problems);
    if let Some(index) = issuer
        && let Some(trusted) = policy.issuers.get(index)
    {
        check_session_token(document, trusted, index, &place, problems);
    }
    let cookie_keys = compile_cookie_keys(document, &place, problems);
    let client_authentication = compile_client(document, &place, problems);
    Some(CodeFlow {
        issuer: issuer?,
        client_id: document.client_id.clone(),
        origin: document.origin.clone(),
        scopes: document.scopes.clone(),
        authorization_endpoint: authorization_endpoint?,
        authorization_parameters: document.authorization_parameters.clone(),
        token_endpoint: token_endpoint?,
        end_session: match end_session {
            None => None,
            Some(url) => Some((url?, document.end_session)),
        },
        id_token_hint: document.id_token_hint,
        response_iss: document.response_iss,
        session_token: document.session_token,
        redirect_path: document.redirect_path.clone(),
        sign_out_path: document.sign_out_path.clone(),
        refresh: document.refresh,
        session_seconds: document.session_seconds,
        cookie: policy.credentials.cookie.clone()?,
        cookie_keys: cookie_keys?,
        client_authentication: client_authentication?,
    })
}

/// The issuer that people sign in at. Its ID tokens are verified with its published keys.
fn find_issuer(
    document: &CodeFlowDocument,
    policy: &PolicyDocument,
    place: &Place,
    problems: &mut Problems,
) -> Option<usize> {
    let index = policy.issuers.iter().position(|issuer| issuer.name == document.issuer);
    let place = place.then("issuer");
    match index.and_then(|index| policy.issuers.get(index)) {
        None => problems.add(
            place,
            format!("the policy does not have an issuer `{}`", document.issuer.escape_debug()),
            "use the `name` of an `[[issuers]]` block",
        ),
        Some(issuer) if issuer.jwks.is_none() && issuer.secret.is_some() => problems.add(
            place,
            format!(
                "the tokens of `{}` are signed with a secret (HS256), and people sign in at an issuer with published keys",
                issuer.name.escape_debug()
            ),
            "name an issuer with `jwks`",
        ),
        Some(_) => {}
    }
    index
}

fn check_client_id(document: &CodeFlowDocument, place: &Place, problems: &mut Problems) {
    let id = &document.client_id;
    if !is_client_id(id) {
        problems.add(
            place.then("client_id"),
            format!("`{}` is not the id of a client", id.escape_debug()),
            "write the client id that the provider shows for this application, without spaces",
        );
    }
}

fn check_scopes(document: &CodeFlowDocument, place: &Place, problems: &mut Problems) {
    let place = place.then("scopes");
    let mut seen = BTreeSet::new();
    for (index, scope) in document.scopes.iter().enumerate() {
        // RFC 6749 appendix A.4.
        let is_one =
            !scope.is_empty() && scope.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
        if !is_one {
            problems.add(
                place.at(index),
                format!("`{}` is not one scope", scope.escape_debug()),
                "write each scope on its own, without spaces and quotes: `scopes = [\"openid\", \"email\"]`",
            );
        } else if !seen.insert(scope.as_str()) {
            problems.add(place.at(index), format!("`{scope}` is listed twice"), "remove one");
        }
    }
    if !document.scopes.iter().any(|scope| scope == "openid") {
        problems.add(
            place,
            "`scopes` does not have `openid`, so the provider does not give an ID token",
            "add `\"openid\"`",
        );
    }
}

/// An address of the provider's metadata. It may have a query, but not with what the flow adds to it.
fn compile_endpoint(
    member: &'static str,
    text: &str,
    added: &[&str],
    place: &Place,
    problems: &mut Problems,
) -> Option<FetchUrl> {
    let place = place.then(member);
    match FetchUrl::parse(text) {
        Err(error) => {
            problems.add(
                place,
                format!("`{}`: {error}", text.escape_debug()),
                format!(
                    "write the `{member}` of the provider's metadata, with `https://`; plain `http://` is for loopback \
                     addresses"
                ),
            );
            None
        }
        Ok(url) => {
            if let Some(name) = parameters_of(&url).find(|name| added.contains(name)) {
                problems.add(
                    place,
                    format!("the query of this address has `{name}`, which the sign-in adds itself"),
                    format!("write the `{member}` of the provider's metadata, without that parameter"),
                );
            }
            Some(url)
        }
    }
}

/// The names in the query of an address, as they are written.
fn parameters_of(url: &FetchUrl) -> impl Iterator<Item = &str> {
    let query = url.uri().query().unwrap_or_default();
    query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name))
}

/// What the policy adds to the query of the authorization endpoint.
fn check_parameters(
    document: &CodeFlowDocument,
    endpoint: Option<&FetchUrl>,
    place: &Place,
    problems: &mut Problems,
) {
    let parameters: &BTreeMap<String, String> = &document.authorization_parameters;
    for (name, value) in parameters {
        let place = || place.then("authorization_parameters").then(name);
        let is_plain =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | ':' | '[' | ']');
        if name.is_empty() || !name.chars().all(is_plain) {
            problems.add(
                place(),
                format!("`{}` is not the name of a parameter", name.escape_debug()),
                "use letters, digits, `-`, `_`, `.`, `~`, `:`, `[` and `]`",
            );
        } else if OF_AUTHORIZATION.contains(&name.as_str()) {
            let remedy = match name.as_str() {
                "scope" => "remove it, and name the scopes in `scopes`",
                "client_id" => "remove it: `client_id` of `[sign_in]` is sent",
                "redirect_uri" => "remove it: `origin` and `redirect_path` make it",
                _ => "remove it",
            };
            problems.add(place(), format!("the sign-in sets `{name}` itself"), remedy);
        } else if NEVER_IN_AN_ADDRESS.contains(&name.as_str()) {
            problems.add(
                place(),
                format!("`{name}` does not belong in an address, which histories and logs keep"),
                "remove it; a secret of the client is `client_secret = { file = \"...\" }`",
            );
        } else if endpoint.is_some_and(|url| parameters_of(url).any(|other| other == name)) {
            problems.add(
                place(),
                format!("the query of `authorization_endpoint` has `{name}` already"),
                "remove it here or there: no parameter may come twice",
            );
        } else if value.is_empty() || value.chars().any(char::is_control) {
            problems.add(
                place(),
                format!("the value of `{name}` is empty, or has control characters"),
                "write the value that the provider asks for, or remove the parameter",
            );
        } else if name == "prompt" && value.split(' ').any(|word| word == "none") {
            problems.add(
                place(),
                "with `prompt` = `none` the provider does not show a page, so nobody can sign in",
                "remove it, or write `login`, `consent` or `select_account`",
            );
        }
    }
}

/// What the policy asks for how people sign in. The question goes through the browser, so it only counts if the answer is
/// checked.
fn check_enforced(
    document: &CodeFlowDocument,
    endpoint: Option<&FetchUrl>,
    issuer: Option<&IssuerDocument>,
    place: &Place,
    problems: &mut Problems,
) {
    let in_address = |name: &str| endpoint.is_some_and(|url| parameters_of(url).any(|other| other == name));
    let of = |name: &str| place.then("authorization_parameters").then(name);
    let max_age = document.authorization_parameters.get("max_age");
    if max_age
        .is_some_and(|age| !age.bytes().all(|byte| byte.is_ascii_digit()) || age.parse::<u32>().is_err())
    {
        problems.add(
            of("max_age"),
            "`max_age` is not a number of seconds",
            "write digits, such as `\"3600\"`",
        );
    }
    if in_address("max_age") {
        problems.add(
            place.then("authorization_endpoint"),
            "`max_age` in the query of this address is not checked in the answer",
            "write it in `authorization_parameters`, where it is",
        );
    }
    let asks_acr = document.authorization_parameters.contains_key("acr_values");
    if (asks_acr || in_address("acr_values"))
        && issuer.is_some_and(|issuer| !issuer.required.contains_key("acr"))
    {
        let place = if asks_acr { of("acr_values") } else { place.then("authorization_endpoint") };
        problems.add(
            place,
            "`acr_values` is only a wish, which a person can take out of the address, and no token is checked for it",
            "add `required = { acr = \"...\" }` to the issuer, or remove it",
        );
    }
}

/// What only means something with `end_session_endpoint`.
fn check_end_session(document: &CodeFlowDocument, place: &Place, problems: &mut Problems) {
    if document.end_session_endpoint.is_some() {
        return;
    }
    for (member, is_set) in [
        ("end_session", document.end_session != Default::default()),
        ("id_token_hint", document.id_token_hint),
    ] {
        if is_set {
            problems.add(
                place.then(member),
                format!("`{member}` is about `end_session_endpoint`, which is not there"),
                "add `end_session_endpoint`, or remove this",
            );
        }
    }
}

/// The paths that the function answers itself. They are compared with the path of a request as it is sent.
fn check_paths(document: &CodeFlowDocument, place: &Place, problems: &mut Problems) {
    let fixed = [SESSION_PATH, REFRESH_PATH, SIGNED_OUT_PATH];
    for (member, path) in
        [("redirect_path", &document.redirect_path), ("sign_out_path", &document.sign_out_path)]
    {
        let place = place.then(member);
        let key = ObjectKey::from_uri(path);
        let message = match key {
            Err(KeyError::Missing) if path == "/" => "`/` is the path of a listing of the bucket".to_owned(),
            Err(KeyError::Missing) => {
                format!("`{}` is not a path: it does not begin with `/`", path.escape_debug())
            }
            Err(error) => format!("`{}` is not a path of an object: {error}", path.escape_debug()),
            Ok(key) if key.to_uri() != *path => {
                format!("`{}` is another spelling of the path `{}`", path.escape_debug(), key.to_uri())
            }
            Ok(_) if fixed.contains(&path.as_str()) => format!("`{path}` has another meaning"),
            Ok(_) if member == "sign_out_path" && *path == document.redirect_path => {
                format!("`{path}` is `redirect_path` too")
            }
            Ok(_) => continue,
        };
        let example = if member == "redirect_path" { "/.auth/callback" } else { "/.auth/sign-out" };
        problems.add(
            place,
            message,
            format!(
                "write a path of the distribution that no object has, such as `{member} = \"{example}\"`"
            ),
        );
    }
}

/// The cookie of the session. Its absence is a problem of `[sign_in]` as such.
fn check_cookie(policy: &PolicyDocument, problems: &mut Problems) {
    let Some(name) = &policy.credentials.cookie else { return };
    let message = match name {
        name if !name.starts_with(HOST_PREFIX) || name == HOST_PREFIX => format!(
            "another host of the domain could set the cookie `{}`, and so sign people in as somebody else",
            name.escape_debug()
        ),
        name if name.contains('*') => {
            format!("`{}` is a pattern, and the sign-in sets one cookie", name.escape_debug())
        }
        name if name.starts_with(OWN_PREFIX) => {
            format!("the sign-in has cookies of its own that begin with `{OWN_PREFIX}`")
        }
        name if name.len() > MAX_COOKIE_NAME => {
            format!("the name of the cookie has {} characters, more than {MAX_COOKIE_NAME}", name.len())
        }
        _ => return,
    };
    problems.add(
        Place::member("credentials").then("cookie"),
        message,
        "write `cookie = \"__Host-session\"`: a name that begins with `__Host-`, without `*`",
    );
}

/// What the policy asks of a request's token, and the token of this client's sign-in never has: each session would be
/// refused.
fn check_session_token(
    document: &CodeFlowDocument,
    issuer: &IssuerDocument,
    index: usize,
    place: &Place,
    problems: &mut Problems,
) {
    let client = &document.client_id;
    let of_issuer = Place::member("issuers").at(index);
    let required_use = match issuer.required.get("token_use") {
        Some(Scalar::String(word)) => Some(word.as_str()),
        Some(Scalar::Integer(_) | Scalar::Boolean(_)) | None => None,
    };
    match document.session_token {
        SessionToken::IdToken => {
            if !issuer.audience.contains(client) {
                problems.add(
                    place.then("session_token"),
                    format!(
                        "the `aud` of an ID token is the client id, and `audience` of `{}` does not have it: each \
                         session would be refused",
                        issuer.name.escape_debug()
                    ),
                    format!(
                        "add `\"{}\"` to `audience` of the issuer, or remove `session_token` if its access tokens are JWTs",
                        client.escape_debug()
                    ),
                );
            }
            if !issuer.client_id.is_empty() {
                problems.add(
                    of_issuer.then("client_id"),
                    "an ID token does not have the claim `client_id`, so each session would be refused",
                    "remove `client_id`, and write the client id in `audience`",
                );
            }
            if let Some(typ) = issuer.token_type.as_deref().filter(|typ| is_access_type(typ)) {
                problems.add(
                    of_issuer.then("token_type"),
                    format!(
                        "an ID token does not have the `typ` `{}`, so each session would be refused",
                        typ.escape_debug()
                    ),
                    "remove `token_type`, or remove `session_token` so that the session is the access token",
                );
            }
        }
        SessionToken::AccessToken => {
            if !issuer.client_id.is_empty() && !issuer.client_id.contains(client) {
                problems.add(
                    of_issuer.then("client_id"),
                    format!(
                        "`client_id` does not have `{}`, whose tokens the sign-in gets: each session would be refused",
                        client.escape_debug()
                    ),
                    "add it here, or sign in as one of these clients",
                );
            }
        }
    }
    let other = match document.session_token {
        SessionToken::IdToken => ("access", "the session is an ID token"),
        SessionToken::AccessToken => ("id", "the session is an access token"),
    };
    if required_use == Some(other.0) {
        problems.add(
            of_issuer.then("required").then("token_use"),
            format!("{}, so with this each session would be refused", other.1),
            "change it, or `session_token` of `[sign_in]`",
        );
    }
}

/// RFC 9068 section 2.1, with the prefix that RFC 7515 section 4.1.9 lets out.
fn is_access_type(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    matches!(typ.strip_prefix("application/").unwrap_or(&typ), "at+jwt")
}

fn compile_cookie_keys(
    document: &CodeFlowDocument,
    place: &Place,
    problems: &mut Problems,
) -> Option<Vec<[u8; 32]>> {
    let key = compile_cookie_key(&document.cookie_key, &place.then("cookie_key"), problems);
    let Some(previous) = &document.previous_cookie_key else { return Some(vec![key?]) };
    let place = place.then("previous_cookie_key");
    let previous = compile_cookie_key(previous, &place, problems);
    if key.is_some() && key == previous {
        problems.add(
            place,
            "`previous_cookie_key` is the same key as `cookie_key`",
            "make a new key with `authorizer keys cookie-key --out NAME.key`, or remove this",
        );
    }
    Some(vec![key?, previous?])
}

fn compile_cookie_key(secret: &SecretDocument, place: &Place, problems: &mut Problems) -> Option<[u8; 32]> {
    let bytes = read_secret(secret, place, problems)?;
    let found = bytes.len();
    let key = <[u8; 32]>::try_from(bytes).ok();
    if key.is_none() {
        problems.add(
            place.clone(),
            format!("a key for cookies is 32 bytes in base64url, and this is {found}"),
            "name the whole file that `authorizer keys cookie-key --out NAME.key` wrote: a new key ends everybody's session",
        );
    }
    key
}

/// How the function proves that it is the client. A public client has PKCE alone.
fn compile_client(
    document: &CodeFlowDocument,
    place: &Place,
    problems: &mut Problems,
) -> Option<ClientAuthentication> {
    if document.client_secret.is_none() && document.client_authentication.is_some() {
        problems.add(
            place.then("client_authentication"),
            "`client_authentication` says how a `client_secret` is sent, and there is none",
            "add `client_secret = { file = \"client.secret\" }`, or remove this",
        );
    }
    match (&document.client_secret, &document.client_key) {
        (None, None) => Some(ClientAuthentication::None),
        (Some(_), Some(_)) => {
            problems.add(
                place.then("client_key"),
                "a client has either a secret or a key",
                "remove `client_secret` or `client_key`, as the provider knows the client",
            );
            None
        }
        (Some(secret), None) => {
            let place = place.then("client_secret");
            let bytes = read_secret(secret, &place, problems)?;
            // RFC 6749 appendix A.2.
            let is_plain =
                |bytes: &[u8]| !bytes.is_empty() && bytes.iter().all(|byte| matches!(byte, 0x20..=0x7e));
            let Some(text) = String::from_utf8(bytes).ok().filter(|text| is_plain(text.as_bytes())) else {
                problems.add(
                    place,
                    "the client secret is empty, or has characters that no client secret has",
                    "put the secret that the provider shows into the file, on one line",
                );
                return None;
            };
            Some(match document.client_authentication {
                None | Some(ClientSecretMethod::ClientSecretBasic) => ClientAuthentication::SecretBasic(text),
                Some(ClientSecretMethod::ClientSecretPost) => ClientAuthentication::SecretPost(text),
            })
        }
        (None, Some(key)) => {
            let place = place.then("client_key");
            let bytes = read_secret(key, &place, problems)?;
            let text = String::from_utf8(bytes).unwrap_or_default();
            match ClientKey::parse(&text) {
                Ok(_) => Some(ClientAuthentication::PrivateKeyJwt(text)),
                Err(error) => {
                    problems.add(
                        place,
                        format!("the client's key cannot be used: {error}"),
                        "put one private key into the file, as a JWK in JSON: EC on P-256 (ES256), or RSA (RS256)",
                    );
                    None
                }
            }
        }
    }
}

/// The bytes of a secret, as a bundle has them.
fn read_secret(secret: &SecretDocument, place: &Place, problems: &mut Problems) -> Option<Vec<u8>> {
    let (message, remedy) = match (&secret.file, &secret.value) {
        (None, Some(value)) => match URL_SAFE_NO_PAD.decode(value) {
            Ok(bytes) => return Some(bytes),
            Err(_) => ("the secret is not in base64url", "package the policy with `authorizer package`"),
        },
        (Some(_), None) => ("the file was not read", "package the policy with `authorizer package`"),
        (None, None) | (Some(_), Some(_)) => {
            ("a secret must come from one file", "write `{ file = \"NAME\" }`")
        }
    };
    problems.add(place.clone(), message, remedy);
    None
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::compiled::Policy;
    use super::*;

    /// Base64url of 32 bytes.
    fn key(byte: u8) -> Value {
        json!({"value": URL_SAFE_NO_PAD.encode([byte; 32])})
    }

    fn text(text: &str) -> Value {
        json!({"value": URL_SAFE_NO_PAD.encode(text)})
    }

    fn document() -> Value {
        json!({
            "version": 1,
            "issuers": [{
                "name": "staff",
                "issuer": "https://login.example.com/",
                "audience": ["files-api"],
                "algorithms": ["EdDSA"],
                "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a",
                    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}
            }],
            "credentials": {"cookie": "__Host-session"},
            "sign_in": {
                "issuer": "staff",
                "client_id": "files-web",
                "origin": "https://files.example.com",
                "authorization_endpoint": "https://login.example.com/authorize?tenant=a",
                "token_endpoint": "https://login.example.com/token",
                "cookie_key": key(7)
            },
            "rules": [{"id": "own", "effect": "allow", "methods": ["GET"], "keys": ["users/{sub}/**"]}]
        })
    }

    fn compile(document: &Value) -> Result<Policy, Vec<String>> {
        let document: PolicyDocument = serde_json::from_value(document.clone()).unwrap();
        Policy::compile(&document)
            .map_err(|problems| problems.iter().map(|problem| problem.place.to_string()).collect())
    }

    /// The places of the problems after some changes, each a pointer and a value.
    fn problems(changes: &[(&str, Value)]) -> Vec<String> {
        let mut document = document();
        for (pointer, value) in changes {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            document.pointer_mut(parent).unwrap()[name] = value.clone();
        }
        compile(&document).err().unwrap_or_default()
    }

    #[test]
    fn a_flow_has_its_defaults() {
        let policy = compile(&document()).unwrap();
        let flow = policy.sign_in().unwrap().code_flow().unwrap();
        assert_eq!(flow.scopes(), ["openid"]);
        assert_eq!((flow.redirect_path(), flow.sign_out_path()), ("/.auth/callback", "/.auth/sign-out"));
        assert_eq!(flow.session_seconds(), 43_200);
        assert_eq!(flow.client_authentication().name(), "none");
        let shown = format!("{policy:?}");
        assert!(!shown.contains("BwcH") && !shown.contains("7, 7, 7"), "{shown}");
    }

    #[test]
    fn every_problem_of_a_flow_is_found_at_its_place() {
        for (member, value, place) in [
            ("issuer", json!("nobody"), Some("sign_in.issuer")),
            ("client_id", json!(""), Some("sign_in.client_id")),
            ("client_id", json!("files web"), Some("sign_in.client_id")),
            ("client_id", json!("1234-a.apps.googleusercontent.com"), None),
            ("origin", json!("https://files.example.com/"), Some("sign_in.origin")),
            ("origin", json!("http://files.example.com"), Some("sign_in.origin")),
            ("origin", json!("http://localhost:8080"), None),
            ("scopes", json!(["openid", "files.read"]), None),
            ("scopes", json!(["files"]), Some("sign_in.scopes")),
            ("scopes", json!([]), Some("sign_in.scopes")),
            ("scopes", json!(["openid", "openid"]), Some("sign_in.scopes[1]")),
            ("scopes", json!(["openid", "a b"]), Some("sign_in.scopes[1]")),
            ("scopes", json!(["openid", ""]), Some("sign_in.scopes[1]")),
            (
                "authorization_endpoint",
                json!("http://login.example.com/a"),
                Some("sign_in.authorization_endpoint"),
            ),
            (
                "authorization_endpoint",
                json!("https://a.example/a?state=b"),
                Some("sign_in.authorization_endpoint"),
            ),
            (
                "authorization_endpoint",
                json!("https://a.example/a?b&nonce"),
                Some("sign_in.authorization_endpoint"),
            ),
            (
                "authorization_endpoint",
                json!("https://a.example/a#b"),
                Some("sign_in.authorization_endpoint"),
            ),
            ("token_endpoint", json!("login.example.com/token"), Some("sign_in.token_endpoint")),
            ("token_endpoint", json!("https://a.example/token?p=b2c_1"), None),
            ("token_endpoint", json!("https://a.example/token?code=b"), Some("sign_in.token_endpoint")),
            ("token_endpoint", json!("http://127.0.0.1:4000/token"), None),
            ("end_session_endpoint", json!("ftp://a.example"), Some("sign_in.end_session_endpoint")),
            (
                "end_session_endpoint",
                json!("https://a.example/?client_id=b"),
                Some("sign_in.end_session_endpoint"),
            ),
            ("end_session_endpoint", json!("https://a.example/logout"), None),
            ("end_session", json!("cognito"), Some("sign_in.end_session")),
            ("id_token_hint", json!(true), Some("sign_in.id_token_hint")),
            ("authorization_parameters", json!({"audience": "files-api", "ui_locales": "de"}), None),
            (
                "authorization_parameters",
                json!({"state": "a"}),
                Some("sign_in.authorization_parameters.state"),
            ),
            (
                "authorization_parameters",
                json!({"request": "a"}),
                Some("sign_in.authorization_parameters.request"),
            ),
            (
                "authorization_parameters",
                json!({"tenant": "b"}),
                Some("sign_in.authorization_parameters.tenant"),
            ),
            ("authorization_parameters", json!({"max_age": "3600"}), None),
            (
                "authorization_parameters",
                json!({"max_age": "1h"}),
                Some("sign_in.authorization_parameters.max_age"),
            ),
            (
                "authorization_parameters",
                json!({"max_age": "+1"}),
                Some("sign_in.authorization_parameters.max_age"),
            ),
            (
                "authorization_parameters",
                json!({"acr_values": "urn:mfa"}),
                Some("sign_in.authorization_parameters.acr_values"),
            ),
            (
                "authorization_endpoint",
                json!("https://login.example.com/a?acr_values=x"),
                Some("sign_in.authorization_endpoint"),
            ),
            (
                "authorization_endpoint",
                json!("https://login.example.com/a?max_age=1"),
                Some("sign_in.authorization_endpoint"),
            ),
            ("authorization_parameters", json!({"a b": "c"}), Some("sign_in.authorization_parameters.a b")),
            ("authorization_parameters", json!({"a": ""}), Some("sign_in.authorization_parameters.a")),
            (
                "authorization_parameters",
                json!({"client_secret": "a"}),
                Some("sign_in.authorization_parameters.client_secret"),
            ),
            (
                "authorization_parameters",
                json!({"prompt": "none"}),
                Some("sign_in.authorization_parameters.prompt"),
            ),
            ("authorization_parameters", json!({"prompt": "select_account"}), None),
            ("redirect_path", json!("/"), Some("sign_in.redirect_path")),
            ("redirect_path", json!("callback"), Some("sign_in.redirect_path")),
            ("redirect_path", json!("/a?b"), Some("sign_in.redirect_path")),
            ("redirect_path", json!("/%61"), Some("sign_in.redirect_path")),
            ("redirect_path", json!("/a/../b"), Some("sign_in.redirect_path")),
            ("redirect_path", json!("/a b"), Some("sign_in.redirect_path")),
            ("redirect_path", json!("/.auth/session"), Some("sign_in.redirect_path")),
            ("redirect_path", json!("/.auth/sign-out"), Some("sign_in.sign_out_path")),
            ("redirect_path", json!("/parseauth"), None),
            ("sign_out_path", json!("/.auth/refresh"), Some("sign_in.sign_out_path")),
            ("session_seconds", json!(299), Some("sign_in.session_seconds")),
            ("session_seconds", json!(300), None),
            ("session_seconds", json!(2_592_000), None),
            ("session_seconds", json!(2_592_001), Some("sign_in.session_seconds")),
            ("cookie_key", json!({"file": "a"}), Some("sign_in.cookie_key")),
            ("cookie_key", text("too short"), Some("sign_in.cookie_key")),
            ("cookie_key", json!({"value": "no base64url!"}), Some("sign_in.cookie_key")),
            ("previous_cookie_key", key(8), None),
            ("previous_cookie_key", key(7), Some("sign_in.previous_cookie_key")),
            ("client_authentication", json!("client_secret_post"), Some("sign_in.client_authentication")),
            ("client_secret", text("a secret"), None),
            ("client_secret", text(""), Some("sign_in.client_secret")),
            ("client_secret", text("two\nlines"), Some("sign_in.client_secret")),
            ("client_key", text("{}"), Some("sign_in.client_key")),
            ("session_token", json!("id_token"), Some("sign_in.session_token")),
        ] {
            let found = problems(&[(&format!("/sign_in/{member}"), value.clone())]);
            assert_eq!(found, place.into_iter().collect::<Vec<_>>(), "{member} = {value}");
        }
        for (cookie, place) in [
            (json!("session"), Some("credentials.cookie")),
            (json!("__Secure-session"), Some("credentials.cookie")),
            (json!("__host-session"), Some("credentials.cookie")),
            (json!("__Host-"), Some("credentials.cookie")),
            (json!("__Host-a.*.b"), Some("credentials.cookie")),
            (json!("__Host-authorizer-back"), Some("credentials.cookie")),
            (json!(format!("__Host-{}", "a".repeat(122))), Some("credentials.cookie")),
            (json!("__Host-a"), None),
            (Value::Null, Some("sign_in")),
        ] {
            let found = problems(&[("/credentials/cookie", cookie.clone())]);
            assert_eq!(found, place.into_iter().collect::<Vec<_>>(), "{cookie}");
        }
    }

    #[test]
    fn a_session_that_the_issuer_would_always_refuse_is_a_problem() {
        let id_token = ("/sign_in/session_token", json!("id_token"));
        let audience = ("/issuers/0/audience", json!(["files-api", "files-web"]));
        for (changes, places) in [
            (vec![id_token.clone(), audience.clone()], vec![]),
            (vec![id_token.clone()], vec!["sign_in.session_token"]),
            (
                vec![id_token.clone(), audience.clone(), ("/issuers/0/client_id", json!(["files-web"]))],
                vec!["issuers[0].client_id"],
            ),
            (
                vec![id_token.clone(), audience.clone(), ("/issuers/0/token_type", json!("AT+jwt"))],
                vec!["issuers[0].token_type"],
            ),
            (vec![id_token.clone(), audience.clone(), ("/issuers/0/token_type", json!("JWT"))], vec![]),
            (
                vec![id_token, audience, ("/issuers/0/required", json!({"token_use": "access"}))],
                vec!["issuers[0].required.token_use"],
            ),
            (vec![("/issuers/0/required", json!({"token_use": "access"}))], vec![]),
            (
                vec![("/issuers/0/required", json!({"token_use": "id"}))],
                vec!["issuers[0].required.token_use"],
            ),
            (vec![("/issuers/0/client_id", json!(["files-web"]))], vec![]),
            (vec![("/issuers/0/client_id", json!(["another"]))], vec!["issuers[0].client_id"]),
        ] {
            assert_eq!(problems(&changes), places, "{changes:?}");
        }
    }

    #[test]
    fn what_is_asked_of_the_sign_in_is_checked_in_the_token() {
        let asked = ("/sign_in/authorization_parameters", json!({"acr_values": "urn:mfa"}));
        let checked = ("/issuers/0/required", json!({"acr": "urn:mfa"}));
        assert_eq!(problems(&[asked, checked]), Vec::<String>::new());
    }

    #[test]
    fn people_sign_in_at_an_issuer_with_published_keys() {
        let mut document = document();
        let issuer = document["issuers"][0].as_object_mut().unwrap();
        issuer.remove("jwks");
        issuer.insert("secret".to_owned(), key(1));
        issuer.insert("algorithms".to_owned(), json!(["HS256"]));
        assert_eq!(compile(&document).unwrap_err(), ["sign_in.issuer"]);
    }

    #[test]
    fn a_client_has_one_way_to_prove_itself() {
        // RFC 7517 appendix A.2.
        let jwk = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}"#;
        let secret = ("/sign_in/client_secret", text("a secret"));
        let method = |word: &str| ("/sign_in/client_authentication", json!(word));
        let by_key = ("/sign_in/client_key", text(jwk));
        for (changes, expected) in [
            (vec![secret.clone()], Ok("client_secret_basic")),
            (vec![secret.clone(), method("client_secret_basic")], Ok("client_secret_basic")),
            (vec![secret.clone(), method("client_secret_post")], Ok("client_secret_post")),
            (vec![by_key.clone()], Ok("private_key_jwt")),
            (vec![by_key.clone(), method("client_secret_post")], Err("sign_in.client_authentication")),
            (vec![by_key, secret], Err("sign_in.client_key")),
        ] {
            let mut document = document();
            for (pointer, value) in &changes {
                let (parent, name) = pointer.rsplit_once('/').unwrap();
                document.pointer_mut(parent).unwrap()[name] = value.clone();
            }
            let compiled = compile(&document);
            let name = compiled
                .as_ref()
                .map(|policy| policy.sign_in().unwrap().code_flow().unwrap().client_authentication().name());
            let places = name.map_err(|places| places.join(" "));
            assert_eq!(places, expected.map_err(str::to_owned), "{changes:?}");
        }
    }
}
