//! The files with keys and secrets that a policy names.

use std::path::Path;

use authorizer_core::policy::document::{JwksDocument, PolicyDocument, SecretDocument, SecretEncoding};
use authorizer_core::policy::{Place, PolicyProblem};
use authorizer_core::token::{PublishedKeysError, parse_jwk_set};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::error::FileKind;
use crate::file::read_file;
use crate::folder_of;

/// The standard alphabet, with padding or without; the other alphabet is mapped to it first.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The files of an issuer, relative to the policy.
pub(crate) fn files(document: PolicyDocument) -> impl Iterator<Item = String> {
    document.issuers.into_iter().flat_map(|issuer| {
        let keys = issuer.jwks.and_then(|jwks| jwks.file);
        keys.into_iter().chain(issuer.secret.and_then(|secret| secret.file))
    })
}

/// Reads the files of each issuer into the document.
pub(crate) fn read_keys(document: &mut PolicyDocument, policy: &Path) -> Vec<PolicyProblem> {
    let folder = folder_of(policy);
    let mut problems = Vec::new();
    for (index, issuer) in document.issuers.iter_mut().enumerate() {
        let place = Place::member("issuers").at(index);
        // If both or neither are given, the core reports the problem.
        if let Some(JwksDocument { file: file @ Some(_), keys: keys @ None, .. }) = &mut issuer.jwks {
            match read_jwks(&folder.join(file.as_deref().unwrap_or_default())) {
                Ok(read) => (*file, *keys) = (None, Some(read)),
                Err(message) => problems.push(PolicyProblem {
                    place: place.then("jwks").then("file"),
                    message: format!("the keys of issuer `{}`: {message}", issuer.name),
                    remedy: "put the JWK set from the `jwks_uri` of the issuer into this file".into(),
                }),
            }
        }
        if let Some(secret) = &mut issuer.secret
            && let Err(problem) = read_secret(secret, folder)
        {
            let (member, message, remedy) = problem;
            problems.push(PolicyProblem {
                place: place.then("secret").then(member),
                message: format!("the secret of issuer `{}`: {message}", issuer.name),
                remedy: remedy.into(),
            });
        }
    }
    problems
}

fn read_jwks(path: &Path) -> Result<Vec<Value>, String> {
    let text = read_file(FileKind::Policy, path).map_err(|error| error.to_string())?;
    let shown = path.display();
    parse_jwk_set(text.as_bytes()).map_err(|error| match error {
        // Of what is no object nothing is quoted: it may be a secret.
        PublishedKeysError::NoJson => match serde_json::from_str::<Value>(&text) {
            Err(error) => format!("`{shown}` is not a JSON object: {error}"),
            Ok(value) if !value.is_object() => format!("`{shown}` is not a JSON object"),
            Ok(_) => format!("`{shown}` has a member twice, so two readers could read two sets of keys"),
        },
        _ => format!("`{shown}` is not a JWK set: it does not have a `keys` array"),
    })
}

/// Reads a secret. The error does not contain any part of the file.
fn read_secret(
    secret: &mut SecretDocument,
    folder: &Path,
) -> Result<(), (&'static str, String, &'static str)> {
    if secret.value.is_some() {
        // Many people can read a policy.
        return Err((
            "value",
            "it is in the policy itself".into(),
            "put it into a file that only people who package can read, and write `secret = { file = \"...\" }`",
        ));
    }
    let Some(file) = secret.file.take() else { return Ok(()) };
    let text = read_file(FileKind::Policy, &folder.join(file)).map_err(|error| {
        ("file", error.to_string(), "put the secret into this file; if it is not text, in base64")
    })?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    let bytes = match secret.encoding {
        SecretEncoding::Text => line.as_bytes().to_vec(),
        SecretEncoding::Base64 => BASE64.decode(line.replace('-', "+").replace('_', "/")).map_err(|_| {
            (
                "file",
                "the file is not in base64".into(),
                "leave out `encoding` if the file contains the secret as text",
            )
        })?,
    };
    secret.value = Some(URL_SAFE_NO_PAD.encode(bytes));
    secret.encoding = SecretEncoding::Text;
    Ok(())
}
