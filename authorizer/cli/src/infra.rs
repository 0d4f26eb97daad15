//! `authorizer infra`: the templates, the Terraform module, the constructs of the AWS CDK and the scripts that fit this
//! version.

mod files;
mod links;

use std::fs;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use crate::output::{Exit, line};
use crate::save;

use files::FILES;
use links::as_written;

/// How many files an error names.
const MOST_NAMED: usize = 10;

/// Files are there already with another text.
#[derive(Debug, Diagnostic, Error)]
#[error("{}", said(.out, .names))]
#[diagnostic(help(
    "write this version to another folder with `--out`, and compare; or remove the files that you did not edit"
))]
struct Edited {
    out: PathBuf,
    names: Vec<&'static str>,
}

/// Write the templates, the Terraform module, the CDK's constructs and the scripts that fit this version.
///
/// They are in the program, so nothing is downloaded. A file that is there already with the same text is left alone; if one
/// has another text, nothing is written. In the pages, a link to a file of a clone becomes words.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  authorizer infra --out infra\n  CODE_BUCKET=my-code infra/deploy dist/authorizer.zip"
)]
pub(crate) struct Args {
    /// Folder for the files, created if missing.
    #[arg(long, value_name = "DIR", default_value = "infra")]
    out: PathBuf,
}

fn said(out: &Path, names: &[&str]) -> String {
    let out = out.display();
    let named: Vec<_> = names.iter().take(MOST_NAMED).map(|name| format!("`{name}`")).collect();
    let named = named.join(", ");
    match (names.len(), names.len().saturating_sub(MOST_NAMED)) {
        (1, _) => {
            format!(
                "a file in `{out}` has another text than in this version, and nothing is written: {named}"
            )
        }
        (all, more) => {
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            format!(
                "{all} files in `{out}` have another text than in this version, and nothing is written: {named}{more}"
            )
        }
    }
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    let (mut missing, mut edited) = (Vec::new(), Vec::new());
    for file in &FILES {
        let path = args.out.join(file.name);
        let text = as_written(file);
        match fs::read(&path) {
            // The second is the file of a clone.
            Ok(found) if found == *text || found == file.bytes => {}
            Ok(_) => edited.push(file.name),
            Err(_) => missing.push((path, text, file)),
        }
    }
    if !edited.is_empty() {
        return Err(Edited { out: args.out.clone(), names: edited }.into());
    }
    for (path, text, file) in &missing {
        save::replace_with(path, text, if file.is_program { 0o777 } else { 0o666 })?;
    }
    line(format_args!("{} of {} files are written to {}", missing.len(), FILES.len(), args.out.display()))?;
    Ok(Exit::Held)
}
