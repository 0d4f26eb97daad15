//! The distribution: passes each viewer's request through the same steps as CloudFront.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use authorizer_core::event::{CloudFrontHeaders, CloudFrontRequest};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Incoming};
use serde_json::Map;
use tokio::net::TcpListener;

use crate::answer::{self, XCache};
use crate::behaviors::{Answers, Behavior, Behaviors, FunctionHere, OriginHere, Site, ViewerProtocol};
use crate::body::{ResponseBody, linger};
use crate::cache::{Asked, Cache, Cached, Key, OBJECT, Tee, lifetime};
use crate::credentials::Credentials;
use crate::event::{METHOD_NOT_ALLOWED, viewer_request};
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
    ) -> Answered {
        let behavior = self.site.behavior(parts.uri.path());
        let decided = match self.before_the_function(parts, behavior, report) {
            Some(answered) => Err(answered),
            None => self.decide(parts, viewer, behavior, report).await,
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
        viewer: SocketAddr,
        behavior: &Behavior,
        report: &mut RequestReport,
    ) -> Result<Box<CloudFrontRequest<'static>>, Answered> {
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

    /// Sends a request to the behavior's origin, and gives its answer, or the page for its error.
    async fn forward(
        &self,
        mut request: CloudFrontRequest<'static>,
        body: Incoming,
        behavior: &Behavior,
        report: &mut RequestReport,
    ) -> Answered {
        if let (Some(root), "/") = (&self.site.root, request.uri.as_ref()) {
            request.uri = format!("/{root}").into();
        }
        let origin = match self.origins.get(behavior.origin) {
            Some(Ok(origin)) => origin,
            other => {
                let why = other.and_then(|one| one.as_ref().err());
                let why = why.map_or("the behavior has no origin", String::as_str).to_owned();
                linger(body);
                let page = answer::not_here(&why);
                report.problem = Some(why);
                return (page, XCache::Error);
            }
        };
        if behavior.forwarded.has_host() {
            linger(body);
            report.problem = Some(format!(
                "the policies of {} forward the viewer's `Host`: S3 looks for a bucket with that name",
                behavior.name
            ));
            let message = "The request signature we calculated does not match the signature you provided.";
            return (answer::xml(StatusCode::FORBIDDEN, "SignatureDoesNotMatch", message), XCache::Error);
        }
        let method = request.method.clone();
        let caching = self.cache.as_ref().filter(|_| behavior.cached_methods.contains(&method.to_string()));
        // A part of an object is neither taken from the cache nor put into it.
        let caching = caching.filter(|_| !request.headers.contains_key("range"));
        let caching = caching.map(|cache| (cache, Key::new(&request, &behavior.cache, behavior.origin)));
        if let Some((cached, age)) = caching.as_ref().and_then(|(cache, key)| cache.get(key)) {
            linger(body);
            report.age = Some(age);
            let x_cache = if cached.is_error { XCache::Error } else { XCache::Hit };
            return (answer::cached(cached, age, &request.headers), x_cache);
        }
        let caching = caching.map(|(cache, key)| (cache, key, cache.asked()));
        let signs = origin.signs(&request);
        let sent = behavior.forwarded.request(request);
        let (response, status) = match origin.send(&sent, Some(body), signs).await {
            Ok(response) => {
                report.forwarded = true;
                if let Some(details) = &mut report.details {
                    details.bucket_headers = lines(response.headers());
                }
                let status = response.status();
                (response, status)
            }
            Err(error) => {
                report.problem = Some(error.to_string());
                (answer::page(error.status(), error.sentence(), &report.request_id), error.status())
            }
        };
        let is_error = status.is_client_error() || status.is_server_error();
        let kept_for = caching.as_ref().map(|_| {
            let error_ttl = self.site.error(status.as_u16()).ttl;
            lifetime(status, response.headers(), &behavior.cache, error_ttl, SystemTime::now())
        });
        let page = if is_error { self.error_page(status, &method).await } else { None };
        let response = page.unwrap_or(response);
        let x_cache = if is_error { XCache::Error } else { XCache::Miss };
        match (caching, kept_for) {
            // The answer to a HEAD has no body to keep.
            (Some((cache, key, asked)), Some(kept_for)) if method != "HEAD" && !kept_for.is_zero() => {
                (keeping(cache.clone(), key, asked, kept_for, is_error, response), x_cache)
            }
            _ => (response, x_cache),
        }
    }

    /// The page that the distribution has for an error of an origin. CloudFront itself asks for it, without the function.
    async fn error_page(&self, status: StatusCode, method: &str) -> Option<Response<ResponseBody>> {
        let (path, shown_as) = self.site.error(status.as_u16()).page?;
        let shown_as = StatusCode::from_u16(shown_as).ok()?;
        let behavior = self.site.behavior(&path);
        let origin = self.origins.get(behavior.origin)?.as_ref().ok()?;
        let request = CloudFrontRequest {
            client_ip: "".into(),
            method: if method == "HEAD" { "HEAD".into() } else { "GET".into() },
            uri: path.into(),
            querystring: "".into(),
            headers: CloudFrontHeaders::new(),
            body: None,
            other: Map::new(),
        };
        let mut page = origin.send(&request, None, origin.signs(&request)).await.ok()?;
        if !page.status().is_success() {
            return None;
        }
        *page.status_mut() = shown_as;
        Some(page)
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

/// An answer that is put into the cache once the viewer has it.
fn keeping(
    cache: Cache,
    key: Key,
    asked: Asked,
    kept_for: Duration,
    is_error: bool,
    response: Response<ResponseBody>,
) -> Response<ResponseBody> {
    if response.body().size_hint().lower() > u64::try_from(OBJECT).unwrap_or(u64::MAX) {
        return response;
    }
    let Some(place) = cache.place(&key) else { return response };
    let (parts, body) = response.into_parts();
    let (status, headers) = (parts.status, parts.headers.clone());
    let tee = Tee::new(body, place, move |body| {
        cache.put(key, Cached { status, headers, body, is_error }, kept_for, asked);
    });
    Response::from_parts(parts, tee.boxed_unsync())
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
