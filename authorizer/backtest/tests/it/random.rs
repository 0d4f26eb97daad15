//! How many random cases a test tries.

/// So many, in percent of what is usual, when the environment says so.
pub(crate) fn percent() -> Option<u32> {
    std::env::var("RANDOM_CASES").ok().map(|percent| {
        percent
            .parse()
            .unwrap_or_else(|_| panic!("`RANDOM_CASES` is a number of percent, and not `{percent}`"))
    })
}

/// How many cases to try where so many are usual; at least one.
pub(crate) fn cases(usual: u32) -> u32 {
    percent().map_or(usual, |percent| (usual * percent / 100).max(1))
}
