//! Instants, in the whole seconds that `Last-Modified` has.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;
use s3s::dto::{Timestamp, TimestampFormat};

/// Now, in seconds.
pub(crate) fn now() -> i64 {
    seconds(SystemTime::now())
}

/// The seconds of an instant.
pub(crate) fn seconds(then: SystemTime) -> i64 {
    then.duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or(0)
}

/// The seconds of a date in HTTP's form.
pub(crate) fn http_date(text: &str) -> Option<i64> {
    let then = Timestamp::parse(TimestampFormat::HttpDate, text.trim()).ok()?;
    let mut seconds = Vec::new();
    then.format(TimestampFormat::EpochSeconds, &mut seconds).ok()?;
    let seconds = String::from_utf8(seconds).ok()?;
    seconds.split('.').next()?.parse().ok()
}

/// A date in HTTP's form.
pub(crate) fn date_header(seconds: i64) -> Option<HeaderValue> {
    let mut text = Vec::new();
    timestamp(seconds).format(TimestampFormat::HttpDate, &mut text).ok()?;
    HeaderValue::from_bytes(&text).ok()
}

/// The instant of so many seconds.
pub(crate) fn timestamp(seconds: i64) -> Timestamp {
    let after = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    UNIX_EPOCH.checked_add(after).unwrap_or(UNIX_EPOCH).into()
}
