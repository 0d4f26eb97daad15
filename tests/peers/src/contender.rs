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
    /// The edge authorizer as a library, which a Python handler calls.
    AsLibrary(Build),
    /// A handler for Node.js.
    Peer(Library),
    /// A handler that allows every request, on the runtime of its language: the time of the runtime and its client
    /// alone.
    Bare(Bare),
    /// A native program that sends every event back.
    Native(Program),
}

/// A handler that decides nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Bare {
    /// For Node.js.
    Node,
    /// For Node.js, with a line of the length of a decision for each request.
    NodeWithLine,
    /// For Python.
    Python,
}

/// A native program that decides nothing: an example of `authorizer/edge`, built with the flags of the function.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Program {
    /// `lambda_runtime` alone.
    Empty,
    /// `lambda_runtime`, and a line for each event.
    EmptyWithLine,
    /// A socket of the standard library, and a line for each event.
    Loop,
}

/// The library that verifies tokens in a peer's handler.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Library {
    /// npm `aws-jwt-verify`.
    AwsJwtVerify,
    /// npm `jose`.
    Jose,
    /// PyPI `PyJWT`.
    PyJwt,
}

impl Function {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Ours(Build::Fast),
        Self::Ours(Build::Small),
        Self::AsLibrary(Build::Fast),
        Self::AsLibrary(Build::Small),
        Self::Native(Program::Empty),
        Self::Native(Program::EmptyWithLine),
        Self::Native(Program::Loop),
        Self::Peer(Library::AwsJwtVerify),
        Self::Peer(Library::Jose),
        Self::Peer(Library::PyJwt),
        Self::Bare(Bare::Node),
        Self::Bare(Bare::NodeWithLine),
        Self::Bare(Bare::Python),
    ];

    /// The runtimes that start it: for a handler, the one of its language.
    pub fn runtimes(self) -> &'static [Runtime] {
        match self {
            Self::Ours(_) => &[Runtime::Native, Runtime::Python, Runtime::Node],
            Self::Native(_) => &[Runtime::Native],
            Self::AsLibrary(_) | Self::Peer(Library::PyJwt) | Self::Bare(Bare::Python) => &[Runtime::Python],
            Self::Peer(Library::AwsJwtVerify | Library::Jose)
            | Self::Bare(Bare::Node | Bare::NodeWithLine) => &[Runtime::Node],
        }
    }

    /// The runtimes for which its warm invocations are measured. The client only starts the function and is gone
    /// after that, so they are measured natively.
    pub fn measured_warm(self) -> &'static [Runtime] {
        match self {
            Self::Ours(_) => &[Runtime::Native],
            other => other.runtimes(),
        }
    }

    /// Whether it decides, so that its answers are checked.
    pub fn decides(self) -> bool {
        matches!(self, Self::Ours(_) | Self::AsLibrary(_) | Self::Peer(_))
    }
}

impl Library {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::AwsJwtVerify => "aws-jwt-verify",
            Self::Jose => "jose",
            Self::PyJwt => "PyJWT",
        }
    }
}

impl Bare {
    /// Its file in `handlers`.
    pub fn handler(self) -> &'static str {
        match self {
            Self::Node => "bare.mjs",
            Self::NodeWithLine => "bare-line.mjs",
            Self::Python => "bare.py",
        }
    }
}

impl Program {
    /// Its name among the examples of `authorizer/edge`.
    pub fn example(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::EmptyWithLine => "empty_line",
            Self::Loop => "bare_loop",
        }
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let function = match self.function {
            Function::Ours(Build::Fast) => "authorizer",
            Function::Ours(Build::Small) => "authorizer, small build",
            Function::AsLibrary(Build::Fast) => "authorizer as a library",
            Function::AsLibrary(Build::Small) => "authorizer as a library, small build",
            Function::Peer(library) => library.name(),
            Function::Bare(Bare::Node | Bare::Python) => "a bare handler",
            Function::Bare(Bare::NodeWithLine) => "a bare handler, with a line",
            Function::Native(Program::Empty) => "an empty function",
            Function::Native(Program::EmptyWithLine) => "an empty function, with a line",
            Function::Native(Program::Loop) => "a bare loop, with a line",
        };
        let runtime = match self.runtime {
            Runtime::Native => "native",
            Runtime::Python => "Python",
            Runtime::Node => "Node.js",
        };
        write!(f, "{function} ({runtime})")
    }
}
