//! The parts of a distribution's configuration that the authorizer reads.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of a behavior.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum BehaviorName {
    /// The default behavior, for paths that no pattern matches.
    Default,
    /// The behavior with this path pattern, as the configuration spells it.
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

impl JsonSchema for BehaviorName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "BehaviorName".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

/// `DistributionConfig`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct View {
    /// The object for `/`; empty if not set.
    #[serde(default, deserialize_with = "or_default")]
    pub default_root_object: String,
    /// The origins.
    pub origins: List<Origin>,
    /// Origin groups, with a second origin for failures.
    #[serde(default, deserialize_with = "or_default")]
    pub origin_groups: List<OriginGroup>,
    /// The default behavior.
    pub default_cache_behavior: Behavior,
    /// The behaviors with patterns, in order of precedence.
    #[serde(default, deserialize_with = "or_default")]
    pub cache_behaviors: List<Behavior>,
    /// The pages that viewers get instead of errors.
    #[serde(default, deserialize_with = "or_default")]
    pub custom_error_responses: List<CustomErrorResponse>,
    /// The policy that sends some requests to a staging distribution; empty if not set.
    #[serde(default, deserialize_with = "or_default")]
    pub continuous_deployment_policy_id: String,
    /// Whether this is a staging distribution.
    #[serde(default, deserialize_with = "or_default")]
    pub staging: bool,
    /// The certificate for viewers.
    #[serde(default, deserialize_with = "or_default")]
    pub viewer_certificate: ViewerCertificate,
    /// Access logs of the older kind.
    #[serde(default, deserialize_with = "or_default")]
    pub logging: Logging,
    /// The alternate domain names.
    #[serde(default, deserialize_with = "or_default")]
    pub aliases: List<String>,
    /// The parameters of the distribution's tenants.
    #[serde(default, deserialize_with = "or_default")]
    pub tenant_config: TenantConfig,
    /// `tenant-only` for a distribution that only its tenants use; empty if not set.
    #[serde(default, deserialize_with = "or_default")]
    pub connection_mode: String,
    /// Certificates of viewers.
    #[serde(default, deserialize_with = "or_default")]
    pub viewer_mtls_config: ViewerMtlsConfig,
    /// The function that runs when a viewer connects.
    #[serde(default, deserialize_with = "or_default")]
    pub connection_function_association: ConnectionFunctionAssociation,
}

/// What the tenants of a multi-tenant distribution set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct TenantConfig {
    /// The parameters.
    #[serde(default, deserialize_with = "or_default")]
    pub parameter_definitions: Vec<serde_json::Value>,
}

/// The distribution's way to take connections, where it is not the usual one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct ViewerMtlsConfig {
    /// Whether viewers must have a certificate.
    #[serde(default, deserialize_with = "or_default")]
    pub mode: String,
}

/// A function that runs when a viewer connects.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct ConnectionFunctionAssociation {
    /// The function.
    #[serde(default, deserialize_with = "or_default")]
    pub id: String,
}

/// The certificate for viewers, and the oldest TLS version that they may use.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct ViewerCertificate {
    /// Whether it is CloudFront's own certificate.
    #[serde(default, deserialize_with = "or_default")]
    pub cloud_front_default_certificate: bool,
    /// The oldest TLS version, as the name of a CloudFront security policy.
    #[serde(default, deserialize_with = "or_default")]
    pub minimum_protocol_version: Option<String>,
}

/// Access logs of the older kind, which go to a bucket.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct Logging {
    /// Whether they are written.
    #[serde(default, deserialize_with = "or_default")]
    pub enabled: bool,
    /// Whether cookies are in them.
    #[serde(default, deserialize_with = "or_default")]
    pub include_cookies: bool,
}

/// The page that viewers get instead of an error from the origin.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct CustomErrorResponse {
    /// The status of the origin.
    #[serde(default, deserialize_with = "or_default")]
    pub error_code: u16,
    /// The time to cache it, in seconds.
    #[serde(default, rename = "ErrorCachingMinTTL")]
    pub error_caching_min_ttl: Option<u64>,
    /// The path of the page; empty if not set.
    #[serde(default, deserialize_with = "or_default")]
    pub response_page_path: String,
    /// The status that viewers get with the page; empty if not set.
    #[serde(default, deserialize_with = "or_default")]
    pub response_code: String,
}

/// An origin.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct Origin {
    /// Its id.
    pub id: String,
    /// Its host.
    pub domain_name: String,
    /// The prefix of every path.
    #[serde(default, deserialize_with = "or_default")]
    pub origin_path: String,
    /// The Origin Access Control that signs; empty if not set.
    #[serde(default, deserialize_with = "or_default")]
    pub origin_access_control_id: String,
    /// Set for an S3 origin.
    #[serde(default, deserialize_with = "or_default")]
    pub s3_origin_config: Option<S3OriginConfig>,
    /// Headers that CloudFront adds.
    #[serde(default, deserialize_with = "or_default")]
    pub custom_headers: List<CustomHeader>,
}

/// A header that CloudFront adds to requests to an origin.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct CustomHeader {
    /// Its name.
    pub header_name: String,
    /// Its value.
    #[serde(default, deserialize_with = "or_default")]
    pub header_value: String,
}

/// The settings of an S3 origin.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct S3OriginConfig {
    /// The older way to sign; empty if not set.
    #[serde(default, deserialize_with = "or_default")]
    pub origin_access_identity: String,
}

/// Two origins, the second for failures of the first.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct OriginGroup {
    /// Its id.
    pub id: String,
    /// The first and the second.
    pub members: List<OriginGroupMember>,
    /// When the second one is asked, as it is written.
    #[serde(default)]
    pub failover_criteria: serde_json::Value,
}

impl OriginGroup {
    /// The statuses of the first origin for which CloudFront asks the second one.
    pub fn failover_statuses(&self) -> Vec<u16> {
        let items =
            self.failover_criteria.pointer("/StatusCodes/Items").and_then(serde_json::Value::as_array);
        let status = |item: &serde_json::Value| match item {
            serde_json::Value::String(text) => text.parse().ok(),
            other => other.as_u64().and_then(|number| number.try_into().ok()),
        };
        items.into_iter().flatten().filter_map(status).collect()
    }
}

/// A member of an origin group.
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
    /// The pattern; `None` in the default behavior.
    #[serde(default, deserialize_with = "or_default")]
    pub path_pattern: Option<String>,
    /// The origin, or the group of origins.
    pub target_origin_id: String,
    /// The setting for plain HTTP.
    pub viewer_protocol_policy: String,
    /// The methods; GET and HEAD if not set.
    #[serde(default, deserialize_with = "or_default")]
    pub allowed_methods: Option<AllowedMethods>,
    /// The cache policy.
    #[serde(default, deserialize_with = "or_default")]
    pub cache_policy_id: Option<String>,
    /// The origin request policy.
    #[serde(default, deserialize_with = "or_default")]
    pub origin_request_policy_id: Option<String>,
    /// The response headers policy.
    #[serde(default, deserialize_with = "or_default")]
    pub response_headers_policy_id: Option<String>,
    /// Lambda@Edge functions.
    #[serde(default, deserialize_with = "or_default")]
    pub lambda_function_associations: List<LambdaFunctionAssociation>,
    /// CloudFront Functions.
    #[serde(default, deserialize_with = "or_default")]
    pub function_associations: List<FunctionAssociation>,
    /// Whether it takes gRPC, for which CloudFront runs no Lambda function.
    #[serde(default, deserialize_with = "or_default")]
    pub grpc_config: Switch,
    /// Whether it streams in Microsoft's format, for which CloudFront runs no Lambda function.
    #[serde(default, deserialize_with = "or_default")]
    pub smooth_streaming: bool,
    /// Keys for CloudFront's own signed URLs and cookies.
    #[serde(default, deserialize_with = "or_default")]
    pub trusted_key_groups: Trusted,
    /// Accounts whose keys sign URLs and cookies, the older way.
    #[serde(default, deserialize_with = "or_default")]
    pub trusted_signers: Trusted,
    /// Real-time logs; empty if not set.
    #[serde(default, deserialize_with = "or_default")]
    pub realtime_log_config_arn: String,
    /// Field-level encryption; empty if not set.
    #[serde(default, deserialize_with = "or_default")]
    pub field_level_encryption_id: String,
    /// Whether CloudFront compresses answers.
    #[serde(default, deserialize_with = "or_default")]
    pub compress: bool,
    /// What a cache policy says, in the older way.
    #[serde(default, deserialize_with = "or_default")]
    pub forwarded_values: Option<ForwardedValues>,
    /// The shortest time in the cache, in the older way.
    #[serde(default, rename = "MinTTL")]
    pub min_ttl: Option<u64>,
    /// The time in the cache where the origin says nothing, in the older way.
    #[serde(default, rename = "DefaultTTL")]
    pub default_ttl: Option<u64>,
    /// The longest time in the cache, in the older way.
    #[serde(default, rename = "MaxTTL")]
    pub max_ttl: Option<u64>,
}

/// What is forwarded and is in the key of the cache, in the older way.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct ForwardedValues {
    /// Whether the query is forwarded.
    #[serde(default, deserialize_with = "or_default")]
    pub query_string: bool,
    /// The parameters that the key has; all, if there are none here.
    #[serde(default, deserialize_with = "or_default")]
    pub query_string_cache_keys: List<String>,
    /// The headers.
    #[serde(default, deserialize_with = "or_default")]
    pub headers: List<String>,
    /// The cookies.
    #[serde(default, deserialize_with = "or_default")]
    pub cookies: CookiePreference,
}

/// Which cookies are forwarded, in the older way.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct CookiePreference {
    /// `none`, `whitelist` or `all`.
    #[serde(default, deserialize_with = "or_default")]
    pub forward: String,
    /// The names, for `whitelist`.
    #[serde(default, deserialize_with = "or_default")]
    pub whitelisted_names: List<String>,
}

/// Something that is on or off.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct Switch {
    /// Whether it is on.
    #[serde(default, deserialize_with = "or_default")]
    pub enabled: bool,
}

/// Who signs URLs and cookies for a behavior.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct Trusted {
    /// Whether a signature is required.
    #[serde(default, deserialize_with = "or_default")]
    pub enabled: bool,
    /// Who signs.
    #[serde(default, deserialize_with = "or_default")]
    pub items: Vec<String>,
}

/// The methods that a behavior allows, and those whose responses are cached.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct AllowedMethods {
    /// The allowed methods.
    #[serde(flatten)]
    pub allowed: List<String>,
    /// The methods whose responses are cached.
    #[serde(default, deserialize_with = "or_default")]
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
    /// Whether it receives the body.
    #[serde(default, deserialize_with = "or_default")]
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

/// CloudFront's form of a list: the number and the items. The AWS CLI omits `Items` if the list is empty.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Counted<T>", bound(deserialize = "T: Deserialize<'de>"))]
pub struct List<T>(pub Vec<T>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object with `Quantity` and `Items`")]
struct Counted<T> {
    quantity: usize,
    // Some clients write `null` for an empty list.
    #[serde(default = "nothing")]
    items: Option<Vec<T>>,
}

fn nothing<T>() -> Option<T> {
    None
}

/// A member that is `null` is a member that is not there: some clients write every member.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl<T> TryFrom<Counted<T>> for List<T> {
    type Error = String;

    fn try_from(counted: Counted<T>) -> Result<Self, String> {
        let items = counted.items.unwrap_or_default();
        if items.len() == counted.quantity {
            Ok(Self(items))
        } else {
            Err(format!("`Quantity` is {}, but `Items` has {}", counted.quantity, items.len()))
        }
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl View {
    /// Every behavior with its name: those with patterns in order, then the default one.
    pub fn behaviors(&self) -> impl Iterator<Item = (BehaviorName, &Behavior)> {
        let patterns = self.cache_behaviors.0.iter();
        let patterns = patterns.map(|one| {
            let pattern = one.path_pattern.clone().unwrap_or_default();
            (BehaviorName::Pattern(pattern), one)
        });
        patterns.chain([(BehaviorName::Default, &self.default_cache_behavior)])
    }

    /// The setting that makes it a multi-tenant distribution, if it is one.
    pub fn tenants(&self) -> Option<String> {
        let mode = self.connection_mode.as_str();
        if !mode.is_empty() && mode != "direct" {
            return Some(format!("`ConnectionMode` is `{mode}`"));
        }
        let has_parameters = !self.tenant_config.parameter_definitions.is_empty();
        has_parameters.then(|| "`TenantConfig` has parameters".to_owned())
    }

    /// The origin of a behavior, or the first member of its group.
    pub fn first_origin_of(&self, behavior: &Behavior) -> Option<&Origin> {
        let target = behavior.target_origin_id.as_str();
        let group = self.origin_groups.0.iter().find(|group| group.id == target);
        let id = match group {
            Some(group) => group.members.0.first()?.origin_id.as_str(),
            None => target,
        };
        self.origins.0.iter().find(|origin| origin.id == id)
    }

    /// The origins of a behavior: one, or the members of a group.
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
    /// The Lambda@Edge function on viewer-request, if one is set.
    pub fn viewer_request(&self) -> Option<&LambdaFunctionAssociation> {
        self.lambda_function_associations.0.iter().find(|one| one.event_type == VIEWER_REQUEST)
    }

    /// The settings that require CloudFront's own signed URLs or cookies, by their names.
    pub fn signatures_required(&self) -> Vec<&'static str> {
        let asks = |trusted: &Trusted| trusted.enabled || !trusted.items.is_empty();
        let both =
            [("TrustedKeyGroups", &self.trusted_key_groups), ("TrustedSigners", &self.trusted_signers)];
        both.into_iter().filter(|(_, trusted)| asks(trusted)).map(|(name, _)| name).collect()
    }
}

/// The event that the authorizer decides on.
pub const VIEWER_REQUEST: &str = "viewer-request";
