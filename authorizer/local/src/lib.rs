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
//!   `s3:ListMultipartUploadParts` on its objects, and, unless its [`BucketOptions`] say otherwise, `s3:ListBucket`, so
//!   that a missing object is 404.
//!
//! Differences from AWS (`docs/local.md` has all of them): the viewer uses HTTP, or HTTPS with the certificate in
//! [`Settings`] ([`Tls`]), but not both; a package's processes run on between requests, where Lambda freezes them; header
//! names reach the function in lower case.
//!
//! The bucket keeps each body in a file that a person can open (`DATA/BUCKET/objects/`), and in `index.sqlite` what S3
//! knows of it. What is acknowledged is on the disk. What somebody puts into `DATA/BUCKET/import/` becomes objects at the
//! next start. What it does as S3 documents it: keys of up to 1,024 bytes, each an object of its own; ranges, conditions
//! and their conflicts; checksums of every algorithm; uploads in parts with their limits; listings; versions, if they are
//! asked for ([`BucketOptions`]); 403 instead of 404 for whom the bucket's policy does not let list.
//!
//! Differences of the bucket from S3:
//!
//! - Encryption is accepted and ignored, and no answer tells of it. A storage class is stored and told, and means nothing.
//! - `response-expires` must be a date.
//! - A PUT without a body needs no `Content-Length`; S3 says 411 `MissingContentLength`.
//! - A `versionId` of fewer than 32 characters is refused as invalid; the form of S3's ids is not documented.
//! - On a disk that is full to the last byte a delete fails too (500, and nothing is changed): the index needs room for it.
//! - An `Authorization` that is no signature is 403 `AccessDenied`; S3 says 400.
//! - A completion's checksums of parts are compared for CRC32, CRC32C, CRC64NVME, SHA1 and SHA256. For the five newer
//!   ones only that of the object is. That these are always of the parts, never of the whole object, is a guess.
//! - A completion that is repeated gets its answer again, if it names the same parts, its conditions hold, and the object
//!   that it made is still the current one; else 404 `NoSuchUpload`, or 412. That is a guess.
//! - Nothing expires: older versions stay, and so do the parts of uploads that nobody completes.
//! - The distribution may always read versions (`s3:GetObjectVersion`), write, delete and use parts. At AWS the templates
//!   grant each of these only if the access policy has a rule for it. Whether it may list follows the access policy.
//! - A bucket has one program that serves it. A file that is changed by hand under `objects/` is served as it is, with the
//!   entity tag from before.

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
pub use s3::{BucketOptions, CanList, EmbeddedS3, EmbeddedS3Error};
pub use tls::Tls;
pub use usage::{ColdStart, Usage};
