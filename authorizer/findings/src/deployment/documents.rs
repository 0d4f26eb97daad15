//! What the AWS CLI writes, beside the distribution's configuration: as much of it as is judged.

use std::collections::BTreeMap;

use authorizer_cloudfront::view::List;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::iam::Document;
use super::selection::Chosen;

/// Which distribution it is: `get-distribution`, without its configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Identity {
    #[serde(rename = "ARN")]
    pub(super) arn: String,
    #[serde(default)]
    pub(super) domain_name: Option<String>,
}

impl Identity {
    /// The account that it belongs to.
    pub(super) fn account(&self) -> &str {
        self.arn.split(':').nth(4).unwrap_or_default()
    }
}

/// `get-origin-access-control`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OriginAccessControlFile {
    pub(super) origin_access_control: OriginAccessControl,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OriginAccessControl {
    pub(super) origin_access_control_config: OriginAccessControlConfig,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OriginAccessControlConfig {
    pub(super) signing_protocol: String,
    pub(super) signing_behavior: String,
    pub(super) origin_access_control_origin_type: String,
}

/// `get-cache-policy`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CachePolicyFile {
    pub(super) cache_policy: CachePolicy,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CachePolicy {
    pub(super) cache_policy_config: CachePolicyConfig,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CachePolicyConfig {
    pub(super) name: String,
    #[serde(rename = "MinTTL")]
    pub(super) min_ttl: u64,
    /// A year, where it is not said.
    #[serde(rename = "MaxTTL", default = "year")]
    pub(super) max_ttl: u64,
    #[serde(rename = "ParametersInCacheKeyAndForwardedToOrigin")]
    pub(super) key: Parts,
}

fn year() -> u64 {
    31_536_000
}

/// `get-origin-request-policy`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OriginRequestPolicyFile {
    pub(super) origin_request_policy: OriginRequestPolicy,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OriginRequestPolicy {
    pub(super) origin_request_policy_config: OriginRequestPolicyConfig,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OriginRequestPolicyConfig {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) parts: Parts,
}

/// Parts of a request, for the cache's key or for the origin.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Parts {
    pub(super) headers_config: Chosen,
    pub(super) cookies_config: Chosen,
    pub(super) query_strings_config: Chosen,
}

/// `get-response-headers-policy`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ResponseHeadersPolicyFile {
    pub(super) response_headers_policy: ResponseHeadersPolicy,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ResponseHeadersPolicy {
    pub(super) response_headers_policy_config: ResponseHeadersPolicyConfig,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ResponseHeadersPolicyConfig {
    #[serde(default)]
    pub(super) cors_config: Option<CorsConfig>,
    #[serde(default)]
    pub(super) security_headers_config: SecurityHeaders,
    #[serde(default)]
    pub(super) custom_headers_config: List<AddedHeader>,
    #[serde(default)]
    pub(super) remove_headers_config: List<RemovedHeader>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SecurityHeaders {
    #[serde(default)]
    pub(super) content_type_options: Option<Value>,
    #[serde(default)]
    pub(super) content_security_policy: Option<ContentSecurityPolicy>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ContentSecurityPolicy {
    pub(super) content_security_policy: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AddedHeader {
    pub(super) header: String,
    pub(super) value: String,
    /// Whether it replaces the header that the answer already has.
    #[serde(default, rename = "Override")]
    pub(super) replaces: bool,
}

impl AddedHeader {
    /// Whether it is this header, with one of these words.
    pub(super) fn is(&self, header: &str, words: &[&str]) -> bool {
        self.header.eq_ignore_ascii_case(header) && words.iter().any(|word| has_word(&self.value, word))
    }
}

/// Whether a list of directives has one.
pub(super) fn has_word(value: &str, word: &str) -> bool {
    value.split([',', ';', ' ']).any(|one| one.eq_ignore_ascii_case(word))
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RemovedHeader {
    pub(super) header: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CorsConfig {
    pub(super) access_control_allow_origins: List<String>,
    pub(super) access_control_allow_credentials: bool,
    #[serde(default)]
    pub(super) access_control_expose_headers: List<String>,
    pub(super) origin_override: bool,
}

/// `get-realtime-log-config`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RealtimeLogConfigFile {
    pub(super) realtime_log_config: RealtimeLogConfig,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RealtimeLogConfig {
    pub(super) fields: Vec<String>,
}

/// Where a function's log goes.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LoggingConfig {
    #[serde(default)]
    pub(super) log_group: Option<String>,
}

/// `get-function-configuration`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct FunctionConfiguration {
    pub(super) function_arn: String,
    pub(super) runtime: Option<String>,
    pub(super) role: String,
    pub(super) handler: Option<String>,
    pub(super) timeout: u64,
    pub(super) memory_size: u64,
    pub(super) code_sha256: String,
    #[serde(default)]
    pub(super) logging_config: Option<LoggingConfig>,
    #[serde(default)]
    pub(super) environment: Option<Environment>,
    #[serde(default)]
    pub(super) layers: Vec<Value>,
    #[serde(default)]
    pub(super) file_system_configs: Vec<Value>,
    #[serde(default)]
    pub(super) vpc_config: Option<VpcConfig>,
    #[serde(default)]
    pub(super) package_type: Option<String>,
    #[serde(default)]
    pub(super) architectures: Option<Vec<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Environment {
    #[serde(default)]
    pub(super) variables: Map<String, Value>,
    /// Why the variables could not be read.
    #[serde(default)]
    pub(super) error: Option<Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VpcConfig {
    #[serde(default)]
    pub(super) vpc_id: Option<String>,
    #[serde(default)]
    pub(super) subnet_ids: Vec<String>,
}

/// `get-role`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RoleFile {
    pub(super) role: Role,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Role {
    pub(super) assume_role_policy_document: Document,
}

/// `list-attached-role-policies`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AttachedFile {
    pub(super) attached_policies: Vec<Attached>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Attached {
    pub(super) policy_arn: String,
}

/// `list-role-policies`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct InlineFile {
    pub(super) policy_names: Vec<String>,
}

/// `get-role-policy`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RolePolicyFile {
    pub(super) policy_document: Document,
}

/// `get-bucket-policy` and `get-key-policy`: a document as a text.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PolicyFile {
    pub(super) policy: Document,
}

/// `get-public-access-block`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PublicAccessBlockFile {
    pub(super) public_access_block_configuration: PublicAccessBlock,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PublicAccessBlock {
    #[serde(default)]
    pub(super) block_public_acls: bool,
    #[serde(default)]
    pub(super) ignore_public_acls: bool,
    #[serde(default)]
    pub(super) block_public_policy: bool,
    #[serde(default)]
    pub(super) restrict_public_buckets: bool,
}

/// `get-bucket-ownership-controls`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OwnershipFile {
    pub(super) ownership_controls: OwnershipControls,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OwnershipControls {
    pub(super) rules: Vec<OwnershipRule>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OwnershipRule {
    pub(super) object_ownership: String,
}

/// `get-bucket-acl`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AclFile {
    pub(super) owner: Owner,
    pub(super) grants: Vec<Grant>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Owner {
    #[serde(rename = "ID")]
    pub(super) id: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Grant {
    pub(super) grantee: Grantee,
    pub(super) permission: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Grantee {
    #[serde(rename = "ID", default)]
    pub(super) id: Option<String>,
    #[serde(rename = "URI", default)]
    pub(super) uri: Option<String>,
}

/// `get-bucket-encryption`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EncryptionFile {
    pub(super) server_side_encryption_configuration: Encryption,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Encryption {
    pub(super) rules: Vec<EncryptionRule>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EncryptionRule {
    #[serde(default)]
    pub(super) apply_server_side_encryption_by_default: Option<DefaultEncryption>,
    #[serde(default)]
    pub(super) bucket_key_enabled: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct DefaultEncryption {
    #[serde(rename = "SSEAlgorithm")]
    pub(super) algorithm: String,
    #[serde(rename = "KMSMasterKeyID", default)]
    pub(super) key: Option<String>,
}

/// `describe-key`, of a key that the bucket names by an alias.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DescribedKeyFile {
    pub(super) key_metadata: KeyMetadata,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeyMetadata {
    pub(super) key_id: String,
}

/// `list-grants`, of a key.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GrantsFile {
    pub(super) grants: Vec<KeyGrant>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeyGrant {
    #[serde(default)]
    pub(super) grantee_principal: Option<String>,
    #[serde(default)]
    pub(super) grantee_service_principal: Option<String>,
    #[serde(default)]
    pub(super) operations: Vec<String>,
}

/// `get-bucket-replication`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ReplicationFile {
    pub(super) replication_configuration: Replication,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Replication {
    pub(super) rules: Vec<ReplicationRule>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ReplicationRule {
    pub(super) status: String,
    pub(super) destination: ReplicationDestination,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ReplicationDestination {
    pub(super) bucket: String,
}

/// `list-bucket-inventory-configurations`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct InventoryFile {
    pub(super) inventory_configuration_list: Vec<Inventory>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Inventory {
    pub(super) id: String,
}

/// `get-bucket-notification-configuration`: whom the bucket tells, by kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NotificationFile {
    pub(super) configurations: Map<String, Value>,
}

/// `list-access-points`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AccessPointsFile {
    pub(super) access_point_list: Vec<AccessPoint>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AccessPoint {
    pub(super) name: String,
}

/// `list-access-grants`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AccessGrantsFile {
    pub(super) access_grants_list: Vec<AccessGrant>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AccessGrant {
    pub(super) grant_scope: String,
    pub(super) permission: String,
}

/// `list-distributions`, as much of it as `infra/export` asks for.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DistributionsFile {
    pub(super) items: Vec<OtherDistribution>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OtherDistribution {
    pub(super) id: String,
    #[serde(rename = "ARN")]
    pub(super) arn: String,
    #[serde(default)]
    pub(super) domain_name: Option<String>,
    pub(super) origins: Vec<String>,
}

/// `describe-log-groups`, by Region.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LogGroupsFile {
    pub(super) regions: BTreeMap<String, LogGroups>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "an object with `logGroups`")]
pub(super) enum LogGroups {
    Read {
        #[serde(rename = "logGroups")]
        log_groups: Vec<LogGroup>,
    },
    NotRead {
        #[serde(rename = "NotRead")]
        not_read: String,
    },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogGroup {
    pub(super) log_group_name: String,
    #[serde(default)]
    pub(super) retention_in_days: Option<u64>,
}

/// `get-continuous-deployment-policy`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ContinuousDeploymentFile {
    pub(super) continuous_deployment_policy: ContinuousDeployment,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ContinuousDeployment {
    pub(super) continuous_deployment_policy_config: ContinuousDeploymentConfig,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ContinuousDeploymentConfig {
    pub(super) enabled: bool,
    #[serde(default)]
    pub(super) staging_distribution_dns_names: List<String>,
}

/// `get-bucket-versioning`, which says nothing at all of a bucket that never had versions.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VersioningFile {
    #[serde(default)]
    pub(super) status: Option<String>,
}
