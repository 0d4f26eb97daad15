//! The deployment package, built by zig for Lambda, under AWS's own runtime clients.

mod package;
mod package_keys;
mod release;
mod zip;
