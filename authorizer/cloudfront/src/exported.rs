//! What `aws cloudfront get-distribution-config` writes.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use super::view::View;

/// A distribution's configuration, with the ETag by which CloudFront knows whether it was changed meanwhile.
#[derive(Clone, Debug)]
pub struct Exported {
    // INVARIANT: `view` is what `whole` says.
    pub(super) whole: Map<String, Value>,
    pub(super) view: View,
    etag: String,
}

/// Why a file is no such configuration.
#[derive(Debug, Error)]
pub enum ExportedError {
    /// There is nothing in it.
    #[error("there is nothing in it")]
    Empty,
    /// Not JSON.
    #[error("it is no JSON: {0}")]
    Json(serde_json::Error),
    /// What another command writes.
    #[error("it is what `{0}` writes")]
    Other(&'static str),
    /// JSON of another form.
    #[error("it is no distribution's configuration: {0}")]
    Form(serde_json::Error),
    /// A behavior names an origin that is not there.
    #[error("a behavior's `TargetOriginId` is `{}`, and there is no such origin", .0.escape_debug())]
    NoSuchOrigin(String),
    /// A behavior without a pattern, beside the default one.
    #[error("one of the `CacheBehaviors` has no `PathPattern`")]
    NoPattern,
}

/// What `aws cloudfront update-distribution --cli-input-json` takes, but for the distribution's id.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateInput<'a> {
    if_match: &'a str,
    distribution_config: Option<&'a Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object with `ETag` and `DistributionConfig`")]
struct Parsed {
    #[serde(rename = "ETag")]
    etag: String,
    distribution_config: View,
}

impl Exported {
    /// Reads it.
    ///
    /// # Errors
    /// It is anything else.
    pub fn read(bytes: &[u8]) -> Result<Self, ExportedError> {
        if bytes.trim_ascii().is_empty() {
            return Err(ExportedError::Empty);
        }
        let whole: Map<String, Value> = match serde_json::from_slice(bytes) {
            Ok(Value::Object(whole)) => whole,
            Ok(_) => return Err(ExportedError::Form(serde::de::Error::custom("it is not an object"))),
            Err(error) => return Err(ExportedError::Json(error)),
        };
        let has = |name: &str| whole.contains_key(name);
        if has("Distribution") {
            return Err(ExportedError::Other("get-distribution"));
        }
        if has("DistributionList") {
            return Err(ExportedError::Other("list-distributions"));
        }
        // Read again from the bytes, so that what is wrong has a line and a column, and what stands twice is seen.
        let parsed: Parsed = serde_json::from_slice(bytes).map_err(ExportedError::Form)?;
        Self::new(whole, parsed.distribution_config, parsed.etag)
    }

    fn new(whole: Map<String, Value>, view: View, etag: String) -> Result<Self, ExportedError> {
        if view.cache_behaviors.0.iter().any(|behavior| behavior.path_pattern.is_none()) {
            return Err(ExportedError::NoPattern);
        }
        for (_, behavior) in view.behaviors() {
            if view.origins_of(behavior).is_empty() {
                return Err(ExportedError::NoSuchOrigin(behavior.target_origin_id.clone()));
            }
        }
        Ok(Self { whole, view, etag })
    }

    /// The ETag, which `update-distribution --if-match` takes.
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// What of it the authorizer cares about.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The whole, as it was read.
    pub fn whole(&self) -> &Map<String, Value> {
        &self.whole
    }

    /// The configuration alone, as `update-distribution --distribution-config` takes it.
    pub fn config(&self) -> Option<&Value> {
        self.whole.get(CONFIG)
    }

    /// The configuration and the ETag, as `update-distribution --cli-input-json` takes them.
    pub fn update_input(&self) -> UpdateInput<'_> {
        UpdateInput { if_match: &self.etag, distribution_config: self.config() }
    }

    /// A changed copy.
    pub(super) fn changed(
        &self,
        change: impl FnOnce(&mut Map<String, Value>),
    ) -> Result<Self, ExportedError> {
        let mut whole = self.whole.clone();
        if let Some(Value::Object(config)) = whole.get_mut(CONFIG) {
            change(config);
        }
        let config = whole.get(CONFIG).cloned().unwrap_or_default();
        let view = serde_json::from_value(config).map_err(ExportedError::Form)?;
        Self::new(whole, view, self.etag.clone())
    }
}

const CONFIG: &str = "DistributionConfig";
