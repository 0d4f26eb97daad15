//! A CloudFront distribution on a laptop.
//!
//! A viewer's HTTP request becomes CloudFront's viewer-request event. The function decides, and its result is
//! checked as CloudFront checks it. The returned request is signed with SigV4, as Origin Access Control does, and
//! sent to an S3 that serves only signed requests. The answer streams back.
//!
//! - [`Distribution`] is started with [`Settings`] and is then [`Running`].
//! - [`Behaviors`] are what it serves: one behavior, or those of a [`DistributionConfig`], with the cache that its cache
//!   policies describe, which an [`Invalidator`] empties.
//! - [`Function`] decides: a closure in this process ([`InProcess`]), or the deployment package under AWS's own
//!   runtime clients ([`Packaged`]).
//! - [`Observer`] is told about each request ([`RequestReport`]): its decision, and the [`Violation`] for which
//!   CloudFront would answer 502; and about each request that reached the bucket ([`BucketReport`]).
//! - [`EmbeddedS3`] is the bucket alone, with the policy that the distribution needs: `s3:GetObject`,
//!   `s3:GetObjectVersion`, `s3:PutObject`, `s3:DeleteObject`, `s3:AbortMultipartUpload` and
//!   `s3:ListMultipartUploadParts` on its objects, and `s3:ListBucket`, so that a missing object is 404.
//!
//! Differences from AWS (`docs/local.md` has all of them): the viewer uses HTTP, or HTTPS with the certificate in
//! [`Settings`] ([`Tls`]), but not both; a package's processes run on between requests, where Lambda freezes them; header
//! names reach the function in lower case.
//!
//! Differences of the bucket from S3:
//!
//! - It is a folder. It refuses, with 400, a key with a segment `.`, `..` or an empty one, a key that begins with a
//!   slash, and a raw `+`. It cannot contain both `a` and `a/b`, or both `a` and `a/`: the second is refused. A key
//!   whose file names would be too long is refused with `KeyTooLongError`: for a bucket with a name of five letters,
//!   more than 163 bytes, and more than 130 for an upload in parts. S3 allows 1,024.
//! - It does not have versions: `null` is an object's only version.
//! - An upload that loses a race for its condition is answered with 412, never 409.
//! - A condition has one entity tag; a list of tags never holds. `If-Range` and the `partNumber` of a read are
//!   ignored, and a range that is malformed or multiple is 400.
//! - For an upload in parts, the checksums of the parts are verified, but not those of the completion; the object
//!   does not have a checksum.
//! - `Expires` and `If-Modified-Since` must be dates. Encryption is accepted and ignored, and a storage class other
//!   than `STANDARD` and `REDUCED_REDUNDANCY` is 400.
//! - If a viewer disconnects while an upload in parts is being completed, the completion is cancelled.

mod answer;
mod behaviors;
mod body;
mod cache;
mod closing;
mod credentials;
mod distribution;
mod event;
mod function;
mod headers;
mod invocation;
mod observer;
mod origin;
mod packaged;
mod random;
mod result;
mod runtime_api;
mod s3;
mod server;
mod sign;
mod tls;
mod usage;

pub use behaviors::{BehaviorRow, Behaviors, ConfigError, DistributionConfig, ForwardedHeaders};
pub use credentials::Credentials;
pub use distribution::{Distribution, Invalidator, ResponseHeaders, Running, Settings, StartError};
pub use event::{DISTRIBUTION_DOMAIN_NAME, DISTRIBUTION_ID, ViewerRefusal};
pub use function::{Function, InProcess};
pub use invocation::{FunctionError, Invocation};
pub use observer::{BucketReport, Observer, RequestDetails, RequestReport};
pub use packaged::{Packaged, PackagedError, Runtime, RuntimeClients, UnpackError};
pub use random::RandomError;
pub use result::Violation;
pub use s3::{EmbeddedS3, EmbeddedS3Error};
pub use tls::Tls;
pub use usage::{ColdStart, Usage};
