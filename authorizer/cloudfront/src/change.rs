//! The changes that were made, and the notes on what a person should still check: as text and as JSON.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::exported::Exported;
use super::fit::NotListed;
use super::managed::Named;
use super::view::BehaviorName;

/// A changed configuration, and every change that was made.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The configuration to update the distribution with.
    pub exported: Exported,
    /// The changes, in the order of the behaviors.
    pub changes: Vec<Change>,
    /// The notes: what the configuration does not show, or what may be intended.
    pub notes: Vec<Note>,
}

/// One change.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Change {
    /// The place of the setting.
    pub place: Place,
    /// The setting.
    pub setting: Setting,
    /// The old value; `None` if it was not set.
    pub before: Option<String>,
    /// The new value; `None` if it was removed.
    pub after: Option<String>,
}

/// The part of the configuration that a setting belongs to.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A behavior.
    Behavior(BehaviorName),
    /// An origin, by its id.
    Origin(String),
}

/// A setting, by CloudFront's name.
#[derive(Clone, Copy, Debug, Eq, Hash, JsonSchema, PartialEq, Serialize)]
pub enum Setting {
    /// The Lambda@Edge function on viewer-request.
    LambdaFunctionAssociations,
    /// A CloudFront Function.
    FunctionAssociations,
    /// The allowed methods.
    AllowedMethods,
    /// The methods whose responses are cached.
    CachedMethods,
    /// Whether plain HTTP is allowed.
    ViewerProtocolPolicy,
    /// The cache policy.
    CachePolicyId,
    /// Whether gRPC is on.
    GrpcConfig,
    /// Whether Smooth Streaming is on.
    SmoothStreaming,
    /// The older cache settings.
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
    /// The legacy way to sign, before Origin Access Control.
    OriginAccessIdentity,
}

/// Something that a person should know.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum Note {
    /// A behavior that `all` does not include.
    PassedOver {
        /// The behavior.
        behavior: BehaviorName,
    },
    /// Another version of the function, on a behavior that was not chosen.
    OtherVersion {
        /// The behavior.
        behavior: BehaviorName,
        /// The function that it has.
        arn: String,
    },
    /// A function that runs after the authorizer.
    OriginRequest {
        /// The behavior.
        behavior: BehaviorName,
        /// The function.
        arn: String,
    },
    /// A function that sees the responses.
    OnResponse {
        /// The behavior.
        behavior: BehaviorName,
        /// The function.
        arn: String,
        /// `origin-response` or `viewer-response`.
        event: String,
    },
    /// Headers that an origin adds to every request.
    OriginHeaders {
        /// The origin.
        origin: String,
        /// Their names.
        names: Vec<String>,
    },
    /// A cache policy that was confirmed, but whose content is not known here.
    CachePolicy {
        /// The behavior.
        behavior: BehaviorName,
        /// The policy.
        id: String,
    },
    /// An origin request policy that was confirmed, but whose content is not known here.
    OriginRequestPolicy {
        /// The behavior.
        behavior: BehaviorName,
        /// The policy.
        id: String,
        /// The headers that the access policy needs at S3, where it is at hand.
        headers: Vec<String>,
    },
    /// Pages may read every header of S3's answers, also those that the access policy does not expose.
    EveryHeaderExposed {
        /// The behavior.
        behavior: BehaviorName,
        /// The response headers policy.
        id: String,
        /// The headers that the access policy exposes.
        headers: Vec<String>,
    },
    /// Query parameters that do not reach S3.
    DroppedOverrides {
        /// The behavior.
        behavior: BehaviorName,
        /// Their names.
        parameters: Vec<&'static str>,
    },
    /// No allow rule has a key that is a path of the behavior.
    NoRule {
        /// The behavior.
        behavior: BehaviorName,
    },
    /// Several buckets are behind the function, which does not see which of them a request is for.
    SeveralBuckets {
        /// The buckets.
        buckets: Vec<String>,
    },
    /// Allow rules whose keys go to several buckets, by the path patterns of the behaviors.
    KeysOfSeveralBuckets {
        /// The ids of the rules.
        rules: Vec<String>,
        /// The buckets.
        buckets: Vec<String>,
    },
    /// Allow rules that need no token, whose keys go to several buckets if the slashes of a path are `%2F`.
    AnonymousBySlash {
        /// The ids of the rules.
        rules: Vec<String>,
    },
    /// Allow rules that list, with keys in a bucket that no listing reaches.
    NotListed {
        /// The ids of the rules.
        rules: Vec<String>,
        /// The behavior that listings go to.
        behavior: BehaviorName,
    },
    /// A behavior that gets no request, because of one before it.
    Unreached {
        /// The behavior.
        behavior: BehaviorName,
        /// The behavior that has all of its paths.
        by: BehaviorName,
    },
    /// Behaviors of which it was not decided whether one before them has all of their paths.
    OrderUndecided {
        /// The behaviors.
        behaviors: Vec<BehaviorName>,
    },
    /// Allow rules and behaviors of which it was not decided which keys of a rule are paths of which behavior.
    KeysUndecided {
        /// The ids of the rules.
        rules: Vec<String>,
        /// The behaviors.
        behaviors: Vec<BehaviorName>,
    },
    /// CloudFront's own signed URLs or cookies are required, beside the token.
    SignedUrls {
        /// The behavior.
        behavior: BehaviorName,
        /// The settings that say so.
        settings: Vec<&'static str>,
    },
    /// Real-time logs, which may contain tokens.
    RealtimeLogs {
        /// The behavior.
        behavior: BehaviorName,
        /// Their configuration.
        arn: String,
    },
    /// The bucket's global endpoint, without its Region.
    GlobalEndpoint {
        /// The origin.
        origin: String,
        /// Its domain name.
        domain_name: String,
        /// What it should be.
        regional: String,
    },
    /// Viewers need a certificate.
    ViewerCertificates {
        /// `required`, `optional` or `passthrough`.
        mode: String,
    },
    /// A function that runs when a viewer connects.
    ConnectionFunction {
        /// The function.
        id: String,
    },
    /// A page that CloudFront sends in place of an error from S3.
    ErrorPage {
        /// Its path.
        path: String,
    },
    /// Another distribution gets some of the requests.
    ContinuousDeployment {
        /// The continuous deployment policy.
        id: String,
    },
    /// An Origin Access Control, of which the configuration contains only the id.
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
    /// The bucket's policy, which allows the distribution, is not in the configuration.
    BucketPolicy {
        /// The buckets.
        buckets: Vec<String>,
    },
    /// The caller said that the bucket is closed; the configuration does not show it.
    SaidClosed {
        /// The buckets.
        buckets: Vec<String>,
    },
    /// Requests reach the bucket unsigned.
    Unsigned {
        /// The buckets.
        buckets: Vec<String>,
    },
}

impl Note {
    /// What is said of rules that list keys of buckets which no listing reaches, if there are any.
    pub fn of_listings(not_listed: &[NotListed]) -> Option<Self> {
        // A distribution has one behavior for the path `/`.
        let behavior = not_listed.first()?.listing.clone();
        Some(Self::NotListed { rules: not_listed.iter().map(|one| one.rule.clone()).collect(), behavior })
    }
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
            Self::GrpcConfig => "GrpcConfig",
            Self::SmoothStreaming => "SmoothStreaming",
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
            | Self::GrpcConfig
            | Self::SmoothStreaming
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
            (None, Some(after)) => write!(f, "{place}: {setting} was not set, becomes {}", Named(after)),
            (Some(before), None) => write!(f, "{place}: {setting} was {}, is removed", Named(before)),
            (None, None) => write!(f, "{place}: {setting} is rewritten"),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PassedOver { behavior } => {
                write!(f, "{behavior} is not changed: it does not reach the bucket")
            }
            Self::OtherVersion { behavior, arn } => {
                write!(f, "{behavior} keeps {}", arn.escape_debug())
            }
            Self::OriginRequest { behavior, arn } => write!(
                f,
                "{behavior} has {} on origin-request, which runs after the authorizer and can change the request \
                 that the authorizer allowed",
                arn.escape_debug()
            ),
            Self::OnResponse { behavior, arn, event } => write!(
                f,
                "{behavior} has {} on {}, which can change what viewers get, and can reveal what the authorizer refused",
                arn.escape_debug(),
                event.escape_debug()
            ),
            Self::OriginHeaders { origin, names } => write!(
                f,
                "origin `{}` adds {} to the requests after the authorizer's decision: a header can change which \
                 operation S3 does",
                origin.escape_debug(),
                names.iter().map(|name| format!("`{}`", name.escape_debug())).collect::<Vec<_>>().join(", ")
            ),
            Self::CachePolicy { behavior, id } => write!(
                f,
                "{behavior}: check that the key of cache policy {} contains every query string, but not `Host`. \
                 Cached responses are served until they expire, even if the object is overwritten or deleted",
                Named(id)
            ),
            Self::OriginRequestPolicy { behavior, id, headers } => {
                let headers = match headers.as_slice() {
                    [] => "the headers that the operations need".to_owned(),
                    headers => format!("the headers {}", headers.join(", ")),
                };
                write!(
                    f,
                    "{behavior}: check that origin request policy {} forwards every query string and {headers}, but \
                     not `Host`",
                    Named(id)
                )
            }
            Self::EveryHeaderExposed { behavior, id, headers } => {
                let exposed = match headers.is_empty() {
                    true => "exposes none".to_owned(),
                    false => format!("exposes only {}", headers.join(", ")),
                };
                write!(
                    f,
                    "{behavior} has the response headers policy {}, which exposes every header of S3's answers, also \
                     `x-amz-meta-*`, to the pages of every origin; `[cors]` {exposed}. Use a policy of your own to \
                     expose fewer",
                    Named(id)
                )
            }
            Self::DroppedOverrides { behavior, parameters } => write!(
                f,
                "{behavior}: AWS's own origin request policies do not send {} to a bucket; `response_overrides` of \
                 the access policy has no effect without a policy of your own",
                parameters.join(", ")
            ),
            Self::SignedUrls { behavior, settings } => write!(
                f,
                "{behavior} requires CloudFront's signed URLs or cookies ({}): CloudFront answers 403 MissingKey to a \
                 viewer who brings only a token",
                settings.join(", ")
            ),
            Self::RealtimeLogs { behavior, arn } => write!(
                f,
                "{behavior} has real-time logs ({}): check that their fields leave out headers, cookies and query \
                 strings that contain tokens",
                arn.escape_debug()
            ),
            Self::NoRule { behavior } => {
                write!(f, "{behavior} has no key of an allow rule: the function refuses every request there")
            }
            Self::SeveralBuckets { buckets } => write!(
                f,
                "buckets {} are behind the function, which does not see the behavior of a request: a rule is for its keys \
                 in each of them. A viewer can choose the behavior, since a path with `%2F` for `/` has the same key; so \
                 no bucket may have a key that a rule means for another",
                buckets.join(", ")
            ),
            Self::KeysOfSeveralBuckets { rules, buckets } => {
                write!(
                    f,
                    "rules {} have keys in several of the buckets {}; write a folder for each bucket into `keys`, such as that of \
                     the behavior's path pattern",
                    few(rules),
                    buckets.join(", ")
                )
            }
            Self::AnonymousBySlash { rules } => write!(
                f,
                "rules {} let everybody in without a token, also at the same keys of another bucket: a path with `%2F` for \
                 `/` goes to another behavior; keep no object of their folders in another bucket",
                few(rules)
            ),
            Self::NotListed { rules, behavior } => write!(
                f,
                "rules {} list keys of a bucket that is never listed: a listing is a request for `/`, whatever its prefix, \
                 and goes to {behavior}",
                few(rules)
            ),
            Self::Unreached { behavior, by } => {
                write!(f, "{behavior} gets no request: {by}, before it, takes each of its paths")
            }
            Self::OrderUndecided { behaviors } => write!(
                f,
                "not decided: whether a behavior before it takes each path of {}. The path patterns are too long to compare, \
                 or have a `%`, which AWS does not document for them; compare them by hand",
                few(behaviors)
            ),
            Self::KeysUndecided { rules, behaviors } => {
                let rules = (!rules.is_empty()).then(|| format!("rules {}", few(rules)));
                let behaviors = (!behaviors.is_empty()).then(|| few(behaviors));
                let both: Vec<String> = rules.into_iter().chain(behaviors).collect();
                write!(
                    f,
                    "not decided: which keys of allow rules are paths of which behavior, for {}. The patterns are too long to \
                     compare; compare them by hand",
                    both.join(", and for ")
                )
            }
            Self::GlobalEndpoint { origin, domain_name, regional } => write!(
                f,
                "origin `{}` is `{}`, without the Region of the bucket: S3 answers 307 for a new bucket, and 400 in \
                 Regions launched after March 2019; write `{}`",
                origin.escape_debug(),
                domain_name.escape_debug(),
                regional.escape_debug()
            ),
            Self::ViewerCertificates { mode } => write!(
                f,
                "ViewerMtlsConfig is `{}`: if it is `required`, a viewer without a certificate cannot connect, \
                 whatever token it has",
                mode.escape_debug()
            ),
            Self::ConnectionFunction { id } => write!(
                f,
                "connection function {} runs when a viewer connects, before the authorizer: it can refuse viewers",
                id.escape_debug()
            ),
            Self::ErrorPage { path } => write!(
                f,
                "if S3 answers with an error, viewers get `{}`, even if no rule allows it",
                path.escape_debug()
            ),
            Self::ContinuousDeployment { id } => write!(
                f,
                "continuous deployment policy {} sends some of the requests to a staging distribution, which also \
                 needs the function",
                id.escape_debug()
            ),
            Self::OriginAccessControl { origin, id } => write!(
                f,
                "origin `{}`: check that Origin Access Control {} is of type `s3` and signs always, with `sigv4`",
                origin.escape_debug(),
                id.escape_debug()
            ),
            Self::NoPolicy { default_root_object: None } => {
                write!(f, "without --policy, AllowedMethods are not changed or checked")
            }
            Self::NoPolicy { default_root_object: Some(object) } => write!(
                f,
                "without --policy, AllowedMethods are not changed or checked; if the access policy allows listings, \
                 DefaultRootObject must be empty, but it is `{}`",
                object.escape_debug()
            ),
            Self::BucketPolicy { buckets } => write!(
                f,
                "the policy of bucket {} is not in this configuration: check that it allows only this distribution",
                buckets.join(", ")
            ),
            Self::SaidClosed { buckets } => write!(
                f,
                "--bucket-is-closed says that the policy of bucket {} no longer allows this distribution: \
                 this configuration cannot show it",
                buckets.join(", ")
            ),
            Self::Unsigned { buckets } => write!(
                f,
                "requests will reach bucket {} unsigned: check that the bucket is not public",
                buckets.join(", ")
            ),
        }
    }
}

/// The first of some rules or behaviors, and how many more there are.
fn few(all: &[impl ToString]) -> String {
    let words = |some: &[_]| some.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match all.split_at_checked(5) {
        Some((first, more)) if !more.is_empty() => format!("{} and {} more", words(first), more.len()),
        Some(_) | None => words(all),
    }
}
