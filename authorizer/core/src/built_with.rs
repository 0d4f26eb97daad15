//! What a binary of the function says that it was built with.
//!
//! A policy can need what a build left out. The binary holds a text of its own for each way of building it, so that
//! whoever puts the two together can find out before the function starts.

/// What a policy may need of the function.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BuiltWith {
    /// Whether it can fetch the keys of an issuer.
    pub remote_keys: bool,
}

impl BuiltWith {
    /// Every way of building it.
    pub const ALL: [Self; 2] = [Self { remote_keys: true }, Self { remote_keys: false }];

    /// The text that the binary holds, and no other binary does.
    pub const fn marker(self) -> &'static str {
        match self {
            Self { remote_keys: true } => "edge-authorizer:built-with:v1:remote-keys;",
            Self { remote_keys: false } => "edge-authorizer:built-with:v1:nothing;",
        }
    }
}
