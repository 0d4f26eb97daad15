//! The report about a package, in the words of Lambda and the decision log.

use std::path::Path;

use authorizer_core::record::sha256_hex;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::archive::{Archive, Sizes};
use crate::output::{Format, OutputError, line};

#[derive(Debug, Serialize)]
pub(super) struct Report<'r> {
    version: u32,
    package: &'r Path,
    bytes: usize,
    sha256: String,
    /// As `aws lambda get-function-configuration` shows it.
    code_sha256: String,
    /// As every line of the decision log has it.
    bundle_sha256: &'r str,
    entries: &'r [Sizes],
}

impl<'r> Report<'r> {
    pub(super) fn new(package: &'r Path, archive: &'r Archive, bundle_sha256: &'r str) -> Self {
        Self {
            version: 1,
            package,
            bytes: archive.bytes().len(),
            sha256: sha256_hex(archive.bytes()),
            code_sha256: STANDARD.encode(digest(&SHA256, archive.bytes())),
            bundle_sha256,
            entries: archive.sizes(),
        }
    }

    pub(super) fn print(&self, format: Format) -> Result<(), OutputError> {
        match format {
            Format::Json => line(serde_json::json!(self)),
            Format::Text => {
                line(format_args!("{} written, {} bytes", self.package.display(), self.bytes))?;
                line(format_args!("  sha256       {}", self.sha256))?;
                line(format_args!("  CodeSha256   {}", self.code_sha256))?;
                line(format_args!("  bundle       sha256 {}", self.bundle_sha256))?;
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
