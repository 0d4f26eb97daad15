//! The distribution: passes each viewer's request through the same steps as CloudFront.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::{Body, Incoming};
use tokio::net::TcpListener;

use crate::answer::{self, XCache};
use crate::body::{ResponseBody, linger};
use crate::credentials::Credentials;
use crate::event::viewer_request;
use crate::function::Function;
use crate::invocation::FunctionError;
use crate::observer::{Observer, RequestDetails, RequestReport};
use crate::origin::Origin;
use crate::random::{RandomError, cloudfront_request_id};
use crate::result::{FunctionOutcome, check};
use crate::s3::{EmbeddedS3, EmbeddedS3Error};
use crate::server::{BoxError, Server};
use crate::tls::Tls;

/// The most characters of a method that are reported. Longer ones are no methods of CloudFront.
const LONGEST_METHOD: usize = 32;

/// The settings of a distribution.
pub struct Settings {
    /// The address for viewers. Port 0 means any free port.
    pub listen: SocketAddr,
    /// The certificate for viewers. Without one, they use plain HTTP.
    pub tls: Option<Tls>,
    /// The bucket's name.
    pub bucket: String,
    /// The bucket's Region, which signatures must be for.
    pub region: String,
    /// The credentials that the distribution signs with and the bucket verifies.
    pub credentials: Credentials,
    /// The folder that holds the bucket's folder.
    pub data_dir: PathBuf,
    /// The viewer-request function.
    pub function: Function,
    /// The response headers policy.
    pub response_headers: Arc<ResponseHeaders>,
    /// The observer that is told about each request.
    pub observer: Arc<dyn Observer>,
}

/// The distribution's response headers policy: the headers that it adds to the bucket's answer to a request with
/// this `Origin`, or that replace the bucket's own
/// ([AWS: response headers
/// policies](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-response-headers-policies.html)).
pub type ResponseHeaders = dyn Fn(Option<&str>) -> Vec<(&'static str, String)> + Send + Sync;

/// Why a distribution could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is not available.
    #[error("cannot listen on {addr}: {error}")]
    Listen {
        /// The requested address.
        addr: SocketAddr,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The bucket.
    #[error(transparent)]
    Bucket(#[from] EmbeddedS3Error),
    /// The bucket's own address is not usable.
    #[error("the bucket does not have a usable address: {0}")]
    BucketAddress(#[from] http::uri::InvalidUri),
    /// The function.
    #[error(transparent)]
    Function(#[from] FunctionError),
}

/// A distribution on a laptop.
#[derive(Debug)]
pub struct Distribution;

/// A distribution that is running. Dropping it stops it.
#[derive(Debug)]
pub struct Running {
    server: Server,
    s3: EmbeddedS3,
    way: Arc<Way>,
}

impl Distribution {
    /// Starts the bucket, the function and the distribution in front of them.
    ///
    /// # Errors
    /// [`StartError`] if the bucket, the function or the address is not available.
    pub async fn start(settings: Settings) -> Result<Running, StartError> {
        let Settings {
            listen,
            tls,
            bucket,
            region,
            credentials,
            data_dir,
            function,
            response_headers,
            observer,
        } = settings;
        let failed = |error| StartError::Listen { addr: listen, error };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let s3 = EmbeddedS3::start(&data_dir, &bucket, &credentials, &region, Arc::clone(&observer)).await?;
        let origin = Origin::new(s3.addr(), &bucket, &region, &credentials)?;
        function.observe(&observer);
        if let Function::Packaged(package) = &function {
            package.start().await?;
        }
        let way = Arc::new(Way { function, origin, response_headers, observer });
        let handler = {
            let way = Arc::clone(&way);
            move |request, viewer| Arc::clone(&way).serve(request, viewer)
        };
        let server = Server::start(listener, tls, handler).map_err(failed)?;
        Ok(Running { server, s3, way })
    }
}

impl Running {
    /// The address for viewers.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// The bucket's own address, which serves only signed requests.
    pub fn s3_addr(&self) -> SocketAddr {
        self.s3.addr()
    }

    /// The function.
    pub fn function(&self) -> &Function {
        &self.way.function
    }

    /// Stops accepting requests, lets the running ones finish, and stops.
    pub async fn stop(self) {
        self.server.stop().await;
        self.s3.stop().await;
    }
}

/// The steps of a request, shared by all connections.
struct Way {
    function: Function,
    origin: Origin,
    response_headers: Arc<ResponseHeaders>,
    observer: Arc<dyn Observer>,
}

impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Way").field("function", &self.function).finish_non_exhaustive()
    }
}

impl Way {
    async fn serve(
        self: Arc<Self>,
        request: Request<Incoming>,
        viewer: SocketAddr,
    ) -> Result<Response<ResponseBody>, BoxError> {
        let started = Instant::now();
        let request_id = cloudfront_request_id().map_err(|error: RandomError| BoxError::from(error))?;
        let (parts, body) = request.into_parts();
        let mut report = RequestReport {
            request_id,
            method: reported(&parts.method),
            path: parts.uri.path().to_owned(),
            status: 0,
            record: None,
            violation: None,
            problem: None,
            elapsed: started.elapsed(),
            forwarded: false,
            details: None,
        };
        let (mut response, x_cache) = self.answer(&parts, body, viewer, &mut report).await;
        answer::stamp(response.headers_mut(), &report.request_id, x_cache);
        report.status = response.status().as_u16();
        report.elapsed = started.elapsed();
        self.observer.request(&report);
        Ok(response)
    }

    async fn answer(
        &self,
        parts: &Parts,
        body: Incoming,
        viewer: SocketAddr,
        report: &mut RequestReport,
    ) -> (Response<ResponseBody>, XCache) {
        match self.decide(parts, viewer, report).await {
            Ok(request) => match self.origin.send(&request, body).await {
                Ok(mut response) => {
                    report.forwarded = true;
                    if let Some(details) = &mut report.details {
                        details.bucket_headers = lines(response.headers());
                    }
                    let origin = parts.headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
                    answer::add(response.headers_mut(), (self.response_headers)(origin));
                    answer::for_browsers(response.headers_mut());
                    let is_error = response.status().is_client_error() || response.status().is_server_error();
                    (response, if is_error { XCache::Error } else { XCache::Miss })
                }
                Err(error) => {
                    report.problem = Some(error.to_string());
                    (answer::page(error.status(), error.sentence(), &report.request_id), XCache::Error)
                }
            },
            Err((mut response, x_cache)) => {
                turn_away(parts, body, &mut response);
                (response, x_cache)
            }
        }
    }

    /// The request for the bucket, or an answer without the bucket.
    async fn decide(
        &self,
        parts: &Parts,
        viewer: SocketAddr,
        report: &mut RequestReport,
    ) -> Result<Box<authorizer_core::event::CloudFrontRequest<'static>>, (Response<ResponseBody>, XCache)>
    {
        let request_id = report.request_id.clone();
        let mut problem = |status: StatusCode, message: String, sentence: &str, x_cache| {
            report.problem = Some(message);
            (answer::page(status, sentence, &request_id), x_cache)
        };
        let event = viewer_request(parts, viewer, &request_id).map_err(|refusal| {
            let (mut response, x_cache) =
                problem(refusal.status(), refusal.to_string(), refusal.sentence(), XCache::Error);
            if refusal.ends_the_connection() && parts.version < http::Version::HTTP_2 {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            (response, x_cache)
        })?;
        let bytes = serde_json::to_vec(&event).map_err(|error| {
            let message = error.to_string();
            problem(StatusCode::INTERNAL_SERVER_ERROR, message, "Internal error.", XCache::Error)
        })?;
        let bytes = Bytes::from(bytes);
        if self.observer.wants_details() {
            let details = RequestDetails { event: bytes.clone(), ..RequestDetails::default() };
            report.details = Some(Box::new(details));
        }
        let invocation = self.function.invoke(bytes).await.map_err(|error| {
            let (sentence, x_cache) = of_error(&error);
            problem(StatusCode::SERVICE_UNAVAILABLE, error.to_string(), sentence, x_cache)
        })?;
        report.record = invocation.record;
        if let Some(details) = &mut report.details {
            details.result = invocation.result.clone();
        }
        let sent = event.records.into_iter().next().map(|record| record.cf.request);
        let outcome = sent.map(|sent| check(&sent, &invocation.result));
        match outcome {
            Some(Ok(FunctionOutcome::Forward(request))) => Ok(request),
            Some(Ok(FunctionOutcome::Respond(response))) => {
                Err((answer::generated(response), XCache::LambdaGeneratedResponse))
            }
            Some(Err(violation)) => {
                let page = answer::page(StatusCode::BAD_GATEWAY, violation.sentence(), &request_id);
                report.violation = Some(violation);
                Err((page, XCache::LambdaValidationError))
            }
            None => Err((
                answer::page(StatusCode::INTERNAL_SERVER_ERROR, "Internal error.", &request_id),
                XCache::Error,
            )),
        }
    }
}

/// What CloudFront says of a function without a result: the sentence of its page, and `x-cache`.
fn of_error(error: &FunctionError) -> (&'static str, XCache) {
    match error {
        FunctionError::DidNotStart { .. }
        | FunctionError::Ended { .. }
        | FunctionError::Failed(_)
        | FunctionError::DeadlineExceeded(_)
        | FunctionError::Unavailable(_) => (
            "The Lambda function associated with the CloudFront distribution is invalid or doesn't have the required \
             permissions.",
            XCache::LambdaExecutionError,
        ),
    }
}

/// A method as reports have it. Viewers may send one of any length, and reports are kept.
fn reported(method: &Method) -> String {
    match method.as_str().get(..LONGEST_METHOD) {
        Some(start) if start.len() < method.as_str().len() => format!("{start}..."),
        _ => method.to_string(),
    }
}

/// The headers of an answer as text.
fn lines(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

/// Ends a request whose body will not be read: closes the connection, as CloudFront does. A viewer that waits for
/// `100 Continue` then never sends its body.
fn turn_away(parts: &Parts, body: Incoming, response: &mut Response<ResponseBody>) {
    if body.is_end_stream() {
        return;
    }
    if parts.version < http::Version::HTTP_2 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if !parts.headers.contains_key(header::EXPECT) {
        linger(body);
    }
}
