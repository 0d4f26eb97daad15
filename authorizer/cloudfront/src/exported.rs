//! The output of `aws cloudfront get-distribution-config`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use super::view::View;

/// A distribution's configuration, with its ETag, by which CloudFront detects changes made meanwhile.
#[derive(Clone, Debug)]
pub struct Exported {
    // INVARIANT: `view` is parsed from `whole`.
    pub(super) whole: Map<String, Value>,
    pub(super) view: View,
    etag: String,
}

/// Why a file is not such a configuration.
#[derive(Debug, Error)]
pub enum ExportedError {
    /// The file is empty.
    #[error("the file is empty")]
    Empty,
    /// Not JSON.
    #[error("not valid JSON: {0}")]
    Json(serde_json::Error),
    /// The output of another command.
    #[error("this is the output of `{0}`, not of `get-distribution-config`")]
    Other(&'static str),
    /// JSON of another form.
    #[error("not a distribution's configuration: {0}")]
    Form(serde_json::Error),
    /// A behavior names an origin that is not there.
    #[error("a behavior's `TargetOriginId` is `{}`, but no origin has this id", .0.escape_debug())]
    NoSuchOrigin(String),
    /// A behavior without a pattern, beside the default one.
    #[error("one of the `CacheBehaviors` has no `PathPattern`")]
    NoPattern,
}

/// The input of `aws cloudfront update-distribution --cli-input-json`, without the distribution's id.
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
    /// Parses the file.
    ///
    /// # Errors
    /// [`ExportedError`] if it is anything else.
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
        // Parsed again from the bytes, so that an error has a line and a column, and duplicate members are found.
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

    /// The parts that the authorizer reads.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The whole file, as parsed.
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
