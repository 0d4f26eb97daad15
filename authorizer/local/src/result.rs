//! What the function returned, judged as CloudFront judges it: anything wrong is a 502.
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-requirements-limits.html>

mod generated;
mod request;
mod violation;

use authorizer_core::event::CloudFrontRequest;
use serde_json::Value;

pub(crate) use generated::GeneratedResponse;
pub use violation::Violation;

/// What CloudFront does after the function.
#[derive(Debug)]
pub(crate) enum FunctionOutcome {
    /// Sends this request to the bucket.
    Forward(Box<CloudFrontRequest<'static>>),
    /// Answers the viewer with this.
    Respond(GeneratedResponse),
}

/// Reads and checks the function's result for the request that was in its event.
pub(crate) fn check(sent: &CloudFrontRequest<'_>, result: &[u8]) -> Result<FunctionOutcome, Violation> {
    let value: Value = serde_json::from_slice(result).map_err(|_| Violation::NotJson)?;
    let Value::Object(object) = value else { return Err(Violation::NotAnObject) };
    if object.contains_key("status") {
        generated::check(object).map(FunctionOutcome::Respond)
    } else {
        request::check(sent, object).map(|request| FunctionOutcome::Forward(Box::new(request)))
    }
}

#[cfg(test)]
mod tests;
