//! How the function proves to the token endpoint that it is the client (RFC 6749 section 2.3, RFC 7523 section 2.2,
//! OpenID Connect Core 1.0 section 9).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use super::client_key::ClientKey;
use super::random::Random;
use super::settings::{ClientAuthentication, CodeFlow};
use crate::query::{encode, encode_value};
use crate::time::UnixTime;

/// How long an assertion is valid, in seconds. It is sent at once.
const ASSERTION_SECONDS: u64 = 60;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a request to the token endpoint has: `Authorization`, and the body.
pub(super) struct Form {
    pub(super) authorization: Option<String>,
    pub(super) body: String,
}

/// These parameters, and those with which the client proves who it is. `None` if there are no random bytes.
pub(super) fn form(
    flow: &CodeFlow,
    issuer: &str,
    parameters: &[(&str, &str)],
    random: &Random<'_>,
    now: UnixTime,
) -> Option<Form> {
    let id = flow.client_id.as_str();
    let mut all = parameters.to_vec();
    let (mut authorization, assertion);
    authorization = None;
    match &flow.client_authentication {
        ClientAuthentication::None => all.push(("client_id", id)),
        ClientAuthentication::SecretBasic(secret) => authorization = Some(basic(id, secret)),
        ClientAuthentication::SecretPost(secret) => {
            all.extend([("client_id", id), ("client_secret", secret.as_str())]);
        }
        ClientAuthentication::PrivateKeyJwt(key) => {
            assertion = assert(key, id, issuer, &random.text()?, now)?;
            all.extend([
                ("client_id", id),
                ("client_assertion_type", ASSERTION_TYPE),
                ("client_assertion", assertion.as_str()),
            ]);
        }
    }
    Some(Form { authorization, body: encode(all) })
}

/// RFC 6749 section 2.3.1: each is encoded as in a form, and then both in base64 (RFC 7617).
fn basic(id: &str, secret: &str) -> String {
    let form = |text: &str| encode_value(text).replace("%20", "+");
    format!("Basic {}", STANDARD.encode(format!("{}:{}", form(id), form(secret))))
}

/// RFC 7523 section 3: `iss` and `sub` are the client. `aud` is the issuer's identifier alone, not the token endpoint: so
/// the draft of RFC 7523bis and FAPI 2.0, against another provider that has an assertion made for this one.
fn assert(key: &ClientKey, client: &str, audience: &str, id: &str, now: UnixTime) -> Option<String> {
    let mut header = json!({"alg": key.algorithm(), "typ": "JWT"});
    if let (Some(key_id), Some(header)) = (key.key_id(), header.as_object_mut()) {
        header.insert("kid".to_owned(), key_id.into());
    }
    let now = now.as_seconds();
    let claims = json!({
        "iss": client, "sub": client, "aud": audience, "jti": id,
        "iat": now, "exp": now.saturating_add(ASSERTION_SECONDS)
    });
    let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = key.sign(signed.as_bytes())?;
    Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}
