//! The checks, a file for each family. A new one is a line here.

use super::accepted;
use super::exact;
use super::finding::{Check, Found, Severity};
use super::subject;

macro_rules! families {
    ($($family:ident),* $(,)?) => {
        $(mod $family;)*

        /// Every family of checks.
        pub(super) static FAMILIES: &[&[Check]] = &[$($family::CHECKS,)* accepted::CHECKS];
    };
}

families! {
    analysis,
    anonymous,
    breadth,
    browser,
    claims,
    conditions,
    deny,
    duplicates,
    issuers,
    key_source,
    keys,
    networks,
    patterns,
    published_keys,
    revoked,
    rsa,
    times,
    uploads,
}
