//! What the policy says of the type and the claims of a token, apart from the clock.

use super::error::TokenError;
use crate::time::UnixTime;

/// The checks of a token's type and claims, in their order: those before the times, the times, those after them. Only
/// the times depend on the clock, so a token that comes again is judged with a few comparisons.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judged {
    times: Result<Times, TokenError>,
    leeway_seconds: u32,
    after: Result<(), TokenError>,
}

/// The times of a token (RFC 7519 sections 4.1.4 to 4.1.6), in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) expires: f64,
    pub(super) not_before: Option<f64>,
    pub(super) issued_at: Option<f64>,
}

impl Judged {
    /// `times` is the first error before the times or in their form; `after` is the first of the checks after them.
    pub(super) fn new(
        times: Result<Times, TokenError>,
        leeway_seconds: u32,
        after: Result<(), TokenError>,
    ) -> Self {
        Self { times, leeway_seconds, after }
    }

    /// The first check that fails at this instant.
    pub(super) fn at(&self, now: UnixTime) -> Result<(), TokenError> {
        let Times { expires, not_before, issued_at } = self.times?;
        let now = now.as_seconds_f64();
        let leeway = f64::from(self.leeway_seconds);
        if now - leeway >= expires {
            return Err(TokenError::Expired);
        }
        if not_before.is_some_and(|not_before| now + leeway < not_before) {
            return Err(TokenError::NotYetValid);
        }
        if issued_at.is_some_and(|issued_at| now + leeway < issued_at) {
            return Err(TokenError::IssuedInFuture);
        }
        self.after
    }
}

#[cfg(test)]
impl Default for Judged {
    /// A token for unit tests, which is refused.
    fn default() -> Self {
        Self::new(Err(TokenError::Malformed), 0, Ok(()))
    }
}
