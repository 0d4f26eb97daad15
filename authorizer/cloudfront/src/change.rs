//! What was changed, and what a person should still look at: in words, and for programs.

use std::fmt;

use serde::Serialize;

use super::exported::Exported;
use super::managed::Named;
use super::view::BehaviorName;

/// A changed configuration, and every change that was made.
#[derive(Clone, Debug)]
pub struct Changed {
    /// What to update the distribution with.
    pub exported: Exported,
    /// Every change, in the order of the behaviors.
    pub changes: Vec<Change>,
    /// What could not be seen from the configuration, or need not be wrong.
    pub notes: Vec<Note>,
}

/// One change.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Change {
    /// Of what.
    pub place: Place,
    /// Which of its settings.
    pub setting: Setting,
    /// What it was; nothing when it was not set.
    pub before: Option<String>,
    /// What it is now.
    pub after: Option<String>,
}

/// What a setting belongs to.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A behavior.
    Behavior(BehaviorName),
    /// An origin, by its id.
    Origin(String),
}

/// A setting, by CloudFront's name.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
pub enum Setting {
    /// The Lambda@Edge function on viewer-request.
    LambdaFunctionAssociations,
    /// A CloudFront Function.
    FunctionAssociations,
    /// The methods that are let in.
    AllowedMethods,
    /// The methods whose answers are cached.
    CachedMethods,
    /// Whether plain HTTP is let in.
    ViewerProtocolPolicy,
    /// The cache policy.
    CachePolicyId,
    /// The older form of a cache policy.
    ForwardedValues,
    /// A time to live, of the older form.
    #[serde(rename = "MinTTL")]
    MinTtl,
    /// A time to live, of the older form.
    #[serde(rename = "DefaultTTL")]
    DefaultTtl,
    /// A time to live, of the older form.
    #[serde(rename = "MaxTTL")]
    MaxTtl,
    /// The origin request policy.
    OriginRequestPolicyId,
    /// The response headers policy.
    ResponseHeadersPolicyId,
    /// The Origin Access Control.
    OriginAccessControlId,
    /// What came before it.
    OriginAccessIdentity,
}

/// Something that a person should know.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum Note {
    /// A behavior that `all` does not mean.
    PassedOver {
        /// The behavior.
        behavior: BehaviorName,
    },
    /// Another version of the function, on a behavior that was not named.
    OtherVersion {
        /// The behavior.
        behavior: BehaviorName,
        /// What it has.
        arn: String,
    },
    /// A function that comes after the authorizer.
    OriginRequest {
        /// The behavior.
        behavior: BehaviorName,
        /// The function.
        arn: String,
    },
    /// A cache policy that was named, and that this cannot look into.
    CachePolicy {
        /// The behavior.
        behavior: BehaviorName,
        /// The policy.
        id: String,
    },
    /// An origin request policy that was named, and that this cannot look into.
    OriginRequestPolicy {
        /// The behavior.
        behavior: BehaviorName,
        /// The policy.
        id: String,
    },
    /// Query parameters that do not reach S3.
    DroppedOverrides {
        /// The behavior.
        behavior: BehaviorName,
        /// Their names.
        parameters: Vec<&'static str>,
    },
    /// The access policy has `[cors]`, and S3's answers get no headers for it.
    NoResponseHeadersPolicy {
        /// The behavior.
        behavior: BehaviorName,
    },
    /// A page that CloudFront answers an error of S3's with.
    ErrorPage {
        /// Its path.
        path: String,
    },
    /// Another distribution takes a share of the requests.
    ContinuousDeployment {
        /// The policy that says which.
        id: String,
    },
    /// An Origin Access Control, of which the configuration has the id only.
    OriginAccessControl {
        /// The origin.
        origin: String,
        /// Its id.
        id: String,
    },
    /// No access policy was given.
    NoPolicy {
        /// The default root object, if there is one.
        default_root_object: Option<String>,
    },
    /// What lets the distribution at the bucket is elsewhere.
    BucketPolicy {
        /// The buckets.
        buckets: Vec<String>,
    },
    /// That nobody reaches the bucket was said, and not seen.
    SaidClosed {
        /// The buckets.
        buckets: Vec<String>,
    },
    /// Requests come to the bucket unsigned.
    Unsigned {
        /// The buckets.
        buckets: Vec<String>,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Behavior(name) => name.fmt(f),
            Self::Origin(id) => write!(f, "origin `{}`", id.escape_debug()),
        }
    }
}

impl Setting {
    /// CloudFront's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::LambdaFunctionAssociations => "LambdaFunctionAssociations",
            Self::FunctionAssociations => "FunctionAssociations",
            Self::AllowedMethods => "AllowedMethods",
            Self::CachedMethods => "CachedMethods",
            Self::ViewerProtocolPolicy => "ViewerProtocolPolicy",
            Self::CachePolicyId => "CachePolicyId",
            Self::ForwardedValues => "ForwardedValues",
            Self::MinTtl => "MinTTL",
            Self::DefaultTtl => "DefaultTTL",
            Self::MaxTtl => "MaxTTL",
            Self::OriginRequestPolicyId => "OriginRequestPolicyId",
            Self::ResponseHeadersPolicyId => "ResponseHeadersPolicyId",
            Self::OriginAccessControlId => "OriginAccessControlId",
            Self::OriginAccessIdentity => "OriginAccessIdentity",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::LambdaFunctionAssociations => "the viewer-request function",
            Self::FunctionAssociations => "the CloudFront Function",
            Self::AllowedMethods
            | Self::CachedMethods
            | Self::ViewerProtocolPolicy
            | Self::CachePolicyId
            | Self::ForwardedValues
            | Self::MinTtl
            | Self::DefaultTtl
            | Self::MaxTtl
            | Self::OriginRequestPolicyId
            | Self::ResponseHeadersPolicyId
            | Self::OriginAccessControlId
            | Self::OriginAccessIdentity => self.name(),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, setting) = (&self.place, self.setting.words());
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => {
                write!(f, "{place}: {setting} was {}, becomes {}", Named(before), Named(after))
            }
            (None, Some(after)) => write!(f, "{place}: {setting} was none, becomes {}", Named(after)),
            (Some(before), None) => write!(f, "{place}: {setting} was {}, is taken off", Named(before)),
            (None, None) => write!(f, "{place}: {setting} is written anew"),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PassedOver { behavior } => {
                write!(f, "{behavior} stays as it is: its origin is no bucket")
            }
            Self::OtherVersion { behavior, arn } => {
                write!(f, "{behavior} keeps {}", arn.escape_debug())
            }
            Self::OriginRequest { behavior, arn } => write!(
                f,
                "{behavior} has {} on origin-request, which comes after the authorizer and can ask S3 for something \
                 else than what was decided on",
                arn.escape_debug()
            ),
            Self::CachePolicy { behavior, id } => write!(
                f,
                "{behavior}: see that cache policy {} has every query string in its key, and not `Host`. What it \
                 caches is served for as long as it says after the object was overwritten or deleted",
                id.escape_debug()
            ),
            Self::OriginRequestPolicy { behavior, id } => write!(
                f,
                "{behavior}: see that origin request policy {} forwards every query string, the headers that the \
                 operations need, and not `Host`",
                id.escape_debug()
            ),
            Self::DroppedOverrides { behavior, parameters } => write!(
                f,
                "{behavior}: AWS's own origin request policies do not send {} to a bucket; `response_overrides` of \
                 the access policy has no effect without a policy of your own",
                parameters.join(", ")
            ),
            Self::NoResponseHeadersPolicy { behavior } => write!(
                f,
                "{behavior} has no response headers policy: pages of the origins in `[cors]` get refusals that they \
                 can read, and objects that they cannot"
            ),
            Self::ErrorPage { path } => write!(
                f,
                "where S3 answers with an error, viewers get `{}`, whatever the rules say of it",
                path.escape_debug()
            ),
            Self::ContinuousDeployment { id } => write!(
                f,
                "continuous deployment policy {} sends a share of the requests to a staging distribution, which \
                 needs the function as well",
                id.escape_debug()
            ),
            Self::OriginAccessControl { origin, id } => write!(
                f,
                "origin `{}`: see that Origin Access Control {} is of type `s3`, signs with `sigv4`, and `always`",
                origin.escape_debug(),
                id.escape_debug()
            ),
            Self::NoPolicy { default_root_object: None } => {
                write!(f, "without --policy, AllowedMethods stay as they are, and are held against nothing")
            }
            Self::NoPolicy { default_root_object: Some(object) } => write!(
                f,
                "without --policy, AllowedMethods stay as they are, and are held against nothing; where the access \
                 policy lists, DefaultRootObject must be empty, and it is `{}`",
                object.escape_debug()
            ),
            Self::BucketPolicy { buckets } => write!(
                f,
                "the policy of bucket {} is not in this configuration: it should let in this distribution, and \
                 nobody else",
                buckets.join(", ")
            ),
            Self::SaidClosed { buckets } => write!(
                f,
                "that the policy of bucket {} lets this distribution in no more is what --bucket-is-closed says: \
                 nothing here shows it",
                buckets.join(", ")
            ),
            Self::Unsigned { buckets } => write!(
                f,
                "requests will come to bucket {} unsigned: see that it is open to nobody",
                buckets.join(", ")
            ),
        }
    }
}
