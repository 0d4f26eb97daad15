//! From the function to the cache and the origins, and back.

use std::time::{Duration, SystemTime};

use authorizer_core::event::{CloudFrontHeaders, CloudFrontRequest};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Body as _;
use serde_json::Map;

use super::{Answered, Way};
use crate::answer::{self, XCache};
use crate::behaviors::{Behavior, Failover};
use crate::body::{ResponseBody, ViewerBody};
use crate::cache::{
    Asked, Cache, Cached, Key, Known, OBJECT, Seen, Tee, Wanted, answered, ask_whether_same, lifetime,
    refused, renewed, verdict,
};
use crate::observer::RequestReport;
use crate::origin::{Origin, OriginError};
use crate::s3::Verdict;

/// The methods for which CloudFront asks the second origin of a group: "only when the HTTP method of the viewer request
/// is GET, HEAD, or OPTIONS", AWS, Optimize high availability with CloudFront origin failover.
const FAILS_OVER: [&str; 3] = ["GET", "HEAD", "OPTIONS"];

/// Where an answer goes in the cache.
struct Caching<'w> {
    cache: &'w Cache,
    key: Key,
    asked: Asked,
    /// What was there: the origin is asked whether it is still the same.
    stale: Option<(Cached, Seen)>,
    /// The answer to a part of an object says nothing of the whole: it changes nothing in the cache, unless it is the whole.
    is_part: bool,
}

impl Way {
    /// Sends a request to the behavior's origin, and gives its answer, or the page for its error.
    pub(super) async fn forward(
        &self,
        mut request: CloudFrontRequest<'static>,
        body: ViewerBody,
        behavior: &Behavior,
        report: &mut RequestReport,
    ) -> Answered {
        if let (Some(root), "/") = (&self.site.root, request.uri.as_ref()) {
            request.uri = format!("/{root}").into();
        }
        let origin = match self.origin(behavior.origin) {
            Ok(origin) => origin,
            Err(why) => {
                body.linger();
                return absent(why, report);
            }
        };
        if behavior.forwarded.has_host() {
            body.linger();
            report.problem = Some(format!(
                "the policies of {} forward the viewer's `Host`: S3 looks for a bucket with that name",
                behavior.name
            ));
            let message = "The request signature we calculated does not match the signature you provided.";
            return (answer::xml(StatusCode::FORBIDDEN, "SignatureDoesNotMatch", message), XCache::Error);
        }
        let method = request.method.to_string();
        let wanted = |cached: &Cached| Wanted::of(cached, &request.headers, method == "GET");
        let mut caching = None;
        if let Some(cache) = self.cache.as_ref().filter(|_| behavior.cached_methods.contains(&method)) {
            let key = Key::new(&request, &behavior.cache, behavior.origin);
            let known = cache.get(&key);
            if let Some(Known::Fresh(cached, seen)) = &known
                && let wanted = wanted(cached)
                && wanted != Wanted::Beyond
            {
                body.linger();
                report.age = Some(seen.age);
                return from_cache(cached.clone(), *seen, &wanted, XCache::Hit);
            }
            let stale = match known {
                Some(Known::Stale(cached, seen)) => Some((cached, seen)),
                Some(Known::Fresh(..)) | None => None,
            };
            let is_part = request.headers.contains_key("range");
            caching = Some(Caching { cache, key, asked: cache.asked(), stale, is_part });
        }
        let of_viewer = request.headers.clone();
        let mut asked_for = behavior.forwarded.request(request.clone());
        let whole = caching.as_ref().filter(|caching| !caching.is_part);
        let stale = whole.and_then(|caching| caching.stale.as_ref());
        let asks_whether_same =
            stale.is_some_and(|(cached, _)| ask_whether_same(cached, &mut asked_for.headers));
        let first = origin.send(&asked_for, Some(body.into_inner()), origin.signs(&request)).await;
        let sent =
            match behavior.failover.as_ref().filter(|second| fails_over(second, behavior, &method, &first)) {
                None => first,
                Some(second) => {
                    report.second_origin = true;
                    match self.origin(second.origin) {
                        Ok(origin) => origin.send(&asked_for, None, origin.signs(&request)).await,
                        Err(why) => return absent(why, report),
                    }
                }
            };
        let (response, status) = match sent {
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
        if let Some(Caching { cache, key, stale: Some((cached, seen)), is_part, .. }) = &caching {
            let wanted = Wanted::of(cached, &of_viewer, method == "GET");
            if status == StatusCode::NOT_MODIFIED && asks_whether_same {
                let headers = renewed(cached.headers.clone(), response.headers());
                let cached = Cached { headers: headers.clone(), ..cached.clone() };
                let kept_for =
                    lifetime(cached.status, &cached.headers, &behavior.cache, 0, SystemTime::now());
                cache.renew(key, *seen, headers, kept_for);
                return from_cache(cached, seen.renewed(), &wanted, XCache::RefreshHit);
            }
            if status.is_server_error() && wanted != Wanted::Beyond {
                if !is_part {
                    cache.prolong(key, *seen, Duration::from_secs(self.site.error(status.as_u16()).ttl));
                }
                let why = report.problem.take().unwrap_or_else(|| format!("the bucket answered {status}"));
                report.problem =
                    Some(format!("{why}: the object in the cache is served, although its time has passed"));
                report.age = Some(seen.age);
                return from_cache(cached.clone(), *seen, &wanted, XCache::Hit);
            }
            if !is_part {
                cache.remove(key, *seen);
            }
            // The origin was not asked about the viewer's conditions, so they are of its new object.
            if asks_whether_same && status == StatusCode::OK {
                match verdict(&of_viewer, response.headers()) {
                    Verdict::Read => {}
                    Verdict::NotModified => {
                        let headers = response.headers().clone();
                        let cached = Cached { status, headers, body: Bytes::new(), is_error: false };
                        return (answered(cached, 0, &Wanted::Nothing), XCache::Miss);
                    }
                    Verdict::Failed => return (refused(), XCache::Error),
                }
            }
        }
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
            (Some(caching), Some(kept_for))
                if method != "HEAD"
                    && !kept_for.is_zero()
                    && (!caching.is_part || status == StatusCode::OK) =>
            {
                (caching.keeping(kept_for, is_error, response), x_cache)
            }
            _ => (response, x_cache),
        }
    }

    /// An origin by its place, or why it is not here.
    fn origin(&self, place: usize) -> Result<&Origin, &str> {
        match self.origins.get(place) {
            Some(Ok(origin)) => Ok(origin),
            Some(Err(why)) => Err(why),
            None => Err("the behavior has no origin"),
        }
    }

    /// The page that the distribution has for an error of an origin. CloudFront itself asks for it, without the function.
    async fn error_page(&self, status: StatusCode, method: &str) -> Option<Response<ResponseBody>> {
        let (path, shown_as) = self.site.error(status.as_u16()).page?;
        let shown_as = StatusCode::from_u16(shown_as).ok()?;
        let behavior = self.site.behavior(&path);
        let origin = self.origin(behavior.origin).ok()?;
        let request = CloudFrontRequest {
            client_ip: "".into(),
            method: if method == "HEAD" { "HEAD".into() } else { "GET".into() },
            uri: path.into(),
            querystring: "".into(),
            headers: CloudFrontHeaders::new(),
            body: None,
            other: Map::new(),
        };
        let mut page = origin.send(&request, None, origin.signs(&request)).await;
        if let Some(second) =
            behavior.failover.as_ref().filter(|second| fails_over(second, behavior, "GET", &page))
        {
            let origin = self.origin(second.origin).ok()?;
            page = origin.send(&request, None, origin.signs(&request)).await;
        }
        let mut page = page.ok()?;
        if !page.status().is_success() {
            return None;
        }
        *page.status_mut() = shown_as;
        Some(page)
    }
}

impl Caching<'_> {
    /// An answer that is put into the cache once the viewer has it.
    fn keeping(
        self,
        kept_for: Duration,
        is_error: bool,
        response: Response<ResponseBody>,
    ) -> Response<ResponseBody> {
        if response.body().size_hint().lower() > u64::try_from(OBJECT).unwrap_or(u64::MAX) {
            return response;
        }
        let Self { cache, key, asked, .. } = self;
        let Some(place) = cache.place(&key) else { return response };
        let cache = cache.clone();
        let (parts, body) = response.into_parts();
        let (status, headers) = (parts.status, parts.headers.clone());
        let tee = Tee::new(body, place, move |body| {
            cache.put(key, Cached { status, headers, body, is_error }, kept_for, asked);
        });
        Response::from_parts(parts, tee.boxed_unsync())
    }
}

/// An answer from the cache.
fn from_cache(cached: Cached, seen: Seen, wanted: &Wanted, x_cache: XCache) -> Answered {
    let is_error = cached.is_error || *wanted == Wanted::Refused;
    (answered(cached, seen.age, wanted), if is_error { XCache::Error } else { x_cache })
}

/// Whether CloudFront asks the second origin of a group after this answer of the first one. AWS's page names an origin
/// that cannot be reached "when 503 is set as a failover code", one that is too slow "when 504 is set as a failover
/// code", and OPTIONS only if the behavior caches it.
fn fails_over(
    second: &Failover,
    behavior: &Behavior,
    method: &str,
    first: &Result<Response<ResponseBody>, OriginError>,
) -> bool {
    let status = match first {
        Ok(response) => Some(response.status().as_u16()),
        Err(OriginError::Unreachable { .. }) => Some(503),
        Err(OriginError::TooSlow(_)) => Some(504),
        Err(OriginError::Request(_) | OriginError::Sign(_)) => None,
    };
    let is_of_method = FAILS_OVER.contains(&method)
        && (method != "OPTIONS" || behavior.cached_methods.iter().any(|one| one == method));
    is_of_method && status.is_some_and(|status| second.statuses.contains(&status))
}

/// The answer for an origin that is not on this machine.
fn absent(why: &str, report: &mut RequestReport) -> Answered {
    report.problem = Some(why.to_owned());
    (answer::not_here(why), XCache::Error)
}

/// The headers of an answer as text.
fn lines(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}
