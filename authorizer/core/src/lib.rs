//! The decision of the edge authorizer.
pub mod event;
