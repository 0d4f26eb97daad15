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
pub struct View {
    /// The object that stands for `/`; empty for none.
    #[serde(default)]
    pub default_root_object: String,
    /// Where requests go.
    pub origins: List<Origin>,
    /// Origins with another for when they fail.
    #[serde(default)]
    pub origin_groups: List<OriginGroup>,
    /// The behavior for what no pattern takes.
    pub default_cache_behavior: Behavior,
    /// The behaviors with patterns, in the order in which they are tried.
    #[serde(default)]
    pub cache_behaviors: List<Behavior>,
    /// What viewers get in the place of errors.
    #[serde(default)]
    pub custom_error_responses: List<CustomErrorResponse>,
    /// The policy that sends some requests to a staging distribution; empty for none.
    #[serde(default)]
    pub continuous_deployment_policy_id: String,
    /// Whether this is a staging distribution.
    #[serde(default)]
    pub staging: bool,
    /// The certificate that viewers are shown.
    #[serde(default)]
    pub viewer_certificate: ViewerCertificate,
    /// Access logs of the older kind.
    #[serde(default)]
    pub logging: Logging,
}

/// The certificate that viewers are shown, and the oldest TLS that they may use.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct ViewerCertificate {
    /// Whether it is CloudFront's own.
    #[serde(default)]
    pub cloud_front_default_certificate: bool,
    /// The oldest TLS, as CloudFront names its security policies.
    #[serde(default)]
    pub minimum_protocol_version: Option<String>,
}

/// Access logs of the older kind, which go to a bucket.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct Logging {
    /// Whether they are written.
    #[serde(default)]
    pub enabled: bool,
    /// Whether cookies are in them.
    #[serde(default)]
    pub include_cookies: bool,
}

/// What viewers get in the place of an error of the origin's.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct CustomErrorResponse {
    /// The status that the origin answered.
    #[serde(default)]
    pub error_code: u16,
    /// How long it is cached, in seconds.
    #[serde(default, rename = "ErrorCachingMinTTL")]
    pub error_caching_min_ttl: Option<u64>,
    /// The path that is asked for in its place; empty for none.
    #[serde(default)]
    pub response_page_path: String,
}

/// An origin.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct Origin {
    /// Its id.
    pub id: String,
    /// Its host.
    pub domain_name: String,
    /// What is put before every path.
    #[serde(default)]
    pub origin_path: String,
    /// The Origin Access Control that signs; empty for none.
    #[serde(default)]
    pub origin_access_control_id: String,
    /// There for an origin of S3's.
    #[serde(default)]
    pub s3_origin_config: Option<S3OriginConfig>,
    /// Headers that CloudFront adds.
    #[serde(default)]
    pub custom_headers: List<CustomHeader>,
}

/// A header that CloudFront adds on the way to an origin.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct CustomHeader {
    /// Its name.
    pub header_name: String,
}

/// What makes an origin one of S3's.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct S3OriginConfig {
    /// The older way to sign; empty for none.
    #[serde(default)]
    pub origin_access_identity: String,
}

/// Two origins, the second for when the first fails.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct OriginGroup {
    /// Its id.
    pub id: String,
    /// The first and the second.
    pub members: List<OriginGroupMember>,
}

/// One of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct OriginGroupMember {
    /// The origin.
    pub origin_id: String,
}

/// A behavior.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct Behavior {
    /// The pattern; none in the default behavior.
    #[serde(default)]
    pub path_pattern: Option<String>,
    /// The origin, or the group of origins.
    pub target_origin_id: String,
    /// What becomes of plain HTTP.
    pub viewer_protocol_policy: String,
    /// The methods; GET and HEAD where nothing is said.
    #[serde(default)]
    pub allowed_methods: Option<AllowedMethods>,
    /// The cache policy.
    #[serde(default)]
    pub cache_policy_id: Option<String>,
    /// The origin request policy.
    #[serde(default)]
    pub origin_request_policy_id: Option<String>,
    /// The response headers policy.
    #[serde(default)]
    pub response_headers_policy_id: Option<String>,
    /// Lambda@Edge functions.
    #[serde(default)]
    pub lambda_function_associations: List<LambdaFunctionAssociation>,
    /// CloudFront Functions.
    #[serde(default)]
    pub function_associations: List<FunctionAssociation>,
}

/// The methods that a behavior lets in, and those whose answers are cached.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct AllowedMethods {
    /// Those that are let in.
    #[serde(flatten)]
    pub allowed: List<String>,
    /// Those whose answers are cached.
    #[serde(default)]
    pub cached_methods: List<String>,
}

/// A Lambda@Edge function on a behavior.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct LambdaFunctionAssociation {
    /// The function.
    #[serde(rename = "LambdaFunctionARN")]
    pub arn: String,
    /// The event that it sees.
    pub event_type: String,
    /// Whether it is given the body.
    #[serde(default)]
    pub include_body: bool,
}

/// A CloudFront Function on a behavior.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct FunctionAssociation {
    /// The function.
    #[serde(rename = "FunctionARN")]
    pub arn: String,
    /// The event that it sees.
    pub event_type: String,
}

/// CloudFront's form of a list: how many, and which. The AWS CLI leaves `Items` out where there are none.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Counted<T>", bound(deserialize = "T: Deserialize<'de>"))]
pub struct List<T>(pub Vec<T>);

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
    pub fn behaviors(&self) -> impl Iterator<Item = (BehaviorName, &Behavior)> {
        let patterns = self.cache_behaviors.0.iter();
        let patterns = patterns.map(|one| {
            let pattern = one.path_pattern.clone().unwrap_or_default();
            (BehaviorName::Pattern(pattern), one)
        });
        patterns.chain([(BehaviorName::Default, &self.default_cache_behavior)])
    }

    /// The origins that a behavior sends requests to: one, or the members of a group.
    pub fn origins_of(&self, behavior: &Behavior) -> Vec<&Origin> {
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
    pub fn viewer_request(&self) -> Option<&LambdaFunctionAssociation> {
        self.lambda_function_associations.0.iter().find(|one| one.event_type == VIEWER_REQUEST)
    }
}

/// The event that the authorizer decides on.
pub const VIEWER_REQUEST: &str = "viewer-request";
