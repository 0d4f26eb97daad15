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
//! - [`EmbeddedS3`] is the bucket alone, with the policy that the distribution needs: `s3:GetObject`,
//!   `s3:GetObjectVersion`, `s3:PutObject`, `s3:DeleteObject`, `s3:AbortMultipartUpload` and
//!   `s3:ListMultipartUploadParts` on its objects, and `s3:ListBucket`, by which a missing object is 404.
//!
//! Where it differs from AWS: nothing is cached; the viewer speaks HTTP and not HTTPS; one invocation of
//! a package runs at a time; header names reach the function in lower case.
//!
//! Where the bucket differs from S3:
//!
//! - It is a folder. A key with `.`, `..` or nothing between two slashes is refused, one that begins with a
//!   slash or holds a raw `+` too, all with 400; of `a` and `a/b` the one that comes second is refused, and
//!   the same of `a` and `a/`. A key whose files' names would be too long is refused with `KeyTooLongError`:
//!   with a bucket's name of five letters one of more than 163 bytes, and for an upload in parts of more
//!   than 130, where S3 has 1,024.
//! - It has no versions: `null` is an object's only one.
//! - An upload that loses a race for its condition is answered 412, and never 409.
//! - One entity tag is a condition, a list of them is none that holds. `If-Range` and the `partNumber` of a
//!   read are not looked at, and a range that is malformed or multiple is 400.
//! - Of an upload in parts the parts' checksums are verified, and not those that complete it; the object has
//!   none.
//! - `Expires` and `If-Modified-Since` must be dates; encryption is accepted and means nothing, and a storage
//!   class other than `STANDARD` and `REDUCED_REDUNDANCY` is 400.
//! - A viewer that goes away while an upload in parts is being completed takes the completion with it.

mod answer;
mod body;
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

pub use credentials::Credentials;
pub use distribution::{Distribution, ResponseHeaders, Running, Settings, StartError};
pub use event::{DISTRIBUTION_DOMAIN_NAME, DISTRIBUTION_ID, ViewerRefusal};
pub use function::{Function, InProcess};
pub use invocation::{FunctionError, Invocation};
pub use observer::{BucketReport, Observer, RequestReport};
pub use packaged::{Packaged, PackagedError, Runtime, RuntimeClients, UnpackError};
pub use random::RandomError;
pub use result::Violation;
pub use s3::{EmbeddedS3, EmbeddedS3Error};
