//! What of a distribution's configuration the authorizer cares about.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// A behavior, by what people call it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum BehaviorName {
    /// The default one, which takes what no pattern does.
    Default,
    /// The one with this path pattern, as the configuration spells it.
    Pattern(String),
}

impl fmt::Display for BehaviorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default behavior"),
            Self::Pattern(pattern) => write!(f, "behavior `{}`", pattern.escape_debug()),
        }
    }
}

impl Serialize for BehaviorName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Default => "default",
            Self::Pattern(pattern) => pattern,
        })
    }
}

/// `DistributionConfig`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub(crate) struct View {
    #[serde(default)]
    pub(crate) default_root_object: String,
    pub(crate) origins: List<Origin>,
    #[serde(default)]
    pub(crate) origin_groups: List<OriginGroup>,
    pub(crate) default_cache_behavior: Behavior,
    #[serde(default)]
    pub(crate) cache_behaviors: List<Behavior>,
    #[serde(default)]
    pub(crate) custom_error_responses: List<CustomErrorResponse>,
    #[serde(default)]
    pub(crate) continuous_deployment_policy_id: String,
    #[serde(default)]
    pub(crate) staging: bool,
    #[serde(default)]
    pub(crate) viewer_certificate: ViewerCertificate,
    #[serde(default)]
    pub(crate) logging: Logging,
}

/// The certificate that viewers are shown, and the oldest TLS that they may use.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub(crate) struct ViewerCertificate {
    #[serde(default)]
    pub(crate) cloud_front_default_certificate: bool,
    #[serde(default)]
    pub(crate) minimum_protocol_version: Option<String>,
}

/// Access logs of the older kind, which go to a bucket.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub(crate) struct Logging {
    #[serde(default)]
    pub(crate) enabled: bool,
    #[serde(default)]
    pub(crate) include_cookies: bool,
}

/// What viewers get in the place of an error of the origin's.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub(crate) struct CustomErrorResponse {
    #[serde(default)]
    pub(crate) error_code: u16,
    #[serde(default, rename = "ErrorCachingMinTTL")]
    pub(crate) error_caching_min_ttl: Option<u64>,
    #[serde(default)]
    pub(crate) response_page_path: String,
}

/// An origin.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub(crate) struct Origin {
    pub(crate) id: String,
    pub(crate) domain_name: String,
    #[serde(default)]
    pub(crate) origin_path: String,
    #[serde(default)]
    pub(crate) origin_access_control_id: String,
    #[serde(default)]
    pub(crate) s3_origin_config: Option<S3OriginConfig>,
    #[serde(default)]
    pub(crate) custom_headers: List<CustomHeader>,
}

/// A header that CloudFront adds on the way to an origin.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub(crate) struct CustomHeader {
    pub(crate) header_name: String,
}

/// What makes an origin one of S3's.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub(crate) struct S3OriginConfig {
    #[serde(default)]
    pub(crate) origin_access_identity: String,
}

/// Two origins, the second for when the first fails.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub(crate) struct OriginGroup {
    pub(crate) id: String,
    pub(crate) members: List<OriginGroupMember>,
}

/// One of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub(crate) struct OriginGroupMember {
    pub(crate) origin_id: String,
}

/// A behavior.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub(crate) struct Behavior {
    #[serde(default)]
    pub(crate) path_pattern: Option<String>,
    pub(crate) target_origin_id: String,
    pub(crate) viewer_protocol_policy: String,
    #[serde(default)]
    pub(crate) allowed_methods: Option<AllowedMethods>,
    #[serde(default)]
    pub(crate) cache_policy_id: Option<String>,
    #[serde(default)]
    pub(crate) origin_request_policy_id: Option<String>,
    #[serde(default)]
    pub(crate) response_headers_policy_id: Option<String>,
    #[serde(default)]
    pub(crate) lambda_function_associations: List<LambdaFunctionAssociation>,
    #[serde(default)]
    pub(crate) function_associations: List<FunctionAssociation>,
}

/// The methods that a behavior lets in, and those whose answers are cached.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub(crate) struct AllowedMethods {
    #[serde(flatten)]
    pub(crate) allowed: List<String>,
    #[serde(default)]
    pub(crate) cached_methods: List<String>,
}

/// A Lambda@Edge function on a behavior.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub(crate) struct LambdaFunctionAssociation {
    #[serde(rename = "LambdaFunctionARN")]
    pub(crate) arn: String,
    pub(crate) event_type: String,
    #[serde(default)]
    pub(crate) include_body: bool,
}

/// A CloudFront Function on a behavior.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub(crate) struct FunctionAssociation {
    #[serde(rename = "FunctionARN")]
    pub(crate) arn: String,
    pub(crate) event_type: String,
}

/// CloudFront's form of a list: how many, and which. The AWS CLI leaves `Items` out where there are none.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Counted<T>", bound(deserialize = "T: Deserialize<'de>"))]
pub(crate) struct List<T>(pub(crate) Vec<T>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object with `Quantity` and `Items`")]
struct Counted<T> {
    quantity: usize,
    // `null` is what some clients write for an empty list.
    #[serde(default = "nothing")]
    items: Option<Vec<T>>,
}

fn nothing<T>() -> Option<T> {
    None
}

impl<T> TryFrom<Counted<T>> for List<T> {
    type Error = String;

    fn try_from(counted: Counted<T>) -> Result<Self, String> {
        let items = counted.items.unwrap_or_default();
        if items.len() == counted.quantity {
            Ok(Self(items))
        } else {
            Err(format!("`Quantity` is {}, and `Items` has {}", counted.quantity, items.len()))
        }
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl View {
    /// Every behavior with its name: those with patterns in their order, then the default one.
    pub(crate) fn behaviors(&self) -> impl Iterator<Item = (BehaviorName, &Behavior)> {
        let patterns = self.cache_behaviors.0.iter();
        let patterns = patterns.map(|one| {
            let pattern = one.path_pattern.clone().unwrap_or_default();
            (BehaviorName::Pattern(pattern), one)
        });
        patterns.chain([(BehaviorName::Default, &self.default_cache_behavior)])
    }

    /// The origins that a behavior sends requests to: one, or the members of a group.
    pub(crate) fn origins_of(&self, behavior: &Behavior) -> Vec<&Origin> {
        let target = behavior.target_origin_id.as_str();
        let group = self.origin_groups.0.iter().find(|group| group.id == target);
        let ids: Vec<&str> = match group {
            Some(group) => group.members.0.iter().map(|member| member.origin_id.as_str()).collect(),
            None => vec![target],
        };
        self.origins.0.iter().filter(|origin| ids.contains(&origin.id.as_str())).collect()
    }
}

impl Behavior {
    /// The Lambda@Edge function that sees the viewer's request, if there is one.
    pub(crate) fn viewer_request(&self) -> Option<&LambdaFunctionAssociation> {
        self.lambda_function_associations.0.iter().find(|one| one.event_type == VIEWER_REQUEST)
    }
}

/// The event that the authorizer decides on.
pub(crate) const VIEWER_REQUEST: &str = "viewer-request";
