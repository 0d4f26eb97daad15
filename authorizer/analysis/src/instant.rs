//! An instant, as a person writes it: on the command line and in tests.

use authorizer_core::UnixTime;
use jiff::Timestamp;

/// What can be written.
pub const INSTANT_REMEDY: &str = "write seconds since 1970, or a time, such as 2026-01-31T12:00:00Z";

/// Reads an instant: seconds since 1970, or a date and time of RFC 3339.
///
/// ```
/// use authorizer_analysis::parse_instant;
///
/// let noon = parse_instant("2027-01-15T08:00:00Z")?;
/// assert_eq!(parse_instant("1800000000")?, noon);
/// assert_eq!(parse_instant("2027-01-15T09:00:00+01:00")?, noon);
/// # Ok::<(), &'static str>(())
/// ```
///
/// # Errors
/// What has to be written instead.
pub fn parse_instant(text: &str) -> Result<UnixTime, &'static str> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(UnixTime::from_seconds(seconds));
    }
    let timestamp: Timestamp = text.parse().map_err(|_| INSTANT_REMEDY)?;
    u64::try_from(timestamp.as_second()).map(UnixTime::from_seconds).map_err(|_| "the time is before 1970")
}
