//! The `[sign_in]` block of a provider, with the cookie that it needs.

use std::fmt;

use authorizer_policy::providers::{Provider, SigningIn};
use toml_edit::{InlineTable, Value};

use super::error::KeysError;
use super::metadata::{Endpoints, Metadata};

/// Who signs people in, and where.
pub(super) struct SignIn<'s> {
    /// The client's id at the provider.
    pub(super) client_id: &'s str,
    /// The distribution's own origin.
    pub(super) origin: &'s str,
}

/// A block that is ready to paste, below the `[[issuers]]` block.
pub(super) struct SignInBlock<'b> {
    name: &'b str,
    sign_in: &'b SignIn<'b>,
    endpoints: &'b Endpoints,
    authorization_endpoint: &'b str,
    token_endpoint: &'b str,
    known: Option<&'static SigningIn>,
}

impl<'b> SignInBlock<'b> {
    /// Takes the metadata of a provider that has the code flow.
    pub(super) fn of(
        name: &'b str,
        issuer: &'b str,
        metadata: &'b Metadata,
        sign_in: &'b SignIn<'b>,
    ) -> Result<Self, KeysError> {
        let endpoints = &metadata.endpoints;
        let lacks = |what: &str| KeysError::NoCodeFlow { issuer: issuer.to_owned(), what: what.to_owned() };
        // Without the field the metadata of RFC 8414 is not whole, and that of OpenID Connect neither; Okta leaves it out.
        if endpoints.response_types.as_ref().is_some_and(|types| !types.iter().any(|one| one == "code")) {
            return Err(lacks("`code` in its `response_types_supported`"));
        }
        let authorization_endpoint =
            endpoints.authorization.as_deref().ok_or_else(|| lacks("an `authorization_endpoint`"))?;
        let token_endpoint = endpoints.token.as_deref().ok_or_else(|| lacks("a `token_endpoint`"))?;
        let known = Provider::of(issuer).and_then(|provider| provider.sign_in.as_ref());
        Ok(Self { name, sign_in, endpoints, authorization_endpoint, token_endpoint, known })
    }

    /// What the person who reads the block should know of the provider.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        match &self.endpoints.code_challenge_methods {
            Some(methods) if !methods.iter().any(|one| one == "S256") => warnings.push(
                "its metadata has `code_challenge_methods_supported` without S256, so it may refuse this sign-in".into(),
            ),
            None => warnings.push(
                "its metadata does not say whether it checks PKCE (`code_challenge_methods_supported`): a provider that \
                 does not know it ignores it"
                    .into(),
            ),
            Some(_) => {}
        }
        let methods = self.endpoints.client_authentication.as_ref();
        // Public clients are often left out of the metadata: only what is known of the provider is said for sure.
        if self.known.is_some_and(|known| known.needs_client_secret) {
            warnings.push(
                "it wants a secret of a web application: add `client_secret = { file = \"client.secret\" }`"
                    .into(),
            );
        } else if methods.is_some_and(|methods| !methods.iter().any(|one| one == "none")) {
            warnings.push(
                "its metadata does not name public clients (`none` in `token_endpoint_auth_methods_supported`): if it \
                 wants a secret, add `client_secret = { file = \"client.secret\" }`"
                    .into(),
            );
        }
        if self.end_session().is_none() {
            warnings.push(
                "it has no address to sign out at, so people sign out of this distribution alone".into(),
            );
        }
        warnings
    }

    /// Where a session ends, and whether it takes Cognito's parameters. Cognito's `/logout` is beside `/oauth2`.
    fn end_session(&self) -> Option<(String, bool)> {
        if self.known.is_some_and(|known| known.ends_as_cognito) {
            let domain = self.authorization_endpoint.strip_suffix("/oauth2/authorize")?;
            return Some((format!("{domain}/logout"), true));
        }
        Some((self.endpoints.end_session.clone()?, false))
    }

    /// The parameters that a refresh token takes.
    fn parameters(&self) -> InlineTable {
        let known = self.known.iter().flat_map(|known| &known.refresh_parameters);
        known.map(|(name, value)| (name.as_str(), Value::from(value.as_str()))).collect()
    }

    fn scopes(&self) -> Vec<&str> {
        let supports = |scope: &str| {
            self.endpoints.scopes.as_ref().is_some_and(|scopes| scopes.iter().any(|one| one == scope))
        };
        let refresh = match self.known {
            Some(known) => known.refresh_scope.as_deref(),
            None => Some("offline_access").filter(|scope| supports(scope)),
        };
        std::iter::once("openid").chain(refresh).collect()
    }
}

impl fmt::Display for SignInBlock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &str| Value::from(value).to_string();
        let scopes = Value::Array(self.scopes().into_iter().collect());
        writeln!(f, "[credentials]")?;
        writeln!(f, "cookie = \"__Host-session\"")?;
        writeln!(f)?;
        for line in self.known.iter().flat_map(|known| &known.advice) {
            writeln!(f, "# {line}")?;
        }
        writeln!(f, "# Register at the provider: {}/.auth/callback to return to,", self.sign_in.origin)?;
        writeln!(f, "# and {}/.auth/signed-out after signing out.", self.sign_in.origin)?;
        writeln!(f, "[sign_in]")?;
        writeln!(f, "issuer                 = {}", text(self.name))?;
        writeln!(f, "client_id              = {}", text(self.sign_in.client_id))?;
        writeln!(f, "origin                 = {}", text(self.sign_in.origin))?;
        writeln!(f, "scopes                 = {scopes} # and those of your API")?;
        writeln!(f, "authorization_endpoint = {}", text(self.authorization_endpoint))?;
        let parameters = self.parameters();
        // OpenID Connect Core 1.0 section 11 lets a provider ignore `offline_access` without it.
        if self.scopes().contains(&"offline_access") && !parameters.contains_key("prompt") {
            writeln!(
                f,
                "# If the provider gives no refresh token, it wants consent each time: prompt = \"consent\" in"
            )?;
            writeln!(f, "# authorization_parameters.")?;
        }
        if !parameters.is_empty() {
            writeln!(f, "authorization_parameters = {}", Value::InlineTable(parameters))?;
        }
        writeln!(f, "token_endpoint         = {}", text(self.token_endpoint))?;
        if let Some((address, is_cognito)) = self.end_session() {
            writeln!(f, "end_session_endpoint   = {}", text(&address))?;
            if is_cognito {
                writeln!(f, "end_session            = \"cognito\"")?;
            }
            if self.known.is_some_and(|known| known.needs_id_token_hint) {
                writeln!(f, "id_token_hint          = true")?;
            }
        }
        if self.endpoints.response_iss {
            writeln!(f, "response_iss           = true")?;
        }
        if self.known.is_some_and(|known| known.only_id_token) {
            writeln!(f, "session_token          = \"id_token\"")?;
        }
        writeln!(f, "refresh                = true")?;
        writeln!(
            f,
            "cookie_key             = {{ file = \"sign-in.key\" }} # authorizer keys cookie-key --out sign-in.key"
        )
    }
}
