//! A distribution as CloudFormation has it, brought into CloudFront's form: the template's own references are resolved,
//! a resource to a name that stands for it.

mod form;
mod parameters;
mod resolve;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use thiserror::Error;

use super::exported::{Exported, ExportedError};
use super::policies::{
    CachePolicy, OriginRequestPolicy, PolicyError, ResponseHeadersPolicy, SigningBehavior,
};
use resolve::Resolver;

/// The distribution of a template, and the policies that the template has. Their ids are their logical ids.
#[derive(Clone, Debug)]
pub struct Template {
    /// The distribution.
    pub distribution: Exported,
    /// The cache policies.
    pub cache_policies: BTreeMap<String, CachePolicy>,
    /// The origin request policies.
    pub origin_request_policies: BTreeMap<String, OriginRequestPolicy>,
    /// The response headers policies.
    pub response_headers_policies: BTreeMap<String, ResponseHeadersPolicy>,
    /// When each Origin Access Control signs, by its logical id.
    pub access_controls: BTreeMap<String, SigningBehavior>,
    /// Whether each bucket keeps versions, by its name. A bucket is left out of which the template alone does not say it.
    pub versions: BTreeMap<String, bool>,
}

/// Why a template's distribution cannot be read.
#[derive(Debug, Error)]
pub enum TemplateError {
    /// No `Resources`.
    #[error("this is not a CloudFormation template: it has no `Resources`")]
    NotATemplate,
    /// No distribution.
    #[error("the template has no resource of type `AWS::CloudFront::Distribution`")]
    NoDistribution,
    /// Several distributions.
    #[error("the template has several distributions: {}", .0.join(", "))]
    Several(Vec<String>),
    /// Something that only CloudFormation knows.
    #[error("{place}: {why}")]
    Unresolved {
        /// Where it is: the logical id, and the members from there.
        place: String,
        /// What cannot be resolved.
        why: String,
    },
    /// The distribution, once it is in CloudFront's form.
    #[error("`{id}`: {error}")]
    Distribution {
        /// The logical id.
        id: String,
        /// Why it cannot be read.
        error: ExportedError,
    },
    /// A policy.
    #[error("`{id}`: {error}")]
    Policy {
        /// The logical id.
        id: String,
        /// Why it cannot be read.
        error: PolicyError,
    },
}

const DISTRIBUTION: &str = "AWS::CloudFront::Distribution";
const CACHE_POLICY: &str = "AWS::CloudFront::CachePolicy";
const ORIGIN_REQUEST_POLICY: &str = "AWS::CloudFront::OriginRequestPolicy";
const ORIGIN_ACCESS_CONTROL: &str = "AWS::CloudFront::OriginAccessControl";
const RESPONSE_HEADERS_POLICY: &str = "AWS::CloudFront::ResponseHeadersPolicy";

impl Template {
    /// Whether a document has the form of a template.
    pub fn is_template(document: &Value) -> bool {
        document.get("Resources").is_some_and(Value::is_object)
    }

    /// Reads the one distribution of a template. A parameter has its default; one that `values` names has that value.
    ///
    /// # Errors
    /// [`TemplateError`] if there is no distribution, or several, or what it says cannot be resolved.
    pub fn read(document: &Value, values: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        let resources =
            document.get("Resources").and_then(Value::as_object).ok_or(TemplateError::NotATemplate)?;
        let resolver = Resolver::new(document, resources, values)?;
        let distributions: Vec<&String> =
            resolver.resources_of(DISTRIBUTION)?.into_iter().map(|(id, _)| id).collect();
        let id = match distributions.as_slice() {
            [] => return Err(TemplateError::NoDistribution),
            [one] => (*one).clone(),
            several => return Err(TemplateError::Several(several.iter().map(|id| (*id).clone()).collect())),
        };
        let config = resolver.properties(&id)?;
        let config = config.get("DistributionConfig").and_then(Value::as_object).cloned().unwrap_or_default();
        let config = form::of_cloudfront(config);
        // Written and read again: this is the one way in which a distribution is checked.
        let bytes = Value::Object(config).to_string();
        let distribution = Exported::read(bytes.as_bytes())
            .map_err(|error| TemplateError::Distribution { id: id.clone(), error })?;
        Ok(Self {
            distribution,
            cache_policies: policies(&resolver, CACHE_POLICY, CachePolicy::of)?,
            origin_request_policies: policies(&resolver, ORIGIN_REQUEST_POLICY, OriginRequestPolicy::of)?,
            response_headers_policies: policies(
                &resolver,
                RESPONSE_HEADERS_POLICY,
                ResponseHeadersPolicy::of,
            )?,
            access_controls: access_controls(&resolver),
            versions: resolver.versions(),
        })
    }
}

/// What cannot be resolved is not known.
fn access_controls(resolver: &Resolver<'_>) -> BTreeMap<String, SigningBehavior> {
    let controls = resolver.resources_of(ORIGIN_ACCESS_CONTROL).unwrap_or_default().into_iter();
    let signing = |id: &String| {
        let properties = resolver.properties(id).unwrap_or_default();
        SigningBehavior::of(properties.get("OriginAccessControlConfig"))
    };
    controls.map(|(id, _)| (id.clone(), signing(id))).collect()
}

fn policies<T>(
    resolver: &Resolver<'_>,
    kind: &str,
    read: fn(&Value) -> Result<T, PolicyError>,
) -> Result<BTreeMap<String, T>, TemplateError> {
    let mut policies = BTreeMap::new();
    for (id, _) in resolver.resources_of(kind)? {
        let properties: Map<String, Value> = resolver.properties(id)?;
        let policy = read(&Value::Object(properties))
            .map_err(|error| TemplateError::Policy { id: id.clone(), error })?;
        policies.insert(id.clone(), policy);
    }
    Ok(policies)
}
