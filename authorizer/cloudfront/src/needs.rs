//! What an access policy needs from the distribution.

use authorizer_core::SignIn;
use authorizer_core::cors::Cors;
use authorizer_core::operation::{Method, S3Operation};
use authorizer_core::origin_headers::OriginHeaders;
use authorizer_core::policy::Policy;
use authorizer_core::response_override::ResponseOverride;
use authorizer_core::rules::{Effect, KeyPattern, PrincipalConstraint, Rule};

use super::methods::MethodSet;

/// What an access policy needs from the distribution.
#[derive(Clone, Debug)]
pub struct DistributionNeeds {
    /// The methods that a behavior must let in.
    pub methods: MethodSet,
    /// Listings are requests for `/`, which CloudFront must not replace with another object.
    pub lists: bool,
    /// The response to a read depends on the query string.
    pub reads_by_query: bool,
    /// `If-None-Match`, which the function adds, must reach S3.
    pub create_only: bool,
    /// The headers that must reach S3.
    pub headers: Vec<String>,
    /// What pages from other origins may do, if they may read the responses.
    pub cors: Option<Cors>,
    /// Query parameters that AWS's own origin request policies drop.
    pub dropped_overrides: Vec<&'static str>,
    /// The allow rules, as far as the path patterns of behaviors must fit them.
    pub rules: Vec<RuleKeys>,
}

/// What the path patterns of behaviors must fit of an allow rule.
#[derive(Clone, Debug)]
pub struct RuleKeys {
    /// Its id.
    pub id: String,
    /// Its keys.
    pub keys: Vec<KeyPattern>,
    /// Whether it lists.
    pub lists: bool,
    /// Whether it needs no token.
    pub is_anonymous: bool,
}

impl DistributionNeeds {
    /// Reads them off a policy.
    pub fn of(policy: &Policy) -> Self {
        let possible = policy.possible();
        let allows = || policy.rules().iter().filter(|rule| rule.effect() == Effect::Allow);
        let overridden = |one: &ResponseOverride| allows().any(|rule| rule.overrides().contains(one));
        let by_query =
            |operation: S3Operation| operation.method().is_safe() && !operation.parameters().is_empty();
        let uploads = |rule: &Rule| {
            rule.operations().has_method(Method::Put) || rule.operations().has_method(Method::Post)
        };
        let signs_in = policy.sign_in().and_then(SignIn::code_flow).is_some();
        Self {
            methods: MethodSet::for_policy(&possible, signs_in),
            lists: possible.operations.any(S3Operation::is_listing),
            reads_by_query: possible.operations.iter().any(by_query)
                || ResponseOverride::ALL.iter().any(overridden)
                || allows().any(|rule| !rule.parameters().is_empty()),
            create_only: allows().any(|rule| uploads(rule) && rule.terms().create_only),
            headers: OriginHeaders::of(policy.rules()).names().map(str::to_owned).collect(),
            cors: policy.cors().cloned(),
            dropped_overrides: DROPPED.iter().filter(|one| overridden(one)).map(|one| one.name()).collect(),
            rules: allows().map(RuleKeys::of).collect(),
        }
    }
}

impl RuleKeys {
    fn of(rule: &Rule) -> Self {
        Self {
            id: rule.id().to_owned(),
            keys: rule.keys().to_vec(),
            lists: rule.operations().any(S3Operation::is_listing),
            is_anonymous: matches!(rule.principals(), PrincipalConstraint::Everyone),
        }
    }
}

/// The query parameters that AWS's own origin request policies do not send to a bucket, even if they send the
/// rest of the query
/// ([AWS: managed origin request policies](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html)).
const DROPPED: [ResponseOverride; 3] = [
    ResponseOverride::ResponseContentType,
    ResponseOverride::ResponseContentDisposition,
    ResponseOverride::ResponseContentEncoding,
];
