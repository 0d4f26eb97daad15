//! What a binary of the function says about its build.
//!
//! A policy can need something that a build does not include. Each kind of build contains its own text, so that
//! `authorizer package` finds a mismatch before the function starts.

/// What a policy may need from the function.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BuiltWith {
    /// Whether it can fetch the keys of an issuer.
    pub remote_keys: bool,
}

impl BuiltWith {
    /// All kinds of build.
    pub const ALL: [Self; 2] = [Self { remote_keys: true }, Self { remote_keys: false }];

    /// The text that only a binary of this kind contains.
    pub const fn marker(self) -> &'static str {
        match self {
            Self { remote_keys: true } => "edge-authorizer:built-with:v1:remote-keys;",
            Self { remote_keys: false } => "edge-authorizer:built-with:v1:nothing;",
        }
    }
}
