//! One GET over plain HTTP.

use std::time::{Duration, Instant};

use authorizer_core::FetchUrl;
use authorizer_jwks::{FetchError, Fetcher, MAX_ANSWER_BYTES};

use crate::stand_in::StandIn;

/// Longer than any test waits.
const LONG: Duration = Duration::from_secs(60);

async fn get(answer: &[u8]) -> Result<Vec<u8>, FetchError> {
    let server = StandIn::always(answer);
    Fetcher::new().unwrap().get(&server.url("/jwks?a=b"), LONG).await.map(Vec::from)
}

#[tokio::test]
async fn the_body_of_a_200_is_given_as_it_is_whatever_type_it_says_it_has() {
    assert_eq!(get(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.unwrap(), b"{}");
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n";
    assert_eq!(get(chunked).await.unwrap(), b"{}");
    let html = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n{}";
    assert_eq!(get(html).await.unwrap(), b"{}");
}

#[tokio::test]
async fn every_other_answer_is_an_error_that_says_what_came() {
    for (answer, reason) in [
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", "status_not_200"),
        ("HTTP/1.1 204 No Content\r\n\r\n", "status_not_200"),
        ("HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\n\r\n{}", "status_not_200"),
        ("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "status_not_200"),
        (
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\x1b[2J\r\nContent-Length: 0\r\n\r\n",
            "answer_broken",
        ),
        (
            "HTTP/1.1 301 Moved\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n",
            "redirect",
        ),
        ("HTTP/1.1 304 Not Modified\r\n\r\n", "redirect"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", "answer_broken"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}", "answer_broken"),
        ("SSH-2.0-OpenSSH_10\r\n", "answer_broken"),
        ("", "answer_broken"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 262145\r\n\r\n", "answer_too_large"),
    ] {
        assert_eq!(get(answer.as_bytes()).await.unwrap_err().reason(), reason, "{answer:?}");
    }
    let redirected =
        get(b"HTTP/1.1 308 No\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n").await.unwrap_err();
    assert_eq!(redirected, FetchError::Redirect { status: 308, location: "/other".into() });
}

#[tokio::test]
async fn a_body_that_does_not_say_its_length_is_read_to_the_limit_and_no_further() {
    let head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
    let exact = [head.clone(), vec![b' '; MAX_ANSWER_BYTES]].concat();
    assert_eq!(get(&exact).await.unwrap().len(), MAX_ANSWER_BYTES);
    let more = [head, vec![b' '; 2 * MAX_ANSWER_BYTES]].concat();
    assert_eq!(get(&more).await.unwrap_err(), FetchError::TooLarge);
}

#[tokio::test]
async fn who_is_slow_is_not_waited_for() {
    let within = Duration::from_millis(200);
    for answer in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{"] {
        let server = StandIn::stalling(answer.as_bytes());
        let started = Instant::now();
        let error = Fetcher::new().unwrap().get(&server.url("/"), within).await.unwrap_err();
        assert_eq!(error, FetchError::Deadline(within));
        assert!(started.elapsed() < LONG);
    }
}

#[tokio::test]
async fn who_is_not_there_or_speaks_no_tls_is_said_to_be_unreachable() {
    let gone = StandIn::always(b"").url("/");
    let server = StandIn::always(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    let plain = FetchUrl::parse(&server.url("/").as_str().replace("http:", "https:")).unwrap();
    for url in [gone, plain] {
        let error = Fetcher::new().unwrap().get(&url, LONG).await.unwrap_err();
        assert_eq!(error.reason(), "unreachable", "{url}");
    }
}
