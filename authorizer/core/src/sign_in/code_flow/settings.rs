//! `[sign_in]` with `issuer`, compiled.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::client_key::ClientKey;
use crate::fetch_url::FetchUrl;
use crate::origin::Origin;
use crate::policy::stand_in;
use crate::record::sha256_hex;

/// The path of the JSON that says who is signed in.
pub const SESSION_PATH: &str = "/.auth/session";

/// The path to which pages POST for a new token.
pub const REFRESH_PATH: &str = "/.auth/refresh";

/// The path of the page that says that nobody is signed in any more.
pub const SIGNED_OUT_PATH: &str = "/.auth/signed-out";

/// Whether a text is the origin of a distribution that people sign in at: `https`, or `http` on this machine, and no path.
pub fn is_origin(text: &str) -> bool {
    Origin::parse(text).is_some_and(Origin::is_secure)
}

/// Whether a text is the id of a client (RFC 6749 appendix A.1): visible characters of ASCII. A space at an end is a slip.
pub fn is_client_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The mark of a key whose file is not there.
pub const NOT_HERE: &str = "not here";

/// The code flow of a policy, ready to use.
///
/// INVARIANT: the issuer exists, its tokens can come in the cookie `[credentials]` names, and that name begins with
/// `__Host-`; the paths are different from each other and canonical; the keys have 32 bytes.
#[derive(Clone)]
pub struct CodeFlow {
    pub(crate) issuer: usize,
    pub(crate) client_id: String,
    pub(crate) origin: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) authorization_endpoint: FetchUrl,
    pub(crate) authorization_parameters: BTreeMap<String, String>,
    pub(crate) token_endpoint: FetchUrl,
    pub(crate) end_session: Option<(FetchUrl, EndSession)>,
    pub(crate) id_token_hint: bool,
    pub(crate) response_iss: bool,
    pub(crate) session_token: SessionToken,
    pub(crate) redirect_path: String,
    pub(crate) sign_out_path: String,
    pub(crate) refresh: bool,
    pub(crate) session_seconds: u32,
    /// The name of the cookie of the token, which `[credentials]` has.
    pub(crate) cookie: String,
    /// The key that seals cookies first, then those that only open them.
    pub(crate) cookie_keys: Vec<[u8; 32]>,
    pub(crate) client_authentication: ClientAuthentication,
}

/// Which of the two tokens the rules read, and the cookie contains.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionToken {
    /// The access token (RFC 9068, or a provider's own form of JWT).
    #[default]
    AccessToken,
    /// The ID token (OpenID Connect Core 1.0 section 2).
    IdToken,
}

/// Which parameters the provider's sign-out takes.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EndSession {
    /// OpenID Connect RP-Initiated Logout 1.0: `client_id`, `post_logout_redirect_uri`, `id_token_hint`.
    #[default]
    RpInitiated,
    /// Cognito's `/logout`: `client_id`, `logout_uri`.
    Cognito,
}

/// How the function proves to the token endpoint that it is the client (OpenID Connect Core 1.0 section 9).
#[derive(Clone, Eq, PartialEq)]
pub enum ClientAuthentication {
    /// A public client: PKCE alone.
    None,
    /// `client_secret_basic`, with this secret.
    SecretBasic(String),
    /// `client_secret_post`, with this secret.
    SecretPost(String),
    /// `private_key_jwt` (RFC 7523 section 2.2), with this private key.
    PrivateKeyJwt(Arc<ClientKey>),
}

impl CodeFlow {
    /// The place of its issuer in the policy.
    pub fn issuer(&self) -> usize {
        self.issuer
    }

    /// The client's id at the provider.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The distribution's own origin.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The host of the origin, with its port if that has one.
    pub fn host(&self) -> &str {
        self.origin.split_once("://").map_or(self.origin.as_str(), |(_, host)| host)
    }

    /// The scopes that are asked for.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Where people sign in.
    pub fn authorization_endpoint(&self) -> &FetchUrl {
        &self.authorization_endpoint
    }

    /// What is added to the query of that address.
    pub fn authorization_parameters(&self) -> &BTreeMap<String, String> {
        &self.authorization_parameters
    }

    /// How long ago a person may have signed in at the provider, in seconds, if the policy asks for that.
    pub(crate) fn max_age(&self) -> Option<u64> {
        self.authorization_parameters.get("max_age")?.parse().ok()
    }

    /// Where a code becomes tokens.
    pub fn token_endpoint(&self) -> &FetchUrl {
        &self.token_endpoint
    }

    /// Where people sign out at the provider too.
    pub fn end_session(&self) -> Option<(&FetchUrl, EndSession)> {
        self.end_session.as_ref().map(|(url, form)| (url, *form))
    }

    /// Whether the sign-out sends the ID token, which is kept in a cookie for that.
    pub fn id_token_hint(&self) -> bool {
        self.id_token_hint
    }

    /// Whether the provider always says in its answer who it is (RFC 9207).
    pub fn response_iss(&self) -> bool {
        self.response_iss
    }

    /// Which token the rules read.
    pub fn session_token(&self) -> SessionToken {
        self.session_token
    }

    /// The path that the provider sends people back to.
    pub fn redirect_path(&self) -> &str {
        &self.redirect_path
    }

    /// The path that signs people out.
    pub fn sign_out_path(&self) -> &str {
        &self.sign_out_path
    }

    /// Whether tokens are renewed with a refresh token.
    pub fn refresh(&self) -> bool {
        self.refresh
    }

    /// How long after a sign-in the next is needed at the latest, in seconds.
    pub fn session_seconds(&self) -> u32 {
        self.session_seconds
    }

    /// What tells the keys of cookies apart, and says nothing of them: 8 hexadecimal digits of a digest of each. The one
    /// that seals comes first. In a review, `not here` for a key whose file is not there.
    pub fn cookie_key_marks(&self) -> Vec<String> {
        let mark = |key: &[u8; 32]| {
            if [stand_in::COOKIE_KEY, stand_in::PREVIOUS_COOKIE_KEY].contains(&key) {
                return NOT_HERE.to_owned();
            }
            let digest = sha256_hex(&[b"authorizer cookie key ".as_slice(), key].concat());
            digest.chars().take(8).collect()
        };
        self.cookie_keys.iter().map(mark).collect()
    }

    /// How the function proves that it is the client.
    pub fn client_authentication(&self) -> &ClientAuthentication {
        &self.client_authentication
    }

    /// The paths that the function answers itself.
    pub fn paths(&self) -> [&str; 5] {
        [&self.redirect_path, &self.sign_out_path, SESSION_PATH, REFRESH_PATH, SIGNED_OUT_PATH]
    }
}

impl ClientAuthentication {
    /// Its name in OpenID Connect.
    pub fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::SecretBasic(_) => "client_secret_basic",
            Self::SecretPost(_) => "client_secret_post",
            Self::PrivateKeyJwt(_) => "private_key_jwt",
        }
    }

    /// Whether this is a review, and the file of its secret or key is not there.
    pub fn is_stand_in(&self) -> bool {
        match self {
            Self::None => false,
            Self::SecretBasic(secret) | Self::SecretPost(secret) => secret == stand_in::CLIENT_SECRET,
            Self::PrivateKeyJwt(key) => {
                ClientKey::parse(stand_in::CLIENT_KEY).is_ok_and(|stand_in| **key == stand_in)
            }
        }
    }
}

/// Secrets must not appear in a log.
impl fmt::Debug for ClientAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Keys must not appear in a log.
impl fmt::Debug for CodeFlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeFlow").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}
