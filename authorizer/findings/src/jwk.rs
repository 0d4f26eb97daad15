//! One key of a JWK set, and whether a policy can use it.

use authorizer_core::token::{JwkError, KeyProblem, KeySet, SignatureAlgorithm};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use serde::Deserialize as _;
use serde_json::Value;

/// What a JWK says of itself (RFC 7517 section 4), and what the core makes of it.
#[derive(Debug)]
pub struct Key {
    /// Its `kid`.
    pub id: Option<String>,
    /// Its `kty`.
    pub kind: Option<String>,
    /// Its `crv`.
    pub curve: Option<String>,
    /// The length of an RSA key's modulus.
    pub bits: Option<usize>,
    /// Its own `alg`.
    pub algorithm: Option<String>,
    /// Its `use`.
    pub usage: Option<String>,
    /// RFC 7638, with SHA-256; of public keys of the kinds that are known here.
    pub thumbprint: Option<String>,
    /// Whether a policy can use it.
    pub standing: Standing,
}

/// Whether a policy can use a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Standing {
    /// For these algorithms.
    Usable(Vec<SignatureAlgorithm>),
    /// A policy passes it over (RFC 7517 section 5), for this reason.
    PassedOver(String),
    /// A policy with it is refused, for this reason.
    Refused(String),
}

impl Key {
    /// Reads one.
    pub fn of(jwk: &Value) -> Self {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str).map(str::to_owned);
        let standing = Standing::of(jwk);
        let public = !matches!(standing, Standing::Refused(_));
        let thumbprint = Jwk::deserialize(jwk).ok().filter(|_| public);
        Self {
            id: text("kid"),
            kind: text("kty"),
            curve: text("crv"),
            bits: text("n").and_then(|modulus| bit_length(&modulus)),
            algorithm: text("alg"),
            usage: text("use"),
            thumbprint: thumbprint.and_then(|jwk| jwk.thumbprint(ThumbprintHash::SHA256).ok()),
            standing,
        }
    }

    /// The algorithms that it may verify.
    pub fn algorithms(&self) -> &[SignatureAlgorithm] {
        match &self.standing {
            Standing::Usable(algorithms) => algorithms,
            Standing::PassedOver(_) | Standing::Refused(_) => &[],
        }
    }
}

impl Standing {
    /// Asks the core, algorithm by algorithm, so that it is never said otherwise here than there.
    fn of(jwk: &Value) -> Self {
        let set = std::slice::from_ref(jwk);
        match KeySet::from_jwks(set, &SignatureAlgorithm::ALL) {
            Ok(_) => {
                let fits = |algorithm: &SignatureAlgorithm| KeySet::from_jwks(set, &[*algorithm]).is_ok();
                Self::Usable(SignatureAlgorithm::ALL.into_iter().filter(fits).collect())
            }
            Err(JwkError::NoneUsable(skipped)) => Self::PassedOver(match skipped.first() {
                Some(key) => key.why.to_string(),
                None => why_passed_over(jwk),
            }),
            Err(JwkError::Private { parameter, .. }) => {
                Self::Refused(KeyProblem::Private(parameter).to_string())
            }
            // Of a set with one key, never.
            Err(error @ JwkError::TooMany(_)) => Self::Refused(error.to_string()),
        }
    }
}

/// What a key says it is for, in the order in which the core looks.
fn why_passed_over(jwk: &Value) -> String {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    match (text("use"), jwk.get("key_ops"), text("alg")) {
        (Some(usage), _, _) if usage != "sig" => format!("its `use` is `{usage}`, not `sig`"),
        (_, Some(Value::Array(operations)), _) if !operations.contains(&"verify".into()) => {
            "its `key_ops` has no `verify`".into()
        }
        (_, _, Some(algorithm)) => {
            format!("its `alg` is `{algorithm}`, which is not used here for such a key")
        }
        _ => "it is for no algorithm that is used here".into(),
    }
}

fn bit_length(modulus: &str) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(modulus).ok()?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let first = bytes.get(zeros)?;
    let whole = bytes.len().checked_sub(zeros)?.checked_mul(8)?;
    whole.checked_sub(usize::try_from(first.leading_zeros()).ok()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// RFC 7638 section 3.1.
    fn rfc7638() -> Value {
        json!({
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRX\
                  jBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs\
                  8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_\
                  xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB",
            "alg": "RS256",
            "kid": "2011-04-29",
        })
    }

    fn with(changes: Value) -> Value {
        let mut jwk = rfc7638();
        for (name, value) in changes.as_object().unwrap() {
            jwk[name] = value.clone();
        }
        jwk
    }

    #[test]
    fn the_key_of_rfc_7638_has_the_thumbprint_of_rfc_7638() {
        let key = Key::of(&rfc7638());
        assert_eq!(key.thumbprint.as_deref(), Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
        assert_eq!((key.id.as_deref(), key.bits), (Some("2011-04-29"), Some(2048)));
        assert_eq!(key.standing, Standing::Usable(vec![SignatureAlgorithm::Rs256]));
    }

    #[test]
    fn a_key_that_names_no_algorithm_is_for_all_of_its_kind() {
        let mut jwk = rfc7638();
        jwk.as_object_mut().unwrap().remove("alg");
        let names: Vec<_> = Key::of(&jwk).algorithms().iter().map(|algorithm| algorithm.name()).collect();
        assert_eq!(names, ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]);
    }

    #[test]
    fn what_a_policy_cannot_use_has_its_reason() {
        let p521 = json!({"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"});
        for (jwk, expected) in [
            (with(json!({"use": "enc"})), "its `use` is `enc`, not `sig`"),
            (with(json!({"key_ops": ["encrypt"]})), "its `key_ops` has no `verify`"),
            (
                with(json!({"alg": "RSA-OAEP"})),
                "its `alg` is `RSA-OAEP`, which is not used here for such a key",
            ),
            (with(json!({"alg": "ES256"})), "its `alg` is `ES256`, which is not used here for such a key"),
            (p521, "keys on the curve `P-521` are not used here"),
            (
                json!({"kty": "OKP", "crv": "X25519", "x": "AA"}),
                "keys on the curve `X25519` are not used here",
            ),
            (json!({"kty": "AKP", "alg": "ML-DSA-44"}), "keys of the kind `AKP` are not used here"),
        ] {
            let key = Key::of(&jwk);
            assert_eq!(key.standing, Standing::PassedOver(expected.into()), "{jwk}");
        }
        for (jwk, expected) in [
            (with(json!({"n": "AQAB"})), "it has 17 bits, not 2048 to 8192"),
            (with(json!({"n": 7})), "it is malformed"),
            (json!("RSA"), "it is malformed"),
            (with(json!({"e": "AA"})), "its numbers are not a valid public key"),
            (
                json!({"kty": "RSA", "x5c": ["MII"]}),
                "it has no `n`, and a certificate (`x5c`) alone is not read",
            ),
        ] {
            assert_eq!(Key::of(&jwk).standing, Standing::PassedOver(expected.into()), "{jwk}");
        }
        for (jwk, expected) in [
            (with(json!({"d": "AQAB"})), "it holds private key material (`d`)"),
            (json!({"kty": "oct", "k": "c2VjcmV0"}), "it holds private key material (`k`)"),
        ] {
            let key = Key::of(&jwk);
            assert_eq!(key.standing, Standing::Refused(expected.into()), "{jwk}");
            assert_eq!(key.thumbprint, None);
        }
    }
}
