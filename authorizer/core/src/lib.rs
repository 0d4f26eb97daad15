//! The decision of the edge authorizer: the bytes of a CloudFront viewer-request event in, what goes back
//! to CloudFront out.
//!
//! ```text
//! event -> ObjectKey -> S3Operation -> Credential -> Principal -> Decision -> Outcome
//! ```
//!
//! Each step turns one type into the next and can only refuse, with a [`Refusal`]. Nothing here does I/O,
//! reads a clock or panics; the same code decides at the edge, in replay, in the local distribution and in
//! the audit.
//!
//! [`Authorizer`] is the whole way; the modules are its steps, in order.

pub mod event;

pub mod key;

mod header;
pub mod operation;

pub mod credential;

pub mod token;

pub mod rules;

pub mod outcome;

pub mod record;

mod authorizer;
mod bundle;
pub mod policy;
mod refusal;
mod scalar;
mod time;

pub use authorizer::{Authorized, Authorizer};
pub use bundle::{Bundle, BundleError, MAX_BUNDLE_BYTES};
pub use refusal::{NoRule, Refusal, TokenError};
pub use scalar::Scalar;
pub use time::UnixTime;
