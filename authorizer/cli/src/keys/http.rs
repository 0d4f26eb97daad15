//! One GET, of a few kilobytes, from somebody who may be slow, broken or hostile.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, LOCATION, USER_AGENT};
use http::{Request, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use super::address::Address;
use super::error::KeysError;

/// The longest answer, in bytes. Providers' keys take a few kilobytes.
pub(super) const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// How long a request may take, from the look-up of the name to the last byte.
const DEADLINE: Duration = Duration::from_secs(10);

/// What a GET may cost. It follows no redirect, asks for no compression and takes no proxy from the environment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fetcher {
    deadline: Duration,
}

impl Default for Fetcher {
    fn default() -> Self {
        Self { deadline: DEADLINE }
    }
}

impl Fetcher {
    /// With another deadline.
    #[cfg(test)]
    pub(super) fn within(deadline: Duration) -> Self {
        Self { deadline }
    }

    /// The body of a 200.
    pub(super) fn get(self, address: &Address) -> Result<Vec<u8>, KeysError> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(KeysError::Tokio)?;
        let answer = runtime.block_on(async {
            tokio::time::timeout(self.deadline, get(address)).await.unwrap_or_else(|_| {
                Err(KeysError::Deadline { address: address.to_string(), after: self.deadline })
            })
        });
        // The look-up of a name cannot be called off, and is not waited for.
        runtime.shutdown_background();
        answer
    }
}

async fn get(address: &Address) -> Result<Vec<u8>, KeysError> {
    let connector = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
    let client = Client::builder(TokioExecutor::new()).build::<_, Empty<Bytes>>(connector);
    let broken = |message: String| KeysError::Broken { address: address.to_string(), message };
    let request = Request::get(address.uri())
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, concat!("authorizer/", env!("CARGO_PKG_VERSION")))
        .body(Empty::new())
        .map_err(|error| broken(error.to_string()))?;
    let response = client.request(request).await.map_err(|error| {
        let message = innermost(&error);
        if error.is_connect() {
            KeysError::Unreachable { address: address.to_string(), message }
        } else {
            broken(message)
        }
    })?;
    let status = response.status();
    if status.is_redirection() {
        let location = response.headers().get(LOCATION).map(|value| value.as_bytes()).unwrap_or_default();
        return Err(KeysError::Redirect {
            address: address.to_string(),
            status: status.as_u16(),
            location: String::from_utf8_lossy(location).into_owned(),
        });
    }
    if status != StatusCode::OK {
        return Err(KeysError::Status { address: address.to_string(), status: status.as_u16() });
    }
    let too_large = || KeysError::TooLarge { address: address.to_string(), limit: MAX_ANSWER_BYTES };
    let said = usize::try_from(response.body().size_hint().lower()).unwrap_or(usize::MAX);
    if said > MAX_ANSWER_BYTES {
        return Err(too_large());
    }
    match Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await {
        Ok(body) => Ok(body.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(error) => Err(broken(innermost(&*error))),
    }
}

/// What the system or the other side said: the errors around it only say which layer was told.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::stand_in::StandIn;
    use super::*;

    fn get(answer: &[u8]) -> Result<Vec<u8>, String> {
        let server = StandIn::always(answer);
        Fetcher::default().get(&server.address("/")).map_err(|error| error.to_string())
    }

    #[test]
    fn the_body_of_a_200_is_given_as_it_is() {
        assert_eq!(get(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").unwrap(), b"{}");
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n";
        assert_eq!(get(chunked).unwrap(), b"{}");
    }

    #[test]
    fn every_other_answer_is_an_error_that_says_what_came() {
        for (answer, message) in [
            ("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", "answers 404, not 200"),
            ("HTTP/1.1 204 No Content\r\n\r\n", "answers 204, not 200"),
            ("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "answers 500, not 200"),
            (
                "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\x1b[2J\r\nContent-Length: 0\r\n\r\n",
                "not whole",
            ),
            (
                "HTTP/1.1 301 Moved\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n",
                "a redirect to `https://elsewhere.example/`, and redirects are not followed",
            ),
            ("HTTP/1.1 304 Not Modified\r\n\r\n", "answers 304, a redirect to ``"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", "is not whole"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}", "is not whole"),
            ("SSH-2.0-OpenSSH_10\r\n", "is not whole"),
            ("", "is not whole"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n", "longer than 1048576 bytes"),
        ] {
            let error = get(answer.as_bytes()).unwrap_err();
            assert!(error.contains(message), "{answer:?}: {error}");
            assert!(!error.contains('\x1b'), "{error:?}");
        }
    }

    #[test]
    fn a_body_that_does_not_say_its_length_is_read_to_the_limit_and_no_further() {
        let head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
        let exact = [head.clone(), vec![b' '; MAX_ANSWER_BYTES]].concat();
        assert_eq!(get(&exact).unwrap().len(), MAX_ANSWER_BYTES);
        let more = [head, vec![b' '; 2 * MAX_ANSWER_BYTES]].concat();
        assert!(get(&more).unwrap_err().contains("longer than 1048576 bytes"));
    }

    #[test]
    fn who_is_slow_is_not_waited_for() {
        for answer in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{"] {
            let server = StandIn::stalling(answer.as_bytes());
            let started = Instant::now();
            let error = Fetcher::within(Duration::from_millis(200)).get(&server.address("/")).unwrap_err();
            assert!(error.to_string().contains("no whole answer within 0.2 seconds"), "{error}");
            assert!(started.elapsed() < DEADLINE);
        }
    }

    #[test]
    fn who_is_not_there_or_speaks_no_tls_is_said_to_be_unreachable() {
        let gone = StandIn::always(b"").address("/");
        let server = StandIn::always(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        let plain = Address::parse(&server.address("/").as_str().replace("http:", "https:")).unwrap();
        for address in [gone, plain] {
            let error = Fetcher::default().get(&address).unwrap_err().to_string();
            assert!(error.contains("cannot be reached: "), "{error}");
        }
    }
}
