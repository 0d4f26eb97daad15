//! The policy as a person writes it: the same fields in the TOML file and in the bundle's JSON.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::operation::{MethodWord, S3Operation};
use crate::record::SubjectLogging;
use crate::response_override::ResponseOverride;
use crate::scalar::Scalar;
use crate::token::JwsAlgorithm;

/// The one version of the format so far.
pub const POLICY_VERSION: u32 = 1;

/// A policy.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyDocument {
    /// [`POLICY_VERSION`].
    pub version: u32,
    /// Whose tokens are trusted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issuers: Vec<IssuerDocument>,
    /// Tokens that are refused before they expire.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked: Vec<RevokedDocument>,
    /// Where a token is found.
    #[serde(default)]
    pub credentials: CredentialsDocument,
    /// Pages of other origins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cors: Option<CorsDocument>,
    /// People with a browser and no token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in: Option<SignInDocument>,
    /// What the decision log holds.
    #[serde(default)]
    pub log: LogDocument,
    /// Who may do what.
    #[serde(default)]
    pub rules: Vec<RuleDocument>,
    /// Findings of the audit that are as they are meant to be. No decision looks at them, so no bundle has them.
    #[serde(default, skip_serializing)]
    pub accepted: Vec<AcceptedDocument>,
}

/// `[[accepted]]`: a finding of the audit that is as it is meant to be, and why.
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
    /// The values of `aud` that are meant for this distribution; the token must name one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<String>,
    /// The values of `client_id` that are let in, for tokens without `aud` such as Cognito's access tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub client_id: Vec<String>,
    /// The algorithms that it signs with.
    pub algorithms: Vec<JwsAlgorithm>,
    /// Its keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<JwksDocument>,
    /// The secret that it shares with this service, for HS256 and in place of keys.
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
}

/// `[[revoked]]`: tokens that are refused before they expire. All that is said must hold.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RevokedDocument {
    /// The policy's name for their issuer.
    pub issuer: String,
    /// The `jti` of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// The `sub` of those of one subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// The instant before which they were issued, such as `2026-01-31T00:00:00Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_before: Option<String>,
}

fn default_leeway() -> u32 {
    30
}

/// `jwks`: where the keys of an issuer are.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct JwksDocument {
    /// A file with a JWK set (RFC 7517 section 5), relative to the policy. The bundle holds its keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The keys themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<Value>>,
    /// Where the function asks for newer keys: `https`, or `http` on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The age at which it asks again, in seconds; 60 to 86,400, 3,600 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_seconds: Option<u32>,
    /// The age up to which the last good keys serve when it is given none, in seconds; up to 604,800, 86,400 when
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_stale_seconds: Option<u32>,
}

/// `secret`: what an issuer of HS256 tokens shares with this service (RFC 7518 section 3.2).
#[derive(Clone, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SecretDocument {
    /// A file that holds it, relative to the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// How the file holds it.
    #[serde(default, skip_serializing_if = "SecretEncoding::is_text")]
    pub encoding: SecretEncoding,
    /// The secret itself, in base64url without padding; only in a bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// How a file holds a secret.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretEncoding {
    /// As it is; a line's end at its end is none of it.
    #[default]
    Text,
    /// In base64 or base64url, with padding or without.
    Base64,
}

impl SecretEncoding {
    fn is_text(&self) -> bool {
        *self == Self::Text
    }
}

/// The secret is in no log.
impl fmt::Debug for SecretDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretDocument").field("file", &self.file).finish_non_exhaustive()
    }
}

/// `[credentials]`: where a token is found.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialsDocument {
    /// The header that holds `Bearer TOKEN`: `authorization`, which is always looked at.
    #[serde(default = "default_header")]
    pub header: String,
    /// The name of a cookie that may hold a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cookie: Option<String>,
    /// The name of a query parameter that may hold a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
}

fn default_header() -> String {
    "authorization".into()
}

impl Default for CredentialsDocument {
    fn default() -> Self {
        Self { header: default_header(), cookie: None, query: None }
    }
}

/// `[log]`: what the decision log holds.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LogDocument {
    /// How the token's `sub` is written: `plain`, `hashed` or `omitted`.
    #[serde(default)]
    pub subject: SubjectLogging,
}

/// `[[rules]]`: an access rule.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RuleDocument {
    /// A name for the decision log and the audit, unique in the policy.
    pub id: String,
    /// `allow` or `deny`.
    pub effect: EffectDocument,
    /// `GET` (which HEAD goes with), `HEAD`, `PUT`, `DELETE`: the short form of `operations`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<MethodWord>,
    /// Operations by their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<S3Operation>,
    /// Key patterns; one must match.
    pub keys: Vec<String>,
    /// The names of the issuers whose tokens the rule speaks of; any issuer's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuers: Option<Vec<String>>,
    /// Conditions on claims; all must hold.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub when: BTreeMap<String, ConditionDocument>,
    /// An allow rule for everyone, with a token or without.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub anonymous: bool,
    /// Addresses and networks of viewers; one must hold the viewer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ips: Option<Vec<String>>,
    /// The instant from which on the rule holds, such as `2026-01-31T00:00:00Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// The instant just before which it ceases to hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<String>,
    /// What an allow rule asks of an upload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<UploadDocument>,
    /// The response headers that a download may ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_overrides: Vec<ResponseOverride>,
}

/// `upload`: what an allow rule asks of an upload.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UploadDocument {
    /// The greatest length: bytes, or a text such as `25MB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<SizeDocument>,
    /// Media types: `image/png`, `image/*`, `*/*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_types: Option<Vec<String>>,
    /// Whether nothing may be overwritten.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub create_only: bool,
    /// The `x-amz-meta-NAME` that may be set, by NAME: `*`, `{claim}` or the text itself.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Whether S3's own integrity headers may be sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub checksums: bool,
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

/// `[sign_in]`: where a person with a browser and no token is sent.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SignInDocument {
    /// The address to sign in at.
    pub url: String,
    /// The distribution's own origin, such as `https://files.example.com`.
    pub origin: String,
    /// The query parameter of `url` that says where to return to.
    #[serde(default = "default_return_parameter")]
    pub return_parameter: String,
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
    /// The claim, words separated by spaces or an array, has this member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has: Option<String>,
    /// The claim is there, or is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub present: Option<bool>,
}
