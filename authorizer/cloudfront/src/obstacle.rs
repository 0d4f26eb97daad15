//! Why the authorizer cannot be attached to a behavior, or detached from it.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use thiserror::Error;

use super::exported::ExportedError;
use super::managed::Named;
use super::view::BehaviorName;

/// Why nothing was changed.
#[derive(Debug, Error)]
pub enum Stopped {
    /// A behavior that does not exist.
    #[error("the distribution does not have {0}")]
    NoSuchBehavior(BehaviorName, Vec<BehaviorName>),
    /// No behavior reaches a bucket.
    #[error("no behavior of this distribution reaches a bucket")]
    NoBucket,
    /// An origin that does not exist.
    #[error("the distribution does not have the origin `{}`", .0.escape_debug())]
    NoSuchOrigin(String, Vec<String>),
    /// Several buckets, and nobody said which the policy is about: each as its origin and its name.
    #[error("the behaviors of this distribution reach several buckets")]
    SeveralBuckets(Vec<(String, String)>),
    /// The obstacles, at least one.
    #[error("nothing was changed")]
    Obstacles(Vec<Obstacle>),
    /// The result is not a valid configuration.
    #[error("the changed configuration cannot be read: {0}")]
    Broken(#[from] ExportedError),
}

/// A reason not to change the distribution.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(tag = "obstacle", rename_all = "snake_case")]
pub enum Obstacle {
    /// Another function on viewer events, beside which ours cannot run.
    OtherFunction {
        /// The behavior.
        behavior: BehaviorName,
        /// The function.
        arn: String,
        /// Its event.
        event: String,
    },
    /// A behavior that reaches the same bucket without the authorizer.
    WayPast {
        /// The behavior.
        behavior: BehaviorName,
        /// The bucket.
        bucket: String,
    },
    /// An origin that is not a bucket's own endpoint.
    NotABucket {
        /// The origin.
        origin: String,
        /// Its domain name.
        domain_name: String,
        /// What it is, if it is S3 in another form.
        is: Option<String>,
    },
    /// A behavior without the authorizer whose origin could be the same bucket.
    MayReach {
        /// The behavior.
        behavior: BehaviorName,
        /// The origin.
        origin: String,
        /// What the origin is.
        is: String,
    },
    /// A behavior that sends gRPC requests to the bucket, past every Lambda function.
    Grpc {
        /// The behavior.
        behavior: BehaviorName,
    },
    /// A behavior that streams in Microsoft's format, for which CloudFront runs no Lambda function.
    SmoothStreaming {
        /// The behavior.
        behavior: BehaviorName,
    },
    /// A member that is set, and that nobody here knows.
    UnknownMember {
        /// The structure that has it.
        place: String,
        /// Its name.
        member: String,
    },
    /// The access policy has `[cors]`, but S3's responses get no CORS headers.
    NoResponseHeadersPolicy {
        /// The behavior.
        behavior: BehaviorName,
    },
    /// The access policy has `[cors]`, but the response headers policy is one of AWS's own without CORS headers.
    NoCorsHeaders {
        /// The behavior.
        behavior: BehaviorName,
        /// The policy.
        id: String,
    },
    /// The response headers policy lets pages of every origin read S3's answers, and the access policy does not.
    CorsForEveryone {
        /// The behavior.
        behavior: BehaviorName,
        /// The policy.
        id: String,
    },
    /// The response headers policy lets pages of every origin read S3's answers, and the access policy has no `[cors]`.
    CorsNotWanted {
        /// The behavior.
        behavior: BehaviorName,
        /// The policy.
        id: String,
    },
    /// The response headers policy does not let pages read the headers that the access policy exposes.
    HeadersNotExposed {
        /// The behavior.
        behavior: BehaviorName,
        /// The policy.
        id: String,
        /// The headers.
        headers: Vec<String>,
    },
    /// An origin whose requests are not signed.
    NoOriginAccessControl {
        /// The origin.
        origin: String,
    },
    /// An origin that adds a prefix to the path.
    OriginPath {
        /// The origin.
        origin: String,
        /// The prefix.
        path: String,
    },
    /// No cache policy, or one whose content is not known here.
    CachePolicy {
        /// The behavior.
        behavior: BehaviorName,
        /// The policy.
        id: Option<String>,
    },
    /// A cache policy that treats different requests as the same.
    CacheWithoutQuery {
        /// The behavior.
        behavior: BehaviorName,
        /// The policy.
        id: String,
    },
    /// A cache policy whose key has `Host`, which CloudFront then forwards.
    CacheWithHost {
        /// The behavior.
        behavior: BehaviorName,
        /// The policy.
        id: String,
    },
    /// No origin request policy, or one whose content is not known here.
    OriginRequestPolicy {
        /// The behavior.
        behavior: BehaviorName,
        /// The policy.
        id: Option<String>,
    },
    /// An origin request policy that forwards `Host`.
    HostForwarded {
        /// The behavior.
        behavior: BehaviorName,
        /// The policy.
        id: String,
    },
    /// An origin request policy that forwards no query string.
    QueryLost {
        /// The behavior.
        behavior: BehaviorName,
        /// The policy.
        id: String,
    },
    /// An origin request policy that forwards cookies, which may drop `If-None-Match`.
    CookiesForwarded {
        /// The behavior.
        behavior: BehaviorName,
        /// The policy.
        id: String,
    },
    /// Listings would become requests for an object.
    DefaultRootObject {
        /// The object.
        object: String,
    },
    /// The function to detach is not on the behavior.
    NotAttached {
        /// The behavior.
        behavior: BehaviorName,
        /// The function that is on it.
        arn: Option<String>,
    },
    /// Without the function, the whole bucket is public.
    LeftOpen {
        /// The behavior.
        behavior: BehaviorName,
        /// The buckets.
        buckets: Vec<String>,
    },
    /// The distribution is a template for distribution tenants, which are not in its configuration.
    Tenants {
        /// The setting that says so.
        setting: String,
    },
    /// Another behavior needs the Origin Access Control that would be removed.
    OriginShared {
        /// The origin.
        origin: String,
        /// The behavior.
        behavior: BehaviorName,
    },
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherFunction { behavior, arn, event } => {
                write!(
                    f,
                    "{behavior} has another function on {}: {}",
                    event.escape_debug(),
                    arn.escape_debug()
                )
            }
            Self::Tenants { setting } => write!(
                f,
                "{}: this is a multi-tenant distribution. Its tenants have names, certificates and parameters of their \
                 own, which are not in this configuration, and a parameter can choose the bucket. AWS does not say how \
                 Lambda@Edge and Origin Access Control see a tenant",
                setting.escape_debug()
            ),
            Self::WayPast { behavior, bucket } => {
                write!(f, "{behavior} reaches the bucket `{}` without the authorizer", bucket.escape_debug())
            }
            Self::NotABucket { origin, domain_name, is: None } => write!(
                f,
                "origin `{}` (`{}`) is not a bucket's own endpoint",
                origin.escape_debug(),
                domain_name.escape_debug()
            ),
            Self::NotABucket { origin, domain_name, is: Some(is) } => write!(
                f,
                "origin `{}` (`{}`) is {is}, not a bucket's own endpoint",
                origin.escape_debug(),
                domain_name.escape_debug()
            ),
            Self::MayReach { behavior, origin, is } => write!(
                f,
                "{behavior} does not have the authorizer, and its origin `{}` is {is}: the bucket behind it is not \
                 in this configuration, and may be the same",
                origin.escape_debug()
            ),
            Self::Grpc { behavior } => write!(
                f,
                "{behavior} takes gRPC (GrpcConfig): CloudFront sends a request with `Content-Type: \
                 application/grpc` to the origin, and runs no Lambda function for it"
            ),
            Self::SmoothStreaming { behavior } => {
                write!(f, "{behavior} has SmoothStreaming on: CloudFront runs no Lambda function for it")
            }
            Self::UnknownMember { place, member } => write!(
                f,
                "`{}` has the member `{}`, which this release does not know: it may open a way past the authorizer",
                place.escape_debug(),
                member.escape_debug()
            ),
            Self::NoResponseHeadersPolicy { behavior } => write!(
                f,
                "{behavior} has no response headers policy, but the access policy has `[cors]`: a browser shows \
                 refusals to the pages of these origins, but no object"
            ),
            Self::NoCorsHeaders { behavior, id } => write!(
                f,
                "{behavior} has the response headers policy {}, which adds no CORS headers, but the access policy has \
                 `[cors]`: a browser shows no object to the pages of these origins",
                Named(id)
            ),
            Self::CorsForEveryone { behavior, id } => write!(
                f,
                "{behavior} has the response headers policy {}, which lets pages of every origin read the objects, \
                 without cookies, but the access policy has `[cors]` for some",
                Named(id)
            ),
            Self::CorsNotWanted { behavior, id } => write!(
                f,
                "{behavior} has the response headers policy {}, which lets pages of every origin read the objects, \
                 without cookies, but the access policy has no `[cors]`",
                Named(id)
            ),
            Self::HeadersNotExposed { behavior, id, headers } => write!(
                f,
                "{behavior} has the response headers policy {}, which does not expose the headers of `[cors]`: {}",
                Named(id),
                headers.join(", ")
            ),
            Self::NoOriginAccessControl { origin } => {
                write!(f, "origin `{}` has no Origin Access Control", origin.escape_debug())
            }
            Self::OriginPath { origin, path } => write!(
                f,
                "origin `{}` has the OriginPath `{}`: S3 would read another key than the one that the rules checked",
                origin.escape_debug(),
                path.escape_debug()
            ),
            Self::CachePolicy { behavior, id: Some(id) } => {
                write!(
                    f,
                    "{behavior} has cache policy {}, whose content is not in this configuration",
                    id.escape_debug()
                )
            }
            Self::CachePolicy { behavior, id: None } => {
                write!(f, "{behavior} has the older cache settings instead of a cache policy")
            }
            Self::CacheWithoutQuery { behavior, id } => write!(
                f,
                "{behavior} has cache policy {}, whose key does not contain the query string: one viewer's \
                 listing or version would be served to another viewer",
                Named(id)
            ),
            Self::CacheWithHost { behavior, id } => write!(
                f,
                "{behavior} has cache policy {}, whose key contains `Host`, so that CloudFront forwards it: S3 would \
                 look for a bucket with the name of the viewer's domain",
                Named(id)
            ),
            Self::OriginRequestPolicy { behavior, id: Some(id) } => write!(
                f,
                "{behavior} has origin request policy {}, whose content is not in this configuration",
                id.escape_debug()
            ),
            Self::OriginRequestPolicy { behavior, id: None } => write!(
                f,
                "{behavior} has no origin request policy: query strings would be dropped, which changes the operation"
            ),
            Self::HostForwarded { behavior, id } => write!(
                f,
                "{behavior} has origin request policy {}, which forwards `Host`: S3 would look for a bucket with \
                 the name of the viewer's domain",
                Named(id)
            ),
            Self::QueryLost { behavior, id } => write!(
                f,
                "{behavior} has origin request policy {}, which does not forward query strings: an uploaded part \
                 would overwrite the object, and a listing would list the whole bucket",
                Named(id)
            ),
            Self::CookiesForwarded { behavior, id } => write!(
                f,
                "{behavior} has origin request policy {}, which forwards cookies: `create_only` needs \
                 `If-None-Match`, which may then not be forwarded",
                Named(id)
            ),
            Self::DefaultRootObject { object } => write!(
                f,
                "DefaultRootObject is `{}`, but the access policy allows listings: CloudFront would answer a listing \
                 with that object, even if no rule allows it",
                object.escape_debug()
            ),
            Self::NotAttached { behavior, arn: Some(arn) } => {
                write!(f, "{behavior} has another function on viewer-request: {}", arn.escape_debug())
            }
            Self::NotAttached { behavior, arn: None } => {
                write!(f, "{behavior} has no Lambda function on viewer-request")
            }
            Self::LeftOpen { behavior, buckets } => write!(
                f,
                "without the authorizer, {behavior} opens the whole bucket {} to everybody, for every method that \
                 the behavior allows",
                buckets.join(", ")
            ),
            Self::OriginShared { origin, behavior } => write!(
                f,
                "{behavior} keeps the authorizer and needs the Origin Access Control of origin `{}`",
                origin.escape_debug()
            ),
        }
    }
}

impl Obstacle {
    /// The remedy.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::OtherFunction { .. } => {
                "a behavior can have only one function for viewer events; --replace removes the other"
            }
            Self::Tenants { .. } => {
                "use a standard distribution, with its own names as alternate domain names"
            }
            Self::WayPast { .. } => "add that behavior with --behavior, or use --behavior all",
            Self::NotABucket { is: None, .. } => {
                "the origin must be BUCKET.s3.REGION.amazonaws.com, with an S3OriginConfig; a website endpoint does \
                 not support Origin Access Control"
            }
            Self::NotABucket { is: Some(_), .. } => {
                "make the origin BUCKET.s3.REGION.amazonaws.com, with an S3OriginConfig: one of the buckets behind an \
                 access point or a Multi-Region Access Point. These are not supported: each has a policy of its own \
                 beside the bucket's, and a Multi-Region Access Point also another signature (`sigv4a`)"
            }
            Self::MayReach { .. } => {
                "remove the behavior, or make its origin BUCKET.s3.REGION.amazonaws.com, so that it is known which \
                 bucket it is"
            }
            Self::Grpc { .. } => "--turn-off grpc turns it off; S3 does not understand gRPC",
            Self::SmoothStreaming { .. } => {
                "--turn-off smooth-streaming turns it off; put the streams on a behavior with another bucket"
            }
            Self::UnknownMember { .. } => {
                "look it up in CloudFront's API reference; use a release that knows it, or turn it off"
            }
            Self::NoResponseHeadersPolicy { .. }
            | Self::NoCorsHeaders { .. }
            | Self::CorsForEveryone { .. }
            | Self::HeadersNotExposed { .. } => {
                "choose one with --response-headers-policy-id: one that allows the origins of `[cors]`, and only \
                 them, as infra/cloudformation/stack.yaml makes it"
            }
            Self::CorsNotWanted { .. } => {
                "choose one without CORS headers with --response-headers-policy-id, such as \
                 Managed-SecurityHeadersPolicy, or take it off the behavior; or write `[cors]` into the access policy"
            }
            Self::NoOriginAccessControl { .. } => {
                "set one with --origin-access-control-id (`aws cloudfront create-origin-access-control`, type `s3`, \
                 `sigv4`, `always`)"
            }
            Self::OriginPath { .. } => {
                "make OriginPath empty; then move the objects to keys without it, or change the keys of the rules"
            }
            Self::CachePolicy { .. } => {
                "choose one with --cache-policy-id: Managed-CachingDisabled, or one whose key contains every query \
                 string, which serves changed and deleted objects until they expire"
            }
            Self::CacheWithHost { .. } => "use --cache-policy-id Managed-CachingDisabled",
            Self::CacheWithoutQuery { .. } => {
                "use --cache-policy-id Managed-CachingDisabled; or use --policy with an access policy whose reads do \
                 not depend on the query string"
            }
            Self::OriginRequestPolicy { .. } | Self::HostForwarded { .. } | Self::QueryLost { .. } => {
                "choose one with --origin-request-policy-id: Managed-AllViewerExceptHostHeader, or one that forwards \
                 every query string and the headers that the operations need, but not `Host`"
            }
            Self::CookiesForwarded { .. } => {
                "choose one with --origin-request-policy-id that forwards every query string and `If-None-Match`, \
                 but no cookies"
            }
            Self::DefaultRootObject { .. } => "make DefaultRootObject empty",
            Self::NotAttached { .. } => {
                "give the behaviors that have the function with --behavior, or the function that they have"
            }
            Self::LeftOpen { .. } => {
                "first remove this distribution from the bucket's policy, then use --bucket-is-closed; or use \
                 --remove-origin-access-control, so that a private bucket refuses the unsigned requests"
            }
            Self::OriginShared { .. } => "detach all behaviors of this origin, or use --bucket-is-closed",
        }
    }
}
