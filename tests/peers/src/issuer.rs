//! The issuer of the tokens, with two new keys: one for RS256, of 2,048 bits, and one for ES256.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use authorizer_e2e::binaries::run;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// The issuer of `policy.toml`, which the peers' handlers trust, too.
pub struct Issuer {
    rs256: (EncodingKey, String),
    es256: (EncodingKey, String),
    keys: PathBuf,
    jwks: PathBuf,
    now: u64,
}

/// The fault of a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Its signature is not valid.
    Forged,
    /// It expired an hour ago.
    Expired,
    /// It is for another service.
    Audience,
    /// It is from another issuer, which has the key.
    Issuer,
}

impl Issuer {
    /// Makes the keys, in the subfolder `keys`.
    pub fn new(folder: &Path) -> Self {
        let keys = folder.join("keys");
        let make = |name: &str, algorithm: &str| {
            keygen(&keys, name, algorithm);
            let set: Value =
                serde_json::from_slice(&fs::read(keys.join(format!("{name}.jwks.json"))).unwrap()).unwrap();
            let key = set["keys"][0].clone();
            (fs::read(keys.join(format!("{name}.private.pem"))).unwrap(), key)
        };
        let (rs256, first) = make("rs256", "RS256");
        let (es256, second) = make("es256", "ES256");
        let id = |key: &Value| key["kid"].as_str().unwrap().to_owned();
        let ids = (id(&first), id(&second));
        let jwks = keys.join("login.jwks.json");
        fs::write(&jwks, json!({"keys": [first, second]}).to_string()).unwrap();
        Self {
            rs256: (EncodingKey::from_rsa_pem(&rs256).unwrap(), ids.0),
            es256: (EncodingKey::from_ec_pem(&es256).unwrap(), ids.1),
            keys,
            jwks,
            now: SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs(),
        }
    }

    /// Makes the key of another issuer in the same folder, unless it is there.
    pub fn add_other(&self, name: &str) {
        if !self.keys.join(format!("{name}.jwks.json")).exists() {
            keygen(&self.keys, name, "ES256");
        }
    }

    /// The file of its public keys.
    pub fn jwks(&self) -> &Path {
        &self.jwks
    }

    /// An RS256 token of a user, valid for a day. Each number gives another token.
    pub fn token(&self, subject: &str, number: usize, fault: Fault) -> String {
        self.sign(Algorithm::RS256, subject, number, fault)
    }

    /// The same with this algorithm, RS256 or ES256.
    pub fn sign(&self, algorithm: Algorithm, subject: &str, number: usize, fault: Fault) -> String {
        let (key, key_id) = if algorithm == Algorithm::ES256 { &self.es256 } else { &self.rs256 };
        let expires = if fault == Fault::Expired { self.now - 3600 } else { self.now + 86_400 };
        let claims = json!({
            "iss": if fault == Fault::Issuer { "https://other.example.com/" } else { "https://login.example.com/" },
            "sub": subject,
            "aud": if fault == Fault::Audience { "other-api" } else { "files-api" },
            "client_id": "5f0c2d6e",
            "scope": "openid profile files",
            "iat": self.now - 7200,
            "exp": expires,
            "jti": format!("01890a5d-ac96-774b-bcce-{number:012x}"),
        });
        let mut header = Header::new(algorithm);
        header.kid = Some(key_id.clone());
        header.typ = Some("at+jwt".to_owned());
        let token = jsonwebtoken::encode(&header, &claims, key).unwrap();
        if fault == Fault::Forged { forged(&token) } else { token }
    }
}

fn keygen(keys: &Path, name: &str, algorithm: &str) {
    run(["token", "keygen", name, "--algorithm", algorithm, "--dir", keys.to_str().unwrap()]);
}

/// The token with one letter of its signature changed: it is well-formed, and takes as long to verify as a valid one.
pub fn forged(token: &str) -> String {
    let (before, last) = token.split_at(token.len() - 10);
    let (letter, after) = last.split_at(1);
    format!("{before}{}{after}", if letter == "A" { "B" } else { "A" })
}
