//! The decision of the edge authorizer. The input is the bytes of a CloudFront viewer-request event, and the output
//! is what goes back to CloudFront.
//!
//! ```text
//! event -> ObjectKey -> S3Request -> Credential -> Principal -> Decision -> Outcome
//! ```
//!
//! Each step turns one type into the next and can only refuse, with a [`Refusal`]. Nothing here does I/O,
//! reads a clock or panics. (A sign-in by the code flow takes random bytes from the system, unless its caller gives others.) The same code decides at the edge, in replay, in the local distribution and in
//! the audit.
//!
//! [`Authorizer`] is the whole way; the modules are its steps, in order.

pub mod event;

pub mod key;
pub mod prefix;

pub mod checksum;
pub mod extra_parameter;
mod header;
mod media_type;
pub mod operation;
mod query;
pub mod request;
pub mod response_override;
pub mod upload;

pub mod credential;

pub mod claim_name;

pub mod token;

pub mod rules;

pub mod cors;
mod origin;
pub mod origin_headers;
mod sign_in;

pub mod outcome;

pub mod logged_claims;
pub mod record;

mod authorizer;
mod built_with;
mod bundle;
mod digest;
mod fetch_url;
#[cfg(feature = "tools")]
mod near;
#[cfg(feature = "code-flow")]
mod page;
mod plain_json;
pub mod policy;
mod refusal;
mod scalar;
mod time;

pub use authorizer::{Authorized, Authorizer, KeysNeeded, Needed};
pub use built_with::BuiltWith;
pub use bundle::{BUNDLE_FORMAT, Bundle, BundleError, MAX_BUNDLE_BYTES};
pub use fetch_url::{FetchUrl, FetchUrlError};
pub use media_type::{MediaRange, MediaType};
#[cfg(feature = "tools")]
pub use near::nearest;
pub use origin::OriginPattern;
pub use query::QueryError;
pub use refusal::{NoRule, Reason, Refusal, UploadError};
#[cfg(feature = "code-flow")]
pub use refusal::{SignInError, SignInReason, TokenFault};
pub use scalar::Scalar;
#[cfg(feature = "code-flow")]
pub use sign_in::code_flow;
pub use sign_in::{SignIn, SignInRedirect};
pub use time::UnixTime;
pub use token::{KeysUnavailable, Supposed, TokenError};
