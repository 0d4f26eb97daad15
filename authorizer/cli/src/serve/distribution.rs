//! `serve --distribution`: the distribution that you have, from the AWS CLI, a template or the AWS CDK.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use authorizer_cloudfront::{DistributionNeeds, ExportedError, Template, TemplateError};
use authorizer_core::Authorizer;
use authorizer_core::operation::S3Operation;
use authorizer_core::origin_headers::OriginHeaders;
use authorizer_core::policy::Policy;
use authorizer_core::rules::Effect;
use authorizer_local::{Behaviors, BucketOptions, ConfigError, DistributionConfig, ForwardedHeaders};
use miette::Diagnostic;
use owo_colors::OwoColorize as _;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use super::decider::Decider;
use super::policy::LivePolicy;
use crate::input::read_limited;
use crate::output::{line, note};
use crate::table::table;

/// The longest file that is read, in bytes. A template of CloudFormation has at most one megabyte.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The byte order mark of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The file of a distribution in the folder that `infra/export` fills.
const EXPORTED: &str = "distribution.json";

/// The end of the names of the templates that `cdk synth` writes.
const OF_THE_CDK: &str = ".template.json";

#[derive(Debug, clap::Args)]
pub(super) struct DistributionArgs {
    /// Distribution to serve: what `aws cloudfront get-distribution-config` wrote, a CloudFormation template (JSON or YAML), the
    /// folder that `cdk synth` or `infra/export` filled. Each bucket is a folder in the data folder. Without it, one
    /// behavior is served, and the headers that `infra/parameters` lists reach the bucket.
    #[arg(long, value_name = "FILE")]
    distribution: Option<PathBuf>,
    /// Value of a parameter of the template, such as `--parameter Stage=test` [default: its default]. Repeatable.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter, requires = "distribution")]
    parameters: Vec<(String, String)>,
    /// Lambda function on viewer-request in whose place this one decides; its version does not matter [default: that of the
    /// default behavior, or else of the first one with a function].
    #[arg(long, value_name = "ARN", requires = "distribution")]
    function_arn: Option<String>,
}

/// Why a distribution cannot be served.
#[derive(Debug, Diagnostic, Error)]
pub(super) enum DistributionError {
    /// What it says cannot be served.
    #[error("`{path}` cannot be served: {error}")]
    #[diagnostic(help("{}", help_for(.error)))]
    Config { path: PathBuf, error: ConfigError },
    /// Neither JSON nor YAML.
    #[error("`{path}` is neither JSON nor YAML: {message}")]
    #[diagnostic(help(
        "name the output of `aws cloudfront get-distribution-config --id ID --output json`, or a CloudFormation template"
    ))]
    Form { path: PathBuf, message: String },
    /// A parameter of what has none.
    #[error("`{path}` is not a template, so it has no parameter `{name}`")]
    #[diagnostic(help("leave `--parameter` out, or name a CloudFormation template"))]
    NoTemplate { path: PathBuf, name: String },
    /// A folder without a distribution.
    #[error(
        "the folder `{path}` contains neither `{EXPORTED}` nor a file `*{OF_THE_CDK}` with a distribution"
    )]
    #[diagnostic(help("name the folder that `cdk synth` or `infra/export` filled, or a file"))]
    Folder { path: PathBuf },
    /// Several stacks with a distribution.
    #[error("the folder `{path}` contains several templates with a distribution: {}", .names.join(", "))]
    #[diagnostic(help("name one of these files"))]
    Several { path: PathBuf, names: Vec<String> },
}

fn help_for(error: &ConfigError) -> String {
    match error {
        ConfigError::NoPolicy { command, .. } => format!("write it beside the distribution: {command}"),
        ConfigError::Policy { .. } => "write the file again, with the AWS CLI".to_owned(),
        ConfigError::Template(TemplateError::Unresolved { .. }) => {
            "give the parameter a value with `--parameter NAME=VALUE`, or serve what `aws cloudfront \
             get-distribution-config` writes once the template is deployed"
                .to_owned()
        }
        ConfigError::NoFunction { .. } => {
            "give `--function-arn` one of these, with or without a version".to_owned()
        }
        ConfigError::Template(_) => "name a template with one distribution".to_owned(),
        ConfigError::Distribution(ExportedError::Other(_))
        | ConfigError::Distribution(_)
        | ConfigError::Unknown { .. }
        | ConfigError::Bucket { .. } => {
            "use the complete output of `aws cloudfront get-distribution-config --id ID --output json`"
                .to_owned()
        }
    }
}

fn parameter(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A behavior, as the first line of `serve --format json` has it.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct ServedBehavior {
    /// The path pattern; `default` for the default behavior.
    pattern: String,
    /// The methods.
    methods: String,
    /// Whether the function runs: `yes`, `no`, `absent` (only on other events), or `other` (not this function).
    function: String,
    /// The bucket, with the origin path; of an origin group, both, as in `files, then copies`.
    origin: String,
    /// The cache policy, or `no`.
    cache: String,
}

/// What a start says of the distribution.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) behaviors: Vec<ServedBehavior>,
    notes: Vec<String>,
    warnings: Vec<String>,
}

impl DistributionArgs {
    /// The behaviors to serve, and what is said of them. `needs` is what the policy needs from a distribution, if it can be
    /// read.
    pub(super) fn behaviors(
        &self,
        forwarded: Arc<ForwardedHeaders>,
        needs: Option<&DistributionNeeds>,
        is_https: bool,
    ) -> miette::Result<(Behaviors, Said)> {
        let Some(path) = &self.distribution else {
            return Ok((Behaviors::Policy(forwarded), Said::default()));
        };
        let config = self.read(path)?;
        let mut notes = config.notes();
        if config.wants_https() && !is_https {
            notes.push(
                "the distribution takes HTTPS: without `--tls`, it answers as CloudFront answers plain HTTP"
                    .into(),
            );
        }
        if !config.has_function() {
            notes.push("no behavior has a function on viewer-request: nothing is decided".into());
        }
        let needed: Vec<&str> =
            needs.into_iter().flat_map(|needs| &needs.headers).map(String::as_str).collect();
        for (pattern, lost) in config.lost(&needed) {
            let lost = lost.join(", ");
            notes.push(format!(
                "behavior {pattern}: headers that the policy needs do not reach the bucket: {lost}"
            ));
        }
        let rows = config.rows().into_iter().map(|row| ServedBehavior {
            pattern: row.pattern,
            methods: row.methods,
            function: row.function,
            origin: row.origin,
            cache: row.cache,
        });
        let behaviors = rows.collect();
        let mut warnings = config.warnings().to_vec();
        warnings.extend(needs.into_iter().flat_map(|needs| config.misfits(needs)));
        Ok((Behaviors::Distribution(Box::new(config)), Said { behaviors, notes, warnings }))
    }

    fn read(&self, path: &Path) -> miette::Result<DistributionConfig> {
        let file = if path.is_dir() { file_in(path)? } else { path.to_owned() };
        let mut bytes = read_limited(&file, MAX_BYTES)?;
        // As some shells write a file.
        if let Some(text) = bytes.strip_prefix(BYTE_ORDER_MARK) {
            bytes = text.to_vec();
        }
        let folder = file.parent().map(Path::to_owned).unwrap_or_default();
        let beside = |name: &str| fs::read(folder.join(name)).ok();
        let failed = |error| DistributionError::Config { path: file.clone(), error };
        let values: BTreeMap<String, String> = self.parameters.iter().cloned().collect();
        let document: Option<Value> = match serde_json::from_slice(&bytes) {
            Ok(document) => Some(document),
            // A distribution that is not JSON has its own message, with the place.
            Err(_) if is_yaml(&file) => Some(
                yaml(&bytes).map_err(|message| DistributionError::Form { path: file.clone(), message })?,
            ),
            Err(_) => None,
        };
        let config = match document.filter(|document| Template::is_template(document) || is_yaml(&file)) {
            Some(document) => DistributionConfig::of_template(&document, &values, &beside),
            None => {
                if let Some(name) = values.into_keys().next() {
                    return Err(DistributionError::NoTemplate { path: file.clone(), name }.into());
                }
                DistributionConfig::read(&bytes, &beside)
            }
        };
        let config = match &self.function_arn {
            Some(arn) => config.and_then(|config| config.of_function(arn)),
            None => config,
        };
        Ok(config.map_err(failed)?)
    }
}

impl Said {
    /// Prints the behaviors, and what is not as at CloudFront.
    pub(super) fn print(&self) -> miette::Result<()> {
        if !self.behaviors.is_empty() {
            let rows = self.behaviors.iter().map(|one| {
                [&one.pattern, &one.methods, &one.function, &one.origin, &one.cache].map(String::clone)
            });
            line(table(["pattern", "methods", "function", "origin", "cached by"], rows))?;
        }
        Ok(())
    }

    /// Says what is wrong with the distribution, and what is not as at CloudFront.
    pub(super) fn warn(&self) {
        for text in &self.warnings {
            note(format_args!("{} {text}", "warning:".yellow()));
        }
        for text in &self.notes {
            note(format_args!("{} {}", "not as at CloudFront:".yellow(), text.escape_debug()));
        }
    }
}

fn is_yaml(file: &Path) -> bool {
    file.extension().is_some_and(|end| end == "yaml" || end == "yml")
}

/// The file with the distribution in a folder of `infra/export` or of `cdk synth`.
fn file_in(folder: &Path) -> miette::Result<PathBuf> {
    let exported = folder.join(EXPORTED);
    if exported.is_file() {
        return Ok(exported);
    }
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> = files
        .filter(|file| file.to_string_lossy().ends_with(OF_THE_CDK))
        .filter(|file| {
            fs::read(file).is_ok_and(|bytes| {
                serde_json::from_slice::<Value>(&bytes).is_ok_and(|document| has_distribution(&document))
            })
        })
        .collect();
    found.sort_unstable();
    match found.as_slice() {
        [] => Err(DistributionError::Folder { path: folder.to_owned() }.into()),
        [one] => Ok(one.clone()),
        several => {
            let name = |file: &PathBuf| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let names = several.iter().map(name).collect();
            Err(DistributionError::Several { path: folder.to_owned(), names }.into())
        }
    }
}

fn has_distribution(document: &Value) -> bool {
    let resources = document.get("Resources").and_then(Value::as_object);
    let is = |one: &Value| one.get("Type").and_then(Value::as_str) == Some("AWS::CloudFront::Distribution");
    resources.is_some_and(|all| all.values().any(is))
}

/// A template in YAML as JSON, with the short forms of functions (`!Ref`) in their long form.
fn yaml(bytes: &[u8]) -> Result<Value, String> {
    let document: serde_yaml_ng::Value =
        serde_yaml_ng::from_slice(bytes).map_err(|error| error.to_string())?;
    json_of(document)
}

fn json_of(value: serde_yaml_ng::Value) -> Result<Value, String> {
    use serde_yaml_ng::Value as Yaml;
    Ok(match value {
        Yaml::Null => Value::Null,
        Yaml::Bool(on) => Value::Bool(on),
        Yaml::Number(number) => serde_json::to_value(number).map_err(|error| error.to_string())?,
        Yaml::String(text) => Value::String(text),
        Yaml::Sequence(items) => items.into_iter().map(json_of).collect::<Result<_, _>>()?,
        Yaml::Mapping(members) => {
            let member = |(name, value): (Yaml, Yaml)| {
                let name = match name {
                    Yaml::String(name) => name,
                    Yaml::Number(number) => number.to_string(),
                    Yaml::Bool(on) => on.to_string(),
                    _ => return Err("a name is not a text".to_owned()),
                };
                Ok((name, json_of(value)?))
            };
            Value::Object(members.into_iter().map(member).collect::<Result<_, _>>()?)
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let name = tag.trim_start_matches('!');
            let name =
                if matches!(name, "Ref" | "Condition") { name.to_owned() } else { format!("Fn::{name}") };
            Value::Object([(name, json_of(tagged.value)?)].into_iter().collect())
        }
    })
}

/// The headers that reach the bucket, by a policy.
fn forwarded_by(policy: &Policy) -> Arc<[String]> {
    let headers = OriginHeaders::forwarded(policy.rules(), policy.max_origin_headers());
    headers.names().map(str::to_owned).collect()
}

/// Whether a policy has a rule that lists. Then the templates let the distribution list the bucket (`Listing` of
/// `infra/parameters`).
fn lists(policy: &Policy) -> bool {
    let allows = policy.rules().iter().filter(|rule| rule.effect() == Effect::Allow);
    allows.into_iter().any(|rule| rule.operations().any(S3Operation::is_listing))
}

/// What a policy decides of the distribution and its bucket.
pub(super) struct ByPolicy {
    /// The headers that reach the bucket without a distribution.
    pub(super) forwarded: Arc<ForwardedHeaders>,
    /// What the policy needs from a distribution, if it can be read.
    pub(super) needs: Option<DistributionNeeds>,
    /// The bucket, as the templates make it for the policy.
    pub(super) bucket: BucketOptions,
}

/// That of a policy file, as it is now.
pub(super) fn of_live(policy: LivePolicy) -> ByPolicy {
    let now = policy.current();
    let needs = Some(DistributionNeeds::of(now.authorizer().bundle().policy()));
    let first = (Arc::clone(&now), forwarded_by(now.authorizer().bundle().policy()));
    let known = Mutex::new(first);
    let for_listing = policy.clone();
    let forwarded = move || {
        let now = policy.current();
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&known.0, &now) {
            *known = (Arc::clone(&now), forwarded_by(now.authorizer().bundle().policy()));
        }
        Arc::clone(&known.1)
    };
    let can_list = move || lists(for_listing.current().authorizer().bundle().policy());
    ByPolicy {
        forwarded: Arc::new(forwarded),
        needs,
        bucket: BucketOptions::of_templates(Arc::new(can_list)),
    }
}

/// That of a package. If its bundle cannot be read, the package does not start, and nothing is forwarded.
pub(super) fn of_package(package: Option<&Decider>) -> ByPolicy {
    let of_policy = |decides: &Authorizer| {
        let policy = decides.bundle().policy();
        (forwarded_by(policy), Some(DistributionNeeds::of(policy)), lists(policy))
    };
    let known = package.map(|package| package.with(of_policy));
    let (forwarded, needs, can_list) = known.unwrap_or_default();
    ByPolicy {
        forwarded: Arc::new(move || Arc::clone(&forwarded)),
        needs,
        bucket: BucketOptions::of_templates(Arc::new(move || can_list)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_short_forms_of_functions_are_their_long_forms() {
        let text = b"a: !Ref B\nc: !GetAtt D.Arn\ne: !If [F, !Sub '${G}', 1]\nh: {Condition: !Condition I}\nj: 2.5\n";
        assert_eq!(
            yaml(text).unwrap(),
            json!({
                "a": {"Ref": "B"},
                "c": {"Fn::GetAtt": "D.Arn"},
                "e": {"Fn::If": ["F", {"Fn::Sub": "${G}"}, 1]},
                "h": {"Condition": {"Condition": "I"}},
                "j": 2.5,
            })
        );
        assert!(yaml(b"a: [").is_err());
    }
}
