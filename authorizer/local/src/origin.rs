//! The bucket as CloudFront's origin: signs and sends the request that the function returned, and streams the
//! answer.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use authorizer_core::event::CloudFrontRequest;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::behaviors::{BucketHere, Signing};
use crate::body::{Activity, Download, ResponseBody, Upload};
use crate::credentials::Credentials;
use crate::headers::is_hop_by_hop;
use crate::sign::{SignError, Signer};

/// The connection timeout: "If the connection fails within 10 seconds", AWS, origin behaviour for S3.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The origin response timeout of an S3 origin, which cannot be changed.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// The time after which an idle connection is closed: well before the bucket closes it.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// A bucket behind the distribution.
pub(crate) struct Origin {
    client: Client<HttpConnector, Upload>,
    authority: Authority,
    bucket: BucketHere,
    signer: Signer,
    response_timeout: Duration,
}

/// Why the bucket did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OriginError {
    #[error("the returned request cannot be sent: {0}")]
    Request(#[from] http::Error),
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error("the bucket at {addr} cannot be reached: {error}")]
    Unreachable { addr: Authority, error: String },
    #[error("the bucket did not answer within {} s", _0.as_secs())]
    TooSlow(Duration),
}

impl OriginError {
    /// What CloudFront's page says.
    pub(crate) fn sentence(&self) -> &'static str {
        match self {
            Self::Request(_) | Self::Sign(_) => "Bad request.",
            Self::Unreachable { .. } => "CloudFront wasn't able to connect to the origin.",
            Self::TooSlow(_) => {
                "CloudFront attempted to establish a connection with the origin, but either the attempt failed or the \
                 origin closed the connection."
            }
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Request(_) | Self::Sign(_) | Self::Unreachable { .. } => StatusCode::BAD_GATEWAY,
            Self::TooSlow(_) => StatusCode::GATEWAY_TIMEOUT,
        }
    }
}

impl Origin {
    /// The bucket at an address, which signatures for this Region are for.
    pub(crate) fn new(
        addr: SocketAddr,
        bucket: BucketHere,
        region: &str,
        credentials: &Credentials,
    ) -> Result<Self, http::uri::InvalidUri> {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .build(connector);
        Ok(Self {
            client,
            authority: Authority::try_from(addr.to_string())?,
            bucket,
            signer: Signer::new(credentials.clone(), region),
            response_timeout: RESPONSE_TIMEOUT,
        })
    }

    /// Whether it signs the request that the function returned. Whether CloudFront looks at the viewer's own request
    /// instead is unproven.
    pub(crate) fn signs(&self, request: &CloudFrontRequest<'_>) -> bool {
        match self.bucket.signing {
            Signing::Always => true,
            Signing::UnlessAuthorized => !request.headers.contains_key("authorization"),
            Signing::Never => false,
        }
    }

    /// Sends what reaches the bucket of the request that the function returned, with the viewer's body.
    pub(crate) async fn send(
        &self,
        request: &CloudFrontRequest<'_>,
        body: Option<Incoming>,
        signs: bool,
    ) -> Result<Response<ResponseBody>, OriginError> {
        let activity = Activity::now();
        let request = self.request(request, Upload::new(body, activity.clone()), signs)?;
        let response = tokio::select! {
            response = self.client.request(request) => response.map_err(|error| self.unreachable(&error))?,
            () = activity.ceased(self.response_timeout) => {
                return Err(OriginError::TooSlow(self.response_timeout));
            }
        };
        let (mut parts, body) = response.into_parts();
        for name in hop_by_hop(&parts.headers) {
            parts.headers.remove(name);
        }
        let body = Download::new(body, self.response_timeout).boxed_unsync();
        Ok(Response::from_parts(parts, body))
    }

    fn request(
        &self,
        request: &CloudFrontRequest<'_>,
        body: Upload,
        signs: bool,
    ) -> Result<Request<Upload>, OriginError> {
        let BucketHere { bucket, path: prefix, .. } = &self.bucket;
        let path = match request.querystring.as_ref() {
            "" => format!("/{bucket}{prefix}{}", request.uri),
            query => format!("/{bucket}{prefix}{}?{query}", request.uri),
        };
        let uri = Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.authority.clone())
            .path_and_query(PathAndQuery::try_from(path).map_err(http::Error::from)?)
            .build()?;
        let method = Method::from_bytes(request.method.as_bytes()).map_err(http::Error::from)?;
        let mut signed = Request::builder().method(method).uri(uri).body(body)?;
        for (name, lines) in &request.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(http::Error::from)?;
            // hyper sets the body's framing for this connection, and the host of the bucket.
            if is_hop_by_hop(&name) || name == header::HOST {
                continue;
            }
            for line in lines.iter() {
                let value = HeaderValue::from_bytes(line.value.as_bytes()).map_err(http::Error::from)?;
                signed.headers_mut().append(name.clone(), value);
            }
        }
        for (name, value) in &self.bucket.headers {
            let name = HeaderName::try_from(name).map_err(http::Error::from)?;
            let value = HeaderValue::try_from(value).map_err(http::Error::from)?;
            signed.headers_mut().insert(name, value);
        }
        let (mut parts, body) = signed.into_parts();
        if signs {
            self.signer.sign(&mut parts, SystemTime::now())?;
        }
        Ok(Request::from_parts(parts, body))
    }

    fn unreachable(&self, error: &hyper_util::client::legacy::Error) -> OriginError {
        // Only the innermost cause is useful: "connection refused".
        let mut cause: &dyn std::error::Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        OriginError::Unreachable { addr: self.authority.clone(), error: cause.to_string() }
    }
}

fn hop_by_hop(headers: &header::HeaderMap) -> Vec<HeaderName> {
    headers.keys().filter(|name| is_hop_by_hop(name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Server;
    use authorizer_core::event::CloudFrontHeaders;
    use bytes::Bytes;
    use http_body_util::Empty;
    use std::sync::Arc;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::mpsc;

    /// The result of one request to a bucket at the address: its status and body, or the error.
    async fn ask(bucket: SocketAddr) -> Result<(u16, Result<Bytes, String>), OriginError> {
        let credentials = Credentials::new("AK", "SK");
        let files = BucketHere {
            bucket: "files".to_owned(),
            region: "us-east-1".to_owned(),
            path: String::new(),
            signing: Signing::Always,
            versions: None,
            headers: Vec::new(),
        };
        let mut origin = Origin::new(bucket, files, "us-east-1", &credentials).unwrap();
        origin.response_timeout = Duration::from_millis(100);
        let origin = Arc::new(origin);
        let (sender, mut answers) = mpsc::unbounded_channel();
        let handler = move |request: Request<Incoming>, _| {
            let (origin, sender) = (Arc::clone(&origin), sender.clone());
            async move {
                let returned = CloudFrontRequest {
                    client_ip: "".into(),
                    method: "GET".into(),
                    uri: "/a".into(),
                    querystring: "".into(),
                    headers: CloudFrontHeaders::new(),
                    body: None,
                    other: serde_json::Map::new(),
                };
                let answer = match origin.send(&returned, Some(request.into_body()), true).await {
                    Ok(response) => {
                        let status = response.status().as_u16();
                        let body = response.into_body().collect().await;
                        Ok((status, body.map(|b| b.to_bytes()).map_err(|e| e.to_string())))
                    }
                    Err(error) => Err(error),
                };
                sender.send(answer).unwrap();
                Ok(Response::new(Empty::<Bytes>::new()))
            }
        };
        let server = Server::start(TcpListener::bind("127.0.0.1:0").await.unwrap(), None, handler).unwrap();
        let mut viewer = TcpStream::connect(server.addr()).await.unwrap();
        viewer.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
        answers.recv().await.unwrap()
    }

    /// A bucket that reads a request, answers with these bytes and then stays silent.
    async fn bucket_that_says(bytes: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(bytes).await.unwrap();
            // Until the distribution closes the connection.
            let _ = stream.read_to_end(&mut Vec::new()).await;
        });
        addr
    }

    #[tokio::test]
    async fn a_bucket_that_is_down_is_502_in_one_line() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let error = ask(free).await.unwrap_err();
        assert_eq!(error.status(), StatusCode::BAD_GATEWAY);
        let line = error.to_string();
        assert!(
            line.contains(&free.to_string()) && line.contains("refused") && !line.contains('\n'),
            "{line}"
        );
    }

    #[tokio::test]
    async fn a_bucket_that_never_answers_is_504() {
        let error = ask(bucket_that_says(b"").await).await.unwrap_err();
        assert_eq!(error.status(), StatusCode::GATEWAY_TIMEOUT, "{error}");
    }

    #[tokio::test]
    async fn a_bucket_that_stops_in_its_answer_breaks_the_answer_off() {
        let half = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
        let (status, body) = ask(bucket_that_says(half).await).await.unwrap();
        assert_eq!(
            (status, body.unwrap_err().as_str()),
            (200, "the bucket stopped in the middle of its answer")
        );
    }

    #[tokio::test]
    async fn what_belongs_to_one_connection_is_not_passed_on() {
        let answer =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nKeep-Alive: 1\r\n\r\n2\r\nok\r\n0\r\n\r\n";
        let (status, body) = ask(bucket_that_says(answer).await).await.unwrap();
        assert_eq!((status, body.unwrap()), (200, Bytes::from_static(b"ok")));
    }
}
