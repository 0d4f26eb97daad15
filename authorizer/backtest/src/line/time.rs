//! The time of a line, and so the time of the decision.

use authorizer_core::UnixTime;

use crate::facts::Span;

/// A viewer-request function runs for at most five seconds ([AWS: quotas on
/// Lambda@Edge](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-lambda-at-edge)),
/// and writes its line after it has read its clock.
const LONGEST_RUN: u64 = 5;

/// The assumed largest difference between two of AWS's clocks, in seconds.
const SKEW: u64 = 1;

/// The span for the time of an event in CloudWatch Logs, in milliseconds since 1970.
pub(super) fn of_event(milliseconds: u64) -> Span {
    Span::around(milliseconds / 1000, LONGEST_RUN.saturating_add(SKEW), SKEW)
}

/// The span for the prefix that the AWS CLI writes before an event: milliseconds, or a date and time in UTC.
pub(super) fn of_prefix(text: &str) -> Span {
    let first = text.split([' ', '\t']).find(|word| !word.is_empty()).unwrap_or_default();
    if let Ok(milliseconds) = first.parse::<u64>() {
        return of_event(milliseconds);
    }
    let is_utc = ["Z", "+00:00"].iter().any(|end| first.ends_with(end));
    let instant = first.get(..19).and_then(|text| UnixTime::parse_rfc3339(&format!("{text}Z")));
    match instant.filter(|_| is_utc) {
        Some(instant) => Span::around(instant.as_seconds(), LONGEST_RUN.saturating_add(SKEW), SKEW),
        None => Span::unknown(),
    }
}

/// The span for a line of an access log: the end of the response, and the seconds since the request.
pub(super) fn of_answer(finished: UnixTime, taken: Option<&str>) -> Span {
    let taken = taken.and_then(|text| text.parse::<f64>().ok()).filter(|taken| (0.0..1e9).contains(taken));
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it lies between 0 and 1e9, which a u64 holds"
    )]
    let before = taken.map(|taken| taken.ceil() as u64);
    // The log truncates the time to whole seconds.
    let before = before.map_or(u64::MAX, |before| before.saturating_add(SKEW));
    Span::around(finished.as_seconds(), before, SKEW)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(span: Span) -> (u64, u64) {
        (span.first.as_seconds(), span.last.as_seconds())
    }

    #[test]
    fn a_time_before_an_event_is_read_where_it_is_utc() {
        let around = (1_799_999_994, 1_800_000_001);
        for text in [
            "1800000000000",
            "1800000000999 ",
            "2027-01-15T08:00:00Z",
            "2027-01-15T08:00:00.123000+00:00 stream",
        ] {
            assert_eq!(seconds(of_prefix(text)), around, "{text}");
        }
        for text in ["", "x", "2027-01-15T08:00:00", "2027-01-15T08:00:00+01:00", "2027-01-15T25:00:00Z"] {
            assert_eq!(of_prefix(text), Span::unknown(), "{text}");
        }
    }

    #[test]
    fn a_request_came_before_its_answer_was_finished() {
        let finished = UnixTime::from_seconds(1000);
        assert_eq!(seconds(of_answer(finished, Some("10.2"))), (988, 1001));
        assert_eq!(seconds(of_answer(finished, Some("0.000"))), (999, 1001));
        for taken in [None, Some("-1"), Some("NaN"), Some("inf"), Some("x")] {
            assert_eq!(seconds(of_answer(finished, taken)), (0, 1001), "{taken:?}");
        }
    }
}
