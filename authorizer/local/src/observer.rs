//! What the distribution tells whoever started it: a report for each request of a viewer's and for each
//! that reached the bucket, and the function's log.

use std::time::Duration;

use serde_json::Value;

use crate::result::Violation;

/// Hears of everything the distribution does. Called on the request's way: it must not block.
pub trait Observer: Send + Sync + 'static {
    /// A request has its answer; a body may still be on its way.
    fn request(&self, report: &RequestReport);

    /// The packaged function wrote a line that is no decision.
    fn function_log(&self, line: &str);

    /// A request that reached the bucket has its answer, the bucket's own refusals among them. Who does
    /// not ask what came of the function's decisions at S3 need not listen.
    fn bucket_request(&self, _report: &BucketReport) {}
}

/// One request and what became of it.
#[derive(Clone, Debug)]
pub struct RequestReport {
    /// CloudFront's id of the request.
    pub request_id: String,
    /// The method.
    pub method: String,
    /// The path as the viewer sent it, without the query: that may hold a token.
    pub path: String,
    /// The status the viewer was answered with.
    pub status: u16,
    /// The function's decision-log line.
    pub record: Option<Value>,
    /// What CloudFront would not have taken in the function's result.
    pub violation: Option<Violation>,
    /// What went wrong otherwise: with the request, the function or the bucket.
    pub problem: Option<String>,
    /// From the last byte of the viewer's headers to the first of the answer's.
    pub elapsed: Duration,
    /// Whether the request reached the bucket.
    pub forwarded: bool,
}

/// One request that reached the bucket: a line of its access log.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html>
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BucketReport {
    /// The method.
    pub method: String,
    /// The path as it came, bucket first.
    pub path: String,
    /// The query as it came, without the `?`; empty when there was none.
    pub query: String,
    /// The headers of S3's own (`x-amz-*`), but for the two that every signature sets: what else makes it
    /// the request it is.
    pub amz_headers: Vec<(String, String)>,
    /// The operation's name in S3's API, when the request got so far as to be one.
    pub operation: Option<String>,
    /// The status it was answered with.
    pub status: u16,
}
