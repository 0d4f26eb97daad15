//! The metadata of a provider: OpenID Connect Discovery 1.0, and RFC 8414 for providers without OpenID Connect.

use serde::Deserialize;

use super::error::KeysError;
use super::http::get;
use super::provider::Provider;
use authorizer_core::token::{KeysUrl, KeysUrlError};

/// Metadata that names the issuer that it was fetched for.
#[derive(Debug)]
pub(super) struct Metadata {
    /// Where it was found.
    pub(super) address: KeysUrl,
    /// Where the keys are.
    pub(super) jwks_uri: KeysUrl,
    /// The algorithms of its ID tokens. They stand for those of its access tokens too, because metadata does not have
    /// a field for them.
    pub(super) algorithms: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: Option<String>,
    id_token_signing_alg_values_supported: Option<Vec<String>>,
}

/// Reads an issuer as a person writes it.
pub(super) fn issuer(text: &str) -> Result<KeysUrl, KeysError> {
    let issuer = KeysUrl::parse(text).map_err(|error| KeysError::Address { text: text.to_owned(), error })?;
    if issuer.has_query() {
        return Err(KeysError::IssuerQuery { issuer: issuer.to_string() });
    }
    Ok(issuer)
}

impl Metadata {
    /// Fetches the address of OpenID Connect and, if that does not answer 200, the address of RFC 8414.
    pub(super) fn fetch(issuer: &KeysUrl) -> Result<Self, KeysError> {
        let [openid, oauth] =
            well_known(issuer).map_err(|error| KeysError::Address { text: issuer.to_string(), error })?;
        let (first, tried) = match get(&openid) {
            Ok(bytes) => return Self::read(issuer, openid, &bytes),
            Err(KeysError::Status { address, status }) => (address, status),
            Err(error) => return Err(error),
        };
        match get(&oauth) {
            Ok(bytes) => Self::read(issuer, oauth, &bytes),
            Err(KeysError::Status { address, status }) => Err(KeysError::NoMetadata {
                issuer: issuer.to_string(),
                tried: format!("`{first}` answers {tried}, and `{address}` answers {status}"),
            }),
            Err(error) => Err(error),
        }
    }

    fn read(asked: &KeysUrl, address: KeysUrl, bytes: &[u8]) -> Result<Self, KeysError> {
        let strange = |message: String| KeysError::Metadata { address: address.to_string(), message };
        let document: Document = serde_json::from_slice(bytes).map_err(|error| strange(error.to_string()))?;
        if document.issuer != asked.as_str() {
            let help = Provider::of(&document.issuer).why_other(asked.as_str(), &document.issuer);
            return Err(KeysError::OtherIssuer { asked: asked.to_string(), says: document.issuer, help });
        }
        let text = document.jwks_uri.ok_or_else(|| strange("it does not have a `jwks_uri`".into()))?;
        let unusable = |error| KeysError::JwksUri { issuer: asked.to_string(), text: text.clone(), error };
        let jwks_uri = KeysUrl::parse(&text).map_err(unusable)?;
        // If TLS protects the issuer, it must protect its keys too.
        if asked.is_https() && !jwks_uri.is_https() {
            return Err(unusable(KeysUrlError::Plain));
        }
        Ok(Self { address, jwks_uri, algorithms: document.id_token_signing_alg_values_supported })
    }
}

/// OpenID Connect Discovery 1.0 section 4.1 appends to the issuer's path; RFC 8414 section 3.1 goes before it.
fn well_known(issuer: &KeysUrl) -> Result<[KeysUrl; 2], KeysUrlError> {
    let path = issuer.uri().path().trim_end_matches('/');
    Ok([
        issuer.with_path(&format!("{path}/.well-known/openid-configuration"))?,
        issuer.with_path(&format!("/.well-known/oauth-authorization-server{path}"))?,
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "https://login.example.com/tenant";

    fn read(document: &Value) -> Result<Metadata, String> {
        let issuer = issuer(ISSUER).unwrap();
        Metadata::read(&issuer, issuer.clone(), document.to_string().as_bytes())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_well_known_addresses_are_those_of_the_specifications() {
        for (issuer, openid, oauth) in [
            // OpenID Connect Discovery 1.0 section 4.1, RFC 8414 section 3.1.
            (
                "https://example.com",
                "https://example.com/.well-known/openid-configuration",
                "https://example.com/.well-known/oauth-authorization-server",
            ),
            (
                "https://example.com/issuer1",
                "https://example.com/issuer1/.well-known/openid-configuration",
                "https://example.com/.well-known/oauth-authorization-server/issuer1",
            ),
            (
                "https://example.com:8443/a/b/",
                "https://example.com:8443/a/b/.well-known/openid-configuration",
                "https://example.com:8443/.well-known/oauth-authorization-server/a/b",
            ),
        ] {
            let addresses = well_known(&self::issuer(issuer).unwrap()).unwrap();
            assert_eq!(addresses.map(|address| address.to_string()), [openid, oauth]);
        }
        for text in
            ["https://example.com/?tenant=x", "http://example.com/", "example.com", "https://u@example.com"]
        {
            assert!(issuer(text).is_err(), "{text}");
        }
    }

    #[test]
    fn metadata_of_the_issuer_itself_names_keys_and_algorithms() {
        let metadata = read(&json!({
            "issuer": ISSUER, "jwks_uri": "https://keys.example.com/jwks", "scopes_supported": ["openid"],
            "id_token_signing_alg_values_supported": ["RS256", "HS256"],
        }))
        .unwrap();
        assert_eq!(metadata.jwks_uri.as_str(), "https://keys.example.com/jwks");
        assert_eq!(metadata.algorithms.unwrap(), ["RS256", "HS256"]);
    }

    #[test]
    fn metadata_of_another_or_without_keys_is_refused() {
        for (issuer, jwks_uri, message) in [
            (json!("https://login.example.com/tenant/"), json!("https://x/"), "names another issuer"),
            (json!("https://login.example.com/Tenant"), json!("https://x/"), "names another issuer"),
            (
                json!("https://evil.example/"),
                json!("https://x/"),
                "names another issuer: `https://evil.example/`",
            ),
            (json!(7), json!("https://x/"), "not the metadata of a provider"),
            (Value::Null, json!("https://x/"), "not the metadata of a provider"),
            (json!(ISSUER), Value::Null, "it does not have a `jwks_uri`"),
            (
                json!(ISSUER),
                json!("http://keys.example.com/"),
                "without TLS, anyone on the network can replace the keys",
            ),
            (
                json!(ISSUER),
                json!("http://127.0.0.1/"),
                "without TLS, anyone on the network can replace the keys",
            ),
            (json!(ISSUER), json!("file:///etc/passwd"), "not an address that begins with"),
        ] {
            let document = json!({"issuer": issuer, "jwks_uri": jwks_uri});
            let error = read(&document).unwrap_err();
            assert!(error.contains(message), "{document}: {error}");
        }
    }
}
