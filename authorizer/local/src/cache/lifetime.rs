//! How long CloudFront keeps an answer
//! ([AWS: expiration](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html),
//! [AWS: 4xx and 5xx](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html)).

use std::time::{Duration, SystemTime};

use authorizer_cloudfront::CachePolicy;
use http::{HeaderMap, StatusCode, header};

/// The errors that are always cached, and those that are if the origin says how long.
const ERRORS: [u16; 8] = [404, 405, 414, 500, 501, 502, 503, 504];
const ERRORS_WITH_AGE: [u16; 4] = [400, 403, 412, 415];

/// What an origin says about its answer.
struct Said {
    /// `s-maxage`, or else `max-age`, in seconds.
    age: Option<u64>,
    /// `no-cache`, `no-store` or `private`.
    is_not_to_be_kept: bool,
    /// Until `Expires`, in seconds.
    expires: Option<u64>,
}

impl Said {
    fn of(headers: &HeaderMap, now: SystemTime) -> Self {
        let values = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
        let directives: Vec<String> = values
            .flat_map(|value| value.split(','))
            .map(|directive| directive.trim().to_ascii_lowercase())
            .collect();
        let seconds = |name: &str| {
            directives.iter().find_map(|directive| {
                let value = directive.strip_prefix(name)?.trim_start().strip_prefix('=')?;
                value.trim().trim_matches('"').parse::<u64>().ok()
            })
        };
        let is_not_to_be_kept = directives.iter().any(|directive| {
            let name = directive.split('=').next().unwrap_or_default().trim();
            ["no-cache", "no-store", "private"].contains(&name)
        });
        let expires = headers.get(header::EXPIRES).map(|value| {
            // A date that is none is in the past (RFC 9111 section 5.3).
            let date = value.to_str().ok().and_then(|text| httpdate::parse_http_date(text).ok());
            date.and_then(|date| date.duration_since(now).ok()).map_or(0, |left| left.as_secs())
        });
        Self { age: seconds("s-maxage").or_else(|| seconds("max-age")), is_not_to_be_kept, expires }
    }
}

/// How long an answer of an origin is kept. `error_ttl` is the distribution's time for this error, in seconds.
pub(crate) fn lifetime(
    status: StatusCode,
    headers: &HeaderMap,
    policy: &CachePolicy,
    error_ttl: u64,
    now: SystemTime,
) -> Duration {
    let said = Said::of(headers, now);
    let code = status.as_u16();
    let seconds = if ERRORS.contains(&code) {
        error_ttl.max(said.age.unwrap_or_default())
    } else if ERRORS_WITH_AGE.contains(&code) {
        said.age.map_or(0, |age| error_ttl.max(age))
    } else if !matches!(code, 200 | 203 | 204 | 300 | 301 | 302 | 307 | 308) {
        0
    } else if said.is_not_to_be_kept {
        policy.min_ttl
    } else {
        let age = said.age.or(said.expires).unwrap_or(policy.default_ttl);
        age.clamp(policy.min_ttl, policy.max_ttl.max(policy.min_ttl))
    };
    Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    /// The status, the headers, the policy, and the seconds.
    type Case<'c> = (u16, &'c [(&'c str, &'c str)], &'c CachePolicy, u64);

    #[test]
    fn the_times_are_those_of_cloudfronts_tables() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let policy = |min_ttl, default_ttl, max_ttl| CachePolicy {
            min_ttl,
            default_ttl,
            max_ttl,
            ..CachePolicy::default()
        };
        let (lax, strict) = (policy(0, 100, 1_000), policy(50, 100, 1_000));
        let expires = httpdate::fmt_http_date(now + Duration::from_secs(300));
        let cases: [Case<'_>; 27] = [
            (200, &[], &lax, 100),
            (200, &[], &strict, 100),
            (200, &[("cache-control", "max-age=60")], &lax, 60),
            (200, &[("cache-control", "max-age=5000")], &lax, 1_000),
            (200, &[("cache-control", "max-age=5")], &lax, 5),
            (200, &[("cache-control", "max-age=5")], &strict, 50),
            (200, &[("cache-control", "public, max-age=60, s-maxage=70")], &lax, 70),
            (200, &[("cache-control", "Max-Age=\"60\"")], &lax, 60),
            (200, &[("expires", &expires)], &lax, 300),
            (200, &[("expires", "0")], &lax, 0),
            (200, &[("expires", "0")], &strict, 50),
            (200, &[("expires", &expires), ("cache-control", "max-age=60")], &lax, 60),
            (200, &[("cache-control", "no-cache")], &lax, 0),
            (200, &[("cache-control", "no-store, max-age=60")], &lax, 0),
            (200, &[("cache-control", "private, max-age=60")], &lax, 0),
            (200, &[("cache-control", "private=\"x\"")], &lax, 0),
            (200, &[("cache-control", "private, no-cache")], &strict, 50),
            (200, &[], &policy(0, 0, 0), 0),
            (206, &[], &lax, 0),
            (304, &[], &lax, 0),
            (404, &[], &lax, 10),
            (404, &[], &policy(0, 0, 0), 10),
            (404, &[("cache-control", "max-age=60")], &lax, 60),
            (503, &[], &strict, 10),
            (403, &[], &lax, 0),
            (403, &[("cache-control", "max-age=5")], &lax, 10),
            (416, &[("cache-control", "max-age=5")], &lax, 0),
        ];
        for (status, lines, policy, seconds) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                let name = http::HeaderName::try_from(*name).unwrap();
                headers.append(name, HeaderValue::from_str(value).unwrap());
            }
            let status = StatusCode::from_u16(status).unwrap();
            let kept = lifetime(status, &headers, policy, 10, now);
            assert_eq!(kept, Duration::from_secs(seconds), "{status} {lines:?}");
        }
    }
}
