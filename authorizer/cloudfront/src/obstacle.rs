//! Why the authorizer is not put on a behavior, or not taken off.

use std::fmt;

use serde::Serialize;
use thiserror::Error;

use super::exported::ExportedError;
use super::managed::Named;
use super::view::BehaviorName;

/// Why nothing was changed.
#[derive(Debug, Error)]
pub enum Stopped {
    /// A behavior that is not there.
    #[error("there is no {0}")]
    NoSuchBehavior(BehaviorName, Vec<BehaviorName>),
    /// No behavior reaches a bucket.
    #[error("no behavior of this distribution reaches a bucket")]
    NoBucket,
    /// What stands in the way, at least one.
    #[error("nothing was changed")]
    Obstacles(Vec<Obstacle>),
    /// What came out is no configuration.
    #[error("the changed configuration cannot be read: {0}")]
    Broken(#[from] ExportedError),
}

/// Something that stands in the way.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "obstacle", rename_all = "snake_case")]
pub enum Obstacle {
    /// Another function sees viewers' requests or answers where ours should.
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
    },
    /// An origin whose requests are not signed.
    NoOriginAccessControl {
        /// The origin.
        origin: String,
    },
    /// An origin that puts something before the path.
    OriginPath {
        /// The origin.
        origin: String,
        /// What it puts there.
        path: String,
    },
    /// No cache policy, or one that cannot be judged from here.
    CachePolicy {
        /// The behavior.
        behavior: BehaviorName,
        /// The policy.
        id: Option<String>,
    },
    /// A cache policy that takes different requests for one.
    CacheWithoutQuery {
        /// The behavior.
        behavior: BehaviorName,
        /// The policy.
        id: String,
    },
    /// No origin request policy, or one that cannot be judged from here.
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
    /// An origin request policy that forwards cookies, beside which `If-None-Match` may be lost.
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
    /// The function to take off is not on the behavior.
    NotAttached {
        /// The behavior.
        behavior: BehaviorName,
        /// What is.
        arn: Option<String>,
    },
    /// Without the function, everybody has the whole bucket.
    LeftOpen {
        /// The behavior.
        behavior: BehaviorName,
        /// The buckets.
        buckets: Vec<String>,
    },
    /// Other behaviors need the Origin Access Control that would be taken off.
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
            Self::WayPast { behavior, bucket } => {
                write!(f, "{behavior} reaches the bucket `{}` past the authorizer", bucket.escape_debug())
            }
            Self::NotABucket { origin, domain_name } => write!(
                f,
                "origin `{}` (`{}`) is not a bucket's own endpoint",
                origin.escape_debug(),
                domain_name.escape_debug()
            ),
            Self::NoOriginAccessControl { origin } => {
                write!(f, "origin `{}` has no Origin Access Control", origin.escape_debug())
            }
            Self::OriginPath { origin, path } => write!(
                f,
                "origin `{}` has the OriginPath `{}`: S3 would see another key than the one decided on",
                origin.escape_debug(),
                path.escape_debug()
            ),
            Self::CachePolicy { behavior, id: Some(id) } => {
                write!(
                    f,
                    "{behavior} has cache policy {}, which cannot be judged from here",
                    id.escape_debug()
                )
            }
            Self::CachePolicy { behavior, id: None } => {
                write!(f, "{behavior} has no cache policy, but the older cache settings")
            }
            Self::CacheWithoutQuery { behavior, id } => write!(
                f,
                "{behavior} has cache policy {}, whose key has no query string: one viewer's listing or version \
                 would be served to another",
                Named(id)
            ),
            Self::OriginRequestPolicy { behavior, id: Some(id) } => write!(
                f,
                "{behavior} has origin request policy {}, which cannot be judged from here",
                id.escape_debug()
            ),
            Self::OriginRequestPolicy { behavior, id: None } => write!(
                f,
                "{behavior} has no origin request policy: query strings would be lost, and operations become others"
            ),
            Self::HostForwarded { behavior, id } => write!(
                f,
                "{behavior} has origin request policy {}, which forwards `Host`: S3 would look for a bucket of the \
                 viewer's domain",
                Named(id)
            ),
            Self::QueryLost { behavior, id } => write!(
                f,
                "{behavior} has origin request policy {}, which forwards no query string: a part of an upload would \
                 overwrite the object, a listing would be one of the whole bucket",
                Named(id)
            ),
            Self::CookiesForwarded { behavior, id } => write!(
                f,
                "{behavior} has origin request policy {}, which forwards cookies: `If-None-Match`, which \
                 `create_only` stands on, is not sure to be forwarded beside them",
                Named(id)
            ),
            Self::DefaultRootObject { object } => write!(
                f,
                "DefaultRootObject is `{}`, and the access policy lists: CloudFront would answer a listing with \
                 that object, whatever the rules say of it",
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
                "without the authorizer, {behavior} opens bucket {} to everybody: all of it, for every method that \
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
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::OtherFunction { .. } => {
                "a behavior has one function for viewers' requests; --replace takes the other off"
            }
            Self::WayPast { .. } => "name that behavior with --behavior too, or say --behavior all",
            Self::NotABucket { .. } => {
                "the origin must be BUCKET.s3.REGION.amazonaws.com, with an S3OriginConfig; a website endpoint \
                 takes no Origin Access Control"
            }
            Self::NoOriginAccessControl { .. } => {
                "name one with --origin-access-control-id (`aws cloudfront create-origin-access-control`, type `s3`, \
                 `sigv4`, `always`)"
            }
            Self::OriginPath { .. } => {
                "make OriginPath empty, and move what is below it in the bucket, or the rules"
            }
            Self::CachePolicy { .. } => {
                "choose one with --cache-policy-id: Managed-CachingDisabled, or one that has every query string in \
                 its key and caches nothing longer than you want it served"
            }
            Self::CacheWithoutQuery { .. } => {
                "choose --cache-policy-id Managed-CachingDisabled; this one will do with --policy and an access \
                 policy that reads nothing by the query string"
            }
            Self::OriginRequestPolicy { .. } | Self::HostForwarded { .. } | Self::QueryLost { .. } => {
                "choose one with --origin-request-policy-id: Managed-AllViewerExceptHostHeader, or one that forwards \
                 every query string, the headers that the operations need, and not `Host`"
            }
            Self::CookiesForwarded { .. } => {
                "choose one with --origin-request-policy-id that forwards no cookies, every query string, and \
                 `If-None-Match` among the headers"
            }
            Self::DefaultRootObject { .. } => "make DefaultRootObject empty",
            Self::NotAttached { .. } => {
                "name the behaviors that have the function, or the function that they have"
            }
            Self::LeftOpen { .. } => {
                "first take this distribution out of the bucket's policy, and say --bucket-is-closed; or say \
                 --remove-origin-access-control, after which S3 refuses what a private bucket refuses anybody"
            }
            Self::OriginShared { .. } => "detach all behaviors of this origin, or say --bucket-is-closed",
        }
    }
}
