//! `authorizer keys cookie-key`: the key that the cookies of a sign-in are encrypted with.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use miette::Diagnostic;
use thiserror::Error;

use crate::output::{Exit, line};
use crate::save::SaveError;
use crate::token::write_new;

/// Make the key that the cookies of a sign-in are encrypted with: 32 random bytes, for `cookie_key` of `[sign_in]`.
///
/// Only you can read the file. It is never overwritten: without the key, nobody can open the cookies that were made with
/// it. To change the key, make a second file, and name the old one in `previous_cookie_key`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  authorizer keys cookie-key --out sign-in.key")]
pub(crate) struct Args {
    /// File for the key. It must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Why no key is made.
#[derive(Debug, Diagnostic, Error)]
enum CookieKeyError {
    /// No randomness.
    #[error("the operating system did not give random bytes")]
    #[diagnostic(help("try again; nothing was written"))]
    Random,
}

pub(super) fn run(args: &Args) -> miette::Result<Exit> {
    let mut key = [0; 32];
    aws_lc_rs::rand::fill(&mut key).map_err(|_| CookieKeyError::Random)?;
    if let Some(folder) = args.out.parent().filter(|folder| *folder != Path::new("")) {
        fs::create_dir_all(folder)
            .map_err(|source| SaveError::Unwritable { path: folder.to_owned(), source })?;
    }
    write_new(&args.out, format!("{}\n", URL_SAFE_NO_PAD.encode(key)).as_bytes(), 0o600)?;
    line(format_args!(
        "{}  the key, for `cookie_key = {{ file = ... }}`: keep it out of version control",
        args.out.display()
    ))?;
    Ok(Exit::Held)
}
