//! The policy as a person writes it. The TOML file and the JSON of the bundle have the same fields.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::credential::HeaderSetter;
use crate::extra_parameter::ExtraParameter;
use crate::operation::{MethodWord, S3Operation};
use crate::record::SubjectLogging;
use crate::response_override::ResponseOverride;
use crate::scalar::Scalar;
#[cfg(feature = "code-flow")]
use crate::sign_in::code_flow::{EndSession, SessionToken};
use crate::token::JwsAlgorithm;

/// The only version of the format so far.
pub const POLICY_VERSION: u32 = 1;

/// A policy.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyDocument {
    /// [`POLICY_VERSION`].
    pub version: u32,
    /// The issuers whose tokens are trusted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issuers: Vec<IssuerDocument>,
    /// Tokens that are refused before they expire.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked: Vec<RevokedDocument>,
    /// The places of a token.
    #[serde(default)]
    pub credentials: CredentialsDocument,
    /// What is done with query parameters that do not belong to S3.
    #[serde(default, skip_serializing_if = "QueryDocument::is_empty")]
    pub query: QueryDocument,
    /// What pages of other origins may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cors: Option<CorsDocument>,
    /// Where people with a browser and without a token sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in: Option<SignInDocument>,
    /// The account's quota *Headers per origin request policy*, where it was raised. 10 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_origin_headers: Option<u16>,
    /// What the decision log contains.
    #[serde(default)]
    pub log: LogDocument,
    /// The access rules.
    #[serde(default)]
    pub rules: Vec<RuleDocument>,
    /// Findings of the audit that are accepted. Decisions do not use them, so a bundle does not contain them.
    #[serde(default, skip_serializing)]
    pub accepted: Vec<AcceptedDocument>,
}

/// `[[accepted]]`: a finding of the audit that is accepted, and why.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedDocument {
    /// The finding's id, such as `EA010`.
    pub finding: String,
    /// The id of the rule that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The name of the issuer that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The `kid` of the issuer's key that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// Why it is accepted.
    pub reason: String,
}

/// `[[issuers]]`: an issuer of tokens.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerDocument {
    /// The name that rules and the decision log use.
    pub name: String,
    /// The value of `iss`, exactly (RFC 7519 section 4.1.1).
    pub issuer: String,
    /// The values of `aud` for this distribution. The token must contain one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<String>,
    /// The values of `client_id` that are allowed, for tokens without `aud` such as Cognito's access tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub client_id: Vec<String>,
    /// The claim of `required` that says for which application a token is, for tokens with neither `aud` nor
    /// `client_id`. `azp`, `cid` and `appid` need not be named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound_by: Option<String>,
    /// The algorithms that it signs with.
    pub algorithms: Vec<JwsAlgorithm>,
    /// Its keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<JwksDocument>,
    /// The secret that it shares with this service, for HS256 and instead of keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretDocument>,
    /// The value of the header's `typ`, such as `at+jwt` (RFC 9068 section 2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    /// Claims that must have exactly these values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub required: BTreeMap<String, Scalar>,
    /// How far the issuer's clock may be off, in seconds; 0 to 300.
    #[serde(default = "default_leeway")]
    pub leeway_seconds: u32,
    /// How long its tokens may live, from `iat` to `exp`, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_lifetime_seconds: Option<u32>,
    /// Whether a token that is bound to a key of its client (`cnf`: RFC 9449, RFC 8705) is accepted as a bearer token.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accept_bound_tokens: bool,
}

/// `[[revoked]]`: tokens that are refused before they expire. A token must match all fields.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RevokedDocument {
    /// The policy's name for their issuer.
    pub issuer: String,
    /// The `jti` of one token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// The `sub` of the tokens of one subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// Only tokens that were issued before this instant, such as `2026-01-31T00:00:00Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_before: Option<String>,
}

fn default_leeway() -> u32 {
    30
}

/// `jwks`: where the keys of an issuer come from.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct JwksDocument {
    /// A file with a JWK set (RFC 7517 section 5), relative to the policy. The bundle contains its keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The keys themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<Value>>,
    /// The URL from which the function fetches newer keys: `https`, or `http` on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The age at which the keys are fetched again, in seconds: 60 to 86,400 (default: 3,600).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_seconds: Option<u32>,
    /// The age up to which the last good keys are used if new keys cannot be fetched, in seconds: up to 604,800
    /// (default: 86,400).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_stale_seconds: Option<u32>,
}

/// `secret`: what an issuer of HS256 tokens shares with this service (RFC 7518 section 3.2).
#[derive(Clone, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SecretDocument {
    /// A file that contains it, relative to the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The encoding of the file.
    #[serde(default, skip_serializing_if = "SecretEncoding::is_text")]
    pub encoding: SecretEncoding,
    /// The secret itself, in base64url without padding; only in a bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// The encoding of a file with a secret.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretEncoding {
    /// The bytes of the file. A newline at the end is not part of the secret.
    #[default]
    Text,
    /// Base64 or base64url, with padding or without.
    Base64,
}

impl SecretEncoding {
    fn is_text(&self) -> bool {
        *self == Self::Text
    }
}

/// The secret must not appear in a log.
impl fmt::Debug for SecretDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretDocument").field("file", &self.file).finish_non_exhaustive()
    }
}

/// `[credentials]`: the places of a token.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialsDocument {
    /// A header that may contain a token. `authorization`, with `Bearer TOKEN`, is always read too.
    #[serde(default = "default_header")]
    pub header: String,
    /// Who adds the header, if it is another than `authorization`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_set_by: Option<HeaderSetter>,
    /// The name of a cookie that may contain a token, or a pattern for it with one `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cookie: Option<String>,
    /// The name of a query parameter that may contain a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
}

fn default_header() -> String {
    "authorization".into()
}

impl Default for CredentialsDocument {
    fn default() -> Self {
        Self { header: default_header(), header_set_by: None, cookie: None, query: None }
    }
}

/// `[query]`: query parameters that do not belong to S3.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct QueryDocument {
    /// The names of query parameters that GetObject and HeadObject drop, such as `utm_source`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<String>,
}

impl QueryDocument {
    fn is_empty(&self) -> bool {
        self.ignored.is_empty()
    }
}

/// `[log]`: what the decision log contains.
#[derive(Clone, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LogDocument {
    /// How the token's `sub` is written: `plain`, `hashed` or `omitted`.
    #[serde(default)]
    pub subject: SubjectLogging,
    /// The salt with which the claims that rules read are hashed. Without it, they are not logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims_salt: Option<String>,
}

/// The salt must not appear in a log.
impl fmt::Debug for LogDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogDocument").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// `[[rules]]`: an access rule.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RuleDocument {
    /// A name for the decision log and the audit, unique in the policy.
    pub id: String,
    /// `allow` or `deny`.
    pub effect: EffectDocument,
    /// `GET` (which includes HEAD), `HEAD`, `PUT`, `DELETE`: the short form of `operations`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<MethodWord>,
    /// Operations by their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<S3Operation>,
    /// Key patterns; one must match.
    pub keys: Vec<String>,
    /// The names of the issuers whose tokens the rule applies to; every issuer when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuers: Option<Vec<String>>,
    /// Conditions on claims; all must hold.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub when: BTreeMap<String, ConditionDocument>,
    /// An allow rule for everyone, with a token or without.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub anonymous: bool,
    /// Addresses and networks of viewers; one must contain the viewer's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ips: Option<Vec<String>>,
    /// The hosts of an allow rule, such as `downloads.example.com` and `*.example.org`; one must match the request's
    /// `Host`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<String>>,
    /// The rule applies from this instant on, such as `2026-01-31T00:00:00Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// The rule applies until just before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<String>,
    /// The limits of an allow rule for an upload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<UploadDocument>,
    /// The response headers that a download may override.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_overrides: Vec<ResponseOverride>,
    /// The query parameters that a request may have in addition to those of each operation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<ExtraParameter>,
}

/// `upload`: the limits of an allow rule for an upload.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UploadDocument {
    /// The greatest length: bytes, or a text such as `25MB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<SizeDocument>,
    /// Media types: `image/png`, `image/*`, `*/*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_types: Option<Vec<String>>,
    /// Whether an upload must not overwrite an object.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub create_only: bool,
    /// The `x-amz-meta-NAME` that may be set, by NAME: `*`, `{claim}` or the text itself.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// The checksums that may be sent, in S3's own integrity headers.
    #[serde(default, skip_serializing_if = "ChecksumsDocument::is_off")]
    pub checksums: ChecksumsDocument,
}

/// `checksums`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(untagged, expecting = "`checksums` is `true`, or a list of checksums such as `[\"sha256\"]`")]
pub enum ChecksumsDocument {
    /// `true`: as many as the headers of an origin request policy have room for.
    Fitting(bool),
    /// `["sha256"]`: these.
    Named(Vec<String>),
}

impl Default for ChecksumsDocument {
    fn default() -> Self {
        Self::Fitting(false)
    }
}

impl ChecksumsDocument {
    /// Whether no checksum may be sent.
    pub fn is_off(&self) -> bool {
        *self == Self::Fitting(false)
    }
}

/// A number of bytes.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(untagged)]
pub enum SizeDocument {
    /// `25000000`.
    Bytes(u64),
    /// `"25MB"`.
    Text(String),
}

/// `[cors]`: what pages of other origins may do.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CorsDocument {
    /// Origins: exact, `https://*.example.com`, or `*` alone.
    pub origins: Vec<String>,
    /// Whether cookies may be sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub credentials: bool,
    /// The response headers that pages may read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exposed_headers: Vec<String>,
    /// How long a browser may remember the answer to a preflight, in seconds; 0 to 86,400.
    #[serde(default = "default_max_age")]
    pub max_age_seconds: u32,
}

fn default_max_age() -> u32 {
    600
}

/// `[sign_in]`: where people with a browser and without a token are sent.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(untagged)]
pub enum SignInDocument {
    /// One redirect.
    Redirect(SignInRedirectDocument),
    /// OpenID Connect's code flow.
    #[cfg(feature = "code-flow")]
    CodeFlow(Box<CodeFlowDocument>),
}

impl SignInDocument {
    /// The distribution's own origin.
    pub fn origin(&self) -> &str {
        match self {
            Self::Redirect(redirect) => &redirect.origin,
            #[cfg(feature = "code-flow")]
            Self::CodeFlow(flow) => &flow.origin,
        }
    }

    /// The one redirect, if that is what it is.
    pub fn redirect(&self) -> Option<&SignInRedirectDocument> {
        match self {
            Self::Redirect(redirect) => Some(redirect),
            #[cfg(feature = "code-flow")]
            Self::CodeFlow(_) => None,
        }
    }

    /// The code flow, if that is what it is.
    #[cfg(feature = "code-flow")]
    pub fn code_flow(&self) -> Option<&CodeFlowDocument> {
        match self {
            Self::Redirect(_) => None,
            Self::CodeFlow(flow) => Some(flow),
        }
    }
}

/// `[sign_in]` with `url`: a sign-in that sets the cookie of `[credentials]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SignInRedirectDocument {
    /// The address to sign in at.
    pub url: String,
    /// The distribution's own origin, such as `https://files.example.com`.
    pub origin: String,
    /// The query parameter of `url` that contains the address to return to.
    #[serde(default = "default_return_parameter")]
    pub return_parameter: String,
}

/// `[sign_in]` with `issuer`: OpenID Connect's code flow, done at the edge.
#[cfg(feature = "code-flow")]
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CodeFlowDocument {
    /// The policy's name for the issuer that people sign in at.
    pub issuer: String,
    /// The client's id at the provider.
    pub client_id: String,
    /// The distribution's own origin, such as `https://files.example.com`.
    pub origin: String,
    /// The scopes to ask for.
    #[serde(default = "default_scopes")]
    pub scopes: Vec<String>,
    /// Where people sign in (`authorization_endpoint` of the provider's metadata).
    pub authorization_endpoint: String,
    /// What the query of that address has beside, such as `audience`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub authorization_parameters: BTreeMap<String, String>,
    /// Where a code becomes tokens (`token_endpoint`).
    pub token_endpoint: String,
    /// Where people sign out at the provider too (`end_session_endpoint`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_session_endpoint: Option<String>,
    /// Which parameters that address takes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub end_session: EndSession,
    /// Whether the sign-out sends the ID token, which a cookie keeps for that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub id_token_hint: bool,
    /// Whether the provider always says in its answer who it is (RFC 9207;
    /// `authorization_response_iss_parameter_supported`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub response_iss: bool,
    /// Which token the rules read.
    #[serde(default, skip_serializing_if = "is_default")]
    pub session_token: SessionToken,
    /// The path that the provider sends people back to.
    #[serde(default = "default_redirect_path")]
    pub redirect_path: String,
    /// The path that signs people out.
    #[serde(default = "default_sign_out_path")]
    pub sign_out_path: String,
    /// Whether tokens are renewed with a refresh token.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refresh: bool,
    /// How long after a sign-in the next is needed at the latest, in seconds; 300 to 2,592,000.
    #[serde(default = "default_session_seconds")]
    pub session_seconds: u32,
    /// The key that cookies are encrypted with: a file of 32 random bytes.
    pub cookie_key: SecretDocument,
    /// The key before it, whose cookies are still read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_cookie_key: Option<SecretDocument>,
    /// The client's secret, if the provider wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<SecretDocument>,
    /// The client's private key as a JWK, for `private_key_jwt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_key: Option<SecretDocument>,
    /// How the secret is sent: `client_secret_basic` (default) or `client_secret_post`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_authentication: Option<ClientSecretMethod>,
}

/// How a client's secret is sent (OpenID Connect Core 1.0 section 9).
#[cfg(feature = "code-flow")]
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientSecretMethod {
    /// In `Authorization`.
    ClientSecretBasic,
    /// In the body.
    ClientSecretPost,
}

#[cfg(feature = "code-flow")]
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(feature = "code-flow")]
fn default_scopes() -> Vec<String> {
    vec!["openid".to_owned()]
}

#[cfg(feature = "code-flow")]
fn default_redirect_path() -> String {
    "/.auth/callback".to_owned()
}

#[cfg(feature = "code-flow")]
fn default_sign_out_path() -> String {
    "/.auth/sign-out".to_owned()
}

/// Half a day: people sign in once a working day.
#[cfg(feature = "code-flow")]
pub const DEFAULT_SESSION_SECONDS: u32 = 43_200;

#[cfg(feature = "code-flow")]
fn default_session_seconds() -> u32 {
    DEFAULT_SESSION_SECONDS
}

fn default_return_parameter() -> String {
    "return_to".into()
}

/// `effect`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EffectDocument {
    /// The request may go on.
    Allow,
    /// The request is refused, whatever else matches.
    Deny,
}

/// A condition on one claim: exactly one of the tests.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionDocument {
    /// The claim is this value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<Scalar>,
    /// The claim is one of these values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub any: Option<Vec<Scalar>>,
    /// The claim contains this member. The claim is an array, or words separated by spaces: a text with a space is a
    /// member of an array only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has: Option<String>,
    /// The claim is one text that begins with this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_with: Option<String>,
    /// Whether the claim is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub present: Option<bool>,
}
