//! The distribution: passes each viewer's request through the same steps as CloudFront.

mod forward;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use authorizer_core::event::CloudFrontRequest;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use tokio::net::TcpListener;

use crate::answer::{self, XCache};
use crate::behaviors::{Answers, Behavior, Behaviors, FunctionHere, OriginHere, Site, ViewerProtocol};
use crate::body::{ResponseBody, ViewerBody};
use crate::cache::Cache;
use crate::credentials::Credentials;
use crate::event::{METHOD_NOT_ALLOWED, ViewerRefusal, viewer_request};
use crate::function::Function;
use crate::invocation::FunctionError;
use crate::observer::{Observer, RequestDetails, RequestReport};
use crate::origin::Origin;
use crate::random::{RandomError, cloudfront_request_id};
use crate::result::{FunctionOutcome, check};
use crate::s3::{BucketOptions, EmbeddedS3, EmbeddedS3Error};
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
    /// What the bucket can be, and each bucket of a distribution whose template does not say otherwise.
    pub bucket_options: BucketOptions,
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
    buckets: Vec<RunningBucket>,
    way: Arc<Way>,
}

/// A bucket that is running.
#[derive(Debug)]
struct RunningBucket {
    name: String,
    region: String,
    s3: EmbeddedS3,
}

/// Removes answers from the cache, as `create-invalidation` does.
#[derive(Clone, Debug)]
pub struct Invalidator(Cache);

impl Invalidator {
    /// Removes the answers for a path, such as `/a/b` or `/a/*`, and gives their number.
    pub fn invalidate(&self, path: &str) -> usize {
        self.0.invalidate(path)
    }
}

impl Distribution {
    /// Starts the bucket, the function and the distribution in front of them: one behavior, from which every header
    /// reaches the bucket.
    ///
    /// # Errors
    /// [`StartError`] if the bucket, the function or the address is not available.
    pub async fn start(settings: Settings) -> Result<Running, StartError> {
        Self::start_with(settings, Behaviors::Everything).await
    }

    /// Starts the buckets, the function and a distribution with these behaviors. The bucket and the response headers of
    /// the settings are those of the one behavior, if there is no distribution.
    ///
    /// # Errors
    /// [`StartError`] if a bucket, the function or the address is not available.
    pub async fn start_with(settings: Settings, behaviors: Behaviors) -> Result<Running, StartError> {
        let Settings {
            listen,
            tls,
            bucket,
            bucket_options,
            region,
            credentials,
            data_dir,
            function,
            response_headers,
            observer,
        } = settings;
        let failed = |error| StartError::Listen { addr: listen, error };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let site = behaviors.into_site(&bucket, &region);
        let mut buckets: Vec<RunningBucket> = Vec::new();
        let mut origins = Vec::new();
        for origin in &site.origins {
            origins.push(match origin {
                OriginHere::Absent(why) => Err(why.clone()),
                OriginHere::Bucket(here) => {
                    let running = match buckets.iter().position(|one| one.name == here.bucket) {
                        Some(place) => buckets.get(place),
                        None => {
                            let observer = Arc::clone(&observer);
                            let (name, region) = (here.bucket.clone(), here.region.clone());
                            let mut options = bucket_options.clone();
                            options.versions = here.versions.unwrap_or(options.versions);
                            let s3 = EmbeddedS3::start_with(
                                &data_dir,
                                &name,
                                &credentials,
                                &region,
                                observer,
                                options,
                            )
                            .await?;
                            buckets.push(RunningBucket { name, region, s3 });
                            buckets.last()
                        }
                    };
                    match running {
                        Some(RunningBucket { s3, region, .. }) => {
                            Ok(Origin::new(s3.addr(), here.clone(), region, &credentials)?)
                        }
                        None => Err("the bucket was not started".to_owned()),
                    }
                }
            });
        }
        function.observe(&observer);
        if let Function::Packaged(package) = &function {
            package.start().await?;
        }
        let is_https = tls.is_some();
        let cache = site.caches().then(Cache::default);
        let way = Arc::new(Way { function, site, origins, cache, is_https, response_headers, observer });
        let handler = {
            let way = Arc::clone(&way);
            move |request, viewer| Arc::clone(&way).serve(request, viewer)
        };
        let server = Server::start(listener, tls, handler).map_err(failed)?;
        Ok(Running { server, buckets, way })
    }
}

impl Running {
    /// The address for viewers.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// The first bucket's own address, which serves only signed requests.
    pub fn s3_addr(&self) -> SocketAddr {
        self.buckets.first().map_or_else(|| self.server.addr(), |bucket| bucket.s3.addr())
    }

    /// Every bucket with its own address.
    pub fn buckets(&self) -> impl Iterator<Item = (&str, SocketAddr)> {
        self.buckets.iter().map(|bucket| (bucket.name.as_str(), bucket.s3.addr()))
    }

    /// What the buckets could not import, and why.
    pub fn notes(&self) -> impl Iterator<Item = &str> {
        self.buckets.iter().flat_map(|bucket| bucket.s3.notes()).map(String::as_str)
    }

    /// The function.
    pub fn function(&self) -> &Function {
        &self.way.function
    }

    /// What removes answers from the cache, if anything can be in it.
    pub fn invalidator(&self) -> Option<Invalidator> {
        self.way.cache.clone().map(Invalidator)
    }

    /// Stops accepting requests, lets the running ones finish, and stops.
    pub async fn stop(self) {
        self.server.stop().await;
        for bucket in self.buckets {
            bucket.s3.stop().await;
        }
    }
}

/// The steps of a request, shared by all connections.
struct Way {
    function: Function,
    site: Site,
    /// The origins of the site, in its order; or why one is not here.
    origins: Vec<Result<Origin, String>>,
    /// Where anything can be cached.
    cache: Option<Cache>,
    is_https: bool,
    response_headers: Arc<ResponseHeaders>,
    observer: Arc<dyn Observer>,
}

impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Way").field("function", &self.function).finish_non_exhaustive()
    }
}

/// An answer, and what `x-cache` says of it.
type Answered = (Response<ResponseBody>, XCache);

impl Way {
    async fn serve(
        self: Arc<Self>,
        request: Request<Incoming>,
        viewer: SocketAddr,
    ) -> Result<Response<ResponseBody>, BoxError> {
        let started = Instant::now();
        let request_id = cloudfront_request_id().map_err(|error: RandomError| BoxError::from(error))?;
        let (parts, body) = request.into_parts();
        let body = ViewerBody::new(body, parts.version);
        let mut report = RequestReport {
            request_id,
            method: reported(&parts.method),
            path: parts.uri.path().to_owned(),
            status: 0,
            record: None,
            usage: None,
            violation: None,
            problem: None,
            elapsed: started.elapsed(),
            forwarded: false,
            age: None,
            second_origin: false,
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
        mut body: ViewerBody,
        viewer: SocketAddr,
        report: &mut RequestReport,
    ) -> Answered {
        let behavior = self.site.behavior(parts.uri.path());
        let decided = match self.before_the_function(parts, behavior, report) {
            Some(answered) => Err(answered),
            None => {
                let has_content = parts.method == Method::GET && body.has_content().await;
                self.decide(parts, has_content, viewer, behavior, report).await
            }
        };
        match decided {
            Ok(request) => {
                let (mut response, x_cache) = self.forward(*request, body, behavior, report).await;
                // A page that CloudFront writes itself stays as it is.
                if report.forwarded || report.age.is_some() {
                    self.dress(parts, behavior, response.headers_mut());
                }
                (response, x_cache)
            }
            Err((mut response, x_cache)) => {
                turn_away(parts, body, &mut response);
                (response, x_cache)
            }
        }
    }

    /// What CloudFront answers before it runs a function.
    fn before_the_function(
        &self,
        parts: &Parts,
        behavior: &Behavior,
        report: &mut RequestReport,
    ) -> Option<Answered> {
        let name = &behavior.name;
        if !self.is_https && behavior.protocol != ViewerProtocol::AllowAll {
            let advice = "start `serve` with `--tls`";
            if behavior.protocol == ViewerProtocol::RedirectToHttps {
                report.problem = Some(format!("{name} sends plain HTTP to HTTPS: {advice}"));
                return Some((to_https(parts), XCache::Redirect));
            }
            report.problem = Some(format!("{name} takes HTTPS only: {advice}"));
            let page = answer::page(StatusCode::FORBIDDEN, "Bad request.", &report.request_id);
            return Some((page, XCache::Error));
        }
        if !behavior.methods.iter().any(|method| method == parts.method.as_str()) {
            report.problem =
                Some(format!("{name} does not allow this method, but {}", behavior.methods.join(", ")));
            let page = answer::page(StatusCode::FORBIDDEN, METHOD_NOT_ALLOWED, &report.request_id);
            return Some((page, XCache::Error));
        }
        if behavior.is_for_signed_urls {
            report.problem = Some(format!(
                "{name} has trusted key groups or signers: CloudFront lets in only its own signed URLs and cookies, \
                 which are not checked here"
            ));
            let message = "Missing Key-Pair-Id query parameter or cookie value";
            return Some((answer::xml(StatusCode::FORBIDDEN, "MissingKey", message), XCache::Error));
        }
        if let FunctionHere::Absent(why) | FunctionHere::Other(why) = &behavior.function {
            report.problem = Some(why.clone());
            return Some((answer::not_here(why), XCache::Error));
        }
        None
    }

    /// The request for the origin, or an answer without it.
    async fn decide(
        &self,
        parts: &Parts,
        is_get_with_content: bool,
        viewer: SocketAddr,
        behavior: &Behavior,
        report: &mut RequestReport,
    ) -> Result<Box<CloudFrontRequest<'static>>, Answered> {
        let request_id = report.request_id.clone();
        let mut problem = |status: StatusCode, message: String, sentence: &str, x_cache| {
            report.problem = Some(message);
            (answer::page(status, sentence, &request_id), x_cache)
        };
        let event = if is_get_with_content {
            Err(ViewerRefusal::GetWithBody)
        } else {
            viewer_request(parts, viewer, &request_id)
        };
        let event = event.map_err(|refusal| {
            let (mut response, x_cache) =
                problem(refusal.status(), refusal.to_string(), refusal.sentence(), XCache::Error);
            if refusal.ends_the_connection() && parts.version < http::Version::HTTP_2 {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            (response, x_cache)
        })?;
        if behavior.function != FunctionHere::Ours {
            let sent = event.records.into_iter().next().map(|record| Box::new(record.cf.request));
            return sent.ok_or_else(|| no_event(&request_id));
        }
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
            report.problem = Some(error.to_string());
            (answer::page(StatusCode::SERVICE_UNAVAILABLE, sentence, &request_id), x_cache)
        })?;
        report.record = invocation.record;
        report.usage = invocation.usage;
        if let Some(details) = &mut report.details {
            details.result = invocation.result.clone();
        }
        let sent = event.records.into_iter().next().map(|record| record.cf.request);
        let outcome = sent.map(|sent| check(&sent, &invocation.result));
        match outcome {
            Some(Ok(FunctionOutcome::Forward(request))) => Ok(request),
            Some(Ok(FunctionOutcome::Respond(response))) => {
                let mut response = answer::generated(response);
                // The templates' policy changes nothing of what the function says.
                if let Answers::Policy(_) = behavior.answers {
                    self.dress(parts, behavior, response.headers_mut());
                }
                Err((response, XCache::LambdaGeneratedResponse))
            }
            Some(Err(violation)) => {
                let page = answer::page(StatusCode::BAD_GATEWAY, violation.sentence(), &request_id);
                report.violation = Some(violation);
                Err((page, XCache::LambdaValidationError))
            }
            None => Err(no_event(&request_id)),
        }
    }

    /// Adds to an answer what the behavior's response headers policy says.
    fn dress(&self, parts: &Parts, behavior: &Behavior, headers: &mut HeaderMap) {
        let origin = parts.headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
        match &behavior.answers {
            Answers::Templates => {
                answer::add(headers, (self.response_headers)(origin));
                answer::for_browsers(headers);
            }
            Answers::Policy(Some(policy)) => {
                let is_preflight = parts.method == Method::OPTIONS
                    && parts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
                answer::apply(policy, headers, origin, is_preflight);
            }
            Answers::Policy(None) => {}
        }
    }
}

/// The same URL with HTTPS: 301 for GET and HEAD, and 307 for the other methods, which then stay what they are.
fn to_https(parts: &Parts) -> Response<ResponseBody> {
    let status = match parts.method {
        Method::GET | Method::HEAD => StatusCode::MOVED_PERMANENTLY,
        _ => StatusCode::TEMPORARY_REDIRECT,
    };
    let host =
        parts.uri.authority().map(|host| host.as_str().to_owned()).or_else(|| {
            parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(str::to_owned)
        });
    // Without a name and a password before it.
    let host = host.map(|host| host.rsplit('@').next().unwrap_or_default().to_owned());
    let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    answer::redirect(status, &format!("https://{}{path}", host.unwrap_or_default()))
}

fn no_event(request_id: &str) -> Answered {
    (answer::page(StatusCode::INTERNAL_SERVER_ERROR, "Internal error.", request_id), XCache::Error)
}

/// What CloudFront says of a function without a result: the sentence of its page, and `x-cache`.
fn of_error(error: &FunctionError) -> (&'static str, XCache) {
    match error {
        FunctionError::DidNotStart { .. }
        | FunctionError::Ended { .. }
        | FunctionError::Failed(_)
        | FunctionError::DeadlineExceeded(_)
        | FunctionError::OutOfMemory(_)
        | FunctionError::Unavailable(_) => (
            "The Lambda function associated with the CloudFront distribution is invalid or doesn't have the required \
             permissions.",
            XCache::LambdaExecutionError,
        ),
        FunctionError::Throttled(_) => (
            "The Lambda function associated with the CloudFront distribution was throttled.",
            XCache::LambdaLimitExceeded,
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

/// Ends a request whose body will not be read: closes the connection, as CloudFront does. A viewer that waits for
/// `100 Continue` then never sends its body.
fn turn_away(parts: &Parts, body: ViewerBody, response: &mut Response<ResponseBody>) {
    if body.is_end_stream() {
        return;
    }
    if !body.is_http_2() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    // With HTTP/2, the bytes may come all the same.
    if body.is_http_2() || !parts.headers.contains_key(header::EXPECT) {
        body.linger();
    }
}
