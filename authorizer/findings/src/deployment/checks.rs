//! The checks of a deployment, a file for each family.

use super::finding::Finding;
use super::subject::{NOT_JUDGED, Subject};
use crate::Check;

/// Checks that look at one thing together.
pub(super) struct Family {
    pub(super) checks: &'static [&'static Check],
    pub(super) find: fn(&Subject<'_>, &mut Vec<Finding>),
}

macro_rules! families {
    ($($family:ident),* $(,)?) => {
        $(mod $family;)*

        /// Every family of checks.
        pub(super) static FAMILIES: &[Family] =
            &[FILES, $(Family { checks: $family::CHECKS, find: $family::find }),*];
    };
}

families! {
    access_control,
    bucket,
    bucket_policy,
    cache,
    code,
    cors,
    errors,
    forwarding,
    function,
    functions,
    key,
    methods,
    origins,
    role,
    viewer,
}

/// Found wherever a file is needed.
const FILES: Family = Family { checks: &[&NOT_JUDGED], find: |_, _| {} };
