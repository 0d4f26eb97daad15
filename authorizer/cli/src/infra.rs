//! `authorizer infra`: the templates, the Terraform module, the constructs of the AWS CDK and the scripts that fit this
//! version.

mod files;

use std::fs;
use std::path::PathBuf;

use crate::output::{Exit, line};
use crate::save::{self, SaveError};

use files::FILES;

/// Write the templates, the Terraform module, the CDK's constructs and the scripts that fit this version.
///
/// They are in the program, so nothing is downloaded. A file that is there already with the same text is left alone; if one
/// has another text, nothing is written.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  authorizer infra --out infra\n  CODE_BUCKET=my-code infra/deploy dist/authorizer.zip"
)]
pub(crate) struct Args {
    /// Folder for the files, created if missing.
    #[arg(long, value_name = "DIR", default_value = "infra")]
    out: PathBuf,
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    let mut missing = Vec::new();
    for file in &FILES {
        let path = args.out.join(file.name);
        match fs::read(&path) {
            Ok(found) if found == file.bytes => {}
            Ok(_) => return Err(SaveError::Exists { path }.into()),
            Err(_) => missing.push((path, file)),
        }
    }
    for (path, file) in &missing {
        save::replace_with(path, file.bytes, if file.is_program { 0o777 } else { 0o666 })?;
    }
    line(format_args!("{} of {} files are written to {}", missing.len(), FILES.len(), args.out.display()))?;
    Ok(Exit::Held)
}
