//! What the operations of a policy need of what stands around the function.

use std::collections::{BTreeMap, BTreeSet};

use authorizer_core::extra_parameter::ExtraParameter;
use authorizer_core::operation::S3Operation;
use authorizer_core::origin_headers::{HeaderNeed, headers_of};
use authorizer_core::policy::Policy;
use authorizer_core::response_override::ResponseOverride;
use authorizer_core::rules::{Effect, Rule};

use crate::check::Severity;

/// What S3's and KMS's policies must let the distribution do, and what must reach S3.
#[derive(Clone, Debug)]
pub(super) struct DeploymentNeeds {
    /// Actions on every object.
    pub(super) object_actions: BTreeSet<&'static str>,
    pub(super) uploads: bool,
    pub(super) writes: bool,
    pub(super) reads_versions: bool,
    /// Query parameters without which an operation becomes another.
    pub(super) parameters: BTreeSet<&'static str>,
    /// Query parameters that say what is read.
    pub(super) read_parameters: BTreeSet<&'static str>,
    /// The response headers that some rule lets choose.
    pub(super) overrides: BTreeSet<&'static str>,
    /// Headers, and how grave it is when they do not reach S3.
    pub(super) headers: BTreeMap<String, Severity>,
    pub(super) create_only: bool,
}

impl DeploymentNeeds {
    pub(super) fn of(policy: &Policy) -> Self {
        let operations = policy.possible().operations;
        let allows = || policy.rules().iter().filter(|rule| rule.effect() == Effect::Allow);
        let overridden = |one: &&ResponseOverride| allows().any(|rule| rule.overrides().contains(one));
        let overrides: BTreeSet<_> =
            ResponseOverride::ALL.iter().filter(overridden).map(|one| one.name()).collect();
        let extras = ExtraParameter::ALL
            .iter()
            .filter(|one| allows().any(|rule| rule.parameters().contains(one)))
            .map(|one| one.name());
        let reading = operations.iter().filter(|one| one.method().is_safe());
        let read_parameters =
            reading.flat_map(parameters).chain(overrides.iter().copied()).chain(extras).collect();
        Self {
            object_actions: operations.iter().filter_map(object_action).collect(),
            uploads: operations.any(S3Operation::is_upload),
            writes: operations.any(|operation| !operation.method().is_safe()),
            reads_versions: operations.any(S3Operation::reads_version),
            parameters: operations.iter().flat_map(parameters).collect(),
            read_parameters,
            overrides,
            headers: allows().flat_map(headers).fold(BTreeMap::new(), |mut all, (name, severity)| {
                let known = all.entry(name).or_insert(severity);
                *known = severity.max(*known);
                all
            }),
            create_only: allows()
                .any(|rule| rule.operations().any(S3Operation::is_upload) && rule.terms().create_only),
        }
    }
}

/// The permission that an operation needs on objects.
fn object_action(operation: S3Operation) -> Option<&'static str> {
    (!operation.is_listing()).then(|| operation.permission())
}

/// The names of an operation's query parameters.
fn parameters(operation: S3Operation) -> impl Iterator<Item = &'static str> {
    operation.parameters().iter().map(|parameter| parameter.name)
}

/// The headers that a rule's operations need at S3, in lower case.
fn headers(rule: &Rule) -> Vec<(String, Severity)> {
    let severity = |need| match need {
        HeaderNeed::Read | HeaderNeed::Upload | HeaderNeed::Checksum => Severity::Low,
        HeaderNeed::Metadata => Severity::Medium,
        HeaderNeed::CreateOnly | HeaderNeed::ObjectSize => Severity::High,
    };
    headers_of(rule).into_iter().map(|(name, need)| (name.to_ascii_lowercase(), severity(need))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_needs_a_permission_and_the_marked_ones_their_parameter() {
        for operation in S3Operation::ALL {
            let on_the_bucket = operation == S3Operation::ListObjectsV2;
            assert_eq!(object_action(operation).is_none(), on_the_bucket, "{}", operation.name());
            let is_plain = [
                S3Operation::GetObject,
                S3Operation::HeadObject,
                S3Operation::PutObject,
                S3Operation::DeleteObject,
            ];
            assert_eq!(
                operation.parameters().is_empty(),
                is_plain.contains(&operation),
                "{}",
                operation.name()
            );
        }
    }
}
