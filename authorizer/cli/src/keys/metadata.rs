//! The metadata of a provider: OpenID Connect Discovery 1.0, and RFC 8414 for providers without OpenID Connect.

use serde::Deserialize;

use super::error::KeysError;
use super::http::get;
use authorizer_core::{FetchUrl, FetchUrlError};
use authorizer_policy::providers::Provider;

/// Metadata that names the issuer that it was fetched for.
#[derive(Debug)]
pub(super) struct Metadata {
    /// Where it was found.
    pub(super) address: FetchUrl,
    /// Where the keys are.
    pub(super) jwks_uri: FetchUrl,
    /// The algorithms of its ID tokens. They stand for those of its access tokens too, because metadata does not have
    /// a field for them.
    pub(super) algorithms: Option<Vec<String>>,
    /// The issuer of its access tokens, if that is another than the issuer of its ID tokens: Microsoft's extension
    /// [MS-OIDCE] section 2.2.3.2, which AD FS uses.
    pub(super) access_token_issuer: Option<String>,
    /// What a sign-in by the code flow needs.
    pub(super) endpoints: Endpoints,
}

/// What a sign-in by the code flow needs of a provider. The addresses can be used: the policy takes them.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    pub(super) authorization: Option<String>,
    pub(super) token: Option<String>,
    pub(super) end_session: Option<String>,
    /// Whether its answers always say who it is (RFC 9207 section 3).
    pub(super) response_iss: bool,
    pub(super) response_types: Option<Vec<String>>,
    pub(super) code_challenge_methods: Option<Vec<String>>,
    pub(super) client_authentication: Option<Vec<String>>,
    pub(super) scopes: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: Option<String>,
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    access_token_issuer: Option<String>,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    end_session_endpoint: Option<String>,
    authorization_response_iss_parameter_supported: Option<bool>,
    response_types_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    scopes_supported: Option<Vec<String>>,
}

/// Reads an issuer as a person writes it.
pub(super) fn issuer(text: &str) -> Result<FetchUrl, KeysError> {
    let issuer =
        FetchUrl::parse(text).map_err(|error| KeysError::Address { text: text.to_owned(), error })?;
    if issuer.has_query() {
        return Err(KeysError::IssuerQuery { issuer: issuer.to_string() });
    }
    Ok(issuer)
}

impl Metadata {
    /// Fetches the address of OpenID Connect and, if that does not answer 200, the address of RFC 8414.
    pub(super) fn fetch(issuer: &FetchUrl) -> Result<Self, KeysError> {
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

    fn read(asked: &FetchUrl, address: FetchUrl, bytes: &[u8]) -> Result<Self, KeysError> {
        let strange = |message: String| KeysError::Metadata { address: address.to_string(), message };
        let document: Document = serde_json::from_slice(bytes).map_err(|error| strange(error.to_string()))?;
        if document.issuer != asked.as_str() {
            let help = why_other(asked.as_str(), &document.issuer);
            return Err(KeysError::OtherIssuer { asked: asked.to_string(), says: document.issuer, help });
        }
        let text = document.jwks_uri.ok_or_else(|| strange("it does not have a `jwks_uri`".into()))?;
        let unusable = |error| KeysError::JwksUri { issuer: asked.to_string(), text: text.clone(), error };
        let jwks_uri = FetchUrl::parse(&text).map_err(unusable)?;
        // If TLS protects the issuer, it must protect its keys too.
        if asked.is_https() && !jwks_uri.is_https() {
            return Err(unusable(FetchUrlError::Plain));
        }
        let access_token_issuer = document.access_token_issuer.filter(|issuer| issuer != asked.as_str());
        if access_token_issuer.as_deref() == Some("") {
            return Err(strange("its `access_token_issuer` is empty".into()));
        }
        // The keys are taken even where an address must not be used: only a sign-in needs the address.
        let usable = |text: Option<String>| {
            text.filter(|text| {
                FetchUrl::parse(text).is_ok_and(|address| address.is_https() || !asked.is_https())
            })
        };
        let endpoints = Endpoints {
            authorization: usable(document.authorization_endpoint),
            token: usable(document.token_endpoint),
            end_session: usable(document.end_session_endpoint),
            response_iss: document.authorization_response_iss_parameter_supported == Some(true),
            response_types: document.response_types_supported,
            code_challenge_methods: document.code_challenge_methods_supported,
            client_authentication: document.token_endpoint_auth_methods_supported,
            scopes: document.scopes_supported,
        };
        let algorithms = document.id_token_signing_alg_values_supported;
        Ok(Self { address, jwks_uri, algorithms, access_token_issuer, endpoints })
    }
}

/// Why the metadata may name another issuer than the one that was asked for, and what to do.
fn why_other(asked: &str, says: &str) -> String {
    let why = if asked.trim_end_matches('/') == says.trim_end_matches('/') {
        "they differ by the slash at the end, and `iss` is compared byte for byte"
    } else if says.contains('{') {
        "it is for many tenants at once: use the issuer of your tenant"
    } else {
        Provider::of(says)
            .and_then(|provider| provider.other_issuer.as_deref())
            .unwrap_or("the metadata of a provider must name the issuer that it is for")
    };
    format!("{why}; if its tokens have that in `iss` (`authorizer token inspect` shows it), use that issuer")
}

/// OpenID Connect Discovery 1.0 section 4.1 appends to the issuer's path; RFC 8414 section 3.1 goes before it.
fn well_known(issuer: &FetchUrl) -> Result<[FetchUrl; 2], FetchUrlError> {
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
    fn the_issuer_of_access_tokens_is_the_one_that_the_metadata_names() {
        let of = |issuer: Value| {
            read(&json!({"issuer": ISSUER, "jwks_uri": "https://x/", "access_token_issuer": issuer}))
        };
        let trust = "http://login.example.com/adfs/services/trust";
        assert_eq!(of(json!(trust)).unwrap().access_token_issuer.as_deref(), Some(trust));
        assert_eq!(
            of(json!("urn:federation:staff")).unwrap().access_token_issuer.as_deref(),
            Some("urn:federation:staff")
        );
        assert_eq!(of(json!(ISSUER)).unwrap().access_token_issuer, None);
        assert_eq!(of(Value::Null).unwrap().access_token_issuer, None);
        assert!(of(json!("")).unwrap_err().contains("`access_token_issuer` is empty"));
        for other in [json!(7), json!([trust]), json!({})] {
            assert!(of(other).unwrap_err().contains("not the metadata of a provider"));
        }
    }

    /// fixtures/providers/README.md says where each was recorded.
    #[test]
    fn recorded_metadata_is_read() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/providers/metadata");
        let mut read = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            let document: Value = serde_json::from_slice(&bytes).unwrap();
            let named = document["issuer"].as_str().unwrap();
            let asked = issuer(named).unwrap();
            let [openid, _] = well_known(&asked).unwrap();
            let metadata =
                Metadata::read(&asked, openid, &bytes).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            assert_eq!(metadata.jwks_uri.as_str(), document["jwks_uri"], "{path:?}");
            assert!(metadata.algorithms.unwrap().contains(&"RS256".to_owned()), "{path:?}");
            let is_adfs = path.file_name().unwrap() == "adfs.json";
            let expected = "http://FS.EXAMPLE.COM/adfs/services/trust";
            assert_eq!(metadata.access_token_issuer.as_deref(), is_adfs.then_some(expected), "{path:?}");
            // Of another spelling of the issuer, none of it is taken.
            let other = issuer(&format!("{}/", named.trim_end_matches('/'))).unwrap();
            if other.as_str() != named {
                let refused = Metadata::read(&other, other.clone(), &bytes);
                assert!(matches!(refused, Err(KeysError::OtherIssuer { .. })), "{path:?}");
            }
            read += 1;
        }
        assert_eq!(read, 7);
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
                "without TLS, anyone on the network can replace the answer",
            ),
            (
                json!(ISSUER),
                json!("http://127.0.0.1/"),
                "without TLS, anyone on the network can replace the answer",
            ),
            (json!(ISSUER), json!("file:///etc/passwd"), "not an address that begins with"),
        ] {
            let document = json!({"issuer": issuer, "jwks_uri": jwks_uri});
            let error = read(&document).unwrap_err();
            assert!(error.contains(message), "{document}: {error}");
        }
    }

    #[test]
    fn another_issuer_than_was_asked_has_its_reason() {
        for (asked, says, reason) in [
            ("https://example.auth0.com", "https://example.auth0.com/", "the slash at the end"),
            (
                "https://login.microsoftonline.com/common/v2.0",
                "https://login.microsoftonline.com/{tenantid}/v2.0",
                "many tenants",
            ),
            ("https://login.microsoftonline.com/contoso", "https://sts.windows.net/6babcaad/", "v1.0 tokens"),
            (
                "https://files.auth.eu-central-1.amazoncognito.com",
                "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE",
                "not its sign-in domain",
            ),
            ("https://fs.example.com/adfs", "https://FS.EXAMPLE.COM/adfs", "often in capitals"),
            ("https://login.example.com", "https://example.org", "the issuer that it is for"),
        ] {
            let why = why_other(asked, says);
            assert!(why.contains(reason), "{asked}: {why}");
        }
    }
}
