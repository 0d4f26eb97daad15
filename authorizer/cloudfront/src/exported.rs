//! The output of `aws cloudfront get-distribution-config`, and the other forms of the same.

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
    form: Form,
    etag: Option<String>,
}

/// The form of the file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    /// `get-distribution-config`: `ETag` and `DistributionConfig`.
    Config,
    /// `get-distribution`: `ETag`, and `Distribution` with the configuration in it.
    Distribution,
    /// The configuration alone.
    Bare,
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
    /// A template.
    #[error("this is CloudFormation's form of a distribution, not CloudFront's")]
    CloudFormation,
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
    distribution_config: &'a Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object with `ETag` and `DistributionConfig`")]
struct ParsedConfig {
    #[serde(default, rename = "ETag")]
    etag: Option<String>,
    distribution_config: View,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object with `ETag` and `Distribution`")]
struct ParsedDistribution {
    #[serde(default, rename = "ETag")]
    etag: Option<String>,
    distribution: Inner,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object with `DistributionConfig`")]
struct Inner {
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
        let form = Form::of(&whole)?;
        // Parsed again from the bytes, so that an error has a line and a column, and duplicate members are found.
        let parsed = match form {
            Form::Config => {
                serde_json::from_slice(bytes).map(|one: ParsedConfig| (one.etag, one.distribution_config))
            }
            Form::Distribution => serde_json::from_slice(bytes)
                .map(|one: ParsedDistribution| (one.etag, one.distribution.distribution_config)),
            Form::Bare => serde_json::from_slice(bytes).map(|view| (None, view)),
        };
        let (etag, view) = parsed.map_err(ExportedError::Form)?;
        Self { whole, view, form, etag }.checked()
    }

    fn checked(self) -> Result<Self, ExportedError> {
        let view = &self.view;
        if view.cache_behaviors.0.iter().any(|behavior| behavior.path_pattern.is_none()) {
            return Err(ExportedError::NoPattern);
        }
        for (_, behavior) in view.behaviors() {
            if view.origins_of(behavior).is_empty() {
                return Err(ExportedError::NoSuchOrigin(behavior.target_origin_id.clone()));
            }
        }
        Ok(self)
    }

    /// Whether it is the output of `get-distribution-config`, and of no other command.
    pub fn is_config_export(&self) -> bool {
        self.form == Form::Config && self.etag.is_some()
    }

    /// The ETag, which `update-distribution --if-match` takes; the configuration alone does not have it.
    pub fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
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
    pub fn config(&self) -> &Map<String, Value> {
        self.form.config(&self.whole)
    }

    /// The configuration and the ETag, as `update-distribution --cli-input-json` takes them, if there is an ETag.
    pub fn update_input(&self) -> Option<UpdateInput<'_>> {
        Some(UpdateInput { if_match: self.etag()?, distribution_config: self.config() })
    }

    /// A changed copy.
    pub(super) fn changed(
        &self,
        change: impl FnOnce(&mut Map<String, Value>),
    ) -> Result<Self, ExportedError> {
        let mut whole = self.whole.clone();
        if let Some(config) = self.form.config_mut(&mut whole) {
            change(config);
        }
        let config = Value::Object(self.form.config(&whole).clone());
        let view = serde_json::from_value(config).map_err(ExportedError::Form)?;
        Self { whole, view, form: self.form, etag: self.etag.clone() }.checked()
    }
}

impl Form {
    fn of(whole: &Map<String, Value>) -> Result<Self, ExportedError> {
        let has = |name: &str| whole.contains_key(name);
        // A template has its resources, a resource has its properties, and either has lists without a count.
        let config = whole.get(CONFIG).and_then(Value::as_object).unwrap_or(whole);
        let is_array = |name: &str| config.get(name).is_some_and(Value::is_array);
        if has("Resources") || has("Properties") || is_array("Origins") || is_array("CacheBehaviors") {
            return Err(ExportedError::CloudFormation);
        }
        if has("DistributionList") {
            return Err(ExportedError::Other("list-distributions"));
        }
        if has("DistributionSummary") || has("Items") {
            return Err(ExportedError::Other("list-distributions"));
        }
        Ok(if has(CONFIG) {
            Self::Config
        } else if has(DISTRIBUTION) {
            Self::Distribution
        } else {
            Self::Bare
        })
    }

    fn config(self, whole: &Map<String, Value>) -> &Map<String, Value> {
        let config = match self {
            Self::Config => whole.get(CONFIG),
            Self::Distribution => whole.get(DISTRIBUTION).and_then(|one| one.get(CONFIG)),
            Self::Bare => None,
        };
        config.and_then(Value::as_object).unwrap_or(whole)
    }

    fn config_mut(self, whole: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
        match self {
            Self::Config => whole.get_mut(CONFIG)?.as_object_mut(),
            Self::Distribution => whole.get_mut(DISTRIBUTION)?.get_mut(CONFIG)?.as_object_mut(),
            Self::Bare => Some(whole),
        }
    }
}

const CONFIG: &str = "DistributionConfig";
const DISTRIBUTION: &str = "Distribution";
