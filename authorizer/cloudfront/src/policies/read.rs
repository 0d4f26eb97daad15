//! Policies as the AWS CLI writes them (`get-cache-policy` and its neighbors), and as templates have them. Templates have
//! lists without a count, and may have numbers and switches as text.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use thiserror::Error;

use super::{
    AddedHeader, CachePolicy, CorsHeadersPolicy, OriginRequestPolicy, ResponseHeadersPolicy, Selection,
};

/// Why a document is not such a policy.
#[derive(Debug, Error)]
pub enum PolicyError {
    /// Not JSON.
    #[error("not valid JSON: {0}")]
    Json(serde_json::Error),
    /// JSON of another form.
    #[error("not {what}: {error}")]
    Form {
        /// What it should be.
        what: &'static str,
        /// What serde says.
        error: serde_json::Error,
    },
}

/// A year, where a policy has no `MaxTTL`; a day, where it has no `DefaultTTL`.
const YEAR: u64 = 31_536_000;
const DAY: u64 = 86_400;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WrittenCachePolicy {
    #[serde(default)]
    name: String,
    #[serde(rename = "MinTTL", default, deserialize_with = "number")]
    min_ttl: Option<u64>,
    #[serde(rename = "DefaultTTL", default, deserialize_with = "number")]
    default_ttl: Option<u64>,
    #[serde(rename = "MaxTTL", default, deserialize_with = "number")]
    max_ttl: Option<u64>,
    #[serde(rename = "ParametersInCacheKeyAndForwardedToOrigin")]
    key: Key,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Key {
    #[serde(default, deserialize_with = "switch")]
    enable_accept_encoding_gzip: bool,
    #[serde(default, deserialize_with = "switch")]
    enable_accept_encoding_brotli: bool,
    #[serde(flatten)]
    parts: Parts,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parts {
    headers_config: Chosen,
    cookies_config: Chosen,
    query_strings_config: Chosen,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WrittenOriginRequestPolicy {
    #[serde(default)]
    name: String,
    #[serde(flatten)]
    parts: Parts,
}

#[derive(Deserialize)]
#[serde(try_from = "Written")]
struct Chosen(Selection);

#[derive(Deserialize)]
struct Written {
    #[serde(alias = "HeaderBehavior", alias = "CookieBehavior", alias = "QueryStringBehavior")]
    behavior: String,
    #[serde(default, alias = "Headers", alias = "Cookies", alias = "QueryStrings")]
    names: Names,
}

/// A list with or without a count.
#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Names {
    Plain(Vec<String>),
    Counted {
        #[serde(rename = "Items", default)]
        items: Vec<String>,
    },
    #[default]
    Absent,
}

impl Names {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::Plain(items) | Self::Counted { items } => items,
            Self::Absent => Vec::new(),
        }
    }
}

impl TryFrom<Written> for Chosen {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        Selection::of(&written.behavior, written.names.into_vec()).map(Self)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WrittenResponseHeadersPolicy {
    #[serde(default)]
    name: String,
    #[serde(default)]
    cors_config: Option<WrittenCors>,
    #[serde(default)]
    security_headers_config: Option<Security>,
    #[serde(default)]
    custom_headers_config: Option<Items<CustomHeader>>,
    #[serde(default)]
    remove_headers_config: Option<Items<RemovedHeader>>,
}

#[derive(Deserialize)]
struct Items<T> {
    #[serde(rename = "Items", default = "Vec::new")]
    items: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CustomHeader {
    header: String,
    #[serde(default)]
    value: String,
    #[serde(rename = "Override", default, deserialize_with = "switch")]
    replaces: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RemovedHeader {
    header: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WrittenCors {
    access_control_allow_origins: Names,
    #[serde(default)]
    access_control_allow_headers: Names,
    #[serde(default)]
    access_control_allow_methods: Names,
    #[serde(default, deserialize_with = "switch")]
    access_control_allow_credentials: bool,
    #[serde(default)]
    access_control_expose_headers: Names,
    #[serde(default, deserialize_with = "number")]
    access_control_max_age_sec: Option<u64>,
    #[serde(default, deserialize_with = "switch")]
    origin_override: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Security {
    #[serde(default)]
    content_security_policy: Option<SecurityHeader>,
    #[serde(default)]
    content_type_options: Option<SecurityHeader>,
    #[serde(default)]
    frame_options: Option<SecurityHeader>,
    #[serde(default)]
    referrer_policy: Option<SecurityHeader>,
    #[serde(default)]
    strict_transport_security: Option<SecurityHeader>,
    #[serde(rename = "XSSProtection", default)]
    xss_protection: Option<SecurityHeader>,
}

/// The members of every kind of security header.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SecurityHeader {
    #[serde(rename = "Override", default, deserialize_with = "switch")]
    replaces: bool,
    #[serde(default, alias = "FrameOption", alias = "ReferrerPolicy")]
    content_security_policy: String,
    #[serde(default, deserialize_with = "number")]
    access_control_max_age_sec: Option<u64>,
    #[serde(default, deserialize_with = "switch")]
    include_subdomains: bool,
    #[serde(default, deserialize_with = "switch")]
    preload: bool,
    #[serde(default, deserialize_with = "switch")]
    protection: bool,
    #[serde(default, deserialize_with = "switch")]
    mode_block: bool,
    #[serde(default)]
    report_uri: String,
}

/// A number, also as text.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let wrong = || serde::de::Error::custom("a number is expected");
    match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => text.parse().map(Some).map_err(|_| wrong()),
        Some(Value::Number(number)) => number
            .as_u64()
            .or_else(|| number.as_f64().filter(|one| *one >= 0.0 && one.fract() == 0.0).map(whole))
            .map(Some)
            .ok_or_else(wrong),
        Some(_) => Err(wrong()),
    }
}

/// YAML's readers may make `1.0` of a number of seconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the caller checked the value")]
fn whole(number: f64) -> u64 {
    number as u64
}

/// `true` or `false`, also as text.
fn switch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(on)) => Ok(on),
        Some(Value::String(text)) if text == "true" || text == "false" => Ok(text == "true"),
        Some(_) => Err(serde::de::Error::custom("`true` or `false` is expected")),
    }
}

/// The configuration in a document: that of a command has it in `CachePolicy` and `CachePolicyConfig`, a template in the
/// second alone.
fn config<T: DeserializeOwned>(document: &Value, name: &str, what: &'static str) -> Result<T, PolicyError> {
    let whole = document.get(name).unwrap_or(document);
    let config = whole.get(format!("{name}Config")).unwrap_or(whole);
    T::deserialize(config).map_err(|error| PolicyError::Form { what, error })
}

fn json(bytes: &[u8]) -> Result<Value, PolicyError> {
    serde_json::from_slice(bytes).map_err(PolicyError::Json)
}

impl CachePolicy {
    /// Parses what `get-cache-policy` writes.
    ///
    /// # Errors
    /// [`PolicyError`] if it is anything else.
    pub fn read(bytes: &[u8]) -> Result<Self, PolicyError> {
        Self::of(&json(bytes)?)
    }

    /// The policy in what a command writes or a template has.
    ///
    /// # Errors
    /// [`PolicyError::Form`] if it is anything else.
    pub fn of(document: &Value) -> Result<Self, PolicyError> {
        let written: WrittenCachePolicy = config(document, "CachePolicy", "a cache policy")?;
        let min_ttl = written.min_ttl.unwrap_or_default();
        let max_ttl = written.max_ttl.unwrap_or(YEAR).max(min_ttl);
        Ok(Self {
            name: Cow::Owned(written.name),
            min_ttl,
            default_ttl: written.default_ttl.unwrap_or(DAY).clamp(min_ttl, max_ttl),
            max_ttl,
            gzip: written.key.enable_accept_encoding_gzip,
            brotli: written.key.enable_accept_encoding_brotli,
            headers: written.key.parts.headers_config.0,
            cookies: written.key.parts.cookies_config.0,
            query: written.key.parts.query_strings_config.0,
        })
    }
}

impl OriginRequestPolicy {
    /// Parses what `get-origin-request-policy` writes.
    ///
    /// # Errors
    /// [`PolicyError`] if it is anything else.
    pub fn read(bytes: &[u8]) -> Result<Self, PolicyError> {
        Self::of(&json(bytes)?)
    }

    /// The policy in what a command writes or a template has.
    ///
    /// # Errors
    /// [`PolicyError::Form`] if it is anything else.
    pub fn of(document: &Value) -> Result<Self, PolicyError> {
        let written: WrittenOriginRequestPolicy =
            config(document, "OriginRequestPolicy", "an origin request policy")?;
        Ok(Self {
            name: Cow::Owned(written.name),
            headers: written.parts.headers_config.0,
            cookies: written.parts.cookies_config.0,
            query: written.parts.query_strings_config.0,
        })
    }
}

impl ResponseHeadersPolicy {
    /// Parses what `get-response-headers-policy` writes.
    ///
    /// # Errors
    /// [`PolicyError`] if it is anything else.
    pub fn read(bytes: &[u8]) -> Result<Self, PolicyError> {
        Self::of(&json(bytes)?)
    }

    /// The policy in what a command writes or a template has.
    ///
    /// # Errors
    /// [`PolicyError::Form`] if it is anything else.
    pub fn of(document: &Value) -> Result<Self, PolicyError> {
        let written: WrittenResponseHeadersPolicy =
            config(document, "ResponseHeadersPolicy", "a response headers policy")?;
        let mut added = written.security_headers_config.map(Security::headers).unwrap_or_default();
        added.extend(
            written.custom_headers_config.into_iter().flat_map(|list| list.items).map(|one| AddedHeader {
                name: one.header,
                value: one.value,
                replaces: one.replaces,
            }),
        );
        let removed = written.remove_headers_config.into_iter().flat_map(|list| list.items);
        Ok(Self {
            name: Cow::Owned(written.name),
            cors: written.cors_config.map(WrittenCors::policy),
            added,
            removed: removed.map(|one| one.header).collect(),
        })
    }
}

impl WrittenCors {
    fn policy(self) -> CorsHeadersPolicy {
        let methods = self.access_control_allow_methods.into_vec();
        let all = || ["GET", "DELETE", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"].map(str::to_owned).to_vec();
        CorsHeadersPolicy {
            origins: self.access_control_allow_origins.into_vec(),
            credentials: self.access_control_allow_credentials,
            methods: if methods == ["ALL"] { all() } else { methods },
            headers: self.access_control_allow_headers.into_vec(),
            exposed: self.access_control_expose_headers.into_vec(),
            max_age: self.access_control_max_age_sec,
            replaces: self.origin_override,
        }
    }
}

impl Security {
    fn headers(self) -> Vec<AddedHeader> {
        let mut added = Vec::new();
        let mut add = |name: &str, header: Option<SecurityHeader>, value: fn(&SecurityHeader) -> String| {
            if let Some(header) = header {
                let value = value(&header);
                added.push(AddedHeader { name: name.to_owned(), value, replaces: header.replaces });
            }
        };
        add("Content-Security-Policy", self.content_security_policy, |one| {
            one.content_security_policy.clone()
        });
        add("X-Content-Type-Options", self.content_type_options, |_| "nosniff".to_owned());
        add("X-Frame-Options", self.frame_options, |one| one.content_security_policy.clone());
        add("Referrer-Policy", self.referrer_policy, |one| one.content_security_policy.clone());
        add("Strict-Transport-Security", self.strict_transport_security, |one| {
            let subdomains = if one.include_subdomains { "; includeSubDomains" } else { "" };
            let preload = if one.preload { "; preload" } else { "" };
            format!("max-age={}{subdomains}{preload}", one.access_control_max_age_sec.unwrap_or_default())
        });
        add("X-XSS-Protection", self.xss_protection, |one| match one {
            SecurityHeader { protection: false, .. } => "0".to_owned(),
            SecurityHeader { mode_block: true, .. } => "1; mode=block".to_owned(),
            SecurityHeader { report_uri, .. } if !report_uri.is_empty() => format!("1; report={report_uri}"),
            SecurityHeader { .. } => "1".to_owned(),
        });
        added
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_policy_reads_the_same_from_the_cli_and_from_a_template() {
        let of_the_cli = json!({"ETag": "E", "CachePolicy": {"Id": "x", "CachePolicyConfig": {
            "Name": "mine", "MinTTL": 1, "DefaultTTL": 60, "MaxTTL": 120,
            "ParametersInCacheKeyAndForwardedToOrigin": {
                "EnableAcceptEncodingGzip": true, "EnableAcceptEncodingBrotli": false,
                "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": {"Quantity": 1, "Items": ["Origin"]}},
                "CookiesConfig": {"CookieBehavior": "none"},
                "QueryStringsConfig": {"QueryStringBehavior": "allExcept", "QueryStrings": {"Quantity": 1, "Items": ["a"]}},
            },
        }}});
        let of_a_template = json!({"CachePolicyConfig": {
            "Name": "mine", "MinTTL": "1", "DefaultTTL": 60, "MaxTTL": "120",
            "ParametersInCacheKeyAndForwardedToOrigin": {
                "EnableAcceptEncodingGzip": "true",
                "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": ["Origin"]},
                "CookiesConfig": {"CookieBehavior": "none"},
                "QueryStringsConfig": {"QueryStringBehavior": "allExcept", "QueryStrings": ["a"]},
            },
        }});
        let policy = CachePolicy::of(&of_the_cli).unwrap();
        assert_eq!(policy, CachePolicy::of(&of_a_template).unwrap());
        assert_eq!((policy.min_ttl, policy.default_ttl, policy.max_ttl), (1, 60, 120));
        assert!(policy.gzip && !policy.brotli && !policy.is_disabled());
        assert!(policy.headers.has_header("origin") && !policy.headers.has_header("host"));
        assert!(policy.query.has("A") && !policy.query.has("a"));
    }

    #[test]
    fn what_is_not_such_a_policy_is_told() {
        let origin = json!({"OriginRequestPolicy": {"OriginRequestPolicyConfig": {"Name": "x"}}});
        let error = OriginRequestPolicy::of(&origin).unwrap_err().to_string();
        assert!(error.starts_with("not an origin request policy: missing field"), "{error}");
        assert!(matches!(CachePolicy::read(b"{"), Err(PolicyError::Json(_))));
    }

    #[test]
    fn each_security_header_has_its_value() {
        let policy = ResponseHeadersPolicy::of(&json!({"ResponseHeadersPolicyConfig": {
            "Name": "x",
            "SecurityHeadersConfig": {
                "XSSProtection": {"Override": false, "Protection": true, "ModeBlock": true},
                "FrameOptions": {"Override": true, "FrameOption": "DENY"},
                "ReferrerPolicy": {"Override": true, "ReferrerPolicy": "no-referrer"},
                "ContentSecurityPolicy": {"Override": false, "ContentSecurityPolicy": "sandbox"},
                "ContentTypeOptions": {"Override": true},
                "StrictTransportSecurity": {
                    "Override": true, "IncludeSubdomains": true, "Preload": true, "AccessControlMaxAgeSec": 63072000,
                },
            },
            "CustomHeadersConfig": {"Quantity": 1, "Items": [
                {"Header": "Cache-Control", "Value": "private", "Override": false},
            ]},
            "RemoveHeadersConfig": {"Quantity": 1, "Items": [{"Header": "x-amz-id-2"}]},
        }}))
        .unwrap();
        let lines = policy.added.iter().map(|one| (one.name.as_str(), one.value.as_str(), one.replaces));
        let lines: Vec<_> = lines.collect();
        assert_eq!(
            lines,
            [
                ("Content-Security-Policy", "sandbox", false),
                ("X-Content-Type-Options", "nosniff", true),
                ("X-Frame-Options", "DENY", true),
                ("Referrer-Policy", "no-referrer", true),
                ("Strict-Transport-Security", "max-age=63072000; includeSubDomains; preload", true),
                ("X-XSS-Protection", "1; mode=block", false),
                ("Cache-Control", "private", false),
            ]
        );
        assert_eq!(policy.removed, ["x-amz-id-2"]);
    }
}
