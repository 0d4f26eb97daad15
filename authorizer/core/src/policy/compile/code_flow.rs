//! `[sign_in]` with `issuer`: the code flow.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::document::{ClientSecretMethod, CodeFlowDocument, PolicyDocument, SecretDocument};
use super::super::problem::{Place, Problems};
use crate::fetch_url::FetchUrl;
use crate::sign_in::code_flow::{ClientAuthentication, CodeFlow};

pub(super) fn compile_code_flow(
    document: &CodeFlowDocument,
    policy: &PolicyDocument,
    problems: &mut Problems,
) -> Option<CodeFlow> {
    let place = Place::member("sign_in");
    let issuer = policy.issuers.iter().position(|issuer| issuer.name == document.issuer);
    if issuer.is_none() {
        problems.add(
            place.then("issuer"),
            format!("no issuer has the name `{}`", document.issuer.escape_debug()),
            "write the `name` of an `[[issuers]]` block",
        );
    }
    let mut url = |member: &'static str, text: &str| {
        let url = FetchUrl::parse(text);
        if let Err(error) = &url {
            problems.add(
                place.then(member),
                format!("`{}`: {error}", text.escape_debug()),
                "write the address that the provider's metadata has",
            );
        }
        url.ok()
    };
    let authorization_endpoint = url("authorization_endpoint", &document.authorization_endpoint);
    let token_endpoint = url("token_endpoint", &document.token_endpoint);
    let end_session = document.end_session_endpoint.as_ref().map(|text| url("end_session_endpoint", text));
    let key = key_of(&document.cookie_key, &place.then("cookie_key"), problems);
    let previous = document
        .previous_cookie_key
        .as_ref()
        .map(|secret| key_of(secret, &place.then("previous_cookie_key"), problems));
    let text = |secret: &SecretDocument| {
        secret
            .value
            .as_ref()
            .and_then(|value| URL_SAFE_NO_PAD.decode(value).ok())
            .and_then(|bytes| String::from_utf8(bytes).ok())
    };
    let client_authentication = match (&document.client_secret, &document.client_key) {
        (None, None) => ClientAuthentication::None,
        (Some(secret), _) => match document.client_authentication {
            None | Some(ClientSecretMethod::ClientSecretBasic) => {
                ClientAuthentication::SecretBasic(text(secret)?)
            }
            Some(ClientSecretMethod::ClientSecretPost) => ClientAuthentication::SecretPost(text(secret)?),
        },
        (None, Some(key)) => ClientAuthentication::PrivateKeyJwt(text(key)?),
    };
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
        cookie_keys: match previous {
            None => vec![key?],
            Some(previous) => vec![key?, previous?],
        },
        client_authentication,
    })
}

fn key_of(secret: &SecretDocument, place: &Place, problems: &mut Problems) -> Option<[u8; 32]> {
    let bytes = secret.value.as_ref().and_then(|value| URL_SAFE_NO_PAD.decode(value).ok());
    let key = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    if key.is_none() {
        problems.add(
            place.clone(),
            "a key for cookies has 32 random bytes",
            "make the file with `authorizer keys cookie-key --out NAME.key`",
        );
    }
    key
}
