//! The instant of a decision. The core does not have a clock: its caller gives the time.

use std::time::{SystemTime, UNIX_EPOCH};

/// An instant in whole seconds since 1970-01-01T00:00:00Z, as RFC 7519 counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct UnixTime(u64);

impl UnixTime {
    /// From a count of seconds.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Reads an instant in UTC, `2026-01-31T12:00:00Z`: RFC 3339 without fractions of a second and without other
    /// offsets, so that every reader reads the same time.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let field = |range: std::ops::Range<usize>| {
            let digits = text.get(range)?;
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u64>().ok()).flatten()
        };
        let is_sign = |at: usize, sign: u8| text.as_bytes().get(at) == Some(&sign);
        let signs = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
        if text.len() != 20 || !signs.iter().all(|(at, sign)| is_sign(*at, *sign)) {
            return None;
        }
        let (year, month, day) = (field(0..4)?, field(5..7)?, field(8..10)?);
        let (hour, minute, second) = (field(11..13)?, field(14..16)?, field(17..19)?);
        let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days_in = |month| match month {
            2 if is_leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let is_date = year >= 1970 && (1..=12).contains(&month) && (1..=days_in(month)).contains(&day);
        if !is_date || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let before = year.checked_sub(1)?;
        let leap_days = |year: u64| Some((year / 4).checked_sub(year / 100)?.saturating_add(year / 400));
        let days = year
            .checked_sub(1970)?
            .saturating_mul(365)
            .saturating_add(leap_days(before)?.checked_sub(leap_days(1969)?)?)
            .saturating_add((1..month).map(days_in).sum::<u64>())
            .saturating_add(day.checked_sub(1)?);
        let seconds = days.saturating_mul(24).saturating_add(hour).saturating_mul(60).saturating_add(minute);
        Some(Self(seconds.saturating_mul(60).saturating_add(second)))
    }

    /// From the system's clock. A clock before 1970 is not usable: it counts as the end of time, when every token has
    /// expired.
    pub fn from_system(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).map_or(u64::MAX, |since| since.as_secs()))
    }

    /// Whether the clock was not usable.
    pub(crate) fn is_unknown(self) -> bool {
        self.0 == u64::MAX
    }

    /// The count of seconds.
    pub fn as_seconds(self) -> u64 {
        self.0
    }

    /// For comparison with a NumericDate, which may have a fraction. Exact until 2^53 seconds.
    #[allow(clippy::cast_precision_loss, reason = "exact for the next 285 million years")]
    pub(crate) fn as_seconds_f64(self) -> f64 {
        self.0 as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_read_in_one_form() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-03-01T00:00:00Z", 5_097_600),
            ("1972-02-29T00:00:00Z", 68_169_600),
            ("2000-03-01T00:00:00Z", 951_868_800),
            ("2027-01-15T08:00:00Z", 1_800_000_000),
            ("2038-01-19T03:14:08Z", 2_147_483_648),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(UnixTime::parse_rfc3339(text), Some(UnixTime(seconds)), "{text}");
        }
        for text in [
            "",
            "2027-01-15",
            "2027-01-15T08:00:00",
            "2027-01-15T08:00:00z",
            "2027-01-15 08:00:00Z",
            "2027-01-15T08:00:00+00:00",
            "2027-01-15T08:00:00.5Z",
            "2027-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2027-04-31T00:00:00Z",
            "2027-13-01T00:00:00Z",
            "2027-00-01T00:00:00Z",
            "2027-01-00T00:00:00Z",
            "2027-01-01T24:00:00Z",
            "2027-01-01T00:60:00Z",
            "2027-01-01T00:00:60Z",
            "1969-12-31T23:59:59Z",
            "+027-01-15T08:00:00Z",
            "2027-01-15T08:00:0éZ",
        ] {
            assert_eq!(UnixTime::parse_rfc3339(text), None, "{text}");
        }
    }
}
