//! How many random cases a test tries.

/// How many cases to try where so many are usual: as many in percent as the environment says, and at least one.
pub(crate) fn cases(usual: u32) -> u32 {
    let Ok(percent) = std::env::var("RANDOM_CASES") else { return usual };
    match percent.parse::<u32>() {
        Ok(percent) => (usual * percent / 100).max(1),
        Err(_) => panic!("`RANDOM_CASES` is a number of percent, and not `{percent}`"),
    }
}
