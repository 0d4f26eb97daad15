//! `authorizer token keygen`: a key pair for development.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use authorizer_core::token::SignatureAlgorithm;
use serde_json::json;

use super::parse_algorithm;
use crate::devkey::{DevKey, DevKeyError};
use crate::output::{Exit, line};
use crate::save::SaveError;

/// Make a development key pair: NAME.private.pem to sign with, NAME.jwks.json for a policy.
///
/// Never overwrites an existing file.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  authorizer token keygen dev --algorithm ES256 --dir keys")]
pub(crate) struct Args {
    /// Name of the files.
    #[arg(value_parser = parse_name)]
    name: String,
    /// Signature algorithm.
    #[arg(long, default_value = "EdDSA", value_parser = parse_algorithm)]
    algorithm: SignatureAlgorithm,
    /// Folder for the files, created if missing.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
}

fn parse_name(name: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || ['-', '_'].contains(&c);
    if !name.is_empty() && name.chars().all(plain) {
        Ok(name.to_owned())
    } else {
        Err("use letters, digits, - and _".into())
    }
}

pub(crate) fn run(args: &Args) -> miette::Result<Exit> {
    let (private, public) = write_key_pair(&args.dir, &args.name, args.algorithm)?;
    line(format_args!("{}  the private key: keep it out of version control", private.display()))?;
    line(format_args!("{}  the public key, for `jwks = {{ file = ... }}`", public.display()))?;
    Ok(Exit::Held)
}

/// Makes a key pair, and writes `NAME.private.pem` and `NAME.jwks.json` into a folder.
pub(crate) fn write_key_pair(
    dir: &Path,
    name: &str,
    algorithm: SignatureAlgorithm,
) -> miette::Result<(PathBuf, PathBuf)> {
    let private = dir.join(format!("{name}.private.pem"));
    let public = dir.join(format!("{name}.jwks.json"));
    fs::create_dir_all(dir).map_err(|source| SaveError::Unwritable { path: dir.to_owned(), source })?;
    if let Some(path) = [&private, &public].into_iter().find(|path| path.exists()) {
        return Err(SaveError::Exists { path: path.clone() }.into());
    }
    write_new(&private, new_pem(&private, algorithm)?.as_bytes(), 0o600)?;
    write_public(&DevKey::read(&private, Some(algorithm))?, &public)?;
    Ok((private, public))
}

/// Makes a private key, and writes it as PEM into a file that only its owner can read, in the place of an older one.
pub(crate) fn replace_private_key(path: &Path, algorithm: SignatureAlgorithm) -> miette::Result<()> {
    Ok(write_private(path, new_pem(path, algorithm)?.as_bytes())?)
}

fn new_pem(path: &Path, algorithm: SignatureAlgorithm) -> Result<String, DevKeyError> {
    DevKey::generate_pem(algorithm).map_err(|_| DevKeyError::Unusable {
        path: path.to_owned(),
        message: "the key cannot be made".into(),
    })
}

/// Writes the public half of a key as a JWK set.
pub(crate) fn write_public(key: &DevKey, path: &Path) -> miette::Result<()> {
    let jwk = key.jwk().map_err(DevKeyError::Sign)?;
    let set = format!("{:#}\n", json!({ "keys": [jwk] }));
    Ok(write_new(path, set.as_bytes(), 0o644)?)
}

/// Writes a file that does not exist yet.
pub(crate) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), SaveError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all())).map_err(
        |source| match source.kind() {
            io::ErrorKind::AlreadyExists => SaveError::Exists { path: path.to_owned() },
            _ => SaveError::Unwritable { path: path.to_owned(), source },
        },
    )
}

/// Writes a file that only its owner can read, and replaces an existing one.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), SaveError> {
    // An older file would keep its mode.
    if let Err(source) = fs::remove_file(path)
        && source.kind() != io::ErrorKind::NotFound
    {
        return Err(SaveError::Unwritable { path: path.to_owned(), source });
    }
    write_new(path, bytes, 0o600)
}
