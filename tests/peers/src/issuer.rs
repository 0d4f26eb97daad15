//! The issuer of the tokens: RS256 with a new key of 2,048 bits.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use authorizer_e2e::binaries::run;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// The issuer of `policy.toml`, which the peers' handlers trust, too.
pub struct Issuer {
    key: EncodingKey,
    key_id: String,
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
    /// Makes the key, in the subfolder `keys`.
    pub fn new(folder: &Path) -> Self {
        let keys = folder.join("keys");
        run(["token", "keygen", "login", "--algorithm", "RS256", "--dir", keys.to_str().unwrap()]);
        let jwks = keys.join("login.jwks.json");
        let set: Value = serde_json::from_slice(&fs::read(&jwks).unwrap()).unwrap();
        let pem = fs::read(keys.join("login.private.pem")).unwrap();
        Self {
            key: EncodingKey::from_rsa_pem(&pem).unwrap(),
            key_id: set["keys"][0]["kid"].as_str().unwrap().to_owned(),
            jwks,
            now: SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs(),
        }
    }

    /// The file of its public key.
    pub fn jwks(&self) -> &Path {
        &self.jwks
    }

    /// A token of a user, valid for a day. Each number gives another token.
    pub fn token(&self, subject: &str, number: usize, fault: Fault) -> String {
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
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.key_id.clone());
        header.typ = Some("at+jwt".to_owned());
        let token = jsonwebtoken::encode(&header, &claims, &self.key).unwrap();
        if fault == Fault::Forged { forged(&token) } else { token }
    }
}

/// The token with one letter of its signature changed: it is well-formed, and takes as long to verify as a valid one.
pub fn forged(token: &str) -> String {
    let (before, last) = token.split_at(token.len() - 10);
    let (letter, after) = last.split_at(1);
    format!("{before}{}{after}", if letter == "A" { "B" } else { "A" })
}
