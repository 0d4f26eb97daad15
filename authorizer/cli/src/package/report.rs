//! The report about a package, in the words of Lambda and the decision log.

use std::borrow::Cow;
use std::path::Path;

use authorizer_core::record::sha256_hex;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Serialize;

use super::archive::{Archive, Sizes};
use super::{HandOver, OfRelease};
use crate::output::{Format, OutputError, line};

/// What `package --format json` says of a package.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(title = "`authorizer package --format json`")]
pub(crate) struct Report<'r> {
    /// The version of this format.
    #[schemars(extend("const" = 1))]
    version: u32,
    /// The package, as it was named.
    package: Cow<'r, str>,
    /// How the managed runtime hands the work to the function.
    hand_over: HandOver,
    /// Its bytes.
    bytes: usize,
    /// Its SHA-256, in hexadecimal.
    sha256: String,
    /// Its SHA-256 in base64, as `aws lambda get-function-configuration` shows it.
    code_sha256: String,
    /// The SHA-256 of the bundle, in hexadecimal, as every line of the decision log has it.
    bundle_sha256: &'r str,
    /// The release whose function it has. Left out where `--bootstrap` named another.
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<&'r OfRelease>,
    /// The runtimes of Lambda that it starts under, the best first. Its handler is `index.handler` under each.
    runtimes: &'static [&'static str],
    /// The files in it.
    entries: &'r [Sizes],
}

impl<'r> Report<'r> {
    pub(super) fn new(
        package: &'r Path,
        hand_over: HandOver,
        archive: &'r Archive,
        bundle_sha256: &'r str,
        release: Option<&'r OfRelease>,
    ) -> Self {
        Self {
            version: 1,
            package: package.to_string_lossy(),
            hand_over,
            bytes: archive.bytes().len(),
            sha256: sha256_hex(archive.bytes()),
            code_sha256: STANDARD.encode(digest(&SHA256, archive.bytes())),
            bundle_sha256,
            release,
            runtimes: hand_over.runtimes(),
            entries: archive.sizes(),
        }
    }

    pub(super) fn print(&self, format: Format) -> Result<(), OutputError> {
        match format {
            Format::Json => line(serde_json::json!(self)),
            Format::Text => {
                line(format_args!("{} written, {} bytes", self.package, self.bytes))?;
                line(format_args!("  sha256       {}", self.sha256))?;
                line(format_args!("  CodeSha256   {}", self.code_sha256))?;
                line(format_args!("  hand-over    {}", self.hand_over.name()))?;
                if let Some(OfRelease { build, about }) = self.release {
                    line(format_args!("  function     {} of release {}", build.name(), about))?;
                }
                line(format_args!("  bundle       sha256 {}", self.bundle_sha256))?;
                line(format_args!("  Runtime      {}, handler index.handler", self.runtimes.join(" or ")))?;
                for entry in self.entries {
                    line(format_args!(
                        "  {:<12} {} bytes, {} in the zip",
                        entry.name, entry.bytes, entry.compressed_bytes
                    ))?;
                }
                Ok(())
            }
        }
    }
}
