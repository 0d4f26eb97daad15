//! The number of random cases that a test tries.

/// The percentage of the usual number, if the environment sets one.
pub(crate) fn percent() -> Option<u32> {
    std::env::var("RANDOM_CASES").ok().map(|percent| {
        percent.parse().unwrap_or_else(|_| panic!("`RANDOM_CASES` must be a percentage, not `{percent}`"))
    })
}

/// The number of cases to try if `usual` is the usual number; at least one.
pub(crate) fn cases(usual: u32) -> u32 {
    percent().map_or(usual, |percent| (usual * percent / 100).max(1))
}
