//! The tokens of well-known providers, by the issuer. docs/providers.md has the sources.

use authorizer_core::token::KeysUrl;

/// A provider whose tokens are known, or any other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Provider {
    Cognito,
    Auth0,
    /// A custom authorization server.
    Okta,
    /// Okta's own authorization server. Its access tokens are only for Okta.
    OktaOrganization,
    EntraV1,
    EntraV2,
    Google,
    Keycloak,
    AdFs,
    Other,
}

/// The field that says who a token is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Meant {
    Audience,
    ClientId,
}

impl Provider {
    /// The provider of an issuer, as far as its URL shows.
    pub(super) fn of(issuer: &str) -> Self {
        // The issuer of its access tokens is a name, with `http://` unless somebody changed it.
        if issuer.ends_with("/adfs/services/trust") || issuer.ends_with("/adfs") {
            return Self::AdFs;
        }
        let Ok(address) = KeysUrl::parse(issuer) else { return Self::Other };
        let host = address.host().to_ascii_lowercase();
        let path = address.uri().path();
        let below = |domains: &[&str]| domains.iter().any(|domain| host.ends_with(domain));
        if host.starts_with("cognito-idp.") && below(&[".amazonaws.com", ".amazonaws.com.cn"]) {
            Self::Cognito
        } else if below(&[".auth0.com"]) {
            Self::Auth0
        } else if below(&[".okta.com", ".oktapreview.com", ".okta-emea.com"]) {
            if path.starts_with("/oauth2/") { Self::Okta } else { Self::OktaOrganization }
        } else if host == "sts.windows.net" {
            Self::EntraV1
        } else if host == "login.microsoftonline.com" || below(&[".ciamlogin.com"]) {
            Self::EntraV2
        } else if host == "accounts.google.com" {
            Self::Google
        } else if path.contains("/realms/") {
            Self::Keycloak
        } else {
            Self::Other
        }
    }

    /// The field that says who its access tokens are for.
    pub(super) fn meant(self) -> Meant {
        match self {
            Self::Cognito => Meant::ClientId,
            Self::Auth0
            | Self::Okta
            | Self::OktaOrganization
            | Self::EntraV1
            | Self::EntraV2
            | Self::Google
            | Self::Keycloak
            | Self::AdFs
            | Self::Other => Meant::Audience,
        }
    }

    /// A claim that all access tokens of the provider have, and ID tokens do not have.
    pub(super) fn required(self) -> Option<&'static str> {
        match self {
            Self::Cognito => Some("{ token_use = \"access\" }"),
            Self::Keycloak => Some("{ typ = \"Bearer\" }"),
            Self::Auth0
            | Self::Okta
            | Self::OktaOrganization
            | Self::EntraV1
            | Self::EntraV2
            | Self::Google
            | Self::AdFs
            | Self::Other => None,
        }
    }

    /// Advice, as lines of a comment.
    pub(super) fn comment(self) -> &'static [&'static str] {
        match self {
            Self::Cognito => &[
                "Amazon Cognito: access tokens do not have a `typ`, and have an `aud` only with resource binding.",
                "client_id is the id of the app client. token_use keeps ID tokens out.",
            ],
            Self::Auth0 => &[
                "Auth0: audience is the identifier of the API. The slash at the end is part of the issuer.",
                "For an API with the RFC 9068 token profile, add: token_type = \"at+jwt\"",
            ],
            Self::Okta => &[
                "Okta, custom authorization server: audience is the server's, such as \"api://default\". Access tokens do",
                "not have a `typ`. Only they have scopes, in the array `scp`: require one in the rules.",
            ],
            Self::OktaOrganization => &[
                "Okta's own authorization server: its access tokens are only for Okta, so do not use them.",
                "Use the issuer of a custom authorization server: https://DOMAIN/oauth2/default",
            ],
            Self::EntraV1 => &[
                "Microsoft Entra ID, v1.0 tokens: audience is the API's application ID URI (\"api://...\") or its id.",
                "Only access tokens have scopes, in the text `scp`: require one in the rules.",
            ],
            Self::EntraV2 => &[
                "Microsoft Entra ID, v2.0 tokens (requestedAccessTokenVersion = 2): audience is the API's application id.",
                "Only access tokens have scopes, in the text `scp`: require one in the rules.",
            ],
            Self::Google => &[
                "Google: access tokens are opaque, and cannot be verified. This block is for ID tokens: audience is the",
                "id of the OAuth client. Some have an `iss` without `https://`: they need their own block.",
            ],
            Self::Keycloak => &[
                "Keycloak: `aud` needs an audience mapper in the client's scopes. Without one, it is \"account\" or missing.",
                "The claim `typ` keeps ID tokens out.",
            ],
            Self::AdFs => &[
                "AD FS: only access tokens have this issuer. audience is the identifier of the Web API, often",
                "\"microsoft:identityserver:\" and its id. The client is in `appid`, and the scopes in the text `scp`.",
            ],
            Self::Other => &[
                "For access tokens as in RFC 9068, add: token_type = \"at+jwt\"",
                "For others, find what keeps ID tokens out: a claim for `required`, or an audience that they never have.",
            ],
        }
    }

    /// Why the metadata of a provider may name another issuer than the one that was asked for.
    pub(super) fn why_other(self, asked: &str, says: &str) -> String {
        let why = if asked.trim_end_matches('/') == says.trim_end_matches('/') {
            "they differ by the slash at the end, and `iss` is compared byte for byte"
        } else if says.contains('{') {
            "it is for many tenants at once: use the issuer of your tenant"
        } else {
            match self {
                Self::Cognito => {
                    "the issuer of a user pool is its address at `cognito-idp`, not its sign-in domain"
                }
                Self::EntraV1 | Self::EntraV2 => {
                    "Entra ID's v1.0 tokens have `https://sts.windows.net/TENANT/`, its v2.0 tokens \
                     `https://login.microsoftonline.com/TENANT/v2.0`, with the tenant's id for TENANT"
                }
                Self::AdFs => {
                    "AD FS writes the name of its host as it was set up, often in capitals, and `iss` is compared \
                     byte for byte"
                }
                Self::Auth0
                | Self::Okta
                | Self::OktaOrganization
                | Self::Google
                | Self::Keycloak
                | Self::Other => "the metadata of a provider must name the issuer that it is for",
            }
        };
        format!(
            "{why}; if its tokens have that in `iss` (`authorizer token inspect` shows it), use that issuer"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_known_by_its_issuer() {
        for (issuer, provider) in [
            ("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE", Provider::Cognito),
            ("https://cognito-idp.eu-central-1.amazonaws.com.evil.example/x", Provider::Other),
            ("https://example.eu.auth0.com/", Provider::Auth0),
            ("https://example.okta.com/oauth2/default", Provider::Okta),
            ("https://example.okta.com", Provider::OktaOrganization),
            ("https://sts.windows.net/6babcaad-604b-40ac-a9d7-9fd97c0b779f/", Provider::EntraV1),
            (
                "https://login.microsoftonline.com/6babcaad-604b-40ac-a9d7-9fd97c0b779f/v2.0",
                Provider::EntraV2,
            ),
            ("https://accounts.google.com", Provider::Google),
            ("https://login.example.com/realms/staff", Provider::Keycloak),
            ("https://login.example.com/", Provider::Other),
            ("https://fs.example.com/adfs", Provider::AdFs),
            ("http://FS.EXAMPLE.COM/adfs/services/trust", Provider::AdFs),
            ("no issuer", Provider::Other),
        ] {
            assert_eq!(Provider::of(issuer), provider, "{issuer}");
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
            let why = Provider::of(says).why_other(asked, says);
            assert!(why.contains(reason), "{asked}: {why}");
        }
    }
}
