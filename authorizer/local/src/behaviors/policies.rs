//! The policies that a distribution names: in its template, AWS's own, or in files beside it.

use std::collections::BTreeMap;

use authorizer_cloudfront::{
    BehaviorName, CachePolicy, OriginRequestPolicy, PolicyError, ResponseHeadersPolicy, SigningBehavior,
    Template, unknown_in,
};
use serde_json::Value;

use super::Signing;
use super::config::ConfigError;

/// The policies of a distribution, wherever they are.
pub(super) struct Policies<'p> {
    pub(super) template: Option<Template>,
    pub(super) beside: &'p dyn Fn(&str) -> Option<Vec<u8>>,
}

/// A kind of policy: its name in text, in files and in JSON, in templates, and AWS's own ones.
pub(super) struct Kind<T> {
    name: &'static str,
    file: &'static str,
    member: &'static str,
    managed: fn(&str) -> Option<T>,
    read: fn(&[u8]) -> Result<T, PolicyError>,
    of_template: fn(&Template) -> &BTreeMap<String, T>,
}

pub(super) const CACHE: Kind<CachePolicy> = Kind {
    name: "cache policy",
    file: "cache-policy",
    member: "CachePolicy",
    managed: CachePolicy::managed,
    read: CachePolicy::read,
    of_template: |template| &template.cache_policies,
};
pub(super) const ORIGIN_REQUEST: Kind<OriginRequestPolicy> = Kind {
    name: "origin request policy",
    file: "origin-request-policy",
    member: "OriginRequestPolicy",
    managed: OriginRequestPolicy::managed,
    read: OriginRequestPolicy::read,
    of_template: |template| &template.origin_request_policies,
};
pub(super) const RESPONSE_HEADERS: Kind<ResponseHeadersPolicy> = Kind {
    name: "response headers policy",
    file: "response-headers-policy",
    member: "ResponseHeadersPolicy",
    managed: ResponseHeadersPolicy::managed,
    read: ResponseHeadersPolicy::read,
    of_template: |template| &template.response_headers_policies,
};

impl Policies<'_> {
    pub(super) fn find<T: Clone>(
        &self,
        kind: &Kind<T>,
        id: Option<&str>,
        behavior: &BehaviorName,
        notes: &mut Vec<String>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(id) = id.filter(|id| !id.is_empty()) else { return Ok(None) };
        let of_template = self.template.as_ref().and_then(|template| (kind.of_template)(template).get(id));
        if let Some(policy) = of_template.cloned().or_else(|| (kind.managed)(id)) {
            return Ok(Some(policy));
        }
        let file = format!("{}-{id}.json", kind.file);
        match (self.beside)(&file) {
            Some(bytes) => {
                notes.extend(unknown_in_policy(&file, &bytes, kind.member));
                let policy = (kind.read)(&bytes);
                policy.map(Some).map_err(|error| ConfigError::Policy { file, error })
            }
            None => Err(ConfigError::NoPolicy {
                kind: kind.name,
                id: id.to_owned(),
                behavior: behavior.clone(),
                command: format!("aws cloudfront get-{} --id {id} >{file}", kind.file),
                file,
            }),
        }
    }

    /// When the Origin Access Control signs. Most do always, and so does one that is not known.
    pub(super) fn signing(&self, control: &str, notes: &mut Vec<String>) -> Signing {
        let of_template = self.template.as_ref().and_then(|template| template.access_controls.get(control));
        let file = format!("origin-access-control-{control}.json");
        let behavior = of_template
            .cloned()
            .or_else(|| (self.beside)(&file).map(|bytes| SigningBehavior::of_file(&bytes)))
            .unwrap_or(SigningBehavior::Unknown);
        match behavior {
            SigningBehavior::Always => Signing::Always,
            SigningBehavior::NoOverride => Signing::UnlessAuthorized,
            SigningBehavior::Never => Signing::Never,
            SigningBehavior::Unknown => {
                let shown = control.escape_debug();
                notes.push(format!(
                    "the Origin Access Control `{shown}` is not known, and is served as one that signs `always`; its file is \
                     what `aws cloudfront get-origin-access-control --id {shown} >{}` writes",
                    file.escape_debug()
                ));
                Signing::Always
            }
        }
    }

    /// Whether a bucket keeps versions: by the template that has it, or by the file that `infra/export` writes.
    pub(super) fn versions(&self, bucket: &str) -> Option<bool> {
        let of_template = self.template.as_ref().and_then(|template| template.versions.get(bucket).copied());
        of_template.or_else(|| {
            let bytes = (self.beside)(&format!("bucket-{bucket}/versioning.json"))?;
            let said: Value = serde_json::from_slice(&bytes).ok()?;
            // A bucket that never had versions has no status.
            let is_read = said.as_object().is_some_and(|said| !said.contains_key("NotRead"));
            is_read.then(|| said.get("Status").and_then(Value::as_str) == Some("Enabled"))
        })
    }
}

/// The members of a policy that are set and that are not known.
fn unknown_in_policy(file: &str, bytes: &[u8], member: &str) -> Vec<String> {
    let structure = format!("{member}Config");
    let document: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let config = document.get(member).unwrap_or(&document).get(&structure);
    let unknown = config.map(|config| unknown_in(&structure, config)).unwrap_or_default();
    let said = unknown.into_iter().map(|one| {
        let place = [one.place, vec![one.name]].concat().join("/");
        format!("`{place}` in `{file}` is set, but this version does not know it: its effect is not shown")
    });
    said.collect()
}
