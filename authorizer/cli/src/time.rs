//! Times and durations on the command line.

use std::time::SystemTime;

use authorizer_core::UnixTime;
use jiff::{SignedDuration, Timestamp};

/// Reads `--now`: seconds since 1970, or a date and time of RFC 3339.
pub(crate) fn parse_instant(text: &str) -> Result<UnixTime, &'static str> {
    authorizer_analysis::parse_instant(text)
}

/// Reads a duration, such as `90s`, `15m`, `1h` or `30d`, or a number of seconds. The result is in seconds, and can be
/// negative.
pub(crate) fn parse_span(text: &str) -> Result<i64, String> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Ok(seconds);
    }
    // The durations of jiff do not have days, because their length depends on the place. Here a day has 24 hours.
    let (text, factor) = match text.strip_suffix('d') {
        Some(days) => (format!("{days}h"), 24),
        None => (text.to_owned(), 1),
    };
    text.parse::<SignedDuration>()
        .ok()
        .and_then(|duration| duration.as_secs().checked_mul(factor))
        .ok_or_else(|| "write a duration, such as 90s, 15m, 1h or 30d, or a number of seconds".to_owned())
}

/// The given time, or now.
pub(crate) fn now_or(instant: Option<UnixTime>) -> UnixTime {
    instant.unwrap_or_else(|| UnixTime::from_system(SystemTime::now()))
}

/// A time as text.
pub(crate) fn show(seconds: f64) -> String {
    #[allow(clippy::cast_possible_truncation, reason = "a float beyond i64 is cut to it, and then refused")]
    let whole = seconds as i64;
    Timestamp::from_second(whole).map_or_else(|_| "not a date".to_owned(), |timestamp| timestamp.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_and_spans_are_read() {
        assert_eq!(parse_instant("1800000000").unwrap().as_seconds(), 1_800_000_000);
        assert_eq!(parse_instant("2027-01-15T08:00:00Z").unwrap().as_seconds(), 1_800_000_000);
        assert!(parse_instant("tomorrow").is_err());
        assert!(parse_instant("1969-01-01T00:00:00Z").is_err());
        for (text, seconds) in [
            ("90s", 90),
            ("90", 90),
            ("-90", -90),
            ("15m", 900),
            ("1h", 3600),
            ("30d", 2_592_000),
            ("-1h", -3600),
        ] {
            assert_eq!(parse_span(text), Ok(seconds), "{text}");
        }
        for text in ["", "x", "1.5", "1 fortnight", "999999999999999999d"] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }
}
