//! Preflights: what could be done to a key.

use std::borrow::Cow;

use super::Authorizer;
use super::access::names_as_sent;
use crate::cors::{Opening, Preflight, PreflightAnswer};
use crate::event::CloudFrontRequest;
use crate::operation::{Method, S3Operation};
use crate::record::DecisionRecord;
use crate::refusal::Refusal;
use crate::request::{Resource, S3Request, Target};
use crate::time::UnixTime;

impl Authorizer {
    /// A preflight asks what could be done to the same key, with any token that the request may have. Errors in its
    /// query or headers are reported to the request itself, in an answer that the page can read.
    pub(super) fn answer_preflight(
        &self,
        preflight: Preflight<'_>,
        request: &CloudFrontRequest<'_>,
        now: UnixTime,
        record: &mut DecisionRecord<'_>,
    ) -> Result<PreflightAnswer, Refusal> {
        let policy = self.bundle.policy();
        record.query_names = names_as_sent(&request.querystring, policy.own_parameters()).map(Cow::Owned);
        let host = self.host(request, record);
        let resource = self.resource_of(&preflight, request).ok();
        record.key = resource.as_ref().map(|resource| resource.as_str().to_owned().into());
        if !policy.cors().is_some_and(|cors| cors.allows(preflight.origin)) {
            return Err(Refusal::OriginNotAllowed);
        }
        let Some(resource) = resource else { return Ok(preflight.answer_as_asked()) };
        let source = self.source(request)?;
        // The query of a preflight is that of the request.
        let asked = self.operation_of(&preflight, request);
        let openings: Vec<_> = policy
            .rules
            .could_allow(&resource, source, host.as_deref(), now)
            .into_iter()
            .filter(|(operation, _)| {
                let is_asked = asked.is_none_or(|asked| asked == *operation)
                    || operation.method().as_str() != preflight.method;
                resource.is_of(*operation) && is_asked
            })
            .map(|(operation, rule)| Opening { operation, terms: rule.terms() })
            .collect();
        Ok(preflight.answer(&openings, policy.credentials().proxy_header()))
    }

    /// The operation of the request after the preflight; `None` if it would be refused for its method or its query.
    fn operation_of(
        &self,
        preflight: &Preflight<'_>,
        request: &CloudFrontRequest<'_>,
    ) -> Option<S3Operation> {
        let method = Method::parse(preflight.method)?;
        let target = Target::of(preflight.method, request).ok()?;
        let own = self.bundle.policy().own_parameters();
        S3Request::asked(target, method, &request.querystring, self.possible.operations, own)
            .ok()
            .map(|asked| asked.operation())
    }

    /// What the request after the preflight will do.
    fn resource_of(
        &self,
        preflight: &Preflight<'_>,
        request: &CloudFrontRequest<'_>,
    ) -> Result<Resource, Refusal> {
        match Target::of(preflight.method, request).map_err(Refusal::Key)? {
            Target::Object(key) => Ok(Resource::Object(key)),
            Target::Bucket => {
                let query = &request.querystring;
                let own = self.bundle.policy().own_parameters();
                S3Request::asked(Target::Bucket, Method::Get, query, self.possible.operations, own)
                    .map(S3Request::into_resource)
                    .map_err(Refusal::from)
            }
        }
    }
}
