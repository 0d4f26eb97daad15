//! What an allow rule adds to the uploads that it allows. If two rules match the same upload, the first one decides
//! this too, so it is part of what is granted.

use std::collections::BTreeSet;

use authorizer_core::operation::S3Operation;
use authorizer_core::rules::{MetadataTerm, Rule, RulePart};

use super::question::MetadataDifference;

/// Whether the rule makes S3 refuse to overwrite an object.
pub(crate) fn only_creates(rule: &Rule, operation: S3Operation) -> bool {
    rule.terms().create_only && operation.creates_object()
}

/// The metadata that the two rules could make different.
pub(crate) fn metadata_differences<'p>(
    one: &'p Rule,
    other: &'p Rule,
    operation: S3Operation,
) -> Vec<MetadataDifference<'p>> {
    if !operation.describes_object() {
        return Vec::new();
    }
    let set = |rule: &'p Rule, name: &str| {
        rule.terms().metadata.get(name).filter(|term| **term != MetadataTerm::Any)
    };
    let names: BTreeSet<&str> =
        [one, other].iter().flat_map(|rule| rule.terms().metadata.keys().map(String::as_str)).collect();
    names
        .into_iter()
        .filter(|name| set(one, name) != set(other, name))
        .map(|name| MetadataDifference { name, one: set(one, name), other: set(other, name) })
        .collect()
}

/// Whether the two rules could add different things to the same upload.
pub(crate) fn could_differ(one: &Rule, other: &Rule, operation: S3Operation) -> bool {
    one.parts().into_iter().any(|part| match part {
        RulePart::CreateOnly(_) => only_creates(one, operation) != only_creates(other, operation),
        RulePart::Metadata(_) => !metadata_differences(one, other, operation).is_empty(),
        // They select requests, and do not add anything.
        RulePart::Effect(_)
        | RulePart::Operations(_)
        | RulePart::Principals(_)
        | RulePart::Keys(_)
        | RulePart::Period(_)
        | RulePart::Sources(_)
        | RulePart::Hosts(_)
        | RulePart::Conditions(_)
        | RulePart::Overrides(_)
        | RulePart::Parameters(_)
        | RulePart::Checksums(_)
        | RulePart::MaxBytes(_)
        | RulePart::ContentTypes(_) => false,
    })
}
