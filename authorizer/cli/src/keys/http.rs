//! One GET request for keys or metadata.

use std::time::Duration;

use authorizer_core::FetchUrl;
use authorizer_jwks::{FetchError, Fetcher, MAX_ANSWER_BYTES};

use super::error::KeysError;

/// How long a request may take, from the look-up of the name to the last byte.
const DEADLINE: Duration = Duration::from_secs(10);

/// Fetches an address, and returns the body of a 200.
pub(super) fn get(url: &FetchUrl) -> Result<Vec<u8>, KeysError> {
    let fetcher = Fetcher::new().map_err(KeysError::Tls)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(KeysError::Tokio)?;
    let answer = runtime.block_on(fetcher.get(url, DEADLINE));
    // The look-up of a name cannot be cancelled, so this does not wait for it.
    runtime.shutdown_background();
    answer.map(Vec::from).map_err(|error| no_answer(url, error))
}

fn no_answer(url: &FetchUrl, error: FetchError) -> KeysError {
    let address = url.to_string();
    match error {
        FetchError::Unreachable(message) => KeysError::Unreachable { address, message },
        FetchError::Deadline(after) => KeysError::Deadline { address, after },
        FetchError::Broken(message) => KeysError::Broken { address, message },
        FetchError::Redirect { status, location } => KeysError::Redirect { address, status, location },
        FetchError::Status(status) => KeysError::Status { address, status },
        FetchError::TooLarge => KeysError::TooLarge { address, limit: MAX_ANSWER_BYTES },
    }
}
