//! The configuration, the selected behaviors, and the destination of the result.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use authorizer_cloudfront::{BehaviorName, Behaviors, Exported};
use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

use super::error::AttachError;
use crate::input::{read_limited, read_stdin_limited};
use crate::output::OutputError;
use crate::save::replace;

/// Far longer than a configuration: a behavior takes about two kilobytes.
const MAX_CONFIG_BYTES: usize = 16 * 1024 * 1024;

#[derive(Debug, clap::Args)]
pub(super) struct ConfigArgs {
    /// Output of `aws cloudfront get-distribution-config` or `get-distribution`, the DistributionConfig alone, or `-` for
    /// standard input.
    #[arg(default_value = "-")]
    config: PathBuf,
    /// Write the input of `update-distribution --cli-input-json`: the configuration, with the ETag as IfMatch.
    #[arg(long)]
    cli_input_json: bool,
    /// File for the whole export, with its ETag. Nothing goes to standard output.
    #[arg(long, value_name = "FILE", conflicts_with = "cli_input_json")]
    out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct BehaviorArgs {
    /// Behavior: its path pattern, `default`, or `all` for every behavior that reaches the bucket. Repeatable. If the
    /// pattern is one of these words, write a slash before it.
    #[arg(long = "behavior", value_name = "PATTERN", required = true)]
    behaviors: Vec<String>,
}

impl BehaviorArgs {
    /// The behaviors that are meant, where these origins were named.
    pub(super) fn behaviors(&self, origins: &[String]) -> Result<Behaviors, AttachError> {
        if self.behaviors.iter().any(|text| text == "all") {
            let origins = origins.to_vec();
            return Ok(if origins.is_empty() { Behaviors::All } else { Behaviors::OfOrigins(origins) });
        }
        if !origins.is_empty() {
            return Err(AttachError::OriginWithoutAll);
        }
        let name = |text: &String| match text.as_str() {
            "default" => BehaviorName::Default,
            pattern => BehaviorName::Pattern(pattern.to_owned()),
        };
        Ok(Behaviors::Named(self.behaviors.iter().map(name).collect()))
    }
}

impl ConfigArgs {
    /// Reads the configuration.
    pub(super) fn read(&self) -> miette::Result<Exported> {
        let bytes = if self.config == Path::new("-") {
            read_stdin_limited(MAX_CONFIG_BYTES)?
        } else {
            read_limited(&self.config, MAX_CONFIG_BYTES)?
        };
        let unusable = |source| AttachError::Config { path: self.config.clone(), source };
        Ok(Exported::read(&bytes).map_err(unusable)?)
    }

    /// Writes the changed configuration.
    pub(super) fn write(&self, changed: &Exported) -> miette::Result<()> {
        if let Some(path) = &self.out {
            return Ok(replace(path, &pretty(changed.whole())?)?);
        }
        let bytes = if self.cli_input_json {
            pretty(&changed.update_input().ok_or(AttachError::NoETag)?)
        } else {
            pretty(changed.config())
        };
        Ok(io::stdout().lock().write_all(&bytes?).map_err(OutputError::of)?)
    }
}

/// Indents as the AWS CLI does, but orders the members of objects by name.
fn pretty(value: &impl Serialize) -> Result<Vec<u8>, OutputError> {
    let mut bytes = Vec::new();
    let formatter = PrettyFormatter::with_indent(b"    ");
    let written = value.serialize(&mut Serializer::with_formatter(&mut bytes, formatter));
    // Writing to memory does not fail, and JSON that was read can be written.
    written.map_err(|error| OutputError::Unwritable(error.into()))?;
    bytes.push(b'\n');
    Ok(bytes)
}
