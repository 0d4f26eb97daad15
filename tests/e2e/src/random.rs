//! How much the random tests try.

/// The environment variable with a percentage of the cases that a random test tries by default.
const PERCENTAGE: &str = "RANDOM_CASES";

/// How many cases a random test tries that by default tries `cases` of them.
pub fn cases(cases: usize) -> usize {
    let percentage = std::env::var(PERCENTAGE).map_or(100, |text| {
        text.parse::<usize>().unwrap_or_else(|error| panic!("{PERCENTAGE}={text}: {error}"))
    });
    (cases * percentage / 100).max(1)
}
