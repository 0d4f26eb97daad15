//! How the function proves to the token endpoint that it is the client (RFC 6749 section 2.3, RFC 7523 section 2.2,
//! OpenID Connect Core 1.0 section 9).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPairComponents;
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::json;

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

/// These parameters, and those with which the client proves who it is. `None` if its key cannot sign.
pub(super) fn form(
    flow: &CodeFlow,
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
            assertion = assert(key, id, flow.token_endpoint.as_str(), &random.text()?, now)?;
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

/// A private key, as a JWK (RFC 7518 sections 6.2.2 and 6.3.2).
#[derive(Deserialize)]
#[serde(tag = "kty")]
enum PrivateJwk {
    #[serde(rename = "EC")]
    P256 { x: String, y: String, d: String, kid: Option<String> },
    #[serde(rename = "RSA")]
    Rsa {
        n: String,
        e: String,
        d: String,
        p: String,
        q: String,
        #[serde(rename = "dp")]
        exponent_p: String,
        #[serde(rename = "dq")]
        exponent_q: String,
        #[serde(rename = "qi")]
        coefficient: String,
        kid: Option<String>,
    },
}

/// A key that can sign.
enum SigningKey {
    P256(EcdsaKeyPair),
    Rsa(Box<RsaKeyPair>),
}

/// RFC 7523 section 3: `iss` and `sub` are the client, and `aud` is the token endpoint.
fn assert(jwk: &str, client: &str, audience: &str, id: &str, now: UnixTime) -> Option<String> {
    let (key, key_id) = SigningKey::parse(jwk)?;
    let mut header = json!({"alg": key.algorithm(), "typ": "JWT"});
    if let (Some(key_id), Some(header)) = (key_id, header.as_object_mut()) {
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

/// Whether this text is the JWK of a private key that can sign here: for ES256, or for RS256 with all its numbers.
pub(crate) fn is_client_key(jwk: &str) -> bool {
    SigningKey::parse(jwk).is_some()
}

impl SigningKey {
    /// The key, and its id.
    fn parse(jwk: &str) -> Option<(Self, Option<String>)> {
        let decode = |text: &String| URL_SAFE_NO_PAD.decode(text).ok();
        match serde_json::from_str(jwk).ok()? {
            PrivateJwk::P256 { x, y, d, kid } => {
                let point = [vec![4], decode(&x)?, decode(&y)?].concat();
                let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let key = EcdsaKeyPair::from_private_key_and_public_key(algorithm, &decode(&d)?, &point);
                Some((Self::P256(key.ok()?), kid))
            }
            PrivateJwk::Rsa { n, e, d, p, q, exponent_p, exponent_q, coefficient, kid } => {
                let components = KeyPairComponents {
                    public_key: PublicKeyComponents { n: decode(&n)?, e: decode(&e)? },
                    d: decode(&d)?,
                    p: decode(&p)?,
                    q: decode(&q)?,
                    dP: decode(&exponent_p)?,
                    dQ: decode(&exponent_q)?,
                    qInv: decode(&coefficient)?,
                };
                let key = RsaKeyPair::from_components(&components).ok()?;
                // RFC 7518 section 3.3.
                (key.public_modulus_len() >= 256).then(|| (Self::Rsa(Box::new(key)), kid))
            }
        }
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::P256(_) => "ES256",
            Self::Rsa(_) => "RS256",
        }
    }

    fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::P256(key) => key.sign(&random, message).ok().map(|signature| signature.as_ref().to_vec()),
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).ok()?;
                Some(signature)
            }
        }
    }
}
