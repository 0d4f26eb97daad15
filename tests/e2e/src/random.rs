//! The number of cases that random tests try.

/// The environment variable with a percentage of the default number of cases.
const PERCENTAGE: &str = "RANDOM_CASES";

/// The number of cases for a random test whose default is `cases`.
pub fn cases(cases: usize) -> usize {
    let percentage = std::env::var(PERCENTAGE).map_or(100, |text| {
        text.parse::<usize>().unwrap_or_else(|error| panic!("{PERCENTAGE}={text}: {error}"))
    });
    (cases * percentage / 100).max(1)
}
