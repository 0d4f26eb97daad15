//! The edge authorizer as a C library, for a handler that stays in the managed Python runtime.
//!
//! Three functions, which `handler/index.py` calls: [`authorizer_start`] takes the bundle, [`authorizer_decide`] one
//! event, and [`authorizer_free`] takes the memory of an answer back. A call decides, fetches keys and writes its lines
//! of the log with the code of `authorizer-edge`. The bundle, with its caches, is the only state.
//!
//! Nothing unwinds into the caller. The builds for Lambda abort on a panic, as the `bootstrap` does: the process ends
//! with its message, Lambda starts another, and CloudFront answers the one request with 503. Tables for unwinding would
//! be a tenth of the zip, and what is half changed would decide on. Where the code does unwind, in the tests, a call that
//! panics gives no outcome.

mod border;
mod call;

pub use border::{Answer, authorizer_decide, authorizer_free, authorizer_start};
