//! The function's result, checked as CloudFront checks it: any violation is a 502.
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-requirements-limits.html>

mod generated;
mod request;
mod violation;

use authorizer_core::event::CloudFrontRequest;
use serde_json::Value;

pub(crate) use generated::GeneratedResponse;
pub use violation::Violation;

/// CloudFront's next step after the function.
#[derive(Debug)]
pub(crate) enum FunctionOutcome {
    /// Sends this request to the bucket.
    Forward(Box<CloudFrontRequest<'static>>),
    /// Answers the viewer with this.
    Respond(GeneratedResponse),
}

/// Parses and checks the function's result for the request in its event.
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
