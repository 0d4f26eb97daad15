//! Development keys beside the keys of the policy's issuers, so that a policy can be tried with tokens that nobody
//! deployed trusts.
//!
//! They are new at each start, and their files go when the command ends. An issuer with published keys gets one for the
//! first of its algorithms. What they sign opens nothing outside of this process.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use authorizer_core::Bundle;
use authorizer_core::policy::document::PolicyDocument;
use authorizer_core::token::{JwsAlgorithm, SignatureAlgorithm};
use authorizer_policy::PolicyFile;
use miette::Diagnostic;
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};
use thiserror::Error;

use super::sample::quoted;
use crate::devkey::{DEVELOPMENT_ONLY, DEVELOPMENT_ONLY_FILE, DevKey, DevKeyError};
use crate::output::{OutputError, line, note};
use crate::save::{SaveError, replace};
use crate::token::replace_private_key;

/// Why there are no development keys.
#[derive(Debug, Diagnostic, Error)]
pub(crate) enum DevIssuerError {
    /// Others could reach the server.
    #[error(
        "`--dev-issuer` accepts tokens that anyone on this machine can sign, so it listens on this machine alone, and not on {0}"
    )]
    #[diagnostic(help("use `--listen 127.0.0.1:8080`, or leave out `--dev-issuer`"))]
    NotLoopback(SocketAddr),
    /// No issuer can get a key.
    #[error(
        "the policy has no issuer that publishes keys, so there is nothing that a development key could sign for"
    )]
    #[diagnostic(help("leave out `--dev-issuer`, or add an issuer with `jwks`"))]
    NoIssuer,
    /// The policy with the keys in it.
    #[error("the development keys do not fit into the policy: {0}")]
    Unusable(#[source] authorizer_core::BundleError),
}

/// The keys of a run.
#[derive(Debug)]
pub(super) struct DevIssuer {
    folder: PathBuf,
    /// Their public halves, each with its mark.
    public: BTreeMap<&'static str, Value>,
}

/// The files of the keys, for as long as they are of use. Whoever reads the policy again has the public ones, and never
/// ends.
#[derive(Debug, Default)]
pub(super) struct KeyFiles(Vec<(PathBuf, Vec<u8>)>);

impl KeyFiles {
    /// Takes note of a file that this run has written.
    fn add(&mut self, path: PathBuf) {
        if let Ok(bytes) = fs::read(&path) {
            self.0.push((path, bytes));
        }
    }
}

impl Drop for KeyFiles {
    fn drop(&mut self) {
        for (path, written) in &self.0 {
            // Another server may have put its own there.
            if fs::read(path).is_ok_and(|now| now == *written) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

fn private_key(folder: &Path, algorithm: &str) -> PathBuf {
    folder.join(format!("{DEVELOPMENT_ONLY_FILE}{algorithm}.private.pem"))
}

/// An issuer that a development key signs for.
#[derive(Debug)]
struct Signed {
    name: String,
    algorithm: SignatureAlgorithm,
}

impl DevIssuer {
    /// Makes a key for the first algorithm of each issuer of the policy. The private keys are written to the folder.
    pub(super) fn new(policy: &Path, folder: &Path, listen: SocketAddr) -> miette::Result<(Self, KeyFiles)> {
        if !listen.ip().is_loopback() {
            return Err(DevIssuerError::NotLoopback(listen).into());
        }
        let file = PolicyFile::load(policy)?;
        fs::create_dir_all(folder)
            .map_err(|source| SaveError::Unwritable { path: folder.to_owned(), source })?;
        let mut files = KeyFiles::default();
        let mut keys = Self { folder: folder.to_owned(), public: BTreeMap::new() };
        for signed in signed_for(file.document()) {
            keys.make(signed.algorithm, &mut files)?;
        }
        if keys.public.is_empty() { Err(DevIssuerError::NoIssuer.into()) } else { Ok((keys, files)) }
    }

    fn make(&mut self, algorithm: SignatureAlgorithm, files: &mut KeyFiles) -> miette::Result<()> {
        let name = algorithm.name();
        if !self.public.contains_key(name) {
            let path = private_key(&self.folder, name);
            replace_private_key(&path, algorithm)?;
            files.add(path.clone());
            let jwk = DevKey::read(&path, Some(algorithm))?.jwk().map_err(DevKeyError::Sign)?;
            let mut jwk = serde_json::to_value(jwk).unwrap_or_default();
            if let Some(members) = jwk.as_object_mut() {
                members.insert(DEVELOPMENT_ONLY.into(), true.into());
            }
            // For other programs that verify the tokens. The mark keeps it out of a package.
            let set = self.folder.join(format!("development-only-{name}.jwks.json"));
            replace(&set, format!("{:#}\n", json!({"keys": [jwk]})).as_bytes())?;
            files.add(set);
            self.public.insert(name, jwk);
        }
        Ok(())
    }

    /// The file of the private key for an algorithm.
    pub(super) fn key_file(&self, algorithm: SignatureAlgorithm) -> Option<PathBuf> {
        let name = algorithm.name();
        self.public.contains_key(name).then(|| private_key(&self.folder, name))
    }

    /// The bundle of a policy, in which its issuers trust these keys too.
    pub(super) fn bundle_of(&self, document: &PolicyDocument) -> Result<Bundle, DevIssuerError> {
        let mut document = document.clone();
        for issuer in &mut document.issuers {
            let Some(jwks) = &mut issuer.jwks else { continue };
            let fitting = issuer.algorithms.iter().filter_map(|algorithm| self.public.get(algorithm.name()));
            jwks.keys.get_or_insert_default().extend(fitting.cloned());
        }
        let bundle = Bundle::write(&document).map_err(DevIssuerError::Unusable)?;
        Bundle::read(&bundle).map_err(DevIssuerError::Unusable)
    }

    /// Says on standard error that these tokens are accepted.
    pub(super) fn warn(&self) {
        note(
            "warning: tokens of development keys are accepted, for each issuer that publishes keys, until this command ends"
                .red(),
        );
    }

    /// Prints how to mint and use a token of each issuer.
    pub(super) fn print(&self, policy: &Path, base: &str, trusted: Option<&Path>) -> Result<(), OutputError> {
        let Ok(file) = PolicyFile::load(policy) else { return Ok(()) };
        let trust = trusted.map(|file| format!("--cacert {} ", quoted(file))).unwrap_or_default();
        line("")?;
        line("Tokens for development, in another terminal:")?;
        for Signed { name, algorithm } in signed_for(file.document()) {
            line("")?;
            line(format_args!(
                "  {}",
                format!("# a token of issuer {name}; more claims: --claim NAME=VALUE").dimmed()
            ))?;
            line(format_args!(
                "  TOKEN=$(authorizer token mint --key {}{} --policy {} --issuer {} --subject alice)",
                quoted(&private_key(&self.folder, algorithm.name())),
                named(algorithm),
                quoted(policy),
                quoted(Path::new(&name)),
            ))?;
            line(format_args!("  curl -i {trust}-H \"Authorization: Bearer $TOKEN\" {base}/KEY"))?;
        }
        line("")
    }
}

/// The argument for an algorithm that `token mint` would not take by itself.
pub(super) fn named(algorithm: SignatureAlgorithm) -> String {
    use SignatureAlgorithm::{EdDsa, Es256, Es384, Rs256};
    match algorithm {
        Rs256 | Es256 | Es384 | EdDsa => String::new(),
        other => format!(" --algorithm {}", other.name()),
    }
}

/// The issuers with published keys, each with the first of its algorithms that a development key can have.
fn signed_for(document: &PolicyDocument) -> Vec<Signed> {
    let issuers = document.issuers.iter().filter(|issuer| issuer.jwks.is_some());
    issuers
        .filter_map(|issuer| {
            let algorithm = issuer.algorithms.iter().find_map(|algorithm| match algorithm {
                JwsAlgorithm::Signature(algorithm) => Some(*algorithm),
                JwsAlgorithm::Hs256 => None,
            })?;
            Some(Signed { name: issuer.name.clone(), algorithm })
        })
        .collect()
}
