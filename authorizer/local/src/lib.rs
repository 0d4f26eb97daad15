//! The distribution on a laptop.
//!
//! A viewer's HTTP request becomes the viewer-request event that CloudFront writes for it; the function
//! decides; its result is checked as CloudFront checks it; what it returned is signed with SigV4, as
//! Origin Access Control does, and sent to an S3 that serves nothing unsigned; the answer streams back.
//!
//! - [`Distribution`] is started with [`Settings`] and is then [`Running`].
//! - [`Function`] is what decides: a closure of this process ([`InProcess`]), or the deployment package
//!   under AWS's own runtime clients ([`Packaged`]).
//! - [`Observer`] hears of each request ([`RequestReport`]): its decision, and the [`Violation`] that
//!   would have made CloudFront answer 502; and of each request that reached the bucket
//!   ([`BucketReport`]).
//! - [`EmbeddedS3`] is the bucket alone.
//!
//! Where it differs from AWS: nothing is cached; the viewer speaks HTTP and not HTTPS; one invocation of
//! a package runs at a time; header names reach the function in lower case; the bucket answers a
//! conditional GET or HEAD as if it had no condition, and 404 where S3 answers 403 for an object that is
//! not there (the distribution may not list); and it is a folder, so that a key with an empty segment, a
//! trailing slash, `.`, `..` or a raw `+` is refused, and `a` and `a/b` cannot both be stored.

mod answer;
mod body;
mod credentials;
mod distribution;
mod event;
mod function;
mod headers;
mod observer;
mod origin;
mod packaged;
mod random;
mod result;
mod runtime_api;
mod s3;
mod server;
mod sign;

pub use credentials::Credentials;
pub use distribution::{Distribution, Running, Settings, StartError};
pub use event::{DISTRIBUTION_DOMAIN_NAME, DISTRIBUTION_ID, ViewerRefusal};
pub use function::{Function, FunctionError, Handler, InProcess, Invocation};
pub use observer::{BucketReport, Observer, RequestReport};
pub use packaged::{Packaged, PackagedError, Runtime, RuntimeClients, UnpackError};
pub use random::RandomError;
pub use result::Violation;
pub use s3::{EmbeddedS3, EmbeddedS3Error};
