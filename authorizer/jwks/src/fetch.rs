//! One GET or one POST, of a few kilobytes, to a server that may be slow, broken or hostile.

use std::error::Error;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use authorizer_core::FetchUrl;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, LOCATION, USER_AGENT};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error as ThisError;

use crate::connection::Connection;

/// The longest answer that is accepted, in bytes. The key sets of the large providers have up to 20,000.
pub const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// An HTTP client that fetches keys and tokens, with the certification authorities that it trusts.
#[derive(Clone, Debug)]
pub struct Fetcher {
    tls: Arc<ClientConfig>,
}

/// A form for a server, which the answer depends on. It contains secrets, so it has no `Debug`.
#[derive(Clone, Copy)]
pub struct Form<'f> {
    /// The value of `Authorization`, if there is one.
    pub authorization: Option<&'f str>,
    /// The body, as `application/x-www-form-urlencoded`.
    pub body: &'f str,
}

/// A whole answer, of any status but a redirect.
#[derive(Clone, Eq, PartialEq)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The body, at most [`MAX_ANSWER_BYTES`].
    pub body: Bytes,
}

/// Its body contains tokens, which must not appear in a log.
impl fmt::Debug for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answered").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Why a fetch failed. It contains text from the server, unescaped, but nothing of what was sent in a [`Form`].
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
pub enum FetchError {
    /// No connection, or a certificate that does not verify.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// The deadline passed, between the look-up of the name and the last byte.
    #[error("did not send a complete answer within {} seconds", .0.as_secs_f64())]
    Deadline(Duration),
    /// An answer that was cut off, or is not HTTP.
    #[error("the answer is not complete: {0}")]
    Broken(String),
    /// A redirect to another address, which the policy does not name.
    #[error("answers {status}, a redirect, but redirects are not followed")]
    Redirect {
        /// The status, 300 to 399.
        status: u16,
        /// The `Location`, if the answer has one.
        location: String,
    },
    /// Any other status.
    #[error("answers {0}, not 200")]
    Status(u16),
    /// Longer than [`MAX_ANSWER_BYTES`].
    #[error("the answer is longer than {MAX_ANSWER_BYTES} bytes")]
    TooLarge,
}

impl FetchError {
    /// A stable word for the log.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Deadline(_) => "deadline_exceeded",
            Self::Broken(_) => "answer_broken",
            Self::Redirect { .. } => "redirect",
            Self::Status(_) => "status_not_200",
            Self::TooLarge => "answer_too_large",
        }
    }
}

impl Fetcher {
    /// A fetcher that trusts Mozilla's list of certification authorities.
    ///
    /// # Errors
    /// If TLS cannot be set up, which does not depend on anything outside of this program.
    pub fn new() -> Result<Self, rustls::Error> {
        Self::trusting(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
    }

    /// A fetcher that trusts only these authorities.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn trusting(roots: RootCertStore) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        // When a frozen function continues, an old connection is already closed.
        tls.resumption = rustls::client::Resumption::disabled();
        Ok(Self { tls: Arc::new(tls) })
    }

    /// The body of a 200.
    ///
    /// # Errors
    /// [`FetchError`] for anything else, and after the deadline.
    pub async fn get(&self, url: &FetchUrl, within: Duration) -> Result<Bytes, FetchError> {
        Ok(self.fetch(url, request(url, None)?, Wanted::Found, within).await?.body)
    }

    /// The answer to a form, which is sent at most once. A redirect is not followed: it is an error, so the form reaches
    /// no other address.
    ///
    /// # Errors
    /// [`FetchError`] if there is no whole answer before the deadline. The server may have got the form all the same.
    pub async fn post(
        &self,
        url: &FetchUrl,
        form: Form<'_>,
        within: Duration,
    ) -> Result<Answered, FetchError> {
        self.fetch(url, request(url, Some(form))?, Wanted::Any, within).await
    }

    async fn fetch(
        &self,
        url: &FetchUrl,
        request: Request<Full<Bytes>>,
        wanted: Wanted,
        within: Duration,
    ) -> Result<Answered, FetchError> {
        match tokio::time::timeout(within, self.at_leisure(url, request, wanted)).await {
            Ok(answer) => answer,
            Err(_) => Err(FetchError::Deadline(within)),
        }
    }

    async fn at_leisure(
        &self,
        url: &FetchUrl,
        request: Request<Full<Bytes>>,
        wanted: Wanted,
    ) -> Result<Answered, FetchError> {
        let unreachable = |error: std::io::Error| FetchError::Unreachable(innermost(&error));
        let broken = |error: hyper::Error| FetchError::Broken(innermost(&error));
        let connection = Connection::open(url, &self.tls).await.map_err(unreachable)?;
        let (mut sender, driver) = http1::handshake(TokioIo::new(connection)).await.map_err(broken)?;
        let answer = async move { wanted.of(sender.send_request(request).await.map_err(broken)?).await };
        // Not in its own task: the connection must end with this call, whatever the result.
        let (mut driver, mut answer) = (pin!(driver), pin!(answer));
        tokio::select! {
            answer = &mut answer => answer,
            // It has passed on all received bytes.
            _ = &mut driver => answer.await,
        }
    }
}

/// Which answers count. A value, not a function, so that the exchange is in the binary once.
#[derive(Clone, Copy)]
enum Wanted {
    /// A 200.
    Found,
    /// One of any status but a redirect, whose address may repeat what was sent.
    Any,
}

impl Wanted {
    async fn of(self, response: Response<Incoming>) -> Result<Answered, FetchError> {
        let status = response.status();
        if status.is_redirection() {
            let location = match self {
                Self::Found => {
                    response.headers().get(LOCATION).map(HeaderValue::as_bytes).unwrap_or_default()
                }
                Self::Any => b"",
            };
            let location = String::from_utf8_lossy(location).into_owned();
            return Err(FetchError::Redirect { status: status.as_u16(), location });
        }
        match self {
            Self::Found if status != StatusCode::OK => Err(FetchError::Status(status.as_u16())),
            Self::Found | Self::Any => {
                Ok(Answered { status: status.as_u16(), body: body_of(response).await? })
            }
        }
    }
}

/// A GET; with a form, a POST of it.
fn request(url: &FetchUrl, form: Option<Form<'_>>) -> Result<Request<Full<Bytes>>, FetchError> {
    let authority = url.uri().authority().map(http::uri::Authority::as_str).unwrap_or_default();
    let path = url.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let mut request = Request::builder()
        .uri(path)
        .header(HOST, authority)
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, concat!("authorizer/", env!("CARGO_PKG_VERSION")))
        .header(CONNECTION, "close");
    let mut body = Bytes::new();
    if let Some(form) = form {
        request = request.method(Method::POST).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(authorization) = form.authorization {
            // The error of `http` does not contain the value, but it is not passed on either.
            let mut value = HeaderValue::from_str(authorization)
                .map_err(|_| FetchError::Broken("the client's credentials do not fit in a header".into()))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        body = Bytes::copy_from_slice(form.body.as_bytes());
    }
    request.body(Full::new(body)).map_err(|error| FetchError::Broken(error.to_string()))
}

async fn body_of(response: Response<Incoming>) -> Result<Bytes, FetchError> {
    let said = usize::try_from(response.body().size_hint().lower()).unwrap_or(usize::MAX);
    if said > MAX_ANSWER_BYTES {
        return Err(FetchError::TooLarge);
    }
    match Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(FetchError::TooLarge),
        Err(error) => Err(FetchError::Broken(innermost(&*error))),
    }
}

/// The innermost error, from the system or the server: the errors around it only name the layer.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
