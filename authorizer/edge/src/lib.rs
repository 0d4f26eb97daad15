//! The edge authorizer as a function: a bundle and an event in, an outcome and the lines of the log out.
//!
//! [`Function`] is all the state of a process. Two programs run it: `bootstrap`, this package's binary, which speaks the
//! Lambda Runtime API itself, and `authorizer/library`, which a handler of the managed Python runtime calls. Both
//! decide, fetch keys and log with this code.

mod error;
mod function;
mod hand_over;
pub mod log;

pub use error::StartError;
pub use function::Function;
pub use hand_over::HandOver;

/// What this build can do. `authorizer package` reads its marker from the binary.
pub const BUILT_WITH: authorizer_core::BuiltWith =
    authorizer_core::BuiltWith { remote_keys: cfg!(feature = "remote-keys") };
