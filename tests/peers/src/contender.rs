//! The measured functions.

use std::fmt;

use authorizer_e2e::binaries::Build;
use authorizer_local::Runtime;

/// A function, and the runtime that starts it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Contender {
    /// The content of the zip.
    pub function: Function,
    /// The runtime that starts it.
    pub runtime: Runtime,
}

/// The content of a zip.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Function {
    /// The edge authorizer.
    Ours(Build),
    /// A handler for Node.js.
    Peer(Library),
    /// A handler for Node.js that allows every request: the time of the runtime and its client alone.
    Bare,
}

/// The library that verifies tokens in a peer's handler.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Library {
    /// npm `aws-jwt-verify`.
    AwsJwtVerify,
    /// npm `jose`.
    Jose,
}

impl Function {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Ours(Build::Fast),
        Self::Ours(Build::Small),
        Self::Peer(Library::AwsJwtVerify),
        Self::Peer(Library::Jose),
        Self::Bare,
    ];

    /// The runtimes that start it: for a handler, only Lambda@Edge's.
    pub fn runtimes(self) -> &'static [Runtime] {
        match self {
            Self::Ours(_) => &[Runtime::Native, Runtime::Node],
            Self::Peer(_) | Self::Bare => &[Runtime::Node],
        }
    }
}

impl Library {
    /// Its name at npm.
    pub fn name(self) -> &'static str {
        match self {
            Self::AwsJwtVerify => "aws-jwt-verify",
            Self::Jose => "jose",
        }
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let function = match self.function {
            Function::Ours(Build::Fast) => "authorizer",
            Function::Ours(Build::Small) => "authorizer, small build",
            Function::Peer(library) => library.name(),
            Function::Bare => "a bare handler",
        };
        let runtime = match self.runtime {
            Runtime::Native => "native",
            Runtime::Python => "Python",
            Runtime::Node => "Node.js",
        };
        write!(f, "{function} ({runtime})")
    }
}
