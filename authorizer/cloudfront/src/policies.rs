//! What a cache policy, an origin request policy and a response headers policy say: custom ones as the AWS CLI or a
//! template writes them, and AWS's own by their ids.

mod managed;
mod read;

use std::borrow::Cow;

use serde_json::Value;

pub use read::PolicyError;

/// Names that a policy selects.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Selection {
    /// No name.
    #[default]
    Nothing,
    /// These names.
    These(Vec<String>),
    /// Every name but these.
    AllBut(Vec<String>),
    /// Every name.
    All,
}

/// When an Origin Access Control signs a request for the origin
/// ([AWS: settings](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html#oac-advanced-settings-s3)).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SigningBehavior {
    /// Every request.
    Always,
    /// `no-override`: only a request without an `Authorization`.
    NoOverride,
    /// No request.
    Never,
    /// It is not said, or something else is.
    Unknown,
}

impl SigningBehavior {
    /// That of an `OriginAccessControlConfig`.
    pub fn of(config: Option<&Value>) -> Self {
        match config.and_then(|config| config.get("SigningBehavior")).and_then(Value::as_str) {
            Some("always") => Self::Always,
            Some("no-override") => Self::NoOverride,
            Some("never") => Self::Never,
            Some(_) | None => Self::Unknown,
        }
    }

    /// That of what `get-origin-access-control` writes.
    pub fn of_file(bytes: &[u8]) -> Self {
        let document: Value = serde_json::from_slice(bytes).unwrap_or_default();
        Self::of(document.pointer("/OriginAccessControl/OriginAccessControlConfig"))
    }
}

/// What of a request is in the key of the cache. All of it is forwarded to the origin too.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CachePolicy {
    /// Its name.
    pub name: Cow<'static, str>,
    /// The shortest time in the cache, in seconds.
    pub min_ttl: u64,
    /// The time where the origin says nothing, in seconds.
    pub default_ttl: u64,
    /// The longest time, in seconds.
    pub max_ttl: u64,
    /// Whether the key has `Accept-Encoding`, as far as it says `gzip`.
    pub gzip: bool,
    /// Whether the key has `Accept-Encoding`, as far as it says `br`.
    pub brotli: bool,
    /// The headers.
    pub headers: Selection,
    /// The cookies.
    pub cookies: Selection,
    /// The query parameters.
    pub query: Selection,
}

/// What of a request is forwarded to the origin, in addition to what the key of the cache has.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct OriginRequestPolicy {
    /// Its name.
    pub name: Cow<'static, str>,
    /// The headers.
    pub headers: Selection,
    /// The cookies.
    pub cookies: Selection,
    /// The query parameters.
    pub query: Selection,
}

/// What CloudFront does to the headers of an answer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ResponseHeadersPolicy {
    /// Its name.
    pub name: Cow<'static, str>,
    /// The CORS headers.
    pub cors: Option<CorsHeadersPolicy>,
    /// The security headers and the custom ones.
    pub added: Vec<AddedHeader>,
    /// The headers that are removed.
    pub removed: Vec<String>,
}

/// A header that a response headers policy adds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AddedHeader {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether it replaces the one that the answer has.
    pub replaces: bool,
}

/// The CORS headers of a response headers policy.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CorsHeadersPolicy {
    /// The origins: `*`, an origin, or one with `*` in the place of a label.
    pub origins: Vec<String>,
    /// Whether pages may send credentials.
    pub credentials: bool,
    /// The methods that a preflight is told.
    pub methods: Vec<String>,
    /// The headers that a preflight is told.
    pub headers: Vec<String>,
    /// The headers that pages may read.
    pub exposed: Vec<String>,
    /// How long a browser keeps the answer to a preflight, in seconds.
    pub max_age: Option<u64>,
    /// Whether they replace those that the answer has.
    pub replaces: bool,
}

impl Selection {
    /// What CloudFront's word for a choice means, with the names beside it.
    ///
    /// # Errors
    /// A sentence that names a word that is not known.
    pub fn of(word: &str, names: Vec<String>) -> Result<Self, String> {
        Ok(match word {
            "none" => Self::Nothing,
            "whitelist" => Self::These(names),
            "allExcept" => Self::AllBut(names),
            // The second adds headers of CloudFront's own.
            "all" | "allViewer" | "allViewerAndWhitelistCloudFront" => Self::All,
            other => return Err(format!("`{}` is not a known behavior", other.escape_debug())),
        })
    }

    /// Whether it selects no name.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::These(names) => names.is_empty(),
            Self::AllBut(_) | Self::All => false,
        }
    }

    /// Whether it selects a query parameter or a cookie. CloudFront reads these with their case.
    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::These(names) => names.iter().any(|one| one == name),
            Self::AllBut(names) => !names.iter().any(|one| one == name),
            Self::All => true,
        }
    }

    /// Whether it selects a header. Its name has no case.
    pub fn has_header(&self, name: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::These(names) => names.iter().any(|one| one.eq_ignore_ascii_case(name)),
            Self::AllBut(names) => !names.iter().any(|one| one.eq_ignore_ascii_case(name)),
            Self::All => true,
        }
    }
}

impl CachePolicy {
    /// Whether nothing but errors is ever cached.
    pub fn is_disabled(&self) -> bool {
        self.max_ttl == 0
    }
}
