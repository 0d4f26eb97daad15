//! The reports of the distribution to its caller: one for each request from a viewer and for each that reached the
//! bucket, and the function's log.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::result::Violation;
use crate::usage::Usage;

/// Receives everything that the distribution reports. It is called while a request runs, so it must not block.
pub trait Observer: Send + Sync + 'static {
    /// A request was answered; a body may still be in transit.
    fn request(&self, report: &RequestReport);

    /// The packaged function wrote a line that is not a decision.
    fn function_log(&self, line: &str);

    /// A request that reached the bucket was answered, or refused by the bucket. Only needed to see the effect of the
    /// function's decisions at S3.
    fn bucket_request(&self, _report: &BucketReport) {}

    /// Whether reports of requests have [`RequestDetails`]. They are copies, so the default is no.
    fn wants_details(&self) -> bool {
        false
    }
}

/// One request and its outcome.
#[derive(Clone, Debug)]
pub struct RequestReport {
    /// CloudFront's id of the request.
    pub request_id: String,
    /// The method.
    pub method: String,
    /// The path as the viewer sent it, without the query, which may contain a token.
    pub path: String,
    /// The status of the answer to the viewer.
    pub status: u16,
    /// The function's decision-log line.
    pub record: Option<Value>,
    /// What the invocation used, if a package ran and answered.
    pub usage: Option<Usage>,
    /// The part of the function's result that CloudFront would reject.
    pub violation: Option<Violation>,
    /// Any other error: with the request, the function or the bucket.
    pub problem: Option<String>,
    /// The time from the last byte of the viewer's headers to the first byte of the answer.
    pub elapsed: Duration,
    /// Whether the request reached the bucket.
    pub forwarded: bool,
    /// The age in seconds of the answer, if it came from the cache.
    pub age: Option<u64>,
    /// Whether the second origin of an origin group was asked.
    pub second_origin: bool,
    /// What went into the function, and what came out, if the observer wants it.
    pub details: Option<Box<RequestDetails>>,
}

/// What went into the function for a request, and what came out. It may contain tokens of the viewer.
#[derive(Clone, Debug, Default)]
pub struct RequestDetails {
    /// The event.
    pub event: Bytes,
    /// The function's raw result; empty if there is none.
    pub result: Bytes,
    /// The headers of the bucket's answer, if the request reached it.
    pub bucket_headers: Vec<(String, String)>,
}

/// One request that reached the bucket: a line of its access log.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html>
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BucketReport {
    /// The method.
    pub method: String,
    /// The received path, bucket first.
    pub path: String,
    /// The received query, without the `?`; empty if the request did not have one.
    pub query: String,
    /// S3's own headers (`x-amz-*`), without the two that every signature sets. They can change the meaning of the
    /// request.
    pub amz_headers: Vec<(String, String)>,
    /// The operation's name in S3's API, if the request was recognised as one.
    pub operation: Option<String>,
    /// The status of the answer.
    pub status: u16,
}
